/*
 * The pool of X.509 certificates that the invented TLS servers present.
 */
#pragma once

#include "world.h"

/* Fills w->authorities and w->certificates. 0, -ENOMEM, or -EIO when libcrypto fails. */
int certificates_make(struct world *w);
