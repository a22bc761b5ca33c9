/* store.h: sessions that stay: one writer, readers in any process.
 *
 * A store is a folder (docs/store-format.md): immutable column segments, a write-ahead log whose rows are searchable at
 * once, a manifest that is replaced by rename. What store_append answered and store_flush confirmed survives a kill.
 *
 * Writer: owner: one per store in the whole machine (LOCK). Thread: store_append from any; it copies the record and
 * waits only when the log cannot keep up. Cost: about 5 us a session until durable, sealing and merging run on a thread
 * of their own.
 * Reader: owner: caller. Thread: store_snapshot from any; a snapshot is immutable and counted. Cost: a look at the
 * manifest and the log's new frames, at most every 200 ms; nothing when nothing changed.
 * Failure: 0 or -errno with a struct err naming file and remedy; damaged parts are left out, named and counted.
 */
#ifndef SEINE_STORE_STORE_H
#define SEINE_STORE_STORE_H

#include "base/err.h"
#include "record/record.h"
#include "store/part.h"

/* --- fields --- */

/* Makes the registry of a running program, with the store's own fields (made by configuration, intelligence or other
 * processes) added to the built-in ones, sealed. Called again when the store learns of new fields. */
typedef int (*registry_make_fn)(void *ctx, const struct field_def *fields, size_t count, struct registry **ret_registry,
                                struct err *ret_err);

/* --- writing --- */

enum store_durability { DURABLE_BATCH, DURABLE_EACH, DURABLE_NONE };

struct store_options {
    const char *node;
    uint32_t durability;     /* enum store_durability */
    uint32_t flush_ms;       /* 0 = 200 */
    uint32_t seal_rows;      /* 0 = 65,536 */
    uint32_t seal_seconds;   /* 0 = 60 */
    uint64_t retain_seconds; /* 0 = for ever */
    uint64_t retain_bytes;   /* 0 = no limit */
    uint64_t free_bytes;     /* free space to keep on the disk; 0 = no limit */
};

struct store_writer;

/* Makes the folder when `create`. -EWOULDBLOCK: somebody else writes (the hint says which process). */
int store_writer_open(const char *folder, bool create, const struct store_options *options,
                      const struct registry *registry, struct store_writer **ret_writer, struct err *ret_err);
/* Seals what is open, waits for merges in progress; what fails is tried three times. An error: the last sessions are
 * not on disk (store_flush said so before), or they are in the log and the next writer makes a segment of it. NULL is
 * fine. */
int store_writer_close(struct store_writer *w, struct err *ret_err);

/* Takes a copy of the record. File numbers of its positions are the store's (control.h). Its session number comes back
 * in `ret_seq` (may be NULL). -ENOSPC, -EIO: nothing is taken until the cause is gone; the next call tries again. */
int store_append(struct store_writer *w, const struct record *r, uint64_t *ret_seq);
/* Everything appended so far is on disk when it returns 0. */
int store_flush(struct store_writer *w);
/* Seals the log into a segment, merges what should be merged, applies retention: now. */
int store_compact(struct store_writer *w, struct err *ret_err);
/* Lets the segments go that the options say are too old or too many: now, without waiting for a merge. The writer does
 * so by itself, at least every ten seconds while sessions come. Cost: a manifest and as many unlinked files. */
int store_retain(struct store_writer *w, struct err *ret_err);

enum store_count {
    STORE_ROWS,
    STORE_FRAMES,
    STORE_LOG_BYTES,
    STORE_SEALS,
    STORE_MERGES,
    STORE_SEGMENTS_DROPPED,
    STORE_ROWS_DROPPED,
    STORE_WAITS,
    STORE_VALUES_CUT,
    STORE_ERRORS,
    STORE_COUNTS
};
extern const char *const store_count_names[STORE_COUNTS];
void store_writer_counts(const struct store_writer *w, uint64_t ret[STORE_COUNTS]);

/* --- reading --- */

struct store;
struct snapshot;

/* `cache_bytes`: ceiling of unpacked dictionaries; 0 = 256 MiB. */
int store_open(const char *folder, registry_make_fn make, void *ctx, uint64_t cache_bytes, struct store **ret_store,
               struct err *ret_err);
/* After the last snapshot_unref. */
struct store *store_close(struct store *s);

/* The store as it is now; never NULL after store_open succeeded. snapshot_unref gives it back. */
struct snapshot *store_snapshot(struct store *s);
/* Looks now, however short ago the last look was: for those who just changed something. */
int store_refresh(struct store *s);
struct snapshot *snapshot_ref(struct snapshot *s);
struct snapshot *snapshot_unref(struct snapshot *s);
/* Waits until there is something newer than `version` or `ms` have passed; returns the newest version. For live views.
 */
uint64_t store_wait(struct store *s, uint64_t version, unsigned ms);
/* Damage found since store_open: how often; calls `each` (may be NULL) with the newest texts, oldest first. */
uint64_t store_damage(struct store *s, void (*each)(void *ctx, const char *text), void *ctx);
/* Gives memory back that a quiet server does not need. */
void store_rest(struct store *s);

uint64_t snapshot_version(const struct snapshot *s);
const struct registry *snapshot_registry(const struct snapshot *s);
uint64_t snapshot_rows(const struct snapshot *s);
size_t snapshot_parts(const struct snapshot *s); /* in the order of their session numbers */
const struct part *snapshot_part(const struct snapshot *s, size_t index);
/* The part and row of a session; false when it is not there (any more). */
bool snapshot_find(const struct snapshot *s, uint64_t seq, size_t *ret_part, uint32_t *ret_row);

/* Changes over immutable rows (overlay.h) of a part, or NULL: rows whose fields have other values now. */
struct patch;
const struct patch *snapshot_patch(const struct snapshot *s, size_t part);
bool patch_touches(const struct patch *p, struct span path);          /* some row's values of this field changed */
const uint32_t *patch_rows(const struct patch *p, size_t *ret_count); /* ascending */
bool patch_row_gone(const struct patch *p, uint32_t row);             /* deleted */

/* A stored session as a record again, patches applied: everything in record.h holds for it, so that documents,
 * matching, text and fetching work on stored sessions as on fresh ones. `wanted`: ids of fields to fill, NULL = all;
 * the fixed part is filled but for members that nothing but a field not wanted shows. Positions only when asked for.
 * Memory is the restorer's, until the next call. */
struct restorer;
int restorer_new(const struct snapshot *s, const uint16_t *wanted, size_t wanted_count, bool positions,
                 struct restorer **ret_restorer);
/* Before the first row: nothing but values of the wanted fields will be asked for (record_values, query_match). */
void restorer_values_only(struct restorer *r);
struct restorer *restorer_free(struct restorer *r);
int restorer_read(struct restorer *r, size_t part, uint32_t row, const struct record **ret_record);

/* --- names of sessions --- */

/* `yymmdd-` and a word made of the node's number and the session's: what documents and URLs show. The day is that of
 * the last packet. */
#define SESSION_NAME_MAX 40
void session_name_write(uint64_t seq, int64_t last_ms, char ret[SESSION_NAME_MAX]);
/* Also with a prefix such as `3@`, as older clients send it. */
bool session_name_parse(struct span text, uint64_t *ret_seq);

/* --- care --- */

struct store_report {
    void (*say)(void *ctx, bool problem, const char *line);
    void *ctx;
};
/* Checks every extent's checksum and every relation; returns the number of problems, or -errno. */
int store_check(const char *folder, bool repair, const struct store_report *report, struct err *ret_err);
/* Columns with kinds, sizes, bytes per session; segments; log. */
int store_describe(const char *folder, bool columns, const struct store_report *report, struct err *ret_err);
/* Rows of one segment as JSON Lines, without the registry. */
int store_dump(const char *folder, const char *segment, uint64_t limit, const struct store_report *report,
               struct err *ret_err);

#endif
