/*
 * Seeding and filling for random.h.
 */
#include "random.h"

#include <string.h>

void random_init(struct random *r, uint64_t seed) {
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        r->state[i] = z ^ z >> 31;
    }
}

void random_fill(struct random *r, void *bytes, size_t n) {
    uint8_t *to = bytes;
    while (n >= 8) {
        uint64_t v = random_u64(r);
        memcpy(to, &v, 8);
        to += 8;
        n -= 8;
    }
    if (n > 0) {
        uint64_t v = random_u64(r);
        memcpy(to, &v, n);
    }
}
