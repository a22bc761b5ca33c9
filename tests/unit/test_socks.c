/* test_socks.c: SOCKS in every version, cut into any pieces, asked by either side, ahead of the answers; and what is
 * none. */
#include "dissect_run.h"

#define PORT 1080
#define GET "GET / HTTP/1.1\r\nHost: www.a.example\r\n\r\n"
#define PAGE "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static int set_up(void **state) {
    struct dissect_run *r = malloc(sizeof(*r));
    assert_non_null(r);
    run_init(r, NULL);
    *state = r;
    return 0;
}

static int tear_down(void **state) {
    run_done(*state);
    free(*state);
    return 0;
}

#define SAID(side, text) \
    { side, SPAN_LITERAL(text) }

static const char *talk(void *state, const struct said *said, size_t count) {
    return run_every_cut(state, PORT, said, count);
}
#define TALK(state, ...) \
    talk(state, (const struct said[]){__VA_ARGS__}, ARRAY_LEN(((const struct said[]){__VA_ARGS__})))

static void version_4(void **state) {
    const char *text = TALK(*state,
                            SAID(0, "\4\1\0\x50\x5d\xb8\xd8\x77"
                                    "bob\0"),
                            SAID(1, "\0\x5a\0\0\0\0\0\0"), SAID(0, GET), SAID(1, PAGE));
    assert_has(text, "\"socks\":{\"ip\":\"93.184.216.119\",\"port\":80,\"user\":\"bob\"}");
    assert_has(text, "\"host\":[\"www.a.example\"]");
    assert_has(text, "\"protocol\":[\"socks\",\"http\"]");
    text = TALK(*state, SAID(0, "\4\1\1\xbb\0\0\0\1\0WWW.a.example\0"), SAID(1, "\0\x5b\0\0\0\0\0\0"));
    assert_has(text, "\"socks\":{\"host\":\"www.a.example\",\"port\":443}");
    assert_has(text, "\"tags\":[\"socks:connect-failed\"]");
    assert_lacks(text, "\"ip\"");
}

static void version_5(void **state) {
    const char *text = TALK(*state, SAID(0, "\5\2\0\2"), SAID(1, "\5\2"), SAID(0, "\1\3bob\6secret"), SAID(1, "\1\0"),
                            SAID(0, "\5\1\0\3\x0dwww.a.example\0\x50"), SAID(1, "\5\0\0\1\x0a\0\0\1\0\x50"),
                            SAID(0, GET), SAID(1, PAGE));
    assert_has(text, "\"socks\":{\"host\":\"www.a.example\",\"port\":80,\"user\":\"bob\"}");
    assert_has(text, "\"tags\":[\"socks:password\"]");
    assert_has(text, "\"protocol\":[\"socks\",\"http\"]");
    assert_lacks(text, "secret");
    text = TALK(*state, SAID(0, "\5\1\2"), SAID(1, "\5\2"), SAID(0, "\1\3bob\1x"), SAID(1, "\1\1"));
    assert_has(text, "\"tags\":[\"socks:password\",\"socks:auth-failed\"]");
    text = TALK(*state, SAID(0, "\5\1\0"), SAID(1, "\5\0"),
                SAID(0, "\5\1\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\xbb"), SAID(1, "\5\4\0\3\1x\0\0"));
    assert_has(text, "\"socks\":{\"ip\":\"2001:db8::1\",\"port\":443}");
    assert_has(text, "\"tags\":[\"socks:connect-failed\"]");
}

/* A second answer tells who came. */
static void bind_twice(void **state) {
    const char *text =
        TALK(*state, SAID(0, "\5\1\0"), SAID(1, "\5\0"), SAID(0, "\5\2\0\1\x0a\0\0\1\0\x14"),
             SAID(1, "\5\0\0\1\x0a\0\0\1\0\x14"), SAID(1, "\5\0\0\1\x0a\0\0\2\0\x15"), SAID(0, GET), SAID(1, PAGE));
    assert_has(text, "\"socks\":{\"ip\":\"10.0.0.1\",\"port\":20}");
    assert_has(text, "\"protocol\":[\"socks\",\"http\"]");
}

static void ahead(void **state) {
    const char *text = TALK(*state, SAID(0, "\5\1\0\5\1\0\1\x0a\0\0\1\0\x50" GET), SAID(1, "\5\0"),
                            SAID(1, "\5\0\0\1\x0a\0\0\1\0\x50" PAGE));
    assert_has(text, "\"socks\":{\"ip\":\"10.0.0.1\",\"port\":80}");
    assert_has(text, "\"host\":[\"www.a.example\"]");
    assert_has(text, "\"statuscode\":[200]");
}

/* The host behind the proxy was connected to, and asks. */
static void reverse(void **state) {
    const char *text =
        TALK(*state, SAID(0, "NZhello"), SAID(1, "\5\1\0"), SAID(0, "\5\0"), SAID(1, "\5\1\0\1\x4a\x7d\x83\x67\0\x50"),
             SAID(0, "\5\0\0\1\0\0\0\0\0\0"), SAID(1, GET), SAID(0, PAGE));
    assert_has(text, "\"socks\":{\"ip\":\"74.125.131.103\",\"port\":80}");
    assert_has(text, "\"protocol\":[\"socks\",\"http\"]");
}

/* No protocol of that name, and nothing put. */
static void none(void **state) {
    static const struct said talks[][2] = {
        {SAID(0, "\5\2\0\1"), SAID(1, "\5\xff")},
        {SAID(0, "\5\1\0"), SAID(1, "HTTP/1.0 400 Bad\r\n\r\n")},
        {SAID(0, "\5\2\0\0"), SAID(1, "\5\0")},
        {SAID(0, "\5\1\x7f"), SAID(1, "\5\0")},
        {SAID(0, "\5\0\x0b\3\x10"), SAID(1, "\5\0")},
        {SAID(0, "\4\3\0\x50\x0a\0\0\1\0"), SAID(1, "\0\x5a\0\0\0\0\0\0")},
        {SAID(0, "\4\1\0\0\x0a\0\0\1\0"), SAID(1, "\0\x5a\0\0\0\0\0\0")},
        {SAID(0, "\4\1\0\x50\0\0\0\0\0"), SAID(1, "\0\x5a\0\0\0\0\0\0")},
        {SAID(0, "\5"), SAID(1, "\5")},
    };
    for (size_t i = 0; i < ARRAY_LEN(talks); i++) {
        const char *text = talk(*state, talks[i], 2);
        assert_lacks(text, "socks");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(version_4, set_up, tear_down),
        cmocka_unit_test_setup_teardown(version_5, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bind_twice, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ahead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reverse, set_up, tear_down),
        cmocka_unit_test_setup_teardown(none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
