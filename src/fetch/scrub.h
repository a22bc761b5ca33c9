/* scrub.h: overwrites the bytes of packets where they lie in their captures.
 *
 * Three passes over each packet's bytes (0x00, 0x01, a text), each on disk before the next; record headers stay, so
 * that the capture can be read as before. Only plain pcap and pcapng files can be changed: in compressed ones and in
 * archives a packet has no bytes of its own. What lies at a position is compared with what reading gives before it is
 * overwritten.
 *
 * Owner: caller. Thread: one. Cost: a read and three writes a packet, four syncs a capture. Failure: -errno with a
 * sentence that names the capture and why; scrub_check says so before anything was changed.
 */
#ifndef SEINE_FETCH_SCRUB_H
#define SEINE_FETCH_SCRUB_H

#include "fetch/captures.h"
#include "record/record.h"

/* Whether packets of this capture can be overwritten by this process. `own`: the folder it must lie in, NULL: any.
 * -ENOENT, -ESTALE: not there, not what it was; -EOPNOTSUPP: archive, compressed, no regular file, no capture; -EPERM:
 * outside `own`, or with a second name (hard link) that may be; -EACCES, -EROFS: not writable. */
int scrub_check(const struct capture_known *known, const char *own, struct err *ret_err);

struct scrub_result {
    uint64_t packets, bytes; /* overwritten */
    uint64_t lost;           /* positions where no packet was found */
    struct err why;          /* of the first lost one */
};

/* Overwrites `packets`, which are sorted by file and place on the way. Each capture was checked by
 * scrub_check; it is looked at again as it is opened. */
struct scrub_request {
    struct captures *captures;
    const char *own;                /* as in scrub_check */
    struct capture_packet *packets; /* with the times of their sessions: another packet in their place is left alone */
    size_t count;
    bool (*cancelled)(void *ctx); /* between captures; NULL = never */
    void *ctx;
};
int scrub_packets(const struct scrub_request *request, struct scrub_result *ret_result, struct err *ret_err);

#endif
