/* pcapng.c: the block-structured capture file: sections of either byte order, interfaces with their own link type, time
 * resolution and offset, enhanced, simple and obsolete packet blocks. Other blocks are skipped.
 *
 * Standard: draft-ietf-opsawg-pcapng. Decision: a block is believed when its two lengths agree. One that is not is
 * stepped over when its first length leads to a block that is; else the next such block is searched.
 */
#include <errno.h>
#include <stdlib.h>

#include "source/capture.h"

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 2, /* obsolete */
    BLOCK_SIMPLE = 3,
    BLOCK_NAMES = 4,
    BLOCK_STATISTICS = 5,
    BLOCK_ENHANCED = 6,
    BLOCK_SECRETS = 10,
};
#define BLOCK_LEAST 12u
#define OPTION_RESOLUTION 9
#define OPTION_OFFSET 14
#define MAGIC_USUAL 0x1a2b3c4du

static inline uint32_t load32(const uint8_t *at, bool swapped) {
    uint32_t v;
    memcpy(&v, at, sizeof(v));
    return swapped ? __builtin_bswap32(v) : v;
}

static inline uint16_t load16(const uint8_t *at, bool swapped) {
    uint16_t v;
    memcpy(&v, at, sizeof(v));
    return swapped ? __builtin_bswap16(v) : v;
}

static inline uint64_t load64(const uint8_t *at, bool swapped) {
    uint64_t v;
    memcpy(&v, at, sizeof(v));
    return swapped ? __builtin_bswap64(v) : v;
}

/* Reads a block's frame at `at`, which has at least 12 bytes. A section header brings its own byte order. */
struct frame {
    uint32_t type, length;
    bool swapped;
};

static bool frame_read(const struct pcapng_state *n, const uint8_t *at, struct frame *ret_frame) {
    struct frame f = {.swapped = n->swapped};
    f.type = load32(at, f.swapped);
    if (f.type == BLOCK_SECTION) {
        uint32_t magic = load32(at + 8, false);
        if (magic != MAGIC_USUAL && __builtin_bswap32(magic) != MAGIC_USUAL) {
            return false;
        }
        f.swapped = magic != MAGIC_USUAL;
    }
    f.length = load32(at + 4, f.swapped);
    *ret_frame = f;
    return f.length >= BLOCK_LEAST && f.length % 4 == 0;
}

int pcapng_start(struct capture *c, struct window *w) {
    struct pcapng_state *n = &c->pcapng;
    int rc = window_need(w, 28);
    if (rc < 0) {
        return rc;
    }
    if (window_left(w) < 28) {
        c->run->stats.unreadable++;
        capture_note(c, window_left(w), "ends inside the section header (%zu bytes): nothing read", window_left(w));
        return -EBADMSG;
    }
    n->time = 0;
    return 0;
}

void pcapng_done(struct capture *c) {
    free(c->pcapng.interfaces);
    c->pcapng.interfaces = NULL;
}

/* --- interfaces --- */

static void resolution_set(struct pcapng_interface *i, uint8_t resolution) {
    unsigned power = resolution & 0x7f;
    i->per_second = 0;
    i->unit = 0;
    if (resolution & 0x80) {
        i->per_second = power < 64 ? (uint64_t)1 << power : 0;
        i->unit = power <= 9 ? (uint64_t)1000000000 >> power : 0;
    } else if (power <= 19) {
        i->per_second = 1;
        for (unsigned k = 0; k < power; k++) {
            i->per_second *= 10;
        }
        i->unit = power <= 9 ? 1000000000 / i->per_second : 0;
    }
    if (i->unit && i->per_second * i->unit != 1000000000) {
        i->unit = 0; /* 2^-k s with k up to 9 is a whole number of ns; checked rather than believed */
    }
}

/* ns since 1970, clipped to 0..CAPTURE_TIME_MAX. */
static int64_t interface_time(const struct pcapng_interface *i, uint64_t units) {
    __int128 ns;
    if (i->unit) {
        ns = (__int128)units * i->unit;
    } else if (i->per_second) {
        ns = (__int128)(units / i->per_second) * 1000000000 +
             (__int128)((unsigned __int128)(units % i->per_second) * 1000000000 / i->per_second);
    } else {
        ns = 0; /* units too small for 64 bits of them to make a second */
    }
    ns += (__int128)i->offset * 1000000000;
    return ns > CAPTURE_TIME_MAX ? CAPTURE_TIME_MAX : ns < 0 ? 0 : (int64_t)ns;
}

static void interface_options(struct pcapng_interface *i, const uint8_t *at, size_t len, bool swapped) {
    while (len >= 4) {
        uint16_t code = load16(at, swapped);
        size_t size = load16(at + 2, swapped);
        size_t padded = (size + 3) & ~(size_t)3;
        if (code == 0 || size > len - 4) {
            break;
        }
        if (code == OPTION_RESOLUTION && size >= 1) {
            resolution_set(i, at[4]);
        } else if (code == OPTION_OFFSET && size >= 8) {
            i->offset = (int64_t)load64(at + 4, swapped);
        }
        if (padded > len - 4) {
            break;
        }
        at += 4 + padded;
        len -= 4 + padded;
    }
}

static bool interface_room(struct capture *c) {
    struct pcapng_state *n = &c->pcapng;
    if (n->count < n->room) {
        return true;
    }
    uint32_t room = n->room ? n->room * 2 : 4;
    struct pcapng_interface *more = reallocarray(n->interfaces, room, sizeof(*more));
    if (!more) {
        c->run->short_of_memory = true;
        return false;
    }
    n->interfaces = more;
    n->room = room;
    return true;
}

static void interface_add(struct capture *c, const uint8_t *body, size_t len, uint64_t position) {
    struct pcapng_state *n = &c->pcapng;
    if (len < 8) {
        c->run->stats.damaged++;
        capture_note(c, position, "interface block is too short: skipped");
        return;
    }
    if (n->count >= PCAPNG_INTERFACES) {
        c->run->stats.damaged++;
        capture_note(c, position, "more than %d interfaces in a section: its packets are skipped", PCAPNG_INTERFACES);
        return;
    }
    if (!interface_room(c)) {
        return;
    }
    struct pcapng_interface *i = &n->interfaces[n->count++];
    *i = (struct pcapng_interface){.link = load16(body, n->swapped), .snaplen = load32(body + 4, n->swapped)};
    resolution_set(i, 6);
    interface_options(i, body + 8, len - 8, n->swapped);
    i->quick = i->unit && i->offset == 0 ? (uint64_t)CAPTURE_TIME_MAX / i->unit : 0;
    i->code = capture_filter(c, i->link);
}

static void section_begin(struct capture *c, const struct frame *f) {
    struct pcapng_state *n = &c->pcapng;
    n->swapped = f->swapped;
    n->section = true;
    n->before += n->count;
    n->count = 0;
}

/* --- packets --- */

static void packet_damaged(struct capture *c, uint64_t position, const char *what) {
    c->run->stats.damaged++;
    capture_note(c, position, "%s: block skipped", what);
}

static void packet_put(struct capture *c, struct batch *b, uint32_t interface, struct capture_record *r) {
    const struct pcapng_interface *i = &c->pcapng.interfaces[interface];
    uint32_t number = c->pcapng.before + interface;
    r->interface = (uint16_t)MIN(number, (uint32_t)UINT16_MAX);
    r->link = i->link;
    r->code = i->code;
    r->wire = MAX(r->wire, r->captured);
    capture_put(c, b, r);
}

/* Enhanced and obsolete packet blocks. `len`: of the body. */
static void packet_timed(struct capture *c, struct batch *b, const uint8_t *body, size_t len, bool obsolete,
                         uint64_t position) {
    struct pcapng_state *n = &c->pcapng;
    if (UNLIKELY(len < 20)) {
        packet_damaged(c, position, "packet block is too short");
        return;
    }
    bool swapped = n->swapped;
    uint32_t interface = obsolete ? load16(body, swapped) : load32(body, swapped);
    uint64_t units = (uint64_t)load32(body + 4, swapped) << 32 | load32(body + 8, swapped);
    struct capture_record r = {
        .data = body + 20,
        .position = position,
        .captured = load32(body + 12, swapped),
        .wire = load32(body + 16, swapped),
    };
    if (UNLIKELY(interface >= n->count)) {
        packet_damaged(c, position, "packet of an interface that was not described");
        return;
    }
    if (UNLIKELY(r.captured > len - 20)) {
        packet_damaged(c, position, "packet is longer than its block");
        return;
    }
    const struct pcapng_interface *i = &n->interfaces[interface];
    r.time = LIKELY(units < i->quick) ? (int64_t)(units * i->unit) : interface_time(i, units);
    n->time = r.time;
    packet_put(c, b, interface, &r);
}

/* A simple packet block has no time: it gets that of the packet before it. */
static void packet_simple(struct capture *c, struct batch *b, const uint8_t *body, size_t len, uint64_t position) {
    struct pcapng_state *n = &c->pcapng;
    if (len < 4 || n->count == 0) {
        packet_damaged(c, position,
                       len < 4 ? "packet block is too short"
                               : "packet of an interface that was not "
                                 "described");
        return;
    }
    uint32_t wire = load32(body, n->swapped);
    uint32_t captured = (uint32_t)MIN((size_t)wire, len - 4);
    if (n->interfaces[0].snaplen) {
        captured = MIN(captured, n->interfaces[0].snaplen);
    }
    struct capture_record r = {
        .data = body + 4, .position = position, .time = n->time, .captured = captured, .wire = wire};
    packet_put(c, b, 0, &r);
}

/* --- damage --- */

static bool type_known(uint32_t type) {
    switch (type) {
    case BLOCK_SECTION:
    case BLOCK_INTERFACE:
    case BLOCK_PACKET:
    case BLOCK_SIMPLE:
    case BLOCK_NAMES:
    case BLOCK_STATISTICS:
    case BLOCK_ENHANCED:
    case BLOCK_SECRETS:
        return true;
    default:
        return false;
    }
}

/* A block of a known type whose lengths agree at `at` (of the window's block). `*ret_need`: as in pcap.c. */
static bool block_found(const struct capture *c, const struct window *w, size_t at, size_t *ret_need) {
    struct frame f;
    *ret_need = 0;
    if (!frame_read(&c->pcapng, w->block->data + at, &f) || !type_known(f.type) || f.length > CAPTURE_CEILING) {
        return false;
    }
    if (w->end - at < f.length) {
        /* only blocks of a usual size are worth moving the window for */
        *ret_need = w->eof || f.length > CAPTURE_USUAL ? 0 : f.length;
        return false;
    }
    return load32(w->block->data + at + f.length - 4, f.swapped) == f.length;
}

static enum fill lost_search(struct capture *c, struct window *w) {
    struct pcapng_state *n = &c->pcapng;
    for (;;) {
        for (; w->end - w->at >= BLOCK_LEAST; w->at++) {
            size_t need;
            if (block_found(c, w, w->at, &need)) {
                capture_note(c, n->lost_at, "damaged block: skipped %llu bytes to the next one",
                             (unsigned long long)(window_position(w) - n->lost_at));
                n->lost = false;
                return FILL_FULL;
            }
            if (need) {
                c->need = need;
                return FILL_NEED;
            }
            if (window_position(w) - n->lost_at > CAPTURE_SEARCH) {
                capture_note(c, n->lost_at,
                             "damaged block and no other within %llu MiB: the rest of the file is not read",
                             (unsigned long long)(CAPTURE_SEARCH >> 20));
                return FILL_END;
            }
        }
        if (w->eof) {
            w->at = w->end;
            capture_note(c, n->lost_at, "damaged block and no other up to the end of the file: %llu bytes not read",
                         (unsigned long long)(window_position(w) - n->lost_at));
            return FILL_END;
        }
        c->need = BLOCK_LEAST;
        return FILL_NEED;
    }
}

static void lost_begin(struct capture *c, struct window *w) {
    c->pcapng.lost = true;
    c->pcapng.lost_at = window_position(w);
    c->run->stats.damaged++;
    w->at++;
}

/* The two lengths of a block differ. Its first one is believed when a block stands behind it. */
static enum fill lengths_differ(struct capture *c, struct window *w, uint32_t length) {
    size_t need = 0;
    if (w->end - w->at < (size_t)length + BLOCK_LEAST && !w->eof) {
        c->need = (size_t)length + BLOCK_LEAST;
        return FILL_NEED;
    }
    if (w->end - w->at >= (size_t)length + BLOCK_LEAST && block_found(c, w, w->at + length, &need)) {
        c->run->stats.damaged++;
        capture_note(c, window_position(w), "the two lengths of a block differ: skipped %u bytes to the next one",
                     length);
        w->at += length;
        return FILL_FULL;
    }
    if (need) {
        c->need = length + need;
        return FILL_NEED;
    }
    lost_begin(c, w);
    return FILL_FULL;
}

/* True when a packet block's own length agrees with that of its packet, give or take its options. */
static bool giant_believed(const struct frame *f, const uint8_t *at, size_t left) {
    if ((f->type != BLOCK_ENHANCED && f->type != BLOCK_PACKET) || left < 28) {
        return false;
    }
    uint32_t captured = load32(at + 20, f->swapped);
    return captured <= f->length - 32 && f->length - 32 - captured < 65536;
}

/* A block above the ceiling: skipped by its length when that is believed, else taken for damage. */
static enum fill giant_skip(struct capture *c, struct window *w, const struct frame *f, const struct batch *b) {
    if (window_left(w) < 28 && !w->eof) {
        c->need = 28;
        return FILL_NEED;
    }
    if (!giant_believed(f, window_data(w), window_left(w))) {
        lost_begin(c, w);
        return FILL_FULL;
    }
    if (b->count) {
        return FILL_FULL; /* skipping moves the block that these packets lie in */
    }
    c->run->stats.damaged++;
    capture_note(c, window_position(w), "block of %u bytes is longer than %u: skipped", f->length, CAPTURE_CEILING);
    int64_t skipped = window_skip(w, f->length);
    if (skipped < 0) {
        c->run->short_of_memory = true;
        return FILL_END;
    }
    if (skipped < (int64_t)f->length) {
        capture_truncated(c, w, "ends inside that block: all before it is used");
        return FILL_END;
    }
    c->need = BLOCK_LEAST;
    return FILL_NEED;
}

/* --- the walk --- */

static void block_use(struct capture *c, const struct frame *f, const uint8_t *at, uint64_t position, struct batch *b) {
    const uint8_t *body = at + 8;
    size_t len = f->length - BLOCK_LEAST;
    switch (f->type) {
    case BLOCK_ENHANCED:
        packet_timed(c, b, body, len, false, position);
        break;
    case BLOCK_PACKET:
        packet_timed(c, b, body, len, true, position);
        break;
    case BLOCK_SIMPLE:
        packet_simple(c, b, body, len, position);
        break;
    case BLOCK_INTERFACE:
        interface_add(c, body, len, position);
        break;
    case BLOCK_SECTION:
        section_begin(c, f);
        break;
    default:
        break;
    }
}

/* The block at the end is not whole. When another one stands inside it, its length lies. */
static bool end_lies(const struct capture *c, const struct window *w) {
    size_t need;
    for (size_t at = w->at + 1; at + BLOCK_LEAST <= w->end; at++) {
        if (block_found(c, w, at, &need)) {
            return true;
        }
    }
    return false;
}

/* The end of the file inside a block: an enhanced packet is used as far as it is there. */
static enum fill end_reached(struct capture *c, struct window *w, struct batch *b) {
    size_t left = window_left(w);
    struct frame f;
    if (end_lies(c, w)) {
        lost_begin(c, w);
        return FILL_FULL;
    }
    if (left == 0) {
        if (w->error) {
            capture_truncated(c, w, "reading failed: all before is used");
        }
        return FILL_END;
    }
    const uint8_t *at = window_data(w);
    bool packet = left > 28 && frame_read(&c->pcapng, at, &f) && f.type == BLOCK_ENHANCED;
    if (packet) {
        uint32_t captured = load32(at + 20, f.swapped);
        uint32_t interface = load32(at + 8, f.swapped);
        struct pcapng_state *n = &c->pcapng;
        packet = interface < n->count && captured <= f.length - MIN(f.length, 32u);
        if (packet) {
            uint64_t units = (uint64_t)load32(at + 12, f.swapped) << 32 | load32(at + 16, f.swapped);
            struct capture_record r = {
                .data = at + 28,
                .position = window_position(w),
                .time = interface_time(&n->interfaces[interface], units),
                .captured = (uint32_t)MIN((size_t)captured, left - 28),
                .wire = MAX(captured, load32(at + 24, f.swapped)),
            };
            capture_truncated(c, w, "ends inside its last packet: used as far as it is there");
            packet_put(c, b, interface, &r);
        }
    }
    if (!packet) {
        capture_truncated(c, w, "ends inside a block: all before it is used");
    }
    w->at = w->end;
    return FILL_END;
}

enum fill pcapng_fill(struct capture *c, struct window *w, struct batch *b) {
    struct pcapng_state *n = &c->pcapng;
    const uint32_t limit = (uint32_t)MIN((uint64_t)BATCH_MAX, b->count + c->run->left);
    enum fill filled = FILL_FULL;
    while (b->count < limit && filled == FILL_FULL && !c->run->short_of_memory) {
        if (UNLIKELY(n->lost) && (filled = lost_search(c, w)) != FILL_FULL) {
            break;
        }
        size_t left = w->end - w->at;
        struct frame f;
        if (UNLIKELY(left < BLOCK_LEAST)) {
            c->need = BLOCK_LEAST;
            filled = w->eof ? end_reached(c, w, b) : FILL_NEED;
            break;
        }
        const uint8_t *at = w->block->data + w->at;
        if (UNLIKELY(!frame_read(n, at, &f))) {
            lost_begin(c, w);
            continue;
        }
        if (UNLIKELY(f.length > CAPTURE_CEILING)) {
            uint64_t before = window_position(w);
            filled = giant_skip(c, w, &f, b);
            if (filled == FILL_FULL && window_position(w) == before) {
                break;
            }
            continue;
        }
        if (UNLIKELY(left < f.length)) {
            c->need = f.length;
            filled = w->eof ? end_reached(c, w, b) : FILL_NEED;
            continue;
        }
        if (UNLIKELY(load32(at + f.length - 4, f.swapped) != f.length)) {
            filled = lengths_differ(c, w, f.length);
            continue;
        }
        block_use(c, &f, at, w->base + w->at, b);
        w->at += f.length;
    }
    return filled;
}
