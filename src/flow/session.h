/* session.h: a flow's state while it is open. For flow/, dissect/ and fetch/ only.
 *
 * Owner: the worker whose table holds it. The hot part is at most 256 bytes; TCP state, packet positions, cells and
 * dissectors' state are made when first needed and come from the worker's pool.
 */
#ifndef SEINE_FLOW_SESSION_H
#define SEINE_FLOW_SESSION_H

#include "flow/flow.h"

/* Lists of sessions with the same timeout, least recently used first. */
enum timeout_class {
    TIMEOUT_TCP,
    TIMEOUT_TCP_CLOSING,
    TIMEOUT_UDP,
    TIMEOUT_ICMP,
    TIMEOUT_SCTP,
    TIMEOUT_ESP,
    TIMEOUT_DHCP,
    TIMEOUT_OTHER,
    TIMEOUT_UNKNOWN,
    TIMEOUT_CLASSES,
};

struct tcp_segment {
    struct tcp_segment *next;
    int64_t time;
    uint32_t seq, ack, len;
    uint8_t side;
    bool has_ack, is_syn, no_bytes;
    uint8_t data[];
};

struct tcp_side {
    uint64_t missing;
    uint32_t next; /* sequence number wanted next */
    uint32_t isn;
    uint32_t acked;  /* highest acknowledgement the peer sent for this side */
    uint32_t fin_at; /* sequence number of the FIN */
    uint32_t gap;    /* bytes skipped since the last delivery */
    bool known : 1, has_ack : 1, fin : 1, ended : 1;
    bool slack : 1;  /* one byte more than `next` may be acknowledged: a FIN that was not captured */
    bool broken : 1; /* a hole was given up at the end: what lies behind it never was in order and is not counted */
};

struct tcp_state {
    struct tcp_side side[2];
    struct tcp_segment *queue; /* both sides, in order of sequence within a side */
    int64_t syn_time;
    uint32_t rtt_ms;
    uint32_t syn_ack_ack; /* what the SYN-ACK acknowledged */
    uint16_t flags[TCPF_COUNTS];
    uint16_t queued, src_isn_count;
    bool has_syn : 1, has_syn_ack : 1, syn_ack_first : 1, has_rtt : 1, syn_validated : 1, syn_ack_validated : 1,
        synced : 1, has_rst : 1, incomplete : 1, finishing : 1;
};

/* FLOW_OTHER: addresses come from the first packet, not from the key. */
struct other_state {
    uint8_t ip[2][16];
    uint16_t port[2];
    uint8_t mac[6];
};

/* Positions of the packets of this piece, as differences in 7-bit groups. */
struct positions {
    uint64_t first_position; /* of the whole session: part of its id */
    uint64_t last_position;
    uint32_t last_file;
    uint32_t first_file; /* of the whole session */
    uint32_t used, cap;
    uint8_t bytes[];
};

struct dissect_session;

struct session {
    struct flow_key key;
    uint32_t hash;
    uint32_t segment; /* pieces saved before */
    struct session *chain;
    struct session *older, *newer;
    int64_t first_time, last_time, save_time;
    int64_t touched; /* flow.elapsed at the last packet */
    uint64_t bytes[2], data_bytes[2];
    uint32_t packets[2];
    struct positions *positions;
    union {
        struct tcp_state *tcp;     /* FLOW_TCP */
        struct other_state *other; /* FLOW_OTHER */
    };
    struct dissect_session *dissect;
    struct cells cells;
    uint8_t payload8[2][8];
    uint8_t payload8_len[2];
    uint8_t ttl[2];
    uint8_t mac[2][6]; /* of the first packet, source and destination */
    uint16_t ethertype;
    uint8_t timeout; /* enum timeout_class */
    uint8_t kind;    /* enum flow_kind */
    uint8_t ip_protocol, ip_version;
    uint8_t tunnels[2]; /* bits of enum tunnel met */
    bool src_is_low : 1, has_mac : 1, has_ttl_src : 1, has_ttl_dst : 1, quiet : 1, dissect_done : 1, opened_linked : 1;
    uint8_t icmp[2];     /* type and code of the first packet */
    uint32_t network[2]; /* VLAN or VNI of each side, 0 = untagged; where sessions are told apart by it */
};
_Static_assert(sizeof(struct session) <= 256, "a session's hot part is at most four cache lines");
_Static_assert(sizeof(struct tcp_state) <= 128, "and its TCP part two");

/* Makes record.ip and port from the session. */
void session_endpoints(const struct session *s, uint8_t ret_ip[2][16], uint16_t ret_port[2]);
/* `side` of the packet: 0 when the session's source sent it. */
unsigned session_side(const struct session *s, const struct packet *p);

/* --- inside flow/ --- */

struct flow {
    struct session **buckets;
    uint32_t mask;
    uint32_t open;
    struct session *oldest[TIMEOUT_CLASSES], *newest[TIMEOUT_CLASSES];
    int64_t timeout[TIMEOUT_CLASSES]; /* ns */
    /* Time as packets show it: `elapsed` only grows. `latest` is the latest time of the run of captures being read;
     * `jump` the time of a packet far ahead that no other has confirmed yet. */
    int64_t elapsed, latest, jump;
    uint64_t seen;          /* packets, anybody's */
    uint64_t segment_bytes; /* held by TCP queues */
    const struct flow_settings *settings;
    struct flow_hooks hooks;
    struct pool *pool;
    const struct registry *registry;
    const struct field *fields;
    struct packet_position *positions; /* unpacked, for the record being made */
    size_t position_room;
    uint32_t *begun; /* open sessions by the number of the capture they began in, less 1 */
    uint32_t begun_room;
    uint32_t begun_low; /* none of the captures below has any; UINT32_MAX: that is not known: no memory */
    uint64_t counts[FLOW_COUNTS];
};

void session_tag(struct flow *f, struct session *s, const char *tag);

/* save.c: makes the record of `s` and hands it to the hook. `final`: the session ends. */
void session_save(struct flow *f, struct session *s, bool final);
/* The session goes: its positions, too. */
void positions_free(struct flow *f, struct session *s);
void positions_add(struct flow *f, struct session *s, const struct packet_origin *where);

/* tcp.c */
/* False: not TCP after all (header too short). */
bool tcp_packet(struct flow *f, struct session *s, const struct packet *p, unsigned side);
/* True when `p` opens a new connection over a closed one with the same addresses. */
bool tcp_starts_over(const struct session *s, const struct packet *p);
bool tcp_is_syn_ack(const struct packet *p);
/* What is still queued is delivered with its gaps; sides end. */
void tcp_finish(struct flow *f, struct session *s);
void tcp_free(struct flow *f, struct session *s);

#endif
