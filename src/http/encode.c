/* encode.c: see encode.h. The fastest levels: an answer is read once, and JSON shrinks ten times even so. */
#include "http/encode.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"

#define PIECE ((size_t)1 << 16)

const char *const coding_names[] = {NULL, "gzip", "zstd"};

struct encoder {
    enum coding coding;
    z_stream z;
    ZSTD_CStream *zstd;
};

/* `q=0` takes a coding away (RFC 9110, 12.5.3). */
static bool weight_is_zero(struct span parameters) {
    size_t q = span_find_fold(parameters, SPAN_LITERAL("q="));
    if (q == SPAN_NONE) {
        return false;
    }
    struct span value = span_from(parameters, q + 2);
    for (size_t i = 0; i < value.len && value.at[i] != ';'; i++) {
        if (value.at[i] >= '1' && value.at[i] <= '9') {
            return false;
        }
    }
    return true;
}

bool coding_accepts(const char *accept, enum coding coding) {
    struct span rest = span_text(accept);
    while (rest.len) {
        size_t comma = span_find_byte(rest, 0, ',');
        struct span item = comma == SPAN_NONE ? rest : span_sub(rest, 0, comma);
        rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
        size_t semicolon = span_find_byte(item, 0, ';');
        struct span name = span_trim(semicolon == SPAN_NONE ? item : span_sub(item, 0, semicolon));
        if (span_equal_fold(name, span_text(coding_names[coding]))) {
            return semicolon == SPAN_NONE || !weight_is_zero(span_from(item, semicolon + 1));
        }
    }
    return false;
}

enum coding coding_choose(const char *accept) {
    return coding_accepts(accept, CODING_ZSTD)   ? CODING_ZSTD
           : coding_accepts(accept, CODING_GZIP) ? CODING_GZIP
                                                 : CODING_NONE;
}

int encoder_new(enum coding coding, struct encoder **ret_encoder) {
    struct encoder *e = calloc(1, sizeof(*e));
    if (!e) {
        return -ENOMEM;
    }
    e->coding = coding;
    bool good;
    if (coding == CODING_GZIP) {
        good = deflateInit2(&e->z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    } else {
        e->zstd = ZSTD_createCStream();
        good = e->zstd && !ZSTD_isError(ZSTD_initCStream(e->zstd, 1));
    }
    if (!good) {
        encoder_free(e);
        return -ENOMEM;
    }
    *ret_encoder = e;
    return 0;
}

struct encoder *encoder_free(struct encoder *e) {
    if (e) {
        if (e->coding == CODING_GZIP) {
            (void)deflateEnd(&e->z);
        }
        (void)ZSTD_freeCStream(e->zstd);
        free(e);
    }
    return NULL;
}

static int gzip_add(struct encoder *e, struct span in, int mode, struct buf *out) {
    e->z.next_in = (Bytef *)(uintptr_t)in.at;
    e->z.avail_in = (uInt)in.len;
    do {
        uint8_t *to = buf_reserve(out, PIECE);
        if (!to) {
            return -ENOMEM;
        }
        e->z.next_out = to;
        e->z.avail_out = PIECE;
        (void)deflate(&e->z, mode);
        out->len += PIECE - e->z.avail_out;
    } while (e->z.avail_out == 0);
    return 0;
}

static int zstd_add(struct encoder *e, struct span in, ZSTD_EndDirective mode, struct buf *out) {
    ZSTD_inBuffer from = {in.at, in.len, 0};
    size_t left;
    do {
        uint8_t *to = buf_reserve(out, PIECE);
        if (!to) {
            return -ENOMEM;
        }
        ZSTD_outBuffer into = {to, PIECE, 0};
        left = ZSTD_compressStream2(e->zstd, &into, &from, mode);
        if (ZSTD_isError(left)) {
            return -ENOMEM;
        }
        out->len += into.pos;
    } while (mode == ZSTD_e_continue ? from.pos < from.size : left > 0);
    return 0;
}

int encoder_add(struct encoder *e, struct span in, bool flush, bool end, struct buf *out) {
    /* zlib counts input in 32 bits. */
    for (; e->coding == CODING_GZIP && in.len > (size_t)1 << 30; in = span_from(in, (size_t)1 << 30)) {
        int code = gzip_add(e, span_sub(in, 0, (size_t)1 << 30), Z_NO_FLUSH, out);
        if (code < 0) {
            return code;
        }
    }
    if (e->coding == CODING_GZIP) {
        return gzip_add(e, in, end ? Z_FINISH : flush ? Z_SYNC_FLUSH : Z_NO_FLUSH, out);
    }
    return zstd_add(e, in, end ? ZSTD_e_end : flush ? ZSTD_e_flush : ZSTD_e_continue, out);
}
