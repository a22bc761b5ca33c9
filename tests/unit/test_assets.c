/* test_assets.c: the table of the web application's files: order, pages, unpacking. */
#include "check.h"

#include "http/assets.h"

#include <errno.h>

static void table_is_sorted_and_whole(void **state) {
    (void)state;
    assert_true(asset_count > 0);
    for (size_t i = 0; i < asset_count; i++) {
        const struct asset *a = &asset_table[i];
        assert_int_equal(a->path[0], '/');
        assert_true(a->size > 0);
        assert_int_equal(a->etag[0], '"');
        assert_true(strlen(a->type) > 3);
        if (i) {
            assert_true(strcmp(asset_table[i - 1].path, a->path) < 0);
        }
        assert_ptr_equal(asset_find(a->path), strchr(a->path, '.') ? a : asset_find("/index.html"));
    }
}

static void pages_give_the_page(void **state) {
    (void)state;
    const struct asset *page = asset_find("/index.html");
    assert_non_null(page);
    assert_ptr_equal(asset_find("/"), page);
    assert_ptr_equal(asset_find("/sessions"), page);
    assert_false(page->lasting);
    assert_null(asset_find("/assets/none.js"));
    assert_null(asset_find("/favicon.xyz"));
    assert_null(asset_find(""));
    assert_null(asset_find("sessions"));
}

static void every_file_unpacks(void **state) {
    (void)state;
    for (size_t i = 0; i < asset_count; i++) {
        struct buf out;
        buf_init(&out, (size_t)16 << 20);
        assert_int_equal(asset_plain(&asset_table[i], &out), 0);
        assert_int_equal(out.len, asset_table[i].plain_size);
        buf_done(&out);
    }
}

static void damage_and_small_buffers_are_told(void **state) {
    (void)state;
    struct asset page = *asset_find("/index.html");
    struct buf out;
    buf_init(&out, page.plain_size / 2);
    assert_int_equal(asset_plain(&page, &out), -ENOMEM);
    buf_done(&out);
    assert_true(page.gzip);
    buf_init(&out, (size_t)16 << 20);
    page.size /= 2;
    assert_int_equal(asset_plain(&page, &out), -EBADMSG);
    assert_int_equal(out.len, 0);
    buf_done(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sorted_and_whole),
        cmocka_unit_test(pages_give_the_page),
        cmocka_unit_test(every_file_unpacks),
        cmocka_unit_test(damage_and_small_buffers_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
