/* shareables.c: JSON that pages keep and share, such as the widgets of a summary; its type says which page's. */
#include <stdio.h>

#include "api/kept.h"
#include "api/shared.h"
#include "base/util.h"

static void shareable_write(struct json *j, const struct saved *s, const struct call *c) {
    bool edit = saved_may_edit(s, c->who);
    json_key(j, "id");
    json_text(j, s->id);
    json_key(j, "type");
    json_text(j, s->type);
    json_key(j, "name");
    json_text(j, s->name);
    json_key(j, "description");
    json_text(j, s->description);
    json_key(j, "creator");
    json_text(j, s->owner);
    json_key(j, "created");
    json_i64(j, s->created);
    json_key(j, "updated");
    json_i64(j, s->updated);
    json_key(j, "data");
    json_raw(j, s->body);
    json_key(j, "canEdit");
    json_bool(j, edit);
    json_key(j, "canDelete");
    json_bool(j, (c->who->rights & RIGHT_ADMIN) || span_is(s->owner, c->who->id));
    if (edit) {
        json_key(j, "viewUsers");
        lines_write(j, s->users);
        json_key(j, "viewRoles");
        lines_write(j, s->roles);
        json_key(j, "editUsers");
        lines_write(j, s->edit_users);
        json_key(j, "editRoles");
        lines_write(j, s->edit_roles);
    }
}

static const struct kept_kind shareable_kind = {SAVED_SHAREABLE, "shareable", shareable_write, false};
static const struct kept_share_names share_names = {NULL, "viewRoles", NULL, "editRoles"};

static bool type_fits(const struct saved *s, const struct call *c) {
    struct span type = request_param(c->request, "type");
    return type.len == 0 || span_equal(type, s->type);
}

static void shareable_list(struct call *c) {
    struct span type = request_param(c->request, "type");
    if (type.len == 0) {
        call_fail(c, 403, "Missing shareable type");
        return;
    }
    kept_list(c, &shareable_kind, type_fits, SAVED_PER_USER);
}

/* Users come as an array here. They are checked like the others: unknown ones are named in the answer. */
static bool users_read(struct call *c, const char *name, const char *label, struct buf *users, struct buf *invalid,
                       struct span *member) {
    _cleanup_(buf_done) struct buf lines;
    buf_init(&lines, (size_t)SAVED_LIST_MAX * (SAVED_LIST_NAME_MAX + 2));
    bool given;
    if (!input_list(c, name, label, &lines, &given)) {
        return false;
    }
    struct span rest = buf_span(&lines);
    while (rest.len) {
        size_t end = span_find_byte(rest, 0, '\n');
        struct span line = span_sub(rest, 0, end);
        rest = end == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, end + 1);
        char id[SAVED_LIST_NAME_MAX + 1];
        (void)snprintf(id, sizeof(id), "%.*s", (int)line.len, (const char *)line.at);
        struct buf *to = auth_user_exists(c->api->auth, id) ? users : invalid;
        if (to->len) {
            buf_add_byte(to, '\n');
        }
        buf_add_span(to, line);
    }
    if (given) {
        *member = buf_span(users);
    }
    return true;
}

static bool shareable_read(struct call *c, bool make, struct saved *row, struct kept_share *share) {
    struct span name, type, description, data;
    if (!kept_share_read(c, &share_names, share, row) ||
        !users_read(c, "viewUsers", "View users", &share->users, &share->invalid, &row->users) ||
        !users_read(c, "editUsers", "Edit users", &share->edit_users, &share->invalid, &row->edit_users) ||
        !input_text(c, "name", "Name", SAVED_NAME_MAX, &name) || !input_text(c, "type", "Type", 64, &type) ||
        !input_text(c, "description", "Description", SAVED_DESCRIPTION_MAX, &description) ||
        !input_json(c, "data", "Data", '{', SAVED_DATA_MAX, &data)) {
        return false;
    }
    if (make && (name.len == 0 || type.len == 0 || !data.at)) {
        call_fail(c, 403, "Missing shareable %s", type.len == 0 ? "type" : name.len == 0 ? "name" : "data");
        return false;
    }
    if (!make && type.len && !span_equal(type, row->type)) {
        call_fail(c, 403, "The type of a shareable can not be changed");
        return false;
    }
    row->type = make ? type : row->type;
    row->name = name.len ? name : row->name;
    row->description = description.at ? description : row->description;
    row->body = data.at ? data : row->body;
    return true;
}

static void shareable_create(struct call *c) {
    struct saved row = {.kind = SAVED_SHAREABLE, .owner = span_text(c->who->id)};
    _cleanup_(kept_share_done) struct kept_share share = {0};
    if (shareable_read(c, true, &row, &share)) {
        kept_create(c, &shareable_kind, &row, &share);
    }
}

static void shareable_get(struct call *c) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    if (kept_find(c, &shareable_kind, false, &rows)) {
        struct json j = call_json(c);
        json_open(&j, '{');
        json_key(&j, "success");
        json_bool(&j, true);
        json_key(&j, "shareable");
        json_open(&j, '{');
        shareable_write(&j, &rows.rows[0], c);
        json_close(&j, '}');
        json_close(&j, '}');
    }
}

static void shareable_change(struct call *c) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    _cleanup_(kept_share_done) struct kept_share share = {0};
    if (kept_find(c, &shareable_kind, true, &rows) && shareable_read(c, false, &rows.rows[0], &share)) {
        kept_change(c, &shareable_kind, &rows.rows[0], &share);
    }
}

/* Those who may edit one may not take it away from its owner. */
static void shareable_delete(struct call *c) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    if (!kept_find(c, &shareable_kind, true, &rows)) {
        return;
    }
    if (!span_is(rows.rows[0].owner, c->who->id) && !(c->who->rights & RIGHT_ADMIN)) {
        call_fail(c, 403, "Permission denied");
        return;
    }
    kept_delete(c, &shareable_kind);
}

static const struct parameter list_parameters[] = {
    {"type", PARAM_TEXT, NULL, "only of this type; needed. `summaryConfig` is the summary page's"},
    {"searchTerm", PARAM_TEXT, NULL, "only those whose name, description or creator has this"},
    {"sort", PARAM_TEXT, "name", "`name`, `description`, `created` or `updated`"},
    {"desc", PARAM_BOOL, "false", "order turned round"},
    {"start", PARAM_NUMBER, "0", "first one of the page"},
    {"length", PARAM_NUMBER, "1000", "how many"},
    {"all", PARAM_BOOL, "false", "everybody's, for arkimeAdmin"},
    {0},
};
static const struct parameter shareable_parameters[] = {
    {"type", PARAM_TEXT, NULL, "which page's; can not be changed later"},
    {"name", PARAM_TEXT, NULL, "name, at most 256 bytes"},
    {"description", PARAM_TEXT, NULL, "for people"},
    {"data", PARAM_JSON, NULL, "object, at most 256 KiB"},
    {"viewUsers", PARAM_JSON, NULL, "who may see it: array of user ids"},
    {"viewRoles", PARAM_JSON, NULL, "who may see it: array of roles"},
    {"editUsers", PARAM_JSON, NULL, "who may change it: array of user ids"},
    {"editRoles", PARAM_JSON, NULL, "who may change it: array of roles"},
    {0},
};

static const struct endpoint shareables[] = {
    {"/api/shareables", NULL, API_GET, RIGHT_ANY, shareable_list, list_parameters, "Shareables the caller may see",
     "`{success,data:[{id,type,name,description,creator,created,updated,data,canEdit,canDelete,viewUsers,viewRoles,"
     "editUsers,editRoles}],recordsTotal,recordsFiltered}`; with whom it is shared only for those who may change it."},
    {"/api/shareable", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ANY, shareable_create, shareable_parameters,
     "Make a shareable", "`{success,text,shareable,invalidUsers}`"},
    {"/api/shareable/:id", NULL, API_GET, RIGHT_ANY, shareable_get, NULL, "One shareable", "`{success,shareable}`"},
    {"/api/shareable/:id", NULL, API_PUT | API_TOKEN | API_HISTORY, RIGHT_ANY, shareable_change, shareable_parameters,
     "Change a shareable", "As making one; what is not sent stays."},
    {"/api/shareable/:id", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_ANY, shareable_delete, NULL,
     "Delete a shareable", "`{success,text}`; by its creator and arkimeAdmin."},
};

const struct endpoint_family shareable_family = {"Shareables", shareables, ARRAY_LEN(shareables)};
