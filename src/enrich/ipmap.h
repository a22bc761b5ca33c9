/* ipmap.h: networks to values, longest prefix first.
 *
 * Owner: caller; built at start, then read-only. Thread: any after building. Cost of a look-up: one hash probe per
 * distinct prefix length present (a handful in practice), longest first. Addresses are 16 bytes, IPv4 as
 * ::ffff:a.b.c.d.
 */
#ifndef SEINE_ENRICH_IPMAP_H
#define SEINE_ENRICH_IPMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ipmap;

struct ipmap *ipmap_new(void);
struct ipmap *ipmap_free(struct ipmap *m);

/* "10.0.0.1", "10.180/16", "10.1.", "2001:db8::/32". IPv4 prefixes count from the left of the 4 bytes; a partial
 * address without a length means its whole bytes. 0 or -EINVAL. */
int ip_parse_network(const char *text, size_t len, uint8_t ret_ip[16], unsigned *ret_prefix);

/* The first value of a network stays. 0, -EEXIST, -ENOMEM. `prefix` 0 to 128. */
int ipmap_add(struct ipmap *m, const uint8_t ip[16], unsigned prefix, const void *value);
size_t ipmap_count(const struct ipmap *m);

/* Value of the longest network `ip` lies in, or NULL. */
const void *ipmap_find(const struct ipmap *m, const uint8_t ip[16]);
/* Values of all networks it lies in, longest first; returns how many were written (at most `max`). */
size_t ipmap_find_all(const struct ipmap *m, const uint8_t ip[16], const void **ret, size_t max);

#endif
