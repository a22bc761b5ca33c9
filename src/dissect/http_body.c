/* http_body.c: bodies of HTTP/1 messages (RFC 9112 6-7): chunk framing, type, digests, text of small requests.
 *
 * The first bytes of a body are waited for and looked at once, so that what they say does not depend on how the peer or
 * the network cut them. Digests are over the body as it was transferred, without chunk framing but not decompressed.
 */
#include "base/json.h"
#include "base/util.h"
#include "dissect/http_parts.h"
#include "dissect/text.h"

#define PASSWORD_WINDOW 2048 /* of a request's body is searched for passwords */
#define CHUNK_LINE_MAX 1024

size_t http_body_window(const struct dissect *d, bool as_request) {
    const struct http_settings *settings = d->settings;
    /* One more than may be stored, so that a body of just that size is seen to end. */
    return as_request ? MAX((size_t)settings->max_request_body + 1, (size_t)PASSWORD_WINDOW) : MAGIC_BYTES;
}

static bool has_password(struct span s) {
    size_t at;
    while ((at = span_find(s, SPAN_LITERAL("pass"))) != SPAN_NONE) {
        s = span_from(s, at + 4);
        if (span_byte(s, 0) == '=' || span_starts(s, SPAN_LITERAL("wd=")) || span_starts(s, SPAN_LITERAL("word="))) {
            return true;
        }
    }
    return false;
}

static bool is_clean_text(struct span s) {
    return span_find_byte(s, 0, '\0') == SPAN_NONE && utf8_valid(s);
}

void http_body_first(struct dissect *d, struct span first, bool whole) {
    const struct http_settings *settings = d->settings;
    const struct http_state *state = d->state;
    if (first.len == 0) {
        return;
    }
    const char *type = magic_guess(span_sub(first, 0, MAGIC_BYTES), settings->magic_mode);
    if (type) {
        put_const(d, HTTP_BODY_MAGIC, type);
    }
    if (d->side != state->request_side) {
        return;
    }
    if (has_password(span_sub(first, 0, PASSWORD_WINDOW))) {
        dissect_tag(d, "http:password");
    }
    if (whole && first.len <= settings->max_request_body && (!settings->body_only_utf8 || is_clean_text(first))) {
        put_text(d, HTTP_REQUEST_BODY, first);
    }
}

/* --- digests --- */

void http_body_bytes(struct dissect *d, struct http_side *side, struct span bytes, bool whole) {
    const struct http_settings *settings = d->settings;
    if (side->hashed || side->damaged || bytes.len == 0) {
        return;
    }
    if (whole) {
        dissect_digest_whole(d, HTTP_MD5, DIGEST_MD5, bytes);
        if (settings->sha256) {
            dissect_digest_whole(d, HTTP_SHA256, DIGEST_SHA256, bytes);
        }
        side->hashed = true;
        return;
    }
    if (!side->started) {
        side->started = true;
        side->md5 = digest_begin(d->runs, DIGEST_MD5);
        side->sha256 = settings->sha256 ? digest_begin(d->runs, DIGEST_SHA256) : NULL;
    }
    if (side->md5) {
        digest_add(d->runs, side->md5, bytes);
    }
    if (side->sha256) {
        digest_add(d->runs, side->sha256, bytes);
    }
}

static void end_run(struct dissect *d, unsigned field, struct digest_run **run, bool complete) {
    if (*run && complete) {
        dissect_digest(d, field, TAKE(*run));
    } else if (*run) {
        digest_drop(d->runs, TAKE(*run));
    }
}

void http_body_end(struct dissect *d, struct http_side *side, bool complete) {
    complete = complete && !side->damaged;
    end_run(d, HTTP_MD5, &side->md5, complete);
    end_run(d, HTTP_SHA256, &side->sha256, complete);
    side->started = side->seen = side->hashed = side->damaged = false;
}

/* --- chunks --- */

static int hex_value(int c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_size(struct span line, uint64_t *ret_size) {
    uint64_t size = 0;
    size_t i = 0;
    for (int digit; (digit = hex_value(span_byte(line, i))) >= 0; i++) {
        if (size >> 59) {
            return false;
        }
        size = size << 4 | (unsigned)digit;
    }
    int behind = span_byte(line, i);
    *ret_size = size;
    return i > 0 && (behind < 0 || behind == ';' || behind == ' ' || behind == '\t');
}

enum http_line http_chunk_size(struct span s, size_t *ret_used, uint64_t *ret_size) {
    struct span rest = s, line;
    if (!span_line(&rest, &line)) {
        return s.len >= CHUNK_LINE_MAX ? HTTP_LINE_BAD : HTTP_LINE_MORE;
    }
    *ret_used = s.len - rest.len;
    return read_size(span_trim(line), ret_size) ? HTTP_LINE_READ : HTTP_LINE_BAD;
}

bool http_chunked_first(struct dissect *d, struct span s, size_t window, struct span *ret_first, bool *ret_whole) {
    uint8_t *to = NULL;
    size_t len = 0;
    *ret_first = (struct span){0};
    *ret_whole = false;
    while (len < window) {
        size_t used;
        uint64_t size;
        enum http_line line = http_chunk_size(s, &used, &size);
        if (line != HTTP_LINE_READ || size == 0) {
            *ret_whole = line == HTTP_LINE_READ;
            return line != HTTP_LINE_MORE;
        }
        struct span part = span_sub(span_from(s, used), 0, MIN(size, window - len));
        bool cut = part.len < MIN(size, window - len);
        if (len == 0 && (cut || part.len == window)) {
            *ret_first = part;
            return !cut;
        }
        to = to ? to : arena_alloc(d->scratch, window);
        if (!to) {
            return true;
        }
        len += text_copy(to + len, window - len, part);
        *ret_first = span_make(to, len);
        if (cut) {
            return false;
        }
        s = span_from(s, used + (size_t)MIN(size, s.len));
        s = span_from(s, span_byte(s, 0) == '\r');
        s = span_from(s, span_byte(s, 0) == '\n');
    }
    return true;
}
