/* fit.h: whether one value is in one item of a test: what every back end that looks at values shares.
 *
 * Owner: none. Thread: any. Cost: a comparison, or the text's length times the pattern's.
 */
#ifndef SEINE_QUERY_FIT_H
#define SEINE_QUERY_FIT_H

#include "query/ast.h"
#include "record/record.h"

bool item_fits_number(const struct query_item *item, long double n);
/* The port is not looked at. */
bool item_fits_ip(const struct query_item *item, const uint8_t *ip);
/* Text is UTF-8, or Latin-1 when it is no UTF-8. */
bool item_fits_text(const struct query_item *item, struct span text);

/* A part of a query's tree against a record. */
bool query_node_match(const struct query_node *node, const struct record *r);

#endif
