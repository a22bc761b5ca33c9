/* md5_lanes.h: MD5 (RFC 1321) of many texts at once, a lane of the processor's vectors for each.
 *
 * MD5 of one text is a chain: each step waits for the one before, and most of the processor waits with it. Here whole
 * blocks of up to 16 texts go through the steps side by side. What is added is copied, so bytes are borrowed for the
 * call only, and waits until the room for it is full or somebody asks.
 *
 * Owner: one worker. Thread: one. Cost: 600 KB; 0.2 ns a byte with full lanes, that of OpenSSL (1.4) with one or two.
 * Failure: md5_lanes_new returns NULL without memory and on processors without AVX2.
 */
#ifndef SEINE_BASE_MD5_LANES_H
#define SEINE_BASE_MD5_LANES_H

#include "base/span.h"

#define MD5_BLOCK 64
#define MD5_LENGTH 16

struct md5_piece;
struct md5_lanes;

/* A text in progress; its bytes that fill no block yet are in it. May not move while it is in use. */
struct md5_text {
    uint32_t state[4];
    uint64_t len;
    struct md5_piece *first, *last; /* whole blocks that wait */
    struct md5_text *next;          /* of the texts that have any */
    uint8_t rest[MD5_BLOCK];
};

struct md5_lanes *md5_lanes_new(void);
struct md5_lanes *md5_lanes_free(struct md5_lanes *l); /* NULL is fine; returns NULL */

void md5_text_begin(struct md5_text *t);
void md5_text_add(struct md5_lanes *l, struct md5_text *t, struct span data);
/* No more follows; the digest is there after md5_lanes_run. */
void md5_text_end(struct md5_lanes *l, struct md5_text *t);
/* Takes all that waits through the lanes: no text is referred to any more. */
void md5_lanes_run(struct md5_lanes *l);
/* After md5_text_end and md5_lanes_run. */
void md5_text_digest(const struct md5_text *t, uint8_t ret_digest[MD5_LENGTH]);

#endif
