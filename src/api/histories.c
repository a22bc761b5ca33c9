/* histories.c: who asked what: a row for every request that is worth one, and the list of them.
 *
 * Users see their own rows, arkimeAdmin everybody's. The oldest rows go when there are more than HISTORY_MAX. Texts are
 * cut at ceilings, members of bodies that hold secrets are left out.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/kept.h"
#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"

#define HISTORY_MAX 1000000
#define HISTORY_TEXT_MAX ((size_t)16 << 10)
#define HISTORY_TRIM 1000 /* rows between two looks at HISTORY_MAX */

/* --- writing --- */

static const char *const secret_names[] = {"password", "passStore",  "currentPassword", "newPassword", "fields",
                                           "token",    "totpSecret", "authToken",       "secret",      "code"};

static bool is_secret(struct span name) {
    for (size_t i = 0; i < ARRAY_LEN(secret_names); i++) {
        if (span_equal_fold(name, span_text(secret_names[i]))) {
            return true;
        }
    }
    return false;
}

static struct span cut(struct span text) {
    if (text.len <= HISTORY_TEXT_MAX) {
        return text;
    }
    size_t len = HISTORY_TEXT_MAX;
    while (len && (text.at[len] & 0xc0) == 0x80) {
        len--;
    }
    return span_sub(text, 0, len);
}

/* The request's JSON body again, without secrets. Nothing for other bodies: their values stand in parameters. */
static void body_write(const struct request *q, struct buf *out) {
    struct span body = request_body(q);
    struct json_index x;
    struct json_error error;
    json_index_init(&x, 1 << 20);
    if (body.len && json_index_build(&x, body, &error) == 0 && json_check(&x, &error) == 0 &&
        json_kind_of(json_root(&x)) == JSON_OBJECT) {
        struct json j = json_over(out);
        struct json_walk walk = json_walk_over(json_root(&x));
        struct span key;
        struct json_ref value;
        json_open(&j, '{');
        while (json_walk_next(&walk, &key, &value)) {
            struct span raw = json_raw_of(value);
            if (is_secret(key) || out->len + key.len + raw.len > HISTORY_TEXT_MAX) {
                continue;
            }
            if (j.comma) {
                buf_add_byte(out, ',');
            }
            buf_add_byte(out, '"');
            buf_add_span(out, key);
            buf_add_text(out, "\":");
            buf_add_span(out, raw);
            j.comma = true;
        }
        json_close(&j, '}');
    }
    json_index_done(&x);
}

static bool number_read(struct span text, double *ret) {
    char copy[40];
    if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.at, 0, text.len)) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = 0;
    char *end;
    *ret = strtod(copy, &end);
    return *end == 0 && isfinite(*ret);
}

/* Seconds the question spans; -1: everything, -2: it has no time. */
static int64_t range_of(const struct request *q) {
    double start, stop, date;
    if (number_read(request_param(q, "startTime"), &start) && number_read(request_param(q, "stopTime"), &stop)) {
        return (int64_t)(fabs(stop - start) < 1e15 ? stop - start : 0);
    }
    if (number_read(request_param(q, "date"), &date)) {
        return date < 0 ? -1 : (int64_t)(date < 1e12 ? date * 3600 : 0);
    }
    return -2;
}

static void count_bind(sqlite3_stmt *s, int index, int64_t count) {
    if (count < 0) {
        (void)sqlite3_bind_null(s, index);
    } else {
        control_bind_u64(s, index, (uint64_t)count);
    }
}

static struct span query_part(const struct request *q) {
    struct span target = span_text(request_target(q));
    size_t mark = span_find_byte(target, 0, '?');
    return mark == SPAN_NONE ? SPAN_LITERAL("") : span_from(target, mark + 1);
}

/* Lock held. Where anything fails the request is answered all the same: there is nobody to tell. */
static void history_insert(struct call *c, int64_t took_ms, struct span body, struct span view_expression) {
    sqlite3_stmt *s = control_prepare(
        c->api->control,
        "INSERT INTO history (timestamp, method, user, api, query, expression, forced, range, view_name,"
        " view_expression, body, returned, filtered, total, took, page) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        NULL);
    if (!s) {
        return;
    }
    const struct request *q = c->request;
    struct span view = request_param(q, "view");
    int64_t now = input_now(), range = range_of(q);
    control_bind_u64(s, 1, (uint64_t)now);
    control_bind_text(s, 2, request_method(q));
    control_bind_text(s, 3, c->who->id);
    control_bind(s, 4, cut(span_text(request_path(q))));
    control_bind(s, 5, cut(query_part(q)));
    control_bind(s, 6, cut(request_param(q, "expression")));
    control_bind(s, 7,
                 c->who->expression && *c->who->expression ? cut(span_text(c->who->expression)) : (struct span){0});
    if (range == -2) {
        (void)sqlite3_bind_null(s, 8);
    } else {
        control_bind_u64(s, 8, (uint64_t)(range == -1 ? now / 1000 : range));
    }
    control_bind(s, 9, view.len ? cut(view) : (struct span){0});
    control_bind(s, 10, view_expression.len ? cut(view_expression) : (struct span){0});
    control_bind(s, 11, body.len ? body : (struct span){0});
    count_bind(s, 12, c->records_returned);
    count_bind(s, 13, c->records_filtered);
    count_bind(s, 14, c->records_total);
    control_bind_u64(s, 15, (uint64_t)MAX(took_ms, 0));
    control_bind(s, 16, cut(request_param(q, "uiPage")));
    (void)control_step(s);
}

/* Lock held. Rows are numbered one by one, so that the oldest to keep is known from the newest. */
static void history_trim(struct control *c) {
    sqlite3_stmt *s = control_prepare(c, "SELECT max(id) FROM history", NULL);
    uint64_t last = s && control_step(s) == 1 ? control_u64(s, 0) : 0;
    if (s) {
        (void)sqlite3_reset(s);
    }
    if (last <= HISTORY_MAX || last % HISTORY_TRIM != 0) {
        return;
    }
    s = control_prepare(c, "DELETE FROM history WHERE id <= ?", NULL);
    if (s) {
        control_bind_u64(s, 1, last - HISTORY_MAX);
        (void)control_step(s);
    }
}

void history_write(struct call *c, int64_t took_ms) {
    _cleanup_(buf_done) struct buf body;
    _cleanup_(buf_done) struct buf view;
    buf_init(&body, HISTORY_TEXT_MAX + 1024);
    buf_init(&view, SAVED_EXPRESSION_MAX + 16);
    body_write(c->request, &body);
    struct span name = request_param(c->request, "view");
    if (name.len && saved_view(c->api->control, c->who, name, &view) != 0) {
        buf_clear(&view);
    }
    control_lock(c->api->control);
    history_insert(c, took_ms, body.overflowed ? (struct span){0} : buf_span(&body), buf_span(&view));
    history_trim(c->api->control);
    control_unlock(c->api->control);
}

/* --- the list --- */

struct history_field {
    const char *name;   /* in answers, `sortField`, `exists` */
    const char *column; /* in the table */
};

static const struct history_field history_fields[] = {
    {"timestamp", "timestamp"},
    {"method", "method"},
    {"userId", "user"},
    {"api", "api"},
    {"query", "query"},
    {"expression", "expression"},
    {"forcedExpression", "forced"},
    {"range", "range"},
    {"view.name", "view_name"},
    {"view.expression", "view_expression"},
    {"body", "body"},
    {"recordsReturned", "returned"},
    {"recordsFiltered", "filtered"},
    {"recordsTotal", "total"},
    {"queryTime", "took"},
    {"uiPage", "page"},
};

static const char *column_of(struct span name) {
    if (span_is(name, "view")) {
        return "view_name";
    }
    for (size_t i = 0; i < ARRAY_LEN(history_fields); i++) {
        if (span_is(name, history_fields[i].name)) {
            return history_fields[i].column;
        }
    }
    return NULL;
}

struct filter {
    struct buf where, term;
    struct span user, api;
    struct span own;  /* the only user the caller may see; empty: all */
    int64_t from, to; /* ms */
    struct page page;
    const char *column;
};

static void filter_done(struct filter *f) {
    buf_done(&f->where);
    buf_done(&f->term);
}

static bool time_read(struct call *c, const char *name, int64_t fallback, int64_t *ret) {
    struct span text = request_param(c->request, name);
    double seconds;
    *ret = fallback;
    if (text.len == 0) {
        return true;
    }
    if (!number_read(text, &seconds) || fabs(seconds) > 1e13) {
        call_fail(c, 400, "%s must be seconds since 1970", name);
        return false;
    }
    *ret = (int64_t)(seconds * 1000);
    return true;
}

/* A search term as a LIKE pattern: `*` and `?` are wildcards, and it may stand anywhere. */
static void like_write(struct span term, struct buf *out) {
    buf_add_byte(out, '%');
    for (size_t i = 0; i < term.len; i++) {
        uint8_t b = term.at[i];
        if (b == '%' || b == '_' || b == '\\') {
            buf_add_byte(out, '\\');
        }
        buf_add_byte(out, b == '*' ? '%' : b == '?' ? '_' : b);
    }
    buf_add_byte(out, '%');
}

static bool exists_read(struct call *c, struct filter *f) {
    struct span rest = request_param(c->request, "exists");
    while (rest.len) {
        size_t comma = span_find_byte(rest, 0, ',');
        struct span name = span_trim(span_sub(rest, 0, comma));
        rest = comma == SPAN_NONE ? (struct span){0} : span_from(rest, comma + 1);
        const char *column = column_of(name);
        if (name.len && !column) {
            call_fail(c, 400, "exists: there is no field %.*s", (int)MIN(name.len, 60), (const char *)name.at);
            return false;
        }
        if (column) {
            buf_printf(&f->where, " AND %s IS NOT NULL AND %s <> ''", column, column);
        }
    }
    return true;
}

/* Admins see all rows, or those of `userId`; others their own. */
static bool user_read(struct call *c, struct filter *f) {
    struct span asked = request_param(c->request, "userId");
    bool admin = c->who->rights & RIGHT_ADMIN;
    if (asked.len && !admin && !span_is(asked, c->who->id)) {
        call_fail(c, 403, "Need admin privileges");
        return false;
    }
    f->own = admin ? (struct span){0} : span_text(c->who->id);
    f->user = admin ? asked : span_text(c->who->id);
    if (f->user.len) {
        buf_add_text(&f->where, " AND user = ?3");
    }
    return true;
}

static bool filter_read(struct call *c, struct filter *f) {
    buf_init(&f->where, 8192);
    buf_init(&f->term, 4096);
    struct span term = request_param(c->request, "searchTerm");
    struct span sort = request_param(c->request, "sortField");
    f->api = request_param(c->request, "api");
    f->column = sort.len ? column_of(sort) : "timestamp";
    if (!f->column || term.len > 1000 || f->api.len > 1000) {
        call_fail(c, 400, f->column ? "searchTerm and api may have 1000 bytes" : "sortField: there is no such field");
        return false;
    }
    if (!input_page(c, 1000, &f->page) || !time_read(c, "startTime", 0, &f->from) ||
        !time_read(c, "stopTime", INT64_MAX, &f->to) || !user_read(c, f) || !exists_read(c, f)) {
        return false;
    }
    if (term.len) {
        like_write(term, &f->term);
        buf_add_text(&f->where,
                     " AND (expression LIKE ?4 ESCAPE '\\' OR user LIKE ?4 ESCAPE '\\' OR api LIKE ?4 ESCAPE "
                     "'\\' OR view_name LIKE ?4 ESCAPE '\\' OR view_expression LIKE ?4 ESCAPE '\\')");
    }
    if (f->api.len) {
        buf_add_text(&f->where, " AND api = ?5");
    }
    return !f->where.overflowed;
}

static void filter_bind(sqlite3_stmt *s, const struct filter *f) {
    control_bind_u64(s, 1, (uint64_t)f->from);
    control_bind_u64(s, 2, (uint64_t)f->to);
    const struct {
        int index;
        struct span text;
    } texts[] = {{3, f->user}, {4, buf_span(&f->term)}, {5, f->api}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (texts[i].text.len && texts[i].index <= sqlite3_bind_parameter_count(s)) {
            control_bind(s, texts[i].index, texts[i].text);
        }
    }
}

static void row_write(struct json *j, sqlite3_stmt *s, bool admin) {
    json_open(j, '{');
    bool view = sqlite3_column_type(s, 8) != SQLITE_NULL;
    for (size_t i = 0; i < ARRAY_LEN(history_fields); i++) {
        const char *name = history_fields[i].name;
        int column = (int)i;
        if (sqlite3_column_type(s, column) == SQLITE_NULL || strncmp(name, "view.", 5) == 0 ||
            (!admin && strcmp(name, "forcedExpression") == 0)) {
            continue;
        }
        json_key(j, name);
        if (sqlite3_column_type(s, column) == SQLITE_INTEGER) {
            json_i64(j, sqlite3_column_int64(s, column));
        } else if (strcmp(name, "body") == 0) {
            json_raw(j, control_text(s, column));
        } else {
            json_text(j, control_text(s, column));
        }
    }
    if (view) {
        json_key(j, "view");
        json_open(j, '{');
        json_key(j, "name");
        json_text(j, control_text(s, 8));
        json_key(j, "expression");
        json_text(j, control_text(s, 9));
        json_close(j, '}');
    }
    /* Older clients give the index back when they delete a row: the week it would be kept in. */
    time_t when = (time_t)(control_u64(s, 0) / 1000);
    struct tm t;
    char week[8] = "", index[40] = "history";
    if (gmtime_r(&when, &t) && strftime(week, sizeof(week), "w%V", &t)) {
        (void)snprintf(index, sizeof(index), "history_v1-%02d%s", t.tm_year % 100, week);
    }
    json_key(j, "id");
    char id[24];
    (void)snprintf(id, sizeof(id), "%lld", (long long)sqlite3_column_int64(s, (int)ARRAY_LEN(history_fields)));
    json_cstr(j, id);
    json_key(j, "index");
    json_cstr(j, index);
    json_close(j, '}');
}

#define WHERE " FROM history WHERE timestamp >= ?1 AND timestamp <= ?2"

static sqlite3_stmt *filter_prepare(struct control *c, const struct filter *f, bool count) {
    _cleanup_(buf_done) struct buf sql;
    buf_init(&sql, 16384);
    buf_add_text(&sql, "SELECT ");
    if (count) {
        buf_add_text(&sql, "count(*)" WHERE);
    } else {
        for (size_t i = 0; i < ARRAY_LEN(history_fields); i++) {
            buf_printf(&sql, "%s, ", history_fields[i].column);
        }
        buf_add_text(&sql, "id" WHERE);
    }
    buf_add_span(&sql, buf_span(&f->where));
    if (!count) {
        const char *order = f->page.descending ? "DESC" : "ASC";
        buf_printf(&sql, " ORDER BY %s %s, id %s LIMIT ?6 OFFSET ?7", f->column, order, order);
    }
    buf_add_byte(&sql, 0);
    sqlite3_stmt *s = sql.overflowed ? NULL : control_prepare(c, (const char *)sql.data, NULL);
    if (s) {
        filter_bind(s, f);
        if (!count) {
            control_bind_u64(s, 6, f->page.length);
            control_bind_u64(s, 7, f->page.start);
        }
    }
    return s;
}

/* `all`: whatever the filter, of the users the caller may see. */
static bool count_read(struct control *c, const struct filter *f, bool all, uint64_t *ret) {
    sqlite3_stmt *s =
        all ? control_prepare(
                  c, f->own.len ? "SELECT count(*) FROM history WHERE user = ?" : "SELECT count(*) FROM history", NULL)
            : filter_prepare(c, f, true);
    if (s && all && f->own.len) {
        control_bind(s, 1, f->own);
    }
    bool good = s && control_step(s) == 1;
    if (good) {
        *ret = control_u64(s, 0);
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    return good;
}

/* Rows into `out`; negative: failure. Lock held. */
static int rows_write(struct call *c, const struct filter *f, struct json *j, uint64_t *ret_count) {
    sqlite3_stmt *s = filter_prepare(c->api->control, f, false);
    int code = s ? 1 : -EIO;
    while (code == 1 && (code = control_step(s)) == 1 && !j->out->overflowed) {
        row_write(j, s, c->who->rights & RIGHT_ADMIN);
        ++*ret_count;
    }
    if (s) {
        (void)sqlite3_reset(s);
    }
    return j->out->overflowed ? -E2BIG : code;
}

static void history_list(struct call *c) {
    _cleanup_(filter_done) struct filter f = {0};
    if (!filter_read(c, &f)) {
        return;
    }
    _cleanup_(buf_done) struct buf rows;
    buf_init(&rows, (size_t)64 << 20);
    struct json list = json_over(&rows);
    uint64_t count = 0, filtered = 0, total = 0;
    control_lock(c->api->control);
    json_open(&list, '[');
    bool counted = count_read(c->api->control, &f, false, &filtered) && count_read(c->api->control, &f, true, &total);
    int code = counted ? rows_write(c, &f, &list, &count) : -EIO;
    json_close(&list, ']');
    control_unlock(c->api->control);
    if (code < 0) {
        call_fail(c, code == -E2BIG ? 400 : 500,
                  code == -E2BIG ? "More than 64 MiB: ask for fewer rows (length)" : "The history could not be read");
        return;
    }
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_raw(&j, buf_span(&rows));
    json_key(&j, "recordsTotal");
    json_u64(&j, total);
    json_key(&j, "recordsFiltered");
    json_u64(&j, filtered);
    json_close(&j, '}');
}

static void history_delete(struct call *c) {
    uint64_t id;
    if (request_param(c->request, "index").len == 0) {
        call_fail(c, 403, "Missing history index");
        return;
    }
    if (!span_decimal(span_text(c->parts[0]), INT64_MAX, &id)) {
        call_fail(c, 404, "History item not found");
        return;
    }
    struct control *control = c->api->control;
    control_lock(control);
    sqlite3_stmt *s = control_prepare(control, "DELETE FROM history WHERE id = ? RETURNING id", NULL);
    int code = -EIO;
    if (s) {
        control_bind_u64(s, 1, id);
        code = control_step(s);
        while (code == 1 && control_step(s) == 1) {
        }
    }
    control_unlock(control);
    if (code == 1) {
        call_done(c, "Deleted history item");
    } else if (code == 0) {
        call_fail(c, 404, "History item not found");
    } else {
        call_fail(c, 500, "The history could not be written");
    }
}

static const struct parameter list_parameters[] = {
    {"startTime", PARAM_TIME, NULL, "only from then on: seconds since 1970"},
    {"stopTime", PARAM_TIME, NULL, "only until then: seconds since 1970"},
    {"searchTerm", PARAM_TEXT, NULL, "only where expression, user, api or view has this; `*` and `?` as wildcards"},
    {"userId", PARAM_TEXT, NULL, "only of this user; others than oneself for arkimeAdmin"},
    {"api", PARAM_TEXT, NULL, "only of this path"},
    {"exists", PARAM_LIST, NULL, "only where these fields have a value"},
    {"sortField", PARAM_TEXT, "timestamp", "a field of the answer"},
    {"desc", PARAM_BOOL, "false", "order turned round"},
    {"start", PARAM_NUMBER, "0", "first one of the page"},
    {"length", PARAM_NUMBER, "1000", "how many"},
    {0},
};
static const struct parameter delete_parameters[] = {
    {"index", PARAM_TEXT, NULL, "as the list gave it"},
    {0},
};

static const struct endpoint histories[] = {
    {"/api/histories", NULL, API_GET | API_SETS_COOKIE, RIGHT_ANY, history_list, list_parameters, "Who asked what",
     "`{data:[{timestamp,method,userId,api,query,expression,forcedExpression,range,view:{name,expression},body,"
     "recordsReturned,recordsFiltered,recordsTotal,queryTime,uiPage,id,index}],recordsTotal,recordsFiltered}`: times "
     "in "
     "ms, range in s. Users see their own rows, without the forced expression; arkimeAdmin everybody's."},
    {"/api/history/:id", NULL, API_DELETE | API_TOKEN, RIGHT_ADMIN | RIGHT_REMOVE, history_delete, delete_parameters,
     "Delete a row of history", "`{success,text}`"},
};

const struct endpoint_family history_family = {"History", histories, ARRAY_LEN(histories)};
