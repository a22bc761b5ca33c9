/* test_cert.c: certificates made here by OpenSSL, read by the dissector as they come in a TLS handshake. */
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "dissect_run.h"
#include "tls_build.h"

#define PORT 443
#define BUILD_MAX ((size_t)1 << 20)
#define DER_MAX 65536

enum { NAME_MAX_PARTS = 8 };

/* A certificate to make. Names: triples of field, ASN.1 type and text. */
struct wish {
    struct part {
        const char *field;
        int type;
        const char *text;
    } subject[NAME_MAX_PARTS], issuer[NAME_MAX_PARTS]; /* issuer empty = the subject */
    EVP_PKEY *key;
    const char *serial;    /* decimal */
    const char *from, *to; /* as ASN1_TIME_set_string takes them */
    const char *constraints, *usage, *alt;
    const unsigned char *raw_alt; /* body of the extension */
    int raw_alt_len;
};

struct made {
    unsigned char der[DER_MAX];
    size_t len;
    char hash[64];
};

static int setup(void **state) {
    struct dissect_run *r = malloc(sizeof(struct dissect_run));
    run_init(r, NULL);
    *state = r;
    return 0;
}

static int teardown(void **state) {
    run_done(*state);
    free(*state);
    return 0;
}

static EVP_PKEY *key_ec(const char *curve) {
    EVP_PKEY *key = EVP_EC_gen(curve);
    assert_non_null(key);
    return key;
}

static void fill_name(X509_NAME *name, const struct part *parts) {
    for (size_t i = 0; i < NAME_MAX_PARTS && parts[i].field; i++) {
        const char *text = parts[i].text;
        int len = parts[i].type == V_ASN1_BMPSTRING ? 4 : -1;
        assert_int_equal(
            X509_NAME_add_entry_by_txt(name, parts[i].field, parts[i].type, (const unsigned char *)text, len, -1, 0),
            1);
    }
}

static void add_extension(X509 *x, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static void add_raw_extension(X509 *x, const struct wish *w) {
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(data, w->raw_alt, w->raw_alt_len), 1);
    X509_EXTENSION *ext = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, data);
    assert_int_equal(X509_add_ext(x, ext, -1), 1);
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(data);
}

static void make(struct made *m, const struct wish *w) {
    X509 *x = X509_new();
    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    BIGNUM *serial = NULL;
    assert_true(BN_dec2bn(&serial, w->serial ? w->serial : "1") > 0);
    assert_non_null(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)));
    BN_free(serial);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notBefore(x), w->from ? w->from : "231114221320Z"), 1);
    assert_int_equal(ASN1_TIME_set_string(X509_getm_notAfter(x), w->to ? w->to : "241113221320Z"), 1);
    fill_name(X509_get_subject_name(x), w->subject);
    fill_name(X509_get_issuer_name(x), w->issuer[0].field ? w->issuer : w->subject);
    assert_int_equal(X509_set_pubkey(x, w->key), 1);
    if (w->constraints) {
        add_extension(x, NID_basic_constraints, w->constraints);
    }
    if (w->usage) {
        add_extension(x, NID_key_usage, w->usage);
    }
    if (w->alt) {
        add_extension(x, NID_subject_alt_name, w->alt);
    }
    if (w->raw_alt) {
        add_raw_extension(x, w);
    }
    int kind = EVP_PKEY_get_base_id(w->key);
    bool signs = kind != EVP_PKEY_X25519 && kind != EVP_PKEY_DH;
    EVP_PKEY *signer = signs ? w->key : key_ec("P-256");
    assert_true(X509_sign(x, signer, kind == EVP_PKEY_ED25519 || kind == EVP_PKEY_ED448 ? NULL : EVP_sha256()) > 0);
    if (!signs) {
        EVP_PKEY_free(signer);
    }
    unsigned char *to = m->der, digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int size = i2d_X509(x, NULL);
    assert_true(size > 0 && size < DER_MAX);
    m->len = (size_t)i2d_X509(x, &to);
    assert_int_equal(X509_digest(x, EVP_sha1(), digest, &len), 1);
    for (unsigned i = 0; i < len; i++) {
        assert_true(snprintf(m->hash + 3 * i, 4, "%02x:", digest[i]) == 3);
    }
    m->hash[59] = 0;
    X509_free(x);
}

/* The document of a session whose server shows these certificates. */
static const char *show(struct dissect_run *r, const struct span *ders, size_t count) {
    struct buf messages, records;
    buf_init(&messages, BUILD_MAX);
    buf_init(&records, BUILD_MAX);
    struct hello h = {.version = 0x0303, .session_id = "", LIST(0xc02f)};
    build_server_hello(&messages, &h);
    build_certificate(&messages, ders, count);
    build_records(&records, 22, buf_span(&messages), 0);
    struct said said = {1, buf_span(&records)};
    const char *doc = run_talk(r, PORT, &said, 1, 0);
    buf_done(&messages);
    buf_done(&records);
    return doc;
}

static const char *show_one(struct dissect_run *r, const struct made *m) {
    struct span der = span_make(m->der, m->len);
    return show(r, &der, 1);
}

static void test_every_field(void **state) {
    EVP_PKEY *key = EVP_RSA_gen(2048);
    struct made m;
    struct wish w = {
        .key = key,
        .serial = "65282", /* first bit set: a zero octet stands before it */
        .subject = {{"C", MBSTRING_ASC, "DE"},
                    {"O", MBSTRING_UTF8,
                     "Stra\xc3\x9f"
                     "enbau"},
                    {"OU", MBSTRING_ASC, "One"},
                    {"OU", MBSTRING_ASC, "Two"},
                    {"CN", MBSTRING_ASC, "WWW.Example.org"}},
        .issuer = {{"O", MBSTRING_ASC, "Trust Us"},
                   {"OU", MBSTRING_ASC, "Unit"},
                   {"CN", MBSTRING_ASC, "Root Of Trust"}},
        .constraints = "CA:FALSE",
        .usage = "digitalSignature",
        .alt = "DNS:www.Example.org,DNS:*.example.org,IP:192.0.2.7,IP:2001:db8::1,email:a@example.org,URI:spiffe://x/y",
    };
    make(&m, &w);
    const char *doc = show_one(*state, &m);
    char want[128];
    assert_true(snprintf(want, sizeof(want), "\"hash\":\"%s\"", m.hash) > 0);
    assert_has(doc, want);
    assert_has(doc, "\"certCnt\":1");
    assert_has(doc, "\"publicAlgorithm\":\"rsaEncryption\"");
    assert_lacks(doc, "\"curve\"");
    assert_has(doc, "\"serial\":\"00ff02\"");
    assert_has(doc, "\"subjectCN\":[\"www.example.org\"]");
    assert_has(doc, "\"subjectON\":[\"Stra\xc3\x9f"
                    "enbau\"]");
    assert_has(doc, "\"subjectOU\":[\"One\",\"Two\"]");
    assert_has(doc, "\"issuerCN\":[\"root of trust\"]");
    assert_has(doc, "\"issuerON\":[\"Trust Us\"]");
    assert_has(doc, "\"issuerOU\":[\"Unit\"]");
    assert_has(doc, "\"alt\":[\"www.example.org\",\"*.example.org\",\"192.0.2.7\",\"2001:db8::1\",\"a@example.org\","
                    "\"spiffe://x/y\"],\"altCnt\":6");
    /* The session begins at RUN_TIME, which is the certificate's first second. */
    assert_has(doc, "\"notBefore\":1700000000000");
    assert_has(doc, "\"notAfter\":1731536000000");
    assert_has(doc, "\"validSeconds\":31536000");
    assert_has(doc, "\"validDays\":365");
    assert_has(doc, "\"remainingSeconds\":31536000");
    assert_has(doc, "\"remainingDays\":365");
    assert_lacks(doc, "cert:");
    EVP_PKEY_free(key);
}

static void test_dates(void **state) {
    EVP_PKEY *key = key_ec("P-256");
    struct made m;
    struct wish w = {
        .key = key, .subject = {{"CN", MBSTRING_ASC, "x"}}, .from = "700101000000Z", .to = "231114221319Z"};
    make(&m, &w);
    const char *doc = show_one(*state, &m);
    assert_has(doc, "\"notBefore\":0,");
    assert_has(doc, "\"notAfter\":1699999999000");
    assert_has(doc, "\"remainingDays\":0");
    assert_has(doc, "\"remainingSeconds\":0");

    w.from = "20520229235959Z";
    w.to = "99991231235959Z";
    make(&m, &w);
    doc = show_one(*state, &m);
    assert_has(doc, "\"notBefore\":2592863999000");
    assert_has(doc, "\"notAfter\":253402300799000");
    EVP_PKEY_free(key);
}

static void expect_key(struct dissect_run *r, EVP_PKEY *key, const char *algorithm, const char *curve) {
    struct made m;
    struct wish w = {.key = key, .subject = {{"CN", MBSTRING_ASC, "x"}}};
    make(&m, &w);
    const char *doc = show_one(r, &m);
    char want[80];
    assert_true(snprintf(want, sizeof(want), "\"publicAlgorithm\":\"%s\"", algorithm) > 0);
    assert_has(doc, want);
    if (curve) {
        assert_true(snprintf(want, sizeof(want), "\"curve\":\"%s\"", curve) > 0);
        assert_has(doc, want);
    } else {
        assert_lacks(doc, "\"curve\"");
    }
    EVP_PKEY_free(key);
}

static void test_keys(void **state) {
    expect_key(*state, key_ec("P-256"), "id-ecPublicKey", "prime256v1");
    expect_key(*state, key_ec("P-384"), "id-ecPublicKey", "secp384r1");
    expect_key(*state, key_ec("P-521"), "id-ecPublicKey", "secp521r1");
    expect_key(*state, key_ec("secp256k1"), "id-ecPublicKey", "secp256k1");
    expect_key(*state, key_ec("brainpoolP512t1"), "id-ecPublicKey", "brainpoolP512t1");
    expect_key(*state, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "ED25519", NULL);
    expect_key(*state, EVP_PKEY_Q_keygen(NULL, NULL, "ED448"), "ED448", NULL);
    expect_key(*state, EVP_PKEY_Q_keygen(NULL, NULL, "X25519"), "X25519", NULL);
    /* Curve parameters spelt out instead of named. */
    EVP_PKEY *key = key_ec("P-384");
    assert_int_equal(EVP_PKEY_set_utf8_string_param(key, "encoding", "explicit"), 1);
    expect_key(*state, key, "id-ecPublicKey", "corrupt");
}

/* Changes the bytes `from` in the certificate to `to`, in their last place. */
static void patch(struct made *m, struct span from, struct span to) {
    size_t at = SPAN_NONE;
    for (size_t i = 0; i + from.len <= m->len; i++) {
        if (memcmp(m->der + i, from.at, from.len) == 0) {
            at = i;
        }
    }
    assert_true(at != SPAN_NONE);
    memcpy(m->der + at, to.at, to.len);
}

/* Identifiers nobody knows are written with dots. */
static void test_unknown_identifiers(void **state) {
    struct made m;
    struct wish w = {.key = key_ec("P-256"), .subject = {{"CN", MBSTRING_ASC, "x"}}};
    make(&m, &w);
    patch(&m, SPAN_LITERAL("\x2a\x86\x48\xce\x3d\x03\x01\x07"), SPAN_LITERAL("\x2a\x86\x48\xce\x3d\x03\x01\x7f"));
    assert_has(show_one(*state, &m), "\"curve\":\"1.2.840.10045.3.1.127\"");
    make(&m, &w);
    patch(&m, SPAN_LITERAL("\x2a\x86\x48\xce\x3d\x02\x01"), SPAN_LITERAL("\x2a\x86\x48\xce\x3d\x02\x55"));
    const char *doc = show_one(*state, &m);
    assert_has(doc, "\"publicAlgorithm\":\"1.2.840.10045.2.85\"");
    assert_lacks(doc, "\"curve\"");
    EVP_PKEY_free(w.key);
}

static void expect_tag(struct dissect_run *r, const struct wish *w, const char *tag) {
    struct made m;
    make(&m, w);
    const char *doc = show_one(r, &m);
    if (tag) {
        assert_has(doc, tag);
        assert_has(doc, "\"tagsCnt\":1");
    } else {
        assert_lacks(doc, "\"tags\"");
    }
}

static void test_tags(void **state) {
    EVP_PKEY *key = key_ec("P-256");
    struct part cn = {"CN", MBSTRING_ASC, "x"}, other = {"CN", MBSTRING_ASC, "y"}, on = {"O", MBSTRING_ASC, "Org"};
    struct wish w = {.key = key, .subject = {cn, on}};
    expect_tag(*state, &w, "\"cert:self-signed\"");
    w.constraints = "CA:TRUE"; /* says so, but its key is not for signing certificates */
    expect_tag(*state, &w, "\"cert:self-signed\"");
    w.usage = "digitalSignature,keyCertSign";
    expect_tag(*state, &w, "\"cert:certificate-authority\"");
    w.constraints = "critical,CA:TRUE,pathlen:0";
    w.usage = "critical,cRLSign,keyCertSign";
    expect_tag(*state, &w, "\"cert:certificate-authority\"");
    w.constraints = "CA:FALSE";
    expect_tag(*state, &w, "\"cert:self-signed\"");
    w = (struct wish){.key = key, .subject = {cn, on}, .issuer = {cn}};
    expect_tag(*state, &w, NULL);
    w = (struct wish){.key = key, .subject = {cn}, .issuer = {other}};
    expect_tag(*state, &w, NULL);
    w = (struct wish){.key = key, .subject = {cn, other}};
    expect_tag(*state, &w, NULL);
    w = (struct wish){.key = key, .subject = {on}};
    expect_tag(*state, &w, NULL);

    /* Only the speaker's own certificate can be called self-signed; the roots it may send along all are. */
    struct made leaf, root;
    w = (struct wish){.key = key, .subject = {cn}, .issuer = {other}};
    make(&leaf, &w);
    w = (struct wish){.key = key, .subject = {other}};
    make(&root, &w);
    struct span ders[] = {span_make(leaf.der, leaf.len), span_make(root.der, root.len), span_make(leaf.der, leaf.len)};
    const char *doc = show(*state, ders, ARRAY_LEN(ders));
    assert_has(doc, "\"certCnt\":2");
    assert_lacks(doc, "\"tags\"");
    EVP_PKEY_free(key);
}

static void test_alt_names(void **state) {
    /* Two good ones around each kind of bad one: empty, with NUL, with a high byte, an address of five bytes. */
    static const unsigned char raw[] = "\x30\x1c\x82\x01\x61\x82\x00\x82\x03\x62\x00\x63\x82\x02\x64\xe4"
                                       "\x87\x05\x01\x02\x03\x04\x05\x88\x01\x2a\x82\x02\x5a\x7a";
    EVP_PKEY *key = key_ec("P-256");
    struct wish w = {.key = key,
                     .subject = {{"CN", MBSTRING_ASC, "x"}},
                     .issuer = {{"CN", MBSTRING_ASC, "y"}},
                     .raw_alt = raw,
                     .raw_alt_len = sizeof(raw) - 1};
    struct made m;
    make(&m, &w);
    const char *doc = show_one(*state, &m);
    assert_has(doc, "\"alt\":[\"a\",\"zz\"],\"altCnt\":2");
    assert_has(doc, "\"tags\":[\"bad-altname\"]");
    EVP_PKEY_free(key);
}

static void test_wide_text(void **state) {
    EVP_PKEY *key = key_ec("P-256");
    struct wish w = {.key = key, .subject = {{"O", V_ASN1_BMPSTRING, "\x00\xdf\x20\xac"}}};
    struct made m;
    make(&m, &w);
    assert_has(show_one(*state, &m), "\"subjectON\":[\"\xc3\x9f\xe2\x82\xac\"]");
    EVP_PKEY_free(key);
}

/* Every prefix of a certificate, and every byte of it changed, must be survived (the sanitizers look on). */
static void test_damage(void **state) {
    EVP_PKEY *key = key_ec("P-256");
    struct wish w = {.key = key,
                     .subject = {{"CN", MBSTRING_ASC, "x"}, {"O", V_ASN1_BMPSTRING, "\x20\xac\x20\xad"}},
                     .constraints = "CA:TRUE",
                     .usage = "keyCertSign",
                     .alt = "DNS:a.example,IP:192.0.2.7"};
    struct made m;
    make(&m, &w);
    patch(&m, SPAN_LITERAL("\x20\xac\x20\xad"), SPAN_LITERAL("\xd8\x3d\xde\x00")); /* outside the first plane */
    assert_has(show_one(*state, &m), "\"subjectON\":[\"\xf0\x9f\x98\x80\"]");
    for (size_t i = 0; i < m.len; i++) {
        struct span cut = span_make(m.der, i);
        assert_has(show(*state, &cut, 1), "\"tls\"");
        for (unsigned bit = 0; bit < 8; bit += 7) {
            m.der[i] ^= (unsigned char)(1u << bit);
            assert_has(show_one(*state, &m), "\"cert\"");
            m.der[i] ^= (unsigned char)(1u << bit);
        }
    }
    EVP_PKEY_free(key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_field, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_identifiers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_alt_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wide_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
    };
    return cmocka_run_group_tests_name("cert", tests, NULL, NULL);
}
