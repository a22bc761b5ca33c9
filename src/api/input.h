/* input.h: what callers send, checked: texts with a length, lists of users and roles, pages, orders.
 *
 * Functions that answer false have filled the reply already. Borrowed texts are the request's. Thread: any.
 */
#ifndef SEINE_API_INPUT_H
#define SEINE_API_INPUT_H

#include "api/api.h"

/* A text; {NULL, 0} when it is not there or null. `label` names it in answers: "Name". */
bool input_text(struct call *c, const char *name, const char *label, size_t max, struct span *ret);
/* The same, and there must be one: `missing` is the answer (403). */
bool input_needed(struct call *c, const char *name, const char *label, size_t max, const char *missing,
                  struct span *ret);
/* A list of names: a JSON array of text, or one text where commas join them. */
struct input_names {
    const char *name, *label;
    bool array;
    bool users; /* names of users */
};
/* As lines. Users nobody has go to `invalid`, the others to `ret_lines`. `ret_given`: it was there. */
bool input_names(struct call *c, const struct input_names *what, struct buf *ret_lines, struct buf *invalid,
                 bool *ret_given);
/* A JSON value of the kind that `bracket` opens, as it was sent; {NULL, 0} when it is not there or null. */
bool input_json(struct call *c, const char *name, const char *label, char bracket, size_t max, struct span *ret);
/* True for true, 1 (also as text). */
bool input_flag(const struct call *c, const char *name);
bool input_whole(struct call *c, const char *name, uint64_t fallback, uint64_t max, uint64_t *ret);

/* All of `text` is a finite number. */
bool input_number(struct span text, double *ret);

struct page {
    uint64_t start, length;
    bool descending;
};
/* `start`, `length`, `desc`. */
bool input_page(struct call *c, uint64_t length, struct page *ret);
/* The part of `count` things the page shows: from *ret_from, that many. */
size_t page_part(const struct page *p, size_t count, size_t *ret_from);

/* Wildcard search as the search boxes do it: `*` any, `?` one; without either it may stand anywhere. ASCII letters are
 * compared without case. Linear in text times pattern at most. */
bool search_fits(struct span term, struct span text);

/* Milliseconds since 1970. */
int64_t input_now(void);

#endif
