/* shared.h: what endpoints share.
 *
 * Owner: the command, through api_new and api_free; what options point to is the command's and must live longer.
 * Thread: any; nothing here changes after api_new but what its own lock guards.
 */
#ifndef SEINE_API_SHARED_H
#define SEINE_API_SHARED_H

#include <stdatomic.h>

#include "api/api.h"
#include "api/settings.h"
#include "http/settings.h"

struct running_table;
struct history;    /* api/history.h */
struct crons;      /* api/cron_run.h */
struct seen_table; /* api/seen.h */
struct counters;   /* api/counters.h */
struct notices;    /* api/notify.h */

/* A capture to be read into the store, for whoever writes it. */
struct import_request {
    const char *path;
    struct span tags; /* joined by commas */
};
struct import_result {
    uint64_t packets, sessions;
    char warning[128]; /* "": all of it was read */
};
/* 0, or -errno with a sentence: -EBUSY somebody else writes; -ENODATA it is no capture. Any thread. */
typedef int (*import_fn)(void *ctx, const struct import_request *q, struct import_result *ret, struct err *ret_err);

struct api {
    struct store *store;
    struct control *control;
    struct auth *auth;
    struct store_writer *writer; /* when this process writes too; NULL = it does not */
    const char *folder;          /* of the store */
    const char *node, *version;
    const struct api_settings *settings;
    const struct http_settings *http;
    const struct server *server; /* for its counters; of api_serve */
    int64_t started_ms;
    import_fn import; /* NULL: captures are not taken */
    void *import_ctx;
    struct running_table *running;
    struct seen_table *seen;
    struct notices *notices;
    struct counters *counters; /* NULL: there is no store */
    struct history *history;
    struct crons *crons; /* NULL: this process does not run periodic queries */
};

struct api_options {
    struct store *store;
    struct control *control;
    struct auth *auth;
    struct store_writer *writer;
    const char *folder;
    const char *node, *version;
    const struct api_settings *settings;
    const struct http_settings *http;
    import_fn import; /* NULL: none */
    void *import_ctx;
};

int api_new(const struct api_options *options, struct api **ret_api, struct err *ret_err);
struct api *api_free(struct api *a);
/* Whether the endpoint reads the body as it comes: for server_options.streams. */
bool api_streams(void *ctx, const char *method, const char *target);
/* The server that hands requests in, for its counters; before the first one comes. NULL before it is freed. */
void api_serve(struct api *a, const struct server *server);
/* What is being read into the store by this process, for statistics: bytes and packets so far, 0 at its end. NULL is
 * fine. */
void api_reading(void *api, uint64_t bytes, uint64_t packets);
/* Answers a request: the handler of server_options, with the api as ctx. */
void api_answer(void *ctx, const struct request *q, struct reply *r);

/* Headers that every answer has; call_fail sets them again after throwing an answer away. */
void call_headers(struct call *c);
/* Pages and files of the user interface. False: there is none of this path. */
bool page_answer(struct call *c);
bool page_is_open(const char *path);

/* --- queries in progress that have a cancelId --- */

/* -EEXIST: this user has one of that id; -E2BIG: too many. */
int running_add(struct running_table *t, const char *user, const char *id, struct running **ret_running);
void running_remove(struct running_table *t, struct running *r);
bool running_cancelled(const struct running *r);
/* False: this user has no such query. `user` NULL: anybody's. */
bool running_cancel(struct running_table *t, const char *user, const char *id);
struct running_info {
    const char *user, *id;
    int64_t started_ms;
    bool cancelled;
};
typedef void (*running_fn)(void *ctx, const struct running_info *info);
void running_each(struct running_table *t, running_fn each, void *ctx);
struct running_table *running_table_new(void);
struct running_table *running_table_free(struct running_table *t);

/* --- printed from the tables --- */

struct endpoint_match {
    const struct endpoint *endpoint;
    uint32_t other_methods; /* API_GET ... of endpoints with this path, when none has the method */
};
/* The endpoint of a path; `ret_parts` (8) get what stands for `:name`, in `memory` where a part is cut. */
struct endpoint_match endpoint_find(const char *const *parts, size_t count, uint32_t method, const char **ret_parts,
                                    char *memory, size_t memory_size);
uint32_t method_flag(const char *method);

/* OpenAPI 3.1 as JSON. */
void openapi_write(struct buf *out);
/* docs/reference/api.md */
void endpoints_markdown(struct buf *out);

#endif
