/* ingest_choose.c: what of a list of inputs a store has already, and taking back what an interrupted import left. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "pipeline/ingest.h"
#include "record/values.h"
#include "source/input.h"

struct chooser {
    const struct ingest_options *o;
    struct stored_file *known; /* captures of this node, by name */
    size_t count, room;
    struct stored_file *redo; /* their sessions are to be deleted; as they stand afterwards */
    size_t redo_count, redo_room;
    char **paths;
    size_t path_count;
    bool short_of_memory;
};

static void *grow(void *list, size_t count, size_t *room, size_t size) {
    if (count < *room) {
        return list;
    }
    size_t more = *room ? *room * 2 : 64;
    void *longer = reallocarray(list, more, size);
    if (longer) {
        *room = more;
    }
    return longer;
}

static bool take_known(void *ctx, const struct stored_file *f) {
    struct chooser *c = ctx;
    if (f->gone || strcmp(f->node ? f->node : "", c->o->node) != 0) {
        return true;
    }
    struct stored_file *more = grow(c->known, c->count, &c->room, sizeof(*more));
    char *name = more ? strdup(f->name) : NULL;
    c->known = more ? more : c->known;
    if (!name) {
        c->short_of_memory = true;
        return false;
    }
    struct stored_file *k = &c->known[c->count++];
    *k = *f;
    k->name = name;
    k->node = (char *)c->o->node;
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct stored_file *)a)->name, ((const struct stored_file *)b)->name);
}

static int by_path(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The first of the known ones whose name is not below `name`. */
static size_t lower(const struct chooser *c, const char *name) {
    size_t low = 0, high = c->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(c->known[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* A capture that is `same` keeps its number and is read again under it. No reading will ever complete the number of one
 * that changed: it is gone. */
static int add_redo(struct chooser *c, const struct stored_file *k, bool same) {
    struct stored_file *more = grow(c->redo, c->redo_count, &c->redo_room, sizeof(*more));
    if (!more) {
        return -ENOMEM;
    }
    c->redo = more;
    struct stored_file *f = &c->redo[c->redo_count++];
    *f = *k;
    f->complete = false;
    f->finished_ms = 0;
    f->gone = !same;
    return 0;
}

/* What is known of one path: the file itself, or the members of an archive. */
struct standing {
    unsigned same, incomplete; /* of those with the file's size and time; of all */
};

typedef int (*known_fn)(struct chooser *c, const struct stored_file *k, bool same, struct standing *s);

static int each_of_path(struct chooser *c, const char *path, const struct stat *st, known_fn each, struct standing *s) {
    size_t length = strlen(path);
    int code = 0;
    for (size_t i = lower(c, path); i < c->count && strncmp(c->known[i].name, path, length) == 0 && code == 0; i++) {
        const struct stored_file *k = &c->known[i];
        if (k->name[length] == 0 || k->name[length] == '!') {
            code = each(c, k, k->size == (uint64_t)st->st_size && k->modified == st->st_mtime, s);
        }
    }
    return code;
}

static int count_standing(struct chooser *c, const struct stored_file *k, bool same, struct standing *s) {
    (void)c;
    s->incomplete += !k->complete;
    s->same += same;
    return 0;
}

static int redo_known(struct chooser *c, const struct stored_file *k, bool same, struct standing *s) {
    (void)s;
    return same || !k->complete ? add_redo(c, k, same) : 0;
}

/* 1: to be read, 0: it is in the store, -errno. */
static int choose_path(struct chooser *c, const char *path) {
    struct stat st;
    struct standing s = {0};
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
        return 1; /* reading it will say */
    }
    int code = each_of_path(c, path, &st, count_standing, &s);
    if (s.same && s.incomplete == 0 && !c->o->again) {
        return 0;
    }
    code = each_of_path(c, path, &st, redo_known, &s);
    return code < 0 ? code : 1;
}

/* Absolute paths of all inputs, in their order. */
static int full_paths(struct chooser *c, const struct input_list *all) {
    size_t count = input_list_count(all);
    c->paths = calloc(count + 1, sizeof(*c->paths));
    for (size_t i = 0; i < count && c->paths; i++) {
        const struct input *input = input_list_get(all, i);
        char *path = input->kind == INPUT_FILE ? realpath(input->path, NULL) : NULL;
        c->paths[i] = path ? path : strdup(input->path);
        if (!c->paths[i]) {
            return -ENOMEM;
        }
        c->path_count = i + 1;
    }
    return c->paths ? 0 : -ENOMEM;
}

/* Drops paths that come a second time. */
static int drop_repeated(struct chooser *c) {
    char **sorted = calloc(c->path_count + 1, sizeof(*sorted));
    bool *seen = calloc(c->path_count + 1, sizeof(*seen));
    size_t kept = 0;
    if (sorted && seen) {
        memcpy(sorted, c->paths, c->path_count * sizeof(*sorted));
        qsort(sorted, c->path_count, sizeof(*sorted), by_path);
    }
    for (size_t i = 0; i < c->path_count && sorted && seen; i++) {
        char **at = bsearch(&c->paths[i], sorted, c->path_count, sizeof(*sorted), by_path);
        while (at > sorted && strcmp(at[-1], *at) == 0) {
            at--;
        }
        if (!seen[at - sorted]) {
            char *path = c->paths[i];
            seen[at - sorted] = true;
            c->paths[i] = c->paths[kept];
            c->paths[kept++] = path;
        }
    }
    int code = sorted && seen ? 0 : -ENOMEM;
    for (size_t i = kept; i < c->path_count && code == 0; i++) {
        free(c->paths[i]);
    }
    c->path_count = code == 0 ? kept : c->path_count;
    free(sorted);
    free(seen);
    return code;
}

static int drop_known(struct chooser *c, const struct ingest_skip *skip, struct ingest_choice *choice) {
    size_t kept = 0;
    for (size_t i = 0; i < c->path_count; i++) {
        int wanted = choose_path(c, c->paths[i]);
        if (wanted < 0) {
            return wanted;
        }
        if (wanted) {
            char *path = c->paths[i];
            c->paths[i] = c->paths[kept];
            c->paths[kept++] = path;
        } else {
            choice->skipped++;
            skip->skip(skip->ctx, c->paths[i]);
        }
    }
    for (size_t i = kept; i < c->path_count; i++) {
        free(c->paths[i]);
    }
    c->path_count = kept;
    return 0;
}

/* --- deleting what is read again --- */

struct doomed {
    const struct chooser *c;
    uint64_t *seqs;
    size_t count, room;
    bool hit;       /* of the row at hand */
    uint32_t other; /* a capture that the row at hand has packets of, too, and that is not read again; 0 = none */
    uint32_t fine;  /* an `other` that was looked at and need not be read again; 0 = none */
};

static int by_number(const void *a, const void *b) {
    const struct stored_file *x = a;
    const struct stored_file *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static bool see_file(void *ctx, const struct field *f, const struct value *v) {
    struct doomed *d = ctx;
    struct stored_file key = {.number = (uint32_t)v->u64};
    (void)f;
    bool hit = bsearch(&key, d->c->redo, d->c->redo_count, sizeof(key), by_number) != NULL;
    d->hit |= hit;
    d->other = hit ? d->other : key.number;
    return true;
}

/* The capture, or the archive that it is in, is still there. */
static bool on_disk(const char *name) {
    struct stat st;
    char *path = strdup(name), *cut = NULL;
    while (path && stat(path, &st) < 0 && (cut = strrchr(path, '!'))) {
        *cut = 0;
    }
    bool there = path && stat(path, &st) == 0;
    free(path);
    return there;
}

/* A session that reaches into a capture that stays as it is would lose that one's packets. */
static int check_other(struct doomed *d, struct err *e) {
    const struct chooser *c = d->c;
    if (!c->o->again || d->other == 0 || d->other == d->fine) {
        return 0;
    }
    for (size_t i = 0; i < c->count; i++) {
        const struct stored_file *k = &c->known[i];
        if (k->number == d->other && k->complete && on_disk(k->name)) {
            return err_set(e, -ENOENT, "%s has packets of sessions that would be read again: name it, too", k->name);
        }
    }
    d->fine = d->other;
    return 0;
}

static int find_in_part(struct doomed *d, const struct snapshot *s, size_t index, struct restorer *r, struct err *e) {
    const struct part_info *info = part_info(snapshot_part(s, index));
    const struct field *field =
        registry_field(snapshot_registry(s), registry_by_path(snapshot_registry(s), span_text("fileId")));
    const struct patch *patch = snapshot_patch(s, index);
    for (uint32_t row = 0; row < info->rows; row++) {
        const struct record *record;
        if (patch && patch_row_gone(patch, row)) {
            continue;
        }
        int code = restorer_read(r, index, row, &record);
        if (code < 0) {
            continue; /* damaged: the store's reader counts those */
        }
        d->hit = false;
        d->other = 0;
        record_values(record, field, see_file, d);
        if (!d->hit) {
            continue;
        }
        code = check_other(d, e);
        if (code < 0) {
            return code;
        }
        uint64_t *more = grow(d->seqs, d->count, &d->room, sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        d->seqs = more;
        d->seqs[d->count++] = info->seq_low + row;
    }
    return 0;
}

static int find_doomed(struct doomed *d, struct snapshot *s, struct err *e) {
    struct restorer *r = NULL;
    uint16_t field = registry_by_path(snapshot_registry(s), span_text("fileId"));
    int code = restorer_new(s, &field, 1, false, &r);
    for (size_t i = 0; i < snapshot_parts(s) && code == 0; i++) {
        if (part_find(snapshot_part(s, i), span_text("fileId"))) {
            code = find_in_part(d, s, i, r, e);
        }
    }
    restorer_free(r);
    return code;
}

static int mark_redone(const struct chooser *c, struct err *e) {
    int code = 0;
    for (size_t i = 0; i < c->redo_count && code == 0; i++) {
        code = files_finish(c->o->control, &c->redo[i], e);
    }
    return code;
}

/* All or nothing: a kill leaves either what was there before, or captures that are incomplete and without sessions. */
static int take_back(const struct chooser *c, const struct doomed *d, struct err *e) {
    struct overlay_change change = {.seqs = d->seqs,
                                    .count = d->count,
                                    .op = OVERLAY_DELETE_ROW,
                                    .path = "",
                                    .value = span_text(""),
                                    .user = "import"};
    control_lock(c->o->control);
    int code = control_begin(c->o->control);
    if (code == 0) {
        code = mark_redone(c, e);
        code = code < 0 ? code : overlay_write(c->o->control, &change, e);
        int ended = control_end(c->o->control, code == 0);
        code = code < 0 ? code : ended;
    }
    control_unlock(c->o->control);
    return code;
}

static int delete_partial(struct chooser *c, struct ingest_choice *choice, struct err *e) {
    struct store *store = NULL;
    struct snapshot *s = NULL;
    struct doomed d = {.c = c};
    if (c->redo_count == 0) {
        return 0;
    }
    qsort(c->redo, c->redo_count, sizeof(*c->redo), by_number);
    int code = store_open(c->o->folder, c->o->make, c->o->make_ctx, 0, &store, e);
    if (code == 0) {
        s = store_snapshot(store);
        code = find_doomed(&d, s, e);
    }
    code = code < 0 ? code : take_back(c, &d, e);
    choice->redone = c->redo_count;
    choice->deleted = d.count;
    free(d.seqs);
    snapshot_unref(s);
    store_close(store);
    return code;
}

static void chooser_done(struct chooser *c) {
    for (size_t i = 0; i < c->count; i++) {
        free(c->known[i].name);
    }
    for (size_t i = 0; i < c->path_count; i++) {
        free(c->paths[i]);
    }
    free(c->known);
    free(c->redo);
    free(c->paths);
}

static void nothing_to_say(void *ctx, const char *file, uint64_t offset, const char *what) {
    (void)ctx; /* a file that went away in between is told of when it cannot be opened */
    (void)file;
    (void)offset;
    (void)what;
}

int ingest_choose(const struct ingest_options *options, const struct input_list *all, const struct ingest_skip *skip,
                  struct input_list **ret_list, struct ingest_choice *ret_choice, struct err *ret_err) {
    struct chooser c = {.o = options};
    *ret_choice = (struct ingest_choice){0};
    *ret_list = NULL;
    int code = files_each(options->control, take_known, &c);
    if (code == 0 && c.count) {
        qsort(c.known, c.count, sizeof(*c.known), by_name);
    }
    code = code < 0 ? code : c.short_of_memory ? -ENOMEM : full_paths(&c, all);
    code = code < 0 ? code : drop_repeated(&c);
    code = code < 0 ? code : drop_known(&c, skip, ret_choice);
    if (code == 0) {
        *ret_list = input_list_new((const char *const *)c.paths, c.path_count, nothing_to_say, NULL, NULL);
        code = *ret_list ? 0 : -ENOMEM;
    }
    code = code < 0 ? code : delete_partial(&c, ret_choice, ret_err); /* last: what fails above leaves all in place */
    chooser_done(&c);
    if (code < 0 && ret_err && !ret_err->text[0]) {
        char why[128] = "";
        (void)err_set(ret_err, code, "what the store has cannot be looked through: %s",
                      strerror_r(-code, why, sizeof(why)));
    }
    return code;
}
