/* text.h: readings that text protocols share: base64, percent escapes, addresses.
 *
 * Owner: results live in the arena that is passed in. Thread: any. Cost: one pass. Failure: false, and nothing is
 * returned.
 */
#ifndef SEINE_DISSECT_TEXT_H
#define SEINE_DISSECT_TEXT_H

#include "base/arena.h"
#include "base/span.h"

/* RFC 4648, both alphabets; blanks are skipped, padding or any other byte ends it. False when nothing could be read. */
bool text_base64(struct arena *scratch, struct span text, struct span *ret);

/* RFC 3986 2.1. False when an escape is malformed or stands for NUL. Text without escapes is returned as it is. */
bool text_percent(struct arena *scratch, struct span text, struct span *ret);

/* IPv4 (as ::ffff:a.b.c.d) or IPv6, with or without brackets, port and zone. */
bool text_ip(struct span text, uint8_t ret_ip[16]);

/* Copies at most `room` bytes; returns how many. */
static inline size_t text_copy(uint8_t *to, size_t room, struct span from) {
    size_t n = from.len < room ? from.len : room;
    for (size_t i = 0; i < n; i++) {
        to[i] = (uint8_t)span_byte(from, i);
    }
    return n;
}

#endif
