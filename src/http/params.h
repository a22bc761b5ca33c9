/* params.h: parameters of a request: of a query, of an urlencoded body, of the members of a JSON object.
 *
 * Owner: caller; names and values are the list's, each followed by a NUL. Thread: one while it is filled. Cost: a
 * look-up walks the list. Failure: -EINVAL for JSON that is none, -E2BIG beyond PARAMS_MAX, -ENOMEM.
 */
#ifndef SEINE_HTTP_PARAMS_H
#define SEINE_HTTP_PARAMS_H

#include "base/span.h"

#define PARAMS_MAX 1000u

struct param {
    char *name;
    char *value;
    size_t len;
    bool json; /* array, object, number or truth value of a JSON body, as it stands there */
};

struct params {
    struct param *list;
    size_t count, cap;
};

void params_done(struct params *p);
/* `a=1&b=%20x+y`; a name that comes again adds its value behind a comma. */
int params_add_query(struct params *p, struct span text);
/* The members of a JSON object (RFC 8259); null counts as not there. Another value than an object gives no parameters.
 */
int params_add_json(struct params *p, struct span text);
const struct param *params_find(const struct params *p, const char *name);

/* Percent-decoding (RFC 3986) in place; returns the new length, or SPAN_NONE when a `%` is not followed by two digits
 * and `strict`. `plus`: a plus sign is a space. */
size_t percent_decode(char *text, size_t len, bool plus, bool strict);

#endif
