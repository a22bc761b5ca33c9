/* overview.c: the start page: what is in here, at a glance; each item with the expression that finds it.
 *
 * Every card is one question to the same search; a card that finds nothing is left out. Certificates are looked at one
 * by one, because what makes them worth a look is in how their fields stand to each other.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/beacons.h"
#include "api/certificates.h"
#include "api/queries.h"
#include "base/util.h"
#include "record/document.h"
#include "record/values.h"

#define CARD_ITEMS 10
#define RARE_ITEMS 6
#define BUCKETS_WANTED 400

struct overview {
    struct ask *a;
    struct json j;
    struct buf text;
    const struct field *bytes[2], *packets[2], *data[2];
    struct key_names names;
    uint64_t first_ms, last_ms;
};

static const struct field *field_at(const struct overview *o, const char *path) {
    return registry_field(o->a->registry, registry_by_path(o->a->registry, span_text(path)));
}

/* --- cards --- */

struct card {
    const char *name, *title, *help, *unit;
};

static void card_open(struct overview *o, const struct card *card) {
    json_open(&o->j, '{');
    json_key(&o->j, "name");
    json_cstr(&o->j, card->name);
    json_key(&o->j, "title");
    json_cstr(&o->j, card->title);
    json_key(&o->j, "help");
    json_cstr(&o->j, card->help);
    json_key(&o->j, "unit");
    json_cstr(&o->j, card->unit);
    json_key(&o->j, "items");
    json_open(&o->j, '[');
}

static void card_close(struct overview *o, uint64_t total) {
    json_close(&o->j, ']');
    json_key(&o->j, "total");
    json_u64(&o->j, total);
    json_close(&o->j, '}');
}

/* `name == value`, the value in quotes where it must be. */
static void expression_set(struct overview *o, const char *name, struct span value) {
    buf_clear(&o->text);
    buf_printf(&o->text, "%s == ", name);
    value_quote(value, &o->text);
}

static void write_item(struct overview *o, struct span label, uint64_t value, uint64_t sessions) {
    json_key(&o->j, "label");
    json_text(&o->j, label);
    json_key(&o->j, "value");
    json_u64(&o->j, value);
    json_key(&o->j, "sessions");
    json_u64(&o->j, sessions);
    json_key(&o->j, "expression");
    json_text(&o->j, buf_span(&o->text));
}

/* What one field is broken down into. */
struct breakdown {
    struct card card;
    const char *path, *name; /* of the field: in documents, in expressions */
    const char *only;        /* of sessions that also match this; NULL = all */
    bool by_bytes, rarest;
    const char *note; /* on each item; NULL = none */
};

/* Groups, and the search they belong to when it is one of their own. */
struct counted {
    struct search *only;
    struct groups *groups;
};

static void counted_done(struct counted *c) {
    groups_free(c->groups);
    search_free(c->only);
}

static int breakdown_count(struct overview *o, const struct breakdown *b, uint64_t limit, struct counted *ret) {
    struct group_request q = {.keys = {{.kind = GROUP_FIELD}}, .key_count = 1, .limit = limit, .ascending = b->rarest};
    q.keys[0].field.field = field_at(o, b->path);
    *ret = (struct counted){NULL, NULL};
    if (!q.keys[0].field.field || !ask_may_see(o->a, q.keys[0].field.field)) {
        return 0;
    }
    if (b->by_bytes) {
        q.sums[0] = field_at(o, "network.bytes");
        q.sum_count = 1;
        q.sort = GROUP_BY_SUM;
    }
    int code = 0;
    if (b->only) {
        code = ask_search(o->a, &(struct ask_variant){.expression = span_text(b->only)}, &ret->only);
    }
    if (code == 0) {
        code = search_groups(ret->only ? ret->only : o->a->search, &q, &ret->groups);
    }
    return code;
}

static void write_groups(struct overview *o, const struct breakdown *b, const struct groups *g) {
    struct group_key key = {.kind = GROUP_FIELD, .field = {.field = field_at(o, b->path)}};
    struct buf label;
    buf_init(&label, CELL_TEXT_MAX * 2);
    for (size_t i = 0; i < g->count; i++) {
        buf_clear(&label);
        key_text(&o->names, &key, &g->list[i].keys[0], &label);
        expression_set(o, b->name, buf_span(&label));
        if (b->only) {
            buf_printf(&o->text, " && %s", b->only);
        }
        json_open(&o->j, '{');
        write_item(o, buf_span(&label), b->by_bytes ? g->list[i].sums[0] : g->list[i].count, g->list[i].count);
        if (b->note) {
            json_key(&o->j, "note");
            json_cstr(&o->j, b->note);
        }
        json_close(&o->j, '}');
    }
    buf_done(&label);
}

static int write_breakdown(struct overview *o, const struct breakdown *b) {
    struct counted c;
    int code = breakdown_count(o, b, CARD_ITEMS, &c);
    if (code == 0 && c.groups && c.groups->count) {
        card_open(o, &b->card);
        write_groups(o, b, c.groups);
        card_close(o, c.groups->total);
    }
    counted_done(&c);
    return code;
}

/* Names met least often, wherever hosts are named. */
static int write_rare_hosts(struct overview *o) {
    static const struct card card = {"hosts", "Rarest host names", "Names of hosts that the fewest sessions mention.",
                                     "sessions"};
    static const struct breakdown kinds[] = {
        {.path = "dns.host", .name = "host.dns", .rarest = true, .note = "DNS"},
        {.path = "http.host", .name = "host.http", .rarest = true, .note = "HTTP"},
        {.path = "tls.host", .name = "host.tls", .rarest = true, .note = "TLS"},
        {.path = "quic.host", .name = "host.quic", .rarest = true, .note = "QUIC"},
        {.path = "cert.alt", .name = "cert.alt", .rarest = true, .note = "certificate"},
    };
    uint64_t total = 0;
    bool open = false;
    int code = 0;
    for (size_t i = 0; code == 0 && i < ARRAY_LEN(kinds); i++) {
        struct counted c;
        code = breakdown_count(o, &kinds[i], RARE_ITEMS, &c);
        if (code == 0 && c.groups && c.groups->count) {
            if (!open) {
                card_open(o, &card);
                open = true;
            }
            write_groups(o, &kinds[i], c.groups);
            total += c.groups->total;
        }
        counted_done(&c);
    }
    if (open) {
        card_close(o, total);
    }
    return code;
}

/* --- single sessions --- */

static void add_end(struct buf *out, const struct record *r, unsigned side) {
    char text[48];
    if (r->has_ip) {
        size_t len = ip_write(r->ip[side], text);
        buf_add(out, text, len);
        if (r->has_port && r->port[side]) {
            buf_printf(out, "%c%u", memchr(text, ':', len) ? '.' : ':', r->port[side]);
        }
    } else {
        buf_add_text(out, "-");
    }
}

static bool add_word(void *ctx, const struct field *f, const struct value *v) {
    struct buf *out = ctx;
    (void)f;
    buf_add_text(out, out->len ? ", " : "");
    buf_add_span(out, v->bytes);
    return out->len < 200;
}

static void write_session(struct overview *o, const struct record *r, uint64_t value) {
    struct buf label;
    buf_init(&label, 4096);
    add_end(&label, r, 0);
    buf_add_text(&label, " → ");
    add_end(&label, r, 1);
    expression_set(o, "id", span_text(r->name));
    json_open(&o->j, '{');
    json_key(&o->j, "id");
    json_cstr(&o->j, r->name);
    json_key(&o->j, "node");
    json_cstr(&o->j, r->node);
    write_item(o, buf_span(&label), value, 1);
    buf_clear(&label);
    record_values(r, field_at(o, "protocol"), add_word, &label);
    json_key(&o->j, "note");
    json_text(&o->j, buf_span(&label));
    json_close(&o->j, '}');
    buf_done(&label);
}

static int write_sessions(struct overview *o, const struct card *card, const char *path) {
    const struct field *f = field_at(o, path), *protocol = field_at(o, "protocol"), *node = field_at(o, "node");
    struct search_order order = {.field = {.field = f}, .descending = true};
    struct restorer *restorer = NULL;
    struct search_page page = {0};
    const struct record *r;
    if (!f || !protocol || !node) {
        return 0;
    }
    const uint16_t wanted[] = {f->id, protocol->id, node->id};
    int code = search_rows(o->a->search, &order, 1, 0, CARD_ITEMS, &page);
    code = code < 0 ? code : restorer_new(o->a->snapshot, wanted, ARRAY_LEN(wanted), false, &restorer);
    if (code == 0 && page.count) {
        card_open(o, card);
        for (size_t i = 0; code == 0 && i < page.count; i++) {
            struct value v = {.type = (enum field_type)f->type};
            code = restorer_read(restorer, page.rows[i].part, page.rows[i].row, &r);
            if (code == 0 && f->def->get(r, &v)) {
                write_session(o, r, v.u64);
            }
        }
        card_close(o, search_count(o->a->search));
    }
    restorer_free(restorer);
    return code;
}

/* --- regular contacts --- */

static int write_beacons(struct overview *o) {
    static const struct card card = {"beacons", "Regular contacts",
                                     "Sources that contact a destination at intervals so even that a program makes "
                                     "them; the value is the mean interval.",
                                     "ms"};
    struct beacon_request q = {
        .min_count = 6, .max_jitter = BEACON_JITTER_MEDIUM, .min_mean_ms = 1000, .limit = CARD_ITEMS};
    struct beacons *b = NULL;
    int code = search_beacons(o->a->search, &q, &b);
    if (code == 0 && b->count) {
        card_open(o, &card);
        for (size_t i = 0; i < b->count; i++) {
            char label[128], text[2][48];
            text[0][ip_write(b->list[i].ip[0], text[0])] = 0;
            text[1][ip_write(b->list[i].ip[1], text[1])] = 0;
            (void)snprintf(label, sizeof(label), "%s → %s port %u", text[0], text[1], b->list[i].port);
            buf_clear(&o->text);
            beacon_expression(&b->list[i], &o->text);
            json_open(&o->j, '{');
            write_item(o, span_text(label), (uint64_t)b->list[i].mean_ms, b->list[i].count);
            json_key(&o->j, "interval");
            json_double(&o->j, b->list[i].mean_ms);
            json_key(&o->j, "jitter");
            json_double(&o->j, b->list[i].jitter);
            json_key(&o->j, "confidence");
            json_cstr(&o->j, beacon_confidence(b->list[i].jitter));
            json_key(&o->j, "count");
            json_u64(&o->j, b->list[i].count);
            json_close(&o->j, '}');
        }
        card_close(o, b->total);
    }
    beacons_free(b);
    return code;
}

/* --- certificates --- */

static int write_certificates(struct overview *o) {
    static const struct card card = {"certificates", "Certificates of note",
                                     "Expired, self-signed, short-lived or not yet valid when they were used.",
                                     "sessions"};
    struct certificates found;
    int code = certificates_find(o->a, &found);
    if (code == 0 && found.count) {
        card_open(o, &card);
        for (size_t i = 0; i < MIN(found.count, (size_t)CARD_ITEMS); i++) {
            const struct certificate_found *c = &found.list[i];
            expression_set(o, "cert.hash", span_text(c->hash));
            json_open(&o->j, '{');
            write_item(o, span_text(c->subject), c->sessions, c->sessions);
            json_key(&o->j, "note");
            json_cstr(&o->j, c->note);
            json_close(&o->j, '}');
        }
        card_close(o, found.count);
    }
    certificates_done(&found);
    return code;
}

/* --- the head of the page --- */

static int by_address(const void *x, const void *y) {
    return memcmp(x, y, 16);
}

/* Distinct addresses of either side: those of the one with fewer, and the other's that are not among them. */
static int count_hosts(struct overview *o, uint64_t *ret) {
    struct groups *g[2] = {NULL, NULL};
    int code = 0;
    *ret = 0;
    for (unsigned side = 0; code == 0 && side < 2; side++) {
        struct group_request q = {.keys = {{.kind = GROUP_FIELD}}, .key_count = 1, .sort = GROUP_UNSORTED};
        q.keys[0].field.field = field_at(o, side ? "destination.ip" : "source.ip");
        code = search_groups(o->a->search, &q, &g[side]);
    }
    unsigned fewer = code == 0 && g[1]->count < g[0]->count;
    uint8_t(*list)[16] = code == 0 ? calloc(g[fewer]->count + 1, 16) : NULL;
    size_t count = list ? g[fewer]->count : 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(list[i], g[fewer]->list[i].keys[0].bytes.at, 16);
    }
    if (count) {
        qsort(list, count, 16, by_address);
    }
    *ret = count;
    for (size_t i = 0; list && i < g[!fewer]->count; i++) {
        *ret += count == 0 || !bsearch(g[!fewer]->list[i].keys[0].bytes.at, list, count, 16, by_address);
    }
    code = code == 0 && !list ? -ENOMEM : code;
    free(list);
    groups_free(g[0]);
    groups_free(g[1]);
    return code;
}

static bool count_file(void *ctx, const struct stored_file *f) {
    *(uint64_t *)ctx += !f->gone;
    return true;
}

static int write_head(struct overview *o) {
    struct groups *g = NULL;
    struct group_request q = {.sum_count = 6};
    uint64_t sums[6] = {0}, hosts = 0, files = 0;
    static const char *const paths[] = {"source.packets",    "destination.packets", "source.bytes",
                                        "destination.bytes", "client.bytes",        "server.bytes"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        q.sums[i] = field_at(o, paths[i]);
    }
    int code = search_groups(o->a->search, &q, &g);
    if (code == 0 && g->count) {
        memcpy(sums, g->list[0].sums, sizeof(sums));
    }
    groups_free(g);
    code = code < 0 ? code : ask_time_edge(o->a, "firstPacket", false, &o->first_ms);
    code = code < 0 ? code : ask_time_edge(o->a, "lastPacket", true, &o->last_ms);
    code = code < 0 ? code : count_hosts(o, &hosts);
    if (code < 0) {
        return code;
    }
    (void)files_each(o->a->call->api->control, count_file, &files);
    const struct {
        const char *name;
        uint64_t value;
    } totals[] = {{"sessions", search_count(o->a->search)},
                  {"packets", sums[0] + sums[1]},
                  {"bytes", sums[2] + sums[3]},
                  {"dataBytes", sums[4] + sums[5]},
                  {"hosts", hosts},
                  {"files", files}};
    json_key(&o->j, "span");
    json_open(&o->j, '{');
    json_key(&o->j, "first");
    json_u64(&o->j, o->first_ms);
    json_key(&o->j, "last");
    json_u64(&o->j, o->last_ms);
    json_close(&o->j, '}');
    json_key(&o->j, "totals");
    json_open(&o->j, '{');
    for (size_t i = 0; i < ARRAY_LEN(totals); i++) {
        json_key(&o->j, totals[i].name);
        json_u64(&o->j, totals[i].value);
    }
    json_close(&o->j, '}');
    return 0;
}

/* Buckets as fine as the page can show. */
static void choose_interval(struct overview *o) {
    static const uint64_t steps[] = {1, 5, 10, 30, 60, 300, 600, 1800, 3600, 21600, 86400, 604800};
    uint64_t seconds = o->last_ms > o->first_ms ? (o->last_ms - o->first_ms) / 1000 : 0;
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(steps) && seconds / steps[i] > BUCKETS_WANTED) {
        i++;
    }
    if (!call_text(o->a->call, "interval", NULL)) {
        o->a->window.interval_s = steps[i];
    }
}

static int write_cards(struct overview *o) {
    static const struct breakdown cards[] = {
        {.card = {"protocols", "Protocols", "What was recognised, by sessions.", "sessions"},
         .path = "protocol",
         .name = "protocols"},
        {.card = {"talkers", "Top talkers", "Sources by bytes of their sessions, both directions.", "bytes"},
         .path = "source.ip",
         .name = "ip.src",
         .by_bytes = true},
        {.card = {"destinations", "Top destinations", "Destinations by bytes of their sessions.", "bytes"},
         .path = "destination.ip",
         .name = "ip.dst",
         .by_bytes = true},
        {.card = {"services", "Services", "Destination ports by sessions.", "sessions"},
         .path = "destination.port",
         .name = "port.dst"},
        {.card = {"countries", "Countries", "Where destinations are, by sessions.", "sessions"},
         .path = "destination.geo.country_iso_code",
         .name = "country.dst"},
        {.card = {"unanswered", "Unanswered",
                  "Destinations that never answered a TCP session, by sessions: scans, or "
                  "services that are gone.",
                  "sessions"},
         .path = "destination.ip",
         .name = "ip.dst",
         .only = "ip.protocol == tcp && packets.dst == 0"},
    };
    static const struct card longest = {"longest", "Longest sessions", "By time between first and last packet.", "ms"};
    static const struct card largest = {"largest", "Largest sessions", "By bytes, both directions.", "bytes"};
    int code = 0;
    json_key(&o->j, "cards");
    json_open(&o->j, '[');
    for (size_t i = 0; code == 0 && i < ARRAY_LEN(cards); i++) {
        code = write_breakdown(o, &cards[i]);
    }
    code = code < 0 ? code : write_rare_hosts(o);
    code = code < 0 ? code : write_sessions(o, &longest, "length");
    code = code < 0 ? code : write_sessions(o, &largest, "network.bytes");
    code = code < 0 ? code : write_beacons(o);
    code = code < 0 ? code : write_certificates(o);
    json_close(&o->j, ']');
    return code;
}

static void overview(struct call *c) {
    struct ask a;
    struct overview o = {.a = &a};
    int code = ask_open(&a, c, &(struct ask_rules){.everything = true, .unordered = true});
    if (code == 0) {
        code = ask_run(&a);
    }
    buf_init(&o.text, CELL_TEXT_MAX * 4);
    o.names.protocols = true;
    if (code == 0) {
        o.j = call_json(c);
        json_open(&o.j, '{');
        code = write_head(&o);
    }
    if (code == 0) {
        choose_interval(&o);
        json_key(&o.j, "graph");
        code = graph_of_search(&a, a.search, &o.j);
    }
    if (code == 0) {
        code = write_cards(&o);
    }
    json_close(&o.j, '}');
    if (code < 0 && code != -EPIPE) {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    ask_count(&a, 0);
    buf_done(&o.text);
    ask_close(&a);
}

static const struct parameter parameters[] = {{.name = NULL}};
static const struct endpoint endpoints[] = {
    {.pattern = "/api/overview",
     .flags = API_GET | API_POST | API_SESSION_QUERY,
     .rights = RIGHT_ANY,
     .function = overview,
     .parameters = parameters,
     .title = "What is in here",
     .help = "`{span:{first,last},totals:{sessions,packets,bytes,dataBytes,hosts,files},graph,cards:[{name,title,help,"
             "unit,items:[{label,value,sessions,expression,note?,id?,node?}],total}]}`. Cards: protocols, talkers, "
             "destinations, services, countries, unanswered, hosts, longest, largest, beacons, certificates; those "
             "without items are left out. Without a time: everything."},
};
const struct endpoint_family overview_family = {"overview", endpoints, ARRAY_LEN(endpoints)};
