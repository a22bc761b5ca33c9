/* dns_name.h: domain names out of a DNS message (RFC 1035 4.1.4), as text people read.
 *
 * Owner: texts live in the scratch arena of the call. Thread: one. Cost: about 1 ns per byte; a name that is only a
 * pointer to one read before costs a look at a small table. Failure: enum name_fault; the cursor is of no use
 * afterwards.
 */
#ifndef SEINE_DISSECT_DNS_NAME_H
#define SEINE_DISSECT_DNS_NAME_H

#include "base/arena.h"
#include "base/cursor.h"

#define DNS_ROOT "<root>"

struct dns_name {
    struct span text; /* lower case, labels of IDNA as UTF-8; DNS_ROOT for the empty name */
    struct span puny; /* as it was sent (lower case), when a label begins with xn--; else empty */
    uint64_t hash;    /* of text */
    bool root;
    bool bad_puny; /* a label begins with xn-- but is no Punycode: text is as it was sent */
};

enum name_fault {
    NAME_FINE,
    NAME_CUT,  /* runs out of the message, or a length byte that means nothing */
    NAME_LOOP, /* more pointers than any real name has */
    NAME_LONG, /* more than 255 octets */
};

#define DNS_NAMES_KEPT 16

/* A message being read; names may point to any earlier or later place in it. */
struct dns_message {
    struct span bytes;
    struct arena *scratch;
    struct {
        uint16_t offset;
        struct dns_name name;
    } kept[DNS_NAMES_KEPT]; /* names read at `offset` */
    unsigned kept_count;
};

/* Reads a name at the cursor and moves behind it. `offset` of the cursor in the message, or 0 when nobody will point
 * there. */
enum name_fault dns_name_read(struct dns_message *m, struct cursor *c, uint16_t offset, struct dns_name *ret_name);

#endif
