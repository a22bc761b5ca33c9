/* type.c: looks names up, types values, and turns tests into nodes. A union whose members differ in kind becomes an OR
 * over groups of equal kind; a list of which all must be there becomes an AND over its items.
 */
#include "query/type.h"

#include <errno.h>

#include "base/util.h"
#include "query/query.h"
#include "query/type_outside.h"

#define SHOWN 100
/* The text has room for no more tests of TYPE_ITEMS_MAX. */
#define CHUNKS_MAX (QUERY_TEXT_MAX / 2 / TYPE_ITEMS_MAX + 1)

void *type_calloc(const struct typing *t, size_t size) {
    const size_t align = _Alignof(long double);
    uint8_t *at = arena_calloc(t->arena, size + align);
    return at ? at + (align - (uintptr_t)at % align) % align : NULL;
}

struct query_node *type_node(const struct typing *t, enum query_kind kind, size_t children) {
    struct query_node *n = arena_calloc(t->arena, sizeof(*n));
    if (n && children) {
        n->list.children = arena_calloc(t->arena, children * sizeof(struct query_node *));
        n = n->list.children ? n : NULL;
    }
    if (n) {
        n->kind = kind;
    } else {
        (void)err_set(t->err, -ENOMEM, "no memory for the expression");
    }
    return n;
}

static int negate(const struct typing *t, struct query_node **node) {
    struct query_node *negation = type_node(t, QUERY_NOT, 1);
    if (!negation) {
        return -ENOMEM;
    }
    negation->list.children[negation->list.count++] = *node;
    *node = negation;
    return 0;
}

static bool is_email(const struct field *f) {
    return f && span_starts(span_text(f->def->path), SPAN_LITERAL("email."));
}

/* Leaves out what the user may not search: of a family the members, else it is an error. */
static int drop_denied(const struct typing *t, struct span name, struct named *n) {
    size_t kept = 0;
    for (size_t i = 0; t->names && t->names->no_email && i < n->count; i++) {
        if (!is_email(n->fields[i].field)) {
            n->fields[kept++] = n->fields[i];
        }
    }
    if (!t->names || !t->names->no_email || kept == n->count) {
        return 0;
    }
    n->count = kept;
    return kept && n->many
               ? 0
               : typing_fail(t, name,
                             "%.*s - permission denied, ask your Arkime admin to give you access using + on "
                             "Users tab",
                             (int)MIN(name.len, (size_t)SHOWN), (const char *)name.at);
}

static int find_named(const struct typing *t, struct span name, struct named *ret) {
    int code = names_find(name, t->registry, t->arena, ret);
    if (code < 0 || ret->count) {
        return code < 0 ? err_set(t->err, code, "no memory for the expression") : drop_denied(t, name, ret);
    }
    (void)typing_fail(t, name, "Unknown field %.*s", (int)MIN(name.len, (size_t)SHOWN), (const char *)name.at);
    const char *near = registry_nearest(t->registry, name);
    bool sum = false;
    for (size_t i = 0; i < name.len; i++) {
        sum |= strchr("+-*/", name.at[i]) != NULL && name.at[i] != 0;
    }
    if (span_is(name, "file") || span_is(name, "view")) {
        err_hint(t->err, span_is(name, "file") ? "files belong to a store"
                                               : "views belong to users: a running server knows them");
    } else if (near) {
        err_hint(t->err, "did you mean %s?", near);
    } else {
        err_hint(t->err, "%s", sum ? "calculations have blanks around + - * /" : "`seine fields` lists them");
    }
    return -EINVAL;
}

/* --- comparisons between fields --- */

static bool is_word(const struct syntax *s) {
    return s->kind == SYNTAX_VALUE && s->token.kind == TOKEN_WORD;
}

static int type_constant(const struct typing *t, const struct syntax *s, bool in_sum, struct query_term *ret) {
    char unit;
    int64_t low, high;
    ret->kind = TERM_CONSTANT;
    ret->class = CLASS_NUMBER;
    if (number_parse(s->token.text, &ret->constant, &unit)) {
        return 0;
    }
    if (in_sum && s->token.kind == TOKEN_QUOTED && time_parse(s->token.text, t->now, &low, &high)) {
        ret->constant = (long double)low / 1000;
        return 0;
    }
    return -ENOENT;
}

static int type_field_term(const struct typing *t, const struct syntax *s, bool in_sum, struct query_term *ret) {
    struct named n;
    int code = find_named(t, s->token.text, &n);
    if (code < 0) {
        return code;
    }
    *ret = (struct query_term){TERM_FIELD, .fields = n.fields, .field_count = n.count};
    ret->class = query_field_class(&n.fields[0]);
    for (size_t i = 0; i < n.count; i++) {
        enum query_class class = query_field_class(&n.fields[i]);
        bool many = n.fields[i].access == ACCESS_VALUE && !(n.fields[i].field->flags & F_SINGLE);
        if (class != ret->class || class == CLASS_OBJECT) {
            return typing_fail(t, s->token.text, "the members of this field are of different kinds");
        }
        if (in_sum && class != CLASS_NUMBER && class != CLASS_TIME) {
            return typing_fail(t, s->token.text, "calculations need numbers or times");
        }
        if (in_sum && (many || n.count > 1)) {
            return typing_fail(t, s->token.text, "calculations need fields that have one value");
        }
    }
    return 0;
}

static int type_term(const struct typing *t, const struct syntax *s, bool in_sum, struct query_term **ret) {
    struct query_term *term = type_calloc(t, sizeof(*term)), *left = NULL, *right = NULL;
    if (!term) {
        return err_set(t->err, -ENOMEM, "no memory for the expression");
    }
    *ret = term;
    if (s->kind == SYNTAX_VALUE) {
        int code = type_constant(t, s, in_sum, term);
        return code == -ENOENT ? type_field_term(t, s, in_sum, term) : code;
    }
    int code = type_term(t, s->first, true, &left);
    code = code < 0 ? code : type_term(t, s->last, true, &right);
    if (code < 0) {
        return code;
    }
    term->kind = (enum query_term_kind)(TERM_ADD + (s->token.kind - TOKEN_PLUS));
    term->class = CLASS_NUMBER;
    term->left = left;
    term->right = right;
    return 0;
}

static int type_compare(const struct typing *t, const struct syntax *s, struct query_node **ret) {
    bool sum = s->first->kind == SYNTAX_SUM || s->last->kind == SYNTAX_SUM;
    struct query_term *left = NULL, *right = NULL;
    int code = type_term(t, s->first, sum, &left);
    code = code < 0 ? code : type_term(t, s->last, sum, &right);
    if (code < 0) {
        return code;
    }
    bool text[] = {left->class == CLASS_TEXT || left->class == CLASS_TOKENS,
                   right->class == CLASS_TEXT || right->class == CLASS_TOKENS};
    if (!sum && left->class != right->class && !(text[0] && text[1])) {
        return typing_fail(t, s->last->token.text, "these two are of different kinds");
    }
    if (s->op > QUERY_NE && (text[0] || left->class == CLASS_MAC || left->class == CLASS_BOOL)) {
        return typing_fail(t, s->token.text, "text and flags know == and != only");
    }
    *ret = type_node(t, QUERY_COMPARE, 0);
    if (!*ret) {
        return -ENOMEM;
    }
    (*ret)->compare.left = left;
    (*ret)->compare.right = right;
    (*ret)->compare.op = s->op == QUERY_NE ? QUERY_EQ : s->op;
    return s->op == QUERY_NE ? negate(t, ret) : 0;
}

/* Whether the right side names a field: numbers, times and addresses cannot be mistaken for names; text can, there the
 * name stands in parentheses. */
static bool names_field(const struct typing *t, const struct query_field *left, const struct syntax *right) {
    struct named n;
    if (!is_word(right)) {
        return false;
    }
    if (right->enclosed) {
        return true;
    }
    enum query_class class = query_field_class(left);
    int c = span_byte(right->token.text, 0);
    bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return name && (class == CLASS_NUMBER || class == CLASS_TIME || class == CLASS_IP) &&
           names_find(right->token.text, t->registry, t->arena, &n) == 0 && n.count > 0;
}

/* --- tests --- */

struct tokens {
    const struct token *list;
    size_t count;
    bool all;    /* of an AND list */
    bool listed; /* in a list */
};

/* The next tokens of a list, from `*at` on, or the one value; none at the end. */
static int next_tokens(const struct typing *t, const struct token *token, size_t *at, struct tokens *ret) {
    struct token item, *list;
    size_t count = 0;
    bool is_list = token->kind == TOKEN_LIST || token->kind == TOKEN_AND_LIST;
    *ret = (struct tokens){token, !is_list && *at == 0, token->kind == TOKEN_AND_LIST, token->kind == TOKEN_LIST};
    if (!is_list) {
        *at = 1;
        return 0;
    }
    for (size_t i = *at; count < TYPE_ITEMS_MAX && lex_item(token->text, &i, &item);) {
        count++;
    }
    if (count == 0) {
        return *at ? 0 : typing_fail(t, token->text, "the list is empty");
    }
    list = arena_alloc(t->arena, count * sizeof(*list));
    if (!list) {
        return err_set(t->err, -ENOMEM, "no memory for the expression");
    }
    for (size_t i = 0; i < count; i++) {
        (void)lex_item(token->text, at, &list[i]);
    }
    ret->list = list;
    ret->count = count;
    return 0;
}

static bool same_kind(const struct query_field *a, const struct query_field *b) {
    return query_field_class(a) == query_field_class(b) && a->access == b->access &&
           query_field_folds(a) == query_field_folds(b);
}

size_t type_same_kind(struct query_field *fields, size_t from, size_t count) {
    size_t to = from + 1;
    for (size_t i = to; i < count; i++) {
        if (same_kind(&fields[from], &fields[i])) {
            struct query_field swap = fields[to];
            fields[to++] = fields[i];
            fields[i] = swap;
        }
    }
    return to;
}

/* The test of one group: fields of one kind against the same items. */
static int type_group(const struct typing *t, const struct query_field *fields, size_t count, enum query_op op,
                      const struct tokens *tokens, struct query_node **ret) {
    struct query_item *items = type_calloc(t, tokens->count * sizeof(*items));
    *ret = type_node(t, QUERY_TEST, 0);
    if (!items || !*ret) {
        return err_set(t->err, -ENOMEM, "no memory for the expression");
    }
    for (size_t i = 0; i < tokens->count; i++) {
        int code = item_make(t, &fields[0], op, &tokens->list[i], &items[i]);
        if (code < 0) {
            return code == -ENOMEM ? err_set(t->err, code, "no memory for the expression") : code;
        }
    }
    (*ret)->test.fields = fields;
    (*ret)->test.field_count = count;
    (*ret)->test.items = items;
    (*ret)->test.item_count = tokens->count;
    (*ret)->test.list = tokens->listed;
    return 0;
}

/* Any of the fields against any of the tokens, none of which is a shortcut. */
static int type_plain(const struct typing *t, struct named *n, enum query_op op, const struct tokens *tokens,
                      struct query_node **ret) {
    struct query_node *any = type_node(t, QUERY_OR, n->count);
    if (!any) {
        return -ENOMEM;
    }
    for (size_t from = 0, to; from < n->count; from = to) {
        struct query_node *group;
        to = type_same_kind(n->fields, from, n->count);
        int code = type_group(t, &n->fields[from], to - from, op, tokens, &group);
        if (code < 0) {
            return code;
        }
        any->list.children[any->list.count++] = group;
    }
    *ret = any->list.count == 1 ? any->list.children[0] : any;
    return 0;
}

/* Any of the fields against any of the tokens: the plain ones first, then each shortcut. */
static int type_any(const struct typing *t, struct named *n, enum query_op op, const struct tokens *tokens,
                    struct query_node **ret) {
    size_t shortcuts = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        shortcuts += is_shortcut(&tokens->list[i]);
    }
    if (shortcuts == 0) {
        return type_plain(t, n, op, tokens, ret);
    }
    struct token *plain = arena_alloc(t->arena, tokens->count * sizeof(*plain));
    struct query_node *any = type_node(t, QUERY_OR, shortcuts + 1);
    if (!plain || !any) {
        return err_set(t->err, -ENOMEM, "no memory for the expression");
    }
    struct tokens rest = {plain, 0, false, tokens->listed};
    for (size_t i = 0; i < tokens->count; i++) {
        if (!is_shortcut(&tokens->list[i])) {
            plain[rest.count++] = tokens->list[i];
        }
    }
    int code = rest.count ? type_plain(t, n, op, &rest, &any->list.children[any->list.count++]) : 0;
    for (size_t i = 0; i < tokens->count && code == 0; i++) {
        if (is_shortcut(&tokens->list[i])) {
            code = type_shortcut(t, n, op, &tokens->list[i], &any->list.children[any->list.count++]);
        }
    }
    *ret = any->list.count == 1 ? any->list.children[0] : any;
    return code;
}

/* Members of a family that have a port stand first: the one asked decides whether ports are allowed at all. */
static void ports_first(struct named *n) {
    size_t first = 0;
    for (size_t i = 0; n->many && i < n->count; i++) {
        if (n->fields[i].port) {
            struct query_field swap = n->fields[first];
            n->fields[first++] = n->fields[i];
            n->fields[i] = swap;
        }
    }
}

/* All of the tokens. */
static int type_all(const struct typing *t, struct named *n, enum query_op op, const struct tokens *tokens,
                    struct query_node **ret) {
    int code = 0;
    *ret = type_node(t, QUERY_AND, tokens->count);
    for (size_t i = 0; *ret && code == 0 && i < tokens->count; i++) {
        struct tokens one = {&tokens->list[i], 1, false, false};
        code = type_plain(t, n, op, &one, &(*ret)->list.children[i]);
        (*ret)->list.count++;
    }
    return *ret ? code : -ENOMEM;
}

static int type_constants(const struct typing *t, struct named *n, enum query_op op, const struct token *token,
                          struct query_node **ret) {
    struct query_node *chunks = type_node(t, token->kind == TOKEN_AND_LIST ? QUERY_AND : QUERY_OR, CHUNKS_MAX);
    struct tokens tokens;
    size_t at = 0;
    if (!chunks) {
        return -ENOMEM;
    }
    if (op > QUERY_NE && (token->kind == TOKEN_LIST || token->kind == TOKEN_AND_LIST)) {
        return typing_fail(t, token->text, "%.*s - List queries not supported for gt/lt queries - %.*s",
                           (int)MIN(token->text.len, (size_t)SHOWN), (const char *)token->text.at,
                           (int)MIN(token->text.len, (size_t)SHOWN), (const char *)token->text.at);
    }
    ports_first(n);
    while (chunks->list.count < CHUNKS_MAX) {
        struct query_node **chunk = &chunks->list.children[chunks->list.count];
        int code = next_tokens(t, token, &at, &tokens);
        for (size_t i = 0; code == 0 && tokens.all && i < tokens.count; i++) {
            code = is_shortcut(&tokens.list[i])
                       ? typing_fail(t, token->text, "]%.*s[ - AND array not supported with shortcuts",
                                     (int)MIN(token->text.len, (size_t)SHOWN), (const char *)token->text.at)
                       : 0;
        }
        if (code == 0 && tokens.count) {
            bool all = tokens.all && tokens.count > 1;
            code = all ? type_all(t, n, op, &tokens, chunk) : type_any(t, n, op, &tokens, chunk);
        }
        if (code < 0) {
            return code;
        }
        if (tokens.count == 0) {
            break;
        }
        chunks->list.count++;
    }
    *ret = chunks->list.count == 1 ? chunks->list.children[0] : chunks;
    return 0;
}

/* `file` and `view`; *ret stays NULL for other names. */
static int type_outside(const struct typing *t, const struct syntax *s, struct query_node **ret) {
    struct span name = s->first->token.text;
    const struct token *value = &s->last->token;
    *ret = NULL;
    if (s->last->kind != SYNTAX_VALUE || value->kind == TOKEN_EXISTS) {
        return 0;
    }
    if (span_equal_fold(name, SPAN_LITERAL("file"))) {
        return type_file(t, name, s->op, value, ret);
    }
    return span_equal_fold(name, SPAN_LITERAL("view")) ? type_view(t, name, s->op, value, ret) : 0;
}

static int type_test(const struct typing *t, const struct syntax *s, struct query_node **ret) {
    const struct syntax *left = s->first, *right = s->last;
    struct named n;
    if (!is_word(left) || right->kind == SYNTAX_SUM) {
        return right->kind == SYNTAX_VALUE && right->token.kind > TOKEN_QUOTED
                   ? typing_fail(t, right->token.text, "a calculation can be compared with a number or a field")
                   : type_compare(t, s, ret);
    }
    long double number;
    char unit;
    if (number_parse(left->token.text, &number, &unit) && is_word(right)) {
        return type_compare(t, s, ret); /* 1000 < bytes */
    }
    int code = type_outside(t, s, ret);
    if (code < 0) {
        return code;
    }
    if (*ret) {
        return s->op == QUERY_NE ? negate(t, ret) : 0;
    }
    code = find_named(t, left->token.text, &n);
    if (code < 0) {
        return code;
    }
    if (right->token.kind == TOKEN_EXISTS) {
        if (s->op > QUERY_NE) {
            return typing_fail(t, right->token.text, "EXISTS! goes with == and !=");
        }
        *ret = type_node(t, QUERY_EXISTS, 0);
        if (!*ret) {
            return -ENOMEM;
        }
        (*ret)->test.fields = n.fields;
        (*ret)->test.field_count = n.count;
    } else if (names_field(t, &n.fields[0], right)) {
        return type_compare(t, s, ret);
    } else {
        code = type_constants(t, &n, s->op, &right->token, ret);
    }
    return code == 0 && s->op == QUERY_NE ? negate(t, ret) : code;
}

int type_tree(const struct typing *t, const struct syntax *s, struct query_node **ret) {
    if (s->kind == SYNTAX_TEST) {
        return type_test(t, s, ret);
    }
    static const uint8_t kinds[] = {[SYNTAX_AND] = QUERY_AND, [SYNTAX_OR] = QUERY_OR, [SYNTAX_NOT] = QUERY_NOT};
    *ret = type_node(t, (enum query_kind)kinds[s->kind], s->count);
    if (!*ret) {
        return -ENOMEM;
    }
    for (const struct syntax *child = s->first; child; child = child->next) {
        int code = type_tree(t, child, &(*ret)->list.children[(*ret)->list.count]);
        if (code < 0) {
            return code;
        }
        (*ret)->list.count++;
    }
    return 0;
}
