/* test_store.c: sessions into a store and out again: from the log, from segments, merged, after a restart; every
 * document must be the one that was appended.
 */
#include "store_run.h"

#define SEED 7

static void log_only(void **state) {
    (void)state;
    struct store_run s;
    store_run_init(&s, SEED);
    struct store_writer *w = store_run_writer(&s, NULL);
    store_run_append(&s, w, 700);
    assert_int_equal(store_flush(w), 0);
    struct store *store = store_run_open(&s);
    struct snapshot *snapshot = store_snapshot(store);
    assert_int_equal(snapshot_rows(snapshot), 700);
    snapshot_unref(snapshot);
    store_run_compare(&s, store, SEED, 700, 1);
    assert_int_equal(store_damage(store, NULL, NULL), 0);
    store_close(store);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store_run_done(&s);
}

static void sealed(void **state) {
    (void)state;
    struct store_run s;
    store_run_init(&s, SEED);
    struct store_options options = {.node = "unit", .seal_rows = 500};
    struct store_writer *w = store_run_writer(&s, &options);
    struct store *store = store_run_open(&s);
    for (int i = 0; i < 12; i++) {
        store_run_append(&s, w, 250);
        assert_int_equal(store_flush(w), 0);
    }
    struct err e = {0};
    store_run_compare(&s, store, SEED, 3000, 7);
    assert_int_equal(store_compact(w, &e), 0);
    uint64_t counts[STORE_COUNTS];
    store_writer_counts(w, counts);
    assert_true(counts[STORE_SEALS] >= 6);
    assert_true(counts[STORE_MERGES] >= 1);
    assert_int_equal(counts[STORE_ROWS], 3000);
    assert_int_equal(store_writer_close(w, &e), 0);
    store_run_compare(&s, store, SEED, 3000, 3);
    assert_int_equal(store_damage(store, NULL, NULL), 0);
    store_rest(store);
    store_run_compare(&s, store, SEED, 3000, 11);
    store_close(store);
    store_run_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_only),
        cmocka_unit_test(sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
