/* capture.h: one capture file while it is parsed: what pcap.c and pcapng.c share.
 *
 * Owner: one source. Thread: one. Cost: 10 to 15 ns a packet. Failure: none reaches the caller but no memory: what is
 * wrong with a file is told through capture_note, counted, and the parser goes on behind it or ends the file.
 */
#ifndef SEINE_SOURCE_CAPTURE_H
#define SEINE_SOURCE_CAPTURE_H

#include "base/util.h"
#include "source/filter.h"
#include "source/source.h"
#include "source/window.h"

/* A record longer than this needs a sign that it is meant: that the file announces it, or that another record follows.
 */
#define CAPTURE_USUAL ((uint32_t)256 << 10)
/* No packet is longer than this; a record that announces more is skipped. */
#define CAPTURE_CEILING ((uint32_t)16 << 20)
/* How far the next record is looked for behind a damaged one. */
#define CAPTURE_SEARCH ((uint64_t)16 << 20)
/* Notes per file; what comes after is only counted. */
#define CAPTURE_NOTES 8
/* Times after this (the year 2100) are told. */
#define CAPTURE_FAR ((int64_t)4102444800 * 1000000000)
/* The clock follows a jump of more than this only when the next packet confirms it. */
#define CAPTURE_LEAP ((int64_t)86400 * 1000000000)

enum capture_format { CAPTURE_NONE, CAPTURE_PCAP, CAPTURE_PCAPNG };

/* What a parser stopped for. */
enum fill {
    FILL_FULL, /* no more packets fit */
    FILL_NEED, /* more bytes: see capture.need */
    FILL_END,  /* nothing more comes from this file */
};

/* What all captures of a source have in common. */
struct capture_run {
    struct source_stats stats;
    struct filter *filter; /* NULL = all packets pass */
    int64_t clock;         /* newest believed packet time; INT64_MIN before the first */
    int64_t leap;          /* a time far ahead that waits for its confirmation; INT64_MIN = none */
    uint64_t leap_position;
    uint32_t leap_file;
    uint64_t left; /* packets until the limit */
    bool short_of_memory;
    source_note_fn note; /* NULL = quiet */
    void *note_ctx;
};

struct pcap_state {
    bool swapped, nanoseconds;
    bool lost;          /* looking for the next record since `lost_at` */
    bool timed;         /* `seconds` is that of a good record */
    uint32_t header;    /* bytes of a record header: 16 or 24 */
    uint32_t usual;     /* longest record that needs no second look */
    uint32_t announced; /* snaplen */
    uint32_t seconds;   /* of the last good record */
    uint16_t link;
    uint32_t lost_length; /* the length that made no sense */
    uint64_t lost_at;
    const struct filter_code *code;
};

struct pcapng_interface {
    uint16_t link;
    uint32_t snaplen;
    int64_t offset;      /* if_tsoffset: seconds */
    uint64_t per_second; /* units; 0 = more than 64 bits hold */
    uint64_t unit;       /* ns per unit when that is a whole number, else 0 */
    uint64_t quick;      /* below this, time = units * unit */
    const struct filter_code *code;
};

/* Interfaces of a section; packets of later ones are skipped. */
#define PCAPNG_INTERFACES 4096

struct pcapng_state {
    bool swapped;
    bool lost;
    bool section; /* inside one whose header was understood */
    uint64_t lost_at;
    int64_t time;    /* of the last packet that had one */
    uint32_t before; /* interfaces of earlier sections: they count on through the file */
    uint32_t count, room;
    struct pcapng_interface *interfaces;
};

struct capture {
    struct capture_run *run;
    const char *name;
    uint32_t number;
    enum capture_format format;
    unsigned notes;
    size_t need; /* bytes the window must hold for the parser to go on */
    uint64_t packets;
    union {
        struct pcap_state pcap;
        struct pcapng_state pcapng;
    };
};

/* What begins with these bytes (12 suffice). */
enum capture_format capture_recognise(const uint8_t *head, size_t len);

/* Begins a file whose first bytes are in `w`; `c` has run, name and number. 0, or -EBADMSG (said and counted) when its
 * header makes no sense, or -ENOMEM. */
int capture_start(struct capture *c, struct window *w);
void capture_done(struct capture *c);

/* Parses what is in the window until `b` is full or bytes are needed. Packets point into the window's block. */
enum fill capture_fill(struct capture *c, struct window *w, struct batch *b);

/* Says what is wrong at a position of the file, CAPTURE_NOTES times at most. */
void capture_note(struct capture *c, uint64_t position, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The file ends inside a record: counted and said, with what the stream says about why. */
void capture_truncated(struct capture *c, const struct window *w, const char *what);
/* Compiled filter for a link type, or NULL when every packet passes. */
const struct filter_code *capture_filter(struct capture *c, uint16_t link);
/* `time` is far ahead of the clock. */
void capture_leap(struct capture *c, int64_t time, uint64_t position);

/* Latest time of a packet: leaves room for sums. */
#define CAPTURE_TIME_MAX (INT64_MAX - 4 * CAPTURE_LEAP)

int pcap_start(struct capture *c, struct window *w);
enum fill pcap_fill(struct capture *c, struct window *w, struct batch *b);
/* Reads the record header at `at` into time, captured and wire. False when no such record can be. */
bool pcap_header_read(const struct pcap_state *p, const uint8_t *at, struct packet *ret_packet);
int pcapng_start(struct capture *c, struct window *w);
enum fill pcapng_fill(struct capture *c, struct window *w, struct batch *b);
void pcapng_done(struct capture *c);

struct capture_record {
    const uint8_t *data;
    uint64_t position;
    int64_t time;
    uint32_t captured, wire;
    uint16_t interface, link;
    const struct filter_code *code;
};

/* Appends a packet to the batch unless the filter refuses it. */
static inline void capture_put(struct capture *c, struct batch *b, const struct capture_record *r) {
    struct capture_run *run = c->run;
    c->packets++;
    if (UNLIKELY(r->code != NULL) && !filter_pass(r->code, r->data, r->captured, r->wire)) {
        run->stats.filtered++;
        return;
    }
    if (UNLIKELY(r->time > run->clock)) {
        /* unsigned: the clock is INT64_MIN before the first packet */
        if (UNLIKELY((uint64_t)r->time - (uint64_t)run->clock > (uint64_t)CAPTURE_LEAP)) {
            capture_leap(c, r->time, r->position);
        } else {
            run->clock = r->time;
        }
    }
    struct packet *p = &b->packets[b->count++];
    p->data = r->data;
    p->time = r->time;
    p->position = r->position;
    p->captured = r->captured;
    p->wire = r->wire;
    p->file = c->number;
    p->interface = r->interface;
    p->link = r->link;
    p->flags = r->captured < r->wire ? PACKET_CUT : 0;
    run->stats.cut += r->captured < r->wire;
    run->stats.bytes += r->captured;
}

#endif
