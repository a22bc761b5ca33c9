/* match.c: the endpoint of a path. Patterns are compared part by part; where several fit, the one that is literal at
 * the first part in which they differ wins, so the order of tables does not matter.
 */
#include <stdio.h>

#include "api/shared.h"
#include "base/util.h"

enum fit { FIT_NOT, FIT_NAME, FIT_SUFFIX, FIT_LITERAL };

/* One part of a pattern against one of the path; `ret_value` is what a name stands for. */
static enum fit part_fit(struct span pattern, struct span part, struct span *ret_value) {
    if (span_byte(pattern, 0) != ':') {
        return span_equal(pattern, part) ? FIT_LITERAL : FIT_NOT;
    }
    size_t dot = span_find_byte(pattern, 0, '.');
    struct span suffix = dot == SPAN_NONE ? (struct span){NULL, 0} : span_from(pattern, dot);
    if (part.len <= suffix.len || !span_ends(part, suffix)) {
        return FIT_NOT;
    }
    *ret_value = span_sub(part, 0, part.len - suffix.len);
    return suffix.len ? FIT_SUFFIX : FIT_NAME;
}

struct attempt {
    unsigned char fits[16];
    struct span values[8];
    size_t values_count, parts;
};

static bool pattern_fits(struct span pattern, const char *const *parts, size_t count, struct attempt *ret) {
    *ret = (struct attempt){0};
    for (size_t at = 1, i = 0; at <= pattern.len; i++) {
        size_t end = span_find_byte(pattern, at, '/');
        end = end == SPAN_NONE ? pattern.len : end;
        struct span wanted = span_sub(pattern, at, end - at), value = {0};
        if (i == count || i == ARRAY_LEN(ret->fits)) {
            return false;
        }
        enum fit fit = part_fit(wanted, span_text(parts[i]), &value);
        if (fit == FIT_NOT) {
            return false;
        }
        ret->fits[i] = (unsigned char)fit;
        if (fit != FIT_LITERAL) {
            if (ret->values_count == ARRAY_LEN(ret->values)) {
                return false;
            }
            ret->values[ret->values_count++] = value;
        }
        ret->parts = i + 1;
        at = end + 1;
    }
    return ret->parts == count;
}

/* The pattern and all aliases of an endpoint; the best fit. */
static bool endpoint_fits(const struct endpoint *e, const char *const *parts, size_t count, struct attempt *ret) {
    bool any = pattern_fits(span_text(e->pattern), parts, count, ret);
    struct span rest = span_text(e->aliases);
    while (rest.len && !any) {
        size_t blank = span_find_byte(rest, 0, ' ');
        struct span one = blank == SPAN_NONE ? rest : span_sub(rest, 0, blank);
        rest = blank == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, blank + 1);
        any = one.len && pattern_fits(one, parts, count, ret);
    }
    return any;
}

/* The endpoint's function reads its parts as text; one with a suffix cut off needs a copy. */
static bool values_keep(const struct attempt *a, const char **ret_parts, char *memory, size_t memory_size) {
    size_t used = 0;
    for (size_t i = 0; i < a->values_count; i++) {
        struct span value = a->values[i];
        if (value.len + 1 > memory_size - used) {
            return false;
        }
        *span_copy_to(value, (uint8_t *)memory + used) = 0;
        ret_parts[i] = memory + used;
        used += value.len + 1;
    }
    return true;
}

uint32_t method_flag(const char *method) {
    static const struct {
        const char *name;
        uint32_t flag;
    } methods[] = {{"GET", API_GET}, {"HEAD", API_GET}, {"POST", API_POST}, {"PUT", API_PUT}, {"DELETE", API_DELETE}};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        if (strcmp(method, methods[i].name) == 0) {
            return methods[i].flag;
        }
    }
    return 0;
}

struct endpoint_match endpoint_find(const char *const *parts, size_t count, uint32_t method, const char **ret_parts,
                                    char *memory, size_t memory_size) {
    struct endpoint_match match = {0};
    struct attempt best = {0}, one;
    for (const struct endpoint_family *const *family = api_families; *family; family++) {
        for (size_t i = 0; i < (*family)->count; i++) {
            const struct endpoint *e = &(*family)->list[i];
            if (!endpoint_fits(e, parts, count, &one)) {
                continue;
            }
            if (!(e->flags & method)) {
                match.other_methods |= e->flags & (API_GET | API_POST | API_PUT | API_DELETE);
            } else if (!match.endpoint || memcmp(one.fits, best.fits, sizeof(one.fits)) > 0) {
                match.endpoint = e;
                best = one;
            }
        }
    }
    if (match.endpoint && !values_keep(&best, ret_parts, memory, memory_size)) {
        match.endpoint = NULL;
    }
    return match;
}
