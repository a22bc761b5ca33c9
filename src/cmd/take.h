/* take.h: captures that come in over the API, read into the store that is served.
 *
 * Owner: the command. Thread: take_import from any; one capture at a time, others are told to come again. It is the
 * store's writer for so long; -EBUSY when somebody else is.
 */
#ifndef SEINE_CMD_TAKE_H
#define SEINE_CMD_TAKE_H

#include <pthread.h>

#include "api/shared.h"
#include "cmd/session_setup.h"

struct take {
    const struct session_setup *setup;
    const char *folder;
    struct api *api; /* hears how far reading is; set once it is there */
    struct control *control;
    bool (*over)(void *ctx, bool *ret_asked);
    void *ctx;
    const bool *busy; /* atomic: this program reads captures into the store itself */
    pthread_mutex_t lock;
};

void take_init(struct take *t);
void take_done(struct take *t);
/* For api_options.import, with the struct take as ctx. */
int take_import(void *take, const struct import_request *q, struct import_result *ret, struct err *ret_err);

#endif
