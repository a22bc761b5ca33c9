/* crc32c.h: the checksum of everything the store writes (Castagnoli polynomial, RFC 3720 appendix B.4).
 *
 * Thread: any. Cost: about 0.05 ns a byte with SSE 4.2 and PCLMUL, 2 ns without. Failure: none.
 */
#ifndef SEINE_STORE_CRC32C_H
#define SEINE_STORE_CRC32C_H

#include "base/span.h"

/* `crc`: 0, or the result for the bytes before. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

/* Whether these bytes are those that `crc` was made of. For fuzzers they always are: they shall come past this. */
static inline bool crc32c_holds(uint32_t crc, const void *data, size_t len) {
#ifdef SEINE_FUZZ
    (void)crc;
    (void)data;
    (void)len;
    return true;
#else
    return crc32c(0, data, len) == crc;
#endif
}

#endif
