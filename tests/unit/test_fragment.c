/* test_fragment.c: datagrams from fragments in both IP versions: any order, duplicates, overlaps against a model,
 * ceilings, timeouts in packet time, pieces that lie, tunnels in fragments, frames that were cut.
 */
#include "frame.h"

enum { ETHERNET = 1, A = 0x0a000001, B = 0x0a000002, SRC = 7001, DST = 7002 };
enum { UDP_LEN = 3000 }; /* header and payload */

/* What is cut into pieces: a UDP datagram whose bytes differ everywhere. */
static void datagram_make(uint8_t *udp, size_t len) {
    write16(udp, SRC);
    write16(udp + 2, DST);
    write16(udp + 4, (unsigned)len);
    write16(udp + 6, 0);
    for (size_t i = 8; i < len; i++) {
        udp[i] = (uint8_t)(i * 7 + i / 251);
    }
}

struct cut {
    unsigned version;
    uint32_t id;
    size_t from, len;
    bool more;
    uint8_t protocol;
    int vlan; /* -1: none */
};

/* The frame of one piece of `bytes`. */
static void piece_frame(struct frame *f, const uint8_t *bytes, const struct cut *c) {
    frame_clear(f);
    frame_put(f, bytes + c->from, c->len);
    if (c->version == 6) {
        uint8_t *p = frame_space(f, 8);
        p[0] = c->protocol;
        write16(p + 2, (unsigned)c->from | c->more);
        write32(p + 4, c->id);
        FRAME_PUT(f, 44, 0, 1, 4, 0, 0, 0, 0); /* destination options in front */
        frame_ip6(f, 1, 2, 60);
    } else {
        frame_ip4(f, A, B, c->protocol);
        write16(frame_bytes(f) + 4, c->id);
        write16(frame_bytes(f) + 6, (unsigned)(c->from / 8) | (c->more ? 0x2000 : 0));
    }
    unsigned type = c->version == 6 ? 0x86dd : 0x0800;
    if (c->vlan >= 0) {
        frame_tag(f, (unsigned)c->vlan, type);
        type = 0x8100;
    }
    frame_ether(f, type);
}

static struct packet *piece_run(struct rig *r, const uint8_t *bytes, const struct cut *c, int64_t seconds) {
    static struct frame f;
    piece_frame(&f, bytes, c);
    struct packet *p = rig_run_cut(r, ETHERNET, frame_bytes(&f), frame_len(&f), frame_len(&f), seconds);
    memset(f.space, 0xee, sizeof(f.space)); /* nothing may refer to a frame of an earlier call */
    return p;
}

static struct packet *piece(struct rig *r, unsigned version, const uint8_t *bytes, size_t from, size_t len, bool more) {
    return piece_run(r, bytes, &(struct cut){version, 77, from, len, more, 17, -1}, 1000);
}

static void assert_whole(const struct packet *p, const uint8_t *udp, size_t len) {
    assert_int_equal(p->kind, FLOW_UDP);
    assert_int_equal(p->payload_len, len - 8);
    assert_memory_equal(p->data + p->transport_at, udp, len);
    assert_true(p->flags & PACKET_REASSEMBLED);
    assert_false(p->flags & PACKET_CUT);
    assert_int_equal(p->captured, p->transport_at + len);
    assert_int_equal(p->wire, p->captured);
    assert_int_equal(p->ip_at, 14);
    const uint8_t *ip = p->data + p->ip_at;
    if (p->ip_version == 4) {
        assert_int_equal(read_be16(ip + 2), 20 + len);
        assert_int_equal(read_be16(ip + 6), 0);
    } else {
        assert_int_equal(read_be16(ip + 4), 8 + len);
        assert_int_equal(ip[40], 17); /* the options before now name UDP */
    }
}

static const unsigned versions[] = {4, 6};

/* All orders of four pieces. */
static void test_orders(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    datagram_make(udp, UDP_LEN);
    static const size_t from[] = {0, 800, 1600, 2400, UDP_LEN};
    for (unsigned n = 0; n < 2 * 24; n++) {
        struct rig *r = rig_new();
        rig_start(r);
        unsigned left[4] = {0, 1, 2, 3}, pick = n / 2;
        struct packet *p = NULL;
        for (unsigned i = 0; i < 4; i++) {
            unsigned which = pick % (4 - i), part = left[which];
            pick /= 4 - i;
            left[which] = left[3 - i];
            p = piece(r, versions[n % 2], udp, from[part], from[part + 1] - from[part], part < 3);
            assert_int_equal(p->kind, i < 3 ? FLOW_NONE : FLOW_UDP);
        }
        assert_whole(p, udp, UDP_LEN);
        assert_int_equal(rig_count(r, DECODE_FRAGMENTS), 4);
        assert_int_equal(rig_count(r, DECODE_REASSEMBLED), 1);
        assert_int_equal(rig_count(r, DECODE_FRAGMENT_DROPPED), 0);
        assert_int_equal(rig_count(r, DECODE_FRAGMENT_OVERLAP), 0);
        rig_free(r);
    }
}

/* The key is that of the same datagram in one frame. */
static void test_key(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    static struct frame f;
    datagram_make(udp, UDP_LEN);
    struct rig *r = rig_new();
    rig_start(r);
    piece(r, 4, udp, 0, 1600, true);
    uint32_t hash = piece(r, 4, udp, 1600, UDP_LEN - 1600, false)->hash;
    struct flow_key key = r->batch.keys[0];
    frame_clear(&f);
    frame_udp(&f, SRC, DST);
    frame_ip4(&f, A, B, 17);
    frame_ether(&f, 0x0800);
    assert_int_equal(rig_run(r, ETHERNET, &f)->hash, hash);
    assert_memory_equal(&key, &r->batch.keys[0], sizeof(key));
    assert_false(r->batch.packets[0].flags & PACKET_REASSEMBLED);
    rig_free(r);
}

/* Several datagrams of one batch stay valid side by side. */
static void test_batch(void **state) {
    (void)state;
    enum { DATAGRAMS = 20 };
    static uint8_t udp[UDP_LEN];
    static struct frame frames[2 * DATAGRAMS];
    datagram_make(udp, UDP_LEN);
    struct rig *r = rig_new();
    rig_start(r);
    for (uint32_t i = 0; i < 2 * DATAGRAMS; i++) {
        bool second = i >= DATAGRAMS;
        struct cut c = {4, i % DATAGRAMS, second ? 1600 : 0, second ? UDP_LEN - 1600 : 1600, !second, 17, -1};
        piece_frame(&frames[i], udp, &c);
        size_t len = frame_len(&frames[i]);
        r->batch.packets[i] = (struct packet){
            .data = frame_bytes(&frames[i]), .captured = (uint32_t)len, .wire = (uint32_t)len, .link = ETHERNET};
    }
    r->batch.count = 2 * DATAGRAMS;
    decoder_run(r->decoder, &r->batch);
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        assert_int_equal(r->batch.packets[i].kind, FLOW_NONE);
        assert_whole(&r->batch.packets[DATAGRAMS + i], udp, UDP_LEN);
    }
    rig_free(r);
}

static void test_duplicates(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    datagram_make(udp, UDP_LEN);
    for (unsigned v = 0; v < 2; v++) {
        struct rig *r = rig_new();
        rig_start(r);
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(piece(r, versions[v], udp, 800, 800, true)->kind, FLOW_NONE);
        }
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(piece(r, versions[v], udp, 1600, UDP_LEN - 1600, false)->kind, FLOW_NONE);
        }
        assert_whole(piece(r, versions[v], udp, 0, 800, true), udp, UDP_LEN);
        assert_int_equal(rig_count(r, DECODE_FRAGMENT_OVERLAP), 0);
        assert_int_equal(rig_count(r, DECODE_FRAGMENT_DROPPED), 0);
        rig_free(r);
    }
}

static uint32_t random_next(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33);
}

/* Random pieces with random bytes against a map of which bytes are known: the same datagram, at the same moment. */
static void model_round(unsigned version, uint32_t policy, uint64_t seed) {
    enum { UNITS = 40, LEN = UNITS * 8 };
    uint8_t model[LEN], bytes[LEN];
    bool known[LEN] = {false}, whole = false;
    struct rig *r = rig_new();
    r->settings.fragment_overlap = policy;
    rig_start(r);
    for (unsigned n = 0; n < 400 && !whole; n++) {
        size_t from = random_next(&seed) % UNITS * 8, len = 8 + random_next(&seed) % 12 * 8;
        len = MIN(len, LEN - from);
        for (size_t i = 0; i < LEN; i++) {
            bytes[i] = (uint8_t)random_next(&seed);
        }
        if (from == 0) {
            datagram_make(bytes, LEN);
        }
        whole = true;
        for (size_t i = 0; i < LEN; i++) {
            if (i >= from && i < from + len && (!known[i] || policy == 1)) {
                model[i] = bytes[i];
                known[i] = true;
            }
            whole = whole && known[i];
        }
        struct packet *p = piece(r, version, bytes, from, len, from + len < LEN);
        if (whole) {
            assert_int_equal(p->flags & PACKET_REASSEMBLED, PACKET_REASSEMBLED);
            assert_memory_equal(p->data + p->ip_at + (version == 6 ? 48 : 20), model, LEN);
        } else {
            assert_int_equal(p->kind, FLOW_NONE);
            assert_int_equal(p->flags & PACKET_REASSEMBLED, 0);
        }
    }
    assert_true(whole);
    assert_true(rig_count(r, DECODE_FRAGMENT_OVERLAP) > 0);
    rig_free(r);
}

static void test_overlaps(void **state) {
    (void)state;
    for (unsigned n = 0; n < 400; n++) {
        model_round(versions[n & 1], n >> 1 & 1, n);
    }
}

/* Pieces that cannot be true are dropped and do not spoil the datagram. */
static void test_lies(void **state) {
    (void)state;
    static uint8_t udp[66000];
    datagram_make(udp, UDP_LEN);
    for (unsigned v = 0; v < 2; v++) {
        struct rig *r = rig_new();
        rig_start(r);
        unsigned version = versions[v];
        piece(r, version, udp, 1600, UDP_LEN - 1600, false);
        piece(r, version, udp, 1600, UDP_LEN - 1600 + 8, false); /* another end */
        piece(r, version, udp, 1600, 800, false);                /* an earlier one */
        piece(r, version, udp, 2400, 800, true);                 /* beyond the end */
        piece(r, version, udp, 0, 803, true);                    /* no multiple of eight */
        piece(r, version, udp, 64800, 1200, true);               /* beyond what a datagram can have */
        piece(r, version, udp, 800, 0, true);                    /* nothing */
        assert_int_equal(rig_count(r, DECODE_FRAGMENT_DROPPED), 6);
        assert_whole(piece(r, version, udp, 0, 1600, true), udp, UDP_LEN);
        piece(r, version, udp, 0, 1600, true);
        piece(r, version, udp, 800, 400, false); /* ends before bytes that are there */
        assert_int_equal(rig_count(r, DECODE_FRAGMENT_DROPPED), 7);
        rig_free(r);
    }
}

/* A whole that is longer than a datagram can be. */
static void test_too_long(void **state) {
    (void)state;
    static uint8_t bytes[65536];
    struct rig *r = rig_new();
    rig_start(r);
    for (size_t at = 0; at < 65528; at += 1488) {
        size_t len = MIN((size_t)1488, 65528 - at);
        assert_int_equal(piece(r, 4, bytes, at, len, at + len < 65528)->kind, FLOW_NONE);
    }
    assert_int_equal(rig_count(r, DECODE_REASSEMBLED), 0);
    assert_int_equal(rig_count(r, DECODE_FRAGMENT_DROPPED), rig_count(r, DECODE_FRAGMENTS));
    rig_free(r);
}

static void test_timeout(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    datagram_make(udp, UDP_LEN);
    for (int64_t late = 59; late <= 62; late++) {
        struct rig *r = rig_new(); /* the rig's timeout is 60 s */
        rig_start(r);
        struct cut first = {4, 5, 0, 1600, true, 17, -1}, second = {4, 5, 1600, UDP_LEN - 1600, false, 17, -1};
        piece_run(r, udp, &first, 1000);
        struct packet *p = piece_run(r, udp, &second, 1000 + late);
        assert_int_equal(p->kind, late <= 60 ? FLOW_UDP : FLOW_NONE);
        assert_int_equal(rig_count(r, DECODE_FRAGMENT_TIMEOUT), late > 60);
        rig_free(r);
    }
    struct rig *r = rig_new();
    rig_start(r);
    struct cut first = {6, 5, 0, 1600, true, 17, -1};
    piece_run(r, udp, &first, 1000);
    r->batch.count = 0; /* other traffic moves the clock as well */
    r->batch.clock = (int64_t)1061 * 1000000000;
    decoder_run(r->decoder, &r->batch);
    assert_int_equal(rig_count(r, DECODE_FRAGMENT_TIMEOUT), 1);
    rig_free(r);
}

static void test_ceiling_chains(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    datagram_make(udp, UDP_LEN);
    struct rig *r = rig_new();
    r->settings.max_frags = 10;
    rig_start(r);
    for (uint32_t id = 0; id < 11; id++) {
        piece_run(r, udp, &(struct cut){4, id, 0, 1600, true, 17, -1}, 1000);
    }
    assert_int_equal(rig_count(r, DECODE_FRAGMENT_DROPPED), 1);
    for (uint32_t id = 10; id > 0; id--) { /* all but the oldest are still there */
        struct packet *p = piece_run(r, udp, &(struct cut){4, id, 1600, UDP_LEN - 1600, false, 17, -1}, 1000);
        assert_whole(p, udp, UDP_LEN);
    }
    rig_free(r);
}

static void test_ceiling_bytes(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    datagram_make(udp, UDP_LEN);
    struct rig *r = rig_new();
    r->settings.frags_memory = 64 << 10;
    r->settings.max_frags = 100000;
    rig_start(r);
    for (uint32_t id = 0; id < 2000; id++) {
        piece_run(r, udp, &(struct cut){6, id, 0, 1600, true, 17, -1}, 1000);
        assert_true(r->pool.in_use <= (96 << 10)); /* debug pools hide from us what their classes add */
    }
    assert_true(rig_count(r, DECODE_FRAGMENT_DROPPED) > 1900);
    struct packet *p = piece_run(r, udp, &(struct cut){6, 1999, 1600, UDP_LEN - 1600, false, 17, -1}, 1000);
    assert_whole(p, udp, UDP_LEN);
    rig_free(r);
}

/* A datagram in more pieces than anyone sends is given up; what comes after starts anew. */
static void test_ceiling_pieces(void **state) {
    (void)state;
    static uint8_t bytes[65536];
    struct rig *r = rig_new();
    rig_start(r);
    for (size_t at = 0; at < 4000; at++) {
        piece(r, 4, bytes, at * 16, 8, true);
    }
    assert_true(rig_count(r, DECODE_FRAGMENT_DROPPED) > 3000);
    assert_true(r->pool.in_use < 600 * 128);
    rig_free(r);
}

/* Datagrams that only look alike: another id, protocol (IPv4) or VLAN. */
static void test_kept_apart(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    datagram_make(udp, UDP_LEN);
    const struct cut first = {4, 5, 0, 1600, true, 17, -1};
    const struct cut others[] = {{4, 6, 1600, UDP_LEN - 1600, false, 17, -1},
                                 {4, 5, 1600, UDP_LEN - 1600, false, 6, -1},
                                 {4, 5, 1600, UDP_LEN - 1600, false, 17, 9},
                                 {6, 5, 1600, UDP_LEN - 1600, false, 17, -1}};
    struct rig *r = rig_new();
    rig_start(r);
    piece_run(r, udp, &first, 1000);
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_int_equal(piece_run(r, udp, &others[i], 1000)->kind, FLOW_NONE);
    }
    assert_int_equal(rig_count(r, DECODE_FRAGMENT_DROPPED), 0);
    assert_int_equal(rig_count(r, DECODE_REASSEMBLED), 0);
    struct cut last = others[0];
    last.id = first.id;
    assert_whole(piece_run(r, udp, &last, 1000), udp, UDP_LEN);
    rig_free(r);
}

/* RFC 8200: the next header of later fragments says nothing. */
static void test_next_header6(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    datagram_make(udp, UDP_LEN);
    struct rig *r = rig_new();
    rig_start(r);
    piece_run(r, udp, &(struct cut){6, 5, 0, 1600, true, 17, -1}, 1000);
    assert_whole(piece_run(r, udp, &(struct cut){6, 5, 1600, UDP_LEN - 1600, false, 6, -1}, 1000), udp, UDP_LEN);
    rig_free(r);
}

static void test_atomic6(void **state) {
    (void)state;
    static uint8_t udp[100];
    datagram_make(udp, 100);
    struct rig *r = rig_new();
    rig_start(r);
    struct packet *p = piece(r, 6, udp, 0, 100, false);
    assert_int_equal(p->kind, FLOW_UDP);
    assert_int_equal(p->payload_len, 92);
    assert_int_equal(p->flags & PACKET_REASSEMBLED, 0);
    assert_int_equal(rig_count(r, DECODE_FRAGMENTS), 0);
    rig_free(r);
}

/* Without reassembly, and where the capture cut a piece, the first piece is looked at as far as it goes. */
static void test_partial(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    static struct frame f;
    datagram_make(udp, UDP_LEN);
    for (unsigned n = 0; n < 4; n++) {
        unsigned version = versions[n & 1];
        bool cut = n & 2;
        struct rig *r = rig_new();
        r->settings.disable_fragments4 = r->settings.disable_fragments6 = !cut;
        rig_start(r);
        piece_frame(&f, udp, &(struct cut){version, 5, 0, 1600, true, 17, -1});
        size_t len = frame_len(&f), there = cut ? len - 100 : len;
        struct packet *p = rig_run_cut(r, ETHERNET, frame_bytes(&f), there, len, 1000);
        assert_int_equal(p->kind, FLOW_UDP);
        assert_int_equal(p->payload_len, 1592 - (len - there));
        piece_frame(&f, udp, &(struct cut){version, 5, 1600, UDP_LEN - 1600, false, 17, -1});
        len = frame_len(&f);
        p = rig_run_cut(r, ETHERNET, frame_bytes(&f), cut ? len - 1 : len, len, 1000);
        assert_int_equal(p->kind, FLOW_NONE);
        assert_int_equal(rig_count(r, DECODE_FRAGMENTS), 2);
        assert_int_equal(rig_count(r, DECODE_FRAGMENT_DROPPED), 1);
        rig_free(r);
    }
}

/* A tunnel whose outer packets were fragmented: the inner flow is found, with its outer addresses and VLAN. */
static void test_tunnel_inside(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    static struct frame inner;
    datagram_make(udp, UDP_LEN);
    frame_clear(&inner);
    frame_put(&inner, udp, UDP_LEN);
    frame_ip4(&inner, 0x01010101, 0x02020202, 17);
    size_t len = frame_len(&inner);
    for (unsigned v = 0; v < 2; v++) {
        struct rig *r = rig_new();
        rig_start(r);
        piece_run(r, frame_bytes(&inner), &(struct cut){versions[v], 5, 1600, len - 1600, false, 4, 12}, 1000);
        struct packet *p = piece_run(r, frame_bytes(&inner), &(struct cut){versions[v], 5, 0, 1600, true, 4, 12}, 1000);
        assert_int_equal(p->kind, FLOW_UDP);
        assert_int_equal(p->ip_version, 4);
        assert_memory_equal(p->data + p->transport_at, udp, UDP_LEN);
        assert_int_equal(p->layers->vlan_id[0], 12);
        assert_true(p->layers->has_outer_ip);
        assert_int_equal(p->layers->outer_src[15], 1);
        assert_int_equal(p->layers->outer_dst[15], 2);
        rig_free(r);
    }
}

/* The same without reassembly: the inner packet is followed as far as the first piece goes. */
static void test_tunnel_partial(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    static struct frame inner;
    datagram_make(udp, UDP_LEN);
    frame_clear(&inner);
    frame_put(&inner, udp, UDP_LEN);
    frame_ip4(&inner, 0x01010101, 0x02020202, 17);
    for (unsigned v = 0; v < 2; v++) {
        struct rig *r = rig_new();
        r->settings.disable_fragments4 = r->settings.disable_fragments6 = true;
        rig_start(r);
        struct packet *p = piece_run(r, frame_bytes(&inner), &(struct cut){versions[v], 5, 0, 1600, true, 4, -1}, 1000);
        assert_int_equal(p->kind, FLOW_UDP);
        assert_int_equal(p->payload_len, 1600 - 28);
        rig_free(r);
    }
}

/* Fragments of fragments: the inner datagram is put together from outer ones that were. */
static void test_fragments_inside(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    static struct frame inner;
    datagram_make(udp, UDP_LEN);
    struct rig *r = rig_new();
    rig_start(r);
    struct packet *p = NULL;
    for (unsigned half = 0; half < 2; half++) {
        piece_frame(&inner, udp, &(struct cut){4, 9, half ? 1600 : 0, half ? UDP_LEN - 1600 : 1600, !half, 17, -1});
        inner.at += 14; /* without Ethernet */
        size_t len = frame_len(&inner);
        piece_run(r, frame_bytes(&inner), &(struct cut){6, half, 0, 800, true, 4, -1}, 1000);
        p = piece_run(r, frame_bytes(&inner), &(struct cut){6, half, 800, len - 800, false, 4, -1}, 1000);
        assert_int_equal(p->kind, half ? FLOW_UDP : FLOW_NONE);
    }
    assert_memory_equal(p->data + p->transport_at, udp, UDP_LEN);
    assert_true(p->layers->has_outer_ip);
    assert_int_equal(rig_count(r, DECODE_REASSEMBLED), 3);
    rig_free(r);
}

/* No memory at all: everything is dropped and counted. */
static void test_no_memory(void **state) {
    (void)state;
    static uint8_t udp[UDP_LEN];
    datagram_make(udp, UDP_LEN);
    for (size_t ceiling = 1; ceiling < 8000; ceiling += 200) {
        struct rig *r = rig_new();
        r->pool.ceiling = ceiling;
        rig_start(r);
        piece(r, 4, udp, 0, 1600, true);
        struct packet *p = piece(r, 4, udp, 1600, UDP_LEN - 1600, false);
        uint64_t lost = rig_count(r, DECODE_FRAGMENT_DROPPED);
        assert_int_equal(p->kind, lost || r->pool.refused ? FLOW_NONE : FLOW_UDP);
        assert_int_equal(rig_count(r, DECODE_REASSEMBLED), p->kind == FLOW_UDP);
        rig_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tunnel_partial),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_key),
        cmocka_unit_test(test_batch),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_overlaps),
        cmocka_unit_test(test_lies),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_timeout),
        cmocka_unit_test(test_ceiling_chains),
        cmocka_unit_test(test_ceiling_bytes),
        cmocka_unit_test(test_ceiling_pieces),
        cmocka_unit_test(test_kept_apart),
        cmocka_unit_test(test_next_header6),
        cmocka_unit_test(test_atomic6),
        cmocka_unit_test(test_partial),
        cmocka_unit_test(test_tunnel_inside),
        cmocka_unit_test(test_fragments_inside),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
