/* tls.h: what TLS shares with the protocols that carry its handshake messages (DTLS, QUIC, OpenVPN, ...).
 *
 * Owner: nothing is kept; bodies are borrowed and must be whole messages without their four bytes of header (DTLS:
 * without its twelve). `d` may be any dissector's context: fields are put under `tls`. Thread: the worker's. Cost:
 * about 1.5 us a ClientHello (two or three digests), 0.4 us a ServerHello. Failure: false when the body is damaged;
 * what was read is put.
 */
#ifndef SEINE_DISSECT_TLS_H
#define SEINE_DISSECT_TLS_H

#include "dissect/dissector.h"

enum tls_message {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_CERTIFICATE = 11,
    TLS_CERTIFICATE_REQUEST = 13,
    TLS_SERVER_HELLO_DONE = 14,
    TLS_CLIENT_KEY_EXCHANGE = 16,
};

struct tls_settings {
    bool ja3_strings; /* ja3Strings */
    bool ja4_raw;     /* ja4Raw */
};

struct tls_server_hello {
    uint16_t version; /* the negotiated one, also from supported_versions */
    uint16_t cipher;
    bool retry; /* a HelloRetryRequest */
};

/* `transport`: the first letter of the JA4: 't' TCP, 'q' QUIC, 'd' DTLS. DTLS has no JA3 and its hello a cookie.
 * `settings`: of the TLS dissector; NULL puts no raw strings. */
bool tls_client_hello(struct dissect *d, const struct tls_settings *settings, struct span body, char transport);
bool tls_server_hello(struct dissect *d, const struct tls_settings *settings, struct span body,
                      struct tls_server_hello *ret);
/* The certificates of a Certificate message as it is up to TLS 1.2. */
bool tls_certificates(struct dissect *d, struct span body);

/* Name of a cipher suite in IANA's registry, or NULL. */
const char *tls_cipher_name(uint16_t suite);
/* "TLSv1.2"; NULL when it has no constant name. */
const char *tls_version_name(uint16_t version);

#endif
