/* inflate.c: see inflate.h.
 *
 * Standards: RFC 1952 (gzip), RFC 8878 (zstd). Decision: these two are not left to libarchive, because that drops up to
 * 64 KiB of good bytes when a file ends in the middle, which is how captures of an interrupted tcpdump end. Members and
 * frames that follow each other are one stream, as with gunzip and unzstd; what else follows a gzip member is ignored.
 */
#include "source/inflate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"

#define PACKED_READ ((size_t)128 << 10)

struct inflate_stream {
    struct stream base;
    struct stream *inner;
    bool gzip;
    bool inside; /* in the middle of a member or frame */
    bool ended;
    int failed;
    z_stream z;
    ZSTD_DStream *zstd;
    size_t at, len; /* of what is in `packed` */
    uint8_t packed[PACKED_READ];
};

static bool is_gzip(const uint8_t *head, size_t len) {
    return len >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8;
}

static bool is_zstd(const uint8_t *head, size_t len) {
    /* a skippable frame may come first */
    return len >= 4 && ((head[0] == 0x28 && head[1] == 0xb5 && head[2] == 0x2f && head[3] == 0xfd) ||
                        ((head[0] & 0xf0) == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18));
}

bool inflate_recognise(const uint8_t *head, size_t len) {
    return is_gzip(head, len) || is_zstd(head, len);
}

static int damaged(struct inflate_stream *s, const char *why) {
    snprintf(s->base.why, sizeof(s->base.why), "%s", why);
    s->failed = -EBADMSG;
    return s->failed;
}

/* Reads more packed bytes. 1: there are some, 0: the end, -errno. */
static int packed_fill(struct inflate_stream *s) {
    if (s->at < s->len) {
        return 1;
    }
    ssize_t got = stream_read(s->inner, s->packed, sizeof(s->packed));
    if (got < 0) {
        snprintf(s->base.why, sizeof(s->base.why), "%s", s->inner->why);
        s->failed = (int)got;
        return (int)got;
    }
    s->at = 0;
    s->len = (size_t)got;
    return got > 0;
}

/* One call of zlib. Returns the bytes made, or -errno. */
static ssize_t gzip_step(struct inflate_stream *s, uint8_t *to, size_t n) {
    if (!s->inside) {
        if (s->packed[s->at] != 0x1f) {
            s->ended = true; /* padding behind the last member */
            return 0;
        }
        inflateReset(&s->z);
        s->inside = true;
    }
    s->z.next_in = s->packed + s->at;
    s->z.avail_in = (uInt)(s->len - s->at);
    s->z.next_out = to;
    s->z.avail_out = (uInt)MIN(n, (size_t)1 << 30);
    size_t room = s->z.avail_out;
    int rc = inflate(&s->z, Z_NO_FLUSH);
    s->at = s->len - s->z.avail_in;
    size_t made = room - s->z.avail_out;
    if (rc == Z_STREAM_END) {
        s->inside = false;
    } else if (rc == Z_MEM_ERROR) {
        s->failed = -ENOMEM;
    } else if (rc != Z_OK && rc != Z_BUF_ERROR) {
        damaged(s, s->z.msg ? s->z.msg : "gzip data is damaged");
    }
    return (ssize_t)made;
}

static ssize_t zstd_step(struct inflate_stream *s, uint8_t *to, size_t n) {
    ZSTD_inBuffer in = {s->packed, s->len, s->at};
    ZSTD_outBuffer out = {to, n, 0};
    size_t rc = ZSTD_decompressStream(s->zstd, &out, &in);
    s->at = in.pos;
    if (ZSTD_isError(rc)) {
        damaged(s, ZSTD_getErrorName(rc));
    } else {
        s->inside = rc != 0;
    }
    return (ssize_t)out.pos;
}

/* zstd may hold unpacked bytes back although all packed ones are read. */
static ssize_t zstd_rest(struct inflate_stream *s, uint8_t *to, size_t n) {
    return !s->gzip && s->inside ? zstd_step(s, to, n) : 0;
}

static ssize_t inflate_read(struct stream *stream, uint8_t *to, size_t n) {
    struct inflate_stream *s = (struct inflate_stream *)stream;
    while (!s->failed && !s->ended) {
        int more = packed_fill(s);
        ssize_t made = 0;
        if (more > 0) {
            made = s->gzip ? gzip_step(s, to, n) : zstd_step(s, to, n);
        } else if (more == 0) {
            made = zstd_rest(s, to, n);
            if (made == 0 && s->inside && !s->failed) {
                damaged(s, s->gzip ? "gzip data ends in the middle" : "zstd data ends in the middle");
            }
            s->ended = made == 0;
        }
        if (made > 0) {
            return made;
        }
    }
    return s->failed;
}

static void inflate_close(struct stream *stream) {
    struct inflate_stream *s = (struct inflate_stream *)stream;
    if (s->gzip) {
        inflateEnd(&s->z);
    }
    ZSTD_freeDStream(s->zstd);
    stream_close(s->inner);
    free(s);
}

int inflate_open(struct stream *inner, struct stream **ret_stream) {
    const uint8_t *head;
    ssize_t got = stream_peek(inner, 4, &head);
    struct inflate_stream *s = NULL;
    int rc = got < 0 ? (int)got : inflate_recognise(head, (size_t)got) ? 0 : -EINVAL;
    if (rc == 0) {
        s = calloc(1, sizeof(*s));
        rc = s ? 0 : -ENOMEM;
    }
    if (rc < 0) {
        stream_close(inner);
        return rc;
    }
    s->gzip = is_gzip(head, (size_t)got);
    s->inner = inner;
    s->base.read = inflate_read;
    s->base.close = inflate_close;
    if (s->gzip ? inflateInit2(&s->z, 15 + 16) != Z_OK : !(s->zstd = ZSTD_createDStream())) {
        stream_close(&s->base);
        return -ENOMEM;
    }
    *ret_stream = &s->base;
    return 0;
}
