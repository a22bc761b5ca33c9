/* build_query.c: what a query is in Elasticsearch's language, for scripts that ask such a cluster themselves. */
#include <errno.h>

#include "api/ask.h"
#include "api/queries.h"
#include "base/util.h"
#include "query/elastic.h"

#define LOOKUPS_INDEX "arkime_lookups"
#define SESSIONS_INDEX "arkime_sessions3-*"
#define COUNTRIES 1000

static void write_range(struct json *j, const char *path, const int64_t *from, const int64_t *to) {
    json_open(j, '{');
    json_key(j, "range");
    json_open(j, '{');
    json_key(j, path);
    json_open(j, '{');
    if (from) {
        json_key(j, "gte");
        json_i64(j, *from);
    }
    if (to) {
        json_key(j, "lte");
        json_i64(j, *to);
    }
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

static void write_times(const struct window *w, struct json *j) {
    const int64_t *from = &w->start_ms, *to = w->open ? NULL : &w->stop_ms;
    if (!w->bounded) {
        return;
    }
    switch (w->bounding) {
    case BOUND_FIRST:
        write_range(j, "firstPacket", from, to);
        break;
    case BOUND_LAST:
        write_range(j, "lastPacket", from, to);
        break;
    case BOUND_BOTH:
        write_range(j, "firstPacket", from, NULL);
        write_range(j, "lastPacket", NULL, to);
        break;
    case BOUND_EITHER:
        if (to) {
            write_range(j, "firstPacket", NULL, to);
        }
        write_range(j, "lastPacket", from, NULL);
        break;
    case BOUND_DATABASE:
        write_range(j, "@timestamp", from, to);
        break;
    }
}

static int write_filters(struct ask *a, struct json *j) {
    int code = 0;
    json_open(j, '[');
    write_times(&a->window, j);
    for (size_t i = 0; code == 0 && i < a->query_count; i++) {
        struct buf clause;
        buf_init(&clause, (size_t)16 << 20);
        code = query_to_elastic(a->queries[i], LOOKUPS_INDEX, &clause, &a->err);
        if (code == 0 && clause.overflowed) {
            code = -E2BIG;
        }
        if (code == 0 && clause.len) {
            json_raw(j, buf_span(&clause));
        }
        buf_done(&clause);
    }
    json_close(j, ']');
    return code;
}

static void write_sort(const struct ask *a, struct json *j) {
    json_open(j, '[');
    for (size_t i = 0; i < a->order_count; i++) {
        const struct search_order *o = &a->order[i];
        json_open(j, '{');
        json_key(j, o->field.field ? o->field.field->def->path : "_id");
        json_open(j, '{');
        json_key(j, "order");
        json_cstr(j, o->descending ? "desc" : "asc");
        json_key(j, "missing");
        json_cstr(j, o->descending ? "_first" : "_last");
        json_close(j, '}');
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_terms(struct json *j, const char *name, const char *path) {
    json_key(j, name);
    json_open(j, '{');
    json_key(j, "terms");
    json_open(j, '{');
    json_key(j, "field");
    json_cstr(j, path);
    json_key(j, "size");
    json_u64(j, COUNTRIES);
    json_key(j, "min_doc_count");
    json_u64(j, 1);
    json_close(j, '}');
    json_close(j, '}');
}

static void write_histogram(const struct ask *a, struct json *j) {
    static const char *const sums[] = {"source.packets",    "destination.packets", "source.bytes",
                                       "destination.bytes", "client.bytes",        "server.bytes"};
    json_key(j, "dbHisto");
    json_open(j, '{');
    json_key(j, "aggregations");
    json_open(j, '{');
    for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
        json_key(j, sums[i]);
        json_open(j, '{');
        json_key(j, "sum");
        json_open(j, '{');
        json_key(j, "field");
        json_cstr(j, sums[i]);
        json_close(j, '}');
        json_close(j, '}');
    }
    json_close(j, '}');
    json_key(j, "histogram");
    json_open(j, '{');
    json_key(j, "field");
    json_cstr(j, a->window.bounding == BOUND_FIRST      ? "firstPacket"
                 : a->window.bounding == BOUND_DATABASE ? "@timestamp"
                                                        : "lastPacket");
    json_key(j, "interval");
    json_u64(j, a->window.interval_s * 1000);
    json_key(j, "min_doc_count");
    json_u64(j, 1);
    json_close(j, '}');
    json_close(j, '}');
}

static int write_query(struct ask *a, struct json *j) {
    json_open(j, '{');
    json_key(j, "esquery");
    json_open(j, '{');
    if (a->from) {
        json_key(j, "from");
        json_u64(j, a->from);
    }
    json_key(j, "size");
    json_u64(j, a->length);
    json_key(j, "timeout");
    json_cstr(j, "300s");
    json_key(j, "query");
    json_open(j, '{');
    json_key(j, "bool");
    json_open(j, '{');
    json_key(j, "filter");
    int code = write_filters(a, j);
    json_close(j, '}');
    json_close(j, '}');
    if (a->facets || a->map) {
        json_key(j, "aggregations");
        json_open(j, '{');
        if (a->map) {
            write_terms(j, "mapG1", "source.geo.country_iso_code");
            write_terms(j, "mapG2", "destination.geo.country_iso_code");
            write_terms(j, "mapG3", "http.xffGEO");
        }
        if (a->facets) {
            write_histogram(a, j);
        }
        json_close(j, '}');
    }
    json_key(j, "sort");
    write_sort(a, j);
    json_close(j, '}');
    json_key(j, "indices");
    json_cstr(j, SESSIONS_INDEX);
    json_close(j, '}');
    return code;
}

static void build_query(struct call *c) {
    struct ask a;
    int code = ask_open(&a, c, &(struct ask_rules){.ids = false});
    if (code == 0) {
        struct json j = call_json(c);
        code = write_query(&a, &j);
    }
    if (code < 0 && ask_restart(c)) {
        struct json j = call_json(c);
        json_open(&j, '{');
        json_key(&j, "recordsTotal");
        json_u64(&j, 0);
        json_key(&j, "recordsFiltered");
        json_u64(&j, 0);
        json_key(&j, "error");
        json_cstr(&j, ask_why(&a, code));
        json_close(&j, '}');
    }
    ask_close(&a);
}

static const struct parameter parameters[] = {{.name = NULL}};
static const struct endpoint endpoints[] = {
    {.pattern = "/api/buildquery",
     .aliases = "/buildQuery.json",
     .flags = API_GET | API_POST | API_SESSION_QUERY | API_HISTORY,
     .rights = RIGHT_ANY,
     .function = build_query,
     .parameters = parameters,
     .title = "A query in Elasticsearch's language",
     .help = "`{esquery:{from?,size,timeout,query:{bool:{filter:[...]}},aggregations?,sort},indices}`; with 200 and "
             "`error` when it cannot be understood or said."},
};
const struct endpoint_family build_query_family = {"buildquery", endpoints, ARRAY_LEN(endpoints)};
