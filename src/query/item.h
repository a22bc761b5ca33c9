/* item.h: what stands right of an operator, typed by the field it is compared with.
 *
 * Memory from the typing's arena. Failure: -EINVAL with the column of the value.
 */
#ifndef SEINE_QUERY_ITEM_H
#define SEINE_QUERY_ITEM_H

#include "base/arena.h"
#include "query/ast.h"
#include "query/lex.h"

struct typing {
    struct span text; /* the expression; columns are counted from its begin */
    const struct registry *registry;
    struct arena *arena;
    int64_t now; /* ms since 1970 */
    struct err *err;
    const struct query_names *names; /* may be NULL */
    unsigned depth;                  /* views around the text */
    unsigned *lookups;               /* names of the outside met so far */
};

/* Says what is wrong with `where`, a part of the expression; returns -EINVAL. */
int typing_fail(const struct typing *t, struct span where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum query_class query_field_class(const struct query_field *f);
bool query_field_folds(const struct query_field *f);

/* The item a word, quoted text or regex stands for. For anything but == and != the item is the side of the value that
 * `op` means. */
int item_make(const struct typing *t, const struct query_field *f, enum query_op op, const struct token *token,
              struct query_item *ret);

/* `text` as a number, with its unit; false when it is none. `ret_unit`: 's' a duration (in seconds), 'b' a size, 0. */
bool number_parse(struct span text, long double *ret, char *ret_unit);
/* The milliseconds a date or relative time covers. */
bool time_parse(struct span text, int64_t now, int64_t *ret_low, int64_t *ret_high);
/* An address, network, range, port or family. NULL, or what is wrong. */
const char *address_parse(struct span text, struct query_item *ret);

/* Text that a text field is compared with: transformed as the field's values are. */
int text_item(const struct typing *t, const struct query_field *f, struct span text, bool quoted,
              struct query_item *ret);
/* Text that means itself, whatever signs are in it. */
int text_literal(const struct typing *t, const struct query_field *f, struct span text, struct query_item *ret);
bool has_wildcard(struct span text); /* an `*` without a backslash before it */
bool wildcard_match(struct span pattern, struct span text, bool fold, bool latin1);
/* The same; `ret_steps`: letters looked at, at most those of the text times those between two stars of the pattern. */
bool wildcard_match_steps(struct span pattern, struct span text, bool fold, bool latin1, uint64_t *ret_steps);
/* The next word of `text`, from `*at` on: letters, digits, _ and anything beyond ASCII. */
bool word_next(struct span text, size_t *at, struct span *ret);

#endif
