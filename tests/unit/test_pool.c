/* test_pool.c: size classes, reuse, the ceiling and its counter, and that every block is usable to its last byte. */
#include "base/pool.h"

#include "check.h"

/* What pool.h promises: 64, 80, 96, 112, 128, 160, ... four classes per power of two. */
static size_t class_above(size_t size) {
    for (size_t base = 64;; base *= 2) {
        for (size_t quarter = 0; quarter < 4; quarter++) {
            if (base + quarter * (base / 4) >= size) {
                return base + quarter * (base / 4);
            }
        }
    }
}

static void test_classes(void **state) {
    (void)state;
    struct pool p;
    pool_init(&p, 0);
    for (size_t size = 0; size <= POOL_LARGEST; size = size < 600 ? size + 1 : size + size / 7) {
        size_t usable = 0;
        uint8_t *block = pool_take(&p, size, &usable);
        assert_non_null(block);
        assert_true(usable >= size);
        assert_int_equal((uintptr_t)block % 16, 0);
        memset(block, 0x5a, usable);
        assert_int_equal(p.in_use, class_above(size));
        pool_give(&p, block, size & 1 ? size : usable); /* either is right */
        assert_int_equal(p.in_use, 0);
    }
    assert_null(pool_take(&p, POOL_LARGEST + 1, NULL));
    assert_null(pool_take(&p, SIZE_MAX, NULL));
    assert_int_equal(p.refused, 2);
    pool_give(&p, NULL, 100);
    pool_done(&p);
    assert_int_equal(p.held, 0);
}

static void test_blocks_apart(void **state) {
    (void)state;
    enum { BLOCKS = 3000 };
    struct {
        uint8_t *at;
        size_t size;
    } blocks[BLOCKS];
    struct dice d = {1};
    struct pool p;
    pool_init(&p, 0);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i].at = pool_take(&p, 1 + dice_below(&d, i % 50 ? 600 : 40000), &blocks[i].size);
        assert_non_null(blocks[i].at);
        memset(blocks[i].at, (int)(i & 0xff), blocks[i].size);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        for (size_t k = 0; k < blocks[i].size; k++) {
            assert_int_equal(blocks[i].at[k], i & 0xff);
        }
        pool_give(&p, blocks[i].at, blocks[i].size);
    }
    assert_int_equal(p.in_use, 0);
    assert_true(p.peak > 0);
    pool_done(&p);
}

static void test_ceiling(void **state) {
    (void)state;
    struct pool p;
    pool_init(&p, 1000);
    void *a = pool_take(&p, 500, NULL), *b = pool_take(&p, 300, NULL); /* 512 + 320 */
    assert_non_null(a);
    assert_non_null(b);
    assert_null(pool_take(&p, 200, NULL));
    assert_int_equal(p.refused, 1);
    assert_int_equal(p.in_use, 832);
    void *c = pool_take(&p, 160, NULL);
    assert_non_null(c);
    assert_null(pool_grow(&p, c, 160, 160, 161, NULL));
    assert_int_equal(p.refused, 2);
    pool_give(&p, a, 500);
    a = pool_take(&p, 512, NULL);
    assert_non_null(a);
    assert_int_equal(p.peak, 992);
    pool_give(&p, a, 512);
    pool_give(&p, b, 300);
    pool_give(&p, c, 160);
    assert_int_equal(p.in_use, 0);
    pool_done(&p);
}

static void test_grow(void **state) {
    (void)state;
    struct pool p;
    pool_init(&p, 0);
    size_t size;
    uint8_t *block = pool_take(&p, 64, &size);
    assert_non_null(block);
    memcpy(block, "content", 7);
    uint8_t *bigger = pool_grow(&p, block, size, 7, 5000, &size);
    assert_non_null(bigger);
    assert_true(size >= 5000);
    assert_memory_equal(bigger, "content", 7);
    assert_int_equal(p.in_use, class_above(5000));
    pool_give(&p, bigger, size);
    block = pool_grow(&p, NULL, 0, 0, 10, &size); /* from nothing */
    assert_non_null(block);
    pool_give(&p, block, size);
    pool_done(&p);
}

static void test_reuse(void **state) {
    (void)state;
#ifdef SEINE_ARENA_DEBUG
    skip();
#endif
    if (CHECK_ASAN) {
        skip(); /* each block is a malloc of its own there */
    }
    struct pool p;
    pool_init(&p, 0);
    void *a = pool_take(&p, 100, NULL), *b = pool_take(&p, 100, NULL);
    size_t held = p.held;
    assert_true(held > 0);
    pool_give(&p, a, 100);
    pool_give(&p, b, 100);
    assert_ptr_equal(pool_take(&p, 112, NULL), b); /* last in, first out, within the class */
    assert_ptr_equal(pool_take(&p, 97, NULL), a);
    void *large = pool_take(&p, 100000, NULL);
    pool_give(&p, large, 100000);
    assert_ptr_equal(pool_take(&p, 100000, NULL), large);
    pool_give(&p, large, 100000);
    pool_give(&p, a, 100);
    pool_give(&p, b, 100);
    assert_true(p.held >= held + 100000);
    pool_done(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classes), cmocka_unit_test(test_blocks_apart), cmocka_unit_test(test_ceiling),
        cmocka_unit_test(test_grow),    cmocka_unit_test(test_reuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
