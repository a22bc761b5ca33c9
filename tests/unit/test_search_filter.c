/* test_search_filter.c: searches against matching, one record at a time: random sessions, random expressions, over the
 * tail, sealed and merged parts, with and without changes laid over them. Both must choose the same sessions.
 */
#include "search_build.h"

#define EXPRESSIONS 50

struct reference {
    struct query *queries[EXPRESSIONS];
    char texts[EXPRESSIONS][4096];
    uint64_t *seqs[EXPRESSIONS]; /* what matching chooses */
    size_t counts[EXPRESSIONS];
};

static void make_queries(struct build *b, const struct registry *registry, struct reference *ref) {
    for (size_t i = 0; i < EXPRESSIONS;) {
        struct err e = {0};
        (void)build_expression(&b->dice, (unsigned)(i % 4), ref->texts[i], sizeof(ref->texts[i]));
        if (query_parse(span_text(ref->texts[i]), registry, BUILD_NOW, &ref->queries[i], &e) == 0) {
            i++;
        }
    }
}

/* Community ids that stored sessions have, one by one, many at once, with other tests, and others. */
static void make_community_queries(struct build *b, const struct registry *registry, struct reference *ref) {
    struct snapshot *s = build_snapshot(b);
    struct restorer *restorer;
    char ids[12][32] = {"1:AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "1:short"};
    assert_int_equal(restorer_new(s, NULL, 0, false, &restorer), 0);
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        struct err e = {0};
        for (size_t k = 2; k < ARRAY_LEN(ids);) {
            const struct record *r;
            size_t part = dice_below(&b->dice, snapshot_parts(s));
            uint32_t row = (uint32_t)dice_below(&b->dice, part_info(snapshot_part(s, part))->rows);
            assert_int_equal(restorer_read(restorer, part, row, &r), 0);
            k += r->community_id[0] && snprintf(ids[k], sizeof(ids[k]), "%s", r->community_id) > 0;
        }
        char *to = ref->texts[i];
        size_t room = sizeof(ref->texts[i]);
        int len = snprintf(to, room, "communityId %s [", dice_one_in(&b->dice, 3) ? "!=" : "==");
        for (size_t k = 0, count = i % 3 ? i % 3 : ARRAY_LEN(ids); k < count; k++) {
            len += snprintf(to + len, room - (size_t)len, "%s\"%s\"", k ? "," : "",
                            ids[count < ARRAY_LEN(ids) ? dice_below(&b->dice, ARRAY_LEN(ids)) : k]);
        }
        (void)snprintf(to + len, room - (size_t)len, "]%s",
                       i % 4 == 0   ? " && bytes.src > 500"
                       : i % 4 == 1 ? " || tags == one"
                                    : "");
        if (query_parse(span_text(to), registry, BUILD_NOW, &ref->queries[i], &e) < 0) {
            fail_msg("%s: %s", to, e.text);
        }
    }
    restorer_free(restorer);
    snapshot_unref(s);
}

/* What matching says of every stored session. */
static void match_all(struct snapshot *s, struct reference *ref) {
    struct restorer *restorer;
    assert_int_equal(restorer_new(s, NULL, 0, false, &restorer), 0);
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        ref->seqs[i] = malloc((snapshot_rows(s) + 1) * sizeof(uint64_t));
        ref->counts[i] = 0;
    }
    for (size_t p = 0; p < snapshot_parts(s); p++) {
        const struct part_info *info = part_info(snapshot_part(s, p));
        const struct patch *patch = snapshot_patch(s, p);
        for (uint32_t row = 0; row < info->rows; row++) {
            const struct record *r;
            if (patch && patch_row_gone(patch, row)) {
                continue;
            }
            assert_int_equal(restorer_read(restorer, p, row, &r), 0);
            for (size_t i = 0; i < EXPRESSIONS; i++) {
                if (query_match(ref->queries[i], r)) {
                    ref->seqs[i][ref->counts[i]++] = info->seq_low + row;
                }
            }
        }
    }
    restorer_free(restorer);
}

struct checking {
    const struct reference *ref;
    size_t which, at;
    bool wrong;
};

static bool check_row(void *ctx, const struct search_row *row) {
    struct checking *c = ctx;
    c->wrong = c->at >= c->ref->counts[c->which] || c->ref->seqs[c->which][c->at] != row->seq;
    c->at++;
    return !c->wrong;
}

static void check_search(struct snapshot *s, const struct reference *ref, size_t which) {
    struct search *search;
    struct err e = {0};
    struct search_options options = {.snapshot = s, .queries = {ref->queries[which]}, .threads = 2};
    assert_int_equal(search_new(&options, &search, &e), 0);
    int code = search_run(search);
    if (code < 0) {
        fail_msg("%s: %s", ref->texts[which], strerror(-code));
    }
    struct checking c = {ref, which, 0, false};
    assert_int_equal(search_each(search, check_row, &c), 0);
    if (c.wrong || search_count(search) != ref->counts[which] || c.at != ref->counts[which]) {
        fail_msg("%s: %llu sessions instead of %zu; differs at number %zu", ref->texts[which],
                 (unsigned long long)search_count(search), ref->counts[which], c.at);
    }
    uint64_t done, total;
    search_progress(search, &done, &total);
    assert_int_equal(done, total);
    search_free(search);
}

static bool add_text(void *ctx, const struct field *f, const struct value *v) {
    if (f->type < FT_OBJECT) {
        value_write(f, v, ctx);
    }
    buf_add_byte(ctx, '|');
    return true;
}

/* A session of which only one field is restored has the values of that field that the whole one has. Parts are gone
 * through side by side. */
static void compare_restored(struct snapshot *s, struct dice *d) {
    const struct registry *registry = snapshot_registry(s);
    struct restorer *whole, *some;
    struct buf all, own;
    size_t values = 0;
    buf_init(&all, (size_t)1 << 24);
    buf_init(&own, (size_t)1 << 24);
    assert_int_equal(restorer_new(s, NULL, 0, false, &whole), 0);
    for (unsigned i = 0; i < 2 * registry_count(registry); i++) {
        uint16_t id = (uint16_t)(i / 2);
        const struct field *f = registry_field(registry, id);
        assert_int_equal(restorer_new(s, &id, 1, false, &some), 0);
        if (i % 2) { /* as filters restore */
            restorer_values_only(some);
        }
        for (size_t k = 0; k < 40; k++) {
            size_t part = dice_below(d, snapshot_parts(s));
            uint32_t row = (uint32_t)dice_below(d, part_info(snapshot_part(s, part))->rows);
            const struct record *r;
            buf_clear(&all);
            buf_clear(&own);
            assert_int_equal(restorer_read(whole, part, row, &r), 0);
            record_values(r, f, add_text, &all);
            assert_int_equal(restorer_read(some, part, row, &r), 0);
            record_values(r, f, add_text, &own);
            if (!span_equal(buf_span(&all), buf_span(&own))) {
                fail_msg("%s of row %u: %.*s instead of %.*s", f->def->path, row, (int)own.len, own.data, (int)all.len,
                         all.data);
            }
            values += all.len > 0;
        }
        restorer_free(some);
    }
    assert_true(values > 500);
    restorer_free(whole);
    buf_done(&all);
    buf_done(&own);
}

typedef void (*queries_fn)(struct build *b, const struct registry *registry, struct reference *ref);

static void compare_with(struct build *b, queries_fn make) {
    struct snapshot *s = build_snapshot(b);
    struct reference *ref = calloc(1, sizeof(*ref));
    assert_non_null(ref);
    make(b, snapshot_registry(s), ref);
    match_all(s, ref);
    size_t some = 0;
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        check_search(s, ref, i);
        some += ref->counts[i] && ref->counts[i] < snapshot_rows(s);
    }
    assert_true(some > EXPRESSIONS / 4); /* else it compares nothing with nothing */
    for (size_t i = 0; i < EXPRESSIONS; i++) {
        free(ref->seqs[i]);
        query_free(ref->queries[i]);
    }
    free(ref);
    snapshot_unref(s);
}

static void compare(struct build *b) {
    compare_with(b, make_queries);
}

static void change(struct build *b, enum overlay_op op, const char *path, const char *value) {
    struct err e = {0};
    uint64_t seqs[40];
    struct snapshot *s = build_snapshot(b);
    for (size_t i = 0; i < ARRAY_LEN(seqs); i++) {
        const struct part *part = snapshot_part(s, dice_below(&b->dice, snapshot_parts(s)));
        seqs[i] = part_info(part)->seq_low + dice_below(&b->dice, part_info(part)->rows);
    }
    uint64_t version = snapshot_version(s);
    snapshot_unref(s);
    struct overlay_change c = {seqs, ARRAY_LEN(seqs), op, path, span_text(value), "tester"};
    if (overlay_write(b->control, &c, &e) < 0) {
        fail_msg("%s", e.text);
    }
    build_wait(b, version);
}

static void change_much(struct build *b) {
    change(b, OVERLAY_ADD, "tags", "laid over");
    change(b, OVERLAY_ADD, "tags", "one");
    change(b, OVERLAY_REMOVE, "tags", "two");
    change(b, OVERLAY_SET, "rare", "needle");
    change(b, OVERLAY_DELETE_ROW, NULL, "");
}

static void check_tail(uint64_t seed) {
    struct build b;
    build_init(&b, seed, 0);
    build_append(&b, 100);
    build_append(&b, 400);
    compare(&b);
    change_much(&b);
    compare(&b);
    build_done(&b);
}

static void check_sealed(uint64_t seed) {
    struct build b;
    struct err e = {0};
    build_init(&b, seed, 300);
    for (size_t i = 0; i < 4; i++) {
        build_append(&b, 350);
    }
    compare(&b);
    assert_int_equal(store_compact(b.writer, &e), 0);
    compare(&b);
    change_much(&b);
    build_append(&b, 100);
    compare(&b);
    compare_with(&b, make_community_queries);
    struct snapshot *s = build_snapshot(&b);
    compare_restored(s, &b.dice);
    snapshot_unref(s);
    assert_int_equal(store_compact(b.writer, &e), 0);
    compare(&b);
    build_done(&b);
}

static void test_tail(void **state) {
    (void)state;
    for (size_t i = 0; i < build_rounds(); i++) {
        check_tail(1 + 1000 * i);
    }
}

static void test_sealed(void **state) {
    (void)state;
    for (size_t i = 0; i < build_rounds(); i++) {
        check_sealed(2 + 1000 * i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail),
        cmocka_unit_test(test_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
