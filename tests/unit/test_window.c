/* test_window.c: what date, startTime, stopTime, bounding and interval mean. */
#include "check.h"

#include <errno.h>

#include "api/window.h"

#define NOW INT64_C(1700000000123)

static struct span text(const char *s) {
    return span_text(s);
}

static int read(const struct window_input *in, struct window *ret) {
    struct err e = {0};
    int code = window_read(in, NOW, ret, &e);
    assert_int_equal(code < 0, e.text[0] != 0);
    return code;
}

static void last_hours(void **state) {
    (void)state;
    struct window w;
    assert_int_equal(read(&(struct window_input){.date = {NULL, 0}}, &w), 0);
    assert_true(w.bounded && w.open);
    assert_int_equal(w.start_ms, INT64_C(1700000000000) - 3600000);
    assert_int_equal(w.interval_s, 60);
    assert_int_equal(read(&(struct window_input){.date = text("0.25")}, &w), 0);
    assert_int_equal(w.start_ms, INT64_C(1700000000000) - 900000);
    assert_int_equal(w.interval_s, 1);
    static const char *const everything[] = {"-1", "abc", "1e9", ""};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(read(&(struct window_input){.date = text(everything[i])}, &w), 0);
        assert_false(w.bounded);
        assert_int_equal(w.interval_s, 3600);
    }
    assert_int_equal(read(&(struct window_input){.everything = true, .spanning = true}, &w), 0);
    assert_false(w.bounded);
    assert_int_equal(w.interval_s, 86400);
}

static void begin_and_end(void **state) {
    (void)state;
    struct window w;
    struct window_input in = {.start = text("1400000000"), .stop = text("1400000600"), .date = text("-1")};
    assert_int_equal(read(&in, &w), 0);
    assert_true(w.bounded && !w.open);
    assert_int_equal(w.start_ms, INT64_C(1400000000000));
    assert_int_equal(w.stop_ms, INT64_C(1400000600000));
    assert_int_equal(w.interval_s, 1);
    assert_int_equal(w.bounding, BOUND_LAST);
    in.start = text("2014-05-13T16:53:20Z");
    in.stop = text("2015/05/13+16:53:20+Z");
    assert_int_equal(read(&in, &w), 0);
    assert_int_equal(w.start_ms, INT64_C(1400000000000));
    assert_int_equal(w.interval_s, 3600);
    in.interval = text("week");
    in.bounding = text("either");
    assert_int_equal(read(&in, &w), 0);
    assert_int_equal(w.interval_s, 604800);
    assert_int_equal(w.bounding, BOUND_EITHER);
    in.strictly = true;
    assert_int_equal(read(&in, &w), 0);
    assert_int_equal(w.bounding, BOUND_BOTH);
    /* only a beginning: `both` means the last packet */
    in = (struct window_input){.bounding = text("both")};
    assert_int_equal(read(&in, &w), 0);
    assert_int_equal(w.bounding, BOUND_LAST);
}

static void refused(void **state) {
    (void)state;
    struct window w;
    struct window_input in = {.start = text("[1]"), .stop = text("2"), .start_is_list = true};
    assert_int_equal(read(&in, &w), -EINVAL);
    in = (struct window_input){.start = text("1"), .stop = text("2,3")};
    assert_int_equal(read(&in, &w), -EINVAL);
    in = (struct window_input){.start = text("yesterdayish"), .stop = text("2")};
    assert_int_equal(read(&in, &w), -EINVAL);
    char longer[200];
    memset(longer, '9', sizeof(longer));
    in = (struct window_input){.start = span_make(longer, sizeof(longer)), .stop = text("2")};
    assert_int_equal(read(&in, &w), -EINVAL);
    in = (struct window_input){.start = text("nan"), .stop = text("inf")};
    assert_int_equal(read(&in, &w), -EINVAL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_hours),
        cmocka_unit_test(begin_and_end),
        cmocka_unit_test(refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
