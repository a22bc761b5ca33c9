/* internal.h: what the files of http/ share: a connection, a request with its reply, the server.
 *
 * Two threads work on a request: the connection's own (libmicrohttpd's) reads it and sends the answer, another one runs
 * the handler. The connection's thread waits until the reply is finished or begins to stream; then it takes what the
 * handler hands over, piece by piece, so that a slow client holds the handler back.
 */
#ifndef SEINE_HTTP_INTERNAL_H
#define SEINE_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "http/encode.h"
#include "http/network.h"
#include "http/params.h"
#include "http/server.h"
#include "http/target.h"

#define REPLY_MAX ((size_t)512 << 20) /* of what a handler writes without pushing */
#define REPLY_HEADERS 48
#define BODY_DISCARDED_MAX ((size_t)32 << 20) /* of a body over the limit is read before the connection is cut */
#define BODIES_MAX ((size_t)256 << 20)        /* of all requests at once, before anybody knows who sent them */
#define COMPRESS_FROM 1024

enum phase { PHASE_WAIT, PHASE_HEAD, PHASE_BODY, PHASE_WORK };

/* One socket; in the server's list so that the watching thread sees which are too slow. */
struct connection {
    struct connection *next, *previous;
    int fd;
    _Atomic int phase;
    _Atomic int64_t since_ms;
};

struct reply {
    struct request *request;
    int status;
    struct {
        char *name, *value;
    } headers[REPLY_HEADERS];
    unsigned header_count;
    struct buf body; /* the handler's */
    struct encoder *encoder;
    enum coding coding;

    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t turned;
    struct buf ready; /* encoded; the connection's thread takes it from `taken` on */
    size_t taken;
    bool streaming, finished, aborted;
    atomic_bool gone; /* nobody reads any more */
};

/* A body that is read as it comes; guarded by the reply's lock. */
struct body_stream {
    struct request *request;
    bool used;          /* it is one */
    bool wanted, ended; /* the handler began to read; all of it is there */
    const uint8_t *at;  /* of what the connection's thread holds */
    size_t left;
    uint64_t taken; /* not `used`: of the whole body */
};

struct request {
    struct server *server;
    struct body_stream *stream;
    struct connection *connection;
    struct MHD_Connection *mhd;
    char *raw; /* the target as sent */
    const char *method, *version;
    bool head, seen, running, answered;
    struct target target;
    struct params query, form;
    struct buf body;
    size_t discarded;
    int body_state;
    char peer[ADDRESS_TEXT], client[ADDRESS_TEXT];
    bool forwarded_tls;
    size_t held;     /* bytes of the body in server.held */
    int bad;         /* status: refused for its head alone */
    const char *why; /* with bad */
    int64_t started_us;
    pthread_t thread;
    struct reply reply;
};

struct server {
    struct MHD_Daemon *daemon;
    request_fn handler;
    streams_fn streams;
    void *ctx;
    char *base_path;
    char **hosts;
    bool loopback, tls;
    unsigned idle_seconds;
    struct trusted trusted;
    _Atomic size_t held; /* bytes of all bodies */
    uint16_t port;
    pthread_mutex_t lock; /* of the list */
    pthread_cond_t quit;
    struct connection *connections;
    pthread_t watcher;
    bool watching, ending;
    atomic_bool stopping; /* work ends now */
    _Atomic unsigned working;
    _Atomic uint64_t counts[SERVER_COUNTS];
};

static inline void server_count(struct server *s, enum server_count what, uint64_t n) {
    atomic_fetch_add_explicit(&s->counts[what], n, memory_order_relaxed);
}
int64_t server_clock_ms(void);
int64_t clock_us(void);
void connection_phase(struct connection *c, enum phase phase);

/* request.c */
struct request *request_new(struct server *s, struct MHD_Connection *mhd, const char *target);
struct request *request_free(struct request *q);
enum MHD_Result request_take_body(struct request *q, const char *data, size_t *len);
/* The head is there: `bad` and `why` are set when it should be refused; finds out who sent it. */
void request_head(struct request *q);
/* Everything is there: reads parameters. 0, or the status to refuse it with and why. */
int request_prepare(struct request *q, const char **ret_why);

/* stream.c, for the connection's thread. The handler was started: true, it reads the body; false, it answered. */
bool stream_wait(struct request *q);
enum MHD_Result stream_feed(struct request *q, const char *data, size_t *len);
void stream_end(struct request *q);

/* reply.c */
int reply_init(struct reply *r, struct request *q);
void reply_done(struct reply *r);
/* The handler returned. */
void reply_finish(struct reply *r);
/* The connection's thread: waits for the reply and queues it. */
enum MHD_Result reply_queue(struct reply *r);
/* The other end is gone: the handler's next push says so. */
void reply_drop(struct reply *r);

#endif
