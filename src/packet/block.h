/* block.h: the memory captured bytes live in, shared by reference.
 *
 * Owner: a block pool of one source. Thread: references may be dropped by any thread; the last drop returns the block
 * to its pool. Cost: one atomic operation a batch. Failure: block_take returns NULL at the ceiling or without memory.
 */
#ifndef SEINE_PACKET_BLOCK_H
#define SEINE_PACKET_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So that what the kernel copies is in the processor's second cache when packets are looked at. */
#define BLOCK_SIZE ((size_t)256 << 10)

struct block_pool;

struct block {
    struct block_pool *pool;
    uint32_t refs; /* atomic */
    size_t len, cap;
    uint8_t *data;
    struct block *next; /* free list */
};

/* At most `ceiling` blocks alive at once. */
struct block_pool *block_pool_new(uint32_t ceiling);
/* Blocks still referenced live on; the last one to come back takes the pool with it. NULL is fine; returns NULL. */
struct block_pool *block_pool_free(struct block_pool *pool);

/* A block of at least `size` bytes (normally BLOCK_SIZE; larger for a giant packet) with one reference. */
struct block *block_take(struct block_pool *pool, size_t size);
/* The same, but waits at the ceiling until another thread gives a block back: NULL only without memory. */
struct block *block_take_wait(struct block_pool *pool, size_t size);
/* True when the caller's reference is the only one: nobody else can see the bytes. */
bool block_is_own(const struct block *b);
struct block *block_ref(struct block *b);
struct block *block_unref(struct block *b); /* NULL is fine; returns NULL */

#endif
