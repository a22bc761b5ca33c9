/* regex.c: see regex.h. A tree first, since {n,m} writes its part several times; then instructions. */
#include "query/regex.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "query/letter.h"

#define REPEAT_MAX 1000
#define SIGNS_MAX 4 /* repetitions of repetitions */
#define NO_END UINT32_MAX

struct range {
    uint32_t low, high;
};

struct set {
    struct range *ranges; /* once closed: in order and apart */
    uint32_t count;
    bool outside;
    uint64_t ascii[2]; /* once closed: which letters below 128 are taken, case and `outside` heeded */
};

enum tree_kind { TREE_SET, TREE_CHAIN, TREE_CHOICE, TREE_REPEAT };

struct tree {
    enum tree_kind kind;
    struct set set;
    uint32_t min, max;         /* TREE_REPEAT */
    struct tree *first, *last; /* children */
    struct tree *next;         /* of the same parent */
};

enum code_kind { CODE_SET, CODE_SPLIT, CODE_JUMP, CODE_END };

struct code {
    enum code_kind kind;
    uint16_t x, y; /* CODE_SPLIT: both ways; CODE_JUMP: x */
    struct set set;
};

struct regex {
    struct code *code;
    uint16_t count;
};

struct compiler {
    struct span pattern;
    size_t at;
    struct arena *arena;
    struct err *err;
    struct code *code;
    unsigned count, depth, work;
    bool fold;
    int failed;
};

static void fail(struct compiler *c, int code, const char *what) {
    if (c->failed == 0) {
        c->failed = err_set(c->err, code, "%s", what);
        if (c->err) {
            c->err->column = (int)c->at + 1;
        }
    }
}

static int peek(const struct compiler *c) {
    return c->failed ? -1 : span_byte(c->pattern, c->at);
}

static struct tree *grow(struct compiler *c, enum tree_kind kind) {
    struct tree *t = arena_calloc(c->arena, sizeof(*t));
    if (!t) {
        fail(c, -ENOMEM, "no memory for the regular expression");
        return NULL;
    }
    t->kind = kind;
    return t;
}

static void append(struct tree *parent, struct tree *child) {
    if (!parent || !child) {
        return;
    }
    if (parent->last) {
        parent->last->next = child;
    } else {
        parent->first = child;
    }
    parent->last = child;
}

/* --- sets --- */

#define SET_RANGES_MAX 256

static void set_add(struct compiler *c, struct set *s, uint32_t low, uint32_t high) {
    if (s->count == SET_RANGES_MAX) {
        fail(c, -E2BIG, "too many letters in one [set]");
        return;
    }
    if ((s->count & (s->count + 1)) == 0) { /* grown at 0, 1, 3, 7, ... */
        struct range *more = arena_alloc(c->arena, 2 * (s->count + 1) * sizeof(*more));
        if (!more) {
            fail(c, -ENOMEM, "no memory for the regular expression");
            return;
        }
        if (s->count) {
            memcpy(more, s->ranges, s->count * sizeof(*more));
        }
        s->ranges = more;
    }
    s->ranges[s->count++] = (struct range){low, high};
}

/* \d \w \s: true when `letter` names a class, which is added. */
static bool add_class(struct compiler *c, struct set *s, int letter) {
    switch (letter) {
    case 'd':
        set_add(c, s, '0', '9');
        return true;
    case 'w':
        set_add(c, s, '0', '9');
        set_add(c, s, 'A', 'Z');
        set_add(c, s, '_', '_');
        set_add(c, s, 'a', 'z');
        return true;
    case 's':
        set_add(c, s, '\t', '\r');
        set_add(c, s, ' ', ' ');
        return true;
    default:
        return false;
    }
}

static bool add_outside_class(struct compiler *c, struct set *s, int letter) {
    static const struct range digits[] = {{0, '0' - 1}, {'9' + 1, UINT32_MAX}};
    static const struct range words[] = {
        {0, '0' - 1}, {'9' + 1, 'A' - 1}, {'Z' + 1, '_' - 1}, {'_' + 1, 'a' - 1}, {'z' + 1, UINT32_MAX}};
    static const struct range blanks[] = {{0, '\t' - 1}, {'\r' + 1, ' ' - 1}, {' ' + 1, UINT32_MAX}};
    const struct range *list = letter == 'D' ? digits : letter == 'W' ? words : letter == 'S' ? blanks : NULL;
    size_t count = letter == 'D' ? ARRAY_LEN(digits) : letter == 'W' ? ARRAY_LEN(words) : ARRAY_LEN(blanks);
    for (size_t i = 0; list && i < count; i++) {
        set_add(c, s, list[i].low, list[i].high);
    }
    return list != NULL;
}

static bool set_has(const struct set *s, uint32_t letter) {
    uint32_t low = 0, high = s->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (letter > s->ranges[middle].high) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < s->count && letter >= s->ranges[low].low;
}

static int by_low(const void *a, const void *b) {
    const struct range *x = a, *y = b;
    return x->low < y->low ? -1 : x->low > y->low;
}

/* Orders and joins the ranges, so that a look costs the same however a set was written. */
static void set_close(struct set *s, bool fold) {
    uint32_t kept = 0;
    if (s->count) {
        qsort(s->ranges, s->count, sizeof(*s->ranges), by_low);
    }
    for (uint32_t i = 0; i < s->count; i++) {
        if (kept && s->ranges[i].low <= s->ranges[kept - 1].high) {
            s->ranges[kept - 1].high = MAX(s->ranges[kept - 1].high, s->ranges[i].high);
        } else {
            s->ranges[kept++] = s->ranges[i];
        }
    }
    s->count = kept;
    s->ascii[0] = s->ascii[1] = 0;
    for (uint32_t letter = 0; letter < 128; letter++) {
        bool word = fold && (letter | 0x20) >= 'a' && (letter | 0x20) <= 'z';
        bool hit = set_has(s, letter) || (word && set_has(s, letter ^ 0x20));
        s->ascii[letter / 64] |= (uint64_t)(hit != s->outside) << letter % 64;
    }
}

static bool set_takes(const struct set *s, uint32_t letter) {
    return letter < 128 ? s->ascii[letter / 64] >> letter % 64 & 1 : set_has(s, letter) != s->outside;
}

static uint32_t take_letter(struct compiler *c) {
    return letter_next(c->pattern, &c->at, false);
}

/* What stands behind a backslash: a class (true), or a letter. */
static bool take_escape(struct compiler *c, struct set *s, uint32_t *ret_letter) {
    int letter = peek(c);
    if (letter < 0) {
        fail(c, -EINVAL, "the regular expression ends in a backslash");
        return true;
    }
    if (add_class(c, s, letter) || add_outside_class(c, s, letter)) {
        c->at++;
        return true;
    }
    *ret_letter = take_letter(c);
    return false;
}

static struct tree *parse_set(struct compiler *c) {
    struct tree *t = grow(c, TREE_SET);
    size_t start = c->at - 1;
    if (!t) {
        return NULL;
    }
    if (peek(c) == '^') {
        t->set.outside = true;
        c->at++;
    }
    for (bool first = true; peek(c) >= 0 && (peek(c) != ']' || first); first = false) {
        uint32_t low = take_letter(c), high;
        if (low == '\\' && take_escape(c, &t->set, &low)) {
            continue;
        }
        high = low;
        if (peek(c) == '-' && span_byte(c->pattern, c->at + 1) >= 0 && span_byte(c->pattern, c->at + 1) != ']') {
            c->at++;
            high = take_letter(c);
            if (high == '\\') {
                struct set none = {0};
                (void)take_escape(c, &none, &high);
            }
        }
        if (high < low) {
            fail(c, -EINVAL, "a range in a [set] runs backwards");
        }
        set_add(c, &t->set, low, high);
    }
    if (peek(c) != ']') {
        c->at = start;
        fail(c, -EINVAL, "a [ in the regular expression is not closed");
        return NULL;
    }
    c->at++;
    set_close(&t->set, c->fold);
    return t;
}

/* --- the tree --- */

static struct tree *parse_choice(struct compiler *c);

static struct tree *parse_atom(struct compiler *c) {
    uint32_t letter = take_letter(c);
    struct tree *t;
    switch (letter) {
    case '(':
        if (++c->depth > REGEX_DEPTH_MAX) {
            fail(c, -E2BIG, "the regular expression is nested too deep");
            return NULL;
        }
        t = parse_choice(c);
        if (peek(c) != ')') {
            fail(c, -EINVAL, "a ( in the regular expression is not closed");
        }
        c->at++;
        c->depth--;
        return t;
    case '[':
        return parse_set(c);
    case '*':
    case '+':
    case '?':
    case '{':
        c->at--;
        fail(c, -EINVAL, "nothing stands before this repetition");
        return NULL;
    default:
        break;
    }
    t = grow(c, TREE_SET);
    if (!t) {
        return NULL;
    }
    if (letter == '.') {
        t->set.outside = true; /* of nothing */
    } else if (letter != '\\' || !take_escape(c, &t->set, &letter)) {
        set_add(c, &t->set, letter, letter);
    }
    set_close(&t->set, c->fold);
    return t;
}

static uint32_t parse_number(struct compiler *c) {
    size_t end = c->at;
    uint64_t value = 0;
    while (span_byte(c->pattern, end) >= '0' && span_byte(c->pattern, end) <= '9') {
        end++;
    }
    if (!span_decimal(span_sub(c->pattern, c->at, end - c->at), REPEAT_MAX, &value)) {
        fail(c, -EINVAL, "a repetition is {n}, {n,} or {n,m}, up to 1000");
    }
    c->at = end;
    return (uint32_t)value;
}

/* `{n}`, `{n,}`, `{n,m}` behind the brace. */
static void parse_braces(struct compiler *c, struct tree *t) {
    t->min = t->max = parse_number(c);
    if (peek(c) == ',') {
        c->at++;
        t->max = peek(c) == '}' ? NO_END : parse_number(c);
    }
    if (peek(c) != '}' || t->max < t->min) {
        fail(c, -EINVAL, "a repetition is {n}, {n,} or {n,m}, up to 1000");
    }
    c->at++;
}

static struct tree *parse_repeat(struct compiler *c) {
    struct tree *t = parse_atom(c);
    for (unsigned signs = 0; t; signs++) {
        int sign = peek(c);
        if (sign != '*' && sign != '+' && sign != '?' && sign != '{') {
            break;
        }
        if (signs == SIGNS_MAX) {
            fail(c, -E2BIG, "the regular expression is nested too deep");
            break;
        }
        struct tree *repeat = grow(c, TREE_REPEAT);
        c->at++;
        if (!repeat) {
            return NULL;
        }
        append(repeat, t);
        repeat->min = sign == '+';
        repeat->max = sign == '?' ? 1 : NO_END;
        if (sign == '{') {
            parse_braces(c, repeat);
        }
        t = repeat;
    }
    return t;
}

static struct tree *parse_choice(struct compiler *c) {
    struct tree *choice = grow(c, TREE_CHOICE), *chain = grow(c, TREE_CHAIN);
    append(choice, chain);
    while (peek(c) >= 0 && peek(c) != ')') {
        if (peek(c) == '|') {
            c->at++;
            chain = grow(c, TREE_CHAIN);
            append(choice, chain);
        } else {
            append(chain, parse_repeat(c));
        }
    }
    return choice;
}

/* --- instructions --- */

static void emit_tree(struct compiler *c, const struct tree *t);

static unsigned emit(struct compiler *c, enum code_kind kind) {
    if (c->count == REGEX_CODE_MAX) {
        fail(c, -E2BIG, "the regular expression is too big");
        return 0;
    }
    c->code[c->count] = (struct code){.kind = kind};
    return c->count++;
}

static void emit_choice(struct compiler *c, const struct tree *t) {
    unsigned ends = 0; /* chain of jumps to the end, through x; 0: none (a jump is never the first instruction) */
    for (const struct tree *child = t->first; child && !c->failed; child = child->next) {
        if (!child->next) {
            emit_tree(c, child);
            break;
        }
        unsigned split = emit(c, CODE_SPLIT);
        c->code[split].x = (uint16_t)c->count;
        emit_tree(c, child);
        unsigned jump = emit(c, CODE_JUMP);
        c->code[jump].x = (uint16_t)ends;
        ends = jump;
        c->code[split].y = (uint16_t)c->count;
    }
    while (ends && !c->failed) {
        unsigned next = c->code[ends].x;
        c->code[ends].x = (uint16_t)c->count;
        ends = next;
    }
}

static void emit_repeat(struct compiler *c, const struct tree *t) {
    for (uint32_t i = 0; i < t->min && !c->failed; i++) {
        emit_tree(c, t->first);
    }
    if (t->max == NO_END) {
        unsigned split = emit(c, CODE_SPLIT);
        c->code[split].x = (uint16_t)c->count;
        emit_tree(c, t->first);
        unsigned jump = emit(c, CODE_JUMP);
        c->code[jump].x = (uint16_t)split;
        c->code[split].y = (uint16_t)c->count;
        return;
    }
    for (uint32_t i = t->min; i < t->max && !c->failed; i++) {
        unsigned split = emit(c, CODE_SPLIT);
        c->code[split].x = (uint16_t)c->count;
        emit_tree(c, t->first);
        c->code[split].y = (uint16_t)c->count;
    }
}

static void emit_tree(struct compiler *c, const struct tree *t) {
    if (c->failed || ++c->work > 100 * REGEX_CODE_MAX) { /* repetitions of nothing write nothing */
        fail(c, -E2BIG, "the regular expression is too big");
        return;
    }
    switch (t->kind) {
    case TREE_SET: {
        unsigned at = emit(c, CODE_SET);
        c->code[at].set = t->set;
        break;
    }
    case TREE_CHAIN:
        for (const struct tree *child = t->first; child && !c->failed; child = child->next) {
            emit_tree(c, child);
        }
        break;
    case TREE_CHOICE:
        emit_choice(c, t);
        break;
    case TREE_REPEAT:
        emit_repeat(c, t);
        break;
    }
}

/* The instructions leave the workbench for memory of their own size. */
static void keep_code(struct compiler *c, const struct regex **ret) {
    struct regex *re = c->failed ? NULL : arena_calloc(c->arena, sizeof(*re));
    struct code *exact = c->failed ? NULL : arena_alloc(c->arena, (c->count + 1) * sizeof(*exact));
    if (!re || !exact) {
        fail(c, -ENOMEM, "no memory for the regular expression");
        return;
    }
    c->code[c->count++] = (struct code){.kind = CODE_END};
    memcpy(exact, c->code, c->count * sizeof(*exact));
    *re = (struct regex){exact, (uint16_t)c->count};
    *ret = re;
}

int regex_compile(struct span pattern, bool fold, struct arena *arena, const struct regex **ret, struct err *ret_err) {
    struct compiler c = {.pattern = pattern, .arena = arena, .err = ret_err, .fold = fold};
    if (pattern.len > REGEX_TEXT_MAX) {
        return err_set(ret_err, -E2BIG, "the regular expression is longer than %d bytes", REGEX_TEXT_MAX);
    }
    if (span_byte(c.pattern, 0) == '^') {
        c.at = 1;
    }
    if (c.pattern.len > c.at && span_ends(c.pattern, SPAN_LITERAL("$")) && !span_ends(c.pattern, SPAN_LITERAL("\\$"))) {
        c.pattern.len--;
    }
    struct tree *t = parse_choice(&c);
    if (!c.failed && c.at < c.pattern.len) {
        fail(&c, -EINVAL, "a ) in the regular expression closes nothing");
    }
    c.code = c.failed ? NULL : malloc((REGEX_CODE_MAX + 1) * sizeof(*c.code));
    if (!t || !c.code) {
        fail(&c, -ENOMEM, "no memory for the regular expression");
        return c.failed;
    }
    emit_tree(&c, t);
    keep_code(&c, ret);
    free(c.code);
    return c.failed;
}

/* --- matching --- */

struct states {
    uint16_t list[REGEX_CODE_MAX + 1];
    unsigned count;
};

struct run {
    const struct regex *re;
    struct states now, next;
    uint16_t waiting[REGEX_CODE_MAX + 1]; /* instructions yet to be followed */
    uint32_t seen[REGEX_CODE_MAX + 1];    /* the step in which an instruction was reached last */
    uint32_t step;
    uint64_t work; /* instructions looked at */
};

static void reach_one(struct run *r, unsigned at, unsigned *waiting) {
    if (r->seen[at] != r->step) {
        r->seen[at] = r->step;
        r->waiting[(*waiting)++] = (uint16_t)at;
    }
}

/* Adds `at` and all that can be reached from it without a letter. */
static void reach(struct run *r, struct states *s, unsigned at) {
    unsigned waiting = 0;
    reach_one(r, at, &waiting);
    while (waiting) {
        at = r->waiting[--waiting];
        r->work++;
        const struct code *c = &r->re->code[at];
        if (c->kind == CODE_SPLIT || c->kind == CODE_JUMP) {
            reach_one(r, c->x, &waiting);
            if (c->kind == CODE_SPLIT) {
                reach_one(r, c->y, &waiting);
            }
        } else {
            s->list[s->count++] = (uint16_t)at;
        }
    }
}

bool regex_match_steps(const struct regex *re, struct span text, bool latin1, uint64_t *ret_steps) {
    struct run r;
    r.re = re;
    r.step = 1;
    r.work = 0;
    r.now.count = 0;
    memset(r.seen, 0, re->count * sizeof(r.seen[0]));
    reach(&r, &r.now, 0);
    for (size_t at = 0; at < text.len && r.now.count;) {
        uint32_t letter = letter_next(text, &at, latin1);
        r.next.count = 0;
        r.step++;
        r.work += r.now.count;
        for (unsigned i = 0; i < r.now.count; i++) {
            const struct code *c = &re->code[r.now.list[i]];
            if (c->kind == CODE_SET && set_takes(&c->set, letter)) {
                reach(&r, &r.next, r.now.list[i] + 1u);
            }
        }
        memcpy(r.now.list, r.next.list, r.next.count * sizeof(r.next.list[0]));
        r.now.count = r.next.count;
    }
    *ret_steps = r.work;
    for (unsigned i = 0; i < r.now.count; i++) {
        if (re->code[r.now.list[i]].kind == CODE_END) {
            return true;
        }
    }
    return false;
}

bool regex_match(const struct regex *re, struct span text, bool latin1) {
    uint64_t steps;
    return regex_match_steps(re, text, latin1, &steps);
}
