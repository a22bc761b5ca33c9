/* search_items.c: the items of a test in the terms of stored values: numbers and addresses as ranges that lie apart,
 * exact text as the bytes it is stored as, and what is left as patterns to be tried on each distinct value.
 */
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "query/fit.h"
#include "query/item.h"
#include "record/document.h"
#include "store/search_own.h"

#define MS_PER_SECOND 1000

/* --- numbers --- */

static long double number_value(const struct item_set *set, uint64_t n) {
    if (set->access == ACCESS_COUNT) {
        return (long double)n;
    }
    long double v = set->type == FT_I64     ? (long double)number_to_i64(n)
                    : set->type == FT_FLOAT ? (long double)number_to_double(n)
                                            : (long double)n;
    return set->access == ACCESS_SECONDS ? v / MS_PER_SECOND : v;
}

static bool above(const struct item_set *set, const struct query_item *item, uint64_t n) {
    long double v = number_value(set, n);
    return item->low_open ? v > item->number.low : v >= item->number.low;
}

static bool below(const struct item_set *set, const struct query_item *item, uint64_t n) {
    long double v = number_value(set, n);
    return item->high_open ? v < item->number.high : v <= item->number.high;
}

/* Halving over all stored numbers, with the very comparison that matching makes: no rounding can differ. */
static bool number_range(const struct item_set *set, const struct query_item *item, struct number_range *ret) {
    bool floats = set->type == FT_FLOAT && set->access != ACCESS_COUNT;
    uint64_t least = floats ? number_from_double((double)-INFINITY) : 0;
    uint64_t most = floats ? number_from_double((double)INFINITY) : UINT64_MAX;
    uint64_t low = least, high = most;
    if (!above(set, item, most) || !below(set, item, least)) {
        return false;
    }
    while (low < high) { /* the first one above */
        uint64_t middle = low + (high - low) / 2;
        if (above(set, item, middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    ret->low = low;
    low = least;
    high = most;
    while (low < high) { /* the last one below */
        uint64_t middle = high - (high - low) / 2;
        if (below(set, item, middle)) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    ret->high = low;
    return ret->low <= ret->high;
}

static int compare_numbers(const void *a, const void *b) {
    const struct number_range *x = a, *y = b;
    return x->low < y->low ? -1 : x->low > y->low;
}

static void merge_numbers(struct item_set *set) {
    size_t kept = 0;
    qsort(set->numbers, set->number_count, sizeof(*set->numbers), compare_numbers);
    for (size_t i = 0; i < set->number_count; i++) {
        struct number_range r = set->numbers[i];
        if (kept && (set->numbers[kept - 1].high == UINT64_MAX || r.low <= set->numbers[kept - 1].high + 1)) {
            set->numbers[kept - 1].high = MAX(set->numbers[kept - 1].high, r.high);
        } else {
            set->numbers[kept++] = r;
        }
    }
    set->number_count = kept;
}

bool item_set_number(const struct item_set *set, uint64_t number) {
    size_t low = 0, high = set->number_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (set->numbers[middle].high < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < set->number_count && set->numbers[low].low <= number;
}

bool item_set_meets(const struct item_set *set, uint64_t low, uint64_t high, bool *ret_all) {
    *ret_all = false;
    for (size_t i = 0; i < set->number_count && set->numbers[i].low <= high; i++) {
        if (set->numbers[i].high >= low) {
            *ret_all = set->numbers[i].low <= low && set->numbers[i].high >= high;
            return true;
        }
    }
    return false;
}

/* --- addresses --- */

/* The address before or behind; false when there is none. */
static bool ip_step(uint8_t ip[16], bool up) {
    for (size_t i = 16; i-- > 0;) {
        ip[i] = (uint8_t)(up ? ip[i] + 1 : ip[i] - 1);
        if (ip[i] != (up ? 0x00 : 0xff)) {
            return true;
        }
    }
    return false;
}

static void add_ips(struct item_set *set, const uint8_t low[16], const uint8_t high[16]) {
    if (memcmp(low, high, 16) <= 0) {
        struct ip_range *r = &set->ips[set->ip_count++];
        memcpy(r->low, low, 16);
        memcpy(r->high, high, 16);
    }
}

static void ip_ranges(struct item_set *set, const struct query_item *item) {
    static const uint8_t least[16] = {0};
    uint8_t low[16], high[16], most[16];
    memset(most, 0xff, sizeof(most));
    memcpy(low, item->ip.low, 16);
    memcpy(high, item->ip.high, 16);
    bool some = !item->ip.any && (!item->low_open || ip_step(low, true)) &&
                (!item->high_open || ip_step(high, false)) && memcmp(low, high, 16) <= 0;
    if (item->ip.any || (!some && item->ip.outside)) {
        add_ips(set, least, most);
    } else if (some && !item->ip.outside) {
        add_ips(set, low, high);
    } else if (some) {
        if (ip_step(low, false)) {
            add_ips(set, least, low);
        }
        if (ip_step(high, true)) {
            add_ips(set, high, most);
        }
    }
}

static int compare_ips(const void *a, const void *b) {
    return memcmp(a, b, 16);
}

static void merge_ips(struct item_set *set) {
    size_t kept = 0;
    qsort(set->ips, set->ip_count, sizeof(*set->ips), compare_ips);
    for (size_t i = 0; i < set->ip_count; i++) {
        struct ip_range r = set->ips[i];
        if (kept && memcmp(r.low, set->ips[kept - 1].high, 16) <= 0) {
            if (memcmp(r.high, set->ips[kept - 1].high, 16) > 0) {
                memcpy(set->ips[kept - 1].high, r.high, 16);
            }
        } else {
            set->ips[kept++] = r;
        }
    }
    set->ip_count = kept;
}

static bool item_set_ip(const struct item_set *set, const uint8_t *ip) {
    size_t low = 0, high = set->ip_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (memcmp(set->ips[middle].high, ip, 16) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < set->ip_count && memcmp(set->ips[low].low, ip, 16) <= 0;
}

/* --- text --- */

static int compare_spans(const void *a, const void *b) {
    const struct span *x = a, *y = b;
    size_t len = MIN(x->len, y->len);
    int order = len ? memcmp(x->at, y->at, len) : 0;
    return order ? order : x->len < y->len ? -1 : x->len > y->len;
}

static void change_case(const struct item_set *set, uint8_t *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        bool upper = text[i] >= 'A' && text[i] <= 'Z', lower = text[i] >= 'a' && text[i] <= 'z';
        text[i] ^= (set->type == FT_LOWER && upper) || (set->type == FT_UPPER && lower) ? 0x20 : 0;
    }
}

/* Text in UTF-8 as Latin-1 has it; letters beyond stay as their bytes, as matching reads them. */
static size_t to_latin1(struct span text, uint8_t *to) {
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        uint8_t c = text.at[at];
        bool wide = c >= 0xc2 && c <= 0xc3 && at + 1 < text.len;
        to[len++] = wide ? (uint8_t)((c & 3) << 6 | (text.at[at + 1] & 0x3f)) : c;
        at += wide ? 2 : 1;
    }
    return len;
}

/* The ways exact text may be stored: as it is, and as Latin-1 where it is no UTF-8. */
static bool add_text(struct blocks *a, struct item_set *set, const struct query_item *item) {
    uint8_t *plain = blocks_alloc(a, item->text.len + 1), *latin1 = blocks_alloc(a, item->text.len + 1);
    if (!plain || !latin1) {
        return false;
    }
    span_copy_to(item->text, plain);
    size_t len = to_latin1(item->text, latin1);
    struct span ways[] = {span_make(plain, item->text.len), span_make(latin1, len)};
    if (item->fold) {
        change_case(set, plain, item->text.len);
        change_case(set, latin1, len);
    }
    set->texts[set->text_count] = ways[0];
    set->text_count += utf8_valid(ways[0]);
    set->texts[set->text_count] = ways[1];
    set->text_count += !utf8_valid(ways[1]);
    return true;
}

static int hex_digit(int c) {
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* A MAC address is stored as 6 bytes; other text equals none. */
static bool add_mac(struct blocks *a, struct item_set *set, const struct query_item *item) {
    uint8_t *mac = blocks_alloc(a, 6);
    bool fits = item->text.len == 17;
    for (size_t i = 0; mac && fits && i < 6; i++) {
        int high = hex_digit(item->text.at[3 * i]), low = hex_digit(item->text.at[3 * i + 1]);
        fits = high >= 0 && low >= 0 && (i == 5 || item->text.at[3 * i + 2] == ':');
        mac[i] = (uint8_t)(high << 4 | low);
    }
    if (mac && fits) {
        set->texts[set->text_count++] = span_make(mac, 6);
    }
    return mac != NULL;
}

/* The longest run of plain ASCII letters in a wildcard. */
static struct span plain_run(struct span pattern) {
    struct span best = {pattern.at, 0};
    for (size_t at = 0; at < pattern.len;) {
        size_t end = at;
        while (end < pattern.len && pattern.at[end] < 0x80 && pattern.at[end] != '*' && pattern.at[end] != '?' &&
               pattern.at[end] != '\\') {
            end++;
        }
        if (end - at > best.len) {
            best = span_sub(pattern, at, end - at);
        }
        at = end + 1;
    }
    return best;
}

/* What most values lack is looked for first: that is a search for bytes, without letters and their case. */
static struct scan make_scan(struct blocks *a, const struct item_set *set, const struct query_item *item) {
    struct scan scan = {.item = item};
    bool cased = !item->fold || set->type == FT_LOWER || set->type == FT_UPPER;
    if (item->kind != ITEM_WILDCARD || set->class == CLASS_MAC || set->access == ACCESS_HEX_TEXT || !cased) {
        return scan;
    }
    struct span run = plain_run(item->text);
    uint8_t *literal = run.len ? blocks_alloc(a, run.len) : NULL;
    if (literal) {
        (void)span_copy_to(run, literal);
        if (item->fold) {
            change_case(set, literal, run.len);
        }
        scan.literal = span_make(literal, run.len);
        scan.contains =
            item->text.len == run.len + 2 && item->text.at[0] == '*' && span_ends(item->text, SPAN_LITERAL("*"));
    }
    return scan;
}

static bool add_text_item(struct blocks *a, struct item_set *set, const struct query_item *item) {
    bool exact = item->kind == ITEM_TEXT && set->access == ACCESS_VALUE && set->type != FT_TEXT;
    if (exact && set->type == FT_MAC) {
        return add_mac(a, set, item);
    }
    if (exact && (!item->fold || set->type == FT_LOWER || set->type == FT_UPPER)) {
        return add_text(a, set, item);
    }
    set->scans[set->scan_count++] = make_scan(a, set, item);
    return true;
}

/* --- sets --- */

static bool set_alloc(struct blocks *a, struct item_set *set, size_t count) {
    switch (set->class) {
    case CLASS_NUMBER:
    case CLASS_TIME:
    case CLASS_BOOL:
        set->numbers = blocks_alloc(a, count * sizeof(*set->numbers));
        return set->numbers != NULL;
    case CLASS_IP:
        set->ips = blocks_alloc(a, 2 * count * sizeof(*set->ips));
        return set->ips != NULL;
    default:
        set->texts = blocks_alloc(a, 2 * count * sizeof(*set->texts));
        set->scans = blocks_alloc(a, count * sizeof(*set->scans));
        return set->texts && set->scans;
    }
}

struct item_set *item_set_new(struct blocks *a, const struct query_field *f, const struct query_item *const *items,
                              size_t count) {
    struct item_set *set = blocks_calloc(a, sizeof(*set));
    if (!set) {
        return NULL;
    }
    set->class = query_field_class(f);
    set->access = f->access;
    set->type = f->field ? (enum field_type)f->field->type : FT_KEYWORD;
    if (!set_alloc(a, set, MAX(count, 1u))) {
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (set->class <= CLASS_BOOL) {
            set->number_count += number_range(set, items[i], &set->numbers[set->number_count]);
        } else if (set->class == CLASS_IP) {
            ip_ranges(set, items[i]);
        } else if (!add_text_item(a, set, items[i])) {
            return NULL;
        }
    }
    if (set->class <= CLASS_BOOL) {
        merge_numbers(set);
    } else if (set->class == CLASS_IP) {
        merge_ips(set);
    } else {
        qsort(set->texts, set->text_count, sizeof(*set->texts), compare_spans);
    }
    set->empty = !set->number_count && !set->ip_count && !set->text_count && !set->scan_count;
    return set;
}

struct item_set *item_set_range(struct blocks *a, const struct query_field *f, uint64_t low, uint64_t high) {
    struct item_set *set = blocks_calloc(a, sizeof(*set));
    struct number_range *range = blocks_alloc(a, sizeof(*range));
    if (!set || !range) {
        return NULL;
    }
    *range = (struct number_range){low, high};
    set->class = CLASS_NUMBER;
    set->access = f->access;
    set->type = (enum field_type)f->field->type;
    set->numbers = range;
    set->number_count = low <= high;
    set->empty = low > high;
    return set;
}

static size_t from_hex(struct span hex, uint8_t *to) {
    for (size_t i = 0; i < hex.len / 2; i++) {
        to[i] = (uint8_t)(hex_digit(hex.at[2 * i]) << 4 | hex_digit(hex.at[2 * i + 1]));
    }
    return hex.len / 2;
}

static bool scans_fit(const struct item_set *set, struct span value) {
    char mac[18];
    uint8_t raw[8];
    if (set->class == CLASS_MAC) {
        value = span_make(mac, value.len == 6 ? mac_write(value.at, mac) : 0);
    } else if (set->access == ACCESS_HEX_TEXT) {
        value = span_make(raw, from_hex(span_sub(value, 0, 2 * sizeof(raw)), raw));
    }
    for (size_t i = 0; i < set->scan_count; i++) {
        const struct scan *scan = &set->scans[i];
        if (scan->literal.len && !memmem(value.at, value.len, scan->literal.at, scan->literal.len)) {
            continue;
        }
        if (scan->contains || item_fits_text(scan->item, value)) {
            return true;
        }
    }
    return false;
}

bool item_set_value(const struct item_set *set, struct span value) {
    if (set->class <= CLASS_BOOL) {
        return item_set_number(set, number_from_bytes(value));
    }
    if (set->class == CLASS_IP) {
        return value.len == 16 && item_set_ip(set, value.at);
    }
    return (set->text_count && bsearch(&value, set->texts, set->text_count, sizeof(value), compare_spans)) ||
           (set->scan_count && scans_fit(set, value));
}
