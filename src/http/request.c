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
    if (!q->raw) {
        return request_free(q);
    }
    peer_write(q);
    return q;
}

struct request *request_free(struct request *q) {
    if (q) {
        reply_done(&q->reply);
        target_done(&q->target);
        params_done(&q->query);
        params_done(&q->form);
        buf_done(&q->body);
        free(q->raw);
        free(q);
    }
    return NULL;
}

enum MHD_Result request_take_body(struct request *q, const char *data, size_t *len) {
    size_t n = *len;
    *len = 0;
    if (q->discarded == 0) {
        buf_add(&q->body, data, n);
        q->discarded = q->body.overflowed ? q->body.len + n : 0;
    } else {
        q->discarded += n;
    }
    return q->discarded > BODY_DISCARDED_MAX ? MHD_NO : MHD_YES;
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

bool request_is_tls(const struct request *q) {
    return q->server->tls;
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
