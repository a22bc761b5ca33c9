/* beacons.h: how sure a regular contact is one made by a program: from the jitter of its intervals. */
#ifndef SEINE_API_BEACONS_H
#define SEINE_API_BEACONS_H

#include "api/group.h"

#define BEACON_JITTER_HIGH 0.05
#define BEACON_JITTER_MEDIUM 0.15

const char *beacon_confidence(double jitter);
/* The expression that finds a beacon's sessions. */
void beacon_expression(const struct beacon *b, struct buf *out);

#endif
