/* mpls.c: label stacks and what is guessed to be behind them.
 *
 * RFC 3032 (labels), 4385 and 4448 (pseudowires with and without a control word), 5586 (associated channel). MPLS does
 * not say what it carries: the first nibble decides as in routers (RFC 4928), but an Ethernet address may begin with
 * the same nibble, so what claims to be IP has to have believable lengths, and Ethernet a believable type.
 */
#include "decode/state.h"

enum { LABELS_MAX = 64, ETHERNET_HEADER = 14 };

static bool looks_like_ethernet(const struct cursor *c, size_t ahead) {
    if (cursor_left(c) < ahead + ETHERNET_HEADER + 1) {
        return false;
    }
    const uint8_t *frame = c->at + ahead;
    uint16_t type = read_be16(frame + 12);
    if (type <= 1500) {
        return type >= 3 && cursor_left(c) - ahead - ETHERNET_HEADER >= type;
    }
    if (type == 0x0800) {
        return frame[14] >> 4 == 4;
    }
    if (type == 0x86dd) {
        return frame[14] >> 4 == 6;
    }
    return ethertype_known(type);
}

static bool looks_like_ip4(const struct decode_state *s, const struct cursor *c) {
    size_t there = cursor_left(c);
    if (there < 20 || (c->at[0] & 15) < 5) {
        return false;
    }
    size_t length = read_be16(c->at + 2);
    return length >= 20 && (length <= there || s->cut);
}

static bool looks_like_ip6(const struct decode_state *s, const struct cursor *c) {
    size_t there = cursor_left(c);
    return there >= 40 && (read_be16(c->at + 4) + (size_t)40 <= there || s->cut);
}

static enum decoded decode_pseudowire(struct decode_state *s, struct cursor *c) {
    if (cursor_peek(c, 0) >> 4 == 0 && looks_like_ethernet(c, 4)) {
        c->at += 4; /* control word */
        return decode_ethernet(s, c);
    }
    if (looks_like_ethernet(c, 0)) {
        return decode_ethernet(s, c);
    }
    return DECODED_UNKNOWN_ETHER;
}

enum decoded decode_mpls(struct decode_state *s, struct cursor *c) {
    if (!state_enter(s, c)) {
        return DECODED_TOO_DEEP;
    }
    uint32_t label = 0;
    for (unsigned i = 0; i < LABELS_MAX && !(label & 0x100); i++) {
        label = cursor_u32(c);
        if (!cursor_ok(c)) {
            return DECODED_CORRUPT;
        }
    }
    if (!(label & 0x100)) {
        return DECODED_CORRUPT;
    }
    state_tunnel(s, TUNNEL_MPLS);
    s->number = 0x8847;
    int nibble = cursor_peek(c, 0) >> 4;
    bool four = nibble == 4, six = nibble == 6;
    if ((four && looks_like_ip4(s, c)) || (six && looks_like_ip6(s, c))) {
        return four ? decode_ip4(s, c) : decode_ip6(s, c);
    }
    enum decoded how = decode_pseudowire(s, c);
    return how == DECODED_UNKNOWN_ETHER && (four || six) ? DECODED_CORRUPT : how;
}
