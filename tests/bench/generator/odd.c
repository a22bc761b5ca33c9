/*
 * What is rare on the wire, or wrong: transports other than TCP and UDP (SCTP, RFC 9260; ESP, RFC 4303), the protocols
 * of routers and switches, IP fragments, and TCP as it looks when packets are lost, cut, doubled or come too late.
 */
#include "http.h"
#include "recipes.h"
#include "tcp.h"

#include <string.h>

/* Sends the message over IP with its Internet checksum at `at` filled in. */
static void send_checked(struct maker *m, int side, unsigned protocol, size_t at) {
    struct packet *p = &m->packet;
    packet_begin(p, m->message.bytes, m->message.length);
    p->protocol = (uint8_t)protocol;
    bool pseudo = maker_is_ipv6(m);
    uint16_t sum = packet_checksum(p, pseudo ? maker_ip(m) : NULL, side);
    memcpy(p->start + at, &sum, 2);
    maker_turn(m, side);
    maker_send(m, p, side, 0);
    buffer_clear(&m->message);
}

static void router_connect(struct maker *m, uint32_t group) {
    maker_connect_ip(m, WHERE_MULTICAST, 4);
    maker_group(m, group, 0);
    maker_ip(m)->ttl[0] = 1;
    maker_ip(m)->traffic_class = 0xc0;
    m->client %= 200;
    world_client_address(m->client, 4, maker_ip(m)->address[0]);
    m->sessions++;
}

void make_ospf(struct maker *m) {
    router_connect(m, 0xe0000005);
    unsigned count = random_between(&m->rng, 2, 8);
    for (unsigned i = 0; i < count; i++) {
        struct buffer *b = &m->message;
        buffer_put(b, "\2\1\0\x2c", 4);
        buffer_be32(b, 0x0a000000u + m->client);
        buffer_zero(b, 16);
        buffer_put(b, "\xff\xff\xff\0\0\x0a\2\1\0\0\0\x28\x0a\x14\0\1\x0a\x14\0\2", 20);
        send_checked(m, 0, PROTOCOL_OSPF, 12);
        maker_pass(m, 1000000);
    }
}

void make_pim(struct maker *m) {
    router_connect(m, 0xe000000d);
    for (unsigned i = 0; i < 4; i++) {
        buffer_put(&m->message, "\x20\0\0\0\0\1\0\2\0\x69\0\x13\0\4\0\0\0\1", 18);
        send_checked(m, 0, PROTOCOL_PIM, 2);
        maker_pass(m, 1500000);
    }
}

void make_igmp(struct maker *m) {
    uint32_t group = 0xefff0000u + random_below(&m->rng, 250);
    router_connect(m, group);
    for (unsigned i = 0; i < 2; i++) {
        buffer_put(&m->message, "\x16\0\0\0", 4);
        buffer_be32(&m->message, group);
        send_checked(m, 0, PROTOCOL_IGMP, 2);
        maker_wait(m, 100000, 3000000);
    }
}

void make_vrrp(struct maker *m) {
    router_connect(m, 0xe0000012);
    maker_ip(m)->ttl[0] = 255;
    for (unsigned i = 0; i < 6; i++) {
        buffer_put(&m->message, "\x21\1\x64\1\0\1\0\0\x0a\x14\0\1\0\0\0\0\0\0\0\0", 20);
        send_checked(m, 0, PROTOCOL_VRRP, 6);
        maker_pass(m, 1000000);
    }
}

void make_eigrp(struct maker *m) {
    router_connect(m, 0xe000000a);
    for (unsigned i = 0; i < 4; i++) {
        buffer_put(&m->message, "\2\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x64\0\1\0\x0c\1\0\1\0\0\0\0\x0f", 32);
        send_checked(m, 0, PROTOCOL_EIGRP, 2);
        maker_pass(m, 1200000);
    }
}

void make_esp(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    m->sessions++;
    uint32_t index = random_u32(&m->rng);
    unsigned count = random_skewed(&m->rng, 4, 40);
    for (unsigned i = 1; i <= count; i++) {
        int side = (int)(i & 1);
        buffer_be32(&m->message, index ^ (uint32_t)side);
        buffer_be32(&m->message, i / 2 + 1);
        buffer_random(&m->message, &m->rng, 16 * random_skewed(&m->rng, 3, 40) + 12);
        maker_send_ip(m, side, PROTOCOL_ESP);
        maker_wait(m, 200, 90000);
    }
}

static uint32_t crc32c(const uint8_t *bytes, size_t length) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        }
    }
    return ~crc;
}

struct association {
    struct maker *maker;
    uint16_t port[2];
    uint32_t tag[2];
    uint32_t number[2];
};

static void sctp_begin(struct association *a, int side, uint32_t tag) {
    struct buffer *b = &a->maker->message;
    buffer_be16(b, a->port[side]);
    buffer_be16(b, a->port[!side]);
    buffer_be32(b, tag);
    buffer_be32(b, 0);
}

static void sctp_send(struct association *a, int side) {
    struct buffer *b = &a->maker->message;
    if (!b->failed) { /* the only checksum here that is stored low byte first */
        uint32_t crc = crc32c(b->bytes, b->length);
        put_be32(b->bytes + 8, __builtin_bswap32(crc));
    }
    maker_send_ip(a->maker, side, PROTOCOL_SCTP);
    maker_pass(a->maker, 40);
}

static void sctp_init(struct association *a, int side) {
    struct buffer *b = &a->maker->message;
    sctp_begin(a, side, side == 0 ? 0 : a->tag[0]);
    buffer_put(b, side == 0 ? "\1\0\0\x14" : "\2\0\0\x28", 4);
    buffer_be32(b, a->tag[side]);
    buffer_be32(b, 106496);
    buffer_put(b, "\0\x0a\0\x0a", 4);
    buffer_be32(b, a->number[side]);
    if (side == 1) {
        buffer_put(b, "\0\7\0\x14", 4);
        buffer_random(b, &a->maker->rng, 16);
    }
    sctp_send(a, side);
}

static void sctp_data(struct association *a, int side, unsigned length) {
    struct buffer *b = &a->maker->message;
    sctp_begin(a, side, a->tag[!side]);
    buffer_put(b, "\0\3", 2);
    buffer_be16(b, 16 + length);
    buffer_be32(b, a->number[side]++);
    buffer_be32(b, 0);
    buffer_be32(b, 0);
    buffer_random(b, &a->maker->rng, (length + 3) & ~3u);
    sctp_send(a, side);
    sctp_begin(a, !side, a->tag[side]);
    buffer_put(b, "\3\0\0\x10", 4);
    buffer_be32(b, a->number[side] - 1);
    buffer_be32(b, 106496);
    buffer_be32(b, 0);
    sctp_send(a, !side);
}

void make_sctp(struct maker *m) {
    maker_connect(m, WHERE_OFFICE);
    m->sessions++;
    struct association a = {.maker = m, .port = {maker_port(m), 7001}};
    for (int side = 0; side < 2; side++) {
        a.tag[side] = random_u32(&m->rng);
        a.number[side] = random_u32(&m->rng);
    }
    sctp_init(&a, 0);
    sctp_init(&a, 1);
    sctp_begin(&a, 0, a.tag[1]);
    buffer_put(&m->message, "\x0a\0\0\x14", 4);
    buffer_random(&m->message, &m->rng, 16);
    sctp_send(&a, 0);
    sctp_begin(&a, 1, a.tag[0]);
    buffer_put(&m->message, "\x0b\0\0\4", 4);
    sctp_send(&a, 1);
    unsigned count = random_skewed(&m->rng, 2, 12);
    for (unsigned i = 0; i < count; i++) {
        sctp_data(&a, (int)(i & 1), random_between(&m->rng, 20, 200));
        maker_wait(m, 500, 400000);
    }
}

void make_lldp(struct maker *m) {
    static const uint8_t group[6] = {0x01, 0x80, 0xc2, 0, 0, 0x0e};
    uint8_t mac[6];
    maker_connect_ip(m, WHERE_OFFICE, 4);
    maker_client_mac(m->client % 200, mac);
    m->sessions++;
    struct buffer *b = &m->message;
    for (unsigned i = 0; i < 2; i++) {
        buffer_put(b, "\2\7\4", 3);
        buffer_put(b, mac, 6);
        buffer_put(b, "\4\7\5gi0/01\6\2\0\x78\x0a\x0bswitch-core\0\0", 28);
        maker_send_link(m, group, mac, 0x88cc);
        maker_pass(m, 3000000);
    }
}

/* Spanning tree over LLC: a frame with a length instead of a type. */
void make_stp(struct maker *m) {
    static const uint8_t group[6] = {0x01, 0x80, 0xc2, 0, 0, 0};
    uint8_t mac[6];
    maker_client_mac(m->client % 50, mac);
    m->sessions++;
    struct buffer *b = &m->message;
    for (unsigned i = 0; i < 4; i++) {
        buffer_put(b, "\x42\x42\3\0\0\2\2\x3c\x80\1", 10);
        buffer_put(b, mac, 6);
        buffer_be32(b, 4);
        buffer_put(b, "\x80\1", 2);
        buffer_put(b, mac, 6);
        buffer_put(b, "\x80\1\0\0\x14\0\2\0\x0f\0\0", 11);
        maker_send_link(m, group, mac, (unsigned)b->length);
        maker_pass(m, 2000000);
    }
}

/* One datagram each way that does not fit into a packet, over IPv4 or IPv6, its pieces in any order. */
void make_fragments(struct maker *m) {
    maker_connect(m, WHERE_OFFICE);
    struct layer *ip = maker_ip(m);
    ip->mtu = m->path.count > 3 ? 1280 : 1500;
    ip->fragments = (enum fragment_order)random_below(&m->rng, 4);
    struct udp u = udp_open(m, 0, 2049);
    for (int side = 0; side < 2; side++) {
        struct buffer *b = &m->message;
        buffer_be32(b, m->client); /* ONC RPC: NFS 3, a null call and its answer */
        buffer_be32(b, (uint32_t)side);
        if (side == 0) {
            buffer_put(b, "\0\0\0\2\0\1\x86\xa3\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
        } else {
            buffer_put(b, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
        }
        buffer_zero(b, side == 0 ? 40 : random_skewed(&m->rng, 1500, 6000));
        udp_send(&u, side);
        maker_wait(m, 100, 20000);
    }
}

/* A request to a web server, for the connections below. */
static void put_page_request(struct maker *m) {
    buffer_format(&m->message, "GET /%s/%s HTTP/1.1\r\nHost: odd.example.com\r\nUser-Agent: %s\r\nAccept: */*\r\n\r\n",
                  world_word(m->client), world_word(m->server), world_agent(m->client));
}

static void put_page(struct maker *m) {
    unsigned length = random_between(&m->rng, 300, 1200);
    buffer_format(&m->message,
                  "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nContent-Type: text/plain\r\nContent-Length: %u\r\n\r\n",
                  length);
    for (unsigned i = 0; i < length; i++) {
        buffer_u8(&m->message, 'a' + i % 26);
    }
}

/* Sends the message in pieces of `step` bytes, each one overlapping the last by `overlap`. */
static void send_pieces(struct tcp *t, int side, size_t step, size_t overlap) {
    struct buffer *b = &t->maker->message;
    maker_turn(t->maker, side);
    for (size_t at = 0; at < b->length; at += step) {
        size_t start = at > overlap ? at - overlap : 0;
        size_t end = at + step < b->length ? at + step : b->length;
        tcp_segment(t, side, TCP_ACK | TCP_PSH, (int32_t)start, b->bytes + start, end - start);
    }
    t->next[side] += (uint32_t)b->length;
    buffer_clear(b);
    tcp_ack(t, !side);
}

void make_tcp_overlap(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    struct tcp t = tcp_open(m, 80);
    put_page_request(m);
    send_pieces(&t, 0, random_between(&m->rng, 20, 60), random_between(&m->rng, 1, 15));
    put_page(m);
    send_pieces(&t, 1, random_between(&m->rng, 200, 400), 30);
    tcp_close(&t, 0);
}

/* Every byte of the request in a segment of its own. */
void make_tcp_tiny(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    struct tcp t = tcp_open(m, 80);
    buffer_text(&m->message, "GET /x HTTP/1.0\r\n\r\n");
    send_pieces(&t, 0, 1, 0);
    put_page(m);
    tcp_say(&t, 1);
    tcp_close(&t, 1);
}

/* The segments of the answer in reverse order. */
void make_tcp_reversed(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    struct tcp t = tcp_open(m, 80);
    put_page_request(m);
    tcp_say(&t, 0);
    put_page(m);
    maker_turn(m, 1);
    struct buffer *b = &m->message;
    size_t step = 200;
    for (size_t n = (b->length + step - 1) / step; n > 0; n--) {
        size_t start = (n - 1) * step;
        size_t length = b->length - start < step ? b->length - start : step;
        tcp_segment(&t, 1, TCP_ACK, (int32_t)start, b->bytes + start, length);
    }
    t.next[1] += (uint32_t)b->length;
    buffer_clear(b);
    tcp_ack(&t, 0);
    tcp_close(&t, 0);
}

/* The capture has missed something: a hole that is acknowledged all the same. */
void make_tcp_gap(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    struct tcp t = tcp_open(m, 80);
    put_page_request(m);
    tcp_say(&t, 0);
    t.next[1] += random_between(&m->rng, 100, 3000);
    put_page(m);
    tcp_say(&t, 1);
    tcp_ack(&t, 0);
    tcp_close(&t, 0);
}

/* The capture began in the middle: no handshake. */
void make_tcp_no_syn(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    struct tcp t = tcp_start(m, 80);
    put_page_request(m);
    tcp_say(&t, 0);
    put_page(m);
    tcp_say(&t, 1);
    tcp_ack(&t, 0);
    if (m->client & 1) {
        tcp_close(&t, 0);
    }
}

/* Keep-alives, a closed window, then a reset with data still on its way. */
void make_tcp_reset(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    struct tcp t = tcp_open(m, 80);
    put_page_request(m);
    tcp_say(&t, 0);
    put_page(m);
    tcp_say(&t, 1);
    uint16_t window = t.window[0];
    t.window[0] = 0;
    tcp_ack(&t, 0);
    for (unsigned i = 0; i < 3; i++) {
        maker_pass(m, 500000);
        tcp_segment(&t, 1, TCP_ACK, -1, "z", 1);
        tcp_ack(&t, 0);
    }
    t.window[0] = window;
    tcp_ack(&t, 0);
    tcp_reset(&t, 0);
    put_page(m);
    tcp_say(&t, 1);
}
