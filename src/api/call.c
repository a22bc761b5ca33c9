/* call.c: what every endpoint's function needs: answers and parameters. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"

#define JSON_TYPE "application/json; charset=utf-8"

struct json call_json(struct call *c) {
    reply_type(c->reply, JSON_TYPE);
    return json_over(reply_body(c->reply));
}

static void say(struct call *c, bool success, const char *text) {
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, success);
    json_key(&j, "text");
    json_cstr(&j, text);
    json_close(&j, '}');
}

void call_fail(struct call *c, int status, const char *format, ...) {
    char text[1024];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    c->status = status;
    if (!reply_restart(c->reply)) {
        reply_abort(c->reply);
        return;
    }
    call_headers(c);
    reply_status(c->reply, c->endpoint && (c->endpoint->flags & API_ERROR_200) ? 200 : status);
    say(c, false, text);
}

void call_done(struct call *c, const char *text) {
    say(c, true, text);
}

/* --- parameters --- */

const char *call_text(const struct call *c, const char *name, const char *fallback) {
    const char *text = request_param_text(c->request, name);
    return text && *text ? text : fallback;
}

bool call_bool(const struct call *c, const char *name, bool fallback) {
    const char *text = call_text(c, name, NULL);
    if (!text) {
        return fallback;
    }
    return strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0 || strcasecmp(text, "on") == 0 ||
           strcasecmp(text, "yes") == 0;
}

bool call_u64(struct call *c, const char *name, uint64_t fallback, uint64_t max, uint64_t *ret) {
    const char *text = call_text(c, name, NULL);
    if (!text) {
        *ret = fallback;
        return true;
    }
    uint64_t value;
    if (!span_decimal(span_text(text), UINT64_MAX, &value)) {
        call_fail(c, 400, "%s must be a whole number from 0", name);
        return false;
    }
    *ret = MIN(value, max);
    return true;
}

bool call_double(struct call *c, const char *name, double fallback, double *ret) {
    const char *text = call_text(c, name, NULL);
    if (!text) {
        *ret = fallback;
        return true;
    }
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    /* NaN and infinity are numbers to strtod only. */
    if (errno || *end || end == text || !(value > -1e300 && value < 1e300)) {
        call_fail(c, 400, "%s must be a number", name);
        return false;
    }
    *ret = value;
    return true;
}

static bool array_each(struct span text, bool (*each)(void *ctx, struct span item), void *ctx) {
    struct json_index index;
    struct json_error error;
    struct buf scratch;
    bool going = true;
    json_index_init(&index, 1u << 20);
    buf_init(&scratch, text.len + 1);
    if (json_index_build(&index, text, &error) == 0) {
        struct json_walk walk = json_walk_over(json_root(&index));
        struct span key, item;
        struct json_ref value;
        while (going && json_walk_next(&walk, &key, &value)) {
            buf_clear(&scratch);
            item = json_raw_of(value);
            if (json_kind_of(value) != JSON_STRING || json_string(value, &scratch, &item)) {
                going = each(ctx, item);
            }
        }
    }
    json_index_done(&index);
    buf_done(&scratch);
    return going;
}

bool call_list(const struct call *c, const char *name, bool (*each)(void *ctx, struct span item), void *ctx) {
    struct span text = request_param(c->request, name);
    if (span_byte(text, 0) == '[' && request_param_is_json(c->request, name)) {
        return array_each(text, each, ctx);
    }
    for (size_t at = 0; at < text.len;) {
        size_t end = span_find_byte(text, at, ',');
        end = end == SPAN_NONE ? text.len : end;
        struct span item = span_trim(span_sub(text, at, end - at));
        if (item.len && !each(ctx, item)) {
            return false;
        }
        at = end + 1;
    }
    return true;
}

bool call_cancelled(void *call) {
    const struct call *c = call;
    return running_cancelled(c->running) || request_gone(c->request);
}
