/* history.h: who asked what, and how much came back: a row of the control database for every request worth one.
 *
 * Rows wait in memory for up to HISTORY_WAIT_MS and are written in one transaction by a thread of its own: a request
 * does not wait for the disk, and a power cut takes the last half second with it. The oldest rows go when there are
 * more than HISTORY_MAX. Texts are cut at HISTORY_TEXT_MAX; members of bodies that hold secrets are left out.
 *
 * Owner: struct api. Thread: any. Cost: a copy of the texts. Failure: rows that find no memory, or that the database
 * refuses, are counted (history_lost): the request itself is answered.
 */
#ifndef SEINE_API_HISTORY_H
#define SEINE_API_HISTORY_H

#include "api/api.h"

#define HISTORY_MAX 1000000u
#define HISTORY_TEXT_MAX ((size_t)16 << 10)
#define HISTORY_WAIT_MS 500
#define HISTORY_BEGUN 102        /* status of a row that was written before anything was done */
#define HISTORY_WAITING_MAX 4096 /* rows in memory: who comes then writes them */

struct history;

int history_new(struct control *control, struct history **ret_history, struct err *ret_err);
/* Writes what waits. */
struct history *history_free(struct history *h);

void history_write(struct call *c, int64_t took_ms);
/* A row with the status HISTORY_BEGUN, on disk before this returns: for what cannot be undone and may not go on without
 * it. -errno: it is not there. */
int history_begin(const struct call *c);
/* Writes what waits, now: before the list is read. */
void history_flush(struct history *h);
uint64_t history_lost(const struct history *h);

#endif
