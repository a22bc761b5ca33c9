/* link.c: the link types of captures: which layer a frame begins with, and the small headers some of them put first.
 *
 * LINKTYPE numbers are those of the tcpdump group's registry (tcpdump.org/linktypes). The layer is chosen by one table.
 */
#include "decode/state.h"

struct link {
    uint16_t type;
    layer_fn decode;
};

static const struct link links[] = {
    {1, decode_ethernet}, {12, decode_ip_any}, {14, decode_ip_any},
    {101, decode_ip_any}, {228, decode_ip4},   {229, decode_ip6},
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

enum { PPP_IP4 = 0x0021, PPP_IP6 = 0x0057, PPP_MPLS = 0x0281 };

enum decoded decode_ppp_protocol(struct decode_state *s, struct cursor *c) {
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
    default:
        s->number = protocol;
        return DECODED_UNKNOWN_ETHER;
    }
}
