/* test_tftp.c: TFTP requests, answers of servers that stay on port 69, and what on that port is none. */
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

/* One packet to port 69, as a document. */
static const char *packet(struct dissect_run *r, struct span bytes) {
    datagram_start(r, FLOW_UDP, 40000, 69);
    datagram_say(r, 0, bytes);
    return run_finish(r);
}

static void requests(void **state) {
    const char *text = packet(*state, SPAN_LITERAL("\0\1boot/pxelinux.0\0octet\0"));
    assert_has(text,
               "\"tftp\":{\"filename\":[\"boot/pxelinux.0\"],\"filenameCnt\":1,\"opcode\":[\"rrq\"],\"opcodeCnt\":1}");
    assert_has(text, "\"protocol\":[\"tftp\"]");
    text = packet(*state, SPAN_LITERAL("\0\2running-config\0NetASCII\0"));
    assert_has(text, "\"filename\":[\"running-config\"]");
    assert_has(text, "\"opcode\":[\"wrq\"]");
    assert_has(packet(*state, SPAN_LITERAL("\0\1a\0octet\0tsize\0000\0blksize\0001468\0")), "\"filename\":[\"a\"]");
    assert_has(packet(*state, SPAN_LITERAL("\0\2root\0mail\0")), "\"opcode\":[\"wrq\"]");
}

static void answers(void **state) {
    struct dissect_run *r = *state;
    datagram_start(r, FLOW_UDP, 40000, 69);
    datagram_say(r, 0, SPAN_LITERAL("\0\1a\0octet\0tsize\0000\0"));
    datagram_say(r, 1, SPAN_LITERAL("\0\6tsize\0003\0"));
    datagram_say(r, 0, SPAN_LITERAL("\0\4\0\0"));
    datagram_say(r, 1, SPAN_LITERAL("\0\3\0\1abc"));
    datagram_say(r, 0, SPAN_LITERAL("\0\4\0\1"));
    datagram_say(r, 0, SPAN_LITERAL("\0\1b\0octet\0"));
    datagram_say(r, 1, SPAN_LITERAL("\0\5\0\1File not found\0"));
    datagram_say(r, 0, SPAN_LITERAL("\0\1c\0tape\0")); /* no request: not even its name is kept */
    const char *text = run_finish(r);
    assert_has(text, "\"filename\":[\"a\",\"b\"],\"filenameCnt\":2,"
                     "\"opcode\":[\"rrq\",\"oack\",\"ack\",\"data\",\"error\"],\"opcodeCnt\":5");
}

static void what_is_none(void **state) {
    const struct span none[] = {
        SPAN_LITERAL("\0"),
        SPAN_LITERAL("\0\1"),
        SPAN_LITERAL("\0\1a"),
        SPAN_LITERAL("\0\1a\0"),
        SPAN_LITERAL("\0\1a\0octet"),
        SPAN_LITERAL("\0\1a\0tape\0"),
        SPAN_LITERAL("\0\1\0octet\0"),
        SPAN_LITERAL("\0\0a\0octet\0"),
        SPAN_LITERAL("\0\7a\0octet\0"),
        SPAN_LITERAL("\1\1a\0octet\0"),
        SPAN_LITERAL("\0\3\0"),
        SPAN_LITERAL("\0\4\0\1\0"),
        SPAN_LITERAL("\0\5\0\1"),
        SPAN_LITERAL("\0\5\0\1no end"),
        SPAN_LITERAL("\0\5\0\11beyond\0"),
        SPAN_LITERAL("\0\6\0\0"),
        SPAN_LITERAL("\0\6blksize\000512"),
    };
    for (size_t i = 0; i < ARRAY_LEN(none); i++) {
        assert_lacks(packet(*state, none[i]), "tftp");
    }
    struct dissect_run *r = *state;
    datagram_start(r, FLOW_UDP, 40000, 1069);
    datagram_say(r, 0, SPAN_LITERAL("\0\1a\0octet\0"));
    assert_lacks(run_finish(r), "tftp");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests),
        cmocka_unit_test(answers),
        cmocka_unit_test(what_is_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
