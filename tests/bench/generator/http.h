/*
 * HTTP/1.1 messages.
 */
#pragma once

#include "maker.h"
#include "tcp.h"

struct http_style {
    bool close;     /* Connection: close */
    bool proxy;     /* the request carries the whole URL */
    bool plain;     /* nginx as it comes: few headers */
    uint32_t limit; /* of a body's length; 0 for none */
};

/* Appends a request to the message; returns true for one that has a body (POST). */
bool http_put_request(struct maker *m, const struct http_style *style, const char *host, const struct document *d);

/* Appends the answer to it. */
void http_put_response(struct maker *m, const struct http_style *style, const struct document *d);

/* Date in the form of RFC 9110 §5.6.7, for the flow's current time. */
void http_put_date(struct buffer *b, const struct maker *m);
