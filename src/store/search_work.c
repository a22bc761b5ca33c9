/* search_work.c: several threads over the parts of a search, each with buffers of its own. A part is one thread's at a
 * time, so that nothing made for a part is shared.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/search_own.h"

#define ROWS_WORTH_A_THREAD 100000u
#define BLOCK ((size_t)16 << 10)
#define WORKER_MEMORY ((size_t)1 << 30)

struct crew {
    struct search *s;
    const struct part_job *job;
    _Atomic size_t next;
    size_t count;
    _Atomic int failed;
};

struct member {
    struct crew *crew;
    struct worker worker;
    pthread_t thread;
    bool started;
};

/* --- memory --- */

struct memory_block {
    struct memory_block *next;
    _Alignas(16) uint8_t bytes[];
};

void *blocks_alloc(struct blocks *b, size_t size) {
    size_t need = (size + 15) & ~(size_t)15;
    if (need >= size && (size_t)(b->end - b->at) >= need && b->at) {
        b->at += need;
        return b->at - need;
    }
    size_t take = MAX(need, BLOCK);
    struct memory_block *block = need < size || b->held + take > b->ceiling ? NULL : malloc(sizeof(*block) + take);
    if (!block) {
        return NULL;
    }
    block->next = b->newest;
    b->newest = block;
    b->held += take;
    if (take - need > (size_t)(b->end - b->at)) { /* else what is left of the one before is worth more */
        b->at = block->bytes + need;
        b->end = block->bytes + take;
    }
    return block->bytes;
}

void *blocks_calloc(struct blocks *b, size_t size) {
    void *at = blocks_alloc(b, size);
    if (at) {
        memset(at, 0, size);
    }
    return at;
}

void blocks_done(struct blocks *b) {
    while (b->newest) {
        struct memory_block *block = b->newest;
        b->newest = block->next;
        free(block);
    }
    *b = (struct blocks){.ceiling = b->ceiling};
}

/* --- buffers --- */

uint32_t *worker_codes(struct worker *w, size_t slot) {
    if (!w->codes[slot]) {
        w->codes[slot] = malloc(PART_BLOCK * sizeof(uint32_t));
    }
    return w->codes[slot];
}

uint64_t *worker_numbers(struct worker *w, size_t slot) {
    if (!w->numbers[slot]) {
        w->numbers[slot] = malloc(PART_BLOCK * sizeof(uint64_t));
    }
    return w->numbers[slot];
}

uint64_t *worker_map(struct worker *w) {
    if (w->map_count == w->map_cap) {
        size_t cap = w->map_cap ? 2 * w->map_cap : 16;
        uint64_t **more = realloc(w->maps, cap * sizeof(*more));
        if (!more) {
            return NULL;
        }
        memset(more + w->map_cap, 0, (cap - w->map_cap) * sizeof(*more));
        w->maps = more;
        w->map_cap = cap;
    }
    if (!w->maps[w->map_count]) {
        w->maps[w->map_count] = malloc(PART_WORDS * sizeof(uint64_t));
    }
    return w->maps[w->map_count] ? w->maps[w->map_count++] : NULL;
}

void worker_unmap(struct worker *w) {
    w->map_count--;
}

void *worker_alloc(struct worker *w, size_t size) {
    return blocks_alloc(&w->blocks, size);
}

static void part_done(struct worker *w) {
    blocks_done(&w->blocks);
    use_done(&w->use);
    use_init(&w->use);
}

int worker_restore(struct worker *w, size_t part, uint32_t row, const struct record **ret) {
    if (!w->restorer) {
        int code = restorer_new(w->s->o.snapshot, w->wanted, w->wanted_count, false, &w->restorer);
        if (code < 0) {
            return code;
        }
        restorer_values_only(w->restorer);
    }
    return restorer_read(w->restorer, part, row, ret);
}

static void worker_init(struct worker *w, struct search *s, unsigned index, const struct part_job *job) {
    *w = (struct worker){.s = s, .index = index, .wanted = job->wanted, .wanted_count = job->wanted_count};
    w->blocks.ceiling = WORKER_MEMORY;
    use_init(&w->use);
}

static void worker_done(struct worker *w) {
    for (size_t i = 0; i < SEARCH_SLOTS; i++) {
        free(w->codes[i]);
        free(w->numbers[i]);
    }
    for (size_t i = 0; i < w->map_cap; i++) {
        free(w->maps[i]);
    }
    free(w->maps);
    blocks_done(&w->blocks);
    w->restorer = restorer_free(w->restorer);
}

/* --- threads --- */

static void work(struct member *m) {
    struct crew *c = m->crew;
    for (;;) {
        size_t at = atomic_fetch_add(&c->next, 1);
        if (at >= c->count || atomic_load(&c->failed) < 0) {
            return;
        }
        size_t part = c->job->order ? c->job->order[at] : at;
        if (c->job->matching && c->s->parts[part].count == 0) {
            continue;
        }
        m->worker.part = part;
        const struct part *p = snapshot_part(c->s->o.snapshot, part);
        int code = part_whole(p) ? c->job->fn(&m->worker, c->job->ctx, part) : -EBADMSG;
        code = code < 0 || part_whole(p) ? code : -EBADMSG;
        part_done(&m->worker);
        if (code == -EBADMSG) {
            (void)atomic_fetch_add_explicit(&c->s->damaged, 1, memory_order_relaxed);
            c->s->parts[part].damaged = true;
            code = 0;
        }
        if (code < 0) {
            int none = 0;
            (void)atomic_compare_exchange_strong(&c->failed, &none, code);
            return;
        }
    }
}

static void *thread_main(void *arg) {
    work(arg);
    return NULL;
}

/* As many as asked for, or as the rows are worth. */
static unsigned crew_size(const struct crew *c) {
    uint64_t rows = 0, parts = 0;
    for (size_t i = 0; i < c->count; i++) {
        size_t part = c->job->order ? c->job->order[i] : i;
        if (!c->job->matching || c->s->parts[part].count) {
            rows += part_info(snapshot_part(c->s->o.snapshot, part))->rows;
            parts++;
        }
    }
    uint64_t worth = c->s->own_threads ? MIN(rows / ROWS_WORTH_A_THREAD, parts) : parts;
    return (unsigned)MAX(MIN(worth, c->s->o.threads), 1u);
}

int search_run_parts(struct search *s, const struct part_job *job, unsigned *ret_threads) {
    struct crew c = {.s = s, .job = job, .count = job->order ? job->count : s->part_count};
    unsigned size = crew_size(&c);
    struct member *members = calloc(size, sizeof(*members));
    if (!members) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < size; i++) {
        members[i].crew = &c;
        worker_init(&members[i].worker, s, i, job);
        /* Fewer threads than wished for do the same work. */
        members[i].started = i > 0 && pthread_create(&members[i].thread, NULL, thread_main, &members[i]) == 0;
    }
    work(&members[0]);
    for (unsigned i = 0; i < size; i++) {
        if (members[i].started) {
            (void)pthread_join(members[i].thread, NULL);
        }
        worker_done(&members[i].worker);
    }
    free(members);
    if (ret_threads) {
        *ret_threads = size;
    }
    return atomic_load(&c.failed);
}
