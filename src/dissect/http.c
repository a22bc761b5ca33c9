/* http.c: HTTP/1.x, both directions of a connection (RFC 9110, RFC 9112), with its hand-over to what follows:
 * WebSocket, HTTP/2, tunnels by CONNECT.
 *
 * Each side is a machine of few phases; a phase takes as many bytes as it can at once, so a body costs its digests and
 * nothing more. Heads are read whole (http_head.c). What only the request tells about a response (HEAD, CONNECT) waits
 * in a queue of two bits a request. A side out of step looks for its next start line (http_sync.c) up to a limit.
 */
#include <errno.h>

#include "base/util.h"
#include "dissect/http_parts.h"
#include "dissect/list.h"

#define LOST_MAX (1u << 20) /* bytes looked through before a side is given up */
#define HOLD_MAX 1024       /* bytes behind a CONNECT that nobody answers */
#define ASKED_MAX 32        /* two bits each */
#define TRAILER_LINE_MAX 8192

#define REQUEST "http.hasheader.src"
#define RESPONSE "http.hasheader.dst"

static const struct field_def fields[] = {
    [HTTP_HOST] = {.path = "http.host",
                   .name = "host.http",
                   .type = FT_LOWER,
                   .flags = F_COUNT | F_TOKENS,
                   .title = "HTTP Host",
                   .help = "Host named by the request or by the name in a TLS hello",
                   .category = "host",
                   .aliases = "http.host"},
    [HTTP_URI] = {.path = "http.uri",
                  .name = "http.uri",
                  .type = FT_KEYWORD,
                  .flags = F_COUNT | F_TOKENS,
                  .title = "HTTP URI",
                  .help = "Host and target of requests, without scheme",
                  .category = "url,host"},
    [HTTP_PATH] = {.path = "http.path",
                   .name = "http.uri.path",
                   .type = FT_KEYWORD,
                   .flags = F_COUNT,
                   .title = "HTTP URI Path",
                   .help = "Path of requests"},
    [HTTP_KEY] = {.path = "http.key",
                  .name = "http.uri.key",
                  .type = FT_KEYWORD,
                  .flags = F_COUNT,
                  .title = "HTTP QS Keys",
                  .help = "Keys of query strings"},
    [HTTP_VALUE] = {.path = "http.value",
                    .name = "http.uri.value",
                    .type = FT_KEYWORD,
                    .flags = F_COUNT,
                    .title = "HTTP QS Values",
                    .help = "Values of query strings"},
    [HTTP_METHOD] = {.path = "http.method",
                     .name = "http.method",
                     .type = FT_KEYWORD,
                     .flags = F_COUNT,
                     .title = "HTTP Request Method",
                     .help = "Request method"},
    [HTTP_CLIENT_VERSION] = {.path = "http.clientVersion",
                             .name = "http.version.src",
                             .type = FT_KEYWORD,
                             .flags = F_COUNT,
                             .title = "HTTP Src Version",
                             .help = "Version of requests"},
    [HTTP_SERVER_VERSION] = {.path = "http.serverVersion",
                             .name = "http.version.dst",
                             .type = FT_KEYWORD,
                             .flags = F_COUNT,
                             .title = "HTTP Dst Version",
                             .help = "Version of responses"},
    [HTTP_STATUS] = {.path = "http.statuscode",
                     .name = "http.statuscode",
                     .type = FT_U64,
                     .flags = F_COUNT,
                     .title = "HTTP Status Code",
                     .help = "Status code of responses"},
    [HTTP_USER_AGENT] = {.path = "http.useragent",
                         .name = "http.user-agent",
                         .type = FT_KEYWORD,
                         .flags = F_COUNT | F_TOKENS,
                         .title = "HTTP Useragent",
                         .help = "User-Agent line of requests"},
    [HTTP_XFF] = {.path = "http.xffIp",
                  .name = "ip.xff",
                  .type = FT_IP,
                  .flags = F_COUNT | F_GEO,
                  .title = "HTTP XFF IP",
                  .help = "Addresses of the X-Forwarded-For line",
                  .category = "ip"},
    [HTTP_REQUEST_HEADER] = {.path = "http.requestHeader",
                             .name = REQUEST,
                             .type = FT_LOWER,
                             .flags = F_COUNT,
                             .title = "HTTP Src Header",
                             .help = "Names of the header lines of the asking side"},
    [HTTP_REQUEST_HEADER_FIELD] = {.path = "http.requestHeaderField",
                                   .name = "http.header.request.field",
                                   .type = FT_LOWER,
                                   .flags = F_REPEAT | F_NODB,
                                   .title = "Request Header Fields",
                                   .help = "Names of header lines, one for each value"},
    [HTTP_REQUEST_HEADER_VALUE] = {.path = "http.requestHeaderValue",
                                   .name = REQUEST ".value",
                                   .type = FT_LOWER,
                                   .flags = F_REPEAT | F_COUNT,
                                   .title = "Request Header Values",
                                   .help = "Values of header lines of the asking side"},
    [HTTP_RESPONSE_HEADER] = {.path = "http.responseHeader",
                              .name = RESPONSE,
                              .type = FT_LOWER,
                              .flags = F_COUNT,
                              .title = "HTTP Dst Header",
                              .help = "Names of the header lines of the answering side"},
    [HTTP_RESPONSE_HEADER_FIELD] = {.path = "http.responseHeaderField",
                                    .name = "http.header.response.field",
                                    .type = FT_LOWER,
                                    .flags = F_REPEAT | F_NODB,
                                    .title = "Response Header Fields",
                                    .help = "Names of header lines, one for each value"},
    [HTTP_RESPONSE_HEADER_VALUE] = {.path = "http.responseHeaderValue",
                                    .name = RESPONSE ".value",
                                    .type = FT_LOWER,
                                    .flags = F_REPEAT | F_COUNT,
                                    .title = "Response Header Values",
                                    .help = "Values of header lines of the answering side"},
    [HTTP_COOKIE_KEY] = {.path = "http.cookieKey",
                         .name = "http.cookie.key",
                         .type = FT_KEYWORD,
                         .flags = F_COUNT,
                         .title = "HTTP Cookie Keys",
                         .help = "Names of cookies the client sent"},
    [HTTP_COOKIE_VALUE] = {.path = "http.cookieValue",
                           .name = "http.cookie.value",
                           .type = FT_KEYWORD,
                           .flags = F_COUNT,
                           .title = "HTTP Cookie Values",
                           .help = "Values of cookies the client sent"},
    [HTTP_AUTH_TYPE] = {.path = "http.authType",
                        .name = "http.authtype",
                        .type = FT_LOWER,
                        .flags = F_COUNT,
                        .title = "HTTP Auth Type",
                        .help = "Scheme of the credentials the client sent"},
    [HTTP_USER] = {.path = "http.user",
                   .name = "http.user",
                   .type = FT_KEYWORD,
                   .flags = F_COUNT,
                   .title = "HTTP User",
                   .help = "User of Basic or Digest credentials",
                   .category = "user"},
    [HTTP_BODY_MAGIC] = {.path = "http.bodyMagic",
                         .name = "http.bodymagic",
                         .type = FT_KEYWORD,
                         .flags = F_COUNT,
                         .title = "HTTP Body Magic",
                         .help = "Type of bodies by their first bytes"},
    [HTTP_MD5] = {.path = "http.md5",
                  .name = "http.md5",
                  .type = FT_LOWER,
                  .flags = F_COUNT,
                  .title = "HTTP Body MD5",
                  .help = "MD5 of complete bodies as they were transferred",
                  .category = "md5"},
    [HTTP_SHA256] = {.path = "http.sha256",
                     .name = "http.sha256",
                     .type = FT_LOWER,
                     .flags = F_COUNT,
                     .title = "HTTP Body SHA256",
                     .help = "SHA-256 of complete bodies as they were transferred",
                     .category = "sha256"},
    [HTTP_REQUEST_BODY] = {.path = "http.requestBody",
                           .name = "http.reqbody",
                           .type = FT_KEYWORD,
                           .title = "HTTP Request Body",
                           .help = "Small bodies of requests"},
#define COUNTER(method)                                            \
    [HTTP_METHOD_##method] = {.path = "http.method-" #method,      \
                              .name = "http.method." #method,      \
                              .type = FT_U64,                      \
                              .flags = F_SINGLE | F_SUM,           \
                              .title = "Method " #method " Count", \
                              .help = "Number of " #method " requests"}
    COUNTER(DELETE),
    COUNTER(GET),
    COUNTER(HEAD),
    COUNTER(POST),
    COUNTER(PUT),
    COUNTER(CONNECT),
    COUNTER(OPTIONS),
    [HTTP_ANY_HEADER] = {.path = "hhall",
                         .name = "http.hasheader",
                         .type = FT_UNION,
                         .flags = F_VIRTUAL,
                         .title = "Has Src or Dst Header",
                         .help = "Name of a header line of either side",
                         .members = REQUEST "," RESPONSE},
    [HTTP_ANY_HEADER_VALUE] = {.path = "hhvalueall",
                               .name = "http.hasheader.value",
                               .type = FT_UNION,
                               .flags = F_VIRTUAL,
                               .title = "Has Value in Src or Dst Header",
                               .help = "Value of a header line of either side",
                               .members = REQUEST ".value," RESPONSE ".value"},
    [HTTP_ANY_VERSION] = {.path = "httpversion",
                          .name = "http.version",
                          .type = FT_UNION,
                          .flags = F_VIRTUAL,
                          .title = "HTTP Version",
                          .help = "Version of requests or responses",
                          .members = "http.version.src,http.version.dst"},
};

_Static_assert(ARRAY_LEN(fields) == HTTP_FIELDS, "a field of http_fields.h has no entry");

static const struct setting settings[] = {
    {.name = "parseQSValue",
     .type = ST_BOOL,
     .offset = SETTING(http_settings, parse_query_value),
     .fallback = "false",
     .help = "Keep the values of query strings, not only their keys"},
    {.name = "parseCookieValue",
     .type = ST_BOOL,
     .offset = SETTING(http_settings, parse_cookie_value),
     .fallback = "false",
     .help = "Keep the values of cookies, not only their names"},
    {.name = "parseHTTPHeaderRequestAll",
     .type = ST_BOOL,
     .offset = SETTING(http_settings, request_all),
     .fallback = "false",
     .help = "Keep the values of all request header lines"},
    {.name = "parseHTTPHeaderResponseAll",
     .type = ST_BOOL,
     .offset = SETTING(http_settings, response_all),
     .fallback = "false",
     .help = "Keep the values of all response header lines"},
    {.name = "parseHTTPHeaderValueMaxLen",
     .type = ST_U32,
     .offset = SETTING(http_settings, value_max),
     .fallback = "1024",
     .min = 2,
     .max = 16384,
     .help = "Longest value kept by the two settings above; the rest is cut off"},
    {.name = "maxReqBody",
     .type = ST_U32,
     .offset = SETTING(http_settings, max_request_body),
     .fallback = "256",
     .max = 16384,
     .help = "Request bodies up to so many bytes are kept; 0 keeps none"},
    {.name = "reqBodyOnlyUtf8",
     .type = ST_BOOL,
     .offset = SETTING(http_settings, body_only_utf8),
     .fallback = "true",
     .help = "Keep request bodies only when they are UTF-8 text"},
    {.name = "supportSha256",
     .type = ST_BOOL,
     .offset = SETTING(http_settings, sha256),
     .fallback = "false",
     .help = "SHA-256 of bodies and attachments beside their MD5"},
    {.name = "magicMode",
     .type = ST_CHOICE,
     .offset = SETTING(http_settings, magic_mode),
     .fallback = "both",
     .choices = MAGIC_MODES,
     .help = "How hard to look for the type of a body: basic = signatures at the first byte only"},
};

/* A first byte for each first letter of a method, and of HTTP. */
#define LETTER(text) \
    { .kind = HINT_TCP_BYTES, .bytes = text, .length = 1 }
static const struct hint hints[] = {
    LETTER("A"), LETTER("B"), LETTER("C"), LETTER("D"), LETTER("G"), LETTER("H"), LETTER("L"), LETTER("M"),
    LETTER("N"), LETTER("O"), LETTER("P"), LETTER("Q"), LETTER("R"), LETTER("S"), LETTER("T"), LETTER("U"),
};

static enum match http_probe(struct span first, const struct dissect *d) {
    (void)d;
    return http_begins(first);
}

/* --- set-up --- */

static int prepare(struct dissect_setup *setup, void **ret_shared, struct err *ret_err) {
    static const struct {
        const char *name;
        uint8_t use;
        bool response;
    } known[] = {
        {"host", HTTP_USE_HOST, false},
        {"user-agent", HTTP_USE_AGENT, false},
        {"x-forwarded-for", HTTP_USE_XFF, false},
        {"cookie", HTTP_USE_COOKIE, false},
        {"authorization", HTTP_USE_CREDENTIALS, false},
        {"proxy-authorization", HTTP_USE_CREDENTIALS, false},
        {"www-authenticate", HTTP_USE_CHALLENGE, true},
        {"proxy-authenticate", HTTP_USE_CHALLENGE, true},
        {"content-length", HTTP_USE_LENGTH, true},
        {"transfer-encoding", HTTP_USE_CODING, true},
        {"upgrade", HTTP_USE_UPGRADE, true},
    };
    static const struct header_family request = {"headers-http-request", "http.request-", "http.request.",
                                                 "Request Header ", "http"};
    static const struct header_family response = {"headers-http-response", "http.response-", "http.response.",
                                                  "Response Header ", "http"};
    struct header_table *table = header_table_new();
    int r = table ? 0 : err_set(ret_err, -ENOMEM, "no memory for the header names of http");
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(known); i++) {
        r = header_table_add(table, HTTP_REQUEST_LINES, known[i].name, known[i].use);
        if (r == 0 && known[i].response) {
            r = header_table_add(table, HTTP_RESPONSE_LINES, known[i].name, known[i].use);
        }
    }
    r = r < 0 ? r : header_table_configure(table, HTTP_REQUEST_LINES, &request, setup, ret_err);
    r = r < 0 ? r : header_table_configure(table, HTTP_RESPONSE_LINES, &response, setup, ret_err);
    if (r < 0) {
        header_table_free(table);
        return r;
    }
    *ret_shared = table;
    return 0;
}

static void release(void *shared) {
    header_table_free(shared);
}

/* --- requests that wait for their answer --- */

static void asked_push(struct http_state *state, unsigned asked) {
    if (state->asked_count < ASKED_MAX) {
        state->asked |= (uint64_t)asked << (2 * state->asked_count);
    }
    state->asked_count = (uint8_t)MIN(state->asked_count + 1, UINT8_MAX);
}

static unsigned asked_pop(struct http_state *state) {
    unsigned asked = state->asked & 3;
    state->asked >>= 2;
    state->asked_count = (uint8_t)MAX(state->asked_count - 1, 0);
    return asked;
}

/* --- the phases: each uses bytes at the front or changes the phase --- */

enum step { STEP_ON, STEP_WAIT, STEP_HANDOVER };

static struct http_side *side_of(const struct dissect *d) {
    struct http_state *state = d->state;
    return &state->side[d->side];
}

/* Out of step. A side that has never made sense is given up at once. */
static void lose(struct dissect *d, struct http_side *side) {
    const struct http_state *state = d->state;
    http_body_end(d, side, false);
    side->scanned = 0;
    side->phase = state->head_known[d->side] ? HTTP_LOST : HTTP_DEAD;
}

static void next_message(struct http_side *side) {
    side->phase = HTTP_START;
    side->scanned = 0;
}

static void begin_body(struct http_side *side, const struct http_message *m, bool to_end) {
    if (m->chunked) {
        side->phase = HTTP_CHUNK_SIZE;
    } else if (m->has_length && !m->coded) {
        side->left = m->length;
        side->phase = m->length ? HTTP_BODY : HTTP_START;
    } else {
        side->phase = to_end ? HTTP_BODY_TO_END : HTTP_START;
    }
}

static enum step after_request(struct dissect *d, struct http_side *side, const struct http_message *m) {
    const struct http_method *method = &http_methods[m->method];
    asked_push(d->state, method->asked);
    if (method->asked == HTTP_ASKED_CONNECT) {
        side->phase = HTTP_HOLD;
        return STEP_ON;
    }
    if (span_is(m->target, "*") && span_is(span_make(method->name, method->len), "PRI")) {
        dissect_protocol(d, "http2"); /* the client knows beforehand that the server speaks it (RFC 9113 3.4) */
        return STEP_HANDOVER;
    }
    begin_body(side, m, false);
    return STEP_ON;
}

static enum step switch_protocol(struct dissect *d, const struct http_message *m) {
    if (m->upgrade == HTTP_UPGRADE_WEBSOCKET) {
        dissect_next(d, DISSECTOR_WEBSOCKET);
    } else if (m->upgrade == HTTP_UPGRADE_H2C) {
        dissect_protocol(d, "http2");
    }
    return STEP_HANDOVER;
}

static enum step after_response(struct dissect *d, struct http_side *side, const struct http_message *m) {
    struct http_state *state = d->state;
    if (m->status == 101) {
        return switch_protocol(d, m);
    }
    if (m->status < 200) {
        return STEP_ON;
    }
    unsigned asked = asked_pop(state);
    if (asked == HTTP_ASKED_CONNECT) {
        if (m->status < 300) {
            return STEP_HANDOVER;
        }
        struct http_side *other = &state->side[!d->side];
        other->phase = other->phase == HTTP_HOLD ? HTTP_START : other->phase;
    }
    if (asked != HTTP_ASKED_HEAD && m->status != 204 && m->status != 304) {
        begin_body(side, m, true);
    }
    return STEP_ON;
}

static enum step reject(struct dissect *d, struct http_side *side) {
    lose(d, side);
    return STEP_ON;
}

static enum step step_start(struct dissect *d, struct span rest, size_t *ret_used) {
    struct http_side *side = side_of(d);
    while (span_byte(rest, 0) == '\r' || span_byte(rest, 0) == '\n') {
        rest = span_from(rest, 1);
        ++*ret_used;
    }
    if (rest.len == 0) {
        return STEP_ON;
    }
    enum match match = http_begins(rest);
    if (match == MATCH_MORE && !d->at_end) {
        return STEP_WAIT;
    }
    if (match != MATCH_YES) {
        ++*ret_used; /* not here: from the next byte on */
        return reject(d, side);
    }
    struct http_message m = {0};
    struct span behind = rest, line;
    size_t len = 0;
    bool has_line = span_line(&behind, &line);
    if (has_line && side->scanned == 0 && !http_start_line(line, &m)) {
        ++*ret_used;
        return reject(d, side);
    }
    if (has_line) {
        bool bare = m.request && span_is(m.version, "0.9");
        len = bare ? rest.len - behind.len : http_head_length(rest, &side->scanned);
    }
    bool cut = len == 0;
    if (cut && !d->at_end && rest.len < HTTP_HEAD_MAX) {
        return STEP_WAIT;
    }
    struct span head = cut ? rest : span_sub(rest, 0, len);
    next_message(side);
    if (!http_head(d, head, &m) || cut) {
        *ret_used += head.len;
        lose(d, side);
        return STEP_ON;
    }
    *ret_used += len;
    return m.request ? after_request(d, side, &m) : after_response(d, side, &m);
}

static enum step step_body(struct dissect *d, struct span rest, size_t *ret_used) {
    struct http_side *side = side_of(d);
    const struct http_state *state = d->state;
    bool to_end = side->phase == HTTP_BODY_TO_END;
    struct span bytes = to_end ? rest : span_sub(rest, 0, side->left);
    bool last = to_end ? d->at_end : bytes.len == side->left;
    if (!side->seen && side->phase != HTTP_CHUNK) {
        size_t window = http_body_window(d, d->side == state->request_side);
        window = to_end ? window : MIN(window, side->left);
        if (bytes.len < window && !d->at_end) {
            d->wanted = window;
            return STEP_WAIT;
        }
        http_body_first(d, span_sub(bytes, 0, window), last && bytes.len <= window);
        side->seen = true;
    }
    http_body_bytes(d, side, bytes, last && !side->started && side->phase != HTTP_CHUNK);
    *ret_used = bytes.len;
    side->left -= to_end ? 0 : bytes.len;
    if (!last) {
        return STEP_ON;
    }
    if (side->phase == HTTP_CHUNK) {
        side->phase = HTTP_CHUNK_END;
    } else {
        http_body_end(d, side, true);
        next_message(side);
    }
    return STEP_ON;
}

static enum step step_chunk_size(struct dissect *d, struct span rest, size_t *ret_used) {
    struct http_side *side = side_of(d);
    const struct http_state *state = d->state;
    if (!side->seen) {
        struct span first;
        bool whole, asks = d->side == state->request_side;
        if (!http_chunked_first(d, rest, http_body_window(d, asks), &first, &whole) && !d->at_end) {
            return STEP_WAIT;
        }
        http_body_first(d, first, whole);
        if (whole) {
            http_body_bytes(d, side, first, true);
        }
        side->seen = true;
    }
    enum http_line line = http_chunk_size(rest, ret_used, &side->left);
    if (line == HTTP_LINE_MORE) {
        return STEP_WAIT;
    }
    if (line == HTTP_LINE_BAD) {
        *ret_used = 0;
        return reject(d, side);
    }
    side->phase = HTTP_CHUNK;
    if (side->left == 0) {
        http_body_end(d, side, true);
        side->phase = HTTP_TRAILER;
    }
    return STEP_ON;
}

static enum step step_chunk_end(struct dissect *d, struct span rest, size_t *ret_used) {
    struct http_side *side = side_of(d);
    if (span_byte(rest, 0) == '\r') {
        if (rest.len == 1 && !d->at_end) {
            return STEP_WAIT;
        }
        *ret_used = span_byte(rest, 1) == '\n' ? 2 : 1;
    } else {
        *ret_used = span_byte(rest, 0) == '\n';
    }
    side->phase = HTTP_CHUNK_SIZE;
    return STEP_ON;
}

static enum step step_trailer(struct dissect *d, struct span rest, size_t *ret_used) {
    struct http_side *side = side_of(d);
    struct span behind = rest, line;
    if (!span_line(&behind, &line)) {
        return rest.len < TRAILER_LINE_MAX ? STEP_WAIT : reject(d, side);
    }
    *ret_used = rest.len - behind.len;
    if (line.len == 0) {
        next_message(side);
    }
    return STEP_ON;
}

/* The answer decides whether these bytes are a tunnel's. When there is none to be seen, they do themselves. */
static enum step step_hold(struct dissect *d, struct span rest, size_t *ret_used) {
    (void)ret_used;
    if (rest.len < HOLD_MAX && !d->at_end) {
        d->wanted = HOLD_MAX;
        return STEP_WAIT;
    }
    if (http_begins(rest) == MATCH_NO) {
        return STEP_HANDOVER;
    }
    next_message(side_of(d));
    return STEP_ON;
}

static enum step step_lost(struct dissect *d, struct span rest, size_t *ret_used) {
    struct http_side *side = side_of(d);
    size_t done = 0;
    size_t start = http_find_start(rest, d->at_end, &done);
    size_t used = start == SPAN_NONE ? done : start;
    *ret_used = used;
    if (start != SPAN_NONE) {
        side->lost = 0;
        next_message(side);
        return STEP_ON;
    }
    side->lost += (uint32_t)MIN(used, (size_t)LOST_MAX);
    if (side->lost >= LOST_MAX) {
        side->phase = HTTP_DEAD;
        return STEP_ON;
    }
    return used < rest.len ? STEP_WAIT : STEP_ON;
}

static enum step step_dead(struct dissect *d, struct span rest, size_t *ret_used) {
    (void)d;
    *ret_used = rest.len;
    return STEP_ON;
}

/* --- the stream --- */

/* Bytes are missing: inside a body whose length is known that is no harm but to its digest. */
static void over_gap(struct dissect *d, struct http_side *side) {
    bool counted = side->phase == HTTP_BODY || side->phase == HTTP_CHUNK;
    if (side->phase == HTTP_DEAD || side->phase == HTTP_HOLD) {
        return;
    }
    if (side->phase == HTTP_BODY_TO_END || (counted && d->gap && d->gap < side->left)) {
        http_body_end(d, side, false);
        side->seen = side->damaged = true;
        side->left -= counted ? d->gap : 0;
        return;
    }
    if (counted && d->gap == side->left && side->phase == HTTP_BODY) {
        http_body_end(d, side, false);
        next_message(side);
        return;
    }
    lose(d, side);
    side->phase = HTTP_LOST; /* whether or not it has made sense before: the bytes that would have are missing */
}

static enum step take_step(struct dissect *d, struct span rest, size_t *ret_used) {
    static enum step (*const steps[])(struct dissect *, struct span, size_t *) = {
        [HTTP_START] = step_start,      [HTTP_BODY] = step_body,
        [HTTP_BODY_TO_END] = step_body, [HTTP_CHUNK_SIZE] = step_chunk_size,
        [HTTP_CHUNK] = step_body,       [HTTP_CHUNK_END] = step_chunk_end,
        [HTTP_TRAILER] = step_trailer,  [HTTP_HOLD] = step_hold,
        [HTTP_LOST] = step_lost,        [HTTP_DEAD] = step_dead,
    };
    return steps[side_of(d)->phase](d, rest, ret_used);
}

static void end_bodies(struct dissect *d) {
    struct http_state *state = d->state;
    for (unsigned i = 0; i < 2; i++) {
        struct http_side *side = &state->side[i];
        http_body_end(d, side, side->phase == HTTP_BODY_TO_END);
    }
}

static enum verdict http_stream(struct dissect *d, struct span bytes) {
    struct http_state *state = d->state;
    struct http_side *side = side_of(d);
    enum step step = STEP_ON;
    size_t at = 0;
    if (d->gap_before) {
        over_gap(d, side);
    }
    d->wanted = 0;
    while (step == STEP_ON && at < bytes.len) {
        size_t used = 0;
        step = take_step(d, span_from(bytes, at), &used);
        at += used;
    }
    d->consumed = at;
    if (step == STEP_HANDOVER || (state->side[0].phase == HTTP_DEAD && state->side[1].phase == HTTP_DEAD)) {
        end_bodies(d);
        return step == STEP_HANDOVER ? VERDICT_HANDOVER : VERDICT_DONE;
    }
    if (d->at_end) {
        http_body_end(d, side, side->phase == HTTP_BODY_TO_END);
        side->phase = HTTP_DEAD;
        return VERDICT_OK;
    }
    return at < bytes.len ? VERDICT_MORE : VERDICT_OK;
}

static void http_end(struct dissect *d, bool final) {
    if (final) {
        end_bodies(d);
    }
}

const struct dissector dissector_http = {
    .name = "http",
    .title = "HTTP/1",
    .spec = "RFC 9110, RFC 9112",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .state_size = sizeof(struct http_state),
    .buffer_max = HTTP_HEAD_MAX,
    .takes_gaps = true,
    .probe = http_probe,
    .stream = http_stream,
    .end = http_end,
    .settings = settings,
    .setting_count = ARRAY_LEN(settings),
    .settings_size = sizeof(struct http_settings),
    .prepare = prepare,
    .release = release,
};
