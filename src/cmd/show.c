/* show.c: see show.h. */
#include "cmd/show.h"

#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "base/json.h"
#include "base/util.h"

#define NS_PER_S 1000000000
#define NS_PER_MS 1000000

bool show_utf8(void) {
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

/* A name of the zone database, or a POSIX zone such as CET-1CEST: libc takes anything else for UTC without a word. */
static bool zone_exists(const char *zone) {
    char path[300];
    bool clean = *zone && *zone != '/' && !strstr(zone, "..");
    int n = snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", zone);
    if (clean && n > 0 && n < (int)sizeof(path) && access(path, R_OK) == 0) {
        return true;
    }
    size_t letters = strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    size_t sign = strspn(zone + letters, "+-");
    return letters >= 3 && sign <= 1 && strspn(zone + letters + sign, "0123456789:") > 0;
}

bool show_zone(struct show *s, bool utc, const char *zone) {
    s->utc = utc;
    if (zone && !zone_exists(zone)) {
        return false;
    }
    if (zone) {
        s->utc = false;
        (void)setenv("TZ", zone, 1);
    }
    tzset();
    return true;
}

static struct tm *break_down(const struct show *s, int64_t time, struct tm *ret) {
    time_t seconds = (time_t)(time / NS_PER_S - (time % NS_PER_S < 0));
    struct tm *ok = s->utc ? gmtime_r(&seconds, ret) : localtime_r(&seconds, ret);
    if (!ok) {
        *ret = (struct tm){.tm_year = 70, .tm_mday = 1};
    }
    return ret;
}

void show_time(const struct show *s, int64_t time, unsigned parts, struct buf *out) {
    struct tm t;
    break_down(s, time, &t);
    int64_t rest = time % NS_PER_S;
    rest += rest < 0 ? NS_PER_S : 0;
    if (parts & TIME_DATE) {
        buf_printf(out, "%04d-%02d-%02d", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday);
    }
    if ((parts & TIME_DATE) && (parts & TIME_CLOCK)) {
        buf_add_byte(out, parts & TIME_ISO ? 'T' : ' ');
    }
    if (parts & TIME_CLOCK) {
        buf_printf(out, "%02d:%02d:%02d.%03d", t.tm_hour, t.tm_min, t.tm_sec, (int)(rest / NS_PER_MS));
    }
    if (parts & TIME_OFFSET) {
        long minutes = s->utc ? 0 : t.tm_gmtoff / 60;
        if (minutes == 0) {
            buf_add_text(out, parts & TIME_CLOCK ? "Z" : "UTC");
        } else {
            buf_printf(out, "%c%02ld:%02ld", minutes < 0 ? '-' : '+', labs(minutes) / 60, labs(minutes) % 60);
        }
    }
}

int64_t show_day(const struct show *s, int64_t time) {
    struct tm t;
    break_down(s, time, &t);
    return (((int64_t)t.tm_year * 400 + t.tm_yday) * 2000) + (s->utc ? 0 : t.tm_gmtoff / 60);
}

void show_duration(int64_t ns, struct buf *out) {
    int64_t ms = MAX(ns, 0) / NS_PER_MS, s = ms / 1000;
    if (ms < 1000) {
        buf_printf(out, "%dms", (int)ms);
    } else if (s < 60) {
        buf_printf(out, "%d.%ds", (int)s, (int)(ms % 1000 / 100));
    } else if (s < 3600) {
        buf_printf(out, "%dm%02ds", (int)(s / 60), (int)(s % 60));
    } else if (s < 86400) {
        buf_printf(out, "%dh%02dm", (int)(s / 3600), (int)(s / 60 % 60));
    } else {
        buf_printf(out, "%lldd%02dh", (long long)(s / 86400), (int)(s / 3600 % 24));
    }
}

/* Three digits of a number from 1000 on, and the letter of its thousands. */
static void add_scaled(uint64_t number, const char *between, const char *unit, struct buf *out) {
    double scaled = (double)number;
    unsigned scale = 0;
    for (scaled /= 1000; scaled >= 999.5; scaled /= 1000) {
        scale++;
    }
    buf_printf(out, scaled < 99.95 ? "%.1f%s%c%s" : "%.0f%s%c%s", scaled, between, "kMGTPE"[scale], unit);
}

void show_short(uint64_t number, struct buf *out) {
    if (number < 10000) {
        buf_add_u64(out, number);
        return;
    }
    add_scaled(number, "", "", out);
}

void show_bytes(uint64_t bytes, struct buf *out) {
    if (bytes < 1000) {
        buf_printf(out, "%u byte%s", (unsigned)bytes, bytes == 1 ? "" : "s");
        return;
    }
    add_scaled(bytes, " ", "B", out);
}

/* --- text of strangers --- */

/* One character of UTF-8; `*ret_len` is 1 and the result negative for a byte that is none. */
static int32_t next_character(struct span text, size_t *ret_len) {
    uint8_t lead = text.at[0];
    size_t len = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    *ret_len = 1;
    if (len == 1) {
        return lead;
    }
    if (len > text.len || !utf8_valid(span_sub(text, 0, len))) {
        return -1;
    }
    int32_t c = lead & (0xff >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        c = c << 6 | (text.at[i] & 0x3f);
    }
    *ret_len = len;
    return c;
}

/* Controls, and characters that are not seen but change how others are. */
static bool is_dangerous(int32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
           (c >= 0xe0000 && c <= 0xe0fff);
}

/* What stands for the character at the start of `text`: into `ret_shown`, its columns into `*ret_width`. Returns the
 * bytes of `text` it stands for. */
static size_t show_character(const struct show *s, struct span text, char ret_shown[16], size_t *ret_width) {
    size_t len;
    int32_t c = next_character(text, &len);
    int width = c < 0 || is_dangerous(c) || (c >= 0x80 && !s->utf8) ? -1 : c < 0x80 ? 1 : wcwidth((wchar_t)c);
    if (width >= 0) {
        memcpy(ret_shown, text.at, len);
        ret_shown[len] = 0;
        *ret_width = (size_t)width;
    } else if (c < 0x80) {
        *ret_width = (size_t)snprintf(ret_shown, 16, "\\x%02x", text.at[0]);
    } else {
        *ret_width = (size_t)snprintf(ret_shown, 16, "\\u%04x", (unsigned)c);
    }
    return len;
}

size_t show_text(const struct show *s, struct span text, size_t columns, struct buf *out) {
    const char *rest = s->utf8 ? "\xe2\x80\xa6" : "..";
    size_t rest_width = s->utf8 ? 1 : 2, used = 0, safe_len = out->len, safe_used = 0;
    while (text.len) {
        char shown[16];
        size_t width, len = show_character(s, text, shown, &width);
        if (used + width > columns) {
            if (safe_used + rest_width > columns) {
                return used;
            }
            out->len = safe_len;
            buf_add_text(out, rest);
            return safe_used + rest_width;
        }
        buf_add_text(out, shown);
        used += width;
        if (used + rest_width <= columns) {
            safe_len = out->len;
            safe_used = used;
        }
        text = span_from(text, len);
    }
    return used;
}
