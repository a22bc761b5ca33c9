/* test_registry.c: ids, keys and groups, companions, writing order, names and what a wrong table is told. */
#include "field/registry.h"

#include <errno.h>

#include "check.h"

#define TEXT(path_, name_, flags_) \
    { .path = path_, .name = name_, .type = FT_KEYWORD, .flags = flags_, .title = "T", .help = "H" }

static struct registry *made(const struct field_def *defs, size_t count) {
    struct registry *r = registry_new();
    struct err e = {0};
    uint16_t base = 77;
    assert_non_null(r);
    assert_int_equal(registry_add(r, "test", defs, count, &base, &e), 0);
    assert_int_equal(base, 0);
    if (registry_seal(r, &e) < 0) {
        fail_msg("%s", e.text);
    }
    return r;
}

/* The table is refused, at the latest when sealed, with this code and this word in the text. */
static void refused(const struct field_def *defs, size_t count, int code, const char *word) {
    struct registry *r = registry_new();
    struct err e = {0};
    uint16_t base = 77;
    assert_non_null(r);
    int got = registry_add(r, "test", defs, count, &base, &e);
    if (got < 0) {
        assert_int_equal(base, 77);
        assert_int_equal(registry_count(r), 0); /* all or nothing */
    } else {
        got = registry_seal(r, &e);
    }
    assert_int_equal(got, code);
    assert_int_equal(e.code, code);
    if (!strstr(e.text, word)) {
        fail_msg("\"%s\" does not name %s", e.text, word);
    }
    registry_free(r);
}

static const struct field_def shapes[] = {
    TEXT("plain", "plain", F_COUNT),
    TEXT("http.host", "host.http", F_COUNT),
    TEXT("http.request.x", "http.x", 0),
    TEXT("source.geo.country", "country", F_DEEP | F_SINGLE),
    TEXT("source.geo.city", "city", F_DEEP | F_SINGLE),
    TEXT("source.mac", "mac", F_DEEP | F_ECS_COUNT),
    {.path = "dns", .type = FT_OBJECT, .flags = F_OBJECT_COUNT, .title = "T", .help = "H"},
    TEXT("dns.host", "host.dns", F_COUNT),
    {.path = "dns.answers", .type = FT_OBJECT, .flags = F_OBJECT_COUNT, .title = "T", .help = "H"},
    TEXT("dns.answers.name", "dns.answer", 0),
    TEXT("dnsx", "dnsx", 0),
    TEXT("http-a", "http-a", 0),
    {.path = "anyhost",
     .name = "host",
     .type = FT_UNION,
     .flags = F_VIRTUAL,
     .title = "T",
     .help = "H",
     .members = "host.http"},
};

static void test_keys(void **state) {
    (void)state;
    struct registry *r = made(shapes, ARRAY_LEN(shapes));
    const struct field *f = registry_fields(r);
    assert_span(f[0].key, "\"plain\":");
    assert_span(f[0].count_key, "\"plainCnt\":");
    assert_int_equal(f[0].depth, 0);
    assert_span(f[1].key, "\"host\":");
    assert_int_equal(f[1].depth, 1);
    assert_span(f[1].groups[0], "\"http\":");
    assert_ptr_equal(f[1].groups[0].at, f[2].groups[0].at); /* equal groups share their memory */
    assert_span(f[2].key, "\"request.x\":");                /* only the first dot nests */
    assert_int_equal(f[2].count_key.len, 0);
    assert_int_equal(f[3].depth, 2);
    assert_span(f[3].groups[0], "\"source\":");
    assert_span(f[3].groups[1], "\"geo\":");
    assert_ptr_equal(f[3].groups[1].at, f[4].groups[1].at);
    assert_ptr_equal(f[3].groups[0].at, f[5].groups[0].at);
    assert_span(f[5].count_key, "\"mac-cnt\":");
    assert_int_equal(f[6].parent, FIELD_NONE);
    assert_span(f[6].count_key, "\"dnsCnt\":");
    assert_int_equal(f[7].parent, 6);
    assert_int_equal(f[7].depth, 0);
    assert_span(f[7].count_key, "\"hostCnt\":");
    assert_int_equal(f[8].parent, 6);
    assert_int_equal(f[9].parent, 8); /* the innermost object */
    assert_span(f[9].key, "\"name\":");
    assert_int_equal(f[10].parent, FIELD_NONE); /* a common beginning is no parent */
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        uint8_t sum = 0; /* ASan sees when a key cannot be read as far as promised */
        for (size_t k = 0; k < FIELD_KEY_READABLE; k++) {
            sum = (uint8_t)(sum + f[i].key.at[k]);
        }
        (void)sum;
        assert_int_equal(f[i].id, i);
        assert_ptr_equal(f[i].def, &shapes[i]);
        assert_string_equal(f[i].owner, "test");
        assert_ptr_equal(registry_field(r, (uint16_t)i), &f[i]);
    }
    assert_null(registry_field(r, ARRAY_LEN(shapes)));
    assert_null(registry_field(r, FIELD_NONE));
    registry_free(r);
}

static void test_order(void **state) {
    (void)state;
    struct registry *r = made(shapes, ARRAY_LEN(shapes));
    const uint16_t *order = registry_order(r);
    assert_int_equal(registry_count(r), ARRAY_LEN(shapes));
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        assert_int_equal(registry_field(r, order[i])->rank, i);
        if (i) {
            assert_true(strcmp(shapes[order[i - 1]].path, shapes[order[i]].path) < 0);
        }
    }
    registry_free(r);
}

static void test_names(void **state) {
    (void)state;
    struct field_def defs[ARRAY_LEN(shapes)];
    memcpy(defs, shapes, sizeof(defs));
    defs[0].aliases = "first,second";
    struct registry *r = made(defs, ARRAY_LEN(defs));
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("host.http")), 1);
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("HOST.http")), 1);
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("host")), 12);
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("Second")), 0);
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("first")), 0);
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("db:http.host")), 1);
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("http.host")), FIELD_NONE);
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("")), FIELD_NONE);
    assert_int_equal(registry_by_name(r, (struct span){0}), FIELD_NONE);
    assert_int_equal(registry_by_path(r, SPAN_LITERAL("source.geo.city")), 4);
    assert_int_equal(registry_by_path(r, SPAN_LITERAL("Source.geo.city")), FIELD_NONE); /* keys have a case */
    assert_int_equal(registry_by_path(r, SPAN_LITERAL("anyhost")), FIELD_NONE);         /* virtual */
    char huge[300];
    memset(huge, 'a', sizeof(huge));
    assert_int_equal(registry_by_name(r, span_make(huge, sizeof(huge))), FIELD_NONE);
    assert_string_equal(registry_nearest(r, SPAN_LITERAL("hots.http")), "host.http");
    assert_string_equal(registry_nearest(r, SPAN_LITERAL("plian")), "plain");
    assert_string_equal(registry_nearest(r, SPAN_LITERAL("city")), "city");
    assert_null(registry_nearest(r, SPAN_LITERAL("nothing.like.it")));
    assert_null(registry_nearest(r, span_make(huge, sizeof(huge))));
    (void)registry_nearest(r, (struct span){0});
    registry_free(r);
}

static void test_companions(void **state) {
    (void)state;
    const struct field_def defs[] = {
        {.path = "http.xffIp", .name = "ip.xff", .type = FT_IP, .flags = F_GEO, .title = "XFF", .help = "H"},
        {.path = "ip", .type = FT_IP, .flags = F_GEO, .title = "T", .help = "H"},
        TEXT("zzz", NULL, 0),
    };
    struct registry *r = made(defs, ARRAY_LEN(defs));
    const struct field *f = registry_fields(r);
    assert_int_equal(registry_count(r), 9);
    static const char *const paths[] = {"http.xffGEO", "http.xffASN", "http.xffRIR"};
    static const char *const names[] = {"ip.xff.country", "ip.xff.asn", "ip.xff.rir"};
    for (uint16_t i = 0; i < 3; i++) {
        const struct field *c = &f[f[0].companion + i];
        assert_string_equal(c->def->path, paths[i]);
        assert_string_equal(c->def->name, names[i]);
        assert_true(c->flags & F_REPEAT);
        assert_int_equal(registry_by_name(r, span_text(names[i])), c->id);
        assert_ptr_equal(c->groups[0].at, f[0].groups[0].at);
    }
    assert_string_equal(f[f[1].companion].def->path, "GEO");
    assert_null(f[f[1].companion].def->name);
    assert_int_equal(f[2].companion, FIELD_NONE);
    registry_free(r);

    const struct field_def in_the_way[] = {
        {.path = "xIp", .type = FT_IP, .flags = F_GEO, .title = "T", .help = "H"},
        TEXT("xASN", NULL, 0),
    };
    refused(in_the_way, 2, -EEXIST, "xASN");
    const struct field_def no_ip[] = {{.path = "addr", .type = FT_IP, .flags = F_GEO, .title = "T", .help = "H"}};
    refused(no_ip, 1, -EINVAL, "addr");
}

static void test_refused(void **state) {
    (void)state;
    const struct {
        struct field_def defs[2];
        int code;
        const char *word;
    } wrong[] = {
        {{TEXT("a", "a", 0), TEXT("a", "b", 0)}, -EEXIST, "a"},
        {{TEXT("a", "same", 0), TEXT("b", "SAME", 0)}, -EEXIST, "SAME"},
        {{TEXT("a", "a", 0), {.path = "b", .title = "T", .help = "H", .aliases = "x,A"}}, -EEXIST, "A"},
        {{{.path = "b", .title = "T", .help = "H", .aliases = "x,a"}, TEXT("a", "a", 0)}, -EEXIST, "a"},
        {{TEXT("ok", "ok", 0), {.path = "", .title = "T", .help = "H"}}, -EINVAL, "path"},
        {{TEXT("ok", "ok", 0), {.path = "b", .title = "T"}}, -EINVAL, "b"},
        {{TEXT("ok", "ok", 0), TEXT("a\"b", NULL, 0)}, -EINVAL, "quotes"},
        {{TEXT("ok", "ok", 0), TEXT("a\\b", NULL, 0)}, -EINVAL, "quotes"},
        {{TEXT("ok", "ok", 0), TEXT("a\nb", NULL, 0)}, -EINVAL, "quotes"},
        {{TEXT("ok", "ok", 0), TEXT("b", "b b", 0)}, -EINVAL, "blanks"},
        {{TEXT("ok", "ok", 0), TEXT("b", "b", F_COMPUTED)}, -EINVAL, "b"},
        {{TEXT("ok", "ok", 0), {.path = "u", .type = FT_UNION, .title = "T", .help = "H"}}, -EINVAL, "members"},
        /* equal keys in one JSON object */
        {{TEXT("http", "http", 0), TEXT("http.host", "host", 0)}, -EEXIST, "http.host"},
        {{TEXT("host", "host", F_COUNT), TEXT("hostCnt", "count", 0)}, -EEXIST, "hostCnt"},
        {{TEXT("a.b", "a", F_DEEP), TEXT("a.b.c", "c", F_DEEP)}, -EEXIST, "a.b.c"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        refused(wrong[i].defs, 2, wrong[i].code, wrong[i].word);
    }
    /* The same path may be a search name beside the stored field. */
    const struct field_def both[] = {TEXT("a", "a", 0), TEXT("a", "b", F_VIRTUAL)};
    registry_free(made(both, 2));
}

static void test_dynamic(void **state) {
    (void)state;
    struct registry *r = registry_new();
    struct err e = {0};
    char path[] = "http.request-x", name[] = "http.x", owner[] = "http";
    struct field_def def = {.path = path, .name = name, .type = FT_KEYWORD, .title = "T", .help = "H"};
    uint16_t id = 77, again = 88;
    assert_int_equal(registry_add_dynamic(r, owner, &def, &id, &e), 0);
    assert_int_equal(registry_add_dynamic(r, "other", &def, &again, &e), 0);
    assert_int_equal(again, id); /* the same field */
    def.type = FT_U64;
    assert_int_equal(registry_add_dynamic(r, owner, &def, &again, &e), -EEXIST);
    memset(path, 'x', 4); /* everything was copied */
    name[0] = owner[0] = 'x';
    assert_int_equal(registry_seal(r, &e), 0);
    assert_string_equal(registry_field(r, id)->def->path, "http.request-x");
    assert_string_equal(registry_field(r, id)->owner, "http");
    assert_int_equal(registry_by_name(r, SPAN_LITERAL("http.x")), id);
    def = (struct field_def){.path = "new", .type = FT_KEYWORD, .title = "T", .help = "H"};
    assert_int_equal(registry_add_dynamic(r, owner, &def, &again, &e), -EPERM);
    assert_int_equal(registry_add(r, owner, &def, 1, &again, &e), -EPERM);
    assert_int_equal(registry_seal(r, &e), -EPERM);
    def = (struct field_def){.path = "http.request-x", .type = FT_KEYWORD, .title = "T", .help = "H"};
    assert_int_equal(registry_add_dynamic(r, owner, &def, &again, &e), 0); /* what is there is still found */
    assert_int_equal(again, id);
    registry_free(r);
}

static void test_full(void **state) {
    (void)state;
    struct registry *r = registry_new();
    struct err e = {0};
    struct field_def *defs = calloc(1024, sizeof(*defs));
    char(*paths)[8] = calloc(REGISTRY_MAX + 1, sizeof(*paths));
    assert_non_null(defs);
    assert_non_null(paths);
    uint16_t base = 0;
    int code = 0;
    struct field_def *tables[REGISTRY_MAX / 1024] = {defs};
    for (size_t t = 0; t < REGISTRY_MAX / 1024; t++) {
        tables[t] = t ? calloc(1024, sizeof(*defs)) : defs;
        assert_non_null(tables[t]);
        for (size_t i = 0; i < 1024; i++) {
            (void)snprintf(paths[t * 1024 + i], sizeof(paths[0]), "f%05zu", t * 1024 + i);
            tables[t][i] = (struct field_def){.path = paths[t * 1024 + i], .title = "T", .help = "H"};
        }
        code = registry_add(r, "test", tables[t], 1024, &base, &e);
        assert_int_equal(code, 0);
        assert_int_equal(base, t * 1024);
    }
    struct field_def more = {.path = "more", .title = "T", .help = "H"};
    assert_int_equal(registry_add(r, "test", &more, 1, &base, &e), -E2BIG);
    assert_int_equal(e.code, -E2BIG);
    assert_int_equal(registry_count(r), REGISTRY_MAX);
    assert_int_equal(registry_seal(r, &e), 0);
    assert_int_equal(registry_by_path(r, SPAN_LITERAL("f08191")), 8191);
    registry_free(r);
    for (size_t t = 0; t < REGISTRY_MAX / 1024; t++) {
        free(tables[t]);
    }
    free(paths);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),       cmocka_unit_test(test_order),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_companions), cmocka_unit_test(test_refused), cmocka_unit_test(test_dynamic),
        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
