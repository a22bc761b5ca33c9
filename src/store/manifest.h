/* manifest.h: what a store consists of: its segments, and from which log on rows are not in one. The file MANIFEST is
 * text, ends in its own CRC32C, and is replaced as a whole.
 *
 * Owner: caller. Thread: one at a time. Failure: -errno with text; -ENOENT: there is no store.
 */
#ifndef SEINE_STORE_MANIFEST_H
#define SEINE_STORE_MANIFEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define SEGMENT_NAME_MAX 48

struct manifest_segment {
    char name[SEGMENT_NAME_MAX];
    uint32_t level, rows;
    uint64_t seq_low;
    uint64_t first_min, first_max, last_min, last_max;
    int64_t arrived_min, arrived_max; /* ms since 1970 */
    uint64_t size;
    uint64_t folded; /* changes of the overlay up to this number are in its columns */
    bool damaged;    /* not in the file: a merge could not read it, and leaves it alone from then on */
};

struct manifest {
    char uuid[33];
    char node[64];
    uint64_t generation;
    uint64_t covered; /* rows below are in segments, or gone */
    uint64_t log;     /* the first log that may hold others */
    uint64_t next_file;
    struct manifest_segment *segments; /* by seq_low */
    uint32_t count, cap;
};

#define MANIFEST_SEGMENTS_MAX ((uint32_t)1 << 20)

/* 0: a store is in this folder. */
int store_is_there(const char *folder, struct err *ret_err);
/* Says for `code` why there is none, and how one is made. */
int store_missing(const char *folder, int code, struct err *ret_err);
int manifest_read(const char *folder, struct manifest *ret, struct err *ret_err);
/* `ret_replaced` (may be NULL): see file_replace. */
int manifest_write(const char *folder, const struct manifest *m, bool *ret_replaced, struct err *ret_err);
void manifest_done(struct manifest *m);
/* Takes out `drop` segments from `at` on and puts `add` (NULL: none) in their place. 0 or -ENOMEM. */
int manifest_splice(struct manifest *m, uint32_t at, uint32_t drop, const struct manifest_segment *add);
int manifest_copy(const struct manifest *m, struct manifest *ret);

#endif
