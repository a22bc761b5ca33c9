/* beacons.c: sources that contact a destination at regular intervals. */
#include "api/beacons.h"
#include "api/queries.h"

#include <errno.h>

#include "base/util.h"
#include "record/document.h"

#define LENGTH_DEFAULT 100
#define COUNT_LEAST 2

const char *beacon_confidence(double jitter) {
    return jitter < BEACON_JITTER_HIGH ? "high" : jitter < BEACON_JITTER_MEDIUM ? "medium" : "low";
}

static void add_ip(struct buf *out, const uint8_t ip[16]) {
    char text[48];
    buf_add(out, text, ip_write(ip, text));
}

void beacon_expression(const struct beacon *b, struct buf *out) {
    buf_add_text(out, "ip.src == ");
    add_ip(out, b->ip[0]);
    buf_add_text(out, " && ip.dst == ");
    add_ip(out, b->ip[1]);
    buf_add_text(out, " && port.dst == ");
    buf_add_u64(out, b->port);
}

static void write_beacon(const struct beacon *b, struct json *j) {
    char text[48];
    struct buf expression;
    json_open(j, '{');
    json_key(j, "source");
    json_text(j, span_make(text, ip_write(b->ip[0], text)));
    json_key(j, "destination");
    json_text(j, span_make(text, ip_write(b->ip[1], text)));
    json_key(j, "port");
    json_u64(j, b->port);
    json_key(j, "count");
    json_u64(j, b->count);
    json_key(j, "interval");
    json_double(j, b->mean_ms);
    json_key(j, "deviation");
    json_double(j, b->deviation_ms);
    json_key(j, "jitter");
    json_double(j, b->jitter);
    json_key(j, "confidence");
    json_cstr(j, beacon_confidence(b->jitter));
    json_key(j, "first");
    json_u64(j, b->first_ms);
    json_key(j, "last");
    json_u64(j, b->last_ms);
    json_key(j, "bytes");
    json_u64(j, b->bytes);
    json_key(j, "expression");
    buf_init(&expression, 1024);
    beacon_expression(b, &expression);
    json_text(j, buf_span(&expression));
    buf_done(&expression);
    json_close(j, '}');
}

static void write_beacons(struct ask *a, const struct beacons *b, struct json *j) {
    json_open(j, '{');
    json_key(j, "data");
    json_open(j, '[');
    for (size_t i = 0; i < b->count; i++) {
        write_beacon(&b->list[i], j);
    }
    json_close(j, ']');
    json_key(j, "recordsTotal");
    json_u64(j, ask_total(a));
    json_key(j, "recordsFiltered");
    json_u64(j, search_count(a->search));
    json_key(j, "total");
    json_u64(j, b->total);
    json_key(j, "truncated");
    json_bool(j, b->truncated);
    json_close(j, '}');
}

static void beacons(struct call *c) {
    struct beacon_request q = {0};
    struct beacons *found = NULL;
    struct ask a;
    double seconds;
    if (!call_u64(c, "minCount", 4, UINT64_MAX, &q.min_count) || !call_double(c, "minInterval", 1, &seconds) ||
        !call_double(c, "maxJitter", BEACON_JITTER_MEDIUM, &q.max_jitter) ||
        !call_u64(c, "length", LENGTH_DEFAULT, c->api->settings->max_values, &q.limit)) {
        return;
    }
    q.min_count = MAX(q.min_count, (uint64_t)COUNT_LEAST);
    q.min_mean_ms = seconds > 0 ? (uint64_t)MIN(seconds * 1000, 1e15) : 0;
    int code = ask_open(&a, c, &(struct ask_rules){.ids = false});
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        code = search_beacons(a.search, &q, &found);
    }
    if (code == 0) {
        struct json j = call_json(c);
        write_beacons(&a, found, &j);
        ask_count(&a, found->count);
    } else {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    beacons_free(found);
    ask_close(&a);
}

static const struct parameter parameters[] = {
    {"minCount", PARAM_NUMBER, "4", "Least number of sessions"},
    {"maxJitter", PARAM_NUMBER, "0.15", "Most deviation of the intervals, as a part of their mean; 0: any"},
    {"minInterval", PARAM_NUMBER, "1", "Least mean interval in seconds"},
    {"length", PARAM_NUMBER, "100", "Most pairs given back, the most regular first; 0: all"},
    {.name = NULL},
};
static const struct endpoint endpoints[] = {
    {.pattern = "/api/beacons",
     .flags = API_GET | API_POST | API_SESSION_QUERY | API_HISTORY,
     .rights = RIGHT_ANY,
     .function = beacons,
     .parameters = parameters,
     .title = "Regular contacts",
     .help =
         "For each source, destination and destination port of the sessions found: number, mean interval and its "
         "deviation in ms, jitter = deviation / mean, and confidence: below 0.05 high, below 0.15 medium, else low. "
         "`{data:[{source,destination,port,count,interval,deviation,jitter,confidence,first,last,bytes,"
         "expression}],recordsTotal,recordsFiltered,total,truncated}`"},
};
const struct endpoint_family beacon_family = {"beacons", endpoints, ARRAY_LEN(endpoints)};
