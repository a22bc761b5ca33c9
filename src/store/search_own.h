/* search_own.h: what the files of a search share: its state, its threads, conditions and readers of columns.
 *
 *   expression --search_cond.c--> conditions (once) --search_bind.c--> a plan (per part) --search_filter.c--> bitmaps
 *
 * A plan is asked block by block: given a bitmap of rows that still count, it answers which of them match.
 */
#ifndef SEINE_STORE_SEARCH_OWN_H
#define SEINE_STORE_SEARCH_OWN_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/util.h"
#include "query/ast.h"
#include "store/search.h"

#define SEARCH_THREADS_MAX 64
#define SEARCH_MEMORY ((uint64_t)1 << 30)
#define SEARCH_SLOTS 32 /* buffers of one kind a thread has: one per field of a request, and more */

/* Memory that goes at once: a chain of malloc'ed blocks. Small searches are many; a pool would cost them 2 MiB each. */
struct blocks {
    struct memory_block *newest;
    uint8_t *at, *end;
    size_t held, ceiling;
};
void *blocks_alloc(struct blocks *b, size_t size); /* 16-byte aligned, not zeroed; NULL beyond the ceiling */
void *blocks_calloc(struct blocks *b, size_t size);
void blocks_done(struct blocks *b);

struct search_part {
    uint64_t *bits; /* PART_WORDS per block; NULL: no row matches */
    uint64_t count;
    bool damaged;
};

struct search {
    struct search_options o;
    const struct registry *registry;
    size_t part_count;
    struct search_part *parts;
    uint64_t count;
    struct blocks conds;
    struct cond *cond;
    uint64_t *seqs;   /* the chosen sessions, ascending */
    uint16_t *wanted; /* fields a restored record needs for matching */
    size_t wanted_count;
    uint64_t end_at;      /* ms, monotonic; 0 = never */
    _Atomic uint64_t ask; /* when `cancelled` is asked next: ms, monotonic */
    _Atomic int stopped;  /* what ended it: 0 or -errno */
    _Atomic uint64_t done, total, damaged;
    _Atomic uint64_t memory; /* bytes that answers hold */
    bool own_threads;        /* nobody said how many */
    struct search_row *rows;
};

/* Called for each block: -ECANCELED, -ETIMEDOUT, or what stopped another thread; 0 = go on. */
int search_check(struct search *s);
/* Claims or returns memory of answers. False: the ceiling is reached, nothing was claimed. */
bool search_claim(struct search *s, uint64_t bytes);
void search_release(struct search *s, uint64_t bytes);
/* Whether a restored record matches; for patched rows. */
bool search_matches(const struct search *s, const struct record *r);

/* --- threads --- */

struct worker {
    struct search *s;
    unsigned index;
    size_t part;          /* it works on */
    struct blocks blocks; /* for one part */
    struct use use;       /* for one part */
    uint32_t *codes[SEARCH_SLOTS];
    uint64_t *numbers[SEARCH_SLOTS];
    uint64_t **maps; /* a stack of bitmaps */
    size_t map_count, map_cap;
    struct restorer *restorer;
    const uint16_t *wanted;
    size_t wanted_count;
};

typedef int (*part_fn)(struct worker *w, void *ctx, size_t part);

struct part_job {
    part_fn fn;
    void *ctx;
    const size_t *order;    /* parts to look at; NULL: all */
    size_t count;           /* of `order` */
    const uint16_t *wanted; /* fields of restored records; NULL = all */
    size_t wanted_count;
    bool matching; /* only parts with matches */
};

/* Runs the job over the parts with several threads; the first failure ends it. Threads: those of `worker.index`. */
int search_run_parts(struct search *s, const struct part_job *job, unsigned *ret_threads);

uint32_t *worker_codes(struct worker *w, size_t slot);   /* PART_BLOCK; NULL: no memory */
uint64_t *worker_numbers(struct worker *w, size_t slot); /* PART_BLOCK */
uint64_t *worker_map(struct worker *w);                  /* PART_WORDS, until the same count of worker_unmap */
void worker_unmap(struct worker *w);
/* Not zeroed, until the part is done. */
void *worker_alloc(struct worker *w, size_t size);
int worker_restore(struct worker *w, size_t part, uint32_t row, const struct record **ret);

/* --- bitmaps of a block --- */

static inline bool map_any(const uint64_t *m) {
    uint64_t any = 0;
    for (size_t i = 0; i < PART_WORDS; i++) {
        any |= m[i];
    }
    return any != 0;
}
/* Fewer than `limit` bits; dense maps are not counted to their end. */
static inline bool map_is_few(const uint64_t *m, uint32_t limit) {
    uint32_t n = 0;
    for (size_t i = 0; i < PART_WORDS && n < limit; i++) {
        n += m[i] ? (uint32_t)__builtin_popcountll(m[i]) : 0;
    }
    return n < limit;
}
static inline void map_and(uint64_t *to, const uint64_t *with) {
    for (size_t i = 0; i < PART_WORDS; i++) {
        to[i] &= with[i];
    }
}
static inline void map_clear(uint64_t *m) {
    memset(m, 0, PART_WORDS * sizeof(*m));
}
static inline bool map_has(const uint64_t *m, uint32_t row) {
    return m[row / 64] >> (row % 64) & 1;
}
static inline void map_set(uint64_t *m, uint32_t row) {
    m[row / 64] |= (uint64_t)1 << (row % 64);
}
static inline void map_unset(uint64_t *m, uint32_t row) {
    m[row / 64] &= ~((uint64_t)1 << (row % 64));
}
/* The first `rows` bits. */
static inline void map_fill(uint64_t *m, uint32_t rows) {
    memset(m, 0, PART_WORDS * sizeof(*m));
    memset(m, 0xff, rows / 64 * sizeof(*m));
    if (rows % 64) {
        m[rows / 64] = ((uint64_t)1 << (rows % 64)) - 1;
    }
}
/* Runs the body for every set bit, as `row`. */
#define MAP_EACH(map, row)                                                                      \
    for (uint32_t word_##row = 0; word_##row < PART_WORDS; word_##row++)                        \
        for (uint64_t bits_##row = (map)[word_##row], row = 0;                                  \
             bits_##row && (row = word_##row * 64u + (uint64_t)__builtin_ctzll(bits_##row), 1); \
             bits_##row &= bits_##row - 1)

static inline uint32_t block_rows(const struct part_info *info, uint32_t block) {
    uint32_t from = block * PART_BLOCK;
    return info->rows - from < PART_BLOCK ? info->rows - from : PART_BLOCK;
}

/* Rows of a block of the part the worker works on. */
static inline uint32_t worker_rows(const struct worker *w, uint32_t block) {
    return block_rows(part_info(snapshot_part(w->s->o.snapshot, w->part)), block);
}

/* --- what a test asks of a value (search_items.c) --- */

struct number_range {
    uint64_t low, high; /* as columns keep numbers; inclusive */
};
struct ip_range {
    uint8_t low[16], high[16];
};

struct item_set {
    enum query_class class;
    enum query_access access;
    enum field_type type;
    bool empty;                   /* no value is in it */
    struct number_range *numbers; /* apart from each other, ascending */
    size_t number_count;
    struct ip_range *ips;
    size_t ip_count;
    struct span *texts; /* ascending, as stored */
    size_t text_count;
    struct scan {
        const struct query_item *item;
        struct span literal; /* as stored: no value without it fits; empty: not known */
        bool contains;       /* every value with it does */
    } * scans;               /* what has to be tried on each value */
    size_t scan_count;
};

/* The items as values of this field are stored; ports of addresses are not looked at. NULL: no memory. */
struct item_set *item_set_new(struct blocks *a, const struct query_field *f, const struct query_item *const *items,
                              size_t count);
struct item_set *item_set_range(struct blocks *a, const struct query_field *f, uint64_t low, uint64_t high);
bool item_set_number(const struct item_set *set, uint64_t number);
/* A value as dictionaries and COLUMN_RAW have it. */
bool item_set_value(const struct item_set *set, struct span value);

/* --- conditions: the expression made ready (search_cond.c) --- */

enum cond_kind {
    COND_NONE,
    COND_ALL,
    COND_AND,
    COND_OR,
    COND_NOT,
    COND_EXISTS,  /* field */
    COND_TEST,    /* field, set */
    COND_SEQS,    /* session numbers */
    COND_COMPARE, /* node */
    COND_RESTORE, /* node, asked of restored records */
};

struct cond {
    enum cond_kind kind;
    struct cond **children;
    size_t count;
    struct query_field field;
    const struct item_set *set;
    const struct query_node *node;
    const uint64_t *seqs; /* ascending */
    size_t seq_count;
};

/* The whole condition of a search, into s->cond, s->wanted. */
int search_prepare(struct search *s);
/* Ids of the field and, for objects, of everything below. 0 or -ENOMEM. */
int search_want(struct search *s, const struct field *f);

/* --- columns (search_reader.c) --- */

enum reader_kind {
    READER_NONE,    /* no row of the part has a value */
    READER_COLUMN,  /* as stored */
    READER_DERIVED, /* one number a row, from two columns */
    READER_RESTORE, /* only a restored record knows */
};
enum derive { DERIVE_SUM, DERIVE_APART, DERIVE_LEAST, DERIVE_MOST };

struct reader {
    enum reader_kind kind;
    struct query_field field;
    const struct column *c, *other; /* `other`: READER_DERIVED; either may be NULL there: 0 */
    const struct column_info *info; /* of `c` */
    enum derive how;
    uint64_t *decoded; /* numbers of a dictionary by code, made on first use */
};

/* READER_RESTORE: `c`, if there is one, has a value in every row that may have one of the field. */
void reader_bind(struct reader *r, const struct registry *registry, const struct part *p, const struct query_field *f);
/* Whether a row has one number at most, that reader_numbers gives. */
bool reader_is_number(const struct reader *r);
/* Numbers of a block, as columns keep them; `ret_present` (PART_WORDS) says where there is one. `slot`: of the worker's
 * buffers. */
int reader_numbers(struct worker *w, struct reader *r, uint32_t block, size_t slot, const uint64_t **ret_numbers,
                   uint64_t *ret_present);
/* A number of a record as columns keep it. */
static inline uint64_t number_of_value(const struct value *v) {
    return v->type == FT_I64 ? number_from_i64(v->i64) : v->type == FT_FLOAT ? number_from_double(v->number) : v->u64;
}
/* A number of a dictionary or of COLUMN_RAW. */
static inline uint64_t number_from_bytes(struct span bytes) {
    return bytes.len == 8 ? read_be64(bytes.at) : 0;
}

/* Leaves the patched rows out of the bitmap of a block, or nothing but them. */
void block_patched(const struct patch *p, uint32_t block, uint64_t *mask, bool only);
/* Whether some patch changes values of the field in this part. */
bool patch_changes(const struct patch *p, const struct query_field *f);

/* --- sets of codes: a bit for each --- */

/* All 0; in the worker's memory. NULL: no memory. */
static inline uint64_t *code_bits_new(struct worker *w, uint32_t count) {
    size_t size = ((size_t)count + 63) / 64 * sizeof(uint64_t);
    uint64_t *bits = worker_alloc(w, size + 1);
    if (bits) {
        memset(bits, 0, size);
    }
    return bits;
}
static inline bool code_bits_has(const uint64_t *bits, uint32_t code) {
    return bits[code / 64] >> (code % 64) & 1;
}
static inline void code_bits_set(uint64_t *bits, uint32_t code) {
    bits[code / 64] |= (uint64_t)1 << (code % 64);
}
static inline void code_bits_fill(uint64_t *bits, uint32_t low, uint32_t high) {
    for (uint32_t code = low; code <= high; code++) {
        if (code % 64 == 0 && high - code >= 63) {
            bits[code / 64] = UINT64_MAX;
            code += 63;
        } else {
            code_bits_set(bits, code);
        }
    }
}

/* --- plans (search_bind.c, search_filter.c) --- */

enum plan_kind {
    PLAN_NONE,
    PLAN_ALL,
    PLAN_AND,
    PLAN_OR,
    PLAN_NOT,
    PLAN_PRESENT, /* there is a value */
    PLAN_NUMBERS, /* one number a row, in the set */
    PLAN_CODES,   /* one code a row, in `codes` */
    PLAN_LISTS,   /* some code of the list in `codes`; ACCESS_COUNT: its length in the set */
    PLAN_RAW,     /* some value in the set; ACCESS_COUNT: their number */
    PLAN_SEQS,
    PLAN_COMPARE,   /* numbers of `readers` */
    PLAN_COMMUNITY, /* restored, where the head of the hash is one of `heads`, or not known */
    PLAN_RESTORE,
};

/* Codes that fit: a range, or a bit for each of them, or looked up in `memo`, which is filled as codes turn up. */
struct code_set {
    uint32_t low, high; /* all that fit lie between */
    uint64_t *set;      /* what is known of all values, or NULL */
    uint8_t *memo;      /* without `set`: enum fit per code; NULL: all of the range fit */
};
enum fit { FIT_UNKNOWN, FIT_NO, FIT_YES };

struct plan {
    enum plan_kind kind;
    unsigned cost; /* children of an AND are asked in the order of it */
    struct plan **children;
    size_t count;
    const struct cond *cond;
    size_t part;
    struct reader reader;
    struct code_set codes;
    uint8_t *lists;     /* PLAN_LISTS: enum fit per list */
    uint64_t *list_set; /* what is known of all lists, or NULL */
    uint32_t seq_from;
    struct reader *readers; /* PLAN_COMPARE */
    size_t reader_count;
    const struct column *heads_in; /* PLAN_COMMUNITY: NULL when no row has a head */
    uint16_t *heads;
    size_t head_count;
    uint64_t *head_set; /* the same as bits, when there are many */
};

/* In the worker's memory, for the part it works on. NULL: no memory, or damage, which is in `ret_code`. */
struct plan *plan_bind(struct worker *w, size_t part, const struct cond *c, int *ret_code);
/* Rows of `mask` that match; `ret` may not be `mask`. */
int plan_filter(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret);
/* Whether some number between both is in the set; `ret_all`: all are. */
bool item_set_meets(const struct item_set *set, uint64_t low, uint64_t high, bool *ret_all);

#endif
