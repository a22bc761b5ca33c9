/*
 * See buffer.h. BER lengths follow X.690 §8.1.3; base64 follows RFC 4648 §4.
 */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_done(struct buffer *b) {
    free(b->bytes);
    *b = (struct buffer){0};
}

void buffer_clear(struct buffer *b) {
    b->length = 0;
}

static bool buffer_grow(struct buffer *b, size_t n) {
    size_t capacity = b->capacity > 0 ? b->capacity : 4096;
    while (capacity - b->length < n) {
        capacity *= 2;
    }
    uint8_t *bytes = realloc(b->bytes, capacity);
    if (bytes == NULL) {
        b->failed = true;
        return false;
    }
    b->bytes = bytes;
    b->capacity = capacity;
    return true;
}

uint8_t *buffer_room(struct buffer *b, size_t n) {
    if (b->failed || (b->capacity - b->length < n && !buffer_grow(b, n))) {
        return NULL;
    }
    uint8_t *room = b->bytes + b->length;
    b->length += n;
    return room;
}

void buffer_put(struct buffer *b, const void *bytes, size_t n) {
    uint8_t *room = buffer_room(b, n);
    if (room != NULL && n > 0) {
        memcpy(room, bytes, n);
    }
}

void buffer_text(struct buffer *b, const char *text) {
    buffer_put(b, text, strlen(text));
}

void buffer_format(struct buffer *b, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (n > 0) {
        buffer_put(b, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    }
}

void buffer_random(struct buffer *b, struct random *r, size_t n) {
    uint8_t *room = buffer_room(b, n);
    if (room != NULL) {
        random_fill(r, room, n);
    }
}

void buffer_zero(struct buffer *b, size_t n) {
    uint8_t *room = buffer_room(b, n);
    if (room != NULL) {
        memset(room, 0, n);
    }
}

/* Appends the low `width` bytes of v, the most significant first. */
static void buffer_big(struct buffer *b, uint64_t v, unsigned width) {
    uint8_t *room = buffer_room(b, width);
    for (unsigned i = 0; room != NULL && i < width; i++) {
        room[i] = (uint8_t)(v >> 8 * (width - 1 - i));
    }
}

static void buffer_little(struct buffer *b, uint64_t v, unsigned width) {
    uint8_t *room = buffer_room(b, width);
    for (unsigned i = 0; room != NULL && i < width; i++) {
        room[i] = (uint8_t)(v >> 8 * i);
    }
}

void buffer_u8(struct buffer *b, unsigned v) {
    buffer_big(b, v, 1);
}

void buffer_be16(struct buffer *b, unsigned v) {
    buffer_big(b, v, 2);
}

void buffer_be24(struct buffer *b, uint32_t v) {
    buffer_big(b, v, 3);
}

void buffer_be32(struct buffer *b, uint32_t v) {
    buffer_big(b, v, 4);
}

void buffer_be64(struct buffer *b, uint64_t v) {
    buffer_big(b, v, 8);
}

void buffer_le16(struct buffer *b, unsigned v) {
    buffer_little(b, v, 2);
}

void buffer_le32(struct buffer *b, uint32_t v) {
    buffer_little(b, v, 4);
}

void buffer_le64(struct buffer *b, uint64_t v) {
    buffer_little(b, v, 8);
}

void buffer_utf16(struct buffer *b, const char *text) {
    for (; *text != '\0'; text++) {
        buffer_le16(b, (unsigned char)*text);
    }
}

void buffer_base64(struct buffer *b, const uint8_t *bytes, size_t n, bool lines) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t at = 0; at < n; at += 3) {
        size_t left = n - at < 3 ? n - at : 3;
        uint32_t v = (uint32_t)bytes[at] << 16;
        v |= left > 1 ? (uint32_t)bytes[at + 1] << 8 : 0;
        v |= left > 2 ? bytes[at + 2] : 0;
        char text[6] = {digits[v >> 18], digits[v >> 12 & 63], '=', '=', '\r', '\n'};
        if (left > 1) {
            text[2] = digits[v >> 6 & 63];
        }
        if (left > 2) {
            text[3] = digits[v & 63];
        }
        bool line_ends = lines && (at % 57 == 54 || at + 3 >= n);
        buffer_put(b, text, line_ends ? 6 : 4);
    }
}

size_t buffer_open(struct buffer *b, unsigned width) {
    size_t mark = b->length;
    buffer_zero(b, width);
    return mark;
}

void buffer_close(struct buffer *b, size_t mark, unsigned width) {
    if (b->failed) {
        return;
    }
    size_t n = b->length - mark - width;
    for (unsigned i = 0; i < width; i++) {
        b->bytes[mark + i] = (uint8_t)(n >> 8 * (width - 1 - i));
    }
}

size_t ber_open(struct buffer *b, unsigned tag) {
    buffer_u8(b, tag);
    return b->length;
}

void ber_close(struct buffer *b, size_t mark) {
    if (b->failed) {
        return;
    }
    size_t n = b->length - mark;
    size_t width = n < 0x80 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : 4;
    if (buffer_room(b, width) == NULL) {
        return;
    }
    uint8_t *at = b->bytes + mark;
    memmove(at + width, at, n);
    at[0] = (uint8_t)(width == 1 ? n : 0x80 | (width - 1));
    for (size_t i = 1; i < width; i++) {
        at[i] = (uint8_t)(n >> 8 * (width - 1 - i));
    }
}

void ber_bytes(struct buffer *b, unsigned tag, const void *bytes, size_t n) {
    size_t mark = ber_open(b, tag);
    buffer_put(b, bytes, n);
    ber_close(b, mark);
}

void ber_text(struct buffer *b, unsigned tag, const char *text) {
    ber_bytes(b, tag, text, strlen(text));
}

void ber_integer(struct buffer *b, unsigned tag, uint32_t v) {
    size_t mark = ber_open(b, tag);
    unsigned width = v < 0x80 ? 1 : v < 0x8000 ? 2 : v < 0x800000 ? 3 : v < 0x80000000u ? 4 : 5;
    buffer_big(b, v, width);
    ber_close(b, mark);
}
