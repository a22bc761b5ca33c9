/* test_source_damage.c: captures that are cut, overwritten or lie about lengths: read as far as they go, counted, told.
 */
#include "capture_build.h"

#include "source/source_impl.h"

static struct seen *seen_bytes(const struct bytes *b, size_t len) {
    struct seen *s = seen_new();
    struct source_options options = {.note = seen_note, .note_ctx = s};
    struct source *source;
    /* a copy of exactly this size, so that ASan sees reads behind it */
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, b->at, len);
    assert_int_equal(source_open_bytes(copy, len, &options, &source, NULL), 0);
    seen_read(s, source);
    free(copy);
    return s;
}

static void pcap_make(struct bytes *b, uint32_t count, size_t *ends) {
    pcap_head(b, 0xa1b2c3d4, 65535, 1);
    for (uint32_t n = 0; n < count; n++) {
        pcap_record(b, n, 1500000000 + n, n, 40 + n);
        if (ends) {
            ends[n] = b->len;
        }
    }
}

static void pcapng_make(struct bytes *b, uint32_t count, size_t *ends) {
    pcapng_section(b);
    pcapng_interface(b, 1, 6, 0);
    for (uint32_t n = 0; n < count; n++) {
        pcapng_enhanced(b, n, 0, (uint64_t)(1500000000 + n) * 1000000, 40 + n);
        if (ends) {
            ends[n] = b->len;
        }
    }
}

/* Cut at every byte: all whole packets come, and the broken one as far as it is there. */
static void cut_everywhere(void **state) {
    (void)state;
    enum { COUNT = 5 };
    for (int ng = 0; ng < 2; ng++) {
        struct bytes b = {0};
        size_t ends[COUNT];
        (ng ? pcapng_make : pcap_make)(&b, COUNT, ends);
        size_t start = ng ? 28 : 24;
        size_t first = ends[0] - (ng ? 32 + 40 : 16 + 40);
        for (size_t len = 0; len <= b.len; len++) {
            struct seen *s = seen_bytes(&b, len);
            size_t whole = 0;
            while (whole < COUNT && ends[whole] <= len) {
                whole++;
            }
            size_t before = whole ? ends[whole - 1] : first;
            size_t inside = len > before ? len - before : 0;
            size_t data = ng ? 28 : 16; /* where the packet's bytes begin */
            bool partial = len > first && inside > data;
            assert_int_equal(s->count, whole + partial);
            for (size_t i = 0; i < s->count; i++) {
                assert_true(s->packets[i].pattern);
                assert_int_equal(s->packets[i].wire, 40 + i);
            }
            if (partial) {
                size_t most = 40 + whole;
                assert_int_equal(s->packets[whole].captured, inside - data < most ? inside - data : most);
            }
            if (len < start) {
                assert_int_equal(s->stats.unreadable, 1);
                assert_true(s->notes == 1);
            } else {
                bool at_end = inside == 0 && (len >= first || len == start);
                assert_int_equal(s->stats.truncated, !at_end);
                assert_int_equal(s->notes, !at_end);
            }
            assert_int_equal(s->stats.damaged, 0);
            seen_free(s);
        }
        bytes_done(&b);
    }
}

/* One record of many is overwritten: it is lost, maybe its neighbour, and nothing else. */
static void overwritten(void **state) {
    (void)state;
    enum { COUNT = 400, HIT = 200 };
    static const uint8_t fills[] = {0x00, 0xff, 0x41, 0x80};
    for (int ng = 0; ng < 2; ng++) {
        for (size_t f = 0; f < sizeof(fills); f++) {
            struct bytes b = {0};
            size_t ends[COUNT];
            (ng ? pcapng_make : pcap_make)(&b, COUNT, ends);
            memset(b.at + ends[HIT - 1], fills[f], 16);
            struct seen *s = seen_bytes(&b, b.len);
            assert_int_equal(s->count, COUNT - 1);
            assert_int_equal(s->packets[HIT].position, ends[HIT]);
            assert_int_equal(s->stats.damaged, 1);
            assert_int_equal(s->stats.truncated, 0);
            assert_int_equal(s->notes, 1);
            assert_int_equal(s->note_offset, ends[HIT - 1]);
            assert_int_equal(s->packets[COUNT - 2].time / 1000000000, 1500000000 + COUNT - 1);
            seen_free(s);
            bytes_done(&b);
        }
    }
}

/* A hole of zeros as a crashed disk leaves it, longer than a block of memory. */
static void hole(void **state) {
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        struct bytes b = {0};
        size_t ends[100];
        (ng ? pcapng_make : pcap_make)(&b, 100, ends);
        struct bytes with = {0};
        uint8_t *zeros = calloc(1, 3 << 20);
        assert_non_null(zeros);
        bytes_put(&with, b.at, ends[49]);
        bytes_put(&with, zeros, 3 << 20);
        bytes_put(&with, b.at + ends[49], b.len - ends[49]);
        struct seen *s = seen_bytes(&with, with.len);
        assert_int_equal(s->count, 100);
        assert_int_equal(s->packets[50].position, ends[49] + (3 << 20));
        assert_true(s->packets[99].pattern);
        assert_int_equal(s->stats.damaged, 1);
        seen_free(s);
        /* and one that nothing follows for too long */
        size_t big = (size_t)18 << 20;
        uint8_t *more = calloc(1, big);
        assert_non_null(more);
        with.len = ends[49];
        bytes_put(&with, more, big);
        bytes_put(&with, b.at + ends[49], b.len - ends[49]);
        s = seen_bytes(&with, with.len);
        assert_int_equal(s->count, 50);
        assert_int_equal(s->stats.damaged, 1);
        assert_non_null(strstr(s->said, "rest of the file is not read"));
        seen_free(s);
        free(more);
        free(zeros);
        bytes_done(&with);
        bytes_done(&b);
    }
}

/* Bytes lost in the middle (a file put together from pieces): what follows is found at its odd place. */
static void bytes_missing(void **state) {
    (void)state;
    for (int ng = 0; ng < 2; ng++) {
        for (size_t gone = 1; gone < 60; gone += 7) {
            struct bytes b = {0};
            size_t ends[100];
            (ng ? pcapng_make : pcap_make)(&b, 100, ends);
            size_t from = ends[49] + 5;
            memmove(b.at + from, b.at + from + gone, b.len - from - gone);
            struct seen *s = seen_bytes(&b, b.len - gone);
            assert_true(s->count >= 97 && s->count <= 100);
            assert_true(s->stats.damaged >= 1);
            assert_int_equal(s->stats.truncated, 0);
            assert_int_equal(s->packets[s->count - 1].position, ends[98] - gone);
            seen_free(s);
            bytes_done(&b);
        }
    }
}

static void pcapng_second_length_wrong(void **state) {
    (void)state;
    struct bytes b = {0};
    size_t ends[10];
    pcapng_make(&b, 10, ends);
    bytes_set32(&b, ends[4] - 4, 12345);
    struct seen *s = seen_bytes(&b, b.len);
    assert_int_equal(s->count, 9);
    assert_int_equal(s->packets[4].position, ends[4]);
    assert_int_equal(s->stats.damaged, 1);
    assert_non_null(strstr(s->said, "two lengths"));
    seen_free(s);
    bytes_done(&b);
}

static void pcapng_packets_that_lie(void **state) {
    (void)state;
    struct bytes b = {0};
    size_t ends[10];
    pcapng_make(&b, 10, ends);
    bytes_set32(&b, ends[2] + 8, 7);     /* an interface that is not there */
    bytes_set32(&b, ends[4] + 20, 1000); /* more captured than the block holds */
    struct seen *s = seen_bytes(&b, b.len);
    assert_int_equal(s->count, 8);
    assert_int_equal(s->stats.damaged, 2);
    assert_int_equal(s->notes, 2);
    seen_free(s);
    bytes_done(&b);
}

/* Lengths that the file header does not announce, but that are right, are believed. */
static void pcap_oddities_believed(void **state) {
    (void)state;
    struct bytes b = {0};
    pcap_head(&b, 0xa1b2c3d4, 96, 1);
    pcap_record(&b, 0, 1500000000, 5000000, 60); /* a fraction above one second */
    size_t at = pcap_record(&b, 1, 1500000001, 0, 60);
    bytes_set32(&b, at + 12, 10);                 /* fewer on the wire than captured */
    pcap_record(&b, 2, 1500000002, 0, 0);         /* no bytes at all */
    pcap_record(&b, 3, 1500000003, 0, 400 << 10); /* longer than snaplen and than usual */
    pcap_record(&b, 4, 1500000004, 7000000, 60);  /* odd and last */
    struct seen *s = seen_bytes(&b, b.len);
    assert_int_equal(s->count, 5);
    assert_int_equal(s->packets[0].time, 1500000005 * (int64_t)1000000000);
    assert_int_equal(s->packets[1].wire, 60);
    assert_int_equal(s->packets[2].captured, 0);
    assert_int_equal(s->packets[3].captured, 400 << 10);
    assert_true(s->packets[4].pattern);
    assert_int_equal(s->stats.damaged, 0);
    seen_free(s);
    bytes_done(&b);
}

/* Every note names file, place and what was done, but a hostile file cannot fill the screen. */
static void notes_are_few(void **state) {
    (void)state;
    struct bytes b = {0};
    pcap_head(&b, 0xa1b2c3d4, 65535, 1);
    for (uint32_t n = 0; n < 300; n++) {
        size_t at = pcap_record(&b, n, 1500000000 + n, 0, 60);
        if (n % 4 == 3) {
            bytes_set32(&b, at + 8, 0xf0000000);
        }
    }
    struct seen *s = seen_bytes(&b, b.len);
    assert_int_equal(s->count, 225);
    assert_int_equal(s->stats.damaged, 75);
    assert_int_equal(s->notes, CAPTURE_NOTES + 1);
    assert_non_null(strstr(s->said, "only counted"));
    seen_free(s);
    bytes_done(&b);
}

/* Random bytes over random places: nothing is promised but that it ends, and that it can be repeated. */
static void noise(void **state) {
    (void)state;
    uint64_t seed = 0x9e3779b97f4a7c15;
    for (unsigned round = 0; round < 400; round++) {
        struct bytes b = {.big = round & 2};
        (round & 1 ? pcapng_make : pcap_make)(&b, 60, NULL);
        for (unsigned k = 0; k < round % 40; k++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            b.at[24 + (seed >> 33) % (b.len - 24)] = (uint8_t)(seed >> 20);
        }
        struct seen *one = seen_bytes(&b, b.len);
        struct seen *two = seen_bytes(&b, b.len);
        assert_int_equal(one->count, two->count);
        assert_int_equal(one->stats.damaged, two->stats.damaged);
        assert_memory_equal(one->packets, two->packets, one->count * sizeof(*one->packets));
        if (round % 40 == 0) {
            assert_int_equal(one->count, 60);
        }
        seen_free(one);
        seen_free(two);
        bytes_done(&b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_everywhere),
        cmocka_unit_test(overwritten),
        cmocka_unit_test(hole),
        cmocka_unit_test(bytes_missing),
        cmocka_unit_test(pcapng_second_length_wrong),
        cmocka_unit_test(pcapng_packets_that_lie),
        cmocka_unit_test(pcap_oddities_believed),
        cmocka_unit_test(notes_are_few),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests_name("source_damage", tests, NULL, NULL);
}
