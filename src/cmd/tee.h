/* tee.h: standard input read once and kept: what a thread reads goes into a file and then on through a pipe that takes
 * the place of standard input, so that packets can be fetched again as soon as their session is known.
 *
 * A regular file on standard input needs none of that: tee_path names it. Owner: the command. Thread: main. Failure: no
 * room for the file ends the input there; tee_stop tells.
 */
#ifndef SEINE_CMD_TEE_H
#define SEINE_CMD_TEE_H

#include <pthread.h>
#include <stdbool.h>

struct tee {
    pthread_t thread;
    bool started;
    int from, to, file; /* real standard input, the pipe's end, the copy */
    int failed;         /* errno of writing the copy */
    char *block;
};

/* The path of a regular file that standard input is at the beginning of; NULL: it is something else. Allocated. */
char *tee_path(void);
/* From now on standard input is the pipe, and everything read is also in `path`. 0 or -errno. */
int tee_start(struct tee *t, const char *path);
/* Ends it, also when there is more to read. 0, or -errno: the copy is not whole. */
int tee_stop(struct tee *t);

#endif
