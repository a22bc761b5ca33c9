/* crons.c: periodic queries: an expression whose sessions get tags as they are stored. cron_run.c runs them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/ask.h"
#include "api/cron_run.h"
#include "api/kept.h"
#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"

#define TAGS_MAX 1024
#define NOTIFIERS_TEXT_MAX 1024

struct cron_state {
    int64_t lp, last_run, toggled, notified;
    uint64_t count, last_count, notified_count;
    char toggled_by[SAVED_LIST_NAME_MAX + 1], error[sizeof(((struct err *)0)->text)];
};

static void text_take(struct span text, char *to, size_t size) {
    (void)snprintf(to, size, "%.*s", (int)text.len, (const char *)text.at);
}

static void state_read(struct control *c, struct span id, struct cron_state *ret) {
    *ret = (struct cron_state){0};
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c,
                                      "SELECT lp, last_run, toggled, count, last_count, toggled_by, error, notified, "
                                      "notified_count FROM cron_state WHERE id = ?",
                                      NULL);
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
            ret->notified = (int64_t)control_u64(s, 7);
            ret->notified_count = control_u64(s, 8);
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

static const struct kept_share_names share_names = {"users", "roles", NULL, "editRoles", false};

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
    number_write(j, "lastNotified", (uint64_t)state.notified / 1000);
    number_write(j, "lastNotifiedCount", state.notified_count);
    number_write(j, "lastToggled", (uint64_t)state.toggled / 1000);
    text_write(j, "lastToggledBy", state.toggled_by);
    text_write(j, "error", state.error);
    json_key(j, "canEdit");
    json_bool(j, saved_may_edit(s, c->who));
    if (saved_may_edit(s, c->who)) {
        kept_share_write(j, &share_names, s);
    }
}

/* --- what is asked for --- */

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

static int state_make(struct call *c, struct span id, int64_t from) {
    struct control *control = c->api->control;
    control_lock(control);
    sqlite3_stmt *s =
        control_prepare(control, "INSERT INTO cron_state (id, lp, toggled, toggled_by) VALUES (?, ?, ?, ?)", NULL);
    int code = s ? 0 : -EIO;
    if (s) {
        control_bind(s, 1, id);
        control_bind_u64(s, 2, (uint64_t)from);
        control_bind_u64(s, 3, (uint64_t)input_now());
        control_bind_text(s, 4, c->who->id);
        code = control_step(s);
    }
    control_unlock(control);
    return code;
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

enum { MEMBER_NAME, MEMBER_QUERY, MEMBER_ACTION, MEMBER_TAGS, MEMBER_ENABLED, MEMBER_NOTIFIER };
static const struct kept_member cron_members[KEPT_MEMBERS_MAX] = {
    [MEMBER_NAME] = {"name", "Name", KEPT_TEXT, KEPT_NAME, SAVED_NAME_MAX, "Missing query name", NULL},
    [MEMBER_QUERY] = {"query", "Query", KEPT_TEXT, KEPT_BODY, SAVED_EXPRESSION_MAX, "Missing query expression", NULL},
    [MEMBER_ACTION] = {"action", "Action", KEPT_TEXT, KEPT_BODY, 256, "Missing query action", NULL},
    [MEMBER_TAGS] = {"tags", "Tags", KEPT_TEXT, KEPT_BODY, TAGS_MAX, "Missing query tag(s)", NULL},
    [MEMBER_ENABLED] = {"enabled", "enabled", KEPT_FLAG, KEPT_BODY, 5, NULL, "true"},
    [MEMBER_NOTIFIER] = {"notifier", "Notifier", KEPT_ARRAY, KEPT_BODY, NOTIFIERS_TEXT_MAX, NULL, NULL},
    {"description", "Description", KEPT_TEXT, KEPT_DESCRIPTION, SAVED_DESCRIPTION_MAX, NULL, NULL},
};

static bool member_changed(const struct kept_form *f, size_t member) {
    _cleanup_(buf_done) struct buf scratch;
    buf_init(&scratch, SAVED_EXPRESSION_MAX + TAGS_MAX);
    return !span_equal(body_member(f->before->body, cron_members[member].name, &scratch), f->values[member]);
}

/* Ids of notifiers the caller may use. */
static bool notifiers_good(struct call *c, struct span list) {
    struct json_index x;
    struct json_error error;
    struct span key;
    struct json_ref item;
    if (list.len == 0) {
        return true;
    }
    json_index_init(&x, NOTIFIERS_TEXT_MAX * 2);
    bool good = json_index_build(&x, list, &error) == 0;
    struct json_walk walk = json_walk_over(json_root(&x));
    while (good && json_walk_next(&walk, &key, &item)) {
        _cleanup_(saved_rows_done) struct saved_rows rows;
        saved_rows_init(&rows);
        struct span id = json_raw_of(item);
        good = json_kind_of(item) == JSON_STRING &&
               saved_by_id(c->api->control, SAVED_NOTIFIER, span_sub(id, 1, id.len - 2), &rows) == 0 &&
               saved_may_use(&rows.rows[0], c->who);
    }
    json_index_done(&x);
    if (!good) {
        call_fail(c, 403, "notifier must be an array of ids of notifiers you may use");
    }
    return good;
}

static bool cron_check(struct call *c, struct kept_form *f) {
    int64_t from;
    if (!span_is(f->values[MEMBER_ACTION], "tag")) {
        call_fail(c, 403, "The action must be tag: there are no clusters to forward to");
        return false;
    }
    if (!since_read(c, &from) || !tags_good(c, f->values[MEMBER_TAGS]) || !query_good(c, f->values[MEMBER_QUERY]) ||
        !notifiers_good(c, f->values[MEMBER_NOTIFIER])) {
        return false;
    }
    /* nobody has sessions tagged, or messages sent, with another's rights */
    if (f->before && (member_changed(f, MEMBER_QUERY) || member_changed(f, MEMBER_ACTION) ||
                      member_changed(f, MEMBER_TAGS) || member_changed(f, MEMBER_NOTIFIER))) {
        f->row.owner = span_text(c->who->id);
    }
    return true;
}

static int cron_stored(struct call *c, const struct kept_form *f) {
    int code = 0;
    int64_t from;
    if (!f->before) {
        code = since_read(c, &from) ? state_make(c, f->row.id, from) : -EINVAL;
    } else if (member_changed(f, MEMBER_ENABLED)) {
        toggle_note(c, f->row.id);
    }
    crons_wake(c->api->crons);
    return code;
}

static const struct kept_kind cron_kind = {
    .kind = SAVED_CRON,
    .word = "query",
    .write = cron_write,
    .members = cron_members,
    .share = &share_names,
    .check = cron_check,
    .stored = cron_stored,
};

static void cron_list(struct call *c) {
    kept_array_answer(c, &cron_kind, input_flag(c, "all") && (c->who->rights & RIGHT_ADMIN));
}

static void cron_create(struct call *c) {
    kept_create(c, &cron_kind);
}

static void cron_change(struct call *c) {
    kept_change(c, &cron_kind);
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
    {"notifier", PARAM_JSON, NULL,
     "array of ids of notifiers that are told of new sessions, every ten minutes at most"},
    {"description", PARAM_TEXT, NULL, "for people"},
    {"users", PARAM_TEXT, NULL, "who may see it: user ids joined by commas"},
    {"roles", PARAM_JSON, NULL, "who may see it: array of roles"},
    {"editRoles", PARAM_JSON, NULL, "who may change it: array of roles"},
    {0},
};

static const struct endpoint crons[] = {
    {"/api/crons", NULL, API_GET, RIGHT_ANY, cron_list, list_parameters, "Periodic queries the caller may see",
     "An array of "
     "`{key,name,query,action,tags,enabled,notifier?,description,creator,created,lpValue,lastRun,count,lastCount,"
     "lastNotified,lastNotifiedCount,lastToggled,lastToggledBy,error,canEdit,users,roles,editRoles}`: times in s; "
     "sessions stored up to `lpValue` "
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
