/* meta.c: endpoints about the server itself, and the cancelling of queries. */
#include "api/shared.h"
#include "base/util.h"

static void health(struct call *c) {
    call_done(c, "alive");
}

static void version(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "app");
    json_cstr(&j, "seine");
    json_key(&j, "version");
    json_cstr(&j, c->api->version);
    json_key(&j, "clusterName");
    json_cstr(&j, c->api->node);
    json_close(&j, '}');
}

static void openapi(struct call *c) {
    reply_type(c->reply, "application/json; charset=utf-8");
    openapi_write(reply_body(c->reply));
}

static void task_write(void *ctx, const struct running_info *info) {
    struct json *j = ctx;
    json_open(j, '{');
    json_key(j, "cancelId");
    json_cstr(j, info->id);
    json_key(j, "user");
    json_cstr(j, info->user);
    json_key(j, "startTime");
    json_i64(j, info->started_ms);
    json_key(j, "cancelled");
    json_bool(j, info->cancelled);
    json_close(j, '}');
}

static void tasks(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_open(&j, '[');
    running_each(c->api->running, task_write, &j);
    json_close(&j, ']');
    json_close(&j, '}');
}

static void cancel(struct call *c) {
    bool any = c->who->rights & RIGHT_ADMIN;
    if (!running_cancel(c->api->running, any ? NULL : c->who->id, c->parts[0])) {
        call_fail(c, 404, "No query of that id is in progress");
        return;
    }
    call_done(c, "Cancelled");
}

static const struct endpoint list[] = {
    {.pattern = "/health",
     .aliases = "/_ns_/nstest.html",
     .flags = API_GET | API_OPEN,
     .function = health,
     .title = "Whether the server is alive",
     .help = "`{success:true}` as long as requests are answered."},
    {.pattern = "/api/appversion",
     .flags = API_GET,
     .rights = RIGHT_ANY,
     .function = version,
     .title = "Version of the program",
     .help = "`{app, version, clusterName}`"},
    {.pattern = "/api/openapi.json",
     .flags = API_GET,
     .rights = RIGHT_ANY,
     .function = openapi,
     .title = "This description as OpenAPI 3.1",
     .help = "An OpenAPI document."},
    {.pattern = "/api/queries",
     .flags = API_GET,
     .rights = RIGHT_ADMIN,
     .function = tasks,
     .title = "Queries in progress that have a cancelId",
     .help = "`{data:[{cancelId, user, startTime, cancelled}]}`"},
    {.pattern = "/api/estasks/:cancelId/cancelwith",
     .flags = API_POST | API_TOKEN,
     .rights = RIGHT_ANY,
     .function = cancel,
     .title = "End a query in progress",
     .help = "`cancelId` is what the query was sent with. Ids belong to users; those with arkimeAdmin may end any."},
};

const struct endpoint_family meta_family = {"Server", list, ARRAY_LEN(list)};
