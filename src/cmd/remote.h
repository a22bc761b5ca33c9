/* remote.h: a running server asked over HTTP, by libcurl (when compiled in).
 *
 * Owner: the command. Thread: main. Failure: said; the exit code returned. Passwords come from SEINE_PASSWORD or the
 * terminal, tokens from SEINE_TOKEN or the printed link, never from other arguments.
 */
#ifndef SEINE_CMD_REMOTE_H
#define SEINE_CMD_REMOTE_H

#include "base/buf.h"

#define REMOTE_ANSWER_MAX ((size_t)1 << 30)

struct remote;

/* `url`: with the link's `?token=` or without; `user`: NULL = none. */
int remote_open(const char *url, const char *user, struct remote **ret_remote);
struct remote *remote_close(struct remote *r);

/* Parameters of the next question; `value` NULL leaves it out. */
void remote_param(struct remote *r, const char *name, const char *value);
void remote_param_u64(struct remote *r, const char *name, uint64_t value);
/* GET `path` with the parameters. The body goes into `out`, or with `out` NULL to descriptor `fd` as it comes. */
int remote_get(struct remote *r, const char *path, struct buf *out, int fd);

#endif
