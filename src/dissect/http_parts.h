/* http_parts.h: what the files of the HTTP/1 dissector share: http.c (stream), http_head.c (start line and headers),
 * http_uri.c (target, cookies, credentials), http_body.c (what a body says), http_sync.c (finding a message again). */
#ifndef SEINE_DISSECT_HTTP_PARTS_H
#define SEINE_DISSECT_HTTP_PARTS_H

#include "dissect/dissector.h"
#include "dissect/header_table.h"
#include "dissect/http_fields.h"
#include "dissect/magic.h"

struct http_settings {
    bool parse_query_value, parse_cookie_value;
    bool request_all, response_all;
    bool body_only_utf8, sha256;
    uint32_t value_max;
    uint32_t max_request_body;
    uint32_t magic_mode;
};

enum http_phase {
    HTTP_START,       /* a start line is next */
    HTTP_BODY,        /* `left` bytes */
    HTTP_BODY_TO_END, /* all that follows */
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK, /* `left` bytes of one chunk */
    HTTP_CHUNK_END,
    HTTP_TRAILER,
    HTTP_HOLD, /* after CONNECT: until the other side answers */
    HTTP_LOST, /* out of step: looking for a start line */
    HTTP_DEAD, /* nothing of this side is read any more */
};

struct http_side {
    struct digest_run *md5, *sha256;
    uint64_t left;
    uint32_t scanned; /* bytes at the front that hold no end of the head */
    uint32_t lost;    /* bytes looked through since it got out of step */
    uint8_t phase;
    bool seen;    /* the first bytes of this body were looked at */
    bool started; /* digests run over it */
    bool hashed;  /* its digests are put: further bytes are only counted */
    bool damaged; /* bytes of it are missing: no digests */
};

/* Zeroed at first; small, because each open session has one. */
struct http_state {
    struct http_side side[2];
    uint64_t asked; /* requests without answer, two bits each, oldest lowest */
    uint8_t asked_count;
    uint8_t request_side; /* who sent the last request; the source until then */
    bool head_known[2];   /* the side has sent a proper head */
};

enum http_asked { HTTP_ASKED_OTHER, HTTP_ASKED_HEAD, HTTP_ASKED_CONNECT };

enum http_upgrade { HTTP_UPGRADE_NONE, HTTP_UPGRADE_WEBSOCKET, HTTP_UPGRADE_H2C, HTTP_UPGRADE_OTHER };

/* The head of one message; spans are borrowed from it. */
struct http_message {
    bool request;
    bool as_request;     /* its lines count as those of requests: sent by the side that asks */
    bool chunked, coded; /* Transfer-Encoding: ends in chunked; is something else */
    bool has_length;
    uint8_t upgrade; /* enum http_upgrade */
    uint8_t method;  /* index of http_methods */
    uint16_t status;
    uint64_t length;
    struct span version, target, host;
};

enum header_group { HTTP_REQUEST_LINES, HTTP_RESPONSE_LINES };

/* What is done with a header line besides being listed; `use` of a header_rule. */
enum http_use {
    HTTP_USE_NONE,
    HTTP_USE_HOST,
    HTTP_USE_AGENT,
    HTTP_USE_XFF,
    HTTP_USE_COOKIE,
    HTTP_USE_CREDENTIALS,
    HTTP_USE_CHALLENGE,
    HTTP_USE_LENGTH,
    HTTP_USE_CODING,
    HTTP_USE_UPGRADE,
};

struct http_method {
    const char *name;
    uint8_t len;
    uint8_t asked;   /* enum http_asked */
    uint8_t counter; /* field that counts it, or 0 */
};
extern const struct http_method http_methods[];
#define HTTP_METHOD_MAX 12
#define HTTP_HEAD_MAX 81920 /* where the common parsers give up, too */

/* --- http_head.c --- */
/* Does a message begin here? */
enum match http_begins(struct span first);
/* Index of the method that `s` begins with, followed by a blank or line end; -1 = none. */
int http_method_at(struct span s);
/* Reads "GET / HTTP/1.1" or "HTTP/1.1 200 OK". False when it is neither. */
bool http_start_line(struct span line, struct http_message *ret);
/* Length of the head at the front of `s` with its empty line, or 0; `*scanned` is where the search goes on. */
size_t http_head_length(struct span s, uint32_t *scanned);
/* Reads start line and header lines of `head` and puts their fields. */
bool http_head(struct dissect *d, struct span head, struct http_message *ret);

/* --- http_uri.c --- */
void http_put_target(struct dissect *d, const struct http_message *m);
void http_put_cookies(struct dissect *d, struct span value);
void http_put_credentials(struct dissect *d, struct span value);
void http_put_challenge(struct dissect *d, struct span value);
void http_put_forwarded(struct dissect *d, struct span value);

/* --- http_body.c --- */
/* How many first bytes of a body are looked at. */
size_t http_body_window(const struct dissect *d, bool as_request);
/* `whole`: there is no more of it. */
void http_body_first(struct dissect *d, struct span first, bool whole);
void http_body_bytes(struct dissect *d, struct http_side *side, struct span bytes, bool whole);
/* Puts the digests, or drops them when the body is not complete. */
void http_body_end(struct dissect *d, struct http_side *side, bool complete);
/* First bytes of a chunked body, `s` beginning with a size line. False: more bytes are needed to fill the window. */
bool http_chunked_first(struct dissect *d, struct span s, size_t window, struct span *ret_first, bool *ret_whole);
enum http_line { HTTP_LINE_READ, HTTP_LINE_MORE, HTTP_LINE_BAD };
/* Reads the chunk size line at the front of `s`; `*ret_used`: its length with the line end. */
enum http_line http_chunk_size(struct span s, size_t *ret_used, uint64_t *ret_size);

/* --- http_sync.c --- */
/* Index where a start line begins in the complete lines of `s`, or SPAN_NONE; `*ret_done`: bytes that hold none. */
size_t http_find_start(struct span s, bool at_end, size_t *ret_done);

#endif
