/* segment.h: the file of a segment: written column by column, read through a map. docs/store-format.md draws it.
 *
 * Little-endian, as are all machines this program is built for. Offsets stand in a directory at the end; every extent
 * has its CRC32C. The same bytes in memory are a piece of the tail.
 *
 * Owner: caller. Thread: one writer. Cost: a column at a time in memory. Failure: -errno, sticky in the writer.
 */
#ifndef SEINE_STORE_SEGMENT_H
#define SEINE_STORE_SEGMENT_H

#include <zstd.h>

#include "store/column.h"
#include "store/out.h"
#include "store/part.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files hold words in host order");

#define SEGMENT_MAGIC "SeineSeg"
#define SEGMENT_VERSION 1u
#define SEGMENT_FOOTER 32u
#define SEGMENT_ROWS_MAX ((uint32_t)4 << 20)
#define SEGMENT_COLUMNS_MAX 16384u
#define ENCODING_1 1u /* the only one known; columns of another one are skipped */

#define DICTIONARY_BLOCK 512u  /* values unpacked together: text */
#define DICTIONARY_FIXED 4096u /* addresses, numbers */
#define RAW_RUN 1024u          /* rows unpacked together */
#define LISTED_PRESENCE 16u    /* rows are listed when fewer than one in so many has a value */

enum presence_form { FORM_NONE, FORM_ALL, FORM_BITS, FORM_LIST };

/* In memory; soon to be merged; to stay. */
enum segment_packing { PACKING_NONE, PACKING_QUICK, PACKING_TIGHT };

struct segment_writer {
    struct out out;
    struct buf directory, scratch, packed;
    ZSTD_CCtx *zstd;
    uint64_t seq_low;
    uint32_t rows, columns;
    bool plain; /* nothing is packed by zstd */
    int level;  /* of zstd */
    uint64_t first_min, first_max, last_min, last_max;
    struct shared_extent {
        uint64_t hash;
        struct extent extent;
    } * shared; /* presence: columns of one protocol are present in the same rows */
    uint32_t shared_count, shared_cap;
    struct hash_key key;
    uint64_t *block; /* numbers of one block, on their way into a series */
    int error;
};

/* `fd`: -1 for memory, with PACKING_NONE. */
int segment_begin(struct segment_writer *w, int fd, uint64_t seq_low, uint32_t rows, enum segment_packing packing);
/* Sorts the column's codes on the way. Nothing is written when it has no row. */
void segment_column(struct segment_writer *w, const char *path, struct column_build *b);
/* Directory and footer. The size comes back; memory is in w->out.bytes. */
int segment_end(struct segment_writer *w, uint64_t *ret_size);
void segment_done(struct segment_writer *w);

/* Columns that are never dictionaries: what is summed and compared all the time. */
bool path_is_measure(struct span path);

#endif
