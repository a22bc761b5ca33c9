/*
 * A growable run of bytes in which protocol messages are put together: integers of both byte orders, text, random
 * bytes, and lengths that are filled in when what they measure is complete. Memory that runs out makes the buffer
 * sticky-failed: later calls do nothing, and the one who owns it looks at `failed` once, at the end.
 */
#pragma once

#include "random.h"

struct buffer {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    bool failed;
};

void buffer_done(struct buffer *b);
void buffer_clear(struct buffer *b);

/* Appends n bytes of room and returns where they start; NULL when memory ran out. */
uint8_t *buffer_room(struct buffer *b, size_t n);

void buffer_put(struct buffer *b, const void *bytes, size_t n);
void buffer_text(struct buffer *b, const char *text);
void buffer_format(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_random(struct buffer *b, struct random *r, size_t n);
void buffer_zero(struct buffer *b, size_t n);
void buffer_u8(struct buffer *b, unsigned v);
void buffer_be16(struct buffer *b, unsigned v);
void buffer_be24(struct buffer *b, uint32_t v);
void buffer_be32(struct buffer *b, uint32_t v);
void buffer_be64(struct buffer *b, uint64_t v);
void buffer_le16(struct buffer *b, unsigned v);
void buffer_le32(struct buffer *b, uint32_t v);
void buffer_le64(struct buffer *b, uint64_t v);

/* ASCII text as UTF-16LE, without an end mark: what SMB, NTLM and TDS carry. */
void buffer_utf16(struct buffer *b, const char *text);

/* Base64 of n bytes, in lines of 76 characters when `lines` is set. */
void buffer_base64(struct buffer *b, const uint8_t *bytes, size_t n, bool lines);

/* Opens a big-endian length of `width` bytes (1 to 4); buffer_close writes the number of bytes that followed. */
size_t buffer_open(struct buffer *b, unsigned width);
void buffer_close(struct buffer *b, size_t mark, unsigned width);

/* ASN.1 BER/DER: a tag whose shortest length is put in by ber_close. */
size_t ber_open(struct buffer *b, unsigned tag);
void ber_close(struct buffer *b, size_t mark);
void ber_bytes(struct buffer *b, unsigned tag, const void *bytes, size_t n);
void ber_text(struct buffer *b, unsigned tag, const char *text);
void ber_integer(struct buffer *b, unsigned tag, uint32_t v);
