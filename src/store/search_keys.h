/* search_keys.h: the keys a row is grouped by, as words, and the numbers it adds.
 *
 * A key source is bound to a part and loaded block by block. A flat source has one word a row at most; the others a
 * list of different words. Owner: the thread that bound it. Memory: the worker's, for the part.
 */
#ifndef SEINE_STORE_SEARCH_KEYS_H
#define SEINE_STORE_SEARCH_KEYS_H

#include "store/search_table.h"

enum key_kind {
    KEY_NONE,
    KEY_NUMBER, /* flat: one number a row */
    KEY_CODE,   /* flat: a code a row, words by code */
    KEY_LIST,   /* a list a row, words by code */
    KEY_ROWS,   /* words of each row of the block, read value by value */
};

/* Words by code that outlive a part's reading, for another one. */
struct kept_codes {
    uint64_t *by_code;
    uint64_t bytes;
};
void kept_codes_done(struct search *s, struct kept_codes *k);

/* The only words that count, ascending. */
struct only_words {
    uint64_t *words;
    size_t count;
};
bool only_has(const struct only_words *only, uint64_t word);

struct key_source {
    enum key_kind kind;
    const struct group_key *key;
    struct words *words;
    struct reader reader, port; /* `port`: GROUP_WITH_PORT */
    size_t slot;                /* of the worker's buffers; two are used from it on */
    bool numeric, with_port;
    const uint64_t *numbers, *ports;
    uint64_t *present, *port_present;
    uint32_t *codes;
    uint64_t *by_code;             /* words; WORD_UNKNOWN */
    const struct only_words *only; /* set before key_bind; NULL: all words count */
    struct kept_codes *kept; /* set before key_bind: where `by_code` is kept if there is memory for it; may be NULL */
    struct word_list *lists; /* KEY_LIST: made on first use */
    uint32_t *at;            /* KEY_ROWS: where the words of a row begin; PART_BLOCK + 1 */
    struct buf row_words;
    uint64_t one; /* room for the word of a flat row */
};

struct word_list {
    uint64_t *words; /* NULL: not made */
    uint32_t count;
};

#define WORD_UNKNOWN (UINT64_MAX - 1)
#define WORD_OTHER (UINT64_MAX - 2) /* by code: not one of those that count */
#define PORT_BITS 17                /* a word with a port: the address's, then port + 1, 0 for none */

/* `part` is the worker's. 0 or -errno. */
int key_bind(struct worker *w, struct key_source *k, const struct group_key *key, struct words *words, size_t slot);
/* Makes it ask restored records: for patched rows. */
int key_restore(struct worker *w, struct key_source *k);
void key_done(struct worker *w, struct key_source *k);
int key_load(struct worker *w, struct key_source *k, uint32_t block, const uint64_t *mask);
/* The words of a row of the loaded block, all different; WORD_REFUSED among them means the ceiling was reached.
 * Negative: failure. */
int key_words(struct worker *w, struct key_source *k, uint32_t row, const uint64_t **ret_words, size_t *ret_count);
/* KEY_NUMBER, KEY_CODE: the words of the rows of `mask` in a slice of the block, from its word `from` on, all at once,
 * the first one's first; k->present says which have one. Until the next slice. In place of key_words, not beside it. */
#define SLICE_WORDS 64u /* what is made of a slice stays near */
int key_flat(struct worker *w, struct key_source *k, const uint64_t *mask, uint32_t from, const uint64_t **ret_words);
/* Runs the body for every row of a map in a slice, as `row`; `place`: its place in the slice. */
#define SLICE_EACH(map, from, row, place)                                                                     \
    for (uint32_t word_##row = 0; word_##row < SLICE_WORDS; word_##row++)                                     \
        for (uint64_t bits_##row = (map)[(from) + word_##row], place = 0, row = 0;                            \
             bits_##row &&                                                                                    \
             (place = word_##row * 64u + (uint64_t)__builtin_ctzll(bits_##row), row = (from)*64u + place, 1); \
             bits_##row &= bits_##row - 1)
static inline bool key_is_flat(const struct key_source *k) {
    return k->kind == KEY_NUMBER || k->kind == KEY_CODE;
}
/* KEY_CODE, KEY_LIST: the word of a code. */
int key_code_word(struct worker *w, struct key_source *k, uint32_t code, uint64_t *ret);
/* What a word shows. */
void key_show(const struct group_key *key, const struct words *words, uint64_t word, struct group_value *ret);
enum field_type key_type(const struct group_key *key);
/* Whether words are numbers of `words` rather than numbers of their own. */
bool key_is_bytes(const struct group_key *key);

/* --- sums --- */

struct sum_source {
    struct query_field field;
    struct reader reader;
    size_t slot;
    uint64_t *values; /* per row of the block; 0 where there is none */
    uint64_t *present;
    bool restore;
};

int sum_bind(struct worker *w, struct sum_source *sum, const struct field *f, size_t slot);
void sum_done(struct worker *w, struct sum_source *sum);
int sum_load(struct worker *w, struct sum_source *sum, uint32_t block, const uint64_t *mask);

#endif
