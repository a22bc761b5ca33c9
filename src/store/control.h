/* control.h: what of a store changes in place: files, overlay, and for auth/ and api/ users, views, shortcuts, history.
 *
 * One SQLite database (WAL mode) in the store's folder, control.db. Any process may open it; each statement is a
 * transaction of its own unless control_begin was called. Modules add their tables through a list of migrations.
 *
 * Owner: caller. Thread: one connection per struct control, guarded by its lock (control_lock), so any. Cost: a
 * transaction is one fdatasync. Failure: -errno with text; a locked database is waited for up to 5 s.
 */
#ifndef SEINE_STORE_CONTROL_H
#define SEINE_STORE_CONTROL_H

#include <sqlite3.h>

#include "base/err.h"
#include "base/span.h"

struct control;

/* One module's tables: scripts[i] brings version i to i + 1; run once each, in order, in one transaction. */
struct control_schema {
    const char *module;
    const char *const *scripts;
    unsigned count;
};

/* `folder`: the store's; NULL: in memory. Its own tables (files, overlay) are always there. */
int control_open(const char *folder, struct control **ret_control, struct err *ret_err);
/* For reading: never makes the database, and works where nothing may be written (a folder of another user, a medium
 * that is read-only). -ENOENT: there is none. */
int control_open_reader(const char *folder, struct control **ret_control, struct err *ret_err);
/* Every page and index of the database. -EBADMSG: the first fault is in `ret_err`. */
int control_check(const char *folder, struct err *ret_err);
struct control *control_close(struct control *c);
int control_migrate(struct control *c, const struct control_schema *schema, struct err *ret_err);

void control_lock(struct control *c);
void control_unlock(struct control *c);
int control_begin(struct control *c);
int control_end(struct control *c, bool commit);

/* A prepared statement from the connection's cache, reset and without bindings; the caller holds the lock while it uses
 * it and never finalizes it. NULL: the error is in ret_err. */
sqlite3_stmt *control_prepare(struct control *c, const char *sql, struct err *ret_err);
/* -errno of what failed last, for a statement that could not be prepared; never 0. With the lock. */
int control_error(struct control *c);
void control_bind(sqlite3_stmt *s, int index, struct span text); /* {NULL, 0} binds NULL */
void control_bind_text(sqlite3_stmt *s, int index, const char *text);
void control_bind_u64(sqlite3_stmt *s, int index, uint64_t value); /* above INT64_MAX: as a negative number */
/* 1 a row, 0 the end, or -errno. */
int control_step(sqlite3_stmt *s);
struct span control_text(sqlite3_stmt *s, int column); /* until the next step */
uint64_t control_u64(sqlite3_stmt *s, int column);
/* Changes whenever another connection or process changed the database. */
uint64_t control_version(struct control *c);

/* --- capture files --- */

struct stored_file {
    uint32_t number; /* of the store, from 1 */
    char *name;      /* full path, or "archive!member" */
    char *node;
    uint64_t size;             /* bytes on disk */
    int64_t modified;          /* s since 1970 */
    int64_t first_ms, last_ms; /* of its packets */
    int64_t started_ms, finished_ms;
    uint64_t packets, packet_bytes, sessions;
    bool locked; /* not to be deleted by retention: captures that were there before us always are */
    bool compressed;
    bool complete; /* read to its end; else the import was interrupted */
    bool gone;     /* deleted */
};

/* A number for a file about to be read. The same path, size and time as one that is complete: -EEXIST, with its number.
 * One whose import was interrupted gets its old number: the caller deletes that file's sessions first. */
int files_add(struct control *c, const struct stored_file *f, uint32_t *ret_number, struct err *ret_err);
int files_finish(struct control *c, const struct stored_file *f, struct err *ret_err);
/* Calls `each` in the order of numbers; the file is borrowed. */
typedef bool (*stored_file_fn)(void *ctx, const struct stored_file *f);
int files_each(struct control *c, stored_file_fn each, void *ctx);

/* --- changes over stored sessions --- */

enum overlay_op { OVERLAY_ADD, OVERLAY_REMOVE, OVERLAY_SET, OVERLAY_DELETE_ROW };

/* One change for many sessions. */
struct overlay_change {
    const uint64_t *seqs;
    size_t count;
    enum overlay_op op;
    const char *path;  /* of the field; NULL with OVERLAY_DELETE_ROW */
    struct span value; /* as text; OVERLAY_SET with an empty one leaves the field without value */
    const char *user;
};
/* All or nothing. */
int overlay_write(struct control *c, const struct overlay_change *change, struct err *ret_err);

#endif
