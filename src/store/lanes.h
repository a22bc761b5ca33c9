/* lanes.h: work on many numbers at once: unpacking them, asking which are in a range or a set, spreading the answers
 * over the rows they belong to.
 *
 * Programs are built for any x86-64; `lanes` picks what the processor can do. Both ways give the same numbers, and
 * tests compare them.
 *
 * Owner: caller. Thread: any. Cost: 0.1 to 0.3 ns a number, 1 ns without AVX2. Failure: none.
 */
#ifndef SEINE_STORE_LANES_H
#define SEINE_STORE_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of `bits` bits each, the lowest bit first, without gaps. All of `at` .. `end` may be read. */
struct packed {
    const uint8_t *at, *end;
    unsigned bits;
    uint64_t add; /* to every number */
};

/* Bitmaps have a bit for each number, those behind the last one are 0. */
struct lanes {
    const char *name;
    void (*unpack32)(const struct packed *p, size_t n, uint32_t *ret); /* 32 bits at most; modulo 2^32 */
    void (*unpack64)(const struct packed *p, size_t n, uint64_t *ret); /* modulo 2^64 */
    uint32_t (*highest)(const uint32_t *v, size_t n);
    /* Numbers from `low` to `low + width`. */
    void (*in_range)(const uint32_t *v, size_t n, uint32_t low, uint32_t width, uint64_t *ret);
    /* Numbers whose bit is 1 in `set`; it has a bit for each. */
    void (*in_set)(const uint32_t *v, size_t n, const uint64_t *set, uint64_t *ret);
    /* The i-th bit of `bits` to where the i-th 1 of `places` is. One word more of `bits` is read than there are 1s. */
    void (*spread)(const uint64_t *places, size_t words, const uint64_t *bits, uint64_t *ret);
    /* Which 1s of `places`, counted and taken in groups of 1,024, lie in a word where `want` has one: a bit a group. */
    uint64_t (*groups)(const uint64_t *places, const uint64_t *want, size_t words);
};

extern const struct lanes lanes_portable;
#if defined(__x86_64__)
extern const struct lanes lanes_avx2;
#endif

/* The quickest that works on this processor. */
const struct lanes *lanes(void);

#endif
