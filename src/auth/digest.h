/* digest.h: HTTP Digest (RFC 7616) with qop=auth, MD5 and SHA-256 and their -sess forms.
 *
 * Nonces are made by the server, not remembered: time, random bytes and a signature over both. What is remembered, in a
 * table of fixed size, is which counts of a nonce were used, so that no request can be sent twice. A nonce whose row
 * had to give way counts as too old, which makes the client ask for a new one.
 *
 * Owner: struct auth. Thread: any. Cost: about a microsecond, and two hashes. Failure: the verdict.
 */
#ifndef SEINE_AUTH_DIGEST_H
#define SEINE_AUTH_DIGEST_H

#include "auth/users.h"

/* The parameters of an Authorization header; spans of it, quotes taken off. An empty one has at == NULL. */
struct digest_parts {
    struct span username, realm, nonce, uri, response, algorithm, qop, cnonce, nc;
};

/* `text`: behind the word Digest. 0, or -EINVAL: no list of parameters, one of them twice, or quoted pairs where none
 * belong. */
int digest_parse(struct span text, struct digest_parts *ret_parts);

enum digest_kind_of { DIGEST_OF_MD5, DIGEST_OF_MD5_SESS, DIGEST_OF_SHA256, DIGEST_OF_SHA256_SESS, DIGEST_OF_OTHER };
enum digest_kind_of digest_algorithm(struct span name); /* empty: MD5 */

/* The response a client that knows the password would send; `secret_hex`: digest of user, realm, password. */
void digest_response(const struct digest_parts *p, enum digest_kind_of kind, const char *secret_hex, const char *method,
                     char ret[HASH_TEXT]);

#define NONCE_TEXT 48
#define NONCE_VALID_MS 300000
int nonce_make(const struct secret *s, int64_t now_ms, char ret[NONCE_TEXT]);

struct nonce_table;
struct nonce_table *nonce_table_new(void);
struct nonce_table *nonce_table_free(struct nonce_table *t);

enum nonce_verdict {
    NONCE_GOOD,
    NONCE_STALE,  /* one of ours, too old: the client may go on with a new one without asking its user */
    NONCE_BAD,    /* not made by us */
    NONCE_REPLAY, /* this count was used before */
};
/* Is it ours and young? Changes nothing. */
enum nonce_verdict nonce_check(const struct secret *s, struct span nonce, int64_t now_ms);
/* Takes the count: to be asked last, when the response is known to be right. `nc`: 8 hexadecimal digits. */
enum nonce_verdict nonce_use(struct nonce_table *t, struct span nonce, struct span nc);

#endif
