/* spi.c: fields broken down into values: spiview (many fields), spigraph (one, with timelines and maps). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/group.h"
#include "api/queries.h"
#include "base/hash.h"
#include "base/util.h"

#define SPI_FIELDS_MAX 1000
#define SPI_COUNT 100
#define GRAPH_SIZE 20
#define GRAPH_SIZE_MAX 5000

/* --- spiview --- */

struct spi {
    struct ask *a;
    struct json *j;
    struct key_names names;
    unsigned fields;
    int code;
};

static void write_buckets(struct spi *s, struct span name, const struct group_request *q, const struct groups *g) {
    char key[160];
    (void)snprintf(key, sizeof(key), "%.*s", (int)name.len, (const char *)name.at);
    json_key(s->j, key);
    json_open(s->j, '{');
    json_key(s->j, "doc_count_error_upper_bound");
    json_u64(s->j, 0);
    json_key(s->j, "sum_other_doc_count");
    json_u64(s->j, g->others);
    json_key(s->j, "buckets");
    json_open(s->j, '[');
    for (size_t i = 0; i < g->count; i++) {
        json_open(s->j, '{');
        json_key(s->j, "key");
        key_json(&s->names, &q->keys[0], &g->list[i].keys[0], s->j);
        json_key(s->j, "doc_count");
        json_u64(s->j, g->list[i].count);
        json_close(s->j, '}');
    }
    json_close(s->j, ']');
    json_close(s->j, '}');
}

/* `db[:count]`. Fields nobody knows have no values. */
static bool spi_field(void *ctx, struct span item) {
    struct spi *s = ctx;
    struct group_request q = {.key_count = 1, .limit = SPI_COUNT};
    struct groups *g = NULL;
    size_t colon = item.len;
    uint64_t count;
    while (colon && item.at[colon - 1] >= '0' && item.at[colon - 1] <= '9') {
        colon--;
    }
    struct span name = item;
    if (colon && item.at[colon - 1] == ':' && span_decimal(span_from(item, colon), UINT32_MAX, &count)) {
        name = span_sub(item, 0, colon - 1);
        q.limit = MIN(count, (uint64_t)s->a->call->api->settings->max_values);
    }
    if (ask_key(s->a, name, &q.keys[0]) < 0 || q.limit == 0) {
        s->a->err = (struct err){0};
        write_buckets(s, name, &q, &(struct groups){.count = 0});
        return ++s->fields < SPI_FIELDS_MAX;
    }
    s->code = search_groups(s->a->search, &q, &g);
    if (s->code == 0) {
        write_buckets(s, name, &q, g);
        s->code = reply_push(s->a->call->reply);
    }
    groups_free(g);
    return s->code == 0 && ++s->fields < SPI_FIELDS_MAX;
}

static int write_protocols(struct ask *a, struct json *j) {
    struct group_request q = {.key_count = 1, .limit = 1000};
    struct groups *g = NULL;
    int code = ask_key(a, SPAN_LITERAL("protocol"), &q.keys[0]);
    if (code == 0) {
        code = search_groups(a->search, &q, &g);
    }
    json_open(j, '{');
    for (size_t i = 0; code == 0 && i < g->count; i++) {
        char name[80];
        struct span text = g->list[i].keys[0].bytes;
        (void)snprintf(name, sizeof(name), "%.*s", (int)MIN(text.len, sizeof(name) - 1), (const char *)text.at);
        json_key(j, name);
        json_u64(j, g->list[i].count);
    }
    json_close(j, '}');
    groups_free(g);
    return code;
}

static void spiview_failed(struct ask *a, int code) {
    if (!ask_restart(a->call)) {
        return;
    }
    struct json j = call_json(a->call);
    json_open(&j, '{');
    json_key(&j, "spi");
    json_raw(&j, SPAN_LITERAL("{}"));
    json_key(&j, "recordsTotal");
    json_u64(&j, 0);
    json_key(&j, "recordsFiltered");
    json_u64(&j, 0);
    json_key(&j, "error");
    json_cstr(&j, ask_why(a, code));
    json_close(&j, '}');
}

static int spiview_write(struct ask *a) {
    struct json j = call_json(a->call);
    struct spi s = {.a = a, .j = &j, .names = {file_names_new(a->call->api->control), true}};
    json_open(&j, '{');
    json_key(&j, "graph");
    if (a->facets) {
        s.code = graph_of_search(a, a->search, &j);
    } else {
        json_raw(&j, SPAN_LITERAL("{}"));
    }
    if (s.code == 0) {
        json_key(&j, "map");
        s.code = map_of_search(a, a->search, &j);
    }
    if (s.code == 0) {
        json_key(&j, "protocols");
        s.code = a->facets ? write_protocols(a, &j) : (json_raw(&j, SPAN_LITERAL("{}")), 0);
    }
    json_key(&j, "recordsTotal");
    json_u64(&j, ask_total(a));
    json_key(&j, "recordsFiltered");
    json_u64(&j, search_count(a->search));
    json_key(&j, "spi");
    json_open(&j, '{');
    if (s.code == 0) {
        (void)call_list(a->call, "spi", spi_field, &s);
    }
    json_close(&j, '}');
    json_close(&j, '}');
    file_names_free(s.names.files);
    return s.code;
}

static void spiview(struct call *c) {
    struct ask a;
    int code = ask_open(&a, c, &(struct ask_rules){.ids = false});
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        code = spiview_write(&a);
    }
    if (code < 0 && code != -EPIPE) {
        spiview_failed(&a, code);
    }
    ask_count(&a, 0);
    ask_close(&a);
}

/* --- spigraph --- */

/* One value with its timeline and countries, put together from groups over (value, time) and (value, country). */
struct branch {
    const struct group *group; /* key, sessions and sums */
    struct graph_bucket *buckets;
    size_t bucket_count, bucket_room;
    struct buf map[3]; /* members of src, dst, xffGeo, as JSON */
};

struct tree {
    struct ask *a;
    struct group_key key;
    struct branch *list;
    struct group_value *values; /* of the branches: nothing else is asked for */
    size_t count;
    struct key_names names;
};

static bool same_value(const struct group_value *a, const struct group_value *b) {
    return a->number == b->number && a->port == b->port && a->missing == b->missing && span_equal(a->bytes, b->bytes);
}

static uint64_t value_hash(const struct group_value *v) {
    return hash_bytes(v->bytes.at, v->bytes.len, v->number * 31 + (uint64_t)(unsigned)v->port);
}

/* The branches by their values: open addressing, twice as many slots as there are. */
struct finder {
    struct branch **slots;
    size_t mask;
};

static int finder_init(struct finder *f, struct tree *t) {
    size_t size = 16;
    while (size < t->count * 2 + 1) {
        size *= 2;
    }
    f->slots = calloc(size, sizeof(struct branch *));
    f->mask = size - 1;
    for (size_t i = 0; f->slots && i < t->count; i++) {
        size_t at = value_hash(&t->list[i].group->keys[0]) & f->mask;
        while (f->slots[at]) {
            at = (at + 1) & f->mask;
        }
        f->slots[at] = &t->list[i];
    }
    return f->slots ? 0 : -ENOMEM;
}

static struct branch *finder_get(const struct finder *f, const struct group_value *v) {
    for (size_t at = value_hash(v) & f->mask; f->slots[at]; at = (at + 1) & f->mask) {
        if (same_value(&f->slots[at]->group->keys[0], v)) {
            return f->slots[at];
        }
    }
    return NULL;
}

static int bucket_add(struct branch *b, const struct group *g) {
    if (b->bucket_count == b->bucket_room) {
        size_t room = b->bucket_room ? b->bucket_room * 2 : 32;
        struct graph_bucket *more = reallocarray(b->buckets, room, sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        b->buckets = more;
        b->bucket_room = room;
    }
    struct graph_bucket *to = &b->buckets[b->bucket_count++];
    *to = (struct graph_bucket){.start_ms = (int64_t)g->keys[1].number, .sessions = g->count};
    memcpy(to->sums, g->sums, sizeof(to->sums));
    return 0;
}

static int by_start(const void *x, const void *y) {
    const struct graph_bucket *a = x, *b = y;
    return a->start_ms < b->start_ms ? -1 : a->start_ms > b->start_ms;
}

static int tree_graphs(struct tree *t, const struct finder *f) {
    struct series series;
    struct groups *g = NULL;
    bool first = t->a->window.bounding == BOUND_FIRST;
    struct span time = first ? SPAN_LITERAL("firstPacket") : SPAN_LITERAL("lastPacket");
    struct group_request q = {
        .key_count = 2, .sum_count = SERIES_SUMS, .sort = GROUP_UNSORTED, .only = t->values, .only_count = t->count};
    q.keys[0] = t->key;
    q.keys[1] = (struct group_key){.kind = GROUP_TIME,
                                   .time = registry_field(t->a->registry, registry_by_path(t->a->registry, time)),
                                   .interval_ms = t->a->window.interval_s * 1000};
    series_init(&series, t->a->registry);
    memcpy(q.sums, series.sums, sizeof(series.sums));
    int code = search_groups(t->a->search, &q, &g);
    for (size_t i = 0; code == 0 && i < g->count; i++) {
        struct branch *b = finder_get(f, &g->list[i].keys[0]);
        code = b ? bucket_add(b, &g->list[i]) : 0;
    }
    for (size_t i = 0; code == 0 && i < t->count; i++) {
        if (t->list[i].bucket_count) {
            qsort(t->list[i].buckets, t->list[i].bucket_count, sizeof(struct graph_bucket), by_start);
        }
    }
    groups_free(g);
    return code;
}

static int tree_countries(struct tree *t, const struct finder *f, unsigned which, const char *path) {
    struct groups *g = NULL;
    struct group_request q = {.key_count = 2, .only = t->values, .only_count = t->count};
    q.keys[0] = t->key;
    q.keys[1].field.field = registry_field(t->a->registry, registry_by_path(t->a->registry, span_text(path)));
    if (!q.keys[1].field.field) {
        return 0;
    }
    int code = search_groups(t->a->search, &q, &g);
    for (size_t i = 0; code == 0 && i < g->count; i++) {
        struct branch *b = finder_get(f, &g->list[i].keys[0]);
        if (!b) {
            continue;
        }
        struct json j = {&b->map[which], b->map[which].len != 0};
        char name[32];
        struct span text = g->list[i].keys[1].bytes;
        (void)snprintf(name, sizeof(name), "%.*s", (int)MIN(text.len, sizeof(name) - 1), (const char *)text.at);
        json_key(&j, name);
        json_u64(&j, g->list[i].count);
    }
    groups_free(g);
    return code;
}

static void branch_map(const struct branch *b, bool asked, struct json *j) {
    static const char *const names[] = {"src", "dst", "xffGeo"};
    json_open(j, '{');
    for (size_t i = 0; asked && i < ARRAY_LEN(names); i++) {
        json_key(j, names[i]);
        json_open(j, '{');
        buf_add_span(j->out, buf_span(&b->map[i]));
        json_close(j, '}');
    }
    json_close(j, '}');
}

static int tree_write(struct tree *t, struct json *j) {
    int code = 0;
    json_open(j, '[');
    for (size_t i = 0; code == 0 && i < t->count; i++) {
        const struct branch *b = &t->list[i];
        json_open(j, '{');
        json_key(j, "name");
        key_json(&t->names, &t->key, &b->group->keys[0], j);
        json_key(j, "count");
        json_u64(j, b->group->count);
        json_key(j, "sessionsHisto");
        json_u64(j, b->group->count);
        series_write_totals(b->group->sums, j);
        json_key(j, "graph");
        graph_write(t->a, b->buckets, b->bucket_count, j);
        json_key(j, "map");
        branch_map(b, t->a->map, j);
        json_close(j, '}');
        code = reply_push(t->a->call->reply);
    }
    json_close(j, ']');
    return code;
}

static int tree_fill(struct tree *t) {
    struct finder f = {0};
    if (t->count == 0) {
        return 0;
    }
    int code = finder_init(&f, t);
    if (code == 0) {
        code = tree_graphs(t, &f);
    }
    if (code == 0 && t->a->map) {
        code = tree_countries(t, &f, 0, "source.geo.country_iso_code");
        code = code < 0 ? code : tree_countries(t, &f, 1, "destination.geo.country_iso_code");
        code = code < 0 ? code : tree_countries(t, &f, 2, "http.xffGEO");
    }
    free(f.slots);
    return code;
}

static void tree_done(struct tree *t) {
    for (size_t i = 0; t->list && i < t->count; i++) {
        free(t->list[i].buckets);
        for (size_t k = 0; k < ARRAY_LEN(t->list[i].map); k++) {
            buf_done(&t->list[i].map[k]);
        }
    }
    free(t->list);
    free(t->values);
    file_names_free(t->names.files);
}

struct sorting {
    const char *series; /* "name" or a series */
    struct tree *tree;
};

static int by_sorting(const void *x, const void *y, void *ctx) {
    const struct branch *a = x, *b = y;
    const struct sorting *s = ctx;
    uint64_t va = series_value(s->series, a->group->count, a->group->sums);
    uint64_t vb = series_value(s->series, b->group->count, b->group->sums);
    return va > vb ? -1 : va < vb;
}

/* The largest `size` values by sessions, or by what `sort` adds up. */
static int tree_grow(struct tree *t, const struct groups *g, size_t size, const char *sort) {
    struct sorting sorting = {sort, t};
    t->list = calloc(g->count + 1, sizeof(*t->list));
    if (!t->list) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < g->count; i++) {
        t->list[i].group = &g->list[i];
        for (size_t k = 0; k < ARRAY_LEN(t->list[i].map); k++) {
            buf_init(&t->list[i].map[k], (size_t)1 << 20);
        }
    }
    t->count = g->count;
    if (strcmp(sort, "name") != 0 && g->count) {
        qsort_r(t->list, g->count, sizeof(*t->list), by_sorting, &sorting);
    }
    t->count = MIN(g->count, size);
    t->values = calloc(t->count + 1, sizeof(*t->values));
    for (size_t i = 0; t->values && i < t->count; i++) {
        t->values[i] = t->list[i].group->keys[0];
    }
    return t->values ? 0 : -ENOMEM;
}

static int spigraph_write(struct ask *a, const struct group_key *key) {
    struct series series;
    struct groups *g = NULL;
    uint64_t size;
    const char *sort = call_text(a->call, "sort", "sessionsHisto");
    bool by_name = strcmp(sort, "name") == 0, by_sessions = by_name || strcmp(sort, "sessionsHisto") == 0;
    struct group_request q = {.keys = {*key}, .key_count = 1, .sum_count = SERIES_SUMS};
    struct tree t = {.a = a, .key = *key, .names = {file_names_new(a->call->api->control), true}};
    if (!call_u64(a->call, "size", GRAPH_SIZE, GRAPH_SIZE_MAX, &size)) {
        file_names_free(t.names.files);
        return -EPIPE; /* answered */
    }
    series_init(&series, a->registry);
    memcpy(q.sums, series.sums, sizeof(series.sums));
    q.sort = by_name ? GROUP_BY_KEY : GROUP_BY_COUNT;
    q.ascending = by_name;
    q.limit = by_sessions ? MAX(size, (uint64_t)1) : a->call->api->settings->max_values;
    int code = search_groups(a->search, &q, &g);
    if (code == 0) {
        code = tree_grow(&t, g, size, sort);
    }
    if (code == 0) {
        code = tree_fill(&t);
    }
    struct json j = call_json(a->call);
    json_open(&j, '{');
    if (code == 0) {
        json_key(&j, "items");
        code = tree_write(&t, &j);
    }
    json_key(&j, "graph");
    code = code < 0 ? code : graph_of_search(a, a->search, &j);
    json_key(&j, "map");
    code = code < 0 ? code : map_of_search(a, a->search, &j);
    json_key(&j, "recordsTotal");
    json_u64(&j, ask_total(a));
    json_key(&j, "recordsFiltered");
    json_u64(&j, search_count(a->search));
    json_close(&j, '}');
    ask_count(a, t.count);
    tree_done(&t);
    groups_free(g);
    return code;
}

static void spigraph(struct call *c) {
    struct ask a;
    struct group_key key;
    const char *name = call_text(c, "exp", call_text(c, "field", "node"));
    int code = ask_open(&a, c, &(struct ask_rules){.ids = false});
    if (code == 0 && ask_key(&a, span_text(name), &key) < 0) {
        code = a.err.code == -EACCES ? -EACCES : err_set(&a.err, -EACCES, "Unknown expression %.80s\n", name);
    }
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        code = spigraph_write(&a, &key);
    }
    if (code < 0 && code != -EPIPE) {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    ask_close(&a);
}

/* --- the table --- */

static const struct parameter spiview_parameters[] = {
    {"spi", PARAM_LIST, NULL, "Fields, each with the number of values wanted: `node:10,tags` (default 100)"},
    {.name = NULL},
};
static const struct parameter spigraph_parameters[] = {
    {"exp", PARAM_TEXT, NULL, "The field, by the name it has in expressions; also `ip.dst:port`, `fileand`"},
    {"field", PARAM_TEXT, "node", "The field by its path"},
    {"size", PARAM_NUMBER, "20", "Values wanted"},
    {"sort", PARAM_TEXT, "sessionsHisto",
     "name, sessionsHisto, network.packetsHisto, network.bytesHisto, totDataBytesHisto"},
    {.name = NULL},
};

#define FACET_FLAGS (API_GET | API_POST | API_SESSION_QUERY | API_HISTORY | API_SETS_COOKIE)
static const struct endpoint endpoints[] = {
    {.pattern = "/api/spiview",
     .aliases = "/spiview.json",
     .flags = FACET_FLAGS,
     .rights = RIGHT_ANY,
     .function = spiview,
     .parameters = spiview_parameters,
     .title = "Values of many fields",
     .help = "`{spi:{\"<path>\":{sum_other_doc_count,buckets:[{key,doc_count}]}},map,graph,protocols,recordsTotal,"
             "recordsFiltered}`; counts are exact. Errors come with 200 and `error`."},
    {.pattern = "/api/spigraph",
     .aliases = "/spigraph.json",
     .flags = FACET_FLAGS,
     .rights = RIGHT_ANY,
     .function = spigraph,
     .parameters = spigraph_parameters,
     .title = "Values of one field over time",
     .help = "`{items:[{name,count,sessionsHisto,\"network.packetsHisto\",...,graph,map}],graph,map,recordsTotal,"
             "recordsFiltered}`"},
};
const struct endpoint_family spi_family = {"spi", endpoints, ARRAY_LEN(endpoints)};
