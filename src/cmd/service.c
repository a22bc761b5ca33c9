/* service.c: see service.h. */
#include "cmd/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/registry_make.h"

#define PORTS_TRIED 100
#define GRACE_MS 1000
#define QUIET_LOOKS 30

/* Where to listen: the command line, else the settings. */
struct place {
    const char *address;
    uint32_t port;
    bool fixed; /* somebody asked for this port: no other will do */
};

/* "ADDRESS:PORT", "[ADDRESS]:PORT", "PORT". */
static int read_listen(struct service *s, const char *text, struct place *ret) {
    const char *colon = strrchr(text, ':'), *digits = colon ? colon + 1 : text;
    size_t length = colon ? (size_t)(colon - text) : 0;
    char *end;
    errno = 0;
    unsigned long port = strtoul(digits, &end, 10);
    if (!*digits || *end || errno || port > UINT16_MAX || *digits == '-' || *digits == '+') {
        say("--listen %s: is not ADDRESS:PORT, for example 127.0.0.1:8005 or [::1]:8005", text);
        return EXIT_USAGE;
    }
    if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length) {
        s->address = strndup(text, length);
        ret->address = s->address;
        if (!s->address) {
            return EXIT_INTERNAL;
        }
    }
    ret->port = (uint32_t)port;
    ret->fixed = true;
    return EXIT_DONE;
}

static int open_store(struct service *s, const struct service_options *o) {
    const struct session_setup *setup = o->setup;
    struct err e = {0};
    int code = 0;
    if (o->write) {
        struct store_options options = store_settings_options(&setup->store, setup->record.node);
        code = store_writer_open(o->folder, true, &options, setup->registry, &s->writer, &e);
    }
    code = code < 0 ? code : store_open(o->folder, registry_make, NULL, setup->store.cache, &s->store, &e);
    code = code < 0 ? code : control_open(o->folder, &s->control, &e);
    return code < 0 ? store_failed(o->folder, code, &e) : EXIT_DONE;
}

static int open_auth(struct service *s, const struct service_options *o, const struct place *place) {
    struct secret secret;
    struct err e = {0};
    struct auth_settings settings = o->setup->auth;
    if (o->is_private && settings.mode == AUTH_AUTO) {
        settings.mode = AUTH_TOKEN;
    }
    struct auth_options options = {.settings = &settings,
                                   .control = s->control,
                                   .secret = &secret,
                                   .base_path = o->setup->http.base_path,
                                   .tls = *o->setup->http.cert_file != 0};
    int code = secret_load(o->folder, &secret, &e);
    code = code < 0 ? code : auth_new(&options, &s->auth, &e);
    explicit_bzero(&secret, sizeof(secret));
    code = code < 0 ? code : auth_may_listen(s->auth, place->address, &e);
    if (code < 0) {
        say_err(NULL, &e);
        return EXIT_CONFIG;
    }
    return EXIT_DONE;
}

static int open_api(struct service *s, const struct service_options *o) {
    const struct session_setup *setup = o->setup;
    struct api_options options = {.store = s->store,
                                  .control = s->control,
                                  .auth = s->auth,
                                  .folder = o->folder,
                                  .node = setup->record.node,
                                  .version = SEINE_VERSION,
                                  .settings = &setup->api,
                                  .http = &setup->http,
                                  .import = o->take ? take_import : NULL,
                                  .import_ctx = o->take};
    struct err e = {0};
    int code = api_new(&options, &s->api, &e);
    if (code == 0 && o->take) {
        o->take->api = s->api;
        o->take->control = s->control;
    }
    return code < 0 ? store_failed(o->folder, code, &e) : EXIT_DONE;
}

/* The port asked for, or the first free one from the usual one on. */
static int open_server(struct service *s, const struct service_options *o, const struct place *place) {
    const struct http_settings *http = &o->setup->http;
    unsigned tries = place->fixed || place->port == 0 ? 1 : PORTS_TRIED;
    struct err e = {0};
    int code = -EADDRINUSE;
    for (unsigned i = 0; i < tries && code == -EADDRINUSE && place->port + i <= UINT16_MAX; i++) {
        struct server_options options = {.address = place->address,
                                         .port = (uint16_t)(place->port + i),
                                         .cert_file = http->cert_file,
                                         .key_file = http->key_file,
                                         .base_path = http->base_path,
                                         .hosts = http->hosts,
                                         .connections = http->connections,
                                         .per_address = http->per_address,
                                         .trust_proxy = http->trust_proxy,
                                         .idle_seconds = http->idle_seconds,
                                         .handler = api_answer,
                                         .streams = api_streams,
                                         .ctx = s->api};
        e = (struct err){0};
        code = server_new(&options, &s->server, &e);
    }
    if (code < 0) {
        say_err(NULL, &e);
        return code == -EACCES || code == -EPERM ? EXIT_PERMISSION : EXIT_CONFIG;
    }
    api_serve(s->api, s->server);
    return EXIT_DONE;
}

static int make_link(struct service *s, const struct service_options *o, const struct place *place) {
    const struct http_settings *http = &o->setup->http;
    char host[256] = "", word[AUTH_LINK_WORD_MAX] = "";
    bool any = strcmp(place->address, "0.0.0.0") == 0 || strcmp(place->address, "::") == 0;
    if (any) {
        (void)gethostname(host, sizeof(host) - 1);
    } else {
        bool v6 = strchr(place->address, ':') != NULL;
        (void)snprintf(host, sizeof(host), v6 ? "[%s]" : "%s", place->address);
    }
    if (auth_mode(s->auth) == AUTH_TOKEN && auth_link_word(s->auth, word) < 0) {
        say("no random bytes for the link");
        return EXIT_INTERNAL;
    }
    int n = asprintf(&s->link, "%s://%s:%u%s%s%s", *http->cert_file ? "https" : "http", host, server_port(s->server),
                     *http->base_path ? http->base_path : "/", word[0] ? "?token=" : "", word);
    explicit_bzero(word, sizeof(word));
    if (n < 0) {
        s->link = NULL;
        return EXIT_INTERNAL;
    }
    return EXIT_DONE;
}

int service_start(struct service *s, const struct service_options *o) {
    struct place place = {.address = o->setup->http.view_host,
                          .port = o->setup->http.view_port,
                          .fixed = config_value(o->setup->config, "viewPort") != NULL};
    int code = o->listen ? read_listen(s, o->listen, &place) : EXIT_DONE;
    code = code == EXIT_DONE ? open_store(s, o) : code;
    code = code == EXIT_DONE ? open_auth(s, o, &place) : code;
    code = code == EXIT_DONE ? open_api(s, o) : code;
    code = code == EXIT_DONE ? open_server(s, o, &place) : code;
    return code == EXIT_DONE ? make_link(s, o, &place) : code;
}

int service_stop_writing(struct service *s, const struct service_options *o) {
    struct err e = {0};
    int code = store_writer_close(TAKE(s->writer), &e);
    return code < 0 ? store_failed(o->folder, code, &e) : EXIT_DONE;
}

void service_look(struct service *s) {
    uint64_t counts[SERVER_COUNTS];
    server_counts(s->server, counts);
    bool quiet = counts[SERVER_REQUESTS] == s->requests;
    s->requests = counts[SERVER_REQUESTS];
    s->quiet = quiet ? s->quiet + 1 : 0;
    s->rested = s->rested && quiet;
    if (s->quiet >= QUIET_LOOKS && !s->rested) {
        store_rest(s->store);
        s->rested = true;
    }
}

void service_retain(const struct service *s, const struct service_options *o) {
    const struct session_setup *setup = o->setup;
    struct store_options options = store_settings_options(&setup->store, setup->record.node);
    struct store_writer *w = NULL;
    struct err e = {0};
    bool wanted = options.retain_seconds || options.retain_bytes || options.free_bytes;
    if (s->writer || !wanted) {
        return; /* a writer does it by itself */
    }
    int code = store_writer_open(o->folder, false, &options, setup->registry, &w, &e);
    if (code == -EWOULDBLOCK) {
        return; /* so does that of another process */
    }
    code = code < 0 ? code : store_retain(w, &e);
    int closed = store_writer_close(w, code < 0 ? NULL : &e);
    code = code < 0 ? code : closed;
    if (code < 0) {
        (void)store_failed(o->folder, code, &e);
    }
}

void service_stop(struct service *s) {
    if (s->api) {
        api_serve(s->api, NULL);
    }
    s->server = server_free(s->server, GRACE_MS);
    s->api = api_free(s->api);
    s->auth = auth_free(s->auth);
    s->control = control_close(s->control);
    s->store = store_close(s->store);
    (void)store_writer_close(TAKE(s->writer), NULL);
    if (s->link) {
        explicit_bzero(s->link, strlen(s->link));
    }
    free(TAKE(s->link));
    free(TAKE(s->address));
}
