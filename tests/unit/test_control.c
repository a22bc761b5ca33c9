/* test_control.c: the control database: migrations, transactions, files and overlay; and the names of sessions. */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "store/control_tables.h"
#include "store/store.h"

static void folder_clear(const char *folder) {
    static const char *const left[] = {"control.db", "control.db-wal", "control.db-shm"};
    for (size_t i = 0; i < ARRAY_LEN(left); i++) {
        char path[80];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, left[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void names(void **state) {
    (void)state;
    struct dice d = {1};
    for (int i = 0; i < 20000; i++) {
        uint64_t seq = dice_u64(&d) >> dice_below(&d, 64), back = 0;
        char name[SESSION_NAME_MAX];
        session_name_write(seq, (int64_t)(dice_u64(&d) >> 22), name);
        assert_true(session_name_parse(span_text(name), &back));
        assert_int_equal(back, seq);
    }
    char name[SESSION_NAME_MAX];
    session_name_write(33, 1764273600000, name);
    assert_string_equal(name, "251127-00011");
    uint64_t seq = 0;
    assert_true(session_name_parse(span_text("3@251127-0001Z"), &seq));
    assert_int_equal(seq, 63);
    static const char *const bad[] = {"",
                                      "251127-",
                                      "251127",
                                      "25112-00011",
                                      "251127-u",
                                      "251127-00000000000000",
                                      "251127-zzzzzzzzzzzzz",
                                      "x51127-00011",
                                      "251127_00011",
                                      "251127-00011 "};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(session_name_parse(span_text(bad[i]), &seq));
    }
}

struct listed {
    unsigned count;
    struct stored_file last;
};

static bool count_file(void *ctx, const struct stored_file *f) {
    struct listed *l = ctx;
    l->count++;
    l->last = *f;
    assert_string_equal(f->node, "n1");
    return true;
}

static void files(void **state) {
    (void)state;
    struct control *c = NULL;
    struct err e = {0};
    assert_int_equal(control_open(NULL, &c, &e), 0);
    struct stored_file f = {
        .name = (char *)"/data/a.pcap", .node = (char *)"n1", .size = 100, .modified = 5, .locked = true};
    uint32_t number = 0, again = 0;
    assert_int_equal(files_add(c, &f, &number, &e), 0);
    assert_int_equal(number, 1);
    assert_int_equal(files_add(c, &f, &again, &e), 0); /* interrupted: the old number */
    assert_int_equal(again, 1);
    f.number = number;
    f.complete = true;
    f.packets = UINT64_MAX;
    assert_int_equal(files_finish(c, &f, &e), 0);
    assert_int_equal(files_add(c, &f, &again, &e), -EEXIST);
    assert_int_equal(again, 1);
    f.modified = 6; /* another file of that name */
    assert_int_equal(files_add(c, &f, &again, &e), 0);
    assert_int_equal(again, 2);
    struct listed l = {0};
    assert_int_equal(files_each(c, count_file, &l), 0);
    assert_int_equal(l.count, 2);
    assert_false(l.last.complete);
    assert_true(l.last.locked);
    control_close(c);
}

struct changes {
    unsigned count;
    uint64_t last_seq;
};

static int count_change(void *ctx, const struct overlay_row *row) {
    struct changes *s = ctx;
    s->count++;
    s->last_seq = row->seq;
    assert_span(row->path, "tags");
    assert_span(row->value, "seen");
    return 0;
}

static void overlay(void **state) {
    (void)state;
    struct control *c = NULL;
    struct err e = {0};
    assert_int_equal(control_open(NULL, &c, &e), 0);
    const uint64_t seqs[] = {1, 7, UINT64_MAX >> 1};
    const struct overlay_change change = {seqs, 3, OVERLAY_ADD, "tags", span_text("seen"), "me"};
    assert_int_equal(overlay_write(c, &change, &e), 0);
    struct changes s = {0};
    assert_int_equal(overlay_each(c, count_change, &s), 0);
    assert_int_equal(s.count, 3);
    assert_true(s.last_seq == UINT64_MAX >> 1);
    assert_int_equal(overlay_forget(c, 0, 7, 1), 0); /* only the first one: the second is younger */
    s.count = 0;
    assert_int_equal(overlay_each(c, count_change, &s), 0);
    assert_int_equal(s.count, 2);
    control_close(c);
}

static void migrations(void **state) {
    (void)state;
    char folder[] = "/tmp/seine-control-XXXXXX";
    assert_non_null(mkdtemp(folder));
    static const char *const one[] = {"CREATE TABLE t (a)"};
    static const char *const two[] = {"CREATE TABLE t (a)", "ALTER TABLE t ADD COLUMN b; INSERT INTO t VALUES (1, 2)"};
    static const char *const wrong[] = {"CREATE TABLE t (a)", "ALTER TABLE t ADD COLUMN b; INSERT INTO t VALUES (1, 2)",
                                        "INSERT INTO t VALUES (3, 4); INSERT INTO absent VALUES (1)"};
    struct control *a = NULL, *b = NULL;
    struct err e = {0};
    assert_int_equal(control_open(folder, &a, &e), 0);
    assert_int_equal(control_open(folder, &b, &e), 0);
    uint64_t before = control_version(b);
    assert_int_equal(control_migrate(a, &(struct control_schema){"m", one, 1}, &e), 0);
    assert_true(control_version(b) != before);
    assert_int_equal(control_migrate(b, &(struct control_schema){"m", two, 2}, &e), 0);
    assert_int_equal(control_migrate(b, &(struct control_schema){"m", two, 2}, &e), 0); /* once only */
    assert_int_equal(control_migrate(a, &(struct control_schema){"m", one, 1}, &e), -EPROTO);
    assert_true(control_migrate(a, &(struct control_schema){"m", wrong, 3}, &e) < 0);
    assert_non_null(strstr(e.text, "absent"));
    control_lock(a);
    sqlite3_stmt *s = control_prepare(a, "SELECT count(*), sum(b) FROM t", &e);
    assert_non_null(s);
    assert_int_equal(control_step(s), 1);
    assert_int_equal(control_u64(s, 0), 1); /* the failed step left nothing */
    assert_int_equal(control_u64(s, 1), 2);
    for (int i = 0; i < 1000; i++) { /* the cache has a ceiling */
        char sql[40];
        (void)snprintf(sql, sizeof(sql), "SELECT %d", i);
        sqlite3_stmt *n = control_prepare(a, sql, &e);
        assert_non_null(n);
        assert_int_equal(control_step(n), 1);
        assert_int_equal(control_u64(n, 0), i);
        sqlite3_reset(n);
    }
    control_unlock(a);
    assert_null(control_prepare(a, "SELECT nothing FROM nowhere", &e));
    control_close(a);
    control_close(b);
    folder_clear(folder);
}

static void reading(void **state) {
    (void)state;
    char folder[] = "/tmp/seine 100%? control-XXXXXX", path[80];
    struct control *c = NULL, *reader = NULL;
    struct err e = {0};
    uint32_t number = 0;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/control.db", folder);
    assert_int_equal(control_open_reader(folder, &reader, &e), -ENOENT);
    assert_int_equal(access(path, F_OK), -1); /* reading makes nothing */

    assert_int_equal(control_open(folder, &c, &e), 0);
    assert_int_equal(control_open_reader(folder, &reader, &e), 0); /* beside a writer */
    struct stored_file f = {.name = (char *)"/data/a.pcap", .node = (char *)"n1", .size = 100};
    assert_int_equal(files_add(c, &f, &number, &e), 0);
    struct listed l = {0};
    assert_int_equal(files_each(reader, count_file, &l), 0);
    assert_int_equal(l.count, 1);
    control_close(reader);
    control_close(c);
    assert_int_equal(control_check(folder, &e), 0);

    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    assert_int_equal(fputs("no database at all", file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(control_check(folder, &e), -EBADMSG);
    assert_int_not_equal(control_open_reader(folder, &reader, &e), 0);
    folder_clear(folder);
}

#define OPENERS 8

/* Several processes open a store that is just being made: none is refused because another one is at it. */
static void opened_at_once(void **state) {
    (void)state;
    for (int round = 0; round < 8; round++) {
        char folder[] = "/tmp/seine-control-XXXXXX";
        pid_t children[OPENERS];
        int go[2];
        assert_non_null(mkdtemp(folder));
        assert_int_equal(pipe(go), 0);
        for (size_t i = 0; i < OPENERS; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0) {
                struct control *c = NULL;
                char byte;
                (void)close(go[1]);
                bool told = read(go[0], &byte, 1) == 0; /* all begin when the pipe is closed */
                struct err why = {0};
                bool opened = told && control_open(folder, &c, &why) == 0;
                if (!opened) {
                    print_error("%s\n", why.text);
                }
                _exit(opened ? 0 : 1);
            }
        }
        (void)close(go[0]);
        (void)close(go[1]);
        unsigned failed = 0;
        for (size_t i = 0; i < OPENERS; i++) {
            int status = 1;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            failed += status != 0;
        }
        assert_int_equal(failed, 0);
        folder_clear(folder);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),      cmocka_unit_test(files),   cmocka_unit_test(overlay),
        cmocka_unit_test(migrations), cmocka_unit_test(reading), cmocka_unit_test(opened_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
