/* frame_text.c: see frame_text.h. The line is written the way tcpdump users know.
 *
 * The decoder has found the innermost addresses and payload already; here the layers before them are walked for what
 * they say. Between an outer layer and the innermost IP header stand tunnels, which the decoder names.
 */
#include "fetch/frame_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"
#include "record/document.h"

#define LINK_ETHERNET 1
#define OPTIONS_MAX 16

static void add_layer(struct frame_text *t, const char *name, uint32_t from, uint32_t to, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void add_layer(struct frame_text *t, const char *name, uint32_t from, uint32_t to, const char *format, ...) {
    if (t->count == FRAME_LAYERS_MAX) {
        return;
    }
    struct frame_layer *l = &t->layers[t->count++];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(l->text, sizeof(l->text), format, args);
    va_end(args);
    l->name = name;
    l->offset = from;
    l->length = to > from ? to - from : 0;
}

static void mac_text(const uint8_t *mac, char ret[18]) {
    ret[mac_write(mac, ret)] = 0;
}

/* --- below IP --- */

/* Ethernet and VLAN tags from `at` on; returns where what they carry begins. */
static uint32_t link_layers(struct frame_text *t, const struct packet *p, uint32_t at) {
    char src[18], dst[18];
    if (p->captured < at + 14) {
        add_layer(t, "Ethernet", at, p->captured, "cut off");
        return p->captured;
    }
    mac_text(p->data + at, dst);
    mac_text(p->data + at + 6, src);
    uint16_t type = read_be16(p->data + at + 12);
    add_layer(t, "Ethernet", at, at + 14, "%s > %s, type 0x%04x", src, dst, type);
    at += 14;
    while ((type == 0x8100 || type == 0x88a8 || type == 0x9100) && p->captured >= at + 4) {
        uint16_t tag = read_be16(p->data + at);
        const char *name = type == 0x88a8 ? "802.1ad" : "802.1Q";
        type = read_be16(p->data + at + 2);
        add_layer(t, name, at, at + 4, "VLAN %u, priority %u, type 0x%04x", tag & 0xfffu, tag >> 13, type);
        at += 4;
    }
    return at;
}

static const char *tunnel_title(unsigned tunnel) {
    static const char *const titles[TUNNEL_KINDS] = {
        [TUNNEL_GRE] = "GRE",       [TUNNEL_ERSPAN] = "ERSPAN", [TUNNEL_VXLAN] = "VXLAN",
        [TUNNEL_GENEVE] = "Geneve", [TUNNEL_GTP] = "GTP",       [TUNNEL_VXLAN_GPE] = "VXLAN-GPE",
        [TUNNEL_MPLS] = "MPLS",     [TUNNEL_PPP] = "PPP",       [TUNNEL_PPPOE] = "PPPoE",
        [TUNNEL_NSH] = "NSH",       [TUNNEL_AH] = "AH",         [TUNNEL_IPIP] = "IP in IP",
    };
    return tunnel < TUNNEL_KINDS && titles[tunnel] ? titles[tunnel] : "Tunnel";
}

/* What lies between the outermost layer and the innermost IP header. */
static void tunnel_layers(struct frame_text *t, const struct packet *p, uint32_t from, uint32_t to) {
    const struct layers *l = p->layers;
    for (unsigned i = 0; l && i < l->tunnel_count; i++) {
        bool last = i + 1u == l->tunnel_count;
        char src[48] = "", dst[48] = "";
        if (last && l->has_outer_ip) {
            src[ip_write(l->outer_src, src)] = 0;
            dst[ip_write(l->outer_dst, dst)] = 0;
        }
        char vni[24] = "";
        if (last && l->has_vni) {
            (void)snprintf(vni, sizeof(vni), ", VNI %u", l->vni);
        }
        add_layer(t, tunnel_title(l->tunnels[i]), from, to, "%s%s%s%s", src, src[0] ? " > " : "", dst, vni);
    }
}

/* --- IP --- */

static const char *protocol_name(uint8_t number, char ret[16]) {
    static const struct {
        uint8_t number;
        const char *name;
    } names[] = {{1, "ICMP"}, {2, "IGMP"},   {6, "TCP"},   {17, "UDP"},  {47, "GRE"},  {50, "ESP"},
                 {51, "AH"},  {58, "ICMP6"}, {89, "OSPF"}, {103, "PIM"}, {132, "SCTP"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].number == number) {
            return names[i].name;
        }
    }
    (void)snprintf(ret, 16, "protocol %u", number);
    return ret;
}

struct ends {
    char ip[2][48];
};

static bool ip_layer(struct frame_text *t, const struct packet *p, struct ends *ret) {
    uint8_t ip[2][16] = {{[10] = 0xff, [11] = 0xff}, {[10] = 0xff, [11] = 0xff}};
    size_t need = p->ip_version == 4 ? 20 : 40;
    char name[16];
    const uint8_t *h = p->data + p->ip_at;
    if (!p->ip_version || p->captured < p->ip_at + need) {
        return false;
    }
    for (unsigned side = 0; side < 2; side++) {
        if (p->ip_version == 4) {
            memcpy(ip[side] + 12, h + 12 + 4 * side, 4);
        } else {
            memcpy(ip[side], h + 8 + 16 * side, 16);
        }
        ret->ip[side][ip_write(ip[side], ret->ip[side])] = 0;
    }
    uint32_t end = p->transport_at > p->ip_at ? p->transport_at : p->ip_at + (uint32_t)need;
    if (p->ip_version == 4) {
        unsigned fragment = read_be16(h + 6);
        add_layer(t, "IPv4", p->ip_at, end, "%s > %s, %s, ttl %u, id %u%s%s%s, length %u", ret->ip[0], ret->ip[1],
                  protocol_name(h[9], name), h[8], read_be16(h + 4), fragment & 0x4000 ? ", DF" : "",
                  fragment & 0x2000 ? ", MF" : "", fragment & 0x1fff ? ", fragment" : "", read_be16(h + 2));
    } else {
        add_layer(t, "IPv6", p->ip_at, end, "%s > %s, %s, hop limit %u, payload length %u", ret->ip[0], ret->ip[1],
                  protocol_name(p->ip_protocol, name), h[7], read_be16(h + 4));
    }
    return true;
}

/* --- transports --- */

static void flags_text(uint8_t flags, char ret[10]) {
    static const struct {
        uint8_t bit;
        char letter;
    } letters[] = {{0x02, 'S'}, {0x01, 'F'}, {0x04, 'R'}, {0x08, 'P'},
                   {0x20, 'U'}, {0x40, 'E'}, {0x80, 'W'}, {0x10, '.'}};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (flags & letters[i].bit) {
            ret[n++] = letters[i].letter;
        }
    }
    if (n == 0) {
        memcpy(ret, "none", 4);
        n = 4;
    }
    ret[n] = 0;
}

struct text {
    char *at;
    size_t len, room;
};

static void text_add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void text_add(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = t->len < t->room ? vsnprintf(t->at + t->len, t->room - t->len, format, args) : 0;
    va_end(args);
    t->len = MIN(t->len + (size_t)MAX(n, 0), t->room - 1);
}

static void option_text(struct text *t, const uint8_t *o, unsigned kind, unsigned length) {
    static const char *const names[] = {"eol", "nop", "mss", "wscale", "sackOK", "sack", "echo", "echoreply", "TS"};
    if (kind == 2 && length == 4) {
        text_add(t, "mss %u", read_be16(o + 2));
    } else if (kind == 3 && length == 3) {
        text_add(t, "wscale %u", o[2]);
    } else if (kind == 8 && length == 10) {
        text_add(t, "TS val %u ecr %u", read_be32(o + 2), read_be32(o + 6));
    } else if (kind < ARRAY_LEN(names)) {
        text_add(t, "%s", names[kind]);
    } else {
        text_add(t, "option-%u", kind);
    }
}

static void options_text(struct text *t, const uint8_t *at, size_t len) {
    if (len == 0) {
        return;
    }
    text_add(t, ", options [");
    for (unsigned i = 0; len && i < OPTIONS_MAX; i++) {
        unsigned kind = at[0], length = kind > 1 && len > 1 ? at[1] : 1;
        text_add(t, "%s", i ? "," : "");
        if (length > len || (kind > 1 && length < 2)) {
            text_add(t, "bad");
            break;
        }
        option_text(t, at, kind, length);
        at += length;
        len = kind ? len - length : 0;
    }
    text_add(t, "]");
}

static void tcp_layer(struct frame_text *t, const struct packet *p, const struct ends *e) {
    const uint8_t *h = p->data + p->transport_at;
    uint32_t header = (h[12] >> 4) * 4u;
    header = MIN(MAX(header, 20u), p->captured - p->transport_at);
    char options[160] = "", ack[32] = "", seq[40];
    struct text text = {options, 0, sizeof(options)};
    uint32_t first = read_be32(h + 4);
    flags_text(h[13], t->flags);
    if (p->payload_len) {
        (void)snprintf(seq, sizeof(seq), "seq %u:%u", first, first + p->payload_len);
    } else {
        (void)snprintf(seq, sizeof(seq), "seq %u", first);
    }
    if (h[13] & 0x10) {
        (void)snprintf(ack, sizeof(ack), ", ack %u", read_be32(h + 8));
    }
    options_text(&text, h + 20, header - 20);
    add_layer(t, "TCP", p->transport_at, p->transport_at + header, "%u > %u, flags [%s], %s%s, win %u%s", read_be16(h),
              read_be16(h + 2), t->flags, seq, ack, read_be16(h + 14), options);
    (void)snprintf(t->summary, sizeof(t->summary), "%s.%u > %s.%u: Flags [%s], %s%s, win %u%s, length %u", e->ip[0],
                   read_be16(h), e->ip[1], read_be16(h + 2), t->flags, seq, ack, read_be16(h + 14), options,
                   p->payload_len);
}

static void udp_layer(struct frame_text *t, const struct packet *p, const struct ends *e) {
    const uint8_t *h = p->data + p->transport_at;
    add_layer(t, "UDP", p->transport_at, p->transport_at + 8u, "%u > %u, length %u", read_be16(h), read_be16(h + 2),
              read_be16(h + 4));
    (void)snprintf(t->summary, sizeof(t->summary), "%s.%u > %s.%u: UDP, length %u", e->ip[0], read_be16(h), e->ip[1],
                   read_be16(h + 2), p->payload_len);
}

static void icmp_layer(struct frame_text *t, const struct packet *p, const struct ends *e) {
    static const char *const names4[] = {
        [0] = "echo reply",         [3] = "unreachable",          [4] = "source quench",        [5] = "redirect",
        [8] = "echo request",       [9] = "router advertisement", [10] = "router solicitation", [11] = "time exceeded",
        [12] = "parameter problem", [13] = "timestamp",           [14] = "timestamp reply"};
    static const char *const names6[] = {
        [1] = "unreachable", [2] = "packet too big", [3] = "time exceeded", [4] = "parameter problem"};
    static const char *const names6_high[] = {"echo request",           "echo reply",
                                              "listener query",         "listener report",
                                              "listener done",          "router solicitation",
                                              "router advertisement",   "neighbor solicitation",
                                              "neighbor advertisement", "redirect"};
    const uint8_t *h = p->data + p->transport_at;
    const char *title = p->ip_protocol == 58 ? "ICMPv6" : "ICMP", *name = NULL;
    if (p->ip_protocol != 58) {
        name = h[0] < ARRAY_LEN(names4) ? names4[h[0]] : NULL;
    } else if (h[0] >= 128) {
        name = h[0] - 128u < ARRAY_LEN(names6_high) ? names6_high[h[0] - 128] : NULL;
    } else {
        name = h[0] < ARRAY_LEN(names6) ? names6[h[0]] : NULL;
    }
    add_layer(t, title, p->transport_at, p->captured, "%s, type %u, code %u", name ? name : "message", h[0], h[1]);
    (void)snprintf(t->summary, sizeof(t->summary), "%s > %s: %s %s, code %u, length %u", e->ip[0], e->ip[1], title,
                   name ? name : "message", h[1], p->captured - p->transport_at);
}

static void transport_layer(struct frame_text *t, const struct packet *p, const struct ends *e) {
    uint32_t rest = p->captured > p->transport_at ? p->captured - p->transport_at : 0;
    char name[16];
    if (p->ip_protocol == 6 && rest >= 20) {
        tcp_layer(t, p, e);
    } else if (p->ip_protocol == 17 && rest >= 8) {
        udp_layer(t, p, e);
    } else if ((p->ip_protocol == 1 || p->ip_protocol == 58) && rest >= 2) {
        icmp_layer(t, p, e);
    } else {
        (void)snprintf(t->summary, sizeof(t->summary), "%s > %s: %s, length %u", e->ip[0], e->ip[1],
                       protocol_name(p->ip_protocol, name), rest);
    }
}

/* --- not IP --- */

static void arp_layer(struct frame_text *t, const struct packet *p, uint32_t at) {
    const uint8_t *h = p->data + at;
    char mac[18];
    if (p->captured < at + 28 || read_be16(h + 2) != 0x0800 || h[4] != 6 || h[5] != 4) {
        add_layer(t, "ARP", at, p->captured, "not for IPv4 over Ethernet");
        (void)snprintf(t->summary, sizeof(t->summary), "ARP, length %u", p->captured - at);
        return;
    }
    unsigned operation = read_be16(h + 6);
    mac_text(h + 8, mac);
    if (operation == 1) {
        (void)snprintf(t->summary, sizeof(t->summary), "ARP, Request who-has %u.%u.%u.%u tell %u.%u.%u.%u", h[24],
                       h[25], h[26], h[27], h[14], h[15], h[16], h[17]);
    } else {
        (void)snprintf(t->summary, sizeof(t->summary), "ARP, %s %u.%u.%u.%u is-at %s",
                       operation == 2 ? "Reply" : "operation", h[14], h[15], h[16], h[17], mac);
    }
    add_layer(t, "ARP", at, at + 28, "%s", t->summary + 5);
}

void frame_describe(const struct packet *p, struct frame_text *ret) {
    struct ends e;
    uint32_t at = 0;
    ret->count = 0;
    ret->summary[0] = ret->flags[0] = 0;
    bool ethernet = p->link == LINK_ETHERNET && !(p->flags & PACKET_REASSEMBLED);
    if (ethernet) {
        at = link_layers(ret, p, 0);
    } else if (p->ip_version && p->ip_at && !(p->flags & PACKET_REASSEMBLED)) {
        add_layer(ret, "Link", 0, p->ip_at, "link type %u", p->link);
        at = p->ip_at;
    }
    if (p->layers && p->layers->tunnel_count && p->ip_version) {
        tunnel_layers(ret, p, at, p->ip_at);
    }
    if (ip_layer(ret, p, &e)) {
        transport_layer(ret, p, &e);
    } else if (ethernet && at >= 14 && at <= p->captured && read_be16(p->data + at - 2) == 0x0806) {
        arp_layer(ret, p, at);
    }
    if (p->payload_len && p->ip_version) {
        add_layer(ret, p->flags & PACKET_REASSEMBLED ? "Payload, reassembled" : "Payload", p->payload_at,
                  p->payload_at + p->payload_len, "%u bytes", p->payload_len);
    }
    if (!ret->summary[0]) {
        (void)snprintf(ret->summary, sizeof(ret->summary), "ethertype 0x%04x, length %u", p->ethertype, p->wire);
    }
}
