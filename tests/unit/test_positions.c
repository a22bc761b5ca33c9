/* test_positions.c: packet positions in the files of captures: written, found again, and damaged in every byte that
 * leads from one extent to the next.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "store/file.h"
#include "store/positions.h"
#include "store/positions_file.h"

#define SESSIONS 4500u
#define PACKETS 3u
#define FILE_NUMBER 7u

static char folder[64], path[FILE_PATH_MAX];

static void position_of(uint64_t seq, struct packet_position list[PACKETS]) {
    for (uint32_t i = 0; i < PACKETS; i++) {
        list[i] = (struct packet_position){.file = FILE_NUMBER, .position = seq * 1000 + i * 70, .captured = 60 + i};
    }
}

static void append(uint64_t first, uint64_t count) {
    struct positions_sink sink;
    assert_int_equal(positions_sink_begin(&sink, folder), 0);
    for (uint64_t seq = first; seq < first + count; seq++) {
        struct packet_position list[PACKETS];
        struct buf blob;
        buf_init(&blob, 4096);
        position_of(seq, list);
        positions_write(list, PACKETS, &blob);
        positions_sink_add(&sink, seq, buf_span(&blob));
        buf_done(&blob);
    }
    assert_int_equal(positions_sink_end(&sink), 0);
}

static int begin(void **state) {
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/seine-positions-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/ppos", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    positions_path(folder, FILE_NUMBER, path);
    append(0, SESSIONS);
    return 0;
}

static int end(void **state) {
    (void)state;
    char inner[80];
    assert_int_equal(unlink(path), 0);
    (void)snprintf(inner, sizeof(inner), "%s/ppos", folder);
    assert_int_equal(rmdir(inner), 0);
    return rmdir(folder);
}

/* How many of every 61st session from `first` on are there; what is there is right. */
static unsigned found(struct positions_reader *r, uint64_t first, uint64_t last) {
    static const uint32_t files[] = {FILE_NUMBER};
    unsigned n = 0;
    for (uint64_t seq = first; seq <= last; seq += 61) {
        const struct packet_position *list = NULL;
        struct packet_position wanted[PACKETS];
        uint32_t count = 0;
        int code = positions_find(r, seq, files, 1, &list, &count);
        position_of(seq, wanted);
        if (count) {
            assert_int_equal(count, PACKETS);
            assert_memory_equal(list, wanted, sizeof(wanted));
            n++;
        } else {
            assert_true(code == 0 || code == -EBADMSG);
        }
    }
    return n;
}

static unsigned asked(uint64_t first, uint64_t last) {
    return first > last ? 0 : (unsigned)((last - first) / 61 + 1);
}

static void written(void **state) {
    (void)state;
    struct positions_reader *r = positions_reader_new(folder);
    assert_int_equal(found(r, 0, SESSIONS - 1), asked(0, SESSIONS - 1));
    assert_int_equal(found(r, SESSIONS, SESSIONS + 200), 0);
    append(SESSIONS, 100); /* the reader learns of what came */
    assert_int_equal(found(r, SESSIONS, SESSIONS + 99), asked(SESSIONS, SESSIONS + 99));
    positions_reader_free(r);
}

static void put(const struct buf *bytes) {
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes->data, 1, bytes->len, f), bytes->len);
    assert_int_equal(fclose(f), 0);
}

/* One bit of an extent's head is wrong: its own sessions may be lost, and no others, before and after more was written.
 */
static void heads(void **state) {
    (void)state;
    struct buf whole;
    struct positions_extent e;
    uint64_t at = 0;
    unsigned extents = 0;
    buf_init(&whole, (size_t)1 << 24);
    assert_int_equal(file_read_all(path, &whole), 0);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (; positions_extent_at(fd, at, &e) == 1; at = e.next) {
        bool is_last = e.next == whole.len;
        for (unsigned i = 0; i < POSITIONS_HEAD * 8; i += 5) {
            whole.data[e.at + i / 8] ^= (uint8_t)(1u << i % 8);
            put(&whole);
            struct positions_reader *r = positions_reader_new(folder);
            unsigned others = asked(0, SESSIONS - 1) - (unsigned)((e.last / 61) - (e.first + 60) / 61 + 1);
            assert_true(found(r, 0, SESSIONS - 1) >= others);
            append(SESSIONS, 50);
            assert_true(found(r, 0, SESSIONS - 1) >= others);
            positions_reader_free(r);
            r = positions_reader_new(folder);
            assert_true(found(r, 0, SESSIONS - 1) >= others);
            assert_int_equal(found(r, SESSIONS, SESSIONS + 49), asked(SESSIONS, SESSIONS + 49));
            positions_reader_free(r);
            whole.data[e.at + i / 8] ^= (uint8_t)(1u << i % 8);
        }
        put(&whole);
        extents++;
        assert_true(extents < 20);
        if (is_last) {
            break;
        }
    }
    assert_true(extents >= 4);
    (void)close(fd);
    buf_done(&whole);
}

/* Half an extent at the end, as a crash leaves it, goes when more is written. */
static void torn(void **state) {
    (void)state;
    struct buf whole;
    buf_init(&whole, (size_t)1 << 24);
    assert_int_equal(file_read_all(path, &whole), 0);
    size_t len = whole.len;
    for (size_t cut = 1; cut < 200; cut += 13) {
        whole.len = len - cut;
        put(&whole);
        append(SESSIONS, 50);
        uint64_t extents, bad;
        assert_int_equal(positions_check(path, &extents, &bad), 0);
        struct positions_reader *r = positions_reader_new(folder);
        assert_int_equal(found(r, SESSIONS, SESSIONS + 49), asked(SESSIONS, SESSIONS + 49));
        positions_reader_free(r);
    }
    buf_done(&whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written, begin, end),
        cmocka_unit_test_setup_teardown(heads, begin, end),
        cmocka_unit_test_setup_teardown(torn, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
