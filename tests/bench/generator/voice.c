/*
 * Telephones: SIP (RFC 3261) with SDP (8866), and the RTP (3550) of the call, which runs between two ports of its own.
 */
#include "recipes.h"

#include <stdio.h>
#include <string.h>

struct call {
    struct udp sip;
    struct maker *maker;
    char user[WORLD_NAME];
    char peer[WORLD_NAME];
    uint32_t id;
    uint16_t media[2];
};

static void put_request(struct call *c, const char *method, unsigned sequence, int side) {
    struct buffer *b = &c->maker->message;
    const char *from = side == 0 ? c->user : c->peer;
    const char *to = side == 0 ? c->peer : c->user;
    buffer_format(
        b, "%s sip:%s@voip.example.com SIP/2.0\r\nVia: SIP/2.0/UDP phone%u.example.com:5060;branch=z9hG4bK%08x\r\n",
        method, to, c->maker->client, c->id + sequence);
    buffer_format(b, "Max-Forwards: 70\r\nFrom: \"%s\" <sip:%s@voip.example.com>;tag=%08x\r\n", from, from, c->id);
    buffer_format(b, "To: <sip:%s@voip.example.com>\r\nCall-ID: %08x@phone%u\r\nCSeq: %u %s\r\n", to, c->id,
                  c->maker->client, sequence, method);
    buffer_text(b, "User-Agent: Grandstream GXP2170 1.0.11.39\r\n");
}

static void put_status(struct call *c, const char *status, const char *method, unsigned sequence) {
    struct buffer *b = &c->maker->message;
    buffer_format(b, "SIP/2.0 %s\r\nVia: SIP/2.0/UDP phone%u.example.com:5060;branch=z9hG4bK%08x\r\n", status,
                  c->maker->client, c->id + sequence);
    buffer_format(b, "From: \"%s\" <sip:%s@voip.example.com>;tag=%08x\r\nTo: <sip:%s@voip.example.com>;tag=as%08x\r\n",
                  c->user, c->user, c->id, c->peer, ~c->id);
    buffer_format(b, "Call-ID: %08x@phone%u\r\nCSeq: %u %s\r\nServer: Asterisk PBX 20.5\r\n", c->id, c->maker->client,
                  sequence, method);
}

static void put_sdp(struct call *c, int side) {
    struct buffer *b = &c->maker->message;
    char text[256];
    int n = snprintf(
        text, sizeof text,
        "v=0\r\no=- %u 1 IN IP4 10.1.0.%u\r\ns=call\r\nc=IN IP4 10.1.0.%u\r\nt=0 0\r\nm=audio %u RTP/AVP 8 101\r\n"
        "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n",
        c->id, (unsigned)side + 1, (unsigned)side + 1, c->media[side]);
    buffer_format(b, "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", n, text);
}

static void send_plain(struct call *c, int side) {
    buffer_text(&c->maker->message, "Content-Length: 0\r\n\r\n");
    udp_send(&c->sip, side);
}

static void call_init(struct call *c, struct maker *m) {
    c->maker = m;
    c->id = random_u32(&m->rng);
    world_user(m->client, c->user);
    world_user(random_u32(&m->rng), c->peer);
    c->media[0] = (uint16_t)(16384 + 2 * random_below(&m->rng, 8000));
    c->media[1] = (uint16_t)(16384 + 2 * random_below(&m->rng, 8000));
    c->sip = udp_open(m, 5060, 5060);
}

void make_sip_register(struct maker *m) {
    struct call c;
    maker_connect(m, WHERE_OFFICE);
    call_init(&c, m);
    memcpy(c.peer, c.user, sizeof c.peer);
    for (unsigned i = 1; i <= 2; i++) {
        put_request(&c, "REGISTER", i, 0);
        buffer_format(&m->message, "Contact: <sip:%s@phone%u.example.com>\r\nExpires: 3600\r\n", c.user, m->client);
        if (i == 2) {
            buffer_format(&m->message,
                          "Authorization: Digest username=\"%s\", realm=\"asterisk\", nonce=\"%08x\", "
                          "uri=\"sip:voip.example.com\", response=\"%08x%08x%08x%08x\"\r\n",
                          c.user, c.id, c.id, ~c.id, c.id * 3, c.id * 7);
        }
        send_plain(&c, 0);
        put_status(&c, i == 1 ? "401 Unauthorized" : "200 OK", "REGISTER", i);
        if (i == 1) {
            buffer_format(&m->message, "WWW-Authenticate: Digest algorithm=MD5, realm=\"asterisk\", nonce=\"%08x\"\r\n",
                          c.id);
        }
        send_plain(&c, 1);
    }
}

static void talk(struct call *c, unsigned packets) {
    struct maker *m = c->maker;
    struct udp media = udp_open(m, c->media[0], c->media[1]);
    uint32_t source = c->id ^ 0x55aa55aa;
    m->rtt_us = 40;
    for (unsigned i = 0; i < packets; i++) {
        for (int side = 0; side < 2; side++) {
            struct buffer *b = &m->message;
            buffer_be16(b, 0x8008);
            buffer_be16(b, (i + 100) & 0xffff);
            buffer_be32(b, 160 * i);
            buffer_be32(b, source + (uint32_t)side);
            buffer_random(b, &m->rng, 160);
            udp_send(&media, side);
        }
        maker_pass(m, 20000);
    }
}

void make_sip_call(struct maker *m) {
    struct call c;
    maker_connect_ip(m, WHERE_OFFICE, 4);
    call_init(&c, m);
    put_request(&c, "INVITE", 1, 0);
    put_sdp(&c, 0);
    udp_send(&c.sip, 0);
    put_status(&c, "100 Trying", "INVITE", 1);
    send_plain(&c, 1);
    put_status(&c, "180 Ringing", "INVITE", 1);
    send_plain(&c, 1);
    maker_wait(m, 500000, 6000000);
    put_status(&c, "200 OK", "INVITE", 1);
    put_sdp(&c, 1);
    udp_send(&c.sip, 1);
    put_request(&c, "ACK", 1, 0);
    send_plain(&c, 0);
    talk(&c, random_skewed(&m->rng, 20, 200));
    put_request(&c, "BYE", 2, 0);
    send_plain(&c, 0);
    put_status(&c, "200 OK", "BYE", 2);
    send_plain(&c, 1);
}
