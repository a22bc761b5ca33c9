/* test_decode.c: layers up to the transport: Ethernet, VLANs, LLC, IP, keys, limits, lengths that lie. */
#include <errno.h>

#include "frame.h"

enum { ETHERNET = 1, A = 0x0a000001, B = 0x0a000002 };

static void assert_payload(const struct packet *p, const char *text) {
    assert_int_equal(p->payload_len, strlen(text));
    assert_memory_equal(p->data + p->payload_at, text, strlen(text));
}

static void put_text(struct frame *f, const char *text) {
    frame_put(f, text, strlen(text));
}

static void test_tcp4(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    static struct frame f;
    frame_clear(&f);
    put_text(&f, "hello");
    frame_tcp(&f, 40000, 80);
    frame_ip4(&f, B, A, 6);
    frame_ether(&f, 0x0800);
    struct packet *p = rig_run(r, ETHERNET, &f);
    assert_int_equal(p->kind, FLOW_TCP);
    assert_int_equal(p->flags, PACKET_HAS_MAC);
    assert_int_equal(p->mac_at, 0);
    assert_int_equal(p->ip_at, 14);
    assert_int_equal(p->transport_at, 34);
    assert_int_equal(p->payload_at, 54);
    assert_int_equal(p->ethertype, 0x0800);
    assert_int_equal(p->ip_version, 4);
    assert_int_equal(p->ip_protocol, 6);
    assert_int_equal(p->ttl, 61);
    assert_int_equal(p->dscp, 10);
    assert_null(p->layers);
    assert_payload(p, "hello");
    struct flow_key key = r->batch.keys[0];
    uint32_t hash = p->hash;
    static const uint8_t low[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1}, high[16] = {[10] = 0xff, 0xff, 10, 0, 0, 2};
    assert_memory_equal(key.low, low, 16);
    assert_memory_equal(key.high, high, 16);
    assert_int_equal(key.low_port, 80);
    assert_int_equal(key.high_port, 40000);
    assert_int_equal(key.tag, (uint32_t)FLOW_TCP << 28);

    frame_clear(&f); /* the other direction meets it */
    frame_tcp(&f, 80, 40000);
    frame_ip4(&f, A, B, 6);
    frame_ether(&f, 0x0800);
    p = rig_run(r, ETHERNET, &f);
    assert_int_equal(p->hash, hash);
    assert_memory_equal(&r->batch.keys[0], &key, sizeof(key));
    assert_true(p->flags & PACKET_FROM_LOW);
    assert_int_equal(p->payload_len, 0);
    assert_int_equal(p->payload_at, 54);
    rig_free(r);
}

static void test_udp6(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    static struct frame f;
    frame_clear(&f);
    put_text(&f, "question");
    frame_udp(&f, 5000, 53);
    FRAME_PUT(&f, 17, 1, 1, 12, [15] = 0);  /* destination options of 16 bytes */
    FRAME_PUT(&f, 60, 0, 0, 0, 0, 0, 0, 0); /* routing */
    FRAME_PUT(&f, 43, 0, 5, 2, 0, 0, 1, 0); /* hop by hop */
    frame_ip6(&f, 1, 2, 0);
    frame_ether(&f, 0x86dd);
    struct packet *p = rig_run(r, ETHERNET, &f);
    assert_int_equal(p->kind, FLOW_UDP);
    assert_int_equal(p->ip_version, 6);
    assert_int_equal(p->ip_protocol, 17);
    assert_int_equal(p->ttl, 62);
    assert_int_equal(p->dscp, 10);
    assert_int_equal(p->transport_at, 14 + 40 + 32);
    assert_int_equal(r->batch.keys[0].low[15], 1);
    assert_int_equal(r->batch.keys[0].low_port, 5000);
    assert_true(p->flags & PACKET_FROM_LOW);
    assert_payload(p, "question");
    rig_free(r);
}

/* Trailers are neither payload nor, where asked, counted at all. */
static void test_padding(void **state) {
    (void)state;
    for (int trim = 0; trim < 2; trim++) {
        struct rig *r = rig_new();
        r->settings.trim_ethernet_padding = trim;
        rig_start(r);
        static struct frame f;
        frame_clear(&f);
        put_text(&f, "x");
        frame_udp(&f, 1, 2);
        frame_ip4(&f, A, B, 17);
        frame_ether(&f, 0x0800);
        uint8_t padded[60] = {0};
        memcpy(padded, frame_bytes(&f), frame_len(&f));
        struct packet *p = rig_run_cut(r, ETHERNET, padded, 60, 60, 1);
        assert_payload(p, "x");
        assert_int_equal(p->captured, trim ? 43 : 60);
        assert_int_equal(p->wire, trim ? 43 : 60);
        rig_free(r);
    }
}

static void test_vlans(void **state) {
    (void)state;
    for (unsigned tags = 0; tags <= 9; tags++) {
        struct rig *r = rig_new();
        rig_start(r);
        static struct frame f;
        frame_clear(&f);
        frame_udp(&f, 1, 2);
        frame_ip4(&f, A, B, 17);
        unsigned type = 0x0800;
        for (unsigned i = 0; i < tags; i++) {
            frame_tag(&f, 0xa000 | (100 + i), type);
            type = i & 1 ? 0x8100 : 0x88a8;
        }
        frame_ether(&f, type);
        struct packet *p = rig_run(r, ETHERNET, &f);
        assert_int_equal(p->kind, tags <= 8 ? FLOW_UDP : FLOW_NONE);
        assert_int_equal(rig_count(r, DECODE_CORRUPT_ETHER), tags == 9);
        if (tags && tags <= 8) {
            assert_int_equal(p->layers->vlan_count, tags);
            assert_int_equal(p->layers->vlan_id[0], 100 + tags - 1);
            assert_int_equal(p->layers->vlan_id[tags - 1], 100);
            assert_int_equal(p->layers->vlan_type[0], type);
            assert_int_equal(p->ethertype, 0x0800);
        }
        rig_free(r);
    }
}

static struct flow_key key_of_vlan(struct rig *r, int id) {
    static struct frame f;
    frame_clear(&f);
    frame_udp(&f, 1, 2);
    frame_ip4(&f, A, B, 17);
    if (id >= 0) {
        frame_tag(&f, (unsigned)id, 0x0800);
    }
    frame_ether(&f, id >= 0 ? 0x8100 : 0x0800);
    assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_UDP);
    return r->batch.keys[0];
}

static void test_vlan_tracking(void **state) {
    (void)state;
    struct rig *r = rig_new();
    r->settings.session_id_tracking = 1;
    const struct config_entry entries[] = {{.key = "300", .value = "50, 7;60"}, {.key = "0", .value = "500"}};
    assert_int_equal(decode_collapse_read(&r->settings, entries, 2, NULL), 0);
    rig_start(r);
    assert_int_equal(key_of_vlan(r, 10).tag & 0xffffff, 10);
    assert_int_equal(key_of_vlan(r, 50).tag & 0xffffff, 300);
    assert_int_equal(key_of_vlan(r, 7).tag & 0xffffff, 300);
    assert_int_equal(key_of_vlan(r, 60).tag & 0xffffff, 300);
    assert_int_equal(key_of_vlan(r, 500).tag & 0xffffff, 0);
    assert_int_equal(key_of_vlan(r, -1).tag & 0xffffff, 0);
    rig_free(r);

    r = rig_new();
    rig_start(r);
    assert_int_equal(key_of_vlan(r, 10).tag & 0xffffff, 0);
    rig_free(r);

    struct decode_settings settings = {0};
    struct err err;
    const struct config_entry bad = {.key = "300", .value = "5;x"};
    assert_int_equal(decode_collapse_read(&settings, &bad, 1, &err), -EINVAL);
    assert_non_null(strstr(err.text, "5;x"));
    char many[DECODE_COLLAPSE_MAX * 3 + 10] = "";
    for (size_t i = 0; i < DECODE_COLLAPSE_MAX + 1; i++) {
        memcpy(many + i * 2, "1;", 3);
    }
    const struct config_entry big = {.key = "2", .value = many};
    settings.collapse_count = 0;
    assert_int_equal(decode_collapse_read(&settings, &big, 1, &err), -E2BIG);
}

struct other_case {
    const char *what;
    uint16_t type; /* behind the addresses: ethertype or length */
    const char *bytes;
    size_t len;
    uint8_t kind, other;
    enum decode_count counter; /* when no session is made */
};

#define BYTES(text) text, sizeof(text) - 1
#define SNAP_IP "\xaa\xaa\x03\x00\x00\x00\x08\x00"
#define SMALL_IP \
    "\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x01\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02\x08\x00\x00\x00\x00\x00\x00\x00"

static const struct other_case others[] = {
    {"llc snap", 36, BYTES(SNAP_IP SMALL_IP), FLOW_ICMP, OTHER_NONE, 0},
    {"is-is", 20, BYTES("\xfe\xfe\x03\x83\x1b\x01\x00\x0f\x01\x00\x00"), FLOW_OTHER, OTHER_ISIS, 0},
    {"es-is", 20, BYTES("\xfe\xfe\x03\x82\x1b\x01\x00\x0f\x01\x00\x00"), FLOW_OTHER, OTHER_ESIS, 0},
    {"es-is by type", 0x890d, BYTES("\x82\x00"), FLOW_OTHER, OTHER_ESIS, 0},
    {"xid", 6, BYTES("\x00\x01\xaf\x81\x01\x00"), FLOW_OTHER, OTHER_XID, 0},
    {"xid final", 6, BYTES("\x00\x01\xbf\x81\x01\x00"), FLOW_OTHER, OTHER_XID, 0},
    {"lldp", 0x88cc, BYTES("\x02\x07\x04\x00\x01\x02\x03\x04\x05"), FLOW_OTHER, OTHER_LLDP, 0},
    {"spanning tree", 38, BYTES("\x42\x42\x03\x00\x00\x00\x00"), FLOW_NONE, 0, DECODE_CORRUPT_ETHER},
    {"cisco snap", 20, BYTES("\xaa\xaa\x03\x00\x00\x0c\x20\x00\x02\xb4"), FLOW_NONE, 0, DECODE_CORRUPT_ETHER},
    {"loopback test", 0x9000, BYTES("\x00\x00\x01\x00"), FLOW_NONE, 0, DECODE_UNKNOWN_ETHER},
    {"short llc", 2, BYTES("\xaa\xaa"), FLOW_NONE, 0, DECODE_CORRUPT_ETHER},
    {"ip without ip", 0x0800, BYTES("\x45"), FLOW_NONE, 0, DECODE_CORRUPT_ETHER},
};

static void test_others(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        const struct other_case *c = &others[i];
        struct rig *r = rig_new();
        rig_start(r);
        static struct frame f;
        frame_clear(&f);
        frame_put(&f, c->bytes, c->len);
        frame_ether(&f, c->type);
        struct packet *p = rig_run(r, ETHERNET, &f);
        print_message("# %s\n", c->what);
        assert_int_equal(p->kind, c->kind);
        if (p->kind == FLOW_NONE) {
            assert_int_equal(rig_count(r, c->counter), 1);
        } else {
            assert_int_equal(r->batch.keys[0].tag, (uint32_t)c->kind << 28 | (uint32_t)c->other << 24);
            assert_int_equal(p->ethertype, c->type);
        }
        rig_free(r);
    }
}

static void put_arp(struct frame *f, unsigned operation, uint32_t sender, uint32_t target) {
    frame_clear(f);
    uint8_t *p = frame_space(f, 28);
    memcpy(p, "\x00\x01\x08\x00\x06\x04", 6);
    write16(p + 6, operation);
    write32(p + 14, sender);
    write32(p + 24, target);
    frame_ether(f, 0x0806);
}

static void test_arp(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    static struct frame f;
    put_arp(&f, 1, A, B);
    struct packet *p = rig_run(r, ETHERNET, &f);
    assert_int_equal(p->kind, FLOW_OTHER);
    assert_true(p->flags & PACKET_FROM_LOW);
    assert_int_equal(p->payload_at, 14);
    assert_int_equal(p->payload_len, 28);
    struct flow_key asked = r->batch.keys[0];
    put_arp(&f, 2, B, A);
    rig_run(r, ETHERNET, &f);
    assert_memory_equal(&asked, &r->batch.keys[0], sizeof(asked));
    put_arp(&f, 1, B, A);
    rig_run(r, ETHERNET, &f);
    assert_memory_not_equal(&asked, &r->batch.keys[0], sizeof(asked));
    put_arp(&f, 3, B, A);
    assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_NONE);
    assert_int_equal(rig_count(r, DECODE_UNKNOWN_ETHER), 1);
    rig_free(r);

    static const char *const names[] = {"x", "arp.so"};
    r = rig_new();
    r->settings.disable_parsers = (struct setting_list){names, 2};
    rig_start(r);
    put_arp(&f, 1, A, B);
    assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_NONE);
    assert_int_equal(rig_count(r, DECODE_UNKNOWN_ETHER), 1);
    rig_free(r);
}

static struct flow_key key_of_protocol(struct rig *r, uint8_t protocol, uint32_t src, uint32_t dst, uint8_t *ret_kind) {
    static struct frame f;
    frame_clear(&f);
    FRAME_PUT(&f, 0x02, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    frame_ip4(&f, src, dst, protocol);
    frame_ether(&f, 0x0800);
    struct packet *p = rig_run(r, ETHERNET, &f);
    *ret_kind = p->kind;
    return r->batch.keys[0];
}

/* Which protocols of IP are one session, which one per pair of addresses, which none. */
static void test_ip_protocols(void **state) {
    (void)state;
    static const struct {
        uint8_t protocol, kind, other;
        bool by_address;
    } cases[] = {{1, FLOW_ICMP, OTHER_NONE, true},    {2, FLOW_OTHER, OTHER_IGMP, false},
                 {103, FLOW_OTHER, OTHER_PIM, false}, {89, FLOW_OTHER, OTHER_OSPF, true},
                 {132, FLOW_SCTP, OTHER_NONE, true},  {50, FLOW_ESP, OTHER_NONE, true},
                 {88, FLOW_NONE, OTHER_NONE, false}};
    struct rig *r = rig_new();
    r->settings.track_esp = true;
    rig_start(r);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t kind;
        struct flow_key one = key_of_protocol(r, cases[i].protocol, A, B, &kind);
        assert_int_equal(kind, cases[i].kind);
        if (kind == FLOW_NONE) {
            continue;
        }
        assert_int_equal(one.tag, (uint32_t)kind << 28 | (uint32_t)cases[i].other << 24);
        struct flow_key two = key_of_protocol(r, cases[i].protocol, A, 0xe0000005, &kind);
        assert_int_equal(memcmp(&one, &two, sizeof(one)) != 0, cases[i].by_address);
    }
    assert_int_equal(rig_count(r, DECODE_UNKNOWN_IP), 1);
    rig_free(r);
    r = rig_new();
    rig_start(r);
    uint8_t kind;
    key_of_protocol(r, 50, A, B, &kind);
    assert_int_equal(kind, FLOW_NONE);
    rig_free(r);
}

static void put_dhcp(struct frame *f, uint8_t operation, uint8_t client, unsigned src, unsigned dst) {
    frame_clear(f);
    uint8_t *m = frame_space(f, 244);
    m[0] = operation;
    m[1] = 1;
    m[2] = 6;
    m[33] = client;
    write32(m + 236, 0x63825363);
    frame_udp(f, src, dst);
    frame_ip4(f, A, B, 17);
    frame_ether(f, 0x0800);
}

static void test_dhcp(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    static struct frame f;
    put_dhcp(&f, 1, 9, 68, 67);
    struct packet *p = rig_run(r, ETHERNET, &f);
    assert_int_equal(p->kind, FLOW_OTHER);
    assert_int_equal(p->ip_protocol, 17);
    assert_true(p->flags & PACKET_FROM_LOW);
    assert_int_equal(p->payload_len, 244);
    struct flow_key key = r->batch.keys[0];
    put_dhcp(&f, 2, 9, 67, 68);
    p = rig_run(r, ETHERNET, &f);
    assert_false(p->flags & PACKET_FROM_LOW);
    assert_memory_equal(&key, &r->batch.keys[0], sizeof(key));
    put_dhcp(&f, 1, 10, 68, 67);
    rig_run(r, ETHERNET, &f);
    assert_memory_not_equal(&key, &r->batch.keys[0], sizeof(key));
    put_dhcp(&f, 1, 9, 68, 67);
    frame_bytes(&f)[42 + 236]++; /* no cookie: BOOTP is plain UDP */
    assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_UDP);
    rig_free(r);
}

static struct flow_key key_of_dhcp6(struct rig *r, uint8_t type, uint8_t id, unsigned src, unsigned dst) {
    static struct frame f;
    frame_clear(&f);
    FRAME_PUT(&f, type, 0, 0, id, [36] = 0);
    frame_udp(&f, src, dst);
    frame_ip6(&f, (uint8_t)src, (uint8_t)dst, 17);
    frame_ether(&f, 0x86dd);
    assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_OTHER);
    return r->batch.keys[0];
}

static void test_dhcp6(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    struct flow_key asked = key_of_dhcp6(r, 1, 7, 546, 547);
    assert_true(r->batch.packets[0].flags & PACKET_FROM_LOW);
    struct flow_key told = key_of_dhcp6(r, 2, 7, 547, 546);
    assert_false(r->batch.packets[0].flags & PACKET_FROM_LOW);
    assert_memory_equal(&asked, &told, sizeof(asked));
    struct flow_key next = key_of_dhcp6(r, 1, 8, 546, 547);
    assert_memory_not_equal(&asked, &next, sizeof(asked));
    struct flow_key out = key_of_dhcp6(r, 12, 3, 547, 547), back = key_of_dhcp6(r, 13, 3, 547, 547);
    assert_memory_equal(&out, &back, sizeof(out));
    rig_free(r);
}

/* Every length that lies, once in whole frames (corrupt) and once where the capture cut them (followed as far as
 * possible). */
static void test_lies(void **state) {
    (void)state;
    static const struct {
        const char *what;
        size_t at;
        uint8_t value;
    } lies[] = {{"ip version", 14, 0x55},
                {"ip header of 4 words", 14, 0x44},
                {"ip header beyond the frame", 14, 0x4f},
                {"ip length beyond the frame", 16, 0x40},
                {"tcp header of 4 words", 46, 0x40},
                {"tcp header beyond the packet", 46, 0xf0}};
    static struct frame f;
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        struct rig *r = rig_new();
        rig_start(r);
        frame_clear(&f);
        frame_tcp(&f, 1, 2);
        frame_ip4(&f, A, B, 6);
        frame_ether(&f, 0x0800);
        frame_bytes(&f)[lies[i].at] = lies[i].value;
        print_message("# %s\n", lies[i].what);
        assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_NONE);
        assert_int_equal(rig_count(r, DECODE_CORRUPT_ETHER) + rig_count(r, DECODE_CORRUPT_IP), 1);
        rig_free(r);
    }
    for (unsigned length = 0; length < 20; length++) { /* 12 is right */
        struct rig *r = rig_new();
        rig_start(r);
        frame_clear(&f);
        put_text(&f, "abcd");
        frame_udp(&f, 1, 2);
        frame_ip4(&f, A, B, 17);
        frame_ether(&f, 0x0800);
        write16(frame_bytes(&f) + 38, length);
        struct packet *p = rig_run(r, ETHERNET, &f);
        bool fits = length >= 8 && length <= 12;
        assert_int_equal(p->kind, fits ? FLOW_UDP : FLOW_NONE);
        assert_int_equal(p->payload_len, fits ? length - 8 : 0);
        rig_free(r);
    }
}

static void test_cut(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    static struct frame f;
    frame_clear(&f);
    frame_space(&f, 1000);
    frame_tcp(&f, 1, 2);
    frame_ip4(&f, A, B, 6);
    frame_ether(&f, 0x0800);
    for (size_t len = 0; len < 100; len++) {
        struct packet *p = rig_run_cut(r, ETHERNET, frame_bytes(&f), len, frame_len(&f), 1);
        assert_int_equal(p->kind, len < 54 ? FLOW_NONE : FLOW_TCP);
        assert_int_equal(p->payload_len, len < 54 ? 0 : len - 54);
        assert_true(p->flags & PACKET_CUT);
    }
    rig_free(r);
}

static void test_zero_lengths(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    static struct frame f;
    frame_clear(&f);
    frame_space(&f, 2000);
    frame_tcp(&f, 1, 2);
    frame_ip4(&f, A, B, 6);
    frame_ether(&f, 0x0800);
    write16(frame_bytes(&f) + 16, 0); /* segmentation offload */
    assert_int_equal(rig_run(r, ETHERNET, &f)->payload_len, 2000);
    frame_clear(&f);
    frame_space(&f, 66000);
    frame_tcp(&f, 1, 2);
    FRAME_PUT(&f, 6, 0, 0xc2, 4, 0, 1, 1, 0xd0 + 12); /* jumbo payload option */
    frame_ip6(&f, 1, 2, 0);
    frame_ether(&f, 0x86dd);
    write16(frame_bytes(&f) + 18, 0);
    assert_int_equal(rig_run(r, ETHERNET, &f)->payload_len, 66000);
    rig_free(r);
}

/* A host that talks to itself: only ports tell the directions apart. */
static void test_same_address(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    static struct frame f;
    struct flow_key keys[2];
    for (unsigned i = 0; i < 2; i++) {
        frame_clear(&f);
        frame_udp(&f, i ? 9 : 5, i ? 5 : 9);
        frame_ip4(&f, A, A, 17);
        frame_ether(&f, 0x0800);
        struct packet *p = rig_run(r, ETHERNET, &f);
        keys[i] = r->batch.keys[0];
        assert_int_equal(!!(p->flags & PACKET_FROM_LOW), i == 0);
    }
    assert_memory_equal(&keys[0], &keys[1], sizeof(keys[0]));
    rig_free(r);
}

/* The length field of 802.3 ends the payload, not the padding. */
static void test_llc_padding(void **state) {
    (void)state;
    struct rig *r = rig_new();
    rig_start(r);
    static struct frame f;
    frame_clear(&f);
    frame_space(&f, 30);
    FRAME_PUT(&f, 0xfe, 0xfe, 0x03, 0x83, 1, 2, 3);
    frame_ether(&f, 7);
    struct packet *p = rig_run(r, ETHERNET, &f);
    assert_int_equal(p->kind, FLOW_OTHER);
    assert_int_equal(p->payload_at, 17);
    assert_int_equal(p->payload_len, 4);
    rig_free(r);
}

static struct decode_settings saving(const char *const *items, size_t count) {
    return (struct decode_settings){.save_unknown = {items, count}, .frags_timeout = 1, .max_frags = 1};
}

static uint8_t kind_of_unknown(const char *const *items, size_t count, unsigned type, uint8_t protocol) {
    struct rig *r = rig_new();
    r->settings = saving(items, count);
    assert_int_equal(decode_settings_check(&r->settings, NULL), 0);
    rig_start(r);
    static struct frame f;
    frame_clear(&f);
    frame_space(&f, 8);
    if (type == 0x0800) {
        frame_ip4(&f, A, B, protocol);
    }
    frame_ether(&f, type);
    struct packet *p = rig_run(r, ETHERNET, &f);
    uint8_t other = p->kind == FLOW_OTHER ? r->batch.keys[0].tag >> 24 & 15 : 0;
    rig_free(r);
    return other;
}

#define KIND_OF(type, protocol, ...)                                \
    ({                                                              \
        const char *const words_[] = {__VA_ARGS__};                 \
        kind_of_unknown(words_, ARRAY_LEN(words_), type, protocol); \
    })

static void test_unknown(void **state) {
    (void)state;
    assert_int_equal(KIND_OF(0x9000, 0, "all"), OTHER_UNKNOWN_ETHER);
    assert_int_equal(KIND_OF(0x0800, 88, "all"), OTHER_UNKNOWN_IP);
    assert_int_equal(KIND_OF(0x0800, 88, "ip:all", "-ip:88"), OTHER_NONE);
    assert_int_equal(KIND_OF(0x0800, 89 + 1, "ip:all", "-ip:88"), OTHER_UNKNOWN_IP);
    assert_int_equal(KIND_OF(0x0800, 46, "ip:rsvp"), OTHER_UNKNOWN_IP);
    assert_int_equal(KIND_OF(0x0800, 46, "ether:all"), OTHER_NONE);
    assert_int_equal(KIND_OF(0x9000, 0, "ether:0x9000"), OTHER_UNKNOWN_ETHER);
    assert_int_equal(KIND_OF(0x9000, 0, "all", "-ether:loopback"), OTHER_NONE);
    assert_int_equal(KIND_OF(20, 0, "all"), OTHER_NONE);
    assert_int_equal(KIND_OF(20, 0, "corrupt"), OTHER_CORRUPT_ETHER);
    assert_int_equal(KIND_OF(20, 0, "corrupt", "-corrupt"), OTHER_NONE);
    assert_int_equal(KIND_OF(0x0800, 6, "corrupt"), OTHER_CORRUPT_IP);
    static const char *const wrong[] = {"all", "ip:999"};
    struct decode_settings settings = saving(wrong, 2);
    struct err err;
    assert_int_equal(decode_settings_check(&settings, &err), -EINVAL);
    assert_non_null(strstr(err.text, "ip:999"));
}

static void test_depth(void **state) {
    (void)state;
    for (unsigned layers = 1; layers < 20; layers++) {
        struct rig *r = rig_new();
        rig_start(r);
        static struct frame f;
        frame_clear(&f);
        frame_udp(&f, 1, 2);
        frame_ip4(&f, A, B, 17);
        for (unsigned i = 1; i < layers; i++) {
            frame_ip4(&f, A + i, B + i, 4);
        }
        frame_ether(&f, 0x0800);
        struct packet *p = rig_run(r, ETHERNET, &f);
        assert_int_equal(p->kind, layers < 12 ? FLOW_UDP : FLOW_NONE);
        assert_int_equal(rig_count(r, DECODE_TOO_DEEP), layers >= 12);
        rig_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_address), cmocka_unit_test(test_llc_padding),   cmocka_unit_test(test_tcp4),
        cmocka_unit_test(test_udp6),         cmocka_unit_test(test_padding),       cmocka_unit_test(test_vlans),
        cmocka_unit_test(test_others),       cmocka_unit_test(test_vlan_tracking), cmocka_unit_test(test_arp),
        cmocka_unit_test(test_dhcp),         cmocka_unit_test(test_ip_protocols),  cmocka_unit_test(test_dhcp6),
        cmocka_unit_test(test_lies),         cmocka_unit_test(test_cut),           cmocka_unit_test(test_zero_lengths),
        cmocka_unit_test(test_unknown),      cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
