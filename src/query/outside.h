/* outside.h: what an expression names that is no field: capture files, views, shortcuts; and what a user may not see.
 *
 * Owner: the caller of query_parse_with; nothing of it is used afterwards. Thread: that of the call. Cost: each is
 * asked only when an expression needs it. Failure: -errno of a function ends the parsing with it.
 */
#ifndef SEINE_QUERY_OUTSIDE_H
#define SEINE_QUERY_OUTSIDE_H

#include "base/buf.h"

struct query_file {
    uint32_t number; /* what the field fileId holds */
    struct span name, node;
};

enum shortcut_type { SHORTCUT_IP, SHORTCUT_NUMBER, SHORTCUT_STRING };

struct query_shortcut {
    struct span name, id;
    enum shortcut_type type;
    struct span values; /* one a line */
};

/* A negative answer ends the walk, which returns it. What is lent lives as long as the call. */
typedef int (*query_file_fn)(void *ctx, const struct query_file *f);
typedef int (*query_shortcut_fn)(void *ctx, const struct query_shortcut *s);

/* A function that is NULL: there is nothing of the kind. */
struct query_names {
    void *ctx;
    /* Every capture file. */
    int (*files)(void *ctx, query_file_fn each, void *each_ctx);
    /* The expression of a view the user may use, by name or id; -ENOENT. */
    int (*view)(void *ctx, struct span name, struct buf *ret_expression);
    /* Shortcuts the user may use. With `*` or `?` in the name all of them, or those that fit: the rest is left out. */
    int (*shortcuts)(void *ctx, struct span name, query_shortcut_fn each, void *each_ctx);
    bool no_email; /* the user may not search fields of e-mails */
};

#define QUERY_LOOKUPS_MAX 256   /* names of files, views and shortcuts in one expression, with those inside views */
#define QUERY_VIEW_DEPTH_MAX 8  /* views inside views */
#define QUERY_SHORTCUTS_MAX 256 /* shortcuts of one wildcard */

#endif
