/* pool.h: memory of one worker in size classes, with a ceiling.
 *
 * Owner: the worker that made it; blocks come back to the pool they came from. Thread: one. Cost: a free-list pop;
 * Classes are 64, 80, 96, 112, 128, 160, ... bytes (four per power of two) up to 4 MiB; freed blocks are reused last-in
 * first-out. Failure: NULL when the ceiling is reached or the system has no memory; counted in `refused`.
 * Built with -Darena_debug=true (or under ASan) every block is its own malloc, so that tools see each overrun.
 */
#ifndef SEINE_BASE_POOL_H
#define SEINE_BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POOL_CLASSES 66
#define POOL_LARGEST ((size_t)4 << 20)

struct pool_slab;

struct pool {
    void *free[POOL_CLASSES];
    struct pool_slab *slabs;
    uint8_t *bump, *bump_end; /* rest of the newest slab */
    size_t held;              /* bytes taken from the system */
    size_t in_use;            /* bytes handed out, rounded to classes */
    size_t peak;
    size_t ceiling; /* for in_use; 0 = none */
    bool small;
    uint64_t refused;
    void *kept; /* what a higher folder keeps for all blocks of the pool, or NULL; kept_free ends it with the pool */
    void (*kept_free)(void *kept);
};

void pool_init(struct pool *p, size_t ceiling);
/* For short lives and little in it: memory is taken in 64 KiB instead of huge pages, which cost their zeroing. */
void pool_init_small(struct pool *p, size_t ceiling);
void pool_done(struct pool *p);

/* At least `size` bytes, not zeroed; `*ret_size` (may be NULL) is the usable size. */
void *pool_take(struct pool *p, size_t size, size_t *ret_size);
/* `size`: what was asked for, or the usable size. NULL is fine. */
void pool_give(struct pool *p, void *block, size_t size);

/* Moves `block` of `old_size` (with `used` bytes of content) to one of at least `new_size`. NULL on failure: old block
 * stays. */
void *pool_grow(struct pool *p, void *block, size_t old_size, size_t used, size_t new_size, size_t *ret_size);

#endif
