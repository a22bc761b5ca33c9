/* test_span.c: spans never read outside themselves, whatever the indices; searches and numbers at their borders. */
#include "check.h"

static const struct span none = {0};

static void test_sub(void **state) {
    (void)state;
    struct span s = SPAN_LITERAL("abcdef");
    assert_span(span_sub(s, 2, 3), "cde");
    assert_span(span_sub(s, 2, SIZE_MAX), "cdef");
    assert_span(span_sub(s, 6, 1), "");
    assert_ptr_equal(span_sub(s, SIZE_MAX, SIZE_MAX).at, s.at + 6);
    assert_span(span_from(s, 5), "f");
    assert_int_equal(span_sub(none, 0, 5).len, 0);
    assert_null(span_sub(none, 3, 5).at);
    assert_int_equal(span_byte(s, 5), 'f');
    assert_int_equal(span_byte(s, 6), -1);
    assert_int_equal(span_byte(none, 0), -1);
    assert_int_equal(span_text(NULL).len, 0);
}

static void test_compare(void **state) {
    (void)state;
    struct span s = SPAN_LITERAL("Host: x");
    assert_true(span_equal(none, SPAN_LITERAL("")));
    assert_false(span_equal(s, SPAN_LITERAL("Host: y")));
    assert_false(span_equal(s, SPAN_LITERAL("Host: ")));
    assert_true(span_is(s, "Host: x"));
    assert_true(span_starts(s, SPAN_LITERAL("Host")));
    assert_true(span_starts(s, none));
    assert_false(span_starts(SPAN_LITERAL("Ho"), SPAN_LITERAL("Host")));
    assert_true(span_ends(s, SPAN_LITERAL(": x")));
    assert_false(span_ends(SPAN_LITERAL("x"), SPAN_LITERAL(": x")));
    assert_true(span_ends(none, none));
    assert_true(span_equal_fold(s, SPAN_LITERAL("hOST: X")));
    /* Only letters fold: '[' and '{', '@' and '`' differ by the same bit. */
    assert_false(span_equal_fold(SPAN_LITERAL("[@"), SPAN_LITERAL("{`")));
    assert_false(span_equal_fold(SPAN_LITERAL("\xc4"), SPAN_LITERAL("\xe4")));
    assert_true(span_starts_fold(s, SPAN_LITERAL("HOST")));
    assert_false(span_starts_fold(SPAN_LITERAL("ho"), SPAN_LITERAL("HOST")));
}

/* Long texts of few letters, so that beginnings and ends fit in many places; every length around those of lanes. */
static void test_find_long(void **state) {
    (void)state;
    struct dice d = {17};
    uint8_t text[300], needle[40];
    for (int round = 0; round < 20000; round++) {
        size_t len = dice_below(&d, sizeof(text)), want = 1 + dice_below(&d, sizeof(needle)), at = 0;
        size_t letters = dice_one_in(&d, 4) ? 1 : 2 + dice_below(&d, 3);
        for (size_t i = 0; i < len; i++) {
            text[i] = (uint8_t)(0x7f + dice_below(&d, letters));
        }
        for (size_t i = 0; i < want; i++) {
            needle[i] = (uint8_t)(0x7f + dice_below(&d, letters));
        }
        if (len >= want && dice_one_in(&d, 2)) {
            memcpy(needle, text + dice_below(&d, len - want + 1), want);
        }
        uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees what is read behind the end */
        assert_non_null(exact);
        memcpy(exact, text, len);
        while (at + want <= len && memcmp(exact + at, needle, want) != 0) {
            at++;
        }
        size_t found = span_find(span_make(exact, len), span_make(needle, want));
        assert_true(found == (at + want <= len ? at : SPAN_NONE));
        free(exact);
    }
}

static void test_find(void **state) {
    (void)state;
    struct span s = SPAN_LITERAL("one TWO one");
    assert_int_equal(span_find(s, SPAN_LITERAL("one")), 0);
    assert_int_equal(span_find(span_from(s, 1), SPAN_LITERAL("one")), 7);
    assert_true(span_find(s, SPAN_LITERAL("one TWO one!")) == SPAN_NONE);
    assert_true(span_find(s, SPAN_LITERAL("two")) == SPAN_NONE);
    assert_int_equal(span_find(s, none), 0);
    assert_true(span_find(none, SPAN_LITERAL("a")) == SPAN_NONE);
    assert_int_equal(span_find_fold(s, SPAN_LITERAL("two")), 4);
    assert_int_equal(span_find_fold(s, SPAN_LITERAL("E t")), 2);
    assert_true(span_find_fold(s, SPAN_LITERAL("ones")) == SPAN_NONE);
    assert_int_equal(span_find_fold(s, none), 0);
    assert_int_equal(span_find_byte(s, 1, 'o'), 8);
    assert_int_equal(span_find_byte(s, 10, 'e'), 10);
    assert_true(span_find_byte(s, 11, 'e') == SPAN_NONE);
    assert_true(span_find_byte(none, 0, 0) == SPAN_NONE);
}

static void test_trim(void **state) {
    (void)state;
    assert_span(span_trim(SPAN_LITERAL(" \t\r\n a b \n")), "a b");
    assert_span(span_trim(SPAN_LITERAL(" \t ")), "");
    assert_span(span_trim(none), "");
    assert_span(span_trim(SPAN_LITERAL("\v")), "\v");
}

static void test_line(void **state) {
    (void)state;
    struct span rest = SPAN_LITERAL("a\r\n\n\r\nb\rc\nend"), line;
    assert_true(span_line(&rest, &line));
    assert_span(line, "a");
    assert_true(span_line(&rest, &line));
    assert_span(line, "");
    assert_true(span_line(&rest, &line));
    assert_span(line, "");
    assert_true(span_line(&rest, &line));
    assert_span(line, "b\rc");
    assert_false(span_line(&rest, &line));
    assert_span(rest, "end");
    assert_span(line, "b\rc");
    rest = none;
    assert_false(span_line(&rest, &line));
}

static void test_decimal(void **state) {
    (void)state;
    uint64_t n = 7;
    assert_true(span_decimal(SPAN_LITERAL("18446744073709551615"), UINT64_MAX, &n));
    assert_true(n == UINT64_MAX);
    n = 7;
    assert_false(span_decimal(SPAN_LITERAL("18446744073709551616"), UINT64_MAX, &n));
    assert_false(span_decimal(SPAN_LITERAL("99999999999999999999999"), UINT64_MAX, &n));
    assert_false(span_decimal(SPAN_LITERAL("256"), 255, &n));
    assert_false(span_decimal(none, 255, &n));
    assert_false(span_decimal(SPAN_LITERAL("+1"), 255, &n));
    assert_false(span_decimal(SPAN_LITERAL("-1"), 255, &n));
    assert_false(span_decimal(SPAN_LITERAL(" 1"), 255, &n));
    assert_false(span_decimal(SPAN_LITERAL("1 "), 255, &n));
    assert_false(span_decimal(SPAN_LITERAL("0x1"), 255, &n));
    assert_int_equal(n, 7); /* untouched on failure */
    assert_true(span_decimal(SPAN_LITERAL("255"), 255, &n));
    assert_int_equal(n, 255);
    assert_true(span_decimal(SPAN_LITERAL("000"), 0, &n));
    assert_int_equal(n, 0);
}

static void test_copy(void **state) {
    (void)state;
    uint8_t to[4] = "....";
    assert_ptr_equal(span_copy_to(SPAN_LITERAL("ab"), to), to + 2);
    assert_memory_equal(to, "ab..", 4);
    assert_ptr_equal(span_copy_to(none, to), to);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sub),  cmocka_unit_test(test_compare),   cmocka_unit_test(test_find),
        cmocka_unit_test(test_trim), cmocka_unit_test(test_line),      cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_copy), cmocka_unit_test(test_find_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
