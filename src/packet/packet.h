/* packet.h: what one captured frame is, and the batch in which frames travel.
 *
 * Owner: the batch; bytes belong to the batch's block (or, for reassembled datagrams, to the decoder until its next
 * batch). Thread: one at a time, moved whole. Cost: two cache lines a packet. Failure: none.
 */
#ifndef SEINE_PACKET_PACKET_H
#define SEINE_PACKET_PACKET_H

#include "base/span.h"
#include "packet/block.h"

/* Which table a packet's session lives in, and which timeout it has. */
enum flow_kind {
    FLOW_NONE, /* not made into a session */
    FLOW_TCP,
    FLOW_UDP,
    FLOW_ICMP,
    FLOW_SCTP,
    FLOW_ESP,
    FLOW_OTHER, /* keyed by a protocol of its own: see flow_other */
};

/* Protocols with a key of their own (enum value is part of the key). */
enum flow_other {
    OTHER_NONE,
    OTHER_ARP,
    OTHER_DHCP,
    OTHER_DHCPV6,
    OTHER_IGMP,
    OTHER_PIM,
    OTHER_OSPF,
    OTHER_LLDP,
    OTHER_ISIS,
    OTHER_ESIS,
    OTHER_XID,
    OTHER_UNKNOWN_IP,
    OTHER_UNKNOWN_ETHER,
    OTHER_CORRUPT_IP,
    OTHER_CORRUPT_ETHER,
    OTHER_KINDS,
};

/* The symmetric identity of a flow: the lower (address, port) first. IPv4 is held as ::ffff:a.b.c.d. 40 bytes, no
 * padding. */
struct flow_key {
    uint8_t low[16], high[16];
    uint16_t low_port, high_port;
    uint32_t tag; /* kind << 28 | other << 24 | vlan or vni (24 bits) */
};
#define FLOW_NETWORK_MASK 0x00ffffffu
_Static_assert(sizeof(struct flow_key) == 40, "flow_key is hashed as bytes");

/* Layers met on the way in, beyond plain Ethernet and IP: only packets that have any carry one. */
#define LAYERS_VLANS 8
#define LAYERS_TUNNELS 8
struct layers {
    uint8_t vlan_count;
    uint8_t tunnel_count;
    uint8_t has_outer_ip : 1, has_outer_mac : 1, has_vni : 1;
    uint16_t vlan_id[LAYERS_VLANS];   /* outermost first */
    uint16_t vlan_type[LAYERS_VLANS]; /* 0x8100 or 0x88a8 */
    uint8_t tunnels[LAYERS_TUNNELS];  /* enum tunnel, in order */
    uint32_t vni;
    uint8_t outer_src[16], outer_dst[16]; /* of the layer directly outside the inner IP */
    uint8_t outer_src_mac[6], outer_dst_mac[6];
};

enum tunnel {
    TUNNEL_GRE,
    TUNNEL_ERSPAN,
    TUNNEL_VXLAN,
    TUNNEL_VXLAN_GPE,
    TUNNEL_GENEVE,
    TUNNEL_GTP,
    TUNNEL_MPLS,
    TUNNEL_PPP,
    TUNNEL_PPPOE,
    TUNNEL_NSH,
    TUNNEL_AH,
    TUNNEL_IPIP,
    TUNNEL_KINDS,
};
/* Name for the session's protocol list, or NULL where the layer adds none. */
const char *tunnel_name(enum tunnel t);

#define PACKET_REASSEMBLED 0x01 /* bytes are a datagram put together from fragments */
#define PACKET_CUT 0x02         /* fewer bytes captured than were on the wire */
#define PACKET_FROM_LOW 0x04    /* sender is the key's low side */
#define PACKET_HAS_MAC 0x08     /* mac_at is valid: 6 bytes destination, 6 bytes source */

/* Where an earlier piece of a reassembled datagram is. */
struct packet_origin {
    uint64_t position;
    uint32_t captured, file;
};

struct packet {
    /* filled by the source */
    const uint8_t *data;
    int64_t time;            /* ns since 1970 */
    uint64_t position;       /* of the record header (pcap) or block (pcapng) in its file, uncompressed */
    uint32_t captured, wire; /* bytes present; bytes on the wire */
    uint32_t file;           /* number of the capture file, from 1 */
    uint16_t interface;      /* within the file */
    uint16_t link;           /* DLT/LINKTYPE */
    /* filled by the decoder */
    uint32_t hash;         /* keyed hash of the flow key, 0 possible */
    uint32_t payload_len;  /* bytes of layer-4 payload, clipped to what was captured */
    uint16_t mac_at;       /* offset of the Ethernet header (innermost) */
    uint16_t ip_at;        /* offset of the innermost IP header */
    uint16_t transport_at; /* offset of the TCP/UDP/ICMP/... header */
    uint16_t payload_at;
    uint16_t ethertype;                  /* the first one of the frame (behind VLAN tags); 0 = none */
    uint8_t kind;                        /* enum flow_kind */
    uint8_t ip_version;                  /* 4, 6, or 0 for non-IP */
    uint8_t ip_protocol;                 /* of the innermost IP; 0 for non-IP */
    uint8_t flags;                       /* PACKET_* */
    uint8_t ttl, dscp;                   /* innermost; dscp is the 6-bit code point */
    uint16_t origin_count;               /* PACKET_REASSEMBLED: pieces before this one, in the order they came */
    const struct packet_origin *origins; /* valid as long as the datagram's bytes */
    const struct layers *layers;         /* NULL for most */
};

#define BATCH_MAX 256

struct batch {
    uint32_t count;
    bool last;           /* nothing follows from this source */
    int64_t clock;       /* newest packet time seen so far by the source */
    struct block *block; /* one reference held by this batch; NULL when bytes need none */
    struct packet packets[BATCH_MAX];
    struct flow_key keys[BATCH_MAX]; /* parallel; filled by the decoder */
    struct layers layers[BATCH_MAX]; /* storage behind packet.layers */
};

#endif
