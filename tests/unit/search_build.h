/* search_build.h: a store of random sessions, and random expressions over them, for the tests of searches. */
#ifndef SEINE_TESTS_SEARCH_BUILD_H
#define SEINE_TESTS_SEARCH_BUILD_H

#include <ftw.h>
#include <unistd.h>

#include "check.h"
#include "feature/community_id.h"
#include "query/query.h"
#include "record/core_fields.h"
#include "record/values.h"
#include "store/control.h"
#include "store/search.h"
#include "store/store.h"

#define BUILD_NOW INT64_C(1700000000000)
#define BUILD_START INT64_C(1700000000000) /* ms: when the first session begins */

#define BUILD_FIELD(path_, name_, type_, flags_) \
    { .path = path_, .name = name_, .type = type_, .flags = flags_, .title = "T", .help = "H" }

enum build_field {
    F_HOST,
    F_URI,
    F_STATUS,
    F_SCORE,
    F_SCORES,
    F_DELTA,
    F_DELTAS,
    F_NOTE,
    F_UP,
    F_FLAG,
    F_SEEN,
    F_LISTED_IP,
    F_REP,
    F_RARE,
    F_ROWS,
    F_ROW_CODE,
    F_ROW_N,
    F_ROW_IP,
    F_BUILT
};
static const struct field_def build_fields[F_BUILT] = {
    [F_HOST] = BUILD_FIELD("http.host", "host.http", FT_LOWER, F_COUNT | F_TOKENS),
    [F_URI] = BUILD_FIELD("http.uri", "http.uri", FT_KEYWORD, F_COUNT | F_TOKENS),
    [F_STATUS] = BUILD_FIELD("http.statuscode", "http.statuscode", FT_U64, F_COUNT),
    [F_SCORE] = BUILD_FIELD("score", "score", FT_FLOAT, F_SINGLE),
    [F_SCORES] = BUILD_FIELD("scores", "scores", FT_FLOAT, F_COUNT),
    [F_DELTA] = BUILD_FIELD("delta", "delta", FT_I64, F_SINGLE),
    [F_DELTAS] = BUILD_FIELD("deltas", "deltas", FT_I64, F_COUNT),
    [F_NOTE] = BUILD_FIELD("note", "note", FT_TEXT, F_COUNT),
    [F_UP] = BUILD_FIELD("up", "up", FT_UPPER, F_COUNT),
    [F_FLAG] = BUILD_FIELD("flag", "flag", FT_BOOL, F_SINGLE),
    [F_SEEN] = BUILD_FIELD("seen", "seen", FT_TIME, F_SINGLE),
    [F_LISTED_IP] = BUILD_FIELD("answer.ip", "ip.answer", FT_IP, F_COUNT),
    [F_REP] = BUILD_FIELD("rep", "rep", FT_U64, F_REPEAT),
    [F_RARE] = BUILD_FIELD("rare", "rare", FT_KEYWORD, F_COUNT),
    [F_ROWS] = BUILD_FIELD("rows", "rows", FT_OBJECT, F_OBJECT_COUNT),
    [F_ROW_CODE] = BUILD_FIELD("rows.code", "rows.code", FT_KEYWORD, F_SINGLE),
    [F_ROW_N] = BUILD_FIELD("rows.n", "rows.n", FT_U64, F_SINGLE),
    [F_ROW_IP] = BUILD_FIELD("rows.ip", "rows.ip", FT_IP, F_SINGLE),
};

/* How much is tried: SEARCH_ROUNDS=10 tries ten times as much, with other seeds. */
static inline size_t build_rounds(void) {
    const char *text = getenv("SEARCH_ROUNDS");
    return text ? strtoul(text, NULL, 10) : 1;
}

struct build {
    struct dice dice;
    char folder[64];
    struct registry *registry;
    uint16_t base;
    struct pool pool;
    struct store_writer *writer;
    struct store *store;
    struct control *control;
    struct digests *digests;
    uint64_t last; /* number of the last session */
};

static inline int build_registry(void *ctx, const struct field_def *fields, size_t count, struct registry **ret,
                                 struct err *e) {
    uint16_t core, base, id;
    struct registry *r = registry_new();
    assert_int_equal(registry_add(r, "core", core_field_table, core_field_count, &core, e), 0);
    assert_int_equal(registry_add(r, "test", build_fields, F_BUILT, &base, e), 0);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(registry_add_dynamic(r, "store", &fields[i], &id, e), 0);
    }
    if (registry_seal(r, e) < 0) {
        fail_msg("%s", e->text);
    }
    if (ctx) {
        *(uint16_t *)ctx = base;
    }
    *ret = r;
    return 0;
}

static inline const struct field *build_at(const struct build *b, enum build_field which) {
    return registry_field(b->registry, (uint16_t)(b->base + which));
}

static inline void build_init(struct build *b, uint64_t seed, uint32_t seal_rows) {
    struct err e = {0};
    *b = (struct build){.dice = {seed}};
    (void)snprintf(b->folder, sizeof(b->folder), "/tmp/seine-search-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    assert_int_equal(build_registry(&b->base, NULL, 0, &b->registry, &e), 0);
    pool_init(&b->pool, 0);
    b->digests = digests_new();
    assert_non_null(b->digests);
    struct store_options options = {.node = "test", .durability = DURABLE_NONE, .seal_rows = seal_rows};
    if (store_writer_open(b->folder, true, &options, b->registry, &b->writer, &e) < 0 ||
        store_open(b->folder, build_registry, NULL, 0, &b->store, &e) < 0 ||
        control_open(b->folder, &b->control, &e) < 0) {
        fail_msg("%s", e.text);
    }
}

static inline int build_remove(const char *path, const struct stat *st, int type, struct FTW *at) {
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline void build_done(struct build *b) {
    struct err e = {0};
    b->control = control_close(b->control);
    b->store = store_close(b->store);
    assert_int_equal(store_writer_close(b->writer, &e), 0);
    pool_done(&b->pool);
    b->digests = digests_free(b->digests);
    b->registry = registry_free(b->registry);
    (void)nftw(b->folder, build_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- sessions --- */

static const char *const build_hosts[] = {
    "WWW.Example.com",
    "cdn.example.org",
    "a.b.c",
    "x",
    "caf\xe9.fr",
    "caf\xc3\xa9.fr",
    "mail.example.com",
    "\xff\xfe",
    "very-long-name-of-a-host.sub.domain.example.net",
};
static const char *const build_notes[] = {"The quick brown fox", "quick, quick", "caf\xe9 au lait", "FOX and hound",
                                          "caf\xc3\xa9"};
static const char *const build_ups[] = {"de", "FR", "Us", "\xe9T"};
static const char *const build_tags[] = {"one", "two", "Three", "four*", "five?"};
static const double build_scores[] = {0.0, -0.0, 2.5, -3.25, 1e300, 0.1};
static const int64_t build_deltas[] = {0, -1, 1, INT64_MIN, INT64_MAX, -500};

static inline void build_ip(struct dice *d, uint8_t to[16]) {
    memset(to, 0, 16);
    if (dice_one_in(d, 5)) {
        to[0] = 0x20;
        to[1] = 0x01;
        to[15] = (uint8_t)dice_below(d, 4);
        return;
    }
    to[10] = to[11] = 0xff;
    to[12] = dice_one_in(d, 3) ? 192 : 10;
    to[13] = (uint8_t)dice_below(d, 2);
    to[14] = (uint8_t)dice_below(d, 3);
    to[15] = (uint8_t)dice_below(d, 6);
}

/* Two of three sessions come with their community id, as packets' do; those of older versions came without. */
static inline void build_community(struct build *b, struct record *r) {
    static const enum flow_kind kinds[] = {FLOW_UDP, FLOW_ICMP, FLOW_SCTP, FLOW_OTHER, FLOW_ESP};
    r->port[0] = r->has_port ? r->port[0] : 0; /* else the id would be of ports that no session shows */
    r->port[1] = r->has_port ? r->port[1] : 0;
    bool four = r->ip[0][10] == 0xff && r->ip[1][10] == 0xff;
    r->ip_version = four ? 4 : 6;
    r->kind = (uint8_t)(r->is_tcp ? FLOW_TCP : kinds[dice_below(&b->dice, ARRAY_LEN(kinds))]);
    r->icmp_type = r->kind == FLOW_ICMP ? (uint8_t)dice_below(&b->dice, 10) : 0;
    r->icmp_code = r->kind == FLOW_ICMP ? (uint8_t)dice_below(&b->dice, 3) : 0;
    if (!dice_one_in(&b->dice, 3)) {
        community_id_fill(r, b->digests);
    }
}

static inline void build_core(struct build *b, struct record *r) {
    struct dice *d = &b->dice;
    r->registry = b->registry;
    r->node = "test";
    r->segment = dice_one_in(d, 10) ? 2 : 1;
    memcpy(r->id, "AAAAAAAAAAAAAAAAAAAAAA", 23);
    r->first_time = (BUILD_START + (int64_t)dice_below(d, 3600000)) * 1000000 + (int64_t)dice_below(d, 1000000);
    r->last_time = r->first_time + (int64_t)dice_below(d, 300) * 1000000000;
    r->has_ip = !dice_one_in(d, 20);
    r->has_port = r->has_ip && !dice_one_in(d, 10);
    r->is_tcp = r->has_port && dice_one_in(d, 2);
    build_ip(d, r->ip[0]);
    build_ip(d, r->ip[1]);
    r->port[0] = (uint16_t)(dice_one_in(d, 3) ? dice_below(d, 65536) : 443);
    r->port[1] = (uint16_t)(dice_one_in(d, 3) ? 443 : dice_below(d, 100));
    r->ip_protocol = r->is_tcp ? 6 : 17;
    r->ethertype = dice_one_in(d, 3) ? 0 : 0x0800;
    for (size_t side = 0; side < 2; side++) {
        r->bytes[side] = dice_below(d, 4000);
        r->packets[side] = (uint32_t)dice_below(d, 20);
        r->data_bytes[side] = r->bytes[side] / 2;
        r->missing_bytes[side] = dice_one_in(d, 30) ? dice_below(d, 100) : 0;
    }
    r->has_rtt = r->is_tcp && dice_one_in(d, 2);
    r->initial_rtt_ms = (uint32_t)dice_below(d, 50);
    r->tcp_flags[TCPF_SYN] = (uint32_t)dice_below(d, 3);
    if (dice_one_in(d, 3)) {
        memcpy(r->payload8[0], dice_one_in(d, 2) ? "GET / HT" : "\xe9\x00zz....", 8);
        r->payload8_len[0] = (uint8_t)dice_below(d, 9);
    }
    build_community(b, r);
}

static inline void build_lists(struct build *b, struct record *r) {
    struct dice *d = &b->dice;
    struct cells *c = &r->cells;
    uint8_t ip[16];
    (void)cells_put_text(c, registry_field(b->registry, CORE_PROTOCOL), span_text(r->is_tcp ? "tcp" : "udp"));
    if (dice_one_in(d, 2)) {
        (void)cells_put_text(c, registry_field(b->registry, CORE_PROTOCOL), SPAN_LITERAL("http"));
    }
    for (size_t n = dice_below(d, 4); n-- > 0;) {
        (void)cells_put_text(c, registry_field(b->registry, CORE_TAGS),
                             span_text(build_tags[dice_below(d, ARRAY_LEN(build_tags))]));
    }
    uint8_t mac[6] = {0, 0x1a, 0xe3, 0xdc, 0x2e, (uint8_t)dice_below(d, 4)};
    (void)cells_put_mac(c, registry_field(b->registry, CORE_SRC_MAC), mac);
    for (size_t n = dice_one_in(d, 2) ? 0 : dice_below(d, 4); n-- > 0;) {
        (void)cells_put_text(c, build_at(b, F_HOST), span_text(build_hosts[dice_below(d, ARRAY_LEN(build_hosts))]));
    }
    for (size_t n = dice_one_in(d, 2) ? 0 : dice_below(d, 3); n-- > 0;) {
        (void)cells_put_u64(c, build_at(b, F_STATUS), 200 + dice_below(d, 5));
        build_ip(d, ip);
        (void)cells_put_ip(c, build_at(b, F_LISTED_IP), ip);
        (void)cells_put_i64(c, build_at(b, F_DELTAS), build_deltas[dice_below(d, ARRAY_LEN(build_deltas))]);
        (void)cells_put_double(c, build_at(b, F_SCORES), build_scores[dice_below(d, ARRAY_LEN(build_scores))]);
        (void)cells_put_text(c, build_at(b, F_NOTE), span_text(build_notes[dice_below(d, ARRAY_LEN(build_notes))]));
        (void)cells_put_u64(c, build_at(b, F_REP), dice_below(d, 3));
    }
}

static inline void build_record(struct build *b, struct record *r) {
    struct dice *d = &b->dice;
    struct cells *c = &r->cells;
    char uri[64];
    *r = (struct record){0};
    cells_init(c, &b->pool);
    build_core(b, r);
    build_lists(b, r);
    if (dice_one_in(d, 2)) {
        int len = snprintf(uri, sizeof(uri), "%s/%llx", dice_one_in(d, 2) ? "/index" : "caf\xe9",
                           (unsigned long long)dice_below(d, 1000000));
        (void)cells_put_text(c, build_at(b, F_URI), span_make(uri, (size_t)len));
        if (dice_one_in(d, 4)) {
            (void)cells_put_text(c, build_at(b, F_URI), SPAN_LITERAL("/second/Main*1.js"));
        }
    }
    if (dice_one_in(d, 2)) {
        (void)cells_put_double(c, build_at(b, F_SCORE), build_scores[dice_below(d, ARRAY_LEN(build_scores))]);
        (void)cells_put_i64(c, build_at(b, F_DELTA), build_deltas[dice_below(d, ARRAY_LEN(build_deltas))]);
        (void)cells_put_u64(c, build_at(b, F_FLAG), dice_below(d, 2));
        (void)cells_put_u64(c, build_at(b, F_SEEN), (uint64_t)BUILD_START + 1000 * dice_below(d, 100));
        (void)cells_put_text(c, build_at(b, F_UP), span_text(build_ups[dice_below(d, ARRAY_LEN(build_ups))]));
    }
    if (dice_one_in(d, 200)) {
        (void)cells_put_text(c, build_at(b, F_RARE), SPAN_LITERAL("needle"));
    }
    for (size_t n = dice_one_in(d, 3) ? dice_below(d, 3) : 0; n-- > 0;) {
        struct object o = cells_object(c, build_at(b, F_ROWS), 0, NULL);
        if (dice_one_in(d, 2)) {
            cells_object_text(c, o, build_at(b, F_ROW_CODE),
                              dice_one_in(d, 2) ? SPAN_LITERAL("X-1") : SPAN_LITERAL("y"));
        }
        if (dice_one_in(d, 2)) {
            cells_object_u64(c, o, build_at(b, F_ROW_N), dice_below(d, 5));
        }
        if (dice_one_in(d, 2)) {
            uint8_t ip[16];
            build_ip(d, ip);
            cells_object_ip(c, o, build_at(b, F_ROW_IP), ip);
        }
    }
}

static inline void build_append(struct build *b, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct record r;
        build_record(b, &r);
        assert_int_equal(store_append(b->writer, &r, &b->last), 0);
        cells_done(&r.cells);
    }
    assert_int_equal(store_flush(b->writer), 0);
}

static inline bool build_has_last(const struct build *b, const struct snapshot *s) {
    const struct part *part = snapshot_parts(s) ? snapshot_part(s, snapshot_parts(s) - 1) : NULL;
    return part && part_info(part)->seq_low + part_info(part)->rows > b->last;
}

/* The newest state: all that was appended is in it. */
static inline struct snapshot *build_snapshot(struct build *b) {
    struct snapshot *s = store_snapshot(b->store);
    for (unsigned i = 0; i < 50 && !build_has_last(b, s); i++) {
        uint64_t version = snapshot_version(s);
        s = snapshot_unref(s);
        (void)store_wait(b->store, version, 200);
        s = store_snapshot(b->store);
    }
    assert_true(build_has_last(b, s));
    return s;
}

/* Waits for a change laid over to be seen. */
static inline void build_wait(struct build *b, uint64_t version) {
    for (unsigned i = 0; i < 50 && store_wait(b->store, version, 200) <= version; i++) {
    }
}

/* --- expressions --- */

static inline const char *build_pick(struct dice *d, const char *const *list, size_t count) {
    return list[dice_below(d, count)];
}
#define BUILD_PICK(d, list) build_pick(d, list, ARRAY_LEN(list))

static inline int build_number_test(struct dice *d, char *to, size_t room) {
    static const char *const names[] = {
        "bytes",          "bytes.src",
        "packets",        "databytes",
        "port",           "port.dst",
        "port.src",       "rep",
        "rows.n",         "score",
        "scores",         "delta",
        "deltas",         "tcpflags.syn",
        "initRTT",        "missing.src",
        "session.length", "protocols.cnt",
        "tags.cnt",       "host.http.cnt",
        "http.uri.cnt",   "duration",
        "ip.protocol",    "http.statuscode",
        "rows.cnt",       "session.segments",
        "ethertype",      "ip.answer.cnt",
    };
    static const char *const values[] = {"0",
                                         "1",
                                         "2",
                                         "3",
                                         "5",
                                         "6",
                                         "17",
                                         "100",
                                         "200",
                                         "202",
                                         "443",
                                         "1000",
                                         "3000",
                                         "2.5",
                                         "0.1",
                                         "-1",
                                         "-500",
                                         "1e3",
                                         "9223372036854775807",
                                         "30"};
    static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">="};
    const char *name = BUILD_PICK(d, names);
    switch (dice_below(d, 4)) {
    case 0:
        return snprintf(to, room, "%s == [%s,%s,%s]", name, BUILD_PICK(d, values), BUILD_PICK(d, values),
                        BUILD_PICK(d, values));
    case 1:
        return snprintf(to, room, "%s %s %zu-%zu", name, dice_one_in(d, 2) ? "==" : "!=", dice_below(d, 500),
                        500 + dice_below(d, 2000));
    case 2:
        return snprintf(to, room, "%s %s EXISTS!", name, dice_one_in(d, 2) ? "==" : "!=");
    default:
        return snprintf(to, room, "%s %s %s", name, BUILD_PICK(d, ops), BUILD_PICK(d, values));
    }
}

static inline int build_text_test(struct dice *d, char *to, size_t room) {
    static const char *const names[] = {"host.http",
                                        "http.uri",
                                        "note",
                                        "up",
                                        "tags",
                                        "protocols",
                                        "rare",
                                        "mac.src",
                                        "host",
                                        "rows.code",
                                        "http.uri.tokens",
                                        "host.http.tokens",
                                        "payload8.src.hex",
                                        "payload8.src.utf8",
                                        "node",
                                        "user",
                                        "communityId"};
    static const char *const values[] = {
        "www.example.com",
        "WWW.example.com",
        "\"caf\xc3\xa9.fr\"",
        "a.b.c",
        "x",
        "*example*",
        "caf?.fr",
        "/.*\\.fr/",
        "\"quick brown\"",
        "fox",
        "\"FOX\"",
        "quick",
        "DE",
        "us",
        "tcp",
        "http",
        "one",
        "three",
        "Three",
        "\"four\\*\"",
        "f*",
        "needle",
        "00:1a:e3:dc:2e:01",
        "00-1A-*",
        "X-1",
        "*",
        "/x|y/",
        "\"/second/Main\\*1.js\"",
        "*index*",
        "\"caf\xc3\xa9\"",
        "474554202f204854",
        "\"GET / HT\"",
        "test",
        "/[A-Z]+.*/",
        "index",
        "[one,two]",
        "]one,two[",
        "[x,/.*org/,f*]",
        "\"\xc3\xa9T\"",
        "EXISTS!",
        "main",
        "\"\"",
    };
    return snprintf(to, room, "%s %s %s", BUILD_PICK(d, names), dice_one_in(d, 3) ? "!=" : "==", BUILD_PICK(d, values));
}

static inline int build_other_test(struct dice *d, char *to, size_t room) {
    static const char *const ips[] = {"ip", "ip.src", "ip.dst", "ip.answer", "rows.ip"};
    static const char *const nets[] = {"10.0.0.0/16",
                                       "10.0.1.2",
                                       "192.168",
                                       "192",
                                       "10.0.0.1-10.1.1.1",
                                       "ipv4",
                                       "ipv6",
                                       "2001::/16",
                                       "2001::1",
                                       "[10.0.1.2,192.0.0.0/8]",
                                       "0.0.0.0/0",
                                       "EXISTS!",
                                       "::/0",
                                       "10.1",
                                       "[10.0.0.1,10.0.0.2,10.0.0.3]",
                                       "]10.0.0.1,192.0.0.1["};
    static const char *const ported[] = {
        "10.0.0.0/16:443", ":443", "10.0.1.2:443", "[10.0.0.0/16:443,192.0.0.1]", "2001::1.443", "[:1,:2,:443]"};
    static const char *const others[] = {
        "bytes.src > bytes.dst",
        "bytes == bytes.src + bytes.dst",
        "port.src == port.dst",
        "ip.src < ip.dst",
        "ip.src == ip.dst",
        "stoptime - starttime > 1m",
        "duration > 2m",
        "bytes.src / packets.src > 100",
        "bytes.dst - bytes.src > delta",
        "rows == EXISTS!",
        "rows != EXISTS!",
        "flag == true",
        "flag != true",
        "flag == [true,false]",
        "seen > \"2023/11/14 22:14:00\"",
        "starttime < \"2023/11/14 22:33:20\"",
        "stoptime >= \"2023/11/14 23:00:00\"",
        "starttime == stoptime",
        "host.http == (note)",
        "scores > score",
        "http.statuscode > port.dst",
        "1000 < bytes",
        "rep == rows.n",
        "deltas < delta",
        "ip.answer == ip.dst",
        "db:protocolCnt == 2",
        "tags.cnt > rows.cnt",
        "*",
        "note == (up)",
        "score == scores",
        "bytes.src != bytes.dst",
    };
    const char *op = dice_one_in(d, 3) ? "!=" : "==";
    switch (dice_below(d, 3)) {
    case 0:
        return snprintf(to, room, "%s %s %s", BUILD_PICK(d, ips), op, BUILD_PICK(d, nets));
    case 1:
        return snprintf(to, room, "%s %s %s", build_pick(d, ips, 3), op, BUILD_PICK(d, ported));
    default:
        return snprintf(to, room, "%s", BUILD_PICK(d, others));
    }
}

/* A random expression of at most `depth` levels; returns its length. One that had to be cut is no valid one. */
static inline int build_expression(struct dice *d, unsigned depth, char *to, size_t room) {
    if (depth == 0 || dice_one_in(d, 2)) {
        switch (dice_below(d, 3)) {
        case 0:
            return build_number_test(d, to, room);
        case 1:
            return build_text_test(d, to, room);
        default:
            return build_other_test(d, to, room);
        }
    }
    char left[1024], right[1024];
    (void)build_expression(d, depth - 1, left, sizeof(left));
    (void)build_expression(d, depth - 1, right, sizeof(right));
    switch (dice_below(d, 4)) {
    case 0:
        return snprintf(to, room, "(%.500s) && (%.500s)", left, right);
    case 1:
        return snprintf(to, room, "(%.500s) || (%.500s)", left, right);
    case 2:
        return snprintf(to, room, "!(%.500s) && (%.500s)", left, right);
    default:
        return snprintf(to, room, "(%.500s) || !(%.500s)", left, right);
    }
}

#endif
