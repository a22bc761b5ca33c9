/* test_fetch.c: packets of sessions come back: all of them, once, in order, with comments, from every kind of input. */
#include "capture_build.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/util.h"
#include "fetch/fetch.h"

#define COUNT 400

static void gzip_write(const char *path, const struct bytes *b) {
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    assert_int_equal(archive_write_add_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_write_set_format_raw(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_pathname(e, "x");
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, b->at, b->len), b->len);
    archive_entry_free(e);
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
}

/* Three captures whose times interleave: file k holds the packets with n % 3 == k, file 2 is compressed, 3 is pcapng.
 */
struct world {
    char *folder;
    char paths[3][256];
    struct input_list *inputs;
    struct seen *seen;
    struct packet_position positions[3 * COUNT]; /* by n: the order of time */
};

static int64_t time_of(uint32_t n) {
    return (1500000000 + (int64_t)n) * 1000000000 + n * 1000;
}

static int setup(void **state) {
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->folder = folder_new();
    const char *list[3];
    for (uint32_t k = 0; k < 3; k++) {
        struct bytes b = {0};
        if (k == 2) {
            pcapng_section(&b);
            pcapng_interface(&b, 1, 9, 0);
        } else {
            pcap_head(&b, 0xa1b2c3d4, 65535, 1);
        }
        for (uint32_t n = k; n < 3 * COUNT; n += 3) {
            uint32_t len = 60 + n % 300;
            size_t at = k == 2 ? pcapng_enhanced(&b, n, 0, (uint64_t)time_of(n), len)
                               : pcap_record(&b, n, 1500000000 + n, n, len);
            w->positions[n] = (struct packet_position){.file = k + 1, .captured = len, .position = at};
        }
        snprintf(w->paths[k], sizeof(w->paths[k]), "%s/%u", w->folder, k);
        list[k] = w->paths[k];
        if (k == 1) {
            gzip_write(w->paths[k], &b);
        } else {
            file_write(w->paths[k], b.at, b.len);
        }
        bytes_done(&b);
    }
    w->inputs = input_list_new(list, 3, NULL, NULL, NULL);
    *state = w;
    return 0;
}

static int teardown(void **state) {
    struct world *w = *state;
    input_list_free(w->inputs);
    folder_remove(w->folder);
    free(w->folder);
    free(w);
    return 0;
}

static struct seen *fetch(struct world *world, const struct fetch_request *q, enum packet_format format,
                          struct fetch_result *ret_result) {
    char path[300];
    snprintf(path, sizeof(path), "%s/out", world->folder);
    struct packet_writer_options options = {.format = format};
    struct packet_writer *w;
    struct err err = {0};
    assert_int_equal(packet_writer_open_path(path, &options, &w, NULL), 0);
    assert_int_equal(fetch_packets(world->inputs, q, w, ret_result, &err), 0);
    assert_int_equal(packet_writer_close(w, NULL), 0);
    struct seen *s = seen_path(path);
    assert_int_equal(s->count, ret_result->packets);
    return s;
}

static void all_in_order_of_time(void **state) {
    struct world *w = *state;
    struct fetch_session session = {"one", "", w->positions, 3 * COUNT};
    struct fetch_request q = {.sessions = &session, .count = 1};
    struct fetch_result result;
    for (int ng = 0; ng < 2; ng++) {
        struct seen *s = fetch(w, &q, ng ? PACKET_FORMAT_PCAPNG : PACKET_FORMAT_PCAP, &result);
        assert_int_equal(s->count, 3 * COUNT);
        for (uint32_t n = 0; n < 3 * COUNT; n++) {
            assert_true(s->packets[n].pattern);
            assert_int_equal(s->packets[n].time, time_of(n));
            assert_int_equal(s->packets[n].captured, 60 + n % 300);
        }
        assert_int_equal(result.complete, 1);
        assert_int_equal(result.incomplete + result.lost + result.unsorted, 0);
        assert_int_equal(result.bytes, s->stats.bytes);
        seen_free(s);
    }
}

/* As the packets lie in the files; and with too little memory to sort, nothing is lost but the order, and that is told.
 */
static void other_orders(void **state) {
    struct world *w = *state;
    struct fetch_session session = {"one", NULL, w->positions, 3 * COUNT};
    struct fetch_request q = {.sessions = &session, .count = 1, .order = FETCH_BY_FILE};
    struct fetch_result result;
    struct seen *s = fetch(w, &q, PACKET_FORMAT_PCAPNG, &result);
    assert_int_equal(s->count, 3 * COUNT);
    for (uint32_t n = 0; n < 3 * COUNT; n++) {
        assert_int_equal(s->packets[n].time, time_of(n % COUNT * 3 + n / COUNT));
    }
    seen_free(s);
    q.order = FETCH_BY_TIME;
    q.memory = 20000;
    s = fetch(w, &q, PACKET_FORMAT_PCAPNG, &result);
    assert_int_equal(s->count, 3 * COUNT);
    assert_true(result.unsorted > 0);
    assert_int_equal(result.complete, 1);
    seen_free(s);
}

/* Counts how often `text` stands in the file. */
static unsigned times_written(const char *path, const char *text) {
    unsigned found = 0;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    size_t len = (size_t)ftell(f);
    rewind(f);
    uint8_t *all = malloc(len);
    assert_non_null(all);
    assert_int_equal(fread(all, 1, len, f), len);
    fclose(f);
    for (uint8_t *at = all; (at = memmem(at, len - (size_t)(at - all), text, strlen(text))); at++) {
        found++;
    }
    free(all);
    return found;
}

static void several_sessions_and_comments(void **state) {
    struct world *w = *state;
    /* two sessions share packets 10..19: written once */
    const struct fetch_session sessions[] = {{"aaa", "red, blue", w->positions, 20},
                                             {"bbb", "", w->positions + 10, 20},
                                             {"ccc", "green", w->positions + 100, 1},
                                             {"ddd", "none", NULL, 0}};
    struct fetch_request q = {.sessions = sessions, .count = 4};
    struct fetch_result result;
    char path[300];
    snprintf(path, sizeof(path), "%s/out", w->folder);
    struct seen *s = fetch(w, &q, PACKET_FORMAT_PCAPNG, &result);
    assert_int_equal(s->count, 31);
    assert_int_equal(result.complete, 4);
    assert_int_equal(s->packets[30].time, time_of(100));
    seen_free(s);
    assert_int_equal(times_written(path, "session aaa tags red, blue"), 1);
    assert_int_equal(times_written(path, "session bbb"), 1);
    assert_int_equal(times_written(path, "session ccc tags green"), 1);
    assert_int_equal(times_written(path, "session ddd"), 0);
    q.comment_every = true;
    s = fetch(w, &q, PACKET_FORMAT_PCAPNG, &result);
    seen_free(s);
    assert_int_equal(times_written(path, "session aaa"), 20);
    assert_int_equal(times_written(path, "session bbb"), 20);
    assert_int_equal(times_written(path, "blue\nsession bbb"), 10);
    /* pcap has no place for comments */
    s = fetch(w, &q, PACKET_FORMAT_PCAP, &result);
    assert_int_equal(s->count, 31);
    seen_free(s);
    assert_int_equal(times_written(path, "session"), 0);
}

static void lost_packets_are_counted(void **state) {
    struct world *w = *state;
    struct packet_position positions[6];
    memcpy(positions, w->positions, sizeof(positions));
    positions[1].position += 3;                /* compressed: no packet begins there */
    positions[2].position = (uint64_t)1 << 50; /* behind the end */
    positions[3].file = 17;                    /* no such file */
    const struct fetch_session sessions[] = {{"aaa", "", positions, 6}, {"bbb", "", positions + 4, 2}};
    struct fetch_request q = {.sessions = sessions, .count = 2};
    struct fetch_result result;
    struct seen *s = fetch(w, &q, PACKET_FORMAT_PCAPNG, &result);
    assert_int_equal(s->count, 3);
    assert_int_equal(result.lost, 3);
    assert_int_equal(result.complete, 1);
    assert_int_equal(result.incomplete, 1);
    seen_free(s);
}

static void a_full_disk_ends_it(void **state) {
    struct world *w = *state;
    struct fetch_session session = {"one", "", w->positions, 3 * COUNT};
    struct fetch_request q = {.sessions = &session, .count = 1, .memory = 1};
    struct fetch_result result;
    struct packet_writer_options options = {.format = PACKET_FORMAT_PCAPNG};
    struct packet_writer *writer;
    struct err err = {0};
    assert_int_equal(packet_writer_open_path("/dev/full", &options, &writer, NULL), 0);
    /* more than the writer's buffer holds: the same session many times over is still written once, so say it in words
     */
    char *tags = calloc(1, 60001);
    assert_non_null(tags);
    memset(tags, 't', 60000);
    session.tags = tags;
    q.comment_every = true;
    assert_int_equal(fetch_packets(w->inputs, &q, writer, &result, &err), -ENOSPC);
    assert_non_null(strstr(err.text, "/dev/full"));
    assert_int_equal(packet_writer_close(writer, NULL), -ENOSPC);
    free(tags);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_in_order_of_time),          cmocka_unit_test(other_orders),
        cmocka_unit_test(several_sessions_and_comments), cmocka_unit_test(lost_packets_are_counted),
        cmocka_unit_test(a_full_disk_ends_it),
    };
    return cmocka_run_group_tests_name("fetch", tests, setup, teardown);
}
