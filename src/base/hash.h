/* hash.h: keyed and plain hashes.
 *
 * siphash13 resists chosen-key collisions and is what tables that strangers can fill use; hash_bytes is for our own
 * data and for ids (fixed key: the same bytes give the same value in every run). Thread: any. Failure: none. Source:
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012 (1 compression and 3 finalisation rounds).
 */
#ifndef SEINE_BASE_HASH_H
#define SEINE_BASE_HASH_H

#include "base/span.h"

struct hash_key {
    uint64_t k0, k1;
};

uint64_t siphash13(const struct hash_key *key, const void *data, size_t len);
uint64_t hash_bytes(const void *data, size_t len, uint64_t seed);
/* Fills `key` from the system's random source. 0 or -errno. */
int hash_key_random(struct hash_key *key);

#endif
