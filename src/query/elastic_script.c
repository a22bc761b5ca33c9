/* elastic_script.c: comparisons between fields, which only scripts (Painless) can make there. A missing value and a
 * division by zero are NaN, with which no comparison holds.
 */
#include <errno.h>
#include <stdio.h>

#include "query/elastic_clause.h"
#include "query/item.h"

#define SCRIPT_MAX ((size_t)64 << 10) /* what those databases take */

static const char functions[] =
    "double num(def doc, String f) { return doc.containsKey(f) && doc[f].size() != 0 ? (double) doc[f].value : "
    "Double.NaN } "
    "double sec(def doc, String f) { return doc.containsKey(f) && doc[f].size() != 0 ? "
    "doc[f].value.toInstant().toEpochMilli() / 1000.0 : Double.NaN } "
    "double div(double a, double b) { return b == 0 ? Double.NaN : a / b } ";

static const char *const signs[] = {
    [QUERY_EQ] = "==", [QUERY_NE] = "!=", [QUERY_LT] = "<", [QUERY_LE] = "<=", [QUERY_GT] = ">", [QUERY_GE] = ">="};

/* 'name', which holds no quotes: paths are made of letters, digits and - _ . @ */
static void add_name(struct elastic *e, struct buf *to, const struct query_field *f) {
    char name[ELASTIC_NAME_MAX];
    struct query_field raw = *f;
    raw.access = f->access == ACCESS_COUNT ? ACCESS_COUNT : ACCESS_VALUE;
    if (f->access == ACCESS_ID || f->access == ACCESS_HEX_TEXT) {
        elastic_fail(e, "this field cannot be compared with another there");
        return;
    }
    (void)elastic_name(&raw, name);
    buf_add_byte(to, '\'');
    for (const char *at = name; *at; at++) {
        buf_add_byte(to, *at == '\'' || *at == '\\' ? '?' : (uint8_t)*at);
    }
    buf_add_byte(to, '\'');
}

static void add_number(struct elastic *e, struct buf *to, const struct query_term *t) {
    static const char operators[] = {[TERM_ADD] = '+', [TERM_SUBTRACT] = '-', [TERM_MULTIPLY] = '*'};
    switch (t->kind) {
    case TERM_CONSTANT:
        buf_printf(to, "(%.17gD)", (double)t->constant);
        break;
    case TERM_FIELD:
        buf_add_text(to, t->class == CLASS_TIME ? "sec(doc, " : "num(doc, ");
        add_name(e, to, &t->fields[0]);
        buf_add_text(to, t->fields[0].access == ACCESS_SECONDS ? ") / 1000.0" : ")");
        break;
    case TERM_DIVIDE:
        buf_add_text(to, "div(");
        add_number(e, to, t->left);
        buf_add_text(to, ", ");
        add_number(e, to, t->right);
        buf_add_text(to, ")");
        break;
    default:
        buf_add_byte(to, '(');
        add_number(e, to, t->left);
        buf_add_byte(to, (uint8_t)operators[t->kind]);
        add_number(e, to, t->right);
        buf_add_byte(to, ')');
    }
}

/* for (def f : [...]) if (...) for (def x : doc[f]): every value of the term's fields. */
static void add_loop(struct elastic *e, struct buf *to, const struct query_term *t, const char *name) {
    buf_printf(to, "for (def %sf : [", name);
    for (size_t i = 0; i < t->field_count; i++) {
        buf_add_text(to, i ? ", " : "");
        add_name(e, to, &t->fields[i]);
    }
    buf_printf(to, "]) if (doc.containsKey(%sf)) for (def %s : doc[%sf]) ", name, name, name);
}

static void add_value(struct buf *to, const struct query_term *t, const char *name) {
    if (t->kind == TERM_CONSTANT) {
        buf_printf(to, "(%.17gD)", (double)t->constant);
    } else if (t->class == CLASS_TIME) {
        buf_printf(to, "%s.toInstant().toEpochMilli()", name);
    } else {
        buf_printf(to, t->fields[0].access == ACCESS_SECONDS ? "(%s / 1000.0)" : "%s", name);
    }
}

static bool any_folds(const struct query_term *t) {
    for (size_t i = 0; i < t->field_count; i++) {
        if (query_field_folds(&t->fields[i])) {
            return true;
        }
    }
    return false;
}

static void add_pairs(struct elastic *e, struct buf *to, const struct query_node *node) {
    const struct query_term *left = node->compare.left, *right = node->compare.right;
    enum query_class class = left->kind == TERM_FIELD ? left->class : right->class;
    if (left->kind == TERM_FIELD) {
        add_loop(e, to, left, "x");
    }
    if (right->kind == TERM_FIELD) {
        add_loop(e, to, right, "y");
    }
    buf_add_text(to, "if (");
    if (class <= CLASS_TIME) {
        add_value(to, left, "x");
        buf_printf(to, " %s ", signs[node->compare.op]);
        add_value(to, right, "y");
    } else if (node->compare.op == QUERY_EQ) {
        bool fold = class != CLASS_IP && class != CLASS_BOOL && (any_folds(left) || any_folds(right));
        buf_add_text(to, fold ? "x.equalsIgnoreCase(y)" : "x.equals(y)");
    } else {
        elastic_fail(e, "addresses of a session cannot be compared with < or > there");
    }
    buf_add_text(to, ") return true; return false");
}

void elastic_script(struct elastic *e, const struct query_node *node) {
    const struct query_term *left = node->compare.left, *right = node->compare.right;
    struct buf source;
    buf_init(&source, SCRIPT_MAX);
    if (left->kind > TERM_FIELD || right->kind > TERM_FIELD) {
        buf_add_text(&source, functions);
        buf_add_text(&source, "return ");
        add_number(e, &source, left);
        buf_printf(&source, " %s ", signs[node->compare.op]);
        add_number(e, &source, right);
    } else {
        add_pairs(e, &source, node);
    }
    if (source.overflowed) {
        elastic_fail(e, "the calculation is too long for a script");
    }
    elastic_open(e, "script", "script");
    json_open(&e->json, '{');
    json_key(&e->json, "lang");
    json_cstr(&e->json, "painless");
    json_key(&e->json, "source");
    json_text(&e->json, buf_span(&source));
    json_close(&e->json, '}');
    elastic_close(e);
    buf_done(&source);
}
