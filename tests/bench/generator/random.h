/*
 * The pseudo-random numbers behind the benchmark captures: xoshiro256** (Blackman, Vigna), seeded through splitmix64.
 * Only integer arithmetic is used, so that one seed gives the same capture on every machine and with every libc.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_init(struct random *r, uint64_t seed);

/* Fills n bytes. */
void random_fill(struct random *r, void *bytes, size_t n);

static inline uint64_t random_rotate(uint64_t x, int n) {
    return x << n | x >> (64 - n);
}

static inline uint64_t random_u64(struct random *r) {
    uint64_t *s = r->state;
    uint64_t result = random_rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = random_rotate(s[3], 45);
    return result;
}

static inline uint32_t random_u32(struct random *r) {
    return (uint32_t)(random_u64(r) >> 32);
}

/* A number in [0, n); 0 when n is 0. */
static inline uint32_t random_below(struct random *r, uint32_t n) {
    return (uint32_t)((uint64_t)random_u32(r) * n >> 32);
}

/* A number in [low, high]. */
static inline uint32_t random_between(struct random *r, uint32_t low, uint32_t high) {
    return low + random_below(r, high - low + 1);
}

/* A number in [low, high], mostly near low (the cube of a uniform one): sizes, waiting times, popularity. */
static inline uint32_t random_skewed(struct random *r, uint32_t low, uint32_t high) {
    uint64_t u = random_u64(r) >> 43; /* 21 bits, so that its cube fits into 63 */
    uint64_t cube = u * u * u >> 31;  /* 32 bits */
    return low + (uint32_t)(cube * (high - low + 1) >> 32);
}

/* True in `permille` of 1000 cases. */
static inline bool random_chance(struct random *r, uint32_t permille) {
    return random_below(r, 1000) < permille;
}
