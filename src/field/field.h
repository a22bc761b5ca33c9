/* field.h: the declarative table entry of a field.
 *
 * A protocol declares its fields once; document keys, expression names, schemas, docs and help are printed from here.
 * Tables are const and live in read-only memory; the registry (registry.h) gives entries their ids at start.
 */
#ifndef SEINE_FIELD_FIELD_H
#define SEINE_FIELD_FIELD_H

#include <stdint.h>

enum field_type {
    FT_U64,   /* whole number */
    FT_I64,   /* whole number with sign */
    FT_FLOAT, /* double */
    FT_TIME,  /* ms since 1970 */
    FT_BOOL,
    FT_KEYWORD, /* exact text */
    FT_LOWER,   /* keyword folded to lower case when stored */
    FT_UPPER,   /* keyword folded to upper case when stored */
    FT_TEXT,    /* tokenised when searched */
    FT_IP,      /* 16 bytes, IPv4 as ::ffff:a.b.c.d */
    FT_MAC,     /* 6 bytes; written aa:bb:cc:dd:ee:ff */
    FT_OBJECT,  /* children are the entries whose path begins with this one's and a dot */
    FT_UNION,   /* exists in expressions only: any of `members` */
};

/* Every field is a list of distinct values, unless said otherwise. */
#define F_SINGLE 0x0001        /* one value, written without brackets; the last one put wins unless F_FIRST */
#define F_FIRST 0x0002         /* with F_SINGLE: the first one put wins */
#define F_COUNT 0x0004         /* `<path>Cnt` is written beside it */
#define F_ECS_COUNT 0x0008     /* `<path>-cnt` is written beside it */
#define F_REPEAT 0x0010        /* a list that keeps equal values, in order */
#define F_LINKED 0x0020        /* kept when a long session is saved in pieces */
#define F_UTF8 0x0040          /* text is UTF-8 by its protocol; without it high bytes are Latin-1 unless valid UTF-8 */
#define F_GEO 0x0080           /* with FT_IP: companions GEO, ASN and RIR beside it (path ends in "Ip" or "ip") */
#define F_TOKENS 0x0100        /* `<path>Tokens` twin for search */
#define F_VIRTUAL 0x0200       /* search name only; not stored under its own id (unions, aliases of object children) */
#define F_COMPUTED 0x0400      /* read from the record's fixed part by `get` */
#define F_DEEP 0x0800          /* nested at every dot (source.geo.country_iso_code), not only at the first */
#define F_NODB 0x1000          /* written, but not offered for search */
#define F_PORT 0x2000          /* display hint: a port */
#define F_BYTES 0x4000         /* display hint: bytes */
#define F_SECONDS 0x8000       /* display hint: seconds */
#define F_SUM 0x10000          /* with F_SINGLE number: values put are added up */
#define F_OBJECT_COUNT 0x20000 /* with FT_OBJECT: `<path>Cnt` counts the elements */
#define F_OPTIONAL 0x40000     /* F_COMPUTED list: left out when empty (others are written as []) */

struct record;
struct value;

struct field_def {
    const char *path; /* in the document: "http.requestHeader" */
    const char *name; /* in expressions: "http.hasheader.src"; NULL = not offered */
    enum field_type type;
    uint32_t flags;
    const char *title; /* for people: "HTTP Src Header" */
    const char *help;
    const char *members;  /* FT_UNION: comma-separated expression names */
    const char *category; /* ip, host, port, user, md5, url, ...: what right-click offers; may be NULL */
    const char *aliases;  /* comma-separated further expression names; may be NULL */
    /* F_COMPUTED: false when the record has no such value */
    _Bool (*get)(const struct record *r, struct value *ret);
};

#endif
