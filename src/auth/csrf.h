/* csrf.h: the token that shows that a change was asked for by our own page: a cookie that only that page can read, sent
 * back as a header. It holds the time and a signature over time and user.
 *
 * Owner: caller. Thread: any. Failure: the verdict.
 */
#ifndef SEINE_AUTH_CSRF_H
#define SEINE_AUTH_CSRF_H

#include "auth/secret.h"

#define CSRF_COOKIE "ARKIME-COOKIE"
#define CSRF_HEADER "x-arkime-cookie"
#define CSRF_TOKEN_MAX 80
#define CSRF_VALID_MS 2400000

enum csrf_verdict { CSRF_GOOD, CSRF_MISSING, CSRF_OLD };

void csrf_make(const struct secret *s, const char *user, int64_t now_ms, char ret[CSRF_TOKEN_MAX]);
/* CSRF_OLD also for a token of another user or none of ours: reloading the page helps in all these cases. */
enum csrf_verdict csrf_check(const struct secret *s, const char *user, int64_t now_ms, const char *token);

#endif
