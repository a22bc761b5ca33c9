/* bodies.c: see bodies.h: HTTP, and what the carvers share.
 *
 * The dissector reads messages as they come and keeps nothing; here the whole of a side lies in memory, so a message is
 * cut out at once. Requests are read first: how a response ends depends on what it answers.
 */
#include "fetch/bodies.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"
#include "dissect/http_parts.h"

#define HEADER_LINES_MAX 1000
#define UNPACK_STEP ((size_t)64 << 10)

/* --- shared --- */

void carving_tell(struct carving *c, struct body *b) {
    b->number = c->count++;
    c->ended = c->ended || !c->each(c->ctx, b) || c->count == BODIES_MAX;
}

struct span header_find(struct span head, const char *name) {
    struct span want = span_text(name);
    for (unsigned i = 0; i < HEADER_LINES_MAX && head.len; i++) {
        struct span line = head;
        if (!span_line(&head, &line)) {
            head.len = 0; /* the last line has no end */
        }
        if (line.len > want.len && line.at[want.len] == ':' && span_starts_fold(line, want)) {
            return span_trim(span_from(line, want.len + 1));
        }
    }
    return (struct span){0};
}

struct span header_parameter(struct span value, const char *name) {
    struct span want = span_text(name);
    size_t semicolon;
    while ((semicolon = span_find_byte(value, 0, ';')) != SPAN_NONE) {
        value = span_trim(span_from(value, semicolon + 1));
        if (!span_starts_fold(value, want) || span_byte(value, want.len) != '=') {
            continue;
        }
        value = span_from(value, want.len + 1);
        if (span_byte(value, 0) == '"') {
            value = span_from(value, 1);
            return span_sub(value, 0, span_find_byte(value, 0, '"'));
        }
        return span_trim(span_sub(value, 0, span_find_byte(value, 0, ';')));
    }
    return (struct span){0};
}

static void text_set(char *to, size_t room, struct span text) {
    size_t n = 0;
    for (size_t i = 0; i < text.len && n + 1 < room; i++) {
        uint8_t c = text.at[i];
        if (c >= 0x20 && c != 0x7f && c != '"' && c != '\\' && c != '<' && c != '>') {
            to[n++] = (char)c;
        }
    }
    to[n] = 0;
}

void body_name_set(struct body *b, struct span text) {
    for (size_t i = text.len; i-- > 0;) {
        if (text.at[i] == '/' || text.at[i] == '\\') {
            text = span_from(text, i + 1);
            break;
        }
    }
    text_set(b->name, sizeof(b->name), text);
    if (strcmp(b->name, ".") == 0 || strcmp(b->name, "..") == 0) {
        b->name[0] = 0;
    }
}

void body_type_set(struct body *b, struct span text) {
    text_set(b->type, sizeof(b->type), span_trim(span_sub(text, 0, span_find_byte(text, 0, ';'))));
}

const char *body_coding_name(enum body_coding c) {
    static const char *const names[] = {NULL, "gzip", "deflate", "zstd"};
    return names[c];
}

static bool unpack_zlib(struct span in, int window, struct buf *out) {
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in.at, .avail_in = (uInt)MIN(in.len, (size_t)UINT32_MAX)};
    if (inflateInit2(&z, window) != Z_OK) {
        return false;
    }
    int rc = Z_OK;
    while (rc == Z_OK) {
        uint8_t *to = out->len < BODY_MAX ? buf_reserve(out, UNPACK_STEP) : NULL;
        if (!to) {
            break;
        }
        z.next_out = to;
        z.avail_out = UNPACK_STEP;
        rc = inflate(&z, Z_NO_FLUSH);
        out->len += UNPACK_STEP - z.avail_out;
    }
    (void)inflateEnd(&z);
    return rc == Z_STREAM_END;
}

static bool unpack_zstd(struct span in, struct buf *out) {
    ZSTD_DStream *z = ZSTD_createDStream();
    ZSTD_inBuffer from = {in.at, in.len, 0};
    size_t rc = z ? ZSTD_initDStream(z) : 1;
    while (z && !ZSTD_isError(rc) && rc != 0 && out->len < BODY_MAX) {
        uint8_t *to = buf_reserve(out, UNPACK_STEP);
        ZSTD_outBuffer piece = {to, to ? UNPACK_STEP : 0, 0};
        size_t before = from.pos;
        rc = to ? ZSTD_decompressStream(z, &piece, &from) : 0;
        out->len += piece.pos;
        if (!to || (piece.pos == 0 && from.pos == before)) {
            break;
        }
    }
    (void)ZSTD_freeDStream(z);
    return rc == 0;
}

bool body_unpack(const struct body *b, struct buf *out) {
    size_t before = out->len;
    switch (b->coding) {
    case BODY_GZIP:
        return unpack_zlib(b->bytes, 15 + 32, out);
    case BODY_DEFLATE: /* RFC 9110 8.4.1.2 means the zlib format, many senders do not */
        if (unpack_zlib(b->bytes, 15, out)) {
            return true;
        }
        out->len = before;
        return unpack_zlib(b->bytes, -15, out);
    case BODY_ZSTD:
        return unpack_zstd(b->bytes, out);
    default:
        buf_add_span(out, span_sub(b->bytes, 0, BODY_MAX));
        return !out->overflowed && b->bytes.len <= BODY_MAX;
    }
}

/* --- HTTP --- */

struct asked {
    struct span target;
    bool head, connect;
};

struct exchange {
    struct carving *carving;
    struct asked *asked;
    size_t asked_count, answered;
    struct buf dechunked;
};

static enum body_coding coding_of(struct span value) {
    static const struct {
        const char *name;
        enum body_coding coding;
    } names[] = {{"gzip", BODY_GZIP}, {"x-gzip", BODY_GZIP}, {"deflate", BODY_DEFLATE}, {"zstd", BODY_ZSTD}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_equal_fold(value, span_text(names[i].name))) {
            return names[i].coding;
        }
    }
    return BODY_PLAIN;
}

/* Takes a chunked body off the front of `*rest`. */
static bool dechunk(struct buf *out, struct span *rest) {
    buf_clear(out);
    for (;;) {
        size_t used;
        uint64_t size;
        if (http_chunk_size(*rest, &used, &size) != HTTP_LINE_READ) {
            return false;
        }
        *rest = span_from(*rest, used);
        if (size == 0) {
            struct span line;
            while (span_line(rest, &line) && line.len) { /* trailer */
            }
            return true;
        }
        struct span part = span_sub(*rest, 0, size);
        buf_add_span(out, part);
        *rest = span_from(*rest, part.len);
        if (part.len < size) {
            return false;
        }
        *rest = span_from(*rest, span_byte(*rest, 0) == '\r');
        *rest = span_from(*rest, span_byte(*rest, 0) == '\n');
    }
}

/* Cuts the body behind `head` off `*rest`. */
static bool body_cut(struct exchange *x, struct span head, const struct http_message *m, struct span *rest,
                     struct body *b) {
    struct span length = header_find(head, "content-length");
    struct span coding = header_find(head, "transfer-encoding");
    uint64_t size = 0;
    if (coding.len && span_find_fold(coding, SPAN_LITERAL("chunked")) != SPAN_NONE) {
        b->complete = dechunk(&x->dechunked, rest);
        x->carving->no_memory |= x->dechunked.overflowed;
        b->bytes = buf_span(&x->dechunked);
        return b->bytes.len != 0;
    }
    if (length.len && span_decimal(length, UINT64_MAX / 2, &size)) {
        b->complete = size <= rest->len;
    } else if (!m->request) {
        size = rest->len;
        b->complete = true;
    }
    b->bytes = span_sub(*rest, 0, size);
    *rest = span_from(*rest, b->bytes.len);
    return b->bytes.len != 0;
}

static void asked_add(struct exchange *x, const struct http_message *m, struct span head) {
    if (x->asked_count < BODIES_MAX) {
        x->asked[x->asked_count++] = (struct asked){.target = m->target,
                                                    .head = span_starts(head, SPAN_LITERAL("HEAD ")),
                                                    .connect = span_starts(head, SPAN_LITERAL("CONNECT "))};
    }
}

enum message { MESSAGE_READ, MESSAGE_NONE, MESSAGE_LAST };

/* One message off the front of `*rest`. MESSAGE_LAST: what follows it is not HTTP any more. */
static enum message message_read(struct exchange *x, struct span *rest, unsigned side, bool tell) {
    struct http_message m = {0};
    struct span copy = *rest, line;
    uint32_t scanned = 0;
    struct body b = {.side = side, .kind = BODY_HTTP};
    struct asked answered = {0};
    size_t length = http_head_length(span_sub(*rest, 0, HTTP_HEAD_MAX), &scanned);
    if (length == 0 || !span_line(&copy, &line) || !http_start_line(line, &m)) {
        return MESSAGE_NONE;
    }
    struct span head = span_sub(*rest, 0, length);
    *rest = span_from(*rest, length);
    if (m.request && !tell) {
        asked_add(x, &m, head);
    } else if (!m.request && tell && (m.status >= 200 || m.status == 101) && x->answered < x->asked_count) {
        answered = x->asked[x->answered++];
    }
    if (m.status == 101 || (answered.connect && m.status / 100 == 2)) {
        return MESSAGE_LAST;
    }
    bool none = !m.request && (answered.head || m.status < 200 || m.status == 204 || m.status == 304);
    if (none || !body_cut(x, head, &m, rest, &b) || !tell) {
        return MESSAGE_READ;
    }
    struct span target = m.request ? m.target : answered.target;
    struct span name = header_parameter(header_find(head, "content-disposition"), "filename");
    body_name_set(&b, name.len ? name : span_sub(target, 0, span_find_byte(target, 0, '?')));
    body_type_set(&b, header_find(head, "content-type"));
    b.coding = coding_of(header_find(head, "content-encoding"));
    carving_tell(x->carving, &b);
    return MESSAGE_READ;
}

static void side_read(struct exchange *x, struct span rest, unsigned side, bool tell) {
    enum message last = MESSAGE_READ;
    while (rest.len && !x->carving->ended && last != MESSAGE_LAST) {
        while (span_byte(rest, 0) == '\r' || span_byte(rest, 0) == '\n') {
            rest = span_from(rest, 1);
        }
        last = message_read(x, &rest, side, tell);
        if (last == MESSAGE_NONE) { /* out of step: bytes are missing */
            size_t done, at = http_find_start(span_from(rest, 1), true, &done);
            rest = span_from(rest, at == SPAN_NONE ? rest.len : 1 + at);
        }
    }
}

static bool speaks_http(struct span side, bool *ret_request) {
    struct http_message m = {0};
    struct span line;
    bool yes =
        http_begins(span_sub(side, 0, 1024)) == MATCH_YES && span_line(&side, &line) && http_start_line(line, &m);
    *ret_request = m.request;
    return yes;
}

int bodies_each(const struct span sides[2], body_fn each, void *ctx) {
    struct carving c = {.each = each, .ctx = ctx};
    bool request[2] = {false, false}, http[2];
    for (unsigned side = 0; side < 2; side++) {
        http[side] = speaks_http(sides[side], &request[side]);
    }
    if (http[0] || http[1]) {
        struct exchange x = {.carving = &c, .asked = calloc(BODIES_MAX, sizeof(struct asked))};
        unsigned asking = request[1] ? 1 : 0;
        buf_init(&x.dechunked, BODY_MAX);
        if (x.asked) {
            side_read(&x, sides[asking], asking, false);
            side_read(&x, sides[asking], asking, true);
            side_read(&x, sides[!asking], !asking, true);
        }
        c.no_memory |= !x.asked;
        buf_done(&x.dechunked);
        free(x.asked);
    } else {
        mails_carve(&c, sides[0], 0);
        mails_carve(&c, sides[1], 1);
    }
    return c.no_memory ? -ENOMEM : 0;
}
