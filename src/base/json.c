/* json.c: the JSON writer: a table says which bytes need an escape, runs of the others are copied whole. RFC 8259. */
#include "base/json.h"

#include <stdio.h>

#include "base/util.h"

/* 0: copied as it is; 'u': \u00xx; otherwise the letter behind the backslash. Bytes from 0x80 are checked as UTF-8. */
static const char escape_of[256] = {
    [0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u', [0x04] = 'u', [0x05] = 'u',  [0x06] = 'u',
    [0x07] = 'u', [0x08] = 'b', [0x09] = 't', [0x0a] = 'n', [0x0b] = 'u', [0x0c] = 'f',  [0x0d] = 'r',
    [0x0e] = 'u', [0x0f] = 'u', [0x10] = 'u', [0x11] = 'u', [0x12] = 'u', [0x13] = 'u',  [0x14] = 'u',
    [0x15] = 'u', [0x16] = 'u', [0x17] = 'u', [0x18] = 'u', [0x19] = 'u', [0x1a] = 'u',  [0x1b] = 'u',
    [0x1c] = 'u', [0x1d] = 'u', [0x1e] = 'u', [0x1f] = 'u', ['"'] = '"',  ['\\'] = '\\', [0x7f] = 'u',
};

static void comma(struct json *j) {
    if (j->comma) {
        buf_add_byte(j->out, ',');
    }
    j->comma = true;
}

void json_open(struct json *j, char bracket) {
    comma(j);
    buf_add_byte(j->out, (uint8_t)bracket);
    j->comma = false;
}

void json_close(struct json *j, char bracket) {
    buf_add_byte(j->out, (uint8_t)bracket);
    j->comma = true;
}

void json_raw_key(struct json *j, struct span key) {
    comma(j);
    buf_add_span(j->out, key);
    j->comma = false;
}

/* Length of the valid UTF-8 sequence at the start of `s` (whose first byte is >= 0x80), or 0. */
static size_t utf8_sequence(struct span s) {
    uint8_t c = s.at[0];
    size_t n = c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (n == 0 || s.len < n) {
        return 0;
    }
    uint8_t second = s.at[1];
    uint8_t low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    uint8_t high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) {
        return 0;
    }
    for (size_t i = 2; i < n; i++) {
        if ((s.at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return n;
}

size_t utf8_valid_length(struct span s) {
    size_t i = 0;
    while (i < s.len) {
        uint64_t word;
        if (i + 8 <= s.len) {
            memcpy(&word, s.at + i, 8);
            if ((word & 0x8080808080808080u) == 0) {
                i += 8;
                continue;
            }
        }
        size_t n = s.at[i] < 0x80 ? 1 : utf8_sequence(span_from(s, i));
        if (n == 0) {
            break;
        }
        i += n;
    }
    return i;
}

static uint8_t *write_escaped(uint8_t *to, uint8_t byte) {
    static const char digits[] = "0123456789abcdef";
    *to++ = '\\';
    char letter = escape_of[byte];
    *to++ = (uint8_t)letter;
    if (letter == 'u') {
        *to++ = '0';
        *to++ = '0';
        *to++ = (uint8_t)digits[byte >> 4];
        *to++ = (uint8_t)digits[byte & 15];
    }
    return to;
}

uint8_t *json_write_escaped(uint8_t *to, struct span text, bool latin1) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.at[i];
        if (latin1 && byte >= 0x80) {
            *to++ = (uint8_t)(0xc0 | byte >> 6);
            *to++ = (uint8_t)(0x80 | (byte & 0x3f));
        } else if (UNLIKELY(escape_of[byte])) {
            to = write_escaped(to, byte);
        } else {
            *to++ = byte;
        }
    }
    return to;
}

void json_text(struct json *j, struct span text) {
    comma(j);
    uint8_t *start = buf_reserve(j->out, text.len * 6 + 2);
    if (!start) {
        return;
    }
    uint8_t *to = start;
    *to++ = '"';
    to = json_write_escaped(to, text, !utf8_valid(text));
    *to++ = '"';
    j->out->len += (size_t)(to - start);
}

void json_cstr(struct json *j, const char *text) {
    json_text(j, span_text(text));
}

void json_key(struct json *j, const char *key) {
    json_cstr(j, key);
    buf_add_byte(j->out, ':');
    j->comma = false;
}

void json_u64(struct json *j, uint64_t value) {
    comma(j);
    buf_add_u64(j->out, value);
}

void json_i64(struct json *j, int64_t value) {
    comma(j);
    if (value < 0) {
        buf_add_byte(j->out, '-');
    }
    buf_add_u64(j->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_double(struct json *j, double value) {
    comma(j);
    if (value != value || value > 1.7e308 || value < -1.7e308) {
        buf_add_text(j->out, "null"); /* JSON has no word for it */
        return;
    }
    char text[40];
    int n = snprintf(text, sizeof(text), "%.15g", value);
    buf_add(j->out, text, (size_t)n);
}

void json_bool(struct json *j, bool value) {
    comma(j);
    buf_add_text(j->out, value ? "true" : "false");
}

void json_null(struct json *j) {
    comma(j);
    buf_add_text(j->out, "null");
}

void json_raw(struct json *j, struct span value) {
    comma(j);
    buf_add_span(j->out, value);
}
