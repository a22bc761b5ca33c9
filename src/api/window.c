/* window.c: see window.h. */
#include "api/window.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/util.h"
#include "query/item.h"

#define MS 1000
#define HOUR_MS 3600000.0
#define HOURS_MAX 1e7 /* more than a thousand years: everything */
#define NUMBER_ROOM 40

/* All of `text` as a number. */
static bool number_read(struct span text, double *ret) {
    char copy[NUMBER_ROOM], *end;
    text = span_trim(text);
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    *ret = strtod(copy, &end);
    return end == copy + text.len && isfinite(*ret);
}

static int point_read(struct span text, bool is_list, const char *name, int64_t now, int64_t *ret, struct err *e) {
    char copy[NUMBER_ROOM * 2];
    double seconds;
    int64_t high;
    if (is_list || span_find_byte(text, 0, ',') != SPAN_NONE) {
        return err_set(e, -EINVAL, "%s must be a string or number", name);
    }
    if (number_read(text, &seconds) && fabs(seconds) < 1e11) {
        *ret = (int64_t)(seconds * MS);
        return 0;
    }
    if (text.len >= sizeof(copy)) {
        return err_set(e, -EINVAL, "%s: Invalid date", name);
    }
    /* A blank may have come as `+`, which also begins relative times. */
    for (size_t i = 0; i < text.len; i++) {
        copy[i] = (char)(text.at[i] == '+' && i ? ' ' : text.at[i]);
    }
    if (time_parse(text, now, ret, &high) || time_parse(span_make(copy, text.len), now, ret, &high)) {
        return 0;
    }
    return err_set(e, -EINVAL, "%s: Invalid date", name);
}

static enum bounding bounding_read(struct span text) {
    static const struct {
        const char *name;
        enum bounding bounding;
    } names[] = {{"first", BOUND_FIRST},
                 {"last", BOUND_LAST},
                 {"both", BOUND_BOTH},
                 {"either", BOUND_EITHER},
                 {"database", BOUND_DATABASE}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_is(text, names[i].name)) {
            return names[i].bounding;
        }
    }
    return BOUND_LAST;
}

static uint64_t interval_asked(struct span text) {
    static const struct {
        const char *name;
        uint64_t seconds;
    } names[] = {{"second", 1}, {"minute", 60}, {"hour", 3600}, {"day", 86400}, {"week", 604800}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_is(text, names[i].name)) {
            return names[i].seconds;
        }
    }
    return 0;
}

static uint64_t interval_fitting(int64_t span_ms) {
    int64_t seconds = span_ms / MS;
    return seconds < 1000 ? 1 : seconds <= 600000 ? 60 : seconds <= 36000000 ? 3600 : 86400;
}

int window_read(const struct window_input *in, int64_t now_ms, struct window *ret, struct err *ret_err) {
    double hours = in->everything ? -1 : 1;
    *ret = (struct window){.bounding = in->strictly ? BOUND_BOTH : bounding_read(in->bounding)};
    if (in->start.at && in->stop.at) {
        int code = point_read(in->start, in->start_is_list, "startTime", now_ms, &ret->start_ms, ret_err);
        if (code == 0) {
            code = point_read(in->stop, in->stop_is_list, "stopTime", now_ms, &ret->stop_ms, ret_err);
        }
        if (code < 0) {
            return code;
        }
        ret->bounded = true;
    } else {
        if (in->start_is_list || in->stop_is_list) {
            return err_set(ret_err, -EINVAL, "%s must be a string or number",
                           in->start_is_list ? "startTime" : "stopTime");
        }
        hours = in->date.at && !number_read(in->date, &hours) ? -1 : hours;
        ret->bounded = hours >= 0 && hours < HOURS_MAX;
        ret->open = true;
        ret->start_ms = ret->bounded ? now_ms / MS * MS - (int64_t)(hours * HOUR_MS) : 0;
        ret->stop_ms = INT64_MAX;
        if (ret->bounding == BOUND_BOTH) {
            ret->bounding = BOUND_LAST;
        }
    }
    ret->interval_s = interval_asked(in->interval);
    if (!ret->interval_s && (!ret->bounded || in->all_segments)) {
        ret->interval_s = in->spanning ? 86400 : 3600;
    } else if (!ret->interval_s) {
        ret->interval_s = interval_fitting((ret->open ? now_ms : ret->stop_ms) - ret->start_ms);
    }
    return 0;
}
