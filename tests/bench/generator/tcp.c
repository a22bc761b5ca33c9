/*
 * See tcp.h. RFC 9293 with the options of RFC 7323 (timestamps, window scale) and 2018 (SACK permitted), as Linux sends
 * them. A fault is only another time for a frame, or none: the recorder sorts.
 */
#include "tcp.h"

#include <string.h>

struct tcp tcp_start(struct maker *m, unsigned server_port) {
    struct tcp t = {.maker = m, .mss = 1460, .start_us = m->recorder.now_us};
    t.port[0] = maker_port(m);
    t.port[1] = (uint16_t)server_port;
    t.timestamps = m->client % 4 != 1; /* one client in four is of the kind that sends none */
    /* What tunnels put around a packet must fit as well. */
    unsigned overhead = (m->path.count > 3 ? 120u : 0u) + (t.timestamps ? 12u : 0u);
    t.mss = (uint16_t)((maker_is_ipv6(m) ? 1440u : 1460u) - overhead);
    for (int side = 0; side < 2; side++) {
        t.next[side] = random_u32(&m->rng);
        t.clock[side] = random_u32(&m->rng);
        t.window[side] = (uint16_t)random_between(&m->rng, 500, 2000);
    }
    m->turn = 0;
    m->sessions++;
    return t;
}

static uint32_t timestamp(const struct tcp *t, int side) {
    return t->clock[side] + (uint32_t)((t->maker->recorder.now_us - t->start_us) / 1000);
}

/* The options of a SYN or of any other segment; returns their length. */
static size_t put_options(const struct tcp *t, int side, unsigned flags, uint8_t *ret_options) {
    uint8_t *at = ret_options;
    if (flags & TCP_SYN) {
        const uint8_t first[4] = {2, 4, 0x05, maker_is_ipv6(t->maker) ? 0xa0 : 0xb4};
        memcpy(at, first, 4);
        at += 4;
    }
    if (t->timestamps) {
        const uint8_t lead[4] = {flags & TCP_SYN ? 4 : 1, flags & TCP_SYN ? 2 : 1, 8, 10};
        memcpy(at, lead, 4);
        put_be32(at + 4, timestamp(t, side));
        put_be32(at + 8, flags == TCP_SYN ? 0 : timestamp(t, !side));
        at += 12;
    } else if (flags & TCP_SYN) {
        const uint8_t sack[4] = {1, 1, 4, 2};
        memcpy(at, sack, 4);
        at += 4;
    }
    if (flags & TCP_SYN) {
        const uint8_t scale[4] = {1, 3, 3, 7};
        memcpy(at, scale, 4);
        at += 4;
    }
    return (size_t)(at - ret_options);
}

/* Sends a segment `late_us` from now. */
static void segment_send(struct tcp *t, int side, unsigned flags, uint32_t seq, struct packet *p, uint64_t late_us) {
    uint8_t options[40];
    size_t option_length = put_options(t, side, flags, options);
    struct segment s = {
        .port = {t->port[0], t->port[1]},
        .seq = seq,
        .ack = flags & TCP_ACK ? t->next[!side] : 0,
        .window = flags & TCP_SYN ? 64240 : t->window[side],
        .flags = (uint8_t)flags,
        .option_length = (uint8_t)option_length,
        .options = options,
    };
    packet_push_tcp(p, maker_ip(t->maker), side, &s);
    maker_send(t->maker, p, side, late_us);
}

void tcp_segment(struct tcp *t, int side, unsigned flags, int32_t seq, const void *bytes, size_t length) {
    struct maker *m = t->maker;
    packet_begin(&m->packet, bytes, length);
    segment_send(t, side, flags, t->next[side] + (uint32_t)seq, &m->packet, 0);
    maker_pass(m, 12);
}

struct tcp tcp_open(struct maker *m, unsigned server_port) {
    struct tcp t = tcp_start(m, server_port);
    tcp_segment(&t, 0, TCP_SYN, 0, NULL, 0);
    t.next[0]++;
    maker_turn(m, 1);
    tcp_segment(&t, 1, TCP_SYN | TCP_ACK, 0, NULL, 0);
    t.next[1]++;
    maker_turn(m, 0);
    tcp_segment(&t, 0, TCP_ACK, 0, NULL, 0);
    return t;
}

void tcp_ack(struct tcp *t, int side) {
    tcp_segment(t, side, TCP_ACK, 0, NULL, 0);
    t->unacked[!side] = 0;
}

/* One data segment with the faults that the habits ask for. */
static void data_send(struct tcp *t, int side, unsigned flags, const uint8_t *bytes, size_t length) {
    struct maker *m = t->maker;
    const struct habits *habits = m->habits;
    uint32_t seq = t->next[side];
    uint64_t late_us = 0;
    if (habits->repeated + habits->swapped + habits->lost > 0) {
        uint32_t fate = random_below(&m->rng, 1000);
        if (fate < habits->repeated) {
            packet_begin(&m->packet, bytes, length);
            segment_send(t, side, flags, seq, &m->packet, random_between(&m->rng, 1000, 250000));
        } else if (fate < (uint32_t)habits->repeated + habits->swapped) {
            late_us = 40;
        } else if (fate < (uint32_t)habits->repeated + habits->swapped + habits->lost) {
            t->next[side] += (uint32_t)length;
            return;
        }
    }
    packet_begin(&m->packet, bytes, length);
    segment_send(t, side, flags, seq, &m->packet, late_us);
    t->next[side] += (uint32_t)length;
}

void tcp_send(struct tcp *t, int side, const void *bytes, size_t length) {
    struct maker *m = t->maker;
    const uint8_t *at = bytes;
    if (t->unacked[side] > 0 && m->turn == side) {
        maker_pass(m, 400);
        tcp_ack(t, !side);
    }
    maker_turn(m, side);
    t->unacked[!side] = 0; /* data carries an acknowledgement */
    while (length > 0) {
        size_t n = length < t->mss ? length : t->mss;
        data_send(t, side, TCP_ACK | (n == length ? TCP_PSH : 0), at, n);
        maker_pass(m, 12 + n / 100);
        at += n;
        length -= n;
        if (++t->unacked[side] >= 2 && length > 0) {
            tcp_ack(t, !side);
        }
    }
}

void tcp_say(struct tcp *t, int side) {
    struct buffer *message = &t->maker->message;
    if (message->length > 0) {
        tcp_send(t, side, message->bytes, message->length);
    }
    buffer_clear(message);
}

void tcp_close(struct tcp *t, int side) {
    struct maker *m = t->maker;
    maker_turn(m, side);
    tcp_segment(t, side, TCP_FIN | TCP_ACK, 0, NULL, 0);
    t->next[side]++;
    maker_turn(m, !side);
    tcp_segment(t, !side, TCP_FIN | TCP_ACK, 0, NULL, 0);
    t->next[!side]++;
    maker_turn(m, side);
    tcp_segment(t, side, TCP_ACK, 0, NULL, 0);
}

void tcp_reset(struct tcp *t, int side) {
    maker_turn(t->maker, side);
    tcp_segment(t, side, TCP_RST | TCP_ACK, 0, NULL, 0);
}
