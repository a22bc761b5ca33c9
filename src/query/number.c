/* number.c: numbers with units: 10k, 10MB (10^6), 10MiB (2^20), 5m and 250ms (durations, in seconds), 0x1f. */
#include "base/util.h"
#include "query/item.h"

static const struct {
    char name[4];
    char unit;
    long double factor;
} units[] = {
    {"k", 0, 1e3L},      {"K", 0, 1e3L},        {"M", 0, 1e6L},        {"G", 0, 1e9L},        {"T", 0, 1e12L},
    {"B", 'b', 1},       {"kB", 'b', 1e3L},     {"KB", 'b', 1e3L},     {"MB", 'b', 1e6L},     {"GB", 'b', 1e9L},
    {"TB", 'b', 1e12L},  {"KiB", 'b', 0x1p10L}, {"MiB", 'b', 0x1p20L}, {"GiB", 'b', 0x1p30L}, {"TiB", 'b', 0x1p40L},
    {"ms", 's', 0.001L}, {"s", 's', 1},         {"sec", 's', 1},       {"m", 's', 60},        {"min", 's', 60},
    {"h", 's', 3600},    {"d", 's', 86400},     {"w", 's', 604800},
};

static bool parse_hex(struct span text, long double *ret) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        int c = text.at[i] | 0x20;
        bool digit = text.at[i] >= '0' && text.at[i] <= '9';
        if (!digit && (c < 'a' || c > 'f')) {
            return false;
        }
        value = value << 4 | (uint64_t)(digit ? text.at[i] - '0' : c - 'a' + 10);
    }
    *ret = (long double)value;
    return text.len > 0 && text.len <= 16;
}

bool number_parse(struct span text, long double *ret, char *ret_unit) {
    bool negative = span_byte(text, 0) == '-', any = false;
    long double value = 0, scale = 0;
    *ret_unit = 0;
    if (negative || span_byte(text, 0) == '+') {
        text = span_from(text, 1);
    }
    if (span_starts_fold(text, SPAN_LITERAL("0x"))) {
        return !negative && parse_hex(span_from(text, 2), ret);
    }
    size_t at = 0;
    for (; at < text.len && at < 64; at++) {
        uint8_t c = text.at[at];
        if (c == '.' && scale == 0) {
            scale = 1;
        } else if (c >= '0' && c <= '9') {
            value = value * 10 + (c - '0');
            scale *= 10;
            any = true;
        } else {
            break;
        }
    }
    value = scale > 1 ? value / scale : value;
    struct span unit = span_from(text, at);
    bool known = unit.len == 0;
    for (size_t i = 0; i < ARRAY_LEN(units) && !known; i++) {
        if (span_is(unit, units[i].name)) {
            value *= units[i].factor;
            *ret_unit = units[i].unit;
            known = true;
        }
    }
    *ret = negative ? -value : value;
    return any && known;
}
