/* progress.h: how far a run is, on standard error: one line that is written over, or JSON lines.
 *
 * Owner: the command. Thread: progress_tick from main; progress_note from any.
 */
#ifndef SEINE_CMD_PROGRESS_H
#define SEINE_CMD_PROGRESS_H

#include <pthread.h>
#include <stdint.h>

#include "base/buf.h"

enum progress_kind { PROGRESS_AUTO, PROGRESS_NONE, PROGRESS_JSON };
#define PROGRESS_CHOICES "auto,none,json"

struct progress {
    int kind;
    uint64_t total; /* bytes to read, 0 = unknown */
    double started, shown_at;
    bool shown; /* a line stands on the terminal */
    pthread_mutex_t lock;
};

/* `line`: standard error is a terminal that nothing else is written to. */
void progress_init(struct progress *p, int kind, bool line, uint64_t total);
void progress_done(struct progress *p);
double progress_seconds(const struct progress *p); /* since the start */
void progress_tick(struct progress *p, uint64_t bytes, uint64_t packets, uint64_t sessions);
/* Takes the line away so that something else can be said; call under no lock of one's own. */
void progress_clear(struct progress *p);

#endif
