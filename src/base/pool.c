/* pool.c: size-class blocks cut from 2 MiB slabs on huge pages where the system has them, recycled last-in first-out.
 *
 * Small blocks are never given back to the system before the pool ends: a worker's load comes back in waves, and the
 * first touch of fresh pages is what costs. Blocks above SLAB_BLOCK_MAX are mallocs of their own. With POOL_DEBUG every
 * block is.
 */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/util.h"

#if defined(__SANITIZE_ADDRESS__) || defined(SEINE_ARENA_DEBUG)
#define POOL_DEBUG 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_DEBUG 1
#endif
#endif
#ifndef POOL_DEBUG
#define POOL_DEBUG 0
#endif

#define SLAB_SIZE ((size_t)2 << 20)
#define SLAB_SMALL ((size_t)64 << 10)
#define SLAB_BLOCK_MAX ((size_t)16 << 10)
#define CLASS_SMALLEST 64

struct pool_slab {
    struct pool_slab *next;
    uint64_t pad; /* keeps the blocks 16-byte aligned */
};

/* Class 4k + i is (64 << k) + i quarters of it. */
static unsigned class_of(size_t size) {
    if (size <= CLASS_SMALLEST) {
        return 0;
    }
    unsigned k = 63 - (unsigned)__builtin_clzll(size - 1) - 6; /* size - 1 lies in [64 << k, 128 << k) */
    size_t quarter = (size_t)(CLASS_SMALLEST / 4) << k;
    return 4 * k + (unsigned)((size - 1 - ((size_t)CLASS_SMALLEST << k)) / quarter) + 1;
}

static size_t class_size(unsigned c) {
    size_t base = (size_t)CLASS_SMALLEST << (c / 4);
    return base + (c % 4) * (base / 4);
}

void pool_init(struct pool *p, size_t ceiling) {
    memset(p, 0, sizeof(*p));
    p->ceiling = ceiling;
}

void pool_init_small(struct pool *p, size_t ceiling) {
    pool_init(p, ceiling);
    p->small = true;
}

void pool_done(struct pool *p) {
    if (p->kept) {
        p->kept_free(p->kept);
    }
    for (unsigned c = 0; c < POOL_CLASSES; c++) {
        if (POOL_DEBUG || class_size(c) > SLAB_BLOCK_MAX) {
            for (void *block = p->free[c], *next; block; block = next) {
                memcpy(&next, block, sizeof(next));
                free(block);
            }
        }
    }
    for (struct pool_slab *s = p->slabs, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    memset(p, 0, sizeof(*p));
}

static void *cut_from_slab(struct pool *p, size_t size) {
    if ((size_t)(p->bump_end - p->bump) < size) {
        size_t whole = p->small ? SLAB_SMALL : SLAB_SIZE;
        struct pool_slab *slab = p->small ? malloc(SLAB_SMALL) : aligned_alloc(SLAB_SIZE, SLAB_SIZE);
        if (!slab) {
            return NULL;
        }
        if (!p->small) {
            (void)madvise(slab, SLAB_SIZE, MADV_HUGEPAGE); /* sessions are met at random: fewer page walks */
        }
        slab->next = p->slabs;
        p->slabs = slab;
        p->held += whole;
        p->bump = (uint8_t *)(slab + 1);
        p->bump_end = (uint8_t *)slab + whole;
    }
    void *block = p->bump;
    p->bump += size;
    return block;
}

void *pool_take(struct pool *p, size_t size, size_t *ret_size) {
    if (size > POOL_LARGEST) {
        p->refused++;
        return NULL;
    }
    unsigned c = class_of(size);
    size_t whole = class_size(c);
    if (p->ceiling && p->in_use + whole > p->ceiling) {
        p->refused++;
        return NULL;
    }
    void *block = NULL;
    if (POOL_DEBUG) {
        whole = size ? size : 1;
        block = malloc(whole);
    } else if (p->free[c]) {
        block = p->free[c];
        memcpy(&p->free[c], block, sizeof(void *));
    } else if (whole > SLAB_BLOCK_MAX) {
        block = malloc(whole);
        p->held += block ? whole : 0;
    } else {
        block = cut_from_slab(p, whole);
    }
    if (!block) {
        p->refused++;
        return NULL;
    }
    p->in_use += class_size(c);
    p->peak = MAX(p->peak, p->in_use);
    if (ret_size) {
        *ret_size = whole;
    }
    return block;
}

void pool_give(struct pool *p, void *block, size_t size) {
    if (!block) {
        return;
    }
    unsigned c = class_of(size);
    p->in_use -= class_size(c);
    if (POOL_DEBUG) {
        free(block);
        return;
    }
    memcpy(block, &p->free[c], sizeof(void *));
    p->free[c] = block;
}

void *pool_grow(struct pool *p, void *block, size_t old_size, size_t used, size_t new_size, size_t *ret_size) {
    void *bigger = pool_take(p, new_size, ret_size);
    if (bigger && block) {
        memcpy(bigger, block, used);
        pool_give(p, block, old_size);
    }
    return bigger;
}
