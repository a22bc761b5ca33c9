/* derived.c: which fields have no column because others give their values. */
#include "base/util.h"
#include "store/part.h"

bool path_is_derived(struct span path) {
    static const char *const derived[] = {
        "network.bytes",   "network.packets", "totDataBytes",         "length",    "packetRange.gte",
        "packetRange.lte", "packetPos",       "network.community_id", "packetLen",
    };
    for (size_t i = 0; i < ARRAY_LEN(derived); i++) {
        if (span_is(path, derived[i])) {
            return true;
        }
    }
    return false;
}
