/* mime_text.h: header text as people wrote it: encoded words (RFC 2047) and character sets, to UTF-8.
 *
 * Owner: results live in the arena, or are the text passed in. Thread: any (iconv is opened for each piece). Cost:
 * nothing for plain text; 1 us for a word in a character set that iconv must read. Failure: what cannot be read stays
 * as sent.
 */
#ifndef SEINE_DISSECT_MIME_TEXT_H
#define SEINE_DISSECT_MIME_TEXT_H

#include "base/arena.h"
#include "base/span.h"

#define MIME_TEXT_MAX 4095 /* a decoded value is cut here */

/* A header value with its encoded words decoded. Text outside them is UTF-8, or else Windows-1252. */
struct span mime_words(struct arena *scratch, struct span value);

/* `bytes` in the character set `name` as UTF-8. False for an unknown set or bytes it does not have. */
bool mime_charset(struct arena *scratch, struct span name, struct span bytes, struct span *ret_text);

#endif
