/* notify.c: see notify.h: the kinds of notifiers as a table, and how each sends.
 *
 * Standards: Slack and Teams incoming webhooks ({"text":...}); Twilio's Messages resource; RFC 5321 and 5322 by
 * libcurl; syslog: RFC 5424 over UDP (RFC 5426) or TCP with a line feed behind each message (RFC 6587, 3.4.2).
 */
#include "api/notify.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef SEINE_CURL
#include <curl/curl.h>
#endif

#include "api/shared.h"
#include "base/util.h"

#define CONNECT_SECONDS 8
#define SID_MAX 64

struct delivery {
    const struct api *api;
    const struct notice *notice;
    const atomic_bool *ending;
    struct json_index fields;
    struct buf message; /* what is sent */
    size_t sent;        /* of it */
    struct err *err;
};

/* --- fields --- */

struct json_ref notifier_field_value(const struct json_index *x, const char *wanted) {
    struct json_walk walk = json_walk_over(json_root(x));
    struct span key;
    struct json_ref item;
    while (json_walk_next(&walk, &key, &item)) {
        char name[64];
        struct span raw = json_raw_of(json_find(item, SPAN_LITERAL("name")));
        (void)snprintf(name, sizeof(name), "\"%s\"", wanted);
        if (span_is(raw, name)) {
            return json_find(item, SPAN_LITERAL("value"));
        }
    }
    return (struct json_ref){x, x->count};
}

struct text {
    char at[NOTIFIER_FIELD_MAX + 1];
};

/* A field as text, control characters left out: none of them may begin a line of a protocol. */
static bool field_text(const struct delivery *d, const char *name, const char *fallback, struct text *ret) {
    struct json_ref value = notifier_field_value(&d->fields, name);
    struct buf scratch;
    struct span text = span_text(fallback);
    size_t n = 0;
    buf_init(&scratch, NOTIFIER_FIELD_MAX + 1);
    switch (json_kind_of(value)) {
    case JSON_STRING:
        if (!json_string(value, &scratch, &text)) {
            text = span_text(fallback);
        }
        break;
    case JSON_NUMBER:
    case JSON_BOOL:
        text = json_raw_of(value);
        break;
    default:
        break;
    }
    for (size_t i = 0; i < text.len && n < NOTIFIER_FIELD_MAX; i++) {
        if (text.at[i] >= 0x20 && text.at[i] != 0x7f) {
            ret->at[n++] = (char)text.at[i];
        }
    }
    ret->at[n] = 0;
    buf_done(&scratch);
    return n > 0;
}

/* Where clouds answer every machine with its secrets; no server for messages is there. */
static bool is_link_local(const struct sockaddr *a) {
    if (a->sa_family == AF_INET) {
        uint32_t ip = ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr);
        return ip >> 16 == 0xa9fe;
    }
    if (a->sa_family == AF_INET6) {
        const struct in6_addr *ip = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
        return IN6_IS_ADDR_LINKLOCAL(ip) ||
               (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 169 && ip->s6_addr[13] == 254);
    }
    return true;
}

static int refused(const struct delivery *d, int code, const char *why) {
    return err_set(d->err, code, "the message was not sent: %s", why);
}

/* --- by libcurl --- */

#ifdef SEINE_CURL

static curl_socket_t socket_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *a) {
    struct delivery *d = ctx;
    if (purpose != CURLSOCKTYPE_IPCXN || is_link_local(&a->addr)) {
        (void)refused(d, -EPERM, "its server has a link-local address");
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static size_t throw_away(char *at, size_t size, size_t count, void *ctx) {
    (void)at;
    (void)ctx;
    return size * count;
}

static int is_over(void *ctx, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal, curl_off_t ulnow) {
    const struct delivery *d = ctx;
    (void)dltotal;
    (void)ultotal;
    (void)ulnow;
    return (d->ending && *d->ending) || dlnow > 1 << 20;
}

static CURL *transfer_open(struct delivery *d, const char *url, const char *protocols) {
    CURL *c = curl_easy_init();
    if (c) {
        (void)curl_easy_setopt(c, CURLOPT_URL, url);
        (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, protocols);
        (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
        (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
        (void)curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)NOTIFY_SECONDS);
        (void)curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, socket_open);
        (void)curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, d);
        (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, throw_away);
        (void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, is_over);
        (void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, d);
        (void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
        (void)curl_easy_setopt(c, CURLOPT_USERAGENT, "seine");
        (void)curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    } else {
        (void)refused(d, -ENOMEM, "no memory");
    }
    return c;
}

/* libcurl's sentence about a code names no address, no path and no password. */
static int transfer_run(const struct delivery *d, CURL *c, bool http) {
    long status = 0;
    char why[64];
    CURLcode done = curl_easy_perform(c);
    if (done != CURLE_OK) {
        return d->err->text[0] ? d->err->code : refused(d, -EIO, curl_easy_strerror(done));
    }
    (void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    if (http && (status < 200 || status > 299)) {
        (void)snprintf(why, sizeof(why), "its server answered %ld", status);
        return refused(d, -EIO, why);
    }
    return 0;
}

static int post(struct delivery *d, CURL *c, const char *content_type) {
    char header[64];
    (void)snprintf(header, sizeof(header), "Content-Type: %s", content_type);
    struct curl_slist *headers = curl_slist_append(NULL, header);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)d->message.len);
    (void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, (const char *)d->message.data);
    int code = transfer_run(d, c, true);
    curl_slist_free_all(headers);
    return code;
}

static int webhook(struct delivery *d, const char *name) {
    struct text url;
    if (!field_text(d, name, "", &url)) {
        return refused(d, -EINVAL, "its webhook is missing");
    }
    struct json j = json_over(&d->message);
    json_open(&j, '{');
    json_key(&j, "text");
    json_cstr(&j, d->notice->text);
    json_close(&j, '}');
    CURL *c = transfer_open(d, url.at, "http,https");
    int code = c ? post(d, c, "application/json") : -ENOMEM;
    curl_easy_cleanup(c);
    explicit_bzero(&url, sizeof(url));
    return code;
}

static int slack_send(struct delivery *d) {
    return webhook(d, "slackWebhookUrl");
}

static int teams_send(struct delivery *d) {
    return webhook(d, "teamsWebhookUrl");
}

static void form_add(struct buf *out, CURL *c, const char *name, const char *value) {
    char *escaped = curl_easy_escape(c, value, 0);
    buf_printf(out, "%s%s=%s", out->len ? "&" : "", name, escaped ? escaped : "");
    curl_free(escaped);
}

static int twilio_send(struct delivery *d) {
    struct text sid, token, to, from;
    char url[SID_MAX + 600];
    (void)field_text(d, "accountSid", "", &sid);
    (void)field_text(d, "authToken", "", &token);
    (void)field_text(d, "toNumber", "", &to);
    (void)field_text(d, "fromNumber", "", &from);
    if (strlen(sid.at) > SID_MAX ||
        strspn(sid.at, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(sid.at)) {
        return refused(d, -EINVAL, "accountSid is at most 64 letters and digits");
    }
    (void)snprintf(url, sizeof(url), "%.500s/2010-04-01/Accounts/%.64s/Messages.json", d->api->settings->twilio_url,
                   sid.at);
    CURL *c = transfer_open(d, url, "http,https");
    int code = -ENOMEM;
    if (c) {
        form_add(&d->message, c, "To", to.at);
        form_add(&d->message, c, "From", from.at);
        form_add(&d->message, c, "Body", d->notice->text);
        (void)curl_easy_setopt(c, CURLOPT_USERNAME, sid.at);
        (void)curl_easy_setopt(c, CURLOPT_PASSWORD, token.at);
        code = post(d, c, "application/x-www-form-urlencoded");
    }
    curl_easy_cleanup(c);
    explicit_bzero(&token, sizeof(token));
    return code;
}

/* --- mail --- */

static size_t mail_read(char *to, size_t size, size_t count, void *ctx) {
    struct delivery *d = ctx;
    size_t n = MIN(size * count, d->message.len - d->sent);
    memcpy(to, d->message.data + d->sent, n);
    d->sent += n;
    return n;
}

static void mail_write(struct delivery *d, const struct text *from, const struct text *to, const struct text *subject) {
    struct tm tm;
    time_t now = time(NULL);
    char date[64];
    (void)gmtime_r(&now, &tm);
    (void)strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
    buf_printf(&d->message,
               "Date: %s\r\nFrom: %s\r\nTo: %s\r\nSubject: %s\r\nMIME-Version: 1.0\r\n"
               "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nAuto-Submitted: "
               "auto-generated\r\n\r\n",
               date, from->at, to->at, subject->at);
    for (const char *at = d->notice->text; *at; at++) {
        if (*at == '\n') {
            buf_add_text(&d->message, "\r\n");
        } else if (*at != '\r') {
            buf_add_byte(&d->message, (uint8_t)*at);
        }
    }
    buf_add_text(&d->message, "\r\n");
}

static struct curl_slist *recipients(char *list) {
    struct curl_slist *all = NULL;
    char *rest = NULL;
    for (char *one = strtok_r(list, ", ", &rest); one; one = strtok_r(NULL, ", ", &rest)) {
        struct curl_slist *more = curl_slist_append(all, one);
        if (!more) {
            break;
        }
        all = more;
    }
    return all;
}

static int mail_send(struct delivery *d) {
    struct text host, port, user, password, from, to, subject, secure;
    char url[sizeof(host) + sizeof(port) + 16];
    (void)field_text(d, "host", "", &host);
    (void)field_text(d, "port", "25", &port);
    (void)field_text(d, "from", "", &from);
    (void)field_text(d, "to", "", &to);
    (void)field_text(d, "subject", d->notice->subject, &subject);
    (void)field_text(d, "password", "", &password);
    bool known = field_text(d, "user", "", &user);
    bool tls = field_text(d, "secure", "", &secure) && strcmp(secure.at, "true") == 0;
    mail_write(d, &from, &to, &subject);
    (void)snprintf(url, sizeof(url), "%s://%s:%s", tls ? "smtps" : "smtp", host.at, port.at);
    struct curl_slist *list = recipients(to.at);
    CURL *c = transfer_open(d, url, "smtp,smtps");
    int code = -ENOMEM;
    if (c) {
        /* A password goes over TLS only. */
        (void)curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(known ? CURLUSESSL_ALL : CURLUSESSL_TRY));
        (void)curl_easy_setopt(c, CURLOPT_MAIL_FROM, from.at);
        (void)curl_easy_setopt(c, CURLOPT_MAIL_RCPT, list);
        (void)curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, mail_read);
        (void)curl_easy_setopt(c, CURLOPT_READDATA, d);
        if (known) {
            (void)curl_easy_setopt(c, CURLOPT_USERNAME, user.at);
            (void)curl_easy_setopt(c, CURLOPT_PASSWORD, password.at);
        }
        code = transfer_run(d, c, false);
    }
    curl_easy_cleanup(c);
    curl_slist_free_all(list);
    explicit_bzero(&password, sizeof(password));
    return code;
}

#else

static int without_curl(struct delivery *d) {
    return refused(d, -EOPNOTSUPP, "this program was built without libcurl");
}
#define slack_send without_curl
#define teams_send without_curl
#define twilio_send without_curl
#define mail_send without_curl

#endif

/* --- syslog --- */

/* Connected within CONNECT_SECONDS; datagrams at once. */
static int connect_to(const struct delivery *d, const struct addrinfo *a) {
    int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int failed = 0;
    socklen_t size = sizeof(failed);
    if (fd < 0) {
        return -errno;
    }
    if (connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
        failed = errno;
        for (unsigned turns = 0; failed == EINPROGRESS && turns < CONNECT_SECONDS * 10; turns++) {
            int ready = d->ending && *d->ending ? -1 : poll(&wait, 1, 100);
            if (ready > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0) {
                failed = errno;
            }
            failed = ready < 0 ? ECANCELED : failed;
        }
        failed = failed == EINPROGRESS ? ETIMEDOUT : failed;
    }
    if (failed) {
        (void)close(fd);
        return -failed;
    }
    return fd;
}

static int send_whole(const struct delivery *d, int fd) {
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    for (size_t at = 0; at < d->message.len;) {
        ssize_t n = send(fd, d->message.data + at, d->message.len - at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            if (poll(&wait, 1, CONNECT_SECONDS * 1000) <= 0) {
                return -ETIMEDOUT;
            }
        } else if (n < 0 && errno != EINTR) {
            return -errno;
        }
        at += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static void syslog_write(struct delivery *d, bool tcp) {
    char host[256] = "-", when[40];
    struct timespec now;
    struct tm tm;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)gethostname(host, sizeof(host) - 1);
    /* user, notice */
    buf_printf(&d->message, "<13>1 %s.%03ldZ %s seine %d - - ", when, now.tv_nsec / 1000000, host, (int)getpid());
    for (const char *at = d->notice->text; *at; at++) {
        buf_add_byte(&d->message, (uint8_t)*at < 0x20 ? ' ' : (uint8_t)*at);
    }
    buf_add_text(&d->message, tcp ? "\n" : "");
}

static int syslog_send(struct delivery *d) {
    struct text host, port, protocol;
    char text[128];
    (void)field_text(d, "host", "", &host);
    (void)field_text(d, "port", "514", &port);
    (void)field_text(d, "protocol", "udp", &protocol);
    bool tcp = strcmp(protocol.at, "tcp") == 0;
    if (!tcp && strcmp(protocol.at, "udp") != 0) {
        return refused(d, -EINVAL, "its protocol is neither udp nor tcp");
    }
    struct addrinfo hints = {.ai_socktype = tcp ? SOCK_STREAM : SOCK_DGRAM}, *list = NULL;
    int found = getaddrinfo(host.at, port.at, &hints, &list);
    if (found) {
        return refused(d, -EHOSTUNREACH, gai_strerror(found));
    }
    syslog_write(d, tcp);
    int code = -EPERM;
    for (const struct addrinfo *a = list; a && code < 0; a = a->ai_next) {
        int fd = is_link_local(a->ai_addr) ? -EPERM : connect_to(d, a);
        code = fd < 0 ? fd : send_whole(d, fd);
        if (fd >= 0) {
            (void)close(fd);
        }
    }
    freeaddrinfo(list);
    return code < 0
               ? refused(d, code,
                         code == -EPERM ? "its server has a link-local address" : strerror_r(-code, text, sizeof(text)))
               : 0;
}

/* --- the table --- */

const struct notifier_type notifier_types[] = {
    {"slack", slack_send, {{"slackWebhookUrl", FIELD_URL, true, "Incoming webhook URL of the workspace"}, {0}}},
    {"twilio",
     twilio_send,
     {{"accountSid", FIELD_SECRET, true, "Account SID"},
      {"authToken", FIELD_SECRET, true, "Authentication token of the account"},
      {"toNumber", FIELD_TEXT, true, "Telephone number that gets the message"},
      {"fromNumber", FIELD_TEXT, true, "Telephone number of the account it comes from"},
      {0}}},
    {"email",
     mail_send,
     {{"secure", FIELD_FLAG, false, "TLS from the start of the connection"},
      {"host", FIELD_TEXT, true, "Mail server"},
      {"port", FIELD_TEXT, true, "Its port"},
      {"user", FIELD_TEXT, false, "User name at the mail server; then it must offer TLS"},
      {"password", FIELD_SECRET, false, "Password at the mail server"},
      {"from", FIELD_TEXT, true, "Address the message comes from"},
      {"to", FIELD_TEXT, true, "Address that gets the message; several joined by commas"},
      {"subject", FIELD_TEXT, false, "Subject of the message"},
      {0}}},
    {"syslog",
     syslog_send,
     {{"host", FIELD_TEXT, true, "Syslog server"},
      {"port", FIELD_TEXT, false, "Its port, 514"},
      {"protocol", FIELD_TEXT, false, "udp or tcp"},
      {0}}},
    {"teams", teams_send, {{"teamsWebhookUrl", FIELD_URL, true, "Incoming webhook URL of the channel"}, {0}}},
};
const size_t notifier_type_count = ARRAY_LEN(notifier_types);

const struct notifier_type *notifier_type_find(struct span name) {
    for (size_t i = 0; i < notifier_type_count; i++) {
        if (span_is(name, notifier_types[i].name)) {
            return &notifier_types[i];
        }
    }
    return NULL;
}

/* --- sending --- */

int notify_send(const struct api *api, const struct notice *notice, const atomic_bool *ending, struct err *ret_err) {
    struct delivery d = {.api = api, .notice = notice, .ending = ending, .err = ret_err};
    const struct notifier_type *type = notifier_type_find(notice->type);
    struct json_index body;
    struct json_error error;
    *ret_err = (struct err){0};
    if (!type) {
        return refused(&d, -EOPNOTSUPP, "messages of this type are not supported");
    }
    json_index_init(&body, 1 << 16);
    json_index_init(&d.fields, 1 << 16);
    buf_init(&d.message, (size_t)6 * (NOTICE_TEXT_MAX + (size_t)3 * NOTIFIER_FIELD_MAX));
    bool good =
        json_index_build(&body, notice->body, &error) == 0 &&
        json_index_build(&d.fields, json_raw_of(json_find(json_root(&body), SPAN_LITERAL("fields"))), &error) == 0;
    int code = good ? type->send(&d) : refused(&d, -EINVAL, "its fields cannot be read");
    if (d.message.len) {
        explicit_bzero(d.message.data, d.message.len);
    }
    buf_done(&d.message);
    json_index_done(&d.fields);
    json_index_done(&body);
    return code;
}
