/* search_grouping.h: what the files of search_groups share: a question being answered.
 *
 *   parts --search_groups.c--> rows of a table, or counts beside values --search_choose.c--> the best, shown
 *
 * Sums of many groups of which few are shown are not kept for each: the groups are counted and chosen first, and the
 * parts read once more for the sums of the chosen ones (search_sums.c).
 */
#ifndef SEINE_STORE_SEARCH_GROUPING_H
#define SEINE_STORE_SEARCH_GROUPING_H

#include "store/search_keys.h"

struct result {
    struct groups groups;
    struct table table;
    struct words words;
    struct group *list;
    struct group_value *values;
    uint64_t *rows; /* of the chosen groups, once they are not the table's any more */
    uint64_t *sums; /* of the chosen groups, when they were added afterwards */
};

/* Where a key is in a tuple: keys that are numbers of `words` take half a word each. */
struct key_place {
    uint8_t word, shift;
    uint64_t mask;
};

struct summing;

struct grouping {
    struct search *s;
    const struct group_request *q;
    struct result *result;
    bool direct;                /* one key of bytes: counted in `words` of the result */
    size_t words, missing_word; /* of a tuple; the last one says which keys are missing, if missing ones are kept */
    struct key_place places[GROUP_KEYS_MAX];
    const struct field *const *sums; /* that are added while groups are found: those of the request, or fewer */
    size_t sum_count;
    struct only_words only;  /* words of request.only */
    struct kept_codes *kept; /* per part and key; NULL: parts are read once */
    struct summing *summing; /* the parts are being read once more */
    struct table_feed *feeds[SEARCH_THREADS_MAX];
    _Atomic uint64_t refused; /* sessions whose keys found no room among the words */
    uint64_t left_out;        /* sessions whose groups found none in the table */
};

static inline uint64_t grouping_key(const struct grouping *g, const uint64_t *tuple, size_t key) {
    const struct key_place *at = &g->places[key];
    return tuple[at->word] >> at->shift & at->mask;
}

/* Groups of a table or of values, to be chosen from. */
struct choosing {
    struct grouping *g;
    const uint64_t **rows; /* as a heap: the worst first; in the end sorted */
    size_t count, limit;
    uint64_t total;
    uint64_t sessions;           /* in all groups */
    uint32_t *ranks[WORD_PARTS]; /* places of words in the order of their values, once there are many groups to sort */
};
/* Nothing is chosen yet. */
int choosing_begin(struct choosing *c);
/* Looks at what is in the table, or beside the values. With a limit of CHOSEN_MAX at most the chosen rows are copied,
 * so that the table may go; else once only. */
#define CHOSEN_MAX 16384u
int choosing_take(struct choosing *c);
int choosing_end(struct choosing *c);
void choosing_done(struct choosing *c);
/* The answer: the chosen groups as the caller sees them. */
int choosing_show(struct choosing *c);

#define SUMMING_FILTER 16u
/* Sums of chosen groups, added in a second reading. */
struct summing {
    struct grouping *g;
    const uint64_t *const *rows; /* the chosen groups */
    size_t count;
    uint32_t *slots; /* place among them + 1 */
    uint64_t mask;
    uint64_t filter[(1u << SUMMING_FILTER) / 64]; /* bits by hash: most tuples are of no chosen group */
    uint64_t *sums[SEARCH_THREADS_MAX];           /* made when a thread first needs them */
    _Atomic bool failed;
};

/* Ready to add the sums of the chosen groups, into result->sums. */
int summing_new(struct grouping *g, const struct choosing *c, struct summing **ret_summing);
static inline bool summing_may_have(const struct summing *m, uint64_t hash) {
    uint64_t bit = hash >> (64 - SUMMING_FILTER);
    return m->filter[bit / 64] >> (bit % 64) & 1;
}
/* The sums that a thread has of a tuple's group; NULL: no chosen one. `hash`: that of the table. */
uint64_t *summing_find(struct summing *m, unsigned thread, uint64_t hash, const uint64_t *tuple);
/* What the threads have added becomes result->sums. 0 or -ENOMEM. */
int summing_end(struct summing *m);
struct summing *summing_free(struct summing *m);

#endif
