/* test_tunnel.c: encapsulations and link types: each must lead to the same inner packet, and note what it was inside
 * of. */
#include "frame.h"

enum { ETHERNET = 1, A = 0x0a000001, B = 0x0a000002, OUTER_A = 0xc0a80001, OUTER_B = 0xc0a80002 };
enum { SRC = 7001, DST = 7002 };

/* The packet every test wraps up: UDP with the payload "inner". */
static void inner4(struct frame *f) {
    frame_clear(f);
    frame_put(f, "inner", 5);
    frame_udp(f, SRC, DST);
    frame_ip4(f, A, B, 17);
}

static void inner6(struct frame *f) {
    frame_clear(f);
    frame_put(f, "inner", 5);
    frame_udp(f, SRC, DST);
    frame_ip6(f, 1, 2, 17);
}

static void assert_inner(const struct rig *r, const struct packet *p) {
    assert_int_equal(p->kind, FLOW_UDP);
    assert_int_equal(r->batch.keys[0].low_port, SRC);
    assert_int_equal(r->batch.keys[0].high_port, DST);
    assert_int_equal(p->payload_len, 5);
    assert_memory_equal(p->data + p->payload_at, "inner", 5);
}

static void assert_outer4(const struct packet *p) {
    static const uint8_t src[16] = {[10] = 0xff, 0xff, 192, 168, 0, 1}, dst[16] = {[10] = 0xff, 0xff, 192, 168, 0, 2};
    assert_non_null(p->layers);
    assert_true(p->layers->has_outer_ip);
    assert_memory_equal(p->layers->outer_src, src, 16);
    assert_memory_equal(p->layers->outer_dst, dst, 16);
}

static void assert_tunnels(const struct packet *p, const char *tunnels) {
    size_t count = tunnels ? strlen(tunnels) : 0;
    assert_int_equal(p->layers ? p->layers->tunnel_count : 0, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(p->layers->tunnels[i], tunnels[i] - 'a');
    }
}

/* Tunnels as letters, so that a table can name several. */
enum {
    GRE = 'a' + TUNNEL_GRE,
    ERSPAN = 'a' + TUNNEL_ERSPAN,
    VXLAN = 'a' + TUNNEL_VXLAN,
    VXLAN_GPE = 'a' + TUNNEL_VXLAN_GPE,
    GENEVE = 'a' + TUNNEL_GENEVE,
    GTP = 'a' + TUNNEL_GTP,
    MPLS = 'a' + TUNNEL_MPLS,
    PPP = 'a' + TUNNEL_PPP,
    PPPOE = 'a' + TUNNEL_PPPOE,
    NSH = 'a' + TUNNEL_NSH,
    AH = 'a' + TUNNEL_AH,
    IPIP = 'a' + TUNNEL_IPIP,
};

enum inside { IN_IP4, IN_IP6, IN_ETHERNET, IN_VLAN };

struct wrapped {
    const char *what;
    const char *header; /* right in front of the inner packet */
    size_t len;
    enum inside inside;
    uint16_t ethertype; /* behind Ethernet; 0: behind IPv4 */
    uint8_t protocol;   /* of the outer IPv4 */
    uint16_t port;      /* of the outer UDP */
    char tunnels[4];
    uint32_t vni;
};

#define BYTES(text) text, sizeof(text) - 1

static const struct wrapped wraps[] = {
    {"4 in 4", "", 0, IN_IP4, 0, 4, 0, {IPIP}, 0},
    {"6 in 4", "", 0, IN_IP6, 0, 41, 0, {IPIP}, 0},
    {"gre", BYTES("\x00\x00\x08\x00"), IN_IP4, 0, 47, 0, {GRE}, 0},
    {"gre 6", BYTES("\x00\x00\x86\xdd"), IN_IP6, 0, 47, 0, {GRE}, 0},
    {"gre checksum", BYTES("\x80\x00\x08\x00\x12\x34\x00\x00"), IN_IP4, 0, 47, 0, {GRE}, 0},
    {"gre key, sequence", BYTES("\x30\x00\x08\x00\x00\x00\x00\x07\x00\x00\x00\x01"), IN_IP4, 0, 47, 0, {GRE}, 0},
    {"gre routing",
     BYTES("\x40\x00\x08\x00\x00\x00\x00\x00\x08\x00\x00\x04\x0a\x00\x00\x01\x00\x00\x00\x00"),
     IN_IP4,
     0,
     47,
     0,
     {GRE},
     0},
    {"gre bridge", BYTES("\x00\x00\x65\x58"), IN_ETHERNET, 0, 47, 0, {GRE}, 0},
    {"gre mpls", BYTES("\x00\x00\x88\x47\x00\x01\x01\x40"), IN_IP4, 0, 47, 0, {GRE, MPLS}, 0},
    {"gre frame relay", BYTES("\x00\x00\x65\x59\x18\x41\x03\xcc"), IN_IP4, 0, 47, 0, {GRE}, 0},
    {"gre wccp", BYTES("\x00\x00\x88\x3e\x00\x01\x02\x03"), IN_IP4, 0, 47, 0, {GRE}, 0},
    {"pptp",
     BYTES("\x30\x81\x88\x0b\x00\x25\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\xff\x03\x00\x21"),
     IN_IP4,
     0,
     47,
     0,
     {GRE, PPP},
     0},
    {"pptp, short protocol",
     BYTES("\x30\x01\x88\x0b\x00\x22\x00\x01\x00\x00\x00\x02\x21"),
     IN_IP4,
     0,
     47,
     0,
     {GRE, PPP},
     0},
    {"erspan 1", BYTES("\x00\x00\x88\xbe"), IN_ETHERNET, 0, 47, 0, {GRE, ERSPAN}, 0},
    {"erspan 2",
     BYTES("\x10\x00\x88\xbe\x00\x00\x00\x01\x10\x00\x08\x64\x00\x00\x00\x00"),
     IN_ETHERNET,
     0,
     47,
     0,
     {GRE, ERSPAN},
     0},
    {"erspan 3",
     BYTES("\x10\x00\x22\xeb\x00\x00\x00\x01\x20\x00\x08\x64\x00\x00\x00\x00\x00\x00\x00\x00"),
     IN_ETHERNET,
     0,
     47,
     0,
     {GRE, ERSPAN},
     0},
    {"erspan 3, platform",
     BYTES("\x10\x00\x22\xeb\x00\x00\x00\x01\x20\x00\x08\x64\x00\x00\x00\x00\x00\x00\x00\x01\x01\x02\x03\x04\x05\x06"
           "\x07\x08"),
     IN_ETHERNET,
     0,
     47,
     0,
     {GRE, ERSPAN},
     0},
    {"erspan 3 of ip",
     BYTES("\x10\x00\x22\xeb\x00\x00\x00\x01\x20\x00\x08\x64\x00\x00\x00\x00\x00\x00\x08\x00"),
     IN_IP4,
     0,
     47,
     0,
     {GRE, ERSPAN},
     0},
    {"ah",
     BYTES("\x04\x04\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
     IN_IP4,
     0,
     51,
     0,
     {AH, IPIP},
     0},
    {"mpls in ip", BYTES("\x00\x01\x01\x40"), IN_IP4, 0, 137, 0, {MPLS}, 0},
    {"ethernet in ip", "", 0, IN_ETHERNET, 0, 143, 0, {0}, 0},
    {"vxlan", BYTES("\x08\x00\x00\x00\x01\x02\x03\x00"), IN_ETHERNET, 0, 17, 4789, {VXLAN}, 0x010203},
    {"vxlan with vlan", BYTES("\x08\x00\x00\x00\x01\x02\x03\x00"), IN_VLAN, 0, 17, 4789, {VXLAN}, 0x010203},
    {"vxlan before its port", BYTES("\x08\x00\x00\x00\x00\x00\x09\x00"), IN_ETHERNET, 0, 17, 8472, {VXLAN}, 9},
    {"vxlan-gpe 4", BYTES("\x0c\x00\x00\x01\x00\x00\x05\x00"), IN_IP4, 0, 17, 4790, {VXLAN_GPE}, 5},
    {"vxlan-gpe 6", BYTES("\x0c\x00\x00\x02\x00\x00\x05\x00"), IN_IP6, 0, 17, 4790, {VXLAN_GPE}, 5},
    {"vxlan-gpe ethernet", BYTES("\x0c\x00\x00\x03\x00\x00\x05\x00"), IN_ETHERNET, 0, 17, 4790, {VXLAN_GPE}, 5},
    {"vxlan-gpe nsh",
     BYTES("\x0c\x00\x00\x04\x00\x00\x05\x00\x0f\xc2\x02\x01\x00\x00\x01\xff"),
     IN_IP4,
     0,
     17,
     4790,
     {VXLAN_GPE, NSH},
     5},
    {"geneve ethernet", BYTES("\x00\x00\x65\x58\x00\x00\x0a\x00"), IN_ETHERNET, 0, 17, 6081, {GENEVE}, 10},
    {"geneve ip, options",
     BYTES("\x02\x00\x08\x00\x00\x00\x0a\x00\x01\x02\x80\x01\x00\x00\x00\x07"),
     IN_IP4,
     0,
     17,
     6081,
     {GENEVE},
     10},
    {"gtp", BYTES("\x30\xff\x00\x21\x00\x00\x00\x01"), IN_IP4, 0, 17, 2152, {GTP}, 0},
    {"gtp sequence", BYTES("\x32\xff\x00\x25\x00\x00\x00\x01\x00\x07\x00\x00"), IN_IP4, 0, 17, 2152, {GTP}, 0},
    {"gtp extensions",
     BYTES("\x34\xff\x00\x2d\x00\x00\x00\x01\x00\x00\x00\x85\x01\x10\x09\xc0\x01\x00\x00\x00"),
     IN_IP4,
     0,
     17,
     2152,
     {GTP},
     0},
    {"mpls", BYTES("\x00\x01\x01\x40"), IN_IP4, 0x8847, 0, 0, {MPLS}, 0},
    {"mpls stack 6", BYTES("\x00\x01\x00\x40\x00\x02\x01\x40"), IN_IP6, 0x8847, 0, 0, {MPLS}, 0},
    {"mpls wire", BYTES("\x00\x01\x01\x40"), IN_ETHERNET, 0x8847, 0, 0, {MPLS}, 0},
    {"mpls wire with control word", BYTES("\x00\x01\x01\x40\x00\x00\x00\x09"), IN_ETHERNET, 0x8848, 0, 0, {MPLS}, 0},
    {"pppoe", BYTES("\x11\x00\x00\x01\x00\x23\x00\x21"), IN_IP4, 0x8864, 0, 0, {PPPOE}, 0},
    {"pppoe 6", BYTES("\x11\x00\x00\x01\x00\x37\x00\x57"), IN_IP6, 0x8864, 0, 0, {PPPOE}, 0},
    {"nsh", BYTES("\x0f\xc2\x02\x03\x00\x00\x01\xff"), IN_ETHERNET, 0x894f, 0, 0, {NSH}, 0},
    {"nsh in nsh",
     BYTES("\x0f\xc2\x02\x04\x00\x00\x01\xff\x0f\xc2\x02\x02\x00\x00\x01\xff"),
     IN_IP6,
     0x894f,
     0,
     0,
     {NSH, NSH},
     0},
    {"cisco metadata", BYTES("\x01\x01\x00\x01\x00\x0a\x08\x00"), IN_IP4, 0x8909, 0, 0, {0}, 0},
};

static void wrap(struct frame *f, const struct wrapped *w) {
    (w->inside == IN_IP6 ? inner6 : inner4)(f);
    if (w->inside == IN_VLAN) {
        frame_tag(f, 33, 0x0800);
    }
    if (w->inside == IN_ETHERNET || w->inside == IN_VLAN) {
        frame_ether(f, w->inside == IN_VLAN ? 0x8100 : 0x0800);
        frame_bytes(f)[0] = 0x4e; /* an address that begins as IPv4 does */
    }
    frame_put(f, w->header, w->len);
    if (w->port) {
        frame_udp(f, 50000, w->port);
    }
    if (!w->ethertype) {
        frame_ip4(f, OUTER_A, OUTER_B, w->protocol);
    }
    frame_ether(f, w->ethertype ? w->ethertype : 0x0800);
}

static void test_wraps(void **state) {
    (void)state;
    static struct frame f;
    for (size_t i = 0; i < ARRAY_LEN(wraps); i++) {
        const struct wrapped *w = &wraps[i];
        struct rig *r = rig_new();
        rig_start(r);
        wrap(&f, w);
        print_message("# %s\n", w->what);
        struct packet *p = rig_run(r, ETHERNET, &f);
        assert_inner(r, p);
        assert_tunnels(p, w->tunnels);
        assert_int_equal(p->ethertype, w->ethertype ? w->ethertype : 0x0800);
        assert_int_equal(p->ip_version, w->inside == IN_IP6 ? 6 : 4);
        if (!w->ethertype) {
            assert_outer4(p);
        } else {
            assert_true(!p->layers || !p->layers->has_outer_ip);
        }
        bool ethernet = w->inside == IN_ETHERNET || w->inside == IN_VLAN;
        assert_int_equal(p->layers && p->layers->has_outer_mac, ethernet);
        if (ethernet) {
            assert_int_equal(p->data[p->mac_at], 0x4e);
            assert_int_equal(p->layers->outer_dst_mac[0], 0x02);
            assert_int_equal(p->layers->outer_src_mac[5], 0x55);
        }
        if (w->vni) {
            assert_true(p->layers->has_vni);
            assert_int_equal(p->layers->vni, w->vni);
        }
        if (w->inside == IN_VLAN) {
            assert_int_equal(p->layers->vlan_id[0], 33);
        }
        rig_free(r);
    }
}

/* Any of them cut anywhere must neither crash nor make up a flow with other ports. */
static void test_wraps_cut(void **state) {
    (void)state;
    static struct frame f;
    struct rig *r = rig_new();
    rig_start(r);
    for (size_t i = 0; i < ARRAY_LEN(wraps); i++) {
        wrap(&f, &wraps[i]);
        for (size_t len = 0; len < frame_len(&f); len++) {
            uint8_t *copy = malloc(len + !len);
            assert_non_null(copy);
            memcpy(copy, frame_bytes(&f), len);
            struct packet *p = rig_run_cut(r, ETHERNET, copy, len, frame_len(&f), 5);
            assert_true(p->payload_at + p->payload_len <= len);
            free(copy);
        }
    }
    rig_free(r);
}

/* What only looks like a tunnel by its port is plain UDP with all its bytes. */
static void test_not_tunnels(void **state) {
    (void)state;
    static const uint16_t ports[] = {2152, 4789, 4790, 6081, 8472};
    static const uint8_t bytes[][40] = {{0xff, 0xff}, {0x40, 0x01, 0x00, 0x20}, {0x08 ^ 0x08}, {0x80, 0, 0x12, 0x34}};
    static struct frame f;
    struct rig *r = rig_new();
    rig_start(r);
    for (size_t i = 0; i < ARRAY_LEN(ports) * ARRAY_LEN(bytes); i++) {
        frame_clear(&f);
        frame_put(&f, bytes[i / ARRAY_LEN(ports)], 40);
        frame_udp(&f, 9, ports[i % ARRAY_LEN(ports)]);
        frame_ip4(&f, A, B, 17);
        frame_ether(&f, 0x0800);
        if (ports[i % ARRAY_LEN(ports)] == 4789 && frame_bytes(&f)[42] & 8) {
            continue;
        }
        struct packet *p = rig_run(r, ETHERNET, &f);
        assert_int_equal(p->kind, FLOW_UDP);
        assert_int_equal(p->payload_len, 40);
        assert_null(p->layers);
    }
    rig_free(r);
}

/* A second IP inside: only the layer directly outside is kept. */
static void test_nesting(void **state) {
    (void)state;
    static struct frame f;
    struct rig *r = rig_new();
    rig_start(r);
    inner4(&f);
    FRAME_PUT(&f, 0x30, 0x01, 0x88, 0x0b, 0, 0x25, 0, 1, 0, 0, 0, 2, 0x00, 0x21);
    frame_ip4(&f, OUTER_A, OUTER_B, 47);
    FRAME_PUT(&f, 4, 4, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, [23] = 0); /* authentication header in IPv6 */
    frame_ip6(&f, 1, 2, 51);
    frame_tag(&f, 100, 0x86dd);
    frame_ether(&f, 0x8100);
    struct packet *p = rig_run(r, ETHERNET, &f);
    assert_inner(r, p);
    assert_outer4(p);
    assert_int_equal(p->ethertype, 0x86dd);
    assert_int_equal(p->layers->vlan_id[0], 100);
    assert_tunnels(p, (const char[]){AH, IPIP, GRE, PPP, 0});
    assert_false(p->layers->has_outer_mac);
    rig_free(r);
}

/* A carrier's length that is shorter than the IP packet inside of it. */
static void test_carrier_too_short(void **state) {
    (void)state;
    static struct frame f;
    struct rig *r = rig_new();
    rig_start(r);
    inner4(&f);
    FRAME_PUT(&f, 0x11, 0, 0, 1, 0, 0x22, 0, 0x21);
    frame_ether(&f, 0x8864);
    assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_NONE);
    assert_int_equal(rig_count(r, DECODE_CORRUPT_ETHER), 1);
    inner4(&f);
    FRAME_PUT(&f, 0x30, 0xff, 0, 0x20, 0, 0, 0, 1);
    frame_udp(&f, 2152, 2152);
    frame_ip4(&f, OUTER_A, OUTER_B, 17);
    frame_ether(&f, 0x0800);
    assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_NONE);
    assert_int_equal(rig_count(r, DECODE_CORRUPT_IP), 1);
    rig_free(r);
}

static void test_gre_empty(void **state) {
    (void)state;
    static struct frame f;
    struct rig *r = rig_new();
    rig_start(r);
    frame_clear(&f);
    FRAME_PUT(&f, 0x20, 0x81, 0x88, 0x0b, 0, 0, 0, 1, 0, 0, 0, 9); /* PPTP acknowledgement */
    frame_ip4(&f, A, B, 47);
    frame_ether(&f, 0x0800);
    assert_int_equal(rig_run(r, ETHERNET, &f)->kind, FLOW_NONE);
    assert_int_equal(rig_count(r, DECODE_UNKNOWN_IP), 1);
    rig_free(r);
}

struct link_case {
    const char *what;
    uint16_t link;
    const char *header;
    size_t len;
    enum inside inside;
    bool has_mac;
};

#define RADIOTAP "\x00\x00\x08\x00\x00\x00\x00\x00"
#define RADIOTAP_PADDED "\x00\x00\x12\x00\x03\x00\x00\x00\x01\x02\x03\x04\x05\x06\x07\x08\x20\x00"
#define ADDRESSES "\x02\x00\x00\x00\x00\xdd\x02\x00\x00\x00\x00\x55\x02\x00\x00\x00\x00\x99"
#define SNAP "\xaa\xaa\x03\x00\x00\x00\x08\x00"
#define ETHER "\x02\x00\x00\x00\x00\xdd\x02\x00\x00\x00\x00\x55\x08\x00"

static const struct link_case links[] = {
    {"null, little", 0, BYTES("\x02\x00\x00\x00"), IN_IP4, false},
    {"null, big", 0, BYTES("\x00\x00\x00\x1e"), IN_IP6, false},
    {"null 24", 0, BYTES("\x18\x00\x00\x00"), IN_IP6, false},
    {"loop", 108, BYTES("\x00\x00\x00\x02"), IN_IP4, false},
    {"ppp", 9, BYTES("\xff\x03\x00\x21"), IN_IP4, false},
    {"ppp short", 9, BYTES("\x21"), IN_IP4, false},
    {"ppp 6", 9, BYTES("\x00\x57"), IN_IP6, false},
    {"ppp mpls", 9, BYTES("\x02\x81\x00\x01\x01\x40"), IN_IP4, false},
    {"ppp in hdlc", 50, BYTES("\xff\x03\x00\x21"), IN_IP4, false},
    {"cisco hdlc", 50, BYTES("\x0f\x00\x08\x00"), IN_IP4, false},
    {"cisco hdlc 6", 104, BYTES("\x8f\x00\x86\xdd"), IN_IP6, false},
    {"pppoe", 51, BYTES("\x11\x00\x00\x01\x00\x23\x00\x21"), IN_IP4, false},
    {"raw 12", 12, "", 0, IN_IP4, false},
    {"raw 14", 14, "", 0, IN_IP6, false},
    {"raw 101", 101, "", 0, IN_IP6, false},
    {"ip4", 228, "", 0, IN_IP4, false},
    {"ip6", 229, "", 0, IN_IP6, false},
    {"frame relay nlpid", 107, BYTES("\x18\x41\x03\xcc"), IN_IP4, false},
    {"frame relay nlpid 6", 107, BYTES("\x18\x41\x03\x8e"), IN_IP6, false},
    {"frame relay cisco", 107, BYTES("\x18\x41\x08\x00"), IN_IP4, false},
    {"frame relay snap", 107, BYTES("\x18\x41\x03\x00\x80\x00\x00\x00\x08\x00"), IN_IP4, false},
    {"frame relay bridge", 107, BYTES("\x18\x41\x03\x00\x80\x00\x80\xc2\x00\x07" ETHER), IN_IP4, true},
    {"frame relay address of 4", 107, BYTES("\x18\x40\x00\x01\x03\xcc"), IN_IP4, false},
    {"cooked", 113, BYTES("\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x55\x00\x00\x08\x00"), IN_IP4, false},
    {"cooked vlan", 113, BYTES("\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x55\x00\x00\x81\x00\x00\x21\x08\x00"),
     IN_IP4, false},
    {"cooked llc", 113, BYTES("\x00\x00\x00\x01\x00\x06\x02\x00\x00\x00\x00\x55\x00\x00\x00\x04" SNAP), IN_IP4, false},
    {"cooked 2", 276, BYTES("\x86\xdd\x00\x00\x00\x00\x00\x02\x00\x01\x00\x06\x02\x00\x00\x00\x00\x55\x00\x00"), IN_IP6,
     false},
    {"netfilter log", 239, BYTES("\x02\x00\x00\x01\x05\x00\x0a\x00x\x00\x00\x00\x25\x00\x09\x00"), IN_IP4, false},
    {"netfilter log, big", 239, BYTES("\x0a\x00\x00\x01\x00\x08\x00\x06\x00\x00\x00\x00\x00\x39\x00\x09"), IN_IP6,
     false},
    {"mpacket", 274, BYTES("\x55\x55\x55\x55\x55\x55\x55\xd5" ETHER), IN_IP4, true},
    {"mpacket start", 274, BYTES("\x55\x55\x55\x55\x55\x55\x55\xe6" ETHER), IN_IP4, true},
    {"802.11", 105, BYTES("\x08\x00\x00\x00" ADDRESSES "\x10\x00" SNAP), IN_IP4, true},
    {"802.11 from ds", 105, BYTES("\x08\x02\x00\x00" ADDRESSES "\x10\x00" SNAP), IN_IP4, false},
    {"802.11 bridge", 105, BYTES("\x08\x03\x00\x00" ADDRESSES "\x10\x00\x02\x00\x00\x00\x00\x77" SNAP), IN_IP4, false},
    {"radiotap", 127, BYTES(RADIOTAP "\x08\x01\x00\x00" ADDRESSES "\x10\x00" SNAP), IN_IP4, false},
    {"radiotap qos", 127, BYTES(RADIOTAP "\x88\x01\x00\x00" ADDRESSES "\x10\x00\x00\x00" SNAP), IN_IP4, false},
    {"radiotap qos ht", 127, BYTES(RADIOTAP "\x88\x81\x00\x00" ADDRESSES "\x10\x00\x00\x00\x00\x00\x00\x00" SNAP),
     IN_IP4, false},
    {"radiotap padded", 127, BYTES(RADIOTAP_PADDED "\x88\x01\x00\x00" ADDRESSES "\x10\x00\x00\x00\x00\x00" SNAP),
     IN_IP4, false},
    {"radiotap aggregate", 127,
     BYTES(RADIOTAP "\x88\x01\x00\x00" ADDRESSES "\x10\x00\x80\x00"
                    "\x02\x00\x00\x00\x00\xdd\x02\x00\x00\x00\x00\x55\x00\x29" SNAP),
     IN_IP4, false},
};

static void test_links(void **state) {
    (void)state;
    static struct frame f;
    for (size_t i = 0; i < ARRAY_LEN(links); i++) {
        const struct link_case *c = &links[i];
        struct rig *r = rig_new();
        rig_start(r);
        (c->inside == IN_IP6 ? inner6 : inner4)(&f);
        frame_put(&f, c->header, c->len);
        print_message("# %s\n", c->what);
        struct packet *p = rig_run(r, c->link, &f);
        assert_inner(r, p);
        assert_int_equal(!!(p->flags & PACKET_HAS_MAC), c->has_mac);
        if (c->has_mac) {
            assert_int_equal(p->data[p->mac_at + 5], 0xdd);
            assert_int_equal(p->data[p->mac_at + 11], 0x55);
        }
        assert_true(!p->ethertype || c->has_mac);
        rig_free(r);
    }
}

static void test_links_refused(void **state) {
    (void)state;
    static const struct {
        uint16_t link;
        const char *bytes;
        size_t len;
        enum decode_count counter;
    } cases[] = {{147, BYTES("\x45\x00"), DECODE_UNKNOWN_LINK},
                 {0, BYTES("\x05\x00\x00\x00\x45\x00"), DECODE_UNKNOWN_ETHER},
                 {0, BYTES("\x05\x00"), DECODE_CORRUPT_ETHER},
                 {9, BYTES("\xff\x03\xc0\x21\x01"), DECODE_UNKNOWN_ETHER},
                 {105, BYTES("\x80\x00\x00\x00" ADDRESSES "\x10\x00\x00\x00"), DECODE_UNKNOWN_ETHER}, /* beacon */
                 {105, BYTES("\x08\x41\x00\x00" ADDRESSES "\x10\x00" SNAP), DECODE_UNKNOWN_ETHER},    /* encrypted */
                 {105, BYTES("\x48\x01\x00\x00" ADDRESSES "\x10\x00"), DECODE_UNKNOWN_ETHER},         /* no data */
                 {127, BYTES("\x00\x00\xff\x00\x00\x00\x00\x00"), DECODE_CORRUPT_ETHER},
                 {239, BYTES("\x02\x00\x00\x01\x00\x00\x09\x00"), DECODE_CORRUPT_ETHER},
                 {274, BYTES("\x55\x55\x61\x00\x01\x02"), DECODE_UNKNOWN_ETHER},
                 {101, BYTES("\x15\x00"), DECODE_CORRUPT_ETHER}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig *r = rig_new();
        rig_start(r);
        struct packet *p =
            rig_run_cut(r, cases[i].link, (const uint8_t *)cases[i].bytes, cases[i].len, cases[i].len, 1);
        assert_int_equal(p->kind, FLOW_NONE);
        assert_int_equal(rig_count(r, cases[i].counter), 1);
        rig_free(r);
    }
}

static void test_vni_tracking(void **state) {
    (void)state;
    static struct frame f;
    uint32_t tags[2];
    for (unsigned tracking = 0; tracking < 3; tracking += 2) {
        struct rig *r = rig_new();
        r->settings.session_id_tracking = tracking;
        rig_start(r);
        inner4(&f);
        frame_ether(&f, 0x0800);
        FRAME_PUT(&f, 0x08, 0, 0, 0, 0x01, 0x02, 0x03, 0);
        frame_udp(&f, 1, 4789);
        frame_ip4(&f, OUTER_A, OUTER_B, 17);
        frame_ether(&f, 0x0800);
        rig_run(r, ETHERNET, &f);
        tags[tracking / 2] = r->batch.keys[0].tag & 0xffffff;
        rig_free(r);
    }
    assert_int_equal(tags[0], 0);
    assert_int_equal(tags[1], 0x010203);
}

static void test_names(void **state) {
    (void)state;
    assert_string_equal(tunnel_name(TUNNEL_VXLAN_GPE), "vxlan-gpe");
    assert_null(tunnel_name(TUNNEL_IPIP));
    assert_null(tunnel_name(TUNNEL_KINDS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_carrier_too_short),
        cmocka_unit_test(test_wraps),
        cmocka_unit_test(test_wraps_cut),
        cmocka_unit_test(test_not_tunnels),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_gre_empty),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_links_refused),
        cmocka_unit_test(test_vni_tracking),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
