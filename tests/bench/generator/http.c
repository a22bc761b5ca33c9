/*
 * HTTP/1.1 (RFC 9110, 9112) between browsers and servers of several makes: keep-alive, cookies, forms, redirects,
 * cached answers, chunked and gzip bodies, basic authentication, WebSocket upgrade (RFC 6455).
 */
#include "http.h"

#include "document.h"
#include "recipes.h"

#include <stdio.h>
#include <string.h>

static const char *const servers[] = {
    "nginx/1.22.1", "Apache/2.4.57 (Debian)", "Microsoft-IIS/10.0", "cloudflare", "openresty",
    "gunicorn",     "lighttpd/1.4.69",        "Jetty(9.4.51)"};

void http_put_date(struct buffer *b, const struct maker *m) {
    unsigned second = (unsigned)(m->recorder.now_us / 1000000 % 86400);
    buffer_format(b, "Tue, 14 Nov 2023 %02u:%02u:%02u GMT", second / 3600, second / 60 % 60, second % 60);
}

static void put_hex(struct buffer *b, struct random *r, unsigned digits) {
    for (unsigned i = 0; i < digits; i += 16) {
        char text[17];
        snprintf(text, sizeof text, "%016llx", (unsigned long long)random_u64(r));
        buffer_put(b, text, digits - i < 16 ? digits - i : 16);
    }
}

static void put_path(struct maker *m, const struct document *d) {
    struct random *r = &m->rng;
    unsigned depth = random_below(r, 4);
    for (unsigned i = 0; i < depth; i++) {
        buffer_format(&m->message, "/%s", world_word(random_skewed(r, 0, 170)));
    }
    buffer_format(&m->message, "/%s-%u.%s", world_word(random_u64(r)), random_skewed(r, 0, 5000), d->extension);
    if (random_chance(r, 300)) {
        buffer_format(&m->message, "?%s=%s&v=%u", world_word(random_u64(r)), world_word(random_u64(r)),
                      random_below(r, 100000));
    }
}

static void put_cookie(struct maker *m) {
    buffer_format(&m->message, "Cookie: session=%08x%08x", m->client * 2654435761u, m->server * 40503u);
    if (m->client % 3 == 0) {
        buffer_format(&m->message, "; _ga=GA1.2.%u.1699%06u; consent=yes", m->client + 100000, m->client % 1000000);
    }
    if (m->client % 5 == 0) {
        buffer_text(&m->message, "; lang=de; theme=dark");
    }
    buffer_text(&m->message, "\r\n");
}

static void put_authorization(struct maker *m) {
    char user[WORLD_NAME];
    char login[2 * WORLD_NAME];
    world_user(m->client, user);
    snprintf(login, sizeof login, "%s:%s%u", user, world_word(m->client), m->client % 100);
    buffer_text(&m->message, "Authorization: Basic ");
    buffer_base64(&m->message, (const uint8_t *)login, strlen(login), false);
    buffer_text(&m->message, "\r\n");
}

static void put_form(struct maker *m) {
    char user[WORLD_NAME];
    world_user(m->client, user);
    const char *key = world_word(random_u64(&m->rng));
    const char *value = world_word(random_u64(&m->rng));
    size_t length = strlen(user) + strlen(key) + strlen(value) + 46;
    buffer_format(&m->message, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n",
                  length);
    buffer_format(&m->message, "user=%s&%s=%s&token=", user, key, value);
    put_hex(&m->message, &m->rng, 32);
}

bool http_put_request(struct maker *m, const struct http_style *style, const char *host, const struct document *d) {
    struct random *r = &m->rng;
    struct buffer *b = &m->message;
    bool post = !style->plain && random_chance(r, 90);
    buffer_text(b, post ? "POST " : !style->plain && random_chance(r, 15) ? "HEAD " : "GET ");
    if (style->proxy) {
        buffer_format(b, "http://%s", host);
    }
    put_path(m, d);
    buffer_format(b, " HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nAccept: %s\r\n", host, world_agent(m->client),
                  style->plain || m->client % 3 ? "*/*" : "text/html,application/xhtml+xml,*/*;q=0.8");
    if (!style->plain) {
        buffer_text(b, m->client % 2 ? "Accept-Language: de-DE,de;q=0.9,en;q=0.8\r\nAccept-Encoding: gzip, deflate\r\n"
                                     : "Accept-Encoding: gzip, deflate\r\nAccept-Language: en-US,en;q=0.5\r\n");
        if (random_chance(r, 600)) {
            put_cookie(m);
        }
        if (random_chance(r, 400)) {
            buffer_format(b, "Referer: http://%s/%s\r\n", host, world_word(m->server));
        }
        if (random_chance(r, 30)) {
            put_authorization(m);
        }
    }
    buffer_text(b, style->close ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
    if (post) {
        put_form(m);
    } else {
        buffer_text(b, "\r\n");
    }
    return post;
}

static void put_chunks(struct buffer *b, const uint8_t *bytes, size_t length) {
    for (size_t at = 0; at < length; at += 4096) {
        size_t n = length - at < 4096 ? length - at : 4096;
        buffer_format(b, "%zx\r\n", n);
        buffer_put(b, bytes + at, n);
        buffer_text(b, "\r\n");
    }
    buffer_text(b, "0\r\n\r\n");
}

/* Answers without a document. Returns false when this one is not of that kind. */
static bool put_short_response(struct maker *m) {
    struct buffer *b = &m->message;
    uint32_t kind = random_below(&m->rng, 100);
    if (kind >= 14) {
        return false;
    }
    const char *server = servers[m->server % 8];
    if (kind < 7) {
        buffer_format(b, "HTTP/1.1 304 Not Modified\r\nServer: %s\r\nDate: ", server);
        http_put_date(b, m);
        buffer_format(b, "\r\nETag: \"%x\"\r\n\r\n", m->server * 2654435761u);
        return true;
    }
    char host[WORLD_NAME];
    world_host(m->world, m->server, host);
    buffer_format(
        b, kind < 11 ? "HTTP/1.1 302 Found\r\nServer: %s\r\nDate: " : "HTTP/1.1 404 Not Found\r\nServer: %s\r\nDate: ",
        server);
    http_put_date(b, m);
    if (kind < 11) {
        buffer_format(b, "\r\nLocation: https://%s/%s\r\nContent-Length: 0\r\n\r\n", host, world_word(m->client));
    } else {
        buffer_text(b, "\r\nContent-Type: text/html\r\nContent-Length: 48\r\n\r\n"
                       "<html><body><h1>404 Not Found</h1></body></html>");
    }
    return true;
}

void http_put_response(struct maker *m, const struct http_style *style, const struct document *d) {
    struct buffer *b = &m->message;
    struct random *r = &m->rng;
    if (!style->plain && put_short_response(m)) {
        return;
    }
    size_t length = d->length;
    bool chunked = !style->plain && random_chance(r, 200);
    buffer_format(b, "HTTP/1.1 200 OK\r\nServer: %s\r\nDate: ", style->plain ? servers[0] : servers[m->server % 8]);
    http_put_date(b, m);
    buffer_format(b, "\r\nContent-Type: %s\r\n", d->type);
    if (d->encoding != NULL) {
        buffer_format(b, "Content-Encoding: %s\r\n", d->encoding);
    }
    if (!style->plain) {
        buffer_format(b, "Cache-Control: max-age=%u\r\n", random_below(r, 10) * 3600);
        if (random_chance(r, 200)) {
            buffer_format(b, "Set-Cookie: session=%08x; Path=/; HttpOnly\r\n", random_u32(r));
        }
        if (m->server % 4 == 1) {
            buffer_text(b, "X-Powered-By: PHP/8.2.7\r\nX-Frame-Options: SAMEORIGIN\r\n");
        }
    }
    buffer_format(b, "ETag: \"655%05x-%zx\"\r\n", m->server & 0xfffff, length);
    buffer_text(b, style->close ? "Connection: close\r\n" : "Connection: keep-alive\r\n");
    if (chunked) {
        buffer_text(b, "Transfer-Encoding: chunked\r\n\r\n");
        put_chunks(b, d->bytes, length);
    } else {
        buffer_format(b, "Content-Length: %zu\r\n\r\n", length);
        buffer_put(b, d->bytes, length);
    }
}

/* HEAD and bodies do not go together: the request's first letter tells. */
static bool message_is_head(const struct buffer *b) {
    return b->length > 0 && b->bytes[0] == 'H';
}

static void exchange(struct maker *m, struct tcp *t, const struct http_style *style, const char *host) {
    const struct document *d = document_pick(m->world, &m->rng, style->limit);
    struct document fresh = {"application/json", "json", NULL, NULL, 0};
    if (d == NULL) { /* an answer computed for this request, of three quarters of the limit on average */
        buffer_clear(&m->scratch);
        document_json(&m->scratch, &m->rng, random_between(&m->rng, style->limit / 160, style->limit / 85));
        fresh.length = (uint32_t)m->scratch.length;
        fresh.bytes = m->scratch.bytes;
        d = &fresh;
    }
    http_put_request(m, style, host, d);
    bool head = message_is_head(&m->message);
    tcp_say(t, 0);
    if (style->limit > 1100 && random_chance(&m->rng, 300)) {
        tcp_ack(t, 1); /* the server has to think */
    }
    maker_wait(m, 500, 80000);
    if (head) {
        buffer_format(&m->message, "HTTP/1.1 200 OK\r\nServer: %s\r\nContent-Type: %s\r\nContent-Length: %u\r\n\r\n",
                      servers[m->server % 8], d->type, d->length);
    } else {
        http_put_response(m, style, d);
    }
    tcp_say(t, 1);
}

/* 9 packets: one request, one answer in one segment, close. */
void make_http_short(struct maker *m) {
    char host[WORLD_NAME];
    struct http_style style = {.close = true, .limit = 1100};
    maker_connect(m, WHERE_INTERNET);
    world_host(m->world, m->server, host);
    struct tcp t = tcp_open(m, 80);
    exchange(m, &t, &style, host);
    tcp_ack(&t, 0);
    tcp_close(&t, 1);
}

/* Left open after one exchange. */
void make_http_open(struct maker *m) {
    char host[WORLD_NAME];
    struct http_style style = {.limit = 1100};
    maker_connect(m, WHERE_INTERNET);
    world_host(m->world, m->server, host);
    struct tcp t = tcp_open(m, 80);
    exchange(m, &t, &style, host);
    tcp_ack(&t, 0);
}

void make_http(struct maker *m) {
    char host[WORLD_NAME];
    bool office = random_chance(&m->rng, 250);
    struct http_style style = {.proxy = office && m->client % 2, .limit = 4000};
    maker_connect(m, office ? WHERE_OFFICE : WHERE_INTERNET);
    world_host(m->world, m->server, host);
    struct tcp t = tcp_open(m, style.proxy ? 3128 : office ? 8080 : 80);
    unsigned count = random_skewed(&m->rng, 1, 17);
    for (unsigned i = 0; i < count; i++) {
        style.close = i + 1 == count && random_chance(&m->rng, 300);
        exchange(m, &t, &style, host);
        maker_wait(m, 1000, 3000000);
    }
    tcp_ack(&t, 0);
    uint32_t fate = random_below(&m->rng, 100);
    if (fate < 80) {
        tcp_close(&t, style.close ? 1 : 0);
    } else if (fate < 92) {
        tcp_reset(&t, 0);
    }
}

/* nginx as in a load test: the same client asks for one document after the other. */
void make_http_bulk(struct maker *m) {
    char host[WORLD_NAME];
    maker_connect(m, WHERE_INTERNET);
    world_host(m->world, m->server, host);
    struct http_style style = {.plain = true, .limit = 28000, .close = random_chance(&m->rng, 400)};
    struct tcp t = tcp_open(m, 80);
    unsigned count = style.close ? 1 : random_between(&m->rng, 3, 11);
    for (unsigned i = 0; i < count; i++) {
        exchange(m, &t, &style, host);
        tcp_ack(&t, 0);
        maker_wait(m, 300, 200000);
    }
    tcp_close(&t, style.close ? 1 : 0);
}

void make_websocket(struct maker *m) {
    char host[WORLD_NAME];
    maker_connect(m, WHERE_INTERNET);
    world_host(m->world, m->server, host);
    struct tcp t = tcp_open(m, 80);
    struct buffer *b = &m->message;
    buffer_format(
        b,
        "GET /%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://%s\r\n\r\n",
        world_word(m->client), host, world_agent(m->client), host);
    tcp_say(&t, 0);
    buffer_text(b, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    tcp_say(&t, 1);
    unsigned count = random_skewed(&m->rng, 2, 20);
    for (unsigned i = 0; i < count; i++) {
        int side = (int)(i & 1);
        unsigned n = random_between(&m->rng, 10, 110);
        buffer_u8(b, 0x82);
        buffer_u8(b, side == 0 ? 0x80 | n : n);
        buffer_random(b, &m->rng, side == 0 ? n + 4 : n);
        tcp_say(&t, side);
        maker_wait(m, 2000, 900000);
    }
    tcp_close(&t, 0);
}
