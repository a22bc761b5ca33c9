/* test_tls.c: the TLS dissector on handshakes built here: fingerprints against published values, versions, record and
 * segment boundaries wherever they may fall, and where the session is let go. */
#include <openssl/evp.h>

#include "dissect_run.h"
#include "tls_build.h"

#define PORT 443
#define BUILD_MAX ((size_t)1 << 20)

struct conversation {
    struct buf parts[8];
    struct said said[8];
    size_t count;
};

static const char *const all_strings[] = {"ja3Strings=true", "ja4Raw=true", NULL};

static int setup(void **state) {
    static const size_t size = sizeof(struct dissect_run);
    struct dissect_run *r = malloc(size);
    run_init(r, all_strings);
    *state = r;
    return 0;
}

static int teardown(void **state) {
    run_done(*state);
    free(*state);
    return 0;
}

/* A new part, said by `side`; written into by the caller before conversation_run. */
static struct buf *part(struct conversation *c, uint8_t side) {
    assert_true(c->count < ARRAY_LEN(c->parts));
    c->said[c->count].side = side;
    buf_init(&c->parts[c->count], BUILD_MAX);
    return &c->parts[c->count++];
}

static void handshake(struct conversation *c, uint8_t side, const struct buf *messages, size_t most) {
    build_records(part(c, side), 22, buf_span(messages), most);
}

static const char *conversation_run(struct dissect_run *r, struct conversation *c) {
    for (size_t i = 0; i < c->count; i++) {
        assert_false(c->parts[i].overflowed);
        c->said[i].bytes = buf_span(&c->parts[i]);
    }
    const char *text = run_every_cut(r, PORT, c->said, c->count);
    for (size_t i = 0; i < c->count; i++) {
        buf_done(&c->parts[i]);
    }
    return text;
}

/* One hello alone. */
static const char *run_client_hello(struct dissect_run *r, const struct hello *h) {
    struct conversation c = {0};
    struct buf b;
    buf_init(&b, BUILD_MAX);
    build_client_hello(&b, h);
    handshake(&c, 0, &b, 0);
    buf_done(&b);
    return conversation_run(r, &c);
}

/* The examples of the JA3 project's description. */
static void test_ja3_published(void **state) {
    struct buf ext;
    buf_init(&ext, BUILD_MAX);
    ext_name(&ext, "WWW.Example.org");
    ext_list(&ext, 10, 2, LIST(23, 24, 25));
    ext_formats(&ext);
    struct hello h = {.version = 0x0301,
                      .session_id = "",
                      LIST(47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4),
                      .extensions = &ext};
    const char *doc = run_client_hello(*state, &h);
    assert_has(doc, "\"ja3string\":[\"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0\"]");
    assert_has(doc, "\"ja3\":[\"ada70206e40642a3e4461f35503241d5\"],\"ja3Cnt\":1");
    assert_has(doc, "\"host\":[\"www.example.org\"]");
    assert_has(doc, "\"protocol\":[\"tls\"]");
    buf_done(&ext);

    struct hello none = {.version = 0x0301, .session_id = "", LIST(4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99)};
    doc = run_client_hello(*state, &none);
    assert_has(doc, "\"ja3string\":[\"769,4-5-10-9-100-98-3-6-19-18-99,,,\"]");
    assert_has(doc, "\"ja3\":[\"de350869b8c85de67a350c8d186f11e6\"]");
    assert_has(doc, "\"ja4_r\":[\"t10i110000_0003,0004,0005,0006,0009,000a,0012,0013,0062,0063,0064_\"]");
    assert_has(doc, "_000000000000\"]");
    assert_lacks(doc, "srcSessionId");
}

/* The example of the JA4 description; GREASE in every list must not be seen. */
static void test_ja4_published(void **state) {
    struct buf ext;
    buf_init(&ext, BUILD_MAX);
    ext_empty(&ext, 0x3a3a);
    ext_empty(&ext, 0x001b);
    ext_name(&ext, "cloudflare.com");
    ext_list(&ext, 0x0033, 2, LIST(0x2a2a, 29));
    ext_alpn(&ext, "h2", "http/1.1");
    ext_empty(&ext, 0x4469);
    ext_empty(&ext, 0x0017);
    ext_empty(&ext, 0x002d);
    ext_list(&ext, 0x000d, 2, LIST(0x0a0a, 0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601));
    ext_empty(&ext, 0x0005);
    ext_empty(&ext, 0x0023);
    ext_empty(&ext, 0x0012);
    ext_list(&ext, 0x002b, 1, LIST(0x6a6a, 0x0304, 0x0303));
    ext_empty(&ext, 0xff01);
    ext_formats(&ext);
    ext_list(&ext, 0x000a, 2, LIST(0x9a9a, 29, 23, 24));
    ext_empty(&ext, 0x0015);
    struct hello h = {.version = 0x0303,
                      .session_id = "ABCD",
                      LIST(0x8a8a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
                           0xc014, 0x009c, 0x009d, 0x002f, 0x0035),
                      .extensions = &ext};
    const char *doc = run_client_hello(*state, &h);
    assert_has(doc, "\"ja4\":[\"t13d1516h2_8daaf6152771_e5627efa2ab1\"],\"ja4Cnt\":1");
    assert_has(doc,
               "\"ja4_r\":[\"t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9_"
               "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_"
               "0403,0804,0401,0503,0805,0501,0806,0601\"]");
    assert_has(doc, "\"ja3string\":[\"771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-47-53,"
                    "27-0-51-16-17513-23-45-13-5-35-18-43-65281-11-10-21,29-23-24,0\"]");
    assert_has(doc, "\"srcSessionId\":[\"41424344\"]");
    assert_lacks(doc, "\"version\"");
    buf_done(&ext);
}

static void expect_ja4_head(struct dissect_run *r, uint16_t version, const char *alpn, const char *head) {
    struct buf ext;
    buf_init(&ext, BUILD_MAX);
    if (alpn) {
        ext_alpn(&ext, alpn, "http/1.1");
    }
    struct hello h = {.version = version, .session_id = "", LIST(0x1301), .extensions = &ext};
    char want[40];
    assert_true(snprintf(want, sizeof(want), "\"ja4\":[\"%s_", head) > 0);
    assert_has(run_client_hello(r, &h), want);
    buf_done(&ext);
}

static void test_ja4_heads(void **state) {
    expect_ja4_head(*state, 0x0303, NULL, "t12i010000");
    expect_ja4_head(*state, 0x0300, NULL, "ts3i010000");
    expect_ja4_head(*state, 0x0302, "H2", "t11i0101H2");
    expect_ja4_head(*state, 0x0304, "http/1.0", "t13i0101h0");
    expect_ja4_head(*state, 0x7f12, "x", "t00i0101xx");
    expect_ja4_head(*state, 0x0301, "\xab", "t10i0101ab");
    expect_ja4_head(*state, 0x0301, "\x30\xab", "t10i01013b");
    expect_ja4_head(*state, 0x0301, "a-", "t10i01016d");
}

/* Digest by OpenSSL itself, `digits` hexadecimal digits of it. */
static void digest_text(const char *algorithm, const char *text, char *ret, size_t digits) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    size_t len = 0;
    assert_int_equal(EVP_Q_digest(NULL, algorithm, NULL, text, strlen(text), digest, &len), 1);
    for (size_t i = 0; i < digits / 2; i++) {
        assert_int_equal(snprintf(ret + 2 * i, 3, "%02x", digest[i]), 2);
    }
}

static int compare_numbers(const void *a, const void *b) {
    return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

/* More than 99 of anything is 99; thousands of ciphers are sorted all the same. */
static void test_many_ciphers(void **state) {
    uint16_t ciphers[5000];
    size_t count = 0;
    for (uint32_t i = 1; count < ARRAY_LEN(ciphers); i++) {
        uint16_t value = (uint16_t)(i * 40503u);
        if ((value & 0x0f0f) != 0x0a0a) {
            ciphers[count++] = value;
        }
    }
    struct buf ext;
    buf_init(&ext, BUILD_MAX);
    for (uint16_t type = 100; type < 300; type++) {
        ext_empty(&ext, type);
    }
    struct hello h = {0x0303, "", ciphers, ARRAY_LEN(ciphers), &ext, false};
    const char *doc = run_client_hello(*state, &h);

    struct buf text;
    buf_init(&text, BUILD_MAX);
    qsort(ciphers, ARRAY_LEN(ciphers), sizeof(ciphers[0]), compare_numbers);
    for (size_t i = 0; i < ARRAY_LEN(ciphers); i++) {
        buf_printf(&text, "%s%04x", i ? "," : "", ciphers[i]);
    }
    buf_add_byte(&text, 0);
    char hash[13], want[64];
    digest_text("SHA256", (const char *)text.data, hash, 12);
    assert_true(snprintf(want, sizeof(want), "\"ja4\":[\"t12i999900_%s_", hash) > 0);
    assert_has(doc, want);
    buf_done(&text);
    buf_done(&ext);
}

static void test_server_hello(void **state) {
    struct buf ext, client, server;
    buf_init(&ext, BUILD_MAX);
    buf_init(&client, BUILD_MAX);
    buf_init(&server, BUILD_MAX);
    struct hello ch = {.version = 0x0303, .session_id = "", LIST(0xc02f, 47)};
    build_client_hello(&client, &ch);
    ext_empty(&ext, 65281);
    ext_empty(&ext, 0);
    ext_formats(&ext);
    ext_empty(&ext, 35);
    ext_empty(&ext, 5);
    ext_alpn(&ext, "h2", NULL);
    struct hello sh = {
        .version = 0x0301, .session_id = "0123456789abcdef0123456789abcdef", LIST(47), .extensions = &ext};
    build_server_hello(&server, &sh);
    struct conversation c = {0};
    handshake(&c, 0, &client, 0);
    handshake(&c, 1, &server, 0);
    const char *doc = conversation_run(*state, &c);
    assert_has(doc, "\"ja3sstring\":[\"769,47,65281-0-11-35-5-16\"]");
    char hash[33], want[64];
    digest_text("MD5", "769,47,65281-0-11-35-5-16", hash, 32);
    assert_true(snprintf(want, sizeof(want), "\"ja3s\":[\"%s\"],\"ja3sCnt\":1", hash) > 0);
    assert_has(doc, want);
    assert_has(doc, "\"version\":[\"TLSv1\"],\"versionCnt\":1");
    assert_has(doc, "\"cipher\":[\"TLS_RSA_WITH_AES_128_CBC_SHA\"]");
    assert_has(doc, "\"dstSessionId\":[\"3031323334353637383961626364656630313233343536373839616263646566\"]");
    assert_has(doc, "\"http2\"");
    buf_done(&ext);
    buf_done(&client);
    buf_done(&server);
}

/* Says both hellos and returns the document; the ServerHello may say its version in an extension. */
static const char *run_hellos(struct dissect_run *r, uint16_t version, uint16_t chosen, uint16_t cipher) {
    struct buf ext, client, server;
    buf_init(&ext, BUILD_MAX);
    buf_init(&client, BUILD_MAX);
    buf_init(&server, BUILD_MAX);
    struct hello ch = {.version = 0x0303, .session_id = "s", LIST(0x1301)};
    build_client_hello(&client, &ch);
    if (chosen) {
        build_number(&ext, 2, 43);
        build_number(&ext, 2, 2);
        build_number(&ext, 2, chosen);
    }
    struct hello sh = {.version = version, .session_id = "s", &cipher, 1, &ext, false};
    build_server_hello(&server, &sh);
    struct conversation c = {0};
    handshake(&c, 0, &client, 0);
    handshake(&c, 1, &server, 0);
    buf_done(&ext);
    buf_done(&client);
    buf_done(&server);
    return conversation_run(r, &c);
}

static void test_versions(void **state) {
    assert_has(run_hellos(*state, 0x0300, 0, 5), "\"version\":[\"SSLv3\"]");
    assert_has(run_hellos(*state, 0x0302, 0, 5), "\"version\":[\"TLSv1.1\"]");
    assert_has(run_hellos(*state, 0x0303, 0, 5), "\"version\":[\"TLSv1.2\"]");
    assert_has(run_hellos(*state, 0x0303, 0x0304, 5), "\"version\":[\"TLSv1.3\"]");
    assert_has(run_hellos(*state, 0x0303, 0x7f1c, 5), "\"version\":[\"TLSv1.3-draft-28\"]");
    assert_has(run_hellos(*state, 0x0399, 0, 5), "\"version\":[\"0x0399\"]");
    assert_has(run_hellos(*state, 0x0303, 0x0304, 0x1303), "\"cipher\":[\"TLS_CHACHA20_POLY1305_SHA256\"]");
    assert_has(run_hellos(*state, 0x0303, 0, 0x0018), "\"cipher\":[\"TLS_DH_ANON_WITH_RC4_128_MD5\"]");
    assert_has(run_hellos(*state, 0x0303, 0, 0xabcd), "\"cipher\":[\"0XABCD\"]");
}

/* Drafts up to 21 sent a ServerHello without session id and compression. */
static void test_draft18(void **state) {
    static const char hello[] = "\x02\x00\x00\x2a\x7f\x12"
                                "0123456789abcdef0123456789abcdef"
                                "\x13\x01\x00\x04\x00\x28\x00\x00";
    struct said said = {1, SPAN_LITERAL("\x16\x03\x01\x00\x2e")};
    struct buf b;
    buf_init(&b, BUILD_MAX);
    buf_add_span(&b, said.bytes);
    buf_add(&b, hello, sizeof(hello) - 1);
    said.bytes = buf_span(&b);
    const char *doc = run_every_cut(*state, PORT, &said, 1);
    assert_has(doc, "\"version\":[\"TLSv1.3-draft-18\"]");
    assert_has(doc, "\"ja3sstring\":[\"32530,4865,40\"]");
    assert_lacks(doc, "SessionId");
    buf_done(&b);
}

/* A HelloRetryRequest is followed by a second pair of hellos, around change cipher specs that mean nothing. */
static void test_retry(void **state) {
    struct buf ext, client, again, retry, server;
    struct buf *all[] = {&ext, &client, &again, &retry, &server};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        buf_init(all[i], BUILD_MAX);
    }
    struct hello ch = {.version = 0x0303, .session_id = "", LIST(0x1301)};
    build_client_hello(&client, &ch);
    ext_empty(&ext, 44);
    ch.extensions = &ext;
    build_client_hello(&again, &ch);
    buf_clear(&ext);
    ext_list(&ext, 43, 0, LIST(0x0304));
    struct hello sh = {.version = 0x0303, .session_id = "", LIST(0x1301), .extensions = &ext, .retry = true};
    build_server_hello(&retry, &sh);
    ext_empty(&ext, 51);
    sh.retry = false;
    build_server_hello(&server, &sh);
    struct conversation c = {0};
    handshake(&c, 0, &client, 0);
    handshake(&c, 1, &retry, 0);
    build_records(part(&c, 1), 20, SPAN_LITERAL("\1"), 0);
    build_records(part(&c, 0), 20, SPAN_LITERAL("\1"), 0);
    handshake(&c, 0, &again, 0);
    handshake(&c, 1, &server, 0);
    const char *doc = conversation_run(*state, &c);
    assert_has(doc, "\"ja3Cnt\":2");
    assert_has(doc, "\"ja3sstring\":[\"771,4865,43\",\"771,4865,43-51\"]");
    assert_has(doc, "\"version\":[\"TLSv1.3\"],\"versionCnt\":1");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        buf_done(all[i]);
    }
}

/* A whole TLS 1.2 handshake with certificates of both sides, in records of `most` bytes. */
static const char *run_tls12(struct dissect_run *r, size_t most, bool client_certificate) {
    static const struct span ders[] = {{(const uint8_t *)"0\5"
                                                         "0\3\2\1\5",
                                        7},
                                       {(const uint8_t *)"0\5"
                                                         "0\3\2\1\6",
                                        7}};
    static const struct span client_ders[] = {{(const uint8_t *)"0\5"
                                                                "0\3\2\1\7",
                                               7}};
    struct buf b;
    buf_init(&b, BUILD_MAX);
    struct conversation c = {0};
    struct hello h = {.version = 0x0303, .session_id = "", LIST(0xc02f)};
    build_client_hello(&b, &h);
    handshake(&c, 0, &b, most);
    buf_clear(&b);
    build_server_hello(&b, &h);
    build_certificate(&b, ders, 2);
    build_message(&b, 22, 3000); /* CertificateStatus: skipped over records */
    build_message(&b, 12, 300);
    if (client_certificate) {
        build_message(&b, 13, 60);
    }
    build_message(&b, 14, 0);
    handshake(&c, 1, &b, most);
    buf_clear(&b);
    if (client_certificate) {
        build_certificate(&b, client_ders, 1);
    }
    build_message(&b, 16, 66);
    handshake(&c, 0, &b, most);
    build_records(part(&c, 0), 20, SPAN_LITERAL("\1"), 0);
    build_records(part(&c, 0), 22, SPAN_LITERAL("encrypted"), 0);
    buf_done(&b);
    return conversation_run(r, &c);
}

/* However the messages are spread over records, the document is the same. */
static void test_record_boundaries(void **state) {
    static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 17, 100};
    char *first = NULL;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        const char *doc = run_tls12(*state, sizes[i], true);
        if (!first) {
            first = strdup(doc);
        }
        assert_string_equal(doc, first);
    }
    assert_has(first, "\"certCnt\":3");
    assert_has(first, "\"serial\":\"07\"");
    assert_has(first, "\"cipher\":[\"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256\"]");
    free(first);
    assert_has(run_tls12(*state, 0, false), "\"certCnt\":2");
}

/* Whether the session is let go after the bytes in `c`: nobody listens any more. */
static bool is_quiet_after(struct dissect_run *r, struct conversation *c) {
    run_start(r, PORT);
    for (size_t i = 0; i < c->count; i++) {
        run_say(r, c->said[i].side, buf_span(&c->parts[i]), 0);
    }
    bool quiet = r->session.quiet;
    (void)run_finish(r);
    for (size_t i = 0; i < c->count; i++) {
        buf_done(&c->parts[i]);
    }
    return quiet;
}

static void test_lets_go(void **state) {
    struct buf ext, b;
    buf_init(&ext, BUILD_MAX);
    buf_init(&b, BUILD_MAX);
    ext_list(&ext, 43, 0, LIST(0x0304));
    struct hello h = {.version = 0x0303, .session_id = "", LIST(0x1301)};

    /* TLS 1.3: after the ServerHello; early data before it does not end it. */
    struct conversation c = {0};
    build_client_hello(&b, &h);
    handshake(&c, 0, &b, 0);
    build_records(part(&c, 0), 23, SPAN_LITERAL("early data"), 0);
    struct conversation half = c;
    half.parts[0] = half.parts[1] = (struct buf){0};
    buf_init(&half.parts[0], BUILD_MAX);
    buf_init(&half.parts[1], BUILD_MAX);
    buf_add_span(&half.parts[0], buf_span(&c.parts[0]));
    buf_add_span(&half.parts[1], buf_span(&c.parts[1]));
    assert_false(is_quiet_after(*state, &half));
    buf_clear(&b);
    h.extensions = &ext;
    build_server_hello(&b, &h);
    handshake(&c, 1, &b, 0);
    assert_true(is_quiet_after(*state, &c));

    /* TLS 1.2: after the ServerHelloDone, unless the client was asked for a certificate. */
    for (unsigned asked = 0; asked < 2; asked++) {
        c = (struct conversation){0};
        h.extensions = NULL;
        buf_clear(&b);
        build_client_hello(&b, &h);
        handshake(&c, 0, &b, 0);
        buf_clear(&b);
        build_server_hello(&b, &h);
        if (asked) {
            build_message(&b, 13, 10);
        }
        build_message(&b, 14, 0);
        handshake(&c, 1, &b, 0);
        assert_int_equal(is_quiet_after(*state, &c), !asked);
    }
    buf_done(&ext);
    buf_done(&b);
}

static void test_broken(void **state) {
    struct conversation c = {0};
    struct buf b;
    buf_init(&b, BUILD_MAX);
    struct hello h = {.version = 0x0303, .session_id = "", LIST(0xc02f)};

    /* A record longer than any may be. */
    build_client_hello(&b, &h);
    handshake(&c, 0, &b, 0);
    buf_add(part(&c, 1), "\x16\x03\x03\xff\xff\x02", 6);
    assert_has(conversation_run(*state, &c), "\"tls:record-too-long\"");

    /* A hello that is cut short says nothing, but the server is still heard. */
    c = (struct conversation){0};
    buf_add(part(&c, 0), "\x16\x03\x01\x00\x06\x01\x00\x00\x02\x03\x03", 11);
    buf_clear(&b);
    build_server_hello(&b, &h);
    handshake(&c, 1, &b, 0);
    const char *doc = conversation_run(*state, &c);
    assert_lacks(doc, "ja4");
    assert_has(doc, "\"version\":[\"TLSv1.2\"]");

    /* SSL 2.0 from the client, TLS from the server. */
    c = (struct conversation){0};
    buf_add(part(&c, 0), "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10\x01\x00\x80", 14);
    handshake(&c, 1, &b, 0);
    doc = conversation_run(*state, &c);
    assert_has(doc, "\"protocol\":[\"tls\"]");
    assert_has(doc, "\"version\":[\"TLSv1.2\"]");

    /* A fatal alert instead of a ServerHello; a warning before one. */
    c = (struct conversation){0};
    buf_clear(&b);
    build_client_hello(&b, &h);
    handshake(&c, 0, &b, 0);
    build_records(part(&c, 1), 21, SPAN_LITERAL("\1\x70"), 0);
    buf_clear(&b);
    build_server_hello(&b, &h);
    handshake(&c, 1, &b, 0);
    assert_has(conversation_run(*state, &c), "\"version\":[\"TLSv1.2\"]");

    /* Neither hello nor record: not TLS. */
    struct said not_tls = {0, SPAN_LITERAL("\x16\x03\x01\x00\x04\x0b\x00\x00\x00\x00\x00\x00")};
    assert_lacks(run_every_cut(*state, PORT, &not_tls, 1), "tls");
    not_tls.bytes = SPAN_LITERAL("\x16\x04\x01\x00\x04\x01\x00\x00\x00\x00\x00\x00");
    assert_lacks(run_every_cut(*state, PORT, &not_tls, 1), "tls");
    buf_done(&b);
}

static void test_encrypted_hello_tags(void **state) {
    struct buf ext;
    buf_init(&ext, BUILD_MAX);
    ext_empty(&ext, 0xfe0d);
    struct hello h = {.version = 0x0303, .session_id = "", LIST(0x1301), .extensions = &ext};
    const char *doc = run_client_hello(*state, &h);
    assert_has(doc, "\"tls:has_ech\"");
    assert_lacks(doc, "\"tls:has_esni\"");
    buf_clear(&ext);
    ext_empty(&ext, 0xffce);
    doc = run_client_hello(*state, &h);
    assert_has(doc, "\"tls:has_esni\"");
    assert_lacks(doc, "\"tls:has_ech\"");
    buf_done(&ext);
}

/* After missing bytes reading goes on where a segment begins with a record, and nowhere else. */
static void test_gap(void **state) {
    struct dissect_run *r = *state;
    struct buf b, client, server;
    buf_init(&b, BUILD_MAX);
    buf_init(&client, BUILD_MAX);
    buf_init(&server, BUILD_MAX);
    struct hello h = {.version = 0x0303, .session_id = "", LIST(0x1301)};
    build_client_hello(&b, &h);
    build_records(&client, 22, buf_span(&b), 0);
    buf_clear(&b);
    build_server_hello(&b, &h);
    build_records(&server, 22, buf_span(&b), 0);
    for (size_t lost = 0; lost < 2; lost++) {
        run_start(r, PORT);
        run_say(r, 0, buf_span(&client), 0);
        run_say(r, 1, SPAN_LITERAL("\x16\x03\x03\x00\x10\x02\x00"), 0);
        dissect_stream(r->engine, &r->session, 1, span_from(buf_span(&server), lost), 500, 0);
        const char *doc = run_finish(r);
        assert_has(doc, "\"ja4\"");
        assert_int_equal(strstr(doc, "\"TLSv1.2\"") != NULL, lost == 0);
    }
    buf_done(&b);
    buf_done(&client);
    buf_done(&server);
}

/* Every prefix of a handshake, and every byte of it changed, must be survived (the sanitizers look on). */
static void test_damage(void **state) {
    struct dissect_run *r = *state;
    static const struct span ders[] = {{(const uint8_t *)"0\5"
                                                         "0\3\2\1\5",
                                        7}};
    struct buf ext, b, client;
    buf_init(&ext, BUILD_MAX);
    buf_init(&b, BUILD_MAX);
    buf_init(&client, BUILD_MAX);
    ext_name(&ext, "a.example");
    ext_list(&ext, 10, 2, LIST(29, 23));
    ext_formats(&ext);
    ext_list(&ext, 13, 2, LIST(0x0403));
    ext_alpn(&ext, "h2", "http/1.1");
    ext_list(&ext, 43, 1, LIST(0x0304));
    struct hello h = {.version = 0x0303, .session_id = "abc", LIST(0x1301, 0xc02f), .extensions = &ext};
    build_client_hello(&b, &h);
    build_server_hello(&b, &h);
    build_certificate(&b, ders, 1);
    build_records(&client, 22, buf_span(&b), 50);
    struct span whole = buf_span(&client);
    for (size_t i = 0; i < whole.len; i++) {
        struct said said = {0, span_sub(whole, 0, i)};
        assert_non_null(run_talk(r, PORT, &said, 1, 0));
        said.bytes = whole;
        client.data[i] ^= 0xff;
        assert_non_null(run_talk(r, PORT, &said, 1, 13));
        client.data[i] ^= 0xff;
    }
    buf_done(&ext);
    buf_done(&b);
    buf_done(&client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_ja3_published, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ja4_published, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ja4_heads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_ciphers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_server_hello, setup, teardown),
        cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_draft18, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retry, setup, teardown),
        cmocka_unit_test_setup_teardown(test_record_boundaries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lets_go, setup, teardown),
        cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
        cmocka_unit_test_setup_teardown(test_encrypted_hello_tags, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
    };
    return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
