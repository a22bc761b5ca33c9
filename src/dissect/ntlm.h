/* ntlm.h: NTLMSSP messages inside other protocols (HTTP, SMTP, SMB, LDAP, ...).
 *
 * Owner: nothing is kept. Thread: that of the session. Cost: one pass. Failure: false when there is no such message.
 */
#ifndef SEINE_DISSECT_NTLM_H
#define SEINE_DISSECT_NTLM_H

#include "dissect/dissector.h"

/* Finds the message in `blob` (bare, or wrapped in SPNEGO) and puts protocol, fields and user. */
bool ntlm_put(struct dissect *d, struct span blob);
/* The same for a message in base64, as text protocols carry it. */
bool ntlm_put_base64(struct dissect *d, struct span text);

#endif
