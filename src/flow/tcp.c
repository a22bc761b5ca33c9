/* tcp.c: TCP reassembly of both sides at once. RFC 9293.
 *
 * A segment is delivered when it is next in its own side's order and everything it acknowledges of the other side has
 * been delivered: so dissectors see request and response in the order the peers did, also when the capture swapped
 * them. What cannot be delivered yet waits in one queue per session, copied, under a ceiling of segments and bytes. A
 * hole is given up when its receiver acknowledged it and GAP_PATIENCE segments wait behind it, at the queue's ceiling,
 * or at the end.
 */
#include <string.h>

#include "base/util.h"
#include "flow/session.h"

#define GAP_PATIENCE 16
/* No receiver acknowledges so far beyond what was sent: the largest window of RFC 7323. */
#define FARTHEST_ACK (1 << 30)
#define NS_PER_MS 1000000

enum {
    TH_FIN = 0x01,
    TH_SYN = 0x02,
    TH_RST = 0x04,
    TH_PSH = 0x08,
    TH_ACK = 0x10,
    TH_URG = 0x20,
    TH_ECE = 0x40,
    TH_CWR = 0x80,
};

struct tcp_header {
    uint32_t seq, ack;
    uint16_t window;
    uint8_t flags;
    bool accurate_ecn;
};

static struct tcp_header read_header(const struct packet *p) {
    const uint8_t *h = p->data + p->transport_at;
    return (struct tcp_header){read_be32(h + 4), read_be32(h + 8), read_be16(h + 14), h[13], h[12] & 1};
}

/* a - b in sequence space. */
static int32_t distance(uint32_t a, uint32_t b) {
    return (int32_t)(a - b);
}

bool tcp_is_syn_ack(const struct packet *p) {
    return (p->data[p->transport_at + 13] & (TH_SYN | TH_ACK | TH_RST)) == (TH_SYN | TH_ACK);
}

bool tcp_starts_over(const struct session *s, const struct packet *p) {
    const struct tcp_state *t = s->tcp;
    struct tcp_header h = read_header(p);
    if ((h.flags & (TH_SYN | TH_ACK | TH_RST)) != TH_SYN || !t || !t->has_syn) {
        return false;
    }
    bool closed = t->has_rst || t->side[0].fin || t->side[1].fin;
    return closed && h.seq != t->side[session_side(s, p)].isn;
}

/* --- queue --- */

static void segment_free(struct flow *f, struct tcp_segment *g) {
    size_t size = sizeof(*g) + (g->no_bytes ? 0 : g->len);
    f->segment_bytes -= size;
    pool_give(f->pool, g, size);
}

void tcp_free(struct flow *f, struct session *s) {
    struct tcp_state *t = s->tcp;
    if (!t) {
        return;
    }
    for (struct tcp_segment *g = t->queue, *next; g; g = next) {
        next = g->next;
        segment_free(f, g);
    }
    pool_give(f->pool, t, sizeof(*t));
    s->tcp = NULL;
}

static struct tcp_segment *segment_new(struct flow *f, const struct session *s, const struct packet *p,
                                       const struct tcp_header *h, unsigned side) {
    bool no_bytes = s->quiet && s->payload8_len[side] == sizeof(s->payload8[side]);
    size_t size = sizeof(struct tcp_segment) + (no_bytes ? 0 : p->payload_len);
    struct tcp_segment *g =
        f->segment_bytes + size <= f->settings->reassembly_memory ? pool_take(f->pool, size, NULL) : NULL;
    if (!g) {
        f->counts[FLOW_REASSEMBLY_DROPPED]++;
        return NULL;
    }
    f->segment_bytes += size;
    *g = (struct tcp_segment){.time = p->time,
                              .seq = h->seq + !!(h->flags & TH_SYN),
                              .ack = h->ack,
                              .len = p->payload_len,
                              .side = (uint8_t)side,
                              .has_ack = h->flags & TH_ACK,
                              .is_syn = h->flags & TH_SYN,
                              .no_bytes = no_bytes};
    if (!no_bytes) {
        memcpy(g->data, p->data + p->payload_at, p->payload_len);
    }
    return g;
}

static void note_out_of_order(struct flow *f, struct session *s, unsigned side) {
    f->counts[FLOW_OUT_OF_ORDER]++;
    session_tag(f, s, side ? "out-of-order-dst" : "out-of-order-src");
}

/* Puts `g` where its sequence number belongs among its side's segments. An equal one that is no longer is dropped. */
static void enqueue(struct flow *f, struct session *s, struct tcp_segment *g) {
    struct tcp_state *t = s->tcp;
    struct tcp_segment **at = &t->queue;
    bool before_another = false;
    for (; *at; at = &(*at)->next) {
        struct tcp_segment *other = *at;
        if (other->side != g->side) {
            continue;
        }
        int32_t d = distance(g->seq, other->seq);
        if (d == 0 && g->len <= other->len) {
            segment_free(f, g);
            return;
        }
        if (d == 0) {
            g->next = other->next;
            *at = g;
            segment_free(f, other);
            return;
        }
        if (d < 0) {
            before_another = true;
            break;
        }
    }
    g->next = *at;
    *at = g;
    t->queued++;
    if (before_another && t->synced) {
        note_out_of_order(f, s, g->side);
    }
}

/* --- delivery --- */

static void deliver(struct flow *f, struct session *s, unsigned side, struct span bytes, size_t counted, int64_t time) {
    struct tcp_side *me = &s->tcp->side[side];
    uint8_t have = s->payload8_len[side];
    if (have < 8 && bytes.len && !me->broken) {
        size_t n = MIN((size_t)8 - have, bytes.len);
        memcpy(s->payload8[side] + have, bytes.at, n);
        s->payload8_len[side] = (uint8_t)(have + n);
    }
    me->next += (uint32_t)counted;
    me->slack = false;
    s->data_bytes[side] += me->broken ? 0 : counted;
    if (!s->quiet && bytes.len) {
        uint64_t gap = me->gap;
        me->gap = 0;
        f->hooks.stream(f->hooks.ctx, s, side, bytes, gap, time);
    }
}

/* The segment acknowledges bytes of the other side that have not been delivered; its FIN counts as one. */
static bool peer_is_ahead(const struct tcp_state *t, unsigned side, bool has_ack, uint32_t ack) {
    const struct tcp_side *peer = &t->side[!side];
    bool one_more = peer->slack || (peer->fin && peer->fin_at == peer->next);
    return has_ack && peer->known && distance(ack, peer->next) > one_more;
}

static void end_side(struct flow *f, struct session *s, unsigned side) {
    struct tcp_side *me = &s->tcp->side[side];
    if (!me->ended) {
        me->ended = true;
        if (!s->quiet) {
            f->hooks.stream_end(f->hooks.ctx, s, side);
        }
    }
}

static void check_fin(struct flow *f, struct session *s, unsigned side) {
    struct tcp_side *me = &s->tcp->side[side];
    if (me->fin && me->known && distance(me->next, me->fin_at) >= 0) {
        end_side(f, s, side);
    }
}

/* Data sent with a SYN counts once the peer acknowledged it (TCP Fast Open, RFC 7413). */
static bool syn_data_waits(const struct tcp_state *t, const struct tcp_segment *g) {
    return g->is_syn && !(t->side[g->side].has_ack && distance(t->side[g->side].acked, g->seq + g->len) >= 0);
}

/* Delivers or drops the first queued segment that can be; false when none can. */
static bool drain_one(struct flow *f, struct session *s) {
    struct tcp_state *t = s->tcp;
    for (struct tcp_segment **at = &t->queue; *at; at = &(*at)->next) {
        struct tcp_segment *g = *at;
        struct tcp_side *me = &t->side[g->side];
        int32_t ahead = distance(g->seq, me->next);
        if (ahead > 0 || peer_is_ahead(t, g->side, g->has_ack, g->ack) || syn_data_waits(t, g)) {
            continue;
        }
        *at = g->next;
        t->queued--;
        uint32_t old = (uint32_t)-ahead; /* bytes delivered before */
        unsigned side = g->side;
        if (old < g->len) {
            struct span bytes = g->no_bytes ? (struct span){NULL, 0} : span_make(g->data + old, g->len - old);
            deliver(f, s, side, bytes, g->len - old, g->time);
        }
        segment_free(f, g);
        check_fin(f, s, side);
        return true;
    }
    return false;
}

static void drain(struct flow *f, struct session *s) {
    while (s->tcp->queue && drain_one(f, s)) {
    }
}

static void skip_to(struct flow *f, struct session *s, unsigned side, uint32_t seq) {
    struct tcp_side *me = &s->tcp->side[side];
    uint32_t lost = seq - me->next;
    me->slack = false;
    me->gap += lost;
    me->missing += lost;
    me->next = seq;
    me->broken |= s->tcp->finishing;
    f->counts[FLOW_MISSING_BYTES] += lost;
    if (!s->tcp->incomplete && !s->tcp->finishing) {
        s->tcp->incomplete = true;
        session_tag(f, s, "incomplete-tcp");
    }
}

static struct tcp_segment **lowest_of(struct tcp_state *t, unsigned side) {
    struct tcp_segment **at = &t->queue;
    while (*at && (*at)->side != side) {
        at = &(*at)->next;
    }
    return at;
}

/* What `low` acknowledges cannot be: a later segment of its side acknowledges less. */
static bool ack_is_wild(const struct tcp_segment *low) {
    for (const struct tcp_segment *g = low->next; g; g = g->next) {
        if (g->side == low->side && g->has_ack && distance(g->ack, low->ack) < 0) {
            return true;
        }
    }
    return false;
}

/* Gives up what the longest waiting segment's side waits for: a hole of its own, or bytes of the peer that it
 * acknowledges. Only for a queue of which nothing can be delivered; always changes something. */
static void skip_gap(struct flow *f, struct session *s) {
    struct tcp_state *t = s->tcp;
    const struct tcp_segment *oldest = t->queue;
    for (const struct tcp_segment *g = oldest; g; g = g->next) {
        if (g->time < oldest->time) {
            oldest = g;
        }
    }
    struct tcp_segment **at = lowest_of(t, oldest->side);
    struct tcp_segment *low = *at;
    if (distance(low->seq, t->side[low->side].next) > 0) {
        skip_to(f, s, low->side, low->seq);
        return;
    }
    if (!peer_is_ahead(t, low->side, low->has_ack, low->ack)) {
        *at = low->next; /* data of a SYN that the peer never took */
        t->queued--;
        segment_free(f, low);
        return;
    }
    if (ack_is_wild(low)) {
        low->has_ack = false;
        return;
    }
    uint32_t to = low->ack;
    struct tcp_side *peer = &t->side[!low->side];
    const struct tcp_segment *peers = *lowest_of(t, !low->side);
    if (peers && distance(peers->seq, peer->next) > 0 && distance(peers->seq, to) < 0) {
        to = peers->seq;
    } else if (to - peer->next == 1 && !peer->slack && !peer->fin) {
        peer->slack = true; /* one byte, or a FIN that nobody captured: what follows tells */
        return;
    }
    skip_to(f, s, !low->side, to);
}

static bool hole_is_lost(const struct flow *f, const struct tcp_state *t) {
    if (t->queued >= f->settings->max_out_of_order) {
        return true;
    }
    if (t->queued < GAP_PATIENCE) {
        return false;
    }
    const struct tcp_segment *g = t->queue;
    const struct tcp_side *me = &t->side[g->side];
    return peer_is_ahead(t, g->side, g->has_ack, g->ack) ||
           (me->has_ack && distance(me->acked, g->seq) >= 0 && distance(g->seq, me->next) > 0);
}

static void on_data(struct flow *f, struct session *s, const struct packet *p, const struct tcp_header *h,
                    unsigned side) {
    struct tcp_state *t = s->tcp;
    struct tcp_side *me = &t->side[side];
    bool is_syn = h->flags & TH_SYN;
    if (t->synced && !me->known && !is_syn) {
        me->known = true;
        me->next = h->seq;
    }
    int32_t ahead = distance(h->seq, me->next);
    if (t->synced && !is_syn && ahead + (int64_t)p->payload_len <= 0) {
        return; /* seen before */
    }
    if (t->synced && !is_syn && ahead <= 0 && !peer_is_ahead(t, side, h->flags & TH_ACK, h->ack)) {
        uint32_t old = (uint32_t)-ahead;
        const struct tcp_segment *waiting = *lowest_of(t, side);
        if (waiting && distance(h->seq, waiting->seq) < 0) {
            note_out_of_order(f, s, side);
        }
        deliver(f, s, side, span_make(p->data + p->payload_at + old, p->payload_len - old), p->payload_len - old,
                p->time);
        check_fin(f, s, side);
    } else {
        struct tcp_segment *g = segment_new(f, s, p, h, side);
        if (g) {
            enqueue(f, s, g);
        }
    }
    if (t->synced && t->queue) {
        drain(f, s);
        while (t->queue && hole_is_lost(f, t)) {
            skip_gap(f, s);
            drain(f, s);
        }
    }
}

/* --- handshake, flags, end --- */

static void count_if(uint16_t *n, bool yes) {
    *n = (uint16_t)(*n + (yes && *n < UINT16_MAX));
}

static void count_flags(struct tcp_state *t, const struct tcp_header *h, unsigned side) {
    static const struct {
        uint8_t mask, value, counter;
    } rules[] = {
        {TH_SYN | TH_ACK, TH_SYN, TCPF_SYN},
        {TH_SYN | TH_ACK, TH_SYN | TH_ACK, TCPF_SYN_ACK},
        {TH_SYN | TH_FIN | TH_RST | TH_PSH | TH_ACK, TH_ACK, TCPF_ACK},
        {TH_PSH, TH_PSH, TCPF_PSH},
        {TH_FIN, TH_FIN, TCPF_FIN},
        {TH_RST, TH_RST, TCPF_RST},
        {TH_URG, TH_URG, TCPF_URG},
        {TH_ECE, TH_ECE, TCPF_ECE},
        {TH_CWR, TH_CWR, TCPF_CWR},
    };
    uint8_t other = (uint8_t)(h->flags & ~(TH_ACK | TH_PSH));
    if (LIKELY(other == 0)) { /* what nearly all packets are */
        count_if(&t->flags[TCPF_PSH], h->flags & TH_PSH);
        count_if(&t->flags[TCPF_ACK], h->flags == TH_ACK);
    }
    for (size_t i = 0; other && i < ARRAY_LEN(rules); i++) {
        count_if(&t->flags[rules[i].counter], (h->flags & rules[i].mask) == rules[i].value);
    }
    count_if(&t->flags[TCPF_AE], h->accurate_ecn);
    count_if(&t->flags[TCPF_SRC_ZERO + side], h->window == 0 && !(h->flags & TH_RST));
}

static void on_syn(struct session *s, const struct packet *p, const struct tcp_header *h, unsigned side) {
    struct tcp_state *t = s->tcp;
    struct tcp_side *me = &t->side[side], *peer = &t->side[!side];
    if (h->flags & TH_ACK) {
        if (t->has_syn_ack) {
            return;
        }
        t->has_syn_ack = true;
        t->syn_ack_first = !t->has_syn;
        t->syn_ack_ack = h->ack;
        t->syn_validated = t->has_syn && h->ack == peer->isn + 1;
        if (!peer->known) {
            peer->known = true;
            peer->next = h->ack;
        }
    } else if (t->has_syn) {
        count_if(&t->src_isn_count, h->seq != me->isn);
        if (s->data_bytes[side] == 0 && !t->queue && !(h->flags & TH_RST)) {
            me->next = h->seq + 1; /* tried again before anything was said: the latest try is what gets answered */
        }
        return;
    } else {
        t->has_syn = true;
        t->src_isn_count = 1;
        t->syn_validated = t->has_syn_ack && t->syn_ack_ack == h->seq + 1;
        t->syn_time = p->time;
    }
    me->isn = h->seq;
    if (!me->known || !t->synced) {
        me->next = h->seq + 1;
    }
    me->known = t->synced = true;
}

static void on_ack(struct flow *f, struct session *s, const struct packet *p, const struct tcp_header *h,
                   unsigned side) {
    struct tcp_state *t = s->tcp;
    struct tcp_side *peer = &t->side[!side];
    if (!peer->has_ack || distance(h->ack, peer->acked) > 0) {
        peer->acked = h->ack;
        peer->has_ack = true;
    }
    if (h->flags & TH_SYN) {
        return;
    }
    bool pure = !(h->flags & (TH_FIN | TH_RST | TH_PSH));
    if (t->has_syn && !t->has_rtt && pure) {
        t->has_rtt = true;
        int64_t waited = (p->time - t->syn_time) / (2 * NS_PER_MS);
        t->rtt_ms = waited > 0 ? (uint32_t)MIN(waited, (int64_t)UINT32_MAX) : 0;
    }
    if (t->has_syn && !t->has_syn_ack && side == SIDE_SRC && !peer->known && p->payload_len == 0) {
        peer->known = true;
        peer->next = h->ack;
        session_tag(f, s, "no-syn-ack");
    }
    if (t->has_syn_ack && !t->syn_ack_validated && side == SIDE_SRC) {
        t->syn_ack_validated = distance(h->ack, peer->isn) > 0 && distance(h->ack, peer->next) <= 0;
    }
    if (t->synced && peer->known && distance(h->ack, peer->next) > 1 && (t->has_syn || t->has_syn_ack)) {
        session_tag(f, s, side ? "acked-unseen-segment-dst" : "acked-unseen-segment-src");
    }
}

static bool fin_is_acked(const struct tcp_side *me) {
    return me->fin && me->has_ack && distance(me->acked, me->fin_at) > 0;
}

/* A capture that begins inside a connection: the second packet shows that there is a stream to follow. The two may have
 * come swapped. */
static void pick_up(struct session *s, const struct packet *p, const struct tcp_header *h, unsigned side) {
    struct tcp_state *t = s->tcp;
    t->synced = true;
    for (const struct tcp_segment *g = t->queue; g; g = g->next) {
        struct tcp_side *me = &t->side[g->side];
        if (!me->known || distance(g->seq, me->next) < 0) {
            me->known = true;
            me->next = g->seq;
        }
    }
    struct tcp_side *me = &t->side[side];
    if (me->known && p->payload_len && distance(h->seq, me->next) < 0 && h->seq + p->payload_len == me->next) {
        me->next = h->seq;
    }
}

bool tcp_packet(struct flow *f, struct session *s, const struct packet *p, unsigned side) {
    if (!s->tcp) {
        s->tcp = pool_take(f->pool, sizeof(struct tcp_state), NULL);
        if (!s->tcp) {
            f->counts[FLOW_NO_MEMORY]++;
            return false;
        }
        memset(s->tcp, 0, sizeof(*s->tcp));
    }
    struct tcp_state *t = s->tcp;
    struct tcp_header h = read_header(p);
    count_flags(t, &h, side);
    if ((h.flags & TH_SYN) && !(h.flags & TH_RST)) {
        on_syn(s, p, &h, side);
    }
    if (!t->synced && s->packets[0] + s->packets[1] >= 2) {
        pick_up(s, p, &h, side);
    }
    if (t->side[!side].known && distance(h.ack, t->side[!side].next) > FARTHEST_ACK) {
        h.flags &= (uint8_t)~TH_ACK;
    }
    if (h.flags & TH_ACK) {
        on_ack(f, s, p, &h, side);
    }
    struct tcp_side *me = &t->side[side];
    if ((h.flags & TH_FIN) && !me->fin) {
        me->fin = true;
        me->fin_at = h.seq + p->payload_len;
        if (t->synced && !me->known) {
            me->known = true;
            me->next = h.seq;
        }
    }
    check_fin(f, s, side);
    if (p->payload_len && !(h.flags & TH_RST)) {
        on_data(f, s, p, &h, side);
    } else if (t->queue && t->synced) {
        drain(f, s);
    }
    if (h.flags & TH_RST) {
        t->has_rst = true;
        if (h.seq == me->next || !t->synced) {
            s->timeout = TIMEOUT_TCP_CLOSING;
        }
    } else if (fin_is_acked(&t->side[0]) && fin_is_acked(&t->side[1])) {
        s->timeout = TIMEOUT_TCP_CLOSING;
    }
    return true;
}

void tcp_finish(struct flow *f, struct session *s) {
    struct tcp_state *t = s->tcp;
    if (!t) {
        return;
    }
    if (!t->synced && t->queue) {
        /* A lone packet is no stream: its payload is looked at, but not counted as data in order. */
        struct tcp_segment *g = t->queue;
        if (!s->quiet && t->flags[TCPF_PSH]) {
            f->hooks.stream(f->hooks.ctx, s, g->side, span_make(g->data, g->len), 0, g->time);
        }
    }
    do { /* what waits for a FIN that nobody captured waits no longer */
        t->side[0].slack = t->side[1].slack = true;
    } while (t->synced && drain_one(f, s));
    t->finishing = true;
    while (t->synced && t->queue) {
        drain(f, s);
        if (t->queue) {
            skip_gap(f, s);
        }
    }
    for (unsigned side = 0; side < 2; side++) {
        struct tcp_side *me = &t->side[side];
        if (me->known && me->has_ack) {
            /* One more may be a FIN that nobody captured. */
            int32_t lost = distance(me->acked, me->next);
            lost = lost == 1 ? 0 : lost - (me->fin || me->ended ? 1 : 0);
            if (lost > 0 && (t->has_syn || t->has_syn_ack)) {
                me->missing += (uint32_t)lost;
                f->counts[FLOW_MISSING_BYTES] += (uint32_t)lost;
                me->next += (uint32_t)lost;
            }
        }
        end_side(f, s, side);
    }
}
