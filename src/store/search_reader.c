/* search_reader.c: where the values of a field are in a part: a column, two columns it is computed from, or only in
 * the restored record. The table says what is computed; it agrees with record/core_fields.c.
 */
#include <errno.h>

#include "query/item.h"
#include "store/search_own.h"

/* Numbers every session has although no column has them. */
static const struct {
    const char *path, *one, *two;
    enum derive how;
} derived[] = {
    {"network.bytes", "source.bytes", "destination.bytes", DERIVE_SUM},
    {"network.packets", "source.packets", "destination.packets", DERIVE_SUM},
    {"totDataBytes", "client.bytes", "server.bytes", DERIVE_SUM},
    {"length", "firstPacket", "lastPacket", DERIVE_APART},
    {"packetRange.gte", "firstPacket", "lastPacket", DERIVE_LEAST},
    {"packetRange.lte", "firstPacket", "lastPacket", DERIVE_MOST},
};

/* Documents show times of the first ten seconds of 1970 ten seconds later: there the order of two times may differ. */
#define ODD_TIMES_END 20000

static bool is_u64(const struct column *c) {
    return !c || (column_info(c)->type != FT_I64 && column_info(c)->type != FT_FLOAT &&
                  (column_info(c)->kind == COLUMN_NUMBER || column_info(c)->kind == COLUMN_CODE));
}

static bool bind_derived(struct reader *r, const struct part *p, struct span path) {
    for (size_t i = 0; i < ARRAY_LEN(derived); i++) {
        if (!span_is(path, derived[i].path)) {
            continue;
        }
        const struct part_info *info = part_info(p);
        bool odd = derived[i].how >= DERIVE_LEAST && MIN(info->first_min, info->last_min) < ODD_TIMES_END;
        r->c = part_find(p, span_text(derived[i].one));
        r->other = part_find(p, span_text(derived[i].two));
        r->how = derived[i].how;
        r->kind = odd || !is_u64(r->c) || !is_u64(r->other) ? READER_RESTORE : READER_DERIVED;
        return true;
    }
    return false;
}

/* An object's column is that of the outermost object around it and tells which rows have one. */
static const struct column *object_column(const struct registry *registry, const struct part *p,
                                          const struct field *f) {
    while (f->parent != FIELD_NONE) {
        f = registry_field(registry, f->parent);
    }
    return part_find(p, span_text(f->def->path));
}

void reader_bind(struct reader *r, const struct registry *registry, const struct part *p, const struct query_field *f) {
    *r = (struct reader){.field = *f, .kind = READER_RESTORE};
    if (!f->field || f->field->type == FT_UNION) {
        return;
    }
    struct span path = span_text(f->field->def->path);
    if (f->field->type == FT_OBJECT) {
        r->c = object_column(registry, p, f->field);
        r->kind = r->c ? READER_RESTORE : READER_NONE;
        return;
    }
    r->c = part_find(p, path);
    if (r->c) {
        r->info = column_info(r->c);
        r->kind = r->info->type == f->field->type ? READER_COLUMN : READER_RESTORE;
    } else if (!bind_derived(r, p, path)) {
        r->kind = path_is_derived(path) ? READER_RESTORE : READER_NONE;
    }
}

static bool is_numeric(const struct query_field *f) {
    return query_field_class(f) <= CLASS_BOOL;
}

bool reader_is_number(const struct reader *r) {
    if (r->kind == READER_DERIVED) {
        return true;
    }
    if (r->kind != READER_COLUMN || r->info->kind == COLUMN_LIST || r->info->kind == COLUMN_RAW) {
        return false;
    }
    return r->field.access == ACCESS_COUNT || (r->field.access == ACCESS_VALUE && is_numeric(&r->field)) ||
           r->field.access == ACCESS_SECONDS;
}

/* The numbers a dictionary's codes stand for. */
static int decode_codes(struct worker *w, const struct column *c, uint64_t **decoded) {
    uint32_t values = column_info(c)->values;
    if (*decoded) {
        return 0;
    }
    uint64_t *to = worker_alloc(w, values * sizeof(*to) + 1);
    if (!to) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < values; i++) {
        struct span value;
        int code = column_value(c, &w->use, i, &value);
        if (code < 0) {
            return code;
        }
        to[i] = number_from_bytes(value);
    }
    *decoded = to;
    return 0;
}

static int column_to_numbers(struct worker *w, const struct column *c, uint64_t **decoded, uint32_t block,
                             uint64_t *to) {
    uint32_t rows = worker_rows(w, block);
    if (!c) {
        memset(to, 0, rows * sizeof(*to));
        return 0;
    }
    if (column_info(c)->kind == COLUMN_NUMBER) {
        return column_numbers(c, block, to);
    }
    uint32_t *codes = worker_codes(w, SEARCH_SLOTS - 1);
    int code = codes ? decode_codes(w, c, decoded) : -ENOMEM;
    code = code < 0 ? code : column_codes(c, block, codes);
    for (size_t i = 0; code >= 0 && i < rows; i++) {
        to[i] = codes[i] == CODE_NONE ? 0 : (*decoded)[codes[i]];
    }
    return code;
}

static void derive(enum derive how, uint32_t rows, uint64_t *one, const uint64_t *two) {
    switch (how) {
    case DERIVE_SUM:
        for (size_t i = 0; i < rows; i++) {
            one[i] += two[i];
        }
        return;
    case DERIVE_APART:
        for (size_t i = 0; i < rows; i++) {
            one[i] = one[i] > two[i] ? one[i] - two[i] : two[i] - one[i];
        }
        return;
    case DERIVE_LEAST:
        for (size_t i = 0; i < rows; i++) {
            one[i] = MIN(one[i], two[i]);
        }
        return;
    default:
        for (size_t i = 0; i < rows; i++) {
            one[i] = MAX(one[i], two[i]);
        }
    }
}

static int derived_numbers(struct worker *w, struct reader *r, uint32_t block, uint64_t *to) {
    uint64_t *two = worker_numbers(w, SEARCH_SLOTS - 1), *none = NULL;
    int code = two ? column_to_numbers(w, r->c, &r->decoded, block, to) : -ENOMEM;
    code = code < 0 ? code : column_to_numbers(w, r->other, &none, block, two);
    if (code >= 0) {
        derive(r->how, worker_rows(w, block), to, two);
    }
    return code;
}

int reader_numbers(struct worker *w, struct reader *r, uint32_t block, size_t slot, const uint64_t **ret_numbers,
                   uint64_t *ret_present) {
    uint64_t *to = worker_numbers(w, slot);
    int code = to ? 0 : -ENOMEM;
    if (code == 0 && r->kind == READER_DERIVED) {
        memset(ret_present, 0xff, PART_WORDS * sizeof(*ret_present));
        code = derived_numbers(w, r, block, to);
    } else if (code == 0) {
        bool count = r->field.access == ACCESS_COUNT;
        code = column_presence(r->c, block, ret_present);
        code = code < 0 || count ? code : column_to_numbers(w, r->c, &r->decoded, block, to);
    }
    if (code < 0) {
        return code;
    }
    if (r->field.access == ACCESS_COUNT) {
        for (size_t i = 0; i < worker_rows(w, block); i++) {
            to[i] = 1;
        }
    }
    *ret_numbers = to;
    return 0;
}

bool patch_changes(const struct patch *p, const struct query_field *f) {
    if (!f->field) {
        return false;
    }
    struct span path = span_text(f->field->def->path);
    bool changes = patch_touches(p, path) || (f->port && patch_touches(p, span_text(f->port->def->path)));
    for (size_t i = 0; i < ARRAY_LEN(derived) && !changes; i++) {
        changes = span_is(path, derived[i].path) &&
                  (patch_touches(p, span_text(derived[i].one)) || patch_touches(p, span_text(derived[i].two)));
    }
    return changes || f->field->type == FT_OBJECT;
}

void block_patched(const struct patch *p, uint32_t block, uint64_t *mask, bool only) {
    uint64_t patched[PART_WORDS] = {0};
    size_t count = 0;
    const uint32_t *rows = p ? patch_rows(p, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (rows[i] / PART_BLOCK == block) {
            map_set(patched, rows[i] % PART_BLOCK);
        }
    }
    for (size_t i = 0; p && i < PART_WORDS; i++) {
        mask[i] &= only ? patched[i] : ~patched[i];
    }
}
