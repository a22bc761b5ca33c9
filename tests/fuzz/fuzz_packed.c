/* fuzz_packed.c: libFuzzer target: compressed captures and archives; see fuzz_pcap.c. */
#include "fuzz_capture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_capture(data, size);
    return 0;
}
