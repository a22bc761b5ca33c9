/* test_store_recovery.c: what a writer makes of a store it did not close itself: damaged logs, changes of sessions that
 * were never durable, and a manifest whose name could not be synced.
 */
#include <stdatomic.h>
#include <sys/syscall.h>

#include "store/control_tables.h"
#include "store/writing.h"
#include "store_run.h"

#define SEED 23
#define FRAME_ROWS 20u
#define FRAMES 5u

/* --- a folder that cannot be synced after a manifest took its name --- */

static atomic_bool armed;
static _Thread_local bool fail_next;

int rename(const char *from, const char *to) {
    size_t len = strlen(to);
    fail_next = armed && len > 9 && strcmp(to + len - 9, "/MANIFEST") == 0;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int fsync(int fd) {
    if (fail_next) {
        fail_next = false;
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

/* --- a log that cannot be cut where a frame was half written --- */

static atomic_int write_fails, cut_fails;

ssize_t write(int fd, const void *at, size_t len) {
    if (len > 8 && write_fails > 0) {
        write_fails--;
        (void)syscall(SYS_write, fd, at, len / 2);
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, at, len);
}

int ftruncate(int fd, off_t len) {
    if (cut_fails > 0) {
        cut_fails--;
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_ftruncate, fd, len);
}

/* --- stores as a kill leaves them --- */

static void read_file(struct store_run *s, const char *name, struct buf *out) {
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    buf_init(out, (size_t)64 << 20);
    assert_int_equal(file_read_all(path, out), 0);
}

static void write_file(struct store_run *s, const char *name, struct span bytes) {
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    assert_true(fd >= 0);
    assert_int_equal(file_write(fd, bytes), 0);
    close(fd);
}

static bool exists(struct store_run *s, const char *name) {
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    return access(path, F_OK) == 0;
}

/* A store whose sessions stand in its first log, FRAMES frames, and nowhere else; `log` gets that file. */
static void make_killed(struct store_run *s, struct buf *log) {
    struct buf manifest;
    char path[300];
    store_run_init(s, SEED);
    struct store_writer *w = store_run_writer(s, NULL);
    for (unsigned i = 0; i < FRAMES; i++) {
        store_run_append(s, w, FRAME_ROWS);
        assert_int_equal(store_flush(w), 0);
    }
    read_file(s, "wal.00000001", log);
    read_file(s, "MANIFEST", &manifest);
    assert_int_equal(store_writer_close(w, NULL), 0);
    write_file(s, "wal.00000001", buf_span(log));
    write_file(s, "MANIFEST", buf_span(&manifest));
    buf_done(&manifest);
    (void)snprintf(path, sizeof(path), "%s/wal.00000002", s->folder);
    (void)unlink(path);
}

/* Where frame number `index` begins. */
static size_t frame_at(const struct buf *log, unsigned index) {
    size_t at = LOG_HEAD;
    for (uint32_t len; index > 0; index--) {
        memcpy(&len, log->data + at, 4);
        at += 8 + (size_t)len;
    }
    assert_true(at <= log->len);
    return at;
}

/* The sessions that can be found are those of `low` to `high`, without the ones from `hole` to `hole_end`. */
static void check_rows(struct store_run *s, uint64_t high, uint64_t hole, uint64_t hole_end) {
    struct store *store = store_run_open(s);
    struct snapshot *snapshot = store_snapshot(store);
    for (uint64_t seq = 0; seq < high + 20; seq++) {
        size_t part;
        uint32_t row;
        bool want = seq < high && !(seq >= hole && seq < hole_end);
        assert_int_equal(snapshot_find(snapshot, seq, &part, &row), want);
    }
    snapshot_unref(snapshot);
    store_close(store);
}

struct heard {
    unsigned problems, put_aside;
};

static void hear(void *ctx, bool problem, const char *line) {
    struct heard *h = ctx;
    h->problems += problem;
    h->put_aside += strstr(line, "wal.00000001.damaged") != NULL;
}

/* A frame's length that leads behind the end of the file, and one that leads into the next frame. */
static void damaged_length(void **state) {
    (void)state;
    static const unsigned bits[] = {25, 3};
    for (size_t i = 0; i < ARRAY_LEN(bits); i++) {
        struct store_run s;
        struct buf log;
        struct err e = {0};
        struct heard heard = {0};
        make_killed(&s, &log);
        log.data[frame_at(&log, 2) + bits[i] / 8] ^= (uint8_t)(1u << bits[i] % 8);
        write_file(&s, "wal.00000001", buf_span(&log));
        struct store_report report = {hear, &heard};
        assert_true(store_check(s.folder, false, &report, &e) > 0);
        assert_true(heard.problems > 0);
        struct store_writer *w = store_run_writer(&s, NULL);
        assert_true(w->damage.count > 0);
        assert_non_null(strstr(w->damage.texts[0], "log 1"));
        store_run_append(&s, w, 10); /* compares the numbers: none is given twice */
        assert_int_equal(store_writer_close(w, NULL), 0);
        check_rows(&s, 110, 40, 60);
        buf_done(&log);
        store_run_done(&s);
    }
}

/* The same in a torn end: cut off, and nothing is named that was not lost. */
static void torn_end(void **state) {
    (void)state;
    struct store_run s;
    struct buf log;
    make_killed(&s, &log);
    write_file(&s, "wal.00000001", span_make(log.data, frame_at(&log, 4) + 50));
    struct store_writer *w = store_run_writer(&s, NULL);
    assert_int_equal(w->damage.count, 0);
    assert_int_equal(w->next_seq, 80);
    s.made = 80;
    store_run_append(&s, w, 10);
    assert_int_equal(store_writer_close(w, NULL), 0);
    check_rows(&s, 90, 0, 0);
    buf_done(&log);
    store_run_done(&s);
}

static void damaged_head(void **state) {
    (void)state;
    for (int last = 0; last < 2; last++) {
        struct store_run s;
        struct buf log, kept;
        make_killed(&s, &log);
        if (!last) {
            write_file(&s, "wal.00000002", buf_span(&log));
        }
        log.data[0] ^= 1;
        write_file(&s, "wal.00000001", buf_span(&log));
        struct store_writer *w = store_run_writer(&s, NULL);
        assert_true(w->damage.count > 0);
        assert_non_null(strstr(w->damage.texts[0], "log 1"));
        s.made = last ? 0 : 100;
        store_run_append(&s, w, 10);
        assert_int_equal(store_writer_close(w, NULL), 0);
        read_file(&s, "wal.00000001.damaged", &kept);
        assert_int_equal(kept.len, log.len);
        assert_memory_equal(kept.data, log.data, log.len);
        buf_done(&kept);
        check_rows(&s, last ? 10 : 110, 0, 0);
        w = store_run_writer(&s, NULL);
        assert_int_equal(store_writer_close(w, NULL), 0);
        struct heard heard = {0};
        struct store_report report = {hear, &heard};
        struct err e = {0};
        assert_int_equal(store_check(s.folder, false, &report, &e), 0);
        assert_int_equal(heard.put_aside, 1);
        buf_done(&log);
        store_run_done(&s);
    }
}

static int count_change(void *ctx, const struct overlay_row *row) {
    assert_int_equal(row->seq, 10);
    ++*(unsigned *)ctx;
    return 0;
}

/* Readers see sessions before they are durable; what was changed of them must not become another session's. */
static void changes_of_lost(void **state) {
    (void)state;
    struct store_run s;
    struct buf log;
    struct err e = {0};
    struct control *c = NULL;
    unsigned changes = 0;
    make_killed(&s, &log);
    write_file(&s, "wal.00000001", span_make(log.data, frame_at(&log, 2)));
    assert_int_equal(control_open(s.folder, &c, &e), 0);
    const uint64_t tagged[] = {10, 40, 60}, gone[] = {61};
    struct overlay_change tag = {tagged, ARRAY_LEN(tagged), OVERLAY_ADD, "tags", span_text("seen"), "me"};
    struct overlay_change del = {gone, ARRAY_LEN(gone), OVERLAY_DELETE_ROW, NULL, {0}, "me"};
    assert_int_equal(overlay_write(c, &tag, &e), 0);
    assert_int_equal(overlay_write(c, &del, &e), 0);
    struct store_writer *w = store_run_writer(&s, NULL);
    assert_int_equal(overlay_each(c, count_change, &changes), 0);
    assert_int_equal(changes, 1);
    s.made = 40;
    store_run_append(&s, w, 60);
    assert_int_equal(store_writer_close(w, NULL), 0);
    check_rows(&s, 100, 0, 0);
    control_close(c);
    buf_done(&log);
    store_run_done(&s);
}

/* Whichever of the two manifests a loss of power leaves, all its files are there. */
static void unsynced_seal(void **state) {
    (void)state;
    struct store_run s;
    struct buf before, after;
    store_run_init(&s, SEED);
    struct store_writer *w = store_run_writer(&s, NULL);
    store_run_append(&s, w, 100);
    assert_int_equal(store_flush(w), 0);
    read_file(&s, "MANIFEST", &before);
    armed = true;
    (void)store_writer_close(w, NULL);
    armed = false;
    check_rows(&s, 100, 0, 0);
    read_file(&s, "MANIFEST", &after);
    write_file(&s, "MANIFEST", buf_span(&before));
    check_rows(&s, 100, 0, 0);
    write_file(&s, "MANIFEST", buf_span(&after));
    w = store_run_writer(&s, NULL);
    store_run_append(&s, w, 20);
    assert_int_equal(store_writer_close(w, NULL), 0);
    check_rows(&s, 120, 0, 0);
    assert_false(exists(&s, "wal.00000001")); /* the clean-up is made up for */
    buf_done(&before);
    buf_done(&after);
    store_run_done(&s);
}

static void unsynced_merge(void **state) {
    (void)state;
    struct store_run s;
    struct buf before;
    store_run_init(&s, SEED);
    for (int i = 0; i < 3; i++) {
        struct store_writer *part = store_run_writer(&s, NULL);
        store_run_append(&s, part, 40);
        assert_int_equal(store_writer_close(part, NULL), 0);
    }
    read_file(&s, "MANIFEST", &before);
    struct store_writer *w = store_run_writer(&s, NULL);
    armed = true;
    (void)store_compact(w, NULL);
    (void)store_writer_close(w, NULL);
    armed = false;
    check_rows(&s, 120, 0, 0);
    write_file(&s, "MANIFEST", buf_span(&before));
    check_rows(&s, 120, 0, 0);
    w = store_run_writer(&s, NULL);
    assert_int_equal(store_compact(w, NULL), 0);
    assert_int_equal(store_writer_close(w, NULL), 0);
    check_rows(&s, 120, 0, 0);
    buf_done(&before);
    store_run_done(&s);
}

static void flush_at_last(struct store_writer *w) {
    int tries = 0;
    while (store_flush(w) != 0) {
        assert_true(++tries < 100);
    }
}

/* What was half written can neither be cut off nor left behind at first: no frame is put behind it, to be cut later. */
static void torn_twice(void **state) {
    (void)state;
    struct store_run s;
    char path[300];
    store_run_init(&s, SEED);
    struct store_writer *w = store_run_writer(&s, NULL);
    store_run_append(&s, w, 20);
    assert_int_equal(store_flush(w), 0);
    write_file(&s, "wal.00000002", (struct span){0}); /* the next log cannot be made */
    cut_fails = 1;
    write_fails = 1;
    store_run_append(&s, w, 20);
    flush_at_last(w);
    write_fails = 1;
    store_run_append(&s, w, 20);
    flush_at_last(w);
    (void)snprintf(path, sizeof(path), "%s/wal.00000002", s.folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_writer_close(w, NULL), 0);
    check_rows(&s, 60, 0, 0);
    store_run_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_length),  cmocka_unit_test(torn_end),      cmocka_unit_test(damaged_head),
        cmocka_unit_test(changes_of_lost), cmocka_unit_test(unsynced_seal), cmocka_unit_test(unsynced_merge),
        cmocka_unit_test(torn_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
