/* block.c: see block.h.
 *
 * Decision: blocks of the normal size are kept on a last-in first-out list, because a block just dropped is still in
 * the cache and its pages are already there; larger ones (giant packets) go back to the system at once. A lock is taken
 * per block, never per packet.
 */
#include "packet/block.h"

#include <pthread.h>
#include <stdlib.h>

struct block_pool {
    pthread_mutex_t lock;
    pthread_cond_t came_back;
    struct block *free;
    uint32_t alive;   /* referenced or on the free list */
    uint32_t waiting; /* threads in block_take_wait */
    uint32_t ceiling;
    bool closed;
};

struct block_pool *block_pool_new(uint32_t ceiling) {
    struct block_pool *pool = calloc(1, sizeof(*pool));
    if (!pool) {
        return NULL;
    }
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->came_back, NULL);
    pool->ceiling = ceiling ? ceiling : 1;
    return pool;
}

static void pool_destroy(struct block_pool *pool) {
    pthread_cond_destroy(&pool->came_back);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* Gives all unused blocks to the system. Called with the lock held. */
static void pool_trim(struct block_pool *pool) {
    while (pool->free) {
        struct block *b = pool->free;
        pool->free = b->next;
        pool->alive--;
        free(b);
    }
}

struct block_pool *block_pool_free(struct block_pool *pool) {
    if (pool) {
        pthread_mutex_lock(&pool->lock);
        pool_trim(pool);
        pool->closed = true;
        bool last = pool->alive == 0;
        pthread_mutex_unlock(&pool->lock);
        if (last) {
            pool_destroy(pool);
        }
    }
    return NULL;
}

static struct block *block_make(struct block_pool *pool, size_t size) {
    struct block *b = malloc(sizeof(*b) + size);
    if (b) {
        *b = (struct block){.pool = pool, .refs = 1, .cap = size, .data = (uint8_t *)(b + 1)};
    }
    return b;
}

/* Called with the lock held. `*ret_full`: the ceiling, not memory, is why there is none. */
static struct block *take_locked(struct block_pool *pool, size_t size, bool *ret_full) {
    *ret_full = false;
    if (size <= BLOCK_SIZE) {
        size = BLOCK_SIZE;
        struct block *b = pool->free;
        if (b) {
            pool->free = b->next;
            b->next = NULL;
            b->refs = 1;
            b->len = 0;
            return b;
        }
    }
    if (pool->alive >= pool->ceiling) {
        pool_trim(pool); /* a giant may take the place of an unused normal block */
    }
    if (pool->alive >= pool->ceiling) {
        *ret_full = true;
        return NULL;
    }
    struct block *b = block_make(pool, size);
    pool->alive += b != NULL;
    return b;
}

struct block *block_take(struct block_pool *pool, size_t size) {
    bool full;
    pthread_mutex_lock(&pool->lock);
    struct block *b = take_locked(pool, size, &full);
    pthread_mutex_unlock(&pool->lock);
    return b;
}

struct block *block_take_wait(struct block_pool *pool, size_t size) {
    bool full;
    pthread_mutex_lock(&pool->lock);
    struct block *b = take_locked(pool, size, &full);
    while (!b && full) {
        pool->waiting++;
        pthread_cond_wait(&pool->came_back, &pool->lock);
        pool->waiting--;
        b = take_locked(pool, size, &full);
    }
    pthread_mutex_unlock(&pool->lock);
    return b;
}

struct block *block_ref(struct block *b) {
    __atomic_add_fetch(&b->refs, 1, __ATOMIC_RELAXED);
    return b;
}

bool block_is_own(const struct block *b) {
    return __atomic_load_n(&b->refs, __ATOMIC_ACQUIRE) == 1;
}

struct block *block_unref(struct block *b) {
    if (!b || __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL) != 0) {
        return NULL;
    }
    struct block_pool *pool = b->pool;
    pthread_mutex_lock(&pool->lock);
    if (b->cap == BLOCK_SIZE && !pool->closed) {
        b->next = pool->free;
        pool->free = b;
    } else {
        pool->alive--;
        free(b);
    }
    if (pool->waiting) {
        pthread_cond_signal(&pool->came_back);
    }
    bool last = pool->closed && pool->alive == 0;
    pthread_mutex_unlock(&pool->lock);
    if (last) {
        pool_destroy(pool);
    }
    return NULL;
}
