/* positions.h: where the packets of sessions are: in the log with their rows, later in a file for each capture.
 *
 * Positions are as large as all the rest of a session and worth nothing once the capture is gone, so they live in
 * ppos/FFFFF.pp (FFFFF: number of the capture), which go with it. Such a file grows by extents of some thousand
 * sessions in the order of their numbers; after a crash an extent may be there twice, which does no harm.
 *
 *   blob    varint runs; a run: varint file, varint packets, for each zigzag step from the position before, varint
 * bytes extent  u32 length, u32 CRC32C of what follows, u64 first session, u64 last, u32 sessions, u32 unpacked size,
 * zstd: for each session varint step from the number before, varint runs of this file, each: varint which run of the
 * session it is, varint packets, packets as above
 *
 * Owner: caller. Thread: one. Cost: about 3 bytes a packet. Failure: -errno; a session that is not there has none.
 */
#ifndef SEINE_STORE_POSITIONS_H
#define SEINE_STORE_POSITIONS_H

#include "base/buf.h"
#include "record/record.h"

#define POSITIONS_MAX ((uint32_t)4 << 20) /* packets of a session */

void positions_write(const struct packet_position *list, uint32_t count, struct buf *blob);
/* The caller frees `*ret_list`. */
int positions_read(struct span blob, struct packet_position **ret_list, uint32_t *ret_count);

/* One session's blob; `seq` ascending over all calls until positions_sink_end. */
struct positions_sink {
    char folder[4096];
    struct positions_file *files;
    size_t count, cap;
    int error;
};
int positions_sink_begin(struct positions_sink *s, const char *store_folder);
void positions_sink_add(struct positions_sink *s, uint64_t seq, struct span blob);
/* Everything is on disk when it returns 0. */
int positions_sink_end(struct positions_sink *s);

/* Looking up; keeps what it learnt of the files. `next` is for lists of those that keep several. */
struct positions_reader;
struct positions_reader **positions_reader_next(struct positions_reader *r);
struct positions_reader *positions_reader_new(const char *store_folder);
struct positions_reader *positions_reader_free(struct positions_reader *r);
/* Packets of a session in these files; the list is the reader's until the next call. */
int positions_find(struct positions_reader *r, uint64_t seq, const uint32_t *files, size_t file_count,
                   const struct packet_position **ret_list, uint32_t *ret_count);

/* Walks the extents of one file for checks: 0, or -EBADMSG with where. */
int positions_check(const char *path, uint64_t *ret_extents, uint64_t *ret_bad_at);

#endif
