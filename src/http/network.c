/* network.c: see network.h. X-Forwarded-For grows at its end: only what believed proxies wrote there is looked at, from
 * the right; the rest is whatever the client liked to send.
 */
#include "http/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>

#include "base/span.h"
#include "base/util.h"

bool network_holds(const char *network, const char *address) {
    char text[ADDRESS_TEXT];
    uint8_t base[16] = {0}, bytes[16] = {0};
    const char *slash = strchr(network, '/');
    size_t len = slash ? (size_t)(slash - network) : strlen(network);
    if (len >= sizeof(text)) {
        return false;
    }
    *span_copy_to(span_make(network, len), (uint8_t *)text) = 0;
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    uint64_t bits = family == AF_INET6 ? 128 : 32;
    if (inet_pton(family, text, base) != 1 || inet_pton(family, address, bytes) != 1 ||
        (slash && !span_decimal(span_text(slash + 1), bits, &bits))) {
        return false;
    }
    for (size_t i = 0; i < bits; i++) {
        if ((base[i / 8] ^ bytes[i / 8]) & 0x80 >> i % 8) {
            return false;
        }
    }
    return true;
}

static bool is_network(const char *text) {
    char address[ADDRESS_TEXT];
    size_t len = strcspn(text, "/");
    *span_copy_to(span_make(text, MIN(len, sizeof(address) - 1)), (uint8_t *)address) = 0;
    return network_holds(text, address);
}

static int network_add(struct trusted *t, struct span text) {
    if (t->count == TRUSTED_MAX || text.len >= ADDRESS_TEXT) {
        return -EINVAL;
    }
    char *to = t->networks[t->count];
    *span_copy_to(text, (uint8_t *)to) = 0;
    t->count++;
    return is_network(to) ? 0 : -EINVAL;
}

int trusted_parse(const char *text, struct trusted *ret) {
    struct span rest = span_trim(span_text(text ? text : ""));
    uint64_t hops = 0;
    *ret = (struct trusted){0};
    if (rest.len == 0 || span_equal_fold(rest, SPAN_LITERAL("false"))) {
        return 0;
    }
    if (span_equal_fold(rest, SPAN_LITERAL("true")) || span_decimal(rest, TRUSTED_MAX, &hops)) {
        ret->hops = span_equal_fold(rest, SPAN_LITERAL("true")) ? 1 : (unsigned)hops;
        return 0;
    }
    int code = 0;
    while (rest.len && code == 0) {
        size_t comma = span_find_byte(rest, 0, ',');
        struct span one = span_trim(comma == SPAN_NONE ? rest : span_sub(rest, 0, comma));
        rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
        if (span_equal_fold(one, SPAN_LITERAL("loopback"))) {
            code = network_add(ret, SPAN_LITERAL("127.0.0.0/8"));
            one = SPAN_LITERAL("::1");
        }
        code = code < 0 ? code : network_add(ret, one);
    }
    return code;
}

static bool is_trusted(const struct trusted *t, const char *address, unsigned hop) {
    for (size_t i = 0; i < t->count; i++) {
        if (network_holds(t->networks[i], address)) {
            return true;
        }
    }
    return hop < t->hops;
}

/* An address as proxies write it: bare, in brackets, with a port behind it. IPv4 inside IPv6 becomes IPv4. */
static bool address_read(struct span text, char ret[ADDRESS_TEXT]) {
    struct in6_addr v6;
    struct in_addr v4;
    text = span_trim(text);
    if (span_byte(text, 0) == '[') {
        size_t end = span_find_byte(text, 0, ']');
        text = end == SPAN_NONE ? (struct span){NULL, 0} : span_sub(text, 1, end - 1);
    } else {
        size_t colon = span_find_byte(text, 0, ':');
        bool port = colon != SPAN_NONE && span_find_byte(text, colon + 1, ':') == SPAN_NONE;
        text = port ? span_sub(text, 0, colon) : text;
    }
    if (text.len == 0 || text.len >= ADDRESS_TEXT) {
        return false;
    }
    *span_copy_to(text, (uint8_t *)ret) = 0;
    if (inet_pton(AF_INET6, ret, &v6) == 1) {
        bool mapped = IN6_IS_ADDR_V4MAPPED(&v6);
        return inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? (const void *)(v6.s6_addr + 12) : &v6, ret,
                         ADDRESS_TEXT) != NULL;
    }
    return inet_pton(AF_INET, ret, &v4) == 1;
}

void trusted_client(const struct trusted *t, const char *peer, const char *const *forwarded, size_t count,
                    char ret[ADDRESS_TEXT]) {
    unsigned hop = 0;
    *span_copy_to(span_make(peer, MIN(strlen(peer), (size_t)ADDRESS_TEXT - 1)), (uint8_t *)ret) = 0;
    while (count-- > 0) {
        struct span rest = span_text(forwarded[count]);
        while (rest.len) {
            char before[ADDRESS_TEXT];
            size_t at = rest.len;
            while (at > 0 && rest.at[at - 1] != ',') {
                at--;
            }
            if (!is_trusted(t, ret, hop) || !address_read(span_from(rest, at), before)) {
                return;
            }
            memcpy(ret, before, ADDRESS_TEXT);
            hop++;
            rest = span_sub(rest, 0, at ? at - 1 : 0);
        }
    }
}
