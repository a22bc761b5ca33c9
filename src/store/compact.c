/* compact.c: the merger: few large segments of many small neighbours, and old ones let go.
 *
 * Segments of one level that lie beside each other are merged when there are enough of them, or enough rows; one UTC
 * day at a time, so that retention can let go of whole files.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/util.h"
#include "store/merge.h"
#include "store/writing.h"

#define MERGE_SEGMENTS 16u             /* of one level make one of the next */
#define MERGE_ROWS ((uint32_t)1 << 20) /* as large as segments get */
#define MERGE_BYTES ((uint64_t)256 << 20)
#define DAY_MS 86400000
#define LEVEL_MAX 8u

struct run {
    uint32_t at, count, rows;
};

/* The longest run from `at` on that may become one segment. `hard`: levels do not matter. */
static struct run run_from(const struct manifest *m, uint32_t at, bool hard) {
    const struct manifest_segment *first = &m->segments[at];
    struct run r = {at, 1, first->rows};
    uint64_t bytes = first->size;
    for (uint32_t i = at + 1; i < m->count; i++) {
        const struct manifest_segment *s = &m->segments[i], *before = s - 1;
        bool neighbour =
            before->seq_low + before->rows == s->seq_low && s->arrived_max / DAY_MS == first->arrived_max / DAY_MS;
        bool same = hard || s->level == first->level;
        bytes += s->size;
        if (!neighbour || !same || first->damaged || s->damaged || r.rows + (uint64_t)s->rows > MERGE_ROWS ||
            bytes > MERGE_BYTES || (!hard && r.count == MERGE_SEGMENTS)) {
            break;
        }
        r.count++;
        r.rows += s->rows;
    }
    return r;
}

static bool find_run(const struct manifest *m, bool hard, struct run *ret) {
    for (uint32_t at = 0; at < m->count;) {
        struct run r = run_from(m, at, hard);
        bool full = r.rows >= MERGE_ROWS - PART_BLOCK; /* one more of the usual size would be too many */
        if (r.count >= 2 && (hard || r.count == MERGE_SEGMENTS || full) && m->segments[at].level < LEVEL_MAX) {
            *ret = r;
            return true;
        }
        at += hard ? r.count : 1;
    }
    return false;
}

static bool find_segment(const struct manifest *m, const char *name, struct run *ret) {
    for (uint32_t at = 0; at < m->count; at++) {
        if (strcmp(m->segments[at].name, name) == 0) {
            *ret = (struct run){at, 1, m->segments[at].rows};
            return true;
        }
    }
    return false;
}

/* --- one merge --- */

struct merging {
    struct store_writer *w;
    struct manifest_segment *from; /* copies of what the manifest says of them */
    struct part **parts;
    struct patch **patches;
    uint32_t count;
    uint32_t bad; /* the input that is damaged; `count`: none is known to be */
    bool left;    /* ... and will not be tried again, so that other merges can go on */
    struct overlay overlay;
    const struct schema_field **extra;
    size_t extra_count, extra_cap;
    struct manifest_segment made;
    struct segment_file file;
};

static void want_extra(void *ctx, struct span path) {
    struct merging *g = ctx;
    const struct schema_field *f = schema_find(&g->w->schema, path);
    for (size_t i = 0; i < g->extra_count; i++) {
        if (g->extra[i] == f) {
            return;
        }
    }
    if (f && g->extra_count < g->extra_cap) {
        g->extra[g->extra_count++] = f;
    }
}

static int open_inputs(struct merging *g) {
    char path[FILE_PATH_MAX];
    int r = overlay_load(g->w->control, &g->overlay);
    g->extra_cap = g->w->schema.count;
    g->extra = calloc(MAX(g->extra_cap, (size_t)1), sizeof(*g->extra));
    if (r || !g->extra) {
        return r ? r : -ENOMEM;
    }
    bool gone = false;
    for (uint32_t i = 0; i < g->count; i++) {
        (void)snprintf(path, sizeof(path), "%.4000s/seg/%s", g->w->folder, g->from[i].name);
        r = part_from_file(path, g->from[i].name, &g->w->cache, &g->w->damage, &g->parts[i]);
        r = r ? r : patch_make(&g->overlay, g->parts[i], g->from[i].folded, &g->patches[i]);
        if (r) {
            g->bad = i;
            return r;
        }
        if (g->patches[i]) {
            patch_each_path(g->patches[i], want_extra, g);
            gone = gone || g->patches[i]->gone;
        }
    }
    if (gone) {
        want_extra(g, span_text(OWN_GONE));
    }
    return 0;
}

static int write_merged(struct merging *g, uint32_t rows) {
    struct segment_writer out;
    uint64_t size = 0;
    uint32_t level = 0;
    int64_t arrived_min = INT64_MAX, arrived_max = 0;
    for (uint32_t i = 0; i < g->count; i++) {
        level = MAX(level, g->from[i].level);
        arrived_min = MIN(arrived_min, g->from[i].arrived_min);
        arrived_max = MAX(arrived_max, g->from[i].arrived_max);
    }
    level = g->count > 1 ? MIN(level + 1, LEVEL_MAX) : level;
    int r = segment_file_open(g->w, arrived_max, level, &g->file);
    if (r) {
        return r;
    }
    struct merge m = {.parts = g->parts, .patches = g->patches, .count = g->count, .schema = &g->w->schema};
    m.ret_bad = &g->bad;
    struct merge_extra extra = {g->extra, g->extra_count};
    r = segment_begin(&out, g->file.fd, g->from[0].seq_low, rows, PACKING_TIGHT);
    r = r ? r : merge_columns(&m, &extra, &out);
    for (uint32_t i = 0; i < g->count; i++) { /* what stands in for a page that is lost must not become the sessions */
        if (!part_whole(g->parts[i])) {
            r = r ? r : -EBADMSG;
            g->bad = i;
        }
    }
    int ended = segment_end(&out, &size);
    r = segment_file_close(g->w, &g->file, r ? r : ended);
    if (r == 0) {
        segment_describe(&out, g->file.name, size, &g->made);
        g->made.level = level;
        g->made.arrived_min = arrived_min;
        g->made.arrived_max = arrived_max;
        g->made.folded = g->overlay.last_id;
        for (uint32_t i = 0; i < g->count; i++) {
            g->made.folded = MAX(g->made.folded, g->from[i].folded);
        }
    }
    segment_done(&out);
    return r;
}

/* Where the inputs are in the manifest; false when retention took one of them meanwhile. With `manifest_lock`. */
static bool inputs_at(const struct merging *g, uint32_t *ret_at) {
    const struct manifest *m = &g->w->manifest;
    uint32_t at = 0;
    while (at < m->count && strcmp(m->segments[at].name, g->from[0].name) != 0) {
        at++;
    }
    bool there = at + g->count <= m->count;
    for (uint32_t i = 0; i < g->count && there; i++) {
        there = strcmp(m->segments[at + i].name, g->from[i].name) == 0;
    }
    *ret_at = at;
    return there;
}

static bool inputs_are_there(const struct merging *g) {
    uint32_t at;
    pthread_mutex_lock(&g->w->manifest_lock);
    bool there = inputs_at(g, &at);
    pthread_mutex_unlock(&g->w->manifest_lock);
    return there;
}

/* Puts the merged segment in the place of its inputs. -ECANCELED: they are not all there any more. */
static int publish(struct merging *g, bool *ret_synced, struct err *ret_err) {
    struct store_writer *w = g->w;
    pthread_mutex_lock(&w->manifest_lock);
    struct manifest next = {0};
    uint32_t at;
    int r = inputs_at(g, &at) ? manifest_copy(&w->manifest, &next) : -ECANCELED;
    r = r ? r : manifest_splice(&next, at, g->count, &g->made);
    if (r == 0) {
        r = writer_publish(w, &next, ret_synced, ret_err);
    } else {
        manifest_done(&next);
    }
    pthread_mutex_unlock(&w->manifest_lock);
    return r;
}

static void remove_segment(const struct store_writer *w, const char *name) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%.4000s/seg/%s", w->folder, name);
    (void)unlink(path);
}

/* A segment that cannot be read stays as it is, and stands in the way of no other. */
static bool leave_damaged(const struct merging *g, int code) {
    struct manifest *m = &g->w->manifest;
    bool damaged = code == -EBADMSG || code == -EPROTO || code == -ENOENT, left = false;
    pthread_mutex_lock(&g->w->manifest_lock);
    for (uint32_t i = 0; i < m->count && damaged && g->bad < g->count; i++) {
        if (strcmp(m->segments[i].name, g->from[g->bad].name) == 0) {
            m->segments[i].damaged = left = true;
        }
    }
    pthread_mutex_unlock(&g->w->manifest_lock);
    return left;
}

static int merge_run(struct merging *g, uint32_t rows, struct err *ret_err) {
    g->bad = g->count;
    int r = open_inputs(g);
    r = r ? r : write_merged(g, rows);
    if (r == -ENOENT && !inputs_are_there(g)) {
        return -ECANCELED;
    }
    if (r) {
        g->left = leave_damaged(g, r);
        return err_set(ret_err, r, "%s: segments from %s on could not be merged: %s", g->w->folder, g->from[0].name,
                       strerror(-r));
    }
    bool synced = false;
    r = publish(g, &synced, ret_err);
    if (r) {
        remove_segment(g->w, g->made.name);
        return r;
    }
    for (uint32_t i = 0; i < g->count && synced; i++) { /* else the next writer's sweep takes them */
        remove_segment(g->w, g->from[i].name);
    }
    writer_count(g->w, STORE_MERGES, 1);
    if (g->overlay.count && synced) { /* what stays after a failure counts for nothing: it is below `folded` */
        (void)overlay_forget(g->w->control, g->made.seq_low, g->made.seq_low + g->made.rows - 1, g->overlay.last_id);
    }
    return 0;
}

static void merging_done(struct merging *g) {
    for (uint32_t i = 0; i < g->count; i++) {
        (void)patch_free(g->patches[i]);
        (void)part_unref(g->parts[i]);
    }
    free(g->patches);
    free(g->parts);
    free(g->from);
    free(g->extra);
    overlay_done(&g->overlay);
}

/* One step: 1: did something, 0: nothing to do. `ret_damage` gets the error of a segment that is damaged: the next step
 * does without it. */
static int merge_step(struct store_writer *w, bool hard, int *ret_damage, struct err *ret_err) {
    struct merging g = {.w = w};
    struct run run;
    char changed[SEGMENT_NAME_MAX];
    bool fold = writer_fold_wanted(w, hard, changed);
    pthread_mutex_lock(&w->manifest_lock);
    bool found = find_run(&w->manifest, hard, &run) || (fold && find_segment(&w->manifest, changed, &run));
    if (found) {
        g.from = malloc(run.count * sizeof(*g.from));
        g.parts = calloc(run.count, sizeof(struct part *));
        g.patches = calloc(run.count, sizeof(struct patch *));
        if (g.from && g.parts && g.patches) {
            memcpy(g.from, w->manifest.segments + run.at, run.count * sizeof(*g.from));
            g.count = run.count;
        }
    }
    pthread_mutex_unlock(&w->manifest_lock);
    int r = 0;
    if (found) {
        r = g.count ? merge_run(&g, run.rows, ret_err) : err_set(ret_err, -ENOMEM, "no memory to merge segments");
    }
    if (g.left) {
        *ret_damage = r;
        r = 0;
    }
    merging_done(&g);
    return r ? r : found;
}

static bool must_stop(struct store_writer *w) {
    pthread_mutex_lock(&w->manifest_lock);
    bool stop = w->merge_stop;
    pthread_mutex_unlock(&w->manifest_lock);
    return stop;
}

/* All there is to merge; retention before each step, so that nothing is merged that goes, and at the end. */
static void work(struct store_writer *w, bool hard) {
    struct err e = {0};
    int retained = 0, damage = 0, r;
    do {
        int code = store_retain(w, &e);
        retained = retained ? retained : code;
        r = merge_step(w, hard, &damage, &e);
    } while ((r > 0 || r == -ECANCELED) && !must_stop(w)); /* cancelled: by retention, so there is less to merge now */
    r = r > 0 || r == -ECANCELED ? 0 : r;
    r = r ? r : damage;
    int last = store_retain(w, &e);
    r = r ? r : retained ? retained : last;
    if (r) {
        writer_count(w, STORE_ERRORS, 1);
    }
    pthread_mutex_lock(&w->manifest_lock);
    w->merge_error = r;
    w->merge_text = e;
    pthread_mutex_unlock(&w->manifest_lock);
}

void *writer_merger(void *ctx) {
    struct store_writer *w = ctx;
    pthread_mutex_lock(&w->manifest_lock);
    while (!w->merge_stop) {
        uint64_t asked = w->merges_asked;
        bool hard = w->merge_hard;
        w->merge_hard = false;
        pthread_mutex_unlock(&w->manifest_lock);
        work(w, hard);
        pthread_mutex_lock(&w->manifest_lock);
        w->merges_done = asked;
        pthread_cond_broadcast(&w->merged);
        if (!w->merge_stop && w->merges_asked == asked) {
            cond_wait_ms(&w->merge_wanted, &w->manifest_lock, 10000);
        }
    }
    pthread_mutex_unlock(&w->manifest_lock);
    return NULL;
}
