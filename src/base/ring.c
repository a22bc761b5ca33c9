/* ring.c: see ring.h. Indices run freely and wrap at 2^32; the mask cuts them to slots. */
#include "base/ring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

int ring_init(struct ring *r, uint32_t size) {
    if (size == 0 || (size & (size - 1))) {
        return -EINVAL;
    }
    memset(r, 0, sizeof(*r));
    r->slots = calloc(size, sizeof(void *));
    if (!r->slots) {
        return -ENOMEM;
    }
    r->mask = size - 1;
    return 0;
}

void ring_done(struct ring *r) {
    free(r->slots);
    memset(r, 0, sizeof(*r));
}

uint32_t ring_put(struct ring *r, void *const *items, uint32_t n) {
    uint32_t room = r->mask + 1 - (r->head - r->tail_seen);
    if (room < n) {
        r->tail_seen = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
        room = r->mask + 1 - (r->head - r->tail_seen);
    }
    n = MIN(n, room);
    for (uint32_t i = 0; i < n; i++) {
        r->slots[(r->head + i) & r->mask] = items[i];
    }
    __atomic_store_n(&r->head, r->head + n, __ATOMIC_RELEASE);
    return n;
}

uint32_t ring_get(struct ring *r, void **ret_items, uint32_t n) {
    uint32_t ready = r->head_seen - r->tail;
    if (ready < n) {
        r->head_seen = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
        ready = r->head_seen - r->tail;
    }
    n = MIN(n, ready);
    for (uint32_t i = 0; i < n; i++) {
        ret_items[i] = r->slots[(r->tail + i) & r->mask];
    }
    __atomic_store_n(&r->tail, r->tail + n, __ATOMIC_RELEASE);
    return n;
}
