/* test_digest.c: known digests (RFC 1321, FIPS 180-4 examples), and texts that are remembered. */
#include "base/digest.h"

#include "check.h"

static const struct {
    enum digest_kind kind;
    const char *data, *hex;
} known[] = {
    {DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
    {DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
    {DIGEST_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
    {DIGEST_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void check(const uint8_t *digest, size_t len, const char *hex) {
    char text[2 * DIGEST_MAX];
    assert_int_equal(2 * len, strlen(hex));
    hex_write(digest, len, text);
    assert_memory_equal(text, hex, 2 * len);
}

static void test_known(void **state) {
    (void)state;
    struct digests *d = digests_new();
    assert_non_null(d);
    for (unsigned round = 0; round < 2; round++) { /* nothing stays of the one before */
        for (size_t i = 0; i < ARRAY_LEN(known); i++) {
            uint8_t digest[DIGEST_MAX];
            check(digest, digest_once(d, known[i].kind, span_text(known[i].data), digest), known[i].hex);
        }
    }
    assert_null(digests_free(d));
    assert_null(digests_free(NULL));
}

/* Texts that come again, texts of one length that differ in one place, and the same text for another algorithm. */
static void test_memo(void **state) {
    (void)state;
    struct digests *d = digests_new();
    assert_non_null(d);
    uint8_t text[3000], once[DIGEST_MAX], memo[DIGEST_MAX];
    memset(text, 'x', sizeof(text));
    static const size_t lengths[] = {0, 1, 15, 16, 17, 300, 1984, 1985, 3000};
    for (unsigned round = 0; round < 3000; round++) {
        size_t len = lengths[round % ARRAY_LEN(lengths)];
        if (len && round % 3 == 0) {
            text[round * 7u % len] = (uint8_t)round;
        }
        enum digest_kind kind = (enum digest_kind)(round / 5 % DIGEST_KINDS);
        size_t n = digest_once(d, kind, span_make(text, len), once);
        assert_int_equal(digest_memo(d, kind, span_make(text, len), memo), n);
        assert_memory_equal(memo, once, n);
        assert_int_equal(digest_memo(d, kind, span_make(text, len), memo), n);
        assert_memory_equal(memo, once, n);
    }
    digests_free(d);
}

static void test_hex(void **state) {
    (void)state;
    char text[7] = "......";
    hex_write((const uint8_t *)"\x00\x9f\xff", 3, text);
    assert_string_equal(text, "009fff");
    hex_write(NULL, 0, text);
    assert_string_equal(text, "009fff");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_memo),
        cmocka_unit_test(test_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
