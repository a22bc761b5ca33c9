/* export.h: which sessions a user means: ids and ends of connections, as written on the command line. */
#ifndef SEINE_CMD_EXPORT_H
#define SEINE_CMD_EXPORT_H

#include "base/err.h"
#include "record/record.h"

/* `<suffix>-<22 characters>[-<piece>]`, as documents show it, or the 22 characters alone. */
struct wanted_id {
    char id[24];
    uint32_t piece; /* 0 = all */
};

/* One end or both may leave the port out, which then is any. */
struct wanted_flow {
    uint8_t ip[2][16];
    uint16_t port[2];
    bool any_port[2];
    uint8_t protocol; /* 0 = any */
};

int wanted_id_parse(const char *text, struct wanted_id *ret, struct err *ret_err);
/* `ADDRESS[:PORT]-ADDRESS[:PORT][/PROTOCOL]`; IPv6 addresses with a port stand in brackets. */
int wanted_flow_parse(const char *text, struct wanted_flow *ret, struct err *ret_err);

bool wanted_id_fits(const struct wanted_id *w, const struct record *r);
bool wanted_flow_fits(const struct wanted_flow *w, const struct record *r); /* in either direction */

#endif
