/* file.h: the few file operations of the store, whole and with -errno.
 *
 * Thread: any. Failure: -errno; interrupted calls are continued.
 */
#ifndef SEINE_STORE_FILE_H
#define SEINE_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/span.h"

#define FILE_PATH_MAX 4096

/* `folder/name` into `ret` (FILE_PATH_MAX); 0 or -ENAMETOOLONG. */
int file_path(const char *folder, const char *name, char *ret);
int file_write(int fd, struct span bytes); /* at the file's position */
/* Up to `len` bytes from `at`; gives back how many there were, or -errno. */
ssize_t file_read_at(int fd, void *to, size_t len, uint64_t at);
/* The whole file, up to the ceiling of `out`. */
int file_read_all(const char *path, struct buf *out);
/* The folder's entries are on disk. */
int folder_sync(const char *folder);
/* Replaces `folder/name` by these bytes at once: a temporary file, fdatasync, rename, fsync of the folder.
 * `ret_replaced` (may be NULL): the name stands for these bytes; with an error: but perhaps not after a loss of power.
 */
int file_replace(const char *folder, const char *name, struct span bytes, bool *ret_replaced);
static inline int *fd_none(int *fd) {
    *fd = -1;
    return fd;
}
void fd_close(int *fd); /* for _cleanup_; -1 is fine */

#endif
