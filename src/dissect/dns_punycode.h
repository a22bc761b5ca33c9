/* dns_punycode.h: one label of an internationalised domain name, from its ASCII form to UTF-8 (RFC 3492).
 *
 * Owner: caller. Thread: any. Cost: about 10 ns per character, quadratic in the 59 characters a label can have.
 * Failure: false for text that is no Punycode; nothing is written then.
 */
#ifndef SEINE_DISSECT_DNS_PUNYCODE_H
#define SEINE_DISSECT_DNS_PUNYCODE_H

#include "base/span.h"

#define PUNYCODE_LABEL_MAX 63
#define PUNYCODE_UTF8_MAX (4 * PUNYCODE_LABEL_MAX)

/* Decodes a label without its "xn--"; `ret_text` has room for PUNYCODE_UTF8_MAX bytes. */
bool punycode_decode(struct span label, char *ret_text, size_t *ret_len);

#endif
