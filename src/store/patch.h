/* patch.h: changes over the rows of one part: what the overlay says about them, ready to be applied.
 *
 * Owner: the snapshot (or a merge). Thread: read-only once made. Cost: a binary search a row. Failure: -ENOMEM.
 */
#ifndef SEINE_STORE_PATCH_H
#define SEINE_STORE_PATCH_H

#include "base/buf.h"
#include "store/control_tables.h"
#include "store/part_open.h"
#include "store/store.h"

/* All changes of a store, as they stood at one time. */
struct overlay {
    struct overlay_change_of {
        uint64_t id, seq;
        enum overlay_op op;
        uint32_t path, path_len, value, value_len; /* in text */
    } * changes;                                   /* by seq, then id */
    size_t count, cap;
    struct buf text;
    uint64_t last_id;
};
int overlay_load(struct control *c, struct overlay *ret);
void overlay_done(struct overlay *o);

struct patch {
    const struct overlay *overlay;
    struct patch_change {
        uint32_t row;
        uint32_t change; /* index into overlay->changes */
    } * changes;         /* by row, then in the order they were made */
    size_t count;
    uint32_t *rows; /* ascending, each once */
    uint32_t row_count;
    uint64_t *gone; /* a bit for each row, or NULL */
};

/* Changes younger than `folded`. `*ret_patch` is NULL when there are none and no row of the part is gone. */
int patch_make(const struct overlay *o, const struct part *p, uint64_t folded, struct patch **ret_patch);
struct patch *patch_free(struct patch *p);
bool patch_has_row(const struct patch *p, uint32_t row);

/* Values of a field of one row. */
struct patch_values {
    struct patch_value {
        uint64_t number;
        struct span bytes;
    } * list;
    uint32_t count, cap;
    struct buf memory; /* of values made from text */
    int error;
};
void patch_values_init(struct patch_values *v);
void patch_values_clear(struct patch_values *v);
void patch_values_done(struct patch_values *v);
void patch_values_add(struct patch_values *v, struct span bytes, uint64_t number);
/* Changes the values of this field of `row`. `single`: of several only the last counts. */
void patch_apply(const struct patch *p, uint32_t row, struct span path, enum field_type type, bool single,
                 struct patch_values *v);
/* Calls `each` for every path that changes touch in this row (more than once, maybe). */
void patch_paths(const struct patch *p, uint32_t row, void (*each)(void *ctx, struct span path), void *ctx);
/* Paths of all changes of the patch, each at least once. */
void patch_each_path(const struct patch *p, void (*each)(void *ctx, struct span path), void *ctx);

/* The stored form of a text for a field of this type. False: it is no value of that type. */
bool value_from_text(enum field_type type, struct span text, struct buf *memory, struct patch_value *ret);

#endif
