/* query_build.h: fields and one record for tests of expressions. */
#ifndef SEINE_TESTS_QUERY_BUILD_H
#define SEINE_TESTS_QUERY_BUILD_H

#include "check.h"
#include "query/query.h"
#include "record/core_fields.h"

#define BUILD_NOW INT64_C(1700000000000)

#define BUILD_FIELD(path_, name_, type_, flags_) \
    { .path = path_, .name = name_, .type = type_, .flags = flags_, .title = "T", .help = "H" }

enum build_field {
    BUILD_HOST,
    BUILD_URI,
    BUILD_STATUS,
    BUILD_SCORE,
    BUILD_OTHER,
    BUILD_ROWS,
    BUILD_ROW_CODE,
    BUILD_LEASE
};
static const struct field_def build_fields[] = {
    [BUILD_HOST] = BUILD_FIELD("http.host", "host.http", FT_LOWER, F_COUNT | F_TOKENS),
    [BUILD_URI] = BUILD_FIELD("http.uri", "http.uri", FT_KEYWORD, F_COUNT | F_TOKENS),
    [BUILD_STATUS] = BUILD_FIELD("http.statuscode", "http.statuscode", FT_U64, F_COUNT),
    [BUILD_SCORE] = BUILD_FIELD("score", "score", FT_FLOAT, F_SINGLE),
    [BUILD_OTHER] = BUILD_FIELD("other.host", "host.other", FT_LOWER, F_COUNT),
    [BUILD_ROWS] = BUILD_FIELD("rows", "rows", FT_OBJECT, F_OBJECT_COUNT),
    [BUILD_LEASE] = BUILD_FIELD("dhcp.host", "dhcp.host", FT_LOWER, F_COUNT),
    [BUILD_ROW_CODE] = BUILD_FIELD("rows.code", "rows.code", FT_KEYWORD, F_SINGLE),
};

struct build {
    struct registry *registry;
    struct pool pool;
    struct record record;
    uint16_t base;
};

static inline const struct field *build_field(const struct build *b, unsigned which) {
    return registry_field(b->registry, (uint16_t)(b->base + which));
}

static inline void build_ip(uint8_t to[16], uint8_t a, uint8_t b, uint8_t c, uint8_t d) {
    memset(to, 0, 16);
    to[10] = to[11] = 0xff;
    memcpy(to + 12, (uint8_t[]){a, b, c, d}, 4);
}

static inline void build_init(struct build *b) {
    struct err e = {0};
    uint16_t core;
    *b = (struct build){0};
    b->registry = registry_new();
    assert_int_equal(registry_add(b->registry, "core", core_field_table, core_field_count, &core, &e), 0);
    assert_int_equal(registry_add(b->registry, "test", build_fields, ARRAY_LEN(build_fields), &b->base, &e), 0);
    if (registry_seal(b->registry, &e) < 0) {
        fail_msg("%s", e.text);
    }
    pool_init(&b->pool, 0);
    struct record *r = &b->record;
    r->registry = b->registry;
    r->node = "test";
    r->index = "sessions3-240226";
    memcpy(r->id, "AAAAAAAAAAAAAAAAAAAAAA", 23);
    r->segment = 1;
    r->first_time = INT64_C(1393410477500000000); /* 2014-02-26 10:27:57.5 UTC */
    r->last_time = r->first_time + INT64_C(90500000000);
    r->has_ip = r->has_port = r->is_tcp = true;
    build_ip(r->ip[0], 10, 0, 0, 2);
    build_ip(r->ip[1], 192, 168, 1, 20);
    r->port[0] = 50759;
    r->port[1] = 443;
    r->ip_protocol = 6;
    r->bytes[0] = 2000;
    r->bytes[1] = 1000;
    r->packets[0] = 10;
    r->packets[1] = 5;
    memcpy(r->payload8[0], "GET / HT", 8);
    r->payload8_len[0] = 8;
    cells_init(&r->cells, &b->pool);
    struct cells *c = &r->cells;
    (void)cells_put_text(c, registry_field(b->registry, CORE_PROTOCOL), SPAN_LITERAL("tcp"));
    (void)cells_put_text(c, registry_field(b->registry, CORE_PROTOCOL), SPAN_LITERAL("http"));
    (void)cells_put_mac(c, registry_field(b->registry, CORE_SRC_MAC), (const uint8_t *)"\x00\x1a\xe3\xdc\x2e\xc0");
    (void)cells_put_text(c, build_field(b, BUILD_HOST), SPAN_LITERAL("WWW.Example.com"));
    (void)cells_put_text(c, build_field(b, BUILD_HOST), SPAN_LITERAL("cdn.example.org"));
    (void)cells_put_text(c, build_field(b, BUILD_OTHER), SPAN_LITERAL("cdn.example.org"));
    (void)cells_put_text(c, build_field(b, BUILD_URI), SPAN_LITERAL("www.example.com/js/Main*1.js"));
    (void)cells_put_text(c, build_field(b, BUILD_URI), SPAN_LITERAL("caf\xe9"));
    (void)cells_put_u64(c, build_field(b, BUILD_STATUS), 200);
    (void)cells_put_u64(c, build_field(b, BUILD_STATUS), 404);
    (void)cells_put_double(c, build_field(b, BUILD_SCORE), 2.5);
    struct object o = cells_object(c, build_field(b, BUILD_ROWS), 7, NULL);
    cells_object_text(c, o, build_field(b, BUILD_ROW_CODE), SPAN_LITERAL("X-1"));
}

static inline void build_done(struct build *b) {
    cells_done(&b->record.cells);
    pool_done(&b->pool);
    registry_free(b->registry);
}

#endif
