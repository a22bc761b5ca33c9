/* query.h: expressions that choose sessions: Arkime's language and what ours adds (docs/guide/expressions.md).
 *
 * Owner: a query owns its tree and copies of all text; the registry must outlive it. Thread: made by one, then
 * immutable: any number of threads may match with it. Cost: parsing is linear in the text; matching walks the tree and
 * the values of the named fields; a regular expression costs at most its instructions times the letters of the value.
 * Failure: -EINVAL with column, text and hint; -E2BIG for what is too long or too deep; -ENOMEM.
 */
#ifndef SEINE_QUERY_QUERY_H
#define SEINE_QUERY_QUERY_H

#include "base/err.h"
#include "base/span.h"
#include "field/registry.h"
#include "query/outside.h"
#include "record/record.h"

#define QUERY_TEXT_MAX ((size_t)1 << 20)
#define QUERY_DEPTH_MAX 200

struct query;
struct query_node;

/* `now`: ms since 1970, what relative times start from; times without a zone are local. The registry is sealed. An
 * empty text, or a lone `*`, chooses everything. */
int query_parse(struct span text, const struct registry *registry, int64_t now, struct query **ret_query,
                struct err *ret_err);
/* The same where files, views and shortcuts can be named. `names` may be NULL. */
int query_parse_with(struct span text, const struct registry *registry, const struct query_names *names, int64_t now,
                     struct query **ret_query, struct err *ret_err);
struct query *query_free(struct query *q);

bool query_match(const struct query *q, const struct record *r);

/* The typed tree (query/ast.h), for back ends. */
const struct query_node *query_root(const struct query *q);

#endif
