/* test_tcp_random.c: random conversations through the flow table. The dice (seeded: a failing round names its number)
 * writes what two peers say in turns, cuts it into segments, and then the network repeats, swaps, re-cuts and, in the
 * second half of the rounds, loses some.
 *
 * Nothing lost: each byte of each side is delivered exactly once, in order, not before what its sender had received
 * when it was first sent, and each side ends once. Something lost: every delivery still stands where its gaps say.
 */
#include "flow_run.h"

#define STREAM_MAX 4000
#define PACKETS_MAX 1500
#define ROUNDS 3000

struct segment {
    unsigned side;
    uint32_t from, len; /* offsets in the side's stream */
    uint32_t ack;       /* offset in the peer's, its FIN counted */
    bool fin;
    double when; /* position in the capture */
};

struct talk {
    struct dice dice;
    uint8_t bytes[2][STREAM_MAX];
    uint32_t len[2];
    uint32_t needs[2][STREAM_MAX + 1]; /* bytes of the peer that must come before this byte; the last is the FIN */
    uint32_t isn[2];
    struct segment list[PACKETS_MAX];
    size_t count;
    bool fins;
};

static void add(struct talk *t, struct segment g) {
    assert_true(t->count < PACKETS_MAX);
    g.when = (double)t->count;
    t->list[t->count++] = g;
}

/* One turn of a side: `len` bytes in segments that acknowledge all of the peer so far. */
static void speak(struct talk *t, unsigned side, uint32_t len, uint32_t largest) {
    uint32_t from = t->len[side], peer = t->len[!side];
    for (uint32_t i = from; i < from + len; i++) {
        t->bytes[side][i] = (uint8_t)dice_u64(&t->dice);
        t->needs[side][i] = peer;
    }
    t->len[side] += len;
    for (uint32_t at = from; at < from + len;) {
        uint32_t n = 1 + (uint32_t)dice_below(&t->dice, largest);
        n = MIN(n, from + len - at);
        add(t, (struct segment){.side = side, .from = at, .len = n, .ack = peer});
        at += n;
    }
    if (dice_one_in(&t->dice, 2)) {
        add(t, (struct segment){.side = !side, .from = peer, .ack = t->len[side]}); /* a pure acknowledgement */
    }
}

/* Segments sent again, cut in another way, now with what was received meanwhile. */
static void repeat_some(struct talk *t) {
    size_t count = t->count;
    for (size_t i = 0; i < count; i++) {
        struct segment g = t->list[i];
        if (g.len && t->count < PACKETS_MAX - 2 && dice_one_in(&t->dice, 6)) {
            uint32_t cut = (uint32_t)dice_below(&t->dice, g.len);
            g.from += cut;
            g.len -= cut;
            uint32_t longer = g.len + (uint32_t)dice_below(&t->dice, 20);
            g.len = MIN(longer, t->len[g.side] - g.from);
            g.fin = false;
            /* Not sooner, and with no older acknowledgement, than the last byte it carries was sent for the first time.
             */
            double when = 0;
            for (size_t k = 0; k < count; k++) {
                bool carries = t->list[k].side == g.side && t->list[k].from < g.from + g.len;
                when = carries ? MAX(when, t->list[k].when) : when;
                g.ack = carries ? MAX(g.ack, t->list[k].ack) : g.ack;
            }
            g.when = MAX(when, g.when) + (double)dice_below(&t->dice, 5) + 0.5;
            t->list[t->count++] = g;
        }
    }
}

static int by_time(const void *a, const void *b) {
    const struct segment *x = a, *y = b;
    return x->when < y->when ? -1 : x->when > y->when;
}

static void make_talk(struct talk *t, unsigned round) {
    t->dice.state = round * 7919u + 1;
    t->len[0] = t->len[1] = 0;
    t->count = 0;
    for (unsigned side = 0; side < 2; side++) {
        bool near_wrap = dice_one_in(&t->dice, 2);
        t->isn[side] = near_wrap ? (uint32_t)(0 - dice_below(&t->dice, 3000)) : (uint32_t)dice_u64(&t->dice);
    }
    static const uint32_t sizes[] = {1, 3, 40, 400};
    uint32_t largest = sizes[dice_below(&t->dice, ARRAY_LEN(sizes))];
    unsigned turns = 1 + (unsigned)dice_below(&t->dice, 12);
    unsigned first = (unsigned)dice_below(&t->dice, 2);
    for (unsigned i = 0; i < turns; i++) {
        uint32_t most = MIN(largest * 15, (uint32_t)300);
        speak(t, (i + first) & 1, 1 + (uint32_t)dice_below(&t->dice, most), largest);
    }
    t->fins = dice_one_in(&t->dice, 2);
    if (t->fins) {
        unsigned closer = (unsigned)dice_below(&t->dice, 2);
        for (unsigned i = 0; i < 2; i++) {
            unsigned side = closer ^ i;
            t->needs[side][t->len[side]] = t->len[!side];
            add(t, (struct segment){.side = side, .from = t->len[side], .ack = t->len[!side] + i, .fin = true});
        }
        add(t, (struct segment){.side = closer, .from = t->len[closer] + 1, .ack = t->len[!closer] + 1});
    }
}

static void send(struct flow_run *r, const struct talk *t, const struct segment *g) {
    run_tcp(r, (struct tcp_made){
                   .side = g->side,
                   .seq = t->isn[g->side] + 1 + g->from,
                   .ack = t->isn[!g->side] + 1 + g->ack,
                   .flags = (uint8_t)(ACK | (g->len ? PSH : 0) | (g->fin ? FIN : 0)),
                   .data = span_make(t->bytes[g->side] + g->from, g->len),
               });
}

static void send_all(struct flow_run *r, struct talk *t, bool lossy) {
    for (size_t i = 0; i < t->count; i++) {
        t->list[i].when += (double)dice_below(&t->dice, 5) * (double)dice_below(&t->dice, 2);
    }
    qsort(t->list, t->count, sizeof(t->list[0]), by_time);
    run_flags(r, 0, t->isn[0], 0, SYN);
    run_flags(r, 1, t->isn[1], t->isn[0] + 1, SYN | ACK);
    for (size_t i = 0; i < t->count; i++) {
        if (lossy && dice_one_in(&t->dice, 12)) {
            continue;
        }
        send(r, t, &t->list[i]);
        if (dice_one_in(&t->dice, 15)) {
            send(r, t, &t->list[i]);
        }
    }
    run_finish(r);
    assert_int_equal(r->record_count, 1);
}

static void check_whole(const struct flow_run *r, const struct talk *t, unsigned round) {
    uint32_t done[2] = {0, 0};
    unsigned ends[2] = {0, 0};
    for (size_t i = 0; i < r->event_count; i++) {
        const struct event *e = &r->events[i];
        unsigned side = e->side;
        if (e->what == STREAM_END) {
            ends[side]++;
            if (done[side] != t->len[side]) {
                fail_msg("round %u: side %u ends after %u of %u bytes", round, side, done[side], t->len[side]);
            }
        } else if (e->what == STREAM) {
            if (e->gap || ends[side] || done[side] + e->len > t->len[side] ||
                memcmp(r->heard[side].data + e->at, t->bytes[side] + done[side], e->len) != 0) {
                fail_msg("round %u: side %u at byte %u: gap %u, %zu bytes, after its end: %u", round, side, done[side],
                         (unsigned)e->gap, e->len, ends[side]);
            }
            for (size_t k = 0; k < e->len; k++) {
                if (done[!side] < t->needs[side][done[side] + k]) {
                    fail_msg("round %u: byte %zu of side %u comes after %u bytes of the peer, it needs %u", round,
                             done[side] + k, side, done[!side], t->needs[side][done[side] + k]);
                }
            }
            done[side] += (uint32_t)e->len;
        }
    }
    const struct record *d = &r->records[0].r;
    for (unsigned side = 0; side < 2; side++) {
        if (done[side] != t->len[side] || ends[side] != 1 || d->data_bytes[side] != t->len[side] ||
            d->missing_bytes[side]) {
            fail_msg("round %u: side %u: %u of %u bytes, %u ends, data bytes %u, missing %u", round, side, done[side],
                     t->len[side], ends[side], (unsigned)d->data_bytes[side], (unsigned)d->missing_bytes[side]);
        }
    }
}

static void check_lossy(const struct flow_run *r, const struct talk *t, unsigned round) {
    uint64_t at[2] = {0, 0}, lost[2] = {0, 0};
    unsigned ends[2] = {0, 0};
    for (size_t i = 0; i < r->event_count; i++) {
        const struct event *e = &r->events[i];
        unsigned side = e->side;
        ends[side] += e->what == STREAM_END;
        if (e->what == STREAM) {
            at[side] += e->gap;
            lost[side] += e->gap;
            if (at[side] + e->len > t->len[side] || (e->gap == 0 && e->len == 0) ||
                memcmp(r->heard[side].data + e->at, t->bytes[side] + at[side], e->len) != 0) {
                fail_msg("round %u: side %u at byte %u: %zu bytes after a gap of %u are wrong", round, side,
                         (unsigned)at[side], e->len, (unsigned)e->gap);
            }
            at[side] += e->len;
        }
    }
    for (unsigned side = 0; side < 2; side++) {
        const struct record *d = &r->records[0].r;
        /* What is missing at the end is behind the last delivery: no gap tells of it. */
        uint64_t missing = d->missing_bytes[side];
        if (ends[side] != 1 || missing < lost[side] || at[side] + (missing - lost[side]) > t->len[side] + 1) {
            fail_msg("round %u: side %u of %u bytes: at %u, gaps %u, missing %u, %u ends", round, side, t->len[side],
                     (unsigned)at[side], (unsigned)lost[side], (unsigned)missing, ends[side]);
        }
    }
}

static void run_rounds(bool lossy) {
    struct talk *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    for (unsigned round = 0; round < ROUNDS; round++) {
        make_talk(t, round);
        repeat_some(t);
        struct flow_run *r = run_new();
        r->batch_size = 1 + (uint32_t)dice_below(&t->dice, BATCH_MAX);
        send_all(r, t, lossy);
        lossy ? check_lossy(r, t, round) : check_whole(r, t, round);
        run_free(r);
    }
    free(t);
}

static void test_nothing_lost(void **state) {
    (void)state;
    run_rounds(false);
}

static void test_something_lost(void **state) {
    (void)state;
    run_rounds(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_lost),
        cmocka_unit_test(test_something_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
