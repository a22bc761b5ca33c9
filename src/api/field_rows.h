/* field_rows.h: the fields of a program as clients list them: every name that expressions know, with twins.
 *
 * Beside the registry's own entries: the number of values (`x.cnt`), words (`x.tokens`), and names that are no field
 * (`file`, `view`). Types have Arkime's names. Owner: caller. Thread: any. Cost: about 1 us a field. Failure: -ENOMEM.
 */
#ifndef SEINE_API_FIELD_ROWS_H
#define SEINE_API_FIELD_ROWS_H

#include "base/json.h"
#include "field/registry.h"

#define FIELD_ROW_NAME 160
#define FIELD_ROW_GROUP 64

struct field_row {
    char exp[FIELD_ROW_NAME];  /* in expressions */
    char path[FIELD_ROW_NAME]; /* in documents */
    char title[FIELD_ROW_NAME];
    const char *type; /* "lotermfield", ... */
    char group[FIELD_ROW_GROUP];
    const char *help, *category, *aliases, *members, *unit, *transform;
    char port[FIELD_ROW_NAME]; /* of an address: the path of its port; may be empty */
    bool date, single, no_facet, email, listed;
};

struct field_rows {
    struct field_row *list; /* in the order of `exp` */
    size_t count, cap;
};

int field_rows_make(const struct registry *r, struct field_rows *ret);
void field_rows_done(struct field_rows *f);

/* One row as an object. */
void field_row_write(struct json *j, const struct field_row *f);
/* An array in the order of names, or an object by document paths (the first name of a path). */
void field_rows_write_array(struct json *j, const struct field_rows *f);
int field_rows_write_map(struct json *j, const struct field_rows *f);

#endif
