/* key.c: flow keys: the symmetric identity under which packets of both directions meet.
 *
 * Family and outermost VLAN (or innermost VNI) are in the tag, so keys of different families never meet. Which
 * bytes a protocol of its own is keyed by is Arkime's choice (one session per IGMP, PIM, LLDP, ...), so that documents
 * agree. Source of the hash: SipHash-1-3 (base/hash.h), cut to 32 bits.
 */
#include "decode/state.h"

enum { TRACK_NONE, TRACK_VLAN, TRACK_VNI };

static uint32_t key_tag(const struct decode_state *s, enum flow_kind kind, enum flow_other other) {
    uint32_t tag = (uint32_t)kind << 28 | (uint32_t)other << 24;
    const struct decode_settings *settings = s->d->settings;
    if (LIKELY(settings->session_id_tracking == TRACK_NONE)) {
        return tag;
    }
    const struct layers *l = s->p->layers;
    uint32_t number = 0; /* neither tag nor tunnel */
    if (l && settings->session_id_tracking == TRACK_VLAN && l->vlan_count) {
        number = l->vlan_id[0];
    } else if (l && settings->session_id_tracking == TRACK_VNI && l->has_vni) {
        number = l->vni;
    }
    return tag | (collapse_find(settings, number) & 0xffffff);
}

/* The key is written in the words it is hashed in: parts of a word stored one by one would stall the loads behind them.
 */
static void key_put_word(uint8_t *at, uint64_t word) {
    memcpy(at, &word, sizeof(word));
}

static void key_put_end(struct flow_key *k, uint16_t low_port, uint16_t high_port, uint32_t tag) {
    uint64_t word = (uint64_t)low_port | (uint64_t)high_port << 16 | (uint64_t)tag << 32;
    memcpy((uint8_t *)k + offsetof(struct flow_key, low_port), &word, sizeof(word));
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "key words are written in host order");
_Static_assert(offsetof(struct flow_key, high_port) == 34 && offsetof(struct flow_key, tag) == 36, "one word");

static void key_put_ip4(uint8_t *at, uint32_t address) {
    key_put_word(at, 0);
    key_put_word(at + 8, 0xffff0000u | (uint64_t)__builtin_bswap32(address) << 32);
}

static void key_put_ip6(uint8_t *at, const uint8_t *address) {
    memcpy(at, address, 16);
}

static int addresses_compare(const uint8_t *a, const uint8_t *b) {
    for (unsigned i = 0; i < 16; i += 8) {
        uint64_t x = read_be64(a + i), y = read_be64(b + i);
        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return 0;
}

static void from_low_set(struct packet *p, bool from_low) {
    p->flags = (uint8_t)((p->flags & ~PACKET_FROM_LOW) | (from_low ? PACKET_FROM_LOW : 0));
}

/* Both addresses of the innermost IP header into the key, the lower pair of address and port first. */
static enum decoded key_put(struct decode_state *s, uint32_t tag, uint16_t src_port, uint16_t dst_port) {
    struct packet *p = s->p;
    struct flow_key *k = s->key;
    const uint8_t *ip = p->data + p->ip_at;
    bool from_low;
    if (LIKELY(p->ip_version == 4)) {
        uint32_t src = read_be32(ip + 12), dst = read_be32(ip + 16);
        from_low = src < dst || (src == dst && src_port <= dst_port);
        key_put_ip4(k->low, from_low ? src : dst);
        key_put_ip4(k->high, from_low ? dst : src);
    } else {
        int order = addresses_compare(ip + 8, ip + 24);
        from_low = order < 0 || (order == 0 && src_port <= dst_port);
        key_put_ip6(k->low, ip + (from_low ? 8 : 24));
        key_put_ip6(k->high, ip + (from_low ? 24 : 8));
    }
    key_put_end(k, from_low ? src_port : dst_port, from_low ? dst_port : src_port, tag);
    from_low_set(p, from_low);
    return DECODED_FLOW;
}

enum decoded flow_key_ports(struct decode_state *s, enum flow_kind kind, uint16_t src_port, uint16_t dst_port) {
    s->p->kind = (uint8_t)kind;
    return key_put(s, key_tag(s, kind, OTHER_NONE), src_port, dst_port);
}

enum decoded flow_key_addresses(struct decode_state *s, enum flow_kind kind, enum flow_other other, uint16_t number) {
    s->p->kind = (uint8_t)kind;
    return key_put(s, key_tag(s, kind, other), number, number);
}

enum decoded flow_key_bytes(struct decode_state *s, enum flow_other other, struct span low, struct span high,
                            bool from_low) {
    struct flow_key *k = s->key;
    s->p->kind = FLOW_OTHER;
    memset(k, 0, sizeof(*k));
    if (low.len) {
        memcpy(k->low, low.at, MIN(low.len, sizeof(k->low)));
    }
    if (high.len) {
        memcpy(k->high, high.at, MIN(high.len, sizeof(k->high)));
    }
    k->tag = key_tag(s, FLOW_OTHER, other);
    from_low_set(s->p, from_low);
    return DECODED_FLOW;
}

enum decoded flow_key_none(struct decode_state *s, enum flow_other other) {
    return flow_key_bytes(s, other, (struct span){0}, (struct span){0}, true);
}

enum decoded flow_key_macs(struct decode_state *s, enum flow_other other, uint16_t number) {
    static const uint8_t none[12];
    const uint8_t *dst = s->p->flags & PACKET_HAS_MAC ? s->p->data + s->p->mac_at : none;
    const uint8_t *src = dst + 6;
    bool from_low = memcmp(src, dst, 6) <= 0;
    flow_key_bytes(s, other, span_make(from_low ? src : dst, 6), span_make(from_low ? dst : src, 6), from_low);
    s->key->low_port = s->key->high_port = number;
    return DECODED_FLOW;
}
