/* jwt.h: signed tokens of others (JWT, RFC 7519; JWS in compact form, RFC 7515) checked against a set of keys (JWK, RFC
 * 7517), by libcjose. BCP 225 (RFC 8725) is followed: the algorithm must be one of those the rules name, a key serves
 * only the family of algorithms it was made for, `none` and `crit` are refused, keys are looked up by `kid` first, and
 * a symmetric secret is never taken from a published set.
 *
 * Owner: caller. Thread: a set is not changed once it is made, so any. Cost: one verification of a signature for each
 * key that fits, 50 us with RSA. Failure: -errno; `ret_err` says for the server's own eyes what was wrong.
 */
#ifndef SEINE_AUTH_JWT_H
#define SEINE_AUTH_JWT_H

#include "base/buf.h"
#include "base/err.h"
#include "config/setting.h"

#define JWT_TEXT_MAX ((size_t)48 << 10)
#define JWT_KEYS_MAX 64u
#define JWT_SECRET_MIN 32 /* bytes of a symmetric secret (RFC 7518, 3.2) */
#define JWT_RSA_MIN 2048  /* bits */

struct jwt_keys;
/* A JWK Set, or one JWK. Keys for encryption, symmetric ones, RSA keys that are too short and those of kinds that we do
 * not know are left out; -ENOKEY: none is left. */
int jwt_keys_from_json(struct span text, struct jwt_keys **ret_keys, struct err *ret_err);
/* A public key or certificate in PEM form: RSA, or EC on P-256, P-384, P-521. */
int jwt_keys_from_pem(struct span text, struct jwt_keys **ret_keys, struct err *ret_err);
/* A secret for HS256, HS384, HS512. -EINVAL: shorter than JWT_SECRET_MIN. */
int jwt_keys_from_secret(const char *secret, struct jwt_keys **ret_keys, struct err *ret_err);
struct jwt_keys *jwt_keys_free(struct jwt_keys *k);

struct jwt_rules {
    struct setting_list algorithms; /* "RS256", ...; none: nothing is taken */
    const char *issuer, *audience;  /* "" or NULL: not looked at */
    const char *nonce;              /* of OpenID Connect; NULL: not looked at */
    int64_t skew_s, now_s;
};

/* True for the name of an algorithm that can be checked: RS, PS, ES, HS with 256, 384, 512. */
bool jwt_algorithm_is_known(const char *name);

/* Adds the claims, a JSON object, to `ret_claims`. -ENOKEY: no key fits (the set may be old); -EKEYREJECTED: the
 * signature is wrong; -EKEYEXPIRED: `exp`, `nbf` or `iat`; -EACCES: issuer, audience or nonce; -EPERM: the algorithm;
 * -EBADMSG: no such token. */
int jwt_check(const struct jwt_keys *keys, const struct jwt_rules *rules, struct span token, struct buf *ret_claims,
              struct err *ret_err);

#endif
