/* input.c: checks of what callers send. Answers name the value and say what would be right. */
#include "api/input.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "api/saved.h"
#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"

int64_t input_now(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Text people see: no control characters but line ends and tabs, and UTF-8. */
static bool is_clean(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        if ((s.at[i] < 0x20 && s.at[i] != '\n' && s.at[i] != '\t' && s.at[i] != '\r') || s.at[i] == 0x7f) {
            return false;
        }
    }
    return utf8_valid(s);
}

bool input_text(struct call *c, const char *name, const char *label, size_t max, struct span *ret) {
    *ret = request_param(c->request, name);
    if (!ret->at) {
        return true;
    }
    if (request_param_is_json(c->request, name)) {
        if (span_is(*ret, "null")) {
            *ret = (struct span){NULL, 0};
            return true;
        }
        call_fail(c, 403, "%s must be a string", label);
        return false;
    }
    *ret = span_trim(*ret);
    if (ret->len > max) {
        call_fail(c, 400, "%s is too long: %zu bytes, at most %zu", label, ret->len, max);
        return false;
    }
    if (!is_clean(*ret)) {
        call_fail(c, 400, "%s has control characters, or is not UTF-8", label);
        return false;
    }
    return true;
}

bool input_needed(struct call *c, const char *name, const char *label, size_t max, const char *missing,
                  struct span *ret) {
    if (!input_text(c, name, label, max, ret)) {
        return false;
    }
    if (ret->len == 0) {
        call_fail(c, 403, "%s", missing);
        return false;
    }
    return true;
}

static bool line_add(struct call *c, const char *label, struct span name, struct buf *lines, size_t *count) {
    if (name.len > SAVED_LIST_NAME_MAX || !is_clean(name) || span_find_byte(name, 0, '\n') != SPAN_NONE) {
        call_fail(c, 400, "%s has a name that is too long (at most %d bytes) or has control characters", label,
                  SAVED_LIST_NAME_MAX);
        return false;
    }
    if (++*count > SAVED_LIST_MAX) {
        call_fail(c, 400, "%s has too many names: at most %d", label, SAVED_LIST_MAX);
        return false;
    }
    if (lines_have(buf_span(lines), name)) {
        return true;
    }
    if (lines->len) {
        buf_add_byte(lines, '\n');
    }
    buf_add_span(lines, name);
    return true;
}

/* Where the names of a list go. */
struct name_list {
    const char *label;
    struct buf *lines, *invalid; /* invalid: they are users, and those nobody has go there; NULL: any names */
    size_t count;
};

static bool name_add(struct call *c, struct name_list *l, struct span name) {
    if (name.len == 0) {
        return true;
    }
    char id[SAVED_LIST_NAME_MAX + 1] = "";
    bool known = !l->invalid;
    if (!known && name.len < sizeof(id) && !memchr(name.at, 0, name.len)) {
        memcpy(id, name.at, name.len);
        known = auth_user_exists(c->api->auth, id);
    }
    size_t ignored = 0;
    return known ? line_add(c, l->label, name, l->lines, &l->count) : line_add(c, l->label, name, l->invalid, &ignored);
}

static bool array_take(struct call *c, struct name_list *l, const struct json_index *x) {
    _cleanup_(buf_done) struct buf scratch;
    buf_init(&scratch, SAVED_VALUES_MAX);
    struct json_walk walk = json_walk_over(json_root(x));
    struct span key, text;
    struct json_ref value;
    while (json_walk_next(&walk, &key, &value)) {
        buf_clear(&scratch);
        if (!json_string(value, &scratch, &text)) {
            call_fail(c, 403, "%s field must be an array of strings", l->label);
            return false;
        }
        if (!name_add(c, l, span_trim(text))) {
            return false;
        }
    }
    return true;
}

static bool array_read(struct call *c, struct name_list *l, struct span text, bool json) {
    if (!json || span_byte(text, 0) != '[') {
        call_fail(c, 403, "%s field must be an array of strings", l->label);
        return false;
    }
    struct json_index x;
    struct json_error error;
    json_index_init(&x, 1 << 20);
    bool good = json_index_build(&x, text, &error) == 0 && json_check(&x, &error) == 0;
    if (!good) {
        call_fail(c, 400, "%s is not valid JSON", l->label);
    } else {
        good = array_take(c, l, &x);
    }
    json_index_done(&x);
    return good;
}

static bool joined_read(struct call *c, struct name_list *l, struct span rest, bool json) {
    if (json) {
        call_fail(c, 403, "%s field must be a string", l->label);
        return false;
    }
    while (rest.len) {
        size_t comma = span_find_byte(rest, 0, ',');
        struct span name = span_trim(span_sub(rest, 0, comma));
        rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
        if (!name_add(c, l, name)) {
            return false;
        }
    }
    return true;
}

bool input_names(struct call *c, const struct input_names *what, struct buf *ret_lines, struct buf *invalid,
                 bool *ret_given) {
    struct name_list l = {.label = what->label, .lines = ret_lines, .invalid = what->users ? invalid : NULL};
    struct span text = request_param(c->request, what->name);
    bool json = request_param_is_json(c->request, what->name);
    *ret_given = text.at && !(json && span_is(text, "null"));
    return !*ret_given || (what->array ? array_read : joined_read)(c, &l, text, json);
}

bool input_json(struct call *c, const char *name, const char *label, char bracket, size_t max, struct span *ret) {
    *ret = request_param(c->request, name);
    if (!ret->at || (request_param_is_json(c->request, name) && span_is(*ret, "null"))) {
        *ret = (struct span){NULL, 0};
        return true;
    }
    if (ret->len > max) {
        call_fail(c, 400, "%s is too long: %zu bytes, at most %zu", label, ret->len, max);
        return false;
    }
    struct json_index x;
    struct json_error error;
    json_index_init(&x, 1 << 20);
    bool good = span_byte(*ret, 0) == bracket && json_index_build(&x, *ret, &error) == 0 && json_check(&x, &error) == 0;
    json_index_done(&x);
    if (!good) {
        call_fail(c, 403, "%s must be %s", label, bracket == '[' ? "an array" : "an object");
    }
    return good;
}

bool input_flag(const struct call *c, const char *name) {
    struct span text = request_param(c->request, name);
    return span_is(text, "true") || span_is(text, "1");
}

bool input_whole(struct call *c, const char *name, uint64_t fallback, uint64_t max, uint64_t *ret) {
    struct span text = request_param(c->request, name);
    *ret = fallback;
    if (text.len && !span_decimal(text, max, ret)) {
        call_fail(c, 400, "%s must be a whole number up to %llu", name, (unsigned long long)max);
        return false;
    }
    return true;
}

bool input_page(struct call *c, uint64_t length, struct page *ret) {
    ret->descending = input_flag(c, "desc");
    return input_whole(c, "start", 0, INT32_MAX, &ret->start) &&
           input_whole(c, "length", length, INT32_MAX, &ret->length);
}

size_t page_part(const struct page *p, size_t count, size_t *ret_from) {
    *ret_from = MIN(p->start, count);
    return MIN(p->length, count - *ret_from);
}

bool input_number(struct span text, double *ret) {
    char copy[40];
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.at, 0, text.len)) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    char *end;
    *ret = strtod(copy, &end);
    return *end == 0 && isfinite(*ret);
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

/* The whole text fits: on a mismatch only the last star need take one byte more. */
static bool wildcard_fits(struct span pattern, struct span text) {
    size_t p = 0, t = 0, star = SPAN_NONE, from = 0;
    while (t < text.len) {
        if (p < pattern.len && pattern.at[p] == '*') {
            star = p++;
            from = t;
        } else if (p < pattern.len && (pattern.at[p] == '?' || lower(pattern.at[p]) == lower(text.at[t]))) {
            p++;
            t++;
        } else if (star != SPAN_NONE) {
            p = star + 1;
            t = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.at[p] == '*') {
        p++;
    }
    return p == pattern.len;
}

bool search_fits(struct span term, struct span text) {
    if (term.len == 0) {
        return true;
    }
    bool wild = span_find_byte(term, 0, '*') != SPAN_NONE || span_find_byte(term, 0, '?') != SPAN_NONE;
    return wild ? wildcard_fits(term, text) : span_find_fold(text, term) != SPAN_NONE;
}
