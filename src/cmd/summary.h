/* summary.h: what a run found, counted while it goes on, said at its end.
 *
 * Owner: the command. Thread: summary_count from each worker with its own number; the rest from main.
 */
#ifndef SEINE_CMD_SUMMARY_H
#define SEINE_CMD_SUMMARY_H

#include "cmd/show.h"
#include "pipeline/walk.h"

#define SUMMARY_PROTOCOLS_MAX 128

struct protocol_count {
    char name[32];
    uint64_t sessions;
};

struct summary_lane {    /* one worker's */
    uint64_t sessions;   /* atomic */
    int64_t first, last; /* ns */
    size_t protocol_count;
    struct protocol_count protocols[SUMMARY_PROTOCOLS_MAX];
} __attribute__((aligned(64)));

struct summary {
    struct summary_lane lanes[WALK_WORKERS_MAX];
    bool protocols; /* count them: costs a little per session */
};

struct summary *summary_new(bool protocols);
struct summary *summary_free(struct summary *s);
void summary_count(struct summary *s, unsigned worker, const struct record *r);
uint64_t summary_sessions(const struct summary *s);

/* Protocols, time, loss and damage, a line each, on standard error. */
void summary_print(const struct summary *s, const struct walk_stats *stats, const struct show *show);
/* Every counter there is, as one JSON object in one line on standard error. */
void summary_print_stats(const struct summary *s, const struct walk_stats *stats, double seconds);
/* Counters that are not zero, for -v. */
void summary_print_counters(const struct walk_stats *stats);

#endif
