/* parse.c: values of settings: numbers with units, lists, choices. */
#include "config/parse.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

static int parse_bool(const char *text, bool *ret) {
    static const char *const yes[] = {"true", "1", "yes", "on"}, *const no[] = {"false", "0", "no", "off", ""};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0) {
            *ret = true;
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        if (strcasecmp(text, no[i]) == 0) {
            *ret = false;
            return 0;
        }
    }
    return -EINVAL;
}

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit second_units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
static const struct unit byte_units[] = {{"", 1},           {"b", 1},          {"k", 1u << 10}, {"kb", 1u << 10},
                                         {"m", 1u << 20},   {"mb", 1u << 20},  {"g", 1u << 30}, {"gb", 1u << 30},
                                         {"t", 1ull << 40}, {"tb", 1ull << 40}};
static const struct unit no_units[] = {{"", 1}};

static int parse_number(const char *text, const struct unit *units, size_t unit_count, uint64_t *ret) {
    size_t digits = strspn(text, "0123456789");
    uint64_t number;
    if (!span_decimal(span_make(text, digits), UINT64_MAX, &number)) {
        return -EINVAL;
    }
    const char *rest = text + digits + strspn(text + digits, " ");
    for (size_t i = 0; i < unit_count; i++) {
        if (strcasecmp(rest, units[i].name) == 0) {
            return __builtin_mul_overflow(number, units[i].factor, ret) ? -ERANGE : 0;
        }
    }
    return -EINVAL;
}

static int parse_sized(const struct setting *s, const char *text, uint64_t *ret) {
    switch (s->type) {
    case ST_SECONDS:
        return parse_number(text, second_units, ARRAY_LEN(second_units), ret);
    case ST_BYTES:
        return parse_number(text, byte_units, ARRAY_LEN(byte_units), ret);
    default:
        return parse_number(text, no_units, ARRAY_LEN(no_units), ret);
    }
}

static int parse_choice(const char *choices, const char *text, uint32_t *ret) {
    uint32_t index = 0;
    for (const char *at = choices; *at; index++) {
        size_t len = strcspn(at, ",");
        if (strlen(text) == len && strncasecmp(at, text, len) == 0) {
            *ret = index;
            return 0;
        }
        at += len + (at[len] == ',');
    }
    return -EINVAL;
}

static int parse_list(struct config *c, const char *text, struct setting_list *ret) {
    size_t count = 1;
    for (const char *at = text; *at; at++) {
        count += *at == ';';
    }
    const char **items = config_alloc(c, count * sizeof(*items));
    if (!items) {
        return -ENOMEM;
    }
    size_t n = 0;
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, ";");
        struct span item = span_trim(span_make(at, len));
        if (item.len) {
            items[n] = config_strdup(c, (const char *)item.at, item.len);
            if (!items[n++]) {
                return -ENOMEM;
            }
        }
        at += len + (at[len] == ';');
    }
    *ret = (struct setting_list){items, n};
    return 0;
}

void setting_describe_type(const struct setting *s, char *ret_text, size_t size) {
    static const char *const names[] = {
        [ST_BOOL] = "true or false",
        [ST_U32] = "number",
        [ST_U64] = "number",
        [ST_SECONDS] = "seconds (or 5m, 2h, 1d)",
        [ST_BYTES] = "bytes (or 64K, 10M, 2G)",
        [ST_TEXT] = "text",
        [ST_LIST] = "list separated by ;",
        [ST_CHOICE] = "one of",
    };
    if (s->type == ST_CHOICE) {
        (void)snprintf(ret_text, size, "one of %s", s->choices);
    } else if (s->max && s->type != ST_BYTES) {
        (void)snprintf(ret_text, size, "%s, %llu to %llu", names[s->type], (unsigned long long)s->min,
                       (unsigned long long)s->max);
    } else {
        (void)snprintf(ret_text, size, "%s", names[s->type]);
    }
}

static int complain(const struct setting *s, const char *text, int code, struct err *ret_err) {
    char wanted[300];
    setting_describe_type(s, wanted, sizeof(wanted));
    (void)err_set(ret_err, code, "%s = %s is not possible", s->name, text);
    err_hint(ret_err, "%s takes %.120s", s->name, wanted);
    return code;
}

int setting_parse(struct config *c, const struct setting *s, const char *text, void *target, struct err *ret_err) {
    uint8_t *to = (uint8_t *)target + s->offset;
    int code = 0;
    if (s->type == ST_BOOL) {
        bool value = false;
        code = parse_bool(text, &value);
        if (code == 0) {
            memcpy(to, &value, sizeof(value));
        }
    } else if (s->type == ST_TEXT) {
        const char *copy = config_strdup(c, text, strlen(text));
        code = copy ? 0 : -ENOMEM;
        memcpy(to, &copy, sizeof(copy));
    } else if (s->type == ST_LIST) {
        struct setting_list list = {0};
        code = parse_list(c, text, &list);
        memcpy(to, &list, sizeof(list));
    } else if (s->type == ST_CHOICE) {
        uint32_t index = 0;
        code = parse_choice(s->choices, text, &index);
        memcpy(to, &index, sizeof(index));
    } else {
        uint64_t value = 0;
        code = parse_sized(s, text, &value);
        if (code == 0 && s->max && (value < s->min || value > s->max)) {
            code = -ERANGE;
        }
        uint32_t small = (uint32_t)value;
        if (s->type == ST_U64 || s->type == ST_BYTES) {
            memcpy(to, &value, sizeof(value));
        } else if (value > UINT32_MAX) {
            code = -ERANGE;
        } else {
            memcpy(to, &small, sizeof(small));
        }
    }
    return code < 0 ? complain(s, text, code, ret_err) : 0;
}
