/* document.h: a record as the session document of spec'd shape: every field once, in the order of their paths.
 *
 * Owner: one plan per sealed registry, read-only. Thread: any. Cost: about 20 ns a value. Failure: that of the output
 * buf.
 */
#ifndef SEINE_RECORD_DOCUMENT_H
#define SEINE_RECORD_DOCUMENT_H

#include "base/json.h"
#include "record/record.h"

struct document_plan;

struct document_plan *document_plan_new(const struct registry *r);
struct document_plan *document_plan_free(struct document_plan *p);

/* Appends the document, one JSON object without a line end. `written_at`: ms since 1970 for @timestamp, 0 = leave it
 * out. */
void document_write(const struct document_plan *p, const struct record *r, uint64_t written_at, struct buf *out);

/* One value as JSON; `f` says how (address, MAC, text, number). */
void document_write_value(struct json *j, const struct field *f, const struct value *v);

/* Text of an address (RFC 5952, IPv4 dotted) into `ret_text` (>= 46 bytes); returns its length. */
size_t ip_write(const uint8_t ip[16], char *ret_text);
size_t mac_write(const uint8_t mac[6], char *ret_text); /* 17 characters; writes 18 */

#endif
