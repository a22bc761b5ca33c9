/* fuzz_dissect.c: one dissector under the engine, as the flow table would call it. Compiled once per protocol with
 * -DDISSECTOR=name, and once without for the classifier with all of them.
 *
 * Input: one byte of options (1: datagrams, 2: all settings that record more are on, 4: a piece is saved in the middle,
 * 8: sides are not closed), then messages: one byte (1: from the destination, 2: a gap comes first, 4: the side ends),
 * two bytes length, little-endian, and the bytes. The document is written at the end, so what was put is read as well.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "dissect/engine.h"
#include "dissect/list.h"
#include "flow/session.h"
#include "record/core_fields.h"
#include "record/document.h"

#define STRINGIFY2(x) #x
#define STRINGIFY(x) STRINGIFY2(x)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bed {
    struct registry *registry;
    struct dissect_set *set;
    struct config *config;
    struct document_plan *plan;
};

static struct bed beds[2]; /* plain settings; everything recorded */

static void bed_make(struct bed *b, bool everything) {
    static const char *const more[] = {
        "parseQSValue=true",
        "parseCookieValue=true",
        "parseSMTPHeaderAll=true",
        "parseHTTPHeaderRequestAll=true",
        "parseDNSRecordAll=true",
        "supportSha256=true",
        "ja3Strings=true",
        "ja4Raw=true",
        "parseHTTPHeaderResponseAll=true",
        "maxReqBody=2000",
        "headers-http-request.referer=type:string;count:true;unique:true",
        "headers-email.x-priority=type:integer",
    };
    struct config_module modules[64];
    struct err e = {0};
    uint16_t base;
    b->registry = registry_new();
    b->config = config_new();
    if (!b->registry || !b->config ||
        registry_add(b->registry, "general", core_field_table, core_field_count, &base, &e) < 0) {
        abort();
    }
    b->set = dissect_set_new(b->registry, &e);
    for (size_t i = 0; everything && i < ARRAY_LEN(more); i++) {
        (void)config_override(b->config, more[i], &e);
    }
    if (!b->set ||
        config_apply(b->config, modules, dissect_set_modules(b->set, modules, ARRAY_LEN(modules)), NULL, NULL) < 0 ||
        dissect_set_prepare(b->set, b->registry, b->config, &e) < 0 || registry_seal(b->registry, &e) < 0) {
        abort();
    }
    b->plan = document_plan_new(b->registry);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    bed_make(&beds[0], false);
    bed_make(&beds[1], true);
    return 0;
}

static uint8_t wanted_id(const struct dissect_set *set) {
#ifdef DISSECTOR
    for (size_t i = 0; i < dissect_set_count(set); i++) {
        if (strcmp(dissect_set_get(set, i)->name, STRINGIFY(DISSECTOR)) == 0) {
            return (uint8_t)i;
        }
    }
    abort();
#else
    (void)set;
    return 0xff;
#endif
}

static void session_make(struct session *s, struct pool *pool, bool datagrams, uint8_t ports) {
    static const uint16_t known[] = {40000, 53, 80, 123, 67, 547, 5353, 25, 69}; /* 16 at most */
    memset(s, 0, sizeof(*s));
    cells_init(&s->cells, pool);
    s->kind = datagrams ? FLOW_UDP : FLOW_TCP;
    s->ip_version = 4;
    s->ip_protocol = datagrams ? 17 : 6;
    s->src_is_low = true;
    s->key.low[10] = s->key.low[11] = s->key.high[10] = s->key.high[11] = 0xff;
    s->key.low[12] = s->key.high[12] = 10;
    s->key.high[15] = 1;
    s->key.low_port = 50000;
    s->key.high_port = known[ports % ARRAY_LEN(known)];
    s->first_time = s->last_time = 1700000000000000000;
}

static void deliver(struct dissect_engine *e, struct session *s, const struct packet *p, struct cursor *c) {
    uint8_t how = cursor_u8(c);
    size_t len = MIN((size_t)cursor_u16le(c), cursor_left(c));
    struct span bytes = cursor_span(c, len);
    unsigned side = how & 1;
    s->last_time += 1000000;
    /* A copy of the exact size: reading behind it is seen. */
    uint8_t *copy = malloc(bytes.len ? bytes.len : 1);
    if (!copy) {
        abort();
    }
    if (bytes.len) {
        memcpy(copy, bytes.at, bytes.len);
    }
    if (s->kind == FLOW_UDP) {
        dissect_datagram(e, s, side, span_make(copy, bytes.len), p);
    } else if (!s->quiet) {
        if (bytes.len) {
            dissect_stream(e, s, side, span_make(copy, bytes.len), how & 2 ? 100 : 0, s->last_time);
        }
        if (how & 4) {
            dissect_stream_end(e, s, side);
        }
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2) {
        return 0;
    }
    uint8_t options = data[0];
    struct cursor c = cursor_over(span_make(data + 1, size - 1));
    const struct bed *b = &beds[options >> 1 & 1];
    struct pool pool;
    pool_init(&pool, (size_t)64 << 20);
    struct dissect_engine *e = dissect_engine_new(b->set, b->registry, &pool);
    struct session s;
    uint8_t id = wanted_id(b->set);
    session_make(&s, &pool, options & 1, options >> 4);
    if (id != 0xff) {
        const struct dissector *d = dissect_set_get(b->set, id);
        s.kind = d->stream && (!d->datagram || !(options & 1)) ? FLOW_TCP : FLOW_UDP;
        if (!(s.kind == FLOW_TCP ? d->stream != NULL : d->datagram != NULL) || !dissect_attach(e, &s, id)) {
            abort();
        }
    }
    struct packet p = {.time = s.first_time, .ip_version = 4, .ip_protocol = s.ip_protocol};
    for (unsigned n = 0; cursor_left(&c) && n < 4096; n++) {
        deliver(e, &s, &p, &c);
        if (n == 3 && (options & 4)) {
            dissect_saving(e, &s, false);
            cells_keep_linked(&s.cells, b->registry);
        }
    }
    for (unsigned side = 0; side < 2 && s.kind == FLOW_TCP && !(options & 8); side++) {
        if (!s.quiet) {
            dissect_stream_end(e, &s, side);
        }
    }
    dissect_saving(e, &s, true);
    struct record r = {.registry = b->registry, .cells = s.cells, .node = "fuzz"};
    struct buf out;
    buf_init(&out, (size_t)64 << 20);
    document_write(b->plan, &r, 0, &out);
    buf_done(&out);
    cells_done(&s.cells);
    dissect_engine_free(e);
    if (pool.in_use) {
        abort(); /* something was not given back */
    }
    pool_done(&pool);
    return 0;
}
