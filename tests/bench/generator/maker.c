/*
 * Paths, clock and datagrams. The tunnels of the exotic profile are put around a path here, so that every protocol can
 * travel in each of them without knowing.
 */
#include "maker.h"

#include "tunnel.h"

#include <string.h>

void maker_init(struct maker *m, const struct world *world, const struct habits *habits, uint64_t seed) {
    memset(m, 0, sizeof *m);
    random_init(&m->rng, seed);
    m->world = world;
    m->habits = habits;
    m->recorder.end_us = UINT64_MAX;
}

void maker_done(struct maker *m) {
    recorder_done(&m->recorder);
    buffer_done(&m->message);
    buffer_done(&m->scratch);
}

void maker_client_mac(uint32_t client, uint8_t ret_mac[6]) {
    const uint8_t mac[6] = {0x00, 0x1b, 0x21, (uint8_t)(client >> 16), (uint8_t)(client >> 8), (uint8_t)client};
    memcpy(ret_mac, mac, 6);
}

/* The server's own card when it stands in the office, else that of one of two routers. */
static void server_mac(const struct maker *m, enum where where, uint8_t *ret_mac) {
    uint32_t n = where == WHERE_OFFICE ? 0x100 + m->server % 200 : m->server & 1;
    const uint8_t mac[6] = {0x00, 0x50, 0x56, 0x01, (uint8_t)(n >> 8), (uint8_t)n};
    memcpy(ret_mac, mac, 6);
}

static void group_mac(struct layer *ethernet, const struct layer *ip) {
    uint8_t *mac = ethernet->mac[1];
    const uint8_t *a = ip->address[1];
    if (ip->kind == LAYER_IPV6) {
        const uint8_t v6[6] = {0x33, 0x33, a[12], a[13], a[14], a[15]};
        memcpy(mac, v6, 6);
    } else {
        const uint8_t v4[6] = {0x01, 0x00, 0x5e, a[1] & 0x7f, a[2], a[3]};
        memcpy(mac, v4, 6);
    }
}

void maker_connect(struct maker *m, enum where where) {
    maker_connect_ip(m, where, random_chance(&m->rng, m->habits->ipv6) ? 6 : 4);
}

static void choose_ends(struct maker *m, enum where where) {
    const struct habits *habits = m->habits;
    m->client = random_below(&m->rng, habits->clients);
    if (where == WHERE_INTERNET) {
        m->server = random_skewed(&m->rng, 0, habits->servers - 1);
        m->rtt_us = 4000 + (uint32_t)(world_mix(m->world, 1, m->server) % 90000);
    } else {
        m->server = random_below(&m->rng, 120);
        m->rtt_us = 150 + random_below(&m->rng, 700);
    }
    m->turn = 0;
}

void maker_connect_ip(struct maker *m, enum where where, int family) {
    choose_ends(m, where);
    m->path.count = 0;
    struct layer *ip = path_add(&m->path, family == 6 ? LAYER_IPV6 : LAYER_IPV4);
    world_client_address(m->client, family, ip->address[0]);
    ip->ident[0] = (uint16_t)random_u32(&m->rng);
    ip->ident[1] = (uint16_t)random_u32(&m->rng);
    ip->ttl[0] = m->client % 3 == 0 ? 64 : 128;
    if (where == WHERE_INTERNET) {
        world_server_address(m->world, m->server, family, ip->address[1]);
        ip->ttl[1] = (uint8_t)(40 + m->server % 20);
    } else if (where == WHERE_OFFICE) {
        world_office_address(m->server, family, ip->address[1]);
    } else {
        memset(ip->address[1], 0xff, 4);
        ip->ttl[0] = 255;
    }
    if (random_chance(&m->rng, m->habits->tunnel)) {
        tunnel_wrap(m);
        return;
    }
    if (random_chance(&m->rng, m->habits->vlan)) {
        struct layer *vlan = path_add(&m->path, LAYER_VLAN);
        vlan->id = 100 + m->client % 16;
        vlan->type = 0x8100;
    }
    struct layer *ethernet = path_add(&m->path, LAYER_ETHERNET);
    maker_client_mac(m->client, ethernet->mac[0]);
    if (where == WHERE_BROADCAST) {
        memset(ethernet->mac[1], 0xff, 6);
    } else {
        server_mac(m, where, ethernet->mac[1]);
    }
}

void maker_group(struct maker *m, uint32_t group, unsigned group6) {
    struct layer *ip = &m->path.layers[0];
    if (ip->kind == LAYER_IPV6) {
        memset(ip->address[1], 0, 16);
        ip->address[1][0] = 0xff;
        ip->address[1][1] = 0x02;
        put_be16(ip->address[1] + 14, group6);
    } else {
        put_be32(ip->address[1], group);
    }
    struct layer *last = &m->path.layers[m->path.count - 1];
    bool direct = m->path.count == 2 || (m->path.count == 3 && m->path.layers[1].kind == LAYER_VLAN);
    if (direct && last->kind == LAYER_ETHERNET) {
        group_mac(last, ip);
    }
}

struct layer *maker_ip(struct maker *m) {
    return &m->path.layers[0];
}

bool maker_is_ipv6(struct maker *m) {
    return m->path.layers[0].kind == LAYER_IPV6;
}

void maker_pass(struct maker *m, uint64_t us) {
    m->recorder.now_us += us;
}

void maker_wait(struct maker *m, uint32_t low_us, uint32_t high_us) {
    m->recorder.now_us += random_skewed(&m->rng, low_us, high_us);
}

void maker_turn(struct maker *m, int side) {
    if (side != m->turn) {
        m->turn = side;
        /* The capture is taken near the client: what the server says has gone the whole way there and back. */
        maker_pass(m, side == 1 ? m->rtt_us : m->rtt_us / 16 + 20);
    }
}

uint16_t maker_port(struct maker *m) {
    return (uint16_t)random_between(&m->rng, 32768, 60999);
}

struct timed_recorder {
    struct recorder *recorder;
    uint64_t time_us;
};

static void record_frame(void *owner, const uint8_t *bytes, size_t length) {
    struct timed_recorder *to = owner;
    recorder_frame(to->recorder, to->time_us, bytes, length);
    to->time_us += 2; /* fragments follow each other */
}

void maker_send(struct maker *m, struct packet *p, int side, uint64_t late_us) {
    struct timed_recorder to = {&m->recorder, m->recorder.now_us + late_us};
    path_send(&m->path, 0, p, side, record_frame, &to);
}

void maker_send_ip(struct maker *m, int side, unsigned protocol) {
    maker_turn(m, side);
    packet_begin(&m->packet, m->message.bytes, m->message.length);
    m->packet.protocol = (uint8_t)protocol;
    maker_send(m, &m->packet, side, 0);
    buffer_clear(&m->message);
}

void maker_send_link(struct maker *m, const uint8_t to[6], const uint8_t from[6], unsigned ethertype) {
    packet_begin(&m->packet, m->message.bytes, m->message.length);
    uint8_t *h = packet_push(&m->packet, 14);
    memcpy(h, to, 6);
    memcpy(h + 6, from, 6);
    put_be16(h + 12, ethertype);
    recorder_frame(&m->recorder, m->recorder.now_us, m->packet.start, (size_t)(m->packet.end - m->packet.start));
    buffer_clear(&m->message);
}

struct udp udp_open(struct maker *m, unsigned client_port, unsigned server_port) {
    struct udp u = {.maker = m};
    u.port[0] = client_port != 0 ? (uint16_t)client_port : maker_port(m);
    u.port[1] = (uint16_t)server_port;
    m->turn = 0;
    m->sessions++;
    return u;
}

void udp_send(struct udp *u, int side) {
    struct maker *m = u->maker;
    maker_turn(m, side);
    packet_begin(&m->packet, m->message.bytes, m->message.length);
    packet_push_udp(&m->packet, maker_ip(m), side, u->port);
    maker_send(m, &m->packet, side, 0);
    buffer_clear(&m->message);
}
