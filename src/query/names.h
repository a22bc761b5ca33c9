/* names.h: what a name in an expression stands for: a field, an alias, a `db:` path, a union or family, `.cnt`,
 * `.tokens`. */
#ifndef SEINE_QUERY_NAMES_H
#define SEINE_QUERY_NAMES_H

#include "base/arena.h"
#include "query/ast.h"

struct named {
    struct query_field *fields;
    size_t count; /* 0: nobody has the name */
    bool many;    /* a union or family: members without a port are left out when one is asked for */
};

/* 0 or -ENOMEM. */
int names_find(struct span name, const struct registry *registry, struct arena *arena, struct named *ret);

#endif
