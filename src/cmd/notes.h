/* notes.h: what sources say about damaged inputs, on standard error, and the exit code that follows from it.
 *
 * Owner: the command. Thread: notes_take from any, the rest from main.
 */
#ifndef SEINE_CMD_NOTES_H
#define SEINE_CMD_NOTES_H

#include "cmd/progress.h"
#include "cmd/show.h"
#include "source/source.h"

struct notes {
    struct progress *progress; /* taken out of the way; NULL = there is none */
    struct show show;
    bool all;          /* -v: every one */
    const char *spool; /* path that stands for standard input, NULL = none */
    unsigned count, kept_back;
    unsigned problems; /* inputs that could not be expanded */
    bool permission;   /* one of them for lack of permission */
    pthread_mutex_t lock;
};

void notes_init(struct notes *n, const struct show *show, bool all);
void notes_done(struct notes *n);                                                  /* says how many were kept back */
void notes_take(void *notes, const char *file, uint64_t offset, const char *what); /* a source_note_fn */

/* Expands the arguments of a command; what is wrong with them is said and remembered. NULL only without memory. */
struct input_list *notes_inputs(struct notes *n, char **paths, int count);

/* EXIT_DONE when all inputs were read to their ends; what else the counters mean. */
int notes_exit(const struct notes *n, const struct source_stats *stats);

#endif
