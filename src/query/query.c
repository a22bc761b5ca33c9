/* query.c: the query itself: one pool and one arena for text and tree. */
#include "query/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "query/type.h"

#define QUERY_MEMORY_MAX ((size_t)256 << 20)

struct query {
    struct pool pool;
    struct arena arena;
    struct query_node *root;
};

static int parse(struct query *q, struct span text, const struct registry *registry, const struct query_names *names,
                 int64_t now, struct err *e) {
    unsigned lookups = 0;
    struct syntax *s;
    struct typing t = {text, registry, &q->arena, now, e, names, 0, &lookups};
    struct span trimmed = span_trim(text);
    if (trimmed.len == 0 || span_is(trimmed, "*")) {
        q->root = arena_calloc(&q->arena, sizeof(*q->root)); /* QUERY_ALL */
        return q->root ? 0 : -ENOMEM;
    }
    t.text = arena_copy(&q->arena, text);
    if (!t.text.at) {
        return -ENOMEM;
    }
    int code = syntax_parse(t.text, &q->arena, &s, e);
    if (code == -EINVAL && e) {
        char what[sizeof(e->text)];
        *span_copy_to(span_text(e->text), (uint8_t *)what) = 0;
        (void)snprintf(e->text, sizeof(e->text), "Parse error on line 1: %.370s", what);
    }
    return code < 0 ? code : type_tree(&t, s, &q->root);
}

int query_parse(struct span text, const struct registry *registry, int64_t now, struct query **ret_query,
                struct err *ret_err) {
    return query_parse_with(text, registry, NULL, now, ret_query, ret_err);
}

int query_parse_with(struct span text, const struct registry *registry, const struct query_names *names, int64_t now,
                     struct query **ret_query, struct err *ret_err) {
    *ret_query = NULL;
    if (text.len > QUERY_TEXT_MAX) {
        return err_set(ret_err, -E2BIG, "the expression is longer than %zu bytes", QUERY_TEXT_MAX);
    }
    struct query *q = calloc(1, sizeof(*q));
    if (!q) {
        return err_set(ret_err, -ENOMEM, "no memory for the expression");
    }
    pool_init(&q->pool, QUERY_MEMORY_MAX);
    arena_init(&q->arena, &q->pool, 4096, QUERY_MEMORY_MAX);
    int code = parse(q, text, registry, names, now, ret_err);
    if (code == -ENOMEM) {
        (void)err_set(ret_err, code, "no memory for the expression: it is too big");
    }
    if (code < 0) {
        q = query_free(q);
        if (ret_err && ret_err->column) {
            ret_err->line = 1;
        }
    }
    *ret_query = q;
    return code;
}

struct query *query_free(struct query *q) {
    if (q) {
        arena_done(&q->arena);
        pool_done(&q->pool);
        free(q);
    }
    return NULL;
}

const struct query_node *query_root(const struct query *q) {
    return q->root;
}
