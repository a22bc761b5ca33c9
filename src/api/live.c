/* live.c: how a query's result grows while the store is written to: server-sent events (HTML, 9.2). */
#include <errno.h>

#include "api/ask.h"
#include "api/queries.h"
#include "base/util.h"

#define WAIT_MS 500
#define KEEP_MS 15000
#define LIVE_MS (20 * 60 * 1000)

/* The earliest and latest packet of the whole store. */
static void write_span(const struct snapshot *s, struct json *j) {
    uint64_t first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < snapshot_parts(s); i++) {
        const struct part_info *info = part_info(snapshot_part(s, i));
        if (info->rows) {
            first = MIN(first, info->first_min);
            last = MAX(last, info->last_max);
        }
    }
    json_key(j, "first");
    json_u64(j, first == UINT64_MAX ? 0 : first);
    json_key(j, "last");
    json_u64(j, last);
}

static int write_state(struct ask *a) {
    struct buf *out = reply_body(a->call->reply);
    buf_add_text(out, "event: state\ndata: ");
    struct json j = json_over(out);
    json_open(&j, '{');
    json_key(&j, "version");
    json_u64(&j, snapshot_version(a->snapshot));
    bool all = !*a->call->who->expression; /* others have no business with sessions they may not see */
    json_key(&j, "rows");
    json_u64(&j, all ? ask_total(a) : search_count(a->search));
    json_key(&j, "matching");
    json_u64(&j, search_count(a->search));
    if (all) {
        write_span(a->snapshot, &j);
    }
    json_close(&j, '}');
    buf_add_text(out, "\n\n");
    return reply_push_now(a->call->reply);
}

/* One look at the store. `*version`: what was seen. */
static int look(struct call *c, uint64_t *version) {
    struct ask a;
    int code = ask_open(&a, c, &(struct ask_rules){.everything = true, .unordered = true});
    if (code == 0) {
        code = ask_run(&a);
    }
    if (code == 0) {
        *version = snapshot_version(a.snapshot);
        code = write_state(&a);
    } else {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    ask_close(&a);
    return code;
}

static void live(struct call *c) {
    int64_t begin = now_ms(), spoke = begin;
    uint64_t version = 0;
    reply_type(c->reply, "text/event-stream");
    int code = look(c, &version);
    while (code == 0 && now_ms() - begin < LIVE_MS && !call_cancelled(c)) {
        int64_t before = now_ms();
        uint64_t newest = store_wait(c->api->store, version, WAIT_MS);
        if (newest != version) {
            code = look(c, &version);
            spoke = now_ms();
            version = version < newest ? newest : version;
            while (code == 0 && now_ms() - before < WAIT_MS && !call_cancelled(c)) { /* not more often than that */
                (void)store_wait(c->api->store, UINT64_MAX, WAIT_MS / 5);
            }
        } else if (now_ms() - spoke > KEEP_MS) {
            buf_add_text(reply_body(c->reply), ": keep\n\n");
            code = reply_push_now(c->reply);
            spoke = now_ms();
        }
    }
}

static const struct parameter parameters[] = {{.name = NULL}};
static const struct endpoint endpoints[] = {
    {.pattern = "/api/live",
     .flags = API_GET | API_SESSION_QUERY,
     .rights = RIGHT_ANY,
     .function = live,
     .parameters = parameters,
     .title = "How the result grows",
     .help = "Server-sent events `state` with `{version,rows,matching,first,last}`: sessions in the store, those that "
             "match, and the times of the store's first and last packet; with a forced "
             "expression `rows` is those that match and the times are left out. "
             "The first at once, further ones when the store changes, at most two a second. Without a time: "
             "everything."},
};
const struct endpoint_family live_family = {"live", endpoints, ARRAY_LEN(endpoints)};
