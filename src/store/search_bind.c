/* search_bind.c: conditions bound to one part: which columns answer them, which codes of their dictionaries fit, and
 * what can be said of the whole part at once.
 */
#include <errno.h>
#include <stdlib.h>

#include "feature/community_id.h"
#include "query/item.h"
#include "store/schema.h"
#include "store/search_own.h"

#define HEADS_MAX 8 /* looked for one after the other; with more, each is looked up */
#define COMPARE_FIELDS_MAX (SEARCH_SLOTS - 4)

enum cost {
    COST_PRESENT = 1,
    COST_SEQS = 1,
    COST_NUMBERS = 4,
    COST_CODES = 2,
    COST_LISTS = 6,
    COST_MEMO = 10, /* more for patterns */
    COST_RAW = 100,
    COST_COMPARE = 20,
    COST_HEADS = 30,
    COST_RESTORE = 10000,
};

static struct plan *plan_new(struct worker *w, enum plan_kind kind, const struct cond *c, unsigned cost) {
    struct plan *p = blocks_calloc(&w->blocks, sizeof(*p));
    if (p) {
        p->kind = kind;
        p->cond = c;
        p->cost = cost;
        p->part = w->part;
    }
    return p;
}

static uint8_t *memo_new(struct worker *w, size_t count) {
    uint8_t *memo = worker_alloc(w, count + 1);
    if (memo) {
        memset(memo, FIT_UNKNOWN, count);
    }
    return memo;
}

/* --- dictionaries --- */

struct code_range {
    uint32_t low, high;
};

/* Codes of the values from `low` to `high`. False when there are none; negative: failure. */
static int find_codes(struct worker *w, const struct column *c, struct span low, struct span high,
                      struct code_range *ret) {
    bool equal;
    int code = column_lower(c, &w->use, low, &ret->low, &equal);
    code = code < 0 ? code : column_lower(c, &w->use, high, &ret->high, &equal);
    if (code < 0) {
        return code;
    }
    if (!equal && ret->high == 0) {
        return 0;
    }
    ret->high -= !equal;
    return ret->low <= ret->high;
}

static size_t set_ranges(const struct item_set *set) {
    return set->class <= CLASS_BOOL ? set->number_count : set->class == CLASS_IP ? set->ip_count : set->text_count;
}

static void write_be64(uint64_t n, uint8_t to[8]) {
    for (size_t i = 0; i < 8; i++) {
        to[i] = (uint8_t)(n >> (56 - 8 * i));
    }
}

static int find_range(struct worker *w, const struct column *c, const struct item_set *set, size_t i,
                      struct code_range *ret) {
    uint8_t low[8], high[8];
    if (set->class <= CLASS_BOOL) {
        write_be64(set->numbers[i].low, low);
        write_be64(set->numbers[i].high, high);
        return find_codes(w, c, span_make(low, 8), span_make(high, 8), ret);
    }
    if (set->class == CLASS_IP) {
        return find_codes(w, c, span_make(set->ips[i].low, 16), span_make(set->ips[i].high, 16), ret);
    }
    return find_codes(w, c, set->texts[i], set->texts[i], ret);
}

/* The codes that fit. 1: some may, 0: none can; negative: failure. */
static int bind_codes(struct worker *w, const struct column *c, const struct item_set *set, struct code_set *ret) {
    uint32_t values = column_info(c)->values;
    size_t count = set_ranges(set), found = 0;
    struct code_range *ranges = worker_alloc(w, (count + 1) * sizeof(*ranges));
    if (!ranges) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        int code = find_range(w, c, set, i, &ranges[found]);
        if (code < 0) {
            return code;
        }
        if (code && found && ranges[found - 1].high + 1 == ranges[found].low) {
            ranges[found - 1].high = ranges[found].high;
        } else {
            found += code > 0;
        }
    }
    if (values == 0 || (found == 0 && !set->scan_count)) {
        return 0;
    }
    *ret = set->scan_count ? (struct code_set){.low = 0, .high = values - 1}
                           : (struct code_set){.low = ranges[0].low, .high = ranges[found - 1].high};
    if (set->scan_count) {
        ret->memo = memo_new(w, values);
        for (size_t i = 0; ret->memo && i < found; i++) {
            memset(ret->memo + ranges[i].low, FIT_YES, ranges[i].high - ranges[i].low + 1);
        }
        return ret->memo ? 1 : -ENOMEM;
    }
    if (found > 1) {
        ret->set = code_bits_new(w, values);
        for (size_t i = 0; ret->set && i < found; i++) {
            code_bits_fill(ret->set, ranges[i].low, ranges[i].high);
        }
        return ret->set ? 1 : -ENOMEM;
    }
    return 1;
}

static struct plan *bind_dictionary(struct worker *w, struct plan *p, int *ret_code) {
    const struct item_set *set = p->cond->set;
    bool list = p->reader.info->kind == COLUMN_LIST;
    int code = bind_codes(w, p->reader.c, set, &p->codes);
    if (code <= 0) {
        *ret_code = code;
        p->kind = PLAN_NONE;
        return code < 0 ? NULL : p;
    }
    p->kind = list ? PLAN_LISTS : PLAN_CODES;
    p->cost = list ? COST_LISTS : COST_CODES;
    p->cost += set->scan_count ? COST_MEMO : 0;
    if (list) {
        p->lists = memo_new(w, p->reader.info->lists);
        *ret_code = p->lists ? 0 : -ENOMEM;
    }
    return list && !p->lists ? NULL : p;
}

/* --- leaves --- */

static struct plan *bind_numbers(struct plan *p) {
    const struct column_info *info = p->reader.kind == READER_COLUMN ? p->reader.info : NULL;
    bool all = false;
    p->kind = PLAN_NUMBERS;
    p->cost = COST_NUMBERS;
    if (info && info->kind == COLUMN_NUMBER && info->present &&
        !item_set_meets(p->cond->set, info->min, info->max, &all)) {
        p->kind = PLAN_NONE;
    } else if (all) {
        p->kind = PLAN_PRESENT;
        p->cost = COST_PRESENT;
    }
    return p;
}

/* Rows with one value have a count of 1. */
static struct plan *bind_count(struct worker *w, struct plan *p, int *ret_code) {
    if (p->reader.kind == READER_DERIVED) {
        p->kind = item_set_number(p->cond->set, 1) ? PLAN_ALL : PLAN_NONE;
        return p;
    }
    switch (p->reader.info->kind) {
    case COLUMN_LIST:
        p->kind = PLAN_LISTS;
        p->cost = COST_LISTS;
        p->lists = memo_new(w, p->reader.info->lists);
        *ret_code = p->lists ? 0 : -ENOMEM;
        return p->lists ? p : NULL;
    case COLUMN_RAW:
        p->kind = PLAN_RAW;
        p->cost = COST_RAW;
        return p;
    default:
        p->kind = item_set_number(p->cond->set, 1) ? PLAN_PRESENT : PLAN_NONE;
        p->cost = COST_PRESENT;
        return p;
    }
}

static struct plan *bind_test(struct worker *w, struct plan *p, int *ret_code) {
    if (p->cond->field.access == ACCESS_COUNT) {
        return bind_count(w, p, ret_code);
    }
    if (p->reader.kind == READER_DERIVED || p->reader.info->kind == COLUMN_NUMBER) {
        return bind_numbers(p);
    }
    if (p->reader.info->kind == COLUMN_RAW) {
        p->kind = PLAN_RAW;
        p->cost = COST_RAW;
        return p;
    }
    return bind_dictionary(w, p, ret_code);
}

/* Exact community ids: they have no column, but the head of their hash may have one. */
static bool is_community(const struct cond *c) {
    return c->kind == COND_TEST && c->field.access == ACCESS_VALUE && c->set->text_count && !c->set->scan_count &&
           strcmp(c->field.field->def->path, "network.community_id") == 0;
}

static struct plan *bind_community(struct worker *w, struct plan *p, const struct part *part, int *ret_code) {
    const struct item_set *set = p->cond->set;
    p->heads = worker_alloc(w, set->text_count * sizeof(*p->heads));
    if (!p->heads) {
        *ret_code = -ENOMEM;
        return NULL;
    }
    for (size_t i = 0; i < set->text_count; i++) {
        p->head_count += community_id_head(set->texts[i], &p->heads[p->head_count]);
    }
    if (p->head_count > HEADS_MAX) {
        p->head_set = code_bits_new(w, UINT16_MAX + 1);
        for (size_t i = 0; p->head_set && i < p->head_count; i++) {
            code_bits_set(p->head_set, p->heads[i]);
        }
        *ret_code = p->head_set ? 0 : -ENOMEM;
    }
    p->heads_in = part_find(part, SPAN_LITERAL(OWN_COMMUNITY));
    if (p->heads_in && column_info(p->heads_in)->kind != COLUMN_NUMBER) {
        p->heads_in = NULL;
    }
    p->kind = p->head_count ? PLAN_COMMUNITY : PLAN_NONE; /* other text is nobody's id */
    p->cost = p->heads_in ? COST_HEADS : COST_RESTORE;
    return *ret_code ? NULL : p;
}

static struct plan *bind_field(struct worker *w, const struct part *part, const struct cond *c, int *ret_code) {
    struct plan *p = plan_new(w, PLAN_NONE, c, COST_RESTORE);
    if (!p) {
        *ret_code = -ENOMEM;
        return NULL;
    }
    reader_bind(&p->reader, w->s->registry, part, &c->field);
    if (p->reader.kind == READER_NONE) {
        return p;
    }
    if (is_community(c)) {
        return bind_community(w, p, part, ret_code);
    }
    if (p->reader.kind == READER_RESTORE) {
        bool outermost = c->field.field->type == FT_OBJECT && c->field.field->parent == FIELD_NONE;
        bool present = outermost && c->kind == COND_EXISTS && c->field.access == ACCESS_VALUE;
        p->kind = present ? PLAN_PRESENT : PLAN_RESTORE;
        p->cost = present ? COST_PRESENT : COST_RESTORE;
        return p;
    }
    if (c->kind == COND_TEST) {
        return bind_test(w, p, ret_code);
    }
    p->kind =
        p->reader.kind == READER_DERIVED || p->reader.info->present == part_info(part)->rows ? PLAN_ALL : PLAN_PRESENT;
    p->cost = COST_PRESENT;
    return p;
}

static struct plan *bind_seqs(struct worker *w, const struct part_info *info, const struct cond *c) {
    struct plan *p = plan_new(w, PLAN_NONE, c, COST_SEQS);
    size_t low = 0, high = c->seq_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->seqs[middle] < info->seq_low) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (p && low < c->seq_count && c->seqs[low] - info->seq_low < info->rows) {
        p->kind = PLAN_SEQS;
    }
    return p;
}

/* --- comparisons --- */

/* Binds the fields of a term, in the order they stand; false when one of them has no plain number. */
static bool bind_term(const struct worker *w, const struct part *part, const struct query_term *t, struct plan *p) {
    if (t->kind == TERM_CONSTANT) {
        return true;
    }
    if (t->kind > TERM_FIELD) {
        return bind_term(w, part, t->left, p) && bind_term(w, part, t->right, p);
    }
    if (t->field_count != 1 || t->class > CLASS_BOOL || p->reader_count == COMPARE_FIELDS_MAX) {
        return false;
    }
    struct reader *r = &p->readers[p->reader_count++];
    reader_bind(r, w->s->registry, part, &t->fields[0]);
    return reader_is_number(r);
}

static struct plan *bind_compare(struct worker *w, const struct part *part, const struct cond *c) {
    struct plan *p = plan_new(w, PLAN_COMPARE, c, COST_COMPARE);
    if (!p) {
        return NULL;
    }
    p->readers = blocks_alloc(&w->blocks, COMPARE_FIELDS_MAX * sizeof(*p->readers));
    if (!p->readers) {
        return NULL;
    }
    if (!bind_term(w, part, c->node->compare.left, p) || !bind_term(w, part, c->node->compare.right, p)) {
        p->kind = PLAN_RESTORE;
        p->cost = COST_RESTORE;
    }
    return p;
}

/* --- the tree --- */

static int compare_costs(const void *a, const void *b) {
    const struct plan *x = *(struct plan *const *)a, *y = *(struct plan *const *)b;
    return x->cost < y->cost ? -1 : x->cost > y->cost;
}

static struct plan *bind(struct worker *w, const struct part *part, const struct cond *c, int *ret_code);

/* AND and OR: one child may settle it (`decisive`), those that change nothing are left out. */
static struct plan *bind_list(struct worker *w, const struct part *part, const struct cond *c, int *ret_code) {
    bool is_and = c->kind == COND_AND;
    enum plan_kind decisive = is_and ? PLAN_NONE : PLAN_ALL, idle = is_and ? PLAN_ALL : PLAN_NONE;
    struct plan *p = plan_new(w, is_and ? PLAN_AND : PLAN_OR, c, 0);
    struct plan **children = blocks_alloc(&w->blocks, (c->count + 1) * sizeof(*children));
    if (!p || !children) {
        *ret_code = -ENOMEM;
        return NULL;
    }
    p->children = children;
    for (size_t i = 0; i < c->count; i++) {
        struct plan *child = bind(w, part, c->children[i], ret_code);
        if (!child || child->kind == decisive) {
            return child;
        }
        if (child->kind != idle) {
            children[p->count++] = child;
            p->cost += child->cost;
        }
    }
    if (p->count == 0) {
        p->kind = idle;
    } else if (p->count == 1) {
        return children[0];
    }
    qsort(children, p->count, sizeof(struct plan *), compare_costs);
    return p;
}

static struct plan *bind_not(struct worker *w, const struct part *part, const struct cond *c, int *ret_code) {
    struct plan *child = bind(w, part, c->children[0], ret_code);
    if (!child) {
        return NULL;
    }
    bool settled = child->kind == PLAN_NONE || child->kind == PLAN_ALL;
    struct plan *p = plan_new(w, child->kind == PLAN_NONE ? PLAN_ALL : settled ? PLAN_NONE : PLAN_NOT, c, child->cost);
    struct plan **children = blocks_alloc(&w->blocks, sizeof(*children));
    if (!p || !children) {
        *ret_code = -ENOMEM;
        return NULL;
    }
    children[0] = child;
    p->children = children;
    p->count = 1;
    return p;
}

static struct plan *bind(struct worker *w, const struct part *part, const struct cond *c, int *ret_code) {
    struct plan *p;
    switch (c->kind) {
    case COND_AND:
    case COND_OR:
        return bind_list(w, part, c, ret_code);
    case COND_NOT:
        return bind_not(w, part, c, ret_code);
    case COND_EXISTS:
    case COND_TEST:
        return bind_field(w, part, c, ret_code);
    case COND_SEQS:
        p = bind_seqs(w, part_info(part), c);
        break;
    case COND_COMPARE:
        p = bind_compare(w, part, c);
        break;
    case COND_RESTORE:
        p = plan_new(w, PLAN_RESTORE, c, COST_RESTORE);
        break;
    default:
        p = plan_new(w, c->kind == COND_ALL ? PLAN_ALL : PLAN_NONE, c, 0);
    }
    *ret_code = p ? 0 : -ENOMEM;
    return p;
}

struct plan *plan_bind(struct worker *w, size_t part, const struct cond *c, int *ret_code) {
    *ret_code = 0;
    return bind(w, snapshot_part(w->s->o.snapshot, part), c, ret_code);
}
