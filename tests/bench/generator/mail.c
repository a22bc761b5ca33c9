/*
 * SMTP (RFC 5321) with MIME messages (RFC 5322, 2045, 2047), POP3 (1939) and IMAP (3501).
 */
#include "document.h"
#include "http.h"
#include "recipes.h"
#include "tls.h"

#include <stdio.h>
#include <string.h>

struct letter {
    char from[2 * WORLD_NAME];
    char to[2 * WORLD_NAME];
    char domain[WORLD_NAME];
    char boundary[40];
};

static void letter_init(struct letter *l, struct maker *m) {
    char user[WORLD_NAME];
    world_domain(m->world, m->server, l->domain);
    world_user(m->client, user);
    snprintf(l->from, sizeof l->from, "%s@corp.example.com", user);
    world_user(random_u32(&m->rng), user);
    snprintf(l->to, sizeof l->to, "%s@%s", user, l->domain);
    snprintf(l->boundary, sizeof l->boundary, "=_part_%08x%08x", random_u32(&m->rng), random_u32(&m->rng));
}

static void put_headers(struct maker *m, const struct letter *l, const char *type) {
    static const char *const mailers[5] = {"Microsoft Outlook 16.0", "Apple Mail (2.3774)", "Thunderbird 115.4.1",
                                           "Roundcube Webmail/1.6.4", "mutt/2.2.9"};
    struct buffer *b = &m->message;
    struct random *r = &m->rng;
    unsigned hops = random_between(r, 1, 3);
    for (unsigned i = 0; i < hops; i++) {
        buffer_format(b,
                      "Received: from relay%u.%s (relay%u.%s [192.0.2.%u])\r\n\tby mx%u.corp.example.com with ESMTPS "
                      "id %08X\r\n\tfor <%s>; Tue, 14 Nov 2023 22:1%u:0%u +0000\r\n",
                      i, l->domain, i, l->domain, random_below(r, 250), i, random_u32(r), l->to, i, i);
    }
    buffer_format(b, "From: %s <%s>\r\nTo: <%s>\r\n",
                  m->client % 4 ? l->from : "=?utf-8?B?SsO8cmdlbiBLZWxsZXI=?=", l->from, l->to);
    if (random_chance(r, 300)) {
        buffer_format(b, "Cc: <%s@%s>, <%s@%s>\r\n", world_word(random_u64(r)), l->domain, world_word(random_u64(r)),
                      l->domain);
    }
    buffer_format(b, "Subject: %s%s %s %s\r\nDate: ", random_chance(r, 300) ? "Re: " : "", world_word(random_u64(r)),
                  world_word(random_u64(r)), world_word(random_u64(r)));
    http_put_date(b, m);
    buffer_format(b, "\r\nMessage-ID: <%08x.%08x@%s>\r\nX-Mailer: %s\r\nMIME-Version: 1.0\r\nContent-Type: %s",
                  random_u32(r), random_u32(r), l->domain, mailers[m->client % 5], type);
}

static void put_attachment(struct maker *m, const struct letter *l) {
    struct buffer *b = &m->message;
    const struct document *d = document_pick(m->world, &m->rng, 4000);
    if (d == NULL) {
        return;
    }
    const char *name = world_word(random_u64(&m->rng));
    size_t type = strcspn(d->type, ";");
    buffer_format(b, "--%s\r\nContent-Type: %.*s; name=\"%s.%s\"\r\n", l->boundary, (int)type, d->type, name,
                  d->extension);
    buffer_format(b, "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"%s.%s\"\r\n\r\n",
                  name, d->extension);
    buffer_base64(b, d->bytes, d->length, true);
}

static void put_letter(struct maker *m, const struct letter *l) {
    struct buffer *b = &m->message;
    unsigned words = random_skewed(&m->rng, 12, 200);
    if (random_chance(&m->rng, 450)) {
        put_headers(m, l, "text/plain; charset=utf-8\r\n\r\n");
        world_prose(b, &m->rng, words);
    } else {
        put_headers(m, l, "multipart/mixed;\r\n boundary=\"");
        buffer_format(b, "%s\"\r\n\r\nThis is a multi-part message in MIME format.\r\n--%s\r\n", l->boundary,
                      l->boundary);
        buffer_text(b, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n");
        world_prose(b, &m->rng, words);
        unsigned attachments = random_between(&m->rng, 1, 2);
        for (unsigned i = 0; i < attachments; i++) {
            put_attachment(m, l);
        }
        buffer_format(b, "--%s--\r\n", l->boundary);
    }
    buffer_text(b, ".\r\n");
}

static void say(struct tcp *t, int side, const char *format, const char *argument) {
    if (argument != NULL) {
        buffer_text(&t->maker->message, format);
        buffer_text(&t->maker->message, argument);
        buffer_text(&t->maker->message, ">\r\n");
    } else {
        buffer_text(&t->maker->message, format);
    }
    tcp_say(t, side);
}

static void greet(struct maker *m, struct tcp *t, const struct letter *l, bool tls) {
    char machine[WORLD_NAME];
    world_machine(m->client, machine);
    buffer_format(&m->message, "220 mx1.%s ESMTP %s\r\n", l->domain, m->server % 2 ? "Postfix (Debian)" : "Exim 4.96");
    tcp_say(t, 1);
    buffer_format(&m->message, "EHLO %s.corp.example.com\r\n", machine);
    tcp_say(t, 0);
    buffer_format(&m->message,
                  "250-mx1.%s\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n%s250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
                  l->domain, tls ? "250-STARTTLS\r\n" : "");
    tcp_say(t, 1);
}

static void log_in(struct maker *m, struct tcp *t) {
    char user[WORLD_NAME];
    world_user(m->client, user);
    say(t, 0, "AUTH LOGIN\r\n", NULL);
    say(t, 1, "334 VXNlcm5hbWU6\r\n", NULL);
    buffer_base64(&m->message, (const uint8_t *)user, strlen(user), true);
    tcp_say(t, 0);
    say(t, 1, "334 UGFzc3dvcmQ6\r\n", NULL);
    buffer_base64(&m->message, (const uint8_t *)user, strlen(user) / 2, true);
    tcp_say(t, 0);
    say(t, 1, "235 2.7.0 Authentication successful\r\n", NULL);
}

void make_smtp(struct maker *m) {
    struct letter l;
    maker_connect(m, WHERE_INTERNET);
    letter_init(&l, m);
    struct tcp t = tcp_open(m, m->client % 5 == 0 ? 587 : 25);
    bool tls = random_chance(&m->rng, 250);
    greet(m, &t, &l, tls);
    if (tls) {
        say(&t, 0, "STARTTLS\r\n", NULL);
        say(&t, 1, "220 2.0.0 Ready to start TLS\r\n", NULL);
        tls_handshake(m, &t, l.domain, m->server % 2, false);
        tls_put_data(&m->message, m, random_skewed(&m->rng, 1500, 9000));
        tcp_say(&t, 0);
        tcp_close(&t, 0);
        return;
    }
    if (t.port[1] == 587) {
        log_in(m, &t);
    }
    say(&t, 0, "MAIL FROM:<", l.from);
    say(&t, 1, "250 2.1.0 Ok\r\n", NULL);
    say(&t, 0, "RCPT TO:<", l.to);
    say(&t, 1, "250 2.1.5 Ok\r\n", NULL);
    say(&t, 0, "DATA\r\n", NULL);
    say(&t, 1, "354 End data with <CR><LF>.<CR><LF>\r\n", NULL);
    put_letter(m, &l);
    tcp_say(&t, 0);
    maker_wait(m, 1000, 400000);
    buffer_format(&m->message, "250 2.0.0 Ok: queued as %08X\r\n", random_u32(&m->rng));
    tcp_say(&t, 1);
    say(&t, 0, "QUIT\r\n", NULL);
    say(&t, 1, "221 2.0.0 Bye\r\n", NULL);
    tcp_close(&t, 1);
}

void make_pop3(struct maker *m) {
    struct letter l;
    maker_connect(m, WHERE_INTERNET);
    letter_init(&l, m);
    struct tcp t = tcp_open(m, 110);
    say(&t, 1, "+OK Dovecot ready.\r\n", NULL);
    buffer_format(&m->message, "USER %s\r\n", l.from);
    tcp_say(&t, 0);
    say(&t, 1, "+OK\r\n", NULL);
    buffer_format(&m->message, "PASS %s%u\r\n", world_word(m->client), m->client % 1000);
    tcp_say(&t, 0);
    say(&t, 1, "+OK Logged in.\r\n", NULL);
    say(&t, 0, "STAT\r\n", NULL);
    say(&t, 1, "+OK 1 2205\r\n", NULL);
    say(&t, 0, "RETR 1\r\n", NULL);
    buffer_text(&m->message, "+OK 2205 octets\r\n");
    put_letter(m, &l);
    tcp_say(&t, 1);
    say(&t, 0, "QUIT\r\n", NULL);
    say(&t, 1, "+OK Logging out.\r\n", NULL);
    tcp_close(&t, 1);
}

void make_imap(struct maker *m) {
    struct letter l;
    maker_connect(m, WHERE_OFFICE);
    letter_init(&l, m);
    struct tcp t = tcp_open(m, 143);
    say(&t, 1, "* OK [CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN] Dovecot ready.\r\n", NULL);
    buffer_format(&m->message, "a1 LOGIN \"%s\" \"%s%u\"\r\n", l.from, world_word(m->client), m->client % 1000);
    tcp_say(&t, 0);
    say(&t, 1, "a1 OK Logged in\r\n", NULL);
    say(&t, 0, "a2 SELECT INBOX\r\n", NULL);
    buffer_format(&m->message,
                  "* %u EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 1699999999] UIDs valid\r\na2 OK [READ-WRITE] Select "
                  "completed.\r\n",
                  random_below(&m->rng, 3000));
    tcp_say(&t, 1);
    unsigned count = random_between(&m->rng, 1, 5);
    for (unsigned i = 0; i < count; i++) {
        buffer_format(&m->message, "a%u UID FETCH %u (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n", i + 3,
                      random_below(&m->rng, 3000));
        tcp_say(&t, 0);
        buffer_format(&m->message,
                      "* %u FETCH (FLAGS (\\Seen) BODY[HEADER.FIELDS (SUBJECT)] {24}\r\nSubject: %6.6s report "
                      "\r\n)\r\na%u OK Fetch completed.\r\n",
                      i + 1, world_word(random_u64(&m->rng)), i + 3);
        tcp_say(&t, 1);
        maker_wait(m, 2000, 700000);
    }
    say(&t, 0, "a9 LOGOUT\r\n", NULL);
    say(&t, 1, "* BYE Logging out\r\na9 OK Logout completed.\r\n", NULL);
    tcp_close(&t, 1);
}
