/* ingest.c: see ingest.h. What a walk finds goes into the store; per capture and worker it is counted what did. */
#include "pipeline/ingest.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/util.h"

#define NS_PER_MS 1000000

/* What one worker stored of one capture. */
struct tally {
    uint64_t sessions, packets, bytes;
    int64_t first, last; /* ns; of sessions that begin or end in it */
};

struct lane {
    struct packet_position *positions;
    size_t room;
    struct tally *tallies; /* by the run's number - 1 */
    uint32_t count;
} __attribute__((aligned(64)));

/* A capture of this walk. */
struct target {
    uint32_t number; /* of the store */
    char *name;
    size_t path_len; /* of its name: the file on disk; what follows is the member of an archive */
    uint64_t size;
    int64_t modified, started_ms;
    bool compressed;
};

struct ingest {
    struct ingest_options options;
    struct lane lanes[WALK_WORKERS_MAX];
    pthread_rwlock_t lock; /* targets: ingest_file makes the array longer */
    struct target *targets;
    uint32_t count, room;
    pthread_mutex_t shared; /* of what workers tell each other, and of the tallies' arrays as they grow */
    uint32_t passed[WALK_WORKERS_MAX];
    uint32_t *reach; /* by the run's number - 1: lowest number of a capture that a session of it began in; 0 = itself */
    uint32_t reach_room;
    uint32_t complete; /* captures that are known to be, in the store; the main thread's */
    uint64_t sessions; /* atomic */
    int failed;        /* atomic */
    struct err why;    /* of a failure in ingest_file */
};

static int64_t now_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / NS_PER_MS;
}

static void fail(struct ingest *g, int code) {
    int none = 0;
    (void)__atomic_compare_exchange_n(&g->failed, &none, code, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

int ingest_new(const struct ingest_options *options, struct ingest **ret_ingest, struct err *ret_err) {
    struct ingest *g = aligned_alloc(64, sizeof(*g));
    if (!g) {
        return err_set(ret_err, -ENOMEM, "no memory to fill the store with");
    }
    memset(g, 0, sizeof(*g));
    g->options = *options;
    (void)pthread_rwlock_init(&g->lock, NULL);
    (void)pthread_mutex_init(&g->shared, NULL);
    *ret_ingest = g;
    return 0;
}

struct ingest *ingest_free(struct ingest *g) {
    if (g) {
        for (size_t i = 0; i < ARRAY_LEN(g->lanes); i++) {
            free(g->lanes[i].positions);
            free(g->lanes[i].tallies);
        }
        for (uint32_t i = 0; i < g->count; i++) {
            free(g->targets[i].name);
        }
        free(g->targets);
        free(g->reach);
        (void)pthread_rwlock_destroy(&g->lock);
        (void)pthread_mutex_destroy(&g->shared);
        free(g);
    }
    return NULL;
}

/* --- captures --- */

/* Standard input goes by the name of the file that keeps it. */
static char *stored_name(const struct ingest *g, const char *name) {
    char *full = NULL;
    bool standard = name[0] == '-' && (name[1] == 0 || name[1] == '!');
    if (standard && g->options.stand_in) {
        return asprintf(&full, "%s%s", g->options.stand_in, name + 1) < 0 ? NULL : full;
    }
    return strdup(name);
}

/* Size and time of the file on disk: of the archive when the name is that of a member. */
static void look_at(struct target *t) {
    struct stat st;
    char *path = strdup(t->name), *cut = NULL;
    while (path && stat(path, &st) < 0 && (cut = strrchr(path, '!'))) {
        *cut = 0;
    }
    if (path && stat(path, &st) == 0) {
        t->size = (uint64_t)st.st_size;
        t->modified = st.st_mtime;
        t->path_len = strlen(path);
    }
    free(path);
}

static struct stored_file describe(const struct ingest *g, const struct target *t) {
    return (struct stored_file){.number = t->number,
                                .name = t->name,
                                .node = (char *)g->options.node,
                                .size = t->size,
                                .modified = t->modified,
                                .started_ms = t->started_ms,
                                .locked = true,
                                .compressed = t->compressed};
}

static int add_target(struct ingest *g, const struct capture_file *file) {
    if (g->count == g->room) {
        uint32_t room = g->room ? g->room * 2 : 64;
        struct target *more = reallocarray(g->targets, room, sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        g->targets = more;
        g->room = room;
    }
    struct target t = {.started_ms = now_ms(), .compressed = file->compressed, .name = stored_name(g, file->name)};
    if (!t.name) {
        return -ENOMEM;
    }
    look_at(&t);
    struct stored_file f = describe(g, &t);
    control_lock(g->options.control);
    int code = files_add(g->options.control, &f, &t.number, &g->why);
    control_unlock(g->options.control);
    if (code == -EEXIST) { /* twice in one run: both readings belong to it, and it is complete with the second one */
        g->why = (struct err){0};
        f.number = t.number;
        code = files_finish(g->options.control, &f, &g->why);
    }
    if (code < 0) {
        free(t.name);
        return code;
    }
    g->targets[g->count++] = t;
    return 0;
}

void ingest_file(struct ingest *g, const struct capture_file *file) {
    (void)pthread_rwlock_wrlock(&g->lock);
    int code = file->number == g->count + 1 ? add_target(g, file) : -EINVAL;
    (void)pthread_rwlock_unlock(&g->lock);
    if (code < 0) {
        fail(g, code);
    }
}

/* --- sessions --- */

static struct tally *lane_tally(struct ingest *g, struct lane *lane, uint32_t file) {
    if (file > lane->count) {
        uint32_t count = MAX(file, lane->count * 2);
        (void)pthread_mutex_lock(&g->shared); /* the main thread adds up */
        struct tally *more = reallocarray(lane->tallies, count, sizeof(*more));
        if (more) {
            memset(more + lane->count, 0, (count - lane->count) * sizeof(*more));
            lane->tallies = more;
            lane->count = count;
        }
        (void)pthread_mutex_unlock(&g->shared);
        if (!more) {
            return NULL;
        }
    }
    return &lane->tallies[file - 1];
}

/* The positions with the store's numbers. */
static int map_positions(struct ingest *g, struct lane *lane, const struct record *r) {
    if (r->position_count > lane->room) {
        size_t room = MAX((size_t)r->position_count, lane->room * 2);
        struct packet_position *more = reallocarray(lane->positions, room, sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        lane->positions = more;
        lane->room = room;
    }
    int code = 0;
    (void)pthread_rwlock_rdlock(&g->lock);
    for (uint32_t i = 0; i < r->position_count && code == 0; i++) {
        uint32_t file = r->positions[i].file;
        lane->positions[i] = r->positions[i];
        code = file && file <= g->count ? 0 : -EINVAL;
        lane->positions[i].file = code == 0 ? g->targets[file - 1].number : 0;
    }
    (void)pthread_rwlock_unlock(&g->lock);
    return code;
}

/* A session of capture `file` began in `low`, an earlier one. */
static int note_reach(struct ingest *g, uint32_t file, uint32_t low) {
    int code = 0;
    (void)pthread_mutex_lock(&g->shared);
    if (file > g->reach_room) {
        uint32_t room = MAX(file, g->reach_room * 2);
        uint32_t *more = reallocarray(g->reach, room, sizeof(*more));
        code = more ? 0 : -ENOMEM;
        if (more) {
            memset(more + g->reach_room, 0, (room - g->reach_room) * sizeof(*more));
            g->reach = more;
            g->reach_room = room;
        }
    }
    if (code == 0) {
        uint32_t *at = &g->reach[file - 1];
        *at = *at ? MIN(*at, low) : low;
    }
    (void)pthread_mutex_unlock(&g->shared);
    return code;
}

static int count_record(struct ingest *g, struct lane *lane, const struct record *r) {
    uint32_t low = r->first_file ? r->first_file : UINT32_MAX, before = 0;
    int code = 0;
    for (uint32_t i = 0; i < r->position_count; i++) {
        low = MIN(low, r->positions[i].file);
    }
    for (uint32_t i = 0; i < r->position_count && code == 0; i++) {
        struct tally *t = lane_tally(g, lane, r->positions[i].file);
        if (!t) {
            return -ENOMEM;
        }
        t->packets++;
        t->bytes += r->positions[i].captured;
        if (r->positions[i].file != before) {
            before = r->positions[i].file;
            t->sessions += i == 0 || r->positions[i].file > r->positions[i - 1].file;
            code = before > low ? note_reach(g, before, low) : 0;
        }
    }
    if (r->position_count && code == 0) {
        struct tally *t = lane_tally(g, lane, r->positions[0].file);
        t->first = t->first ? MIN(t->first, r->first_time) : r->first_time;
        t = lane_tally(g, lane, r->positions[r->position_count - 1].file);
        t->last = MAX(t->last, r->last_time);
    }
    return code;
}

void ingest_record(struct ingest *g, unsigned worker, struct record *r) {
    struct lane *lane = &g->lanes[worker];
    if (ingest_failed(g)) {
        return;
    }
    int code = map_positions(g, lane, r);
    if (code == 0) {
        const struct packet_position *own = r->positions;
        r->name_files = true;
        r->positions = lane->positions;
        code = store_append(g->options.writer, r, NULL);
        r->positions = own;
    }
    if (code == 0) {
        (void)__atomic_add_fetch(&g->sessions, 1, __ATOMIC_RELAXED);
        code = count_record(g, lane, r);
    }
    if (code < 0) {
        fail(g, code);
    }
}

uint64_t ingest_sessions(const struct ingest *g) {
    return __atomic_load_n(&g->sessions, __ATOMIC_RELAXED);
}

int ingest_failed(const struct ingest *g) {
    return __atomic_load_n(&g->failed, __ATOMIC_RELAXED);
}

/* --- captures that are complete --- */

void ingest_passed(struct ingest *g, unsigned worker, uint32_t files) {
    (void)pthread_mutex_lock(&g->shared);
    g->passed[worker] = files;
    (void)pthread_mutex_unlock(&g->shared);
}

/* Of a capture that no worker counts in any more, or of all when they have ended. */
static struct tally sum_tallies(struct ingest *g, uint32_t index) {
    struct tally all = {0};
    (void)pthread_mutex_lock(&g->shared);
    for (size_t i = 0; i < ARRAY_LEN(g->lanes); i++) {
        if (index >= g->lanes[i].count) {
            continue;
        }
        const struct tally *t = &g->lanes[i].tallies[index];
        all.sessions += t->sessions;
        all.packets += t->packets;
        all.bytes += t->bytes;
        all.first = t->first && (!all.first || t->first < all.first) ? t->first : all.first;
        all.last = MAX(all.last, t->last);
    }
    (void)pthread_mutex_unlock(&g->shared);
    return all;
}

static bool same_archive(const struct target *a, const struct target *b) {
    return a->path_len == b->path_len && a->name[a->path_len] == '!' && strncmp(a->name, b->name, a->path_len + 1) == 0;
}

/* The members of an archive are read again together, so they are complete together: not one before the next one's
 * archive is known to be another. */
static uint32_t without_split(struct ingest *g, uint32_t complete) {
    (void)pthread_rwlock_rdlock(&g->lock);
    complete = MIN(complete, g->count);
    while (complete && complete < g->count && same_archive(&g->targets[complete - 1], &g->targets[complete])) {
        complete--;
    }
    (void)pthread_rwlock_unlock(&g->lock);
    return complete;
}

/* How many captures, the first ones, have all their sessions in the store, of `read` that have been read. A session
 * that reaches from one into another that is not complete is deleted when that one is read again; so both must be. */
static uint32_t complete_files(struct ingest *g, uint32_t read) {
    uint32_t complete, before = read;
    for (;;) {
        complete = without_split(g, before);
        (void)pthread_mutex_lock(&g->shared);
        for (uint32_t i = g->reach_room; i > complete; i--) {
            uint32_t low = g->reach[i - 1];
            complete = low ? MIN(complete, low - 1) : complete;
        }
        (void)pthread_mutex_unlock(&g->shared);
        if (complete == before) {
            return complete;
        }
        before = complete;
    }
}

static uint32_t passed_by_all(struct ingest *g, unsigned workers) {
    uint32_t passed = UINT32_MAX;
    (void)pthread_mutex_lock(&g->shared);
    for (unsigned i = 0; i < workers; i++) {
        passed = MIN(passed, g->passed[i]);
    }
    (void)pthread_mutex_unlock(&g->shared);
    return passed;
}

static int finish_file(struct ingest *g, uint32_t index, bool complete, struct err *e) {
    struct target *t = &g->targets[index];
    struct tally all = sum_tallies(g, index);
    look_at(t); /* standard input grew in the meantime */
    struct stored_file f = describe(g, t);
    f.first_ms = all.first / NS_PER_MS;
    f.last_ms = all.last / NS_PER_MS;
    f.finished_ms = complete ? now_ms() : 0;
    f.sessions = all.sessions;
    f.packets = all.packets;
    f.packet_bytes = all.bytes;
    f.complete = complete;
    return files_finish(g->options.control, &f, e);
}

/* Facts of the captures from `first` on, up to `end`, in one transaction. */
static int finish_files(struct ingest *g, uint32_t first, uint32_t end, uint32_t complete, struct err *e) {
    (void)pthread_rwlock_rdlock(&g->lock); /* before the control's: so does ingest_file */
    control_lock(g->options.control);
    int code = control_begin(g->options.control);
    for (uint32_t i = first; i < MIN(end, g->count) && code == 0; i++) {
        code = finish_file(g, i, i < complete, e);
    }
    int ended = control_end(g->options.control, code == 0);
    control_unlock(g->options.control);
    (void)pthread_rwlock_unlock(&g->lock);
    return code < 0 ? code : ended;
}

int ingest_checkpoint(struct ingest *g, unsigned workers) {
    uint32_t complete = complete_files(g, passed_by_all(g, workers));
    if (complete <= g->complete || ingest_failed(g)) {
        return 0;
    }
    int code = store_flush(g->options.writer);
    code = code < 0 ? code : finish_files(g, g->complete, complete, complete, NULL);
    g->complete = code == 0 ? complete : g->complete;
    return code;
}

int ingest_finish(struct ingest *g, const struct walk_stats *stats, uint32_t *ret_incomplete, struct err *ret_err) {
    int code = ingest_failed(g);
    if (code < 0) {
        if (ret_err) {
            *ret_err = g->why;
        }
    } else {
        code = store_flush(g->options.writer);
    }
    uint32_t complete = code < 0 ? 0 : complete_files(g, MIN(stats->files_read, g->count));
    complete = MAX(complete, g->complete);
    *ret_incomplete = g->count - complete;
    int ended = finish_files(g, g->complete, g->count, complete, ret_err);
    code = code < 0 ? code : ended;
    if (code < 0 && ret_err && !ret_err->text[0]) {
        char why[128] = "";
        (void)err_set(ret_err, code, "the store cannot be written: %s", strerror_r(-code, why, sizeof(why)));
        if (code == -ENOSPC || code == -EDQUOT) {
            err_hint(ret_err, "free some space and run the same command again: it goes on with what is missing");
        }
    }
    return code;
}
