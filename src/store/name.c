/* name.c: the names by which sessions are known outside: `yymmdd-` and the session number in base 32.
 *
 * The day helps people and sorts well; the word alone finds the session. The alphabet is digits and lower-case letters
 * without i, l, o and u, which are easily misread (Crockford's base 32); upper case is understood.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/store.h"

#define WORD_LEAST 5
#define WORD_MOST 13

static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

void session_name_write(uint64_t seq, int64_t last_ms, char ret[SESSION_NAME_MAX]) {
    time_t seconds = (time_t)(last_ms / 1000);
    struct tm day;
    if (!gmtime_r(&seconds, &day)) {
        day = (struct tm){.tm_mday = 1, .tm_year = 70};
    }
    char word[WORD_MOST + 1];
    unsigned at = WORD_MOST;
    word[at] = 0;
    do {
        word[--at] = letters[seq & 31];
        seq >>= 5;
    } while (seq || WORD_MOST - at < WORD_LEAST);
    const unsigned parts[] = {(unsigned)(day.tm_year % 100 + 100) % 100, (unsigned)day.tm_mon + 1,
                              (unsigned)day.tm_mday};
    char *to = ret;
    for (unsigned i = 0; i < 3; i++) {
        *to++ = (char)('0' + parts[i] / 10 % 10);
        *to++ = (char)('0' + parts[i] % 10);
    }
    *to++ = '-';
    memcpy(to, word + at, WORD_MOST - at + 1);
}

static int letter_value(uint8_t c) {
    uint8_t lower = c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
    const char *at = lower ? strchr(letters, lower) : NULL;
    return at ? (int)(at - letters) : -1;
}

bool session_name_parse(struct span text, uint64_t *ret_seq) {
    size_t prefix = span_find_byte(text, 0, '@');
    text = prefix == SPAN_NONE ? text : span_from(text, prefix + 1);
    if (text.len < 8 || text.len > 7 + WORD_MOST || text.at[6] != '-') {
        return false;
    }
    for (unsigned i = 0; i < 6; i++) {
        if (text.at[i] < '0' || text.at[i] > '9') {
            return false;
        }
    }
    uint64_t seq = 0;
    for (size_t i = 7; i < text.len; i++) {
        int value = letter_value(text.at[i]);
        if (value < 0 || seq >> 59) {
            return false;
        }
        seq = seq << 5 | (uint64_t)value;
    }
    *ret_seq = seq;
    return true;
}
