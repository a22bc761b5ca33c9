/* params.c: see params.h. Forms follow the urlencoded parser of the URL Standard, so a `%` without two digits stays. */
#include "http/params.h"

#include <errno.h>
#include <stdlib.h>

#include "base/json_scan.h"
#include "base/util.h"

#define JSON_ENTRIES_MAX (1u << 21)

void params_done(struct params *p) {
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].name);
        free(p->list[i].value);
    }
    free(p->list);
    *p = (struct params){0};
}

const struct param *params_find(const struct params *p, const char *name) {
    for (size_t i = 0; i < p->count; i++) {
        if (strcmp(p->list[i].name, name) == 0) {
            return &p->list[i];
        }
    }
    return NULL;
}

static int digit_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t percent_decode(char *text, size_t len, bool plus, bool strict) {
    size_t to = 0;
    for (size_t from = 0; from < len; from++) {
        char c = text[from];
        if (c == '%') {
            int high = from + 2 < len ? digit_value(text[from + 1]) : -1;
            int low = high >= 0 ? digit_value(text[from + 2]) : -1;
            if (low >= 0) {
                c = (char)(high << 4 | low);
                from += 2;
            } else if (strict) {
                return SPAN_NONE;
            }
        } else if (c == '+' && plus) {
            c = ' ';
        }
        text[to++] = c;
    }
    return to;
}

static char *text_copy(struct span s) {
    char *copy = malloc(s.len + 1);
    if (copy) {
        *span_copy_to(s, (uint8_t *)copy) = 0;
    }
    return copy;
}

static int value_join(struct param *p, struct span more) {
    char *value = realloc(p->value, p->len + more.len + 2);
    if (!value) {
        return -ENOMEM;
    }
    value[p->len] = ',';
    *span_copy_to(more, (uint8_t *)value + p->len + 1) = 0;
    p->value = value;
    p->len += more.len + 1;
    return 0;
}

static int param_new(struct params *p, struct span name, struct span value, struct param **ret_param) {
    if (p->count == PARAMS_MAX) {
        return -E2BIG;
    }
    if (p->count == p->cap) {
        size_t cap = MAX(p->cap * 2, (size_t)16);
        struct param *list = realloc(p->list, cap * sizeof(*list));
        if (!list) {
            return -ENOMEM;
        }
        p->list = list;
        p->cap = cap;
    }
    struct param *one = &p->list[p->count];
    *one = (struct param){.name = text_copy(name), .value = text_copy(value), .len = value.len};
    if (!one->name || !one->value) {
        free(one->name);
        free(one->value);
        return -ENOMEM;
    }
    p->count++;
    *ret_param = one;
    return 0;
}

static int pair_add(struct params *p, struct span pair) {
    size_t equals = span_find_byte(pair, 0, '=');
    struct span name = equals == SPAN_NONE ? pair : span_sub(pair, 0, equals);
    struct span value = equals == SPAN_NONE ? span_make("", 0) : span_from(pair, equals + 1);
    struct param *one;
    int code = param_new(p, name, value, &one);
    if (code < 0) {
        return code;
    }
    one->name[percent_decode(one->name, name.len, true, false)] = 0;
    one->len = percent_decode(one->value, value.len, true, false);
    one->value[one->len] = 0;
    const struct param *first = params_find(p, one->name);
    if (first != one) {
        code = value_join(&p->list[first - p->list], span_make(one->value, one->len));
        p->count--;
        free(one->name);
        free(one->value);
    }
    return code;
}

int params_add_query(struct params *p, struct span text) {
    int code = 0;
    for (size_t at = 0; at < text.len && code == 0;) {
        size_t end = span_find_byte(text, at, '&');
        end = end == SPAN_NONE ? text.len : end;
        if (end > at) {
            code = pair_add(p, span_sub(text, at, end - at));
        }
        at = end + 1;
    }
    return code;
}

/* The key as text: json_string takes values only, and a key may hold escapes as they do. */
static int key_text(struct span key, struct buf *scratch, struct span *ret_text) {
    if (span_find_byte(key, 0, '\\') == SPAN_NONE) {
        *ret_text = key;
        return 0;
    }
    struct json_index index;
    struct json_error error;
    struct buf quoted;
    json_index_init(&index, 64);
    buf_init(&quoted, key.len + 2);
    buf_add_byte(&quoted, '"');
    buf_add_span(&quoted, key);
    buf_add_byte(&quoted, '"');
    int code = quoted.overflowed ? -ENOMEM : json_index_build(&index, buf_span(&quoted), &error);
    if (code == 0) {
        buf_clear(scratch);
        code = json_string(json_root(&index), scratch, ret_text) ? 0 : -ENOMEM;
        if (code == 0 && ret_text->at != scratch->data) {
            buf_clear(scratch);
            buf_add_span(scratch, *ret_text);
            *ret_text = buf_span(scratch);
        }
    }
    json_index_done(&index);
    buf_done(&quoted);
    return code;
}

static int member_add(struct params *p, struct span key, struct json_ref value, struct buf *scratch[2]) {
    struct span name, text = json_raw_of(value);
    enum json_kind kind = json_kind_of(value);
    if (kind == JSON_NULL) {
        return 0;
    }
    int code = key_text(key, scratch[0], &name);
    if (code < 0) {
        return code;
    }
    if (kind == JSON_STRING) {
        buf_clear(scratch[1]);
        if (!json_string(value, scratch[1], &text)) {
            return -ENOMEM;
        }
    }
    struct param *one;
    code = param_new(p, name, text, &one);
    if (code < 0) {
        return code;
    }
    one->json = kind != JSON_STRING;
    /* Of members with the same name the last one counts, as everywhere. */
    const struct param *first = params_find(p, one->name);
    if (first != one) {
        struct param *old = &p->list[first - p->list];
        free(old->name);
        free(old->value);
        *old = *one;
        p->count--;
    }
    return 0;
}

int params_add_json(struct params *p, struct span text) {
    struct json_index index;
    struct json_error error;
    struct buf names, values;
    json_index_init(&index, JSON_ENTRIES_MAX);
    buf_init(&names, text.len + 1);
    buf_init(&values, text.len + 1);
    int code = json_index_build(&index, text, &error);
    if (code == 0) {
        code = json_check(&index, &error);
    }
    if (code == 0 && json_kind_of(json_root(&index)) == JSON_OBJECT) {
        struct json_walk walk = json_walk_over(json_root(&index));
        struct span key;
        struct json_ref value;
        while (code == 0 && json_walk_next(&walk, &key, &value)) {
            code = member_add(p, key, value, (struct buf *[2]){&names, &values});
        }
    }
    json_index_done(&index);
    buf_done(&names);
    buf_done(&values);
    return code;
}
