/* config.c: `seine config`: settings explained, checked, shown as they are in force, and taken over from Arkime. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "cmd/session_setup.h"
#include "cmd/settings.h"
#include "config/known.h"
#include "config/parse.h"

#define VALUE_CEILING ((size_t)1 << 20)
#define COMMENT_WIDTH 100

struct config_options {
    struct setup_options setup;
    bool describe, sample, markdown;
    const char *from_arkime;
};

#define AT(member) OPTION_AT(config_options, member)
static const struct option_def config_option_table[] = {
    {.name = "describe", .kind = OPTION_FLAG, .offset = AT(describe), .help = "explain all settings (the default)"},
    {.name = "sample",
     .kind = OPTION_FLAG,
     .offset = AT(sample),
     .help = "a settings file with every setting, explained, at its default"},
    {.name = "markdown", .kind = OPTION_FLAG, .offset = AT(markdown), .help = "the page docs/reference/settings.md"},
    {.name = "from-arkime",
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .offset = AT(from_arkime),
     .help = "print the settings file that does what this config.ini of Arkime does, as far as it can"},
    SETUP_OPTION_ROWS(config_options, setup),
    VERBOSE_OPTION_ROW(AT(setup.verbose), "say a line for each setting that is ignored"),
};
#undef AT

/* Named sections: lists of the user's own keys, which no table can hold. */
struct section_help {
    const char *name, *help, *example;
};

static const struct section_help section_helps[] = {
    {"headers-email", "Further headers of mails that become fields", "x-priority = type:integer;count:true"},
    {"headers-http-request", "Further headers of HTTP requests that become fields", "referer = type:string;count:true"},
    {"headers-http-response", "Further headers of HTTP answers that become fields", "location = type:string"},
    {"override-ips", "What is known about networks: tag, country, asn, rir, region, city; the longest prefix counts",
     "10.0.0.0/8 = tag:internal;country:CH"},
    {"vlan-vni-collapse", "VLANs or VNIs that count as one where flows are told apart by them", "10 = 11;12"},
};

static const char *shown_default(const struct setting *s) {
    return *s->fallback ? s->fallback : s->type == ST_BOOL ? "false" : "empty";
}

/* --- explaining --- */

static void describe(const struct setting_table *t) {
    const char *module = "";
    for (size_t i = 0; i < t->count; i++) {
        const struct shown_setting *shown = &t->shown[i];
        char type[300];
        if (strcmp(module, shown->module->name) != 0) {
            module = shown->module->name;
            (void)printf("%s%s:\n", i ? "\n" : "", module);
        }
        setting_describe_type(shown->setting, type, sizeof(type));
        (void)printf("  %s = %s\n      %s. Takes %s.\n", shown->setting->name, shown_default(shown->setting),
                     shown->setting->help, type);
    }
    (void)printf("\nsections of your own keys:\n");
    for (size_t i = 0; i < ARRAY_LEN(section_helps); i++) {
        (void)printf("  [%s]\n      %s. Example: %s\n", section_helps[i].name, section_helps[i].help,
                     section_helps[i].example);
    }
    (void)printf(
        "\nSettings stand in [default], in a section named like the node, or in [class:NAME] of its nodeClass. "
        "Later ones win over [default];\n-o and the environment (SEINE__name=value) win over files.\n");
}

static void print_comment(const char *text) {
    int at = 0;
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (at == 0 || at + 1 + len > COMMENT_WIDTH) {
            (void)printf("%s#", at ? "\n" : "");
            at = 1;
        }
        (void)printf(" %.*s", len, text);
        at += 1 + len;
        text += len + (text[len] == ' ');
    }
    (void)printf("\n");
}

static void sample(const struct setting_table *t) {
    char line[700], type[300];
    print_comment(
        "Settings of Seine. A line that begins with ; is a default: take the ; away to change it. Values that are "
        "seconds take 5m, 2h, 1d; bytes take 64K, 10M, 2G; lists are separated by ;.");
    (void)printf("\n[default]\n");
    const char *module = "";
    for (size_t i = 0; i < t->count; i++) {
        const struct setting *s = t->shown[i].setting;
        if (strcmp(module, t->shown[i].module->name) != 0) {
            module = t->shown[i].module->name;
            (void)printf("\n# ---- %s\n", module);
        }
        setting_describe_type(s, type, sizeof(type));
        (void)snprintf(line, sizeof(line), "%s. Takes %s.", s->help, type);
        (void)printf("\n");
        print_comment(line);
        (void)printf(*s->fallback ? ";%s = %s\n" : ";%s =\n", s->name, s->fallback);
    }
    for (size_t i = 0; i < ARRAY_LEN(section_helps); i++) {
        (void)printf("\n");
        print_comment(section_helps[i].help);
        (void)printf(";[%s]\n;%s\n", section_helps[i].name, section_helps[i].example);
    }
}

static void print_cell(const char *text) {
    for (; *text; text++) {
        (void)printf(*text == '|' ? "\\|" : "%c", *text);
    }
}

static void markdown(const struct setting_table *t) {
    (void)printf(
        "# Settings\n\nPrinted by `seine config --markdown` from the tables the program itself uses.\n\n"
        "A settings file is INI: `key = value` lines in sections, comments after `#` or `;`. Settings stand in\n"
        "`[default]`, in a section named like the node, or in `[class:NAME]` of its `nodeClass`; these win over\n"
        "`[default]`, the environment (`SEINE__name=value`) wins over files, and `-o name=value` over all.\n"
        "Where Arkime has a setting of the same meaning it has the same name.\n");
    const char *module = "";
    for (size_t i = 0; i < t->count; i++) {
        const struct shown_setting *shown = &t->shown[i];
        char type[300];
        if (strcmp(module, shown->module->name) != 0) {
            module = shown->module->name;
            (void)printf("\n## %s\n\n| setting | default | takes | what it does |\n|---|---|---|---|\n", module);
        }
        setting_describe_type(shown->setting, type, sizeof(type));
        (void)printf("| `%s` | ", shown->setting->name);
        if (*shown->setting->fallback) {
            (void)printf("`");
            print_cell(shown->setting->fallback);
            (void)printf("`");
        }
        (void)printf(" | ");
        print_cell(type);
        (void)printf(" | ");
        print_cell(shown->setting->help);
        if (strchr(shown->modules, ',')) {
            (void)printf(" (for %s)", shown->modules);
        }
        (void)printf(" |\n");
    }
    (void)printf("\n## Sections of your own keys\n\n| section | what it is for | example |\n|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(section_helps); i++) {
        (void)printf("| `[%s]` | %s | `%s` |\n", section_helps[i].name, section_helps[i].help,
                     section_helps[i].example);
    }
}

/* --- what is in force --- */

static void dump_section(void *ctx, const char *section, const struct config_entry *entries, size_t count,
                         bool claimed) {
    (void)ctx;
    if (!claimed || count == 0) {
        return;
    }
    (void)printf("\n[%s]\n", section);
    for (size_t i = 0; i < count; i++) {
        (void)printf("%s = %s\n", entries[i].key, entries[i].value);
    }
}

static void dump(struct session_setup *s, const struct setting_table *t) {
    struct buf value;
    buf_init(&value, VALUE_CEILING);
    (void)printf("[default]\n");
    for (size_t i = 0; i < t->count; i++) {
        const struct shown_setting *shown = &t->shown[i];
        buf_clear(&value);
        setting_value_text(shown->setting, shown->module->target, &value);
        bool usual = setting_is_default(s->config, shown->setting, shown->module->target);
        if (shown->setting->secret && !usual) {
            (void)printf("# set, not shown: %s\n", shown->setting->name);
            continue;
        }
        (void)printf("%s%s = %.*s\n", usual ? "# default: " : "", shown->setting->name, (int)value.len,
                     value.len ? (const char *)value.data : "");
    }
    config_each_section(s->config, dump_section, NULL);
    buf_done(&value);
}

/* --- Arkime's --- */

struct translation {
    struct session_setup *setup;
    const struct setting_table *table;
    const char *file;
    unsigned taken, dropped, wrong;
    bool known; /* the section being asked about */
    const char *name;
};

static void is_known_section(void *ctx, const char *section, const struct config_entry *entries, size_t count,
                             bool claimed) {
    struct translation *t = ctx;
    (void)entries;
    (void)count;
    t->known |= claimed && strcasecmp(section, t->name) == 0;
}

static void translate_setting(struct translation *t, const struct config_entry *e) {
    const struct shown_setting *shown = setting_table_find(t->table, e->key);
    struct err why = {0};
    if (!shown) {
        bool arkime = config_is_arkime_key(e->key);
        (void)printf("# %s (line %d): %s\n", e->key, e->line,
                     arkime ? "has no meaning here" : "not known to Seine, nor as a setting of Arkime");
        t->dropped++;
        return;
    }
    if (setting_try(t->setup->config, shown->setting, e->value, &why) < 0) {
        (void)printf("# %s = %s\n#   line %d: %s (%s)\n", e->key, e->value, e->line, why.text, why.hint);
        t->wrong++;
        return;
    }
    (void)printf("%s = %s\n", shown->setting->name, e->value);
    t->taken++;
}

static void translate_section(void *ctx, const char *section, const struct config_entry *entries, size_t count,
                              bool claimed) {
    struct translation *t = ctx;
    (void)claimed;
    t->known = false;
    t->name = section;
    config_each_section(t->setup->config, is_known_section, t);
    if (!t->known && config_is_arkime_section(section)) {
        (void)printf("\n# [%s]: %zu lines have no meaning here\n", section, count);
        t->dropped += (unsigned)count;
        return;
    }
    (void)printf("\n[%s]\n", section);
    for (size_t i = 0; i < count; i++) {
        if (t->known) {
            (void)printf("%s = %s\n", entries[i].key, entries[i].value);
            t->taken++;
        } else {
            translate_setting(t, &entries[i]);
        }
    }
}

static void say_problem(void *ctx, const char *file, const struct err *problem, bool fatal) {
    (void)ctx;
    (void)fatal;
    say_err(file, problem);
}

static int from_arkime(struct session_setup *s, const struct setting_table *table, const char *file) {
    struct translation t = {.setup = s, .table = table, .file = file};
    struct config *theirs = config_new();
    if (!theirs) {
        return EXIT_INTERNAL;
    }
    int code = config_read_file(theirs, file, say_problem, NULL);
    if (code == 0) {
        char line[400];
        (void)snprintf(line, sizeof(line), "Made from %s by seine config --from-arkime.", file);
        print_comment(line);
        config_each_section(theirs, translate_section, &t);
        say("%s: lines taken over: %u, without a meaning here: %u, that cannot be right: %u", file, t.taken, t.dropped,
            t.wrong);
    }
    config_free(theirs);
    return code < 0 || t.wrong ? EXIT_CONFIG : EXIT_DONE;
}

/* --- the command --- */

static int run_check(const struct config_options *o, const char *file) {
    struct session_setup s;
    struct setup_options setup = o->setup;
    setup.config = file ? file : setup.config;
    if (!setup.config) {
        return usage_error(&command_config, "seine config check FILE: the file is missing");
    }
    int code = session_setup_init(&s, &setup);
    if (code == EXIT_DONE) {
        say("%s: good", setup.config);
    }
    session_setup_done(&s);
    return code;
}

static int run_dump(const struct config_options *o) {
    struct session_setup s;
    struct setting_table t = {0};
    int code = session_setup_init(&s, &o->setup);
    if (code == EXIT_DONE && setting_table_init(&t, &s) < 0) {
        code = EXIT_INTERNAL;
    }
    if (code == EXIT_DONE) {
        dump(&s, &t);
    }
    setting_table_done(&t);
    session_setup_done(&s);
    return code;
}

/* Whatever explains the tables: no settings are read. */
static int run_explain(const struct config_options *o) {
    struct session_setup s;
    struct setting_table t = {0};
    struct setup_options none = {0};
    int code = session_setup_init(&s, &none);
    if (code == EXIT_DONE && setting_table_init(&t, &s) < 0) {
        code = EXIT_INTERNAL;
    }
    if (code == EXIT_DONE && o->from_arkime) {
        code = from_arkime(&s, &t, o->from_arkime);
    } else if (code == EXIT_DONE && o->sample) {
        sample(&t);
    } else if (code == EXIT_DONE && o->markdown) {
        markdown(&t);
    } else if (code == EXIT_DONE) {
        describe(&t);
    }
    setting_table_done(&t);
    session_setup_done(&s);
    return code;
}

static int run_config(int argc, char **argv) {
    struct config_options o = {0};
    int first;
    int code = options_parse(&command_config, argc, argv, &o, &first);
    if (code != OPTIONS_OK) {
        return code;
    }
    if (o.describe + o.sample + o.markdown + (o.from_arkime != NULL) + (first < argc) > 1) {
        return usage_error(&command_config,
                           "one thing at a time: --describe, --sample, --markdown, --from-arkime, check "
                           "or dump");
    }
    if (first == argc) {
        return run_explain(&o);
    }
    const char *verb = argv[first];
    int more = argc - first - 1;
    if (strcmp(verb, "check") == 0 && more <= 1) {
        return run_check(&o, more ? argv[first + 1] : NULL);
    }
    if (strcmp(verb, "dump") == 0 && more == 0) {
        return run_dump(&o);
    }
    return usage_error(&command_config, "seine config can check FILE and dump, not \"%s%s%s\"", verb, more ? " " : "",
                       more ? argv[first + 1] : "");
}

const struct command command_config = {
    .name = "config",
    .line = "explain, check and show settings",
    .arguments = "[check FILE | dump]",
    .about =
        "Explains the settings, checks a settings file (exit code 0, or 3 and all mistakes), or prints the values in "
        "force.",
    .options = config_option_table,
    .option_count = ARRAY_LEN(config_option_table),
    .examples = {"seine config --sample > seine.conf", "seine config check seine.conf",
                 "seine config dump -C seine.conf -o tcpTimeout=5m"},
    .run = run_config,
};
