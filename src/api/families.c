/* families.c: all families of endpoints. A new family is a line here and a table in a file of its own. */
#include "api/api.h"

extern const struct endpoint_family meta_family;

const struct endpoint_family *const api_families[] = {
    &meta_family,
    NULL,
};
