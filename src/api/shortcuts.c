/* shortcuts.c: named lists of addresses, numbers or texts that expressions use as `$name`.
 *
 * Names are everybody's: no two shortcuts have the same, so that an expression means the same thing to all who may use
 * its shortcuts. Values are kept one a line.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "api/kept.h"
#include "api/shared.h"
#include "base/util.h"

#define TYPES 3
const char *const shortcut_type_names[TYPES] = {
    [SHORTCUT_IP] = "ip", [SHORTCUT_NUMBER] = "number", [SHORTCUT_STRING] = "string"};

static bool type_of(struct span name, enum shortcut_type *ret) {
    for (int i = 0; i < TYPES; i++) {
        if (span_is(name, shortcut_type_names[i])) {
            *ret = (enum shortcut_type)i;
            return true;
        }
    }
    return false;
}

static const struct kept_share_names share_names = {"users", "roles", NULL, "editRoles", false};

static void shortcut_write(struct json *j, const struct saved *s, const struct call *c) {
    json_key(j, "id");
    json_text(j, s->id);
    json_key(j, "name");
    json_text(j, s->name);
    json_key(j, "type");
    json_text(j, s->type);
    kept_splice(j, s->body);
    json_key(j, "description");
    json_text(j, s->description);
    json_key(j, "userId");
    json_text(j, s->owner);
    json_key(j, "created");
    json_i64(j, s->created);
    json_key(j, "updated");
    json_i64(j, s->updated);
    json_key(j, "locked");
    json_bool(j, false);
    if (saved_may_edit(s, c->who)) {
        kept_share_write(j, &share_names, s);
    }
    if (input_flag(c, "fieldFormat")) { /* as the search box completes names */
        _cleanup_(buf_done) struct buf text;
        buf_init(&text, SAVED_NAME_MAX + SAVED_DESCRIPTION_MAX + 64);
        buf_add_byte(&text, '$');
        buf_add_span(&text, s->name);
        json_key(j, "exp");
        json_text(j, buf_span(&text));
        json_key(j, "dbField");
        json_text(j, buf_span(&text));
        json_key(j, "help");
        buf_clear(&text);
        buf_add_span(&text, s->description.len ? s->description : s->type);
        json_text(j, buf_span(&text));
    }
}

/* --- values --- */

static bool is_address(struct span value) {
    char text[INET6_ADDRSTRLEN];
    uint64_t prefix;
    uint8_t bytes[16];
    size_t slash = span_find_byte(value, 0, '/');
    struct span address = span_sub(value, 0, slash);
    if (address.len >= sizeof(text) || memchr(address.at, 0, address.len)) {
        return false;
    }
    memcpy(text, address.at, address.len);
    text[address.len] = 0;
    bool four = inet_pton(AF_INET, text, bytes) == 1;
    return (four || inet_pton(AF_INET6, text, bytes) == 1) &&
           (slash == SPAN_NONE || span_decimal(span_from(value, slash + 1), four ? 32 : 128, &prefix));
}

static bool is_number(struct span value) {
    uint64_t ignored;
    size_t from = span_byte(value, 0) == '-';
    size_t dash = span_find_byte(value, from ? 1 : 0, '-');
    if (dash == SPAN_NONE || dash == 0) {
        return span_decimal(span_from(value, from), INT64_MAX, &ignored);
    }
    return span_decimal(span_sub(value, from, dash - from), INT64_MAX, &ignored) &&
           span_decimal(span_from(value, dash + 1), INT64_MAX, &ignored);
}

static bool value_good(struct call *c, enum shortcut_type type, struct span value) {
    if (type == SHORTCUT_STRING || (type == SHORTCUT_IP ? is_address(value) : is_number(value))) {
        return true;
    }
    call_fail(c, 400, "Value %.*s is no %s", (int)MIN(value.len, 60), (const char *)value.at,
              type == SHORTCUT_IP ? "address or network" : "whole number or range of them");
    return false;
}

/* One a line, blanks and empty ones gone. Texts may hold commas only when they are sent one a line. */
static bool values_take(struct call *c, enum shortcut_type type, struct span text, struct buf *ret_lines) {
    bool lines = type == SHORTCUT_STRING && span_find_byte(text, 0, '\n') != SPAN_NONE;
    size_t from = 0;
    for (size_t i = 0; i <= text.len; i++) {
        int byte = span_byte(text, i);
        if (byte >= 0 && byte != '\n' && (lines || byte != ',')) {
            continue;
        }
        struct span value = span_trim(span_sub(text, from, i - from));
        from = i + 1;
        if (value.len == 0) {
            continue;
        }
        if (!value_good(c, type, value)) {
            return false;
        }
        if (ret_lines->len) {
            buf_add_byte(ret_lines, '\n');
        }
        buf_add_span(ret_lines, value);
    }
    if (ret_lines->len == 0) {
        call_fail(c, 403, "Missing shortcut value");
        return false;
    }
    return true;
}

static bool name_good(struct call *c, struct span name) {
    for (size_t i = 0; i < name.len; i++) {
        uint8_t b = name.at[i];
        if (!((b | 32) >= 'a' && (b | 32) <= 'z') && !(b >= '0' && b <= '9') && b != '_' && b != '-') {
            call_fail(c, 403, "Shortcut name may hold letters, digits, _ and - only");
            return false;
        }
    }
    return true;
}

enum { MEMBER_NAME, MEMBER_TYPE, MEMBER_VALUE };
static const struct kept_member shortcut_members[KEPT_MEMBERS_MAX] = {
    [MEMBER_NAME] = {"name", "Name", KEPT_TEXT, KEPT_NAME, SAVED_NAME_MAX, "Missing shortcut name", NULL},
    [MEMBER_TYPE] = {"type", "Type", KEPT_TEXT, KEPT_ROW_TYPE, 16, "Missing shortcut type", NULL},
    [MEMBER_VALUE] = {"value", "Value", KEPT_TEXT, KEPT_BODY, SAVED_VALUES_MAX, "Missing shortcut value", NULL},
    {"description", "Description", KEPT_TEXT, KEPT_DESCRIPTION, SAVED_DESCRIPTION_MAX, NULL, NULL},
};

static bool shortcut_check(struct call *c, struct kept_form *f) {
    enum shortcut_type type;
    if (!name_good(c, f->values[MEMBER_NAME])) {
        return false;
    }
    if (!type_of(f->values[MEMBER_TYPE], &type)) {
        call_fail(c, 403, "Shortcut type must be ip, string or number");
        return false;
    }
    if (!values_take(c, type, f->values[MEMBER_VALUE], &f->scratch)) {
        return false;
    }
    f->values[MEMBER_VALUE] = buf_span(&f->scratch);
    return true;
}

static const struct kept_kind shortcut_kind = {
    .kind = SAVED_SHORTCUT,
    .word = "shortcut",
    .write = shortcut_write,
    .members = shortcut_members,
    .share = &share_names,
    .sent_whole = true,
    .check = shortcut_check,
};

static bool type_fits(const struct saved *s, const struct call *c) {
    struct span type = request_param(c->request, "fieldType");
    return type.len == 0 || span_equal(type, s->type);
}

static void map_answer(struct call *c, const struct saved_rows *rows) {
    struct json j = call_json(c);
    json_open(&j, '{');
    for (size_t i = 0; i < rows->count; i++) {
        const struct saved *s = &rows->rows[i];
        if (saved_may_use(s, c->who) && type_fits(s, c)) {
            char id[SAVED_ID_SIZE] = "";
            (void)snprintf(id, sizeof(id), "%.*s", (int)s->id.len, (const char *)s->id.at);
            json_key(&j, id);
            json_open(&j, '{');
            shortcut_write(&j, s, c);
            json_close(&j, '}');
        }
    }
    json_close(&j, '}');
}

static void shortcut_list(struct call *c) {
    if (!input_flag(c, "map")) {
        kept_list(c, &shortcut_kind, type_fits, 50);
        return;
    }
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    int code = saved_all(c->api->control, SAVED_SHORTCUT, &rows);
    if (code) {
        kept_fail(c, &shortcut_kind, (struct span){NULL, 0}, code);
        return;
    }
    map_answer(c, &rows);
}

static void shortcut_create(struct call *c) {
    kept_create(c, &shortcut_kind);
}

static void shortcut_change(struct call *c) {
    kept_change(c, &shortcut_kind);
}

static void shortcut_delete(struct call *c) {
    kept_delete(c, &shortcut_kind);
}

/* Nothing is kept elsewhere: what the list shows is what there is. */
static void shortcut_sync(struct call *c) {
    call_done(c, "Shortcuts are kept in one place only: nothing to synchronise");
}

/* --- lookup --- */

int saved_shortcuts(struct control *c, const struct principal *who, struct span pattern, query_shortcut_fn each,
                    void *ctx) {
    bool wild = span_find_byte(pattern, 0, '*') != SPAN_NONE || span_find_byte(pattern, 0, '?') != SPAN_NONE;
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    int code = wild ? saved_all(c, SAVED_SHORTCUT, &rows) : saved_by_name(c, SAVED_SHORTCUT, pattern, &rows);
    if (code) {
        return code == -ENOENT ? 0 : code;
    }
    _cleanup_(buf_done) struct buf scratch;
    buf_init(&scratch, SAVED_VALUES_MAX + 16);
    for (size_t i = 0; code >= 0 && i < rows.count; i++) {
        const struct saved *s = &rows.rows[i];
        struct query_shortcut found = {.id = s->id, .name = s->name};
        if (!type_of(s->type, &found.type) || (wild && !search_fits(pattern, s->name)) ||
            !(saved_may_use(s, who) || (who->rights & RIGHT_ADMIN))) {
            continue;
        }
        buf_clear(&scratch);
        found.values = body_member(s->body, "value", &scratch);
        code = each(ctx, &found);
    }
    return code < 0 ? code : 0;
}

/* --- the table --- */

static const struct parameter list_parameters[] = {
    {"searchTerm", PARAM_TEXT, NULL, "only those whose name, description or owner has this; `*` and `?` as wildcards"},
    {"fieldType", PARAM_TEXT, NULL, "only of this type: `ip`, `string` or `number`"},
    {"fieldFormat", PARAM_BOOL, "false", "with `exp`, `dbField` and `help`, as fields have"},
    {"map", PARAM_BOOL, "false", "an object by id instead of a list; no paging"},
    {"sort", PARAM_TEXT, "name", "`name`, `description`, `type`, `user`, `created` or `updated`"},
    {"desc", PARAM_BOOL, "false", "order turned round"},
    {"start", PARAM_NUMBER, "0", "first one of the page"},
    {"length", PARAM_NUMBER, "50", "how many"},
    {"all", PARAM_BOOL, "false", "everybody's, for arkimeAdmin"},
    {0},
};
static const struct parameter shortcut_parameters[] = {
    {"name", PARAM_TEXT, NULL, "letters, digits, `_` and `-`; nobody else has the same"},
    {"type", PARAM_TEXT, NULL, "`ip`, `string` or `number`"},
    {"value", PARAM_TEXT, NULL, "values, joined by commas or one a line; at most 1 MiB"},
    {"description", PARAM_TEXT, NULL, "for people"},
    {"users", PARAM_TEXT, NULL, "who may use it: user ids joined by commas"},
    {"roles", PARAM_JSON, NULL, "who may use it: array of roles"},
    {"editRoles", PARAM_JSON, NULL, "who may change it: array of roles"},
    {0},
};

static const struct endpoint shortcuts[] = {
    {"/api/shortcuts", NULL, API_GET, RIGHT_ANY, shortcut_list, list_parameters, "Shortcuts the caller may use",
     "`{data:[{id,name,type,value,description,userId,users,roles,editRoles,locked,created,updated}],recordsTotal,"
     "recordsFiltered}`; `value` has one value a line."},
    {"/api/shortcut", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ANY, shortcut_create, shortcut_parameters,
     "Make a shortcut", "`{success,text,shortcut,invalidUsers}`"},
    {"/api/shortcut/:id", NULL, API_PUT | API_TOKEN | API_HISTORY, RIGHT_ANY, shortcut_change, shortcut_parameters,
     "Change a shortcut", "As making one. By the owner, `editRoles` and arkimeAdmin."},
    {"/api/shortcut/:id", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_ANY, shortcut_delete, NULL,
     "Delete a shortcut", "`{success,text}`"},
    {"/api/syncshortcuts", NULL, API_GET, RIGHT_ANY, shortcut_sync, NULL, "Synchronise shortcuts",
     "For clients that ask: there is one place only, so nothing is done."},
};

const struct endpoint_family shortcut_family = {"Shortcuts", shortcuts, ARRAY_LEN(shortcuts)};
