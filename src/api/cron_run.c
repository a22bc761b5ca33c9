/* cron_run.c: see cron_run.h. */
#include "api/cron_run.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/ask.h"
#include "api/input.h"
#include "api/kept.h"
#include "api/notify.h"
#include "api/saved.h"
#include "api/shared.h"
#include "base/json_scan.h"
#include "base/util.h"

#define CRON_SECONDS 60
#define CRON_LAG_MS 2000     /* sessions may be seen this much after the time they carry */
#define CRON_BUSY_MS 3600000 /* a server that died with a query in progress keeps it for so long */
#define CRON_DEADLINE_MS 600000
#define CRON_BATCH 4096
#define CRON_NOTIFY_MS 600000 /* notifiers hear of a query this often at most */

struct crons {
    struct api *api;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool woken;
    atomic_bool ending;
};

struct job {
    struct crons *crons;
    const struct saved *cron;
    struct span tags; /* joined by commas */
    int64_t from, to; /* ms; after `from`, up to `to` */
    uint64_t found;
    uint64_t batch[CRON_BATCH];
    size_t count;
    int code;
    struct err err;
};

static bool is_ending(void *ctx) {
    return ((const struct crons *)ctx)->ending;
}

/* --- one query --- */

static void batch_write(struct job *job) {
    struct span rest = job->tags;
    while (rest.len && job->count && job->code == 0) {
        size_t comma = span_find_byte(rest, 0, ',');
        struct span tag = span_trim(span_sub(rest, 0, comma));
        rest = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(rest, comma + 1);
        struct overlay_change change = {job->batch, job->count, OVERLAY_ADD, "tags", tag, ""};
        job->code = tag.len ? overlay_write(job->crons->api->control, &change, &job->err) : 0;
    }
    job->found += job->count;
    job->count = 0;
}

static bool row_take(void *ctx, const struct search_row *row) {
    struct job *job = ctx;
    job->batch[job->count++] = row->seq;
    if (job->count == CRON_BATCH) {
        batch_write(job);
    }
    return job->code == 0;
}

static int job_search(struct job *job, struct snapshot *snapshot, const struct query *const queries[2]) {
    struct search *search = NULL;
    struct search_options options = {.snapshot = snapshot,
                                     .queries = {queries[0], queries[1]},
                                     .bounded = true,
                                     .start_ms = job->from + 1,
                                     .stop_ms = job->to,
                                     .bounding = BOUND_DATABASE,
                                     .cancelled = is_ending,
                                     .ctx = job->crons,
                                     .deadline_ms = CRON_DEADLINE_MS,
                                     .threads = 1};
    int code = search_new(&options, &search, &job->err);
    code = code < 0 ? code : search_run(search);
    code = code < 0 ? code : search_each(search, row_take, job);
    search_free(search);
    batch_write(job);
    if (job->found) {
        (void)store_refresh(job->crons->api->store); /* else the tags are seen a moment later */
    }
    return code < 0 ? code : job->code;
}

/* With the rights of the user whose query it is: forced expression, e-mail, time limit. */
static int job_run_as(struct job *job, const struct principal *who, struct span text) {
    struct snapshot *snapshot = store_snapshot(job->crons->api->store);
    struct call call = {.api = job->crons->api, .who = who, .status = 200};
    struct ask ask = {.call = &call, .registry = snapshot_registry(snapshot)};
    struct query *query = NULL, *forced = NULL;
    if (who->time_limit > 0) {
        job->from = MAX(job->from, input_now() - (int64_t)(who->time_limit * 3600000));
    }
    int code = ask_parse(&ask, text, false, &query, &job->err);
    if (code == 0 && *who->expression) {
        code = ask_parse(&ask, span_text(who->expression), true, &forced, &job->err);
    }
    if (code == 0) {
        const struct query *const queries[2] = {query, forced};
        code = job_search(job, snapshot, queries);
    }
    query_free(query);
    query_free(forced);
    snapshot_unref(snapshot);
    return code;
}

static int job_run(struct job *job) {
    _cleanup_(buf_done) struct buf scratch;
    buf_init(&scratch, SAVED_EXPRESSION_MAX * 2);
    char owner[SAVED_LIST_NAME_MAX + 1];
    (void)snprintf(owner, sizeof(owner), "%.*s", (int)job->cron->owner.len, (const char *)job->cron->owner.at);
    struct principal *who;
    int code = auth_principal(job->crons->api->auth, owner, &who);
    if (code < 0) {
        return err_set(&job->err, code, "its user %s is gone or not enabled", owner);
    }
    job->tags = body_member(job->cron->body, "tags", &scratch);
    code = job_run_as(job, who, body_member(job->cron->body, "query", &scratch));
    auth_release(job->crons->api->auth, who);
    return code;
}

/* --- whose turn it is --- */

/* 1: it is ours, and looked at up to *ret_from. */
static int job_claim(struct control *c, struct span id, int64_t now, int64_t *ret_from) {
    control_lock(c);
    sqlite3_stmt *s =
        control_prepare(c, "UPDATE cron_state SET busy_until = ? WHERE id = ? AND busy_until < ? RETURNING lp", NULL);
    int code = s ? 0 : -EIO;
    if (s) {
        control_bind_u64(s, 1, (uint64_t)(now + CRON_BUSY_MS));
        control_bind(s, 2, id);
        control_bind_u64(s, 3, (uint64_t)now);
        code = control_step(s);
        if (code == 1) {
            *ret_from = (int64_t)control_u64(s, 0);
            int end = control_step(s); /* the change is done when the statement is at its end */
            code = end < 0 ? end : 1;
        }
    }
    control_unlock(c);
    return code;
}

/* A run that failed or was ended is done again from where it began: tags are there once only. */
static void job_finish(const struct job *job, int code) {
    struct control *c = job->crons->api->control;
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c,
                                      "UPDATE cron_state SET lp = max(lp, ?), last_run = ?, count = count + ?,"
                                      " last_count = ?, busy_until = 0, error = ? WHERE id = ?",
                                      NULL);
    if (s) {
        control_bind_u64(s, 1, code == 0 ? (uint64_t)job->to : 0);
        control_bind_u64(s, 2, (uint64_t)input_now());
        control_bind_u64(s, 3, code == 0 ? job->found : 0);
        control_bind_u64(s, 4, code == 0 ? job->found : 0);
        const char *why = code == 0 || code == -ECANCELED ? ""
                          : *job->err.text                ? job->err.text
                                                          : strerrordesc_np(-code);
        control_bind_text(s, 5, why);
        control_bind(s, 6, job->cron->id);
        (void)control_step(s);
    }
    control_unlock(c);
}

/* --- messages --- */

struct told {
    int64_t when_ms;
    uint64_t count, before; /* sessions in all, and when notifiers were told last */
};

static bool told_read(struct control *c, struct span id, struct told *ret) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "SELECT notified, count, notified_count FROM cron_state WHERE id = ?", NULL);
    bool found = false;
    if (s) {
        control_bind(s, 1, id);
        found = control_step(s) == 1;
        *ret =
            found ? (struct told){(int64_t)control_u64(s, 0), control_u64(s, 1), control_u64(s, 2)} : (struct told){0};
        (void)sqlite3_reset(s);
    }
    control_unlock(c);
    return found;
}

static void told_write(struct control *c, struct span id, int64_t now, uint64_t count) {
    control_lock(c);
    sqlite3_stmt *s = control_prepare(c, "UPDATE cron_state SET notified = ?, notified_count = ? WHERE id = ?", NULL);
    if (s) {
        control_bind_u64(s, 1, (uint64_t)now);
        control_bind_u64(s, 2, count);
        control_bind(s, 3, id);
        (void)control_step(s);
    }
    control_unlock(c);
}

/* One notifier, when the query's user may still use it. */
static void tell(const struct job *job, const struct principal *who, struct span id, const char *text) {
    const struct api *api = job->crons->api;
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    if (saved_by_id(api->control, SAVED_NOTIFIER, id, &rows) == 0 && saved_may_use(&rows.rows[0], who)) {
        const struct notice notice = {.text = text, .subject = "Periodic query"};
        (void)notices_post(api->notices, &rows.rows[0], &notice);
    }
}

static void tell_all(const struct job *job, const struct principal *who, struct span list, const struct told *told) {
    struct json_index x;
    struct json_error error;
    struct span key;
    struct json_ref item;
    char text[SAVED_NAME_MAX + 160];
    (void)snprintf(text, sizeof(text), "Periodic query %.*s: %llu new session%s, %llu in all", (int)job->cron->name.len,
                   (const char *)job->cron->name.at, (unsigned long long)(told->count - told->before),
                   told->count - told->before == 1 ? "" : "s", (unsigned long long)told->count);
    json_index_init(&x, 1 << 16);
    if (json_index_build(&x, list, &error) == 0) {
        struct json_walk walk = json_walk_over(json_root(&x));
        while (json_walk_next(&walk, &key, &item)) {
            struct span id = json_raw_of(item);
            tell(job, who, span_sub(id, 1, id.len < 2 ? 0 : id.len - 2), text);
        }
    }
    json_index_done(&x);
}

/* Sessions found since the last message are worth one, unless that was a moment ago. */
static void job_notify(const struct job *job) {
    _cleanup_(buf_done) struct buf scratch;
    buf_init(&scratch, SAVED_EXPRESSION_MAX);
    struct span list = body_member(job->cron->body, "notifier", &scratch);
    struct control *control = job->crons->api->control;
    struct told told;
    struct principal *who;
    int64_t now = input_now();
    if (list.len <= 2 || !told_read(control, job->cron->id, &told) || told.count <= told.before ||
        now - told.when_ms < CRON_NOTIFY_MS) {
        return;
    }
    char owner[SAVED_LIST_NAME_MAX + 1];
    (void)snprintf(owner, sizeof(owner), "%.*s", (int)job->cron->owner.len, (const char *)job->cron->owner.at);
    if (auth_principal(job->crons->api->auth, owner, &who) == 0) {
        tell_all(job, who, list, &told);
        auth_release(job->crons->api->auth, who);
        told_write(control, job->cron->id, now, told.count);
    }
}

static bool is_enabled(const struct saved *cron) {
    _cleanup_(buf_done) struct buf scratch;
    buf_init(&scratch, 64);
    return span_is(body_member(cron->body, "enabled", &scratch), "true");
}

static void crons_pass(struct crons *c) {
    _cleanup_(saved_rows_done) struct saved_rows rows;
    saved_rows_init(&rows);
    struct job *job = calloc(1, sizeof(*job));
    int code = job ? saved_all(c->api->control, SAVED_CRON, &rows) : -ENOMEM;
    for (size_t i = 0; code == 0 && i < rows.count && !c->ending; i++) {
        int64_t now = input_now();
        *job = (struct job){.crons = c, .cron = &rows.rows[i], .to = now - CRON_LAG_MS};
        if (is_enabled(job->cron) && job_claim(c->api->control, job->cron->id, now, &job->from) == 1) {
            int failed = job->from < job->to ? job_run(job) : 0;
            job_finish(job, failed);
            job_notify(job);
        }
    }
    free(job);
}

/* --- the thread --- */

static void *crons_run(void *ctx) {
    struct crons *c = ctx;
    while (!c->ending) {
        crons_pass(c);
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += CRON_SECONDS;
        (void)pthread_mutex_lock(&c->lock);
        while (!c->woken && !c->ending && pthread_cond_timedwait(&c->wake, &c->lock, &until) == 0) {
        }
        c->woken = false;
        (void)pthread_mutex_unlock(&c->lock);
    }
    return NULL;
}

int crons_new(struct api *api, struct crons **ret_crons, struct err *ret_err) {
    struct crons *c = calloc(1, sizeof(*c));
    if (!c) {
        return err_set(ret_err, -ENOMEM, "no memory for periodic queries");
    }
    c->api = api;
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&c->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    (void)pthread_mutex_init(&c->lock, NULL);
    int code = pthread_create(&c->thread, NULL, crons_run, c);
    if (code) {
        (void)pthread_cond_destroy(&c->wake);
        (void)pthread_mutex_destroy(&c->lock);
        free(c);
        return err_set(ret_err, -code, "no thread for periodic queries");
    }
    *ret_crons = c;
    return 0;
}

static void signal_it(struct crons *c, bool end) {
    (void)pthread_mutex_lock(&c->lock);
    c->woken = true;
    c->ending = c->ending || end;
    (void)pthread_cond_signal(&c->wake);
    (void)pthread_mutex_unlock(&c->lock);
}

struct crons *crons_free(struct crons *c) {
    if (c) {
        signal_it(c, true);
        (void)pthread_join(c->thread, NULL);
        (void)pthread_cond_destroy(&c->wake);
        (void)pthread_mutex_destroy(&c->lock);
        free(c);
    }
    return NULL;
}

void crons_wake(struct crons *c) {
    if (c) {
        signal_it(c, false);
    }
}
