/*
 * What keeps a network running: NTP (RFC 5905), DHCP (2131, 2132), DHCPv6 (8415), ICMP (792, 4443), ARP (826),
 * neighbour discovery (4861), SNMP (3416), syslog (3164), SSDP; and the SYN scan that every network sees.
 */
#include "recipes.h"
#include "tcp.h"

#include <stdio.h>
#include <string.h>

static void put_ntp(struct maker *m, unsigned mode) {
    struct buffer *b = &m->message;
    uint64_t now = m->recorder.now_us;
    buffer_u8(b, 4u << 3 | mode);
    buffer_u8(b, mode == 4 ? 1 + m->server % 3 : 0);
    buffer_u8(b, 6 + m->client % 5);
    buffer_u8(b, 0xec);
    buffer_be32(b, mode == 4 ? 0x12 + m->server % 100 : 0);
    buffer_be32(b, mode == 4 ? 0x30 + m->server % 50 : 0);
    if (mode == 4 && m->server % 3 == 0) {
        buffer_put(b, m->server % 2 ? "GPS\0" : "PPS\0", 4);
    } else {
        buffer_be32(b, mode == 4 ? 0xc0a80001u + m->server % 200 : 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        buffer_be32(b, (uint32_t)(now / 1000000 + 2208988800u));
        buffer_be32(b, (uint32_t)(now % 1000000 * 4295));
    }
}

void make_ntp(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    struct udp u = udp_open(m, m->client % 2 ? 123 : 0, 123);
    unsigned count = random_skewed(&m->rng, 1, 3);
    for (unsigned i = 0; i < count; i++) {
        put_ntp(m, 3);
        udp_send(&u, 0);
        put_ntp(m, 4);
        udp_send(&u, 1);
        maker_pass(m, 2000000);
    }
}

void make_ntp_peer(struct maker *m) {
    maker_connect(m, WHERE_OFFICE);
    struct udp u = udp_open(m, 123, 123);
    put_ntp(m, 1);
    udp_send(&u, 0);
    put_ntp(m, 2);
    udp_send(&u, 1);
}

/* The small profile's rest: 3 to 6 packets of NTP or of something that no parser knows. */
void make_small_udp(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    bool ntp = random_chance(&m->rng, 500);
    struct udp u = udp_open(m, 0, ntp ? 123 : 20000 + m->server % 30000);
    unsigned count = random_between(&m->rng, 3, 6);
    for (unsigned i = 0; i < count; i++) {
        if (ntp) {
            put_ntp(m, 3 + (i & 1));
        } else {
            buffer_u8(&m->message, 0x17);
            buffer_random(&m->message, &m->rng, random_between(&m->rng, 20, 120));
        }
        udp_send(&u, (int)(i & 1));
        maker_wait(m, 100, 30000);
    }
}

void make_syn_scan(struct maker *m) {
    static const uint16_t ports[8] = {22, 23, 80, 443, 445, 3389, 8080, 5900};
    maker_connect(m, WHERE_OFFICE);
    struct tcp t = tcp_start(m, random_chance(&m->rng, 500) ? ports[m->client & 7] : random_between(&m->rng, 1, 65000));
    tcp_segment(&t, 0, TCP_SYN, 0, NULL, 0);
    t.next[0]++;
    if (random_chance(&m->rng, 500)) {
        maker_turn(m, 1);
        tcp_segment(&t, 1, TCP_RST | TCP_ACK, 0, NULL, 0);
    }
}

/* A connection that nobody uses. */
void make_idle(struct maker *m) {
    maker_connect(m, WHERE_INTERNET);
    tcp_open(m, 5000 + m->server % 1000);
}

static void put_option_text(struct buffer *b, unsigned option, const char *text) {
    buffer_u8(b, option);
    buffer_u8(b, (unsigned)strlen(text));
    buffer_text(b, text);
}

/* `kind` is the DHCP message type. */
static void put_dhcp(struct maker *m, unsigned kind, uint32_t transaction) {
    struct buffer *b = &m->message;
    char machine[WORLD_NAME];
    uint8_t mac[6];
    uint8_t address[4];
    maker_client_mac(m->client, mac);
    bool reply = kind == 2 || kind == 5;
    world_client_address(m->client, 4, address);
    buffer_u8(b, reply ? 2 : 1);
    buffer_put(b, "\1\6\0", 3);
    buffer_be32(b, transaction);
    buffer_zero(b, 8);
    buffer_put(b, reply ? address : (const uint8_t *)"\0\0\0", 4);
    buffer_zero(b, 8);
    buffer_put(b, mac, 6);
    buffer_zero(b, 202);
    buffer_be32(b, 0x63825363);
    buffer_u8(b, 53);
    buffer_u8(b, 1);
    buffer_u8(b, kind);
    if (reply) {
        buffer_put(b, "\x36\4\x0a\1\0\x0a\x33\4\0\0\x0e\x10\1\4\xff\xff\0\0\3\4\x0a\x14\0\1\6\4\x0a\1\0\x0a", 30);
        put_option_text(b, 15, "corp.example.com");
    } else {
        world_machine(m->client, machine);
        put_option_text(b, 12, machine);
        put_option_text(b, 60, m->client % 3 ? "MSFT 5.0" : "dhcpcd-9.4.1:Linux-6.1");
        buffer_put(b, "\x3d\7\1", 3);
        buffer_put(b, mac, 6);
        buffer_put(b, "\x37\6\1\3\6\x0f\x2c\x2e", 8);
        if (kind == 3) {
            buffer_put(b, "\x32\4", 2);
            buffer_put(b, address, 4);
        }
    }
    buffer_u8(b, 255);
}

void make_dhcp(struct maker *m) {
    maker_connect_ip(m, WHERE_BROADCAST, 4);
    memset(maker_ip(m)->address[0], 0, 4);
    struct udp u = udp_open(m, 68, 67);
    uint32_t transaction = random_u32(&m->rng);
    static const uint8_t kinds[4] = {1, 2, 3, 5};
    unsigned first = m->client % 3 == 0 ? 2 : 0; /* a renewal has no discover and offer */
    for (unsigned i = first; i < 4; i++) {
        struct layer *ip = maker_ip(m);
        struct layer *ethernet = &m->path.layers[m->path.count - 1];
        if (i & 1) { /* the server answers to everybody, from its own address */
            struct layer from = *ip;
            world_office_address(0, 4, ip->address[1]);
            memset(ip->address[0], 0xff, 4);
            memset(ethernet->mac[0], 0xff, 6);
            memcpy(ethernet->mac[1], "\0\x50\x56\1\0\1", 6);
            put_dhcp(m, kinds[i], transaction);
            udp_send(&u, 1);
            *ip = from;
        } else {
            maker_client_mac(m->client, ethernet->mac[0]);
            memset(ethernet->mac[1], 0xff, 6);
            put_dhcp(m, kinds[i], transaction);
            udp_send(&u, 0);
        }
        maker_wait(m, 500, 900000);
    }
}

void make_dhcpv6(struct maker *m) {
    maker_connect_ip(m, WHERE_MULTICAST, 6);
    maker_group(m, 0, 2);
    put_be16(maker_ip(m)->address[1] + 12, 1); /* ff02::1:2 */
    maker_ip(m)->address[0][0] = 0xfe;
    maker_ip(m)->address[0][1] = 0x80;
    memset(maker_ip(m)->address[0] + 2, 0, 6);
    struct udp u = udp_open(m, 546, 547);
    struct buffer *b = &m->message;
    unsigned count = random_between(&m->rng, 1, 3);
    uint32_t transaction = random_u32(&m->rng) >> 8;
    for (unsigned i = 0; i < count; i++) {
        char machine[WORLD_NAME];
        world_machine(m->client, machine);
        buffer_u8(b, 1);
        buffer_be24(b, transaction);
        buffer_put(b, "\0\1\0\x0e\0\1\0\1\x2c\xe1\x12\x34\0\x1b\x21", 15);
        buffer_be24(b, m->client);
        buffer_put(b, "\0\6\0\4\0\x17\0\x18\0\x08\0\2\0\0\0\3\0\x0c\x12\x34\x56\x78\0\0\0\0\0\0\0\0", 30);
        buffer_put(b, "\0\x27", 2);
        size_t mark = buffer_open(b, 2);
        buffer_u8(b, 0);
        buffer_u8(b, (unsigned)strlen(machine));
        buffer_text(b, machine);
        buffer_put(b, "\4corp\7example\3com\0", 18);
        buffer_close(b, mark, 2);
        udp_send(&u, 0);
        maker_pass(m, 1000000);
    }
}

/* Fills in the checksum of the ICMP message and sends it. */
static void icmp_send(struct maker *m, int side) {
    bool v6 = maker_is_ipv6(m);
    struct packet *p = &m->packet;
    packet_begin(p, m->message.bytes, m->message.length);
    p->protocol = v6 ? PROTOCOL_ICMP6 : PROTOCOL_ICMP;
    uint16_t sum = packet_checksum(p, v6 ? maker_ip(m) : NULL, side);
    memcpy(p->start + 2, &sum, 2);
    maker_turn(m, side);
    maker_send(m, p, side, 0);
    buffer_clear(&m->message);
}

void make_ping(struct maker *m) {
    maker_connect(m, random_chance(&m->rng, 500) ? WHERE_OFFICE : WHERE_INTERNET);
    struct buffer *b = &m->message;
    m->sessions++;
    unsigned count = random_skewed(&m->rng, 1, 8);
    uint32_t ident = random_u32(&m->rng) & 0xffff;
    bool large = random_chance(&m->rng, 50) && m->path.count < 4;
    maker_ip(m)->mtu = large ? 1500 : 0;
    for (unsigned i = 0; i < 2 * count; i++) {
        bool v6 = maker_is_ipv6(m);
        bool answer = i & 1;
        buffer_u8(b, v6 ? 128u + answer : answer ? 0 : 8);
        buffer_zero(b, 3);
        buffer_be16(b, ident);
        buffer_be16(b, i / 2 + 1);
        for (unsigned n = 0; n < (large ? 4000 : 56); n++) {
            buffer_u8(b, n & 0xff);
        }
        icmp_send(m, (int)answer);
        if (answer) {
            maker_pass(m, 1000000);
        }
    }
}

void make_unreachable(struct maker *m) {
    maker_connect_ip(m, WHERE_OFFICE, 4);
    m->sessions++;
    struct layer *ip = maker_ip(m);
    struct buffer *b = &m->message;
    buffer_put(b, "\3\3\0\0\0\0\0\0\x45\0\0\x4c\x12\x34\0\0\x40\x11\0\0", 20);
    buffer_put(b, ip->address[1], 4);
    buffer_put(b, ip->address[0], 4);
    buffer_be16(b, maker_port(m));
    buffer_be16(b, 33434 + m->client % 100);
    buffer_be16(b, 56);
    buffer_be16(b, 0);
    if (!b->failed) { /* the checksum of the quoted IP header */
        packet_begin(&m->packet, b->bytes + 8, 20);
        uint16_t sum = packet_checksum(&m->packet, NULL, 0);
        memcpy(b->bytes + 18, &sum, 2);
    }
    icmp_send(m, 0);
}

void make_arp(struct maker *m) {
    maker_connect_ip(m, WHERE_OFFICE, 4);
    m->sessions++;
    const struct layer *ip = maker_ip(m);
    const struct layer *ethernet = &m->path.layers[m->path.count - 1];
    uint8_t everybody[6];
    memset(everybody, 0xff, 6);
    for (int side = 0; side < 2; side++) {
        buffer_put(&m->message, "\0\1\x08\0\6\4\0", 7);
        buffer_u8(&m->message, side == 0 ? 1 : 2);
        buffer_put(&m->message, ethernet->mac[side], 6);
        buffer_put(&m->message, ip->address[side], 4);
        if (side == 0) {
            buffer_zero(&m->message, 6);
        } else {
            buffer_put(&m->message, ethernet->mac[0], 6);
        }
        buffer_put(&m->message, ip->address[!side], 4);
        maker_send_link(m, side == 0 ? everybody : ethernet->mac[0], ethernet->mac[side], 0x0806);
        maker_pass(m, 180);
    }
}

void make_neighbor(struct maker *m) {
    maker_connect_ip(m, WHERE_OFFICE, 6);
    m->sessions++;
    struct layer *ip = maker_ip(m);
    ip->ttl[0] = 255;
    ip->ttl[1] = 255;
    struct buffer *b = &m->message;
    for (int side = 0; side < 2; side++) {
        buffer_u8(b, side == 0 ? 135 : 136);
        buffer_zero(b, 3);
        buffer_be32(b, side == 0 ? 0 : 0x60000000u);
        buffer_put(b, ip->address[1], 16);
        buffer_u8(b, side == 0 ? 1 : 2);
        buffer_u8(b, 1);
        buffer_put(b, m->path.layers[m->path.count - 1].mac[side], 6);
        icmp_send(m, side);
    }
}

void make_snmp(struct maker *m) {
    static const char *const communities[4] = {"public", "private", "monitor", "n3twork"};
    static const uint8_t system_oids[4] = {1, 3, 5, 6};
    maker_connect(m, WHERE_OFFICE);
    struct udp u = udp_open(m, 0, 161);
    struct buffer *b = &m->message;
    unsigned count = random_skewed(&m->rng, 1, 16);
    for (unsigned i = 0; i < 2 * count; i++) {
        uint8_t oid[] = {0x2b, 6, 1, 2, 1, 1, system_oids[i / 2 & 3], 0};
        size_t message = ber_open(b, 0x30);
        ber_integer(b, 2, 1);
        ber_text(b, 4, communities[m->client & 3]);
        size_t pdu = ber_open(b, i & 1 ? 0xa2 : i / 2 % 3 == 2 ? 0xa1 : 0xa0);
        ber_integer(b, 2, 0x1000 + i / 2 + m->client);
        ber_integer(b, 2, 0);
        ber_integer(b, 2, 0);
        size_t list = ber_open(b, 0x30);
        size_t binding = ber_open(b, 0x30);
        ber_bytes(b, 6, oid, sizeof oid);
        if (i & 1) {
            ber_text(b, 4, world_word(m->server + i));
        } else {
            ber_bytes(b, 5, "", 0);
        }
        ber_close(b, binding);
        ber_close(b, list);
        ber_close(b, pdu);
        ber_close(b, message);
        udp_send(&u, (int)(i & 1));
        maker_wait(m, 100, 400000);
    }
}

void make_syslog(struct maker *m) {
    static const char *const programs[6] = {"sshd", "kernel", "CRON", "postfix/smtpd", "systemd", "named"};
    char user[WORLD_NAME];
    maker_connect(m, WHERE_OFFICE);
    struct udp u = udp_open(m, m->client % 2 ? 514 : 0, 514);
    unsigned count = random_skewed(&m->rng, 1, 14);
    world_user(m->client, user);
    for (unsigned i = 0; i < count; i++) {
        unsigned second = (unsigned)(m->recorder.now_us / 1000000 % 86400);
        buffer_format(&m->message, "<%u>Nov 14 %02u:%02u:%02u srv%u %s[%u]: %s for %s ", 8 * (i % 24) + 6,
                      second / 3600, second / 60 % 60, second % 60, m->client, programs[random_below(&m->rng, 6)],
                      random_below(&m->rng, 32768), world_word(random_u64(&m->rng)), user);
        world_prose(&m->message, &m->rng, random_between(&m->rng, 3, 12));
        udp_send(&u, 0);
        maker_wait(m, 1000, 4000000);
    }
}

void make_ssdp(struct maker *m) {
    maker_connect_ip(m, WHERE_MULTICAST, 4);
    maker_group(m, 0xeffffffa, 0xc);
    struct udp u = udp_open(m, 0, 1900);
    unsigned count = random_between(&m->rng, 1, 4);
    for (unsigned i = 0; i < count; i++) {
        buffer_format(&m->message,
                      "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
                      "MX: 1\r\nST: urn:%s:service:dial:1\r\nUSER-AGENT: Chromium/119.0 Windows\r\n\r\n",
                      world_word(m->client));
        udp_send(&u, 0);
        maker_pass(m, 1000000);
    }
}
