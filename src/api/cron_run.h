/* cron_run.h: runs periodic queries: sessions stored since the last time that fit get tags.
 *
 * One thread, once a minute and when it is woken. Several servers of one store share the work: whoever claims a query
 * in the database runs it. A session is looked at once, by the time it was stored (@timestamp).
 *
 * Owner: struct api. Thread: any. Failure: what keeps a query from running stands in its state, for its list.
 */
#ifndef SEINE_API_CRON_RUN_H
#define SEINE_API_CRON_RUN_H

#include "api/api.h"

struct crons;

int crons_new(struct api *api, struct crons **ret_crons, struct err *ret_err);
/* Ends a query in progress: the next run begins where that one did. */
struct crons *crons_free(struct crons *c);
/* Runs what is due, soon; NULL is fine. */
void crons_wake(struct crons *c);

#endif
