/* text.c: text values: escapes, wildcards, words, and the changes Arkime makes to hosts, URIs and MAC addresses before
 * it compares them.
 *
 * A backslash means itself (shares and paths are full of them) unless it stands before a quote, wildcard, comma,
 * bracket or slash.
 */
#include <errno.h>

#include "base/util.h"
#include "query/item.h"
#include "query/letter.h"

#define WILDCARD_MAX 4096

static bool is_escaped(struct span s, size_t at, bool wildcard) {
    int c = s.at[at] == '\\' ? span_byte(s, at + 1) : -1;
    return c == '"' || c == ',' || c == '[' || c == ']' || c == '/' || (!wildcard && (c == '*' || c == '?'));
}

static struct span unescape(struct arena *arena, struct span s, bool wildcard) {
    uint8_t *to = arena_alloc(arena, s.len + 1);
    size_t len = 0;
    for (size_t i = 0; to && i < s.len; i++) {
        i += is_escaped(s, i, wildcard);
        to[len++] = s.at[i];
    }
    return span_make(to, to ? len : 0);
}

bool has_wildcard(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '\\' && (span_byte(s, i + 1) == '*' || span_byte(s, i + 1) == '?')) {
            i++;
        } else if (s.at[i] == '*') {
            return true;
        }
    }
    return false;
}

static struct span strip_scheme(struct span s) {
    size_t at = 0;
    while (at < s.len &&
           (((s.at[at] | 0x20) >= 'a' && (s.at[at] | 0x20) <= 'z') || (at && strchr("0123456789+.-", s.at[at])))) {
        at++;
    }
    return at && span_starts(span_from(s, at), SPAN_LITERAL("://")) ? span_from(s, at + 3) : s;
}

static struct span transform(const struct query_field *f, struct span s) {
    const char *name = f->field ? f->field->def->name : NULL;
    if (!name) {
        return s;
    }
    if (strcmp(name, "http.uri") == 0) {
        return strip_scheme(s);
    }
    if (strncmp(name, "host.", 5) == 0 || span_ends(span_text(name), SPAN_LITERAL(".host"))) {
        s = strip_scheme(s);
        size_t slash = span_find_byte(s, 0, '/');
        return slash == SPAN_NONE ? s : span_sub(s, 0, slash);
    }
    return s;
}

static void dashes_to_colons(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] == '-') {
            ((uint8_t *)s.at)[i] = ':'; /* our own copy */
        }
    }
}

bool word_next(struct span text, size_t *at, struct span *ret) {
    size_t from = *at, end;
    for (;; from++) {
        int c = span_byte(text, from);
        if (c < 0) {
            *at = from;
            return false;
        }
        if (c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) {
            break;
        }
    }
    for (end = from; end < text.len; end++) {
        int c = text.at[end];
        if (!(c >= 0x80 || c == '_' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))) {
            break;
        }
    }
    *at = end;
    *ret = span_sub(text, from, end - from);
    return true;
}

static int words_item(const struct typing *t, struct span text, struct query_item *ret) {
    struct span word;
    size_t count = 0;
    for (size_t at = 0; word_next(text, &at, &word);) {
        count++;
    }
    ret->kind = ITEM_TOKENS;
    ret->words.list = arena_alloc(t->arena, (count + 1) * sizeof(word));
    ret->words.count = 0;
    if (!ret->words.list) {
        return -ENOMEM;
    }
    for (size_t at = 0; word_next(text, &at, &word);) {
        ret->words.list[ret->words.count++] = word;
    }
    return 0;
}

/* What a field's values are compared with, from our own copy of the text. */
static int whole_item(const struct typing *t, const struct query_field *f, struct span copy, struct query_item *ret) {
    enum query_class class = query_field_class(f);
    if (class == CLASS_MAC) {
        dashes_to_colons(copy);
    }
    ret->fold = query_field_folds(f);
    ret->written = copy;
    ret->kind = ITEM_TEXT;
    ret->text = copy;
    return class == CLASS_TOKENS ? words_item(t, copy, ret) : 0;
}

int text_literal(const struct typing *t, const struct query_field *f, struct span text, struct query_item *ret) {
    struct span copy = arena_copy(t->arena, text);
    ret->quoted = true;
    return copy.at || text.len == 0 ? whole_item(t, f, copy, ret) : -ENOMEM;
}

/* `3@240226-...` is what other programs call a session. */
static struct span strip_prefix(struct span s) {
    size_t at = span_find_byte(s, 0, '@');
    return at == SPAN_NONE ? s : span_from(s, at + 1);
}

int text_item(const struct typing *t, const struct query_field *f, struct span text, bool quoted,
              struct query_item *ret) {
    bool wildcard = has_wildcard(text);
    if (wildcard && text.len > WILDCARD_MAX) {
        return typing_fail(t, text, "the wildcard is longer than %d bytes", WILDCARD_MAX);
    }
    if (!quoted && text.len > 2 && text.at[0] == '/' && text.at[text.len - 1] == '/') {
        (void)typing_fail(t, text, "Must back slash any forward slashes in regexp query - %.*s",
                          (int)MIN(text.len, (size_t)100), (const char *)text.at);
        err_hint(t->err, "a text that begins and ends with / stands in \"quotes\"");
        return -EINVAL;
    }
    struct span copy = unescape(t->arena, text, wildcard);
    if (!copy.at) {
        return -ENOMEM;
    }
    copy = f->access == ACCESS_ID ? strip_prefix(copy) : transform(f, copy);
    ret->quoted = quoted;
    int code = whole_item(t, f, copy, ret);
    if (wildcard) {
        ret->kind = ITEM_WILDCARD;
        ret->text = copy;
    }
    return code;
}

/* One letter of the pattern at `*p`, which moves on; true when it takes `letter`. */
static bool takes(struct span pattern, size_t *p, uint32_t letter, bool fold) {
    uint32_t want = letter_next(pattern, p, false);
    if (want == '?') {
        return true;
    }
    if (want == '\\' && (span_byte(pattern, *p) == '*' || span_byte(pattern, *p) == '?')) {
        want = letter_next(pattern, p, false);
    }
    return fold ? letter_fold(want) == letter_fold(letter) : want == letter;
}

/* Goes back to the newest star only: time is the product of both lengths at most. */
bool wildcard_match_steps(struct span pattern, struct span text, bool fold, bool latin1, uint64_t *ret_steps) {
    size_t p = 0, at = 0, star = SPAN_NONE, from = 0;
    *ret_steps = 0;
    while (at < text.len) {
        ++*ret_steps;
        if (span_byte(pattern, p) == '*') {
            star = ++p;
            from = at;
            continue;
        }
        size_t next = at;
        uint32_t letter = letter_next(text, &next, latin1);
        if (p < pattern.len && takes(pattern, &p, letter, fold)) {
            at = next;
        } else if (star != SPAN_NONE) {
            p = star;
            (void)letter_next(text, &from, latin1);
            at = from;
        } else {
            return false;
        }
    }
    while (span_byte(pattern, p) == '*') {
        p++;
    }
    return p == pattern.len;
}

bool wildcard_match(struct span pattern, struct span text, bool fold, bool latin1) {
    uint64_t steps;
    return wildcard_match_steps(pattern, text, fold, latin1, &steps);
}
