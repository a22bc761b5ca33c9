/* packed.h: compressed files and archives as a row of byte streams, by libarchive.
 *
 * xz, lzma, bzip2, lz4, lzip and compress (gzip and zstd: inflate.h); tar, cpio, zip and 7z, compressed or not. Owner:
 * one source. Thread: one. Cost: that of unpacking. Failure: damaged data ends the member's stream with -EBADMSG and a
 * sentence in the stream's `why`.
 */
#ifndef SEINE_SOURCE_PACKED_H
#define SEINE_SOURCE_PACKED_H

#include "source/stream.h"

enum packed_kind {
    PACKED_SINGLE, /* one compressed file */
    PACKED_ARCHIVE,
};

struct packed;

/* Takes `s` over, also when it fails. `members`: archives are opened too, not only single compressed files.
 * -ENOENT: neither; -EBADMSG or -errno: begins as one but cannot be read, with the reason in `ret_why`. */
int packed_open(struct stream *s, bool members, struct packed **ret_packed, char ret_why[120]);
struct packed *packed_close(struct packed *p);
enum packed_kind packed_kind(const struct packed *p);

/* The next member that is a file; the stream is closed by the caller before the next call. `*ret_name` (NULL for a
 * single compressed file) lives until then. -ENOENT: no more; -EBADMSG: the archive is damaged from here on, `ret_why`
 * says how. */
int packed_next(struct packed *p, struct stream **ret_stream, const char **ret_name, char ret_why[120]);

#endif
