/* writer_open.c: opening a store for writing, with all that a crash may have left to be done, and closing it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/util.h"
#include "store/control_tables.h"
#include "store/writing.h"

#define DEFAULT_FLUSH_MS 200u
#define DEFAULT_SEAL_SECONDS 60u
#define CLOSE_TRIES 3u /* of writing what is left: one failure of the disk is no failure to close */
#define MERGE_CACHE ((size_t)32 << 20)

static int make_folder(const char *path, struct err *ret_err) {
    if (mkdir(path, 0750) == 0 || errno == EEXIST) {
        return 0;
    }
    int r = -errno;
    return err_set(ret_err, r, "%s: cannot be made: %s", path, strerror(-r));
}

static int make_folders(struct store_writer *w, bool create, struct err *ret_err) {
    char path[FILE_PATH_MAX];
    struct stat st;
    if (!create && stat(w->folder, &st) != 0) {
        return store_missing(w->folder, -ENOENT, ret_err);
    }
    int r = create ? make_folder(w->folder, ret_err) : 0;
    static const char *const inner[] = {"seg", "ppos"};
    for (size_t i = 0; i < ARRAY_LEN(inner) && r == 0; i++) {
        r = file_path(w->folder, inner[i], path);
        r = r ? r : make_folder(path, ret_err);
    }
    return r;
}

static int take_lock(struct store_writer *w, struct err *ret_err) {
    char path[FILE_PATH_MAX], text[32] = "";
    int r = file_path(w->folder, "LOCK", path);
    w->lock_fd = r ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (w->lock_fd < 0) {
        r = r ? r : -errno;
        return err_set(ret_err, r, "%s: cannot be opened: %s", path, strerror(-r));
    }
    if (flock(w->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        r = -errno;
        ssize_t n = file_read_at(w->lock_fd, text, sizeof(text) - 1, 0);
        text[n > 0 ? strcspn(text, "\n") : 0] = 0;
        err_set(ret_err, r, "%s: another process writes into this store", w->folder);
        err_hint(ret_err, "process %s; stop it, or give another folder", text[0] ? text : "unknown");
        return r;
    }
    int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    if (ftruncate(w->lock_fd, 0) != 0 || pwrite(w->lock_fd, text, (size_t)len, 0) != len) {
        text[0] = 0; /* only the hint for others is poorer */
    }
    return 0;
}

static int new_manifest(struct store_writer *w, struct err *ret_err) {
    uint8_t random[16];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return err_set(ret_err, -EIO, "no random numbers from the system");
    }
    w->manifest = (struct manifest){.log = 1, .next_file = 1};
    hex_write(random, sizeof(random), w->manifest.uuid);
    (void)snprintf(w->manifest.node, sizeof(w->manifest.node), "%s", w->node);
    return manifest_write(w->folder, &w->manifest, NULL, ret_err);
}

static int read_manifest(struct store_writer *w, bool create, struct err *ret_err) {
    int r = manifest_read(w->folder, &w->manifest, ret_err);
    if (r == -ENOENT && create) {
        if (ret_err) {
            *ret_err = (struct err){0};
        }
        r = control_open(w->folder, &w->control, ret_err); /* before there is a store: readers expect it */
        r = r ? r : new_manifest(w, ret_err);
    }
    return r;
}

/* --- the log, after a crash or not --- */

/* Reads a log to its end: rows in it, and where the valid part ends. */
static int measure_log(struct store_writer *w, uint64_t number, bool *ret_torn, struct err *ret_err) {
    struct log_reader reader;
    int r = log_reader_open(&reader, w->folder, number);
    w->log_rows = 0;
    w->log_bytes = 0;
    *ret_torn = true;
    if (r == -EAGAIN || r == -EBADMSG) {
        if (r == -EBADMSG) {
            damage_add(&w->damage, "log %llu: its head is damaged", (unsigned long long)number);
        }
        return 0; /* or its head was never whole */
    }
    if (r) {
        return err_set(ret_err, r, "%s: log %llu cannot be read", w->folder, (unsigned long long)number);
    }
    struct log_frame f;
    while ((r = log_next_whole(&reader, &f)) != 0) {
        if (r == -EBADMSG && log_resync(&reader)) {
            damage_add(&w->damage, "log %llu: a damaged frame is left out", (unsigned long long)number);
            continue;
        }
        if (r < 0) {
            break;
        }
        w->log_rows += f.rows;
        w->next_seq = MAX(w->next_seq, f.seq + f.rows);
    }
    w->log_bytes = reader.at;
    struct stat st;
    *ret_torn = fstat(reader.fd, &st) != 0 || (uint64_t)st.st_size != reader.at;
    log_reader_done(&reader);
    return r < 0 && r != -EBADMSG ? err_set(ret_err, r, "%s: the log cannot be read", w->folder) : 0;
}

/* The last log goes on; what a crash left at its end is cut off. */
static int reopen_log(struct store_writer *w, struct err *ret_err) {
    char path[FILE_PATH_MAX];
    log_path(w->folder, w->log_number, path);
    if (w->log_bytes == 0) { /* without a whole head: begun anew under the same number */
        int r = log_remove(w->folder, w->log_number);
        if (r) {
            return err_set(ret_err, r, "%s: cannot be removed", path);
        }
        w->log_fd = log_create(w->folder, w->log_number);
        w->log_bytes = LOG_HEAD;
        return w->log_fd < 0 ? err_set(ret_err, w->log_fd, "%s: cannot be made", path) : 0;
    }
    w->log_fd = open(path, O_WRONLY | O_CLOEXEC);
    if (w->log_fd < 0 || ftruncate(w->log_fd, (off_t)w->log_bytes) != 0 ||
        lseek(w->log_fd, (off_t)w->log_bytes, SEEK_SET) < 0 || fdatasync(w->log_fd) != 0) {
        return err_set(ret_err, -errno, "%s: cannot be continued: %s", path, strerror(errno));
    }
    return 0;
}

static int recover_logs(struct store_writer *w, struct err *ret_err) {
    w->next_seq = w->manifest.covered;
    w->log_number = w->manifest.log;
    for (uint64_t number = w->manifest.log;; number++) {
        char path[FILE_PATH_MAX];
        log_path(w->folder, number, path);
        if (access(path, F_OK) != 0) {
            if (number > w->manifest.log) {
                break;
            }
            w->log_fd = log_create(w->folder, number);
            w->log_bytes = LOG_HEAD;
            return w->log_fd < 0 ? err_set(ret_err, w->log_fd, "%s: cannot be made", path) : 0;
        }
        bool torn;
        int r = measure_log(w, number, &torn, ret_err);
        if (r) {
            return r;
        }
        w->log_number = number;
    }
    w->log_since = clock_ms();
    return reopen_log(w, ret_err);
}

/* Sessions are shown before they are durable. What was changed of those that a crash took must not become a change of
 * the ones that get their numbers. */
static int forget_lost(struct store_writer *w, struct err *ret_err) {
    const uint64_t most = INT64_MAX;
    int r = overlay_forget(w->control, w->next_seq, most, most);
    return r ? err_set(ret_err, r, "%s: control.db cannot be changed", w->folder) : 0;
}

/* --- threads --- */

static int start(pthread_t *thread, bool *runs, void *(*run)(void *), struct store_writer *w, struct err *ret_err) {
    int r = -pthread_create(thread, NULL, run, w);
    *runs = r == 0;
    return r ? err_set(ret_err, r, "no thread for the store") : 0;
}

static int make_locks(struct store_writer *w) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_t *const conds[] = {&w->wanted, &w->flushed, &w->sealed, &w->merge_wanted, &w->merged};
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(conds) && r == 0; i++) {
        r = -pthread_cond_init(conds[i], &monotonic);
    }
    pthread_condattr_destroy(&monotonic);
    r = r ? r : -pthread_mutex_init(&w->lock, NULL);
    r = r ? r : -pthread_mutex_init(&w->manifest_lock, NULL);
    r = r ? r : -pthread_mutex_init(&w->damage.lock, NULL);
    return r ? r : cache_init(&w->cache, MERGE_CACHE);
}

static int open_all(struct store_writer *w, bool create, struct err *ret_err) {
    int r = make_folders(w, create, ret_err);
    r = r ? r : take_lock(w, ret_err);
    r = r ? r : read_manifest(w, create, ret_err);
    r = r ? r : row_plan_init(&w->plan, &w->schema, w->folder, w->registry, ret_err);
    r = r || w->control ? r : control_open(w->folder, &w->control, ret_err);
    r = r ? r : recover_logs(w, ret_err);
    r = r ? r : forget_lost(w, ret_err);
    if (r) {
        return r;
    }
    w->durable = w->target = w->next_seq;
    writer_sweep(w);
    r = start(&w->flusher, &w->flusher_runs, writer_flusher, w, ret_err);
    r = r ? r : start(&w->sealer, &w->sealer_runs, writer_sealer, w, ret_err);
    return r ? r : start(&w->merger, &w->merger_runs, writer_merger, w, ret_err);
}

static void set_options(struct store_writer *w, const struct store_options *options) {
    w->options = *options;
    w->options.node = NULL;
    w->options.flush_ms = options->flush_ms ? options->flush_ms : DEFAULT_FLUSH_MS;
    w->options.seal_rows = options->seal_rows ? MIN(options->seal_rows, SEGMENT_ROWS_MAX / 2) : PART_BLOCK;
    w->options.seal_seconds = options->seal_seconds ? options->seal_seconds : DEFAULT_SEAL_SECONDS;
    size_t len = 0; /* a word of the manifest */
    for (const char *at = options->node ? options->node : "local"; *at && len < sizeof(w->node) - 1; at++) {
        w->node[len++] = *at > ' ' ? *at : '_';
    }
}

int store_writer_open(const char *folder, bool create, const struct store_options *options,
                      const struct registry *registry, struct store_writer **ret_writer, struct err *ret_err) {
    struct store_writer *w = calloc(1, sizeof(*w));
    if (!w) {
        return err_set(ret_err, -ENOMEM, "no memory for the store");
    }
    w->lock_fd = w->log_fd = -1;
    w->registry = registry;
    set_options(w, options);
    buf_init(&w->pending, PENDING_MAX + ROW_MAX);
    buf_init(&w->flushing, PENDING_MAX + ROW_MAX);
    buf_init(&w->frame, 2 * (PENDING_MAX + ROW_MAX));
    w->roots = calloc(ROOTS, sizeof(*w->roots));
    w->zstd = ZSTD_createCCtx();
    int r = make_locks(w);
    if (r || !w->roots || !w->zstd || strlen(folder) >= sizeof(w->folder) - 128) {
        r = err_set(ret_err, r ? r : -ENOMEM, "%s: no memory for the store, or its path is too long", folder);
    } else {
        memcpy(w->folder, folder, strlen(folder));
        r = open_all(w, create, ret_err);
    }
    if (r) {
        (void)store_writer_close(w, NULL);
        return r;
    }
    *ret_writer = w;
    return 0;
}

static void stop(struct store_writer *w) {
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->wanted);
    pthread_mutex_unlock(&w->lock);
    if (w->flusher_runs) {
        (void)pthread_join(w->flusher, NULL);
    }
    pthread_mutex_lock(&w->manifest_lock);
    w->seal_stop = w->merge_stop = true;
    pthread_cond_broadcast(&w->sealed);
    pthread_cond_broadcast(&w->merge_wanted);
    pthread_mutex_unlock(&w->manifest_lock);
    if (w->sealer_runs) {
        (void)pthread_join(w->sealer, NULL);
    }
    if (w->merger_runs) {
        (void)pthread_join(w->merger, NULL);
    }
}

static void free_writer(struct store_writer *w) {
    while (w->encoders) {
        struct row_encoder *e = w->encoders;
        w->encoders = e->next;
        row_encoder_done(e);
        free(e);
    }
    fd_close(&w->log_fd);
    row_plan_done(&w->plan);
    schema_done(&w->schema);
    (void)control_close(w->control);
    manifest_done(&w->manifest);
    buf_done(&w->pending);
    buf_done(&w->flushing);
    buf_done(&w->frame);
    ZSTD_freeCCtx(w->zstd);
    free(w->roots);
    cache_done(&w->cache);
    fd_close(&w->lock_fd); /* last: from here on another may write */
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->manifest_lock);
    pthread_mutex_destroy(&w->damage.lock);
    free(w);
}

static int seal_flushed(struct store_writer *w, struct err *ret_err) {
    pthread_mutex_lock(&w->lock);
    w->rotate = w->log_rows > 0;
    uint64_t before = w->attempts;
    while (w->rotate && w->attempts < before + 3) {
        pthread_cond_signal(&w->wanted);
        cond_wait_ms(&w->flushed, &w->lock, 100);
    }
    w->rotate = false;
    uint64_t open_log = w->log_number;
    pthread_mutex_unlock(&w->lock);
    pthread_mutex_lock(&w->manifest_lock);
    w->seal_error = 0;
    while (w->manifest.log < open_log && !w->seal_error) {
        pthread_cond_broadcast(&w->sealed);
        cond_wait_ms(&w->sealed, &w->manifest_lock, 100);
    }
    int r = w->seal_error;
    if (r && ret_err) {
        *ret_err = w->seal_text;
    }
    pthread_mutex_unlock(&w->manifest_lock);
    return r;
}

static int not_flushed(const struct store_writer *w, int code, struct err *ret_err) {
    return err_set(ret_err, code, "%s: the last sessions could not be written: %s", w->folder, strerror(-code));
}

int writer_seal_all(struct store_writer *w, struct err *ret_err) {
    int r = store_flush(w);
    return r ? not_flushed(w, r, ret_err) : seal_flushed(w, ret_err);
}

int store_writer_close(struct store_writer *w, struct err *ret_err) {
    if (!w) {
        return 0;
    }
    struct err e = {0};
    int r = w->merger_runs ? -EAGAIN : 0, sealed = 0;
    for (unsigned i = 0; i < CLOSE_TRIES && r; i++) {
        r = store_flush(w);
    }
    for (unsigned i = 0; i < CLOSE_TRIES && w->merger_runs && r == 0 && (i == 0 || sealed); i++) {
        e = (struct err){0};
        sealed = seal_flushed(w, &e);
    }
    stop(w); /* the flusher tries a last time */
    if (r && w->durable < w->next_seq) {
        (void)not_flushed(w, r, ret_err);
    } else {
        r = sealed;
        if (r && ret_err) {
            *ret_err = e;
        }
    }
    free_writer(w);
    return r;
}

int store_compact(struct store_writer *w, struct err *ret_err) {
    int r = writer_seal_all(w, ret_err);
    if (r) {
        return r;
    }
    pthread_mutex_lock(&w->manifest_lock);
    uint64_t mine = ++w->merges_asked;
    w->merge_hard = true;
    while (w->merges_done < mine && !w->merge_stop) {
        pthread_cond_broadcast(&w->merge_wanted);
        cond_wait_ms(&w->merged, &w->manifest_lock, 100);
    }
    r = w->merge_error;
    if (r && ret_err) {
        *ret_err = w->merge_text;
    }
    pthread_mutex_unlock(&w->manifest_lock);
    return r;
}
