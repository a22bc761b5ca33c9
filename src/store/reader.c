/* reader.c: see store.h: opening a store to read, and keeping up with its writer, which may be another process.
 *
 * A look compares the manifest's file, the ends of the logs and the version of control.db with what was seen last. The
 * overlay is read before the manifest: changes that a merge has just folded are then found in the segment.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/util.h"
#include "store/reading.h"

#define DEFAULT_CACHE ((uint64_t)256 << 20)
#define MANIFEST_TRIES 8

static int64_t clock_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- registry --- */

static bool kinds_fit(enum field_type a, enum field_type b) {
    if (type_is_text(a) || type_is_text(b)) {
        return type_is_text(a) && type_is_text(b);
    }
    bool whole_a = a == FT_U64 || a == FT_TIME || a == FT_BOOL, whole_b = b == FT_U64 || b == FT_TIME || b == FT_BOOL;
    return a == b || (whole_a && whole_b);
}

/* Fields of the store that the program does not have: made by configuration, or by another version. */
static size_t foreign_fields(const struct store *s, const struct registry *r, struct field_def *ret) {
    size_t count = 0;
    for (uint32_t i = 0; i < s->schema.count; i++) {
        const struct schema_field *f = s->schema.fields[i];
        bool own = f->path[0] == '.' || strchr(f->path, '~');
        if (own || f->computed || f->companion || registry_by_path(r, span_text(f->path)) != FIELD_NONE) {
            continue;
        }
        ret[count] = f->def;
        ret[count].flags &= ~(uint32_t)F_COMPUTED;
        count++;
    }
    return count;
}

static int make_registry(struct store *s, struct registry **ret, struct err *ret_err) {
    struct registry *r = NULL;
    int code = s->make(s->make_ctx, NULL, 0, &r, ret_err);
    if (code) {
        return code;
    }
    struct field_def *foreign = calloc(MAX(s->schema.count, 1u), sizeof(*foreign));
    size_t count = foreign ? foreign_fields(s, r, foreign) : 0;
    struct registry *whole = NULL;
    struct err e = {0};
    if (count) {
        code = s->make(s->make_ctx, foreign, count, &whole, &e);
        for (size_t i = 0; code && i < count; i++) { /* a name may be taken by now: the path alone will do */
            foreign[i].name = foreign[i].aliases = NULL;
            foreign[i].flags &= ~(uint32_t)F_GEO;
        }
        code = code ? s->make(s->make_ctx, foreign, count, &whole, &e) : 0;
        if (code) {
            damage_add(&s->damage, "fields of the store are not shown: %.120s", e.text);
        }
    }
    free(foreign);
    if (whole && code == 0) {
        (void)registry_free(r);
        r = whole;
    }
    *ret = r;
    return 0;
}

struct registry_ref *registry_ref_make(struct store *s, struct err *ret_err) {
    struct registry_ref *ref = calloc(1, sizeof(*ref));
    if (!ref || make_registry(s, &ref->registry, ret_err) != 0) {
        free(ref);
        return NULL;
    }
    atomic_init(&ref->refs, 1);
    ref->fields = malloc(MAX(s->schema.count, 1u) * sizeof(*ref->fields));
    if (!ref->fields) {
        return registry_unref(ref);
    }
    ref->count = s->schema.count;
    for (uint32_t i = 0; i < ref->count; i++) {
        const struct schema_field *f = s->schema.fields[i];
        uint16_t id = registry_by_path(ref->registry, schema_plain_path(f->path));
        const struct field *known = id == FIELD_NONE ? NULL : registry_field(ref->registry, id);
        ref->fields[i] = known && kinds_fit((enum field_type)known->type, f->type) ? id : FIELD_NONE;
    }
    return ref;
}

/* --- what is new --- */

static int look_at_fields(struct store *s, struct err *ret_err) {
    uint32_t before = s->registry ? s->registry->count : UINT32_MAX;
    int r = schema_load(&s->schema, s->folder, NULL, ret_err);
    if (r || s->schema.count == before) {
        return r;
    }
    struct registry_ref *made = registry_ref_make(s, ret_err);
    if (!made) {
        return -ENOMEM;
    }
    (void)registry_unref(s->registry);
    s->registry = made;
    s->changed = true;
    return 0;
}

static int look_at_overlay(struct store *s) {
    uint64_t version = s->control ? control_version(s->control) : 0;
    if (s->overlay && version == s->control_version) {
        return 0;
    }
    /* Most of what changes in control.db are other tables. What was taken away is part of segments, and ignored. */
    uint64_t newest = s->control ? overlay_newest(s->control) : 0;
    if (s->overlay && newest == s->overlay_newest) {
        s->control_version = version;
        return 0;
    }
    struct overlay_ref *made = calloc(1, sizeof(*made));
    int r = made ? 0 : -ENOMEM;
    if (r == 0) {
        atomic_init(&made->refs, 1);
        r = s->control ? overlay_load(s->control, &made->overlay) : 0;
    }
    if (r) {
        free(made);
        return s->overlay ? 0 : r; /* the old one will do until the next look */
    }
    bool empty = s->overlay && s->overlay->overlay.count == 0 && made->overlay.count == 0;
    (void)overlay_unref(s->overlay);
    s->overlay = made;
    s->control_version = version;
    s->overlay_newest = newest;
    s->changed |= !empty;
    return 0;
}

static struct part *known_segment(const struct store *s, const struct manifest *m, const char *name) {
    for (uint32_t i = 0; i < m->count; i++) {
        if (s->segments[i] && strcmp(m->segments[i].name, name) == 0 && part_whole(s->segments[i])) {
            return part_ref(s->segments[i]);
        }
    }
    return NULL;
}

/* Opens the segments of a manifest; what is open already is used again. -ESTALE: one is gone. */
static int open_segments(struct store *s, const struct manifest *next, struct part ***ret) {
    struct part **parts = calloc((size_t)next->count + 1, sizeof(struct part *));
    char path[FILE_PATH_MAX];
    int r = parts ? 0 : -ENOMEM;
    for (uint32_t i = 0; r == 0 && i < next->count; i++) {
        const char *name = next->segments[i].name;
        parts[i] = known_segment(s, &s->manifest, name);
        if (parts[i]) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%.4000s/seg/%s", s->folder, name);
        r = part_from_file(path, name, &s->cache, &s->damage, &parts[i]);
        bool fits =
            r || (parts[i]->info.rows == next->segments[i].rows && parts[i]->info.seq_low == next->segments[i].seq_low);
        if (!fits) {
            damage_add(&s->damage, "%s: is not what the manifest says", name);
            parts[i] = part_unref(parts[i]);
        }
        if (r == -ENOENT) {
            r = -ESTALE;
        } else if (r == -EBADMSG || r == -EPROTO) {
            r = 0; /* said in the damage; the others can be read */
        }
    }
    if (r) {
        for (uint32_t i = 0; parts && i < next->count; i++) {
            (void)part_unref(parts[i]);
        }
        free(parts);
        return r;
    }
    *ret = parts;
    return 0;
}

static void forget_segments(struct store *s) {
    for (uint32_t i = 0; i < s->manifest.count; i++) {
        (void)part_unref(s->segments[i]);
    }
    free(s->segments);
    s->segments = NULL;
    manifest_done(&s->manifest);
}

/* `last`: a segment that is gone is damage, not a newer manifest. */
static int look_at_manifest(struct store *s, bool last, struct err *ret_err) {
    char path[FILE_PATH_MAX];
    struct stat st;
    int r = file_path(s->folder, "MANIFEST", path);
    if (r || stat(path, &st) != 0) {
        return store_missing(s->folder, r ? r : -errno, ret_err);
    }
    uint64_t stamp[3] = {(uint64_t)st.st_ino, (uint64_t)st.st_mtim.tv_sec, (uint64_t)st.st_mtim.tv_nsec};
    if (s->segments && memcmp(stamp, s->manifest_stamp, sizeof(stamp)) == 0) {
        return 0;
    }
    struct manifest next;
    struct part **parts = NULL;
    r = manifest_read(s->folder, &next, ret_err);
    if (r) {
        return r;
    }
    r = open_segments(s, &next, &parts);
    if (r) {
        manifest_done(&next);
        if (r == -ESTALE && last) {
            return err_set(ret_err, -ENOENT, "%s: a segment that the manifest names is missing", s->folder);
        }
        return r;
    }
    forget_segments(s);
    s->manifest = next;
    s->segments = parts;
    memcpy(s->manifest_stamp, stamp, sizeof(stamp));
    tail_drop(s, next.log);
    s->tail_next = MAX(s->tail_next, next.covered);
    s->changed = true;
    return 0;
}

static int refresh(struct store *s, struct err *ret_err) {
    s->looked = clock_now();
    int r = -ESTALE;
    for (int i = 0; i < MANIFEST_TRIES && r == -ESTALE; i++) {
        r = look_at_overlay(s);
        r = r ? r : look_at_manifest(s, i == MANIFEST_TRIES - 1, ret_err);
        r = r ? r : tail_read(s);
    }
    r = r ? r : look_at_fields(s, ret_err);
    if (r == 0 && (s->changed || !s->current)) {
        r = snapshot_make(s);
    }
    return r;
}

/* --- for callers --- */

int store_open(const char *folder, registry_make_fn make, void *ctx, uint64_t cache_bytes, struct store **ret_store,
               struct err *ret_err) {
    struct store *s = calloc(1, sizeof(*s));
    if (!s || strlen(folder) >= sizeof(s->folder) - 128) {
        free(s);
        return err_set(ret_err, -ENOMEM, "%s: no memory for the store, or its path is too long", folder);
    }
    memcpy(s->folder, folder, strlen(folder));
    s->make = make;
    s->make_ctx = ctx;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->current_lock, NULL);
    pthread_mutex_init(&s->damage.lock, NULL);
    int r = cache_init(&s->cache, (size_t)(cache_bytes ? cache_bytes : DEFAULT_CACHE));
    struct err e = {0};
    r = r ? r : look_at_manifest(s, false, &e);
    if (r == 0 || r == -ESTALE) {
        struct err why = {0};
        if (control_open_reader(folder, &s->control, &why) != 0) {
            s->control = NULL;
            damage_add(&s->damage, "%s: changes of sessions are not shown", why.text);
        }
        r = look_at_fields(s, &e);
        r = r ? r : refresh(s, &e);
    }
    if (r) {
        if (ret_err) {
            *ret_err = e;
        }
        if (!e.code) {
            err_set(ret_err, r, "%s: cannot be read: %s", folder, strerror(-r));
        }
        (void)store_close(s);
        return r;
    }
    *ret_store = s;
    return 0;
}

struct positions_reader *store_take_reader(struct store *s) {
    pthread_mutex_lock(&s->current_lock);
    struct positions_reader *r = s->position_readers;
    if (r) {
        s->position_readers = *positions_reader_next(r);
    }
    pthread_mutex_unlock(&s->current_lock);
    return r ? r : positions_reader_new(s->folder);
}

void store_give_reader(struct store *s, struct positions_reader *r) {
    if (r) {
        pthread_mutex_lock(&s->current_lock);
        *positions_reader_next(r) = s->position_readers;
        s->position_readers = r;
        pthread_mutex_unlock(&s->current_lock);
    }
}

static void free_readers(struct store *s) {
    pthread_mutex_lock(&s->current_lock);
    struct positions_reader *r = TAKE(s->position_readers);
    pthread_mutex_unlock(&s->current_lock);
    while (r) {
        struct positions_reader *next = *positions_reader_next(r);
        (void)positions_reader_free(r);
        r = next;
    }
}

struct store *store_close(struct store *s) {
    if (!s) {
        return NULL;
    }
    (void)snapshot_unref(s->current);
    free_readers(s);
    tail_done(s);
    forget_segments(s);
    (void)registry_unref(s->registry);
    (void)overlay_unref(s->overlay);
    schema_done(&s->schema);
    (void)control_close(s->control);
    cache_done(&s->cache);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->current_lock);
    pthread_mutex_destroy(&s->damage.lock);
    free(s);
    return NULL;
}

struct snapshot *store_snapshot(struct store *s) {
    if (pthread_mutex_trylock(&s->lock) == 0) {
        if (clock_now() - s->looked >= REFRESH_MS) {
            int r = refresh(s, NULL);
            if (r && r != -ESTALE) {
                damage_add(&s->damage, "the newest state cannot be read: %s", strerror(-r));
            }
        }
        pthread_mutex_unlock(&s->lock);
    }
    pthread_mutex_lock(&s->current_lock);
    struct snapshot *snapshot = snapshot_ref(s->current);
    pthread_mutex_unlock(&s->current_lock);
    return snapshot;
}

int store_refresh(struct store *s) {
    pthread_mutex_lock(&s->lock);
    int r = refresh(s, NULL);
    pthread_mutex_unlock(&s->lock);
    return r;
}

uint64_t store_wait(struct store *s, uint64_t version, unsigned ms) {
    int64_t end = clock_now() + ms;
    for (;;) {
        struct snapshot *snapshot = store_snapshot(s);
        uint64_t newest = snapshot->version;
        (void)snapshot_unref(snapshot);
        int64_t left = end - clock_now();
        if (newest > version || left <= 0) {
            return newest;
        }
        struct timespec pause = {.tv_nsec = MIN(left, (int64_t)100) * 1000000};
        (void)nanosleep(&pause, NULL);
    }
}

void store_rest(struct store *s) {
    pthread_mutex_lock(&s->lock);
    cache_rest(&s->cache);
    for (uint32_t i = 0; i < s->manifest.count; i++) {
        if (s->segments[i]) {
            part_rest(s->segments[i]);
        }
    }
    if (s->builder_made) {
        builder_done(&s->builder);
        s->builder_made = false;
    }
    pthread_mutex_unlock(&s->lock);
    free_readers(s);
    (void)malloc_trim(0);
}

uint64_t store_damage(struct store *s, void (*each)(void *ctx, const char *text), void *ctx) {
    pthread_mutex_lock(&s->damage.lock);
    uint64_t count = s->damage.count;
    for (uint64_t i = count > DAMAGE_TEXTS ? count - DAMAGE_TEXTS : 0; each && i < count; i++) {
        each(ctx, s->damage.texts[i % DAMAGE_TEXTS]);
    }
    pthread_mutex_unlock(&s->damage.lock);
    return count;
}
