/* assets.c: finds and unpacks files of the web application. */
#include "http/assets.h"

#include <errno.h>
#include <zlib.h>

static const struct asset *table_find(const char *path) {
    size_t low = 0, high = asset_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(path, asset_table[middle].path);
        if (order == 0) {
            return &asset_table[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct asset *asset_find(const char *path) {
    const char *last = strrchr(path, '/');
    if (!last) {
        return NULL;
    }
    return table_find(strchr(last, '.') ? path : "/index.html");
}

int asset_plain(const struct asset *a, struct buf *out) {
    if (!a->gzip) {
        buf_add(out, a->bytes, a->size);
        return out->overflowed ? -ENOMEM : 0;
    }
    uint8_t *to = buf_reserve(out, a->plain_size);
    if (!to) {
        return -ENOMEM;
    }
    z_stream z = {
        .next_in = (unsigned char *)a->bytes, /* zlib does not write there */
        .avail_in = (unsigned)a->size,
        .next_out = to,
        .avail_out = (unsigned)a->plain_size,
    };
    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return -ENOMEM;
    }
    int result = inflate(&z, Z_FINISH);
    size_t got = a->plain_size - z.avail_out;
    inflateEnd(&z);
    if (result != Z_STREAM_END || got != a->plain_size) {
        return -EBADMSG;
    }
    out->len += got;
    return 0;
}
