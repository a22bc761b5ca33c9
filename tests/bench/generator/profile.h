/*
 * A profile: which flows a capture consists of, how many and how fast. A profile is a const table; the generator walks
 * it. Scaling changes the number of flows and the length in time, not the rate.
 */
#pragma once

#include "maker.h"

struct profile {
    const char *name;
    const char *title;
    uint32_t flows;      /* conversations begun at scale 1 */
    uint32_t arrival_us; /* they begin within this time, at scale 1 */
    uint32_t tail_us;    /* the capture runs on this long, at every scale */
    bool certificates;   /* some recipe presents them */
    struct habits habits;
    const struct recipe *recipes;
    uint32_t recipe_count;
};

extern const struct profile profile_small;
extern const struct profile profile_mixed;
extern const struct profile profile_web;
extern const struct profile profile_exotic;
extern const struct profile profile_open;
