/* request.c: a request as the handler sees it. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/util.h"
#include "http/internal.h"

static void peer_write(struct request *q) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(q->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info ? info->client_addr : NULL;
    if (address && address->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)address;
        (void)inet_ntop(AF_INET, &v4->sin_addr, q->peer, sizeof(q->peer));
    } else if (address && address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)address;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
            (void)inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, q->peer, sizeof(q->peer));
        } else {
            (void)inet_ntop(AF_INET6, &v6->sin6_addr, q->peer, sizeof(q->peer));
        }
    }
}

struct request *request_new(struct server *s, struct MHD_Connection *mhd, const char *target) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct request *q = calloc(1, sizeof(*q));
    if (!q || !info || !info->socket_context || reply_init(&q->reply, q) < 0) {
        free(q);
        return NULL;
    }
    q->server = s;
    q->mhd = mhd;
    q->connection = info->socket_context;
    q->started_us = clock_us();
    buf_init(&q->body, REQUEST_BODY_MAX);
    q->raw = strdup(target);
    q->stream = calloc(1, sizeof(*q->stream));
    if (!q->raw || !q->stream) {
        return request_free(q);
    }
    q->stream->request = q;
    peer_write(q);
    return q;
}

/* What is held already stays until the request is over; what does not fit any more is read and thrown away. */
static void body_hold(struct request *q, const char *data, size_t n) {
    size_t all = atomic_fetch_add_explicit(&q->server->held, n, memory_order_relaxed) + n;
    q->held += n;
    if (all > BODIES_MAX) {
        q->bad = 503;
        q->why = "Too many bodies of requests at once: try again in a moment";
        q->discarded = n;
        return;
    }
    buf_add(&q->body, data, n);
    q->discarded = q->body.overflowed ? q->body.len + n : 0;
}

static void body_let_go(struct request *q) {
    atomic_fetch_sub_explicit(&q->server->held, q->held, memory_order_relaxed);
    q->held = 0;
}

struct request *request_free(struct request *q) {
    if (q) {
        body_let_go(q);
        reply_done(&q->reply);
        target_done(&q->target);
        params_done(&q->query);
        params_done(&q->form);
        buf_done(&q->body);
        free(q->raw);
        free(q->stream);
        free(q);
    }
    return NULL;
}

enum MHD_Result request_take_body(struct request *q, const char *data, size_t *len) {
    size_t n = *len;
    *len = 0;
    if (q->discarded == 0) {
        body_hold(q, data, n);
    } else {
        q->discarded += n;
    }
    return q->discarded > BODY_DISCARDED_MAX ? MHD_NO : MHD_YES;
}

/* --- the head --- */

/* Headers whose second value somebody on the way may have read instead of the first. */
static const char *const single[] = {"Host",   "Content-Length", "Transfer-Encoding", "Authorization", "Content-Type",
                                     "Origin", "x-arkime-auth",  "x-arkime-cookie",   "Sec-Fetch-Site"};
#define FORWARDED_MAX 16

struct head {
    unsigned seen[ARRAY_LEN(single)];
    const char *forwarded[FORWARDED_MAX];
    size_t forwarded_count;
    const char *protocol; /* the last X-Forwarded-Proto */
    bool bad_name;
};

static bool name_is_token(struct span name) {
    for (size_t i = 0; i < name.len; i++) {
        int c = name.at[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c))) {
            return false;
        }
    }
    return name.len > 0;
}

static enum MHD_Result header_see(void *ctx, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                  const char *value, size_t value_len) {
    struct head *h = ctx;
    (void)kind;
    (void)value_len;
    h->bad_name = h->bad_name || !name_is_token(span_make(name, name_len));
    for (size_t i = 0; i < ARRAY_LEN(single); i++) {
        h->seen[i] += strcasecmp(name, single[i]) == 0;
    }
    if (value && strcasecmp(name, "X-Forwarded-For") == 0 && h->forwarded_count < FORWARDED_MAX) {
        h->forwarded[h->forwarded_count++] = value;
    }
    if (value && strcasecmp(name, "X-Forwarded-Proto") == 0) {
        h->protocol = value;
    }
    return MHD_YES;
}

static void refuse_head(struct request *q, const char *why) {
    q->bad = 400;
    q->why = why;
}

void request_head(struct request *q) {
    struct head h = {0};
    (void)MHD_get_connection_values_n(q->mhd, MHD_HEADER_KIND, header_see, &h);
    for (size_t i = 0; i < ARRAY_LEN(single); i++) {
        if (h.seen[i] > 1) {
            refuse_head(q, "A header that must be one came twice");
        }
    }
    bool coded = request_header(q, "Transfer-Encoding") != NULL;
    if (coded && request_header(q, "Content-Length")) {
        refuse_head(q, "A body has a Content-Length or a Transfer-Encoding, not both");
    } else if (coded && strcmp(q->version, "HTTP/1.1") != 0) {
        refuse_head(q, "Transfer-Encoding needs HTTP/1.1");
    } else if (h.bad_name) {
        refuse_head(q, "The name of a header is none");
    }
    trusted_client(&q->server->trusted, q->peer, h.forwarded, h.forwarded_count, q->client);
    /* Somebody who is believed stands in between exactly when the client is another. */
    q->forwarded_tls = strcmp(q->client, q->peer) != 0 && h.protocol && strcasecmp(h.protocol, "https") == 0;
}

static enum MHD_Result header_count(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value) {
    struct {
        const char *name;
        unsigned count;
    } *wanted = ctx;
    (void)kind;
    (void)value;
    wanted->count += strcasecmp(name, wanted->name) == 0;
    return MHD_YES;
}

unsigned request_header_count(const struct request *q, const char *name) {
    struct {
        const char *name;
        unsigned count;
    } wanted = {name, 0};
    (void)MHD_get_connection_values(q->mhd, MHD_HEADER_KIND, header_count, &wanted);
    return wanted.count;
}

static bool type_is(const struct request *q, const char *wanted) {
    const char *type = request_header(q, "Content-Type");
    struct span s = span_text(type);
    size_t end = span_find_byte(s, 0, ';');
    return span_equal_fold(span_trim(end == SPAN_NONE ? s : span_sub(s, 0, end)), span_text(wanted));
}

static int body_read(struct request *q) {
    if (q->body.len == 0) {
        return 0;
    }
    if (type_is(q, "application/json")) {
        int code = params_add_json(&q->form, buf_span(&q->body));
        if (code == -EINVAL) {
            q->body_state = -EINVAL;
            return 0;
        }
        return code;
    }
    return type_is(q, "application/x-www-form-urlencoded") ? params_add_query(&q->form, buf_span(&q->body)) : 0;
}

static bool host_is_good(const struct request *q) {
    if (!q->server->loopback) {
        return true;
    }
    struct span name = host_name(span_text(request_header(q, "Host")));
    return host_is_loopback(name) || host_listed(name, (const char *const *)q->server->hosts);
}

int request_prepare(struct request *q, const char **ret_why) {
    if (q->bad) {
        *ret_why = q->why;
        return q->bad;
    }
    if (q->discarded) {
        *ret_why = "The body is larger than 5 MiB";
        return 413;
    }
    if (!host_is_good(q)) {
        *ret_why = "This server does not answer to the name in the Host header: see the setting hostNames";
        return 403;
    }
    int code = target_parse(span_text(q->raw), q->server->base_path, &q->target);
    if (code == -ENOENT) {
        *ret_why = "There is nothing outside webBasePath";
        return 404;
    }
    if (code < 0) {
        *ret_why = code == -ENOMEM ? "No memory" : "The path is not valid";
        return code == -ENOMEM ? 500 : 400;
    }
    code = params_add_query(&q->query, q->target.query);
    code = code < 0 ? code : body_read(q);
    if (code < 0) {
        *ret_why = code == -ENOMEM ? "No memory" : "Too many parameters";
        return code == -ENOMEM ? 500 : 400;
    }
    return 0;
}

const char *request_method(const struct request *q) {
    return q->head ? "GET" : q->method;
}

const char *request_method_sent(const struct request *q) {
    return q->method;
}

const char *request_path(const struct request *q) {
    return q->target.path;
}

const char *const *request_parts(const struct request *q, size_t *ret_count) {
    *ret_count = q->target.count;
    return q->target.parts;
}

const char *request_target(const struct request *q) {
    return q->raw;
}

const char *request_header(const struct request *q, const char *name) {
    return MHD_lookup_connection_value(q->mhd, MHD_HEADER_KIND, name);
}

const char *request_cookie(const struct request *q, const char *name) {
    return MHD_lookup_connection_value(q->mhd, MHD_COOKIE_KIND, name);
}

const char *request_peer(const struct request *q) {
    return q->peer;
}

const char *request_client(const struct request *q) {
    return q->client;
}

bool request_is_tls(const struct request *q) {
    return q->server->tls || q->forwarded_tls;
}

struct span request_body(const struct request *q) {
    return buf_span(&q->body);
}

static const struct param *param_find(const struct request *q, const char *name) {
    const struct param *p = params_find(&q->form, name);
    return p ? p : params_find(&q->query, name);
}

struct span request_param(const struct request *q, const char *name) {
    const struct param *p = param_find(q, name);
    return p ? span_make(p->value, p->len) : (struct span){0};
}

const char *request_param_text(const struct request *q, const char *name) {
    const struct param *p = param_find(q, name);
    return p && strlen(p->value) == p->len ? p->value : NULL;
}

bool request_param_is_json(const struct request *q, const char *name) {
    const struct param *p = param_find(q, name);
    return p && p->json;
}

void request_each_param(const struct request *q, bool (*each)(void *ctx, const char *name, struct span value),
                        void *ctx) {
    for (int form = 1; form >= 0; form--) {
        const struct params *list = form ? &q->form : &q->query;
        for (size_t i = 0; i < list->count; i++) {
            const struct param *p = &list->list[i];
            if ((form || !params_find(&q->form, p->name)) && !each(ctx, p->name, span_make(p->value, p->len))) {
                return;
            }
        }
    }
}

int request_body_state(const struct request *q) {
    return q->body_state;
}

bool request_gone(const struct request *q) {
    if (q->reply.gone || q->server->stopping) {
        return true;
    }
    struct pollfd one = {.fd = q->connection->fd, .events = POLLRDHUP};
    return poll(&one, 1, 0) > 0 && (one.revents & (POLLRDHUP | POLLHUP | POLLERR));
}
