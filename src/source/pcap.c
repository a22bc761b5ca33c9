/* pcap.c: the classic capture file: both byte orders, microseconds and nanoseconds, and the longer record headers of
 * the "modified" format.
 *
 * Standard: draft-ietf-opsawg-pcap. Decision: a header that cannot be right (length beyond what the file announces, all
 * zero) is not believed, and neither are soft oddities (fraction of a second above one, more captured than on the wire)
 * unless a record follows; then the next place is searched where a record whose time is near is followed by another.
 */
#include <errno.h>

#include "source/capture.h"

#define NEAR_SECONDS (30 * 86400)

struct record_header {
    uint32_t seconds, fraction, captured, wire;
};

static inline uint32_t load32(const uint8_t *at, bool swapped) {
    uint32_t v;
    memcpy(&v, at, sizeof(v));
    return swapped ? __builtin_bswap32(v) : v;
}

static inline struct record_header header_read(const uint8_t *at, bool swapped) {
    return (struct record_header){load32(at, swapped), load32(at + 4, swapped), load32(at + 8, swapped),
                                  load32(at + 12, swapped)};
}

int pcap_start(struct capture *c, struct window *w) {
    struct pcap_state *p = &c->pcap;
    int rc = window_need(w, 24);
    if (rc < 0) {
        return rc;
    }
    if (window_left(w) < 24) {
        c->run->stats.unreadable++;
        capture_note(c, window_left(w), "ends inside the file header (%zu of 24 bytes): nothing read", window_left(w));
        return -EBADMSG;
    }
    const uint8_t *at = window_data(w);
    uint32_t magic = load32(at, false);
    uint32_t usual = magic == 0xa1b2c3d4 || magic == 0xa1b23c4d || magic == 0xa1b2cd34;
    p->swapped = !usual;
    if (p->swapped) {
        magic = __builtin_bswap32(magic);
    }
    p->nanoseconds = magic == 0xa1b23c4d;
    p->header = magic == 0xa1b2cd34 ? 24 : 16;
    p->announced = load32(at + 16, p->swapped);
    p->usual = p->announced > CAPTURE_USUAL && p->announced <= CAPTURE_CEILING ? p->announced : CAPTURE_USUAL;
    p->link = (uint16_t)load32(at + 20, p->swapped); /* above: length of a frame check sequence, not needed */
    p->code = capture_filter(c, p->link);
    w->at += 24;
    return c->run->short_of_memory ? -ENOMEM : 0;
}

static uint32_t fraction_limit(const struct pcap_state *p) {
    return p->nanoseconds ? 1000000000 : 1000000;
}

/* Strict: what a record looks like when it is searched for. */
static bool header_plausible(const struct pcap_state *p, struct record_header h, bool timed, uint32_t seconds) {
    return h.captured - 1 < p->usual && h.wire >= h.captured && h.wire <= MAX(p->usual, CAPTURE_USUAL) * 4 &&
           h.fraction < fraction_limit(p) &&
           (!timed || h.seconds - seconds + NEAR_SECONDS <= 2 * (uint32_t)NEAR_SECONDS);
}

/* Loose: what may stand behind an odd record that is believed. */
static bool header_possible(const struct pcap_state *p, struct record_header h) {
    if (h.captured > p->usual) {
        return h.captured <= CAPTURE_CEILING && h.fraction < fraction_limit(p) && h.wire >= h.captured;
    }
    return (h.seconds | h.fraction | h.captured | h.wire) != 0;
}

enum doubt { DOUBT_FINE, DOUBT_NEED, DOUBT_SKIP, DOUBT_DAMAGED };

/* A header that is not as usual: whether to believe it. `at`: of the header, from the start of the block. */
static enum doubt header_doubt(struct capture *c, const struct window *w, size_t at, struct record_header h) {
    const struct pcap_state *p = &c->pcap;
    if ((h.seconds | h.fraction | h.captured | h.wire) == 0) {
        return DOUBT_DAMAGED;
    }
    if (h.captured > CAPTURE_CEILING) {
        return h.captured <= p->announced && h.wire >= h.captured ? DOUBT_SKIP : DOUBT_DAMAGED;
    }
    size_t next = p->header + (size_t)h.captured;
    size_t left = w->end - at;
    if (left >= next + p->header) {
        struct record_header behind = header_read(w->block->data + at + next, p->swapped);
        return header_possible(p, behind) ? DOUBT_FINE : DOUBT_DAMAGED;
    }
    if (!w->eof) {
        c->need = next + p->header;
        return DOUBT_NEED;
    }
    /* the last record: believed when it ends with the file, or when only the fraction is odd */
    return left == next || h.captured <= p->usual ? DOUBT_FINE : DOUBT_DAMAGED;
}

static void lost_begin(struct capture *c, struct window *w, uint32_t length) {
    c->pcap.lost = true;
    c->pcap.lost_at = window_position(w);
    c->pcap.lost_length = length;
    c->run->stats.damaged++;
    w->at++;
}

/* True when a record stands at `at` and another one, or the end of the file, behind it. `*ret_need`: bytes that must be
 * there to tell; else 0. */
static bool record_found(const struct capture *c, const struct window *w, size_t at, size_t *ret_need) {
    const struct pcap_state *p = &c->pcap;
    const uint8_t *data = w->block->data;
    struct record_header h = header_read(data + at, p->swapped);
    *ret_need = 0;
    if (!header_plausible(p, h, p->timed, p->seconds)) {
        return false;
    }
    size_t next = at + p->header + h.captured;
    if (next + p->header <= w->end) {
        return header_plausible(p, header_read(data + next, p->swapped), true, h.seconds);
    }
    if (!w->eof) {
        *ret_need = next + p->header - at;
        return false;
    }
    return next == w->end;
}

/* Looks for the next record. FILL_FULL: found, the window is at it. */
static enum fill lost_search(struct capture *c, struct window *w) {
    struct pcap_state *p = &c->pcap;
    for (;;) {
        for (; w->end - w->at >= p->header; w->at++) {
            size_t need;
            if (record_found(c, w, w->at, &need)) {
                capture_note(c, p->lost_at, "damaged record (length %u): skipped %llu bytes to the next record",
                             p->lost_length, (unsigned long long)(window_position(w) - p->lost_at));
                p->lost = false;
                return FILL_FULL;
            }
            if (need) {
                c->need = need;
                return FILL_NEED;
            }
            if (window_position(w) - p->lost_at > CAPTURE_SEARCH) {
                capture_note(c, p->lost_at,
                             "damaged record (length %u) and no other within %llu MiB: the rest of the "
                             "file is not read",
                             p->lost_length, (unsigned long long)(CAPTURE_SEARCH >> 20));
                return FILL_END;
            }
        }
        if (w->eof) {
            w->at = w->end;
            capture_note(c, p->lost_at,
                         "damaged record (length %u) and no other up to the end of the file: %llu bytes "
                         "not read",
                         p->lost_length, (unsigned long long)(window_position(w) - p->lost_at));
            return FILL_END;
        }
        c->need = p->header;
        return FILL_NEED;
    }
}

static int64_t header_time(const struct pcap_state *p, struct record_header h) {
    return (int64_t)h.seconds * 1000000000 + (int64_t)h.fraction * (p->nanoseconds ? 1 : 1000);
}

bool pcap_header_read(const struct pcap_state *p, const uint8_t *at, struct packet *ret_packet) {
    struct record_header h = header_read(at, p->swapped);
    if (h.captured > CAPTURE_CEILING || (h.seconds | h.fraction | h.captured | h.wire) == 0) {
        return false;
    }
    ret_packet->time = header_time(p, h);
    ret_packet->captured = h.captured;
    ret_packet->wire = MAX(h.captured, h.wire);
    return true;
}

static void record_put(struct capture *c, const struct window *w, size_t at, struct record_header h, struct batch *b) {
    const struct pcap_state *p = &c->pcap;
    struct capture_record r = {
        .data = w->block->data + at + p->header,
        .position = w->base + at,
        .time = header_time(p, h),
        .captured = h.captured,
        .wire = MAX(h.captured, h.wire),
        .link = p->link,
        .code = p->code,
    };
    capture_put(c, b, &r);
}

/* The record at the end is not whole. When another one stands inside it, its length lies. */
static bool end_lies(const struct capture *c, const struct window *w) {
    size_t need;
    for (size_t at = w->at + 1; w->end - at >= c->pcap.header; at++) {
        if (record_found(c, w, at, &need)) {
            return true;
        }
    }
    return false;
}

/* The file ends inside a record: its bytes are used as far as they are there. */
static enum fill end_reached(struct capture *c, struct window *w, struct batch *b) {
    struct pcap_state *p = &c->pcap;
    size_t left = window_left(w);
    if (left > p->header && end_lies(c, w)) {
        lost_begin(c, w, header_read(window_data(w), p->swapped).captured);
        return FILL_FULL;
    }
    if (left == 0) {
        if (w->error) {
            capture_truncated(c, w, "reading failed: all before is used");
        }
        return FILL_END;
    }
    if (left < p->header) {
        capture_truncated(c, w, "ends inside a record header: all before it is used");
    } else if (left == p->header) {
        capture_truncated(c, w, "ends before the bytes of its last packet: all before it is used");
    } else {
        struct record_header h = header_read(window_data(w), p->swapped);
        capture_truncated(c, w, "ends inside its last packet: used as far as it is there");
        h.wire = MAX(h.wire, h.captured);
        h.captured = (uint32_t)(left - p->header);
        record_put(c, w, w->at, h, b);
    }
    w->at = w->end;
    return FILL_END;
}

/* Skips a record above the ceiling that the file announced. */
static enum fill giant_skip(struct capture *c, struct window *w, struct record_header h) {
    c->run->stats.damaged++;
    capture_note(c, window_position(w), "packet of %u bytes is longer than %u: skipped", h.captured, CAPTURE_CEILING);
    if (window_skip(w, (uint64_t)c->pcap.header + h.captured) < 0) {
        c->run->short_of_memory = true;
        return FILL_END;
    }
    c->need = c->pcap.header;
    return FILL_NEED;
}

/* One record that is not as usual, or is not whole: *ret_fine when it may be used after all. */
static enum fill odd_record(struct capture *c, struct window *w, struct record_header h, bool *ret_fine) {
    *ret_fine = false;
    switch (header_doubt(c, w, w->at, h)) {
    case DOUBT_FINE:
        *ret_fine = true;
        return FILL_FULL;
    case DOUBT_NEED:
        return FILL_NEED;
    case DOUBT_SKIP:
        return FILL_FULL;
    default:
        lost_begin(c, w, h.captured);
        return FILL_FULL;
    }
}

enum fill pcap_fill(struct capture *c, struct window *w, struct batch *b) {
    struct pcap_state *p = &c->pcap;
    const uint32_t header = p->header;
    const uint32_t fraction = fraction_limit(p);
    const uint32_t limit = (uint32_t)MIN((uint64_t)BATCH_MAX, b->count + c->run->left);
    enum fill filled = FILL_FULL;
    while (b->count < limit) {
        if (UNLIKELY(p->lost) && (filled = lost_search(c, w)) != FILL_FULL) {
            break;
        }
        size_t left = w->end - w->at;
        if (UNLIKELY(left < header)) {
            c->need = header;
            filled = w->eof ? end_reached(c, w, b) : FILL_NEED;
            break;
        }
        struct record_header h = header_read(w->block->data + w->at, p->swapped);
        if (UNLIKELY(h.captured - 1 >= p->usual || h.fraction >= fraction || h.wire < h.captured)) {
            bool fine;
            filled = odd_record(c, w, h, &fine);
            if (filled != FILL_FULL) {
                break;
            }
            if (p->lost) {
                continue;
            }
            if (!fine) {
                if (b->count) {
                    break; /* skipping moves the block that these packets lie in */
                }
                filled = giant_skip(c, w, h);
                break;
            }
        }
        size_t whole = header + (size_t)h.captured;
        if (UNLIKELY(left < whole)) {
            c->need = whole;
            filled = w->eof ? end_reached(c, w, b) : FILL_NEED;
            if (filled == FILL_FULL) {
                continue;
            }
            break;
        }
        record_put(c, w, w->at, h, b);
        p->timed = true;
        p->seconds = h.seconds;
        w->at += whole;
    }
    return filled;
}
