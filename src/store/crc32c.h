/* crc32c.h: the checksum of everything the store writes (Castagnoli polynomial, RFC 3720 appendix B.4).
 *
 * Thread: any. Cost: about 0.15 ns a byte with SSE 4.2, 2 ns without. Failure: none.
 */
#ifndef SEINE_STORE_CRC32C_H
#define SEINE_STORE_CRC32C_H

#include "base/span.h"

/* `crc`: 0, or the result for the bytes before. */
uint32_t crc32c(uint32_t crc, const void *data, size_t len);

#endif
