/* user_tokens.c: API tokens of the user that asks: made, listed, revoked. */
#include <errno.h>
#include <stdio.h>

#include "api/input.h"
#include "api/self.h"
#include "api/shared.h"
#include "base/util.h"

#define VALID_SECONDS_MAX ((uint64_t)10 * 366 * 86400)

static void rights_write(struct json *j, uint32_t rights) {
    json_open(j, '[');
    for (size_t i = 0; right_names[i]; i++) {
        if (rights & 1u << i) {
            json_cstr(j, right_names[i]);
        }
    }
    json_close(j, ']');
}

static bool token_write(void *ctx, const struct token *t) {
    struct json *j = ctx;
    json_open(j, '{');
    json_key(j, "id");
    json_cstr(j, t->id);
    json_key(j, "name");
    json_cstr(j, t->name);
    json_key(j, "rights");
    rights_write(j, t->rights);
    json_key(j, "created");
    json_i64(j, t->created_ms);
    json_key(j, "expires");
    if (t->expires_ms) {
        json_i64(j, t->expires_ms);
    } else {
        json_null(j);
    }
    json_key(j, "lastUsed");
    json_i64(j, t->last_used_ms);
    json_close(j, '}');
    return true;
}

/* A stolen token must not be able to make itself last. */
static bool is_person(struct call *c) {
    bool person = !c->who->by_token && !c->who->by_server;
    if (!person) {
        call_fail(c, 403, "Tokens are not managed with a token: log in");
    }
    return person;
}

static void token_list(struct call *c) {
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "data");
    json_open(&j, '[');
    int code = tokens_list(c->api->control, c->who->id, token_write, &j);
    json_close(&j, ']');
    json_close(&j, '}');
    if (code < 0) {
        call_fail(c, 500, "Tokens cannot be read");
    }
}

static bool word_add(void *ctx, struct span item) {
    struct buf *out = ctx;
    buf_add_span(out, item);
    buf_add_byte(out, ',');
    return true;
}

/* `rights`: a list of names; without it everything but administration. */
static bool rights_read(struct call *c, uint32_t *ret) {
    struct buf words;
    struct err e = {0};
    buf_init(&words, 4096);
    (void)call_list(c, "rights", word_add, &words);
    int code = 0;
    *ret = RIGHTS_OF_TOKENS;
    if (words.len) {
        words.len--;
        code = rights_parse(buf_span(&words), ret, &e);
    }
    buf_done(&words);
    if (code < 0) {
        call_fail(c, 403, "%s: %s", e.text, e.hint);
    }
    return code == 0;
}

static void token_create(struct call *c) {
    char name[101], text[TOKEN_TEXT], id[TOKEN_ID];
    struct span given;
    uint64_t seconds, days;
    struct token t = {.user = c->who->id, .name = name};
    struct err e = {0};
    if (!is_person(c) || !input_needed(c, "name", "Name", 100, "Missing name", &given) || !rights_read(c, &t.rights) ||
        !input_whole(c, "validSeconds", 0, VALID_SECONDS_MAX, &seconds) ||
        !input_whole(c, "days", 0, VALID_SECONDS_MAX / 86400, &days)) {
        return;
    }
    seconds = seconds ? seconds : days * 86400;
    (void)snprintf(name, sizeof(name), "%.*s", (int)given.len, given.at);
    t.expires_ms = seconds ? input_now() + (int64_t)seconds * 1000 : 0;
    int code = tokens_create(c->api->control, &t, text, id, &e);
    if (code < 0) {
        call_fail(c, code == -E2BIG ? 403 : 500, "%s", e.text);
        return;
    }
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "success");
    json_bool(&j, true);
    json_key(&j, "text");
    json_cstr(&j, "Token created: it is shown only once");
    json_key(&j, "id");
    json_cstr(&j, id);
    json_key(&j, "token");
    json_cstr(&j, text);
    json_key(&j, "rights");
    rights_write(&j, t.rights);
    json_close(&j, '}');
}

static void token_revoke(struct call *c) {
    struct err e = {0};
    if (!is_person(c)) {
        return;
    }
    int code = tokens_revoke(c->api->control, (c->who->rights & RIGHT_USERS) ? NULL : c->who->id, c->parts[0], &e);
    if (code < 0) {
        call_fail(c, code == -ENOENT ? 404 : 500, "%s", e.text);
    } else {
        call_done(c, "Token revoked");
    }
}

static const struct parameter create_parameters[] = {
    {"name", PARAM_TEXT, NULL, "What it is for"},
    {"rights", PARAM_LIST, NULL,
     "read, write, pcap, payload, files, stats, email, remove, hunt, web, users, admin, super; never more than its "
     "user has. "
     "Without it: everything but users, admin, super"},
    {"validSeconds", PARAM_NUMBER, "0", "How long it is good; 0 is until it is revoked"},
    {"days", PARAM_NUMBER, "0", "The same in days"},
    {NULL},
};

static const struct endpoint list[] = {
    {"/api/user/tokens", NULL, API_GET, RIGHT_ANY, token_list, NULL, "Own API tokens",
     "`{data:[{id, name, rights, created, expires, lastUsed}]}`"},
    {"/api/user/tokens", "/api/user/token", API_POST | API_TOKEN | API_HISTORY, RIGHT_ANY, token_create,
     create_parameters, "Make an API token",
     "`{success, id, token, rights}`. The token is sent as `Authorization: Bearer TOKEN` and needs no CSRF header. It "
     "is "
     "not stored and cannot be shown again."},
    {"/api/user/token/:id", NULL, API_DELETE | API_TOKEN | API_HISTORY, RIGHT_ANY, token_revoke, NULL,
     "Revoke an API token", "404 `Token not found`. With usersAdmin anybody's."},
};

const struct endpoint_family token_family = {"API tokens", list, ARRAY_LEN(list)};
