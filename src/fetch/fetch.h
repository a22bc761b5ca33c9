/* fetch.h: packets of sessions back out of the captures they were read from.
 *
 * Owner: caller. Thread: one per call. Cost: one pass over the captures concerned, in the order of positions; plain
 * pcap files are read only where packets of the sessions lie. Failure: a packet that is no longer there is counted and
 * the rest is written; only what stops writing (no memory, a full disk) ends it.
 */
#ifndef SEINE_FETCH_FETCH_H
#define SEINE_FETCH_FETCH_H

#include "base/err.h"
#include "fetch/captures.h"
#include "pcapio/writer.h"
#include "record/record.h"
#include "source/source.h"

/* As Arkime writes it: four letters, then the session's document. */
#define PACKET_BLOCK_SESSION 0x80808080u
#define PACKET_BLOCK_SESSION_TAG "MOWL"

struct fetch_session {
    const char *id;
    const char *tags; /* as shown: "a, b"; NULL or "" = none */
    const struct packet_position *positions;
    size_t count;
    int64_t first_time, last_time; /* ns; of a store: see capture_packet */
    struct span document; /* JSON; stands before its first packet in pcapng (PACKET_BLOCK_SESSION); may be empty */
};

enum fetch_order {
    FETCH_BY_TIME, /* over all files; exact as long as `memory` holds what lies between */
    FETCH_BY_FILE, /* as they lie in the files */
};

struct fetch_request {
    const struct fetch_session *sessions;
    size_t count;
    enum fetch_order order;
    bool comment_every;           /* each packet names its sessions, not only the first one of each */
    uint64_t memory;              /* bytes of packets held back for sorting; 0 = 64 MiB */
    bool (*cancelled)(void *ctx); /* asked at every packet; NULL = never */
    void *ctx;
};

struct fetch_result {
    uint64_t packets, bytes; /* written */
    uint64_t lost;           /* positions where no packet was found */
    uint64_t complete;       /* sessions with all their packets */
    uint64_t incomplete;     /* sessions with some or all packets missing */
    uint64_t unsorted;       /* packets older than one written before: `memory` was too small */
    struct err why;          /* of the first lost packet */
};

/* Writes the packets of the request's sessions to `w`; one that belongs to several is written once. 0, or -errno. */
int fetch_packets(const struct input_list *inputs, const struct fetch_request *request, struct packet_writer *w,
                  struct fetch_result *ret_result, struct err *ret_err);
/* The same from the captures of a store, whose numbers the positions name. -ECANCELED: `cancelled` said so. */
int fetch_stored(struct captures *captures, const struct fetch_request *request, struct packet_writer *w,
                 struct fetch_result *ret_result, struct err *ret_err);

#endif
