/* test_source_packed.c: compressed captures, archives, standard input; and single packets out of all of them. */
#include "capture_build.h"

#include <archive.h>
#include <archive_entry.h>
#include <pthread.h>

#include "base/util.h"

#define COUNT 500

static void capture_make(struct bytes *b, bool ng, uint32_t base) {
    if (ng) {
        pcapng_section(b);
        pcapng_interface(b, 1, 9, 0);
    } else {
        pcap_head(b, 0xa1b2c3d4, 65535, 1);
    }
    for (uint32_t n = 0; n < COUNT; n++) {
        uint32_t len = 60 + n * 13 % 1400;
        if (ng) {
            pcapng_enhanced(b, base + n, 0, (uint64_t)(1500000000 + n) * 1000000000, len);
        } else {
            pcap_record(b, base + n, 1500000000 + n, n, len);
        }
    }
}

struct member {
    const char *name;
    const struct bytes *bytes;
};

/* One libarchive writer for all: `format` NULL = raw (a single compressed file). */
static void archive_make(const char *path, const char *format, const char *filter, const struct member *members,
                         size_t count) {
    struct archive *a = archive_write_new();
    assert_non_null(a);
    if (filter) {
        assert_int_equal(archive_write_add_filter_by_name(a, filter), ARCHIVE_OK);
    }
    assert_int_equal(format ? archive_write_set_format_by_name(a, format) : archive_write_set_format_raw(a),
                     ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *e = archive_entry_new();
        bool folder = !members[i].bytes;
        archive_entry_set_pathname(e, members[i].name);
        archive_entry_set_filetype(e, folder ? AE_IFDIR : AE_IFREG);
        archive_entry_set_perm(e, folder ? 0755 : 0644);
        archive_entry_set_size(e, folder ? 0 : (la_int64_t)members[i].bytes->len);
        int rc = archive_write_header(a, e);
        if (rc != ARCHIVE_OK) {
            fail_msg("%s %s: %s", path, members[i].name, archive_error_string(a));
        }
        if (!folder) {
            assert_int_equal(archive_write_data(a, members[i].bytes->at, members[i].bytes->len), members[i].bytes->len);
        }
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

static struct bytes file_read(const char *path) {
    struct bytes b = {0};
    uint8_t chunk[4096];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (size_t n; (n = fread(chunk, 1, sizeof(chunk), f)) > 0;) {
        bytes_put(&b, chunk, n);
    }
    fclose(f);
    return b;
}

static const char *const filters[] = {"gzip", "zstd", "xz", "bzip2", "lz4", "lzma", "compress", "lzip"};

static void single_compressed(void **state) {
    const char *folder = *state;
    for (int ng = 0; ng < 2; ng++) {
        struct bytes b = {0};
        capture_make(&b, ng, 0);
        for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
            char path[256];
            struct member member = {"x", &b};
            snprintf(path, sizeof(path), "%s/one.%s", folder, filters[i]);
            archive_make(path, NULL, filters[i], &member, 1);
            struct seen *s = seen_path(path);
            assert_int_equal(s->count, COUNT);
            for (size_t k = 0; k < COUNT; k++) {
                assert_true(s->packets[k].pattern);
            }
            assert_true(ng || s->packets[0].position == 24);
            assert_int_equal(s->names, 1);
            assert_string_equal(s->name[0], path);
            assert_int_equal(s->notes, 0);
            seen_free(s);
            unlink(path);
        }
        bytes_done(&b);
    }
}

static void archives(void **state) {
    const char *folder = *state;
    static const struct {
        const char *format, *filter;
    } kinds[] = {{"ustar", NULL}, {"pax", "gzip"}, {"gnutar", "zstd"}, {"ustar", "xz"},
                 {"zip", NULL},   {"7zip", NULL},  {"newc", NULL},     {"newc", "bzip2"}};
    struct bytes one = {0};
    struct bytes two = {0};
    struct bytes text = {0};
    struct bytes empty = {.at = calloc(1, 1)};
    struct bytes short_head = {0};
    char gz[256];
    capture_make(&one, false, 0);
    capture_make(&two, true, COUNT);
    bytes_put(&text, "not a capture at all\n", 21);
    bytes_put(&short_head, one.at, 10);
    snprintf(gz, sizeof(gz), "%s/inner.gz", folder);
    struct bytes three = {0};
    capture_make(&three, false, 2 * COUNT);
    archive_make(gz, NULL, "gzip", &(struct member){"x", &three}, 1);
    struct bytes packed = file_read(gz);
    unlink(gz);
    const struct member members[] = {{"folder", NULL},       {"folder/b.pcap", &one}, {"notes.txt", &text},
                                     {"empty.pcap", &empty}, {"a.pcapng", &two},      {"half.pcap", &short_head},
                                     {"c.pcap.gz", &packed}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        char path[256];
        char expected[300];
        snprintf(path, sizeof(path), "%s/many.%s", folder, kinds[i].format);
        archive_make(path, kinds[i].format, kinds[i].filter, members, ARRAY_LEN(members));
        struct seen *s = seen_path(path);
        if (strcmp(kinds[i].format, "7zip") == 0) {
            /* a 7z archive lists its empty members last; otherwise the same */
            assert_int_equal(s->names, 3);
        }
        assert_int_equal(s->count, 3 * COUNT);
        for (size_t k = 0; k < s->count; k++) {
            assert_true(s->packets[k].pattern);
            assert_int_equal(s->packets[k].file, 1 + k / COUNT);
        }
        snprintf(expected, sizeof(expected), "%s!folder/b.pcap", path);
        assert_string_equal(s->name[0], expected);
        snprintf(expected, sizeof(expected), "%s!c.pcap.gz", path);
        assert_string_equal(s->name[2], expected);
        assert_int_equal(s->stats.unreadable, 1); /* half.pcap */
        seen_free(s);
        unlink(path);
    }
    bytes_done(&one);
    bytes_done(&two);
    bytes_done(&three);
    bytes_done(&text);
    bytes_done(&empty);
    bytes_done(&short_head);
    bytes_done(&packed);
}

static void compressed_but_damaged(void **state) {
    const char *folder = *state;
    struct bytes b = {0};
    capture_make(&b, false, 0);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s/damaged.%s", folder, filters[i]);
        archive_make(path, NULL, filters[i], &(struct member){"x", &b}, 1);
        struct bytes whole = file_read(path);
        file_write(path, whole.at, whole.len / 2);
        struct seen *s = seen_path(path);
        assert_true(s->count < COUNT);
        assert_true(s->stats.truncated + s->stats.unreadable + s->stats.damaged >= 1);
        assert_true(s->notes >= 1);
        seen_free(s);
        memset(whole.at + whole.len / 2, 0x5a, 64);
        file_write(path, whole.at, whole.len);
        s = seen_path(path);
        assert_true(s->notes >= 1);
        seen_free(s);
        bytes_done(&whole);
        unlink(path);
    }
    bytes_done(&b);
}

/* A gzip file that ends in the middle gives what was packed before; joined pieces are one capture; padding is ignored.
 */
static void gzip_and_zstd_pieces(void **state) {
    const char *folder = *state;
    char path[256];
    struct bytes b = {0};
    capture_make(&b, false, 0);
    snprintf(path, sizeof(path), "%s/pieces", folder);
    archive_make(path, NULL, "gzip", &(struct member){"x", &b}, 1);
    struct bytes whole = file_read(path);
    for (size_t part = 1; part < 8; part++) {
        file_write(path, whole.at, whole.len * part / 8);
        struct seen *s = seen_path(path);
        assert_true(s->count > COUNT * part / 8 - COUNT / 10);
        assert_int_equal(s->stats.truncated, 1);
        assert_non_null(strstr(s->said, "gzip data ends in the middle"));
        seen_free(s);
    }
    bytes_done(&whole);
    for (int zstd = 0; zstd < 2; zstd++) {
        struct bytes joined = {0};
        for (size_t at = 0; at < b.len;) {
            struct bytes piece = {.at = b.at + at, .len = MIN(b.len - at, (size_t)100001)};
            archive_make(path, NULL, zstd ? "zstd" : "gzip", &(struct member){"x", &piece}, 1);
            whole = file_read(path);
            bytes_put(&joined, whole.at, whole.len);
            bytes_done(&whole);
            at += piece.len;
        }
        if (!zstd) {
            bytes_put(&joined, "\0\0\0\0\0\0\0\0\0", 9);
        }
        file_write(path, joined.at, joined.len);
        struct seen *s = seen_path(path);
        assert_int_equal(s->count, COUNT);
        assert_true(s->packets[COUNT - 1].pattern);
        assert_int_equal(s->notes, 0);
        seen_free(s);
        bytes_done(&joined);
    }
    unlink(path);
    bytes_done(&b);
}

static void no_captures_inside(void **state) {
    const char *folder = *state;
    char path[256];
    struct bytes text = {0};
    bytes_put(&text, "only words\n", 11);
    const struct member member = {"words.txt", &text};
    snprintf(path, sizeof(path), "%s/words.tar", folder);
    archive_make(path, "ustar", NULL, &member, 1);
    struct seen *s = seen_path(path);
    assert_int_equal(s->count, 0);
    assert_int_equal(s->stats.unreadable, 1);
    assert_non_null(strstr(s->said, "without captures"));
    seen_free(s);
    archive_make(path, NULL, "gzip", &member, 1);
    s = seen_path(path);
    assert_int_equal(s->stats.unreadable, 1);
    assert_non_null(strstr(s->said, "holds no capture"));
    seen_free(s);
    unlink(path);
    bytes_done(&text);
}

/* --- standard input --- */

struct feeder {
    int fd;
    const uint8_t *at;
    size_t len, step;
};

static void *feed(void *ctx) {
    struct feeder *f = ctx;
    for (size_t at = 0; at < f->len;) {
        size_t n = f->len - at < f->step ? f->len - at : f->step;
        ssize_t done = write(f->fd, f->at + at, n);
        if (done <= 0) {
            break;
        }
        at += (size_t)done;
    }
    close(f->fd);
    return NULL;
}

static struct seen *seen_stdin(const uint8_t *at, size_t len, size_t step) {
    int ends[2];
    int saved = dup(STDIN_FILENO);
    pthread_t thread;
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[0], STDIN_FILENO) >= 0);
    close(ends[0]);
    struct feeder f = {ends[1], at, len, step};
    assert_int_equal(pthread_create(&thread, NULL, feed, &f), 0);
    struct seen *s = seen_path("-");
    pthread_join(thread, NULL);
    if (saved >= 0) {
        dup2(saved, STDIN_FILENO);
        close(saved);
    }
    return s;
}

static void standard_input(void **state) {
    const char *folder = *state;
    static const size_t steps[] = {1, 7, 1000, 1 << 20};
    struct bytes b = {0};
    capture_make(&b, false, 0);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        struct seen *s = seen_stdin(b.at, b.len, steps[i]);
        assert_int_equal(s->count, COUNT);
        assert_true(s->packets[COUNT - 1].pattern);
        assert_string_equal(s->name[0], "-");
        assert_int_equal(s->notes, 0);
        seen_free(s);
    }
    char path[256];
    snprintf(path, sizeof(path), "%s/in", folder);
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        archive_make(path, NULL, filters[i], &(struct member){"x", &b}, 1);
        struct bytes packed = file_read(path);
        struct seen *s = seen_stdin(packed.at, packed.len, 100);
        assert_int_equal(s->count, COUNT);
        assert_string_equal(s->name[0], "-");
        seen_free(s);
        bytes_done(&packed);
    }
    archive_make(path, "ustar", "gzip", &(struct member){"x.pcap", &b}, 1);
    struct bytes packed = file_read(path);
    struct seen *s = seen_stdin(packed.at, packed.len, 1000);
    assert_int_equal(s->count, COUNT);
    assert_string_equal(s->name[0], "-!x.pcap");
    seen_free(s);
    bytes_done(&packed);
    s = seen_stdin(b.at, 0, 1);
    assert_int_equal(s->stats.unreadable, 1);
    seen_free(s);
    s = seen_stdin((const uint8_t *)"hello, this is text\n", 20, 20);
    assert_int_equal(s->stats.unreadable, 1);
    assert_non_null(strstr(s->said, "no capture"));
    seen_free(s);
    unlink(path);
    bytes_done(&b);
}

/* --- single packets --- */

static void random_check(struct source_random *r, const struct seen_packet *p, uint32_t n) {
    struct packet got;
    assert_int_equal(source_random_read(r, p->file, p->position, &got), 0);
    assert_true(pattern_is(&got, n));
    assert_int_equal(got.time, p->time);
    assert_int_equal(got.captured, p->captured);
    assert_int_equal(got.wire, p->wire);
    assert_int_equal(got.link, p->link);
    assert_int_equal(got.interface, p->interface);
    assert_int_equal(got.position, p->position);
    assert_int_equal(got.file, p->file);
    assert_int_equal(got.flags, p->flags);
}

static void single_packets(void **state) {
    const char *folder = *state;
    char paths[4][256];
    const char *list[4];
    struct bytes plain = {0};
    struct bytes ng = {0};
    struct bytes packed = {0};
    struct bytes member = {0};
    capture_make(&plain, false, 0);
    capture_make(&ng, true, COUNT);
    capture_make(&packed, false, 2 * COUNT);
    capture_make(&member, false, 3 * COUNT);
    for (size_t i = 0; i < 4; i++) {
        snprintf(paths[i], sizeof(paths[i]), "%s/r%zu", folder, i);
        list[i] = paths[i];
    }
    plain.len -= 9; /* the last packet is cut off: its rest comes back as well */
    file_write(paths[0], plain.at, plain.len);
    file_write(paths[1], ng.at, ng.len);
    archive_make(paths[2], NULL, "zstd", &(struct member){"x", &packed}, 1);
    struct bytes last = {0};
    capture_make(&last, false, 4 * COUNT);
    const struct member both[] = {{"one", &member}, {"two", &last}};
    archive_make(paths[3], "ustar", "gzip", both, 2);
    struct seen *s = seen_paths(list, 4, NULL, 0);
    assert_int_equal(s->count, 5 * COUNT);
    assert_int_equal(s->names, 5);
    struct input_list *l = input_list_new(list, 4, NULL, NULL, NULL);
    struct source_random *r;
    assert_int_equal(source_random_open(l, &r, NULL), 0);
    /* the last file first, without having met the others */
    random_check(r, &s->packets[5 * COUNT - 1], 5 * COUNT - 1);
    for (uint32_t n = 0; n < 5 * COUNT; n++) {
        random_check(r, &s->packets[n], n);
    }
    for (uint32_t n = 5 * COUNT; n > 0; n -= 125) {
        random_check(r, &s->packets[n - 125], n - 125);
        random_check(r, &s->packets[n - 125], n - 125);
        random_check(r, &s->packets[n - 1], n - 1);
    }
    struct packet p;
    assert_int_equal(source_random_read(r, 0, 24, &p), -ENOENT);
    assert_int_equal(source_random_read(r, 6, 24, &p), -ENOENT);
    for (uint32_t file = 1; file <= 5; file++) {
        assert_int_equal(source_random_read(r, file, (uint64_t)1 << 40, &p), -EBADMSG);
        assert_int_equal(source_random_read(r, file, UINT64_MAX, &p), -EBADMSG);
        if (file != 1) { /* a plain file is read where it is told; others know where packets begin */
            assert_int_equal(source_random_read(r, file, 25, &p), -EBADMSG);
        }
        random_check(r, &s->packets[(file - 1) * COUNT + 3], (file - 1) * COUNT + 3);
    }
    source_random_free(r);
    input_list_free(l);
    seen_free(s);
    bytes_done(&plain);
    bytes_done(&ng);
    bytes_done(&packed);
    bytes_done(&member);
    bytes_done(&last);
}

static int setup(void **state) {
    *state = folder_new();
    return 0;
}

static int teardown(void **state) {
    folder_remove(*state);
    free(*state);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_compressed),      cmocka_unit_test(archives),
        cmocka_unit_test(compressed_but_damaged), cmocka_unit_test(gzip_and_zstd_pieces),
        cmocka_unit_test(no_captures_inside),     cmocka_unit_test(standard_input),
        cmocka_unit_test(single_packets),
    };
    return cmocka_run_group_tests_name("source_packed", tests, setup, teardown);
}
