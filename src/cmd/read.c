/* read.c: `seine read`: captures to sessions on standard output. */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/session_setup.h"

#define OUT_CEILING ((size_t)1 << 30)
#define OUT_FLUSH ((size_t)256 << 10)

enum format { FORMAT_JSON, FORMAT_ARKIME, FORMAT_NULL };

struct reading {
    struct session_setup setup;
    enum format format;
    struct buf out[WALK_WORKERS_MAX];
    pthread_mutex_t lock;
    bool wrote; /* a session is already on standard output */
    uint64_t written_at;
};

static void flush(struct reading *r, struct buf *b) {
    if (r->format != FORMAT_NULL && b->len) {
        (void)pthread_mutex_lock(&r->lock);
        size_t skip = r->format == FORMAT_ARKIME && !r->wrote ? 1 : 0; /* the comma in front of the first */
        (void)fwrite(b->data + skip, 1, b->len - skip, stdout);
        r->wrote = true;
        (void)pthread_mutex_unlock(&r->lock);
    }
    buf_clear(b);
}

static void on_record(void *ctx, unsigned worker, struct record *record) {
    struct reading *r = ctx;
    struct buf *b = &r->out[worker];
    if (r->format == FORMAT_ARKIME) {
        buf_add_text(b, ",\n{\"header\":{\"index\":{\"_index\":\"");
        buf_add_text(b, record->index);
        buf_add_text(b, "\"}},\"body\":");
    }
    document_write(r->setup.plan, record, r->written_at, b);
    buf_add_text(b, r->format == FORMAT_ARKIME ? "}" : "\n");
    if (b->len >= OUT_FLUSH) {
        flush(r, b);
    }
}

static void on_note(void *ctx, const char *file, uint64_t offset, const char *what) {
    (void)ctx;
    (void)fprintf(stderr, "seine: %s: at byte %llu: %s\n", file, (unsigned long long)offset, what);
}

int cmd_read(int argc, char **argv) {
    static struct option const options[] = {{"config", required_argument, NULL, 'C'},
                                            {"format", required_argument, NULL, 'F'},
                                            {"workers", required_argument, NULL, 'W'},
                                            {0}};
    struct reading r = {.lock = PTHREAD_MUTEX_INITIALIZER};
    const char *config = NULL;
    unsigned workers = 1;
    int option;
    while ((option = getopt_long(argc, argv, "C:", options, NULL)) >= 0) {
        switch (option) {
        case 'C':
            config = optarg;
            break;
        case 'F':
            r.format = strcmp(optarg, "arkime") == 0 ? FORMAT_ARKIME
                       : strcmp(optarg, "null") == 0 ? FORMAT_NULL
                                                     : FORMAT_JSON;
            break;
        case 'W':
            workers = (unsigned)strtoul(optarg, NULL, 10);
            break;
        default:
            return EXIT_USAGE;
        }
    }
    int code = session_setup_init(&r.setup, config, NULL, 0);
    if (code) {
        session_setup_done(&r.setup);
        return code;
    }
    unsigned problems = 0;
    struct input_list *inputs =
        input_list_new((const char *const *)argv + optind, (size_t)(argc - optind), on_note, NULL, &problems);
    for (size_t i = 0; i < ARRAY_LEN(r.out); i++) {
        buf_init(&r.out[i], OUT_CEILING);
    }
    r.written_at = (uint64_t)time(NULL) * 1000;
    if (r.format == FORMAT_ARKIME) {
        (void)fputs("{\"sessions3\":[", stdout);
    }
    struct walk_options walk = {.inputs = inputs,
                                .workers = workers,
                                .decode = &r.setup.decode,
                                .flow = &r.setup.flow,
                                .record_settings = &r.setup.record,
                                .dissectors = r.setup.dissectors,
                                .registry = r.setup.registry,
                                .enrich = r.setup.enrich,
                                .record = on_record,
                                .note = on_note,
                                .ctx = &r};
    struct walk_stats stats;
    struct err e = {0};
    code = walk_run(&walk, &stats, &e);
    for (size_t i = 0; i < ARRAY_LEN(r.out); i++) {
        flush(&r, &r.out[i]);
        buf_done(&r.out[i]);
    }
    if (r.format == FORMAT_ARKIME) {
        (void)fputs("]}\n", stdout);
    }
    (void)fprintf(stderr, "seine: %llu packets, %llu sessions\n", (unsigned long long)stats.source.packets,
                  (unsigned long long)stats.flow[FLOW_RECORDS]);
    input_list_free(inputs);
    session_setup_done(&r.setup);
    return code < 0 ? EXIT_INTERNAL : problems ? EXIT_PARTIAL : EXIT_DONE;
}
