/* test_store_bits.c: what the store's files are made of: CRC32C, varints, series of packed numbers, ordered numbers,
 * distinct values; and logs with torn ends and damaged frames.
 */
#include <sys/wait.h>

#include "store/bits.h"
#include "store/column.h"
#include "store/crc32c.h"
#include "store_run.h"

static void checksum(void **state) {
    (void)state;
    /* RFC 3720, appendix B.4 */
    uint8_t bytes[32] = {0};
    assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, 32);
    assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
    for (unsigned i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
    assert_int_equal(crc32c(crc32c(0, bytes, 7), bytes + 7, 25), 0x46dd794e);
    static uint8_t many[20000];
    struct dice d = {5};
    for (int round = 0; round < 50; round++) { /* long runs at once are those of their pieces */
        size_t len = dice_below(&d, sizeof(many)), at = 0;
        uint32_t pieces = 0;
        dice_fill(&d, many, len);
        while (at < len) {
            size_t piece = 1 + dice_below(&d, MIN(len - at, (size_t)500));
            pieces = crc32c(pieces, many + at, piece);
            at += piece;
        }
        assert_int_equal(crc32c(0, many, len), pieces);
    }
}

static void varints(void **state) {
    (void)state;
    struct dice d = {3};
    for (int i = 0; i < 10000; i++) {
        uint64_t value = dice_u64(&d) >> dice_below(&d, 64);
        uint8_t room[VARINT_MAX];
        size_t len = (size_t)(varint_write(room, value) - room);
        struct cursor c = cursor_over(span_make(room, len));
        assert_true(cursor_varint(&c) == value && cursor_ok(&c) && cursor_left(&c) == 0);
        c = cursor_over(span_make(room, len - 1));
        (void)cursor_varint(&c);
        assert_false(cursor_ok(&c));
        assert_true(unzigzag(zigzag((int64_t)value)) == (int64_t)value);
    }
    static const uint8_t endless[12] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    struct cursor c = cursor_over(span_make(endless, sizeof(endless)));
    (void)cursor_varint(&c);
    assert_false(cursor_ok(&c));
}

static void series(void **state) {
    (void)state;
    struct dice d = {9};
    static uint64_t values[5000], back[5000];
    static uint32_t narrow[5000];
    for (int round = 0; round < 400; round++) {
        size_t n = 1 + dice_below(&d, round % 10 ? 300 : 5000);
        unsigned bits = (unsigned)dice_below(&d, 65), rare = (unsigned)dice_below(&d, 65);
        uint64_t base = dice_one_in(&d, 2) ? 0 : dice_u64(&d) >> 1;
        for (size_t i = 0; i < n; i++) {
            unsigned width = dice_one_in(&d, 30) ? rare : bits;
            values[i] = (width ? dice_u64(&d) >> (64 - width) : 0) + (width < 60 ? base : 0);
        }
        struct buf b;
        buf_init(&b, (size_t)1 << 20);
        series_write(values, n, &b);
        assert_int_equal(b.len, series_size(values, n));
        assert_int_equal(series_read(buf_span(&b), n, back), 0);
        assert_memory_equal(values, back, n * sizeof(values[0]));
        bool fits = true;
        for (size_t i = 0; i < n; i++) {
            uint64_t one = 0;
            assert_int_equal(series_at(buf_span(&b), n, i, &one), 0);
            assert_true(one == values[i]);
            fits = fits && values[i] <= UINT32_MAX;
        }
        assert_int_equal(series_read32(buf_span(&b), n, narrow), fits ? 0 : -EBADMSG);
        uint64_t one = 0;
        assert_int_equal(series_at(buf_span(&b), n, n, &one), -EBADMSG);
        for (int k = 0; k < 20; k++) { /* damaged or cut: never read outside, whatever comes out */
            struct span cut = span_sub(buf_span(&b), 0, dice_below(&d, b.len + 1));
            b.data[dice_below(&d, b.len)] ^= (uint8_t)(1u << dice_below(&d, 8));
            uint8_t *exact = malloc(cut.len + 1);
            assert_non_null(exact);
            memcpy(exact, cut.at, cut.len);
            (void)series_read(span_make(exact, cut.len), n, back);
            (void)series_at(span_make(exact, cut.len), n, n / 2, &one);
            free(exact);
        }
        buf_done(&b);
    }
}

static void ordered(void **state) {
    (void)state;
    static const double list[] = {-1e300, -2.5, -0.0, 0.0, 1e-300, 1, 3e9, 1e300};
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        assert_true(number_to_double(number_from_double(list[i])) == list[i]);
        assert_true(i == 0 || number_from_double(list[i - 1]) <= number_from_double(list[i]));
    }
    assert_true(number_from_i64(-5) < number_from_i64(3) && number_to_i64(number_from_i64(INT64_MIN)) == INT64_MIN);
}

static void distinct(void **state) {
    (void)state;
    struct hash_key key = {1, 2};
    struct intern t;
    struct dice d = {4};
    intern_init(&t, &key);
    for (int i = 0; i < 20000; i++) {
        char text[16];
        int len = snprintf(text, sizeof(text), "%zu", dice_below(&d, 3000));
        uint32_t number = intern_add(&t, span_make(text, (size_t)len));
        assert_true(number < t.count);
        assert_true(span_is(intern_at(&t, number), text));
    }
    assert_in_range(t.count, 2900, 3000);
    uint32_t *sorted = malloc(2 * 3000 * sizeof(*sorted));
    assert_non_null(sorted);
    assert_int_equal(intern_sort(&t, sorted, sorted + 3000), 0);
    for (uint32_t i = 1; i < t.count; i++) {
        struct span a = intern_at(&t, sorted[i - 1]), b = intern_at(&t, sorted[i]);
        int order = memcmp(a.at, b.at, MIN(a.len, b.len));
        assert_true(order < 0 || (order == 0 && a.len < b.len));
        assert_int_equal(sorted[3000 + sorted[i]], i);
    }
    free(sorted);
    intern_done(&t);
}

/* A store as a kill leaves it: three frames of 100 sessions in the log, and a writer that did not close. */
static void crashed_store(struct store_run *s) {
    store_run_init(s, 21);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store_writer *w = store_run_writer(s, NULL);
        for (int i = 0; i < 3; i++) {
            store_run_append(s, w, 100);
            assert_int_equal(store_flush(w), 0);
        }
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static uint64_t rows_of(struct store_run *s, uint64_t *ret_damage) {
    struct store *store = store_run_open(s);
    struct snapshot *snapshot = store_snapshot(store);
    uint64_t rows = snapshot_rows(snapshot);
    *ret_damage = store_damage(store, NULL, NULL);
    snapshot_unref(snapshot);
    store_close(store);
    return rows;
}

static void log_file(const struct store_run *s, char path[100], struct stat *st) {
    (void)snprintf(path, 100, "%s/wal.00000001", s->folder);
    assert_int_equal(stat(path, st), 0);
}

static void torn(void **state) {
    (void)state;
    struct store_run s;
    struct stat st;
    char path[100];
    uint64_t damage = 0;
    crashed_store(&s);
    log_file(&s, path, &st);
    assert_int_equal(rows_of(&s, &damage), 300);
    assert_int_equal(truncate(path, st.st_size - 5), 0);
    assert_int_equal(rows_of(&s, &damage), 200);
    assert_int_equal(damage, 0); /* an end that is not there yet is no damage */
    struct store_writer *w = store_run_writer(&s, NULL);
    struct stat cut;
    log_file(&s, path, &cut);
    assert_true(cut.st_size < st.st_size - 5); /* the torn frame is gone */
    s.made = 200;
    store_run_append(&s, w, 50); /* its numbers are used again */
    assert_int_equal(store_flush(w), 0);
    assert_int_equal(rows_of(&s, &damage), 250);
    assert_int_equal(store_writer_close(w, NULL), 0);
    assert_int_equal(rows_of(&s, &damage), 250);
    store_run_done(&s);
}

static void frame_damaged(void **state) {
    (void)state;
    struct store_run s;
    struct stat st;
    char path[100];
    uint64_t damage = 0;
    crashed_store(&s);
    log_file(&s, path, &st);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    uint8_t byte;
    assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1); /* in the second frame */
    byte ^= 4;
    assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
    close(fd);
    assert_int_equal(rows_of(&s, &damage), 200);
    assert_true(damage > 0);
    struct store_writer *w = store_run_writer(&s, NULL);
    s.made = 300;
    store_run_append(&s, w, 10);
    assert_int_equal(store_writer_close(w, NULL), 0);
    assert_int_equal(rows_of(&s, &damage), 210); /* two segments with a gap between them */
    assert_int_equal(damage, 0);
    store_run_done(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksum),      cmocka_unit_test(varints),  cmocka_unit_test(series),
        cmocka_unit_test(ordered),       cmocka_unit_test(distinct), cmocka_unit_test(torn),
        cmocka_unit_test(frame_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
