/* spool.h: standard input in a file that can be read twice and that nobody else sees.
 *
 * Owner: the command. Failure: no room, or more than the ceiling: said, and the exit code returned. The file has no
 * name and is gone when it is closed.
 */
#ifndef SEINE_CMD_SPOOL_H
#define SEINE_CMD_SPOOL_H

#include <stdint.h>

#define SPOOL_CEILING ((uint64_t)64 << 30)

struct spool {
    int fd;
    char path[40]; /* by which this process can open it again */
};

/* An empty one on disk (TMPDIR, else /var/tmp, /tmp), or in memory. */
int spool_open(struct spool *s, int in_memory);
/* Copies everything that `fd` still gives. */
int spool_fill(struct spool *s, int fd, uint64_t ceiling);
void spool_close(struct spool *s);

#endif
