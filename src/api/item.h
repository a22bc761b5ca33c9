/* item.h: a session as an item of an answer: chosen fields, nested or with dotted keys.
 *
 * Single-valued fields are written as values, all others as arrays; objects (certificates, answers) as arrays of
 * objects.
 *
 * Owner: the endpoint's stack. Thread: one. Cost: about 50 ns a field that is asked for, 20 ns a value. Failure: that
 * of the output buf.
 */
#ifndef SEINE_API_ITEM_H
#define SEINE_API_ITEM_H

#include "api/ask.h"

struct item_field {
    const struct field *field;
    bool count; /* the number of its values, not these */
    bool id;    /* the session's id: no field */
};

struct items {
    struct ask *ask;
    struct item_field *fields;
    size_t field_count;
    bool flatten;
    struct restorer *restorer;
    struct file_names *files;
};

struct items_choice {
    const char *fallback;
    const char *const *always;
    bool in_order;
};
/* The fields that the parameter `fields` names (unknown ones are left out), and `always` (NULL ends) with them; without
 * it those of `fallback` (a comma list). `in_order`: they stay in
 * the order of the names, for tables; else they get into writing order. */
int items_open(struct items *it, struct ask *a, const struct items_choice *choice);
/* All fields there are. */
int items_open_all(struct items *it, struct ask *a);
void items_close(struct items *it);

/* Writes one session as a JSON object. */
int items_write(struct items *it, const struct search_row *row, struct json *j);

/* Names of capture files by number, read once. */
struct file_names;
struct file_names *file_names_new(struct control *c); /* NULL: no memory, or the database can not be read */
struct file_names *file_names_free(struct file_names *f);
const char *file_names_at(const struct file_names *f, size_t i);         /* one after the other; NULL behind the last */
const char *file_names_get(const struct file_names *f, uint32_t number); /* NULL: not known */
uint64_t file_names_size(const struct file_names *f, uint32_t number);   /* 0: not known */
int64_t file_names_modified(const struct file_names *f, uint32_t number); /* s since 1970; 0: not known */

/* Name of an IP protocol, or its number as text in `ret`. */
const char *ip_protocol_text(uint64_t number, char ret[24]);
/* A value as expressions hold it: in quotes, with escapes, where it must be. */
void value_quote(struct span value, struct buf *out);

#endif
