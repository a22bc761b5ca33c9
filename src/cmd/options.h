/* options.h: the command line as a table, like settings (config/setting.h): each row says where its value goes.
 *
 * Owner: the command's stack. Failure: what is wrong is said, with the nearest option that exists, and the exit code is
 * returned.
 */
#ifndef SEINE_CMD_OPTIONS_H
#define SEINE_CMD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd/cmd.h"

enum option_kind {
    OPTION_FLAG,   /* bool */
    OPTION_COUNT,  /* unsigned: how often it was given */
    OPTION_TEXT,   /* const char *, NULL when not given */
    OPTION_LIST,   /* struct text_list */
    OPTION_NUMBER, /* uint64_t, min..max */
    OPTION_CHOICE, /* int: index into `choices`; what it was when not given */
};

#define TEXT_LIST_MAX 64
struct text_list {
    const char *items[TEXT_LIST_MAX];
    size_t count;
};

struct option_def {
    char letter;      /* 0 = none */
    const char *name; /* NULL = none */
    const char *argument;
    enum option_kind kind;
    size_t offset;
    const char *help;
    const char *choices; /* OPTION_CHOICE: comma-separated */
    uint64_t min, max;   /* OPTION_NUMBER */
};

#define OPTION_AT(type, member) offsetof(struct type, member)

#define OPTIONS_OK (-1)

/* Fills `target` (zeroed by the caller, defaults set). argv is put in order: arguments that are no options come last,
 * from *ret_first on. Returns OPTIONS_OK, or an exit code: --help was printed, or a mistake was said. */
int options_parse(const struct command *c, int argc, char **argv, void *target, int *ret_first);

/* What the command is for, its options, its examples: at most a screen. */
void options_help(const struct command *c);

/* The same as a section of a reference page. */
void options_markdown(const struct command *c);

/* A mistake in the use of a command: says it, and how to get help. Returns EXIT_USAGE. */
int usage_error(const struct command *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
