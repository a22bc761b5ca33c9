/* values.h: values of a record as text, and columns of them by expression name.
 *
 * Owner: columns belong to the command. Thread: reading is fine from any worker. Cost: a binary search over the fields
 * present.
 */
#ifndef SEINE_CMD_VALUES_H
#define SEINE_CMD_VALUES_H

#include "base/buf.h"
#include "cmd/show.h"
#include "record/values.h"

/* A value as plain text: addresses written out, times as ISO 8601. */
void value_text(const struct show *show, const struct field *f, const struct value *v, struct buf *out);

#define COLUMN_MEMBERS_MAX 32
struct column {
    char name[96];                                  /* as asked for */
    bool is_id, is_text;                            /* `id`: the document's; text: comes from the capture */
    const struct field *fields[COLUMN_MEMBERS_MAX]; /* several for a union */
    size_t count;
};

/* A field by its expression name or `db:` path, or `id`. 0, or -errno with what is wrong and the nearest name. */
int column_find(const struct registry *registry, const char *name, struct column *ret, struct err *ret_err);
/* All values, `;` between them. */
void column_text(const struct show *show, const struct column *c, const struct record *r, struct buf *out);

#endif
