/* search_groups.c: sessions counted and summed by up to eight keys.
 *
 * One key with a dictionary is counted per code, or per list of codes, and only then looked up by value; one key of
 * bytes is counted where its values are kept (search_table.h). All else goes row by row into a table of key tuples. The
 * best groups are chosen at the end.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/search_keys.h"

#define CHECK_EVERY 65536u /* groups between looks at the clock */
#define RANKS_WORTH 4096u  /* groups to sort */
#define DENSE_MAX 131072u
#define PRODUCT_MAX 1000000u /* groups one session may count in */

struct result {
    struct groups groups;
    struct table table;
    struct words words;
    struct group *list;
    struct group_value *values;
};

struct grouping {
    struct search *s;
    const struct group_request *q;
    struct result *result;
    bool direct;  /* one key of bytes: counted in `words` of the result */
    size_t words; /* of a key tuple: keys, and one that says which are missing */
    struct table_feed *feeds[SEARCH_THREADS_MAX];
    _Atomic uint64_t refused;
    uint32_t *ranks[WORD_PARTS]; /* places of words in the order of their values, once there are many groups to sort */
};

/* One part being grouped. */
struct group_part {
    struct grouping *g;
    struct worker *w;
    struct table_feed *feed;
    struct key_source keys[GROUP_KEYS_MAX];
    struct sum_source sums[GROUP_SUMS_MAX];
    size_t keys_bound, sums_bound;
    uint64_t made;   /* groups counted in since the last look at the clock */
    bool dense;      /* the cells are those of numbers, from the column's smallest on */
    uint64_t *cells; /* counts and sums per code or list; NULL: row by row */
    uint64_t missing[1 + GROUP_SUMS_MAX];
};

/* --- row by row --- */

static void put_tuple(struct group_part *p, uint32_t row, const uint64_t *tuple) {
    const struct group_request *q = p->g->q;
    for (size_t i = 0; i < q->key_count; i++) {
        if (tuple[i] == WORD_REFUSED && key_is_bytes(&q->keys[i])) {
            (void)atomic_fetch_add_explicit(&p->g->refused, 1, memory_order_relaxed);
            return;
        }
    }
    uint64_t cell[1 + GROUP_SUMS_MAX] = {1};
    for (size_t i = 0; i < q->sum_count; i++) {
        cell[1 + i] = p->sums[i].values[row];
    }
    if (p->g->direct && !(q->keep_missing && tuple[1])) {
        words_count_word(&p->g->result->words, tuple[0], cell, 1 + q->sum_count);
    } else {
        memcpy(table_put(p->feed, tuple), cell, (1 + q->sum_count) * sizeof(cell[0]));
    }
}

/* Every combination of the row's values. */
static void put_product(struct group_part *p, uint32_t row, const uint64_t *const *words, const size_t *counts,
                        uint64_t missing) {
    const struct group_request *q = p->g->q;
    uint64_t tuple[TABLE_WORDS_MAX], made = 0;
    size_t at[GROUP_KEYS_MAX] = {0}, i;
    tuple[q->key_count] = missing; /* no part of the key unless missing ones are kept */
    do {
        for (i = 0; i < q->key_count; i++) {
            tuple[i] = words[i][at[i]];
        }
        put_tuple(p, row, tuple);
        for (i = 0; i < q->key_count && ++at[i] == counts[i]; i++) {
            at[i] = 0;
        }
    } while (i < q->key_count && ++made < PRODUCT_MAX);
    if (i < q->key_count) {
        (void)atomic_fetch_add_explicit(&p->g->refused, 1, memory_order_relaxed);
    }
}

static int group_row(struct group_part *p, uint32_t row) {
    static const uint64_t none = 0;
    const struct group_request *q = p->g->q;
    const uint64_t *words[GROUP_KEYS_MAX];
    size_t counts[GROUP_KEYS_MAX];
    uint64_t missing = 0;
    for (size_t i = 0; i < q->key_count; i++) {
        int code = key_words(p->w, &p->keys[i], row, &words[i], &counts[i]);
        if (code < 0) {
            return code;
        }
        if (counts[i] == 0) {
            if (!q->keep_missing) {
                return 0;
            }
            missing |= (uint64_t)1 << i;
            words[i] = &none;
            counts[i] = 1;
        }
    }
    put_product(p, row, words, counts, missing);
    size_t made = 1;
    for (size_t i = 0; i < q->key_count; i++) {
        made *= counts[i];
    }
    p->made += made;
    if (p->made < CHECK_EVERY) {
        return 0;
    }
    p->made = 0;
    return search_check(p->w->s);
}

static int load_block(struct group_part *p, uint32_t block, const uint64_t *mask) {
    int code = 0;
    for (size_t i = 0; code == 0 && i < p->keys_bound; i++) {
        code = key_load(p->w, &p->keys[i], block, mask);
    }
    for (size_t i = 0; code == 0 && i < p->sums_bound; i++) {
        code = sum_load(p->w, &p->sums[i], block, mask);
    }
    return code;
}

/* Rows that have one word a key at most, column by column. */
static int group_flat(struct group_part *p, const uint64_t *mask) {
    const struct group_request *q = p->g->q;
    const uint64_t *words[GROUP_KEYS_MAX];
    uint64_t tuple[TABLE_WORDS_MAX];
    for (size_t i = 0; i < q->key_count; i++) {
        int code = key_flat(p->w, &p->keys[i], mask, &words[i]);
        if (code < 0) {
            return code;
        }
    }
    MAP_EACH(mask, row) {
        uint64_t missing = 0;
        for (size_t i = 0; i < q->key_count; i++) {
            bool has = map_has(p->keys[i].present, (uint32_t)row);
            tuple[i] = has ? words[i][row] : 0;
            missing |= (uint64_t)!has << i;
        }
        tuple[q->key_count] = missing;
        if (!missing || q->keep_missing) {
            put_tuple(p, (uint32_t)row, tuple);
        }
    }
    return 0;
}

static int group_block(struct group_part *p, uint32_t block, const uint64_t *mask) {
    bool flat = true;
    int code = load_block(p, block, mask);
    for (size_t i = 0; i < p->keys_bound; i++) {
        flat &= key_is_flat(&p->keys[i]);
    }
    if (code < 0 || flat) {
        return code < 0 ? code : group_flat(p, mask);
    }
    MAP_EACH(mask, row) {
        code = group_row(p, (uint32_t)row);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

/* --- code by code --- */

static size_t cell_size(const struct group_part *p) {
    return 1 + p->g->q->sum_count;
}

/* Numbers that lie so near to each other in a part that each can have a cell, such as ports. */
static bool is_dense(const struct key_source *k) {
    return k->kind == KEY_NUMBER && k->key->kind == GROUP_FIELD && k->key->field.access == ACCESS_VALUE &&
           k->reader.kind == READER_COLUMN && k->reader.info->kind == COLUMN_NUMBER && k->reader.info->present &&
           k->reader.info->max - k->reader.info->min < DENSE_MAX;
}

/* Counts per code fit when there is one key with a dictionary, or none. */
static int cells_new(struct group_part *p) {
    const struct group_request *q = p->g->q;
    const struct key_source *k = &p->keys[0];
    uint64_t cells = 1;
    p->dense = q->key_count == 1 && is_dense(k);
    if (q->key_count > 1 ||
        (q->key_count && (k->with_port || (k->kind != KEY_CODE && k->kind != KEY_LIST && !p->dense)))) {
        return 0;
    }
    if (q->key_count) {
        cells = p->dense              ? k->reader.info->max - k->reader.info->min + 1
                : k->kind == KEY_LIST ? k->reader.info->lists
                                      : k->reader.info->values;
    }
    p->cells = worker_alloc(p->w, cells * cell_size(p) * sizeof(*p->cells) + 1);
    if (!p->cells) {
        return -ENOMEM;
    }
    memset(p->cells, 0, cells * cell_size(p) * sizeof(*p->cells));
    return 0;
}

static void cell_add(struct group_part *p, uint64_t *cell, uint32_t row) {
    cell[0]++;
    for (size_t i = 0; i < p->sums_bound; i++) {
        cell[1 + i] = add_safely(cell[1 + i], p->sums[i].values[row]);
    }
}

static int count_numbers(struct group_part *p, const uint64_t *mask) {
    const struct key_source *k = &p->keys[0];
    size_t size = cell_size(p);
    uint64_t least = k->reader.info->min, span = k->reader.info->max - least;
    MAP_EACH(mask, row) {
        bool has = map_has(k->present, (uint32_t)row);
        if (has && k->numbers[row] - least > span) {
            return -EBADMSG; /* the column has another opinion of its bounds */
        }
        cell_add(p, has ? p->cells + (k->numbers[row] - least) * size : p->missing, (uint32_t)row);
    }
    return 0;
}

static int count_block(struct group_part *p, uint32_t block, const uint64_t *mask) {
    size_t size = cell_size(p);
    int code = load_block(p, block, mask);
    if (code < 0) {
        return code;
    }
    if (p->keys_bound == 0) {
        MAP_EACH(mask, row) {
            cell_add(p, p->cells, (uint32_t)row);
        }
        return 0;
    }
    if (p->dense) {
        return count_numbers(p, mask);
    }
    const uint32_t *codes = p->keys[0].codes;
    if (p->sums_bound == 0) {
        uint64_t *cells = p->cells;
        MAP_EACH(mask, row) {
            if (codes[row] == CODE_NONE) {
                p->missing[0]++;
            } else {
                cells[codes[row]]++;
            }
        }
        return 0;
    }
    MAP_EACH(mask, row) {
        cell_add(p, codes[row] == CODE_NONE ? p->missing : p->cells + codes[row] * size, (uint32_t)row);
    }
    return 0;
}

static void put_cell(struct group_part *p, uint64_t word, uint64_t missing, const uint64_t *cell) {
    uint64_t tuple[2] = {word, missing};
    if (p->g->q->key_count == 0) {
        tuple[0] = missing;
    } else if (word == WORD_REFUSED && key_is_bytes(&p->g->q->keys[0])) {
        (void)atomic_fetch_add_explicit(&p->g->refused, cell[0], memory_order_relaxed);
        return;
    }
    memcpy(table_put(p->feed, tuple), cell, cell_size(p) * sizeof(*cell));
}

/* Counts per list become counts per code: a value counts once however often the list has it. */
static int spread_lists(struct group_part *p, uint64_t *codes_cells) {
    struct key_source *k = &p->keys[0];
    size_t size = cell_size(p);
    uint32_t *seen = worker_alloc(p->w, k->reader.info->values * sizeof(*seen) + 1);
    if (!seen) {
        return -ENOMEM;
    }
    memset(seen, 0xff, k->reader.info->values * sizeof(*seen));
    for (uint32_t list = 0; list < k->reader.info->lists; list++) {
        const uint64_t *cell = p->cells + list * size;
        const uint32_t *codes;
        uint32_t count;
        if (cell[0] == 0) {
            continue;
        }
        int code = column_list(k->reader.c, &p->w->use, list, &codes, &count);
        if (code < 0) {
            return code;
        }
        for (uint32_t i = 0; i < count; i++) {
            uint64_t *to = codes_cells + codes[i] * size;
            if (seen[codes[i]] == list) {
                continue;
            }
            seen[codes[i]] = list;
            for (size_t n = 0; n < size; n++) {
                to[n] = add_safely(to[n], cell[n]);
            }
        }
    }
    return 0;
}

/* A list's length is its word. */
static int put_lengths(struct group_part *p) {
    struct key_source *k = &p->keys[0];
    for (uint32_t list = 0; list < k->reader.info->lists; list++) {
        const uint64_t *cell = p->cells + list * cell_size(p);
        const uint32_t *codes;
        uint32_t count;
        if (cell[0]) {
            int code = column_list(k->reader.c, &p->w->use, list, &codes, &count);
            if (code < 0) {
                return code;
            }
            put_cell(p, count, 0, cell);
        }
    }
    return 0;
}

/* Values that are counted where they are kept: all of the part at once. */
static int count_values(struct group_part *p, uint64_t *cells) {
    struct key_source *k = &p->keys[0];
    uint32_t values = k->reader.info->values;
    size_t size = cell_size(p);
    struct words_many many = {.cells = cells, .count = size};
    struct span *list = worker_alloc(p->w, values * sizeof(*list) + 1);
    uint64_t *words = worker_alloc(p->w, values * sizeof(*words) + 1);
    if (!list || !words) {
        return -ENOMEM;
    }
    for (uint32_t value = 0; value < values; value++) {
        if (cells[value * size] == 0) {
            continue;
        }
        int code = column_value(k->reader.c, &p->w->use, value, &list[many.value_count]);
        if (code < 0) {
            return code;
        }
        memmove(cells + many.value_count++ * size, cells + value * size, size * sizeof(*cells));
    }
    many.values = list;
    int code = words_add_many(p->w, &p->g->result->words, &many, words);
    for (uint32_t i = 0; code == 0 && i < many.value_count; i++) {
        if (words[i] == WORD_REFUSED) {
            (void)atomic_fetch_add_explicit(&p->g->refused, cells[i * size], memory_order_relaxed);
        }
    }
    return code;
}

static int put_codes(struct group_part *p, uint64_t *cells) {
    struct key_source *k = &p->keys[0];
    if (p->g->direct) {
        return count_values(p, cells);
    }
    for (uint32_t value = 0; value < k->reader.info->values; value++) {
        const uint64_t *cell = cells + value * cell_size(p);
        uint64_t word;
        if (cell[0] == 0) {
            continue;
        }
        int code = key_code_word(p->w, k, value, &word);
        if (code < 0) {
            return code;
        }
        put_cell(p, word, 0, cell);
    }
    return 0;
}

static int put_cells(struct group_part *p) {
    struct key_source *k = &p->keys[0];
    if (p->keys_bound == 0) {
        put_cell(p, 0, 0, p->cells);
        return 0;
    }
    if (p->missing[0] && p->g->q->keep_missing) {
        put_cell(p, 0, 1, p->missing);
    }
    if (p->dense) {
        for (uint64_t i = 0; i <= k->reader.info->max - k->reader.info->min; i++) {
            if (p->cells[i * cell_size(p)]) {
                put_cell(p, k->reader.info->min + i, 0, p->cells + i * cell_size(p));
            }
        }
        return 0;
    }
    if (k->kind == KEY_CODE) {
        return put_codes(p, p->cells);
    }
    if (k->key->kind == GROUP_FIELD && k->key->field.access == ACCESS_COUNT) {
        return put_lengths(p);
    }
    size_t bytes = k->reader.info->values * cell_size(p) * sizeof(uint64_t);
    uint64_t *cells = worker_alloc(p->w, bytes + 1);
    if (!cells) {
        return -ENOMEM;
    }
    memset(cells, 0, bytes);
    int code = spread_lists(p, cells);
    return code < 0 ? code : put_codes(p, cells);
}

/* --- parts --- */

/* The patch of the part when it changes anything that is grouped by or summed. */
static const struct patch *patch_of(const struct grouping *g, size_t part) {
    const struct patch *patch = snapshot_patch(g->s->o.snapshot, part);
    const struct group_request *q = g->q;
    bool matters = false;
    for (size_t i = 0; patch && i < q->key_count && !matters; i++) {
        struct query_field time = {.field = q->keys[i].time, .access = ACCESS_VALUE};
        matters = patch_changes(patch, q->keys[i].kind == GROUP_TIME ? &time : &q->keys[i].field);
    }
    for (size_t i = 0; patch && i < q->sum_count && !matters; i++) {
        struct query_field sum = {.field = q->sums[i], .access = ACCESS_VALUE};
        matters = patch_changes(patch, &sum);
    }
    return matters ? patch : NULL;
}

static int bind_sources(struct group_part *p) {
    const struct group_request *q = p->g->q;
    int code = 0;
    for (; code == 0 && p->keys_bound < q->key_count; p->keys_bound++) {
        size_t i = p->keys_bound;
        code = key_bind(p->w, &p->keys[i], &q->keys[i], &p->g->result->words, 2 * i);
    }
    for (; code == 0 && p->sums_bound < q->sum_count; p->sums_bound++) {
        size_t i = p->sums_bound;
        code = sum_bind(p->w, &p->sums[i], q->sums[i], 2 * GROUP_KEYS_MAX + i);
    }
    return code < 0 ? code : cells_new(p);
}

static int group_blocks(struct group_part *p, const struct patch *patch, uint64_t *mask) {
    const struct search_part *part = &p->w->s->parts[p->w->part];
    const struct part_info *info = part_info(snapshot_part(p->w->s->o.snapshot, p->w->part));
    for (uint32_t block = 0; block < info->blocks; block++) {
        memcpy(mask, part->bits + (size_t)block * PART_WORDS, PART_WORDS * sizeof(*mask));
        block_patched(patch, block, mask, false);
        int code = search_check(p->w->s);
        if (code == 0 && map_any(mask)) {
            code = p->cells ? count_block(p, block, mask) : group_block(p, block, mask);
        }
        if (code < 0) {
            return code;
        }
    }
    return p->cells ? put_cells(p) : 0;
}

/* Rows with other values than their columns have. */
static int group_patched(struct group_part *p, const struct patch *patch, uint64_t *mask) {
    const struct search_part *part = &p->w->s->parts[p->w->part];
    const struct part_info *info = part_info(snapshot_part(p->w->s->o.snapshot, p->w->part));
    int code = 0;
    for (size_t i = 0; code == 0 && i < p->keys_bound; i++) {
        code = key_restore(p->w, &p->keys[i]);
    }
    for (size_t i = 0; i < p->sums_bound; i++) {
        p->sums[i].restore = true;
    }
    for (uint32_t block = 0; code == 0 && block < info->blocks; block++) {
        memcpy(mask, part->bits + (size_t)block * PART_WORDS, PART_WORDS * sizeof(*mask));
        block_patched(patch, block, mask, true);
        if (map_any(mask)) {
            code = group_block(p, block, mask);
        }
    }
    return code;
}

static int group_part(struct worker *w, void *ctx, size_t i) {
    struct grouping *g = ctx;
    const struct patch *patch = patch_of(g, i);
    if (!g->feeds[w->index]) {
        g->feeds[w->index] = table_feed_new(&g->result->table, 1 + g->q->sum_count);
    }
    struct group_part *p = worker_alloc(w, sizeof(*p));
    uint64_t *mask = worker_map(w);
    if (!g->feeds[w->index] || !p || !mask) {
        return -ENOMEM;
    }
    memset(p, 0, sizeof(*p));
    p->g = g;
    p->w = w;
    p->feed = g->feeds[w->index];
    int code = bind_sources(p);
    code = code < 0 ? code : group_blocks(p, patch, mask);
    if (code == 0 && patch) {
        code = group_patched(p, patch, mask);
    }
    for (size_t k = 0; k < p->keys_bound; k++) {
        key_done(w, &p->keys[k]);
    }
    for (size_t k = 0; k < p->sums_bound; k++) {
        sum_done(w, &p->sums[k]);
    }
    worker_unmap(w);
    return code;
}

/* --- choosing --- */

struct choosing {
    const struct grouping *g;
    const uint64_t **rows; /* of the table; as a heap: the worst first */
    size_t count;
};

static int compare_shown(const struct grouping *g, const struct group_key *key, uint64_t a, uint64_t b) {
    const struct words *words = &g->result->words;
    struct group_value x, y;
    if (!key_is_bytes(key)) {
        return a < b ? -1 : a > b;
    }
    unsigned shift = key->kind == GROUP_WITH_PORT ? PORT_BITS : 0;
    uint64_t one = a >> shift, two = b >> shift;
    if (g->ranks[0] && one != two) {
        return g->ranks[one % WORD_PARTS][one / WORD_PARTS] < g->ranks[two % WORD_PARTS][two / WORD_PARTS] ? -1 : 1;
    }
    key_show(key, words, a, &x);
    key_show(key, words, b, &y);
    int order = memcmp(x.bytes.at, y.bytes.at, MIN(x.bytes.len, y.bytes.len));
    return order ? order : x.bytes.len != y.bytes.len ? (x.bytes.len < y.bytes.len ? -1 : 1) : x.port - y.port;
}

static int compare_keys(const struct grouping *g, const uint64_t *a, const uint64_t *b) {
    size_t keys = g->q->key_count;
    if (g->words > keys && a[keys] != b[keys]) {
        return a[keys] < b[keys] ? -1 : 1;
    }
    for (size_t i = 0; i < keys; i++) {
        int order = a[i] == b[i] ? 0 : compare_shown(g, &g->q->keys[i], a[i], b[i]);
        if (order) {
            return order;
        }
    }
    return 0;
}

/* Below 0: `a` comes first. */
static int compare_groups(const struct grouping *g, const uint64_t *a, const uint64_t *b) {
    const struct group_request *q = g->q;
    size_t at = g->words + (q->sort == GROUP_BY_SUM ? 1 + q->sort_sum : 0);
    if (q->sort == GROUP_BY_KEY) {
        int order = compare_keys(g, a, b);
        return q->ascending ? order : -order;
    }
    if (a[at] != b[at]) {
        return (a[at] < b[at]) == q->ascending ? -1 : 1;
    }
    return compare_keys(g, a, b);
}

static int compare_for_sort(const void *a, const void *b, void *ctx) {
    return compare_groups(ctx, *(const uint64_t *const *)a, *(const uint64_t *const *)b);
}

static void sift_down(struct choosing *c, size_t at) {
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < c->count; child++) {
            if (compare_groups(c->g, c->rows[child], c->rows[worst]) > 0) {
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

static void choose(struct choosing *c, size_t limit, const uint64_t *row) {
    if (c->count < limit) {
        c->rows[c->count++] = row;
        for (size_t i = c->count == limit ? limit / 2 : 0; i-- > 0;) {
            sift_down(c, i);
        }
    } else if (limit && compare_groups(c->g, row, c->rows[0]) < 0) {
        c->rows[0] = row;
        sift_down(c, 0);
    }
}

static uint64_t choose_rows(struct choosing *c, size_t limit, const uint64_t *rows, uint32_t count, size_t stride) {
    uint64_t sessions = 0;
    for (uint32_t k = 0; k < count; k++) {
        const uint64_t *row = rows + k * stride;
        sessions += row[c->g->words];
        choose(c, limit, row);
    }
    return sessions;
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
static int rank_words(struct grouping *g) {
    const struct words *w = &g->result->words;
    size_t count = 0;
    for (size_t i = 0; i < WORD_PARTS; i++) {
        g->ranks[i] = malloc((w->parts[i].count + 1) * sizeof(*g->ranks[i]));
        count += w->parts[i].count;
        if (!g->ranks[i]) {
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
        g->ranks[list[i].part][list[i].index] = (uint32_t)i;
    }
    free(list);
    return 0;
}

static int choose_all(struct grouping *g, struct choosing *c, uint64_t *ret_sessions) {
    const struct table *t = &g->result->table;
    const struct words *w = &g->result->words;
    size_t word_parts = g->direct ? WORD_PARTS : 0;
    uint64_t total = 0;
    *ret_sessions = 0;
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        total += t->parts[i].count;
    }
    for (size_t i = 0; i < word_parts; i++) {
        total += w->parts[i].count;
    }
    size_t limit = (size_t)(g->q->limit ? MIN(g->q->limit, total) : total);
    *c = (struct choosing){.g = g, .rows = malloc((limit + 1) * sizeof(uint64_t *))};
    if (!c->rows) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        int code = search_check(g->s);
        if (code < 0) {
            return code;
        }
        *ret_sessions += choose_rows(c, limit, t->parts[i].rows, t->parts[i].count, t->stride);
    }
    for (size_t i = 0; i < word_parts; i++) {
        *ret_sessions += choose_rows(c, limit, w->parts[i].rows, w->parts[i].count, w->stride);
    }
    int code = c->count > RANKS_WORTH ? rank_words(g) : 0;
    if (code == 0) {
        qsort_r(c->rows, c->count, sizeof(uint64_t *), compare_for_sort, g);
    }
    g->result->groups.total = total;
    return code;
}

static void show(struct grouping *g, struct group *to, struct group_value *values, const uint64_t *row) {
    const struct group_request *q = g->q;
    for (size_t i = 0; i < q->key_count; i++) {
        if (q->keep_missing && (row[q->key_count] >> i & 1)) {
            values[i] = (struct group_value){.type = key_type(&q->keys[i]), .missing = true, .port = -1};
        } else {
            key_show(&q->keys[i], &g->result->words, row[i], &values[i]);
        }
    }
    *to = (struct group){.keys = values, .count = row[g->words], .sums = row + g->words + 1};
}

static int finish(struct grouping *g) {
    struct result *r = g->result;
    struct choosing c = {0};
    uint64_t sessions = 0;
    int code = choose_all(g, &c, &sessions);
    r->list = code < 0 ? NULL : calloc(c.count + 1, sizeof(*r->list));
    r->values = code < 0 ? NULL : calloc(c.count * g->q->key_count + 1, sizeof(*r->values));
    code = code < 0 ? code : r->list && r->values ? 0 : -ENOMEM;
    for (size_t i = 0; code == 0 && i < c.count; i++) {
        show(g, &r->list[i], &r->values[i * g->q->key_count], c.rows[i]);
        sessions -= r->list[i].count;
    }
    uint64_t refused = atomic_load(&g->refused);
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        refused += r->table.parts[i].refused;
    }
    r->groups.list = r->list;
    r->groups.count = c.count;
    r->groups.others = sessions + refused;
    r->groups.truncated = refused > 0;
    free(c.rows);
    for (size_t i = 0; i < WORD_PARTS; i++) {
        free(g->ranks[i]);
    }
    return code;
}

/* --- the answer --- */

static int run(struct grouping *g, struct search *s) {
    struct result *r = g->result;
    int code = words_init(&r->words, s, g->direct ? g->words + 1 + g->q->sum_count : 0);
    code = code < 0 ? code : table_init(&r->table, s, g->words, g->q->sum_count);
    if (code < 0) {
        return code;
    }
    struct part_job job = {.fn = group_part, .ctx = g, .matching = true};
    code = search_run_parts(s, &job, NULL);
    if (code == 0 && g->q->key_count == 0 && s->count == 0 && !g->feeds[0]) {
        /* Nothing matches: the one group is there, and empty. */
        g->feeds[0] = table_feed_new(&r->table, 1 + g->q->sum_count);
        code = g->feeds[0] ? 0 : -ENOMEM;
        if (code == 0) {
            uint64_t none[2] = {0};
            memset(table_put(g->feeds[0], none), 0, (1 + g->q->sum_count) * sizeof(uint64_t));
        }
    }
    for (size_t i = 0; i < SEARCH_THREADS_MAX; i++) {
        g->feeds[i] = table_feed_free(g->feeds[i]);
    }
    return code < 0 ? code : finish(g);
}

int search_groups(struct search *s, const struct group_request *request, struct groups **ret_groups) {
    *ret_groups = NULL;
    if (request->key_count > GROUP_KEYS_MAX || request->sum_count > GROUP_SUMS_MAX ||
        (request->sort == GROUP_BY_SUM && request->sort_sum >= request->sum_count)) {
        return -EINVAL;
    }
    struct result *r = calloc(1, sizeof(*r));
    if (!r) {
        return -ENOMEM;
    }
    struct grouping g = {.s = s, .q = request, .result = r, .words = request->key_count + request->keep_missing};
    g.direct = request->key_count == 1 && request->keys[0].kind == GROUP_FIELD && key_is_bytes(&request->keys[0]);
    int code = run(&g, s);
    if (code < 0) {
        groups_free(&r->groups);
        return code;
    }
    *ret_groups = &r->groups;
    return 0;
}

struct groups *groups_free(struct groups *groups) {
    struct result *r = (struct result *)(void *)groups; /* its first member */
    if (r) {
        table_done(&r->table);
        if (r->words.s) {
            words_done(&r->words);
        }
        free(r->list);
        free(r->values);
        free(r);
    }
    return NULL;
}
