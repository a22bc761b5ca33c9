/* summary.c: a page of figures over one query, streamed: totals first, then each field as it is counted. */
#include <errno.h>
#include <stdlib.h>

#include "api/group.h"
#include "api/queries.h"
#include "base/util.h"

#define TOP_DEFAULT 20
#define TOP_MAX 1000
#define FIELDS_MAX 100

enum { SUM_SRC_BYTES, SUM_DST_BYTES, SUM_SRC_PACKETS, SUM_DST_PACKETS, SUM_SRC_DATA, SUM_DST_DATA, SUMS };
static const char *const sum_paths[SUMS] = {"source.bytes",        "destination.bytes", "source.packets",
                                            "destination.packets", "client.bytes",      "server.bytes"};

struct summary {
    struct ask *a;
    struct json j;
    struct key_names names;
    const struct field *sums[SUMS];
    uint64_t top;
    bool ascending;
    unsigned fields;
    int code;
};

/* --- totals --- */

static int write_totals(struct summary *s) {
    struct groups *g = NULL;
    struct group_request q = {.sum_count = SUMS};
    struct json *j = &s->j;
    uint64_t first = 0, last = 0, sums[SUMS] = {0};
    memcpy(q.sums, s->sums, sizeof(s->sums));
    int code = search_groups(s->a->search, &q, &g);
    if (code == 0 && g->count) {
        memcpy(sums, g->list[0].sums, sizeof(sums));
    }
    groups_free(g);
    code = code < 0 ? code : ask_time_edge(s->a, "firstPacket", false, &first);
    code = code < 0 ? code : ask_time_edge(s->a, "lastPacket", true, &last);
    if (code < 0) {
        return code;
    }
    uint64_t bytes = sums[SUM_SRC_BYTES] + sums[SUM_DST_BYTES];
    uint64_t packets = sums[SUM_SRC_PACKETS] + sums[SUM_DST_PACKETS];
    const struct {
        const char *name;
        uint64_t value;
    } members[] = {{"firstPacket", first},
                   {"lastPacket", last},
                   {"sessions", search_count(s->a->search)},
                   {"bytes", bytes},
                   {"dataBytes", sums[SUM_SRC_DATA] + sums[SUM_DST_DATA]},
                   {"packets", packets},
                   {"downloadBytes", 24 + bytes + 16 * packets}};
    json_open(j, '{');
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_key(j, members[i].name);
        json_u64(j, members[i].value);
    }
    json_key(j, "map");
    code = map_of_search(s->a, s->a->search, j);
    json_key(j, "graph");
    code = code < 0 ? code : graph_of_search(s->a, s->a->search, j);
    json_close(j, '}');
    return code;
}

/* --- fields --- */

/* A value with what it adds up to; several groups may have the same value (`ip`: of either side). */
struct talker {
    const struct group *group;
    uint64_t sessions, sums[SUMS];
};

static int by_address(const void *x, const void *y) {
    const struct talker *a = x, *b = y;
    return memcmp(a->group->keys[0].bytes.at, b->group->keys[0].bytes.at, 16);
}

static int by_sessions(const void *x, const void *y, void *ctx) {
    const struct talker *a = x, *b = y;
    bool less = a->sessions<b->sessions, more = a->sessions> b->sessions;
    bool ascending = *(bool *)ctx;
    return ascending ? (int)more - (int)less : (int)less - (int)more;
}

static size_t merge_equal(struct talker *list, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && by_address(&list[kept - 1], &list[i]) == 0) {
            list[kept - 1].sessions += list[i].sessions;
            for (unsigned k = 0; k < SUMS; k++) {
                list[kept - 1].sums[k] += list[i].sums[k];
            }
        } else {
            list[kept++] = list[i];
        }
    }
    return kept;
}

static void write_talkers(struct summary *s, const struct group_key *key, const struct talker *list, size_t count) {
    struct json *j = &s->j;
    json_key(j, "data");
    json_open(j, '[');
    for (size_t i = 0; i < count; i++) {
        const struct talker *t = &list[i];
        json_open(j, '{');
        json_key(j, "item");
        key_json(&s->names, key, &t->group->keys[0], j);
        json_key(j, "sessions");
        json_u64(j, t->sessions);
        json_key(j, "bytes");
        json_u64(j, t->sums[SUM_SRC_BYTES] + t->sums[SUM_DST_BYTES]);
        json_key(j, "packets");
        json_u64(j, t->sums[SUM_SRC_PACKETS] + t->sums[SUM_DST_PACKETS]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static int write_counted(struct summary *s, const struct group_key *keys, size_t key_count) {
    struct groups *g[2] = {NULL, NULL};
    size_t count = 0;
    int code = 0;
    for (size_t i = 0; code == 0 && i < key_count; i++) {
        struct group_request q = {
            .keys = {keys[i]}, .key_count = 1, .sum_count = SUMS, .limit = key_count == 1 ? s->top : 0};
        q.ascending = s->ascending;
        memcpy(q.sums, s->sums, sizeof(s->sums));
        code = search_groups(s->a->search, &q, &g[i]);
        count += code == 0 ? g[i]->count : 0;
    }
    struct talker *list = code == 0 ? calloc(count + 1, sizeof(*list)) : NULL;
    code = code == 0 && !list ? -ENOMEM : code;
    count = 0;
    for (size_t i = 0; code == 0 && i < key_count; i++) {
        for (size_t k = 0; k < g[i]->count; k++) {
            struct talker *t = &list[count++];
            *t = (struct talker){.group = &g[i]->list[k], .sessions = g[i]->list[k].count};
            memcpy(t->sums, t->group->sums, sizeof(t->sums));
        }
    }
    if (code == 0 && key_count > 1 && count) {
        qsort(list, count, sizeof(*list), by_address);
        count = merge_equal(list, count);
        qsort_r(list, count, sizeof(*list), by_sessions, &s->ascending);
    }
    if (code == 0) {
        write_talkers(s, &keys[0], list, MIN(count, (size_t)s->top));
    }
    free(list);
    groups_free(g[0]);
    groups_free(g[1]);
    return code;
}

static bool summary_field(void *ctx, struct span name) {
    struct summary *s = ctx;
    struct group_key keys[2];
    bool both = span_is(name, "ip");
    int code = ask_key(s->a, both ? SPAN_LITERAL("source.ip") : name, &keys[0]);
    if (code == 0 && both) {
        code = ask_key(s->a, SPAN_LITERAL("destination.ip"), &keys[1]);
    }
    json_open(&s->j, '{');
    json_key(&s->j, "field");
    json_text(&s->j, name);
    if (code == 0) {
        json_key(&s->j, "viewMode");
        json_cstr(&s->j, "bar");
        json_key(&s->j, "metricType");
        json_cstr(&s->j, "sessions");
        code = write_counted(s, keys, both ? 2 : 1);
        s->code = code == -ECANCELED || code == -ETIMEDOUT ? code : 0;
    }
    if (code < 0) {
        json_key(&s->j, "error");
        json_cstr(&s->j, ask_why(s->a, code));
        s->a->err = (struct err){0};
    }
    json_close(&s->j, '}');
    if (s->code == 0) {
        s->code = reply_push_now(s->a->call->reply);
    }
    return s->code == 0 && ++s->fields < FIELDS_MAX;
}

static int summary_write(struct summary *s) {
    s->j = call_json(s->a->call);
    json_open(&s->j, '[');
    int code = write_totals(s);
    code = code < 0 ? code : reply_push_now(s->a->call->reply);
    if (code == 0) {
        (void)call_list(s->a->call, "fields", summary_field, s);
        code = s->code;
    }
    json_open(&s->j, '{');
    json_close(&s->j, '}');
    json_close(&s->j, ']');
    return code;
}

static void summary_failed(struct ask *a, int code) {
    if (ask_restart(a->call)) {
        struct json j = call_json(a->call);
        json_open(&j, '[');
        json_open(&j, '{');
        json_key(&j, "bsqErr");
        json_cstr(&j, ask_why(a, code));
        json_close(&j, '}');
        json_close(&j, ']');
    }
}

static void summary(struct call *c) {
    struct ask a;
    struct summary s = {.a = &a, .ascending = strcmp(call_text(c, "order", "desc"), "asc") == 0};
    if (!call_text(c, "fields", NULL)) {
        struct json j = call_json(c);
        reply_status(c->reply, 400);
        c->status = 400;
        json_open(&j, '{');
        json_key(&j, "error");
        json_cstr(&j, "Missing fields parameter");
        json_close(&j, '}');
        return;
    }
    if (!call_u64(c, "length", TOP_DEFAULT, TOP_MAX, &s.top)) {
        return;
    }
    /* `order` is a direction here, not a list of fields */
    int code = ask_open(&a, c, &(struct ask_rules){.unordered = true});
    if (code == 0) {
        code = ask_run(&a);
    }
    for (size_t i = 0; i < SUMS; i++) {
        s.sums[i] = registry_field(a.registry, registry_by_path(a.registry, span_text(sum_paths[i])));
    }
    s.names = (struct key_names){file_names_new(c->api->control), true};
    if (code == 0) {
        code = summary_write(&s);
    }
    if (code < 0 && code != -EPIPE) {
        summary_failed(&a, code);
    }
    ask_count(&a, s.fields);
    file_names_free(s.names.files);
    ask_close(&a);
}

static const struct parameter parameters[] = {
    {"fields", PARAM_LIST, NULL,
     "Fields, by the names they have in expressions; also `ip` (either side), `ip.dst:port`"},
    {"order", PARAM_TEXT, "desc", "desc: the most frequent values; asc: the rarest"},
    {"length", PARAM_NUMBER, "20", "Values of each field, at most 1,000"},
    {.name = NULL},
};
static const struct endpoint endpoints[] = {
    {.pattern = "/api/sessions/summary",
     .flags = API_GET | API_POST | API_SESSION_QUERY | API_HISTORY | API_TOKEN_BROWSER,
     .rights = RIGHT_ANY,
     .function = summary,
     .parameters = parameters,
     .title = "Figures of a query",
     .help = "A JSON array that is sent as it is made: `{firstPacket,lastPacket,sessions,bytes,dataBytes,packets,"
             "downloadBytes,map,graph}`, then for each field `{field,viewMode,metricType,data:[{item,sessions,bytes,"
             "packets}]}` or `{field,error}`, at last `{}`."},
};
const struct endpoint_family summary_family = {"summary", endpoints, ARRAY_LEN(endpoints)};
