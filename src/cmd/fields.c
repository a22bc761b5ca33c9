/* fields.c: `seine fields`: what can be searched for and stands in documents, from the registry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/session_setup.h"
#include "cmd/show.h"

#define OUT_CEILING ((size_t)64 << 20)

struct fields_options {
    struct setup_options setup;
    bool json, markdown;
};

#define AT(member) OPTION_AT(fields_options, member)
static const struct option_def fields_option_table[] = {
    {.name = "json", .kind = OPTION_FLAG, .offset = AT(json), .help = "an array of objects, sorted by document path"},
    {.name = "markdown", .kind = OPTION_FLAG, .offset = AT(markdown), .help = "the page docs/reference/fields.md"},
    SETUP_OPTION_ROWS(fields_options, setup),
};
#undef AT

static const char *const type_names[] = {
    [FT_U64] = "integer",  [FT_I64] = "signed",      [FT_FLOAT] = "float",     [FT_TIME] = "time",
    [FT_BOOL] = "boolean", [FT_KEYWORD] = "keyword", [FT_LOWER] = "lowercase", [FT_UPPER] = "uppercase",
    [FT_TEXT] = "text",    [FT_IP] = "ip",           [FT_MAC] = "mac",         [FT_OBJECT] = "object",
    [FT_UNION] = "union",
};

struct flag_name {
    uint32_t flag;
    const char *name, *meaning;
};

/* What a flag means to somebody who reads documents or writes expressions. */
static const struct flag_name flag_names[] = {
    {F_SINGLE, "single", "one value, written without brackets"},
    {F_REPEAT, "repeat", "equal values are kept, in order"},
    {F_COUNT | F_OBJECT_COUNT, "cnt", "the number of values is beside it, under its path with Cnt behind"},
    {F_ECS_COUNT, "-cnt", "the number of values is beside it, under its path with -cnt behind"},
    {F_GEO, "geo", "country, autonomous system and registry of the address are beside it"},
    {F_LINKED, "linked", "stays in all pieces of a session saved in pieces"},
    {F_NODB, "nodb", "written, but not for search"},
    {F_PORT, "port", "a port"},
    {F_BYTES, "bytes", "a number of bytes"},
    {F_SECONDS, "seconds", "a number of seconds"},
};

static int by_path(const void *a, const void *b) {
    const struct field *const *x = a;
    const struct field *const *y = b;
    int order = strcmp((*x)->def->path, (*y)->def->path);
    return order ? order : (*x)->id - (*y)->id;
}

static int by_owner(const void *a, const void *b) {
    const struct field *const *x = a;
    const struct field *const *y = b;
    int general = (strcmp((*y)->owner, "general") == 0) - (strcmp((*x)->owner, "general") == 0);
    int order = general ? general : strcmp((*x)->owner, (*y)->owner);
    return order ? order : by_path(a, b);
}

static bool is_wanted(const struct field *f, char **words, int count) {
    for (int i = 0; i < count; i++) {
        const struct field_def *d = f->def;
        if (!strcasestr(d->path, words[i]) && !(d->name && strcasestr(d->name, words[i])) &&
            strcasecmp(f->owner, words[i]) != 0 && !strcasestr(d->title, words[i]) && !strcasestr(d->help, words[i])) {
            return false;
        }
    }
    return true;
}

/* --- JSON --- */

static void json_field(struct json *j, const struct field *f) {
    const struct field_def *d = f->def;
    json_open(j, '{');
    json_key(j, "name");
    if (d->name) {
        json_cstr(j, d->name);
    } else {
        json_null(j);
    }
    json_key(j, "path");
    json_cstr(j, d->path);
    json_key(j, "type");
    json_cstr(j, type_names[f->type]);
    json_key(j, "protocol");
    json_cstr(j, f->owner);
    json_key(j, "title");
    json_cstr(j, d->title);
    json_key(j, "help");
    json_cstr(j, d->help);
    json_key(j, "flags");
    json_open(j, '[');
    for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
        if (d->flags & flag_names[i].flag) {
            json_cstr(j, flag_names[i].name);
        }
    }
    json_close(j, ']');
    const struct {
        const char *key, *value;
    } more[] = {{"members", d->members}, {"category", d->category}, {"aliases", d->aliases}};
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        if (more[i].value) {
            json_key(j, more[i].key);
            json_cstr(j, more[i].value);
        }
    }
    json_close(j, '}');
}

static void print_json(const struct field **list, size_t count) {
    struct buf out;
    buf_init(&out, OUT_CEILING);
    buf_add_text(&out, "[");
    for (size_t i = 0; i < count; i++) {
        struct json j = json_over(&out);
        buf_add_text(&out, i ? ",\n" : "\n");
        json_field(&j, list[i]);
    }
    buf_add_text(&out, "\n]\n");
    (void)fwrite(out.data, 1, out.len, stdout);
    buf_done(&out);
}

/* --- Markdown --- */

static void print_cell(const char *text) {
    for (; *text; text++) {
        (void)printf(*text == '|' ? "\\|" : "%c", *text);
    }
}

static void print_flags(const struct field *f) {
    bool any = false;
    for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
        if (f->def->flags & flag_names[i].flag) {
            (void)printf("%s%s", any ? " " : "", flag_names[i].name);
            any = true;
        }
    }
}

static const char *owner_title(const struct session_setup *s, const char *owner, const char **ret_spec) {
    *ret_spec = NULL;
    for (size_t i = 0; i < dissect_set_count(s->dissectors); i++) {
        const struct dissector *d = dissect_set_get(s->dissectors, i);
        if (strcmp(d->name, owner) == 0) {
            *ret_spec = d->spec;
            return d->title;
        }
    }
    return strcmp(owner, "general") == 0 ? "Every session" : owner;
}

static void print_owner(const struct session_setup *s, const char *owner) {
    const char *spec, *title = owner_title(s, owner, &spec);
    (void)printf("\n## %s\n\n", title);
    if (spec && *spec) {
        (void)printf("Protocol `%s`: %s.\n\n", owner, spec);
    }
    (void)printf("| expression | document | type | | what it is |\n|---|---|---|---|---|\n");
}

static void print_markdown(const struct session_setup *s, const struct field **list, size_t count) {
    (void)printf("# Fields\n\nPrinted by `seine fields --markdown` from the tables the program itself uses.\n\n"
                 "A field has a name in expressions and a path in documents. A list holds distinct values in the order "
                 "they came, unless it says otherwise:\n\n| mark | meaning |\n|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(flag_names); i++) {
        (void)printf("| %s | %s |\n", flag_names[i].name, flag_names[i].meaning);
    }
    const char *owner = "";
    for (size_t i = 0; i < count; i++) {
        const struct field *f = list[i];
        if (strcmp(f->owner, owner) != 0) {
            owner = f->owner;
            print_owner(s, owner);
        }
        (void)printf("| %s%s%s | %s%s%s | %s | ", f->def->name ? "`" : "", f->def->name ? f->def->name : "",
                     f->def->name ? "`" : "", f->type == FT_UNION ? "" : "`", f->type == FT_UNION ? "" : f->def->path,
                     f->type == FT_UNION ? "" : "`", type_names[f->type]);
        print_flags(f);
        (void)printf(" | ");
        print_cell(f->def->help);
        if (f->def->members) {
            (void)printf("; any of ");
            print_cell(f->def->members);
        }
        if (f->def->aliases) {
            (void)printf("; also ");
            print_cell(f->def->aliases);
        }
        (void)printf(" |\n");
    }
}

/* --- a table for people --- */

static void print_table(const struct field **list, size_t count) {
    size_t width[2] = {strlen("EXPRESSION"), strlen("DOCUMENT")};
    for (size_t i = 0; i < count; i++) {
        width[0] = MAX(width[0], list[i]->def->name ? strlen(list[i]->def->name) : 1);
        width[1] = MAX(width[1], strlen(list[i]->def->path));
    }
    (void)printf("%-*s  %-*s  %-9s  %-10s  %s\n", (int)width[0], "EXPRESSION", (int)width[1], "DOCUMENT", "TYPE",
                 "PROTOCOL", "WHAT IT IS");
    for (size_t i = 0; i < count; i++) {
        const struct field_def *d = list[i]->def;
        (void)printf("%-*s  %-*s  %-9s  %-10s  %s\n", (int)width[0], d->name ? d->name : "-", (int)width[1], d->path,
                     type_names[list[i]->type], list[i]->owner, d->help);
    }
}

static int print_fields(const struct session_setup *s, const struct fields_options *o, char **words, int word_count) {
    size_t all = registry_count(s->registry), count = 0;
    const struct field **list = calloc(all + 1, sizeof(struct field *));
    if (!list) {
        return EXIT_INTERNAL;
    }
    for (size_t i = 0; i < all; i++) {
        const struct field *f = registry_field(s->registry, (uint16_t)i);
        if (is_wanted(f, words, word_count)) {
            list[count++] = f;
        }
    }
    qsort(list, count, sizeof(struct field *), o->json ? by_path : by_owner);
    if (o->json) {
        print_json(list, count);
    } else if (o->markdown) {
        print_markdown(s, list, count);
    } else if (count) {
        print_table(list, count);
    }
    free(list);
    return count ? EXIT_DONE : EXIT_NOTHING;
}

static int run_fields(int argc, char **argv) {
    struct fields_options o = {0};
    struct session_setup setup;
    int first;
    int code = options_parse(&command_fields, argc, argv, &o, &first);
    if (code != OPTIONS_OK) {
        return code;
    }
    if (o.json && o.markdown) {
        return usage_error(&command_fields, "--json or --markdown, not both");
    }
    code = session_setup_init(&setup, &o.setup);
    if (code == EXIT_DONE) {
        code = print_fields(&setup, &o, argv + first, argc - first);
        if (code == EXIT_NOTHING) {
            say("no field fits these words; `seine fields` lists all");
        }
    }
    session_setup_done(&setup);
    return code;
}

const struct command command_fields = {
    .name = "fields",
    .line = "list the fields of sessions",
    .arguments = "[WORD...]",
    .about =
        "Lists the fields sessions have: name in expressions, path in documents, type, meaning. Words choose those "
        "whose protocol, name, path or help has all of them. With --config, its own fields are among them.",
    .options = fields_option_table,
    .option_count = ARRAY_LEN(fields_option_table),
    .examples = {"seine fields dns", "seine fields certificate issuer", "seine fields --json | jq -r '.[].path'"},
    .run = run_fields,
};
