/* smtp.c: the Simple Mail Transfer Protocol (RFC 5321) with chunking (RFC 3030), authentication (RFC 4954) and STARTTLS
 * (RFC 3207). The mail itself is read by mime.c.
 *
 * Both sides are read by the same code: a line that begins with three digits is a reply, any other a command, so it
 * does not matter who opened the connection or whether one side was captured. What a command expects waits for the
 * reply only where the reply changes what the following bytes are.
 */
#include "base/util.h"
#include "dissect/list.h"
#include "dissect/magic.h"
#include "dissect/mime.h"
#include "dissect/ntlm.h"
#include "dissect/smtp_auth.h"
#include "dissect/text.h"

enum { COMMAND_MAX = 12288, CARRY_MAX = 1000 }; /* RFC 4954 4: base64 lines of 12288; RFC 5321: text lines of 1000 */

static const struct setting settings[] = {
    {.name = "parseSMTPHeaderAll",
     .type = ST_BOOL,
     .offset = SETTING(mime_settings, header_all),
     .fallback = "false",
     .help = "Record the values of all mail headers that have no field of their own"},
    {.name = "supportSha256",
     .type = ST_BOOL,
     .offset = SETTING(mime_settings, sha256),
     .fallback = "false",
     .help = "Record SHA-256 digests beside MD5"},
    {.name = "smtpIpHeaders",
     .type = ST_LIST,
     .offset = SETTING(mime_settings, ip_headers),
     .fallback = "",
     .help = "Mail headers that hold an IP address, separated by `;`, for example X-Originating-IP:"},
    {.name = "magicMode",
     .type = ST_CHOICE,
     .offset = SETTING(mime_settings, magic_mode),
     .fallback = "both",
     .choices = MAGIC_MODES,
     .help = "How the type of a file is found from its first bytes"},
};

enum mode {
    MODE_LINES, /* commands or replies */
    MODE_SKIP,  /* the rest of a line that is too long, or was cut by a gap */
    MODE_DATA,  /* a mail, until a dot */
    MODE_CHUNK, /* a mail, `left` bytes of it */
    MODE_LOGIN_USER,
    MODE_LOGIN_PASSWORD,
    MODE_PLAIN,
    MODE_CRAM,
    MODE_OAUTH,
    MODE_NTLM,
    MODE_TLS, /* STARTTLS was sent */
};

struct smtp_side {
    uint8_t mode;
    bool wants_status; /* a mail was sent: the next final reply says what became of it */
    bool refused;      /* DATA was answered with an error, perhaps that of an earlier command */
    bool chunking;     /* further chunks belong to the same mail */
    bool last_chunk;
    uint64_t left; /* bytes of the chunk */
};

struct smtp_state {
    struct smtp_side side[2];
    struct mime mail; /* only one side sends mail at a time */
    uint16_t carried; /* the unfinished line at the end of a chunk */
    uint8_t carry[CARRY_MAX];
};

/* One call. */
struct talk {
    struct dissect *d;
    struct smtp_state *s;
    struct smtp_side *me, *peer;
    struct dissect email;
    struct mime_reader reader;
    bool handover;
};

static void mail_begin(struct talk *t) {
    mime_drop(&t->s->mail, t->d->runs);
    t->s->mail = (struct mime){0};
    t->s->carried = 0;
    t->me->refused = false;
}

static void mail_end(struct talk *t) {
    mime_end(&t->reader);
    t->me->mode = MODE_LINES;
    t->me->chunking = false;
    t->me->wants_status = true;
}

/* --- replies --- */

static void put_status(struct talk *t, unsigned code) {
    char tag[] = "smtp:statuscode:000";
    for (size_t i = sizeof(tag) - 2; code; i--, code /= 10) {
        tag[i] = (char)('0' + code % 10);
    }
    dissect_tag_text(t->d, span_make(tag, sizeof(tag) - 1));
}

/* `rest`: the line behind the code. */
static void read_reply(struct talk *t, unsigned code, struct span rest) {
    struct smtp_side *peer = t->peer;
    bool failed = code >= 400;
    if (peer->wants_status && code / 100 != 3) {
        peer->wants_status = false;
        put_status(t, code);
    }
    switch (peer->mode) {
    case MODE_TLS:
        t->handover = code == 220 && span_byte(rest, 0) != '-';
        peer->mode = failed ? MODE_LINES : peer->mode;
        break;
    case MODE_NTLM:
        if (code == 334) {
            (void)ntlm_put_base64(t->d, span_trim(rest));
        }
        __attribute__((fallthrough));
    case MODE_LOGIN_USER:
    case MODE_LOGIN_PASSWORD:
    case MODE_PLAIN:
    case MODE_CRAM:
    case MODE_OAUTH:
        peer->mode = failed || code == 235 ? MODE_LINES : peer->mode;
        break;
    case MODE_DATA:
        if (failed && !t->s->mail.begun) {
            peer->mode = MODE_LINES;
            peer->refused = true;
        }
        break;
    case MODE_LINES:
        if (peer->refused && code == 354) { /* the error before was that of a command sent ahead of DATA */
            peer->mode = MODE_DATA;
            peer->refused = false;
        }
        break;
    default:
        break;
    }
}

/* --- commands --- */

static bool command_is(struct span line, struct span name, struct span *ret_argument) {
    int next = span_byte(line, name.len);
    bool colon = span_byte(name, name.len - 1) == ':';
    if (!span_starts_fold(line, name) || (!colon && next >= 0 && next != ' ' && next != '\t')) {
        return false;
    }
    *ret_argument = span_trim(span_from(line, name.len));
    return true;
}

/* The address of MAIL FROM and RCPT TO; parameters may follow it. */
static void put_path(struct talk *t, unsigned field, struct span argument) {
    struct span address = mime_between(argument, '<', '>');
    if (span_byte(argument, 0) != '<') {
        address = span_sub(address, 0, span_find_byte(address, 0, ' '));
    }
    if (address.len) {
        put_text(&t->email, field, address);
    }
}

/* BDAT size [LAST] (RFC 3030 2). A mail goes on over several of them. */
static void chunk_begin(struct talk *t, struct span argument) {
    struct span size = span_sub(argument, 0, span_find_byte(argument, 0, ' '));
    struct span rest = span_trim(span_from(argument, size.len));
    uint64_t left;
    if (!span_decimal(size, UINT32_MAX, &left) || (rest.len && !span_equal_fold(rest, SPAN_LITERAL("last")))) {
        dissect_tag(t->d, "smtp:bad-bdat");
        return;
    }
    if (!t->me->chunking) {
        mail_begin(t);
    }
    t->me->left = left;
    t->me->chunking = true;
    t->me->last_chunk = rest.len != 0;
    t->me->mode = MODE_CHUNK;
    if (left == 0) {
        if (t->me->last_chunk) {
            mail_end(t);
        } else {
            t->me->mode = MODE_LINES;
        }
    }
}

/* A line of an authentication exchange, or the initial response of AUTH. */
static void read_secret(struct talk *t, struct span line) {
    struct arena *scratch = t->d->scratch;
    struct span user = {0};
    bool last = true, found = false;
    switch (t->me->mode) {
    case MODE_LOGIN_USER:
        found = auth_login_user(scratch, line, &user);
        t->me->mode = MODE_LOGIN_PASSWORD;
        last = false;
        break;
    case MODE_PLAIN:
        found = auth_plain_user(scratch, line, &user);
        break;
    case MODE_CRAM:
        found = auth_cram_user(scratch, line, &user);
        break;
    case MODE_OAUTH:
        found = auth_oauth_user(scratch, line, &user);
        break;
    default: /* a password */
        break;
    }
    if (found) {
        dissect_user(t->d, user);
    }
    if (last || span_is(line, "*")) {
        t->me->mode = MODE_LINES;
    }
}

static void begin_auth(struct talk *t, struct span argument) {
    static const struct {
        struct span name;
        const char *tag;
        enum mode mode;
    } mechanisms[] = {
        {{(const uint8_t *)"LOGIN", 5}, "smtp:authlogin", MODE_LOGIN_USER},
        {{(const uint8_t *)"PLAIN", 5}, "smtp:authplain", MODE_PLAIN},
        {{(const uint8_t *)"NTLM", 4}, "smtp:authntlm", MODE_NTLM},
        {{(const uint8_t *)"CRAM-MD5", 8}, NULL, MODE_CRAM},
        {{(const uint8_t *)"XOAUTH2", 7}, NULL, MODE_OAUTH},
    };
    for (size_t i = 0; i < ARRAY_LEN(mechanisms); i++) {
        struct span initial;
        if (command_is(argument, mechanisms[i].name, &initial)) {
            if (mechanisms[i].tag) {
                dissect_tag(t->d, mechanisms[i].tag);
            }
            t->me->mode = (uint8_t)mechanisms[i].mode;
            if (initial.len && t->me->mode == MODE_NTLM) {
                (void)ntlm_put_base64(t->d, initial);
            } else if (initial.len) {
                read_secret(t, initial);
            }
            return;
        }
    }
}

static void read_command(struct talk *t, struct span line) {
    struct span argument;
    if (command_is(line, SPAN_LITERAL("EHLO"), &argument) || command_is(line, SPAN_LITERAL("HELO"), &argument)) {
        if (argument.len) {
            put_text(&t->email, EMAIL_SMTP_HELLO, argument);
        }
    } else if (command_is(line, SPAN_LITERAL("MAIL FROM:"), &argument)) {
        put_path(t, EMAIL_SRC, argument);
    } else if (command_is(line, SPAN_LITERAL("RCPT TO:"), &argument)) {
        put_path(t, EMAIL_DST, argument);
    } else if (command_is(line, SPAN_LITERAL("DATA"), &argument)) {
        mail_begin(t);
        t->me->mode = MODE_DATA;
    } else if (command_is(line, SPAN_LITERAL("BDAT"), &argument)) {
        chunk_begin(t, argument);
    } else if (command_is(line, SPAN_LITERAL("AUTH"), &argument)) {
        begin_auth(t, argument);
    } else if (command_is(line, SPAN_LITERAL("STARTTLS"), &argument)) {
        dissect_tag(t->d, "smtp:starttls");
        t->me->mode = MODE_TLS;
    } else if (command_is(line, SPAN_LITERAL("RSET"), &argument)) {
        t->me->chunking = false;
    }
}

static bool is_reply(struct span line, unsigned *ret_code) {
    unsigned code = 0;
    for (size_t i = 0; i < 3; i++) {
        int c = span_byte(line, i);
        if (c < '0' || c > '9') {
            return false;
        }
        code = 10 * code + (unsigned)(c - '0');
    }
    int next = span_byte(line, 3);
    *ret_code = code;
    return next < 0 || next == ' ' || next == '-';
}

static void read_talk(struct talk *t, struct span line) {
    unsigned code;
    switch (t->me->mode) {
    case MODE_LOGIN_USER:
    case MODE_LOGIN_PASSWORD:
    case MODE_PLAIN:
    case MODE_CRAM:
    case MODE_OAUTH:
        read_secret(t, line);
        break;
    case MODE_NTLM:
        if (ntlm_put_base64(t->d, line)) {
            break;
        }
        __attribute__((fallthrough)); /* the exchange is over */
    default:
        t->me->mode = MODE_LINES; /* after STARTTLS: the reply was not seen, and talk goes on in clear */
        if (is_reply(line, &code)) {
            read_reply(t, code, span_from(line, 3));
        } else {
            read_command(t, line);
        }
    }
}

/* --- what the bytes are --- */

/* Each of these returns how many bytes were used; 0 = more are needed. */
static size_t take_line(struct talk *t, struct span s) {
    size_t end = span_find_byte(s, 0, '\n');
    size_t len = end == SPAN_NONE ? s.len : end;
    if (t->me->mode == MODE_SKIP || len > COMMAND_MAX) {
        if (t->me->mode != MODE_SKIP) {
            dissect_tag(t->d, "smtp:line-too-long");
        }
        t->me->mode = end == SPAN_NONE ? MODE_SKIP : MODE_LINES;
        return len + (end != SPAN_NONE);
    }
    if (end == SPAN_NONE) {
        return 0;
    }
    len -= len > 0 && span_byte(s, len - 1) == '\r';
    read_talk(t, span_sub(s, 0, len));
    return end + 1;
}

static size_t take_data(struct talk *t, struct span s) {
    t->reader.dotted = true;
    size_t used = mime_read(&t->reader, s, t->d->at_end);
    if (t->reader.ended) {
        t->reader.ended = false;
        mail_end(t);
    }
    return used;
}

/* Keeps the unfinished line at the end of a chunk for the next one. */
static void carry_keep(struct talk *t, struct span rest) {
    struct smtp_state *s = t->s;
    if (rest.len > CARRY_MAX) { /* longer than a line may be: it ends here */
        (void)mime_read(&t->reader, rest, true);
        rest = (struct span){0};
    }
    s->carried = (uint16_t)text_copy(s->carry, CARRY_MAX, rest);
}

static size_t take_chunk(struct talk *t, struct span s) {
    struct smtp_state *state = t->s;
    size_t carried = state->carried;
    struct span part = span_sub(s, 0, t->me->left);
    bool whole = part.len == t->me->left, last = whole && t->me->last_chunk;
    struct span joined = part;
    if (carried) {
        uint8_t *both = arena_alloc(t->d->scratch, carried + part.len);
        if (both) {
            (void)text_copy(both, carried, span_make(state->carry, carried));
            (void)text_copy(both + carried, part.len, part);
            joined = span_make(both, carried + part.len);
        }
        carried = joined.len - part.len;
    }
    t->reader.dotted = false;
    size_t used = mime_read(&t->reader, joined, last || t->d->at_end);
    if (!whole && used < carried) {
        state->carried = (uint16_t)text_copy(state->carry, CARRY_MAX, span_sub(joined, used, carried - used));
        return 0;
    }
    state->carried = 0;
    size_t taken = whole ? part.len : used - carried;
    t->me->left -= taken;
    if (whole) {
        if (last) {
            mail_end(t);
        } else {
            carry_keep(t, span_from(joined, used));
            t->me->mode = MODE_LINES;
        }
    }
    return taken;
}

static size_t take(struct talk *t, struct span s) {
    switch (t->me->mode) {
    case MODE_DATA:
        return take_data(t, s);
    case MODE_CHUNK:
        return take_chunk(t, s);
    case MODE_TLS:
        if (span_byte(s, 0) == 0x16) { /* a TLS handshake; the reply was not captured */
            t->handover = true;
            return 0;
        }
        return take_line(t, s);
    default:
        return take_line(t, s);
    }
}

static void after_gap(struct talk *t) {
    struct smtp_side *me = t->me;
    t->s->carried = 0;
    switch (me->mode) {
    case MODE_CHUNK:
        mime_gap(&t->reader);
        if (t->d->gap && t->d->gap < me->left) {
            me->left -= t->d->gap;
        } else {
            me->mode = MODE_SKIP;
        }
        break;
    case MODE_DATA:
        mime_gap(&t->reader);
        break;
    case MODE_TLS:
        break;
    default:
        me->mode = MODE_SKIP;
    }
}

static enum verdict smtp_stream(struct dissect *d, struct span bytes) {
    struct smtp_state *s = d->state;
    struct talk t = {.d = d, .s = s, .me = &s->side[d->side], .peer = &s->side[!d->side]};
    t.email = dissect_as(d, DISSECTOR_EMAIL);
    t.reader = (struct mime_reader){.m = &s->mail,
                                    .email = &t.email,
                                    .settings = d->settings,
                                    .headers = d->shared,
                                    .long_tag = "smtp:line-too-long",
                                    .subject_tag = "smtp:missing-subject-space"};
    size_t used = 0;
    if (d->gap_before) {
        after_gap(&t);
    }
    while (used < bytes.len && !t.handover) {
        size_t n = take(&t, span_from(bytes, used));
        if (n == 0) {
            break;
        }
        used += n;
    }
    d->consumed = used;
    if (t.handover) {
        mime_drop(&s->mail, d->runs);
        return VERDICT_HANDOVER;
    }
    return used == bytes.len || d->at_end ? VERDICT_OK : VERDICT_MORE;
}

static void smtp_end(struct dissect *d, bool final) {
    struct smtp_state *s = d->state;
    if (final) {
        mime_drop(&s->mail, d->runs);
    }
}

/* A greeting may have several lines; one of them names the protocol. */
static enum match smtp_probe(struct span first, const struct dissect *d) {
    (void)d;
    if (span_starts_fold(first, SPAN_LITERAL("HELO ")) || span_starts_fold(first, SPAN_LITERAL("EHLO "))) {
        return MATCH_YES;
    }
    if (first.len < 5) {
        return MATCH_MORE;
    }
    if (!span_starts(first, SPAN_LITERAL("220 ")) && !span_starts(first, SPAN_LITERAL("220-"))) {
        return MATCH_NO;
    }
    struct span line, rest = span_sub(first, 0, PROBE_MAX);
    while (span_line(&rest, &line)) {
        if (span_find(line, SPAN_LITERAL("SMTP")) != SPAN_NONE) {
            return MATCH_YES;
        }
        if (!span_starts(line, SPAN_LITERAL("220-"))) {
            return MATCH_NO;
        }
    }
    return span_find(rest, SPAN_LITERAL("SMTP")) != SPAN_NONE ? MATCH_YES : MATCH_MORE;
}

static int smtp_prepare(struct dissect_setup *setup, void **ret_shared, struct err *ret_err) {
    struct header_table *table;
    int r = mime_headers_new(setup, setup->settings, &table, ret_err);
    if (r == 0) {
        *ret_shared = table;
    }
    return r;
}

static void smtp_release(void *shared) {
    (void)header_table_free(shared);
}

static const struct hint hints[] = {
    {.kind = HINT_TCP_BYTES, .bytes = "HELO ", .length = 5}, {.kind = HINT_TCP_BYTES, .bytes = "EHLO ", .length = 5},
    {.kind = HINT_TCP_BYTES, .bytes = "helo ", .length = 5}, {.kind = HINT_TCP_BYTES, .bytes = "ehlo ", .length = 5},
    {.kind = HINT_TCP_BYTES, .bytes = "220 ", .length = 4},  {.kind = HINT_TCP_BYTES, .bytes = "220-", .length = 4},
};

const struct dissector dissector_smtp = {
    .name = "smtp",
    .title = "SMTP",
    .spec = "RFC 5321",
    .hints = hints,
    .hint_count = ARRAY_LEN(hints),
    .state_size = sizeof(struct smtp_state),
    .buffer_max = MIME_HEADER_MAX + 0x10000, /* a header, and the segment that completes it */
    .takes_gaps = true,
    .probe = smtp_probe,
    .stream = smtp_stream,
    .end = smtp_end,
    .settings = settings,
    .setting_count = ARRAY_LEN(settings),
    .settings_size = sizeof(struct mime_settings),
    .prepare = smtp_prepare,
    .release = smtp_release,
};
