/* wireless.c: 802.11 data frames, bare and behind a radiotap header.
 *
 * IEEE 802.11-2020 §9.2 and 9.3.2; radiotap.org. Only data frames that carry LLC are followed, and only in the clear;
 * of an aggregate (A-MSDU) the first subframe. Addresses are noted only where the frame has destination and source side
 * by side (no distribution system): elsewhere they stand in an order the packet's one offset cannot name.
 */
#include "decode/state.h"

enum {
    TYPE_MASK = 0x0c,
    TYPE_DATA = 0x08,
    SUBTYPE_NO_DATA = 0x40,
    SUBTYPE_QOS = 0x80,
    TO_DS = 0x01,
    FROM_DS = 0x02,
    PROTECTED = 0x40,
    ORDER = 0x80, /* a QoS frame with it has a high-throughput control field */
};

/* True when the header is padded to a multiple of four (radiotap's flags field, bit 0x20). */
static bool radiotap_padded(struct span header) {
    struct cursor c = cursor_over(header);
    cursor_skip(&c, 4);
    uint32_t present = cursor_u32le(&c);
    for (uint32_t more = present; more & 0x80000000u && cursor_ok(&c);) {
        more = cursor_u32le(&c);
    }
    if (!(present & 2)) {
        return false;
    }
    if (present & 1) { /* a timestamp stands first, aligned to its size */
        cursor_skip(&c, (size_t)(-(c.at - header.at) & 7) + 8);
    }
    return cursor_u8(&c) & 0x20;
}

static enum decoded decode_wlan(struct decode_state *s, struct cursor *c, bool padded) {
    const uint8_t *h = cursor_take(c, 24);
    if (!h || h[0] & 3) {
        return DECODED_CORRUPT;
    }
    bool data = (h[0] & TYPE_MASK) == TYPE_DATA && !(h[0] & SUBTYPE_NO_DATA);
    bool later_fragment = h[22] & 0x0f;
    if (!data || h[1] & PROTECTED || later_fragment) {
        return DECODED_UNKNOWN_ETHER;
    }
    bool aggregate = false;
    if ((h[1] & (TO_DS | FROM_DS)) == (TO_DS | FROM_DS)) {
        cursor_skip(c, 6);
    }
    if (h[0] & SUBTYPE_QOS) {
        aggregate = cursor_u16le(c) & 0x80;
        if (h[1] & ORDER) {
            cursor_skip(c, 4);
        }
    }
    if (padded && cursor_ok(c)) {
        cursor_skip(c, (size_t)(-(c->at - h) & 3));
    }
    if (!(h[1] & (TO_DS | FROM_DS))) {
        s->p->mac_at = state_offset(s, h + 4);
        s->p->flags |= PACKET_HAS_MAC;
    }
    if (aggregate) {
        cursor_skip(c, 14);
    }
    return cursor_ok(c) ? decode_llc(s, c) : DECODED_CORRUPT;
}

enum decoded decode_80211(struct decode_state *s, struct cursor *c) {
    return decode_wlan(s, c, false);
}

enum decoded decode_radiotap(struct decode_state *s, struct cursor *c) {
    if (c->end - c->at < 8 || c->at[0] != 0) {
        return DECODED_CORRUPT;
    }
    size_t length = (size_t)c->at[2] | (size_t)c->at[3] << 8;
    struct span header = cursor_span(c, length);
    if (length < 8 || !cursor_ok(c)) {
        return DECODED_CORRUPT;
    }
    return decode_wlan(s, c, radiotap_padded(header));
}
