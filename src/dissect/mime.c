/* mime.c: cuts a mail message into headers, parts and lines (RFC 5322 2.1, RFC 2046 5.1).
 *
 * Bytes are taken in whole lines only, and headers with all their continuations, so that it does not matter how they
 * came. Decisions about over-long lines look at lengths, never at what has arrived so far, for the same reason.
 */
#include "dissect/mime.h"

#include "base/hash.h"
#include "base/util.h"

/* A line at the front of `s`, without its end. False when its end is not there; `*ret_used` counts the end, too. */
static bool line_at(struct span s, size_t from, struct span *ret_line, size_t *ret_used) {
    size_t end = span_find_byte(s, from, '\n');
    if (end == SPAN_NONE) {
        return false;
    }
    size_t len = end - from;
    len -= len > 0 && span_byte(s, end - 1) == '\r';
    *ret_line = span_sub(s, from, len);
    *ret_used = end + 1 - from;
    return true;
}

static bool is_continued(struct span s, size_t next) {
    int c = span_byte(s, next);
    return c == ' ' || c == '\t';
}

enum header_state { HEADER_WHOLE, HEADER_OPEN, HEADER_TOO_LONG };

/* Length of the header at the front of `s` with its continuations. HEADER_OPEN: its end, or the byte that tells that it
 * is the end, is not there; `*ret_len` then counts the complete lines. */
static enum header_state header_length(struct span s, size_t *ret_len, bool *ret_folded) {
    struct span line;
    size_t used;
    *ret_len = 0;
    for (*ret_folded = false; line_at(s, *ret_len, &line, &used); *ret_folded = true) {
        *ret_len += used;
        if (*ret_len > MIME_HEADER_MAX) {
            return HEADER_TOO_LONG;
        }
        if (*ret_len == s.len) {
            return HEADER_OPEN;
        }
        if (!is_continued(s, *ret_len)) {
            return HEADER_WHOLE;
        }
    }
    return s.len > MIME_HEADER_MAX ? HEADER_TOO_LONG : HEADER_OPEN;
}

/* A header without its line ends; the blank that begins a continuation becomes a space (tabs stay in parts). */
static struct span header_unfold(struct mime_reader *r, struct span lines, bool folded) {
    struct span line;
    size_t used;
    if (!folded) {
        return line_at(lines, 0, &line, &used) ? line : lines;
    }
    uint8_t *to = arena_alloc(r->email->scratch, lines.len + 1);
    size_t len = 0;
    for (size_t at = 0; to && line_at(lines, at, &line, &used); at += used) {
        for (struct cursor c = cursor_over(line); cursor_left(&c);) {
            to[len++] = cursor_u8(&c);
        }
        if (at && line.len && r->m->phase == MIME_HEADERS) {
            to[len - line.len] = ' ';
        }
    }
    return span_make(to, to ? len : 0);
}

/* Skips the rest of a header that is too long. */
static size_t skip_header(struct mime_reader *r, struct span s, bool last) {
    size_t end = span_find_byte(s, 0, '\n');
    if (end == SPAN_NONE) {
        return s.len;
    }
    if (end + 1 == s.len && !last) {
        return end; /* the next byte says whether a continuation follows */
    }
    r->m->skip_header = is_continued(s, end + 1);
    return end + 1;
}

static bool is_dot(const struct mime_reader *r, struct span line) {
    return r->dotted && line.len == 1 && span_byte(line, 0) == '.';
}

/* One header, or the empty line behind the last one. Returns the bytes used, 0 = more are needed. */
static size_t read_header(struct mime_reader *r, struct span s, bool last) {
    struct mime *m = r->m;
    struct span line;
    size_t used;
    bool folded;
    if (m->skip_header) {
        return skip_header(r, s, last);
    }
    if (line_at(s, 0, &line, &used)) {
        if (is_dot(r, line)) {
            r->ended = true;
            return used;
        }
        if (line.len == 0) {
            if (m->phase == MIME_HEADERS) {
                m->phase = MIME_TEXT;
            } else {
                mime_part_content(r);
            }
            return used;
        }
    }
    switch (header_length(s, &used, &folded)) {
    case HEADER_TOO_LONG:
        dissect_tag(r->email, r->long_tag);
        m->skip_header = true;
        return MIME_HEADER_MAX;
    case HEADER_OPEN:
        if (!last || used == 0) {
            return 0;
        }
        break;
    case HEADER_WHOLE:
        break;
    }
    struct span text = header_unfold(r, span_sub(s, 0, used), folded);
    if (m->phase == MIME_HEADERS) {
        mime_header(r, text);
    } else {
        mime_part_header(r, text);
    }
    return used;
}

/* Is the line "--" and one of the open boundaries? A boundary closes the multiparts inside its own. */
static bool read_boundary(struct mime_reader *r, struct span line) {
    struct mime *m = r->m;
    if (!span_starts(line, SPAN_LITERAL("--"))) {
        return false;
    }
    for (unsigned i = m->boundary_count; i-- > 0;) {
        struct mime_boundary b = m->boundaries[i];
        struct span text = span_sub(line, 2, b.len), behind = span_from(line, 2 + (size_t)b.len);
        bool closing = span_starts(behind, SPAN_LITERAL("--"));
        if (text.len != b.len || hash_bytes(text.at, text.len, 0) != b.hash ||
            (!closing && span_trim(behind).len != 0)) {
            continue;
        }
        mime_part_end(r, true);
        m->boundary_count = (uint8_t)(closing ? i : i + 1);
        if (closing) {
            m->phase = MIME_TEXT;
        } else {
            mime_part_begin(m);
        }
        return true;
    }
    return false;
}

/* One line of text or content. Returns the bytes used, 0 = more are needed. */
static size_t read_line(struct mime_reader *r, struct span s, bool last) {
    struct mime *m = r->m;
    struct span line;
    size_t used;
    bool ended = line_at(s, 0, &line, &used) && line.len <= MIME_LINE_MAX;
    if (!ended && s.len <= MIME_LINE_MAX + 1) {
        if (!last) {
            return 0;
        }
        line = s; /* the end of the message ends it */
        used = s.len;
        ended = true;
    } else if (!ended) {
        used = MIME_LINE_MAX;
        line = span_sub(s, 0, used);
    }
    bool begins = !m->in_line;
    m->in_line = !ended;
    if (begins && ended && is_dot(r, line)) {
        r->ended = true;
        return used;
    }
    if (begins && r->dotted && span_byte(line, 0) == '.') {
        line = span_from(line, 1);
    }
    if (!(begins && ended && read_boundary(r, line)) && m->phase == MIME_PART) {
        mime_part_line(r, line, ended);
    }
    return used;
}

size_t mime_read(struct mime_reader *r, struct span bytes, bool last) {
    size_t used = 0;
    while (used < bytes.len && !r->ended) {
        struct span rest = span_from(bytes, used);
        bool headers = r->m->phase == MIME_HEADERS || r->m->phase == MIME_PART_HEADERS;
        r->m->begun = true;
        size_t n = headers ? read_header(r, rest, last) : read_line(r, rest, last);
        if (n == 0) {
            break;
        }
        used += n;
    }
    return used;
}

void mime_end(struct mime_reader *r) {
    mime_part_end(r, true);
}

void mime_gap(struct mime_reader *r) {
    struct mime *m = r->m;
    m->damaged = true;
    if (m->phase == MIME_HEADERS || m->phase == MIME_PART_HEADERS) {
        m->skip_header = true;
    } else {
        m->in_line = true;
    }
}
