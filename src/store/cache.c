/* cache.c: see cache.h. A `use` keeps its pins in a small hash table, so that asking again for a piece takes no lock.
 */
#include "store/cache.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"

#define PINS_MAX ((uint32_t)1 << 24)

int cache_init(struct cache *c, size_t ceiling) {
    *c = (struct cache){.ceiling = ceiling};
    return -pthread_mutex_init(&c->lock, NULL);
}

void cache_done(struct cache *c) {
    cache_rest(c);
    pthread_mutex_destroy(&c->lock);
}

void unpacked_free(struct unpacked *p) {
    if (p) {
        free(p->ends);
        free(p->row_end);
        free(p->bytes);
        free(p->codes);
        free(p);
    }
}

static void take_out(struct cache *c, struct unpacked *p) {
    *(p->older ? &p->older->newer : &c->oldest) = p->newer;
    *(p->newer ? &p->newer->older : &c->newest) = p->older;
    p->older = p->newer = NULL;
}

static void put_in(struct cache *c, struct unpacked *p) {
    p->older = c->newest;
    p->newer = NULL;
    *(c->newest ? &c->newest->newer : &c->oldest) = p;
    c->newest = p;
}

/* Unhooks unpinned pieces until at most `bytes` are held; gives them back as a list over `newer`. */
static struct unpacked *shrink(struct cache *c, size_t bytes) {
    struct unpacked *gone = NULL;
    while (c->held > bytes && c->oldest) {
        struct unpacked *p = c->oldest;
        take_out(c, p);
        *p->slot = NULL;
        c->held -= p->size;
        c->evictions++;
        p->newer = gone;
        gone = p;
    }
    return gone;
}

static void free_all(struct unpacked *p) {
    while (p) {
        struct unpacked *next = p->newer;
        unpacked_free(p);
        p = next;
    }
}

void cache_rest(struct cache *c) {
    pthread_mutex_lock(&c->lock);
    struct unpacked *gone = shrink(c, 0);
    pthread_mutex_unlock(&c->lock);
    free_all(gone);
}

void cache_forget(struct cache *c, struct unpacked **slot) {
    pthread_mutex_lock(&c->lock);
    struct unpacked *p = *slot;
    if (p) {
        take_out(c, p);
        c->held -= p->size;
        *slot = NULL;
    }
    pthread_mutex_unlock(&c->lock);
    unpacked_free(p);
}

/* --- pins --- */

static size_t pin_place(const struct use *u, struct unpacked **slot) {
    struct unpacked **pins = u->pins;
    size_t mask = u->cap - 1, at = ((uintptr_t)slot * 0x9e3779b97f4a7c15u >> 32) & mask;
    while (pins[at] && pins[at]->slot != slot) {
        at = (at + 1) & mask;
    }
    return at;
}

static int more_pins(struct use *u) {
    if (u->cap && u->count * 2 < u->cap) {
        return 0;
    }
    struct use bigger = {.cap = u->cap ? u->cap * 2 : 16, .count = u->count};
    bigger.pins = bigger.cap <= PINS_MAX ? calloc(bigger.cap, sizeof(struct unpacked *)) : NULL;
    if (!bigger.pins) {
        return -ENOMEM;
    }
    struct unpacked **from = u->pins, **to = bigger.pins;
    for (uint32_t i = 0; i < u->cap; i++) {
        if (from[i]) {
            to[pin_place(&bigger, from[i]->slot)] = from[i];
        }
    }
    free(u->pins);
    *u = bigger;
    return 0;
}

void use_done(struct use *u) {
    struct unpacked **pins = u->pins;
    for (uint32_t i = 0; i < u->cap && u->count; i++) {
        struct unpacked *p = pins[i];
        if (!p) {
            continue;
        }
        pthread_mutex_lock(&p->cache->lock);
        if (--p->pins == 0) {
            put_in(p->cache, p);
        }
        struct unpacked *gone = shrink(p->cache, p->cache->ceiling);
        pthread_mutex_unlock(&p->cache->lock);
        free_all(gone);
        u->count--;
    }
    free(u->pins);
    *u = (struct use){0};
}

static struct unpacked *pin_present(struct cache *cache, struct unpacked **slot) {
    struct unpacked *p = *slot;
    if (p && p->pins++ == 0) {
        take_out(cache, p);
    }
    return p;
}

static int load(const struct piece *piece, struct unpacked **ret) {
    struct cache *cache = piece->cache;
    struct unpacked *made = calloc(1, sizeof(*made));
    int r = made ? piece->unpack(piece->column, piece->index, made) : -ENOMEM;
    if (r) {
        unpacked_free(made);
        return r;
    }
    made->cache = cache;
    made->slot = piece->slot;
    made->size += sizeof(*made);
    pthread_mutex_lock(&cache->lock);
    struct unpacked *p = pin_present(cache, piece->slot), *gone = NULL;
    if (!p) { /* else another thread was quicker */
        p = TAKE(made);
        p->pins = 1;
        *piece->slot = p;
        cache->held += p->size;
        cache->loads++;
        gone = shrink(cache, cache->ceiling);
    }
    pthread_mutex_unlock(&cache->lock);
    free_all(gone);
    unpacked_free(made);
    *ret = p;
    return 0;
}

int use_piece(struct use *u, const struct piece *piece, const struct unpacked **ret) {
    if (u->count) {
        struct unpacked *p = ((struct unpacked **)u->pins)[pin_place(u, piece->slot)];
        if (p) {
            *ret = p;
            return 0;
        }
    }
    int r = more_pins(u);
    if (r) {
        return r;
    }
    pthread_mutex_lock(&piece->cache->lock);
    struct unpacked *p = pin_present(piece->cache, piece->slot);
    pthread_mutex_unlock(&piece->cache->lock);
    r = p ? 0 : load(piece, &p);
    if (r == 0) {
        ((struct unpacked **)u->pins)[pin_place(u, piece->slot)] = p;
        u->count++;
        *ret = p;
    }
    return r;
}
