/* test_jwt.c: signed tokens: made here by OpenSSL, so that signer and verifier are not the same library; what BCP 225
 * warns of is refused.
 */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "auth/jwt.h"
#include "auth/secret.h"
#include "base/util.h"
#include "check.h"

#define NOW 1700000000
#define CLAIMS "\"iss\":\"https://idp\",\"aud\":\"seine\",\"sub\":\"anna\",\"exp\":1700000300"
#define SECRET "0123456789abcdef0123456789abcdef"

struct tools {
    EVP_PKEY *rsa, *other, *ec, *curve;
    char set[4096], pem[1024];
    struct jwt_keys *keys, *from_pem, *from_secret;
};

static void number_write(EVP_PKEY *key, const char *name, char *ret) {
    uint8_t bytes[512];
    BIGNUM *number = NULL;
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &number), 1);
    base64url_write(bytes, (size_t)BN_bn2bin(number, bytes), ret);
    BN_free(number);
}

static int tools_make(void **state) {
    struct tools *t = calloc(1, sizeof(*t));
    char n[1024], e[64], m[1024];
    assert_non_null(t);
    t->rsa = EVP_RSA_gen(2048);
    t->other = EVP_RSA_gen(2048);
    t->ec = EVP_EC_gen("P-256");
    t->curve = EVP_EC_gen("P-384");
    EVP_PKEY *small = EVP_RSA_gen(1024);
    number_write(t->rsa, OSSL_PKEY_PARAM_RSA_N, n);
    number_write(t->rsa, OSSL_PKEY_PARAM_RSA_E, e);
    number_write(small, OSSL_PKEY_PARAM_RSA_N, m);
    EVP_PKEY_free(small);
    (void)snprintf(
        t->set, sizeof(t->set),
        "{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"one\",\"use\":\"sig\",\"alg\":\"RS256\",\"n\":\"%s\",\"e\":\"%s\"},"
        "{\"kty\":\"oct\",\"kid\":\"two\",\"k\":\"%s\"},{\"kty\":\"RSA\",\"kid\":\"enc\",\"use\":\"enc\","
        "\"n\":\"%s\",\"e\":\"%s\"},{\"kty\":\"RSA\",\"kid\":\"small\",\"n\":\"%s\",\"e\":\"%s\"},"
        "{\"kty\":\"new\"},1]}",
        n, e, "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", n, e, m, e);
    assert_int_equal(jwt_keys_from_json(span_text(t->set), &t->keys, NULL), 0);
    BIO *out = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(out, t->ec), 1);
    int len = BIO_read(out, t->pem, sizeof(t->pem) - 1);
    assert_true(len > 0);
    BIO_free(out);
    assert_int_equal(jwt_keys_from_pem(span_text(t->pem), &t->from_pem, NULL), 0);
    assert_int_equal(jwt_keys_from_secret(SECRET, &t->from_secret, NULL), 0);
    *state = t;
    return 0;
}

static int tools_done(void **state) {
    struct tools *t = *state;
    EVP_PKEY_free(t->rsa);
    EVP_PKEY_free(t->other);
    EVP_PKEY_free(t->ec);
    EVP_PKEY_free(t->curve);
    jwt_keys_free(t->keys);
    jwt_keys_free(t->from_pem);
    jwt_keys_free(t->from_secret);
    free(t);
    return 0;
}

/* r and s of fixed length behind each other, as JWS has them. */
static size_t ec_flatten(const uint8_t *der, size_t len, size_t half, uint8_t *ret) {
    const uint8_t *at = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
    const BIGNUM *r = ECDSA_SIG_get0_r(sig), *s = ECDSA_SIG_get0_s(sig);
    assert_int_equal(BN_bn2binpad(r, ret, (int)half), half);
    assert_int_equal(BN_bn2binpad(s, ret + half, (int)half), half);
    ECDSA_SIG_free(sig);
    return 2 * half;
}

/* `key` NULL: HMAC with SECRET. */
static char *token_make(EVP_PKEY *key, const char *header, const char *claims) {
    char first[2048], second[4096], last[1024];
    uint8_t signature[1024], flat[256];
    size_t len = sizeof(signature);
    char *text;
    base64url_write((const uint8_t *)header, strlen(header), first);
    base64url_write((const uint8_t *)claims, strlen(claims), second);
    assert_true(asprintf(&text, "%s.%s", first, second) > 0);
    if (key) {
        EVP_MD_CTX *c = EVP_MD_CTX_new();
        bool big = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC && EVP_PKEY_get_bits(key) == 384;
        assert_int_equal(EVP_DigestSignInit(c, NULL, big ? EVP_sha384() : EVP_sha256(), NULL, key), 1);
        assert_int_equal(EVP_DigestSign(c, signature, &len, (uint8_t *)text, strlen(text)), 1);
        EVP_MD_CTX_free(c);
        if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
            len = ec_flatten(signature, len, big ? 48 : 32, flat);
            memcpy(signature, flat, len);
        }
    } else {
        unsigned n;
        assert_non_null(HMAC(EVP_sha256(), SECRET, 32, (uint8_t *)text, strlen(text), signature, &n));
        len = n;
    }
    base64url_write(signature, len, last);
    char *whole;
    assert_true(asprintf(&whole, "%s.%s", text, last) > 0);
    free(text);
    return whole;
}

static int check_with(const struct jwt_keys *keys, const char *allowed, const char *token, const char *nonce) {
    const char *items[] = {allowed};
    struct jwt_rules rules = {{items, 1}, "https://idp", "seine", nonce, 60, NOW};
    struct buf claims;
    struct err e = {0};
    buf_init(&claims, JWT_TEXT_MAX);
    int code = jwt_check(keys, &rules, span_text(token), &claims, &e);
    assert_true(code == 0 ? claims.len && span_byte(buf_span(&claims), 0) == '{' : claims.len == 0 && e.text[0]);
    buf_done(&claims);
    return code;
}

static int check_made(struct tools *t, EVP_PKEY *key, const char *header, const char *claims) {
    char *token = token_make(key, header, claims);
    int code = check_with(t->keys, "RS256", token, NULL);
    free(token);
    return code;
}

static void test_good(void **state) {
    struct tools *t = *state;
    assert_int_equal(check_made(t, t->rsa, "{\"alg\":\"RS256\",\"kid\":\"one\"}", "{" CLAIMS "}"), 0);
    assert_int_equal(check_made(t, t->rsa, "{\"alg\":\"RS256\"}", "{" CLAIMS "}"), 0);
    char *token = token_make(t->ec, "{\"alg\":\"ES256\"}", "{" CLAIMS "}");
    assert_int_equal(check_with(t->from_pem, "ES256", token, NULL), 0);
    assert_int_equal(check_with(t->from_pem, "RS256", token, NULL), -EPERM);
    assert_int_equal(check_with(t->keys, "ES256", token, NULL), -ENOKEY);
    free(token);
    token = token_make(NULL, "{\"alg\":\"HS256\"}", "{" CLAIMS "}");
    assert_int_equal(check_with(t->from_secret, "HS256", token, NULL), 0);
    free(token);
}

/* The key decides what it is for, never the token. */
static void test_confusion(void **state) {
    struct tools *t = *state;
    static const char *const headers[] = {
        "{\"alg\":\"none\"}", "{\"alg\":\"None\"}", "{\"alg\":\"\"}", "{\"alg\":null}", "{}", "{\"alg\":[\"RS256\"]}"};
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        char *token = token_make(t->rsa, headers[i], "{" CLAIMS "}");
        assert_true(check_with(t->keys, "RS256", token, NULL) < 0);
        assert_true(check_with(t->keys, "none", token, NULL) < 0);
        strrchr(token, '.')[1] = 0; /* no signature */
        assert_true(check_with(t->keys, "RS256", token, NULL) < 0);
        assert_true(check_with(t->keys, "none", token, NULL) < 0);
        free(token);
    }
    /* The symmetric key of a published set, and the public key as a secret. */
    char *token = token_make(NULL, "{\"alg\":\"HS256\",\"kid\":\"two\"}", "{" CLAIMS "}");
    assert_int_equal(check_with(t->keys, "HS256", token, NULL), -ENOKEY);
    assert_int_equal(check_with(t->keys, "RS256", token, NULL), -EPERM);
    free(token);
    token = token_make(NULL, "{\"alg\":\"RS256\",\"kid\":\"one\"}", "{" CLAIMS "}");
    assert_int_equal(check_with(t->keys, "RS256", token, NULL), -EKEYREJECTED);
    free(token);
    /* An algorithm other than the key says, a curve other than the algorithm says. */
    token = token_make(t->rsa, "{\"alg\":\"RS512\",\"kid\":\"one\"}", "{" CLAIMS "}");
    assert_int_equal(check_with(t->keys, "RS512", token, NULL), -ENOKEY);
    free(token);
    token = token_make(t->curve, "{\"alg\":\"ES384\"}", "{" CLAIMS "}");
    assert_int_equal(check_with(t->from_pem, "ES384", token, NULL), -ENOKEY);
    free(token);
    token = token_make(t->curve, "{\"alg\":\"ES256\"}", "{" CLAIMS "}");
    assert_int_equal(check_with(t->from_pem, "ES256", token, NULL), -EKEYREJECTED);
    free(token);
}

static void test_keys(void **state) {
    struct tools *t = *state;
    struct jwt_keys *none = NULL;
    static const char *const bad[] = {"",
                                      "{}",
                                      "[]",
                                      "{\"keys\":[]}",
                                      "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
                                      "{\"keys\":{}}",
                                      "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
                                      "{"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_true(jwt_keys_from_json(span_text(bad[i]), &none, NULL) < 0);
    }
    assert_int_equal(jwt_keys_from_pem(span_text("no PEM"), &none, NULL), -EINVAL);
    assert_int_equal(jwt_keys_from_secret("short", &none, NULL), -EINVAL);
    assert_int_equal(check_made(t, t->rsa, "{\"alg\":\"RS256\",\"kid\":\"enc\"}", "{" CLAIMS "}"), -ENOKEY);
    assert_int_equal(check_made(t, t->rsa, "{\"alg\":\"RS256\",\"kid\":\"small\"}", "{" CLAIMS "}"), -ENOKEY);
    assert_int_equal(check_made(t, t->other, "{\"alg\":\"RS256\",\"kid\":\"one\"}", "{" CLAIMS "}"), -EKEYREJECTED);
    assert_int_equal(check_made(t, t->rsa, "{\"alg\":\"RS256\",\"crit\":[\"b64\"],\"b64\":false}", "{" CLAIMS "}"),
                     -EBADMSG);
}

static void test_claims(void **state) {
    static const struct {
        const char *claims;
        int code;
    } cases[] = {
        {"{\"iss\":\"https://idp\",\"aud\":\"seine\"}", -EKEYEXPIRED},
        {"{\"iss\":\"https://idp\",\"aud\":\"seine\",\"exp\":1699999940}", -EKEYEXPIRED},
        {"{\"iss\":\"https://idp\",\"aud\":\"seine\",\"exp\":1699999941}", 0},
        {"{\"iss\":\"https://idp\",\"aud\":\"seine\",\"exp\":\"1700000300\"}", -EKEYEXPIRED},
        {"{\"iss\":\"https://idp\",\"aud\":\"seine\",\"exp\":1e400}", -EKEYEXPIRED},
        {"{" CLAIMS ",\"nbf\":1700000060}", 0},
        {"{" CLAIMS ",\"nbf\":1700000061}", -EKEYEXPIRED},
        {"{" CLAIMS ",\"iat\":1700000061}", -EKEYEXPIRED},
        {"{" CLAIMS ",\"nbf\":\"never\"}", -EKEYEXPIRED},
        {"{\"iss\":\"https://idp/\",\"aud\":\"seine\",\"exp\":1700000300}", -EACCES},
        {"{\"aud\":\"seine\",\"exp\":1700000300}", -EACCES},
        {"{\"iss\":\"https://idp\",\"aud\":\"other\",\"exp\":1700000300}", -EACCES},
        {"{\"iss\":\"https://idp\",\"exp\":1700000300}", -EACCES},
        {"{\"iss\":\"https://idp\",\"aud\":[\"other\",\"seine\"],\"exp\":1700000300}", 0},
        {"{\"iss\":\"https://idp\",\"aud\":[\"other\"],\"exp\":1700000300}", -EACCES},
        {"{\"iss\":\"https://idp\",\"aud\":{\"seine\":1},\"exp\":1700000300}", -EACCES},
        {"[1]", -EBADMSG},
        {"{\"iss\":", -EBADMSG},
    };
    struct tools *t = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(check_made(t, t->rsa, "{\"alg\":\"RS256\"}", cases[i].claims), cases[i].code);
    }
    char *token = token_make(t->rsa, "{\"alg\":\"RS256\"}", "{" CLAIMS ",\"nonce\":\"n1\",\"azp\":\"seine\"}");
    assert_int_equal(check_with(t->keys, "RS256", token, "n1"), 0);
    assert_int_equal(check_with(t->keys, "RS256", token, "n2"), -EACCES);
    free(token);
    token = token_make(t->rsa, "{\"alg\":\"RS256\"}", "{" CLAIMS ",\"nonce\":\"n1\",\"azp\":\"other\"}");
    assert_int_equal(check_with(t->keys, "RS256", token, "n1"), -EACCES);
    free(token);
    token = token_make(t->rsa, "{\"alg\":\"RS256\"}", "{" CLAIMS "}");
    assert_int_equal(check_with(t->keys, "RS256", token, "n1"), -EACCES);
    /* A bit anywhere in what is signed, or in the signature. */
    for (size_t i = 0, last = strlen(token) - 1; i < last; i += 7) {
        char kept = token[i];
        token[i] = kept == 'A' ? 'B' : 'A';
        assert_true(check_with(t->keys, "RS256", token, NULL) < 0);
        token[i] = kept;
    }
    free(token);
    static const char *const none[] = {"", ".", "..", "a.b.c", "....", "e30.e30.", "e30.e30.e30"};
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        assert_true(check_with(t->keys, "RS256", none[i], NULL) < 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_claims),
    };
    return cmocka_run_group_tests(tests, tools_make, tools_done);
}
