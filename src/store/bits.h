/* bits.h: how numbers lie in the store's files: varints, and series of packed numbers.
 *
 * A series is cut into runs of 1,024 numbers, each packed with just enough bits for most of them above their smallest
 * (frame of reference); the few that need more are patched in from a list behind (PFOR: Zukowski, Heman, Nes, Boncz,
 * "Super-scalar RAM-CPU cache compression", 2006). Any number can be read without unpacking the others.
 *
 * Owner: caller. Thread: any. Cost: 0.3 ns a number (lanes.h). Failure: -EBADMSG for bytes that cannot be a series.
 */
#ifndef SEINE_STORE_BITS_H
#define SEINE_STORE_BITS_H

#include "base/buf.h"
#include "base/cursor.h"

#define VARINT_MAX 10
#define SERIES_RUN 1024u
#define SERIES_PAD 8u /* behind a series: whole words are read */

static inline uint8_t *varint_write(uint8_t *to, uint64_t value) {
    while (value >= 0x80) {
        *to++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *to++ = (uint8_t)value;
    return to;
}

static inline void buf_add_varint(struct buf *b, uint64_t value) {
    uint8_t *to = buf_reserve(b, VARINT_MAX);
    if (to) {
        b->len += (size_t)(varint_write(to, value) - to);
    }
}

static inline uint64_t cursor_varint(struct cursor *c) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (c->failed || c->at == c->end) {
            break;
        }
        uint8_t byte = *c->at++;
        value |= (uint64_t)(byte & 0x7f) << (shift & 63);
        if (byte < 0x80) {
            return value;
        }
    }
    c->failed = true;
    return 0;
}

static inline uint64_t zigzag(int64_t n) {
    return (uint64_t)n << 1 ^ (uint64_t)(n >> 63);
}
static inline int64_t unzigzag(uint64_t n) {
    return (int64_t)(n >> 1 ^ (0 - (n & 1)));
}

/* Appends the series of `n` numbers. */
void series_write(const uint64_t *values, size_t n, struct buf *out);
/* Bytes that series_write would add, about; for choosing. */
size_t series_size(const uint64_t *values, size_t n);
/* `n`: as written. */
int series_read(struct span series, size_t n, uint64_t *ret);
int series_read32(struct span series, size_t n, uint32_t *ret); /* fails on numbers above UINT32_MAX */
int series_at(struct span series, size_t n, size_t i, uint64_t *ret);

/* What is asked of numbers where they lie packed. */
struct series_test {
    uint64_t low, high;  /* inclusive; without a set */
    const uint64_t *set; /* or: those whose bit is 1, with bits up to that of `last`; NULL: the range counts */
    uint64_t last;       /* a number above it is damage */
};
/* A bit for each number of a run of SERIES_RUN, 0 behind the last one. The head of a run may answer for all of it. */
int series_test_run(struct span series, size_t n, size_t run, const struct series_test *t, uint64_t *ret);

#endif
