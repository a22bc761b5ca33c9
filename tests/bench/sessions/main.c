/*
 * bench-sessions: loads generated sessions into an engine, or asks it the benchmark's questions.
 *
 *     bench-sessions load store|duckdb|sqlite|none ROWS PATH     `none` only makes the rows
 *     bench-sessions ask store|duckdb|sqlite ROWS PATH REPEAT ANSWERS [QUESTION...]
 *
 * One JSON object per line: what was done, CPU and wall milliseconds (the best of REPEAT), peak memory. Answers go as
 * text into the folder ANSWERS, one file per question.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "engine.h"

#define SEED 4711

static const struct engine *const engines[] = {&store_engine, &duckdb_engine, &sqlite_engine};

struct cost {
    double cpu, wall; /* ms */
};

static struct cost now(void) {
    struct timespec t;
    struct rusage u;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    (void)getrusage(RUSAGE_SELF, &u);
    return (struct cost){(double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
                             (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3,
                         (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6};
}

static long peak_kib(void) {
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

static const struct engine *engine_of(const char *name) {
    for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++) {
        if (strcmp(engines[i]->name, name) == 0) {
            return engines[i];
        }
    }
    return NULL;
}

static int run_load(const char *name, uint64_t rows, const char *path) {
    const struct engine *e = engine_of(name);
    struct world *w = world_new(rows, SEED);
    struct cost before = now();
    int code = w ? 0 : -1;
    if (e && code == 0) {
        code = e->load(path, w, rows);
    } else if (code == 0) {
        struct row *row = malloc(sizeof(*row));
        for (uint64_t i = 0; i < rows && row; i++) {
            world_row(w, i, row);
        }
        free(row);
    }
    struct cost after = now();
    world_free(w);
    (void)printf("{\"engine\":\"%s\",\"do\":\"load\",\"rows\":%llu,\"cpu\":%.1f,\"wall\":%.1f,\"peakKiB\":%ld}\n", name,
                 (unsigned long long)rows, after.cpu - before.cpu, after.wall - before.wall, peak_kib());
    return code < 0 ? 1 : 0;
}

static int measure(const struct engine *e, void *engine, enum question q, unsigned repeat, const char *folder) {
    struct cost best = {1e18, 1e18}, first = {0, 0};
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s-%02d.txt", folder, e->name, (int)q);
    bool once = q == TAG || q == DROP;
    for (unsigned i = 0; i < (once ? 1 : repeat); i++) {
        FILE *answer = fopen(path, "w");
        if (e->prepare && e->prepare(engine, q) < 0) {
            return -1;
        }
        struct cost before = now();
        int code = answer ? e->ask(engine, q, answer) : -1;
        struct cost after = now();
        if (answer) {
            (void)fclose(answer);
        }
        if (code < 0) {
            return -1;
        }
        best.cpu = after.cpu - before.cpu < best.cpu ? after.cpu - before.cpu : best.cpu;
        best.wall = after.wall - before.wall < best.wall ? after.wall - before.wall : best.wall;
        if (i == 0) {
            first = (struct cost){after.cpu - before.cpu, after.wall - before.wall};
        }
    }
    (void)printf("{\"engine\":\"%s\",\"do\":\"%s\",\"cpu\":%.3f,\"wall\":%.3f,\"firstCpu\":%.3f,\"firstWall\":%.3f,"
                 "\"peakKiB\":%ld}\n",
                 e->name, question_names[q], best.cpu, best.wall, first.cpu, first.wall, peak_kib());
    (void)fflush(stdout);
    return 0;
}

static int run_ask(const char *name, uint64_t rows, char **argv, int argc) {
    const struct engine *e = engine_of(name);
    void *engine = NULL;
    if (!e || argc < 3 || e->open(argv[0], rows, &engine) < 0) {
        return 1;
    }
    unsigned repeat = (unsigned)strtoul(argv[1], NULL, 10);
    int code = 0;
    for (int q = 0; q < QUESTIONS && code == 0; q++) {
        bool wanted = argc == 3;
        for (int i = 3; i < argc; i++) {
            wanted |= strncmp(question_names[q], argv[i], strlen(argv[i])) == 0;
        }
        code = wanted ? measure(e, engine, (enum question)q, repeat ? repeat : 1, argv[2]) : 0;
    }
    e->close(engine);
    return code < 0 ? 1 : 0;
}

int main(int argc, char **argv) {
    uint64_t rows = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    if (argc >= 5 && strcmp(argv[1], "load") == 0) {
        return run_load(argv[2], rows, argv[4]);
    }
    if (argc >= 7 && strcmp(argv[1], "ask") == 0) {
        return run_ask(argv[2], rows, argv + 4, argc - 4);
    }
    (void)fprintf(stderr,
                  "usage: bench-sessions load ENGINE ROWS PATH | ask ENGINE ROWS PATH REPEAT ANSWERS [QUESTION...]\n");
    return 2;
}
