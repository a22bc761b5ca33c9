/* reading.h: the inside of a reader, for the files that make it up: reader.c (what there is), tail.c (the log),
 * snapshot.c, restore.c.
 */
#ifndef SEINE_STORE_READING_H
#define SEINE_STORE_READING_H

#include <pthread.h>
#include <stdatomic.h>

#include "store/builder.h"
#include "store/control.h"
#include "store/file.h"
#include "store/log.h"
#include "store/manifest.h"
#include "store/part_open.h"
#include "store/patch.h"
#include "store/schema.h"
#include "store/store.h"

#define TAIL_PART_ROWS 8192u /* rows collected into one part of the tail */
#define TAIL_FOLD 8u         /* parts of one level make one of the next */
#define REFRESH_MS 150

/* A registry with what the store's field numbers are in it; counted. */
struct registry_ref {
    atomic_uint refs;
    struct registry *registry;
    uint16_t *fields; /* by number in the store; FIELD_NONE: not known here, or of another kind */
    uint32_t count;
};

struct overlay_ref {
    atomic_uint refs;
    struct overlay overlay;
};

struct snapshot {
    atomic_uint refs;
    uint64_t version;
    struct store *store;
    struct registry_ref *registry;
    struct overlay_ref *overlay;
    struct part **parts;
    struct patch **patches;
    size_t count;
    uint64_t rows;
};

struct tail_part {
    struct part *part;
    uint32_t level;
};

/* A log that is not sealed yet. */
struct tail_log {
    uint64_t number;
    struct log_reader reader;
    struct tail_part *parts;
    uint32_t count, cap;
    uint64_t torn_at, torn_size; /* bytes that are no frame, and how large the file was when that was seen */
};

struct store {
    char folder[FILE_PATH_MAX];
    registry_make_fn make;
    void *make_ctx;
    struct cache cache;
    struct damage damage;

    pthread_mutex_t lock;
    struct schema schema;
    struct registry_ref *registry;
    struct control *control; /* NULL: cannot be opened from here */
    uint64_t control_version, overlay_newest;
    struct overlay_ref *overlay;
    struct manifest manifest;
    uint64_t manifest_stamp[3];
    struct part **segments; /* as in the manifest; NULL where one cannot be opened */
    struct tail_log *logs;
    uint32_t log_count, log_cap;
    uint64_t tail_next; /* sessions below are in segments or in parts of the tail */
    struct builder builder;
    bool builder_made;
    pthread_mutex_t current_lock; /* of `current`: who only wants that need not wait for a look in progress */
    struct snapshot *current;
    struct positions_reader *position_readers; /* free ones, also under current_lock */
    uint64_t version;
    int64_t looked; /* ms of the monotonic clock */
    bool changed;   /* since `current` was made */
};

struct registry_ref *registry_ref_make(struct store *s, struct err *ret_err);
struct registry_ref *registry_unref(struct registry_ref *r);
struct overlay_ref *overlay_unref(struct overlay_ref *o);

/* Reads what is new in the logs. -ESTALE: a log went away: the manifest is newer. */
int tail_read(struct store *s);
void tail_done(struct store *s);
/* Lets go of logs that became segments. */
void tail_drop(struct store *s, uint64_t first_log);

/* A reader of packet positions that knows the files already, if there is one; given back by store_give_reader. */
struct positions_reader *store_take_reader(struct store *s);
void store_give_reader(struct store *s, struct positions_reader *r);

/* Makes the current snapshot of what is known. */
int snapshot_make(struct store *s);

#endif
