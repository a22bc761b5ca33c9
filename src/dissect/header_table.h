/* header_table.h: names of header lines a dissector has an interest in, with those the configuration adds.
 *
 * A section such as [headers-http-request] has lines `name=type:string;count:true;unique:false`: each makes a field.
 * Owner: the dissector's `prepare` makes it, its `release` frees it. Thread: any once made. Cost: one hash of the
 * folded name. Failure: -EINVAL with line and reason for a line that makes no sense, -ENOMEM, -E2BIG beyond
 * HEADER_TABLE_MAX.
 */
#ifndef SEINE_DISSECT_HEADER_TABLE_H
#define SEINE_DISSECT_HEADER_TABLE_H

#include "dissect/dissector.h"

#define HEADER_TABLE_MAX 1024
#define HEADER_NAME_MAX 128

struct header_rule {
    const char *name; /* lower case */
    uint8_t len;
    uint8_t group;  /* the caller's: requests, responses, ... */
    uint8_t use;    /* the caller's: what to do with it; 0 = none */
    uint8_t type;   /* of the field: enum field_type */
    uint16_t field; /* registry id, or FIELD_NONE */
};

struct header_table;

struct header_table *header_table_new(void);
struct header_table *header_table_free(struct header_table *t);

/* A name of the program's own: constant text in lower case. */
int header_table_add(struct header_table *t, unsigned group, const char *name, unsigned use);

/* How the fields of a section are called. */
struct header_family {
    const char *section;    /* "headers-http-request" */
    const char *path;       /* "http.request-": the header's name follows */
    const char *expression; /* "http.request." */
    const char *title;      /* "Request Header " */
    const char *owner;      /* protocol whose section this is */
};
int header_table_configure(struct header_table *t, unsigned group, const struct header_family *family,
                           struct dissect_setup *setup, struct err *ret_err);

/* NULL when nobody asked for it. `name` in any case. */
const struct header_rule *header_table_find(const struct header_table *t, unsigned group, struct span name);

/* Puts a value into the rule's field as its type wants it. False when the text is none of that type. */
bool header_rule_put(struct dissect *d, const struct header_rule *rule, struct span value);

#endif
