/* restore.c: stored sessions as records again (store.h). What each column of a part becomes is worked out once for a
 * part and then used for its rows.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "feature/community_id.h"
#include "record/core_fields.h"
#include "store/bits.h"
#include "store/positions.h"
#include "store/reading.h"
#include "store/restore_fixed.h"
#include "store/row.h"

#define PINS_KEPT 4096u /* pieces of dictionaries kept alive between rows */
#define PARTS_KEPT 64u  /* whose columns are worked out at the same time */
#define DEPTH_MAX 16u

struct restore_column {
    const struct column *column;
    const struct field *field;        /* of cells */
    const struct fixed_column *fixed; /* of members of the record */
    uint32_t id;
    bool shape;                  /* of an object at the top */
    uint16_t top;                /* the object that members of objects belong to; FIELD_NONE for others */
    struct patch_values *values; /* members of objects: their values in this row, and which is next */
    uint32_t next;
};

struct restorer {
    const struct snapshot *snapshot;
    bool *wanted; /* by field; NULL: all */
    bool want_positions, want_community, values_only;
    size_t part; /* the one that `columns` are of */
    struct restore_column *columns;
    uint32_t count;
    struct restore_part { /* those worked out before, by part */
        struct restore_column *columns;
        uint32_t count;
    } * parts;
    size_t parts_made;
    struct use use;
    struct pool pool;
    struct record record;
    struct digests *digests;
    struct positions_reader *reader;
    struct packet_position *positions;
    struct patch_values values;
    char name[SESSION_NAME_MAX], index[32], node[256];
    uint32_t *files;
    uint32_t file_count, file_cap;
    struct restore_column *at; /* the column being read */
    int error;
};

/* --- making --- */

static uint16_t top_of(const struct registry *r, const struct field *f) {
    uint16_t top = FIELD_NONE;
    for (unsigned i = 0; f && f->parent != FIELD_NONE && i < DEPTH_MAX; i++) {
        top = f->parent;
        f = registry_field(r, top);
    }
    return top;
}

static int set_wanted(struct restorer *r, const uint16_t *wanted, size_t count) {
    const struct registry *registry = snapshot_registry(r->snapshot);
    uint16_t community = registry_by_path(registry, SPAN_LITERAL("network.community_id"));
    r->want_community = !wanted;
    if (!wanted) {
        return 0;
    }
    r->wanted = calloc(registry_count(registry) + 1, sizeof(*r->wanted));
    if (!r->wanted) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct field *f = registry_field(registry, wanted[i]);
        if (f) {
            uint16_t top = top_of(registry, f);
            r->wanted[top == FIELD_NONE ? f->id : top] = true;
            r->want_community |= f->id == community;
        }
    }
    return 0;
}

int restorer_new(const struct snapshot *s, const uint16_t *wanted, size_t wanted_count, bool positions,
                 struct restorer **ret_restorer) {
    struct restorer *r = calloc(1, sizeof(*r));
    if (!r) {
        return -ENOMEM;
    }
    r->snapshot = snapshot_ref((struct snapshot *)(uintptr_t)s);
    r->want_positions = positions;
    r->part = SIZE_MAX;
    pool_init_small(&r->pool, 0);
    cells_init(&r->record.cells, &r->pool);
    patch_values_init(&r->values);
    use_init(&r->use);
    r->parts = calloc(MAX(snapshot_parts(s), (size_t)1), sizeof(*r->parts));
    int code = r->parts ? set_wanted(r, wanted, wanted_count) : -ENOMEM;
    if (code == 0 && r->want_community) {
        r->digests = digests_new();
        code = r->digests ? 0 : -ENOMEM;
    }
    if (code) {
        (void)restorer_free(r);
        return code;
    }
    *ret_restorer = r;
    return 0;
}

void restorer_values_only(struct restorer *r) {
    r->values_only = r->wanted != NULL;
}

static void forget_parts(struct restorer *r) {
    for (size_t i = 0; r->parts && i < snapshot_parts(r->snapshot); i++) {
        struct restore_part *p = &r->parts[i];
        for (uint32_t k = 0; k < p->count; k++) {
            if (p->columns[k].values) {
                patch_values_done(p->columns[k].values);
                free(p->columns[k].values);
            }
        }
        free(p->columns);
        *p = (struct restore_part){0};
    }
    r->parts_made = 0;
    r->part = SIZE_MAX;
}

struct restorer *restorer_free(struct restorer *r) {
    if (!r) {
        return NULL;
    }
    forget_parts(r);
    free(r->parts);
    cells_done(&r->record.cells);
    use_done(&r->use);
    pool_done(&r->pool);
    patch_values_done(&r->values);
    (void)digests_free(r->digests);
    store_give_reader(r->snapshot->store, r->reader);
    (void)snapshot_unref((struct snapshot *)(uintptr_t)r->snapshot);
    free(r->positions);
    free(r->files);
    free(r->wanted);
    free(r);
    return NULL;
}

/* --- the columns of a part --- */

static bool is_wanted(const struct restorer *r, const struct field *f, uint16_t top) {
    return !r->wanted || r->wanted[top == FIELD_NONE ? f->id : top];
}

static bool is_wanted_path(const struct restorer *r, struct span path) {
    const struct registry *registry = snapshot_registry(r->snapshot);
    uint16_t id = registry_by_path(registry, path);
    const struct field *f = id == FIELD_NONE ? NULL : registry_field(registry, id);
    return f && is_wanted(r, f, top_of(registry, f));
}

static bool serves_wanted(const void *ctx, struct span path) {
    return is_wanted_path(ctx, path);
}

/* Whether some wanted field reads the member of the record. */
static bool is_read(const struct restorer *r, const struct fixed_column *c) {
    if (c->how == FIXED_LEFT || (c->how == FIXED_POSITIONS && !r->want_positions)) {
        return false;
    }
    if (!r->wanted || (!c->alone && !r->values_only)) {
        return true;
    }
    return is_wanted_path(r, c->path) || (r->values_only && fixed_serves(c, serves_wanted, r));
}

static int add_column(struct restorer *r, const struct column *c, struct restore_part *to) {
    const struct registry_ref *known = r->snapshot->registry;
    struct restore_column made = {.column = c, .id = c->id, .top = FIELD_NONE};
    made.fixed = c->fixed;
    if (made.fixed && !is_read(r, made.fixed)) {
        return 0;
    }
    if (!made.fixed) {
        uint16_t id = c->id < known->count ? known->fields[c->id] : FIELD_NONE;
        made.field = id == FIELD_NONE ? NULL : registry_field(known->registry, id);
        if (!made.field || (made.field->flags & (F_COMPUTED | F_VIRTUAL))) {
            return 0;
        }
        made.top = top_of(known->registry, made.field);
        made.shape = made.field->type == FT_OBJECT;
        if (!is_wanted(r, made.field, made.top)) {
            return 0;
        }
    }
    if (made.top != FIELD_NONE) {
        made.values = malloc(sizeof(*made.values));
        if (!made.values) {
            return -ENOMEM;
        }
        patch_values_init(made.values);
    }
    to->columns[to->count++] = made;
    return 0;
}

static int make_part(struct restorer *r, size_t part) {
    const struct part *p = r->snapshot->parts[part];
    if (r->parts_made == PARTS_KEPT) {
        forget_parts(r);
        use_done(&r->use);
    }
    struct restore_part *made = &r->parts[part];
    made->columns = calloc(MAX(p->count, 1u), sizeof(*made->columns));
    int code = made->columns ? 0 : -ENOMEM;
    for (uint32_t i = 0; i < p->count && code == 0; i++) {
        code = add_column(r, &p->columns[i], made);
    }
    r->parts_made++;
    if (code) {
        forget_parts(r);
    }
    return code;
}

static int take_part(struct restorer *r, size_t part) {
    if (part == r->part) {
        return 0;
    }
    int code = r->parts[part].columns ? 0 : make_part(r, part);
    if (code == 0) {
        r->part = part;
        r->columns = r->parts[part].columns;
        r->count = r->parts[part].count;
    }
    return code;
}

/* --- values --- */

static void put_value(struct cells *c, const struct field *f, struct span bytes, uint64_t number) {
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
    case FT_BOOL:
        (void)cells_put_u64(c, f, number);
        break;
    case FT_I64:
        (void)cells_put_i64(c, f, number_to_i64(number));
        break;
    case FT_FLOAT:
        (void)cells_put_double(c, f, number_to_double(number));
        break;
    case FT_IP:
        if (bytes.len == 16) {
            (void)cells_put_ip(c, f, bytes.at);
        }
        break;
    case FT_MAC:
        if (bytes.len == 6) {
            (void)cells_put_mac(c, f, bytes.at);
        }
        break;
    default:
        (void)cells_put_text(c, f, bytes);
    }
}

static void put_member(struct cells *c, struct object o, const struct field *f, const struct patch_value *v) {
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
    case FT_BOOL:
        cells_object_u64(c, o, f, v->number);
        break;
    case FT_I64:
        cells_object_i64(c, o, f, number_to_i64(v->number));
        break;
    case FT_FLOAT: {
        double number = number_to_double(v->number);
        int64_t bits;
        memcpy(&bits, &number, sizeof(bits));
        cells_object_i64(c, o, f, bits); /* the same eight bytes */
        break;
    }
    case FT_IP:
        if (v->bytes.len == 16) {
            cells_object_ip(c, o, f, v->bytes.at);
        }
        break;
    default:
        cells_object_text(c, o, f, v->bytes);
    }
}

static void add_file(struct restorer *r, uint64_t number) {
    if (r->file_count == r->file_cap) {
        uint32_t cap = MAX(16u, r->file_cap * 2);
        uint32_t *more = realloc(r->files, cap * sizeof(*more));
        if (!more) {
            r->error = -ENOMEM;
            return;
        }
        r->files = more;
        r->file_cap = cap;
    }
    r->files[r->file_count++] = (uint32_t)number;
}

static void set_member(struct restorer *r, const struct fixed_column *c, struct span bytes, uint64_t number) {
    struct record *record = &r->record;
    switch (c->how) {
    case FIXED_NODE:
        *span_copy_to(span_sub(bytes, 0, sizeof(r->node) - 1), (uint8_t *)r->node) = 0;
        break;
    case FIXED_FILES:
        add_file(r, number);
        break;
    case FIXED_FLAGS:
        row_set_flags(record, number);
        break;
    case FIXED_ICMP:
        record->icmp_type = (uint8_t)(number >> 8);
        record->icmp_code = (uint8_t)number;
        break;
    case FIXED_POSITIONS:
        if (r->want_positions && !r->positions) {
            r->error = positions_read(bytes, &r->positions, &record->position_count);
        }
        break;
    default:
        fixed_set(record, c, bytes, number);
    }
}

static int on_value(void *ctx, struct span bytes, uint64_t number) {
    struct restorer *r = ctx;
    if (r->at->fixed) {
        set_member(r, r->at->fixed, bytes, number);
    } else if (r->at->values) {
        patch_values_add(r->at->values, bytes, number);
    } else {
        patch_values_add(&r->values, bytes, number);
    }
    return r->error;
}

/* --- objects --- */

struct shape_walk {
    struct restorer *r;
    struct cursor c;
    uint16_t top;
};

static struct restore_column *find_member(struct restorer *r, uint64_t id) {
    for (uint32_t i = 0; i < r->count; i++) {
        if (r->columns[i].id == id && r->columns[i].top != FIELD_NONE) {
            return &r->columns[i];
        }
    }
    return NULL;
}

static const struct field *member_field(const struct restorer *r, uint64_t id) {
    const struct registry_ref *known = r->snapshot->registry;
    uint16_t field = id < known->count ? known->fields[id] : FIELD_NONE;
    return field == FIELD_NONE ? NULL : registry_field(known->registry, field);
}

/* Members of one element into `o`, until the 0 that ends it. */
static void read_element(struct shape_walk *w, struct object o, unsigned depth) {
    struct cells *cells = &w->r->record.cells;
    for (;;) {
        uint64_t id = cursor_varint(&w->c);
        if (id == 0 || !cursor_ok(&w->c)) {
            return;
        }
        uint64_t count = cursor_varint(&w->c);
        const struct field *f = member_field(w->r, id - 1);
        struct restore_column *member = find_member(w->r, id - 1);
        if (f && f->type == FT_OBJECT) {
            for (uint64_t i = 0; i < count && cursor_ok(&w->c) && depth < DEPTH_MAX; i++) {
                read_element(w, cells_child_object(cells, o, f), depth + 1);
            }
            continue;
        }
        for (uint64_t i = 0; i < count && member && member->next < member->values->count; i++) {
            put_member(cells, o, f, &member->values->list[member->next++]);
        }
    }
}

static void restore_objects(struct restorer *r, const struct restore_column *shape, struct span bytes) {
    struct shape_walk w = {.r = r, .c = cursor_over(bytes), .top = shape->field->id};
    uint64_t count = cursor_varint(&w.c);
    for (uint64_t i = 0; i < count && cursor_left(&w.c); i++) {
        read_element(&w, cells_object(&r->record.cells, shape->field, 0, NULL), 0);
    }
}

/* --- rows --- */

static int read_column(struct restorer *r, struct restore_column *c, uint32_t row) {
    r->at = c;
    patch_values_clear(&r->values);
    if (c->values) {
        patch_values_clear(c->values);
        c->next = 0;
    }
    int code = column_row(c->column, &r->use, row, on_value, r);
    return code == -EBADMSG ? 0 : code; /* told in the store's damage; the rest of the session is shown */
}

static int read_cells(struct restorer *r, const struct patch *patch, uint32_t row) {
    bool changed = patch && patch_has_row(patch, row);
    for (uint32_t i = 0; i < r->count; i++) {
        struct restore_column *c = &r->columns[i];
        if (c->shape) {
            continue;
        }
        int code = read_column(r, c, row);
        if (code < 0) {
            return code;
        }
        if (c->fixed || c->values) {
            continue;
        }
        const struct field *f = c->field;
        if (changed) {
            patch_apply(patch, row, span_text(f->def->path), (enum field_type)f->type, f->flags & F_SINGLE, &r->values);
        }
        for (uint32_t v = 0; v < r->values.count; v++) {
            put_value(&r->record.cells, f, r->values.list[v].bytes, r->values.list[v].number);
        }
    }
    return r->values.error;
}

static int read_shapes(struct restorer *r, uint32_t row) {
    for (uint32_t i = 0; i < r->count; i++) {
        struct restore_column *c = &r->columns[i];
        if (!c->shape || c->top != FIELD_NONE) {
            continue;
        }
        int code = read_column(r, c, row);
        if (code < 0) {
            return code;
        }
        if (r->values.count) {
            restore_objects(r, c, r->values.list[0].bytes);
        }
    }
    return 0;
}

struct adding {
    struct restorer *r;
    const struct patch *patch;
    uint32_t row;
};

/* A field that the overlay gives a value and the part has no column of. */
static void add_missing(void *ctx, struct span path) {
    const struct adding *a = ctx;
    struct restorer *r = a->r;
    const struct registry *registry = snapshot_registry(r->snapshot);
    const struct part *p = r->snapshot->parts[r->part];
    uint16_t id = path.len ? registry_by_path(registry, path) : FIELD_NONE;
    const struct field *f = id == FIELD_NONE ? NULL : registry_field(registry, id);
    bool plain = f && f->parent == FIELD_NONE && !(f->flags & (F_COMPUTED | F_VIRTUAL)) && f->type < FT_OBJECT;
    if (!plain || part_find(p, path) || !is_wanted(r, f, FIELD_NONE) || cells_count(&r->record.cells, f)) {
        return;
    }
    patch_values_clear(&r->values);
    patch_apply(a->patch, a->row, path, (enum field_type)f->type, f->flags & F_SINGLE, &r->values);
    for (uint32_t v = 0; v < r->values.count; v++) {
        put_value(&r->record.cells, f, r->values.list[v].bytes, r->values.list[v].number);
    }
}

static int restore_positions(struct restorer *r, uint64_t seq) {
    if (!r->want_positions) {
        return 0;
    }
    if (r->positions) {
        r->record.positions = r->positions;
        return 0;
    }
    if (!r->reader) {
        r->reader = store_take_reader(r->snapshot->store);
        if (!r->reader) {
            return -ENOMEM;
        }
    }
    int code = positions_find(r->reader, seq, r->files, r->file_count, &r->record.positions, &r->record.position_count);
    return code == -EBADMSG ? 0 : code;
}

/* What follows from the rest: names, root, community id. */
static void derive(struct restorer *r, uint64_t seq) {
    struct record *record = &r->record;
    const struct field *root = registry_field(record->registry, CORE_ROOT_ID);
    session_name_write(seq, record->last_time / 1000000, r->name);
    *span_copy_to(span_sub(span_text(r->name), 0, sizeof(record->id) - 1), (uint8_t *)record->id) = 0;
    uint8_t *day = span_copy_to(SPAN_LITERAL("sessions3-"), (uint8_t *)r->index);
    *span_copy_to(span_sub(span_text(r->name), 0, 6), day) = 0;
    record->name = r->name;
    record->index = r->index;
    record->node = r->node;
    record->name_files = true;
    record->files = r->want_positions && record->position_count ? NULL : r->file_count ? r->files : NULL;
    record->file_count = r->file_count;
    if (record->linked && root && (!r->wanted || r->wanted[CORE_ROOT_ID]) && !cells_count(&record->cells, root)) {
        (void)cells_put_text(&record->cells, root, span_text(r->name)); /* it is the first piece itself */
    }
    if (r->want_community) {
        community_id_fill(record, r->digests);
    }
}

static void begin_row(struct restorer *r) {
    struct cells cells = r->record.cells;
    cells_done(&cells);
    r->record = (struct record){.cells = cells, .registry = snapshot_registry(r->snapshot)};
    free(r->positions);
    r->positions = NULL;
    r->file_count = 0;
    r->node[0] = 0;
    r->error = 0;
    if (r->use.count > PINS_KEPT) {
        use_done(&r->use);
    }
}

static int restore_row(struct restorer *r, size_t part, uint32_t row) {
    begin_row(r);
    int code = take_part(r, part);
    if (code || row >= r->snapshot->parts[part]->info.rows) {
        return code ? code : -ENOENT;
    }
    const struct patch *patch = r->snapshot->patches[part];
    code = read_cells(r, patch, row);
    code = code < 0 ? code : read_shapes(r, row);
    uint64_t seq = r->snapshot->parts[part]->info.seq_low + row;
    if (code == 0 && patch && patch_has_row(patch, row)) {
        struct adding a = {r, patch, row};
        patch_paths(patch, row, add_missing, &a);
    }
    return code < 0 ? code : restore_positions(r, seq);
}

int restorer_read(struct restorer *r, size_t part, uint32_t row, const struct record **ret_record) {
    const struct part *p = r->snapshot->parts[part];
    bool whole = part_whole(p);
    int code = restore_row(r, part, row);
    if (whole && !part_whole(p)) { /* it lost a page meanwhile: now every extent is checked */
        code = restore_row(r, part, row);
    }
    if (code < 0) {
        return code;
    }
    derive(r, p->info.seq_low + row);
    *ret_record = &r->record;
    return 0;
}
