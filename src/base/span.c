/* span.c: searching and comparing runs of bytes. */
#include "base/span.h"

#include <ctype.h>

static uint8_t fold(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

size_t span_find(struct span s, struct span needle) {
    if (needle.len == 0) {
        return 0;
    }
    if (s.len < needle.len) {
        return SPAN_NONE;
    }
    const uint8_t *hit = memmem(s.at, s.len, needle.at, needle.len);
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
