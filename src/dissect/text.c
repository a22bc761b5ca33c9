/* text.c: base64 (RFC 4648), percent escapes (RFC 3986) and addresses in text. */
#include "dissect/text.h"

#include <arpa/inet.h>

/* Value of a base64 digit, 64 for a blank, -1 otherwise. */
static int base64_digit(int c) {
    switch (c) {
    case 'A' ... 'Z':
        return c - 'A';
    case 'a' ... 'z':
        return c - 'a' + 26;
    case '0' ... '9':
        return c - '0' + 52;
    case '+':
    case '-':
        return 62;
    case '/':
    case '_':
        return 63;
    case ' ':
    case '\t':
    case '\r':
    case '\n':
        return 64;
    default:
        return -1;
    }
}

bool text_base64(struct arena *scratch, struct span text, struct span *ret) {
    uint8_t *to = arena_alloc(scratch, text.len / 4 * 3 + 3);
    if (!to) {
        return false;
    }
    size_t len = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = base64_digit(span_byte(text, i));
        if (digit < 0) {
            break;
        }
        if (digit == 64) {
            continue;
        }
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            to[len++] = (uint8_t)(bits >> held);
        }
    }
    *ret = span_make(to, len);
    return len > 0;
}

static int hex_digit(int c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool text_percent(struct arena *scratch, struct span text, struct span *ret) {
    if (span_find_byte(text, 0, '%') == SPAN_NONE) {
        *ret = text;
        return true;
    }
    uint8_t *to = arena_alloc(scratch, text.len);
    if (!to) {
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int c = span_byte(text, i);
        if (c == '%') {
            int high = hex_digit(span_byte(text, i + 1)), low = hex_digit(span_byte(text, i + 2));
            if (high < 0 || low < 0 || high + low == 0) {
                return false;
            }
            c = high << 4 | low;
            i += 2;
        }
        to[len++] = (uint8_t)c;
    }
    *ret = span_make(to, len);
    return true;
}

bool text_ip(struct span text, uint8_t ret_ip[16]) {
    char address[INET6_ADDRSTRLEN + 1];
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff};
    bool bracketed = span_byte(text, 0) == '[';
    struct span bare = bracketed ? span_from(text, 1) : text;
    size_t end = span_find_byte(bare, 0, bracketed ? ']' : '%');
    if (bracketed && end == SPAN_NONE) {
        return false;
    }
    size_t colon = span_find_byte(bare, 0, ':');
    if (!bracketed && colon != SPAN_NONE && span_find_byte(bare, colon + 1, ':') == SPAN_NONE) {
        end = colon; /* 1.2.3.4:80 */
    }
    bare = span_sub(bare, 0, end);
    size_t zone = span_find_byte(bare, 0, '%');
    bare = span_sub(bare, 0, zone);
    if (bare.len == 0 || bare.len >= sizeof(address)) {
        return false;
    }
    size_t len = text_copy((uint8_t *)address, sizeof(address) - 1, bare);
    address[len] = '\0';
    if (inet_pton(AF_INET, address, ip + 12) != 1 && inet_pton(AF_INET6, address, ip) != 1) {
        return false;
    }
    for (unsigned i = 0; i < 16; i++) {
        ret_ip[i] = ip[i];
    }
    return true;
}
