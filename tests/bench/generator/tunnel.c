/*
 * The tunnels: GRE, ERSPAN II, VXLAN, Geneve, GTP-U, MPLS, PPPoE, IP in IP, 6in4, QinQ, and two of them nested. Each is
 * a list of layers, so that a function only names them from the inside out.
 */
#include "tunnel.h"

#include "maker.h"

#include <string.h>

enum tunnel_kind {
    TUNNEL_GRE,
    TUNNEL_GRE_KEY,
    TUNNEL_ERSPAN,
    TUNNEL_VXLAN,
    TUNNEL_GENEVE,
    TUNNEL_GTPU,
    TUNNEL_MPLS,
    TUNNEL_PPPOE,
    TUNNEL_IPIP,
    TUNNEL_QINQ,
    TUNNEL_VXLAN_GRE,
    TUNNEL_GTPU_IPIP,
    TUNNEL_KINDS,
};

static void add_ethernet(struct maker *m, uint32_t n) {
    struct layer *l = path_add(&m->path, LAYER_ETHERNET);
    const uint8_t mac[6] = {0x02, 0x42, 0x0a, 0x00, (uint8_t)(n >> 8), (uint8_t)n};
    memcpy(l->mac[0], mac, 6);
    memcpy(l->mac[1], mac, 6);
    l->mac[1][1] = 0x43;
}

/* The IPv4 layer between two tunnel ends of a net of 64. */
static void add_outer_ip(struct maker *m) {
    struct layer *l = path_add(&m->path, LAYER_IPV4);
    const uint8_t ends[2][4] = {{192, 168, 200, (uint8_t)(1 + m->client % 64)},
                                {192, 168, 201, (uint8_t)(1 + m->server % 64)}};
    memcpy(l->address[0], ends[0], 4);
    memcpy(l->address[1], ends[1], 4);
    l->ident[0] = (uint16_t)random_u32(&m->rng);
    l->ident[1] = (uint16_t)random_u32(&m->rng);
    if (random_chance(&m->rng, 40)) {
        l->mtu = 576; /* a narrow way between the two ends: the tunnel's own packets come in fragments */
        l->fragments = (enum fragment_order)random_below(&m->rng, 4);
    }
}

static void add_layer(struct maker *m, enum layer_kind kind, uint32_t id) {
    struct layer *l = path_add(&m->path, kind);
    l->id = id;
    l->type = 0x8100;
}

static void add_udp(struct maker *m, unsigned from, unsigned to) {
    struct layer *l = path_add(&m->path, LAYER_UDP);
    l->port[0] = (uint16_t)from;
    l->port[1] = (uint16_t)to;
}

static void wrap_overlay(struct maker *m, enum tunnel_kind kind) {
    switch (kind) {
    case TUNNEL_GTPU:
    case TUNNEL_GTPU_IPIP:
        add_layer(m, LAYER_GTPU, random_u32(&m->rng));
        add_udp(m, 2152, 2152);
        break;
    case TUNNEL_GENEVE:
        add_ethernet(m, m->client);
        add_layer(m, LAYER_GENEVE, m->client % 500);
        add_udp(m, maker_port(m), 6081);
        break;
    default:
        add_ethernet(m, m->client);
        add_layer(m, LAYER_VXLAN, m->client % 500);
        add_udp(m, maker_port(m), 4789);
        break;
    }
    add_outer_ip(m);
    if (kind == TUNNEL_GTPU_IPIP) {
        add_outer_ip(m);
    } else if (kind == TUNNEL_VXLAN_GRE) {
        add_layer(m, LAYER_GRE, 0);
        add_outer_ip(m);
    }
}

/* Tunnels that are layers of IP or of the link. */
static void wrap_plain(struct maker *m, enum tunnel_kind kind) {
    switch (kind) {
    case TUNNEL_GRE:
    case TUNNEL_GRE_KEY:
        add_layer(m, LAYER_GRE, kind == TUNNEL_GRE_KEY ? random_u32(&m->rng) | 1 : 0);
        add_outer_ip(m);
        break;
    case TUNNEL_ERSPAN:
        add_ethernet(m, m->client);
        add_layer(m, LAYER_ERSPAN, m->client % 1000);
        add_outer_ip(m);
        break;
    case TUNNEL_MPLS:
        add_layer(m, LAYER_MPLS, 16 + m->server % 1000);
        add_layer(m, LAYER_MPLS, 5000 + m->client % 1000);
        break;
    case TUNNEL_PPPOE:
        add_layer(m, LAYER_PPPOE, 1 + m->client % 4000);
        break;
    case TUNNEL_QINQ:
        add_layer(m, LAYER_VLAN, 1 + m->client % 4000);
        add_layer(m, LAYER_VLAN, 1 + m->server % 4000);
        m->path.layers[m->path.count - 1].type = 0x88a8;
        break;
    default:
        add_outer_ip(m); /* IP in IP; 6in4 when the inner one is IPv6 */
        break;
    }
}

void tunnel_wrap(struct maker *m) {
    enum tunnel_kind kind = (enum tunnel_kind)random_below(&m->rng, TUNNEL_KINDS);
    switch (kind) {
    case TUNNEL_VXLAN:
    case TUNNEL_GENEVE:
    case TUNNEL_GTPU:
    case TUNNEL_VXLAN_GRE:
    case TUNNEL_GTPU_IPIP:
        wrap_overlay(m, kind);
        break;
    default:
        wrap_plain(m, kind);
        break;
    }
    add_ethernet(m, 0x8000 + m->client % 64);
}
