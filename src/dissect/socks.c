/* socks.c: SOCKS 4, 4a and 5 (RFC 1928, RFC 1929): where a proxy is asked to connect to, and by whom.
 *
 * The bytes behind the proxy's consent belong to another protocol and go to it. What the asking side says is read
 * without waiting for the answers, since clients send ahead; what it means is decided by the answers. Which side asks
 * is seen by who says a greeting first: a host behind a reverse proxy is connected to and asks then, and what its peer
 * said before is none of ours.
 */
#include "base/util.h"
#include "dissect/dissector.h"

enum { HOST, IP, PORT, USER };

static const struct field_def fields[] = {
    [HOST] = {.path = "socks.host",
              .name = "host.socks",
              .type = FT_LOWER,
              .flags = F_SINGLE | F_TOKENS,
              .title = "Socks Hostname",
              .help = "Name of the host that the proxy is asked to connect to",
              .category = "host"},
    [IP] = {.path = "socks.ip",
            .name = "ip.socks",
            .type = FT_IP,
            .flags = F_SINGLE | F_GEO,
            .title = "IP",
            .help = "Address that the proxy is asked to connect to",
            .category = "ip"},
    [PORT] = {.path = "socks.port",
              .name = "port.socks",
              .type = FT_U64,
              .flags = F_SINGLE | F_PORT,
              .title = "Port",
              .help = "Port that the proxy is asked to connect to",
              .category = "port"},
    [USER] = {.path = "socks.user",
              .name = "socks.user",
              .type = FT_KEYWORD,
              .flags = F_SINGLE,
              .title = "User",
              .help = "User of the proxy",
              .category = "user",
              .aliases = "socksuser"},
};

enum { V4 = 4, V5 = 5, LOGIN = 1 }; /* first bytes of what the asking side says */
enum { CONNECT = 1, BIND, ASSOCIATE };
enum { NO_LOGIN = 0, BY_PASSWORD = 2, NONE_FITS = 0xff };
enum { TYPE_IP4 = 1, TYPE_NAME = 3, TYPE_IP6 = 4 };
enum { V4_GRANTED = 0x5a, V4_LAST = 0x5d, METHODS_MAX = 16, TEXT_MAX = 255 };

struct socks {
    bool begun;
    uint8_t asker;   /* side */
    uint8_t version; /* of the greeting */
    uint8_t command; /* once the request was read, else 0 */
    bool greeted;    /* the greeting was read */
    bool chosen;     /* a method was chosen */
    bool by_password, logged_in;
    bool bound; /* BIND: the first answer came */
};

/* --- probe --- */

/* The greeting of version 5: a number of methods, each once. */
static enum match greeting_v5(struct span s) {
    int count = span_byte(s, 1);
    if (count == 0 || count > METHODS_MAX) {
        return MATCH_NO;
    }
    for (int i = 0; i < count && 2 + (size_t)i < s.len; i++) {
        int method = span_byte(s, 2 + (size_t)i);
        bool known = method <= 9 || (method >= 0x80 && method < NONE_FITS);
        if (!known || span_find_byte(span_sub(s, 2, (size_t)i), 0, (uint8_t)method) != SPAN_NONE) {
            return MATCH_NO;
        }
    }
    int next = count > 0 ? span_byte(s, 2 + (size_t)count) : -1;
    if (next >= 0 && next != V5 && next != LOGIN) {
        return MATCH_NO;
    }
    return count > 0 && s.len >= 2 + (size_t)count ? MATCH_YES : MATCH_MORE;
}

static bool is_plain(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        int c = span_byte(s, i);
        if (c < ' ' || c == 0x7f) {
            return false;
        }
    }
    return true;
}

/* Text up to its NUL, from `*at` on, which moves behind it. */
static enum match take_text(struct span s, size_t *at, struct span *ret) {
    size_t end = span_find_byte(s, *at, 0);
    *ret = span_sub(s, *at, end == SPAN_NONE ? SIZE_MAX : end - *at);
    if (ret->len > TEXT_MAX || !is_plain(*ret)) {
        return MATCH_NO;
    }
    *at = end == SPAN_NONE ? s.len : end + 1;
    return end == SPAN_NONE ? MATCH_MORE : MATCH_YES;
}

/* The request of version 4; with an address 0.0.0.x a name follows. */
static enum match request_v4(struct span s, struct span *ret_user, struct span *ret_name, size_t *ret_length) {
    struct cursor c = cursor_over(s);
    cursor_skip(&c, 1);
    uint8_t command = cursor_u8(&c);
    uint16_t port = cursor_u16(&c);
    uint32_t ip = cursor_u32(&c);
    size_t at = 8;
    if ((s.len > 1 && command != CONNECT && command != BIND) || (s.len > 3 && port == 0) || (s.len > 7 && ip == 0)) {
        return MATCH_NO;
    }
    if (!cursor_ok(&c)) {
        return MATCH_MORE;
    }
    *ret_name = (struct span){0};
    enum match match = take_text(s, &at, ret_user);
    if (match == MATCH_YES && ip <= 0xff) {
        match = take_text(s, &at, ret_name);
        match = match == MATCH_YES && ret_name->len == 0 ? MATCH_NO : match;
    }
    *ret_length = at;
    return match;
}

static enum match socks_probe(struct span first, const struct dissect *d) {
    struct span user, name;
    size_t length;
    (void)d;
    switch (span_byte(first, 0)) {
    case V4:
        return request_v4(first, &user, &name, &length);
    case V5:
        return greeting_v5(first);
    default:
        return MATCH_NO;
    }
}

/* --- what the asking side says --- */

/* `wanted`: counted from the first unused byte; 0: any. */
static enum verdict more(struct dissect *d, size_t wanted) {
    d->wanted = wanted;
    return VERDICT_MORE;
}

static void put_target(struct dissect *d, struct span name, uint16_t port) {
    if (name.len) {
        put_text(d, HOST, name);
    }
    put_u64(d, PORT, port);
    dissect_protocol(d, "socks");
}

static enum verdict ask_v4(struct dissect *d, struct socks *s, struct span bytes) {
    struct span user = {0}, name = {0};
    size_t length = 0;
    enum match match = request_v4(bytes, &user, &name, &length);
    if (match != MATCH_YES) {
        return match == MATCH_MORE ? more(d, 0) : VERDICT_NOT_MINE;
    }
    struct cursor c = cursor_over(span_from(bytes, 1));
    s->command = cursor_u8(&c);
    uint16_t port = cursor_u16(&c);
    const uint8_t *ip = cursor_take(&c, 4);
    if (name.len == 0 && ip) {
        put_ip4(d, IP, ip);
    }
    if (user.len) {
        put_text(d, USER, user);
    }
    put_target(d, name, port);
    d->consumed += length;
    return VERDICT_OK;
}

/* Version 1 of RFC 1929: a name and a password, which is not kept. */
static enum verdict ask_login(struct dissect *d, struct span bytes) {
    struct cursor c = cursor_over(span_from(bytes, 1));
    uint8_t length = cursor_u8(&c);
    struct span user = cursor_span(&c, length);
    length = cursor_u8(&c);
    cursor_skip(&c, length);
    if (!cursor_ok(&c)) {
        return more(d, 0);
    }
    if (user.len) {
        put_text(d, USER, user);
    }
    dissect_protocol(d, "socks");
    d->consumed += 3 + user.len + length;
    return VERDICT_OK;
}

/* Bytes of an address of this type with its type and port, 0 while unknown; -1: there is no such type. */
static int address_length(struct span from_type) {
    int name = span_byte(from_type, 1);
    switch (span_byte(from_type, 0)) {
    case TYPE_IP4:
        return 1 + 4 + 2;
    case TYPE_IP6:
        return 1 + 16 + 2;
    case TYPE_NAME:
        return name < 0 ? 0 : 1 + 1 + name + 2;
    case -1:
        return 0;
    default:
        return -1;
    }
}

static enum verdict ask_v5(struct dissect *d, struct socks *s, struct span bytes) {
    int length = address_length(span_from(bytes, 3));
    int command = span_byte(bytes, 1);
    if (length < 0 || command == 0 || command > ASSOCIATE || span_byte(bytes, 2) > 0) {
        return s->chosen ? VERDICT_BROKEN : VERDICT_NOT_MINE;
    }
    if (length == 0 || bytes.len < 3 + (size_t)length) {
        return more(d, length ? 3 + (size_t)length : 0);
    }
    struct cursor c = cursor_over(span_from(bytes, 3));
    struct span name = {0};
    const uint8_t *ip;
    switch (cursor_u8(&c)) {
    case TYPE_IP4:
        ip = cursor_take(&c, 4);
        if (ip) {
            put_ip4(d, IP, ip);
        }
        break;
    case TYPE_IP6:
        ip = cursor_take(&c, 16);
        if (ip) {
            put_ip(d, IP, ip);
        }
        break;
    default:
        name = cursor_span(&c, cursor_u8(&c));
    }
    put_target(d, name, cursor_u16(&c));
    s->command = (uint8_t)command;
    d->consumed += 3 + (size_t)length;
    return VERDICT_OK;
}

static enum verdict ask(struct dissect *d, struct socks *s, struct span bytes) {
    for (;;) {
        struct span rest = span_from(bytes, d->consumed);
        enum verdict verdict = VERDICT_BROKEN;
        if (rest.len == 0) {
            return VERDICT_OK;
        }
        if (s->command) {
            return more(d, 0); /* what follows the request is held for the next protocol */
        }
        int first = span_byte(rest, 0);
        if (s->version == V4) {
            verdict = ask_v4(d, s, rest);
        } else if (!s->greeted) {
            verdict = greeting_v5(rest) == MATCH_MORE ? more(d, 0) : VERDICT_OK;
            s->greeted = verdict == VERDICT_OK;
            d->consumed += s->greeted ? 2 + (size_t)span_byte(rest, 1) : 0;
        } else if (first == LOGIN) {
            verdict = ask_login(d, rest);
        } else if (first == V5) {
            verdict = ask_v5(d, s, rest);
        }
        if (verdict != VERDICT_OK) {
            return verdict;
        }
    }
}

/* --- what the proxy answers --- */

static enum verdict answer_end(struct dissect *d, struct socks *s, bool granted, size_t length) {
    d->consumed += length;
    if (!granted) {
        dissect_tag(d, "socks:connect-failed");
        return VERDICT_DONE;
    }
    if (s->command == ASSOCIATE) {
        return VERDICT_DONE; /* its datagrams are flows of their own */
    }
    if (s->command == BIND && !s->bound) {
        s->bound = true;
        return VERDICT_OK;
    }
    return VERDICT_HANDOVER;
}

static enum verdict answer_method(struct dissect *d, struct socks *s, struct span rest) {
    int method = span_byte(rest, 1);
    if (span_byte(rest, 0) != V5) {
        return VERDICT_NOT_MINE;
    }
    if (method < 0) {
        return more(d, 2);
    }
    if (method == NONE_FITS) {
        return VERDICT_DONE;
    }
    s->chosen = true;
    s->by_password = method == BY_PASSWORD;
    dissect_protocol(d, "socks");
    if (s->by_password) {
        dissect_tag(d, "socks:password");
    }
    d->consumed += 2;
    return method == NO_LOGIN || s->by_password ? VERDICT_OK : VERDICT_DONE; /* others encrypt what follows */
}

static enum verdict answer_login(struct dissect *d, struct socks *s, struct span rest) {
    if (rest.len < 2) {
        return more(d, 2);
    }
    s->logged_in = true;
    d->consumed += 2;
    if (span_byte(rest, 1) != 0) {
        dissect_tag(d, "socks:auth-failed");
        return VERDICT_DONE;
    }
    return VERDICT_OK;
}

static enum verdict answer_v4(struct dissect *d, struct socks *s, struct span rest) {
    int code = span_byte(rest, 1);
    if (span_byte(rest, 0) != 0 || (code >= 0 && (code < V4_GRANTED || code > V4_LAST))) {
        return VERDICT_NOT_MINE;
    }
    return rest.len < 8 ? more(d, 8) : answer_end(d, s, code == V4_GRANTED, 8);
}

static enum verdict answer_v5(struct dissect *d, struct socks *s, struct span rest) {
    int length = address_length(span_from(rest, 3)), code = span_byte(rest, 1);
    if (span_byte(rest, 0) != V5 || length < 0) {
        return VERDICT_BROKEN;
    }
    if (length == 0 || rest.len < 3 + (size_t)length) {
        return more(d, length ? 3 + (size_t)length : 0);
    }
    return answer_end(d, s, code == 0, 3 + (size_t)length);
}

static enum verdict answer(struct dissect *d, struct socks *s, struct span bytes) {
    for (;;) {
        struct span rest = span_from(bytes, d->consumed);
        bool asked = s->version == V4 || s->chosen ? s->command != 0 : s->greeted;
        bool login = s->by_password && !s->logged_in;
        if (rest.len == 0) {
            return VERDICT_OK;
        }
        if (!asked && !login) {
            return more(d, 0);
        }
        enum verdict verdict = s->version == V4 ? answer_v4(d, s, rest)
                               : !s->chosen     ? answer_method(d, s, rest)
                               : login          ? answer_login(d, s, rest)
                                                : answer_v5(d, s, rest);
        if (verdict != VERDICT_OK) {
            return verdict;
        }
    }
}

static enum verdict socks_stream(struct dissect *d, struct span bytes) {
    struct socks *s = d->state;
    if (!s->begun) {
        enum match match = socks_probe(bytes, d);
        if (match == MATCH_MORE && !d->at_end) {
            return more(d, 0);
        }
        if (match != MATCH_YES) {
            return VERDICT_OK; /* said before the other side asked */
        }
        s->begun = true;
        s->asker = d->side;
        s->version = (uint8_t)span_byte(bytes, 0);
    }
    return d->side == s->asker ? ask(d, s, bytes) : answer(d, s, bytes);
}

static const struct hint hints[] = {
    {.kind = HINT_TCP_BYTES, .bytes = "\x05", .length = 1},
    {.kind = HINT_TCP_BYTES, .bytes = "\x04", .length = 1},
};

const struct dissector dissector_socks = {
    .name = "socks",
    .title = "SOCKS",
    .spec = "RFC 1928",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .state_size = sizeof(struct socks),
    .silent = true,
    .probe = socks_probe,
    .stream = socks_stream,
};
