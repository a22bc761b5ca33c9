/* patch.c: see patch.h. */
#include "store/patch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/schema.h"

#define TEXT_MAX ((size_t)1 << 30)

/* --- the overlay --- */

static int load_change(void *ctx, const struct overlay_row *row) {
    struct overlay *o = ctx;
    if (o->count == o->cap) {
        size_t cap = MAX((size_t)256, o->cap * 2);
        struct overlay_change_of *more = realloc(o->changes, cap * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        o->changes = more;
        o->cap = cap;
    }
    struct overlay_change_of *c = &o->changes[o->count++];
    *c = (struct overlay_change_of){.id = row->id, .seq = row->seq, .op = row->op};
    c->path = (uint32_t)o->text.len;
    c->path_len = (uint32_t)row->path.len;
    buf_add_span(&o->text, row->path);
    c->value = (uint32_t)o->text.len;
    c->value_len = (uint32_t)row->value.len;
    buf_add_span(&o->text, row->value);
    o->last_id = MAX(o->last_id, row->id);
    return o->text.overflowed ? -ENOMEM : 0;
}

static int by_seq(const void *a, const void *b) {
    const struct overlay_change_of *x = a, *y = b;
    if (x->seq != y->seq) {
        return x->seq < y->seq ? -1 : 1;
    }
    return (x->id > y->id) - (x->id < y->id);
}

int overlay_load(struct control *c, struct overlay *ret) {
    *ret = (struct overlay){0};
    buf_init(&ret->text, TEXT_MAX);
    int r = overlay_each(c, load_change, ret);
    if (r) {
        overlay_done(ret);
        return r;
    }
    if (ret->count) {
        qsort(ret->changes, ret->count, sizeof(*ret->changes), by_seq);
    }
    return 0;
}

void overlay_done(struct overlay *o) {
    free(o->changes);
    buf_done(&o->text);
    *o = (struct overlay){0};
}

static struct span path_of(const struct overlay *o, const struct overlay_change_of *c) {
    return span_make(o->text.data + c->path, c->path_len);
}

/* --- patches --- */

static size_t first_change(const struct overlay *o, uint64_t seq) {
    size_t low = 0, high = o->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (o->changes[middle].seq < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint64_t *want_gone(struct patch *p, uint32_t rows) {
    if (!p->gone) {
        p->gone = calloc(rows / 64 + 1, sizeof(*p->gone));
    }
    return p->gone;
}

/* Rows whose deletion is part of the segment already. */
static int fill_gone(struct patch *p, const struct part *part) {
    const struct column *c = part_find(part, span_text(OWN_GONE));
    if (!c) {
        return 0;
    }
    if (!want_gone(p, part->info.rows)) {
        return -ENOMEM;
    }
    for (uint32_t b = 0; b < part->info.blocks; b++) {
        uint64_t bits[PART_WORDS];
        int r = column_presence(c, b, bits);
        if (r < 0) {
            return r;
        }
        uint32_t words = (MIN(PART_BLOCK, part->info.rows - b * PART_BLOCK) + 63) / 64;
        memcpy(p->gone + (size_t)b * PART_WORDS, bits, words * sizeof(*bits));
    }
    return 0;
}

static int fill_changes(struct patch *p, const struct overlay *o, const struct part *part, uint64_t folded) {
    size_t first = first_change(o, part->info.seq_low), end = first_change(o, part->info.seq_low + part->info.rows);
    p->overlay = o;
    p->changes = calloc(MAX(end - first, (size_t)1), sizeof(*p->changes));
    p->rows = calloc(MAX(end - first, (size_t)1), sizeof(*p->rows));
    if (!p->changes || !p->rows) {
        return -ENOMEM;
    }
    for (size_t i = first; i < end; i++) {
        if (o->changes[i].id <= folded) {
            continue;
        }
        uint32_t row = (uint32_t)(o->changes[i].seq - part->info.seq_low);
        p->changes[p->count++] = (struct patch_change){row, (uint32_t)i};
        if (p->row_count == 0 || p->rows[p->row_count - 1] != row) {
            p->rows[p->row_count++] = row;
        }
        if (o->changes[i].op == OVERLAY_DELETE_ROW) {
            if (!want_gone(p, part->info.rows)) {
                return -ENOMEM;
            }
            p->gone[row / 64] |= (uint64_t)1 << (row & 63);
        }
    }
    return 0;
}

/* Rows that went with their segment's last merge belong to the rows that are different as well. */
static int join_gone(struct patch *p, uint32_t rows) {
    uint32_t count = 0;
    for (uint32_t w = 0; w <= rows / 64; w++) {
        count += (uint32_t)__builtin_popcountll(p->gone[w]);
    }
    uint32_t *all = malloc(((size_t)count + p->row_count + 1) * sizeof(*all));
    if (!all) {
        return -ENOMEM;
    }
    uint32_t n = 0, at = 0;
    for (uint32_t row = 0; row < rows; row++) {
        bool changed = at < p->row_count && p->rows[at] == row;
        at += changed;
        if (changed || (p->gone[row / 64] >> (row & 63) & 1)) {
            all[n++] = row;
        }
    }
    free(p->rows);
    p->rows = all;
    p->row_count = n;
    return 0;
}

int patch_make(const struct overlay *o, const struct part *part, uint64_t folded, struct patch **ret_patch) {
    struct patch *p = calloc(1, sizeof(*p));
    *ret_patch = NULL;
    if (!p) {
        return -ENOMEM;
    }
    int r = fill_changes(p, o, part, folded);
    r = r ? r : fill_gone(p, part);
    r = r == 0 && p->gone ? join_gone(p, part->info.rows) : r;
    if (r || (p->count == 0 && !p->gone)) {
        patch_free(p);
        return r;
    }
    *ret_patch = p;
    return 0;
}

struct patch *patch_free(struct patch *p) {
    if (p) {
        free(p->changes);
        free(p->rows);
        free(p->gone);
        free(p);
    }
    return NULL;
}

bool patch_touches(const struct patch *p, struct span path) {
    if (p->gone) {
        return true; /* rows that are gone have no value of any field */
    }
    for (size_t i = 0; i < p->count; i++) {
        if (span_equal(path_of(p->overlay, &p->overlay->changes[p->changes[i].change]), path)) {
            return true;
        }
    }
    return false;
}

const uint32_t *patch_rows(const struct patch *p, size_t *ret_count) {
    *ret_count = p->row_count;
    return p->rows;
}

bool patch_row_gone(const struct patch *p, uint32_t row) {
    return p->gone && (p->gone[row / 64] >> (row & 63) & 1);
}

static size_t first_of_row(const struct patch *p, uint32_t row) {
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (p->changes[middle].row < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool patch_has_row(const struct patch *p, uint32_t row) {
    size_t i = first_of_row(p, row);
    return (i < p->count && p->changes[i].row == row) || patch_row_gone(p, row);
}

void patch_paths(const struct patch *p, uint32_t row, void (*each)(void *ctx, struct span path), void *ctx) {
    for (size_t i = first_of_row(p, row); i < p->count && p->changes[i].row == row; i++) {
        each(ctx, path_of(p->overlay, &p->overlay->changes[p->changes[i].change]));
    }
}

void patch_each_path(const struct patch *p, void (*each)(void *ctx, struct span path), void *ctx) {
    for (size_t i = 0; i < p->count; i++) {
        each(ctx, path_of(p->overlay, &p->overlay->changes[p->changes[i].change]));
    }
}

/* --- values --- */

void patch_values_init(struct patch_values *v) {
    *v = (struct patch_values){0};
    buf_init(&v->memory, TEXT_MAX);
}

void patch_values_clear(struct patch_values *v) {
    v->count = 0;
    buf_clear(&v->memory);
}

void patch_values_done(struct patch_values *v) {
    free(v->list);
    buf_done(&v->memory);
    *v = (struct patch_values){0};
}

void patch_values_add(struct patch_values *v, struct span bytes, uint64_t number) {
    if (v->count == v->cap) {
        uint32_t cap = MAX(16u, v->cap * 2);
        struct patch_value *more = realloc(v->list, cap * sizeof(*more));
        if (!more) {
            v->error = -ENOMEM;
            return;
        }
        v->list = more;
        v->cap = cap;
    }
    v->list[v->count++] = (struct patch_value){number, bytes};
}

static bool address_from_text(struct span text, uint8_t *to) {
    char copy[64];
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(to, mapped, sizeof(mapped));
    return inet_pton(AF_INET, copy, to + 12) == 1 || inet_pton(AF_INET6, copy, to) == 1;
}

static int hex_digit(uint8_t c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

static bool mac_from_text(struct span text, uint8_t *to) {
    if (text.len != 17) {
        return false;
    }
    for (unsigned i = 0; i < 6; i++) {
        int high = hex_digit(text.at[3 * i]), low = hex_digit(text.at[3 * i + 1]);
        if (high < 0 || low < 0 || (i < 5 && text.at[3 * i + 2] != ':')) {
            return false;
        }
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool number_from_text(enum field_type type, struct span text, uint64_t *ret) {
    char copy[64], *end;
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    errno = 0;
    if (type == FT_FLOAT) {
        *ret = number_from_double(strtod(copy, &end));
    } else if (type == FT_I64) {
        *ret = number_from_i64(strtoll(copy, &end, 10));
    } else if (type == FT_BOOL && (span_is(text, "true") || span_is(text, "false"))) {
        *ret = copy[0] == 't';
        return true;
    } else {
        *ret = strtoull(copy, &end, 10);
        return errno == 0 && *end == 0 && copy[0] >= '0' && copy[0] <= '9';
    }
    return errno == 0 && *end == 0;
}

static void fold(enum field_type type, uint8_t *at, size_t len) {
    uint8_t first = type == FT_LOWER ? 'A' : 'a';
    for (size_t i = 0; i < len && (type == FT_LOWER || type == FT_UPPER); i++) {
        at[i] = at[i] >= first && at[i] < first + 26 ? at[i] ^ 0x20 : at[i];
    }
}

bool value_from_text(enum field_type type, struct span text, struct buf *memory, struct patch_value *ret) {
    *ret = (struct patch_value){0};
    if (type_is_number(type)) {
        return number_from_text(type, text, &ret->number);
    }
    size_t len = type == FT_IP ? 16 : type == FT_MAC ? 6 : MIN(text.len, (size_t)CELL_TEXT_MAX);
    uint8_t *to = malloc(MAX(len, (size_t)1));
    if (!to || type >= FT_OBJECT) {
        free(to);
        return false;
    }
    bool ok = true;
    if (type == FT_IP) {
        ok = address_from_text(text, to);
    } else if (type == FT_MAC) {
        ok = mac_from_text(text, to);
    } else {
        (void)span_copy_to(span_sub(text, 0, len), to);
        fold(type, to, len);
    }
    size_t start = memory->len;
    buf_add(memory, to, len);
    free(to);
    ret->bytes = span_make((const void *)(uintptr_t)start, len); /* an offset until the memory stops moving */
    return ok && !memory->overflowed;
}

static bool same_value(enum field_type type, const struct patch_value *a, const struct patch_value *b) {
    return type_is_number(type) ? a->number == b->number : span_equal(a->bytes, b->bytes);
}

static void apply_change(struct patch_values *v, enum field_type type, bool single, enum overlay_op op,
                         const struct patch_value *value) {
    if (op == OVERLAY_SET || (op == OVERLAY_ADD && single)) {
        v->count = 0;
    }
    if (op == OVERLAY_REMOVE) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < v->count; i++) {
            if (!same_value(type, &v->list[i], value)) {
                v->list[kept++] = v->list[i];
            }
        }
        v->count = kept;
        return;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        if (same_value(type, &v->list[i], value)) {
            return;
        }
    }
    patch_values_add(v, value->bytes, value->number);
}

void patch_apply(const struct patch *p, uint32_t row, struct span path, enum field_type type, bool single,
                 struct patch_values *v) {
    if (patch_row_gone(p, row)) {
        v->count = 0;
        return;
    }
    const struct overlay *o = p->overlay;
    size_t room = 0; /* one block for all values: spans into it must not move */
    for (size_t i = first_of_row(p, row); i < p->count && p->changes[i].row == row; i++) {
        room += MAX(o->changes[p->changes[i].change].value_len, 16u);
    }
    if (room && !buf_reserve(&v->memory, room)) {
        v->error = -ENOMEM;
        return;
    }
    for (size_t i = first_of_row(p, row); i < p->count && p->changes[i].row == row; i++) {
        const struct overlay_change_of *c = &o->changes[p->changes[i].change];
        if (!span_equal(path_of(o, c), path)) {
            continue;
        }
        struct patch_value value;
        struct span text = span_make(o->text.data + c->value, c->value_len);
        if (c->op == OVERLAY_SET && c->value_len == 0) {
            v->count = 0;
        } else if (value_from_text(type, text, &v->memory, &value)) {
            if (!type_is_number(type)) {
                value.bytes.at = v->memory.data + (uintptr_t)value.bytes.at;
            }
            apply_change(v, type, single, c->op, &value);
        }
    }
}
