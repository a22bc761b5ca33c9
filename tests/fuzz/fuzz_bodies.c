/* fuzz_bodies.c: libFuzzer target: what two sides sent (cut in two at the first NUL), carved into files, each unpacked,
 * and run through the decoders of packets.
 */
#include "api/decoders.h"
#include "fetch/bodies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool look(void *ctx, const struct body *b) {
    struct buf *out = ctx;
    buf_clear(out);
    (void)body_unpack(b, out);
    return b->number < 50;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const asked[] = {"{\"BODY-UNBASE64\":{}}", "{\"BODY-UNXOR\":{\"keyLength\":3}}",
                                        "{\"BODY-UNXORBRUTEGZ\":{}}"};
    struct span all = span_make(data, size);
    size_t cut = span_find_byte(all, 0, 0);
    const struct span sides[2] = {span_sub(all, 0, cut), cut == SPAN_NONE ? (struct span){0} : span_from(all, cut + 1)};
    struct buf out;
    buf_init(&out, (size_t)1 << 20);
    (void)bodies_each(sides, look, &out);
    for (size_t i = 0; i < 3; i++) {
        struct decodings d;
        buf_clear(&out);
        buf_add_span(&out, all);
        if (!decodings_read(span_text(asked[i]), &d)) {
            __builtin_trap();
        }
        (void)decodings_apply(&d, &out);
    }
    struct decodings any;
    (void)decodings_read(all, &any);
    buf_done(&out);
    return 0;
}
