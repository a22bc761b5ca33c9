/* popcount.c: see popcount.h. Programs are built for any x86-64, whose first processors had no such instruction. */
#include "store/popcount.h"

#include <string.h>

#define COUNT_BODY                                     \
    uint64_t count = 0;                                \
    for (size_t i = 0; i < words; i++) {               \
        uint64_t word;                                 \
        memcpy(&word, at + 8 * i, 8);                  \
        count += (uint64_t)__builtin_popcountll(word); \
    }                                                  \
    return (uint32_t)count;

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static uint32_t by_instruction(const uint8_t *at, size_t words) {
    COUNT_BODY
}
#endif

static uint32_t by_arithmetic(const uint8_t *at, size_t words){COUNT_BODY}

uint32_t popcount_words(const void *at, size_t words) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("popcnt")) {
        return by_instruction(at, words);
    }
#endif
    return by_arithmetic(at, words);
}
