/* ask.c: see ask.h: parameters to a search. */
#include "api/ask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/saved.h"
#include "api/seen.h"
#include "base/util.h"
#include "record/values.h"

#define LENGTH_DEFAULT 100
#define POOL_MAX ((size_t)64 << 20)
#define ROOTS_MAX ((size_t)100000) /* sessions in pieces whose other pieces are looked for */
#define ROOTS_TEXT_MAX ((size_t)1 << 20)

int64_t now_ms(void) {
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* --- parameters --- */

static bool is_list(const struct request *q, const char *name) {
    struct span value = request_param(q, name);
    int first = span_byte(value, 0);
    return request_param_is_json(q, name) && (first == '[' || first == '{');
}

static int read_window(struct ask *a, const struct ask_rules *rules) {
    const struct call *c = a->call;
    const struct request *q = c->request;
    double hours = c->who->time_limit;
    struct window_input in = {
        .date = request_param(q, "date"),
        .start = request_param(q, "startTime"),
        .stop = request_param(q, "stopTime"),
        .bounding = request_param(q, "bounding"),
        .interval = request_param(q, "interval"),
        .start_is_list = is_list(q, "startTime"),
        .stop_is_list = is_list(q, "stopTime"),
        .strictly = call_bool(c, "strictly", false),
        .spanning = a->spanning,
        .all_segments = a->segments == SEGMENTS_ALL,
        .everything = rules->everything,
    };
    int64_t now = now_ms();
    int code = window_read(&in, now, &a->window, &a->err);
    const struct window *w = &a->window;
    double asked = ((double)(w->open ? now : w->stop_ms) - (double)w->start_ms) / 3600000;
    if (code == 0 && hours > 0 && !a->by_ids && (!w->bounded || asked > hours)) {
        return err_set(&a->err, -EACCES, "User time limit (%g hours) exceeded", hours);
    }
    return code;
}

static enum ask_segments read_segments(const struct call *c) {
    const char *text = call_text(c, "segments", "no");
    return strcmp(text, "all") == 0 ? SEGMENTS_ALL : strcmp(text, "time") == 0 ? SEGMENTS_TIME : SEGMENTS_NO;
}

/* Leading digits; anything else is the default, as ever. */
static uint64_t read_number(const struct call *c, const char *name, uint64_t fallback) {
    struct span text = span_trim(request_param(c->request, name));
    uint64_t value = 0;
    size_t i = 0;
    for (; span_byte(text, i) >= '0' && span_byte(text, i) <= '9'; i++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.at[i] - '0'), &value)) {
            return UINT64_MAX;
        }
    }
    return i ? value : fallback;
}

static bool is_descending(struct span direction) {
    return span_equal_fold(span_trim(direction), SPAN_LITERAL("desc"));
}

static int add_order(struct ask *a, struct span name, bool descending) {
    struct query_field field;
    if (a->order_count == ASK_ORDER_MAX || name.len == 0) {
        return 0;
    }
    int code = ask_field(a, name, &field);
    if (code < 0) {
        return code;
    }
    a->order[a->order_count++] = (struct search_order){field, descending};
    return 0;
}

/* `field:asc,field2:desc` */
static int read_order(struct ask *a) {
    const struct request *q = a->call->request;
    struct span rest = request_param(q, "order");
    if (request_param_is_json(q, "order")) {
        return err_set(&a->err, -EINVAL, "order must be a string");
    }
    int code = 0;
    while (rest.len && code == 0) {
        size_t comma = span_find_byte(rest, 0, ',');
        struct span item = span_trim(span_sub(rest, 0, comma));
        rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
        size_t colon = item.len;
        while (colon && item.at[colon - 1] != ':') {
            colon--;
        }
        struct span name = colon ? span_sub(item, 0, colon - 1) : item;
        code = add_order(a, name, colon && is_descending(span_from(item, colon)));
    }
    return code;
}

/* What tables of old send: iSortingCols, iSortCol_n, mDataProp_n, sSortDir_n. */
static int read_order_columns(struct ask *a) {
    const struct request *q = a->call->request;
    uint64_t count = MIN(read_number(a->call, "iSortingCols", 0), (uint64_t)ASK_ORDER_MAX);
    int code = 0;
    for (unsigned i = 0; i < count && code == 0; i++) {
        char key[48], column[48];
        (void)snprintf(key, sizeof(key), "iSortCol_%u", i);
        (void)snprintf(column, sizeof(column), "mDataProp_%llu", (unsigned long long)read_number(a->call, key, 0));
        (void)snprintf(key, sizeof(key), "sSortDir_%u", i);
        code = add_order(a, span_trim(request_param(q, column)), is_descending(request_param(q, key)));
    }
    return code;
}

static int read_orders(struct ask *a) {
    int code = read_order(a);
    if (code == 0 && a->order_count == 0) {
        code = read_order_columns(a);
    }
    if (code == 0 && a->order_count == 0) {
        code = add_order(a, SPAN_LITERAL("firstPacket"), false);
    }
    return code;
}

/* --- ids --- */

struct ids {
    struct ask *a;
    size_t room;
    int code;
};

static bool add_id(void *ctx, struct span item) {
    struct ids *ids = ctx;
    struct ask *a = ids->a;
    uint64_t seq;
    item = span_trim(item);
    if (item.len == 0) {
        return true;
    }
    if (!session_name_parse(item, &seq)) {
        ids->code =
            err_set(&a->err, -EINVAL, "%.*s is no session id", (int)MIN(item.len, (size_t)60), (const char *)item.at);
        return false;
    }
    if (a->seq_count == ids->room) {
        size_t room = ids->room * 2;
        uint64_t *more = a->seq_count < ASK_IDS_MAX ? reallocarray(a->seqs, room, sizeof(*more)) : NULL;
        if (!more) {
            ids->code = err_set(&a->err, -E2BIG, "more than %zu session ids", a->seq_count);
            return false;
        }
        a->seqs = more;
        ids->room = room;
    }
    a->seqs[a->seq_count++] = seq;
    return true;
}

static int by_number(const void *x, const void *y) {
    uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;
    return a < b ? -1 : a > b;
}

static size_t sort_unique(uint64_t *list, size_t count) {
    size_t kept = 0;
    if (count) {
        qsort(list, count, sizeof(*list), by_number);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || list[kept - 1] != list[i]) {
            list[kept++] = list[i];
        }
    }
    return kept;
}

/* Who names sessions means these: when the list turns out empty, none, never all of them. */
static int read_ids(struct ask *a, const struct ask_rules *rules) {
    struct ids ids = {.a = a};
    if (!rules->only && (!rules->ids || request_param(a->call->request, "ids").len == 0)) {
        return 0;
    }
    a->by_ids = true;
    a->seqs = calloc(1, sizeof(*a->seqs));
    ids.room = 1;
    if (!a->seqs) {
        return -ENOMEM;
    }
    if (rules->only) {
        (void)add_id(&ids, span_text(rules->only));
        return ids.code < 0 || a->seq_count == 0 ? err_set(&a->err, -ENOENT, "Session not found") : 0;
    }
    (void)call_list(a->call, "ids", add_id, &ids);
    a->seq_count = sort_unique(a->seqs, a->seq_count);
    return ids.code;
}

/* --- expressions --- */

static int add_query(struct ask *a, struct span text, bool forced) {
    struct query *q = NULL;
    int code = ask_parse(a, text, forced, &q, &a->err);
    if (code == 0) {
        a->queries[a->query_count++] = q;
    }
    return code;
}

static int read_view(struct ask *a) {
    struct span view = span_trim(request_param(a->call->request, "view"));
    struct buf text;
    if (view.len == 0) {
        return 0;
    }
    buf_init(&text, QUERY_TEXT_MAX);
    int code = saved_view(a->call->api->control, a->call->who, view, &text);
    if (code < 0) {
        code = err_set(&a->err, code == -ENOENT ? -EINVAL : code, "Can't find view");
    } else {
        code = add_query(a, buf_span(&text), false);
    }
    buf_done(&text);
    return code;
}

static int read_expressions(struct ask *a, bool forced_only) {
    const struct call *c = a->call;
    struct span text = request_param(c->request, "expression");
    const char *forced = c->who->expression;
    int code = 0;
    if (!forced_only && request_param_is_json(c->request, "expression")) {
        return err_set(&a->err, -EINVAL, "Expression needs to be a string");
    }
    if (!forced_only && text.len) {
        code = add_query(a, text, false);
    }
    if (code == 0 && !forced_only) {
        code = read_view(a);
    }
    if (code == 0 && forced && forced[0]) {
        code = add_query(a, span_text(forced), true);
    }
    return code;
}

int ask_open(struct ask *a, struct call *c, const struct ask_rules *rules) {
    *a = (struct ask){.call = c};
    pool_init(&a->pool, POOL_MAX);
    arena_init(&a->arena, &a->pool, 4096, POOL_MAX);
    a->snapshot = store_snapshot(c->api->store);
    a->registry = snapshot_registry(a->snapshot);
    a->spanning = call_bool(c, "spanning", false);
    a->facets = call_bool(c, "facets", false);
    a->map = call_bool(c, "map", false);
    a->flatten = call_bool(c, "flatten", false);
    a->segments = rules->all_pieces ? SEGMENTS_ALL : rules->only ? SEGMENTS_NO : read_segments(c);
    a->from = read_number(c, "start", 0);
    a->length = read_number(c, "length", rules->length ? rules->length : LENGTH_DEFAULT);
    a->length = MIN(a->length, rules->cap ? rules->cap : (uint64_t)c->api->settings->max_sessions);
    int code = read_ids(a, rules);
    if (code == 0) {
        code = read_window(a, rules);
    }
    if (code == 0) {
        code = rules->unordered ? 0 : read_orders(a);
    }
    if (code == 0) {
        code = read_expressions(a, a->by_ids || rules->no_expression);
    }
    if (code < 0 && !a->err.text[0]) {
        (void)err_set(&a->err, code, "%s", ask_why(a, code));
    }
    return code;
}

void ask_close(struct ask *a) {
    a->search = search_free(a->search);
    for (size_t i = 0; i < a->query_count; i++) {
        query_free(a->queries[i]);
    }
    for (size_t i = 0; i < a->extra_count; i++) {
        query_free(a->extra[i]);
    }
    a->snapshot = snapshot_unref(a->snapshot);
    free(a->seqs);
    arena_done(&a->arena);
    pool_done(&a->pool);
}

/* --- searching --- */

static int search_start(struct ask *a, const struct search_options *options, struct search **ret_search) {
    struct search *s = NULL;
    int code = search_new(options, &s, &a->err);
    if (code == 0) {
        code = search_run(s);
    }
    if (code < 0) {
        s = search_free(s);
        if (!a->err.text[0]) {
            (void)err_set(&a->err, code, "%s", ask_why(a, code));
        }
    }
    *ret_search = s;
    return code;
}

static struct search_options options_for(struct ask *a, const struct window *w) {
    const struct api *api = a->call->api;
    struct search_options o = {.snapshot = a->snapshot,
                               .cancelled = call_cancelled,
                               .ctx = a->call,
                               .deadline_ms = api->settings->query_seconds * 1000};
    for (size_t i = 0; i < a->query_count; i++) {
        o.queries[i] = a->queries[i];
    }
    if (a->by_ids) {
        o.seqs = a->seqs;
        o.seq_count = a->seq_count;
    } else if (w->bounded) {
        o.bounded = true;
        o.start_ms = w->start_ms;
        o.stop_ms = w->stop_ms;
        o.bounding = w->bounding;
    }
    return o;
}

int ask_search(struct ask *a, const struct ask_variant *variant, struct search **ret_search) {
    struct search_options o = options_for(a, variant->window ? variant->window : &a->window);
    struct query *more = NULL;
    int code = 0;
    if (variant->expression.len && a->extra_count == ASK_EXTRA_MAX) {
        return -E2BIG;
    }
    if (variant->expression.len) {
        code = ask_parse(a, variant->expression, false, &more, &a->err);
        o.queries[a->query_count] = more;
    }
    if (more) {
        a->extra[a->extra_count++] = more;
    }
    if (code == 0) {
        code = search_start(a, &o, ret_search);
    }
    return code;
}

/* --- other pieces of long sessions --- */

struct roots {
    struct buf text; /* an expression */
    size_t count;
    bool too_many;
};

static bool add_root(void *ctx, const struct field *f, const struct value *v) {
    struct roots *r = ctx;
    (void)f;
    r->too_many |= r->count == ROOTS_MAX;
    if (!r->too_many) {
        buf_add_text(&r->text, r->count++ ? "," : "rootId == [");
        buf_add_span(&r->text, v->bytes);
    }
    return !r->too_many;
}

struct gather {
    uint64_t *list;
    size_t count, room;
    bool failed;
};

static bool add_seq(void *ctx, const struct search_row *row) {
    struct gather *g = ctx;
    if (g->count == g->room) {
        size_t room = g->room ? g->room * 2 : 256;
        uint64_t *more = g->count < ASK_IDS_MAX * 4 ? reallocarray(g->list, room, sizeof(*more)) : NULL;
        if (!more) {
            g->failed = true;
            return false;
        }
        g->list = more;
        g->room = room;
    }
    g->list[g->count++] = row->seq;
    return true;
}

static int read_roots(struct ask *a, struct roots *roots) {
    const struct field *f = registry_field(a->registry, registry_by_path(a->registry, SPAN_LITERAL("rootId")));
    const struct search_row *rows;
    struct restorer *restorer = NULL;
    size_t count = 0;
    int code = f ? restorer_new(a->snapshot, &f->id, 1, false, &restorer) : -ENOENT;
    if (code == 0) {
        code = ask_rows(a, &rows, &count);
    }
    for (size_t i = 0; code == 0 && i < count && !roots->too_many; i++) {
        const struct record *r;
        code = restorer_read(restorer, rows[i].part, rows[i].row, &r);
        if (code == 0) {
            record_values(r, f, add_root, roots);
        }
    }
    restorer_free(restorer);
    buf_add_text(&roots->text, "]");
    if (code == 0 && (roots->too_many || roots->text.overflowed)) {
        return err_set(&a->err, -E2BIG, "too many long sessions to find all pieces of: choose fewer");
    }
    return code;
}

/* Sessions that share a root with one found become part of the result; they are then known by number. */
static int add_segments(struct ask *a) {
    struct roots roots = {.count = 0};
    struct gather all = {0};
    struct search *pieces = NULL;
    struct query *q = NULL;
    buf_init(&roots.text, ROOTS_TEXT_MAX);
    int code = read_roots(a, &roots);
    if (code == 0 && roots.count) {
        struct search_options o = options_for(a, &a->window);
        code = ask_parse(a, buf_span(&roots.text), true, &q, &a->err);
        memset(o.queries, 0, sizeof(o.queries));
        o.queries[0] = q;
        o.seqs = NULL;
        o.bounded = o.bounded && a->segments == SEGMENTS_TIME;
        code = code < 0 ? code : search_start(a, &o, &pieces);
        code = code < 0 ? code : search_each(a->search, add_seq, &all);
        code = code < 0 ? code : search_each(pieces, add_seq, &all);
        code = code == 0 && all.failed ? err_set(&a->err, -E2BIG, "too many sessions with all their pieces") : code;
    }
    search_free(pieces);
    query_free(q);
    buf_done(&roots.text);
    if (code < 0 || roots.count == 0) {
        free(all.list);
        return code;
    }
    free(a->seqs);
    a->seqs = all.list;
    a->seq_count = sort_unique(all.list, all.count);
    struct search_options o = options_for(a, &a->window);
    memset(o.queries, 0, sizeof(o.queries));
    if (a->call->who->expression && a->call->who->expression[0]) {
        o.queries[0] = a->queries[a->query_count - 1]; /* the forced one is the last */
    }
    o.seqs = a->seqs;
    o.seq_count = a->seq_count;
    o.bounded = false;
    a->search = search_free(a->search);
    return search_start(a, &o, &a->search);
}

int ask_run(struct ask *a) {
    struct search_options o = options_for(a, &a->window);
    int code = search_start(a, &o, &a->search);
    if (code == 0 && a->segments != SEGMENTS_NO) {
        code = add_segments(a);
    }
    return code;
}

void ask_count(struct ask *a, uint64_t returned) {
    a->call->records_returned = (int64_t)returned;
    a->call->records_filtered = a->search ? (int64_t)search_count(a->search) : 0;
    a->call->records_total = (int64_t)ask_total(a);
}

uint64_t ask_total(struct ask *a) {
    const char *forced = a->call->who->expression;
    if (!*forced) {
        return snapshot_rows(a->snapshot);
    }
    if (!a->total_known) { /* how many there are is no business of those who may not see them */
        a->total_known = true;
        a->total = seen_count(a, forced);
    }
    return a->total;
}

int ask_rows(struct ask *a, const struct search_row **ret_rows, size_t *ret_count) {
    struct search_page page = {0};
    int code = search_rows(a->search, a->order, a->order_count, a->from, a->length, &page);
    *ret_rows = page.rows;
    *ret_count = page.count;
    return code;
}

int ask_seqs(struct ask *a, uint64_t **ret_seqs, size_t *ret_count) {
    const struct search_row *rows;
    size_t count;
    int code = ask_rows(a, &rows, &count);
    *ret_seqs = code == 0 ? calloc(count + 1, sizeof(uint64_t)) : NULL;
    *ret_count = 0;
    for (size_t i = 0; *ret_seqs && i < count; i++) {
        (*ret_seqs)[(*ret_count)++] = rows[i].seq;
    }
    return code < 0 ? code : *ret_seqs ? 0 : -ENOMEM;
}

int ask_time_edge(struct ask *a, const char *path, bool latest, uint64_t *ret_ms) {
    const struct field *f = registry_field(a->registry, registry_by_path(a->registry, span_text(path)));
    struct search_order order = {.field = {.field = f}, .descending = latest};
    struct search_page page = {0};
    struct restorer *restorer = NULL;
    const struct record *r;
    *ret_ms = 0;
    int code = search_rows(a->search, &order, 1, 0, 1, &page);
    if (code < 0 || page.count == 0) {
        return code;
    }
    code = restorer_new(a->snapshot, &f->id, 1, false, &restorer);
    code = code < 0 ? code : restorer_read(restorer, page.rows[0].part, page.rows[0].row, &r);
    if (code == 0) {
        struct value v = {.type = FT_TIME};
        *ret_ms = f->def->get(r, &v) ? v.u64 : 0;
    }
    restorer_free(restorer);
    return code;
}

/* --- failures --- */

bool ask_restart(struct call *c) {
    if (!reply_restart(c->reply)) {
        reply_abort(c->reply);
        return false;
    }
    call_headers(c);
    return true;
}

const char *ask_why(struct ask *a, int code) {
    if (a->err.text[0]) {
        return a->err.text;
    }
    switch (code) {
    case -ECANCELED:
        return "the query was cancelled";
    case -ETIMEDOUT:
        return "the query took too long: narrow it down, or raise queryTimeout";
    case -E2BIG:
        return "the answer needs more memory than a query may have: narrow it down";
    case -EBADMSG:
        return "the store is damaged: `seine store fsck` says where";
    case -ENOMEM:
        return "no memory for the query";
    default:
        return "the query failed";
    }
}

int ask_status(int code) {
    switch (code) {
    case -EINVAL:
        return 400;
    case -EACCES:
        return 403;
    case -ENOENT:
        return 404;
    case -E2BIG:
        return 413;
    case -ECANCELED:
    case -ETIMEDOUT:
    case -ENOMEM:
        return 503;
    default:
        return 500;
    }
}
