/* test_document.c: a record as JSON: groups, counts, objects, text of every kind, positions, addresses (RFC 5952); what
 * is written is read back by the scanner, which also proves that it is JSON, and compared with what was put.
 */
#include "record/document.h"

#include <math.h>

#include "base/json_scan.h"
#include "check.h"
#include "record/core_fields.h"

static bool get_answer(const struct record *r, struct value *v) {
    v->u64 = 42;
    return r->segment != 0;
}

static bool get_list(const struct record *r, struct value *v) {
    v->i64 = -(int64_t)v->index;
    return v->index < r->segment;
}

static bool get_short_text(const struct record *r, struct value *v) {
    memcpy(v->text, "made here", 9);
    v->bytes = span_make(v->text, 9);
    return r->segment != 0;
}

enum {
    ANSWER,
    LIST,
    OPTIONAL,
    SHORT,
    ONE,
    MANY,
    FLOATS,
    SIGNED,
    TRUTH,
    IP,
    MAC,
    CITY,
    COUNTRY,
    SRC_MAC,
    SRC_PORT,
    HTTP_HOST,
    HTTP_DOTTED,
    HTTPS,
    LONG_KEY,
    DNS,
    DNS_HOST,
    DNS_STATUS,
    DNS_ANSWERS,
    DNS_NAME,
    DNS_TTL,
};

#define FIELD(path_, type_, flags_) \
    { .path = path_, .type = type_, .flags = flags_, .title = "T", .help = "H" }

static const struct field_def defs[] = {
    [ANSWER] = {.path = "a.answer",
                .type = FT_U64,
                .flags = F_COMPUTED | F_SINGLE | F_DEEP,
                .title = "T",
                .help = "H",
                .get = get_answer},
    [LIST] = {.path = "computedList", .type = FT_I64, .flags = F_COMPUTED, .title = "T", .help = "H", .get = get_list},
    [OPTIONAL] = {.path = "optionalList",
                  .type = FT_I64,
                  .flags = F_COMPUTED | F_OPTIONAL,
                  .title = "T",
                  .help = "H",
                  .get = get_list},
    [SHORT] = {.path = "shortText",
               .type = FT_KEYWORD,
               .flags = F_COMPUTED | F_SINGLE,
               .title = "T",
               .help = "H",
               .get = get_short_text},
    [ONE] = FIELD("one", FT_KEYWORD, F_SINGLE),
    [MANY] = FIELD("many", FT_KEYWORD, F_COUNT),
    [FLOATS] = FIELD("floats", FT_FLOAT, F_REPEAT),
    [SIGNED] = FIELD("signed", FT_I64, 0),
    [TRUTH] = FIELD("truth", FT_BOOL, F_SINGLE),
    [IP] = FIELD("ip", FT_IP, F_COUNT | F_REPEAT),
    [MAC] = FIELD("mac", FT_MAC, 0),
    [CITY] = FIELD("source.geo.city_name", FT_KEYWORD, F_SINGLE | F_DEEP),
    [COUNTRY] = FIELD("source.geo.country_iso_code", FT_UPPER, F_SINGLE | F_DEEP),
    [SRC_MAC] = FIELD("source.mac", FT_MAC, F_ECS_COUNT | F_DEEP),
    [SRC_PORT] = FIELD("source.port", FT_U64, F_SINGLE | F_DEEP),
    [HTTP_HOST] = FIELD("http.host", FT_LOWER, F_COUNT),
    [HTTP_DOTTED] = FIELD("http.shell.exitcode", FT_U64, F_COUNT),
    [HTTPS] = FIELD("https.x", FT_U64, F_SINGLE),
    [LONG_KEY] = FIELD("zz.a-key-that-is-much-longer-than-what-the-pen-copies-in-one-go", FT_U64, F_COUNT),
    [DNS] = FIELD("dns", FT_OBJECT, F_OBJECT_COUNT),
    [DNS_HOST] = FIELD("dns.host", FT_LOWER, F_COUNT),
    [DNS_STATUS] = FIELD("dns.status", FT_KEYWORD, F_SINGLE),
    [DNS_ANSWERS] = FIELD("dns.answers", FT_OBJECT, F_OBJECT_COUNT),
    [DNS_NAME] = FIELD("dns.answers.name", FT_KEYWORD, F_SINGLE),
    [DNS_TTL] = FIELD("dns.answers.ttl", FT_U64, F_SINGLE),
};

struct rig {
    struct registry *registry;
    const struct field *f;
    struct document_plan *plan;
    struct pool pool;
    struct record r;
    struct buf out;
    struct json_index index;
};

static struct rig *rig_made(const struct field_def *table, size_t count) {
    struct rig *r = calloc(1, sizeof(*r));
    struct err e = {0};
    uint16_t base;
    assert_non_null(r);
    r->registry = registry_new();
    if (registry_add(r->registry, "test", table, count, &base, &e) < 0 || registry_seal(r->registry, &e) < 0) {
        fail_msg("%s", e.text);
    }
    r->f = registry_fields(r->registry);
    r->plan = document_plan_new(r->registry);
    assert_non_null(r->plan);
    pool_init(&r->pool, 0);
    cells_init(&r->r.cells, &r->pool);
    r->r.registry = r->registry;
    r->r.node = "node";
    buf_init(&r->out, (size_t)8 << 20);
    json_index_init(&r->index, 1 << 22);
    return r;
}

static int set_up(void **state) {
    *state = rig_made(defs, ARRAY_LEN(defs));
    return 0;
}

static int tear_down(void **state) {
    struct rig *r = *state;
    cells_done(&r->r.cells);
    pool_done(&r->pool);
    document_plan_free(r->plan);
    registry_free(r->registry);
    buf_done(&r->out);
    json_index_done(&r->index);
    free(r);
    return 0;
}

/* No key twice in any object. */
static void keys_differ(struct json_ref v) {
    struct json_walk w = json_walk_over(v), rest;
    struct span key, other;
    struct json_ref inner, unused;
    while (json_walk_next(&w, &key, &inner)) {
        keys_differ(inner);
        rest = w;
        while (w.object && json_walk_next(&rest, &other, &unused)) {
            assert_false(span_equal(key, other));
        }
    }
}

/* Writes the document, checks that it is JSON, and returns it as text. */
static const char *written(struct rig *r) {
    struct json_error e;
    buf_clear(&r->out);
    document_write(r->plan, &r->r, 0, &r->out);
    assert_false(r->out.overflowed);
    buf_add_byte(&r->out, 0);
    struct span text = span_make(r->out.data, r->out.len - 1);
    if (json_index_build(&r->index, text, &e) < 0 || json_check(&r->index, &e) < 0) {
        fail_msg("%s at %zu: %s", e.what, e.at, (const char *)r->out.data);
    }
    keys_differ(json_root(&r->index));
    return (const char *)r->out.data;
}

static void put(struct rig *r, unsigned field, const char *text) {
    (void)cells_put_text(&r->r.cells, &r->f[field], span_text(text));
}

static void put_number(struct rig *r, unsigned field, uint64_t n) {
    (void)cells_put_u64(&r->r.cells, &r->f[field], n);
}

static void test_empty(void **state) {
    struct rig *r = *state;
    assert_string_equal(written(r), "{\"computedList\":[]}");
}

static void test_computed(void **state) {
    struct rig *r = *state;
    r->r.segment = 3;
    assert_string_equal(written(r), "{\"a\":{\"answer\":42},\"computedList\":[0,-1,-2],\"optionalList\":[0,-1,-2],"
                                    "\"shortText\":\"made here\"}");
    buf_clear(&r->out);
    buf_add_text(&r->out, "before ");
    document_write(r->plan, &r->r, 1234567890123, &r->out);
    assert_true(span_starts(buf_span(&r->out), SPAN_LITERAL("before {\"@timestamp\":1234567890123,\"a\":{")));
}

static void test_groups(void **state) {
    struct rig *r = *state;
    put_number(r, SRC_PORT, 443);
    put_number(r, HTTPS, 1);
    put(r, CITY, "Bern");
    put(r, HTTP_HOST, "B.Example");
    put(r, HTTP_HOST, "a.example");
    put_number(r, HTTP_DOTTED, 7);
    (void)cells_put_mac(&r->r.cells, &r->f[SRC_MAC], (const uint8_t *)"\x02\x00\x00\x00\x00\xfe");
    put(r, COUNTRY, "ch");
    put_number(r, LONG_KEY, UINT64_MAX);
    put(r, ONE, "1");
    put(r, MANY, "2");
    assert_string_equal(written(r), "{\"computedList\":[],"
                                    "\"http\":{\"host\":[\"b.example\",\"a.example\"],\"hostCnt\":2,"
                                    "\"shell.exitcode\":[7],\"shell.exitcodeCnt\":1},"
                                    "\"https\":{\"x\":1},"
                                    "\"many\":[\"2\"],\"manyCnt\":1,\"one\":\"1\","
                                    "\"source\":{\"geo\":{\"city_name\":\"Bern\",\"country_iso_code\":\"CH\"},"
                                    "\"mac\":[\"02:00:00:00:00:fe\"],\"mac-cnt\":1,\"port\":443},"
                                    "\"zz\":{\"a-key-that-is-much-longer-than-what-the-pen-copies-in-one-go\":"
                                    "[18446744073709551615],"
                                    "\"a-key-that-is-much-longer-than-what-the-pen-copies-in-one-goCnt\":1}}");
}

static void test_numbers(void **state) {
    struct rig *r = *state;
    static const double floats[] = {0.5, -1e-9, 3, NAN, INFINITY, 1.5e308};
    for (size_t i = 0; i < ARRAY_LEN(floats); i++) {
        (void)cells_put_double(&r->r.cells, &r->f[FLOATS], floats[i]);
    }
    static const int64_t integers[] = {0, -1, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
        (void)cells_put_i64(&r->r.cells, &r->f[SIGNED], integers[i]);
    }
    put_number(r, TRUTH, 1);
    assert_string_equal(written(r), "{\"computedList\":[],\"floats\":[0.5,-1e-09,3,null,null,1.5e+308],"
                                    "\"signed\":[0,-1,-9223372036854775808,9223372036854775807],\"truth\":true}");
    put_number(r, TRUTH, 0);
    assert_non_null(strstr(written(r), "\"truth\":false}"));
    /* Every number of digits. */
    uint64_t n = 9;
    for (unsigned digits = 1; digits <= 20; digits++, n = n * 10 + 9) {
        const uint64_t around[] = {n - 1, n, digits < 20 ? n + 1 : UINT64_MAX};
        for (size_t i = 0; i < ARRAY_LEN(around); i++) {
            put_number(r, HTTPS, around[i]);
            char wanted[60];
            (void)snprintf(wanted, sizeof(wanted), "\"https\":{\"x\":%llu}", (unsigned long long)around[i]);
            assert_non_null(strstr(written(r), wanted));
        }
    }
}

static void test_objects(void **state) {
    struct rig *r = *state;
    struct cells *c = &r->r.cells;
    struct object o = cells_object(c, &r->f[DNS], 1, NULL);
    struct object a = cells_child_object(c, o, &r->f[DNS_ANSWERS]);
    cells_object_u64(c, a, &r->f[DNS_TTL], 60);
    cells_object_text(c, a, &r->f[DNS_NAME], SPAN_LITERAL("x\n"));
    a = cells_child_object(c, o, &r->f[DNS_ANSWERS]);
    cells_object_u64(c, a, &r->f[DNS_TTL], 61);
    cells_object_const(c, o, &r->f[DNS_STATUS], "NOERROR");
    cells_object_text(c, o, &r->f[DNS_HOST], SPAN_LITERAL("X.Example"));
    cells_object_text(c, o, &r->f[DNS_HOST], SPAN_LITERAL("y.example"));
    (void)cells_object(c, &r->f[DNS], 2, NULL);
    o = cells_object(c, &r->f[DNS], 3, NULL);
    cells_object_const(c, o, &r->f[DNS_STATUS], "NXDOMAIN");
    assert_string_equal(written(r),
                        "{\"computedList\":[],\"dns\":[{\"host\":[\"x.example\",\"y.example\"],\"hostCnt\":2,"
                        "\"status\":\"NOERROR\",\"answers\":[{\"name\":\"x\\n\",\"ttl\":60},{\"ttl\":61}],"
                        "\"answersCnt\":2},{},{\"status\":\"NXDOMAIN\"}],\"dnsCnt\":3}");
}

/* The text that json_text writes: escapes and Latin-1 are the same in both writers. */
static void test_text(void **state) {
    struct rig *r = *state;
    struct dice d = {21};
    struct buf wanted;
    uint8_t text[300];
    buf_init(&wanted, 10000);
    for (unsigned round = 0; round < 3000; round++) {
        size_t len = dice_below(&d, round % 7 ? 40 : sizeof(text));
        for (size_t i = 0; i < len; i++) {
            text[i] = dice_one_in(&d, 12) ? (uint8_t)dice_u64(&d) : (uint8_t)('a' + dice_below(&d, 26));
        }
        if (round % 3 == 0 && len > 10) {
            memcpy(text + dice_below(&d, len - 4), "\xf0\x9f\x98\x80", 4);
        }
        struct span s = span_make(text, len);
        (void)cells_put_text(&r->r.cells, &r->f[ONE], s);
        buf_clear(&wanted);
        struct json j = json_over(&wanted);
        json_text(&j, s);
        (void)written(r);
        struct json_ref one = json_find(json_root(&r->index), SPAN_LITERAL("one"));
        assert_true(span_equal(json_raw_of(one), buf_span(&wanted)));
        if (utf8_valid(s)) { /* comes back as it was */
            struct span back;
            buf_clear(&wanted);
            assert_true(json_string(one, &wanted, &back));
            assert_true(span_equal(back, s));
        }
    }
    buf_done(&wanted);
    (void)cells_put_text(&r->r.cells, &r->f[ONE], SPAN_LITERAL("caf\xe9"));
    assert_non_null(strstr(written(r), "\"one\":\"caf\xc3\xa9\""));
}

static void test_huge_text(void **state) {
    struct rig *r = *state;
    char *text = malloc(CELL_TEXT_MAX + 1000);
    assert_non_null(text);
    for (unsigned byte = 0; byte < 2; byte++) {
        memset(text, byte ? 'x' : 1, CELL_TEXT_MAX + 1000);
        for (char first = 'a'; first < 'e'; first++) {
            text[0] = first;
            (void)cells_put_text(&r->r.cells, &r->f[MANY], span_make(text, CELL_TEXT_MAX + 1000));
        }
        (void)written(r);
        struct json_ref many = json_find(json_root(&r->index), SPAN_LITERAL("many")), v;
        struct json_walk w = json_walk_over(many);
        struct span key;
        unsigned n = 0;
        for (; json_walk_next(&w, &key, &v); n++) {
            assert_int_equal(json_raw_of(v).len, byte ? CELL_TEXT_MAX + 2 : 1 + 6 * (CELL_TEXT_MAX - 1) + 2);
        }
        assert_int_equal(n, 4);
        cells_done(&r->r.cells);
    }
    free(text);
}

/* Over the ceiling of the buffer the document is not whole, which the buffer tells; nothing is written outside. */
static void test_ceiling(void **state) {
    struct rig *r = *state;
    char text[100];
    r->r.segment = 5;
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(text, sizeof(text), "value %u", i);
        put(r, MANY, text);
        put(r, HTTP_HOST, text);
        struct object o = cells_object(&r->r.cells, &r->f[DNS], i + 1, NULL);
        cells_object_text(&r->r.cells, o, &r->f[DNS_HOST], span_text(text));
    }
    size_t whole = strlen(written(r));
    bool fitted = false;
    for (size_t ceiling = 0; ceiling < whole + 3000; ceiling += 7) {
        struct buf b;
        buf_init(&b, ceiling);
        document_write(r->plan, &r->r, 0, &b);
        assert_true(b.len <= ceiling);
        assert_true(b.overflowed || b.len == whole);
        fitted |= !b.overflowed;
        buf_done(&b);
    }
    assert_true(fitted);
}

static void test_value(void **state) {
    struct rig *r = *state;
    struct json j = json_over(&r->out);
    struct value v = {.type = FT_U64, .u64 = 7};
    json_open(&j, '[');
    document_write_value(&j, &r->f[HTTPS], &v);
    v = (struct value){.type = FT_KEYWORD, .bytes = SPAN_LITERAL("a\"b")};
    document_write_value(&j, &r->f[ONE], &v);
    v = (struct value){.type = FT_BOOL, .u64 = 1};
    document_write_value(&j, &r->f[TRUTH], &v);
    json_close(&j, ']');
    assert_span(buf_span(&r->out), "[7,\"a\\\"b\",true]");
}

/* --- addresses --- */

static void test_addresses(void **state) {
    (void)state;
    static const struct {
        uint8_t ip[16];
        const char *text;
    } known[] = {
        {{0}, "::"},
        {{[15] = 1}, "::1"},
        {{0, 1}, "1::"},
        {{0x20, 1, 0xd, 0xb8, [15] = 1}, "2001:db8::1"},
        {{0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, "2001:db8:0:1:1:1:1:1"}, /* one group is not cut */
        {{0x20, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, "2001:0:0:1::1"},             /* the longest run */
        {{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1}, "2001:db8::1:0:0:1"},    /* the first of two */
        {{0x20, 1, 0xd, 0xb8, 0xaa, 0xaa, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0}, "2001:db8:aaaa:1:1:1::"},
        {{0, 0, 0, 0, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6}, "::1:2:3:4:5:6"},
        {{0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 0}, "1:2:3:4:5:6:7:0"},
        {{0, 0, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}, "0:2:3:4:5:6:7:8"},
        {{0xff, 0xff, 0x0f, 0xff, 0, 0xff, 0, 0xf, 0xab, 0xcd, 0x10, 0, 1, 0, 0, 0x10},
         "ffff:fff:ff:f:abcd:1000:100:10"},
        {{[10] = 0xff, 0xff, 192, 0, 2, 1}, "192.0.2.1"},
        {{[10] = 0xff, 0xff, 0, 0, 0, 0}, "0.0.0.0"},
        {{[10] = 0xff, 0xff, 255, 100, 99, 10}, "255.100.99.10"},
        {{[12] = 192, 0, 2, 1}, "::c000:201"}, /* not mapped */
        {{[10] = 0xff, 0xfe, 1, 2, 3, 4}, "::fffe:102:304"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        char text[64];
        memset(text, '#', sizeof(text));
        size_t len = ip_write(known[i].ip, text);
        assert_int_equal(text[len], '#');
        text[len] = 0;
        assert_string_equal(text, known[i].text);
    }
    char text[64];
    uint8_t longest[16];
    memset(longest, 0xff, sizeof(longest));
    assert_int_equal(ip_write(longest, text), 39);
    assert_int_equal(mac_write((const uint8_t *)"\x00\x1a\xff\x09\x90\xab", text), 17);
    assert_memory_equal(text, "00:1a:ff:09:90:ab", 17);
}

/* --- what the core fields compute --- */

static void test_positions(void **state) {
    (void)state;
    struct rig *r = rig_made(core_field_table, core_field_count);
    static const struct packet_position positions[] = {
        {3, 60, 24}, {3, 1500, 100}, {7, 60, 24}, {7, 40, 90}, {3, 0, 5000}};
    r->r.positions = positions;
    r->r.position_count = ARRAY_LEN(positions);
    const char *text = written(r);
    assert_non_null(strstr(text, "\"packetPos\":[24,100,24,90,5000]"));
    assert_non_null(strstr(text, "\"fileId\":[]"));
    assert_null(strstr(text, "packetLen"));
    r->r.want_lengths = true;
    assert_non_null(strstr(written(r), "\"packetLen\":[76,1516,76,56,16]"));
    r->r.name_files = true;
    text = written(r);
    assert_non_null(strstr(text, "\"packetPos\":[-3,24,100,-7,24,90,-3,5000]"));
    assert_non_null(strstr(text, "\"packetLen\":[0,76,1516,0,76,56,0,16]"));
    assert_non_null(strstr(text, "\"fileId\":[3,7]"));
    r->r.position_count = 0;
    text = written(r);
    assert_non_null(strstr(text, "\"packetPos\":[]"));
    assert_non_null(strstr(text, "\"fileId\":[]"));
    assert_null(strstr(text, "packetLen")); /* an optional list */
    void *s = r;
    tear_down(&s);
}

static void test_core(void **state) {
    (void)state;
    struct rig *r = rig_made(core_field_table, core_field_count);
    r->r.first_time = 1600000000123456789;
    r->r.last_time = 1600000001000000000;
    r->r.segment = 2;
    r->r.packets[0] = UINT32_MAX;
    r->r.packets[1] = 1;
    r->r.bytes[0] = 5;
    r->r.bytes[1] = 6;
    r->r.payload8_len[0] = 3;
    memcpy(r->r.payload8[0], "\x16\x03\x01", 3);
    const char *text = written(r);
    assert_non_null(strstr(text, "\"firstPacket\":1600000000123,"));
    assert_non_null(strstr(text, "\"length\":877,"));
    assert_non_null(strstr(text, "\"network\":{\"bytes\":11,\"packets\":4294967296}"));
    assert_non_null(strstr(text, "\"srcPayload8\":\"160301\""));
    assert_non_null(strstr(text, "\"source\":{\"bytes\":5,\"packets\":4294967295}"));
    assert_non_null(strstr(text, "\"segmentCnt\":2"));
    assert_null(strstr(text, "tcpflags"));
    assert_null(strstr(text, "\"ip\""));
    assert_null(strstr(text, "Missing"));
    r->r.has_ip = r->r.has_port = r->r.is_tcp = true;
    r->r.ip[0][15] = 1;
    r->r.port[1] = 65535;
    r->r.missing_bytes[1] = 9;
    r->r.first_time = 5000000; /* no clock: ten seconds later, as ever */
    r->r.last_time = 0;
    text = written(r);
    assert_non_null(strstr(text, "\"ip\":\"::1\""));
    assert_non_null(strstr(text, "\"port\":65535"));
    assert_non_null(strstr(text, "\"dstMissingBytes\":9"));
    assert_non_null(strstr(text, "\"tcpflags\":{"));
    assert_non_null(strstr(text, "\"firstPacket\":10005,"));
    assert_non_null(strstr(text, "\"packetRange\":{\"gte\":10000,\"lte\":10005}"));
    void *s = r;
    tear_down(&s);
}

#define DOCUMENT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        DOCUMENT_TEST(test_empty),        DOCUMENT_TEST(test_computed),     DOCUMENT_TEST(test_groups),
        DOCUMENT_TEST(test_numbers),      DOCUMENT_TEST(test_objects),      DOCUMENT_TEST(test_text),
        DOCUMENT_TEST(test_huge_text),    DOCUMENT_TEST(test_ceiling),      DOCUMENT_TEST(test_value),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_positions), cmocka_unit_test(test_core),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
