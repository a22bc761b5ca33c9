/* one.c: see one.h. */
#include "api/one.h"

#include <errno.h>

#include "base/util.h"

static int find_capture(void *ctx, uint32_t number, struct capture_known *ret) {
    const struct file_names *files = ctx;
    const char *name = file_names_get(files, number);
    if (!name) {
        return -ENOENT;
    }
    *ret = (struct capture_known){name, file_names_size(files, number), file_names_modified(files, number)};
    return 0;
}

struct captures *captures_of(struct file_names *files) {
    return captures_new(find_capture, files);
}

static int one_read(struct one *o, bool all) {
    const struct search_row *rows;
    size_t count = 0;
    struct ask *a = &o->ask;
    const struct registry *r = a->registry;
    const uint16_t wanted[] = {registry_by_path(r, SPAN_LITERAL("tags")), registry_by_path(r, SPAN_LITERAL("node"))};
    int code = ask_run(a);
    a->from = 0;
    a->length = 1;
    code = code < 0 ? code : ask_rows(a, &rows, &count);
    if (code == 0 && count == 0) {
        return err_set(&a->err, -ENOENT, "Session not found");
    }
    struct search_row row = code == 0 ? rows[0] : (struct search_row){.seq = 0};
    code = code < 0 ? code
                    : restorer_new(a->snapshot, all ? NULL : wanted, all ? 0 : ARRAY_LEN(wanted), true, &o->restorer);
    code = code < 0 ? code : restorer_read(o->restorer, row.part, row.row, &o->record);
    if (code == 0) {
        o->files = file_names_new(a->call->api->control);
        o->captures = o->files ? captures_of(o->files) : NULL;
        code = o->captures ? 0 : -ENOMEM;
    }
    return code;
}

int one_open(struct one *o, struct call *c, const char *id, bool all) {
    *o = (struct one){.opened = true};
    int code = ask_open(&o->ask, c, &(struct ask_rules){.only = id, .unordered = true});
    if (code == 0) {
        code = one_read(o, all);
    }
    if (code < 0) {
        call_fail(c, ask_status(code), "%s", ask_why(&o->ask, code));
    }
    return code;
}

void one_close(struct one *o) {
    if (o->opened) {
        captures_free(o->captures);
        file_names_free(o->files);
        restorer_free(o->restorer);
        ask_close(&o->ask);
    }
}

/* --- sides --- */

static bool add_piece(void *ctx, const struct conversation_piece *p) {
    struct sides *s = ctx;
    struct buf *to = &s->bytes[p->side];
    if (p->gap && p->gap <= ONE_GAP_FILLED) {
        uint8_t *zeros = buf_reserve(to, (size_t)p->gap);
        if (zeros) {
            memset(zeros, 0, (size_t)p->gap);
            to->len += (size_t)p->gap;
        }
    }
    if (to->len + p->bytes.len > ONE_SIDE_MAX) {
        s->cut = true;
        return !(s->bytes[!p->side].len >= ONE_SIDE_MAX);
    }
    buf_add_span(to, p->bytes);
    return true;
}

int one_sides(struct one *o, struct sides *ret) {
    *ret = (struct sides){.cut = false};
    struct conversation_hooks hooks = {ret, NULL, add_piece};
    buf_init(&ret->bytes[0], ONE_SIDE_MAX + ONE_GAP_FILLED);
    buf_init(&ret->bytes[1], ONE_SIDE_MAX + ONE_GAP_FILLED);
    return conversation_read(o->captures, o->record, 0, &hooks, &ret->result);
}

void sides_done(struct sides *s) {
    buf_done(&s->bytes[0]);
    buf_done(&s->bytes[1]);
}
