/* span.h: a borrowed run of bytes.
 *
 * Owner: whoever owns the bytes; a span never frees. Thread: any. Cost: two words. Failure: none.
 * Text is carried in spans as well: nothing inside the program needs a terminating NUL.
 */
#ifndef SEINE_BASE_SPAN_H
#define SEINE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *at;
    size_t len;
};

#define SPAN_LITERAL(text) ((struct span){(const uint8_t *)(text), sizeof(text) - 1})

static inline struct span span_make(const void *at, size_t len) {
    return (struct span){at, len};
}

static inline struct span span_text(const char *text) {
    return (struct span){(const uint8_t *)text, text ? strlen(text) : 0};
}

/* The part of `s` from `from` on, at most `len` bytes; clipped to `s`. */
static inline struct span span_sub(struct span s, size_t from, size_t len) {
    if (from >= s.len) {
        return (struct span){s.at ? s.at + s.len : NULL, 0};
    }
    size_t rest = s.len - from;
    return (struct span){s.at + from, len < rest ? len : rest};
}

static inline struct span span_from(struct span s, size_t from) {
    return span_sub(s, from, SIZE_MAX);
}

static inline bool span_equal(struct span a, struct span b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool span_is(struct span s, const char *text) {
    return span_equal(s, span_text(text));
}

static inline bool span_starts(struct span s, struct span head) {
    return s.len >= head.len && (head.len == 0 || memcmp(s.at, head.at, head.len) == 0);
}

static inline bool span_ends(struct span s, struct span tail) {
    return s.len >= tail.len && (tail.len == 0 || memcmp(s.at + s.len - tail.len, tail.at, tail.len) == 0);
}

/* The byte at `i`, or -1 behind the end. */
static inline int span_byte(struct span s, size_t i) {
    return i < s.len ? s.at[i] : -1;
}

/* Copies the bytes of `s` to `to`, which has room for them; returns where they end. */
static inline uint8_t *span_copy_to(struct span s, uint8_t *to) {
    if (s.len) {
        memcpy(to, s.at, s.len);
    }
    return to + s.len;
}

#define SPAN_NONE SIZE_MAX

/* Index of the first `byte` at or after `from`, or SPAN_NONE. */
static inline size_t span_find_byte(struct span s, size_t from, uint8_t byte) {
    if (from >= s.len) {
        return SPAN_NONE;
    }
    const uint8_t *hit = memchr(s.at + from, byte, s.len - from);
    return hit ? (size_t)(hit - s.at) : SPAN_NONE;
}

/* A copy of its own that ends with a NUL, to be freed; NULL without memory. */
char *span_dup(struct span s);

/* Index of the first occurrence of `needle`, or SPAN_NONE. An empty needle is found at 0. */
size_t span_find(struct span s, struct span needle);

/* Letters of ASCII compared without case. */
bool span_equal_fold(struct span a, struct span b);
bool span_starts_fold(struct span s, struct span head);
size_t span_find_fold(struct span s, struct span needle);

/* `s` without blanks (space, tab, CR, LF) at both ends. */
struct span span_trim(struct span s);

/* Cuts the next line off `*rest` (without its CR LF or LF). False when no line end is left; `*rest` is then untouched.
 */
bool span_line(struct span *rest, struct span *ret_line);

/* Reads all of `s` as a decimal number. False when it is empty, not a number, or above `max`. */
bool span_decimal(struct span s, uint64_t max, uint64_t *ret_value);

#endif
