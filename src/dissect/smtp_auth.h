/* smtp_auth.h: user names out of authentication exchanges, base64 as they are sent (RFC 4954).
 *
 * Owner: names live in the scratch arena. Thread: one. Failure: false when the line holds no name.
 */
#ifndef SEINE_DISSECT_SMTP_AUTH_H
#define SEINE_DISSECT_SMTP_AUTH_H

#include "base/arena.h"
#include "base/span.h"

/* LOGIN: the line is the name. */
bool auth_login_user(struct arena *scratch, struct span line, struct span *ret_user);
/* PLAIN (RFC 4616): authorisation name, name and password with NUL between them. */
bool auth_plain_user(struct arena *scratch, struct span line, struct span *ret_user);
/* CRAM-MD5 (RFC 2195): name, blank, digest. */
bool auth_cram_user(struct arena *scratch, struct span line, struct span *ret_user);
/* XOAUTH2: "user=name", then further pairs, each ended by the byte 1. */
bool auth_oauth_user(struct arena *scratch, struct span line, struct span *ret_user);

#endif
