/* letter.h: text letter by letter: UTF-8, or Latin-1 for what is no UTF-8 (as documents show it). */
#ifndef SEINE_QUERY_LETTER_H
#define SEINE_QUERY_LETTER_H

#include "base/span.h"

/* The letter at `*at`, which moves on; `*at` is inside the text. A byte that begins no sequence stands for itself. */
static inline uint32_t letter_next(struct span s, size_t *at, bool latin1) {
    uint32_t c = s.at[(*at)++];
    if (c < 0xc0 || latin1) {
        return c;
    }
    unsigned more = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    if (s.len - *at < more) {
        return c;
    }
    uint32_t letter = c & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++) {
        uint32_t b = s.at[*at + i];
        if ((b & 0xc0) != 0x80) {
            return c;
        }
        letter = letter << 6 | (b & 0x3f);
    }
    *at += more;
    return letter;
}

static inline uint32_t letter_fold(uint32_t c) {
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

#endif
