/* elastic.c: see elastic.h. A node is spread into the clauses that stand beside each other in one bool, so that what is
 * nested there is flat here; the clauses are counted first, because one alone stands without a bool.
 */
#include "query/elastic.h"

#include <errno.h>

#include "query/elastic_clause.h"
#include "query/item.h"

enum form {
    FORM_NODE,
    FORM_ITEM,    /* `from` of the node's items */
    FORM_TERMS,   /* those of the items `from` ... `to` - 1 that are terms */
    FORM_ADDRESS, /* of `from`, whose port stands beside it */
    FORM_PORT,
    FORM_LOOKUP,
    FORM_FILE,
    FORM_EXISTS,
};

struct clause {
    enum form form;
    const struct query_node *node;
    const struct query_field *field;
    size_t from, to;
};

struct spread {
    struct elastic *e;
    bool printing;
    size_t count;
    struct clause last;
};

static void print_node(struct elastic *e, const struct query_node *node);
static void print_clause(struct elastic *e, const struct clause *c);

static void put(struct spread *s, struct clause c) {
    s->count++;
    s->last = c;
    if (s->printing) {
        print_clause(s->e, &c);
    }
}

/* --- tests --- */

static bool has_port(const struct query_item *item) {
    return item->ip.port != ITEM_NO_PORT && !item->ip.any;
}

/* Addresses: item by item, in each field; neighbours on one field share a `terms`. */
static void spread_addresses(struct spread *s, const struct query_node *node) {
    size_t count = node->test.item_count, fields = node->test.field_count;
    for (size_t i = 0, to; i < count; i = to) {
        const struct query_item *item = &node->test.items[i];
        to = i + 1;
        while (fields == 1 && node->test.list && to < count && elastic_is_term(node->test.fields, item) &&
               elastic_is_term(node->test.fields, &node->test.items[to])) {
            to++;
        }
        for (size_t j = 0; j < fields; j++) {
            const struct query_field *f = &node->test.fields[j];
            if (item->ip.port == ITEM_NO_PORT || f->port) {
                put(s, (struct clause){to > i + 1 ? FORM_TERMS : FORM_ITEM, node, f, i, to});
            }
        }
    }
}

/* Others: field by field; of a list, terms share one clause where the first of them stands. */
static void spread_values(struct spread *s, const struct query_node *node) {
    for (size_t j = 0; j < node->test.field_count; j++) {
        const struct query_field *f = &node->test.fields[j];
        bool shared = false;
        for (size_t i = 0; i < node->test.item_count; i++) {
            bool term = node->test.list && elastic_is_term(f, &node->test.items[i]);
            if (!term) {
                put(s, (struct clause){FORM_ITEM, node, f, i, i + 1});
            } else if (!shared) {
                put(s, (struct clause){FORM_TERMS, node, f, i, node->test.item_count});
                shared = true;
            }
        }
    }
}

static void spread_test(struct spread *s, const struct query_node *node) {
    const struct query_origin *origin = node->test.origin;
    if (!origin) {
        if (query_field_class(&node->test.fields[0]) == CLASS_IP) {
            spread_addresses(s, node);
        } else {
            spread_values(s, node);
        }
        return;
    }
    for (size_t i = 0; i < origin->file_count; i++) {
        put(s, (struct clause){FORM_FILE, node, NULL, i, i + 1});
    }
    for (size_t j = 0; origin->shortcut_path && !origin->continued && j < node->test.field_count; j++) {
        put(s, (struct clause){FORM_LOOKUP, node, &node->test.fields[j], 0, 0});
    }
}

/* --- nodes --- */

/* What stands beside each other in `should`, or in `must_not`. */
static void spread_or(struct spread *s, const struct query_node *node) {
    switch (node->kind) {
    case QUERY_OR:
        for (size_t i = 0; i < node->list.count; i++) {
            spread_or(s, node->list.children[i]);
        }
        break;
    case QUERY_TEST:
        spread_test(s, node);
        break;
    case QUERY_EXISTS:
        for (size_t j = 0; j < node->test.field_count; j++) {
            put(s, (struct clause){FORM_EXISTS, node, &node->test.fields[j], 0, 0});
        }
        break;
    default:
        put(s, (struct clause){FORM_NODE, node, NULL, 0, 0});
    }
}

/* What stands beside each other in `filter`. */
static void spread_and(struct spread *s, const struct query_node *node) {
    if (node->kind == QUERY_AND) {
        for (size_t i = 0; i < node->list.count; i++) {
            spread_and(s, node->list.children[i]);
        }
        return;
    }
    struct spread one = {.e = s->e};
    spread_or(&one, node);
    struct clause c = one.last;
    if (one.count == 1 && c.form == FORM_ITEM && c.node->test.items[c.from].kind == ITEM_IP &&
        has_port(&c.node->test.items[c.from])) {
        c.form = FORM_ADDRESS;
        put(s, c);
        c.form = FORM_PORT;
        put(s, c);
    } else {
        put(s, (struct clause){FORM_NODE, node, NULL, 0, 0});
    }
}

typedef void (*spread_fn)(struct spread *, const struct query_node *);

/* {"bool":{"kind":[...]}} */
static void print_bool(struct elastic *e, const char *kind, bool list, spread_fn spread,
                       const struct query_node *node) {
    struct spread s = {.e = e, .printing = true};
    json_open(&e->json, '{');
    json_key(&e->json, "bool");
    json_open(&e->json, '{');
    json_key(&e->json, kind);
    if (list) {
        json_open(&e->json, '[');
    }
    spread(&s, node);
    if (list) {
        json_close(&e->json, ']');
    }
    json_close(&e->json, '}');
    json_close(&e->json, '}');
}

static void print_empty(struct elastic *e, const char *kind) {
    json_open(&e->json, '{');
    json_key(&e->json, kind);
    json_open(&e->json, '{');
    json_close(&e->json, '}');
    json_close(&e->json, '}');
}

static void print_not(struct elastic *e, const struct query_node *child) {
    struct spread s = {.e = e};
    spread_or(&s, child);
    if (s.count == 0) {
        print_empty(e, "match_all");
    } else if (child->kind == QUERY_NOT) {
        print_node(e, child->list.children[0]);
    } else {
        print_bool(e, "must_not", s.count > 1 || s.last.form == FORM_LOOKUP, spread_or, child);
    }
}

static void print_node(struct elastic *e, const struct query_node *node) {
    struct spread s = {.e = e};
    switch (node->kind) {
    case QUERY_ALL:
        print_empty(e, "match_all");
        return;
    case QUERY_NOT:
        print_not(e, node->list.children[0]);
        return;
    case QUERY_COMPARE:
        elastic_script(e, node);
        return;
    case QUERY_AND:
        print_bool(e, "filter", true, spread_and, node);
        return;
    default:
        spread_or(&s, node);
        if (s.count == 0) {
            print_empty(e, "match_none");
        } else if (s.count == 1) {
            print_clause(e, &s.last);
        } else {
            print_bool(e, "should", true, spread_or, node);
        }
    }
}

/* --- clauses --- */

static void print_lookup(struct elastic *e, const struct clause *c) {
    const struct query_origin *origin = c->node->test.origin;
    char name[ELASTIC_NAME_MAX];
    struct query_field raw = *c->field;
    raw.access = raw.access == ACCESS_TOKENS ? ACCESS_VALUE : raw.access;
    if (raw.access == ACCESS_SECONDS || raw.access == ACCESS_HEX_TEXT) {
        elastic_fail(e, "shortcuts cannot be compared with this field there");
    }
    elastic_open(e, "terms", elastic_name(&raw, name));
    json_open(&e->json, '{');
    json_key(&e->json, "index");
    json_cstr(&e->json, e->lookups);
    json_key(&e->json, "id");
    json_text(&e->json, origin->shortcut_id);
    json_key(&e->json, "path");
    json_cstr(&e->json, origin->shortcut_path);
    json_close(&e->json, '}');
    elastic_close(e);
}

static void print_file(struct elastic *e, const struct query_file *f) {
    json_open(&e->json, '{');
    json_key(&e->json, "bool");
    json_open(&e->json, '{');
    json_key(&e->json, "filter");
    json_open(&e->json, '[');
    elastic_open(e, "term", "node");
    json_text(&e->json, f->node);
    elastic_close(e);
    elastic_open(e, "term", "fileId");
    json_u64(&e->json, f->number);
    elastic_close(e);
    json_close(&e->json, ']');
    json_close(&e->json, '}');
    json_close(&e->json, '}');
}

static void print_exists(struct elastic *e, const struct query_field *f) {
    char name[ELASTIC_NAME_MAX];
    struct query_field raw = *f;
    raw.access = f->access == ACCESS_ID || f->access == ACCESS_COUNT ? f->access : ACCESS_VALUE;
    if (f->field && f->field->flags & F_OBJECT_COUNT) {
        raw.access = ACCESS_COUNT; /* an object without members is nothing there, but it was counted */
    }
    json_open(&e->json, '{');
    json_key(&e->json, "exists");
    json_open(&e->json, '{');
    json_key(&e->json, "field");
    json_cstr(&e->json, elastic_name(&raw, name));
    json_close(&e->json, '}');
    json_close(&e->json, '}');
}

/* An item with a port asks two fields, a family's one apart needs the other. */
static void print_item(struct elastic *e, const struct clause *c) {
    const struct query_item *item = &c->node->test.items[c->from];
    if (item->kind != ITEM_IP || item->ip.port == ITEM_NO_PORT) {
        elastic_item(e, c->field, item);
    } else if (item->ip.any) {
        elastic_port(e, c->field, item);
    } else {
        json_open(&e->json, '{');
        json_key(&e->json, "bool");
        json_open(&e->json, '{');
        json_key(&e->json, "filter");
        json_open(&e->json, '[');
        elastic_address(e, c->field, item);
        elastic_port(e, c->field, item);
        json_close(&e->json, ']');
        json_close(&e->json, '}');
        json_close(&e->json, '}');
    }
}

static void print_clause(struct elastic *e, const struct clause *c) {
    switch (c->form) {
    case FORM_NODE:
        print_node(e, c->node);
        break;
    case FORM_ITEM:
        print_item(e, c);
        break;
    case FORM_TERMS:
        elastic_terms(e, c->field, &c->node->test.items[c->from], c->to - c->from);
        break;
    case FORM_ADDRESS:
        elastic_address(e, c->field, &c->node->test.items[c->from]);
        break;
    case FORM_PORT:
        elastic_port(e, c->field, &c->node->test.items[c->from]);
        break;
    case FORM_LOOKUP:
        print_lookup(e, c);
        break;
    case FORM_FILE:
        print_file(e, &c->node->test.origin->files[c->from]);
        break;
    case FORM_EXISTS:
        print_exists(e, c->field);
        break;
    }
}

int query_to_elastic(const struct query *q, const char *lookups, struct buf *out, struct err *ret_err) {
    struct elastic e = {json_over(out), lookups, ret_err, 0};
    print_node(&e, query_root(q));
    if (e.failed == 0 && out->overflowed) {
        return err_set(ret_err, -ENOMEM, "no memory for the query: it is too big");
    }
    return e.failed;
}
