/* test_pcapio.c: what the writer writes is what the reader (and by its bytes, every other tool) reads. */
#include "capture_build.h"

#include <signal.h>

#include "base/util.h"
#include "pcapio/writer.h"

static struct packet packet_make(const uint8_t *data, uint32_t len, int64_t time, uint16_t link) {
    return (struct packet){.data = data, .time = time, .captured = len, .wire = len, .link = link};
}

static uint8_t *pattern_new(uint32_t n, uint32_t len) {
    uint8_t *data = malloc(len ? len : 1);
    assert_non_null(data);
    for (uint32_t k = 0; k < len; k++) {
        data[k] = pattern_byte(n, k);
    }
    return data;
}

static struct packet_writer *open_at(const char *path, enum packet_format format, enum packet_resolution resolution) {
    struct packet_writer_options options = {format, resolution, "Seine test"};
    struct packet_writer *w;
    struct err err;
    assert_int_equal(packet_writer_open_path(path, &options, &w, &err), 0);
    return w;
}

static void add(struct packet_writer *w, uint32_t n, uint32_t len, int64_t time, uint16_t link, const char *comment) {
    uint8_t *data = pattern_new(n, len);
    struct packet p = packet_make(data, len, time, link);
    assert_int_equal(packet_writer_add(w, &p, span_text(comment), NULL), 0);
    free(data);
}

static struct bytes head_read(const char *path, size_t n) {
    struct bytes b = {.at = calloc(1, n), .len = n, .room = n};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    b.len = fread(b.at, 1, n, f);
    fclose(f);
    return b;
}

static uint32_t number_at(const struct bytes *b, size_t at) {
    uint32_t v;
    assert_true(at + 4 <= b->len);
    memcpy(&v, b->at + at, sizeof(v));
    return v;
}

/* Many packets, some longer than the buffer, come back with bytes and times; for both formats. */
static void round_trip(void **state) {
    char path[256];
    snprintf(path, sizeof(path), "%s/trip", (const char *)*state);
    for (int ng = 0; ng < 2; ng++) {
        struct packet_writer *w = open_at(path, ng ? PACKET_FORMAT_PCAPNG : PACKET_FORMAT_PCAP, PACKET_RESOLUTION_AUTO);
        enum { COUNT = 3000 };
        for (uint32_t n = 0; n < COUNT; n++) {
            uint32_t len = n == 1000 ? 3 << 20 : n == 2000 ? 0 : n == 2001 ? (1 << 20) - 16 : 40 + n % 1460;
            add(w, n, len, (int64_t)1600000000123456789 + n, 1, n % 3 ? "" : "some words");
        }
        assert_int_equal(packet_writer_close(w, NULL), 0);
        struct seen *s = seen_path(path);
        assert_int_equal(s->count, COUNT);
        assert_int_equal(s->stats.damaged + s->stats.truncated, 0);
        for (uint32_t n = 0; n < COUNT; n++) {
            assert_true(s->packets[n].pattern);
            assert_int_equal(s->packets[n].time, (int64_t)1600000000123456789 + n);
            assert_int_equal(s->packets[n].flags, 0);
        }
        seen_free(s);
        unlink(path);
    }
}

static void resolution_as_needed(void **state) {
    char path[256];
    snprintf(path, sizeof(path), "%s/resolution", (const char *)*state);
    static const struct {
        enum packet_resolution wish;
        int64_t fraction;
        uint32_t magic;
        int64_t expected;
    } cases[] = {
        {PACKET_RESOLUTION_AUTO, 123456000, 0xa1b2c3d4, 123456000},
        {PACKET_RESOLUTION_AUTO, 123456001, 0xa1b23c4d, 123456001},
        {PACKET_RESOLUTION_MICRO, 123456789, 0xa1b2c3d4, 123456000},
        {PACKET_RESOLUTION_NANO, 123456000, 0xa1b23c4d, 123456000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct packet_writer *w = open_at(path, PACKET_FORMAT_PCAP, cases[i].wish);
        add(w, 0, 60, 1600000000 * (int64_t)1000000000, 1, "");
        add(w, 1, 60, 1600000000 * (int64_t)1000000000 + cases[i].fraction, 1, "");
        assert_int_equal(packet_writer_flush(w, NULL), 0);
        assert_int_equal(packet_writer_rounded(w), cases[i].wish == PACKET_RESOLUTION_MICRO);
        add(w, 2, 60, 1600000001 * (int64_t)1000000000 + 7, 1, "");
        assert_int_equal(packet_writer_rounded(w), cases[i].magic == 0xa1b2c3d4 ? 1 + (i == 2) : 0);
        assert_int_equal(packet_writer_close(w, NULL), 0);
        struct bytes b = head_read(path, 24);
        assert_int_equal(number_at(&b, 0), cases[i].magic);
        bytes_done(&b);
        struct seen *s = seen_path(path);
        assert_int_equal(s->packets[1].time, 1600000000 * (int64_t)1000000000 + cases[i].expected);
        seen_free(s);
    }
}

static void link_types(void **state) {
    char path[256];
    struct err err = {0};
    snprintf(path, sizeof(path), "%s/links", (const char *)*state);
    struct packet_writer *w = open_at(path, PACKET_FORMAT_PCAP, PACKET_RESOLUTION_AUTO);
    add(w, 0, 60, 5, 101, "");
    struct packet p = packet_make((const uint8_t *)"x", 1, 6, 1);
    assert_int_equal(packet_writer_add(w, &p, span_text(""), &err), -EINVAL);
    assert_non_null(strstr(err.text, "101"));
    assert_non_null(strstr(err.hint, "pcapng"));
    assert_int_equal(packet_writer_close(w, &err), -EINVAL);
    w = open_at(path, PACKET_FORMAT_PCAPNG, PACKET_RESOLUTION_AUTO);
    for (uint32_t n = 0; n < 300; n++) {
        add(w, n, 60, n, (uint16_t)(n % 100), "");
    }
    assert_int_equal(packet_writer_close(w, NULL), 0);
    struct seen *s = seen_path(path);
    assert_int_equal(s->count, 300);
    for (uint32_t n = 0; n < 300; n++) {
        assert_int_equal(s->packets[n].link, n % 100);
        assert_int_equal(s->packets[n].interface, n % 100);
        assert_true(s->packets[n].pattern);
    }
    seen_free(s);
    w = open_at(path, PACKET_FORMAT_PCAPNG, PACKET_RESOLUTION_AUTO);
    int rc = 0;
    uint16_t link = 0;
    for (; rc == 0 && link < 1000; link++) {
        p.link = link;
        rc = packet_writer_add(w, &p, span_text(""), &err);
    }
    assert_int_equal(rc, -E2BIG);
    assert_int_equal(link, 257);
    packet_writer_close(w, NULL);
}

/* The comment stands in the block as option 1, the application in the section header as option 4. */
static void pcapng_options(void **state) {
    char path[256];
    snprintf(path, sizeof(path), "%s/options", (const char *)*state);
    struct packet_writer *w = open_at(path, PACKET_FORMAT_PCAPNG, PACKET_RESOLUTION_AUTO);
    add(w, 0, 61, (int64_t)1600000000123456789, 1, "session abc");
    assert_int_equal(packet_writer_close(w, NULL), 0);
    struct bytes b = head_read(path, 4096);
    assert_int_equal(number_at(&b, 0), 0x0a0d0d0a);
    size_t section = number_at(&b, 4);
    assert_int_equal(number_at(&b, section - 4), section);
    assert_int_equal(number_at(&b, 24), 4 | 10 << 16);
    assert_memory_equal(b.at + 28, "Seine test", 10);
    size_t interface = number_at(&b, section + 4);
    assert_int_equal(number_at(&b, section), 1);
    assert_int_equal(number_at(&b, section + 16), 9 | 1 << 16);
    assert_int_equal(b.at[section + 20], 9);
    size_t at = section + interface;
    assert_int_equal(number_at(&b, at), 6);
    assert_int_equal(number_at(&b, at + 28 + 64), 1 | 11 << 16);
    assert_memory_equal(b.at + at + 28 + 64 + 4, "session abc", 12);
    assert_int_equal(number_at(&b, at + 28 + 64 + 16), 0);
    assert_int_equal(number_at(&b, at + 28 + 64 + 20), number_at(&b, at + 4));
    assert_int_equal(b.len, at + 28 + 64 + 24);
    bytes_done(&b);
    /* a comment longer than an option can be is cut, not wrapped */
    char *words = calloc(1, 70001);
    assert_non_null(words);
    memset(words, 'w', 70000);
    w = open_at(path, PACKET_FORMAT_PCAPNG, PACKET_RESOLUTION_AUTO);
    for (uint32_t n = 0; n < 40; n++) {
        add(w, n, 1000, n, 1, words);
    }
    assert_int_equal(packet_writer_close(w, NULL), 0);
    struct seen *s = seen_path(path);
    assert_int_equal(s->count, 40);
    assert_int_equal(s->stats.damaged + s->stats.truncated, 0);
    assert_true(s->packets[39].pattern);
    seen_free(s);
    free(words);
}

static void nothing_added(void **state) {
    char path[256];
    snprintf(path, sizeof(path), "%s/nothing", (const char *)*state);
    for (int ng = 0; ng < 2; ng++) {
        struct packet_writer *w = open_at(path, ng ? PACKET_FORMAT_PCAPNG : PACKET_FORMAT_PCAP, PACKET_RESOLUTION_AUTO);
        assert_int_equal(packet_writer_close(w, NULL), 0);
        struct seen *s = seen_path(path);
        assert_int_equal(s->count, 0);
        assert_int_equal(s->names, 1);
        assert_int_equal(s->notes, 0);
        seen_free(s);
    }
    assert_int_equal(packet_writer_close(NULL, NULL), 0);
}

static void errors_are_told(void **state) {
    struct packet_writer_options options = {.format = PACKET_FORMAT_PCAP};
    struct packet_writer *w = NULL;
    struct err err = {0};
    char path[256];
    snprintf(path, sizeof(path), "%s/no/such/folder", (const char *)*state);
    assert_int_equal(packet_writer_open_path(path, &options, &w, &err), -ENOENT);
    assert_non_null(strstr(err.text, path));
    /* a full disk */
    uint8_t *data = pattern_new(0, 100000);
    struct packet p = packet_make(data, 100000, 0, 1);
    assert_int_equal(packet_writer_open_path("/dev/full", &options, &w, &err), 0);
    int rc = 0;
    for (int i = 0; i < 20 && rc == 0; i++) {
        rc = packet_writer_add(w, &p, span_text(""), &err);
    }
    assert_int_equal(rc, -ENOSPC);
    assert_non_null(strstr(err.hint, "full"));
    assert_int_equal(packet_writer_add(w, &p, span_text(""), NULL), -ENOSPC);
    err = (struct err){0};
    assert_int_equal(packet_writer_close(w, &err), -ENOSPC);
    assert_int_equal(err.code, -ENOSPC);
    /* few packets: the fault shows at the end only */
    assert_int_equal(packet_writer_open_path("/dev/full", &options, &w, &err), 0);
    assert_int_equal(packet_writer_add(w, &p, span_text(""), &err), 0);
    assert_int_equal(packet_writer_close(w, &err), -ENOSPC);
    /* nobody reads the pipe */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(packet_writer_open(ends[1], &options, &w, &err), 0);
    assert_int_equal(packet_writer_add(w, &p, span_text(""), &err), 0);
    assert_int_equal(packet_writer_close(w, &err), -EPIPE);
    assert_int_equal(close(ends[1]), 0); /* stayed ours */
    free(data);
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
        cmocka_unit_test(round_trip),     cmocka_unit_test(resolution_as_needed), cmocka_unit_test(link_types),
        cmocka_unit_test(pcapng_options), cmocka_unit_test(nothing_added),        cmocka_unit_test(errors_are_told),
    };
    return cmocka_run_group_tests_name("pcapio", tests, setup, teardown);
}
