/* kept_form.c: what is sent for one saved thing: its kind's members are read over what the row has, checked, stored and
 * answered. */
#include <errno.h>
#include <stdio.h>

#include "api/kept.h"
#include "api/shared.h"
#include "base/util.h"

#define LIST_CEILING ((size_t)SAVED_LIST_MAX * (SAVED_LIST_NAME_MAX + 2))
#define ESCAPED_MAX 6 /* bytes of JSON for one of text */

static size_t member_count(const struct kept_kind *kind) {
    size_t count = 0;
    while (count < KEPT_MEMBERS_MAX && kind->members[count].name) {
        count++;
    }
    return count;
}

static void form_init(struct kept_form *f, const struct kept_kind *kind) {
    size_t ceiling = 4096;
    for (size_t i = 0; i < member_count(kind); i++) {
        ceiling += kind->members[i].max * ESCAPED_MAX;
    }
    buf_init(&f->body, ceiling);
    buf_init(&f->texts, ceiling);
    buf_init(&f->scratch, ceiling);
    buf_init(&f->users, LIST_CEILING);
    buf_init(&f->roles, LIST_CEILING);
    buf_init(&f->edit_users, LIST_CEILING);
    buf_init(&f->edit_roles, LIST_CEILING);
    buf_init(&f->invalid, LIST_CEILING);
}

static void form_done(struct kept_form *f) {
    buf_done(&f->body);
    buf_done(&f->texts);
    buf_done(&f->scratch);
    buf_done(&f->users);
    buf_done(&f->roles);
    buf_done(&f->edit_users);
    buf_done(&f->edit_roles);
    buf_done(&f->invalid);
}

/* --- members --- */

static bool flag_read(struct call *c, const struct kept_member *m, struct span *ret) {
    struct span text = request_param(c->request, m->name);
    *ret = (struct span){NULL, 0};
    if (text.len == 0) {
        return true;
    }
    bool on = input_flag(c, m->name);
    if (!on && !span_is(text, "false") && !span_is(text, "0")) {
        call_fail(c, 400, "%s must be true or false", m->label);
        return false;
    }
    *ret = on ? SPAN_LITERAL("true") : SPAN_LITERAL("false");
    return true;
}

static bool member_read(struct call *c, const struct kept_member *m, struct span *ret) {
    switch (m->type) {
    case KEPT_FLAG:
        return flag_read(c, m, ret);
    case KEPT_OBJECT:
    case KEPT_ARRAY:
        return input_json(c, m->name, m->label, m->type == KEPT_ARRAY ? '[' : '{', m->max, ret);
    case KEPT_TEXT:
        break;
    }
    return input_text(c, m->name, m->label, m->max, ret);
}

/* The column of a row that a member is; NULL: it is none. */
static struct span *column_of(struct saved *row, const struct kept_member *m) {
    switch (m->place) {
    case KEPT_NAME:
        return &row->name;
    case KEPT_ROW_TYPE:
        return &row->type;
    case KEPT_DESCRIPTION:
        return &row->description;
    case KEPT_WHOLE_BODY:
        return &row->body;
    case KEPT_BODY:
        break;
    }
    return NULL;
}

/* What stands for a member that was not sent. */
static struct span member_before(struct kept_form *f, const struct kept_member *m) {
    if (!f->before) {
        return m->fallback ? span_text(m->fallback) : (struct span){NULL, 0};
    }
    const struct span *column = column_of(&f->row, m);
    if (column) {
        return *column;
    }
    return body_member(f->before->body, m->name, &f->texts);
}

static bool members_read(struct call *c, const struct kept_kind *kind, struct kept_form *f) {
    /* at once, so that none of them moves */
    if (f->before && !buf_reserve(&f->texts, f->before->body.len + 1)) {
        kept_fail(c, kind, f->row.name, -ENOMEM);
        return false;
    }
    for (size_t i = 0; i < member_count(kind); i++) {
        const struct kept_member *m = &kind->members[i];
        struct span *value = &f->values[i];
        if (!member_read(c, m, value)) {
            return false;
        }
        if (!value->at && !(m->missing && kind->sent_whole)) {
            *value = member_before(f, m);
        }
        if (m->missing && value->len == 0) {
            call_fail(c, 403, "%s", m->missing);
            return false;
        }
    }
    return true;
}

static void members_place(const struct kept_kind *kind, struct kept_form *f) {
    struct json j = json_over(&f->body);
    json_open(&j, '{');
    for (size_t i = 0; i < member_count(kind); i++) {
        const struct kept_member *m = &kind->members[i];
        if (m->place == KEPT_BODY && f->values[i].at) {
            json_key(&j, m->name);
            (m->type == KEPT_TEXT ? json_text : json_raw)(&j, f->values[i]);
        }
    }
    json_close(&j, '}');
    f->row.body = buf_span(&f->body);
    for (size_t i = 0; i < member_count(kind); i++) {
        struct span *column = column_of(&f->row, &kind->members[i]);
        if (column) {
            *column = f->values[i];
        }
    }
}

/* --- sharing --- */

static bool share_read(struct call *c, const struct kept_share_names *names, struct kept_form *f) {
    const struct {
        struct input_names what;
        struct buf *to;
        struct span *member;
    } lists[] = {{{names->users, "Users", names->arrays, true}, &f->users, &f->row.users},
                 {{names->roles, "Roles", true, false}, &f->roles, &f->row.roles},
                 {{names->edit_users, "Edit users", names->arrays, true}, &f->edit_users, &f->row.edit_users},
                 {{names->edit_roles, "Edit roles", true, false}, &f->edit_roles, &f->row.edit_roles}};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        bool given = false;
        if (lists[i].what.name && !input_names(c, &lists[i].what, lists[i].to, &f->invalid, &given)) {
            return false;
        }
        if (given) {
            *lists[i].member = buf_span(lists[i].to);
        }
    }
    return true;
}

/* --- making and changing --- */

static bool form_read(struct call *c, const struct kept_kind *kind, struct kept_form *f) {
    if (!members_read(c, kind, f) || (kind->check && !kind->check(c, f))) {
        return false;
    }
    members_place(kind, f);
    return share_read(c, kind->share, f);
}

static void answer(struct call *c, const struct kept_kind *kind, const struct kept_form *f) {
    char text[64];
    (void)snprintf(text, sizeof(text), "%s %s!", f->before ? "Updated" : "Created", kind->word);
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, true);
    json_key(&j, "text");
    json_cstr(&j, text);
    json_key(&j, kind->word);
    json_open(&j, '{');
    kind->write(&j, &f->row, c);
    json_close(&j, '}');
    json_key(&j, "invalidUsers");
    lines_write(&j, buf_span(&f->invalid));
    json_close(&j, '}');
}

/* Reads the form over f->row, stores and answers it. */
static void form_take(struct call *c, const struct kept_kind *kind, struct kept_form *f) {
    if (!form_read(c, kind, f)) {
        return;
    }
    char id[SAVED_ID_SIZE];
    int code = -ENOMEM;
    if (!f->body.overflowed && !f->scratch.overflowed) {
        f->row.updated = input_now();
        code = f->before ? saved_update(c->api->control, &f->row, f->row.updated)
                         : saved_insert(c->api->control, &f->row, f->row.updated, id);
    }
    if (code == 0 && !f->before) {
        f->row.id = span_text(id);
        f->row.created = f->row.updated;
    }
    if (code == 0 && kind->stored) {
        code = kind->stored(c, f);
    }
    if (code < 0) {
        kept_fail(c, kind, f->row.name, code);
        return;
    }
    answer(c, kind, f);
}

void kept_create(struct call *c, const struct kept_kind *kind) {
    _cleanup_(form_done) struct kept_form f = {.row = {.kind = kind->kind, .owner = span_text(c->who->id)}};
    form_init(&f, kind);
    form_take(c, kind, &f);
}

void kept_change(struct call *c, const struct kept_kind *kind) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    _cleanup_(form_done) struct kept_form f = {0};
    form_init(&f, kind);
    if (kept_find(c, kind, true, &rows)) {
        f.row = rows.rows[0];
        f.before = &rows.rows[0];
        form_take(c, kind, &f);
    }
}
