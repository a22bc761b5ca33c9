/* dns_codes.h: the names of DNS numbers (IANA, "Domain Name System (DNS) Parameters"). Thread: any. Cost: an index. */
#ifndef SEINE_DISSECT_DNS_CODES_H
#define SEINE_DISSECT_DNS_CODES_H

#include <stdint.h>

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_OPT = 41,
    DNS_DS = 43,
    DNS_RRSIG = 46,
    DNS_NSEC = 47,
    DNS_SVCB = 64,
    DNS_HTTPS = 65,
    DNS_CAA = 257,
};

enum { DNS_CLASS_IN = 1, DNS_OPCODE_LAST = 5 };

/* Constant text, or NULL for a number without a name. */
const char *dns_type_name(uint16_t type);
const char *dns_class_name(uint16_t code);
const char *dns_opcode_name(uint8_t opcode);
const char *dns_status_name(uint16_t rcode); /* with the upper bits of EDNS (RFC 6891) */

#define DNS_FLAGS 7
/* Bit 6 first: AA TC RD RA Z AD CD. */
extern const char *const dns_flag_names[DNS_FLAGS];

#endif
