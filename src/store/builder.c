/* builder.c: see builder.h. */
#include "store/builder.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/bits.h"
#include "store/part_open.h"
#include "store/row.h"

int builder_init(struct builder *b, const struct schema *schema) {
    *b = (struct builder){.schema = schema};
    return hash_key_random(&b->key);
}

void builder_done(struct builder *b) {
    for (uint32_t i = 0; i < b->cap; i++) {
        if (b->columns[i]) {
            column_build_done(b->columns[i]);
            free(b->columns[i]);
        }
    }
    free(b->columns);
    *b = (struct builder){0};
}

void builder_clear(struct builder *b, uint64_t seq_low) {
    for (uint32_t i = 0; i < b->cap; i++) {
        if (b->columns[i]) {
            column_build_clear(b->columns[i]);
        }
    }
    b->seq_low = seq_low;
    b->rows = 0;
}

static int want_column(struct builder *b, uint64_t id, struct column_build **ret) {
    const struct schema_field *f = id < SCHEMA_MAX ? schema_field(b->schema, (uint32_t)id) : NULL;
    if (!f) {
        return -ESTALE;
    }
    if (id >= b->cap) {
        uint32_t cap = (uint32_t)MAX(id + 1, MAX((uint64_t)b->cap * 2, (uint64_t)256));
        struct column_build **more = realloc(b->columns, cap * sizeof(struct column_build *));
        if (!more) {
            return -ENOMEM;
        }
        memset(more + b->cap, 0, (cap - b->cap) * sizeof(struct column_build *));
        b->columns = more;
        b->cap = cap;
    }
    if (!b->columns[id]) {
        b->columns[id] = malloc(sizeof(struct column_build));
        if (!b->columns[id]) {
            return -ENOMEM;
        }
        column_build_init(b->columns[id], f->id, f->type, &b->key);
    }
    *ret = b->columns[id];
    return 0;
}

static int add_values(struct column_build *col, struct cursor *c, uint32_t row, uint64_t count) {
    if (count == 0) {
        return 0;
    }
    if (count > cursor_left(c)) {
        return -EBADMSG;
    }
    if (col->present && col->rows[col->present - 1] == row) {
        return -EBADMSG; /* a field twice in a row */
    }
    if (!column_build_row(col, row, (uint32_t)count)) {
        return -ENOMEM;
    }
    if (type_is_number(col->type)) {
        for (uint64_t i = 0; i < count; i++) {
            column_build_number(col, row_read_number(c, col->type));
        }
        return 0;
    }
    uint8_t room[16];
    for (uint64_t i = 0; i < count; i++) {
        column_build_bytes(col, row_read_bytes(c, col->type, room));
    }
    return 0;
}

/* What a damaged row has left behind is taken out again. */
static void undo_row(struct builder *b) {
    for (uint32_t i = 0; i < b->cap; i++) {
        struct column_build *col = b->columns[i];
        if (col && col->present && col->rows[col->present - 1] == b->rows) {
            column_build_settle(col);
            col->present--;
            col->values = col->present ? column_build_end(col, col->present - 1) : 0;
        }
    }
}

static int add_row(struct builder *b, struct span row) {
    struct cursor c = cursor_over(row);
    while (cursor_left(&c)) {
        uint64_t id = cursor_varint(&c), count = cursor_varint(&c);
        struct column_build *col = NULL;
        int r = cursor_ok(&c) ? want_column(b, id, &col) : -EBADMSG;
        r = r ? r : add_values(col, &c, b->rows, count);
        r = r == 0 && !cursor_ok(&c) ? -EBADMSG : r;
        if (r) {
            return r;
        }
    }
    return 0;
}

int builder_add(struct builder *b, struct span payload, uint32_t rows) {
    struct cursor c = cursor_over(payload);
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t len = cursor_u32le(&c);
        struct span row = cursor_span(&c, len <= ROW_MAX ? len : SIZE_MAX);
        int r = cursor_ok(&c) ? add_row(b, row) : -EBADMSG;
        if (r) {
            undo_row(b);
            return r;
        }
        b->rows++;
    }
    return cursor_left(&c) ? -EBADMSG : 0;
}

static void give_positions(const struct builder *b, struct column_build *col, struct positions_sink *to) {
    column_build_settle(col);
    for (uint32_t i = 0; i < col->present; i++) {
        uint32_t code = col->codes[column_build_first(col, i)];
        positions_sink_add(to, b->seq_low + col->rows[i], intern_at(&col->dictionary, code));
    }
}

void builder_write(struct builder *b, struct segment_writer *w, struct positions_sink *positions) {
    for (uint32_t i = 0; i < b->cap; i++) {
        struct column_build *col = b->columns[i];
        if (!col || col->present == 0) {
            continue;
        }
        const char *path = b->schema->fields[i]->path;
        if (positions && strcmp(path, OWN_POSITIONS) == 0) {
            give_positions(b, col, positions);
        } else {
            segment_column(w, path, col);
        }
    }
}

int builder_part(struct builder *b, const char *name, struct cache *cache, struct damage *damage,
                 struct part **ret_part) {
    struct segment_writer w;
    uint64_t size = 0;
    int r = segment_begin(&w, -1, b->seq_low, b->rows, PACKING_NONE);
    builder_write(b, &w, NULL);
    int ended = segment_end(&w, &size);
    r = r ? r : ended;
    if (r == 0) {
        struct span bytes = buf_span(&w.out.bytes);
        w.out.bytes = (struct buf){0};
        r = part_from_memory(bytes, name, cache, damage, ret_part);
    }
    segment_done(&w);
    return r;
}
