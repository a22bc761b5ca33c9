/* store_stats.h: the store's size, read from a snapshot and from the folder. Thread: any. Cost: a look at every file.
 */
#ifndef SEINE_API_STORE_STATS_H
#define SEINE_API_STORE_STATS_H

#include "api/api.h"

struct store_numbers {
    uint64_t rows, parts, segments, tail_rows, bytes;
    uint64_t first_ms, last_ms; /* of packets; 0: there are no sessions */
};

void store_numbers_read(struct call *c, const struct snapshot *snapshot, struct store_numbers *ret);

#endif
