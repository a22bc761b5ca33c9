/* crons.c: periodic queries: an expression whose sessions get tags as they are stored. cron_run.c runs them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/ask.h"
#include "api/cron_run.h"
#include "api/kept.h"
#include "api/shared.h"
#include "base/util.h"

#define TAGS_MAX 1024

struct cron_state {
    int64_t lp, last_run, toggled;
    uint64_t count, last_count;
    char toggled_by[SAVED_LIST_NAME_MAX + 1], error[sizeof(((struct err *)0)->text)];
};

static void text_take(struct span text, char *to, size_t size) {
    (void)snprintf(to, size, "%.*s", (int)text.len, (const char *)text.at);
}

static void state_read(struct control *c, struct span id, struct cron_state *ret) {
    *ret = (struct cron_state){0};
    control_lock(c);
    sqlite3_stmt *s = control_prepare(
        c, "SELECT lp, last_run, toggled, count, last_count, toggled_by, error FROM cron_state WHERE id = ?", NULL);
    if (s) {
        control_bind(s, 1, id);
        if (control_step(s) == 1) {
            ret->lp = (int64_t)control_u64(s, 0);
            ret->last_run = (int64_t)control_u64(s, 1);
            ret->toggled = (int64_t)control_u64(s, 2);
            ret->count = control_u64(s, 3);
            ret->last_count = control_u64(s, 4);
            text_take(control_text(s, 5), ret->toggled_by, sizeof(ret->toggled_by));
            text_take(control_text(s, 6), ret->error, sizeof(ret->error));
        }
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
}

static void number_write(struct json *j, const char *key, uint64_t value) {
    json_key(j, key);
    json_u64(j, value);
}

static void text_write(struct json *j, const char *key, const char *text) {
    if (*text) {
        json_key(j, key);
        json_cstr(j, text);
    }
}

static void cron_write(struct json *j, const struct saved *s, const struct call *c) {
    struct cron_state state;
    state_read(c->api->control, s->id, &state);
    json_key(j, "key");
    json_text(j, s->id);
    json_key(j, "name");
    json_text(j, s->name);
    kept_splice(j, s->body);
    json_key(j, "description");
    json_text(j, s->description);
    json_key(j, "creator");
    json_text(j, s->owner);
    number_write(j, "created", (uint64_t)s->created / 1000);
    number_write(j, "lpValue", (uint64_t)state.lp / 1000);
    number_write(j, "lastRun", (uint64_t)state.last_run / 1000);
    number_write(j, "count", state.count);
    number_write(j, "lastCount", state.last_count);
    number_write(j, "lastToggled", (uint64_t)state.toggled / 1000);
    text_write(j, "lastToggledBy", state.toggled_by);
    text_write(j, "error", state.error);
    json_key(j, "canEdit");
    json_bool(j, saved_may_edit(s, c->who));
    if (saved_may_edit(s, c->who)) {
        json_key(j, "users");
        lines_write_joined(j, s->users);
        json_key(j, "roles");
        lines_write(j, s->roles);
        json_key(j, "editRoles");
        lines_write(j, s->edit_roles);
    }
}

static const struct kept_kind cron_kind = {SAVED_CRON, "query", cron_write, false};
static const struct kept_share_names share_names = {"users", "roles", NULL, "editRoles"};

static void cron_list(struct call *c) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    int code = saved_all(c->api->control, SAVED_CRON, &rows);
    if (code) {
        kept_fail(c, &cron_kind, (struct span){NULL, 0}, code);
        return;
    }
    bool all = input_flag(c, "all") && (c->who->rights & RIGHT_ADMIN);
    struct json j = call_json(c);
    json_open(&j, '[');
    for (size_t i = 0; i < rows.count; i++) {
        if (all || saved_may_use(&rows.rows[i], c->who)) {
            json_open(&j, '{');
            cron_write(&j, &rows.rows[i], c);
            json_close(&j, '}');
        }
    }
    json_close(&j, ']');
}

/* --- what is asked for --- */

struct cron_wish {
    struct span name, query, action, tags, description;
    bool enabled;
    struct buf scratch; /* texts of the stored row */
};

static void cron_wish_done(struct cron_wish *w) {
    buf_done(&w->scratch);
}

static bool tags_good(struct call *c, struct span tags) {
    for (size_t i = 0; i < tags.len; i++) {
        uint8_t b = tags.at[i];
        if (!((b | 32) >= 'a' && (b | 32) <= 'z') && !(b >= '0' && b <= '9') && !strchr("-_:, ", b)) {
            call_fail(c, 403, "Tags may hold letters, digits, - _ and : only");
            return false;
        }
    }
    return true;
}

/* It must be one that can run: with the names the caller may use. */
static bool query_good(struct call *c, struct span text) {
    struct snapshot *snapshot = store_snapshot(c->api->store);
    struct ask ask = {.call = c, .registry = snapshot_registry(snapshot)};
    struct err e = {0};
    struct query *q = NULL;
    int code = ask_parse(&ask, text, false, &q, &e);
    query_free(q);
    snapshot_unref(snapshot);
    if (code < 0) {
        call_fail(c, 403, "%s", *e.text ? e.text : "The expression can not be used");
    }
    return code == 0;
}

static struct span kept_or(struct span given, const struct saved *row, const char *key, struct buf *scratch) {
    return given.at || !row->body.len ? given : body_member(row->body, key, scratch);
}

static bool enabled_read(struct call *c, const struct saved *row, struct cron_wish *w) {
    struct span text = request_param(c->request, "enabled");
    if (!text.len) {
        w->enabled = !row->body.len || span_is(body_member(row->body, "enabled", &w->scratch), "true");
        return true;
    }
    w->enabled = input_flag(c, "enabled");
    if (!w->enabled && !span_is(text, "false") && !span_is(text, "0")) {
        call_fail(c, 400, "enabled must be true or false");
        return false;
    }
    return true;
}

/* Texts of the request over those of `row`. */
static bool wish_read(struct call *c, const struct saved *row, struct cron_wish *w) {
    buf_init(&w->scratch, SAVED_EXPRESSION_MAX * 2);
    if (!input_text(c, "name", "Name", SAVED_NAME_MAX, &w->name) ||
        !input_text(c, "query", "Query", SAVED_EXPRESSION_MAX, &w->query) ||
        !input_text(c, "action", "Action", 256, &w->action) || !input_text(c, "tags", "Tags", TAGS_MAX, &w->tags) ||
        !input_text(c, "description", "Description", SAVED_DESCRIPTION_MAX, &w->description) ||
        !enabled_read(c, row, w)) {
        return false;
    }
    w->name = w->name.at ? w->name : row->name;
    w->description = w->description.at ? w->description : row->description;
    w->query = kept_or(w->query, row, "query", &w->scratch);
    w->action = kept_or(w->action, row, "action", &w->scratch);
    w->tags = kept_or(w->tags, row, "tags", &w->scratch);
    const char *missing = !w->name.len     ? "Missing query name"
                          : !w->query.len  ? "Missing query expression"
                          : !w->action.len ? "Missing query action"
                          : !w->tags.len   ? "Missing query tag(s)"
                                           : NULL;
    if (missing) {
        call_fail(c, 403, "%s", missing);
        return false;
    }
    if (!span_is(w->action, "tag")) {
        call_fail(c, 403, "The action must be tag: there are no clusters to forward to");
        return false;
    }
    return tags_good(c, w->tags) && query_good(c, w->query);
}

static void body_make(const struct cron_wish *w, struct saved *row, struct buf *body) {
    struct json j = json_over(body);
    json_open(&j, '{');
    json_key(&j, "query");
    json_text(&j, w->query);
    json_key(&j, "action");
    json_text(&j, w->action);
    json_key(&j, "tags");
    json_text(&j, w->tags);
    json_key(&j, "enabled");
    json_bool(&j, w->enabled);
    json_close(&j, '}');
    row->body = buf_span(body);
    row->name = w->name;
    row->description = w->description;
}

#define BODY_CEILING (SAVED_EXPRESSION_MAX * 6 + TAGS_MAX * 6 + 512)

/* From when on sessions are looked at: `since` hours ago; -1: all there are. */
static bool since_read(struct call *c, int64_t *ret_ms) {
    struct span text = request_param(c->request, "since");
    double hours = 0;
    if (text.len && (!input_number(text, &hours) || hours > 1e6)) {
        call_fail(c, 400, "since must be a number of hours, or -1 for all sessions");
        return false;
    }
    *ret_ms = hours < 0 ? 0 : input_now() - (int64_t)(hours * 3600000);
    return true;
}

static int state_make(struct call *c, const char *id, int64_t from) {
    struct control *control = c->api->control;
    control_lock(control);
    sqlite3_stmt *s =
        control_prepare(control, "INSERT INTO cron_state (id, lp, toggled, toggled_by) VALUES (?, ?, ?, ?)", NULL);
    int code = s ? 0 : -EIO;
    if (s) {
        control_bind_text(s, 1, id);
        control_bind_u64(s, 2, (uint64_t)from);
        control_bind_u64(s, 3, (uint64_t)input_now());
        control_bind_text(s, 4, c->who->id);
        code = control_step(s);
    }
    control_unlock(control);
    return code;
}

static void cron_create(struct call *c) {
    struct saved row = {.kind = SAVED_CRON, .owner = span_text(c->who->id)};
    _cleanup_(cron_wish_done) struct cron_wish wish = {0};
    _cleanup_(kept_share_done) struct kept_share share = {0};
    _cleanup_(buf_done) struct buf body;
    buf_init(&body, BODY_CEILING);
    int64_t from;
    if (!since_read(c, &from) || !wish_read(c, &row, &wish) || !kept_share_read(c, &share_names, &share, &row)) {
        return;
    }
    body_make(&wish, &row, &body);
    char id[SAVED_ID_SIZE];
    row.created = row.updated = input_now();
    int code = saved_insert(c->api->control, &row, row.created, id);
    code = code < 0 ? code : state_make(c, id, from);
    if (code < 0) {
        kept_fail(c, &cron_kind, row.name, code);
        return;
    }
    row.id = span_text(id);
    kept_answer(c, &cron_kind, "Created", &row, &share);
    crons_wake(c->api->crons);
}

static void toggle_note(struct call *c, struct span id) {
    control_lock(c->api->control);
    sqlite3_stmt *s =
        control_prepare(c->api->control, "UPDATE cron_state SET toggled = ?, toggled_by = ? WHERE id = ?", NULL);
    if (s) {
        control_bind_u64(s, 1, (uint64_t)input_now());
        control_bind_text(s, 2, c->who->id);
        control_bind(s, 3, id);
        (void)control_step(s);
    }
    control_unlock(c->api->control);
}

static bool work_changed(const struct saved *row, const struct cron_wish *w) {
    const struct {
        const char *key;
        struct span now;
    } parts[] = {{"query", w->query}, {"action", w->action}, {"tags", w->tags}};
    _cleanup_(buf_done) struct buf scratch;
    buf_init(&scratch, BODY_CEILING);
    bool changed = false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        buf_clear(&scratch);
        changed = changed || !span_equal(body_member(row->body, parts[i].key, &scratch), parts[i].now);
    }
    return changed;
}

static void cron_change(struct call *c) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    _cleanup_(cron_wish_done) struct cron_wish wish = {0};
    _cleanup_(kept_share_done) struct kept_share share = {0};
    _cleanup_(buf_done) struct buf body;
    buf_init(&body, BODY_CEILING);
    if (!kept_find(c, &cron_kind, true, &rows)) {
        return;
    }
    struct saved *row = &rows.rows[0];
    bool before = span_find(row->body, SPAN_LITERAL("\"enabled\":true}")) != SPAN_NONE;
    if (!wish_read(c, row, &wish) || !kept_share_read(c, &share_names, &share, row)) {
        return;
    }
    if (work_changed(row, &wish)) { /* nobody has sessions tagged with another's rights */
        row->owner = span_text(c->who->id);
    }
    body_make(&wish, row, &body);
    if (wish.enabled != before) {
        toggle_note(c, row->id);
    }
    kept_change(c, &cron_kind, row, &share);
    crons_wake(c->api->crons);
}

static void cron_delete(struct call *c) {
    kept_delete(c, &cron_kind);
    control_lock(c->api->control);
    sqlite3_stmt *s =
        control_prepare(c->api->control, "DELETE FROM cron_state WHERE id NOT IN (SELECT id FROM saved)", NULL);
    if (s) {
        (void)control_step(s);
    }
    control_unlock(c->api->control);
}

/* --- the table --- */

static const struct parameter list_parameters[] = {
    {"all", PARAM_BOOL, "false", "everybody's, for arkimeAdmin"},
    {0},
};
static const struct parameter cron_parameters[] = {
    {"name", PARAM_TEXT, NULL, "name, at most 256 bytes; one user has it once"},
    {"query", PARAM_TEXT, NULL, "expression, at most 64 KiB"},
    {"action", PARAM_TEXT, NULL, "`tag`"},
    {"tags", PARAM_TEXT, NULL, "tags that sessions get, joined by commas"},
    {"since", PARAM_NUMBER, "0", "when making: begin with sessions stored so many hours ago; -1: with all"},
    {"enabled", PARAM_BOOL, "true", "whether it runs"},
    {"description", PARAM_TEXT, NULL, "for people"},
    {"users", PARAM_TEXT, NULL, "who may see it: user ids joined by commas"},
    {"roles", PARAM_JSON, NULL, "who may see it: array of roles"},
    {"editRoles", PARAM_JSON, NULL, "who may change it: array of roles"},
    {0},
};

static const struct endpoint crons[] = {
    {"/api/crons", NULL, API_GET, RIGHT_ANY, cron_list, list_parameters, "Periodic queries the caller may see",
     "An array of `{key,name,query,action,tags,enabled,description,creator,created,lpValue,lastRun,count,lastCount,"
     "lastToggled,lastToggledBy,error,canEdit,users,roles,editRoles}`: times in s; sessions stored up to `lpValue` "
     "have "
     "been looked at; `error` says why the last run failed."},
    {"/api/cron", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ANY, cron_create, cron_parameters,
     "Make a periodic query",
     "`{success,text,query,invalidUsers}`. It runs at once and then every minute, with the rights of its creator."},
    {"/api/cron/:key", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ANY, cron_change, cron_parameters,
     "Change a periodic query",
     "As making one; what is not sent stays. By its creator, `editRoles` and arkimeAdmin. Who changes what it looks "
     "for or does becomes its creator, with whose rights it runs."},
    {"/api/cron/:key", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_ANY, cron_delete, NULL,
     "Delete a periodic query", "`{success,text}`. Tags stay."},
};

const struct endpoint_family cron_family = {"Periodic queries", crons, ARRAY_LEN(crons)};
