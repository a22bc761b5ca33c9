/* buf.h: a growable byte buffer that cannot be made without its ceiling.
 *
 * Owner: caller. Thread: one. Cost: amortised copy. Failure: an append that would pass the ceiling (or finds no memory)
 * changes nothing and sets `overflowed`; later appends are dropped as well, so that one check at the end suffices.
 */
#ifndef SEINE_BASE_BUF_H
#define SEINE_BASE_BUF_H

#include "base/span.h"

struct buf {
    uint8_t *data;
    size_t len, cap, ceiling;
    bool overflowed;
};

void buf_init(struct buf *b, size_t ceiling);
void buf_done(struct buf *b);
static inline void buf_clear(struct buf *b) {
    b->len = 0;
    b->overflowed = false;
}

/* Room for `n` more bytes at data + len, or NULL. The caller adds what it wrote to len. */
uint8_t *buf_reserve_slow(struct buf *b, size_t n);
static inline uint8_t *buf_reserve(struct buf *b, size_t n) {
    if (b->cap - b->len >= n && b->data && !b->overflowed) {
        return b->data + b->len;
    }
    return buf_reserve_slow(b, n);
}

static inline void buf_add(struct buf *b, const void *at, size_t n) {
    uint8_t *to = buf_reserve(b, n);
    if (to && n) {
        memcpy(to, at, n);
        b->len += n;
    }
}
static inline void buf_add_span(struct buf *b, struct span s) {
    buf_add(b, s.at, s.len);
}
static inline void buf_add_byte(struct buf *b, uint8_t byte) {
    buf_add(b, &byte, 1);
}
void buf_add_text(struct buf *b, const char *text);
void buf_add_u64(struct buf *b, uint64_t value);
/* Needs room for one byte more than it adds. */
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline struct span buf_span(const struct buf *b) {
    return span_make(b->data, b->len);
}

#endif
