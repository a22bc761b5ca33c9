/* store_export.c: see store_export.h. Sessions are read one after the other, so that memory does not grow with the
 * store.
 *
 * Parquet is made by DuckDB out of JSON Lines, which wait in a file without a name beside the one to be made. A file is
 * made under another name and renamed when it is whole.
 */
#include "cmd/store_export.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/duck.h"
#include "cmd/load.h"
#include "cmd/out_file.h"
#include "cmd/output.h"
#include "cmd/parquet.h"
#include "cmd/registry_make.h"
#include "cmd/stop.h"

#define SQL_CEILING ((size_t)4 << 20)

struct exporting {
    const struct store_export *choices;
    struct store *store;
    struct snapshot *snapshot;
    struct document_plan *plan;
    struct restorer *restorer;
    struct output *output;
    struct stop stop;
    char *part; /* the file until it is whole */
    int rows;   /* descriptor that rows go to; -1 = standard output as it is */
};

static int export_failed(const struct exporting *x, const char *what, int code) {
    say("%s: %s: %s", x->choices->out ? x->choices->out : "standard output", what, strerror(-code));
    return code == -ENOSPC || code == -EDQUOT ? EXIT_FULL : EXIT_PARTIAL;
}

/* --- rows --- */

static bool asked_to_stop(struct exporting *x) {
    bool ignored;
    return stop_wanted(&x->stop, &ignored);
}

static int rows_write(struct exporting *x) {
    for (size_t p = 0; p < snapshot_parts(x->snapshot); p++) {
        uint32_t rows = part_info(snapshot_part(x->snapshot, p))->rows;
        const struct patch *patch = snapshot_patch(x->snapshot, p);
        for (uint32_t row = 0; row < rows && !output_over(x->output); row++) {
            const struct record *r;
            if (patch && patch_row_gone(patch, row)) {
                continue;
            }
            int code = restorer_read(x->restorer, p, row, &r);
            if (code < 0) {
                say("%s: %s: row %u can not be read: %s; `seine store fsck` says where it is damaged",
                    x->choices->store, part_info(snapshot_part(x->snapshot, p))->name, row, strerror(-code));
                return EXIT_PARTIAL;
            }
            output_record(x->output, 0, r);
            if (row % 1024 == 0 && asked_to_stop(x)) {
                return x->stop.signal == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED;
            }
        }
    }
    return EXIT_DONE;
}

/* What writes sessions writes them to standard output: for the time being that is the file. */
static int rows_redirected(struct exporting *x) {
    int before = -1;
    if (x->rows >= 0) {
        before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        if (before < 0 || dup2(x->rows, STDOUT_FILENO) < 0) {
            return export_failed(x, "cannot be written", -errno);
        }
    }
    struct output_options options = {
        .format = x->choices->format == STORE_EXPORT_CSV ? OUTPUT_CSV : OUTPUT_JSON,
        .registry = snapshot_registry(x->snapshot),
        .plan = x->plan,
        .fields = x->choices->fields,
        .to = x->choices->out,
    };
    int code = output_new(&options, &x->output);
    code = code ? code : rows_write(x);
    int ended = x->output ? output_end(x->output) : EXIT_DONE;
    if (before >= 0) {
        (void)dup2(before, STDOUT_FILENO);
        (void)close(before);
    }
    return code ? code : ended;
}

/* --- files --- */

/* A device or a pipe is written to, not replaced. */
static bool is_special(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

static int part_open(struct exporting *x) {
    if (is_special(x->choices->out)) {
        x->rows = open(x->choices->out, O_WRONLY | O_CLOEXEC);
        return x->rows < 0 ? export_failed(x, "cannot be opened", -errno) : EXIT_DONE;
    }
    if (asprintf(&x->part, "%s.part", x->choices->out) < 0) {
        x->part = NULL;
        return EXIT_INTERNAL;
    }
    x->rows = open(x->part, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    return x->rows < 0 ? export_failed(x, "cannot be made", -errno) : EXIT_DONE;
}

static int part_finish(struct exporting *x) {
    if (!x->part) {
        return EXIT_DONE;
    }
    if ((x->rows >= 0 && fsync(x->rows) < 0) || rename(x->part, x->choices->out) < 0) {
        return export_failed(x, "cannot be finished", -errno);
    }
    free(TAKE(x->part));
    return EXIT_DONE;
}

/* A file without a name in the folder of the one to be made. */
static int waiting_open(struct exporting *x) {
    char *copy = strdup(x->choices->out);
    x->rows = copy ? open(dirname(copy), O_RDWR | O_TMPFILE | O_CLOEXEC, 0600) : -1;
    int code = -errno;
    free(copy);
    return x->rows < 0 ? export_failed(x, "no room to work beside it", code) : EXIT_DONE;
}

static int parquet_make(struct exporting *x) {
    char rows[64];
    struct err e = {0};
    _cleanup_(buf_done) struct buf sql;
    buf_init(&sql, SQL_CEILING);
    (void)snprintf(rows, sizeof(rows), "/proc/%d/fd/%d", (int)getpid(), x->rows);
    if (asprintf(&x->part, "%s.part", x->choices->out) < 0) {
        x->part = NULL;
        return EXIT_INTERNAL;
    }
    parquet_sql(x->snapshot, rows, x->part, &sql);
    if (sql.overflowed) {
        say("the columns of the store do not fit into a statement");
        return EXIT_INTERNAL;
    }
    int code = duck_run(NULL, (const char *)sql.data, &e);
    if (code < 0) {
        say_err(x->choices->out, &e);
        return code == -ENOENT ? EXIT_USAGE : EXIT_PARTIAL;
    }
    (void)close(x->rows);
    x->rows = -1;
    return part_finish(x);
}

/* --- all of it --- */

static int store_read(struct exporting *x) {
    struct err e = {0};
    int code = store_open(x->choices->store, registry_make, NULL, 0, &x->store, &e);
    if (code < 0) {
        return store_failed(x->choices->store, code, &e);
    }
    x->snapshot = store_snapshot(x->store);
    x->plan = document_plan_new(snapshot_registry(x->snapshot));
    code = x->plan ? restorer_new(x->snapshot, NULL, 0, false, &x->restorer) : -ENOMEM;
    return code < 0 ? store_failed(x->choices->store, code, &e) : EXIT_DONE;
}

static int export_all(struct exporting *x) {
    bool parquet = x->choices->format == STORE_EXPORT_PARQUET;
    int code = stop_init(&x->stop) < 0 ? EXIT_INTERNAL : store_read(x);
    if (code == EXIT_DONE && x->choices->out) {
        code = parquet ? waiting_open(x) : part_open(x);
    }
    code = code ? code : rows_redirected(x);
    if (code == EXIT_DONE && x->choices->out) {
        code = parquet ? parquet_make(x) : part_finish(x);
    }
    return code;
}

int store_export_run(const struct store_export *e) {
    struct exporting x = {.choices = e, .rows = -1, .stop = {.fd = -1}};
    if (e->format == STORE_EXPORT_PARQUET && (!e->out || is_special(e->out))) {
        return usage_error(&command_store, "export: Parquet needs a file: -w FILE");
    }
    int code = out_file_check(e->out, e->store, NULL);
    code = code == EXIT_DONE ? export_all(&x) : code;
    if (x.part) {
        (void)unlink(x.part);
        free(x.part);
    }
    if (x.rows >= 0) {
        (void)close(x.rows);
    }
    output_free(x.output);
    restorer_free(x.restorer);
    document_plan_free(x.plan);
    code = x.snapshot ? store_end(x.store, code) : code;
    snapshot_unref(x.snapshot);
    store_close(x.store);
    stop_done(&x.stop);
    return code;
}
