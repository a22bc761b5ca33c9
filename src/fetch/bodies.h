/* bodies.h: the files in a conversation: bodies of HTTP/1 messages (RFC 9112), attachments of mail sent by SMTP (RFC
 * 5321, 2045).
 *
 * Owner: caller's stack. Thread: any. Cost: one pass over the bytes, two over encoded ones. Failure: -ENOMEM; what is
 * malformed ends the side it is in, files before it have been told.
 */
#ifndef SEINE_FETCH_BODIES_H
#define SEINE_FETCH_BODIES_H

#include "base/buf.h"

#define BODY_NAME_MAX 120
#define BODY_TYPE_MAX 80
#define BODIES_MAX 10000            /* of one conversation */
#define BODY_MAX ((size_t)64 << 20) /* decoded */

enum body_kind { BODY_HTTP, BODY_MAIL };
enum body_coding { BODY_PLAIN, BODY_GZIP, BODY_DEFLATE, BODY_ZSTD };

struct body {
    unsigned number; /* from 0, in the order they are told */
    unsigned side;   /* who sent it */
    enum body_kind kind;
    enum body_coding coding;  /* what `bytes` are packed with */
    bool complete;            /* all of it is here */
    char name[BODY_NAME_MAX]; /* a file name without folders, or "" */
    char type[BODY_TYPE_MAX]; /* content type without parameters, or "" */
    struct span bytes;        /* as the digests of a session are made of: no chunk framing, no base64 */
};

/* False from `each` ends it. */
typedef bool (*body_fn)(void *ctx, const struct body *b);

/* `sides`: all that each side sent, in order. */
int bodies_each(const struct span sides[2], body_fn each, void *ctx);

/* Appends the body unpacked. False: it is damaged from there on, or too big; what could be read is there. */
bool body_unpack(const struct body *b, struct buf *out);
const char *body_coding_name(enum body_coding c); /* NULL: none */

/* --- between bodies.c and bodies_mail.c --- */

struct carving {
    body_fn each;
    void *ctx;
    unsigned count;
    bool ended, no_memory;
};
/* Numbers the body and tells it. */
void carving_tell(struct carving *c, struct body *b);
/* The value of header `name` in a block of header lines, without continuation lines; empty when there is none. */
struct span header_find(struct span head, const char *name);
/* The parameter `name` ("filename") of a header's value. */
struct span header_parameter(struct span value, const char *name);
/* Copies the last part of a path as a file name; control characters and separators go. */
void body_name_set(struct body *b, struct span text);
void body_type_set(struct body *b, struct span text);
/* Attachments of the mails in what an SMTP client said. */
void mails_carve(struct carving *c, struct span side, unsigned number);

#endif
