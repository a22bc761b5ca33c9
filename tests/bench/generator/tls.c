/*
 * TLS 1.2 (RFC 5246, 8422) and 1.3 (RFC 8446). Handshakes are complete and well-formed as far as they are in the clear;
 * ciphertext is noise. Six makes of clients give different fingerprints, two of them with GREASE (RFC 8701).
 */
#include "tls.h"

#include "recipes.h"

#include <string.h>

enum { RECORD_CCS = 20, RECORD_ALERT = 21, RECORD_HANDSHAKE = 22, RECORD_DATA = 23 };
enum {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    NEW_TICKET = 4,
    CERTIFICATE = 11,
    KEY_EXCHANGE = 12,
    HELLO_DONE = 14,
    CLIENT_KEY = 16
};

struct make {
    bool grease;
    bool padded;
    uint8_t cipher_count;
    uint16_t ciphers[20];
    uint8_t group_count;
    uint16_t groups[5];
    const char *alpn; /* with their length bytes */
};

static const struct make makes[] = {
    {true,
     true,
     15,
     {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f,
      0x0035},
     3,
     {29, 23, 24},
     "\2h2\10http/1.1"},
    {false,
     false,
     17,
     {0x1301, 0x1303, 0x1302, 0xc02b, 0xc02f, 0xcca9, 0xcca8, 0xc02c, 0xc030, 0xc00a, 0xc009, 0xc013, 0xc014, 0x009c,
      0x009d, 0x002f, 0x0035},
     5,
     {29, 23, 24, 25, 256},
     "\2h2\10http/1.1"},
    {true,
     false,
     20,
     {0x1301, 0x1302, 0x1303, 0xc02c, 0xc02b, 0xcca9, 0xc030, 0xc02f, 0xcca8, 0xc00a,
      0xc009, 0xc014, 0xc013, 0x009d, 0x009c, 0x0035, 0x002f, 0xc008, 0xc012, 0x000a},
     4,
     {29, 23, 24, 25},
     "\2h2\10http/1.1"},
    {false,
     false,
     9,
     {0x1302, 0x1303, 0x1301, 0xc02c, 0xc030, 0x009f, 0xcca9, 0xcca8, 0xc02b},
     4,
     {29, 23, 30, 25},
     "\10http/1.1"},
    {false,
     false,
     12,
     {0x1302, 0x1301, 0xc02c, 0xc02b, 0xc030, 0xc02f, 0xc024, 0xc023, 0xc028, 0xc027, 0xc00a, 0xc009},
     3,
     {29, 23, 24},
     NULL},
    {false, false, 4, {0x1301, 0xc02f, 0xc030, 0x009d}, 2, {23, 29}, NULL},
};

#define MAKES (sizeof makes / sizeof *makes)

static size_t extension_open(struct buffer *b, unsigned type) {
    buffer_be16(b, type);
    return buffer_open(b, 2);
}

static unsigned grease_value(struct random *r) {
    unsigned v = random_below(r, 16) << 4 | 0xa;
    return v << 8 | v;
}

static void put_server_name(struct buffer *b, const char *host) {
    size_t mark = extension_open(b, 0);
    size_t list = buffer_open(b, 2);
    buffer_u8(b, 0);
    size_t name = buffer_open(b, 2);
    buffer_text(b, host);
    buffer_close(b, name, 2);
    buffer_close(b, list, 2);
    buffer_close(b, mark, 2);
}

static void put_groups(struct buffer *b, const struct make *make, unsigned grease) {
    size_t mark = extension_open(b, 10);
    size_t list = buffer_open(b, 2);
    if (make->grease) {
        buffer_be16(b, grease);
    }
    for (unsigned i = 0; i < make->group_count; i++) {
        buffer_be16(b, make->groups[i]);
    }
    buffer_close(b, list, 2);
    buffer_close(b, mark, 2);
}

/* point formats, signature algorithms, session ticket, extended master secret, renegotiation info */
static void put_common_extensions(struct buffer *b) {
    static const uint8_t bytes[] = {
        0, 11, 0, 2, 1, 0, 0, 13, 0,  18, 0, 16, 4,  3, 8, 4,    4, 1, 5, 3, 8,
        5, 5,  1, 8, 6, 6, 1, 0,  35, 0,  0, 0,  23, 0, 0, 0xff, 1, 0, 1, 0,
    };
    buffer_put(b, bytes, sizeof bytes);
}

static void put_alpn(struct buffer *b, const char *alpn) {
    size_t mark = extension_open(b, 16);
    size_t list = buffer_open(b, 2);
    buffer_text(b, alpn);
    buffer_close(b, list, 2);
    buffer_close(b, mark, 2);
}

/* supported versions, key share modes and an X25519 or P-256 share */
static void put_version13(struct buffer *b, struct random *r, const struct make *make, unsigned grease) {
    size_t mark = extension_open(b, 43);
    size_t list = buffer_open(b, 1);
    if (make->grease) {
        buffer_be16(b, grease);
    }
    buffer_be16(b, 0x0304);
    buffer_be16(b, 0x0303);
    buffer_close(b, list, 1);
    buffer_close(b, mark, 2);
    buffer_put(b, "\0\x2d\0\2\1\1", 6);
    mark = extension_open(b, 51);
    list = buffer_open(b, 2);
    if (make->grease) {
        buffer_be16(b, grease);
        buffer_be16(b, 1);
        buffer_u8(b, 0);
    }
    buffer_be16(b, make->groups[0]);
    size_t key = buffer_open(b, 2);
    if (make->groups[0] == 23) {
        buffer_u8(b, 4);
    }
    buffer_random(b, r, make->groups[0] == 23 ? 64 : 32);
    buffer_close(b, key, 2);
    buffer_close(b, list, 2);
    buffer_close(b, mark, 2);
}

static void put_ciphers(struct buffer *b, const struct make *make, unsigned grease, bool version13) {
    size_t mark = buffer_open(b, 2);
    if (make->grease) {
        buffer_be16(b, grease);
    }
    for (unsigned i = 0; i < make->cipher_count; i++) {
        if (version13 || make->ciphers[i] >> 8 != 0x13) {
            buffer_be16(b, make->ciphers[i]);
        }
    }
    buffer_close(b, mark, 2);
}

static void put_hello_message(struct buffer *b, struct maker *m, const char *host, bool version13, bool quic) {
    const struct make *make = &makes[(m->client * 2654435761u >> 20) % MAKES];
    unsigned grease = grease_value(&m->rng);
    buffer_u8(b, CLIENT_HELLO);
    size_t start = b->length;
    size_t message = buffer_open(b, 3);
    buffer_be16(b, 0x0303);
    buffer_random(b, &m->rng, 32);
    buffer_u8(b, quic ? 0 : 32);
    buffer_random(b, &m->rng, quic ? 0 : 32);
    put_ciphers(b, make, grease, version13);
    buffer_put(b, "\1\0", 2);
    size_t extensions = buffer_open(b, 2);
    if (make->grease) {
        buffer_be16(b, grease);
        buffer_be16(b, 0);
    }
    if (host != NULL) {
        put_server_name(b, host);
    }
    put_groups(b, make, grease);
    put_common_extensions(b);
    if (quic || make->alpn != NULL) {
        put_alpn(b, quic ? "\2h3" : make->alpn);
    }
    if (version13) {
        put_version13(b, &m->rng, make, grease);
    }
    if (quic) { /* transport parameters: idle timeout, UDP payload, data, streams */
        static const uint8_t parameters[] = {0, 0x39, 0,    16,   1, 4, 0x80, 0,    0x75, 0x30,
                                             3, 2,    0x45, 0xc8, 8, 2, 0x40, 0x64, 0x0f, 0};
        buffer_put(b, parameters, sizeof parameters);
    }
    if (make->padded && b->length - start < 508) {
        size_t pad = extension_open(b, 21);
        buffer_zero(b, 512 - (b->length - start));
        buffer_close(b, pad, 2);
    }
    buffer_close(b, extensions, 2);
    buffer_close(b, message, 3);
}

static size_t record_open(struct buffer *b, unsigned type, unsigned version) {
    buffer_u8(b, type);
    buffer_be16(b, version);
    return buffer_open(b, 2);
}

void tls_put_client_hello(struct buffer *b, struct maker *m, const char *host, bool version13) {
    size_t record = record_open(b, RECORD_HANDSHAKE, 0x0301);
    put_hello_message(b, m, host, version13, false);
    buffer_close(b, record, 2);
}

void tls_put_quic_hello(struct buffer *b, struct maker *m, const char *host) {
    put_hello_message(b, m, host, true, true);
}

void tls_put_data(struct buffer *b, struct maker *m, size_t length) {
    while (length > 0) {
        size_t n = length < 16384 ? length : 16384;
        size_t record = record_open(b, RECORD_DATA, 0x0303);
        buffer_random(b, &m->rng, n);
        buffer_close(b, record, 2);
        length -= n;
    }
}

static void put_server_hello(struct buffer *b, struct maker *m, bool version13) {
    static const uint16_t ciphers12[4] = {0xc02f, 0xc030, 0xc02b, 0xcca8};
    buffer_u8(b, SERVER_HELLO);
    size_t message = buffer_open(b, 3);
    buffer_be16(b, 0x0303);
    buffer_random(b, &m->rng, 32);
    buffer_u8(b, 32);
    buffer_random(b, &m->rng, 32);
    buffer_be16(b, version13 ? 0x1301 + m->server % 3 : ciphers12[m->server & 3]);
    buffer_u8(b, 0);
    size_t extensions = buffer_open(b, 2);
    if (version13) {
        buffer_put(b, "\0\x2b\0\2\3\4\0\x33\0\x24\0\x1d\0\x20", 14);
        buffer_random(b, &m->rng, 32);
    } else {
        buffer_put(b, "\xff\1\0\1\0\0\x0b\0\2\1\0\0\x23\0\0\0\x17\0\0", 19);
        if (m->server % 3 == 0) {
            put_alpn(b, "\10http/1.1");
        }
    }
    buffer_close(b, extensions, 2);
    buffer_close(b, message, 3);
}

static void put_certificates(struct buffer *b, const struct maker *m) {
    const struct world *w = m->world;
    if (w->certificate_count == 0) {
        return;
    }
    const struct certificate *chain[2];
    chain[0] = &w->certificates[m->server % w->certificate_count];
    chain[1] = &w->authorities[chain[0]->issuer];
    buffer_u8(b, CERTIFICATE);
    size_t message = buffer_open(b, 3);
    size_t list = buffer_open(b, 3);
    for (int i = 0; i < 2; i++) {
        buffer_be24(b, chain[i]->length);
        buffer_put(b, chain[i]->bytes, chain[i]->length);
    }
    buffer_close(b, list, 3);
    buffer_close(b, message, 3);
}

/* ECDHE on P-256 with an RSA signature. */
static void put_server_key_exchange(struct buffer *b, struct maker *m) {
    buffer_u8(b, KEY_EXCHANGE);
    size_t message = buffer_open(b, 3);
    buffer_put(b, "\3\0\x17\x41\4", 5);
    buffer_random(b, &m->rng, 64);
    buffer_be16(b, 0x0401);
    buffer_be16(b, 256);
    buffer_random(b, &m->rng, 256);
    buffer_close(b, message, 3);
}

static void put_finished(struct buffer *b, struct maker *m) {
    buffer_put(b, "\x14\3\3\0\1\1", 6);
    size_t record = record_open(b, RECORD_HANDSHAKE, 0x0303);
    buffer_random(b, &m->rng, 40);
    buffer_close(b, record, 2);
}

static void handshake12(struct maker *m, struct tcp *t) {
    struct buffer *b = &m->message;
    size_t record = record_open(b, RECORD_HANDSHAKE, 0x0303);
    put_server_hello(b, m, false);
    put_certificates(b, m);
    put_server_key_exchange(b, m);
    buffer_put(b, "\x0e\0\0\0", 4); /* hello done */
    buffer_close(b, record, 2);
    tcp_say(t, 1);
    record = record_open(b, RECORD_HANDSHAKE, 0x0303);
    buffer_put(b, "\x10\0\0\x42\x41\4", 6); /* client key exchange: a point */
    buffer_random(b, &m->rng, 64);
    buffer_close(b, record, 2);
    put_finished(b, m);
    tcp_say(t, 0);
    put_finished(b, m);
    tcp_say(t, 1);
}

void tls_handshake(struct maker *m, struct tcp *t, const char *host, bool version13, bool resumed) {
    struct buffer *b = &m->message;
    tls_put_client_hello(b, m, host, version13);
    tcp_say(t, 0);
    if (!version13) {
        handshake12(m, t);
        return;
    }
    size_t record = record_open(b, RECORD_HANDSHAKE, 0x0303);
    put_server_hello(b, m, true);
    buffer_close(b, record, 2);
    buffer_put(b, "\x14\3\3\0\1\1", 6);
    tls_put_data(b, m, resumed ? 290 : random_between(&m->rng, 2400, 3900));
    tcp_say(t, 1);
    buffer_put(b, "\x14\3\3\0\1\1", 6);
    tls_put_data(b, m, 53);
}

/* 10 packets: TLS 1.3, resumed, one request in the client's second flight. Never the same name twice. */
void make_tls_short(struct maker *m) {
    char domain[WORLD_NAME];
    char host[2 * WORLD_NAME];
    maker_connect(m, WHERE_INTERNET);
    world_domain(m->world, random_u32(&m->rng), domain);
    size_t n = 0;
    for (unsigned letters = random_between(&m->rng, 4, 12); n < letters; n++) {
        host[n] = (char)('a' + random_below(&m->rng, 26));
    }
    host[n] = '.';
    memcpy(host + n + 1, domain, strlen(domain) + 1);
    struct tcp t = tcp_open(m, 443);
    tls_handshake(m, &t, host, true, true);
    tls_put_data(&m->message, m, random_between(&m->rng, 200, 500));
    tcp_say(&t, 0);
    maker_wait(m, 500, 50000);
    tls_put_data(&m->message, m, random_between(&m->rng, 500, 1300));
    tcp_say(&t, 1);
    tcp_close(&t, 0);
}

/* Left open after the handshake. */
void make_tls_open(struct maker *m) {
    char host[WORLD_NAME];
    maker_connect(m, WHERE_INTERNET);
    world_host(m->world, m->server, host);
    struct tcp t = tcp_open(m, 443);
    tls_handshake(m, &t, host, true, true);
    tcp_say(&t, 0);
}

static void data_exchanges(struct maker *m, struct tcp *t, unsigned count, uint32_t low, uint32_t high) {
    for (unsigned i = 0; i < count; i++) {
        tls_put_data(&m->message, m, random_between(&m->rng, 90, 700));
        tcp_say(t, 0);
        if (random_chance(&m->rng, 300)) {
            tcp_ack(t, 1); /* the server has to think */
        }
        maker_wait(m, 500, 90000);
        tls_put_data(&m->message, m, random_skewed(&m->rng, low, high));
        tcp_say(t, 1);
        maker_wait(m, 500, 1500000);
    }
}

static void finish(struct maker *m, struct tcp *t) {
    uint32_t fate = random_below(&m->rng, 100);
    if (fate < 75) {
        size_t record = record_open(&m->message, RECORD_ALERT, 0x0303);
        buffer_random(&m->message, &m->rng, 26);
        buffer_close(&m->message, record, 2);
        tcp_say(t, 0);
        tcp_close(t, 0);
    } else if (fate < 90) {
        tcp_reset(t, 0);
    }
}

static void make_tls(struct maker *m, bool version13, unsigned count, uint32_t low, uint32_t high) {
    char host[WORLD_NAME];
    maker_connect(m, random_chance(&m->rng, 100) ? WHERE_OFFICE : WHERE_INTERNET);
    world_host(m->world, m->server, host);
    struct tcp t = tcp_open(m, random_chance(&m->rng, 40) ? 8443 : 443);
    bool named = !random_chance(&m->rng, 40);
    tls_handshake(m, &t, named ? host : NULL, version13, random_chance(&m->rng, 400));
    data_exchanges(m, &t, count, low, high);
    finish(m, &t);
}

void make_tls12(struct maker *m) {
    make_tls(m, false, random_skewed(&m->rng, 1, 16), 40, 1800);
}

void make_tls13(struct maker *m) {
    make_tls(m, true, random_skewed(&m->rng, 1, 16), 40, 1800);
}

void make_tls12_bulk(struct maker *m) {
    make_tls(m, false, random_between(&m->rng, 3, 10), 300, 18000);
}

void make_tls13_bulk(struct maker *m) {
    make_tls(m, true, random_between(&m->rng, 3, 10), 300, 18000);
}
