/* trust.c: who else is believed, by the settings: other servers, signers of tokens, a provider of OpenID Connect. Here
 * it is checked that the settings say enough to believe somebody safely.
 */
#include <errno.h>
#include <stdlib.h>

#include "auth/keyring.h"
#include "auth/oidc.h"
#include "auth/state.h"
#include "base/json_scan.h"
#include "base/util.h"
#include "http/client.h"

static bool set(const char *text) {
    return text && *text;
}

int names_split(const char *text, struct names *ret) {
    static const char separators[] = ",; \t";
    *ret = (struct names){.memory = strdup(text ? text : "")};
    if (!ret->memory) {
        return -ENOMEM;
    }
    char *rest = ret->memory;
    for (char *word = strsep(&rest, separators); word; word = strsep(&rest, separators)) {
        if (*word && ret->count == NAMES_MAX) {
            names_done(ret);
            return -E2BIG;
        }
        if (*word) {
            ret->items[ret->count++] = word;
        }
    }
    return 0;
}

void names_done(struct names *w) {
    free(w->memory);
    *w = (struct names){0};
}

static int split(const char *name, const char *text, struct names *ret, struct err *ret_err) {
    int code = names_split(text, ret);
    return code < 0 ? err_set(ret_err, code, "%s: at most %d values", name, NAMES_MAX) : 0;
}

/* All of one kind: a set of public keys and a secret never serve the same token. */
static int algorithms_check(const char *name, const struct names *w, bool symmetric, struct err *ret_err) {
    for (size_t i = 0; i < w->count; i++) {
        if (!jwt_algorithm_is_known(w->items[i])) {
            return err_set(ret_err, -EINVAL, "%s: %s is no algorithm that is taken", name, w->items[i]);
        }
        if (symmetric != (w->items[i][0] == 'H')) {
            return err_set(ret_err, -EINVAL, "%s: %s needs %s", name, w->items[i],
                           symmetric ? "public keys, not authJwtSecret" : "authJwtSecret");
        }
    }
    return w->count ? 0 : err_set(ret_err, -EINVAL, "%s: there is none", name);
}

static int need(const char *name, const char *value, const char *mode, struct err *ret_err) {
    return set(value) ? 0 : err_set(ret_err, -EINVAL, "authMode: %s needs %s", mode, name);
}

static int jwt_open(struct auth *a, struct err *ret_err) {
    const struct auth_settings *s = &a->settings;
    struct keyring_source source = {s->jwt_url, s->jwt_file, s->jwt_secret, s->ca_file};
    int sources = set(s->jwt_url) + set(s->jwt_file) + set(s->jwt_secret);
    int code = need("userNameHeader", s->user_header, "header-jwt", ret_err);
    code = code < 0 ? code : need("authUserIdField", s->user_field, "header-jwt", ret_err);
    if (code == 0 && sources != 1) {
        code = err_set(ret_err, -EINVAL,
                       "authMode: header-jwt needs one of authJwtJwksUrl, authJwtKeyFile, "
                       "authJwtSecret");
    }
    if (code == 0 && set(s->jwt_url)) {
        /* Such keys sign tokens for others as well. */
        code = need("authJwtIssuer", s->jwt_issuer, "header-jwt with authJwtJwksUrl", ret_err);
        code = code < 0 ? code : need("authJwtAudience", s->jwt_audience, "header-jwt with authJwtJwksUrl", ret_err);
        if (code == 0 && !client_may_ask(s->jwt_url)) {
            code = err_set(ret_err, -EINVAL, "authJwtJwksUrl: %s does not begin with https://", s->jwt_url);
        }
    }
    code = code < 0 ? code : split("authJwtAlgorithms", s->jwt_algorithms, &a->algorithms, ret_err);
    code = code < 0 ? code : algorithms_check("authJwtAlgorithms", &a->algorithms, set(s->jwt_secret), ret_err);
    code = code < 0 ? code : split("authJwtRequiredScopes", s->jwt_scopes, &a->scopes, ret_err);
    return code < 0 ? code : keyring_new(&source, &a->keys, ret_err);
}

static int provider_open(struct auth *a, struct err *ret_err) {
    const struct auth_settings *s = &a->settings;
    const struct {
        const char *name, *value;
    } needed[] = {{"authDiscoverURL", s->discover_url},
                  {"authClientId", s->client_id},
                  {"authClientSecret", s->client_secret},
                  {"authUserIdField", s->user_field},
                  {"authRedirectURIs", s->redirect_uris}};
    int code = 0;
    for (size_t i = 0; i < ARRAY_LEN(needed) && code == 0; i++) {
        code = need(needed[i].name, needed[i].value, "oidc", ret_err);
    }
    code = code < 0 ? code : split("authJwsAlgorithm", s->oidc_algorithm, &a->algorithms, ret_err);
    code = code < 0 ? code : algorithms_check("authJwsAlgorithm", &a->algorithms, false, ret_err);
    code = code < 0 ? code : split("authRedirectURIs", s->redirect_uris, &a->redirects, ret_err);
    for (size_t i = 0; i < a->redirects.count && code == 0; i++) {
        if (!client_may_ask(a->redirects.items[i])) {
            code =
                err_set(ret_err, -EINVAL, "authRedirectURIs: %s does not begin with https://", a->redirects.items[i]);
        }
    }
    struct oidc_options options = {.discover_url = s->discover_url,
                                   .client_id = s->client_id,
                                   .client_secret = s->client_secret,
                                   .scope = s->oidc_scope,
                                   .ca_file = s->ca_file,
                                   .algorithms = {a->algorithms.items, a->algorithms.count},
                                   .skew_s = s->jwt_skew,
                                   .secret = &a->secret};
    return code < 0 ? code : oidc_new(&options, &a->oidc, ret_err);
}

static const char *server_secret(const struct auth_settings *s) {
    return set(s->server_secret) ? s->server_secret : set(s->password_secret) ? s->password_secret : NULL;
}

int trust_open(struct auth *a, struct err *ret_err) {
    const char *shared = server_secret(&a->settings);
    int code = 0;
    if (a->mode == AUTH_S2S && !shared) {
        return err_set(ret_err, -EINVAL, "authMode: s2s needs serverSecret");
    }
    if (shared && !(a->servers = s2s_new(shared))) {
        return err_set(ret_err, -ENOMEM, "no memory for users");
    }
    if (a->mode == AUTH_HEADER_JWT) {
        code = jwt_open(a, ret_err);
    } else if (a->mode == AUTH_OIDC || a->mode == AUTH_BASIC_OIDC) {
        code = provider_open(a, ret_err);
    }
    return code;
}

void trust_done(struct auth *a) {
    a->servers = s2s_free(a->servers);
    a->keys = keyring_free(a->keys);
    a->oidc = oidc_free(a->oidc);
    names_done(&a->algorithms);
    names_done(&a->scopes);
    names_done(&a->redirects);
}

/* --- what claims say --- */

bool claims_user(struct span claims, const char *field, const char *prefix, char ret_id[USER_ID_MAX + 1]) {
    struct json_index x;
    struct json_error error;
    struct buf scratch;
    struct span text;
    json_index_init(&x, 1u << 18);
    buf_init(&scratch, 1u << 16);
    bool good = json_index_build(&x, claims, &error) == 0 &&
                json_string(json_find(json_root(&x), span_text(field)), &scratch, &text);
    size_t before = prefix ? strlen(prefix) : 0;
    good = good && text.len && before + text.len <= USER_ID_MAX && !memchr(text.at, 0, text.len);
    if (good) {
        uint8_t *to = span_copy_to(span_make(prefix, before), (uint8_t *)ret_id);
        *span_copy_to(text, to) = 0;
    }
    json_index_done(&x);
    buf_done(&scratch);
    return good && user_id_valid(ret_id) && !user_is_role(ret_id);
}
