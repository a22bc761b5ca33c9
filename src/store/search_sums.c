/* search_sums.c: sums of chosen groups, added in a second reading of the parts. Most sessions belong to no chosen
 * group: a small map of bits by hash tells so without a look at the groups.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/search_grouping.h"

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
                 bit = hash >> (64 - SUMMING_FILTER);
        while (m->slots[at]) {
            at = (at + 1) & m->mask;
        }
        m->slots[at] = (uint32_t)i + 1;
        m->filter[bit / 64] |= (uint64_t)1 << (bit % 64);
    }
    g->result->sums = calloc(c->count * g->q->sum_count + 1, sizeof(*g->result->sums));
    return g->result->sums ? 0 : -ENOMEM;
}

uint64_t *summing_find(struct summing *m, unsigned thread, uint64_t hash, const uint64_t *tuple) {
    const struct grouping *g = m->g;
    for (uint64_t at = hash & m->mask; m->slots[at]; at = (at + 1) & m->mask) {
        size_t place = m->slots[at] - 1, same = 0;
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
        free(m->slots);
        free(m);
    }
    return NULL;
}
