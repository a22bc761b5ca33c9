/* check.h: what the unit tests of the lower folders share: cmocka with its headers, and a generator of numbers whose
 * state the test owns, so that a failing round can be run again by its seed.
 */
#ifndef SEINE_TESTS_CHECK_H
#define SEINE_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/span.h"
#include "base/util.h"

#if defined(__SANITIZE_ADDRESS__)
#define CHECK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHECK_ASAN 1
#endif
#endif
#ifndef CHECK_ASAN
#define CHECK_ASAN 0
#endif

/* SplitMix64 (Steele, Lea, Flood 2014). */
struct dice {
    uint64_t state;
};

static inline uint64_t dice_u64(struct dice *d) {
    uint64_t z = d->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 to n - 1. */
static inline size_t dice_below(struct dice *d, size_t n) {
    return (size_t)(dice_u64(d) % n);
}

/* True once in `n`. */
static inline bool dice_one_in(struct dice *d, size_t n) {
    return dice_below(d, n) == 0;
}

static inline void dice_fill(struct dice *d, uint8_t *to, size_t n) {
    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t)dice_u64(d);
    }
}

#define assert_span(s, text)                                                                                \
    do {                                                                                                    \
        struct span got_ = (s), want_ = span_text(text);                                                    \
        if (got_.len != want_.len || (want_.len && memcmp(got_.at, want_.at, want_.len) != 0)) {            \
            fail_msg("got \"%.*s\", expected \"%s\"", (int)got_.len, got_.len ? (const char *)got_.at : "", \
                     (const char *)want_.at);                                                               \
        }                                                                                                   \
    } while (0)

#endif
