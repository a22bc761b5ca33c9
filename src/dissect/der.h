/* der.h: a reader of ASN.1 elements in DER (and in BER with definite lengths): ITU-T X.690.
 *
 * Owner: caller's stack; elements borrow from the bytes read. Thread: any. Cost: a few compares per element.
 * Failure: der_next is false at the end and at anything malformed (cursor_ok tells which). Only tag numbers below 31
 * are read, in one octet, and lengths of at most four octets: certificates and the protocols built like them have no
 * others.
 */
#ifndef SEINE_DISSECT_DER_H
#define SEINE_DISSECT_DER_H

#include "base/cursor.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0c,
    DER_UTC_TIME = 0x17,
    DER_GENERALIZED_TIME = 0x18,
    DER_UNIVERSAL_STRING = 0x1c,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};

struct der {
    uint8_t tag;
    struct span body;
};

/* The next element; its body may hold further ones. */
static inline bool der_next(struct cursor *c, struct der *ret) {
    if (cursor_left(c) == 0) {
        return false;
    }
    uint8_t tag = cursor_u8(c);
    size_t len = cursor_u8(c);
    if (len & 0x80) {
        size_t octets = len & 0x7f;
        len = 0;
        if (octets == 0 || octets > 4) {
            c->failed = true;
        }
        for (size_t i = 0; cursor_ok(c) && i < octets; i++) {
            len = len << 8 | cursor_u8(c);
        }
    }
    if ((tag & 0x1f) == 0x1f) {
        c->failed = true;
    }
    struct span body = cursor_span(c, len);
    if (!cursor_ok(c)) {
        return false;
    }
    *ret = (struct der){tag, body};
    return true;
}

/* The next element if it has this tag; otherwise nothing is read and the cursor fails. */
static inline bool der_expect(struct cursor *c, uint8_t tag, struct span *ret_body) {
    struct der element;
    if (cursor_peek(c, 0) != tag || !der_next(c, &element)) {
        c->failed = true;
        return false;
    }
    *ret_body = element.body;
    return true;
}

#endif
