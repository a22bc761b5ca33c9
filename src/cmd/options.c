/* options.c: see options.h. getopt_long takes the words apart; everything else comes from the table. */
#include "cmd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/span.h"
#include "base/util.h"

#define OPTIONS_MAX 64
#define HELP_COLUMN 26
#define HELP_WIDTH 96

static const struct option_def help_option = {.letter = 'h', .name = "help", .kind = OPTION_FLAG, .help = "this page"};

int usage_error(const struct command *c, const char *format, ...) {
    char text[400];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say("%s", text);
    say("`seine %s --help` explains its use", c->name);
    return EXIT_USAGE;
}

/* --- help --- */

/* `text` from `column` on, its lines broken before HELP_WIDTH. */
static void print_wrapped(const char *text, int column) {
    int at = column;
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (at > column && at + 1 + len > HELP_WIDTH) {
            (void)printf("\n%*s", column, "");
            at = column;
        } else if (at > column) {
            (void)putchar(' ');
            at++;
        }
        (void)printf("%.*s", len, text);
        at += len;
        text += len + (text[len] == ' ');
    }
    (void)putchar('\n');
}

static void print_option(const struct option_def *o) {
    char head[80];
    int n =
        snprintf(head, sizeof(head), "  %c%c%s%s%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                 o->letter && o->name ? ", "
                 : o->name            ? "  "
                                      : "",
                 o->name ? "--" : "", o->name ? o->name : "", o->argument ? " " : "", o->argument ? o->argument : "");
    (void)printf("%s%*s", head, n < HELP_COLUMN ? HELP_COLUMN - n : 1, "");
    print_wrapped(o->help, HELP_COLUMN);
}

void options_help(const struct command *c) {
    (void)printf("usage: seine %s%s%s%s\n\n", c->name, c->option_count ? " [OPTIONS]" : "", *c->arguments ? " " : "",
                 c->arguments);
    print_wrapped(c->about, 0);
    (void)printf("\n");
    for (size_t i = 0; i < c->option_count; i++) {
        print_option(&c->options[i]);
    }
    print_option(&help_option);
    (void)printf("\nexamples:\n");
    for (size_t i = 0; i < ARRAY_LEN(c->examples) && c->examples[i]; i++) {
        (void)printf("  %s\n", c->examples[i]);
    }
}

static void markdown_option(const struct option_def *o) {
    (void)printf("| `");
    if (o->letter) {
        (void)printf("-%c%s", o->letter, o->name ? ", " : "");
    }
    (void)printf("%s%s", o->name ? "--" : "", o->name ? o->name : "");
    for (const char *at = o->argument ? o->argument : ""; *at; at++) {
        (void)printf(*at == '|' ? "%s\\|" : "%s%c", at == o->argument ? " " : "", *at);
    }
    (void)printf("` | ");
    for (const char *at = o->help; *at; at++) {
        (void)printf(*at == '|' ? "\\|" : "%c", *at);
    }
    (void)printf(" |\n");
}

void options_markdown(const struct command *c) {
    (void)printf("\n## seine %s\n\n    seine %s%s%s%s\n\n%s\n", c->name, c->name, c->option_count ? " [OPTIONS]" : "",
                 *c->arguments ? " " : "", c->arguments, c->about);
    (void)printf("\n| option | |\n|---|---|\n");
    for (size_t i = 0; i < c->option_count; i++) {
        markdown_option(&c->options[i]);
    }
    markdown_option(&help_option);
    (void)printf("\n");
    for (size_t i = 0; i < ARRAY_LEN(c->examples) && c->examples[i]; i++) {
        (void)printf("    %s\n", c->examples[i]);
    }
}

/* --- values --- */

static int choice_find(const char *choices, const char *text) {
    int index = 0;
    for (const char *at = choices; *at; index++) {
        size_t len = strcspn(at, ",");
        if (strlen(text) == len && strncmp(at, text, len) == 0) {
            return index;
        }
        at += len + (at[len] == ',');
    }
    return -1;
}

static void show_name(const struct option_def *o, char *ret_text, size_t size) {
    if (o->name) {
        (void)snprintf(ret_text, size, "--%s", o->name);
    } else {
        (void)snprintf(ret_text, size, "-%c", o->letter);
    }
}

static int take(const struct command *c, const struct option_def *o, const char *text, void *target) {
    void *to = (char *)target + o->offset;
    char name[64];
    show_name(o, name, sizeof(name));
    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)to = true;
        return OPTIONS_OK;
    case OPTION_COUNT:
        ++*(unsigned *)to;
        return OPTIONS_OK;
    case OPTION_TEXT:
        *(const char **)to = text;
        return OPTIONS_OK;
    case OPTION_LIST: {
        struct text_list *list = to;
        if (list->count == TEXT_LIST_MAX) {
            return usage_error(c, "%s can be given %d times at most", name, TEXT_LIST_MAX);
        }
        if (!*text) {
            return usage_error(c, "%s wants a value: %s", name, o->argument);
        }
        list->items[list->count++] = text;
        return OPTIONS_OK;
    }
    case OPTION_NUMBER: {
        uint64_t number;
        if (!span_decimal(span_text(text), o->max, &number) || number < o->min) {
            return usage_error(c, "%s %s: a number from %llu to %llu is wanted", name, text, (unsigned long long)o->min,
                               (unsigned long long)o->max);
        }
        *(uint64_t *)to = number;
        return OPTIONS_OK;
    }
    default: {
        int index = choice_find(o->choices, text);
        if (index < 0) {
            return usage_error(c, "%s %s: one of %s is wanted", name, text, o->choices);
        }
        *(int *)to = index;
        return OPTIONS_OK;
    }
    }
}

/* --- mistakes --- */

static const char *nearest_option(const struct command *c, const char *name, size_t len) {
    char wanted[64];
    (void)snprintf(wanted, sizeof(wanted), "%.*s", (int)MIN(len, sizeof(wanted) - 1), name);
    size_t best = 1 + strlen(wanted) / 3;
    const char *hit = NULL;
    for (size_t i = 0; i < c->option_count; i++) {
        const char *known = c->options[i].name;
        size_t distance = known ? text_distance(wanted, known) : best + 1;
        if (distance <= best) {
            best = distance ? distance - 1 : 0;
            hit = known;
        }
    }
    return hit;
}

static int unknown_option(const struct command *c, const char *word, int letter) {
    if (letter && (word[0] != '-' || word[1] != '-')) {
        return usage_error(c, "seine %s has no option -%c", c->name, letter);
    }
    const char *name = word + 2;
    size_t len = strcspn(name, "="), alike = 0;
    for (size_t i = 0; i < c->option_count; i++) {
        const struct option_def *o = &c->options[i];
        if (o->name && strlen(o->name) == len && strncmp(o->name, name, len) == 0) {
            return usage_error(c, "--%s takes no value", o->name);
        }
        alike += o->name && strncmp(o->name, name, len) == 0;
    }
    if (alike > 1) {
        return usage_error(c, "--%.*s could be several options; write it out", (int)len, name);
    }
    const char *near = nearest_option(c, name, len);
    return usage_error(c, near ? "seine %s has no option --%.*s; did you mean --%s?" : "seine %s has no option --%.*s",
                       c->name, (int)len, name, near);
}

/* --- parsing --- */

struct parsing {
    struct option longs[OPTIONS_MAX + 2];
    char shorts[2 * OPTIONS_MAX + 4];
};

/* A long option's value is the row's number above the letters. */
#define LONG_BASE 256

static void table_prepare(const struct command *c, struct parsing *ret) {
    size_t longs = 0, at = 0;
    ret->shorts[at++] = ':'; /* getopt keeps quiet and tells a missing value from an unknown option */
    for (size_t i = 0; i < c->option_count && i < OPTIONS_MAX; i++) {
        const struct option_def *o = &c->options[i];
        bool value = o->kind != OPTION_FLAG && o->kind != OPTION_COUNT;
        if (o->name) {
            ret->longs[longs++] =
                (struct option){o->name, value ? required_argument : no_argument, NULL, LONG_BASE + (int)i};
        }
        if (o->letter) {
            ret->shorts[at++] = o->letter;
            if (value) {
                ret->shorts[at++] = ':';
            }
        }
    }
    ret->longs[longs] = (struct option){"help", no_argument, NULL, 'h'};
    ret->shorts[at] = 'h';
}

static const struct option_def *find_row(const struct command *c, int option) {
    if (option >= LONG_BASE) {
        return &c->options[option - LONG_BASE];
    }
    for (size_t i = 0; i < c->option_count; i++) {
        if (c->options[i].letter == option) {
            return &c->options[i];
        }
    }
    return NULL;
}

int options_parse(const struct command *c, int argc, char **argv, void *target, int *ret_first) {
    struct parsing p = {0};
    table_prepare(c, &p);
    opterr = 0;
    optind = 1;
    int option;
    while ((option = getopt_long(argc, argv, p.shorts, p.longs, NULL)) >= 0) {
        if (option == 'h') {
            options_help(c);
            return EXIT_DONE;
        }
        if (option == '?') {
            return unknown_option(c, argv[optind - 1], optopt < LONG_BASE ? optopt : 0);
        }
        if (option == ':') {
            const struct option_def *o = find_row(c, optopt);
            char name[64] = "";
            if (o) {
                show_name(o, name, sizeof(name));
            }
            return usage_error(c, "%s wants a value: %s", name, o && o->argument ? o->argument : "VALUE");
        }
        const struct option_def *o = find_row(c, option);
        int code = o ? take(c, o, optarg, target) : EXIT_INTERNAL;
        if (code != OPTIONS_OK) {
            return code;
        }
    }
    *ret_first = optind;
    return OPTIONS_OK;
}
