/*
 * DNS (RFC 1035, 3596, 2782, 6891, 9460) over UDP and TCP, and its relatives mDNS (6762), LLMNR (4795) and NetBIOS
 * names (1002). Answers follow from the name asked for, so that a repeated question gets the same answer.
 */
#include "dns.h"

#include "recipes.h"
#include "tcp.h"

#include <stdio.h>
#include <string.h>

#define NAME_POINTER 0xc00c /* compressed: the name in the question */

static void put_name(struct buffer *b, const char *name) {
    while (*name != '\0') {
        size_t n = strcspn(name, ".");
        buffer_u8(b, (unsigned)n);
        buffer_put(b, name, n);
        name += n;
        name += *name == '.';
    }
    buffer_u8(b, 0);
}

/* Everything of a record before its data; returns the mark of the length. */
static size_t record_open(struct buffer *b, unsigned type, uint32_t ttl) {
    buffer_be16(b, NAME_POINTER);
    buffer_be16(b, type);
    buffer_be16(b, 1);
    buffer_be32(b, ttl);
    return buffer_open(b, 2);
}

static void put_address_record(struct buffer *b, struct maker *m, uint64_t h, unsigned type) {
    uint8_t address[16];
    size_t mark = record_open(b, type, 60 + (uint32_t)(h % 3600));
    int family = type == DNS_A ? 4 : 6;
    world_server_address(m->world, (uint32_t)h, family, address);
    buffer_put(b, address, family == 4 ? 4 : 16);
    buffer_close(b, mark, 2);
}

/* Returns the number of records. */
static unsigned put_addresses(struct buffer *b, struct maker *m, const char *name, uint64_t h, unsigned type) {
    unsigned count = 0;
    if (h % 4 == 0) { /* through an alias at a content network */
        char alias[WORLD_NAME + 32];
        snprintf(alias, sizeof alias, "e%u.%.40s.edge.example.net", (unsigned)(h >> 8 & 0xffff), name);
        size_t mark = record_open(b, DNS_CNAME, 300);
        put_name(b, alias);
        buffer_close(b, mark, 2);
        count++;
    }
    for (uint64_t i = 0; i < 1 + (h >> 4) % 3; i++) {
        put_address_record(b, m, h + i, type);
        count++;
    }
    return count;
}

static unsigned put_other_answer(struct buffer *b, const char *name, uint64_t h, unsigned type) {
    char text[2 * WORLD_NAME];
    size_t mark = record_open(b, type, 3600);
    switch (type) {
    case DNS_MX:
        buffer_be16(b, 10);
        snprintf(text, sizeof text, "mx%u.%s", (unsigned)(h % 4), name);
        put_name(b, text);
        break;
    case DNS_TXT:
        snprintf(text, sizeof text, "v=spf1 include:_spf.%s ip4:192.0.2.%u -all", name, (unsigned)(h & 255));
        buffer_u8(b, (unsigned)strlen(text));
        buffer_text(b, text);
        break;
    case DNS_SRV:
        buffer_be16(b, 0);
        buffer_be16(b, 100);
        buffer_be16(b, 389);
        snprintf(text, sizeof text, "dc%u.corp.example.com", (unsigned)(h % 4));
        put_name(b, text);
        break;
    case DNS_HTTPS:
        buffer_be16(b, 1);
        buffer_u8(b, 0);
        buffer_put(b, "\0\1\0\6\2h3\2h2", 10); /* alpn */
        break;
    default: /* PTR, NS */
        snprintf(text, sizeof text, "host-%u.example.com", (unsigned)(h & 0xffff));
        put_name(b, text);
        break;
    }
    buffer_close(b, mark, 2);
    return 1;
}

static void put_soa(struct buffer *b) {
    size_t mark = record_open(b, DNS_SOA, 900);
    put_name(b, "ns1.example.com");
    put_name(b, "hostmaster.example.com");
    buffer_be32(b, 2023111401);
    buffer_be32(b, 7200);
    buffer_be32(b, 3600);
    buffer_be32(b, 1209600);
    buffer_be32(b, 900);
    buffer_close(b, mark, 2);
}

void dns_put_message(struct buffer *b, struct maker *m, uint16_t id, const char *name, unsigned type, bool answers) {
    uint64_t h = world_mix(m->world, 5, strlen(name));
    for (const char *at = name; *at != '\0'; at++) {
        h = (h ^ (unsigned char)*at) * 0x100000001b3u;
    }
    h ^= h >> 29;
    bool missing = h % 17 == 0 && type != DNS_SRV;
    bool extended = id % 3 == 0;
    buffer_be16(b, id);
    buffer_be16(b, answers ? 0x8180u | (missing ? 3u : 0u) : 0x0100u);
    buffer_be16(b, 1);
    size_t counts = b->length;
    buffer_zero(b, 6);
    put_name(b, name);
    buffer_be16(b, type);
    buffer_be16(b, 1);
    unsigned count = 0;
    if (answers && !missing) {
        bool address = type == DNS_A || type == DNS_AAAA;
        count = address ? put_addresses(b, m, name, h, type) : put_other_answer(b, name, h, type);
    } else if (answers) {
        put_soa(b);
    }
    if (extended) { /* EDNS, 1232 bytes */
        buffer_put(b, "\0\0\x29\x04\xd0\0\0\0\0\0\0", 11);
    }
    if (!b->failed) {
        put_be16(b->bytes + counts, count);
        put_be16(b->bytes + counts + 2, answers && missing ? 1 : 0);
        put_be16(b->bytes + counts + 4, extended ? 1 : 0);
    }
}

void dns_connect(struct maker *m) {
    maker_connect(m, WHERE_OFFICE);
    m->server &= 1;
    struct layer *ip = maker_ip(m);
    world_office_address(m->server, ip->kind == LAYER_IPV6 ? 6 : 4, ip->address[1]);
}

static unsigned random_type(struct random *r) {
    static const uint8_t types[32] = {
        DNS_A,     DNS_A,     DNS_A,   DNS_A,   DNS_A,   DNS_A,    DNS_A,    DNS_A,    DNS_A,    DNS_A,    DNS_A,
        DNS_A,     DNS_A,     DNS_A,   DNS_A,   DNS_A,   DNS_AAAA, DNS_AAAA, DNS_AAAA, DNS_AAAA, DNS_AAAA, DNS_AAAA,
        DNS_HTTPS, DNS_HTTPS, DNS_PTR, DNS_PTR, DNS_PTR, DNS_MX,   DNS_TXT,  DNS_TXT,  DNS_SRV,  DNS_NS,
    };
    return types[random_u32(r) & 31];
}

static void random_name(struct maker *m, unsigned type, char *ret_name) {
    uint32_t server = random_skewed(&m->rng, 0, m->habits->servers * 4);
    switch (type) {
    case DNS_PTR: {
        uint8_t a[16];
        world_server_address(m->world, server, 4, a);
        snprintf(ret_name, WORLD_NAME, "%u.%u.%u.%u.in-addr.arpa", a[3], a[2], a[1], a[0]);
        break;
    }
    case DNS_SRV:
        snprintf(ret_name, WORLD_NAME, "_ldap._tcp.dc._msdcs.corp.example.com");
        break;
    case DNS_MX:
    case DNS_TXT:
    case DNS_NS:
        world_domain(m->world, server, ret_name);
        break;
    default:
        world_host(m->world, server, ret_name);
        break;
    }
}

void make_dns(struct maker *m) {
    char name[WORLD_NAME];
    dns_connect(m);
    struct udp u = udp_open(m, 0, 53);
    unsigned type = random_type(&m->rng);
    uint16_t id = (uint16_t)random_u32(&m->rng);
    random_name(m, type, name);
    dns_put_message(&m->message, m, id, name, type, false);
    udp_send(&u, 0);
    maker_wait(m, 100, 60000);
    dns_put_message(&m->message, m, id, name, type, true);
    udp_send(&u, 1);
}

void dns_lookup(struct maker *m, uint32_t server) {
    char name[WORLD_NAME];
    world_host(m->world, server, name);
    struct udp u = udp_open(m, 0, 53);
    uint16_t id = (uint16_t)random_u32(&m->rng);
    for (unsigned answers = 0; answers < 2; answers++) {
        dns_put_message(&m->message, m, id, name, DNS_A, answers);
        udp_send(&u, (int)answers);
        dns_put_message(&m->message, m, id ^ 0x5a5a, name, DNS_AAAA, answers);
        udp_send(&u, (int)answers);
        maker_wait(m, 100, 20000);
    }
}

/* A resolver's forwarding port: many names between the same two ports. */
void make_dns_forwarder(struct maker *m) {
    char name[WORLD_NAME];
    dns_connect(m);
    m->rtt_us = 9000;
    struct udp u = udp_open(m, 0, 53);
    unsigned count = random_skewed(&m->rng, 10, 160);
    for (unsigned i = 0; i < count; i++) {
        unsigned type = random_type(&m->rng);
        uint16_t id = (uint16_t)random_u32(&m->rng);
        random_name(m, type, name);
        dns_put_message(&m->message, m, id, name, type, false);
        udp_send(&u, 0);
        dns_put_message(&m->message, m, id, name, type, true);
        udp_send(&u, 1);
        maker_wait(m, 2000, 300000);
    }
}

void make_dns_tcp(struct maker *m) {
    char name[WORLD_NAME];
    dns_connect(m);
    struct tcp t = tcp_open(m, 53);
    uint16_t id = (uint16_t)random_u32(&m->rng);
    random_name(m, DNS_TXT, name);
    for (int side = 0; side < 2; side++) {
        size_t mark = buffer_open(&m->message, 2);
        dns_put_message(&m->message, m, id, name, DNS_TXT, side == 1);
        buffer_close(&m->message, mark, 2);
        tcp_say(&t, side);
    }
    tcp_close(&t, 0);
}

void make_mdns(struct maker *m) {
    static const char *const services[] = {"_ipp._tcp.local", "_airplay._tcp.local", "_googlecast._tcp.local",
                                           "_smb._tcp.local", "_spotify-connect._tcp.local"};
    maker_connect(m, WHERE_MULTICAST);
    maker_group(m, 0xe00000fb, 0xfb);
    struct udp u = udp_open(m, 5353, 5353);
    unsigned count = random_between(&m->rng, 1, 4);
    for (unsigned i = 0; i < count; i++) {
        dns_put_message(&m->message, m, 1, services[random_below(&m->rng, 5)], DNS_PTR, false);
        udp_send(&u, 0);
        maker_wait(m, 900000, 4000000);
    }
}

void make_llmnr(struct maker *m) {
    maker_connect(m, WHERE_MULTICAST);
    maker_group(m, 0xe00000fc, 0x10003 & 0xffff);
    struct udp u = udp_open(m, 0, 5355);
    for (unsigned i = 0; i < 2; i++) {
        dns_put_message(&m->message, m, (uint16_t)random_u32(&m->rng), world_word(m->client), i == 0 ? DNS_A : DNS_AAAA,
                        false);
        udp_send(&u, 0);
        maker_wait(m, 100, 400000);
    }
}

/* The first-level encoding of RFC 1001 §14.1: each half byte as a letter. */
void make_netbios_name(struct maker *m) {
    char machine[WORLD_NAME];
    maker_connect_ip(m, WHERE_BROADCAST, 4);
    struct udp u = udp_open(m, 137, 137);
    world_machine(random_below(&m->rng, m->habits->clients), machine);
    unsigned count = random_between(&m->rng, 1, 3);
    for (unsigned i = 0; i < count; i++) {
        buffer_be16(&m->message, m->client & 0xffff);
        buffer_put(&m->message, "\1\x10\0\1\0\0\0\0\0\0\x20", 11);
        for (size_t c = 0; c < 16; c++) {
            unsigned letter = c < strlen(machine) ? (unsigned char)machine[c] : c < 15 ? ' ' : 0;
            buffer_u8(&m->message, 'A' + (letter >> 4));
            buffer_u8(&m->message, 'A' + (letter & 15));
        }
        buffer_put(&m->message, "\0\0\x20\0\1", 5);
        udp_send(&u, 0);
        maker_pass(m, 750000);
    }
}
