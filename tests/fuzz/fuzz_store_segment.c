/* fuzz_store_segment.c: any bytes as a segment: every column is read in every way there is, as the store's readers,
 * merges and checks do. In the fuzzer's build checksums hold always, so that what stands behind them is reached.
 */
#include <stdlib.h>
#include <string.h>

#include "store/merge.h"
#include "store/unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROWS_MOST 300000u /* larger ones only take longer */
#define BLOCKS_MOST 2048u

static uint64_t seen; /* what was read is used */

static bool see_text(void *ctx, uint32_t row, struct span value) {
    (void)ctx;
    seen += row + value.len + (value.len ? value.at[value.len - 1] : 0u);
    return true;
}

static int see_value(void *ctx, struct span bytes, uint64_t number) {
    (void)ctx;
    seen += number + (bytes.len ? bytes.at[bytes.len - 1] : 0u);
    return 0;
}

static int see_code(void *ctx, uint32_t code, struct span value) {
    (void)ctx;
    seen += code + value.len;
    return 0;
}

static void read_texts(const struct column *c) {
    for (uint32_t code = 0; code < c->info.values;) {
        if (column_containing(c, &code, SPAN_LITERAL("e"), see_code, NULL) < 0) {
            break;
        }
    }
}

/* What passes packed is what passes unpacked. */
static void test_block(const struct column *c, uint32_t block, uint64_t *numbers) {
    uint64_t all[PART_WORDS], passed[PART_WORDS], present[PART_WORDS];
    uint32_t *codes = (uint32_t *)(void *)numbers, rows = c->part->info.rows - block * PART_BLOCK;
    bool number = c->info.kind == COLUMN_NUMBER;
    memset(all, 0xff, sizeof(all));
    int r = column_presence(c, block, present);
    r = r < 0 ? r : number ? column_numbers(c, block, numbers) : column_codes(c, block, codes);
    uint64_t middle = r < 0 || c->info.kind == COLUMN_RAW ? 0 : number ? numbers[0] : codes[0];
    struct column_test t = {.low = middle / 2, .high = middle};
    int tested = column_test(c, block, &t, all, passed);
    if (r < 0 || c->info.kind == COLUMN_RAW) {
        return;
    }
    if (tested < 0) {
        abort();
    }
    for (uint32_t row = 0; row < rows && row < PART_BLOCK; row++) {
        uint64_t value = number ? numbers[row] : codes[row];
        bool has = present[row / 64] >> (row % 64) & 1;
        if ((passed[row / 64] >> (row % 64) & 1) != (has && value >= t.low && value <= t.high)) {
            abort();
        }
    }
}

static void read_dictionary(const struct column *c, struct use *u) {
    uint32_t step = c->info.values / 64 + 1, code;
    bool equal;
    for (uint32_t i = 0; i < c->info.values; i += step) {
        struct span value = {0};
        if (column_value(c, u, i, &value) == 0) {
            (void)see_value(NULL, value, 0);
            (void)column_lower(c, u, value, &code, &equal);
        }
    }
    const uint32_t *codes;
    uint32_t count;
    for (uint32_t i = 0; c->info.kind == COLUMN_LIST && i < c->info.lists; i += c->info.lists / 64 + 1) {
        if (column_list(c, u, i, &codes, &count) == 0 && count) {
            seen += codes[count - 1];
        }
    }
}

static void read_column(const struct column *c) {
    static const size_t room = PART_BLOCK * sizeof(uint64_t);
    uint64_t *numbers = malloc(room), bits[PART_WORDS], low, high;
    struct use u;
    use_init(&u);
    if (!numbers) {
        return;
    }
    if (c->info.kind == COLUMN_CODE || c->info.kind == COLUMN_LIST) {
        read_dictionary(c, &u);
        read_texts(c);
    }
    for (uint32_t b = 0; b < c->part->info.blocks; b++) {
        (void)column_presence(c, b, bits);
        (void)column_zone(c, b, &low, &high);
        (void)column_numbers(c, b, numbers);
        (void)column_codes(c, b, (uint32_t *)(void *)numbers);
        test_block(c, b, numbers);
        (void)column_raw(c, b, NULL, see_text, NULL);
        (void)column_row(c, &u, b * PART_BLOCK + 1, see_value, NULL);
    }
    (void)column_row(c, &u, c->part->info.rows - 1, see_value, NULL);
    use_done(&u);
    free(numbers);
}

static void read_part(struct part *p) {
    for (uint32_t i = 0; i < p->count && p->info.rows; i++) {
        read_column(&p->columns[i]);
    }
    struct merge m = {.parts = &p, .count = 1};
    struct part *merged = NULL;
    if (merge_into_memory(&m, "merged", &merged) == 0) {
        (void)part_unref(merged);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct cache cache;
    struct part *p = NULL;
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy || cache_init(&cache, (size_t)1 << 20) != 0) {
        free(copy);
        return 0;
    }
    if (size) {
        memcpy(copy, data, size);
    }
    if (part_from_memory(span_make(copy, size), "fuzz", &cache, NULL, &p) == 0) {
        if (p->info.rows <= ROWS_MOST && p->count * (uint64_t)p->info.blocks <= BLOCKS_MOST) {
            read_part(p);
        }
        (void)part_unref(p);
    }
    cache_done(&cache);
    return 0;
}
