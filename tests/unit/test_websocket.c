/* test_websocket.c: frames of both sides after an upgrade, each conversation cut into segments of several sizes. */
#include "dissect_run.h"

#define SRC(text)                                     \
    {                                                 \
        0, {                                          \
            (const uint8_t *)(text), sizeof(text) - 1 \
        }                                             \
    }
#define DST(text)                                     \
    {                                                 \
        1, {                                          \
            (const uint8_t *)(text), sizeof(text) - 1 \
        }                                             \
    }
#define ASK SRC("GET /chat HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
#define GRANT DST("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")

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

#define TALK(r, said) run_every_cut(r, 80, said, ARRAY_LEN(said))

/* RFC 6455 5.7: the examples. */
static void frames_of_the_standard(void **state) {
    const struct said said[] = {
        ASK,
        GRANT,
        DST("\x81\x05\x48\x65\x6c\x6c\x6f"),
        SRC("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        DST("\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f"),
        DST("\x89\x05\x48\x65\x6c\x6c\x6f"),
        SRC("\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"),
        SRC("\x88\x88\x01\x02\x03\x04\x02\xea"
            "fjekmc"),
    };
    const char *text = TALK(*state, said);
    assert_has(text, "\"protocol\":[\"http\",\"websocket\"]");
    assert_has(text, "\"frameCnt\":7");
    assert_has(text, "\"maskedFromClient\":3");
    assert_has(text, "\"payloadBytes\":33");
    assert_has(text, "\"opcode\":[\"Text\",\"Continuation\",\"Ping\",\"Pong\",\"Close\"]");
    assert_has(text, "\"textSample\":[\"Hello\",\"Hel\"]");
    assert_has(text, "\"closeCode\":[1000]");
    assert_has(text, "\"closeReason\":[\"ending\"]");
}

static struct span long_frame(struct buf *b, uint64_t length, bool wide) {
    buf_clear(b);
    buf_add_byte(b, 0x81);
    buf_add_byte(b, wide ? 127 : 126);
    for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8) {
        buf_add_byte(b, (uint8_t)(length >> shift));
    }
    for (uint64_t i = 0; i < length; i++) {
        buf_add_byte(b, i == 255 ? 0xc3 : i == 256 ? 0xa9 : 'x');
    }
    buf_add(b, "\x81\x01y", 3);
    return buf_span(b);
}

/* A sample ends before the character that its limit would cut. */
static void long_frames_are_passed_over(void **state) {
    struct buf b;
    buf_init(&b, 1 << 20);
    for (unsigned wide = 0; wide < 2; wide++) {
        const struct said said[] = {ASK, GRANT, {1, long_frame(&b, wide ? 70000 : 400, wide)}};
        const char *text = TALK(*state, said);
        assert_has(text, wide ? "\"payloadBytes\":70001" : "\"payloadBytes\":401");
        assert_has(text, "\"frameCnt\":2");
        const char *sample = strstr(text, "\"textSample\":[\"");
        assert_non_null(sample);
        assert_int_equal(strspn(sample + 15, "x"), 255);
        assert_has(text, "x\",\"y\"]");
    }
    buf_done(&b);
}

static void compressed_text_gives_no_sample(void **state) {
    const struct said said[] = {ASK, GRANT, DST("\xc1\x05\xf2\x48\xcd\xc9\x01\x82\x01z")};
    const char *text = TALK(*state, said);
    assert_has(text, "\"opcode\":[\"Text\",\"Binary\"]");
    assert_lacks(text, "textSample");
}

static void samples_are_limited(void **state) {
    const struct said said[] = {ASK, GRANT,
                                DST("\x81\x01"
                                    "1\x81\x01"
                                    "2\x81\x01"
                                    "3\x81\x01"
                                    "4\x81\x01"
                                    "5")};
    assert_has(TALK(*state, said), "\"textSample\":[\"1\",\"2\",\"3\",\"4\"]");
}

static void lies_end_it(void **state) {
    const struct said control[] = {ASK, GRANT, DST("\x89\x7e\x01\x00"), DST("\x81\x01x")};
    const char *text = TALK(*state, control);
    assert_has(text, "websocket:bad-length");
    assert_lacks(text, "frameCnt");
    const struct said negative[] = {ASK, GRANT, DST("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff")};
    assert_has(TALK(*state, negative), "websocket:bad-length");
    const struct said huge[] = {ASK, GRANT, DST("\x82\x7f\x00\x00\x00\x7f\xff\xff\xff\xff")};
    assert_has(TALK(*state, huge), "websocket:frame-too-long");
}

static void gaps(void **state) {
    struct dissect_run *r = *state;
    const struct said ask = ASK, grant = GRANT, first = DST("\x82\x0a\x01\x02\x03"),
                      rest = DST("\x08\x09\x0a\x81\x01z"), lost = DST("\x81\x01n");
    run_start(r, 80);
    run_say(r, 0, ask.bytes, 0);
    run_say(r, 1, grant.bytes, 0);
    run_say(r, 1, first.bytes, 0);
    dissect_stream(r->engine, &r->session, 1, rest.bytes, 4, r->session.last_time);
    dissect_stream(r->engine, &r->session, 1, lost.bytes, 4, r->session.last_time);
    const char *text = run_finish(r);
    assert_has(text, "\"textSample\":[\"z\"]");
    assert_has(text, "\"frameCnt\":2");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_the_standard),
        cmocka_unit_test(long_frames_are_passed_over),
        cmocka_unit_test(compressed_text_gives_no_sample),
        cmocka_unit_test(samples_are_limited),
        cmocka_unit_test(lies_end_it),
        cmocka_unit_test(gaps),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
