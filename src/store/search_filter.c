/* search_filter.c: a plan asked about one block: bitmaps in, bitmaps out. An AND narrows the rows for each next child,
 * an OR takes those already found away, so that what is dear sees few rows.
 */
#include <errno.h>
#include <math.h>

#include "query/fit.h"
#include "record/values.h"
#include "store/column.h"
#include "store/lanes.h"
#include "store/search_own.h"

#define FEW 256 /* rows of a block that are cheaper to look up than to go through its values */
#define MS_PER_SECOND 1000
#define CHECK_EVERY 256
#define WORTH_ALL 32   /* a row for so many values makes it worth trying all */
#define TRY_CHECK 4096 /* values between looks at the clock */
#define RANGES_MAX 8   /* of numbers, looked for one after the other; with more, each number is looked up */

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

/* Ranges one after the other, in the packed numbers. */
static int test_ranges(struct worker *w, const struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    const struct item_set *set = p->cond->set;
    uint64_t *one = worker_map(w);
    int code = one ? 0 : -ENOMEM;
    map_clear(ret);
    for (size_t i = 0; code == 0 && i < set->number_count; i++) {
        struct column_test test = {.low = set->numbers[i].low, .high = set->numbers[i].high};
        code = column_test(p->reader.c, block, &test, mask, one);
        for (size_t k = 0; code == 0 && k < PART_WORDS; k++) {
            ret[k] |= one[k];
        }
    }
    if (one) {
        worker_unmap(w);
    }
    return code;
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
        if (set->number_count <= RANGES_MAX) {
            return test_ranges(w, p, block, mask, ret);
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
    struct code_set *codes = &p->codes;
    if (code < codes->low || code > codes->high) {
        return 0;
    }
    if (codes->set) {
        return code_bits_has(codes->set, code);
    }
    if (!codes->memo) {
        return 1;
    }
    if (codes->memo[code] == FIT_UNKNOWN) {
        struct span value;
        int failure = column_value(p->reader.c, &w->use, code, &value);
        if (failure < 0) {
            return failure;
        }
        codes->memo[code] = item_set_value(p->cond->set, value) ? FIT_YES : FIT_NO;
    }
    return codes->memo[code] == FIT_YES;
}

struct trying {
    struct worker *w;
    struct plan *p;
    const struct scan *scan;
    uint64_t *set;
    uint32_t low, high; /* of what fits */
};

static void note_fit(struct trying *t, uint32_t code) {
    code_bits_set(t->set, code);
    t->low = MIN(t->low, code);
    t->high = MAX(t->high, code);
}

static int on_containing(void *ctx, uint32_t code, struct span value) {
    struct trying *t = ctx;
    if (!code_bits_has(t->set, code) && (t->scan->contains || item_set_value(t->p->cond->set, value))) {
        note_fit(t, code);
    }
    return 0;
}

/* Whether every pattern has plain text in it that is looked for in all values at once. */
static bool all_literal(const struct plan *p) {
    const struct item_set *set = p->cond->set;
    for (size_t i = 0; i < set->scan_count; i++) {
        if (!set->scans[i].literal.len) {
            return false;
        }
    }
    return type_is_text(p->reader.info->type);
}

static int try_literals(struct trying *t) {
    const struct item_set *set = t->p->cond->set;
    uint32_t values = t->p->reader.info->values;
    for (uint32_t code = 0; set->text_count && code < values; code++) { /* exact ones were found when this was bound */
        if (t->p->codes.memo[code] == FIT_YES) {
            note_fit(t, code);
        }
    }
    for (size_t i = 0; i < set->scan_count; i++) {
        t->scan = &set->scans[i];
        for (uint32_t code = 0; code < values;) {
            int failure = search_check(t->w->s);
            failure =
                failure < 0 ? failure : column_containing(t->p->reader.c, &code, t->scan->literal, on_containing, t);
            if (failure < 0) {
                return failure;
            }
        }
    }
    return 0;
}

static int try_each(struct trying *t) {
    for (uint32_t code = 0; code < t->p->reader.info->values; code++) {
        int fits = code % TRY_CHECK ? 0 : search_check(t->w->s);
        fits = fits < 0 ? fits : code_fits(t->w, t->p, code);
        if (fits < 0) {
            return fits;
        }
        if (fits) {
            note_fit(t, code);
        }
    }
    return 0;
}

/* Tries all values in their order, which is quicker than as they turn up. What fits lies between low and high then. */
static int try_all(struct worker *w, struct plan *p) {
    struct trying t = {.w = w, .p = p, .low = CODE_NONE, .set = code_bits_new(w, p->reader.info->values)};
    if (!t.set) {
        return -ENOMEM;
    }
    int code = all_literal(p) ? try_literals(&t) : try_each(&t);
    if (code == 0) {
        p->codes = (struct code_set){.low = t.low, .high = t.high, .set = t.set}; /* none: low is above high */
    }
    return code;
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

/* Whether the row's value or list fits; negative: failure. */
static int value_fits(struct worker *w, struct plan *p, uint32_t value) {
    if (p->kind == PLAN_CODES) {
        return code_fits(w, p, value);
    }
    if (p->list_set) {
        return code_bits_has(p->list_set, value);
    }
    int code = p->lists[value] == FIT_UNKNOWN ? find_list(w, p, value) : 0;
    return code < 0 ? code : p->lists[value] == FIT_YES;
}

static int few_codes(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    map_clear(ret);
    MAP_EACH(mask, row) {
        uint32_t value = CODE_NONE;
        int code = column_code_at(p->reader.c, block * PART_BLOCK + (uint32_t)row, &value);
        code = code > 0 ? value_fits(w, p, value) : code;
        if (code < 0) {
            return code;
        }
        if (code) {
            map_set(ret, (uint32_t)row);
        }
    }
    return 0;
}

/* Lists of values that are all known: the codes of all lists are tested as one run, and those that fit, mostly few,
 * tell their lists. */
static int fill_lists(struct worker *w, struct plan *p, uint64_t *set) {
    const uint32_t *ends, *codes;
    const struct code_set *fit = &p->codes;
    uint32_t lists = p->reader.info->lists, list = 0;
    int code = column_lists(p->reader.c, &w->use, &ends, &codes);
    if (code < 0 || lists == 0) {
        return MIN(code, 0);
    }
    uint32_t total = ends[lists - 1];
    uint64_t *fits = code_bits_new(w, total);
    if (!fits) {
        return -ENOMEM;
    }
    if (fit->set) {
        lanes()->in_set(codes, total, fit->set, fits);
    } else {
        lanes()->in_range(codes, total, fit->low, fit->high - fit->low, fits);
    }
    for (uint32_t word = 0; word < (total + 63) / 64; word++) {
        for (uint64_t bits = fits[word]; bits; bits &= bits - 1) {
            uint32_t at = word * 64 + (uint32_t)__builtin_ctzll(bits);
            for (; ends[list] <= at; list++) {
            }
            code_bits_set(set, list);
        }
    }
    return 0;
}

/* All lists at once, and after that no row has to be asked whether its list is known. */
static int try_all_lists(struct worker *w, struct plan *p) {
    uint64_t *set = code_bits_new(w, p->reader.info->lists);
    if (!set) {
        return -ENOMEM;
    }
    int code = 0;
    if (p->cond->field.access != ACCESS_COUNT && !p->codes.memo) {
        code = fill_lists(w, p, set);
    } else {
        for (uint32_t list = 0; list < p->reader.info->lists && code >= 0; list++) {
            code = list % TRY_CHECK ? 0 : search_check(w->s);
            code = code < 0 ? code : value_fits(w, p, list);
            set[list / 64] |= (uint64_t)(code > 0) << (list % 64);
        }
    }
    p->list_set = code < 0 ? NULL : set;
    return MIN(code, 0);
}

/* Tries values before rows are looked at, when there are many rows. */
static int try_ahead(struct worker *w, struct plan *p, const uint64_t *mask) {
    int code = 0;
    if (p->codes.memo && !map_is_few(mask, p->codes.high / WORTH_ALL)) {
        code = try_all(w, p);
    }
    bool none = p->codes.low > p->codes.high && p->cond->field.access != ACCESS_COUNT;
    if (code == 0 && !none && p->kind == PLAN_LISTS && !p->list_set &&
        !map_is_few(mask, p->reader.info->lists / WORTH_ALL)) {
        code = try_all_lists(w, p);
    }
    return code;
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
    map_clear(ret);
    if (codes_out_of_zone(p, block)) {
        return 0;
    }
    if (map_is_few(mask, FEW)) {
        return few_codes(w, p, block, mask, ret);
    }
    int code = try_ahead(w, p, mask);
    if (code < 0 || codes_out_of_zone(p, block)) {
        return code;
    }
    bool known = p->kind == PLAN_LISTS ? p->list_set != NULL : !p->codes.memo;
    if (known) {
        struct column_test test = {.low = p->codes.low, .high = p->codes.high};
        test.set = p->kind == PLAN_LISTS ? p->list_set : p->codes.set;
        return column_test(p->reader.c, block, &test, mask, ret);
    }
    uint32_t *codes = worker_codes(w, 0);
    code = codes ? column_codes(p->reader.c, block, codes) : -ENOMEM;
    return code < 0 ? code : look_up(w, p, codes, mask, ret);
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

/* Rows whose head is one of those asked for. */
static int find_heads(struct worker *w, const struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *asked) {
    uint64_t *one = worker_map(w);
    int code = one ? 0 : -ENOMEM;
    for (size_t i = 0; code == 0 && i < p->head_count; i++) {
        struct column_test test = {.low = p->heads[i], .high = p->heads[i]};
        code = column_test(p->heads_in, block, &test, mask, one);
        for (size_t k = 0; code == 0 && k < PART_WORDS; k++) {
            asked[k] |= one[k];
        }
    }
    if (one) {
        worker_unmap(w);
    }
    return code;
}

static int look_up_heads(struct worker *w, const struct plan *p, uint32_t block, const uint64_t *mask,
                         uint64_t *asked) {
    uint64_t *numbers = worker_numbers(w, 0);
    int code = numbers ? column_numbers(p->heads_in, block, numbers) : -ENOMEM;
    if (code == 0) {
        MAP_EACH(mask, row) {
            if (code_bits_has(p->head_set, (uint16_t)numbers[row])) {
                map_set(asked, (uint32_t)row); /* rows without a head are asked anyway */
            }
        }
    }
    return code;
}

/* Restored are those whose head fits, and those whose head nobody wrote: sessions of earlier versions. */
static int filter_community(struct worker *w, struct plan *p, uint32_t block, const uint64_t *mask, uint64_t *ret) {
    map_clear(ret);
    if (!p->heads_in) {
        return restore_rows(w, p, block, mask, ret);
    }
    uint64_t *asked = worker_map(w);
    if (!asked) {
        return -ENOMEM;
    }
    int code = column_presence(p->heads_in, block, asked);
    for (size_t i = 0; code >= 0 && i < PART_WORDS; i++) {
        asked[i] = mask[i] & ~asked[i];
    }
    code = code < 0      ? code
           : p->head_set ? look_up_heads(w, p, block, mask, asked)
                         : find_heads(w, p, block, mask, asked);
    code = code < 0 ? code : restore_rows(w, p, block, asked, ret);
    worker_unmap(w);
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
    case PLAN_COMMUNITY:
        return filter_community(w, p, block, mask, ret);
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
