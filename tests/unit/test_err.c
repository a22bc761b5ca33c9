/* test_err.c: texts are cut, never overrun; places survive; distances are those of Levenshtein. */
#include "base/err.h"

#include <errno.h>

#include "check.h"

static void test_set(void **state) {
    (void)state;
    struct err e = {.line = 7, .column = 3, .hint = "old"};
    assert_int_equal(err_set(&e, -EINVAL, "no %s", "way"), -EINVAL);
    assert_string_equal(e.text, "no way");
    assert_string_equal(e.hint, "");
    assert_int_equal(e.code, -EINVAL);
    assert_int_equal(e.line, 7);
    assert_int_equal(e.column, 3);
    err_hint(&e, "write %d", 5);
    assert_string_equal(e.hint, "write 5");
    assert_string_equal(e.text, "no way");
    assert_int_equal(err_set(NULL, -EIO, "nobody listens"), -EIO);
    err_hint(NULL, "nobody");
    char huge[1000];
    memset(huge, 'x', sizeof(huge) - 1);
    huge[sizeof(huge) - 1] = 0;
    (void)err_set(&e, -EINVAL, "%s", huge);
    assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
    err_hint(&e, "%s", huge);
    assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
}

static void test_distance(void **state) {
    (void)state;
    static const struct {
        const char *a, *b;
        size_t distance;
    } known[] = {{"", "", 0},
                 {"", "abc", 3},
                 {"kitten", "sitting", 3},
                 {"tcpTimout", "tcptimeout", 1},
                 {"flaw", "lawn", 2},
                 {"ABC", "abc", 0},
                 {"[", "{", 1}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        assert_int_equal(text_distance(known[i].a, known[i].b), known[i].distance);
        assert_int_equal(text_distance(known[i].b, known[i].a), known[i].distance);
    }
    char a[200], b[200];
    memset(a, 'a', sizeof(a));
    memset(b, 'b', sizeof(b));
    a[199] = b[199] = 0;
    assert_int_equal(text_distance(a, b), 63); /* looked at so far */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_set), cmocka_unit_test(test_distance)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
