/* unpack.c: what the cache holds of a part, made from its extents: blocks of dictionaries, lists, runs of text. */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/bits.h"
#include "store/lanes.h"
#include "store/unpack.h"

#define UNPACKED_MAX ((uint32_t)1 << 30)

/* `size` bytes out of an extent that holds them packed, or as they are. The caller frees. */
static int inflate(struct span packed, uint32_t size, uint8_t **ret) {
    if (size > UNPACKED_MAX || packed.len > size) {
        return -EBADMSG;
    }
    uint8_t *bytes = malloc(MAX(size, 1u));
    if (!bytes) {
        return -ENOMEM;
    }
    if (packed.len == size) {
        (void)span_copy_to(packed, bytes);
    } else {
        size_t got = ZSTD_decompress(bytes, size, packed.at, packed.len);
        if (ZSTD_isError(got) || got != size) {
            free(bytes);
            return -EBADMSG;
        }
    }
    *ret = bytes;
    return 0;
}

/* `count` lengths from the cursor as ends of values; what is left must be just these bytes. */
static int read_ends(struct cursor *c, uint32_t count, uint32_t **ret) {
    uint32_t *ends = malloc(MAX(count, 1u) * sizeof(*ends));
    if (!ends) {
        return -ENOMEM;
    }
    uint64_t end = 0;
    for (uint32_t i = 0; i < count; i++) {
        end += cursor_varint(c);
        if (end > UNPACKED_MAX) {
            break;
        }
        ends[i] = (uint32_t)end;
    }
    if (!cursor_ok(c) || end != cursor_left(c)) {
        free(ends);
        return -EBADMSG;
    }
    *ret = ends;
    return 0;
}

static int unpack_text(struct span bytes, uint32_t count, struct unpacked *ret) {
    struct cursor c = cursor_over(bytes);
    int r = count > bytes.len ? -EBADMSG : read_ends(&c, count, &ret->ends);
    if (r) {
        return r;
    }
    struct span rest = cursor_rest(&c);
    ret->bytes = malloc(MAX(rest.len, (size_t)1));
    if (!ret->bytes) {
        return -ENOMEM;
    }
    (void)span_copy_to(rest, ret->bytes);
    ret->size = rest.len + count * sizeof(*ret->ends);
    return 0;
}

static void unpack_number(struct cursor *c, uint64_t *last, uint8_t *to) {
    *last += cursor_varint(c);
    uint64_t swapped = __builtin_bswap64(*last);
    memcpy(to, &swapped, 8);
}

static void unpack_address(struct cursor *c, uint64_t *last, uint8_t *to) {
    uint64_t step = cursor_varint(c);
    if (step == 0) {
        (void)span_copy_to(cursor_span(c, 16), to);
        return;
    }
    *last += step;
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(to, mapped, sizeof(mapped));
    uint32_t swapped = __builtin_bswap32((uint32_t)*last);
    memcpy(to + 12, &swapped, 4);
}

static int unpack_fixed(enum field_type type, struct span bytes, uint32_t count, struct unpacked *ret) {
    ret->width = type == FT_IP ? 16 : type == FT_MAC ? 6 : 8;
    ret->bytes = count > bytes.len ? NULL : calloc(MAX(count, 1u), ret->width);
    if (!ret->bytes) {
        return count > bytes.len ? -EBADMSG : -ENOMEM;
    }
    struct cursor c = cursor_over(bytes);
    uint64_t last = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t *to = ret->bytes + (size_t)i * ret->width;
        if (type == FT_IP) {
            unpack_address(&c, &last, to);
        } else if (type == FT_MAC) {
            (void)span_copy_to(cursor_span(&c, 6), to);
        } else {
            unpack_number(&c, &last, to);
        }
    }
    ret->size = (size_t)count * ret->width;
    return cursor_ok(&c) && cursor_left(&c) == 0 ? 0 : -EBADMSG;
}

int unpack_dictionary(const struct column *c, uint32_t index, struct unpacked *ret) {
    const struct dictionary_block *d = &c->dictionary[index];
    uint32_t step = column_step(c), count = MIN(step, c->info.values - index * step);
    struct span packed;
    uint8_t *bytes = NULL;
    int r = part_extent(c->part, &d->extent, NULL, "a block of a dictionary", &packed);
    if (r) {
        return r;
    }
    r = inflate(packed, d->size, &bytes);
    if (r == 0) {
        struct span whole = span_make(bytes, d->size);
        bool text = type_is_text(c->info.type) || c->info.type == FT_OBJECT;
        r = text ? unpack_text(whole, count, ret) : unpack_fixed(c->info.type, whole, count, ret);
    }
    free(bytes);
    ret->count = count;
    if (r == -EBADMSG) {
        damage_add(c->part->damage, "%s: a block of the dictionary of %s makes no sense", c->part->name, c->info.path);
    }
    return r;
}

static int unpack_list_arrays(const struct column *c, struct span lengths, struct span codes, struct unpacked *ret) {
    uint32_t lists = c->info.lists, total = (uint32_t)c->list_codes;
    /* A run of 1,024 equal numbers takes 12 bytes: what is announced cannot be more than that allows. */
    if (lists / SERIES_RUN > lengths.len / 16 || total / SERIES_RUN > codes.len / 16) {
        return -EBADMSG;
    }
    ret->ends = malloc(MAX(lists, 1u) * sizeof(*ret->ends));
    ret->codes = malloc(MAX(total, 1u) * sizeof(*ret->codes));
    if (!ret->ends || !ret->codes) {
        return -ENOMEM;
    }
    int r = series_read32(lengths, lists, ret->ends);
    r = r ? r : series_read32(codes, total, ret->codes);
    uint64_t end = 0;
    for (uint32_t i = 0; r == 0 && i < lists; i++) {
        end += ret->ends[i];
        ret->ends[i] = (uint32_t)end;
        r = end > total ? -EBADMSG : 0;
    }
    if (r == 0 && total && lanes()->highest(ret->codes, total) >= c->info.values) {
        r = -EBADMSG;
    }
    ret->count = lists;
    ret->size = ((size_t)lists + total) * sizeof(uint32_t);
    return r == 0 && end != total ? -EBADMSG : r;
}

int unpack_lists(const struct column *c, uint32_t index, struct unpacked *ret) {
    (void)index;
    struct span lengths, codes;
    int r = part_extent(c->part, &c->lengths, NULL, "the lengths of lists", &lengths);
    r = r ? r : part_extent(c->part, &c->codes, NULL, "the lists", &codes);
    if (r) {
        return r;
    }
    r = unpack_list_arrays(c, lengths, codes, ret);
    if (r == -EBADMSG) {
        damage_add(c->part->damage, "%s: the lists of %s make no sense", c->part->name, c->info.path);
    }
    return r;
}

/* --- near-unique text --- */

static int read_row_ends(struct cursor *c, uint32_t rows, struct unpacked *ret) {
    ret->row_end = malloc(MAX(rows, 1u) * sizeof(*ret->row_end));
    if (!ret->row_end) {
        return -ENOMEM;
    }
    uint64_t end = 0;
    for (uint32_t i = 0; i < rows; i++) {
        end += cursor_varint(c);
        if (end > cursor_left(c)) {
            return -EBADMSG;
        }
        ret->row_end[i] = (uint32_t)end;
    }
    ret->count = (uint32_t)end;
    return cursor_ok(c) ? 0 : -EBADMSG;
}

static int unpack_run(const struct column *c, struct span packed, uint32_t size, uint32_t rows, struct unpacked *ret) {
    uint8_t *bytes = NULL;
    int r = inflate(packed, size, &bytes);
    if (r) {
        return r;
    }
    struct cursor at = cursor_over(span_make(bytes, size));
    ret->rows = ret->count = rows;
    r = c->multi ? read_row_ends(&at, rows, ret) : 0;
    r = r ? r : read_ends(&at, ret->count, &ret->ends);
    if (r == 0) {
        struct span rest = cursor_rest(&at);
        memmove(bytes, rest.at, rest.len);
        ret->size = size + ret->count * sizeof(uint32_t) + (c->multi ? rows * sizeof(uint32_t) : 0);
        ret->bytes = TAKE(bytes);
    }
    free(bytes);
    return r;
}

int unpack_raw(const struct column *c, uint32_t index, struct unpacked *ret) {
    uint32_t block = index / (PART_BLOCK / RAW_RUN), run = index % (PART_BLOCK / RAW_RUN);
    struct column_block *b = &c->blocks[block];
    uint32_t runs = (b->count + RAW_RUN - 1) / RAW_RUN;
    struct span s;
    int r = part_extent(c->part, &b->data, &b->data_ok, "text", &s);
    if (r) {
        return r;
    }
    struct cursor at = cursor_over(s);
    struct cursor table = cursor_over(cursor_span(&at, 8 * (size_t)runs));
    struct span bytes = cursor_rest(&at);
    uint32_t start = 0, end = 0, size = 0;
    for (uint32_t i = 0; i <= run; i++) {
        start = end;
        end = cursor_u32le(&table);
        size = cursor_u32le(&table);
    }
    if (run >= runs || !cursor_ok(&table) || start > end || end > bytes.len) {
        r = -EBADMSG;
    } else {
        r = unpack_run(c, span_sub(bytes, start, end - start), size, MIN(RAW_RUN, b->count - run * RAW_RUN), ret);
    }
    if (r == -EBADMSG) {
        damage_add(c->part->damage, "%s: text of %s makes no sense", c->part->name, c->info.path);
    }
    return r;
}
