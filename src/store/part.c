/* part.c: see part.h. Reading columns: who is present, numbers and codes of a block or a row, values of codes. */
#include "store/part.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/bits.h"
#include "store/lanes.h"
#include "store/popcount.h"
#include "store/unpack.h"

uint64_t number_from_double(double n) {
    uint64_t bits;
    memcpy(&bits, &n, sizeof(bits));
    return bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

double number_to_double(uint64_t n) {
    uint64_t bits = n >> 63 ? n & ~((uint64_t)1 << 63) : ~n;
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

const struct part_info *part_info(const struct part *p) {
    return &p->info;
}

uint32_t part_columns(const struct part *p) {
    return p->count;
}

const struct column *part_column(const struct part *p, uint32_t index) {
    return index < p->count ? &p->columns[index] : NULL;
}

static int compare_path(struct span a, const char *b) {
    struct span other = span_text(b);
    size_t common = MIN(a.len, other.len);
    int order = common ? memcmp(a.at, other.at, common) : 0;
    return order ? order : (a.len > other.len) - (a.len < other.len);
}

const struct column *part_find(const struct part *p, struct span path) {
    uint32_t low = 0, high = p->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        int order = compare_path(path, p->columns[middle].info.path);
        if (order == 0) {
            return &p->columns[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct column_info *column_info(const struct column *c) {
    return &c->info;
}

/* --- presence --- */

static uint32_t block_rows(const struct column *c, uint32_t block) {
    return MIN(PART_BLOCK, c->part->info.rows - block * PART_BLOCK);
}

static int damaged_presence(const struct column *c) {
    damage_add(c->part->damage, "%s: presence of %s makes no sense", c->part->name, c->info.path);
    return -EBADMSG;
}

/* The listed rows as bits. */
static int list_bits(const struct column *c, const struct column_block *b, struct span list, uint32_t rows,
                     uint64_t *bits) {
    for (uint32_t i = 0; i < b->count; i++) {
        uint16_t row;
        memcpy(&row, list.at + 2 * (size_t)i, 2);
        if (row >= rows) {
            return damaged_presence(c);
        }
        bits[row / 64] |= (uint64_t)1 << (row & 63);
    }
    return 0;
}

int column_presence(const struct column *c, uint32_t block, uint64_t *ret_bits) {
    struct column_block *b = &c->blocks[block];
    uint32_t rows = block_rows(c, block);
    memset(ret_bits, 0, PART_WORDS * sizeof(*ret_bits));
    if (b->form == FORM_NONE) {
        return PRESENCE_NONE;
    }
    if (b->form == FORM_ALL) {
        memset(ret_bits, 0xff, rows / 64 * 8);
        if (rows & 63) {
            ret_bits[rows / 64] = ((uint64_t)1 << (rows & 63)) - 1;
        }
        return PRESENCE_ALL;
    }
    struct span s;
    int r = part_extent(c->part, &b->presence, &b->presence_ok, "presence", &s);
    if (r) {
        return r;
    }
    if (b->form == FORM_LIST) {
        r = list_bits(c, b, s, rows, ret_bits);
        if (r) {
            return r;
        }
    } else {
        memcpy(ret_bits, s.at, s.len);
    }
    bool beyond = (rows & 63) && ret_bits[rows / 64] >> (rows & 63);
    if (beyond || popcount_words(ret_bits, PART_WORDS) != b->count) {
        return damaged_presence(c);
    }
    return PRESENCE_SOME;
}

#define RANK_ROWS 1024u
#define RANK_BYTES (RANK_ROWS / 8)

/* Values before each RANK_ROWS rows of a block. */
static int block_ranks(const struct column *c, struct column_block *b, struct span bits, const uint16_t **ret) {
    struct part *p = c->part;
    *ret = __atomic_load_n(&b->ranks, __ATOMIC_ACQUIRE);
    if (*ret) {
        return 0;
    }
    uint16_t *made = calloc(PART_BLOCK / RANK_ROWS, sizeof(*made));
    if (!made) {
        return -ENOMEM;
    }
    for (size_t i = 1; i * RANK_BYTES < bits.len; i++) {
        uint32_t own = popcount_words(bits.at + (i - 1) * RANK_BYTES, RANK_BYTES / 8);
        made[i] = (uint16_t)(made[i - 1] + own);
    }
    pthread_mutex_lock(&p->lock);
    if (!b->ranks) {
        __atomic_store_n(&b->ranks, TAKE(made), __ATOMIC_RELEASE);
    }
    *ret = b->ranks;
    pthread_mutex_unlock(&p->lock);
    free(made);
    return 0;
}

/* Which of the block's values is that of `row` (of the block). 1: there is one, 0: none. */
static int rank_of(const struct column *c, uint32_t block, uint32_t row, uint32_t *ret_rank) {
    struct column_block *b = &c->blocks[block];
    if (b->form == FORM_NONE || b->form == FORM_ALL) {
        *ret_rank = row;
        return b->form == FORM_ALL;
    }
    struct span s;
    int r = part_extent(c->part, &b->presence, &b->presence_ok, "presence", &s);
    if (r) {
        return r;
    }
    uint32_t rank = 0;
    if (b->form == FORM_LIST) {
        uint32_t high = b->count;
        uint16_t at = 0;
        while (rank < high) {
            uint32_t middle = (rank + high) / 2;
            memcpy(&at, s.at + 2 * (size_t)middle, 2);
            if (at < row) {
                rank = middle + 1;
            } else {
                high = middle;
            }
        }
        if (rank < b->count) {
            memcpy(&at, s.at + 2 * (size_t)rank, 2);
        }
        *ret_rank = rank;
        return rank < b->count && at == row;
    }
    unsigned own = s.at[row / 8];
    const uint16_t *ranks;
    if (!(own >> (row & 7) & 1)) {
        return 0;
    }
    r = block_ranks(c, b, s, &ranks);
    if (r) {
        return r;
    }
    uint32_t group = row / RANK_ROWS, words = row % RANK_ROWS / 64;
    uint64_t word = 0;
    (void)span_copy_to(span_make(s.at + row / 64 * 8, row % 64 / 8 + 1), (uint8_t *)&word);
    word &= ((uint64_t)1 << (row & 63)) - 1;
    rank = ranks[group] + popcount_words(s.at + (size_t)group * RANK_BYTES, words) + popcount_words(&word, 1);
    *ret_rank = rank;
    return rank < b->count;
}

bool column_zone(const struct column *c, uint32_t block, uint64_t *ret_min, uint64_t *ret_max) {
    const struct column_block *b = &c->blocks[block];
    *ret_min = b->min;
    *ret_max = b->max;
    return b->form != FORM_NONE && c->info.kind != COLUMN_RAW;
}

/* --- numbers and codes --- */

static int damaged_numbers(const struct column *c, int code) {
    if (code == -EBADMSG) {
        damage_add(c->part->damage, "%s: numbers of %s make no sense", c->part->name, c->info.path);
    }
    return code;
}

static uint32_t code_limit(const struct column *c) {
    return c->info.kind == COLUMN_LIST ? c->info.lists : c->info.values;
}

/* Moves `count` values of `size` bytes at the front of `ret` to their rows, from the end: values only move up. Between
 * them all bytes are `none`. */
static inline void spread(const uint64_t *bits, uint32_t rows, uint32_t count, uint8_t *ret, size_t size, int none) {
    uint8_t own[64 * sizeof(uint64_t)];
    for (uint32_t w = (rows + 63) / 64; w-- > 0;) {
        uint64_t word = bits[w];
        uint32_t had = word == UINT64_MAX ? 64u : popcount_words(&word, 1), end = MIN(64u, rows - w * 64);
        uint8_t *to = ret + (size_t)w * 64 * size, *from = own;
        count -= had;
        if (had == 64) {
            memmove(to, ret + (size_t)count * size, 64 * size);
            continue;
        }
        memcpy(own, ret + (size_t)count * size, had * size);
        memset(to, none, end * size);
        for (; word; word &= word - 1, from += size) {
            memcpy(to + (size_t)__builtin_ctzll(word) * size, from, size);
        }
    }
}

int column_numbers(const struct column *c, uint32_t block, uint64_t *ret) {
    struct column_block *b = &c->blocks[block];
    uint32_t rows = block_rows(c, block);
    if (b->form == FORM_NONE || c->info.kind != COLUMN_NUMBER) {
        memset(ret, 0, rows * sizeof(*ret));
        return 0;
    }
    struct span s;
    int r = part_extent(c->part, &b->data, &b->data_ok, "numbers", &s);
    r = r ? r : damaged_numbers(c, series_read(s, b->count, ret));
    if (r || b->form == FORM_ALL) {
        return r;
    }
    uint64_t bits[PART_WORDS];
    r = column_presence(c, block, bits);
    if (r >= 0) {
        spread(bits, rows, b->count, (uint8_t *)ret, sizeof(*ret), 0);
    }
    return r < 0 ? r : 0;
}

int column_codes(const struct column *c, uint32_t block, uint32_t *ret) {
    struct column_block *b = &c->blocks[block];
    uint32_t rows = block_rows(c, block);
    if (b->form == FORM_NONE || (c->info.kind != COLUMN_CODE && c->info.kind != COLUMN_LIST)) {
        memset(ret, 0xff, rows * sizeof(*ret));
        return 0;
    }
    struct span s;
    int r = part_extent(c->part, &b->data, &b->data_ok, "codes", &s);
    r = r ? r : damaged_numbers(c, series_read32(s, b->count, ret));
    r = r == 0 && lanes()->highest(ret, b->count) >= code_limit(c) ? damaged_numbers(c, -EBADMSG) : r;
    if (r || b->form == FORM_ALL) {
        return r;
    }
    uint64_t bits[PART_WORDS];
    r = column_presence(c, block, bits);
    if (r >= 0) {
        spread(bits, rows, b->count, (uint8_t *)ret, sizeof(*ret), 0xff);
    }
    return r < 0 ? r : 0;
}

/* A bit for each of the block's values of the runs in `runs`, and a word more. */
static int test_runs(const struct column *c, uint32_t block, const struct column_test *t, uint64_t runs,
                     uint64_t *ret) {
    struct column_block *b = &c->blocks[block];
    bool number = c->info.kind == COLUMN_NUMBER;
    struct series_test test = {t->low, t->high, number ? NULL : t->set, number ? UINT64_MAX : code_limit(c) - 1};
    struct span s;
    if (!number && code_limit(c) == 0) {
        return damaged_numbers(c, -EBADMSG);
    }
    memset(ret, 0, (PART_WORDS + 1) * sizeof(*ret));
    int r = part_extent(c->part, &b->data, &b->data_ok, number ? "numbers" : "codes", &s), code = 0;
    for (; r == 0 && code == 0 && runs; runs &= runs - 1) {
        size_t run = (size_t)__builtin_ctzll(runs);
        code = series_test_run(s, b->count, run, &test, ret + run * (SERIES_RUN / 64));
    }
    return r ? r : damaged_numbers(c, code);
}

_Static_assert(PART_BLOCK / SERIES_RUN == 64, "the runs of a block are the bits of a word");

int column_test(const struct column *c, uint32_t block, const struct column_test *t, const uint64_t *want,
                uint64_t *ret) {
    uint64_t present[PART_WORDS], passed[PART_WORDS + 1], runs = 0;
    int r = c->info.kind == COLUMN_RAW ? 0 : column_presence(c, block, present);
    if (r <= 0) {
        memset(ret, 0, PART_WORDS * sizeof(*ret));
        return r;
    }
    const struct lanes *l = lanes();
    if (r == PRESENCE_ALL) {
        for (size_t i = 0; i < PART_WORDS; i++) {
            runs |= (uint64_t)((present[i] & want[i]) != 0) << i / (SERIES_RUN / 64);
        }
    } else {
        runs = l->groups(present, want, PART_WORDS);
    }
    int code = test_runs(c, block, t, runs, passed);
    if (code) {
        return code;
    }
    if (r == PRESENCE_SOME) {
        l->spread(present, PART_WORDS, passed, ret);
    } else {
        memcpy(ret, passed, PART_WORDS * sizeof(*ret));
    }
    for (size_t i = 0; i < PART_WORDS; i++) {
        ret[i] &= want[i];
    }
    return 0;
}

int column_number_at(const struct column *c, uint32_t row, uint64_t *ret) {
    uint32_t block = row / PART_BLOCK, rank = 0;
    if (row >= c->part->info.rows) {
        return 0;
    }
    struct column_block *b = &c->blocks[block];
    int present = rank_of(c, block, row % PART_BLOCK, &rank);
    if (present <= 0) {
        return present;
    }
    struct span s;
    int r = part_extent(c->part, &b->data, &b->data_ok, "numbers", &s);
    r = r ? r : damaged_numbers(c, series_at(s, b->count, rank, ret));
    return r ? r : 1;
}

int column_code_at(const struct column *c, uint32_t row, uint32_t *ret) {
    uint64_t code = 0;
    int r = c->info.kind == COLUMN_CODE || c->info.kind == COLUMN_LIST ? column_number_at(c, row, &code) : 0;
    if (r == 1 && code >= code_limit(c)) {
        return damaged_numbers(c, -EBADMSG);
    }
    *ret = r == 1 ? (uint32_t)code : CODE_NONE;
    return r;
}

/* --- values --- */

static int dictionary_piece(const struct column *c, struct use *u, uint32_t index, const struct unpacked **ret) {
    int r = column_open_dictionary(c);
    return r ? r : use_piece(u, &(struct piece){c->part->cache, &c->pieces[index], unpack_dictionary, c, index}, ret);
}

int column_value(const struct column *c, struct use *u, uint32_t code, struct span *ret) {
    uint32_t step = column_step(c);
    const struct unpacked *p;
    if (code >= c->info.values) {
        return -EBADMSG;
    }
    int r = dictionary_piece(c, u, code / step, &p);
    if (r == 0) {
        *ret = unpacked_value(p, code % step);
    }
    return r;
}

static int compare_bytes(struct span a, struct span b) {
    size_t common = MIN(a.len, b.len);
    int order = common ? memcmp(a.at, b.at, common) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

int column_lower(const struct column *c, struct use *u, struct span bytes, uint32_t *ret_code, bool *ret_equal) {
    int r = column_open_dictionary(c);
    *ret_equal = false;
    *ret_code = 0;
    if (r) {
        return r;
    }
    uint32_t low = 0, high = c->dictionary_blocks; /* the first block that begins above `bytes` */
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (compare_bytes(c->dictionary[middle].first, bytes) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return 0;
    }
    const struct unpacked *p;
    r = dictionary_piece(c, u, low - 1, &p);
    if (r) {
        return r;
    }
    uint32_t from = 0, to = p->count;
    while (from < to) {
        uint32_t middle = (from + to) / 2;
        if (compare_bytes(unpacked_value(p, middle), bytes) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    *ret_code = (low - 1) * column_step(c) + from;
    *ret_equal = from < p->count && compare_bytes(unpacked_value(p, from), bytes) == 0;
    return 0;
}

/* The place in the values' bytes belongs to which value: from `from` on, they are asked for in order. */
static uint32_t value_around(const struct unpacked *p, uint32_t from, size_t place) {
    uint32_t low = from, high = p->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (p->ends[middle] <= place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* All values of a block are searched as one text; what is found over the end of a value is none. */
static int block_containing(const struct unpacked *p, uint32_t first, struct span bytes, dictionary_fn each,
                            void *ctx) {
    struct span all = span_make(p->bytes, p->count ? p->ends[p->count - 1] : 0);
    uint32_t value = 0;
    for (size_t at = span_find(all, bytes); at != SPAN_NONE;) {
        value = value_around(p, value, at);
        size_t next = at + 1;
        if (at + bytes.len <= p->ends[value]) {
            int r = each(ctx, first + value, unpacked_value(p, value));
            if (r < 0) {
                return r;
            }
            next = p->ends[value];
        }
        size_t more = span_find(span_from(all, next), bytes);
        at = more == SPAN_NONE ? SPAN_NONE : next + more;
    }
    return 0;
}

int column_containing(const struct column *c, uint32_t *code, struct span bytes, dictionary_fn each, void *ctx) {
    uint32_t step = column_step(c), index = *code / step;
    struct use own = {0};
    const struct unpacked *p;
    if (*code >= c->info.values || !type_is_text(c->info.type)) {
        return -EBADMSG;
    }
    int r = dictionary_piece(c, &own, index, &p);
    r = r ? r : block_containing(p, index * step, bytes, each, ctx);
    use_done(&own);
    *code = MIN((index + 1) * step, c->info.values);
    return r;
}

int column_lists(const struct column *c, struct use *u, const uint32_t **ret_ends, const uint32_t **ret_codes) {
    const struct unpacked *p;
    struct unpacked **slot = (struct unpacked **)(uintptr_t)&c->lists;
    int r = c->info.kind == COLUMN_LIST ? use_piece(u, &(struct piece){c->part->cache, slot, unpack_lists, c, 0}, &p)
                                        : -EBADMSG;
    if (r == 0) {
        *ret_ends = p->ends;
        *ret_codes = p->codes;
    }
    return r;
}

int column_list(const struct column *c, struct use *u, uint32_t list, const uint32_t **ret_codes, uint32_t *ret_count) {
    const uint32_t *ends, *codes;
    int r = list < c->info.lists ? column_lists(c, u, &ends, &codes) : -EBADMSG;
    if (r == 0) {
        uint32_t start = list ? ends[list - 1] : 0;
        *ret_codes = codes + start;
        *ret_count = ends[list] - start;
    }
    return r;
}

/* --- near-unique text --- */

static bool show_row(const struct unpacked *p, uint32_t i, uint32_t row, raw_fn each, void *ctx) {
    uint32_t first = !p->row_end ? i : i ? p->row_end[i - 1] : 0, end = p->row_end ? p->row_end[i] : i + 1;
    for (uint32_t v = first; v < end; v++) {
        if (!each(ctx, row, unpacked_value(p, v))) {
            return false;
        }
    }
    return true;
}

struct raw_scan {
    const struct column *c;
    uint32_t block;
    const uint64_t *want;
    raw_fn each;
    void *ctx;
    struct unpacked *run; /* the last one unpacked */
    uint32_t run_number;
    bool over;
};

static int scan_row(struct raw_scan *s, uint32_t rank, uint32_t row) {
    uint32_t number = rank / RAW_RUN;
    if (!s->run || s->run_number != number) {
        unpacked_free(s->run);
        s->run = calloc(1, sizeof(*s->run));
        int r = s->run ? unpack_raw(s->c, s->block * (PART_BLOCK / RAW_RUN) + number, s->run) : -ENOMEM;
        if (r) {
            return r;
        }
        s->run_number = number;
    }
    s->over = !show_row(s->run, rank % RAW_RUN, s->block * PART_BLOCK + row, s->each, s->ctx);
    return 0;
}

int column_raw(const struct column *c, uint32_t block, const uint64_t *want, raw_fn each, void *ctx) {
    uint64_t bits[PART_WORDS];
    struct raw_scan s = {.c = c, .block = block, .want = want, .each = each, .ctx = ctx};
    int r = c->info.kind == COLUMN_RAW ? column_presence(c, block, bits) : 0;
    if (r <= 0) {
        return r;
    }
    uint32_t before = 0;
    for (uint32_t w = 0; w < PART_WORDS && !s.over && r >= 0; w++) {
        uint64_t wanted = bits[w] & (want ? want[w] : UINT64_MAX);
        for (; wanted && !s.over && r >= 0; wanted &= wanted - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(wanted);
            uint32_t rank = before + (uint32_t)__builtin_popcountll(bits[w] & (((uint64_t)1 << bit) - 1));
            r = scan_row(&s, rank, w * 64 + bit);
        }
        before += (uint32_t)__builtin_popcountll(bits[w]);
    }
    unpacked_free(s.run);
    return r < 0 ? r : 0;
}

/* --- whole rows --- */

static uint64_t dictionary_number(const struct column *c, struct span value) {
    return type_is_number(c->info.type) && value.len == 8 ? read_be64(value.at) : 0;
}

static int show_code(const struct column *c, struct use *u, uint32_t code, row_value_fn each, void *ctx) {
    struct span value;
    int r = column_value(c, u, code, &value);
    return r ? r : each(ctx, value, dictionary_number(c, value));
}

static int row_raw(const struct column *c, struct use *u, uint32_t row, row_value_fn each, void *ctx) {
    uint32_t rank = 0, block = row / PART_BLOCK;
    int r = rank_of(c, block, row % PART_BLOCK, &rank);
    if (r <= 0) {
        return r;
    }
    const struct unpacked *p;
    uint32_t index = block * (PART_BLOCK / RAW_RUN) + rank / RAW_RUN, i = rank % RAW_RUN;
    r = use_piece(u, &(struct piece){c->part->cache, &c->pieces[index], unpack_raw, c, index}, &p);
    if (r) {
        return r;
    }
    uint32_t first = !p->row_end ? i : i ? p->row_end[i - 1] : 0, end = p->row_end ? p->row_end[i] : i + 1;
    for (uint32_t v = first; v < end && r == 0; v++) {
        r = each(ctx, unpacked_value(p, v), 0);
    }
    return r ? r : 1;
}

int column_row(const struct column *c, struct use *u, uint32_t row, row_value_fn each, void *ctx) {
    if (c->info.kind == COLUMN_RAW) {
        return row < c->part->info.rows ? row_raw(c, u, row, each, ctx) : 0;
    }
    uint64_t number = 0;
    int r = column_number_at(c, row, &number);
    if (r <= 0) {
        return r;
    }
    if (c->info.kind == COLUMN_NUMBER) {
        r = each(ctx, (struct span){0}, number);
        return r ? r : 1;
    }
    if (number >= code_limit(c)) {
        return damaged_numbers(c, -EBADMSG);
    }
    if (c->info.kind == COLUMN_CODE) {
        r = show_code(c, u, (uint32_t)number, each, ctx);
        return r ? r : 1;
    }
    const uint32_t *codes;
    uint32_t count;
    r = column_list(c, u, (uint32_t)number, &codes, &count);
    for (uint32_t i = 0; i < count && r == 0; i++) {
        r = show_code(c, u, codes[i], each, ctx);
    }
    return r ? r : 1;
}
