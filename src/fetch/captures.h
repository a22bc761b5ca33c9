/* captures.h: single packets out of the captures a store knows by number.
 *
 * Owner: caller, one per request. Thread: one. Cost: that of source.h's random reading; some captures stay open between
 * reads, so reading in the order of (file, position) is one pass. Failure: a capture that is gone, was changed or is
 * none any more answers with a sentence that names it, once and for all. A packet is never taken for another one that
 * lies in its place now.
 */
#ifndef SEINE_FETCH_CAPTURES_H
#define SEINE_FETCH_CAPTURES_H

#include "base/err.h"
#include "packet/packet.h"
#include "record/record.h"

/* What the store knows of a capture. */
struct capture_known {
    const char *name; /* full path, or "archive!member" */
    uint64_t size;    /* bytes on disk when it was read; 0 = not known */
    int64_t modified; /* s since 1970: when it was changed last then; 0 = not known */
};

/* A packet of a session: where it lies, and what must be there. */
struct capture_packet {
    struct packet_position at;
    int64_t first, last; /* ns: times of its session's packets, as far as they are in order; 0 = not known */
};

/* Fills `ret` for capture `number`; what it points to lives as long as the struct captures. -ENOENT: no such one. */
typedef int (*capture_find_fn)(void *ctx, uint32_t number, struct capture_known *ret);

struct captures;

struct captures *captures_new(capture_find_fn find, void *ctx);
struct captures *captures_free(struct captures *c);

/* The packet that `want` names; its bytes are valid until the next call, its `file` is the store's number. -ENOENT: the
 * capture is not there; -ESTALE: it is not what it was: a longer packet is there, or, when the file was
 * changed since it was read, by a time that is none of the session's; -EBADMSG: no packet is there; -errno of reading.
 */
int captures_read(struct captures *c, const struct capture_packet *want, struct packet *ret_packet,
                  struct err *ret_err);
/* Name of a capture, or NULL. */
const char *captures_name(struct captures *c, uint32_t file);

#endif
