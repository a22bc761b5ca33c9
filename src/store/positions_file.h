/* positions_file.h: extents of ppos/FFFFF.pp, for their writer and their reader. Layout: positions.h. */
#ifndef SEINE_STORE_POSITIONS_FILE_H
#define SEINE_STORE_POSITIONS_FILE_H

#include "base/cursor.h"
#include "store/positions.h"

#define POSITIONS_HEAD 32u

struct positions_extent {
    uint64_t at, next; /* where it begins; where the next one does */
    uint64_t first, last;
    uint32_t sessions, raw;
};

void positions_path(const char *folder, uint32_t file, char *ret);
/* 1: there is a whole one; 0: the end, or not whole; -EBADMSG: its checksum does not hold. */
int positions_extent_at(int fd, uint64_t at, struct positions_extent *ret);
/* Its sessions, unpacked; the caller frees. */
int positions_extent_read(int fd, const struct positions_extent *e, uint8_t **ret);
int positions_run_read(struct cursor *c, uint32_t file, uint64_t count, struct packet_position *to);

#endif
