/* type_outside.c: see type_outside.h. A file becomes numbers that the field fileId is tested for, a view its
 * expression, a shortcut the items it holds; the nodes remember where they came from for back ends that ask by that.
 */
#include "query/type_outside.h"

#include <errno.h>

#include "base/json.h"
#include "base/util.h"
#include "query/query.h"
#include "query/regex.h"

#define SHOWN 100
#define PART_FILES 1024 /* of one test */
#define PARTS_MAX 1024  /* tests of one name: more would not be a choice any more */

static int shown(struct span text) {
    return (int)MIN(text.len, (size_t)SHOWN);
}

static int no_memory(const struct typing *t) {
    return err_set(t->err, -ENOMEM, "no memory for the expression");
}

static int want_equality(const struct typing *t, struct span name, enum query_op op) {
    static const char *const names[] = {[QUERY_LT] = "lt", [QUERY_LE] = "lte", [QUERY_GT] = "gt", [QUERY_GE] = "gte"};
    return op <= QUERY_NE ? 0
                          : typing_fail(t, name, "Invalid operator '%s' for %.*s", names[op], (int)name.len,
                                        (const char *)name.at);
}

/* Every look-up may walk a long list, so their number is bounded. */
static int count_lookup(const struct typing *t, const struct token *value) {
    return ++*t->lookups > QUERY_LOOKUPS_MAX
               ? typing_fail(t, value->text, "more than %d files, views and shortcuts", QUERY_LOOKUPS_MAX)
               : 0;
}

/* --- files --- */

struct choosing {
    const struct typing *t;
    struct span name; /* exact or a wildcard */
    bool wildcard;
    const struct regex *regex; /* or NULL */
    const struct field *file_id;
    struct query_node *any; /* OR over tests */
    struct query_item *items;
    struct query_file *files;
    struct query_node *test; /* the newest one */
    struct query_origin *origin;
};

static int begin_part(struct choosing *c) {
    struct query_field *f = arena_calloc(c->t->arena, sizeof(*f));
    c->items = type_calloc(c->t, PART_FILES * sizeof(*c->items));
    c->files = arena_calloc(c->t->arena, PART_FILES * sizeof(*c->files));
    c->origin = arena_calloc(c->t->arena, sizeof(*c->origin));
    c->test = type_node(c->t, QUERY_TEST, 0);
    if (!f || !c->items || !c->files || !c->origin || !c->test) {
        return no_memory(c->t);
    }
    f->field = c->file_id;
    c->origin->files = c->files;
    c->test->test.fields = f;
    c->test->test.field_count = 1;
    c->test->test.items = c->items;
    c->test->test.origin = c->origin;
    c->any->list.children[c->any->list.count++] = c->test;
    return 0;
}

static int on_file(void *ctx, const struct query_file *f) {
    struct choosing *c = ctx;
    bool latin1 = !utf8_valid(f->name);
    bool fits = c->regex      ? regex_match(c->regex, f->name, latin1)
                : c->wildcard ? wildcard_match(c->name, f->name, false, latin1)
                              : span_equal(c->name, f->name);
    if (!fits) {
        return 0;
    }
    if (!c->test || c->origin->file_count == PART_FILES) {
        if (c->any->list.count == PARTS_MAX) {
            return err_set(c->t->err, -E2BIG, "more than %d files have such a name", PARTS_MAX * PART_FILES);
        }
        int code = begin_part(c);
        if (code < 0) {
            return code;
        }
    }
    struct query_file *own = &c->files[c->origin->file_count];
    own->number = f->number;
    own->node =
        c->origin->file_count && span_equal(own[-1].node, f->node) ? own[-1].node : arena_copy(c->t->arena, f->node);
    c->origin->file_count++;
    size_t count = c->test->test.item_count;
    if (count && c->items[count - 1].number.high + 1 == f->number) {
        c->items[count - 1].number.high = f->number;
        return 0;
    }
    c->items[count] = (struct query_item){.kind = ITEM_NUMBER, .number = {f->number, f->number}};
    c->test->test.item_count++;
    return 0;
}

static int choose_files(struct choosing *c, const struct token *value) {
    const struct typing *t = c->t;
    int code = t->names->files(t->names->ctx, on_file, c);
    if (code < 0) {
        return t->err && t->err->code ? code : err_set(t->err, code, "the list of files cannot be read");
    }
    if (c->any->list.count) {
        return 0;
    }
    if (!c->wildcard && !c->regex) {
        (void)typing_fail(t, value->text, "File '%.*s' not found", shown(value->text), (const char *)value->text.at);
        err_hint(t->err, "write the whole path, or file == *%.*s", shown(value->text), (const char *)value->text.at);
        return -EINVAL;
    }
    return begin_part(c); /* nothing fits a test without items */
}

int type_file(const struct typing *t, struct span name, enum query_op op, const struct token *value,
              struct query_node **ret) {
    struct choosing c = {.t = t};
    *ret = NULL;
    c.file_id = registry_field(t->registry, registry_by_path(t->registry, SPAN_LITERAL("fileId")));
    if (!t->names || !t->names->files || !c.file_id) {
        return 0;
    }
    int code = want_equality(t, name, op);
    code = code < 0 ? code : count_lookup(t, value);
    if (code < 0) {
        return code;
    }
    if (value->kind == TOKEN_LIST || value->kind == TOKEN_AND_LIST) {
        return typing_fail(t, value->text, "%.*s - List queries not supported for file queries - %.*s",
                           shown(value->text), (const char *)value->text.at, shown(value->text),
                           (const char *)value->text.at);
    }
    c.any = type_node(t, QUERY_OR, PARTS_MAX);
    if (!c.any) {
        return -ENOMEM;
    }
    if (value->kind == TOKEN_REGEX) {
        struct err e = {0};
        code = regex_compile(value->text, false, t->arena, &c.regex, &e);
        if (code < 0) {
            return typing_fail(t, span_from(value->text, e.column ? (size_t)e.column - 1 : 0), "%s", e.text);
        }
    }
    c.name = value->text;
    c.wildcard = !c.regex && has_wildcard(value->text);
    code = choose_files(&c, value);
    if (code == 0) {
        *ret = c.any->list.count == 1 ? c.any->list.children[0] : c.any;
    }
    return code;
}

/* --- views --- */

/* The tree of a view's expression, whose errors are told at the view's name. */
static int type_view_text(const struct typing *t, struct span where, struct span text, struct query_node **ret) {
    struct err e = {0};
    struct typing inner = *t;
    struct syntax *s;
    inner.text = arena_copy(t->arena, span_trim(text));
    inner.depth++;
    inner.err = &e;
    if (inner.text.len == 0 || span_is(inner.text, "*")) {
        *ret = type_node(t, QUERY_ALL, 0);
        return *ret ? 0 : -ENOMEM;
    }
    int code = syntax_parse(inner.text, t->arena, &s, &e);
    code = code < 0 ? code : type_tree(&inner, s, ret);
    if (code < 0 && code != -ENOMEM) {
        (void)typing_fail(t, where, "in the view %.*s, column %d: %.300s", shown(where), (const char *)where.at,
                          e.column, e.text);
        err_hint(t->err, "%s", e.hint);
    }
    return code == -ENOMEM ? no_memory(t) : code;
}

int type_view(const struct typing *t, struct span name, enum query_op op, const struct token *value,
              struct query_node **ret) {
    *ret = NULL;
    if (!t->names || !t->names->view) {
        return 0;
    }
    int code = want_equality(t, name, op);
    code = code < 0 ? code : count_lookup(t, value);
    if (code < 0) {
        return code;
    }
    if (value->kind != TOKEN_WORD && value->kind != TOKEN_QUOTED) {
        return typing_fail(t, value->text, "%.*s - a view is chosen by its name", shown(value->text),
                           (const char *)value->text.at);
    }
    if (t->depth >= QUERY_VIEW_DEPTH_MAX) {
        return typing_fail(t, value->text, "%.*s - views are nested too deep", shown(value->text),
                           (const char *)value->text.at);
    }
    _cleanup_(buf_done) struct buf text;
    buf_init(&text, QUERY_TEXT_MAX);
    code = t->names->view(t->names->ctx, value->text, &text);
    if (code == -ENOENT) {
        return typing_fail(t, value->text, "%.*s - View not found for user", shown(value->text),
                           (const char *)value->text.at);
    }
    if (code < 0 || text.overflowed) {
        return err_set(t->err, code < 0 ? code : -E2BIG, "the view %.*s cannot be read", shown(value->text),
                       (const char *)value->text.at);
    }
    return type_view_text(t, value->text, buf_span(&text), ret);
}

/* --- shortcuts --- */

static const char *const shortcut_paths[] = {
    [SHORTCUT_IP] = "ip", [SHORTCUT_NUMBER] = "number", [SHORTCUT_STRING] = "string"};

struct expanding {
    const struct typing *t;
    struct named *n;
    const struct token *token;
    struct span name; /* without the $ */
    bool wildcard;
    enum shortcut_type wanted;
    bool seen; /* one of the name, whatever its type */
    struct query_node *any;
};

static int shortcut_item(const struct typing *t, const struct query_field *f, struct span text,
                         struct query_item *ret) {
    enum query_class class = query_field_class(f);
    struct token word = {.kind = TOKEN_WORD, .text = text};
    *ret = (struct query_item){.kind = ITEM_NUMBER};
    return class == CLASS_TEXT || class == CLASS_TOKENS || class == CLASS_MAC ? text_literal(t, f, text, ret)
                                                                              : item_make(t, f, QUERY_EQ, &word, ret);
}

static size_t lines_of(struct span text) {
    size_t count = 1;
    for (size_t at = 0; (at = span_find_byte(text, at, '\n')) != SPAN_NONE; at++) {
        count++;
    }
    return count;
}

/* The next value that is not empty; false at the end. */
static bool next_value(struct span *rest, struct span *ret) {
    while (rest->len) {
        size_t end = span_find_byte(*rest, 0, '\n');
        *ret = span_trim(span_sub(*rest, 0, end));
        *rest = end == SPAN_NONE ? span_from(*rest, rest->len) : span_from(*rest, end + 1);
        if (ret->len) {
            return true;
        }
    }
    return false;
}

/* One test of up to TYPE_ITEMS_MAX values from `*rest`. */
static int shortcut_test(struct expanding *x, const struct query_field *fields, size_t count, struct span *rest,
                         const struct query_origin *origin, struct query_node **ret) {
    const struct typing *t = x->t;
    size_t room = MIN(lines_of(*rest), TYPE_ITEMS_MAX), used = 0;
    struct query_item *items = type_calloc(t, room * sizeof(*items));
    struct span value;
    *ret = type_node(t, QUERY_TEST, 0);
    if (!items || !*ret) {
        return no_memory(t);
    }
    while (used < room && next_value(rest, &value)) {
        int code = shortcut_item(t, &fields[0], value, &items[used++]);
        if (code < 0) {
            if (t->err && code != -ENOMEM) {
                t->err->column = (int)(x->token->text.at - t->text.at) + 1;
            }
            return code;
        }
    }
    (*ret)->test.fields = fields;
    (*ret)->test.field_count = count;
    (*ret)->test.items = items;
    (*ret)->test.item_count = used;
    (*ret)->test.origin = origin;
    return 0;
}

/* A group of fields of one kind against all values: an OR over tests, appended to x->any. */
static int shortcut_group(struct expanding *x, const struct query_field *fields, size_t count,
                          const struct query_shortcut *s) {
    const struct typing *t = x->t;
    struct span rest = s->values;
    struct query_node *group = type_node(t, QUERY_OR, lines_of(rest) / TYPE_ITEMS_MAX + 1);
    if (!group) {
        return -ENOMEM;
    }
    do {
        struct query_origin *origin = arena_calloc(t->arena, sizeof(*origin));
        if (!origin) {
            return no_memory(t);
        }
        origin->shortcut_id = arena_copy(t->arena, s->id);
        origin->shortcut_path = shortcut_paths[s->type];
        origin->continued = group->list.count > 0;
        int code = shortcut_test(x, fields, count, &rest, origin, &group->list.children[group->list.count]);
        if (code < 0) {
            return code;
        }
        group->list.count++;
    } while (span_trim(rest).len);
    x->any->list.children[x->any->list.count++] = group->list.count == 1 ? group->list.children[0] : group;
    return 0;
}

static int on_shortcut(void *ctx, const struct query_shortcut *s) {
    struct expanding *x = ctx;
    struct named *n = x->n;
    bool fits = x->wildcard ? wildcard_match(x->name, s->name, false, false) : span_equal(x->name, s->name);
    x->seen |= fits;
    if (!fits || s->type != x->wanted) {
        return 0;
    }
    for (size_t from = 0, to; from < n->count; from = to) {
        to = type_same_kind(n->fields, from, n->count);
        if (x->any->list.count == QUERY_SHORTCUTS_MAX) {
            return typing_fail(x->t, x->token->text, "%.*s - too many shortcuts have such a name",
                               shown(x->token->text), (const char *)x->token->text.at);
        }
        int code = shortcut_group(x, &n->fields[from], to - from, s);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

/* A shortcut's name may have `?` for one letter without a `*` beside it. */
static bool name_is_wild(struct span name) {
    return span_find_byte(name, 0, '*') != SPAN_NONE || span_find_byte(name, 0, '?') != SPAN_NONE;
}

int type_shortcut(const struct typing *t, struct named *n, enum query_op op, const struct token *token,
                  struct query_node **ret) {
    enum query_class class = query_field_class(&n->fields[0]);
    struct expanding x = {.t = t, .n = n, .token = token, .name = span_from(token->text, 1)};
    const char *wanted = class == CLASS_OBJECT || class == CLASS_TIME || class == CLASS_BOOL ? NULL
                         : class == CLASS_IP                                                 ? "ip"
                         : class == CLASS_NUMBER                                             ? "number"
                                                                                             : "string";
    if (op > QUERY_NE) {
        return typing_fail(t, token->text, "Shortcuts only support == and !=");
    }
    if (count_lookup(t, token) < 0) {
        return -EINVAL;
    }
    if (!wanted) {
        return typing_fail(t, token->text, "Unsupported field type: shortcuts hold addresses, numbers or text");
    }
    x.wanted = class == CLASS_IP ? SHORTCUT_IP : class == CLASS_NUMBER ? SHORTCUT_NUMBER : SHORTCUT_STRING;
    x.wildcard = name_is_wild(x.name);
    x.any = type_node(t, QUERY_OR, QUERY_SHORTCUTS_MAX);
    if (!x.any) {
        return -ENOMEM;
    }
    if (t->names && t->names->shortcuts) {
        int code = t->names->shortcuts(t->names->ctx, x.name, on_shortcut, &x);
        if (code < 0) {
            return t->err && t->err->code ? code : err_set(t->err, code, "the shortcuts cannot be read");
        }
    }
    if (x.any->list.count == 0) {
        return x.seen ? typing_fail(t, token->text, "shortcut must be of type %s", wanted)
                      : typing_fail(t, token->text, "%.*s - Shortcut not found", shown(token->text),
                                    (const char *)token->text.at);
    }
    *ret = x.any->list.count == 1 ? x.any->list.children[0] : x.any;
    return 0;
}
