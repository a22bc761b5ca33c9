/* test_ntp.c: NTP headers, and what on port 123 is none. */
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

/* A header of 48 bytes to port 123, as a document. */
static const char *packet(struct dissect_run *r, unsigned flags, unsigned stratum, const char *reference) {
    uint8_t bytes[48] = {(uint8_t)flags, (uint8_t)stratum};
    memcpy(bytes + 12, reference, 4);
    datagram_start(r, FLOW_UDP, 40000, 123);
    datagram_say(r, 0, span_make(bytes, sizeof(bytes)));
    return run_finish(r);
}

static void client(void **state) {
    const char *text = packet(*state, 0xe3, 0, "INIT");
    assert_has(text, "\"ntp\":{\"mode\":[\"client\"],\"modeCnt\":1,\"refId\":[\"INIT\"],\"refIdCnt\":1,"
                     "\"stratum\":[\"unspecified\"],\"stratumCnt\":1,\"version\":[4],\"versionCnt\":1}");
    assert_has(text, "\"protocol\":[\"ntp\"]");
}

static void servers(void **state) {
    const char *text = packet(*state, 0x1c, 1, "GPS\0");
    assert_has(text, "\"mode\":[\"server\"]");
    assert_has(text, "\"stratum\":[\"primary\"]");
    assert_has(text, "\"refId\":[\"GPS\"]");
    assert_has(text, "\"version\":[3]");
    text = packet(*state, 0x24, 2, "\x7f\x7f\x01\x01");
    assert_has(text, "\"stratum\":[\"secondary\"]");
    assert_has(text, "\"refId\":[\"7f7f0101\"]");
    text = packet(*state, 0x25, 16, "XFAC");
    assert_has(text, "\"mode\":[\"broadcast\"]");
    assert_has(text, "\"stratum\":[\"unsynchronized\"]");
    assert_lacks(text, "refId");
}

static void references(void **state) {
    assert_has(packet(*state, 0x24, 1, "\x01\xff\0\0"), "\"refId\":[\"01ff0000\"]"); /* no text after all */
    assert_lacks(packet(*state, 0x23, 0, "\0\0\0\0"), "refId");
    assert_lacks(packet(*state, 0x23, 0, "  \0 "), "refId");
}

static void what_is_none(void **state) {
    struct dissect_run *r = *state;
    static const uint8_t zeros[48] = {0x23};
    assert_lacks(packet(r, 0x20, 1, "GPS\0"), "ntp");  /* mode 0 */
    assert_lacks(packet(r, 0x03, 1, "GPS\0"), "ntp");  /* version 0 */
    assert_lacks(packet(r, 0x2b, 1, "GPS\0"), "ntp");  /* version 5 */
    assert_lacks(packet(r, 0x23, 17, "GPS\0"), "ntp"); /* stratum 17 */
    datagram_start(r, FLOW_UDP, 40000, 123);
    datagram_say(r, 0, span_make(zeros, 47));
    assert_lacks(run_finish(r), "ntp");
    datagram_start(r, FLOW_UDP, 40000, 124);
    datagram_say(r, 0, span_make(zeros, 48));
    assert_lacks(run_finish(r), "ntp");
}

static void both_sides(void **state) {
    struct dissect_run *r = *state;
    uint8_t bytes[48] = {0x23};
    datagram_start(r, FLOW_UDP, 123, 123);
    datagram_say(r, 0, span_make(bytes, sizeof(bytes)));
    bytes[0] = 0x24;
    bytes[1] = 3;
    datagram_say(r, 1, span_make(bytes, sizeof(bytes)));
    datagram_say(r, 1, span_make(bytes, 20)); /* too short: nothing */
    const char *text = run_finish(r);
    assert_has(text, "\"mode\":[\"client\",\"server\"],\"modeCnt\":2");
    assert_has(text, "\"refId\":[\"00000000\"]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(client),       cmocka_unit_test(servers),    cmocka_unit_test(references),
        cmocka_unit_test(what_is_none), cmocka_unit_test(both_sides),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
