/* control.c: see control.h. One SQLite connection, its statement cache, and the migrations of modules' tables.
 *
 * Statements are kept by the address-free text of their SQL; the least recently used one that is not running goes when
 * the cache is full, so that code may build SQL without growing the process.
 */
#include "store/control.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "store/control_tables.h"

#define STATEMENTS_MAX 128
#define BUSY_MS 5000
#define BUSY_STEP_MS 10

struct statement {
    char *sql;
    sqlite3_stmt *handle;
    uint64_t used; /* clock of the cache */
};

struct control {
    sqlite3 *db;
    pthread_mutex_t lock;
    struct statement statements[STATEMENTS_MAX];
    unsigned count;
    uint64_t clock;
    bool lock_made;
};

static int code_of(int sqlite_code) {
    switch (sqlite_code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
        return 0;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EBADMSG;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_CONSTRAINT:
        return -EEXIST;
    case SQLITE_CANTOPEN:
        return -ENOENT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_TOOBIG:
        return -E2BIG;
    case SQLITE_IOERR:
        return -EIO;
    default:
        return -EINVAL;
    }
}

static int say(struct control *c, struct err *ret_err, const char *what) {
    int code = code_of(sqlite3_extended_errcode(c->db));
    return err_set(ret_err, code ? code : -EINVAL, "control.db: %s: %s", what, sqlite3_errmsg(c->db));
}

int control_error(struct control *c) {
    int code = code_of(sqlite3_extended_errcode(c->db));
    return code ? code : -EINVAL;
}

static int execute(struct control *c, const char *sql, struct err *ret_err) {
    return sqlite3_exec(c->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : say(c, ret_err, "cannot change it");
}

static void forget_statements(struct control *c) {
    for (unsigned i = 0; i < c->count; i++) {
        sqlite3_finalize(c->statements[i].handle);
        free(c->statements[i].sql);
    }
    c->count = 0;
}

static int connect(struct control *c, const char *path, int flags, struct err *ret_err) {
    int code = sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        return err_set(ret_err, code_of(code), "control.db: cannot be opened: %s", sqlite3_errstr(code));
    }
    sqlite3_busy_timeout(c->db, BUSY_MS);
    sqlite3_extended_result_codes(c->db, 1);
    (void)sqlite3_db_config(c->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return 0;
}

/* SQLite does not wait by itself when several change the journal's mode at once. */
static int use_log(struct control *c, struct err *ret_err) {
    int r = execute(c, "PRAGMA journal_mode=WAL", ret_err);
    for (int waited = 0; r == -EBUSY && waited < BUSY_MS; waited += BUSY_STEP_MS) {
        (void)sqlite3_sleep(BUSY_STEP_MS);
        r = execute(c, "PRAGMA journal_mode=WAL", ret_err);
    }
    return r;
}

static int open_writer(struct control *c, const char *path, struct err *ret_err) {
    int r = connect(c, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ret_err);
    r = r ? r : use_log(c, ret_err);
    r = r ? r : execute(c, "PRAGMA synchronous=FULL", ret_err);
    r = r ? r : execute(c, "PRAGMA foreign_keys=ON", ret_err);
    return r ? r : control_migrate(c, &control_own_tables, ret_err);
}

/* --- for reading --- */

static int version_of(struct control *c, const char *module, uint64_t *ret_version, struct err *ret_err);

/* The tables are those this program knows; older ones are brought up when that is allowed. */
static int reader_ready(struct control *c, struct err *ret_err) {
    uint64_t version = 0;
    if (version_of(c, control_own_tables.module, &version, NULL) == 0 && version == control_own_tables.count) {
        return 0;
    } /* a writer may just be making them: that is waited for */
    return control_migrate(c, &control_own_tables, ret_err);
}

/* The path as SQLite reads it in a URI, of a database nobody writes: without its help files, which cannot be made. */
static bool unchanging_uri(const char *path, char *uri, size_t size) {
    static const char hex[] = "0123456789abcdef", tail[] = "?immutable=1";
    size_t n = (size_t)snprintf(uri, size, "file:%s", *path == '/' ? "//" : "");
    for (const char *at = path; *at && n + sizeof(tail) + 3 < size; at++) {
        if (strchr("?#%", *at)) {
            uri[n++] = '%';
            uri[n++] = hex[(uint8_t)*at >> 4];
            uri[n++] = hex[*at & 15];
        } else {
            uri[n++] = *at;
        }
        path = at + 1;
    }
    if (*path) {
        return false;
    }
    memcpy(uri + n, tail, sizeof(tail));
    return true;
}

static int open_unchanging(struct control *c, const char *path, struct err *ret_err) {
    char uri[3 * 4096 + 32], log[4096 + 8];
    struct stat st;
    (void)snprintf(log, sizeof(log), "%s-wal", path);
    if (stat(log, &st) == 0 && st.st_size > 0) {
        err_set(ret_err, -EACCES, "control.db: its last changes are in control.db-wal, which this user may not use");
        err_hint(ret_err, "open the store once with the right to write, or end the program that writes");
        return -EACCES;
    }
    if (!unchanging_uri(path, uri, sizeof(uri))) {
        return err_set(ret_err, -ENAMETOOLONG, "control.db: the path is too long");
    }
    int r = connect(c, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, ret_err);
    return r ? r : reader_ready(c, ret_err);
}

static int open_reader(struct control *c, const char *path, struct err *ret_err) {
    if (access(path, R_OK) != 0) {
        int code = -errno;
        return err_set(ret_err, code, code == -ENOENT ? "control.db: is missing" : "control.db: cannot be read: %s",
                       strerrordesc_np(-code));
    }
    int r = connect(c, path, SQLITE_OPEN_READWRITE, ret_err);
    r = r ? r : reader_ready(c, ret_err);
    if (r == -EROFS || r == -ENOENT || r == -EACCES) {
        forget_statements(c);
        sqlite3_close_v2(c->db);
        c->db = NULL;
        r = open_unchanging(c, path, ret_err);
    }
    return r;
}

/* --- both --- */

typedef int (*open_fn)(struct control *c, const char *path, struct err *ret_err);

static int open_by(const char *folder, open_fn open, struct control **ret_control, struct err *ret_err) {
    char path[4096] = ":memory:";
    if (folder && (size_t)snprintf(path, sizeof(path), "%s/control.db", folder) >= sizeof(path)) {
        return err_set(ret_err, -ENAMETOOLONG, "%s: the path is too long", folder);
    }
    struct control *c = calloc(1, sizeof(*c));
    if (!c) {
        return err_set(ret_err, -ENOMEM, "no memory for the control database");
    }
    pthread_mutexattr_t recursive; /* callers hold the lock around functions that take it as well */
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    int r = -pthread_mutex_init(&c->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    c->lock_made = r == 0;
    r = r ? r : open(c, path, ret_err);
    if (r) {
        (void)control_close(c);
        return r;
    }
    *ret_control = c;
    return 0;
}

int control_open(const char *folder, struct control **ret_control, struct err *ret_err) {
    return open_by(folder, open_writer, ret_control, ret_err);
}

int control_open_reader(const char *folder, struct control **ret_control, struct err *ret_err) {
    return open_by(folder, open_reader, ret_control, ret_err);
}

int control_check(const char *folder, struct err *ret_err) {
    struct control *c = NULL;
    int r = control_open_reader(folder, &c, ret_err);
    if (r) {
        return r;
    }
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "PRAGMA integrity_check(1)", ret_err);
    r = s ? control_step(s) : -EBADMSG;
    if (r == 1) {
        struct span said = control_text(s, 0);
        r = span_is(said, "ok") ? 0
                                : err_set(ret_err, -EBADMSG, "control.db: is damaged: %.*s", (int)MIN(said.len, 200),
                                          (const char *)said.at);
        sqlite3_reset(s);
    } else if (r < 0) {
        (void)say(c, ret_err, "cannot be checked");
    }
    control_unlock(c);
    (void)control_close(c);
    return r;
}

struct control *control_close(struct control *c) {
    if (!c) {
        return NULL;
    }
    forget_statements(c);
    sqlite3_close_v2(c->db);
    if (c->lock_made) {
        pthread_mutex_destroy(&c->lock);
    }
    free(c);
    return NULL;
}

void control_lock(struct control *c) {
    pthread_mutex_lock(&c->lock);
}

void control_unlock(struct control *c) {
    pthread_mutex_unlock(&c->lock);
}

int control_begin(struct control *c) {
    return execute(c, "BEGIN IMMEDIATE", NULL);
}

int control_end(struct control *c, bool commit) {
    int r = commit ? execute(c, "COMMIT", NULL) : 0;
    if ((r || !commit) && !sqlite3_get_autocommit(c->db)) {
        (void)execute(c, "ROLLBACK", NULL);
    }
    return r;
}

bool control_in_transaction(struct control *c) {
    return !sqlite3_get_autocommit(c->db);
}

uint64_t control_last_id(struct control *c) {
    return (uint64_t)sqlite3_last_insert_rowid(c->db);
}

/* --- statements --- */

/* A free slot, or that of the statement which rested longest. */
static struct statement *slot(struct control *c) {
    if (c->count < STATEMENTS_MAX) {
        return &c->statements[c->count++];
    }
    struct statement *oldest = NULL;
    for (unsigned i = 0; i < c->count; i++) {
        struct statement *s = &c->statements[i];
        if (!sqlite3_stmt_busy(s->handle) && (!oldest || s->used < oldest->used)) {
            oldest = s;
        }
    }
    if (oldest) {
        sqlite3_finalize(oldest->handle);
        free(oldest->sql);
        *oldest = (struct statement){0};
    }
    return oldest;
}

sqlite3_stmt *control_prepare(struct control *c, const char *sql, struct err *ret_err) {
    for (unsigned i = 0; i < c->count; i++) {
        struct statement *s = &c->statements[i];
        if (s->handle && strcmp(s->sql, sql) == 0) {
            s->used = ++c->clock;
            sqlite3_reset(s->handle);
            sqlite3_clear_bindings(s->handle);
            return s->handle;
        }
    }
    sqlite3_stmt *handle = NULL;
    if (sqlite3_prepare_v3(c->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL) != SQLITE_OK) {
        say(c, ret_err, "statement");
        return NULL;
    }
    char *copy = strdup(sql);
    struct statement *s = copy ? slot(c) : NULL;
    if (!s) {
        free(copy);
        sqlite3_finalize(handle);
        err_set(ret_err, -ENOMEM, "control.db: no room for a statement");
        return NULL;
    }
    *s = (struct statement){copy, handle, ++c->clock};
    return handle;
}

void control_bind(sqlite3_stmt *s, int index, struct span text) {
    if (text.at) {
        sqlite3_bind_text64(s, index, (const char *)text.at, text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    } else {
        sqlite3_bind_null(s, index);
    }
}

void control_bind_text(sqlite3_stmt *s, int index, const char *text) {
    control_bind(s, index, span_text(text));
}

void control_bind_u64(sqlite3_stmt *s, int index, uint64_t value) {
    sqlite3_bind_int64(s, index, (sqlite3_int64)value);
}

int control_step(sqlite3_stmt *s) {
    int code = sqlite3_step(s);
    if (code == SQLITE_ROW) {
        return 1;
    }
    sqlite3_reset(s); /* what is done holds no lock */
    return code_of(code);
}

struct span control_text(sqlite3_stmt *s, int column) {
    const void *at = sqlite3_column_blob(s, column); /* first: it decides what the length counts */
    int len = sqlite3_column_bytes(s, column);
    return span_make(at ? at : "", at && len > 0 ? (size_t)len : 0);
}

uint64_t control_u64(sqlite3_stmt *s, int column) {
    return (uint64_t)sqlite3_column_int64(s, column);
}

uint64_t control_version(struct control *c) {
    uint64_t version = 0;
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "PRAGMA data_version", NULL);
    if (s && control_step(s) == 1) {
        version = control_u64(s, 0);
        sqlite3_reset(s);
    }
    control_unlock(c);
    return version;
}

/* --- migrations --- */

static int version_of(struct control *c, const char *module, uint64_t *ret_version, struct err *ret_err) {
    sqlite3_stmt *s = control_prepare(c, "SELECT version FROM schema_versions WHERE module = ?", ret_err);
    if (!s) {
        int code = code_of(sqlite3_extended_errcode(c->db));
        return code ? code : -EINVAL;
    }
    control_bind_text(s, 1, module);
    int r = control_step(s);
    *ret_version = r == 1 ? control_u64(s, 0) : 0;
    sqlite3_reset(s);
    return r < 0 ? say(c, ret_err, "schema_versions") : 0;
}

static int set_version(struct control *c, const char *module, uint64_t version, struct err *ret_err) {
    sqlite3_stmt *s = control_prepare(c, "INSERT OR REPLACE INTO schema_versions VALUES (?, ?)", ret_err);
    if (!s) {
        return -EINVAL;
    }
    control_bind_text(s, 1, module);
    control_bind_u64(s, 2, version);
    int r = control_step(s);
    return r < 0 ? say(c, ret_err, "schema_versions") : 0;
}

static int bring_up(struct control *c, const struct control_schema *schema, struct err *ret_err) {
    uint64_t version = 0;
    int r = version_of(c, schema->module, &version, ret_err);
    if (r) {
        return r;
    }
    if (version > schema->count) {
        return err_set(ret_err, -EPROTO, "control.db: the tables of %s were made by a newer version of this program",
                       schema->module);
    }
    for (uint64_t i = version; i < schema->count && r == 0; i++) {
        r = execute(c, schema->scripts[i], ret_err);
    }
    return r || version == schema->count ? r : set_version(c, schema->module, schema->count, ret_err);
}

int control_migrate(struct control *c, const struct control_schema *schema, struct err *ret_err) {
    control_lock(c);
    int r = execute(c, "CREATE TABLE IF NOT EXISTS schema_versions (module TEXT PRIMARY KEY, version INTEGER NOT NULL)",
                    ret_err);
    r = r ? r : execute(c, "BEGIN IMMEDIATE", ret_err);
    if (r == 0) {
        r = bring_up(c, schema, ret_err);
        if (r == 0) {
            r = execute(c, "COMMIT", ret_err);
        }
        if (!sqlite3_get_autocommit(c->db)) {
            (void)execute(c, "ROLLBACK", NULL);
        }
    }
    control_unlock(c);
    return r;
}
