/*
 * Plays the tables of script.h.
 */
#include "script.h"

#include "tcp.h"

#include <stdio.h>
#include <string.h>

/* The values that stay the same within a flow. */
struct constants {
    uint16_t two;
    uint32_t four;
};

static void put_words(struct maker *m, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        buffer_text(&m->message, i > 0 ? " " : "");
        buffer_text(&m->message, world_word(random_u64(&m->rng)));
    }
}

static void put_text_value(struct maker *m, char key) {
    char text[WORLD_NAME] = "";
    uint8_t a[16];
    struct random *r = &m->rng;
    switch (key) {
    case 'u':
        world_user(m->client, text);
        break;
    case 'h':
        world_host(m->world, m->server, text);
        break;
    case 'd':
        world_domain(m->world, m->server, text);
        break;
    case 'm':
        world_machine(m->client, text);
        break;
    case 'n':
        snprintf(text, sizeof text, "%u", random_below(r, 10000));
        break;
    case 'N':
        snprintf(text, sizeof text, "%05u", random_below(r, 10000));
        break;
    case 'x':
        snprintf(text, sizeof text, "%08x", random_u32(r));
        break;
    case 'a':
        world_client_address(m->client, 4, a);
        snprintf(text, sizeof text, "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
        break;
    default:
        break;
    }
    buffer_text(&m->message, text);
}

static void put_value(struct maker *m, char key, const struct constants *constants) {
    struct buffer *b = &m->message;
    switch (key) {
    case 'w':
        put_words(m, 1);
        break;
    case 't':
        put_words(m, random_between(&m->rng, 3, 14));
        break;
    case '1':
    case '2':
    case '4':
    case '8':
        buffer_random(b, &m->rng, (size_t)(key - '0'));
        break;
    case 'z':
        buffer_random(b, &m->rng, 16);
        break;
    case 'i':
        buffer_be16(b, constants->two);
        break;
    case 'I':
        buffer_be32(b, constants->four);
        break;
    case '%':
        buffer_u8(b, '%');
        break;
    default:
        put_text_value(m, key);
        break;
    }
}

static void put_line(struct maker *m, const struct line *l, const struct constants *constants) {
    const char *at = l->text;
    const char *end = l->text + l->length;
    while (at < end) {
        const char *percent = memchr(at, '%', (size_t)(end - at));
        const char *stop = percent != NULL ? percent : end;
        buffer_put(&m->message, at, (size_t)(stop - at));
        at = stop;
        if (percent != NULL && percent + 1 < end) {
            put_value(m, percent[1], constants);
            at = percent + 2;
        } else if (percent != NULL) {
            return; /* a lone percent sign at the end */
        }
    }
}

/* The lines in their order, with the repeated part unrolled: the number of the line to say, or -1 after the last. */
static int line_after(const struct script *s, int line, unsigned *repeats) {
    line++;
    if (line == s->repeat_to && *repeats > 0) {
        (*repeats)--;
        return s->repeat_from;
    }
    return line < s->line_count ? line : -1;
}

static void finish_tcp(struct maker *m, struct tcp *t) {
    uint32_t fate = random_below(&m->rng, 100);
    if (fate < 82) {
        tcp_close(t, m->client & 1);
    } else if (fate < 92) {
        tcp_reset(t, 0);
    }
}

void script_play(struct maker *m, const struct script *s) {
    struct constants constants = {(uint16_t)random_u32(&m->rng), random_u32(&m->rng)};
    maker_connect(m, s->where);
    bool stream = s->transport == PROTOCOL_TCP;
    struct tcp t = {0};
    struct udp u = {0};
    if (stream) {
        t = tcp_open(m, s->port);
    } else {
        u = udp_open(m, s->client_port, s->port);
    }
    unsigned repeats = s->repeat_max > 1 ? random_skewed(&m->rng, 0, s->repeat_max - 1u) : 0;
    for (int line = 0; line >= 0; line = line_after(s, line, &repeats)) {
        put_line(m, &s->lines[line], &constants);
        if (stream) {
            tcp_say(&t, s->lines[line].side);
        } else {
            udp_send(&u, s->lines[line].side);
        }
        maker_wait(m, 200, 400000);
    }
    if (stream) {
        finish_tcp(m, &t);
    }
}
