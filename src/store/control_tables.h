/* control_tables.h: the tables of control.db that the store itself needs, and what its files share of a connection.
 *
 * Owner, thread, failure: those of control.h.
 */
#ifndef SEINE_STORE_CONTROL_TABLES_H
#define SEINE_STORE_CONTROL_TABLES_H

#include "store/control.h"

extern const struct control_schema control_own_tables;

bool control_in_transaction(struct control *c);
uint64_t control_last_id(struct control *c);

/* --- overlay, for readers and for merges that fold it --- */

struct overlay_row {
    uint64_t id; /* ascending */
    uint64_t seq;
    enum overlay_op op;
    struct span path, value;
};
typedef int (*overlay_fn)(void *ctx, const struct overlay_row *row);
/* Every change, in the order of their ids; what is borrowed is valid during the call. Not 0 from `each` ends it. */
int overlay_each(struct control *c, overlay_fn each, void *ctx);
/* Grows with every change ever made; the same number: no change was added. */
uint64_t overlay_newest(struct control *c);
/* Forgets changes that are part of a segment. */
int overlay_forget(struct control *c, uint64_t seq_low, uint64_t seq_high, uint64_t up_to);

#endif
