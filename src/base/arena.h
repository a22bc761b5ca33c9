/* arena.h: bump allocator over blocks of a pool; everything goes at once.
 *
 * Owner: one session or one call. Thread: that of its pool. Cost: an add and a compare. Failure: NULL at the ceiling;
 * the caller drops the value, the arena counts it. Under ASan allocations have poisoned gaps between them; with
 * -Darena_debug=true each is a malloc of its own.
 */
#ifndef SEINE_BASE_ARENA_H
#define SEINE_BASE_ARENA_H

#include "base/pool.h"
#include "base/span.h"

struct arena_chunk;

struct arena {
    struct pool *pool;
    struct arena_chunk *chunk; /* newest first */
    uint8_t *at, *end;
    size_t used;    /* bytes handed out */
    size_t ceiling; /* 0 = none but the pool's */
    uint32_t refused;
    uint32_t first; /* size of the first chunk */
};

void arena_init(struct arena *a, struct pool *pool, size_t first, size_t ceiling);
void arena_done(struct arena *a);
/* Empties it but keeps the newest chunk for the next use (scratch memory). */
void arena_reset(struct arena *a);

void *arena_alloc(struct arena *a, size_t size);  /* 8-byte aligned, not zeroed */
void *arena_calloc(struct arena *a, size_t size); /* zeroed */
/* A copy of `s`; {NULL, 0} when memory is refused. */
struct span arena_copy(struct arena *a, struct span s);

#endif
