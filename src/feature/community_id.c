/* community_id.c: see https://github.com/corelight/community-id-spec for the layout that is hashed:
 * seed (2), lower address, higher address, protocol (1), zero (1), lower port (2), higher port (2). The lower one of
 * two endpoints is that with the lower address, then port. For ICMP type and code stand for the ports; a type that has
 * an answering type makes the pair (type, answer).
 */
#include "feature/community_id.h"

#include <string.h>

#include "base/util.h"
#include "packet/packet.h"

struct icmp_pair {
    uint8_t type, answer;
};

static const struct icmp_pair icmp4_pairs[] = {{8, 0},   {0, 8},  {13, 14}, {14, 13}, {15, 16},
                                               {16, 15}, {10, 9}, {9, 10},  {17, 18}, {18, 17}};
static const struct icmp_pair icmp6_pairs[] = {{128, 129}, {129, 128}, {133, 134}, {134, 133}, {135, 136}, {136, 135},
                                               {130, 131}, {131, 130}, {144, 145}, {145, 144}, {139, 140}, {140, 139}};

/* Ports of an ICMP flow. True when there is no answering type: then the order of the addresses is not changed. */
static bool icmp_ports(const struct record *r, uint16_t port[2]) {
    const struct icmp_pair *pairs = r->ip_version == 4 ? icmp4_pairs : icmp6_pairs;
    size_t count = r->ip_version == 4 ? ARRAY_LEN(icmp4_pairs) : ARRAY_LEN(icmp6_pairs);
    port[0] = r->icmp_type;
    for (size_t i = 0; i < count; i++) {
        if (pairs[i].type == r->icmp_type) {
            port[1] = pairs[i].answer;
            return false;
        }
    }
    port[1] = r->icmp_code;
    return true;
}

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static size_t base64_write(const uint8_t *bytes, size_t n, char *to) {
    const char *letters = base64_letters;
    size_t len = 0;
    for (size_t i = 0; i < n; i += 3) {
        unsigned left = (unsigned)MIN(n - i, (size_t)3);
        uint32_t word =
            (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
        to[len++] = letters[word >> 18];
        to[len++] = letters[word >> 12 & 63];
        to[len++] = left > 1 ? letters[word >> 6 & 63] : '=';
        to[len++] = left > 2 ? letters[word & 63] : '=';
    }
    return len;
}

static size_t add_u16(uint8_t *to, uint16_t value) {
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
    return 2;
}

bool community_id_head(struct span id, uint16_t *ret_head) {
    uint32_t head = 0;
    if (id.len != 2 + 28 || !span_starts(id, SPAN_LITERAL("1:"))) { /* 20 bytes as Base64 */
        return false;
    }
    for (size_t i = 2; i < 5; i++) {
        const char *at = memchr(base64_letters, id.at[i], sizeof(base64_letters) - 1);
        if (!at) {
            return false;
        }
        head = head << 6 | (uint32_t)(at - base64_letters);
    }
    *ret_head = (uint16_t)(head >> 2);
    return true;
}

void community_id_fill(struct record *r, struct digests *digests) {
    r->community_id[0] = 0;
    if (!r->has_ip || r->kind == FLOW_OTHER) {
        return;
    }
    uint16_t port[2] = {r->port[0], r->port[1]};
    bool one_way = r->kind == FLOW_ICMP && icmp_ports(r, port);
    size_t skip = r->ip_version == 4 ? 12 : 0, width = 16 - skip;
    int order = memcmp(r->ip[0] + skip, r->ip[1] + skip, width);
    unsigned first = !one_way && (order > 0 || (order == 0 && port[0] > port[1])) ? 1 : 0;
    uint8_t facts[40];
    size_t len = add_u16(facts, 0);
    memcpy(facts + len, r->ip[first] + skip, width);
    memcpy(facts + len + width, r->ip[!first] + skip, width);
    len += 2 * width;
    facts[len++] = r->ip_protocol;
    facts[len++] = 0;
    if (r->kind == FLOW_TCP || r->kind == FLOW_UDP || r->kind == FLOW_SCTP || r->kind == FLOW_ICMP ||
        r->kind == FLOW_ESP) { /* Arkime gives ESP two ports of 0, and its documents are what ours are matched with */
        len += add_u16(facts + len, port[first]);
        len += add_u16(facts + len, port[!first]);
    }
    uint8_t digest[DIGEST_MAX];
    size_t digest_len = digest_once(digests, DIGEST_SHA1, span_make(facts, len), digest);
    if (digest_len == 20) {
        memcpy(r->community_id, "1:", 2);
        r->community_id[2 + base64_write(digest, digest_len, r->community_id + 2)] = 0;
    }
}
