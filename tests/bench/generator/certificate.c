/*
 * Certificates (RFC 5280) made by libcrypto, the same ones for the same seed. Keys therefore must not come from
 * libcrypto's own random numbers: an authority's RSA primes are searched from ours, and a server's public key is a
 * number that only looks like an RSA modulus, or a point of P-256 from a private number of ours. Signatures are RSA
 * PKCS #1 v1.5, which are deterministic, and right.
 */
#include "certificate.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUTHORITIES 4
#define SERVERS 320

static const char *const organizations[AUTHORITIES] = {"Benchmark Trust Services", "Example Encryption Group",
                                                       "Sample Sign Limited", "Company Internal CA"};

/* A prime of `bytes` bytes with both top bits set, from our random numbers. */
static BIGNUM *prime_make(struct random *r, int bytes, BN_CTX *ctx) {
    uint8_t raw[256];
    random_fill(r, raw, (size_t)bytes);
    raw[0] |= 0xc0;
    raw[bytes - 1] |= 1;
    BIGNUM *p = BN_bin2bn(raw, bytes, NULL);
    while (p != NULL && BN_check_prime(p, ctx, NULL) == 0) {
        if (BN_add_word(p, 2) == 0) {
            BN_free(p);
            return NULL;
        }
    }
    return p;
}

static EVP_PKEY *key_from_parameters(const char *type, OSSL_PARAM_BLD *build, int selection) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (parameters == NULL || ctx == NULL || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &key, selection, parameters) <= 0) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(parameters);
    return key;
}

/* n = p·q, d = 1/e modulo (p-1)(q-1). */
static EVP_PKEY *authority_key(struct random *r) {
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = ctx != NULL ? prime_make(r, 128, ctx) : NULL;
    BIGNUM *q = p != NULL ? prime_make(r, 128, ctx) : NULL;
    BIGNUM *n = BN_new();
    BIGNUM *d = BN_new();
    BIGNUM *e = BN_new();
    BIGNUM *phi = BN_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (q != NULL && n != NULL && d != NULL && e != NULL && phi != NULL && build != NULL && BN_set_word(e, 65537) &&
        BN_mul(n, p, q, ctx) && BN_sub(phi, n, p) && BN_sub(phi, phi, q) && BN_add_word(phi, 1) &&
        BN_mod_inverse(d, e, phi, ctx) != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d)) {
        key = key_from_parameters("RSA", build, EVP_PKEY_KEYPAIR);
    }
    OSSL_PARAM_BLD_free(build);
    BN_free(p);
    BN_free(q);
    BN_free(n);
    BN_clear_free(d);
    BN_free(e);
    BN_free(phi);
    BN_CTX_free(ctx);
    return key;
}

static EVP_PKEY *rsa_public_key(struct random *r) {
    uint8_t raw[256];
    random_fill(r, raw, sizeof raw);
    raw[0] |= 0x80;
    raw[255] |= 1;
    BIGNUM *n = BN_bin2bn(raw, sizeof raw, NULL);
    BIGNUM *e = BN_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (n != NULL && e != NULL && build != NULL && BN_set_word(e, 65537) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e)) {
        key = key_from_parameters("RSA", build, EVP_PKEY_PUBLIC_KEY);
    }
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

static EVP_PKEY *ec_public_key(struct random *r) {
    uint8_t raw[32];
    random_fill(r, raw, sizeof raw);
    raw[0] = 0x1f; /* below the order of the group */
    uint8_t point[65];
    BIGNUM *d = BN_bin2bn(raw, sizeof raw, NULL);
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *public = group != NULL ? EC_POINT_new(group) : NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY *key = NULL;
    if (d != NULL && public != NULL && build != NULL && EC_POINT_mul(group, public, d, NULL, NULL, NULL) &&
        EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, NULL) == sizeof point &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point)) {
        key = key_from_parameters("EC", build, EVP_PKEY_PUBLIC_KEY);
    }
    OSSL_PARAM_BLD_free(build);
    EC_POINT_free(public);
    EC_GROUP_free(group);
    BN_free(d);
    return key;
}

static bool name_add(X509_NAME *name, const char *field, const char *text) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool extension_add(X509 *x, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool ok = extension != NULL && X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return ok;
}

/* What both kinds of certificate have: version, serial number, times, key. */
static bool certificate_begin(X509 *x, EVP_PKEY *key, struct random *r, int64_t from, int64_t days) {
    uint8_t raw[16];
    random_fill(r, raw, sizeof raw);
    raw[0] = (uint8_t)(raw[0] & 0x7f) | 1;
    BIGNUM *serial = BN_bin2bn(raw, sizeof raw, NULL);
    bool ok = serial != NULL && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) != NULL &&
              X509_set_version(x, X509_VERSION_3) && X509_set_pubkey(x, key) &&
              ASN1_TIME_set(X509_getm_notBefore(x), (time_t)from) != NULL &&
              ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(from + days * 86400)) != NULL;
    BN_free(serial);
    return ok;
}

static int certificate_store(X509 *x, struct certificate *ret_certificate) {
    uint8_t *der = NULL;
    int length = i2d_X509(x, &der);
    if (length <= 0) {
        return -EIO;
    }
    ret_certificate->bytes = malloc((size_t)length);
    if (ret_certificate->bytes != NULL) {
        memcpy(ret_certificate->bytes, der, (size_t)length);
        ret_certificate->length = (uint32_t)length;
    }
    OPENSSL_free(der);
    return ret_certificate->bytes != NULL ? 0 : -ENOMEM;
}

static X509 *authority_make(struct random *r, EVP_PKEY *key, uint32_t n) {
    char common[80];
    snprintf(common, sizeof common, "%s TLS Issuing CA %u", organizations[n], n + 1);
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();
    bool ok = x != NULL && name != NULL && certificate_begin(x, key, r, 1577836800 + (int64_t)n * 864000, 3650) &&
              name_add(name, "C", n == 3 ? "DE" : "US") && name_add(name, "O", organizations[n]) &&
              name_add(name, "CN", common) && X509_set_subject_name(x, name) && X509_set_issuer_name(x, name) &&
              extension_add(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
              extension_add(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              extension_add(x, x, NID_subject_key_identifier, "hash") && X509_sign(x, key, EVP_sha256()) > 0;
    X509_NAME_free(name);
    if (!ok) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static X509 *server_make(const struct world *w, struct random *r, X509 *issuer, EVP_PKEY *issuer_key, uint32_t n) {
    char domain[WORLD_NAME];
    char host[WORLD_NAME];
    char names[4 * WORLD_NAME];
    char organization[WORLD_NAME];
    world_domain(w, n, domain);
    world_host(w, n, host);
    snprintf(names, sizeof names, "DNS:%s,DNS:%s,DNS:*.%s", host, domain, domain);
    snprintf(organization, sizeof organization, "%s %s GmbH", world_word(n * 7), world_word(n * 13 + 5));
    EVP_PKEY *key = n % 3 == 0 ? ec_public_key(r) : rsa_public_key(r);
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();
    bool ok = key != NULL && x != NULL && name != NULL &&
              certificate_begin(x, key, r, 1690000000 + random_below(r, 8000000), n % 2 ? 90 : 397);
    if (ok && n % 2 == 0) {
        ok = name_add(name, "C", "DE") && name_add(name, "L", "Hamburg") && name_add(name, "O", organization);
    }
    ok = ok && name_add(name, "CN", host) && X509_set_subject_name(x, name) &&
         X509_set_issuer_name(x, X509_get_subject_name(issuer)) &&
         extension_add(x, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
         extension_add(x, issuer, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
         extension_add(x, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
         extension_add(x, issuer, NID_subject_alt_name, names) &&
         extension_add(x, issuer, NID_authority_key_identifier, "keyid") && X509_sign(x, issuer_key, EVP_sha256()) > 0;
    X509_NAME_free(name);
    EVP_PKEY_free(key);
    if (!ok) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static int authorities_make(struct world *w, struct random *r, EVP_PKEY **keys, X509 **issuers) {
    for (uint32_t i = 0; i < AUTHORITIES; i++) {
        keys[i] = authority_key(r);
        issuers[i] = keys[i] != NULL ? authority_make(r, keys[i], i) : NULL;
        int error = issuers[i] != NULL ? certificate_store(issuers[i], &w->authorities[i]) : -EIO;
        if (error < 0) {
            return error;
        }
        w->authority_count++;
    }
    return 0;
}

static int servers_make(struct world *w, struct random *r, EVP_PKEY **keys, X509 **issuers) {
    for (uint32_t n = 0; n < SERVERS; n++) {
        uint32_t issuer = n % AUTHORITIES;
        X509 *x = server_make(w, r, issuers[issuer], keys[issuer], n);
        int error = x != NULL ? certificate_store(x, &w->certificates[n]) : -EIO;
        X509_free(x);
        if (error < 0) {
            return error;
        }
        w->certificates[n].issuer = issuer;
        w->certificate_count++;
    }
    return 0;
}

int certificates_make(struct world *w) {
    struct random r;
    random_init(&r, w->seed ^ 0x63657274);
    EVP_PKEY *keys[AUTHORITIES] = {NULL};
    X509 *issuers[AUTHORITIES] = {NULL};
    w->authorities = calloc(AUTHORITIES, sizeof *w->authorities);
    w->certificates = calloc(SERVERS, sizeof *w->certificates);
    int error = w->authorities != NULL && w->certificates != NULL ? 0 : -ENOMEM;
    if (error == 0) {
        error = authorities_make(w, &r, keys, issuers);
    }
    if (error == 0) {
        error = servers_make(w, &r, keys, issuers);
    }
    for (uint32_t i = 0; i < AUTHORITIES; i++) {
        X509_free(issuers[i]);
        EVP_PKEY_free(keys[i]);
    }
    return error;
}
