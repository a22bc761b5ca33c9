/* jwt_keys.c: see jwt.h: sets of keys from JSON, PEM and secrets. */
#include "auth/jwt_keys.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "auth/secret.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/util.h"

#define NUMBER_MAX 2048 /* bytes of a modulus: 16,384 bits */

struct jwt_keys *jwt_keys_free(struct jwt_keys *k) {
    for (size_t i = 0; k && i < k->count; i++) {
        OPENSSL_cleanse(k->list[i].json, strlen(k->list[i].json));
        free(k->list[i].json);
        free(k->list[i].kid);
        free(k->list[i].algorithm);
    }
    free(k);
    return NULL;
}

/* --- JSON --- */

static char *text_of(struct json_ref object, const char *name) {
    struct span text;
    struct buf scratch;
    char *copy = NULL;
    buf_init(&scratch, 1u << 16);
    if (json_string(json_find(object, span_text(name)), &scratch, &text)) {
        copy = span_dup(text);
    }
    buf_done(&scratch);
    return copy;
}

static bool text_is(struct json_ref object, const char *name, const char *wanted) {
    char *text = text_of(object, name);
    bool same = text && strcmp(text, wanted) == 0;
    free(text);
    return same;
}

/* Bits of the modulus, which is base64url of its bytes. */
static size_t rsa_bits(struct json_ref key) {
    uint8_t bytes[NUMBER_MAX];
    char *text = text_of(key, "n");
    size_t n = text ? base64url_read(span_text(text), bytes, sizeof(bytes)) : SPAN_NONE, zeros = 0;
    free(text);
    while (n != SPAN_NONE && zeros < n && bytes[zeros] == 0) {
        zeros++;
    }
    return n == SPAN_NONE || zeros == n ? 0 : (n - zeros) * 8 - (size_t)(__builtin_clz(bytes[zeros]) - 24);
}

static enum jwt_kind kind_of(struct json_ref key) {
    static const struct {
        const char *curve;
        enum jwt_kind kind;
    } curves[] = {{"P-256", JWT_EC256}, {"P-384", JWT_EC384}, {"P-521", JWT_EC521}};
    if (text_is(key, "kty", "RSA")) {
        return rsa_bits(key) >= JWT_RSA_MIN ? JWT_RSA : JWT_NONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(curves) && text_is(key, "kty", "EC"); i++) {
        if (text_is(key, "crv", curves[i].curve)) {
            return curves[i].kind;
        }
    }
    return JWT_NONE;
}

static int key_add(struct jwt_keys *k, enum jwt_kind kind, struct span json, char *kid, char *algorithm) {
    char *copy = k->count < JWT_KEYS_MAX ? span_dup(json) : NULL;
    if (!copy) {
        free(kid);
        free(algorithm);
        return k->count < JWT_KEYS_MAX ? -ENOMEM : -E2BIG;
    }
    k->list[k->count++] = (struct jwt_key){kind, copy, kid, algorithm};
    return 0;
}

/* A key that cannot serve is no error: sets hold keys for others as well. */
static int key_take(struct jwt_keys *k, struct json_ref key) {
    enum jwt_kind kind = json_kind_of(key) == JSON_OBJECT ? kind_of(key) : JWT_NONE;
    bool other = json_kind_of(json_find(key, SPAN_LITERAL("use"))) != JSON_NONE && !text_is(key, "use", "sig");
    return kind == JWT_NONE || other ? 0 : key_add(k, kind, json_raw_of(key), text_of(key, "kid"), text_of(key, "alg"));
}

int jwt_keys_from_json(struct span text, struct jwt_keys **ret_keys, struct err *ret_err) {
    struct json_index x;
    struct json_error error;
    struct jwt_keys *k = calloc(1, sizeof(*k));
    if (!k) {
        return err_set(ret_err, -ENOMEM, "no memory for keys");
    }
    json_index_init(&x, 1u << 18);
    int code = json_index_build(&x, text, &error) == 0 && json_check(&x, &error) == 0 ? 0 : -EBADMSG;
    if (code == 0) {
        struct json_ref list = json_find(json_root(&x), SPAN_LITERAL("keys"));
        struct json_walk walk = json_walk_over(list);
        struct span name;
        struct json_ref key;
        if (json_kind_of(list) != JSON_ARRAY) {
            code = key_take(k, json_root(&x));
        }
        while (code == 0 && json_kind_of(list) == JSON_ARRAY && json_walk_next(&walk, &name, &key)) {
            code = key_take(k, key);
        }
        code = code == 0 && k->count == 0 ? -ENOKEY : code;
    }
    json_index_done(&x);
    if (code < 0) {
        jwt_keys_free(k);
        return err_set(ret_err, code,
                       code == -EBADMSG  ? "the set of keys is no JSON"
                       : code == -ENOKEY ? "no key of the set can check signatures (RSA from 2048 bits, EC)"
                                         : "the set holds too many keys");
    }
    *ret_keys = k;
    return 0;
}

/* --- PEM --- */

static void number_member(struct json *j, const char *name, const uint8_t *bytes, size_t n) {
    char text[NUMBER_MAX * 4 / 3 + 4];
    base64url_write(bytes, n, text);
    json_key(j, name);
    json_cstr(j, text);
}

static bool rsa_write(const EVP_PKEY *pkey, struct json *j) {
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E}, *const members[] = {"n", "e"};
    json_key(j, "kty");
    json_cstr(j, "RSA");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        BIGNUM *number = NULL;
        uint8_t bytes[NUMBER_MAX];
        if (EVP_PKEY_get_bn_param(pkey, names[i], &number) != 1) {
            return false;
        }
        int n = BN_num_bytes(number) <= (int)sizeof(bytes) ? BN_bn2bin(number, bytes) : 0;
        BN_free(number);
        number_member(j, members[i], bytes, (size_t)n);
    }
    return true;
}

static bool ec_write(const EVP_PKEY *pkey, struct json *j) {
    static const struct {
        const char *group, *curve;
        int bytes;
    } curves[] = {{"prime256v1", "P-256", 32}, {"secp384r1", "P-384", 48}, {"secp521r1", "P-521", 66}};
    static const char *const names[] = {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y}, *const members[] = {"x",
                                                                                                                 "y"};
    char group[64] = "";
    size_t len = 0, which = 0;
    (void)EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group), &len);
    while (which < ARRAY_LEN(curves) && strcmp(curves[which].group, group) != 0) {
        which++;
    }
    if (which == ARRAY_LEN(curves)) {
        return false;
    }
    json_key(j, "kty");
    json_cstr(j, "EC");
    json_key(j, "crv");
    json_cstr(j, curves[which].curve);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        BIGNUM *number = NULL;
        uint8_t bytes[66];
        bool good = EVP_PKEY_get_bn_param(pkey, names[i], &number) == 1 &&
                    BN_bn2binpad(number, bytes, curves[which].bytes) == curves[which].bytes;
        BN_free(number);
        if (!good) {
            return false;
        }
        number_member(j, members[i], bytes, (size_t)curves[which].bytes);
    }
    return true;
}

/* The empty password keeps OpenSSL from asking for one at the terminal. */
static EVP_PKEY *pem_key(struct span text) {
    BIO *in = BIO_new_mem_buf(text.at, (int)text.len);
    EVP_PKEY *pkey = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, (void *)(uintptr_t) "") : NULL;
    if (in && !pkey) {
        (void)BIO_reset(in);
        X509 *certificate = PEM_read_bio_X509(in, NULL, NULL, (void *)(uintptr_t) "");
        pkey = certificate ? X509_get_pubkey(certificate) : NULL;
        X509_free(certificate);
    }
    (void)BIO_free(in);
    return pkey;
}

int jwt_keys_from_pem(struct span text, struct jwt_keys **ret_keys, struct err *ret_err) {
    struct buf out;
    EVP_PKEY *pkey = text.len < INT32_MAX ? pem_key(text) : NULL;
    int kind = pkey ? EVP_PKEY_get_base_id(pkey) : EVP_PKEY_NONE;
    buf_init(&out, 1u << 14);
    struct json j = json_over(&out);
    json_open(&j, '{');
    bool good = kind == EVP_PKEY_RSA ? rsa_write(pkey, &j) : kind == EVP_PKEY_EC && ec_write(pkey, &j);
    json_close(&j, '}');
    EVP_PKEY_free(pkey);
    int code = good && !out.overflowed ? jwt_keys_from_json(buf_span(&out), ret_keys, ret_err)
                                       : err_set(ret_err, -EINVAL,
                                                 "no public key or certificate in PEM form: RSA, or "
                                                 "EC on P-256, P-384 or P-521");
    buf_done(&out);
    return code;
}

int jwt_keys_from_secret(const char *secret, struct jwt_keys **ret_keys, struct err *ret_err) {
    size_t len = strlen(secret);
    char encoded[NUMBER_MAX * 4 / 3 + 4];
    if (len < JWT_SECRET_MIN || len > NUMBER_MAX) {
        return err_set(ret_err, -EINVAL, "a secret for HS256 has at least %d characters", JWT_SECRET_MIN);
    }
    struct jwt_keys *k = calloc(1, sizeof(*k));
    struct buf out;
    buf_init(&out, 1u << 14);
    base64url_write((const uint8_t *)secret, len, encoded);
    buf_printf(&out, "{\"kty\":\"oct\",\"k\":\"%s\"}", encoded);
    int code = k && !out.overflowed ? key_add(k, JWT_OCT, buf_span(&out), NULL, NULL) : -ENOMEM;
    OPENSSL_cleanse(encoded, sizeof(encoded));
    if (out.data) {
        OPENSSL_cleanse(out.data, out.cap);
    }
    buf_done(&out);
    if (code < 0) {
        jwt_keys_free(k);
        return err_set(ret_err, code, "no memory for keys");
    }
    *ret_keys = k;
    return 0;
}
