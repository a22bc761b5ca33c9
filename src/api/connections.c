/* connections.c: who talks to whom: a graph over all sessions found, its strongest links given back.
 *
 * Links are one grouping by (source, destination); what nodes add up is added up from the links that are shown. Values
 * that are no numbers are collected from a grouping with one key more.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/group.h"
#include "api/queries.h"
#include "base/hash.h"
#include "base/util.h"

#define LINKS_DEFAULT 10000
#define LINKS_MAX 200000
#define SHOWN_MAX 12     /* fields on nodes and links */
#define WORDS_MAX 100    /* values collected for one node or link */
#define WORDS_PER_LINK 4 /* combinations looked at for each link shown */
#define BASELINE_RATIO_MAX 1000

enum { IN_CURRENT = 1, IN_BASELINE = 2 };
enum { IS_SOURCE = 1, IS_DESTINATION = 2 };

struct shown {
    const struct field *field;
    const char *name; /* key in the answer */
    bool sum;
    unsigned at; /* of sums, or of word lists */
};

/* Texts of one field, as JSON array elements. */
struct words {
    struct buf text;
    unsigned count;
};

struct node {
    char *id;
    uint64_t sessions, links, sums[SHOWN_MAX];
    struct words *words; /* by shown.at of those that are no sums */
    unsigned type, in_result;
    uint32_t position;
    bool dropped;
};

struct link {
    uint32_t source, target;
    uint64_t value, sums[SHOWN_MAX];
    struct words *words;
    unsigned in_result;
};

struct graph {
    struct ask *a;
    struct group_key keys[2];
    struct shown shown[SHOWN_MAX];
    size_t shown_count, sum_count, word_count;
    struct key_names names;
    uint64_t limit;
    struct node *nodes;
    size_t node_count, node_room;
    struct link *links;
    size_t link_count, link_room;
    uint32_t *node_slots, *link_slots; /* index + 1; 0 = free */
    size_t slots;
    struct buf text;
    uint64_t total; /* links before the limit */
};

/* --- what is shown --- */

static bool add_shown(void *ctx, struct span name) {
    struct graph *g = ctx;
    struct query_field q;
    if (g->shown_count == SHOWN_MAX) {
        return false;
    }
    if (ask_field(g->a, name, &q) < 0 || !q.field || q.access != ACCESS_VALUE || q.field->type == FT_OBJECT) {
        g->a->err = (struct err){0};
        return true;
    }
    bool sum = q.field->type == FT_U64 && (q.field->flags & F_SINGLE) && !(q.field->flags & F_PORT) &&
               strcmp(q.field->def->path, "ipProtocol") != 0;
    size_t *counter = sum ? &g->sum_count : &g->word_count;
    g->shown[g->shown_count++] =
        (struct shown){.field = q.field, .name = q.field->def->path, .sum = sum, .at = (unsigned)(*counter)++};
    return true;
}

static void read_shown(struct graph *g) {
    static const char *const usual[] = {"network.bytes", "totDataBytes", "network.packets", "node"};
    if (call_text(g->a->call, "fields", NULL)) {
        (void)call_list(g->a->call, "fields", add_shown, g);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
        (void)add_shown(g, span_text(usual[i]));
    }
}

/* --- nodes and links --- */

static int grow(void **list, size_t *room, size_t count, size_t size) {
    if (count < *room) {
        return 0;
    }
    size_t more_room = *room ? *room * 2 : 256;
    void *more = reallocarray(*list, more_room, size);
    if (!more) {
        return -ENOMEM;
    }
    *list = more;
    *room = more_room;
    return 0;
}

static struct words *words_new(const struct graph *g) {
    struct words *w = calloc(g->word_count + 1, sizeof(*w));
    for (size_t i = 0; w && i < g->word_count; i++) {
        buf_init(&w[i].text, (size_t)1 << 20);
    }
    return w;
}

/* The node of a value, made when `make`; -ENOENT. */
static int node_get(struct graph *g, size_t key, const struct group_value *v, bool make, uint32_t *ret) {
    buf_clear(&g->text);
    key_text(&g->names, &g->keys[key], v, &g->text);
    buf_add_byte(&g->text, 0);
    if (g->text.overflowed) {
        return -ENOMEM;
    }
    const char *id = (const char *)g->text.data;
    size_t at = hash_bytes(id, g->text.len, 3) % g->slots;
    for (; g->node_slots[at]; at = (at + 1) % g->slots) {
        *ret = g->node_slots[at] - 1;
        if (strcmp(g->nodes[*ret].id, id) == 0) {
            return 0;
        }
    }
    if (!make) {
        return -ENOENT;
    }
    int code = grow((void **)&g->nodes, &g->node_room, g->node_count, sizeof(*g->nodes));
    if (code < 0) {
        return code;
    }
    struct node *n = &g->nodes[g->node_count];
    *n = (struct node){.id = strdup(id), .words = words_new(g)};
    *ret = (uint32_t)g->node_count++;
    g->node_slots[at] = *ret + 1;
    return n->id && n->words ? 0 : -ENOMEM;
}

/* The link between two nodes, made when `make`; -ENOENT. */
static int link_get(struct graph *g, uint32_t source, uint32_t target, bool make, uint32_t *ret) {
    uint32_t ends[2] = {source, target};
    size_t at = hash_bytes(ends, sizeof(ends), 5) % g->slots;
    for (; g->link_slots[at]; at = (at + 1) % g->slots) {
        *ret = g->link_slots[at] - 1;
        if (g->links[*ret].source == source && g->links[*ret].target == target) {
            return 0;
        }
    }
    if (!make) {
        return -ENOENT;
    }
    int code = grow((void **)&g->links, &g->link_room, g->link_count, sizeof(*g->links));
    if (code < 0) {
        return code;
    }
    g->links[g->link_count] = (struct link){.source = source, .target = target, .words = words_new(g)};
    *ret = (uint32_t)g->link_count++;
    g->link_slots[at] = *ret + 1;
    return g->links[*ret].words ? 0 : -ENOMEM;
}

static void count_group(struct graph *g, uint32_t link, const struct group *from, unsigned in_result) {
    struct link *l = &g->links[link];
    struct node *ends[2] = {&g->nodes[l->source], &g->nodes[l->target]};
    bool current = in_result == IN_CURRENT || !(l->in_result & IN_CURRENT);
    ends[0]->type |= IS_SOURCE;
    ends[1]->type |= IS_DESTINATION;
    l->in_result |= in_result;
    ends[0]->in_result |= in_result;
    ends[1]->in_result |= in_result;
    if (!current) {
        return; /* figures are those of the time asked for, of the baseline only where there are no others */
    }
    l->value += from->count;
    for (size_t i = 0; i < g->sum_count; i++) {
        l->sums[i] += from->sums[i];
    }
    for (size_t e = 0; e < (ends[0] == ends[1] ? 1 : 2); e++) {
        ends[e]->sessions += from->count;
        for (size_t i = 0; i < g->sum_count; i++) {
            ends[e]->sums[i] += from->sums[i];
        }
    }
}

static void word_add(struct words *w, struct span json) {
    struct buf *b = &w->text;
    for (size_t at = 0; at < b->len;) { /* one value a line */
        size_t end = span_find_byte(buf_span(b), at, '\n');
        end = end == SPAN_NONE ? b->len : end;
        if (span_equal(span_sub(buf_span(b), at, end - at), json)) {
            return;
        }
        at = end + 1;
    }
    if (w->count < WORDS_MAX) {
        buf_add_text(b, w->count++ ? "\n" : "");
        buf_add_span(b, json);
    }
}

/* Values of one field that is no sum, for the links and nodes there are. */
static int collect_words(struct graph *g, struct search *s, const struct shown *shown) {
    struct groups *groups = NULL;
    /* A link that is shown has more sessions than most combinations: with so many of them, its frequent values are
     * there.
     */
    struct group_request q = {.keys = {g->keys[0], g->keys[1]}, .key_count = 3, .limit = g->limit * WORDS_PER_LINK};
    struct buf value;
    q.keys[2].field.field = shown->field;
    int code = search_groups(s, &q, &groups);
    buf_init(&value, (size_t)1 << 17);
    for (size_t i = 0; code == 0 && i < groups->count; i++) {
        const struct group_value *keys = groups->list[i].keys;
        uint32_t ends[2], link;
        if (node_get(g, 0, &keys[0], false, &ends[0]) == 0 && node_get(g, 1, &keys[1], false, &ends[1]) == 0 &&
            link_get(g, ends[0], ends[1], false, &link) == 0) {
            struct json j = json_over(&value);
            buf_clear(&value);
            key_json(&g->names, &q.keys[2], &keys[2], &j);
            word_add(&g->links[link].words[shown->at], buf_span(&value));
            word_add(&g->nodes[ends[0]].words[shown->at], buf_span(&value));
            word_add(&g->nodes[ends[1]].words[shown->at], buf_span(&value));
        }
    }
    buf_done(&value);
    groups_free(groups);
    return code;
}

static int collect(struct graph *g, struct search *s, unsigned in_result) {
    struct groups *groups = NULL;
    struct group_request q = {
        .keys = {g->keys[0], g->keys[1]}, .key_count = 2, .sum_count = g->sum_count, .limit = g->limit};
    for (size_t i = 0; i < g->shown_count; i++) {
        if (g->shown[i].sum) {
            q.sums[g->shown[i].at] = g->shown[i].field;
        }
    }
    int code = search_groups(s, &q, &groups);
    for (size_t i = 0; code == 0 && i < groups->count; i++) {
        const struct group *from = &groups->list[i];
        uint32_t source, target, link;
        code = node_get(g, 0, &from->keys[0], true, &source);
        code = code < 0 ? code : node_get(g, 1, &from->keys[1], true, &target);
        code = code < 0 ? code : link_get(g, source, target, true, &link);
        if (code == 0) {
            count_group(g, link, from, in_result);
        }
    }
    g->total += code == 0 ? groups->total : 0;
    groups_free(groups);
    for (size_t i = 0; code == 0 && i < g->shown_count; i++) {
        code = g->shown[i].sum ? 0 : collect_words(g, s, &g->shown[i]);
    }
    return code;
}

/* --- baseline: hours, or `Nx` the window, ending where the window begins --- */

static bool baseline_window(const struct graph *g, struct window *ret) {
    const char *text = call_text(g->a->call, "baselineDate", "0");
    char *end;
    double amount = strtod(text, &end);
    if (!g->a->window.bounded || !(amount > 0) || amount > 1e7) {
        return false;
    }
    *ret = g->a->window;
    int64_t stop = g->a->window.open ? now_ms() : g->a->window.stop_ms;
    double length =
        *end == 'x' ? MIN(amount, (double)BASELINE_RATIO_MAX) * (double)(stop - ret->start_ms) : amount * 3600000.0;
    ret->stop_ms = g->a->window.start_ms;
    ret->start_ms = ret->stop_ms - (int64_t)MIN(length, 1e15);
    ret->open = false;
    return true;
}

static int collect_baseline(struct graph *g) {
    struct window w;
    struct search *s = NULL;
    if (!baseline_window(g, &w)) {
        return 0;
    }
    int code = ask_search(g->a, &(struct ask_variant){.window = &w}, &s);
    if (code == 0) {
        code = collect(g, s, IN_BASELINE);
    }
    search_free(s);
    return code;
}

/* --- nodes with few links go, and the links to them --- */

static void drop_small(struct graph *g, uint64_t least) {
    for (size_t i = 0; i < g->link_count; i++) {
        g->nodes[g->links[i].source].links++;
        g->nodes[g->links[i].target].links += g->links[i].source != g->links[i].target;
    }
    uint32_t position = 0;
    for (size_t i = 0; i < g->node_count; i++) {
        g->nodes[i].dropped = g->nodes[i].links < least || g->nodes[i].links == 0;
        g->nodes[i].position = g->nodes[i].dropped ? 0 : position++;
    }
}

static bool link_is_shown(const struct graph *g, const struct link *l) {
    return !g->nodes[l->source].dropped && !g->nodes[l->target].dropped;
}

/* --- writing --- */

static void write_shown(const struct graph *g, const uint64_t *sums, const struct words *words, struct json *j) {
    for (size_t i = 0; i < g->shown_count; i++) {
        const struct shown *s = &g->shown[i];
        if (s->sum) {
            json_key(j, s->name);
            json_u64(j, sums[s->at]);
            continue;
        }
        struct span rest = buf_span(&words[s->at].text);
        if (rest.len == 0) {
            continue;
        }
        json_key(j, s->name);
        json_open(j, '[');
        while (rest.len) {
            size_t end = span_find_byte(rest, 0, '\n');
            json_raw(j, span_sub(rest, 0, end));
            rest = end == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, end + 1);
        }
        json_close(j, ']');
    }
}

static void write_node(const struct graph *g, const struct node *n, struct json *j) {
    json_open(j, '{');
    json_key(j, "id");
    json_cstr(j, n->id);
    json_key(j, "cnt");
    json_u64(j, n->links);
    json_key(j, "sessions");
    json_u64(j, n->sessions);
    json_key(j, "type");
    json_u64(j, n->type);
    json_key(j, "inresult");
    json_u64(j, n->in_result);
    json_key(j, "pos");
    json_u64(j, n->position);
    write_shown(g, n->sums, n->words, j);
    json_close(j, '}');
}

static void write_link(const struct graph *g, const struct link *l, struct json *j) {
    json_open(j, '{');
    json_key(j, "value");
    json_u64(j, l->value);
    json_key(j, "source");
    json_u64(j, g->nodes[l->source].position);
    json_key(j, "target");
    json_u64(j, g->nodes[l->target].position);
    json_key(j, "inresult");
    json_u64(j, l->in_result);
    write_shown(g, l->sums, l->words, j);
    json_close(j, '}');
}

static int graph_json(struct graph *g) {
    struct json j = call_json(g->a->call);
    int code = 0;
    json_open(&j, '{');
    json_key(&j, "nodes");
    json_open(&j, '[');
    for (size_t i = 0; code == 0 && i < g->node_count; i++) {
        if (!g->nodes[i].dropped) {
            write_node(g, &g->nodes[i], &j);
            code = reply_push(g->a->call->reply);
        }
    }
    json_close(&j, ']');
    json_key(&j, "links");
    json_open(&j, '[');
    for (size_t i = 0; code == 0 && i < g->link_count; i++) {
        if (link_is_shown(g, &g->links[i])) {
            write_link(g, &g->links[i], &j);
            code = reply_push(g->a->call->reply);
        }
    }
    json_close(&j, ']');
    json_key(&j, "recordsFiltered");
    json_u64(&j, search_count(g->a->search));
    json_key(&j, "linksTotal");
    json_u64(&j, g->total);
    json_close(&j, '}');
    return code;
}

static void csv_quoted(struct buf *out, struct span text) {
    buf_add_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        buf_add_text(out, text.at[i] == '"' ? "\"" : "");
        buf_add_byte(out, text.at[i]);
    }
    buf_add_byte(out, '"');
}

static void csv_link(const struct graph *g, const struct link *l, const char *separator, struct buf *out) {
    csv_quoted(out, span_text(g->nodes[l->source].id));
    buf_add_text(out, separator);
    csv_quoted(out, span_text(g->nodes[l->target].id));
    buf_add_text(out, separator);
    buf_add_u64(out, l->value);
    for (size_t i = 0; i < g->shown_count; i++) {
        const struct shown *s = &g->shown[i];
        buf_add_text(out, separator);
        if (s->sum) {
            buf_add_u64(out, l->sums[s->at]);
            continue;
        }
        struct span words = buf_span(&l->words[s->at].text);
        buf_add_byte(out, '"');
        for (size_t k = 0; k < words.len; k++) { /* JSON texts, one a line */
            if (words.at[k] != '"' && words.at[k] != '\n') {
                buf_add_byte(out, words.at[k]);
            } else if (words.at[k] == '\n') {
                buf_add_text(out, ", ");
            }
        }
        buf_add_byte(out, '"');
    }
    buf_add_text(out, "\r\n");
}

static int graph_csv(struct graph *g) {
    struct reply *r = g->a->call->reply;
    const char *separator = call_text(g->a->call, "separator", ",");
    int code = 0;
    reply_type(r, "text/csv; charset=utf-8");
    reply_header(r, "Content-Disposition", "attachment; filename=\"connections.csv\"");
    buf_add_text(reply_body(r), "Source, Destination, Sessions");
    for (size_t i = 0; i < g->shown_count; i++) {
        buf_add_text(reply_body(r), ", ");
        buf_add_text(reply_body(r), g->shown[i].field->def->title ? g->shown[i].field->def->title : g->shown[i].name);
    }
    buf_add_text(reply_body(r), "\r\n");
    for (size_t i = 0; code == 0 && i < g->link_count; i++) {
        if (link_is_shown(g, &g->links[i])) {
            csv_link(g, &g->links[i], separator, reply_body(r));
            code = reply_push(r);
        }
    }
    return code;
}

/* --- the endpoints --- */

static void words_free(struct words *w, size_t count) {
    for (size_t i = 0; w && i < count; i++) {
        buf_done(&w[i].text);
    }
    free(w);
}

static void graph_done(struct graph *g) {
    for (size_t i = 0; i < g->node_count; i++) {
        free(g->nodes[i].id);
        words_free(g->nodes[i].words, g->word_count);
    }
    for (size_t i = 0; i < g->link_count; i++) {
        words_free(g->links[i].words, g->word_count);
    }
    free(g->nodes);
    free(g->links);
    free(g->node_slots);
    free(g->link_slots);
    buf_done(&g->text);
    file_names_free(g->names.files);
}

static int graph_init(struct graph *g) {
    struct call *c = g->a->call;
    buf_init(&g->text, (size_t)1 << 17);
    g->limit = MAX(g->limit, (uint64_t)1); /* 0 would be all */
    g->slots = (size_t)(8 * g->limit + 1021) | 1;
    g->node_slots = calloc(g->slots, sizeof(*g->node_slots));
    g->link_slots = calloc(g->slots, sizeof(*g->link_slots));
    g->names = (struct key_names){file_names_new(c->api->control), true};
    int code = ask_key(g->a, span_text(call_text(c, "srcField", "source.ip")), &g->keys[0]);
    if (code == 0) {
        code = ask_key(g->a, span_text(call_text(c, "dstField", "destination.ip")), &g->keys[1]);
    }
    read_shown(g);
    return code == 0 && (!g->node_slots || !g->link_slots) ? -ENOMEM : code;
}

static void answer(struct call *c, int (*write)(struct graph *g)) {
    struct ask a;
    struct graph g = {.a = &a};
    uint64_t least;
    if (!call_u64(c, "minConn", 1, UINT64_MAX, &least) || !call_u64(c, "length", LINKS_DEFAULT, LINKS_MAX, &g.limit)) {
        return;
    }
    int code = ask_open(&a, c, &(struct ask_rules){.ids = false});
    if (code == 0) {
        code = graph_init(&g);
    }
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        code = collect(&g, a.search, IN_CURRENT);
    }
    if (code == 0) {
        code = collect_baseline(&g);
    }
    if (code == 0) {
        drop_small(&g, least);
        code = write(&g);
    }
    if (code < 0 && code != -EPIPE) {
        int status = ask_status(code);
        call_fail(c, status < 500 && status != 413 ? 403 : status, "%s", ask_why(&a, code));
    }
    ask_count(&a, g.link_count);
    graph_done(&g);
    ask_close(&a);
}

static void connections(struct call *c) {
    answer(c, graph_json);
}

static void connections_csv(struct call *c) {
    answer(c, graph_csv);
}

#define GRAPH_PARAMETERS                                                                                          \
    {"srcField", PARAM_TEXT, "source.ip", "What nodes on the left are"},                                          \
        {"dstField", PARAM_TEXT, "destination.ip", "What nodes on the right are; also `ip.dst:port`"},            \
        {"length", PARAM_NUMBER, "10000", "Most links given back, those with most sessions; all sessions count"}, \
        {"minConn", PARAM_NUMBER, "1", "Nodes with fewer links are left out"},                                    \
        {"fields", PARAM_LIST, "network.bytes,totDataBytes,network.packets,node",                                 \
         "Numbers are added up, other values "                                                                    \
         "collected, on nodes and links"},                                                                        \
        {"baselineDate", PARAM_TEXT, "0", "Compare with so many hours before the window, or `Nx` its length"}, {  \
        "baselineVis", PARAM_TEXT, "all", "For the page: all, actual, actualold, new, old"                        \
    }

static const struct parameter parameters[] = {GRAPH_PARAMETERS, {.name = NULL}};
static const struct parameter csv_parameters[] = {
    GRAPH_PARAMETERS, {"separator", PARAM_TEXT, ",", "Between the columns of a line"}, {.name = NULL}};

#define GRAPH_FLAGS (API_GET | API_POST | API_SESSION_QUERY | API_HISTORY | API_SETS_COOKIE)
static const struct endpoint endpoints[] = {
    {.pattern = "/api/connections",
     .aliases = "/connections.json",
     .flags = GRAPH_FLAGS,
     .rights = RIGHT_ANY,
     .function = connections,
     .parameters = parameters,
     .title = "Who talks to whom",
     .help =
         "`{nodes:[{id,cnt,sessions,type,inresult,pos,...}],links:[{value,source,target,inresult,...}],"
         "recordsFiltered,linksTotal}` over all sessions found. `type`: 1 source, 2 destination; `inresult`: 1 now, "
         "2 in the baseline; `source`, `target`: places in `nodes`."},
    {.pattern = "/api/connections/csv",
     .aliases = "/api/connections.csv /connections.csv",
     .flags = GRAPH_FLAGS,
     .rights = RIGHT_ANY,
     .function = connections_csv,
     .parameters = csv_parameters,
     .title = "Who talks to whom, as CSV",
     .help = "A line for each link: source, destination, sessions, and the fields asked for."},
};
const struct endpoint_family connection_family = {"connections", endpoints, ARRAY_LEN(endpoints)};
