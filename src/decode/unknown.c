/* unknown.c: what happens to frames the decoder cannot place: the setting saveUnknownPackets, and their sessions.
 *
 * A frame of an unknown protocol becomes a session of its addresses and protocol number; a frame that makes no sense
 * one of its addresses alone (IP's where an IP header was still good, else Ethernet's).
 */
#include <errno.h>

#include "decode/state.h"

struct named {
    const char *name;
    uint16_t number;
};

static const struct named ip_names[] = {
    {"icmp", 1},      {"igmp", 2},         {"ipip", 4},   {"ipencap", 4},    {"tcp", 6},    {"egp", 8},
    {"igp", 9},       {"udp", 17},         {"dccp", 33},  {"ipv6", 41},      {"rsvp", 46},  {"gre", 47},
    {"esp", 50},      {"ah", 51},          {"icmp6", 58}, {"ipv6-icmp", 58}, {"eigrp", 88}, {"ospf", 89},
    {"pim", 103},     {"ipcomp", 108},     {"vrrp", 112}, {"l2tp", 115},     {"isis", 124}, {"sctp", 132},
    {"udplite", 136}, {"mpls-in-ip", 137},
};

static const struct named ether_names[] = {
    {"ip", 0x0800},       {"arp", 0x0806},      {"rarp", 0x8035},  {"aarp", 0x80f3},
    {"ipx", 0x8137},      {"ipv6", 0x86dd},     {"mpls", 0x8847},  {"pppoed", 0x8863},
    {"pppoes", 0x8864},   {"eapol", 0x888e},    {"lldp", 0x88cc},  {"ptp", 0x88f7},
    {"loopback", 0x9000}, {"profinet", 0x8892}, {"goose", 0x88b8}, {"macsec", 0x88e5},
};

static void bits_set(uint8_t *bits, size_t bytes, uint32_t number, bool value) {
    if (number / 8 < bytes) {
        uint8_t mask = (uint8_t)(1u << (number & 7));
        bits[number / 8] = (uint8_t)(value ? bits[number / 8] | mask : bits[number / 8] & ~mask);
    }
}

static bool bits_has(const uint8_t *bits, uint32_t number) {
    return bits[number / 8] >> (number & 7) & 1;
}

/* Decimal or 0x hexadecimal. */
static bool number_parse(struct span text, uint64_t max, uint64_t *ret_value) {
    if (!span_starts_fold(text, SPAN_LITERAL("0x"))) {
        return span_decimal(text, max, ret_value);
    }
    uint64_t value = 0;
    if (text.len < 3 || text.len > 6) {
        return false;
    }
    for (size_t i = 2; i < text.len; i++) {
        uint8_t ch = text.at[i] | 0x20;
        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'f'))) {
            return false;
        }
        value = value << 4 | (uint64_t)(ch <= '9' ? ch - '0' : ch - 'a' + 10);
    }
    *ret_value = value;
    return value <= max;
}

static bool which_parse(struct span word, const struct named *names, size_t count, uint8_t *bits, size_t bytes,
                        bool value) {
    if (span_is(word, "all")) {
        memset(bits, value ? 0xff : 0, bytes);
        return true;
    }
    uint64_t number;
    if (number_parse(word, bytes * 8 - 1, &number)) {
        bits_set(bits, bytes, (uint32_t)number, value);
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        if (span_equal_fold(word, span_text(names[i].name))) {
            bits_set(bits, bytes, names[i].number, value);
            return true;
        }
    }
    return false;
}

static bool rule_parse(struct unknown_rules *r, struct span word) {
    bool value = true;
    if (span_starts(word, SPAN_LITERAL("-"))) {
        value = false;
        word = span_from(word, 1);
    }
    if (span_is(word, "all")) {
        memset(r->ip, value ? 0xff : 0, sizeof(r->ip));
        memset(r->ether, value ? 0xff : 0, sizeof(r->ether));
        return true;
    }
    if (span_is(word, "corrupt")) {
        r->corrupt = value;
        return true;
    }
    if (span_starts(word, SPAN_LITERAL("ip:"))) {
        return which_parse(span_from(word, 3), ip_names, ARRAY_LEN(ip_names), r->ip, sizeof(r->ip), value);
    }
    if (span_starts(word, SPAN_LITERAL("ether:"))) {
        return which_parse(span_from(word, 6), ether_names, ARRAY_LEN(ether_names), r->ether, sizeof(r->ether), value);
    }
    return false;
}

int unknown_rules_parse(const struct decode_settings *settings, struct unknown_rules *ret_rules, struct err *ret_err) {
    int result = 0;
    memset(ret_rules, 0, sizeof(*ret_rules));
    for (size_t i = 0; i < settings->save_unknown.count; i++) {
        struct span word = span_trim(span_text(settings->save_unknown.items[i]));
        if (word.len && !rule_parse(ret_rules, word) && !result) {
            result =
                err_set(ret_err, -EINVAL, "saveUnknownPackets: \"%s\" is no protocol", settings->save_unknown.items[i]);
            err_hint(ret_err,
                     "write all, corrupt, ip:all, ether:all, ip:NUMBER or ether:NUMBER, with - in front to take out");
        }
    }
    return result;
}

uint32_t disabled_parse(const struct decode_settings *settings) {
    static const char *const names[OTHER_KINDS] = {
        [OTHER_ARP] = "arp",   [OTHER_DHCP] = "dhcp", [OTHER_DHCPV6] = "dhcpv6", [OTHER_IGMP] = "igmp",
        [OTHER_PIM] = "pim",   [OTHER_OSPF] = "ospf", [OTHER_LLDP] = "lldp",     [OTHER_ISIS] = "isis",
        [OTHER_ESIS] = "esis", [OTHER_XID] = "xid",
    };
    uint32_t disabled = 0;
    for (size_t i = 0; i < settings->disable_parsers.count; i++) {
        struct span word = span_trim(span_text(settings->disable_parsers.items[i]));
        if (span_ends(word, SPAN_LITERAL(".so"))) {
            word.len -= 3;
        }
        for (unsigned o = 0; o < OTHER_KINDS; o++) {
            if (names[o] && span_is(word, names[o])) {
                disabled |= 1u << o;
            }
        }
    }
    return disabled;
}

enum decoded unknown_session(struct decode_state *s, enum decoded how) {
    const struct unknown_rules *rules = &s->d->unknown;
    switch (how) {
    case DECODED_UNKNOWN_ETHER:
        return bits_has(rules->ether, s->number & 0xffff) ? flow_key_macs(s, OTHER_UNKNOWN_ETHER, (uint16_t)s->number)
                                                          : DECODED_IGNORED;
    case DECODED_UNKNOWN_IP:
        return bits_has(rules->ip, s->number & 0xff)
                   ? flow_key_addresses(s, FLOW_OTHER, OTHER_UNKNOWN_IP, (uint16_t)s->number)
                   : DECODED_IGNORED;
    case DECODED_CORRUPT:
        if (!rules->corrupt) {
            return DECODED_IGNORED;
        }
        s->p->transport_at = s->p->payload_at = 0;
        s->p->payload_len = 0;
        return s->p->ip_version ? flow_key_addresses(s, FLOW_OTHER, OTHER_CORRUPT_IP, 0)
                                : flow_key_macs(s, OTHER_CORRUPT_ETHER, 0);
    default:
        return DECODED_IGNORED;
    }
}
