/* cert.h: X.509 certificates to `cert` objects, for every protocol that carries them.
 *
 * Owner: nothing is kept. Thread: the worker's. Cost: about 1.5 us a certificate new to the session, 0.6 us one that it
 * has. Failure: of a damaged certificate what stands before the damage is put.
 */
#ifndef SEINE_DISSECT_CERT_H
#define SEINE_DISSECT_CERT_H

#include "dissect/dissector.h"

/* Puts the certificate `der`, from whatever protocol `d` is. `leaf`: it is the speaker's own, not one of its issuers';
 * only such a one is called self-signed. */
void cert_put(struct dissect *d, struct span der, bool leaf);

#endif
