/* login_oidc.c: logging in at a provider (oidc.h) as browsers see it: away with a cookie, and back with an answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "auth/oidc.h"
#include "auth/state.h"
#include "base/util.h"
#include "http/client.h"

#define LOGIN_COOKIE_NAME (COOKIE_NAME + 8)

static void login_cookie_name(const struct auth *a, char ret[LOGIN_COOKIE_NAME]) {
    (void)snprintf(ret, LOGIN_COOKIE_NAME, "%s-LOGIN", a->cookie);
}

/* Behind "https://host": the path; what is in front of it: the host. */
static struct span uri_host(const char *uri) {
    const char *host = strstr(uri, "://") + 3;
    return span_make(host, strcspn(host, "/?#"));
}

static struct span uri_path(const char *uri) {
    struct span host = uri_host(uri);
    const char *path = (const char *)host.at + host.len;
    return *path == '/' ? span_make(path, strcspn(path, "?#")) : SPAN_LITERAL("/");
}

/* The one of the host that was asked, else the first. */
static const char *redirect_choose(const struct auth *a, const struct request *q) {
    struct span asked = span_text(request_header(q, "Host"));
    for (size_t i = 0; i < a->redirects.count; i++) {
        if (span_equal_fold(uri_host(a->redirects.items[i]), asked)) {
            return a->redirects.items[i];
        }
    }
    return a->redirects.items[0];
}

bool login_oidc_is_secure(const struct auth *a, const struct request *q) {
    return strncasecmp(redirect_choose(a, q), "https://", 8) == 0;
}

/* The target without its query is the path of one of the redirect URIs, with or without webBasePath. */
static bool is_way_back(const struct auth *a, const struct request *q) {
    const char *target = request_target(q);
    struct span path = span_make(target, strcspn(target, "?"));
    size_t base = strlen(a->base_path) - 1;
    for (size_t i = 0; i < a->redirects.count; i++) {
        struct span wanted = uri_path(a->redirects.items[i]);
        bool behind =
            base && span_starts(wanted, span_make(a->base_path, base)) && span_equal(span_from(wanted, base), path);
        if (span_equal(wanted, path) || behind) {
            return true;
        }
    }
    return false;
}

/* A person opens a page. Pictures, scripts and the like, which come beside it, must not begin logins of their own: the
 * last would take the cookie of the others. */
static bool is_navigation(const struct request *q) {
    const char *mode = request_header(q, "Sec-Fetch-Mode"), *accept = request_header(q, "Accept");
    return wants_page(q) && (mode ? strcasecmp(mode, "navigate") == 0 : accept && strstr(accept, "text/html"));
}

/* A page, as people see it: the texts are ours. */
static void say_page(const struct auth *a, struct reply *r, int status, const char *text) {
    reply_status(r, status);
    reply_type(r, "text/html; charset=utf-8");
    buf_printf(reply_body(r),
               "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Log in</title></head>"
               "<body><main><h1>Seine</h1>\n<p role=\"alert\">%s</p>\n<p><a href=\"%s\">Log in</a></p></main></body>"
               "</html>\n",
               text, a->base_path);
}

void login_oidc_begin(struct auth *a, const struct request *q, struct reply *r) {
    char name[LOGIN_COOKIE_NAME];
    struct buf location, cookie;
    struct err e = {0};
    const char *target = request_target(q);
    if (!is_navigation(q)) {
        auth_say(r, 401, "Log in");
        return;
    }
    buf_init(&location, 1u << 14);
    buf_init(&cookie, OIDC_COOKIE_MAX);
    int code =
        oidc_begin(a->oidc, redirect_choose(a, q),
                   auth_path_is_local(target) && !is_way_back(a, q) ? target : a->base_path, &location, &cookie, &e);
    buf_add_byte(&location, 0);
    buf_add_byte(&cookie, 0);
    if (code == 0 && (location.overflowed || cookie.overflowed)) {
        code = -E2BIG;
    }
    if (code < 0) {
        auth_told(a, q, e.text);
        say_page(a, r, 503, "The provider of logins cannot be asked at the moment.");
    } else {
        login_cookie_name(a, name);
        cookie_write(a, q, r, &(struct cookie){name, (const char *)cookie.data, OIDC_LOGIN_MS / 1000});
        reply_header(r, "Location", (const char *)location.data);
        reply_status(r, 302);
    }
    buf_done(&location);
    buf_done(&cookie);
}

/* The user the claims name is known here and may come in by somebody else's word. */
static int user_enter(struct auth *a, const struct request *q, struct reply *r, struct span claims, const char *back) {
    struct claim claim = {.by_header = true, .rights = RIGHT_ALL};
    struct principal *p = NULL;
    if (!claims_user(claims, a->settings.user_field, "", claim.id)) {
        say_page(a, r, 403, "The provider does not say who you are: see the setting authUserIdField.");
        return -EACCES;
    }
    int code = claim_allowed(a, &claim, &p);
    auth_release(a, p);
    if (code < 0) {
        say_page(a, r, 403, "The provider knows you, and this server does not: ask its administrators.");
        return -EACCES;
    }
    if (auth_login(a, q, r, claim.id) < 0) {
        say_page(a, r, 500, "The login could not be stored.");
        return -EIO;
    }
    reply_header(r, "Location", auth_path_is_local(back) ? back : a->base_path);
    reply_status(r, 302);
    return 0;
}

int login_oidc(struct auth *a, const struct request *q, struct reply *r) {
    char name[LOGIN_COOKIE_NAME];
    struct buf claims, back;
    struct err e = {0};
    if (!wants_page(q) || !is_way_back(a, q)) {
        return 0;
    }
    login_cookie_name(a, name);
    struct oidc_answer answer = {.code = request_param_text(q, "code"),
                                 .state = request_param_text(q, "state"),
                                 .error = request_param_text(q, "error"),
                                 .issuer = request_param_text(q, "iss"),
                                 .cookie = request_cookie(q, name)};
    buf_init(&claims, 4u << 20);
    buf_init(&back, OIDC_BACK_MAX + 1);
    int code = oidc_finish(a->oidc, &answer, &claims, &back, &e);
    buf_add_byte(&back, 0);
    cookie_write(a, q, r, &(struct cookie){name, "", 0});
    if (code == -EAGAIN) {
        auth_told(a, q, e.text);
        say_page(a, r, 503, "The provider of logins cannot be asked at the moment.");
    } else if (code < 0) {
        auth_guessed(a, q, e.text);
        say_page(a, r, 403, "The login did not work, or took too long.");
    } else {
        (void)user_enter(a, q, r, buf_span(&claims), back.data ? (const char *)back.data : "");
    }
    buf_done(&claims);
    buf_done(&back);
    return -EALREADY;
}
