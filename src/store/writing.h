/* writing.h: the inside of a writer, for the files that make it up: writer.c (log), seal.c, compact.c, retain.c.
 *
 * Threads: callers of store_append; the flusher, which writes the log; the sealer, which makes full logs into segments;
 * the merger, which makes few large segments of many small ones and lets old ones go. `lock` guards what callers and
 * flusher share, `manifest_lock` the manifest; never both at once, but lock inside manifest_lock is fine.
 */
#ifndef SEINE_STORE_WRITING_H
#define SEINE_STORE_WRITING_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/control.h"
#include "store/file.h"
#include "store/log.h"
#include "store/manifest.h"
#include "store/part_open.h"
#include "store/row.h"
#include "store/store.h"

#define FLUSH_BYTES ((size_t)1 << 20)
#define PENDING_MAX ((size_t)4 << 20)
#define LOGS_WAITING_MAX 4u /* full logs before callers of store_append wait for the sealer */
#define ROOTS 65536u        /* first pieces of long sessions that are remembered */

struct root_name {
    uint64_t key; /* of the record's id; 0: free */
    char name[SESSION_NAME_MAX];
};

struct store_writer {
    char folder[FILE_PATH_MAX];
    char node[64];
    struct store_options options;
    int lock_fd;
    const struct registry *registry;
    struct schema schema;
    struct row_plan plan;
    struct control *control;

    pthread_mutex_t lock;
    pthread_cond_t wanted;  /* the flusher has work */
    pthread_cond_t flushed; /* the flusher did something */
    struct buf pending;     /* rows not yet in the log */
    uint32_t pending_rows;
    uint64_t next_seq, durable, target; /* target: somebody waits for these rows */
    int64_t pending_since, log_since;   /* ms of the monotonic clock */
    int error;                          /* of the last attempt to write; 0: it went well */
    uint64_t attempts;
    bool stopping, rotate;
    struct row_encoder *encoders; /* free ones */
    struct root_name *roots;

    /* the flusher's own, others read with `lock` */
    int log_fd;
    uint64_t log_number, log_rows, log_bytes;
    bool log_torn, log_unsynced; /* half a frame is at its end; what is in it may not be on disk: another log first */
    struct buf flushing, frame;
    uint32_t flushing_rows;
    uint64_t flushing_seq;
    ZSTD_CCtx *zstd;

    pthread_mutex_t manifest_lock;
    pthread_cond_t sealed, merge_wanted, merged;
    struct manifest manifest;
    bool seal_stop, merge_stop;
    uint64_t merges_asked, merges_done;
    bool merge_hard;
    uint64_t folded_newest; /* the merger's own: newest change when there was last nothing to fold */
    int seal_error, merge_error;
    struct err seal_text, merge_text;

    pthread_t flusher, sealer, merger;
    bool flusher_runs, sealer_runs, merger_runs;
    struct cache cache;
    struct damage damage;
    atomic_ullong counts[STORE_COUNTS];
};

static inline void writer_count(struct store_writer *w, enum store_count which, uint64_t n) {
    atomic_fetch_add_explicit(&w->counts[which], n, memory_order_relaxed);
}

int64_t clock_ms(void); /* monotonic */
int64_t wall_ms(void);  /* since 1970 */
void cond_wait_ms(pthread_cond_t *c, pthread_mutex_t *lock, int64_t ms);

void *writer_flusher(void *w);
void *writer_sealer(void *w);
void *writer_merger(void *w);

/* The number of the log that is open, and its successor's. */
uint64_t writer_open_log(struct store_writer *w);
/* A segment file under construction: tmp name, descriptor. */
struct segment_file {
    char name[SEGMENT_NAME_MAX], path[FILE_PATH_MAX], temporary[FILE_PATH_MAX];
    int fd;
};
int segment_file_open(struct store_writer *w, int64_t arrived, uint32_t level, struct segment_file *ret);
/* On disk under its name; or removed when `code` is not 0. Gives back the code. */
int segment_file_close(struct store_writer *w, struct segment_file *f, int code);
/* What the manifest says of a segment, from its writer. */
void segment_describe(const struct segment_writer *s, const char *name, uint64_t size, struct manifest_segment *ret);

/* Makes `next`, a changed copy, the store's manifest; it is the writer's or freed. With `manifest_lock`. Not
 * `ret_synced`: it is in use but perhaps not on disk, so what the one before it names must stay. */
int writer_publish(struct store_writer *w, struct manifest *next, bool *ret_synced, struct err *ret_err);
/* A log with rows becomes a full one; waits until it did and the sealer is through. */
int writer_seal_all(struct store_writer *w, struct err *ret_err);
/* Seals one log; the caller holds no lock. */
int writer_seal_log(struct store_writer *w, uint64_t number, struct err *ret_err);
/* The segment whose changes should be written into its columns, though it has no neighbour to be merged with. `hard`:
 * as soon as it has one. False: none. No lock is held. */
bool writer_fold_wanted(struct store_writer *w, bool hard, char ret_name[SEGMENT_NAME_MAX]);
/* At start: takes changes out of the overlay that are in columns already, or of sessions that are gone. */
void writer_fold_tidy(struct store_writer *w);
/* At start: files that belong to nothing. */
void writer_sweep(struct store_writer *w);

#endif
