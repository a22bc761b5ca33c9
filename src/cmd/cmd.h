/* cmd.h: subcommands of the program and what they share. */
#ifndef SEINE_CMD_CMD_H
#define SEINE_CMD_CMD_H

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

struct command {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
    const char *line;                  /* one line of help */
};

int cmd_read(int argc, char **argv);

#endif
