/*
 * TLS records and handshake messages, for the protocols that use them on their own port or after an upgrade.
 */
#pragma once

#include "tcp.h"

/* A ClientHello record; host NULL leaves the server name out. The client's make decides ciphers and extensions. */
void tls_put_client_hello(struct buffer *b, struct maker *m, const char *host, bool version13);

/* The handshake message alone, as QUIC carries it: with ALPN h3 and transport parameters. */
void tls_put_quic_hello(struct buffer *b, struct maker *m, const char *host);

/* Application data: records of at most 16 KiB with `length` bytes of ciphertext together. */
void tls_put_data(struct buffer *b, struct maker *m, size_t length);

/* Handshake on an open connection, up to the last Finished. */
void tls_handshake(struct maker *m, struct tcp *t, const char *host, bool version13, bool resumed);
