/* magic_table.h: the table of magic.c, open to its test. */
#ifndef SEINE_DISSECT_MAGIC_TABLE_H
#define SEINE_DISSECT_MAGIC_TABLE_H

#include "base/span.h"

struct magic {
    const char *mark;
    uint8_t len;
    bool fold; /* letters in either case; the mark is lower case and does not begin with a letter */
    const char *type;
    const char *(*judge)(struct span first); /* decides where the mark alone does not; NULL = the type holds */
};

extern const struct magic magic_table[];
extern const size_t magic_table_len;

#endif
