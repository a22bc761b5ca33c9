/*
 * A pool of a few hundred documents: pages, scripts and styles as text; pictures, fonts and archives with the first
 * bytes of their kind and noise behind them. Servers repeat their documents, as real ones do.
 */
#include "document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef void write_body(struct buffer *b, struct random *r, size_t length);

struct kind {
    const char *type;
    const char *extension;
    uint32_t count;
    uint32_t low; /* bytes */
    uint32_t high;
    bool packed; /* with gzip */
    write_body *write;
};

void document_json(struct buffer *b, struct random *r, unsigned items) {
    buffer_text(b, "{\"status\":\"ok\",\"items\":[");
    for (unsigned i = 0; i < items; i++) {
        buffer_format(b, "%s{\"id\":%u,\"name\":\"%s %s\",\"price\":%u.%02u,\"active\":%s}", i > 0 ? "," : "",
                      random_u32(r), world_word(random_u64(r)), world_word(random_u64(r)), random_below(r, 900),
                      random_below(r, 100), random_chance(r, 500) ? "true" : "false");
    }
    buffer_text(b, "]}\n");
}

static void write_json(struct buffer *b, struct random *r, size_t length) {
    document_json(b, r, (unsigned)(length / 70 + 1));
}

static void write_html(struct buffer *b, struct random *r, size_t length) {
    size_t end = b->length + length;
    buffer_format(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><title>%s %s</title></head>\n<body>\n",
                  world_word(random_u64(r)), world_word(random_u64(r)));
    while (b->length < end && !b->failed) {
        buffer_format(b, "<p class=\"%s\">", world_word(random_u64(r)));
        world_prose(b, r, 22);
        buffer_text(b, "</p>\n");
    }
    buffer_text(b, "</body></html>\n");
}

static void write_script(struct buffer *b, struct random *r, size_t length) {
    size_t end = b->length + length;
    while (b->length < end && !b->failed) {
        const char *name = world_word(random_u64(r));
        buffer_format(b, "function %s(%s){var %s=%u;return %s;}\n", world_word(random_u64(r)), name,
                      world_word(random_u64(r)), random_below(r, 1000), name);
    }
}

static void write_style(struct buffer *b, struct random *r, size_t length) {
    size_t end = b->length + length;
    while (b->length < end && !b->failed) {
        buffer_format(b, ".%s .%s{width:%upx;color:#%06x}\n", world_word(random_u64(r)), world_word(random_u64(r)),
                      random_below(r, 1000), random_below(r, 0x1000000));
    }
}

static uint32_t crc32_of(const uint8_t *bytes, size_t length) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

static void put_png_chunk(struct buffer *b, struct random *r, const char *type, const void *bytes, size_t length) {
    buffer_be32(b, (uint32_t)length);
    size_t start = b->length;
    buffer_text(b, type);
    if (bytes != NULL) {
        buffer_put(b, bytes, length);
    } else {
        buffer_random(b, r, length);
    }
    if (!b->failed) {
        buffer_be32(b, crc32_of(b->bytes + start, length + 4));
    }
}

static void write_png(struct buffer *b, struct random *r, size_t length) {
    buffer_put(b, "\x89PNG\r\n\x1a\n", 8);
    put_png_chunk(b, r, "IHDR", "\0\0\0@\0\0\0@\x08\6\0\0\0", 13);
    for (size_t at = 0; at < length; at += 8192) {
        put_png_chunk(b, r, "IDAT", NULL, length - at < 8192 ? length - at : 8192);
    }
    put_png_chunk(b, r, "IEND", "", 0);
}

/* One baseline scan; an FF in the noise would be a marker, so none is left in. */
static void write_jpeg(struct buffer *b, struct random *r, size_t length) {
    buffer_put(b, "\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0", 20);
    buffer_put(b, "\xff\xc0\0\x0b\x08\1\0\1\0\1\1\x11\0", 13);
    buffer_put(b, "\xff\xda\0\x08\1\1\0\0\x3f\0", 10);
    uint8_t *noise = buffer_room(b, length);
    if (noise != NULL) {
        random_fill(r, noise, length);
        for (size_t i = 0; i < length; i++) {
            noise[i] = noise[i] == 0xff ? 0x7f : noise[i];
        }
    }
    buffer_put(b, "\xff\xd9", 2);
}

static void write_gif(struct buffer *b, struct random *r, size_t length) {
    buffer_put(b, "GIF89a\x20\0\x20\0\x80\0\0\0\0\0\xff\xff\xff", 19);
    buffer_put(b, ",\0\0\0\0\x20\0\x20\0\0\2", 11);
    for (size_t at = 0; at < length; at += 255) {
        size_t n = length - at < 255 ? length - at : 255;
        buffer_u8(b, (unsigned)n);
        buffer_random(b, r, n);
    }
    buffer_put(b, "\0;", 2);
}

static void write_font(struct buffer *b, struct random *r, size_t length) {
    buffer_put(b, "wOF2\0\1\0\0", 8);
    buffer_random(b, r, length);
}

static void write_pdf(struct buffer *b, struct random *r, size_t length) {
    buffer_put(b, "%PDF-1.5\n%\xe2\xe3\xcf\xd3\n", 15);
    buffer_format(b, "1 0 obj\n<</Type/XObject/Length %zu>>\nstream\n", length);
    buffer_random(b, r, length);
    buffer_text(b, "\nendstream\nendobj\n%%EOF\n");
}

static void write_zip(struct buffer *b, struct random *r, size_t length) {
    buffer_put(b, "PK\3\4\x14\0\0\0\x08\0\x6a\xb1\x6e\x57", 14);
    buffer_random(b, r, length);
}

static void write_program(struct buffer *b, struct random *r, size_t length) {
    buffer_put(b, "MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0", 16);
    buffer_random(b, r, length);
}

static const struct kind kinds[] = {
    {"text/html; charset=utf-8", "html", 48, 1500, 60000, false, write_html},
    {"text/html; charset=utf-8", "html", 24, 1500, 60000, true, write_html},
    {"application/javascript", "js", 28, 2000, 120000, false, write_script},
    {"application/javascript", "js", 12, 2000, 120000, true, write_script},
    {"application/json", "json", 56, 200, 9000, false, write_json},
    {"image/png", "png", 48, 400, 70000, false, write_png},
    {"text/css", "css", 24, 1000, 30000, false, write_style},
    {"image/jpeg", "jpg", 32, 3000, 90000, false, write_jpeg},
    {"image/gif", "gif", 16, 43, 2000, false, write_gif},
    {"font/woff2", "woff2", 12, 8000, 40000, false, write_font},
    {"application/pdf", "pdf", 10, 9000, 120000, false, write_pdf},
    {"application/zip", "zip", 6, 4000, 90000, false, write_zip},
    {"application/octet-stream", "bin", 6, 500, 60000, false, write_program},
};

#define KINDS (sizeof kinds / sizeof *kinds)

static int document_make(struct document *d, const struct kind *k, struct random *r) {
    struct buffer b = {0};
    k->write(&b, r, random_skewed(r, k->low, k->high));
    if (k->packed && !b.failed) {
        struct buffer plain = b;
        b = (struct buffer){0};
        document_gzip(&b, plain.bytes, plain.length);
        buffer_done(&plain);
    }
    *d = (struct document){k->type, k->extension, k->packed ? "gzip" : NULL, b.bytes, (uint32_t)b.length};
    return b.failed ? -ENOMEM : 0;
}

int documents_make(struct world *w, struct random *r) {
    uint32_t total = 0;
    for (size_t i = 0; i < KINDS; i++) {
        total += kinds[i].count;
    }
    w->documents = calloc(total, sizeof *w->documents);
    if (w->documents == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < KINDS; i++) {
        for (uint32_t n = 0; n < kinds[i].count; n++) {
            if (document_make(&w->documents[w->document_count++], &kinds[i], r) < 0) {
                return -ENOMEM;
            }
        }
    }
    return 0;
}

const struct document *document_pick(const struct world *w, struct random *r, size_t limit) {
    for (int tries = 0; tries < 8; tries++) {
        const struct document *d = &w->documents[random_below(r, w->document_count)];
        if (limit == 0 || d->length <= limit) {
            return d;
        }
    }
    return NULL;
}

void document_gzip(struct buffer *b, const uint8_t *bytes, size_t length) {
    static const uint8_t head[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};
    buffer_put(b, head, sizeof head);
    for (size_t at = 0; at == 0 || at < length; at += 65535) {
        size_t n = length - at < 65535 ? length - at : 65535;
        buffer_u8(b, at + n >= length);
        buffer_le16(b, (unsigned)n);
        buffer_le16(b, (unsigned)~n & 0xffff);
        buffer_put(b, bytes + at, n);
    }
    buffer_le32(b, crc32_of(bytes, length));
    buffer_le32(b, (uint32_t)length);
}
