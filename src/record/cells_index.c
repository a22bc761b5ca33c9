/* cells_index.c: see cells_index.h. Open addressing, at most half full; a place holds a hash and an offset. */
#include "record/cells_index.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/util.h"

#define TABLES 4
#define TABLE_FIRST 256u
#define TABLE_MOST (1u << 18) /* places: lists of more than half as many values have none */

struct place {
    uint32_t hash;
    uint32_t at; /* 0: free */
};

struct table {
    const uint8_t *base; /* of the cells; NULL: a free table */
    uint32_t object;
    uint16_t field;
    bool made; /* else the list was only looked at */
    uint64_t used;
    uint32_t mask, count;
    struct place *places;
};

struct tables {
    struct hash_key key;
    uint64_t clock;
    struct table of[TABLES];
};

static void tables_free(void *kept) {
    struct tables *t = kept;
    for (unsigned i = 0; i < TABLES; i++) {
        free(t->of[i].places);
    }
    free(t);
}

static struct tables *tables_want(struct pool *pool) {
    if (!pool->kept) {
        struct tables *t = calloc(1, sizeof(*t));
        if (!t || hash_key_random(&t->key) < 0) {
            free(t);
            return NULL;
        }
        pool->kept = t;
        pool->kept_free = tables_free;
    }
    return pool->kept;
}

static void forget(struct table *t) {
    free(t->places);
    *t = (struct table){0};
}

static struct table *table_of(struct tables *all, const struct cells *c, struct cells_list list) {
    for (unsigned i = 0; i < TABLES; i++) {
        struct table *t = &all->of[i];
        if (t->base == c->base && t->object == list.object && t->field == list.field) {
            return t;
        }
    }
    return NULL;
}

static struct table *table_longest_unused(struct tables *all) {
    struct table *oldest = &all->of[0];
    for (unsigned i = 1; i < TABLES; i++) {
        oldest = all->of[i].used < oldest->used ? &all->of[i] : oldest;
    }
    return oldest;
}

static uint32_t hash_of(const struct tables *all, struct span value) {
    return (uint32_t)siphash13(&all->key, value.at, value.len);
}

static const struct cell *cell_at(const struct cells *c, uint32_t at) {
    return (const struct cell *)(const void *)(c->base + at);
}

static void place_put(struct table *t, uint32_t hash, uint32_t at) {
    uint32_t i = hash & t->mask;
    while (t->places[i].at) {
        i = (i + 1) & t->mask;
    }
    t->places[i] = (struct place){hash, at};
    t->count++;
}

static bool table_size(struct table *t, uint32_t size) {
    struct place *old = t->places, *places = size <= TABLE_MOST ? calloc(size, sizeof(*places)) : NULL;
    if (!places) {
        return false;
    }
    uint32_t old_size = old ? t->mask + 1 : 0;
    t->places = places;
    t->mask = size - 1;
    t->count = 0;
    for (uint32_t i = 0; i < old_size; i++) {
        if (old[i].at) {
            place_put(t, old[i].hash, old[i].at);
        }
    }
    free(old);
    return true;
}

static bool table_add(const struct tables *all, struct table *t, const struct cells *c, uint32_t at) {
    bool full = !t->places || t->count >= (t->mask + 1) / 2;
    if (full && !table_size(t, t->places ? (t->mask + 1) * 2 : TABLE_FIRST)) {
        return false;
    }
    place_put(t, hash_of(all, cell_span(cell_at(c, at))), at);
    return true;
}

static bool table_make(const struct tables *all, struct table *t, const struct cells *c, struct cells_list list) {
    for (uint32_t at = list.first; at; at = cell_at(c, at)->next) {
        if (cell_at(c, at)->field == list.field && !table_add(all, t, c, at)) {
            return false;
        }
    }
    return t->places != NULL;
}

enum cells_found cells_index_find(struct cells *c, struct cells_list list, struct span value) {
    struct tables *all = tables_want(c->pool);
    if (!all) {
        return CELLS_UNKNOWN;
    }
    struct table *t = table_of(all, c, list);
    if (!t) {
        t = table_longest_unused(all);
        forget(t);
        *t = (struct table){.base = c->base, .object = list.object, .field = list.field, .used = ++all->clock};
        return CELLS_UNKNOWN;
    }
    t->used = ++all->clock;
    if (!t->made && !(t->made = table_make(all, t, c, list))) {
        forget(t);
        return CELLS_UNKNOWN;
    }
    uint32_t hash = hash_of(all, value);
    for (uint32_t i = hash & t->mask; t->places[i].at; i = (i + 1) & t->mask) {
        if (t->places[i].hash == hash && span_equal(cell_span(cell_at(c, t->places[i].at)), value)) {
            return CELLS_PRESENT;
        }
    }
    return CELLS_ABSENT;
}

void cells_index_add(struct cells *c, struct cells_list list, uint32_t at) {
    struct tables *all = c->pool->kept;
    struct table *t = all ? table_of(all, c, list) : NULL;
    if (t && t->made && !table_add(all, t, c, at)) {
        forget(t);
    }
}

void cells_index_move(struct cells *c, const uint8_t *base) {
    struct tables *all = c->pool->kept;
    for (unsigned i = 0; all && c->base && i < TABLES; i++) {
        struct table *t = &all->of[i];
        if (t->base == c->base && base) {
            t->base = base;
        } else if (t->base == c->base) {
            forget(t);
        }
    }
}
