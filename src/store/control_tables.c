/* control_tables.c: capture files and the overlay in control.db: their tables, and the statements over them. */
#include "store/control_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"

static const char *const scripts[] = {
    "CREATE TABLE files (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, node TEXT NOT NULL,"
    " size INTEGER NOT NULL, modified INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
    " started_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL, packets INTEGER NOT NULL,"
    " packet_bytes INTEGER NOT NULL, sessions INTEGER NOT NULL, locked INTEGER NOT NULL,"
    " compressed INTEGER NOT NULL, complete INTEGER NOT NULL, gone INTEGER NOT NULL);"
    "CREATE INDEX files_by_name ON files (name);"
    "CREATE TABLE overlay (id INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL, op INTEGER NOT NULL,"
    " path TEXT NOT NULL, value BLOB NOT NULL, user TEXT NOT NULL, time_ms INTEGER NOT NULL);"
    "CREATE INDEX overlay_by_seq ON overlay (seq);",
};
const struct control_schema control_own_tables = {"store", scripts, ARRAY_LEN(scripts)};

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Ends a statement that gives no rows; its text goes into `ret_err`. */
static int finish(sqlite3_stmt *s, const char *what, struct err *ret_err) {
    int r = control_step(s);
    return r < 0 ? err_set(ret_err, r, "control.db: %s: %s", what, sqlite3_errmsg(sqlite3_db_handle(s))) : 0;
}

static void not_begun(int code, struct err *ret_err) {
    char why[128] = "";
    if (code == -EBUSY) {
        (void)err_set(ret_err, code, "control.db: is locked by another process");
    } else {
        (void)err_set(ret_err, code, "control.db: cannot be changed: %s", strerror_r(-code, why, sizeof(why)));
    }
}

static int not_kept(const char *what, int code, struct err *ret_err) {
    char why[128] = "";
    return err_set(ret_err, code, "control.db: %s could not be stored: %s", what, strerror_r(-code, why, sizeof(why)));
}

/* --- files --- */

static void bind_file(sqlite3_stmt *s, const struct stored_file *f) {
    control_bind_text(s, 1, f->name ? f->name : "");
    control_bind_text(s, 2, f->node ? f->node : "");
    const uint64_t numbers[] = {
        f->size,
        (uint64_t)f->modified,
        (uint64_t)f->first_ms,
        (uint64_t)f->last_ms,
        (uint64_t)f->started_ms,
        (uint64_t)f->finished_ms,
        f->packets,
        f->packet_bytes,
        f->sessions,
        f->locked,
        f->compressed,
        f->complete,
        f->gone,
    };
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        control_bind_u64(s, (int)i + 3, numbers[i]);
    }
}

static int insert_file(struct control *c, const struct stored_file *f, uint32_t *ret_number, struct err *ret_err) {
    sqlite3_stmt *s = control_prepare(
        c,
        "INSERT INTO files (name, node, size, modified, first_ms, last_ms, started_ms, finished_ms, packets,"
        " packet_bytes, sessions, locked, compressed, complete, gone) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        ret_err);
    if (!s) {
        return control_error(c);
    }
    struct stored_file started = *f;
    started.complete = false;
    bind_file(s, &started);
    int r = finish(s, "files", ret_err);
    if (r) {
        return r;
    }
    uint64_t number = control_last_id(c);
    if (number > UINT32_MAX) {
        return err_set(ret_err, -E2BIG, "control.db: no number is left for another capture file");
    }
    *ret_number = (uint32_t)number;
    return 0;
}

static int find_or_insert(struct control *c, const struct stored_file *f, uint32_t *ret_number, struct err *ret_err) {
    sqlite3_stmt *s = control_prepare(c,
                                      "SELECT number, complete FROM files WHERE name = ? AND size = ? AND modified = ?"
                                      " AND gone = 0 ORDER BY number DESC LIMIT 1",
                                      ret_err);
    if (!s) {
        return control_error(c);
    }
    control_bind_text(s, 1, f->name ? f->name : "");
    control_bind_u64(s, 2, f->size);
    control_bind_u64(s, 3, (uint64_t)f->modified);
    int r = control_step(s);
    if (r == 1) {
        *ret_number = (uint32_t)control_u64(s, 0);
        bool complete = control_u64(s, 1);
        sqlite3_reset(s);
        return complete ? err_set(ret_err, -EEXIST, "%s: was read already, as file %u", f->name, *ret_number) : 0;
    }
    return r < 0 ? err_set(ret_err, r, "control.db: files cannot be read") : insert_file(c, f, ret_number, ret_err);
}

int files_add(struct control *c, const struct stored_file *f, uint32_t *ret_number, struct err *ret_err) {
    control_lock(c);
    bool own = !control_in_transaction(c);
    int r = own ? control_begin(c) : 0;
    if (r) {
        not_begun(r, ret_err);
    } else {
        r = find_or_insert(c, f, ret_number, ret_err);
        int ended = own ? control_end(c, r == 0) : 0;
        if (r == 0 && ended) {
            r = not_kept("the number of a capture", ended, ret_err);
        }
    }
    control_unlock(c);
    return r;
}

int files_finish(struct control *c, const struct stored_file *f, struct err *ret_err) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(
        c,
        "UPDATE files SET name=?, node=?, size=?, modified=?, first_ms=?, last_ms=?, started_ms=?, finished_ms=?,"
        " packets=?, packet_bytes=?, sessions=?, locked=?, compressed=?, complete=?, gone=? WHERE number=?",
        ret_err);
    int r = 0;
    if (s) {
        bind_file(s, f);
        control_bind_u64(s, 16, f->number);
        r = finish(s, "files", ret_err);
    } else {
        r = control_error(c);
    }
    control_unlock(c);
    return r;
}

static char *text_copy(sqlite3_stmt *s, int column) {
    return span_dup(control_text(s, column));
}

int files_each(struct control *c, stored_file_fn each, void *ctx) {
    control_lock(c);
    sqlite3_stmt *s =
        control_prepare(c,
                        "SELECT number, name, node, size, modified, first_ms, last_ms, started_ms, finished_ms,"
                        " packets, packet_bytes, sessions, locked, compressed, complete, gone FROM files"
                        " ORDER BY number",
                        NULL);
    int r = s ? 0 : control_error(c);
    for (bool more = true; s && more && (r = control_step(s)) == 1;) {
        struct stored_file f = {
            .number = (uint32_t)control_u64(s, 0),
            .name = text_copy(s, 1),
            .node = text_copy(s, 2),
            .size = control_u64(s, 3),
            .modified = (int64_t)control_u64(s, 4),
            .first_ms = (int64_t)control_u64(s, 5),
            .last_ms = (int64_t)control_u64(s, 6),
            .started_ms = (int64_t)control_u64(s, 7),
            .finished_ms = (int64_t)control_u64(s, 8),
            .packets = control_u64(s, 9),
            .packet_bytes = control_u64(s, 10),
            .sessions = control_u64(s, 11),
            .locked = control_u64(s, 12),
            .compressed = control_u64(s, 13),
            .complete = control_u64(s, 14),
            .gone = control_u64(s, 15),
        };
        bool memory = f.name && f.node;
        more = memory && each(ctx, &f);
        free(f.name);
        free(f.node);
        r = memory ? 0 : -ENOMEM;
    }
    if (s) {
        sqlite3_reset(s);
    }
    control_unlock(c);
    return r;
}

/* --- overlay --- */

static int write_changes(struct control *c, const struct overlay_change *change, struct err *ret_err) {
    uint64_t now = now_ms();
    const void *value = change->value.at ? (const void *)change->value.at : "";
    for (size_t i = 0; i < change->count; i++) {
        sqlite3_stmt *s = control_prepare(
            c, "INSERT INTO overlay (seq, op, path, value, user, time_ms) VALUES (?,?,?,?,?,?)", ret_err);
        if (!s) {
            return control_error(c);
        }
        control_bind_u64(s, 1, change->seqs[i]);
        control_bind_u64(s, 2, change->op);
        control_bind_text(s, 3, change->path ? change->path : "");
        sqlite3_bind_blob64(s, 4, value, change->value.len, SQLITE_STATIC);
        control_bind_text(s, 5, change->user ? change->user : "");
        control_bind_u64(s, 6, now);
        int r = finish(s, "overlay", ret_err);
        if (r) {
            return r;
        }
    }
    return 0;
}

int overlay_write(struct control *c, const struct overlay_change *change, struct err *ret_err) {
    control_lock(c);
    bool own = !control_in_transaction(c);
    int r = own ? control_begin(c) : 0;
    if (r) {
        not_begun(r, ret_err);
    } else {
        r = write_changes(c, change, ret_err);
        int ended = own ? control_end(c, r == 0) : 0;
        if (r == 0 && ended) {
            r = not_kept("the change", ended, ret_err);
        }
    }
    control_unlock(c);
    return r;
}

int overlay_each(struct control *c, overlay_fn each, void *ctx) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "SELECT id, seq, op, path, value FROM overlay ORDER BY id", NULL);
    int r = s ? 0 : control_error(c);
    while (s && r == 0 && (r = control_step(s)) == 1) {
        struct overlay_row row = {
            .id = control_u64(s, 0),
            .seq = control_u64(s, 1),
            .op = (enum overlay_op)control_u64(s, 2),
            .path = control_text(s, 3),
            .value = control_text(s, 4),
        };
        r = each(ctx, &row);
    }
    if (s) {
        sqlite3_reset(s);
    }
    control_unlock(c);
    return r;
}

uint64_t overlay_newest(struct control *c) {
    uint64_t newest = 0;
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "SELECT seq FROM sqlite_sequence WHERE name = 'overlay'", NULL);
    if (s && control_step(s) == 1) {
        newest = control_u64(s, 0);
        sqlite3_reset(s);
    }
    control_unlock(c);
    return newest;
}

int overlay_forget(struct control *c, uint64_t seq_low, uint64_t seq_high, uint64_t up_to) {
    control_lock(c);
    int r = -EINVAL;
    sqlite3_stmt *s = control_prepare(c, "DELETE FROM overlay WHERE seq BETWEEN ? AND ? AND id <= ?", NULL);
    if (s) {
        control_bind_u64(s, 1, seq_low);
        control_bind_u64(s, 2, seq_high);
        control_bind_u64(s, 3, up_to);
        r = control_step(s);
    }
    control_unlock(c);
    return r;
}
