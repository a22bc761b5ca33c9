/* config.c: reads INI by inih, keeps every entry with file and line, and fills modules' structs by their tables.
 *
 * inih takes `:` as a separator as well as `=`. IPv6 networks are keys here ([override-ips]), so colons in front of the
 * first `=` of a line are hidden from it and put back. Lines it could not take are told before it sees them: it would
 * name only the first. Its run-time switches are set for long lines, and for values that hold `;`, which separates
 * lists.
 */
#include "config/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "config/known.h"
#include "config/parse.h"

#define HIDDEN_COLON '\x1f'
#define LONGEST_LINE (1 << 20)
#define ENTRIES_MAX (1u << 22)

extern char **environ;

struct section {
    char *name;
    struct config_entry *entries;
    size_t count, cap;
    bool claimed;
    int line;
};

struct config {
    struct section *sections;
    size_t section_count;
    char **owned;
    size_t owned_count, owned_cap;
    char *file;   /* as given; for messages */
    char *folder; /* of the file, for relative paths */
    const char *node;
};

struct config *config_new(void) {
    return calloc(1, sizeof(struct config));
}

struct config *config_free(struct config *c) {
    if (c) {
        for (size_t i = 0; i < c->section_count; i++) {
            free(c->sections[i].entries);
        }
        for (size_t i = 0; i < c->owned_count; i++) {
            free(c->owned[i]);
        }
        free(c->sections);
        free(c->owned);
        free(c);
    }
    return NULL;
}

void *config_alloc(struct config *c, size_t size) {
    if (c->owned_count == c->owned_cap) {
        size_t cap = c->owned_cap ? c->owned_cap * 2 : 64;
        char **owned = reallocarray(c->owned, cap, sizeof(*owned));
        if (!owned) {
            return NULL;
        }
        c->owned = owned;
        c->owned_cap = cap;
    }
    char *p = calloc(1, size ? size : 1);
    if (p) {
        c->owned[c->owned_count++] = p;
    }
    return p;
}

char *config_strdup(struct config *c, const char *text, size_t len) {
    char *copy = config_alloc(c, len + 1);
    return copy ? memcpy(copy, text, len) : NULL;
}

static struct section *find_section(const struct config *c, const char *name) {
    for (size_t i = 0; i < c->section_count; i++) {
        if (strcasecmp(c->sections[i].name, name) == 0) {
            return &c->sections[i];
        }
    }
    return NULL;
}

static struct section *want_section(struct config *c, const char *name, int line) {
    struct section *s = find_section(c, name);
    if (s) {
        return s;
    }
    struct section *more = reallocarray(c->sections, c->section_count + 1, sizeof(*more));
    char *copy = config_strdup(c, name, strlen(name));
    if (more) {
        c->sections = more;
    }
    if (!more || !copy) {
        return NULL;
    }
    s = &c->sections[c->section_count++];
    *s = (struct section){.name = copy, .line = line};
    return s;
}

static void put_back(char *text) {
    for (; *text; text++) {
        *text = *text == HIDDEN_COLON ? ':' : *text;
    }
}

static int add_entry(struct config *c, const char *section, const char *key, const char *value, int line) {
    struct section *s = want_section(c, section, line);
    if (!s) {
        return -ENOMEM;
    }
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 16;
        struct config_entry *entries = cap <= ENTRIES_MAX ? reallocarray(s->entries, cap, sizeof(*entries)) : NULL;
        if (!entries) {
            return -ENOMEM;
        }
        s->entries = entries;
        s->cap = cap;
    }
    char *k = config_strdup(c, key, strlen(key)), *v = config_strdup(c, value, strlen(value));
    if (!k || !v) {
        return -ENOMEM;
    }
    put_back(k);
    s->entries[s->count++] = (struct config_entry){k, v, line};
    return 0;
}

/* --- reading a file --- */

static void report(config_report_fn fn, void *ctx, const char *file, struct err *problem, bool fatal) {
    if (fn) {
        fn(ctx, file, problem, fatal);
    }
}

struct reading {
    struct config *config;
    FILE *file;
    const char *path;
    config_report_fn fn;
    void *ctx;
    int line, section_line;
    int failed;   /* -errno of the first entry that found no memory */
    bool partial; /* the last piece had no line end */
    bool wrong;   /* a line made no sense */
};

static bool line_makes_sense(const char *text) {
    if (memcmp(text, "\xef\xbb\xbf", strnlen(text, 3)) == 0 && strlen(text) >= 3) {
        text += 3; /* a byte order mark */
    }
    text += strspn(text, " \t\r\n");
    if (*text == '[') {
        return strchr(text, ']') != NULL;
    }
    const char *separator = strchr(text, '=') ? strchr(text, '=') : strchr(text, ':');
    return !*text || *text == '#' || *text == ';' || (separator && separator != text);
}

/* An empty line in place of one that makes no sense. */
static void leave_out(struct reading *r, char *text, int size) {
    struct err problem = {.line = r->line};
    (void)err_set(&problem, -EINVAL, "not a section, a comment or key = value");
    report(r->fn, r->ctx, r->path, &problem, true);
    r->wrong = true;
    while (!strchr(text, '\n') && fgets(text, size, r->file)) {
    }
    memcpy(text, "\n", 2);
}

/* inih's line reader, called again for the rest of a long line: counts lines, hides colons of keys. */
static char *read_line(char *text, int size, void *stream) {
    struct reading *r = stream;
    if (!fgets(text, size, r->file)) {
        return NULL;
    }
    if (!r->partial) {
        r->line++;
        if (!line_makes_sense(text)) {
            leave_out(r, text, size);
        }
        bool head = text[strspn(text, " \t")] == '[';
        r->section_line = head ? r->line : r->section_line;
        char *equals = head ? NULL : strchr(text, '=');
        for (char *at = text; equals && at < equals; at++) {
            *at = *at == ':' ? HIDDEN_COLON : *at;
        }
    }
    r->partial = !strchr(text, '\n');
    return text;
}

static int take_entry(void *user, const char *section, const char *name, const char *value) {
    struct reading *r = user;
    section = *section ? section : "default";
    struct section *s = want_section(r->config, section, r->section_line);
    int code = s ? add_entry(r->config, section, name, value, r->line) : -ENOMEM;
    if (code < 0 && r->failed == 0) {
        r->failed = code;
    }
    return code == 0;
}

static int remember_folder(struct config *c, const char *path) {
    char full[PATH_MAX];
    if (!realpath(path, full)) {
        return -errno;
    }
    c->file = config_strdup(c, path, strlen(path));
    char *slash = strrchr(full, '/');
    c->folder = config_strdup(c, full, slash ? (size_t)(slash - full) : 0);
    return c->file && c->folder ? 0 : -ENOMEM;
}

int config_read_file(struct config *c, const char *path, config_report_fn fn, void *ctx) {
    struct err problem = {0};
    FILE *file = fopen(path, "re");
    if (!file) {
        int code = -errno;
        (void)err_set(&problem, code, "the configuration file cannot be read: %s", strerror(-code));
        err_hint(&problem, "give an existing file with --config, or none to use the defaults");
        report(fn, ctx, path, &problem, true);
        return code;
    }
    int code = remember_folder(c, path);
    struct reading r = {.config = c, .file = file, .path = path, .fn = fn, .ctx = ctx};
    if (code == 0) {
        ini_use_stack = false;
        ini_allow_realloc = true;
        ini_initial_alloc = 1024;
        ini_max_line = LONGEST_LINE;
        ini_allow_multiline = false;
        ini_allow_no_value = false;
        ini_allow_inline_comments = false;
        int line = ini_parse_stream(read_line, &r, take_entry, &r);
        if (r.failed) {
            code = r.failed;
            (void)err_set(&problem, code, "no memory for the configuration");
        } else if (line != 0) {
            code = -EINVAL;
            problem.line = line > 0 ? line : 0;
            (void)err_set(&problem, code, "not a section, a comment or key = value");
        } else if (ferror(file)) {
            code = -EIO;
            (void)err_set(&problem, code, "the configuration file cannot be read");
        }
    }
    (void)fclose(file);
    if (code < 0) {
        report(fn, ctx, path, &problem, true);
    }
    return code == 0 && r.wrong ? -EINVAL : code;
}

int config_override(struct config *c, const char *assignment, struct err *ret_err) {
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment) {
        (void)err_set(ret_err, -EINVAL, "\"%s\" is no setting", assignment);
        err_hint(ret_err, "write -o key=value or -o section.key=value");
        return -EINVAL;
    }
    const char *dot = memchr(assignment, '.', (size_t)(equals - assignment));
    const char *key = dot ? dot + 1 : assignment;
    char *section = dot ? config_strdup(c, assignment, (size_t)(dot - assignment)) : config_strdup(c, "-o", 2);
    char *name = config_strdup(c, key, (size_t)(equals - key));
    return section && name ? add_entry(c, section, name, equals + 1, 0) : -ENOMEM;
}

int config_set_node(struct config *c, const char *node) {
    c->node = config_strdup(c, node, strlen(node));
    return c->node ? 0 : -ENOMEM;
}

/* --- looking up --- */

/* The last entry of a key: later ones win. */
static struct config_entry *find_entry(const struct section *s, const char *key) {
    for (size_t i = s ? s->count : 0; i-- > 0;) {
        if (strcasecmp(s->entries[i].key, key) == 0) {
            return &s->entries[i];
        }
    }
    return NULL;
}

/* What the node's section says its class is, or NULL. */
static const char *node_class(const struct config *c) {
    struct config_entry *class = c->node ? find_entry(find_section(c, c->node), "nodeClass") : NULL;
    return class ? class->value : NULL;
}

static struct section *find_class_section(const struct config *c) {
    char name[128];
    const char *class = node_class(c);
    (void)snprintf(name, sizeof(name), "class:%.100s", class ? class : "");
    struct section *s = class ? find_section(c, name) : NULL;
    return s || !class ? s : find_section(c, class); /* as Arkime names it */
}

static struct config_entry *find_key(const struct config *c, const char *key) {
    const struct section *order[] = {find_section(c, "-o"), c->node ? find_section(c, c->node) : NULL,
                                     find_class_section(c), find_section(c, "default")};
    for (size_t i = 0; i < ARRAY_LEN(order); i++) {
        struct config_entry *e = order[i] ? find_entry(order[i], key) : NULL;
        if (e) {
            return e;
        }
    }
    return NULL;
}

/* SEINE__key or ARKIME__key from the environment; it loses against -o and wins over files. */
static const char *from_environment(const char *key) {
    static const char *const prefixes[] = {"SEINE__", "ARKIME__"};
    for (size_t p = 0; p < ARRAY_LEN(prefixes); p++) {
        size_t prefix_len = strlen(prefixes[p]), key_len = strlen(key);
        for (char **at = environ; at && *at; at++) {
            if (strncmp(*at, prefixes[p], prefix_len) == 0 && strncasecmp(*at + prefix_len, key, key_len) == 0 &&
                (*at)[prefix_len + key_len] == '=') {
                return *at + prefix_len + key_len + 1;
            }
        }
    }
    return NULL;
}

const struct config_entry *config_section(struct config *c, const char *section, size_t *ret_count) {
    struct section *s = want_section(c, section, 0); /* made when absent: it is known from now on */
    *ret_count = s ? s->count : 0;
    if (s) {
        s->claimed = true;
    }
    return s ? s->entries : NULL;
}

const char *config_value(const struct config *c, const char *key) {
    struct config_entry *e = find_entry(find_section(c, "-o"), key);
    const char *environment = e ? NULL : from_environment(key);
    if (environment) {
        return environment;
    }
    e = find_key(c, key);
    return e ? e->value : NULL;
}

const char *config_path(struct config *c, const char *path) {
    if (path[0] == '/' || !c->folder) {
        return path;
    }
    size_t size = strlen(c->folder) + strlen(path) + 2;
    char *full = config_alloc(c, size);
    if (full) {
        (void)snprintf(full, size, "%s/%s", c->folder, path);
    }
    return full;
}

/* --- applying --- */

static bool is_rules_value(const char *key) {
    return strncasecmp(key, "rules_", 6) == 0; /* for ${rules_...} in rules */
}

static const char *nearest_key(const struct config_module *modules, size_t count, const char *key) {
    size_t best = 1 + strlen(key) / 3;
    const char *hit = NULL;
    for (size_t m = 0; m < count; m++) {
        for (size_t i = 0; i < modules[m].count; i++) {
            size_t distance = text_distance(key, modules[m].table[i].name);
            if (distance < best) {
                best = distance;
                hit = modules[m].table[i].name;
            }
        }
    }
    return hit;
}

bool config_is_setting(const struct config_module *modules, size_t count, const char *key) {
    for (size_t m = 0; m < count; m++) {
        for (size_t i = 0; i < modules[m].count; i++) {
            if (strcasecmp(modules[m].table[i].name, key) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Names behind SEINE__ in the environment; ARKIME__ may be meant for others. */
static int check_environment(const struct config_module *modules, size_t count, config_report_fn fn, void *ctx) {
    static const char prefix[] = "SEINE__";
    int code = 0;
    for (char **at = environ; at && *at; at++) {
        char key[64];
        size_t len = strcspn(*at, "=");
        if (strncmp(*at, prefix, sizeof(prefix) - 1) != 0 || len >= sizeof(prefix) - 1 + sizeof(key)) {
            continue;
        }
        (void)snprintf(key, sizeof(key), "%.*s", (int)(len - (sizeof(prefix) - 1)), *at + sizeof(prefix) - 1);
        if (!config_is_setting(modules, count, key) && !is_rules_value(key) && !config_is_arkime_key(key)) {
            struct err problem = {0};
            const char *near = nearest_key(modules, count, key);
            code = err_set(&problem, -EINVAL, "unknown setting \"%s\"", key);
            err_hint(&problem, near ? "did you mean \"%s\"?" : "`seine config` lists all settings", near);
            report(fn, ctx, "environment", &problem, true);
        }
    }
    return code;
}

static int check_unknown(const struct config *c, const struct config_module *modules, size_t count, config_report_fn fn,
                         void *ctx) {
    const struct section *sections[] = {find_section(c, "-o"), find_section(c, "default"),
                                        c->node ? find_section(c, c->node) : NULL, find_class_section(c)};
    int code = 0;
    for (size_t s = 0; s < ARRAY_LEN(sections); s++) {
        const struct section *section = sections[s];
        for (size_t i = 0; section && i < section->count; i++) {
            const struct config_entry *e = &section->entries[i];
            bool class = strcasecmp(e->key, "nodeClass") == 0;
            if (class || config_is_setting(modules, count, e->key) || is_rules_value(e->key)) {
                continue;
            }
            struct err problem = {.line = e->line};
            bool known = config_is_arkime_key(e->key);
            if (known) {
                (void)err_set(&problem, CONFIG_IGNORED,
                              "\"%s\" is a setting of Arkime that has no meaning here; it is ignored", e->key);
                err_hint(&problem, "%s", e->key);
            } else {
                code = -EINVAL;
                (void)err_set(&problem, code, "unknown setting \"%s\"", e->key);
                const char *near = nearest_key(modules, count, e->key);
                err_hint(&problem, near ? "did you mean \"%s\"?" : "`seine config` lists all settings", near);
            }
            report(fn, ctx, s == 0 ? "-o" : c->file, &problem, !known);
        }
    }
    return code;
}

/* --- sections --- */

static bool holds_settings_only(const struct section *s, const struct config_module *modules, size_t count) {
    for (size_t i = 0; i < s->count; i++) {
        const char *key = s->entries[i].key;
        if (!config_is_setting(modules, count, key) && !is_rules_value(key) && !config_is_arkime_key(key)) {
            return false;
        }
    }
    return true;
}

static const char *nearest_section(const struct config *c, const char *name) {
    size_t best = 1 + strlen(name) / 3;
    const char *hit = NULL;
    for (size_t i = 0; i < c->section_count; i++) {
        size_t distance = c->sections[i].claimed ? text_distance(name, c->sections[i].name) : best;
        if (distance < best) {
            best = distance;
            hit = c->sections[i].name;
        }
    }
    return hit;
}

static bool is_special(const struct config *c, const char *name) {
    return strcmp(name, "-o") == 0 || strcasecmp(name, "default") == 0 || strncasecmp(name, "class:", 6) == 0 ||
           (c->node && strcasecmp(name, c->node) == 0) || (node_class(c) && strcasecmp(name, node_class(c)) == 0);
}

void config_check_sections(const struct config *c, const struct config_module *modules, size_t count,
                           config_report_fn fn, void *ctx) {
    for (size_t i = 0; i < c->section_count; i++) {
        const struct section *s = &c->sections[i];
        if (s->claimed || is_special(c, s->name) || holds_settings_only(s, modules, count)) {
            continue;
        }
        struct err problem = {.line = s->line};
        if (config_is_arkime_section(s->name)) {
            (void)err_set(&problem, CONFIG_IGNORED,
                          "[%s] is a section of Arkime that has no meaning here; it is ignored", s->name);
            err_hint(&problem, "[%s]", s->name);
        } else {
            const char *near = nearest_section(c, s->name);
            (void)err_set(&problem, -EINVAL, "unknown section [%s] is ignored", s->name);
            err_hint(&problem, near ? "did you mean [%s]?" : "`seine config` lists sections and settings", near);
        }
        report(fn, ctx, c->file, &problem, false);
    }
}

void config_each_section(const struct config *c, config_section_fn each, void *ctx) {
    for (size_t i = 0; i < c->section_count; i++) {
        const struct section *s = &c->sections[i];
        each(ctx, s->name, s->entries, s->count, s->claimed);
    }
}

int config_apply(struct config *c, const struct config_module *modules, size_t count, config_report_fn fn, void *ctx) {
    int worst = check_unknown(c, modules, count, fn, ctx);
    int environment_worst = check_environment(modules, count, fn, ctx);
    worst = worst < 0 ? worst : environment_worst;
    for (size_t m = 0; m < count; m++) {
        for (size_t i = 0; i < modules[m].count; i++) {
            const struct setting *s = &modules[m].table[i];
            struct config_entry *override = find_entry(find_section(c, "-o"), s->name);
            const char *environment = override ? NULL : from_environment(s->name);
            const struct config_entry *e = override ? override : environment ? NULL : find_key(c, s->name);
            const char *text = environment ? environment : e ? e->value : s->fallback;
            struct err problem = {.line = e ? e->line : 0};
            int code = setting_parse(c, s, text, modules[m].target, &problem);
            if (code < 0) {
                report(fn, ctx, override ? "-o" : environment ? "environment" : c->file, &problem, true);
                worst = code;
                (void)setting_parse(c, s, s->fallback, modules[m].target, NULL);
            }
        }
    }
    return worst < 0 ? -EINVAL : 0;
}
