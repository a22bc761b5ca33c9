/* part_open.h: the inside of a part, for the files of the store that make parts and walk through them.
 *
 * Owner: counted; the last part_unref unmaps. Thread: any. Failure: -EBADMSG with the extent named in `damage`.
 */
#ifndef SEINE_STORE_PART_OPEN_H
#define SEINE_STORE_PART_OPEN_H

#include <stdatomic.h>

#include "base/err.h"
#include "store/cache.h"
#include "store/out.h"
#include "store/segment.h"

/* What was found damaged: the last texts and how many there were. */
#define DAMAGE_TEXTS 32
struct damage {
    pthread_mutex_t lock;
    uint64_t count;
    char texts[DAMAGE_TEXTS][160];
};
void damage_add(struct damage *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct column_block {
    uint8_t form;                      /* enum presence_form */
    atomic_uchar presence_ok, data_ok; /* the checksum was looked at */
    uint32_t count;                    /* rows with a value */
    struct extent presence, data;
    uint16_t *ranks; /* values before each 1,024 rows; FORM_BITS, counted when first needed */
    uint64_t min, max;
};

struct dictionary_block {
    struct extent extent;
    uint32_t size; /* unpacked */
    struct span first;
};

struct column {
    struct column_info info;
    struct part *part;
    uint32_t id;                      /* of the field, in the store */
    bool multi;                       /* some row has other than one value */
    const struct fixed_column *fixed; /* the member of a record it becomes, or NULL */
    uint32_t dictionary_blocks;
    struct extent index;
    struct dictionary_block *dictionary; /* read when first needed */
    struct unpacked **pieces;            /* of the dictionary; of a RAW column: 64 for each block */
    uint64_t list_codes;
    struct extent lengths, codes;
    struct unpacked *lists;
    struct column_block *blocks;
};

struct part {
    struct part_info info;
    atomic_uint refs;
    const uint8_t *base;
    size_t size;
    void *memory;                   /* to be freed, or NULL: mapped */
    uint8_t footer[SEGMENT_FOOTER]; /* as it was when the part was opened */
    atomic_bool broken;             /* part_whole said no */
    struct cache *cache;
    struct damage *damage;
    pthread_mutex_t lock; /* of what is read when first needed */
    struct column *columns;
    uint32_t count, skipped; /* columns of encodings that are not known */
    uint32_t sides;
    char name[64];
};

/* A segment in memory; `bytes` is the part's from here on, also on failure. */
int part_from_memory(struct span bytes, const char *name, struct cache *cache, struct damage *damage,
                     struct part **ret_part);
int part_from_file(const char *path, const char *name, struct cache *cache, struct damage *damage,
                   struct part **ret_part);
struct part *part_ref(struct part *p);
struct part *part_unref(struct part *p);
/* Pages of the file need not stay in memory. */
void part_rest(const struct part *p);

/* The bytes of an extent, its checksum compared once. */
int part_extent(const struct part *p, const struct extent *e, atomic_uchar *checked, const char *what,
                struct span *ret);
/* Reads the index of the column's dictionary unless that was done. */
int column_open_dictionary(const struct column *c);

static inline uint32_t column_step(const struct column *c) {
    return type_is_text(c->info.type) || c->info.type == FT_OBJECT ? DICTIONARY_BLOCK : DICTIONARY_FIXED;
}

/* All values of one row, whatever the kind of the column; numbers as order-preserving 8 bytes in host order in
 * `number`. Calls `each` in order. 1: there are values, 0: none. */
typedef int (*row_value_fn)(void *ctx, struct span bytes, uint64_t number);
int column_row(const struct column *c, struct use *u, uint32_t row, row_value_fn each, void *ctx);
/* Every row in order, for merges: `each_row` gets how many values follow. */
struct column_walk {
    void *ctx;
    int (*row)(void *ctx, uint32_t row, uint32_t count);
    int (*code)(void *ctx, uint32_t code);      /* COLUMN_CODE, COLUMN_LIST */
    int (*number)(void *ctx, uint64_t number);  /* COLUMN_NUMBER */
    int (*bytes)(void *ctx, struct span bytes); /* COLUMN_RAW */
};
int column_walk(const struct column *c, struct use *u, const struct column_walk *walk);

#endif
