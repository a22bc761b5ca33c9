/* fetch.c: see fetch.h.
 *
 * Decision: packets are read in the order they lie in (file, position), which is one pass even for compressed files,
 * and put in order of time on the way out by a heap that holds them back as long as memory allows. Captures are nearly
 * sorted and nearly follow each other, so a small heap makes the order exact.
 */
#include "fetch/fetch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/util.h"

#define MEMORY_DEFAULT ((uint64_t)64 << 20)
#define COMMENT_CEILING 65535

/* A packet of a session, by where it lies. */
struct wanted {
    uint64_t position;
    uint32_t file;
    uint32_t session;
    uint32_t captured;
};

/* A packet held back until its time comes. */
struct held {
    int64_t time;
    uint64_t sequence; /* order of reading: decides between equal times */
    size_t group;      /* first of its entries in `wanted` */
    struct packet packet;
    uint8_t bytes[];
};

struct fetch {
    const struct fetch_request *request;
    struct packet_writer *writer;
    struct fetch_result *result;
    struct err *err;
    struct source_random *reader; /* of a list of inputs, or ... */
    struct captures *captures;    /* ... of a store */
    struct wanted *wanted;        /* sorted by file, position, session */
    size_t wanted_count;
    uint8_t *named;  /* by session: a comment named it */
    uint8_t *broken; /* by session: a packet is missing */
    struct held **heap;
    size_t heap_count, heap_room;
    uint64_t heap_bytes;
    uint64_t sequence;
    int64_t written_time; /* newest */
    struct buf comment;
};

static int by_place(const void *a, const void *b) {
    const struct wanted *x = a;
    const struct wanted *y = b;
    if (x->file != y->file) {
        return x->file < y->file ? -1 : 1;
    }
    if (x->position != y->position) {
        return x->position < y->position ? -1 : 1;
    }
    return x->session < y->session ? -1 : x->session > y->session;
}

static int wanted_collect(struct fetch *f) {
    const struct fetch_request *q = f->request;
    size_t total = 0;
    for (size_t i = 0; i < q->count; i++) {
        total += q->sessions[i].count;
    }
    f->wanted = calloc(MAX(total, (size_t)1), sizeof(*f->wanted));
    f->named = calloc(MAX(q->count, (size_t)1), 1);
    f->broken = calloc(MAX(q->count, (size_t)1), 1);
    if (!f->wanted || !f->named || !f->broken || q->count > UINT32_MAX) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < q->count; i++) {
        for (size_t k = 0; k < q->sessions[i].count; k++) {
            const struct packet_position *p = &q->sessions[i].positions[k];
            f->wanted[f->wanted_count++] = (struct wanted){p->position, p->file, (uint32_t)i, p->captured};
        }
    }
    qsort(f->wanted, f->wanted_count, sizeof(*f->wanted), by_place);
    return 0;
}

static bool same_place(const struct wanted *a, const struct wanted *b) {
    return a->file == b->file && a->position == b->position;
}

/* --- writing --- */

/* Names the sessions of the packet whose entries begin at `group`; documents of new ones go before it. */
static int comment_make(struct fetch *f, size_t group) {
    int rc = 0;
    buf_clear(&f->comment);
    for (size_t i = group; i < f->wanted_count && same_place(&f->wanted[i], &f->wanted[group]); i++) {
        uint32_t session = f->wanted[i].session;
        bool again = i > group && f->wanted[i - 1].session == session;
        if (again || (f->named[session] && !f->request->comment_every)) {
            continue;
        }
        const struct fetch_session *s = &f->request->sessions[session];
        if (!f->named[session] && s->document.len && rc == 0) {
            rc = packet_writer_block(f->writer, PACKET_BLOCK_SESSION, SPAN_LITERAL(PACKET_BLOCK_SESSION_TAG),
                                     s->document, f->err);
        }
        f->named[session] = 1;
        buf_add_text(&f->comment, f->comment.len ? "\nsession " : "session ");
        buf_add_text(&f->comment, s->id);
        if (s->tags && s->tags[0]) {
            buf_add_text(&f->comment, " tags ");
            buf_add_text(&f->comment, s->tags);
        }
    }
    return rc;
}

static int packet_write(struct fetch *f, const struct packet *p, size_t group) {
    int rc = comment_make(f, group);
    rc = rc < 0 ? rc : packet_writer_add(f->writer, p, buf_span(&f->comment), f->err);
    if (rc < 0) {
        return rc;
    }
    if (p->time < f->written_time) {
        f->result->unsorted++;
    } else {
        f->written_time = p->time;
    }
    f->result->packets++;
    f->result->bytes += p->captured;
    return 0;
}

/* --- the heap: earliest first --- */

static bool earlier(const struct held *a, const struct held *b) {
    return a->time != b->time ? a->time < b->time : a->sequence < b->sequence;
}

static void heap_push(struct fetch *f, struct held *h) {
    size_t at = f->heap_count++;
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (!earlier(h, f->heap[parent])) {
            break;
        }
        f->heap[at] = f->heap[parent];
        at = parent;
    }
    f->heap[at] = h;
}

static struct held *heap_pop(struct fetch *f) {
    struct held *first = f->heap[0];
    struct held *last = f->heap[--f->heap_count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= f->heap_count) {
            break;
        }
        if (child + 1 < f->heap_count && earlier(f->heap[child + 1], f->heap[child])) {
            child++;
        }
        if (!earlier(f->heap[child], last)) {
            break;
        }
        f->heap[at] = f->heap[child];
        at = child;
    }
    f->heap[at] = last;
    return first;
}

static size_t held_size(const struct packet *p) {
    return sizeof(struct held) + sizeof(struct held *) + p->captured;
}

/* Writes held packets, earliest first, until at most `left` bytes are held. */
static int heap_write(struct fetch *f, uint64_t left) {
    int rc = 0;
    while (rc == 0 && f->heap_count && f->heap_bytes > left) {
        struct held *h = heap_pop(f);
        f->heap_bytes -= held_size(&h->packet);
        rc = packet_write(f, &h->packet, h->group);
        free(h);
    }
    return rc;
}

static int packet_hold(struct fetch *f, const struct packet *p, size_t group) {
    if (f->heap_count == f->heap_room) {
        size_t grown = f->heap_room ? f->heap_room * 2 : 1024;
        struct held **more = reallocarray(f->heap, grown, sizeof(struct held *));
        if (!more) {
            return -ENOMEM;
        }
        f->heap = more;
        f->heap_room = grown;
    }
    struct held *h = malloc(sizeof(*h) + p->captured);
    if (!h) {
        return -ENOMEM;
    }
    h->time = p->time;
    h->sequence = f->sequence++;
    h->group = group;
    h->packet = *p;
    h->packet.data = h->bytes;
    if (p->captured) {
        memcpy(h->bytes, p->data, p->captured);
    }
    heap_push(f, h);
    f->heap_bytes += held_size(p);
    return heap_write(f, f->request->memory ? f->request->memory : MEMORY_DEFAULT);
}

/* --- reading --- */

static int packet_read(struct fetch *f, const struct wanted *w, struct packet *p) {
    if (f->request->cancelled && f->request->cancelled(f->request->ctx)) {
        return -ECANCELED;
    }
    if (f->captures) {
        struct err *why = f->result->why.code == 0 ? &f->result->why : NULL;
        const struct fetch_session *s = &f->request->sessions[w->session];
        const struct capture_packet want = {{w->file, w->captured, w->position}, s->first_time, s->last_time};
        return captures_read(f->captures, &want, p, why);
    }
    return source_random_read(f->reader, w->file, w->position, p);
}

static int packets_copy(struct fetch *f) {
    int rc = 0;
    size_t next;
    for (size_t i = 0; rc == 0 && i < f->wanted_count; i = next) {
        const struct wanted *w = &f->wanted[i];
        for (next = i + 1; next < f->wanted_count && same_place(w, &f->wanted[next]);) {
            next++;
        }
        struct packet p;
        rc = packet_read(f, w, &p);
        if (rc == 0) {
            rc = f->request->order == FETCH_BY_TIME ? packet_hold(f, &p, i) : packet_write(f, &p, i);
        } else if (rc != -ENOMEM && rc != -ECANCELED) {
            rc = 0;
            f->result->lost++;
            for (size_t k = i; k < next; k++) {
                f->broken[f->wanted[k].session] = 1;
            }
        }
    }
    return rc < 0 ? rc : heap_write(f, 0);
}

static void fetch_done(struct fetch *f) {
    source_random_free(f->reader);
    for (size_t i = 0; i < f->heap_count; i++) {
        free(f->heap[i]);
    }
    free(f->heap);
    free(f->wanted);
    free(f->named);
    free(f->broken);
    buf_done(&f->comment);
}

static int fetch_run(struct fetch *f, struct err *problem, struct err *ret_err) {
    const struct fetch_request *request = f->request;
    int rc = wanted_collect(f);
    if (rc == 0) {
        rc = packets_copy(f);
    }
    for (size_t i = 0; rc == 0 && i < request->count; i++) {
        f->result->complete += !f->broken[i];
        f->result->incomplete += f->broken[i];
    }
    if (rc < 0 && problem->code == 0) {
        err_set(problem, rc, rc == -ECANCELED ? "fetching was cancelled" : "no memory to fetch packets with");
    }
    if (rc < 0 && ret_err) {
        *ret_err = *problem;
    }
    fetch_done(f);
    return rc;
}

int fetch_packets(const struct input_list *inputs, const struct fetch_request *request, struct packet_writer *w,
                  struct fetch_result *ret_result, struct err *ret_err) {
    struct err problem = {0};
    *ret_result = (struct fetch_result){0};
    struct fetch f = {
        .request = request, .writer = w, .result = ret_result, .err = &problem, .written_time = INT64_MIN};
    buf_init(&f.comment, COMMENT_CEILING);
    int rc = source_random_open(inputs, &f.reader, ret_err);
    return rc < 0 ? rc : fetch_run(&f, &problem, ret_err);
}

int fetch_stored(struct captures *captures, const struct fetch_request *request, struct packet_writer *w,
                 struct fetch_result *ret_result, struct err *ret_err) {
    struct err problem = {0};
    *ret_result = (struct fetch_result){0};
    struct fetch f = {.request = request,
                      .writer = w,
                      .result = ret_result,
                      .err = &problem,
                      .captures = captures,
                      .written_time = INT64_MIN};
    buf_init(&f.comment, COMMENT_CEILING);
    return fetch_run(&f, &problem, ret_err);
}
