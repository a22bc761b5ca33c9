/* flow.h: packets to sessions: the table, timers, TCP reassembly.
 *
 * Owner: one worker. Thread: one. Cost: about 100 ns a packet of a known session, 1 us a new one. Failure: over a
 * ceiling the oldest idle session is saved early and counted. Time is packet time: a session's end depends on its own
 * packets only, so any number of workers gives the same sessions.
 */
#ifndef SEINE_FLOW_FLOW_H
#define SEINE_FLOW_FLOW_H

#include "base/hash.h"
#include "base/pool.h"
#include "config/setting.h"
#include "packet/packet.h"
#include "record/record.h"

struct session; /* opaque: session.h for flow/ and dissect/ */

struct flow_settings {
    uint32_t tcp_timeout, udp_timeout, icmp_timeout, sctp_timeout, esp_timeout, dhcp_timeout, other_timeout,
        unknown_timeout;
    uint32_t tcp_save_timeout, tcp_closing_timeout;
    uint32_t max_packets;       /* mid-save after so many packets in a piece */
    uint64_t max_streams;       /* sessions per worker */
    uint32_t max_out_of_order;  /* TCP segments held per session */
    uint64_t reassembly_memory; /* bytes of held segments per worker */
    uint64_t memory;            /* bytes of all workers' sessions; 0 = half of the machine's */
    bool enable_packet_len;
    bool esp_save_packets;
};
extern const struct setting flow_setting_table[];
extern const size_t flow_setting_count;

/* What the flow table tells its owner; called on the worker's thread. */
struct flow_hooks {
    void *ctx;
    /* In-order bytes of one side; `gap` bytes are known to be missing right before them. */
    void (*stream)(void *ctx, struct session *s, unsigned side, struct span bytes, uint64_t gap, int64_t time);
    /* The side is closed: no bytes will follow. */
    void (*stream_end)(void *ctx, struct session *s, unsigned side);
    void (*datagram)(void *ctx, struct session *s, unsigned side, struct span bytes, const struct packet *p);
    /* Before a record is made (final or a piece): parsers give partial results. */
    void (*saving)(void *ctx, struct session *s, bool final);
    /* A record is ready; the callee reads it during the call and may add cells. */
    void (*record)(void *ctx, struct record *r);
};

enum flow_count {
    FLOW_PACKETS,
    FLOW_SESSIONS,
    FLOW_RECORDS,
    FLOW_OPEN,
    FLOW_OPEN_PEAK,
    FLOW_EVICTED,
    FLOW_PIECES,
    FLOW_OUT_OF_ORDER,
    FLOW_REASSEMBLY_DROPPED,
    FLOW_MISSING_BYTES,
    FLOW_NO_MEMORY,
    FLOW_COUNTS
};
extern const char *const flow_count_names[FLOW_COUNTS];

struct flow;
struct flow *flow_new(const struct flow_settings *settings, const struct flow_hooks *hooks, struct pool *pool,
                      const struct registry *registry);
struct flow *flow_free(struct flow *f); /* sessions still open are dropped: call flow_finish first */

/* Packets of `b` whose hash falls to worker `mine` of `workers`; saves what has timed out by the packets seen. */
void flow_batch(struct flow *f, const struct batch *b, uint32_t mine, uint32_t workers);
/* Saves everything, oldest first. */
void flow_finish(struct flow *f);
const uint64_t *flow_counts(const struct flow *f);
/* The lowest number of a capture in which a session began that is still open, or UINT32_MAX; 0: that is not known. */
uint32_t flow_lowest_file(struct flow *f);

#endif
