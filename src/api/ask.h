/* ask.h: what the common parameters of session queries ask for, checked, and the search that answers it.
 *
 * The forced expression and the time limit of who asks hold in any case, also when sessions are named by id.
 *
 * Owner: the endpoint's stack; ask_close is due once ask_open was called. Thread: that of the call. Cost: parsing, then
 * that of search_run. Failure: -errno with a sentence in `err` that clients know.
 */
#ifndef SEINE_API_ASK_H
#define SEINE_API_ASK_H

#include "api/shared.h"
#include "api/window.h"
#include "base/arena.h"
#include "query/outside.h"

#define ASK_ORDER_MAX 8
#define ASK_QUERIES_MAX 3
#define ASK_EXTRA_MAX 16
#define ASK_IDS_MAX ((size_t)1 << 20)
#define ASK_FIELDS_MAX 512

enum ask_segments { SEGMENTS_NO, SEGMENTS_TIME, SEGMENTS_ALL };

/* How an endpoint departs from the usual. */
struct ask_rules {
    uint64_t length;    /* when none is given; 0 = 100 */
    bool ids;           /* sessions may be named by `ids` */
    bool everything;    /* without a time: all of it */
    const char *only;   /* one session id: `ids` in place of parameters; NULL = no */
    bool unordered;     /* `order` is none of ours */
    bool no_expression; /* neither is `expression`: it may be half typed */
    bool all_pieces;    /* as with segments=all */
    uint64_t cap;       /* most sessions; 0 = maxSessionsQueried */
};

struct ask {
    struct call *call;
    const struct registry *registry; /* of the snapshot */
    struct snapshot *snapshot;
    struct search *search; /* after ask_run */
    struct window window;
    bool spanning, facets, map, flatten;
    enum ask_segments segments;
    uint64_t from, length;
    struct search_order order[ASK_ORDER_MAX];
    size_t order_count;
    struct query *queries[ASK_QUERIES_MAX]; /* expression, view, forced expression; those that are there */
    size_t query_count;
    struct query *extra[ASK_EXTRA_MAX]; /* of ask_search: they live as long as the searches */
    size_t extra_count;
    bool by_ids;
    uint64_t *seqs; /* ascending */
    size_t seq_count;
    uint64_t total; /* of ask_total */
    bool total_known;
    struct pool pool;
    struct arena arena;
    struct err err;
};

int ask_open(struct ask *a, struct call *c, const struct ask_rules *rules);
/* Searches; with `segments` also for the other pieces of the sessions found. */
int ask_run(struct ask *a);
void ask_close(struct ask *a);

/* Numbers for the history of the call. */
void ask_count(struct ask *a, uint64_t returned);
/* All sessions of the store that who asks may see. Cost: a search, with a forced expression (seen.h). */
uint64_t ask_total(struct ask *a);

/* A field by path, expression name, ECS or former name. -ENOENT, -EACCES (in `err`). */
int ask_field(struct ask *a, struct span name, struct query_field *ret);
/* The same for grouping; also an address with its port: `ip.dst:port`. */
int ask_key(struct ask *a, struct span name, struct group_key *ret);
bool ask_may_see(const struct ask *a, const struct field *f);

/* Sessions found in the order asked for, `from` and `length` applied. */
int ask_rows(struct ask *a, const struct search_row **ret_rows, size_t *ret_count);
/* Session numbers of ask_rows, to be freed. */
int ask_seqs(struct ask *a, uint64_t **ret_seqs, size_t *ret_count);

/* The earliest or latest `path` (firstPacket, lastPacket) of what was found; 0 when nothing was. */
int ask_time_edge(struct ask *a, const char *path, bool latest, uint64_t *ret_ms);

/* A further search, to be freed before ask_close; at most ASK_EXTRA_MAX of them with an expression. It is over the same
 * sessions' time and conditions, with other times or one condition more. NULL members: as asked. */
struct ask_variant {
    const struct window *window;
    struct span expression; /* one more; empty = none */
};
int ask_search(struct ask *a, const struct ask_variant *variant, struct search **ret_search);

/* Parses an expression with the names that who asks may use; `forced`: without limits. */
int ask_parse(struct ask *a, struct span text, bool forced, struct query **ret_query, struct err *ret_err);

/* Takes back what was written, for an error in its place. False: part of it was sent; the connection is cut. */
bool ask_restart(struct call *c);

int64_t now_ms(void);

/* What the text of an error is for a failure of the search that has none of its own. */
const char *ask_why(struct ask *a, int code);
/* The status that goes with it: 400, 403, 404, 503 ... */
int ask_status(int code);

#endif
