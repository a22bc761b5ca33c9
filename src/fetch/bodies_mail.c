/* bodies_mail.c: attachments of mail as an SMTP client sends it: DATA (RFC 5321) and BDAT (RFC 3030), multiparts inside
 * each other, base64 and quoted-printable (RFC 2045).
 */
#include <strings.h>

#include "base/util.h"
#include "fetch/bodies.h"

#define PARTS_DEPTH 8
#define MAIL_MAX BODY_MAX

/* --- codings --- */

static void base64_read(struct span in, struct buf *out) {
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.at[i];
        int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                    : c >= 'a' && c <= 'z' ? c - 'a' + 26
                    : c >= '0' && c <= '9' ? c - '0' + 52
                    : c == '+'             ? 62
                    : c == '/'             ? 63
                                           : -1;
        if (c == '=') {
            return;
        }
        if (value < 0) {
            continue;
        }
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            buf_add_byte(out, (uint8_t)(bits >> held));
        }
    }
}

static int hex_digit(int c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

static void quoted_read(struct span in, struct buf *out) {
    struct span line, rest = in;
    bool whole = span_line(&rest, &line);
    while (whole || rest.len) {
        line = whole ? line : rest;
        bool soft = line.len && line.at[line.len - 1] == '=';
        for (size_t i = 0; i < line.len - soft; i++) {
            int high = line.at[i] == '=' ? hex_digit(span_byte(line, i + 1)) : -1;
            int low = high >= 0 ? hex_digit(span_byte(line, i + 2)) : -1;
            buf_add_byte(out, low >= 0 ? (uint8_t)(high << 4 | low) : line.at[i]);
            i += low >= 0 ? 2 : 0;
        }
        if (!soft && whole) {
            buf_add_text(out, "\r\n");
        }
        if (!whole) {
            return;
        }
        whole = span_line(&rest, &line);
    }
}

/* --- parts --- */

/* Where the line `--boundary` begins at or after `from`, or SPAN_NONE. */
static size_t boundary_find(struct span s, struct span boundary, size_t from) {
    for (size_t at = from;;) {
        size_t hit = span_find(span_from(s, at), boundary);
        if (hit == SPAN_NONE) {
            return SPAN_NONE;
        }
        at += hit;
        if (at >= 2 && s.at[at - 1] == '-' && s.at[at - 2] == '-' && (at == 2 || s.at[at - 3] == '\n')) {
            return at - 2;
        }
        at++;
    }
}

/* Cuts headers off `*body`, which keeps the rest. */
static struct span headers_cut(struct span *body) {
    struct span all = *body, line;
    while (span_line(body, &line) && line.len) {
    }
    return span_sub(all, 0, all.len - body->len);
}

/* A header with its continuation lines put behind it. */
static struct span header_whole(struct span head, const char *name) {
    struct span value = header_find(head, name);
    const uint8_t *end = head.at + head.len;
    while (value.len) {
        const uint8_t *next = value.at + value.len;
        while (next < end && (*next == '\r' || *next == ' ' || *next == '\t')) {
            next++;
        }
        if (next + 1 >= end || *next != '\n' || (next[1] != ' ' && next[1] != '\t')) {
            break;
        }
        const uint8_t *line_end = memchr(next + 1, '\n', (size_t)(end - next - 1));
        value.len = (size_t)((line_end ? line_end : end) - value.at);
        while (value.len && (value.at[value.len - 1] == '\r' || value.at[value.len - 1] == ' ')) {
            value.len--;
        }
    }
    return value;
}

static void part_tell(struct carving *c, struct span head, struct span content, unsigned side, bool complete) {
    struct span type = header_whole(head, "content-type"), how = header_whole(head, "content-disposition");
    struct span coding = header_whole(head, "content-transfer-encoding");
    struct span name = header_parameter(how, "filename");
    struct body b = {.side = side, .kind = BODY_MAIL, .complete = complete, .bytes = content};
    struct buf decoded;
    name = name.len ? name : header_parameter(type, "name");
    bool text = type.len == 0 || span_starts_fold(type, SPAN_LITERAL("text/"));
    if (text && name.len == 0 && !span_starts_fold(how, SPAN_LITERAL("attachment"))) {
        return;
    }
    body_name_set(&b, name);
    body_type_set(&b, type);
    buf_init(&decoded, MAIL_MAX);
    if (span_equal_fold(coding, SPAN_LITERAL("base64"))) {
        base64_read(content, &decoded);
        b.bytes = buf_span(&decoded);
    } else if (span_equal_fold(coding, SPAN_LITERAL("quoted-printable"))) {
        quoted_read(content, &decoded);
        b.bytes = buf_span(&decoded);
    }
    c->no_memory |= decoded.overflowed;
    carving_tell(c, &b);
    buf_done(&decoded);
}

static void entity_carve(struct carving *c, struct span body, unsigned side, bool complete, unsigned depth) {
    struct span head = headers_cut(&body);
    struct span type = header_whole(head, "content-type"), boundary = header_parameter(type, "boundary");
    if (span_starts_fold(type, SPAN_LITERAL("message/rfc822")) && depth < PARTS_DEPTH) {
        entity_carve(c, body, side, complete, depth + 1);
        return;
    }
    if (!span_starts_fold(type, SPAN_LITERAL("multipart/")) || boundary.len == 0 || depth == PARTS_DEPTH) {
        part_tell(c, head, body, side, complete);
        return;
    }
    size_t at = boundary_find(body, boundary, 0);
    while (at != SPAN_NONE && !c->ended) {
        size_t behind = at + 2 + boundary.len;
        if (span_byte(body, behind) == '-' && span_byte(body, behind + 1) == '-') {
            return;
        }
        size_t line_end = span_find_byte(body, behind, '\n');
        if (line_end == SPAN_NONE) {
            return;
        }
        at = boundary_find(body, boundary, line_end);
        size_t end = at == SPAN_NONE ? body.len : at;
        struct span part = span_sub(body, line_end + 1, end > line_end + 1 ? end - line_end - 1 : 0);
        if (at != SPAN_NONE && span_ends(part, SPAN_LITERAL("\n"))) { /* the line end belongs to the boundary */
            part.len -= span_ends(part, SPAN_LITERAL("\r\n")) ? 2 : 1;
        }
        entity_carve(c, part, side, complete && at != SPAN_NONE, depth + 1);
    }
}

/* --- SMTP --- */

/* Takes a mail off the front of `*rest`, up to a line with only a dot. */
static bool mail_take(struct span *rest, struct buf *mail) {
    struct span line;
    while (span_line(rest, &line)) {
        if (span_is(line, ".")) {
            return true;
        }
        buf_add_span(mail, span_from(line, span_byte(line, 0) == '.'));
        buf_add_text(mail, "\r\n");
    }
    buf_add_span(mail, *rest);
    *rest = span_from(*rest, rest->len);
    return false;
}

/* `BDAT 1000 LAST`. */
static bool chunk_take(struct span line, struct span *rest, struct buf *mail) {
    struct span argument = span_trim(span_from(line, 4));
    struct span size = span_sub(argument, 0, span_find_byte(argument, 0, ' '));
    uint64_t length = 0;
    (void)span_decimal(size, UINT32_MAX, &length);
    struct span chunk = span_sub(*rest, 0, length);
    buf_add_span(mail, chunk);
    *rest = span_from(*rest, chunk.len);
    return span_find_fold(argument, SPAN_LITERAL("last")) != SPAN_NONE;
}

void mails_carve(struct carving *c, struct span side, unsigned number) {
    struct span line;
    struct buf mail;
    bool client = false;
    buf_init(&mail, MAIL_MAX);
    while (!c->ended && span_line(&side, &line)) {
        bool whole = false, over = false;
        client |= span_starts_fold(line, SPAN_LITERAL("MAIL FROM:"));
        if (!client) {
            continue;
        }
        if (span_equal_fold(span_trim(line), SPAN_LITERAL("DATA"))) {
            whole = mail_take(&side, &mail);
            over = true;
        } else if (span_starts_fold(line, SPAN_LITERAL("BDAT "))) {
            whole = over = chunk_take(line, &side, &mail);
        }
        if (over || (side.len == 0 && mail.len)) {
            c->no_memory |= mail.overflowed;
            entity_carve(c, buf_span(&mail), number, whole, 0);
            buf_clear(&mail);
        }
    }
    buf_done(&mail);
}
