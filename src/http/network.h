/* network.h: addresses and networks as text, and who stands behind proxies.
 *
 * Pure functions. Thread: any.
 */
#ifndef SEINE_HTTP_NETWORK_H
#define SEINE_HTTP_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_TEXT 64
#define TRUSTED_MAX 32

/* `network`: an address, or a network in CIDR form. False also when one of the two is no address. */
bool network_holds(const char *network, const char *address);

/* Which proxies are believed when they say who sent them a request. */
struct trusted {
    unsigned hops;                            /* so many in a row, whoever they are */
    char networks[TRUSTED_MAX][ADDRESS_TEXT]; /* or these */
    size_t count;
};
/* "", "false": none; "true": one; a number; addresses and networks separated by commas, also "loopback". -EINVAL. */
int trusted_parse(const char *text, struct trusted *ret);

/* The address that the nearest proxy which is not believed, or the client, has. `forwarded`: values of X-Forwarded-For
 * in the order in which they came; what in them is no address ends the way back. */
void trusted_client(const struct trusted *t, const char *peer, const char *const *forwarded, size_t count,
                    char ret[ADDRESS_TEXT]);

#endif
