/* date.c: points in time: `2014/02/26 10:27:57`, ISO 8601 (`2014-02-26T10:27:57.5Z`), seconds since 1970, `now`, and
 * relative ones: [+-][N]unit[@unit], `@` rounding down first. Without a zone, times are local.
 */
#include <time.h>

#include "base/util.h"
#include "query/item.h"

#define MS 1000

static int64_t to_ms(struct tm *tm) {
    tm->tm_isdst = -1;
    return (int64_t)mktime(tm) * MS;
}

/* --- relative --- */

enum time_unit { UNIT_SECOND, UNIT_MINUTE, UNIT_HOUR, UNIT_DAY, UNIT_WEEK, UNIT_MONTH, UNIT_QUARTER, UNIT_YEAR };

static const char *const unit_names[] = {
    [UNIT_SECOND] = "s,sec,secs,second,seconds",
    [UNIT_MINUTE] = "m,min,mins,minute,minutes",
    [UNIT_HOUR] = "h,hr,hrs,hour,hours",
    [UNIT_DAY] = "d,day,days",
    [UNIT_WEEK] = "w,week,weeks",
    [UNIT_MONTH] = "M,mon,mons,month,months",
    [UNIT_QUARTER] = "q,qtr,qtrs,quarter,quarters",
    [UNIT_YEAR] = "y,yr,yrs,year,years",
};

static bool take_unit(struct span text, enum time_unit *ret) {
    for (size_t i = 0; i < ARRAY_LEN(unit_names); i++) {
        for (const char *name = unit_names[i]; *name;) {
            size_t len = strcspn(name, ",");
            if (span_equal(text, span_make(name, len))) {
                *ret = (enum time_unit)i;
                return true;
            }
            name += len + (name[len] == ',');
        }
    }
    return false;
}

static bool snap(struct tm *tm, struct span text) {
    enum time_unit unit;
    int weekday = 0;
    if (text.len == 2 && text.at[0] == 'w' && text.at[1] >= '0' && text.at[1] <= '7') {
        weekday = (text.at[1] - '0') % 7;
        text.len = 1;
    }
    if (!take_unit(text, &unit)) {
        return false;
    }
    tm->tm_sec = 0;
    tm->tm_min = unit >= UNIT_HOUR ? 0 : tm->tm_min;
    tm->tm_hour = unit >= UNIT_DAY ? 0 : tm->tm_hour;
    if (unit == UNIT_WEEK) {
        tm->tm_mday -= (tm->tm_wday - weekday + 7) % 7;
    } else if (unit >= UNIT_MONTH) {
        tm->tm_mday = 1;
        tm->tm_mon = unit == UNIT_YEAR ? 0 : unit == UNIT_QUARTER ? tm->tm_mon / 3 * 3 : tm->tm_mon;
    }
    return true;
}

static void move(struct tm *tm, enum time_unit unit, int count) {
    switch (unit) {
    case UNIT_SECOND:
        tm->tm_sec += count;
        break;
    case UNIT_MINUTE:
        tm->tm_min += count;
        break;
    case UNIT_HOUR:
        tm->tm_hour += count;
        break;
    case UNIT_DAY:
        tm->tm_mday += count;
        break;
    case UNIT_WEEK:
        tm->tm_mday += 7 * count;
        break;
    case UNIT_MONTH:
        tm->tm_mon += count;
        break;
    case UNIT_QUARTER:
        tm->tm_mon += 3 * count;
        break;
    case UNIT_YEAR:
        tm->tm_year += count;
        break;
    }
}

static bool parse_relative(struct span text, int64_t now, int64_t *ret) {
    time_t seconds = (time_t)(now / MS);
    struct tm tm;
    uint64_t count = 1;
    enum time_unit unit = UNIT_SECOND;
    size_t at = 1, digits;
    bool negative = text.at[0] == '-', exact = false;
    if (!localtime_r(&seconds, &tm)) {
        return false;
    }
    size_t mark = span_find_byte(text, 0, '@');
    if (mark != SPAN_NONE) {
        exact = span_is(span_from(text, mark + 1), "s");
        if (!exact && !snap(&tm, span_from(text, mark + 1))) {
            return false;
        }
        text.len = mark;
    }
    if (text.len) {
        for (digits = at; span_byte(text, digits) >= '0' && span_byte(text, digits) <= '9'; digits++) {
        }
        if ((digits > at && !span_decimal(span_sub(text, at, digits - at), 1000000, &count)) ||
            !take_unit(span_from(text, digits), &unit)) {
            return false;
        }
        move(&tm, unit, negative ? -(int)count : (int)count);
    }
    *ret = to_ms(&tm);
    return true;
}

/* --- absolute --- */

/* Up to `max` digits at `*at`, at least `min`. */
static bool take_digits(struct span text, size_t *at, size_t min, size_t max, int *ret) {
    size_t from = *at;
    *ret = 0;
    while (*at - from < max && span_byte(text, *at) >= '0' && span_byte(text, *at) <= '9') {
        *ret = *ret * 10 + (text.at[(*at)++] - '0');
    }
    return *at - from >= min;
}

static bool take_byte(struct span text, size_t *at, int c) {
    *at += span_byte(text, *at) == c;
    return *at && text.at[*at - 1] == c;
}

static bool take_clock(struct span text, size_t *at, struct tm *tm, int *ret_ms) {
    size_t digits;
    if (!take_digits(text, at, 1, 2, &tm->tm_hour) || !take_byte(text, at, ':') ||
        !take_digits(text, at, 2, 2, &tm->tm_min)) {
        return false;
    }
    if (span_byte(text, *at) == ':') {
        ++*at;
        if (!take_digits(text, at, 2, 2, &tm->tm_sec)) {
            return false;
        }
    }
    if (span_byte(text, *at) == '.') {
        digits = ++*at;
        if (!take_digits(text, at, 1, 3, ret_ms)) {
            return false;
        }
        for (digits = *at - digits; digits < 3; digits++) {
            *ret_ms *= 10;
        }
        while (span_byte(text, *at) >= '0' && span_byte(text, *at) <= '9') {
            ++*at;
        }
    }
    return tm->tm_hour <= 24 && tm->tm_min <= 59 && tm->tm_sec <= 60;
}

/* `Z`, `+02:00`, `-0500`, `+02`; false when there is something else. */
static bool take_zone(struct span text, size_t *at, bool *ret_known, int *ret_seconds) {
    int hours, minutes = 0, c = span_byte(text, *at);
    *ret_known = c >= 0;
    *ret_seconds = 0;
    if (c < 0 || c == 'Z' || c == 'z') {
        *at += c >= 0;
        return *at == text.len;
    }
    if (c != '+' && c != '-') {
        return false;
    }
    ++*at;
    if (!take_digits(text, at, 2, 2, &hours)) {
        return false;
    }
    *at += span_byte(text, *at) == ':';
    if (*at < text.len && !take_digits(text, at, 2, 2, &minutes)) {
        return false;
    }
    *ret_seconds = (c == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return *at == text.len && hours <= 15 && minutes <= 59;
}

static bool parse_absolute(struct span text, int64_t *ret, bool *ret_ms) {
    struct tm tm = {.tm_isdst = -1};
    size_t at = 0;
    int ms = -1, zone = 0;
    bool known = false;
    if (!take_digits(text, &at, 4, 4, &tm.tm_year) || at >= text.len || (text.at[at] != '/' && text.at[at] != '-')) {
        return false;
    }
    int separator = text.at[at++];
    if (!take_digits(text, &at, 1, 2, &tm.tm_mon) || !take_byte(text, &at, separator) ||
        !take_digits(text, &at, 1, 2, &tm.tm_mday) || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
        tm.tm_mday > 31) {
        return false;
    }
    if (at < text.len && (text.at[at] == ' ' || text.at[at] == 'T')) {
        at++;
        if (!take_clock(text, &at, &tm, &ms)) {
            return false;
        }
    }
    at += span_byte(text, at) == ' ';
    if (!take_zone(text, &at, &known, &zone)) {
        return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret = known ? ((int64_t)timegm(&tm) - zone) * MS : to_ms(&tm);
    *ret += ms > 0 ? ms : 0;
    *ret_ms = ms >= 0;
    return true;
}

bool time_parse(struct span text, int64_t now, int64_t *ret_low, int64_t *ret_high) {
    uint64_t number;
    bool ms = false;
    if (text.len == 0) {
        return false;
    }
    if (span_equal_fold(text, SPAN_LITERAL("now"))) {
        *ret_low = now / MS * MS;
    } else if (span_decimal(text, (uint64_t)1 << 50, &number)) {
        ms = number >= 100000000000u; /* in seconds that would be the year 5138 */
        *ret_low = (int64_t)number * (ms ? 1 : MS);
    } else if (text.at[0] == '-' || text.at[0] == '+' || text.at[0] == '@') {
        if (!parse_relative(text, now, ret_low)) {
            return false;
        }
    } else if (!parse_absolute(text, ret_low, &ms)) {
        return false;
    }
    *ret_high = *ret_low + (ms ? 0 : MS - 1);
    return true;
}
