/* set.h: the inside of a dissect_set, for engine.c. */
#ifndef SEINE_DISSECT_SET_H
#define SEINE_DISSECT_SET_H

#include "dissect/dissector.h"
#include "dissect/list.h"

#define DISSECTOR_NONE 0xff
#define CANDIDATES_MAX 31
#define PORT_HINTS_MAX 256
_Static_assert(DISSECTOR_COUNT < DISSECTOR_NONE, "ids fit a byte");

struct set_entry {
    const struct dissector *dissector;
    void *settings;
    void *shared;
    uint16_t base;
};

struct candidates {
    uint8_t count;
    uint8_t ids[CANDIDATES_MAX];
};

struct port_hint {
    uint16_t port;
    bool udp;
    uint8_t id;
};

struct dissect_set {
    unsigned count;
    struct set_entry entries[DISSECTOR_COUNT];
    struct candidates tcp_bytes[256], udp_bytes[256]; /* by first byte */
    struct port_hint ports[PORT_HINTS_MAX];
    unsigned port_count;
    uint8_t port_seen[8192]; /* a bit per port that any hint names */
    uint8_t by_other[OTHER_KINDS];
    uint8_t icmp;
};

#endif
