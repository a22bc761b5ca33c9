/* self.c: what users see and keep of themselves: rights, settings, layouts, states of tables, password. */
#include "api/self.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/input.h"
#include "api/lists.h"
#include "api/shared.h"
#include "auth/roles.h"
#include "base/json_scan.h"
#include "base/util.h"

#define LAYOUTS_MAX 200

bool self_user(struct call *c, char ret_id[USER_ID_MAX + 1]) {
    const char *other = call_text(c, "userId", NULL);
    if (!other || strcmp(other, c->who->id) == 0) {
        memcpy(ret_id, c->who->id, sizeof(c->who->id));
        return true;
    }
    if (!(c->who->rights & RIGHT_USERS)) {
        call_fail(c, 403, "Need admin privileges");
        return false;
    }
    if (strlen(other) > USER_ID_MAX || !auth_user_exists(c->api->auth, other)) {
        call_fail(c, 403, "Unknown user");
        return false;
    }
    (void)snprintf(ret_id, USER_ID_MAX + 1, "%s", other);
    return true;
}

/* --- settings --- */

static const char defaults[] =
    "{\"timezone\":\"local\",\"detailFormat\":\"last\",\"showTimestamps\":\"last\",\"sortColumn\":\"firstPacket\","
    "\"sortDirection\":\"desc\",\"spiGraph\":\"node\",\"connSrcField\":\"source.ip\",\"connDstField\":\"ip.dst:port\","
    "\"numPackets\":\"last\",\"theme\":\"default-theme\",\"manualQuery\":false,\"timelineDataFilters\":"
    "[\"network.packets\",\"network.bytes\",\"totDataBytes\"],\"hideTags\":\"\"}";

void setting_defaults_write(struct json *j) {
    json_raw(j, span_text(defaults));
}

struct json_text {
    struct json_index index;
    struct span text;
};

static int object_read(struct json_text *o, struct span text) {
    struct json_error error;
    json_index_init(&o->index, 1u << 20);
    o->text = text;
    int code = json_index_build(&o->index, text, &error);
    code = code < 0 ? code : json_check(&o->index, &error);
    return code < 0 ? code : json_kind_of(json_root(&o->index)) == JSON_OBJECT ? 0 : -EINVAL;
}

static void member_write(struct json *j, struct span key, struct span value) {
    struct buf *out = j->out;
    if (j->comma) {
        buf_add_byte(out, ',');
    }
    buf_add_byte(out, '"');
    buf_add_span(out, key);
    buf_add_text(out, "\":");
    buf_add_span(out, value);
    j->comma = true;
}

/* The members of `over`, and those of `under` that it does not have. */
static int merge(struct json *j, struct span over, struct span under) {
    struct json_text top, bottom;
    struct span key;
    struct json_ref value;
    int code = object_read(&top, over);
    int other = object_read(&bottom, under);
    code = code < 0 ? code : other;
    json_open(j, '{');
    if (code == 0) {
        struct json_walk walk = json_walk_over(json_root(&bottom.index));
        while (json_walk_next(&walk, &key, &value)) {
            struct json_ref own = json_find(json_root(&top.index), key);
            member_write(j, key, json_raw_of(json_kind_of(own) == JSON_NONE ? value : own));
        }
        walk = json_walk_over(json_root(&top.index));
        while (json_walk_next(&walk, &key, &value)) {
            if (json_kind_of(json_find(json_root(&bottom.index), key)) == JSON_NONE) {
                member_write(j, key, json_raw_of(value));
            }
        }
    }
    json_close(j, '}');
    json_index_done(&top.index);
    json_index_done(&bottom.index);
    return code;
}

static int settings_write(struct call *c, struct json *j, const char *id) {
    struct buf saved;
    buf_init(&saved, USER_DOCUMENT_MAX);
    int code = user_document_get(c->api->control, id, "settings", "", &saved);
    if (code == -ENOENT) {
        setting_defaults_write(j);
        code = 0;
    } else if (code == 0) {
        code = merge(j, buf_span(&saved), span_text(defaults));
    }
    buf_done(&saved);
    return code;
}

static void not_readable(struct call *c, int code) {
    call_fail(c, 500, "Users cannot be read: %s", strerrordesc_np(-code));
}

static void settings_get(struct call *c) {
    char id[USER_ID_MAX + 1];
    if (!self_user(c, id)) {
        return;
    }
    struct json j = call_json(c);
    int code = settings_write(c, &j, id);
    if (code < 0) {
        not_readable(c, code);
    }
}

static bool param_write(void *ctx, const char *name, struct span value) {
    struct json *j = ctx;
    json_key(j, name);
    json_text(j, value);
    return true;
}

/* The body as a JSON object: as it came, or made of a form. False: answered. */
static bool body_object(struct call *c, struct buf *ret) {
    struct span body = request_body(c->request);
    struct json_text o;
    if (span_byte(span_trim(body), 0) == '{' && object_read(&o, body) == 0) {
        json_index_done(&o.index);
        buf_add_span(ret, body);
    } else if (span_byte(span_trim(body), 0) == '{' || span_byte(span_trim(body), 0) == '[') {
        json_index_done(&o.index);
        call_fail(c, 403, "The body must be a JSON object");
        return false;
    } else {
        struct json j = json_over(ret);
        json_open(&j, '{');
        request_each_param(c->request, param_write, &j);
        json_close(&j, '}');
    }
    if (ret->overflowed) {
        call_fail(c, 413, "That is too large: at most %zu bytes", USER_DOCUMENT_MAX);
        return false;
    }
    return true;
}

static void document_save(struct call *c, const char *kind, const char *name, const char *done) {
    char id[USER_ID_MAX + 1];
    struct buf text;
    buf_init(&text, USER_DOCUMENT_MAX);
    if (self_user(c, id) && body_object(c, &text)) {
        int code = user_document_set(c->api->control, id, kind, name, buf_span(&text));
        if (code == -E2BIG) {
            call_fail(c, 403, "Too many things are saved");
        } else if (code < 0) {
            call_fail(c, 500, "It could not be saved: %s", strerrordesc_np(-code));
        } else {
            call_done(c, done);
        }
    }
    buf_done(&text);
}

static void settings_set(struct call *c) {
    document_save(c, "settings", "", "Updated user settings successfully");
}

/* --- states of tables --- */

static bool name_is_good(struct call *c, const char *name) {
    if (strlen(name) <= 100) {
        return true;
    }
    call_fail(c, 403, "The name is too long");
    return false;
}

static int document_write(struct call *c, struct json *j, const char *id, const char *kind, const char *name) {
    struct buf text;
    buf_init(&text, USER_DOCUMENT_MAX);
    int code = user_document_get(c->api->control, id, kind, name, &text);
    if (code == 0) {
        json_raw(j, buf_span(&text));
    } else if (code == -ENOENT) {
        json_raw(j, SPAN_LITERAL("{}"));
        code = 0;
    }
    buf_done(&text);
    return code;
}

static void state_get(struct call *c) {
    char id[USER_ID_MAX + 1];
    if (!name_is_good(c, c->parts[0]) || !self_user(c, id)) {
        return;
    }
    struct json j = call_json(c);
    int code = document_write(c, &j, id, "state", c->parts[0]);
    if (code < 0) {
        not_readable(c, code);
    }
}

static void state_set(struct call *c) {
    if (name_is_good(c, c->parts[0])) {
        document_save(c, "state", c->parts[0], "updated state");
    }
}

/* --- layouts --- */

static const struct layout {
    const char *type;
    const char *needs[2], *missing[2]; /* members, and what is said without them */
} layouts[] = {{"sessionstable", {"columns", "order"}, {"Missing columns", "Missing sort order"}},
               {"sessionsinfofields", {"fields", NULL}, {"Missing fields", NULL}},
               {"spiview", {"fields", NULL}, {"Missing fields", NULL}}};

static const struct layout *layout_type(struct call *c) {
    for (size_t i = 0; i < ARRAY_LEN(layouts); i++) {
        if (strcmp(layouts[i].type, c->parts[0]) == 0) {
            return &layouts[i];
        }
    }
    call_fail(c, 403, "Invalid layout type");
    return NULL;
}

static bool layout_write(void *ctx, const char *name, struct span json) {
    (void)name;
    json_raw(ctx, json);
    return true;
}

static int layouts_write(struct call *c, struct json *j, const char *id, const char *type) {
    json_open(j, '[');
    int code = user_documents(c->api->control, id, type, layout_write, j);
    json_close(j, ']');
    return code;
}

static void layouts_get(struct call *c) {
    char id[USER_ID_MAX + 1];
    const struct layout *type = layout_type(c);
    if (!type || !self_user(c, id)) {
        return;
    }
    struct json j = call_json(c);
    int code = layouts_write(c, &j, id, type->type);
    if (code < 0) {
        not_readable(c, code);
    }
}

struct layout_count {
    const char *name;
    size_t count;
    bool found;
};

static bool layout_look(void *ctx, const char *name, struct span json) {
    struct layout_count *n = ctx;
    (void)json;
    n->count++;
    n->found = n->found || strcmp(name, n->name) == 0;
    return true;
}

/* The layout in the body, as it is stored. False: answered. */
static bool layout_read(struct call *c, const struct layout *type, struct span *ret_name, struct buf *out) {
    struct span value;
    if (!input_needed(c, "name", "Name", 100, "Missing name", ret_name)) {
        return false;
    }
    struct json j = json_over(out);
    json_open(&j, '{');
    json_key(&j, "name");
    json_text(&j, *ret_name);
    for (size_t i = 0; i < ARRAY_LEN(type->needs) && type->needs[i]; i++) {
        value = request_param(c->request, type->needs[i]);
        if (!value.len || span_is(value, "null")) {
            call_fail(c, 403, "%s", type->missing[i]);
            return false;
        }
        json_key(&j, type->needs[i]);
        if (request_param_is_json(c->request, type->needs[i])) {
            json_raw(&j, value);
        } else {
            json_text(&j, value);
        }
    }
    json_close(&j, '}');
    if (out->overflowed) {
        call_fail(c, 413, "That is too large: at most %zu bytes", USER_DOCUMENT_MAX);
    }
    return !out->overflowed;
}

static void layout_save(struct call *c, bool fresh) {
    char id[USER_ID_MAX + 1], name[101];
    struct buf text;
    struct span given;
    const struct layout *type = layout_type(c);
    buf_init(&text, USER_DOCUMENT_MAX);
    if (type && self_user(c, id) && layout_read(c, type, &given, &text)) {
        (void)snprintf(name, sizeof(name), "%.*s", (int)given.len, given.at);
        struct layout_count there = {.name = name};
        int code = user_documents(c->api->control, id, type->type, layout_look, &there);
        if (code == 0 && fresh && there.found) {
            call_fail(c, 403, "Duplicate name");
        } else if (code == 0 && !fresh && !there.found) {
            call_fail(c, 403, "Layout not found");
        } else if (code == 0 && fresh && there.count >= LAYOUTS_MAX) {
            call_fail(c, 403, "Too many layouts: at most %d", LAYOUTS_MAX);
        } else {
            code = code < 0 ? code : user_document_set(c->api->control, id, type->type, name, buf_span(&text));
            struct json j = call_json(c);
            json_open(&j, '{');
            json_key(&j, "success");
            json_bool(&j, true);
            json_key(&j, "text");
            json_cstr(&j, fresh ? "Created layout successfully" : "Updated layout successfully");
            json_key(&j, "layout");
            json_raw(&j, buf_span(&text));
            json_close(&j, '}');
            if (code < 0) {
                call_fail(c, 500, "The layout could not be saved: %s", strerrordesc_np(-code));
            }
        }
    }
    buf_done(&text);
}

static void layout_create(struct call *c) {
    layout_save(c, true);
}

static void layout_update(struct call *c) {
    layout_save(c, false);
}

static void layout_delete(struct call *c) {
    char id[USER_ID_MAX + 1];
    const struct layout *type = layout_type(c);
    if (!type || !self_user(c, id)) {
        return;
    }
    int code = user_document_remove(c->api->control, id, type->type, c->parts[1]);
    if (code < 0) {
        call_fail(c, code == -ENOENT ? 403 : 500,
                  code == -ENOENT ? "Layout not found" : "The layout could not be deleted");
    } else {
        call_done(c, "Deleted layout successfully");
    }
}

/* --- what a page needs --- */

static const struct page_config {
    const char *page;
    struct {
        const char *key, *kind, *name; /* name NULL: all of the kind, as an array */
    } members[4];
} pages[] = {
    {"sessions",
     {{"colConfigs", "sessionstable", NULL},
      {"infoFieldConfigs", "sessionsinfofields", NULL},
      {"tableState", "state", "sessionsNew"},
      {"colWidths", "state", "sessionsColWidths"}}},
    {"spiview", {{"fieldConfigs", "spiview", NULL}, {"spiviewFields", "state", "spiview"}}},
    {"connections", {{"fieldHistory", "state", "fieldHistoryConnections"}}},
    {"files", {{"tableState", "state", "files"}, {"columnWidths", "state", "filesColWidths"}}},
    {"captureStats", {{"tableState", "state", "captureStatsCols"}, {"columnWidths", "state", "captureStatsColWidths"}}},
    {"esIndices", {{"tableState", "state", "esIndicesCols"}, {"columnWidths", "state", "esIndicesColWidths"}}},
    {"esNodes", {{"tableState", "state", "esNodesCols"}, {"columnWidths", "state", "esNodesColWidths"}}},
    {"esRecovery", {{"tableState", "state", "esRecoveryCols"}, {"columnWidths", "state", "esRecoveryColWidths"}}},
    {"esTasks", {{"tableState", "state", "esTasksCols"}, {"columnWidths", "state", "esTasksColWidths"}}},
    {"summary", {{"tableState", "state", "summary"}}},
};

static void config_get(struct call *c) {
    char id[USER_ID_MAX + 1];
    const struct page_config *page = NULL;
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        page = strcmp(pages[i].page, c->parts[0]) == 0 ? &pages[i] : page;
    }
    if (!page) {
        call_fail(c, 501, "Invalid page");
        return;
    }
    if (!self_user(c, id)) {
        return;
    }
    struct json j = call_json(c);
    int code = 0;
    json_open(&j, '{');
    for (size_t i = 0; i < ARRAY_LEN(page->members) && page->members[i].key && code == 0; i++) {
        json_key(&j, page->members[i].key);
        code = page->members[i].name ? document_write(c, &j, id, page->members[i].kind, page->members[i].name)
                                     : layouts_write(c, &j, id, page->members[i].kind);
    }
    json_close(&j, '}');
    if (code < 0) {
        not_readable(c, code);
    }
}

/* --- oneself --- */

struct role_list {
    struct json *j;
    const struct call *c;
    bool any;
};

/* Roles that the user may hand out: those that name it as assigner, and for usersAdmin all that people made. */
static bool assignable_add(void *ctx, const struct user *u) {
    struct role_list *l = ctx;
    if (user_is_role(u->id) && ((l->c->who->rights & RIGHT_USERS) || texts_hold(&u->assigners, l->c->who->id))) {
        json_cstr(l->j, u->id);
        l->any = true;
    }
    return true;
}

static int assignable_write(struct call *c, struct json *j) {
    struct role_list l = {.j = j, .c = c};
    json_key(j, "assignableRoles");
    json_open(j, '[');
    for (const char *const *role = system_roles; *role && (c->who->rights & RIGHT_USERS); role++) {
        if (!role_is_admin(*role) || (c->who->rights & RIGHT_SUPER)) {
            json_cstr(j, *role);
            l.any = true;
        }
    }
    int code = users_list(c->api->control, assignable_add, &l);
    json_close(j, ']');
    json_key(j, "canAssignRoles");
    json_bool(j, l.any);
    return code;
}

static void flag_write(struct json *j, const char *key, bool value) {
    json_key(j, key);
    json_bool(j, value);
}

static void flags_write(const struct call *c, struct json *j) {
    uint32_t rights = c->who->rights;
    enum auth_mode mode = auth_mode(c->api->auth);
    flag_write(j, "headerAuthEnabled", mode >= AUTH_HEADER_ONLY && mode <= AUTH_HEADER_BASIC);
    flag_write(j, "webEnabled", rights & RIGHT_WEB);
    flag_write(j, "emailSearch", rights & RIGHT_EMAIL);
    flag_write(j, "removeEnabled", rights & RIGHT_REMOVE);
    flag_write(j, "packetSearch", rights & RIGHT_HUNT);
    flag_write(j, "hideStats", !(rights & RIGHT_STATS));
    flag_write(j, "hideFiles", !(rights & RIGHT_FILES));
    flag_write(j, "hidePcap", !(rights & RIGHT_PAYLOAD));
    flag_write(j, "disablePcapDownload", !(rights & RIGHT_PCAP));
    flag_write(j, "canUpload", upload_is_open(c));
    flag_write(j, "esAdminUser", principal_has_role(c->who, "dbAdmin"));
}

int self_write(struct call *c, struct json *j) {
    struct user u;
    int code = users_get(c->api->control, c->who->id, &u);
    if (code == -ENOENT) {
        user_init(&u);
        u.last_used_ms = input_now();
    } else if (code < 0) {
        return code;
    }
    json_open(j, '{');
    json_key(j, "userId");
    json_cstr(j, c->who->id);
    json_key(j, "userName");
    json_cstr(j, c->who->name);
    flag_write(j, "enabled", true);
    flags_write(c, j);
    json_key(j, "welcomeMsgNum");
    json_i64(j, u.welcome);
    json_key(j, "lastUsed");
    json_i64(j, u.last_used_ms);
    if (c->who->time_limit > 0) {
        json_key(j, "timeLimit");
        json_double(j, c->who->time_limit);
    }
    json_key(j, "roles");
    json_open(j, '[');
    for (const char *const *role = c->who->roles; *role; role++) {
        json_cstr(j, *role);
    }
    json_close(j, ']');
    code = assignable_write(c, j);
    json_key(j, "settings");
    code = code < 0 ? code : settings_write(c, j, c->who->id);
    json_close(j, '}');
    user_done(&u);
    return code;
}

static void self_get(struct call *c) {
    struct json j = call_json(c);
    int code = self_write(c, &j);
    if (code < 0) {
        not_readable(c, code);
    }
}

/* Administrators set others' passwords without knowing the old one. */
static void password_set(struct call *c) {
    char id[USER_ID_MAX + 1];
    struct err e = {0};
    const char *old = call_text(c, "currentPassword", ""), *fresh = call_text(c, "newPassword", "");
    if (!self_user(c, id)) {
        return;
    }
    if (strlen(fresh) < PASSWORD_MIN) {
        call_fail(c, 403, "New password needs to be at least %d characters", PASSWORD_MIN);
        return;
    }
    if (strcmp(id, c->who->id) == 0) {
        int right = c->who->by_token ? 0 : auth_password(c->api->auth, c->request, id, old);
        if (right != 1) {
            call_fail(c, right == -EAGAIN ? 429 : 403,
                      right == -EAGAIN ? "Too many failed logins: wait a minute" : "Current password mismatch");
            return;
        }
    } else if (!user_may_be_changed(c, id)) {
        return;
    }
    struct user_keys keys = auth_user_keys(c->api->auth);
    int code = users_set_password(c->api->control, &keys, id, fresh, &e);
    auth_forget(c->api->auth);
    if (code < 0) {
        call_fail(c, code == -ENOENT || code == -EINVAL ? 403 : 500, "%s", e.text);
    } else {
        call_done(c, "Changed password successfully");
    }
}

static void acknowledge(struct call *c) {
    uint64_t number;
    if (strcmp(c->parts[0], c->who->id) != 0) {
        call_fail(c, 403, "Can not change other users msg");
        return;
    }
    if (!call_text(c, "msgNum", NULL)) {
        call_fail(c, 403, "Missing message number");
        return;
    }
    if (!call_u64(c, "msgNum", 0, INT32_MAX, &number)) {
        return;
    }
    int code = users_set_welcome(c->api->control, c->who->id, (int64_t)number);
    if (code < 0) {
        call_fail(c, 500, "It could not be saved: %s", strerrordesc_np(-code));
    } else {
        call_done(c, "Successfully updated welcome message");
    }
}

/* Themes people made: "custom1:#f7f7f7,#222222,..." becomes variables. Anything but colours is left out. */
static void css_write(struct buf *out, struct span theme) {
    size_t colon = span_find_byte(theme, 0, ':');
    unsigned number = 0;
    if (!span_starts(theme, SPAN_LITERAL("custom")) || colon == SPAN_NONE) {
        return;
    }
    buf_add_text(out, ":root {\n");
    for (size_t at = colon + 1; at < theme.len && number < 64;) {
        size_t end = span_find_byte(theme, at, ',');
        end = end == SPAN_NONE ? theme.len : end;
        struct span colour = span_sub(theme, at, end - at);
        bool good = (colour.len == 4 || colour.len == 7) && colour.at[0] == '#';
        for (size_t i = 1; i < colour.len && good; i++) {
            good = strchr("0123456789abcdefABCDEF", colour.at[i]) != NULL;
        }
        if (good) {
            buf_printf(out, "  --color-%u: %.*s;\n", number, (int)colour.len, colour.at);
        }
        number++;
        at = end + 1;
    }
    buf_add_text(out, "}\n");
}

static void css_get(struct call *c) {
    struct buf saved, scratch;
    struct json_text o;
    struct span theme;
    buf_init(&saved, USER_DOCUMENT_MAX);
    buf_init(&scratch, USER_DOCUMENT_MAX);
    reply_type(c->reply, "text/css; charset=utf-8");
    if (user_document_get(c->api->control, c->who->id, "settings", "", &saved) == 0 &&
        object_read(&o, buf_span(&saved)) == 0) {
        if (json_string(json_find(json_root(&o.index), SPAN_LITERAL("theme")), &scratch, &theme)) {
            css_write(reply_body(c->reply), theme);
        }
        json_index_done(&o.index);
    }
    buf_done(&saved);
    buf_done(&scratch);
}

static void locales_get(struct call *c) {
    struct json j = call_json(c);
    json_raw(&j, SPAN_LITERAL("{\"locales\":[\"en\"]}"));
}

static const struct parameter password_parameters[] = {
    {"currentPassword", PARAM_TEXT, NULL, "The password as it is; not needed for others' (userId)"},
    {"newPassword", PARAM_TEXT, NULL, "At least 3 characters"},
    {NULL},
};
static const struct parameter acknowledge_parameters[] = {{"msgNum", PARAM_NUMBER, NULL, "Number of the message"},
                                                          {NULL}};
static const struct parameter user_parameter[] = {
    {"userId", PARAM_TEXT, NULL, "Another user's; needs usersAdmin"},
    {NULL},
};

static const struct endpoint list[] = {
    {"/api/user", "/user/current", API_GET, 0, self_get, NULL, "The user that asks",
     "`{userId, userName, enabled, headerAuthEnabled, webEnabled, emailSearch, removeEnabled, packetSearch, hideStats, "
     "hideFiles, hidePcap, disablePcapDownload, canUpload, esAdminUser, roles, assignableRoles, canAssignRoles, "
     "timeLimit?, welcomeMsgNum, lastUsed, settings}`; roles are all, nested ones included."},
    {"/api/user/settings", NULL, API_GET | API_SETS_COOKIE, RIGHT_ANY, settings_get, user_parameter, "Settings",
     "A JSON object: what was saved, over the defaults."},
    {"/api/user/settings", NULL, API_POST | API_TOKEN, RIGHT_ANY, settings_set, user_parameter, "Save settings",
     "The body is the whole of them, a JSON object of at most 1 MiB."},
    {"/api/user/layouts/:type", NULL, API_GET | API_TOKEN_GET, RIGHT_ANY, layouts_get, user_parameter, "Saved layouts",
     "An array. Types: sessionstable `{name, columns, order}`, sessionsinfofields and spiview `{name, fields}`."},
    {"/api/user/layouts/:type", NULL, API_POST | API_TOKEN, RIGHT_ANY, layout_create, user_parameter, "Save a layout",
     "`{success, text, layout}`; 403 `Missing name`, `Missing columns`, `Missing sort order`, `Missing fields`, "
     "`Duplicate name`, `Invalid layout type`."},
    {"/api/user/layouts/:type", NULL, API_PUT | API_TOKEN, RIGHT_ANY, layout_update, user_parameter,
     "Change the layout of this name", "`{success, text, layout}`; 403 `Layout not found`."},
    {"/api/user/layouts/:type/:name", NULL, API_DELETE | API_TOKEN, RIGHT_ANY, layout_delete, user_parameter,
     "Delete a layout", "403 `Layout not found`."},
    {"/api/user/state/:name", NULL, API_GET | API_TOKEN_GET, RIGHT_ANY, state_get, user_parameter, "State of a table",
     "The JSON object that was saved, or `{}`."},
    {"/api/user/state/:name", NULL, API_POST | API_TOKEN, RIGHT_ANY, state_set, user_parameter, "Save a state",
     "The body is a JSON object of at most 1 MiB."},
    {"/api/user/config/:page", NULL, API_GET | API_TOKEN_GET, RIGHT_ANY, config_get, user_parameter,
     "Layouts and states that a page needs", "A JSON object; 501 for a page that has none."},
    {"/api/user/password", NULL, API_POST | API_TOKEN | API_HISTORY, 0, password_set, password_parameters,
     "Change a password", "403 `New password needs to be at least 3 characters`, `Current password mismatch`."},
    {"/api/user/:id/acknowledge", NULL, API_PUT | API_TOKEN, 0, acknowledge, acknowledge_parameters,
     "A message was read", "403 `Can not change other users msg`."},
    {"/api/user.css", "/user.css", API_GET, RIGHT_ANY, css_get, NULL, "Colours of the user's own theme", "CSS."},
    {"/api/locales", NULL, API_GET, 0, locales_get, NULL, "Languages", "`{locales:[\"en\"]}`"},
};

const struct endpoint_family self_family = {"The user that asks", list, ARRAY_LEN(list)};
