/* fuzz_capture.h: what the targets for capture files have in common. */
#ifndef SEINE_TESTS_FUZZ_CAPTURE_H
#define SEINE_TESTS_FUZZ_CAPTURE_H

#include <stdlib.h>
#include <string.h>

#include "source/source_impl.h"

/* A stream that gives a few bytes at a time, as a slow pipe does. */
struct dribble {
    struct stream base;
    const uint8_t *data;
    size_t size, at, step;
};

static inline ssize_t dribble_read(struct stream *s, uint8_t *to, size_t n) {
    struct dribble *d = (struct dribble *)s;
    size_t now = MIN(MIN(n, d->step), d->size - d->at);
    memcpy(to, d->data + d->at, now);
    d->at += now;
    return (ssize_t)now;
}

static inline void dribble_close(struct stream *s) {
    free((struct dribble *)s);
}

struct reading {
    uint64_t packets, sum;
    struct source_stats stats;
};

static inline uint64_t mix(uint64_t sum, uint64_t v) {
    return (sum ^ v) * 0x9e3779b97f4a7c15 + (sum >> 29);
}

static inline void fuzz_note(void *ctx, const char *file, uint64_t offset, const char *what) {
    uint64_t *sum = ctx;
    *sum = mix(*sum, offset + strlen(what) + strlen(file));
}

static inline struct reading fuzz_read(struct source *s, struct batch *b) {
    struct reading r = {0};
    uint64_t before = 0;
    uint32_t file = 0;
    do {
        if (source_next(s, b) < 0) {
            abort();
        }
        for (uint32_t i = 0; i < b->count; i++) {
            const struct packet *p = &b->packets[i];
            if (p->captured > p->wire || p->time < 0 || (p->file == file && p->position <= before)) {
                abort();
            }
            before = p->position;
            file = p->file;
            r.sum = mix(r.sum, p->position ^ (uint64_t)p->time ^ p->interface ^ (uint64_t)p->link << 32 ^ p->wire);
            for (uint32_t k = 0; k < p->captured; k++) {
                r.sum = mix(r.sum, p->data[k]);
            }
            r.packets++;
        }
        if (!b->count && !b->last) {
            abort();
        }
    } while (!b->last);
    b->block = block_unref(b->block);
    source_read_stats(s, &r.stats);
    source_free(s);
    return r;
}

static inline void fuzz_capture(const uint8_t *data, size_t size) {
    uint64_t said = 0;
    struct source_options options = {.note = fuzz_note, .note_ctx = &said};
    struct source *s;
    struct batch *b = calloc(1, sizeof(*b));
    if (source_open_bytes(data, size, &options, &s, NULL) < 0) {
        abort();
    }
    struct reading whole = fuzz_read(s, b);
    struct dribble *d = calloc(1, sizeof(*d));
    *d =
        (struct dribble){.base = {.read = dribble_read, .close = dribble_close}, .data = data, .size = size, .step = 7};
    if (source_open_stream(&d->base, &options, &s, NULL) < 0) {
        abort();
    }
    struct reading pieces = fuzz_read(s, b);
    free(b);
    if (whole.packets != pieces.packets || whole.sum != pieces.sum || whole.stats.damaged != pieces.stats.damaged ||
        whole.stats.truncated != pieces.stats.truncated || whole.stats.unreadable != pieces.stats.unreadable) {
        abort();
    }
}

#endif
