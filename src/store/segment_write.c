/* segment_write.c: see segment.h. How a column is laid down: its dictionary, its dictionary of lists, its blocks.
 *
 * The form is chosen by what it costs: numbers are packed as they are or by a dictionary of them, whichever is smaller;
 * text that is different in most rows gets no dictionary.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/bits.h"
#include "store/crc32c.h"
#include "store/schema.h"
#include "store/segment.h"

#define SCRATCH_MAX ((size_t)1 << 30)
#define NEAR_UNIQUE_LEAST 4096u /* values before text can count as near-unique */

bool path_is_measure(struct span path) {
    static const char *const measures[] = {
        "firstPacket",         "lastPacket",   "source.bytes", "source.packets", "destination.bytes",
        "destination.packets", "client.bytes", "server.bytes", OWN_COMMUNITY,
    };
    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        if (span_is(path, measures[i])) {
            return true;
        }
    }
    return false;
}

/* What is known of a column while it is written. */
struct laying {
    struct segment_writer *w;
    struct column_build *b;
    enum column_kind kind;
    struct buf record; /* its entry in the directory */
    struct buf blocks;
    uint32_t *codes; /* a code for each present row: COLUMN_CODE, COLUMN_LIST */
    struct column_build converted;
    uint32_t lists;
    uint64_t min, max;
};

int segment_begin(struct segment_writer *w, int fd, uint64_t seq_low, uint32_t rows, enum segment_packing packing) {
    bool plain = packing == PACKING_NONE;
    *w = (struct segment_writer){.seq_low = seq_low, .rows = rows, .plain = plain};
    w->level = packing == PACKING_QUICK ? 1 : 3;
    w->first_min = w->last_min = UINT64_MAX;
    out_begin(&w->out, fd);
    buf_init(&w->directory, SCRATCH_MAX);
    buf_init(&w->scratch, SCRATCH_MAX);
    buf_init(&w->packed, SCRATCH_MAX);
    w->zstd = plain ? NULL : ZSTD_createCCtx();
    w->block = malloc(PART_BLOCK * sizeof(*w->block));
    w->error = hash_key_random(&w->key);
    if ((!plain && !w->zstd) || !w->block || rows > SEGMENT_ROWS_MAX) {
        w->error = rows > SEGMENT_ROWS_MAX ? -E2BIG : -ENOMEM;
    }
    static const uint32_t version = SEGMENT_VERSION;
    out_add(&w->out, SPAN_LITERAL(SEGMENT_MAGIC));
    out_add(&w->out, span_make(&version, sizeof(version)));
    return w->error;
}

void segment_done(struct segment_writer *w) {
    out_done(&w->out);
    buf_done(&w->directory);
    buf_done(&w->scratch);
    buf_done(&w->packed);
    ZSTD_freeCCtx(w->zstd);
    free(w->block);
    free(w->shared);
    w->zstd = NULL;
    w->block = NULL;
    w->shared = NULL;
}

static void add_u64(struct buf *b, uint64_t value) {
    buf_add(b, &value, sizeof(value));
}

static void add_extent(struct buf *b, const struct extent *e) {
    buf_add_varint(b, e->at);
    buf_add_varint(b, e->len);
    buf_add(b, &e->crc, sizeof(e->crc));
}

/* `bytes` packed by zstd where that makes it smaller, else itself. */
static struct span pack(struct segment_writer *w, struct span bytes) {
    size_t bound = ZSTD_compressBound(bytes.len);
    w->packed.len = 0;
    uint8_t *to = w->zstd && bytes.len > 32 ? buf_reserve(&w->packed, bound) : NULL;
    if (!to) {
        return bytes;
    }
    size_t size = ZSTD_compressCCtx(w->zstd, to, bound, bytes.at, bytes.len, w->level);
    return ZSTD_isError(size) || size >= bytes.len ? bytes : span_make(to, size);
}

/* --- dictionaries --- */

/* Values of a block as bytes: text with its lengths before it, numbers and IPv4 addresses as steps, others whole. */
static void write_values(const struct column_build *b, const uint32_t *sorted, uint32_t count, struct buf *out) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool numbers = type_is_number(b->type), addresses = b->type == FT_IP, macs = b->type == FT_MAC;
    if (!numbers && !addresses && !macs) {
        for (uint32_t i = 0; i < count; i++) {
            buf_add_varint(out, intern_at(&b->dictionary, sorted[i]).len);
        }
    }
    uint64_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct span s = intern_at(&b->dictionary, sorted[i]);
        if (numbers && s.len == 8) {
            uint64_t value = read_be64(s.at);
            buf_add_varint(out, value - last);
            last = value;
        } else if (addresses && s.len == 16 && memcmp(s.at, mapped, sizeof(mapped)) == 0) {
            uint64_t value = (uint64_t)1 << 32 | read_be32(s.at + 12); /* never 0 above the one before: 0 is "whole" */
            buf_add_varint(out, value - last);
            last = value;
        } else if (addresses) {
            buf_add_byte(out, 0);
            buf_add_span(out, s);
        } else {
            buf_add_span(out, s);
        }
    }
}

static struct extent write_dictionary(struct laying *l, const uint32_t *sorted, uint32_t *ret_blocks) {
    struct segment_writer *w = l->w;
    const struct column_build *b = l->b;
    uint32_t step = type_is_text(b->type) || b->type == FT_OBJECT ? DICTIONARY_BLOCK : DICTIONARY_FIXED;
    struct buf index;
    buf_init(&index, SCRATCH_MAX);
    *ret_blocks = 0;
    for (uint32_t at = 0; at < b->dictionary.count; at += step) {
        buf_clear(&w->scratch);
        write_values(b, sorted + at, MIN(step, b->dictionary.count - at), &w->scratch);
        struct extent e = out_extent(&w->out, pack(w, buf_span(&w->scratch)));
        add_extent(&index, &e);
        buf_add_varint(&index, w->scratch.len);
        struct span first = intern_at(&b->dictionary, sorted[at]);
        buf_add_varint(&index, first.len);
        buf_add_span(&index, first);
        ++*ret_blocks;
    }
    struct extent e = out_extent(&w->out, buf_span(&index));
    if (index.overflowed || w->scratch.overflowed) {
        w->error = -ENOMEM;
    }
    buf_done(&index);
    return e;
}

/* Puts the codes into the order of their values and writes the values. */
static void lay_dictionary(struct laying *l) {
    struct column_build *b = l->b;
    uint32_t count = b->dictionary.count, blocks = 0;
    uint32_t *sorted = malloc(2 * (size_t)MAX(count, 1u) * sizeof(*sorted));
    if (!sorted || intern_sort(&b->dictionary, sorted, sorted + count) != 0) {
        l->w->error = -ENOMEM;
    } else {
        const uint32_t *place = sorted + count;
        for (uint32_t i = 0; i < b->values; i++) {
            b->codes[i] = place[b->codes[i]];
        }
        struct extent e = write_dictionary(l, sorted, &blocks);
        buf_add_varint(&l->record, blocks);
        add_extent(&l->record, &e);
    }
    free(sorted);
}

/* --- lists --- */

struct list_rank {
    uint32_t count, number;
};

static int by_count(const void *a, const void *b) {
    const struct list_rank *x = a, *y = b;
    return x->count != y->count ? (x->count > y->count ? -1 : 1) : (x->number > y->number) - (x->number < y->number);
}

static struct extent write_series(struct segment_writer *w, const uint64_t *values, size_t count) {
    buf_clear(&w->scratch);
    series_write(values, count, &w->scratch);
    if (w->scratch.overflowed) {
        w->error = -ENOMEM;
    }
    return out_extent(&w->out, buf_span(&w->scratch));
}

/* Lengths and codes of the lists, the most frequent list first: small numbers for what comes often. */
static int write_lists(struct laying *l, const struct intern *lists, const struct list_rank *ranks) {
    uint64_t total = lists->used / sizeof(uint32_t);
    uint64_t *numbers = malloc(MAX(total, (uint64_t)lists->count + 1) * sizeof(*numbers));
    if (!numbers) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < lists->count; i++) {
        numbers[i] = intern_at(lists, ranks[i].number).len / sizeof(uint32_t);
    }
    struct extent lengths = write_series(l->w, numbers, lists->count);
    uint64_t at = 0;
    for (uint32_t i = 0; i < lists->count; i++) {
        struct span codes = intern_at(lists, ranks[i].number);
        for (size_t k = 0; k < codes.len; k += sizeof(uint32_t)) {
            uint32_t code;
            memcpy(&code, codes.at + k, sizeof(code));
            numbers[at++] = code;
        }
    }
    struct extent codes = write_series(l->w, numbers, total);
    free(numbers);
    buf_add_varint(&l->record, total);
    add_extent(&l->record, &lengths);
    add_extent(&l->record, &codes);
    return 0;
}

static int rank_lists(struct laying *l, struct intern *lists) {
    struct list_rank *ranks = calloc(MAX(lists->count, 1u), sizeof(*ranks));
    uint32_t *place = malloc(MAX(lists->count, 1u) * sizeof(*place));
    int r = ranks && place ? 0 : -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < lists->count; i++) {
        ranks[i].number = i;
    }
    for (uint32_t i = 0; r == 0 && i < l->b->present; i++) {
        ranks[l->codes[i]].count++;
    }
    if (r == 0) {
        qsort(ranks, lists->count, sizeof(*ranks), by_count);
        for (uint32_t i = 0; i < lists->count; i++) {
            place[ranks[i].number] = i;
        }
        for (uint32_t i = 0; i < l->b->present; i++) {
            l->codes[i] = place[l->codes[i]];
        }
        r = write_lists(l, lists, ranks);
    }
    free(ranks);
    free(place);
    return r;
}

static void lay_lists(struct laying *l) {
    struct column_build *b = l->b;
    struct intern lists;
    intern_init(&lists, &l->w->key);
    l->codes = malloc(MAX(b->present, 1u) * sizeof(*l->codes));
    int r = l->codes ? 0 : -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < b->present; i++) {
        uint32_t first = column_build_first(b, i), end = column_build_end(b, i);
        l->codes[i] = intern_add(&lists, span_make(b->codes + first, (end - first) * sizeof(*b->codes)));
        r = l->codes[i] == INTERN_FAILED ? -ENOMEM : 0;
    }
    r = r ? r : rank_lists(l, &lists);
    l->lists = lists.count;
    intern_done(&lists);
    l->w->error = r ? r : l->w->error;
}

/* --- blocks --- */

static struct extent shared_extent(struct segment_writer *w, struct span bytes) {
    uint64_t hash = siphash13(&w->key, bytes.at, bytes.len);
    uint32_t crc = crc32c(0, bytes.at, bytes.len);
    for (uint32_t i = 0; i < w->shared_count; i++) {
        const struct shared_extent *s = &w->shared[i];
        if (s->hash == hash && s->extent.crc == crc && s->extent.len == bytes.len) {
            return s->extent;
        }
    }
    struct extent e = out_extent(&w->out, bytes);
    if (w->shared_count == w->shared_cap) {
        uint32_t cap = MAX(64u, w->shared_cap * 2);
        struct shared_extent *more = realloc(w->shared, cap * sizeof(*more));
        if (!more) {
            return e; /* only sharing is lost */
        }
        w->shared = more;
        w->shared_cap = cap;
    }
    w->shared[w->shared_count++] = (struct shared_extent){hash, e};
    return e;
}

/* `count` rows of the build from `first` on are those of block `block`, which has `size` rows. */
static void lay_presence(struct laying *l, uint32_t first, uint32_t count, uint32_t block, uint32_t size) {
    const uint32_t *rows = l->b->rows + first;
    uint32_t base = block * PART_BLOCK;
    if (count == 0 || count == size) {
        buf_add_byte(&l->blocks, count ? FORM_ALL : FORM_NONE);
        return;
    }
    bool listed = count < size / LISTED_PRESENCE;
    buf_add_byte(&l->blocks, listed ? FORM_LIST : FORM_BITS);
    buf_add_varint(&l->blocks, count);
    struct buf *out = &l->w->scratch;
    buf_clear(out);
    size_t bytes = listed ? count * sizeof(uint16_t) : (size + 7) / 8;
    uint8_t *to = buf_reserve(out, bytes);
    if (!to) {
        l->w->error = -ENOMEM;
        return;
    }
    memset(to, 0, bytes);
    out->len += bytes;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = rows[i] - base;
        if (listed) {
            uint16_t place = (uint16_t)row;
            memcpy(to + 2 * (size_t)i, &place, 2);
        } else {
            to[row / 8] |= (uint8_t)(1u << (row & 7));
        }
    }
    struct extent e = shared_extent(l->w, buf_span(out));
    add_extent(&l->blocks, &e);
}

static void lay_numbers(struct laying *l, uint32_t first, uint32_t count) {
    uint64_t low = UINT64_MAX, high = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t value = l->kind == COLUMN_NUMBER ? l->b->numbers[first + i] : l->codes[first + i];
        l->w->block[i] = value;
        low = MIN(low, value);
        high = MAX(high, value);
    }
    struct extent e = write_series(l->w, l->w->block, count);
    add_extent(&l->blocks, &e);
    buf_add_varint(&l->blocks, low);
    buf_add_varint(&l->blocks, high);
    l->min = MIN(l->min, low);
    l->max = MAX(l->max, high);
}

/* One run of rows: the number of values of each where that is not always one, their lengths, their bytes. */
static void write_raw_run(struct laying *l, uint32_t first, uint32_t count, struct buf *out) {
    const struct column_build *b = l->b;
    for (uint32_t i = first; b->ends && i < first + count; i++) {
        buf_add_varint(out, column_build_end(b, i) - column_build_first(b, i));
    }
    uint32_t from = column_build_first(b, first), to = column_build_end(b, first + count - 1);
    for (uint32_t v = from; v < to; v++) {
        buf_add_varint(out, intern_at(&b->dictionary, b->codes[v]).len);
    }
    for (uint32_t v = from; v < to; v++) {
        buf_add_span(out, intern_at(&b->dictionary, b->codes[v]));
    }
}

/* A block of near-unique text: for each run where it ends and its unpacked size, then the runs. */
static void lay_raw(struct laying *l, uint32_t first, uint32_t count) {
    struct segment_writer *w = l->w;
    struct buf runs, table;
    buf_init(&runs, SCRATCH_MAX);
    buf_init(&table, SCRATCH_MAX);
    for (uint32_t at = 0; at < count; at += RAW_RUN) {
        buf_clear(&w->scratch);
        write_raw_run(l, first + at, MIN(RAW_RUN, count - at), &w->scratch);
        buf_add_span(&runs, pack(w, buf_span(&w->scratch)));
        uint32_t sizes[2] = {(uint32_t)runs.len, (uint32_t)w->scratch.len};
        buf_add(&table, sizes, sizeof(sizes));
    }
    buf_add_span(&table, buf_span(&runs));
    if (runs.overflowed || table.overflowed || w->scratch.overflowed) {
        w->error = -ENOMEM;
    }
    struct extent e = out_extent(&w->out, buf_span(&table));
    add_extent(&l->blocks, &e);
    buf_done(&runs);
    buf_done(&table);
}

static void lay_blocks(struct laying *l) {
    const struct column_build *b = l->b;
    uint32_t rows = l->w->rows;
    for (uint32_t block = 0, at = 0; block * (uint64_t)PART_BLOCK < rows; block++) {
        uint32_t first = at, size = MIN(PART_BLOCK, rows - block * PART_BLOCK);
        while (at < b->present && b->rows[at] / PART_BLOCK == block) {
            at++;
        }
        lay_presence(l, first, at - first, block, size);
        if (at == first) {
            continue;
        }
        if (l->kind == COLUMN_RAW) {
            lay_raw(l, first, at - first);
        } else {
            lay_numbers(l, first, at - first);
        }
    }
}

/* --- choosing --- */

/* A dictionary saves the values that come again and costs two bytes or so for each: with three of four different
 * nothing is left to be won, and much to be sorted. */
static bool near_unique(const struct column_build *b) {
    return type_is_text(b->type) && b->values >= NEAR_UNIQUE_LEAST && b->dictionary.count > b->values / 4 * 3;
}

#define COUNTED_MAX 4096u /* a dictionary of more numbers does not pay */

/* How many different numbers there are, up to COUNTED_MAX. 0: more than that, or more than one in four. */
static uint32_t count_numbers(const struct column_build *b) {
    uint64_t table[2 * COUNTED_MAX] = {0}; /* the number and one; UINT64_MAX itself is not counted */
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->present; i++) {
        uint64_t mark = b->numbers[i] + 1;
        uint32_t at = (uint32_t)(mark * 0x9e3779b97f4a7c15u >> 51);
        while (table[at] && table[at] != mark) {
            at = (at + 1) & (2 * COUNTED_MAX - 1);
        }
        if (table[at] || mark == 0) {
            continue;
        }
        table[at] = mark;
        count++;
        if (count == COUNTED_MAX || (count > 256 && count > i / 4)) {
            return 0;
        }
    }
    return count;
}

static bool numbers_to_codes(struct laying *l) {
    struct column_build *b = l->b, *to = &l->converted;
    column_build_init(to, b->id, FT_KEYWORD, &l->w->key);
    for (uint32_t i = 0; i < b->present; i++) {
        uint32_t first = column_build_first(b, i), end = column_build_end(b, i);
        if (!column_build_row(to, b->rows[i], end - first)) {
            break;
        }
        for (uint32_t v = first; v < end; v++) {
            uint64_t swapped = __builtin_bswap64(b->numbers[v]);
            column_build_bytes(to, span_make(&swapped, sizeof(swapped)));
        }
    }
    column_build_settle(to);
    l->w->error = to->failed ? to->failed : l->w->error;
    to->type = b->type;
    return !to->failed;
}

/* The dictionary of numbers has about two bytes a value; its codes need bits for their number only. */
static bool dictionary_is_smaller(const struct column_build *b) {
    uint32_t count = count_numbers(b);
    unsigned bits = count > 1 ? 32u - (unsigned)__builtin_clz(count - 1) : 0;
    uint64_t coded = count * (uint64_t)2 + b->present * (uint64_t)bits / 8 + 64;
    return count && coded < series_size(b->numbers, b->present);
}

static void choose_kind(struct laying *l, struct span path) {
    struct column_build *b = l->b;
    bool lists = b->ends != NULL;
    if (!type_is_number(b->type)) {
        l->kind = !l->w->plain && near_unique(b) ? COLUMN_RAW : lists ? COLUMN_LIST : COLUMN_CODE;
        return;
    }
    l->kind = COLUMN_NUMBER;
    bool coded = lists || (!l->w->plain && !path_is_measure(path) && dictionary_is_smaller(b));
    if (coded && numbers_to_codes(l)) {
        l->kind = lists ? COLUMN_LIST : COLUMN_CODE;
        l->b = &l->converted;
    }
}

static void note_times(struct segment_writer *w, struct span path, const struct laying *l) {
    if (span_is(path, "firstPacket")) {
        w->first_min = l->min;
        w->first_max = l->max;
    } else if (span_is(path, "lastPacket")) {
        w->last_min = l->min;
        w->last_max = l->max;
    }
}

static void add_column(struct laying *l, struct span path) {
    struct segment_writer *w = l->w;
    struct buf head;
    buf_init(&head, 65536);
    buf_add_byte(&head, ENCODING_1);
    buf_add_varint(&head, l->b->id);
    buf_add_varint(&head, path.len);
    buf_add_span(&head, path);
    buf_add_byte(&head, (uint8_t)l->b->type);
    buf_add_byte(&head, (uint8_t)l->kind);
    buf_add_byte(&head, l->b->ends != NULL);
    buf_add_varint(&head, l->b->present);
    buf_add_varint(&head, l->kind == COLUMN_CODE || l->kind == COLUMN_LIST ? l->b->dictionary.count : 0);
    buf_add_varint(&head, l->lists);
    add_u64(&head, l->min);
    add_u64(&head, l->max);
    buf_add_varint(&w->directory, head.len + l->record.len + l->blocks.len);
    buf_add_span(&w->directory, buf_span(&head));
    buf_add_span(&w->directory, buf_span(&l->record));
    buf_add_span(&w->directory, buf_span(&l->blocks));
    if (head.overflowed || l->record.overflowed || l->blocks.overflowed) {
        w->error = -ENOMEM;
    }
    buf_done(&head);
    w->columns++;
}

void segment_column(struct segment_writer *w, const char *path, struct column_build *b) {
    if (w->error || b->present == 0) {
        return;
    }
    column_build_settle(b);
    if (b->failed || w->columns == SEGMENT_COLUMNS_MAX) {
        w->error = b->failed ? b->failed : -E2BIG;
        return;
    }
    struct laying l = {.w = w, .b = b, .min = UINT64_MAX};
    buf_init(&l.record, SCRATCH_MAX);
    buf_init(&l.blocks, SCRATCH_MAX);
    column_build_init(&l.converted, b->id, b->type, &w->key);
    choose_kind(&l, span_text(path));
    if (l.kind == COLUMN_CODE || l.kind == COLUMN_LIST) {
        lay_dictionary(&l);
    }
    if (l.kind == COLUMN_LIST && !w->error) {
        lay_lists(&l);
    }
    uint32_t *own = l.codes;
    l.codes = own ? own : l.b->codes;
    if (!w->error) {
        lay_blocks(&l);
        l.min = l.kind == COLUMN_RAW ? 0 : l.min;
        note_times(w, span_text(path), &l);
        add_column(&l, span_text(path));
    }
    free(own);
    column_build_done(&l.converted);
    buf_done(&l.record);
    buf_done(&l.blocks);
}

int segment_end(struct segment_writer *w, uint64_t *ret_size) {
    struct buf *head = &w->scratch;
    buf_clear(head);
    const uint64_t numbers[] = {w->seq_low, w->first_min, w->first_max, w->last_min, w->last_max};
    buf_add(head, numbers, sizeof(numbers));
    buf_add_varint(head, w->rows);
    buf_add_varint(head, 0); /* files beside this one: none yet; a name each */
    buf_add_varint(head, w->columns);
    struct extent at = {.at = out_at(&w->out)};
    at.len = (uint32_t)(head->len + w->directory.len);
    at.crc = crc32c(crc32c(0, head->data, head->len), w->directory.data, w->directory.len);
    out_add(&w->out, buf_span(head));
    out_add(&w->out, buf_span(&w->directory));
    uint8_t footer[SEGMENT_FOOTER] = {0};
    const uint32_t version = SEGMENT_VERSION;
    memcpy(footer, &at.at, 8);
    memcpy(footer + 8, &at.len, 4);
    memcpy(footer + 12, &at.crc, 4);
    memcpy(footer + 16, &version, 4);
    memcpy(footer + 24, SEGMENT_MAGIC, 8);
    const uint32_t own = crc32c(0, footer, 20);
    memcpy(footer + 20, &own, 4);
    out_add(&w->out, span_make(footer, sizeof(footer)));
    if (!w->error && (head->overflowed || w->directory.overflowed)) {
        w->error = -ENOMEM;
    }
    *ret_size = out_at(&w->out);
    int r = out_end(&w->out);
    return w->error ? w->error : r;
}
