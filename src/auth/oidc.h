/* oidc.h: logins at a provider of OpenID Connect: authorization code flow (OpenID Connect Core 1.0, 3.1) with PKCE (RFC
 * 7636, S256), state, nonce and the issuer in the answer (RFC 9207).
 *
 * What a login that was begun must remember (state, nonce, verifier, where to go on) is not kept here but sealed into a
 * cookie of the browser, so nothing grows, and an answer only counts in the browser that asked for it.
 *
 * Discovery is done when it is first needed and kept; the provider's keys are read again by themselves (keyring.h).
 *
 * Owner: struct auth. Thread: any. Cost: up to three requests to the provider, each at most 10 s. Failure: -errno with
 * a text for the server's own eyes; -EAGAIN: the provider cannot be asked; -EACCES: the answer is not believed.
 */
#ifndef SEINE_AUTH_OIDC_H
#define SEINE_AUTH_OIDC_H

#include "auth/jwt.h"
#include "auth/secret.h"

#define OIDC_LOGIN_MS 600000 /* from being sent away to coming back */
#define OIDC_BACK_MAX 1024
#define OIDC_COOKIE_MAX ((size_t)4000)

/* All texts are copied by nobody: they must live as long. */
struct oidc_options {
    const char *discover_url; /* the issuer, or its /.well-known/openid-configuration */
    const char *client_id, *client_secret, *scope, *ca_file;
    struct setting_list algorithms;
    int64_t skew_s;
    const struct secret *secret;
};

struct oidc;
int oidc_new(const struct oidc_options *options, struct oidc **ret_oidc, struct err *ret_err);
struct oidc *oidc_free(struct oidc *o);

/* Where to send the browser, and the cookie's value. `back`: the path to go on to afterwards. */
int oidc_begin(struct oidc *o, const char *redirect_uri, const char *back, struct buf *ret_location,
               struct buf *ret_cookie, struct err *ret_err);

/* What the browser came back with; NULL: it is not there. */
struct oidc_answer {
    const char *code, *state, *error, *issuer, *cookie;
};
/* The claims, of the ID token and of the provider's user information, as one JSON object; and `back`. */
int oidc_finish(struct oidc *o, const struct oidc_answer *answer, struct buf *ret_claims, struct buf *ret_back,
                struct err *ret_err);

#endif
