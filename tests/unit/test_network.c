/* test_network.c: addresses in networks, and who stands behind proxies. */
#include <errno.h>

#include "base/util.h"
#include "check.h"
#include "http/network.h"

static void test_holds(void **state) {
    static const struct {
        const char *network, *address;
        bool holds;
    } cases[] = {
        {"10.0.0.0/8", "10.255.0.1", true},
        {"10.0.0.0/8", "11.0.0.1", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.4", false},
        {"0.0.0.0/0", "1.2.3.4", true},
        {"10.0.0.0/33", "10.0.0.0", false},
        {"10.0.0.0/", "10.0.0.0", false},
        {"10.0.0.0/-1", "10.0.0.0", false},
        {"2001:db8::/32", "2001:db8::1", true},
        {"2001:db8::/32", "2001:db9::1", false},
        {"::/0", "::1", true},
        {"::/0", "1.2.3.4", false},
        {"10.0.0.128/25", "10.0.0.127", false},
        {"10.0.0.128/25", "10.0.0.200", true},
        {"", "1.2.3.4", false},
        {"x", "1.2.3.4", false},
        {"1.2.3.4", "", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(network_holds(cases[i].network, cases[i].address), cases[i].holds);
    }
}

static void test_parse(void **state) {
    static const char *const bad[] = {"yes", "1.2.3", "10.0.0.0/8;::1", "-1", "33", "10.0.0.0/64", ",", "::1,x"};
    struct trusted t;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(trusted_parse(bad[i], &t), -EINVAL);
    }
    assert_int_equal(trusted_parse(NULL, &t), 0);
    assert_true(t.hops == 0 && t.count == 0);
    assert_int_equal(trusted_parse(" FALSE ", &t), 0);
    assert_true(t.hops == 0 && t.count == 0);
    assert_int_equal(trusted_parse("true", &t), 0);
    assert_int_equal(t.hops, 1);
    assert_int_equal(trusted_parse("3", &t), 0);
    assert_int_equal(t.hops, 3);
    assert_int_equal(trusted_parse("loopback, 10.0.0.0/8", &t), 0);
    assert_int_equal(t.count, 3);
}

static void test_client(void **state) {
    static const struct {
        const char *trust, *peer, *forwarded[3], *client;
    } cases[] = {
        {"false", "9.9.9.9", {"1.1.1.1"}, "9.9.9.9"},
        {"1", "9.9.9.9", {NULL}, "9.9.9.9"},
        {"1", "9.9.9.9", {"1.1.1.1, 2.2.2.2"}, "2.2.2.2"},
        {"2", "9.9.9.9", {"1.1.1.1, 2.2.2.2"}, "1.1.1.1"},
        {"5", "9.9.9.9", {"1.1.1.1, 2.2.2.2"}, "1.1.1.1"},
        {"2", "9.9.9.9", {"1.1.1.1", "2.2.2.2"}, "1.1.1.1"},
        {"1", "9.9.9.9", {"1.1.1.1", "2.2.2.2"}, "2.2.2.2"},
        {"1", "9.9.9.9", {"1.1.1.1, nonsense"}, "9.9.9.9"},
        {"2", "9.9.9.9", {"nonsense, 2.2.2.2"}, "2.2.2.2"},
        {"1", "9.9.9.9", {""}, "9.9.9.9"},
        {"1", "9.9.9.9", {","}, "9.9.9.9"},
        {"1", "9.9.9.9", {"[2001:db8::1]:443"}, "2001:db8::1"},
        {"1", "9.9.9.9", {"2001:DB8:0::1"}, "2001:db8::1"},
        {"1", "9.9.9.9", {"::ffff:1.2.3.4"}, "1.2.3.4"},
        {"1", "9.9.9.9", {"1.2.3.4:5678"}, "1.2.3.4"},
        {"10.0.0.0/8", "10.0.0.1", {"1.1.1.1, 2.2.2.2, 10.0.0.2"}, "2.2.2.2"},
        {"10.0.0.0/8", "9.9.9.9", {"1.1.1.1"}, "9.9.9.9"},
        {"10.0.0.0/8", "10.0.0.1", {"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
        {"loopback", "::1", {"1.1.1.1"}, "1.1.1.1"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct trusted t;
        char client[ADDRESS_TEXT];
        size_t count = 0;
        while (count < 3 && cases[i].forwarded[count]) {
            count++;
        }
        assert_int_equal(trusted_parse(cases[i].trust, &t), 0);
        trusted_client(&t, cases[i].peer, cases[i].forwarded, count, client);
        assert_string_equal(client, cases[i].client);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holds),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
