/* search_filter.c: a plan asked about one block: bitmaps in, bitmaps out. An AND narrows the rows for each next child,
 * an OR takes those already found away, so that what is dear sees few rows.
 */
#include <errno.h>
#include <math.h>

#include "query/fit.h"
#include "record/values.h"
#include "store/search_own.h"

#define FEW 512 /* rows of a block that are cheaper to look up than to decode the block */
#define MS_PER_SECOND 1000
#define CHECK_EVERY 256
#define WORTH_ALL 32   /* a row for so many values makes it worth trying all */
#define TRY_CHECK 4096 /* values between looks at the clock */

/* --- numbers --- */

/* `rows`: what is behind them is not looked at. */
static void test_range(const uint64_t *numbers, uint32_t rows, struct number_range range, uint64_t *ret) {
    uint64_t span = range.high - range.low;
    map_clear(ret);
    for (size_t i = 0; i < (rows + 63) / 64; i++, numbers += 64) {
        uint64_t bits = 0;
        for (size_t k = 0; k < 64; k++) {
            bits |= (uint64_t)(numbers[k] - range.low <= span) << k;
        }
        ret[i] = bits;
    }
}

static int few_numbers(const struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    map_clear(ret);
    MAP_EACH(mask, row) {
        uint64_t number;
        int code = column_number_at(p->reader.c, block * PART_BLOCK + (uint32_t)row, &number);
        if (code < 0) {
            return code;
        }
        if (code && item_set_number(p->cond->set, number)) {
            map_set(ret, (uint32_t)row);
        }
    }
    return 0;
}

static int filter_numbers(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    const struct item_set *set = p->cond->set;
    bool column = p->reader.kind == READER_COLUMN && p->reader.info->kind == COLUMN_NUMBER, all = false;
    uint64_t low, high;
    const uint64_t *numbers;
    if (column) {
        if (!column_zone(p->reader.c, block, &low, &high) || !item_set_meets(set, low, high, &all)) {
            map_clear(ret);
            return 0;
        }
        if (all) {
            int code = column_presence(p->reader.c, block, ret);
            map_and(ret, mask);
            return MIN(code, 0);
        }
        if (map_is_few(mask, FEW)) {
            return few_numbers(p, block, mask, ret);
        }
    }
    uint64_t *present = worker_map(w);
    int code = present ? reader_numbers(w, &p->reader, block, 0, &numbers, present) : -ENOMEM;
    if (code == 0 && set->number_count == 1) {
        test_range(numbers, worker_rows(w, block), set->numbers[0], ret);
        map_and(ret, mask);
        map_and(ret, present);
    } else if (code == 0) {
        map_clear(ret);
        map_and(present, mask);
        MAP_EACH(present, row) {
            if (item_set_number(set, numbers[row])) {
                map_set(ret, (uint32_t)row);
            }
        }
    }
    if (present) {
        worker_unmap(w);
    }
    return code;
}

/* --- codes --- */

/* Whether the value of the code fits; negative: failure. */
static int code_fits(struct worker *w, struct plan *p, uint32_t code) {
    if (code < p->codes.low || code > p->codes.high) {
        return 0;
    }
    if (!p->codes.memo) {
        return 1;
    }
    if (p->codes.memo[code] == FIT_UNKNOWN) {
        struct span value;
        int failure = column_value(p->reader.c, &w->use, code, &value);
        if (failure < 0) {
            return failure;
        }
        p->codes.memo[code] = item_set_value(p->cond->set, value) ? FIT_YES : FIT_NO;
    }
    return p->codes.memo[code] == FIT_YES;
}

/* Tries all values in their order, which is quicker than as they turn up. What fits lies between low and high then. */
static int try_all(struct worker *w, struct plan *p) {
    uint32_t low = CODE_NONE, high = 0;
    for (uint32_t code = p->codes.low; code <= p->codes.high; code++) {
        int fits = code % TRY_CHECK ? 0 : search_check(w->s);
        fits = fits < 0 ? fits : code_fits(w, p, code);
        if (fits < 0) {
            return fits;
        }
        low = fits ? MIN(low, code) : low;
        high = fits ? code : high;
    }
    p->codes.low = low; /* above `high` when none does */
    p->codes.high = high;
    p->codes.tried = true;
    return 0;
}

static int find_list(struct worker *w, struct plan *p, uint32_t list) {
    const uint32_t *codes;
    uint32_t count;
    int fits = column_list(p->reader.c, &w->use, list, &codes, &count);
    if (fits < 0) {
        return fits;
    }
    fits = 0;
    if (p->cond->field.access == ACCESS_COUNT) {
        fits = item_set_number(p->cond->set, count);
    } else {
        for (uint32_t i = 0; i < count && fits == 0; i++) {
            fits = code_fits(w, p, codes[i]);
        }
    }
    if (fits >= 0) {
        p->lists[list] = fits ? FIT_YES : FIT_NO;
    }
    return MIN(fits, 0);
}

/* Looks up what is not known yet. */
static inline int find_code(struct worker *w, struct plan *p, uint32_t value) {
    return p->kind == PLAN_LISTS ? find_list(w, p, value) : MIN(code_fits(w, p, value), 0);
}

static void test_code_range(const uint32_t *codes, uint32_t rows, struct code_set set, uint64_t *ret) {
    uint32_t low = set.low, span = set.high - set.low;
    map_clear(ret);
    for (size_t i = 0; i < (rows + 63) / 64; i++, codes += 64) {
        uint64_t bits = 0;
        for (size_t k = 0; k < 64; k++) {
            bits |= (uint64_t)(codes[k] - low <= span) << k;
        }
        ret[i] = bits;
    }
}

static int few_codes(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    map_clear(ret);
    MAP_EACH(mask, row) {
        uint32_t value = CODE_NONE;
        int code = column_code_at(p->reader.c, block * PART_BLOCK + (uint32_t)row, &value);
        if (code > 0 && p->kind == PLAN_LISTS) {
            code = p->lists[value] == FIT_UNKNOWN ? find_list(w, p, value) : 0;
            code = code < 0 ? code : p->lists[value] == FIT_YES;
        } else if (code > 0) {
            code = code_fits(w, p, value);
        }
        if (code < 0) {
            return code;
        }
        if (code) {
            map_set(ret, (uint32_t)row);
        }
    }
    return 0;
}

/* All lists at once, and after that no row has to be asked whether its list is known. */
static int try_all_lists(struct worker *w, struct plan *p) {
    for (uint32_t list = 0; list < p->reader.info->lists; list++) {
        int code = list % TRY_CHECK ? 0 : search_check(w->s);
        if (code == 0 && p->lists[list] == FIT_UNKNOWN) {
            code = find_list(w, p, list);
        }
        if (code < 0) {
            return code;
        }
    }
    p->lists_tried = true;
    return 0;
}

/* Tries values before rows are looked at, when there are many rows. */
static int try_ahead(struct worker *w, struct plan *p, const uint64_t *mask) {
    int code = 0;
    if (p->codes.memo && !p->codes.tried && !map_is_few(mask, p->codes.high / WORTH_ALL)) {
        code = try_all(w, p);
    }
    bool none = p->codes.low > p->codes.high && p->cond->field.access != ACCESS_COUNT;
    if (code == 0 && !none && p->kind == PLAN_LISTS && !p->lists_tried &&
        !map_is_few(mask, p->reader.info->lists / WORTH_ALL)) {
        code = try_all_lists(w, p);
    }
    return code;
}

static void look_up_known(const uint8_t *memo, uint32_t count, const uint32_t *codes, uint32_t rows, uint64_t *ret) {
    map_clear(ret);
    for (size_t i = 0; i < (rows + 63) / 64; i++, codes += 64) {
        uint64_t bits = 0;
        for (size_t k = 0; k < 64; k++) {
            bits |= (uint64_t)(memo[MIN(codes[k], count)] == FIT_YES) << k; /* CODE_NONE: see memo_new */
        }
        ret[i] = bits;
    }
}

/* What the memo says of each row's code or list. */
static int look_up(struct worker *w, struct plan *p, const uint32_t *codes, const uint64_t *mask, uint64_t *ret) {
    const uint8_t *memo = p->kind == PLAN_LISTS ? p->lists : p->codes.memo;
    for (uint32_t i = 0; i < PART_WORDS; i++) {
        uint64_t found = 0;
        for (uint64_t bits = mask[i]; bits; bits &= bits - 1) {
            uint32_t value = codes[i * 64 + (uint32_t)__builtin_ctzll(bits)];
            if (value == CODE_NONE) {
                continue;
            }
            if (memo[value] == FIT_UNKNOWN) {
                int code = find_code(w, p, value);
                if (code < 0) {
                    return code;
                }
            }
            found |= memo[value] == FIT_YES ? bits & -bits : 0;
        }
        ret[i] = found;
    }
    return 0;
}

static bool codes_out_of_zone(const struct plan *p, uint32_t block) {
    uint64_t low, high;
    return !column_zone(p->reader.c, block, &low, &high) ||
           (p->kind == PLAN_CODES && (low > p->codes.high || high < p->codes.low)) ||
           (p->codes.low > p->codes.high && p->cond->field.access != ACCESS_COUNT);
}

static int filter_codes(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    uint32_t *codes = worker_codes(w, 0), rows = worker_rows(w, block);
    map_clear(ret);
    if (!codes || codes_out_of_zone(p, block)) {
        return codes ? 0 : -ENOMEM;
    }
    if (map_is_few(mask, FEW)) {
        return few_codes(w, p, block, mask, ret);
    }
    int code = try_ahead(w, p, mask);
    if (code < 0 || codes_out_of_zone(p, block)) {
        return code;
    }
    code = column_codes(p->reader.c, block, codes);
    if (code < 0) {
        return code;
    }
    if (p->kind == PLAN_CODES && !p->codes.memo) {
        test_code_range(codes, rows, p->codes, ret);
    } else if (p->kind == PLAN_CODES ? p->codes.tried : p->lists_tried) {
        bool list = p->kind == PLAN_LISTS;
        for (uint32_t i = rows; i % 64; i++) {
            codes[i] = CODE_NONE;
        }
        look_up_known(list ? p->lists : p->codes.memo, list ? p->reader.info->lists : p->reader.info->values, codes,
                      rows, ret);
    } else {
        return look_up(w, p, codes, mask, ret);
    }
    map_and(ret, mask);
    return 0;
}

/* --- values one by one --- */

struct raw_test {
    struct worker *w;
    const struct item_set *set;
    uint64_t *ret;
    uint32_t *counts;
    uint32_t tried;
    int code;
};

static bool on_raw(void *ctx, uint32_t row, struct span value) {
    struct raw_test *t = ctx;
    row %= PART_BLOCK;
    if (t->counts) {
        t->counts[row]++;
    } else if (!map_has(t->ret, row) && item_set_value(t->set, value)) {
        map_set(t->ret, row);
    }
    if (++t->tried % CHECK_EVERY == 0) {
        t->code = search_check(t->w->s);
    }
    return t->code == 0;
}

static int filter_raw(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    struct raw_test t = {.w = w, .set = p->cond->set, .ret = ret};
    map_clear(ret);
    if (p->cond->field.access == ACCESS_COUNT) {
        t.counts = worker_codes(w, 0);
        if (!t.counts) {
            return -ENOMEM;
        }
        memset(t.counts, 0, PART_BLOCK * sizeof(*t.counts));
    }
    int code = column_raw(p->reader.c, block, mask, on_raw, &t);
    if (t.counts && code >= 0) {
        MAP_EACH(mask, row) {
            if (t.counts[row] && item_set_number(t.set, t.counts[row])) {
                map_set(ret, (uint32_t)row);
            }
        }
    }
    return code < 0 ? code : t.code;
}

static bool on_bound(void *ctx, const struct field *f, const struct value *v) {
    const struct item_set **set = ctx;
    (void)f;
    if (item_set_number(*set, v->u64)) {
        *set = NULL;
    }
    return *set != NULL;
}

/* Conditions without a node are those on times. */
static bool cond_matches(const struct cond *c, const struct record *r) {
    if (c->node) {
        return query_node_match(c->node, r);
    }
    const struct item_set *set = c->set;
    record_values(r, c->field.field, on_bound, &set);
    return set == NULL;
}

static int restore_rows(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    uint32_t tried = 0;
    MAP_EACH(mask, row) {
        const struct record *r;
        int code = ++tried % CHECK_EVERY == 0 ? search_check(w->s) : 0;
        code = code < 0 ? code : worker_restore(w, p->part, block * PART_BLOCK + (uint32_t)row, &r);
        if (code < 0) {
            return code;
        }
        if (cond_matches(p->cond, r)) {
            map_set(ret, (uint32_t)row);
        }
    }
    return 0;
}

static int filter_restored(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    uint64_t *asked = worker_map(w);
    int code = asked ? 0 : -ENOMEM;
    map_clear(ret);
    if (code == 0) {
        memcpy(asked, mask, PART_WORDS * sizeof(*asked));
        /* A column of another type than the field's says at least where there may be values. */
        code = p->reader.c && p->reader.kind == READER_RESTORE ? column_presence(p->reader.c, block, asked) : 0;
        map_and(asked, mask);
        code = code < 0 ? code : restore_rows(w, p, block, asked, ret);
        worker_unmap(w);
    }
    return code;
}

static void filter_seqs(const struct plan *p, const struct part_info *info, uint32_t block, uint64_t *ret) {
    const struct cond *c = p->cond;
    uint64_t from = info->seq_low + (uint64_t)block * PART_BLOCK;
    size_t low = 0, high = c->seq_count;
    map_clear(ret);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->seqs[middle] < from) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < c->seq_count && c->seqs[low] - from < block_rows(info, block); low++) {
        map_set(ret, (uint32_t)(c->seqs[low] - from));
    }
}

/* --- comparisons --- */

struct compare_block {
    const struct plan *p;
    const uint64_t *numbers[SEARCH_SLOTS];
    uint64_t *present[SEARCH_SLOTS];
    bool sums; /* calculations count times in seconds */
    size_t next;
};

static long double field_number(struct compare_block *b, uint32_t row, enum query_class class) {
    size_t i = b->next++;
    const struct reader *r = &b->p->readers[i];
    if (!map_has(b->present[i], row)) {
        return NAN;
    }
    uint64_t n = b->numbers[i][row];
    bool count = r->field.access == ACCESS_COUNT;
    enum field_type type = (enum field_type)r->field.field->type;
    long double v = !count && type == FT_I64     ? (long double)number_to_i64(n)
                    : !count && type == FT_FLOAT ? (long double)number_to_double(n)
                                                 : (long double)n;
    return r->field.access == ACCESS_SECONDS || (b->sums && class == CLASS_TIME) ? v / MS_PER_SECOND : v;
}

static long double term_number(struct compare_block *b, const struct query_term *t, uint32_t row) {
    if (t->kind == TERM_CONSTANT) {
        return t->constant;
    }
    if (t->kind == TERM_FIELD) {
        return field_number(b, row, t->class);
    }
    long double left = term_number(b, t->left, row), right = term_number(b, t->right, row);
    return query_term_apply(t->kind, left, right);
}

static bool holds(enum query_op op, long double a, long double b) {
    if (isnan(a) || isnan(b)) {
        return false;
    }
    switch (op) {
    case QUERY_EQ:
        return a == b;
    case QUERY_NE:
        return a != b;
    case QUERY_LT:
        return a < b;
    case QUERY_LE:
        return a <= b;
    case QUERY_GT:
        return a > b;
    default:
        return a >= b;
    }
}

static int filter_compare(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    const struct query_term *left = p->cond->node->compare.left, *right = p->cond->node->compare.right;
    struct compare_block b = {.p = p, .sums = left->kind > TERM_FIELD || right->kind > TERM_FIELD};
    size_t maps = 0;
    int code = 0;
    map_clear(ret);
    for (size_t i = 0; code == 0 && i < p->reader_count; i++) {
        b.present[i] = worker_map(w);
        maps += b.present[i] != NULL;
        code = b.present[i] ? reader_numbers(w, &p->readers[i], block, i, &b.numbers[i], b.present[i]) : -ENOMEM;
    }
    if (code == 0) {
        MAP_EACH(mask, row) {
            b.next = 0;
            long double one = term_number(&b, left, (uint32_t)row), two = term_number(&b, right, (uint32_t)row);
            if (holds(p->cond->node->compare.op, one, two)) {
                map_set(ret, (uint32_t)row);
            }
        }
    }
    while (maps-- > 0) {
        worker_unmap(w);
    }
    return code;
}

/* --- the tree --- */

static int filter_and(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    uint64_t *left = worker_map(w);
    int code = left ? 0 : -ENOMEM;
    memcpy(ret, mask, PART_WORDS * sizeof(*ret));
    for (size_t i = 0; code == 0 && i < p->count; i++) {
        memcpy(left, ret, PART_WORDS * sizeof(*left));
        code = plan_filter(w, p->children[i], block, left, ret);
    }
    if (left) {
        worker_unmap(w);
    }
    return code;
}

static int filter_or(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    uint64_t *left = worker_map(w), *found = worker_map(w);
    int code = left && found ? 0 : -ENOMEM;
    map_clear(ret);
    if (code == 0) {
        memcpy(left, mask, PART_WORDS * sizeof(*left));
    }
    for (size_t i = 0; code == 0 && i < p->count; i++) {
        code = plan_filter(w, p->children[i], block, left, found);
        for (size_t k = 0; code == 0 && k < PART_WORDS; k++) {
            ret[k] |= found[k];
            left[k] &= ~found[k];
        }
    }
    for (size_t i = 0; i < (size_t)(left != NULL) + (found != NULL); i++) {
        worker_unmap(w);
    }
    return code;
}

static int filter_not(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    int code = plan_filter(w, p->children[0], block, mask, ret);
    for (size_t i = 0; i < PART_WORDS; i++) {
        ret[i] = mask[i] & ~ret[i];
    }
    return code;
}

int plan_filter(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    const struct part_info *info = part_info(snapshot_part(w->s->o.snapshot, p->part));
    if (p->kind == PLAN_NONE || !map_any(mask)) {
        map_clear(ret);
        return 0;
    }
    switch (p->kind) {
    case PLAN_AND:
        return filter_and(w, p, block, mask, ret);
    case PLAN_OR:
        return filter_or(w, p, block, mask, ret);
    case PLAN_NOT:
        return filter_not(w, p, block, mask, ret);
    case PLAN_NUMBERS:
        return filter_numbers(w, p, block, mask, ret);
    case PLAN_CODES:
    case PLAN_LISTS:
        return filter_codes(w, p, block, mask, ret);
    case PLAN_RAW:
        return filter_raw(w, p, block, mask, ret);
    case PLAN_COMPARE:
        return filter_compare(w, p, block, mask, ret);
    case PLAN_RESTORE:
        return filter_restored(w, p, block, mask, ret);
    case PLAN_PRESENT: {
        int code = column_presence(p->reader.c, block, ret);
        map_and(ret, mask);
        return MIN(code, 0);
    }
    case PLAN_SEQS:
        filter_seqs(p, info, block, ret);
        map_and(ret, mask);
        return 0;
    default:
        memcpy(ret, mask, PART_WORDS * sizeof(*ret));
        return 0;
    }
}
