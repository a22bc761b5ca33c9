/* kept.c: what the endpoints of saved things have in common: lists, rights, failures. */
#include "api/kept.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"

void kept_splice(struct json *j, struct span object) {
    struct span inner = object.len > 2 ? span_trim(span_sub(object, 1, object.len - 2)) : (struct span){NULL, 0};
    if (inner.len) {
        if (j->comma) {
            buf_add_byte(j->out, ',');
        }
        buf_add_span(j->out, inner);
        j->comma = true;
    }
}

struct span body_member(struct span body, const char *key, struct buf *scratch) {
    struct span text = {0};
    struct json_index x;
    struct json_error error;
    json_index_init(&x, 1 << 20);
    if (json_index_build(&x, body, &error) == 0) {
        struct json_ref value = json_find(json_root(&x), span_text(key));
        if (json_kind_of(value) == JSON_STRING) {
            (void)json_string(value, scratch, &text);
        } else if (json_kind_of(value) != JSON_NONE) {
            text = json_raw_of(value);
        }
    }
    json_index_done(&x);
    return text;
}

/* --- failures --- */

void kept_fail(struct call *c, const struct kept_kind *kind, struct span name, int code) {
    char first = (char)toupper((unsigned char)kind->word[0]);
    if (code == -ENOENT) {
        call_fail(c, 404, "%c%s not found", first, kind->word + 1);
    } else if (code == -EEXIST) {
        call_fail(c, 403, "A %s with the name, %.*s, already exists", kind->word, (int)name.len, (const char *)name.at);
    } else if (code == -EDQUOT) {
        call_fail(c, 403, "Too many %ss: a user may keep %d, all users together %d. Delete some first.", kind->word,
                  SAVED_PER_USER, SAVED_PER_KIND);
    } else {
        call_fail(c, 500, "The %s could not be read or written: %s", kind->word, strerrordesc_np(-code));
    }
}

bool kept_find(struct call *c, const struct kept_kind *kind, bool edit, struct saved_rows *ret) {
    int code = saved_by_id(c->api->control, kind->kind, span_text(c->parts[0]), ret);
    if (code) {
        kept_fail(c, kind, (struct span){NULL, 0}, code);
        return false;
    }
    const struct saved *row = &ret->rows[0];
    if (saved_may_edit(row, c->who) || (!edit && saved_may_use(row, c->who))) {
        return true;
    }
    call_fail(c, 403, "Permission denied");
    return false;
}

/* --- lists --- */

struct sort_key {
    const char *name;
    int (*compare)(const struct saved *a, const struct saved *b);
};

static int span_order(struct span a, struct span b) {
    int order = memcmp(a.at ? (const void *)a.at : "", b.at ? (const void *)b.at : "", MIN(a.len, b.len));
    return order ? order : (a.len > b.len) - (a.len < b.len);
}
static int by_name(const struct saved *a, const struct saved *b) {
    return span_order(a->name, b->name);
}
static int by_description(const struct saved *a, const struct saved *b) {
    return span_order(a->description, b->description);
}
static int by_owner(const struct saved *a, const struct saved *b) {
    return span_order(a->owner, b->owner);
}
static int by_type(const struct saved *a, const struct saved *b) {
    return span_order(a->type, b->type);
}
static int by_created(const struct saved *a, const struct saved *b) {
    return (a->created > b->created) - (a->created < b->created);
}
static int by_updated(const struct saved *a, const struct saved *b) {
    return (a->updated > b->updated) - (a->updated < b->updated);
}

static const struct sort_key sort_keys[] = {
    {"name", by_name}, {"description", by_description}, {"user", by_owner},      {"userId", by_owner},
    {"type", by_type}, {"created", by_created},         {"updated", by_updated},
};

struct sort_order {
    const struct sort_key *key;
    bool descending;
};

static int compare_rows(const void *a, const void *b, void *ctx) {
    const struct sort_order *o = ctx;
    int order = o->key->compare(a, b);
    return o->descending ? -order : order;
}

static bool sort_rows(struct call *c, struct saved_rows *rows, bool descending) {
    struct span name = request_param(c->request, "sort");
    struct sort_order order = {&sort_keys[0], descending};
    if (name.len) {
        order.key = NULL;
        for (size_t i = 0; i < ARRAY_LEN(sort_keys); i++) {
            if (span_is(name, sort_keys[i].name)) {
                order.key = &sort_keys[i];
            }
        }
        if (!order.key) {
            call_fail(c, 400, "sort must be name, description, user, type, created or updated");
            return false;
        }
    }
    if (rows->count) {
        qsort_r(rows->rows, rows->count, sizeof(struct saved), compare_rows, &order);
    }
    return true;
}

void kept_list(struct call *c, const struct kept_kind *kind, kept_fits_fn fits, uint64_t length) {
    struct page page;
    if (!input_page(c, length, &page)) {
        return;
    }
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    int code = saved_all(c->api->control, kind->kind, &rows);
    if (code) {
        kept_fail(c, kind, (struct span){NULL, 0}, code);
        return;
    }
    bool all = input_flag(c, "all") && (c->who->rights & RIGHT_ADMIN);
    struct span term = request_param(c->request, "searchTerm");
    size_t total = 0, kept = 0;
    for (size_t i = 0; i < rows.count; i++) {
        const struct saved *s = &rows.rows[i];
        if (!all && !saved_may_use(s, c->who)) {
            continue;
        }
        total++;
        bool found = search_fits(term, s->name) || search_fits(term, s->description) || search_fits(term, s->owner);
        if (found && (!fits || fits(s, c))) {
            rows.rows[kept++] = *s;
        }
    }
    rows.count = kept;
    if (!sort_rows(c, &rows, page.descending)) {
        return;
    }
    size_t from, count = page_part(&page, kept, &from);
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, true);
    json_key(&j, "data");
    json_open(&j, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(&j, '{');
        kind->write(&j, &rows.rows[from + i], c);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key(&j, "recordsTotal");
    json_u64(&j, total);
    json_key(&j, "recordsFiltered");
    json_u64(&j, kept);
    json_close(&j, '}');
    c->records_returned = (int64_t)count;
    c->records_filtered = (int64_t)kept;
    c->records_total = (int64_t)total;
}

int kept_array(const struct call *c, const struct kept_kind *kind, bool all, struct json *j) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    int code = saved_all(c->api->control, kind->kind, &rows);
    json_open(j, '[');
    for (size_t i = 0; code == 0 && i < rows.count; i++) {
        if (all || saved_may_use(&rows.rows[i], c->who)) {
            json_open(j, '{');
            kind->write(j, &rows.rows[i], c);
            json_close(j, '}');
        }
    }
    json_close(j, ']');
    return code;
}

void kept_array_answer(struct call *c, const struct kept_kind *kind, bool all) {
    struct json j = call_json(c);
    int code = kept_array(c, kind, all, &j);
    if (code) {
        kept_fail(c, kind, (struct span){NULL, 0}, code);
    }
}

void kept_share_write(struct json *j, const struct kept_share_names *names, const struct saved *s) {
    const struct {
        const char *name;
        bool joined;
        struct span lines;
    } lists[] = {{names->users, !names->arrays, s->users},
                 {names->roles, false, s->roles},
                 {names->edit_users, !names->arrays, s->edit_users},
                 {names->edit_roles, false, s->edit_roles}};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        if (lists[i].name) {
            json_key(j, lists[i].name);
            (lists[i].joined ? lines_write_joined : lines_write)(j, lists[i].lines);
        }
    }
}

/* --- deletion --- */

void kept_delete(struct call *c, const struct kept_kind *kind) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    if (!kept_find(c, kind, true, &rows)) {
        return;
    }
    int code = saved_delete(c->api->control, kind->kind, rows.rows[0].id);
    if (code) {
        kept_fail(c, kind, rows.rows[0].name, code);
        return;
    }
    char text[64];
    (void)snprintf(text, sizeof(text), "Deleted %s!", kind->word);
    call_done(c, text);
}
