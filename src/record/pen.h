/* pen.h: JSON written without a check per byte: room is asked for once, then written by pointer.
 *
 * Owner: one document being written. Thread: one. Cost: a few instructions a key or number, one step per 8 bytes of
 * plain text. Failure: pen_need answers false at the buffer's ceiling; what follows is not written and the buffer says
 * so.
 */
#ifndef SEINE_RECORD_PEN_H
#define SEINE_RECORD_PEN_H

#include <stdio.h>

#include "base/json.h"
#include "base/util.h"
#include "field/registry.h"

#define PEN_KEY_ROOM 48   /* beside a key: comma, colon, brackets, a number, and what a copy in blocks writes too far */
#define PEN_TEXT_GROWTH 6 /* \u00xx for each byte at worst */

struct pen {
    uint8_t *at, *end;
    struct buf *out;
    bool comma;
};

static inline void pen_open(struct pen *p, struct buf *out) {
    *p = (struct pen){.out = out};
    if (out->data) { /* no arithmetic on a null pointer, even by 0 */
        p->at = out->data + out->len;
        p->end = out->data + out->cap;
    }
}

static inline void pen_close(struct pen *p) {
    if (p->out->data) {
        p->out->len = (size_t)(p->at - p->out->data);
    }
}

static inline bool pen_need(struct pen *p, size_t n) {
    if (LIKELY((size_t)(p->end - p->at) >= n + 16)) {
        return true;
    }
    pen_close(p);
    bool comma = p->comma, ok = buf_reserve(p->out, n + 16) != NULL;
    pen_open(p, p->out);
    p->comma = comma;
    return ok;
}

static inline void pen_comma(struct pen *p) {
    *p->at = ',';
    p->at += p->comma;
    p->comma = true;
}

/* `key` is quoted and ends in a colon, and FIELD_KEY_READABLE bytes of it may be read. */
static inline void pen_key(struct pen *p, struct span key) {
    pen_comma(p);
    if (LIKELY(key.len <= FIELD_KEY_READABLE)) {
        memcpy(p->at, key.at, FIELD_KEY_READABLE); /* a fixed size: no call */
    } else {
        memcpy(p->at, key.at, key.len);
    }
    p->at += key.len;
    p->comma = false;
}

static inline void pen_bracket(struct pen *p, char bracket) {
    *p->at++ = (uint8_t)bracket;
    p->comma = false;
}

static inline void pen_end(struct pen *p, char bracket) {
    *p->at++ = (uint8_t)bracket;
    p->comma = true;
}

static inline void pen_literal(struct pen *p, struct span text) {
    memcpy(p->at, text.at, text.len);
    p->at += text.len;
}

static inline unsigned pen_digits(uint64_t value) {
    static const uint64_t powers[20] = {0,
                                        10,
                                        100,
                                        1000,
                                        10000,
                                        100000,
                                        1000000,
                                        10000000,
                                        100000000,
                                        1000000000,
                                        10000000000u,
                                        100000000000u,
                                        1000000000000u,
                                        10000000000000u,
                                        100000000000000u,
                                        1000000000000000u,
                                        10000000000000000u,
                                        100000000000000000u,
                                        1000000000000000000u,
                                        10000000000000000000u};
    unsigned guess = (64 - (unsigned)__builtin_clzll(value | 1)) * 1233 >> 12; /* log10 of the power of two */
    return guess + (value >= powers[guess]);
}

static inline void pen_u64(struct pen *p, uint64_t value) {
    static const char pairs[201] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                                   "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                                   "8081828384858687888990919293949596979899";
    unsigned n = pen_digits(value | !value);
    uint8_t *to = p->at + n;
    p->at = to;
    p->comma = true;
    while (value >= 100) {
        to -= 2;
        memcpy(to, pairs + 2 * (value % 100), 2);
        value /= 100;
    }
    if (value >= 10) {
        memcpy(to - 2, pairs + 2 * value, 2);
    } else {
        to[-1] = (uint8_t)('0' + value);
    }
}

void pen_double(struct pen *p, double value);
/* Quoted and escaped; the caller asked for PEN_TEXT_GROWTH times its length. */
void pen_text(struct pen *p, struct span text);

#endif
