/*
 * DuckDB, loaded when asked for (SEINE_DUCKDB names libduckdb.so): what its C API needs is declared here. Rows go in by
 * chunks of an appender, as fast as it can take them.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql.h"

#define CHUNK 2048u
#define ROWS_PER_FLUSH 122880u

typedef struct {
    uint64_t fields[5];
    void *internal;
} duck_result;

enum { DUCK_UBIGINT = 9, DUCK_VARCHAR = 17, DUCK_BLOB = 18 };

struct duck_list {
    uint64_t offset, length;
};

/* Names of members are those of the library's functions without "duckdb_". */
struct duck {
    void *library, *db, *connection;
    uint64_t rows;
    int (*open)(const char *path, void **db);
    void (*close)(void **db);
    int (*connect)(void *db, void **connection);
    void (*disconnect)(void **connection);
    int (*query)(void *connection, const char *text, duck_result *result);
    void (*destroy_result)(duck_result *result);
    const char *(*result_error)(duck_result *result);
    uint64_t (*row_count)(duck_result *result);
    uint64_t (*column_count)(duck_result *result);
    char *(*value_varchar)(duck_result *result, uint64_t column, uint64_t row);
    void (*free)(void *at);
    int (*appender_create)(void *connection, const char *schema, const char *table, void **result);
    int (*appender_flush)(void *appender);
    int (*appender_destroy)(void **appender);
    int (*append_data_chunk)(void *appender, void *chunk);
    void *(*create_logical_type)(int type);
    void *(*create_list_type)(void *type);
    void (*destroy_logical_type)(void **type);
    void *(*create_data_chunk)(void **types, uint64_t count);
    void (*destroy_data_chunk)(void **chunk);
    void (*data_chunk_reset)(void *chunk);
    void (*data_chunk_set_size)(void *chunk, uint64_t size);
    void *(*data_chunk_get_vector)(void *chunk, uint64_t column);
    void *(*vector_get_data)(void *vector);
    void (*vector_ensure_validity_writable)(void *vector);
    uint64_t *(*vector_get_validity)(void *vector);
    void (*vector_assign_string_element_len)(void *vector, uint64_t at, const char *text, uint64_t len);
    void *(*list_vector_get_child)(void *vector);
    int (*list_vector_reserve)(void *vector, uint64_t size);
    int (*list_vector_set_size)(void *vector, uint64_t size);
};

static const struct {
    const char *name;
    size_t at;
} functions[] = {
    {"duckdb_open", offsetof(struct duck, open)},
    {"duckdb_close", offsetof(struct duck, close)},
    {"duckdb_connect", offsetof(struct duck, connect)},
    {"duckdb_disconnect", offsetof(struct duck, disconnect)},
    {"duckdb_query", offsetof(struct duck, query)},
    {"duckdb_destroy_result", offsetof(struct duck, destroy_result)},
    {"duckdb_result_error", offsetof(struct duck, result_error)},
    {"duckdb_row_count", offsetof(struct duck, row_count)},
    {"duckdb_column_count", offsetof(struct duck, column_count)},
    {"duckdb_value_varchar", offsetof(struct duck, value_varchar)},
    {"duckdb_free", offsetof(struct duck, free)},
    {"duckdb_appender_create", offsetof(struct duck, appender_create)},
    {"duckdb_appender_flush", offsetof(struct duck, appender_flush)},
    {"duckdb_appender_destroy", offsetof(struct duck, appender_destroy)},
    {"duckdb_append_data_chunk", offsetof(struct duck, append_data_chunk)},
    {"duckdb_create_logical_type", offsetof(struct duck, create_logical_type)},
    {"duckdb_create_list_type", offsetof(struct duck, create_list_type)},
    {"duckdb_destroy_logical_type", offsetof(struct duck, destroy_logical_type)},
    {"duckdb_create_data_chunk", offsetof(struct duck, create_data_chunk)},
    {"duckdb_destroy_data_chunk", offsetof(struct duck, destroy_data_chunk)},
    {"duckdb_data_chunk_reset", offsetof(struct duck, data_chunk_reset)},
    {"duckdb_data_chunk_set_size", offsetof(struct duck, data_chunk_set_size)},
    {"duckdb_data_chunk_get_vector", offsetof(struct duck, data_chunk_get_vector)},
    {"duckdb_vector_get_data", offsetof(struct duck, vector_get_data)},
    {"duckdb_vector_ensure_validity_writable", offsetof(struct duck, vector_ensure_validity_writable)},
    {"duckdb_vector_get_validity", offsetof(struct duck, vector_get_validity)},
    {"duckdb_vector_assign_string_element_len", offsetof(struct duck, vector_assign_string_element_len)},
    {"duckdb_list_vector_get_child", offsetof(struct duck, list_vector_get_child)},
    {"duckdb_list_vector_reserve", offsetof(struct duck, list_vector_reserve)},
    {"duckdb_list_vector_set_size", offsetof(struct duck, list_vector_set_size)},
};

static void duck_close(struct duck *d) {
    if (d) {
        if (d->connection) {
            d->disconnect(&d->connection);
        }
        if (d->db) {
            d->close(&d->db);
        }
        free(d); /* the library stays: its threads end when they like */
    }
}

static int run(void *db, const char *text, void (*each)(void *ctx, int count, const char *const *texts), void *ctx) {
    struct duck *d = db;
    duck_result result;
    memset(&result, 0, sizeof(result));
    if (d->query(d->connection, text, &result) != 0) {
        (void)fprintf(stderr, "duckdb: %s\n  in %.300s\n", d->result_error(&result), text);
        d->destroy_result(&result);
        return -1;
    }
    uint64_t rows = each ? d->row_count(&result) : 0, columns = d->column_count(&result);
    for (uint64_t r = 0; r < rows; r++) {
        const char *texts[COLUMN_COUNT + 8];
        for (uint64_t c = 0; c < columns; c++) {
            texts[c] = d->value_varchar(&result, c, r);
        }
        each(ctx, (int)columns, texts);
        for (uint64_t c = 0; c < columns; c++) {
            d->free((void *)texts[c]);
        }
    }
    d->destroy_result(&result);
    return 0;
}

static struct duck *duck_open(const char *path) {
    const char *library = getenv("SEINE_DUCKDB");
    struct duck *d = calloc(1, sizeof(*d));
    if (!d || !library || !(d->library = dlopen(library, RTLD_NOW | RTLD_LOCAL))) {
        (void)fprintf(stderr, "duckdb: SEINE_DUCKDB names no libduckdb.so: %s\n", library ? dlerror() : "not set");
        free(d);
        return NULL;
    }
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        void *function = dlsym(d->library, functions[i].name);
        memcpy((char *)d + functions[i].at, &function, sizeof(function));
        if (!function) {
            (void)fprintf(stderr, "duckdb: %s has no %s\n", library, functions[i].name);
            free(d);
            return NULL;
        }
    }
    if (d->open(path, &d->db) != 0 || d->connect(d->db, &d->connection) != 0) {
        (void)fprintf(stderr, "duckdb: %s cannot be opened\n", path);
        duck_close(d);
        return NULL;
    }
    const char *threads = getenv("BENCH_THREADS");
    char text[100];
    (void)snprintf(text, sizeof(text), "SET threads = %s", threads ? threads : "1");
    if (run(d, text, NULL, NULL) < 0) {
        duck_close(d);
        return NULL;
    }
    return d;
}

/* --- loading --- */

static int type_of(enum kind kind) {
    return kind == KIND_NUMBER || kind == KIND_TIME ? DUCK_UBIGINT : kind == KIND_TEXT ? DUCK_VARCHAR : DUCK_BLOB;
}

static int create_table(struct duck *d) {
    static const char *const names[] = {[DUCK_UBIGINT] = "UBIGINT", [DUCK_VARCHAR] = "VARCHAR", [DUCK_BLOB] = "BLOB"};
    char text[SQL_MAX], *at = text, *end = text + sizeof(text);
    at += snprintf(at, (size_t)(end - at), "CREATE TABLE sessions (seq UBIGINT");
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        at += snprintf(at, (size_t)(end - at), ", \"%s\" %s%s", column_defs[i].path,
                       names[type_of(column_defs[i].kind)], column_defs[i].list ? "[]" : "");
    }
    (void)snprintf(at, (size_t)(end - at), ", rare VARCHAR)");
    return run(d, text, NULL, NULL);
}

struct chunk {
    struct duck *d;
    void *chunk, *appender;
    void *vectors[COLUMN_COUNT + 2], *data[COLUMN_COUNT + 2], *child[COLUMN_COUNT + 2];
    uint64_t *validity[COLUMN_COUNT + 2];
    uint64_t list_size[COLUMN_COUNT + 2], list_room[COLUMN_COUNT + 2];
    uint64_t rows;
};

static void chunk_begin(struct chunk *c) {
    struct duck *d = c->d;
    d->data_chunk_reset(c->chunk);
    for (size_t i = 0; i < COLUMN_COUNT + 2; i++) {
        c->vectors[i] = d->data_chunk_get_vector(c->chunk, i);
        c->data[i] = d->vector_get_data(c->vectors[i]);
        d->vector_ensure_validity_writable(c->vectors[i]);
        c->validity[i] = d->vector_get_validity(c->vectors[i]);
        c->list_size[i] = c->list_room[i] = 0; /* a reset takes the room away */
        c->child[i] =
            i && i <= COLUMN_COUNT && column_defs[i - 1].list ? d->list_vector_get_child(c->vectors[i]) : NULL;
    }
    c->rows = 0;
}

static int chunk_end(struct chunk *c) {
    for (size_t i = 0; i < COLUMN_COUNT + 2; i++) {
        if (c->child[i]) {
            (void)c->d->list_vector_set_size(c->vectors[i], c->list_size[i]);
        }
    }
    c->d->data_chunk_set_size(c->chunk, c->rows);
    return c->d->append_data_chunk(c->appender, c->chunk);
}

static void put_datum(struct duck *d, void *vector, uint64_t at, enum kind kind, const struct datum *v) {
    if (kind == KIND_NUMBER || kind == KIND_TIME) {
        ((uint64_t *)d->vector_get_data(vector))[at] = v->number;
    } else if (kind == KIND_TEXT) {
        d->vector_assign_string_element_len(vector, at, v->text, v->len);
    } else {
        d->vector_assign_string_element_len(vector, at, (const char *)v->bytes, kind == KIND_IP ? 16 : 6);
    }
}

static void set_missing(uint64_t *validity, uint64_t row) {
    validity[row / 64] &= ~((uint64_t)1 << (row % 64));
}

static void put_list(struct chunk *c, size_t i, const struct datum *values, uint16_t count) {
    struct duck *d = c->d;
    uint64_t need = c->list_size[i] + count;
    if (need > c->list_room[i]) {
        c->list_room[i] = need * 2 + CHUNK;
        (void)d->list_vector_reserve(c->vectors[i], c->list_room[i]);
        c->child[i] = d->list_vector_get_child(c->vectors[i]);
    }
    ((struct duck_list *)c->data[i])[c->rows] = (struct duck_list){c->list_size[i], count};
    for (uint16_t k = 0; k < count; k++) {
        put_datum(d, c->child[i], c->list_size[i] + k, column_defs[i - 1].kind, &values[k]);
    }
    c->list_size[i] = need;
}

static void chunk_row(struct chunk *c, const struct row *row) {
    ((uint64_t *)c->data[0])[c->rows] = row->index;
    for (size_t i = 1; i <= COLUMN_COUNT; i++) {
        uint16_t count;
        const struct datum *values = row_values(row, (enum column_id)(i - 1), &count);
        if (count == 0) {
            set_missing(c->validity[i], c->rows);
            if (c->child[i]) {
                ((struct duck_list *)c->data[i])[c->rows] = (struct duck_list){c->list_size[i], 0};
            }
        } else if (c->child[i]) {
            put_list(c, i, values, count);
        } else {
            put_datum(c->d, c->vectors[i], c->rows, column_defs[i - 1].kind, values);
        }
    }
    char text[1000] = "";
    size_t used = 0;
    for (uint16_t i = 0; i < row->rare_count; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\"key%03u\":\"%s\"", i ? "," : "{",
                                 row->rare[i].key, row->rare[i].value);
    }
    if (used) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "}");
        c->d->vector_assign_string_element_len(c->vectors[COLUMN_COUNT + 1], c->rows, text, used);
    } else {
        set_missing(c->validity[COLUMN_COUNT + 1], c->rows);
    }
    c->rows++;
}

static int fill(struct chunk *c, const struct world *w, uint64_t rows) {
    struct row *row = malloc(sizeof(*row));
    int code = row ? 0 : -1;
    chunk_begin(c);
    for (uint64_t i = 0; i < rows && code == 0; i++) {
        world_row(w, i, row);
        chunk_row(c, row);
        if (c->rows == CHUNK || i + 1 == rows) {
            code = chunk_end(c);
            chunk_begin(c);
        }
        if (code == 0 && (i + 1) % ROWS_PER_FLUSH == 0) {
            code = c->d->appender_flush(c->appender);
        }
    }
    free(row);
    return code ? -1 : 0;
}

static int load(const char *path, const struct world *w, uint64_t rows) {
    void *types[COLUMN_COUNT + 2];
    struct chunk *c = calloc(1, sizeof(*c));
    struct duck *d = c ? duck_open(path) : NULL;
    if (!d || create_table(d) < 0) {
        duck_close(d);
        free(c);
        return -1;
    }
    c->d = d;
    for (size_t i = 0; i < COLUMN_COUNT + 2; i++) {
        bool is_column = i && i <= COLUMN_COUNT;
        void *type = d->create_logical_type(!i          ? DUCK_UBIGINT
                                            : is_column ? type_of(column_defs[i - 1].kind)
                                                        : DUCK_VARCHAR);
        types[i] = is_column && column_defs[i - 1].list ? d->create_list_type(type) : type;
    }
    c->chunk = d->create_data_chunk(types, COLUMN_COUNT + 2);
    int code = d->appender_create(d->connection, NULL, "sessions", &c->appender) == 0 ? fill(c, w, rows) : -1;
    if (c->appender && d->appender_destroy(&c->appender) != 0) {
        code = -1;
    }
    d->destroy_data_chunk(&c->chunk);
    code = code < 0 ? code : run(d, "CHECKPOINT", NULL, NULL);
    duck_close(d);
    free(c);
    return code;
}

static int open_engine(const char *path, uint64_t rows, void **ret) {
    struct duck *d = duck_open(path);
    if (d) {
        d->rows = rows;
    }
    *ret = d;
    return d ? 0 : -1;
}

static int ask(void *engine, enum question q, FILE *answer) {
    struct sql sql = {engine, run, true};
    int code = sql_ask(&sql, ((struct duck *)engine)->rows, q, answer);
    return code == 0 && (q == TAG || q == DROP) ? run(engine, "CHECKPOINT", NULL, NULL) : code;
}

static void close_engine(void *engine) {
    duck_close(engine);
}

const struct engine duckdb_engine = {"duckdb", load, open_engine, ask, NULL, close_engine};
