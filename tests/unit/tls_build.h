/* tls_build.h: writes TLS records and handshake messages for tests, field by field as RFC 8446 has them. */
#ifndef SEINE_TESTS_TLS_BUILD_H
#define SEINE_TESTS_TLS_BUILD_H

#include "base/buf.h"
#include "base/util.h"

#define LIST(...) ((const uint16_t[]){__VA_ARGS__}), ARRAY_LEN(((const uint16_t[]){__VA_ARGS__}))

static inline void build_number(struct buf *b, unsigned width, uint64_t value) {
    while (width-- > 0) {
        buf_add_byte(b, (uint8_t)(value >> 8 * width));
    }
}

/* Opens a part that begins with its length in `width` bytes; build_close fills the length in. */
static inline size_t build_open(struct buf *b, unsigned width) {
    build_number(b, width, 0);
    return b->len;
}

static inline void build_close(struct buf *b, size_t at, unsigned width) {
    size_t len = b->len - at;
    for (unsigned i = 0; i < width; i++) {
        b->data[at - 1 - i] = (uint8_t)(len >> 8 * i);
    }
}

static inline void build_list(struct buf *b, unsigned width, const uint16_t *values, size_t count) {
    size_t at = build_open(b, width);
    for (size_t i = 0; i < count; i++) {
        build_number(b, 2, values[i]);
    }
    build_close(b, at, width);
}

static inline void build_text(struct buf *b, unsigned width, const char *text) {
    build_number(b, width, strlen(text));
    buf_add_text(b, text);
}

/* --- extensions --- */

static inline void ext_empty(struct buf *b, uint16_t type) {
    build_number(b, 2, type);
    build_number(b, 2, 0);
}

static inline void ext_name(struct buf *b, const char *name) {
    build_number(b, 2, 0);
    size_t ext = build_open(b, 2), list = build_open(b, 2);
    build_number(b, 1, 0);
    build_text(b, 2, name);
    build_close(b, list, 2);
    build_close(b, ext, 2);
}

static inline void ext_list(struct buf *b, uint16_t type, unsigned width, const uint16_t *values, size_t count) {
    build_number(b, 2, type);
    size_t ext = build_open(b, 2);
    build_list(b, width, values, count);
    build_close(b, ext, 2);
}

static inline void ext_formats(struct buf *b) {
    build_number(b, 2, 11);
    build_number(b, 2, 2);
    build_number(b, 2, 0x0100); /* one: uncompressed */
}

static inline void ext_alpn(struct buf *b, const char *first, const char *second) {
    build_number(b, 2, 16);
    size_t ext = build_open(b, 2), list = build_open(b, 2);
    build_text(b, 1, first);
    if (second) {
        build_text(b, 1, second);
    }
    build_close(b, list, 2);
    build_close(b, ext, 2);
}

/* --- messages --- */

struct hello {
    uint16_t version;
    const char *session_id; /* bytes of text; "" = none */
    const uint16_t *ciphers;
    size_t cipher_count;
    const struct buf *extensions; /* NULL = none at all */
    bool retry;                   /* a ServerHello with the random of a HelloRetryRequest */
};

static inline void build_random(struct buf *b, bool retry) {
    static const char request[] = "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16"
                                  "\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c";
    for (unsigned i = 0; i < 32; i++) {
        buf_add_byte(b, retry ? (uint8_t)request[i] : (uint8_t)(7 * i + 1));
    }
}

static inline void build_extensions(struct buf *b, const struct buf *extensions) {
    if (extensions) {
        build_number(b, 2, extensions->len);
        buf_add_span(b, buf_span(extensions));
    }
}

static inline void build_client_hello(struct buf *b, const struct hello *h) {
    build_number(b, 1, 1);
    size_t body = build_open(b, 3);
    build_number(b, 2, h->version);
    build_random(b, false);
    build_text(b, 1, h->session_id);
    build_list(b, 2, h->ciphers, h->cipher_count);
    build_number(b, 2, 0x0100); /* compression: none */
    build_extensions(b, h->extensions);
    build_close(b, body, 3);
}

static inline void build_server_hello(struct buf *b, const struct hello *h) {
    build_number(b, 1, 2);
    size_t body = build_open(b, 3);
    build_number(b, 2, h->version);
    build_random(b, h->retry);
    build_text(b, 1, h->session_id);
    build_number(b, 2, h->ciphers[0]);
    build_number(b, 1, 0);
    build_extensions(b, h->extensions);
    build_close(b, body, 3);
}

/* A message nobody reads, of `len` bytes. */
static inline void build_message(struct buf *b, uint8_t type, size_t len) {
    build_number(b, 1, type);
    build_number(b, 3, len);
    for (size_t i = 0; i < len; i++) {
        buf_add_byte(b, (uint8_t)i);
    }
}

static inline void build_certificate(struct buf *b, const struct span *ders, size_t count) {
    build_number(b, 1, 11);
    size_t body = build_open(b, 3), list = build_open(b, 3);
    for (size_t i = 0; i < count; i++) {
        build_number(b, 3, ders[i].len);
        buf_add_span(b, ders[i]);
    }
    build_close(b, list, 3);
    build_close(b, body, 3);
}

/* `bytes` in records of at most `most` bytes each (0 = as few as may be). */
static inline void build_records(struct buf *b, uint8_t type, struct span bytes, size_t most) {
    most = most ? most : 16384;
    size_t at = 0;
    do {
        struct span part = span_sub(bytes, at, most);
        build_number(b, 1, type);
        build_number(b, 2, 0x0301);
        build_number(b, 2, part.len);
        buf_add_span(b, part);
        at += most;
    } while (at < bytes.len);
}

#endif
