/* remote.c: see remote.h. */
#include "cmd/remote.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_scan.h"
#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/password.h"
#include "cmd/show.h"

#ifdef SEINE_CURL

#include <curl/curl.h>

#define QUERY_MAX ((size_t)8 << 20)
#define ERROR_BODY_MAX 2000
#define PASSWORD_MAX 1024
#define CONNECT_SECONDS 10L

struct remote {
    CURL *curl;
    char *base, *token; /* without a slash at the end */
    struct curl_slist *headers;
    struct buf query;
    struct buf *out; /* of the request at hand */
    struct buf page; /* what the link shows */
    struct buf refusal;
    int fd, write_failed;
    char problem[CURL_ERROR_SIZE];
};

static void wipe(char *text, size_t size) {
    explicit_bzero(text, size);
}

static int set_user(struct remote *r, const char *user) {
    char password[PASSWORD_MAX] = "";
    const char *given = getenv("SEINE_PASSWORD");
    int code = EXIT_DONE;
    if (given) {
        (void)snprintf(password, sizeof(password), "%s", given);
    } else {
        code = password_ask(user, password, sizeof(password));
    }
    (void)curl_easy_setopt(r->curl, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
    (void)curl_easy_setopt(r->curl, CURLOPT_USERNAME, user);
    (void)curl_easy_setopt(r->curl, CURLOPT_PASSWORD, password);
    wipe(password, sizeof(password));
    return code;
}

/* `http://host:port/path/?token=word` to base and token. */
static int split_url(struct remote *r, const char *url) {
    size_t length = strcspn(url, "?#");
    const char *token = strstr(url + length, "token=");
    while (length && url[length - 1] == '/') {
        length--;
    }
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        say("--url %s: does not begin with http:// or https://", url);
        return EXIT_USAGE;
    }
    r->base = strndup(url, length);
    r->token = token ? strndup(token + 6, strcspn(token + 6, "&#")) : NULL;
    return r->base && (!token || r->token) ? EXIT_DONE : EXIT_INTERNAL;
}

static size_t take(char *data, size_t size, size_t count, void *ctx) {
    struct remote *r = ctx;
    size_t len = size * count;
    long status = 0;
    (void)curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300) {
        if (r->refusal.len + len <= ERROR_BODY_MAX) {
            buf_add(&r->refusal, data, len);
        }
        return len;
    }
    if (r->out) {
        buf_add(r->out, data, len);
        return r->out->overflowed ? 0 : len;
    }
    for (size_t done = 0; done < len;) {
        ssize_t n = write(r->fd, data + done, len - done);
        if (n < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = r->fd, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (n < 0 && errno != EINTR) {
            r->write_failed = errno;
            return 0;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return len;
}

int remote_open(const char *url, const char *user, struct remote **ret_remote) {
    struct remote *r = calloc(1, sizeof(*r));
    const char *token = getenv("SEINE_TOKEN");
    *ret_remote = r;
    if (!r || !(r->curl = curl_easy_init())) {
        say("no memory to ask a server with");
        return EXIT_INTERNAL;
    }
    buf_init(&r->query, QUERY_MAX);
    buf_init(&r->refusal, ERROR_BODY_MAX + 1);
    int code = split_url(r, url);
    if (code != EXIT_DONE) {
        return code;
    }
    (void)curl_easy_setopt(r->curl, CURLOPT_ERRORBUFFER, r->problem);
    (void)curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, r);
    (void)curl_easy_setopt(r->curl, CURLOPT_COOKIEFILE, "");
    (void)curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
    (void)curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(r->curl, CURLOPT_USERAGENT, "seine/" SEINE_VERSION);
    const char *trusted = getenv("SSL_CERT_FILE");
    if (trusted && *trusted) {
        (void)curl_easy_setopt(r->curl, CURLOPT_CAINFO, trusted);
    }
    if (token && *token) {
        char *header = NULL;
        if (asprintf(&header, "Authorization: Bearer %s", token) < 0) {
            return EXIT_INTERNAL;
        }
        r->headers = curl_slist_append(NULL, header);
        wipe(header, strlen(header));
        free(header);
        (void)curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, r->headers);
    }
    return user ? set_user(r, user) : EXIT_DONE;
}

struct remote *remote_close(struct remote *r) {
    if (r) {
        curl_easy_cleanup(r->curl);
        curl_slist_free_all(r->headers);
        buf_done(&r->query);
        buf_done(&r->refusal);
        free(r->base);
        free(r->token);
        free(r);
    }
    return NULL;
}

void remote_param(struct remote *r, const char *name, const char *value) {
    char *escaped = value ? curl_easy_escape(r->curl, value, (int)strlen(value)) : NULL;
    if (escaped) {
        buf_printf(&r->query, "%c%s=", r->query.len ? '&' : '?', name);
        buf_add_text(&r->query, escaped);
        curl_free(escaped);
    }
}

void remote_param_u64(struct remote *r, const char *name, uint64_t value) {
    char text[24];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    remote_param(r, name, text);
}

/* Errors are objects with a text; what is none is shown as it came. */
static void add_reason(const struct remote *r, struct buf *out) {
    struct show show = {.utf8 = show_utf8()};
    struct span text = buf_span(&r->refusal);
    struct json_index index;
    struct json_error why;
    struct buf scratch;
    buf_init(&scratch, ERROR_BODY_MAX + 1);
    json_index_init(&index, ERROR_BODY_MAX + 1);
    if (json_index_build(&index, text, &why) == 0 && json_check(&index, &why) == 0) {
        (void)json_string(json_find(json_root(&index), span_text("text")), &scratch, &text);
    }
    (void)show_text(&show, span_trim(text), 1000, out);
    json_index_done(&index);
    buf_done(&scratch);
}

static int refused(struct remote *r, long status) {
    if (status == 401 || status == 403) {
        say("%s: access is refused (%ld): set SEINE_TOKEN, or give --user NAME, or the link that the server printed",
            r->base, status);
        return EXIT_PERMISSION;
    }
    struct buf reason;
    buf_init(&reason, 4 * ERROR_BODY_MAX);
    add_reason(r, &reason);
    say("%s: answered %ld: %.*s", r->base, status, (int)reason.len, (const char *)reason.data);
    buf_done(&reason);
    return status == 400 || status == 404 ? EXIT_USAGE : EXIT_PARTIAL;
}

static int perform(struct remote *r, const char *path) {
    struct buf url;
    long status = 0;
    buf_init(&url, QUERY_MAX + 4096);
    buf_add_text(&url, r->base);
    buf_add_text(&url, path);
    buf_add_span(&url, buf_span(&r->query));
    buf_add_byte(&url, 0);
    buf_clear(&r->refusal);
    (void)curl_easy_setopt(r->curl, CURLOPT_URL, (const char *)url.data);
    CURLcode code = url.overflowed || r->query.overflowed ? CURLE_URL_MALFORMAT : curl_easy_perform(r->curl);
    buf_done(&url);
    buf_clear(&r->query);
    (void)curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
    if (r->write_failed) {
        int failed = r->write_failed;
        if (failed == EPIPE) {
            return EXIT_DONE; /* the reader has what it wanted */
        }
        say("the output cannot be written: %s", strerror(failed));
        return failed == ENOSPC || failed == EDQUOT ? EXIT_FULL : EXIT_PARTIAL;
    }
    if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_WRITE_ERROR) {
        say("%s: the answer ended early: %s", r->base, r->problem[0] ? r->problem : curl_easy_strerror(code));
        return EXIT_PARTIAL;
    }
    if (code != CURLE_OK) {
        bool stranger = code == CURLE_PEER_FAILED_VERIFICATION;
        say("%s: cannot be reached: %s%s", r->base, r->problem[0] ? r->problem : curl_easy_strerror(code),
            stranger ? "; SSL_CERT_FILE=FILE names the certificates to trust" : "");
        return EXIT_UNREACHABLE;
    }
    return status >= 300 ? refused(r, status) : EXIT_DONE;
}

/* The printed link's word is good for one request, which gives a cookie for the rest. */
static int use_link(struct remote *r) {
    struct buf query = r->query;
    buf_init(&r->query, QUERY_MAX);
    buf_init(&r->page, REMOTE_ANSWER_MAX);
    remote_param(r, "token", r->token);
    free(TAKE(r->token));
    r->out = &r->page;
    (void)curl_easy_setopt(r->curl, CURLOPT_FOLLOWLOCATION, 1L);
    int code = perform(r, "/");
    (void)curl_easy_setopt(r->curl, CURLOPT_FOLLOWLOCATION, 0L);
    buf_done(&r->page);
    buf_done(&r->query);
    r->query = query;
    return code;
}

int remote_get(struct remote *r, const char *path, struct buf *out, int fd) {
    int code = r->token ? use_link(r) : EXIT_DONE;
    r->out = out;
    r->fd = fd;
    return code == EXIT_DONE ? perform(r, path) : code;
}

#else

struct remote {
    char nothing;
};

int remote_open(const char *url, const char *user, struct remote **ret_remote) {
    (void)user;
    *ret_remote = NULL;
    say("--url %s: this program was built without libcurl and cannot ask servers", url);
    return EXIT_USAGE;
}

struct remote *remote_close(struct remote *r) {
    return r;
}

void remote_param(struct remote *r, const char *name, const char *value) {
    (void)r;
    (void)name;
    (void)value;
}

void remote_param_u64(struct remote *r, const char *name, uint64_t value) {
    (void)r;
    (void)name;
    (void)value;
}

int remote_get(struct remote *r, const char *path, struct buf *out, int fd) {
    (void)r;
    (void)path;
    (void)out;
    (void)fd;
    return EXIT_USAGE;
}

#endif
