/* test_cursor.c: every read stays inside, and after the first short one everything is 0, however much was left. */
#include "base/cursor.h"

#include "check.h"

static const uint8_t bytes[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xff};

static void test_numbers(void **state) {
    (void)state;
    struct cursor c = cursor_over(span_make(bytes, sizeof(bytes)));
    assert_int_equal(cursor_u8(&c), 0x01);
    assert_int_equal(cursor_u16(&c), 0x2345);
    assert_int_equal(cursor_u24(&c), 0x6789ab);
    assert_int_equal(cursor_left(&c), 3);
    c = cursor_over(span_make(bytes, sizeof(bytes)));
    assert_int_equal(cursor_u32(&c), 0x01234567);
    assert_int_equal(cursor_u32le(&c), 0xefcdab89);
    c = cursor_over(span_make(bytes, sizeof(bytes)));
    assert_true(cursor_u64(&c) == 0x0123456789abcdef);
    c = cursor_over(span_make(bytes, sizeof(bytes)));
    assert_true(cursor_u64le(&c) == 0xefcdab8967452301);
    c = cursor_over(span_make(bytes, sizeof(bytes)));
    assert_int_equal(cursor_u16le(&c), 0x2301);
    c = cursor_over(span_make(bytes + 7, 2));
    assert_int_equal(cursor_u16(&c), 0xefff);
    assert_true(cursor_ok(&c));
    assert_int_equal(cursor_left(&c), 0);
}

/* Too few bytes for each width: 0, failed, and it stays failed for reads that would fit. */
static void test_sticky(void **state) {
    (void)state;
    for (size_t left = 0; left < 8; left++) {
        struct cursor c[7];
        for (size_t i = 0; i < ARRAY_LEN(c); i++) {
            c[i] = cursor_over(span_make(bytes, left));
        }
        uint64_t read[] = {left < 1 ? cursor_u8(&c[0]) : 0,   left < 2 ? cursor_u16(&c[1]) : 0,
                           left < 3 ? cursor_u24(&c[2]) : 0,  left < 4 ? cursor_u32(&c[3]) : 0,
                           cursor_u64(&c[4]) & 0xffffffff,    cursor_u64le(&c[5]) >> 32,
                           left < 4 ? cursor_u32le(&c[6]) : 0};
        for (size_t i = 0; i < ARRAY_LEN(read); i++) {
            assert_true(read[i] == 0);
        }
        assert_false(cursor_ok(&c[4]));
        assert_false(cursor_ok(&c[5]));
        assert_int_equal(cursor_left(&c[4]), 0);
        assert_int_equal(cursor_u8(&c[4]), 0);
        assert_int_equal(cursor_peek(&c[4], 0), -1);
        assert_int_equal(cursor_rest(&c[4]).len, 0);
        assert_null(cursor_span(&c[4], 0).at);
    }
}

static void test_spans(void **state) {
    (void)state;
    struct cursor c = cursor_over(span_make(bytes, sizeof(bytes)));
    assert_int_equal(cursor_peek(&c, 0), 0x01);
    assert_int_equal(cursor_peek(&c, 8), 0xff);
    assert_int_equal(cursor_peek(&c, 9), -1);
    assert_ptr_equal(cursor_span(&c, 3).at, bytes);
    cursor_skip(&c, 1);
    struct span rest = cursor_rest(&c);
    assert_ptr_equal(rest.at, bytes + 4);
    assert_int_equal(rest.len, 5);
    assert_true(cursor_ok(&c));
    assert_int_equal(cursor_rest(&c).len, 0);
    assert_true(cursor_ok(&c));
    cursor_skip(&c, SIZE_MAX);
    assert_false(cursor_ok(&c));
}

static void test_sub(void **state) {
    (void)state;
    struct cursor c = cursor_over(span_make(bytes, sizeof(bytes)));
    struct cursor inner = cursor_sub(&c, 2);
    assert_int_equal(cursor_u24(&inner), 0);
    assert_false(cursor_ok(&inner));
    assert_true(cursor_ok(&c)); /* the inner one fails for itself */
    assert_int_equal(cursor_u8(&c), 0x45);
    inner = cursor_sub(&c, 7);
    assert_false(cursor_ok(&c));
    assert_false(cursor_ok(&inner));
    assert_int_equal(cursor_left(&inner), 0);
}

static void test_empty(void **state) {
    (void)state;
    struct cursor c = cursor_over((struct span){0});
    assert_int_equal(cursor_left(&c), 0);
    assert_int_equal(cursor_span(&c, 0).len, 0);
    assert_true(cursor_ok(&c));
    assert_int_equal(cursor_u8(&c), 0);
    assert_false(cursor_ok(&c));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_sticky), cmocka_unit_test(test_spans),
        cmocka_unit_test(test_sub),     cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
