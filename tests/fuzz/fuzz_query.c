/* fuzz_query.c: libFuzzer target: any text as an expression, with files, views and shortcuts to name; what parses is
 * matched against one record, twice with the same answer, its negation must give the other one, and what Elasticsearch
 * is asked must be JSON.
 */
#include <stdlib.h>

#include "base/json_scan.h"
#include "query/elastic.h"
#include "query/query.h"
#include "record/core_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELD(path_, name_, type_, flags_) \
    { .path = path_, .name = name_, .type = type_, .flags = flags_, .title = "T", .help = "H" }

static const struct field_def fields[] = {
    FIELD("http.host", "host.http", FT_LOWER, F_COUNT | F_TOKENS),
    FIELD("http.uri", "http.uri", FT_KEYWORD, F_COUNT | F_TOKENS),
    FIELD("http.statuscode", "http.statuscode", FT_U64, F_COUNT),
    FIELD("score", "score", FT_FLOAT, F_SINGLE),
};

static void fill(struct record *r, struct pool *pool, const struct registry *registry, uint16_t base) {
    static const uint8_t mac[6] = {0, 0x1a, 0xe3, 0xdc, 0x2e, 0xc0};
    *r = (struct record){.registry = registry, .node = "test", .index = "sessions3-240226", .segment = 1};
    r->first_time = INT64_C(1393410477500000000);
    r->last_time = r->first_time + INT64_C(90500000000);
    r->has_ip = r->has_port = r->is_tcp = true;
    r->ip[0][15] = 1;
    r->port[1] = 443;
    r->bytes[0] = 2000;
    r->payload8_len[0] = 8;
    cells_init(&r->cells, pool);
    (void)cells_put_text(&r->cells, registry_field(registry, CORE_PROTOCOL), SPAN_LITERAL("tcp"));
    (void)cells_put_mac(&r->cells, registry_field(registry, CORE_SRC_MAC), mac);
    (void)cells_put_text(&r->cells, registry_field(registry, base), SPAN_LITERAL("www.example.com"));
    (void)cells_put_text(&r->cells, registry_field(registry, (uint16_t)(base + 1)), SPAN_LITERAL("www.a.org/caf\xe9*"));
    (void)cells_put_u64(&r->cells, registry_field(registry, (uint16_t)(base + 2)), 404);
}

static int each_file(void *ctx, query_file_fn each, void *each_ctx) {
    int code = 0;
    (void)ctx;
    for (uint32_t i = 1; i < 20 && code == 0; i++) {
        struct query_file f = {i / 3 * 4 + i % 3, SPAN_LITERAL("/data/a.pcap"), SPAN_LITERAL("n")};
        f.name.len -= i % 5;
        code = each(each_ctx, &f);
    }
    return code;
}

/* A view's name is its expression: views inside views, and any damage. */
static int find_view(void *ctx, struct span name, struct buf *ret) {
    (void)ctx;
    if (name.len < 3) {
        return -2;
    }
    buf_add_span(ret, name);
    return 0;
}

/* A shortcut's name is its value as well. */
static int each_shortcut(void *ctx, struct span name, query_shortcut_fn each, void *each_ctx) {
    int code = 0;
    (void)ctx;
    for (int type = SHORTCUT_IP; type <= SHORTCUT_STRING && code == 0; type++) {
        struct query_shortcut s = {name, SPAN_LITERAL("\"id"), (enum shortcut_type)type, name};
        code = each(each_ctx, &s);
    }
    return code;
}

static const struct query_names names = {NULL, each_file, find_view, each_shortcut, false};
static const struct query_names few_names = {NULL, each_file, NULL, each_shortcut, true};

static void check_elastic(const struct query *q) {
    struct buf out;
    struct json_index index;
    struct json_error where;
    struct err e = {0};
    buf_init(&out, (size_t)4 << 20);
    int code = query_to_elastic(q, "lookups", &out, &e);
    if (code < 0 && !e.text[0]) {
        abort();
    }
    if (code == 0) {
        json_index_init(&index, (uint32_t)out.len + 16);
        code = json_index_build(&index, buf_span(&out), &where);
        code = code < 0 ? code : json_check(&index, &where);
        /* the scanner has its own limit of nesting */
        if (code < 0 && !strstr(where.what, "deep")) {
            abort();
        }
        json_index_done(&index);
    }
    buf_done(&out);
}

static bool answer(struct span text, const struct registry *registry, const struct query_names *n,
                   const struct record *r, bool *ret_fits) {
    struct query *q;
    struct err e = {0};
    if (query_parse_with(text, registry, n, INT64_C(1700000000000), &q, &e) < 0) {
        if (!e.text[0]) {
            abort();
        }
        return false;
    }
    *ret_fits = query_match(q, r);
    if (query_match(q, r) != *ret_fits) {
        abort();
    }
    check_elastic(q);
    query_free(q);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct registry *registry = registry_new();
    struct pool pool;
    struct record r;
    uint16_t core, base;
    bool fits, other;
    if (registry_add(registry, "core", core_field_table, core_field_count, &core, NULL) < 0 ||
        registry_add(registry, "test", fields, sizeof(fields) / sizeof(fields[0]), &base, NULL) < 0 ||
        registry_seal(registry, NULL) < 0) {
        abort();
    }
    pool_init(&pool, 0);
    fill(&r, &pool, registry, base);
    uint8_t *negated = malloc(size + 3);
    (void)answer(span_make(data, size), registry, &few_names, &r, &fits);
    if (negated && size && answer(span_make(data, size), registry, &names, &r, &fits)) {
        negated[0] = '!';
        negated[1] = '(';
        memcpy(negated + 2, data, size);
        negated[size + 2] = ')';
        if (answer(span_make(negated, size + 3), registry, &names, &r, &other) && fits == other) {
            abort();
        }
    }
    free(negated);
    cells_done(&r.cells);
    pool_done(&pool);
    registry_free(registry);
    return 0;
}
