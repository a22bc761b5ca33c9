/* reply.c: an answer on its way: held, compressed, handed from the handler's thread to the connection's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/util.h"
#include "http/internal.h"

int reply_init(struct reply *r, struct request *q) {
    *r = (struct reply){.request = q, .status = 200};
    buf_init(&r->body, REPLY_MAX);
    buf_init(&r->ready, REPLY_MAX);
    if (pthread_mutex_init(&r->lock, NULL) != 0) {
        return -ENOMEM;
    }
    if (pthread_cond_init(&r->turned, NULL) != 0) {
        (void)pthread_mutex_destroy(&r->lock);
        return -ENOMEM;
    }
    return 0;
}

static void headers_clear(struct reply *r) {
    for (unsigned i = 0; i < r->header_count; i++) {
        free(r->headers[i].name);
        free(r->headers[i].value);
    }
    r->header_count = 0;
}

void reply_done(struct reply *r) {
    headers_clear(r);
    buf_done(&r->body);
    buf_done(&r->ready);
    r->encoder = encoder_free(r->encoder);
    (void)pthread_cond_destroy(&r->turned);
    (void)pthread_mutex_destroy(&r->lock);
}

/* What was sent is sent: status and headers are the connection's thread's from then on. */
void reply_status(struct reply *r, int status) {
    if (!r->streaming) {
        r->status = status;
    }
}

static const char *header_find(const struct reply *r, const char *name) {
    for (unsigned i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0) {
            return r->headers[i].value;
        }
    }
    return NULL;
}

static void header_remove(struct reply *r, const char *name) {
    for (unsigned i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0) {
            free(r->headers[i].name);
            free(r->headers[i].value);
            r->headers[i] = r->headers[--r->header_count];
            return;
        }
    }
}

void reply_header(struct reply *r, const char *name, const char *value) {
    if (r->streaming) {
        return;
    }
    /* Cookies and challenges may come several times, everything else is said once. */
    if (strcasecmp(name, "Set-Cookie") != 0 && strcasecmp(name, "WWW-Authenticate") != 0) {
        header_remove(r, name);
    }
    if (r->header_count == REPLY_HEADERS) {
        return;
    }
    char *copy = strdup(value), *copied_name = strdup(name);
    if (!copy || !copied_name) {
        free(copy);
        free(copied_name);
        return;
    }
    for (char *at = copy; *at; at++) {
        if ((unsigned char)*at < ' ' || *at == 0x7f) {
            *at = 0;
            break;
        }
    }
    r->headers[r->header_count].name = copied_name;
    r->headers[r->header_count++].value = copy;
}

void reply_type(struct reply *r, const char *type) {
    reply_header(r, "Content-Type", type);
}

struct buf *reply_body(struct reply *r) {
    return &r->body;
}

/* Captures and pictures are packed already or do not pack. */
static bool type_packs(const char *type) {
    return type && (strncmp(type, "text/", 5) == 0 || strncmp(type, "application/json", 16) == 0 ||
                    strncmp(type, "application/javascript", 22) == 0 ||
                    strncmp(type, "application/x-ndjson", 20) == 0 || strncmp(type, "image/svg", 9) == 0);
}

static int coding_start(struct reply *r, bool flushing) {
    const char *type = header_find(r, "Content-Type");
    bool events = type && strncmp(type, "text/event-stream", 17) == 0;
    if (!type_packs(type) || events || header_find(r, "Content-Encoding") || r->request->head ||
        (!flushing && r->body.len < COMPRESS_FROM)) {
        return 0;
    }
    reply_header(r, "Vary", "Accept-Encoding");
    r->coding = coding_choose(request_header(r->request, "Accept-Encoding"));
    if (r->coding == CODING_NONE) {
        return 0;
    }
    int code = encoder_new(r->coding, &r->encoder);
    if (code == 0) {
        reply_header(r, "Content-Encoding", coding_names[r->coding]);
    }
    return code;
}

static void time_header(struct reply *r) {
    char text[32];
    (void)snprintf(text, sizeof(text), "%lld", (long long)((clock_us() - r->request->started_us + 500) / 1000));
    reply_header(r, "X-Seine-Response-Time", text);
    reply_header(r, "X-Arkime-Response-Time", text);
}

/* Hands what is held to the connection's thread; waits until it took the piece before. */
static int hand_over(struct reply *r, bool flush, bool end) {
    struct buf piece;
    buf_init(&piece, REPLY_MAX);
    int code = 0;
    if (r->encoder) {
        code = encoder_add(r->encoder, buf_span(&r->body), flush, end, &piece);
        buf_clear(&r->body);
    } else {
        piece = r->body;
        buf_init(&r->body, REPLY_MAX);
    }
    (void)pthread_mutex_lock(&r->lock);
    /* Written once: the connection's thread reads it without the lock from then on. */
    if (!r->streaming) {
        r->streaming = true;
        (void)pthread_cond_broadcast(&r->turned);
    }
    while (r->ready.len && !r->gone) {
        (void)pthread_cond_wait(&r->turned, &r->lock);
    }
    if (r->gone) {
        code = -EPIPE;
    } else {
        struct buf empty = r->ready;
        r->ready = piece;
        piece = empty;
        r->taken = 0;
    }
    (void)pthread_cond_broadcast(&r->turned);
    (void)pthread_mutex_unlock(&r->lock);
    buf_done(&piece);
    return code;
}

static int push(struct reply *r, bool flush) {
    if (r->body.overflowed) {
        reply_abort(r);
        return -EPIPE;
    }
    if (r->gone || r->request->server->stopping) {
        return -EPIPE;
    }
    if (!r->streaming) {
        if (coding_start(r, true) < 0) {
            reply_abort(r);
            return -EPIPE;
        }
        time_header(r);
    }
    if (r->request->head) {
        buf_clear(&r->body);
    }
    int code = hand_over(r, flush, false);
    if (code < 0 && code != -EPIPE) {
        reply_abort(r);
        return -EPIPE;
    }
    /* The head of the answer is all that was asked for: the work behind it can end. */
    return r->request->head ? -EPIPE : code;
}

int reply_push(struct reply *r) {
    return r->body.len >= REPLY_HOLD ? push(r, false) : r->gone ? -EPIPE : 0;
}

int reply_push_now(struct reply *r) {
    return push(r, true);
}

bool reply_restart(struct reply *r) {
    if (r->streaming) {
        return false;
    }
    headers_clear(r);
    buf_clear(&r->body);
    r->status = 200;
    return true;
}

void reply_abort(struct reply *r) {
    (void)pthread_mutex_lock(&r->lock);
    r->aborted = true;
    (void)pthread_cond_broadcast(&r->turned);
    (void)pthread_mutex_unlock(&r->lock);
}

void reply_drop(struct reply *r) {
    (void)pthread_mutex_lock(&r->lock);
    r->gone = true;
    (void)pthread_cond_broadcast(&r->turned);
    (void)pthread_mutex_unlock(&r->lock);
}

static void too_large(struct reply *r) {
    (void)reply_restart(r);
    r->status = 500;
    reply_type(r, "application/json; charset=utf-8");
    buf_add_text(&r->body, "{\"success\":false,\"text\":\"The answer is too large: ask for less\"}");
}

/* A short answer, compressed as a whole. */
static void body_pack(struct reply *r) {
    struct buf packed;
    if (coding_start(r, false) < 0 || !r->encoder) {
        return;
    }
    buf_init(&packed, REPLY_MAX);
    if (encoder_add(r->encoder, buf_span(&r->body), false, true, &packed) < 0) {
        reply_abort(r);
    }
    buf_done(&r->body);
    r->body = packed;
}

void reply_finish(struct reply *r) {
    if (!r->streaming) {
        if (r->body.overflowed) {
            too_large(r);
        }
        body_pack(r);
        time_header(r);
    } else if (!r->aborted && !r->gone && !r->request->head) {
        if (r->body.overflowed || hand_over(r, true, true) < 0) {
            reply_abort(r);
        }
    }
    (void)pthread_mutex_lock(&r->lock);
    r->finished = true;
    (void)pthread_cond_broadcast(&r->turned);
    (void)pthread_mutex_unlock(&r->lock);
}

/* Work may take longer than a connection may be idle. Setting a timeout where there was none starts its clock. */
static void clock_restart(struct request *q) {
    (void)MHD_set_connection_option(q->mhd, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    (void)MHD_set_connection_option(q->mhd, MHD_CONNECTION_OPTION_TIMEOUT, q->server->idle_seconds);
}

/* libmicrohttpd asks for the next piece; runs on the connection's thread and may wait. */
static ssize_t stream_read(void *ctx, uint64_t position, char *to, size_t room) {
    struct reply *r = ctx;
    (void)position;
    ssize_t n;
    (void)pthread_mutex_lock(&r->lock);
    while (r->ready.len == 0 && !r->finished && !r->aborted) {
        (void)pthread_cond_wait(&r->turned, &r->lock);
    }
    if (r->aborted || r->request->server->stopping) {
        n = MHD_CONTENT_READER_END_WITH_ERROR;
    } else if (r->ready.len == 0) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        size_t some = MIN(room, r->ready.len - r->taken);
        memcpy(to, r->ready.data + r->taken, some);
        r->taken += some;
        if (r->taken == r->ready.len) {
            buf_clear(&r->ready);
            r->taken = 0;
            (void)pthread_cond_broadcast(&r->turned);
        }
        n = (ssize_t)some;
    }
    (void)pthread_mutex_unlock(&r->lock);
    clock_restart(r->request);
    if (n > 0) {
        server_count(r->request->server, SERVER_BYTES, (uint64_t)n);
    }
    return n;
}

static struct MHD_Response *response_make(struct reply *r) {
    if (r->streaming) {
        return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 32768, stream_read, r, NULL);
    }
    struct buf body = r->body;
    buf_init(&r->body, REPLY_MAX);
    server_count(r->request->server, SERVER_BYTES, body.len);
    struct MHD_Response *response = MHD_create_response_from_buffer(body.len, body.data, MHD_RESPMEM_MUST_FREE);
    if (!response) {
        buf_done(&body);
    }
    return response;
}

enum MHD_Result reply_queue(struct reply *r) {
    (void)pthread_mutex_lock(&r->lock);
    while (!r->finished && !r->streaming && !r->aborted) {
        (void)pthread_cond_wait(&r->turned, &r->lock);
    }
    bool aborted = r->aborted;
    (void)pthread_mutex_unlock(&r->lock);
    clock_restart(r->request);
    if (aborted) {
        return MHD_NO;
    }
    struct MHD_Response *response = response_make(r);
    if (!response) {
        return MHD_NO;
    }
    for (unsigned i = 0; i < r->header_count; i++) {
        (void)MHD_add_response_header(response, r->headers[i].name, r->headers[i].value);
    }
    enum MHD_Result result = MHD_queue_response(r->request->mhd, (unsigned)r->status, response);
    MHD_destroy_response(response);
    return result;
}
