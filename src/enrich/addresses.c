/* addresses.c: what is known of every address of a session: of its two ends, and of those in lists (DNS answers,
 * X-Forwarded-For, ...). For the ends it goes to source.* and destination.*; for lists to the GEO, ASN and RIR
 * companions, as many as there are addresses. Overrides win over databases, member by member.
 */
#include <string.h>

#include "base/util.h"
#include "enrich/parts.h"
#include "record/core_fields.h"
#include "record/values.h"

struct addresses {
    const struct overrides *overrides;
    const struct databases *databases;
    const uint16_t *ends; /* fields of both ends */
};

static bool look_up(const struct addresses *a, const uint8_t ip[16], struct place *ret) {
    *ret = (struct place){0};
    bool known = overrides_count(a->overrides) && overrides_find(a->overrides, ip, ret);
    return databases_find(a->databases, ip, ret) || known;
}

static void put(struct record *rec, const struct field *f, struct span text) {
    if (text.len) {
        (void)cells_put_text(&rec->cells, f, text);
    }
}

static void put_ops(struct record *rec, const struct field *fields, const struct place *place, uint16_t matched) {
    for (const struct field_op *op = place->ops; op; op = op->next) {
        field_op_put(fields, &rec->cells, op, op->value, matched);
    }
}

static void apply_end(const struct addresses *a, struct record *rec, const struct field *fields, unsigned side) {
    struct place place;
    if (!look_up(a, rec->ip[side], &place)) {
        return;
    }
    put(rec, &fields[CORE_SRC_COUNTRY + side], place.country);
    put(rec, &fields[CORE_SRC_REGION + side], place.region);
    put(rec, &fields[CORE_SRC_CITY + side], place.city);
    put(rec, &fields[CORE_SRC_RIR + side], place.rir);
    if (place.as_full.len) {
        put(rec, &fields[CORE_SRC_AS_FULL + side], place.as_full);
        put(rec, &fields[CORE_SRC_AS_NAME + side], place.as_name);
        (void)cells_put_u64(&rec->cells, &fields[CORE_SRC_AS_NUMBER + side], place.as_number);
    }
    put_ops(rec, fields, &place, a->ends[side]);
}

#define LIST_MAX 512

struct address {
    uint16_t field;
    uint8_t ip[16];
};

/* The addresses of a chain of cells: of one list, or of all lists of an object. */
static size_t addresses_copy(const struct record *rec, const struct field *fields, const struct cell *first,
                             struct address *ret) {
    size_t n = 0;
    for (const struct cell *c = first; c && n < LIST_MAX; c = cells_next(&rec->cells, c)) {
        if (fields[c->field].type == FT_IP) {
            ret[n].field = c->field;
            memcpy(ret[n++].ip, cell_value(c, &fields[c->field]).bytes.at, 16);
        }
    }
    return n;
}

/* The companions of an address, in the order of their fields, and what stands in a list for one that is not known. */
enum { GEO, ASN, RIR, KINDS };
static const char *const unknown[KINDS] = {"---", "---", ""};

static void place_kinds(const struct place *place, struct span ret[KINDS]) {
    ret[GEO] = place->country;
    ret[ASN] = place->as_full;
    ret[RIR] = place->rir;
}

static void put_companion(struct record *rec, struct object in, const struct field *f, struct span text,
                          const char *instead) {
    if (!text.len && (f->flags & F_SINGLE)) {
        return;
    }
    text = text.len ? text : span_text(instead);
    if (in.at) {
        cells_object_text(&rec->cells, in, f, text);
    } else {
        (void)cells_put_text(&rec->cells, f, text);
    }
}

/* A companion is there when any of the list's addresses has one: then as many as addresses, in their order. */
static void apply_list(const struct addresses *a, struct record *rec, const struct field *fields, struct object in,
                       const struct address *list, size_t n) {
    struct place place;
    struct span text[KINDS];
    bool any[KINDS] = {false};
    uint16_t companion = fields[list[0].field].companion;
    for (size_t i = 0; i < n; i++) {
        if (look_up(a, list[i].ip, &place)) {
            place_kinds(&place, text);
            for (unsigned kind = 0; kind < KINDS; kind++) {
                any[kind] |= text[kind].len != 0;
            }
            put_ops(rec, fields, &place, list[0].field);
        }
    }
    if (companion == FIELD_NONE || !(any[GEO] || any[ASN] || any[RIR])) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        (void)look_up(a, list[i].ip, &place);
        place_kinds(&place, text);
        for (unsigned kind = 0; kind < KINDS; kind++) {
            if (any[kind]) {
                put_companion(rec, in, &fields[companion + kind], text[kind], unknown[kind]);
            }
        }
    }
}

/* The addresses are copied first: putting companions moves the cells. */
static void apply_chain(const struct addresses *a, struct record *rec, const struct field *fields, struct object in,
                        const struct cell *first) {
    struct address list[LIST_MAX];
    size_t n = addresses_copy(rec, fields, first, list);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && list[end].field == list[i].field;) {
            end++;
        }
        apply_list(a, rec, fields, in, list + i, end - i);
    }
}

/* Each element of a list of objects: found by its offset, which stays when cells move. */
static void apply_objects(const struct addresses *a, struct record *rec, const struct field *fields, uint16_t field) {
    struct object in = {record_head(rec, &fields[field])->first, field};
    while (in.at) {
        const struct cell *object = (const struct cell *)(const void *)(rec->cells.base + in.at);
        apply_chain(a, rec, fields, in, cells_object_first(&rec->cells, object));
        object = (const struct cell *)(const void *)(rec->cells.base + in.at);
        in.at = object->next;
    }
}

void addresses_apply(const struct overrides *overrides, const struct databases *databases, const uint16_t ends[2],
                     struct record *rec, const struct field *fields) {
    const struct addresses of = {overrides, databases, ends}, *a = &of;
    if (rec->has_ip) {
        apply_end(a, rec, fields, SIDE_SRC);
        apply_end(a, rec, fields, SIDE_DST);
    }
    uint16_t lists[64];
    size_t n = 0, count;
    const struct cell_head *heads = cells_heads(&rec->cells, &count);
    for (size_t i = 0; i < count && n < ARRAY_LEN(lists); i++) {
        if (fields[heads[i].field].type == FT_IP || fields[heads[i].field].type == FT_OBJECT) {
            lists[n++] = heads[i].field;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (fields[lists[i]].type == FT_OBJECT) {
            apply_objects(a, rec, fields, lists[i]);
        } else {
            apply_chain(a, rec, fields, (struct object){0, 0},
                        cells_first(&rec->cells, record_head(rec, &fields[lists[i]])));
        }
    }
}
