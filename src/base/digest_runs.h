/* digest_runs.h: digests of what comes in pieces, many at a time, told later.
 *
 * A run is a digest in progress. When it ends its digest is not there yet: MD5 goes through lanes (md5_lanes.h), and
 * those are full only when many runs wait together. `ready` is told of every run that was ended, in the order in which
 * they were, from within any call here that has to make room, and at the latest from digest_runs_settle. So what is
 * told, and in which order, does not depend on when.
 *
 * Owner: one worker. Thread: one. Cost: a copy of the bytes, then 0.2 to 1.4 ns a byte (MD5), 0.5 (SHA-256 by OpenSSL).
 * Failure: digest_runs_new and digest_begin return NULL; a digest that has length 0 there is none of.
 */
#ifndef SEINE_BASE_DIGEST_RUNS_H
#define SEINE_BASE_DIGEST_RUNS_H

#include "base/digest.h"

struct digest_runs;
struct digest_run;

/* `owner` and `tag` are those of digest_end. */
typedef void (*digest_ready_fn)(const void *ctx, void *owner, uint32_t tag, const uint8_t *digest, size_t len);

/* `lanes` false: without lanes also where the processor has them. */
struct digest_runs *digest_runs_new(const struct digests *d, bool lanes, digest_ready_fn ready, const void *ctx);
/* Runs that were ended and not told yet are not told any more. NULL is fine; returns NULL. */
struct digest_runs *digest_runs_free(struct digest_runs *r);

/* At most `DIGEST_RUNS_MAX` are in progress at once (NULL beyond: the caller goes without the digest). `kind`: MD5 or
 * SHA-256, NULL also when the library refuses it. */
#define DIGEST_RUNS_MAX 16384
struct digest_run *digest_begin(struct digest_runs *r, enum digest_kind kind);
/* `data` is borrowed for the call. */
void digest_add(struct digest_runs *r, struct digest_run *run, struct span data);
/* The run is gone after; `owner` lives until it is told. */
void digest_end(struct digest_runs *r, struct digest_run *run, void *owner, uint32_t tag);
/* The run is gone after, and nobody is told. */
void digest_drop(struct digest_runs *r, struct digest_run *run);
/* Begin, add and end at once, beside the runs in progress. */
void digest_whole(struct digest_runs *r, enum digest_kind kind, struct span data, void *owner, uint32_t tag);

/* So many are ended and not told at most. */
#define DIGEST_LATE_MAX 128
/* Tells of all that were ended. */
void digest_runs_settle(struct digest_runs *r);

#endif
