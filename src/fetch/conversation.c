/* conversation.c: see conversation.h.
 *
 * Packets go through in batches of one: their bytes are borrowed from the reader until the next is read. Timeouts and
 * ceilings that would cut the session a second time are out of reach.
 */
#include "fetch/conversation.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "decode/decode.h"
#include "flow/session.h"

#define NEVER 3000000000u /* seconds */
#define POOL_MAX ((size_t)256 << 20)
#define QUEUE_MAX ((uint64_t)64 << 20)

struct conversation {
    const struct record *session;
    const struct conversation_hooks *hooks;
    struct conversation_result *result;
    struct pool pool;
    struct decode_settings decode;
    struct flow_settings settings;
    struct decoder *decoder;
    struct flow *flow;
    struct batch *batch;
    unsigned side; /* of the packet at hand */
};

/* --- who sent it --- */

static bool has_ports(const struct packet *p) {
    return p->kind == FLOW_TCP || p->kind == FLOW_UDP || p->kind == FLOW_SCTP ||
           (p->kind == FLOW_OTHER && p->ip_protocol == 17);
}

/* Address and port at the sending end; false when the packet says neither. */
static bool packet_sender(const struct packet *p, uint8_t ret_ip[16], uint16_t *ret_port) {
    size_t need = p->ip_version == 4 ? 20 : 40;
    if (!p->ip_version || p->captured < p->ip_at + need) {
        return false;
    }
    const uint8_t *h = p->data + p->ip_at;
    if (p->ip_version == 4) {
        memset(ret_ip, 0, 10);
        ret_ip[10] = ret_ip[11] = 0xff;
        memcpy(ret_ip + 12, h + 12, 4);
    } else {
        memcpy(ret_ip, h + 8, 16);
    }
    *ret_port = has_ports(p) && p->transport_at + 2u <= p->captured ? read_be16(p->data + p->transport_at) : 0;
    return true;
}

static unsigned end_side(const struct record *r, const uint8_t ip[16], uint16_t port) {
    bool same_ip = memcmp(r->ip[0], r->ip[1], 16) == 0;
    bool is_dst = memcmp(r->ip[1], ip, 16) == 0;
    return same_ip ? port == r->port[1] && port != r->port[0] : is_dst;
}

static unsigned packet_side(const struct record *r, const struct packet *p) {
    uint8_t ip[16];
    uint16_t port;
    return packet_sender(p, ip, &port) ? end_side(r, ip, port) : SIDE_SRC;
}

/* --- the flow table's hooks --- */

static void tell(struct conversation *c, const struct conversation_piece *piece) {
    if (!c->result->ended && piece->bytes.len) {
        c->result->ended = !c->hooks->piece(c->hooks->ctx, piece);
    }
}

static void on_stream(void *ctx, struct session *s, unsigned side, struct span bytes, uint64_t gap, int64_t time) {
    struct conversation *c = ctx;
    uint8_t ip[2][16];
    uint16_t port[2];
    session_endpoints(s, ip, port);
    tell(c, &(struct conversation_piece){
                .side = side ^ end_side(c->session, ip[0], port[0]), .time = time, .gap = gap, .bytes = bytes});
}

static void on_datagram(void *ctx, struct session *s, unsigned side, struct span bytes, const struct packet *p) {
    struct conversation *c = ctx;
    (void)s;
    (void)side;
    tell(c, &(struct conversation_piece){.side = c->side, .datagram = true, .time = p->time, .bytes = bytes});
}

static void on_stream_end(void *ctx, struct session *s, unsigned side) {
    (void)ctx;
    (void)s;
    (void)side;
}

static void on_saving(void *ctx, struct session *s, bool final) {
    (void)ctx;
    (void)s;
    (void) final;
}

static void on_record(void *ctx, struct record *r) {
    (void)ctx;
    (void)r;
}

/* --- reading --- */

static int conversation_init(struct conversation *c) {
    static const struct hash_key key = {1, 2}; /* nobody else fills this table */
    struct flow_hooks hooks = {c, on_stream, on_stream_end, on_datagram, on_saving, on_record};
    pool_init(&c->pool, POOL_MAX);
    c->decode =
        (struct decode_settings){.track_esp = true, .frags_timeout = 60, .max_frags = 10000, .frags_memory = QUEUE_MAX};
    c->settings = (struct flow_settings){
        .tcp_timeout = NEVER,
        .udp_timeout = NEVER,
        .icmp_timeout = NEVER,
        .sctp_timeout = NEVER,
        .esp_timeout = NEVER,
        .dhcp_timeout = NEVER,
        .other_timeout = NEVER,
        .unknown_timeout = NEVER,
        .tcp_save_timeout = NEVER,
        .tcp_closing_timeout = NEVER,
        .max_packets = UINT32_MAX,
        .max_streams = 1024,
        .max_out_of_order = 256,
        .reassembly_memory = QUEUE_MAX,
    };
    c->batch = calloc(1, sizeof(*c->batch));
    c->decoder = decoder_new(&c->decode, &key, &c->pool);
    if (c->hooks->piece) {
        c->flow = flow_new(&c->settings, &hooks, &c->pool, c->session->registry);
    }
    return c->batch && c->decoder && (c->flow || !c->hooks->piece) ? 0 : -ENOMEM;
}

static void conversation_done(struct conversation *c) {
    flow_free(c->flow);
    decoder_free(c->decoder);
    free(c->batch);
    pool_done(&c->pool);
}

static void packet_process(struct conversation *c, const struct packet *p) {
    struct batch *b = c->batch;
    b->count = 1;
    b->clock = p->time;
    b->packets[0] = *p;
    decoder_run(c->decoder, b);
    c->side = packet_side(c->session, &b->packets[0]);
    if (c->hooks->frame) {
        struct conversation_frame frame = {.number = c->result->packets,
                                           .side = c->side,
                                           .packet = &b->packets[0],
                                           .data = p->data,
                                           .captured = p->captured};
        c->result->ended = !c->hooks->frame(c->hooks->ctx, &frame);
    }
    if (c->flow && !c->result->ended) {
        flow_batch(c->flow, b, 0, 1);
    }
}

int conversation_read(struct captures *captures, const struct record *session, uint64_t limit,
                      const struct conversation_hooks *hooks, struct conversation_result *ret_result) {
    struct conversation c = {.session = session, .hooks = hooks, .result = ret_result};
    *ret_result = (struct conversation_result){0};
    uint64_t count = limit ? MIN(limit, (uint64_t)session->position_count) : session->position_count;
    int code = conversation_init(&c);
    for (uint64_t i = 0; code == 0 && i < count && !ret_result->ended; i++) {
        const struct packet_position *at = &session->positions[i];
        struct packet p;
        struct err *why = ret_result->lost ? NULL : &ret_result->why;
        const struct capture_packet want = {*at, session->first_time, session->last_time};
        code = captures_read(captures, &want, &p, why);
        if (code == 0) {
            ret_result->packets++;
            packet_process(&c, &p);
        } else if (code != -ENOMEM) {
            ret_result->lost++;
            code = 0;
        }
    }
    if (code == 0 && c.flow && !ret_result->ended) {
        flow_finish(c.flow);
    }
    conversation_done(&c);
    return code;
}
