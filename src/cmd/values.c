/* values.c: see values.h. */
#include "cmd/values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "pipeline/walk.h"
#include "query/query.h"
#include "record/document.h"

#define NS_PER_MS 1000000

/* What is no UTF-8 is taken for Latin-1, as in documents. */
static void text_value(const struct field *f, struct span text, struct buf *out) {
    if ((f->flags & F_UTF8) || utf8_valid(text)) {
        buf_add_span(out, text);
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c >= 0x80) {
            buf_add_byte(out, (uint8_t)(0xc0 | c >> 6));
            c = 0x80 | (c & 0x3f);
        }
        buf_add_byte(out, c);
    }
}

void value_text(const struct show *show, const struct field *f, const struct value *v, struct buf *out) {
    switch ((enum field_type)f->type) {
    case FT_TIME:
        show_time(show, (int64_t)v->u64 * NS_PER_MS, TIME_DATE | TIME_CLOCK | TIME_OFFSET | TIME_ISO, out);
        break;
    case FT_U64:
    case FT_I64:
    case FT_FLOAT:
    case FT_BOOL:
    case FT_IP:
    case FT_MAC:
        value_write(f, v, out);
        break;
    case FT_OBJECT:
    case FT_UNION:
        break;
    default:
        text_value(f, v->bytes, out);
    }
}

/* --- columns --- */

static int column_add(const struct registry *registry, struct span name, struct column *c, int depth) {
    uint16_t id = registry_by_name(registry, name);
    const struct field *f = registry_field(registry, id);
    if (!f || depth > 4) {
        return -ENOENT;
    }
    if (f->type == FT_OBJECT) {
        return -EISDIR;
    }
    if (f->type != FT_UNION) {
        /* an alias of a stored field has its path: the values are there */
        uint16_t stored = f->flags & F_VIRTUAL ? registry_by_path(registry, span_text(f->def->path)) : id;
        f = stored == FIELD_NONE ? f : registry_field(registry, stored);
        if (c->count < COLUMN_MEMBERS_MAX) {
            c->fields[c->count++] = f;
            c->is_text |= f->type >= FT_KEYWORD && f->type <= FT_TEXT;
        }
        return 0;
    }
    for (const char *at = f->def->members; *at;) {
        size_t len = strcspn(at, ",");
        (void)column_add(registry, span_trim(span_make(at, len)), c, depth + 1); /* a member may not be compiled in */
        at += len + (at[len] == ',');
    }
    return 0;
}

/* Expressions know the name, for all fields of a kind: host, asn. */
static bool is_family(const struct registry *registry, struct span name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    struct query *q = NULL;
    _cleanup_(buf_done) struct buf question;
    buf_init(&question, 128);
    buf_add_span(&question, name);
    buf_add_text(&question, " == EXISTS!");
    bool plain = true;
    for (size_t i = 0; i < name.len; i++) {
        plain = plain && name.at[i] && strchr(letters, name.at[i]);
    }
    bool is = plain && !question.overflowed && query_parse(buf_span(&question), registry, 0, &q, NULL) == 0;
    query_free(q);
    return is;
}

int column_find(const struct registry *registry, const char *name, struct column *ret, struct err *ret_err) {
    *ret = (struct column){0};
    (void)snprintf(ret->name, sizeof(ret->name), "%s", name);
    if (strcmp(name, "id") == 0) {
        ret->is_id = true;
        return 0;
    }
    int code = column_add(registry, span_text(name), ret, 0);
    if (code == -EISDIR) {
        return err_set(ret_err, -EINVAL, "\"%s\" is a group of fields: name one of them", name);
    }
    if (code < 0) {
        const char *near = registry_nearest(registry, span_text(name));
        if (is_family(registry, span_text(name))) {
            (void)err_set(ret_err, -EINVAL, "\"%s\" is no single field: name those you want", name);
            err_hint(ret_err, "`seine fields %s` lists them", name);
            return -EINVAL;
        }
        (void)err_set(ret_err, -EINVAL, "there is no field \"%s\"", name);
        err_hint(ret_err, near ? "did you mean \"%s\"?" : "`seine fields` lists them", near);
        return -EINVAL;
    }
    return 0;
}

struct joining {
    const struct show *show;
    struct buf *out;
    bool any;
};

static bool join(void *ctx, const struct field *f, const struct value *v) {
    struct joining *j = ctx;
    if (j->any) {
        buf_add_byte(j->out, ';');
    }
    value_text(j->show, f, v, j->out);
    j->any = true;
    return true;
}

void column_text(const struct show *show, const struct column *c, const struct record *r, struct buf *out) {
    if (c->is_id) {
        char id[DOCUMENT_ID_MAX];
        record_document_id(r, id);
        buf_add_text(out, id);
        return;
    }
    struct joining j = {show, out, false};
    for (size_t i = 0; i < c->count; i++) {
        record_values(r, c->fields[i], join, &j);
    }
}
