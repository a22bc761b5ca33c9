/* conversation.h: what the two sides of one stored session sent: its packets decoded again, its bytes in order.
 *
 * The same decoder and flow table as at reading time run over just these packets, so what comes is what dissectors saw.
 *
 * Owner: caller's stack. Thread: one. Cost: that of reading the packets, some 200 ns each on top. Failure: -errno; a
 * packet that cannot be read is counted, the first reason kept, and the rest goes on.
 */
#ifndef SEINE_FETCH_CONVERSATION_H
#define SEINE_FETCH_CONVERSATION_H

#include "fetch/captures.h"
#include "record/record.h"

/* One packet of the session. */
struct conversation_frame {
    uint64_t number;             /* from 1 */
    unsigned side;               /* SIDE_SRC: the session's source sent it */
    const struct packet *packet; /* decoded; bytes valid during the call */
    const uint8_t *data;         /* as captured, also where the packet completed a reassembled datagram */
    uint32_t captured;
};

/* Bytes of one side: a datagram, or what came next in its stream. */
struct conversation_piece {
    unsigned side;
    bool datagram;
    int64_t time; /* ns: packet that brought them */
    uint64_t gap; /* bytes missing before them */
    struct span bytes;
};

struct conversation_hooks {
    void *ctx;
    /* Either may be NULL; false ends the reading. */
    bool (*frame)(void *ctx, const struct conversation_frame *f);
    bool (*piece)(void *ctx, const struct conversation_piece *p);
};

struct conversation_result {
    uint64_t packets; /* read */
    uint64_t lost;    /* could not be */
    bool ended;       /* a hook said so */
    struct err why;   /* of the first lost packet */
};

/* `session`: its ends and positions count. `limit`: packets to read; 0 = all. */
int conversation_read(struct captures *captures, const struct record *session, uint64_t limit,
                      const struct conversation_hooks *hooks, struct conversation_result *ret_result);

#endif
