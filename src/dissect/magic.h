/* magic.h: the type of a file from its first bytes.
 *
 * Thread: any. Cost: a search by the first byte, then at most a handful of comparisons. Failure: NULL for an unknown
 * type. Names are those of the `file` program of old (application/x-gzip), which session documents have always carried.
 */
#ifndef SEINE_DISSECT_MAGIC_H
#define SEINE_DISSECT_MAGIC_H

#include "base/span.h"

/* Value of the setting `magicMode`, in the order of MAGIC_MODES. */
enum magic_mode { MAGIC_BOTH, MAGIC_LIBMAGIC, MAGIC_LIBMAGIC_NO_TEXT, MAGIC_BASIC, MAGIC_NONE };
#define MAGIC_MODES "both,libmagic,libmagicnotext,basic,none"

/* How many first bytes are worth waiting for: a tar header ends its mark at 262. */
#define MAGIC_BYTES 512

/* By signature only, at the very first byte: what `magicMode=basic` gives. */
const char *magic_type(struct span first);
/* As the mode says: other modes than basic also look behind leading blanks and tell JSON and plain text. */
const char *magic_guess(struct span first, enum magic_mode mode);

#endif
