/* notifiers.c: where messages go when something was found. Kinds and sending: notify.h.
 *
 * Their fields hold secrets: only arkimeAdmin sees them; others get name, type and id of those shared with them.
 */
#include <errno.h>
#include <stdio.h>

#include "api/kept.h"
#include "api/notify.h"
#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"

static const char *const field_kind_names[] = {
    [FIELD_TEXT] = "text", [FIELD_SECRET] = "secret", [FIELD_URL] = "secret", [FIELD_FLAG] = "checkbox"};

static void type_list(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    for (size_t i = 0; i < notifier_type_count; i++) {
        json_key(&j, notifier_types[i].name);
        json_open(&j, '{');
        json_key(&j, "type");
        json_cstr(&j, notifier_types[i].name);
        json_key(&j, "fields");
        json_open(&j, '[');
        for (const struct notifier_field *f = notifier_types[i].fields; f->name; f++) {
            json_open(&j, '{');
            json_key(&j, "name");
            json_cstr(&j, f->name);
            json_key(&j, "type");
            json_cstr(&j, field_kind_names[f->kind]);
            json_key(&j, "required");
            json_bool(&j, f->required);
            json_key(&j, "description");
            json_cstr(&j, f->help);
            json_close(&j, '}');
        }
        json_close(&j, ']');
        json_close(&j, '}');
    }
    json_close(&j, '}');
}

static const struct kept_share_names share_names = {"users", "roles", NULL, NULL, false};

/* What became of its last message, and of those there was no place for. */
static void state_write(struct json *j, const struct saved *s, const struct call *c) {
    struct notice_state state;
    if (notices_state(c->api->notices, s->id, &state)) {
        json_key(j, "lastSent");
        json_i64(j, state.sent_ms);
        if (state.error[0]) {
            json_key(j, "lastError");
            json_cstr(j, state.error);
        }
    }
}

static void notifier_write(struct json *j, const struct saved *s, const struct call *c) {
    json_key(j, "id");
    json_text(j, s->id);
    json_key(j, "name");
    json_text(j, s->name);
    json_key(j, "type");
    json_text(j, s->type);
    if (c->who->rights & RIGHT_ADMIN) {
        kept_splice(j, s->body);
        json_key(j, "user");
        json_text(j, s->owner);
        kept_share_write(j, &share_names, s);
        json_key(j, "created");
        json_i64(j, s->created);
        json_key(j, "updated");
        json_i64(j, s->updated);
        state_write(j, s, c);
    }
}

/* --- fields: an array of {name, value} --- */

static bool field_write(struct call *c, const struct notifier_field *f, struct json_ref value, struct json *j) {
    enum json_kind kind = json_kind_of(value);
    struct span raw = json_raw_of(value);
    bool empty = kind == JSON_NONE || kind == JSON_NULL || span_is(raw, "\"\"");
    if (empty) {
        if (f->required) {
            call_fail(c, 403, "Missing a value for %s", f->name);
        }
        return !f->required;
    }
    bool right = f->kind == FIELD_FLAG ? kind == JSON_BOOL : kind == JSON_STRING || kind == JSON_NUMBER;
    if (!right || raw.len > NOTIFIER_FIELD_MAX) {
        call_fail(c, 400, "%s must be %s, at most %d bytes", f->name,
                  f->kind == FIELD_FLAG ? "true or false" : "a text", NOTIFIER_FIELD_MAX);
        return false;
    }
    if (f->kind == FIELD_URL && !span_starts(raw, SPAN_LITERAL("\"https://")) &&
        !span_starts(raw, SPAN_LITERAL("\"http://"))) {
        call_fail(c, 403, "%s must begin with https:// or http://", f->name);
        return false;
    }
    json_open(j, '{');
    json_key(j, "name");
    json_cstr(j, f->name);
    json_key(j, "value");
    json_raw(j, raw);
    json_close(j, '}');
    return true;
}

static bool fields_take(struct call *c, const struct notifier_type *type, struct span text, struct buf *ret_fields) {
    struct json_index x;
    struct json_error error;
    json_index_init(&x, 1 << 16);
    bool good = json_index_build(&x, text, &error) == 0;
    struct json j = json_over(ret_fields);
    json_open(&j, '[');
    for (const struct notifier_field *f = type->fields; good && f->name; f++) {
        good = field_write(c, f, notifier_field_value(&x, f->name), &j);
    }
    json_close(&j, ']');
    json_index_done(&x);
    return good;
}

enum { MEMBER_NAME, MEMBER_TYPE, MEMBER_FIELDS };
static const struct kept_member notifier_members[KEPT_MEMBERS_MAX] = {
    [MEMBER_NAME] = {"name", "Name", KEPT_TEXT, KEPT_NAME, SAVED_NAME_MAX, "Missing a unique notifier name", NULL},
    [MEMBER_TYPE] = {"type", "Type", KEPT_TEXT, KEPT_ROW_TYPE, 32, "Missing notifier type", NULL},
    [MEMBER_FIELDS] = {"fields", "Notifier fields", KEPT_ARRAY, KEPT_BODY, SAVED_DATA_MAX, "Missing notifier fields",
                       NULL},
};

static bool notifier_check(struct call *c, struct kept_form *f) {
    struct span name = f->values[MEMBER_TYPE];
    const struct notifier_type *type = notifier_type_find(name);
    if (!type) {
        call_fail(c, 403, "Unknown notifier type %.*s%s", (int)name.len, (const char *)name.at,
                  span_is(name, "snmp") ? ": this program sends no SNMP traps" : "");
        return false;
    }
    bool good = fields_take(c, type, f->values[MEMBER_FIELDS], &f->scratch);
    f->values[MEMBER_FIELDS] = buf_span(&f->scratch);
    return good;
}

static const struct kept_kind notifier_kind = {
    .kind = SAVED_NOTIFIER,
    .word = "notifier",
    .write = notifier_write,
    .members = notifier_members,
    .share = &share_names,
    .sent_whole = true,
    .check = notifier_check,
};

/* Admins see all. */
static void notifier_list(struct call *c) {
    kept_array_answer(c, &notifier_kind, c->who->rights & RIGHT_ADMIN);
}

static void notifier_create(struct call *c) {
    kept_create(c, &notifier_kind);
}

static void notifier_change(struct call *c) {
    kept_change(c, &notifier_kind);
}

static void notifier_delete(struct call *c) {
    kept_delete(c, &notifier_kind);
}

/* On the connection's thread: who asks waits, nobody else does. */
static void notifier_test(struct call *c) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    if (!kept_find(c, &notifier_kind, true, &rows)) {
        return;
    }
    char text[256], done[SAVED_NAME_MAX + 64];
    struct err e = {0};
    const struct saved *row = &rows.rows[0];
    (void)snprintf(text, sizeof(text), "Test alert from %s", c->who->id);
    const struct notice notice = {row->type, row->body, text, "Test alert"};
    int code = notify_send(c->api, &notice, NULL, &e);
    notices_note(c->api->notices, row->id, code < 0 ? e.text : "");
    if (code < 0) {
        call_fail(c, code == -EOPNOTSUPP ? 501 : 502, "%s", e.text);
        return;
    }
    (void)snprintf(done, sizeof(done), "Successfully issued alert using the %.*s notifier.", (int)row->name.len,
                   (const char *)row->name.at);
    call_done(c, done);
}

static const struct parameter notifier_parameters[] = {
    {"name", PARAM_TEXT, NULL, "name, at most 256 bytes"},
    {"type", PARAM_TEXT, NULL, "one of /api/notifiertypes"},
    {"fields", PARAM_JSON, NULL, "array of `{name,value}`: what the type needs"},
    {"users", PARAM_TEXT, NULL, "who may use it: user ids joined by commas"},
    {"roles", PARAM_JSON, NULL, "who may use it: array of roles"},
    {0},
};

static const struct endpoint notifiers[] = {
    {"/api/notifiertypes", NULL, API_GET | API_TOKEN_GET, RIGHT_ADMIN, type_list, NULL, "Kinds of notifiers",
     "An object by type: `{type,fields:[{name,type,required,description}]}`, the field's type one of `text`, `secret` "
     "and `checkbox`."},
    {"/api/notifiers", NULL, API_GET | API_TOKEN_GET, RIGHT_ANY, notifier_list, NULL, "Notifiers the caller may use",
     "An array of `{id,name,type}`; for arkimeAdmin also `fields`, `user`, `users`, `roles`, `created`, `updated`, and "
     "`lastSent` and `lastError` of the last message since the server started."},
    {"/api/notifier", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ADMIN, notifier_create, notifier_parameters,
     "Make a notifier", "`{success,text,notifier,invalidUsers}`"},
    {"/api/notifier/:id", NULL, API_PUT | API_TOKEN | API_HISTORY, RIGHT_ADMIN, notifier_change, notifier_parameters,
     "Change a notifier", "As making one."},
    {"/api/notifier/:id", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_ADMIN, notifier_delete, NULL,
     "Delete a notifier", "`{success,text}`"},
    {"/api/notifier/:id/test", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ADMIN, notifier_test, NULL,
     "Send a message for a test",
     "`{success,text}` when the other side took it; 502 with a sentence when not, after 20 s at most."},
};

const struct endpoint_family notifier_family = {"Notifiers", notifiers, ARRAY_LEN(notifiers)};
