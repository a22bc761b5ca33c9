/* target.h: the request target and the Host header, taken apart. Pure functions over text.
 *
 * Owner: caller. Thread: any. Failure: -EINVAL for what no client of ours sends: a path with a NUL, with `.` or `..`
 * parts in any spelling, with a `%` that is not followed by two digits; -E2BIG for more than TARGET_PARTS parts;
 * -ENOENT for a path outside the base path.
 */
#ifndef SEINE_HTTP_TARGET_H
#define SEINE_HTTP_TARGET_H

#include "base/span.h"

#define TARGET_PARTS 16

struct target {
    char *path;                      /* decoded, without the base path; begins with '/' */
    const char *parts[TARGET_PARTS]; /* decoded one by one: a part may hold a '/' that came as %2F */
    size_t count;
    struct span query; /* in the text it was read from */
    char *memory;      /* of the parts */
};

/* `base`: "" or "/x/". */
int target_parse(struct span text, const char *base, struct target *ret_target);
void target_done(struct target *t);

/* The name in a Host header (RFC 9110, 7.2): without port and in its brackets if it has them. Empty: no valid header.
 */
struct span host_name(struct span header);
/* Names of this machine that cannot be pointed here by somebody else's DNS: localhost, 127.0.0.0/8, [::1]. */
bool host_is_loopback(struct span name);
/* One of `names` (NULL ends), without case. */
bool host_listed(struct span name, const char *const *names);

#endif
