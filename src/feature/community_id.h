/* community_id.h: the flow hash that other tools give the same flow. Community ID, version 1, seed 0.
 *
 * Owner: caller. Thread: that of the digests. Cost: one SHA-1 of 40 bytes. Failure: an empty text (no SHA-1, or not
 * IP).
 */
#ifndef SEINE_FEATURE_COMMUNITY_ID_H
#define SEINE_FEATURE_COMMUNITY_ID_H

#include "base/digest.h"
#include "record/record.h"

/* Fills r->community_id for TCP, UDP, SCTP, ICMP and other IP sessions that have an address pair of their own. */
void community_id_fill(struct record *r, struct digests *digests);

/* The first 16 bits of the hash in an id. False: the text is no id of version 1. */
bool community_id_head(struct span id, uint16_t *ret_head);

#endif
