/* regex.h: regular expressions over whole values, in time that cannot explode.
 *
 * Lucene's syntax (anchored at both ends, literal characters unless said): . * + ? {n,m} | ( ) [a-z] [^a-z] "\" before
 * a sign; \d \w \s and their capitals as everywhere; ^ at the start and $ at the end are allowed and mean nothing.
 * Compiled to instructions that are all run at once, letter by letter (Thompson 1968): cost of a match is at most
 * 2 * REGEX_CODE_MAX steps per letter. Immutable once made; memory from the caller's arena.
 */
#ifndef SEINE_QUERY_REGEX_H
#define SEINE_QUERY_REGEX_H

#include "base/arena.h"
#include "base/err.h"

#define REGEX_TEXT_MAX 4096
#define REGEX_CODE_MAX 2000
#define REGEX_DEPTH_MAX 100

struct regex;

/* `fold`: letters of ASCII are compared without case. -EINVAL or -E2BIG: `ret_err` has the text and, as column, the
 * place in `pattern`, from 1. */
int regex_compile(struct span pattern, bool fold, struct arena *arena, const struct regex **ret, struct err *ret_err);

/* `latin1`: each byte of the text is a letter of its own; else it is UTF-8. */
bool regex_match(const struct regex *re, struct span text, bool latin1);
/* The same; `ret_steps`: instructions looked at. */
bool regex_match_steps(const struct regex *re, struct span text, bool latin1, uint64_t *ret_steps);

#endif
