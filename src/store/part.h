/* part.h: rows that no longer change, column by column: a segment file, or a piece of the tail in memory.
 *
 * Rows are numbered from 0; row r of a part is session number `seq_low + r` of the store. Columns are named by the
 * paths of fields; only columns that occur are there. A column is read a block at a time, or at single rows.
 *
 *   COLUMN_NUMBER  one number a row, as an order-preserving u64 (number_from_i64, number_from_double)
 *   COLUMN_CODE    one value a row: its code in the column's sorted dictionary
 *   COLUMN_LIST    several values a row, in the document's order: a list code; a list is an array of value codes
 *   COLUMN_RAW     near-unique text: nothing is shared; a row has any number of values
 *
 * Dictionary values are bytes: text as stored, 16 of an address, 6 of a MAC address, 8 (big-endian, order-preserving)
 * of a number; so memcmp order is the order of values, and a network is a range of codes. Codes are the part's own.
 *
 * Owner: the snapshot; a part lives as long as one holds it. Thread: any number read at once. Cost: a block's decode is
 * about 1 ns a value; dictionaries are unpacked on first use and kept in a cache with a ceiling, pinned by a `use`.
 * Failure: -EBADMSG for damage (which extent of which file is in the reader's report), -EIO, -ENOMEM.
 */
#ifndef SEINE_STORE_PART_H
#define SEINE_STORE_PART_H

#include "base/span.h"
#include "field/field.h"

#define PART_BLOCK 65536u /* rows of a block; the last one of a part may be shorter */
#define PART_WORDS (PART_BLOCK / 64)
#define CODE_NONE UINT32_MAX

enum column_kind { COLUMN_NUMBER, COLUMN_CODE, COLUMN_LIST, COLUMN_RAW };

struct part;
struct column;

struct part_info {
    uint64_t seq_low;
    uint32_t rows, blocks;
    uint64_t first_min, first_max, last_min, last_max; /* firstPacket, lastPacket: ms since 1970 */
    bool tail;                                         /* in memory only: its rows are in the WAL */
    const char *name;                                  /* of the segment file; "tail" */
};

struct column_info {
    const char *path;
    enum field_type type;
    enum column_kind kind;
    uint32_t values;   /* distinct ones: COLUMN_CODE, COLUMN_LIST */
    uint32_t lists;    /* distinct ones: COLUMN_LIST */
    uint64_t present;  /* rows with a value */
    uint64_t min, max; /* COLUMN_NUMBER */
};

/* Keeps what was unpacked alive: every pointer given by a function that takes one is valid until use_done. */
struct use {
    void *pins;
    uint32_t count, cap;
};
static inline void use_init(struct use *u) {
    *u = (struct use){0};
}
void use_done(struct use *u);

/* Whether the bytes read so far were the part's: asked after reading, before an answer is believed. False, for good,
 * and told as damage once: its file was cut off or written over, or the disk lost a page (guard.h). From then on every
 * extent is checked at each use, so that what is left of the part can be read. */
bool part_whole(const struct part *p);
const struct part_info *part_info(const struct part *p);
uint32_t part_columns(const struct part *p);
const struct column *part_column(const struct part *p, uint32_t index); /* in the order of their paths */
const struct column *part_find(const struct part *p, struct span path); /* NULL: no row has a value */
const struct column_info *column_info(const struct column *c);

/* Rows of `block` that have a value. */
enum presence { PRESENCE_NONE, PRESENCE_ALL, PRESENCE_SOME };
/* Fills `ret_bits` (PART_WORDS words; bits beyond the last row are 0) whatever it answers; negative: failure. */
int column_presence(const struct column *c, uint32_t block, uint64_t *ret_bits);
/* Smallest and largest number or code of the block; false when the block has no value. */
bool column_zone(const struct column *c, uint32_t block, uint64_t *ret_min, uint64_t *ret_max);

/* COLUMN_NUMBER: all rows of a block; 0 where there is no value. `ret` has room for PART_BLOCK. */
int column_numbers(const struct column *c, uint32_t block, uint64_t *ret);
/* COLUMN_CODE: value codes, COLUMN_LIST: list codes; CODE_NONE where there is no value. */
int column_codes(const struct column *c, uint32_t block, uint32_t *ret);

/* What is asked of the number of a row (COLUMN_NUMBER), of its code or that of its list. */
struct column_test {
    uint64_t low, high;  /* inclusive */
    const uint64_t *set; /* or: codes whose bit is 1, with one for each value or list of the column; NULL: the range */
};
/* The rows of `want` that have a value and pass. Codes are not brought out of the series for it: a run of 1,024 that
 * has none of the wanted rows is not looked at, and one that is all in or all out of the range is not unpacked. `ret`
 * may not be `want`. */
int column_test(const struct column *c, uint32_t block, const struct column_test *t, const uint64_t *want,
                uint64_t *ret);

/* Single rows of the part. 1: there is a value, 0: none, negative: failure. */
int column_number_at(const struct column *c, uint32_t row, uint64_t *ret);
int column_code_at(const struct column *c, uint32_t row, uint32_t *ret);

/* COLUMN_CODE, COLUMN_LIST: the value of a code. */
int column_value(const struct column *c, struct use *u, uint32_t code, struct span *ret);
/* The first code whose value is not below `bytes`; column_info.values when all are. `ret_equal`: it is that value. */
int column_lower(const struct column *c, struct use *u, struct span bytes, uint32_t *ret_code, bool *ret_equal);
/* Text: calls `each` for the values that contain `bytes` (not empty), in order, out of the block of the dictionary that
 * `*code` is in, and moves `*code` to the next one. `value` is valid during the call; negative from `each` ends it. */
typedef int (*dictionary_fn)(void *ctx, uint32_t code, struct span value);
int column_containing(const struct column *c, uint32_t *code, struct span bytes, dictionary_fn each, void *ctx);
/* COLUMN_LIST: all lists: the codes of list i end at `ends[i]`, and begin where those of the one before end. */
int column_lists(const struct column *c, struct use *u, const uint32_t **ret_ends, const uint32_t **ret_codes);
/* COLUMN_LIST: the value codes of a list. */
int column_list(const struct column *c, struct use *u, uint32_t list, const uint32_t **ret_codes, uint32_t *ret_count);

/* COLUMN_RAW: calls `each` for every value of every row of the block whose bit is set in `want` (NULL: all), in order.
 * False from `each` ends it. `value` is valid during the call. */
typedef bool (*raw_fn)(void *ctx, uint32_t row, struct span value);
int column_raw(const struct column *c, uint32_t block, const uint64_t *want, raw_fn each, void *ctx);

/* The restorer makes the values of this field from others: no column says nothing. For every other field no column
 * means no value. Columns whose paths begin with a dot are the store's own. */
bool path_is_derived(struct span path);

static inline uint64_t number_from_i64(int64_t n) {
    return (uint64_t)n ^ ((uint64_t)1 << 63);
}
static inline int64_t number_to_i64(uint64_t n) {
    return (int64_t)(n ^ ((uint64_t)1 << 63));
}
uint64_t number_from_double(double n);
double number_to_double(uint64_t n);

#endif
