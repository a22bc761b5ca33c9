/* auth.c: see auth.h. Which ways a mode takes, in which order, and what it answers when none of them names a user. */
#include "auth/auth.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "auth/state.h"
#include "base/digest.h"
#include "base/util.h"
#include "http/listen.h"

/* Ways of a mode. */
#define WAY_HEADER 0x01u
#define WAY_DIGEST 0x02u
#define WAY_BASIC 0x04u
#define WAY_FORM 0x08u
#define WAY_LINK 0x10u
#define WAY_NOBODY 0x20u
#define WAY_JWT 0x40u
#define WAY_OIDC 0x80u

static const unsigned ways[] = {
    [AUTH_DIGEST] = WAY_DIGEST,
    [AUTH_BASIC] = WAY_BASIC,
    [AUTH_FORM] = WAY_FORM,
    [AUTH_HEADER_ONLY] = WAY_HEADER,
    [AUTH_HEADER] = WAY_HEADER | WAY_DIGEST,
    [AUTH_HEADER_DIGEST] = WAY_HEADER | WAY_DIGEST,
    [AUTH_HEADER_BASIC] = WAY_HEADER | WAY_BASIC,
    [AUTH_ANONYMOUS] = WAY_NOBODY,
    [AUTH_BASIC_FORM] = WAY_BASIC | WAY_FORM,
    [AUTH_TOKEN] = WAY_LINK,
    [AUTH_S2S] = 0,
    [AUTH_HEADER_JWT] = WAY_JWT,
    [AUTH_OIDC] = WAY_OIDC,
    [AUTH_BASIC_OIDC] = WAY_BASIC | WAY_OIDC,
};

int64_t auth_now_ms(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct user_keys auth_keys(const struct auth *a) {
    return (struct user_keys){&a->secret, a->settings.realm};
}

static int settings_check(const struct auth_options *o, struct err *ret_err) {
    const struct auth_settings *s = o->settings;
    enum auth_mode mode = (enum auth_mode)s->mode;
    unsigned way = mode == AUTH_AUTO ? 0 : ways[mode];
    if ((way & WAY_HEADER) && !*s->user_header) {
        return err_set(ret_err, -EINVAL, "authMode: userNameHeader is missing");
    }
    if ((way & (WAY_BASIC | WAY_FORM)) && !o->tls && !s->basic_plain) {
        err_set(ret_err, -EINVAL, "authMode: passwords would go over the network as they are");
        err_hint(ret_err, "set certFile and keyFile; or authBasicWithoutTls=true when a proxy does TLS");
        return -EINVAL;
    }
    if (strlen(s->realm) > 200 || strpbrk(s->realm, "\"\\")) {
        return err_set(ret_err, -EINVAL, "httpRealm: at most 200 characters, without quotes and backslashes");
    }
    return 0;
}

int auth_new(const struct auth_options *options, struct auth **ret_auth, struct err *ret_err) {
    static const char hexadecimal[] = "0123456789abcdef";
    uint8_t mark[SIGNATURE_BYTES];
    int code = settings_check(options, ret_err);
    code = code < 0 || !options->control ? code : users_prepare(options->control, ret_err);
    if (code < 0) {
        return code;
    }
    struct auth *a = calloc(1, sizeof(*a));
    if (!a) {
        return err_set(ret_err, -ENOMEM, "no memory for users");
    }
    (void)pthread_mutex_init(&a->lock, NULL);
    a->settings = *options->settings;
    a->mode = (enum auth_mode)options->settings->mode;
    if (a->mode == AUTH_AUTO && *a->settings.user_header) {
        a->mode = AUTH_HEADER;
    }
    a->control = options->control;
    a->secret = *options->secret;
    a->tls = options->tls;
    a->base_path = strdup(options->base_path && *options->base_path ? options->base_path : "/");
    a->nonces = nonce_table_new();
    a->throttle = throttle_new();
    /* Cookies do not tell ports apart: two servers on one machine need two names. */
    secret_sign(&a->secret, "cookie name", (struct span){0}, mark);
    (void)snprintf(a->cookie, sizeof(a->cookie), "ARKIME-SID-%c%c%c%c%c%c", hexadecimal[mark[0] & 15],
                   hexadecimal[mark[1] & 15], hexadecimal[mark[2] & 15], hexadecimal[mark[3] & 15],
                   hexadecimal[mark[4] & 15], hexadecimal[mark[5] & 15]);
    if (!a->base_path || !a->nonces || !a->throttle) {
        auth_free(a);
        return err_set(ret_err, -ENOMEM, "no memory for users");
    }
    code = trust_open(a, ret_err);
    if (code < 0) {
        auth_free(a);
        return code;
    }
    *ret_auth = a;
    return 0;
}

struct auth *auth_free(struct auth *a) {
    if (a) {
        cached_clear(a);
        nonce_table_free(a->nonces);
        throttle_free(a->throttle);
        trust_done(a);
        free(a->base_path);
        (void)pthread_mutex_destroy(&a->lock);
        OPENSSL_cleanse(&a->secret, sizeof(a->secret));
        free(a);
    }
    return NULL;
}

/* Users may be made by another process while this one runs. */
static bool has_users(struct auth *a) {
    int64_t now = auth_now_ms();
    (void)pthread_mutex_lock(&a->lock);
    bool known = a->users_looked_ms && now - a->users_looked_ms < CACHE_MS, has = a->has_users;
    (void)pthread_mutex_unlock(&a->lock);
    if (known || !a->control) {
        return has;
    }
    /* A database that cannot be read is no reason to let everybody in. */
    has = users_count(a->control) != 0;
    (void)pthread_mutex_lock(&a->lock);
    /* Where users were known once, removing the last one must not open the door to everybody. */
    a->has_users = has = has || a->has_users;
    a->users_looked_ms = now;
    (void)pthread_mutex_unlock(&a->lock);
    return has;
}

enum auth_mode auth_mode(struct auth *a) {
    return a->mode != AUTH_AUTO ? a->mode : has_users(a) ? AUTH_DIGEST : AUTH_ANONYMOUS;
}

const struct secret *auth_secret(const struct auth *a) {
    return &a->secret;
}

const char *auth_logout_url(const struct auth *a) {
    return a->settings.logout_url ? a->settings.logout_url : "";
}

bool auth_path_is_local(const char *path) {
    if (!path || path[0] != '/' || path[1] == '/' || path[1] == '\\') {
        return false;
    }
    for (; *path; path++) {
        if ((unsigned char)*path < ' ' || *path == '\\') {
            return false;
        }
    }
    return true;
}

const char *auth_message(const struct auth *a) {
    return a->settings.login_message;
}

void auth_on_login(struct auth *a, auth_login_fn told, void *ctx) {
    a->told = told;
    a->told_ctx = ctx;
}

struct user_keys auth_user_keys(const struct auth *a) {
    return auth_keys(a);
}

int auth_may_listen(struct auth *a, const char *address, struct err *ret_err) {
    unsigned way = ways[auth_mode(a)];
    if (listen_is_loopback(address) || (!(way & (WAY_NOBODY | WAY_LINK)) && has_users(a))) {
        return 0;
    }
    if (way & (WAY_NOBODY | WAY_LINK) && has_users(a)) {
        err_set(ret_err, -EPERM, "not listening on %s: with this authMode everybody has all rights", address);
        err_hint(ret_err, "leave authMode out: users then log in by Digest");
    } else {
        err_set(ret_err, -EPERM, "not listening on %s: that needs at least one user", address);
        err_hint(ret_err, "seine user add NAME");
    }
    return -EPERM;
}

int auth_server_token(struct auth *a, const struct s2s_claim *claim, struct buf *ret) {
    struct s2s_claim now = *claim;
    now.date_ms = auth_now_ms();
    return a->servers ? s2s_make(a->servers, &now, ret) : -EOPNOTSUPP;
}

/* --- one-time links --- */

static void link_hash(const struct auth *a, const char *token, uint8_t ret[SIGNATURE_BYTES]) {
    secret_sign(&a->secret, "link", span_text(token), ret);
}

int auth_link_word(struct auth *a, char ret[AUTH_LINK_WORD_MAX]) {
    int code = random_word(32, ret, AUTH_LINK_WORD_MAX);
    if (code < 0) {
        return code;
    }
    (void)pthread_mutex_lock(&a->lock);
    if (a->link_count == LINKS_MAX) {
        memmove(a->links[0], a->links[1], sizeof(a->links) - sizeof(a->links[0]));
        a->link_count--;
    }
    link_hash(a, ret, a->links[a->link_count++]);
    (void)pthread_mutex_unlock(&a->lock);
    return 0;
}

/* All are compared, always: how long it takes says nothing. */
static bool link_take(struct auth *a, const char *token) {
    uint8_t given[SIGNATURE_BYTES];
    size_t found = SIZE_MAX;
    link_hash(a, token, given);
    (void)pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < a->link_count; i++) {
        if (secret_equal(span_make(given, sizeof(given)), span_make(a->links[i], sizeof(a->links[i])))) {
            found = i;
        }
    }
    if (found != SIZE_MAX) {
        memmove(a->links[found], a->links[--a->link_count], sizeof(a->links[0]));
    }
    (void)pthread_mutex_unlock(&a->lock);
    return found != SIZE_MAX;
}

bool auth_cookie_is_secure(const struct auth *a, const struct request *q) {
    return a->tls || a->settings.cookie_secure || a->settings.same_site == SAME_SITE_NONE || request_is_tls(q) ||
           (a->oidc && login_oidc_is_secure(a, q));
}

void cookie_write(const struct auth *a, const struct request *q, struct reply *r, const struct cookie *cookie) {
    static const char *const sites[] = {NULL, "Strict", "Lax", "None"};
    /* Who comes back from a provider comes from another site: Strict would keep the cookie from them. */
    const char *site = sites[a->settings.same_site] ? sites[a->settings.same_site] : a->oidc ? "Lax" : "Strict";
    struct buf header;
    buf_init(&header, 8192);
    buf_printf(&header, "%s=%s; Path=%s; Max-Age=%lld; HttpOnly; SameSite=%s%s", cookie->name, cookie->value,
               a->base_path, (long long)cookie->seconds, site, auth_cookie_is_secure(a, q) ? "; Secure" : "");
    buf_add_byte(&header, 0);
    if (!header.overflowed) {
        reply_header(r, "Set-Cookie", (const char *)header.data);
    }
    buf_done(&header);
}

int auth_login(struct auth *a, const struct request *q, struct reply *r, const char *id) {
    char text[WEB_SESSION_TEXT];
    const char *before = request_cookie(q, a->cookie);
    int code = a->control ? web_session_new(a->control, id, auth_now_ms(), WEB_SESSION_MS, text) : -EOPNOTSUPP;
    if (code == 0) {
        if (before) {
            web_session_end(a->control, before);
        }
        cookie_write(a, q, r, &(struct cookie){a->cookie, text, WEB_SESSION_MS / 1000});
        if (a->told) {
            a->told(a->told_ctx, q, id, true);
        }
    }
    return code;
}

void auth_logout(struct auth *a, const struct request *q, struct reply *r) {
    const char *value = request_cookie(q, a->cookie);
    if (value && a->control) {
        web_session_end(a->control, value);
    }
    cookie_write(a, q, r, &(struct cookie){a->cookie, "", 0});
}

/* The page without the token: it must not stay in the address bar. */
static int link_answer(struct auth *a, const struct request *q, struct reply *r) {
    char to[1024];
    if (!link_take(a, request_param_text(q, "token"))) {
        auth_guessed(a, q, "link");
        auth_say(r, 401,
                 "This link was used before, or is none of this server's: look for a new one where it was started");
        return -EACCES;
    }
    if (auth_login(a, q, r, "anonymous") < 0) {
        auth_say(r, 500, "The login could not be stored");
        return -EIO;
    }
    const char *path = request_path(q);
    (void)snprintf(to, sizeof(to), "%.64s%s", a->base_path, strcspn(path + 1, "/\\") ? path + 1 : "");
    reply_header(r, "Location", to);
    reply_status(r, 302);
    return -EALREADY;
}

/* --- who asks --- */

bool wants_page(const struct request *q) {
    return strcmp(request_method(q), "GET") == 0 && strncmp(request_path(q), "/api/", 5) != 0;
}

static void refuse(struct auth *a, const struct request *q, struct reply *r, unsigned way) {
    if (way & WAY_DIGEST) {
        challenge_digest(a, r, false);
    } else if ((way & WAY_FORM) && wants_page(q)) {
        char to[512];
        (void)snprintf(to, sizeof(to), "%.64sauth", a->base_path);
        reply_header(r, "Location", to);
        reply_status(r, 302);
    } else if (way & WAY_FORM) {
        auth_say(r, 401, "Log in");
    } else if ((way & WAY_OIDC) && (wants_page(q) || !(way & WAY_BASIC))) {
        login_oidc_begin(a, q, r);
    } else if (way & WAY_BASIC) {
        challenge_basic(a, r);
    } else if (way == 0) {
        auth_say(r, 401, "This server answers other servers only");
    } else if (way & WAY_LINK) {
        auth_say(r, 401, "Open the link that was printed when the server was started");
    } else {
        auth_say(r, 403, "The proxy did not say who asks");
    }
}

/* 1, 0, negative as in state.h. */
static int claim_find(struct auth *a, const struct request *q, struct reply *r, unsigned way, struct claim *ret) {
    int found = method_bearer(a, q, r, ret);
    if (found) {
        return found;
    }
    found = method_server(a, q, r, ret->id);
    if (found) {
        ret->by_server = found > 0;
        ret->rights = RIGHTS_OF_TOKENS;
        return found;
    }
    if (way & WAY_HEADER) {
        found = method_header(a, q, r, ret->id);
        ret->by_header = found > 0;
    }
    if (way & WAY_JWT) {
        found = method_jwt(a, q, r, ret);
    }
    if (!found && (way & WAY_DIGEST)) {
        found = method_digest(a, q, r, ret->id);
    }
    if (!found && (way & WAY_BASIC)) {
        found = method_basic(a, q, r, ret->id);
    }
    if (!found && (way & WAY_OIDC)) {
        found = login_oidc(a, q, r);
    }
    if (!found && (way & (WAY_FORM | WAY_LINK | WAY_OIDC))) {
        found = method_cookie(a, q, r, ret->id);
        ret->by_header = found > 0 && (way & WAY_OIDC);
    }
    if (!found && (way & WAY_LINK) && wants_page(q) && request_param_text(q, "token")) {
        found = link_answer(a, q, r);
    }
    return found;
}

int claim_allowed(struct auth *a, const struct claim *claim, struct principal **ret) {
    struct cached *c;
    int code = cached_get(a, claim->id, &c);
    if (code == -ENOENT && claim->by_server) {
        return principal_stranger(claim->id, ret);
    }
    if (code < 0) {
        return code;
    }
    if (!c->enabled || (claim->by_header && !c->standing.header_login)) {
        code = c->enabled ? -EPERM : -EACCES;
        cached_unref(a, c);
        return code;
    }
    return principal_make(a, c, ret);
}

static const struct {
    int code, status;
    const char *text;
} refusals[] = {
    {-ENOENT, 403, "This user is not known here"},
    {-EACCES, 403, "This user is not enabled"},
    {-EPERM, 403, "This user may not log in by a header"},
    {-E2BIG, 500, "The forced expressions of this user and its roles are too long"},
    {-ENOMEM, 503, "No memory"},
};

static bool claim_accept(struct auth *a, struct reply *r, const struct claim *claim, struct principal **ret) {
    int code = claim_allowed(a, claim, ret);
    if (code == 0) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        if (refusals[i].code == code) {
            auth_say(r, refusals[i].status, refusals[i].text);
            return false;
        }
    }
    auth_say(r, 500, "Users cannot be read");
    return false;
}

static bool claim_check(struct auth *a, const struct request *q, struct reply *r, struct claim *claim,
                        struct principal **ret) {
    unsigned way = ways[auth_mode(a)];
    struct principal *p = NULL;
    /* A proxy's word counts from this machine unless userAuthIps says more; a server's secret shows who it is. */
    bool proxied = (way & WAY_HEADER) && !request_header(q, S2S_HEADER);
    if (!peer_is_allowed(a, request_peer(q), proxied)) {
        auth_say(r, 403, "Requests from this address are not answered: see the setting userAuthIps");
        return false;
    }
    int found = claim_find(a, q, r, way, claim);
    if (found < 0) {
        return false;
    }
    /* A cookie of a user, from when users logged in here, is still that user's alone. */
    bool nobody = (!found && (way & WAY_NOBODY)) ||
                  (found && (way & (WAY_NOBODY | WAY_LINK)) && strcmp(claim->id, "anonymous") == 0);
    if (!found && !nobody) {
        refuse(a, q, r, way);
        return false;
    }
    if (nobody ? principal_anonymous(&p) < 0 : !claim_accept(a, r, claim, &p)) {
        return false;
    }
    p->rights &= claim->rights;
    p->by_token = claim->by_token;
    p->by_server = claim->by_server;
    p->by_browser = request_header(q, "Cookie") || request_header(q, "Referer");
    *ret = p;
    return true;
}

bool auth_check(struct auth *a, const struct request *q, struct reply *r, struct principal **ret) {
    struct claim claim = {.rights = RIGHT_ALL};
    bool good = claim_check(a, q, r, &claim, ret);
    buf_done(&claim.claims);
    return good;
}
