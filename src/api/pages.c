/* pages.c: the web application's files, with their tags (RFC 9110, 8.8.3). */
#include "api/shared.h"
#include "http/assets.h"
#include "http/encode.h"

/* Files with a hash in their name hold nothing secret and are wanted before anybody is known. */
bool page_is_open(const char *path) {
    const struct asset *a = asset_find(path);
    return a && a->lasting;
}

/* If-None-Match (13.1.2): weak comparison, as proxies that compress make tags weak. */
static bool tag_matches(const char *header, const char *etag) {
    return header && (strcmp(header, "*") == 0 || strstr(header, etag));
}

bool page_answer(struct call *c) {
    const struct asset *a = asset_find(request_path(c->request));
    struct reply *r = c->reply;
    if (!a) {
        return false;
    }
    reply_header(r, "ETag", a->etag);
    reply_header(r, "Cache-Control", a->lasting ? "public, max-age=31536000, immutable" : "no-cache");
    if (tag_matches(request_header(c->request, "If-None-Match"), a->etag)) {
        reply_status(r, 304);
        return true;
    }
    reply_type(r, a->type);
    if (a->gzip && coding_accepts(request_header(c->request, "Accept-Encoding"), CODING_GZIP)) {
        reply_header(r, "Vary", "Accept-Encoding");
        reply_header(r, "Content-Encoding", "gzip");
        buf_add(reply_body(r), a->bytes, a->size);
    } else if (!a->gzip) {
        buf_add(reply_body(r), a->bytes, a->size);
    } else if (asset_plain(a, reply_body(r)) < 0) {
        call_fail(c, 500, "The page cannot be unpacked");
    }
    return true;
}
