/* elastic_clause.h: the leaves of elastic.h: what one field is asked. Internal to it. */
#ifndef SEINE_QUERY_ELASTIC_CLAUSE_H
#define SEINE_QUERY_ELASTIC_CLAUSE_H

#include "base/json.h"
#include "query/ast.h"

struct elastic {
    struct json json;
    const char *lookups;
    struct err *err;
    int failed; /* the first failure; what is written then is of no use */
};

#define ELASTIC_NAME_MAX 280

/* Says why the query cannot be asked; the first reason stays. */
void elastic_fail(struct elastic *e, const char *why);
/* The field's name in documents, with what its values are looked at by: `http.hostCnt`. */
const char *elastic_name(const struct query_field *f, char ret[ELASTIC_NAME_MAX]);

/* Whether the item is one value that can share a `terms` with others of its kind. */
bool elastic_is_term(const struct query_field *f, const struct query_item *item);
void elastic_item(struct elastic *e, const struct query_field *f, const struct query_item *item);
/* {"terms":{field:[...]}} of those among the items that elastic_is_term. */
void elastic_terms(struct elastic *e, const struct query_field *f, const struct query_item *items, size_t count);
void elastic_port(struct elastic *e, const struct query_field *f, const struct query_item *item);
/* The address of an item that has a port too. */
void elastic_address(struct elastic *e, const struct query_field *f, const struct query_item *item);

/* A comparison between fields: a script. */
void elastic_script(struct elastic *e, const struct query_node *node);

/* {"kind":{"field": and its two closing brackets. */
void elastic_open(struct elastic *e, const char *kind, const char *field);
void elastic_close(struct elastic *e);

#endif
