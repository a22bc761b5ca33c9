/* views.c: saved expressions, owned by a user and shared with users and roles: `view=` of session queries, and
 * `view == name` in expressions. */
#include <errno.h>

#include "api/kept.h"
#include "api/lists.h"
#include "api/shared.h"
#include "base/util.h"

static const struct kept_share_names share_names = {"users", "roles", NULL, "editRoles", false};

static void view_write(struct json *j, const struct saved *s, const struct call *c) {
    json_key(j, "id");
    json_text(j, s->id);
    json_key(j, "name");
    json_text(j, s->name);
    json_key(j, "user");
    json_text(j, s->owner);
    kept_splice(j, s->body);
    if (saved_may_edit(s, c->who)) {
        kept_share_write(j, &share_names, s);
    }
}

/* A view can be given to somebody else, by its owner and by admins. */
static bool owner_read(struct call *c, struct kept_form *f) {
    struct span owner;
    if (!input_text(c, "user", "User", SAVED_LIST_NAME_MAX, &owner)) {
        return false;
    }
    if (!f->before || owner.len == 0 || span_equal(owner, f->before->owner)) {
        return true;
    }
    if (!span_is(f->before->owner, c->who->id) && !(c->who->rights & RIGHT_ADMIN)) {
        call_fail(c, 403, "Permission denied");
        return false;
    }
    const char *id = request_param_text(c->request, "user");
    if (!id || !auth_user_exists(c->api->auth, id)) {
        call_fail(c, 404, "User not found");
        return false;
    }
    f->row.owner = owner;
    return true;
}

static const struct kept_member view_members[KEPT_MEMBERS_MAX] = {
    {"name", "Name", KEPT_TEXT, KEPT_NAME, SAVED_NAME_MAX, "Missing view name", NULL},
    {"expression", "Expression", KEPT_TEXT, KEPT_BODY, SAVED_EXPRESSION_MAX, "Missing view expression", NULL},
    {"sessionsColConfig", "sessionsColConfig", KEPT_OBJECT, KEPT_BODY, SAVED_DATA_MAX, NULL, NULL},
};

static const struct kept_kind view_kind = {
    .kind = SAVED_VIEW,
    .word = "view",
    .write = view_write,
    .members = view_members,
    .share = &share_names,
    .sent_whole = true,
    .check = owner_read,
};

static void view_list(struct call *c) {
    kept_list(c, &view_kind, NULL, SAVED_PER_USER);
}

int views_write(struct call *c, struct json *j) {
    return kept_array(c, &view_kind, false, j);
}

static void view_create(struct call *c) {
    kept_create(c, &view_kind);
}

static void view_change(struct call *c) {
    kept_change(c, &view_kind);
}

static void view_delete(struct call *c) {
    kept_delete(c, &view_kind);
}

/* --- lookup --- */

static const struct saved *best_of(const struct saved_rows *rows, const struct principal *who) {
    const struct saved *best = NULL;
    for (size_t i = 0; i < rows->count; i++) {
        const struct saved *s = &rows->rows[i];
        bool own = span_is(s->owner, who->id);
        if (own || (!best && (saved_may_use(s, who) || (who->rights & RIGHT_ADMIN)))) {
            best = s;
        }
    }
    return best;
}

int saved_view(struct control *c, const struct principal *who, struct span id_or_name, struct buf *ret_expression) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    int code = saved_by_id(c, SAVED_VIEW, id_or_name, &rows);
    if (code == -ENOENT) {
        code = saved_by_name(c, SAVED_VIEW, id_or_name, &rows);
    }
    if (code) {
        return code;
    }
    const struct saved *view = best_of(&rows, who);
    if (!view) {
        return -ENOENT;
    }
    _cleanup_(buf_done) struct buf scratch;
    buf_init(&scratch, SAVED_EXPRESSION_MAX + 16);
    struct span expression = body_member(view->body, "expression", &scratch);
    buf_add_span(ret_expression, expression);
    return ret_expression->overflowed || scratch.overflowed ? -E2BIG : 0;
}

/* --- the table --- */

static const struct parameter list_parameters[] = {
    {"searchTerm", PARAM_TEXT, NULL, "only those whose name or owner has this; `*` and `?` as wildcards"},
    {"sort", PARAM_TEXT, "name", "`name`, `user`, `created` or `updated`"},
    {"desc", PARAM_BOOL, "false", "order turned round"},
    {"start", PARAM_NUMBER, "0", "first one of the page"},
    {"length", PARAM_NUMBER, "1000", "how many"},
    {"all", PARAM_BOOL, "false", "everybody's, for arkimeAdmin"},
    {0},
};
static const struct parameter view_parameters[] = {
    {"name", PARAM_TEXT, NULL, "name, at most 256 bytes; one user has it once"},
    {"expression", PARAM_TEXT, NULL, "expression, at most 64 KiB"},
    {"users", PARAM_TEXT, NULL, "who may use it: user ids joined by commas"},
    {"roles", PARAM_JSON, NULL, "who may use it: array of roles"},
    {"editRoles", PARAM_JSON, NULL, "who may change it: array of roles"},
    {"sessionsColConfig", PARAM_JSON, NULL, "object: columns of the sessions table that go with it"},
    {"user", PARAM_TEXT, NULL, "when changing: its new owner"},
    {0},
};

static const struct endpoint views[] = {
    {"/api/views", NULL, API_GET, RIGHT_ANY, view_list, list_parameters, "Views the caller may use",
     "`{data:[{id,name,expression,user,users,roles,editRoles,sessionsColConfig}],recordsTotal,recordsFiltered}`. Those "
     "who "
     "may only use a view do not see with whom it is shared."},
    {"/api/view", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_ANY, view_create, view_parameters, "Make a view",
     "`{success,text,view,invalidUsers}`; `invalidUsers` names users that do not exist: the view is not shared with "
     "them."},
    {"/api/view/:id", NULL, API_PUT | API_TOKEN | API_HISTORY, RIGHT_ANY, view_change, view_parameters, "Change a view",
     "As making one. What is not sent stays, but name and expression are needed. By the owner, `editRoles` and "
     "arkimeAdmin."},
    {"/api/view/:id", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_ANY, view_delete, NULL, "Delete a view",
     "`{success,text}`"},
};

const struct endpoint_family view_family = {"Views", views, ARRAY_LEN(views)};
