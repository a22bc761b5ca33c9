/* group.h: groups, timelines and maps of a search as clients draw them.
 *
 * Owner: the endpoint's stack. Thread: one. Cost: that of the search. Failure: -errno of the search.
 */
#ifndef SEINE_API_GROUP_H
#define SEINE_API_GROUP_H

#include "api/item.h"

/* What timelines add up: each in two directions. */
#define SERIES_SUMS 6
#define SERIES_TOTALS 3

struct series {
    const struct field *sums[SERIES_SUMS];
};
void series_init(struct series *s, const struct registry *r);

struct graph_bucket {
    int64_t start_ms;
    uint64_t sessions, sums[SERIES_SUMS];
};

/* The graph object over buckets in ascending order. */
void graph_write(const struct ask *a, const struct graph_bucket *buckets, size_t count, struct json *j);
/* `"<series>Histo":total` for each series, as items of spigraph have them. */
void series_write_totals(const uint64_t sums[SERIES_SUMS], struct json *j);
/* Total of the series with this name ("network.bytesHisto", "sessionsHisto"), for sorting. */
uint64_t series_value(const char *name, uint64_t sessions, const uint64_t sums[SERIES_SUMS]);

/* Of a whole search; `{}` for the map unless it was asked for. */
int graph_of_search(const struct ask *a, struct search *s, struct json *j);
int map_of_search(const struct ask *a, struct search *s, struct json *j);

/* One part of a group's key: as text, and as a JSON value (numbers as such). IP protocols and files by name. */
struct key_names {
    struct file_names *files;
    bool protocols; /* IP protocols by name */
};
void key_text(const struct key_names *n, const struct group_key *k, const struct group_value *v, struct buf *out);
void key_json(const struct key_names *n, const struct group_key *k, const struct group_value *v, struct json *j);
bool key_is_file(const struct group_key *k);

#endif
