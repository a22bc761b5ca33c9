/* files.c: the capture files whose packets the store's sessions point to. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/input.h"
#include "api/lists.h"
#include "api/shared.h"
#include "base/util.h"

#define FILES_MAX 2000000

struct file_row {
    struct stored_file file; /* its texts are at `names`, one after the other */
    size_t name, node;
};

struct file_rows {
    struct file_row *list;
    size_t count, cap, total;
    struct buf names;
    struct span filter;
    bool failed;
};

static void file_rows_done(struct file_rows *f) {
    free(f->list);
    buf_done(&f->names);
}

static size_t name_keep(struct buf *names, const char *text) {
    size_t at = names->len;
    buf_add(names, text ? text : "", text ? strlen(text) + 1 : 1);
    return at;
}

static bool file_take(void *ctx, const struct stored_file *file) {
    struct file_rows *f = ctx;
    if (file->gone) {
        return true;
    }
    f->total++;
    if (!search_fits(f->filter, span_text(file->name))) {
        return true;
    }
    if (f->count == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 64;
        struct file_row *more = f->count < FILES_MAX ? reallocarray(f->list, cap, sizeof(struct file_row)) : NULL;
        if (!more) {
            f->failed = true;
            return false;
        }
        f->list = more;
        f->cap = cap;
    }
    f->list[f->count++] = (struct file_row){
        .file = *file, .name = name_keep(&f->names, file->name), .node = name_keep(&f->names, file->node)};
    f->failed |= f->names.overflowed;
    return !f->failed;
}

/* --- order --- */

/* How much smaller the file is than the packets in it, in percent: headers of records counted. */
static uint64_t ratio_of(const struct stored_file *f) {
    uint64_t plain = f->packet_bytes + f->packets * 16 + 24;
    return f->compressed && f->size < plain ? 100 - f->size * 100 / plain : 0;
}

static int64_t member(const struct stored_file *f, const char *key) {
    const struct {
        const char *key;
        int64_t value;
    } members[] = {
        {"num", f->number},
        {"locked", f->locked},
        {"first", f->first_ms},
        {"filesize", (int64_t)f->size},
        {"packets", (int64_t)f->packets},
        {"packetsSize", (int64_t)f->packet_bytes},
        {"firstTimestamp", f->first_ms},
        {"lastTimestamp", f->last_ms},
        {"startTimestamp", f->started_ms},
        {"finishTimestamp", f->finished_ms},
        {"sessionsStarted", (int64_t)f->sessions},
        {"cratio", (int64_t)ratio_of(f)},
    };
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        if (strcmp(key, members[i].key) == 0) {
            return members[i].value;
        }
    }
    return -1;
}

static const char *const sort_keys[] = {
    "num",         "name",           "node",          "locked",         "first",           "filesize",        "packets",
    "packetsSize", "firstTimestamp", "lastTimestamp", "startTimestamp", "finishTimestamp", "sessionsStarted", "cratio",
};

struct file_order {
    const char *key;
    bool descending;
};

static int file_compare(const void *a, const void *b, void *ctx) {
    const struct file_row *x = a, *y = b;
    const struct file_order *o = ctx;
    int order;
    if (strcmp(o->key, "name") == 0) {
        order = strcmp(x->file.name, y->file.name);
    } else if (strcmp(o->key, "node") == 0) {
        order = strcmp(x->file.node, y->file.node);
    } else {
        int64_t m = member(&x->file, o->key), n = member(&y->file, o->key);
        order = (m > n) - (m < n);
    }
    order = order ? order : (x->file.number > y->file.number) - (x->file.number < y->file.number);
    return o->descending ? -order : order;
}

static bool order_read(struct call *c, struct file_order *ret) {
    struct span key = request_param(c->request, "sortField");
    ret->key = key.len ? NULL : "num";
    for (size_t i = 0; i < ARRAY_LEN(sort_keys) && !ret->key; i++) {
        ret->key = span_is(key, sort_keys[i]) ? sort_keys[i] : NULL;
    }
    if (!ret->key) {
        call_fail(c, 400, "sortField: files have no such column");
    }
    return ret->key;
}

/* --- the answer --- */

static void u64_member(struct json *j, const char *key, uint64_t value) {
    json_key(j, key);
    json_u64(j, value);
}

static void file_write(struct json *j, const struct stored_file *f) {
    json_open(j, '{');
    u64_member(j, "num", f->number);
    json_key(j, "node");
    json_cstr(j, f->node);
    json_key(j, "name");
    json_cstr(j, f->name);
    u64_member(j, "locked", f->locked);
    json_key(j, "first");
    json_i64(j, f->first_ms / 1000);
    u64_member(j, "filesize", f->size);
    u64_member(j, "packets", f->packets);
    u64_member(j, "packetsSize", f->packet_bytes);
    json_key(j, "packetPosEncoding");
    json_cstr(j, "none");
    if (f->compressed) {
        json_key(j, "compression");
        json_cstr(j, "file");
    }
    json_key(j, "firstTimestamp");
    json_i64(j, f->first_ms);
    json_key(j, "lastTimestamp");
    json_i64(j, f->last_ms);
    json_key(j, "startTimestamp");
    json_i64(j, f->started_ms);
    if (f->complete) {
        json_key(j, "finishTimestamp");
        json_i64(j, f->finished_ms);
    }
    json_key(j, "complete");
    json_bool(j, f->complete);
    u64_member(j, "sessionsStarted", f->sessions);
    u64_member(j, "cratio", ratio_of(f));
    char id[300];
    (void)snprintf(id, sizeof(id), "%.256s-%u", f->node, f->number);
    json_key(j, "id");
    json_cstr(j, id);
    json_close(j, '}');
}

static void file_list(struct call *c) {
    struct page page;
    struct file_order order;
    _cleanup_(file_rows_done) struct file_rows rows = {.filter = request_param(c->request, "filter")};
    buf_init(&rows.names, (size_t)512 << 20);
    if (!input_page(c, 10, &page) || !order_read(c, &order)) {
        return;
    }
    order.descending = page.descending;
    int code = files_each(c->api->control, file_take, &rows);
    if (code < 0 || rows.failed) {
        call_fail(c, 500, "The list of files could not be read");
        return;
    }
    for (size_t i = 0; i < rows.count; i++) {
        rows.list[i].file.name = (char *)rows.names.data + rows.list[i].name;
        rows.list[i].file.node = (char *)rows.names.data + rows.list[i].node;
    }
    if (rows.count) {
        qsort_r(rows.list, rows.count, sizeof(struct file_row), file_compare, &order);
    }
    size_t from, count = page_part(&page, rows.count, &from);
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_open(&j, '[');
    for (size_t i = 0; i < count; i++) {
        file_write(&j, &rows.list[from + i].file);
    }
    json_close(&j, ']');
    u64_member(&j, "recordsTotal", rows.total);
    u64_member(&j, "recordsFiltered", rows.count);
    json_close(&j, '}');
    c->records_returned = (int64_t)count;
    c->records_filtered = (int64_t)rows.count;
    c->records_total = (int64_t)rows.total;
}

static const struct parameter parameters[] = {
    {"filter", PARAM_TEXT, NULL, "only files whose name has this; `*` and `?` as wildcards"},
    {"sortField", PARAM_TEXT, "num", "a column of the answer"},
    {"desc", PARAM_BOOL, "false", "order turned round"},
    {"start", PARAM_NUMBER, "0", "first one of the page"},
    {"length", PARAM_NUMBER, "10", "how many"},
    {0},
};

static const struct endpoint files[] = {
    {"/api/files", "/file/list", API_GET | API_HISTORY | API_SETS_COOKIE, RIGHT_ANY | RIGHT_FILES, file_list,
     parameters, "Capture files",
     "`{data:[{num,node,name,locked,first,filesize,packets,packetsSize,packetPosEncoding,compression,firstTimestamp,"
     "lastTimestamp,startTimestamp,finishTimestamp,complete,sessionsStarted,cratio,id}],recordsTotal,recordsFiltered}`;"
     " "
     "times in ms, `first` in s; `cratio` is what compression saved, in percent."},
};

const struct endpoint_family file_family = {"Capture files", files, ARRAY_LEN(files)};
