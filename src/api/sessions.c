/* sessions.c: sessions as lists: JSON, CSV, JSON Lines; one by its id; and what a query is in Elasticsearch's words. */
#include <errno.h>
#include <stdio.h>

#include "api/group.h"
#include "api/queries.h"
#include "base/util.h"
#include "record/document.h"
#include "record/values.h"

#define PUSH_EVERY 64 /* rows */
#define EXPORT_LENGTH 1000000

static const char list_fields[] =
    "ipProtocol,rootId,totDataBytes,client.bytes,server.bytes,firstPacket,lastPacket,source.ip,source.port,"
    "destination.ip,destination.port,network.packets,source.packets,destination.packets,network.bytes,source.bytes,"
    "destination.bytes,node,http.uri,source.geo.country_iso_code,destination.geo.country_iso_code,email.subject,"
    "email.src,email.dst,email.filename,dns.host,cert,irc.channel,http.xffGEO";
static const char *const list_always[] = {"node",           "source.ip",        "source.port",
                                          "destination.ip", "destination.port", NULL};

/* --- /api/sessions --- */

static void list_failed(struct ask *a, int code) {
    struct call *c = a->call;
    if (!ask_restart(c)) {
        return;
    }
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_raw(&j, SPAN_LITERAL("[]"));
    json_key(&j, "map");
    json_raw(&j, SPAN_LITERAL("{}"));
    json_key(&j, "graph");
    json_raw(&j, SPAN_LITERAL("{}"));
    json_key(&j, "recordsTotal");
    json_u64(&j, 0);
    json_key(&j, "recordsFiltered");
    json_u64(&j, 0);
    json_key(&j, "error");
    json_cstr(&j, ask_why(a, code));
    json_close(&j, '}');
}

static int write_rows(struct items *it, const struct search_row *rows, size_t count, struct json *j) {
    int code = 0;
    json_open(j, '[');
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = items_write(it, &rows[i], j);
        if (code == 0 && i % PUSH_EVERY == PUSH_EVERY - 1) {
            code = reply_push(it->ask->call->reply);
        }
    }
    json_close(j, ']');
    return code;
}

static void write_name(void *ctx, const char *name) {
    json_cstr(ctx, name);
}

/* Last: only then it is known what could not be read for this answer. */
static void write_damage(const struct search *s, struct json *j) {
    if (search_damaged(s)) {
        json_key(j, "damagedParts");
        json_u64(j, search_damaged(s));
        json_key(j, "damaged");
        json_open(j, '[');
        search_each_damaged(s, write_name, j);
        json_close(j, ']');
    }
}

static int write_list(struct ask *a, struct items *it) {
    const struct search_row *rows;
    size_t count;
    struct json j = call_json(a->call);
    json_open(&j, '{');
    int code = 0;
    json_key(&j, "graph");
    if (a->facets) {
        code = graph_of_search(a, a->search, &j);
    } else {
        json_raw(&j, SPAN_LITERAL("{}"));
    }
    if (code == 0) {
        json_key(&j, "map");
        code = map_of_search(a, a->search, &j);
    }
    json_key(&j, "recordsTotal");
    json_u64(&j, ask_total(a));
    json_key(&j, "recordsFiltered");
    json_u64(&j, search_count(a->search));
    if (code == 0) {
        code = ask_rows(a, &rows, &count);
    }
    if (code == 0) {
        ask_count(a, count);
        json_key(&j, "data");
        code = write_rows(it, rows, count, &j);
        write_damage(a->search, &j);
    }
    json_close(&j, '}');
    return code;
}

static void sessions_list(struct call *c) {
    const struct items_choice choice = {list_fields, list_always, false};
    struct ask a;
    struct items it = {0};
    int code = ask_open(&a, c, &(struct ask_rules){.ids = true});
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        code = items_open(&it, &a, &choice);
    }
    if (code == 0) {
        code = write_list(&a, &it);
    }
    if (code < 0 && code != -EPIPE) {
        list_failed(&a, code);
    }
    items_close(&it);
    ask_close(&a);
}

/* --- CSV --- */

struct cell_writer {
    struct buf *text;
    unsigned count;
};

static bool cell_value_add(void *ctx, const struct field *f, const struct value *v) {
    struct cell_writer *w = ctx;
    char name[24];
    buf_add_text(w->text, w->count++ ? ", " : "");
    if (strcmp(f->def->path, "ipProtocol") == 0) {
        buf_add_text(w->text, ip_protocol_text(v->u64, name));
    } else {
        value_write(f, v, w->text);
    }
    return true;
}

/* RFC 4180; what a spreadsheet would take for a formula gets a quote in front. */
static void csv_cell(struct buf *out, struct span text, bool quoted) {
    static const char formula[] = "=+-@\t\r";
    bool danger = text.len && strchr(formula, text.at[0]) && text.at[0];
    for (size_t i = 0; i < text.len && !quoted; i++) {
        quoted = text.at[i] == ',' || text.at[i] == '"' || text.at[i] == '\n' || text.at[i] == '\r';
    }
    buf_add_text(out, quoted ? "\"" : "");
    buf_add_text(out, danger ? "'" : "");
    for (size_t i = 0; i < text.len; i++) {
        buf_add_text(out, quoted && text.at[i] == '"' ? "\"" : "");
        buf_add_byte(out, text.at[i]);
    }
    buf_add_text(out, quoted ? "\"" : "");
}

static bool count_value(void *ctx, const struct field *f, const struct value *v) {
    (void)f;
    (void)v;
    ++*(unsigned *)ctx;
    return true;
}

static int csv_row(struct items *it, const struct search_row *row, struct buf *scratch, struct buf *out) {
    const struct record *r;
    int code = restorer_read(it->restorer, row->part, row->row, &r);
    for (size_t i = 0; code == 0 && i < it->field_count; i++) {
        const struct item_field *item = &it->fields[i];
        struct cell_writer w = {scratch, 0};
        buf_clear(scratch);
        buf_add_text(out, i ? "," : "");
        if (item->count) {
            record_values(r, item->field, count_value, &w.count);
            buf_add_u64(out, w.count);
            continue;
        }
        record_values(r, item->field, cell_value_add, &w);
        csv_cell(out, buf_span(scratch), w.count > 1);
    }
    buf_add_text(out, "\r\n");
    return code;
}

static void csv_header(const struct items *it, struct buf *out) {
    for (size_t i = 0; i < it->field_count; i++) {
        const struct field_def *def = it->fields[i].field->def;
        buf_add_text(out, i ? ", " : "");
        buf_add_text(out, def->title ? def->title : def->path);
        buf_add_text(out, it->fields[i].count ? " Cnt" : "");
    }
    buf_add_text(out, "\r\n");
}

static int write_csv(struct ask *a, struct items *it) {
    const struct search_row *rows;
    struct buf scratch;
    size_t count = 0;
    int code = ask_rows(a, &rows, &count);
    buf_init(&scratch, (size_t)16 << 20);
    reply_type(a->call->reply, "text/csv; charset=utf-8");
    reply_header(a->call->reply, "Content-Disposition", "attachment; filename=\"sessions.csv\"");
    csv_header(it, reply_body(a->call->reply));
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = csv_row(it, &rows[i], &scratch, reply_body(a->call->reply));
        if (code == 0 && i % PUSH_EVERY == PUSH_EVERY - 1) {
            code = reply_push(a->call->reply);
        }
    }
    ask_count(a, count);
    buf_done(&scratch);
    return code;
}

static void sessions_csv(struct call *c) {
    const struct items_choice choice = {
        "ipProtocol,firstPacket,lastPacket,source.ip,source.port,source.geo.country_iso_code,destination.ip,"
        "destination.port,destination.geo.country_iso_code,network.bytes,totDataBytes,network.packets,node",
        NULL, true};
    struct ask a;
    struct items it = {0};
    int code = ask_open(&a, c, &(struct ask_rules){.ids = true, .length = EXPORT_LENGTH});
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        code = items_open(&it, &a, &choice);
    }
    if (code == 0) {
        code = write_csv(&a, &it);
    }
    if (code < 0 && code != -EPIPE && ask_restart(c)) {
        reply_status(c->reply, ask_status(code));
        reply_type(c->reply, "text/plain; charset=utf-8");
        buf_add_text(reply_body(c->reply), "Could not build query. Err: ");
        buf_add_text(reply_body(c->reply), ask_why(&a, code));
    }
    items_close(&it);
    ask_close(&a);
}

/* --- JSON Lines --- */

struct lines {
    struct ask *a;
    struct items items; /* chosen fields, or ... */
    struct restorer *restorer;
    struct document_plan *plan; /* ... whole documents */
};

static int line_write(struct lines *l, const struct search_row *row) {
    struct buf *out = reply_body(l->a->call->reply);
    struct json j = json_over(out);
    const struct record *r;
    if (!l->plan) {
        int code = items_write(&l->items, row, &j);
        buf_add_byte(out, '\n');
        return code;
    }
    int code = restorer_read(l->restorer, row->part, row->row, &r);
    if (code == 0) {
        json_open(&j, '{');
        json_key(&j, "id");
        json_cstr(&j, r->name);
        size_t at = out->len;
        document_write(l->plan, r, 0, out);
        if (out->len > at) {
            out->data[at] = ','; /* the document goes on in the object that was begun */
        }
        buf_add_byte(out, '\n');
    }
    return code;
}

static int lines_open(struct lines *l) {
    struct ask *a = l->a;
    const struct items_choice choice = {list_fields, NULL, false};
    if (request_param(a->call->request, "fields").len) {
        return items_open(&l->items, a, &choice);
    }
    if (!(a->call->who->rights & RIGHT_EMAIL) || a->flatten) {
        return items_open_all(&l->items, a);
    }
    l->plan = document_plan_new(a->registry);
    return l->plan ? restorer_new(a->snapshot, NULL, 0, false, &l->restorer) : -ENOMEM;
}

static int write_lines(struct lines *l) {
    struct ask *a = l->a;
    const struct search_row *rows;
    size_t count = 0;
    int code = ask_rows(a, &rows, &count);
    reply_type(a->call->reply, "application/x-ndjson");
    reply_header(a->call->reply, "Content-Disposition", "attachment; filename=\"sessions.jsonl\"");
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = line_write(l, &rows[i]);
        if (code == 0 && i % PUSH_EVERY == PUSH_EVERY - 1) {
            code = reply_push(a->call->reply);
        }
    }
    ask_count(a, count);
    return code;
}

static void sessions_jsonl(struct call *c) {
    struct ask a;
    struct lines l = {.a = &a};
    int code = ask_open(&a, c, &(struct ask_rules){.ids = true, .length = EXPORT_LENGTH});
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        code = lines_open(&l);
    }
    if (code == 0) {
        code = write_lines(&l);
    }
    if (code < 0 && code != -EPIPE) {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    items_close(&l.items);
    restorer_free(l.restorer);
    document_plan_free(l.plan);
    ask_close(&a);
}

/* --- one session --- */

static void session_one(struct call *c) {
    struct ask a;
    struct items it = {0};
    const struct search_row *rows;
    size_t count = 0;
    int code = ask_open(&a, c, &(struct ask_rules){.only = c->parts[0]});
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        a.from = 0;
        a.length = 1;
        code = ask_rows(&a, &rows, &count);
    }
    if (code == 0 && count == 0) {
        code = err_set(&a.err, -ENOENT, "Session not found");
    }
    if (code == 0) {
        code = items_open_all(&it, &a);
    }
    if (code == 0) {
        struct json j = call_json(c);
        code = items_write(&it, &rows[0], &j);
    }
    if (code < 0) {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    ask_count(&a, count);
    items_close(&it);
    ask_close(&a);
}

/* --- the table --- */

static const struct parameter ids_parameters[] = {{.name = NULL}};

#define QUERY_FLAGS (API_GET | API_POST | API_SESSION_QUERY | API_HISTORY)
static const struct endpoint endpoints[] = {
    {.pattern = "/api/sessions",
     .aliases = "/sessions.json",
     .flags = QUERY_FLAGS | API_SETS_COOKIE,
     .rights = RIGHT_ANY,
     .function = sessions_list,
     .parameters = ids_parameters,
     .title = "Sessions",
     .help =
         "`{data:[...],map,graph,recordsTotal,recordsFiltered}`, in the order and with the fields asked for. A query "
         "that cannot be understood is answered with 200 and `error`. `damagedParts`, when it is there: so many parts "
         "of the store could not be read, and their sessions are missing; `damaged` names them. Items are nested "
         "objects (`flatten=1`: dotted "
         "keys); times are milliseconds since 1970."},
    {.pattern = "/api/sessions/csv",
     .aliases = "/api/sessions.csv /sessions.csv",
     .flags = QUERY_FLAGS,
     .rights = RIGHT_ANY,
     .function = sessions_csv,
     .parameters = ids_parameters,
     .title = "Sessions as CSV",
     .help = "A header of titles, then a line each, ended by CR LF. Several values of a field stand in quotes."},
    {.pattern = "/api/sessions/jsonl",
     .aliases = "/api/sessions.jsonl",
     .flags = QUERY_FLAGS,
     .rights = RIGHT_ANY,
     .function = sessions_jsonl,
     .parameters = ids_parameters,
     .title = "Sessions as JSON Lines",
     .help = "A whole session document a line with its `id`; with `fields` only these."},
    {.pattern = "/api/session/:id",
     .flags = API_GET | API_SETS_COOKIE,
     .rights = RIGHT_ANY,
     .function = session_one,
     .parameters = ids_parameters,
     .title = "A session",
     .help = "All fields of the session with this id. 404 `Session not found`, where Arkime says 500: no client "
             "depends on that."},
};
const struct endpoint_family session_family = {"sessions", endpoints, ARRAY_LEN(endpoints)};
