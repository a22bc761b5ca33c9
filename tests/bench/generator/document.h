/*
 * The documents that the invented web and mail servers hand out.
 */
#pragma once

#include "world.h"

/* Fills w->documents. 0 or -ENOMEM. */
int documents_make(struct world *w, struct random *r);

/* A random document of at most `limit` bytes (0: of any length); NULL when none was found in a few tries. */
const struct document *document_pick(const struct world *w, struct random *r, size_t limit);

/* Appends a gzip member (RFC 1952) around the bytes, with stored blocks: right length and CRC, no compressor needed. */
void document_gzip(struct buffer *b, const uint8_t *bytes, size_t length);

/* Appends a JSON object with a list of items, new each time. */
void document_json(struct buffer *b, struct random *r, unsigned items);
