/* test_buf.c: the ceiling is exact, a refused append changes nothing and everything behind it is dropped too. */
#include "base/buf.h"

#include "check.h"

static void test_appends(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 100000);
    assert_int_equal(buf_span(&b).len, 0);
    buf_add(&b, NULL, 0);
    buf_add_span(&b, (struct span){0});
    buf_add_text(&b, "");
    assert_int_equal(b.len, 0);
    buf_add_text(&b, "n=");
    buf_add_u64(&b, 0);
    buf_add_byte(&b, ' ');
    buf_add_u64(&b, UINT64_MAX);
    buf_printf(&b, " %s %d", "x", -5);
    assert_span(buf_span(&b), "n=0 18446744073709551615 x -5");
    for (int i = 0; i < 3000; i++) {
        buf_printf(&b, "%04d|", i);
    }
    assert_int_equal(b.len, 29 + 15000);
    assert_memory_equal(b.data + 29 + 5 * 2999, "2999|", 5);
    buf_clear(&b);
    assert_int_equal(b.len, 0);
    buf_add_text(&b, "again");
    assert_span(buf_span(&b), "again");
    assert_false(b.overflowed);
    buf_done(&b);
    assert_null(b.data);
    buf_add_text(&b, "usable"); /* done leaves it empty, with its ceiling */
    assert_span(buf_span(&b), "usable");
    buf_done(&b);
}

static void test_ceiling(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_add_text(&b, "123456789");
    buf_add_text(&b, "ab");
    assert_true(b.overflowed);
    assert_span(buf_span(&b), "123456789");
    buf_add_byte(&b, 'a'); /* would fit, but a hole must not be papered over */
    assert_null(buf_reserve(&b, 0));
    assert_span(buf_span(&b), "123456789");
    buf_clear(&b);
    assert_false(b.overflowed);
    buf_add_text(&b, "1234567890"); /* exactly the ceiling */
    assert_false(b.overflowed);
    assert_int_equal(b.len, 10);
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_true(b.overflowed);
    buf_done(&b);
}

static void test_printf_ceiling(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_printf(&b, "%s", "123456789"); /* and the NUL behind it */
    assert_false(b.overflowed);
    assert_span(buf_span(&b), "123456789");
    buf_printf(&b, "%s", "");
    assert_false(b.overflowed);
    buf_printf(&b, "%s", "x");
    assert_true(b.overflowed);
    assert_span(buf_span(&b), "123456789");
    buf_done(&b);
}

static void test_reserve(void **state) {
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    uint8_t *at = buf_reserve(&b, 600);
    assert_non_null(at);
    memset(at, 'z', 600);
    assert_int_equal(b.len, 0); /* room, not content */
    b.len += 600;
    at = buf_reserve(&b, 400);
    assert_non_null(at);
    assert_ptr_equal(at, b.data + 600);
    memset(at, 'y', 400);
    assert_int_equal(b.data[599], 'z');
    assert_null(buf_reserve(&b, 401));
    buf_done(&b);
    buf_init(&b, 0);
    buf_add_byte(&b, 1);
    assert_true(b.overflowed);
    buf_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_printf_ceiling),
        cmocka_unit_test(test_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
