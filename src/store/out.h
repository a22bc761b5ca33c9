/* out.h: where a segment is written to: a file, or memory. Bytes are added at the end only.
 *
 * Owner: caller. Thread: one. Cost: a copy into 256 KiB. Failure: sticky: after the first one nothing is written, and
 * out_end gives its -errno.
 */
#ifndef SEINE_STORE_OUT_H
#define SEINE_STORE_OUT_H

#include "base/buf.h"

/* A run of bytes in a segment, with its checksum. */
struct extent {
    uint64_t at;
    uint32_t len, crc;
};

struct out {
    int fd; /* -1: memory */
    struct buf bytes;
    uint64_t written; /* of the file */
    int error;
};

/* `fd`: -1 for memory; stays the caller's. */
void out_begin(struct out *o, int fd);
void out_add(struct out *o, struct span bytes);
struct extent out_extent(struct out *o, struct span bytes);
static inline uint64_t out_at(const struct out *o) {
    return o->written + o->bytes.len;
}
/* Writes what is left; 0 or -errno. Memory is in o->bytes afterwards. */
int out_end(struct out *o);
void out_done(struct out *o);

#endif
