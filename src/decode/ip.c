/* ip.c: IPv4, IPv6 with its extension headers, and the transports' ports.
 *
 * RFC 791, RFC 8200, RFC 768, 9293, 792, 4443, 9260, 4303. A header that lies about lengths makes the frame corrupt; a
 * frame that was merely cut by the capture (s->cut) is followed as far as its bytes go. Checksums are not verified:
 * offloading network cards leave them wrong in every capture made on the sending host.
 */
#include "decode/state.h"

enum {
    PROTO_HOPOPTS = 0,
    PROTO_ICMP = 1,
    PROTO_IGMP = 2,
    PROTO_IP4 = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_IP6 = 41,
    PROTO_ROUTING = 43,
    PROTO_FRAGMENT = 44,
    PROTO_GRE = 47,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_ICMP6 = 58,
    PROTO_DSTOPTS = 60,
    PROTO_OSPF = 89,
    PROTO_PIM = 103,
    PROTO_SCTP = 132,
    PROTO_MOBILITY = 135,
    PROTO_HIP = 139,
    PROTO_MPLS = 137,
    PROTO_SHIM6 = 140,
    PROTO_ETHERNET = 143, /* RFC 8986 */
    EXTENSIONS_MAX = 24,
};

/* An IP header is accepted: what was the innermost one becomes the outer one. */
static void ip_enter(struct decode_state *s, const uint8_t *header, uint8_t version) {
    struct packet *p = s->p;
    if (UNLIKELY(p->ip_version)) {
        struct layers *l = state_layers(s);
        const uint8_t *outer = p->data + p->ip_at;
        if (p->ip_version == 6) {
            memcpy(l->outer_src, outer + 8, 16);
            memcpy(l->outer_dst, outer + 24, 16);
        } else {
            static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
            memcpy(l->outer_src, mapped, 12);
            memcpy(l->outer_dst, mapped, 12);
            memcpy(l->outer_src + 12, outer + 12, 4);
            memcpy(l->outer_dst + 12, outer + 16, 4);
        }
        l->has_outer_ip = 1;
    }
    p->ip_at = state_offset(s, header);
    p->ip_version = version;
}

/* Clips the cursor to `length` bytes of IP packet from `header`, and the frame too where padding is not to be counted.
 */
static void ip_clip(struct decode_state *s, struct cursor *c, const uint8_t *header, size_t length) {
    if ((size_t)(c->end - header) <= length) {
        return;
    }
    struct packet *p = s->p;
    if (s->d->settings->trim_ethernet_padding && !p->ip_version && p->ethertype && c->end == p->data + p->captured) {
        size_t trailer = (size_t)(c->end - header) - length;
        p->captured -= (uint32_t)trailer;
        p->wire -= (uint32_t)MIN(trailer, p->wire);
    }
    c->end = header + length;
}

/* A piece of a datagram. DECODED_FLOW: go on, at the packet's bytes from `*header` on (new ones when the datagram is
 * whole now); where `*ret_partial`, only the start of the datagram is there. */
static enum decoded fragment_take(struct decode_state *s, struct cursor *c, const uint8_t **header,
                                  const struct fragment *piece, bool *ret_partial) {
    bool disabled = piece->version == 6 ? s->d->settings->disable_fragments6 : s->d->settings->disable_fragments4;
    *ret_partial = disabled || (size_t)(c->end - piece->bytes) < piece->len;
    if (*ret_partial) {
        s->d->counts[DECODE_FRAGMENTS]++;
        if (piece->offset == 0) {
            s->cut = true;
            return DECODED_FLOW;
        }
        s->d->counts[DECODE_FRAGMENT_DROPPED]++;
        return DECODED_HELD;
    }
    size_t at = (size_t)(*header - s->p->data);
    if (!fragments_add(s, piece)) {
        return DECODED_HELD;
    }
    *header = s->p->data + at;
    c->end = s->p->data + s->p->captured;
    return DECODED_FLOW;
}

enum decoded decode_ip4(struct decode_state *s, struct cursor *c) {
    const uint8_t *ip = c->at;
    size_t there = (size_t)(c->end - ip);
    if (UNLIKELY(!state_enter(s, c))) {
        return DECODED_TOO_DEEP;
    }
    if (UNLIKELY(there < 20 || ip[0] >> 4 != 4)) {
        return DECODED_CORRUPT;
    }
    size_t header = (size_t)(ip[0] & 15) * 4, length = read_be16(ip + 2);
    if (UNLIKELY(length == 0)) {
        length = there; /* segmentation offload: the card fills it in */
    }
    if (UNLIKELY(header < 20 || header > there || length < header || (length > there && !s->cut))) {
        return DECODED_CORRUPT;
    }
    ip_clip(s, c, ip, length);
    uint32_t claimed = (uint32_t)(length - header);
    uint16_t part = read_be16(ip + 6);
    if (UNLIKELY(part & 0x3fff)) {
        struct fragment piece = {.header = ip,
                                 .header_len = (uint32_t)header,
                                 .bytes = ip + header,
                                 .len = claimed,
                                 .offset = (part & 0x1fffu) * 8,
                                 .id = read_be16(ip + 4),
                                 .version = 4,
                                 .protocol = ip[9],
                                 .more = part & 0x2000};
        bool partial;
        enum decoded how = fragment_take(s, c, &ip, &piece, &partial);
        if (how != DECODED_FLOW) {
            return how;
        }
        header = (size_t)(ip[0] & 15) * 4;
        claimed = partial ? CLAIM_UNKNOWN : (uint32_t)(read_be16(ip + 2) - header);
    }
    ip_enter(s, ip, 4);
    struct packet *p = s->p;
    p->dscp = ip[1] >> 2;
    p->ttl = ip[8];
    p->ip_protocol = ip[9];
    s->ip_claimed = claimed;
    c->at = ip + header;
    return decode_ip_protocol(s, c, ip[9]);
}

/* Steps over one extension header of the common shape. */
static bool extension_skip(struct cursor *c, uint8_t *next) {
    if (c->end - c->at < 8) {
        return false;
    }
    size_t len = 8 + (size_t)c->at[1] * 8;
    if ((size_t)(c->end - c->at) < len) {
        return false;
    }
    *next = c->at[0];
    c->at += len;
    return true;
}

static bool is_extension(uint8_t next) {
    switch (next) {
    case PROTO_HOPOPTS:
    case PROTO_ROUTING:
    case PROTO_AH:
    case PROTO_DSTOPTS:
    case PROTO_MOBILITY:
    case PROTO_HIP:
    case PROTO_SHIM6:
        return true;
    default:
        return false;
    }
}

/* Where the walk over the extension headers stands. */
struct chain_walk {
    const uint8_t *ip;
    const uint8_t *named_by; /* the next-header byte that named `next` */
    size_t length;           /* of the packet, with its header, as it claims */
    uint8_t next;
    bool partial; /* only the start of the datagram is there */
};

static void walk_begin(struct chain_walk *w, struct cursor *c, const uint8_t *ip, size_t length) {
    *w = (struct chain_walk){.ip = ip, .named_by = ip + 6, .length = length, .next = ip[6]};
    c->at = ip + 40;
}

/* The fragment header. A datagram that is whole now is walked anew from its start: it has none. */
static enum decoded decode_fragment6(struct decode_state *s, struct cursor *c, struct chain_walk *w) {
    const uint8_t *frag = cursor_take(c, 8);
    if (!frag || w->length < (size_t)(c->at - w->ip)) {
        return DECODED_CORRUPT;
    }
    uint16_t part = read_be16(frag + 2);
    if (part & 0xfff9) { /* else an atomic fragment: RFC 6946 */
        struct fragment piece = {.header = w->ip,
                                 .header_len = (uint32_t)(frag - w->ip),
                                 .next_at = (uint32_t)(w->named_by - w->ip),
                                 .bytes = c->at,
                                 .len = (uint32_t)(w->length - (size_t)(c->at - w->ip)),
                                 .offset = part & 0xfff8u,
                                 .id = read_be32(frag + 4),
                                 .version = 6,
                                 .protocol = frag[0],
                                 .more = part & 1};
        enum decoded how = fragment_take(s, c, &w->ip, &piece, &w->partial);
        if (how != DECODED_FLOW) {
            return how;
        }
        if (!w->partial) {
            walk_begin(w, c, w->ip, (size_t)(c->end - w->ip));
            return DECODED_FLOW;
        }
    }
    w->named_by = frag;
    w->next = frag[0];
    return DECODED_FLOW;
}

static enum decoded walk_extensions(struct decode_state *s, struct cursor *c, struct chain_walk *w) {
    for (unsigned i = 0; w->next == PROTO_FRAGMENT || is_extension(w->next); i++) {
        if (i == EXTENSIONS_MAX || c->at - w->ip > DECODE_OFFSET_MAX) {
            return DECODED_CORRUPT;
        }
        if (w->next == PROTO_FRAGMENT) {
            enum decoded how = decode_fragment6(s, c, w);
            if (how != DECODED_FLOW) {
                return how;
            }
            continue;
        }
        w->named_by = c->at;
        if (w->next == PROTO_AH ? !ah_skip(s, c, &w->next) : !extension_skip(c, &w->next)) {
            return DECODED_CORRUPT;
        }
    }
    return DECODED_FLOW;
}

enum decoded decode_ip6(struct decode_state *s, struct cursor *c) {
    const uint8_t *ip = c->at;
    size_t there = (size_t)(c->end - ip);
    if (UNLIKELY(!state_enter(s, c))) {
        return DECODED_TOO_DEEP;
    }
    if (UNLIKELY(there < 40 || ip[0] >> 4 != 6)) {
        return DECODED_CORRUPT;
    }
    size_t length = 40 + (size_t)read_be16(ip + 4);
    if (UNLIKELY(length == 40 && there > 65535 + 40)) {
        length = there; /* jumbogram: RFC 2675 */
    }
    if (UNLIKELY(length > there && !s->cut)) {
        return DECODED_CORRUPT;
    }
    ip_clip(s, c, ip, length);
    struct chain_walk w;
    walk_begin(&w, c, ip, length);
    enum decoded how = DECODED_FLOW;
    if (UNLIKELY(w.next == PROTO_FRAGMENT || is_extension(w.next))) {
        how = walk_extensions(s, c, &w);
        if (how == DECODED_HELD) {
            return how;
        }
    }
    ip_enter(s, w.ip, 6);
    struct packet *p = s->p;
    p->dscp = (uint8_t)((read_be16(w.ip) >> 6) & 0x3f);
    p->ttl = w.ip[7];
    p->ip_protocol = w.next;
    if (UNLIKELY(how != DECODED_FLOW)) {
        return how;
    }
    size_t behind = (size_t)(c->at - w.ip);
    s->ip_claimed = w.partial ? CLAIM_UNKNOWN : (uint32_t)(w.length - MIN(behind, w.length));
    return decode_ip_protocol(s, c, w.next);
}

enum decoded decode_ip_any(struct decode_state *s, struct cursor *c) {
    switch (cursor_peek(c, 0) >> 4) {
    case 4:
        return decode_ip4(s, c);
    case 6:
        return decode_ip6(s, c);
    default:
        return DECODED_CORRUPT;
    }
}

static enum decoded decode_tcp(struct decode_state *s, struct cursor *c) {
    const uint8_t *tcp = c->at;
    size_t there = (size_t)(c->end - tcp);
    if (UNLIKELY(there < 20)) {
        return DECODED_CORRUPT;
    }
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if (UNLIKELY(header < 20 || header > s->ip_claimed)) {
        return DECODED_CORRUPT;
    }
    c->at += MIN(header, there);
    state_payload(s, tcp, c);
    return flow_key_ports(s, FLOW_TCP, read_be16(tcp), read_be16(tcp + 2));
}

/* DHCP flows are found again by the client's hardware address, not by addresses that are still being asked for. */
static enum decoded decode_dhcp(struct decode_state *s, const struct cursor *c) {
    const uint8_t *m = c->at;
    if (c->end - m < 240 || m[1] != 1 || m[2] != 6 || read_be32(m + 236) != 0x63825363 ||
        decoder_disabled(s->d, OTHER_DHCP)) {
        return DECODED_NOT_MINE;
    }
    return flow_key_bytes(s, OTHER_DHCP, span_make(m + 28, 6), (struct span){0}, m[0] == 1);
}

/* Keyed by transaction id; relayed messages have none and are keyed by link and peer address (RFC 8415 §9). */
static enum decoded decode_dhcp6(struct decode_state *s, const struct cursor *c, uint16_t src_port) {
    const uint8_t *m = c->at;
    if (c->end - m < 4 || decoder_disabled(s->d, OTHER_DHCPV6)) {
        return DECODED_NOT_MINE;
    }
    if (m[0] == 12 || m[0] == 13) {
        return c->end - m < 34
                   ? DECODED_NOT_MINE
                   : flow_key_bytes(s, OTHER_DHCPV6, span_make(m + 2, 16), span_make(m + 18, 16), m[0] == 12);
    }
    return flow_key_bytes(s, OTHER_DHCPV6, span_make(m + 1, 3), (struct span){0}, src_port == 546);
}

static enum decoded decode_udp_service(struct decode_state *s, struct cursor *c, uint16_t src, uint16_t dst) {
    switch (dst) {
    case 67:
    case 68:
        return decode_dhcp(s, c);
    case 546:
    case 547:
        return s->p->ip_version == 6 ? decode_dhcp6(s, c, src) : DECODED_NOT_MINE;
    default:
        return decode_udp_tunnel(s, c, dst);
    }
}

static enum decoded decode_udp(struct decode_state *s, struct cursor *c) {
    const uint8_t *udp = c->at;
    size_t there = (size_t)(c->end - udp);
    if (UNLIKELY(there < 8)) {
        return DECODED_CORRUPT;
    }
    size_t length = read_be16(udp + 4);
    if (UNLIKELY(length == 0 && s->p->ip_version == 6)) {
        length = s->ip_claimed; /* jumbogram */
    }
    if (UNLIKELY(length < 8 || length > s->ip_claimed)) {
        return DECODED_CORRUPT;
    }
    if (length < there) {
        c->end = udp + length;
    }
    c->at += 8;
    state_payload(s, udp, c);
    uint16_t src = read_be16(udp), dst = read_be16(udp + 2);
    enum decoded how = decode_udp_service(s, c, src, dst);
    return how == DECODED_NOT_MINE ? flow_key_ports(s, FLOW_UDP, src, dst) : how;
}

static enum decoded decode_sctp(struct decode_state *s, struct cursor *c) {
    const uint8_t *sctp = cursor_take(c, 12);
    if (!sctp) {
        return DECODED_CORRUPT;
    }
    state_payload(s, sctp, c);
    return flow_key_ports(s, FLOW_SCTP, read_be16(sctp), read_be16(sctp + 2));
}

/* The message with its header counts as payload. */
static enum decoded decode_icmp(struct decode_state *s, struct cursor *c) {
    if (c->end - c->at < 4) {
        return DECODED_CORRUPT;
    }
    state_payload(s, c->at, c);
    return flow_key_addresses(s, FLOW_ICMP, OTHER_NONE, 0);
}

static enum decoded decode_esp(struct decode_state *s, struct cursor *c) {
    if (!s->d->settings->track_esp) {
        return DECODED_IGNORED;
    }
    const uint8_t *esp = cursor_take(c, 8);
    if (!esp) {
        return DECODED_CORRUPT;
    }
    state_payload(s, esp, c);
    return flow_key_addresses(s, FLOW_ESP, OTHER_NONE, 0);
}

static enum decoded decode_alone(struct decode_state *s, struct cursor *c, enum flow_other other) {
    if (decoder_disabled(s->d, other)) {
        return DECODED_UNKNOWN_IP;
    }
    state_payload(s, c->at, c);
    return flow_key_none(s, other);
}

static enum decoded decode_igmp(struct decode_state *s, struct cursor *c) {
    return decode_alone(s, c, OTHER_IGMP);
}

static enum decoded decode_pim(struct decode_state *s, struct cursor *c) {
    return decode_alone(s, c, OTHER_PIM);
}

static enum decoded decode_ospf(struct decode_state *s, struct cursor *c) {
    if (decoder_disabled(s->d, OTHER_OSPF)) {
        return DECODED_UNKNOWN_IP;
    }
    state_payload(s, c->at, c);
    return flow_key_addresses(s, FLOW_OTHER, OTHER_OSPF, 0);
}

static enum decoded decode_ip4_inside(struct decode_state *s, struct cursor *c) {
    state_tunnel(s, TUNNEL_IPIP);
    return decode_ip4(s, c);
}

static enum decoded decode_ip6_inside(struct decode_state *s, struct cursor *c) {
    state_tunnel(s, TUNNEL_IPIP);
    return decode_ip6(s, c);
}

static const layer_fn protocols[256] = {
    [PROTO_ICMP] = decode_icmp,  [PROTO_IGMP] = decode_igmp,         [PROTO_IP4] = decode_ip4_inside,
    [PROTO_TCP] = decode_tcp,    [PROTO_UDP] = decode_udp,           [PROTO_IP6] = decode_ip6_inside,
    [PROTO_GRE] = decode_gre,    [PROTO_ESP] = decode_esp,           [PROTO_AH] = decode_ah,
    [PROTO_ICMP6] = decode_icmp, [PROTO_OSPF] = decode_ospf,         [PROTO_PIM] = decode_pim,
    [PROTO_SCTP] = decode_sctp,  [PROTO_ETHERNET] = decode_ethernet, [PROTO_MPLS] = decode_mpls,
};

enum decoded decode_ip_protocol(struct decode_state *s, struct cursor *c, uint8_t protocol) {
    if (LIKELY(protocol == PROTO_TCP)) {
        return decode_tcp(s, c);
    }
    s->number = protocol;
    layer_fn decode = protocols[protocol];
    if (!decode) {
        state_payload(s, c->at, c);
        return DECODED_UNKNOWN_IP;
    }
    return decode(s, c);
}
