/* parse.c: recursive descent over or, and, unary, test, sum, product. Only parentheses nest, and they are counted; a
 * parenthesis holds either tests or a sum, which is known when it closes.
 */
#include "query/parse.h"

#include <errno.h>

#include "base/util.h"
#include "query/query.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the next one */
    struct arena *arena;
    struct err *err;
    unsigned depth;
};

static int parse_or(struct parser *p, struct syntax **ret);

static int fail(struct parser *p, size_t at, const char *what, const char *hint) {
    (void)err_set(p->err, -EINVAL, "%s", what);
    if (p->err) {
        p->err->column = (int)at + 1;
    }
    err_hint(p->err, "%s", hint);
    return -EINVAL;
}

static struct syntax *make(struct parser *p, enum syntax_kind kind) {
    struct syntax *s = arena_calloc(p->arena, sizeof(*s));
    if (s) {
        s->kind = kind;
        s->token = p->token;
    } else {
        (void)err_set(p->err, -ENOMEM, "no memory for the expression");
    }
    return s;
}

static void add(struct syntax *parent, struct syntax *child) {
    if (parent->last) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
    parent->count++;
}

static bool is_test(const struct syntax *s) {
    return s->kind <= SYNTAX_TEST;
}

static int want_test(struct parser *p, const struct syntax *s) {
    if (is_test(s)) {
        return 0;
    }
    return fail(p, s->token.at, "this is not compared with anything",
                "write for example FIELD == VALUE, or FIELD == EXISTS!");
}

static bool starts_operand(const struct token *t) {
    return t->kind == TOKEN_WORD || t->kind == TOKEN_OPEN;
}

/* --- sums --- */

static int close_parenthesis(struct parser *p, struct syntax *inside) {
    if (p->token.kind != TOKEN_CLOSE) {
        return fail(p, p->token.at, "a ) is missing here", "");
    }
    p->depth--;
    inside->enclosed = true;
    return lex_operator(&p->lexer, &p->token);
}

static int parse_open_sum(struct parser *p, struct syntax **ret);
static int parse_sum(struct parser *p, struct syntax *first, struct syntax **ret);

/* A word or a sum in parentheses; leaves the operator behind it in p->token. */
static int parse_operand(struct parser *p, struct syntax **ret) {
    if (p->token.kind == TOKEN_OPEN) {
        return parse_open_sum(p, ret);
    }
    if (p->token.kind != TOKEN_WORD && p->token.kind != TOKEN_QUOTED) {
        return fail(p, p->token.at, "a field or a number is missing here", "");
    }
    *ret = make(p, SYNTAX_VALUE);
    return *ret ? lex_operator(&p->lexer, &p->token) : -ENOMEM;
}

static int parse_open_sum(struct parser *p, struct syntax **ret) {
    size_t at = p->token.at;
    if (++p->depth > QUERY_DEPTH_MAX) {
        return fail(p, at, "parentheses are nested too deep", "");
    }
    int code = lex_operand(&p->lexer, &p->token);
    code = code < 0 ? code : parse_sum(p, NULL, ret);
    return code < 0 ? code : close_parenthesis(p, *ret);
}

/* Joins `left` with what stands behind the sign in p->token. */
static int parse_sign(struct parser *p, struct syntax **left, int (*parse_right)(struct parser *, struct syntax **)) {
    struct syntax *sum = make(p, SYNTAX_SUM), *right;
    if (!sum) {
        return -ENOMEM;
    }
    if (is_test(*left)) {
        return fail(p, p->token.at, "a test cannot be part of a sum", "");
    }
    int code = lex_operand(&p->lexer, &p->token);
    code = code < 0 ? code : parse_right(p, &right);
    if (code < 0) {
        return code;
    }
    sum->depth = 1 + MAX((*left)->depth, right->depth);
    if (sum->depth > QUERY_DEPTH_MAX) {
        return fail(p, sum->token.at, "the sum is too long", "");
    }
    add(sum, *left);
    add(sum, right);
    *left = sum;
    return 0;
}

static int parse_product(struct parser *p, struct syntax *first, struct syntax **ret) {
    int code = 0;
    *ret = first;
    if (!first) {
        code = parse_operand(p, ret);
    }
    while (code == 0 && (p->token.kind == TOKEN_TIMES || p->token.kind == TOKEN_OVER)) {
        code = parse_sign(p, ret, parse_operand);
    }
    return code;
}

static int parse_new_product(struct parser *p, struct syntax **ret) {
    return parse_product(p, NULL, ret);
}

static int parse_sum(struct parser *p, struct syntax *first, struct syntax **ret) {
    int code = parse_product(p, first, ret);
    while (code == 0 && (p->token.kind == TOKEN_PLUS || p->token.kind == TOKEN_MINUS)) {
        code = parse_sign(p, ret, parse_new_product);
    }
    return code;
}

/* --- tests --- */

static int parse_value(struct parser *p, struct syntax **ret) {
    switch (p->token.kind) {
    case TOKEN_WORD:
    case TOKEN_OPEN:
        return parse_sum(p, NULL, ret);
    case TOKEN_QUOTED:
    case TOKEN_REGEX:
    case TOKEN_LIST:
    case TOKEN_AND_LIST:
    case TOKEN_EXISTS:
        *ret = make(p, SYNTAX_VALUE);
        return *ret ? lex_operator(&p->lexer, &p->token) : -ENOMEM;
    default:
        return fail(p, p->token.at, "a value is missing here", "write for example FIELD == VALUE, or FIELD == EXISTS!");
    }
}

/* `first`: what stood in parentheses, or NULL. The result is a lone sum when no comparison follows. */
static int parse_test(struct parser *p, struct syntax *first, struct syntax **ret) {
    struct syntax *left, *right;
    int code = parse_sum(p, first, &left);
    if (code < 0) {
        return code;
    }
    if (p->token.kind < TOKEN_EQ || p->token.kind > TOKEN_GE) {
        *ret = left;
        return 0;
    }
    *ret = make(p, SYNTAX_TEST);
    if (!*ret) {
        return -ENOMEM;
    }
    if (is_test(left)) {
        return fail(p, p->token.at, "a test cannot be compared", "");
    }
    (*ret)->op = (enum query_op)(p->token.kind - TOKEN_EQ);
    code = lex_operand(&p->lexer, &p->token);
    code = code < 0 ? code : parse_value(p, &right);
    if (code == 0) {
        add(*ret, left);
        add(*ret, right);
    }
    return code;
}

static int parse_group(struct parser *p, struct syntax **ret) {
    size_t at = p->token.at;
    if (++p->depth > QUERY_DEPTH_MAX) {
        return fail(p, at, "parentheses are nested too deep", "200 levels are possible");
    }
    int code = lex_operand(&p->lexer, &p->token);
    code = code < 0 ? code : parse_or(p, ret);
    code = code < 0 ? code : close_parenthesis(p, *ret);
    return code < 0 || is_test(*ret) ? code : parse_test(p, *ret, ret);
}

static int parse_unary(struct parser *p, struct syntax **ret) {
    bool negated = false, signs = false;
    int code = 0;
    while (code == 0 && p->token.kind == TOKEN_NOT) {
        negated = !negated;
        signs = true;
        code = lex_operand(&p->lexer, &p->token);
    }
    if (code < 0) {
        return code;
    }
    if (!starts_operand(&p->token)) {
        return p->token.kind == TOKEN_QUOTED
                   ? fail(p, p->token.at, "a field's name stands without quotes", "")
                   : fail(p, p->token.at, "a field's name is missing here", "write for example port == 443");
    }
    code = p->token.kind == TOKEN_OPEN ? parse_group(p, ret) : parse_test(p, NULL, ret);
    if (code == 0 && signs) {
        code = want_test(p, *ret);
    }
    if (code == 0 && negated) {
        struct syntax *negation = make(p, SYNTAX_NOT);
        if (!negation) {
            return -ENOMEM;
        }
        add(negation, *ret);
        *ret = negation;
    }
    return code;
}

/* `next` { operator `next` }; a single one is returned as it is. */
static int parse_chain(struct parser *p, enum token_kind operator, enum syntax_kind kind,
                       int (*next)(struct parser *, struct syntax **), struct syntax **ret) {
    struct syntax *list = NULL;
    int code = next(p, ret);
    while (code == 0 && p->token.kind == operator) {
        if (!list) {
            list = make(p, kind);
            code = list ? want_test(p, *ret) : -ENOMEM;
            if (code < 0) {
                return code;
            }
            add(list, *ret);
        }
        code = lex_operand(&p->lexer, &p->token);
        code = code < 0 ? code : next(p, ret);
        code = code < 0 ? code : want_test(p, *ret);
        if (code == 0) {
            add(list, *ret);
        }
    }
    if (list) {
        *ret = list;
    }
    return code;
}

static int parse_and(struct parser *p, struct syntax **ret) {
    return parse_chain(p, TOKEN_AND, SYNTAX_AND, parse_unary, ret);
}

static int parse_or(struct parser *p, struct syntax **ret) {
    return parse_chain(p, TOKEN_OR, SYNTAX_OR, parse_and, ret);
}

int syntax_parse(struct span text, struct arena *arena, struct syntax **ret, struct err *ret_err) {
    struct parser p = {.lexer = {.text = text, .err = ret_err}, .arena = arena, .err = ret_err};
    int code = lex_operand(&p.lexer, &p.token);
    code = code < 0 ? code : parse_or(&p, ret);
    if (code < 0) {
        return code;
    }
    if (p.token.kind != TOKEN_END) {
        return fail(&p, p.token.at, "this stands behind the end of the expression",
                    p.token.kind == TOKEN_CLOSE ? "there is one ) too many" : "");
    }
    return want_test(&p, *ret);
}
