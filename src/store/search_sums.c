/* search_sums.c: sums of chosen groups, added in a second reading of the parts. Most sessions belong to no chosen
 * group: a small map of bits by hash tells so without a look at the groups.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/search_grouping.h"

#define FILTER_BITS 16u

struct summing {
    struct grouping *g;
    const uint64_t *const *rows; /* the chosen groups */
    size_t count;
    uint32_t *slots; /* place among them + 1 */
    uint64_t mask;
    uint64_t filter[(1u << FILTER_BITS) / 64];
    struct word_set words[GROUP_KEYS_MAX]; /* of keys of bytes, unless missing ones are kept */
    uint64_t *sums[SEARCH_THREADS_MAX];    /* made when a thread first needs them */
    _Atomic bool failed;
};

static int note_words(struct summing *m) {
    const struct grouping *g = m->g;
    for (size_t i = 0; i < g->q->key_count && !g->q->keep_missing; i++) {
        struct word_set *set = &m->words[i];
        if (g->q->keys[i].kind != GROUP_FIELD || !key_is_bytes(&g->q->keys[i])) {
            continue;
        }
        for (size_t k = 0; k < m->count; k++) {
            set->size = MAX(set->size, grouping_key(g, m->rows[k], i) + 1);
        }
        set->bits = calloc(set->size / 64 + 1, sizeof(*set->bits));
        if (!set->bits) {
            return -ENOMEM;
        }
        for (size_t k = 0; k < m->count; k++) {
            uint64_t word = grouping_key(g, m->rows[k], i);
            set->bits[word / 64] |= (uint64_t)1 << (word % 64);
        }
    }
    return 0;
}

const struct word_set *summing_words(const struct summing *m, size_t key) {
    return m->words[key].bits ? &m->words[key] : NULL;
}

int summing_new(struct grouping *g, const struct choosing *c, struct summing **ret_summing) {
    struct summing *m = calloc(1, sizeof(*m));
    uint64_t size = 16;
    while (size < 2 * c->count + 1) {
        size *= 2;
    }
    *ret_summing = m;
    if (m) {
        m->slots = calloc(size, sizeof(*m->slots));
    }
    if (!m || !m->slots) {
        return -ENOMEM;
    }
    m->g = g;
    m->rows = c->rows;
    m->count = c->count;
    m->mask = size - 1;
    for (size_t i = 0; i < c->count; i++) {
        uint64_t hash = table_hash(&g->result->table, c->rows[i]), at = hash & m->mask,
                 bit = hash >> (64 - FILTER_BITS);
        while (m->slots[at]) {
            at = (at + 1) & m->mask;
        }
        m->slots[at] = (uint32_t)i + 1;
        m->filter[bit / 64] |= (uint64_t)1 << (bit % 64);
    }
    g->result->sums = calloc(c->count * g->q->sum_count + 1, sizeof(*g->result->sums));
    return g->result->sums ? note_words(m) : -ENOMEM;
}

/* The sums of a chosen group that a thread has; NULL: not a chosen one. */
static uint64_t *sums_of(struct summing *m, unsigned thread, uint64_t hash, const uint64_t *tuple) {
    const struct grouping *g = m->g;
    for (uint64_t at = hash & m->mask; m->slots[at]; at = (at + 1) & m->mask) {
        size_t place = m->slots[at] - 1;
        size_t same = 0;
        while (same < g->words && m->rows[place][same] == tuple[same]) {
            same++;
        }
        if (same < g->words) {
            continue;
        }
        if (!m->sums[thread]) {
            m->sums[thread] = calloc(m->count * g->q->sum_count + 1, sizeof(**m->sums));
        }
        if (!m->sums[thread]) {
            atomic_store_explicit(&m->failed, true, memory_order_relaxed);
            return NULL;
        }
        return m->sums[thread] + place * g->q->sum_count;
    }
    return NULL;
}

void summing_add(struct summing *m, unsigned thread, const uint64_t *tuple, const uint64_t *values) {
    uint64_t hash = table_hash(&m->g->result->table, tuple), bit = hash >> (64 - FILTER_BITS);
    if (!(m->filter[bit / 64] >> (bit % 64) & 1)) {
        return;
    }
    uint64_t *sums = sums_of(m, thread, hash, tuple);
    for (size_t i = 0; sums && i < m->g->q->sum_count; i++) {
        sums[i] = add_safely(sums[i], values[i]);
    }
}

int summing_end(struct summing *m) {
    uint64_t *to = m->g->result->sums;
    for (size_t thread = 0; thread < SEARCH_THREADS_MAX; thread++) {
        for (size_t i = 0; m->sums[thread] && i < m->count * m->g->q->sum_count; i++) {
            to[i] = add_safely(to[i], m->sums[thread][i]);
        }
    }
    return atomic_load(&m->failed) ? -ENOMEM : 0;
}

struct summing *summing_free(struct summing *m) {
    if (m) {
        for (size_t i = 0; i < SEARCH_THREADS_MAX; i++) {
            free(m->sums[i]);
        }
        for (size_t i = 0; i < GROUP_KEYS_MAX; i++) {
            free(m->words[i].bits);
        }
        free(m->slots);
        free(m);
    }
    return NULL;
}
