/*
 * One packet under construction, built from the inside out: the payload is put in the middle of a buffer, then each
 * header is pushed in front of what stands there already. A path is the list of headers below the transport (innermost
 * first), so that a tunnel in a tunnel is only a longer list. All checksums and lengths are right.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKET_HEADROOM 320
#define PACKET_MAX 12288
#define PATH_MAX_LAYERS 10

enum {
    PROTOCOL_ICMP = 1,
    PROTOCOL_IGMP = 2,
    PROTOCOL_IPIP = 4,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_IPV6 = 41,
    PROTOCOL_GRE = 47,
    PROTOCOL_ESP = 50,
    PROTOCOL_AH = 51,
    PROTOCOL_ICMP6 = 58,
    PROTOCOL_EIGRP = 88,
    PROTOCOL_OSPF = 89,
    PROTOCOL_PIM = 103,
    PROTOCOL_VRRP = 112,
    PROTOCOL_SCTP = 132,
};

enum layer_kind {
    LAYER_IPV4,
    LAYER_IPV6,
    LAYER_ETHERNET,
    LAYER_VLAN,   /* id = VLAN, type = TPID */
    LAYER_UDP,    /* of a tunnel: port[0] to port[1] in both directions */
    LAYER_GRE,    /* id = key, 0 for none */
    LAYER_ERSPAN, /* type II in GRE; id = session */
    LAYER_VXLAN,  /* id = VNI */
    LAYER_GENEVE, /* id = VNI */
    LAYER_GTPU,   /* id = TEID */
    LAYER_MPLS,   /* id = label */
    LAYER_PPPOE,  /* id = session */
};

enum fragment_order { FRAGMENTS_IN_ORDER, FRAGMENTS_REVERSED, FRAGMENTS_REPEATED, FRAGMENTS_LAST_MISSING };

/* Of a pair, [0] belongs to the client (the one who speaks first) and [1] to the server. */
struct layer {
    enum layer_kind kind;
    uint32_t id;
    uint16_t type;
    uint16_t port[2];
    uint16_t mtu;                  /* IP: packets above it are sent in fragments; 0 for any size */
    enum fragment_order fragments; /* IP: how those are sent */
    uint8_t traffic_class;
    uint8_t ttl[2];
    uint16_t ident[2];
    uint8_t mac[2][6];
    uint8_t address[2][16]; /* IPv4 in the first four bytes */
};

struct path {
    struct layer layers[PATH_MAX_LAYERS];
    unsigned count;
};

struct packet {
    uint8_t *start;
    uint8_t *end;
    uint16_t ethertype; /* what stands at start, for the header that comes before it ... */
    uint8_t protocol;   /* ... when that is a link layer, or IP */
    uint8_t room[PACKET_HEADROOM + PACKET_MAX];
};

/* What a transport says of itself in its header. */
struct segment {
    uint16_t port[2];
    uint32_t seq;
    uint32_t ack;
    uint16_t window;
    uint8_t flags;
    uint8_t option_length; /* a multiple of 4 */
    const uint8_t *options;
};

/* Takes a finished frame; called once for each frame that path_send makes. */
typedef void frame_sink(void *owner, const uint8_t *bytes, size_t length);

/* Starts a packet with a copy of the payload (cut at PACKET_MAX). */
void packet_begin(struct packet *p, const void *payload, size_t length);

/* Puts n bytes of room in front and returns them. */
uint8_t *packet_push(struct packet *p, size_t n);

/* Transports. `side` sends (0 client, 1 server); ip is the layer that will carry it, for the pseudo header. */
void packet_push_tcp(struct packet *p, const struct layer *ip, int side, const struct segment *s);
void packet_push_udp(struct packet *p, const struct layer *ip, int side, const uint16_t port[2]);

/* Internet checksum (RFC 1071) of the packet so far, with the pseudo header of ip when that is not NULL; in the byte
 * order in which it is to be stored. */
uint16_t packet_checksum(const struct packet *p, const struct layer *ip, int side);

/* Pushes the layers from `level` on and hands the frame, or the fragments, to the sink. */
void path_send(struct path *path, unsigned level, struct packet *p, int side, frame_sink *sink, void *owner);

/* Appends a zeroed layer of this kind; beyond the ceiling the last one is used again. */
struct layer *path_add(struct path *path, enum layer_kind kind);

static inline void put_be16(uint8_t *at, unsigned v) {
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *at, uint32_t v) {
    v = __builtin_bswap32(v);
    __builtin_memcpy(at, &v, 4);
}
