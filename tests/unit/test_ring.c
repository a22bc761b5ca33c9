/* test_ring.c: order, fullness and wrap of the ring, alone and between two threads. */
#include "base/ring.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

#include "check.h"

static void *item(uintptr_t n) {
    return (void *)n;
}

static void test_sizes(void **state) {
    (void)state;
    struct ring r;
    assert_int_equal(ring_init(&r, 0), -EINVAL);
    assert_int_equal(ring_init(&r, 3), -EINVAL);
    assert_int_equal(ring_init(&r, 1), 0);
    void *one[] = {item(1), item(2)}, *got[2];
    assert_int_equal(ring_put(&r, one, 2), 1);
    assert_int_equal(ring_put(&r, one, 1), 0);
    assert_int_equal(ring_get(&r, got, 2), 1);
    assert_ptr_equal(got[0], item(1));
    assert_int_equal(ring_get(&r, got, 1), 0);
    ring_done(&r);
    ring_done(&r); /* harmless */
}

static void test_bulk(void **state) {
    (void)state;
    struct ring r;
    assert_int_equal(ring_init(&r, 8), 0);
    r.head = r.tail = r.head_seen = r.tail_seen = UINT32_MAX - 20; /* indices wrap on the way */
    struct dice d = {7};
    uintptr_t put = 0, got = 0;
    for (unsigned round = 0; round < 20000; round++) {
        void *items[12];
        uint32_t n = (uint32_t)dice_below(&d, ARRAY_LEN(items) + 1);
        for (uint32_t i = 0; i < n; i++) {
            items[i] = item(put + i + 1);
        }
        uint32_t took = ring_put(&r, items, n);
        assert_int_equal(took, MIN(n, 8 - (put - got)));
        put += took;
        n = (uint32_t)dice_below(&d, ARRAY_LEN(items) + 1);
        uint32_t gave = ring_get(&r, items, n);
        assert_int_equal(gave, MIN(n, put - got));
        for (uint32_t i = 0; i < gave; i++) {
            assert_ptr_equal(items[i], item(++got));
        }
    }
    ring_done(&r);
}

#define HANDED 200000

static void *producer(void *arg) {
    struct ring *r = arg;
    for (uintptr_t next = 1; next <= HANDED;) {
        void *items[7];
        uint32_t n = (uint32_t)MIN(next % 7 + 1, HANDED - next + 1);
        for (uint32_t i = 0; i < n; i++) {
            items[i] = item(next + i);
        }
        uint32_t took = ring_put(r, items, n);
        next += took;
        if (!took) {
            (void)sched_yield();
        }
    }
    return NULL;
}

static void test_threads(void **state) {
    (void)state;
    struct ring r;
    pthread_t thread;
    assert_int_equal(ring_init(&r, 64), 0);
    assert_int_equal(pthread_create(&thread, NULL, producer, &r), 0);
    uintptr_t seen = 0;
    while (seen < HANDED) {
        void *items[16];
        uint32_t n = ring_get(&r, items, ARRAY_LEN(items));
        for (uint32_t i = 0; i < n; i++) {
            assert_ptr_equal(items[i], item(++seen));
        }
        if (!n) {
            (void)sched_yield();
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    ring_done(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_bulk),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
