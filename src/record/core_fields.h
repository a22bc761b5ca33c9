/* core_fields.h: the fields every session has; the first table registered, so that its ids are these constants. */
#ifndef SEINE_RECORD_CORE_FIELDS_H
#define SEINE_RECORD_CORE_FIELDS_H

#include "field/registry.h"

enum core_field {
    CORE_PROTOCOL,
    CORE_TAGS,
    CORE_USER,
    CORE_ASSET,
    CORE_SRC_MAC,
    CORE_DST_MAC,
    CORE_SRC_OUTER_MAC,
    CORE_DST_OUTER_MAC,
    CORE_SRC_OUTER_IP,
    CORE_DST_OUTER_IP,
    CORE_VLAN,
    CORE_DOT1Q,
    CORE_DOT1AD,
    CORE_VNI,
    CORE_SRC_DSCP,
    CORE_DST_DSCP,
    CORE_SRC_TTL,
    CORE_DST_TTL,
    CORE_SRC_COUNTRY,
    CORE_DST_COUNTRY,
    CORE_SRC_REGION,
    CORE_DST_REGION,
    CORE_SRC_CITY,
    CORE_DST_CITY,
    CORE_SRC_AS_NUMBER,
    CORE_DST_AS_NUMBER,
    CORE_SRC_AS_FULL,
    CORE_DST_AS_FULL,
    CORE_SRC_AS_NAME,
    CORE_DST_AS_NAME,
    CORE_SRC_RIR,
    CORE_DST_RIR,
    CORE_SRC_OUI,
    CORE_DST_OUI,
    CORE_SRC_OUTER_OUI,
    CORE_DST_OUTER_OUI,
    CORE_ROOT_ID,
    CORE_SCRUBBED_BY,
    CORE_SCRUBBED_AT,
    CORE_STORED_FIELDS, /* computed ones follow in the table */
};

extern const struct field_def core_field_table[];
extern const size_t core_field_count;

#endif
