/* progress.c: see progress.h. */
#include "cmd/progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/show.h"

#define FIRST_AFTER 0.4 /* s: what is done sooner needs no progress */
#define EVERY 0.2

static double now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void progress_init(struct progress *p, int kind, bool line, uint64_t total) {
    *p = (struct progress){.kind = kind == PROGRESS_AUTO && !line ? PROGRESS_NONE : kind, .total = total};
    p->started = now();
    p->shown_at = kind == PROGRESS_JSON ? p->started - EVERY : p->started + FIRST_AFTER - EVERY;
    (void)pthread_mutex_init(&p->lock, NULL);
}

void progress_done(struct progress *p) {
    progress_clear(p);
    (void)pthread_mutex_destroy(&p->lock);
}

double progress_seconds(const struct progress *p) {
    return now() - p->started;
}

void progress_clear(struct progress *p) {
    (void)pthread_mutex_lock(&p->lock);
    if (p->shown) {
        (void)fputs("\r\033[K", stderr);
        p->shown = false;
    }
    (void)pthread_mutex_unlock(&p->lock);
}

static void show_line(struct progress *p, double seconds, uint64_t bytes, uint64_t packets, uint64_t sessions) {
    struct buf line;
    buf_init(&line, 4096);
    if (p->total && bytes <= p->total) {
        buf_printf(&line, "%3u %%  ", (unsigned)((double)bytes * 100 / (double)p->total));
    }
    show_bytes(bytes, &line);
    buf_add_text(&line, "  ");
    show_bytes((uint64_t)((double)bytes / seconds), &line);
    buf_add_text(&line, "/s  ");
    show_short(packets, &line);
    buf_add_text(&line, " packets  ");
    show_short(sessions, &line);
    buf_add_text(&line, " sessions");
    if (p->total && bytes && bytes < p->total) {
        double left = seconds * (double)(p->total - bytes) / (double)bytes;
        buf_add_text(&line, "  ");
        show_duration((int64_t)(left * 1e9), &line);
        buf_add_text(&line, " left");
    }
    (void)fprintf(stderr, "\r%.*s\033[K", (int)line.len, (const char *)line.data);
    (void)fflush(stderr);
    p->shown = true;
    buf_done(&line);
}

void progress_tick(struct progress *p, uint64_t bytes, uint64_t packets, uint64_t sessions) {
    double at = now();
    if (p->kind == PROGRESS_NONE || at - p->shown_at < EVERY) {
        return;
    }
    (void)pthread_mutex_lock(&p->lock);
    p->shown_at = at;
    if (p->kind == PROGRESS_JSON) {
        (void)fprintf(stderr,
                      "{\"progress\":{\"seconds\":%.3f,\"bytes\":%llu,\"bytesTotal\":%llu,\"packets\":%llu,"
                      "\"sessions\":%llu}}\n",
                      at - p->started, (unsigned long long)bytes, (unsigned long long)p->total,
                      (unsigned long long)packets, (unsigned long long)sessions);
    } else {
        show_line(p, at - p->started, bytes, packets, sessions);
    }
    (void)pthread_mutex_unlock(&p->lock);
}
