/* ipmap.c: one open-addressing table over (network, prefix length). */
#include "enrich/ipmap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"

struct network {
    uint8_t ip[16];
    uint8_t prefix;
    bool used;
    const void *value;
};

struct ipmap {
    struct network *slots;
    size_t mask, count;
    uint32_t of_prefix[129]; /* networks of each length */
};

struct ipmap *ipmap_new(void) {
    struct ipmap *m = calloc(1, sizeof(*m));
    if (m) {
        m->mask = 63;
        m->slots = calloc(m->mask + 1, sizeof(*m->slots));
        if (!m->slots) {
            free(m);
            return NULL;
        }
    }
    return m;
}

struct ipmap *ipmap_free(struct ipmap *m) {
    if (m) {
        free(m->slots);
        free(m);
    }
    return NULL;
}

size_t ipmap_count(const struct ipmap *m) {
    return m->count;
}

static void cut(uint8_t ip[16], unsigned prefix) {
    for (unsigned i = 0; i < 16; i++) {
        unsigned bits = prefix > 8 * i ? MIN(prefix - 8 * i, 8u) : 0;
        ip[i] &= (uint8_t)(0xff00 >> bits);
    }
}

static size_t slot_of(const struct ipmap *m, const uint8_t ip[16], unsigned prefix) {
    size_t i = hash_bytes(ip, 16, prefix) & m->mask;
    while (m->slots[i].used && (m->slots[i].prefix != prefix || memcmp(m->slots[i].ip, ip, 16) != 0)) {
        i = (i + 1) & m->mask;
    }
    return i;
}

static int grow(struct ipmap *m) {
    struct ipmap bigger = {.mask = m->mask * 2 + 1};
    bigger.slots = calloc(bigger.mask + 1, sizeof(*bigger.slots));
    if (!bigger.slots) {
        return -ENOMEM;
    }
    for (size_t i = 0; i <= m->mask; i++) {
        if (m->slots[i].used) {
            bigger.slots[slot_of(&bigger, m->slots[i].ip, m->slots[i].prefix)] = m->slots[i];
        }
    }
    free(m->slots);
    m->slots = bigger.slots;
    m->mask = bigger.mask;
    return 0;
}

int ipmap_add(struct ipmap *m, const uint8_t ip[16], unsigned prefix, const void *value) {
    if (m->count * 2 > m->mask && grow(m) < 0) {
        return -ENOMEM;
    }
    struct network n = {.prefix = (uint8_t)prefix, .used = true, .value = value};
    memcpy(n.ip, ip, 16);
    cut(n.ip, prefix);
    size_t i = slot_of(m, n.ip, prefix);
    if (m->slots[i].used) {
        return -EEXIST;
    }
    m->slots[i] = n;
    m->count++;
    m->of_prefix[prefix]++;
    return 0;
}

size_t ipmap_find_all(const struct ipmap *m, const uint8_t ip[16], const void **ret, size_t max) {
    size_t n = 0;
    uint8_t network[16];
    memcpy(network, ip, 16);
    for (unsigned prefix = 129; prefix-- > 0 && n < max;) {
        if (m->of_prefix[prefix]) {
            cut(network, prefix);
            const struct network *s = &m->slots[slot_of(m, network, prefix)];
            if (s->used) {
                ret[n++] = s->value;
            }
        }
    }
    return n;
}

const void *ipmap_find(const struct ipmap *m, const uint8_t ip[16]) {
    const void *value = NULL;
    return ipmap_find_all(m, ip, &value, 1) ? value : NULL;
}

static int parse_ip4(const char *text, uint8_t ret_ip[16], unsigned *ret_bytes) {
    memset(ret_ip, 0, 16);
    ret_ip[10] = ret_ip[11] = 0xff;
    unsigned n = 0;
    for (const char *at = text; *at;) {
        char *end;
        unsigned long byte = strtoul(at, &end, 10);
        if (end == at || byte > 255 || n == 4 || *at == '-' || *at == '+') {
            return -EINVAL;
        }
        ret_ip[12 + n++] = (uint8_t)byte;
        at = *end == '.' ? end + 1 : end;
        if (*end && *end != '.') {
            return -EINVAL;
        }
    }
    *ret_bytes = n;
    return n ? 0 : -EINVAL;
}

int ip_parse_network(const char *text, size_t len, uint8_t ret_ip[16], unsigned *ret_prefix) {
    char copy[64];
    if (len == 0 || len >= sizeof(copy)) {
        return -EINVAL;
    }
    memcpy(copy, text, len);
    copy[len] = 0;
    char *slash = strchr(copy, '/');
    uint64_t prefix = 128;
    if (slash) {
        *slash = 0;
        if (!span_decimal(span_text(slash + 1), 128, &prefix)) {
            return -EINVAL;
        }
    }
    if (strchr(copy, ':')) {
        *ret_prefix = (unsigned)prefix;
        return inet_pton(AF_INET6, copy, ret_ip) == 1 ? 0 : -EINVAL;
    }
    unsigned bytes;
    if (parse_ip4(copy, ret_ip, &bytes) < 0 || (slash && prefix > 32)) {
        return -EINVAL;
    }
    *ret_prefix = 96 + (slash ? (unsigned)prefix : 8 * bytes);
    return 0;
}
