/* mime_part.c: the content of a part: base64 and quoted-printable (RFC 2045 6), its digests and its type.
 *
 * Every base64 part is taken for a file, as mail programs use that coding for little else; quoted-printable ones only
 * when they have a file name. Decoding goes on over line ends and pieces, so that a file costs no memory but its
 * digests.
 */
#include "base/util.h"
#include "dissect/magic.h"
#include "dissect/mime.h"
#include "dissect/text.h"

void mime_drop(struct mime *m, struct digest_runs *runs) {
    if (m->md5) {
        digest_drop(runs, TAKE(m->md5));
    }
    if (m->sha256) {
        digest_drop(runs, TAKE(m->sha256));
    }
}

void mime_part_begin(struct mime *m) {
    m->phase = MIME_PART_HEADERS;
    m->coding = MIME_IDENTITY;
    m->bits_held = 0;
    m->bits = 0;
    m->type_len = 0;
    m->attachment = m->message = m->typed = m->line_end_pending = m->damaged = false;
}

static bool is_file(const struct mime *m) {
    return m->coding == MIME_BASE64 || (m->coding == MIME_QUOTED && m->attachment);
}

void mime_part_content(struct mime_reader *r) {
    struct mime *m = r->m;
    if (m->attachment && m->type_len) {
        put_text(r->email, EMAIL_FILE_CONTENT_TYPE, span_make(m->type, m->type_len));
    }
    if (m->message && m->coding != MIME_BASE64) {
        mime_part_begin(m); /* a message inside: its headers speak of its content */
        return;
    }
    m->phase = MIME_PART;
    if (is_file(m)) {
        m->md5 = digest_begin(r->email->runs, DIGEST_MD5);
        m->sha256 = r->settings->sha256 ? digest_begin(r->email->runs, DIGEST_SHA256) : NULL;
    }
}

static void content(struct mime_reader *r, struct span bytes) {
    struct mime *m = r->m;
    if (m->md5) {
        digest_add(r->email->runs, m->md5, bytes);
    }
    if (m->sha256) {
        digest_add(r->email->runs, m->sha256, bytes);
    }
    if (!m->typed && bytes.len) {
        const char *type = magic_guess(bytes, (enum magic_mode)r->settings->magic_mode);
        m->typed = true;
        if (type) {
            put_const(r->email, EMAIL_BODY_MAGIC, type);
        }
    }
}

enum { BASE64_SKIP = 0, BASE64_PAD = 65 };

/* Values of the digits plus one, BASE64_PAD for '=', BASE64_SKIP for all that does not count (RFC 2045 6.8). */
static const uint8_t base64_digits[256] = {
    ['A'] = 1,  ['B'] = 2,         ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,  ['I'] = 9,
    ['J'] = 10, ['K'] = 11,        ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18,
    ['S'] = 19, ['T'] = 20,        ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27,
    ['b'] = 28, ['c'] = 29,        ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
    ['k'] = 37, ['l'] = 38,        ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45,
    ['t'] = 46, ['u'] = 47,        ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54,
    ['2'] = 55, ['3'] = 56,        ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63,
    ['/'] = 64, ['='] = BASE64_PAD};

static uint32_t base64_digit(struct span s, size_t i) {
    return base64_digits[(uint8_t)span_byte(s, i)];
}

/* Digits that make no byte yet are kept for the next line; padding ends their group. */
static void base64_line(struct mime_reader *r, struct span line) {
    struct mime *m = r->m;
    uint8_t *to = arena_alloc(r->email->scratch, line.len + 4);
    size_t len = 0;
    if (!to) {
        return;
    }
    for (size_t i = 0; i < line.len;) {
        while (m->bits_held == 0 && i + 4 <= line.len) { /* whole groups */
            uint32_t a = base64_digit(line, i) - 1, b = base64_digit(line, i + 1) - 1;
            uint32_t c = base64_digit(line, i + 2) - 1, d = base64_digit(line, i + 3) - 1;
            if ((a | b | c | d) > 63) {
                break;
            }
            uint32_t bits = a << 18 | b << 12 | c << 6 | d;
            to[len++] = (uint8_t)(bits >> 16);
            to[len++] = (uint8_t)(bits >> 8);
            to[len++] = (uint8_t)bits;
            i += 4;
        }
        uint32_t digit = i < line.len ? base64_digit(line, i++) : BASE64_SKIP;
        if (digit == BASE64_PAD) {
            m->bits_held = 0;
        } else if (digit != BASE64_SKIP) {
            m->bits = m->bits << 6 | (digit - 1);
            m->bits_held = (uint8_t)(m->bits_held + 6);
            if (m->bits_held >= 8) {
                m->bits_held = (uint8_t)(m->bits_held - 8);
                to[len++] = (uint8_t)(m->bits >> m->bits_held);
            }
        }
    }
    content(r, span_make(to, len));
}

static int hex_value(int c) {
    int lower = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* The line end before a boundary belongs to the boundary (RFC 2046 5.1.1), so each waits for the line behind it. */
static void quoted_line(struct mime_reader *r, struct span line, bool ended) {
    struct mime *m = r->m;
    uint8_t *to = arena_alloc(r->email->scratch, line.len + 2);
    size_t len = 0;
    if (!to) {
        return;
    }
    if (m->line_end_pending) {
        to[len++] = '\r';
        to[len++] = '\n';
    }
    while (ended && line.len && (span_byte(line, line.len - 1) == ' ' || span_byte(line, line.len - 1) == '\t')) {
        line.len--; /* blanks at the end were added on the way */
    }
    m->line_end_pending = ended;
    for (size_t i = 0; i < line.len; i++) {
        int c = span_byte(line, i);
        int high = hex_value(span_byte(line, i + 1)), low = hex_value(span_byte(line, i + 2));
        if (c == '=' && i + 1 == line.len) {
            m->line_end_pending = false;
            break;
        }
        if (c == '=' && high >= 0 && low >= 0) {
            c = high << 4 | low;
            i += 2;
        }
        to[len++] = (uint8_t)c;
    }
    content(r, span_make(to, len));
}

void mime_part_line(struct mime_reader *r, struct span line, bool ended) {
    switch (is_file(r->m) ? r->m->coding : MIME_IDENTITY) {
    case MIME_BASE64:
        base64_line(r, line);
        break;
    case MIME_QUOTED:
        quoted_line(r, line, ended);
        break;
    default:
        break;
    }
}

void mime_part_end(struct mime_reader *r, bool complete) {
    struct mime *m = r->m;
    if (!complete || m->damaged) {
        mime_drop(m, r->email->runs);
    }
    if (m->md5) {
        dissect_digest(r->email, EMAIL_MD5, TAKE(m->md5));
    }
    if (m->sha256) {
        dissect_digest(r->email, EMAIL_SHA256, TAKE(m->sha256));
    }
}
