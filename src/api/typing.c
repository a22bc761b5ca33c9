/* typing.c: see typing.h. Follows the grammar loosely: what is being typed is never a whole expression. */
#include "api/typing.h"

struct scan {
    struct span text;
    size_t at, end; /* end: the cursor */
    struct typing_place *place;
};

static bool is_blank(int c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word(int c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c > 0 && strchr("-+_.@:*?/$", c));
}

static bool is_operator(int c) {
    return c == '=' || c == '!' || c == '<' || c == '>';
}

bool typing_needs_quotes(struct span value) {
    for (size_t i = 0; i < value.len; i++) {
        if (!is_word(value.at[i]) || value.at[i] == '*' || value.at[i] == '?' || value.at[i] == '/') {
            return true;
        }
    }
    return value.len == 0 || value.at[0] == '$' || value.at[0] == '-' || value.at[0] == '+';
}

static void skip_blanks(struct scan *s) {
    while (s->at < s->end && is_blank(s->text.at[s->at])) {
        s->at++;
    }
}

/* The cursor is inside or right behind what begins at `from`. True: the search is over. */
static bool here(struct scan *s, enum typed what, size_t from, bool (*goes_on)(int c)) {
    if (s->at < s->end) {
        return false;
    }
    struct typing_place *p = s->place;
    p->what = what;
    p->from = from;
    p->to = s->end;
    p->prefix = span_sub(s->text, from, s->end - from);
    while (goes_on && p->to < s->text.len && goes_on(s->text.at[p->to])) {
        p->to++;
    }
    return true;
}

static bool take_run(struct scan *s, enum typed what, bool (*belongs)(int c)) {
    size_t from = s->at;
    while (s->at < s->end && belongs(s->text.at[s->at])) {
        s->at++;
    }
    return here(s, what, from, belongs);
}

/* Behind the unescaped `end`, or at the cursor. */
static bool skip_enclosed(struct scan *s, uint8_t end) {
    for (s->at++; s->at < s->end; s->at++) {
        if (s->text.at[s->at] == '\\') {
            s->at++;
        } else if (s->text.at[s->at] == end) {
            s->at++;
            return true;
        }
    }
    s->at = s->end;
    return false;
}

/* A quoted value; true when the cursor is inside it. */
static bool take_quoted(struct scan *s) {
    size_t from = s->at;
    if (skip_enclosed(s, '"')) {
        return false;
    }
    (void)here(s, TYPED_VALUE, from, NULL);
    s->place->quoted = true;
    s->place->prefix = span_sub(s->text, from + 1, s->end - from - 1);
    size_t close = span_find_byte(s->text, s->end, '"');
    s->place->to = close == SPAN_NONE ? s->end : close + 1;
    return true;
}

static bool take_list(struct scan *s, uint8_t end) {
    s->at++;
    for (;;) {
        skip_blanks(s);
        size_t from = s->at;
        s->place->listed = true;
        if (here(s, TYPED_VALUE, from, is_word)) {
            return true;
        }
        int c = s->text.at[s->at];
        if (c == end) {
            s->at++;
            s->place->listed = false;
            return false;
        }
        if (c == '"' ? take_quoted(s) : is_word(c) && take_run(s, TYPED_VALUE, is_word)) {
            return true;
        }
        if (s->at == from) {
            s->at++; /* a comma, or what does not belong here */
        }
    }
}

/* True when the cursor is in it. */
static bool take_value(struct scan *s) {
    if (here(s, TYPED_VALUE, s->at, is_word)) {
        return true;
    }
    size_t from = s->at;
    switch (s->text.at[s->at]) {
    case '"':
        return take_quoted(s);
    case '[':
        return take_list(s, ']');
    case ']':
        return take_list(s, '[');
    case '/':
        if (!skip_enclosed(s, '/')) {
            *s->place = (struct typing_place){.what = TYPED_NOTHING, .from = s->end, .to = s->end};
            return true;
        }
        return false;
    default:
        if (take_run(s, TYPED_VALUE, is_word)) {
            return true;
        }
        s->at += s->at == from;
        return false;
    }
}

static bool is_connective(int c) {
    return c == '&' || c == '|';
}

void typing_find(struct span text, size_t cursor, struct typing_place *ret) {
    *ret = (struct typing_place){.what = TYPED_NOTHING};
    struct scan s = {.text = text, .end = cursor < text.len ? cursor : text.len, .place = ret};
    for (;;) {
        skip_blanks(&s);
        while (s.at < s.end && (text.at[s.at] == '(' || text.at[s.at] == '!')) {
            s.at++;
            skip_blanks(&s);
        }
        size_t from = s.at;
        if (take_run(&s, TYPED_FIELD, is_word)) {
            return;
        }
        ret->field = span_sub(text, from, s.at - from);
        skip_blanks(&s);
        if (take_run(&s, TYPED_OPERATOR, is_operator)) {
            return;
        }
        skip_blanks(&s);
        if (take_value(&s)) {
            return;
        }
        skip_blanks(&s);
        while (s.at < s.end && (text.at[s.at] == ')' || is_blank(text.at[s.at]))) {
            s.at++;
        }
        if (take_run(&s, TYPED_CONNECTIVE, is_connective)) {
            return;
        }
        if (s.at == from) {
            return; /* what is no expression */
        }
    }
}
