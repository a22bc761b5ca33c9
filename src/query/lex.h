/* lex.h: cuts an expression into tokens; the parser says whether an operand or an operator comes next, because `/`, `*`
 * and `-` mean different things there. No memory of its own; tokens borrow the text. */
#ifndef SEINE_QUERY_LEX_H
#define SEINE_QUERY_LEX_H

#include "base/err.h"
#include "base/span.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_QUOTED, /* text: between the quotes, escapes as written */
    TOKEN_REGEX,  /* text: between the slashes */
    TOKEN_LIST,   /* text: between the brackets */
    TOKEN_AND_LIST,
    TOKEN_EXISTS,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LT,
    TOKEN_LE,
    TOKEN_GT,
    TOKEN_GE,
    TOKEN_PLUS,
    TOKEN_MINUS,
    TOKEN_TIMES,
    TOKEN_OVER,
};

struct token {
    enum token_kind kind;
    struct span text;
    size_t at; /* offset in the expression */
};

struct lexer {
    struct span text;
    size_t at;
    struct err *err;
};

int lex_operand(struct lexer *l, struct token *ret);
int lex_operator(struct lexer *l, struct token *ret);

/* Cuts the next item off the inside of a list; `*at` moves on. False at the end. Kinds: WORD, QUOTED, REGEX. */
bool lex_item(struct span list, size_t *at, struct token *ret);

#endif
