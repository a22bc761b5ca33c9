/* captures.h: single packets out of the captures a store knows by number.
 *
 * Owner: caller, one per request. Thread: one. Cost: that of source.h's random reading; some captures stay open between
 * reads, so reading in the order of (file, position) is one pass. Failure: a capture that is gone, was changed or is
 * none any more answers with a sentence that names it, once and for all.
 */
#ifndef SEINE_FETCH_CAPTURES_H
#define SEINE_FETCH_CAPTURES_H

#include "base/err.h"
#include "packet/packet.h"

/* What the store knows of a capture. */
struct capture_known {
    const char *name; /* full path, or "archive!member" */
    uint64_t size;    /* bytes on disk when it was read; 0 = not known */
};

/* Fills `ret` for capture `number`; what it points to lives as long as the struct captures. -ENOENT: no such one. */
typedef int (*capture_find_fn)(void *ctx, uint32_t number, struct capture_known *ret);

struct captures;

struct captures *captures_new(capture_find_fn find, void *ctx);
struct captures *captures_free(struct captures *c);

/* The packet at `position` of capture `file`; its bytes are valid until the next call, its `file` is the store's
 * number. -ENOENT: the capture is not there; -ESTALE: it is not what it was; -EBADMSG: no packet is there; -errno of
 * reading. */
int captures_read(struct captures *c, uint32_t file, uint64_t position, struct packet *ret_packet, struct err *ret_err);
/* Name of a capture, or NULL. */
const char *captures_name(struct captures *c, uint32_t file);

#endif
