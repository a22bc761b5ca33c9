/* retain.c: whole segments go, the oldest first: by age, by the bytes of all, by what is free on the disk. A manifest
 * without them is published, then their files are unlinked: nothing is read, and no merge is waited for. One that
 * merges a segment that went finds out when it publishes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/util.h"
#include "store/control_tables.h"
#include "store/writing.h"

static uint64_t free_bytes(const struct store_writer *w) {
    struct statvfs st;
    return statvfs(w->folder, &st) == 0 ? (uint64_t)st.f_bavail * st.f_frsize : UINT64_MAX;
}

/* How many of the first segments must go. */
static uint32_t surplus(const struct store_writer *w) {
    const struct manifest *m = &w->manifest;
    const struct store_options *o = &w->options;
    uint64_t total = 0, free_now = o->free_bytes ? free_bytes(w) : 0;
    for (uint32_t i = 0; i < m->count; i++) {
        total += m->segments[i].size;
    }
    uint32_t drop = 0;
    for (; drop < m->count; drop++) {
        const struct manifest_segment *s = &m->segments[drop];
        bool old = o->retain_seconds && s->arrived_max < wall_ms() - (int64_t)o->retain_seconds * 1000;
        bool large = o->retain_bytes && total > o->retain_bytes;
        bool tight = o->free_bytes && free_now < o->free_bytes;
        if (!old && !large && !tight) {
            break;
        }
        total -= s->size;
        free_now += s->size;
    }
    return drop;
}

static int drop_first(struct store_writer *w, uint32_t drop, struct manifest_segment **ret_gone, bool *ret_synced,
                      struct err *ret_err) {
    struct manifest next;
    int r = manifest_copy(&w->manifest, &next);
    struct manifest_segment *gone = r ? NULL : malloc(drop * sizeof(*gone));
    if (!gone) {
        if (r == 0) {
            manifest_done(&next);
        }
        return err_set(ret_err, -ENOMEM, "no memory to let go of old segments");
    }
    memcpy(gone, next.segments, drop * sizeof(*gone));
    r = manifest_splice(&next, 0, drop, NULL);
    if (r) {
        manifest_done(&next);
    } else {
        r = writer_publish(w, &next, ret_synced, ret_err);
    }
    if (r) {
        free(gone);
        return r;
    }
    *ret_gone = gone;
    return 0;
}

int store_retain(struct store_writer *w, struct err *ret_err) {
    char path[FILE_PATH_MAX];
    struct manifest_segment *gone = NULL;
    pthread_mutex_lock(&w->manifest_lock);
    uint32_t drop = surplus(w);
    bool synced = false;
    int r = drop ? drop_first(w, drop, &gone, &synced, ret_err) : 0;
    pthread_mutex_unlock(&w->manifest_lock);
    if (r || drop == 0) {
        return r;
    }
    for (uint32_t i = 0; i < drop; i++) {
        writer_count(w, STORE_SEGMENTS_DROPPED, 1);
        writer_count(w, STORE_ROWS_DROPPED, gone[i].rows);
        if (!synced) {
            continue; /* the next writer's sweep takes it */
        }
        (void)snprintf(path, sizeof(path), "%.4000s/seg/%s", w->folder, gone[i].name);
        (void)unlink(path);
    }
    if (synced) { /* the oldest segments: no session between them is left */
        const struct manifest_segment *last = &gone[drop - 1];
        (void)overlay_forget(w->control, gone[0].seq_low, last->seq_low + last->rows - 1, UINT64_MAX >> 1);
    }
    free(gone);
    return 0;
}
