/* cursor.h: a reader over a span with a sticky error.
 *
 * Owner: caller's stack. Thread: one. Cost: a compare per read. Failure: after the first read beyond the end every
 * value is 0 (or an empty span) and cursor_ok() is false; so a parser may read a whole structure and check once.
 */
#ifndef SEINE_BASE_CURSOR_H
#define SEINE_BASE_CURSOR_H

#include "base/span.h"

struct cursor {
    const uint8_t *at, *end;
    bool failed;
};

static inline struct cursor cursor_over(struct span s) {
    const uint8_t *at = s.at ? s.at : (const uint8_t *)""; /* no arithmetic on a null pointer, even by 0 */
    return (struct cursor){at, at + s.len, false};
}

static inline bool cursor_ok(const struct cursor *c) {
    return !c->failed;
}

static inline size_t cursor_left(const struct cursor *c) {
    return c->failed ? 0 : (size_t)(c->end - c->at);
}

static inline const uint8_t *cursor_take(struct cursor *c, size_t n) {
    if (c->failed || (size_t)(c->end - c->at) < n) {
        c->failed = true;
        return NULL;
    }
    const uint8_t *p = c->at;
    c->at += n;
    return p;
}

static inline uint8_t cursor_u8(struct cursor *c) {
    const uint8_t *p = cursor_take(c, 1);
    return p ? p[0] : 0;
}

static inline uint16_t cursor_u16(struct cursor *c) {
    const uint8_t *p = cursor_take(c, 2);
    return (uint16_t)(p ? p[0] << 8 | p[1] : 0);
}

static inline uint32_t cursor_u24(struct cursor *c) {
    const uint8_t *p = cursor_take(c, 3);
    return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t cursor_u32(struct cursor *c) {
    const uint8_t *p = cursor_take(c, 4);
    return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cursor_u64(struct cursor *c) {
    uint64_t high = cursor_u32(c);
    return high << 32 | cursor_u32(c);
}

static inline uint16_t cursor_u16le(struct cursor *c) {
    const uint8_t *p = cursor_take(c, 2);
    return (uint16_t)(p ? p[1] << 8 | p[0] : 0);
}

static inline uint32_t cursor_u32le(struct cursor *c) {
    const uint8_t *p = cursor_take(c, 4);
    return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t cursor_u64le(struct cursor *c) {
    uint64_t low = cursor_u32le(c);
    return (uint64_t)cursor_u32le(c) << 32 | low;
}

/* The next `n` bytes, borrowed; empty and failed when fewer are left. */
static inline struct span cursor_span(struct cursor *c, size_t n) {
    const uint8_t *p = cursor_take(c, n);
    return p ? (struct span){p, n} : (struct span){0};
}

static inline struct span cursor_rest(struct cursor *c) {
    return cursor_span(c, cursor_left(c));
}

static inline void cursor_skip(struct cursor *c, size_t n) {
    (void)cursor_take(c, n);
}

/* A cursor over the next `n` bytes; the outer one moves behind them. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n) {
    struct span s = cursor_span(c, n);
    struct cursor inner = cursor_over(s);
    inner.failed = c->failed;
    return inner;
}

/* The byte `ahead` of the position, or -1. */
static inline int cursor_peek(const struct cursor *c, size_t ahead) {
    return cursor_left(c) > ahead ? c->at[ahead] : -1;
}

#endif
