/* out.c: see out.h. */
#include "store/out.h"

#include <errno.h>

#include "store/crc32c.h"
#include "store/file.h"

#define FLUSH_AT ((size_t)256 << 10)
#define MEMORY_MAX ((size_t)2 << 30)

void out_begin(struct out *o, int fd) {
    *o = (struct out){.fd = fd};
    buf_init(&o->bytes, MEMORY_MAX);
}

static void flush(struct out *o) {
    int r = o->error ? 0 : file_write(o->fd, buf_span(&o->bytes));
    o->error = o->error ? o->error : r;
    o->written += o->bytes.len;
    o->bytes.len = 0;
}

void out_add(struct out *o, struct span bytes) {
    buf_add_span(&o->bytes, bytes);
    if (o->bytes.overflowed && !o->error) {
        o->error = -ENOMEM;
    }
    if (o->fd >= 0 && o->bytes.len >= FLUSH_AT) {
        flush(o);
    }
}

struct extent out_extent(struct out *o, struct span bytes) {
    struct extent e = {out_at(o), (uint32_t)bytes.len, crc32c(0, bytes.at, bytes.len)};
    if (bytes.len > UINT32_MAX && !o->error) {
        o->error = -E2BIG;
    }
    out_add(o, bytes);
    return e;
}

int out_end(struct out *o) {
    if (o->fd >= 0) {
        flush(o);
    }
    return o->error;
}

void out_done(struct out *o) {
    buf_done(&o->bytes);
}
