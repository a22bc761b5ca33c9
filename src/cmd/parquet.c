/* parquet.c: see parquet.h. Columns nest exactly as documents do (record/document.c). */
#include "cmd/parquet.h"

#include "base/util.h"

struct schema {
    const struct registry *registry;
    const struct snapshot *snapshot;
    struct buf *out;
    bool first; /* the next member is the first of its container */
    unsigned depth;
    const struct span *groups;
};

/* Text inside a literal of SQL. */
static void literal_add(struct buf *out, struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\'') {
            buf_add_byte(out, '\'');
        }
        buf_add_byte(out, text.at[i]);
    }
}

/* `"key":` of a document as a name, top: of a column, else: of a member of a structure. */
static void name_add(struct schema *s, struct span key, bool top) {
    struct span bare = span_sub(key, 1, key.len - 3);
    buf_add_text(s->out, s->first ? "" : ", ");
    s->first = false;
    buf_add_text(s->out, top ? "'" : "\"");
    literal_add(s->out, bare);
    buf_add_text(s->out, top ? "': " : "\" ");
}

static const char *scalar_type(const struct field *f) {
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
        return "UBIGINT";
    case FT_I64:
        return "BIGINT";
    case FT_FLOAT:
        return "DOUBLE";
    case FT_BOOL:
        return "BOOLEAN";
    default:
        return "VARCHAR";
    }
}

/* Objects inside objects have no column of their own: they are there when a member is. */
static bool occurs(const struct schema *s, const struct field *f) {
    for (size_t i = 0; f->type == FT_OBJECT && i < registry_count(s->registry); i++) {
        const struct field *member = registry_field(s->registry, (uint16_t)i);
        if (member->parent == f->id && !(member->flags & F_VIRTUAL) && occurs(s, member)) {
            return true;
        }
    }
    for (size_t i = 0; i < snapshot_parts(s->snapshot); i++) {
        if (part_find(snapshot_part(s->snapshot, i), span_text(f->def->path))) {
            return true;
        }
    }
    return path_is_derived(span_text(f->def->path)) && (f->flags & F_COMPUTED);
}

static void members_add(struct schema *s, const struct field *parent);

static void type_add(struct schema *s, const struct field *f) {
    if (f->type == FT_OBJECT) {
        buf_add_text(s->out, "STRUCT(");
        members_add(s, f);
        buf_add_text(s->out, ")");
    } else {
        buf_add_text(s->out, scalar_type(f));
    }
    if (!(f->flags & F_SINGLE)) {
        buf_add_text(s->out, "[]");
    }
}

static void field_add(struct schema *s, const struct field *f, bool top) {
    name_add(s, f->key, top);
    buf_add_text(s->out, top ? "'" : "");
    type_add(s, f);
    buf_add_text(s->out, top ? "'" : "");
    s->first = false;
    if (f->count_key.len) {
        name_add(s, f->count_key, top);
        buf_add_text(s->out, top ? "'UBIGINT'" : "UBIGINT");
    }
}

static void members_add(struct schema *s, const struct field *parent) {
    s->first = true;
    for (size_t i = 0; i < registry_count(s->registry); i++) {
        const struct field *f = registry_field(s->registry, registry_order(s->registry)[i]);
        if (f->parent == parent->id && !(f->flags & F_VIRTUAL) && occurs(s, f)) {
            field_add(s, f, false);
        }
    }
    if (s->first) { /* a structure has members; documents have none of this name */
        buf_add_text(s->out, "\"-\" VARCHAR");
    }
}

static void groups_change(struct schema *s, const struct field *f) {
    unsigned same = 0, depth = f ? f->depth : 0;
    while (same < s->depth && same < depth && s->groups[same].at == f->groups[same].at) {
        same++;
    }
    for (; s->depth > same; s->depth--) {
        buf_add_text(s->out, s->depth == 1 ? ")'" : ")");
        s->first = false;
    }
    for (; s->depth < depth; s->depth++) {
        name_add(s, f->groups[s->depth], s->depth == 0);
        buf_add_text(s->out, s->depth == 0 ? "'STRUCT(" : "STRUCT(");
        s->first = true;
    }
    s->groups = f ? f->groups : NULL;
}

static void columns_add(struct schema *s) {
    buf_add_text(s->out, "{'id': 'VARCHAR'");
    for (size_t i = 0; i < registry_count(s->registry); i++) {
        const struct field *f = registry_field(s->registry, registry_order(s->registry)[i]);
        if (f->parent == FIELD_NONE && !(f->flags & F_VIRTUAL) && f->type != FT_UNION && occurs(s, f)) {
            groups_change(s, f);
            field_add(s, f, f->depth == 0);
        }
    }
    groups_change(s, NULL);
    buf_add_byte(s->out, '}');
}

void parquet_sql(const struct snapshot *snapshot, const char *json_path, const char *parquet_path, struct buf *out) {
    struct schema s = {.registry = snapshot_registry(snapshot), .snapshot = snapshot, .out = out};
    static const char *const times[] = {"firstPacket", "lastPacket", "@timestamp"};
    buf_add_text(out, "COPY (SELECT *");
    bool first = true;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        const struct field *f = registry_field(s.registry, registry_by_path(s.registry, span_text(times[i])));
        if (f && occurs(&s, f)) {
            buf_printf(out, "%s epoch_ms(\"%s\"::BIGINT) AS \"%s\"", first ? " REPLACE (" : ",", times[i], times[i]);
            first = false;
        }
    }
    buf_add_text(out, first ? " FROM read_json('" : ") FROM read_json('");
    literal_add(out, span_text(json_path));
    buf_add_text(out, "', format='newline_delimited', maximum_object_size=268435456, columns=");
    columns_add(&s);
    buf_add_text(out, ")) TO '");
    literal_add(out, span_text(parquet_path));
    buf_add_text(out, "' (FORMAT parquet, COMPRESSION zstd)");
    buf_add_byte(out, 0);
}
