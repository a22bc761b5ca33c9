/* type_outside.h: tests of files and views, and the items of shortcuts. Memory from the typing's arena. */
#ifndef SEINE_QUERY_TYPE_OUTSIDE_H
#define SEINE_QUERY_TYPE_OUTSIDE_H

#include "query/type.h"

/* `name`: file or view; `value`: right of the operator. *ret stays NULL when there is nothing of the kind. */
int type_file(const struct typing *t, struct span name, enum query_op op, const struct token *value,
              struct query_node **ret);
int type_view(const struct typing *t, struct span name, enum query_op op, const struct token *value,
              struct query_node **ret);

static inline bool is_shortcut(const struct token *t) {
    return t->kind == TOKEN_WORD && span_byte(t->text, 0) == '$';
}
/* Any of the fields against the values of the shortcut, or of all that its wildcard names. */
int type_shortcut(const struct typing *t, struct named *n, enum query_op op, const struct token *token,
                  struct query_node **ret);

#endif
