/* lex.c: see lex.h. Words are what Arkime allows (letters, digits and - + _ . @ : * ? / $), and anything beyond ASCII.
 */
#include "query/lex.h"

#include <errno.h>

static bool is_blank(int c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(int c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c > 0 && strchr("-+_.@:*?/$", c));
}

static void skip_blanks(struct lexer *l) {
    while (is_blank(span_byte(l->text, l->at))) {
        l->at++;
    }
}

/* Offset of the first `end` at or after `from` without a backslash before it, or SPAN_NONE. */
static size_t find_end(struct span text, size_t from, uint8_t end) {
    for (size_t i = from; i < text.len; i++) {
        if (text.at[i] == '\\') {
            i++;
        } else if (text.at[i] == end) {
            return i;
        }
    }
    return SPAN_NONE;
}

static int fail(struct lexer *l, size_t at, const char *what, const char *hint) {
    (void)err_set(l->err, -EINVAL, "%s", what);
    if (l->err) {
        l->err->column = (int)at + 1;
    }
    err_hint(l->err, "%s", hint);
    return -EINVAL;
}

static int unexpected(struct lexer *l, size_t at) {
    char what[32] = "unexpected \" \"";
    uint8_t c = l->text.at[at];
    if (c >= ' ' && c < 0x7f) {
        what[12] = (char)c;
    }
    return fail(l, at, what, "text with blanks or signs stands in \"quotes\"");
}

static void take(struct lexer *l, struct token *t, enum token_kind kind, size_t from, size_t len, size_t end) {
    t->kind = kind;
    t->text = span_sub(l->text, from, len);
    l->at = end;
}

static int lex_enclosed(struct lexer *l, struct token *t, enum token_kind kind, char end) {
    static const char *const missing[] = {
        [TOKEN_QUOTED] = "the quotes are not closed",
        [TOKEN_LIST] = "the list is not closed: ] is missing",
        [TOKEN_AND_LIST] = "the list is not closed: [ is missing",
    };
    size_t close = SPAN_NONE;
    if (kind == TOKEN_QUOTED) {
        close = find_end(l->text, t->at + 1, (uint8_t)end);
    } else {
        struct span rest = span_from(l->text, t->at + 1);
        struct token item;
        size_t at = 0;
        while (lex_item(rest, &at, &item)) {
        }
        close = span_byte(rest, at) == end ? t->at + 1 + at : SPAN_NONE;
    }
    if (close == SPAN_NONE) {
        return fail(l, t->at, missing[kind], "");
    }
    take(l, t, kind, t->at + 1, close - t->at - 1, close + 1);
    return 0;
}

static int lex_word(struct lexer *l, struct token *t) {
    size_t end = t->at;
    while (is_word(span_byte(l->text, end))) {
        end++;
    }
    if (l->text.at[t->at] == '/') {
        size_t close = find_end(l->text, t->at + 1, '/');
        if (close != SPAN_NONE && close + 1 >= end) {
            take(l, t, TOKEN_REGEX, t->at + 1, close - t->at - 1, close + 1);
            return 0;
        }
    }
    struct span word = span_sub(l->text, t->at, end - t->at);
    if (span_is(word, "EXISTS") && span_byte(l->text, end) == '!') {
        take(l, t, TOKEN_EXISTS, t->at, end + 1 - t->at, end + 1);
        return 0;
    }
    take(l, t, TOKEN_WORD, t->at, end - t->at, end);
    return 0;
}

int lex_operand(struct lexer *l, struct token *ret) {
    skip_blanks(l);
    *ret = (struct token){.at = l->at};
    int c = span_byte(l->text, l->at);
    switch (c) {
    case -1:
        return 0;
    case '(':
        take(l, ret, TOKEN_OPEN, l->at, 1, l->at + 1);
        return 0;
    case ')':
        take(l, ret, TOKEN_CLOSE, l->at, 1, l->at + 1);
        return 0;
    case '!':
        take(l, ret, TOKEN_NOT, l->at, 1, l->at + 1);
        return 0;
    case '"':
        return lex_enclosed(l, ret, TOKEN_QUOTED, '"');
    case '[':
        return lex_enclosed(l, ret, TOKEN_LIST, ']');
    case ']':
        return lex_enclosed(l, ret, TOKEN_AND_LIST, '[');
    default:
        return is_word(c) ? lex_word(l, ret) : unexpected(l, l->at);
    }
}

static const struct {
    char text[3];
    uint8_t kind;
} operators[] = {
    {"&&", TOKEN_AND},  {"||", TOKEN_OR},   {"==", TOKEN_EQ},  {"!=", TOKEN_NE},   {"<=", TOKEN_LE}, {">=", TOKEN_GE},
    {"&", TOKEN_AND},   {"|", TOKEN_OR},    {"=", TOKEN_EQ},   {"<", TOKEN_LT},    {">", TOKEN_GT},  {"+", TOKEN_PLUS},
    {"-", TOKEN_MINUS}, {"*", TOKEN_TIMES}, {"/", TOKEN_OVER}, {")", TOKEN_CLOSE},
};

int lex_operator(struct lexer *l, struct token *ret) {
    skip_blanks(l);
    *ret = (struct token){.at = l->at};
    if (l->at >= l->text.len) {
        return 0;
    }
    struct span rest = span_from(l->text, l->at);
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        struct span text = span_text(operators[i].text);
        if (span_starts(rest, text)) {
            take(l, ret, operators[i].kind, l->at, text.len, l->at + text.len);
            return 0;
        }
    }
    if (is_word(rest.at[0]) || rest.at[0] == '"') {
        return fail(l, l->at, "an operator is missing here",
                    "text with blanks stands in \"quotes\"; && joins two tests");
    }
    return unexpected(l, l->at);
}

/* --- lists --- */

static bool ends_item(struct span list, size_t at) {
    while (is_blank(span_byte(list, at))) {
        at++;
    }
    int c = span_byte(list, at);
    return c < 0 || c == ',' || c == ']' || c == '[';
}

static void trim_item(struct token *t) {
    while (t->text.len && is_blank(t->text.at[t->text.len - 1])) {
        t->text.len--;
    }
}

bool lex_item(struct span list, size_t *at, struct token *ret) {
    while (is_blank(span_byte(list, *at)) || span_byte(list, *at) == ',') {
        ++*at;
    }
    size_t from = *at;
    int c = span_byte(list, from);
    if (c < 0 || c == ']' || c == '[') {
        return false;
    }
    *ret = (struct token){.kind = TOKEN_WORD, .at = from};
    if (c == '"' || c == '/') {
        size_t close = find_end(list, from + 1, (uint8_t)c);
        if (close != SPAN_NONE && ends_item(list, close + 1)) {
            ret->kind = c == '"' ? TOKEN_QUOTED : TOKEN_REGEX;
            ret->text = span_sub(list, from + 1, close - from - 1);
            *at = close + 1;
            return true;
        }
    }
    size_t end = from;
    while (end < list.len && list.at[end] != ',' && list.at[end] != ']' && list.at[end] != '[') {
        end += list.at[end] == '\\' ? 2 : 1;
    }
    *at = end < list.len ? end : list.len;
    ret->text = span_sub(list, from, *at - from);
    trim_item(ret);
    return true;
}
