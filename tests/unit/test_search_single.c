/* test_search_single.c: answers of a search to sessions made for them: beacons, sums that are too large, completion. */
#include <math.h>

#include "search_build.h"

#define BEACON_MEMORY 420000 /* for all keys at once: a fifth more */

static const struct field *field_at(struct snapshot *s, const char *path) {
    const struct field *f =
        registry_field(snapshot_registry(s), registry_by_path(snapshot_registry(s), span_text(path)));
    assert_non_null(f);
    return f;
}

static struct search *search_for(struct snapshot *s, const struct query *q) {
    struct search *search;
    struct err e = {0};
    struct search_options options = {.snapshot = s, .queries = {q}, .threads = 2};
    assert_int_equal(search_new(&options, &search, &e), 0);
    assert_int_equal(search_run(search), 0);
    return search;
}

/* Sums end at the largest number; below it they are exact however large their parts are. */
static void test_large_sums(void **state) {
    (void)state;
    struct build b;
    build_init(&b, 12, 0);
    for (size_t i = 0; i < 200; i++) {
        struct record r;
        build_record(&b, &r);
        r.last_time = (BUILD_START + (int64_t)i) * 1000000;
        r.first_time = r.last_time;
        r.bytes[0] = UINT64_C(1) << 62;
        r.bytes[1] = (UINT64_C(1) << 56) + 1;
        assert_int_equal(store_append(b.writer, &r, &b.last), 0);
        cells_done(&r.cells);
    }
    assert_int_equal(store_flush(b.writer), 0);
    struct snapshot *s = build_snapshot(&b);
    struct search *search = search_for(s, NULL);
    struct timeline_request q = {.time = field_at(s, "lastPacket"),
                                 .interval_ms = 86400000,
                                 .sums = {field_at(s, "source.bytes"), field_at(s, "destination.bytes")},
                                 .sum_count = 2};
    struct timeline *t;
    assert_int_equal(search_timeline(search, &q, &t), 0);
    assert_int_equal(t->count, 1);
    assert_int_equal(t->buckets[0].sessions, 200);
    assert_true(t->buckets[0].sums[0] == UINT64_MAX);
    assert_true(t->buckets[0].sums[1] == 200 * ((UINT64_C(1) << 56) + 1));
    timeline_free(t);
    search_free(search);
    snapshot_unref(s);
    build_done(&b);
}

/* Regular and irregular ones, and some with too few sessions. */
static void test_beacons(void **state) {
    (void)state;
    struct build b;
    build_init(&b, 8, 0);
    for (size_t i = 0; i < 40; i++) {
        for (uint8_t who = 1; who <= 4; who++) {
            struct record r;
            build_record(&b, &r);
            int64_t ms = who == 1 ? (int64_t)i * 1000 : who == 2 ? (int64_t)(i * i) * 100 : (int64_t)i * 500;
            r.first_time = (BUILD_START + ms) * 1000000;
            r.last_time = r.first_time + 1000000;
            r.has_ip = true;
            r.has_port = who != 3;
            memset(r.ip, 0, sizeof(r.ip));
            r.ip[0][15] = who;
            r.ip[1][15] = 9;
            r.port[1] = 53;
            r.bytes[0] = 10;
            r.bytes[1] = 5;
            if (who < 4 || i < 3) {
                assert_int_equal(store_append(b.writer, &r, &b.last), 0);
            }
            cells_done(&r.cells);
        }
    }
    assert_int_equal(store_flush(b.writer), 0);
    struct snapshot *s = build_snapshot(&b);
    struct search *search = search_for(s, NULL);
    struct beacons *found;
    assert_int_equal(search_beacons(search, &(struct beacon_request){0}, &found), 0);
    assert_int_equal(found->count, 3);
    assert_false(found->truncated);
    assert_int_equal(found->list[0].jitter * 1e9, 0);
    assert_int_equal(found->list[0].ip[0][15], 1);
    assert_int_equal(found->list[0].port, 53);
    assert_int_equal(found->list[0].count, 40);
    assert_int_equal(found->list[0].bytes, 600);
    assert_true(found->list[0].mean_ms == 1000);
    assert_int_equal(found->list[0].last_ms - found->list[0].first_ms, 39000);
    assert_int_equal(found->list[1].ip[0][15], 3);
    assert_int_equal(found->list[1].port, 0);
    /* Intervals 100, 300, ... 7700: mean 3900, deviation 200 x sqrt((39^2 - 1) / 12). */
    assert_true(fabs(found->list[2].mean_ms - 3900) < 1e-6);
    assert_true(fabs(found->list[2].deviation_ms - 200 * sqrt((39.0 * 39 - 1) / 12)) < 1e-6);
    beacons_free(found);
    assert_int_equal(search_beacons(search, &(struct beacon_request){.max_jitter = 0.1, .limit = 1}, &found), 0);
    assert_int_equal(found->count, 1);
    assert_int_equal(found->total, 2);
    beacons_free(found);
    assert_int_equal(search_beacons(search, &(struct beacon_request){.min_count = 2, .min_mean_ms = 2000}, &found), 0);
    assert_int_equal(found->total, 1);
    beacons_free(found);
    search_free(search);
    snapshot_unref(s);
    build_done(&b);
}

/* Groups that have no room all at once are counted a share at a time: the answer is the same. */
static void test_passes(void **state) {
    (void)state;
    struct build b;
    struct err e = {0};
    build_init(&b, 13, 400);
    build_append(&b, 1500);
    struct snapshot *s = build_snapshot(&b);
    struct search *large = search_for(s, NULL), *small;
    struct search_options options = {.snapshot = s, .threads = 2, .memory = 100000, .many_groups = 2};
    assert_int_equal(search_new(&options, &small, &e), 0);
    assert_int_equal(search_run(small), 0);
    struct group_request q = {.keys = {{.field = {field_at(s, "source.port"), NULL, ACCESS_VALUE}},
                                       {.field = {field_at(s, "network.bytes"), NULL, ACCESS_VALUE}}},
                              .key_count = 2,
                              .sums = {field_at(s, "source.packets"), field_at(s, "source.bytes")},
                              .sum_count = 2};
    struct groups *want, *got;
    assert_int_equal(search_groups(small, &q, &got), 0);
    assert_true(got->truncated); /* all of them cannot be held */
    groups_free(got);
    for (unsigned sort = GROUP_BY_COUNT; sort <= GROUP_BY_KEY; sort++) {
        q.limit = 100;
        q.sort = (enum group_sort)sort;
        q.sort_sum = 1;
        assert_int_equal(search_groups(large, &q, &want), 0);
        assert_int_equal(search_groups(small, &q, &got), 0);
        assert_false(got->truncated);
        assert_true(got->total > 1000);
        assert_int_equal(got->total, want->total);
        assert_int_equal(got->others, want->others);
        assert_int_equal(got->count, 100);
        for (size_t i = 0; i < got->count; i++) {
            assert_int_equal(got->list[i].count, want->list[i].count);
            assert_int_equal(got->list[i].keys[0].number, want->list[i].keys[0].number);
            assert_int_equal(got->list[i].keys[1].number, want->list[i].keys[1].number);
            assert_memory_equal(got->list[i].sums, want->list[i].sums, 2 * sizeof(uint64_t));
        }
        groups_free(want);
        groups_free(got);
    }
    search_free(small);
    search_free(large);
    snapshot_unref(s);
    build_done(&b);
}

/* Keys that have no room all at once are counted a share at a time. */
static void test_beacon_passes(void **state) {
    (void)state;
    struct build b;
    struct err e = {0};
    build_init(&b, 14, 0);
    for (size_t i = 0; i < 4 * 1500; i++) {
        struct record r;
        build_record(&b, &r);
        r.first_time = (BUILD_START + (int64_t)(i / 1500) * (1000 + (int64_t)(i % 1500))) * 1000000;
        r.last_time = r.first_time + 1000000;
        r.has_ip = r.has_port = true;
        memset(r.ip, 0, sizeof(r.ip));
        r.ip[0][15] = 1;
        r.ip[1][15] = 9;
        r.port[1] = (uint16_t)(1 + i % 1500);
        assert_int_equal(store_append(b.writer, &r, &b.last), 0);
        cells_done(&r.cells);
    }
    assert_int_equal(store_flush(b.writer), 0);
    struct snapshot *s = build_snapshot(&b);
    struct search *large = search_for(s, NULL), *small;
    struct search_options options = {.snapshot = s, .threads = 2, .memory = BEACON_MEMORY};
    assert_int_equal(search_new(&options, &small, &e), 0);
    assert_int_equal(search_run(small), 0);
    struct beacons *want, *got;
    assert_int_equal(search_beacons(large, &(struct beacon_request){0}, &want), 0);
    assert_int_equal(search_beacons(small, &(struct beacon_request){0}, &got), 0);
    assert_false(got->truncated);
    assert_int_equal(want->total, 1500);
    assert_int_equal(got->total, want->total);
    assert_memory_equal(got->list, want->list, want->count * sizeof(*want->list));
    beacons_free(want);
    beacons_free(got);
    search_free(small);
    search_free(large);
    snapshot_unref(s);
    build_done(&b);
}

static bool gather(void *ctx, struct span text) {
    char *to = ctx;
    size_t len = strlen(to);
    (void)snprintf(to + len, 200 - len, "%.*s ", (int)text.len, (const char *)text.at);
    return true;
}

static void test_complete(void **state) {
    (void)state;
    struct build b;
    build_init(&b, 9, 0);
    build_append(&b, 500);
    struct snapshot *s = build_snapshot(&b);
    struct search *search = search_for(s, NULL);
    struct query_field host = {.field = field_at(s, "http.host"), .access = ACCESS_VALUE};
    struct query_field tags = {.field = field_at(s, "tags"), .access = ACCESS_VALUE};
    char got[200] = "";
    assert_int_equal(search_complete(search, &host, SPAN_LITERAL("C"), 2, gather, got), 0);
    assert_string_equal(got, "caf\xc3\xa9.fr caf\xe9.fr ");
    got[0] = 0;
    assert_int_equal(search_complete(search, &tags, SPAN_LITERAL("t"), 10, gather, got), 0);
    assert_string_equal(got, "Three two ");
    got[0] = 0;
    assert_int_equal(search_complete(search, &tags, SPAN_LITERAL("zzz"), 10, gather, got), 0);
    assert_string_equal(got, "");
    search_free(search);
    snapshot_unref(s);
    build_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_sums),    cmocka_unit_test(test_beacons),  cmocka_unit_test(test_passes),
        cmocka_unit_test(test_beacon_passes), cmocka_unit_test(test_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
