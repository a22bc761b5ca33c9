/* history.c: see history.h. */
#include "api/history.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "api/input.h"
#include "api/saved.h"
#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"
#include "http/params.h"

#define HISTORY_TRIM 1000 /* rows between two looks at HISTORY_MAX */

enum row_text {
    ROW_METHOD,
    ROW_USER,
    ROW_API,
    ROW_QUERY,
    ROW_EXPRESSION,
    ROW_FORCED,
    ROW_VIEW_NAME,
    ROW_VIEW_EXPRESSION,
    ROW_BODY,
    ROW_PAGE,
    ROW_ADDRESS,
    ROW_TEXTS
};
enum row_number { ROW_RANGE, ROW_RETURNED, ROW_FILTERED, ROW_TOTAL, ROW_STATUS, ROW_NUMBERS };
#define NUMBER_NONE INT64_MIN

struct row {
    struct row *next;
    int64_t timestamp, took;
    int64_t numbers[ROW_NUMBERS]; /* NUMBER_NONE: there is none */
    struct span texts[ROW_TEXTS]; /* {NULL, 0}: there is none */
    char memory[];
};

struct history {
    struct control *control;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct row *first, *last;
    size_t waiting;
    bool ending;
    atomic_uint_fast64_t lost;
};

/* --- what a row holds --- */

static const char *const secret_names[] = {"password", "passStore",  "currentPassword", "newPassword", "fields",
                                           "token",    "totpSecret", "authToken",       "secret",      "code"};

static bool is_secret(struct span name) {
    for (size_t i = 0; i < ARRAY_LEN(secret_names); i++) {
        if (span_equal_fold(name, span_text(secret_names[i]))) {
            return true;
        }
    }
    return false;
}

static struct span cut(struct span text) {
    if (text.len <= HISTORY_TEXT_MAX) {
        return text;
    }
    size_t len = HISTORY_TEXT_MAX;
    while (len && (text.at[len] & 0xc0) == 0x80) {
        len--;
    }
    return span_sub(text, 0, len);
}

/* The request's JSON body again, without secrets. Nothing for other bodies: their values stand in parameters. */
static void body_write(const struct request *q, struct buf *out) {
    struct span body = request_body(q);
    struct json_index x;
    struct json_error error;
    json_index_init(&x, 1 << 20);
    if (body.len && json_index_build(&x, body, &error) == 0 && json_check(&x, &error) == 0 &&
        json_kind_of(json_root(&x)) == JSON_OBJECT) {
        struct json j = json_over(out);
        struct json_walk walk = json_walk_over(json_root(&x));
        struct span key;
        struct json_ref value;
        json_open(&j, '{');
        while (json_walk_next(&walk, &key, &value)) {
            struct span raw = json_raw_of(value);
            if (is_secret(key) || out->len + key.len + raw.len > HISTORY_TEXT_MAX) {
                continue;
            }
            if (j.comma) {
                buf_add_byte(out, ',');
            }
            buf_add_byte(out, '"');
            buf_add_span(out, key);
            buf_add_text(out, "\":");
            buf_add_span(out, raw);
            j.comma = true;
        }
        json_close(&j, '}');
    }
    json_index_done(&x);
}

/* Forms that name sessions: which ones. */
static void ids_write(const struct request *q, struct buf *out) {
    struct span ids = request_param(q, "ids");
    if (out->len == 0 && ids.len && strcmp(request_method(q), "POST") == 0) {
        struct json j = json_over(out);
        json_open(&j, '{');
        json_key(&j, "ids");
        json_text(&j, span_sub(ids, 0, MIN(ids.len, HISTORY_TEXT_MAX / 2)));
        json_close(&j, '}');
    }
}

/* Seconds the question spans; -1: everything, -2: it has no time. */
static int64_t range_of(const struct request *q) {
    double start, stop, date;
    if (input_number(request_param(q, "startTime"), &start) && input_number(request_param(q, "stopTime"), &stop)) {
        return (int64_t)(fabs(stop - start) < 1e15 ? stop - start : 0);
    }
    if (input_number(request_param(q, "date"), &date)) {
        return date < 0 ? -1 : (int64_t)(date < 1e12 ? date * 3600 : 0);
    }
    return -2;
}

/* The parameters in the request's target as they were sent, without those that hold secrets. */
static void query_write(const struct request *q, struct buf *out) {
    struct span target = span_text(request_target(q));
    size_t mark = span_find_byte(target, 0, '?');
    struct span rest = mark == SPAN_NONE ? (struct span){NULL, 0} : span_from(target, mark + 1);
    while (rest.len) {
        size_t end = span_find_byte(rest, 0, '&');
        struct span pair = end == SPAN_NONE ? rest : span_sub(rest, 0, end);
        rest = end == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, end + 1);
        char name[64];
        size_t equals = span_find_byte(pair, 0, '=');
        struct span sent = span_sub(pair, 0, MIN(equals, sizeof(name)));
        (void)span_copy_to(sent, (uint8_t *)name);
        struct span plain = span_make(name, percent_decode(name, sent.len, true, false));
        if (is_secret(plain) && !span_is(plain, "fields")) {
            continue;
        }
        if (out->len) {
            buf_add_byte(out, '&');
        }
        buf_add_span(out, pair);
    }
}

static struct row *row_make(const struct span texts[ROW_TEXTS]) {
    size_t size = 0;
    for (size_t i = 0; i < ROW_TEXTS; i++) {
        size += texts[i].len;
    }
    struct row *row = malloc(sizeof(*row) + size);
    if (!row) {
        return NULL;
    }
    row->next = NULL;
    uint8_t *at = (uint8_t *)row->memory;
    for (size_t i = 0; i < ROW_TEXTS; i++) {
        row->texts[i] = span_make(texts[i].at ? at : NULL, texts[i].len);
        at = span_copy_to(texts[i], at);
    }
    return row;
}

/* Texts that may be missing: an empty one is none. */
static struct span some(struct span text) {
    return text.len ? cut(text) : (struct span){NULL, 0};
}

struct written {
    struct buf query, body, view;
};

/* A call without endpoint is a login: all that it may say is who tried. */
static struct row *row_of(const struct call *c, int64_t took_ms, const struct written *w) {
    const struct request *q = c->request;
    struct span body = w->body.overflowed ? (struct span){NULL, 0} : buf_span(&w->body);
    struct span view = request_param(q, "view");
    const struct span texts[ROW_TEXTS] = {
        [ROW_METHOD] = span_text(request_method(q)),
        [ROW_USER] = span_text(c->who->id),
        [ROW_API] = c->endpoint        ? cut(span_text(request_path(q)))
                    : c->status == 200 ? SPAN_LITERAL("login")
                                       : SPAN_LITERAL("login failed"),
        [ROW_QUERY] = w->query.len ? cut(buf_span(&w->query)) : SPAN_LITERAL(""),
        [ROW_EXPRESSION] = some(request_param(q, "expression")),
        [ROW_FORCED] = some(span_text(c->who->expression)),
        [ROW_VIEW_NAME] = some(view),
        [ROW_VIEW_EXPRESSION] = some(buf_span(&w->view)),
        [ROW_BODY] = some(body),
        [ROW_PAGE] = some(request_param(q, "uiPage")),
        [ROW_ADDRESS] = some(span_text(request_client(q))),
    };
    struct row *row = row_make(texts);
    if (row) {
        row->timestamp = input_now();
        row->took = MAX(took_ms, 0);
        int64_t range = range_of(q);
        row->numbers[ROW_RANGE] = range == -2 ? NUMBER_NONE : range == -1 ? row->timestamp / 1000 : range;
        row->numbers[ROW_STATUS] = c->status;
        const int64_t counts[] = {c->records_returned, c->records_filtered, c->records_total};
        for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
            row->numbers[ROW_RETURNED + i] = counts[i] < 0 ? NUMBER_NONE : counts[i];
        }
    }
    return row;
}

/* --- into the database --- */

static void number_bind(sqlite3_stmt *s, int index, int64_t number) {
    if (number == NUMBER_NONE) {
        (void)sqlite3_bind_null(s, index);
    } else {
        control_bind_u64(s, index, (uint64_t)number);
    }
}

static int row_insert(struct control *c, const struct row *row) {
    sqlite3_stmt *s = control_prepare(
        c,
        "INSERT INTO history (timestamp, took, range, returned, filtered, total, status, method, user, api, query,"
        " expression, forced, view_name, view_expression, body, page, address)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
        NULL);
    if (!s) {
        return -EIO;
    }
    number_bind(s, 1, row->timestamp);
    number_bind(s, 2, row->took);
    for (int i = 0; i < ROW_NUMBERS; i++) {
        number_bind(s, 3 + i, row->numbers[i]);
    }
    for (int i = 0; i < ROW_TEXTS; i++) {
        control_bind(s, 3 + ROW_NUMBERS + i, row->texts[i]);
    }
    return control_step(s);
}

/* Rows are numbered one by one, so that the oldest to keep is known from the newest. */
static void rows_trim(struct control *c) {
    sqlite3_stmt *s = control_prepare(c, "SELECT max(id), min(id) FROM history", NULL);
    uint64_t last = 0, first = 0;
    if (s && control_step(s) == 1) {
        last = control_u64(s, 0);
        first = control_u64(s, 1);
        (void)sqlite3_reset(s);
    }
    if (last < first + HISTORY_MAX + HISTORY_TRIM) {
        return;
    }
    s = control_prepare(c, "DELETE FROM history WHERE id <= ?", NULL);
    if (s) {
        control_bind_u64(s, 1, last - HISTORY_MAX);
        (void)control_step(s);
    }
}

/* All rows in one transaction; frees them. */
static int rows_store(struct history *h, struct row *rows) {
    if (!rows) {
        return 0;
    }
    control_lock(h->control);
    int code = control_begin(h->control);
    uint64_t count = 0;
    for (const struct row *row = rows; row; row = row->next) {
        code = code < 0 ? code : row_insert(h->control, row);
        count++;
    }
    if (code == 0) {
        rows_trim(h->control);
    }
    int end = control_end(h->control, code == 0);
    control_unlock(h->control);
    if (code < 0 || end < 0) {
        h->lost += count;
    }
    while (rows) {
        struct row *next = rows->next;
        free(rows);
        rows = next;
    }
    return code < 0 ? code : end;
}

static struct row *rows_take(struct history *h) {
    struct row *rows = TAKE(h->first);
    h->last = NULL;
    h->waiting = 0;
    return rows;
}

void history_flush(struct history *h) {
    (void)pthread_mutex_lock(&h->lock);
    struct row *rows = rows_take(h);
    (void)pthread_mutex_unlock(&h->lock);
    (void)rows_store(h, rows);
}

static void *history_run(void *ctx) {
    struct history *h = ctx;
    (void)pthread_mutex_lock(&h->lock);
    while (!h->ending) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += HISTORY_WAIT_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (!h->first) {
            (void)pthread_cond_wait(&h->wake, &h->lock); /* a quiet server does not wake up */
            continue;
        }
        while (!h->ending && pthread_cond_timedwait(&h->wake, &h->lock, &until) == 0) {
        }
        struct row *rows = rows_take(h);
        (void)pthread_mutex_unlock(&h->lock);
        (void)rows_store(h, rows);
        (void)pthread_mutex_lock(&h->lock);
    }
    (void)pthread_mutex_unlock(&h->lock);
    return NULL;
}

int history_new(struct control *control, struct history **ret_history, struct err *ret_err) {
    struct history *h = calloc(1, sizeof(*h));
    if (!h) {
        return err_set(ret_err, -ENOMEM, "no memory for the history of requests");
    }
    h->control = control;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&h->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&h->lock, NULL);
    int code = pthread_create(&h->thread, NULL, history_run, h);
    if (code) {
        (void)pthread_cond_destroy(&h->wake);
        (void)pthread_mutex_destroy(&h->lock);
        free(h);
        return err_set(ret_err, -code, "no thread for the history of requests");
    }
    *ret_history = h;
    return 0;
}

struct history *history_free(struct history *h) {
    if (h) {
        (void)pthread_mutex_lock(&h->lock);
        h->ending = true;
        (void)pthread_cond_signal(&h->wake);
        (void)pthread_mutex_unlock(&h->lock);
        (void)pthread_join(h->thread, NULL);
        history_flush(h);
        (void)pthread_cond_destroy(&h->wake);
        (void)pthread_mutex_destroy(&h->lock);
        free(h);
    }
    return NULL;
}

uint64_t history_lost(const struct history *h) {
    return h->lost;
}

static void row_queue(struct history *h, struct row *row) {
    (void)pthread_mutex_lock(&h->lock);
    bool was_empty = !h->first;
    *(h->last ? &h->last->next : &h->first) = row;
    h->last = row;
    bool full = ++h->waiting >= HISTORY_WAITING_MAX;
    if (was_empty) {
        (void)pthread_cond_signal(&h->wake);
    }
    (void)pthread_mutex_unlock(&h->lock);
    if (full) {
        history_flush(h);
    }
}

static void written_done(struct written *w) {
    buf_done(&w->query);
    buf_done(&w->body);
    buf_done(&w->view);
}

static struct row *row_of_call(const struct call *c, int64_t took_ms) {
    _cleanup_(written_done) struct written w;
    buf_init(&w.query, REQUEST_BODY_MAX);
    buf_init(&w.body, HISTORY_TEXT_MAX + 1024);
    buf_init(&w.view, SAVED_EXPRESSION_MAX + 16);
    struct span name = request_param(c->request, "view");
    if (c->endpoint) {
        query_write(c->request, &w.query);
        body_write(c->request, &w.body);
        ids_write(c->request, &w.body);
        if (name.len && saved_view(c->api->control, c->who, name, &w.view) != 0) {
            buf_clear(&w.view);
        }
    }
    return row_of(c, took_ms, &w);
}

void history_write(struct call *c, int64_t took_ms) {
    struct row *row = row_of_call(c, took_ms);
    if (row) {
        row_queue(c->api->history, row);
    } else {
        c->api->history->lost++;
    }
}

int history_begin(const struct call *c) {
    struct row *row = row_of_call(c, 0);
    if (!row) {
        return -ENOMEM;
    }
    row->numbers[ROW_STATUS] = HISTORY_BEGUN;
    return rows_store(c->api->history, row);
}
