/* assets.h: the web application inside the program: a table of its files, compressed when the program was built.
 *
 * tools/make-ui writes the table (assets_table.c of the build); without Node.js it has one page that says how to build
 * the application.
 *
 * Owner: nobody, it is constant. Thread: any. Cost: a binary search. Failure: asset_find answers NULL, asset_plain
 * -errno.
 */
#ifndef SEINE_HTTP_ASSETS_H
#define SEINE_HTTP_ASSETS_H

#include "base/buf.h"

struct asset {
    const char *path; /* "/assets/index-3f2a.js"; the page itself is "/index.html" */
    const char *type; /* "text/javascript; charset=utf-8" */
    const char *etag; /* with its quotes */
    const unsigned char *bytes;
    size_t size, plain_size; /* as held here, and unpacked */
    bool gzip;               /* `bytes` are gzip: send them with Content-Encoding, or unpack by asset_plain */
    bool lasting;            /* the name changes with the content: may be kept for ever */
};

/* By path, in the order of strcmp. */
extern const struct asset asset_table[];
extern const size_t asset_count;

/* The file for a path. Paths without a dot are pages of the application and give its page; NULL: there is none. */
const struct asset *asset_find(const char *path);

/* Appends the bytes as they are without compression. 0, -ENOMEM (also: more than the buffer may hold), -EBADMSG. */
int asset_plain(const struct asset *a, struct buf *out);

#endif
