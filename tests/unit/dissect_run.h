/* dissect_run.h: one session through the real dissectors, and the document that comes out; for unit tests.
 *
 * A run owns a registry, the dissectors with their settings, a worker's engine and one TCP session without packets.
 * Bytes are delivered as the flow table would deliver them; `cut` says how they fell into segments.
 */
#ifndef SEINE_TESTS_DISSECT_RUN_H
#define SEINE_TESTS_DISSECT_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/util.h"
#include "config/config.h"
#include "dissect/engine.h"
#include "flow/session.h"
#include "record/core_fields.h"
#include "record/document.h"

#define RUN_MODULES_MAX 64
#define RUN_DOCUMENT_MAX ((size_t)4 << 20)
#define RUN_TIME INT64_C(1700000000) /* seconds: when the session begins */

/* Bytes one side says. */
struct said {
    uint8_t side;
    struct span bytes;
};

struct dissect_run {
    struct registry *registry;
    struct dissect_set *set;
    struct config *config;
    struct dissect_engine *engine;
    struct document_plan *plan;
    struct pool pool;
    struct session session;
    struct buf document;
};

static inline void run_report(void *ctx, const char *file, const struct err *problem, bool fatal) {
    (void)ctx;
    (void)file;
    if (fatal) {
        fail_msg("configuration: %s", problem->text);
    }
}

/* `settings`: "key=value", ended by NULL; may be NULL itself. */
static inline void run_init(struct dissect_run *r, const char *const *settings) {
    struct err problem = {0};
    uint16_t base;
    *r = (struct dissect_run){0};
    r->registry = registry_new();
    assert_non_null(r->registry);
    assert_int_equal(registry_add(r->registry, "core", core_field_table, core_field_count, &base, &problem), 0);
    r->set = dissect_set_new(r->registry, &problem);
    if (!r->set) {
        fail_msg("%s", problem.text);
    }
    r->config = config_new();
    assert_non_null(r->config);
    for (; settings && *settings; settings++) {
        assert_int_equal(config_override(r->config, *settings, &problem), 0);
    }
    struct config_module modules[RUN_MODULES_MAX];
    size_t count = dissect_set_modules(r->set, modules, RUN_MODULES_MAX);
    assert_int_equal(config_apply(r->config, modules, count, run_report, NULL), 0);
    assert_int_equal(dissect_set_prepare(r->set, r->registry, r->config, &problem), 0);
    assert_int_equal(registry_seal(r->registry, &problem), 0);
    r->plan = document_plan_new(r->registry);
    assert_non_null(r->plan);
    pool_init(&r->pool, 0);
    r->engine = dissect_engine_new(r->set, r->registry, &r->pool);
    assert_non_null(r->engine);
    buf_init(&r->document, RUN_DOCUMENT_MAX);
}

/* Begins a new session; the source is the lower of two addresses, ports are 40000 and `port`. */
static inline void run_start(struct dissect_run *r, uint16_t port) {
    r->session = (struct session){.first_time = RUN_TIME * 1000000000, .last_time = RUN_TIME * 1000000000};
    r->session.key.low[15] = 1;
    r->session.key.high[15] = 2;
    r->session.key.low_port = 40000;
    r->session.key.high_port = port;
    r->session.src_is_low = true;
    r->session.kind = FLOW_TCP;
    r->session.ip_protocol = 6;
    r->session.ip_version = 4;
    cells_init(&r->session.cells, &r->pool);
}

/* `cut`: bytes of a segment, 0 = all in one. */
static inline void run_say(struct dissect_run *r, unsigned side, struct span bytes, size_t cut) {
    for (size_t at = 0; at < bytes.len; at += cut ? cut : bytes.len) {
        dissect_stream(r->engine, &r->session, side, span_sub(bytes, at, cut ? cut : bytes.len), 0,
                       r->session.last_time);
    }
}

/* Ends the session and returns its document as text, valid until the next call. */
static inline const char *run_finish(struct dissect_run *r) {
    if (r->session.kind == FLOW_TCP) {
        dissect_stream_end(r->engine, &r->session, 0);
        dissect_stream_end(r->engine, &r->session, 1);
    }
    dissect_saving(r->engine, &r->session, true);
    struct record record = {.registry = r->registry, .cells = r->session.cells, .node = "test"};
    buf_clear(&r->document);
    document_write(r->plan, &record, 0, &r->document);
    buf_add_byte(&r->document, 0);
    assert_false(r->document.overflowed);
    cells_done(&r->session.cells);
    return (const char *)r->document.data;
}

/* A whole conversation. */
static inline const char *run_talk(struct dissect_run *r, uint16_t port, const struct said *said, size_t count,
                                   size_t cut) {
    run_start(r, port);
    for (size_t i = 0; i < count; i++) {
        run_say(r, said[i].side, said[i].bytes, cut);
    }
    return run_finish(r);
}

/* The same conversation must give the same document however it is cut; returns it. */
static inline const char *run_every_cut(struct dissect_run *r, uint16_t port, const struct said *said, size_t count) {
    static const size_t cuts[] = {1, 2, 3, 7, 100, 1460, 0};
    char *first = NULL;
    const char *text = NULL;
    for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
        text = run_talk(r, port, said, count, cuts[i]);
        if (!first) {
            first = strdup(text);
        } else if (strcmp(first, text) != 0) {
            fail_msg("cut into %zu: %s\ncut into 1: %s", cuts[i], text, first);
        }
    }
    free(first);
    return text;
}

static inline void run_done(struct dissect_run *r) {
    buf_done(&r->document);
    dissect_engine_free(r->engine);
    pool_done(&r->pool);
    document_plan_free(r->plan);
    dissect_set_free(r->set);
    config_free(r->config);
    registry_free(r->registry);
}

#define assert_has(document, text)                                   \
    do {                                                             \
        if (!strstr(document, text)) {                               \
            fail_msg("not in the document: %s\n%s", text, document); \
        }                                                            \
    } while (0)
#define assert_lacks(document, text)                             \
    do {                                                         \
        if (strstr(document, text)) {                            \
            fail_msg("in the document: %s\n%s", text, document); \
        }                                                        \
    } while (0)

#endif
