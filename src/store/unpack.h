/* unpack.h: what fills the slots of the cache (cache.h). Failure: -EBADMSG, said in the part's damage; -ENOMEM. */
#ifndef SEINE_STORE_UNPACK_H
#define SEINE_STORE_UNPACK_H

#include "store/part_open.h"

int unpack_dictionary(const struct column *c, uint32_t index, struct unpacked *ret); /* its index was read */
int unpack_lists(const struct column *c, uint32_t index, struct unpacked *ret);
int unpack_raw(const struct column *c, uint32_t index, struct unpacked *ret); /* block * 64 + run */

static inline struct span unpacked_value(const struct unpacked *p, uint32_t i) {
    if (p->width) {
        return span_make(p->bytes + (size_t)i * p->width, p->width);
    }
    uint32_t start = i ? p->ends[i - 1] : 0;
    return span_make(p->bytes + start, p->ends[i] - start);
}

#endif
