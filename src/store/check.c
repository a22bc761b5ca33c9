/* check.c: store_check: every checksum, every value of every column, and whether the files fit each other; repair puts
 * aside what is damaged and makes a manifest of the rest.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "store/control.h"
#include "store/file.h"
#include "store/log.h"
#include "store/manifest.h"
#include "store/part_open.h"
#include "store/positions.h"
#include "store/schema.h"
#include "store/store.h"

#define CHECK_CACHE ((size_t)64 << 20)

struct checking {
    const char *folder;
    const struct store_report *report;
    struct cache cache;
    struct damage damage;
    uint64_t told; /* of the damage's texts */
    int problems;
};

static void say(struct checking *c, bool problem, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void say(struct checking *c, bool problem, const char *format, ...) {
    char line[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    c->problems += problem;
    if (c->report && c->report->say) {
        c->report->say(c->report->ctx, problem, line);
    }
}

/* What reading found since the last time. */
static bool say_damage(struct checking *c) {
    bool any = c->told < c->damage.count;
    for (; c->told < c->damage.count; c->told++) {
        say(c, true, "%s", c->damage.texts[c->told % DAMAGE_TEXTS]);
    }
    return any;
}

/* --- columns --- */

struct counting {
    uint64_t rows, values;
    uint32_t last_row;
};

static bool count_text(void *ctx, uint32_t row, struct span value) {
    struct counting *n = ctx;
    (void)value;
    n->rows += n->values == 0 || row != n->last_row;
    n->last_row = row;
    n->values++;
    return true;
}

/* Values of a dictionary ascend, and each is there. */
static int check_dictionary(struct checking *c, const struct column *col) {
    struct use u;
    struct span before = {0};
    int r = 0;
    use_init(&u);
    for (uint32_t i = 0; i < col->info.values && r == 0; i++) {
        struct span value = {0};
        r = column_value(col, &u, i, &value);
        size_t common = MIN(before.len, value.len);
        int order = i && common ? memcmp(before.at, value.at, common) : 0;
        if (r == 0 && i && (order > 0 || (order == 0 && before.len >= value.len))) {
            say(c, true, "%s: the dictionary of %s is not in order", col->part->name, col->info.path);
            r = -EBADMSG;
        }
        before = value;
    }
    if (r == 0 && col->info.kind == COLUMN_LIST && col->info.lists) {
        const uint32_t *codes;
        uint32_t count;
        r = column_list(col, &u, 0, &codes, &count);
    }
    use_done(&u);
    return r;
}

static int check_block(struct checking *c, const struct column *col, uint32_t block, uint64_t *ret_rows) {
    static const size_t room = PART_BLOCK * sizeof(uint64_t);
    uint64_t *numbers = malloc(room), bits[PART_WORDS];
    if (!numbers) {
        return -ENOMEM;
    }
    struct counting n = {0};
    int r = column_presence(col, block, bits);
    for (uint32_t w = 0; w < PART_WORDS && r >= 0; w++) {
        *ret_rows += (uint64_t)__builtin_popcountll(bits[w]);
    }
    if (r > 0 && col->info.kind == COLUMN_NUMBER) {
        r = column_numbers(col, block, numbers);
    } else if (r > 0 && col->info.kind == COLUMN_RAW) {
        r = column_raw(col, block, NULL, count_text, &n);
        if (r == 0 && n.rows != col->blocks[block].count) {
            say(c, true, "%s: rows of text of %s are missing", col->part->name, col->info.path);
        }
    } else if (r > 0) {
        r = column_codes(col, block, (uint32_t *)(void *)numbers);
    }
    free(numbers);
    return r;
}

static int check_column(struct checking *c, const struct column *col) {
    int r = col->info.kind == COLUMN_CODE || col->info.kind == COLUMN_LIST ? check_dictionary(c, col) : 0;
    uint64_t rows = 0;
    bool damaged = r == -EBADMSG;
    for (uint32_t b = 0; b < col->part->info.blocks && (r >= 0 || r == -EBADMSG); b++) {
        r = check_block(c, col, b, &rows);
        damaged |= r == -EBADMSG;
    }
    if (!damaged && r >= 0 && rows != col->info.present) {
        say(c, true, "%s: %s says %" PRIu64 " rows and has %" PRIu64, col->part->name, col->info.path,
            col->info.present, rows);
    }
    return r == -EBADMSG ? 0 : r;
}

/* 0: sound; 1: some of it is damaged, or it cannot be read now; 2: nothing of it can be read, ever. */
static int check_segment(struct checking *c, const struct manifest_segment *s, const char *name) {
    char path[FILE_PATH_MAX];
    struct part *p = NULL;
    (void)snprintf(path, sizeof(path), "%.4000s/seg/%s", c->folder, name);
    int r = part_from_file(path, name, &c->cache, &c->damage, &p);
    if (r) {
        if (!say_damage(c)) {
            say(c, true, "%s: cannot be opened: %s", name, strerror(-r));
        }
        return r == -EBADMSG || r == -ENOENT ? 2 : 1; /* no memory, no descriptor, a later version: it may be sound */
    }
    int before = c->problems;
    if (s && (p->info.rows != s->rows || p->info.seq_low != s->seq_low || p->size != s->size)) {
        say(c, true, "%s: is not the segment that the manifest describes", name);
    }
    if (p->skipped) {
        say(c, false, "%s: %u columns of a later version are left out", name, p->skipped);
    }
    for (uint32_t i = 0; i < p->count && r >= 0; i++) {
        r = check_column(c, &p->columns[i]);
        (void)say_damage(c);
    }
    if (r < 0) {
        say(c, true, "%s: cannot be checked to its end: %s", name, strerror(-r));
    }
    (void)part_unref(p);
    return c->problems > before;
}

/* --- logs, positions --- */

static void check_log(struct checking *c, uint64_t number, bool last, uint64_t *next) {
    struct log_reader reader;
    struct log_frame f;
    int r = log_reader_open(&reader, c->folder, number);
    if (r) {
        if (!(last && r == -EAGAIN)) {
            say(c, true, "wal.%08" PRIu64 ": cannot be read: %s", number, strerror(-r));
        }
        return;
    }
    while ((r = log_next_whole(&reader, &f)) != 0) {
        if (r == -EBADMSG) {
            uint64_t at = reader.at;
            bool more = log_resync(&reader);
            say(c, more || !last, "wal.%08" PRIu64 ": byte %" PRIu64 ": %s", number, at,
                more || !last ? "a frame is damaged" : "the end is torn; the writer cuts it off when it starts");
            if (!more) {
                break;
            }
            continue;
        }
        if (r < 0) {
            say(c, true, "wal.%08" PRIu64 ": cannot be read: %s", number, strerror(-r));
            break;
        }
        if (f.seq > *next) {
            say(c, true, "wal.%08" PRIu64 ": sessions %" PRIu64 " to %" PRIu64 " are missing", number, *next,
                f.seq - 1);
        }
        *next = MAX(*next, f.seq + f.rows);
    }
    log_reader_done(&reader);
}

static void check_logs(struct checking *c, const struct manifest *m) {
    char path[FILE_PATH_MAX];
    uint64_t next = m->covered;
    for (uint64_t number = m->log;; number++) {
        log_path(c->folder, number, path);
        if (access(path, F_OK) != 0) {
            break;
        }
        log_path(c->folder, number + 1, path);
        check_log(c, number, access(path, F_OK) != 0, &next);
    }
}

/* Logs that a writer put aside because their head was damaged. */
static void tell_put_aside(struct checking *c) {
    DIR *d = opendir(c->folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (strncmp(e->d_name, "wal.", 4) == 0 && strstr(e->d_name, ".damaged")) {
            say(c, false, "%s: a log with a damaged head, put aside; its sessions are not in the store", e->d_name);
        }
    }
    if (d) {
        (void)closedir(d);
    }
}

static void check_positions(struct checking *c) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%.4000s/ppos", c->folder);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.') {
            continue;
        }
        uint64_t extents = 0, bad = 0;
        (void)snprintf(path, sizeof(path), "%.3700s/ppos/%.255s", c->folder, e->d_name);
        int r = positions_check(path, &extents, &bad);
        if (r) {
            say(c, true, "ppos/%s: byte %" PRIu64 ": %s", e->d_name, bad,
                r == -EBADMSG ? "packet positions are damaged" : strerror(-r));
        }
    }
    if (d) {
        (void)closedir(d);
    }
}

static void check_control(struct checking *c, const struct manifest *m) {
    struct err e = {0};
    int r = control_check(c->folder, &e);
    if (r == 0) {
        return;
    }
    bool lost = r == -ENOENT && (m->count > 0 || m->covered > 0);
    if (r != -ENOENT || lost) {
        say(c, true, "%s", e.text);
        say(c, false,
            "control.db: holds names of captures, changes of sessions, users and saved things, and is not repaired "
            "here; `sqlite3 control.db .recover` may save what is left");
    }
}

/* --- repair --- */

/* A segment that is not in the manifest's place any more; its file stays, with another name. */
static void put_aside(struct checking *c, const char *name) {
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX], folder[FILE_PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "%.4000s/damaged", c->folder);
    (void)mkdir(folder, 0750);
    (void)snprintf(from, sizeof(from), "%.3700s/seg/%.255s", c->folder, name);
    (void)snprintf(to, sizeof(to), "%.3700s/damaged/%.255s", c->folder, name);
    if (rename(from, to) == 0) {
        say(c, false, "%s: put into the folder damaged", name);
    }
}

static int by_seq(const void *a, const void *b) {
    const struct manifest_segment *x = a, *y = b;
    return x->seq_low != y->seq_low ? (x->seq_low > y->seq_low) - (x->seq_low < y->seq_low)
                                    : (x->rows < y->rows) - (x->rows > y->rows);
}

static void describe_part(const struct part *p, struct manifest_segment *ret) {
    *ret = (struct manifest_segment){.level = 1, .rows = p->info.rows, .seq_low = p->info.seq_low, .size = p->size};
    ret->first_min = p->info.first_min;
    ret->first_max = p->info.first_max;
    ret->last_min = p->info.last_min;
    ret->last_max = p->info.last_max;
    ret->arrived_min = ret->arrived_max = (int64_t)MIN(p->info.last_max, (uint64_t)INT64_MAX);
    (void)snprintf(ret->name, sizeof(ret->name), "%.47s", p->name);
}

/* Everything in seg/ that can be opened; of segments with the same sessions the larger one. */
static int collect_segments(struct checking *c, struct manifest *m) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%.4000s/seg", c->folder);
    DIR *d = opendir(path);
    int r = d ? 0 : -errno;
    for (struct dirent *e; d && r == 0 && (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        struct part *p = NULL;
        if (len < 5 || len >= SEGMENT_NAME_MAX || strcmp(e->d_name + len - 4, ".seg") != 0) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%.3700s/seg/%.255s", c->folder, e->d_name);
        if (part_from_file(path, e->d_name, &c->cache, &c->damage, &p) != 0) {
            put_aside(c, e->d_name);
            continue;
        }
        struct manifest_segment s;
        describe_part(p, &s);
        r = manifest_splice(m, m->count, 0, &s);
        (void)part_unref(p);
    }
    if (d) {
        (void)closedir(d);
    }
    if (m->count) {
        qsort(m->segments, m->count, sizeof(*m->segments), by_seq);
    }
    for (uint32_t i = 1; i < m->count;) {
        if (m->segments[i].seq_low < m->segments[i - 1].seq_low + m->segments[i - 1].rows) {
            (void)manifest_splice(m, i, 1, NULL);
        } else {
            i++;
        }
    }
    return r;
}

static int first_log(const char *folder, uint64_t *ret) {
    DIR *d = opendir(folder);
    int r = d ? 0 : -errno;
    *ret = 1;
    bool any = false;
    for (struct dirent *e; d && (e = readdir(d));) {
        uint64_t number;
        struct span name = span_text(e->d_name);
        if (span_starts(name, SPAN_LITERAL("wal.")) && span_decimal(span_from(name, 4), UINT64_MAX, &number)) {
            *ret = any ? MIN(*ret, number) : number;
            any = true;
        }
    }
    if (d) {
        (void)closedir(d);
    }
    return r;
}

/* A manifest of what there is: for one that is lost or damaged. */
static int new_manifest(struct checking *c, struct err *ret_err) {
    struct manifest m = {.generation = 1, .next_file = 1};
    (void)snprintf(m.uuid, sizeof(m.uuid), "%032x", 0);
    (void)snprintf(m.node, sizeof(m.node), "local");
    int r = collect_segments(c, &m);
    r = r ? r : first_log(c->folder, &m.log);
    for (uint32_t i = 0; i < m.count; i++) {
        m.covered = m.segments[i].seq_low + m.segments[i].rows;
        const char *number = strchr(m.segments[i].name, '-');
        uint64_t n = number ? strtoull(number + 1, NULL, 10) : 0;
        m.next_file = MAX(m.next_file, n + 1);
    }
    r = r ? err_set(ret_err, r, "%s: cannot be read", c->folder) : manifest_write(c->folder, &m, NULL, ret_err);
    if (r == 0) {
        say(c, false, "MANIFEST: made anew from %u segments", m.count);
    }
    manifest_done(&m);
    return r;
}

/* Takes segments that cannot be opened out of the manifest. */
static int drop_segments(struct checking *c, struct manifest *m, const bool *unreadable, struct err *ret_err) {
    uint32_t dropped = 0;
    for (uint32_t i = m->count; i-- > 0;) {
        if (unreadable[i]) {
            put_aside(c, m->segments[i].name);
            (void)manifest_splice(m, i, 1, NULL);
            dropped++;
        }
    }
    m->generation++;
    return dropped ? manifest_write(c->folder, m, NULL, ret_err) : 0;
}

static int lock_store(const char *folder, int *ret_fd, struct err *ret_err) {
    char path[FILE_PATH_MAX];
    int r = file_path(folder, "LOCK", path);
    *ret_fd = r ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (*ret_fd < 0 || flock(*ret_fd, LOCK_EX | LOCK_NB) != 0) {
        r = r ? r : -errno;
        err_set(ret_err, r, "%s: cannot be repaired while another process writes into it", folder);
    }
    return r;
}

static int check_all(struct checking *c, bool repair, struct err *ret_err) {
    struct manifest m;
    int r = manifest_read(c->folder, &m, ret_err);
    if (r == -EBADMSG || (r == -ENOENT && repair)) {
        say(c, true, "MANIFEST: is damaged or missing");
        r = repair ? new_manifest(c, ret_err) : 0;
        if (r || !repair) {
            return r;
        }
        r = manifest_read(c->folder, &m, ret_err);
    }
    if (r) {
        return r;
    }
    bool *unreadable = calloc(m.count + 1, sizeof(*unreadable));
    if (!unreadable) {
        manifest_done(&m);
        return err_set(ret_err, -ENOMEM, "no memory to check the store");
    }
    for (uint32_t i = 0; i < m.count; i++) {
        unreadable[i] = check_segment(c, &m.segments[i], m.segments[i].name) == 2;
    }
    check_logs(c, &m);
    tell_put_aside(c);
    check_positions(c);
    check_control(c, &m);
    r = repair ? drop_segments(c, &m, unreadable, ret_err) : 0;
    free(unreadable);
    manifest_done(&m);
    return r;
}

int store_check(const char *folder, bool repair, const struct store_report *report, struct err *ret_err) {
    struct checking c = {.folder = folder, .report = report};
    _cleanup_(fd_close) int lock = -1;
    int r = cache_init(&c.cache, CHECK_CACHE);
    r = r ? r : -pthread_mutex_init(&c.damage.lock, NULL);
    if (r) {
        return err_set(ret_err, r, "no memory to check the store");
    }
    r = repair ? lock_store(folder, &lock, ret_err) : 0;
    struct schema schema = {0};
    r = r ? r : schema_load(&schema, folder, NULL, ret_err);
    schema_done(&schema);
    r = r ? r : check_all(&c, repair, ret_err);
    cache_done(&c.cache);
    pthread_mutex_destroy(&c.damage.lock);
    return r ? r : c.problems;
}
