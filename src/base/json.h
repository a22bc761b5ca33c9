/* json.h: append-only JSON writer over a buf.
 *
 * Owner: caller. Thread: one. Cost: table-driven escape, own integer printer; no tree in between. Failure: that of the
 * buf (overflowed). Commas are the writer's job: it remembers whether a value is the first of its container.
 * Text that is not valid UTF-8 is taken as Latin-1 and re-encoded, so that the output is always valid JSON.
 */
#ifndef SEINE_BASE_JSON_H
#define SEINE_BASE_JSON_H

#include "base/buf.h"

struct json {
    struct buf *out;
    bool comma; /* the next value or key needs a comma first */
};

static inline struct json json_over(struct buf *out) {
    return (struct json){out, false};
}

void json_open(struct json *j, char bracket);  /* '{' or '[' */
void json_close(struct json *j, char bracket); /* '}' or ']' */
void json_key(struct json *j, const char *key);
/* `key`: already quoted, escaped and followed by a colon, for example `"http":` */
void json_raw_key(struct json *j, struct span key);
void json_text(struct json *j, struct span text);
void json_cstr(struct json *j, const char *text);
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
void json_double(struct json *j, double value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
void json_raw(struct json *j, struct span value); /* a complete value, copied as it is */

/* `text` escaped at `to`, without quotes; at most 6 bytes for one. `latin1`: bytes from 0x80 are re-encoded. Returns
 * the end. */
uint8_t *json_write_escaped(uint8_t *to, struct span text, bool latin1);

/* How much of `s` is valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). RFC 3629. */
size_t utf8_valid_length(struct span s);
static inline bool utf8_valid(struct span s) {
    return utf8_valid_length(s) == s.len;
}

#endif
