/* jwt.c: see jwt.h: tokens checked. What decides about the algorithm is libcjose's own reading of the header, so that
 * no two parsers can disagree about it.
 */
#include "auth/jwt.h"

#include <cjose/cjose.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "auth/jwt_keys.h"
#include "auth/secret.h"
#include "base/json_scan.h"
#include "base/util.h"

static const struct {
    const char *name;
    enum jwt_kind kind;
} algorithms[] = {
    {"RS256", JWT_RSA},   {"RS384", JWT_RSA}, {"RS512", JWT_RSA},   {"PS256", JWT_RSA},
    {"PS384", JWT_RSA},   {"PS512", JWT_RSA}, {"ES256", JWT_EC256}, {"ES384", JWT_EC384},
    {"ES512", JWT_EC521}, {"HS256", JWT_OCT}, {"HS384", JWT_OCT},   {"HS512", JWT_OCT},
};

static enum jwt_kind kind_needed(const char *algorithm) {
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
        if (strcmp(algorithms[i].name, algorithm) == 0) {
            return algorithms[i].kind;
        }
    }
    return JWT_NONE;
}

bool jwt_algorithm_is_known(const char *name) {
    return kind_needed(name) != JWT_NONE;
}

static bool algorithm_is_allowed(const struct jwt_rules *rules, const char *algorithm) {
    for (size_t i = 0; i < rules->algorithms.count; i++) {
        if (strcmp(rules->algorithms.items[i], algorithm) == 0) {
            return jwt_algorithm_is_known(algorithm);
        }
    }
    return false;
}

/* --- the signature --- */

static bool key_fits(const struct jwt_key *key, const char *algorithm, const char *kid) {
    bool named = !kid || !key->kid || strcmp(kid, key->kid) == 0;
    return named && key->kind == kind_needed(algorithm) && (!key->algorithm || strcmp(key->algorithm, algorithm) == 0);
}

static bool key_verifies(cjose_jws_t *jws, const struct jwt_key *key) {
    cjose_jwk_t *jwk = cjose_jwk_import(key->json, strlen(key->json), NULL);
    bool good = jwk && cjose_jws_verify(jws, jwk, NULL);
    cjose_jwk_release(jwk);
    return good;
}

static int signature_check(const struct jwt_keys *keys, const struct jwt_rules *rules, struct span token,
                           struct buf *ret_claims, struct err *ret_err) {
    cjose_jws_t *jws = cjose_jws_import((const char *)token.at, token.len, NULL);
    cjose_header_t *header = jws ? cjose_jws_get_protected(jws) : NULL;
    const char *algorithm = header ? cjose_header_get(header, CJOSE_HDR_ALG, NULL) : NULL;
    const char *kid = header ? cjose_header_get(header, CJOSE_HDR_KID, NULL) : NULL;
    char *critical = header ? cjose_header_get_raw(header, "crit", NULL) : NULL;
    uint8_t *text = NULL;
    size_t len = 0, tried = 0;
    bool good = false;
    int code = 0;
    if (!algorithm || critical) {
        code = err_set(ret_err, -EBADMSG, "no signed token, or one with demands that are not understood (crit)");
    } else if (!algorithm_is_allowed(rules, algorithm)) {
        code = err_set(ret_err, -EPERM, "the token is signed by %.20s, which is not allowed", algorithm);
    }
    for (size_t i = 0; code == 0 && i < keys->count && !good; i++) {
        if (key_fits(&keys->list[i], algorithm, kid)) {
            tried++;
            good = key_verifies(jws, &keys->list[i]);
        }
    }
    if (code == 0 && !good) {
        code = tried ? err_set(ret_err, -EKEYREJECTED, "the signature is wrong")
                     : err_set(ret_err, -ENOKEY, "no key is known that fits");
    }
    if (code == 0) {
        good = cjose_jws_get_plaintext(jws, &text, &len, NULL);
        buf_add(ret_claims, text, good ? len : 0);
        code = good && !ret_claims->overflowed ? 0 : err_set(ret_err, -EBADMSG, "the token has no claims");
    }
    cjose_get_dealloc()(critical);
    cjose_jws_release(jws);
    return code;
}

/* --- the claims --- */

static bool number_of(struct json_ref claims, const char *name, double *ret) {
    return json_number_double(json_find(claims, span_text(name)), ret) && isfinite(*ret);
}

static int times_check(const struct jwt_rules *rules, struct json_ref claims, struct err *ret_err) {
    double now = (double)rules->now_s, skew = (double)rules->skew_s, when = 0;
    if (!number_of(claims, "exp", &when)) {
        return err_set(ret_err, -EKEYEXPIRED, "the token does not say until when it is good (exp)");
    }
    if (now >= when + skew) {
        return err_set(ret_err, -EKEYEXPIRED, "the token was good until %.0f (exp), and now is %.0f", when, now);
    }
    static const char *const starts[] = {"nbf", "iat"};
    for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
        bool there = json_kind_of(json_find(claims, span_text(starts[i]))) != JSON_NONE;
        if (there && (!number_of(claims, starts[i], &when) || now < when - skew)) {
            return err_set(ret_err, -EKEYEXPIRED, "the token is of the future (%s): do the clocks agree?", starts[i]);
        }
    }
    return 0;
}

static bool string_is(struct json_ref v, const char *wanted) {
    struct buf scratch;
    struct span text;
    buf_init(&scratch, 1u << 14);
    bool same = json_string(v, &scratch, &text) && span_is(text, wanted);
    buf_done(&scratch);
    return same;
}

static bool audience_holds(struct json_ref v, const char *wanted) {
    struct json_walk walk = json_walk_over(v);
    struct span name;
    struct json_ref one;
    if (json_kind_of(v) != JSON_ARRAY) {
        return string_is(v, wanted);
    }
    while (json_walk_next(&walk, &name, &one)) {
        if (string_is(one, wanted)) {
            return true;
        }
    }
    return false;
}

static bool given(const char *text) {
    return text && *text;
}

static int claims_check(const struct jwt_rules *rules, struct json_ref claims, struct err *ret_err) {
    struct json_ref party = json_find(claims, SPAN_LITERAL("azp"));
    if (given(rules->issuer) && !string_is(json_find(claims, SPAN_LITERAL("iss")), rules->issuer)) {
        return err_set(ret_err, -EACCES, "the token is not of the issuer %s (iss)", rules->issuer);
    }
    if (given(rules->audience) && !audience_holds(json_find(claims, SPAN_LITERAL("aud")), rules->audience)) {
        return err_set(ret_err, -EACCES, "the token is not for %s (aud)", rules->audience);
    }
    /* A token of OpenID Connect says for whom it was made when it names several. */
    if (rules->nonce && json_kind_of(party) != JSON_NONE && !string_is(party, rules->audience)) {
        return err_set(ret_err, -EACCES, "the token was made for another party (azp)");
    }
    if (rules->nonce && !string_is(json_find(claims, SPAN_LITERAL("nonce")), rules->nonce)) {
        return err_set(ret_err, -EACCES, "the token belongs to another login (nonce)");
    }
    return times_check(rules, claims, ret_err);
}

int jwt_check(const struct jwt_keys *keys, const struct jwt_rules *rules, struct span token, struct buf *ret_claims,
              struct err *ret_err) {
    struct json_index x;
    struct json_error error;
    size_t before = ret_claims->len;
    if (token.len == 0 || token.len > JWT_TEXT_MAX) {
        return err_set(ret_err, -EBADMSG, "no token, or one that is too long");
    }
    int code = signature_check(keys, rules, token, ret_claims, ret_err);
    if (code < 0) {
        return code;
    }
    json_index_init(&x, 1u << 16);
    if (json_index_build(&x, span_from(buf_span(ret_claims), before), &error) < 0 || json_check(&x, &error) < 0 ||
        json_kind_of(json_root(&x)) != JSON_OBJECT) {
        code = err_set(ret_err, -EBADMSG, "the token's claims are no JSON object");
    } else {
        code = claims_check(rules, json_root(&x), ret_err);
    }
    json_index_done(&x);
    if (code < 0) {
        ret_claims->len = before;
    }
    return code;
}
