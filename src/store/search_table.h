/* search_table.h: counts and sums per key, filled by several threads.
 *
 * Keys are tuples of words. Bytes become words by `words_add`: one number for each distinct value. The table is cut
 * into parts by hash; each thread collects rows per part and adds them in one go, so that a part is locked seldom and
 * its memory is near when it is worked on.
 *
 * Owner: caller. Thread: any number add at once. Cost: about 10 ns a row. Failure: at the memory ceiling of the search
 * new keys are refused and counted; known ones go on.
 */
#ifndef SEINE_STORE_SEARCH_TABLE_H
#define SEINE_STORE_SEARCH_TABLE_H

#include "base/hash.h"
#include "store/search_own.h"

#define WORD_PARTS 64u /* small enough to stay near while one is worked on */
#define TABLE_PARTS 128u
#define TABLE_PASSES_STEP 4u /* so many times as often is read when a table has no room for a share of the keys */
#define TABLE_WORDS_MAX (GROUP_KEYS_MAX + 1)
#define WORD_REFUSED UINT64_MAX

static inline uint64_t add_safely(uint64_t a, uint64_t b) {
    uint64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* --- bytes to words --- */

struct words_part {
    pthread_mutex_t lock;
    struct chunk *chunks;
    uint8_t *at, *end;
    struct word_entry {
        uint64_t hash;
        struct span value;
    } * entries;
    uint64_t *rows; /* `stride` words per entry: the number, then what is counted; as rows of a table */
    uint32_t *slots;
    uint32_t count, cap, slot_count;
    uint64_t claimed;
};
struct words {
    struct search *s;
    struct hash_key key;
    size_t stride;
    struct words_part *parts;
};

/* `stride`: words kept for each value beside its number, which is the first of them; 0 when nothing is counted. */
int words_init(struct words *w, struct search *s, size_t stride);
void words_done(struct words *w);
/* The number of the value, the same for equal ones; WORD_REFUSED at the ceiling. Below 2^47. */
uint64_t words_add(struct words *w, struct span value);
/* Adds to what is counted for a value: `add` goes to the last `count` words of its row. */
void words_count_word(struct words *w, uint64_t word, const uint64_t *add, size_t count);
/* Many different values: part by part, so that each is near while it is worked on. `cells`: what is counted for each,
 * `count` words a value, or NULL. 0 or -ENOMEM; `ret_words` may hold WORD_REFUSED. */
struct words_many {
    const struct span *values;
    uint32_t value_count;
    const uint64_t *cells;
    size_t count;
};
int words_add_many(struct worker *w, struct words *words, const struct words_many *many, uint64_t *ret_words);
/* The number of a value that was added; WORD_REFUSED: it was not. */
uint64_t words_find(struct words *w, struct span value);
uint64_t words_add_new(struct words *w, struct span value, bool *ret_new);
struct span words_at(const struct words *w, uint64_t word);

/* --- the table --- */

struct table_part {
    pthread_mutex_t lock;
    uint64_t *rows; /* `cap` of `stride` words each: keys, count, sums; a count of 0: no key. See table_next. */
    uint32_t cap, count;
    uint64_t refused; /* sessions whose key was */
};

struct table {
    struct search *s;
    uint64_t seed;
    size_t keys, sums, stride;
    size_t from, count; /* parts that are filled: others' rows are dropped */
    struct table_part parts[TABLE_PARTS];
};

/* What a thread has not yet added. */
struct table_feed {
    struct table *t;
    size_t size, values; /* words of a row: keys and values; values alone */
    uint32_t batch;      /* rows of a part */
    uint64_t *rows;      /* TABLE_PARTS x batch rows, and one for what is dropped */
    /* Instead of adding: called with the values of the key that is there already, and those put. One thread at a time
     * for each key. */
    void (*visit)(void *ctx, uint64_t *values, const uint64_t *put);
    void *ctx;
    uint32_t counts[TABLE_PARTS];
};

int table_init(struct table *t, struct search *s, size_t keys, size_t sums);
void table_done(struct table *t);
/* Empties it; from here on only these parts are filled. */
void table_restrict(struct table *t, size_t from, size_t count);
uint64_t table_count(const struct table *t);
uint64_t table_refused(const struct table *t);
/* The row of a key behind `at` (NULL: the first) in a part; NULL: no more. */
uint64_t *table_next(const struct table *t, size_t part, const uint64_t *at);
/* The row of a key, or NULL. */
uint64_t *table_find(const struct table *t, const uint64_t *keys);
/* `values`: what is put with each key: 1 + sums when it is added, 0 to count one. */
struct table_feed *table_feed_new(struct table *t, size_t values);
struct table_feed *table_feed_free(struct table_feed *f); /* adds what is left */
void table_flush(struct table_feed *f, size_t part);

static inline uint64_t table_hash(const struct table *t, const uint64_t *keys) {
    uint64_t h = t->seed;
    for (size_t i = 0; i < t->keys; i++) {
        h = (h ^ keys[i]) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    h *= UINT64_C(0xbf58476d1ce4e5b9);
    return h ^ h >> 32;
}

/* Room for one more row of this key, with its hash: the caller writes the values behind the keys. */
static inline uint64_t *table_put_hashed(struct table_feed *f, uint64_t hash, const uint64_t *keys) {
    const struct table *t = f->t;
    size_t part = hash / (UINT64_MAX / TABLE_PARTS + 1);
    if (part - t->from >= t->count) {
        return f->rows + TABLE_PARTS * f->batch * f->size;
    }
    if (f->counts[part] == f->batch) {
        table_flush(f, part);
    }
    uint64_t *row = f->rows + (part * f->batch + f->counts[part]++) * f->size;
    for (size_t i = 0; i < t->keys; i++) {
        row[i] = keys[i];
    }
    return row + t->keys;
}
static inline uint64_t *table_put(struct table_feed *f, const uint64_t *keys) {
    return table_put_hashed(f, table_hash(f->t, keys), keys);
}

#endif
