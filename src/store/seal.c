/* seal.c: full logs become segments: rows are read back, collected into columns, written, made known, and only then the
 * log goes.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "store/builder.h"
#include "store/writing.h"

int segment_file_open(struct store_writer *w, int64_t arrived, uint32_t level, struct segment_file *ret) {
    pthread_mutex_lock(&w->manifest_lock);
    uint64_t number = w->manifest.next_file++;
    pthread_mutex_unlock(&w->manifest_lock);
    time_t seconds = (time_t)(arrived / 1000);
    struct tm day;
    if (!gmtime_r(&seconds, &day)) {
        return -EINVAL;
    }
    (void)snprintf(ret->name, sizeof(ret->name), "%02d%02d%02d-%05" PRIu64 "-%u.seg", day.tm_year % 100, day.tm_mon + 1,
                   day.tm_mday, number, level);
    (void)snprintf(ret->path, sizeof(ret->path), "%.4000s/seg/%s", w->folder, ret->name);
    (void)snprintf(ret->temporary, sizeof(ret->temporary), "%.4000s/seg/%s.tmp", w->folder, ret->name);
    ret->fd = open(ret->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    return ret->fd < 0 ? -errno : 0;
}

int segment_file_close(struct store_writer *w, struct segment_file *f, int code) {
    char folder[FILE_PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "%.4000s/seg", w->folder);
    if (code == 0 && fdatasync(f->fd) != 0) {
        code = -errno;
    }
    fd_close(&f->fd);
    if (code == 0 && rename(f->temporary, f->path) != 0) {
        code = -errno;
    }
    code = code ? code : folder_sync(folder);
    if (code) {
        (void)unlink(f->temporary);
        (void)unlink(f->path);
    }
    return code;
}

void segment_describe(const struct segment_writer *s, const char *name, uint64_t size, struct manifest_segment *ret) {
    *ret = (struct manifest_segment){.rows = s->rows, .seq_low = s->seq_low, .size = size};
    ret->first_min = s->first_min;
    ret->first_max = s->first_max;
    ret->last_min = s->last_min;
    ret->last_max = s->last_max;
    (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
}

struct sealing {
    struct store_writer *w;
    struct builder builder;
    struct positions_sink positions;
    int64_t arrived_min, arrived_max;
    uint64_t next; /* session expected next */
    struct manifest_segment *made;
    uint32_t count, cap;
};

static int keep_segment(struct sealing *s, const struct manifest_segment *m) {
    if (s->count == s->cap) {
        uint32_t cap = MAX(4u, s->cap * 2);
        struct manifest_segment *more = realloc(s->made, cap * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        s->made = more;
        s->cap = cap;
    }
    s->made[s->count++] = *m;
    return 0;
}

/* Writes what is collected as one segment. */
static int write_segment(struct sealing *s) {
    struct segment_file f;
    struct segment_writer out;
    uint64_t size = 0;
    if (s->builder.rows == 0) {
        return 0;
    }
    int r = segment_file_open(s->w, s->arrived_max, 1, &f);
    if (r) {
        return r;
    }
    r = segment_begin(&out, f.fd, s->builder.seq_low, s->builder.rows, PACKING_QUICK);
    if (r == 0) {
        builder_write(&s->builder, &out, &s->positions);
    }
    int ended = segment_end(&out, &size);
    r = segment_file_close(s->w, &f, r ? r : ended);
    if (r == 0) {
        struct manifest_segment m;
        segment_describe(&out, f.name, size, &m);
        m.level = 1;
        m.arrived_min = s->arrived_min;
        m.arrived_max = s->arrived_max;
        r = keep_segment(s, &m);
    }
    segment_done(&out);
    builder_clear(&s->builder, s->next);
    s->arrived_min = INT64_MAX;
    s->arrived_max = 0;
    return r;
}

static int add_frame(struct sealing *s, const struct log_frame *f) {
    if (f->seq + f->rows <= s->next) {
        return 0; /* written twice after an error */
    }
    int r = 0;
    if (f->seq != s->next || s->builder.rows + f->rows > SEGMENT_ROWS_MAX) {
        r = write_segment(s);
        s->next = f->seq;
        builder_clear(&s->builder, f->seq);
    }
    uint32_t before = s->builder.rows;
    r = r ? r : builder_add(&s->builder, f->raw, f->rows);
    if (r == -EBADMSG || r == -ESTALE) { /* rows that cannot be read keep their numbers, without values */
        damage_add(&s->w->damage, "log: sessions from %" PRIu64 " on cannot be read", s->next);
        writer_count(s->w, STORE_ERRORS, 1);
        s->builder.rows = before + f->rows;
        r = 0;
    }
    s->arrived_min = MIN(s->arrived_min, f->wall);
    s->arrived_max = MAX(s->arrived_max, f->wall);
    s->next = f->seq + f->rows;
    return r;
}

static int read_log(struct sealing *s, uint64_t number) {
    struct log_reader reader;
    struct log_frame f;
    int r = log_reader_open(&reader, s->w->folder, number);
    if (r) {
        return r == -EAGAIN || r == -EBADMSG ? 0 : r; /* never held a row, or is put aside as it is */
    }
    while ((r = log_next_whole(&reader, &f)) != 0) {
        if (r == -EBADMSG) {
            damage_add(&s->w->damage, "log %" PRIu64 ": a frame at byte %" PRIu64 " is damaged", number, reader.at);
            writer_count(s->w, STORE_ERRORS, 1);
            if (!log_resync(&reader)) {
                r = 0;
                break;
            }
            continue;
        }
        r = r < 0 ? r : add_frame(s, &f);
        if (r) {
            break;
        }
    }
    log_reader_done(&reader);
    return r;
}

int writer_publish(struct store_writer *w, struct manifest *next, bool *ret_synced, struct err *ret_err) {
    bool replaced;
    next->generation++;
    int r = manifest_write(w->folder, next, &replaced, ret_err);
    *ret_synced = r == 0;
    if (!replaced) {
        manifest_done(next);
        return r;
    }
    if (r) { /* either manifest may be found after a loss of power: nothing that one of them names may go */
        writer_count(w, STORE_ERRORS, 1);
        if (ret_err) {
            *ret_err = (struct err){0};
        }
    }
    manifest_done(&w->manifest);
    w->manifest = *next;
    return 0;
}

static int publish(struct sealing *s, uint64_t number, bool *ret_synced, struct err *ret_err) {
    struct store_writer *w = s->w;
    pthread_mutex_lock(&w->manifest_lock);
    struct manifest next;
    int r = manifest_copy(&w->manifest, &next);
    for (uint32_t i = 0; i < s->count && r == 0; i++) {
        r = manifest_splice(&next, next.count, 0, &s->made[i]);
    }
    if (r == 0) {
        next.covered = MAX(next.covered, s->next);
        next.log = number + 1;
        r = writer_publish(w, &next, ret_synced, ret_err);
    } else {
        manifest_done(&next);
    }
    pthread_mutex_unlock(&w->manifest_lock);
    return r;
}

/* Logs below `end`, whose sessions are in segments: also those that an earlier manifest had to leave. */
static void remove_logs(const struct store_writer *w, uint64_t end) {
    while (end > 0 && log_remove(w->folder, end - 1) == 0) {
        end--;
    }
}

int writer_seal_log(struct store_writer *w, uint64_t number, struct err *ret_err) {
    struct sealing s = {.w = w, .arrived_min = INT64_MAX};
    char path[FILE_PATH_MAX];
    bool synced = false;
    pthread_mutex_lock(&w->manifest_lock);
    s.next = w->manifest.covered;
    pthread_mutex_unlock(&w->manifest_lock);
    int r = builder_init(&s.builder, &w->schema);
    builder_clear(&s.builder, s.next);
    r = r ? r : positions_sink_begin(&s.positions, w->folder);
    r = r ? r : read_log(&s, number);
    r = r ? r : write_segment(&s);
    int positions = positions_sink_end(&s.positions);
    r = r ? r : positions;
    r = r ? r : publish(&s, number, &synced, ret_err);
    if (r == 0) {
        if (synced) {
            remove_logs(w, number + 1);
        }
        writer_count(w, STORE_SEALS, s.count);
    } else {
        for (uint32_t i = 0; i < s.count; i++) {
            (void)snprintf(path, sizeof(path), "%.4000s/seg/%s", w->folder, s.made[i].name);
            (void)unlink(path);
        }
        err_set(ret_err, r, "%s: log %" PRIu64 " could not be made a segment: %s", w->folder, number, strerror(-r));
    }
    builder_done(&s.builder);
    free(s.made);
    return r;
}

void *writer_sealer(void *ctx) {
    struct store_writer *w = ctx;
    pthread_mutex_lock(&w->manifest_lock);
    for (;;) {
        uint64_t open_log = writer_open_log(w), number = w->manifest.log;
        if (number < open_log) {
            struct err e = {0};
            pthread_mutex_unlock(&w->manifest_lock);
            int r = writer_seal_log(w, number, &e);
            pthread_mutex_lock(&w->manifest_lock);
            w->seal_error = r;
            w->seal_text = e;
            pthread_cond_broadcast(&w->sealed);
            pthread_cond_broadcast(&w->merge_wanted);
            if (r == 0) {
                pthread_mutex_unlock(&w->manifest_lock);
                r = store_retain(w, NULL); /* here, because the merger may be long about its work */
                pthread_mutex_lock(&w->manifest_lock);
            }
            if (r == 0) {
                continue;
            }
            writer_count(w, STORE_ERRORS, 1);
        }
        if (w->seal_stop) {
            break;
        }
        cond_wait_ms(&w->sealed, &w->manifest_lock, 1000);
    }
    pthread_mutex_unlock(&w->manifest_lock);
    return NULL;
}

static bool in_manifest(const struct manifest *m, const char *name) {
    for (uint32_t i = 0; i < m->count; i++) {
        if (strcmp(m->segments[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void writer_sweep(struct store_writer *w) {
    char path[FILE_PATH_MAX];
    if (folder_sync(w->folder) != 0) {
        return; /* the manifest is not known to be on disk: the one before it may name what this one does not */
    }
    (void)snprintf(path, sizeof(path), "%.4000s/seg", w->folder);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] != '.' && !in_manifest(&w->manifest, e->d_name)) {
            (void)snprintf(path, sizeof(path), "%.3700s/seg/%.255s", w->folder, e->d_name);
            (void)unlink(path);
        }
    }
    if (d) {
        (void)closedir(d);
    }
    remove_logs(w, w->manifest.log);
    writer_fold_tidy(w);
}
