/* engine.c: classification and delivery.
 *
 * Each side of a stream is classified by its own first bytes: candidates by port and by first byte are probed, and
 * while one of them says MATCH_MORE the bytes are also kept (`history`), so that a dissector found late gets them from
 * the start and a side cut into single bytes is judged by the same bytes as a whole one. Bytes go to all attached
 * dissectors; what a dissector leaves over (VERDICT_MORE) is held in its feed of that side.
 */
#include "dissect/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "dissect/late.h"
#include "dissect/set.h"
#include "flow/session.h"

#define FEED_DEFAULT ((size_t)64 << 10)
#define ATTACHED_MAX 4
#define HANDOVERS_MAX 16
#define HISTORY_MAX ((size_t)4 * PROBE_MAX)
#define GRAVES_MAX (2 * (HANDOVERS_MAX + 2))

const char *const dissect_count_names[DISSECT_COUNTS] = {
    "attached", "broken", "notMine", "bufferFull", "gaps", "noMemory",
};

struct feed {
    uint8_t *data;
    uint32_t len, cap, wanted;
};

struct attached {
    struct attached *next;
    void *state;
    struct feed *feeds; /* two, made when first needed */
    uint8_t id;
    bool in_place; /* lives in dissect_session.first */
};

enum side_state { SIDE_UNSEEN, SIDE_UNDECIDED, SIDE_DECIDED };

struct dissect_session {
    struct attached first; /* room for the first one: most sessions have one only */
    uint64_t small[2];     /* its state, if that fits */
    struct attached *attached;
    struct feed *history; /* two; first bytes of sides that are not decided yet */
    uint64_t missed[2];   /* bytes behind the history that were not kept */
    uint8_t side[2];      /* enum side_state */
    uint8_t first_side;
    uint8_t done[4]; /* dissectors that left: not attached again */
    uint8_t next;    /* named by dissect_next */
    uint8_t handovers;
    uint8_t attached_count;
    bool spoke, first_taken;
    bool ended[2]; /* the side's last call has been made */
};

struct dissect_engine {
    const struct dissect_set *set;
    const struct field *fields;
    struct pool *pool;
    struct digests *digests;
    struct digest_runs *runs;
    struct arena scratch;
    struct dissect_flow flow;
    struct feed *graves[GRAVES_MAX]; /* feeds whose bytes may still be on the way; freed when the call is over */
    unsigned grave_count;
    uint64_t counts[DISSECT_COUNTS];
};

struct dissect_engine *dissect_engine_new(const struct dissect_set *set, const struct registry *registry,
                                          struct pool *pool) {
    struct dissect_engine *e = calloc(1, sizeof(*e));
    if (!e) {
        return NULL;
    }
    e->set = set;
    e->fields = registry_fields(registry);
    e->pool = pool;
    e->digests = digests_new();
    e->runs = e->digests ? digest_runs_new(e->digests, true, late_put, e->fields) : NULL;
    arena_init(&e->scratch, pool, 16 << 10, 4 << 20);
    return e->runs ? e : dissect_engine_free(e);
}

struct dissect_engine *dissect_engine_free(struct dissect_engine *e) {
    if (e) {
        arena_done(&e->scratch);
        digest_runs_free(e->runs);
        digests_free(e->digests);
        free(e);
    }
    return NULL;
}

const uint64_t *dissect_engine_counts(const struct dissect_engine *e) {
    return e->counts;
}

struct digests *dissect_engine_digests(struct dissect_engine *e) {
    return e->digests;
}

/* --- a dissector's view --- */

static struct dissect make_view(struct dissect_engine *e, struct session *s, const struct attached *a, unsigned id) {
    session_endpoints(s, e->flow.ip, e->flow.port);
    e->flow.ip_protocol = s->ip_protocol;
    e->flow.ip_version = s->ip_version;
    e->flow.first_time = s->first_time;
    const struct set_entry *entry = &e->set->entries[id];
    return (struct dissect){
        .base = entry->base,
        .state = a ? a->state : NULL,
        .settings = entry->settings,
        .shared = entry->shared,
        .scratch = &e->scratch,
        .digests = e->digests,
        .runs = e->runs,
        .flow = &e->flow,
        .time = s->last_time,
        .cells = &s->cells,
        .fields = e->fields,
        .session = s->dissect,
        .engine = e,
    };
}

bool put_ip4(struct dissect *d, unsigned field, const uint8_t ip[4]) {
    uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, ip[0], ip[1], ip[2], ip[3]};
    return put_ip(d, field, mapped);
}

void object_ip4(struct dissect *d, struct object o, unsigned field, const uint8_t ip[4]) {
    uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, ip[0], ip[1], ip[2], ip[3]};
    object_ip(d, o, field, mapped);
}

void dissect_tag(struct dissect *d, const char *tag) {
    (void)cells_put_const(d->cells, &d->fields[CORE_TAGS], tag);
}

void dissect_tag_text(struct dissect *d, struct span tag) {
    (void)cells_put_text(d->cells, &d->fields[CORE_TAGS], tag);
}

void dissect_protocol(struct dissect *d, const char *name) {
    (void)cells_put_const(d->cells, &d->fields[CORE_PROTOCOL], name);
}

void dissect_user(struct dissect *d, struct span user) {
    (void)cells_put_text(d->cells, &d->fields[CORE_USER], user);
}

bool dissect_has_protocol(const struct dissect *d, const char *name) {
    return cells_has_text(d->cells, &d->fields[CORE_PROTOCOL], span_text(name));
}

struct dissect dissect_as(const struct dissect *d, unsigned dissector_id) {
    struct dissect other = *d;
    other.base = d->engine->set->entries[dissector_id].base;
    return other;
}

void dissect_next(struct dissect *d, unsigned dissector_id) {
    d->session->next = (uint8_t)dissector_id;
}

/* --- attaching --- */

static struct dissect_session *want_session(struct dissect_engine *e, struct session *s) {
    if (!s->dissect) {
        s->dissect = pool_take(e->pool, sizeof(*s->dissect), NULL);
        if (!s->dissect) {
            e->counts[DISSECT_NO_MEMORY]++;
            return NULL;
        }
        *s->dissect = (struct dissect_session){.next = DISSECTOR_NONE};
        memset(s->dissect->done, DISSECTOR_NONE, sizeof(s->dissect->done));
    }
    return s->dissect;
}

static void feed_free(struct dissect_engine *e, struct feed *f) {
    pool_give(e->pool, f->data, f->cap);
    *f = (struct feed){0};
}

static void feeds_free(struct dissect_engine *e, struct feed **feeds) {
    if (*feeds) {
        feed_free(e, &(*feeds)[0]);
        feed_free(e, &(*feeds)[1]);
        pool_give(e->pool, *feeds, 2 * sizeof(struct feed));
        *feeds = NULL;
    }
}

static bool feed_add(struct dissect_engine *e, struct feed **feeds, unsigned side, struct span bytes, size_t ceiling) {
    if (!*feeds) {
        *feeds = pool_take(e->pool, 2 * sizeof(struct feed), NULL);
        if (!*feeds) {
            e->counts[DISSECT_NO_MEMORY]++;
            return false;
        }
        memset(*feeds, 0, 2 * sizeof(struct feed));
    }
    struct feed *f = &(*feeds)[side];
    if (f->len + bytes.len > ceiling) {
        e->counts[DISSECT_BUFFER_FULL]++;
        return false;
    }
    if (f->cap - f->len < bytes.len) {
        size_t cap, want = MAX(f->len + bytes.len, (size_t)f->cap * 2);
        uint8_t *data = pool_grow(e->pool, f->data, f->cap, f->len, want, &cap);
        if (!data) {
            e->counts[DISSECT_NO_MEMORY]++;
            return false;
        }
        f->data = data;
        f->cap = (uint32_t)cap;
    }
    memcpy(f->data + f->len, bytes.at, bytes.len);
    f->len += (uint32_t)bytes.len;
    return true;
}

static bool was_here(const struct dissect_session *ds, unsigned id) {
    for (const struct attached *a = ds->attached; a; a = a->next) {
        if (a->id == id) {
            return true;
        }
    }
    return memchr(ds->done, (int)id, sizeof(ds->done)) != NULL;
}

static struct attached *attach(struct dissect_engine *e, struct session *s, unsigned id) {
    struct dissect_session *ds = s->dissect;
    const struct dissector *d = e->set->entries[id].dissector;
    if (ds->attached_count >= ATTACHED_MAX) {
        return NULL;
    }
    struct attached *a = ds->first_taken ? pool_take(e->pool, sizeof(*a), NULL) : &ds->first;
    bool small = a == &ds->first && d->state_size <= sizeof(ds->small);
    void *state = small ? ds->small : a && d->state_size ? pool_take(e->pool, d->state_size, NULL) : NULL;
    if (!a || (d->state_size && !state)) {
        if (a != &ds->first) {
            pool_give(e->pool, a, sizeof(*a));
        }
        e->counts[DISSECT_NO_MEMORY]++;
        return NULL;
    }
    if (state) {
        memset(state, 0, d->state_size);
    }
    *a = (struct attached){.state = state, .id = (uint8_t)id, .in_place = a == &ds->first};
    ds->first_taken |= a->in_place;
    struct attached **at = &ds->attached;
    while (*at) {
        at = &(*at)->next;
    }
    *at = a;
    ds->attached_count++;
    e->counts[DISSECT_ATTACHED]++;
    if (!d->silent) {
        (void)cells_put_const(&s->cells, &e->fields[CORE_PROTOCOL], d->name);
    }
    return a;
}

static void call_end(struct dissect_engine *e, struct session *s, const struct attached *a, bool final) {
    const struct dissector *d = e->set->entries[a->id].dissector;
    if (d->end) {
        struct dissect view = make_view(e, s, a, a->id);
        d->end(&view, final);
        arena_reset(&e->scratch);
    }
}

static void detach(struct dissect_engine *e, struct session *s, struct attached *a) {
    struct dissect_session *ds = s->dissect;
    call_end(e, s, a, true);
    struct attached **at = &ds->attached;
    while (*at != a) {
        at = &(*at)->next;
    }
    *at = a->next;
    ds->attached_count--;
    memmove(ds->done + 1, ds->done, sizeof(ds->done) - 1);
    ds->done[0] = a->id;
    feeds_free(e, &a->feeds);
    if (a->state != ds->small) {
        pool_give(e->pool, a->state, e->set->entries[a->id].dissector->state_size);
    }
    if (a->in_place) {
        ds->first_taken = false;
    } else {
        pool_give(e->pool, a, sizeof(*a));
    }
}

static void session_free(struct dissect_engine *e, struct session *s) {
    struct dissect_session *ds = s->dissect;
    while (ds->attached) {
        detach(e, s, ds->attached);
    }
    feeds_free(e, &ds->history);
    pool_give(e->pool, ds, sizeof(*ds));
    s->dissect = NULL;
}

bool dissect_attach(struct dissect_engine *e, struct session *s, unsigned id) {
    struct dissect_session *ds = want_session(e, s);
    if (!ds || !attach(e, s, id)) {
        return false;
    }
    ds->side[0] = ds->side[1] = SIDE_DECIDED;
    return true;
}

/* Nobody listens and nobody will: the flow need not keep bytes for us. */
static void check_quiet(struct session *s) {
    const struct dissect_session *ds = s->dissect;
    if (!ds->attached && ds->side[0] == SIDE_DECIDED && ds->side[1] == SIDE_DECIDED) {
        s->quiet = true;
    }
}

/* --- streams --- */

struct delivery {
    unsigned side;
    int64_t time;
    uint64_t gap;
    bool at_end;
};

static void classify(struct dissect_engine *e, struct session *s, struct span bytes, const struct delivery *how);

static void bury(struct dissect_engine *e, struct feed *feeds) {
    if (feeds) {
        e->graves[e->grave_count++] = feeds;
    }
}

static void free_graves(struct dissect_engine *e) {
    while (e->grave_count) {
        feeds_free(e, &e->graves[--e->grave_count]);
    }
}

/* After a handover: what the dissector did not use of either side is classified anew. */
static void hand_over(struct dissect_engine *e, struct session *s, struct attached *a, struct span rest,
                      const struct delivery *how) {
    struct dissect_session *ds = s->dissect;
    struct feed *feeds = TAKE(a->feeds);
    bury(e, feeds);
    bury(e, TAKE(ds->history));
    memset(ds->missed, 0, sizeof(ds->missed));
    unsigned next = ds->next;
    ds->next = DISSECTOR_NONE;
    detach(e, s, a);
    memset(ds->done, DISSECTOR_NONE, sizeof(ds->done));
    bool named = next != DISSECTOR_NONE && attach(e, s, next);
    ds->side[0] = ds->side[1] = named ? SIDE_DECIDED : SIDE_UNSEEN;
    ds->spoke = false;
    ds->handovers++;
    struct delivery again = {.time = how->time, .side = !how->side};
    if (feeds && feeds[!how->side].len) {
        classify(e, s, span_make(feeds[!how->side].data, feeds[!how->side].len), &again);
    }
    again.side = how->side;
    if (rest.len) {
        classify(e, s, rest, &again);
    }
}

static size_t feed_ceiling(const struct dissector *d) {
    return d->buffer_max ? d->buffer_max : FEED_DEFAULT;
}

static void keep_rest(struct dissect_engine *e, struct session *s, struct attached *a, struct span bytes,
                      const struct dissect *view, unsigned side) {
    const struct dissector *d = e->set->entries[a->id].dissector;
    struct span rest = span_from(bytes, view->consumed);
    if (rest.len > feed_ceiling(d)) {
        e->counts[DISSECT_BUFFER_FULL]++;
        detach(e, s, a);
        return;
    }
    struct feed *f = a->feeds ? &a->feeds[side] : NULL;
    if (f && f->len) {
        /* `bytes` is the feed itself */
        memmove(f->data, rest.at, rest.len);
        f->len = (uint32_t)rest.len;
    } else if (rest.len && !feed_add(e, &a->feeds, side, rest, feed_ceiling(d))) {
        detach(e, s, a);
        return;
    }
    if (a->feeds) {
        a->feeds[side].wanted = (uint32_t)MAX(view->wanted, rest.len + 1);
    }
}

/* One call of the dissector's stream function and what follows from its verdict. */
static void call_stream(struct dissect_engine *e, struct session *s, struct attached *a, struct span bytes,
                        const struct delivery *how) {
    const struct dissector *d = e->set->entries[a->id].dissector;
    struct dissect view = make_view(e, s, a, a->id);
    view.side = (uint8_t)how->side;
    view.time = how->time;
    view.gap = how->gap;
    view.gap_before = how->gap > 0;
    view.at_end = how->at_end;
    enum verdict verdict = d->stream(&view, bytes);
    arena_reset(&e->scratch);
    switch (verdict) {
    case VERDICT_OK:
        if (a->feeds) {
            a->feeds[how->side].len = a->feeds[how->side].wanted = 0;
        }
        break;
    case VERDICT_MORE:
        keep_rest(e, s, a, bytes, &view, how->side);
        break;
    case VERDICT_HANDOVER:
        if (s->dissect->handovers < HANDOVERS_MAX) {
            hand_over(e, s, a, span_from(bytes, view.consumed), how);
        } else {
            detach(e, s, a);
        }
        break;
    case VERDICT_NOT_MINE:
        e->counts[DISSECT_NOT_MINE]++;
        (void)cells_remove_text(&s->cells, &e->fields[CORE_PROTOCOL], d->name);
        detach(e, s, a);
        break;
    case VERDICT_BROKEN:
        e->counts[DISSECT_BROKEN]++;
        detach(e, s, a);
        break;
    case VERDICT_DONE:
        detach(e, s, a);
        break;
    }
}

static void feed_stream(struct dissect_engine *e, struct session *s, struct attached *a, struct span bytes,
                        const struct delivery *how) {
    const struct dissector *d = e->set->entries[a->id].dissector;
    struct feed *f = a->feeds ? &a->feeds[how->side] : NULL;
    struct delivery wider = *how;
    if (how->gap) {
        e->counts[DISSECT_GAPS]++;
        if (!d->takes_gaps) {
            detach(e, s, a);
            return;
        }
        if (f) {
            wider.gap += f->len; /* held bytes were not used either */
            how = &wider;
            f->len = f->wanted = 0;
        }
    }
    if (!f || f->len == 0) {
        if (!f || bytes.len >= f->wanted || how->at_end) {
            call_stream(e, s, a, bytes, how);
            return;
        }
    }
    /* The ceiling is for what is still unused after a call: one delivery may go above it, however large it is. */
    if (bytes.len && !feed_add(e, &a->feeds, how->side, bytes, feed_ceiling(d) + bytes.len)) {
        detach(e, s, a);
        return;
    }
    f = &a->feeds[how->side];
    if (f->len >= MIN(f->wanted, feed_ceiling(d)) || how->at_end) {
        call_stream(e, s, a, span_make(f->data, f->len), how);
    }
}

/* All dissectors that are attached now; each may detach, attach others or hand over while it runs. */
static void feed_all(struct dissect_engine *e, struct session *s, struct span bytes, const struct delivery *how) {
    uint8_t ids[ATTACHED_MAX], count = 0;
    for (const struct attached *a = s->dissect->attached; a && count < ATTACHED_MAX; a = a->next) {
        ids[count++] = a->id;
    }
    for (unsigned i = 0; i < count; i++) {
        for (struct attached *a = s->dissect->attached; a; a = a->next) {
            if (a->id == ids[i]) {
                feed_stream(e, s, a, bytes, how);
                break;
            }
        }
    }
}

static enum match probe_one(struct dissect_engine *e, struct session *s, unsigned id, struct span first,
                            unsigned side) {
    struct dissect view = make_view(e, s, NULL, id);
    view.side = (uint8_t)side;
    return e->set->entries[id].dissector->probe(first, &view);
}

/* Ids of the dissectors whose ports or first bytes fit. */
static unsigned find_candidates(const struct dissect_engine *e, const struct session *s, struct span first, bool udp,
                                uint8_t ids[CANDIDATES_MAX]) {
    uint8_t ip[2][16];
    uint16_t port[2];
    session_endpoints(s, ip, port);
    const struct dissect_set *set = e->set;
    unsigned count = 0;
    bool seen = set->port_seen[port[0] / 8] & 1u << port[0] % 8 || set->port_seen[port[1] / 8] & 1u << port[1] % 8;
    for (unsigned i = 0; seen && i < set->port_count && count < CANDIDATES_MAX; i++) {
        const struct port_hint *h = &set->ports[i];
        if (h->udp == udp && (h->port == port[0] || h->port == port[1]) && !memchr(ids, h->id, count)) {
            ids[count++] = h->id;
        }
    }
    const struct candidates *c = udp ? &set->udp_bytes[first.at[0]] : &set->tcp_bytes[first.at[0]];
    for (unsigned i = 0; i < c->count && count < CANDIDATES_MAX; i++) {
        if (!memchr(ids, c->ids[i], count)) {
            ids[count++] = c->ids[i];
        }
    }
    return count;
}

/* A new dissector gets what was kept of both sides, in the order the sides began to speak. */
static void feed_history(struct dissect_engine *e, struct session *s, struct attached *a, const struct delivery *how) {
    struct dissect_session *ds = s->dissect;
    uint8_t id = a->id, handovers = ds->handovers;
    for (unsigned turn = 0; turn < 2 && ds->history && ds->handovers == handovers; turn++) {
        unsigned side = turn ? !ds->first_side : ds->first_side;
        struct feed *h = &ds->history[side];
        if (h->len == 0) {
            continue;
        }
        struct delivery then = {.side = side, .time = how->time};
        for (a = ds->attached; a && a->id != id; a = a->next) {
        }
        if (a) {
            feed_stream(e, s, a, span_make(h->data, h->len), &then);
        }
        for (a = ds->attached; a && (a->id != id || !ds->missed[side]); a = a->next) {
        }
        if (a) {
            then.gap = ds->missed[side];
            feed_stream(e, s, a, (struct span){0}, &then);
        }
    }
}

/* Probes the side's first bytes. Attaches every dissector that says yes. */
static void probe_side(struct dissect_engine *e, struct session *s, struct span first, const struct delivery *how,
                       bool has_history) {
    struct dissect_session *ds = s->dissect;
    uint8_t ids[CANDIDATES_MAX], found[ATTACHED_MAX];
    unsigned count = find_candidates(e, s, first, false, ids), found_count = 0;
    bool more = false;
    for (unsigned i = 0; i < count; i++) {
        if (!e->set->entries[ids[i]].dissector->stream || was_here(ds, ids[i])) {
            continue;
        }
        enum match m = probe_one(e, s, ids[i], first, how->side);
        more |= m == MATCH_MORE;
        if (m == MATCH_YES && found_count < ATTACHED_MAX) {
            found[found_count++] = ids[i];
        }
    }
    ds->side[how->side] = more && first.len < PROBE_MAX && !how->at_end ? SIDE_UNDECIDED : SIDE_DECIDED;
    uint8_t handovers = ds->handovers;
    for (unsigned i = 0; i < found_count && ds->handovers == handovers; i++) {
        struct attached *a = attach(e, s, found[i]);
        if (a && has_history) {
            feed_history(e, s, a, how);
        } else if (a) {
            struct delivery fresh = *how; /* what is missing before them was never this dissector's */
            fresh.gap = 0;
            feed_stream(e, s, a, first, &fresh);
        }
    }
}

static bool wants_history(const struct dissect_session *ds) {
    return !ds->attached && (ds->side[0] != SIDE_DECIDED || ds->side[1] != SIDE_DECIDED);
}

/* Keeps what fits behind what is kept already; as much of a side is kept however it was cut. */
static void keep_history(struct dissect_engine *e, struct session *s, struct span bytes, unsigned side) {
    struct dissect_session *ds = s->dissect;
    size_t have = ds->history ? ds->history[side].len : 0;
    struct span part = span_sub(bytes, 0, ds->missed[side] ? 0 : HISTORY_MAX - MIN(have, HISTORY_MAX));
    if (part.len && !feed_add(e, &ds->history, side, part, HISTORY_MAX)) {
        part.len = 0;
    }
    ds->missed[side] += bytes.len - part.len;
}

/* Bytes of a side: to those attached, and to the probes while the side is not decided. */
static void classify(struct dissect_engine *e, struct session *s, struct span bytes, const struct delivery *how) {
    struct dissect_session *ds = s->dissect;
    if (!ds->spoke) {
        ds->spoke = true;
        ds->first_side = (uint8_t)how->side;
    }
    uint8_t handovers = ds->handovers;
    if (ds->attached) {
        feed_all(e, s, bytes, how);
    }
    if (ds->side[how->side] == SIDE_DECIDED || ds->handovers != handovers || bytes.len == 0) {
        if (ds->history && ds->handovers == handovers && wants_history(ds)) {
            keep_history(e, s, bytes, how->side);
        }
        check_quiet(s);
        return;
    }
    bool has_history = ds->history && ds->history[0].len + ds->history[1].len > 0;
    if (!has_history) {
        probe_side(e, s, bytes, how, false);
        if (ds->handovers == handovers && (ds->side[how->side] == SIDE_UNDECIDED || wants_history(ds))) {
            keep_history(e, s, bytes, how->side);
        }
    } else {
        keep_history(e, s, bytes, how->side);
        struct feed *h = &ds->history[how->side];
        probe_side(e, s, span_make(h->data, h->len), how, true);
    }
    if (ds->side[0] == SIDE_DECIDED && ds->side[1] == SIDE_DECIDED) {
        feeds_free(e, &ds->history);
    }
    check_quiet(s);
}

void dissect_stream(struct dissect_engine *e, struct session *s, unsigned side, struct span bytes, uint64_t gap,
                    int64_t time) {
    struct dissect_session *ds = want_session(e, s);
    if (!ds) {
        return;
    }
    struct delivery how = {.side = side, .time = time, .gap = gap};
    if (gap && ds->side[side] != SIDE_UNSEEN) {
        ds->side[side] = SIDE_DECIDED; /* what follows a gap is not a beginning */
        ds->missed[side] += gap;
    }
    classify(e, s, bytes, &how);
    free_graves(e);
}

void dissect_stream_end(struct dissect_engine *e, struct session *s, unsigned side) {
    struct dissect_session *ds = s->dissect;
    if (!ds) {
        return;
    }
    struct delivery how = {.side = side, .time = s->last_time, .at_end = true};
    if (ds->side[side] == SIDE_UNDECIDED && ds->history && ds->history[side].len) {
        struct feed *h = &ds->history[side];
        probe_side(e, s, span_make(h->data, h->len), &how, true);
    }
    ds->side[side] = SIDE_DECIDED;
    ds->ended[side] = true;
    if (ds->attached) {
        feed_all(e, s, (struct span){0}, &how);
    }
    free_graves(e);
    if (ds->ended[0] && ds->ended[1]) {
        session_free(e, s); /* nothing more can come: late packets need no parser's memory */
        s->quiet = true;
    } else {
        check_quiet(s);
    }
}

/* --- datagrams --- */

static void call_datagram(struct dissect_engine *e, struct session *s, struct attached *a, unsigned side,
                          struct span bytes, const struct packet *p) {
    const struct dissector *d = e->set->entries[a->id].dissector;
    struct dissect view = make_view(e, s, a, a->id);
    view.side = (uint8_t)side;
    view.time = p->time;
    if (s->kind == FLOW_ICMP && bytes.len >= 2) {
        view.icmp_type = bytes.at[0];
        view.icmp_code = bytes.at[1];
    }
    enum verdict verdict = d->datagram(&view, bytes);
    arena_reset(&e->scratch);
    switch (verdict) {
    case VERDICT_OK:
    case VERDICT_MORE:
        return;
    case VERDICT_NOT_MINE:
        e->counts[DISSECT_NOT_MINE]++;
        (void)cells_remove_text(&s->cells, &e->fields[CORE_PROTOCOL], d->name);
        break;
    case VERDICT_BROKEN:
        e->counts[DISSECT_BROKEN]++;
        break;
    case VERDICT_DONE:
    case VERDICT_HANDOVER:
        break;
    }
    detach(e, s, a);
}

static void classify_datagram(struct dissect_engine *e, struct session *s, unsigned side, struct span bytes) {
    struct dissect_session *ds = s->dissect;
    uint8_t ids[CANDIDATES_MAX];
    unsigned count = find_candidates(e, s, bytes, true, ids);
    for (unsigned i = 0; i < count; i++) {
        const struct dissector *d = e->set->entries[ids[i]].dissector;
        if (d->datagram && d->probe && !was_here(ds, ids[i]) && probe_one(e, s, ids[i], bytes, side) == MATCH_YES) {
            (void)attach(e, s, ids[i]);
        }
    }
}

/* The dissector that belongs to the flow's kind by itself, or DISSECTOR_NONE. */
static uint8_t by_kind(const struct dissect_engine *e, const struct session *s) {
    if (s->kind == FLOW_ICMP) {
        return e->set->icmp;
    }
    return s->kind == FLOW_OTHER ? e->set->by_other[s->key.tag >> 24 & 15] : DISSECTOR_NONE;
}

void dissect_datagram(struct dissect_engine *e, struct session *s, unsigned side, struct span bytes,
                      const struct packet *p) {
    if (bytes.len == 0) {
        return;
    }
    struct dissect_session *ds = want_session(e, s);
    if (!ds) {
        return;
    }
    if (ds->side[side] == SIDE_UNSEEN) {
        ds->side[side] = SIDE_DECIDED;
        uint8_t id = by_kind(e, s);
        if (id != DISSECTOR_NONE) {
            if (!was_here(ds, id)) {
                (void)attach(e, s, id);
            }
        } else if (s->kind == FLOW_UDP) {
            classify_datagram(e, s, side, bytes);
        }
    }
    for (struct attached *a = ds->attached, *next; a; a = next) {
        next = a->next;
        call_datagram(e, s, a, side, bytes, p);
    }
    check_quiet(s);
}

/* --- saving --- */

void dissect_saving(struct dissect_engine *e, struct session *s, bool final) {
    struct dissect_session *ds = s->dissect;
    for (const struct attached *a = ds && !final ? ds->attached : NULL; a; a = a->next) {
        call_end(e, s, a, false);
    }
    /* Sides that nobody closed end here: what is still held of them is given a last time. */
    for (unsigned side = 0; side < 2 && final && s->kind == FLOW_TCP; side++) {
        if (s->dissect && !ds->ended[side]) {
            dissect_stream_end(e, s, side);
        }
    }
    if (final && s->dissect) { /* else given back when the second side ended */
        session_free(e, s);
    }
    late_settle(e->runs, &s->cells);
}
