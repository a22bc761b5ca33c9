/* row.h: a session as bytes: what stands in the log.
 *
 *   row     u32 length of what follows, entries
 *   entry   varint field number (schema.h), varint number of values, the values
 *   value   numbers: varint, zigzag varint (FT_I64) or 8 bytes (FT_FLOAT); text: varint length and bytes;
 *           addresses: 4 or 16 and so many bytes; MAC addresses: 6 bytes; objects: text, see shape below
 *   shape   varint number of elements; for each its runs of members: varint field number + 1, varint number of values,
 *           for members that are objects each of them as an element; 0 ends an element
 *
 * Members of objects are entries of their own, all values of one member together, in the document's order; the shape
 * says which element each belongs to. What is derived (part.h, path_is_derived) is left out.
 *
 * Owner: plan: the writer, then read-only; encoder: one call at a time. Cost: about 2 us a session. Failure: -errno.
 */
#ifndef SEINE_STORE_ROW_H
#define SEINE_STORE_ROW_H

#include "base/buf.h"
#include "base/cursor.h"
#include "record/record.h"
#include "store/column.h"
#include "store/schema.h"

#define ROW_MAX ((uint32_t)32 << 20)

/* Bits of OWN_FLAGS; above them ip_version (4 bits) and kind (4 bits). */
enum row_flag {
    ROW_LINKED,
    ROW_LAST_PIECE,
    ROW_HAS_IP,
    ROW_HAS_PORT,
    ROW_IS_TCP,
    ROW_HAS_SYN,
    ROW_HAS_SYN_ACK,
    ROW_SYN_ACK_FIRST,
    ROW_HAS_RTT,
    ROW_SYN_VALIDATED,
    ROW_SYN_ACK_VALIDATED,
    ROW_FLAG_COUNT,
};

struct row_plan {
    const struct registry *registry;
    uint32_t *ids; /* by field of the registry */
    struct row_computed {
        const struct field *field;
        uint32_t id;
    } * computed;
    size_t computed_count;
    uint32_t flags, icmp, positions, community, files, stored, root;
};

int row_plan_init(struct row_plan *p, struct schema *s, const char *folder, const struct registry *r,
                  struct err *ret_err);
void row_plan_done(struct row_plan *p);

struct row_encoder {
    struct buf row, shape, blob;
    struct row_item {
        uint32_t id;
        const struct field *field;
        const struct cell *cell;
    } * items; /* members of the object being written */
    uint32_t item_count, item_cap;
    uint64_t cut; /* values left out for want of memory */
    struct row_encoder *next;
};
void row_encoder_init(struct row_encoder *e);
void row_encoder_done(struct row_encoder *e);

/* Into e->row. `root`: name of the first piece for records that have one, else empty. `now`: ms since 1970. */
int row_encode(const struct row_plan *p, struct row_encoder *e, const struct record *r, struct span root, int64_t now);

/* The value at the cursor; numbers order-preserving. */
static inline bool row_value_is_number(enum field_type t) {
    return type_is_number(t);
}
uint64_t row_read_number(struct cursor *c, enum field_type type);
/* `room`: 16 bytes, for addresses. */
struct span row_read_bytes(struct cursor *c, enum field_type type, uint8_t *room);

/* Bits of the flags, for the restorer. */
uint64_t row_flags(const struct record *r);
void row_set_flags(struct record *r, uint64_t flags);

#endif
