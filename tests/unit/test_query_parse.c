/* test_query_parse.c: what is refused, with its place and hint; bounds of size and depth. */
#include <errno.h>

#include "query/item.h"
#include "query/regex.h"
#include "query_build.h"

struct wrong {
    const char *text;
    int column;
    const char *words, *hint; /* hint: NULL when it does not matter */
};

static const struct wrong wrongs[] = {
    {"protcols == tcp", 1, "Unknown field protcols", "protocols"},
    {"port == 1 && fred.ip=10.0.0.2", 14, "Unknown field fred.ip", NULL},
    {"db:noSuchField=1", 1, "Unknown field", NULL},
    {"bytes/packets > 5", 1, "Unknown field bytes/packets", NULL},
    {"port ==", 8, "value is missing", NULL},
    {"== 5", 0, "unexpected", NULL},
    {"port", 1, "not compared", "EXISTS!"},
    {"(port == 1", 11, ") is missing", NULL},
    {"port == 1)", 10, "behind the end", "too many"},
    {"port == 1 port == 2", 11, "operator is missing", "&&"},
    {"port == 1 &&", 13, "name is missing", NULL},
    {"\"port\" == 1", 1, "without quotes", NULL},
    {"http.uri == \"abc", 13, "quotes are not closed", NULL},
    {"port == [1,2", 9, "] is missing", NULL},
    {"port == []", 10, "empty", NULL},
    {"port > [1,2]", 9, "List queries not supported", NULL},
    {"port == 80-90x", 12, "90x is not a number", NULL},
    {"port == 90-80", 9, "backwards", NULL},
    {"port == [80, zz]", 14, "zz is not a number", NULL},
    {"port == /80/", 10, "Regex queries not supported for integer", NULL},
    {"bytes > 5m", 9, "duration", "M"},
    {"duration > 5MB", 12, "size", NULL},
    {"ip.dst=a", 8, "a not a valid ip", NULL},
    {"ip.dst=999.1.1.1", 8, "not a valid ip", NULL},
    {"ip.dst=1.2.3.4/a", 8, "not a valid ip", NULL},
    {"ip.dst=1.2.3.4/99", 8, "/32", NULL},
    {"ip.dst=1.2.3.4:8a", 8, "not a valid port", NULL},
    {"ip.dst=1.2.3.4/10:a", 8, "not a valid port", NULL},
    {"ip.dst=1::4.g8", 8, "not a valid port", NULL},
    {"ip.dst=10.*", 8, "Wildcard not supported for ip", NULL},
    {"ip.dst=/10/", 9, "Regex not supported for ip", NULL},
    {"outerip.src=1.2.3.4:80", 13, "doesn't support port", NULL},
    {"ip.src > 1.2.3.4:80", 10, "only an address", NULL},
    {"ip.protocol == foo", 16, "Unknown protocol string foo", NULL},
    {"host.http > a", 13, "Invalid operator", NULL},
    {"host.http == $mine", 14, "Shortcut not found", NULL},
    {"starttime == yesterdayish", 14, "Invalid date", NULL},
    {"starttime > EXISTS!", 13, "EXISTS! goes with", NULL},
    {"rows == 5", 9, "group of fields", NULL},
    {"http.uri == /a(b/", 17, "( in the regular expression is not closed", NULL},
    {"http.uri == /a[b/", 15, "[ in the regular expression is not closed", NULL},
    {"http.uri == /*a/", 14, "nothing stands before", NULL},
    {"http.uri == /a{5,2}/", 19, "{n}, {n,} or {n,m}", NULL},
    {"http.uri == /((a{1000}){1000}){1000}/", 0, "too big", NULL},
    {"http.uri == /((((){1000}){1000}){1000}){1000}/", 0, "too big", NULL},
    {"http.statuscode + 1 > 5", 1, "one value", NULL},
    {"host.http + 1 > 5", 1, "numbers or times", NULL},
    {"ip.src == port.src", 11, "different kinds", NULL},
    {"host.http > (host.other)", 11, "== and !=", NULL},
};

static void test_errors(void **state) {
    (void)state;
    struct build b;
    build_init(&b);
    for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
        const struct wrong *w = &wrongs[i];
        struct query *q = (struct query *)1;
        struct err e = {0};
        int code = query_parse(span_text(w->text), b.registry, BUILD_NOW, &q, &e);
        if (code != -EINVAL || q) {
            fail_msg("%s: code %d", w->text, code);
        }
        if (!strstr(e.text, w->words) || (w->column && e.column != w->column)) {
            fail_msg("%s: \"%s\" at %d, expected \"%s\" at %d", w->text, e.text, e.column, w->words, w->column);
        }
        if (w->hint && !strstr(e.hint, w->hint)) {
            fail_msg("%s: hint \"%s\"", w->text, e.hint);
        }
        assert_int_equal(query_parse(span_text(w->text), b.registry, BUILD_NOW, &q, NULL), -EINVAL);
    }
    build_done(&b);
}

static char *repeat(const char *head, const char *part, size_t count, const char *tail) {
    size_t len = strlen(part);
    char *text = malloc(strlen(head) + len * count + strlen(tail) + 1);
    uint8_t *at = span_copy_to(span_text(head), (uint8_t *)text);
    for (size_t i = 0; i < count; i++) {
        at = span_copy_to(span_text(part), at);
    }
    *span_copy_to(span_text(tail), at) = 0;
    return text;
}

static int parsed(struct build *b, char *text, bool *ret_fits) {
    struct query *q;
    struct err e = {0};
    int code = query_parse(span_text(text), b->registry, BUILD_NOW, &q, &e);
    *ret_fits = code == 0 && query_match(q, &b->record);
    query_free(q);
    free(text);
    return code;
}

static void test_bounds(void **state) {
    (void)state;
    struct build b;
    bool fits;
    build_init(&b);
    assert_int_equal(parsed(&b, repeat("", "(", 100000, ""), &fits), -EINVAL);
    assert_int_equal(parsed(&b, repeat("bytes > ", "(", 100000, ""), &fits), -EINVAL);
    assert_int_equal(parsed(&b, repeat("bytes > 1", " + 1", 100000, ""), &fits), -EINVAL);
    assert_int_equal(parsed(&b, repeat("", "!", 1000001, "port == 1"), &fits), 0);
    assert_true(fits);
    assert_int_equal(parsed(&b, repeat("port == 1", "||port == 1", 50000, "||port == 443"), &fits), 0);
    assert_true(fits);
    assert_int_equal(parsed(&b, repeat("port == [", "1,", 200000, "443]"), &fits), 0);
    assert_true(fits);
    assert_int_equal(parsed(&b, repeat("http.uri == \"", "a", 900000, "\""), &fits), 0);
    assert_false(fits);
    assert_int_equal(parsed(&b, repeat("", " ", QUERY_TEXT_MAX + 1, ""), &fits), -E2BIG);
    assert_int_equal(parsed(&b, repeat("http.uri == /", "a", 5000, "/"), &fits), -EINVAL);
    assert_int_equal(parsed(&b, repeat("http.uri == [", "/x.*y/,", 100000, "/caf.*/]"), &fits), 0);
    assert_true(fits);
    build_done(&b);
}

/* --- cost: counted in steps, not in time --- */

#define LETTERS 16384

struct cost {
    struct pool pool;
    struct arena arena;
    uint8_t text[LETTERS];
};

static uint64_t regex_cost(struct cost *c, char *pattern, bool *ret_fits) {
    const struct regex *re;
    struct err e = {0};
    uint64_t steps;
    int code = regex_compile(span_text(pattern), true, &c->arena, &re, &e);
    free(pattern);
    if (code < 0) {
        fail_msg("%s", e.text);
    }
    *ret_fits = regex_match_steps(re, span_make(c->text, LETTERS), false, &steps);
    return steps;
}

static void test_regex_cost(void **state) {
    static struct cost c;
    bool fits;
    (void)state;
    pool_init(&c.pool, 0);
    arena_init(&c.arena, &c.pool, 4096, 0);
    memset(c.text, 'a', LETTERS);
    c.text[LETTERS - 1] = '!';
    /* what makes backtracking engines need 2^n steps */
    assert_true(regex_cost(&c, repeat("", "(a+)+", 1, ""), &fits) <= 16 * LETTERS);
    assert_false(fits);
    assert_true(regex_cost(&c, repeat("(a|aa)*", "(a|a)*", 2, "b"), &fits) <= 32 * LETTERS);
    assert_false(fits);
    assert_true(regex_cost(&c, repeat("", "a?", 400, ".*"), &fits) <= UINT64_C(2) * REGEX_CODE_MAX * (LETTERS + 1));
    assert_true(fits);
    assert_true(regex_cost(&c, repeat("", "(.*x)", 300, ""), &fits) <= UINT64_C(2) * REGEX_CODE_MAX * (LETTERS + 1));
    assert_false(fits);
    arena_done(&c.arena);
    pool_done(&c.pool);
}

/* A set is looked at in the same time however many ranges it was written with. */
static void test_regex_sets(void **state) {
    static const struct {
        const char *pattern, *text;
        bool fold, fits;
    } cases[] = {
        {"[zyx-za-cb-d]", "c", false, true},
        {"[zyx-za-cb-d]", "w", false, false},
        {"[zyx-za-cb-d]", "D", false, false},
        {"[zyx-za-cb-d]", "D", true, true},
        {"[^x-za]", "Y", true, false},
        {"[^x-za]", "Y", false, true},
        {"[^a\xc3\xa0-\xc3\xa9]", "\xc3\xa4", false, false},
        {"[a\xc3\xa0-\xc3\xa9]", "\xc3\xa4", false, true},
        {"[\xc3\xa9\xc3\xa0]", "\xc3\xa4", false, false},
    };
    struct pool pool;
    struct arena arena;
    (void)state;
    pool_init(&pool, 0);
    arena_init(&arena, &pool, 4096, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct regex *re;
        struct err e = {0};
        if (regex_compile(span_text(cases[i].pattern), cases[i].fold, &arena, &re, &e) < 0) {
            fail_msg("%s: %s", cases[i].pattern, e.text);
        }
        if (regex_match(re, span_text(cases[i].text), false) != cases[i].fits) {
            fail_msg("%s: %s", cases[i].pattern, cases[i].text);
        }
    }
    arena_done(&arena);
    pool_done(&pool);
}

static void test_wildcard_cost(void **state) {
    static uint8_t text[LETTERS];
    uint64_t steps;
    (void)state;
    memset(text, 'a', LETTERS);
    char *stars = repeat("", "*a", 1000, "*b"), *run = repeat("*", "a", 1000, "b");
    assert_false(wildcard_match_steps(span_text(stars), span_make(text, LETTERS), false, false, &steps));
    assert_true(steps <= UINT64_C(8) * LETTERS);
    assert_false(wildcard_match_steps(span_text(run), span_make(text, LETTERS), false, false, &steps));
    assert_true(steps <= UINT64_C(1002) * LETTERS);
    free(stars);
    free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),     cmocka_unit_test(test_bounds),        cmocka_unit_test(test_regex_cost),
        cmocka_unit_test(test_regex_sets), cmocka_unit_test(test_wildcard_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
