/* s2s.h: tokens by which servers of one cluster believe each other: the header x-arkime-auth, as Arkime 6 makes it.
 *
 * A token is a JSON object {date, user, node, path, method}, encrypted and signed with a secret that both servers
 * have: {"iv","salt","data","tag"}, all hexadecimal, AES-256-GCM with a key of PBKDF2-HMAC-SHA-256(secret, salt,
 * 300,000 rounds). The older form `iv.cipher.hmac` (AES-256-CBC and HMAC-SHA-256, key SHA-256(secret)) is read, never
 * made. It is good for one request with this method and this path, within two minutes of its date, once.
 *
 * What it costs to be asked: a key is derived for each salt, a tenth of a second; only salts of tokens that turned out
 * to be good are remembered, and one key is derived at a time, so that strangers cannot take all processors. Callers
 * should ask their throttle first.
 *
 * Owner: caller. Thread: any. Cost: a microsecond, or a tenth of a second for a new salt. Failure: -errno.
 */
#ifndef SEINE_AUTH_S2S_H
#define SEINE_AUTH_S2S_H

#include "base/buf.h"

#define S2S_HEADER "x-arkime-auth"
#define S2S_VALID_MS 120000
#define S2S_TEXT_MAX ((size_t)32 << 10)

/* What a token says. When read: spans of the memory given to s2s_open. */
struct s2s_claim {
    struct span user, node, path, method;
    int64_t date_ms;
};

/* The request that a token came with. */
struct s2s_request {
    const char *method;
    const char *paths[2]; /* its target with query, as sent and without webBasePath; NULL: there is no second */
    int64_t now_ms;
};

struct s2s;
/* `secret`: serverSecret of this cluster, or of a remote one. NULL without memory. */
struct s2s *s2s_new(const char *secret);
struct s2s *s2s_free(struct s2s *s);

/* Adds the header's value to `out`. -EIO: no random bytes; -E2BIG: longer than S2S_TEXT_MAX. */
int s2s_make(struct s2s *s, const struct s2s_claim *claim, struct buf *out);

/* Reads a token and takes it: a second time it is refused. `memory` holds what `ret` points to.
 * -EBADMSG: not made with this secret, or no token; -ESTALE: its date is not of now; -EACCES: for another request;
 * -EALREADY: it came before. */
int s2s_open(struct s2s *s, struct span text, const struct s2s_request *request, struct buf *memory,
             struct s2s_claim *ret);

#endif
