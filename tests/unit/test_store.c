/* test_store.c: sessions into a store and out again: from the log, from segments, merged, after a restart; every
 * document must be the one that was appended.
 */
#include <dirent.h>

#include "store/control.h"
#include "store/writing.h"
#include "store_run.h"

#define SEED 7

static void log_only(void **state) {
    (void)state;
    struct store_run s;
    store_run_init(&s, SEED);
    struct store_writer *w = store_run_writer(&s, NULL);
    store_run_append(&s, w, 700);
    assert_int_equal(store_flush(w), 0);
    struct store *store = store_run_open(&s);
    struct snapshot *snapshot = store_snapshot(store);
    assert_int_equal(snapshot_rows(snapshot), 700);
    snapshot_unref(snapshot);
    store_run_compare(&s, store, SEED, 700, 1);
    assert_int_equal(store_damage(store, NULL, NULL), 0);
    store_close(store);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store_run_done(&s);
}

static void sealed(void **state) {
    (void)state;
    struct store_run s;
    store_run_init(&s, SEED);
    struct store_options options = {.node = "unit", .seal_rows = 500};
    struct store_writer *w = store_run_writer(&s, &options);
    struct store *store = store_run_open(&s);
    for (int i = 0; i < 12; i++) {
        store_run_append(&s, w, 250);
        assert_int_equal(store_flush(w), 0);
    }
    struct err e = {0};
    store_run_compare(&s, store, SEED, 3000, 7);
    assert_int_equal(store_compact(w, &e), 0);
    uint64_t counts[STORE_COUNTS];
    store_writer_counts(w, counts);
    assert_true(counts[STORE_SEALS] >= 6);
    assert_true(counts[STORE_MERGES] >= 1);
    assert_int_equal(counts[STORE_ROWS], 3000);
    assert_int_equal(store_writer_close(w, &e), 0);
    store_run_compare(&s, store, SEED, 3000, 3);
    assert_int_equal(store_damage(store, NULL, NULL), 0);
    store_rest(store);
    store_run_compare(&s, store, SEED, 3000, 11);
    store_close(store);
    store_run_done(&s);
}

static uint32_t values_of(struct restorer *r, const struct snapshot *snapshot, uint64_t seq, const char *path,
                          const char *text) {
    size_t part;
    uint32_t row;
    const struct record *back = NULL;
    const struct registry *registry = snapshot_registry(snapshot);
    assert_true(snapshot_find(snapshot, seq, &part, &row));
    assert_int_equal(restorer_read(r, part, row, &back), 0);
    const struct field *f = registry_field(registry, registry_by_path(registry, span_text(path)));
    if (text) {
        return cells_has_text(&back->cells, f, span_text(text));
    }
    return cells_count(&back->cells, f);
}

static void change(struct control *c, uint64_t seq, enum overlay_op op, const char *path, const char *value) {
    struct err e = {0};
    struct overlay_change o = {&seq, 1, op, path, span_text(value), "me"};
    assert_int_equal(overlay_write(c, &o, &e), 0);
}

/* What the overlay says holds for rows in the log, in segments, and after the merge that folds it in. */
static void check_changes(struct store *store) {
    assert_int_equal(store_refresh(store), 0);
    struct snapshot *snapshot = store_snapshot(store);
    struct restorer *r = NULL;
    size_t part;
    uint32_t row;
    assert_int_equal(restorer_new(snapshot, NULL, 0, false, &r), 0);
    assert_int_equal(values_of(r, snapshot, 3, "tags", "seen"), 1);
    assert_int_equal(values_of(r, snapshot, 450, "tags", "seen"), 1);
    assert_int_equal(values_of(r, snapshot, 451, "tags", "seen"), 0);
    assert_int_equal(values_of(r, snapshot, 5, "source.geo.country_iso_code", "DE"), 1);
    assert_int_equal(values_of(r, snapshot, 5, "source.geo.country_iso_code", NULL), 1);
    assert_int_equal(values_of(r, snapshot, 6, "protocol", NULL), 0);
    assert_int_equal(values_of(r, snapshot, 7, "network.vlan.id", NULL), 1);
    assert_false(snapshot_find(snapshot, 9, &part, &row));
    assert_int_equal(snapshot_rows(snapshot), 699);
    restorer_free(r);
    snapshot_unref(snapshot);
}

static void changes(void **state) {
    (void)state;
    struct store_run s;
    struct err e = {0};
    struct control *c = NULL;
    store_run_init(&s, SEED);
    struct store_options options = {.node = "unit", .seal_rows = 300};
    struct store_writer *w = store_run_writer(&s, &options);
    for (int i = 0; i < 7; i++) {
        store_run_append(&s, w, 100);
        assert_int_equal(store_flush(w), 0);
    }
    assert_int_equal(control_open(s.folder, &c, &e), 0);
    change(c, 3, OVERLAY_ADD, "tags", "seen");
    change(c, 450, OVERLAY_ADD, "tags", "seen");
    change(c, 451, OVERLAY_ADD, "tags", "seen");
    change(c, 451, OVERLAY_REMOVE, "tags", "seen");
    change(c, 5, OVERLAY_ADD, "source.geo.country_iso_code", "fr");
    change(c, 5, OVERLAY_ADD, "source.geo.country_iso_code", "de");
    change(c, 6, OVERLAY_SET, "protocol", "");
    change(c, 7, OVERLAY_SET, "network.vlan.id", "77");
    change(c, 9, OVERLAY_DELETE_ROW, "", "");
    struct store *store = store_run_open(&s);
    check_changes(store);
    assert_int_equal(store_compact(w, &e), 0);
    check_changes(store);
    struct overlay_change later = {(const uint64_t[]){9, 3}, 2, OVERLAY_ADD, "tags", SPAN_LITERAL("late"), "me"};
    assert_int_equal(overlay_write(c, &later, &e), 0);
    check_changes(store);
    assert_int_equal(store_damage(store, NULL, NULL), 0);
    store_close(store);
    control_close(c);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store_run_done(&s);
}

/* Pieces of a long session name the first one. */
static void pieces(void **state) {
    (void)state;
    struct store_run s;
    store_run_init(&s, SEED);
    struct store_writer *w = store_run_writer(&s, NULL);
    for (unsigned piece = 1; piece <= 3; piece++) {
        struct record r;
        struct packet_position positions[16];
        store_run_record(&s, &r, positions);
        (void)snprintf(r.id, sizeof(r.id), "%s", "long");
        r.linked = true;
        r.segment = piece;
        assert_int_equal(store_append(w, &r, NULL), 0);
        cells_done(&r.cells);
    }
    assert_int_equal(store_flush(w), 0);
    struct store *store = store_run_open(&s);
    struct snapshot *snapshot = store_snapshot(store);
    struct restorer *restorer = NULL;
    assert_int_equal(restorer_new(snapshot, NULL, 0, false, &restorer), 0);
    char name[SESSION_NAME_MAX];
    session_name_write(0, STORE_RUN_START, name);
    for (uint64_t seq = 0; seq < 3; seq++) {
        assert_int_equal(values_of(restorer, snapshot, seq, "rootId", name), 1);
    }
    restorer_free(restorer);
    snapshot_unref(snapshot);
    store_close(store);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store_run_done(&s);
}

/* Fields made at run time reach a reader that never heard of them. */
static void foreign(void **state) {
    (void)state;
    struct store_run s;
    struct err e = {0};
    store_run_init(&s, SEED);
    static const struct field_def def[] = {
        {.path = "intel.score", .name = "intel.score", .type = FT_FLOAT, .title = "Score", .help = "H"},
        {.path = "intel.id", .name = "intel.id", .type = FT_LOWER, .flags = F_COUNT, .title = "Id", .help = "H"},
    };
    struct registry *own = NULL;
    assert_int_equal(store_run_registry(NULL, def, ARRAY_LEN(def), &own, &e), 0);
    registry_free(s.registry);
    s.registry = own;
    document_plan_free(s.plan);
    s.plan = document_plan_new(own);
    struct store_writer *w = store_run_writer(&s, NULL);
    store_run_append(&s, w, 300);
    assert_int_equal(store_flush(w), 0);
    struct store *store = store_run_open(&s);
    struct snapshot *snapshot = store_snapshot(store);
    uint16_t id = registry_by_path(snapshot_registry(snapshot), SPAN_LITERAL("intel.id"));
    assert_true(id != FIELD_NONE);
    assert_string_equal(registry_field(snapshot_registry(snapshot), id)->def->title, "Id");
    snapshot_unref(snapshot);
    store_run_compare(&s, store, SEED, 300, 1);
    store_close(store);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store_run_done(&s);
}

/* One writer only; a store that is not there. */
static void refused(void **state) {
    (void)state;
    struct store_run s;
    struct err e = {0};
    struct store_writer *w, *second = NULL;
    struct store *store = NULL;
    store_run_init(&s, SEED);
    struct store_options options = {.node = "unit"};
    assert_int_equal(store_open(s.folder, store_run_registry, NULL, 0, &store, &e), -ENOENT);
    assert_int_equal(store_writer_open(s.folder, false, &options, s.registry, &second, &e), -ENOENT);
    w = store_run_writer(&s, NULL);
    assert_int_equal(store_writer_open(s.folder, true, &options, s.registry, &second, &e), -EWOULDBLOCK);
    assert_non_null(strstr(e.hint, "process"));
    assert_int_equal(store_writer_close(w, NULL), 0);
    w = store_run_writer(&s, NULL);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store = store_run_open(&s);
    struct snapshot *snapshot = store_snapshot(store);
    assert_int_equal(snapshot_rows(snapshot), 0);
    snapshot_unref(snapshot);
    store_close(store);
    store_run_done(&s);
}

static void retention(void **state) {
    (void)state;
    struct store_run s;
    struct err e = {0};
    store_run_init(&s, SEED);
    struct store_options options = {.node = "unit", .seal_rows = 100};
    struct store_writer *w = store_run_writer(&s, &options);
    for (int i = 0; i < 8; i++) {
        store_run_append(&s, w, 100);
        assert_int_equal(store_flush(w), 0);
    }
    struct store *store = store_run_open(&s);
    struct snapshot *old = store_snapshot(store);
    assert_int_equal(snapshot_rows(old), 800);
    pthread_mutex_lock(&w->manifest_lock);
    w->options.retain_bytes = 1; /* all of it is too much now */
    pthread_mutex_unlock(&w->manifest_lock);
    assert_int_equal(store_compact(w, &e), 0);
    assert_int_equal(store_refresh(store), 0);
    struct snapshot *snapshot = store_snapshot(store);
    assert_int_equal(snapshot_rows(snapshot), 0);
    snapshot_unref(snapshot);
    snapshot_unref(old);
    store_run_append(&s, w, 100); /* numbers go on */
    assert_int_equal(store_flush(w), 0);
    assert_int_equal(store_refresh(store), 0);
    snapshot = store_snapshot(store);
    assert_int_equal(snapshot_rows(snapshot), 100);
    assert_int_equal(part_info(snapshot_part(snapshot, 0))->seq_low, 800);
    snapshot_unref(snapshot);
    store_close(store);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store_run_done(&s);
}

static size_t segment_files(const struct store_run *s) {
    char path[FILE_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%.4000s/seg", s->folder);
    DIR *d = opendir(path);
    size_t count = 0;
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e; e = readdir(d)) {
        count += strstr(e->d_name, ".seg") != NULL;
    }
    (void)closedir(d);
    return count;
}

/* Retention alone: the oldest go, nothing is merged. */
static void retention_alone(void **state) {
    (void)state;
    struct store_run s;
    struct err e = {0};
    uint64_t counts[STORE_COUNTS], bytes = 0;
    store_run_init(&s, SEED);
    struct store_options options = {.node = "unit", .seal_rows = 100};
    struct store_writer *w = store_run_writer(&s, &options);
    for (int i = 0; i < 8; i++) {
        store_run_append(&s, w, 100);
        assert_int_equal(store_flush(w), 0);
    }
    assert_int_equal(writer_seal_all(w, &e), 0);
    assert_int_equal(store_retain(w, &e), 0); /* without limits nothing goes */
    assert_int_equal(segment_files(&s), 8);
    pthread_mutex_lock(&w->manifest_lock);
    for (uint32_t i = 5; i < 8; i++) {
        bytes += w->manifest.segments[i].size;
    }
    w->options.retain_bytes = bytes;
    pthread_mutex_unlock(&w->manifest_lock);
    assert_int_equal(store_retain(w, &e), 0);
    store_writer_counts(w, counts);
    assert_int_equal(counts[STORE_SEGMENTS_DROPPED], 5);
    assert_int_equal(counts[STORE_ROWS_DROPPED], 500);
    assert_int_equal(counts[STORE_MERGES], 0);
    assert_int_equal(segment_files(&s), 3);
    struct store *store = store_run_open(&s);
    struct snapshot *snapshot = store_snapshot(store);
    assert_int_equal(snapshot_rows(snapshot), 300);
    assert_int_equal(part_info(snapshot_part(snapshot, 0))->seq_low, 500);
    snapshot_unref(snapshot);
    store_close(store);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store_run_done(&s);
}

struct retaining {
    struct store_writer *w;
    atomic_bool over;
};

static void *retain_often(void *ctx) {
    struct retaining *r = ctx;
    struct store_writer *w = r->w;
    struct err e = {0};
    while (!atomic_load(&r->over)) {
        pthread_mutex_lock(&w->manifest_lock);
        w->options.retain_bytes = w->manifest.count > 2 ? w->manifest.segments[0].size * 2 : 0;
        pthread_mutex_unlock(&w->manifest_lock);
        assert_int_equal(store_retain(w, &e), 0);
    }
    return NULL;
}

/* Merges whose segments go under their hands are no failures. */
static void retention_beside_merges(void **state) {
    (void)state;
    struct store_run s;
    struct err e = {0};
    uint64_t counts[STORE_COUNTS];
    pthread_t thread;
    store_run_init(&s, SEED);
    struct store_options options = {.node = "unit", .seal_rows = 50, .durability = DURABLE_NONE};
    struct store_writer *w = store_run_writer(&s, &options);
    struct retaining retaining = {.w = w};
    assert_int_equal(pthread_create(&thread, NULL, retain_often, &retaining), 0);
    for (int i = 0; i < 24; i++) {
        store_run_append(&s, w, 50);
        assert_int_equal(store_flush(w), 0);
        assert_int_equal(i % 4 == 3 ? store_compact(w, &e) : 0, 0);
    }
    atomic_store(&retaining.over, true);
    (void)pthread_join(thread, NULL);
    store_writer_counts(w, counts);
    assert_true(counts[STORE_SEGMENTS_DROPPED] > 0);
    assert_int_equal(counts[STORE_ERRORS], 0);
    assert_int_equal(store_writer_close(w, &e), 0);
    struct store_report report = {0};
    assert_int_equal(store_check(s.folder, false, &report, &e), 0);
    store_run_done(&s);
}

#define APPENDERS 4
#define EACH 400

struct appender {
    struct store_writer *writer;
    const struct registry *registry;
    uint64_t number;
    uint64_t seqs[EACH];
    int code;
};

static void *append_many(void *ctx) {
    struct appender *a = ctx;
    struct pool pool;
    pool_init(&pool, 0);
    for (unsigned i = 0; i < EACH && a->code == 0; i++) {
        struct record r = {.registry = a->registry, .node = "unit", .segment = 1, .last_time = 1700000000000000000};
        r.bytes[0] = a->number * EACH + i;
        cells_init(&r.cells, &pool);
        (void)cells_put_const(&r.cells, registry_field(a->registry, CORE_TAGS), "thread");
        a->code = store_append(a->writer, &r, &a->seqs[i]);
        a->code = a->code == 0 && i % 100 == 50 ? store_flush(a->writer) : a->code;
        cells_done(&r.cells);
    }
    pool_done(&pool);
    return NULL;
}

/* Several threads append while another looks: each session is there once, with what its thread put in. */
static void threads(void **state) {
    (void)state;
    struct store_run s;
    static struct appender appenders[APPENDERS];
    pthread_t ids[APPENDERS];
    store_run_init(&s, SEED);
    struct store_options options = {.node = "unit", .flush_ms = 2, .seal_rows = 150};
    struct store_writer *w = store_run_writer(&s, &options);
    struct store *store = store_run_open(&s);
    for (unsigned i = 0; i < APPENDERS; i++) {
        appenders[i] = (struct appender){.writer = w, .registry = s.registry, .number = i};
        assert_int_equal(pthread_create(&ids[i], NULL, append_many, &appenders[i]), 0);
    }
    uint64_t before = 0;
    for (int look = 0; look < 20; look++) {
        assert_int_equal(store_refresh(store), 0);
        struct snapshot *snapshot = store_snapshot(store);
        assert_true(snapshot_rows(snapshot) >= before);
        before = snapshot_rows(snapshot);
        snapshot_unref(snapshot);
    }
    for (unsigned i = 0; i < APPENDERS; i++) {
        assert_int_equal(pthread_join(ids[i], NULL), 0);
        assert_int_equal(appenders[i].code, 0);
    }
    assert_int_equal(store_flush(w), 0);
    assert_int_equal(store_refresh(store), 0);
    struct snapshot *snapshot = store_snapshot(store);
    struct restorer *r = NULL;
    assert_int_equal(snapshot_rows(snapshot), APPENDERS * EACH);
    assert_int_equal(restorer_new(snapshot, NULL, 0, false, &r), 0);
    for (unsigned i = 0; i < APPENDERS * EACH; i++) {
        size_t part;
        uint32_t row;
        const struct record *back = NULL;
        assert_true(snapshot_find(snapshot, appenders[i / EACH].seqs[i % EACH], &part, &row));
        assert_int_equal(restorer_read(r, part, row, &back), 0);
        assert_int_equal(back->bytes[0], i);
    }
    restorer_free(r);
    snapshot_unref(snapshot);
    store_close(store);
    assert_int_equal(store_writer_close(w, NULL), 0);
    store_run_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_only),  cmocka_unit_test(sealed),          cmocka_unit_test(changes),
        cmocka_unit_test(pieces),    cmocka_unit_test(foreign),         cmocka_unit_test(refused),
        cmocka_unit_test(retention), cmocka_unit_test(retention_alone), cmocka_unit_test(retention_beside_merges),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
