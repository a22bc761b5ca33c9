/* type.h: from syntax to the typed tree. Memory from the typing's arena. */
#ifndef SEINE_QUERY_TYPE_H
#define SEINE_QUERY_TYPE_H

#include "query/item.h"
#include "query/parse.h"

int type_tree(const struct typing *t, const struct syntax *s, struct query_node **ret);

#endif
