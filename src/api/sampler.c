/* sampler.c: see counters.h: the thread that looks, every 5 s. */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include "api/counters.h"
#include "api/input.h"
#include "api/shared.h"
#include "base/util.h"

#define FILES_SHARE 50 /* the list of captures is looked at for a fiftieth of the time at most */

struct counters {
    struct api *api;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool ending;
    const struct server *server;
    uint64_t reading_bytes, reading_packets; /* atomic */
    uint64_t file_bytes, file_packets;       /* of finished captures, when they were looked at last */
    int64_t files_due_ms;
    int64_t cpu_at_ms, cpu_ms;
    struct counter_history history;
};

/* --- this machine --- */

static uint64_t resident_bytes(void) {
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        char line[128] = "";
        char *at = fgets(line, sizeof(line), f);
        at = at ? strchr(at, ' ') : NULL;
        pages = at ? strtoul(at, NULL, 10) : 0;
        (void)fclose(f);
    }
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void machine_read(const char *folder, struct machine *ret) {
    *ret = (struct machine){.memory = resident_bytes()};
    struct statvfs disk;
    if (folder && statvfs(folder, &disk) == 0 && disk.f_blocks) {
        ret->free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
        ret->used_bytes = (uint64_t)(disk.f_blocks - disk.f_bfree) * disk.f_frsize;
        ret->free_part = 100.0 * (double)disk.f_bavail / (double)disk.f_blocks;
    }
    struct sysinfo info;
    if (sysinfo(&info) == 0 && info.totalram) {
        ret->memory_part = 100.0 * (double)ret->memory / ((double)info.totalram * info.mem_unit);
    }
}

static int64_t cpu_ms(void) {
    struct rusage u;
    if (getrusage(RUSAGE_SELF, &u) < 0) {
        return 0;
    }
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000 + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000;
}

/* --- a look --- */

static bool file_add(void *ctx, const struct stored_file *f) {
    struct counters *c = ctx;
    c->file_packets += f->packets;
    c->file_bytes += f->packet_bytes;
    return true;
}

static void look_at_files(struct counters *c, int64_t now) {
    uint64_t packets = c->file_packets, bytes = c->file_bytes;
    if (now < c->files_due_ms) {
        return;
    }
    c->file_packets = c->file_bytes = 0;
    if (files_each(c->api->control, file_add, c) < 0) {
        c->file_packets = packets;
        c->file_bytes = bytes;
    }
    int64_t after = input_now();
    c->files_due_ms = after + FILES_SHARE * (after - now);
}

static void look(struct counters *c, int64_t now, double values[COUNTERS]) {
    const struct api *api = c->api;
    struct machine m;
    uint64_t counts[SERVER_COUNTS];
    /* Read before the captures: between the two a capture may become finished, never the other way round. */
    uint64_t packets = __atomic_load_n(&c->reading_packets, __ATOMIC_RELAXED);
    uint64_t bytes = __atomic_load_n(&c->reading_bytes, __ATOMIC_RELAXED);
    look_at_files(c, now);
    values[COUNTER_PACKETS] = (double)(c->file_packets + packets);
    values[COUNTER_BYTES] = (double)(c->file_bytes + bytes);
    struct snapshot *s = store_snapshot(api->store);
    values[COUNTER_SESSIONS] = (double)snapshot_rows(s);
    values[COUNTER_PARTS] = (double)snapshot_parts(s);
    (void)snapshot_unref(s);
    (void)pthread_mutex_lock(&c->lock);
    if (c->server) {
        server_counts(c->server, counts);
        values[COUNTER_REQUESTS] = (double)counts[SERVER_REQUESTS];
        values[COUNTER_SENT] = (double)counts[SERVER_BYTES];
        values[COUNTER_REFUSED] = (double)counts[SERVER_REFUSED];
    }
    (void)pthread_mutex_unlock(&c->lock);
    machine_read(api->folder, &m);
    values[COUNTER_MEMORY] = (double)m.memory;
    values[COUNTER_MEMORY_PART] = m.memory_part;
    values[COUNTER_FREE] = (double)(m.free_bytes >> 20);
    values[COUNTER_FREE_PART] = m.free_part;
    values[COUNTER_USED] = (double)(m.used_bytes >> 20);
    int64_t used = cpu_ms();
    if (c->cpu_at_ms && now > c->cpu_at_ms) {
        values[COUNTER_CPU] = 10000.0 * (double)(used - c->cpu_ms) / (double)(now - c->cpu_at_ms);
    }
    c->cpu_ms = used;
    c->cpu_at_ms = now;
}

static void *counters_run(void *ctx) {
    struct counters *c = ctx;
    double values[COUNTERS] = {0};
    (void)pthread_mutex_lock(&c->lock);
    while (!c->ending) {
        (void)pthread_mutex_unlock(&c->lock);
        int64_t now = input_now();
        look(c, now, values);
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += counter_intervals[0];
        (void)pthread_mutex_lock(&c->lock);
        history_sample(&c->history, now, values);
        while (!c->ending && pthread_cond_timedwait(&c->wake, &c->lock, &until) == 0) {
        }
    }
    (void)pthread_mutex_unlock(&c->lock);
    return NULL;
}

int counters_new(struct api *api, struct counters **ret_counters, struct err *ret_err) {
    struct counters *c = calloc(1, sizeof(*c));
    if (!c) {
        return err_set(ret_err, -ENOMEM, "no memory for statistics");
    }
    c->api = api;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&c->lock, NULL);
    int code = pthread_create(&c->thread, NULL, counters_run, c);
    if (code) {
        (void)pthread_cond_destroy(&c->wake);
        (void)pthread_mutex_destroy(&c->lock);
        free(c);
        return err_set(ret_err, -code, "no thread for statistics");
    }
    *ret_counters = c;
    return 0;
}

struct counters *counters_free(struct counters *c) {
    if (c) {
        (void)pthread_mutex_lock(&c->lock);
        c->ending = true;
        (void)pthread_cond_signal(&c->wake);
        (void)pthread_mutex_unlock(&c->lock);
        (void)pthread_join(c->thread, NULL);
        (void)pthread_cond_destroy(&c->wake);
        (void)pthread_mutex_destroy(&c->lock);
        free(c);
    }
    return NULL;
}

void counters_reading(struct counters *c, uint64_t bytes, uint64_t packets) {
    if (c) {
        __atomic_store_n(&c->reading_bytes, bytes, __ATOMIC_RELAXED);
        __atomic_store_n(&c->reading_packets, packets, __ATOMIC_RELAXED);
    }
}

void counters_serve(struct counters *c, const struct server *server) {
    if (c) {
        (void)pthread_mutex_lock(&c->lock);
        c->server = server;
        (void)pthread_mutex_unlock(&c->lock);
    }
}

bool counters_newest(struct counters *c, struct counter_slot *ret) {
    bool found = false;
    if (c) {
        (void)pthread_mutex_lock(&c->lock);
        const struct counter_slot *s = history_newest(&c->history);
        found = s != NULL;
        if (found) {
            *ret = *s;
        }
        (void)pthread_mutex_unlock(&c->lock);
    }
    return found;
}

void counters_series(struct counters *c, const struct counter_request *q, double *ret) {
    (void)pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < q->count; i++) {
        int64_t from = (q->start + (int64_t)i * q->step) * 1000;
        if (!history_value(&c->history, q->series, q->interval, from, from + q->step * 1000, &ret[i])) {
            ret[i] = NAN;
        }
    }
    (void)pthread_mutex_unlock(&c->lock);
}
