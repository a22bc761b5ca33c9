/* encode.h: content codings (RFC 9110, 8.4): gzip (RFC 1952) and zstd (RFC 8878), a piece at a time.
 *
 * Owner: one reply. Thread: one at a time. Cost: gzip 1 about 10 ns a byte of JSON, zstd 1 about 2. Failure: -ENOMEM.
 */
#ifndef SEINE_HTTP_ENCODE_H
#define SEINE_HTTP_ENCODE_H

#include "base/buf.h"

enum coding { CODING_NONE, CODING_GZIP, CODING_ZSTD };
extern const char *const coding_names[];

/* The best one that an Accept-Encoding header (NULL: none) allows. */
enum coding coding_choose(const char *accept);
bool coding_accepts(const char *accept, enum coding coding);

struct encoder;
int encoder_new(enum coding coding, struct encoder **ret_encoder);
struct encoder *encoder_free(struct encoder *e);
/* Appends to `out` what `in` gives. `flush`: everything so far can be read by the other side; `end`: nothing follows.
 */
int encoder_add(struct encoder *e, struct span in, bool flush, bool end, struct buf *out);

#endif
