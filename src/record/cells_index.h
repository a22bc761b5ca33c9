/* cells_index.h: whether a value is in a long list of a record, without a walk over it. For cells.c.
 *
 * A list is walked while it is short. Of the longer ones that were looked at last a few have a hash table each; it is
 * made when a list is looked at for the second time, so that lists that take turns cost a walk, as without tables.
 * Tables hold offsets, which stay when the block of the cells moves.
 *
 * Owner: the pool of the cells (pool.h: kept). Thread: one. Cost: a hash of the value, keyed: nobody can send values
 * that all fall into one place. Failure: without memory there is no table, and the list is walked.
 */
#ifndef SEINE_RECORD_CELLS_INDEX_H
#define SEINE_RECORD_CELLS_INDEX_H

#include "record/record.h"

#define CELLS_INDEX_FROM 32 /* values: so many are walked in less time */

/* A list: `object` is the offset of the object it is in (0: a field of the record itself), `first` where to begin. */
struct cells_list {
    uint32_t object, first;
    uint16_t field;
};

enum cells_found { CELLS_UNKNOWN, CELLS_ABSENT, CELLS_PRESENT };

/* CELLS_UNKNOWN: no table, walk the list. */
enum cells_found cells_index_find(struct cells *c, struct cells_list list, struct span value);
/* The cell at `at` is new in the list. */
void cells_index_add(struct cells *c, struct cells_list list, uint32_t at);
/* The block is now at `base`; NULL: it is gone, or a value was taken out of a list. */
void cells_index_move(struct cells *c, const uint8_t *base);

#endif
