/* test_arena.c: alignment, ceiling and its counter, reset and its kept chunk; under ASan an overrun of one allocation
 * into its neighbour must be seen, which a child process tries. */
#include "base/arena.h"

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void test_blocks_apart(void **state) {
    (void)state;
    enum { BLOCKS = 500 };
    struct pool p;
    struct arena a;
    pool_init(&p, 0);
    arena_init(&a, &p, 256, 0);
    uint8_t *at[BLOCKS];
    for (size_t i = 0; i < BLOCKS; i++) {
        at[i] = arena_alloc(&a, i);
        assert_non_null(at[i]);
        assert_int_equal((uintptr_t)at[i] % 8, 0);
        memset(at[i], (int)(i & 0xff), i);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_int_equal(at[i][k], i & 0xff);
        }
    }
    assert_int_equal(a.refused, 0);
    assert_true(a.used >= BLOCKS * (BLOCKS - 1) / 2);
    arena_done(&a);
    assert_int_equal(p.in_use, 0);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 1)); /* usable again */
    arena_done(&a);
    pool_done(&p);
}

static void test_copy(void **state) {
    (void)state;
    struct pool p;
    struct arena a;
    pool_init(&p, 0);
    arena_init(&a, &p, 64, 0);
    char text[] = "text";
    struct span copy = arena_copy(&a, span_text(text));
    text[0] = 'n';
    assert_span(copy, "text");
    copy = arena_copy(&a, (struct span){0});
    assert_non_null(copy.at);
    assert_int_equal(copy.len, 0);
    uint8_t *zeroed = arena_calloc(&a, 5000);
    assert_non_null(zeroed);
    for (size_t i = 0; i < 5000; i++) {
        assert_int_equal(zeroed[i], 0);
    }
    arena_done(&a);
    pool_done(&p);
}

static void test_ceiling(void **state) {
    (void)state;
    struct pool p;
    struct arena a;
    pool_init(&p, 0);
    arena_init(&a, &p, 64, 1000);
    assert_non_null(arena_alloc(&a, 600));
    size_t used = a.used;
    assert_null(arena_alloc(&a, 500));
    assert_null(arena_copy(&a, span_make("x", POOL_LARGEST)).at);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_calloc(&a, SIZE_MAX - 8));
    assert_int_equal(a.refused, 4);
    assert_int_equal(a.used, used);
    assert_non_null(arena_alloc(&a, 300));
    arena_done(&a);
    pool_done(&p);
}

static void test_pool_refuses(void **state) {
    (void)state;
    struct pool p;
    struct arena a;
    pool_init(&p, 512);
    arena_init(&a, &p, 256, 0);
    assert_non_null(arena_alloc(&a, 100));
    assert_null(arena_alloc(&a, 2000));
    assert_int_equal(a.refused, 1);
    assert_int_equal(p.refused, 1);
    assert_non_null(arena_alloc(&a, 8)); /* what is there can still be used */
    arena_done(&a);
    assert_int_equal(p.in_use, 0);
    pool_done(&p);
}

static void test_reset(void **state) {
    (void)state;
    struct pool p;
    struct arena a;
    pool_init(&p, 0);
    arena_init(&a, &p, 64, 100000);
    arena_reset(&a); /* nothing there yet */
    size_t kept = 0;
    for (unsigned round = 0; round < 20; round++) {
        for (size_t i = 0; i < 100; i++) {
            uint8_t *block = arena_alloc(&a, 300);
            assert_non_null(block);
            memset(block, 1, 300);
        }
        arena_reset(&a);
        assert_int_equal(a.used, 0);
        assert_true(p.in_use > 0);
        assert_true(round < 2 || p.in_use <= MAX(kept, (size_t)1)); /* it settles */
        kept = p.in_use;
    }
    arena_done(&a);
    assert_int_equal(p.in_use, 0);
    pool_done(&p);
}

#if CHECK_ASAN
enum trespass { BEHIND, BEHIND_ROUNDING, AFTER_RESET, AFTER_DONE };

static void trespass(enum trespass how) {
    struct pool p;
    struct arena a;
    pool_init(&p, 0);
    arena_init(&a, &p, 4096, 0);
    volatile uint8_t *first = arena_alloc(&a, 13), *second = arena_alloc(&a, 13);
    if (how == BEHIND) {
        first[16] = second[0]; /* into the gap between the two */
    } else if (how == BEHIND_ROUNDING) {
        first[13] = 1; /* the exact size counts, not the rounded one */
    } else if (how == AFTER_RESET) {
        arena_reset(&a);
        first[0] = 1;
    } else {
        arena_done(&a);
        first[0] = 1;
    }
}

static void test_overrun_is_seen(void **state) {
    (void)state;
    for (enum trespass how = BEHIND; how <= AFTER_DONE; how++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            (void)!freopen("/dev/null", "w", stderr);
            trespass(how);
            _exit(0);
        }
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            fail_msg("trespass %d was not seen", (int)how);
        }
    }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_apart),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_pool_refuses),
        cmocka_unit_test(test_reset),
#if CHECK_ASAN
        cmocka_unit_test(test_overrun_is_seen),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
