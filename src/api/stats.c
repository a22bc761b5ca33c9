/* stats.c: nodes in numbers, in the shape that pages and monitors for Arkime read; and whether all is well.
 *
 * A node is known by the capture files it brought. Lists about the parts of an Elasticsearch cluster are empty: the
 * store has no nodes, shards and indices of that kind.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/counters.h"
#include "api/input.h"
#include "api/lists.h"
#include "api/shared.h"
#include "api/store_stats.h"
#include "base/util.h"

#define NODES_MAX 1000
#define NODE_OLD_MS 300000
#define SERIES_MAX 100000 /* values of one answer */
#define DISK_LOW 2.0      /* percent free */

struct node {
    char name[129];
    uint64_t packets, bytes, sessions, files;
    int64_t oldest_ms, newest_ms; /* of packets */
    int64_t started_ms, seen_ms;  /* first and last news of it */
};

struct nodes {
    struct node *list;
    size_t count;
    bool failed;
};

static void nodes_done(struct nodes *n) {
    free(n->list);
}

static struct node *node_find(struct nodes *n, const char *name) {
    for (size_t i = 0; i < n->count; i++) {
        if (strncmp(n->list[i].name, name, sizeof(n->list[i].name) - 1) == 0) {
            return &n->list[i];
        }
    }
    struct node *more = n->count < NODES_MAX ? reallocarray(n->list, n->count + 1, sizeof(struct node)) : NULL;
    if (!more) {
        n->failed = true;
        return NULL;
    }
    n->list = more;
    struct node *made = &n->list[n->count++];
    *made = (struct node){0};
    (void)snprintf(made->name, sizeof(made->name), "%s", name);
    return made;
}

static bool file_count(void *ctx, const struct stored_file *f) {
    struct node *n = node_find(ctx, f->node ? f->node : "");
    if (!n) {
        return false;
    }
    n->files++;
    n->packets += f->packets;
    n->bytes += f->packet_bytes;
    n->sessions += f->sessions;
    n->started_ms = n->started_ms ? MIN(n->started_ms, f->started_ms) : f->started_ms;
    n->seen_ms = MAX(n->seen_ms, MAX(f->started_ms, f->finished_ms));
    if (f->packets) {
        n->oldest_ms = n->oldest_ms ? MIN(n->oldest_ms, f->first_ms) : f->first_ms;
        n->newest_ms = MAX(n->newest_ms, f->last_ms);
    }
    return true;
}

/* --- one node --- */

static void number_write(struct json *j, const char *key, uint64_t value) {
    json_key(j, key);
    json_u64(j, value);
}

/* What only the node that answers knows. */
static void own_write(const struct call *c, struct json *j) {
    char host[256] = "";
    struct counter_slot slot;
    (void)gethostname(host, sizeof(host) - 1);
    json_key(j, "hostname");
    json_cstr(j, host);
    number_write(j, "interval", counter_intervals[0]);
    if (!counters_newest(c->api->counters, &slot)) {
        return;
    }
    number_write(j, "deltaMS", slot.ms);
    for (size_t i = 0; i < counter_series_count; i++) {
        json_key(j, counter_series_table[i].name);
        json_double(j, series_of_slot(&counter_series_table[i], &slot));
    }
}

static void node_write(struct call *c, struct json *j, const struct node *n) {
    json_open(j, '{');
    json_key(j, "id");
    json_cstr(j, n->name);
    json_key(j, "nodeName");
    json_cstr(j, n->name);
    json_key(j, "ver");
    json_cstr(j, c->api->version);
    json_key(j, "currentTime");
    json_i64(j, n->seen_ms / 1000);
    json_key(j, "startTime");
    json_i64(j, n->started_ms / 1000);
    json_key(j, "runningTime");
    json_i64(j, MAX(n->seen_ms - n->started_ms, 0) / 1000);
    number_write(j, "totalPackets", n->packets);
    number_write(j, "totalK", n->bytes / 1024);
    number_write(j, "totalSessions", n->sessions);
    number_write(j, "totalFiles", n->files);
    if (n->oldest_ms) {
        json_key(j, "retention");
        json_i64(j, MAX(input_now() - n->oldest_ms, 0) / 1000);
    }
    if (strcmp(n->name, c->api->node) == 0) { /* other nodes are other machines, or were this one's past */
        own_write(c, j);
    }
    json_close(j, '}');
}

/* Names separated by commas, each the beginning of a node's name, or all of it with `$` behind. */
static bool filter_fits(struct span filter, const char *name) {
    if (filter.len == 0) {
        return true;
    }
    while (filter.len) {
        size_t comma = span_find_byte(filter, 0, ',');
        struct span one = span_trim(span_sub(filter, 0, comma));
        filter = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(filter, comma + 1);
        bool whole = one.len && one.at[one.len - 1] == '$';
        one.len -= whole;
        if (one.len && (whole ? span_is(one, name) : span_starts(span_text(name), one))) {
            return true;
        }
    }
    return false;
}

/* `hide`: none, old, nosession, both. */
static bool is_hidden(const struct node *n, struct span hide) {
    bool both = span_is(hide, "both");
    return ((both || span_is(hide, "old")) && n->seen_ms < input_now() - NODE_OLD_MS) ||
           ((both || span_is(hide, "nosession")) && n->sessions == 0);
}

static uint64_t key_of(const struct node *n, struct span key) {
    return span_is(key, "totalPackets")    ? n->packets
           : span_is(key, "totalK")        ? n->bytes
           : span_is(key, "totalSessions") ? n->sessions
           : span_is(key, "totalFiles")    ? n->files
           : span_is(key, "currentTime")   ? (uint64_t)n->seen_ms
           : span_is(key, "startTime")     ? (uint64_t)n->started_ms
           : span_is(key, "retention")     ? UINT64_MAX - (uint64_t)n->oldest_ms
                                           : 0;
}

struct node_order {
    struct span key;
    bool descending;
};

static int node_compare(const void *a, const void *b, void *ctx) {
    const struct node *x = a, *y = b;
    const struct node_order *o = ctx;
    uint64_t m = key_of(x, o->key), n = key_of(y, o->key);
    int order = (m > n) - (m < n);
    order = order ? order : strcmp(x->name, y->name);
    return o->descending ? -order : order;
}

static bool nodes_read(struct call *c, struct nodes *n, size_t *ret_total) {
    int code = files_each(c->api->control, file_count, n);
    if (code == 0 && !n->failed) {
        struct node *own = node_find(n, c->api->node); /* also before its first file */
        if (own) {
            own->started_ms = c->api->started_ms;
            own->seen_ms = input_now();
        }
    }
    if (code < 0 || n->failed) {
        call_fail(c, 500, n->failed ? "More than %d nodes" : "The list of files could not be read", NODES_MAX);
        return false;
    }
    struct span filter = request_param(c->request, "filter"), hide = request_param(c->request, "hide");
    size_t kept = 0;
    *ret_total = n->count;
    for (size_t i = 0; i < n->count; i++) {
        if (filter_fits(filter, n->list[i].name) && !is_hidden(&n->list[i], hide)) {
            n->list[kept++] = n->list[i];
        }
    }
    n->count = kept;
    return true;
}

static void stats_answer(struct call *c) {
    struct page page;
    size_t total, from;
    _cleanup_(nodes_done) struct nodes nodes = {0};
    if (!input_page(c, 500, &page) || !nodes_read(c, &nodes, &total)) {
        return;
    }
    struct node_order order = {request_param(c->request, "sortField"), page.descending};
    if (nodes.count) {
        qsort_r(nodes.list, nodes.count, sizeof(struct node), node_compare, &order);
    }
    size_t count = page_part(&page, nodes.count, &from);
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_open(&j, '[');
    for (size_t i = 0; i < count; i++) {
        node_write(c, &j, &nodes.list[from + i]);
    }
    json_close(&j, ']');
    number_write(&j, "recordsTotal", total);
    number_write(&j, "recordsFiltered", nodes.count);
    json_close(&j, '}');
}

/* --- a number over time --- */

static bool series_read(struct call *c, struct counter_request *ret) {
    uint64_t start, stop, step, size, interval;
    uint64_t now = (uint64_t)input_now() / 1000;
    struct span name = request_param(c->request, "name");
    if (request_param(c->request, "nodeName").len == 0 || name.len == 0) {
        call_fail(c, 403, "Missing nodeName or name");
        return false;
    }
    if (!call_u64(c, "interval", 60, 86400, &interval) || !call_u64(c, "size", COUNTER_SLOTS, SERIES_MAX, &size) ||
        !call_u64(c, "step", interval, 86400, &step) || !call_u64(c, "stop", now, UINT32_MAX, &stop)) {
        return false;
    }
    step = MAX(step, (uint64_t)1);
    uint64_t whole = stop - MIN(stop, step * size);
    if (!call_u64(c, "start", whole, UINT32_MAX, &start)) {
        return false;
    }
    *ret =
        (struct counter_request){.series = counter_series_find(name),
                                 .interval = (uint32_t)interval,
                                 .start = (int64_t)start,
                                 .step = (int64_t)step,
                                 .count = stop > start ? (size_t)MIN((stop - start) / step, (uint64_t)SERIES_MAX) : 0};
    if (!ret->series) {
        call_fail(c, 403, "There is no series %.*s: the numbers of /api/stats are series", (int)MIN(name.len, 60),
                  (const char *)name.at);
    }
    return ret->series != NULL;
}

static void series_answer(struct call *c) {
    struct counter_request q;
    struct span node = request_param(c->request, "nodeName");
    if (!series_read(c, &q)) {
        return;
    }
    double *values = calloc(MAX(q.count, (size_t)1), sizeof(double));
    if (!values) {
        call_fail(c, 503, "No memory for so many values");
        return;
    }
    if (c->api->counters) {
        counters_series(c->api->counters, &q, values);
    }
    bool own = span_is(node, c->api->node) || span_is(node, "Total") || span_is(node, "Average");
    struct json j = call_json(c);
    json_open(&j, '[');
    for (size_t i = 0; i < q.count; i++) {
        json_double(&j, own ? values[i] : NAN);
    }
    json_close(&j, ']');
    free(values);
}

static void parliament_answer(struct call *c) {
    size_t total;
    _cleanup_(nodes_done) struct nodes nodes = {0};
    if (!nodes_read(c, &nodes, &total)) {
        return;
    }
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_open(&j, '[');
    for (size_t i = 0; i < nodes.count; i++) {
        json_open(&j, '{');
        json_key(&j, "id");
        json_cstr(&j, nodes.list[i].name);
        json_key(&j, "nodeName");
        json_cstr(&j, nodes.list[i].name);
        json_key(&j, "currentTime");
        json_i64(&j, input_now() / 1000);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    number_write(&j, "recordsTotal", total);
    number_write(&j, "recordsFiltered", nodes.count);
    json_close(&j, '}');
}

/* --- health --- */

static bool file_any(void *ctx, const struct stored_file *f) {
    (void)ctx;
    (void)f;
    return false;
}

/* Red: what changes in place can not be read. Yellow: a part of the store is damaged, or the disk is all but full. */
static const char *health_colour(const struct call *c) {
    if (files_each(c->api->control, file_any, NULL) < 0) {
        return "red";
    }
    struct machine machine;
    machine_read(c->api->folder, &machine);
    bool disk_low = c->api->folder && machine.free_part < DISK_LOW;
    return disk_low || store_damage(c->api->store, NULL, NULL) ? "yellow" : "green";
}

void health_write(struct call *c, struct json *j) {
    struct snapshot *snapshot = store_snapshot(c->api->store);
    size_t parts = snapshot_parts(snapshot);
    (void)snapshot_unref(snapshot);
    json_open(j, '{');
    json_key(j, "cluster_name");
    json_cstr(j, c->api->node);
    json_key(j, "status");
    json_cstr(j, health_colour(c));
    json_key(j, "timed_out");
    json_bool(j, false);
    number_write(j, "number_of_nodes", 1);
    number_write(j, "number_of_data_nodes", 1);
    number_write(j, "active_primary_shards", parts);
    number_write(j, "active_shards", parts);
    number_write(j, "relocating_shards", 0);
    number_write(j, "initializing_shards", 0);
    number_write(j, "unassigned_shards", 0);
    json_key(j, "version");
    json_cstr(j, c->api->version);
    number_write(j, "molochDbVersion", 80);
    json_close(j, '}');
}

static void health_answer(struct call *c) {
    struct json j = call_json(c);
    health_write(c, &j);
}

/* --- lists that have nothing to list --- */

static void empty_list(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_open(&j, '[');
    json_close(&j, ']');
    number_write(&j, "recordsTotal", 0);
    number_write(&j, "recordsFiltered", 0);
    json_close(&j, '}');
}

static void task_write(void *ctx, const struct running_info *info) {
    struct json *j = ctx;
    json_open(j, '{');
    json_key(j, "taskId");
    json_cstr(j, info->id);
    json_key(j, "user");
    json_cstr(j, info->user);
    json_key(j, "action");
    json_cstr(j, "search");
    json_key(j, "cancellable");
    json_bool(j, !info->cancelled);
    json_key(j, "start_time_in_millis");
    json_i64(j, info->started_ms);
    json_key(j, "running_time_in_nanos");
    json_i64(j, MAX(input_now() - info->started_ms, 0) * 1000000);
    json_close(j, '}');
}

static void task_count(void *ctx, const struct running_info *info) {
    (void)info;
    ++*(uint64_t *)ctx;
}

static void task_list(struct call *c) {
    uint64_t count = 0;
    running_each(c->api->running, task_count, &count);
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_open(&j, '[');
    running_each(c->api->running, task_write, &j);
    json_close(&j, ']');
    number_write(&j, "recordsTotal", count);
    number_write(&j, "recordsFiltered", count);
    json_close(&j, '}');
}

static void empty_array(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '[');
    json_close(&j, ']');
}

static void empty_shards(struct call *c) {
    static const char *const lists[] = {"nodes", "indices", "nodeExcludes", "ipExcludes"};
    struct json j = call_json(c);
    json_open(&j, '{');
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        json_key(&j, lists[i]);
        json_open(&j, '[');
        json_close(&j, ']');
    }
    json_close(&j, '}');
}

static const struct parameter stats_parameters[] = {
    {"hide", PARAM_TEXT, "none",
     "`old`: nodes without news for five minutes; `nosession`: without sessions; `both`; `none`"},
    {"filter", PARAM_TEXT, NULL, "beginnings of names, joined by commas; `$` behind one: the whole name"},
    {"sortField", PARAM_TEXT, "nodeName",
     "`nodeName`, `totalPackets`, `totalK`, `totalSessions`, `totalFiles`, `currentTime`, `startTime` or `retention`"},
    {"desc", PARAM_BOOL, "false", "order turned round"},
    {"start", PARAM_NUMBER, "0", "first one of the page"},
    {"length", PARAM_NUMBER, "500", "how many"},
    {0},
};
static const struct parameter series_parameters[] = {
    {"nodeName", PARAM_TEXT, NULL, "a node; `Total` and `Average` are this one"},
    {"name", PARAM_TEXT, NULL, "a number of /api/stats whose name begins with `delta`, `cpu`, `memory` and so on"},
    {"start", PARAM_NUMBER, NULL, "from then on, seconds since 1970; `size` steps before `stop` when not given"},
    {"stop", PARAM_NUMBER, NULL, "until then; now when not given"},
    {"step", PARAM_NUMBER, NULL, "seconds of one value; `interval` when not given"},
    {"interval", PARAM_NUMBER, "60",
     "seconds that were added up: 5 (kept for two hours), 60 (a day) or 600 (ten days)"},
    {"size", PARAM_NUMBER, "1440", "steps, when `start` is not given"},
    {0},
};

#define STATS (RIGHT_ANY | RIGHT_STATS)
#define NOTHING "Always empty: the store is no cluster of Elasticsearch."

static const struct endpoint stats[] = {
    {"/api/stats", "/stats.json", API_GET | API_SETS_COOKIE, STATS, stats_answer, stats_parameters, "Nodes in numbers",
     "`{data:[{id,nodeName,ver,currentTime,startTime,runningTime,totalPackets,totalK,totalSessions,totalFiles,"
     "retention,hostname,interval,deltaMS,deltaPackets,deltaPacketsPerSec,...}],recordsTotal,recordsFiltered}`: totals "
     "over the node's capture files. The rest only for the node that answers: growth in the last `deltaMS` ms, and "
     "that "
     "a second, of `deltaPackets`, `deltaBytes`, `deltaSessions`, `deltaRequests`, `deltaSentBytes`, `deltaRefused`; "
     "`deltaBitsPerSec`, `cpu` (hundredths of a percent), `memory`, `memoryP`, `freeSpaceM`, `freeSpaceP`, "
     "`usedSpaceM`, `parts`. `currentTime` of another node is that of its last news."},
    {"/api/dstats", "/dstats.json", API_GET, STATS, series_answer, series_parameters, "A number over time",
     "An array with a value for each step from `start` on, `null` where nothing was looked at: before the server "
     "started, and of other nodes. Growth is added up over a step, of others it is the last value."},
    {"/api/parliament", "/parliament.json", API_GET | API_OPEN, 0, parliament_answer, NULL, "Nodes, for monitors",
     "`{data:[{id,nodeName,currentTime}],recordsTotal,recordsFiltered}`"},
    {"/api/eshealth", "/eshealth.json", API_GET | API_OPEN, 0, health_answer, NULL, "Whether the store is well",
     "What a cluster of Elasticsearch says of itself, said of the store: a part of it counts as a shard."},
    {"/api/esstats", "/esstats.json", API_GET, STATS, empty_list, NULL, "Nodes of Elasticsearch", NOTHING},
    {"/api/esindices", "/esindices/list", API_GET, STATS, empty_list, NULL, "Indices of Elasticsearch", NOTHING},
    {"/api/estasks", "/estask/list", API_GET, STATS | RIGHT_ADMIN, task_list, NULL,
     "Queries in progress that have a cancelId",
     "`{data:[{taskId,user,action,cancellable,start_time_in_millis,running_time_in_nanos}],recordsTotal,"
     "recordsFiltered}`"},
    {"/api/esrecovery", "/esrecovery/list", API_GET, STATS, empty_list, NULL, "Recoveries of Elasticsearch", NOTHING},
    {"/api/esadmin", NULL, API_GET, STATS, empty_array, NULL, "Settings of Elasticsearch", NOTHING},
    {"/api/esshards", "/esshard/list", API_GET, STATS, empty_shards, NULL, "Shards of Elasticsearch", NOTHING},
};

const struct endpoint_family stats_family = {"Statistics", stats, ARRAY_LEN(stats)};
