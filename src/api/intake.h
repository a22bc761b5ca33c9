/* intake.h: captures that come in over the API: kept in the store's folder, then read into it.
 *
 * Files are written as they come, get names made here once they are whole (at once where the file system has no files
 * without names), and are gone again when they turn out to be no captures.
 *
 * Owner: the endpoint's stack. Thread: that of the call, which waits until the capture is read. Cost: that of reading
 * it. Failure: the call is answered, or -errno with a sentence.
 */
#ifndef SEINE_API_INTAKE_H
#define SEINE_API_INTAKE_H

#include "api/shared.h"

#define INTAKE_NAME_MAX 128

struct intake {
    struct call *call;
    int fd;     /* -1: none */
    char *path; /* NULL: it has no name yet */
    char *stem; /* of the name: folder, kind, time */
    char name[INTAKE_NAME_MAX];
    uint64_t bytes, limit;
    struct err err;
};

/* A new file in the store's folder; `name` says what it was called, `kind` ("upload") how it came. */
int intake_open(struct intake *i, struct call *c, const char *kind, const char *name);
/* -EFBIG over the limit; -ENOSPC. */
int intake_write(struct intake *i, struct span bytes);
/* Reads what was written into the store, with tags (joined by commas). -EBUSY: another program writes the store, or
 * this one reads captures; -ENODATA: it is no capture. The file stays with 0, and when some of its sessions are stored.
 */
int intake_import(struct intake *i, struct span tags, struct import_result *ret);
void intake_close(struct intake *i);
/* The status that goes with a failure. */
int intake_status(int code);

/* Tags: letters, digits, `-`, `_`, `:`, joined by commas. */
bool tags_are_good(struct span tags);

#endif
