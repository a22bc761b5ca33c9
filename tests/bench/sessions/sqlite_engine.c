/*
 * SQLite: one wide table; the lists that questions ask for are tables of their own, with indexes on what is looked up.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql.h"

#define ROWS_PER_COMMIT 100000u

static const enum column_id list_tables[] = {COLUMN_PROTOCOL,   COLUMN_TAGS,    COLUMN_HTTP_HOST,
                                             COLUMN_HTTP_AGENT, COLUMN_TLS_JA3, COLUMN_DNS_HOST};
#define LIST_TABLES (sizeof(list_tables) / sizeof(list_tables[0]))

struct lite {
    sqlite3 *db;
    uint64_t rows;
};

static int run(void *db, const char *text, void (*each)(void *ctx, int count, const char *const *texts), void *ctx) {
    sqlite3_stmt *s = NULL;
    int code = sqlite3_prepare_v2(db, text, -1, &s, NULL);
    while (code == SQLITE_OK && (code = sqlite3_step(s)) == SQLITE_ROW) {
        const char *texts[COLUMN_COUNT + 8];
        int count = sqlite3_column_count(s);
        for (int i = 0; i < count; i++) {
            texts[i] = (const char *)sqlite3_column_text(s, i);
        }
        if (each) {
            each(ctx, count, texts);
        }
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(s);
    if (code != SQLITE_DONE) {
        (void)fprintf(stderr, "sqlite: %s\n  in %.300s\n", sqlite3_errmsg(db), text);
        return -1;
    }
    return 0;
}

static int create_tables(sqlite3 *db) {
    char text[SQL_MAX], *at = text, *end = text + sizeof(text);
    at += snprintf(at, (size_t)(end - at), "CREATE TABLE sessions (seq INTEGER PRIMARY KEY");
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        at += snprintf(at, (size_t)(end - at), ", \"%s\"", column_defs[i].path);
    }
    (void)snprintf(at, (size_t)(end - at), ", rare)");
    int code = run(db, text, NULL, NULL);
    for (size_t i = 0; i < LIST_TABLES && code == 0; i++) {
        (void)snprintf(text, sizeof(text), "CREATE TABLE \"v:%s\" (seq INTEGER, value)",
                       column_defs[list_tables[i]].path);
        code = run(db, text, NULL, NULL);
    }
    return code;
}

static int create_indexes(sqlite3 *db) {
    char text[1000];
    int code = run(db, "CREATE INDEX by_last ON sessions (\"lastPacket\")", NULL, NULL);
    code = code < 0 ? code
                    : run(db, "CREATE INDEX by_source ON sessions (\"source.ip\", \"destination.port\")", NULL, NULL);
    for (size_t i = 0; i < LIST_TABLES && code == 0; i++) {
        const char *path = column_defs[list_tables[i]].path;
        (void)snprintf(text, sizeof(text), "CREATE INDEX \"i:%s\" ON \"v:%s\" (seq, value)", path, path);
        code = run(db, text, NULL, NULL);
    }
    return code;
}

static void bind_datum(sqlite3_stmt *s, int at, enum kind kind, const struct datum *v) {
    if (kind == KIND_NUMBER || kind == KIND_TIME) {
        (void)sqlite3_bind_int64(s, at, (sqlite3_int64)v->number);
    } else if (kind == KIND_TEXT) {
        (void)sqlite3_bind_text(s, at, v->text, (int)v->len, SQLITE_STATIC);
    } else {
        (void)sqlite3_bind_blob(s, at, v->bytes, kind == KIND_IP ? 16 : 6, SQLITE_STATIC);
    }
}

/* A list as text, its values with commas between. */
static size_t join(char *to, size_t size, enum kind kind, const struct datum *v, uint16_t count) {
    size_t used = 0;
    for (uint16_t i = 0; i < count && used < size; i++) {
        if (kind == KIND_TEXT) {
            used += (size_t)snprintf(to + used, size - used, "%s%s", i ? "," : "", v[i].text);
        } else if (kind == KIND_NUMBER || kind == KIND_TIME) {
            used += (size_t)snprintf(to + used, size - used, "%s%llu", i ? "," : "", (unsigned long long)v[i].number);
        } else {
            for (unsigned b = 0; b < (kind == KIND_IP ? 16u : 6u) && used < size; b++) {
                used += (size_t)snprintf(to + used, size - used, "%s%02x", i && !b ? "," : "", v[i].bytes[b]);
            }
        }
    }
    return used < size ? used : size - 1;
}

static int step(sqlite3_stmt *s) {
    int code = sqlite3_step(s);
    (void)sqlite3_reset(s);
    return code == SQLITE_DONE ? 0 : -1;
}

struct inserting {
    sqlite3_stmt *row, *lists[LIST_TABLES];
    char text[65536];
};

static int insert(struct inserting *in, const struct row *row) {
    size_t used = 0;
    (void)sqlite3_clear_bindings(in->row);
    (void)sqlite3_bind_int64(in->row, 1, (sqlite3_int64)row->index);
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        uint16_t count;
        const struct datum *v = row_values(row, (enum column_id)i, &count);
        if (count && !column_defs[i].list) {
            bind_datum(in->row, (int)i + 2, column_defs[i].kind, v);
        } else if (count) {
            size_t length = join(in->text + used, sizeof(in->text) - used, column_defs[i].kind, v, count);
            (void)sqlite3_bind_text(in->row, (int)i + 2, in->text + used, (int)length, SQLITE_STATIC);
            used += length + 1;
        }
    }
    for (uint16_t i = 0; i < row->rare_count; i++) {
        (void)sqlite3_bind_text(in->row, COLUMN_COUNT + 2, row->rare[i].value, -1, SQLITE_STATIC);
    }
    int code = step(in->row);
    for (size_t i = 0; i < LIST_TABLES && code == 0; i++) {
        uint16_t count;
        const struct datum *v = row_values(row, list_tables[i], &count);
        for (uint16_t k = 0; k < count && code == 0; k++) {
            (void)sqlite3_bind_int64(in->lists[i], 1, (sqlite3_int64)row->index);
            bind_datum(in->lists[i], 2, column_defs[list_tables[i]].kind, &v[k]);
            code = step(in->lists[i]);
        }
    }
    return code;
}

static int prepare(sqlite3 *db, struct inserting *in) {
    char text[SQL_MAX], *at = text, *end = text + sizeof(text);
    at += snprintf(at, (size_t)(end - at), "INSERT INTO sessions VALUES (?");
    for (size_t i = 0; i < COLUMN_COUNT + 1; i++) {
        at += snprintf(at, (size_t)(end - at), ",?");
    }
    (void)snprintf(at, (size_t)(end - at), ")");
    int code = sqlite3_prepare_v2(db, text, -1, &in->row, NULL);
    for (size_t i = 0; i < LIST_TABLES && code == SQLITE_OK; i++) {
        (void)snprintf(text, sizeof(text), "INSERT INTO \"v:%s\" VALUES (?,?)", column_defs[list_tables[i]].path);
        code = sqlite3_prepare_v2(db, text, -1, &in->lists[i], NULL);
    }
    return code == SQLITE_OK ? 0 : -1;
}

static int fill(sqlite3 *db, const struct world *w, uint64_t rows) {
    struct inserting *in = calloc(1, sizeof(*in));
    struct row *row = malloc(sizeof(*row));
    int code = in && row ? prepare(db, in) : -1;
    code = code < 0 ? code : run(db, "BEGIN", NULL, NULL);
    for (uint64_t i = 0; i < rows && code == 0; i++) {
        world_row(w, i, row);
        code = insert(in, row);
        if (code == 0 && (i + 1) % ROWS_PER_COMMIT == 0) {
            code = run(db, "COMMIT", NULL, NULL);
            code = code < 0 ? code : run(db, "BEGIN", NULL, NULL);
        }
    }
    code = code < 0 ? code : run(db, "COMMIT", NULL, NULL);
    if (in) {
        (void)sqlite3_finalize(in->row);
        for (size_t i = 0; i < LIST_TABLES; i++) {
            (void)sqlite3_finalize(in->lists[i]);
        }
    }
    free(in);
    free(row);
    return code;
}

static sqlite3 *open_file(const char *path) {
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK || run(db, "PRAGMA journal_mode=WAL", NULL, NULL) < 0 ||
        run(db, "PRAGMA synchronous=NORMAL", NULL, NULL) < 0 || run(db, "PRAGMA cache_size=-262144", NULL, NULL) < 0) {
        (void)sqlite3_close(db);
        return NULL;
    }
    return db;
}

static int load(const char *path, const struct world *w, uint64_t rows) {
    sqlite3 *db = open_file(path);
    int code = db ? create_tables(db) : -1;
    code = code < 0 ? code : fill(db, w, rows);
    code = code < 0 ? code : create_indexes(db);
    (void)sqlite3_close(db);
    return code;
}

static int open_engine(const char *path, uint64_t rows, void **ret) {
    struct lite *l = calloc(1, sizeof(*l));
    if (l) {
        l->db = open_file(path);
        l->rows = rows;
    }
    *ret = l;
    return l && l->db ? 0 : -1;
}

static int ask(void *engine, enum question q, FILE *answer) {
    struct lite *l = engine;
    struct sql sql = {l->db, run, false};
    return sql_ask(&sql, l->rows, q, answer);
}

static void close_engine(void *engine) {
    struct lite *l = engine;
    (void)sqlite3_close(l->db);
    free(l);
}

const struct engine sqlite_engine = {"sqlite", load, open_engine, ask, NULL, close_engine};
