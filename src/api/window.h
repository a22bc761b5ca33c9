/* window.h: the time a query covers, as the parameters date, startTime, stopTime, bounding, strictly and interval say.
 *
 * Owner: caller's stack. Thread: any. Cost: none. Failure: -EINVAL with what clients expect to read.
 */
#ifndef SEINE_API_WINDOW_H
#define SEINE_API_WINDOW_H

#include "base/err.h"
#include "base/span.h"
#include "store/search.h"

/* Parameters as they came; {NULL, 0}: not given. */
struct window_input {
    struct span date, start, stop, bounding, interval;
    bool start_is_list, stop_is_list; /* a JSON array or object */
    bool strictly, spanning, all_segments;
    bool everything; /* without any of them: all there is, not the last hour */
};

struct window {
    bool bounded; /* start_ms and stop_ms count */
    bool open;    /* there is no end: "the last N hours" */
    int64_t start_ms, stop_ms;
    enum bounding bounding;
    uint64_t interval_s;
};

int window_read(const struct window_input *in, int64_t now_ms, struct window *ret, struct err *ret_err);

#endif
