/* http_head.c: start line and header lines of an HTTP/1 message (RFC 9112 3-5), with the patience real peers need.
 *
 * The head is read when it is complete and lies in one piece, so that a line is never assembled and values are
 * borrowed. Lines that are no header are passed over; folded lines are joined by one space.
 */
#include "dissect/http_parts.h"

#include "base/util.h"

#define METHOD(text, asked, counter) \
    { text, sizeof(text) - 1, asked, counter }

/* Those of RFC 9110, the WebDAV family, UPnP, and the tunnels of Windows that speak HTTP; by first letter. */
const struct http_method http_methods[] = {
    METHOD("ACL", HTTP_ASKED_OTHER, 0),
    METHOD("BIND", HTTP_ASKED_OTHER, 0),
    METHOD("CCM_POST", HTTP_ASKED_OTHER, 0),
    METHOD("CHECKOUT", HTTP_ASKED_OTHER, 0),
    METHOD("CONNECT", HTTP_ASKED_CONNECT, HTTP_METHOD_CONNECT),
    METHOD("COPY", HTTP_ASKED_OTHER, 0),
    METHOD("DELETE", HTTP_ASKED_OTHER, HTTP_METHOD_DELETE),
    METHOD("GET", HTTP_ASKED_OTHER, HTTP_METHOD_GET),
    METHOD("HEAD", HTTP_ASKED_HEAD, HTTP_METHOD_HEAD),
    METHOD("LINK", HTTP_ASKED_OTHER, 0),
    METHOD("LOCK", HTTP_ASKED_OTHER, 0),
    METHOD("M-SEARCH", HTTP_ASKED_OTHER, 0),
    METHOD("MERGE", HTTP_ASKED_OTHER, 0),
    METHOD("MKACTIVITY", HTTP_ASKED_OTHER, 0),
    METHOD("MKCALENDAR", HTTP_ASKED_OTHER, 0),
    METHOD("MKCOL", HTTP_ASKED_OTHER, 0),
    METHOD("MOVE", HTTP_ASKED_OTHER, 0),
    METHOD("NOTIFY", HTTP_ASKED_OTHER, 0),
    METHOD("OPTIONS", HTTP_ASKED_OTHER, HTTP_METHOD_OPTIONS),
    METHOD("PATCH", HTTP_ASKED_OTHER, 0),
    METHOD("POST", HTTP_ASKED_OTHER, HTTP_METHOD_POST),
    METHOD("PRI", HTTP_ASKED_OTHER, 0),
    METHOD("PROPFIND", HTTP_ASKED_OTHER, 0),
    METHOD("PROPPATCH", HTTP_ASKED_OTHER, 0),
    METHOD("PURGE", HTTP_ASKED_OTHER, 0),
    METHOD("PUT", HTTP_ASKED_OTHER, HTTP_METHOD_PUT),
    METHOD("QUERY", HTTP_ASKED_OTHER, 0),
    METHOD("REBIND", HTTP_ASKED_OTHER, 0),
    METHOD("REPORT", HTTP_ASKED_OTHER, 0),
    METHOD("RPC_IN_DATA", HTTP_ASKED_OTHER, 0),
    METHOD("RPC_OUT_DATA", HTTP_ASKED_OTHER, 0),
    METHOD("SEARCH", HTTP_ASKED_OTHER, 0),
    METHOD("SOURCE", HTTP_ASKED_OTHER, 0),
    METHOD("SUBSCRIBE", HTTP_ASKED_OTHER, 0),
    METHOD("TRACE", HTTP_ASKED_OTHER, 0),
    METHOD("UNBIND", HTTP_ASKED_OTHER, 0),
    METHOD("UNLINK", HTTP_ASKED_OTHER, 0),
    METHOD("UNLOCK", HTTP_ASKED_OTHER, 0),
    METHOD("UNSUBSCRIBE", HTTP_ASKED_OTHER, 0),
};

static bool is_method_letter(int c) {
    return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

/* Length of the run of method letters at the front, at most one more than the longest method. */
static size_t method_letters(struct span s) {
    size_t n = 0;
    while (n <= HTTP_METHOD_MAX && is_method_letter(span_byte(s, n))) {
        n++;
    }
    return n;
}

int http_method_at(struct span s) {
    size_t n = method_letters(s);
    int behind = span_byte(s, n);
    if (n < 3 || (behind != ' ' && behind != '\t' && behind != '\r' && behind != '\n')) {
        return -1;
    }
    struct span word = span_sub(s, 0, n);
    for (size_t i = 0; i < ARRAY_LEN(http_methods); i++) {
        if (http_methods[i].len == n && span_equal(word, span_make(http_methods[i].name, n))) {
            return (int)i;
        }
    }
    return -1;
}

/* Can `s` grow into a method? */
static bool method_begins(struct span s) {
    for (size_t i = 0; i < ARRAY_LEN(http_methods); i++) {
        if (span_starts(span_make(http_methods[i].name, http_methods[i].len), s)) {
            return true;
        }
    }
    return false;
}

/* RTSP and SIP share methods with HTTP; the scheme of the target tells them. */
static enum match target_begins(struct span target) {
    static const char *const foreign[] = {"sip:", "sips:", "rtsp:", "rtspu:"};
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        struct span scheme = span_text(foreign[i]);
        if (span_starts_fold(target, scheme)) {
            return MATCH_NO;
        }
        if (span_starts_fold(scheme, target)) {
            return MATCH_MORE;
        }
    }
    return MATCH_YES;
}

enum match http_begins(struct span first) {
    if (span_starts(first, SPAN_LITERAL("HTTP/"))) {
        return MATCH_YES;
    }
    size_t n = method_letters(first);
    if (n == first.len) {
        return n <= HTTP_METHOD_MAX && (method_begins(first) || span_starts(SPAN_LITERAL("HTTP/"), first)) ? MATCH_MORE
                                                                                                           : MATCH_NO;
    }
    if (http_method_at(first) < 0) {
        return MATCH_NO;
    }
    return span_byte(first, n) == ' ' ? target_begins(span_from(first, n + 1)) : MATCH_YES;
}

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1" at the front of `s`; the version without the word. */
static bool read_version(struct span s, struct span *ret_version) {
    size_t at = sizeof("HTTP/") - 1, end = at;
    if (!span_starts(s, SPAN_LITERAL("HTTP/"))) {
        return false;
    }
    while (is_digit(span_byte(s, end))) {
        end++;
    }
    size_t dot = end++;
    while (is_digit(span_byte(s, end))) {
        end++;
    }
    if (dot == at || end == dot + 1 || end > at + 7 || span_byte(s, dot) != '.') {
        return false;
    }
    *ret_version = span_sub(s, at, end - at);
    return true;
}

static bool status_line(struct span line, struct http_message *ret) {
    if (!read_version(line, &ret->version)) {
        return false;
    }
    struct span rest = span_from(line, sizeof("HTTP/") - 1 + ret->version.len);
    if (span_byte(rest, 0) != ' ' && span_byte(rest, 0) != '\t') {
        return false;
    }
    rest = span_trim(rest);
    uint64_t status;
    if (!span_decimal(span_sub(rest, 0, 3), 999, &status) || status < 100 || is_digit(span_byte(rest, 3))) {
        return false;
    }
    ret->status = (uint16_t)status;
    return true;
}

bool http_start_line(struct span line, struct http_message *ret) {
    line = span_trim(line);
    if (span_starts(line, SPAN_LITERAL("HTTP/"))) {
        return status_line(line, ret);
    }
    int method = http_method_at(line);
    if (method < 0) {
        return false;
    }
    ret->request = true;
    ret->method = (uint8_t)method;
    struct span rest = span_trim(span_from(line, http_methods[method].len));
    size_t last = rest.len;
    while (last && span_byte(rest, last - 1) != ' ' && span_byte(rest, last - 1) != '\t') {
        last--;
    }
    if (read_version(span_from(rest, last), &ret->version)) {
        ret->target = span_trim(span_sub(rest, 0, last));
        return ret->target.len > 0;
    }
    /* HTTP/0.9: only GET, and nothing behind the target. */
    ret->version = SPAN_LITERAL("0.9");
    ret->target = rest;
    return last == 0 && rest.len && span_is(span_make(http_methods[method].name, 3), "GET");
}

size_t http_head_length(struct span s, uint32_t *scanned) {
    size_t at = *scanned;
    while ((at = span_find_byte(s, at, '\n')) != SPAN_NONE) {
        if (span_byte(s, at + 1) == '\n') {
            return at + 2;
        }
        if (span_byte(s, at + 1) == '\r' && span_byte(s, at + 2) == '\n') {
            return at + 3;
        }
        if (at + 2 >= s.len) {
            *scanned = (uint32_t)at; /* the next line may be the empty one */
            return 0;
        }
        at++;
    }
    *scanned = (uint32_t)s.len;
    return 0;
}

/* --- header lines --- */

static bool is_name(struct span name) {
    for (size_t i = 0; i < name.len; i++) {
        int c = span_byte(name, i);
        if (c <= ' ' || c >= 0x7f) {
            return false;
        }
    }
    return name.len > 0;
}

/* `value` goes over several lines: a copy with each line end and the blanks behind it made one space. */
static struct span unfold(struct dissect *d, struct span value) {
    uint8_t *to = arena_alloc(d->scratch, value.len);
    if (!to) {
        return span_sub(value, 0, span_find_byte(value, 0, '\r'));
    }
    size_t len = 0;
    for (size_t i = 0; i < value.len; i++) {
        int c = span_byte(value, i);
        if (c != '\r' && c != '\n') {
            to[len++] = (uint8_t)c;
            continue;
        }
        int next = span_byte(value, i + 1);
        while (next == '\r' || next == '\n' || next == ' ' || next == '\t') {
            next = span_byte(value, ++i + 1);
        }
        to[len++] = ' ';
    }
    return span_make(to, len);
}

/* Cuts the next header off `*rest`. False at the empty line or the end; a line that is no header has an empty name. */
static bool next_header(struct dissect *d, struct span *rest, struct span *ret_name, struct span *ret_value) {
    struct span whole = *rest, line;
    if (!span_line(rest, &line) || line.len == 0) {
        return false;
    }
    size_t colon = span_find_byte(line, 0, ':');
    size_t end = line.len;
    bool folded = false;
    while (span_byte(*rest, 0) == ' ' || span_byte(*rest, 0) == '\t') {
        size_t before = whole.len - rest->len;
        if (!span_line(rest, &line)) {
            break;
        }
        end = before + line.len;
        folded = true;
    }
    *ret_name = span_trim(span_sub(whole, 0, colon == SPAN_NONE ? 0 : colon));
    if (!is_name(*ret_name)) {
        *ret_name = (struct span){0};
        return true;
    }
    struct span value = span_trim(span_sub(whole, colon + 1, end - colon - 1));
    *ret_value = folded ? unfold(d, value) : value;
    return true;
}

static void read_length(struct http_message *m, struct span value) {
    struct span first = span_trim(span_sub(value, 0, span_find_byte(value, 0, ',')));
    m->has_length = span_decimal(first, INT64_MAX, &m->length);
}

static void read_coding(struct http_message *m, struct span value) {
    struct span last = value;
    for (size_t comma; (comma = span_find_byte(last, 0, ',')) != SPAN_NONE;) {
        last = span_from(last, comma + 1);
    }
    last = span_trim(last);
    if (span_equal_fold(last, SPAN_LITERAL("chunked"))) {
        m->chunked = true;
    } else if (last.len && !span_equal_fold(last, SPAN_LITERAL("identity"))) {
        m->coded = true;
    }
}

static void read_upgrade(struct http_message *m, struct span value) {
    m->upgrade = span_find_fold(value, SPAN_LITERAL("websocket")) != SPAN_NONE ? HTTP_UPGRADE_WEBSOCKET
                 : span_find_fold(value, SPAN_LITERAL("h2c")) != SPAN_NONE     ? HTTP_UPGRADE_H2C
                                                                               : HTTP_UPGRADE_OTHER;
}

static void use_line(struct dissect *d, struct http_message *m, unsigned use, struct span value) {
    switch (use) {
    case HTTP_USE_HOST:
        m->host = m->host.len ? m->host : value;
        break;
    case HTTP_USE_AGENT:
        put_text(d, HTTP_USER_AGENT, value);
        break;
    case HTTP_USE_XFF:
        http_put_forwarded(d, value);
        break;
    case HTTP_USE_COOKIE:
        http_put_cookies(d, value);
        break;
    case HTTP_USE_CREDENTIALS:
        http_put_credentials(d, value);
        break;
    case HTTP_USE_CHALLENGE:
        http_put_challenge(d, value);
        break;
    case HTTP_USE_LENGTH:
        read_length(m, value);
        break;
    case HTTP_USE_CODING:
        read_coding(m, value);
        break;
    case HTTP_USE_UPGRADE:
        read_upgrade(m, value);
        break;
    default:
        break;
    }
}

/* Lines with a field of their own are not listed by value as well. */
static bool is_listed(const struct header_rule *rule) {
    return !rule || (rule->field == FIELD_NONE && rule->use != HTTP_USE_HOST && rule->use != HTTP_USE_AGENT &&
                     rule->use != HTTP_USE_XFF);
}

static void header_line(struct dissect *d, struct http_message *m, struct span name, struct span value) {
    const struct http_settings *settings = d->settings;
    bool ask = m->as_request;
    name = span_sub(name, 0, HEADER_NAME_MAX);
    put_text(d, ask ? HTTP_REQUEST_HEADER : HTTP_RESPONSE_HEADER, name);
    const struct header_rule *rule = header_table_find(d->shared, ask ? HTTP_REQUEST_LINES : HTTP_RESPONSE_LINES, name);
    if ((ask ? settings->request_all : settings->response_all) && is_listed(rule)) {
        put_text(d, ask ? HTTP_REQUEST_HEADER_FIELD : HTTP_RESPONSE_HEADER_FIELD, name);
        put_text(d, ask ? HTTP_REQUEST_HEADER_VALUE : HTTP_RESPONSE_HEADER_VALUE,
                 span_sub(value, 0, settings->value_max));
    }
    if (!rule) {
        return;
    }
    if (rule->field != FIELD_NONE) {
        header_rule_put(d, rule, value);
    }
    use_line(d, m, rule->use, value);
}

static void put_start(struct dissect *d, const struct http_message *m) {
    unsigned version = m->request ? HTTP_CLIENT_VERSION : HTTP_SERVER_VERSION;
    if (span_is(m->version, "1.1")) {
        put_const(d, version, "1.1");
    } else {
        put_text(d, version, m->version);
    }
    if (!m->request) {
        put_u64(d, HTTP_STATUS, m->status);
        return;
    }
    const struct http_method *method = &http_methods[m->method];
    put_const(d, HTTP_METHOD, method->name);
    if (method->counter) {
        put_u64(d, method->counter, 1);
    }
    if (span_starts(span_make(method->name, method->len), SPAN_LITERAL("RPC_"))) {
        dissect_protocol(d, "rpc-over-http");
    }
}

bool http_head(struct dissect *d, struct span head, struct http_message *ret) {
    struct http_state *state = d->state;
    struct span rest = head, line, name, value;
    *ret = (struct http_message){0};
    if (!span_line(&rest, &line) || !http_start_line(line, ret)) {
        return false;
    }
    if (ret->request) {
        state->request_side = d->side;
    }
    state->head_known[d->side] = true;
    ret->as_request = d->side == state->request_side;
    put_start(d, ret);
    while (next_header(d, &rest, &name, &value)) {
        if (name.len) {
            header_line(d, ret, name, value);
        }
    }
    http_put_target(d, ret);
    return true;
}
