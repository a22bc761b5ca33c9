/* ethernet.c: Ethernet II, 802.3 with LLC and SNAP, VLAN tags (802.1Q, 802.1ad), PPPoE, ARP, and what is told apart by
 * ethertype.
 *
 * IEEE 802.3, 802.2, 802.1Q; RFC 826 (ARP), RFC 2516 (PPPoE); ISO 10589 (IS-IS), 9542 (ES-IS). The way on is one
 * table from ethertype to layer function, used by every layer that names its content by ethertype (GRE, SLL, Geneve,
 * ...).
 */
#include "decode/state.h"

enum {
    TYPE_IP4 = 0x0800,
    TYPE_VLAN = 0x8100,
    TYPE_QINQ = 0x88a8,
    TYPE_QINQ_OLD = 0x9100,
    TYPE_IP6 = 0x86dd,
    LENGTH_MAX = 1500, /* a type field up to here is a length */
};

/* A frame check sequence or padding behind the layer is not looked at: the next layer clips. */
enum decoded decode_ethernet(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    if (c->end - c->at < 14) {
        return DECODED_CORRUPT;
    }
    struct packet *p = s->p;
    if (p->flags & PACKET_HAS_MAC) {
        struct layers *l = state_layers(s);
        memcpy(l->outer_dst_mac, p->data + p->mac_at, 6);
        memcpy(l->outer_src_mac, p->data + p->mac_at + 6, 6);
        l->has_outer_mac = 1;
    }
    p->mac_at = state_offset(s, c->at);
    p->flags |= PACKET_HAS_MAC;
    uint16_t type = read_be16(c->at + 12);
    c->at += 14;
    for (unsigned i = 0; type == TYPE_VLAN || type == TYPE_QINQ || (type == TYPE_QINQ_OLD && i == 0); i++) {
        if (i == LAYERS_VLANS || c->end - c->at < 4) {
            return DECODED_CORRUPT;
        }
        state_vlan(s, type, read_be16(c->at) & 0xfff);
        type = read_be16(c->at + 2);
        c->at += 4;
    }
    if (!p->ethertype) {
        p->ethertype = type;
    }
    if (type <= LENGTH_MAX) {
        if (c->end - c->at > type) {
            c->end = c->at + type;
        }
        return decode_llc(s, c);
    }
    return decode_ethertype(s, c, type);
}

/* A VLAN tag met behind a header that names its content by ethertype (SLL, GRE, NSH). */
static enum decoded decode_tag(struct decode_state *s, struct cursor *c, uint16_t tag_type) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    uint16_t id = cursor_u16(c) & 0xfff;
    uint16_t type = cursor_u16(c);
    if (!cursor_ok(c)) {
        return DECODED_CORRUPT;
    }
    state_vlan(s, tag_type, id);
    if (type <= LENGTH_MAX) {
        return decode_llc(s, c);
    }
    return decode_ethertype(s, c, type);
}

static enum decoded decode_vlan(struct decode_state *s, struct cursor *c) {
    return decode_tag(s, c, TYPE_VLAN);
}

static enum decoded decode_qinq(struct decode_state *s, struct cursor *c) {
    return decode_tag(s, c, TYPE_QINQ);
}

/* Requests are keyed by the address asked for, replies by the address that answers: both meet. */
static enum decoded decode_arp(struct decode_state *s, struct cursor *c) {
    if (decoder_disabled(s->d, OTHER_ARP)) {
        return DECODED_UNKNOWN_ETHER;
    }
    if (c->end - c->at < 28) {
        return DECODED_CORRUPT;
    }
    const uint8_t *arp = c->at;
    uint16_t operation = read_be16(arp + 6);
    bool ethernet_ip4 = read_be16(arp) == 1 && read_be16(arp + 2) == TYPE_IP4 && arp[4] == 6 && arp[5] == 4;
    if (!ethernet_ip4 || operation < 1 || operation > 2) {
        return DECODED_UNKNOWN_ETHER;
    }
    c->end = arp + 28;
    state_payload(s, arp, c);
    return flow_key_bytes(s, OTHER_ARP, span_make(arp + (operation == 1 ? 24 : 14), 4), (struct span){0}, true);
}

static enum decoded decode_lldp(struct decode_state *s, struct cursor *c) {
    if (decoder_disabled(s->d, OTHER_LLDP)) {
        return DECODED_UNKNOWN_ETHER;
    }
    state_payload(s, c->at, c);
    return flow_key_none(s, OTHER_LLDP);
}

static enum decoded decode_osi(struct decode_state *s, struct cursor *c, enum flow_other other) {
    if (decoder_disabled(s->d, other)) {
        return DECODED_UNKNOWN_ETHER;
    }
    state_payload(s, c->at, c);
    return flow_key_none(s, other);
}

static enum decoded decode_esis(struct decode_state *s, struct cursor *c) {
    return decode_osi(s, c, OTHER_ESIS);
}

enum decoded decode_pppoe(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    uint8_t version = cursor_u8(c), code = cursor_u8(c);
    cursor_skip(c, 2); /* session id */
    uint16_t length = cursor_u16(c);
    if (!cursor_ok(c) || version != 0x11 || code != 0) {
        return DECODED_CORRUPT;
    }
    if (cursor_left(c) < length) {
        if (!s->cut) {
            return DECODED_CORRUPT;
        }
    } else {
        c->end = c->at + length;
    }
    state_tunnel(s, TUNNEL_PPPOE);
    return decode_ppp(s, c);
}

struct ethertype {
    uint16_t type;
    layer_fn decode;
};

/* IPv4 and IPv6 are compared before the table is looked at: they are nearly all. */
static const struct ethertype ethertypes[] = {
    {0x0806, decode_arp},      {TYPE_VLAN, decode_vlan},        {TYPE_QINQ, decode_qinq}, {TYPE_QINQ_OLD, decode_vlan},
    {0x6558, decode_ethernet}, {0x8847, decode_mpls},           {0x8848, decode_mpls},    {0x8864, decode_pppoe},
    {0x88cc, decode_lldp},     {0x8909, decode_cisco_metadata}, {0x890d, decode_esis},    {0x894f, decode_nsh},
};

enum decoded decode_ethertype(struct decode_state *s, struct cursor *c, uint16_t type) {
    if (LIKELY(type == TYPE_IP4)) {
        return decode_ip4(s, c);
    }
    if (type == TYPE_IP6) {
        return decode_ip6(s, c);
    }
    s->number = type;
    for (size_t i = 0; i < ARRAY_LEN(ethertypes); i++) {
        if (ethertypes[i].type == type) {
            return ethertypes[i].decode(s, c);
        }
    }
    state_payload(s, c->at, c);
    return DECODED_UNKNOWN_ETHER;
}

bool ethertype_known(uint16_t type) {
    for (size_t i = 0; i < ARRAY_LEN(ethertypes); i++) {
        if (ethertypes[i].type == type) {
            return true;
        }
    }
    return type == TYPE_IP4 || type == TYPE_IP6;
}

/* SNAP with the OUI of encapsulated Ethernet (RFC 1042) or of bridge tunnels (802.1H) carries an ethertype, with that
 * of 802.1 a whole frame (RFC 2427 §4.2). */
enum decoded decode_snap(struct decode_state *s, struct cursor *c) {
    enum { OUI_ETHERNET = 0x000000, OUI_BRIDGE = 0x0000f8, OUI_8021 = 0x0080c2, PID_FRAME_FCS = 1, PID_FRAME = 7 };
    uint32_t oui = cursor_u24(c);
    uint16_t type = cursor_u16(c);
    if (!cursor_ok(c)) {
        return DECODED_CORRUPT;
    }
    if (oui == OUI_8021 && (type == PID_FRAME_FCS || type == PID_FRAME)) {
        return decode_ethernet(s, c);
    }
    if ((oui != OUI_ETHERNET && oui != OUI_BRIDGE) || type <= LENGTH_MAX) {
        return DECODED_CORRUPT;
    }
    return decode_ethertype(s, c, type);
}

/* Link-layer control of 802.2. What is not known is "corrupt", as Arkime has it. */
enum decoded decode_llc(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    const uint8_t *llc = cursor_take(c, 3);
    if (!llc) {
        return DECODED_CORRUPT;
    }
    if (llc[0] == 0xaa && llc[1] == 0xaa && llc[2] == 0x03) {
        return decode_snap(s, c);
    }
    if (llc[0] == 0xfe && llc[1] == 0xfe && llc[2] == 0x03) {
        switch (cursor_peek(c, 0)) {
        case 0x83:
            return decode_osi(s, c, OTHER_ISIS);
        case 0x82:
            return decode_osi(s, c, OTHER_ESIS);
        default:
            return DECODED_CORRUPT;
        }
    }
    if ((llc[2] & 0xef) == 0xaf) {
        if (decoder_disabled(s->d, OTHER_XID)) {
            return DECODED_UNKNOWN_ETHER;
        }
        state_payload(s, c->at, c);
        return flow_key_none(s, OTHER_XID);
    }
    return DECODED_CORRUPT;
}
