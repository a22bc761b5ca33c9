/* test_json_scan.c: what is JSON and what is not, by tables in the manner of public suites; every engine gives the same
 * index wherever a text lies in its blocks; walks, strings and numbers; and walks over damaged text stay inside it.
 */
#include "base/json_scan.h"

#include <errno.h>

#include "check.h"

static int scan(struct json_index *x, struct span text, struct json_error *e) {
    int code = json_index_build(x, text, e);
    return code < 0 ? code : json_check(x, e);
}

/* RFC 8259 says these are JSON. */
static const char *const good[] = {
    "{}",
    "[]",
    " \t\r\n{ \t\r\n} \t\r\n",
    "0",
    "-0",
    "1",
    "-1",
    "10",
    "0.0",
    "1.5e10",
    "1E+2",
    "1e-2",
    "-1.0E0",
    "123456789012345678901234567890.123456789012345678901234567890e1234",
    "true",
    "false",
    "null",
    " null ",
    "\"\"",
    "\"a\"",
    "\" {}[]:, \"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFfFf\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"", /* half a pair: allowed by the grammar */
    "\"\x7f\"",
    "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
    "[1]",
    "[1,2]",
    "[ 1 , 2 ]",
    "[[],{},[[]]]",
    "[\"\",\"\\\\\",\"\\\"\"]",
    "{\"a\":1}",
    "{\"a\":1,\"a\":2}",
    "{\"\":0}",
    "{\"a\":{\"b\":[{\"c\":null}]},\"d\":[true,false]}",
    "{ \"a\" : [ ] , \"b\" : { } }",
    "[1\n]",
    "\"\\\\\\\\\"",
    "[\"\\\\\\\\\",\"\\\\\\\"\"]",
};

static const struct {
    const char *text;
    size_t at; /* of the error */
} bad[] = {
    {"", 0},
    {" ", 1},
    {"{", 1},
    {"[", 1},
    {"}", 0},
    {"]", 0},
    {":", 0},
    {",", 0},
    {"[1", 2},
    {"[1,", 3},
    {"[1,]", 3},
    {"[,1]", 1},
    {"[1,,2]", 3},
    {"[1 2]", 3},
    {"[1:2]", 2},
    {"[}", 1},
    {"{]", 1},
    {"[1}", 2},
    {"{\"a\":1]", 6},
    {"{\"a\"}", 4},
    {"{\"a\":}", 5},
    {"{\"a\":1,}", 7},
    {"{\"a\" 1}", 5},
    {"{\"a\",1}", 4},
    {"{1:1}", 1},
    {"{a:1}", 1},
    {"{\"a\":1 \"b\":2}", 7},
    {"{,}", 1},
    {"{\"a\":1}}", 7},
    {"[]]", 2},
    {"1 2", 2},
    {"{}{}", 2},
    {"[] x", 3},
    {"01", 0},
    {"-", 0},
    {"-a", 0},
    {"+1", 0},
    {".5", 0},
    {"1.", 0},
    {"1.e1", 0},
    {"1e", 0},
    {"1e+", 0},
    {"0x1", 0},
    {"1_0", 0},
    {"--1", 0},
    {"1.2.3", 0},
    {"[-01]", 1},
    {"Infinity", 0},
    {"NaN", 0},
    {"tru", 0},
    {"truee", 0},
    {"True", 0},
    {"nul", 0},
    {"falsefalse", 0},
    {"'a'", 0},
    {"\"a", 0},
    {"[\"a", 1},
    {"\"a\\\"", 0},
    {"\"\\", 0},
    {"\"a\"b", 3},
    {"\"a\"\"b\"", 3},
    {"[\"a\"\"b\"]", 4},
    {"\"\\a\"", 1},
    {"\"\\x41\"", 1},
    {"\"ab\\u12\"", 3},
    {"\"\\u12G4\"", 1},
    {"\"\\u\"", 1},
    {"\"a\nb\"", 2},
    {"\"a\tb\"", 2},
    {"\"\x01\"", 1},
    {"[\"\x1f\"]", 2},
    {"\\\"a\"", 3},
    {"[1]\\", 3},
    {"// comment\n1", 0},
    {"[1/**/]", 1},
    {"\"\xff\"", 1},
    {"\"ab\xc3\"", 3},
    {"\"\xc0\xaf\"", 1},     /* overlong */
    {"\"\xed\xa0\x80\"", 1}, /* a surrogate */
    {"\"\xf4\x90\x80\x80\"", 1},
    {"\xef\xbb\xbf{}", 0}, /* a byte order mark */
    {"[\xc2\xa0]", 1},     /* a blank that is none */
    {"[1]\x1a", 3},
    {"\x0c[1]", 0},
    {"1,", 1},
    {"\"a\":1", 3},
};

static void test_good(void **state) {
    (void)state;
    struct json_index x;
    struct json_error e;
    json_index_init(&x, 10000);
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (scan(&x, span_text(good[i]), &e) < 0) {
            fail_msg("%s: %s at %zu", good[i], e.what, e.at);
        }
    }
    json_index_done(&x);
}

static void test_bad(void **state) {
    (void)state;
    struct json_index x;
    json_index_init(&x, 10000);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct json_error e = {9999, NULL};
        int code = scan(&x, span_text(bad[i].text), &e);
        if (code != -EINVAL || e.at != bad[i].at || !e.what) {
            fail_msg("%s: %d, %s at %zu, not %zu", bad[i].text, code, e.what ? e.what : "nothing", e.at, bad[i].at);
        }
        assert_int_equal(scan(&x, span_text(bad[i].text), NULL), -EINVAL);
    }
    struct json_error e;
    assert_int_equal(scan(&x, SPAN_LITERAL("[\0]"), &e), -EINVAL);
    assert_int_equal(scan(&x, SPAN_LITERAL("\"\0\""), &e), -EINVAL);
    assert_int_equal(e.at, 1);
    json_index_done(&x);
}

static void test_depth(void **state) {
    (void)state;
    struct json_index x;
    struct json_error e;
    char text[2 * JSON_DEPTH_MAX + 4];
    json_index_init(&x, 10000);
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        int code = scan(&x, span_make(text, 2 * depth), &e);
        assert_int_equal(code, depth > JSON_DEPTH_MAX ? -EINVAL : 0);
    }
    assert_int_equal(e.at, JSON_DEPTH_MAX);
    /* Objects and arrays alternate over the words that remember them. */
    struct buf b;
    buf_init(&b, 10000);
    for (size_t i = 0; i < JSON_DEPTH_MAX / 2; i++) {
        buf_add_text(&b, "[{\"k\":");
    }
    buf_add_text(&b, "1");
    for (size_t i = 0; i < JSON_DEPTH_MAX / 2; i++) {
        buf_add_text(&b, "}]");
    }
    assert_int_equal(scan(&x, buf_span(&b), &e), 0);
    b.data[b.len - 1] = '}';
    assert_int_equal(scan(&x, buf_span(&b), &e), -EINVAL);
    assert_int_equal(e.at, b.len - 1);
    buf_done(&b);
    json_index_done(&x);
}

static void test_ceiling(void **state) {
    (void)state;
    struct json_index x;
    char text[2001];
    for (size_t i = 0; i < 2000; i += 2) {
        text[i] = i ? ',' : '[';
        text[i + 1] = '1';
    }
    text[2000] = ']'; /* 2001 entries */
    json_index_init(&x, 2000);
    assert_int_equal(json_index_build(&x, span_make(text, sizeof(text)), NULL), -E2BIG);
    assert_int_equal(json_kind_of(json_root(&x)), JSON_NONE); /* a failed index holds nothing */
    json_index_done(&x);
    json_index_init(&x, 2001);
    assert_int_equal(json_index_build(&x, span_make(text, sizeof(text)), NULL), 0);
    assert_int_equal(x.count, 2001);
    assert_int_equal(json_check(&x, NULL), 0);
    json_index_done(&x);
    json_index_init(&x, 0);
    assert_int_equal(json_index_build(&x, SPAN_LITERAL("1"), NULL), -E2BIG);
    json_index_done(&x);
}

/* --- engines --- */

static void engines_agree(struct span text) {
    struct json_index first, other;
    struct json_error e = {0}, f = {0};
    json_index_init(&first, 100000);
    json_index_init(&other, 100000);
    int code = json_index_build_by(&first, text, JSON_PORTABLE, &e);
    for (enum json_engine engine = JSON_SSE2; engine < JSON_ENGINES; engine++) {
        if (json_engine_works(engine)) {
            assert_int_equal(json_index_build_by(&other, text, engine, &f), code);
            assert_int_equal(other.count, first.count);
            assert_true(code < 0 ? e.at == f.at
                                 : !first.count || memcmp(first.at, other.at, first.count * sizeof(first.at[0])) == 0);
            assert_true(first.has_escape == other.has_escape && first.has_high == other.has_high);
        }
    }
    json_index_done(&first);
    json_index_done(&other);
}

static void test_engines(void **state) {
    (void)state;
    static const char alphabet[] = "\"\"\"\\\\\\{}[]:, \n\ta1-\x01\x0c\x1a\x1f\x7f\x80\xff;[{|}<>/";
    struct dice d = {3};
    uint8_t *text = malloc(1000);
    assert_non_null(text);
    for (unsigned round = 0; round < 20000; round++) {
        size_t len = dice_below(&d, round % 10 ? 200 : 1000), runs = 1 + dice_below(&d, 70);
        for (size_t i = 0; i < len; i++) {
            bool same = i && !dice_one_in(&d, runs); /* long runs of backslashes over the borders of blocks */
            text[i] = same ? text[i - 1] : (uint8_t)alphabet[dice_below(&d, sizeof(alphabet) - 1)];
        }
        engines_agree(span_make(text, len));
    }
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 70; at++) {
            memset(text, ' ', 80);
            text[at] = (uint8_t)byte;
            engines_agree(span_make(text, 80));
        }
    }
    free(text);
}

/* Backslashes of every number before a quote, at every place in the blocks. */
static void test_escapes_over_borders(void **state) {
    (void)state;
    struct json_index x;
    json_index_init(&x, 1000);
    for (size_t start = 0; start < 70; start++) {
        for (size_t slashes = 0; slashes < 140; slashes++) {
            char text[400];
            size_t len = 0;
            memset(text, ' ', start);
            len = start;
            text[len++] = '"';
            memset(text + len, '\\', slashes);
            len += slashes;
            text[len++] = '"';
            struct json_error e;
            int code = scan(&x, span_make(text, len), &e);
            if (code != (slashes % 2 ? -EINVAL : 0)) {
                fail_msg("%zu backslashes at %zu: %d", slashes, start, code);
            }
            text[len++] = '"';
            code = scan(&x, span_make(text, len), &e);
            if (code != (slashes % 2 ? 0 : -EINVAL)) {
                fail_msg("%zu backslashes and two quotes at %zu: %d", slashes, start, code);
            }
        }
    }
    json_index_done(&x);
}

/* --- walks --- */

static const char document[] =
    "{\"first\":1, \"http\" : {\"host\":[\"a.example\",\"b\\u002eexample\"],\"hostCnt\":2},\"empty\":{},\"none\":[],"
    "\"k\\u0065y\":\"escaped key\",\"esc\\\\aped\":\"2\",\"list\":[1,[2,3],{\"x\":[]},\"4\",null,true,-5.5e1 ],"
    "\"first\":\"second of that name\",\"last\":false}";

static void test_walks(void **state) {
    (void)state;
    struct json_index x;
    struct json_error e;
    json_index_init(&x, 1000);
    assert_int_equal(scan(&x, span_text(document), &e), 0);
    struct json_ref root = json_root(&x), v;
    assert_int_equal(json_kind_of(root), JSON_OBJECT);
    assert_span(json_raw_of(root), document);
    static const char *const keys[] = {"first",       "http", "empty", "none", "k\\u0065y",
                                       "esc\\\\aped", "list", "first", "last"};
    static const enum json_kind kinds[] = {JSON_NUMBER, JSON_OBJECT, JSON_OBJECT, JSON_ARRAY, JSON_STRING,
                                           JSON_STRING, JSON_ARRAY,  JSON_STRING, JSON_BOOL};
    struct json_walk w = json_walk_over(root);
    struct span key;
    size_t n = 0;
    while (json_walk_next(&w, &key, &v)) {
        assert_true(n < ARRAY_LEN(keys));
        assert_span(key, keys[n]);
        assert_int_equal(json_kind_of(v), kinds[n++]);
    }
    assert_int_equal(n, ARRAY_LEN(keys));
    assert_false(w.failed);
    assert_false(json_walk_next(&w, &key, &v));

    uint64_t number;
    assert_true(json_number_u64(json_find(root, SPAN_LITERAL("first")), &number));
    assert_int_equal(number, 1);
    assert_span(json_raw_of(json_find(root, SPAN_LITERAL("key"))), "\"escaped key\"");
    assert_span(json_raw_of(json_find(root, SPAN_LITERAL("esc\\aped"))), "\"2\"");
    assert_int_equal(json_kind_of(json_find(root, SPAN_LITERAL("esc\\\\aped"))), JSON_NONE);
    assert_int_equal(json_kind_of(json_find(root, SPAN_LITERAL("k\\u0065y"))), JSON_NONE);
    assert_int_equal(json_kind_of(json_find(root, SPAN_LITERAL("host"))), JSON_NONE); /* not of inner objects */
    assert_int_equal(json_kind_of(json_find(json_find(root, SPAN_LITERAL("host")), SPAN_LITERAL("x"))), JSON_NONE);
    v = json_find(json_find(root, SPAN_LITERAL("http")), SPAN_LITERAL("hostCnt"));
    assert_span(json_raw_of(v), "2");
    assert_span(json_raw_of(json_find(root, SPAN_LITERAL("http"))),
                "{\"host\":[\"a.example\",\"b\\u002eexample\"],\"hostCnt\":2}");
    assert_span(json_raw_of(json_find(root, SPAN_LITERAL("none"))), "[]");
    assert_int_equal(json_kind_of(json_find(json_find(root, SPAN_LITERAL("list")), SPAN_LITERAL("x"))), JSON_NONE);

    static const char *const elements[] = {"1", "[2,3]", "{\"x\":[]}", "\"4\"", "null", "true", "-5.5e1"};
    w = json_walk_over(json_find(root, SPAN_LITERAL("list")));
    for (n = 0; json_walk_next(&w, &key, &v); n++) {
        assert_true(n < ARRAY_LEN(elements));
        assert_int_equal(key.len, 0);
        assert_span(json_raw_of(v), elements[n]);
    }
    assert_int_equal(n, ARRAY_LEN(elements));
    w = json_walk_over(json_find(root, SPAN_LITERAL("empty")));
    assert_false(json_walk_next(&w, &key, &v));
    assert_false(w.failed);
    w = json_walk_over(json_find(root, SPAN_LITERAL("last"))); /* nothing to walk over */
    assert_false(json_walk_next(&w, &key, &v));
    json_index_done(&x);
}

static void string_is(const char *text, const char *wanted, bool borrowed) {
    struct json_index x;
    struct buf b;
    struct span got;
    json_index_init(&x, 100);
    buf_init(&b, 1000);
    buf_add_text(&b, "before ");
    assert_int_equal(scan(&x, span_text(text), NULL), 0);
    assert_true(json_string(json_root(&x), &b, &got));
    assert_span(got, wanted);
    assert_int_equal(b.len, borrowed ? 7 : 7 + strlen(wanted));
    assert_memory_equal(b.data, "before ", 7);
    buf_done(&b);
    json_index_done(&x);
}

static void test_strings(void **state) {
    (void)state;
    string_is("\"\"", "", true);
    string_is("\"plain \xc3\xa9\"", "plain \xc3\xa9", true);
    string_is("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", false);
    string_is("\"x\\u0041y\\u00e9z\\u20ac\"", "xAy\xc3\xa9z\xe2\x82\xac", false);
    string_is("\"\\ud83d\\uDE00!\"", "\xf0\x9f\x98\x80!", false);
    string_is("\"\\ud83d\"", "\xef\xbf\xbd", false);
    string_is("\"\\ud83dx\\ude00\"", "\xef\xbf\xbdx\xef\xbf\xbd", false);
    string_is("\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80", false);
    string_is("\"\\ud83d\\n\"", "\xef\xbf\xbd\n", false);
    struct json_index x;
    struct buf b;
    struct span got;
    json_index_init(&x, 100);
    buf_init(&b, 5);
    assert_int_equal(scan(&x, SPAN_LITERAL("[\"1234\\n6\",1,\"\\u0000\"]"), NULL), 0);
    struct json_walk w = json_walk_over(json_root(&x));
    struct span key;
    struct json_ref v;
    assert_true(json_walk_next(&w, &key, &v));
    assert_false(json_string(v, &b, &got)); /* no room: nothing is left behind */
    assert_int_equal(b.len, 0);
    assert_true(json_walk_next(&w, &key, &v));
    assert_false(json_string(v, &b, &got));
    assert_true(json_walk_next(&w, &key, &v));
    buf_clear(&b);
    assert_true(json_string(v, &b, &got));
    assert_int_equal(got.len, 1);
    assert_int_equal(got.at[0], 0);
    buf_done(&b);
    json_index_done(&x);
}

static void test_numbers(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is_u64, is_i64;
        uint64_t u64;
        int64_t i64;
        double number;
    } numbers[] = {
        {"0", true, true, 0, 0, 0},
        {"-0", false, true, 0, 0, 0},
        {"42", true, true, 42, 42, 42},
        {"-42", false, true, 0, -42, -42},
        {"18446744073709551615", true, false, UINT64_MAX, 0, 18446744073709551615.0},
        {"18446744073709551616", false, false, 0, 0, 18446744073709551616.0},
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX, 9223372036854775807.0},
        {"-9223372036854775808", false, true, 0, INT64_MIN, -9223372036854775808.0},
        {"-9223372036854775809", false, false, 0, 0, -9223372036854775809.0},
        {"1.0", false, false, 0, 0, 1},
        {"1e3", false, false, 0, 0, 1000},
        {"-1.5E-3 ", false, false, 0, 0, -0.0015},
    };
    struct json_index x;
    json_index_init(&x, 100);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        uint64_t u = 0;
        int64_t n = 0;
        double f = 0;
        assert_int_equal(scan(&x, span_text(numbers[i].text), NULL), 0);
        assert_int_equal(json_number_u64(json_root(&x), &u), numbers[i].is_u64);
        assert_int_equal(json_number_i64(json_root(&x), &n), numbers[i].is_i64);
        assert_true(u == numbers[i].u64 && n == numbers[i].i64);
        assert_true(json_number_double(json_root(&x), &f));
        assert_true(f == numbers[i].number);
    }
    bool truth = false;
    assert_int_equal(scan(&x, SPAN_LITERAL("true"), NULL), 0);
    assert_true(json_truth(json_root(&x), &truth));
    assert_true(truth);
    assert_int_equal(scan(&x, SPAN_LITERAL("false"), NULL), 0);
    assert_true(json_truth(json_root(&x), &truth));
    assert_false(truth);
    double f;
    assert_false(json_number_double(json_root(&x), &f));
    assert_int_equal(scan(&x, SPAN_LITERAL("null"), NULL), 0);
    assert_false(json_truth(json_root(&x), &truth));
    json_index_done(&x);
}

/* Everything the walks can be asked, on a value that may be nonsense. */
static void visit(struct json_ref v, unsigned depth) {
    uint64_t u;
    int64_t i;
    double f;
    bool b;
    struct span text, key;
    struct buf scratch;
    struct json_ref inner;
    uint8_t sum = 0;
    struct span raw = json_raw_of(v);
    for (size_t k = 0; k < raw.len; k++) {
        sum = (uint8_t)(sum + raw.at[k]);
    }
    (void)sum;
    buf_init(&scratch, 1000);
    (void)json_number_u64(v, &u);
    (void)json_number_i64(v, &i);
    (void)json_number_double(v, &f);
    (void)json_truth(v, &b);
    (void)json_string(v, &scratch, &text);
    buf_done(&scratch);
    (void)json_find(v, SPAN_LITERAL("a"));
    struct json_walk w = json_walk_over(v);
    while (depth < 20 && json_walk_next(&w, &key, &inner)) {
        visit(inner, depth + 1);
    }
}

static void test_damaged(void **state) {
    (void)state;
    struct json_index x;
    struct dice d = {17};
    size_t len = sizeof(document) - 1;
    json_index_init(&x, 1000);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t *text = malloc(len);
        assert_non_null(text);
        memcpy(text, document, len);
        for (unsigned k = 0; k < 1 + round % 4; k++) {
            text[dice_below(&d, len)] = (uint8_t) "\"{}[]:,\\ x1"[dice_below(&d, 11)];
        }
        if (json_index_build(&x, span_make(text, len - dice_below(&d, len)), NULL) == 0) {
            visit(json_root(&x), 0);
        }
        free(text);
    }
    json_index_done(&x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),     cmocka_unit_test(test_depth),
        cmocka_unit_test(test_ceiling), cmocka_unit_test(test_engines), cmocka_unit_test(test_escapes_over_borders),
        cmocka_unit_test(test_walks),   cmocka_unit_test(test_strings), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
