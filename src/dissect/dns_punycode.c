/* dns_punycode.c: the Punycode decoder of RFC 3492, bounded to the length of a DNS label (RFC 1035 2.3.4).
 *
 * Code points are collected in a fixed array, because each delta inserts one anywhere before those already found; what
 * is no Unicode scalar value, or needs more than 32 bits on the way, is refused.
 */
#include "dissect/dns_punycode.h"

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_CODE = 0x80 };
#define CODE_MAX 0x10ffffu

struct points {
    uint32_t code[PUNYCODE_LABEL_MAX];
    size_t count;
};

/* Value of a digit, or BASE for anything else. */
static uint32_t digit_value(int byte) {
    if (byte >= '0' && byte <= '9') {
        return (uint32_t)(byte - '0') + 26;
    }
    int lower = byte | 0x20;
    return lower >= 'a' && lower <= 'z' ? (uint32_t)(lower - 'a') : BASE;
}

static uint32_t adapt(uint32_t delta, uint32_t points, bool first) {
    delta = first ? delta / DAMP : delta / 2;
    delta += delta / points;
    uint32_t k = 0;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE) {
        delta /= BASE - T_MIN;
    }
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* One generalised variable-length integer from `*at` on. False at a wrong digit, the end, or above 32 bits. */
static bool delta_read(struct span text, size_t *at, uint32_t bias, uint32_t *ret_delta) {
    uint32_t delta = 0, weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        uint32_t digit = digit_value(span_byte(text, (*at)++)), step;
        if (digit >= BASE || __builtin_mul_overflow(digit, weight, &step) ||
            __builtin_add_overflow(delta, step, &delta)) {
            return false;
        }
        uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        if (digit < t) {
            *ret_delta = delta;
            return true;
        }
        if (__builtin_mul_overflow(weight, BASE - t, &weight)) {
            return false;
        }
    }
}

static bool point_insert(struct points *p, size_t at, uint32_t code) {
    if (p->count == PUNYCODE_LABEL_MAX || code > CODE_MAX || (code >= 0xd800 && code < 0xe000)) {
        return false;
    }
    for (size_t i = p->count++; i > at; i--) {
        p->code[i] = p->code[i - 1];
    }
    p->code[at] = code;
    return true;
}

static size_t utf8_put(uint32_t code, char *to) {
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, code >>= 6) {
        to[i] = (char)(0x80 | (code & 0x3f));
    }
    to[0] = (char)(0xf00u >> len | code);
    return len;
}

bool punycode_decode(struct span label, char *ret_text, size_t *ret_len) {
    if (label.len == 0 || label.len > PUNYCODE_LABEL_MAX) {
        return false;
    }
    struct points p = {.count = 0};
    size_t at = 0;
    for (size_t i = label.len; i-- > 1;) { /* what stands before the last hyphen is plain ASCII */
        if (span_byte(label, i) == '-') {
            for (; at < i; at++) {
                int byte = span_byte(label, at);
                if (byte >= FIRST_CODE || !point_insert(&p, at, (uint32_t)byte)) {
                    return false;
                }
            }
            at++;
            break;
        }
    }
    uint32_t code = FIRST_CODE, position = 0, bias = FIRST_BIAS;
    for (bool first = true; at < label.len; first = false) {
        uint32_t delta;
        if (!delta_read(label, &at, bias, &delta) || __builtin_add_overflow(position, delta, &position)) {
            return false;
        }
        uint32_t slots = (uint32_t)p.count + 1;
        bias = adapt(delta, slots, first);
        if (__builtin_add_overflow(code, position / slots, &code) || !point_insert(&p, position % slots, code)) {
            return false;
        }
        position = position % slots + 1;
    }
    size_t len = 0;
    for (size_t i = 0; i < p.count; i++) {
        len += utf8_put(p.code[i], ret_text + len);
    }
    *ret_len = len;
    return true;
}
