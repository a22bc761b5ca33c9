/* fuzz_json_scan.c: the JSON scanner beside a recursive checker that reads RFC 8259's grammar byte by byte: what one
 * accepts the other must accept. All engines must give the same index; walks are made over whatever has an index, and
 * over accepted text they must come to the end of everything.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_scan.h"
#include "base/util.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)                                                  \
    do {                                                                 \
        if (!(condition)) {                                              \
            __builtin_trap(); /* the fuzzer reports it with its input */ \
        }                                                                \
    } while (0)

/* --- the slow checker: position behind what was read, or NULL --- */

struct slow {
    const uint8_t *end;
    unsigned depth;
};

static const uint8_t *skip_blanks(const struct slow *s, const uint8_t *p) {
    while (p < s->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }
    return p;
}

static bool is_one_of(const struct slow *s, const uint8_t *p, const char *set) {
    return p < s->end && *p && strchr(set, *p);
}

static const uint8_t *read_string(const struct slow *s, const uint8_t *p) {
    if (!is_one_of(s, p, "\"")) {
        return NULL;
    }
    for (p++; p < s->end && *p != '"'; p++) {
        if (*p < 0x20) {
            return NULL;
        }
        if (*p != '\\') {
            continue;
        }
        p++;
        if (is_one_of(s, p, "u")) {
            for (unsigned i = 0; i < 4; i++) {
                if (!is_one_of(s, ++p, "0123456789abcdefABCDEF")) {
                    return NULL;
                }
            }
        } else if (!is_one_of(s, p, "\"\\/bfnrt")) {
            return NULL;
        }
    }
    return p < s->end ? p + 1 : NULL;
}

static const uint8_t *read_digits(const struct slow *s, const uint8_t *p) {
    if (!is_one_of(s, p, "0123456789")) {
        return NULL;
    }
    while (is_one_of(s, p, "0123456789")) {
        p++;
    }
    return p;
}

static const uint8_t *read_number(const struct slow *s, const uint8_t *p) {
    p += is_one_of(s, p, "-");
    p = is_one_of(s, p, "0") ? p + 1 : read_digits(s, p);
    if (p && is_one_of(s, p, ".")) {
        p = read_digits(s, p + 1);
    }
    if (p && is_one_of(s, p, "eE")) {
        p++;
        p = read_digits(s, p + is_one_of(s, p, "+-"));
    }
    return p;
}

static const uint8_t *read_value(struct slow *s, const uint8_t *p);

static const uint8_t *read_container(struct slow *s, const uint8_t *p) {
    bool object = *p == '{';
    const char *end = object ? "}" : "]";
    if (++s->depth > JSON_DEPTH_MAX) {
        return NULL;
    }
    p = skip_blanks(s, p + 1);
    if (is_one_of(s, p, end)) {
        s->depth--;
        return p + 1;
    }
    for (;;) {
        if (object) {
            p = read_string(s, skip_blanks(s, p));
            p = p ? skip_blanks(s, p) : NULL;
            if (!p || !is_one_of(s, p, ":")) {
                return NULL;
            }
            p++;
        }
        p = read_value(s, p);
        if (!p) {
            return NULL;
        }
        if (is_one_of(s, p, end)) {
            s->depth--;
            return p + 1;
        }
        if (!is_one_of(s, p, ",")) {
            return NULL;
        }
        p++;
    }
}

/* A value and the blanks around it. */
static const uint8_t *read_value(struct slow *s, const uint8_t *p) {
    static const char *const words[] = {"true", "false", "null"};
    p = skip_blanks(s, p);
    const uint8_t *behind = NULL;
    if (is_one_of(s, p, "{[")) {
        behind = read_container(s, p);
    } else if (is_one_of(s, p, "\"")) {
        behind = read_string(s, p);
    } else if (is_one_of(s, p, "-0123456789")) {
        behind = read_number(s, p);
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i]);
        if ((size_t)(s->end - p) >= len && memcmp(p, words[i], len) == 0) {
            behind = p + len;
        }
    }
    return behind ? skip_blanks(s, behind) : NULL;
}

static bool slow_check(struct span text) {
    struct slow s = {text.at + text.len, 0};
    return text.len && read_value(&s, text.at) == s.end && utf8_valid(text);
}

/* --- walks --- */

/* Visits everything below `v`; returns whether all of it made sense. */
static bool visit(struct json_ref v, struct buf *scratch, unsigned depth) {
    struct span raw = json_raw_of(v), text, key;
    const struct span whole = v.index->text;
    MUST(raw.len == 0 || (raw.at >= whole.at && raw.at + raw.len <= whole.at + whole.len));
    bool good = true;
    double number;
    int64_t integer;
    switch (json_kind_of(v)) {
    case JSON_NONE:
        return false;
    case JSON_STRING:
        buf_clear(scratch);
        good = json_string(v, scratch, &text);
        MUST(!good || text.len <= raw.len);
        return good;
    case JSON_NUMBER:
        (void)json_number_i64(v, &integer);
        return json_number_double(v, &number) || raw.len > 300;
    case JSON_BOOL:
        return json_truth(v, &good);
    case JSON_NULL:
        return true;
    default:
        break;
    }
    struct json_walk w = json_walk_over(v);
    struct json_ref inner;
    while (json_walk_next(&w, &key, &inner)) {
        good &= depth > JSON_DEPTH_MAX || visit(inner, scratch, depth + 1);
        if (w.object && span_find_byte(key, 0, '\\') == SPAN_NONE) {
            MUST(json_kind_of(json_find(v, key)) != JSON_NONE);
        }
    }
    return good && !w.failed;
}

static void compare_engines(struct span text, const struct json_index *x, int code) {
    struct json_index other;
    json_index_init(&other, UINT32_MAX / 8);
    for (enum json_engine engine = JSON_PORTABLE; engine < JSON_ENGINES; engine++) {
        if (json_engine_works(engine)) {
            MUST(json_index_build_by(&other, text, engine, NULL) == code);
            MUST(other.count == x->count && (!x->count || !memcmp(other.at, x->at, x->count * sizeof(*x->at))));
        }
    }
    json_index_done(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > 1 << 16) {
        return 0;
    }
    struct span text = span_make(data, size);
    struct json_index x;
    struct json_error e = {SIZE_MAX, NULL};
    struct buf scratch;
    json_index_init(&x, UINT32_MAX / 8);
    buf_init(&scratch, size);
    int built = json_index_build(&x, text, &e), code = built < 0 ? built : json_check(&x, &e);
    MUST((code == 0) == slow_check(text));
    MUST(code == 0 || (e.at <= size && e.what));
    compare_engines(text, &x, built);
    if (size < 4096) { /* looking for every key takes time by the square */
        MUST(visit(json_root(&x), &scratch, 0) || code < 0);
    }
    buf_done(&scratch);
    json_index_done(&x);
    return 0;
}
