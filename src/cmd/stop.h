/* stop.h: SIGINT and SIGTERM end a run in order; a second one ends it at once.
 *
 * The signals are blocked in all threads and read from a descriptor, so that nothing happens inside a handler. Owner:
 * the command. Thread: main; stop_init comes before other threads are started.
 */
#ifndef SEINE_CMD_STOP_H
#define SEINE_CMD_STOP_H

#include <signal.h>
#include <stdbool.h>

struct stop {
    int fd;
    int signal; /* atomic: the first that came, 0 = none */
    sigset_t before;
    bool blocked;
};

int stop_init(struct stop *s);
/* True once a signal came. From then on the next one has its usual effect. `ret_asked`: SIGUSR1 came, which asks for
 * the counters. */
bool stop_wanted(struct stop *s, bool *ret_asked);
void stop_done(struct stop *s);

#endif
