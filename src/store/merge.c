/* merge.c: see merge.h. A column is collected anew from its parts: dictionaries are translated once, codes then cost an
 * array access each.
 */
#include "store/merge.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/bits.h"

struct merging {
    const struct merge *m;
    struct column_build build;
    const char *path;
    struct use use;
    const struct patch *patch; /* of the part being read; NULL: none touches this column */
    uint32_t base;             /* first row of the part in the merged one */
    uint32_t last_row;
    uint32_t *codes;
    uint64_t *numbers, *bits;
    struct patch_values values;
    int error;
};

/* --- rows as they are --- */

static bool add_row(struct merging *g, uint32_t row, uint32_t count) {
    if (!column_build_row(&g->build, g->base + row, count)) {
        g->error = -ENOMEM;
    }
    return g->error == 0;
}

static void copy_numbers(struct merging *g, const struct column *c, uint32_t block, uint32_t rows) {
    g->error = column_numbers(c, block, g->numbers);
    for (uint32_t row = 0; row < rows && !g->error; row++) {
        if ((g->bits[row / 64] >> (row & 63) & 1) && add_row(g, block * PART_BLOCK + row, 1)) {
            column_build_number(&g->build, g->numbers[row]);
        }
    }
}

/* What the dictionary's codes are in the merged column: numbers of its own dictionary, or the numbers themselves. */
struct translation {
    uint32_t *codes;
    uint64_t *numbers;
};

static void translate(struct merging *g, const struct column *c, struct translation *t) {
    bool number = type_is_number(c->info.type);
    size_t count = MAX(c->info.values, 1u);
    t->codes = number ? NULL : malloc(count * sizeof(*t->codes));
    t->numbers = number ? malloc(count * sizeof(*t->numbers)) : NULL;
    g->error = t->codes || t->numbers ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < c->info.values && !g->error; i++) {
        struct span value = {0};
        g->error = column_value(c, &g->use, i, &value);
        if (g->error) {
            break;
        }
        if (number) {
            t->numbers[i] = value.len == 8 ? read_be64(value.at) : 0;
        } else {
            t->codes[i] = intern_add(&g->build.dictionary, value);
            g->error = t->codes[i] == INTERN_FAILED ? -ENOMEM : 0;
        }
        if (i % column_step(c) == column_step(c) - 1) {
            use_done(&g->use); /* a block of the dictionary is not needed again */
        }
    }
}

static void add_code(struct merging *g, const struct translation *t, uint32_t code) {
    if (t->codes) {
        column_build_code(&g->build, t->codes[code]);
    } else {
        column_build_number(&g->build, t->numbers[code]);
    }
}

static void add_list(struct merging *g, const struct column *c, const struct translation *t, uint32_t row,
                     uint32_t list) {
    const uint32_t *codes;
    uint32_t count;
    g->error = column_list(c, &g->use, list, &codes, &count);
    if (g->error || count == 0 || !add_row(g, row, count)) {
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        add_code(g, t, codes[i]);
    }
}

static void copy_codes(struct merging *g, const struct column *c, const struct translation *t, uint32_t block,
                       uint32_t rows) {
    g->error = column_codes(c, block, g->codes);
    for (uint32_t row = 0; row < rows && !g->error; row++) {
        uint32_t code = g->codes[row];
        if (code == CODE_NONE) {
            continue;
        }
        if (c->info.kind == COLUMN_LIST) {
            add_list(g, c, t, block * PART_BLOCK + row, code);
        } else if (add_row(g, block * PART_BLOCK + row, 1)) {
            add_code(g, t, code);
        }
    }
}

static bool copy_text(void *ctx, uint32_t row, struct span value) {
    struct merging *g = ctx;
    bool same = g->build.present && g->last_row == g->base + row;
    bool ok = same ? column_build_more(&g->build) : add_row(g, row, 1);
    if (!ok) {
        g->error = -ENOMEM;
        return false;
    }
    g->last_row = g->base + row;
    column_build_bytes(&g->build, value);
    return true;
}

static void copy_column(struct merging *g, const struct column *c) {
    struct translation t = {0};
    bool coded = c->info.kind == COLUMN_CODE || c->info.kind == COLUMN_LIST;
    if (coded) {
        translate(g, c, &t);
    }
    for (uint32_t b = 0; b < c->part->info.blocks && !g->error; b++) {
        uint32_t rows = MIN(PART_BLOCK, c->part->info.rows - b * PART_BLOCK);
        if (coded) {
            copy_codes(g, c, &t, b, rows);
        } else if (c->info.kind == COLUMN_RAW) {
            int r = column_raw(c, b, NULL, copy_text, g);
            g->error = r ? r : g->error;
        } else {
            int r = column_presence(c, b, g->bits);
            g->error = r < 0 ? r : 0;
            if (r > 0) {
                copy_numbers(g, c, b, rows);
            }
        }
    }
    free(t.codes);
    free(t.numbers);
    use_done(&g->use);
}

/* --- rows that the overlay changes --- */

static int note_value(void *ctx, struct span bytes, uint64_t number) {
    patch_values_add(ctx, bytes, number);
    return 0;
}

static void put_values(struct merging *g, uint32_t row) {
    struct patch_values *v = &g->values;
    if (v->error || (v->count && !add_row(g, row, v->count))) {
        g->error = v->error ? v->error : g->error;
        return;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        if (type_is_number(g->build.type)) {
            column_build_number(&g->build, v->list[i].number);
        } else {
            column_build_bytes(&g->build, v->list[i].bytes);
        }
    }
}

/* Row by row; `c` is NULL when the part has no such column yet. */
static void copy_changed(struct merging *g, const struct column *c, uint32_t rows, bool single) {
    for (uint32_t row = 0; row < rows && !g->error; row++) {
        bool changed = patch_has_row(g->patch, row);
        if (!c && !changed) {
            continue;
        }
        patch_values_clear(&g->values);
        int r = c ? column_row(c, &g->use, row, note_value, &g->values) : 0;
        g->error = r < 0 ? r : 0;
        if (!g->error && changed) {
            patch_apply(g->patch, row, schema_plain_path(g->path), g->build.type, single, &g->values);
        }
        if (!g->error) {
            put_values(g, row);
        }
        if (row % 4096 == 4095) {
            use_done(&g->use);
        }
    }
    use_done(&g->use);
}

/* A mark for each row that is gone, so that readers of the merged segment know. */
static void copy_gone(struct merging *g, uint32_t rows) {
    for (uint32_t row = 0; g->patch && row < rows && !g->error; row++) {
        if (patch_row_gone(g->patch, row) && add_row(g, row, 1)) {
            column_build_number(&g->build, 1);
        }
    }
}

/* --- columns --- */

static void merge_column(struct merging *g, const struct column *like, struct segment_writer *w) {
    bool gone = strcmp(g->path, OWN_GONE) == 0;
    column_build_init(&g->build, like->id, like->info.type, &w->key);
    g->base = 0;
    for (uint32_t i = 0; i < g->m->count && !g->error; i++) {
        struct part *p = g->m->parts[i];
        const struct column *c = part_find(p, span_text(g->path));
        const struct patch *patch = g->m->patches ? g->m->patches[i] : NULL;
        g->patch = patch && (gone || patch_touches(patch, schema_plain_path(g->path))) ? patch : NULL;
        if (gone) {
            copy_gone(g, p->info.rows);
        } else if (g->patch) {
            const struct schema_field *f = schema_field(g->m->schema, like->id);
            copy_changed(g, c, p->info.rows, f && (f->flags & F_SINGLE));
        } else if (c) {
            copy_column(g, c);
        }
        if (g->error == -EBADMSG && g->m->ret_bad) {
            *g->m->ret_bad = i;
        }
        column_build_settle(&g->build); /* the next part may bring codes */
        g->base += p->info.rows;
    }
    if (!g->error) {
        segment_column(w, g->path, &g->build);
        g->error = w->error;
    }
    column_build_done(&g->build);
    for (uint32_t i = 0; i < g->m->count; i++) {
        part_rest(g->m->parts[i]); /* no page is needed for the next column as well */
    }
}

struct wanted_column {
    const char *path;
    struct column like;
};

static int by_path(const void *a, const void *b) {
    return strcmp(((const struct wanted_column *)a)->path, ((const struct wanted_column *)b)->path);
}

/* Every column of some part, once. */
static int list_columns(const struct merge *m, struct wanted_column **ret, uint32_t *ret_count) {
    uint32_t total = 0, count = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        total += m->parts[i]->count;
    }
    struct wanted_column *list = calloc(MAX(total, 1u), sizeof(*list));
    if (!list) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        for (uint32_t k = 0; k < m->parts[i]->count; k++) {
            const struct column *c = &m->parts[i]->columns[k];
            list[count++] = (struct wanted_column){c->info.path, {.id = c->id}};
            list[count - 1].like.info.type = c->info.type;
        }
    }
    qsort(list, count, sizeof(*list), by_path);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(list[kept - 1].path, list[i].path) != 0) {
            list[kept++] = list[i];
        }
    }
    *ret = list;
    *ret_count = kept;
    return 0;
}

static int prepare(struct merging *g, const struct merge *m) {
    *g = (struct merging){.m = m};
    g->codes = malloc(PART_BLOCK * sizeof(*g->codes));
    g->numbers = malloc(PART_BLOCK * sizeof(*g->numbers));
    g->bits = malloc(PART_WORDS * sizeof(*g->bits));
    patch_values_init(&g->values);
    return g->codes && g->numbers && g->bits ? 0 : -ENOMEM;
}

int merge_columns(const struct merge *m, const struct merge_extra *extra, struct segment_writer *w) {
    struct merging g;
    struct wanted_column *columns = NULL;
    uint32_t count = 0;
    g.error = prepare(&g, m);
    g.error = g.error ? g.error : list_columns(m, &columns, &count);
    for (uint32_t i = 0; i < count && !g.error; i++) {
        g.path = columns[i].path;
        merge_column(&g, &columns[i].like, w);
    }
    for (size_t i = 0; extra && i < extra->count && !g.error; i++) {
        const struct schema_field *f = extra->fields[i];
        struct wanted_column key = {.path = f->path};
        if (!bsearch(&key, columns, count, sizeof(key), by_path)) {
            struct column like = {.id = f->id};
            like.info.type = f->type;
            g.path = f->path;
            merge_column(&g, &like, w);
        }
    }
    free(columns);
    free(g.codes);
    free(g.numbers);
    free(g.bits);
    patch_values_done(&g.values);
    return g.error;
}

int merge_into_memory(const struct merge *m, const char *name, struct part **ret_part) {
    struct segment_writer w;
    uint64_t rows = 0, size = 0;
    for (uint32_t i = 0; i < m->count; i++) {
        rows += m->parts[i]->info.rows;
    }
    struct part *first = m->parts[0];
    int r = segment_begin(&w, -1, first->info.seq_low, (uint32_t)MIN(rows, (uint64_t)UINT32_MAX), PACKING_NONE);
    r = r ? r : merge_columns(m, NULL, &w);
    int ended = segment_end(&w, &size);
    r = r ? r : ended;
    if (r == 0) {
        struct span bytes = buf_span(&w.out.bytes);
        w.out.bytes = (struct buf){0};
        r = part_from_memory(bytes, name, first->cache, first->damage, ret_part);
    }
    segment_done(&w);
    return r;
}
