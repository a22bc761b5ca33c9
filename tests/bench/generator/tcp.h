/*
 * One TCP connection as it would be seen on the wire next to the client: sequence and acknowledgement numbers,
 * timestamps, delayed acknowledgements, and the losses, repetitions and overtakings that the profile's habits ask for.
 */
#pragma once

#include "maker.h"

enum {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_ACK = 0x10,
    TCP_URG = 0x20,
    TCP_ECE = 0x40,
    TCP_CWR = 0x80,
};

struct tcp {
    struct maker *maker;
    uint16_t port[2];
    uint16_t mss;
    bool timestamps;
    uint32_t next[2];  /* sequence number of the next byte */
    uint32_t clock[2]; /* timestamp at the start */
    uint64_t start_us;
    uint16_t window[2];
    uint8_t unacked[2]; /* data segments the other side has not acknowledged yet */
};

/* Chooses ports and numbers; no packet. */
struct tcp tcp_start(struct maker *m, unsigned server_port);

/* tcp_start and the three-way handshake. */
struct tcp tcp_open(struct maker *m, unsigned server_port);

/* Sends bytes in segments; every second one is acknowledged, also the last of a block when the same side goes on. */
void tcp_send(struct tcp *t, int side, const void *bytes, size_t length);

/* Sends the maker's message and clears it. */
void tcp_say(struct tcp *t, int side);

void tcp_ack(struct tcp *t, int side);

/* FIN of side, FIN of the other one, last ACK. */
void tcp_close(struct tcp *t, int side);
void tcp_reset(struct tcp *t, int side);

/* One segment with everything given; does not move `next`. seq is relative to the next byte. */
void tcp_segment(struct tcp *t, int side, unsigned flags, int32_t seq, const void *bytes, size_t length);
