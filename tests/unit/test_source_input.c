/* test_source_input.c: which files a list of paths, folders and globs means; and that two sources number them alike. */
#include "capture_build.h"

#include <pthread.h>

#include "base/util.h"
#include "source/place.h"

static void capture_at(const char *folder, const char *name, uint32_t packets) {
    char path[512];
    struct bytes b = {0};
    pcap_head(&b, 0xa1b2c3d4, 65535, 1);
    for (uint32_t n = 0; n < packets; n++) {
        pcap_record(&b, n, 1500000000 + n, 0, 60);
    }
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file_write(path, b.at, b.len);
    bytes_done(&b);
}

static void text_at(const char *folder, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    file_write(path, text, strlen(text));
}

static void folder_at(const char *folder, const char *name) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void names_are(const struct seen *s, const char *folder, const char *const *names, size_t count) {
    assert_int_equal(s->names, count);
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        assert_string_equal(s->name[i], path);
    }
}

static int setup(void **state) {
    char *folder = folder_new();
    folder_at(folder, "b");
    folder_at(folder, "b/deep");
    folder_at(folder, ".hidden");
    folder_at(folder, "empty");
    capture_at(folder, "c.pcap", 3);
    capture_at(folder, "a.pcapng", 1); /* named wrongly, still a capture */
    capture_at(folder, "b/2.cap", 2);
    capture_at(folder, "b/10.DMP", 2);
    capture_at(folder, "b/deep/capture_of_today", 4); /* by its first bytes */
    capture_at(folder, ".hidden/x.pcap", 1);
    capture_at(folder, ".secret.pcap", 1);
    text_at(folder, "notes.txt", "nothing to see\n");
    text_at(folder, "b/words.pcap", "named like a capture, but is none\n");
    char link[512];
    snprintf(link, sizeof(link), "%s/b/deep/loop", folder);
    assert_int_equal(symlink("..", link), 0);
    *state = folder;
    return 0;
}

static int teardown(void **state) {
    folder_remove(*state);
    free(*state);
    return 0;
}

static void folder_is_read_in_order(void **state) {
    static const char *const names[] = {"a.pcapng", "b/10.DMP", "b/2.cap", "b/deep/capture_of_today", "c.pcap"};
    struct seen *s = seen_path(*state);
    names_are(s, *state, names, ARRAY_LEN(names));
    assert_int_equal(s->count, 12);
    assert_int_equal(s->problems, 0);
    assert_int_equal(s->stats.unreadable, 1); /* words.pcap */
    assert_non_null(strstr(s->said, "words.pcap@0: is no capture"));
    seen_free(s);
}

static void glob_is_expanded(void **state) {
    static const char *const names[] = {"b/2.cap", "c.pcap"};
    char pattern[512];
    snprintf(pattern, sizeof(pattern), "%s/b/[0-9].cap", (const char *)*state);
    char second[512];
    snprintf(second, sizeof(second), "%s/?.pcap", (const char *)*state);
    const char *paths[] = {pattern, second};
    struct seen *s = seen_paths(paths, 2, NULL, 0);
    names_are(s, *state, names, 2);
    seen_free(s);
    snprintf(pattern, sizeof(pattern), "%s/*.nothing", (const char *)*state);
    s = seen_paths(paths, 2, NULL, 0);
    assert_int_equal(s->problems, 1);
    assert_non_null(strstr(s->said, "matches no file"));
    assert_int_equal(s->names, 1);
    seen_free(s);
}

/* A file with a star in its name is that file. */
static void existing_name_wins_over_glob(void **state) {
    capture_at(*state, "odd*name.pcap", 2);
    char path[512];
    snprintf(path, sizeof(path), "%s/odd*name.pcap", (const char *)*state);
    struct seen *s = seen_path(path);
    assert_int_equal(s->count, 2);
    assert_int_equal(s->problems, 0);
    seen_free(s);
    unlink(path);
}

static void what_cannot_be_read_is_told(void **state) {
    char missing[512];
    char empty[512];
    char good[512];
    snprintf(missing, sizeof(missing), "%s/no-such.pcap", (const char *)*state);
    snprintf(empty, sizeof(empty), "%s/empty", (const char *)*state);
    snprintf(good, sizeof(good), "%s/c.pcap", (const char *)*state);
    const char *paths[] = {missing, empty, good};
    struct seen *s = seen_paths(paths, 3, NULL, 0);
    assert_int_equal(s->problems, 2);
    assert_int_equal(s->count, 3);
    assert_non_null(strstr(s->said, "no-such.pcap@0: cannot be read (No such file"));
    assert_non_null(strstr(s->said, "empty@0: no captures in this folder"));
    seen_free(s);
    /* root may read everything, so only others can be refused */
    if (geteuid() != 0) {
        assert_int_equal(chmod(good, 0), 0);
        s = seen_paths(paths + 2, 1, NULL, 0);
        assert_int_equal(s->problems, 1);
        assert_non_null(strstr(s->said, "Permission denied"));
        seen_free(s);
        chmod(good, 0644);
    }
    text_at(*state, "empty/nothing.pcap", "");
    snprintf(empty, sizeof(empty), "%s/empty/nothing.pcap", (const char *)*state);
    s = seen_path(empty);
    assert_int_equal(s->stats.unreadable, 1);
    assert_non_null(strstr(s->said, "nothing.pcap@0: is empty"));
    seen_free(s);
    unlink(empty);
}

static void a_file_that_vanishes(void **state) {
    char gone[512];
    capture_at(*state, "gone.pcap", 5);
    snprintf(gone, sizeof(gone), "%s/gone.pcap", (const char *)*state);
    struct seen *s = seen_new();
    const char *paths[] = {gone};
    struct input_list *l = input_list_new(paths, 1, seen_note, s, NULL);
    assert_int_equal(input_list_count(l), 1);
    assert_true(input_list_is_plain(l));
    assert_int_equal(input_list_bytes(l), 24 + 5 * 76);
    unlink(gone);
    struct source_options options = {.note = seen_note, .note_ctx = s};
    struct source *source;
    assert_int_equal(source_open(l, &options, &source, NULL), 0);
    seen_read(s, source);
    assert_int_equal(s->stats.unreadable, 1);
    assert_non_null(strstr(s->said, "cannot be opened"));
    seen_free(s);
    input_list_free(l);
}

static void packed_files_are_not_plain(void **state) {
    static const char *const heads[] = {"\x1f\x8b\x08", "BZh9", "\x28\xb5\x2f\xfd", "PK\x03\x04", "7z\xbc\xaf\x27\x1c"};
    char path[512];
    snprintf(path, sizeof(path), "%s/packed", (const char *)*state);
    const char *paths[] = {path, "-"};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        text_at(*state, "packed", heads[i]);
        struct input_list *l = input_list_new(paths, 1, NULL, NULL, NULL);
        assert_false(input_list_is_plain(l));
        input_list_free(l);
    }
    text_at(*state, "packed", "words");
    struct input_list *l = input_list_new(paths, 1, NULL, NULL, NULL);
    assert_true(input_list_is_plain(l));
    input_list_free(l);
    l = input_list_new(paths, 2, NULL, NULL, NULL); /* standard input can be read once */
    assert_false(input_list_is_plain(l));
    input_list_free(l);
    unlink(path);
}

static void two_sources_agree(void **state) {
    const char *paths[] = {*state};
    struct input_list *l = input_list_new(paths, 1, NULL, NULL, NULL);
    assert_true(input_list_is_plain(l));
    struct source_options options = {.quiet = true};
    struct source *sources[2];
    struct batch *batches = calloc(2, sizeof(*batches));
    assert_non_null(batches);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(source_open(l, &options, &sources[i], NULL), 0);
    }
    uint64_t sums[2] = {0};
    do { /* in turns, so that neither can lean on the other */
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(source_next(sources[i], &batches[i]), 0);
            for (uint32_t k = 0; k < batches[i].count; k++) {
                sums[i] = sums[i] * 31 + batches[i].packets[k].file * 7 + batches[i].packets[k].position;
            }
        }
        assert_int_equal(batches[0].count, batches[1].count);
        assert_int_equal(batches[0].clock, batches[1].clock);
    } while (!batches[0].last);
    assert_true(sums[0] == sums[1]);
    for (size_t i = 0; i < 2; i++) {
        block_unref(batches[i].block);
        source_free(sources[i]);
    }
    free(batches);
    input_list_free(l);
}

/* Files can be looked up by number while more are met. */
static void places_stay(void **state) {
    (void)state;
    struct places p = {0};
    char name[32];
    assert_null(places_get(&p, 1));
    for (uint32_t n = 1; n <= 5000; n++) {
        snprintf(name, sizeof(name), "file %u", n);
        struct place place = {.file = {.name = name}, .input = n * 3, .within = n % 7};
        assert_int_equal(places_add(&p, &place), 0);
        assert_int_equal(places_count(&p), n);
    }
    const struct place *first = places_get(&p, 1);
    for (uint32_t n = 1; n <= 5000; n++) {
        const struct place *place = places_get(&p, n);
        snprintf(name, sizeof(name), "file %u", n);
        assert_string_equal(place->file.name, name);
        assert_int_equal(place->file.number, n);
        assert_int_equal(place->input, n * 3);
    }
    assert_ptr_equal(places_get(&p, 1), first);
    assert_null(places_get(&p, 0));
    assert_null(places_get(&p, 5001));
    places_done(&p);
    /* the last number fits, one more does not */
    for (uint32_t n = 0; n < PLACES_MAX; n++) {
        struct place place = {.file = {.name = name}};
        assert_int_equal(places_add(&p, &place), 0);
    }
    struct place place = {.file = {.name = name}};
    assert_int_equal(places_add(&p, &place), -E2BIG);
    places_done(&p);
}

/* --- blocks --- */

static void blocks_are_bounded(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(2);
    struct block *a = block_take(pool, 100);
    struct block *b = block_take(pool, BLOCK_SIZE);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(a->cap, BLOCK_SIZE);
    assert_null(block_take(pool, 1));
    assert_true(block_is_own(a));
    block_ref(a);
    assert_false(block_is_own(a));
    block_unref(a);
    block_unref(a);
    struct block *giant = block_take(pool, 3 * BLOCK_SIZE); /* in place of the unused one */
    assert_non_null(giant);
    assert_int_equal(giant->cap, 3 * BLOCK_SIZE);
    assert_null(block_take(pool, 1));
    block_unref(giant);
    struct block *c = block_take(pool, 1);
    assert_non_null(c);
    block_unref(b);
    assert_ptr_equal(block_take(pool, 1), b); /* last in, first out */
    block_unref(b);
    assert_null(block_pool_free(pool));
    c->data[0] = 1; /* still there */
    assert_null(block_unref(c));
    assert_null(block_unref(NULL));
}

static void *give_back(void *ctx) {
    usleep(20000);
    block_unref(ctx);
    return NULL;
}

static void waiting_for_a_block(void **state) {
    (void)state;
    struct block_pool *pool = block_pool_new(1);
    struct block *a = block_take(pool, 1);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_back, a), 0);
    struct block *b = block_take_wait(pool, 1);
    assert_non_null(b);
    pthread_join(thread, NULL);
    block_unref(b);
    block_pool_free(pool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folder_is_read_in_order),      cmocka_unit_test(glob_is_expanded),
        cmocka_unit_test(existing_name_wins_over_glob), cmocka_unit_test(what_cannot_be_read_is_told),
        cmocka_unit_test(a_file_that_vanishes),         cmocka_unit_test(two_sources_agree),
        cmocka_unit_test(packed_files_are_not_plain),   cmocka_unit_test(places_stay),
        cmocka_unit_test(blocks_are_bounded),           cmocka_unit_test(waiting_for_a_block),
    };
    return cmocka_run_group_tests_name("source_input", tests, setup, teardown);
}
