/* writer.c: see store.h: appending. Rows are encoded by the callers, gathered under a lock, and written by the flusher,
 * one frame at a time; a frame that could not be written is tried again, whole, in a log of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "store/writing.h"

const char *const store_count_names[STORE_COUNTS] = {
    [STORE_ROWS] = "rows",
    [STORE_FRAMES] = "frames",
    [STORE_LOG_BYTES] = "logBytes",
    [STORE_SEALS] = "seals",
    [STORE_MERGES] = "merges",
    [STORE_SEGMENTS_DROPPED] = "segmentsDropped",
    [STORE_ROWS_DROPPED] = "rowsDropped",
    [STORE_WAITS] = "waits",
    [STORE_VALUES_CUT] = "valuesCut",
    [STORE_ERRORS] = "errors",
};

int64_t clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t wall_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void cond_wait_ms(pthread_cond_t *c, pthread_mutex_t *lock, int64_t ms) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += (time_t)(ms / 1000);
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(c, lock, &t);
}

void store_writer_counts(const struct store_writer *w, uint64_t ret[STORE_COUNTS]) {
    for (unsigned i = 0; i < STORE_COUNTS; i++) {
        ret[i] = atomic_load_explicit(&w->counts[i], memory_order_relaxed);
    }
}

/* --- appending --- */

static struct row_encoder *take_encoder(struct store_writer *w) {
    pthread_mutex_lock(&w->lock);
    struct row_encoder *e = w->encoders;
    if (e) {
        w->encoders = e->next;
    }
    pthread_mutex_unlock(&w->lock);
    if (!e) {
        e = malloc(sizeof(*e));
        if (e) {
            row_encoder_init(e);
        }
    }
    return e;
}

static uint64_t root_key(const struct record *r) {
    return hash_bytes(r->id, strnlen(r->id, sizeof(r->id)), 0) | 1;
}

static bool has_root(const struct record *r) {
    return r->linked && r->id[0];
}

/* The name of the session's first piece; with `w->lock`. */
static struct span find_root(const struct store_writer *w, const struct record *r) {
    uint64_t key = root_key(r);
    const struct root_name *n = &w->roots[key / 2 % ROOTS];
    return n->key == key ? span_text(n->name) : (struct span){0};
}

static void note_root(struct store_writer *w, const struct record *r, uint64_t seq) {
    uint64_t key = root_key(r);
    struct root_name *n = &w->roots[key / 2 % ROOTS];
    n->key = key;
    session_name_write(seq, r->last_time / 1000000, n->name);
}

/* Waits until there is room; with `w->lock`. After an error one further attempt to write is waited for. */
static int wait_for_room(struct store_writer *w) {
    if (w->error) {
        uint64_t before = w->attempts;
        w->target = MAX(w->target, w->flushing_seq + w->flushing_rows);
        while (w->error && w->attempts == before && !w->stopping) {
            pthread_cond_signal(&w->wanted);
            cond_wait_ms(&w->flushed, &w->lock, 100);
        }
    }
    bool waited = false;
    while (w->pending.len >= PENDING_MAX && !w->error) {
        waited = true;
        pthread_cond_signal(&w->wanted);
        cond_wait_ms(&w->flushed, &w->lock, 100);
    }
    if (waited) {
        writer_count(w, STORE_WAITS, 1);
    }
    return w->error;
}

static int add_row(struct store_writer *w, struct row_encoder *e, const struct record *r, uint64_t *ret_seq) {
    int code = wait_for_room(w);
    if (code == 0) {
        buf_add_span(&w->pending, buf_span(&e->row));
        code = w->pending.overflowed ? -ENOMEM : 0;
        w->pending.overflowed = false;
    }
    if (code == 0) {
        if (w->pending_rows++ == 0) {
            w->pending_since = clock_ms();
            pthread_cond_signal(&w->wanted);
        } else if (w->pending.len >= FLUSH_BYTES) {
            pthread_cond_signal(&w->wanted);
        }
        uint64_t seq = w->next_seq++;
        if (has_root(r) && r->segment <= 1) {
            note_root(w, r, seq);
        }
        if (ret_seq) {
            *ret_seq = seq;
        }
        writer_count(w, STORE_ROWS, 1);
        writer_count(w, STORE_VALUES_CUT, e->cut);
    }
    e->cut = 0;
    e->next = w->encoders;
    w->encoders = e;
    return code;
}

int store_append(struct store_writer *w, const struct record *r, uint64_t *ret_seq) {
    struct row_encoder *e = take_encoder(w);
    if (!e) {
        return -ENOMEM;
    }
    char root[SESSION_NAME_MAX] = "";
    if (has_root(r) && r->segment > 1) {
        pthread_mutex_lock(&w->lock);
        struct span name = find_root(w, r);
        memcpy(root, name.at ? name.at : (const uint8_t *)"", name.len);
        pthread_mutex_unlock(&w->lock);
    }
    int code = row_encode(&w->plan, e, r, span_text(root), wall_ms());
    pthread_mutex_lock(&w->lock);
    uint64_t seq = 0;
    if (code) {
        e->next = w->encoders;
        w->encoders = e;
    } else {
        code = add_row(w, e, r, &seq);
    }
    pthread_mutex_unlock(&w->lock);
    if (code) {
        return code;
    }
    if (ret_seq) {
        *ret_seq = seq;
    }
    return w->options.durability == DURABLE_EACH ? store_flush(w) : 0;
}

int store_flush(struct store_writer *w) {
    pthread_mutex_lock(&w->lock);
    uint64_t target = w->next_seq, before = w->attempts;
    w->target = MAX(w->target, target);
    bool failed = false;
    while (w->durable < target && !failed) {
        pthread_cond_signal(&w->wanted);
        cond_wait_ms(&w->flushed, &w->lock, 100);
        failed = w->error && w->attempts > before;
    }
    int code = failed ? w->error : 0;
    pthread_mutex_unlock(&w->lock);
    return code;
}

/* --- the flusher --- */

uint64_t writer_open_log(struct store_writer *w) {
    pthread_mutex_lock(&w->lock);
    uint64_t number = w->log_number;
    pthread_mutex_unlock(&w->lock);
    return number;
}

/* The next log becomes the open one; the old one is the sealer's. */
static int rotate_log(struct store_writer *w) {
    int fd = log_create(w->folder, w->log_number + 1);
    if (fd < 0) {
        return fd;
    }
    pthread_mutex_lock(&w->lock);
    (void)close(w->log_fd);
    w->log_fd = fd;
    w->log_number++;
    w->log_rows = 0;
    w->log_bytes = LOG_HEAD;
    pthread_mutex_unlock(&w->lock);
    pthread_mutex_lock(&w->manifest_lock);
    pthread_cond_broadcast(&w->sealed);
    pthread_mutex_unlock(&w->manifest_lock);
    return 0;
}

/* The log grows only while the sealer keeps up. */
static void wait_for_sealer(struct store_writer *w) {
    pthread_mutex_lock(&w->manifest_lock);
    while (w->log_number - w->manifest.log >= LOGS_WAITING_MAX && !w->seal_stop && !w->seal_error) {
        cond_wait_ms(&w->sealed, &w->manifest_lock, 100);
    }
    pthread_mutex_unlock(&w->manifest_lock);
}

static bool cut_log(const struct store_writer *w) {
    return ftruncate(w->log_fd, (off_t)w->log_bytes) == 0 && lseek(w->log_fd, (off_t)w->log_bytes, SEEK_SET) >= 0;
}

/* Nothing is written behind half a frame: a later cut would take it along. */
static int mend_log(struct store_writer *w) {
    int r = w->log_torn ? rotate_log(w) : 0;
    if (r && !w->log_unsynced && cut_log(w)) {
        r = 0;
    }
    w->log_torn = r != 0;
    return r;
}

static int write_frame(struct store_writer *w) {
    struct log_frame f = {.rows = w->flushing_rows, .seq = w->flushing_seq, .wall = wall_ms()};
    f.raw = buf_span(&w->flushing);
    buf_clear(&w->frame);
    int r = mend_log(w);
    r = r ? r : log_frame_write(w->zstd, &f, &w->frame);
    if (r) {
        return r;
    }
    r = file_write(w->log_fd, buf_span(&w->frame));
    bool synced = true;
    if (r == 0 && w->options.durability != DURABLE_NONE && fdatasync(w->log_fd) != 0) {
        r = -errno;
        synced = false;
    }
    if (r == 0) {
        w->log_bytes += w->frame.len;
        return 0;
    }
    /* What was half written goes; after a failed sync the kernel's pages cannot be trusted: a new log. */
    if (!cut_log(w) || !synced) {
        w->log_unsynced = !synced;
        w->log_torn = rotate_log(w) != 0;
    }
    return r;
}

/* Makes what is pending the frame to be written; with `w->lock`. */
static void take_pending(struct store_writer *w) {
    struct buf empty = w->flushing;
    buf_clear(&empty);
    w->flushing = w->pending;
    w->pending = empty;
    w->flushing_rows = w->pending_rows;
    w->flushing_seq = w->next_seq - w->pending_rows;
    w->pending_rows = 0;
}

/* How long the flusher may sleep, in ms; 0: there is work. With `w->lock`. */
static int64_t time_to_work(const struct store_writer *w) {
    int64_t now = clock_ms();
    if (w->rotate || w->target > w->durable || w->pending.len >= FLUSH_BYTES) {
        return 0;
    }
    int64_t wait = 1000;
    if (w->pending_rows) {
        wait = MIN(wait, MAX(w->pending_since + w->options.flush_ms - now, (int64_t)0));
    }
    if (w->flushing_rows) {
        return MIN(wait, (int64_t)500); /* a failed frame: again soon */
    }
    if (w->log_rows) {
        wait = MIN(wait, MAX(w->log_since + (int64_t)w->options.seal_seconds * 1000 - now, (int64_t)0));
    }
    return wait;
}

static bool log_is_full(const struct store_writer *w) {
    return w->log_rows && (w->log_rows + w->flushing_rows > w->options.seal_rows || w->rotate ||
                           clock_ms() >= w->log_since + (int64_t)w->options.seal_seconds * 1000);
}

/* One frame, and a new log where the old one is full. Called without the lock. */
static void flush_once(struct store_writer *w) {
    int r = 0;
    bool full = log_is_full(w);
    if (full && (w->flushing_rows == 0 || w->log_rows + w->flushing_rows > w->options.seal_rows)) {
        wait_for_sealer(w);
        r = rotate_log(w); /* a failure only makes the log longer */
    }
    int written = w->flushing_rows ? write_frame(w) : 0;
    r = written ? written : r;
    if (r) {
        writer_count(w, STORE_ERRORS, 1);
    }
    pthread_mutex_lock(&w->lock);
    w->attempts++;
    w->error = written;
    if (written == 0 && w->flushing_rows) {
        w->log_since = w->log_rows ? w->log_since : clock_ms();
        w->log_rows += w->flushing_rows;
        w->durable = w->flushing_seq + w->flushing_rows;
        writer_count(w, STORE_FRAMES, 1);
        writer_count(w, STORE_LOG_BYTES, w->frame.len);
        w->flushing_rows = 0;
    }
    if (w->rotate && w->log_rows == 0) {
        w->rotate = false;
    }
    pthread_cond_broadcast(&w->flushed);
    pthread_mutex_unlock(&w->lock);
}

void *writer_flusher(void *ctx) {
    struct store_writer *w = ctx;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        int64_t wait = w->stopping ? 0 : time_to_work(w);
        if (wait > 0) {
            cond_wait_ms(&w->wanted, &w->lock, wait);
            if (time_to_work(w) > 0 && !w->stopping && !(w->flushing_rows && w->error)) {
                continue;
            }
        }
        if (w->flushing_rows == 0 && w->pending_rows) {
            take_pending(w);
        } else if (w->stopping && w->flushing_rows == 0) {
            break;
        }
        bool last_try = w->stopping;
        pthread_mutex_unlock(&w->lock);
        flush_once(w);
        pthread_mutex_lock(&w->lock);
        if (last_try && w->error) {
            break; /* the caller of store_writer_close is told */
        }
        if (w->error) {
            cond_wait_ms(&w->wanted, &w->lock, 100); /* a full disk is not asked without pause */
        }
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}
