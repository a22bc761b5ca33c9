/* tls.c: TLS over a stream: records to handshake messages, up to where the handshake is encrypted or over.
 *
 * RFC 8446 (1.3), 5246, 4346, 2246 (1.2 to 1.0), 6101 (SSL 3.0). Nothing is stored between calls but where the reader
 * stands: an unfinished message stays with the framework (VERDICT_MORE) and is put together in scratch memory once all
 * of its records are there. Messages nobody reads are skipped as they come. As soon as neither side can say anything
 * more in the clear the session is let go (VERDICT_DONE), for reassembling the rest would cost more than all of this.
 */
#include "dissect/tls.h"

#include "base/util.h"
#include "dissect/cert.h"
#include "dissect/tls_fields.h"

static const struct field_def fields[] = {
    [TLS_VERSION] = {"tls.version", "tls.version", FT_KEYWORD, F_COUNT, "Version", "Version of SSL or TLS negotiated"},
    [TLS_CIPHER] = {"tls.cipher", "tls.cipher", FT_UPPER, F_COUNT, "Cipher", "Cipher suite the server chose"},
    [TLS_JA3] = {"tls.ja3", "tls.ja3", FT_LOWER, F_COUNT, "JA3", "JA3: fingerprint of the client"},
    [TLS_JA3_STRING] = {"tls.ja3string", "tls.ja3string", FT_LOWER, F_COUNT, "JA3STR", "What the JA3 is a digest of"},
    [TLS_JA3S] = {"tls.ja3s", "tls.ja3s", FT_LOWER, F_COUNT, "JA3S", "JA3S: fingerprint of the server's answer"},
    [TLS_JA3S_STRING] = {"tls.ja3sstring", "tls.ja3sstring", FT_LOWER, F_COUNT, "JA3SSTR",
                         "What the JA3S is a digest of"},
    [TLS_JA4] = {"tls.ja4", "tls.ja4", FT_KEYWORD, F_COUNT, "JA4", "JA4: fingerprint of the client"},
    [TLS_JA4_RAW] = {"tls.ja4_r", "tls.ja4_r", FT_KEYWORD, F_COUNT, "JA4_r", "JA4 before its parts are digested"},
    [TLS_SRC_SESSION_ID] = {"tls.srcSessionId", "tls.sessionid.src", FT_LOWER, 0, "Src Session Id",
                            "Session id the client sent"},
    [TLS_DST_SESSION_ID] = {"tls.dstSessionId", "tls.sessionid.dst", FT_LOWER, 0, "Dst Session Id",
                            "Session id the server sent"},
    [TLS_ANY_SESSION_ID] = {"tlsidall", "tls.sessionid", FT_UNION, F_VIRTUAL, "Src or Dst Session Id",
                            "Session id of either side", .members = "tls.sessionid.src,tls.sessionid.dst"},
};

static const struct setting settings[] = {
    {"ja3Strings", ST_BOOL, SETTING(tls_settings, ja3_strings), "false", 0, 0, NULL,
     "Keep the strings JA3 and JA3S are digests of (tls.ja3string, tls.ja3sstring)", NULL},
    {"ja4Raw", ST_BOOL, SETTING(tls_settings, ja4_raw), "false", 0, 0, NULL,
     "Keep JA4 in its raw form as well (tls.ja4_r)", NULL},
};

enum record_type { CHANGE_CIPHER_SPEC = 20, ALERT, HANDSHAKE, APPLICATION_DATA, HEARTBEAT };

enum {
    RECORD_HEADER = 5,
    RECORD_MAX = 16384 + 2048, /* RFC 5246, 6.2.3 */
    MESSAGE_HEADER = 4,
    MESSAGE_MAX = 64 << 10,
    BUFFER_MAX = 96 << 10, /* a message and the headers of the records it comes in */
    CERTIFICATES_MAX = 64,
    QUIET_MAX = 1 << 20, /* bytes of a finished side after which the other one is not waited for any more */
};

struct tls_side {
    uint32_t record_left; /* bytes of the current record not used yet */
    uint32_t skip;        /* bytes of the current handshake message that nobody reads */
    uint8_t type;         /* of the current record */
    bool done;            /* what follows from this side is encrypted, or no TLS */
};

struct tls_state {
    struct tls_side side[2];
    uint32_t quiet;
    uint8_t server; /* the side that sent a ServerHello */
    bool client_seen, server_seen;
    bool retry;        /* the last ServerHello was a HelloRetryRequest: a second pair of hellos follows */
    bool client_asked; /* for its certificate */
    bool over;         /* the handshake has nothing more to tell */
};

enum step { STEP_ON, STEP_WAIT, STEP_BROKEN };

static enum match tls_probe(struct span first, const struct dissect *d) {
    (void)d;
    struct cursor c = cursor_over(first);
    int type = cursor_peek(&c, 0), major = cursor_peek(&c, 1), minor = cursor_peek(&c, 2);
    int message = cursor_peek(&c, 5);
    if ((type >= 0 && type != HANDSHAKE) || (major >= 0 && major != 3) || minor > 4) {
        return MATCH_NO;
    }
    if (message < 0) {
        return MATCH_MORE;
    }
    return message == TLS_CLIENT_HELLO || message == TLS_SERVER_HELLO ? MATCH_YES : MATCH_NO;
}

bool tls_certificates(struct dissect *d, struct span body) {
    struct cursor c = cursor_over(body);
    struct cursor list = cursor_sub(&c, cursor_u24(&c));
    for (unsigned i = 0; i < CERTIFICATES_MAX && cursor_left(&list); i++) {
        struct span der = cursor_span(&list, cursor_u24(&list));
        if (der.len) {
            cert_put(d, der, i == 0);
        }
    }
    return cursor_ok(&c) && cursor_ok(&list);
}

static bool is_tls13(uint16_t version) {
    return version == 0x0304 || version >> 8 == 0x7f;
}

/* What a message's type alone tells. */
static void note_message(struct tls_state *st, uint8_t type) {
    switch (type) {
    case TLS_CERTIFICATE_REQUEST:
        st->client_asked = true;
        break;
    case TLS_SERVER_HELLO_DONE:
        st->over = !st->client_asked;
        break;
    case TLS_CLIENT_KEY_EXCHANGE: /* follows the client's certificate */
        st->over = true;
        break;
    default:
        break;
    }
}

static bool is_wanted(uint8_t type) {
    return type == TLS_CLIENT_HELLO || type == TLS_SERVER_HELLO || type == TLS_CERTIFICATE;
}

/* A whole message. False when it is damaged. */
static bool read_message(struct dissect *d, uint8_t type, struct span body) {
    struct tls_state *st = d->state;
    struct tls_server_hello hello;
    switch (type) {
    case TLS_CLIENT_HELLO:
        st->client_seen = true;
        return tls_client_hello(d, d->settings, body, 't');
    case TLS_SERVER_HELLO:
        st->server_seen = true;
        st->server = d->side;
        if (!tls_server_hello(d, d->settings, body, &hello)) {
            return false;
        }
        st->retry = hello.retry;
        st->over = is_tls13(hello.version) && !hello.retry;
        return true;
    case TLS_CERTIFICATE:
        return tls_certificates(d, body);
    default:
        return true;
    }
}

struct gathered {
    struct span bytes;
    size_t used;   /* bytes of the input they took */
    uint32_t left; /* of the record they end in */
};

/* The next `need` bytes of handshake, from records as they stand in `in`. STEP_BROKEN: another kind of record stands
 * between. */
static enum step gather(struct dissect *d, const struct tls_side *side, struct span in, size_t need,
                        struct gathered *ret) {
    if (need <= side->record_left) {
        d->wanted = need;
        *ret = (struct gathered){span_sub(in, 0, need), need, side->record_left - (uint32_t)need};
        return in.len < need ? STEP_WAIT : STEP_ON;
    }
    d->wanted = need + RECORD_HEADER; /* it takes one header more at least */
    if (in.len < d->wanted) {
        return STEP_WAIT;
    }
    uint8_t *bytes = arena_alloc(d->scratch, need), *to = bytes;
    if (!bytes) {
        return STEP_BROKEN;
    }
    struct cursor c = cursor_over(in);
    size_t left = side->record_left, rest = need;
    for (;;) {
        size_t part = MIN(MIN(left, rest), cursor_left(&c));
        to = span_copy_to(cursor_span(&c, part), to);
        left -= part;
        rest -= part;
        if (rest == 0) {
            break;
        }
        /* At least the rest is still to come, and a header when the record is at its end. */
        if (left || cursor_left(&c) < RECORD_HEADER) {
            d->wanted = in.len - cursor_left(&c) + rest + (left ? 0 : RECORD_HEADER);
            return STEP_WAIT;
        }
        uint8_t type = cursor_u8(&c);
        cursor_skip(&c, 2);
        left = cursor_u16(&c);
        if (type != HANDSHAKE || left > RECORD_MAX) {
            return STEP_BROKEN;
        }
    }
    *ret = (struct gathered){span_make(bytes, need), in.len - cursor_left(&c), (uint32_t)left};
    return STEP_ON;
}

/* At a handshake message's first byte, inside a record. */
static enum step message_step(struct dissect *d, struct tls_side *side, struct span in, size_t *ret_used) {
    struct gathered got = {0};
    enum step step = gather(d, side, in, MESSAGE_HEADER, &got);
    struct cursor c = cursor_over(got.bytes);
    uint8_t type = cursor_u8(&c);
    uint32_t len = cursor_u24(&c);
    bool wanted = step == STEP_ON && is_wanted(type) && len <= MESSAGE_MAX;
    if (wanted) {
        step = gather(d, side, in, MESSAGE_HEADER + len, &got);
    }
    if (step == STEP_BROKEN) {
        side->done = true;
        return STEP_ON;
    }
    if (step == STEP_WAIT) {
        return STEP_WAIT;
    }
    *ret_used = got.used;
    side->record_left = got.left;
    if (wanted) {
        side->done = !read_message(d, type, span_from(got.bytes, MESSAGE_HEADER));
    } else {
        note_message(d->state, type);
        side->skip = len;
    }
    return STEP_ON;
}

static bool is_record(struct span header) {
    struct cursor c = cursor_over(header);
    uint8_t type = cursor_u8(&c), major = cursor_u8(&c), minor = cursor_u8(&c);
    return type >= CHANGE_CIPHER_SPEC && type <= HEARTBEAT && major == 3 && minor <= 4;
}

/* This side's handshake is encrypted from here on. */
static void side_encrypted(struct dissect *d, struct tls_side *side, bool application_data) {
    struct tls_state *st = d->state;
    side->done = true;
    /* The server speaks last in the clear; a client may send early data before the server's first word. */
    if (st->server_seen && (st->server == d->side || application_data)) {
        st->over = true;
    }
}

static enum step header_step(struct dissect *d, struct tls_side *side, struct span in, size_t *ret_used) {
    const struct tls_state *st = d->state;
    d->wanted = RECORD_HEADER;
    if (in.len < RECORD_HEADER) {
        return STEP_WAIT;
    }
    if (!is_record(span_sub(in, 0, RECORD_HEADER))) {
        side->done = true; /* SSL 2.0, or no TLS at all */
        return STEP_ON;
    }
    struct cursor c = cursor_over(in);
    uint8_t type = cursor_u8(&c);
    cursor_skip(&c, 2);
    uint16_t len = cursor_u16(&c);
    if (len > RECORD_MAX) {
        dissect_tag(d, "tls:record-too-long");
        return STEP_BROKEN;
    }
    if (type == ALERT && len) {
        d->wanted = RECORD_HEADER + 1;
        if (in.len < d->wanted) {
            return STEP_WAIT;
        }
        side->done = cursor_peek(&c, 0) != 1; /* fatal, or encrypted */
    } else if (type == APPLICATION_DATA || (type == CHANGE_CIPHER_SPEC && !st->retry)) {
        side_encrypted(d, side, type == APPLICATION_DATA);
    }
    side->type = type;
    side->record_left = len;
    *ret_used = RECORD_HEADER;
    return STEP_ON;
}

static enum step skip_step(struct tls_side *side, struct span in, size_t *ret_used) {
    size_t part = MIN((size_t)side->record_left, in.len);
    if (side->type == HANDSHAKE) {
        part = MIN(part, (size_t)side->skip);
        side->skip -= (uint32_t)part;
    }
    side->record_left -= (uint32_t)part;
    *ret_used = part;
    return STEP_ON;
}

/* Whether neither side has anything more to tell in the clear. */
static bool is_finished(const struct tls_state *st) {
    return (st->over && (st->client_seen || st->side[!st->server].done)) || (st->side[0].done && st->side[1].done) ||
           st->quiet > QUIET_MAX;
}

static enum verdict tls_stream(struct dissect *d, struct span bytes) {
    struct tls_state *st = d->state;
    struct tls_side *side = &st->side[d->side];
    if (d->gap_before) {
        /* Records often begin where segments do; if this one does not, what follows cannot be read. */
        side->record_left = side->skip = 0;
        side->done |= bytes.len < RECORD_HEADER || !is_record(span_sub(bytes, 0, RECORD_HEADER));
    }
    size_t at = 0;
    while (at < bytes.len && !side->done && !is_finished(st)) {
        struct span in = span_from(bytes, at);
        size_t used = 0;
        enum step step = side->record_left == 0                       ? header_step(d, side, in, &used)
                         : side->type != HANDSHAKE || side->skip != 0 ? skip_step(side, in, &used)
                                                                      : message_step(d, side, in, &used);
        if (step == STEP_BROKEN) {
            return VERDICT_BROKEN;
        }
        if (step == STEP_WAIT) {
            d->consumed = at;
            return VERDICT_MORE;
        }
        at += used;
    }
    if (side->done) {
        st->quiet += (uint32_t)MIN(bytes.len, (size_t)QUIET_MAX);
    }
    return is_finished(st) ? VERDICT_DONE : VERDICT_OK;
}

static const struct hint hints[] = {{HINT_TCP_BYTES, 0, 0, "\x16\x03", 2}};

const struct dissector dissector_tls = {
    .name = "tls",
    .title = "TLS",
    .spec = "RFC 8446, RFC 5246",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .state_size = sizeof(struct tls_state),
    .buffer_max = BUFFER_MAX,
    .takes_gaps = true,
    .probe = tls_probe,
    .stream = tls_stream,
    .settings = settings,
    .setting_count = ARRAY_LEN(settings),
    .settings_size = sizeof(struct tls_settings),
};
