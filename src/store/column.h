/* column.h: a column being collected, from rows or from other parts, until it is written.
 *
 * Values of the byte types (text, addresses, objects' shapes) are kept once each; rows hold their number in the order
 * of arrival. Rows come in ascending order, with one or more values each.
 *
 * Owner: caller. Thread: one. Cost: about 20 ns a byte value, 2 ns a number. Failure: sticky in `failed` (-ENOMEM).
 */
#ifndef SEINE_STORE_COLUMN_H
#define SEINE_STORE_COLUMN_H

#include "base/hash.h"
#include "base/span.h"
#include "field/field.h"

/* Distinct byte strings, numbered as they come. */
struct intern {
    struct hash_key key;
    uint8_t *bytes;
    uint32_t *ends; /* where value i ends; it begins where i - 1 ends */
    struct intern_slot {
        uint32_t number; /* and one; 0: free */
        uint32_t hash;   /* here and not by number: one miss of the cache instead of two */
    } * slots;
    uint32_t used, cap, count, count_cap, slot_count;
};
#define INTERN_FAILED UINT32_MAX

void intern_init(struct intern *t, const struct hash_key *key);
void intern_done(struct intern *t);
void intern_clear(struct intern *t);
uint32_t intern_add(struct intern *t, struct span bytes); /* its number, or INTERN_FAILED */
static inline struct span intern_at(const struct intern *t, uint32_t i) {
    uint32_t start = i ? t->ends[i - 1] : 0;
    return span_make(t->bytes + start, t->ends[i] - start);
}
/* Numbers of the values in the order of their bytes, and the other way round. Arrays of t->count; 0 or -ENOMEM. */
int intern_sort(const struct intern *t, uint32_t *ret_sorted, uint32_t *ret_place);

struct column_build {
    uint32_t id; /* of the field, in the store */
    enum field_type type;
    uint32_t present, values; /* rows with a value; all values */
    uint32_t *rows;           /* ascending */
    uint32_t *ends;           /* behind the values of each row; NULL as long as each has one */
    union {
        uint64_t *numbers; /* order-preserving */
        uint32_t *codes;
    };
    struct intern dictionary;
    /* Byte values wait here and are looked up many at a time: the dictionaries of all columns together are larger than
     * the processor's caches, that of one is not. Each: u32 length, bytes. */
    uint8_t *waiting;
    uint32_t waiting_used, waiting_count;
    uint32_t rows_cap, values_cap;
    int failed;
};

static inline bool type_is_number(enum field_type type) {
    return type <= FT_BOOL;
}
static inline bool type_is_text(enum field_type type) {
    return type >= FT_KEYWORD && type <= FT_TEXT;
}

void column_build_init(struct column_build *b, uint32_t id, enum field_type type, const struct hash_key *key);
void column_build_done(struct column_build *b);
void column_build_clear(struct column_build *b); /* keeps memory for the next rows */
/* The next row, with `count` values to be put; false: no memory. */
bool column_build_row(struct column_build *b, uint32_t row, uint32_t count);
/* One more value for the last row. */
bool column_build_more(struct column_build *b);
static inline void column_build_number(struct column_build *b, uint64_t number) {
    b->numbers[b->values++] = number;
}
static inline void column_build_code(struct column_build *b, uint32_t code) {
    b->codes[b->values++] = code;
}
void column_build_bytes(struct column_build *b, struct span bytes);
/* Looks up what waits: before `codes` or `dictionary` are read. */
void column_build_settle(struct column_build *b);
/* Values of the i-th present row: numbers first .. end - 1. */
static inline uint32_t column_build_first(const struct column_build *b, uint32_t i) {
    return !b->ends ? i : i ? b->ends[i - 1] : 0;
}
static inline uint32_t column_build_end(const struct column_build *b, uint32_t i) {
    return b->ends ? b->ends[i] : i + 1;
}

#endif
