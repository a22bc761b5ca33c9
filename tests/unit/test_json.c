/* test_json.c: the writer: commas, escapes, bytes that are not UTF-8, numbers at their borders; UTF-8 validity beside a
 * decoder that is written the slow way here. */
#include "base/json.h"

#include <math.h>

#include "check.h"

static void test_shape(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 10000);
    struct json j = json_over(&b);
    json_open(&j, '{');
    json_key(&j, "a\"b");
    json_u64(&j, 1);
    json_raw_key(&j, SPAN_LITERAL("\"list\":"));
    json_open(&j, '[');
    json_bool(&j, true);
    json_bool(&j, false);
    json_null(&j);
    json_cstr(&j, "");
    json_open(&j, '[');
    json_close(&j, ']');
    json_open(&j, '{');
    json_close(&j, '}');
    json_raw(&j, SPAN_LITERAL("{\"x\":0}"));
    json_close(&j, ']');
    json_key(&j, "end");
    json_i64(&j, -1);
    json_close(&j, '}');
    assert_span(buf_span(&b), "{\"a\\\"b\":1,\"list\":[true,false,null,\"\",[],{},{\"x\":0}],\"end\":-1}");
    buf_done(&b);
}

static void text_is(struct span text, const char *wanted) {
    struct buf b;
    buf_init(&b, 100000);
    struct json j = json_over(&b);
    json_text(&j, text);
    assert_span(buf_span(&b), wanted);
    buf_done(&b);
}

static void test_text(void **state) {
    (void)state;
    text_is((struct span){0}, "\"\"");
    text_is(SPAN_LITERAL("plain /<>&'"), "\"plain /<>&'\"");
    text_is(SPAN_LITERAL("\"\\\b\f\n\r\t"), "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
    text_is(SPAN_LITERAL("\0\x01\x1f\x7f"), "\"\\u0000\\u0001\\u001f\\u007f\"");
    text_is(SPAN_LITERAL("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"");
    /* One bad byte makes the whole text Latin-1. */
    text_is(SPAN_LITERAL("caf\xe9"), "\"caf\xc3\xa9\"");
    text_is(SPAN_LITERAL("\xc3\xa9\xff"), "\"\xc3\x83\xc2\xa9\xc3\xbf\"");
    text_is(SPAN_LITERAL("\x80\n"), "\"\xc2\x80\\n\"");
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } doubles[] = {{0.5, "0.5"},  {-1.25e-7, "-1.25e-07"}, {1e300, "1e+300"},  {3, "3"},
                   {NAN, "null"}, {INFINITY, "null"},      {-INFINITY, "null"}};
    static const struct {
        int64_t value;
        const char *text;
    } integers[] = {{0, "0"}, {-1, "-1"}, {INT64_MIN, "-9223372036854775808"}, {INT64_MAX, "9223372036854775807"}};
    struct buf b;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(doubles); i++) {
        struct json j = json_over(&b);
        buf_clear(&b);
        json_double(&j, doubles[i].value);
        assert_span(buf_span(&b), doubles[i].text);
    }
    for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
        struct json j = json_over(&b);
        buf_clear(&b);
        json_i64(&j, integers[i].value);
        assert_span(buf_span(&b), integers[i].text);
    }
    buf_done(&b);
}

static void test_ceiling(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 300);
    struct json j = json_over(&b);
    json_open(&j, '[');
    for (int i = 0; i < 100; i++) {
        json_cstr(&j, "0123456789");
    }
    json_close(&j, ']');
    assert_true(b.overflowed);
    assert_true(b.len <= 300);
    buf_done(&b);
}

/* Decodes code points by RFC 3629's definition and encodes them again: valid when the same bytes come back. */
static bool valid_the_slow_way(struct span s) {
    for (size_t i = 0; i < s.len;) {
        uint8_t c = s.at[i];
        size_t n = c < 0x80 ? 1 : c >> 5 == 6 ? 2 : c >> 4 == 14 ? 3 : c >> 3 == 30 ? 4 : 0;
        if (n == 0 || i + n > s.len) {
            return false;
        }
        uint32_t point = n == 1 ? c : c & (0x7fu >> n);
        for (size_t k = 1; k < n; k++) {
            if (s.at[i + k] >> 6 != 2) {
                return false;
            }
            point = point << 6 | (s.at[i + k] & 63);
        }
        size_t needed = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
        if (needed != n || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff) {
            return false;
        }
        i += n;
    }
    return true;
}

static void test_utf8(void **state) {
    (void)state;
    /* Every sequence of a lead byte and border values behind it, at each distance from a word's end. */
    static const uint8_t tails[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    for (unsigned lead = 0; lead < 256; lead++) {
        for (unsigned t = 0; t < 1000; t++) {
            uint8_t text[24];
            memset(text, 'a', sizeof(text));
            size_t at = t % 12;
            text[at] = (uint8_t)lead;
            text[at + 1] = tails[t % 10];
            text[at + 2] = tails[t / 10 % 10];
            text[at + 3] = tails[t / 100];
            for (size_t len = at + 1; len < at + 6; len++) {
                struct span s = span_make(text, len);
                assert_int_equal(utf8_valid(s), valid_the_slow_way(s));
            }
        }
    }
    assert_true(utf8_valid((struct span){0}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),   cmocka_unit_test(test_text), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_ceiling), cmocka_unit_test(test_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
