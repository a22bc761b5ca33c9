/* decoders.h: what may be done to bytes before they are shown: base64, XOR, and guessing a XOR that hides gzip.
 *
 * Owner: caller. Thread: any. Cost: a pass; the guess 256 at most over the first bytes. Failure: bytes that do not fit
 * stay as they are.
 */
#ifndef SEINE_API_DECODERS_H
#define SEINE_API_DECODERS_H

#include "base/buf.h"
#include "base/json.h"

enum decoder_kind { DECODER_BASE64, DECODER_XOR, DECODER_XOR_GZIP };
#define DECODERS_MAX 8
#define DECODER_KEY_MAX 256

struct decoding {
    enum decoder_kind kind;
    uint8_t key[DECODER_KEY_MAX];
    size_t key_len;
    size_t key_from_body; /* so many first bytes are the key */
    size_t skip;
};

struct decodings {
    struct decoding list[DECODERS_MAX];
    size_t count;
};

/* `{"BODY-UNXOR":{"key":"0x1234","skip":"4"}}`. False: it names no decoder, or a value makes no sense. */
bool decodings_read(struct span json, struct decodings *ret);
/* Replaces what `bytes` holds. True when it changed. */
bool decodings_apply(const struct decodings *d, struct buf *bytes);
/* The list of decoders with their options, as JSON. */
void decodings_write(struct json *j);

#endif
