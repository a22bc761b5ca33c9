/* saved.c: the table of what users keep, and who may see and change a row of it. */
#include "api/saved.h"

#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/util.h"

#define ROWS_TEXT_MAX ((size_t)64 << 20)

/* `slot` holds what must be there once: see slot_write. */
static const char *const scripts[] = {
    "CREATE TABLE saved (id TEXT PRIMARY KEY, kind INTEGER NOT NULL, slot TEXT UNIQUE, name TEXT NOT NULL,"
    " owner TEXT NOT NULL, type TEXT NOT NULL, description TEXT NOT NULL, body TEXT NOT NULL, users TEXT NOT NULL,"
    " roles TEXT NOT NULL, edit_users TEXT NOT NULL, edit_roles TEXT NOT NULL, created INTEGER NOT NULL,"
    " updated INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX saved_kind ON saved (kind, owner);"
    "CREATE TABLE history (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER NOT NULL, method TEXT NOT NULL,"
    " user TEXT NOT NULL, api TEXT NOT NULL, query TEXT NOT NULL, expression TEXT, forced TEXT, range INTEGER,"
    " view_name TEXT, view_expression TEXT, body TEXT, returned INTEGER, filtered INTEGER, total INTEGER,"
    " took INTEGER NOT NULL, page TEXT);"
    "CREATE INDEX history_time ON history (timestamp);",
    /* Times in ms; `busy_until`: whoever runs it has until then. */
    "CREATE TABLE cron_state (id TEXT PRIMARY KEY, lp INTEGER NOT NULL, last_run INTEGER NOT NULL DEFAULT 0,"
    " count INTEGER NOT NULL DEFAULT 0, last_count INTEGER NOT NULL DEFAULT 0, toggled INTEGER NOT NULL DEFAULT 0,"
    " toggled_by TEXT NOT NULL DEFAULT '', busy_until INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '')"
    " WITHOUT ROWID;",
    /* When its notifiers were told last, and of how many sessions by then. */
    "ALTER TABLE cron_state ADD COLUMN notified INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE cron_state ADD COLUMN notified_count INTEGER NOT NULL DEFAULT 0;",
    /* How a request ended, and from where it came. */
    "ALTER TABLE history ADD COLUMN status INTEGER;"
    "ALTER TABLE history ADD COLUMN address TEXT;",
};
static const struct control_schema schema = {"saved", scripts, ARRAY_LEN(scripts)};

int saved_prepare(struct control *c, struct err *ret_err) {
    return control_migrate(c, &schema, ret_err);
}

/* --- rows --- */

void saved_rows_init(struct saved_rows *s) {
    *s = (struct saved_rows){0};
    buf_init(&s->text, ROWS_TEXT_MAX);
}

void saved_rows_done(struct saved_rows *s) {
    free(s->rows);
    buf_done(&s->text);
    *s = (struct saved_rows){0};
}

/* Text columns in the order of COLUMNS; the spans of a row hold offsets until all rows are read. */
#define COLUMNS "kind, id, name, owner, type, description, body, users, roles, edit_users, edit_roles, created, updated"
#define TEXTS 10

static struct span *text_member(struct saved *s, int index) {
    struct span *const members[TEXTS] = {&s->id,   &s->name,  &s->owner, &s->type,       &s->description,
                                         &s->body, &s->users, &s->roles, &s->edit_users, &s->edit_roles};
    return members[index];
}

static int row_take(struct saved_rows *to, sqlite3_stmt *s) {
    if (to->count == to->cap) {
        size_t cap = to->cap ? to->cap * 2 : 16;
        struct saved *more = reallocarray(to->rows, cap, sizeof(struct saved));
        if (!more) {
            return -ENOMEM;
        }
        to->rows = more;
        to->cap = cap;
    }
    struct saved *row = &to->rows[to->count];
    *row = (struct saved){.kind = (enum saved_kind)control_u64(s, 0),
                          .created = (int64_t)control_u64(s, 1 + TEXTS),
                          .updated = (int64_t)control_u64(s, 2 + TEXTS)};
    for (int i = 0; i < TEXTS; i++) {
        struct span text = control_text(s, 1 + i);
        *text_member(row, i) = span_make((const void *)(uintptr_t)to->text.len, text.len); // NOLINT: an offset
        buf_add_span(&to->text, text);
    }
    to->count++;
    return to->text.overflowed ? -E2BIG : 0;
}

static void rows_settle(struct saved_rows *to) {
    for (size_t r = 0; r < to->count; r++) {
        for (int i = 0; i < TEXTS; i++) {
            struct span *member = text_member(&to->rows[r], i);
            member->at = to->text.data ? to->text.data + (uintptr_t)member->at : NULL;
        }
    }
}

/* Rows of a SELECT with up to two values: the kind and a text. */
static int rows_read(struct control *c, const char *sql, enum saved_kind kind, struct span text,
                     struct saved_rows *ret) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, sql, NULL);
    int code = s ? 1 : -EIO;
    if (s) {
        control_bind_u64(s, 1, kind);
        if (text.at) {
            control_bind(s, 2, text);
        }
    }
    while (code == 1 && (code = control_step(s)) == 1) {
        int taken = row_take(ret, s);
        code = taken ? taken : 1;
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    rows_settle(ret);
    return code;
}

int saved_all(struct control *c, enum saved_kind kind, struct saved_rows *ret) {
    return rows_read(c, "SELECT " COLUMNS " FROM saved WHERE kind = ? ORDER BY name, id", kind, (struct span){NULL, 0},
                     ret);
}

int saved_by_id(struct control *c, enum saved_kind kind, struct span id, struct saved_rows *ret) {
    int code = rows_read(c, "SELECT " COLUMNS " FROM saved WHERE kind = ? AND id = ?", kind, id, ret);
    return code ? code : ret->count ? 0 : -ENOENT;
}

int saved_by_name(struct control *c, enum saved_kind kind, struct span name, struct saved_rows *ret) {
    int code =
        rows_read(c, "SELECT " COLUMNS " FROM saved WHERE kind = ? AND name = ? ORDER BY created", kind, name, ret);
    return code ? code : ret->count ? 0 : -ENOENT;
}

/* --- changes --- */

/* What two rows must not share: a shortcut's name is everybody's, other names are their owner's. */
static void slot_write(const struct saved *s, struct buf *out) {
    buf_add_u64(out, s->kind);
    buf_add_byte(out, '/');
    if (s->kind != SAVED_SHORTCUT) {
        buf_add_span(out, s->owner);
        buf_add_byte(out, '/');
        buf_add_span(out, s->kind == SAVED_SHAREABLE ? s->type : (struct span){NULL, 0});
        buf_add_byte(out, '/');
    }
    buf_add_span(out, s->name);
}

static int id_make(char ret_id[SAVED_ID_SIZE]) {
    struct hash_key random;
    int code = hash_key_random(&random);
    if (code) {
        return code;
    }
    uint8_t bytes[sizeof(random)];
    memcpy(bytes, &random, sizeof(random));
    for (size_t i = 0; i < SAVED_ID_SIZE - 1; i++) {
        ret_id[i] = "0123456789abcdef"[bytes[i / 2] >> (i % 2 * 4) & 15];
    }
    ret_id[SAVED_ID_SIZE - 1] = 0;
    return 0;
}

static int64_t count_of(struct control *c, const char *sql, enum saved_kind kind, struct span owner) {
    sqlite3_stmt *s = control_prepare(c, sql, NULL);
    if (!s) {
        return -EIO;
    }
    control_bind_u64(s, 1, kind);
    if (owner.at) {
        control_bind(s, 2, owner);
    }
    int code = control_step(s);
    int64_t count = code == 1 ? (int64_t)control_u64(s, 0) : code < 0 ? code : -EIO;
    (void)sqlite3_reset(s); /* a statement in the middle of its rows keeps the database's old state */
    return count;
}

/* Another row than `id` has the slot: -EEXIST. Lock held. */
static int slot_free(struct control *c, struct span slot, struct span id) {
    sqlite3_stmt *s = control_prepare(c, "SELECT 1 FROM saved WHERE slot = ? AND id <> ?", NULL);
    if (!s) {
        return -EIO;
    }
    control_bind(s, 1, slot);
    control_bind(s, 2, id);
    int code = control_step(s);
    (void)sqlite3_reset(s);
    return code == 1 ? -EEXIST : code;
}

static void text_bind(sqlite3_stmt *s, int index, struct span text) {
    control_bind(s, index, text.at ? text : SPAN_LITERAL("")); /* no column is NULL */
}

static int row_write(struct control *c, const char *sql, struct saved *row, struct span slot) {
    sqlite3_stmt *s = control_prepare(c, sql, NULL);
    if (!s) {
        return -EIO;
    }
    for (int i = 0; i < TEXTS; i++) {
        text_bind(s, 1 + i, *text_member(row, i));
    }
    control_bind_u64(s, TEXTS + 1, row->kind);
    control_bind(s, TEXTS + 2, slot);
    control_bind_u64(s, TEXTS + 3, (uint64_t)row->created);
    control_bind_u64(s, TEXTS + 4, (uint64_t)row->updated);
    int code = control_step(s);
    return code > 0 ? 0 : code;
}

static int insert_checked(struct control *c, struct saved *row, struct span slot) {
    int code = slot_free(c, slot, row->id);
    if (code) {
        return code;
    }
    int64_t own = count_of(c, "SELECT count(*) FROM saved WHERE kind = ? AND owner = ?", row->kind, row->owner);
    int64_t all = count_of(c, "SELECT count(*) FROM saved WHERE kind = ?", row->kind, (struct span){NULL, 0});
    if (own < 0 || all < 0) {
        return (int)MIN(own, all);
    }
    if (own >= SAVED_PER_USER || all >= SAVED_PER_KIND) {
        return -EDQUOT;
    }
    return row_write(c,
                     "INSERT INTO saved (id, name, owner, type, description, body, users, roles, edit_users,"
                     " edit_roles, kind, slot, created, updated) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                     row, slot);
}

int saved_insert(struct control *c, const struct saved *s, int64_t now, char ret_id[SAVED_ID_SIZE]) {
    struct saved row = *s;
    int code = id_make(ret_id);
    if (code) {
        return code;
    }
    row.id = span_text(ret_id);
    row.created = row.updated = now;
    _cleanup_(buf_done) struct buf slot;
    buf_init(&slot, 4096);
    slot_write(&row, &slot);
    if (slot.overflowed) {
        return -ENOMEM;
    }
    control_lock(c);
    code = insert_checked(c, &row, buf_span(&slot));
    control_unlock(c);
    return code;
}

int saved_update(struct control *c, const struct saved *s, int64_t now) {
    struct saved row = *s;
    row.updated = now;
    _cleanup_(buf_done) struct buf slot;
    buf_init(&slot, 4096);
    slot_write(&row, &slot);
    if (slot.overflowed) {
        return -ENOMEM;
    }
    control_lock(c);
    int code = slot_free(c, buf_span(&slot), row.id);
    if (code == 0) {
        code = row_write(c,
                         "UPDATE saved SET name = ?2, owner = ?3, type = ?4, description = ?5, body = ?6, users = ?7,"
                         " roles = ?8, edit_users = ?9, edit_roles = ?10, slot = ?12, created = ?13, updated = ?14"
                         " WHERE id = ?1 AND kind = ?11",
                         &row, buf_span(&slot));
    }
    control_unlock(c);
    return code;
}

int saved_delete(struct control *c, enum saved_kind kind, struct span id) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "DELETE FROM saved WHERE kind = ? AND id = ?", NULL);
    int code = -EIO;
    if (s) {
        control_bind_u64(s, 1, kind);
        control_bind(s, 2, id);
        code = control_step(s);
    }
    control_unlock(c);
    return code > 0 ? 0 : code;
}

/* --- lists of users and roles --- */

static bool line_next(struct span *rest, struct span *ret_line) {
    if (rest->len == 0) {
        return false;
    }
    size_t end = span_find_byte(*rest, 0, '\n');
    *ret_line = span_sub(*rest, 0, end);
    *rest = end == SPAN_NONE ? (struct span){NULL, 0} : span_from(*rest, end + 1);
    return true;
}

bool lines_have(struct span lines, struct span name) {
    struct span line;
    while (line_next(&lines, &line)) {
        if (line.len && span_equal(line, name)) {
            return true;
        }
    }
    return false;
}

void lines_write(struct json *j, struct span lines) {
    struct span line;
    json_open(j, '[');
    while (line_next(&lines, &line)) {
        json_text(j, line);
    }
    json_close(j, ']');
}

void lines_write_joined(struct json *j, struct span lines) {
    _cleanup_(buf_done) struct buf joined;
    buf_init(&joined, SAVED_LIST_MAX * (SAVED_LIST_NAME_MAX + 2));
    struct span line;
    while (line_next(&lines, &line)) {
        if (joined.len) {
            buf_add_byte(&joined, ',');
        }
        buf_add_span(&joined, line);
    }
    json_text(j, buf_span(&joined));
}

/* --- rights --- */

static bool has_some_role(const struct principal *who, struct span roles) {
    for (const char *const *role = who->roles; role && *role; role++) {
        if (lines_have(roles, span_text(*role))) {
            return true;
        }
    }
    return false;
}

bool saved_may_edit(const struct saved *s, const struct principal *who) {
    return (who->rights & RIGHT_ADMIN) || span_is(s->owner, who->id) || lines_have(s->edit_users, span_text(who->id)) ||
           has_some_role(who, s->edit_roles);
}

bool saved_may_use(const struct saved *s, const struct principal *who) {
    return span_is(s->owner, who->id) || lines_have(s->users, span_text(who->id)) || has_some_role(who, s->roles) ||
           lines_have(s->edit_users, span_text(who->id)) || has_some_role(who, s->edit_roles);
}
