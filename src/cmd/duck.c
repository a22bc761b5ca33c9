/* duck.c: see duck.h. The few functions of DuckDB's C interface (duckdb.h, stable since 1.0) that one statement needs.
 */
#include "cmd/duck.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* duckdb_result is a structure of six words that only the library looks into; there is room for more. */
struct result {
    void *words[32];
};

struct duck {
    void *handle;
    int (*open)(const char *path, void **ret_database);
    int (*connect)(void *database, void **ret_connection);
    int (*query)(void *connection, const char *sql, struct result *ret_result);
    const char *(*result_error)(struct result *r);
    void (*destroy_result)(struct result *r);
    void (*disconnect)(void **connection);
    void (*close)(void **database);
};

static void duck_done(struct duck *d) {
    if (d->handle) {
        (void)dlclose(d->handle);
    }
}

static int duck_load(struct duck *d, const char *library, struct err *e) {
    library = library ? library : getenv("SEINE_DUCKDB");
    library = library && *library ? library : "libduckdb.so";
    d->handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!d->handle) {
        err_set(e, -ENOENT, "DuckDB's library, which writes Parquet, can not be loaded: %s", dlerror());
        err_hint(e, "npm install @duckdb/node-bindings brings libduckdb.so; name its path in SEINE_DUCKDB");
        return -ENOENT;
    }
    const struct {
        const char *name;
        void *to;
    } functions[] = {
        {"duckdb_open", &d->open},
        {"duckdb_connect", &d->connect},
        {"duckdb_query", &d->query},
        {"duckdb_result_error", &d->result_error},
        {"duckdb_destroy_result", &d->destroy_result},
        {"duckdb_disconnect", &d->disconnect},
        {"duckdb_close", &d->close},
    };
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        void *address = dlsym(d->handle, functions[i].name);
        if (!address) {
            return err_set(e, -ENOENT, "%s: is no library of DuckDB: it has no %s", library, functions[i].name);
        }
        memcpy(functions[i].to, &address, sizeof(address)); /* C has no conversion from data to functions */
    }
    return 0;
}

int duck_run(const char *library, const char *sql, struct err *ret_err) {
    _cleanup_(duck_done) struct duck d = {0};
    void *database = NULL, *connection = NULL;
    int code = duck_load(&d, library, ret_err);
    if (code < 0) {
        return code;
    }
    if (d.open(NULL, &database) != 0 || d.connect(database, &connection) != 0) {
        code = err_set(ret_err, -ENOMEM, "DuckDB does not start");
    } else {
        struct result result = {0};
        if (d.query(connection, sql, &result) != 0) {
            const char *text = d.result_error(&result);
            code = err_set(ret_err, -EINVAL, "DuckDB: %s", text ? text : "failed without saying why");
        }
        d.destroy_result(&result);
        d.disconnect(&connection);
    }
    d.close(&database);
    return code;
}
