/* http_uri.c: what request lines carry in one value: target and host (RFC 3986, RFC 9112 3.2), cookies (RFC 6265),
 * credentials (RFC 7617 Basic, RFC 7616 Digest), forwarding addresses.
 *
 * The URI is stored as host and target without scheme, whether the client sent a path or a whole URI, so that both are
 * found by the same search.
 */
#include "dissect/http_parts.h"
#include "dissect/ntlm.h"
#include "dissect/text.h"

#define URI_MAX 4096

static size_t copy_lower(uint8_t *to, struct span from) {
    for (size_t i = 0; i < from.len; i++) {
        int c = span_byte(from, i);
        to[i] = (uint8_t)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
    }
    return from.len;
}

/* The host without its port. */
static struct span bare_host(struct span host) {
    size_t from = 0;
    if (span_byte(host, 0) == '[') {
        from = span_find_byte(host, 0, ']');
        from = from == SPAN_NONE ? 0 : from;
    }
    size_t colon = span_find_byte(host, from, ':');
    if (colon != SPAN_NONE && span_find_byte(host, colon + 1, ':') != SPAN_NONE) {
        return host; /* an IPv6 address that lacks its brackets */
    }
    return span_sub(host, 0, colon);
}

static void put_host(struct dissect *d, struct span host) {
    struct span bare = bare_host(host);
    put_text(d, HTTP_HOST, bare);
    if (bare.len != host.len) {
        put_text(d, HTTP_HOST, host);
    }
}

static void put_uri(struct dissect *d, struct span host, const char *between, struct span target) {
    struct span middle = span_text(between);
    size_t len = host.len + middle.len + target.len;
    uint8_t *uri = arena_alloc(d->scratch, len);
    if (!uri) {
        return;
    }
    size_t at = copy_lower(uri, host);
    at += text_copy(uri + at, len - at, middle);
    at += text_copy(uri + at, len - at, target);
    if (at > URI_MAX) {
        dissect_tag(d, "http:url-truncated");
        at = URI_MAX;
    }
    put_text(d, HTTP_URI, span_make(uri, at));
}

/* Length of "scheme://" at the front, or 0, as for "/go?to=http://other.example". */
static size_t scheme_length(struct span target) {
    size_t colon = span_find_byte(span_sub(target, 0, 16), 0, ':');
    if (colon == SPAN_NONE || colon == 0 || !span_starts(span_from(target, colon), SPAN_LITERAL("://"))) {
        return 0;
    }
    struct span scheme = span_sub(target, 0, colon);
    bool inside = span_find_byte(scheme, 0, '/') != SPAN_NONE || span_find_byte(scheme, 0, '?') != SPAN_NONE;
    return inside ? 0 : colon + 3;
}

/* --- query string --- */

static void put_part(struct dissect *d, unsigned field, struct span part) {
    struct span plain;
    if (part.len) {
        put_text(d, field, text_percent(d->scratch, part, &plain) ? plain : part);
    }
}

static void put_query(struct dissect *d, struct span query) {
    const struct http_settings *settings = d->settings;
    while (query.len) {
        size_t end = span_find_byte(query, 0, '&');
        struct span part = span_sub(query, 0, end);
        query = span_from(query, end == SPAN_NONE ? query.len : end + 1);
        size_t equal = span_find_byte(part, 0, '=');
        put_part(d, HTTP_KEY, span_sub(part, 0, equal));
        if (settings->parse_query_value && equal != SPAN_NONE) {
            put_part(d, HTTP_VALUE, span_from(part, equal + 1));
        }
    }
}

/* --- services that are known by their path --- */

static bool ends_fold(struct span s, struct span tail) {
    return s.len >= tail.len && span_equal_fold(span_from(s, s.len - tail.len), tail);
}

static bool is_below(struct span path, struct span folder) {
    int next = span_byte(path, folder.len);
    return span_starts_fold(path, folder) && (next < 0 || next == '/');
}

static void put_service(struct dissect *d, struct span path) {
    int second = span_byte(path, 1) | 0x20, last = span_byte(path, path.len - 1) | 0x20;
    if (second == 'w' && is_below(path, SPAN_LITERAL("/wsman"))) {
        dissect_protocol(d, "winrm");
    } else if (second == 'c' && span_starts_fold(path, SPAN_LITERAL("/certsrv/mscep"))) {
        dissect_protocol(d, "adcs-ndes");
    } else if (second == 'c' && is_below(path, SPAN_LITERAL("/certsrv"))) {
        dissect_protocol(d, "adcs-web");
    } else if (last == 'p' && ends_fold(path, SPAN_LITERAL("/service.svc/cep"))) {
        dissect_protocol(d, "adcs-cep");
    } else if (last == 's' && ends_fold(path, SPAN_LITERAL("/service.svc/ces"))) {
        dissect_protocol(d, "adcs-ces");
    }
}

/* --- the target --- */

static bool has_control(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        if (span_byte(s, i) < ' ') {
            return true;
        }
    }
    return false;
}

static void put_path(struct dissect *d, struct span target) {
    size_t question = span_find_byte(target, 0, '?');
    struct span path = span_sub(target, 0, question);
    if (path.len) {
        put_text(d, HTTP_PATH, path);
        put_service(d, path);
    }
    if (question != SPAN_NONE) {
        put_query(d, span_from(target, question + 1));
    }
}

/* "http://host/path": the authority wins over a Host line that names another (RFC 9112 3.2.2), but both are found. */
static void put_absolute(struct dissect *d, struct span host, struct span rest) {
    size_t slash = 0;
    while (slash < rest.len && span_byte(rest, slash) != '/' && span_byte(rest, slash) != '?') {
        slash++;
    }
    struct span authority = span_sub(rest, 0, slash);
    struct span path = span_from(rest, slash);
    size_t user = span_find_byte(authority, 0, '@');
    struct span named = user == SPAN_NONE ? authority : span_from(authority, user + 1);
    if (named.len) {
        put_host(d, named);
    }
    if (host.len) {
        put_host(d, host);
    }
    put_uri(d, authority, "", path);
    put_path(d, path);
}

void http_put_target(struct dissect *d, const struct http_message *m) {
    struct span target = m->target, host = m->host;
    if (has_control(target)) {
        dissect_tag(d, "http:control-char");
    }
    size_t scheme = scheme_length(target);
    if (scheme) {
        put_absolute(d, host, span_from(target, scheme));
        return;
    }
    if (host.len) {
        put_host(d, host);
    }
    if (target.len == 0) {
        return;
    }
    if (span_byte(target, 0) == '/') {
        put_uri(d, host, "", target);
        put_path(d, target);
    } else if (span_starts_fold(target, bare_host(host))) {
        put_uri(d, (struct span){0}, "", target); /* CONNECT host:443 */
    } else {
        put_uri(d, host, ";", target); /* OPTIONS *, or a target that has nothing to do with the host */
    }
}

/* --- cookies, credentials, forwarding --- */

void http_put_cookies(struct dissect *d, struct span value) {
    const struct http_settings *settings = d->settings;
    while (value.len) {
        size_t end = span_find_byte(value, 0, ';');
        struct span pair = span_sub(value, 0, end);
        value = span_from(value, end == SPAN_NONE ? value.len : end + 1);
        size_t equal = span_find_byte(pair, 0, '=');
        if (equal == SPAN_NONE) {
            continue;
        }
        struct span key = span_trim(span_sub(pair, 0, equal));
        struct span content = span_trim(span_from(pair, equal + 1));
        if (key.len) {
            put_text(d, HTTP_COOKIE_KEY, key);
        }
        if (content.len && settings->parse_cookie_value) {
            put_text(d, HTTP_COOKIE_VALUE, content);
        }
    }
}

/* The value of username="..." in a Digest line. */
static struct span digest_user(struct span rest) {
    static const char name[] = "username=";
    size_t at = span_find_fold(rest, SPAN_LITERAL(name));
    if (at == SPAN_NONE) {
        return (struct span){0};
    }
    rest = span_from(rest, at + sizeof(name) - 1);
    bool quoted = span_byte(rest, 0) == '"';
    rest = span_from(rest, quoted);
    return span_trim(span_sub(rest, 0, span_find_byte(rest, 0, quoted ? '"' : ',')));
}

static bool carries_ntlm(struct span scheme) {
    return span_equal_fold(scheme, SPAN_LITERAL("ntlm")) || span_equal_fold(scheme, SPAN_LITERAL("negotiate"));
}

void http_put_challenge(struct dissect *d, struct span value) {
    size_t blank = span_find_byte(value, 0, ' ');
    if (blank != SPAN_NONE && carries_ntlm(span_sub(value, 0, blank))) {
        ntlm_put_base64(d, span_from(value, blank));
    }
}

void http_put_credentials(struct dissect *d, struct span value) {
    size_t blank = span_find_byte(value, 0, ' ');
    if (blank == SPAN_NONE || blank == 0) {
        return;
    }
    struct span scheme = span_sub(value, 0, blank);
    struct span rest = span_trim(span_from(value, blank));
    struct span user = {0}, plain;
    put_text(d, HTTP_AUTH_TYPE, scheme);
    if (span_equal_fold(scheme, SPAN_LITERAL("basic")) && text_base64(d->scratch, rest, &plain)) {
        user = span_sub(plain, 0, span_find_byte(plain, 0, ':'));
    } else if (span_equal_fold(scheme, SPAN_LITERAL("digest"))) {
        user = digest_user(rest);
    } else if (carries_ntlm(scheme)) {
        ntlm_put_base64(d, rest);
    }
    if (user.len) {
        put_text(d, HTTP_USER, user);
    }
}

void http_put_forwarded(struct dissect *d, struct span value) {
    while (value.len) {
        size_t end = span_find_byte(value, 0, ',');
        struct span part = span_trim(span_sub(value, 0, end));
        value = span_from(value, end == SPAN_NONE ? value.len : end + 1);
        uint8_t ip[16];
        if (part.len && text_ip(part, ip)) {
            put_ip(d, HTTP_XFF, ip);
        } else if (part.len) {
            dissect_tag(d, "http:bad-xff");
        }
    }
}
