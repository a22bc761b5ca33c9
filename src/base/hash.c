/* hash.c: SipHash-1-3 (Aumasson, Bernstein 2012) and a fixed-key variant of it for ids. */
#include "base/hash.h"

#include <errno.h>
#include <sys/random.h>

static uint64_t rotate(uint64_t x, unsigned n) {
    return x << n | x >> (64 - n);
}

#define SIP_ROUND(a, b, c, d)  \
    do {                       \
        a += b;                \
        b = rotate(b, 13) ^ a; \
        a = rotate(a, 32);     \
        c += d;                \
        d = rotate(d, 16) ^ c; \
        a += d;                \
        d = rotate(d, 21) ^ a; \
        c += b;                \
        b = rotate(b, 17) ^ c; \
        c = rotate(c, 32);     \
    } while (0)

static uint64_t read_le(const uint8_t *p, size_t n) {
    uint64_t word = 0;
    memcpy(&word, p, n); /* little-endian hosts only: x86-64 and arm64 */
    return word;
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "words are read in host order");

uint64_t siphash13(const struct hash_key *key, const void *data, size_t len) {
    const uint8_t *p = data;
    uint64_t a = key->k0 ^ 0x736f6d6570736575u, b = key->k1 ^ 0x646f72616e646f6du;
    uint64_t c = key->k0 ^ 0x6c7967656e657261u, d = key->k1 ^ 0x7465646279746573u;
    size_t whole = len & ~(size_t)7;
    for (size_t i = 0; i < whole; i += 8) {
        uint64_t word = read_le(p + i, 8);
        d ^= word;
        SIP_ROUND(a, b, c, d);
        a ^= word;
    }
    uint64_t last = (uint64_t)len << 56;
    if (len & 7) {
        last |= read_le(p + whole, len & 7);
    }
    d ^= last;
    SIP_ROUND(a, b, c, d);
    a ^= last;
    c ^= 0xff;
    SIP_ROUND(a, b, c, d);
    SIP_ROUND(a, b, c, d);
    SIP_ROUND(a, b, c, d);
    return a ^ b ^ c ^ d;
}

uint64_t hash_bytes(const void *data, size_t len, uint64_t seed) {
    struct hash_key key = {0x5365696e65206e65u ^ seed, 0x74732068616e6721u + seed};
    return siphash13(&key, data, len);
}

int hash_key_random(struct hash_key *key) {
    return getrandom(key, sizeof(*key), 0) == (ssize_t)sizeof(*key) ? 0 : -EIO;
}
