/* seen.h: how many sessions there are for a user with a forced expression: recordsTotal of what they may see.
 *
 * Remembered by expression for as long as the store does not change, so that a page asks once.
 *
 * Owner: struct api. Thread: any. Cost: a search over the whole store, or a look into a table of SEEN_MAX. Failure: a
 * search that fails counts none; the number is told, not relied on.
 */
#ifndef SEINE_API_SEEN_H
#define SEINE_API_SEEN_H

#include "api/ask.h"

#define SEEN_MAX 64

struct seen_table;

struct seen_table *seen_table_new(void);
struct seen_table *seen_table_free(struct seen_table *t);

/* Sessions of the ask's snapshot that match the forced expression. */
uint64_t seen_count(struct ask *a, const char *forced);

#endif
