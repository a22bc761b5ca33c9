/* tail.c: rows that are in the log only, as parts in memory: each look makes one of the new frames, and many small
 * parts become a larger one, so that there are never many.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "store/merge.h"
#include "store/reading.h"

static void log_done(struct tail_log *l) {
    for (uint32_t i = 0; i < l->count; i++) {
        (void)part_unref(l->parts[i].part);
    }
    free(l->parts);
    log_reader_done(&l->reader);
}

void tail_done(struct store *s) {
    for (uint32_t i = 0; i < s->log_count; i++) {
        log_done(&s->logs[i]);
    }
    free(s->logs);
    s->logs = NULL;
    s->log_count = s->log_cap = 0;
    if (s->builder_made) {
        builder_done(&s->builder);
        s->builder_made = false;
    }
}

void tail_drop(struct store *s, uint64_t first_log) {
    uint32_t gone = 0;
    while (gone < s->log_count && s->logs[gone].number < first_log) {
        log_done(&s->logs[gone]);
        gone++;
    }
    if (gone) {
        memmove(s->logs, s->logs + gone, (s->log_count - gone) * sizeof(*s->logs));
        s->log_count -= gone;
    }
}

/* --- parts --- */

/* The newest parts of one level become one of the next. Failing to costs speed only. */
static void fold(struct tail_log *l) {
    for (;;) {
        uint32_t level = l->parts[l->count - 1].level, n = 0, rows = 0;
        struct part *run[TAIL_FOLD];
        while (n < TAIL_FOLD && n < l->count && l->parts[l->count - 1 - n].level == level) {
            n++;
        }
        if (n < TAIL_FOLD) {
            return;
        }
        uint32_t first = l->count - n;
        for (uint32_t i = 0; i < n; i++) {
            run[i] = l->parts[first + i].part;
            rows += run[i]->info.rows;
            if (i && run[i]->info.seq_low != run[i - 1]->info.seq_low + run[i - 1]->info.rows) {
                return;
            }
        }
        struct merge m = {.parts = run, .count = n};
        struct part *merged = NULL;
        if (rows > 2 * PART_BLOCK || merge_into_memory(&m, "tail", &merged) != 0) {
            return;
        }
        for (uint32_t i = 0; i < n; i++) {
            (void)part_unref(run[i]);
        }
        l->count = first + 1;
        l->parts[first] = (struct tail_part){merged, level + 1};
    }
}

static int push_part(struct tail_log *l, struct part *p) {
    if (l->count == l->cap) {
        uint32_t cap = MAX(32u, l->cap * 2);
        struct tail_part *more = realloc(l->parts, cap * sizeof(*more));
        if (!more) {
            (void)part_unref(p);
            return -ENOMEM;
        }
        l->parts = more;
        l->cap = cap;
    }
    l->parts[l->count++] = (struct tail_part){p, p->info.rows >= TAIL_PART_ROWS ? 1 : 0};
    fold(l);
    return 0;
}

static int finish_part(struct store *s, struct tail_log *l) {
    struct part *p = NULL;
    if (s->builder.rows == 0) {
        return 0;
    }
    int r = builder_part(&s->builder, "tail", &s->cache, &s->damage, &p);
    uint64_t next = s->builder.seq_low + s->builder.rows;
    builder_clear(&s->builder, next);
    r = r ? r : push_part(l, p);
    s->changed = true;
    return r;
}

static int add_rows(struct store *s, const struct log_frame *f) {
    int r = builder_add(&s->builder, f->raw, f->rows);
    if (r != -ESTALE) {
        return r;
    }
    uint32_t added = 0; /* fields came before the rows that have them */
    r = schema_load(&s->schema, s->folder, &added, NULL);
    return r ? r : added ? builder_add(&s->builder, f->raw, f->rows) : -EBADMSG;
}

static int add_frame(struct store *s, struct tail_log *l, const struct log_frame *f) {
    if (f->seq + f->rows <= s->tail_next) {
        return 0;
    }
    int r = 0;
    uint32_t before = s->builder.rows;
    if (before == 0 || f->seq != s->builder.seq_low + before || before + f->rows > TAIL_PART_ROWS) {
        r = finish_part(s, l);
        builder_clear(&s->builder, f->seq);
        before = 0;
    }
    r = r ? r : add_rows(s, f);
    if (r == -EBADMSG || r == -ESTALE) { /* rows that cannot be read keep their numbers */
        damage_add(&s->damage, "log %" PRIu64 ": sessions from %" PRIu64 " on cannot be read", l->number, f->seq);
        s->builder.rows = before + f->rows;
        r = 0;
    }
    s->tail_next = f->seq + f->rows;
    return r;
}

/* --- logs --- */

/* Bytes that are no frame: a later one is looked for once for each size of the file. True: go on. */
static bool pass_damage(struct store *s, struct tail_log *l, bool final) {
    struct stat st;
    uint64_t size = fstat(l->reader.fd, &st) == 0 ? (uint64_t)st.st_size : 0, at = l->reader.at;
    if (l->torn_at == at && l->torn_size == size && !final) {
        return false;
    }
    bool told = l->torn_at == at;
    l->torn_at = at;
    l->torn_size = size;
    if (log_resync(&l->reader)) {
        damage_add(&s->damage, "log %" PRIu64 ": bytes %" PRIu64 " to %" PRIu64 " are damaged", l->number, at,
                   l->reader.at);
        return true;
    }
    if (final && !told) {
        damage_add(&s->damage, "log %" PRIu64 ": what stands behind byte %" PRIu64 " is damaged", l->number, at);
    }
    return false;
}

static int read_frames(struct store *s, struct tail_log *l, bool final) {
    struct log_frame f;
    int r;
    while ((r = log_next(&l->reader, &f)) != 0) {
        if (r == -EBADMSG && pass_damage(s, l, final)) {
            continue;
        }
        if (r < 0) {
            r = r == -EBADMSG ? 0 : r;
            break;
        }
        r = add_frame(s, l, &f);
        if (r) {
            break;
        }
    }
    int finished = finish_part(s, l);
    return r ? r : finished;
}

static int want_log(struct store *s, uint64_t number, struct tail_log **ret) {
    for (uint32_t i = 0; i < s->log_count; i++) {
        if (s->logs[i].number == number) {
            *ret = &s->logs[i];
            return 0;
        }
    }
    if (s->log_count == s->log_cap) {
        uint32_t cap = MAX(8u, s->log_cap * 2);
        struct tail_log *more = realloc(s->logs, cap * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        s->logs = more;
        s->log_cap = cap;
    }
    struct tail_log *l = &s->logs[s->log_count];
    *l = (struct tail_log){.number = number};
    int r = log_reader_open(&l->reader, s->folder, number);
    if (r == 0) {
        s->log_count++;
        *ret = l;
    }
    return r;
}

static bool log_exists(const struct store *s, uint64_t number) {
    char path[FILE_PATH_MAX];
    log_path(s->folder, number, path);
    return access(path, F_OK) == 0;
}

/* A log that is not there was sealed meanwhile, or there never was one. */
static bool manifest_is_newer(const struct store *s) {
    char path[FILE_PATH_MAX];
    struct stat st;
    if (file_path(s->folder, "MANIFEST", path) != 0 || stat(path, &st) != 0) {
        return false;
    }
    const uint64_t stamp[3] = {(uint64_t)st.st_ino, (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec};
    return memcmp(stamp, s->manifest_stamp, sizeof(stamp)) != 0;
}

int tail_read(struct store *s) {
    if (!s->builder_made) {
        int r = builder_init(&s->builder, &s->schema);
        if (r) {
            return r;
        }
        s->builder_made = true;
    }
    for (uint64_t number = s->manifest.log;; number++) {
        struct tail_log *l;
        int r = want_log(s, number, &l);
        if (r == -ENOENT) {
            bool missing = number == s->manifest.log && log_exists(s, number + 1);
            return missing || manifest_is_newer(s) ? -ESTALE : 0;
        }
        if (r == -EAGAIN && !log_exists(s, number + 1)) {
            return 0; /* just being made */
        }
        if (r == -EAGAIN || r == -EBADMSG || r == -EPROTO) {
            damage_add(&s->damage, "log %" PRIu64 ": is no log of this program", number);
            if (!log_exists(s, number + 1)) {
                return 0;
            }
            continue;
        }
        r = r ? r : read_frames(s, l, false);
        if (r || !log_exists(s, number + 1)) {
            return r;
        }
        r = read_frames(s, l, true); /* what came before the next one was made */
        if (r) {
            return r;
        }
    }
}
