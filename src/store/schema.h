/* schema.h: the fields a store knows, by numbers that hold for the store's whole life.
 *
 * Kept in the file `fields` of the store's folder, which only grows: a frame (u32 length, u32 CRC32C) for each field.
 * A field is there on disk before a row that has it. The first type of a path wins; a field of that path with values
 * of another kind is kept beside it as `path~u64`, `path~text`, ...
 *
 * Owner: writer or reader, each its own copy. Thread: one at a time. Failure: -errno; what stands behind a damaged
 * frame is not known.
 */
#ifndef SEINE_STORE_SCHEMA_H
#define SEINE_STORE_SCHEMA_H

#include "base/buf.h"
#include "base/err.h"
#include "field/registry.h"

#define SCHEMA_MAX 16384u
#define SCHEMA_NONE UINT32_MAX

struct schema_field {
    uint32_t id;
    enum field_type type;
    uint32_t flags;
    bool computed, companion; /* as the registry that brought it had it */
    const char *path;
    struct field_def def; /* names and texts; `get` is NULL */
    char *text;           /* memory of them */
};

struct schema {
    struct schema_field **fields; /* by id */
    uint32_t count, cap;
    uint64_t read; /* bytes of the file that are known */
};

/* What is in the file and not yet known; a missing file is an empty one. `ret_added`: how many (may be NULL). */
int schema_load(struct schema *s, const char *folder, uint32_t *ret_added, struct err *ret_err);
void schema_done(struct schema *s);

const struct schema_field *schema_field(const struct schema *s, uint32_t id);
const struct schema_field *schema_find(const struct schema *s, struct span path);

/* Adds all fields of a registry and the store's own ones, on disk when it returns 0; a torn end is cut off before.
 * `ret_ids`: for each field of the registry its number, SCHEMA_NONE for those without values of their own. */
int schema_adopt(struct schema *s, const char *folder, const struct registry *r, uint32_t *ret_ids,
                 struct err *ret_err);

/* The store's own columns: what a record has and no field shows. */
#define OWN_FLAGS ".flags"
#define OWN_ICMP ".icmp"
#define OWN_POSITIONS ".positions"
#define OWN_GONE ".gone"
#define OWN_COMMUNITY ".community" /* the first 16 bits of the hash in the session's community id */

/* The path under which a reader's registry knows a column: without the suffix of an odd type. */
struct span schema_plain_path(const char *path);

#endif
