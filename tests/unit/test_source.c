/* test_source.c: pcap and pcapng in all their forms, as packets come out of a source. */
#include "capture_build.h"

#include "source/source_impl.h"

static struct seen *seen_bytes(const struct bytes *b) {
    struct seen *s = seen_new();
    struct source_options options = {.note = seen_note, .note_ctx = s};
    struct source *source;
    struct err err;
    assert_int_equal(source_open_bytes(b->at, b->len, &options, &source, &err), 0);
    seen_read(s, source);
    return s;
}

static void pcap_forms(void **state) {
    (void)state;
    static const struct {
        uint32_t magic, fraction;
        int64_t ns;
        size_t header;
    } forms[] = {{0xa1b2c3d4, 123456, 123456000, 16},
                 {0xa1b23c4d, 123456789, 123456789, 16},
                 {0xa1b2cd34, 654321, 654321000, 24}};
    for (unsigned i = 0; i < 6; i++) {
        struct bytes b = {.big = i & 1};
        size_t f = i / 2;
        pcap_head(&b, forms[f].magic, 65535, 113);
        for (uint32_t n = 0; n < 3; n++) {
            bytes_put32(&b, 1600000000 + n);
            bytes_put32(&b, forms[f].fraction);
            bytes_put32(&b, 60 + n);
            bytes_put32(&b, n == 1 ? 1500 : 60 + n);
            bytes_put(&b, "12345678", forms[f].header - 16);
            bytes_put_pattern(&b, n, 60 + n);
        }
        struct seen *s = seen_bytes(&b);
        assert_int_equal(s->count, 3);
        for (uint32_t n = 0; n < 3; n++) {
            struct seen_packet *p = &s->packets[n];
            assert_true(p->pattern);
            assert_int_equal(p->time, (1600000000 + (int64_t)n) * 1000000000 + forms[f].ns);
            assert_int_equal(p->captured, 60 + n);
            assert_int_equal(p->wire, n == 1 ? 1500 : 60 + n);
            assert_int_equal(p->flags, n == 1 ? PACKET_CUT : 0);
            assert_int_equal(p->link, 113);
            assert_int_equal(p->file, 1);
            assert_int_equal(p->interface, 0);
        }
        assert_int_equal(s->packets[0].position, 24);
        assert_int_equal(s->packets[1].position, 24 + forms[f].header + 60);
        assert_int_equal(s->packets[2].position, 24 + 2 * forms[f].header + 121);
        assert_int_equal(s->clock, s->packets[2].time);
        assert_int_equal(s->stats.cut, 1);
        assert_int_equal(s->stats.bytes, 183);
        assert_int_equal(s->notes, 0);
        seen_free(s);
        bytes_done(&b);
    }
}

static void pcapng_sections_interfaces_resolutions(void **state) {
    (void)state;
    struct bytes b = {0};
    const int64_t second = 1600000000;
    pcapng_section(&b);
    pcapng_interface(&b, 1, 255, 0);         /* 10^-6 by default */
    pcapng_interface(&b, 101, 9, 0);         /* 10^-9 */
    pcapng_interface(&b, 113, 3, -3600);     /* 10^-3, an hour back */
    pcapng_interface(&b, 127, 0x80 | 10, 0); /* 2^-10 */
    pcapng_interface(&b, 1, 12, 0);          /* 10^-12 */
    size_t first = pcapng_enhanced(&b, 0, 0, (uint64_t)second * 1000000 + 5, 64);
    pcapng_enhanced(&b, 1, 1, (uint64_t)second * 1000000000 + 7, 61);
    size_t unknown = block_begin(&b, 0x0bad);
    bytes_put_pattern(&b, 9, 100);
    block_end(&b, unknown);
    pcapng_enhanced(&b, 2, 2, (uint64_t)second * 1000 + 250, 62);
    pcapng_enhanced(&b, 3, 3, (uint64_t)second * 1024 + 512, 63);
    pcapng_enhanced(&b, 4, 4, (uint64_t)1000000 * 1000000000000 + 1999, 40);
    b.big = true;
    pcapng_section(&b);
    pcapng_interface(&b, 276, 6, 0);
    size_t simple = block_begin(&b, 3);
    bytes_put32(&b, 50);
    bytes_put_pattern(&b, 5, 50);
    block_end(&b, simple);
    size_t old = block_begin(&b, 2);
    bytes_put16(&b, 0);
    bytes_put16(&b, 3); /* drops */
    bytes_put32(&b, (uint32_t)(((uint64_t)second * 1000000 + 9) >> 32));
    bytes_put32(&b, (uint32_t)((uint64_t)second * 1000000 + 9));
    bytes_put32(&b, 33);
    bytes_put32(&b, 44);
    bytes_put_pattern(&b, 6, 33);
    block_end(&b, old);

    struct seen *s = seen_bytes(&b);
    static const uint16_t links[] = {1, 101, 113, 127, 1, 276, 276};
    static const uint16_t interfaces[] = {0, 1, 2, 3, 4, 5, 5};
    const int64_t times[] = {second * 1000000000 + 5000,
                             second * 1000000000 + 7,
                             (second - 3600) * 1000000000 + 250000000,
                             second * 1000000000 + 500000000,
                             1000000 * (int64_t)1000000000 + 1,
                             0, /* has none: nothing before it in its section, but the file's last is taken */
                             second * 1000000000 + 9000};
    assert_int_equal(s->count, 7);
    for (size_t i = 0; i < 7; i++) {
        assert_true(s->packets[i].pattern);
        assert_int_equal(s->packets[i].link, links[i]);
        assert_int_equal(s->packets[i].interface, interfaces[i]);
        assert_int_equal(s->packets[i].time, i == 5 ? times[4] : times[i]);
    }
    assert_int_equal(s->packets[0].position, first);
    assert_int_equal(s->packets[5].position, simple);
    assert_int_equal(s->packets[6].position, old);
    assert_int_equal(s->packets[6].wire, 44);
    assert_int_equal(s->packets[6].flags, PACKET_CUT);
    assert_int_equal(s->stats.damaged, 0);
    assert_int_equal(s->notes, 0);
    seen_free(s);
    bytes_done(&b);
}

static void pcapng_snaplen_cuts_simple_packets(void **state) {
    (void)state;
    struct bytes b = {0};
    pcapng_section(&b);
    size_t at = block_begin(&b, 1);
    bytes_put16(&b, 1);
    bytes_put16(&b, 0);
    bytes_put32(&b, 48);
    block_end(&b, at);
    at = block_begin(&b, 3);
    bytes_put32(&b, 1500);
    bytes_put_pattern(&b, 0, 48);
    block_end(&b, at);
    struct seen *s = seen_bytes(&b);
    assert_int_equal(s->count, 1);
    assert_int_equal(s->packets[0].captured, 48);
    assert_int_equal(s->packets[0].wire, 1500);
    assert_int_equal(s->packets[0].flags, PACKET_CUT);
    assert_true(s->packets[0].pattern);
    seen_free(s);
    bytes_done(&b);
}

/* Packets of changing sizes over several blocks; the positions and bytes are all checked. */
static void many_build(struct bytes *b, bool ng, uint32_t count, uint64_t *positions) {
    if (ng) {
        pcapng_section(b);
        pcapng_interface(b, 1, 6, 0);
    } else {
        pcap_head(b, 0xa1b2c3d4, 262144, 1);
    }
    for (uint32_t n = 0; n < count; n++) {
        uint32_t len = n % 97 == 0 ? 60000 + n % 1000 : 40 + n * 37 % 1460;
        positions[n] = ng ? pcapng_enhanced(b, n, 0, (uint64_t)(1500000000 + n) * 1000000, len)
                          : pcap_record(b, n, 1500000000 + n, n % 1000000, len);
    }
}

#define MANY 4000

static void many_check(const struct seen *s, const uint64_t *positions) {
    assert_int_equal(s->count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(s->packets[i].position, positions[i]);
        assert_true(s->packets[i].pattern);
    }
    assert_int_equal(s->stats.damaged + s->stats.truncated + s->stats.unreadable, 0);
}

static void straddling_packets(void **state) {
    const char *folder = *state;
    uint64_t *positions = calloc(MANY, sizeof(*positions));
    assert_non_null(positions);
    for (int ng = 0; ng < 2; ng++) {
        char path[256];
        struct bytes b = {0};
        many_build(&b, ng, MANY, positions);
        assert_true(b.len > 3 * BLOCK_SIZE);
        struct seen *s = seen_bytes(&b);
        many_check(s, positions);
        seen_free(s);
        snprintf(path, sizeof(path), "%s/many", folder);
        file_write(path, b.at, b.len);
        s = seen_path(path);
        many_check(s, positions);
        assert_int_equal(s->stats.read_bytes, b.len);
        seen_free(s);
        bytes_done(&b);
    }
    free(positions);
}

/* Batches that are kept while reading goes on: their bytes must stay. */
static void batches_kept(void **state) {
    const char *folder = *state;
    char path[256];
    uint64_t *positions = calloc(MANY, sizeof(*positions));
    struct bytes b = {0};
    many_build(&b, false, MANY, positions);
    snprintf(path, sizeof(path), "%s/kept", folder);
    file_write(path, b.at, b.len);
    const char *paths[] = {path};
    struct input_list *l = input_list_new(paths, 1, NULL, NULL, NULL);
    struct source_options options = {.block_ceiling = 64};
    struct source *source;
    assert_int_equal(source_open(l, &options, &source, NULL), 0);
    enum { KEPT = 200 };
    struct batch *batches = calloc(KEPT, sizeof(*batches));
    size_t used = 0;
    do {
        assert_true(used < KEPT);
        assert_int_equal(source_next(source, &batches[used++]), 0);
    } while (!batches[used - 1].last);
    source_free(source); /* blocks outlive it */
    uint32_t n = 0;
    for (size_t i = 0; i < used; i++) {
        for (uint32_t k = 0; k < batches[i].count; k++, n++) {
            assert_int_equal(batches[i].packets[k].position, positions[n]);
            assert_true(pattern_is(&batches[i].packets[k], n));
        }
        block_unref(batches[i].block);
    }
    assert_int_equal(n, MANY);
    free(batches);
    input_list_free(l);
    bytes_done(&b);
    free(positions);
}

static void giant_packets(void **state) {
    (void)state;
    struct bytes b = {0};
    pcap_head(&b, 0xa1b2c3d4, 64 << 20, 1);
    pcap_record(&b, 0, 1500000000, 0, 100);
    pcap_record(&b, 1, 1500000001, 0, 3 << 20);
    pcap_record(&b, 2, 1500000002, 0, 100);
    size_t skipped = pcap_record(&b, 77, 1500000003, 0, 20 << 20);
    pcap_record(&b, 3, 1500000004, 0, 100);
    struct seen *s = seen_bytes(&b);
    assert_int_equal(s->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(s->packets[i].pattern);
    }
    assert_int_equal(s->packets[1].captured, 3 << 20);
    assert_int_equal(s->stats.damaged, 1);
    assert_int_equal(s->notes, 1);
    assert_int_equal(s->note_offset, skipped);
    seen_free(s);
    bytes_done(&b);
    pcapng_section(&b);
    pcapng_interface(&b, 1, 6, 0);
    pcapng_enhanced(&b, 0, 0, 5, 3 << 20);
    skipped = pcapng_enhanced(&b, 77, 0, 6, 20 << 20);
    pcapng_enhanced(&b, 1, 0, 7, 99);
    s = seen_bytes(&b);
    assert_int_equal(s->count, 2);
    assert_true(s->packets[0].pattern && s->packets[1].pattern);
    assert_int_equal(s->stats.damaged, 1);
    assert_int_equal(s->note_offset, skipped);
    seen_free(s);
    bytes_done(&b);
}

static void limit_and_filter(void **state) {
    const char *folder = *state;
    char path[256];
    struct bytes b = {0};
    pcap_head(&b, 0xa1b2c3d4, 65535, 1);
    for (uint32_t n = 0; n < 1000; n++) {
        pcap_record(&b, n, 1500000000 + n, 0, n % 2 ? 60 : 200);
    }
    snprintf(path, sizeof(path), "%s/filter.pcap", folder);
    file_write(path, b.at, b.len);
    const char *paths[] = {path};
    struct seen *s = seen_paths(paths, 1, NULL, 300);
    assert_int_equal(s->count, 300);
    seen_free(s);
    s = seen_paths(paths, 1, "less 100", 0);
    assert_int_equal(s->count, 500);
    assert_int_equal(s->stats.filtered, 500);
    assert_int_equal(s->packets[0].captured, 60);
    seen_free(s);
    s = seen_paths(paths, 1, "greater 100", 10);
    assert_int_equal(s->count, 10);
    seen_free(s);
    /* right for another kind of link only: said once, nothing passes */
    s = seen_paths(paths, 1, "wlan type mgt", 0);
    assert_int_equal(s->count, 0);
    assert_int_equal(s->stats.filtered, 1000);
    assert_int_equal(s->notes, 1);
    seen_free(s);
    struct input_list *l = input_list_new(paths, 1, NULL, NULL, NULL);
    struct source_options options = {.bpf = "no such word"};
    struct source *source = NULL;
    struct err err = {0};
    assert_int_equal(source_open(l, &options, &source, &err), -EINVAL);
    assert_non_null(strstr(err.text, "no such word"));
    assert_null(source);
    input_list_free(l);
    bytes_done(&b);
}

/* One damaged time does not move the clock; a real jump does. */
static void clock_leaps(void **state) {
    (void)state;
    struct bytes b = {0};
    pcap_head(&b, 0xa1b2c3d4, 65535, 1);
    pcap_record(&b, 0, 1500000000, 0, 60);
    size_t far = pcap_record(&b, 1, UINT32_MAX, 999999, 60);
    pcap_record(&b, 2, 1500000001, 0, 60);
    struct seen *s = seen_bytes(&b);
    assert_int_equal(s->count, 3);
    assert_int_equal(s->packets[1].time, (int64_t)UINT32_MAX * 1000000000 + 999999000);
    assert_int_equal(s->clock, 1500000001 * (int64_t)1000000000);
    assert_true(s->notes >= 1);
    assert_int_equal(s->note_offset, far);
    seen_free(s);
    pcap_record(&b, 3, 1600000000, 0, 60);
    pcap_record(&b, 4, 1600000001, 0, 60);
    s = seen_bytes(&b);
    assert_int_equal(s->clock, 1600000001 * (int64_t)1000000000);
    seen_free(s);
    bytes_done(&b);
    /* the very first packet is the damaged one */
    pcap_head(&b, 0xa1b2c3d4, 65535, 1);
    pcap_record(&b, 0, UINT32_MAX, 0, 60);
    pcap_record(&b, 1, 1500000001, 0, 60);
    pcap_record(&b, 2, 1500000002, 0, 60);
    s = seen_bytes(&b);
    assert_int_equal(s->clock, 1500000002 * (int64_t)1000000000);
    seen_free(s);
    bytes_done(&b);
}

static void extreme_times(void **state) {
    (void)state;
    struct bytes b = {0};
    pcapng_section(&b);
    pcapng_interface(&b, 1, 0, INT64_MAX);
    pcapng_interface(&b, 1, 0, INT64_MIN);
    pcapng_interface(&b, 1, 127, 0);
    pcapng_interface(&b, 1, 255, 0);
    pcapng_interface(&b, 1, 0xff, 0);
    for (uint32_t n = 0; n < 10; n++) {
        pcapng_enhanced(&b, n, n % 5, n & 1 ? UINT64_MAX : 1, 20);
    }
    struct seen *s = seen_bytes(&b);
    assert_int_equal(s->count, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_true(s->packets[i].time >= 0 && s->packets[i].time <= CAPTURE_TIME_MAX);
    }
    seen_free(s);
    bytes_done(&b);
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
        cmocka_unit_test(pcap_forms),
        cmocka_unit_test(pcapng_sections_interfaces_resolutions),
        cmocka_unit_test(pcapng_snaplen_cuts_simple_packets),
        cmocka_unit_test(straddling_packets),
        cmocka_unit_test(batches_kept),
        cmocka_unit_test(giant_packets),
        cmocka_unit_test(limit_and_filter),
        cmocka_unit_test(clock_leaps),
        cmocka_unit_test(extreme_times),
    };
    return cmocka_run_group_tests_name("source", tests, setup, teardown);
}
