/* test_decoders.c: what is done to bytes before they are shown. */
#include "check.h"

#include <zlib.h>

#include "api/decoders.h"

static bool apply(const char *json, const void *bytes, size_t len, struct buf *out) {
    struct decodings d;
    assert_true(decodings_read(span_text(json), &d));
    buf_init(out, (size_t)1 << 20);
    buf_add(out, bytes, len);
    return decodings_apply(&d, out);
}

static void decoded(void **state) {
    (void)state;
    struct buf out;
    assert_true(apply("{\"BODY-UNBASE64\":{}}", "aGVs\r\nbG8=", 10, &out));
    assert_true(span_is(buf_span(&out), "hello"));
    buf_done(&out);
    assert_true(apply("{\"BODY-UNXOR\":{\"key\":\"0x0102\",\"skip\":1}}", "zicmnn", 6, &out));
    assert_true(span_is(buf_span(&out), "hallo"));
    buf_done(&out);
    assert_true(apply("{\"BODY-UNXOR\":{\"keyLength\":\"2\"}}", "\1\2icmnn", 7, &out));
    assert_true(span_is(buf_span(&out), "hallo"));
    buf_done(&out);
    assert_false(apply("{\"BODY-UNXOR\":{\"keyLength\":\"200\"}}", "short", 5, &out));
    assert_true(span_is(buf_span(&out), "short"));
    buf_done(&out);
}

static void hidden_gzip(void **state) {
    (void)state;
    uint8_t bytes[300] = "before";
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t) "well hidden";
    z.avail_in = 11;
    z.next_out = bytes + 6;
    z.avail_out = sizeof(bytes) - 6;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t len = sizeof(bytes) - z.avail_out;
    (void)deflateEnd(&z);
    for (size_t i = 0; i < len; i++) {
        bytes[i] ^= 0x5a;
    }
    struct buf out;
    assert_true(apply("{\"BODY-UNXORBRUTEGZ\":{}}", bytes, len, &out));
    assert_true(span_is(buf_span(&out), "well hidden"));
    buf_done(&out);
}

static void refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"BODY-NOTHING\":{}}",
        "{\"BODY-UNXOR\":{\"key\":\"0x1\"}}",
        "{\"BODY-UNXOR\":{\"key\":\"zz\"}}",
        "{\"BODY-UNXOR\":{\"what\":1}}",
        "{\"BODY-UNXOR\":{\"skip\":\"-1\"}}",
        "{\"BODY-UNXOR\":{\"keyLength\":9999}}",
    };
    struct decodings d;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(decodings_read(span_text(bad[i]), &d));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoded),
        cmocka_unit_test(hidden_gzip),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
