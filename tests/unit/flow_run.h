/* flow_run.h: crafted packets through the real decoder and flow table, with everything the table tells written down.
 *
 * A run owns all it makes. Packets are Ethernet frames built by frame.h or by run_tcp; they are handed over in batches
 * of `batch_size`. What was delivered stands in `events`, finished records in `records` with their document as text.
 */
#ifndef SEINE_TESTS_FLOW_RUN_H
#define SEINE_TESTS_FLOW_RUN_H

#include "check.h"
#include "flow/flow.h"
#include "flow/session.h"
#include "frame.h"
#include "record/core_fields.h"
#include "record/document.h"

#define NS UINT64_C(1000000000)
#define RUN_START 1600000000 /* seconds */

enum happening { STREAM, STREAM_END, DATAGRAM, SAVING };

struct event {
    enum happening what;
    unsigned side;
    size_t at, len; /* bytes in heard[side] */
    uint64_t gap;
    int64_t time;
    const struct session *session;
    bool final;
};

struct saved {
    struct record r; /* without cells, positions are a copy */
    struct packet_position *positions;
    char *document;
};

struct flow_run {
    struct registry *registry;
    struct document_plan *plan;
    struct pool pool;
    struct decode_settings decode;
    struct decoder *decoder;
    struct flow_settings settings;
    struct flow *flow;
    struct batch *batch;
    uint32_t batch_size, workers;
    uint8_t *space; /* bytes of the batch's frames */
    size_t space_used;
    uint64_t position;
    uint32_t file;
    double time; /* seconds behind RUN_START of the next packet */
    double step; /* added after each */
    bool quiet;  /* sessions are made quiet when they first speak */
    struct buf heard[2];
    struct event *events;
    size_t event_count, event_room;
    struct saved *records;
    size_t record_count, record_room;
};

#define SPACE_SIZE ((size_t)BATCH_MAX * 2048)

static inline struct event *run_note(struct flow_run *r, enum happening what, const struct session *s, unsigned side) {
    if (r->event_count == r->event_room) {
        r->event_room = r->event_room ? 2 * r->event_room : 64;
        r->events = realloc(r->events, r->event_room * sizeof(*r->events));
        assert_non_null(r->events);
    }
    struct event *e = &r->events[r->event_count++];
    *e = (struct event){.what = what, .side = side, .session = s};
    return e;
}

static inline void run_hear(struct flow_run *r, struct event *e, struct span bytes) {
    e->at = r->heard[e->side].len;
    e->len = bytes.len;
    buf_add_span(&r->heard[e->side], bytes);
    assert_false(r->heard[e->side].overflowed);
}

static inline void run_on_stream(void *ctx, struct session *s, unsigned side, struct span bytes, uint64_t gap,
                                 int64_t time) {
    struct event *e = run_note(ctx, STREAM, s, side);
    e->gap = gap;
    e->time = time;
    run_hear(ctx, e, bytes);
}

static inline void run_on_stream_end(void *ctx, struct session *s, unsigned side) {
    (void)run_note(ctx, STREAM_END, s, side);
}

static inline void run_on_datagram(void *ctx, struct session *s, unsigned side, struct span bytes,
                                   const struct packet *p) {
    struct event *e = run_note(ctx, DATAGRAM, s, side);
    e->time = p->time;
    run_hear(ctx, e, bytes);
}

static inline void run_on_saving(void *ctx, struct session *s, bool final) {
    run_note(ctx, SAVING, s, 0)->final = final;
}

static inline void run_on_record(void *ctx, struct record *record) {
    struct flow_run *r = ctx;
    if (r->record_count == r->record_room) {
        r->record_room = r->record_room ? 2 * r->record_room : 16;
        r->records = realloc(r->records, r->record_room * sizeof(*r->records));
        assert_non_null(r->records);
    }
    struct saved *saved = &r->records[r->record_count++];
    record->node = "test";
    record->name_files = true;
    *saved = (struct saved){.r = *record};
    size_t size = record->position_count * sizeof(*saved->positions);
    saved->positions = malloc(size + 1);
    assert_non_null(saved->positions);
    if (size) {
        memcpy(saved->positions, record->positions, size);
    }
    struct buf text;
    buf_init(&text, (size_t)1 << 20);
    document_write(r->plan, record, 0, &text);
    buf_add_byte(&text, 0);
    assert_false(text.overflowed);
    saved->document = (char *)text.data;
    saved->r.positions = saved->positions;
    memset(&saved->r.cells, 0, sizeof(saved->r.cells));
}

/* Settings may be changed until the first packet. */
static inline struct flow_run *run_new(void) {
    struct flow_run *r = calloc(1, sizeof(*r));
    struct err e = {0};
    uint16_t base;
    assert_non_null(r);
    r->registry = registry_new();
    assert_non_null(r->registry);
    assert_int_equal(registry_add(r->registry, "core", core_field_table, core_field_count, &base, &e), 0);
    assert_int_equal(registry_seal(r->registry, &e), 0);
    r->plan = document_plan_new(r->registry);
    r->batch = calloc(1, sizeof(*r->batch));
    r->space = malloc(SPACE_SIZE);
    assert_true(r->plan && r->batch && r->space);
    pool_init(&r->pool, 0);
    r->decode = (struct decode_settings){.frags_timeout = 60, .max_frags = 100, .frags_memory = 1 << 20};
    r->settings = (struct flow_settings){
        .tcp_timeout = 480,
        .udp_timeout = 60,
        .icmp_timeout = 10,
        .sctp_timeout = 60,
        .esp_timeout = 600,
        .dhcp_timeout = 60,
        .other_timeout = 600,
        .unknown_timeout = 60,
        .tcp_save_timeout = 480,
        .tcp_closing_timeout = 5,
        .max_packets = 10000,
        .max_streams = 100000,
        .max_out_of_order = 256,
        .reassembly_memory = (uint64_t)64 << 20,
    };
    r->batch_size = 1;
    r->workers = 1;
    r->file = 1;
    r->position = 24;
    r->step = 0.001;
    buf_init(&r->heard[0], (size_t)64 << 20);
    buf_init(&r->heard[1], (size_t)64 << 20);
    return r;
}

static inline void run_start(struct flow_run *r) {
    static const struct hash_key key = {1, 2};
    struct flow_hooks hooks = {r, run_on_stream, run_on_stream_end, run_on_datagram, run_on_saving, run_on_record};
    if (!r->flow) {
        r->decoder = decoder_new(&r->decode, &key, &r->pool);
        r->flow = flow_new(&r->settings, &hooks, &r->pool, r->registry);
        assert_true(r->decoder && r->flow);
    }
}

static inline void run_flush(struct flow_run *r) {
    run_start(r);
    if (r->batch->count) {
        decoder_run(r->decoder, r->batch);
        for (uint32_t w = 0; w < r->workers; w++) { /* all shares by one table: what a single worker would see */
            flow_batch(r->flow, r->batch, w, r->workers);
        }
    }
    r->batch->count = 0;
    r->space_used = 0;
}

/* One captured frame at the run's time. */
static inline void run_frame(struct flow_run *r, const void *bytes, size_t len) {
    if (r->batch->count == MIN(r->batch_size, (uint32_t)BATCH_MAX) || r->space_used + len > SPACE_SIZE) {
        run_flush(r);
    }
    uint8_t *at = r->space + r->space_used;
    memcpy(at, bytes, len);
    r->space_used += len;
    r->batch->packets[r->batch->count++] = (struct packet){
        .data = at,
        .time = (int64_t)((RUN_START + r->time) * 1000) * 1000000,
        .position = r->position,
        .captured = (uint32_t)len,
        .wire = (uint32_t)len,
        .file = r->file,
        .link = 1,
    };
    r->position += 16 + len;
    r->time += r->step;
}

/* A frame of frame.h, which is cleared for the next. */
static inline void run_built(struct flow_run *r, struct frame *f) {
    run_frame(r, frame_bytes(f), frame_len(f));
    frame_clear(f);
}

/* What a TCP packet is made of. Side 0 is 10.0.0.1:40000 + flow, side 1 is 10.0.0.2:80. */
struct tcp_made {
    unsigned side, flow;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window; /* 0: 1000; WINDOW_ZERO: none */
    struct span data;
};
#define WINDOW_ZERO 0xffff
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static inline void run_tcp(struct flow_run *r, struct tcp_made m) {
    uint8_t p[54 + 1500] = {[12] = 8, [14] = 0x45, [22] = 64, [23] = 6, [46] = 0x50};
    assert_true(m.data.len <= 1500);
    memcpy(p, m.side ? "\2\0\0\0\0\1\2\0\0\0\0\2" : "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
    write16(p + 16, (unsigned)(40 + m.data.len));
    write32(p + 26, m.side ? 0x0a000002 : 0x0a000001);
    write32(p + 30, m.side ? 0x0a000001 : 0x0a000002);
    write16(p + 34, m.side ? 80 : 40000 + m.flow);
    write16(p + 36, m.side ? 40000 + m.flow : 80);
    write32(p + 38, m.seq);
    write32(p + 42, m.ack);
    p[47] = m.flags;
    write16(p + 48, m.window == WINDOW_ZERO ? 0 : m.window ? m.window : 1000);
    (void)span_copy_to(m.data, p + 54);
    run_frame(r, p, 54 + m.data.len);
}

/* `data` of side `side`; the shapes tests use most. */
static inline void run_data(struct flow_run *r, unsigned side, uint32_t seq, uint32_t ack, const char *data) {
    run_tcp(r, (struct tcp_made){.side = side, .seq = seq, .ack = ack, .flags = ACK | PSH, .data = span_text(data)});
}

static inline void run_flags(struct flow_run *r, unsigned side, uint32_t seq, uint32_t ack, unsigned flags) {
    run_tcp(r, (struct tcp_made){.side = side, .seq = seq, .ack = ack, .flags = (uint8_t)flags});
}

/* Three packets; the first bytes are 1001 and 5001. */
static inline void run_handshake(struct flow_run *r) {
    run_flags(r, 0, 1000, 0, SYN);
    run_flags(r, 1, 5000, 1001, SYN | ACK);
    run_flags(r, 0, 1001, 5001, ACK);
}

/* Hands over what waits and saves every session. */
static inline void run_finish(struct flow_run *r) {
    run_flush(r);
    flow_finish(r->flow);
}

static inline uint64_t run_count(const struct flow_run *r, enum flow_count which) {
    return flow_counts(r->flow)[which];
}

static inline void run_free(struct flow_run *r) {
    r->flow = flow_free(r->flow);
    r->decoder = decoder_free(r->decoder);
    for (size_t i = 0; i < r->record_count; i++) {
        free(r->records[i].positions);
        free(r->records[i].document);
    }
    free(r->records);
    free(r->events);
    buf_done(&r->heard[0]);
    buf_done(&r->heard[1]);
    assert_int_equal(r->pool.in_use, 0);
    pool_done(&r->pool);
    free(r->space);
    free(r->batch);
    document_plan_free(r->plan);
    registry_free(r->registry);
    free(r);
}

/* Deliveries as text: `0:abc` what a side said, `(5)` bytes missing before, `0!` its end; blanks between. */
static inline const char *run_story(const struct flow_run *r, char *to, size_t size) {
    size_t len = 0;
    to[0] = 0;
    for (size_t i = 0; i < r->event_count; i++) {
        const struct event *e = &r->events[i];
        const char *blank = len ? " " : "";
        if (e->what == STREAM && e->gap) {
            len += (size_t)snprintf(to + len, size - len, "%s(%llu)%u:%.*s", blank, (unsigned long long)e->gap, e->side,
                                    (int)e->len, (const char *)r->heard[e->side].data + e->at);
        } else if (e->what == STREAM || e->what == DATAGRAM) {
            len += (size_t)snprintf(to + len, size - len, "%s%u:%.*s", blank, e->side, (int)e->len,
                                    e->len ? (const char *)r->heard[e->side].data + e->at : "");
        } else if (e->what == STREAM_END) {
            len += (size_t)snprintf(to + len, size - len, "%s%u!", blank, e->side);
        }
        assert_true(len < size);
    }
    return to;
}

#define assert_story(run, wanted)                                            \
    do {                                                                     \
        char story_[4000];                                                   \
        assert_string_equal(run_story(run, story_, sizeof(story_)), wanted); \
    } while (0)

#define assert_document(run, i, part)                                                               \
    do {                                                                                            \
        assert_true((i) < (run)->record_count);                                                     \
        if (!strstr((run)->records[i].document, part)) {                                            \
            fail_msg("not in document %zu: %s\n%s", (size_t)(i), part, (run)->records[i].document); \
        }                                                                                           \
    } while (0)

#define assert_no_document(run, i, part)                                                        \
    do {                                                                                        \
        assert_true((i) < (run)->record_count);                                                 \
        if (strstr((run)->records[i].document, part)) {                                         \
            fail_msg("in document %zu: %s\n%s", (size_t)(i), part, (run)->records[i].document); \
        }                                                                                       \
    } while (0)

#endif
