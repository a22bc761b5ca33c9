/* server.c: see server.h. libmicrohttpd with a thread per connection; a thread of ours watches for those that send a
 * byte now and then to hold a connection open, which its own timeout does not see.
 */
#include "http/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "http/internal.h"
#include "http/listen.h"

#define HEAD_MAX ((size_t)96 << 10) /* of request line, headers and what libmicrohttpd needs beside them */
#define CONNECTIONS_DEFAULT 256u
/* TLS 1.2 and 1.3 with forward secrecy and authenticated ciphers only (RFC 9325, 4.2), ours first. */
#define TLS_PRIORITIES                                                                                     \
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-CIPHER-ALL:+AES-256-GCM:" \
    "+CHACHA20-POLY1305:+AES-128-GCM:-MAC-ALL:+AEAD:-SIGN-RSA-SHA1:-SIGN-ECDSA-SHA1:%SERVER_PRECEDENCE"
#define IDLE_DEFAULT 120u

const char *const server_count_names[SERVER_COUNTS] = {"requests", "bytes", "connections",
                                                       "refused",  "bad",   "cancelled"};

int64_t clock_us(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t server_clock_ms(void) {
    return clock_us() / 1000;
}

void connection_phase(struct connection *c, enum phase phase) {
    c->phase = (int)phase;
    c->since_ms = server_clock_ms();
}

/* --- connections --- */

static void connection_begins(struct server *s, struct MHD_Connection *mhd, void **context) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = calloc(1, sizeof(*c));
    if (!c || !info) {
        free(c);
        return;
    }
    c->fd = info->connect_fd;
    connection_phase(c, PHASE_WAIT);
    (void)pthread_mutex_lock(&s->lock);
    c->next = s->connections;
    if (c->next) {
        c->next->previous = c;
    }
    s->connections = c;
    (void)pthread_mutex_unlock(&s->lock);
    server_count(s, SERVER_CONNECTIONS, 1);
    *context = c;
}

static void connection_ends(struct server *s, struct connection *c) {
    if (!c) {
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    if (c->next) {
        c->next->previous = c->previous;
    }
    *(c->previous ? &c->previous->next : &s->connections) = c->next;
    (void)pthread_mutex_unlock(&s->lock);
    free(c);
}

static void on_connection(void *ctx, struct MHD_Connection *mhd, void **context,
                          enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection_begins(ctx, mhd, context);
    } else {
        connection_ends(ctx, *context);
        *context = NULL;
    }
}

static bool connection_is_slow(const struct server *s, const struct connection *c, int64_t now) {
    int64_t idle = (int64_t)s->idle_seconds * 1000, waited = now - c->since_ms;
    switch ((enum phase)c->phase) {
    case PHASE_WAIT:
        return waited > idle + idle / 4;
    case PHASE_HEAD:
        return waited > idle / 4;
    case PHASE_BODY:
        return waited > idle;
    default:
        return false;
    }
}

/* Closing is left to the connection's own thread, which finds its socket shut. */
static void *watch(void *ctx) {
    struct server *s = ctx;
    (void)pthread_mutex_lock(&s->lock);
    while (!s->ending) {
        struct timespec until;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 1;
        (void)pthread_cond_timedwait(&s->quit, &s->lock, &until);
        int64_t now = server_clock_ms();
        for (struct connection *c = s->connections; c; c = c->next) {
            if (connection_is_slow(s, c, now)) {
                (void)shutdown(c->fd, SHUT_RDWR);
                connection_phase(c, PHASE_WORK);
                server_count(s, SERVER_BAD, 1);
            }
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- requests --- */

static void *work(void *ctx) {
    struct request *q = ctx;
    q->server->handler(q->server->ctx, q, &q->reply);
    reply_finish(&q->reply);
    return NULL;
}

/* Signals are for the thread that waits for them. Those of a fault come to the thread that has it: where they are
 * blocked they end the process, whoever handles them (store/guard.h). */
static void all_but_faults(sigset_t *ret) {
    static const int faults[] = {SIGBUS, SIGSEGV, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
    (void)sigfillset(ret);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        (void)sigdelset(ret, faults[i]);
    }
}

static int thread_start(pthread_t *thread, void *(*run)(void *), void *ctx) {
    sigset_t all, before;
    all_but_faults(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(thread, NULL, run, ctx);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -code;
}

static void refuse(struct request *q, int status, const char *why) {
    struct reply *r = &q->reply;
    reply_status(r, status);
    reply_type(r, "application/json; charset=utf-8");
    reply_header(r, "X-Content-Type-Options", "nosniff");
    reply_header(r, "Cache-Control", "no-store");
    if (q->bad) {
        reply_header(r, "Connection", "close");
    }
    buf_printf(reply_body(r), "{\"success\":false,\"text\":\"%s\"}", why);
    server_count(q->server, SERVER_REFUSED, 1);
    reply_finish(r);
}

/* Starts the handler, or refuses. */
static void begin(struct request *q) {
    const char *why = NULL;
    struct server *s = q->server;
    connection_phase(q->connection, PHASE_WORK);
    server_count(s, SERVER_REQUESTS, 1);
    q->answered = true;
    s->working++;
    int status = request_prepare(q, &why);
    if (status == 0 && thread_start(&q->thread, work, q) < 0) {
        status = 503;
        why = "No thread for this request";
    }
    if (status) {
        refuse(q, status, why);
    } else {
        q->running = true;
    }
}

static enum MHD_Result answer(struct request *q) {
    begin(q);
    return reply_queue(&q->reply);
}

/* The handler reads the body itself. Who is refused gets the answer before sending it. */
static enum MHD_Result answer_stream(struct request *q) {
    q->stream->used = true;
    begin(q);
    if (!q->running || !stream_wait(q)) {
        return reply_queue(&q->reply);
    }
    connection_phase(q->connection, PHASE_BODY);
    return MHD_YES;
}

static bool body_is_announced_too_large(const struct request *q) {
    uint64_t length = 0;
    const char *text = request_header(q, "Content-Length");
    return text && (!span_decimal(span_text(text), INT64_MAX, &length) || length > REQUEST_BODY_MAX);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **context) {
    struct request *q = *context;
    (void)ctx;
    (void)mhd;
    (void)url;
    if (!q) {
        return MHD_NO;
    }
    if (!q->seen) {
        q->seen = true;
        q->method = method;
        q->version = version;
        q->head = strcmp(method, "HEAD") == 0;
        connection_phase(q->connection, PHASE_BODY);
        request_head(q);
        if (q->bad) {
            return answer(q);
        }
        if (q->server->streams && q->server->streams(q->server->ctx, method, q->raw)) {
            return answer_stream(q);
        }
        if (body_is_announced_too_large(q)) {
            /* Queued before the body is read, the answer ends the connection. */
            q->discarded = 1;
            return answer(q);
        }
        return MHD_YES;
    }
    if (q->stream->used) {
        if (*upload_size) {
            return stream_feed(q, upload, upload_size);
        }
        stream_end(q);
        return reply_queue(&q->reply);
    }
    return *upload_size ? request_take_body(q, upload, upload_size) : answer(q);
}

static void *on_target(void *ctx, const char *target, struct MHD_Connection *mhd) {
    struct request *q = request_new(ctx, mhd, target);
    if (q) {
        connection_phase(q->connection, PHASE_HEAD);
    }
    return q;
}

static void on_completed(void *ctx, struct MHD_Connection *mhd, void **context, enum MHD_RequestTerminationCode code) {
    struct server *s = ctx;
    struct request *q = *context;
    (void)mhd;
    *context = NULL;
    if (!q) {
        return;
    }
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK) {
        server_count(s, q->answered ? SERVER_CANCELLED : SERVER_BAD, 1);
    }
    if (q->running) {
        reply_drop(&q->reply);
        (void)pthread_join(q->thread, NULL);
    }
    if (q->answered) {
        s->working--;
    }
    connection_phase(q->connection, PHASE_WAIT);
    request_free(q);
}

/* --- the server --- */

static int hosts_copy(struct server *s, const struct setting_list *hosts) {
    s->hosts = calloc(hosts->count + 1, sizeof(*s->hosts));
    for (size_t i = 0; s->hosts && i < hosts->count; i++) {
        s->hosts[i] = strdup(hosts->items[i]);
        if (!s->hosts[i]) {
            return -ENOMEM;
        }
    }
    return s->hosts ? 0 : -ENOMEM;
}

static struct server *server_release(struct server *s) {
    for (char **host = s->hosts; host && *host; host++) {
        free(*host);
    }
    free(s->hosts);
    free(s->base_path);
    (void)pthread_cond_destroy(&s->quit);
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
    return NULL;
}

static int daemon_start(struct server *s, const struct server_options *o, int fd, const struct pem_pair *pem) {
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, pem->cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, pem->key},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
                                   {MHD_OPTION_END, 0, NULL}};
    if (!s->tls) {
        tls[0] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    }
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
                     (s->tls ? (unsigned)MHD_USE_TLS : 0u);
    sigset_t all, before;
    all_but_faults(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    s->daemon = MHD_start_daemon(flags, o->port, NULL, NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd,
                                 MHD_OPTION_CONNECTION_LIMIT, o->connections ? o->connections : CONNECTIONS_DEFAULT,
                                 MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->loopback ? 0u : o->per_address,
                                 MHD_OPTION_CONNECTION_TIMEOUT, s->idle_seconds, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 HEAD_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
                                 MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
                                 on_connection, s, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return s->daemon ? 0 : -EIO;
}

static struct server *server_make(const struct server_options *o) {
    struct server *s = calloc(1, sizeof(*s));
    if (!s) {
        return NULL;
    }
    s->handler = o->handler;
    s->streams = o->streams;
    s->ctx = o->ctx;
    s->idle_seconds = o->idle_seconds ? o->idle_seconds : IDLE_DEFAULT;
    if (trusted_parse(o->trust_proxy, &s->trusted) < 0) {
        s->trusted = (struct trusted){0}; /* http_settings_check said so */
    }
    s->base_path = strdup(o->base_path ? o->base_path : "");
    (void)pthread_mutex_init(&s->lock, NULL);
    (void)pthread_cond_init(&s->quit, NULL);
    if (!s->base_path || hosts_copy(s, &o->hosts) < 0) {
        return server_release(s);
    }
    return s;
}

int server_new(const struct server_options *options, struct server **ret_server, struct err *ret_err) {
    struct pem_pair pem = {0};
    int fd = -1;
    struct server *s = server_make(options);
    if (!s) {
        return err_set(ret_err, -ENOMEM, "no memory for the server");
    }
    s->tls = options->cert_file && *options->cert_file;
    int code = s->tls ? pem_read(options->cert_file, options->key_file, &pem, ret_err) : 0;
    if (code == 0) {
        code = listen_open(options->address, options->port, &fd, &s->loopback, ret_err);
    }
    if (code == 0) {
        s->port = listen_port(fd);
        code = daemon_start(s, options, fd, &pem);
        if (code < 0) {
            (void)close(fd);
            (void)err_set(ret_err, code, "the server on %s port %u could not be started", options->address, s->port);
        }
    }
    pem_done(&pem);
    if (code < 0) {
        server_release(s);
        return code;
    }
    s->watching = thread_start(&s->watcher, watch, s) == 0;
    if (!s->watching) {
        server_free(s, 0);
        return err_set(ret_err, -EAGAIN, "no thread to watch connections with");
    }
    *ret_server = s;
    return 0;
}

struct server *server_free(struct server *s, unsigned grace_ms) {
    if (!s) {
        return NULL;
    }
    int fd = MHD_quiesce_daemon(s->daemon);
    if (fd >= 0) {
        (void)close(fd);
    }
    for (int64_t until = server_clock_ms() + grace_ms; s->working && server_clock_ms() < until;) {
        (void)usleep(5000);
    }
    s->stopping = true;
    MHD_stop_daemon(s->daemon);
    if (s->watching) {
        (void)pthread_mutex_lock(&s->lock);
        s->ending = true;
        (void)pthread_cond_signal(&s->quit);
        (void)pthread_mutex_unlock(&s->lock);
        (void)pthread_join(s->watcher, NULL);
    }
    return server_release(s);
}

uint16_t server_port(const struct server *s) {
    return s->port;
}

void server_counts(const struct server *s, uint64_t ret[SERVER_COUNTS]) {
    for (size_t i = 0; i < SERVER_COUNTS; i++) {
        ret[i] = s->counts[i];
    }
}
