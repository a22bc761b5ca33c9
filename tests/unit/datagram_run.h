/* datagram_run.h: dissect_run.h for protocols over datagrams. */
#ifndef SEINE_TESTS_DATAGRAM_RUN_H
#define SEINE_TESTS_DATAGRAM_RUN_H

#include "dissect_run.h"

/* Begins a session of datagrams; the source is the lower of the two addresses. */
static inline void datagram_start(struct dissect_run *r, enum flow_kind kind, uint16_t src_port, uint16_t dst_port) {
    run_start(r, dst_port);
    r->session.key.low_port = src_port;
    r->session.kind = (uint8_t)kind;
    r->session.ip_protocol = kind == FLOW_ICMP ? 1 : 17;
}

static inline void datagram_start_other(struct dissect_run *r, enum flow_other other) {
    datagram_start(r, FLOW_OTHER, 0, 0);
    r->session.key.tag = (uint32_t)FLOW_OTHER << 28 | (uint32_t)other << 24;
}

static inline void datagram_say(struct dissect_run *r, unsigned side, struct span bytes) {
    struct packet p = {.data = bytes.at, .captured = (uint32_t)bytes.len, .wire = (uint32_t)bytes.len};
    p.payload_len = (uint32_t)bytes.len;
    dissect_datagram(r->engine, &r->session, side, bytes, &p);
}

#endif
