/* row.c: see row.h. */
#include "store/row.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "feature/community_id.h"
#include "record/core_fields.h"
#include "store/bits.h"
#include "store/part.h"
#include "store/positions.h"

#define OBJECT_DEPTH_MAX 16

static bool stored(const struct field *f) {
    return (f->flags & F_SINGLE) && !path_is_derived(span_text(f->def->path));
}

int row_plan_init(struct row_plan *p, struct schema *s, const char *folder, const struct registry *r,
                  struct err *ret_err) {
    size_t count = registry_count(r);
    const struct field *fields = registry_fields(r);
    *p = (struct row_plan){.registry = r, .stored = SCHEMA_NONE, .files = SCHEMA_NONE};
    p->ids = calloc(MAX(count, (size_t)1), sizeof(*p->ids));
    p->computed = calloc(MAX(count, (size_t)1), sizeof(*p->computed));
    int code = p->ids && p->computed ? schema_adopt(s, folder, r, p->ids, ret_err)
                                     : err_set(ret_err, -ENOMEM, "no memory for the fields of the store");
    if (code) {
        row_plan_done(p);
        return code;
    }
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &fields[i];
        if (!(f->flags & F_COMPUTED)) {
            continue;
        }
        if (strcmp(f->def->path, "fileId") == 0) {
            p->files = p->ids[i];
        } else if (strcmp(f->def->path, "@timestamp") == 0) {
            p->stored = p->ids[i];
        } else if (stored(f)) {
            p->computed[p->computed_count++] = (struct row_computed){f, p->ids[i]};
        }
    }
    p->flags = schema_find(s, span_text(OWN_FLAGS))->id;
    p->icmp = schema_find(s, span_text(OWN_ICMP))->id;
    p->positions = schema_find(s, span_text(OWN_POSITIONS))->id;
    p->community = schema_find(s, span_text(OWN_COMMUNITY))->id;
    p->root = count > CORE_ROOT_ID ? p->ids[CORE_ROOT_ID] : SCHEMA_NONE;
    return 0;
}

void row_plan_done(struct row_plan *p) {
    free(p->ids);
    free(p->computed);
    *p = (struct row_plan){0};
}

void row_encoder_init(struct row_encoder *e) {
    *e = (struct row_encoder){0};
    buf_init(&e->row, ROW_MAX);
    buf_init(&e->shape, ROW_MAX);
    buf_init(&e->blob, ROW_MAX);
}

void row_encoder_done(struct row_encoder *e) {
    buf_done(&e->row);
    buf_done(&e->shape);
    buf_done(&e->blob);
    free(e->items);
}

uint64_t row_flags(const struct record *r) {
    const bool bits[ROW_FLAG_COUNT] = {
        [ROW_LINKED] = r->linked,
        [ROW_LAST_PIECE] = r->last_piece,
        [ROW_HAS_IP] = r->has_ip,
        [ROW_HAS_PORT] = r->has_port,
        [ROW_IS_TCP] = r->is_tcp,
        [ROW_HAS_SYN] = r->has_syn,
        [ROW_HAS_SYN_ACK] = r->has_syn_ack,
        [ROW_SYN_ACK_FIRST] = r->syn_ack_first,
        [ROW_HAS_RTT] = r->has_rtt,
        [ROW_SYN_VALIDATED] = r->syn_validated,
        [ROW_SYN_ACK_VALIDATED] = r->syn_ack_validated,
    };
    uint64_t flags = (uint64_t)(r->ip_version & 15) << ROW_FLAG_COUNT | (uint64_t)(r->kind & 15)
                                                                            << (ROW_FLAG_COUNT + 4);
    for (unsigned i = 0; i < ROW_FLAG_COUNT; i++) {
        flags |= (uint64_t)bits[i] << i;
    }
    return flags;
}

void row_set_flags(struct record *r, uint64_t flags) {
    bool *const bits[ROW_FLAG_COUNT] = {
        [ROW_LINKED] = &r->linked,
        [ROW_LAST_PIECE] = &r->last_piece,
        [ROW_HAS_IP] = &r->has_ip,
        [ROW_HAS_PORT] = &r->has_port,
        [ROW_IS_TCP] = &r->is_tcp,
        [ROW_HAS_SYN] = &r->has_syn,
        [ROW_HAS_SYN_ACK] = &r->has_syn_ack,
        [ROW_SYN_ACK_FIRST] = &r->syn_ack_first,
        [ROW_HAS_RTT] = &r->has_rtt,
        [ROW_SYN_VALIDATED] = &r->syn_validated,
        [ROW_SYN_ACK_VALIDATED] = &r->syn_ack_validated,
    };
    for (unsigned i = 0; i < ROW_FLAG_COUNT; i++) {
        *bits[i] = flags >> i & 1;
    }
    r->ip_version = flags >> ROW_FLAG_COUNT & 15;
    r->kind = flags >> (ROW_FLAG_COUNT + 4) & 15;
}

/* --- values --- */

static void put_value(struct buf *out, const struct field *f, const struct value *v) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
    case FT_BOOL:
        buf_add_varint(out, v->u64);
        break;
    case FT_I64:
        buf_add_varint(out, zigzag(v->i64));
        break;
    case FT_FLOAT:
        buf_add(out, &v->u64, 8);
        break;
    case FT_IP:
        if (memcmp(v->bytes.at, mapped, sizeof(mapped)) == 0) {
            buf_add_byte(out, 4);
            buf_add(out, v->bytes.at + 12, 4);
        } else {
            buf_add_byte(out, 16);
            buf_add(out, v->bytes.at, 16);
        }
        break;
    case FT_MAC:
        buf_add(out, v->bytes.at, 6);
        break;
    default: {
        uint8_t *to = buf_reserve(out, VARINT_MAX + v->bytes.len);
        if (to) {
            uint8_t *end = span_copy_to(v->bytes, varint_write(to, v->bytes.len));
            out->len += (size_t)(end - to);
        }
    }
    }
}

uint64_t row_read_number(struct cursor *c, enum field_type type) {
    if (type == FT_FLOAT) {
        uint64_t bits = cursor_u64le(c);
        double number;
        memcpy(&number, &bits, sizeof(number));
        return number_from_double(number);
    }
    uint64_t value = cursor_varint(c);
    return type == FT_I64 ? number_from_i64(unzigzag(value)) : value;
}

struct span row_read_bytes(struct cursor *c, enum field_type type, uint8_t *room) {
    if (type == FT_MAC) {
        return cursor_span(c, 6);
    }
    if (type != FT_IP) {
        uint64_t len = cursor_varint(c);
        return cursor_span(c, len <= ROW_MAX ? (size_t)len : SIZE_MAX);
    }
    uint8_t len = cursor_u8(c);
    struct span s = cursor_span(c, len == 4 || len == 16 ? len : SIZE_MAX);
    if (s.len != 4) {
        return s;
    }
    memset(room, 0, 10);
    memset(room + 10, 0xff, 2);
    memcpy(room + 12, s.at, 4);
    return span_make(room, 16);
}

static void put_entry(struct buf *out, uint32_t id, uint64_t count) {
    uint8_t *to = buf_reserve(out, 2 * VARINT_MAX);
    if (to) {
        out->len += (size_t)(varint_write(varint_write(to, id), count) - to);
    }
}

static void put_number(struct buf *out, uint32_t id, uint64_t number) {
    put_entry(out, id, 1);
    buf_add_varint(out, number);
}

/* --- objects --- */

static void note_item(struct row_encoder *e, uint32_t id, const struct field *f, const struct cell *cell) {
    if (e->item_count == e->item_cap) {
        uint32_t cap = MAX(256u, e->item_cap * 2);
        struct row_item *more = realloc(e->items, cap * sizeof(*more));
        if (!more) {
            e->cut++;
            return;
        }
        e->items = more;
        e->item_cap = cap;
    }
    e->items[e->item_count++] = (struct row_item){id, f, cell};
}

struct object_walk {
    const struct row_plan *plan;
    struct row_encoder *e;
    const struct cells *cells;
};

/* The shape of one element; its members' values are noted. */
static void write_element(const struct object_walk *w, const struct cell *object, unsigned depth) {
    const struct cell *cell = cells_object_first(w->cells, object);
    while (cell && depth < OBJECT_DEPTH_MAX) {
        uint16_t field = cell->field;
        const struct field *f = registry_field(w->plan->registry, field);
        uint32_t id = w->plan->ids[field];
        uint64_t count = 0;
        const struct cell *run = cell;
        for (; cell && cell->field == field; cell = cells_next(w->cells, cell)) {
            count++;
        }
        if (id == SCHEMA_NONE) {
            continue;
        }
        buf_add_varint(&w->e->shape, (uint64_t)id + 1);
        buf_add_varint(&w->e->shape, count);
        for (; run != cell; run = cells_next(w->cells, run)) {
            if (f->type == FT_OBJECT) {
                write_element(w, run, depth + 1);
            } else {
                note_item(w->e, id, f, run);
            }
        }
    }
    buf_add_byte(&w->e->shape, 0);
}

/* Members' values, each member's together. */
static void write_items(struct row_encoder *e) {
    for (uint32_t i = 0; i < e->item_count; i++) {
        uint32_t id = e->items[i].id, count = 0;
        if (id == SCHEMA_NONE) {
            continue;
        }
        for (uint32_t k = i; k < e->item_count; k++) {
            count += e->items[k].id == id;
        }
        put_entry(&e->row, id, count);
        for (uint32_t k = i; k < e->item_count; k++) {
            if (e->items[k].id == id) {
                struct value v;
                cell_read(e->items[k].cell, e->items[k].field, &v);
                put_value(&e->row, e->items[k].field, &v);
                e->items[k].id = SCHEMA_NONE;
            }
        }
    }
}

static void write_objects(const struct object_walk *w, const struct cell_head *head, uint32_t id) {
    struct row_encoder *e = w->e;
    buf_clear(&e->shape);
    e->item_count = 0;
    buf_add_varint(&e->shape, head->count);
    for (const struct cell *cell = cells_first(w->cells, head); cell; cell = cells_next(w->cells, cell)) {
        write_element(w, cell, 0);
    }
    put_entry(&e->row, id, 1);
    buf_add_varint(&e->row, e->shape.len);
    buf_add_span(&e->row, buf_span(&e->shape));
    write_items(e);
}

/* --- rows --- */

static void write_cells(const struct row_plan *p, struct row_encoder *e, const struct record *r) {
    size_t count;
    const struct cell_head *heads = cells_heads(&r->cells, &count);
    struct object_walk walk = {p, e, &r->cells};
    for (size_t i = 0; i < count; i++) {
        const struct cell_head *head = &heads[i];
        const struct field *f = registry_field(p->registry, head->field);
        uint32_t id = p->ids[head->field];
        if (id == SCHEMA_NONE || head->field == CORE_ROOT_ID || head->count == 0) {
            continue;
        }
        if (f->type == FT_OBJECT) {
            write_objects(&walk, head, id);
            continue;
        }
        put_entry(&e->row, id, head->count);
        for (const struct cell *cell = cells_first(&r->cells, head); cell; cell = cells_next(&r->cells, cell)) {
            struct value v;
            cell_read(cell, f, &v);
            put_value(&e->row, f, &v);
        }
    }
}

static void write_computed(const struct row_plan *p, struct row_encoder *e, const struct record *r) {
    for (size_t i = 0; i < p->computed_count; i++) {
        const struct field *f = p->computed[i].field;
        struct value v;
        v.type = (enum field_type)f->type;
        v.index = 0;
        v.state = 0;
        if (f->def->get(r, &v)) {
            put_entry(&e->row, p->computed[i].id, 1);
            put_value(&e->row, f, &v);
        }
    }
}

/* Numbers of the files, each once, in the order of the packets. */
static void write_files(const struct row_plan *p, struct row_encoder *e, const struct record *r) {
    uint32_t seen[64], count = 0;
    for (uint32_t i = 0; i < r->position_count && count < ARRAY_LEN(seen); i++) {
        uint32_t file = r->positions[i].file, k = 0;
        if (i && file == r->positions[i - 1].file) {
            continue;
        }
        while (k < count && seen[k] != file) {
            k++;
        }
        if (k == count) {
            seen[count++] = file;
        }
    }
    put_entry(&e->row, p->files, count);
    for (uint32_t i = 0; i < count; i++) {
        buf_add_varint(&e->row, seen[i]);
    }
}

int row_encode(const struct row_plan *p, struct row_encoder *e, const struct record *r, struct span root, int64_t now) {
    static const uint8_t length[4];
    buf_clear(&e->row);
    buf_add(&e->row, length, sizeof(length));
    put_number(&e->row, p->flags, row_flags(r));
    if (r->kind == FLOW_ICMP) {
        put_number(&e->row, p->icmp, (uint64_t)r->icmp_type << 8 | r->icmp_code);
    }
    uint16_t head;
    if (community_id_head(span_text(r->community_id), &head)) {
        put_number(&e->row, p->community, head);
    }
    if (p->stored != SCHEMA_NONE) {
        put_number(&e->row, p->stored, (uint64_t)MAX(now, (int64_t)0));
    }
    write_computed(p, e, r);
    write_cells(p, e, r);
    if (root.len && p->root != SCHEMA_NONE) {
        put_entry(&e->row, p->root, 1);
        buf_add_varint(&e->row, root.len);
        buf_add_span(&e->row, root);
    }
    if (r->position_count) {
        if (p->files != SCHEMA_NONE) {
            write_files(p, e, r);
        }
        buf_clear(&e->blob);
        positions_write(r->positions, r->position_count, &e->blob);
        put_entry(&e->row, p->positions, 1);
        buf_add_varint(&e->row, e->blob.len);
        buf_add_span(&e->row, buf_span(&e->blob));
    }
    if (e->row.overflowed || e->shape.overflowed || e->blob.overflowed) {
        return -E2BIG;
    }
    uint32_t len = (uint32_t)e->row.len - 4;
    memcpy(e->row.data, &len, 4);
    return 0;
}
