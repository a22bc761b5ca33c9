/* state.h: what the layer functions of decode/ share: the state of one frame, the verdicts, the tables' types.
 *
 * A layer is a small function over a cursor that stands at its header; it moves the cursor, notes what it found in the
 * packet, and calls the next layer through a table (link type, ethertype, IP protocol, UDP port). Every IP layer clips
 * the cursor's end to its own length, so that padding and trailers never become payload. Thread: one. Nothing here
 * allocates but fragment.c.
 */
#ifndef SEINE_DECODE_STATE_H
#define SEINE_DECODE_STATE_H

#include "base/cursor.h"
#include "base/util.h"
#include "decode/decode.h"

/* How a frame ended. */
enum decoded {
    DECODED_FLOW,     /* kind and key are set */
    DECODED_HELD,     /* a fragment that waits, or one that was dropped and counted: no session of its own */
    DECODED_IGNORED,  /* left out by the settings */
    DECODED_NOT_MINE, /* a UDP tunnel's decoder looked and it is none: plain UDP */
    DECODED_UNKNOWN_LINK,
    DECODED_UNKNOWN_ETHER, /* s->number: the ethertype */
    DECODED_UNKNOWN_IP,    /* s->number: the protocol */
    DECODED_CORRUPT,
    DECODED_TOO_DEEP,
};

#define DECODE_DEPTH_MAX 12
/* Offsets are held in 16 bits; headers of headers further in than this are an attack or an accident. */
#define DECODE_OFFSET_MAX 4096

struct fragments;

/* What the unknown and the unwanted become: read once from the settings. */
struct unknown_rules {
    bool corrupt;
    uint8_t ip[256 / 8];
    uint8_t ether[65536 / 8];
};

struct decoder {
    const struct decode_settings *settings;
    struct hash_key key;
    struct pool *pool;
    struct fragments *fragments;
    struct unknown_rules unknown;
    uint32_t disabled; /* bit per enum flow_other */
    uint64_t counts[DECODE_COUNTS];
};

/* For ip_claimed: only the start of the datagram is there, so lengths are not checked against it. */
#define CLAIM_UNKNOWN UINT32_MAX

struct decode_state {
    struct decoder *d;
    struct packet *p;
    struct flow_key *key;
    struct layers *layers; /* storage; valid once p->layers points to it */
    uint32_t number;       /* of what was unknown */
    uint32_t ip_claimed;   /* payload length the innermost IP header claims; more than is there when the frame is cut */
    uint8_t depth;
    bool cut; /* fewer bytes captured than on the wire */
};

typedef enum decoded (*layer_fn)(struct decode_state *s, struct cursor *c);

static inline uint16_t state_offset(const struct decode_state *s, const uint8_t *at) {
    return (uint16_t)(at - s->p->data);
}

/* Enters one more layer. False: too deep, or too far into the frame. */
static inline bool state_enter(struct decode_state *s, const struct cursor *c) {
    return ++s->depth <= DECODE_DEPTH_MAX && c->at - s->p->data <= DECODE_OFFSET_MAX;
}

static inline struct layers *state_layers(struct decode_state *s) {
    if (!s->p->layers) {
        memset(s->layers, 0, sizeof(*s->layers));
        s->p->layers = s->layers;
    }
    return s->layers;
}

static inline void state_tunnel(struct decode_state *s, enum tunnel t) {
    struct layers *l = state_layers(s);
    if (l->tunnel_count < LAYERS_TUNNELS) {
        l->tunnels[l->tunnel_count++] = (uint8_t)t;
    }
}

static inline void state_vlan(struct decode_state *s, uint16_t type, uint16_t id) {
    struct layers *l = state_layers(s);
    if (l->vlan_count < LAYERS_VLANS) {
        l->vlan_type[l->vlan_count] = type;
        l->vlan_id[l->vlan_count++] = id;
    }
}

static inline bool decoder_disabled(const struct decoder *d, enum flow_other other) {
    return d->disabled >> other & 1;
}

/* Layer 4 (or a protocol of its own) starts here and reaches to the cursor's end. */
static inline void state_payload(struct decode_state *s, const uint8_t *transport, const struct cursor *c) {
    s->p->transport_at = state_offset(s, transport);
    s->p->payload_at = state_offset(s, c->at);
    s->p->payload_len = (uint32_t)(c->end - c->at);
}

/* link.c */
enum decoded decode_link(struct decode_state *s, struct cursor *c);
enum decoded decode_ppp(struct decode_state *s, struct cursor *c);
enum decoded decode_frame_relay(struct decode_state *s, struct cursor *c);
/* wireless.c */
enum decoded decode_radiotap(struct decode_state *s, struct cursor *c);
enum decoded decode_80211(struct decode_state *s, struct cursor *c);
/* ethernet.c */
enum decoded decode_ethernet(struct decode_state *s, struct cursor *c);
enum decoded decode_ethertype(struct decode_state *s, struct cursor *c, uint16_t type);
enum decoded decode_llc(struct decode_state *s, struct cursor *c);
enum decoded decode_snap(struct decode_state *s, struct cursor *c);
enum decoded decode_pppoe(struct decode_state *s, struct cursor *c);
bool ethertype_known(uint16_t type);
/* ip.c */
enum decoded decode_ip4(struct decode_state *s, struct cursor *c);
enum decoded decode_ip6(struct decode_state *s, struct cursor *c);
enum decoded decode_ip_any(struct decode_state *s, struct cursor *c); /* version by the first nibble */
enum decoded decode_ip_protocol(struct decode_state *s, struct cursor *c, uint8_t protocol);
/* tunnel.c */
enum decoded decode_gre(struct decode_state *s, struct cursor *c);
bool ah_skip(struct decode_state *s, struct cursor *c, uint8_t *next);
enum decoded decode_ah(struct decode_state *s, struct cursor *c);
enum decoded decode_nsh(struct decode_state *s, struct cursor *c);
enum decoded decode_cisco_metadata(struct decode_state *s, struct cursor *c);
enum decoded decode_udp_tunnel(struct decode_state *s, struct cursor *c, uint16_t port);
/* mpls.c */
enum decoded decode_mpls(struct decode_state *s, struct cursor *c);

/* key.c: sets kind, key and direction. `other` is OTHER_NONE for families of their own. */
enum decoded flow_key_ports(struct decode_state *s, enum flow_kind kind, uint16_t src_port, uint16_t dst_port);
enum decoded flow_key_addresses(struct decode_state *s, enum flow_kind kind, enum flow_other other, uint16_t number);
enum decoded flow_key_bytes(struct decode_state *s, enum flow_other other, struct span low, struct span high,
                            bool from_low);
enum decoded flow_key_none(struct decode_state *s, enum flow_other other); /* one session for the whole protocol */
enum decoded flow_key_macs(struct decode_state *s, enum flow_other other, uint16_t number);

/* The number that stands for `number` of a VLAN or VNI in keys. */
uint32_t collapse_find(const struct decode_settings *settings, uint32_t number);

/* unknown.c: the settings lists, and the sessions of what is unknown or corrupt. */
int unknown_rules_parse(const struct decode_settings *settings, struct unknown_rules *ret_rules, struct err *ret_err);
uint32_t disabled_parse(const struct decode_settings *settings);
enum decoded unknown_session(struct decode_state *s, enum decoded how);

/* fragment.c */
struct fragments *fragments_new(struct decoder *d);
struct fragments *fragments_free(struct fragments *f);
/* Bytes handed out by fragments_add in the last batch are given back, and chains too old at `now` are given up. */
void fragments_recycle(struct fragments *f, int64_t now);

uint32_t fragments_lowest_file(const struct fragments *f);

struct fragment {
    const uint8_t *header; /* of IP */
    uint32_t header_len;   /* IPv4 header; IPv6 header and the extension headers before the fragment header */
    uint32_t next_at;      /* IPv6: where in `header` the next-header byte stands that named the fragment header */
    const uint8_t *bytes;
    uint32_t len, offset;
    uint32_t id;
    uint8_t version, protocol; /* protocol: of what is behind */
    bool more;
};
/* Takes a piece. True: the datagram is whole; the packet's bytes are now the frame with all of it, and its IP header
 * stands as far into them as `piece->header` stood in the old ones. */
bool fragments_add(struct decode_state *s, const struct fragment *piece);

#endif
