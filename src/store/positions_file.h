/* positions_file.h: extents of ppos/FFFFF.pp, for their writer and their reader. Layout: positions.h. */
#ifndef SEINE_STORE_POSITIONS_FILE_H
#define SEINE_STORE_POSITIONS_FILE_H

#include "base/cursor.h"
#include "store/positions.h"

#define POSITIONS_HEAD 32u
#define POSITIONS_EXTENT_SESSIONS 1024u

struct positions_extent {
    uint64_t at, next; /* where it begins; where the next one does */
    uint64_t first, last;
    uint32_t sessions, raw;
};

void positions_path(const char *folder, uint32_t file, char *ret);
/* By its head alone. 1: there is one of full length; 0: the end, or cut off; -EBADMSG: it cannot be one. */
int positions_extent_at(int fd, uint64_t at, struct positions_extent *ret);
/* The one behind `before` (NULL: the first). Heads are believed as long as they lead on; where they do not, damage is
 * stepped over to the next extent whose checksum holds. 1: there is one; 0: none; -errno. */
int positions_extent_next(int fd, const struct positions_extent *before, struct positions_extent *ret);
/* Its sessions, checked and unpacked; the caller frees. */
int positions_extent_read(int fd, const struct positions_extent *e, uint8_t **ret);
int positions_run_read(struct cursor *c, uint32_t file, uint64_t count, struct packet_position *to);

#endif
