/* digest.h: MD5, SHA-1 and SHA-256 of short texts by OpenSSL, without its EVP layer. What comes in pieces:
 * digest_runs.h.
 *
 * Owner: one worker each (struct digests). Thread: one. Cost: about 50 ns, and 0.5 ns per byte with SHA-NI (MD5: 1.3):
 * the one-shot calls of OpenSSL 3 take a lock and an allocation each, which is why they are not used. Failure:
 * digests_new returns NULL; a digest of an algorithm the library refuses (MD5 under FIPS) has length 0.
 */
#ifndef SEINE_BASE_DIGEST_H
#define SEINE_BASE_DIGEST_H

#include "base/span.h"

enum digest_kind { DIGEST_MD5, DIGEST_SHA1, DIGEST_SHA256, DIGEST_KINDS };
#define DIGEST_MAX 32

struct digests;

struct digests *digests_new(void);
struct digests *digests_free(struct digests *d);

/* Digest of one span; returns its length (16, 20, 32) or 0. */
size_t digest_once(struct digests *d, enum digest_kind kind, struct span data, uint8_t ret_digest[DIGEST_MAX]);

/* The same for texts that are likely to come again, of 16 to 1984 bytes: the last ones are remembered. */
size_t digest_memo(struct digests *d, enum digest_kind kind, struct span text, uint8_t ret_digest[DIGEST_MAX]);

/* False: the library refuses it. */
bool digest_is_allowed(const struct digests *d, enum digest_kind kind);

/* Lower-case hexadecimal of `n` bytes into `ret_text` (2 n characters, no NUL). */
void hex_write(const uint8_t *bytes, size_t n, char *ret_text);

#endif
