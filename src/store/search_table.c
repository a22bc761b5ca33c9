/* search_table.c: see search_table.h. */
#include "store/search_table.h"

#include <errno.h>
#include <stdlib.h>

#define CHUNK ((size_t)64 << 10)
#define AHEAD 12u /* places fetched before they are needed */

/* --- bytes to words --- */

struct chunk {
    struct chunk *next;
    uint8_t bytes[];
};

int words_init(struct words *w, struct search *s, size_t stride) {
    *w = (struct words){.s = s, .stride = stride};
    int code = hash_key_random(&w->key);
    w->parts = calloc(WORD_PARTS, sizeof(*w->parts));
    if (code < 0 || !w->parts) {
        return code < 0 ? code : -ENOMEM;
    }
    for (size_t i = 0; i < WORD_PARTS; i++) {
        (void)pthread_mutex_init(&w->parts[i].lock, NULL);
    }
    return 0;
}

void words_done(struct words *w) {
    for (size_t i = 0; w->parts && i < WORD_PARTS; i++) {
        struct words_part *p = &w->parts[i];
        while (p->chunks) {
            struct chunk *c = p->chunks;
            p->chunks = c->next;
            free(c);
        }
        free(p->entries);
        free(p->rows);
        free(p->slots);
        search_release(w->s, p->claimed);
        (void)pthread_mutex_destroy(&p->lock);
    }
    free(w->parts);
    w->parts = NULL;
}

static bool claim(struct words *w, struct words_part *p, uint64_t bytes) {
    if (!search_claim(w->s, bytes)) {
        return false;
    }
    p->claimed += bytes;
    return true;
}

static bool words_grow(struct words *w, struct words_part *p) {
    uint32_t cap = p->cap ? 2 * p->cap : 64, slot_count = 2 * cap;
    size_t size = sizeof(*p->entries) + 2 * sizeof(*p->slots) + w->stride * sizeof(*p->rows);
    if (!claim(w, p, (cap - p->cap) * size)) {
        return false;
    }
    struct word_entry *entries = realloc(p->entries, cap * sizeof(*entries));
    if (!entries) {
        return false;
    }
    p->entries = entries;
    if (w->stride) {
        uint64_t *rows = realloc(p->rows, cap * w->stride * sizeof(*rows));
        if (!rows) {
            return false;
        }
        p->rows = rows;
    }
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (!slots) {
        return false;
    }
    for (uint32_t i = 0; i < p->count; i++) {
        uint32_t at = (uint32_t)p->entries[i].hash & (slot_count - 1);
        while (slots[at]) {
            at = (at + 1) & (slot_count - 1);
        }
        slots[at] = i + 1;
    }
    free(p->slots);
    p->slots = slots;
    p->slot_count = slot_count;
    p->cap = cap;
    return true;
}

static uint8_t *words_room(struct words *w, struct words_part *p, size_t len) {
    if ((size_t)(p->end - p->at) < len) {
        size_t size = MAX(len, CHUNK);
        struct chunk *c = claim(w, p, size) ? malloc(sizeof(*c) + size) : NULL;
        if (!c) {
            return NULL;
        }
        c->next = p->chunks;
        p->chunks = c;
        p->at = c->bytes;
        p->end = c->bytes + size;
    }
    uint8_t *at = p->at;
    p->at += len;
    return at;
}

/* The index of the value in its part, or WORD_REFUSED. */
static uint64_t add_locked(struct words *w, struct words_part *p, uint64_t hash, struct span value) {
    if (p->count == p->cap && !words_grow(w, p)) {
        return WORD_REFUSED;
    }
    uint32_t at = (uint32_t)hash & (p->slot_count - 1);
    for (; p->slots[at]; at = (at + 1) & (p->slot_count - 1)) {
        const struct word_entry *e = &p->entries[p->slots[at] - 1];
        if (e->hash == hash && span_equal(e->value, value)) {
            return p->slots[at] - 1;
        }
    }
    uint8_t *copy = words_room(w, p, value.len);
    if (!copy) {
        return WORD_REFUSED;
    }
    (void)span_copy_to(value, copy);
    p->entries[p->count] = (struct word_entry){hash, span_make(copy, value.len)};
    if (w->stride) {
        memset(p->rows + p->count * w->stride, 0, w->stride * sizeof(*p->rows));
        p->rows[p->count * w->stride] = p->count * WORD_PARTS + (hash >> 58);
    }
    p->slots[at] = ++p->count;
    return p->count - 1;
}

uint64_t words_add_new(struct words *w, struct span value, bool *ret_new) {
    uint64_t hash = siphash13(&w->key, value.at, value.len);
    size_t part = hash >> 58;
    struct words_part *p = &w->parts[part];
    (void)pthread_mutex_lock(&p->lock);
    uint32_t before = p->count;
    uint64_t index = add_locked(w, p, hash, value);
    *ret_new = p->count > before;
    (void)pthread_mutex_unlock(&p->lock);
    return index == WORD_REFUSED ? index : index * WORD_PARTS + part;
}

static void count_locked(struct words *w, struct words_part *p, uint64_t index, const uint64_t *add, size_t count) {
    uint64_t *row = p->rows + (index + 1) * w->stride - count;
    for (size_t i = 0; i < count; i++) {
        row[i] = add_safely(row[i], add[i]);
    }
}

void words_count_word(struct words *w, uint64_t word, const uint64_t *add, size_t count) {
    struct words_part *p = &w->parts[word % WORD_PARTS];
    (void)pthread_mutex_lock(&p->lock);
    count_locked(w, p, word / WORD_PARTS, add, count);
    (void)pthread_mutex_unlock(&p->lock);
}

uint64_t words_add(struct words *w, struct span value) {
    bool fresh;
    return words_add_new(w, value, &fresh);
}

uint64_t words_find(struct words *w, struct span value) {
    uint64_t hash = siphash13(&w->key, value.at, value.len), found = WORD_REFUSED;
    size_t part = hash >> 58;
    struct words_part *p = &w->parts[part];
    (void)pthread_mutex_lock(&p->lock);
    uint32_t at = (uint32_t)hash & (p->slot_count - 1);
    for (; p->slot_count && p->slots[at] && found == WORD_REFUSED; at = (at + 1) & (p->slot_count - 1)) {
        const struct word_entry *e = &p->entries[p->slots[at] - 1];
        if (e->hash == hash && span_equal(e->value, value)) {
            found = (uint64_t)(p->slots[at] - 1) * WORD_PARTS + part;
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
    return found;
}

/* A value on its way into its part. */
struct arrival {
    uint64_t hash;
    struct span value;
    uint32_t place; /* among all */
};

/* All values, ordered by the part they go to. */
static struct arrival *order_by_part(struct worker *w, const struct words *words, const struct words_many *many,
                                     uint32_t ret_starts[WORD_PARTS + 1]) {
    uint32_t count = many->value_count, next[WORD_PARTS];
    uint64_t *hashes = worker_alloc(w, count * sizeof(*hashes) + 1);
    struct arrival *order = worker_alloc(w, count * sizeof(*order) + 1);
    memset(ret_starts, 0, (WORD_PARTS + 1) * sizeof(*ret_starts));
    if (!hashes || !order) {
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = siphash13(&words->key, many->values[i].at, many->values[i].len);
        ret_starts[(hashes[i] >> 58) + 1]++;
    }
    for (size_t i = 0; i < WORD_PARTS; i++) {
        ret_starts[i + 1] += ret_starts[i];
        next[i] = ret_starts[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        order[next[hashes[i] >> 58]++] = (struct arrival){hashes[i], many->values[i], i};
    }
    return order;
}

int words_add_many(struct worker *w, struct words *words, const struct words_many *many, uint64_t *ret_words) {
    uint32_t starts[WORD_PARTS + 1];
    const struct arrival *order = order_by_part(w, words, many, starts);
    if (!order) {
        return -ENOMEM;
    }
    for (size_t n = 0; n < WORD_PARTS; n++) {
        size_t part = (n + w->index * (WORD_PARTS / 4 + 1)) % WORD_PARTS; /* threads begin at different ones */
        struct words_part *p = &words->parts[part];
        (void)pthread_mutex_lock(&p->lock);
        for (uint32_t i = starts[part]; i < starts[part + 1]; i++) {
            const struct arrival *one = &order[i], *later = &order[i + AHEAD];
            if (i + AHEAD < starts[part + 1] && p->slot_count) {
                __builtin_prefetch(&p->slots[(uint32_t)later->hash & (p->slot_count - 1)]);
                __builtin_prefetch(later->value.at);
            }
            uint64_t index = add_locked(words, p, one->hash, one->value);
            if (index != WORD_REFUSED && many->cells) {
                count_locked(words, p, index, many->cells + one->place * many->count, many->count);
            }
            ret_words[one->place] = index == WORD_REFUSED ? index : index * WORD_PARTS + part;
        }
        (void)pthread_mutex_unlock(&p->lock);
    }
    return 0;
}

struct span words_at(const struct words *w, uint64_t word) {
    return w->parts[word % WORD_PARTS].entries[word / WORD_PARTS].value;
}

/* --- the table --- */

#define FEED_BYTES ((size_t)16 << 10)
#define FEED_MAX 2048u
#define FIRST_CAP 64u

int table_init(struct table *t, struct search *s, size_t keys, size_t sums) {
    struct hash_key key;
    int code = hash_key_random(&key);
    *t = (struct table){.s = s, .seed = key.k0, .keys = keys, .sums = sums, .stride = keys + 1 + sums};
    t->count = TABLE_PARTS;
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        (void)pthread_mutex_init(&t->parts[i].lock, NULL);
    }
    return code;
}

static uint64_t part_bytes(const struct table *t, uint32_t cap) {
    return cap * t->stride * sizeof(uint64_t);
}

void table_done(struct table *t) {
    for (size_t i = 0; i < TABLE_PARTS && t->s; i++) {
        search_release(t->s, part_bytes(t, t->parts[i].cap));
        free(t->parts[i].rows);
        (void)pthread_mutex_destroy(&t->parts[i].lock);
    }
    *t = (struct table){0};
}

void table_restrict(struct table *t, size_t from, size_t count) {
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        struct table_part *p = &t->parts[i];
        search_release(t->s, part_bytes(t, p->cap));
        free(p->rows);
        p->rows = NULL;
        p->cap = p->count = 0;
        p->refused = 0;
    }
    t->from = from;
    t->count = count;
}

uint64_t table_count(const struct table *t) {
    uint64_t count = 0;
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        count += t->parts[i].count;
    }
    return count;
}

uint64_t table_refused(const struct table *t) {
    uint64_t refused = 0;
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        refused += t->parts[i].refused;
    }
    return refused;
}

uint64_t *table_next(const struct table *t, size_t part, const uint64_t *at) {
    const struct table_part *p = &t->parts[part];
    size_t place = at ? (size_t)(at - p->rows) + t->stride : 0;
    for (; place < p->cap * t->stride; place += t->stride) {
        if (p->rows[place + t->keys]) {
            return p->rows + place;
        }
    }
    return NULL;
}

static inline bool same_keys(const struct table *t, const uint64_t *a, const uint64_t *b) {
    for (size_t i = 0; i < t->keys; i++) {
        if (a[i] != b[i]) {
            return false;
        }
    }
    return true;
}

/* Where the search for a key begins: the low half of its hash, stretched over the rows. */
static inline uint64_t *first_place(const struct table *t, const struct table_part *p, uint32_t hash) {
    return p->rows + ((uint64_t)hash * p->cap >> 32) * t->stride;
}

/* The row of a key, or the free one where it belongs; some are free. */
static inline uint64_t *place_of(const struct table *t, const struct table_part *p, uint32_t hash,
                                 const uint64_t *keys) {
    const uint64_t *end = p->rows + p->cap * t->stride;
    uint64_t *at = first_place(t, p, hash);
    while (at[t->keys] && !same_keys(t, at, keys)) {
        at += t->stride;
        at = at == end ? p->rows : at;
    }
    return at;
}

uint64_t *table_find(const struct table *t, const uint64_t *keys) {
    uint64_t hash = table_hash(t, keys);
    const struct table_part *p = &t->parts[hash / (UINT64_MAX / TABLE_PARTS + 1)];
    uint64_t *at = p->cap ? place_of(t, p, (uint32_t)hash, keys) : NULL;
    return at && at[t->keys] ? at : NULL;
}

/* Half as large again: all parts fill evenly, and twice as large would leave half of them all empty. */
static bool part_grow(const struct table *t, struct table_part *p) {
    struct table_part bigger = {.cap = p->cap ? p->cap + p->cap / 2 : FIRST_CAP};
    if (bigger.cap < p->cap || !search_claim(t->s, part_bytes(t, bigger.cap))) {
        return false;
    }
    bigger.rows = calloc(bigger.cap, t->stride * sizeof(*bigger.rows));
    if (!bigger.rows) {
        search_release(t->s, part_bytes(t, bigger.cap));
        return false;
    }
    for (const uint64_t *row = p->rows, *end = row + p->cap * t->stride; row != end; row += t->stride) {
        if (row[t->keys]) {
            memcpy(place_of(t, &bigger, (uint32_t)table_hash(t, row), row), row, t->stride * sizeof(*row));
        }
    }
    search_release(t->s, part_bytes(t, p->cap));
    free(p->rows);
    p->rows = bigger.rows;
    p->cap = bigger.cap;
    return true;
}

/* `values`: count and sums; NULL: one. */
static inline void add_row(const struct table *t, struct table_part *p, uint32_t hash, const uint64_t *keys,
                           const uint64_t *values) {
    if (p->count >= p->cap - p->cap / 4 && !part_grow(t, p) && p->count + 1 >= p->cap) {
        /* no room for more keys, but for those that are there */
        uint64_t *known = p->cap ? place_of(t, p, hash, keys) : NULL;
        if (!known || !known[t->keys]) {
            p->refused += values ? values[0] : 1;
            return;
        }
    }
    uint64_t *row = place_of(t, p, hash, keys);
    if (row[t->keys] == 0) {
        memcpy(row, keys, t->keys * sizeof(*keys));
        p->count++;
    }
    row += t->keys;
    if (!values) {
        row[0]++;
        return;
    }
    for (size_t i = 0; i <= t->sums; i++) {
        row[i] = add_safely(row[i], values[i]);
    }
}

/* The commonest case: keys of one word that are counted, so that rows are pairs of words. */
static void add_ones(const struct table *t, struct table_part *p, const uint32_t *hashes, const uint64_t *keys,
                     uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (p->count >= p->cap - p->cap / 4) {
            add_row(t, p, hashes[i], &keys[i], NULL);
            continue;
        }
        if (i + AHEAD < count) {
            __builtin_prefetch(p->rows + ((uint64_t)hashes[i + AHEAD] * p->cap >> 32) * 2);
        }
        uint64_t *row = p->rows + ((uint64_t)hashes[i] * p->cap >> 32) * 2, *end = p->rows + (size_t)p->cap * 2;
        while (row[1] && row[0] != keys[i]) {
            row += 2;
            row = row == end ? p->rows : row;
        }
        p->count += row[1] == 0;
        row[0] = keys[i];
        row[1]++;
    }
}

static void visit_row(const struct table_feed *f, const struct table_part *p, uint32_t hash, const uint64_t *keys) {
    const struct table *t = f->t;
    uint64_t *row = p->cap ? place_of(t, p, hash, keys) : NULL;
    if (row && row[t->keys]) {
        f->visit(f->ctx, row + t->keys, keys + t->keys);
    }
}

void table_flush(struct table_feed *f, size_t part) {
    const struct table *t = f->t;
    struct table_part *p = &f->t->parts[part];
    const uint64_t *rows = f->rows + part * f->batch * f->size;
    uint32_t hashes[FEED_MAX], count = f->counts[part];
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = (uint32_t)table_hash(t, rows + i * f->size);
    }
    bool ones = f->size == 1 && t->stride == 2 && !f->visit;
    (void)pthread_mutex_lock(&p->lock);
    if (ones) {
        add_ones(t, p, hashes, rows, count);
    }
    for (uint32_t i = 0; i < count && !ones; i++) {
        const uint64_t *keys = rows + i * f->size;
        if (i + AHEAD < count && p->cap) {
            __builtin_prefetch(first_place(t, p, hashes[i + AHEAD]));
        }
        if (f->visit) {
            visit_row(f, p, hashes[i], keys);
        } else {
            add_row(t, p, hashes[i], keys, f->values ? keys + t->keys : NULL);
        }
    }
    (void)pthread_mutex_unlock(&p->lock);
    f->counts[part] = 0;
}

struct table_feed *table_feed_new(struct table *t, size_t values) {
    struct table_feed *f = calloc(1, sizeof(*f));
    if (f) {
        f->t = t;
        f->size = t->keys + values;
        f->values = values;
        f->batch = (uint32_t)MAX(FEED_BYTES / (f->size * sizeof(*f->rows)), (size_t)AHEAD);
        f->rows = malloc(((size_t)TABLE_PARTS * f->batch + 1) * f->size * sizeof(*f->rows));
    }
    if (f && !f->rows) {
        free(f);
        f = NULL;
    }
    return f;
}

struct table_feed *table_feed_free(struct table_feed *f) {
    if (f) {
        for (size_t i = 0; i < TABLE_PARTS; i++) {
            table_flush(f, i);
        }
        free(f->rows);
        free(f);
    }
    return NULL;
}
