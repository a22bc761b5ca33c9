/* api.h: endpoints: a table per family, one function per endpoint.
 *
 * dispatch.c finds the endpoint, asks auth/ who it is, checks right, CSRF token and values, calls the function, and
 * writes history. Documentation and OpenAPI are printed from the same tables (endpoint.md, openapi.json).
 *
 * Owner: the command. Thread: functions run on the connection's thread, many at once; everything in struct api is
 * shared and guarded by its own module.
 */
#ifndef SEINE_API_API_H
#define SEINE_API_API_H

#include "auth/auth.h"
#include "base/json.h"
#include "field/registry.h"
#include "http/server.h"
#include "store/control.h"
#include "store/search.h"
#include "store/store.h"

struct api;     /* what endpoints share: api/shared.h */
struct running; /* a query in progress that can be cancelled by its id */

struct call {
    struct api *api;
    const struct request *request;
    struct reply *reply;
    const struct principal *who;
    const struct endpoint *endpoint;
    const char *parts[8];    /* of the path, where the pattern has `:name`; in order; decoded */
    struct running *running; /* of cancelId; NULL = none was given */
    int status;              /* of call_fail, or 200 */
    char part_memory[1024];
    /* For history; -1 = does not apply. */
    int64_t records_returned, records_filtered, records_total;
};

enum parameter_type { PARAM_TEXT, PARAM_NUMBER, PARAM_BOOL, PARAM_LIST, PARAM_TIME, PARAM_JSON };

struct parameter {
    const char *name;
    enum parameter_type type;
    const char *fallback; /* default, as text; NULL: none */
    const char *help;
};

#define API_GET 0x01u
#define API_POST 0x02u
#define API_PUT 0x04u
#define API_DELETE 0x08u
/* The CSRF token is needed with POST, PUT, DELETE; with API_TOKEN_GET also with GET; with API_TOKEN_BROWSER with any
 * method, but only when a Cookie or Referer came along. Requests with an API token never need it. */
#define API_TOKEN 0x10u
#define API_TOKEN_GET 0x20u
#define API_TOKEN_BROWSER 0x800u
#define API_SETS_COOKIE 0x40u
#define API_HISTORY 0x80u        /* written to history */
#define API_OPEN 0x100u          /* without a user */
#define API_SESSION_QUERY 0x200u /* takes the common parameters of session queries */
#define API_ERROR_200 0x400u     /* its errors are answered with 200, as clients expect */
#define API_SERVERS 0x1000u      /* for other servers only (x-arkime-auth); who->stranger may be set when rights is 0 */
#define API_STREAMS 0x2000u      /* reads the body itself, as it comes; its pattern has no `:name` */

struct endpoint {
    const char *pattern; /* "/api/session/:node/:id/packets"; a part may go on behind the name: "/api/x/:id.pcap" */
    const char *aliases; /* further patterns, separated by blanks; NULL = none */
    uint32_t flags;
    uint32_t rights; /* all of these (enum right); 0: any user that is known */
    void (*function)(struct call *c);
    const struct parameter *parameters; /* name NULL ends */
    const char *title;                  /* one line */
    const char *help;                   /* what comes back; Markdown */
};

struct endpoint_family {
    const char *name;
    const struct endpoint *list;
    size_t count;
};
extern const struct endpoint_family *const api_families[]; /* NULL ends; api/families.c */

/* --- for functions --- */

/* {"success":false,"text":...} with the status (200 with API_ERROR_200). Throws away what was written; when a part was
 * sent already, cuts the connection. */
void call_fail(struct call *c, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* {"success":true,"text":...} */
void call_done(struct call *c, const char *text);
/* The answer is JSON; a writer over its body. */
struct json call_json(struct call *c);

/* Parameters. Of those that answer bool: false when the value is no such thing; the reply is then complete (400). */
const char *call_text(const struct call *c, const char *name, const char *fallback); /* "" counts as not there */
bool call_bool(const struct call *c, const char *name, bool fallback);               /* true, 1, on, yes */
bool call_u64(struct call *c, const char *name, uint64_t fallback, uint64_t max, uint64_t *ret);
bool call_double(struct call *c, const char *name, double fallback, double *ret);
/* Each item of a list: of a comma list, or of a JSON array of texts. False from `each` ends it and is returned. */
bool call_list(const struct call *c, const char *name, bool (*each)(void *ctx, struct span item), void *ctx);

/* The client went away, or somebody cancelled the query: fits search_options.cancelled with the call as ctx. */
bool call_cancelled(void *call);

#endif
