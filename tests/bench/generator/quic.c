/*
 * QUIC version 1 (RFC 9000, 9001). Initial packets are protected as the standard says, with keys that follow from the
 * connection id, so that a reader can open them; the rest is noise behind a short header.
 */
#include "recipes.h"
#include "tls.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define DATAGRAM 1200
#define TAG 16

struct initial_keys {
    uint8_t key[16];
    uint8_t iv[12];
    uint8_t header[16];
};

/* HKDF-Extract is one HMAC; HKDF-Expand-Label for at most 32 bytes is another. */
static bool expand(const uint8_t secret[32], const char *label, size_t length, uint8_t *ret_bytes) {
    uint8_t info[64];
    uint8_t digest[32];
    size_t n = strlen(label);
    info[0] = 0;
    info[1] = (uint8_t)length;
    info[2] = (uint8_t)(6 + n);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, n);
    info[9 + n] = 0;
    info[10 + n] = 1;
    if (HMAC(EVP_sha256(), secret, 32, info, 11 + n, digest, NULL) == NULL) {
        return false;
    }
    memcpy(ret_bytes, digest, length);
    return true;
}

static bool initial_keys(const uint8_t id[8], const char *side, struct initial_keys *ret_keys) {
    static const uint8_t salt[20] = {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                                     0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};
    uint8_t initial[32];
    uint8_t secret[32];
    return HMAC(EVP_sha256(), salt, sizeof salt, id, 8, initial, NULL) != NULL && expand(initial, side, 32, secret) &&
           expand(secret, "quic key", 16, ret_keys->key) && expand(secret, "quic iv", 12, ret_keys->iv) &&
           expand(secret, "quic hp", 16, ret_keys->header);
}

/* Encrypts in place: header of `header` bytes whose last two are the packet number, then `length` bytes and the tag. */
static bool protect(const struct initial_keys *keys, uint8_t *packet, size_t header, size_t length) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[12];
    uint8_t mask[16];
    int n = 0;
    memcpy(nonce, keys->iv, 12);
    nonce[10] ^= packet[header - 2];
    nonce[11] ^= packet[header - 1];
    uint8_t *payload = packet + header;
    bool ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL, keys->key, nonce) == 1 &&
              EVP_EncryptUpdate(ctx, NULL, &n, packet, (int)header) == 1 &&
              EVP_EncryptUpdate(ctx, payload, &n, payload, (int)length) == 1 &&
              EVP_EncryptFinal_ex(ctx, payload + n, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, payload + length) == 1;
    /* The sample starts four bytes after the start of the packet number. */
    ok = ok && EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL, keys->header, NULL) == 1 &&
         EVP_EncryptUpdate(ctx, mask, &n, packet + header - 2 + 4, 16) == 1;
    if (ok) {
        packet[0] ^= mask[0] & 0x0f;
        packet[header - 2] ^= mask[1];
        packet[header - 1] ^= mask[2];
    }
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* An Initial packet that fills a datagram: a CRYPTO frame with what the scratch buffer holds, then padding. */
static void put_initial(struct maker *m, const uint8_t id[8], int side) {
    struct buffer *b = &m->message;
    struct buffer *crypto = &m->scratch;
    struct initial_keys keys;
    size_t start = b->length;
    buffer_put(b, "\xc1\0\0\0\1", 5);
    buffer_u8(b, side == 0 ? 8 : 0);
    buffer_put(b, id, side == 0 ? 8 : 0);
    buffer_u8(b, side == 0 ? 0 : 8);
    buffer_put(b, id, side == 0 ? 0 : 8);
    buffer_u8(b, 0); /* no token */
    size_t rest = DATAGRAM - (b->length - start) - 2;
    buffer_be16(b, 0x4000 | (unsigned)rest);
    buffer_be16(b, 0); /* packet number, two bytes */
    size_t header = b->length - start;
    buffer_u8(b, 6);
    buffer_u8(b, 0);
    buffer_be16(b, 0x4000 | (unsigned)crypto->length);
    buffer_put(b, crypto->bytes, crypto->length);
    size_t length = DATAGRAM - header - TAG;
    if (b->failed || b->length - start > header + length) {
        return;
    }
    buffer_zero(b, header + length + TAG - (b->length - start));
    if (!b->failed && initial_keys(id, side == 0 ? "client in" : "server in", &keys)) {
        protect(&keys, b->bytes + start, header, length);
    }
}

/* A ServerHello, as TLS 1.3 has it. */
static void put_server_hello(struct buffer *b, struct random *r) {
    buffer_put(b, "\2\0\0\x56\3\3", 6);
    buffer_random(b, r, 32);
    buffer_put(b, "\0\x13\1\0\0\x2e\0\x2b\0\2\3\4\0\x33\0\x24\0\x1d\0\x20", 20);
    buffer_random(b, r, 32);
}

void make_quic(struct maker *m) {
    char host[WORLD_NAME];
    uint8_t id[8];
    maker_connect(m, WHERE_INTERNET);
    world_host(m->world, m->server, host);
    struct udp u = udp_open(m, 0, 443);
    random_fill(&m->rng, id, sizeof id);
    buffer_clear(&m->scratch);
    tls_put_quic_hello(&m->scratch, m, host);
    put_initial(m, id, 0);
    udp_send(&u, 0);
    buffer_clear(&m->scratch);
    put_server_hello(&m->scratch, &m->rng);
    put_initial(m, id, 1);
    udp_send(&u, 1);
    unsigned count = random_skewed(&m->rng, 4, 50);
    for (unsigned i = 0; i < count; i++) {
        int side = i % 3 == 0 ? 0 : 1;
        buffer_u8(&m->message, 0x40 | random_below(&m->rng, 0x40));
        buffer_put(&m->message, id, side == 0 ? 8 : 0);
        buffer_random(&m->message, &m->rng, random_skewed(&m->rng, 24, side == 0 ? 300 : 1180));
        udp_send(&u, side);
        maker_wait(m, 20, 60000);
    }
}
