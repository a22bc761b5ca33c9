/* test_store_damage.c: flipped bits in every kind of file of a store: found and named by store_check, survived by
 * readers, and everything that is not hit can still be read; repair leaves a store that is sound again.
 */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "store/guard.h"
#include "store_run.h"

#define SEED 11
#define ROWS 600

/* --- a process that has no room left --- */

static bool no_room;

void *mmap(void *at, size_t len, int rights, int flags, int fd, off_t offset) {
    if (no_room && fd >= 0) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, len, rights, flags, fd, offset);
}

struct heard {
    unsigned problems;
    char last[600];
};

static void hear(void *ctx, bool problem, const char *line) {
    struct heard *h = ctx;
    if (problem) {
        h->problems++;
        (void)snprintf(h->last, sizeof(h->last), "%s", line);
    }
}

static int check(struct store_run *s, bool repair, struct heard *h) {
    *h = (struct heard){0};
    struct store_report report = {hear, h};
    struct err e = {0};
    return store_check(s->folder, repair, &report, &e);
}

/* A store of three segments. */
static void make_store(struct store_run *s) {
    store_run_init(s, SEED);
    struct store_options options = {.node = "unit", .seal_rows = 200};
    struct store_writer *w = store_run_writer(s, &options);
    for (int i = 0; i < 4; i++) {
        store_run_append(s, w, 100);
        assert_int_equal(store_flush(w), 0);
    }
    assert_int_equal(store_writer_close(w, NULL), 0);
    w = store_run_writer(s, NULL);
    store_run_append(s, w, ROWS - 400);
    assert_int_equal(store_flush(w), 0);
    assert_int_equal(store_writer_close(w, NULL), 0);
}

static void flip(const char *path, uint64_t bit) {
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, (off_t)(bit / 8)), 1);
    byte ^= (uint8_t)(1u << (bit & 7));
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(bit / 8)), 1);
    close(fd);
}

/* Reads every session; counts those that come back. */
static unsigned read_all(struct store_run *s, uint64_t *ret_damage) {
    struct store *store = NULL;
    struct err e = {0};
    if (store_open(s->folder, store_run_registry, NULL, 0, &store, &e) != 0) {
        *ret_damage = 1;
        assert_true(e.text[0] != 0);
        return 0;
    }
    struct snapshot *snapshot = store_snapshot(store);
    struct restorer *restorer = NULL;
    assert_int_equal(restorer_new(snapshot, NULL, 0, true, &restorer), 0);
    unsigned back = 0;
    for (uint64_t seq = 0; seq < ROWS; seq++) {
        size_t part;
        uint32_t row;
        const struct record *r = NULL;
        if (snapshot_find(snapshot, seq, &part, &row) && restorer_read(restorer, part, row, &r) == 0) {
            back++;
        }
    }
    *ret_damage = store_damage(store, NULL, NULL);
    restorer_free(restorer);
    snapshot_unref(snapshot);
    store_close(store);
    return back;
}

static unsigned list_files(const char *folder, const char *inner, char (*paths)[600], unsigned room) {
    char path[300];
    unsigned count = 0;
    (void)snprintf(path, sizeof(path), "%.200s/%s", folder, inner);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d)) && count < room;) {
        if (e->d_name[0] != '.') {
            (void)snprintf(paths[count++], sizeof(paths[0]), "%.200s/%.255s", path, e->d_name);
        }
    }
    if (d) {
        closedir(d);
    }
    return count;
}

static void segments(void **state) {
    (void)state;
    struct store_run s;
    struct heard h;
    make_store(&s);
    assert_int_equal(check(&s, false, &h), 0);
    char paths[16][600];
    unsigned count = list_files(s.folder, "seg", paths, 16);
    assert_true(count >= 3);
    struct dice d = {5};
    for (int round = 0; round < 40; round++) {
        const char *path = paths[dice_below(&d, count)];
        struct stat st;
        assert_int_equal(stat(path, &st), 0);
        uint64_t bit = dice_below(&d, (size_t)st.st_size * 8), damage = 0;
        flip(path, bit);
        int problems = check(&s, false, &h);
        if (problems <= 0 && !(bit / 8 >= 8 && bit / 8 < 12) && (uint64_t)st.st_size - bit / 8 > 8) {
            fail_msg("byte %llu of %s is damaged and not found", (unsigned long long)(bit / 8), path);
        }
        unsigned back = read_all(&s, &damage);
        assert_true(back >= ROWS - 200); /* at most one segment is out */
        flip(path, bit);
    }
    assert_int_equal(check(&s, false, &h), 0);
    store_run_done(&s);
}

static void positions(void **state) {
    (void)state;
    struct store_run s;
    struct heard h;
    make_store(&s);
    char paths[16][600];
    unsigned count = list_files(s.folder, "ppos", paths, 16);
    assert_true(count >= 1);
    struct stat st;
    assert_int_equal(stat(paths[0], &st), 0);
    flip(paths[0], (uint64_t)st.st_size * 4);
    assert_true(check(&s, false, &h) > 0);
    assert_non_null(strstr(h.last, "ppos/"));
    uint64_t damage = 0;
    assert_int_equal(read_all(&s, &damage), ROWS);
    store_run_done(&s);
}

static void manifest(void **state) {
    (void)state;
    struct store_run s;
    struct heard h;
    make_store(&s);
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/MANIFEST", s.folder);
    flip(path, 400);
    assert_true(check(&s, false, &h) > 0);
    uint64_t damage = 0;
    assert_int_equal(read_all(&s, &damage), 0);
    assert_true(check(&s, true, &h) > 0);
    assert_int_equal(check(&s, false, &h), 0);
    assert_int_equal(read_all(&s, &damage), ROWS);
    /* A segment that cannot be opened is put aside. */
    char paths[16][600];
    unsigned count = list_files(s.folder, "seg", paths, 16);
    assert_true(count >= 3);
    assert_int_equal(truncate(paths[0], 100), 0);
    assert_true(check(&s, true, &h) > 0);
    assert_int_equal(check(&s, false, &h), 0);
    assert_true(read_all(&s, &damage) < ROWS);
    store_run_done(&s);
}

/* A file that is cut off while it is mapped: what is gone is an error, no signal. */
static void cut_off(void **state) {
    (void)state;
    struct store_run s;
    make_store(&s);
    assert_int_equal(guard_segments(), 0);
    struct store *store = store_run_open(&s);
    struct snapshot *snapshot = store_snapshot(store);
    char paths[16][600];
    unsigned count = list_files(s.folder, "seg", paths, 16), back = 0;
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(truncate(paths[i], 9000), 0);
    }
    struct restorer *restorer = NULL;
    assert_int_equal(restorer_new(snapshot, NULL, 0, false, &restorer), 0);
    for (uint64_t seq = 0; seq < ROWS; seq += 50) {
        size_t part;
        uint32_t row;
        const struct record *r = NULL;
        assert_true(snapshot_find(snapshot, seq, &part, &row));
        back += restorer_read(restorer, part, row, &r) == 0;
    }
    assert_int_equal(back, ROWS / 50); /* with the values that are still there */
    assert_true(store_damage(store, NULL, NULL) > 0);
    restorer_free(restorer);
    snapshot_unref(snapshot);
    store_close(store);
    store_run_done(&s);
}

/* What cannot be opened for a reason of this process is sound for all that repair knows: it stays. */
static void no_memory(void **state) {
    (void)state;
    struct store_run s;
    struct heard h;
    uint64_t damage;
    make_store(&s);
    no_room = true;
    int problems = check(&s, true, &h);
    no_room = false;
    assert_true(problems > 0);
    assert_int_equal(check(&s, false, &h), 0);
    assert_int_equal(read_all(&s, &damage), ROWS);
    store_run_done(&s);
}

struct lines {
    unsigned count;
    bool segment, column, session;
};

static void note_line(void *ctx, bool problem, const char *line) {
    struct lines *l = ctx;
    assert_false(problem);
    l->count++;
    l->segment |= strstr(line, "segments: 3, 600 sessions") != NULL;
    l->column |= strncmp(line, "source.bytes ", 13) == 0;
    l->session |= strncmp(line, "{\"session\":0,", 13) == 0 && strstr(line, "\"node\":[\"unit\"]");
}

static void described(void **state) {
    (void)state;
    struct store_run s;
    struct lines l = {0};
    struct store_report report = {note_line, &l};
    struct err e = {0};
    make_store(&s);
    assert_int_equal(store_describe(s.folder, true, &report, &e), 0);
    assert_true(l.segment && l.column && l.count > 100);
    char paths[16][600];
    assert_true(list_files(s.folder, "seg", paths, 16) >= 3);
    l = (struct lines){0};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(store_dump(s.folder, strrchr(paths[i], '/') + 1, 5, &report, &e), 0);
    }
    assert_true(l.session && l.count == 15);
    assert_int_equal(store_dump(s.folder, "../MANIFEST", 5, &report, &e), -EINVAL);
    assert_true(store_dump(s.folder, "none.seg", 5, &report, &e) < 0);
    store_run_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments),  cmocka_unit_test(positions), cmocka_unit_test(manifest),
        cmocka_unit_test(described), cmocka_unit_test(cut_off),   cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
