/* mime_text.c: encoded words (RFC 2047) and character sets.
 *
 * Words that follow each other in one character set are joined before they are converted, because mail programs cut
 * them anywhere, also inside a character. A single blank between two words goes, more stay; both as Arkime has it.
 * UTF-8, ASCII, Latin-1 and Windows-1252 are converted here; iconv(3) gets only names from a list, because it would
 * load anything.
 */
#include "dissect/mime_text.h"

#include <iconv.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/util.h"
#include "dissect/text.h"

/* --- character sets --- */

/* Mail's name for a set, and iconv's (NULL: the same); a name ending in * is a beginning. */
static const struct {
    const char *name, *iconv;
} charsets[] = {
    {"iso-8859-*", NULL},  {"windows-*", NULL},    {"cp*", NULL},          {"koi8-*", NULL},
    {"gb2312", "GB18030"}, {"gbk", "GB18030"},     {"gb18030", NULL},      {"hz-gb-2312", NULL},
    {"big5*", NULL},       {"euc-*", NULL},        {"shift_jis", "CP932"}, {"shift-jis", "CP932"},
    {"sjis", "CP932"},     {"iso-2022-jp*", NULL}, {"iso-2022-kr", NULL},  {"ks_c_5601-1987", "UHC"},
    {"utf-16", NULL},      {"utf-16le", NULL},     {"utf-16be", NULL},     {"utf-7", NULL},
    {"tis-620", NULL},     {"macintosh", NULL},    {"viscii", NULL},
};

enum { NAME_LIMIT = 40 };

/* Code points of Windows-1252 from 0x80 to 0x9f; 0 = none, the control character of Latin-1 stays. */
static const uint16_t windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178,
};

/* Latin-1 and, between 0x80 and 0x9f, Windows-1252: mail that says the first nearly always means the second. */
static bool latin_text(struct arena *scratch, struct span bytes, struct span *ret) {
    uint8_t *to = arena_alloc(scratch, 3 * bytes.len + 1);
    if (!to) {
        return false;
    }
    size_t len = 0;
    for (struct cursor c = cursor_over(bytes); cursor_left(&c);) {
        unsigned code = cursor_u8(&c);
        if (code >= 0x80 && code < 0xa0 && windows_1252[code - 0x80]) {
            code = windows_1252[code - 0x80];
        }
        if (code < 0x80) {
            to[len++] = (uint8_t)code;
        } else if (code < 0x800) {
            to[len++] = (uint8_t)(0xc0 | code >> 6);
            to[len++] = (uint8_t)(0x80 | (code & 0x3f));
        } else {
            to[len++] = (uint8_t)(0xe0 | code >> 12);
            to[len++] = (uint8_t)(0x80 | (code >> 6 & 0x3f));
            to[len++] = (uint8_t)(0x80 | (code & 0x3f));
        }
    }
    *ret = span_make(to, len);
    return true;
}

/* The name iconv knows the set by, into `to`; false when it is not on the list. */
static bool iconv_name(struct span name, char to[NAME_LIMIT]) {
    for (size_t i = 0; i < ARRAY_LEN(charsets); i++) {
        struct span known = span_text(charsets[i].name);
        bool begins = span_byte(known, known.len - 1) == '*';
        known.len -= begins;
        if (begins ? !span_starts_fold(name, known) : !span_equal_fold(name, known)) {
            continue;
        }
        struct span wanted = charsets[i].iconv ? span_text(charsets[i].iconv) : name;
        for (size_t k = 0; k < wanted.len; k++) { /* no slash: it begins iconv's own options */
            int c = span_byte(wanted, k);
            if (c <= ' ' || c >= 0x7f || c == '/' || c == ',') {
                return false;
            }
        }
        size_t len = text_copy((uint8_t *)to, NAME_LIMIT - 1, wanted);
        to[len] = '\0';
        return len == wanted.len;
    }
    return false;
}

static bool iconv_text(struct arena *scratch, struct span name, struct span bytes, struct span *ret) {
    char set[NAME_LIMIT];
    if (!iconv_name(name, set)) {
        return false;
    }
    size_t room = 4 * bytes.len + 4, left_in = bytes.len, left_out = room;
    char *out = arena_alloc(scratch, room), *in = arena_alloc(scratch, bytes.len + 1);
    if (!out || !in) {
        return false;
    }
    struct span text = span_make(out, 0);
    (void)text_copy((uint8_t *)in, bytes.len, bytes);
    iconv_t converter = iconv_open("UTF-8", set);
    if (converter == (iconv_t)-1) {
        return false;
    }
    bool fine = iconv(converter, &in, &left_in, &out, &left_out) != (size_t)-1 &&
                iconv(converter, NULL, NULL, &out, &left_out) != (size_t)-1;
    (void)iconv_close(converter);
    text.len = room - left_out;
    *ret = text;
    return fine;
}

bool mime_charset(struct arena *scratch, struct span name, struct span bytes, struct span *ret_text) {
    if (span_equal_fold(name, SPAN_LITERAL("utf-8")) || span_equal_fold(name, SPAN_LITERAL("us-ascii")) ||
        span_equal_fold(name, SPAN_LITERAL("utf8")) || span_equal_fold(name, SPAN_LITERAL("ascii"))) {
        *ret_text = bytes;
        return utf8_valid(bytes);
    }
    if (span_equal_fold(name, SPAN_LITERAL("iso-8859-1")) || span_equal_fold(name, SPAN_LITERAL("windows-1252")) ||
        span_equal_fold(name, SPAN_LITERAL("latin1"))) {
        return latin_text(scratch, bytes, ret_text);
    }
    return iconv_text(scratch, name, bytes, ret_text);
}

/* --- encoded words --- */

struct word {
    struct span charset, text;
    bool quoted; /* Q, not B */
    size_t len;  /* of the whole, =? to ?= */
};

/* The encoded word at the front of `s`. */
static bool word_read(struct span s, struct word *ret) {
    size_t question = span_find_byte(s, 2, '?');
    if (!span_starts(s, SPAN_LITERAL("=?")) || question == SPAN_NONE || span_byte(s, question + 2) != '?') {
        return false;
    }
    int coding = span_byte(s, question + 1) | 0x20;
    struct span rest = span_from(s, question + 3);
    size_t end = span_find(rest, SPAN_LITERAL("?="));
    if (end == SPAN_NONE || (coding != 'b' && coding != 'q')) {
        return false;
    }
    struct span charset = span_sub(s, 2, question - 2);
    *ret = (struct word){
        .charset = span_sub(charset, 0, span_find_byte(charset, 0, '*')), /* RFC 2231: a language may follow */
        .text = span_sub(rest, 0, end),
        .quoted = coding == 'q',
        .len = question + 3 + end + 2,
    };
    return true;
}

static int hex_value(int c) {
    int lower = c | 0x20;
    return c >= '0' && c <= '9' ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool word_bytes(struct arena *scratch, const struct word *w, struct span *ret) {
    if (!w->quoted) {
        *ret = (struct span){0};
        return w->text.len == 0 || text_base64(scratch, w->text, ret);
    }
    uint8_t *to = arena_alloc(scratch, w->text.len + 1);
    if (!to) {
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < w->text.len; i++) {
        int c = span_byte(w->text, i);
        int high = hex_value(span_byte(w->text, i + 1)), low = hex_value(span_byte(w->text, i + 2));
        if (c == '=' && high >= 0 && low >= 0) {
            c = high << 4 | low;
            i += 2;
        } else if (c == '_') {
            c = ' ';
        }
        to[len++] = (uint8_t)c;
    }
    *ret = span_make(to, len);
    return true;
}

struct output {
    struct arena *scratch;
    uint8_t *text;
    size_t len;
    struct span charset; /* of `held` */
    uint8_t *held;       /* decoded bytes of the words since the last text */
    size_t held_len;
};

/* Converts what is held. False when it is not in its character set. */
static bool output_flush(struct output *o) {
    struct span text;
    if (o->held_len == 0) {
        return true;
    }
    bool fine = mime_charset(o->scratch, o->charset, span_make(o->held, o->held_len), &text);
    o->held_len = 0;
    if (fine) {
        o->len += text_copy(o->text + o->len, MIME_TEXT_MAX - o->len, text);
    }
    return fine;
}

static bool output_word(struct output *o, const struct word *w) {
    struct span bytes;
    if (!span_equal_fold(o->charset, w->charset) && !output_flush(o)) {
        return false;
    }
    o->charset = w->charset;
    if (!word_bytes(o->scratch, w, &bytes)) {
        return false;
    }
    o->held_len += text_copy(o->held + o->held_len, MIME_TEXT_MAX - o->held_len, bytes);
    return true;
}

static bool output_plain(struct output *o, struct span plain) {
    struct span text = plain;
    if (!output_flush(o) || (!utf8_valid(plain) && !latin_text(o->scratch, plain, &text))) {
        return false;
    }
    o->len += text_copy(o->text + o->len, MIME_TEXT_MAX - o->len, text);
    return true;
}

/* Cuts after the last whole character. */
static struct span whole_characters(struct span text) {
    size_t len = text.len;
    while (len > 0 && text.len - len < 3 && (span_byte(text, len - 1) & 0xc0) == 0x80) {
        len--;
    }
    bool whole = len == 0 || span_byte(text, len - 1) < 0xc0 || utf8_valid(span_from(text, len - 1));
    return whole ? text : span_sub(text, 0, len - 1);
}

struct span mime_words(struct arena *scratch, struct span value) {
    size_t at = span_find(value, SPAN_LITERAL("=?"));
    if (at == SPAN_NONE && utf8_valid(value)) {
        return value.len <= MIME_TEXT_MAX ? value : whole_characters(span_sub(value, 0, MIME_TEXT_MAX));
    }
    struct output o = {.scratch = scratch};
    o.text = arena_alloc(scratch, MIME_TEXT_MAX);
    o.held = arena_alloc(scratch, MIME_TEXT_MAX);
    if (!o.text || !o.held) {
        return value;
    }
    for (struct span rest = value; rest.len;) {
        struct word w;
        size_t next = span_find(rest, SPAN_LITERAL("=?"));
        if (next == 0) {
            if (!word_read(rest, &w) || !output_word(&o, &w)) {
                return value;
            }
            rest = span_from(rest, w.len);
            continue;
        }
        struct span plain = span_sub(rest, 0, next);
        bool blank = next == 1 && span_byte(rest, 0) == ' ';
        if (!blank && !output_plain(&o, plain)) {
            return value;
        }
        rest = span_from(rest, plain.len);
    }
    return output_flush(&o) ? whole_characters(span_make(o.text, o.len)) : value;
}
