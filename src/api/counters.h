/* counters.h: numbers of this server over time: what the statistics pages draw.
 *
 * A table names what is looked at (counters) and what is made of it (series: growth, growth per second, newest value).
 * A history keeps three rings of COUNTER_SLOTS steps: 5 s for two hours, a minute for a day, ten minutes for ten days.
 * A counter that grows counts from its highest value on: what is deleted and stored again is no growth.
 *
 * Owner: struct api; the history itself is plain memory of a fixed size (about 1 MB). Thread: counters_* any, one lock;
 * history_* one. Cost: a sample every 5 s: the list of captures, less often when that is slow, and a few files of
 * /proc. Failure: what cannot be read keeps its last value.
 */
#ifndef SEINE_API_COUNTERS_H
#define SEINE_API_COUNTERS_H

#include "api/api.h"

enum counter {
    COUNTER_PACKETS, /* these grow */
    COUNTER_BYTES,
    COUNTER_SESSIONS,
    COUNTER_REQUESTS,
    COUNTER_SENT,
    COUNTER_REFUSED,
    COUNTERS_GROWING,
    COUNTER_CPU = COUNTERS_GROWING, /* these are what they are; hundredths of a percent of one processor */
    COUNTER_MEMORY,
    COUNTER_MEMORY_PART,
    COUNTER_FREE, /* MiB */
    COUNTER_FREE_PART,
    COUNTER_USED,
    COUNTER_PARTS, /* of the store */
    COUNTERS
};

/* --- series: as a table --- */

enum series_how { SERIES_GROWTH, SERIES_PER_SECOND, SERIES_NEWEST };

struct counter_series {
    const char *name;
    enum counter counter;
    enum series_how how;
    double scale;
    const char *help;
};
extern const struct counter_series counter_series_table[];
extern const size_t counter_series_count;
const struct counter_series *counter_series_find(struct span name);

/* --- history --- */

#define COUNTER_SLOTS 1440
#define COUNTER_RINGS 3
extern const uint32_t counter_intervals[COUNTER_RINGS]; /* seconds */

struct counter_slot {
    int64_t number; /* time / interval; 0 = nothing */
    uint32_t ms;    /* of it that was looked at */
    double values[COUNTERS];
};

struct counter_history {
    int64_t last_ms; /* of the newest sample; 0: none */
    double highest[COUNTERS_GROWING];
    struct counter_slot rings[COUNTER_RINGS][COUNTER_SLOTS];
};

/* Samples come in the order of time; one that is not newer is left out. */
void history_sample(struct counter_history *h, int64_t now_ms, const double values[COUNTERS]);
/* What the series is over [from_ms, to_ms), from the ring of this interval (seconds; the nearest one not above it, or
 * the first). False: nothing was looked at then. */
bool history_value(const struct counter_history *h, const struct counter_series *series, uint32_t interval,
                   int64_t from_ms, int64_t to_ms, double *ret);
/* The newest whole step of the first ring; NULL before there is one. */
const struct counter_slot *history_newest(const struct counter_history *h);
double series_of_slot(const struct counter_series *series, const struct counter_slot *slot);

/* --- of the running server --- */

struct counters;

int counters_new(struct api *api, struct counters **ret_counters, struct err *ret_err);
struct counters *counters_free(struct counters *c);
/* Packets that are read into the store right now and are in no finished capture yet; 0, 0 before they are in one. */
void counters_reading(struct counters *c, uint64_t bytes, uint64_t packets);
/* The server whose requests are counted; NULL: it goes, and is not looked at any more once this returns. */
void counters_serve(struct counters *c, const struct server *server);
/* A copy of the newest step. False: there is none yet. */
bool counters_newest(struct counters *c, struct counter_slot *ret);
/* Series by name over time: `count` values at `ret`, NAN where nothing is known. */
struct counter_request {
    const struct counter_series *series;
    uint32_t interval; /* s */
    int64_t start, step;
    size_t count;
};
void counters_series(struct counters *c, const struct counter_request *request, double *ret);

/* Of this machine, for the list of nodes. */
struct machine {
    uint64_t free_bytes, used_bytes, memory;
    double free_part, memory_part; /* percent */
};
void machine_read(const char *folder, struct machine *ret);

#endif
