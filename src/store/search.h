/* search.h: questions to a snapshot of the store.
 *
 * A search is filtered once (search_run: bitmaps per block) and then asked any number of things: rows in any order,
 * groups with sums, timelines, beacons. All answers are exact over all matching sessions unless `truncated` says which
 * ceiling cut them.
 *
 * A part in which damage is found is left out from there on, and counted (search_damaged); the rest is answered.
 *
 * Owner: caller. Thread: one per search; it uses up to `threads` more. Cost: docs/performance.md. Failure: -ECANCELED
 * when `cancelled` answered true, -ETIMEDOUT past the deadline, -E2BIG over the memory ceiling.
 */
#ifndef SEINE_STORE_SEARCH_H
#define SEINE_STORE_SEARCH_H

#include "query/ast.h"
#include "query/query.h"
#include "store/store.h"

enum bounding { BOUND_FIRST, BOUND_LAST, BOUND_BOTH, BOUND_EITHER, BOUND_DATABASE };

#define SEARCH_QUERIES_MAX 4

struct search_options {
    struct snapshot *snapshot; /* a reference is taken */
    const struct query
        *queries[SEARCH_QUERIES_MAX]; /* all must match: expression, view, forced expression; NULL ends */
    bool bounded;                     /* start and stop count */
    int64_t start_ms, stop_ms;        /* inclusive */
    enum bounding bounding;
    const uint64_t *seqs; /* only these sessions; NULL = all */
    size_t seq_count;
    bool (*cancelled)(void *ctx); /* asked about every 10 ms; any thread; may be NULL */
    void *ctx;
    uint32_t deadline_ms; /* 0 = none */
    uint64_t memory;      /* ceiling of what grows with the answer; 0 = 1 GiB */
    uint64_t many_groups; /* from so many possible groups on, sums of a few wait for a second reading; 0 = 65,536 */
    unsigned threads;     /* 0 = one per processor, at most 8, and fewer for few rows */
};

struct search;

int search_new(const struct search_options *options, struct search **ret_search, struct err *ret_err);
struct search *search_free(struct search *s);
/* Filters. Everything below needs it. */
int search_run(struct search *s);
uint64_t search_count(const struct search *s);
/* Parts that could not be read, wholly or in part, since search_new. store_damage says which and where. */
uint64_t search_damaged(const struct search *s);
/* Their names: of segments, "tail" in the log. Between the calls of this search. */
void search_each_damaged(const struct search *s, void (*each)(void *ctx, const char *name), void *ctx);
/* For a progress bar: rows looked at, of how many. Any thread. */
void search_progress(const struct search *s, uint64_t *ret_done, uint64_t *ret_total);

/* --- rows --- */

struct search_order {
    struct query_field field; /* {NULL, NULL, ACCESS_ID}: by session number */
    bool descending;          /* missing values last when ascending, first when descending */
};

struct search_row {
    uint64_t seq;
    size_t part;
    uint32_t row;
};

/* Matching rows `start` ... `start + length - 1` in this order (8 at most), ties by session number; for restorer_read.
 * A field with several values sorts by its smallest (ascending) or largest. */
struct search_page {
    const struct search_row *rows; /* the search's, until the next call */
    size_t count;
};
int search_rows(struct search *s, const struct search_order *order, size_t order_count, uint64_t start, uint64_t length,
                struct search_page *ret_page);
/* All of them in the order of session numbers, without holding them; false from `each` ends it. */
int search_each(struct search *s, bool (*each)(void *ctx, const struct search_row *row), void *ctx);

/* --- groups --- */

enum group_key_kind {
    GROUP_FIELD,     /* the values of a field: a session with several counts in each of their groups */
    GROUP_TIME,      /* lastPacket in buckets of `interval_ms`, since 1970 */
    GROUP_WITH_PORT, /* an address and its port, as one key: "10.1.2.3:443", "2001:db8::1.443" */
};

struct group_key {
    enum group_key_kind kind;
    struct query_field field;
    const struct field *time; /* GROUP_TIME: firstPacket, lastPacket */
    uint64_t interval_ms;
};
#define GROUP_KEYS_MAX 8
#define GROUP_SUMS_MAX 12

struct group_value {
    enum field_type type; /* how to show it */
    bool missing;         /* only with keep_missing */
    uint64_t number;      /* numbers, times (ms), buckets; FT_I64: two's complement; FT_FLOAT: by number_to_double */
    struct span bytes;    /* text, 16 of an address, 6 of a MAC address */
    int32_t port;         /* GROUP_WITH_PORT, else -1 */
};

struct group {
    const struct group_value *keys; /* one per key */
    uint64_t count;                 /* sessions */
    const uint64_t *sums;           /* one per summed field; 0 where it has none */
};

enum group_sort { GROUP_BY_COUNT, GROUP_BY_SUM, GROUP_BY_KEY, GROUP_UNSORTED };

struct group_request {
    struct group_key keys[GROUP_KEYS_MAX];
    size_t key_count; /* 0: one group, of everything */
    const struct field *sums[GROUP_SUMS_MAX];
    size_t sum_count;
    bool keep_missing;              /* a session without a value counts under a missing one; else it is left out */
    const struct group_value *only; /* values of the first key: there are no groups of others */
    size_t only_count;              /* 0: of all; not with keep_missing */
    enum group_sort sort;
    size_t sort_sum; /* GROUP_BY_SUM: which */
    bool ascending;
    uint64_t limit; /* groups given back; 0 = all */
};

struct groups {
    const struct group *list;
    size_t count;
    uint64_t total;  /* distinct groups before the limit */
    uint64_t others; /* sessions counted in groups beyond the limit */
    bool truncated;  /* the memory ceiling was reached: rare groups may be missing */
};

/* The result is the search's until groups_free. */
int search_groups(struct search *s, const struct group_request *request, struct groups **ret_groups);
struct groups *groups_free(struct groups *g);

/* --- timeline --- */

struct timeline_request {
    const struct field *time; /* firstPacket or lastPacket */
    uint64_t interval_ms;
    bool spanning; /* a session counts in every bucket it overlaps; its sums only in that of `time` */
    const struct field *sums[GROUP_SUMS_MAX];
    size_t sum_count;
};
struct timeline_bucket {
    int64_t start_ms;
    uint64_t sessions, sums[GROUP_SUMS_MAX];
};
struct timeline {
    struct timeline_bucket *buckets; /* ascending, empty ones left out; the newest when there are too many */
    size_t count;
    uint64_t totals[GROUP_SUMS_MAX];
    bool truncated; /* more than 1,048,576 buckets */
};
int search_timeline(struct search *s, const struct timeline_request *request, struct timeline **ret_timeline);
struct timeline *timeline_free(struct timeline *t);

/* --- beacons --- */

/* Sessions of one source, destination and destination port (0: none), in the order of their beginnings. The deviation
 * is that of all intervals (divided by their number). Those that all begin at the same moment are left out. */
struct beacon {
    uint8_t ip[2][16];
    uint16_t port;
    uint64_t count;               /* sessions */
    double mean_ms, deviation_ms; /* of the intervals */
    double jitter;                /* deviation / mean */
    uint64_t first_ms, last_ms, bytes;
};
struct beacon_request {
    uint64_t min_count; /* 0 = 4 */
    double max_jitter;  /* 0 = no limit */
    uint64_t min_mean_ms;
    uint64_t limit; /* lowest jitter first; 0 = all */
};
struct beacons {
    struct beacon *list;
    size_t count;
    uint64_t total; /* that met the request, before the limit */
    bool truncated;
};
int search_beacons(struct search *s, const struct beacon_request *request, struct beacons **ret_beacons);
struct beacons *beacons_free(struct beacons *b);

/* Distinct values of a field that begin with `prefix` (case folded), up to `limit`, over the dictionaries of the
 * matching parts: for completion while typing. */
int search_complete(struct search *s, const struct query_field *field, struct span prefix, size_t limit,
                    bool (*each)(void *ctx, struct span text), void *ctx);

#endif
