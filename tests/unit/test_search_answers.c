/* test_search_answers.c: what a search answers beside which sessions match: order, groups, timelines; each against the
 * same worked out record by record.
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>

#include "search_build.h"

#define KEY_ROOM 400
#define LINES_MAX 200000

/* --- what is expected: one line a group, counted --- */

struct line {
    char key[KEY_ROOM];
    uint64_t count, sums[2];
};

struct lines {
    struct line *list;
    size_t count;
};

static void lines_add(struct lines *l, const char *key, uint64_t count, const uint64_t sums[2]) {
    assert_true(l->count < LINES_MAX);
    struct line *to = &l->list[l->count++];
    (void)snprintf(to->key, sizeof(to->key), "%s", key);
    to->count = count;
    to->sums[0] = sums[0];
    to->sums[1] = sums[1];
}

static int compare_lines(const void *a, const void *b) {
    return strcmp(((const struct line *)a)->key, ((const struct line *)b)->key);
}

static void lines_merge(struct lines *l) {
    size_t kept = 0;
    qsort(l->list, l->count, sizeof(*l->list), compare_lines);
    for (size_t i = 0; i < l->count; i++) {
        if (kept && strcmp(l->list[kept - 1].key, l->list[i].key) == 0) {
            l->list[kept - 1].count += l->list[i].count;
            l->list[kept - 1].sums[0] += l->list[i].sums[0];
            l->list[kept - 1].sums[1] += l->list[i].sums[1];
        } else {
            l->list[kept++] = l->list[i];
        }
    }
    l->count = kept;
}

/* --- values of a record as text --- */

struct texts {
    char list[64][KEY_ROOM / 4];
    size_t count;
};

static void texts_add(struct texts *t, const char *text) {
    for (size_t i = 0; i < t->count; i++) {
        if (strcmp(t->list[i], text) == 0) {
            return; /* a value counts once */
        }
    }
    assert_true(t->count < 64);
    (void)snprintf(t->list[t->count++], sizeof(t->list[0]), "%s", text);
}

static void bytes_text(struct span bytes, char *to) {
    *to = 0;
    for (size_t i = 0; i < bytes.len && i < 40; i++) {
        (void)snprintf(to + 2 * i, 3, "%02x", bytes.at[i]);
    }
}

static bool on_text(void *ctx, const struct field *f, const struct value *v) {
    char text[KEY_ROOM / 4];
    if (f->type == FT_FLOAT) {
        (void)snprintf(text, sizeof(text), "%.17g", v->number);
    } else if (f->type <= FT_BOOL) {
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v->u64);
    } else {
        bytes_text(v->bytes, text);
    }
    texts_add(ctx, text);
    return true;
}

static bool on_count(void *ctx, const struct field *f, const struct value *v) {
    (void)f;
    (void)v;
    ++*(uint64_t *)ctx;
    return true;
}

static bool on_sum(void *ctx, const struct field *f, const struct value *v) {
    (void)f;
    *(uint64_t *)ctx += v->u64;
    return true;
}

static void key_texts(const struct group_key *key, const struct record *r, struct texts *to) {
    char text[KEY_ROOM / 4];
    uint64_t number = 0;
    to->count = 0;
    if (key->kind == GROUP_TIME) {
        record_values(r, key->time, on_sum, &number);
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)(number / key->interval_ms * key->interval_ms));
        texts_add(to, text);
    } else if (key->kind == GROUP_FIELD && key->field.access == ACCESS_COUNT) {
        record_values(r, key->field.field, on_count, &number);
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
        if (number) {
            texts_add(to, text);
        }
    } else {
        record_values(r, key->field.field, on_text, to);
    }
    if (key->kind == GROUP_WITH_PORT) {
        uint64_t ports = 0;
        record_values(r, key->field.port, on_count, &ports);
        record_values(r, key->field.port, on_sum, &number);
        for (size_t i = 0; i < to->count; i++) {
            size_t len = strlen(to->list[i]);
            (void)snprintf(to->list[i] + len, sizeof(to->list[i]) - len, ":%d", ports ? (int)number : -1);
        }
    }
}

static void expect_record(const struct group_request *q, const struct record *r, struct lines *to) {
    struct texts texts[3] = {{.count = 0}};
    uint64_t sums[2] = {0};
    for (size_t i = 0; i < q->key_count; i++) {
        key_texts(&q->keys[i], r, &texts[i]);
        if (texts[i].count == 0 && q->keep_missing) {
            texts_add(&texts[i], "missing");
        }
    }
    for (size_t i = 0; i < q->sum_count; i++) {
        record_values(r, q->sums[i], on_sum, &sums[i]);
    }
    size_t counts[3] = {1, 1, 1};
    for (size_t i = 0; i < q->key_count; i++) {
        counts[i] = texts[i].count;
    }
    for (size_t n = 0; n < counts[0] * counts[1] * counts[2]; n++) {
        char key[KEY_ROOM];
        size_t at[3] = {n % counts[0], n / counts[0] % counts[1], n / counts[0] / counts[1]};
        int len = 0;
        key[0] = 0;
        for (size_t i = 0; i < q->key_count; i++) {
            len += snprintf(key + len, sizeof(key) - (size_t)len, "|%s", texts[i].list[at[i]]);
        }
        lines_add(to, key, 1, sums);
    }
}

/* Calls for every session that matches. */
static void each_match(struct snapshot *s, const struct query *q,
                       void (*each)(void *ctx, const struct record *r, uint64_t seq), void *ctx) {
    struct restorer *restorer;
    assert_int_equal(restorer_new(s, NULL, 0, false, &restorer), 0);
    for (size_t p = 0; p < snapshot_parts(s); p++) {
        const struct part_info *info = part_info(snapshot_part(s, p));
        const struct patch *patch = snapshot_patch(s, p);
        for (uint32_t row = 0; row < info->rows; row++) {
            const struct record *r;
            if (patch && patch_row_gone(patch, row)) {
                continue;
            }
            assert_int_equal(restorer_read(restorer, p, row, &r), 0);
            if (query_match(q, r)) {
                each(ctx, r, info->seq_low + row);
            }
        }
    }
    restorer_free(restorer);
}

/* --- groups --- */

struct expecting {
    const struct group_request *q;
    struct lines *to;
};

static void expect_group(void *ctx, const struct record *r, uint64_t seq) {
    struct expecting *e = ctx;
    (void)seq;
    expect_record(e->q, r, e->to);
}

static void shown_key(const struct group_request *q, const struct group *g, char *to) {
    size_t len = 0;
    *to = 0;
    for (size_t i = 0; i < q->key_count; i++) {
        const struct group_value *v = &g->keys[i];
        char text[KEY_ROOM / 4];
        if (v->missing) {
            (void)snprintf(text, sizeof(text), "missing");
        } else if (v->type == FT_FLOAT) {
            (void)snprintf(text, sizeof(text), "%.17g", number_to_double(v->number));
        } else if (v->type <= FT_BOOL) {
            (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)v->number);
        } else {
            bytes_text(v->bytes, text);
        }
        len += (size_t)snprintf(to + len, KEY_ROOM - len, "|%s", text);
        if (q->keys[i].kind == GROUP_WITH_PORT && !v->missing) {
            len += (size_t)snprintf(to + len, KEY_ROOM - len, ":%d", v->port);
        }
    }
}

static const struct field *field_at(struct snapshot *s, const char *path) {
    const struct field *f =
        registry_field(snapshot_registry(s), registry_by_path(snapshot_registry(s), span_text(path)));
    assert_non_null(f);
    return f;
}

static void random_key(struct dice *d, struct snapshot *s, struct group_key *to) {
    static const char *const paths[] = {
        "source.ip", "destination.port", "http.host", "http.uri", "tags",      "rep",  "delta",   "scores",
        "rows.code", "network.bytes",    "score",     "deltas",   "answer.ip", "rare", "protocol"};
    *to = (struct group_key){.kind = GROUP_FIELD, .field = {.access = ACCESS_VALUE}};
    switch (dice_below(d, 6)) {
    case 0:
        to->kind = GROUP_TIME;
        to->time = field_at(s, dice_one_in(d, 2) ? "firstPacket" : "lastPacket");
        to->interval_ms = 60000;
        return;
    case 1:
        to->kind = GROUP_WITH_PORT;
        to->field.field = field_at(s, dice_one_in(d, 2) ? "source.ip" : "destination.ip");
        to->field.port = field_at(s, to->field.field == field_at(s, "source.ip") ? "source.port" : "destination.port");
        return;
    case 2:
        to->field.access = ACCESS_COUNT;
        to->field.field = field_at(s, dice_one_in(d, 2) ? "tags" : dice_one_in(d, 2) ? "http.uri" : "answer.ip");
        return;
    default:
        to->field.field = field_at(s, paths[dice_below(d, ARRAY_LEN(paths))]);
    }
}

static void random_request(struct dice *d, struct snapshot *s, struct group_request *q) {
    static const char *const sums[] = {"network.bytes", "source.packets", "length", "http.statuscode", "initRTT"};
    *q = (struct group_request){.key_count = dice_below(d, 4), .sum_count = dice_below(d, 3)};
    for (size_t i = 0; i < q->key_count; i++) {
        random_key(d, s, &q->keys[i]);
    }
    for (size_t i = 0; i < q->sum_count; i++) {
        q->sums[i] = field_at(s, sums[dice_below(d, ARRAY_LEN(sums))]);
    }
    q->keep_missing = dice_one_in(d, 2);
}

/* Few groups are many here, so that sums wait for a second reading. */
static struct search *search_for(struct snapshot *s, const struct query *q) {
    struct search *search;
    struct err e = {0};
    struct search_options options = {.snapshot = s, .queries = {q}, .threads = 2, .many_groups = 2};
    assert_int_equal(search_new(&options, &search, &e), 0);
    assert_int_equal(search_run(search), 0);
    return search;
}

static void check_groups(struct snapshot *s, struct search *search, const struct group_request *q,
                         const struct lines *want) {
    struct groups *groups;
    assert_int_equal(search_groups(search, q, &groups), 0);
    struct lines got = {.list = malloc((groups->count + 1) * sizeof(struct line))};
    (void)s;
    for (size_t i = 0; i < groups->count; i++) {
        uint64_t sums[2] = {0};
        char key[KEY_ROOM];
        memcpy(sums, groups->list[i].sums, q->sum_count * sizeof(sums[0]));
        shown_key(q, &groups->list[i], key);
        lines_add(&got, key, groups->list[i].count, sums);
        if (i && q->sort == GROUP_BY_COUNT) {
            assert_true(groups->list[i - 1].count >= groups->list[i].count);
        }
    }
    qsort(got.list, got.count, sizeof(*got.list), compare_lines);
    assert_false(groups->truncated);
    assert_int_equal(groups->total, want->count);
    assert_int_equal(got.count, want->count);
    for (size_t i = 0; i < got.count; i++) {
        assert_string_equal(got.list[i].key, want->list[i].key);
        assert_int_equal(got.list[i].count, want->list[i].count);
        assert_int_equal(got.list[i].sums[0], want->list[i].sums[0]);
        assert_int_equal(got.list[i].sums[1], want->list[i].sums[1]);
    }
    free(got.list);
    groups_free(groups);
}

/* The first groups of a limited answer are those of the whole one. */
static void check_limit(struct search *search, struct group_request *q, const struct lines *want) {
    struct groups *all, *few;
    uint64_t sessions = 0, shown = 0;
    assert_int_equal(search_groups(search, q, &all), 0);
    q->limit = 5;
    assert_int_equal(search_groups(search, q, &few), 0);
    assert_int_equal(few->count, MIN(want->count, (size_t)5));
    assert_int_equal(few->total, want->count);
    for (size_t i = 0; i < all->count; i++) {
        sessions += all->list[i].count;
    }
    for (size_t i = 0; i < few->count; i++) {
        char a[KEY_ROOM], b[KEY_ROOM];
        shown_key(q, &all->list[i], a);
        shown_key(q, &few->list[i], b);
        assert_string_equal(a, b);
        assert_int_equal(all->list[i].count, few->list[i].count);
        assert_memory_equal(all->list[i].sums, few->list[i].sums, q->sum_count * sizeof(uint64_t));
        shown += few->list[i].count;
    }
    assert_int_equal(few->others, sessions - shown);
    q->limit = 0;
    groups_free(all);
    groups_free(few);
}

static void lines_of(const struct group_request *q, const struct groups *g, struct lines *to) {
    for (size_t i = 0; i < g->count; i++) {
        uint64_t sums[2] = {0};
        char key[KEY_ROOM];
        memcpy(sums, g->list[i].sums, q->sum_count * sizeof(sums[0]));
        shown_key(q, &g->list[i], key);
        lines_add(to, key, g->list[i].count, sums);
    }
    qsort(to->list, to->count, sizeof(*to->list), compare_lines);
}

static bool same_shown(const struct group_value *a, const struct group_value *b) {
    return a->number == b->number && a->port == b->port && span_equal(a->bytes, b->bytes);
}

/* Groups of some values of the first key are those of the whole answer. */
static void check_only(struct dice *d, struct search *search, struct group_request *q) {
    struct groups *all, *few;
    struct group_value only[3];
    struct lines want = {.list = malloc(LINES_MAX * sizeof(struct line))};
    struct lines got = {.list = malloc(LINES_MAX * sizeof(struct line))};
    assert_non_null(want.list);
    assert_non_null(got.list);
    assert_int_equal(search_groups(search, q, &all), 0);
    for (size_t i = 0; all->count && i < ARRAY_LEN(only); i++) {
        only[i] = all->list[dice_below(d, all->count)].keys[0];
    }
    if (all->count) {
        struct group *kept = calloc(all->count, sizeof(*kept));
        struct groups chosen = {.list = kept};
        assert_non_null(kept);
        for (size_t i = 0; i < all->count; i++) {
            bool in = false;
            for (size_t k = 0; k < ARRAY_LEN(only); k++) {
                in |= same_shown(&all->list[i].keys[0], &only[k]);
            }
            if (in) {
                kept[chosen.count++] = all->list[i];
            }
        }
        lines_of(q, &chosen, &want);
        q->only = only;
        q->only_count = ARRAY_LEN(only);
        assert_int_equal(search_groups(search, q, &few), 0);
        lines_of(q, few, &got);
        assert_int_equal(got.count, want.count);
        for (size_t i = 0; i < got.count; i++) {
            assert_string_equal(got.list[i].key, want.list[i].key);
            assert_int_equal(got.list[i].count, want.list[i].count);
            assert_int_equal(got.list[i].sums[0], want.list[i].sums[0]);
            assert_int_equal(got.list[i].sums[1], want.list[i].sums[1]);
        }
        groups_free(few);
        free(kept);
        q->only_count = 0;
    }
    groups_free(all);
    free(want.list);
    free(got.list);
}

static void check_all_groups(struct build *b, struct snapshot *s, const struct query *query, struct search *search) {
    for (size_t round = 0; round < 8 * build_rounds(); round++) {
        struct group_request q;
        struct lines want = {.list = malloc(LINES_MAX * sizeof(struct line))};
        assert_non_null(want.list);
        random_request(&b->dice, s, &q);
        struct expecting e = {&q, &want};
        each_match(s, query, expect_group, &e);
        if (q.key_count == 0 && want.count == 0) {
            lines_add(&want, "", 0, (uint64_t[2]){0});
        }
        lines_merge(&want);
        q.sort = dice_one_in(&b->dice, 4) ? GROUP_UNSORTED : (enum group_sort)dice_below(&b->dice, q.sum_count ? 3 : 1);
        check_groups(s, search, &q, &want);
        if (q.sort != GROUP_UNSORTED) {
            check_limit(search, &q, &want);
        }
        if (q.key_count && !q.keep_missing) {
            check_only(&b->dice, search, &q);
        }
        free(want.list);
    }
}

/* --- order --- */

struct sorted {
    uint64_t seq;
    struct sort_text {
        bool missing;
        long double number;
        char text[KEY_ROOM / 4];
    } keys[2];
};

struct sorting {
    const struct search_order *orders;
    size_t order_count, count;
    struct sorted *rows;
};

struct best {
    const struct search_order *order;
    struct sort_text *to;
};

static bool on_best(void *ctx, const struct field *f, const struct value *v) {
    struct best *b = ctx;
    struct sort_text now = {.number = 0};
    if (f->type <= FT_BOOL) {
        now.number = f->type == FT_I64     ? (long double)v->i64
                     : f->type == FT_FLOAT ? (long double)v->number
                                           : (long double)v->u64;
        if (f->type == FT_FLOAT && now.number == 0 && signbit(v->number)) {
            now.number = -1e-300L; /* stored numbers tell the two zeros apart */
        }
    } else {
        bytes_text(v->bytes, now.text);
    }
    int order = now.number < b->to->number ? -1 : now.number > b->to->number ? 1 : strcmp(now.text, b->to->text);
    if (b->to->missing || (b->order->descending ? order > 0 : order < 0)) {
        *b->to = now;
    }
    return true;
}

static void collect_row(void *ctx, const struct record *r, uint64_t seq) {
    struct sorting *g = ctx;
    struct sorted *to = &g->rows[g->count++];
    to->seq = seq;
    for (size_t i = 0; i < g->order_count; i++) {
        const struct search_order *order = &g->orders[i];
        to->keys[i] = (struct sort_text){.missing = true};
        if (!order->field.field) {
            to->keys[i] = (struct sort_text){.number = (long double)seq};
        } else if (order->field.access == ACCESS_COUNT) {
            uint64_t count = 0;
            record_values(r, order->field.field, on_count, &count);
            to->keys[i] = (struct sort_text){.missing = count == 0, .number = (long double)count};
        } else {
            struct best b = {order, &to->keys[i]};
            record_values(r, order->field.field, on_best, &b);
        }
    }
}

static int compare_sorted(const void *a, const void *b, void *ctx) {
    const struct sorted *x = a, *y = b;
    const struct sorting *g = ctx;
    for (size_t i = 0; i < g->order_count; i++) {
        const struct sort_text *k = &x->keys[i], *l = &y->keys[i];
        int order = k->missing != l->missing ? k->missing - l->missing
                    : k->number < l->number  ? -1
                    : k->number > l->number  ? 1
                                             : strcmp(k->text, l->text);
        if (order) {
            return g->orders[i].descending ? -order : order;
        }
    }
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static void check_order(struct build *b, struct snapshot *s, const struct query *query, struct search *search) {
    static const char *const paths[] = {
        "firstPacket", "lastPacket", "source.ip", "destination.port", "http.host", "http.uri", "network.bytes", "score",
        "deltas",      "tags",       "up",        "length",           "rows.n",    "rare",     "scores"};
    for (size_t round = 0; round < 8 * build_rounds(); round++) {
        struct search_order orders[2] = {{.field = {.access = ACCESS_ID}}, {.field = {.access = ACCESS_ID}}};
        struct sorting g = {.orders = orders, .order_count = 1 + dice_below(&b->dice, 2)};
        for (size_t i = 0; i < g.order_count; i++) {
            orders[i].descending = dice_one_in(&b->dice, 2);
            if (!dice_one_in(&b->dice, 10)) {
                const struct field *f = field_at(s, paths[dice_below(&b->dice, ARRAY_LEN(paths))]);
                bool count = dice_one_in(&b->dice, 5) && !(f->flags & F_SINGLE);
                orders[i].field = (struct query_field){f, NULL, count ? ACCESS_COUNT : ACCESS_VALUE};
            }
        }
        g.rows = malloc((snapshot_rows(s) + 1) * sizeof(*g.rows));
        assert_non_null(g.rows);
        each_match(s, query, collect_row, &g);
        qsort_r(g.rows, g.count, sizeof(*g.rows), compare_sorted, &g);
        struct search_page page;
        uint64_t start = dice_below(&b->dice, 3) * 20, length = dice_one_in(&b->dice, 4) ? 100000 : 50;
        assert_int_equal(search_rows(search, orders, g.order_count, start, length, &page), 0);
        assert_int_equal(page.count, start >= g.count ? 0 : MIN(length, g.count - start));
        for (size_t i = 0; i < page.count; i++) {
            if (page.rows[i].seq != g.rows[start + i].seq) {
                fail_msg("order %s%s: place %zu", orders[0].field.field ? orders[0].field.field->def->path : "id",
                         orders[0].descending ? " down" : "", i);
            }
        }
        free(g.rows);
    }
}

/* --- time --- */

struct timing {
    const struct timeline_request *q;
    struct lines *to;
};

static void expect_time(void *ctx, const struct record *r, uint64_t seq) {
    struct timing *t = ctx;
    uint64_t time = 0, sums[2] = {0}, first = 0, last = 0;
    char key[64];
    (void)seq;
    record_values(r, t->q->time, on_sum, &time);
    for (size_t i = 0; i < t->q->sum_count; i++) {
        record_values(r, t->q->sums[i], on_sum, &sums[i]);
    }
    (void)snprintf(key, sizeof(key), "%020llu", (unsigned long long)(time / t->q->interval_ms * t->q->interval_ms));
    lines_add(t->to, key, !t->q->spanning, sums);
    record_values(r, registry_field(r->registry, registry_by_path(r->registry, SPAN_LITERAL("firstPacket"))), on_sum,
                  &first);
    record_values(r, registry_field(r->registry, registry_by_path(r->registry, SPAN_LITERAL("lastPacket"))), on_sum,
                  &last);
    for (uint64_t at = first / t->q->interval_ms; t->q->spanning && at <= last / t->q->interval_ms; at++) {
        (void)snprintf(key, sizeof(key), "%020llu", (unsigned long long)(at * t->q->interval_ms));
        lines_add(t->to, key, 1, (uint64_t[2]){0});
    }
}

static void check_timeline(struct snapshot *s, const struct query *query, struct search *search) {
    static const uint64_t intervals[] = {60000, 1800000, 86400000}; /* neighbours share a bucket: hardly, often, all */
    for (size_t round = 0; round < 4 * ARRAY_LEN(intervals); round++) {
        struct timeline_request q = {.time = field_at(s, round & 1 ? "firstPacket" : "lastPacket"),
                                     .interval_ms = intervals[round / 4],
                                     .spanning = round & 2,
                                     .sums = {field_at(s, "network.bytes"), field_at(s, "source.packets")},
                                     .sum_count = 2};
        struct lines want = {.list = malloc(LINES_MAX * sizeof(struct line))};
        assert_non_null(want.list);
        struct timing t = {&q, &want};
        each_match(s, query, expect_time, &t);
        lines_merge(&want);
        struct timeline *got;
        assert_int_equal(search_timeline(search, &q, &got), 0);
        assert_false(got->truncated);
        assert_int_equal(got->count, want.count);
        uint64_t total = 0;
        for (size_t i = 0; i < got->count; i++) {
            assert_int_equal(got->buckets[i].start_ms, strtoull(want.list[i].key, NULL, 10));
            assert_int_equal(got->buckets[i].sessions, want.list[i].count);
            assert_int_equal(got->buckets[i].sums[0], want.list[i].sums[0]);
            assert_int_equal(got->buckets[i].sums[1], want.list[i].sums[1]);
            total += want.list[i].sums[0];
        }
        assert_int_equal(got->totals[0], total);
        timeline_free(got);
        free(want.list);
    }
}

/* --- all of it --- */

static void check_answers(struct build *b, const char *text) {
    struct snapshot *s = build_snapshot(b);
    struct query *query;
    struct err e = {0};
    assert_int_equal(query_parse(span_text(text), snapshot_registry(s), BUILD_NOW, &query, &e), 0);
    struct search *search = search_for(s, query);
    check_all_groups(b, s, query, search);
    check_order(b, s, query, search);
    check_timeline(s, query, search);
    search_free(search);
    query_free(query);
    snapshot_unref(s);
}

static void test_answers(void **state) {
    (void)state;
    struct build b;
    struct err e = {0};
    build_init(&b, 7, 400);
    build_append(&b, 700);
    check_answers(&b, "*");
    assert_int_equal(store_compact(b.writer, &e), 0);
    build_append(&b, 300);
    check_answers(&b, "*");
    check_answers(&b, "tags == one || port.dst < 50");
    check_answers(&b, "tags == nothing");
    uint64_t seqs[30];
    struct snapshot *s = build_snapshot(&b);
    uint64_t low = part_info(snapshot_part(s, 0))->seq_low, version = snapshot_version(s);
    snapshot_unref(s);
    for (size_t i = 0; i < ARRAY_LEN(seqs); i++) {
        seqs[i] = low + dice_below(&b.dice, 1000);
    }
    const struct overlay_change changes[] = {
        {seqs, 20, OVERLAY_ADD, "tags", SPAN_LITERAL("laid over"), "tester"},
        {seqs + 5, 10, OVERLAY_SET, "rare", SPAN_LITERAL("other"), "tester"},
        {seqs + 20, 10, OVERLAY_DELETE_ROW, NULL, {NULL, 0}, "tester"},
    };
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        assert_int_equal(overlay_write(b.control, &changes[i], &e), 0);
    }
    build_wait(&b, version);
    check_answers(&b, "*");
    check_answers(&b, "tags == \"laid over\" || rare == EXISTS!");
    build_done(&b);
}

/* Turns bits in the first two thirds of each segment: behind that the directory stands, without which none is opened.
 */
static int damage_folder(const char *path, struct dice *d) {
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char name[400];
        (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(name, "r+b");
        if (!file) {
            continue;
        }
        (void)fseek(file, 0, SEEK_END);
        long size = ftell(file);
        for (size_t i = 0; i < 20; i++) {
            (void)fseek(file, (long)(16 + dice_below(d, (size_t)size * 2 / 3)), SEEK_SET);
            (void)fputc((int)(dice_u64(d) & 0xff), file);
        }
        (void)fclose(file);
    }
    return folder ? closedir(folder) : -1;
}

/* Damaged bytes cost at most the parts they are in: the search still answers. */
static void test_damage(void **state) {
    (void)state;
    struct build b;
    struct err e = {0};
    build_init(&b, 11, 300);
    build_append(&b, 1200);
    assert_int_equal(store_compact(b.writer, &e), 0);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/seg", b.folder);
    assert_int_equal(damage_folder(path, &b.dice), 0);
    struct store *store;
    if (store_open(b.folder, build_registry, NULL, 0, &store, &e) < 0) {
        fail_msg("%s", e.text);
    }
    struct snapshot *s = store_snapshot(store);
    uint64_t damaged = 0;
    for (size_t i = 0; i < 60; i++) {
        char text[4096];
        struct query *query;
        struct groups *groups;
        struct search_page page;
        (void)build_expression(&b.dice, 2, text, sizeof(text));
        if (query_parse(span_text(text), snapshot_registry(s), BUILD_NOW, &query, &e) < 0) {
            continue;
        }
        struct search *search = search_for(s, query);
        struct group_request q;
        random_request(&b.dice, s, &q);
        assert_int_equal(search_groups(search, &q, &groups), 0);
        groups_free(groups);
        struct search_order order = {.field = {field_at(s, "http.host"), NULL, ACCESS_VALUE}};
        assert_int_equal(search_rows(search, &order, 1, 0, 50, &page), 0);
        struct beacons *beacons;
        assert_int_equal(search_beacons(search, &(struct beacon_request){.min_count = 2}, &beacons), 0);
        beacons_free(beacons);
        damaged += search_damaged(search);
        search_free(search);
        query_free(query);
    }
    assert_true(damaged > 0);
    snapshot_unref(s);
    store_close(store);
    build_done(&b);
}

static bool say_yes(void *ctx) {
    (void)ctx;
    return true;
}

static void test_limits(void **state) {
    (void)state;
    struct build b;
    struct err e = {0};
    build_init(&b, 10, 0);
    build_append(&b, 500);
    struct snapshot *s = build_snapshot(&b);
    struct search *search;
    struct search_options cancelled = {.snapshot = s, .cancelled = say_yes};
    assert_int_equal(search_new(&cancelled, &search, &e), 0);
    assert_int_equal(search_run(search), -ECANCELED);
    search_free(search);
    struct search_options small = {.snapshot = s, .memory = 4096};
    assert_int_equal(search_new(&small, &search, &e), 0);
    assert_int_equal(search_run(search), 0);
    struct search_order order = {.field = {field_at(s, "source.ip"), NULL, ACCESS_VALUE}};
    struct search_page page;
    assert_int_equal(search_rows(search, &order, 1, 0, 500, &page), -E2BIG);
    assert_int_equal(search_rows(search, &order, 1, 0, 5, &page), 0);
    assert_int_equal(page.count, 5);
    struct groups *groups;
    struct group_request q = {.key_count = 1, .keys = {{.field = {field_at(s, "http.uri"), NULL, ACCESS_VALUE}}}};
    assert_int_equal(search_groups(search, &q, &groups), 0);
    assert_true(groups->truncated);
    groups_free(groups);
    search_free(search);
    snapshot_unref(s);
    build_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
