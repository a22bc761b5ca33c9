/*
 * Headers and checksums: RFC 791 and 8200 (IP), 9293 (TCP), 768 (UDP), 1071 (checksum), 2784 and 2890 (GRE), 7348
 * (VXLAN), 8926 (Geneve), 3032 (MPLS), 2516 (PPPoE), 3GPP 29.281 (GTP-U), draft-foschiano-erspan (ERSPAN II). A layer
 * is pushed by one case of a switch; only fragmentation needs a second packet, and so has a function of its own.
 */
#include "packet.h"

#include <string.h>

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_BRIDGED 0x6558
#define ETHERTYPE_IPV6 0x86dd
#define ETHERTYPE_MPLS 0x8847
#define ETHERTYPE_PPPOE 0x8864
#define ETHERTYPE_ERSPAN 0x88be
#define PROTOCOL_FRAGMENT 44

/* Sums in the machine's byte order; a one's complement sum comes out right in either. */
static uint64_t checksum_add(uint64_t sum, const void *bytes, size_t n) {
    const uint8_t *at = bytes;
    for (; n >= 8; n -= 8, at += 8) {
        uint64_t v;
        memcpy(&v, at, 8);
        sum += (v & 0xffffffffu) + (v >> 32);
    }
    uint64_t rest = 0;
    memcpy(&rest, at, n);
    return sum + (rest & 0xffffffffu) + (rest >> 32);
}

static uint16_t checksum_fold(uint64_t sum) {
    sum = (sum & 0xffffffffu) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static size_t address_length(const struct layer *ip) {
    return ip->kind == LAYER_IPV6 ? 16 : 4;
}

static uint64_t pseudo_header(const struct layer *ip, unsigned protocol, size_t length) {
    uint8_t tail[8] = {0};
    put_be32(tail, (uint32_t)length);
    tail[7] = (uint8_t)protocol;
    uint64_t sum = checksum_add(0, tail, sizeof tail);
    sum = checksum_add(sum, ip->address[0], address_length(ip));
    return checksum_add(sum, ip->address[1], address_length(ip));
}

void packet_begin(struct packet *p, const void *payload, size_t length) {
    if (length > PACKET_MAX) {
        length = PACKET_MAX;
    }
    p->start = p->room + PACKET_HEADROOM;
    p->end = p->start + length;
    p->ethertype = 0;
    p->protocol = 0;
    if (length > 0) {
        memcpy(p->start, payload, length);
    }
}

uint8_t *packet_push(struct packet *p, size_t n) {
    p->start -= n;
    return p->start;
}

uint16_t packet_checksum(const struct packet *p, const struct layer *ip, int side) {
    (void)side; /* the sum of both addresses is the same for both directions */
    size_t length = (size_t)(p->end - p->start);
    uint64_t sum = ip != NULL ? pseudo_header(ip, p->protocol, length) : 0;
    return checksum_fold(checksum_add(sum, p->start, length));
}

void packet_push_tcp(struct packet *p, const struct layer *ip, int side, const struct segment *s) {
    size_t header = 20u + s->option_length;
    uint8_t *h = packet_push(p, header);
    put_be16(h, s->port[side]);
    put_be16(h + 2, s->port[!side]);
    put_be32(h + 4, s->seq);
    put_be32(h + 8, s->ack);
    h[12] = (uint8_t)(header / 4 << 4);
    h[13] = s->flags;
    put_be16(h + 14, s->window);
    memset(h + 16, 0, 4);
    if (s->option_length > 0) {
        memcpy(h + 20, s->options, s->option_length);
    }
    p->protocol = PROTOCOL_TCP;
    uint16_t sum = packet_checksum(p, ip, side);
    memcpy(h + 16, &sum, 2);
}

void packet_push_udp(struct packet *p, const struct layer *ip, int side, const uint16_t port[2]) {
    uint8_t *h = packet_push(p, 8);
    put_be16(h, port[side]);
    put_be16(h + 2, port[!side]);
    put_be16(h + 4, (unsigned)(p->end - p->start));
    memset(h + 6, 0, 2);
    p->protocol = PROTOCOL_UDP;
    uint16_t sum = packet_checksum(p, ip, side);
    sum = sum == 0 ? 0xffff : sum;
    memcpy(h + 6, &sum, 2);
}

/* `fragment` is the offset in bytes with the lowest bit as "more fragments"; 1 is never an offset of its own. */
static void push_ipv4(struct layer *ip, struct packet *p, int side, unsigned fragment) {
    bool whole = ip->mtu == 0;
    uint8_t *h = packet_push(p, 20);
    h[0] = 0x45;
    h[1] = ip->traffic_class;
    put_be16(h + 2, (unsigned)(p->end - p->start));
    put_be16(h + 4, ip->ident[side]);
    put_be16(h + 6, (whole ? 0x4000u : 0u) | (fragment & 1) << 13 | fragment >> 3);
    h[8] = ip->ttl[side];
    h[9] = p->protocol;
    memset(h + 10, 0, 2);
    memcpy(h + 12, ip->address[side], 4);
    memcpy(h + 16, ip->address[!side], 4);
    uint16_t sum = checksum_fold(checksum_add(0, h, 20));
    memcpy(h + 10, &sum, 2);
    p->ethertype = ETHERTYPE_IPV4;
    p->protocol = PROTOCOL_IPIP;
}

static void push_ipv6(struct layer *ip, struct packet *p, int side, bool fragmented, unsigned fragment) {
    if (fragmented) {
        uint8_t *f = packet_push(p, 8);
        f[0] = p->protocol;
        f[1] = 0;
        put_be16(f + 2, (fragment & 0xfff8) | (fragment & 1));
        put_be32(f + 4, 0x5e110000u + ip->ident[side]);
        p->protocol = PROTOCOL_FRAGMENT;
    }
    size_t length = (size_t)(p->end - p->start);
    uint8_t *h = packet_push(p, 40);
    put_be32(h, 0x60000000u | (uint32_t)ip->traffic_class << 20);
    put_be16(h + 4, (unsigned)length);
    h[6] = p->protocol;
    h[7] = ip->ttl[side];
    memcpy(h + 8, ip->address[side], 16);
    memcpy(h + 24, ip->address[!side], 16);
    p->ethertype = ETHERTYPE_IPV6;
    p->protocol = PROTOCOL_IPV6;
}

static void push_ethernet(const struct layer *l, struct packet *p, int side) {
    uint8_t *h = packet_push(p, 14);
    memcpy(h, l->mac[!side], 6);
    memcpy(h + 6, l->mac[side], 6);
    put_be16(h + 12, p->ethertype);
    p->ethertype = ETHERTYPE_BRIDGED;
}

static void push_gre(const struct layer *l, struct packet *p) {
    uint8_t *h = packet_push(p, l->id != 0 ? 8 : 4);
    put_be16(h, l->id != 0 ? 0x2000 : 0);
    put_be16(h + 2, p->ethertype);
    if (l->id != 0) {
        put_be32(h + 4, l->id);
    }
    p->protocol = PROTOCOL_GRE;
}

static void push_erspan(struct layer *l, struct packet *p, int side) {
    uint8_t *h = packet_push(p, 16);
    put_be32(h, 0x10000000u | ETHERTYPE_ERSPAN); /* a sequence number is present */
    put_be32(h + 4, l->ident[side]++);
    put_be16(h + 8, 0x1001); /* version 1, VLAN 1 */
    put_be16(h + 10, l->id & 0x3ff);
    put_be32(h + 12, 7);
    p->protocol = PROTOCOL_GRE;
}

static void push_pppoe(const struct layer *l, struct packet *p) {
    unsigned length = (unsigned)(p->end - p->start) + 2;
    uint8_t *h = packet_push(p, 8);
    put_be16(h, 0x1100);
    put_be16(h + 2, l->id);
    put_be16(h + 4, length);
    put_be16(h + 6, p->ethertype == ETHERTYPE_IPV6 ? 0x0057 : 0x0021);
    p->ethertype = ETHERTYPE_PPPOE;
}

static void push_mpls(const struct layer *l, struct packet *p) {
    bool bottom = p->ethertype != ETHERTYPE_MPLS;
    put_be32(packet_push(p, 4), l->id << 12 | (bottom ? 0x100u : 0u) | 62);
    p->ethertype = ETHERTYPE_MPLS;
}

/* The eight bytes of VXLAN, Geneve or GTP-U, which UDP carries. */
static void push_overlay(const struct layer *l, struct packet *p) {
    unsigned length = (unsigned)(p->end - p->start);
    uint8_t *h = packet_push(p, 8);
    if (l->kind == LAYER_GTPU) {
        put_be16(h, 0x30ff);
        put_be16(h + 2, length);
        put_be32(h + 4, l->id);
        return;
    }
    put_be32(h, l->kind == LAYER_VXLAN ? 0x08000000u : p->ethertype);
    put_be32(h + 4, l->id << 8);
}

static void layer_push(struct path *path, unsigned level, struct packet *p, int side) {
    struct layer *l = &path->layers[level];
    switch (l->kind) {
    case LAYER_IPV4:
        push_ipv4(l, p, side, 0);
        l->ident[side]++;
        break;
    case LAYER_IPV6:
        push_ipv6(l, p, side, false, 0);
        break;
    case LAYER_ETHERNET:
        push_ethernet(l, p, side);
        break;
    case LAYER_VLAN: {
        uint8_t *h = packet_push(p, 4);
        put_be16(h, l->id);
        put_be16(h + 2, p->ethertype);
        p->ethertype = l->type;
        break;
    }
    case LAYER_UDP:
        packet_push_udp(p, &path->layers[level + 1], 0, l->port);
        break;
    case LAYER_GRE:
        push_gre(l, p);
        break;
    case LAYER_ERSPAN:
        push_erspan(l, p, side);
        break;
    case LAYER_MPLS:
        push_mpls(l, p);
        break;
    case LAYER_PPPOE:
        push_pppoe(l, p);
        break;
    case LAYER_VXLAN:
    case LAYER_GENEVE:
    case LAYER_GTPU:
        push_overlay(l, p);
        break;
    }
}

static bool needs_fragments(const struct layer *l, const struct packet *p) {
    bool ip = l->kind == LAYER_IPV4 || l->kind == LAYER_IPV6;
    size_t header = l->kind == LAYER_IPV6 ? 40 : 20;
    return ip && l->mtu != 0 && (size_t)(p->end - p->start) + header > l->mtu;
}

/* Pushes the remaining layers; a layer that has to cut the packet goes back through path_send, once for each piece. */
static void finish_frame(struct path *path, unsigned level, struct packet *p, int side, frame_sink *sink, void *owner) {
    for (; level < path->count; level++) {
        if (needs_fragments(&path->layers[level], p)) {
            path_send(path, level, p, side, sink, owner);
            return;
        }
        layer_push(path, level, p, side);
    }
    sink(owner, p->start, (size_t)(p->end - p->start));
}

/* Sends the packet in pieces, in the order that the layer asks for. */
static void send_fragments(struct path *path, unsigned level, const struct packet *p, int side, frame_sink *sink,
                           void *owner) {
    struct layer *ip = &path->layers[level];
    size_t total = (size_t)(p->end - p->start);
    size_t step = (ip->mtu - (ip->kind == LAYER_IPV6 ? 48u : 20u)) & ~(size_t)7;
    size_t count = (total + step - 1) / step;
    size_t sent = ip->fragments == FRAGMENTS_LAST_MISSING ? count - 1 : count;
    size_t again = ip->fragments == FRAGMENTS_REPEATED ? 1 : 0;
    for (size_t i = 0; i < sent + again; i++) {
        size_t nth = i % sent;
        if (ip->fragments == FRAGMENTS_REVERSED) {
            nth = count - 1 - i;
        }
        size_t offset = nth * step;
        size_t length = total - offset < step ? total - offset : step;
        struct packet piece;
        packet_begin(&piece, p->start + offset, length);
        piece.protocol = p->protocol;
        unsigned fragment = (unsigned)offset | (offset + length < total ? 1 : 0);
        if (ip->kind == LAYER_IPV6) {
            push_ipv6(ip, &piece, side, true, fragment);
        } else {
            push_ipv4(ip, &piece, side, fragment);
        }
        finish_frame(path, level + 1, &piece, side, sink, owner);
    }
    ip->ident[side]++;
}

void path_send(struct path *path, unsigned level, struct packet *p, int side, frame_sink *sink, void *owner) {
    if (level < path->count && needs_fragments(&path->layers[level], p)) {
        send_fragments(path, level, p, side, sink, owner);
        return;
    }
    finish_frame(path, level, p, side, sink, owner);
}

struct layer *path_add(struct path *path, enum layer_kind kind) {
    if (path->count < PATH_MAX_LAYERS) {
        path->count++;
    }
    struct layer *l = &path->layers[path->count - 1];
    memset(l, 0, sizeof *l);
    l->kind = kind;
    l->ttl[0] = 64;
    l->ttl[1] = 64;
    return l;
}
