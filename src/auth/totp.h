/* totp.h: one-time passwords by time (RFC 6238): six digits, SHA-1, steps of 30 s, one step to either side.
 *
 * A secret is set up, then confirmed by a first code; from then on the login form asks for one. It is stored sealed, as
 * passwords are. A step counts once, and five codes a minute are looked at, right or wrong: both are kept in the
 * database, so that neither a restart nor a second server gives more tries.
 *
 * Owner: caller. Thread: any. Cost: a transaction of control.db each. Failure: -errno.
 */
#ifndef SEINE_AUTH_TOTP_H
#define SEINE_AUTH_TOTP_H

#include "auth/users.h"

#define TOTP_SECRET_BYTES 20
#define TOTP_SECRET_TEXT 33 /* base32 */
#define TOTP_DIGITS 6
#define TOTP_STEP_S 30
#define TOTP_TRIES 5
#define TOTP_TRIES_MS 60000

/* The code of a step (RFC 4226, 5.3). */
void totp_code(const uint8_t secret[TOTP_SECRET_BYTES], uint64_t step, char ret[TOTP_DIGITS + 1]);
/* RFC 4648, without padding. */
void totp_secret_text(const uint8_t secret[TOTP_SECRET_BYTES], char ret[TOTP_SECRET_TEXT]);

enum totp_state { TOTP_NONE, TOTP_PENDING, TOTP_ON };
/* An enum totp_state or -errno; -ENOENT: no such user. */
int totp_state(struct control *c, const char *id);
/* A new secret, which must be confirmed. -EEXIST: there is one that is confirmed. */
int totp_set_up(struct control *c, const struct user_keys *keys, const char *id, char ret[TOTP_SECRET_TEXT]);
/* Takes a code. 0; -EACCES wrong, or of a step that counted before; -EAGAIN too many tries; -ENOENT there is no secret
 * in this state. `wanted` TOTP_PENDING: the secret is confirmed by it. */
int totp_take(struct control *c, const struct user_keys *keys, const char *id, enum totp_state wanted, const char *code,
              int64_t now_ms);
/* No secret any more. -ENOENT: no such user. */
int totp_remove(struct control *c, const char *id);

#endif
