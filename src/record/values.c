/* values.c: see values.h. Values of nested objects are found by walking down the path of objects above the field. */
#include "record/values.h"

#include "record/document.h"

#define OBJECT_DEPTH_MAX 8

static void computed_values(const struct record *r, const struct field *f, value_fn each, void *ctx) {
    struct value v = {.type = (enum field_type)f->type};
    for (; f->def->get(r, &v); v.index++) {
        if (!each(ctx, f, &v) || (f->flags & F_SINGLE)) {
            return;
        }
    }
}

const struct cell_head *record_head(const struct record *r, const struct field *f) {
    size_t count;
    const struct cell_head *heads = cells_heads(&r->cells, &count);
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (heads[middle].rank < f->rank) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < count && heads[low].field == f->id ? &heads[low] : NULL;
}

/* Where values of a member of nested objects are looked for: path[0] is the outermost object, path[depth] the field. */
struct search {
    const struct record *r;
    const struct field *path[OBJECT_DEPTH_MAX + 1];
    unsigned depth;
    value_fn each;
    void *ctx;
    bool over;
};

static void list_values(struct search *s, const struct cell *cell, unsigned level) {
    const struct field *f = s->path[level];
    for (; cell && !s->over; cell = cells_next(&s->r->cells, cell)) {
        if (cell->field != f->id) {
            continue;
        }
        if (level < s->depth) {
            list_values(s, cells_object_first(&s->r->cells, cell), level + 1);
        } else {
            struct value v = cell_value(cell, f);
            s->over = !s->each(s->ctx, f, &v);
        }
    }
}

void record_values(const struct record *r, const struct field *f, value_fn each, void *ctx) {
    if (f->flags & F_COMPUTED) {
        computed_values(r, f, each, ctx);
        return;
    }
    struct search s = {.r = r, .each = each, .ctx = ctx};
    for (const struct field *at = f; at->parent != FIELD_NONE && s.depth < OBJECT_DEPTH_MAX; s.depth++) {
        at = registry_field(r->registry, at->parent);
    }
    const struct field *at = f;
    for (unsigned level = s.depth; level > 0; level--) {
        s.path[level] = at;
        at = registry_field(r->registry, at->parent);
    }
    s.path[0] = at;
    const struct cell_head *head = record_head(r, at);
    if (head) {
        list_values(&s, cells_first(&r->cells, head), 0);
    }
}

void value_write(const struct field *f, const struct value *v, struct buf *out) {
    char text[48];
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
        buf_add_u64(out, v->u64);
        break;
    case FT_I64:
        buf_printf(out, "%lld", (long long)v->i64);
        break;
    case FT_FLOAT:
        buf_printf(out, "%.15g", v->number);
        break;
    case FT_BOOL:
        buf_add_text(out, v->u64 ? "true" : "false");
        break;
    case FT_IP:
        buf_add(out, text, ip_write(v->bytes.at, text));
        break;
    case FT_MAC:
        buf_add(out, text, mac_write(v->bytes.at, text));
        break;
    default:
        buf_add_span(out, v->bytes);
    }
}
