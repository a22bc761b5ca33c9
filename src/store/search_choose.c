/* search_choose.c: the best groups of all, by a heap of as many as are wanted; and how they are shown. */
#include <errno.h>
#include <stdlib.h>

#include "store/search_grouping.h"

#define RANKS_WORTH 4096u /* groups to sort */

static int compare_shown(const struct choosing *c, const struct group_key *key, uint64_t a, uint64_t b) {
    const struct words *words = &c->g->result->words;
    struct group_value x, y;
    if (!key_is_bytes(key)) {
        return a < b ? -1 : a > b;
    }
    unsigned shift = key->kind == GROUP_WITH_PORT ? PORT_BITS : 0;
    uint64_t one = a >> shift, two = b >> shift;
    if (c->ranks[0] && one != two) {
        return c->ranks[one % WORD_PARTS][one / WORD_PARTS] < c->ranks[two % WORD_PARTS][two / WORD_PARTS] ? -1 : 1;
    }
    key_show(key, words, a, &x);
    key_show(key, words, b, &y);
    int order = memcmp(x.bytes.at, y.bytes.at, MIN(x.bytes.len, y.bytes.len));
    return order ? order : x.bytes.len != y.bytes.len ? (x.bytes.len < y.bytes.len ? -1 : 1) : x.port - y.port;
}

static int compare_keys(const struct choosing *c, const uint64_t *a, const uint64_t *b) {
    const struct grouping *g = c->g;
    size_t missing = g->missing_word;
    if (g->q->keep_missing && a[missing] != b[missing]) {
        return a[missing] < b[missing] ? -1 : 1;
    }
    for (size_t i = 0; i < g->q->key_count; i++) {
        uint64_t one = grouping_key(g, a, i), two = grouping_key(g, b, i);
        int order = one == two ? 0 : compare_shown(c, &g->q->keys[i], one, two);
        if (order) {
            return order;
        }
    }
    return 0;
}

/* Below 0: `a` comes first. */
static int compare_groups(const struct choosing *c, const uint64_t *a, const uint64_t *b) {
    const struct grouping *g = c->g;
    const struct group_request *q = g->q;
    size_t sum = g->kept ? 0 : q->sort_sum; /* the only one there is, or one of all */
    size_t at = g->words + (q->sort == GROUP_BY_SUM ? 1 + sum : 0);
    if (q->sort == GROUP_BY_KEY) {
        int order = compare_keys(c, a, b);
        return q->ascending ? order : -order;
    }
    if (a[at] != b[at]) {
        return (a[at] < b[at]) == q->ascending ? -1 : 1;
    }
    return compare_keys(c, a, b);
}

static int compare_for_sort(const void *a, const void *b, void *ctx) {
    return compare_groups(ctx, *(const uint64_t *const *)a, *(const uint64_t *const *)b);
}

static void sift_down(struct choosing *c, size_t at) {
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < c->count; child++) {
            if (compare_groups(c, c->rows[child], c->rows[worst]) > 0) {
                worst = child;
            }
        }
        if (worst == at) {
            return;
        }
        const uint64_t *swap = c->rows[at];
        c->rows[at] = c->rows[worst];
        c->rows[worst] = swap;
        at = worst;
    }
}

/* A row that is chosen in place of another, or of none: copied, where rows are. */
static const uint64_t *row_kept(const struct choosing *c, const uint64_t *instead, const uint64_t *row) {
    const struct result *r = c->g->result;
    size_t stride = r->table.stride;
    if (!r->rows) {
        return row;
    }
    uint64_t *to = r->rows + (instead ? (size_t)(instead - r->rows) : c->count * stride);
    memcpy(to, row, stride * sizeof(*row));
    return to;
}

static void choose(struct choosing *c, const uint64_t *row) {
    bool sorted = c->g->q->sort != GROUP_UNSORTED;
    c->sessions += row[c->g->words];
    if (c->count < c->limit) {
        c->rows[c->count] = row_kept(c, NULL, row);
        c->count++;
        for (size_t i = sorted && c->count == c->limit ? c->limit / 2 : 0; i-- > 0;) {
            sift_down(c, i);
        }
    } else if (c->limit && sorted && compare_groups(c, row, c->rows[0]) < 0) {
        c->rows[0] = row_kept(c, c->rows[0], row);
        sift_down(c, 0);
    }
}

struct ranked {
    struct span value;
    uint32_t part, index;
};

static int compare_ranked(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    size_t len = MIN(x->value.len, y->value.len);
    int order = len ? memcmp(x->value.at, y->value.at, len) : 0;
    return order ? order : x->value.len < y->value.len ? -1 : x->value.len > y->value.len;
}

/* Sorts the values once, so that sorting groups compares numbers. */
static int rank_words(struct choosing *c) {
    const struct words *w = &c->g->result->words;
    size_t count = 0;
    for (size_t i = 0; i < WORD_PARTS; i++) {
        c->ranks[i] = malloc((w->parts[i].count + 1) * sizeof(*c->ranks[i]));
        count += w->parts[i].count;
        if (!c->ranks[i]) {
            return -ENOMEM;
        }
    }
    struct ranked *list = malloc((count + 1) * sizeof(*list));
    if (!list) {
        return -ENOMEM;
    }
    count = 0;
    for (uint32_t i = 0; i < WORD_PARTS; i++) {
        for (uint32_t k = 0; k < w->parts[i].count; k++) {
            list[count++] = (struct ranked){w->parts[i].entries[k].value, i, k};
        }
    }
    qsort(list, count, sizeof(*list), compare_ranked);
    for (size_t i = 0; i < count; i++) {
        c->ranks[list[i].part][list[i].index] = (uint32_t)i;
    }
    free(list);
    return 0;
}

static bool copies(const struct grouping *g) {
    return g->q->limit && g->q->limit <= CHOSEN_MAX;
}

int choosing_begin(struct choosing *c) {
    struct result *r = c->g->result;
    c->count = 0;
    c->sessions = c->total = 0;
    if (!copies(c->g) || r->rows) {
        return 0;
    }
    c->limit = (size_t)c->g->q->limit;
    c->rows = malloc(c->limit * sizeof(uint64_t *));
    r->rows = malloc(c->limit * r->table.stride * sizeof(*r->rows));
    return c->rows && r->rows ? 0 : -ENOMEM;
}

int choosing_take(struct choosing *c) {
    const struct grouping *g = c->g;
    const struct table *t = &g->result->table;
    const struct words *w = &g->result->words;
    size_t word_parts = g->direct ? WORD_PARTS : 0;
    uint64_t total = table_count(t);
    for (size_t i = 0; i < word_parts; i++) {
        total += w->parts[i].count;
    }
    c->total += total;
    if (!copies(g)) {
        c->limit = (size_t)(g->q->limit ? MIN(g->q->limit, total) : total);
        c->rows = malloc((c->limit + 1) * sizeof(uint64_t *));
    }
    if (!c->rows) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        int code = search_check(g->s);
        if (code < 0) {
            return code;
        }
        for (const uint64_t *row = table_next(t, i, NULL); row; row = table_next(t, i, row)) {
            choose(c, row);
        }
    }
    for (size_t i = 0; i < word_parts; i++) {
        for (uint32_t k = 0; k < w->parts[i].count; k++) {
            choose(c, w->parts[i].rows + k * w->stride);
        }
    }
    return 0;
}

int choosing_end(struct choosing *c) {
    bool sorted = c->g->q->sort != GROUP_UNSORTED;
    int code = sorted && c->count > RANKS_WORTH ? rank_words(c) : 0;
    if (code == 0 && sorted && c->count) {
        qsort_r(c->rows, c->count, sizeof(uint64_t *), compare_for_sort, c);
    }
    c->g->result->groups.total = c->total;
    return code;
}

void choosing_done(struct choosing *c) {
    free(c->rows);
    for (size_t i = 0; i < WORD_PARTS; i++) {
        free(c->ranks[i]);
    }
}

static void show(const struct choosing *c, size_t place, struct group *to, struct group_value *values) {
    const struct grouping *g = c->g;
    const struct group_request *q = g->q;
    const uint64_t *row = c->rows[place];
    for (size_t i = 0; i < q->key_count; i++) {
        if (q->keep_missing && (row[g->missing_word] >> i & 1)) {
            values[i] = (struct group_value){.type = key_type(&q->keys[i]), .missing = true, .port = -1};
        } else {
            key_show(&q->keys[i], &g->result->words, grouping_key(g, row, i), &values[i]);
        }
    }
    const uint64_t *sums = g->result->sums ? g->result->sums + place * q->sum_count : row + g->words + 1;
    *to = (struct group){.keys = values, .count = row[g->words], .sums = sums};
}

int choosing_show(struct choosing *c) {
    static const uint64_t nothing[GROUP_SUMS_MAX];
    struct grouping *g = c->g;
    struct result *r = g->result;
    uint64_t refused = atomic_load(&g->refused) + g->left_out;
    r->list = calloc(c->count + 1, sizeof(*r->list));
    r->values = calloc(c->count * g->q->key_count + 1, sizeof(*r->values));
    if (!r->list || !r->values) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < c->count; i++) {
        show(c, i, &r->list[i], &r->values[i * g->q->key_count]);
        c->sessions -= r->list[i].count;
    }
    r->groups.count = c->count;
    if (g->q->key_count == 0 && c->count == 0) { /* nothing matches: the one group is there, and empty */
        r->list[0] = (struct group){.keys = r->values, .sums = nothing};
        r->groups.count = r->groups.total = 1;
    }
    r->groups.list = r->list;
    r->groups.others = c->sessions + refused;
    r->groups.truncated = refused > 0;
    return 0;
}
