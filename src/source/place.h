/* place.h: the captures a source met so far, by number, and where each was.
 *
 * Owner: the source, whose thread alone adds. Thread: any may read: entries never move, and the count is published
 * after the entry is whole. Cost: a count of leading zeros. Failure: -ENOMEM; -E2BIG at PLACES_MAX.
 */
#ifndef SEINE_SOURCE_PLACE_H
#define SEINE_SOURCE_PLACE_H

#include "source/source.h"

/* Captures of one run; more are left out and counted. */
#define PLACES_MAX ((uint32_t)1 << 20)
/* Pieces of 16, 32, 64, ... entries. */
#define PLACE_PIECES 17

struct place {
    struct capture_file file;
    size_t input;
    uint32_t within; /* captures of the same input before it */
};

struct places {
    uint32_t count; /* atomic */
    struct place *pieces[PLACE_PIECES];
};

/* Adds a capture; its name is copied, its number is the new count. */
int places_add(struct places *p, const struct place *place);
void places_done(struct places *p);
uint32_t places_count(const struct places *p);
/* NULL for a number that was not met yet. */
const struct place *places_get(const struct places *p, uint32_t number);

#endif
