/* oidc.c: see oidc.h. */
#include "auth/oidc.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>

#include "auth/keyring.h"
#include "auth/state.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/util.h"
#include "http/client.h"

#define ANSWER_MAX ((size_t)1 << 20)
#define SECONDS 10
#define AGAIN_MS 10000
#define WELL_KNOWN "/.well-known/openid-configuration"
#define WORD_BYTES 32
#define WORD_TEXT 44

enum provider_text { ISSUER, AUTHORIZE, TOKEN, USER_INFO, KEYS, PROVIDER_TEXTS };
static const char *const provider_names[PROVIDER_TEXTS] = {"issuer", "authorization_endpoint", "token_endpoint",
                                                           "userinfo_endpoint", "jwks_uri"};

struct oidc {
    struct oidc_options options;
    pthread_mutex_t lock; /* held while the provider is looked for; what it found stays */
    int64_t tried_ms;
    bool known, basic;
    char *texts[PROVIDER_TEXTS]; /* USER_INFO may be NULL */
    struct keyring *keys;
};

int oidc_new(const struct oidc_options *options, struct oidc **ret_oidc, struct err *ret_err) {
    if (!client_may_ask(options->discover_url)) {
        return err_set(ret_err, -EINVAL, "authDiscoverURL: %s does not begin with https://", options->discover_url);
    }
    struct oidc *o = calloc(1, sizeof(*o));
    if (!o) {
        return err_set(ret_err, -ENOMEM, "no memory for logins");
    }
    (void)pthread_mutex_init(&o->lock, NULL);
    o->options = *options;
    *ret_oidc = o;
    return 0;
}

static void provider_forget(struct oidc *o) {
    for (size_t i = 0; i < PROVIDER_TEXTS; i++) {
        free(TAKE(o->texts[i]));
    }
    o->keys = keyring_free(o->keys);
}

struct oidc *oidc_free(struct oidc *o) {
    if (o) {
        provider_forget(o);
        (void)pthread_mutex_destroy(&o->lock);
        free(o);
    }
    return NULL;
}

/* --- JSON of the provider --- */

struct answer {
    struct buf text, scratch;
    struct json_index index;
};

static void answer_done(struct answer *a) {
    json_index_done(&a->index);
    buf_done(&a->text);
    buf_done(&a->scratch);
}

/* Asks for a JSON object; answer_done is due when it answers 0. */
static int answer_get(const struct client_request *q, struct answer *ret, struct err *ret_err) {
    struct json_error error;
    long status = 0;
    int code = client_ask(q, &ret->text, &status, ret_err);
    if (code < 0) {
        return code == -EPERM ? code : -EAGAIN;
    }
    buf_init(&ret->scratch, ANSWER_MAX);
    json_index_init(&ret->index, 1u << 18);
    if (status != 200) {
        code = err_set(ret_err, status >= 500 ? -EAGAIN : -EACCES, "%s: answered %ld", q->url, status);
    } else if (json_index_build(&ret->index, buf_span(&ret->text), &error) < 0 || json_check(&ret->index, &error) < 0 ||
               json_kind_of(json_root(&ret->index)) != JSON_OBJECT) {
        code = err_set(ret_err, -EBADMSG, "%s: the answer is no JSON object", q->url);
    }
    if (code < 0) {
        answer_done(ret);
    }
    return code;
}

static char *answer_text(struct answer *a, const char *name) {
    struct span text;
    bool good = json_string(json_find(json_root(&a->index), span_text(name)), &a->scratch, &text) && text.len &&
                !memchr(text.at, 0, text.len);
    return good ? span_dup(text) : NULL;
}

/* --- discovery --- */

/* The issuer must be the one that was asked (OpenID Connect Discovery 1.0, 4.3). */
static bool issuer_fits(const char *issuer, struct span asked) {
    struct span given = span_text(issuer);
    while (span_ends(asked, SPAN_LITERAL("/"))) {
        asked.len--;
    }
    while (span_ends(given, SPAN_LITERAL("/"))) {
        given.len--;
    }
    return span_equal(given, asked);
}

static bool lists(struct answer *a, const char *name, const char *wanted) {
    struct json_walk walk = json_walk_over(json_find(json_root(&a->index), span_text(name)));
    struct span key, text;
    struct json_ref one;
    while (json_walk_next(&walk, &key, &one)) {
        if (json_string(one, &a->scratch, &text) && span_is(text, wanted)) {
            return true;
        }
    }
    return false;
}

static int provider_read(struct oidc *o, struct answer *a, struct span asked, struct err *ret_err) {
    for (size_t i = 0; i < PROVIDER_TEXTS; i++) {
        o->texts[i] = answer_text(a, provider_names[i]);
        if (!o->texts[i] && i != USER_INFO) {
            return err_set(ret_err, -EBADMSG, "the provider does not say its %s", provider_names[i]);
        }
        if (i != ISSUER && o->texts[i] && !client_may_ask(o->texts[i])) {
            return err_set(ret_err, -EBADMSG, "the provider's %s is not https", provider_names[i]);
        }
    }
    if (!issuer_fits(o->texts[ISSUER], asked)) {
        return err_set(ret_err, -EBADMSG, "the provider calls itself %.200s, which is not where it was asked",
                       o->texts[ISSUER]);
    }
    /* Arkime sends the secret in the form; what a provider does not take is not sent to it. */
    o->basic = lists(a, "token_endpoint_auth_methods_supported", "client_secret_basic") &&
               !lists(a, "token_endpoint_auth_methods_supported", "client_secret_post");
    struct keyring_source source = {.url = o->texts[KEYS], .ca_file = o->options.ca_file};
    return keyring_new(&source, &o->keys, ret_err);
}

static int discover(struct oidc *o, struct err *ret_err) {
    struct answer a;
    struct buf url;
    struct span asked = span_text(o->options.discover_url);
    buf_init(&url, 4096);
    buf_add_span(&url, asked);
    if (span_ends(asked, SPAN_LITERAL(WELL_KNOWN))) {
        asked.len -= sizeof(WELL_KNOWN) - 1;
    } else {
        buf_add_text(&url, span_ends(asked, SPAN_LITERAL("/")) ? &WELL_KNOWN[1] : WELL_KNOWN);
    }
    buf_add_byte(&url, 0);
    struct client_request q = {
        .url = (const char *)url.data, .ca_file = o->options.ca_file, .ceiling = ANSWER_MAX, .seconds = SECONDS};
    int code = url.overflowed ? err_set(ret_err, -EINVAL, "authDiscoverURL is too long") : answer_get(&q, &a, ret_err);
    if (code == 0) {
        code = provider_read(o, &a, asked, ret_err);
        answer_done(&a);
        if (code < 0) {
            provider_forget(o);
        }
    }
    buf_done(&url);
    return code;
}

/* What is found once does not change, so it is read without the lock after this. */
static int provider_know(struct oidc *o, struct err *ret_err) {
    int code = 0;
    (void)pthread_mutex_lock(&o->lock);
    int64_t now = auth_now_ms();
    if (!o->known && now - o->tried_ms < AGAIN_MS && now >= o->tried_ms) {
        code = err_set(ret_err, -EAGAIN, "the provider could not be asked a moment ago");
    } else if (!o->known) {
        o->tried_ms = now;
        code = discover(o, ret_err);
        o->known = code == 0;
    }
    (void)pthread_mutex_unlock(&o->lock);
    return code < 0 ? -EAGAIN : 0;
}

/* --- what a login remembers --- */

enum memory_text { STATE, NONCE, VERIFIER, REDIRECT, BACK, MEMORY_TEXTS };
#define MEMORY_MAX ((size_t)2900) /* base64url of it fits a cookie */

struct memory {
    int64_t begun_ms;
    char *texts[MEMORY_TEXTS];
    char storage[MEMORY_MAX + 1];
};

/* One line each; the time first. */
static int memory_seal(const struct secret *s, int64_t now, const char *const texts[MEMORY_TEXTS], struct buf *out) {
    struct buf plain, sealed;
    buf_init(&plain, MEMORY_MAX - 64);
    buf_init(&sealed, MEMORY_MAX);
    buf_printf(&plain, "%lld", (long long)now);
    for (size_t i = 0; i < MEMORY_TEXTS; i++) {
        buf_add_byte(&plain, '\n');
        buf_add_text(&plain, texts[i]);
    }
    int code = plain.overflowed ? -E2BIG : secret_seal(s, "oidc", (struct span){0}, buf_span(&plain), &sealed);
    char *to = code < 0 ? NULL : (char *)buf_reserve(out, sealed.len * 4 / 3 + 4);
    if (to) {
        out->len += base64url_write(sealed.data, sealed.len, to);
    }
    if (plain.data) {
        OPENSSL_cleanse(plain.data, plain.cap);
    }
    buf_done(&plain);
    buf_done(&sealed);
    return code < 0 ? code : to ? 0 : -E2BIG;
}

static int memory_open(const struct secret *s, const char *cookie, struct memory *ret) {
    uint8_t sealed[MEMORY_MAX];
    struct buf plain;
    size_t n = base64url_read(span_text(cookie), sealed, sizeof(sealed));
    buf_init(&plain, MEMORY_MAX);
    int code = n == SPAN_NONE ? -EBADMSG : secret_open(s, "oidc", (struct span){0}, span_make(sealed, n), &plain);
    *ret = (struct memory){0};
    if (code == 0) {
        *span_copy_to(buf_span(&plain), (uint8_t *)ret->storage) = 0;
        char *at = ret->storage, *end;
        ret->begun_ms = strtoll(at, &end, 10);
        for (size_t i = 0; i < MEMORY_TEXTS && code == 0; i++) {
            code = *end == '\n' ? 0 : -EBADMSG;
            *end = 0;
            ret->texts[i] = end + 1;
            end = code == 0 ? end + 1 + strcspn(end + 1, "\n") : end;
        }
        *end = 0;
    }
    if (plain.data) {
        OPENSSL_cleanse(plain.data, plain.cap);
    }
    buf_done(&plain);
    return code;
}

/* --- beginning --- */

static void query_add(struct buf *out, const char *name, const char *value) {
    buf_printf(out, "%s=", name);
    percent_encode(span_text(value), out);
    buf_add_byte(out, '&');
}

static void challenge_of(const char *verifier, char ret[WORD_TEXT]) {
    uint8_t hash[SHA256_DIGEST_LENGTH];
    (void)SHA256((const uint8_t *)verifier, strlen(verifier), hash);
    base64url_write(hash, sizeof(hash), ret);
}

int oidc_begin(struct oidc *o, const char *redirect_uri, const char *back, struct buf *ret_location,
               struct buf *ret_cookie, struct err *ret_err) {
    char words[REDIRECT][WORD_TEXT], challenge[WORD_TEXT];
    int code = provider_know(o, ret_err);
    for (size_t i = 0; i < REDIRECT && code == 0; i++) {
        code = random_word(WORD_BYTES, words[i], WORD_TEXT);
    }
    if (code < 0) {
        return code;
    }
    bool long_way = strlen(back) > OIDC_BACK_MAX || strpbrk(back, "\r\n");
    const char *const texts[MEMORY_TEXTS] = {words[STATE], words[NONCE], words[VERIFIER], redirect_uri,
                                             long_way ? "" : back};
    code = memory_seal(o->options.secret, auth_now_ms(), texts, ret_cookie);
    challenge_of(words[VERIFIER], challenge);
    buf_add_text(ret_location, o->texts[AUTHORIZE]);
    buf_add_byte(ret_location, strchr(o->texts[AUTHORIZE], '?') ? '&' : '?');
    query_add(ret_location, "client_id", o->options.client_id);
    query_add(ret_location, "redirect_uri", redirect_uri);
    query_add(ret_location, "scope", o->options.scope);
    query_add(ret_location, "state", words[STATE]);
    query_add(ret_location, "nonce", words[NONCE]);
    query_add(ret_location, "code_challenge", challenge);
    buf_add_text(ret_location, "code_challenge_method=S256&response_type=code");
    OPENSSL_cleanse(words, sizeof(words));
    return code < 0 || ret_location->overflowed ? err_set(ret_err, -E2BIG, "the login does not fit a cookie") : 0;
}

/* --- coming back --- */

static int token_ask(struct oidc *o, const char *code_word, const struct memory *m, struct answer *ret,
                     struct err *ret_err) {
    struct buf form;
    buf_init(&form, 1u << 16);
    query_add(&form, "code", code_word);
    query_add(&form, "redirect_uri", m->texts[REDIRECT]);
    query_add(&form, "code_verifier", m->texts[VERIFIER]);
    query_add(&form, "client_id", o->options.client_id);
    if (!o->basic) {
        query_add(&form, "client_secret", o->options.client_secret);
    }
    buf_add_text(&form, "grant_type=authorization_code");
    buf_add_byte(&form, 0);
    struct client_request q = {.url = o->texts[TOKEN],
                               .form = (const char *)form.data,
                               .user = o->basic ? o->options.client_id : NULL,
                               .password = o->options.client_secret,
                               .ca_file = o->options.ca_file,
                               .ceiling = ANSWER_MAX,
                               .seconds = SECONDS};
    int code = form.overflowed ? err_set(ret_err, -EACCES, "the answer is too long") : answer_get(&q, ret, ret_err);
    if (form.data) {
        OPENSSL_cleanse(form.data, form.cap);
    }
    buf_done(&form);
    return code;
}

/* Members that `from` has and `first` has not, behind those of `first`. */
static void claims_join(struct json_ref first, struct json_ref from, struct buf *out) {
    struct json_walk walk = json_walk_over(from);
    struct span key;
    struct json_ref value;
    buf_add_byte(out, '{');
    bool comma = false;
    for (int second = 0; second < 2; second++) {
        walk = json_walk_over(second ? from : first);
        while (json_walk_next(&walk, &key, &value)) {
            if (second && json_kind_of(json_find(first, key)) != JSON_NONE) {
                continue;
            }
            buf_add_text(out, comma ? ",\"" : "\"");
            buf_add_span(out, key);
            buf_add_text(out, "\":");
            buf_add_span(out, json_raw_of(value));
            comma = true;
        }
    }
    buf_add_byte(out, '}');
}

/* What the provider says of the user besides; it must speak of the same one (Core 1.0, 5.3.2). */
static int user_info_add(struct oidc *o, const char *access, struct buf *claims, struct err *ret_err) {
    struct client_request q = {.url = o->texts[USER_INFO],
                               .bearer = access,
                               .ca_file = o->options.ca_file,
                               .ceiling = ANSWER_MAX,
                               .seconds = SECONDS};
    struct answer info;
    struct json_index x;
    struct json_error error;
    int code = answer_get(&q, &info, ret_err);
    if (code < 0) {
        return code;
    }
    json_index_init(&x, 1u << 18);
    code = json_index_build(&x, buf_span(claims), &error);
    if (code == 0) {
        struct json_ref mine = json_root(&x), theirs = json_root(&info.index);
        struct span subject;
        struct buf joined;
        char *told = answer_text(&info, "sub");
        buf_init(&joined, 2 * ANSWER_MAX);
        bool same = told && json_string(json_find(mine, SPAN_LITERAL("sub")), &info.scratch, &subject) &&
                    span_is(subject, told);
        free(told);
        if (!same) {
            code = err_set(ret_err, -EACCES, "the provider's user information is about somebody else (sub)");
        } else {
            claims_join(mine, theirs, &joined);
            code = joined.overflowed ? -E2BIG : 0;
        }
        if (code == 0) {
            buf_done(claims);
            *claims = joined;
        } else {
            buf_done(&joined);
        }
    }
    json_index_done(&x);
    answer_done(&info);
    return code;
}

static int tokens_take(struct oidc *o, const struct memory *m, struct answer *a, struct buf *ret_claims,
                       struct err *ret_err) {
    char *id = answer_text(a, "id_token"), *access = answer_text(a, "access_token");
    struct jwt_rules rules = {.algorithms = o->options.algorithms,
                              .issuer = o->texts[ISSUER],
                              .audience = o->options.client_id,
                              .nonce = m->texts[NONCE],
                              .skew_s = o->options.skew_s,
                              .now_s = auth_now_ms() / 1000};
    int code = id ? keyring_check(o->keys, &rules, span_text(id), ret_claims, ret_err)
                  : err_set(ret_err, -EBADMSG, "the provider sent no ID token");
    if (code == 0 && access && o->texts[USER_INFO]) {
        code = user_info_add(o, access, ret_claims, ret_err);
    }
    if (id) {
        OPENSSL_cleanse(id, strlen(id));
    }
    if (access) {
        OPENSSL_cleanse(access, strlen(access));
    }
    free(id);
    free(access);
    return code;
}

static int answer_check(struct oidc *o, const struct oidc_answer *answer, struct memory *m, struct err *ret_err) {
    if (!answer->cookie || memory_open(o->options.secret, answer->cookie, m) < 0) {
        return err_set(ret_err, -EACCES, "this browser has begun no login");
    }
    int64_t age = auth_now_ms() - m->begun_ms;
    if (age < 0 || age > OIDC_LOGIN_MS) {
        return err_set(ret_err, -EACCES, "the login took too long");
    }
    if (!answer->state || !secret_equal(span_text(answer->state), span_text(m->texts[STATE]))) {
        return err_set(ret_err, -EACCES, "the answer belongs to another login (state)");
    }
    if (answer->issuer && strcmp(answer->issuer, o->texts[ISSUER]) != 0) {
        return err_set(ret_err, -EACCES, "the answer is of another issuer (iss)");
    }
    if (answer->error || !answer->code) {
        return err_set(ret_err, -EACCES, "the provider refused: %.100s", answer->error ? answer->error : "no code");
    }
    return 0;
}

int oidc_finish(struct oidc *o, const struct oidc_answer *answer, struct buf *ret_claims, struct buf *ret_back,
                struct err *ret_err) {
    struct memory m;
    struct answer a;
    int code = provider_know(o, ret_err);
    code = code < 0 ? code : answer_check(o, answer, &m, ret_err);
    code = code < 0 ? code : token_ask(o, answer->code, &m, &a, ret_err);
    if (code < 0) {
        return code == -EAGAIN ? code : -EACCES;
    }
    code = tokens_take(o, &m, &a, ret_claims, ret_err);
    answer_done(&a);
    if (code == 0) {
        buf_add_text(ret_back, m.texts[BACK]);
    }
    OPENSSL_cleanse(&m, sizeof(m));
    return code == 0 || code == -EAGAIN ? code : -EACCES;
}
