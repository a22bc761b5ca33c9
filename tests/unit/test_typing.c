/* test_typing.c: what is being typed at the cursor, which `^` marks. */
#include "check.h"

#include "api/typing.h"

static struct typing_place find(const char *marked) {
    static char text[256];
    size_t cursor = strcspn(marked, "^");
    snprintf(text, sizeof(text), "%.*s%s", (int)cursor, marked, marked + cursor + 1);
    struct typing_place p;
    typing_find(span_text(text), cursor, &p);
    assert_true(p.from <= p.to && p.to <= strlen(text));
    return p;
}

static void check(const char *marked, enum typed what, const char *prefix, const char *field) {
    struct typing_place p = find(marked);
    assert_int_equal(p.what, what);
    assert_true(span_is(p.prefix, prefix));
    if (field) {
        assert_true(span_is(p.field, field));
    }
}

static void places(void **state) {
    (void)state;
    check("^", TYPED_FIELD, "", NULL);
    check("ho^", TYPED_FIELD, "ho", NULL);
    check("ho^st == x", TYPED_FIELD, "ho", NULL);
    check("host ^", TYPED_OPERATOR, "", "host");
    check("host =^", TYPED_OPERATOR, "=", "host");
    check("host == ^", TYPED_VALUE, "", "host");
    check("host == ab^c", TYPED_VALUE, "ab", "host");
    check("host == \"a b^", TYPED_VALUE, "a b", "host");
    check("host == [a, b^, c]", TYPED_VALUE, "b", "host");
    check("host == [a, \"x y^", TYPED_VALUE, "x y", "host");
    check("host == x ^", TYPED_CONNECTIVE, "", NULL);
    check("host == x &^", TYPED_CONNECTIVE, "&", NULL);
    check("host == x && po^", TYPED_FIELD, "po", NULL);
    check("!(host == \"x\\\"y\" || po^", TYPED_FIELD, "po", NULL);
    check("host == [a,b] && port > ^", TYPED_VALUE, "", "port");
    check("host == /a b^", TYPED_NOTHING, "", NULL);
    check("((a == b) && c^", TYPED_FIELD, "c", NULL);
}

static void replaced(void **state) {
    (void)state;
    struct typing_place p = find("ho^st == x");
    assert_int_equal(p.from, 0);
    assert_int_equal(p.to, 4);
    p = find("host == \"a ^b\" && x");
    assert_int_equal(p.from, 8);
    assert_int_equal(p.to, 13);
    assert_true(p.quoted);
    assert_true(find("a == [x^").listed);
}

/* Whatever the text is, it ends. */
static void odd_texts(void **state) {
    (void)state;
    static const char letters[] = "a\"[]/=!&|() \\,\x80";
    unsigned seed = 7;
    for (unsigned n = 0; n < 20000; n++) {
        char text[24];
        size_t len = n % sizeof(text);
        for (size_t i = 0; i < len; i++) {
            seed = seed * 1103515245 + 12345;
            text[i] = letters[seed / 65536 % (sizeof(letters) - 1)];
        }
        struct typing_place p;
        typing_find(span_make(text, len), len, &p);
        assert_true(p.from <= p.to && p.to <= len);
    }
}

static void quotes(void **state) {
    (void)state;
    assert_false(typing_needs_quotes(SPAN_LITERAL("www.example.com")));
    assert_false(typing_needs_quotes(SPAN_LITERAL("10.0.0.1")));
    assert_true(typing_needs_quotes(SPAN_LITERAL("a b")));
    assert_true(typing_needs_quotes(SPAN_LITERAL("a*")));
    assert_true(typing_needs_quotes(SPAN_LITERAL("$x")));
    assert_true(typing_needs_quotes(SPAN_LITERAL("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(replaced),
        cmocka_unit_test(odd_texts),
        cmocka_unit_test(quotes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
