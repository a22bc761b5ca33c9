/* settings.c: see settings.h. */
#include "cmd/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "config/parse.h"

#define VALUE_CEILING ((size_t)1 << 20)
#define LARGEST_VALUE 32 /* bytes in a module's struct */

static void add_setting(struct setting_table *t, const struct config_module *m, const struct setting *s) {
    for (size_t i = 0; i < t->count; i++) {
        struct shown_setting *shown = &t->shown[i];
        if (strcasecmp(shown->setting->name, s->name) == 0) {
            size_t used = strlen(shown->modules);
            (void)snprintf(shown->modules + used, sizeof(shown->modules) - used, ", %s", m->name);
            return;
        }
    }
    struct shown_setting *shown = &t->shown[t->count++];
    *shown = (struct shown_setting){.setting = s, .module = m};
    (void)snprintf(shown->modules, sizeof(shown->modules), "%s", m->name);
}

int setting_table_init(struct setting_table *t, struct session_setup *s) {
    size_t all = 0;
    memset(t, 0, sizeof(*t));
    t->module_count = session_setup_modules(s, t->modules, ARRAY_LEN(t->modules));
    for (size_t m = 0; m < t->module_count; m++) {
        all += t->modules[m].count;
    }
    t->shown = calloc(all + 1, sizeof(*t->shown));
    if (!t->shown) {
        return -ENOMEM;
    }
    for (size_t m = 0; m < t->module_count; m++) {
        for (size_t i = 0; i < t->modules[m].count; i++) {
            add_setting(t, &t->modules[m], &t->modules[m].table[i]);
        }
    }
    return 0;
}

void setting_table_done(struct setting_table *t) {
    free(t->shown);
    t->shown = NULL;
}

const struct shown_setting *setting_table_find(const struct setting_table *t, const char *name) {
    for (size_t i = 0; i < t->count; i++) {
        if (strcasecmp(t->shown[i].setting->name, name) == 0) {
            return &t->shown[i];
        }
    }
    return NULL;
}

static void choice_text(const char *choices, uint32_t index, struct buf *out) {
    const char *at = choices;
    for (; index && *at; index--) {
        at += strcspn(at, ",");
        at += *at == ',';
    }
    buf_add(out, at, strcspn(at, ","));
}

void setting_value_text(const struct setting *s, const void *target, struct buf *out) {
    const char *from = (const char *)target + s->offset;
    uint32_t small;
    uint64_t large;
    switch (s->type) {
    case ST_BOOL:
        buf_add_text(out, *(const bool *)from ? "true" : "false");
        break;
    case ST_U64:
    case ST_BYTES:
        memcpy(&large, from, sizeof(large));
        buf_add_u64(out, large);
        break;
    case ST_TEXT: {
        const char *text;
        memcpy(&text, from, sizeof(text));
        buf_add_text(out, text ? text : "");
        break;
    }
    case ST_LIST: {
        struct setting_list list;
        memcpy(&list, from, sizeof(list));
        for (size_t i = 0; i < list.count; i++) {
            buf_add_text(out, i ? ";" : "");
            buf_add_text(out, list.items[i]);
        }
        break;
    }
    default:
        memcpy(&small, from, sizeof(small));
        if (s->type == ST_CHOICE) {
            choice_text(s->choices, small, out);
        } else {
            buf_add_u64(out, small);
        }
    }
}

/* A module's struct with nothing but this value in it. */
static int parse_alone(struct config *c, const struct setting *s, const char *text, char **ret_target,
                       struct err *ret_err) {
    char *target = calloc(1, s->offset + LARGEST_VALUE);
    int code = target ? setting_parse(c, s, text, target, ret_err) : -ENOMEM;
    if (code < 0) {
        free(target);
        return code;
    }
    *ret_target = target;
    return 0;
}

int setting_try(struct config *c, const struct setting *s, const char *text, struct err *ret_err) {
    char *target;
    int code = parse_alone(c, s, text, &target, ret_err);
    if (code == 0) {
        free(target);
    }
    return code;
}

bool setting_is_default(struct config *c, const struct setting *s, const void *target) {
    char *alone;
    struct buf now, usual;
    if (parse_alone(c, s, s->fallback, &alone, NULL) < 0) {
        return false;
    }
    buf_init(&now, VALUE_CEILING);
    buf_init(&usual, VALUE_CEILING);
    setting_value_text(s, target, &now);
    setting_value_text(s, alone, &usual);
    bool same = span_equal(buf_span(&now), buf_span(&usual));
    buf_done(&now);
    buf_done(&usual);
    free(alone);
    return same;
}
