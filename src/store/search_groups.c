/* search_groups.c: sessions counted and summed by up to eight keys.
 *
 * One key with a dictionary is counted per code, or per list of codes, and only then looked up by value; one key of
 * bytes is counted where its values are kept (search_table.h). All else goes row by row into a table of key tuples. The
 * best groups are chosen at the end; sums that do not take part in the choice are added in a second reading.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/search_grouping.h"

#define CHECK_EVERY 65536u /* groups between looks at the clock */
#define DENSE_MAX 131072u
#define PRODUCT_MAX 1000000u /* groups one session may count in */
#define HALF_BITS 32u
#define AFTER_GROUPS 65536u /* as many possible groups make a second reading cheaper than sums of them all */

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

static void refuse(struct grouping *g, uint64_t sessions) {
    (void)atomic_fetch_add_explicit(&g->refused, sessions, memory_order_relaxed);
}

/* The keys' words, and which are missing, as a tuple of the table; false: the ceiling was reached for one. */
static bool pack_tuple(const struct grouping *g, const uint64_t *words, uint64_t missing, uint64_t *ret_tuple) {
    memset(ret_tuple, 0, g->words * sizeof(*ret_tuple));
    for (size_t i = 0; i < g->q->key_count; i++) {
        const struct key_place *at = &g->places[i];
        if (words[i] > at->mask || (words[i] == WORD_REFUSED && key_is_bytes(&g->q->keys[i]))) {
            return false;
        }
        ret_tuple[at->word] |= words[i] << at->shift;
    }
    if (g->q->keep_missing) {
        ret_tuple[g->missing_word] = missing;
    }
    return true;
}

/* A session of a group, in the second reading. */
static inline void add_afterwards(struct group_part *p, uint32_t row, const uint64_t *tuple) {
    struct grouping *g = p->g;
    uint64_t hash = table_hash(&g->result->table, tuple);
    if (!summing_may_have(g->summing, hash)) {
        return;
    }
    uint64_t *sums = summing_find(g->summing, p->w->index, hash, tuple);
    for (size_t i = 0; sums && i < g->sum_count; i++) {
        sums[i] = add_safely(sums[i], p->sums[i].values[row]);
    }
}

static void put_row(struct group_part *p, uint32_t row, const uint64_t *words, uint64_t missing) {
    struct grouping *g = p->g;
    uint64_t tuple[TABLE_WORDS_MAX], cell[1 + GROUP_SUMS_MAX] = {1};
    if (!pack_tuple(g, words, missing, tuple)) {
        refuse(g, g->summing ? 0 : 1);
        return;
    }
    if (g->summing) {
        add_afterwards(p, row, tuple);
        return;
    }
    for (size_t i = 0; i < g->sum_count; i++) {
        cell[1 + i] = p->sums[i].values[row];
    }
    if (g->direct && !missing) {
        words_count_word(&g->result->words, tuple[0], cell, 1 + g->sum_count);
    } else {
        memcpy(table_put(p->feed, tuple), cell, p->feed->values * sizeof(cell[0]));
    }
}

/* Every combination of the row's values. */
static void put_product(struct group_part *p, uint32_t row, const uint64_t *const *words, const size_t *counts,
                        uint64_t missing) {
    const struct group_request *q = p->g->q;
    uint64_t combination[GROUP_KEYS_MAX], made = 0;
    size_t at[GROUP_KEYS_MAX] = {0}, i;
    do {
        for (i = 0; i < q->key_count; i++) {
            combination[i] = words[i][at[i]];
        }
        put_row(p, row, combination, missing);
        for (i = 0; i < q->key_count && ++at[i] == counts[i]; i++) {
            at[i] = 0;
        }
    } while (i < q->key_count && ++made < PRODUCT_MAX);
    if (i < q->key_count) {
        refuse(p->g, p->g->summing ? 0 : 1);
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

/* Two keys that are halves of a word, nothing but counted, or added afterwards: the commonest question by far. */
static void put_pairs(struct group_part *p, const uint64_t *rows, uint32_t from, const uint64_t *const words[]) {
    const uint64_t *one = words[0], *two = words[1];
    uint64_t refused = 0;
    SLICE_EACH(rows, from, row, i) {
        const uint64_t tuple = one[i] << HALF_BITS | two[i];
        if ((one[i] | two[i]) >> HALF_BITS) {
            refused += !p->g->summing;
        } else if (p->g->summing) {
            add_afterwards(p, (uint32_t)row, &tuple);
        } else {
            (void)table_put(p->feed, &tuple);
        }
    }
    refuse(p->g, refused);
}

/* Rows of a slice that have one word a key at most, column by column. */
static int group_slice(struct group_part *p, uint64_t *rows, uint32_t from) {
    const struct grouping *g = p->g;
    const struct group_request *q = g->q;
    const uint64_t *words[GROUP_KEYS_MAX];
    uint64_t combination[GROUP_KEYS_MAX];
    for (size_t i = 0; i < q->key_count; i++) {
        int code = key_flat(p->w, &p->keys[i], rows, from, &words[i]);
        if (code < 0) {
            return code;
        }
        for (size_t n = from; !q->keep_missing && n < from + SLICE_WORDS; n++) {
            rows[n] &= p->keys[i].present[n];
        }
    }
    if (g->words == 1 && q->key_count == 2 && (g->summing || p->feed->values == 0)) {
        put_pairs(p, rows, from, words);
        return 0;
    }
    SLICE_EACH(rows, from, row, place) {
        uint64_t missing = 0;
        for (size_t i = 0; i < q->key_count; i++) {
            bool has = !q->keep_missing || map_has(p->keys[i].present, (uint32_t)row);
            combination[i] = has ? words[i][place] : 0;
            missing |= (uint64_t)!has << i;
        }
        put_row(p, (uint32_t)row, combination, missing);
    }
    return 0;
}

static int group_flat(struct group_part *p, const uint64_t *mask) {
    uint64_t rows[PART_WORDS];
    int code = 0;
    memcpy(rows, mask, sizeof(rows));
    for (uint32_t from = 0; code == 0 && from < PART_WORDS; from += SLICE_WORDS) {
        code = group_slice(p, rows, from);
    }
    return code;
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
    return 1 + p->g->sum_count;
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
    if (q->key_count > 1 || q->only_count ||
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
    uint64_t tuple[TABLE_WORDS_MAX];
    if (cell[0] == 0) {
        return; /* nothing of it was counted */
    }
    if (pack_tuple(p->g, &word, missing, tuple)) {
        memcpy(table_put(p->feed, tuple), cell, cell_size(p) * sizeof(*cell));
    } else {
        refuse(p->g, cell[0]);
    }
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
            refuse(p->g, cells[i * size]);
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
        p->keys[i].only = i == 0 && q->only_count ? &p->g->only : NULL;
        p->keys[i].kept = p->g->kept ? &p->g->kept[p->w->part * GROUP_KEYS_MAX + i] : NULL;
        code = key_bind(p->w, &p->keys[i], &q->keys[i], &p->g->result->words, 2 * i);
    }
    for (; code == 0 && p->sums_bound < p->g->sum_count; p->sums_bound++) {
        size_t i = p->sums_bound;
        code = sum_bind(p->w, &p->sums[i], p->g->sums[i], 2 * GROUP_KEYS_MAX + i);
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
        bool counts = g->q->key_count > 1 && g->sum_count == 0; /* nothing but ones: they need not be said */
        g->feeds[w->index] = table_feed_new(&g->result->table, counts ? 0 : 1 + g->sum_count);
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

/* --- the answer --- */

static void set_places(struct grouping *g) {
    const struct group_request *q = g->q;
    size_t halves = 0, word = 0;
    for (size_t i = 0; i < q->key_count; i++) {
        halves += q->keys[i].kind == GROUP_FIELD && key_is_bytes(&q->keys[i]);
    }
    bool high = false; /* half of the last word is free */
    for (size_t i = 0; i < q->key_count; i++) {
        bool half = halves > 1 && q->keys[i].kind == GROUP_FIELD && key_is_bytes(&q->keys[i]);
        if (!half) {
            g->places[i] = (struct key_place){(uint8_t)word++, 0, UINT64_MAX};
        }
    }
    for (size_t i = 0; i < q->key_count; i++) {
        if (halves > 1 && q->keys[i].kind == GROUP_FIELD && key_is_bytes(&q->keys[i])) {
            high = !high;
            word += high;
            g->places[i] = (struct key_place){(uint8_t)(word - 1), high ? HALF_BITS : 0, UINT32_MAX};
        }
    }
    g->missing_word = word;
    g->words = word + q->keep_missing;
}

/* How many groups a part may have; dictionaries tell. */
static uint64_t possible_groups(const struct grouping *g, size_t part) {
    uint64_t groups = 1;
    for (size_t i = 0; i < g->q->key_count; i++) {
        struct reader r;
        if (g->q->keys[i].kind != GROUP_FIELD) {
            continue; /* times are as many as somebody wants to look at */
        }
        reader_bind(&r, g->s->registry, snapshot_part(g->s->o.snapshot, part), &g->q->keys[i].field);
        uint64_t values = r.kind == READER_COLUMN && (r.info->kind == COLUMN_CODE || r.info->kind == COLUMN_LIST)
                              ? r.info->values
                              : AFTER_GROUPS;
        groups = MIN(groups * MIN(MAX(values, 1u), AFTER_GROUPS), (uint64_t)AFTER_GROUPS);
    }
    return groups;
}

/* Whether sums are better added afterwards, for the chosen groups only. */
static bool sums_can_wait(const struct grouping *g) {
    const struct group_request *q = g->q;
    bool many = false;
    if (q->key_count < 2 || !q->limit || q->limit > CHOSEN_MAX || q->sum_count <= (q->sort == GROUP_BY_SUM)) {
        return false;
    }
    uint64_t limit = g->s->o.many_groups ? g->s->o.many_groups : AFTER_GROUPS;
    for (size_t i = 0; i < g->s->part_count && !many; i++) {
        many = g->s->parts[i].count >= limit && possible_groups(g, i) >= limit;
    }
    return many;
}

static int run_parts(struct grouping *g) {
    struct part_job job = {.fn = group_part, .ctx = g, .matching = true};
    int code = search_run_parts(g->s, &job, NULL);
    for (size_t i = 0; i < SEARCH_THREADS_MAX; i++) {
        g->feeds[i] = table_feed_free(g->feeds[i]);
    }
    return code;
}

/* Counts and chooses; when the table has no room for all groups, a share of them at a time, by hash. Groups that are
 * counted beside their values cannot be cut so, and those that all are to be shown must be held anyway. */
static int choose_in_passes(struct grouping *g, struct choosing *c) {
    struct table *t = &g->result->table;
    bool can_repeat = !g->direct && g->q->limit && g->q->limit <= CHOSEN_MAX;
    for (size_t passes = 1;; passes *= TABLE_PASSES_STEP) {
        bool last = !can_repeat || passes * TABLE_PASSES_STEP > TABLE_PARTS, refused = false;
        int code = choosing_begin(c);
        atomic_store(&g->refused, 0);
        g->left_out = 0;
        for (size_t pass = 0; code == 0 && pass < passes && (last || !refused); pass++) {
            table_restrict(t, pass * (TABLE_PARTS / passes), TABLE_PARTS / passes);
            code = run_parts(g);
            g->left_out += table_refused(t);
            refused = g->left_out > 0;
            code = code == 0 && (last || !refused) ? choosing_take(c) : code;
        }
        if (code < 0 || last || !refused) {
            return code < 0 ? code : choosing_end(c);
        }
    }
}

/* The second reading. */
static int add_sums(struct grouping *g, const struct choosing *c) {
    int code = summing_new(g, c, &g->summing);
    g->sums = g->q->sums;
    g->sum_count = g->q->sum_count;
    code = code < 0 ? code : run_parts(g);
    code = code < 0 ? code : summing_end(g->summing);
    g->summing = summing_free(g->summing);
    return code;
}

static int compare_words(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The words of the only values that count. */
static int set_only(struct grouping *g) {
    const struct group_request *q = g->q;
    struct only_words *only = &g->only;
    only->words = calloc(q->only_count + 1, sizeof(*only->words));
    if (!only->words) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < q->only_count; i++) {
        const struct group_value *v = &q->only[i];
        bool bytes = key_is_bytes(&q->keys[0]);
        uint64_t word = bytes               ? words_add(&g->result->words, v->bytes)
                        : v->type == FT_I64 ? number_from_i64((int64_t)v->number)
                                            : v->number;
        if (bytes && word == WORD_REFUSED) {
            return -E2BIG;
        }
        bool port = q->keys[0].kind == GROUP_WITH_PORT;
        only->words[only->count] = port ? word << PORT_BITS | (uint64_t)(v->port + 1) : word;
        only->count += !v->missing;
    }
    qsort(only->words, only->count, sizeof(*only->words), compare_words);
    return 0;
}

static int run(struct grouping *g, struct search *s) {
    struct result *r = g->result;
    const struct group_request *q = g->q;
    bool wait = sums_can_wait(g);
    size_t kept = wait ? s->part_count * GROUP_KEYS_MAX : 0;
    g->sums = wait && q->sort == GROUP_BY_SUM ? &q->sums[q->sort_sum] : q->sums;
    g->sum_count = wait ? q->sort == GROUP_BY_SUM : q->sum_count;
    g->kept = wait ? calloc(kept, sizeof(*g->kept)) : NULL;
    int code = wait && !g->kept ? -ENOMEM : words_init(&r->words, s, g->direct ? g->words + 1 + g->sum_count : 0);
    code = code < 0 ? code : table_init(&r->table, s, g->words, g->sum_count);
    code = code == 0 && q->only_count ? set_only(g) : code;
    struct choosing c = {.g = g};
    code = code < 0 ? code : choose_in_passes(g, &c);
    if (code == 0 && wait) {
        code = add_sums(g, &c);
    }
    code = code < 0 ? code : choosing_show(&c);
    choosing_done(&c);
    for (size_t i = 0; g->kept && i < kept; i++) {
        kept_codes_done(s, &g->kept[i]);
    }
    free(g->kept);
    free(g->only.words);
    return code;
}

int search_groups(struct search *s, const struct group_request *request, struct groups **ret_groups) {
    *ret_groups = NULL;
    if (request->key_count > GROUP_KEYS_MAX || request->sum_count > GROUP_SUMS_MAX ||
        (request->sort == GROUP_BY_SUM && request->sort_sum >= request->sum_count) ||
        (request->only_count && (request->keep_missing || !request->key_count))) {
        return -EINVAL;
    }
    struct result *r = calloc(1, sizeof(*r));
    if (!r) {
        return -ENOMEM;
    }
    struct grouping g = {.s = s, .q = request, .result = r};
    g.direct = request->key_count == 1 && !request->only_count && request->keys[0].kind == GROUP_FIELD &&
               key_is_bytes(&request->keys[0]);
    set_places(&g);
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
        free(r->rows);
        free(r->sums);
        free(r);
    }
    return NULL;
}
