/*
 * What a protocol's maker works with: the random numbers, the clock of the flow, the path its packets take, and a
 * buffer for the message at hand. A maker is a function that writes one flow, from its first packet to its last, into
 * the recorder; profiles are weighted tables of makers.
 */
#pragma once

#include "flow.h"
#include "packet.h"
#include "random.h"
#include "world.h"

enum where {
    WHERE_INTERNET,  /* a client of ours and a server out there */
    WHERE_OFFICE,    /* a client and a server in the same company */
    WHERE_BROADCAST, /* a client to everybody on its link */
    WHERE_MULTICAST, /* to a group: maker_group says which */
};

/* How a profile's network looks; chances are per mille of all flows. */
struct habits {
    uint16_t ipv6;
    uint16_t vlan;
    uint16_t tunnel;
    uint16_t repeated; /* of all TCP data segments: sent twice */
    uint16_t swapped;  /* ... overtaken by the next one */
    uint16_t lost;     /* ... missing in the capture */
    uint32_t clients;
    uint32_t servers;
};

struct maker {
    struct random rng;
    struct recorder recorder;
    struct path path;
    struct buffer message; /* what the next send will carry; the sends clear it */
    struct buffer scratch;
    const struct world *world;
    const struct habits *habits;
    uint32_t client; /* chosen by maker_connect: names and addresses follow from these numbers */
    uint32_t server;
    uint32_t rtt_us;
    int turn; /* who sent last */
    uint64_t sessions;
    struct packet packet;
};

typedef void make_flow(struct maker *m);

/* Either a function or a table of lines (script.h) writes the flow. */
struct script;
struct recipe {
    const char *name;
    uint32_t weight;
    make_flow *make;
    const struct script *script;
};

void maker_init(struct maker *m, const struct world *world, const struct habits *habits, uint64_t seed);
void maker_done(struct maker *m);

/* Chooses the two ends and the path between them. */
void maker_connect(struct maker *m, enum where where);

/* The same with the address family given (4 or 6). */
void maker_connect_ip(struct maker *m, enum where where, int family);

/* For WHERE_MULTICAST: the group, as IPv4 address and last two bytes of the IPv6 one. */
void maker_group(struct maker *m, uint32_t group, unsigned group6);

/* The address of the client's network card. */
void maker_client_mac(uint32_t client, uint8_t ret_mac[6]);

/* The innermost IP layer: the one that the transport stands on. */
struct layer *maker_ip(struct maker *m);
bool maker_is_ipv6(struct maker *m);

/* Lets time pass; maker_wait takes a time between the two, mostly near the first. */
void maker_pass(struct maker *m, uint64_t us);
void maker_wait(struct maker *m, uint32_t low_us, uint32_t high_us);

/* Half a round trip when the other side speaks now. */
void maker_turn(struct maker *m, int side);

/* An ephemeral port. */
uint16_t maker_port(struct maker *m);

/* Sends the packet through the path, at the current time plus `late_us`. */
void maker_send(struct maker *m, struct packet *p, int side, uint64_t late_us);

/* Sends the message as the payload of IP with this protocol number, then clears it. */
void maker_send_ip(struct maker *m, int side, unsigned protocol);

/* Sends the message as the payload of Ethernet, path not used, then clears it. */
void maker_send_link(struct maker *m, const uint8_t to[6], const uint8_t from[6], unsigned ethertype);

struct udp {
    struct maker *maker;
    uint16_t port[2];
};

/* A new conversation over the path; client port 0 takes an ephemeral one. */
struct udp udp_open(struct maker *m, unsigned client_port, unsigned server_port);

/* Sends the message, then clears it. */
void udp_send(struct udp *u, int side);
