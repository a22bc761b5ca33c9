/* unique.c: distinct values as lines of text: of one field, and of several together. */
#include <errno.h>

#include "api/group.h"
#include "api/queries.h"
#include "base/util.h"

#define COMPLETE_MAX 1000

static void fail_text(struct call *c, int status, const char *text) {
    c->status = status;
    if (ask_restart(c)) {
        reply_status(c->reply, status);
        reply_type(c->reply, "text/plain; charset=utf-8");
        buf_add_text(reply_body(c->reply), text);
    }
}

struct unique {
    struct ask a;
    struct group_request q;
    struct groups *g;
    struct key_names names;
    const char *separator; /* between the values of a line */
    bool counts;
    int code;
};

static void unique_done(struct unique *u) {
    groups_free(u->g);
    file_names_free(u->names.files);
    ask_close(&u->a);
}

static int write_lines(struct unique *u) {
    struct reply *r = u->a.call->reply;
    struct buf *out = reply_body(r);
    int code = 0;
    reply_type(r, "text/plain; charset=utf-8");
    for (size_t i = 0; code == 0 && i < u->g->count; i++) {
        const struct group *g = &u->g->list[i];
        for (size_t k = 0; k < u->q.key_count; k++) {
            buf_add_text(out, k ? u->separator : "");
            key_text(&u->names, &u->q.keys[k], &g->keys[k], out);
        }
        if (u->counts) {
            buf_add_text(out, u->separator);
            buf_add_u64(out, g->count);
        }
        buf_add_byte(out, '\n');
        code = reply_push(r);
    }
    ask_count(&u->a, u->g->count);
    return code;
}

static int write_completions(struct unique *u) {
    struct json j = call_json(u->a.call);
    json_open(&j, '[');
    for (size_t i = 0; i < u->g->count; i++) {
        key_json(&u->names, &u->q.keys[0], &u->g->list[i].keys[0], &j);
    }
    json_close(&j, ']');
    return 0;
}

static int unique_run(struct unique *u) {
    int code = ask_run(&u->a);
    u->names.files = file_names_new(u->a.call->api->control);
    u->names.protocols = true;
    return code < 0 ? code : search_groups(u->a.search, &u->q, &u->g);
}

static void unique(struct call *c) {
    const char *name = call_text(c, "exp", call_text(c, "field", NULL));
    bool complete = request_param(c->request, "autocomplete").at != NULL;
    if (!name) {
        fail_text(c, 403, "Missing field or exp parameter");
        return;
    }
    if (complete && !c->api->settings->autocomplete) {
        struct json j = call_json(c);
        json_open(&j, '[');
        json_close(&j, ']');
        return;
    }
    struct unique u = {.separator = ", ",
                       .counts = call_bool(c, "counts", false),
                       .q = {.key_count = 1, .limit = c->api->settings->max_values}};
    u.q.limit = complete ? MIN(u.q.limit, (uint64_t)COMPLETE_MAX) : u.q.limit;
    int code = ask_open(&u.a, c, &(struct ask_rules){.ids = false});
    if (code == 0) {
        code = ask_key(&u.a, span_text(name), &u.q.keys[0]);
        code = code == -ENOENT ? err_set(&u.a.err, -EACCES, "Unknown expression %.80s\n", name) : code;
    }
    if (code == 0) {
        code = unique_run(&u);
    }
    if (code == 0) {
        code = complete ? write_completions(&u) : write_lines(&u);
    }
    if (code < 0 && code != -EPIPE) {
        fail_text(c, code == -EINVAL ? 403 : ask_status(code), ask_why(&u.a, code));
    }
    unique_done(&u);
}

/* --- several fields --- */

static bool add_key(void *ctx, struct span name) {
    struct unique *u = ctx;
    if (u->q.key_count == GROUP_KEYS_MAX) {
        u->code = err_set(&u->a.err, -EINVAL, "More than %u fields", (unsigned)GROUP_KEYS_MAX);
        return false;
    }
    u->code = ask_key(&u->a, name, &u->q.keys[u->q.key_count]);
    if (u->code == -ENOENT) {
        u->code = err_set(&u->a.err, -EINVAL, "Unknown expression %.*s\n", (int)MIN(name.len, (size_t)80),
                          (const char *)name.at);
    }
    u->q.key_count++;
    return u->code == 0;
}

static void multiunique(struct call *c) {
    if (!call_text(c, "exp", NULL)) {
        fail_text(c, 400, "Missing exp parameter");
        return;
    }
    struct unique u = {.separator = call_text(c, "separator", ", "),
                       .counts = call_bool(c, "counts", false),
                       .q = {.limit = c->api->settings->max_values}};
    bool by_field = strcmp(call_text(c, "sort", ""), "field") == 0;
    u.q.sort = by_field ? GROUP_BY_KEY : GROUP_BY_COUNT;
    u.q.ascending = by_field;
    int code = ask_open(&u.a, c, &(struct ask_rules){.ids = false});
    if (code == 0) {
        (void)call_list(c, "exp", add_key, &u);
        code = u.code;
    }
    if (code == 0) {
        code = unique_run(&u);
    }
    if (code == 0) {
        code = write_lines(&u);
    }
    if (code < 0 && code != -EPIPE) {
        fail_text(c, code == -EACCES ? 400 : ask_status(code), ask_why(&u.a, code));
    }
    unique_done(&u);
}

/* --- the table --- */

static const struct parameter unique_parameters[] = {
    {"exp", PARAM_TEXT, NULL,
     "The field, by the name it has in expressions; also `ip.dst:port`, `ip.src:srcPort`, `fileand`"},
    {"field", PARAM_TEXT, NULL, "The field by its path"},
    {"counts", PARAM_BOOL, "0", "With the number of sessions behind each value"},
    {"autocomplete", PARAM_BOOL, NULL, "When given: at most 1,000 values as a JSON array, for completion while typing"},
    {.name = NULL},
};
static const struct parameter multiunique_parameters[] = {
    {"exp", PARAM_LIST, NULL, "Up to 8 fields"},
    {"counts", PARAM_BOOL, "0", "With the number of sessions"},
    {"separator", PARAM_TEXT, ", ", "Between the values of a line"},
    {"sort", PARAM_TEXT, NULL, "`field`: by values; else by number of sessions"},
    {.name = NULL},
};

#define UNIQUE_FLAGS (API_GET | API_POST | API_SESSION_QUERY | API_HISTORY)
static const struct endpoint endpoints[] = {
    {.pattern = "/api/unique",
     .aliases = "/unique.txt",
     .flags = UNIQUE_FLAGS,
     .rights = RIGHT_ANY,
     .function = unique,
     .parameters = unique_parameters,
     .title = "Distinct values of a field",
     .help = "Text, a line for each value: `value` or `value, count`; at most `maxAggSize`. Errors are text with 403."},
    {.pattern = "/api/multiunique",
     .aliases = "/multiunique.txt",
     .flags = UNIQUE_FLAGS,
     .rights = RIGHT_ANY,
     .function = multiunique,
     .parameters = multiunique_parameters,
     .title = "Distinct combinations of values",
     .help = "Text, a line for each combination. Errors are text with 400."},
};
const struct endpoint_family unique_family = {"unique", endpoints, ARRAY_LEN(endpoints)};
