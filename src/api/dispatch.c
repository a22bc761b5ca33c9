/* dispatch.c: every request's way: headers, endpoint, who asks, right, values, CSRF token, function, history. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "api/counters.h"
#include "api/cron_run.h"
#include "api/history.h"
#include "api/notify.h"
#include "api/saved.h"
#include "api/seen.h"
#include "api/shared.h"
#include "auth/csrf.h"
#include "base/util.h"
#include "http/target.h"

/* Logins, and those that failed, stand in history beside what those who are known did. */
static void login_seen(void *ctx, const struct request *q, const char *user, bool good) {
    struct principal who = {.expression = "", .roles = (const char *const[]){NULL}};
    struct call c = {.api = ctx,
                     .request = q,
                     .who = &who,
                     .status = good ? 200 : 401,
                     .records_returned = -1,
                     .records_filtered = -1,
                     .records_total = -1};
    (void)snprintf(who.id, sizeof(who.id), "%s", user);
    history_write(&c, 0);
}

int api_new(const struct api_options *options, struct api **ret_api, struct err *ret_err) {
    struct api *a = calloc(1, sizeof(*a));
    if (!a) {
        return err_set(ret_err, -ENOMEM, "no memory for the API");
    }
    *a = (struct api){
        .store = options->store,
        .control = options->control,
        .auth = options->auth,
        .writer = options->writer,
        .folder = options->folder,
        .node = options->node,
        .version = options->version,
        .settings = options->settings,
        .http = options->http,
        .import = options->import,
        .import_ctx = options->import_ctx,
        .running = running_table_new(),
        .seen = seen_table_new(),
    };
    a->started_ms = now_ms();
    if (!a->running || !a->seen) {
        api_free(a);
        return err_set(ret_err, -ENOMEM, "no memory for the API");
    }
    int code = saved_prepare(a->control, ret_err);
    code = code < 0 ? code : history_new(a->control, &a->history, ret_err);
    code = code < 0 ? code : notices_new(a, &a->notices, ret_err);
    if (code == 0 && a->store && a->settings->run_crons) {
        code = crons_new(a, &a->crons, ret_err);
    }
    if (code == 0 && a->store) {
        code = counters_new(a, &a->counters, ret_err);
    }
    if (code < 0) {
        api_free(a);
        return code;
    }
    auth_on_login(a->auth, login_seen, a);
    *ret_api = a;
    return 0;
}

struct api *api_free(struct api *a) {
    if (a) {
        auth_on_login(a->auth, NULL, NULL);
        crons_free(a->crons);
        counters_free(a->counters);
        notices_free(a->notices);
        history_free(a->history);
        running_table_free(a->running);
        seen_table_free(a->seen);
        free(a);
    }
    return NULL;
}

static bool path_ends(struct span path, struct span pattern) {
    return path.len >= pattern.len && span_equal(span_from(path, path.len - pattern.len), pattern);
}

/* Asked before anything of the request is known to be right: a path outside webBasePath is refused all the same. */
bool api_streams(void *ctx, const char *method, const char *target) {
    struct span path = span_sub(span_text(target), 0, strcspn(target, "?"));
    (void)ctx;
    if (strcmp(method, "POST") != 0) {
        return false;
    }
    for (size_t f = 0; api_families[f]; f++) {
        for (size_t i = 0; i < api_families[f]->count; i++) {
            const struct endpoint *e = &api_families[f]->list[i];
            if ((e->flags & API_STREAMS) &&
                (path_ends(path, span_text(e->pattern)) || (e->aliases && path_ends(path, span_text(e->aliases))))) {
                return true;
            }
        }
    }
    return false;
}

void api_serve(struct api *a, const struct server *server) {
    a->server = server;
    counters_serve(a->counters, server);
}

void api_reading(void *api, uint64_t bytes, uint64_t packets) {
    if (api) {
        counters_reading(((struct api *)api)->counters, bytes, packets);
    }
}

/* --- headers --- */

void call_headers(struct call *c) {
    static const char *const frames[] = {"DENY", "SAMEORIGIN", NULL};
    static const char *const ancestors[] = {"'none'", "'self'", "*"};
    char policy[256];
    struct reply *r = c->reply;
    uint32_t iframe = c->api->http->iframe;
    (void)snprintf(policy, sizeof(policy),
                   "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'self'; "
                   "frame-ancestors %s; form-action 'self'",
                   ancestors[iframe]);
    reply_header(r, "Content-Security-Policy", policy);
    reply_header(r, "X-Content-Type-Options", "nosniff");
    reply_header(r, "Referrer-Policy", "same-origin");
    reply_header(r, "Cache-Control", "no-cache, no-store, must-revalidate");
    if (frames[iframe]) {
        reply_header(r, "X-Frame-Options", frames[iframe]);
    }
    if (c->api->http->hsts) {
        reply_header(r, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
    }
}

static void csrf_cookie(struct call *c) {
    char token[CSRF_TOKEN_MAX], cookie[CSRF_TOKEN_MAX + 128];
    const char *base = c->api->http->base_path;
    csrf_make(auth_secret(c->api->auth), c->who->id, now_ms(), token);
    (void)snprintf(cookie, sizeof(cookie), "%s=%s; Path=%s; SameSite=Strict%s", CSRF_COOKIE, token, *base ? base : "/",
                   auth_cookie_is_secure(c->api->auth, c->request) ? "; Secure" : "");
    reply_header(c->reply, "Set-Cookie", cookie);
}

/* --- what is refused --- */

/* With its own status, whatever the endpoint does with its errors. */
static void refuse(struct call *c, int status, const char *text) {
    const struct endpoint *e = c->endpoint;
    c->endpoint = NULL;
    call_fail(c, status, "%s", text);
    c->endpoint = e;
}

/* What somebody who is known was not allowed is worth a row, whatever the endpoint. */
static void denied(struct call *c, int status, const char *text) {
    refuse(c, status, text);
    history_write(c, 0);
}

/* Browsers say where a change comes from; pages of others have no business here, whatever cookies go along. */
static bool origin_is_ours(const struct call *c) {
    const char *site = request_header(c->request, "Sec-Fetch-Site"), *origin = request_header(c->request, "Origin");
    if (site && strcasecmp(site, "cross-site") == 0) {
        return false;
    }
    if (!origin) {
        return true;
    }
    const char *host = strstr(origin, "://"), *own = request_header(c->request, "Host");
    if (!host || !own) {
        return false;
    }
    struct setting_list names = c->api->http->hosts;
    struct span name = host_name(span_text(host + 3));
    for (size_t i = 0; i < names.count; i++) {
        if (span_equal_fold(name, span_text(names.items[i]))) {
            return true;
        }
    }
    return strcasecmp(host + 3, own) == 0;
}

/* Values that other servers of this API take for parts of their own objects; nobody means them. */
static bool value_is_suspect(struct span value) {
    static const char *const names[] = {"constructor",    "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable",
                                        "toLocaleString", "toString",       "valueOf"};
    if (span_starts(value, SPAN_LITERAL("__"))) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_is(value, names[i])) {
            return true;
        }
    }
    return false;
}

static bool value_check(void *ctx, const char *name, struct span value) {
    struct call *c = ctx;
    char text[256];
    if (value_is_suspect(value)) {
        (void)snprintf(text, sizeof(text), "Invalid value for %.200s", name);
        refuse(c, 403, text);
    } else if (span_find_byte(value, 0, 0) != SPAN_NONE) {
        (void)snprintf(text, sizeof(text), "%.200s holds a NUL character", name);
        refuse(c, 400, text);
    }
    return c->status == 200;
}

static bool values_are_good(struct call *c) {
    if (request_body_state(c->request) < 0) {
        refuse(c, 400, "The body is not valid JSON");
        return false;
    }
    request_each_param(c->request, value_check, c);
    for (size_t i = 0; i < ARRAY_LEN(c->parts) && c->parts[i] && c->status == 200; i++) {
        (void)value_check(c, "path", span_text(c->parts[i]));
    }
    return c->status == 200;
}

static bool token_is_needed(const struct call *c) {
    uint32_t flags = c->endpoint->flags;
    bool reads = strcmp(request_method(c->request), "GET") == 0;
    if (c->who->by_token || c->who->by_server) {
        return false;
    }
    return (flags & API_TOKEN_GET) || (!reads && (flags & API_TOKEN)) ||
           ((flags & API_TOKEN_BROWSER) && c->who->by_browser);
}

static bool token_is_good(struct call *c) {
    if (!token_is_needed(c)) {
        return true;
    }
    switch (csrf_check(auth_secret(c->api->auth), c->who->id, now_ms(), request_header(c->request, CSRF_HEADER))) {
    case CSRF_GOOD:
        return true;
    case CSRF_MISSING:
        denied(c, 500, "Missing token");
        return false;
    default:
        denied(c, 500, "Timeout - Please try reloading page and repeating the action");
        return false;
    }
}

/* --- the endpoint --- */

static bool running_start(struct call *c) {
    const char *id = call_text(c, "cancelId", NULL);
    if (!id) {
        return true;
    }
    int code = strlen(id) > 200 ? -EINVAL : running_add(c->api->running, c->who->id, id, &c->running);
    if (code < 0) {
        call_fail(c, code == -ENOMEM ? 500 : 400, "cancelId: %s",
                  code == -EEXIST   ? "a query with this id is in progress"
                  : code == -EINVAL ? "at most 200 characters"
                                    : "too many queries are in progress");
    }
    return code == 0;
}

/* What needs the CSRF token of a person changes something, and so needs the right to write of a token. */
static uint32_t rights_needed(const struct call *c) {
    const struct endpoint *e = c->endpoint;
    bool changes = (e->flags & API_TOKEN) && strcmp(request_method(c->request), "GET") != 0;
    return e->rights | (changes ? RIGHT_WRITE : 0);
}

static void endpoint_run(struct call *c) {
    const struct endpoint *e = c->endpoint;
    uint32_t needed = rights_needed(c);
    if ((e->flags & API_SERVERS) && !c->who->by_server) {
        denied(c, 401, "Only other servers of this cluster may ask this");
        return;
    }
    if (c->who->stranger && !(e->flags & API_SERVERS)) {
        denied(c, 403, "This user is not known here");
        return;
    }
    if ((c->who->rights & needed) != needed) {
        denied(c, 403, "You do not have permission to access this resource");
        return;
    }
    if (!values_are_good(c) || !token_is_good(c) || !running_start(c)) {
        return;
    }
    if (e->flags & API_SETS_COOKIE) {
        csrf_cookie(c);
    }
    int64_t start = now_ms();
    e->function(c);
    if (e->flags & API_HISTORY) {
        history_write(c, now_ms() - start);
    }
    if (c->running) {
        running_remove(c->api->running, c->running);
    }
}

static void page_run(struct call *c) {
    if (!page_is_open(request_path(c->request))) {
        if (c->who->stranger || !(c->who->rights & RIGHT_WEB)) {
            refuse(c, 403, "This user may use the API only (webEnabled)");
            return;
        }
        csrf_cookie(c);
    }
    if (!page_answer(c)) {
        call_fail(c, 404, "There is nothing at this path");
    }
}

static void path_unknown(struct call *c, const struct endpoint_match *match) {
    static const char *const names[] = {"GET, HEAD", "POST", "PUT", "DELETE"};
    const char *path = request_path(c->request);
    if (match->other_methods) {
        char allow[64] = "";
        for (size_t i = 0, len = 0; i < ARRAY_LEN(names); i++) {
            if (match->other_methods & API_GET << i) {
                len += (size_t)snprintf(allow + len, sizeof(allow) - len, "%s%s", len ? ", " : "", names[i]);
            }
        }
        call_fail(c, 405, "This path takes %s", allow);
        reply_header(c->reply, "Allow", allow);
    } else if (strncmp(path, "/api/", 5) != 0 && strchr(path, '.')) {
        call_fail(c, 404, "Old API: endpoints are below /api/");
    } else {
        call_fail(c, 404, "There is no endpoint at this path");
    }
}

static bool path_is_page(const char *path, const char *method) {
    return strcmp(method, "GET") == 0 && strncmp(path, "/api/", 5) != 0 && strcmp(path, "/api") != 0;
}

void api_answer(void *ctx, const struct request *q, struct reply *r) {
    struct call c = {.api = ctx,
                     .request = q,
                     .reply = r,
                     .status = 200,
                     .records_returned = -1,
                     .records_filtered = -1,
                     .records_total = -1};
    struct principal *who = NULL;
    size_t count;
    const char *const *parts = request_parts(q, &count);
    call_headers(&c);
    struct endpoint_match match =
        endpoint_find(parts, count, method_flag(request_method(q)), c.parts, c.part_memory, sizeof(c.part_memory));
    c.endpoint = match.endpoint;
    bool page = !c.endpoint && !match.other_methods && path_is_page(request_path(q), request_method(q));
    if (strcmp(request_method(q), "GET") != 0 && !origin_is_ours(&c)) {
        call_fail(&c, 403, "Refused: the request comes from a page of another site");
        return;
    }
    if (c.endpoint ? c.endpoint->flags & API_OPEN : page && page_is_open(request_path(q))) {
        if (page) {
            page_run(&c);
        } else if (values_are_good(&c)) {
            c.endpoint->function(&c);
        }
        return;
    }
    if (!auth_check(c.api->auth, q, r, &who)) {
        return;
    }
    c.who = who;
    if (c.endpoint) {
        endpoint_run(&c);
    } else if (page) {
        page_run(&c);
    } else {
        path_unknown(&c, &match);
    }
    auth_release(c.api->auth, who);
}
