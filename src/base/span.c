/* span.c: searching and comparing runs of bytes. */
#include "base/span.h"

#include <ctype.h>
#include <stdlib.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static uint8_t fold(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

#if defined(__x86_64__)
#define LANES 32u

static inline __attribute__((target("avx2"))) __m256i load_lanes(const uint8_t *at) {
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

/* Places where both the first and the last byte fit are found 32 at a time and then compared (Mula, "SIMD-friendly
 * algorithms for substring searching"). Answers where to go on
 * without them: too near the end, or at the hit. */
static __attribute__((target("avx2"))) size_t find_lanes(struct span s, struct span needle, size_t *ret_hit) {
    size_t last = needle.len - 1, at = 0;
    __m256i begins = _mm256_set1_epi8((char)needle.at[0]), ends = _mm256_set1_epi8((char)needle.at[last]);
    for (; at + last + LANES <= s.len; at += LANES) {
        __m256i both = _mm256_and_si256(_mm256_cmpeq_epi8(load_lanes(s.at + at), begins),
                                        _mm256_cmpeq_epi8(load_lanes(s.at + at + last), ends));
        for (uint32_t places = (uint32_t)_mm256_movemask_epi8(both); places; places &= places - 1) {
            size_t place = at + (size_t)__builtin_ctz(places);
            if (memcmp(s.at + place, needle.at, needle.len) == 0) {
                *ret_hit = place;
                return place;
            }
        }
    }
    return at;
}
#endif

size_t span_find(struct span s, struct span needle) {
    size_t from = 0, found = SPAN_NONE;
    if (needle.len == 0) {
        return 0;
    }
    if (s.len < needle.len) {
        return SPAN_NONE;
    }
#if defined(__x86_64__)
    if (s.len >= needle.len + LANES && __builtin_cpu_supports("avx2")) {
        from = find_lanes(s, needle, &found);
    }
#endif
    const uint8_t *hit = found == SPAN_NONE ? memmem(s.at + from, s.len - from, needle.at, needle.len) : s.at + found;
    return hit ? (size_t)(hit - s.at) : SPAN_NONE;
}

bool span_equal_fold(struct span a, struct span b) {
    return a.len == b.len && span_starts_fold(a, b);
}

bool span_starts_fold(struct span s, struct span head) {
    if (s.len < head.len) {
        return false;
    }
    for (size_t i = 0; i < head.len; i++) {
        if (fold(s.at[i]) != fold(head.at[i])) {
            return false;
        }
    }
    return true;
}

size_t span_find_fold(struct span s, struct span needle) {
    if (needle.len == 0) {
        return 0;
    }
    for (size_t i = 0; i + needle.len <= s.len; i++) {
        if (fold(s.at[i]) == fold(needle.at[0]) && span_starts_fold(span_from(s, i), needle)) {
            return i;
        }
    }
    return SPAN_NONE;
}

static bool is_blank(uint8_t c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span span_trim(struct span s) {
    while (s.len && is_blank(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len && is_blank(s.at[s.len - 1])) {
        s.len--;
    }
    return s;
}

bool span_line(struct span *rest, struct span *ret_line) {
    size_t end = span_find_byte(*rest, 0, '\n');
    if (end == SPAN_NONE) {
        return false;
    }
    size_t len = end && rest->at[end - 1] == '\r' ? end - 1 : end;
    *ret_line = span_sub(*rest, 0, len);
    *rest = span_from(*rest, end + 1);
    return true;
}

bool span_decimal(struct span s, uint64_t max, uint64_t *ret_value) {
    uint64_t value = 0;
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)s.at[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value) ||
            value > max) {
            return false;
        }
    }
    *ret_value = value;
    return true;
}

char *span_dup(struct span s) {
    char *copy = malloc(s.len + 1);
    if (copy) {
        *span_copy_to(s, (uint8_t *)copy) = 0;
    }
    return copy;
}
