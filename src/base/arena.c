/* arena.c: chunks from a pool, newest first, each twice the one before up to 64 KiB. */
#include "base/arena.h"

#include <string.h>

#include "base/util.h"

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ASAN 1
#endif
#endif
#ifdef ARENA_ASAN
#include <sanitizer/asan_interface.h>
#define REDZONE 16
#define POISON(at, size) ASAN_POISON_MEMORY_REGION(at, size)
#define UNPOISON(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#else
#define REDZONE 0
#define POISON(at, size) ((void)0)
#define UNPOISON(at, size) ((void)0)
#endif

#define CHUNK_MAX ((size_t)64 << 10)

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
};

void arena_init(struct arena *a, struct pool *pool, size_t first, size_t ceiling) {
    *a = (struct arena){.pool = pool, .ceiling = ceiling, .first = (uint32_t)first};
}

static void chunk_give(struct arena *a, struct arena_chunk *chunk) {
    UNPOISON(chunk, chunk->size);
    pool_give(a->pool, chunk, chunk->size);
}

void arena_done(struct arena *a) {
    for (struct arena_chunk *c = a->chunk, *next; c; c = next) {
        next = c->next;
        chunk_give(a, c);
    }
    *a = (struct arena){.pool = a->pool, .ceiling = a->ceiling, .first = a->first};
}

static void chunk_open(struct arena *a, struct arena_chunk *c) {
    a->chunk = c;
    a->at = (uint8_t *)(c + 1);
    a->end = (uint8_t *)c + c->size;
    POISON(a->at, (size_t)(a->end - a->at));
}

void arena_reset(struct arena *a) {
    if (!a->chunk) {
        return;
    }
    struct arena_chunk *keep = a->chunk;
    for (struct arena_chunk *c = keep->next, *next; c; c = next) {
        next = c->next;
        chunk_give(a, c);
    }
    keep->next = NULL;
    a->used = 0;
    chunk_open(a, keep);
}

static bool chunk_add(struct arena *a, size_t need) {
#ifdef SEINE_ARENA_DEBUG
    size_t want = need + sizeof(struct arena_chunk);
#else
    size_t want = a->chunk ? MIN(a->chunk->size * 2, CHUNK_MAX) : a->first;
    want = MAX(want, need + sizeof(struct arena_chunk));
#endif
    size_t size;
    struct arena_chunk *c = pool_take(a->pool, want, &size);
    if (!c) {
        return false;
    }
    c->next = a->chunk;
    c->size = size;
    chunk_open(a, c);
    return true;
}

void *arena_alloc(struct arena *a, size_t size) {
    if (size > POOL_LARGEST / 2 || (a->ceiling && a->used + size > a->ceiling)) {
        a->refused++;
        return NULL;
    }
#ifdef SEINE_ARENA_DEBUG
    /* A block of its own and of the exact size for each allocation: the twin that lets valgrind see every overrun. */
    size_t whole = MAX(size, (size_t)1);
    if (!chunk_add(a, whole)) {
#else
    size_t whole = ((MAX(size, (size_t)1) + 7) & ~(size_t)7) + REDZONE;
    if ((size_t)(a->end - a->at) < whole && !chunk_add(a, whole)) {
#endif
        a->refused++;
        return NULL;
    }
    void *p = a->at;
    a->at += whole;
    a->used += whole;
    UNPOISON(p, size);
    return p;
}

void *arena_calloc(struct arena *a, size_t size) {
    void *p = arena_alloc(a, size);
    return p ? memset(p, 0, size) : NULL;
}

struct span arena_copy(struct arena *a, struct span s) {
    uint8_t *p = arena_alloc(a, s.len ? s.len : 1);
    if (!p) {
        return (struct span){0};
    }
    if (s.len) {
        memcpy(p, s.at, s.len);
    }
    return span_make(p, s.len);
}
