/* match.c: a query against a record in memory. Every test asks the values of its fields one by one and stops at the
 * first that fits; nothing is allocated.
 */
#include <math.h>
#include <stdio.h>

#include "query/ast.h"
#include "query/fit.h"
#include "query/item.h"
#include "query/query.h"
#include "record/document.h"
#include "record/values.h"

#define ID_MAX 56
#define MS_PER_SECOND 1000

/* --- values --- */

static long double number_of(const struct value *v) {
    return v->type == FT_I64 ? (long double)v->i64 : v->type == FT_FLOAT ? (long double)v->number : (long double)v->u64;
}

/* A value as its class compares it. */
struct view {
    long double number;
    struct span bytes;
};

typedef bool (*view_fn)(void *ctx, const struct query_field *f, enum query_class class, const struct view *v);

struct viewing {
    const struct query_field *f;
    enum query_class class;
    view_fn each;
    void *ctx;
    uint64_t count;
    bool stopped;
};

static size_t from_hex(struct span hex, uint8_t *to) {
    for (size_t i = 0; i < hex.len / 2; i++) {
        unsigned byte = 0;
        for (size_t j = 0; j < 2; j++) {
            uint8_t c = hex.at[2 * i + j];
            byte = byte << 4 | (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        }
        to[i] = (uint8_t)byte;
    }
    return hex.len / 2;
}

static bool on_value(void *ctx, const struct field *field, const struct value *value) {
    struct viewing *w = ctx;
    struct view v = {.number = 0};
    char mac[18];
    uint8_t raw[8];
    w->count++;
    if (w->f->access == ACCESS_COUNT) {
        return true;
    }
    (void)field;
    switch (w->class) {
    case CLASS_NUMBER:
    case CLASS_TIME:
    case CLASS_BOOL:
        v.number = number_of(value);
        v.number = w->f->access == ACCESS_SECONDS ? v.number / MS_PER_SECOND : v.number;
        break;
    case CLASS_MAC:
        v.bytes = span_make(mac, mac_write(value->bytes.at, mac));
        break;
    case CLASS_OBJECT:
        break;
    default:
        v.bytes = value->bytes;
        if (w->f->access == ACCESS_HEX_TEXT) {
            v.bytes = span_make(raw, from_hex(span_sub(value->bytes, 0, 2 * sizeof(raw)), raw));
        }
    }
    w->stopped = !w->each(w->ctx, w->f, w->class, &v);
    return !w->stopped;
}

/* The id as documents have it: the day or hour of the index, the session's id, and from the second piece on a number.
 */
static bool view_id(const struct record *r, const struct query_field *f, view_fn each, void *ctx) {
    char id[ID_MAX], piece[16] = "";
    if (r->name) {
        struct view stored = {.bytes = span_text(r->name)};
        return !each(ctx, f, CLASS_TEXT, &stored);
    }
    const char *suffix = r->index ? strrchr(r->index, '-') : NULL;
    if (r->segment > 1) {
        (void)snprintf(piece, sizeof(piece), "-%u", r->segment);
    }
    int len = suffix ? snprintf(id, sizeof(id), "%.16s-%.22s%s", suffix + 1, r->id, piece)
                     : snprintf(id, sizeof(id), "%.22s%s", r->id, piece);
    struct view v = {.bytes = span_make(id, (size_t)len)};
    return !each(ctx, f, CLASS_TEXT, &v);
}

/* Shows every value of the field until `each` answers false; true when it did. */
static bool view_field(const struct record *r, const struct query_field *f, view_fn each, void *ctx) {
    if (f->access == ACCESS_ID) {
        return view_id(r, f, each, ctx);
    }
    struct viewing w = {f, query_field_class(f), each, ctx, 0, false};
    record_values(r, f->field, on_value, &w);
    if (f->access == ACCESS_COUNT && w.count) {
        struct view v = {.number = (long double)w.count};
        w.stopped = !each(ctx, f, w.class, &v);
    }
    return w.stopped;
}

/* --- nodes --- */

struct testing {
    const struct record *r;
    const struct query_node *node;
};

static bool on_port(void *ctx, const struct field *f, const struct value *v) {
    int64_t *wanted = ctx;
    (void)f;
    if ((int64_t)v->u64 == *wanted) {
        *wanted = -1;
    }
    return *wanted >= 0;
}

static bool port_fits(const struct record *r, const struct query_field *f, int32_t port) {
    int64_t wanted = port;
    if (port == ITEM_NO_PORT) {
        return true;
    }
    if (f->port) {
        record_values(r, f->port, on_port, &wanted);
    }
    return wanted < 0;
}

static bool on_test(void *ctx, const struct query_field *f, enum query_class class, const struct view *v) {
    const struct testing *t = ctx;
    for (size_t i = 0; i < t->node->test.item_count; i++) {
        const struct query_item *item = &t->node->test.items[i];
        bool fits = class <= CLASS_BOOL ? item_fits_number(item, v->number)
                    : class == CLASS_IP ? item_fits_ip(item, v->bytes.at) && port_fits(t->r, f, item->ip.port)
                                        : item_fits_text(item, v->bytes);
        if (fits) {
            return false;
        }
    }
    return true;
}

static bool on_exists(void *ctx, const struct query_field *f, enum query_class class, const struct view *v) {
    (void)ctx;
    (void)f;
    (void)class;
    (void)v;
    return false;
}

static bool match_fields(const struct record *r, const struct query_node *node, view_fn each) {
    struct testing t = {r, node};
    for (size_t i = 0; i < node->test.field_count; i++) {
        if (view_field(r, &node->test.fields[i], each, &t)) {
            return true;
        }
    }
    return false;
}

/* --- comparisons --- */

static bool on_first(void *ctx, const struct query_field *f, enum query_class class, const struct view *v) {
    (void)f;
    *(long double *)ctx = class == CLASS_TIME ? v->number / MS_PER_SECOND : v->number;
    return false;
}

/* NaN where a value is missing: no comparison holds then. */
long double query_term_apply(enum query_term_kind kind, long double left, long double right) {
    switch (kind) {
    case TERM_ADD:
        return left + right;
    case TERM_SUBTRACT:
        return left - right;
    case TERM_MULTIPLY:
        return left * right;
    default:
        return right == 0 ? NAN : left / right;
    }
}

static long double term_number(const struct record *r, const struct query_term *t) {
    long double n = NAN;
    if (t->kind == TERM_CONSTANT) {
        return t->constant;
    }
    if (t->kind == TERM_FIELD) {
        (void)view_field(r, &t->fields[0], on_first, &n);
        return n;
    }
    long double left = term_number(r, t->left), right = term_number(r, t->right);
    return query_term_apply(t->kind, left, right);
}

static bool holds(enum query_op op, int order) {
    switch (op) {
    case QUERY_EQ:
        return order == 0;
    case QUERY_LT:
        return order < 0;
    case QUERY_LE:
        return order <= 0;
    case QUERY_GT:
        return order > 0;
    case QUERY_GE:
        return order >= 0;
    default:
        return order != 0;
    }
}

static bool numbers_hold(enum query_op op, long double a, long double b) {
    return !isnan(a) && !isnan(b) && holds(op, a < b ? -1 : a > b);
}

struct comparing {
    const struct record *r;
    const struct query_term *right;
    enum query_op op;
    const struct query_field *left_field;
    struct view left;
    bool hit;
};

static bool on_right(void *ctx, const struct query_field *f, enum query_class class, const struct view *v) {
    struct comparing *c = ctx;
    if (class <= CLASS_BOOL) {
        c->hit = numbers_hold(c->op, c->left.number, v->number);
    } else if (class == CLASS_IP) {
        c->hit = holds(c->op, memcmp(c->left.bytes.at, v->bytes.at, 16));
    } else {
        bool fold = query_field_folds(f) || query_field_folds(c->left_field);
        c->hit = fold ? span_equal_fold(c->left.bytes, v->bytes) : span_equal(c->left.bytes, v->bytes);
    }
    return !c->hit;
}

static bool on_left(void *ctx, const struct query_field *f, enum query_class class, const struct view *v) {
    struct comparing *c = ctx;
    (void)class;
    c->left = *v;
    c->left_field = f;
    for (size_t i = 0; i < c->right->field_count && !c->hit; i++) {
        (void)view_field(c->r, &c->right->fields[i], on_right, c);
    }
    return !c->hit;
}

static bool on_constant(void *ctx, const struct query_field *f, enum query_class class, const struct view *v) {
    struct comparing *c = ctx;
    (void)f;
    (void)class;
    c->hit = numbers_hold(c->op, v->number, c->right->constant);
    return !c->hit;
}

static enum query_op mirrored(enum query_op op) {
    static const uint8_t mirror[] = {[QUERY_EQ] = QUERY_EQ, [QUERY_NE] = QUERY_NE, [QUERY_LT] = QUERY_GT,
                                     [QUERY_LE] = QUERY_GE, [QUERY_GT] = QUERY_LT, [QUERY_GE] = QUERY_LE};
    return (enum query_op)mirror[op];
}

static bool match_compare(const struct record *r, const struct query_node *node) {
    const struct query_term *left = node->compare.left, *right = node->compare.right;
    enum query_op op = node->compare.op;
    if (left->kind > TERM_FIELD || right->kind > TERM_FIELD) {
        return numbers_hold(op, term_number(r, left), term_number(r, right));
    }
    if (left->kind == TERM_CONSTANT) {
        if (right->kind == TERM_CONSTANT) {
            return numbers_hold(op, left->constant, right->constant);
        }
        const struct query_term *swap = left;
        left = right;
        right = swap;
        op = mirrored(op);
    }
    struct comparing c = {.r = r, .right = right, .op = op};
    for (size_t i = 0; i < left->field_count && !c.hit; i++) {
        (void)view_field(r, &left->fields[i], right->kind == TERM_CONSTANT ? on_constant : on_left, &c);
    }
    return c.hit;
}

bool query_node_match(const struct query_node *node, const struct record *r) {
    switch (node->kind) {
    case QUERY_ALL:
        return true;
    case QUERY_AND:
    case QUERY_OR:
        for (size_t i = 0; i < node->list.count; i++) {
            if (query_node_match(node->list.children[i], r) == (node->kind == QUERY_OR)) {
                return node->kind == QUERY_OR;
            }
        }
        return node->kind == QUERY_AND;
    case QUERY_NOT:
        return !query_node_match(node->list.children[0], r);
    case QUERY_EXISTS:
        return match_fields(r, node, on_exists);
    case QUERY_TEST:
        return match_fields(r, node, on_test);
    default:
        return match_compare(r, node);
    }
}

bool query_match(const struct query *q, const struct record *r) {
    return query_node_match(query_root(q), r);
}
