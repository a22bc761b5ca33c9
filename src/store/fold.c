/* fold.c: which segments have so many changes that they are written anew, alone, with the changes in their columns.
 *
 * A merge folds changes in; but a segment that is as large as segments get, or whose neighbours are of another day, is
 * never merged again. Its changes would stay in control.db and in the memory of every reader, which loads all of them
 * whenever there is a new one. So there is a ceiling for one segment and one for all of them.
 */
#include "store/patch.h"
#include "store/writing.h"

#include "base/util.h"

#define CHANGES_LEAST 256u             /* for these alone no segment is written anew */
#define CHANGES_SHARE 64u              /* one change for so many rows is worth it */
#define CHANGES_OF_ALL ((size_t)65536) /* above, the segment with the most is folded */

struct tally {
    size_t live, dead; /* not yet in the columns, and in them */
};

/* Changes of one segment; `*at` goes behind them. Both lists are in the order of session numbers. */
static struct tally tally_of(const struct overlay *o, const struct manifest_segment *s, size_t *at) {
    struct tally t = {0};
    while (*at < o->count && o->changes[*at].seq < s->seq_low) {
        ++*at;
    }
    for (; *at < o->count && o->changes[*at].seq < s->seq_low + s->rows; ++*at) {
        bool folded = o->changes[*at].id <= s->folded;
        t.dead += folded;
        t.live += !folded;
    }
    return t;
}

static bool choose(const struct overlay *o, const struct manifest *m, bool hard, char ret_name[SEGMENT_NAME_MAX]) {
    size_t at = 0, all = 0, most = 0;
    bool due = false;
    for (uint32_t i = 0; i < m->count; i++) {
        const struct manifest_segment *s = &m->segments[i];
        size_t live = tally_of(o, s, &at).live;
        all += live;
        if (live > most && !s->damaged) {
            most = live;
            due = due || hard || live >= MAX(CHANGES_LEAST, s->rows / CHANGES_SHARE);
            memcpy(ret_name, s->name, SEGMENT_NAME_MAX);
        }
    }
    return most && (due || all > CHANGES_OF_ALL);
}

bool writer_fold_wanted(struct store_writer *w, bool hard, char ret_name[SEGMENT_NAME_MAX]) {
    struct overlay o;
    uint64_t newest = overlay_newest(w->control);
    if ((!hard && newest == w->folded_newest) || overlay_load(w->control, &o) != 0) {
        return false; /* one that cannot be loaded is tried again later: nothing is lost meanwhile */
    }
    pthread_mutex_lock(&w->manifest_lock);
    bool found = choose(&o, &w->manifest, hard, ret_name);
    pthread_mutex_unlock(&w->manifest_lock);
    overlay_done(&o);
    w->folded_newest = found ? w->folded_newest : newest;
    return found;
}

void writer_fold_tidy(struct store_writer *w) {
    struct overlay o;
    if (overlay_load(w->control, &o) != 0) {
        return;
    }
    size_t at = 0;
    uint64_t next = 0;
    const uint64_t all = INT64_MAX;
    for (uint32_t i = 0; i < w->manifest.count; i++) { /* a failure leaves rows that count for nothing */
        const struct manifest_segment *s = &w->manifest.segments[i];
        if (at < o.count && o.changes[at].seq < s->seq_low) {
            (void)overlay_forget(w->control, next, s->seq_low - 1, all);
        }
        if (tally_of(&o, s, &at).dead) {
            (void)overlay_forget(w->control, s->seq_low, s->seq_low + s->rows - 1, s->folded);
        }
        next = s->seq_low + s->rows;
    }
    if (at < o.count && o.changes[at].seq < w->manifest.covered && next < w->manifest.covered) {
        (void)overlay_forget(w->control, next, w->manifest.covered - 1, all);
    }
    overlay_done(&o);
}
