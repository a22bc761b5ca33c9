/* json_scan.h: reads JSON in two stages: an index of the places that matter, then walks over the index.
 *
 * Stage 1 (json_index_build) looks at 64 bytes at once and notes where brackets, commas, colons, quotes and other
 * values stand; stage 2 are the functions behind it, which look at noted places only. Nothing is copied: keys and plain
 * strings are spans of the text. Text from strangers goes through json_check, which accepts exactly RFC 8259; a
 * document of our own may be walked without it. The walks stay inside the text whatever it holds.
 *
 * Owner: caller; one index is built again and again. Thread: one. Cost: about 0.3 ns a byte for the index, the same
 * again for a whole check. Failure: -EINVAL with place and reason, -E2BIG over the ceiling of the index, -ENOMEM.
 */
#ifndef SEINE_BASE_JSON_SCAN_H
#define SEINE_BASE_JSON_SCAN_H

#include "base/buf.h"

#define JSON_DEPTH_MAX 256

struct json_index {
    struct span text;
    uint32_t *at; /* offsets into the text: structure outside strings, both quotes of a string, first bytes of others */
    uint32_t count, cap, ceiling;
    bool has_escape, has_high; /* a backslash, a byte from 0x80: strings need a second look */
};

struct json_error {
    size_t at; /* offset into the text */
    const char *what;
};

/* `ceiling`: entries it may grow to, four bytes each; a document has about one for every eight bytes. */
void json_index_init(struct json_index *x, uint32_t ceiling);
void json_index_done(struct json_index *x);

/* Stage 1 over `text`, which must stay until the index is built again. Finds strings that do not end and control
 * characters in them, nothing else. `ret_error` is set on -EINVAL. */
int json_index_build(struct json_index *x, struct span text, struct json_error *ret_error);
/* The whole text is one JSON value: grammar, numbers, literals, escapes, UTF-8, nesting up to JSON_DEPTH_MAX. 0 or
 * -EINVAL. */
int json_check(const struct json_index *x, struct json_error *ret_error);

/* Ways to do stage 1, all with the same result; json_index_build takes the fastest the machine has. */
enum json_engine { JSON_PORTABLE, JSON_SSE2, JSON_AVX2, JSON_ENGINES };
bool json_engine_works(enum json_engine engine);
int json_index_build_by(struct json_index *x, struct span text, enum json_engine engine, struct json_error *ret_error);

/* --- values --- */

enum json_kind {
    JSON_NONE, /* no value here */
    JSON_OBJECT,
    JSON_ARRAY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_BOOL,
    JSON_NULL,
};

/* A value of an indexed text; passed by copy. */
struct json_ref {
    const struct json_index *index;
    uint32_t i; /* entry of its first byte */
};

struct json_ref json_root(const struct json_index *x);
enum json_kind json_kind_of(struct json_ref v);
/* The value as it stands in the text, with its brackets or quotes. */
struct span json_raw_of(struct json_ref v);

/* Members of an object or elements of an array, one after the other. */
struct json_walk {
    const struct json_index *index;
    uint32_t i;
    bool object, first, failed; /* failed: the text is not JSON from here on */
};

/* Of a value that is neither object nor array: nothing comes. */
struct json_walk json_walk_over(struct json_ref v);
/* False at the end. `*ret_key`: what stands between the quotes, escapes and all; empty for elements. */
bool json_walk_next(struct json_walk *w, struct span *ret_key, struct json_ref *ret_value);

/* The first member with this key, or a value of kind JSON_NONE. */
struct json_ref json_find(struct json_ref object, struct span key);

/* Text of a string: borrowed where it has no escapes, else written behind what `scratch` holds. False: no string, or no
 * room. Halves of a surrogate pair become U+FFFD. */
bool json_string(struct json_ref v, struct buf *scratch, struct span *ret_text);
/* Whole numbers in range; 1.0 and 1e3 are none. */
bool json_number_u64(struct json_ref v, uint64_t *ret_value);
bool json_number_i64(struct json_ref v, int64_t *ret_value);
/* Any number of up to 300 characters. */
bool json_number_double(struct json_ref v, double *ret_value);
bool json_truth(struct json_ref v, bool *ret_value);

#endif
