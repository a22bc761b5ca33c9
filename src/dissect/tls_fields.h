/* tls_fields.h: the fields of TLS by number; the table is in tls.c. */
#ifndef SEINE_DISSECT_TLS_FIELDS_H
#define SEINE_DISSECT_TLS_FIELDS_H

enum tls_field {
    TLS_VERSION,
    TLS_CIPHER,
    TLS_JA3,
    TLS_JA3_STRING,
    TLS_JA3S,
    TLS_JA3S_STRING,
    TLS_JA4,
    TLS_JA4_RAW,
    TLS_SRC_SESSION_ID,
    TLS_DST_SESSION_ID,
    TLS_ANY_SESSION_ID,
    TLS_FIELDS,
};

#endif
