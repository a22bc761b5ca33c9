/* registry.h: all fields of a running program, with ids.
 *
 * Owner: main; built at start, then read-only, shared by pointer. Thread: any (after registry_seal). Cost: array
 * lookups by id; a binary search by name or path. Failure: -EEXIST for a path, JSON key, expression name or alias that
 * is taken, -EINVAL for a table that makes no sense (err says which entry), -E2BIG beyond REGISTRY_MAX. A registry
 * whose seal failed can only be freed.
 */
#ifndef SEINE_FIELD_REGISTRY_H
#define SEINE_FIELD_REGISTRY_H

#include "base/err.h"
#include "base/span.h"
#include "field/field.h"

#define REGISTRY_MAX 8192
#define FIELD_NONE 0xffff

/* Keys made by the registry can be read so far, whatever their length. */
#define FIELD_KEY_READABLE 32

/* What the hot path needs of a field. Text members are quoted and end in a colon: `"hostCnt":`. */
struct field {
    uint16_t id;
    uint16_t rank;      /* position in the order fields are written */
    uint16_t parent;    /* the object it is a child of, or FIELD_NONE */
    uint16_t companion; /* F_GEO: id of the first of GEO, ASN, RIR (three in a row), or FIELD_NONE */
    uint8_t type;       /* enum field_type */
    uint8_t depth;      /* number of groups (JSON objects) it is nested in; object children: 0 */
    uint32_t flags;
    struct span key;       /* of the value, in its innermost group */
    struct span count_key; /* empty when there is none */
    struct span groups[4]; /* keys of the groups, outermost first */
    const struct field_def *def;
    const char *owner; /* protocol whose table it came from */
};

struct registry;

struct registry *registry_new(void);
struct registry *registry_free(struct registry *r);

/* Adds a table; entry i gets the id *ret_base + i. Definitions must outlive the registry. `owner`: protocol name. */
int registry_add(struct registry *r, const char *owner, const struct field_def *defs, size_t count, uint16_t *ret_base,
                 struct err *ret_err);
/* Adds one field made at run time (configuration, intelligence); copies everything. A field of the same path and type
 * that exists already is returned instead. */
int registry_add_dynamic(struct registry *r, const char *owner, const struct field_def *def, uint16_t *ret_id,
                         struct err *ret_err);
/* Gives ranks and companions; nothing can be added afterwards. */
int registry_seal(struct registry *r, struct err *ret_err);

size_t registry_count(const struct registry *r);
const struct field *registry_field(const struct registry *r, uint16_t id); /* NULL beyond the end */
const struct field *registry_fields(const struct registry *r);             /* the array, by id */
/* Ids in writing order; registry_count entries (virtual fields and object children included: they are skipped by
 * writers). */
const uint16_t *registry_order(const struct registry *r);
/* By expression name or alias (case folded), or by "db:" path. FIELD_NONE when unknown. */
uint16_t registry_by_name(const struct registry *r, struct span name);
uint16_t registry_by_path(const struct registry *r, struct span path);
/* The known expression name nearest to `name`, or NULL when none is near. */
const char *registry_nearest(const struct registry *r, struct span name);

#endif
