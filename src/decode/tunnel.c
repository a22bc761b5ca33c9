/* tunnel.c: what is carried inside IP and UDP: GRE with ERSPAN, AH, NSH, Cisco MetaData, VXLAN, VXLAN-GPE, Geneve,
 * GTP-U.
 *
 * RFC 2784, 2890, 2637 (GRE v0 and v1), draft-foschiano-erspan, RFC 4302 (AH), 8300 (NSH), 7348 (VXLAN),
 * draft-ietf-nvo3-vxlan-gpe, RFC 8926 (Geneve), 3GPP TS 29.281 (GTP-U). A UDP port alone proves nothing: each of these
 * decoders looks at its header before it notes anything, and says DECODED_NOT_MINE otherwise; the packet is then plain
 * UDP.
 */
#include "decode/state.h"

enum {
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACK = 0x0080,
    GRE_VERSION = 0x0007,
};

enum {
    TYPE_BRIDGE = 0x6558, /* transparent Ethernet bridging */
    TYPE_FRAME_RELAY = 0x6559,
    TYPE_PPP = 0x880b,
    TYPE_WCCP = 0x883e,
    TYPE_ERSPAN = 0x88be,
    TYPE_ERSPAN3 = 0x22eb,
};

/* Source route entries up to the empty one (RFC 1701). */
static bool gre_routing_skip(struct cursor *c) {
    while (cursor_ok(c)) {
        uint16_t family = cursor_u16(c);
        cursor_skip(c, 1);
        uint8_t length = cursor_u8(c);
        if (family == 0 && length == 0) {
            break;
        }
        cursor_skip(c, length);
    }
    return cursor_ok(c);
}

static enum decoded decode_erspan(struct decode_state *s, struct cursor *c, uint16_t type, bool sequenced) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    state_tunnel(s, TUNNEL_ERSPAN);
    if (type == TYPE_ERSPAN && !sequenced) {
        return decode_ethernet(s, c); /* type I: no header of its own */
    }
    const uint8_t *h = cursor_take(c, type == TYPE_ERSPAN ? 8 : 12);
    if (!h || h[0] >> 4 != (type == TYPE_ERSPAN ? 1 : 2)) {
        return DECODED_CORRUPT;
    }
    if (read_be16(h) & 0xfff) {
        state_vlan(s, 0x8100, read_be16(h) & 0xfff);
    }
    if (type == TYPE_ERSPAN) {
        return decode_ethernet(s, c);
    }
    if (h[11] & 1) {
        cursor_skip(c, 8); /* platform specific */
    }
    if (!cursor_ok(c)) {
        return DECODED_CORRUPT;
    }
    return (h[10] >> 2 & 0x1f) == 2 ? decode_ip_any(s, c) : decode_ethernet(s, c);
}

static enum decoded decode_gre_payload(struct decode_state *s, struct cursor *c, uint16_t type, uint16_t flags) {
    s->number = type;
    switch (type) {
    case TYPE_BRIDGE:
        return decode_ethernet(s, c);
    case TYPE_FRAME_RELAY:
        return decode_frame_relay(s, c);
    case TYPE_PPP:
        state_tunnel(s, TUNNEL_PPP);
        return decode_ppp(s, c);
    case TYPE_ERSPAN:
    case TYPE_ERSPAN3:
        return decode_erspan(s, c, type, flags & GRE_SEQUENCE);
    case TYPE_WCCP:
        if (cursor_peek(c, 0) >> 4 != 4) {
            cursor_skip(c, 4); /* redirect header of WCCP version 2 */
        }
        return cursor_ok(c) ? decode_ip4(s, c) : DECODED_CORRUPT;
    default:
        return decode_ethertype(s, c, type);
    }
}

enum decoded decode_gre(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    uint16_t flags = cursor_u16(c), type = cursor_u16(c);
    if (!cursor_ok(c) || (flags & GRE_VERSION) > 1) {
        return DECODED_CORRUPT;
    }
    if (flags & (GRE_CHECKSUM | GRE_ROUTING)) {
        cursor_skip(c, 4);
    }
    if (flags & GRE_KEY) {
        cursor_skip(c, 4);
    }
    if (flags & GRE_SEQUENCE) {
        cursor_skip(c, 4);
    }
    if (flags & GRE_ACK && (flags & GRE_VERSION) == 1) {
        cursor_skip(c, 4);
    }
    if (!cursor_ok(c) || (flags & GRE_ROUTING && !gre_routing_skip(c))) {
        return DECODED_CORRUPT;
    }
    state_tunnel(s, TUNNEL_GRE);
    if (cursor_left(c) == 0) {
        return DECODED_UNKNOWN_IP; /* an acknowledgement or keepalive with nothing inside */
    }
    return decode_gre_payload(s, c, type, flags);
}

/* Steps over the header; integrity is not checked. */
bool ah_skip(struct decode_state *s, struct cursor *c, uint8_t *next) {
    int words = cursor_peek(c, 1);
    const uint8_t *h = words < 1 ? NULL : cursor_take(c, ((size_t)words + 2) * 4);
    if (!h) {
        return false;
    }
    *next = h[0];
    state_tunnel(s, TUNNEL_AH);
    return true;
}

enum decoded decode_ah(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    const uint8_t *start = c->at;
    uint8_t next;
    if (!ah_skip(s, c, &next)) {
        return DECODED_CORRUPT;
    }
    uint32_t used = (uint32_t)(c->at - start);
    if (s->ip_claimed != CLAIM_UNKNOWN) {
        s->ip_claimed -= MIN(used, s->ip_claimed);
    }
    s->p->ip_protocol = next;
    return decode_ip_protocol(s, c, next);
}

/* Content named by the small numbers that NSH and VXLAN-GPE share. */
static enum decoded decode_next_protocol(struct decode_state *s, struct cursor *c, uint8_t next) {
    static const layer_fn layers[] = {NULL, decode_ip4, decode_ip6, decode_ethernet, decode_nsh, decode_mpls};
    if (next >= ARRAY_LEN(layers) || !layers[next]) {
        return DECODED_UNKNOWN_ETHER;
    }
    return layers[next](s, c);
}

enum decoded decode_nsh(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    s->number = 0x894f;
    const uint8_t *h = c->at;
    if (c->end - h < 8 || h[0] >> 6 != 0) {
        return DECODED_CORRUPT;
    }
    size_t length = (size_t)(h[1] & 0x3f) * 4;
    if (length < 8 || !cursor_take(c, length)) {
        return DECODED_CORRUPT;
    }
    state_tunnel(s, TUNNEL_NSH);
    return decode_next_protocol(s, c, h[3]);
}

enum decoded decode_cisco_metadata(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    cursor_skip(c, 6);
    uint16_t type = cursor_u16(c);
    return cursor_ok(c) ? decode_ethertype(s, c, type) : DECODED_CORRUPT;
}

/* --- inside UDP --- */

static void state_vni(struct decode_state *s, uint32_t vni) {
    struct layers *l = state_layers(s);
    l->vni = vni;
    l->has_vni = 1;
}

static enum decoded decode_vxlan(struct decode_state *s, struct cursor *c) {
    const uint8_t *h = c->at;
    if (c->end - h < 8 + 14 || !(h[0] & 0x08)) {
        return DECODED_NOT_MINE;
    }
    state_tunnel(s, TUNNEL_VXLAN);
    state_vni(s, read_be32(h + 4) >> 8);
    c->at += 8;
    return decode_ethernet(s, c);
}

/* The port Linux used before the standard: everything that must be zero has to be. */
static enum decoded decode_vxlan_linux(struct decode_state *s, struct cursor *c) {
    const uint8_t *h = c->at;
    if (c->end - h < 8 || read_be32(h) != 0x08000000 || h[7] != 0) {
        return DECODED_NOT_MINE;
    }
    return decode_vxlan(s, c);
}

static enum decoded decode_vxlan_gpe(struct decode_state *s, struct cursor *c) {
    enum { FLAG_NEXT = 0x04, FLAG_VNI = 0x08, NEXT_ETHERNET = 3, NEXT_LAST = 5 };
    const uint8_t *h = c->at;
    if (c->end - h < 8 || h[0] & 0x30 || !(h[0] & FLAG_VNI)) {
        return DECODED_NOT_MINE;
    }
    uint8_t next = h[0] & FLAG_NEXT ? h[3] : NEXT_ETHERNET;
    if (next < 1 || next > NEXT_LAST) {
        return DECODED_NOT_MINE;
    }
    state_tunnel(s, TUNNEL_VXLAN_GPE);
    state_vni(s, read_be32(h + 4) >> 8);
    c->at += 8;
    return decode_next_protocol(s, c, next);
}

static enum decoded decode_geneve(struct decode_state *s, struct cursor *c) {
    const uint8_t *h = c->at;
    if (c->end - h < 8 || h[0] >> 6 != 0) {
        return DECODED_NOT_MINE;
    }
    size_t length = 8 + (size_t)(h[0] & 0x3f) * 4;
    uint16_t type = read_be16(h + 2);
    if ((size_t)(c->end - h) < length || (type != TYPE_BRIDGE && !ethertype_known(type))) {
        return DECODED_NOT_MINE;
    }
    state_tunnel(s, TUNNEL_GENEVE);
    state_vni(s, read_be32(h + 4) >> 8);
    c->at += length;
    return type == TYPE_BRIDGE ? decode_ethernet(s, c) : decode_ethertype(s, c, type);
}

/* Steps over the optional part and the extension headers of a G-PDU. */
static bool gtp_extensions_skip(struct cursor *c, uint8_t flags) {
    enum { FLAG_EXTENSION = 0x04, FLAGS_OPTIONAL = 0x07 };
    if (!(flags & FLAGS_OPTIONAL)) {
        return true;
    }
    cursor_skip(c, 3);
    uint8_t next = cursor_u8(c);
    while (flags & FLAG_EXTENSION && next && cursor_ok(c)) {
        size_t length = (size_t)cursor_u8(c) * 4;
        if (length == 0) {
            return false;
        }
        cursor_skip(c, length - 2);
        next = cursor_u8(c);
    }
    return cursor_ok(c);
}

static enum decoded decode_gtp(struct decode_state *s, struct cursor *c) {
    enum { VERSION_1_GTP = 0x30, VERSION_MASK = 0xf0, MESSAGE_GPDU = 255 };
    struct cursor inner = *c;
    uint8_t flags = cursor_u8(&inner), message = cursor_u8(&inner);
    uint16_t length = cursor_u16(&inner);
    cursor_skip(&inner, 4); /* tunnel endpoint */
    if ((flags & VERSION_MASK) != VERSION_1_GTP || message != MESSAGE_GPDU ||
        (cursor_left(&inner) < length && !s->cut)) {
        return DECODED_NOT_MINE;
    }
    if (cursor_left(&inner) > length) {
        inner.end = inner.at + length;
    }
    if (!gtp_extensions_skip(&inner, flags)) {
        return DECODED_NOT_MINE;
    }
    int nibble = cursor_peek(&inner, 0) >> 4;
    if (nibble != 4 && nibble != 6) {
        return DECODED_NOT_MINE;
    }
    state_tunnel(s, TUNNEL_GTP);
    return decode_ip_any(s, &inner);
}

struct udp_tunnel {
    uint16_t port;
    layer_fn decode;
};

static const struct udp_tunnel udp_tunnels[] = {
    {2152, decode_gtp},    {4789, decode_vxlan},       {4790, decode_vxlan_gpe},
    {6081, decode_geneve}, {8472, decode_vxlan_linux},
};

enum decoded decode_udp_tunnel(struct decode_state *s, struct cursor *c, uint16_t port) {
    for (size_t i = 0; i < ARRAY_LEN(udp_tunnels); i++) {
        if (udp_tunnels[i].port == port) {
            return state_enter(s, c) ? udp_tunnels[i].decode(s, c) : DECODED_TOO_DEEP;
        }
    }
    return DECODED_NOT_MINE;
}
