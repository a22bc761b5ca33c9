/* crc32c.c: see crc32c.h. By the processor's instruction where there is one, else by a table of half bytes. */
#include "store/crc32c.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#include <wmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const uint8_t *at, size_t len) {
    uint64_t state = ~crc;
    for (; len >= 8; at += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        state = _mm_crc32_u64(state, word);
    }
    uint32_t low = (uint32_t)state;
    for (; len; at++, len--) {
        low = _mm_crc32_u8(low, *at);
    }
    return ~low;
}

/* An instruction takes three cycles, and three can be under way: three runs are summed at the same time and put
 * together (Gopal et al., "Fast CRC computation for iSCSI polynomial using CRC32 instruction", Intel 2011). Bytes of 0
 * behind a sum multiply it by a power of x: AFTER_ONE is x^(8 * RUN - 33), AFTER_TWO x^(16 * RUN - 33), both modulo the
 * polynomial, their bits reversed. */
#define RUN 1024u
#define AFTER_ONE 0x170076fa
#define AFTER_TWO 0xa51b6135

#define WITH_LANES __attribute__((target("sse4.2,pclmul")))

static inline WITH_LANES uint64_t move_on(uint64_t state, uint32_t by) {
    __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)state), _mm_cvtsi64_si128((long long)by), 0);
    return _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(product));
}

static WITH_LANES uint32_t by_three(uint32_t crc, const uint8_t *at, size_t len) {
    uint64_t first = ~crc;
    for (; len >= 3 * RUN; at += 3 * RUN, len -= 3 * RUN) {
        uint64_t second = 0, third = 0;
        first = (uint32_t)first;
        for (size_t i = 0; i < RUN; i += 8) {
            uint64_t words[3];
            memcpy(&words[0], at + i, 8);
            memcpy(&words[1], at + RUN + i, 8);
            memcpy(&words[2], at + 2 * RUN + i, 8);
            first = _mm_crc32_u64(first, words[0]);
            second = _mm_crc32_u64(second, words[1]);
            third = _mm_crc32_u64(third, words[2]);
        }
        first = move_on(first, AFTER_TWO) ^ move_on(second, AFTER_ONE) ^ third;
    }
    return by_instruction(~(uint32_t)first, at, len);
}
#endif

static uint32_t by_table(uint32_t crc, const uint8_t *at, size_t len) {
    static const uint32_t half[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
        0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    crc = ~crc;
    for (; len; at++, len--) {
        crc ^= *at;
        crc = crc >> 4 ^ half[crc & 15];
        crc = crc >> 4 ^ half[crc & 15];
    }
    return ~crc;
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len) {
#if defined(__x86_64__)
    if (len >= 3 * RUN && __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul")) {
        return by_three(crc, data, len);
    }
    if (__builtin_cpu_supports("sse4.2")) {
        return by_instruction(crc, data, len);
    }
#endif
    return by_table(crc, data, len);
}
