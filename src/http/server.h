/* server.h: HTTP/1.1 (RFC 9110, 9112), with TLS by certificate files, over libmicrohttpd: requests in, replies out.
 *
 * Knows nothing of users or sessions: one function answers all requests (api/dispatch.c). It runs on a thread of its
 * own per request and may block; what it writes is held until REPLY_HOLD bytes, so short answers have a Content-Length,
 * and streams after that. Text and JSON of more than 1 KiB are compressed when the client accepts it.
 *
 * A server that listens on a loopback address answers only to Host headers that name this machine or one of `hosts`, so
 * that no page of somebody else's can reach it by pointing its own name here (DNS rebinding).
 *
 * What proxies and servers read in different ways is refused with 400 and the end of the connection: lengths or codings
 * said twice or both, headers that must be one and are several, names that are none.
 *
 * Owner: the command. Thread: server_new and server_free from one; the handler from many at once. Cost: a thread per
 * connection, at most `connections`. Failure: requests that are no HTTP, too long or too slow are answered by status
 * and counted, and never reach the handler.
 */
#ifndef SEINE_HTTP_SERVER_H
#define SEINE_HTTP_SERVER_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "config/setting.h"

#define REPLY_HOLD ((size_t)1 << 20)
#define REQUEST_BODY_MAX ((size_t)5 << 20)

struct request;
struct reply;
typedef void (*request_fn)(void *ctx, const struct request *q, struct reply *r);
/* Whether the handler reads the body of such a request as it comes (request_read), with no limit but its own. `target`:
 * path and query as sent. */
typedef bool (*streams_fn)(void *ctx, const char *method, const char *target);

struct server_options {
    const char *address;              /* "127.0.0.1", "::1", "0.0.0.0", ... */
    uint16_t port;                    /* 0 = any free one */
    const char *cert_file, *key_file; /* PEM; both or none */
    const char *base_path;            /* webBasePath: taken off the front of paths; "" or "/x/" */
    struct setting_list hosts;        /* further names in Host headers */
    unsigned connections;             /* 0 = 256 */
    unsigned per_address;             /* 0 = no limit */
    const char *trust_proxy;          /* authTrustProxy, see http/network.h; NULL: no proxy is believed */
    unsigned idle_seconds;            /* 0 = 120; a head must be there in a quarter, a body in one of these */
    request_fn handler;
    streams_fn streams; /* NULL: none */
    void *ctx;
};

struct server;
int server_new(const struct server_options *options, struct server **ret_server, struct err *ret_err);
/* Answers what is in progress with a cut connection after `grace_ms`. */
struct server *server_free(struct server *s, unsigned grace_ms);
uint16_t server_port(const struct server *s);

enum server_count {
    SERVER_REQUESTS,
    SERVER_BYTES,
    SERVER_CONNECTIONS,
    SERVER_REFUSED, /* requests that did not reach the handler: too large, another Host, no valid path */
    SERVER_BAD,     /* what is no HTTP, too slow, or was not sent to its end */
    SERVER_CANCELLED,
    SERVER_COUNTS
};
extern const char *const server_count_names[SERVER_COUNTS];
void server_counts(const struct server *s, uint64_t ret[SERVER_COUNTS]);

/* --- the request; everything borrowed until the handler returns --- */

const char *request_method(const struct request *q); /* HEAD comes as GET; its body is not sent */
const char *request_method_sent(const struct request *q);
const char *request_path(const struct request *q); /* decoded, without base path and query; no "." or ".." parts */
/* The parts of the path between the '/', each decoded by itself: one may hold a '/' that came as %2F. */
const char *const *request_parts(const struct request *q, size_t *ret_count);
const char *request_target(const struct request *q);                   /* as sent: path and query */
const char *request_header(const struct request *q, const char *name); /* NULL: none */
const char *request_cookie(const struct request *q, const char *name);
/* How often a header came: what must not be said twice should be looked at with this. */
unsigned request_header_count(const struct request *q, const char *name);
const char *request_peer(const struct request *q);   /* the other end's address as text */
const char *request_client(const struct request *q); /* the same, or who is behind proxies that are believed */
/* TLS up to here, or up to a proxy that is believed and says so. */
bool request_is_tls(const struct request *q);
struct span request_body(const struct request *q);
/* A parameter of the query or of an urlencoded or JSON body (members of its object; arrays and objects as JSON text);
 * the body wins. {NULL, 0}: not there. Repeated ones are joined by ','. */
struct span request_param(const struct request *q, const char *name);
const char *request_param_text(const struct request *q, const char *name); /* NULL: not there; no NUL inside */
bool request_param_is_json(const struct request *q, const char *name); /* array, object, number, ... in a JSON body */
void request_each_param(const struct request *q, bool (*each)(void *ctx, const char *name, struct span value),
                        void *ctx);
/* The next bytes of the body, up to `room`: 0 at its end, -EPIPE when the other end went away. Where streams_fn says so
 * it blocks, and what the handler never reads is thrown away; else it reads the body that is there. */
ssize_t request_read(const struct request *q, uint8_t *to, size_t room);
/* Parts of a form (multipart/form-data, urlencoded) as they come; a long one in pieces, `offset` says from where on.
 * `filename` NULL: none was sent. A negative answer ends it and is returned; -EINVAL: no form, or a damaged one. */
struct request_part {
    const char *name, *filename;
    struct span bytes;
    uint64_t offset;
};
typedef int (*request_part_fn)(void *ctx, const struct request_part *part);
int request_form(const struct request *q, request_part_fn each, void *ctx);
/* 0, or -EINVAL: the body says it is JSON and is not. */
int request_body_state(const struct request *q);
/* The other end went away: asked by long work. Any thread. Cost: a system call. */
bool request_gone(const struct request *q);

/* --- the reply --- */

void reply_status(struct reply *r, int status);                          /* 200 unless said */
void reply_header(struct reply *r, const char *name, const char *value); /* control characters end the value */
void reply_type(struct reply *r, const char *type);
/* Where the body is written. After writing much, reply_push sends what is over REPLY_HOLD. */
struct buf *reply_body(struct reply *r);
/* 0, or -EPIPE: the other end went away or is too slow; work should end. */
int reply_push(struct reply *r);
/* Sends what is held at once, and from now on streams: server-sent events. */
int reply_push_now(struct reply *r);
/* Throws away what was written and not yet sent; false when something was sent. */
bool reply_restart(struct reply *r);
/* Cuts the connection instead of ending the body: an error in the middle of a stream must not look complete. */
void reply_abort(struct reply *r);

#endif
