/* parse.h: an expression as written: tests joined by &&, ||, !; names and values not yet looked at.
 *
 * Memory comes from the caller's arena; text is borrowed from the expression. Depth is at most QUERY_DEPTH_MAX.
 */
#ifndef SEINE_QUERY_PARSE_H
#define SEINE_QUERY_PARSE_H

#include "base/arena.h"
#include "query/ast.h"
#include "query/lex.h"

enum syntax_kind {
    SYNTAX_AND,
    SYNTAX_OR,
    SYNTAX_NOT,
    SYNTAX_TEST,  /* first op second */
    SYNTAX_SUM,   /* first sign second; `token` is the sign */
    SYNTAX_VALUE, /* token: a word, quoted text, regex, list or EXISTS! */
};

struct syntax {
    enum syntax_kind kind;
    enum query_op op;
    bool enclosed; /* in parentheses */
    struct token token;
    struct syntax *first, *last, *next; /* children, and the next child of the same parent */
    size_t count;
    unsigned depth; /* SYNTAX_SUM: signs above each other */
};

int syntax_parse(struct span text, struct arena *arena, struct syntax **ret, struct err *ret_err);

#endif
