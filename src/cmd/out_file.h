/* out_file.h: is it safe to write the file a user names?
 *
 * Owner: none. Thread: main. Cost: a stat of every capture of the store.
 */
#ifndef SEINE_CMD_OUT_FILE_H
#define SEINE_CMD_OUT_FILE_H

#include "api/item.h"

/* EXIT_DONE, or EXIT_USAGE and it is said: `out` lies in the store's folder, or is one of `files` (NULL: none). NULL
 * and
 * "-" are standard output. */
int out_file_check(const char *out, const char *store, const struct file_names *files);

#endif
