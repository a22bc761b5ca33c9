/* merge.h: several neighbouring parts as one, column by column, with changes of the overlay folded in.
 *
 * Owner: caller. Thread: one. Cost: about 2 us a row; memory for one column. Failure: -errno.
 */
#ifndef SEINE_STORE_MERGE_H
#define SEINE_STORE_MERGE_H

#include "store/part_open.h"
#include "store/patch.h"
#include "store/schema.h"

struct merge {
    struct part *const *parts;    /* their rows follow each other without a gap */
    struct patch *const *patches; /* one for each part, may be NULL; or NULL */
    uint32_t count;
    const struct schema *schema; /* with patches: which fields have one value only */
    bool (*stop)(void *ctx);     /* asked between columns; may be NULL */
    void *ctx;
    uint32_t *ret_bad; /* the part that -EBADMSG came from; may be NULL */
};

/* Fields that may have no column yet and get values from the overlay. */
struct merge_extra {
    const struct schema_field *const *fields;
    size_t count;
};
/* Writes all columns into `w`, which was begun with the sum of rows. `extra`: may be NULL.
 */
int merge_columns(const struct merge *m, const struct merge_extra *extra, struct segment_writer *w);
/* The same into memory. */
int merge_into_memory(const struct merge *m, const char *name, struct part **ret_part);

#endif
