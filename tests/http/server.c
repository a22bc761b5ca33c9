/* server.c: the API on a port, without sessions, for tests of http/ and auth/: `test-server [key=value]...`.
 *
 * Keys: all settings of http/, auth/ and api/; store=FOLDER for control.db; user=ID:PASSWORD:ROLE,... (an "H" in front
 * of the id: may log in by a header). Says "port N" when it listens, "link WORD" with authMode=token, "token TEXT" for
 * token=ID:RIGHTS, "sign HEADER" for sign=ID:METHOD:PATH; ends at the end of its standard input. /test/... are
 * endpoints that misbehave in ways tests need.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/shared.h"
#include "base/util.h"
#include "config/config.h"

struct setup {
    struct http_settings http;
    struct auth_settings auth;
    struct api_settings api;
    struct config *config;
    const char *folder;
    struct api *shared;
    int word_count;
    char **words;
};

static void on_problem(void *ctx, const char *file, const struct err *problem, bool fatal) {
    (void)ctx;
    (void)file;
    fprintf(stderr, "%s%s (%s)\n", fatal ? "" : "note: ", problem->text, problem->hint);
}

/* Numbers as text, 8 bytes a line: n megabytes, pushed as they are written. */
static void much(const struct request *q, struct reply *r) {
    uint64_t megabytes = 8;
    (void)span_decimal(request_param(q, "megabytes"), 4096, &megabytes);
    reply_type(r, "text/plain");
    for (uint64_t i = 0; i < megabytes << 17; i++) {
        buf_printf(reply_body(r), "%07u\n", (unsigned)(i % 10000000));
        if (i % 1024 == 0 && reply_push(r) < 0) {
            break;
        }
    }
}

static void slow(const struct request *q, struct reply *r) {
    uint64_t ms = 1000;
    (void)span_decimal(request_param(q, "ms"), 600000, &ms);
    for (uint64_t waited = 0; waited < ms && !request_gone(q); waited += 10) {
        (void)usleep(10000);
    }
    buf_add_text(reply_body(r), request_gone(q) ? "gone" : "done");
}

static void cut(const struct request *q, struct reply *r) {
    (void)q;
    buf_add_text(reply_body(r), "half an answer");
    (void)reply_push_now(r);
    reply_abort(r);
}

static bool param_write(void *ctx, const char *name, struct span value) {
    struct json *j = ctx;
    json_key(j, name);
    json_text(j, value);
    return true;
}

static void echo(const struct request *q, struct reply *r) {
    reply_type(r, "application/json");
    struct json j = json_over(reply_body(r));
    json_open(&j, '{');
    request_each_param(q, param_write, &j);
    json_close(&j, '}');
}

static void answer(void *ctx, const struct request *q, struct reply *r) {
    static const struct {
        const char *path;
        void (*function)(const struct request *q, struct reply *r);
    } tests[] = {{"/test/much", much}, {"/test/slow", slow}, {"/test/cut", cut}, {"/test/echo", echo}};
    struct setup *s = ctx;
    for (size_t i = 0; i < ARRAY_LEN(tests); i++) {
        if (strcmp(request_path(q), tests[i].path) == 0) {
            tests[i].function(q, r);
            return;
        }
    }
    api_answer(s->shared, q, r);
}

static int settings_read(struct setup *s, int count, char **words, struct err *e) {
    const struct config_module modules[] = {{"http", http_setting_table, http_setting_count, &s->http},
                                            {"auth", auth_setting_table, auth_setting_count, &s->auth},
                                            {"api", api_setting_table, api_setting_count, &s->api}};
    s->config = config_new();
    for (int i = 0; i < count; i++) {
        if (strncmp(words[i], "store=", 6) == 0) {
            s->folder = words[i] + 6;
        } else if (strncmp(words[i], "user=", 5) == 0 || strncmp(words[i], "token=", 6) == 0 ||
                   strncmp(words[i], "sign=", 5) == 0) {
            continue;
        } else if (config_override(s->config, words[i], e) < 0) {
            return -1;
        }
    }
    return config_apply(s->config, modules, ARRAY_LEN(modules), on_problem, NULL) < 0 ||
                   http_settings_check(&s->http, e) < 0
               ? -1
               : 0;
}

static int user_make(struct control *control, const struct user_keys *keys, const char *word, struct err *e) {
    struct user u;
    user_init(&u);
    u.flags[FLAG_HEADER] = word[0] == 'H' ? TRI_YES : TRI_UNSET;
    u.flags[FLAG_WEB] = TRI_YES;
    word += word[0] == 'H';
    char *text = strdup(word);
    char *password = text ? strchr(text, ':') : NULL, *roles = password ? strchr(password + 1, ':') : NULL;
    int code = -1;
    if (roles) {
        *password = *roles = 0;
        (void)snprintf(u.id, sizeof(u.id), "%s", text);
        (void)snprintf(u.name, sizeof(u.name), "%s", text);
        for (char *at = roles + 1; *at; at += at[strcspn(at, ",")] ? strcspn(at, ",") + 1 : strlen(at)) {
            (void)texts_add(&u.roles, span_make(at, strcspn(at, ",")));
        }
        code = users_add(control, keys, &u, password + 1, e);
    }
    user_done(&u);
    free(text);
    return code;
}

/* "USER:METHOD:PATH": what another server would send. */
static int sign_print(struct auth *auth, const char *word) {
    struct span text = span_text(word);
    size_t first = span_find_byte(text, 0, ':'), second = span_find_byte(text, first + 1, ':');
    struct s2s_claim claim = {.user = span_sub(text, 0, first),
                              .node = SPAN_LITERAL("test"),
                              .method = span_sub(text, first + 1, second - first - 1),
                              .path = span_from(text, second + 1)};
    struct buf header;
    buf_init(&header, S2S_TEXT_MAX);
    int code = auth_server_token(auth, &claim, &header);
    printf("sign %.*s\n", (int)header.len, (const char *)header.data);
    buf_done(&header);
    return code;
}

static int words_take(struct setup *s, struct control *control, struct auth *auth, struct err *e) {
    struct user_keys keys = auth_user_keys(auth);
    int code = 0;
    for (int i = 0; i < s->word_count && code == 0; i++) {
        char text[TOKEN_TEXT], id[TOKEN_ID], user[USER_ID_MAX + 1];
        if (strncmp(s->words[i], "user=", 5) == 0) {
            code = user_make(control, &keys, s->words[i] + 5, e);
        } else if (strncmp(s->words[i], "token=", 6) == 0) {
            const char *word = s->words[i] + 6;
            uint64_t rights = RIGHT_ALL;
            *span_copy_to(span_make(word, MIN(strcspn(word, ":"), sizeof(user) - 1)), (uint8_t *)user) = 0;
            (void)span_decimal(span_text(word + strcspn(word, ":") + 1), RIGHT_ALL, &rights);
            struct token t = {.user = user, .name = "test", .rights = (uint32_t)rights};
            code = tokens_create(control, &t, text, id, e);
            printf("token %s\n", text);
        } else if (strncmp(s->words[i], "sign=", 5) == 0) {
            code = sign_print(auth, s->words[i] + 5);
        }
    }
    auth_forget(auth);
    return code;
}

static void link_print(struct auth *auth) {
    char word[AUTH_LINK_WORD_MAX];
    if (auth_mode(auth) == AUTH_TOKEN && auth_link_word(auth, word) == 0) {
        printf("link %s\n", word);
    }
}

static int serve(struct setup *s, struct err *e) {
    struct secret secret;
    struct control *control = NULL;
    struct auth *auth = NULL;
    struct server *server = NULL;
    int code = control_open(s->folder, &control, e);
    code = code < 0 ? code : secret_load(s->folder, &secret, e);
    struct auth_options who = {&s->auth, control, &secret, s->http.base_path, *s->http.cert_file != 0};
    code = code < 0 ? code : auth_new(&who, &auth, e);
    code = code < 0 ? code : words_take(s, control, auth, e);
    code = code < 0 ? code : auth_may_listen(auth, s->http.view_host, e);
    struct api_options shared = {.control = control,
                                 .auth = auth,
                                 .folder = s->folder,
                                 .node = "test",
                                 .version = "0",
                                 .settings = &s->api,
                                 .http = &s->http};
    code = code < 0 ? code : api_new(&shared, &s->shared, e);
    struct server_options options = {.address = s->http.view_host,
                                     .port = (uint16_t)s->http.view_port,
                                     .cert_file = s->http.cert_file,
                                     .key_file = s->http.key_file,
                                     .base_path = s->http.base_path,
                                     .hosts = s->http.hosts,
                                     .connections = s->http.connections,
                                     .per_address = s->http.per_address,
                                     .trust_proxy = s->http.trust_proxy,
                                     .idle_seconds = s->http.idle_seconds,
                                     .handler = answer,
                                     .ctx = s};
    code = code < 0 ? code : server_new(&options, &server, e);
    if (code == 0) {
        uint64_t counts[SERVER_COUNTS];
        link_print(auth);
        printf("port %u\n", server_port(server));
        (void)fflush(stdout);
        while (getchar() != EOF) {
        }
        server_counts(server, counts);
        for (size_t i = 0; i < SERVER_COUNTS; i++) {
            printf("%s %llu\n", server_count_names[i], (unsigned long long)counts[i]);
        }
    }
    server_free(server, 500);
    api_free(s->shared);
    auth_free(auth);
    control_close(control);
    return code;
}

int main(int count, char **words) {
    struct setup s = {.word_count = count - 1, .words = words + 1};
    struct err e = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    int code = settings_read(&s, count - 1, words + 1, &e);
    code = code < 0 ? code : serve(&s, &e);
    if (code < 0) {
        fprintf(stderr, "%s (%s)\n", e.text, e.hint);
    }
    config_free(s.config);
    return code < 0;
}
