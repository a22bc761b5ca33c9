/* cert.c: X.509 certificates (RFC 5280, DER by X.690), as TLS, IKE and others carry them.
 *
 * Fields only: other dissectors call cert_put. The certificate is walked once with a cursor into a few spans; nothing
 * is verified and nothing is allocated. Certificates are keyed by their SHA-1, so that one seen again in the session
 * costs only the digest. Every list a stranger can grow has a ceiling below.
 */
#include "dissect/cert.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "base/util.h"
#include "dissect/cert_names.h"
#include "dissect/der.h"
#include "dissect/list.h"

enum {
    NAME_VALUES_MAX = 16, /* values of one attribute in a name */
    ALT_NAMES_MAX = 1000, /* the largest certificates of content networks have about 250 */
    EXTENSIONS_MAX = 64,
    SERIAL_MAX = 64, /* RFC 5280 allows 20 octets */
    FINGERPRINT_TEXT = 59,
    OID_TEXT = 64,
    DAY = 86400,
};

enum {
    CERT,
    HASH,
    PUBLIC_ALGORITHM,
    CURVE,
    ISSUER_CN,
    ISSUER_ON,
    ISSUER_OU,
    SUBJECT_CN,
    SUBJECT_ON,
    SUBJECT_OU,
    SERIAL,
    ALT,
    NOT_BEFORE,
    NOT_AFTER,
    REMAINING_DAYS,
    REMAINING_SECONDS,
    VALID_DAYS,
    VALID_SECONDS,
};

static const struct field_def fields[] = {
    [CERT] = {"cert", NULL, FT_OBJECT, F_OBJECT_COUNT, "Cert", "Certificates the peers sent"},
    [HASH] = {"cert.hash", "cert.hash", FT_LOWER, F_SINGLE, "Hash", "SHA-1 of the certificate, as aa:bb:..."},
    [PUBLIC_ALGORITHM] = {"cert.publicAlgorithm", "cert.publicAlgorithm", FT_KEYWORD, F_SINGLE, "Public Algorithm",
                          "Algorithm of the public key"},
    [CURVE] = {"cert.curve", "cert.curve", FT_KEYWORD, F_SINGLE, "Curve",
               "Named curve of an elliptic curve key; \"corrupt\" when the key brings parameters of its own"},
    [ISSUER_CN] = {"cert.issuerCN", "cert.issuer.cn", FT_LOWER, 0, "Issuer CN", "Issuer's common name"},
    [ISSUER_ON] = {"cert.issuerON", "cert.issuer.on", FT_KEYWORD, 0, "Issuer ON", "Issuer's organization name"},
    [ISSUER_OU] = {"cert.issuerOU", "cert.issuer.ou", FT_KEYWORD, 0, "Issuer Org Unit", "Issuer's organizational unit"},
    [SUBJECT_CN] = {"cert.subjectCN", "cert.subject.cn", FT_LOWER, 0, "Subject CN", "Subject's common name"},
    [SUBJECT_ON] = {"cert.subjectON", "cert.subject.on", FT_KEYWORD, 0, "Subject ON", "Subject's organization name"},
    [SUBJECT_OU] = {"cert.subjectOU", "cert.subject.ou", FT_KEYWORD, 0, "Subject Org Unit",
                    "Subject's organizational unit"},
    [SERIAL] = {"cert.serial", "cert.serial", FT_LOWER, F_SINGLE, "Serial Number", "Serial number in hexadecimal"},
    [ALT] = {"cert.alt", "cert.alt", FT_LOWER, F_COUNT, "Alt Name",
             "Subject alternative names: hosts, addresses, mail addresses and URIs"},
    [NOT_BEFORE] = {"cert.notBefore", "cert.notbefore", FT_TIME, F_SINGLE, "Not Before", "Not valid before this date"},
    [NOT_AFTER] = {"cert.notAfter", "cert.notafter", FT_TIME, F_SINGLE, "Not After", "Not valid after this date"},
    [REMAINING_DAYS] = {"cert.remainingDays", "cert.remainingDays", FT_U64, F_SINGLE, "Days remaining",
                        "Days it was still valid for when the session began"},
    [REMAINING_SECONDS] = {"cert.remainingSeconds", "cert.remainingSeconds", FT_U64, F_SINGLE | F_SECONDS,
                           "Seconds remaining", "Seconds it was still valid for when the session began"},
    [VALID_DAYS] = {"cert.validDays", "cert.validfor", FT_U64, F_SINGLE, "Days Valid For",
                    "Days between its first and last moment"},
    [VALID_SECONDS] = {"cert.validSeconds", "cert.validforSeconds", FT_U64, F_SINGLE | F_SECONDS, "Seconds Valid For",
                       "Seconds between its first and last moment"},
};

/* --- names --- */

struct name_values {
    struct der at[NAME_VALUES_MAX];
    size_t count;
};

struct name {
    struct name_values common, organization, unit;
};

struct certificate {
    struct span serial, algorithm, curve;
    struct name issuer, subject;
    int64_t not_before, not_after; /* seconds; valid with has_dates */
    bool has_dates, has_key, has_curve, named_curve;
    bool basic_ca, signs_certificates;
    struct span alt_names; /* body of the GeneralNames */
};

/* UTF-16BE (`unit` 2) or UTF-32BE (4) to UTF-8; what is no character becomes U+FFFD. */
static struct span utf8_of(struct span text, unsigned unit, struct arena *scratch) {
    uint8_t *start = arena_alloc(scratch, text.len / unit * 4 + 1), *to = start;
    if (!start) {
        return (struct span){0};
    }
    struct cursor c = cursor_over(text);
    while (cursor_left(&c) >= unit) {
        uint32_t code = unit == 2 ? cursor_u16(&c) : cursor_u32(&c);
        if (unit == 2 && code >= 0xd800 && code < 0xdc00 && cursor_left(&c) >= 2 &&
            (cursor_peek(&c, 0) & 0xfc) == 0xdc) {
            code = 0x10000 + ((code & 0x3ff) << 10 | (cursor_u16(&c) & 0x3ff));
        }
        if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
            code = 0xfffd;
        }
        if (code < 0x80) {
            *to++ = (uint8_t)code;
        } else {
            if (code < 0x800) {
                *to++ = (uint8_t)(0xc0 | code >> 6);
            } else {
                if (code < 0x10000) {
                    *to++ = (uint8_t)(0xe0 | code >> 12);
                } else {
                    *to++ = (uint8_t)(0xf0 | code >> 18);
                    *to++ = (uint8_t)(0x80 | (code >> 12 & 0x3f));
                }
                *to++ = (uint8_t)(0x80 | (code >> 6 & 0x3f));
            }
            *to++ = (uint8_t)(0x80 | (code & 0x3f));
        }
    }
    return span_make(start, (size_t)(to - start));
}

static struct span text_of(struct dissect *d, struct der value) {
    switch (value.tag) {
    case DER_BMP_STRING:
        return utf8_of(value.body, 2, d->scratch);
    case DER_UNIVERSAL_STRING:
        return utf8_of(value.body, 4, d->scratch);
    default:
        return value.body;
    }
}

static void put_name(struct dissect *d, struct object o, unsigned field, const struct name_values *values) {
    for (size_t i = 0; i < values->count; i++) {
        struct span text = text_of(d, values->at[i]);
        if (text.len) {
            object_text(d, o, field, text);
        }
    }
}

/* Name ::= SEQUENCE OF SET OF SEQUENCE { OID, value } */
static bool read_name(struct cursor *c, struct name *ret) {
    struct span body, set, pair;
    if (!der_expect(c, DER_SEQUENCE, &body)) {
        return false;
    }
    struct cursor sets = cursor_over(body);
    while (cursor_left(&sets) && der_expect(&sets, DER_SET, &set)) {
        struct cursor pairs = cursor_over(set);
        while (cursor_left(&pairs) && der_expect(&pairs, DER_SEQUENCE, &pair)) {
            struct cursor inner = cursor_over(pair);
            struct span oid;
            struct der value;
            if (!der_expect(&inner, DER_OID, &oid) || !der_next(&inner, &value) || oid.len != 3 ||
                !span_starts(oid, SPAN_LITERAL("\x55\x04"))) {
                continue;
            }
            int kind = span_byte(oid, 2);
            struct name_values *values = kind == 3    ? &ret->common
                                         : kind == 10 ? &ret->organization
                                         : kind == 11 ? &ret->unit
                                                      : NULL;
            if (values && values->count < NAME_VALUES_MAX) {
                values->at[values->count++] = value;
            }
        }
    }
    return true;
}

static bool values_equal(const struct name_values *a, const struct name_values *b) {
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (!span_equal_fold(a->at[i].body, b->at[i].body)) {
            return false;
        }
    }
    return true;
}

/* --- dates --- */

/* Days from 1970-01-01 to a date of the Gregorian calendar; years counted from March so that leap days come last. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    int64_t era = year / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* `n` digits, or -1. */
static int64_t digits_of(struct cursor *c, unsigned n) {
    int64_t value = 0;
    for (unsigned i = 0; i < n; i++) {
        uint8_t digit = (uint8_t)(cursor_u8(c) - '0');
        if (digit > 9) {
            c->failed = true;
            return -1;
        }
        value = value * 10 + digit;
    }
    return value;
}

/* UTCTime YYMMDDhhmm[ss] and GeneralizedTime YYYYMMDDhhmmss[.f], then Z or a difference to UTC. */
static bool read_time(struct cursor *c, int64_t *ret_seconds) {
    struct der element;
    if (!der_next(c, &element) || (element.tag != DER_UTC_TIME && element.tag != DER_GENERALIZED_TIME)) {
        c->failed = true;
        return false;
    }
    struct cursor text = cursor_over(element.body);
    int64_t year = digits_of(&text, element.tag == DER_UTC_TIME ? 2 : 4);
    if (element.tag == DER_UTC_TIME) {
        year += year < 50 ? 2000 : 1900; /* RFC 5280, 4.1.2.5.1 */
    }
    int64_t month = digits_of(&text, 2), day = digits_of(&text, 2);
    int64_t hour = digits_of(&text, 2), minute = digits_of(&text, 2), second = 0;
    int next = cursor_peek(&text, 0);
    if (next >= '0' && next <= '9') {
        second = digits_of(&text, 2);
    }
    if (cursor_peek(&text, 0) == '.') {
        do {
            cursor_skip(&text, 1);
            next = cursor_peek(&text, 0);
        } while (next >= '0' && next <= '9');
    }
    int64_t shift = 0;
    next = cursor_peek(&text, 0);
    if (next == '+' || next == '-') {
        cursor_skip(&text, 1);
        shift = digits_of(&text, 2) * 3600;
        shift += digits_of(&text, 2) * 60;
        shift = next == '-' ? -shift : shift;
    }
    if (!cursor_ok(&text) || month < 1 || month > 12 || day < 1 || day > 31 || hour > 24 || minute > 59 ||
        second > 60) {
        return false;
    }
    *ret_seconds = days_of(year, month, day) * DAY + hour * 3600 + minute * 60 + second - shift;
    return true;
}

/* --- the walk --- */

/* SubjectPublicKeyInfo ::= SEQUENCE { SEQUENCE { OID, parameters }, BIT STRING } */
static void read_key(struct span info, struct certificate *x) {
    struct cursor outer = cursor_over(info);
    struct span body;
    if (!der_expect(&outer, DER_SEQUENCE, &body)) {
        return;
    }
    struct cursor c = cursor_over(body);
    if (!der_expect(&c, DER_OID, &x->algorithm)) {
        return;
    }
    x->has_key = true;
    struct der parameters;
    if (der_next(&c, &parameters)) {
        x->has_curve = true;
        x->named_curve = parameters.tag == DER_OID;
        x->curve = parameters.body;
    }
}

static void read_extension(struct span body, struct certificate *x) {
    struct cursor c = cursor_over(body);
    struct span oid, value, inner;
    if (!der_expect(&c, DER_OID, &oid) || oid.len != 3 || !span_starts(oid, SPAN_LITERAL("\x55\x1d"))) {
        return;
    }
    if (cursor_peek(&c, 0) == DER_BOOLEAN) {
        struct der critical;
        (void)der_next(&c, &critical);
    }
    if (!der_expect(&c, DER_OCTET_STRING, &value)) {
        return;
    }
    c = cursor_over(value);
    switch (span_byte(oid, 2)) {
    case 15: /* KeyUsage: bit 5 is keyCertSign */
        if (der_expect(&c, DER_BIT_STRING, &inner)) {
            x->signs_certificates = inner.len >= 2 && (span_byte(inner, 1) & 0x04);
        }
        break;
    case 17: /* SubjectAltName */
        if (der_expect(&c, DER_SEQUENCE, &inner)) {
            x->alt_names = inner;
        }
        break;
    case 19: /* BasicConstraints */
        if (der_expect(&c, DER_SEQUENCE, &inner)) {
            c = cursor_over(inner);
            x->basic_ca = der_expect(&c, DER_BOOLEAN, &inner) && inner.len == 1 && span_byte(inner, 0) != 0;
        }
        break;
    default:
        break;
    }
}

static void read_extensions(struct span explicit, struct certificate *x) {
    struct cursor outer = cursor_over(explicit);
    struct span list, extension;
    if (!der_expect(&outer, DER_SEQUENCE, &list)) {
        return;
    }
    struct cursor c = cursor_over(list);
    for (unsigned i = 0; i < EXTENSIONS_MAX && der_expect(&c, DER_SEQUENCE, &extension); i++) {
        read_extension(extension, x);
    }
}

/* Fills what can be read, in the order it stands; false when the walk ended before the public key. */
static bool read_certificate(struct span der, struct certificate *x) {
    struct cursor c = cursor_over(der);
    struct span body, part;
    if (!der_expect(&c, DER_SEQUENCE, &body)) {
        return false;
    }
    c = cursor_over(body);
    if (!der_expect(&c, DER_SEQUENCE, &body)) {
        return false;
    }
    c = cursor_over(body); /* TBSCertificate */
    struct der element;
    if (cursor_peek(&c, 0) == 0xa0) {
        (void)der_next(&c, &element); /* version; absent in the first one */
    }
    if (!der_expect(&c, DER_INTEGER, &x->serial) || !der_expect(&c, DER_SEQUENCE, &part) ||
        !read_name(&c, &x->issuer) || !der_expect(&c, DER_SEQUENCE, &part)) {
        return false;
    }
    struct cursor dates = cursor_over(part);
    x->has_dates = read_time(&dates, &x->not_before) && read_time(&dates, &x->not_after);
    if (!read_name(&c, &x->subject) || !der_expect(&c, DER_SEQUENCE, &part)) {
        return false;
    }
    read_key(part, x);
    while (der_next(&c, &element)) {
        if (element.tag == 0xa3) {
            read_extensions(element.body, x);
        }
    }
    return true;
}

/* --- putting --- */

static uint64_t not_negative(int64_t value) {
    return value > 0 ? (uint64_t)value : 0;
}

static void put_dates(struct dissect *d, struct object o, const struct certificate *x) {
    int64_t now = d->flow->first_time / 1000000000;
    uint64_t valid = not_negative(x->not_after - x->not_before), left = not_negative(x->not_after - now);
    object_u64(d, o, NOT_BEFORE, not_negative(x->not_before) * 1000);
    object_u64(d, o, NOT_AFTER, not_negative(x->not_after) * 1000);
    object_u64(d, o, VALID_DAYS, valid / DAY);
    object_u64(d, o, VALID_SECONDS, valid);
    object_u64(d, o, REMAINING_DAYS, left / DAY);
    object_u64(d, o, REMAINING_SECONDS, left);
}

/* An identifier nobody named: its numbers with dots, cut at the buffer's end. */
static struct span oid_text(struct span oid, char text[OID_TEXT]) {
    struct cursor c = cursor_over(oid);
    size_t len = 0;
    bool first = true;
    while (cursor_left(&c) && len < OID_TEXT) {
        uint64_t part = 0;
        uint8_t octet;
        do {
            octet = cursor_u8(&c);
            part = part << 7 | (octet & 0x7f);
        } while (octet & 0x80 && cursor_left(&c));
        uint64_t root = MIN(part / 40, (uint64_t)2);
        int n = first ? snprintf(text + len, OID_TEXT - len, "%u.%llu", (unsigned)root,
                                 (unsigned long long)(part - root * 40))
                      : snprintf(text + len, OID_TEXT - len, ".%llu", (unsigned long long)part);
        len += n > 0 ? (size_t)n : 0;
        first = false;
    }
    return span_make(text, MIN(len, (size_t)OID_TEXT - 1));
}

static void put_key(struct dissect *d, struct object o, const struct certificate *x) {
    char text[OID_TEXT];
    const char *algorithm = cert_algorithm_name(x->algorithm);
    if (algorithm) {
        object_const(d, o, PUBLIC_ALGORITHM, algorithm);
    } else {
        object_text(d, o, PUBLIC_ALGORITHM, oid_text(x->algorithm, text));
    }
    if (!algorithm || strcmp(algorithm, "id-ecPublicKey") != 0) {
        return;
    }
    /* Parameters of one's own are forbidden in certificates (RFC 5480, 2.1.1): they are how CVE-2020-0601 forges keys.
     */
    if (!x->has_curve || !x->named_curve) {
        object_const(d, o, CURVE, "corrupt");
        return;
    }
    const char *curve = cert_curve_name(x->curve);
    if (curve) {
        object_const(d, o, CURVE, curve);
    } else {
        object_text(d, o, CURVE, oid_text(x->curve, text));
    }
}

/* A name nobody would register: empty, or with blanks, control characters or bytes that no host name has. */
static bool name_is_bad(struct span name) {
    struct cursor c = cursor_over(name);
    while (cursor_left(&c)) {
        uint8_t byte = cursor_u8(&c);
        if (byte <= ' ' || byte >= 0x7f) {
            return true;
        }
    }
    return name.len == 0;
}

static void put_alt_names(struct dissect *d, struct object o, struct span names) {
    struct cursor c = cursor_over(names);
    struct der name;
    for (unsigned i = 0; i < ALT_NAMES_MAX && der_next(&c, &name); i++) {
        char text[INET6_ADDRSTRLEN];
        switch (name.tag) {
        case 0x81: /* rfc822Name */
        case 0x82: /* dNSName */
        case 0x86: /* uniformResourceIdentifier */
            if (name_is_bad(name.body)) {
                dissect_tag(d, "bad-altname");
            } else {
                object_text(d, o, ALT, name.body);
            }
            break;
        case 0x87: /* iPAddress */
            if ((name.body.len == 4 || name.body.len == 16) &&
                inet_ntop(name.body.len == 4 ? AF_INET : AF_INET6, name.body.at, text, sizeof(text))) {
                object_text(d, o, ALT, span_text(text));
            } else {
                dissect_tag(d, "bad-altname");
            }
            break;
        default:
            break;
        }
    }
}

static void put_hash(struct dissect *d, struct object o, const uint8_t digest[20]) {
    char hex[40], text[FINGERPRINT_TEXT];
    hex_write(digest, 20, hex);
    for (unsigned i = 0; i < FINGERPRINT_TEXT; i++) {
        text[i] = i % 3 == 2 ? ':' : hex[i / 3 * 2 + i % 3];
    }
    object_text(d, o, HASH, span_make(text, sizeof(text)));
}

void cert_put(struct dissect *d, struct span der, bool leaf) {
    struct dissect as = dissect_as(d, DISSECTOR_CERT);
    uint8_t digest[DIGEST_MAX];
    if (digest_memo(d->digests, DIGEST_SHA1, der, digest) != 20) {
        return;
    }
    bool is_new;
    struct object o = put_object(&as, CERT, read_be64(digest) | 1, &is_new);
    if (!is_new) {
        return;
    }
    struct certificate x = {0};
    bool whole = read_certificate(der, &x);
    put_hash(&as, o, digest);
    if (x.serial.len) {
        char text[2 * SERIAL_MAX];
        struct span serial = span_sub(x.serial, 0, SERIAL_MAX);
        hex_write(serial.at, serial.len, text);
        object_text(&as, o, SERIAL, span_make(text, 2 * serial.len));
    }
    put_name(&as, o, ISSUER_CN, &x.issuer.common);
    put_name(&as, o, ISSUER_ON, &x.issuer.organization);
    put_name(&as, o, ISSUER_OU, &x.issuer.unit);
    put_name(&as, o, SUBJECT_CN, &x.subject.common);
    put_name(&as, o, SUBJECT_ON, &x.subject.organization);
    put_name(&as, o, SUBJECT_OU, &x.subject.unit);
    if (x.has_dates) {
        put_dates(&as, o, &x);
    }
    if (x.has_key) {
        put_key(&as, o, &x);
    }
    put_alt_names(&as, o, x.alt_names);
    /* An authority by RFC 5280, 4.2.1.3 and 4.2.1.9: it says it is one, and its key is for signing certificates. */
    if (x.basic_ca && x.signs_certificates) {
        dissect_tag(&as, "cert:certificate-authority");
    } else if (leaf && whole && x.issuer.common.count == 1 && values_equal(&x.issuer.common, &x.subject.common) &&
               values_equal(&x.issuer.organization, &x.subject.organization)) {
        dissect_tag(&as, "cert:self-signed");
    }
}

const struct dissector dissector_cert = {
    .name = "cert",
    .title = "X.509 certificates",
    .spec = "RFC 5280",
    .fields = fields,
    .field_count = ARRAY_LEN(fields),
    .silent = true,
};
