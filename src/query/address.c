/* address.c: what an address field is compared with: RFC 4291 text, IPv4 (also cut short: 10.1 is 10.1.0.0/16), CIDR,
 * a range of two addresses, a port behind it (`:80`, behind IPv6 `.80`), a port alone, or a family.
 */
#include <arpa/inet.h>

#include "base/util.h"
#include "query/item.h"

static const uint8_t v4_head[12] = {[10] = 0xff, [11] = 0xff};

/* The network of the first `bits` bits, in `ip` and up to ret->ip.high. */
static void set_network(struct query_item *ret, const uint8_t ip[16], unsigned bits) {
    memcpy(ret->ip.low, ip, 16);
    memcpy(ret->ip.high, ip, 16);
    for (unsigned i = bits; i < 128; i++) {
        uint8_t bit = (uint8_t)(0x80 >> i % 8);
        ret->ip.low[i / 8] = (uint8_t)(ret->ip.low[i / 8] & ~bit);
        ret->ip.high[i / 8] |= bit;
    }
}

static bool take_port(struct span text, int32_t *ret) {
    uint64_t port;
    if (text.len == 0) {
        return true; /* 10.0.0.2: is written by hand often */
    }
    if (!span_decimal(text, 65535, &port)) {
        return false;
    }
    *ret = (int32_t)port;
    return true;
}

/* Cuts `/bits` off the end. */
static bool take_prefix(struct span *text, unsigned max, unsigned *ret_bits) {
    size_t slash = span_find_byte(*text, 0, '/');
    uint64_t bits;
    if (slash == SPAN_NONE) {
        return true;
    }
    if (!span_decimal(span_from(*text, slash + 1), max, &bits)) {
        return false;
    }
    *ret_bits = (unsigned)bits;
    text->len = slash;
    return true;
}

static const char *parse_v4(struct span text, struct query_item *ret) {
    uint8_t ip[16] = {0};
    unsigned groups = 0, bits = 33;
    size_t colon = span_find_byte(text, 0, ':');
    if (colon != SPAN_NONE) {
        if (!take_port(span_from(text, colon + 1), &ret->ip.port)) {
            return "not a valid port";
        }
        text.len = colon;
    }
    if (!take_prefix(&text, 32, &bits)) {
        return "not a valid ip: a network has /0 to /32";
    }
    memcpy(ip, v4_head, sizeof(v4_head));
    while (text.len) {
        size_t dot = span_find_byte(text, 0, '.');
        uint64_t byte;
        if (groups == 4 || !span_decimal(span_sub(text, 0, dot == SPAN_NONE ? text.len : dot), 255, &byte)) {
            return "not a valid ip";
        }
        ip[12 + groups++] = (uint8_t)byte;
        text = dot == SPAN_NONE ? span_from(text, text.len) : span_from(text, dot + 1);
    }
    if (groups == 0) {
        return "not a valid ip";
    }
    set_network(ret, ip, 96 + (bits <= 32 ? bits : 8 * groups));
    return NULL;
}

static bool read_v6(struct span text, uint8_t ret[16]) {
    char copy[64];
    if (text.len >= sizeof(copy)) {
        return false;
    }
    *span_copy_to(text, (uint8_t *)copy) = 0;
    return inet_pton(AF_INET6, copy, ret) == 1;
}

static const char *parse_v6(struct span text, struct query_item *ret) {
    char full[64];
    uint8_t ip[16];
    unsigned bits = 129, colons = 0;
    size_t dot = span_find_byte(text, 0, '.');
    if (dot != SPAN_NONE && !read_v6(text, ip)) {
        if (!take_port(span_from(text, dot + 1), &ret->ip.port)) {
            return "not a valid port";
        }
        text.len = dot;
    }
    if (!take_prefix(&text, 128, &bits)) {
        return "not a valid ip: a network has /0 to /128";
    }
    if (read_v6(text, ip)) {
        set_network(ret, ip, MIN(bits, 128u));
        return NULL;
    }
    if (span_find(text, SPAN_LITERAL("::")) != SPAN_NONE || text.len > 40) {
        return "not a valid ip";
    }
    for (size_t i = 0; i < text.len; i++) {
        colons += text.at[i] == ':';
    }
    bool open = span_ends(text, SPAN_LITERAL(":"));
    unsigned groups = colons + !open;
    uint8_t *end = span_copy_to(text, (uint8_t *)full);
    memcpy(end, open ? ":" : "::", 3);
    if (groups > 7 || !read_v6(span_text(full), ip)) {
        return "not a valid ip";
    }
    set_network(ret, ip, bits <= 128 ? bits : 16 * groups);
    return NULL;
}

static const char *parse_one(struct span text, struct query_item *ret) {
    size_t first = span_find_byte(text, 0, ':');
    bool v6 = first != SPAN_NONE && span_find_byte(text, first + 1, ':') != SPAN_NONE;
    const char *wrong = v6 ? parse_v6(text, ret) : parse_v4(text, ret);
    if (wrong && !v6 && first != SPAN_NONE && span_find_byte(text, 0, '.') == SPAN_NONE) {
        struct query_item two = {.kind = ITEM_IP, .ip.port = ITEM_NO_PORT}; /* 2001:db8, which is no 2001 with a port */
        if (!parse_v6(text, &two)) {
            *ret = two;
            return NULL;
        }
    }
    return wrong;
}

const char *address_parse(struct span text, struct query_item *ret) {
    static const uint8_t any[16] = {0};
    *ret = (struct query_item){.kind = ITEM_IP, .ip.port = ITEM_NO_PORT};
    if (span_equal_fold(text, SPAN_LITERAL("ipv4")) || span_equal_fold(text, SPAN_LITERAL("ipv6"))) {
        uint8_t v4[16] = {0};
        memcpy(v4, v4_head, sizeof(v4_head));
        set_network(ret, v4, 96);
        ret->ip.outside = text.at[3] == '6';
        return NULL;
    }
    if (text.len > 1 && (text.at[0] == ':' || text.at[0] == '.') && text.at[1] != ':') {
        ret->ip.any = true;
        set_network(ret, any, 0);
        return take_port(span_from(text, 1), &ret->ip.port) ? NULL : "not a valid port";
    }
    size_t dash = span_find_byte(text, 0, '-');
    if (dash == SPAN_NONE) {
        return parse_one(text, ret);
    }
    struct query_item to = {.ip.port = ITEM_NO_PORT};
    const char *wrong = parse_one(span_sub(text, 0, dash), ret);
    wrong = wrong ? wrong : parse_one(span_from(text, dash + 1), &to);
    if (!wrong && (ret->ip.port != ITEM_NO_PORT || memcmp(ret->ip.low, to.ip.high, 16) > 0)) {
        wrong = "not a valid range of addresses";
    }
    memcpy(ret->ip.high, to.ip.high, 16);
    ret->ip.port = to.ip.port;
    return wrong;
}
