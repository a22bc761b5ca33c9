/* throttle.h: how often somebody failed to log in. A table of fixed size; who fails too often waits.
 *
 * Owner: struct auth. Thread: any. Cost: a hash and a lock. Failure: a row may be taken over by another key, which then
 * starts at nothing: the table slows guessing down, it does not count exactly.
 */
#ifndef SEINE_AUTH_THROTTLE_H
#define SEINE_AUTH_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#define THROTTLE_TRIES 10      /* failures of an address and a user */
#define THROTTLE_PEER_TRIES 60 /* failures of an address */
#define THROTTLE_MS 60000      /* in this time */

struct throttle;
struct throttle *throttle_new(void);
struct throttle *throttle_free(struct throttle *t);
bool throttle_blocked(struct throttle *t, const char *peer, const char *user, int64_t now_ms);
void throttle_fail(struct throttle *t, const char *peer, const char *user, int64_t now_ms);
/* Counts something else that `what` (no user's id) names; how often it came from there in this time, this one
 * included. */
uint32_t throttle_count(struct throttle *t, const char *peer, const char *what, int64_t now_ms);
/* A login that worked. */
void throttle_clear(struct throttle *t, const char *peer, const char *user);

#endif
