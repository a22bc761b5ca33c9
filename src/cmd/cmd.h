/* cmd.h: subcommands of the program and what they share.
 *
 * A command is one const struct: its options are a table (options.h) from which they are parsed, explained by --help
 * and listed in the manual. Commands alone print: results to standard output, talk to standard error.
 */
#ifndef SEINE_CMD_CMD_H
#define SEINE_CMD_CMD_H

#include <stddef.h>

#include "base/err.h"

/* Exit codes: users' scripts rely on them. */
enum {
    EXIT_DONE = 0,
    EXIT_NOTHING = 1, /* ran, but found nothing */
    EXIT_USAGE = 2,
    EXIT_CONFIG = 3,
    EXIT_PERMISSION = 4,
    EXIT_PARTIAL = 5, /* truncated or damaged input, a budget hit */
    EXIT_UNREACHABLE = 6,
    EXIT_FULL = 7, /* disk full */
    EXIT_INTERNAL = 70,
    EXIT_INTERRUPTED = 130,
    EXIT_TERMINATED = 143,
};

struct option_def;

struct command {
    const char *name;
    const char *line;      /* one line of help */
    const char *arguments; /* behind the options: "FILE..." */
    const char *about;     /* one or two sentences */
    const struct option_def *options;
    size_t option_count;
    const char *examples[3];
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

extern const struct command command_read, command_export, command_import, command_serve, command_search, command_pcap,
    command_store, command_user, command_fields, command_config, command_bench, command_version, command_help;

/* All commands, NULL behind the last. */
extern const struct command *const commands[];
const struct command *command_find(const char *name); /* NULL: none of that name */
/* The nearest name to one that is none, or NULL. */
const char *command_nearest(const char *name);

/* "seine: ..." and a line end on standard error; control characters are escaped. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for a problem with its remedy. `what` stands in front, NULL = nothing. */
void say_err(const char *what, const struct err *e);

/* The end of a command that ended with `code`: what standard output did not take makes another of it, and is said. */
int stdout_end(int code);

#endif
