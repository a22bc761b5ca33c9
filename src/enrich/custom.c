/* custom.c: fields that the user makes: [custom-fields], and `#field:` lines of tagger files. [custom-fields-remap]
 * sends a value to another field, by the field that matched.
 *
 * A definition is items separated by `;`: db, kind, friendly, help, count, category, aliases; others that Arkime knows
 * are taken and mean nothing here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "config/parse.h"
#include "enrich/parts.h"

static const struct {
    const char *kind;
    enum field_type type;
    uint32_t flags;
} kinds[] = {
    {"integer", FT_U64, 0},         {"ip", FT_IP, 0},
    {"lotermfield", FT_LOWER, 0},   {"uptermfield", FT_UPPER, 0},
    {"termfield", FT_KEYWORD, 0},   {"textfield", FT_TEXT, 0},
    {"seconds", FT_U64, F_SECONDS}, {"date", FT_TIME, 0},
};

static bool ends_in_ip(const char *path) {
    size_t len = strlen(path);
    return len > 2 && (strcmp(path + len - 2, "ip") == 0 || strcmp(path + len - 2, "Ip") == 0);
}

static int set_kind(struct field_def *def, const char *kind) {
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcasecmp(kind, kinds[i].kind) == 0) {
            def->type = kinds[i].type;
            def->flags |= kinds[i].flags;
            return 0;
        }
    }
    return -EINVAL;
}

/* One item of a definition; `key` without its value is "". */
static int set_item(struct field_def *def, int *shortcut, const char *key, const char *value) {
    const struct {
        const char *key;
        const char **to;
    } texts[] = {{"db", &def->path},           {"friendly", &def->title},  {"help", &def->help},
                 {"category", &def->category}, {"aliases", &def->aliases}, {"field", &def->name}};
    uint64_t number;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (strcmp(key, texts[i].key) == 0) {
            *texts[i].to = *value ? value : NULL;
            return 0;
        }
    }
    if (strcmp(key, "kind") == 0) {
        return set_kind(def, value);
    }
    if (strcmp(key, "count") == 0) {
        def->flags |= strcmp(value, "true") == 0 ? F_COUNT : 0;
    } else if (strcmp(key, "shortcut") == 0) {
        if (!span_decimal(span_text(value), FIELD_SHORTCUTS - 1, &number)) {
            return -EINVAL;
        }
        *shortcut = (int)number;
    }
    return 0;
}

static bool name_good(const char *name) {
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return len > 0 && len < 100 && !name[len] && name[0] != '.' && name[len - 1] != '.' && !strstr(name, "..");
}

static bool is_below(const char *path, const char *other) {
    size_t len = strlen(other);
    return strncmp(path, other, len) == 0 && path[len] == '.';
}

/* The field whose key in documents would have to be a value and a group of others at once; NULL: none. */
static const struct field_def *find_clash(const struct registry *r, const char *path) {
    for (size_t i = 0; i < registry_count(r); i++) {
        const struct field *o = registry_field(r, (uint16_t)i);
        if (!(o->flags & F_VIRTUAL) && (is_below(path, o->def->path) || is_below(o->def->path, path))) {
            return o->def;
        }
    }
    return NULL;
}

int custom_field_add(struct config *c, struct registry *r, const char *name, const char *definition, int *ret_shortcut,
                     struct err *ret_err) {
    struct field_def def = {.name = name, .type = FT_KEYWORD};
    uint16_t id;
    int shortcut = -1;
    char *rest = config_strdup(c, definition, strlen(definition));
    while (rest && *rest) {
        char *item = strsep(&rest, ";");
        char *value = strchr(item, ':');
        if (value) {
            *value++ = 0;
        }
        if (*item && set_item(&def, &shortcut, item, value ? value : "") < 0) {
            return err_set(ret_err, -EINVAL, "field %.60s: \"%.60s:%.60s\" is not possible", name, item,
                           value ? value : "");
        }
    }
    def.path = def.path ? def.path : def.name;
    def.title = def.title ? def.title : def.name;
    def.help = def.help ? def.help : "Made by the configuration";
    if (!def.name || !name_good(def.name) || !name_good(def.path)) {
        return err_set(ret_err, -EINVAL, "\"%.60s\" cannot be the name of a field", def.name ? def.name : "");
    }
    def.flags |= def.type == FT_IP && ends_in_ip(def.path) ? F_GEO : 0;
    if (ret_shortcut) {
        *ret_shortcut = shortcut;
    }
    if (field_find(r, def.name) != FIELD_NONE) {
        return 0; /* it is there: the definition that came first stays */
    }
    const struct field_def *clash = find_clash(r, def.path);
    if (clash) {
        return err_set(ret_err, -EEXIST, "field %.60s: %.60s and %.60s cannot both be in a document", name, def.path,
                       clash->path);
    }
    return registry_add_dynamic(r, "custom", &def, &id, ret_err);
}

void custom_fields_read(struct config *c, struct registry *r, const struct reporter *report) {
    size_t count;
    const struct config_entry *rows = config_section(c, "custom-fields", &count);
    for (size_t i = 0; i < count; i++) {
        struct err e = {0};
        if (custom_field_add(c, r, rows[i].key, rows[i].value, NULL, &e) < 0) {
            report_problem(report, NULL, rows[i].line, e.text,
                           "[custom-fields]: write NAME=db:PATH;kind:termfield;...");
        }
    }
}

struct field_remap *custom_remap_read(struct config *c, const struct registry *r, uint16_t field) {
    size_t count;
    const struct config_entry *rows = config_section(c, "custom-fields-remap", &count);
    struct field_remap *first = NULL, **tail = &first;
    for (size_t i = 0; i < count; i++) {
        if (field_find(r, rows[i].key) != field) {
            continue;
        }
        char *rest = config_strdup(c, rows[i].value, strlen(rows[i].value));
        while (rest) {
            char *item = strsep(&rest, ";"), *to = strchr(item, '=');
            if (to) {
                *to++ = 0;
            }
            uint16_t matched = field_find(r, item), target = to ? field_find(r, to) : FIELD_NONE;
            struct field_remap *remap = field_writable(r, target) ? config_alloc(c, sizeof(*remap)) : NULL;
            if (remap && matched != FIELD_NONE) {
                *remap = (struct field_remap){.matched = matched, .to = target};
                *tail = remap;
                tail = &remap->next;
            }
        }
    }
    return first;
}

void custom_remaps_check(struct config *c, const struct registry *r, const struct reporter *report) {
    size_t count;
    const struct config_entry *rows = config_section(c, "custom-fields-remap", &count);
    for (size_t i = 0; i < count; i++) {
        bool good = field_find(r, rows[i].key) != FIELD_NONE;
        char *rest = config_strdup(c, rows[i].value, strlen(rows[i].value));
        while (rest && good) {
            char *item = strsep(&rest, ";"), *to = strchr(item, '=');
            if (to) {
                *to++ = 0;
            }
            good = to && field_find(r, item) != FIELD_NONE && field_writable(r, field_find(r, to));
        }
        if (!good) {
            char text[300];
            (void)snprintf(
                text, sizeof(text),
                "[custom-fields-remap] %.60s: \"%.120s\" names a field that does not exist or cannot be written",
                rows[i].key, rows[i].value);
            report_problem(report, NULL, rows[i].line, text,
                           "write FIELD=MATCHED=TO;MATCHED=TO, all by their names in expressions");
        }
    }
}
