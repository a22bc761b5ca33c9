/* main.c: the table of subcommands. */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/shared.h"
#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/options.h"
#include "store/guard.h"

const struct command *const commands[] = {
    &command_serve,  &command_import, &command_search, &command_pcap,  &command_store,   &command_user, &command_read,
    &command_export, &command_fields, &command_config, &command_bench, &command_version, &command_help, NULL,
};

const struct command *command_find(const char *name) {
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0) {
            return commands[i];
        }
    }
    return NULL;
}

const char *command_nearest(const char *name) {
    size_t best = 1 + strlen(name) / 3;
    const char *hit = NULL;
    for (size_t i = 0; commands[i]; i++) {
        size_t distance = text_distance(name, commands[i]->name);
        if (distance <= best) {
            best = distance ? distance - 1 : 0;
            hit = commands[i]->name;
        }
    }
    return hit;
}

static void print_commands(FILE *out) {
    (void)fprintf(out,
                  "Seine records network traffic, turns it into searchable sessions and gives the packets back.\n\n"
                  "usage: seine COMMAND [OPTIONS] [ARGUMENTS]\n"
                  "       seine FILE...           the same as seine serve FILE...\n\ncommands:\n");
    for (size_t i = 0; commands[i]; i++) {
        (void)fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->line);
    }
    (void)fprintf(out, "\n`seine help COMMAND` or `seine COMMAND --help` explains a command.\n");
}

struct help_options {
    bool markdown, api, openapi;
};

static const struct option_def help_option_table[] = {
    {.name = "markdown",
     .kind = OPTION_FLAG,
     .offset = OPTION_AT(help_options, markdown),
     .help = "the page docs/reference/commands.md"},
    {.name = "api",
     .kind = OPTION_FLAG,
     .offset = OPTION_AT(help_options, api),
     .help = "the page docs/reference/api.md"},
    {.name = "openapi",
     .kind = OPTION_FLAG,
     .offset = OPTION_AT(help_options, openapi),
     .help = "the HTTP API as an OpenAPI 3.1 document (JSON)"},
};

static int print_api(bool openapi) {
    struct buf page;
    buf_init(&page, (size_t)16 << 20);
    if (openapi) {
        openapi_write(&page);
        buf_add_byte(&page, '\n');
    } else {
        endpoints_markdown(&page);
    }
    bool good = !page.overflowed && fwrite(page.data, 1, page.len, stdout) == page.len;
    buf_done(&page);
    return good ? EXIT_DONE : EXIT_INTERNAL;
}

static void print_markdown(void) {
    (void)printf(
        "# Commands\n\nPrinted by `seine help --markdown` from the tables the program itself uses. What is common "
        "to all\n(formats, exit codes, signals) is explained in [the guide](../guide/command-line.md).\n");
    for (size_t i = 0; commands[i]; i++) {
        options_markdown(commands[i]);
    }
}

static int run_help(int argc, char **argv) {
    struct help_options o = {0};
    int first;
    int code = options_parse(&command_help, argc, argv, &o, &first);
    if (code != OPTIONS_OK) {
        return code;
    }
    if (o.markdown) {
        print_markdown();
        return EXIT_DONE;
    }
    if (o.api || o.openapi) {
        return print_api(o.openapi);
    }
    if (first == argc) {
        print_commands(stdout);
        return EXIT_DONE;
    }
    const struct command *c = command_find(argv[first]);
    if (!c) {
        const char *near = command_nearest(argv[first]);
        if (near) {
            say("there is no command \"%s\"; did you mean \"%s\"?", argv[first], near);
        } else {
            say("there is no command \"%s\"; `seine help` lists the commands", argv[first]);
        }
        return EXIT_USAGE;
    }
    options_help(c);
    return EXIT_DONE;
}

const struct command command_help = {
    .name = "help",
    .line = "explain a command",
    .arguments = "[COMMAND]",
    .about = "Lists the commands, or explains one.",
    .options = help_option_table,
    .option_count = ARRAY_LEN(help_option_table),
    .examples = {"seine help", "seine help read", "seine read --help"},
    .run = run_help,
};

static int unknown_command(const char *word) {
    const char *near = command_nearest(word);
    if (near) {
        say("there is no command \"%s\"; did you mean \"%s\"?", word, near);
    } else {
        say("there is no command \"%s\" and no such file; `seine help` lists the commands", word);
    }
    return EXIT_USAGE;
}

static int run(int argc, char **argv) {
    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        print_commands(stdout);
        return EXIT_DONE;
    }
    if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
        word = "version";
    }
    const struct command *c = command_find(word);
    if (c) {
        return c->run(argc - 1, argv + 1);
    }
    if (strcmp(word, "-") == 0 || access(word, F_OK) == 0) {
        return command_serve.run(argc, argv);
    }
    return unknown_command(word);
}

int main(int argc, char **argv) {
    (void)setlocale(LC_CTYPE, "");
    (void)guard_segments(); /* without it a failing disk ends the program, as it would any other */
    return stdout_end(run(argc, argv));
}
