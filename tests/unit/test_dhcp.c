/* test_dhcp.c: DHCP options and relayed DHCPv6 messages. */
#include "datagram_run.h"

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

#define COOKIE_AT 236

/* A message of a client with `options`, padded to `size`, as a document. */
static const char *message(struct dissect_run *r, const char *options, size_t len, size_t size) {
    uint8_t bytes[600] = {1, 1, 6, 0, 0x00, 0x00, 0x3d, 0x1d};
    assert_true(COOKIE_AT + 4 + len <= sizeof(bytes) && size <= sizeof(bytes));
    memcpy(bytes + 28, "\x02\0\0\0\0\x07", 6);
    memcpy(bytes + COOKIE_AT, "\x63\x82\x53\x63", 4);
    memcpy(bytes + COOKIE_AT + 4, options, len);
    datagram_start_other(r, OTHER_DHCP);
    datagram_say(r, 0, span_make(bytes, size));
    return run_finish(r);
}

#define MESSAGE(r, options) message(r, options, sizeof(options) - 1, 300)

static void options(void **state) {
    const char *text = MESSAGE(*state, "\x35\1\3\x0c\6Laptop\0\x3c\4MSFT\x32\4\xc0\0\2\x07\x3d\7\1\x02\0\0\0\0\x08"
                                       "\x51\x0b\0\0\0pc.x.org\xff\x0c\3not");
    assert_has(text, "\"protocol\":[\"dhcp\",\"udp\"]");
    assert_has(text, "\"type\":[\"REQUEST\"],\"typeCnt\":1");
    assert_has(text, "\"host\":[\"laptop\",\"pc.x.org\"],\"hostCnt\":2");
    assert_has(text, "\"classId\":[\"MSFT\"]");
    assert_has(text, "\"requestIp\":[\"192.0.2.7\"]");
    assert_has(text, "\"mac\":[\"02:00:00:00:00:07\",\"02:00:00:00:00:08\"],\"macCnt\":2");
    assert_has(text, "\"id\":[\"3d1d\"]");
}

/* Flags say how the name is written. */
static void full_names(void **state) {
    const char *text = MESSAGE(*state, "\x51\x0b\1\xff\xff"
                                       "pc.x.org"
                                       "\x51\x0e\5\0\0\3two\1x\3org\0");
    assert_has(text, "\"host\":[\"pc.x.org\",\"two.x.org\"],\"hostCnt\":2");
    text = MESSAGE(*state, "\x51\4\4\0\0\0\x51\6\4\0\0\7xy\x51\2\1\0");
    assert_lacks(text, "\"host\"");
}

static void options_that_lie(void **state) {
    const char *text = MESSAGE(*state, "\x35\2\1\1\x32\3\1\2\3\x3d\7\2\1\1\1\1\1\1\x51\3\0\0\0\x51\5\4\0\0xy\x0c\x20");
    assert_lacks(text, "\"type\"");
    assert_lacks(text, "requestIp");
    assert_lacks(text, "\"host\":[\"xy");
    assert_has(text, "\"macCnt\":1");
    text = MESSAGE(*state, "\x35\1\xc8\x0c\0\x35\1\1"); /* unknown type; an empty option ends the list */
    assert_lacks(text, "\"type\"");
}

static void what_is_none(void **state) {
    struct dissect_run *r = *state;
    static const uint8_t zeros[300];
    assert_lacks(message(r, "\x35\1\1", 3, 240), "DISCOVER");
    assert_has(message(r, "\x35\1\7", 3, 250), "RELEASE");
    datagram_start_other(r, OTHER_DHCP);
    datagram_say(r, 0, span_make(zeros, sizeof(zeros)));
    assert_lacks(run_finish(r), "\"id\"");
}

/* A message of DHCPv6, as a document. */
static const char *message6(struct dissect_run *r, const char *bytes, size_t len) {
    datagram_start_other(r, OTHER_DHCPV6);
    datagram_say(r, 0, span_make(bytes, len));
    return run_finish(r);
}

#define MESSAGE6(r, bytes) message6(r, bytes, sizeof(bytes) - 1)

static void version_6(void **state) {
    const char *text = MESSAGE6(*state, "\1\x10\x08\x74\0\1\0\2xx\0\x10\0\x0e\0\0\1\x37\0\3abc\0\3xyz");
    assert_has(text, "\"protocol\":[\"dhcpv6\",\"udp\"]");
    assert_has(text, "\"type\":[\"SOLICIT\"]");
    assert_has(text, "\"id\":[\"100874\"]");
    assert_has(text, "\"classId\":[\"abc\",\"xyz\"]");
    text = MESSAGE6(*state, "\x0b\0\0\x0a\0\x10\0\xff");
    assert_has(text, "\"type\":[\"INFORMATION_REQUEST\"]");
    assert_has(text, "\"id\":[\"a\"]");
    assert_lacks(MESSAGE6(*state, "\xc8\0\0\1"), "\"type\"");
}

static void relayed(void **state) {
    static const char address[32] = {0};
    char bytes[2 * 38 + 4];
    size_t len = 0;
    for (unsigned i = 0; i < 2; i++) { /* two relays on the way */
        bytes[len++] = 12;
        bytes[len++] = (char)i;
        memcpy(bytes + len, address, sizeof(address));
        len += sizeof(address);
        memcpy(bytes + len, i ? "\0\x09\0\4" : "\0\x09\0\x2a", 4);
        len += 4;
    }
    memcpy(bytes + len, "\3\0\0\7", 4);
    const char *text = message6(*state, bytes, sizeof(bytes));
    assert_has(text, "\"type\":[\"RELAY_FORW\",\"REQUEST\"]");
    assert_has(text, "\"id\":[\"7\"]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options),   cmocka_unit_test(options_that_lie), cmocka_unit_test(what_is_none),
        cmocka_unit_test(version_6), cmocka_unit_test(relayed),          cmocka_unit_test(full_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
