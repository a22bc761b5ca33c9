/* notifiers.c: where messages go when something was found: providers and what each needs, as a table.
 *
 * Their fields hold secrets: only arkimeAdmin sees them; others get name, type and id of those shared with them.
 * Messages are not sent by this program: a test says so.
 */
#include <stdio.h>

#include "api/kept.h"
#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"

#define FIELD_TEXT_MAX 4096

enum notifier_field_kind { FIELD_TEXT, FIELD_SECRET, FIELD_FLAG };

struct notifier_field {
    const char *name;
    enum notifier_field_kind kind;
    bool required;
    const char *help;
};

struct notifier_type {
    const char *name;
    struct notifier_field fields[10]; /* name NULL ends */
};

static const struct notifier_type types[] = {
    {"slack", {{"slackWebhookUrl", FIELD_SECRET, true, "Incoming webhook URL of the workspace"}, {0}}},
    {"twilio",
     {{"accountSid", FIELD_SECRET, true, "Account SID"},
      {"authToken", FIELD_SECRET, true, "Authentication token of the account"},
      {"toNumber", FIELD_TEXT, true, "Telephone number that gets the message"},
      {"fromNumber", FIELD_TEXT, true, "Telephone number of the account it comes from"},
      {0}}},
    {"email",
     {{"secure", FIELD_FLAG, false, "TLS from the start of the connection"},
      {"host", FIELD_TEXT, true, "Mail server"},
      {"port", FIELD_TEXT, true, "Its port"},
      {"user", FIELD_TEXT, false, "User name at the mail server"},
      {"password", FIELD_SECRET, false, "Password at the mail server"},
      {"from", FIELD_TEXT, true, "Address the message comes from"},
      {"to", FIELD_TEXT, true, "Address that gets the message"},
      {"subject", FIELD_TEXT, false, "Subject of the message"},
      {0}}},
    {"syslog",
     {{"host", FIELD_TEXT, true, "Syslog server"},
      {"port", FIELD_TEXT, false, "Its port, 514"},
      {"protocol", FIELD_TEXT, false, "udp or tcp"},
      {0}}},
    {"snmp",
     {{"host", FIELD_TEXT, true, "Receiver of traps"},
      {"port", FIELD_TEXT, false, "Its port, 162"},
      {"version", FIELD_TEXT, false, "2c or 3"},
      {"community", FIELD_SECRET, false, "Community of version 2c"},
      {"user", FIELD_TEXT, false, "User name of version 3"},
      {"authKey", FIELD_SECRET, false, "Authentication key of version 3"},
      {"privKey", FIELD_SECRET, false, "Privacy key of version 3"},
      {0}}},
    {"teams", {{"teamsWebhookUrl", FIELD_SECRET, true, "Incoming webhook URL of the channel"}, {0}}},
};

static const char *const field_kind_names[] = {
    [FIELD_TEXT] = "text", [FIELD_SECRET] = "secret", [FIELD_FLAG] = "checkbox"};

static const struct notifier_type *type_find(struct span name) {
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (span_is(name, types[i].name)) {
            return &types[i];
        }
    }
    return NULL;
}

static void type_list(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        json_key(&j, types[i].name);
        json_open(&j, '{');
        json_key(&j, "type");
        json_cstr(&j, types[i].name);
        json_key(&j, "fields");
        json_open(&j, '[');
        for (const struct notifier_field *f = types[i].fields; f->name; f++) {
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
    }
}

/* --- fields: an array of {name, value} --- */

static struct json_ref field_value(const struct json_index *x, const char *wanted) {
    struct json_walk walk = json_walk_over(json_root(x));
    struct span key;
    struct json_ref item;
    while (json_walk_next(&walk, &key, &item)) {
        char name[64];
        struct span raw = json_raw_of(json_find(item, SPAN_LITERAL("name")));
        (void)snprintf(name, sizeof(name), "\"%s\"", wanted);
        if (span_is(raw, name)) {
            return json_find(item, SPAN_LITERAL("value"));
        }
    }
    return (struct json_ref){x, x->count};
}

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
    if (!right || raw.len > FIELD_TEXT_MAX) {
        call_fail(c, 400, "%s must be %s, at most %d bytes", f->name,
                  f->kind == FIELD_FLAG ? "true or false" : "a text", FIELD_TEXT_MAX);
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
        good = field_write(c, f, field_value(&x, f->name), &j);
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
    const struct notifier_type *type = type_find(name);
    if (!type) {
        call_fail(c, 403, "Unknown notifier type %.*s", (int)name.len, (const char *)name.at);
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

static void notifier_test(struct call *c) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    if (kept_find(c, &notifier_kind, true, &rows)) {
        call_fail(c, 501, "This program keeps notifiers but does not send messages");
    }
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
     "An array of `{id,name,type}`; for arkimeAdmin also `fields`, `user`, `users`, `roles`, `created`, `updated`."},
    {"/api/notifier", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ADMIN, notifier_create, notifier_parameters,
     "Make a notifier", "`{success,text,notifier,invalidUsers}`"},
    {"/api/notifier/:id", NULL, API_PUT | API_TOKEN | API_HISTORY, RIGHT_ADMIN, notifier_change, notifier_parameters,
     "Change a notifier", "As making one."},
    {"/api/notifier/:id", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_ADMIN, notifier_delete, NULL,
     "Delete a notifier", "`{success,text}`"},
    {"/api/notifier/:id/test", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ADMIN, notifier_test, NULL,
     "Send a message for a test", "501: messages are not sent by this program."},
};

const struct endpoint_family notifier_family = {"Notifiers", notifiers, ARRAY_LEN(notifiers)};
