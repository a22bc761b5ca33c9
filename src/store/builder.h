/* builder.h: rows of the log collected into columns, until they are a segment.
 *
 * Owner: caller. Thread: one. Cost: about 4 us a row, 1.5 KB a row in memory. Failure: -ESTALE for a field that the
 * schema does not know (load it again), -EBADMSG for bytes that are no row, -ENOMEM.
 */
#ifndef SEINE_STORE_BUILDER_H
#define SEINE_STORE_BUILDER_H

#include "store/positions.h"
#include "store/schema.h"
#include "store/segment.h"

struct builder {
    const struct schema *schema;
    struct column_build **columns; /* by field */
    uint32_t cap;
    uint64_t seq_low;
    uint32_t rows;
    struct hash_key key;
};

int builder_init(struct builder *b, const struct schema *schema);
void builder_done(struct builder *b);
void builder_clear(struct builder *b, uint64_t seq_low);
/* `payload`: whole rows. */
int builder_add(struct builder *b, struct span payload, uint32_t rows);
/* Columns into a segment. `positions`: where packet positions go instead of a column; NULL: they stay one. */
void builder_write(struct builder *b, struct segment_writer *w, struct positions_sink *positions);
/* The rows as a part in memory. */
struct cache;
struct damage;
int builder_part(struct builder *b, const char *name, struct cache *cache, struct damage *damage,
                 struct part **ret_part);

#endif
