/* lanes.c: see lanes.h. Eight numbers take as many bytes as one has bits, so every group of eight begins at a byte and
 * its numbers lie at the same places: two loads, a shuffle and a shift bring them apart.
 */
#include "store/lanes.h"

#include <string.h>

#include "base/util.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define WORD_BITS 64u
#define WIDE_MAX 57u   /* bits a number can have to be read with one word from any bit of a byte */
#define NARROW_MAX 25u /* with half a word */

static inline uint64_t mask_of(unsigned bits) {
    return bits >= WORD_BITS ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* --- in C --- */

static uint64_t load_upto(const uint8_t *at, const uint8_t *end) {
    uint64_t word = 0;
    memcpy(&word, at, MIN((size_t)(end - at), sizeof(word)));
    return word;
}

/* Number `i`; near the end byte by byte. */
static uint64_t packed_one(const struct packed *p, size_t i) {
    size_t bit = i * p->bits;
    const uint8_t *at = p->at + bit / 8;
    unsigned shift = bit & 7;
    if (at >= p->end) {
        return p->add;
    }
    uint64_t word = load_upto(at, p->end) >> shift;
    if (shift + p->bits > WORD_BITS && at + 8 < p->end) {
        word |= (uint64_t)at[8] << (WORD_BITS - shift);
    }
    return (word & mask_of(p->bits)) + p->add;
}

/* How many numbers can be read with whole words. */
static size_t whole_words(const struct packed *p, size_t n) {
    size_t left = (size_t)(p->end - p->at);
    return p->bits == 0 || p->bits > WIDE_MAX || left < 8 ? 0 : MIN(n, (left - 8) * 8 / p->bits);
}

static void finish32(const struct packed *p, size_t from, size_t n, uint32_t *ret) {
    for (size_t i = from; i < n; i++) {
        ret[i] = (uint32_t)packed_one(p, i);
    }
}

static void unpack32_portable(const struct packed *p, size_t n, uint32_t *ret) {
    size_t whole = whole_words(p, n), bit = 0;
    uint64_t mask = mask_of(p->bits);
    for (size_t i = 0; i < whole; i++, bit += p->bits) {
        uint64_t word;
        memcpy(&word, p->at + bit / 8, 8);
        ret[i] = (uint32_t)((word >> (bit & 7) & mask) + p->add);
    }
    finish32(p, whole, n, ret);
}

static void finish64(const struct packed *p, size_t from, size_t n, uint64_t *ret) {
    for (size_t i = from; i < n; i++) {
        ret[i] = packed_one(p, i);
    }
}

static void unpack64_portable(const struct packed *p, size_t n, uint64_t *ret) {
    size_t whole = whole_words(p, n), bit = 0;
    uint64_t mask = mask_of(p->bits);
    for (size_t i = 0; i < whole; i++, bit += p->bits) {
        uint64_t word;
        memcpy(&word, p->at + bit / 8, 8);
        ret[i] = (word >> (bit & 7) & mask) + p->add;
    }
    finish64(p, whole, n, ret);
}

static uint32_t highest_portable(const uint32_t *v, size_t n) {
    uint32_t highest = 0;
    for (size_t i = 0; i < n; i++) {
        highest = MAX(highest, v[i]);
    }
    return highest;
}

static void in_range_portable(const uint32_t *v, size_t n, uint32_t low, uint32_t width, uint64_t *ret) {
    for (size_t at = 0; at < n; at += WORD_BITS) {
        uint64_t bits = 0;
        size_t count = MIN(n - at, (size_t)WORD_BITS);
        for (size_t k = 0; k < count; k++) {
            bits |= (uint64_t)(v[at + k] - low <= width) << k;
        }
        ret[at / WORD_BITS] = bits;
    }
}

static void in_set_portable(const uint32_t *v, size_t n, const uint64_t *set, uint64_t *ret) {
    for (size_t at = 0; at < n; at += WORD_BITS) {
        uint64_t bits = 0;
        size_t count = MIN(n - at, (size_t)WORD_BITS);
        for (size_t k = 0; k < count; k++) {
            uint32_t number = v[at + k];
            bits |= (set[number / WORD_BITS] >> (number % WORD_BITS) & 1) << k;
        }
        ret[at / WORD_BITS] = bits;
    }
}

/* The 64 bits from bit `at` on. */
static inline uint64_t bits_from(const uint64_t *bits, size_t at) {
    unsigned shift = at % WORD_BITS;
    const uint64_t *word = bits + at / WORD_BITS;
    return shift ? word[0] >> shift | word[1] << (WORD_BITS - shift) : word[0];
}

static void spread_portable(const uint64_t *places, size_t words, const uint64_t *bits, uint64_t *ret) {
    size_t at = 0;
    for (size_t i = 0; i < words; i++) {
        uint64_t from = bits_from(bits, at), to = 0;
        for (uint64_t left = places[i]; left; left &= left - 1, from >>= 1, at++) {
            to |= from & 1 ? left & -left : 0;
        }
        ret[i] = to;
    }
}

#define GROUP 1024u

#define GROUPS_BODY                                                                       \
    uint64_t found = 0;                                                                   \
    size_t at = 0;                                                                        \
    for (size_t i = 0; i < words; i++) {                                                  \
        size_t count = (size_t)__builtin_popcountll(places[i]);                           \
        if (places[i] & want[i]) {                                                        \
            found |= (uint64_t)1 << at / GROUP | (uint64_t)1 << (at + count - 1) / GROUP; \
        }                                                                                 \
        at += count;                                                                      \
    }                                                                                     \
    return found;

static uint64_t groups_portable(const uint64_t *places, const uint64_t *want, size_t words) {
    GROUPS_BODY
}

const struct lanes lanes_portable = {"portable",        unpack32_portable, unpack64_portable, highest_portable,
                                     in_range_portable, in_set_portable,   spread_portable,   groups_portable};

/* --- with AVX2 --- */

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))

static AVX2 inline __m256i load_halves(const uint8_t *low, const uint8_t *high) {
    return _mm256_set_m128i(_mm_loadu_si128((const __m128i *)(const void *)high),
                            _mm_loadu_si128((const __m128i *)(const void *)low));
}

/* Where the eight numbers of a group lie in two loads of 16 bytes, the second one at byte bits / 2. */
struct narrow {
    _Alignas(32) uint8_t bytes[32];
    _Alignas(32) uint32_t shifts[8];
};

static void narrow_places(unsigned bits, struct narrow *ret) {
    for (unsigned i = 0; i < 8; i++) {
        unsigned bit = i * bits - (i < 4 ? 0 : bits / 2 * 8);
        ret->shifts[i] = bit & 7;
        for (unsigned k = 0; k < 4; k++) {
            ret->bytes[4 * i + k] = (uint8_t)(bit / 8 + k);
        }
    }
}

static AVX2 void unpack32_avx2(const struct packed *p, size_t n, uint32_t *ret) {
    if (p->bits == 0 || p->bits > NARROW_MAX) {
        unpack32_portable(p, n, ret);
        return;
    }
    struct narrow places;
    narrow_places(p->bits, &places);
    __m256i bytes = _mm256_load_si256((const __m256i *)(const void *)places.bytes);
    __m256i shifts = _mm256_load_si256((const __m256i *)(const void *)places.shifts);
    __m256i mask = _mm256_set1_epi32((int)mask_of(p->bits)), add = _mm256_set1_epi32((int)(uint32_t)p->add);
    const uint8_t *at = p->at;
    size_t half = p->bits / 2, i = 0;
    for (; i + 8 <= n && (size_t)(p->end - at) >= half + 16; i += 8, at += p->bits) {
        __m256i v = _mm256_shuffle_epi8(load_halves(at, at + half), bytes);
        v = _mm256_add_epi32(_mm256_and_si256(_mm256_srlv_epi32(v, shifts), mask), add);
        _mm256_storeu_si256((__m256i *)(void *)(ret + i), v);
    }
    finish32(p, i, n, ret);
}

static AVX2 size_t unpack_narrow(const struct packed *p, size_t n, uint64_t *ret) {
    struct narrow places;
    narrow_places(p->bits, &places);
    __m256i bytes = _mm256_load_si256((const __m256i *)(const void *)places.bytes);
    __m256i shifts = _mm256_load_si256((const __m256i *)(const void *)places.shifts);
    __m256i mask = _mm256_set1_epi32((int)mask_of(p->bits)), add = _mm256_set1_epi64x((long long)p->add);
    const uint8_t *at = p->at;
    size_t half = p->bits / 2, i = 0;
    for (; i + 8 <= n && (size_t)(p->end - at) >= half + 16; i += 8, at += p->bits) {
        __m256i v = _mm256_shuffle_epi8(load_halves(at, at + half), bytes);
        v = _mm256_and_si256(_mm256_srlv_epi32(v, shifts), mask);
        __m256i low = _mm256_cvtepu32_epi64(_mm256_castsi256_si128(v));
        __m256i high = _mm256_cvtepu32_epi64(_mm256_extracti128_si256(v, 1));
        _mm256_storeu_si256((__m256i *)(void *)(ret + i), _mm256_add_epi64(low, add));
        _mm256_storeu_si256((__m256i *)(void *)(ret + i + 4), _mm256_add_epi64(high, add));
    }
    return i;
}

/* Where the eight numbers of a group lie in four loads of 16 bytes, two in each. */
struct wide {
    _Alignas(32) uint8_t bytes[64];
    _Alignas(32) uint64_t shifts[8];
    size_t loads[4];
};

static void wide_places(unsigned bits, struct wide *ret) {
    for (unsigned i = 0; i < 8; i++) {
        unsigned load = i / 2 * 2 * bits / 8, bit = i * bits - load * 8;
        ret->loads[i / 2] = load;
        ret->shifts[i] = bit & 7;
        for (unsigned k = 0; k < 8; k++) {
            ret->bytes[8 * i + k] = (uint8_t)(bit / 8 + k);
        }
    }
}

static AVX2 size_t unpack_wide(const struct packed *p, size_t n, uint64_t *ret) {
    struct wide places;
    wide_places(p->bits, &places);
    __m256i mask = _mm256_set1_epi64x((long long)mask_of(p->bits)), add = _mm256_set1_epi64x((long long)p->add);
    __m256i bytes[2], shifts[2];
    for (size_t k = 0; k < 2; k++) {
        bytes[k] = _mm256_load_si256((const __m256i *)(const void *)(places.bytes + 32 * k));
        shifts[k] = _mm256_load_si256((const __m256i *)(const void *)(places.shifts + 4 * k));
    }
    const uint8_t *at = p->at;
    size_t i = 0;
    for (; i + 8 <= n && (size_t)(p->end - at) >= places.loads[3] + 16; i += 8, at += p->bits) {
        for (size_t k = 0; k < 2; k++) {
            __m256i v = load_halves(at + places.loads[2 * k], at + places.loads[2 * k + 1]);
            v = _mm256_srlv_epi64(_mm256_shuffle_epi8(v, bytes[k]), shifts[k]);
            v = _mm256_add_epi64(_mm256_and_si256(v, mask), add);
            _mm256_storeu_si256((__m256i *)(void *)(ret + i + 4 * k), v);
        }
    }
    return i;
}

static AVX2 void unpack64_avx2(const struct packed *p, size_t n, uint64_t *ret) {
    if (p->bits == 0 || p->bits > WIDE_MAX) {
        unpack64_portable(p, n, ret);
        return;
    }
    size_t done = p->bits <= NARROW_MAX ? unpack_narrow(p, n, ret) : unpack_wide(p, n, ret);
    finish64(p, done, n, ret);
}

static AVX2 uint32_t highest_avx2(const uint32_t *v, size_t n) {
    __m256i all = _mm256_setzero_si256();
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        all = _mm256_max_epu32(all, _mm256_loadu_si256((const __m256i *)(const void *)(v + i)));
    }
    uint32_t lanes8[8], highest = highest_portable(v + i, n - i);
    _mm256_storeu_si256((__m256i *)(void *)lanes8, all);
    return MAX(highest, highest_portable(lanes8, 8));
}

static AVX2 void in_range_avx2(const uint32_t *v, size_t n, uint32_t low, uint32_t width, uint64_t *ret) {
    __m256i from = _mm256_set1_epi32((int)low), most = _mm256_set1_epi32((int)width);
    size_t at = 0;
    for (; at + WORD_BITS <= n; at += WORD_BITS) {
        uint64_t bits = 0;
        for (unsigned k = 0; k < WORD_BITS; k += 8) {
            __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(v + at + k));
            x = _mm256_sub_epi32(x, from);
            x = _mm256_cmpeq_epi32(_mm256_min_epu32(x, most), x);
            bits |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(x)) << k;
        }
        ret[at / WORD_BITS] = bits;
    }
    in_range_portable(v + at, n - at, low, width, ret + at / WORD_BITS);
}

static AVX2 void in_set_avx2(const uint32_t *v, size_t n, const uint64_t *set, uint64_t *ret) {
    const int *words = (const int *)(const void *)set;
    size_t at = 0;
    for (; at + WORD_BITS <= n; at += WORD_BITS) {
        uint64_t bits = 0;
        for (unsigned k = 0; k < WORD_BITS; k += 8) {
            __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(v + at + k));
            __m256i word = _mm256_i32gather_epi32(words, _mm256_srli_epi32(x, 5), 4);
            __m256i up = _mm256_andnot_si256(x, _mm256_set1_epi32(31)); /* brings the number's bit to the top */
            word = _mm256_sllv_epi32(word, up);
            bits |= (uint64_t)(uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(word)) << k;
        }
        ret[at / WORD_BITS] = bits;
    }
    in_set_portable(v + at, n - at, set, ret + at / WORD_BITS);
}

static AVX2 void spread_avx2(const uint64_t *places, size_t words, const uint64_t *bits, uint64_t *ret) {
    size_t at = 0;
    for (size_t i = 0; i < words; i++) {
        ret[i] = _pdep_u64(bits_from(bits, at), places[i]);
        at += (size_t)__builtin_popcountll(places[i]);
    }
}

static AVX2 uint64_t groups_avx2(const uint64_t *places, const uint64_t *want, size_t words) {
    GROUPS_BODY
}

const struct lanes lanes_avx2 = {"avx2",        unpack32_avx2, unpack64_avx2, highest_avx2,
                                 in_range_avx2, in_set_avx2,   spread_avx2,   groups_avx2};
#endif

const struct lanes *lanes(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
        __builtin_cpu_supports("popcnt")) {
        return &lanes_avx2;
    }
#endif
    return &lanes_portable;
}
