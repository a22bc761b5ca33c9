/* test_store_guard.c: segments that lose pages while they are mapped: the process lives, answers leave the segment out
 * and say so, merges do not take zeros for sessions; any other SIGBUS ends the process as ever.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "search_build.h"
#include "store/guard.h"

#define PAGES 4

/* In each test: cmocka takes the signal for itself before. */
static void guard(void **state) {
    (void)state;
    assert_int_equal(guard_segments(), 0);
}

/* A map of PAGES pages of a file of that name. */
static const volatile uint8_t *map_file(const char *name, char path[64], size_t *ret_page) {
    *ret_page = (size_t)sysconf(_SC_PAGESIZE);
    (void)snprintf(path, 64, "/tmp/seine-guard-%d-%s", (int)getpid(), name);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; i < PAGES * *ret_page; i++) {
        uint8_t byte = (uint8_t)(1 + i % 200);
        assert_int_equal(write(fd, &byte, 1), 1);
    }
    void *map = mmap(NULL, PAGES * *ret_page, PROT_READ, MAP_SHARED, fd, 0);
    assert_true(map != MAP_FAILED);
    close(fd);
    return map;
}

/* A lost page reads as zeros, and so does the last one; the others stay. */
static void lost_page(void **state) {
    guard(state);
    char path[64];
    size_t page;
    const volatile uint8_t *at = map_file("a b (deleted) c.seg", path, &page);
    assert_int_equal(truncate(path, (off_t)(2 * page)), 0);
    assert_int_equal(at[0], 1);
    assert_int_equal(at[2 * page + 7], 0);
    assert_int_equal(at[PAGES * page - 1], 0);
    assert_int_equal(at[page], 1 + page % 200);
    assert_int_equal(munmap((void *)(uintptr_t)at, PAGES * page), 0);
    assert_int_equal(unlink(path), 0);
    /* a file that has no name any more */
    at = map_file("gone.seg", path, &page);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(at[page], 0);
    assert_int_equal(at[0], 0);
    assert_int_equal(munmap((void *)(uintptr_t)at, PAGES * page), 0);
}

struct toucher {
    const volatile uint8_t *at;
    size_t page;
    uint64_t sum;
};

static void *touch(void *arg) {
    struct toucher *t = arg;
    for (size_t i = 0; i < 200 * t->page; i++) {
        t->sum += t->at[(i * 67) % (PAGES * t->page)];
    }
    return NULL;
}

static void many_threads(void **state) {
    guard(state);
    for (int round = 0; round < 20; round++) {
        char path[64];
        size_t page;
        pthread_t threads[8];
        struct toucher t = {.at = map_file("threads.seg", path, &page)};
        t.page = page;
        struct toucher all[8];
        for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
            all[i] = t;
            assert_int_equal(pthread_create(&threads[i], NULL, touch, &all[i]), 0);
        }
        assert_int_equal(truncate(path, 0), 0);
        for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        }
        assert_int_equal(munmap((void *)(uintptr_t)t.at, PAGES * page), 0);
        assert_int_equal(unlink(path), 0);
    }
}

/* Ends by the signal: 1 by a page of a file that is no segment, 2 sent. */
static int child_signal(int which) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit none = {0};
        (void)setrlimit(RLIMIT_CORE, &none);
        char path[64];
        size_t page;
        const volatile uint8_t *at = map_file("other.bin", path, &page);
        if (truncate(path, 0) != 0 || unlink(path) != 0) {
            _exit(3);
        }
        if (which == 2) {
            (void)raise(SIGBUS);
        }
        _exit(at[0]);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void others(void **state) {
    guard(state);
    assert_int_equal(child_signal(1), SIGBUS);
    assert_int_equal(child_signal(2), SIGBUS);
}

/* --- searches --- */

static size_t segment_files(const struct build *b, char (*paths)[400], size_t room) {
    char folder[128];
    size_t count = 0;
    (void)snprintf(folder, sizeof(folder), "%s/seg", b->folder);
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) && count < room;) {
        if (e->d_name[0] != '.') {
            (void)snprintf(paths[count++], sizeof(paths[0]), "%s/%.200s", folder, e->d_name);
        }
    }
    closedir(d);
    return count;
}

/* Groups of everything there is, so that all pages of a column are used; how many sessions were counted. */
static uint64_t ask(struct snapshot *s, uint64_t *ret_damaged) {
    struct search *search;
    struct groups *groups;
    struct err e = {0};
    struct search_options options = {.snapshot = s, .threads = 2};
    assert_int_equal(search_new(&options, &search, &e), 0);
    assert_int_equal(search_run(search), 0);
    const struct registry *r = snapshot_registry(s);
    struct group_request q = {.key_count = 1, .keep_missing = true};
    q.keys[0].field.field = registry_field(r, registry_by_path(r, span_text("http.uri")));
    assert_int_equal(search_groups(search, &q, &groups), 0);
    uint64_t count = 0;
    for (size_t i = 0; i < groups->count; i++) {
        count += groups->list[i].count;
    }
    groups_free(groups);
    *ret_damaged = search_damaged(search);
    search_free(search);
    return count;
}

static void searches(void **state) {
    guard(state);
    struct build b;
    struct err e = {0};
    char paths[64][400];
    build_init(&b, 21, 1000);
    for (int i = 0; i < 4; i++) {
        build_append(&b, 900);
        assert_int_equal(store_flush(b.writer), 0);
    }
    assert_int_equal(store_writer_close(b.writer, &e), 0);
    b.writer = NULL;
    struct store *store = NULL;
    assert_int_equal(store_open(b.folder, build_registry, NULL, 0, &store, &e), 0);
    size_t count = segment_files(&b, paths, 64);
    assert_true(count >= 3);
    struct snapshot *s = store_snapshot(store);
    uint64_t damaged = 0, whole = ask(s, &damaged);
    assert_true(whole >= 3600 && damaged == 0);
    struct stat st;
    assert_int_equal(stat(paths[0], &st), 0);
    assert_int_equal(truncate(paths[0], st.st_size / 2), 0);
    uint64_t less = ask(s, &damaged);
    assert_true(less > 0 && less < whole);
    assert_true(damaged >= 1);
    assert_true(store_damage(store, NULL, NULL) >= 1);
    assert_int_equal(ask(s, &damaged), less); /* and so it stays */
    /* Cut inside of its last page: no page is lost, zeros are read. */
    assert_int_equal(stat(paths[1], &st), 0);
    assert_int_equal(truncate(paths[1], st.st_size - 1), 0);
    uint64_t least = ask(s, &damaged);
    assert_true(least > 0 && least < less && damaged >= 2);
    snapshot_unref(s);
    store_close(store);
    build_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_page),
        cmocka_unit_test(many_threads),
        cmocka_unit_test(others),
        cmocka_unit_test(searches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
