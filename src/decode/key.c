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
    const struct layers *l = s->p->layers;
    if (!l) {
        return tag;
    }
    switch (s->d->settings->session_id_tracking) {
    case TRACK_VLAN:
        return tag | (l->vlan_count ? l->vlan_id[0] : 0);
    case TRACK_VNI:
        return tag | (l->has_vni ? l->vni & 0xffffff : 0);
    default:
        return tag;
    }
}

static void key_begin(struct decode_state *s, enum flow_kind kind, enum flow_other other) {
    s->p->kind = (uint8_t)kind;
    s->key->low_port = s->key->high_port = 0;
    s->key->tag = key_tag(s, kind, other);
}

/* Both addresses of the innermost IP header into the key, the lower pair first. */
static void key_put_addresses(struct decode_state *s, uint16_t src_port, uint16_t dst_port) {
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct packet *p = s->p;
    struct flow_key *k = s->key;
    bool six = p->ip_version == 6;
    const uint8_t *src = p->data + p->ip_at + (six ? 8 : 12);
    size_t len = six ? 16 : 4;
    const uint8_t *dst = src + len;
    int order = memcmp(src, dst, len);
    bool from_low = order < 0 || (order == 0 && src_port <= dst_port);
    uint8_t *from = from_low ? k->low : k->high, *to = from_low ? k->high : k->low;
    if (six) {
        memcpy(from, src, 16);
        memcpy(to, dst, 16);
    } else {
        memcpy(from, mapped, 12);
        memcpy(to, mapped, 12);
        memcpy(from + 12, src, 4);
        memcpy(to + 12, dst, 4);
    }
    k->low_port = from_low ? src_port : dst_port;
    k->high_port = from_low ? dst_port : src_port;
    p->flags = (uint8_t)((p->flags & ~PACKET_FROM_LOW) | (from_low ? PACKET_FROM_LOW : 0));
}

enum decoded flow_key_ports(struct decode_state *s, enum flow_kind kind, uint16_t src_port, uint16_t dst_port) {
    key_begin(s, kind, OTHER_NONE);
    key_put_addresses(s, src_port, dst_port);
    return DECODED_FLOW;
}

enum decoded flow_key_addresses(struct decode_state *s, enum flow_kind kind, enum flow_other other, uint16_t number) {
    key_begin(s, kind, other);
    key_put_addresses(s, number, number);
    return DECODED_FLOW;
}

enum decoded flow_key_bytes(struct decode_state *s, enum flow_other other, const uint8_t *low, size_t low_len,
                            const uint8_t *high, size_t high_len, bool from_low) {
    key_begin(s, FLOW_OTHER, other);
    memset(s->key->low, 0, sizeof(s->key->low));
    memset(s->key->high, 0, sizeof(s->key->high));
    if (low_len) {
        memcpy(s->key->low, low, MIN(low_len, sizeof(s->key->low)));
    }
    if (high_len) {
        memcpy(s->key->high, high, MIN(high_len, sizeof(s->key->high)));
    }
    s->p->flags = (uint8_t)((s->p->flags & ~PACKET_FROM_LOW) | (from_low ? PACKET_FROM_LOW : 0));
    return DECODED_FLOW;
}

enum decoded flow_key_macs(struct decode_state *s, enum flow_other other, uint16_t number) {
    static const uint8_t none[12];
    const uint8_t *dst = s->p->flags & PACKET_HAS_MAC ? s->p->data + s->p->mac_at : none;
    const uint8_t *src = dst + 6;
    bool from_low = memcmp(src, dst, 6) <= 0;
    flow_key_bytes(s, other, from_low ? src : dst, 6, from_low ? dst : src, 6, from_low);
    s->key->low_port = s->key->high_port = number;
    return DECODED_FLOW;
}

void flow_key_finish(struct decode_state *s) {
    s->p->hash = (uint32_t)siphash13(&s->d->key, s->key, sizeof(*s->key));
}
