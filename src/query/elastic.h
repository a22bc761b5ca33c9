/* elastic.h: a query as Elasticsearch or OpenSearch wants it: one clause of their query language, in the shape Arkime's
 * viewer gives it, over the fields of session documents.
 *
 * Owner: none. Thread: any. Cost: linear in the tree. Failure: -ENOTSUP with text for the few things those databases
 * cannot be asked (regular expressions over bytes or ids, `<` between addresses of a session); -ENOMEM when the buffer
 * is full.
 */
#ifndef SEINE_QUERY_ELASTIC_H
#define SEINE_QUERY_ELASTIC_H

#include "base/buf.h"
#include "query/query.h"

/* Appends the clause. `lookups`: the index in which shortcuts are kept, "arkime_lookups". */
int query_to_elastic(const struct query *q, const char *lookups, struct buf *out, struct err *ret_err);

#endif
