/*
 * Writes one capture of a profile.
 */
#pragma once

#include "profile.h"

struct capture_options {
    uint64_t seed;
    double scale;
};

struct capture_summary {
    uint64_t flows;
    uint64_t packets;
    uint64_t bytes; /* of frames */
    uint64_t first_us;
    uint64_t last_us;
    uint64_t hash; /* of everything written */
};

/* What one recipe put in, for tuning a profile: indexed as profile->recipes. */
struct recipe_count {
    uint64_t flows;
    uint64_t packets;
    uint64_t bytes;
};

/* Writes to the descriptor (or only hashes when it is -1). counts may be NULL. 0 or -errno; -EIO for libcrypto. */
int capture_write(const struct profile *profile, const struct capture_options *options, int fd,
                  struct capture_summary *ret_summary, struct recipe_count *ret_counts);
