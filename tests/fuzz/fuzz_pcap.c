/* fuzz_pcap.c: libFuzzer target: a classic capture file, read twice (all at once and from a stream that dribbles); both
 * readings must give the same packets, and every byte of every packet must be there.
 */
#include "fuzz_capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t magics[6][4] = {{0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0xc3, 0xd4}, {0x4d, 0x3c, 0xb2, 0xa1},
                                         {0xa1, 0xb2, 0x3c, 0x4d}, {0x34, 0xcd, 0xb2, 0xa1}, {0xa1, 0xb2, 0xcd, 0x34}};
    if (size < 5) {
        return 0;
    }
    /* the first byte picks the form, so that no input is wasted on being no capture */
    uint8_t *copy = malloc(size + 3);
    memcpy(copy, magics[data[0] % 6], 4);
    memcpy(copy + 4, data + 1, size - 1);
    fuzz_capture(copy, size + 3);
    free(copy);
    return 0;
}
