/* item.c: see item.h: one constant, typed by its field. Ranges are closed unless the operator opens them. */
#include "query/item.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"
#include "query/regex.h"

#define SHOWN 100 /* bytes of a value that an error repeats */

int typing_fail(const struct typing *t, struct span where, const char *format, ...) {
    char text[sizeof(t->err->text)];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    (void)err_set(t->err, -EINVAL, "%s", text);
    if (t->err && where.at >= t->text.at && where.at <= t->text.at + t->text.len) {
        t->err->column = (int)(where.at - t->text.at) + 1;
    }
    return -EINVAL;
}

enum query_class query_field_class(const struct query_field *f) {
    static const uint8_t classes[] = {
        [FT_U64] = CLASS_NUMBER,   [FT_I64] = CLASS_NUMBER,   [FT_FLOAT] = CLASS_NUMBER, [FT_TIME] = CLASS_TIME,
        [FT_BOOL] = CLASS_BOOL,    [FT_KEYWORD] = CLASS_TEXT, [FT_LOWER] = CLASS_TEXT,   [FT_UPPER] = CLASS_TEXT,
        [FT_TEXT] = CLASS_TOKENS,  [FT_IP] = CLASS_IP,        [FT_MAC] = CLASS_MAC,      [FT_OBJECT] = CLASS_OBJECT,
        [FT_UNION] = CLASS_OBJECT,
    };
    switch (f->access) {
    case ACCESS_COUNT:
    case ACCESS_SECONDS:
        return CLASS_NUMBER;
    case ACCESS_TOKENS:
        return CLASS_TOKENS;
    case ACCESS_HEX_TEXT:
    case ACCESS_ID:
        return CLASS_TEXT;
    default:
        return (enum query_class)classes[f->field->type];
    }
}

bool query_field_folds(const struct query_field *f) {
    if (f->access == ACCESS_HEX_TEXT || f->access == ACCESS_ID) {
        return false;
    }
    struct span name = span_text(f->field->def->name), path = span_text(f->field->def->path);
    return f->access == ACCESS_TOKENS || f->field->type == FT_LOWER || f->field->type == FT_UPPER ||
           f->field->type == FT_TEXT || f->field->type == FT_MAC || span_ends(path, SPAN_LITERAL("Payload8")) ||
           span_ends(name, SPAN_LITERAL(".country")) || span_ends(name, SPAN_LITERAL(".rir"));
}

static const char *field_name(const struct query_field *f) {
    const struct field_def *def = f->field ? f->field->def : NULL;
    return def ? (def->name ? def->name : def->path) : "id";
}

/* --- numbers --- */

static bool protocol_number(struct span text, long double *ret) {
    static const struct {
        const char *name;
        uint8_t number;
    } protocols[] = {
        {"icmp", 1}, {"igmp", 2},   {"tcp", 6},     {"udp", 17},  {"gre", 47},  {"esp", 50},
        {"ah", 51},  {"icmp6", 58}, {"icmpv6", 58}, {"ospf", 89}, {"pim", 103}, {"sctp", 132},
    };
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
        if (span_equal_fold(text, span_text(protocols[i].name))) {
            *ret = protocols[i].number;
            return true;
        }
    }
    return false;
}

/* A number in the field's own unit. */
static int number_of(const struct typing *t, const struct query_field *f, struct span text, long double *ret) {
    char unit;
    bool is_protocol = f->field && strcmp(f->field->def->path, "ipProtocol") == 0;
    if (is_protocol && protocol_number(text, ret)) {
        return 0;
    }
    if (!number_parse(text, ret, &unit)) {
        bool is_float = f->field && f->access == ACCESS_VALUE && f->field->type == FT_FLOAT;
        return typing_fail(t, text,
                           is_protocol ? "Unknown protocol string %.*s"
                           : is_float  ? "%.*s is not a float"
                                       : "%.*s is not a number",
                           (int)MIN(text.len, (size_t)SHOWN), (const char *)text.at);
    }
    uint32_t flags = f->field ? f->field->flags : 0;
    bool ms = f->field && f->access == ACCESS_VALUE &&
              (strcmp(f->field->def->path, "length") == 0 || strcmp(f->field->def->path, "initRTT") == 0);
    if (unit == 's' && !ms && f->access != ACCESS_SECONDS && !(flags & F_SECONDS)) {
        (void)typing_fail(t, text, "%.*s is a duration, and %s is none", (int)MIN(text.len, (size_t)SHOWN),
                          (const char *)text.at, field_name(f));
        err_hint(t->err, "sizes are written with k, M, G, T or KiB, MiB, ...");
        return -EINVAL;
    }
    if (unit == 'b' && (ms || f->access != ACCESS_VALUE || (flags & (F_SECONDS | F_PORT)))) {
        return typing_fail(t, text, "%.*s is a size, and %s is none", (int)MIN(text.len, (size_t)SHOWN),
                           (const char *)text.at, field_name(f));
    }
    *ret *= unit == 's' && ms ? 1000 : 1;
    return 0;
}

static void set_range(enum query_op op, long double low, long double high, struct query_item *ret) {
    ret->kind = ITEM_NUMBER;
    ret->number.low = op == QUERY_LT || op == QUERY_LE ? -INFINITY : op == QUERY_GT ? high : low;
    ret->number.high = op == QUERY_GT || op == QUERY_GE ? INFINITY : op == QUERY_LT ? low : high;
    ret->low_open = op == QUERY_GT;
    ret->high_open = op == QUERY_LT;
}

static int number_item(const struct typing *t, const struct query_field *f, enum query_op op, struct span text,
                       struct query_item *ret) {
    size_t dash = span_find_byte(text, 1, '-');
    long double low, high;
    int code = number_of(t, f, span_sub(text, 0, dash), &low);
    high = low;
    if (code == 0 && dash != SPAN_NONE) {
        code = number_of(t, f, span_from(text, dash + 1), &high);
        if (code == 0 && high < low) {
            code = typing_fail(t, text, "this range runs backwards");
        } else if (code == 0 && op > QUERY_NE) {
            code = typing_fail(t, text, "a range cannot be compared with < or >");
        }
    }
    set_range(op, low, high, ret);
    return code;
}

static int time_item(const struct typing *t, enum query_op op, struct span text, struct query_item *ret) {
    int64_t low, high;
    if (!time_parse(text, t->now, &low, &high)) {
        (void)typing_fail(t, text, "%.*s - Invalid date", (int)MIN(text.len, (size_t)SHOWN), (const char *)text.at);
        err_hint(t->err, "write \"2014/02/26 10:27:57\", 2014-02-26T10:27:57Z, or -1d for a day ago");
        return -EINVAL;
    }
    set_range(op, (long double)low, (long double)high, ret);
    return 0;
}

static int bool_item(const struct typing *t, struct span text, struct query_item *ret) {
    static const char *const words[] = {"false", "true", "no", "yes", "0", "1"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_equal_fold(text, span_text(words[i]))) {
            set_range(QUERY_EQ, i % 2, i % 2, ret);
            return 0;
        }
    }
    return typing_fail(t, text, "%.*s is neither true nor false", (int)MIN(text.len, (size_t)SHOWN),
                       (const char *)text.at);
}

/* --- addresses --- */

static int address_item(const struct typing *t, const struct query_field *f, enum query_op op, struct span text,
                        struct query_item *ret) {
    const char *wrong = address_parse(text, ret);
    if (wrong) {
        bool wild = span_find_byte(text, 0, '*') != SPAN_NONE;
        (void)typing_fail(t, text, "%.*s %s", (int)MIN(text.len, (size_t)SHOWN), (const char *)text.at,
                          wild ? "- Wildcard not supported for ip queries" : wrong);
        err_hint(t->err, "write 10.1.2.3, 10.1, 10.0.0.0/8, 10.0.0.1:443, :443, or fe80::1.443");
        return -EINVAL;
    }
    if (ret->ip.port != ITEM_NO_PORT && !f->port) {
        return typing_fail(t, text, "%s doesn't support port", field_name(f));
    }
    if (op <= QUERY_NE) {
        return 0;
    }
    if (ret->ip.port != ITEM_NO_PORT || ret->ip.outside) {
        return typing_fail(t, text, "only an address can be compared with < or >");
    }
    if (op == QUERY_LT || op == QUERY_LE) {
        if (op == QUERY_LT) {
            memcpy(ret->ip.high, ret->ip.low, 16);
        }
        memset(ret->ip.low, 0, 16);
        ret->high_open = op == QUERY_LT;
    } else {
        if (op == QUERY_GT) {
            memcpy(ret->ip.low, ret->ip.high, 16);
        }
        memset(ret->ip.high, 0xff, 16);
        ret->low_open = op == QUERY_GT;
    }
    return 0;
}

/* --- any --- */

static int regex_item(const struct typing *t, const struct query_field *f, struct span text, struct query_item *ret) {
    struct err e = {0};
    ret->kind = ITEM_REGEX;
    ret->written = text;
    int code = regex_compile(text, query_field_folds(f), t->arena, &ret->regex, &e);
    return code < 0 ? typing_fail(t, span_from(text, e.column ? (size_t)e.column - 1 : 0), "%s", e.text) : 0;
}

int item_make(const struct typing *t, const struct query_field *f, enum query_op op, const struct token *token,
              struct query_item *ret) {
    static const char *const class_names[] = {
        [CLASS_NUMBER] = "integer", [CLASS_TIME] = "date", [CLASS_BOOL] = "boolean", [CLASS_IP] = "ip"};
    enum query_class class = query_field_class(f);
    bool is_text = class == CLASS_TEXT || class == CLASS_TOKENS || class == CLASS_MAC;
    struct span text = token->text;
    *ret = (struct query_item){.kind = ITEM_NUMBER};
    if (class == CLASS_OBJECT) {
        (void)typing_fail(t, text, "Unsupported field type: %s is a group of fields", field_name(f));
        err_hint(t->err, "name one of them, or ask for EXISTS!");
        return -EINVAL;
    }
    if (!is_text && class != CLASS_IP && span_is(text, "*")) {
        (void)typing_fail(t, text, "Please use 'EXISTS!' instead of a '*' in expression");
        err_hint(t->err, "%s == EXISTS! asks whether there is a value", field_name(f));
        return -EINVAL;
    }
    if (op > QUERY_NE && (is_text || class == CLASS_BOOL)) {
        static const char *const names[] = {
            [QUERY_LT] = "lt", [QUERY_LE] = "lte", [QUERY_GT] = "gt", [QUERY_GE] = "gte"};
        (void)typing_fail(t, text, "Invalid operator '%s' for %s", names[op], field_name(f));
        err_hint(t->err, "text and flags know == and != only");
        return -EINVAL;
    }
    if (token->kind == TOKEN_REGEX) {
        return is_text ? regex_item(t, f, text, ret)
                       : typing_fail(t, text,
                                     class == CLASS_IP ? "%.*s - Regex not supported for %s queries"
                                                       : "%.*s - Regex queries not supported for %s queries",
                                     (int)MIN(text.len, (size_t)SHOWN), (const char *)text.at, class_names[class]);
    }
    switch (class) {
    case CLASS_NUMBER:
        return number_item(t, f, op, text, ret);
    case CLASS_TIME:
        return time_item(t, op, text, ret);
    case CLASS_BOOL:
        return bool_item(t, text, ret);
    case CLASS_IP:
        return address_item(t, f, op, text, ret);
    default:
        return text_item(t, f, text, token->kind == TOKEN_QUOTED, ret);
    }
}
