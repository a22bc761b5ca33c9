/* typing.h: what is being typed at a place of an expression.
 *
 * Owner: caller; spans point into the text. Thread: any. Cost: one pass over the text before the place.
 */
#ifndef SEINE_API_TYPING_H
#define SEINE_API_TYPING_H

#include "base/span.h"

enum typed { TYPED_NOTHING, TYPED_FIELD, TYPED_OPERATOR, TYPED_VALUE, TYPED_CONNECTIVE };

struct typing_place {
    enum typed what;
    size_t from, to;     /* what a completion takes the place of */
    struct span prefix;  /* what stands there up to the cursor, without quotes */
    struct span field;   /* TYPED_OPERATOR, TYPED_VALUE: whose */
    bool quoted, listed; /* inside quotes; an item of a list */
};

void typing_find(struct span text, size_t cursor, struct typing_place *ret);

/* Whether a value must stand in quotes. */
bool typing_needs_quotes(struct span value);

#endif
