/* ingest.h: sessions of a walk into a store, and which capture holds their packets.
 *
 * Every capture gets a number of the store before the first session that points into it is appended; positions are
 * rewritten to these numbers. A capture counts as complete once all sessions with packets of it are on disk, and no
 * session, with all pieces of it, reaches from it or an earlier one into a later one that is not complete: until then
 * its sessions are those of an interrupted import, and reading it again replaces them. This is found while the walk
 * goes on (ingest_checkpoint), so that a kill costs what was read since the last capture that ended all its sessions;
 * reading on from there gives the sessions that the whole walk would have given.
 *
 * What is read again is deleted before it is read. Ids, numbers and captures of the new sessions would be those of the
 * old ones: until the last was stored both would be seen, and counted twice in every answer. Fewer sessions for a while
 * are marked (the capture is not complete), sessions that are there twice would not be.
 *
 * Owner: the command, for one walk. Thread: ingest_record from each worker with its own number, ingest_file under the
 * walk's lock, the rest from main. Cost: a copy of the positions, and store_append. Failure: the first one is kept;
 * what comes after it is not appended (ingest_failed), and no capture of this walk becomes complete.
 */
#ifndef SEINE_PIPELINE_INGEST_H
#define SEINE_PIPELINE_INGEST_H

#include "pipeline/walk.h"
#include "store/control.h"
#include "store/store.h"

struct ingest_options {
    const char *folder; /* of the store */
    struct store_writer *writer;
    struct control *control;
    registry_make_fn make; /* for looking at what an interrupted import left */
    void *make_ctx;
    const char *node;
    const char *stand_in; /* full path of the file that standard input is kept in; NULL = it is not kept */
    bool again;           /* captures that are complete are read again, too; their sessions are replaced */
};

struct ingest;
int ingest_new(const struct ingest_options *options, struct ingest **ret_ingest, struct err *ret_err);
struct ingest *ingest_free(struct ingest *g);

struct ingest_choice {
    uint64_t skipped; /* inputs that are in the store already */
    uint64_t redone;  /* captures whose sessions were deleted, to be read again */
    uint64_t deleted; /* those sessions */
};

struct ingest_skip {
    void (*skip)(void *ctx, const char *path);
    void *ctx;
};

/* Those of `all` that are not in the store yet, with absolute paths; what was left of them by an interrupted import is
 * deleted. `skip` is called for each that is left out. -ENOENT: with `again`, one that is not in `all` would lose
 * packets of sessions that it shares with one that is. On failure nothing is deleted. */
int ingest_choose(const struct ingest_options *options, const struct input_list *all, const struct ingest_skip *skip,
                  struct input_list **ret_list, struct ingest_choice *ret_choice, struct err *ret_err);

/* For walk_options.file and walk_options.record. */
void ingest_file(struct ingest *g, const struct capture_file *file);
void ingest_record(struct ingest *g, unsigned worker, struct record *r);
/* For walk_options.passed. */
void ingest_passed(struct ingest *g, unsigned worker, uint32_t files);
/* While the walk runs, on main's thread: captures that all `workers` have passed become complete, once their sessions
 * are on disk. Cost: nothing unless one more did; then a flush and a transaction. A failure takes nothing back. */
int ingest_checkpoint(struct ingest *g, unsigned workers);
uint64_t ingest_sessions(const struct ingest *g); /* appended so far */
int ingest_failed(const struct ingest *g);        /* 0, or -errno of the first failure */

/* After walk_run: everything to disk, then the captures' facts. `*ret_incomplete`: captures not read to their ends. */
int ingest_finish(struct ingest *g, const struct walk_stats *stats, uint32_t *ret_incomplete, struct err *ret_err);

#endif
