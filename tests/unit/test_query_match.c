/* test_query_match.c: expressions against one record: what each must and must not find. */
#include <time.h>

#include "query_build.h"

static void expect(struct build *b, const char *text, bool want) {
    struct query *q;
    struct err e = {0};
    if (query_parse(span_text(text), b->registry, BUILD_NOW, &q, &e) < 0) {
        fail_msg("%s: %s (%s)", text, e.text, e.hint);
    }
    if (query_match(q, &b->record) != want) {
        fail_msg("%s: should %sfit", text, want ? "" : "not ");
    }
    query_free(q);
}

/* `yes` and `no`: ended by NULL. */
static void check(const char *const *yes, const char *const *no) {
    struct build b;
    build_init(&b);
    for (; *yes; yes++) {
        expect(&b, *yes, true);
    }
    for (; *no; no++) {
        expect(&b, *no, false);
    }
    build_done(&b);
}

static void test_logic(void **state) {
    (void)state;
    const char *yes[] = {"",
                         "*",
                         "port.dst==443",
                         "port.dst=1|port.dst=443&protocols=tcp",
                         "port.dst=443|port.dst=1&protocols=nope",
                         "!(port.dst==1)",
                         "!!port.dst==443",
                         "!port.dst==1 && ((protocols == tcp))",
                         "protocols != udp",
                         "tags != x",
                         "protocols == ]tcp,http[",
                         "protocols == [udp, http]",
                         "protocols != ]tcp,udp[",
                         "protocols.cnt == 2",
                         "db:protocolCnt == 2",
                         "tags != EXISTS!",
                         "protocols == EXISTS!",
                         NULL};
    const char *no[] = {"port.dst==1",
                        "(port.dst=443|port.dst=1)&protocols=nope",
                        "!!port.dst==1",
                        "protocols != http",
                        "tags == EXISTS!",
                        "protocols == ]tcp,udp[",
                        "protocols != [tcp, x]",
                        "tags.cnt == 0",
                        NULL};
    check(yes, no);
}

static void test_numbers(void **state) {
    (void)state;
    const char *yes[] = {"bytes == 3k",
                         "bytes == 3kB",
                         "bytes < 3KiB",
                         "bytes >= 0xbb8",
                         "port.dst == 440-450",
                         "port.dst == [1,440-450]",
                         "http.statuscode > 400",
                         "http.statuscode == 201-404",
                         "score == 2.5",
                         "score > -5",
                         "session.length == 90500",
                         "session.length > 1m",
                         "duration > 90s",
                         "duration == 90.5",
                         "ip.protocol == TCP",
                         "ip.protocol == [udp,6]",
                         "port == 443",
                         "bytes.src > bytes.dst",
                         "bytes == bytes.src + bytes.dst",
                         "bytes / packets == 200",
                         "(bytes.src + bytes.dst) / packets > 199.5",
                         "bytes.src == 2 * bytes.dst",
                         "1000 < bytes",
                         "stoptime - starttime > 1m",
                         "bytes.src - 500 * 2 == 1000",
                         "bytes == 3000-3000",
                         NULL};
    const char *no[] = {"bytes == 3KiB",
                        "port.dst == 1-442",
                        "http.statuscode == 201-403",
                        "http.statuscode > 404",
                        "score == 2-2.4",
                        "duration > 2m",
                        "ip.protocol != tcp",
                        "bytes.src < bytes.dst",
                        "bytes / tcpflags.urg > 0",
                        "bytes / tcpflags.urg <= 0",
                        "1000 > bytes",
                        "missing.src < 5",
                        "missing.src + 1 > 0",
                        NULL};
    check(yes, no);
}

static void test_addresses(void **state) {
    (void)state;
    const char *yes[] = {"ip == 10.0.0.2",
                         "ip.src == 10",
                         "ip.src == 10.0.",
                         "ip.src == 10.0/16",
                         "ip.src == [1.1.1.1, 10.0.0.0/24]",
                         "ip.src == 10.0.0.2:",
                         "ip.src == 10.0.0.2:50759",
                         "ip == 192.168.1.20:443",
                         "ip.dst == :443",
                         "ip.src == 10.0.0.1-10.0.0.3",
                         "ip.src >= 10.0.0.2",
                         "ip.src <= 10.0.0.0/24",
                         "ip.src < 10.0.0.3",
                         "ip.src == ipv4",
                         "ip.src != ipv6",
                         "ip.src == ::ffff:10.0.0.2",
                         "ip.src < ip.dst",
                         "ip.src != ip.dst",
                         "source.ip == 10.0.0.2",
                         "db:source.ip == 10.0.0.2",
                         "mac == 00-1A-E3-dc-2e-c0",
                         "mac.src == 00:*",
                         "mac == *:C0",
                         NULL};
    const char *no[] = {"ip.src == 10.0.0.2:443", "ip == 10.0.0.2:443",   "ip.src == 10.1",
                        "ip.src == 10.0.0.3",     "ip.src > 10.0.0.2",    "ip.src < 10.0.0.0/24",
                        "ip.src == ipv6",         "ip.src == 2001:db8::", "ip.src == 0",
                        "outerip == EXISTS!",     "mac == 00:1b:*",       NULL};
    struct build b;
    check(yes, no);
    build_init(&b); /* IPv6, and the port behind a dot */
    memcpy(b.record.ip[1], (const uint8_t[16]){0x20, 0x01, 0x06, 0xf8, 0x09, [15] = 2}, 16);
    expect(&b, "ip.dst == 2001:6f8:900::2.443", true);
    expect(&b, "ip.dst == 2001:6f8:900::2.80", false);
    expect(&b, "ip.dst == 2001:6f8:900:0:0:0:0:2", true);
    expect(&b, "ip.dst == 2001:6f8:900", true);
    expect(&b, "ip.dst == 2001:6f8:901", false);
    expect(&b, "ip.dst == 2001:6f8::/32.443", true);
    expect(&b, "ip.dst == ipv6", true);
    build_done(&b);
}

static void test_text(void **state) {
    (void)state;
    const char *yes[] = {"host.http == WWW.EXAMPLE.COM",
                         "host == http://www.example.com/foo",
                         "host == *.Example.com",
                         "host.http == /[a-z]+\\.EXAMPLE\\.(com|net)/",
                         "host.http.tokens == example.com",
                         "host.http.tokens == [nothing, \"WWW example\"]",
                         "http.uri == http://www.example.com/js/*.js",
                         "http.uri == \"*Main\\*1.js\"",
                         "http.uri == \"www.example.com/js/Main\\*1.js\"",
                         "http.uri == caf\xc3\xa9",
                         "http.uri == caf?*",
                         "http.uri == /caf./",
                         "http.uri == /CAF./ || http.uri == /.*Main\\*\\d\\.js/",
                         "host.http == [/www.*/, \"a,b\", x]",
                         "payload8.src.hex == 474554202F204854",
                         "payload8.src.utf8 == \"GET / HT\"",
                         "payload8.utf8 == GET*",
                         "payload8.hex == 4745*",
                         "rows.code == X-1",
                         "rows.code == EXISTS!",
                         "rows == EXISTS!",
                         "rows.cnt == 1",
                         "host.http == (host.other)",
                         "id == 240226-AAAAAAAAAAAAAAAAAAAAAA",
                         "node == test",
                         "tcp.synValidated == false || node == test",
                         NULL};
    const char *no[] = {"host.http == example.com",
                        "host.http == /example/",
                        "host.http.tokens == com.example",
                        "host.http.tokens == examp",
                        "http.uri == /caf/",
                        "http.uri == \"*main*\"",
                        "http.uri == caf",
                        "http.uri == \"*Main\\*2.js\"",
                        "http.uri == /.*main.*/",
                        "payload8.src.utf8 == \"get / ht\"",
                        "payload8.dst.hex == EXISTS!",
                        "rows.code == x-1",
                        "id == 240226-B",
                        "host.http == host.other",
                        "node == Test",
                        NULL};
    check(yes, no);
}

static void test_times(void **state) {
    (void)state;
    setenv("TZ", "UTC", 1);
    tzset();
    const char *yes[] = {"starttime == \"2014/02/26 10:27:57\"",
                         "starttime <= \"2014/02/26 10:27:57\"",
                         "starttime >= \"2014/02/26 10:27:57\"",
                         "starttime == 2014-02-26T10:27:57.500Z",
                         "starttime == 2014-02-26T12:27:57+02:00",
                         "starttime == 1393410477",
                         "starttime > 2014-02-26 && starttime < 2014-02-27",
                         "starttime < -1d",
                         "starttime < now",
                         "starttime < @y",
                         "stoptime > starttime",
                         NULL};
    const char *no[] = {"starttime > \"2014/02/26 10:27:57\"",
                        "starttime < \"2014/02/26 10:27:57\"",
                        "starttime == 2014-02-26T10:27:57.400Z",
                        "starttime > -9y",
                        "stoptime <= starttime",
                        NULL};
    check(yes, no);
}

/* Patterns that make engines with backtracking run for years. */
static void test_hard_patterns(void **state) {
    (void)state;
    struct build b;
    char text[2001];
    build_init(&b);
    memset(text, 'a', 2000);
    text[2000] = 0;
    (void)cells_put_text(&b.record.cells, build_field(&b, BUILD_URI), span_text(text));
    clock_t start = clock();
    expect(&b, "http.uri == /(a+)+b/", false);
    expect(&b, "http.uri == /(a|aa)*(a|a)*b/", false);
    expect(&b, "http.uri == /(a?){100}a{100}.*/", true);
    expect(&b, "http.uri == *a*a*a*a*a*a*a*a*b", false);
    expect(&b, "http.uri == /(((a*)*)*)*/", true);
    assert_true((clock() - start) / CLOCKS_PER_SEC < 10);
    build_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logic), cmocka_unit_test(test_numbers), cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_text),  cmocka_unit_test(test_times),   cmocka_unit_test(test_hard_patterns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
