/* csv.h: records of a file of comma-separated values (RFC 4180): quoted fields may hold commas, quotes and line ends.
 *
 * Owner: caller; the whole file is in memory and its fields are cut there. Thread: one. Cost: one pass. Failure: -errno
 * when the file cannot be read or is larger than CSV_FILE_MAX (-EFBIG); a quote that never closes ends with the file.
 */
#ifndef SEINE_ENRICH_CSV_H
#define SEINE_ENRICH_CSV_H

#include <stddef.h>
#include <stdint.h>

#define CSV_FILE_MAX ((size_t)256 << 20)

struct csv {
    char *text, *at, *end; /* `end` is a NUL */
    int line;              /* of the next record, from 1 */
    int number;            /* of the last one's first line */
};

int csv_open(struct csv *c, const char *path);
void csv_close(struct csv *c);
/* The next record: up to `max` fields, each unquoted and ended by NUL, valid until csv_close. How many, at most `max`
 * (others are left out); -1 at the end. */
int csv_next(struct csv *c, char **ret, int max);

#endif
