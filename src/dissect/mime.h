/* mime.h: a mail message (RFC 5322, 2045, 2046) as it comes, piece by piece, into the fields of mail.
 *
 * Owner: struct mime is part of a dissector's state; its digest runs are given back by mime_drop. Thread: one. Cost:
 * about 1 ns per byte of text, that of the digests on top for attachments. Failure: what is malformed is left out.
 */
#ifndef SEINE_DISSECT_MIME_H
#define SEINE_DISSECT_MIME_H

#include "dissect/dissector.h"
#include "dissect/email_fields.h"
#include "dissect/header_table.h"

#define MIME_DEPTH 8          /* multiparts inside each other */
#define MIME_HEADER_MAX 16384 /* a header with its continuations */
#define MIME_TYPE_MAX 63
#define MIME_LINE_MAX 4096 /* a longer line is content, never a boundary */

enum mime_phase {
    MIME_HEADERS,      /* of the message */
    MIME_TEXT,         /* its text, or what stands before, between and behind parts */
    MIME_PART_HEADERS, /* of a part */
    MIME_PART,         /* its content */
};

enum mime_coding { MIME_IDENTITY, MIME_BASE64, MIME_QUOTED };

struct mime_boundary {
    uint64_t hash;
    uint8_t len;
};

/* One message; zero is a fresh one. */
struct mime {
    struct digest_run *md5, *sha256;
    struct mime_boundary boundaries[MIME_DEPTH];
    uint8_t boundary_count;
    uint8_t phase;  /* enum mime_phase */
    uint8_t coding; /* of the part: enum mime_coding */
    uint8_t bits_held;
    uint32_t bits;         /* base64 digits that make no byte yet */
    bool begun;            /* bytes of the message were seen */
    bool in_line;          /* inside a line whose beginning is past */
    bool skip_header;      /* inside a header that is too long */
    bool attachment;       /* the part has a file name */
    bool message;          /* the part is a message itself */
    bool typed;            /* its first bytes were looked at */
    bool line_end_pending; /* quoted-printable: a line end not yet known to be content */
    bool damaged;          /* bytes of the part are missing */
    uint8_t type_len;
    uint8_t type[MIME_TYPE_MAX]; /* the part's content type, until it is known whether it is a file */
};

struct mime_settings {
    bool header_all, sha256;
    struct setting_list ip_headers;
    uint32_t magic_mode;
};

/* What is done with a header; `use` of a header_rule. */
enum mime_use {
    MIME_USE_NONE,
    MIME_USE_SRC,
    MIME_USE_DST,
    MIME_USE_ID,
    MIME_USE_SUBJECT,
    MIME_USE_CONTENT_TYPE,
    MIME_USE_AGENT,
    MIME_USE_VERSION,
    MIME_USE_RECEIVED,
    MIME_USE_IP,
};

/* The context of one call. */
struct mime_reader {
    struct mime *m;
    struct dissect *email; /* made by dissect_as */
    const struct mime_settings *settings;
    const struct header_table *headers;
    const char *long_tag;    /* put when a header is too long */
    const char *subject_tag; /* put when no blank follows "Subject:" */
    bool dotted;             /* lines are escaped by a dot, and a dot alone ends the message (RFC 5321 4.5.2) */
    bool ended;              /* set: that dot was read */
};

/* --- mime.c --- */
/* Reads whole lines; returns how many bytes were used. The rest must come again with more behind it, unless `last`:
 * then nothing follows, and lines that are complete are used in any case. */
size_t mime_read(struct mime_reader *r, struct span bytes, bool last);
/* The message is over: its last part is complete. */
void mime_end(struct mime_reader *r);
/* Bytes are missing before those that come next. */
void mime_gap(struct mime_reader *r);
/* Gives the digest runs back. */
void mime_drop(struct mime *m, struct digest_runs *runs);

/* --- mime_header.c --- */
/* The table of headers with those of the section [headers-email]. */
int mime_headers_new(struct dissect_setup *setup, const struct mime_settings *settings, struct header_table **ret,
                     struct err *ret_err);
/* One header of the message, or of a part; without its line ends. */
void mime_header(struct mime_reader *r, struct span text);
void mime_part_header(struct mime_reader *r, struct span text);

/* --- mime_part.c --- */
void mime_part_begin(struct mime *m);
/* Its headers are over. */
void mime_part_content(struct mime_reader *r);
/* A line of the part's content without its end, or a piece of a very long one (`ended` false). */
void mime_part_line(struct mime_reader *r, struct span line, bool ended);
/* Puts the digests when the part has any and is complete. */
void mime_part_end(struct mime_reader *r, bool complete);

/* --- mime_address.c --- */
void mime_put_addresses(struct dissect *email, unsigned field, struct span value);
void mime_put_received(struct dissect *email, struct span value);
/* An address in brackets or alone; zeros in front of its numbers do not matter. */
void mime_put_ip(struct dissect *email, struct span text);
/* What stands between `open` and `close`, or the trimmed text when `open` does not begin it. */
struct span mime_between(struct span text, uint8_t open, uint8_t close);

#endif
