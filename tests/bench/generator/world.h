/*
 * The invented world of the captures: hosts with names and addresses, users, words, documents that web servers hand
 * out, certificates. Hosts are numbers; names and addresses are computed from them, so that a DNS answer, a later
 * connection, its Host header, SNI and certificate agree without any table. Nothing in it exists outside.
 */
#pragma once

#include "buffer.h"

struct document {
    const char *type;      /* Content-Type */
    const char *extension; /* of the path */
    const char *encoding;  /* Content-Encoding, NULL for none */
    uint8_t *bytes;
    uint32_t length;
};

struct certificate {
    uint8_t *bytes; /* DER */
    uint32_t length;
    uint32_t issuer; /* which authority signed it */
};

struct world {
    uint64_t seed;
    struct document *documents;
    uint32_t document_count;
    struct certificate *certificates; /* of servers: host n has number n modulo count */
    uint32_t certificate_count;
    struct certificate *authorities;
    uint32_t authority_count;
    uint8_t *noise; /* random bytes, stands for ciphertext */
    uint32_t noise_length;
};

/* Makes documents and noise. 0 or -ENOMEM. */
int world_init(struct world *w, uint64_t seed);
void world_done(struct world *w);

/* Makes the certificates too, which takes some tenths of a second. 0, -ENOMEM, or -EIO when libcrypto fails. */
int world_certify(struct world *w);

/* A 64-bit hash of two numbers: what "computed from the host's number" rests on. */
uint64_t world_mix(const struct world *w, uint64_t kind, uint64_t n);

/* Text goes into `ret_text` of at least WORLD_NAME bytes. */
#define WORLD_NAME 80
void world_domain(const struct world *w, uint32_t server, char *ret_text); /* example: loravent.com */
void world_host(const struct world *w, uint32_t server, char *ret_text);   /* example: www.loravent.com */
void world_machine(uint32_t client, char *ret_text);                       /* example: PC-004711 */
void world_user(uint32_t client, char *ret_text);                          /* example: anna.keller */
const char *world_word(uint64_t n);
const char *world_agent(uint32_t client); /* User-Agent of the client's browser */

/* family is 4 or 6; 4 or 16 bytes are written. */
void world_client_address(uint32_t client, int family, uint8_t *ret_address);
void world_server_address(const struct world *w, uint32_t server, int family, uint8_t *ret_address);
void world_office_address(uint32_t server, int family, uint8_t *ret_address);

/* n words, in sentences with line ends. */
void world_prose(struct buffer *b, struct random *r, unsigned n);
