/* filename.c: filenameOps: fields from the names of capture files. Regular expressions are POSIX extended ones
 * (regcomp). */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "enrich/parts.h"

#define GROUPS 10

struct filename_op {
    regex_t regex;
    struct field_op *put; /* value: the expansion, with \1 ... \9 */
};

struct filename_ops {
    struct filename_op *ops;
    size_t count;
};

/* Files written for Arkime double their backslashes; here one is enough and both are taken. */
static char *undouble(char *text) {
    char *to = text;
    for (const char *at = text; *at; at++) {
        if (at[0] == '\\' && at[1] == '\\') {
            at++;
        }
        *to++ = *at;
    }
    *to = 0;
    return text;
}

static int parse_op(struct filename_ops *f, struct config *c, const struct registry *r, char *text) {
    char *equals = strchr(text, '=');
    char *percent = equals ? strchr(equals, '%') : NULL;
    if (!equals || !percent || equals == text) {
        return -EINVAL;
    }
    *equals = *percent = 0;
    struct filename_op op;
    int code = field_op_make(c, r, text, span_text(undouble(percent + 1)), &op.put);
    if (code < 0) {
        return code;
    }
    if (regcomp(&op.regex, undouble(equals + 1), REG_EXTENDED) != 0) {
        return -EBADMSG;
    }
    struct filename_op *more = reallocarray(f->ops, f->count + 1, sizeof(*more));
    if (!more) {
        regfree(&op.regex);
        return -ENOMEM;
    }
    f->ops = more;
    f->ops[f->count++] = op;
    return 0;
}

struct filename_ops *filename_ops_new(const struct enrich_settings *s, struct config *c, const struct registry *r,
                                      const struct reporter *report) {
    struct filename_ops *f = calloc(1, sizeof(*f));
    for (size_t i = 0; f && i < s->filename_ops.count; i++) {
        const char *item = s->filename_ops.items[i];
        char *copy = config_strdup(c, item, strlen(item));
        int code = copy ? parse_op(f, c, r, copy) : -ENOMEM;
        if (code < 0) {
            char text[300];
            (void)snprintf(text, sizeof(text), "filenameOps: \"%.120s\" is left out: %s", item,
                           code == -ENOENT    ? "there is no such field"
                           : code == -EBADMSG ? "the regular expression is wrong"
                                              : "it is not field=regex%value");
            report_problem(report, NULL, 0, text, NULL);
        }
    }
    return f;
}

struct filename_ops *filename_ops_free(struct filename_ops *f) {
    if (f) {
        for (size_t i = 0; i < f->count; i++) {
            regfree(&f->ops[i].regex);
        }
        free(f->ops);
        free(f);
    }
    return NULL;
}

static size_t expand(struct span pattern, const char *name, const regmatch_t *groups, char *to, size_t size) {
    size_t len = 0;
    for (size_t i = 0; i < pattern.len && len < size; i++) {
        uint8_t byte = pattern.at[i];
        if (byte == '\\' && i + 1 < pattern.len && isdigit(pattern.at[i + 1])) {
            const regmatch_t *g = &groups[pattern.at[++i] - '0'];
            size_t n = g->rm_so >= 0 ? (size_t)(g->rm_eo - g->rm_so) : 0;
            n = MIN(n, size - len);
            memcpy(to + len, name + (n ? g->rm_so : 0), n);
            len += n;
        } else {
            to[len++] = (char)byte;
        }
    }
    return len;
}

void filename_ops_apply(const struct filename_ops *f, struct record *rec, const struct field *fields,
                        const char *file) {
    for (size_t i = 0; i < f->count; i++) {
        regmatch_t groups[GROUPS];
        if (regexec(&f->ops[i].regex, file, GROUPS, groups, 0) == 0) {
            char value[512];
            size_t len = expand(f->ops[i].put->value, file, groups, value, sizeof(value));
            field_op_put(fields, &rec->cells, f->ops[i].put, span_make(value, len), FIELD_NONE);
        }
    }
}
