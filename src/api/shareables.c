/* shareables.c: JSON that pages keep and share, such as the widgets of a summary; its type says which page's. */
#include "api/kept.h"
#include "api/shared.h"
#include "base/util.h"

static const struct kept_share_names share_names = {"viewUsers", "viewRoles", "editUsers", "editRoles", true};

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
        kept_share_write(j, &share_names, s);
    }
}

enum { MEMBER_TYPE, MEMBER_NAME, MEMBER_DATA };
static const struct kept_member shareable_members[KEPT_MEMBERS_MAX] = {
    [MEMBER_TYPE] = {"type", "Type", KEPT_TEXT, KEPT_ROW_TYPE, 64, "Missing shareable type", NULL},
    [MEMBER_NAME] = {"name", "Name", KEPT_TEXT, KEPT_NAME, SAVED_NAME_MAX, "Missing shareable name", NULL},
    [MEMBER_DATA] = {"data", "Data", KEPT_OBJECT, KEPT_WHOLE_BODY, SAVED_DATA_MAX, "Missing shareable data", NULL},
    {"description", "Description", KEPT_TEXT, KEPT_DESCRIPTION, SAVED_DESCRIPTION_MAX, NULL, NULL},
};

static bool shareable_check(struct call *c, struct kept_form *f) {
    if (f->before && !span_equal(f->values[MEMBER_TYPE], f->before->type)) {
        call_fail(c, 403, "The type of a shareable can not be changed");
        return false;
    }
    return true;
}

static const struct kept_kind shareable_kind = {
    .kind = SAVED_SHAREABLE,
    .word = "shareable",
    .write = shareable_write,
    .members = shareable_members,
    .share = &share_names,
    .check = shareable_check,
};

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

static void shareable_create(struct call *c) {
    kept_create(c, &shareable_kind);
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
    kept_change(c, &shareable_kind);
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
