/* test_endpoints.c: the tables of endpoints: each is found by its own path, described, and closed to strangers. */
#include "api/shared.h"
#include "base/json_scan.h"
#include "check.h"

static void each_endpoint(void (*check)(const struct endpoint *e)) {
    for (const struct endpoint_family *const *family = api_families; *family; family++) {
        assert_true((*family)->name && (*family)->count);
        for (size_t i = 0; i < (*family)->count; i++) {
            check(&(*family)->list[i]);
        }
    }
}

static void check_words(const struct endpoint *e) {
    if (!e->function || !e->title || !*e->title || !e->help || !*e->help || e->pattern[0] != '/') {
        fail_msg("%s is not described", e->pattern);
    }
    if (!(e->flags & (API_GET | API_POST | API_PUT | API_DELETE))) {
        fail_msg("%s has no method", e->pattern);
    }
    for (const struct parameter *p = e->parameters; p && p->name; p++) {
        if (!p->help || !*p->help) {
            fail_msg("%s: %s is not described", e->pattern, p->name);
        }
    }
}

/* What only changes things needs the CSRF token; what is open asks for nothing more. */
static void check_token(const struct endpoint *e) {
    if ((e->flags & (API_PUT | API_DELETE)) && !(e->flags & (API_TOKEN | API_TOKEN_BROWSER))) {
        fail_msg("%s changes something without the CSRF token", e->pattern);
    }
    if ((e->flags & API_OPEN) && e->rights) {
        fail_msg("%s is open and asks for rights", e->pattern);
    }
}

static size_t split(char *path, const char **ret_parts) {
    size_t count = 0;
    for (char *at = path; *at; at++) {
        if (*at == '/') {
            *at = 0;
            ret_parts[count++] = at + 1;
        }
    }
    return count;
}

/* Names in patterns stand for a text that is no literal part of any. */
static void check_found(const struct endpoint *e) {
    char path[256];
    const char *parts[16], *values[8];
    char memory[256];
    size_t len = 0;
    for (const char *at = e->pattern; *at && len + 8 < sizeof(path); at++) {
        if (*at == ':') {
            len += (size_t)snprintf(path + len, sizeof(path) - len, "Xq7");
            at += strcspn(at, "/.") - 1;
        } else {
            path[len++] = *at;
        }
    }
    path[len] = 0;
    size_t count = split(path, parts);
    for (uint32_t method = API_GET; method <= API_DELETE; method <<= 1) {
        if (e->flags & method) {
            struct endpoint_match m = endpoint_find(parts, count, method, values, memory, sizeof(memory));
            if (m.endpoint != e) {
                fail_msg("%s: its own path leads to %s", e->pattern, m.endpoint ? m.endpoint->pattern : "nothing");
            }
        }
    }
}

static void test_words(void **state) {
    (void)state;
    each_endpoint(check_words);
}

static void test_token(void **state) {
    (void)state;
    each_endpoint(check_token);
}

static void test_found(void **state) {
    (void)state;
    each_endpoint(check_found);
}

static void test_find(void **state) {
    const char *values[8];
    char memory[256];
    (void)state;
    struct endpoint_match m = endpoint_find((const char *const[]){"api", "user", "anna", "acknowledge"}, 4, API_PUT,
                                            values, memory, sizeof(memory));
    assert_non_null(m.endpoint);
    assert_string_equal(values[0], "anna");
    m = endpoint_find((const char *const[]){"health"}, 1, API_DELETE, values, memory, sizeof(memory));
    assert_null(m.endpoint);
    assert_int_equal(m.other_methods, API_GET);
    m = endpoint_find((const char *const[]){"api", "nothing"}, 2, API_GET, values, memory, sizeof(memory));
    assert_true(!m.endpoint && !m.other_methods);
    m = endpoint_find(NULL, 0, API_GET, values, memory, sizeof(memory));
    assert_null(m.endpoint);
    m = endpoint_find((const char *const[]){"api", "user", "tokens"}, 3, API_GET, values, memory, sizeof(memory));
    assert_string_equal(m.endpoint->pattern, "/api/user/tokens");
}

static void test_openapi(void **state) {
    struct buf text, page;
    struct json_index x;
    struct json_error error;
    (void)state;
    buf_init(&text, (size_t)16 << 20);
    buf_init(&page, (size_t)16 << 20);
    json_index_init(&x, 1u << 20);
    openapi_write(&text);
    assert_false(text.overflowed);
    assert_int_equal(json_index_build(&x, buf_span(&text), &error), 0);
    assert_int_equal(json_check(&x, &error), 0);
    struct json_ref paths = json_find(json_root(&x), span_text("paths"));
    assert_int_equal(json_kind_of(json_find(paths, span_text("/api/user/{id}/acknowledge"))), JSON_OBJECT);
    struct json_ref settings = json_find(paths, span_text("/api/user/settings"));
    assert_int_equal(json_kind_of(json_find(settings, span_text("get"))), JSON_OBJECT);
    assert_int_equal(json_kind_of(json_find(settings, span_text("post"))), JSON_OBJECT);
    endpoints_markdown(&page);
    assert_true(span_find(buf_span(&page), span_text("POST `/api/user/settings`")) != SPAN_NONE);
    json_index_done(&x);
    buf_done(&text);
    buf_done(&page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words), cmocka_unit_test(test_token),   cmocka_unit_test(test_found),
        cmocka_unit_test(test_find),  cmocka_unit_test(test_openapi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
