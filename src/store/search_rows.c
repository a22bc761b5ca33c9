/* search_rows.c: matching rows in any order. Each thread keeps the best rows in a heap; what a block or a code cannot
 * beat is left out before its value is looked at. The heaps are put together and sorted at the end.
 */
#include <errno.h>
#include <stdlib.h>

#include "query/item.h"
#include "record/values.h"
#include "store/search_own.h"

#define ORDERS_MAX 8

/* What a row sorts by: a number, or bytes whose first eight are the number. Missing is above everything. */
struct sort_value {
    uint64_t number;
    struct span bytes;
    bool missing;
};

struct sort_row {
    struct search_row row;
    struct sort_value values[]; /* one per order */
};

struct sorting {
    const struct search_order *orders;
    size_t order_count;
    uint64_t keep; /* rows each heap holds at most */
    struct heap *heaps[SEARCH_THREADS_MAX];
};

struct heap {
    struct sorting *sorting;
    struct search *s;
    struct sort_row **rows; /* the worst one first */
    size_t count, cap;
    uint64_t claimed;
};

/* --- comparing --- */

static int compare_bytes(struct span a, struct span b) {
    size_t len = MIN(a.len, b.len);
    int order = len ? memcmp(a.at, b.at, len) : 0;
    return order ? order : a.len < b.len ? -1 : a.len > b.len;
}

static int compare_values(const struct sort_value *a, const struct sort_value *b, bool descending) {
    int order = a->missing || b->missing ? a->missing - b->missing
                : a->number != b->number ? (a->number < b->number ? -1 : 1)
                : a->bytes.at            ? compare_bytes(a->bytes, b->bytes)
                                         : 0;
    return descending ? -order : order;
}

/* Above 0: `a` comes behind `b`. */
static int compare_rows(const struct sorting *g, const struct sort_row *a, const struct sort_row *b) {
    for (size_t i = 0; i < g->order_count; i++) {
        int order = compare_values(&a->values[i], &b->values[i], g->orders[i].descending);
        if (order) {
            return order;
        }
    }
    return a->row.seq < b->row.seq ? -1 : a->row.seq > b->row.seq;
}

static int compare_for_sort(const void *a, const void *b, void *ctx) {
    return compare_rows(ctx, *(struct sort_row *const *)a, *(struct sort_row *const *)b);
}

static uint64_t head_of(struct span s) {
    uint8_t bytes[8] = {0};
    if (s.len) {
        memcpy(bytes, s.at, MIN(s.len, sizeof(bytes)));
    }
    return read_be64(bytes);
}

/* --- heaps --- */

static void sift_down(struct heap *h, size_t at) {
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < h->count; child++) {
            if (compare_rows(h->sorting, h->rows[child], h->rows[worst]) > 0) {
                worst = child;
            }
        }
        if (worst == at) {
            return;
        }
        struct sort_row *swap = h->rows[at];
        h->rows[at] = h->rows[worst];
        h->rows[worst] = swap;
        at = worst;
    }
}

static void sift_up(struct heap *h, size_t at) {
    while (at > 0 && compare_rows(h->sorting, h->rows[at], h->rows[(at - 1) / 2]) > 0) {
        struct sort_row *swap = h->rows[at];
        h->rows[at] = h->rows[(at - 1) / 2];
        h->rows[(at - 1) / 2] = swap;
        at = (at - 1) / 2;
    }
}

static size_t row_size(const struct sorting *g, const struct sort_row *r) {
    size_t size = sizeof(*r) + g->order_count * sizeof(r->values[0]);
    for (size_t i = 0; i < g->order_count; i++) {
        size += r->values[i].bytes.len;
    }
    return size;
}

/* A copy that holds its bytes itself. */
static struct sort_row *row_copy(struct heap *h, const struct sort_row *r) {
    const struct sorting *g = h->sorting;
    size_t size = row_size(g, r);
    struct sort_row *copy = search_claim(h->s, size) ? malloc(size) : NULL;
    if (!copy) {
        return NULL;
    }
    h->claimed += size;
    memcpy(copy, r, sizeof(*r) + g->order_count * sizeof(r->values[0]));
    uint8_t *to = (uint8_t *)&copy->values[g->order_count];
    for (size_t i = 0; i < g->order_count; i++) {
        if (r->values[i].bytes.at) {
            copy->values[i].bytes.at = to;
            to = span_copy_to(r->values[i].bytes, to);
        }
    }
    return copy;
}

static int heap_grow(struct heap *h) {
    size_t cap = h->cap ? 2 * h->cap : 64;
    struct sort_row **more = realloc(h->rows, cap * sizeof(struct sort_row *));
    if (!more) {
        return -ENOMEM;
    }
    h->rows = more;
    h->cap = cap;
    return 0;
}

static int heap_add(struct heap *h, const struct sort_row *r) {
    bool full = h->count == h->sorting->keep;
    if (full && compare_rows(h->sorting, r, h->rows[0]) > 0) {
        return 0;
    }
    if (!full && h->count == h->cap && heap_grow(h) < 0) {
        return -ENOMEM;
    }
    if (full) {
        size_t size = row_size(h->sorting, h->rows[0]);
        search_release(h->s, size);
        h->claimed -= size;
        free(h->rows[0]);
        h->rows[0] = h->rows[--h->count];
        sift_down(h, 0);
    }
    struct sort_row *copy = row_copy(h, r);
    if (!copy) {
        return -E2BIG;
    }
    h->rows[h->count++] = copy;
    sift_up(h, h->count - 1);
    return 0;
}

static struct heap *heap_free(struct heap *h) {
    if (h) {
        for (size_t i = 0; i < h->count; i++) {
            free(h->rows[i]);
        }
        search_release(h->s, h->claimed);
        free(h->rows);
        free(h);
    }
    return NULL;
}

/* --- where the values of an order come from --- */

enum source_kind { SOURCE_NONE, SOURCE_SEQ, SOURCE_NUMBER, SOURCE_CODE, SOURCE_LIST, SOURCE_BYTES };

struct source {
    enum source_kind kind;
    const struct search_order *order;
    struct reader reader;
    size_t slot;
    bool numeric;
    const uint64_t *numbers;
    uint64_t *present;
    uint32_t *codes;
    uint32_t *best;   /* SOURCE_LIST: code per list, CODE_NONE = not looked at; counts for ACCESS_COUNT */
    uint32_t *at;     /* SOURCE_BYTES: begin in `bytes` per row of the block */
    struct buf bytes; /* u32 length and the value, or u64 for numbers */
    uint32_t limit;   /* codes on the wrong side cannot get into the heap */
    bool limited, limit_equal;
};

#define AT_NONE UINT32_MAX
#define BYTES_MAX ((size_t)1 << 30)

static int source_bind(struct worker *w, struct source *src, const struct search_order *order, size_t slot) {
    *src = (struct source){.order = order, .slot = slot};
    buf_init(&src->bytes, BYTES_MAX);
    if (!order->field.field) {
        src->kind = SOURCE_SEQ;
        return 0;
    }
    reader_bind(&src->reader, w->s->registry, snapshot_part(w->s->o.snapshot, w->part), &order->field);
    src->numeric = query_field_class(&order->field) <= CLASS_BOOL;
    src->present = worker_map(w);
    if (!src->present) {
        return -ENOMEM;
    }
    if (src->reader.kind == READER_NONE) {
        src->kind = SOURCE_NONE;
    } else if (reader_is_number(&src->reader)) {
        src->kind = SOURCE_NUMBER;
    } else if (src->reader.kind == READER_COLUMN && src->reader.info->kind == COLUMN_CODE) {
        src->kind = SOURCE_CODE;
        src->codes = worker_codes(w, slot);
    } else if (src->reader.kind == READER_COLUMN && src->reader.info->kind == COLUMN_LIST) {
        src->kind = SOURCE_LIST;
        src->codes = worker_codes(w, slot);
        src->best = worker_alloc(w, src->reader.info->lists * sizeof(*src->best) + 1);
        if (src->best) {
            memset(src->best, 0xff, src->reader.info->lists * sizeof(*src->best));
        }
    } else {
        src->kind = SOURCE_BYTES;
        src->at = worker_codes(w, slot);
    }
    bool lacks = (src->kind == SOURCE_CODE && !src->codes) || (src->kind == SOURCE_BYTES && !src->at) ||
                 (src->kind == SOURCE_LIST && (!src->codes || !src->best));
    return lacks ? -ENOMEM : 0;
}

static void source_done(struct worker *w, struct source *src) {
    if (src->present) {
        worker_unmap(w);
    }
    buf_done(&src->bytes);
}

struct best {
    struct source *src;
    uint32_t row;
};

/* Keeps the value when it is the row's first one or better than the one before. */
static void keep_value(struct source *src, uint32_t row, uint64_t number, struct span value) {
    struct sort_value now = {.number = number, .bytes = value};
    if (src->at[row] != AT_NONE) {
        struct sort_value old = {.number = number};
        uint32_t len;
        memcpy(&len, src->bytes.data + src->at[row], sizeof(len));
        old.bytes = span_make(src->bytes.data + src->at[row] + 12, len);
        memcpy(&old.number, src->bytes.data + src->at[row] + 4, sizeof(old.number));
        now.bytes.at = src->numeric ? NULL : now.bytes.at;
        if (compare_values(&now, &old, src->order->descending) >= 0) {
            return;
        }
    }
    uint32_t len = src->numeric ? 0 : (uint32_t)value.len;
    src->at[row] = (uint32_t)src->bytes.len;
    buf_add(&src->bytes, &len, sizeof(len));
    buf_add(&src->bytes, &number, sizeof(number));
    buf_add(&src->bytes, value.at, len);
}

static bool on_raw(void *ctx, uint32_t row, struct span value) {
    struct source *src = ctx;
    row %= PART_BLOCK;
    if (src->order->field.access == ACCESS_COUNT) {
        uint64_t count = 0;
        if (src->at[row] != AT_NONE) {
            memcpy(&count, src->bytes.data + src->at[row] + 4, sizeof(count));
            count++;
            memcpy(src->bytes.data + src->at[row] + 4, &count, sizeof(count));
            return true;
        }
        keep_value(src, row, 1, value);
    } else {
        keep_value(src, row, src->numeric ? number_from_bytes(value) : head_of(value), value);
    }
    return !src->bytes.overflowed;
}

static bool on_restored(void *ctx, const struct field *f, const struct value *v) {
    struct best *b = ctx;
    if (b->src->order->field.access == ACCESS_COUNT) {
        return on_raw(b->src, b->row, span_make("", 0));
    }
    if (f->type == FT_OBJECT) {
        return false;
    }
    if (b->src->numeric) {
        keep_value(b->src, b->row, number_of_value(v), span_make("", 0));
    } else {
        keep_value(b->src, b->row, head_of(v->bytes), v->bytes);
    }
    return true;
}

/* Values of rows that no code stands for. */
static int load_bytes(struct worker *w, struct source *src, uint32_t block, const uint64_t *mask) {
    buf_clear(&src->bytes);
    memset(src->at, 0xff, PART_BLOCK * sizeof(*src->at));
    int code = 0;
    if (src->reader.kind == READER_COLUMN) {
        code = column_raw(src->reader.c, block, mask, on_raw, src);
    } else {
        MAP_EACH(mask, row) {
            const struct record *r;
            code = row % 64 ? 0 : search_check(w->s);
            code = code < 0 ? code : worker_restore(w, w->part, block * PART_BLOCK + (uint32_t)row, &r);
            if (code < 0) {
                return code;
            }
            struct best b = {src, (uint32_t)row};
            record_values(r, src->order->field.field, on_restored, &b);
        }
    }
    return src->bytes.overflowed ? -E2BIG : MIN(code, 0);
}

/* The code of the list that counts: its smallest or largest; the number of values for ACCESS_COUNT. */
static int list_best(struct worker *w, struct source *src, uint32_t list, uint32_t *ret) {
    const uint32_t *codes;
    uint32_t count;
    if (src->best[list] == CODE_NONE) {
        int code = column_list(src->reader.c, &w->use, list, &codes, &count);
        if (code < 0) {
            return code;
        }
        uint32_t best = count ? codes[0] : 0;
        for (uint32_t i = 1; i < count; i++) {
            best = src->order->descending ? MAX(best, codes[i]) : MIN(best, codes[i]);
        }
        src->best[list] = src->order->field.access == ACCESS_COUNT ? count : best;
    }
    *ret = src->best[list];
    return 0;
}

static int source_load(struct worker *w, struct source *src, uint32_t block, const uint64_t *mask) {
    switch (src->kind) {
    case SOURCE_NUMBER:
        return reader_numbers(w, &src->reader, block, src->slot, &src->numbers, src->present);
    case SOURCE_CODE:
    case SOURCE_LIST:
        return MIN(column_codes(src->reader.c, block, src->codes), 0);
    case SOURCE_BYTES:
        return load_bytes(w, src, block, mask);
    default:
        return 0;
    }
}

/* The value of a row of the loaded block. */
static int source_value(struct worker *w, struct source *src, uint32_t row, uint64_t seq, struct sort_value *ret) {
    uint32_t code, len;
    int failure;
    *ret = (struct sort_value){.missing = true};
    switch (src->kind) {
    case SOURCE_NONE:
        return 0;
    case SOURCE_SEQ:
        *ret = (struct sort_value){.number = seq};
        return 0;
    case SOURCE_NUMBER:
        ret->missing = !map_has(src->present, row);
        ret->number = ret->missing ? 0 : src->numbers[row];
        return 0;
    case SOURCE_BYTES:
        ret->missing = src->at[row] == AT_NONE;
        if (!ret->missing) {
            memcpy(&len, src->bytes.data + src->at[row], sizeof(len));
            memcpy(&ret->number, src->bytes.data + src->at[row] + 4, sizeof(ret->number));
            ret->bytes = src->numeric ? span_make(NULL, 0) : span_make(src->bytes.data + src->at[row] + 12, len);
        }
        return 0;
    default:
        code = src->codes[row];
        if (code == CODE_NONE) {
            return 0;
        }
        ret->missing = false;
        failure = src->kind == SOURCE_LIST ? list_best(w, src, code, &code) : 0;
        if (failure < 0 || src->order->field.access == ACCESS_COUNT) {
            ret->number = code;
            return failure;
        }
        failure = column_value(src->reader.c, &w->use, code, &ret->bytes);
        ret->number = failure < 0 ? 0 : src->numeric ? number_from_bytes(ret->bytes) : head_of(ret->bytes);
        if (src->numeric) {
            ret->bytes = span_make(NULL, 0);
        }
        return MIN(failure, 0);
    }
}

/* --- leaving out --- */

/* Which codes cannot get into a full heap by their first order. */
static int set_limit(struct worker *w, struct heap *h, struct source *src) {
    src->limited = false;
    if (h->count < h->sorting->keep || src->kind != SOURCE_CODE || src->numeric) {
        return 0;
    }
    const struct sort_value *worst = &h->rows[0]->values[0];
    if (worst->missing) {
        return 0;
    }
    src->limited = true;
    return MIN(column_lower(src->reader.c, &w->use, worst->bytes, &src->limit, &src->limit_equal), 0);
}

/* Whether the row is surely worse than all the heap holds. */
static bool is_worse(const struct heap *h, const struct source *src, uint32_t row) {
    bool descending = src->order->descending;
    if (src->kind == SOURCE_NUMBER && h->count == h->sorting->keep) {
        const struct sort_value *worst = &h->rows[0]->values[0];
        bool missing = !map_has(src->present, row);
        if (worst->missing || missing) {
            return descending ? worst->missing && !missing : missing && !worst->missing;
        }
        return descending ? src->numbers[row] < worst->number : src->numbers[row] > worst->number;
    }
    if (!src->limited) {
        return false;
    }
    uint32_t code = src->codes[row];
    if (code == CODE_NONE) {
        return !descending;
    }
    return descending ? code < src->limit : src->limit_equal ? code > src->limit : code >= src->limit;
}

/* Whether the whole block is; a column without gaps is asked for its zone. */
static bool block_is_worse(const struct heap *h, const struct source *src, uint32_t block) {
    uint64_t low, high;
    bool column = src->kind == SOURCE_NUMBER && src->reader.kind == READER_COLUMN &&
                  src->reader.info->kind == COLUMN_NUMBER && src->order->field.access != ACCESS_COUNT;
    if (!column || h->count < h->sorting->keep || h->rows[0]->values[0].missing ||
        !column_zone(src->reader.c, block, &low, &high)) {
        return false;
    }
    uint64_t worst = h->rows[0]->values[0].number;
    uint64_t bits[PART_WORDS];
    return src->order->descending ? high < worst && column_presence(src->reader.c, block, bits) == PRESENCE_ALL
                                  : low > worst;
}

/* --- parts --- */

static int sort_row(struct worker *w, struct heap *h, struct source *sources, uint32_t block, uint32_t row) {
    _Alignas(struct sort_row) uint8_t room[sizeof(struct sort_row) + ORDERS_MAX * sizeof(struct sort_value)];
    struct sort_row *now = (struct sort_row *)(void *)room;
    uint32_t part_row = block * PART_BLOCK + row;
    uint64_t seq = part_info(snapshot_part(w->s->o.snapshot, w->part))->seq_low + part_row;
    now->row = (struct search_row){seq, w->part, part_row};
    for (size_t i = 0; i < h->sorting->order_count; i++) {
        int code = source_value(w, &sources[i], row, seq, &now->values[i]);
        if (code < 0) {
            return code;
        }
    }
    return heap_add(h, now);
}

/* Descending orders are walked from the end: most are times, and the newest stand there. */
static int sort_block(struct worker *w, struct heap *h, struct source *sources, uint32_t block, const uint64_t *mask) {
    const struct sorting *g = h->sorting;
    bool down = g->orders[0].descending;
    int code = 0;
    for (size_t i = 0; i < g->order_count && code == 0; i++) {
        code = source_load(w, &sources[i], block, mask);
    }
    code = code < 0 ? code : set_limit(w, h, &sources[0]);
    for (uint32_t i = 0; i < PART_WORDS && code == 0; i++) {
        uint32_t word = down ? PART_WORDS - 1 - i : i;
        for (uint64_t bits = mask[word]; bits && code == 0;) {
            uint32_t bit = (uint32_t)(down ? 63 - __builtin_clzll(bits) : __builtin_ctzll(bits));
            bits &= ~((uint64_t)1 << bit);
            if (!is_worse(h, &sources[0], word * 64 + bit)) {
                code = sort_row(w, h, sources, block, word * 64 + bit);
            }
        }
    }
    return code;
}

static struct heap *heap_of(struct worker *w, struct sorting *g) {
    if (!g->heaps[w->index]) {
        struct heap *h = calloc(1, sizeof(*h));
        if (h) {
            h->sorting = g;
            h->s = w->s;
        }
        g->heaps[w->index] = h;
    }
    return g->heaps[w->index];
}

static bool patch_matters(const struct sorting *g, const struct patch *p) {
    for (size_t i = 0; p && i < g->order_count; i++) {
        if (patch_changes(p, &g->orders[i].field)) {
            return true;
        }
    }
    return false;
}

/* Patched rows have their values from restored records: the sources are made to ask those. */
static int sort_patched(struct worker *w, struct heap *h, struct source *sources, const struct patch *p) {
    const struct search_part *part = &w->s->parts[w->part];
    size_t count, order_count = h->sorting->order_count;
    const uint32_t *rows = patch_rows(p, &count);
    uint64_t *one = worker_map(w);
    int code = one ? 0 : -ENOMEM;
    for (size_t i = 0; code == 0 && i < order_count; i++) {
        if (sources[i].kind != SOURCE_SEQ) {
            sources[i].kind = SOURCE_BYTES;
            sources[i].reader.kind = READER_RESTORE;
            sources[i].at = worker_codes(w, sources[i].slot);
            code = sources[i].at ? 0 : -ENOMEM;
        }
    }
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (map_has(part->bits, rows[i])) {
            map_clear(one);
            map_set(one, rows[i] % PART_BLOCK);
            code = sort_block(w, h, sources, rows[i] / PART_BLOCK, one);
        }
    }
    if (one) {
        worker_unmap(w);
    }
    return code;
}

static int sort_blocks(struct worker *w, struct heap *h, struct source *sources, const struct patch *patch) {
    const struct search_part *part = &w->s->parts[w->part];
    const struct part_info *info = part_info(snapshot_part(w->s->o.snapshot, w->part));
    uint64_t *mask = worker_map(w);
    int code = mask ? 0 : -ENOMEM;
    for (uint32_t i = 0; code == 0 && i < info->blocks; i++) {
        uint32_t block = h->sorting->orders[0].descending ? info->blocks - 1 - i : i;
        memcpy(mask, part->bits + (size_t)block * PART_WORDS, PART_WORDS * sizeof(*mask));
        block_patched(patch, block, mask, false);
        code = search_check(w->s);
        if (code == 0 && map_any(mask) && !block_is_worse(h, &sources[0], block)) {
            code = sort_block(w, h, sources, block, mask);
        }
    }
    if (mask) {
        worker_unmap(w);
    }
    return code < 0 || !patch ? code : sort_patched(w, h, sources, patch);
}

static int sort_part(struct worker *w, void *ctx, size_t i) {
    struct sorting *g = ctx;
    struct heap *h = heap_of(w, g);
    const struct patch *patch = snapshot_patch(w->s->o.snapshot, i);
    struct source sources[ORDERS_MAX];
    size_t bound = 0;
    int code = h ? 0 : -ENOMEM;
    for (; code == 0 && bound < g->order_count; bound++) {
        code = source_bind(w, &sources[bound], &g->orders[bound], bound);
    }
    code = code < 0 ? code : sort_blocks(w, h, sources, patch_matters(g, patch) ? patch : NULL);
    while (bound-- > 0) {
        source_done(w, &sources[bound]);
    }
    return code;
}

/* Parts whose rows come first are looked at first. */
struct part_rank {
    size_t part;
    uint64_t rank;
};

static int compare_ranks(const void *a, const void *b) {
    const struct part_rank *x = a, *y = b;
    return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : x->part < y->part ? -1 : x->part > y->part;
}

static size_t *part_order(struct search *s, const struct search_order *order) {
    struct part_rank *ranks = malloc((s->part_count + 1) * sizeof(*ranks));
    size_t *parts = malloc((s->part_count + 1) * sizeof(*parts));
    for (size_t i = 0; ranks && parts && i < s->part_count; i++) {
        struct reader r = {.kind = READER_NONE};
        if (order->field.field) {
            reader_bind(&r, s->registry, snapshot_part(s->o.snapshot, i), &order->field);
        }
        bool column = r.kind == READER_COLUMN && r.info->kind == COLUMN_NUMBER;
        ranks[i] = (struct part_rank){i, !column ? i : order->descending ? ~r.info->max : r.info->min};
    }
    if (ranks && parts) {
        qsort(ranks, s->part_count, sizeof(*ranks), compare_ranks);
        for (size_t i = 0; i < s->part_count; i++) {
            parts[i] = ranks[i].part;
        }
    }
    free(ranks);
    return parts;
}

/* --- the answer --- */

static int collect(struct search *s, struct sorting *g, uint64_t start, uint64_t length, struct search_page *ret_page) {
    size_t count = 0, at = 0;
    for (size_t i = 0; i < SEARCH_THREADS_MAX; i++) {
        count += g->heaps[i] ? g->heaps[i]->count : 0;
    }
    struct sort_row **all = malloc((count + 1) * sizeof(struct sort_row *));
    if (!all) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < SEARCH_THREADS_MAX; i++) {
        if (g->heaps[i] && g->heaps[i]->count) {
            memcpy(all + at, g->heaps[i]->rows, g->heaps[i]->count * sizeof(struct sort_row *));
            at += g->heaps[i]->count;
        }
    }
    qsort_r(all, count, sizeof(struct sort_row *), compare_for_sort, g);
    size_t from = (size_t)MIN(start, (uint64_t)count), kept = (size_t)MIN((uint64_t)(count - from), length);
    free(s->rows);
    s->rows = malloc((kept + 1) * sizeof(*s->rows));
    for (size_t i = 0; s->rows && i < kept; i++) {
        s->rows[i] = all[from + i]->row;
    }
    free(all);
    *ret_page = (struct search_page){s->rows, s->rows ? kept : 0};
    return s->rows ? 0 : -ENOMEM;
}

int search_rows(struct search *s, const struct search_order *order, size_t order_count, uint64_t start, uint64_t length,
                struct search_page *ret_page) {
    static const struct search_order by_seq = {.field = {NULL, NULL, ACCESS_ID}};
    uint64_t keep = start + length < start ? UINT64_MAX : start + length;
    struct sorting g = {.orders = order_count ? order : &by_seq,
                        .order_count = MAX(order_count, (size_t)1),
                        .keep = MIN(keep, s->count)};
    *ret_page = (struct search_page){0};
    if (g.order_count > ORDERS_MAX) {
        return -E2BIG;
    }
    size_t *parts = part_order(s, &g.orders[0]);
    int code = parts ? 0 : -ENOMEM;
    if (code == 0 && g.keep) {
        struct part_job job = {.fn = sort_part, .ctx = &g, .order = parts, .count = s->part_count, .matching = true};
        code = search_run_parts(s, &job, NULL);
    }
    code = code < 0 ? code : collect(s, &g, start, length, ret_page);
    for (size_t i = 0; i < SEARCH_THREADS_MAX; i++) {
        heap_free(g.heaps[i]);
    }
    free(parts);
    return code;
}

int search_each(struct search *s, bool (*each)(void *ctx, const struct search_row *row), void *ctx) {
    for (size_t i = 0; i < s->part_count; i++) {
        const struct part_info *info = part_info(snapshot_part(s->o.snapshot, i));
        for (uint32_t block = 0; s->parts[i].bits && block < info->blocks; block++) {
            int code = search_check(s);
            if (code < 0) {
                return code;
            }
            MAP_EACH(s->parts[i].bits + (size_t)block * PART_WORDS, at) {
                uint32_t row = block * PART_BLOCK + (uint32_t)at;
                if (!each(ctx, &(struct search_row){info->seq_low + row, i, row})) {
                    return 0;
                }
            }
        }
    }
    return 0;
}
