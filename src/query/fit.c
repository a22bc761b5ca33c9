/* fit.c: see fit.h. */
#include "query/fit.h"

#include "base/json.h"
#include "query/item.h"
#include "query/regex.h"

bool item_fits_number(const struct query_item *item, long double n) {
    return (item->low_open ? n > item->number.low : n >= item->number.low) &&
           (item->high_open ? n < item->number.high : n <= item->number.high);
}

bool item_fits_ip(const struct query_item *item, const uint8_t *ip) {
    int low = memcmp(ip, item->ip.low, 16), high = memcmp(ip, item->ip.high, 16);
    bool inside = (item->low_open ? low > 0 : low >= 0) && (item->high_open ? high < 0 : high <= 0);
    return item->ip.any || inside != item->ip.outside;
}

/* Text is UTF-8, or Latin-1 when it is no UTF-8; the expression is UTF-8. */
static bool text_equal(struct span text, struct span want, bool fold, bool latin1) {
    if (!latin1) {
        return fold ? span_equal_fold(text, want) : span_equal(text, want);
    }
    size_t i = 0;
    for (size_t at = 0; at < want.len; i++) {
        struct span one = span_sub(want, at, 2);
        uint8_t c = want.at[at];
        bool wide = c >= 0xc2 && c <= 0xc3 && one.len == 2;
        int letter = wide ? ((c & 3) << 6) | (one.at[1] & 0x3f) : c;
        int have = span_byte(text, i);
        if (have != letter &&
            !(fold && have >= 0 && letter < 0x80 && span_equal_fold(span_sub(text, i, 1), span_sub(want, at, 1)))) {
            return false;
        }
        at += wide ? 2 : 1;
    }
    return i == text.len;
}

/* The words stand one behind the other somewhere in the text. */
static bool words_fit(const struct query_item *item, struct span text) {
    struct span word;
    for (size_t start = 0; item->words.count && word_next(text, &start, &word);) {
        size_t at = start, n = 0;
        while (span_equal_fold(word, item->words.list[n])) {
            if (++n == item->words.count) {
                return true;
            }
            if (!word_next(text, &at, &word)) {
                return false;
            }
        }
    }
    return false;
}

bool item_fits_text(const struct query_item *item, struct span text) {
    bool latin1 = !utf8_valid(text);
    switch (item->kind) {
    case ITEM_TEXT:
        return text_equal(text, item->text, item->fold, latin1);
    case ITEM_WILDCARD:
        return wildcard_match(item->text, text, item->fold, latin1);
    case ITEM_REGEX:
        return regex_match(item->regex, text, latin1);
    case ITEM_TOKENS:
        return words_fit(item, text);
    default:
        return false;
    }
}
