/* main.c: the table of subcommands. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "cmd/cmd.h"

static const struct command commands[] = {
    {"read", cmd_read, "read captures and print their sessions"},
};

static void print_help(FILE *out) {
    (void)fprintf(out,
                  "seine records network traffic, turns it into searchable sessions and gives the packets back.\n\n"
                  "usage: seine COMMAND [OPTIONS] [FILES]\n\ncommands:\n");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].line);
    }
    (void)fprintf(out, "\n`seine COMMAND --help` explains a command.\n");
}

int main(int argc, char **argv) {
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(argc < 2 ? stderr : stdout);
        return argc < 2 ? EXIT_USAGE : EXIT_DONE;
    }
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    (void)fprintf(stderr, "seine: there is no command \"%s\"; `seine help` lists them\n", argv[1]);
    return EXIT_USAGE;
}
