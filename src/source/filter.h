/* filter.h: a BPF expression, compiled per link type when the first packet of that type comes.
 *
 * Owner: one source. Thread: one. Cost: libpcap's interpreter, about 20 to 100 ns a packet. Failure: filter_new tells
 * what is wrong with the expression; one that does not apply to a link type lets no packet of that type pass.
 */
#ifndef SEINE_SOURCE_FILTER_H
#define SEINE_SOURCE_FILTER_H

#include "base/err.h"
#include "packet/packet.h"

struct filter;
struct filter_code; /* for one link type */

/* -EINVAL with libpcap's words when the expression compiles for no link type at all. */
int filter_new(const char *expression, struct filter **ret_filter, struct err *ret_err);
struct filter *filter_free(struct filter *f);

/* The code for a link type. `*ret_why` is set (libpcap's words) the first time an expression turns out not to apply to
 * it, else NULL. NULL without memory. */
const struct filter_code *filter_for(struct filter *f, uint16_t link, const char **ret_why);
bool filter_pass(const struct filter_code *code, const uint8_t *data, uint32_t captured, uint32_t wire);

#endif
