/*
 * DNS messages, also for the profiles that need a look-up before a connection.
 */
#pragma once

#include "maker.h"

enum {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_HTTPS = 65
};

/* A question and, when `answers` is set, what a resolver says to it. The name is that of the server with this number.
 */
void dns_put_message(struct buffer *b, struct maker *m, uint16_t id, const char *name, unsigned type, bool answers);

/* Points the path at one of the two resolvers of the office. */
void dns_connect(struct maker *m);

/* The flow of one look-up of this name: A and AAAA, from one port. */
void dns_lookup(struct maker *m, uint32_t server);
