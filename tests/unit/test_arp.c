/* test_arp.c: ARP and ICMP, whose flows need no probe. */
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

static const uint8_t request[28] = {0,  1, 8, 0, 6, 4, 0, 1, 2, 0, 0,  0, 0, 1,
                                    10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2};
static const uint8_t reply[28] = {0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1};

static void request_and_reply(void **state) {
    struct dissect_run *r = *state;
    datagram_start_other(r, OTHER_ARP);
    datagram_say(r, 0, span_make(request, sizeof(request)));
    datagram_say(r, 1, span_make(reply, sizeof(reply)));
    const char *text = run_finish(r);
    assert_has(text, "\"protocol\":[\"arp\"]");
    assert_has(text, "\"opcode\":[1,2],\"opcodeCnt\":2");
    assert_has(text, "\"mac\":[\"02:00:00:00:00:02\"],\"macCnt\":1");
    assert_has(text, "\"ip\":[\"10.0.0.2\"],\"ipCnt\":1");
}

static void addresses_of_other_kinds(void **state) {
    struct dissect_run *r = *state;
    uint8_t bytes[28];
    memcpy(bytes, reply, sizeof(bytes));
    bytes[4] = 8; /* hardware addresses of 8 bytes */
    datagram_start_other(r, OTHER_ARP);
    datagram_say(r, 0, span_make(bytes, sizeof(bytes)));
    datagram_say(r, 0, span_make(reply, 17)); /* cut in the sender's address */
    const char *text = run_finish(r);
    assert_has(text, "\"opcode\":[2]");
    assert_lacks(text, "\"mac\"");
    assert_lacks(text, "\"ip\"");
}

static void echo(void **state) {
    struct dissect_run *r = *state;
    static const uint8_t ask[8] = {8, 0}, answer[8] = {0, 0}, unreachable[8] = {3, 13};
    datagram_start(r, FLOW_ICMP, 0, 0);
    datagram_say(r, 0, span_make(ask, sizeof(ask)));
    datagram_say(r, 1, span_make(answer, sizeof(answer)));
    datagram_say(r, 1, span_make(unreachable, sizeof(unreachable)));
    datagram_say(r, 1, span_make(unreachable, 1)); /* no code: nothing */
    const char *text = run_finish(r);
    assert_has(text, "\"protocol\":[\"icmp\"]");
    assert_has(text, "\"icmp\":{\"code\":[0,13],\"type\":[8,0,3]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_and_reply),
        cmocka_unit_test(addresses_of_other_kinds),
        cmocka_unit_test(echo),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
