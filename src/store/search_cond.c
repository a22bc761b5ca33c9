/* search_cond.c: the typed tree of an expression as conditions on single fields.
 *
 * A test of many fields is an OR over them; an address with a port is an AND of two fields. Every condition on a field
 * keeps the node it came from: where columns cannot answer it, restored records are asked for the whole node, which is
 * never less than the part asked for and never more than the node, so that the OR stays what it was.
 */
#include <errno.h>
#include <stdlib.h>

#include "query/item.h"
#include "store/search_own.h"

#define PORTS_MAX 64 /* different ones in one test; beyond that records are asked */

static struct cond *cond_new(struct search *s, enum cond_kind kind, const struct query_node *node, size_t room) {
    struct cond *c = blocks_calloc(&s->conds, sizeof(*c));
    if (c && room) {
        c->children = blocks_calloc(&s->conds, room * sizeof(struct cond *));
        c = c->children ? c : NULL;
    }
    if (c) {
        c->kind = kind;
        c->node = node;
    }
    return c;
}

static int add_child(struct cond *parent, struct cond *child) {
    if (!child) {
        return -ENOMEM;
    }
    parent->children[parent->count++] = child;
    return 0;
}

static struct cond *cond_field(struct search *s, enum cond_kind kind, const struct query_node *node,
                               const struct query_field *f, const struct item_set *set) {
    struct cond *c = cond_new(s, kind, node, 0);
    if (c) {
        c->field = *f;
        c->set = set;
        c->kind = kind == COND_TEST && set->empty ? COND_NONE : kind;
    }
    return c;
}

/* --- wanted fields --- */

static int want_id(struct search *s, uint16_t id) {
    for (size_t i = 0; i < s->wanted_count; i++) {
        if (s->wanted[i] == id) {
            return 0;
        }
    }
    uint16_t *more = realloc(s->wanted, (s->wanted_count + 1) * sizeof(*more));
    if (!more) {
        return -ENOMEM;
    }
    s->wanted = more;
    s->wanted[s->wanted_count++] = id;
    return 0;
}

static bool is_below(const struct registry *r, const struct field *f, const struct field *above) {
    while (f && f != above) {
        f = f->parent == FIELD_NONE ? NULL : registry_field(r, f->parent);
    }
    return f != NULL;
}

int search_want(struct search *s, const struct field *f) {
    int code = 0;
    for (const struct field *at = f; at && code == 0;) {
        code = want_id(s, at->id);
        at = at->parent == FIELD_NONE ? NULL : registry_field(s->registry, at->parent);
    }
    for (size_t i = 0; f && f->type == FT_OBJECT && code == 0 && i < registry_count(s->registry); i++) {
        const struct field *child = registry_field(s->registry, (uint16_t)i);
        code = is_below(s->registry, child, f) ? want_id(s, child->id) : 0;
    }
    return code;
}

static int want_query_field(struct search *s, const struct query_field *f) {
    int code = f->field ? search_want(s, f->field) : 0;
    return code == 0 && f->port ? search_want(s, f->port) : code;
}

/* --- tests --- */

struct items {
    const struct query_item **list;
    size_t count;
};

/* A session number from an id as documents show it; pieces of long sessions have their number behind it. */
static bool parse_id(struct span text, uint64_t *ret_seq) {
    for (size_t i = text.len; i-- > 0;) {
        if (text.at[i] == '-') {
            return session_name_parse(text, ret_seq) || session_name_parse(span_sub(text, 0, i), ret_seq);
        }
    }
    return session_name_parse(text, ret_seq);
}

static int compare_seqs(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Ids are asked of the records of the sessions they name. */
static struct cond *make_ids(struct search *s, const struct query_node *node) {
    struct cond *both = cond_new(s, COND_AND, node, 2), *named = cond_new(s, COND_SEQS, node, 0);
    uint64_t *seqs = blocks_alloc(&s->conds, node->test.item_count * sizeof(*seqs) + 1);
    struct cond *asked = cond_new(s, COND_RESTORE, node, 0);
    if (!both || !named || !seqs || !asked) {
        return NULL;
    }
    for (size_t i = 0; i < node->test.item_count; i++) {
        if (node->test.items[i].kind != ITEM_TEXT) {
            return asked;
        }
        named->seq_count += parse_id(node->test.items[i].text, &seqs[named->seq_count]);
    }
    qsort(seqs, named->seq_count, sizeof(*seqs), compare_seqs);
    named->seqs = seqs;
    both->children[both->count++] = named;
    both->children[both->count++] = asked;
    return both;
}

/* An address whose port counts: both must fit. */
static struct cond *make_with_port(struct search *s, const struct query_node *node, const struct query_field *f,
                                   int32_t port, const struct items *items) {
    if (!f->port) {
        return cond_new(s, COND_NONE, node, 0);
    }
    struct query_field port_field = {.field = f->port, .access = ACCESS_VALUE};
    const struct item_set *set = item_set_new(&s->conds, f, items->list, items->count);
    const struct item_set *number = item_set_range(&s->conds, &port_field, (uint64_t)port, (uint64_t)port);
    struct cond *both = cond_new(s, COND_AND, node, 2);
    if (!set || !number || !both || add_child(both, cond_field(s, COND_TEST, node, f, set)) < 0 ||
        add_child(both, cond_field(s, COND_TEST, node, &port_field, number)) < 0) {
        return NULL;
    }
    return both;
}

/* The different ports of a test; -1 stands for none. */
static size_t find_ports(const struct query_node *node, int32_t ret[PORTS_MAX + 1]) {
    size_t count = 0;
    for (size_t i = 0; i < node->test.item_count && count <= PORTS_MAX; i++) {
        const struct query_item *item = &node->test.items[i];
        int32_t port = item->kind == ITEM_IP ? item->ip.port : ITEM_NO_PORT;
        size_t at = 0;
        while (at < count && ret[at] != port) {
            at++;
        }
        if (at == count) {
            ret[count++] = port;
        }
    }
    return count;
}

static void take_items(const struct query_node *node, int32_t port, struct items *ret) {
    ret->count = 0;
    for (size_t i = 0; i < node->test.item_count; i++) {
        const struct query_item *item = &node->test.items[i];
        if ((item->kind == ITEM_IP ? item->ip.port : ITEM_NO_PORT) == port) {
            ret->list[ret->count++] = item;
        }
    }
}

static const struct item_set *set_for(struct search *s, const struct cond *any, const struct query_field *f,
                                      const struct items *items) {
    for (size_t i = 0; i < any->count; i++) {
        const struct cond *c = any->children[i];
        if (c->set && c->field.field->type == f->field->type) {
            return c->set;
        }
    }
    return item_set_new(&s->conds, f, items->list, items->count);
}

static struct cond *make_test(struct search *s, const struct query_node *node) {
    int32_t ports[PORTS_MAX + 1];
    if (node->test.fields[0].access == ACCESS_ID) {
        return make_ids(s, node);
    }
    size_t port_count = find_ports(node, ports), fields = node->test.field_count;
    struct items items = {.list = blocks_alloc(&s->conds, node->test.item_count * sizeof(*items.list) + 1)};
    if (port_count > PORTS_MAX) {
        return cond_new(s, COND_RESTORE, node, 0);
    }
    struct cond *any = cond_new(s, COND_OR, node, fields * MAX(port_count, 1u));
    if (!any || !items.list) {
        return NULL;
    }
    for (size_t p = 0; p < port_count; p++) {
        take_items(node, ports[p], &items);
        for (size_t i = 0; i < fields; i++) {
            const struct query_field *f = &node->test.fields[i];
            const struct item_set *set = ports[p] == ITEM_NO_PORT ? set_for(s, any, f, &items) : NULL;
            struct cond *one = ports[p] != ITEM_NO_PORT ? make_with_port(s, node, f, ports[p], &items)
                               : set                    ? cond_field(s, COND_TEST, node, f, set)
                                                        : NULL;
            if (add_child(any, one) < 0) {
                return NULL;
            }
        }
    }
    return any;
}

static struct cond *make_exists(struct search *s, const struct query_node *node, const struct query_field *fields,
                                size_t count) {
    struct cond *any = cond_new(s, COND_OR, node, count);
    for (size_t i = 0; any && i < count; i++) {
        if (add_child(any, fields[i].access == ACCESS_ID ? cond_new(s, COND_ALL, node, 0)
                                                         : cond_field(s, COND_EXISTS, node, &fields[i], NULL)) < 0) {
            return NULL;
        }
    }
    return any;
}

/* --- comparisons --- */

/* Every operand must have a value. */
static int need_terms(struct search *s, const struct query_node *node, const struct query_term *t, struct cond *all) {
    if (t->kind == TERM_CONSTANT) {
        return 0;
    }
    if (t->kind == TERM_FIELD) {
        for (size_t i = 0; i < t->field_count; i++) {
            int code = want_query_field(s, &t->fields[i]);
            if (code < 0) {
                return code;
            }
        }
        return add_child(all, make_exists(s, node, t->fields, t->field_count));
    }
    int code = need_terms(s, node, t->left, all);
    return code < 0 ? code : need_terms(s, node, t->right, all);
}

static size_t term_fields(const struct query_term *t) {
    return t->kind <= TERM_FIELD ? t->kind == TERM_FIELD : term_fields(t->left) + term_fields(t->right);
}

static struct cond *make_compare(struct search *s, const struct query_node *node) {
    size_t fields = term_fields(node->compare.left) + term_fields(node->compare.right);
    struct cond *all = cond_new(s, COND_AND, node, fields + 1);
    if (!all || need_terms(s, node, node->compare.left, all) < 0 || need_terms(s, node, node->compare.right, all) < 0 ||
        add_child(all, cond_new(s, COND_COMPARE, node, 0)) < 0) {
        return NULL;
    }
    return all;
}

/* --- the tree --- */

static struct cond *make(struct search *s, const struct query_node *node);

static struct cond *make_list(struct search *s, enum cond_kind kind, const struct query_node *node) {
    struct cond *c = cond_new(s, kind, node, node->list.count);
    for (size_t i = 0; c && i < node->list.count; i++) {
        if (add_child(c, make(s, node->list.children[i])) < 0) {
            return NULL;
        }
    }
    return c;
}

static struct cond *make(struct search *s, const struct query_node *node) {
    switch (node->kind) {
    case QUERY_ALL:
        return cond_new(s, COND_ALL, node, 0);
    case QUERY_AND:
        return make_list(s, COND_AND, node);
    case QUERY_OR:
        return make_list(s, COND_OR, node);
    case QUERY_NOT:
        return make_list(s, COND_NOT, node);
    case QUERY_COMPARE:
        return make_compare(s, node);
    default:
        for (size_t i = 0; i < node->test.field_count; i++) {
            if (want_query_field(s, &node->test.fields[i]) < 0) {
                return NULL;
            }
        }
        return node->kind == QUERY_TEST ? make_test(s, node)
                                        : make_exists(s, node, node->test.fields, node->test.field_count);
    }
}

/* --- time --- */

static int add_time(struct search *s, struct cond *all, const char *path, int64_t low, int64_t high) {
    const struct field *f = registry_field(s->registry, registry_by_path(s->registry, span_text(path)));
    if (!f) {
        return -ENOENT;
    }
    struct query_field field = {.field = f, .access = ACCESS_VALUE};
    int code = search_want(s, f); /* of sessions with changes laid over, which are restored */
    if (code < 0) {
        return code;
    }
    const struct item_set *set =
        item_set_range(&s->conds, &field, low < 0 ? 0 : (uint64_t)low, high < 0 ? 0 : (uint64_t)high);
    return set ? add_child(all, cond_field(s, high < 0 ? COND_NONE : COND_TEST, NULL, &field, set)) : -ENOMEM;
}

static int add_bounds(struct search *s, struct cond *all) {
    int64_t start = s->o.start_ms, stop = s->o.stop_ms;
    int code;
    switch (s->o.bounding) {
    case BOUND_FIRST:
        return add_time(s, all, "firstPacket", start, stop);
    case BOUND_BOTH:
        code = add_time(s, all, "firstPacket", start, INT64_MAX);
        return code < 0 ? code : add_time(s, all, "lastPacket", 0, stop);
    case BOUND_EITHER:
        code = add_time(s, all, "firstPacket", 0, stop);
        return code < 0 ? code : add_time(s, all, "lastPacket", start, INT64_MAX);
    case BOUND_DATABASE:
        code = add_time(s, all, "@timestamp", start, stop);
        return code == -ENOENT ? add_time(s, all, "lastPacket", start, stop) : code;
    default:
        return add_time(s, all, "lastPacket", start, stop);
    }
}

int search_prepare(struct search *s) {
    s->cond = cond_new(s, COND_AND, NULL, SEARCH_QUERIES_MAX + 3);
    int code = s->cond ? 0 : -ENOMEM;
    if (code == 0 && s->o.bounded) {
        code = add_bounds(s, s->cond);
    }
    for (size_t i = 0; code == 0 && i < SEARCH_QUERIES_MAX && s->o.queries[i]; i++) {
        code = add_child(s->cond, make(s, query_root(s->o.queries[i])));
    }
    if (code == 0 && s->o.seqs) {
        struct cond *named = cond_new(s, COND_SEQS, NULL, 0);
        uint64_t *seqs = malloc(s->o.seq_count * sizeof(*seqs) + 1);
        code = named && seqs ? add_child(s->cond, named) : -ENOMEM;
        s->seqs = seqs;
        if (code == 0 && s->o.seq_count) {
            memcpy(seqs, s->o.seqs, s->o.seq_count * sizeof(*seqs));
            qsort(seqs, s->o.seq_count, sizeof(*seqs), compare_seqs);
            named->seqs = seqs;
            named->seq_count = s->o.seq_count;
        }
    }
    return code;
}
