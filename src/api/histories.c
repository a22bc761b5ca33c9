/* histories.c: the list of who asked what. Users see their own rows, arkimeAdmin everybody's. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/history.h"
#include "api/kept.h"
#include "api/shared.h"
#include "base/util.h"

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
    {"status", "status"},
    {"address", "address"},
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
    if (!input_number(text, &seconds) || fabs(seconds) > 1e13) {
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
        rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
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
    f->own = admin ? (struct span){NULL, 0} : span_text(c->who->id);
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
    history_flush(c->api->history);
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
     "recordsReturned,recordsFiltered,recordsTotal,queryTime,uiPage,status,address,id,index}],recordsTotal,"
     "recordsFiltered}`: times "
     "in "
     "ms, range in s; status: how it ended (403: the right was missing). Logins and those that failed are rows as "
     "well, with "
     "`login` and `login failed` as their api. Users see their own rows, without the forced expression; arkimeAdmin "
     "everybody's."},
    {"/api/history/:id", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_ADMIN | RIGHT_REMOVE, history_delete,
     delete_parameters, "Delete a row of history", "`{success,text}`"},
};

const struct endpoint_family history_family = {"History", histories, ARRAY_LEN(histories)};
