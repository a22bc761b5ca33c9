/* log.h: the write-ahead log: wal.NNNNNNNN, frames of rows; exactly one is open, older ones wait to be sealed.
 *
 *   file    "SeineLog", u32 version, u32 0, then frames
 *   frame   u32 length of what follows the checksum, u32 CRC32C of it, u32 rows, u32 unpacked length, u64 first
 * session, i64 wall time (ms since 1970), zstd
 *
 * Owner: caller. Thread: one each. Failure: -errno; a reader tells an end that is not there yet from damage.
 */
#ifndef SEINE_STORE_LOG_H
#define SEINE_STORE_LOG_H

#include <zstd.h>

#include "base/buf.h"

#define LOG_HEAD 16u
#define LOG_FRAME_HEAD 32u
#define LOG_FRAME_MAX ((uint32_t)64 << 20)

void log_path(const char *folder, uint64_t number, char *ret);
/* An empty file, its head and its name on disk; the descriptor, or -errno. */
int log_create(const char *folder, uint64_t number);

/* Removes a log. One with data behind a head that is not ours is kept as wal.NNNNNNNN.damaged. */
int log_remove(const char *folder, uint64_t number);

struct log_frame {
    uint32_t rows;
    uint64_t seq;
    int64_t wall;
    uint64_t at, size; /* in the file */
    struct span raw;   /* the reader's until the next frame */
};
/* Appends the frame of these rows to `out`. */
int log_frame_write(ZSTD_CCtx *zstd, const struct log_frame *f, struct buf *out);

struct log_reader {
    int fd;
    uint64_t at; /* of the next frame */
    struct buf packed, raw;
};
/* -ENOENT: no such file; -EAGAIN: its head is not whole yet. */
int log_reader_open(struct log_reader *r, const char *folder, uint64_t number);
void log_reader_done(struct log_reader *r);
/* 1: a frame; 0: none is there yet; -EBADMSG: the bytes at r->at are no valid frame (torn, or damaged). */
int log_next(struct log_reader *r, struct log_frame *ret);
/* The same in a log that does not grow: bytes that are not the whole of a frame are -EBADMSG as well. */
int log_next_whole(struct log_reader *r, struct log_frame *ret);
/* Behind a damaged frame: to the next one whose checksum holds. False: there is none. */
bool log_resync(struct log_reader *r);

#endif
