/* service.h: a store behind a server: everything that `seine serve` holds open, in the order it is opened.
 *
 * Owner: the command. Thread: main. Failure: said; the exit code returned; service_stop is due in any case.
 */
#ifndef SEINE_CMD_SERVICE_H
#define SEINE_CMD_SERVICE_H

#include "api/shared.h"
#include "cmd/session_setup.h"
#include "cmd/take.h"

struct service_options {
    struct session_setup *setup;
    const char *folder;
    const char *listen; /* ADDRESS:PORT of the command line, or NULL */
    bool is_private;    /* whoever has the printed link may come in, nobody else */
    struct take *take;  /* reads captures that come in; NULL: none are taken */
    bool write;         /* take the store for writing, and make it when it is not there */
};

struct service {
    struct store_writer *writer;
    struct store *store;
    struct control *control;
    struct auth *auth;
    struct api *api;
    struct server *server;
    char *address;
    char *link;
    uint64_t requests; /* seen at the last look */
    unsigned quiet;    /* looks without a request in between */
    bool rested;
};

int service_start(struct service *s, const struct service_options *options);
/* Gives the store to other writers; what was written is sealed. */
int service_stop_writing(struct service *s, const struct service_options *options);
/* Called once a second: gives memory back when nobody asks. */
void service_look(struct service *s);
/* Deletes what is older than the settings say, when nobody else writes. */
void service_retain(const struct service *s, const struct service_options *options);
void service_stop(struct service *s);

#endif
