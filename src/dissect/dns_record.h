/* dns_record.h: resource record data as one line of text, for the types whose answers are shown that way.
 *
 * Owner: text in the scratch arena of the call. Thread: one. Cost: about 100 ns a record. Failure: false for data that
 * is not what its type says; the record is left out then.
 */
#ifndef SEINE_DISSECT_DNS_RECORD_H
#define SEINE_DISSECT_DNS_RECORD_H

#include "dissect/dns_name.h"

/* `type`: DNS_HTTPS, DNS_SVCB, DNS_CAA, DNS_RRSIG, DNS_NSEC or DNS_DS; `data`: a cursor over the record's data alone.
 */
bool dns_record_text(struct dns_message *m, uint16_t type, struct cursor data, struct span *ret_text);

/* "TYPE123", "CLASS5" or the like for a number without a name (RFC 3597). */
struct span dns_number_text(struct arena *scratch, const char *word, uint16_t number);

#endif
