/* mime_header.c: which header goes into which field, and what the headers of a part say about its content (RFC 2045,
 * RFC 2183).
 */
#include <errno.h>

#include "base/hash.h"
#include "base/util.h"
#include "dissect/mime.h"
#include "dissect/mime_text.h"
#include "dissect/text.h"

static const struct {
    const char *name;
    enum mime_use use;
} uses[] = {
    {"from", MIME_USE_SRC},
    {"to", MIME_USE_DST},
    {"cc", MIME_USE_DST},
    {"message-id", MIME_USE_ID},
    {"subject", MIME_USE_SUBJECT},
    {"content-type", MIME_USE_CONTENT_TYPE},
    {"x-mailer", MIME_USE_AGENT},
    {"user-agent", MIME_USE_AGENT},
    {"received", MIME_USE_RECEIVED},
    {"mime-version", MIME_USE_VERSION},
};

static const struct header_family family = {
    .section = "headers-email",
    .path = "email.header-",
    .expression = "email.",
    .title = "Email Header ",
    .owner = "email",
};

/* A header of the setting smtpIpHeaders, which may end in a colon. */
static int add_ip_header(struct dissect_setup *setup, struct header_table *t, const char *name) {
    char lower[HEADER_NAME_MAX];
    struct span text = span_trim(span_text(name));
    if (span_byte(text, text.len - 1) == ':') {
        text.len--;
    }
    size_t len = text_copy((uint8_t *)lower, sizeof(lower), text);
    if (len < text.len || len == 0) {
        return -EINVAL;
    }
    for (size_t i = 0; i < len; i++) {
        lower[i] = (char)(lower[i] >= 'A' && lower[i] <= 'Z' ? lower[i] | 0x20 : lower[i]);
    }
    if (header_table_find(t, 0, span_make(lower, len))) {
        return 0; /* its value has a field of its own */
    }
    const char *copy = config_strdup(setup->config, lower, len);
    return copy ? header_table_add(t, 0, copy, MIME_USE_IP) : -ENOMEM;
}

int mime_headers_new(struct dissect_setup *setup, const struct mime_settings *settings, struct header_table **ret,
                     struct err *ret_err) {
    struct header_table *t = header_table_new();
    if (!t) {
        return err_set(ret_err, -ENOMEM, "no memory for the table of mail headers");
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(uses); i++) {
        r = header_table_add(t, 0, uses[i].name, uses[i].use);
    }
    if (r == 0) {
        r = header_table_configure(t, 0, &family, setup, ret_err);
    }
    for (size_t i = 0; r == 0 && i < settings->ip_headers.count; i++) {
        r = add_ip_header(setup, t, settings->ip_headers.items[i]);
        if (r < 0) {
            err_set(ret_err, r, "smtpIpHeaders: %.60s is no header name", settings->ip_headers.items[i]);
        }
    }
    if (r < 0) {
        (void)header_table_free(t);
        return r;
    }
    *ret = t;
    return 0;
}

/* --- parameters of Content-Type and Content-Disposition --- */

/* The text of a quoted string behind its first quote. A backslash only hides a quote: file names have others in them.
 */
static struct span unquoted(struct arena *scratch, struct span s) {
    size_t end = 0, len = 0, hidden = 0;
    for (; end < s.len && span_byte(s, end) != '"'; end++) {
        if (span_byte(s, end) == '\\' && span_byte(s, end + 1) == '"') {
            end++;
            hidden++;
        }
    }
    end = MIN(end, s.len);
    uint8_t *to = hidden ? arena_alloc(scratch, end) : NULL;
    if (!to) {
        return span_sub(s, 0, end);
    }
    for (size_t i = 0; i < end; i++) {
        if (span_byte(s, i) != '\\' || span_byte(s, i + 1) != '"') {
            to[len++] = (uint8_t)span_byte(s, i);
        }
    }
    return span_make(to, len);
}

/* The value of the parameter `name` ("boundary="), quoted or not. False when there is none or it is empty. */
static bool parameter(struct arena *scratch, struct span header, struct span name, struct span *ret) {
    size_t at = span_find_fold(header, name);
    if (at == SPAN_NONE) {
        return false;
    }
    struct span value = span_from(header, at + name.len);
    while (span_byte(value, 0) == ' ' || span_byte(value, 0) == '\t') {
        value = span_from(value, 1);
    }
    if (span_byte(value, 0) == '"') {
        *ret = unquoted(scratch, span_from(value, 1));
    } else {
        *ret = span_trim(span_sub(value, 0, span_find_byte(value, 0, ';')));
    }
    return ret->len > 0;
}

static void note_boundary(struct mime_reader *r, struct span header) {
    struct mime *m = r->m;
    struct span boundary;
    if (!parameter(r->email->scratch, header, SPAN_LITERAL("boundary="), &boundary) || boundary.len > UINT8_MAX) {
        return;
    }
    uint64_t hash = hash_bytes(boundary.at, boundary.len, 0);
    for (unsigned i = 0; i < m->boundary_count; i++) {
        if (m->boundaries[i].hash == hash) {
            return;
        }
    }
    if (m->boundary_count < MIME_DEPTH) {
        m->boundaries[m->boundary_count++] = (struct mime_boundary){hash, (uint8_t)boundary.len};
    }
}

/* RFC 2231 4: charset'language'percent-escaped text. */
static bool extended_name(struct arena *scratch, struct span value, struct span *ret) {
    size_t first = span_find_byte(value, 0, '\''), second = span_find_byte(value, first + 1, '\'');
    struct span bytes;
    return first != SPAN_NONE && second != SPAN_NONE && text_percent(scratch, span_from(value, second + 1), &bytes) &&
           mime_charset(scratch, span_sub(value, 0, first), bytes, ret);
}

/* --- headers --- */

/* `text` is "name: value"; the value keeps its blanks. */
static bool header_split(struct span text, struct span *ret_name, struct span *ret_value) {
    size_t colon = span_find_byte(text, 0, ':');
    if (colon == SPAN_NONE) {
        return false;
    }
    *ret_name = span_sub(text, 0, colon);
    *ret_value = span_from(text, colon + 1);
    return true;
}

static struct span skip_blanks(struct span s) {
    while (span_byte(s, 0) == ' ' || span_byte(s, 0) == '\t') {
        s = span_from(s, 1);
    }
    return s;
}

static void put_subject(struct mime_reader *r, struct span value) {
    if (span_byte(value, 0) == ' ') {
        value = span_from(value, 1);
    } else {
        dissect_tag(r->email, r->subject_tag);
    }
    put_text(r->email, EMAIL_SUBJECT, mime_words(r->email->scratch, value));
}

static void put_use(struct mime_reader *r, enum mime_use use, struct span value) {
    struct dissect *email = r->email;
    switch (use) {
    case MIME_USE_SRC:
        mime_put_addresses(email, EMAIL_SRC, value);
        break;
    case MIME_USE_DST:
        mime_put_addresses(email, EMAIL_DST, value);
        break;
    case MIME_USE_ID:
        put_text(email, EMAIL_ID, mime_between(value, '<', '>'));
        break;
    case MIME_USE_SUBJECT:
        put_subject(r, value);
        break;
    case MIME_USE_CONTENT_TYPE:
        put_text(email, EMAIL_CONTENT_TYPE, skip_blanks(value));
        note_boundary(r, value);
        break;
    case MIME_USE_AGENT:
        put_text(email, EMAIL_AGENT, skip_blanks(value));
        break;
    case MIME_USE_VERSION:
        put_text(email, EMAIL_MIME_VERSION, skip_blanks(value));
        break;
    case MIME_USE_RECEIVED:
        mime_put_received(email, value);
        break;
    case MIME_USE_IP:
        mime_put_ip(email, value);
        break;
    case MIME_USE_NONE:
        break;
    }
}

/* A header the configuration asked for; numbers and addresses may have text behind them. */
static void put_configured(struct dissect *email, const struct header_rule *rule, struct span value) {
    struct span rest = span_trim(value);
    size_t digits = 0;
    switch (rule->type) {
    case FT_U64:
        while (span_byte(rest, digits) >= '0' && span_byte(rest, digits) <= '9') {
            digits++;
        }
        (void)header_rule_put(email, rule, span_sub(rest, 0, digits));
        break;
    case FT_IP:
        while (rest.len) {
            size_t comma = span_find_byte(rest, 0, ',');
            (void)header_rule_put(email, rule, span_trim(span_sub(rest, 0, comma)));
            rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
        }
        break;
    default:
        (void)header_rule_put(email, rule, skip_blanks(value));
    }
}

void mime_header(struct mime_reader *r, struct span text) {
    struct span name, value;
    if (!header_split(text, &name, &value)) {
        return;
    }
    put_text(r->email, EMAIL_HEADER, name);
    const struct header_rule *rule = header_table_find(r->headers, 0, name);
    if (rule) {
        put_use(r, (enum mime_use)rule->use, value);
        if (rule->field != FIELD_NONE) {
            put_configured(r->email, rule, value);
        }
    } else if (r->settings->header_all) {
        put_text(r->email, EMAIL_HEADER_FIELD, name);
        put_text(r->email, EMAIL_HEADER_VALUE, skip_blanks(value));
    }
}

void mime_part_header(struct mime_reader *r, struct span text) {
    struct mime *m = r->m;
    struct arena *scratch = r->email->scratch;
    struct span name, value, file;
    if (!header_split(text, &name, &value)) {
        return;
    }
    if (span_equal_fold(name, SPAN_LITERAL("content-type"))) {
        struct span type = span_trim(span_sub(value, 0, span_find_byte(value, 0, ';')));
        m->message = span_equal_fold(type, SPAN_LITERAL("message/rfc822"));
        m->type_len = (uint8_t)text_copy(m->type, sizeof(m->type), type);
        note_boundary(r, value);
    } else if (span_equal_fold(name, SPAN_LITERAL("content-disposition"))) {
        if (parameter(scratch, value, SPAN_LITERAL("filename="), &file)) {
            put_text(r->email, EMAIL_FILENAME, mime_words(scratch, file));
            m->attachment = true;
        } else if (parameter(scratch, value, SPAN_LITERAL("filename*="), &file)) {
            if (extended_name(scratch, file, &file)) {
                put_text(r->email, EMAIL_FILENAME, file);
            }
            m->attachment = true;
        }
    } else if (span_equal_fold(name, SPAN_LITERAL("content-transfer-encoding"))) {
        if (span_find_fold(value, SPAN_LITERAL("base64")) != SPAN_NONE) {
            m->coding = MIME_BASE64;
        } else if (span_find_fold(value, SPAN_LITERAL("quoted-printable")) != SPAN_NONE) {
            m->coding = MIME_QUOTED;
        }
    }
}
