/* restore_fixed.h: columns that become members of struct record: which, and how.
 *
 * The way in is the field's `get` (record/core_fields.c); this table is the way back.
 */
#ifndef SEINE_STORE_RESTORE_FIXED_H
#define SEINE_STORE_RESTORE_FIXED_H

#include "record/record.h"

enum fixed_how {
    FIXED_NUMBER, /* a whole number of `size` bytes at `offset` */
    FIXED_TIME,   /* ns from ms */
    FIXED_IP,
    FIXED_PAYLOAD, /* hexadecimal text; `offset` is the side */
    FIXED_NODE,
    FIXED_FILES,
    FIXED_FLAGS,
    FIXED_ICMP,
    FIXED_POSITIONS,
    FIXED_LEFT, /* comes from other members */
};

struct fixed_column {
    struct span path;
    enum fixed_how how;
    uint32_t offset, size;
    bool alone; /* only the field of this path reads it: left out where that field is not wanted */
};

/* NULL: the column is no member of the record. */
const struct fixed_column *fixed_find(struct span path);
/* Whether `is_wanted` says yes to a field that needs this member besides the one of the same path. What ids and all
 * other fields need is always needed. */
bool fixed_serves(const struct fixed_column *c, bool (*is_wanted)(const void *ctx, struct span path), const void *ctx);
/* Numbers, times, addresses and payloads; the rest is the restorer's. */
void fixed_set(struct record *r, const struct fixed_column *c, struct span bytes, uint64_t number);

#endif
