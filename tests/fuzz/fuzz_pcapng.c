/* fuzz_pcapng.c: libFuzzer target: a pcapng file; see fuzz_pcap.c. */
#include "fuzz_capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t heads[2][12] = {{0x0a, 0x0d, 0x0d, 0x0a, 28, 0, 0, 0, 0x4d, 0x3c, 0x2b, 0x1a},
                                         {0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d}};
    if (size < 1) {
        return 0;
    }
    uint8_t *copy = malloc(size + 11);
    memcpy(copy, heads[data[0] % 2], 12);
    memcpy(copy + 12, data + 1, size - 1);
    fuzz_capture(copy, size + 11);
    free(copy);
    return 0;
}
