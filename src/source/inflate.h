/* inflate.h: gzip and zstd as a stream over a stream, by zlib and libzstd.
 *
 * Owner: one source. Thread: one. Cost: that of unpacking. Failure: what was unpacked before the damage comes first,
 * then -EBADMSG with a sentence in `why`.
 */
#ifndef SEINE_SOURCE_INFLATE_H
#define SEINE_SOURCE_INFLATE_H

#include "source/stream.h"

/* True for the first bytes (4 suffice) of a gzip or zstd file. */
bool inflate_recognise(const uint8_t *head, size_t len);

/* A stream of what `inner` unpacks to; takes `inner` over, also when it fails. -EINVAL: it is neither. */
int inflate_open(struct stream *inner, struct stream **ret_stream);

#endif
