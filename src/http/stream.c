/* stream.c: bodies that the handler reads as they come: it runs as soon as the head is there, and the connection's
 * thread holds each piece until the handler has taken it. Parts of forms by libmicrohttpd's reader (RFC 7578).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "http/internal.h"

#define PARTS_BUFFER ((size_t)64 << 10)

/* --- the connection's thread --- */

bool stream_wait(struct request *q) {
    struct reply *r = &q->reply;
    (void)pthread_mutex_lock(&r->lock);
    while (!q->stream->wanted && !r->finished && !r->streaming && !r->aborted) {
        (void)pthread_cond_wait(&r->turned, &r->lock);
    }
    bool reads = q->stream->wanted;
    (void)pthread_mutex_unlock(&r->lock);
    return reads;
}

enum MHD_Result stream_feed(struct request *q, const char *data, size_t *len) {
    struct reply *r = &q->reply;
    struct body_stream *s = q->stream;
    connection_phase(q->connection, PHASE_WORK);
    (void)pthread_mutex_lock(&r->lock);
    s->at = (const uint8_t *)data;
    s->left = *len;
    (void)pthread_cond_broadcast(&r->turned);
    while (s->left && !r->finished && !r->aborted) {
        (void)pthread_cond_wait(&r->turned, &r->lock);
    }
    q->discarded += s->left; /* an answer came before the end of the body */
    s->left = 0;
    (void)pthread_mutex_unlock(&r->lock);
    connection_phase(q->connection, PHASE_BODY);
    *len = 0;
    return q->discarded > BODY_DISCARDED_MAX ? MHD_NO : MHD_YES;
}

void stream_end(struct request *q) {
    struct reply *r = &q->reply;
    connection_phase(q->connection, PHASE_WORK);
    (void)pthread_mutex_lock(&r->lock);
    q->stream->ended = true;
    (void)pthread_cond_broadcast(&r->turned);
    (void)pthread_mutex_unlock(&r->lock);
}

/* --- the handler --- */

/* One that was not announced as a stream is there as a whole. */
static ssize_t body_copy(const struct request *q, uint8_t *to, size_t room) {
    struct body_stream *s = q->stream;
    size_t n = MIN(room, q->body.len - (size_t)s->taken);
    if (n) {
        memcpy(to, q->body.data + s->taken, n);
    }
    s->taken += n;
    return (ssize_t)n;
}

ssize_t request_read(const struct request *q, uint8_t *to, size_t room) {
    struct body_stream *s = q->stream;
    struct reply *r = &s->request->reply;
    ssize_t n = -EPIPE;
    if (!s->used) {
        return body_copy(q, to, room);
    }
    (void)pthread_mutex_lock(&r->lock);
    s->wanted = true;
    (void)pthread_cond_broadcast(&r->turned);
    while (!s->left && !s->ended && !r->gone) {
        (void)pthread_cond_wait(&r->turned, &r->lock);
    }
    if (s->left) {
        size_t some = MIN(room, s->left);
        memcpy(to, s->at, some);
        s->at += some;
        s->left -= some;
        n = (ssize_t)some;
        if (s->left == 0) {
            (void)pthread_cond_broadcast(&r->turned);
        }
    } else if (s->ended) {
        n = 0;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return n;
}

struct parts {
    request_part_fn each;
    void *ctx;
    int code;
};

static enum MHD_Result part_take(void *ctx, enum MHD_ValueKind kind, const char *key, const char *filename,
                                 const char *type, const char *encoding, const char *data, uint64_t offset,
                                 size_t size) {
    struct parts *p = ctx;
    (void)kind;
    (void)type;
    (void)encoding;
    struct request_part part = {key ? key : "", filename, span_make(data, size), offset};
    p->code = p->each(p->ctx, &part);
    return p->code < 0 ? MHD_NO : MHD_YES;
}

int request_form(const struct request *q, request_part_fn each, void *ctx) {
    struct parts parts = {each, ctx, 0};
    uint8_t *block = malloc(PARTS_BUFFER);
    struct MHD_PostProcessor *reader =
        block ? MHD_create_post_processor(q->mhd, PARTS_BUFFER, part_take, &parts) : NULL;
    int code = !block ? -ENOMEM : !reader ? -EINVAL : 0;
    while (code == 0) {
        ssize_t n = request_read(q, block, PARTS_BUFFER);
        if (n <= 0) {
            code = (int)n;
            break;
        }
        if (MHD_post_process(reader, (const char *)block, (size_t)n) != MHD_YES) {
            code = parts.code < 0 ? parts.code : -EINVAL;
        }
    }
    if (reader && MHD_destroy_post_processor(reader) != MHD_YES && code == 0) {
        code = parts.code < 0 ? parts.code : -EINVAL; /* it ends inside a part */
    }
    free(block);
    return code;
}
