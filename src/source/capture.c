/* capture.c: see capture.h: recognising a capture, and telling what is wrong with one.
 *
 * Decision about time: the sessions of a run expire by the newest packet time, so one damaged timestamp could close all
 * of them. A jump of more than a day is therefore believed only when the packet after it is near it.
 */
#include "source/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum capture_format capture_recognise(const uint8_t *head, size_t len) {
    if (len < 4) {
        return CAPTURE_NONE;
    }
    switch (read_be32(head)) {
    case 0xa1b2c3d4: /* microseconds */
    case 0xd4c3b2a1:
    case 0xa1b23c4d: /* nanoseconds */
    case 0x4d3cb2a1:
    case 0xa1b2cd34: /* with longer record headers (Kuznetzov's patch) */
    case 0x34cdb2a1:
        return CAPTURE_PCAP;
    case 0x0a0d0d0a:
        if (len >= 12 && (read_be32(head + 8) == 0x1a2b3c4d || read_be32(head + 8) == 0x4d3c2b1a)) {
            return CAPTURE_PCAPNG;
        }
        return CAPTURE_NONE;
    default:
        return CAPTURE_NONE;
    }
}

int capture_start(struct capture *c, struct window *w) {
    int rc = window_need(w, 12);
    if (rc < 0) {
        return rc;
    }
    c->notes = 0;
    c->packets = 0;
    c->format = w->block ? capture_recognise(window_data(w), window_left(w)) : CAPTURE_NONE;
    switch (c->format) {
    case CAPTURE_PCAP:
        c->pcap = (struct pcap_state){0};
        return pcap_start(c, w);
    case CAPTURE_PCAPNG:
        c->pcapng = (struct pcapng_state){0};
        return pcapng_start(c, w);
    default:
        return -EBADMSG;
    }
}

void capture_done(struct capture *c) {
    if (c->format == CAPTURE_PCAPNG) {
        pcapng_done(c);
    }
    c->format = CAPTURE_NONE;
}

void capture_note(struct capture *c, uint64_t position, const char *format, ...) {
    c->notes++;
    if (!c->run->note || c->notes > CAPTURE_NOTES) {
        return;
    }
    char text[320];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    c->run->note(c->run->note_ctx, c->name, position, text);
    if (c->notes == CAPTURE_NOTES) {
        c->run->note(c->run->note_ctx, c->name, position, "more is wrong with this file: from here on only counted");
    }
}

void capture_truncated(struct capture *c, const struct window *w, const char *what) {
    c->run->stats.truncated++;
    if (w->error && w->stream->why[0]) {
        capture_note(c, window_position(w), "%s (%s)", what, w->stream->why);
    } else if (w->error) {
        char why[128] = "";
        const char *text = strerror_r(-w->error, why, sizeof(why));
        capture_note(c, window_position(w), "%s (%s)", what, text);
    } else {
        capture_note(c, window_position(w), "%s", what);
    }
}

const struct filter_code *capture_filter(struct capture *c, uint16_t link) {
    if (!c->run->filter) {
        return NULL;
    }
    const char *why;
    const struct filter_code *code = filter_for(c->run->filter, link, &why);
    if (!code) {
        c->run->short_of_memory = true;
    }
    if (why) {
        capture_note(c, 0, "the capture filter does not apply to link type %u, none of its packets pass: %s",
                     (unsigned)link, why);
    }
    return code;
}

static void time_text(int64_t time, char *to, size_t size) {
    time_t seconds = (time_t)(time / 1000000000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || strftime(to, size, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0) {
        snprintf(to, size, "%" PRId64 " ns", time);
    }
}

/* A jump that the packet after it did not confirm. */
static void leap_refuse(struct capture *c) {
    struct capture_run *run = c->run;
    char there[64];
    time_text(run->leap, there, sizeof(there));
    if (run->leap_file == c->number) {
        capture_note(c, run->leap_position,
                     "packet time %s is more than a day ahead of the packet after it: kept, but nothing expires by it",
                     there);
    }
    run->leap = INT64_MIN;
}

void capture_leap(struct capture *c, int64_t time, uint64_t position) {
    struct capture_run *run = c->run;
    if (run->leap != INT64_MIN) {
        if (time < run->leap - CAPTURE_LEAP) {
            leap_refuse(c);
        } else {
            run->clock = run->leap;
            run->leap = INT64_MIN;
            if (time <= run->clock + CAPTURE_LEAP) {
                run->clock = MAX(run->clock, time);
                return;
            }
        }
    }
    run->leap = time;
    run->leap_file = c->number;
    run->leap_position = position;
    if (time > CAPTURE_FAR) {
        char text[64];
        time_text(time, text, sizeof(text));
        capture_note(c, position, "packet time is %s: kept as it is", text);
    }
}

enum fill capture_fill(struct capture *c, struct window *w, struct batch *b) {
    struct capture_run *run = c->run;
    uint32_t before = b->count;
    enum fill filled = c->format == CAPTURE_PCAP ? pcap_fill(c, w, b) : pcapng_fill(c, w, b);
    uint32_t more = b->count - before;
    run->stats.packets += more;
    run->left -= more;
    if (more && run->leap != INT64_MIN && b->packets[b->count - 1].time != run->leap) {
        leap_refuse(c);
    }
    return filled;
}
