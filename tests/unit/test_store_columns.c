/* test_store_columns.c: columns asked where they lie packed, against the same columns read out: ranges and sets, rows
 * of every form of presence, more than one block, any choice of wanted rows; values that contain a text.
 */
#include <errno.h>

#include "check.h"
#include "store/bits.h"
#include "store/cache.h"
#include "store/lanes.h"
#include "store/part_open.h"

#define ROWS (PART_BLOCK + 3000u) /* the last block ends inside a word */

static const struct lanes *const engines[] = {
    &lanes_portable,
#if defined(__x86_64__)
    &lanes_avx2,
#endif
};

static bool engine_works(const struct lanes *l) {
    return l == &lanes_portable || l == lanes();
}

/* Numbers packed bit by bit; `ret` is exactly as long as they need. */
static uint8_t *pack_plainly(const uint64_t *v, size_t n, unsigned bits, size_t more, size_t *ret_len) {
    size_t len = (n * bits + 7) / 8 + more;
    uint8_t *to = calloc(len ? len : 1, 1);
    assert_non_null(to);
    for (size_t i = 0; i < n * bits; i++) {
        to[i / 8] |= (uint8_t)((v[i / bits] >> i % bits & 1) << i % 8);
    }
    *ret_len = len;
    return to;
}

static void unpacking(void **state) {
    (void)state;
    struct dice d = {31};
    uint64_t values[300], wide[300];
    uint32_t narrow[300];
    for (int round = 0; round < 4000; round++) {
        unsigned bits = (unsigned)(round % 65);
        size_t n = dice_below(&d, 300), len, more = dice_one_in(&d, 2) ? 0 : dice_below(&d, 20);
        for (size_t i = 0; i < n; i++) {
            values[i] = bits ? dice_u64(&d) >> (64 - bits) : 0;
        }
        uint64_t add = dice_u64(&d);
        uint8_t *bytes = pack_plainly(values, n, bits, more, &len);
        struct packed p = {bytes, bytes + len, bits, add};
        for (size_t e = 0; e < ARRAY_LEN(engines); e++) {
            if (!engine_works(engines[e])) {
                continue;
            }
            engines[e]->unpack64(&p, n, wide);
            engines[e]->unpack32(&p, bits <= 32 ? n : 0, narrow);
            for (size_t i = 0; i < n; i++) {
                assert_true(wide[i] == values[i] + add);
                assert_true(bits > 32 || narrow[i] == (uint32_t)(values[i] + add));
            }
        }
        free(bytes);
    }
}

static void choosing(void **state) {
    (void)state;
    struct dice d = {32};
    static uint32_t v[500];
    static uint64_t set[64], places[80], want[80], got[8], spread[80];
    for (int round = 0; round < 2000; round++) {
        size_t n = dice_below(&d, 500), words = dice_below(&d, 80);
        uint32_t low = (uint32_t)dice_below(&d, 4096), width = (uint32_t)dice_below(&d, 4096), highest = 0;
        for (size_t i = 0; i < n; i++) {
            v[i] = (uint32_t)dice_below(&d, 4096);
            highest = MAX(highest, v[i]);
        }
        dice_fill(&d, (uint8_t *)set, sizeof(set));
        for (size_t i = 0; i < words; i++) {
            places[i] = dice_one_in(&d, 3) ? 0 : dice_one_in(&d, 3) ? UINT64_MAX : dice_u64(&d);
            want[i] = dice_one_in(&d, 3) ? dice_u64(&d) & dice_u64(&d) & dice_u64(&d) : 0;
        }
        for (size_t e = 0; e < ARRAY_LEN(engines); e++) {
            if (!engine_works(engines[e])) {
                continue;
            }
            const struct lanes *l = engines[e];
            assert_int_equal(l->highest(v, n), highest);
            l->in_range(v, n, low, width, got);
            for (size_t i = 0; i < (n + 63) / 64 * 64; i++) {
                assert_int_equal(got[i / 64] >> i % 64 & 1, i < n && v[i] - low <= width);
            }
            l->in_set(v, n, set, got);
            for (size_t i = 0; i < (n + 63) / 64 * 64; i++) {
                assert_int_equal(got[i / 64] >> i % 64 & 1, i < n && (set[v[i] / 64] >> v[i] % 64 & 1));
            }
            /* bits to spread: those of `set`, which has some left over only for few places */
            size_t few = MIN(words, (size_t)60), at = 0;
            l->spread(places, few, set, spread);
            uint64_t groups = 0;
            for (size_t i = 0; i < few * 64; i++) {
                bool is = places[i / 64] >> i % 64 & 1;
                assert_int_equal(spread[i / 64] >> i % 64 & 1, is && (set[at / 64] >> at % 64 & 1));
                at += is;
            }
            at = 0;
            for (size_t i = 0; i < words; i++) {
                for (uint64_t left = places[i]; left; left &= left - 1, at++) {
                    groups |= places[i] & want[i] ? (uint64_t)1 << at / 1024 : 0;
                }
            }
            uint64_t said = l->groups(places, want, words);
            assert_true((said & groups) == groups);
            assert_true(groups || said == 0);
        }
    }
}

/* --- columns --- */

enum shape { SHAPE_ALL, SHAPE_MANY, SHAPE_FEW, SHAPE_FIRST, SHAPES };

static bool row_has(struct dice *d, enum shape shape, uint32_t row) {
    return shape == SHAPE_ALL    ? true
           : shape == SHAPE_MANY ? !dice_one_in(d, 3) || row % 4096 < 200
           : shape == SHAPE_FEW  ? dice_one_in(d, 40)
                                 : row < 1500; /* none in the second block */
}

struct made {
    struct cache cache;
    struct damage damage;
    struct part *part;
};

/* Columns of all kinds in all shapes, as "number0", "wide1", "code2", "list3". */
static void make_part(struct made *m, uint64_t seed) {
    struct dice d = {seed};
    struct segment_writer w;
    struct hash_key key = {seed, 5};
    *m = (struct made){0};
    pthread_mutex_init(&m->damage.lock, NULL);
    assert_int_equal(cache_init(&m->cache, (size_t)64 << 20), 0);
    assert_int_equal(segment_begin(&w, -1, 1000, ROWS, PACKING_NONE), 0);
    static const char *const names[] = {"number", "wide", "code", "list"};
    for (unsigned kind = 0; kind < ARRAY_LEN(names); kind++) {
        for (unsigned shape = 0; shape < SHAPES; shape++) {
            struct column_build b;
            char path[32], text[32];
            (void)snprintf(path, sizeof(path), "%s%u", names[kind], shape);
            column_build_init(&b, kind * SHAPES + shape, kind < 2 ? FT_U64 : FT_KEYWORD, &key);
            for (uint32_t row = 0; row < ROWS; row++) {
                if (!row_has(&d, (enum shape)shape, row)) {
                    continue;
                }
                uint32_t count = kind == 3 ? 1 + (uint32_t)dice_below(&d, 3) : 1;
                assert_true(column_build_row(&b, row, count));
                for (uint32_t i = 0; i < count; i++) {
                    uint64_t number = row < 10000 ? 5000000000 + dice_below(&d, 1000) /* runs of one narrow range */
                                      : kind == 1 ? dice_u64(&d) >> dice_below(&d, 64)
                                                  : 1000 + dice_below(&d, dice_one_in(&d, 50) ? 1000000 : 300) * 7;
                    int len =
                        snprintf(text, sizeof(text), "%x.%u.example", (unsigned)(number % 20000), (unsigned)row % 7);
                    if (kind < 2) {
                        column_build_number(&b, number);
                    } else {
                        column_build_bytes(&b, span_make(text, (size_t)len));
                    }
                }
            }
            segment_column(&w, path, &b);
            assert_int_equal(b.failed, 0);
            column_build_done(&b);
        }
    }
    uint64_t size;
    assert_int_equal(segment_end(&w, &size), 0);
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    memcpy(bytes, w.out.bytes.data, size);
    segment_done(&w);
    assert_int_equal(part_from_memory(span_make(bytes, size), "made", &m->cache, &m->damage, &m->part), 0);
}

static void part_gone(struct made *m) {
    part_unref(m->part);
    cache_done(&m->cache);
    pthread_mutex_destroy(&m->damage.lock);
}

/* A choice of rows: all, some everywhere, few, one stretch, none. */
static void choose_rows(struct dice *d, uint64_t want[PART_WORDS]) {
    size_t how = dice_below(d, 5), from = dice_below(d, PART_WORDS), to = from + dice_below(d, 40);
    for (size_t i = 0; i < PART_WORDS; i++) {
        want[i] = how == 0   ? UINT64_MAX
                  : how == 1 ? dice_u64(d)
                  : how == 2 ? (dice_one_in(d, 50) ? dice_u64(d) & dice_u64(d) & dice_u64(d) : 0)
                  : how == 3 ? (i >= from && i <= to ? UINT64_MAX : 0)
                             : 0;
    }
}

static void check_block(struct dice *d, const struct column *c, uint32_t block) {
    static uint64_t numbers[PART_BLOCK], present[PART_WORDS], want[PART_WORDS], got[PART_WORDS];
    static uint32_t codes[PART_BLOCK];
    static uint64_t set[PART_BLOCK / 16];
    const struct column_info *info = column_info(c);
    bool number = info->kind == COLUMN_NUMBER;
    uint32_t rows = MIN(PART_BLOCK, ROWS - block * PART_BLOCK);
    assert_true(column_presence(c, block, present) >= 0);
    assert_int_equal(number ? column_numbers(c, block, numbers) : column_codes(c, block, codes), 0);
    assert_true(number || MAX(info->values, info->lists) < sizeof(set) * 8);
    for (int round = 0; round < 16; round++) {
        uint32_t one = (uint32_t)dice_below(d, rows), two = (uint32_t)dice_below(d, rows);
        struct column_test t = {.low = number ? numbers[one] : codes[one], .high = number ? numbers[two] : codes[two]};
        bool by_set = !number && dice_one_in(d, 2);
        dice_fill(d, (uint8_t *)set, sizeof(set));
        t.set = by_set ? set : NULL;
        choose_rows(d, want);
        assert_int_equal(column_test(c, block, &t, want, got), 0);
        for (uint32_t row = 0; row < PART_BLOCK; row++) {
            bool has = row < rows && (present[row / 64] & want[row / 64]) >> row % 64 & 1;
            uint64_t value = !has ? 0 : number ? numbers[row] : codes[row];
            bool fits = has && (by_set ? set[value / 64] >> value % 64 & 1 : value >= t.low && value <= t.high);
            if (fits != (got[row / 64] >> row % 64 & 1)) {
                fail_msg("%s: row %u of block %u", info->path, row, block);
            }
        }
    }
    for (int round = 0; round < 300; round++) { /* and the rows one by one */
        uint32_t row = round < 70 ? rows - 1 - (uint32_t)round : (uint32_t)dice_below(d, rows), code = 0;
        uint64_t value = 0;
        int has = number ? column_number_at(c, block * PART_BLOCK + row, &value)
                         : column_code_at(c, block * PART_BLOCK + row, &code);
        assert_int_equal(has, present[row / 64] >> row % 64 & 1);
        assert_true(!has || (number ? value == numbers[row] : code == codes[row]));
    }
}

static void testing(void **state) {
    (void)state;
    struct made m;
    struct dice d = {77};
    unsigned kinds = 0;
    make_part(&m, 3);
    for (uint32_t i = 0; i < part_columns(m.part); i++) {
        const struct column *c = part_column(m.part, i);
        kinds |= 1u << column_info(c)->kind;
        for (uint32_t block = 0; block < part_info(m.part)->blocks; block++) {
            check_block(&d, c, block);
        }
    }
    assert_int_equal(kinds, 1u << COLUMN_NUMBER | 1u << COLUMN_CODE | 1u << COLUMN_LIST);
    assert_int_equal(m.damage.count, 0);
    part_gone(&m);
}

struct containing {
    const struct column *c;
    struct use use;
    struct span text;
    uint32_t next; /* the first code not told yet */
};

static bool contains(struct span value, struct span text) {
    return memmem(value.at, value.len, text.at, text.len) != NULL;
}

static int on_code(void *ctx, uint32_t code, struct span value) {
    struct containing *x = ctx;
    struct span own;
    assert_true(contains(value, x->text));
    for (; x->next < code; x->next++) {
        assert_int_equal(column_value(x->c, &x->use, x->next, &own), 0);
        assert_false(contains(own, x->text));
    }
    assert_int_equal(x->next++, code);
    assert_int_equal(column_value(x->c, &x->use, code, &own), 0);
    assert_true(span_equal(own, value));
    return 0;
}

/* "example4e" only occurs over the border of two values, "4" often several times in one. */
static void texts(void **state) {
    (void)state;
    static const char *const list[] = {"4", "4e1f.", ".example", "e", "example4e", "absent", "4e1f.3.example"};
    struct made m;
    make_part(&m, 3);
    for (size_t i = 0; i < ARRAY_LEN(list); i++) {
        struct containing x = {.c = part_find(m.part, SPAN_LITERAL("code0")), .text = span_text(list[i])};
        uint32_t values = column_info(x.c)->values;
        for (uint32_t code = 0; code < values;) {
            uint32_t before = code;
            assert_int_equal(column_containing(x.c, &code, x.text, on_code, &x), 0);
            assert_true(code > before);
        }
        for (struct span own; x.next < values; x.next++) {
            assert_int_equal(column_value(x.c, &x.use, x.next, &own), 0);
            assert_false(contains(own, x.text));
        }
        use_done(&x.use);
    }
    part_gone(&m);
}

/* A run that says codes beyond the dictionary is damage, whether the range meets them or not. */
static void beyond(void **state) {
    (void)state;
    uint64_t values[2000], bits[SERIES_RUN / 64], set[4] = {0};
    struct buf b;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        values[i] = i == 1500 ? 250 : i % 100;
    }
    buf_init(&b, (size_t)1 << 20);
    series_write(values, ARRAY_LEN(values), &b);
    struct series_test range = {.low = 0, .high = 5, .last = 249}, one = {.set = set, .last = 249};
    assert_int_equal(series_test_run(buf_span(&b), ARRAY_LEN(values), 0, &range, bits), 0);
    assert_int_equal(series_test_run(buf_span(&b), ARRAY_LEN(values), 1, &range, bits), -EBADMSG);
    assert_int_equal(series_test_run(buf_span(&b), ARRAY_LEN(values), 1, &one, bits), -EBADMSG);
    range.last = one.last = 250;
    assert_int_equal(series_test_run(buf_span(&b), ARRAY_LEN(values), 1, &range, bits), 0);
    assert_int_equal(series_test_run(buf_span(&b), ARRAY_LEN(values), 1, &one, bits), 0);
    buf_done(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacking), cmocka_unit_test(choosing), cmocka_unit_test(testing),
        cmocka_unit_test(texts),     cmocka_unit_test(beyond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
