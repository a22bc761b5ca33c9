/* client.h: one HTTP request to another server, by libcurl (when compiled in): what providers of identities are asked.
 *
 * Only https, and http to this machine; no redirects, no cookies; certificates are checked against the system's or
 * `ca_file`. The whole takes at most `seconds`, the answer at most `ceiling` bytes.
 *
 * Owner: caller. Thread: any. Cost: a connection each. Failure: -EOPNOTSUPP without libcurl, -EPERM for an address that
 * may not be asked, -ETIMEDOUT, -EFBIG, -EHOSTUNREACH, each with text.
 */
#ifndef SEINE_HTTP_CLIENT_H
#define SEINE_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/err.h"

struct client_request {
    const char *url;
    const char *form;            /* body of a POST, urlencoded; NULL: GET */
    const char *user, *password; /* Basic; NULL: none */
    const char *bearer;          /* NULL: none */
    const char *ca_file;         /* PEM; "" or NULL: the system's */
    size_t ceiling;
    unsigned seconds;
};

/* True for https, and for http to this machine. */
bool client_may_ask(const char *url);
/* The answer's body in `out`, its status in `ret_status`. */
int client_ask(const struct client_request *q, struct buf *out, long *ret_status, struct err *ret_err);
/* `text` with everything but letters, digits, '-', '.', '_', '~' percent-encoded (RFC 3986, 2.3). */
void percent_encode(struct span text, struct buf *out);

#endif
