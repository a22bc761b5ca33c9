/* user_admin.c: users and roles, made and changed by those who have usersAdmin. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "api/input.h"
#include "api/self.h"
#include "api/shared.h"
#include "auth/roles.h"
#include "base/json_scan.h"
#include "base/util.h"
#include "query/query.h"

#define USERS_LISTED_MAX 100000u

/* --- a user as JSON --- */

static void texts_write(struct json *j, const char *key, const struct texts *t) {
    json_key(j, key);
    json_open(j, '[');
    for (size_t i = 0; i < t->count; i++) {
        json_cstr(j, t->items[i]);
    }
    json_close(j, ']');
}

static void user_write(struct json *j, const struct user *u) {
    json_open(j, '{');
    json_key(j, "id");
    json_cstr(j, u->id);
    json_key(j, "userId");
    json_cstr(j, u->id);
    json_key(j, "userName");
    json_cstr(j, u->name);
    json_key(j, "enabled");
    json_bool(j, u->enabled);
    for (size_t i = 0; i < USER_FLAGS; i++) {
        if (u->flags[i] != TRI_UNSET) {
            json_key(j, user_flag_names[i]);
            json_bool(j, u->flags[i] == TRI_YES);
        }
    }
    json_key(j, "expression");
    json_cstr(j, u->expression ? u->expression : "");
    if (u->time_limit >= 0) {
        json_key(j, "timeLimit");
        json_i64(j, u->time_limit);
    }
    texts_write(j, "roles", &u->roles);
    texts_write(j, "roleAssigners", &u->assigners);
    json_key(j, "lastUsed");
    json_i64(j, u->last_used_ms);
    json_key(j, "created");
    json_i64(j, u->created_ms);
    json_key(j, "welcomeMsgNum");
    json_i64(j, u->welcome);
    json_close(j, '}');
}

/* --- lists --- */

struct listing {
    struct call *c;
    struct span filter;
    bool without; /* the filter names a role that users must not have */
    struct page page;
    const char *sort;
    struct user_row {
        char *json, *key;
        size_t len;
        int64_t number;
    } * rows;
    size_t count, cap;
    uint64_t total;
    bool failed;
};

static bool fits(const struct listing *l, const struct user *u) {
    if (!l->filter.len) {
        return true;
    }
    bool role = false;
    for (size_t i = 0; i < u->roles.count; i++) {
        role = role || span_find_fold(span_text(u->roles.items[i]), l->filter) != SPAN_NONE;
    }
    return l->without ? !role
                      : role || span_find_fold(span_text(u->id), l->filter) != SPAN_NONE ||
                            span_find_fold(span_text(u->name), l->filter) != SPAN_NONE;
}

static void row_key(const struct listing *l, const struct user *u, struct user_row *r) {
    r->number = strcmp(l->sort, "lastUsed") == 0  ? u->last_used_ms
                : strcmp(l->sort, "created") == 0 ? u->created_ms
                : strcmp(l->sort, "enabled") == 0 ? u->enabled
                                                  : 0;
    r->key = strdup(strcmp(l->sort, "userName") == 0 ? u->name : u->id);
}

static bool row_add(void *ctx, const struct user *u) {
    struct listing *l = ctx;
    l->total++;
    if (!fits(l, u)) {
        return true;
    }
    if (l->count == l->cap) {
        size_t cap = MAX(l->cap * 2, (size_t)64);
        struct user_row *rows = l->count < USERS_LISTED_MAX ? realloc(l->rows, cap * sizeof(*rows)) : NULL;
        if (!rows) {
            l->failed = true;
            return false;
        }
        l->rows = rows;
        l->cap = cap;
    }
    struct buf text;
    buf_init(&text, (size_t)1 << 20);
    struct json j = json_over(&text);
    user_write(&j, u);
    struct user_row *r = &l->rows[l->count++];
    *r = (struct user_row){.json = (char *)text.data, .len = text.len};
    row_key(l, u, r);
    l->failed = l->failed || text.overflowed || !r->key;
    return !l->failed;
}

static int row_order(const void *a, const void *b, void *ctx) {
    const struct user_row *x = a, *y = b;
    const struct listing *l = ctx;
    int order = x->number != y->number ? (x->number < y->number ? -1 : 1) : strcasecmp(x->key, y->key);
    return l->page.descending ? -order : order;
}

static bool listing_make(struct call *c, struct listing *l) {
    *l = (struct listing){.c = c, .sort = call_text(c, "sortField", "userId")};
    if (!input_text(c, "filter", "Filter", 200, &l->filter) || !input_page(c, 50, &l->page)) {
        return false;
    }
    l->without = span_byte(l->filter, 0) == '!';
    l->filter = span_from(l->filter, l->without);
    int code = users_list(c->api->control, row_add, l);
    if (code < 0 || l->failed) {
        call_fail(c, 500, "Users cannot be read");
        return false;
    }
    if (l->count) {
        qsort_r(l->rows, l->count, sizeof(*l->rows), row_order, l);
    }
    return true;
}

static void listing_done(struct listing *l) {
    for (size_t i = 0; i < l->count; i++) {
        free(l->rows[i].json);
        free(l->rows[i].key);
    }
    free(l->rows);
}

static void user_list(struct call *c) {
    struct listing l;
    if (listing_make(c, &l)) {
        struct json j = call_json(c);
        json_open(&j, '{');
        json_key(&j, "success");
        json_bool(&j, true);
        json_key(&j, "recordsTotal");
        json_u64(&j, l.total);
        json_key(&j, "recordsFiltered");
        json_u64(&j, l.count);
        json_key(&j, "data");
        json_open(&j, '[');
        size_t from, n = page_part(&l.page, l.count, &from);
        for (size_t i = from; i < from + n; i++) {
            json_raw(&j, span_make(l.rows[i].json, l.rows[i].len));
        }
        json_close(&j, ']');
        json_close(&j, '}');
    }
    listing_done(&l);
}

/* Cells that a spreadsheet would take for formulas get a quote in front. */
static void cell_write(struct buf *out, const char *text) {
    buf_add_byte(out, '"');
    if (strchr("=+-@\t\r", *text) && *text) {
        buf_add_byte(out, '\'');
    }
    for (; *text; text++) {
        if (*text == '"') {
            buf_add_byte(out, '"');
        }
        buf_add_byte(out, (uint8_t)*text);
    }
    buf_add_byte(out, '"');
}

static bool csv_write(void *ctx, const struct user *u) {
    struct buf *out = ctx;
    char number[32];
    cell_write(out, u->id);
    buf_add_byte(out, ',');
    cell_write(out, u->name);
    buf_add_text(out, u->enabled ? ",true" : ",false");
    for (size_t i = 0; i < USER_FLAGS; i++) {
        buf_add_text(out, u->flags[i] == TRI_UNSET ? "," : u->flags[i] ? ",true" : ",false");
    }
    buf_add_byte(out, ',');
    cell_write(out, u->expression ? u->expression : "");
    (void)snprintf(number, sizeof(number), u->time_limit >= 0 ? ",%lld," : ",,", (long long)u->time_limit);
    buf_add_text(out, number);
    struct buf roles;
    buf_init(&roles, 1u << 16);
    for (size_t i = 0; i < u->roles.count; i++) {
        buf_add_text(&roles, i ? ", " : "");
        buf_add_text(&roles, u->roles.items[i]);
    }
    buf_add_byte(&roles, 0);
    cell_write(out, roles.overflowed ? "" : (const char *)roles.data);
    buf_done(&roles);
    buf_add_text(out, "\r\n");
    return true;
}

static void user_csv(struct call *c) {
    struct buf *out = reply_body(c->reply);
    reply_type(c->reply, "text/csv; charset=utf-8");
    reply_header(c->reply, "Content-Disposition", "attachment; filename=\"users.csv\"");
    buf_add_text(out, "userId, userName, enabled");
    for (size_t i = 0; i < USER_FLAGS; i++) {
        buf_printf(out, ", %s", user_flag_names[i]);
    }
    buf_add_text(out, ", expression, timeLimit, roles\r\n");
    if (users_list(c->api->control, csv_write, out) < 0) {
        call_fail(c, 500, "Users cannot be read");
    }
}

struct minimal {
    struct json j;
    const char *role;
};

static bool minimal_write(void *ctx, const struct user *u) {
    struct minimal *m = ctx;
    if (!user_is_role(u->id)) {
        json_open(&m->j, '{');
        json_key(&m->j, "userId");
        json_cstr(&m->j, u->id);
        json_key(&m->j, "userName");
        json_cstr(&m->j, u->name);
        json_key(&m->j, "hasRole");
        json_bool(&m->j, m->role && texts_hold(&u->roles, m->role));
        json_close(&m->j, '}');
    }
    return true;
}

/* May the asking user hand out this role? */
static bool may_assign(struct call *c, const char *role) {
    struct user u;
    if (c->who->rights & RIGHT_USERS) {
        return !role_is_admin(role) || (c->who->rights & RIGHT_SUPER);
    }
    /* Handing out roles is administration: no token's business unless its scope says so. */
    if (c->who->by_token || c->who->by_server || !user_is_role(role) || users_get(c->api->control, role, &u) < 0) {
        return false;
    }
    bool named = texts_hold(&u.assigners, c->who->id);
    user_done(&u);
    return named;
}

static void user_min(struct call *c) {
    const char *role = call_text(c, "roleId", NULL);
    if (role ? !may_assign(c, role) : !(c->who->rights & RIGHT_USERS)) {
        call_fail(c, 403, "You do not have permission to access this resource");
        return;
    }
    struct minimal m = {call_json(c), role};
    json_open(&m.j, '{');
    json_key(&m.j, "success");
    json_bool(&m.j, true);
    json_key(&m.j, "data");
    json_open(&m.j, '[');
    int code = users_list(c->api->control, minimal_write, &m);
    json_close(&m.j, ']');
    json_close(&m.j, '}');
    if (code < 0) {
        call_fail(c, 500, "Users cannot be read");
    }
}

static bool role_write(void *ctx, const struct user *u) {
    struct json *j = ctx;
    if (user_is_role(u->id)) {
        json_open(j, '{');
        json_key(j, "value");
        json_cstr(j, u->id);
        json_key(j, "text");
        json_cstr(j, u->id + 5);
        json_key(j, "userMade");
        json_bool(j, true);
        json_close(j, '}');
    }
    return true;
}

static void role_list(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, true);
    json_key(&j, "roles");
    json_open(&j, '[');
    for (const char *const *role = system_roles; *role; role++) {
        json_open(&j, '{');
        json_key(&j, "value");
        json_cstr(&j, *role);
        json_key(&j, "text");
        json_cstr(&j, *role);
        json_close(&j, '}');
    }
    int code = users_list(c->api->control, role_write, &j);
    json_close(&j, ']');
    json_close(&j, '}');
    if (code < 0) {
        call_fail(c, 500, "Roles cannot be read");
    }
}

/* --- what is sent --- */

static bool is_json_body(const struct call *c) {
    const char *type = request_header(c->request, "Content-Type");
    return type && strncasecmp(type, "application/json", 16) == 0;
}

/* True, false, or not there. A text "true" counts only in forms, which have nothing else. */
static bool read_tri(struct call *c, const char *name, signed char *ret) {
    struct span value = request_param(c->request, name);
    bool typed = request_param_is_json(c->request, name) || !is_json_body(c);
    *ret = TRI_UNSET;
    if (!value.at) {
        return true;
    }
    if (typed && (span_is(value, "true") || span_is(value, "false"))) {
        *ret = span_is(value, "true") ? TRI_YES : TRI_NO;
        return true;
    }
    call_fail(c, 403, "%s field must be a boolean or undefined", name);
    return false;
}

static bool read_texts(struct call *c, const char *name, const char *label, struct texts *ret, bool *ret_given) {
    struct buf lines;
    buf_init(&lines, 1u << 16);
    bool good = input_names(c, &(struct input_names){name, label, true, false}, &lines, NULL, ret_given);
    struct span rest = buf_span(&lines);
    while (good && rest.len) {
        size_t end = span_find_byte(rest, 0, '\n');
        struct span line = end == SPAN_NONE ? rest : span_sub(rest, 0, end);
        rest = end == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, end + 1);
        if (line.len && texts_add(ret, line) < 0) {
            call_fail(c, 403, "%s field has too many entries: at most %u", label, USER_LIST_MAX);
            good = false;
        }
    }
    buf_done(&lines);
    return good;
}

/* What superAdmin keeps to itself. `before`: the roles as they are; NULL: none. */
static bool roles_are_good(struct call *c, const char *id, const struct texts *roles, const struct texts *before) {
    bool super = c->who->rights & RIGHT_SUPER;
    for (size_t i = 0; i < roles->count; i++) {
        const char *role = roles->items[i];
        bool had = before && texts_hold(before, role);
        const char *problem = NULL;
        if (!role_is_system(role) && !user_is_role(role)) {
            problem = "User roles must be system roles or start with \"role:\"";
        } else if (user_is_role(id) && strcmp(role, "superAdmin") == 0) {
            problem = "User defined roles can't have superAdmin";
        } else if (user_is_role(id) && role_is_admin(role)) {
            problem = "User defined roles can't have a system Admin role";
        } else if (!super && !had && strcmp(role, "superAdmin") == 0) {
            problem = "Can not create superAdmin unless you are superAdmin";
        } else if (!super && !had && role_is_admin(role)) {
            problem = "Only superAdmin user can enable Admin roles on a user";
        }
        if (problem) {
            call_fail(c, 403, "%s", problem);
            return false;
        }
    }
    if (user_is_role(id) && (texts_hold(roles, id) || roles_would_loop(c->api->control, id, roles))) {
        call_fail(c, 403, "Can't have circular role dependencies");
        return false;
    }
    return true;
}

/* A forced expression that cannot be read would let its user see nothing, or an error, ever after. */
static bool expression_is_good(struct call *c) {
    struct err e = {0};
    struct query *q = NULL;
    struct span expression;
    if (!input_text(c, "expression", "Expression", 8192, &expression)) {
        return false;
    }
    if (!expression.len || !c->api->store) {
        return true;
    }
    struct snapshot *snapshot = store_snapshot(c->api->store);
    int code = query_parse(expression, snapshot_registry(snapshot), input_now(), &q, &e);
    query_free(q);
    snapshot_unref(snapshot);
    if (code < 0) {
        call_fail(c, 403, "Expression: %s", e.text);
    }
    return code == 0;
}

static bool read_expression(struct call *c, struct user *u) {
    struct span text;
    if (!input_text(c, "expression", "Expression", 8192, &text)) {
        return false;
    }
    char *copy = malloc(text.len + 1);
    if (!copy) {
        call_fail(c, 500, "No memory");
        return false;
    }
    *span_copy_to(text, (uint8_t *)copy) = 0;
    free(u->expression);
    u->expression = copy;
    return true;
}

static bool read_limit(struct call *c, struct user *u) {
    struct span text = request_param(c->request, "timeLimit");
    uint64_t hours;
    u->time_limit = -1;
    if (!text.len) {
        return true;
    }
    if (!span_decimal(text, 1000000, &hours)) {
        call_fail(c, 422, "timeLimit must be a non-negative integer");
        return false;
    }
    u->time_limit = (int64_t)hours;
    return true;
}

static bool read_name(struct call *c, struct user *u, const char *missing) {
    struct span name;
    if (!input_needed(c, "userName", "User name", USER_NAME_MAX, missing, &name)) {
        return false;
    }
    (void)snprintf(u->name, sizeof(u->name), "%.*s", (int)name.len, name.at);
    return true;
}

/* Everything but id, name and password, the same for a new user and a changed one. */
static bool read_rest(struct call *c, struct user *u) {
    struct texts roles = {0}, assigners = {0};
    bool given = false, assigners_given = false;
    signed char enabled;
    bool good = read_tri(c, "enabled", &enabled);
    for (size_t i = 0; i < USER_FLAGS && good; i++) {
        good = read_tri(c, user_flag_names[i], &u->flags[i]);
    }
    good = good && read_texts(c, "roles", "Roles", &roles, &given) &&
           read_texts(c, "roleAssigners", "roleAssigners", &assigners, &assigners_given) &&
           roles_are_good(c, u->id, &roles, &u->roles) && read_limit(c, u) && read_expression(c, u);
    if (good) {
        u->enabled = enabled == TRI_UNSET ? u->enabled : enabled == TRI_YES;
    }
    if (good && given) {
        texts_done(&u->roles);
        u->roles = roles;
        roles = (struct texts){0};
    }
    if (good && assigners_given) {
        texts_done(&u->assigners);
        u->assigners = assigners;
        assigners = (struct texts){0};
    }
    texts_done(&roles);
    texts_done(&assigners);
    return good;
}

/* --- changes --- */

static void written(struct call *c, int code, const struct err *e, const char *text) {
    auth_forget(c->api->auth);
    if (code == 0) {
        call_done(c, text);
    } else {
        call_fail(c, code == -ENOENT ? 404 : code == -EEXIST || code == -EINVAL ? 403 : 500, "%s", e->text);
    }
}

static void user_create(struct call *c) {
    const char *missing = "Missing/Empty required fields";
    struct user u;
    struct span id;
    struct err e = {0};
    const char *password = call_text(c, "password", NULL);
    user_init(&u);
    bool good = input_needed(c, "userId", "User ID", USER_ID_MAX, missing, &id) && read_name(c, &u, missing);
    if (good) {
        (void)snprintf(u.id, sizeof(u.id), "%.*s", (int)id.len, id.at);
        const char *problem = role_is_system(u.id)              ? "User ID can't be a system role id"
                              : !user_id_valid(u.id)            ? "User ID must be word characters"
                              : user_is_role(u.id)              ? NULL
                              : !password                       ? missing
                              : strlen(password) < PASSWORD_MIN ? "Password needs to be at least 3 characters"
                                                                : NULL;
        if (problem) {
            call_fail(c, 403, "%s", problem);
            good = false;
        }
    }
    if (good && expression_is_good(c) && read_rest(c, &u)) {
        struct user_keys keys = auth_user_keys(c->api->auth);
        int code = users_add(c->api->control, &keys, &u, password, &e);
        written(c, code, &e, user_is_role(u.id) ? "Role created successfully" : "User created successfully");
    }
    user_done(&u);
}

static bool user_load(struct call *c, const char *id, struct user *ret) {
    int code = users_get(c->api->control, id, ret);
    if (code < 0) {
        call_fail(c, code == -ENOENT ? 404 : 500, code == -ENOENT ? "User not found" : "Users cannot be read");
    }
    return code == 0;
}

/* Who can set the password of an administrator can be that administrator. */
static bool role_is_above(const struct call *c, const char *role) {
    static const struct {
        const char *role;
        uint32_t right;
    } by_role[] = {{"usersAdmin", RIGHT_USERS}, {"arkimeAdmin", RIGHT_ADMIN}};
    if (!role_is_admin(role) || (c->who->rights & RIGHT_SUPER)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(by_role); i++) {
        if (strcmp(role, by_role[i].role) == 0) {
            return !(c->who->rights & by_role[i].right);
        }
    }
    return !principal_has_role(c->who, role);
}

/* `assigning`: roles only, which give nobody power over who gets them. */
static bool user_is_below(struct call *c, const char *id, bool assigning) {
    struct user u;
    struct texts all;
    if (!user_load(c, id, &u)) {
        return false;
    }
    int code = roles_expand(c->api->control, &u.roles, &all);
    user_done(&u);
    if (code < 0) {
        call_fail(c, 500, "Roles cannot be read");
        return false;
    }
    bool super = texts_hold(&all, "superAdmin") && !(c->who->rights & RIGHT_SUPER), above = false;
    for (size_t i = 0; i < all.count; i++) {
        above = above || (!assigning && role_is_above(c, all.items[i]));
    }
    texts_done(&all);
    if (super || above) {
        call_fail(c, 403,
                  super ? "Can not update superAdmin unless you are superAdmin"
                        : "Can not update an administrator without being one of the same kind");
    }
    return !super && !above;
}

bool user_may_be_changed(struct call *c, const char *id) {
    return user_is_below(c, id, false);
}

/* What is read, changed and written again must not meet another change in between. */
static void in_transaction(struct call *c, void (*change)(struct call *c)) {
    struct control *control = c->api->control;
    control_lock(control);
    int code = control_begin(control);
    if (code == 0) {
        change(c);
        code = control_end(control, c->status == 200);
    }
    control_unlock(control);
    auth_forget(c->api->auth);
    if (code < 0) {
        call_fail(c, 500, "Users cannot be written");
    }
}

static void user_write_again(struct call *c) {
    struct user u;
    struct err e = {0};
    if (!user_may_be_changed(c, c->parts[0]) || !user_load(c, c->parts[0], &u)) {
        return;
    }
    if (read_name(c, &u, "Username can not be empty") && read_rest(c, &u)) {
        int code = users_update(c->api->control, &u, &e);
        written(c, code, &e, user_is_role(u.id) ? "Role updated successfully" : "User updated successfully");
    }
    user_done(&u);
}

static void user_update(struct call *c) {
    if (role_is_system(c->parts[0])) {
        call_fail(c, 403, "User ID can't be a system role id");
    } else if (expression_is_good(c)) {
        in_transaction(c, user_write_again);
    }
}

static void user_delete(struct call *c) {
    struct err e = {0};
    if (strcmp(c->parts[0], c->who->id) == 0) {
        call_fail(c, 403, "Can not delete yourself");
        return;
    }
    if (user_may_be_changed(c, c->parts[0])) {
        int code = users_remove(c->api->control, c->parts[0], &e);
        written(c, code, &e, user_is_role(c->parts[0]) ? "Role deleted successfully" : "User deleted successfully");
    }
}

static int role_change(struct user *u, const char *role, bool on) {
    if (on) {
        return texts_hold(&u->roles, role) ? 0 : texts_add(&u->roles, span_text(role));
    }
    for (size_t i = 0; i < u->roles.count; i++) {
        if (strcmp(u->roles.items[i], role) == 0) {
            free(u->roles.items[i]);
            u->roles.items[i] = u->roles.items[--u->roles.count];
            return 0;
        }
    }
    return 0;
}

static void role_assign(struct call *c) {
    struct user u;
    struct err e = {0};
    signed char on;
    const char *role = call_text(c, "roleId", NULL);
    if (!role) {
        call_fail(c, 403, "roleId is required");
        return;
    }
    if (!read_tri(c, "newRoleState", &on)) {
        return;
    }
    if (on == TRI_UNSET) {
        call_fail(c, 403, "newRoleState is required");
        return;
    }
    if (!may_assign(c, role)) {
        call_fail(c, 403, "You do not have permission to access this resource");
        return;
    }
    if (!user_is_below(c, c->parts[0], true) || !user_load(c, c->parts[0], &u)) {
        return;
    }
    struct texts one = {0};
    int code = texts_add(&one, span_text(role));
    if (code == 0 && (on == TRI_NO || roles_are_good(c, u.id, &one, &u.roles))) {
        code = role_change(&u, role, on == TRI_YES);
        code = code < 0 ? err_set(&e, code, "Too many roles") : users_update(c->api->control, &u, &e);
        written(c, code, &e, "User updated successfully");
    }
    texts_done(&one);
    user_done(&u);
}

static void user_assign(struct call *c) {
    in_transaction(c, role_assign);
}

static const struct parameter list_parameters[] = {
    {"filter", PARAM_TEXT, NULL, "Part of an id, a name or a role; with `!` in front: those without that role"},
    {"sortField", PARAM_TEXT, "userId", "userId, userName, lastUsed, created, enabled"},
    {"desc", PARAM_BOOL, "false", "Descending"},
    {"start", PARAM_NUMBER, "0", "Where the page begins"},
    {"length", PARAM_NUMBER, "50", "Rows of the page"},
    {NULL},
};
static const struct parameter user_parameters[] = {
    {"userId", PARAM_TEXT, NULL, "Word characters, `@`, `.`, `-`; `role:NAME` makes a role (only when created)"},
    {"userName", PARAM_TEXT, NULL, "Name for people"},
    {"password", PARAM_TEXT, NULL, "At least 3 characters (only when created)"},
    {"enabled", PARAM_BOOL, "true", "May log in; a role: counts"},
    {"webEnabled", PARAM_BOOL, NULL, "Pages. This and the following: true, false, or left to the roles"},
    {"headerAuthEnabled", PARAM_BOOL, NULL, "May be named by a proxy's header"},
    {"emailSearch", PARAM_BOOL, NULL, "Search in fields of mails"},
    {"removeEnabled", PARAM_BOOL, NULL, "Remove tags and data"},
    {"packetSearch", PARAM_BOOL, NULL, "Hunts"},
    {"hideStats", PARAM_BOOL, NULL, "No statistics"},
    {"hideFiles", PARAM_BOOL, NULL, "No list of files"},
    {"hidePcap", PARAM_BOOL, NULL, "No payload"},
    {"disablePcapDownload", PARAM_BOOL, NULL, "No downloads of packets"},
    {"expression", PARAM_TEXT, NULL, "Forced expression: must match whatever the user asks"},
    {"timeLimit", PARAM_NUMBER, NULL, "Longest window of a query in hours"},
    {"roles", PARAM_LIST, NULL, "Array of roles"},
    {"roleAssigners", PARAM_LIST, NULL, "Array of users who may hand out this role"},
    {NULL},
};
static const struct parameter assign_parameters[] = {
    {"roleId", PARAM_TEXT, NULL, "The role"},
    {"newRoleState", PARAM_BOOL, NULL, "Whether the user has it"},
    {NULL},
};
static const struct parameter min_parameters[] = {{"roleId", PARAM_TEXT, NULL, "A role the asking user may hand out"},
                                                  {NULL}};

static const struct endpoint list[] = {
    {"/api/users", NULL, API_POST | API_ERROR_200, RIGHT_USERS, user_list, list_parameters, "Users and roles",
     "`{success, recordsTotal, recordsFiltered, data:[{userId, userName, enabled, ..., roles, roleAssigners, "
     "expression, "
     "timeLimit, lastUsed, created}]}`; flags that are left to the roles are not there."},
    {"/api/users/csv", "/api/users.csv", API_POST | API_GET, RIGHT_USERS, user_csv, NULL, "Users and roles as CSV",
     "text/csv"},
    {"/api/users/min", NULL, API_POST, 0, user_min, min_parameters, "Ids and names of users",
     "`{success, data:[{userId, userName, hasRole}]}`, for those who may hand out the role."},
    {"/api/user/roles", NULL, API_GET | API_TOKEN_GET, 0, role_list, NULL, "All roles",
     "`{success, roles:[{value, text, userMade?}]}`"},
    {"/api/user", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_USERS, user_create, user_parameters,
     "Make a user or a role", "`{success, text}`; 403 says what is missing or not allowed, 422 for timeLimit."},
    {"/api/user/:id", NULL, API_POST | API_TOKEN | API_HISTORY, RIGHT_USERS, user_update, user_parameters,
     "Change a user or a role",
     "Flags, expression and timeLimit that are not sent are unset; roles stay. 404 `User not found`."},
    {"/api/user/:id", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_USERS, user_delete, NULL,
     "Delete a user or a role", "With its tokens, logins, settings and layouts. 403 `Can not delete yourself`."},
    {"/api/user/:id/assignment", NULL, API_POST | API_TOKEN | API_HISTORY, 0, user_assign, assign_parameters,
     "Give a user a role, or take it away", "For usersAdmin and the role's assigners."},
};

const struct endpoint_family user_family = {"Users and roles", list, ARRAY_LEN(list)};
