/* test_tcp.c: reassembly: each byte of each side once, in order, and never before what it answers to; holes, ceilings,
 * odd beginnings and ends; then thousands of random conversations cut, swapped, repeated and robbed by a seeded dice.
 */
#include "flow_run.h"

static void test_in_order(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_data(r, 0, 1001, 5001, "GET");
    run_data(r, 1, 5001, 1004, "OK");
    run_data(r, 0, 1004, 5003, "more");
    run_flags(r, 0, 1008, 5003, FIN | ACK);
    run_flags(r, 1, 5003, 1009, FIN | ACK);
    run_flags(r, 0, 1009, 5004, ACK);
    run_finish(r);
    assert_story(r, "0:GET 1:OK 0:more 0! 1!");
    assert_int_equal(r->record_count, 1);
    const struct record *d = &r->records[0].r;
    assert_int_equal(d->data_bytes[0], 7);
    assert_int_equal(d->data_bytes[1], 2);
    assert_int_equal(d->packets[0], 6);
    assert_int_equal(d->packets[1], 3);
    assert_int_equal(d->bytes[0], 6 * 54 + 7);
    assert_int_equal(d->missing_bytes[0] + d->missing_bytes[1], 0);
    assert_true(d->syn_validated && d->syn_ack_validated && d->has_rtt && !d->syn_ack_first);
    assert_int_equal(d->initial_rtt_ms, 1);
    assert_int_equal(d->isn[0], 1000);
    assert_int_equal(d->isn[1], 5000);
    assert_int_equal(d->src_isn_count, 1);
    static const uint32_t flags[TCPF_COUNTS] = {
        [TCPF_SYN] = 1, [TCPF_SYN_ACK] = 1, [TCPF_ACK] = 2, [TCPF_PSH] = 3, [TCPF_FIN] = 2};
    assert_memory_equal(d->tcp_flags, flags, sizeof(flags));
    assert_memory_equal(d->payload8[0], "GETmore", 7);
    assert_int_equal(d->payload8_len[0], 7);
    assert_int_equal(d->payload8_len[1], 2);
    assert_no_document(r, 0, "\"tags\"");
    run_free(r);
}

static void test_out_of_order(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_data(r, 0, 1004, 5001, "def");
    run_data(r, 0, 1007, 5001, "ghi");
    run_data(r, 0, 1001, 5001, "abc");
    run_finish(r);
    assert_story(r, "0:abc 0:def 0:ghi 0! 1!");
    assert_int_equal(r->records[0].r.data_bytes[0], 9);
    assert_document(r, 0, "\"out-of-order-src\"");
    assert_no_document(r, 0, "out-of-order-dst");
    assert_int_equal(run_count(r, FLOW_OUT_OF_ORDER), 1);
    run_free(r);
}

/* The first copy of a byte wins; only what is new of an overlapping segment is delivered. */
static void test_overlaps(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_data(r, 0, 1001, 5001, "abcd");
    run_data(r, 0, 1001, 5001, "abcd"); /* again */
    run_data(r, 0, 1003, 5001, "XXef"); /* two old, two new */
    run_data(r, 0, 1000, 5001, "k");    /* keep-alive */
    run_data(r, 0, 1001, 5001, "XX");   /* inside what is known */
    run_data(r, 0, 1009, 5001, "ij");   /* waits */
    run_data(r, 0, 1008, 5001, "hXX");  /* waits, overlaps the one before */
    run_data(r, 0, 1009, 5001, "ijk");  /* same beginning, longer: takes its place */
    run_data(r, 0, 1007, 5001, "g");
    run_finish(r);
    assert_story(r, "0:abcd 0:ef 0:g 0:hXX 0:k 0! 1!");
    assert_int_equal(r->records[0].r.data_bytes[0], 11);
    run_free(r);
}

static void test_wrap(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_flags(r, 0, UINT32_MAX - 2, 0, SYN);
    run_flags(r, 1, UINT32_MAX, UINT32_MAX - 1, SYN | ACK); /* its first byte is 0 */
    run_data(r, 0, 2, 0, "ef");
    run_data(r, 0, UINT32_MAX - 1, 0, "abcd");
    run_data(r, 1, 0, 4, "answer");
    run_data(r, 0, 4, 6, "g");
    run_finish(r);
    assert_story(r, "0:abcd 0:ef 1:answer 0:g 0! 1!");
    assert_no_document(r, 0, "acked-unseen");
    run_free(r);
}

/* What answers is held until what it answers to was seen, even when only one byte is late. */
static void test_answer_waits(void **state) {
    (void)state;
    for (unsigned late = 1; late < 3; late++) {
        struct flow_run *r = run_new();
        run_handshake(r);
        run_data(r, 0, 1001, 5001, "question");
        run_data(r, 1, 5001, 1009 + late, "answer");
        run_data(r, 1, 5007, 1009 + late, "!");
        run_data(r, 0, 1009, 5001, late == 1 ? "?" : "??");
        run_finish(r);
        assert_story(r, late == 1 ? "0:question 0:? 1:answer 1:! 0! 1!" : "0:question 0:?? 1:answer 1:! 0! 1!");
        run_free(r);
    }
}

/* A FIN counts as one; data behind a FIN that came late waits for it. */
static void test_fin_order(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_data(r, 0, 1001, 5001, "request");
    run_data(r, 1, 5001, 1009, "reply"); /* acknowledges the FIN that follows */
    run_flags(r, 0, 1008, 5001, FIN | ACK);
    run_flags(r, 1, 5006, 1009, FIN | ACK);
    run_flags(r, 0, 1009, 5007, ACK);
    run_finish(r);
    assert_story(r, "0:request 0! 1:reply 1!");
    assert_int_equal(r->records[0].r.missing_bytes[0], 0);
    run_free(r);
}

/* A FIN nobody captured: the other side goes on speaking and is heard, at the latest at the end; no byte is missing. */
static void test_fin_never_seen(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_data(r, 0, 1001, 5001, "request");
    run_data(r, 1, 5001, 1009, "re");
    run_data(r, 1, 5003, 1009, "ply");
    run_finish(r);
    assert_string_equal((char *)(buf_add_byte(&r->heard[1], 0), r->heard[1].data), "reply");
    assert_int_equal(r->records[0].r.data_bytes[1], 5);
    run_free(r);
}

static void test_data_with_fin(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_tcp(r, (struct tcp_made){.seq = 1004, .ack = 5001, .flags = FIN | ACK | PSH, .data = SPAN_LITERAL("end")});
    run_data(r, 0, 1001, 5001, "the");
    run_data(r, 1, 5001, 1008, "late");
    run_finish(r);
    assert_story(r, "0:the 0:end 0! 1:late 1!");
    run_free(r);
}

/* --- holes --- */

static void test_gap_given_up(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_data(r, 0, 1001, 5001, "ab");
    for (uint32_t i = 0; i < 15; i++) { /* bytes 3 to 7 are missing */
        run_data(r, 0, 1008 + i, 5001, "x");
        run_flags(r, 1, 5001, 1009 + i, ACK);
    }
    run_flush(r);
    assert_story(r, "0:ab");
    run_data(r, 0, 1008 + 15, 5001, "y"); /* the sixteenth that waits */
    run_flush(r);
    assert_story(r, "0:ab (5)0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:x 0:y");
    run_data(r, 0, 1003, 5001, "cdefg"); /* too late */
    run_finish(r);
    const struct record *d = &r->records[0].r;
    assert_int_equal(d->missing_bytes[0], 5);
    assert_int_equal(d->missing_bytes[1], 0);
    assert_int_equal(d->data_bytes[0], 18);
    assert_int_equal(run_count(r, FLOW_MISSING_BYTES), 5);
    assert_document(r, 0, "\"srcMissingBytes\":5");
    assert_document(r, 0, "\"incomplete-tcp\"");
    assert_document(r, 0, "\"acked-unseen-segment-dst\"");
    run_free(r);
}

/* Not acknowledged: the hole is kept open up to the ceiling of segments. */
static void test_gap_ceiling(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    r->settings.max_out_of_order = 40;
    run_handshake(r);
    for (uint32_t i = 0; i < 39; i++) {
        run_data(r, 0, 1006 + i, 5001, "x");
    }
    run_flush(r);
    assert_int_equal(r->heard[0].len, 0);
    run_data(r, 0, 1006 + 39, 5001, "x");
    run_flush(r);
    assert_int_equal(r->heard[0].len, 40);
    assert_int_equal(r->events[0].gap, 5);
    run_finish(r);
    assert_int_equal(r->records[0].r.missing_bytes[0], 5);
    run_free(r);
}

static void test_memory_ceiling(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    r->settings.reassembly_memory = 5000;
    run_handshake(r);
    char data[1001];
    memset(data, 'x', 1000);
    data[1000] = 0;
    for (uint32_t i = 0; i < 10; i++) {
        run_data(r, 0, 2001 + 1000 * i, 5001, data);
    }
    run_flush(r);
    assert_int_equal(run_count(r, FLOW_REASSEMBLY_DROPPED), 6);
    run_data(r, 0, 1001, 5001, data); /* closes the hole: four that were held follow */
    run_flush(r);
    assert_int_equal(r->heard[0].len, 5000);
    run_data(r, 0, 6001, 5001, data); /* memory is free again; this one needs none */
    run_finish(r);
    assert_int_equal(r->heard[0].len, 6000);
    run_free(r);
}

/* At the end what waits behind a hole is delivered with the hole's size, but is no data in order. */
static void test_gap_at_end(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_data(r, 0, 1001, 5001, "ab");
    run_data(r, 0, 1005, 5001, "ef");
    run_data(r, 1, 5001, 1012, "answer"); /* five more bytes were never seen */
    run_finish(r);
    assert_story(r, "0:ab (2)0:ef 1:answer 0! 1!");
    const struct record *d = &r->records[0].r;
    assert_int_equal(d->missing_bytes[0], 2 + 5);
    assert_int_equal(d->data_bytes[0], 2);
    assert_int_equal(d->data_bytes[1], 6);
    assert_document(r, 0, "\"srcMissingBytes\":7");
    run_free(r);
}

/* An acknowledgement that no receiver would send must not push the real bytes aside. */
static void test_wild_ack(void **state) {
    (void)state;
    static const uint32_t wild[] = {0x70000000, 0x7fffffff, 0x40000000 + 5000, 100000};
    for (size_t w = 0; w < ARRAY_LEN(wild); w++) {
        struct flow_run *r = run_new();
        run_handshake(r);
        run_data(r, 0, 1001, 5001, "abc");
        run_data(r, 1, 5001, 1004 + wild[w], "A");
        for (uint32_t i = 0; i < 40; i++) {
            run_data(r, 1, 5002 + i, 1004 + i, "B");
            run_data(r, 0, 1004 + i, 5002 + i, "c");
        }
        run_finish(r);
        assert_int_equal(r->heard[0].len, 43);
        assert_int_equal(r->heard[1].len, 41);
        run_free(r);
    }
}

/* --- beginnings --- */

static void test_syn_ack_first(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_flags(r, 1, 5000, 1001, SYN | ACK);
    run_flags(r, 0, 1000, 0, SYN);
    run_flags(r, 0, 1001, 5001, ACK);
    run_data(r, 0, 1001, 5001, "q");
    run_data(r, 1, 5001, 1002, "a");
    run_finish(r);
    assert_story(r, "0:q 1:a 0! 1!");
    const struct record *d = &r->records[0].r;
    assert_int_equal(d->port[0], 40000); /* the one that answers is no client */
    assert_int_equal(d->port[1], 80);
    assert_true(d->syn_ack_first && d->has_syn && d->has_syn_ack && d->syn_validated);
    assert_int_equal(d->isn[1], 5000);
    assert_document(r, 0, "\"tcpseq\":{\"dst\":5000,\"src\":1000}");
    run_free(r);
}

static void test_fast_open(void **state) {
    (void)state;
    struct flow_run *r = run_new(); /* taken by the server */
    run_tcp(r, (struct tcp_made){.seq = 1000, .flags = SYN, .data = SPAN_LITERAL("early")});
    run_flush(r);
    assert_story(r, "");
    run_flags(r, 1, 5000, 1006, SYN | ACK);
    run_data(r, 1, 5001, 1006, "answer");
    run_data(r, 0, 1006, 5007, "later");
    run_finish(r);
    assert_story(r, "0:early 1:answer 0:later 0! 1!");
    assert_no_document(r, 0, "acked-unseen");
    run_free(r);

    r = run_new(); /* not taken: sent again */
    run_tcp(r, (struct tcp_made){.seq = 1000, .flags = SYN, .data = SPAN_LITERAL("early")});
    run_flags(r, 1, 5000, 1001, SYN | ACK);
    run_data(r, 0, 1001, 5001, "early");
    run_data(r, 1, 5001, 1006, "answer");
    run_finish(r);
    assert_story(r, "0:early 1:answer 0! 1!");
    assert_int_equal(r->records[0].r.data_bytes[0], 5);
    run_free(r);

    r = run_new(); /* not taken, never sent again */
    run_tcp(r, (struct tcp_made){.seq = 1000, .flags = SYN, .data = SPAN_LITERAL("early")});
    run_flags(r, 1, 5000, 1001, SYN | ACK);
    run_flags(r, 0, 1001, 5001, RST);
    run_finish(r);
    assert_story(r, "0! 1!");
    assert_int_equal(r->records[0].r.data_bytes[0], 0);
    run_free(r);
}

static void test_mid_stream(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_data(r, 0, 7004, 9000, "def"); /* the first two came swapped */
    run_data(r, 0, 7001, 9000, "abc");
    run_data(r, 1, 9000, 7007, "answer");
    run_finish(r);
    assert_story(r, "0:abc 0:def 1:answer 0! 1!");
    const struct record *d = &r->records[0].r;
    assert_false(d->has_syn || d->has_syn_ack);
    assert_int_equal(d->missing_bytes[0] + d->missing_bytes[1], 0);
    assert_no_document(r, 0, "\"tcpseq\"");
    run_free(r);
}

static void test_no_syn_ack(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_flags(r, 0, 1000, 0, SYN);
    run_flags(r, 0, 1001, 5001, ACK);
    run_data(r, 0, 1001, 5001, "q");
    run_data(r, 1, 5001, 1002, "a");
    run_finish(r);
    assert_story(r, "0:q 1:a 0! 1!");
    assert_document(r, 0, "\"no-syn-ack\"");
    run_free(r);
}

/* The client tries again with another number before anything was said. */
static void test_second_isn(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_flags(r, 0, 1000, 0, SYN);
    run_flags(r, 0, 1000, 0, SYN);
    run_flags(r, 0, 88000, 0, SYN);
    run_flags(r, 1, 5000, 88001, SYN | ACK);
    run_flags(r, 0, 88001, 5001, ACK);
    run_data(r, 0, 88001, 5001, "question");
    run_data(r, 1, 5001, 88009, "answer");
    run_finish(r);
    assert_story(r, "0:question 1:answer 0! 1!");
    assert_int_equal(r->record_count, 1);
    assert_int_equal(r->records[0].r.src_isn_count, 2);
    assert_int_equal(r->records[0].r.tcp_flags[TCPF_SYN], 3);
    assert_int_equal(r->records[0].r.missing_bytes[0], 0);
    run_free(r);
}

/* One packet is no stream: shown to parsers when it was pushed, not counted. Its number does not matter. */
static void test_lone_packet(void **state) {
    (void)state;
    static const uint32_t seqs[] = {7000, 0, UINT32_MAX, UINT32_MAX - 1, 0x80000000};
    for (size_t i = 0; i < ARRAY_LEN(seqs); i++) {
        struct flow_run *r = run_new();
        run_data(r, 0, seqs[i], 1, "alone");
        run_finish(r);
        assert_story(r, "0:alone 0! 1!");
        assert_int_equal(r->records[0].r.data_bytes[0], 0);
        run_free(r);
        r = run_new();
        run_tcp(r, (struct tcp_made){.seq = seqs[i], .ack = 1, .flags = ACK, .data = SPAN_LITERAL("alone")});
        run_finish(r);
        assert_story(r, "0! 1!");
        run_free(r);
    }
}

/* --- ends --- */

static void test_closing(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_handshake(r);
    run_flags(r, 0, 1001, 5001, FIN | ACK);
    run_flags(r, 1, 5001, 1002, FIN | ACK);
    run_flags(r, 0, 1002, 5002, ACK);
    r->time += 4;
    run_flags(r, 1, 5002, 1002, ACK); /* a late packet keeps it open */
    r->time += 4;
    run_flags(r, 0, 1002, 5002, ACK);
    run_flush(r);
    assert_int_equal(r->record_count, 0);
    r->time += 5.1;
    run_tcp(r, (struct tcp_made){.flow = 1, .flags = SYN});
    run_flags(r, 0, 1002, 5002, ACK);
    run_flush(r);
    assert_int_equal(r->record_count, 1);
    assert_int_equal(r->records[0].r.packets[0] + r->records[0].r.packets[1], 8);
    run_finish(r);
    assert_int_equal(r->record_count, 3);
    run_free(r);
}

static void test_reset(void **state) {
    (void)state;
    for (unsigned in_sequence = 0; in_sequence < 2; in_sequence++) {
        struct flow_run *r = run_new();
        run_handshake(r);
        run_data(r, 0, 1001, 5001, "abc");
        run_tcp(r, (struct tcp_made){
                       .seq = in_sequence ? 1004 : 99, .flags = RST, .data = SPAN_LITERAL("a reason, not data")});
        r->time += 6;
        run_tcp(r, (struct tcp_made){.flow = 1, .flags = SYN}); /* shows that time passed */
        run_flags(r, 1, 5001, 1004, ACK);
        run_finish(r);
        assert_int_equal(r->record_count, in_sequence ? 3 : 2);
        assert_int_equal(r->heard[0].len, 3);
        run_free(r);
    }
}

/* The same addresses again: a new number after an end is a new session, before one it is not. */
static void test_starts_over(void **state) {
    (void)state;
    for (unsigned closed = 0; closed < 2; closed++) {
        struct flow_run *r = run_new();
        run_handshake(r);
        run_data(r, 0, 1001, 5001, "one");
        if (closed) {
            run_flags(r, 0, 1004, 5001, FIN | ACK);
        }
        run_flags(r, 0, 1000, 0, SYN); /* the old one repeated starts nothing */
        run_flags(r, 0, 9000, 0, SYN);
        run_flags(r, 1, 7000, 9001, SYN | ACK);
        run_data(r, 0, 9001, 7001, "two");
        run_finish(r);
        assert_int_equal(r->record_count, closed ? 2 : 1);
        if (closed) {
            assert_story(r, "0:one 0! 1! 0:two 0! 1!");
            assert_int_equal(r->records[1].r.isn[0], 9000);
            assert_string_not_equal(r->records[0].r.id, r->records[1].r.id);
        } else {
            assert_int_equal(r->records[0].r.src_isn_count, 2);
        }
        run_free(r);
    }
}

static void test_flag_counts(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_flags(r, 0, 1000, 0, SYN | 0xc0); /* ECN setup */
    run_flags(r, 1, 5000, 1001, SYN | ACK | 0x40);
    run_flags(r, 0, 1001, 5001, ACK | 0x20);
    run_tcp(r, (struct tcp_made){.seq = 1001, .ack = 5001, .flags = ACK, .window = WINDOW_ZERO});
    run_tcp(r, (struct tcp_made){.side = 1, .seq = 5001, .ack = 1001, .flags = ACK, .window = WINDOW_ZERO});
    run_tcp(r, (struct tcp_made){.side = 1, .seq = 5001, .ack = 1001, .flags = RST, .window = WINDOW_ZERO});
    run_finish(r);
    static const uint32_t flags[TCPF_COUNTS] = {
        [TCPF_SYN] = 1, [TCPF_SYN_ACK] = 1, [TCPF_ACK] = 3,      [TCPF_RST] = 1,     [TCPF_URG] = 1,
        [TCPF_ECE] = 2, [TCPF_CWR] = 1,     [TCPF_SRC_ZERO] = 1, [TCPF_DST_ZERO] = 1};
    assert_memory_equal(r->records[0].r.tcp_flags, flags, sizeof(flags));
    run_free(r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),       cmocka_unit_test(test_out_of_order),
        cmocka_unit_test(test_overlaps),       cmocka_unit_test(test_wrap),
        cmocka_unit_test(test_answer_waits),   cmocka_unit_test(test_fin_order),
        cmocka_unit_test(test_fin_never_seen), cmocka_unit_test(test_data_with_fin),
        cmocka_unit_test(test_gap_given_up),   cmocka_unit_test(test_gap_ceiling),
        cmocka_unit_test(test_memory_ceiling), cmocka_unit_test(test_gap_at_end),
        cmocka_unit_test(test_wild_ack),       cmocka_unit_test(test_syn_ack_first),
        cmocka_unit_test(test_fast_open),      cmocka_unit_test(test_mid_stream),
        cmocka_unit_test(test_no_syn_ack),     cmocka_unit_test(test_second_isn),
        cmocka_unit_test(test_lone_packet),    cmocka_unit_test(test_closing),
        cmocka_unit_test(test_reset),          cmocka_unit_test(test_starts_over),
        cmocka_unit_test(test_flag_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
