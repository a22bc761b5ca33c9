/* methods.c: the ways a request can say who sent it. */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "auth/keyring.h"
#include "auth/state.h"
#include "auth/totp.h"
#include "base/json_scan.h"
#include "base/util.h"
#include "http/network.h"

#define SERVER_NAME ":server" /* no user's id: what failures of servers are counted under */
#define FAILURE_US 300000     /* what a failed login costs who tries */

void auth_say(struct reply *r, int status, const char *text) {
    struct buf *out = reply_body(r);
    reply_status(r, status);
    reply_type(r, "application/json; charset=utf-8");
    buf_printf(out, "{\"success\":false,\"text\":\"%s\"}", text);
}

/* The same nonce in both challenges: clients that read them as one header go on working. */
void challenge_digest(struct auth *a, struct reply *r, bool stale) {
    static const char *const algorithms[] = {"SHA-256", "MD5"};
    char nonce[NONCE_TEXT], header[512];
    if (nonce_make(&a->secret, auth_now_ms(), nonce) < 0) {
        auth_say(r, 503, "No random bytes");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        (void)snprintf(header, sizeof(header),
                       "Digest realm=\"%.200s\", qop=\"auth\", algorithm=%s, nonce=\"%s\", charset=UTF-8%s",
                       a->settings.realm, algorithms[i], nonce, stale ? ", stale=true" : "");
        reply_header(r, "WWW-Authenticate", header);
    }
    auth_say(r, 401, stale ? "Log in again: the challenge is too old" : "Log in");
}

void challenge_basic(struct auth *a, struct reply *r) {
    char header[256];
    (void)snprintf(header, sizeof(header), "Basic realm=\"%.200s\", charset=\"UTF-8\"", a->settings.realm);
    reply_header(r, "WWW-Authenticate", header);
    auth_say(r, 401, "Log in");
}

static int blocked(struct reply *r) {
    reply_header(r, "Retry-After", "60");
    auth_say(r, 429, "Too many failed logins: wait a minute");
    return -EAGAIN;
}

void auth_told(struct auth *a, const struct request *q, const char *what) {
    int64_t now = auth_now_ms();
    uint32_t here = throttle_count(a->throttle, request_client(q), ":told", now);
    uint32_t all = here <= AUTH_TOLD ? throttle_count(a->throttle, "", ":told", now) : 0;
    if (!a->told || here > AUTH_TOLD || all > AUTH_TOLD_ALL) {
        return;
    }
    bool last = here == AUTH_TOLD || all == AUTH_TOLD_ALL;
    a->told(a->told_ctx, q, last ? "(more failures are left out for a minute)" : what, false);
}

void auth_guessed(struct auth *a, const struct request *q, const char *what) {
    auth_told(a, q, what);
    (void)usleep(FAILURE_US);
}

void auth_refused(struct auth *a, const struct request *q, const char *id) {
    auth_failed(a, q, id);
}

void auth_failed(struct auth *a, const struct request *q, const char *id) {
    throttle_fail(a->throttle, request_client(q), id, auth_now_ms());
    auth_guessed(a, q, id);
}

/* What stands behind the scheme's name; NULL: another scheme or none. */
static const char *credentials(const struct request *q, const char *scheme) {
    const char *header = request_header(q, "Authorization");
    size_t len = strlen(scheme);
    return header && strncasecmp(header, scheme, len) == 0 && header[len] == ' ' ? header + len + 1 : NULL;
}

static bool id_copy(struct span from, char ret_id[USER_ID_MAX + 1]) {
    if (!from.len || from.len > USER_ID_MAX || span_find_byte(from, 0, 0) != SPAN_NONE) {
        return false;
    }
    *span_copy_to(from, (uint8_t *)ret_id) = 0;
    return !user_is_role(ret_id);
}

/* --- Digest --- */

static int digest_refuse(struct auth *a, const struct request *q, struct reply *r, const char *id) {
    auth_failed(a, q, id);
    challenge_digest(a, r, false);
    return -EACCES;
}

/* For an unknown user the same work is done with a digest that nobody's password gives. */
static bool digest_is_right(struct auth *a, const struct request *q, const struct digest_parts *p, const char *id,
                            enum digest_kind_of kind) {
    char secret[HASH_TEXT], wanted[HASH_TEXT];
    struct user_keys keys = auth_keys(a);
    bool sha256 = kind == DIGEST_OF_SHA256 || kind == DIGEST_OF_SHA256_SESS;
    int code = users_digest(a->control, &keys, id, sha256 ? HASH_SHA256 : HASH_MD5, secret);
    if (code < 0) {
        (void)snprintf(secret, sizeof(secret), "%s", "none");
    }
    digest_response(p, kind, secret, request_method_sent(q), wanted);
    bool right = secret_equal(span_text(wanted), p->response) && code == 0 && *wanted;
    OPENSSL_cleanse(secret, sizeof(secret));
    return right;
}

int method_digest(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]) {
    const char *text = credentials(q, "Digest");
    struct digest_parts p;
    if (!text) {
        return 0;
    }
    enum digest_kind_of kind;
    if (digest_parse(span_text(text), &p) < 0 || (kind = digest_algorithm(p.algorithm)) == DIGEST_OF_OTHER ||
        !p.uri.at || !p.response.at || !p.cnonce.len || !span_is(p.qop, "auth")) {
        auth_say(r, 400, "The Authorization header is no Digest answer with qop=auth");
        return -EINVAL;
    }
    if (!span_is(p.uri, request_target(q))) {
        auth_say(r, 400, "The uri of the Digest answer is not that of the request");
        return -EINVAL;
    }
    if (!id_copy(p.username, ret_id) || !span_is(p.realm, a->settings.realm)) {
        return digest_refuse(a, q, r, "");
    }
    if (throttle_blocked(a->throttle, request_client(q), ret_id, auth_now_ms())) {
        return blocked(r);
    }
    enum nonce_verdict verdict = nonce_check(&a->secret, p.nonce, auth_now_ms());
    if (verdict == NONCE_BAD || !digest_is_right(a, q, &p, ret_id, kind)) {
        return digest_refuse(a, q, r, ret_id);
    }
    verdict = verdict == NONCE_GOOD ? nonce_use(a->nonces, p.nonce, p.nc) : verdict;
    if (verdict != NONCE_GOOD) {
        /* A replay is answered like a stale nonce, without a failure: a client that repeats a lost request goes on. */
        challenge_digest(a, r, verdict != NONCE_BAD);
        return -EACCES;
    }
    throttle_clear(a->throttle, request_client(q), ret_id);
    return 1;
}

/* --- Basic and forms --- */

/* 1: right; 0: wrong; -EAGAIN: asked too often. */
int auth_password(struct auth *a, const struct request *q, const char *id, const char *password) {
    char stored[HASH_TEXT], given[HASH_TEXT];
    struct user_keys keys = auth_keys(a);
    if (throttle_blocked(a->throttle, request_client(q), id, auth_now_ms())) {
        return -EAGAIN;
    }
    int code = a->control && !user_is_role(id) ? users_digest(a->control, &keys, id, HASH_SHA256, stored) : -ENOENT;
    if (code < 0) {
        (void)snprintf(stored, sizeof(stored), "none");
    }
    password_digest(HASH_SHA256, id, a->settings.realm, password, given);
    bool right = secret_equal(span_text(stored), span_text(given)) && code == 0;
    OPENSSL_cleanse(stored, sizeof(stored));
    OPENSSL_cleanse(given, sizeof(given));
    if (right) {
        throttle_clear(a->throttle, request_client(q), id);
    } else {
        auth_failed(a, q, id);
    }
    return right;
}

static int letter_value(int c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '+'             ? 62
           : c == '/'             ? 63
                                  : -1;
}

/* Base64 (RFC 4648) without line ends; false: it is none, holds a NUL or does not fit. */
static bool base64_text(const char *text, char *ret, size_t size) {
    uint32_t held = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (; *text && *text != '='; text++) {
        int value = letter_value((unsigned char)*text);
        if (value < 0) {
            return false;
        }
        held = (held << 6 | (uint32_t)value) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            char c = (char)(held >> bits);
            if (!c || n + 1 >= size) {
                return false;
            }
            ret[n++] = c;
        }
    }
    ret[n] = 0;
    return text[strspn(text, "= ")] == 0;
}

int method_basic(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]) {
    const char *text = credentials(q, "Basic");
    char pair[PASSWORD_MAX + USER_ID_MAX + 2];
    if (!text) {
        return 0;
    }
    char *colon = base64_text(text, pair, sizeof(pair)) ? strchr(pair, ':') : NULL;
    if (!colon) {
        auth_say(r, 400, "The Authorization header is no Basic answer");
        return -EINVAL;
    }
    *colon = 0;
    int right = id_copy(span_text(pair), ret_id) ? auth_password(a, q, ret_id, colon + 1) : 0;
    OPENSSL_cleanse(pair, sizeof(pair));
    if (right == -EAGAIN) {
        return blocked(r);
    }
    if (!right) {
        challenge_basic(a, r);
        return -EACCES;
    }
    /* Where a form asks for a second factor, Basic must not be the way around it. */
    int totp = a->mode == AUTH_BASIC_FORM ? totp_state(a->control, ret_id) : TOTP_NONE;
    if (totp != TOTP_NONE && totp != TOTP_PENDING) {
        auth_say(r, 403, "This user has a one-time password: log in by the form, or use an API token");
        return -EACCES;
    }
    return 1;
}

/* --- tokens --- */

int method_bearer(struct auth *a, const struct request *q, struct reply *r, struct claim *ret) {
    const char *text = credentials(q, "Bearer");
    if (!text || !a->control ||
        (a->mode == AUTH_HEADER_JWT && strncmp(text, TOKEN_PREFIX, strlen(TOKEN_PREFIX)) != 0)) {
        return 0;
    }
    if (tokens_find(a->control, text, auth_now_ms(), ret->id, &ret->rights) < 0) {
        auth_guessed(a, q, "token");
        reply_header(r, "WWW-Authenticate", "Bearer error=\"invalid_token\"");
        auth_say(r, 401, "The token is not known or has expired");
        return -EACCES;
    }
    ret->by_token = true;
    return 1;
}

/* --- other servers --- */

static const struct {
    int code;
    const char *text;
} server_refusals[] = {
    {-ESTALE, "The server's token is not of now: the clocks of both machines must agree within two minutes"},
    {-EACCES, "The server's token is for another request"},
    {-EALREADY, "The server's token was used before"},
};

static int server_refuse(struct auth *a, const struct request *q, struct reply *r, int code) {
    const char *text = "The server's token was not made with this server's serverSecret";
    for (size_t i = 0; i < ARRAY_LEN(server_refusals); i++) {
        text = server_refusals[i].code == code ? server_refusals[i].text : text;
    }
    if (code == -ENOMEM || code == -EIO) {
        auth_say(r, 503, "The server's token could not be looked at");
        return code;
    }
    /* Counted by address alone: a key that must be derived is dear. */
    throttle_fail(a->throttle, request_client(q), SERVER_NAME, auth_now_ms());
    auth_guessed(a, q, "server");
    auth_say(r, 401, text);
    return -EACCES;
}

int method_server(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]) {
    const char *text = request_header(q, S2S_HEADER), *target = request_target(q);
    size_t base = strlen(a->base_path) - 1; /* "/x/" stands in front of paths as "/x" */
    struct s2s_request request = {request_method_sent(q), {target, NULL}, auth_now_ms()};
    struct s2s_claim claim;
    struct buf memory;
    if (!text) {
        return 0;
    }
    if (!a->servers) {
        auth_say(r, 401, "This server believes no other: serverSecret is not set");
        return -EACCES;
    }
    if (throttle_blocked(a->throttle, request_client(q), SERVER_NAME, request.now_ms)) {
        return blocked(r);
    }
    if (base && strncmp(target, a->base_path, base) == 0) {
        request.paths[1] = target + base;
    }
    buf_init(&memory, S2S_TEXT_MAX);
    int code = s2s_open(a->servers, span_text(text), &request, &memory, &claim);
    bool good = code == 0 && id_copy(claim.user, ret_id) && user_id_valid(ret_id);
    buf_done(&memory);
    return good ? 1 : server_refuse(a, q, r, code);
}

/* --- a proxy's word --- */

static bool header_value_is_listed(const char *value, const char *list) {
    struct span rest = span_text(list), given = span_trim(span_text(value));
    while (rest.len) {
        size_t comma = span_find_byte(rest, 0, ',');
        struct span one = span_trim(comma == SPAN_NONE ? rest : span_sub(rest, 0, comma));
        rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
        if (one.len && span_equal(one, given)) {
            return true;
        }
    }
    return false;
}

static bool required_is_there(const struct auth *a, const struct request *q) {
    if (!*a->settings.required_header) {
        return true;
    }
    const char *values = request_header(q, a->settings.required_header);
    struct span rest = span_text(values);
    char one[256];
    while (rest.len) {
        size_t comma = span_find_byte(rest, 0, ',');
        struct span part = span_trim(comma == SPAN_NONE ? rest : span_sub(rest, 0, comma));
        rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
        (void)snprintf(one, sizeof(one), "%.*s", (int)MIN(part.len, sizeof(one) - 1), part.at);
        if (part.len < sizeof(one) && header_value_is_listed(one, a->settings.required_value)) {
            return true;
        }
    }
    return false;
}

static bool said_twice(const struct request *q, struct reply *r, const char *name) {
    bool twice = *name && request_header_count(q, name) > 1;
    if (twice) {
        auth_say(r, 400, "The header with the user's name, or one that it needs, came twice");
    }
    return twice;
}

int method_header(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]) {
    const char *value = request_header(q, a->settings.user_header);
    if (!value || !*value) {
        return 0;
    }
    /* A proxy that adds its header behind that of the client must not let the client win. */
    if (said_twice(q, r, a->settings.user_header) || said_twice(q, r, a->settings.required_header)) {
        return -EINVAL;
    }
    if (!required_is_there(a, q)) {
        auth_say(r, 403, "The proxy did not send the header that requiredAuthHeader names");
        return -EACCES;
    }
    if (!id_copy(span_trim(span_text(value)), ret_id)) {
        auth_say(r, 403, "The header with the user's name holds none");
        return -EACCES;
    }
    return 1;
}

/* --- a proxy's signed word --- */

/* Every scope that is required is in `scope` (words) or `scp` (words or an array). */
static bool scope_is_there(struct json_ref claims, const char *wanted) {
    static const char *const members[] = {"scope", "scp"};
    bool found = false;
    for (size_t i = 0; i < ARRAY_LEN(members) && !found; i++) {
        struct span raw = json_raw_of(json_find(claims, span_text(members[i])));
        /* Neither scopes nor what stands between them is ever escaped. */
        for (size_t at = 0; at < raw.len && !found;) {
            size_t end = at;
            while (end < raw.len && !strchr(" \",[]", raw.at[end])) {
                end++;
            }
            found = span_is(span_sub(raw, at, end - at), wanted);
            at = end + 1;
        }
    }
    return found;
}

static bool scopes_are_there(const struct auth *a, struct span claims) {
    struct json_index x;
    struct json_error error;
    json_index_init(&x, 1u << 16);
    bool good = json_index_build(&x, claims, &error) == 0;
    for (size_t i = 0; good && i < a->scopes.count; i++) {
        good = scope_is_there(json_root(&x), a->scopes.items[i]);
    }
    json_index_done(&x);
    return good;
}

int method_jwt(struct auth *a, const struct request *q, struct reply *r, struct claim *ret) {
    const char *value = request_header(q, a->settings.user_header);
    struct err e = {0};
    if (!value || !*value) {
        return 0;
    }
    if (said_twice(q, r, a->settings.user_header)) {
        return -EINVAL;
    }
    struct span token = span_trim(span_text(value));
    if (span_starts_fold(token, SPAN_LITERAL("Bearer "))) {
        token = span_trim(span_from(token, 7));
    }
    struct jwt_rules rules = {.algorithms = {a->algorithms.items, a->algorithms.count},
                              .issuer = a->settings.jwt_issuer,
                              .audience = a->settings.jwt_audience,
                              .skew_s = a->settings.jwt_skew,
                              .now_s = auth_now_ms() / 1000};
    buf_init(&ret->claims, JWT_TEXT_MAX);
    int code = keyring_check(a->keys, &rules, token, &ret->claims, &e);
    if (code == -EAGAIN) {
        auth_told(a, q, e.text);
        auth_say(r, 503, "The keys that tokens are checked with cannot be had at the moment");
        return code;
    }
    if (code < 0) {
        auth_guessed(a, q, e.text);
        auth_say(r, 401, "The token is not believed");
        return -EACCES;
    }
    if (!scopes_are_there(a, buf_span(&ret->claims))) {
        auth_say(r, 403, "The token lacks a scope: see the setting authJwtRequiredScopes");
        return -EACCES;
    }
    if (!claims_user(buf_span(&ret->claims), a->settings.user_field, a->settings.jwt_prefix, ret->id)) {
        auth_say(r, 403, "The token does not name a user: see the setting authUserIdField");
        return -EACCES;
    }
    ret->by_header = true;
    return 1;
}

bool peer_is_allowed(const struct auth *a, const char *peer, bool loopback_only) {
    const struct setting_list *list = &a->settings.user_ips;
    if (!list->count) {
        return !loopback_only || network_holds("127.0.0.0/8", peer) || network_holds("::1", peer);
    }
    for (size_t i = 0; i < list->count; i++) {
        if (network_holds(list->items[i], peer)) {
            return true;
        }
    }
    return false;
}

/* --- browsers --- */

int method_cookie(struct auth *a, const struct request *q, struct reply *r, char ret_id[USER_ID_MAX + 1]) {
    const char *value = request_cookie(q, a->cookie);
    (void)r;
    return value && a->control && web_session_find(a->control, value, auth_now_ms(), ret_id) == 0;
}
