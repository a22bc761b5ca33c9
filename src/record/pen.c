/* pen.c: text and fractions of pen.h. Eight bytes are judged at once; only a word with a byte that needs care is looked
 * at byte by byte. */
#include "record/pen.h"

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* High bit of each byte of `word` that is below `n` (n <= 128; bytes from 0x80 are not told). */
static inline uint64_t bytes_below(uint64_t word, uint8_t n) {
    return (word - ONES * n) & ~word & HIGHS;
}

static inline uint64_t bytes_equal(uint64_t word, uint8_t byte) {
    return bytes_below(word ^ ONES * byte, 1);
}

/* Not zero when a byte is a control, a quote, a backslash, DEL, or not ASCII. */
static inline uint64_t needs_care(uint64_t word) {
    return (word & HIGHS) | bytes_below(word, 0x20) | bytes_equal(word, '"') | bytes_equal(word, '\\') |
           bytes_equal(word, 0x7f);
}

void pen_text(struct pen *p, struct span text) {
    uint8_t *to = p->at;
    size_t i = 0;
    *to++ = '"';
    for (; i + 8 <= text.len; i += 8) {
        uint64_t word;
        memcpy(&word, text.at + i, 8);
        if (needs_care(word)) {
            break;
        }
        memcpy(to, &word, 8);
        to += 8;
    }
    if (i < text.len && text.len - i < 8) {
        uint64_t word = ONES * 'a';
        memcpy(&word, text.at + i, text.len - i);
        if (!needs_care(word)) {
            memcpy(to, &word, 8);
            to += text.len - i;
            i = text.len;
        }
    }
    if (i < text.len) {
        to = json_write_escaped(to, span_from(text, i), !utf8_valid(text));
    }
    *to++ = '"';
    p->at = to;
    p->comma = true;
}

void pen_double(struct pen *p, double value) {
    int n = value == value && value < 1.7e308 && value > -1.7e308 ? snprintf((char *)p->at, 40, "%.15g", value)
                                                                  : snprintf((char *)p->at, 40, "null");
    p->at += n;
    p->comma = true;
}
