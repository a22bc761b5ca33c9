/* link.c: the link types of captures: which layer a frame begins with, and the small headers some of them put first.
 *
 * LINKTYPE numbers and headers are those of the tcpdump group's registry (tcpdump.org/linktypes); PPP is RFC 1661 and
 * 1662, frame relay RFC 2427. The layer is chosen by one table.
 */
#include "decode/state.h"

enum { AF_IP4 = 2, AF_IP6_LINUX = 10, AF_IP6_BSD = 24, AF_IP6_FREEBSD = 28, AF_IP6_DARWIN = 30 };

/* BSD loopback: an address family in the byte order of the machine that captured (NULL) or of the network (LOOP). */
static enum decoded decode_null(struct decode_state *s, struct cursor *c) {
    uint32_t family = cursor_u32(c);
    if (!cursor_ok(c)) {
        return DECODED_CORRUPT;
    }
    if (family > 0xffff) {
        family = __builtin_bswap32(family);
    }
    switch (family) {
    case AF_IP6_LINUX:
    case AF_IP6_BSD:
    case AF_IP6_FREEBSD:
    case AF_IP6_DARWIN:
        return decode_ip6(s, c);
    case AF_IP4:
        return decode_ip4(s, c);
    default:
        return DECODED_UNKNOWN_ETHER;
    }
}

/* Linux "cooked": `protocol` is an ethertype, or one of Linux's own numbers for frames without one. */
static enum decoded decode_cooked(struct decode_state *s, struct cursor *c, uint16_t protocol) {
    enum { COOKED_8023 = 0x0001, COOKED_LLC = 0x0004 };
    if (!cursor_ok(c)) {
        return DECODED_CORRUPT;
    }
    if (protocol == COOKED_LLC) {
        return decode_llc(s, c);
    }
    if (protocol == COOKED_8023) {
        return DECODED_UNKNOWN_ETHER; /* Novell's raw 802.3: IPX */
    }
    return decode_ethertype(s, c, protocol);
}

static enum decoded decode_sll(struct decode_state *s, struct cursor *c) {
    cursor_skip(c, 14);
    uint16_t protocol = cursor_u16(c);
    return decode_cooked(s, c, protocol);
}

static enum decoded decode_sll2(struct decode_state *s, struct cursor *c) {
    uint16_t protocol = cursor_u16(c);
    cursor_skip(c, 18);
    return decode_cooked(s, c, protocol);
}

/* Behind the address and control bytes, where there are any. */
static enum decoded decode_ppp_protocol(struct decode_state *s, struct cursor *c) {
    enum { PPP_IP4 = 0x0021, PPP_IP6 = 0x0057, PPP_MPLS = 0x0281 };
    uint16_t protocol = cursor_u8(c);
    if (!(protocol & 1)) { /* a first byte that is odd is a protocol field of one byte (RFC 1661 §6.5) */
        protocol = (uint16_t)(protocol << 8 | cursor_u8(c));
    }
    if (!cursor_ok(c)) {
        return DECODED_CORRUPT;
    }
    switch (protocol) {
    case PPP_IP4:
        return decode_ip4(s, c);
    case PPP_IP6:
        return decode_ip6(s, c);
    case PPP_MPLS:
        return decode_mpls(s, c);
    default:
        return DECODED_UNKNOWN_ETHER;
    }
}

enum decoded decode_ppp(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    if (cursor_peek(c, 0) == 0xff && cursor_peek(c, 1) == 0x03) {
        c->at += 2;
    }
    return decode_ppp_protocol(s, c);
}

/* Cisco's HDLC: address, control, ethertype. */
static enum decoded decode_cisco_hdlc(struct decode_state *s, struct cursor *c) {
    cursor_skip(c, 2);
    uint16_t type = cursor_u16(c);
    return cursor_ok(c) ? decode_ethertype(s, c, type) : DECODED_CORRUPT;
}

static enum decoded decode_ppp_hdlc(struct decode_state *s, struct cursor *c) {
    int address = cursor_peek(c, 0);
    return address == 0x0f || address == 0x8f ? decode_cisco_hdlc(s, c) : decode_ppp(s, c);
}

/* RFC 2427 names content by NLPID behind a control byte; Cisco puts an ethertype right behind the address. */
enum decoded decode_frame_relay(struct decode_state *s, struct cursor *c) {
    enum { CONTROL_UI = 0x03, NLPID_SNAP = 0x80, NLPID_IP6 = 0x8e, NLPID_IP4 = 0xcc };
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    unsigned address = 0;
    do { /* the last address byte has its lowest bit set */
        address++;
    } while (!(cursor_u8(c) & 1) && cursor_ok(c) && address < 4);
    if (!cursor_ok(c) || address < 2) {
        return DECODED_CORRUPT;
    }
    if (cursor_peek(c, 0) != CONTROL_UI) {
        uint16_t type = cursor_u16(c);
        return cursor_ok(c) ? decode_ethertype(s, c, type) : DECODED_CORRUPT;
    }
    cursor_skip(c, 1);
    if (cursor_peek(c, 0) == 0) {
        cursor_skip(c, 1); /* padding that aligns what follows */
    }
    switch (cursor_u8(c)) {
    case NLPID_IP4:
        return decode_ip4(s, c);
    case NLPID_IP6:
        return decode_ip6(s, c);
    case NLPID_SNAP:
        return decode_snap(s, c);
    default:
        return cursor_ok(c) ? DECODED_UNKNOWN_ETHER : DECODED_CORRUPT;
    }
}

/* Netfilter log: attributes in the byte order of the machine that captured; one of them is the packet. */
static enum decoded decode_nflog(struct decode_state *s, struct cursor *c) {
    enum { ATTRIBUTE_PAYLOAD = 9 };
    uint8_t family = cursor_u8(c), version = cursor_u8(c);
    cursor_skip(c, 2);
    if (!cursor_ok(c) || version != 0) {
        return DECODED_CORRUPT;
    }
    while (cursor_left(c) >= 4) {
        uint16_t length = (uint16_t)(c->at[0] | c->at[1] << 8), type = (uint16_t)(c->at[2] | c->at[3] << 8);
        if (length < 4 || length > cursor_left(c)) {
            length = read_be16(c->at);
            type = read_be16(c->at + 2);
        }
        if (length < 4 || (length > cursor_left(c) && !(s->cut && type == ATTRIBUTE_PAYLOAD))) {
            return DECODED_CORRUPT;
        }
        if (type == ATTRIBUTE_PAYLOAD) {
            c->end = c->at + MIN((size_t)length, cursor_left(c));
            c->at += 4;
            return family == AF_IP4         ? decode_ip4(s, c)
                   : family == AF_IP6_LINUX ? decode_ip6(s, c)
                                            : DECODED_UNKNOWN_ETHER;
        }
        cursor_skip(c, MIN(((size_t)length + 3) & ~(size_t)3, cursor_left(c)));
    }
    return DECODED_CORRUPT;
}

/* 802.3br: preamble, a start delimiter that names the kind of frame, then Ethernet or the continuation of a cut-up
 * frame. */
static enum decoded decode_mpacket(struct decode_state *s, struct cursor *c) {
    while (cursor_peek(c, 0) == 0x55) {
        cursor_skip(c, 1);
    }
    switch (cursor_u8(c)) {
    case 0xd5: /* express */
        return decode_ethernet(s, c);
    case 0xe6: /* the start of a preemptable frame, perhaps not all of it */
    case 0x4c:
    case 0x7f:
    case 0xb3:
        s->cut = true;
        return decode_ethernet(s, c);
    default:
        return cursor_ok(c) ? DECODED_UNKNOWN_ETHER : DECODED_CORRUPT;
    }
}

struct link {
    uint16_t type;
    layer_fn decode;
};

static const struct link links[] = {
    {0, decode_null},          {1, decode_ethernet},     {9, decode_ppp},
    {12, decode_ip_any}, /* raw IP has had three numbers */
    {14, decode_ip_any},       {50, decode_ppp_hdlc},    {51, decode_pppoe},
    {101, decode_ip_any},      {104, decode_cisco_hdlc}, {105, decode_80211},
    {107, decode_frame_relay}, {108, decode_null},       {113, decode_sll},
    {127, decode_radiotap},    {228, decode_ip4},        {229, decode_ip6},
    {239, decode_nflog},       {274, decode_mpacket},    {276, decode_sll2},
};

enum decoded decode_link(struct decode_state *s, struct cursor *c) {
    if (LIKELY(s->p->link == 1)) {
        return decode_ethernet(s, c);
    }
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        if (links[i].type == s->p->link) {
            return links[i].decode(s, c);
        }
    }
    return DECODED_UNKNOWN_LINK;
}
