/* values.h: the values of a record's field, wherever they are kept: computed, in cells, or inside objects.
 *
 * Owner: none. Thread: any, while nobody changes the record. Cost: a binary search over the fields present.
 */
#ifndef SEINE_RECORD_VALUES_H
#define SEINE_RECORD_VALUES_H

#include "base/buf.h"
#include "record/record.h"

/* Calls `each` for every value of `f`, in document order; also for members of objects. False from `each` ends it. */
typedef bool (*value_fn)(void *ctx, const struct field *f, const struct value *v);
void record_values(const struct record *r, const struct field *f, value_fn each, void *ctx);

/* What the record keeps of a field in its cells; NULL: nothing. */
const struct cell_head *record_head(const struct record *r, const struct field *f);

/* Appends one value as people read it: numbers in digits (times in ms), addresses written out, text as it is. */
void value_write(const struct field *f, const struct value *v, struct buf *out);

#endif
