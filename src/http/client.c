/* client.c: see client.h. */
#include "http/client.h"

#include <errno.h>

#include "base/util.h"
#include "http/target.h"

void percent_encode(struct span text, struct buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        int c = text.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '.' || c == '_' || c == '~';
        if (plain) {
            buf_add_byte(out, (uint8_t)c);
        } else {
            buf_printf(out, "%%%02X", (unsigned)c);
        }
    }
}

bool client_may_ask(const char *url) {
    struct span text = span_text(url);
    if (span_starts_fold(text, SPAN_LITERAL("https://"))) {
        return text.len > 8;
    }
    if (!span_starts_fold(text, SPAN_LITERAL("http://"))) {
        return false;
    }
    /* Nothing stands in front of the host: "http://localhost@elsewhere" is elsewhere. */
    struct span authority = span_sub(text, 7, strcspn(url + 7, "/?#"));
    return span_find_byte(authority, 0, '@') == SPAN_NONE && span_find_byte(authority, 0, '\\') == SPAN_NONE &&
           host_is_loopback(host_name(authority));
}

#ifdef SEINE_CURL

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static size_t take(char *data, size_t size, size_t count, void *ctx) {
    struct buf *out = ctx;
    buf_add(out, data, size * count);
    return out->overflowed ? 0 : size * count;
}

static int curl_set(CURL *c, const struct client_request *q, struct buf *out) {
    CURLcode bad = curl_easy_setopt(c, CURLOPT_URL, q->url);
    bad |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    bad |= curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
    bad |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    bad |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, MIN((long)q->seconds, 5L));
    bad |= curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)q->seconds);
    bad |= curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)q->ceiling);
    bad |= curl_easy_setopt(c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(c, CURLOPT_USERAGENT, "seine");
    if (q->ca_file && *q->ca_file) {
        bad |= curl_easy_setopt(c, CURLOPT_CAINFO, q->ca_file);
    }
    if (q->form) {
        bad |= curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->form);
    }
    if (q->user) {
        bad |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        bad |= curl_easy_setopt(c, CURLOPT_USERNAME, q->user);
        bad |= curl_easy_setopt(c, CURLOPT_PASSWORD, q->password);
    }
    if (q->bearer) {
        bad |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        bad |= curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, q->bearer);
    }
    return bad ? -EINVAL : 0;
}

static int perform(CURL *c, const struct client_request *q, struct buf *out, struct err *ret_err) {
    char problem[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    CURLcode result = CURLE_OUT_OF_MEMORY;
    if (headers && curl_set(c, q, out) == 0 && curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
        curl_easy_setopt(c, CURLOPT_ERRORBUFFER, problem) == CURLE_OK) {
        result = curl_easy_perform(c);
    }
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    const char *why = problem[0] ? problem : curl_easy_strerror(result);
    switch (result) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return err_set(ret_err, -ETIMEDOUT, "%s: no answer in time", q->url);
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WRITE_ERROR:
        return err_set(ret_err, -EFBIG, "%s: the answer is too long", q->url);
    case CURLE_OUT_OF_MEMORY:
        return err_set(ret_err, -ENOMEM, "%s: no memory to ask with", q->url);
    default:
        return err_set(ret_err, -EHOSTUNREACH, "%s: %s", q->url, why);
    }
}

int client_ask(const struct client_request *q, struct buf *out, long *ret_status, struct err *ret_err) {
    if (!client_may_ask(q->url)) {
        return err_set(ret_err, -EPERM, "%s: only https is asked, and http on this machine", q->url);
    }
    CURL *c = curl_easy_init();
    if (!c) {
        return err_set(ret_err, -ENOMEM, "%s: no memory to ask with", q->url);
    }
    buf_init(out, q->ceiling);
    int code = perform(c, q, out, ret_err);
    *ret_status = 0;
    (void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, ret_status);
    curl_easy_cleanup(c);
    if (code < 0) {
        buf_done(out);
    }
    return code;
}

#else

int client_ask(const struct client_request *q, struct buf *out, long *ret_status, struct err *ret_err) {
    (void)out;
    (void)ret_status;
    return err_set(ret_err, -EOPNOTSUPP, "%s: this program was built without libcurl and cannot ask servers", q->url);
}

#endif
