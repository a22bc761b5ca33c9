/* test_store_fold.c: changes of segments that are never merged again: many of them are written into the columns, a
 * crash in between costs nothing, and a damaged segment stands in the way of no other.
 */
#include "store/control_tables.h"
#include "store/guard.h"
#include "store/writing.h"
#include "store_run.h"

#define SEED 31
#define ROWS 300u

static int count_change(void *ctx, const struct overlay_row *row) {
    (void)row;
    ++*(unsigned *)ctx;
    return 0;
}

static unsigned changes_left(struct control *c) {
    unsigned count = 0;
    assert_int_equal(overlay_each(c, count_change, &count), 0);
    return count;
}

static void change(struct control *c, uint64_t seq, enum overlay_op op, const char *path, const char *value) {
    struct err e = {0};
    struct overlay_change o = {&seq, 1, op, path, span_text(value), "me"};
    assert_int_equal(overlay_write(c, &o, &e), 0);
}

/* Segments of ROWS sessions each. */
static void make_segments(struct store_run *s, unsigned count) {
    store_run_init(s, SEED);
    for (unsigned i = 0; i < count; i++) {
        struct store_writer *w = store_run_writer(s, NULL);
        store_run_append(s, w, ROWS);
        assert_int_equal(store_writer_close(w, NULL), 0);
    }
}

/* The first segment gets many changes, the second one a few. */
static void make_changes(struct store_run *s, struct control **ret_control) {
    struct err e = {0};
    assert_int_equal(control_open(s->folder, ret_control, &e), 0);
    for (uint64_t seq = 0; seq < ROWS - 1; seq++) {
        change(*ret_control, seq, OVERLAY_ADD, "tags", "seen");
    }
    change(*ret_control, 7, OVERLAY_REMOVE, "tags", "seen");
    change(*ret_control, 8, OVERLAY_DELETE_ROW, "", "");
    for (uint64_t seq = ROWS; seq < ROWS + 10; seq++) {
        change(*ret_control, seq, OVERLAY_ADD, "tags", "other");
    }
}

static void check_changes(struct store_run *s) {
    struct store *store = store_run_open(s);
    struct snapshot *snapshot = store_snapshot(store);
    struct restorer *r = NULL;
    const struct field *tags = registry_field(s->registry, CORE_TAGS);
    assert_int_equal(restorer_new(snapshot, NULL, 0, false, &r), 0);
    assert_int_equal(snapshot_rows(snapshot), 2 * ROWS - 1);
    for (uint64_t seq = 0; seq < 2 * ROWS; seq++) {
        const struct record *back = NULL;
        size_t part;
        uint32_t row;
        assert_int_equal(snapshot_find(snapshot, seq, &part, &row), seq != 8);
        if (seq == 8) {
            continue;
        }
        assert_int_equal(restorer_read(r, part, row, &back), 0);
        bool seen = seq < ROWS - 1 && seq != 7, other = seq >= ROWS && seq < ROWS + 10;
        assert_int_equal(cells_has_text(&back->cells, tags, span_text("seen")), seen);
        assert_int_equal(cells_has_text(&back->cells, tags, span_text("other")), other);
    }
    assert_int_equal(store_damage(store, NULL, NULL), 0);
    restorer_free(r);
    snapshot_unref(snapshot);
    store_close(store);
}

/* A writer that has time to fold. */
static void run_writer(struct store_run *s, struct control *c, unsigned want) {
    struct store_writer *w = store_run_writer(s, NULL);
    for (int i = 0; i < 1000 && changes_left(c) != want; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(store_writer_close(w, NULL), 0);
}

static void alone(void **state) {
    (void)state;
    struct store_run s;
    struct control *c = NULL;
    make_segments(&s, 2);
    make_changes(&s, &c);
    check_changes(&s);
    run_writer(&s, c, 10);
    assert_int_equal(changes_left(c), 10); /* too few to write a segment for */
    check_changes(&s);
    struct err e = {0};
    struct store_writer *w = store_run_writer(&s, NULL);
    assert_int_equal(store_compact(w, &e), 0);
    assert_int_equal(store_writer_close(w, NULL), 0);
    assert_int_equal(changes_left(c), 0);
    check_changes(&s);
    control_close(c);
    store_run_done(&s);
}

/* A lone segment, too: what is asked for by hand leaves no change behind. */
static void by_hand(void **state) {
    (void)state;
    struct store_run s;
    struct control *c = NULL;
    struct err e = {0};
    make_segments(&s, 1);
    assert_int_equal(control_open(s.folder, &c, &e), 0);
    change(c, 3, OVERLAY_ADD, "tags", "seen");
    struct store_writer *w = store_run_writer(&s, NULL);
    assert_int_equal(store_compact(w, &e), 0);
    assert_int_equal(changes_left(c), 0);
    assert_int_equal(store_writer_close(w, NULL), 0);
    control_close(c);
    store_run_done(&s);
}

/* Killed between the manifest and taking the changes away: they are in both places, count once, and go at the start. */
static void killed(void **state) {
    (void)state;
    struct store_run s;
    struct control *c = NULL;
    struct err e = {0};
    struct buf before;
    char path[300];
    make_segments(&s, 2);
    make_changes(&s, &c);
    unsigned all = changes_left(c);
    c = control_close(c);
    (void)snprintf(path, sizeof(path), "%s/control.db", s.folder);
    buf_init(&before, (size_t)64 << 20);
    assert_int_equal(file_read_all(path, &before), 0);
    assert_int_equal(control_open(s.folder, &c, &e), 0);
    run_writer(&s, c, 10);
    c = control_close(c);
    assert_int_equal(file_replace(s.folder, "control.db", buf_span(&before), NULL), 0);
    buf_done(&before);
    assert_int_equal(control_open(s.folder, &c, &e), 0);
    assert_int_equal(changes_left(c), all);
    check_changes(&s);
    run_writer(&s, c, 10);
    assert_int_equal(changes_left(c), 10);
    check_changes(&s);
    control_close(c);
    store_run_done(&s);
}

static unsigned segment_count(struct store_run *s, char first[300]) {
    struct manifest m;
    struct err e = {0};
    assert_int_equal(manifest_read(s->folder, &m, &e), 0);
    unsigned count = m.count;
    (void)snprintf(first, 300, "%s/seg/%s", s->folder, m.segments[0].name);
    manifest_done(&m);
    return count;
}

static void beside_damage(void **state) {
    (void)state;
    struct store_run s;
    struct err e = {0};
    struct store_writer *w;
    char first[300], after[300];
    assert_int_equal(guard_segments(), 0);
    make_segments(&s, 4);
    assert_int_equal(segment_count(&s, first), 4);
    assert_int_equal(truncate(first, 3000), 0);
    w = store_run_writer(&s, NULL);
    assert_true(store_compact(w, &e) < 0); /* says so */
    assert_true(strstr(e.text, "could not be merged") != NULL);
    assert_int_equal(store_writer_close(w, NULL), 0);
    assert_int_equal(segment_count(&s, after), 2); /* and merges the others */
    assert_string_equal(first, after);
    store_run_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(by_hand),
        cmocka_unit_test(killed),
        cmocka_unit_test(beside_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
