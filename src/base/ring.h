/* ring.h: single-producer single-consumer ring of pointers.
 *
 * Owner: whoever made it; one thread puts, one thread gets. Cost: a few ns an element in bulk; each side caches the
 * other's index and rereads it only when it seems to have run out. Failure: put returns fewer than asked when full.
 */
#ifndef SEINE_BASE_RING_H
#define SEINE_BASE_RING_H

#include <stddef.h>
#include <stdint.h>

#define RING_LINE 64

struct ring {
    void **slots;
    uint32_t mask;
    _Alignas(RING_LINE) uint32_t head; /* next to put; written by the producer */
    uint32_t tail_seen;                /* producer's copy of tail */
    _Alignas(RING_LINE) uint32_t tail; /* next to get; written by the consumer */
    uint32_t head_seen;                /* consumer's copy of head */
};

/* `size`: a power of two. 0 or -errno. */
int ring_init(struct ring *r, uint32_t size);
void ring_done(struct ring *r);

/* Numbers of elements put or got, at most `n`. */
uint32_t ring_put(struct ring *r, void *const *items, uint32_t n);
uint32_t ring_get(struct ring *r, void **ret_items, uint32_t n);

#endif
