/* cert_names.h: names for object identifiers in certificates. Thread: any. Failure: NULL for an unknown one. */
#ifndef SEINE_DISSECT_CERT_NAMES_H
#define SEINE_DISSECT_CERT_NAMES_H

#include "base/span.h"

/* `oid`: the identifier's bytes, without tag and length. */
const char *cert_algorithm_name(struct span oid);
const char *cert_curve_name(struct span oid);

#endif
