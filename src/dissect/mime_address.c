/* mime_address.c: addresses of mail headers (RFC 5322 3.4) and the trail of Received headers (RFC 5321 4.4).
 *
 * Received headers are free text in practice, so they are searched for the words "from" and "by" and for brackets
 * rather than parsed; each program writes them in its own way.
 */
#include "base/util.h"
#include "dissect/mime.h"
#include "dissect/text.h"

struct span mime_between(struct span text, uint8_t open, uint8_t close) {
    text = span_trim(text);
    if (span_byte(text, 0) != open) {
        return text;
    }
    text = span_from(text, 1);
    return span_sub(text, 0, span_find_byte(text, 0, close));
}

/* Length of the address at the front of a list: up to a comma outside quotes, comments and angle brackets. */
static size_t address_length(struct span list, size_t *ret_angle) {
    bool quoted = false, angle = false;
    unsigned comments = 0;
    size_t i = 0;
    *ret_angle = SPAN_NONE;
    for (; i < list.len; i++) {
        int c = span_byte(list, i);
        if (c == '\\') {
            i++;
        } else if (c == '"' && !comments) {
            quoted = !quoted;
        } else if (quoted) {
            continue;
        } else if (c == '(') {
            comments++;
        } else if (c == ')') {
            comments -= comments > 0;
        } else if (comments) {
            continue;
        } else if (c == '<') {
            angle = true;
            *ret_angle = i;
        } else if (c == '>') {
            angle = false;
        } else if (c == ',' && !angle) {
            break;
        }
    }
    return MIN(i, list.len);
}

void mime_put_addresses(struct dissect *email, unsigned field, struct span value) {
    for (struct span rest = value; rest.len;) {
        size_t angle, len = address_length(rest, &angle);
        struct span one = span_sub(rest, 0, len), address = span_trim(one);
        if (angle != SPAN_NONE) {
            address = mime_between(span_from(one, angle), '<', '>');
        } else if (span_byte(address, address.len - 1) == ')') { /* joe@example.org (Joe) */
            address = span_trim(span_sub(address, 0, span_find_byte(address, 0, '(')));
        }
        bool group = span_byte(address, address.len - 1) == ';'; /* undisclosed-recipients:; */
        if (address.len && !group) {
            put_text(email, field, address);
        }
        rest = span_from(rest, len + 1);
    }
}

void mime_put_ip(struct dissect *email, struct span text) {
    uint8_t ip[16], plain[64];
    size_t len = 0;
    text = mime_between(text, '[', ']');
    if (span_starts_fold(text, SPAN_LITERAL("IPv6:"))) {
        text = span_from(text, 5);
    }
    bool number_begins = true, colons = span_find_byte(text, 0, ':') != SPAN_NONE;
    for (size_t i = 0; i < text.len && len < sizeof(plain); i++) {
        int c = span_byte(text, i), next = span_byte(text, i + 1);
        if (c == '0' && number_begins && !colons && next >= '0' && next <= '9') {
            continue;
        }
        plain[len++] = (uint8_t)c;
        number_begins = c == '.';
    }
    if (text_ip(span_make(plain, len), ip)) {
        put_ip(email, EMAIL_IP, ip);
    }
}

static bool is_blank(int c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Does the word `word` with a blank behind it stand at `i`, and no letter, digit or hyphen before it? */
static bool word_at(struct span s, size_t i, struct span word) {
    int before = i ? span_byte(s, i - 1) : ' ', lower = before | 0x20;
    bool joined = (lower >= 'a' && lower <= 'z') || (before >= '0' && before <= '9') || before == '-';
    return !joined && is_blank(span_byte(s, i + word.len)) && span_equal(span_sub(s, i, word.len), word);
}

/* The host name at `i` (of user@host the host) is put; returns the index behind it. */
static size_t put_host(struct dissect *email, struct span s, size_t i) {
    size_t from = i;
    for (; i < s.len && !is_blank(span_byte(s, i)) && span_byte(s, i) != ')' && span_byte(s, i) != ';'; i++) {
        if (span_byte(s, i) == '@') {
            from = i + 1;
        }
    }
    if (i > from) {
        put_text(email, EMAIL_HOST, span_sub(s, from, i - from));
    }
    return i;
}

void mime_put_received(struct dissect *email, struct span value) {
    for (size_t i = 0; i < value.len; i++) {
        size_t word = word_at(value, i, SPAN_LITERAL("from")) ? 4 : word_at(value, i, SPAN_LITERAL("by")) ? 2 : 0;
        if (word) {
            for (i += word; is_blank(span_byte(value, i)); i++) {
            }
            if (span_byte(value, i) != '[') {
                i = put_host(email, value, i);
            }
        }
        if (span_byte(value, i) == '[') {
            size_t end = MIN(span_find_byte(value, i, ']'), value.len);
            mime_put_ip(email, span_sub(value, i + 1, end - i - 1));
            i = end;
        }
    }
}
