/* keyring.h: keys that signatures of tokens are checked with, and where they come from: a secret, a file, or the URL of
 * a JWK Set, which is read again after an hour, and when a token names a key that is not in it.
 *
 * Owner: struct auth. Thread: any. Cost: as jwt_check; a request to the URL when the set must be read, by one thread at
 * a time, at most every 30 s. Failure: of jwt_check; -EAGAIN: the keys cannot be had at the moment.
 */
#ifndef SEINE_AUTH_KEYRING_H
#define SEINE_AUTH_KEYRING_H

#include "auth/jwt.h"

struct keyring_source {
    const char *url, *file, *secret; /* one of them; "" or NULL: not this */
    const char *ca_file;             /* for the URL */
};

struct keyring;
/* A file and a secret are read here; a URL when it is first needed. */
int keyring_new(const struct keyring_source *source, struct keyring **ret_ring, struct err *ret_err);
struct keyring *keyring_free(struct keyring *r);
int keyring_check(struct keyring *r, const struct jwt_rules *rules, struct span token, struct buf *ret_claims,
                  struct err *ret_err);

#endif
