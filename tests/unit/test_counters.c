/* test_counters.c: counters over time: growth, growth a second, newest values; three rings of steps. */
#include "check.h"

#include <stdlib.h>

#include "api/counters.h"

#define T0 INT64_C(1700000400000) /* a whole minute, and ten of them */

static struct counter_history *made(void) {
    struct counter_history *h = calloc(1, sizeof(*h));
    assert_non_null(h);
    return h;
}

static double value(const struct counter_history *h, const char *name, uint32_t interval, int64_t from, int64_t to) {
    double v;
    const struct counter_series *s = counter_series_find(span_text(name));
    assert_non_null(s);
    return history_value(h, s, interval, T0 + from, T0 + to, &v) ? v : -1;
}

static void sample(struct counter_history *h, int64_t at, double packets, double memory) {
    double values[COUNTERS] = {[COUNTER_PACKETS] = packets, [COUNTER_BYTES] = packets * 100, [COUNTER_MEMORY] = memory};
    history_sample(h, T0 + at, values);
}

static void growth(void **state) {
    (void)state;
    struct counter_history *h = made();
    assert_null(history_newest(h));
    sample(h, 0, 1000, 7); /* what was there before is no growth */
    assert_true(value(h, "deltaPackets", 5, 0, 5000) == 0);
    sample(h, 5000, 1100, 8);
    sample(h, 10000, 1400, 9);
    sample(h, 10000, 9999, 9); /* not newer */
    assert_true(value(h, "deltaPackets", 5, 5000, 10000) == 100);
    assert_true(value(h, "deltaPacketsPerSec", 5, 5000, 10000) == 20);
    assert_true(value(h, "deltaBitsPerSec", 5, 5000, 10000) == 16000);
    assert_true(value(h, "memory", 5, 5000, 10000) == 8);
    assert_true(value(h, "deltaPackets", 5, 0, 15000) == 400);
    assert_true(value(h, "deltaPacketsPerSec", 5, 5000, 15000) == 40);
    assert_true(value(h, "memory", 5, 0, 15000) == 9);
    assert_true(value(h, "deltaPackets", 60, 0, 60000) == 400);
    assert_true(value(h, "deltaPackets", 100000, 0, 600000) == 400);
    assert_true(value(h, "deltaPackets", 5, 15000, 20000) == -1);
    assert_true(value(h, "deltaPackets", 5, -5000, 0) == -1);
    free(h);
}

static void falls(void **state) {
    (void)state;
    struct counter_history *h = made();
    sample(h, 0, 1000, 0);
    sample(h, 5000, 400, 0); /* some were deleted */
    sample(h, 10000, 900, 0);
    assert_true(value(h, "deltaPackets", 5, 0, 15000) == 0);
    sample(h, 15000, 1010, 0);
    assert_true(value(h, "deltaPackets", 5, 15000, 20000) == 10);
    free(h);
}

static void rings_turn(void **state) {
    (void)state;
    struct counter_history *h = made();
    int64_t last = (int64_t)COUNTER_SLOTS * 5000 * 2;
    for (int64_t at = 0; at <= last; at += 5000) {
        sample(h, at, (double)at / 1000, 0);
    }
    assert_true(value(h, "deltaPackets", 5, last - 5000, last) == 5);
    assert_true(value(h, "deltaPackets", 5, 5000, 10000) == -1); /* two hours are kept, four passed */
    assert_true(value(h, "deltaPackets", 60, 60000, 120000) == 60);
    assert_true(value(h, "deltaPacketsPerSec", 600, 600000, 1200000) == 1);
    assert_int_equal(history_newest(h)->ms, 5000);
    sample(h, last + INT64_C(86400000) * 30, 1e9, 0); /* the machine slept */
    assert_true(value(h, "deltaPackets", 5, last - 5000, last) == -1);
    free(h);
}

static void table_is_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < counter_series_count; i++) {
        const struct counter_series *s = &counter_series_table[i];
        assert_ptr_equal(counter_series_find(span_text(s->name)), s); /* each name once */
        assert_true((s->how == SERIES_NEWEST) == (s->counter >= COUNTERS_GROWING));
        assert_non_null(s->help);
    }
    assert_null(counter_series_find(span_text("nosuch")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(growth),
        cmocka_unit_test(falls),
        cmocka_unit_test(rings_turn),
        cmocka_unit_test(table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
