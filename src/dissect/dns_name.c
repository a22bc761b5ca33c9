/* dns_name.c: reads compressed domain names (RFC 1035 4.1.4) and shows them.
 *
 * A name is shown in lower case. Labels of IDNA (RFC 5890) become UTF-8, with the sent form kept beside it. Labels that
 * are UTF-8 already, as multicast DNS has them (RFC 6762 16), stay; other bytes outside printable ASCII are shown as
 * m-x and ^x, so that two different names never look the same. Pointers are followed ten times at most.
 */
#include "dissect/dns_name.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/util.h"
#include "dissect/dns_punycode.h"

enum { POINTERS_MAX = 10, OCTETS_MAX = 255, SHOWN_MAX = 4 * OCTETS_MAX };

/* A name being put together. */
struct draft {
    char text[SHOWN_MAX + PUNYCODE_UTF8_MAX];
    size_t len;
    unsigned octets;
    bool idn;
};

static void shown_byte(struct draft *n, uint8_t byte, bool utf8) {
    if (byte >= 0x80 && !utf8) {
        n->text[n->len++] = 'm';
        n->text[n->len++] = '-';
        byte &= 0x7f;
    }
    if (byte < 0x20 || byte == 0x7f) {
        n->text[n->len++] = '^';
        byte ^= 0x40;
    }
    n->text[n->len++] = (char)(byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte);
}

static void draft_label(struct draft *n, struct span label) {
    if (n->len) {
        n->text[n->len++] = '.';
    }
    bool plain = true;
    char *to = n->text + n->len;
    for (size_t i = 0; i < label.len; i++) {
        unsigned byte = (unsigned)span_byte(label, i);
        plain &= byte - 0x20 < 0x5f;
        to[i] = (char)(byte - 'A' < 26 ? byte | 0x20 : byte);
    }
    if (plain) {
        n->len += label.len;
        n->idn |= to[0] == 'x' && span_starts_fold(label, SPAN_LITERAL("xn--"));
        return;
    }
    bool utf8 = utf8_valid(label);
    for (size_t i = 0; i < label.len; i++) {
        shown_byte(n, (uint8_t)span_byte(label, i), utf8);
    }
}

/* The labels from `c` on, through pointers; `c` ends behind the name's own bytes. */
static enum name_fault labels_read(const struct dns_message *m, struct cursor *c, struct draft *n) {
    struct cursor elsewhere;
    for (unsigned pointers = 0;;) {
        uint8_t len = cursor_u8(c);
        if (len == 0) {
            return cursor_ok(c) ? NAME_FINE : NAME_CUT;
        }
        if (len >= 0xc0) {
            size_t offset = (size_t)(len & 0x3f) << 8 | cursor_u8(c);
            if (!cursor_ok(c) || offset >= m->bytes.len) {
                return NAME_CUT;
            }
            if (pointers++ == POINTERS_MAX) {
                return NAME_LOOP;
            }
            elsewhere = cursor_over(span_from(m->bytes, offset));
            c = &elsewhere;
            continue;
        }
        struct span label = cursor_span(c, len);
        if (!cursor_ok(c) || len > PUNYCODE_LABEL_MAX) {
            return NAME_CUT;
        }
        n->octets += len + 1u;
        if (n->octets > OCTETS_MAX) {
            return NAME_LONG;
        }
        draft_label(n, label);
    }
}

/* The labels of `sent` that begin with xn--, decoded. False when one of them is no Punycode. */
static bool unicode_form(struct span sent, struct draft *n) {
    n->len = 0;
    for (size_t from = 0; from <= sent.len;) {
        size_t dot = MIN(span_find_byte(sent, from, '.'), sent.len);
        struct span label = span_sub(sent, from, dot - from);
        bool encoded = span_starts(label, SPAN_LITERAL("xn--"));
        if (n->len + 1 + (encoded ? PUNYCODE_UTF8_MAX : label.len) > sizeof(n->text)) {
            return false; /* labels with escapes in them can claim more than any real name needs */
        }
        if (n->len) {
            n->text[n->len++] = '.';
        }
        if (encoded) {
            size_t len;
            if (!punycode_decode(span_from(label, 4), n->text + n->len, &len)) {
                return false;
            }
            n->len += len;
        } else {
            for (struct cursor c = cursor_over(label); cursor_left(&c);) {
                n->text[n->len++] = (char)cursor_u8(&c);
            }
        }
        from = dot + 1;
    }
    return true;
}

static enum name_fault name_finish(struct dns_message *m, struct draft *n, struct dns_name *ret) {
    *ret = (struct dns_name){0};
    if (n->octets == 0) {
        ret->root = true;
        ret->text = SPAN_LITERAL(DNS_ROOT);
    } else {
        ret->text = arena_copy(m->scratch, span_make(n->text, n->len));
        if (n->idn) {
            ret->puny = ret->text;
            ret->bad_puny = !unicode_form(ret->puny, n);
            ret->text = ret->bad_puny ? ret->puny : arena_copy(m->scratch, span_make(n->text, n->len));
        }
        if (!ret->text.at) {
            return NAME_CUT; /* the scratch arena is at its ceiling */
        }
    }
    ret->hash = hash_bytes(ret->text.at, ret->text.len, 0);
    return NAME_FINE;
}

static const struct dns_name *kept_name(const struct dns_message *m, size_t offset) {
    for (unsigned i = 0; i < m->kept_count; i++) {
        if (m->kept[i].offset == offset) {
            return &m->kept[i].name;
        }
    }
    return NULL;
}

enum name_fault dns_name_read(struct dns_message *m, struct cursor *c, uint16_t offset, struct dns_name *ret_name) {
    int first = cursor_peek(c, 0), second = cursor_peek(c, 1);
    if (first >= 0xc0 && second >= 0) {
        offset = (uint16_t)((first & 0x3f) << 8 | second);
        const struct dns_name *known = kept_name(m, offset);
        if (known) {
            cursor_skip(c, 2);
            *ret_name = *known;
            return NAME_FINE;
        }
    }
    struct draft n;
    n.len = 0;
    n.octets = 0;
    n.idn = false;
    enum name_fault fault = labels_read(m, c, &n);
    if (fault == NAME_FINE) {
        fault = name_finish(m, &n, ret_name);
    }
    if (fault == NAME_FINE && offset && m->kept_count < DNS_NAMES_KEPT) {
        m->kept[m->kept_count].offset = offset;
        m->kept[m->kept_count++].name = *ret_name;
    }
    return fault;
}
