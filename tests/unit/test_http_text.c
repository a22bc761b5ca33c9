/* test_http_text.c: parameters, targets, hosts and codings of HTTP: what is taken apart before anybody is known. */
#include <errno.h>

#include "check.h"
#include "http/encode.h"
#include "http/listen.h"
#include "http/params.h"
#include "http/target.h"

static void assert_param(const struct params *p, const char *name, const char *value) {
    const struct param *one = params_find(p, name);
    assert_non_null(one);
    assert_span(span_make(one->value, one->len), value);
    assert_int_equal(one->value[one->len], 0);
}

static void test_query(void **state) {
    struct params p = {0};
    (void)state;
    assert_int_equal(params_add_query(&p, span_text("a=1&b=x+y%20z&&c&a=%32&d=%zz%4&=e&f=a=b")), 0);
    assert_param(&p, "a", "1,2");
    assert_param(&p, "b", "x y z");
    assert_param(&p, "c", "");
    assert_param(&p, "d", "%zz%4");
    assert_param(&p, "", "e");
    assert_param(&p, "f", "a=b");
    assert_null(params_find(&p, "e"));
    params_done(&p);
    assert_int_equal(params_add_query(&p, span_text("n%61me=%00x")), 0);
    assert_int_equal(params_find(&p, "name")->len, 2);
    params_done(&p);
}

static void test_query_ceiling(void **state) {
    struct params p = {0};
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 20);
    for (unsigned i = 0; i <= PARAMS_MAX; i++) {
        buf_printf(&text, "p%u=1&", i);
    }
    assert_int_equal(params_add_query(&p, buf_span(&text)), -E2BIG);
    assert_int_equal(p.count, PARAMS_MAX);
    params_done(&p);
    buf_done(&text);
}

static void test_json(void **state) {
    struct params p = {0};
    (void)state;
    assert_int_equal(
        params_add_json(&p, span_text("{\"a\":1,\"b\":\"x\\u00e9\",\"c\":[1, 2],\"d\":null,\"a\\u0062\":true,"
                                      "\"a\":{\"x\":\"y\"}}")),
        0);
    assert_param(&p, "a", "{\"x\":\"y\"}");
    assert_true(params_find(&p, "a")->json);
    assert_param(&p, "b", "x\xc3\xa9");
    assert_false(params_find(&p, "b")->json);
    assert_param(&p, "c", "[1, 2]");
    assert_null(params_find(&p, "d"));
    assert_param(&p, "ab", "true");
    params_done(&p);
    static const char *const bad[] = {"{\"a\":1,", "{a:1}", "", "{\"a\":01}", "{} {}", "nothing"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(params_add_json(&p, span_text(bad[i])), -EINVAL);
        params_done(&p);
    }
    assert_int_equal(params_add_json(&p, span_text("[1,2]")), 0);
    assert_int_equal(p.count, 0);
    params_done(&p);
}

static void test_target(void **state) {
    struct target t;
    (void)state;
    assert_int_equal(target_parse(span_text("/api/session/n%20a/3%40x%2Fy?a=/../b"), "", &t), 0);
    assert_string_equal(t.path, "/api/session/n a/3@x/y");
    assert_int_equal(t.count, 4);
    assert_string_equal(t.parts[2], "n a");
    assert_string_equal(t.parts[3], "3@x/y");
    assert_span(t.query, "a=/../b");
    target_done(&t);
    assert_int_equal(target_parse(span_text("/"), "", &t), 0);
    assert_int_equal(t.count, 0);
    target_done(&t);
    assert_int_equal(target_parse(span_text("/seine/api/x"), "/seine/", &t), 0);
    assert_string_equal(t.path, "/api/x");
    target_done(&t);
    assert_int_equal(target_parse(span_text("/seine"), "/seine/", &t), 0);
    assert_string_equal(t.path, "/");
    target_done(&t);
    assert_int_equal(target_parse(span_text("/seiner/api"), "/seine/", &t), -ENOENT);
    assert_int_equal(target_parse(span_text("/api"), "/seine/", &t), -ENOENT);
}

/* Nothing that climbs, however it is spelt. */
static void test_target_refused(void **state) {
    static const char *const bad[] = {
        "/..",  "/a/../b", "/a/..", "/./a", "/%2e%2e/x", "/a/%2E./x",    "/.%2e/x",    "/a%00b",    "/%",      "/%4",
        "/%zz", "api",     "*",     "",     "/a/..%2fb", "/a/x%2f..%2f", "http://x/y", "/a/%2e%2e", "/a/%2e/b"};
    struct target t;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(target_parse(span_text(bad[i]), "", &t), -EINVAL);
    }
    assert_int_equal(target_parse(span_text("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"), "", &t), -E2BIG);
    /* Dots in names are no climbing. */
    assert_int_equal(target_parse(span_text("/...//a..b/.x"), "", &t), 0);
    target_done(&t);
}

static void test_host(void **state) {
    static const char *const names[] = {"seine.example", NULL};
    (void)state;
    assert_span(host_name(span_text("localhost:8005")), "localhost");
    assert_span(host_name(span_text("[::1]:8005")), "[::1]");
    assert_int_equal(host_name(span_text("[::1")).len, 0);
    assert_int_equal(host_name(span_text("[::1]x")).len, 0);
    assert_true(host_is_loopback(span_text("LocalHost")));
    assert_true(host_is_loopback(span_text("127.1.2.3")));
    assert_true(host_is_loopback(span_text("[::1]")));
    assert_false(host_is_loopback(span_text("127.0.0.1.evil.example")));
    assert_false(host_is_loopback(span_text("localhost.evil")));
    assert_false(host_is_loopback(span_text("10.0.0.1")));
    assert_false(host_is_loopback(span_text("")));
    assert_true(host_listed(span_text("Seine.Example"), names));
    assert_false(host_listed(span_text("seine.example.org"), names));
    assert_true(listen_is_loopback("::1") && listen_is_loopback("127.0.0.1") && listen_is_loopback("localhost"));
    assert_false(listen_is_loopback("0.0.0.0") || listen_is_loopback("::") || listen_is_loopback("x"));
}

static void test_coding(void **state) {
    (void)state;
    assert_int_equal(coding_choose(NULL), CODING_NONE);
    assert_int_equal(coding_choose("deflate, GZIP"), CODING_GZIP);
    assert_int_equal(coding_choose("gzip, deflate, br, zstd"), CODING_ZSTD);
    assert_int_equal(coding_choose("gzip;q=0.5, zstd;q=0"), CODING_GZIP);
    assert_int_equal(coding_choose("gzip;q=0.000"), CODING_NONE);
    assert_int_equal(coding_choose("xgzip, zstdx,,;"), CODING_NONE);
    assert_false(coding_accepts("zstd", CODING_GZIP));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),  cmocka_unit_test(test_query_ceiling),  cmocka_unit_test(test_json),
        cmocka_unit_test(test_target), cmocka_unit_test(test_target_refused), cmocka_unit_test(test_host),
        cmocka_unit_test(test_coding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
