/* snapshot.c: one state of a store: its parts in the order of their sessions, and the changes over them. */
#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/reading.h"

struct registry_ref *registry_unref(struct registry_ref *r) {
    if (r && atomic_fetch_sub(&r->refs, 1) == 1) {
        (void)registry_free(r->registry);
        free(r->fields);
        free(r);
    }
    return NULL;
}

struct overlay_ref *overlay_unref(struct overlay_ref *o) {
    if (o && atomic_fetch_sub(&o->refs, 1) == 1) {
        overlay_done(&o->overlay);
        free(o);
    }
    return NULL;
}

struct snapshot *snapshot_ref(struct snapshot *s) {
    atomic_fetch_add(&s->refs, 1);
    return s;
}

struct snapshot *snapshot_unref(struct snapshot *s) {
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1) {
        return NULL;
    }
    for (size_t i = 0; i < s->count; i++) {
        (void)patch_free(s->patches[i]);
        (void)part_unref(s->parts[i]);
    }
    free(s->parts);
    free(s->patches);
    (void)registry_unref(s->registry);
    (void)overlay_unref(s->overlay);
    free(s);
    return NULL;
}

uint64_t snapshot_version(const struct snapshot *s) {
    return s->version;
}

const struct registry *snapshot_registry(const struct snapshot *s) {
    return s->registry->registry;
}

uint64_t snapshot_rows(const struct snapshot *s) {
    return s->rows;
}

size_t snapshot_parts(const struct snapshot *s) {
    return s->count;
}

const struct part *snapshot_part(const struct snapshot *s, size_t index) {
    return s->parts[index];
}

const struct patch *snapshot_patch(const struct snapshot *s, size_t part) {
    return s->patches[part];
}

bool snapshot_find(const struct snapshot *s, uint64_t seq, size_t *ret_part, uint32_t *ret_row) {
    size_t low = 0, high = s->count; /* the first part that begins behind it */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (s->parts[middle]->info.seq_low <= seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == 0) {
        return false;
    }
    const struct part *p = s->parts[low - 1];
    uint64_t row = seq - p->info.seq_low;
    if (row >= p->info.rows) {
        return false;
    }
    const struct patch *patch = s->patches[low - 1];
    *ret_part = low - 1;
    *ret_row = (uint32_t)row;
    return !patch || !patch_row_gone(patch, (uint32_t)row);
}

/* --- making --- */

static int add_part(struct store *s, struct snapshot *made, struct part *p, uint64_t folded) {
    int r = patch_make(&s->overlay->overlay, p, folded, &made->patches[made->count]);
    if (r == -EBADMSG) { /* said in the store's damage; the rows are shown as they are */
        made->patches[made->count] = NULL;
        r = 0;
    }
    if (r == 0) {
        made->parts[made->count++] = part_ref(p);
        made->rows += p->info.rows;
        const struct patch *patch = made->patches[made->count - 1];
        for (uint32_t i = 0; patch && patch->gone && i <= p->info.rows / 64; i++) {
            made->rows -= (uint64_t)__builtin_popcountll(patch->gone[i]);
        }
    }
    return r;
}

int snapshot_make(struct store *s) {
    size_t count = s->manifest.count;
    for (uint32_t i = 0; i < s->log_count; i++) {
        count += s->logs[i].count;
    }
    struct snapshot *made = calloc(1, sizeof(*made));
    if (!made) {
        return -ENOMEM;
    }
    atomic_init(&made->refs, 1);
    made->store = s;
    made->parts = calloc(count + 1, sizeof(struct part *));
    made->patches = calloc(count + 1, sizeof(struct patch *));
    int r = made->parts && made->patches ? 0 : -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < s->manifest.count; i++) {
        if (s->segments[i]) {
            r = add_part(s, made, s->segments[i], s->manifest.segments[i].folded);
        }
    }
    for (uint32_t i = 0; r == 0 && i < s->log_count; i++) {
        for (uint32_t k = 0; r == 0 && k < s->logs[i].count; k++) {
            r = add_part(s, made, s->logs[i].parts[k].part, 0);
        }
    }
    if (r) {
        (void)snapshot_unref(made);
        return r;
    }
    atomic_fetch_add(&s->registry->refs, 1);
    atomic_fetch_add(&s->overlay->refs, 1);
    made->registry = s->registry;
    made->overlay = s->overlay;
    made->version = ++s->version;
    pthread_mutex_lock(&s->current_lock);
    struct snapshot *before = s->current;
    s->current = made;
    pthread_mutex_unlock(&s->current_lock);
    (void)snapshot_unref(before);
    s->changed = false;
    return 0;
}
