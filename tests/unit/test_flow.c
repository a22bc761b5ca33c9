/* test_flow.c: packets to sessions: which packets are one, when a session ends, pieces, ceilings, positions; and that
 * neither the size of batches nor the number of workers shows in the records.
 */
#include "flow_run.h"

/* A UDP datagram between 10.0.0.1 and 10.0.0.2; `side` 1 is the answer. */
static void udp(struct flow_run *r, unsigned side, unsigned src, unsigned dst, const char *text) {
    struct frame *frame = malloc(sizeof(*frame));
    assert_non_null(frame);
    frame_clear(frame);
    frame_put(frame, text, strlen(text));
    frame_udp(frame, side ? dst : src, side ? src : dst);
    frame_ip4(frame, side ? 0x0a000002 : 0x0a000001, side ? 0x0a000001 : 0x0a000002, 17);
    frame_ether(frame, 0x0800);
    run_built(r, frame);
    free(frame);
}

static void test_udp(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    udp(r, 0, 5000, 53, "question");
    udp(r, 1, 5000, 53, "answer");
    udp(r, 0, 5001, 53, "another flow");
    udp(r, 0, 5000, 53, "");
    run_finish(r);
    assert_story(r, "0:question 1:answer 0:another flow 0:");
    assert_int_equal(r->record_count, 2);
    const struct record *d = &r->records[1].r; /* the one that spoke last ends last */
    assert_int_equal(d->packets[0], 2);
    assert_int_equal(d->packets[1], 1);
    assert_int_equal(d->bytes[0], 42 + 8 + 42);
    assert_int_equal(d->data_bytes[0], 8);
    assert_int_equal(d->data_bytes[1], 6);
    assert_int_equal(d->port[0], 5000);
    assert_memory_equal(d->payload8[0], "question", 8);
    assert_int_equal(d->payload8_len[1], 6);
    assert_int_equal(d->segment, 1);
    assert_false(d->linked);
    assert_int_equal(d->last_time - d->first_time, 3 * NS / 1000);
    assert_document(r, 1, "\"protocol\":[\"udp\"]");
    assert_document(r, 1, "\"srcTTL\":[61]");
    assert_document(r, 1, "\"srcDscp\":[10]");
    assert_document(r, 1,
                    "\"source\":{\"bytes\":92,\"ip\":\"10.0.0.1\",\"mac\":[\"02:00:00:00:00:dd\",\"02:00:00:00:00:55\"]"
                    ",\"mac-cnt\":2,");
    assert_int_equal(run_count(r, FLOW_PACKETS), 4);
    assert_int_equal(run_count(r, FLOW_SESSIONS), 2);
    assert_int_equal(run_count(r, FLOW_RECORDS), 2);
    assert_int_equal(run_count(r, FLOW_OPEN), 0);
    assert_int_equal(run_count(r, FLOW_OPEN_PEAK), 2);
    run_free(r);
}

/* Exactly the timeout is not over it; time passes by other flows' packets. */
static void test_timeout(void **state) {
    (void)state;
    for (unsigned over = 0; over < 2; over++) {
        struct flow_run *r = run_new();
        r->step = 0;
        udp(r, 0, 5000, 53, "a");
        r->time += over ? 60.001 : 60;
        udp(r, 0, 9999, 53, "clock");
        udp(r, 0, 5000, 53, "b");
        run_finish(r);
        assert_int_equal(r->record_count, over ? 3 : 2);
        run_free(r);
    }
}

/* Records come while packets are read, not only at the end; each kind has its own timeout. */
static void test_expiry(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    r->settings.max_packets = 1000000;
    r->step = 0;
    struct frame *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    frame_clear(f);
    FRAME_PUT(f, 8, 0, 0, 0, 0, 1, 0, 1);
    frame_ip4(f, 0x0a000001, 0x0a000002, 1);
    frame_ether(f, 0x0800);
    run_built(r, f);
    free(f);
    udp(r, 0, 5000, 53, "a");
    run_flags(r, 0, 1, 0, SYN);
    for (unsigned s = 0; s < 490; s += 5) {
        r->time = s;
        for (unsigned i = 0; i < 260; i++) { /* enough for a sweep */
            udp(r, 0, 7, 7, "tick");
        }
        run_flush(r);
        assert_int_equal(r->record_count, s <= 10 ? 0 : s <= 60 ? 1 : s <= 480 ? 2 : 3);
    }
    assert_int_equal(r->records[0].r.kind, FLOW_ICMP);
    assert_int_equal(r->records[0].r.icmp_type, 8);
    assert_int_equal(r->records[1].r.kind, FLOW_UDP);
    assert_int_equal(r->records[2].r.kind, FLOW_TCP);
    run_finish(r);
    run_free(r);
}

/* One packet with a wild time ends nothing; captures laid one behind the other neither. */
static void test_wild_times(void **state) {
    (void)state;
    static const double wild[] = {4e8, -1e9, 1e5};
    for (size_t i = 0; i < ARRAY_LEN(wild); i++) {
        struct flow_run *r = run_new();
        udp(r, 0, 5000, 53, "a");
        double time = r->time;
        r->time += wild[i];
        udp(r, 0, 6000, 53, "wild");
        r->time = time;
        udp(r, 0, 5000, 53, "b");
        udp(r, 1, 5000, 53, "c");
        run_finish(r);
        assert_int_equal(r->record_count, 2);
        run_free(r);
    }
}

static void test_backwards(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    r->time = 5;
    r->step = -1;
    udp(r, 0, 5000, 53, "a");
    udp(r, 1, 5000, 53, "b");
    udp(r, 0, 5000, 53, "c");
    run_finish(r);
    assert_int_equal(r->record_count, 1);
    assert_document(r, 0, "\"firstPacket\":1600000005000,");
    assert_document(r, 0, "\"lastPacket\":1600000003000,\"length\":2000,");
    assert_document(r, 0, "\"packetRange\":{\"gte\":1600000003000,\"lte\":1600000005000}");
    run_free(r);
}

/* --- pieces --- */

static void test_max_packets(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    r->settings.max_packets = 4;
    for (unsigned i = 0; i < 10; i++) {
        udp(r, i & 1, 5000, 53, "x");
    }
    run_flush(r);
    assert_int_equal(r->record_count, 2);
    run_finish(r);
    assert_int_equal(r->record_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        const struct record *d = &r->records[i].r;
        assert_int_equal(d->segment, i + 1);
        assert_true(d->linked);
        assert_int_equal(d->last_piece, i == 2);
        assert_string_equal(d->id, r->records[0].r.id); /* for life */
        assert_int_equal(d->first_time, r->records[0].r.first_time);
        assert_int_equal(d->packets[0], i == 2 ? 1 : 2);
        assert_int_equal(d->data_bytes[0], i == 2 ? 1 : 2);
        assert_int_equal(d->position_count, i == 2 ? 2 : 4);
        assert_int_equal(d->positions[0].position, 24 + i * 4 * (16 + 43));
        assert_document(r, i, "\"protocol\":[\"udp\"]");
        assert_document(r, i, "\"mac\":[\"02:00:00:00:00:55\",\"02:00:00:00:00:dd\"]");
    }
    assert_int_equal(run_count(r, FLOW_PIECES), 2);
    assert_int_equal(run_count(r, FLOW_SESSIONS), 1);
    run_free(r);
}

/* A TCP session that stays open is saved in pieces by time; the stream goes on, what is linked stays. */
static void test_long_open(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    r->settings.tcp_save_timeout = 100;
    run_handshake(r);
    run_data(r, 0, 1001, 5001, "ab");
    r->time = 99;
    run_data(r, 0, 1003, 5001, "cd");
    run_flush(r);
    assert_int_equal(r->record_count, 0);
    r->time = 101;
    run_data(r, 0, 1005, 5001, "ef");
    run_flush(r);
    assert_int_equal(r->record_count, 1);
    r->time = 150;
    run_data(r, 0, 1007, 5001, "gh");
    run_flush(r);
    assert_int_equal(r->record_count, 1);
    r->time = 250;
    run_data(r, 0, 1009, 5001, "ij");
    run_finish(r);
    assert_int_equal(r->record_count, 3);
    assert_story(r, "0:ab 0:cd 0:ef 0:gh 0:ij 0! 1!");
    assert_int_equal(r->records[0].r.data_bytes[0], 6);
    assert_int_equal(r->records[1].r.data_bytes[0], 4);
    assert_int_equal(r->records[2].r.data_bytes[0], 0);
    assert_int_equal(r->records[0].r.tcp_flags[TCPF_SYN], 1);
    assert_int_equal(r->records[1].r.tcp_flags[TCPF_SYN], 0);
    assert_document(r, 0, "\"initRTT\"");
    assert_no_document(r, 1, "\"initRTT\"");
    assert_no_document(r, 1, "\"tcpseq\"");
    for (size_t i = 0; i < r->event_count; i++) {
        assert_true(r->events[i].what != SAVING || r->events[i].final == (i > 6));
    }
    run_free(r);
}

/* --- ceilings --- */

static void test_max_streams(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    r->settings.max_streams = 16;
    for (unsigned i = 0; i < 16; i++) {
        udp(r, 0, 5000 + i, 53, "x");
    }
    udp(r, 0, 5000, 53, "still there");
    udp(r, 0, 6000, 53, "one too many"); /* the longest idle one, 5001, goes */
    run_flush(r);
    assert_int_equal(r->record_count, 1);
    assert_int_equal(r->records[0].r.port[0], 5001);
    assert_int_equal(run_count(r, FLOW_EVICTED), 1);
    assert_int_equal(run_count(r, FLOW_OPEN), 16);
    run_finish(r);
    assert_int_equal(r->record_count, 17);
    run_free(r);
}

/* A ceiling of memory costs sessions their early end, never the rest of the run. */
static void test_memory(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_start(r);
    r->pool.ceiling = r->pool.in_use + 20000;
    for (unsigned i = 0; i < 500; i++) {
        udp(r, 0, 1000 + i, 53, "x");
        udp(r, 1, 1000 + i, 53, "y");
    }
    run_finish(r);
    assert_int_equal(r->record_count, 500);
    assert_true(run_count(r, FLOW_EVICTED) > 400);
    assert_true(r->pool.peak <= r->pool.ceiling);
    assert_int_equal(run_count(r, FLOW_NO_MEMORY), 0);
    for (size_t i = 0; i < r->record_count; i++) {
        assert_int_equal(r->records[i].r.packets[0], 1);
        assert_int_equal(r->records[i].r.packets[1], 1);
        assert_document(r, i, "\"protocol\":[\"udp\"]");
    }
    run_free(r);
}

/* Not even one session fits: counted, and nothing else happens. */
static void test_no_memory_at_all(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    run_start(r);
    r->pool.ceiling = r->pool.in_use + 64;
    for (unsigned i = 0; i < 50; i++) {
        udp(r, 0, 1000 + i, 53, "x");
    }
    run_finish(r);
    assert_int_equal(r->record_count, 0);
    assert_int_equal(run_count(r, FLOW_NO_MEMORY), 50);
    run_free(r);
}

/* --- who is who --- */

/* Mirror ports often tag one direction only: still one session. Two different tags are two. */
static void test_vlan_tracking(void **state) {
    (void)state;
    static const struct {
        unsigned tag[2];
        size_t sessions;
    } cases[] = {{{100, 0}, 1}, {{0, 100}, 1}, {{100, 100}, 1}, {{100, 200}, 2}, {{0, 0}, 1}};
    struct frame *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct flow_run *r = run_new();
        r->decode.session_id_tracking = 1;
        for (unsigned k = 0; k < 4; k++) {
            unsigned side = k & 1;
            frame_clear(f);
            frame_put(f, "x", 1);
            frame_udp(f, side ? 53 : 5000, side ? 5000 : 53);
            frame_ip4(f, side ? 0x0a000002 : 0x0a000001, side ? 0x0a000001 : 0x0a000002, 17);
            if (cases[i].tag[side]) {
                frame_tag(f, cases[i].tag[side], 0x0800);
                frame_ether(f, 0x8100);
            } else {
                frame_ether(f, 0x0800);
            }
            run_built(r, f);
        }
        run_finish(r);
        assert_int_equal(r->record_count, cases[i].sessions);
        if (cases[i].tag[0] || cases[i].tag[1]) {
            assert_document(r, 0, "\"vlan\":{\"id\":[");
        }
        run_free(r);
    }
    free(f);
}

/* The whole exchange is one session; the client is who spoke first, whatever its address at the time. */
static void test_dhcp_direction(void **state) {
    (void)state;
    static const struct {
        uint32_t src, dst;
        unsigned from, to;
        uint8_t op;
    } talk[] = {{0, 0xffffffff, 68, 67, 1},
                {0x0a000001, 0xffffffff, 67, 68, 2},
                {0, 0xffffffff, 68, 67, 1},
                {0x0a000001, 0x0a000064, 67, 68, 2}};
    struct frame *f = calloc(1, sizeof(*f));
    struct flow_run *r = run_new();
    assert_non_null(f);
    for (size_t i = 0; i < ARRAY_LEN(talk); i++) {
        uint8_t message[300] = {talk[i].op, 1, 6, 0, 0x12, 0x34, 0x56, 0x78};
        memcpy(message + 28, "\2\0\0\0\0\x55", 6);
        memcpy(message + 236, "\x63\x82\x53\x63\x35\1\1\xff", 8);
        frame_clear(f);
        frame_put(f, message, sizeof(message));
        frame_udp(f, talk[i].from, talk[i].to);
        frame_ip4(f, talk[i].src, talk[i].dst, 17);
        frame_ether(f, 0x0800);
        run_built(r, f);
    }
    free(f);
    run_finish(r);
    assert_int_equal(r->record_count, 1);
    const struct record *d = &r->records[0].r;
    assert_int_equal(d->packets[0], 2);
    assert_int_equal(d->packets[1], 2);
    assert_int_equal(d->port[0], 68);
    assert_int_equal(d->port[1], 67);
    assert_memory_equal(d->ip[1] + 12, "\xff\xff\xff\xff", 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(r->events[i].side, i & 1);
    }
    run_free(r);
}

/* Both ends equal (a spoofed packet to itself): one side, no confusion. */
static void test_same_ends(void **state) {
    (void)state;
    struct frame *f = calloc(1, sizeof(*f));
    struct flow_run *r = run_new();
    assert_non_null(f);
    for (unsigned i = 0; i < 2; i++) {
        frame_clear(f);
        frame_tcp(f, 80, 80);
        frame_ip4(f, 0x0a000001, 0x0a000001, 6);
        frame_ether(f, 0x0800);
        run_built(r, f);
    }
    free(f);
    run_finish(r);
    assert_int_equal(r->record_count, 1);
    assert_int_equal(r->records[0].r.packets[0], 2);
    run_free(r);
}

/* The same capture gives the same ids; another place or time another one. */
static void test_ids(void **state) {
    (void)state;
    char ids[4][24];
    for (unsigned i = 0; i < 4; i++) {
        struct flow_run *r = run_new();
        r->position = i == 2 ? 1000 : 24;
        r->time = i == 3 ? 7 : 0;
        udp(r, 0, 5000, 53, "x");
        udp(r, 0, 5001, 53, "x");
        run_finish(r);
        memcpy(ids[i], r->records[0].r.id, sizeof(ids[0]));
        assert_int_equal(strlen(ids[i]), 22);
        assert_int_equal(strspn(ids[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 22);
        assert_string_not_equal(ids[i], r->records[1].r.id);
        run_free(r);
    }
    assert_string_equal(ids[0], ids[1]);
    assert_string_not_equal(ids[0], ids[2]);
    assert_string_not_equal(ids[0], ids[3]);
}

/* --- positions --- */

static void test_positions(void **state) {
    (void)state;
    struct flow_run *r = run_new();
    struct dice d = {5};
    enum { PACKETS = 2000 };
    struct packet_position *wanted = calloc(PACKETS, sizeof(*wanted));
    assert_non_null(wanted);
    r->batch_size = 100;
    for (unsigned i = 0; i < PACKETS; i++) {
        if (dice_one_in(&d, 50)) { /* forwards, backwards, to itself, to very large numbers */
            static const uint32_t files[] = {1, 2, 3, 127, 128, UINT32_MAX};
            r->file = files[dice_below(&d, ARRAY_LEN(files))];
            r->position = dice_one_in(&d, 3) ? dice_u64(&d) >> dice_below(&d, 64) >> 1 : 24;
        }
        char text[1400];
        size_t len = dice_below(&d, sizeof(text));
        memset(text, 'x', len);
        text[len] = 0;
        wanted[i] = (struct packet_position){r->file, (uint32_t)(42 + len), r->position};
        udp(r, i & 1, 5000, 53, text);
    }
    run_finish(r);
    assert_int_equal(r->record_count, 1);
    assert_int_equal(r->records[0].r.position_count, PACKETS);
    for (unsigned i = 0; i < PACKETS; i++) {
        const struct packet_position *p = &r->records[0].positions[i];
        assert_true(p->file == wanted[i].file && p->captured == wanted[i].captured &&
                    p->position == wanted[i].position);
    }
    free(wanted);
    run_free(r);
}

static void test_esp_positions(void **state) {
    (void)state;
    for (unsigned all = 0; all < 2; all++) {
        struct flow_run *r = run_new();
        struct frame *f = calloc(1, sizeof(*f));
        assert_non_null(f);
        r->decode.track_esp = true;
        r->settings.esp_save_packets = all;
        for (unsigned i = 0; i < 3; i++) {
            frame_clear(f);
            FRAME_PUT(f, 0, 0, 1, 0, 0, 0, 0, 1, 1, 2, 3, 4);
            frame_ip4(f, 0x0a000001, 0x0a000002, 50);
            frame_ether(f, 0x0800);
            run_built(r, f);
        }
        free(f);
        run_finish(r);
        assert_int_equal(r->record_count, 1);
        assert_int_equal(r->records[0].r.packets[0], 3);
        assert_int_equal(r->records[0].r.position_count, all ? 3 : 1);
        if (!all) {
            assert_document(r, 0, "\"truncated-pcap\"");
        }
        run_free(r);
    }
}

/* --- nothing but the packets counts --- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Documents of a random capture whose clock also jumps, as one sorted text. */
static char *random_capture(unsigned seed, uint32_t batch_size, uint32_t workers) {
    struct flow_run *r = run_new();
    struct dice d = {seed};
    r->batch_size = batch_size;
    r->workers = workers;
    r->settings.max_packets = 30;
    for (unsigned i = 0; i < 1500; i++) {
        unsigned port = 1000 + (unsigned)dice_below(&d, 12);
        bool tcp = dice_one_in(&d, 3), syn = dice_one_in(&d, 8);
        unsigned side = (unsigned)dice_below(&d, 2), flow = (unsigned)dice_below(&d, 6);
        if (tcp) {
            uint8_t flags = syn ? SYN : dice_one_in(&d, 10) ? FIN | ACK : ACK;
            run_tcp(r, (struct tcp_made){.side = side,
                                         .flow = flow,
                                         .seq = 1000 + (uint32_t)dice_below(&d, 50),
                                         .ack = 1000 + (uint32_t)dice_below(&d, 50),
                                         .flags = flags,
                                         .data = span_text(syn ? "" : "some bytes")});
        } else {
            udp(r, side, port, 53, "x");
        }
        static const double jumps[] = {30, 61, 100, 500, 4000, 100000, 1e8};
        if (dice_one_in(&d, 10)) {
            double jump = jumps[dice_below(&d, ARRAY_LEN(jumps))];
            r->time += dice_one_in(&d, 3) ? -jump : jump;
        }
    }
    run_finish(r);
    char **documents = calloc(r->record_count, sizeof(char *));
    assert_non_null(documents);
    for (size_t i = 0; i < r->record_count; i++) {
        documents[i] = r->records[i].document;
    }
    qsort(documents, r->record_count, sizeof(char *), by_text);
    struct buf all;
    buf_init(&all, (size_t)64 << 20);
    for (size_t i = 0; i < r->record_count; i++) {
        buf_add_text(&all, documents[i]);
        buf_add_byte(&all, '\n');
    }
    buf_add_byte(&all, 0);
    assert_false(all.overflowed);
    free(documents);
    run_free(r);
    return (char *)all.data;
}

static void test_batches_and_workers(void **state) {
    (void)state;
    for (unsigned seed = 1; seed <= 10; seed++) {
        char *first = random_capture(seed, 1, 1);
        static const uint32_t sizes[] = {2, 17, 255, 256};
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            char *other = random_capture(seed, sizes[i], 1);
            if (strcmp(first, other) != 0) {
                fail_msg("seed %u: batches of %u give other documents", seed, sizes[i]);
            }
            free(other);
        }
        free(first);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_wild_times),
        cmocka_unit_test(test_backwards),
        cmocka_unit_test(test_max_packets),
        cmocka_unit_test(test_long_open),
        cmocka_unit_test(test_max_streams),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_no_memory_at_all),
        cmocka_unit_test(test_vlan_tracking),
        cmocka_unit_test(test_dhcp_direction),
        cmocka_unit_test(test_same_ends),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_esp_positions),
        cmocka_unit_test(test_batches_and_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
