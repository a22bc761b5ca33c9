/* type.h: from syntax to the typed tree. Memory from the typing's arena. */
#ifndef SEINE_QUERY_TYPE_H
#define SEINE_QUERY_TYPE_H

#include "query/item.h"
#include "query/names.h"
#include "query/parse.h"

/* Long lists are cut into tests of so many items: memory comes in pieces. */
#define TYPE_ITEMS_MAX ((size_t)8192)

/* Zeroed memory for what holds a long double, which needs more alignment than the arena gives. */
void *type_calloc(const struct typing *t, size_t size);
struct query_node *type_node(const struct typing *t, enum query_kind kind, size_t children); /* NULL: told */
/* Orders the fields from `from` on so that those of its kind follow it; returns where they end. */
size_t type_same_kind(struct query_field *fields, size_t from, size_t count);

int type_tree(const struct typing *t, const struct syntax *s, struct query_node **ret);

#endif
