/* cache.h: unpacked pieces of parts (blocks of dictionaries, lists, runs of text), shared, with a ceiling.
 *
 * A piece hangs in the slot of its part. It is alive while somebody has it pinned (struct use in part.h), and stays
 * behind unpinned until the ceiling pushes it out, the longest unused one first.
 *
 * Owner: the store; parts must go before their cache. Thread: any; one lock. Failure: -errno of the unpacking.
 */
#ifndef SEINE_STORE_CACHE_H
#define SEINE_STORE_CACHE_H

#include <pthread.h>

#include "store/part.h"

struct unpacked {
    struct cache *cache;
    struct unpacked **slot;
    struct unpacked *older, *newer; /* while nobody has it pinned */
    uint32_t pins;
    size_t size;
    uint32_t count, rows;
    uint32_t width;    /* bytes of each value; 0: see ends */
    uint32_t *ends;    /* of values in bytes; of lists in codes */
    uint32_t *row_end; /* RAW: values of each row; NULL: one each */
    uint8_t *bytes;
    uint32_t *codes;
};

struct cache {
    pthread_mutex_t lock;
    struct unpacked *oldest, *newest;
    size_t held, ceiling;
    uint64_t loads, evictions;
};

int cache_init(struct cache *c, size_t ceiling);
void cache_done(struct cache *c);
/* Lets go of everything that is not pinned. */
void cache_rest(struct cache *c);

/* Makes what a slot holds: fills everything but cache, slot and pins of a zeroed piece. */
typedef int (*unpack_fn)(const struct column *c, uint32_t index, struct unpacked *ret);
struct piece {
    struct cache *cache;
    struct unpacked **slot;
    unpack_fn unpack;
    const struct column *column;
    uint32_t index;
};
/* The piece of a slot, pinned by `u`. */
int use_piece(struct use *u, const struct piece *piece, const struct unpacked **ret);
/* For a part that goes: nobody has it pinned any more. */
void cache_forget(struct cache *cache, struct unpacked **slot);
void unpacked_free(struct unpacked *p);

#endif
