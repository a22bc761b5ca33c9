/* output.c: see output.h. Documents as JSON lines, as Arkime's bulk messages, or nowhere. */
#include "cmd/output.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

void output_write(struct output *o, const void *data, size_t len) {
    const char *at = data;
    while (len && !__atomic_load_n(&o->failed, __ATOMIC_RELAXED)) {
        ssize_t n = write(STDOUT_FILENO, at, len);
        if (n >= 0) {
            at += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
            (void)poll(&p, 1, -1);
        } else if (errno != EINTR) {
            __atomic_store_n(&o->failed, errno, __ATOMIC_RELAXED);
        }
    }
}

static void lane_flush(struct output *o, struct output_lane *lane) {
    if (o->options.format != OUTPUT_NULL && lane->out.len) {
        (void)pthread_mutex_lock(&o->lock);
        size_t skip = o->options.format == OUTPUT_ARKIME && !o->wrote ? 1 : 0; /* the comma in front of the first */
        output_write(o, lane->out.data + skip, lane->out.len - skip);
        o->wrote = true;
        (void)pthread_mutex_unlock(&o->lock);
    }
    buf_clear(&lane->out);
}

/* A stored session says itself when it was stored. */
static uint64_t written_at(const struct output *o, const struct record *r) {
    return r->stored_ms ? 0 : o->written_at;
}

static void json_record(struct output *o, const struct record *r, struct buf *out) {
    char id[DOCUMENT_ID_MAX];
    record_document_id(r, id);
    buf_add_text(out, "{\"id\":\"");
    buf_add_text(out, id);
    buf_add_byte(out, '"');
    size_t at = out->len;
    document_write(o->options.plan, r, written_at(o, r), out);
    if (out->len > at) {
        out->data[at] = ','; /* instead of the document's opening brace */
    }
    buf_add_byte(out, '\n');
}

static void arkime_record(struct output *o, const struct record *r, struct buf *out) {
    buf_add_text(out, ",\n{\"header\":{\"index\":{\"_index\":\"");
    buf_add_text(out, r->index);
    if (o->options.with_id) {
        char id[DOCUMENT_ID_MAX];
        record_document_id(r, id);
        buf_add_text(out, "\",\"_id\":\"");
        buf_add_text(out, id);
    }
    buf_add_text(out, "\"}},\"body\":");
    document_write(o->options.plan, r, written_at(o, r), out);
    buf_add_byte(out, '}');
}

void output_record(struct output *o, unsigned worker, const struct record *r) {
    struct output_lane *lane = &o->lanes[worker];
    uint64_t limit = o->options.limit;
    if (limit && o->options.format != OUTPUT_TABLE && __atomic_fetch_add(&o->sessions, 1, __ATOMIC_RELAXED) >= limit) {
        return;
    }
    switch (o->options.format) {
    case OUTPUT_TABLE:
        table_record(o, r, lane);
        return;
    case OUTPUT_CSV:
        csv_record(o, r, lane);
        break;
    case OUTPUT_ARKIME:
        arkime_record(o, r, &lane->out);
        break;
    case OUTPUT_JSON:
        json_record(o, r, &lane->out);
        break;
    default:
        document_write(o->options.plan, r, written_at(o, r), &lane->out);
    }
    unsigned nudges = __atomic_load_n(&o->nudges, __ATOMIC_RELAXED);
    if (lane->out.len >= OUTPUT_FLUSH || lane->nudges != nudges) {
        lane->nudges = nudges;
        lane_flush(o, lane);
    }
}

void output_nudge(struct output *o) {
    (void)__atomic_add_fetch(&o->nudges, 1, __ATOMIC_RELAXED);
}

bool output_over(const struct output *o) {
    uint64_t limit = o->options.limit;
    return __atomic_load_n(&o->failed, __ATOMIC_RELAXED) ||
           (limit && __atomic_load_n(&o->sessions, __ATOMIC_RELAXED) >= limit);
}

int output_new(const struct output_options *options, struct output **ret_output) {
    struct output *o = aligned_alloc(64, sizeof(*o));
    if (!o) {
        say("no memory for the output");
        return EXIT_INTERNAL;
    }
    memset(o, 0, sizeof(*o));
    *ret_output = o;
    o->options = *options;
    (void)pthread_mutex_init(&o->lock, NULL);
    o->written_at = (uint64_t)time(NULL) * 1000;
    for (size_t i = 0; i < ARRAY_LEN(o->lanes); i++) {
        buf_init(&o->lanes[i].out, OUTPUT_CEILING);
        buf_init(&o->lanes[i].scratch, OUTPUT_CEILING);
    }
    if (options->format == OUTPUT_ARKIME) {
        output_write(o, "{\"sessions3\":[", strlen("{\"sessions3\":["));
    }
    return options->format == OUTPUT_CSV ? csv_begin(o) : options->format == OUTPUT_TABLE ? table_begin(o) : 0;
}

struct output *output_free(struct output *o) {
    if (o) {
        for (size_t i = 0; i < ARRAY_LEN(o->lanes); i++) {
            buf_done(&o->lanes[i].out);
            buf_done(&o->lanes[i].scratch);
        }
        table_free(o);
        (void)pthread_mutex_destroy(&o->lock);
        free(o->columns);
        free(o);
    }
    return NULL;
}

static int end_code(int failed, const char *to) {
    char why[128] = "";
    if (failed == 0 || failed == EPIPE) {
        return EXIT_DONE;
    }
    const char *text = strerror_r(failed, why, sizeof(why));
    if (failed == ENOSPC || failed == EDQUOT || failed == EFBIG) {
        say("%s cannot be written: %s; free some space or write elsewhere; what was written is incomplete", to, text);
        return EXIT_FULL;
    }
    say("%s cannot be written: %s; what was written is incomplete", to, text);
    return EXIT_PARTIAL;
}

int output_end(struct output *o) {
    for (size_t i = 0; i < ARRAY_LEN(o->lanes); i++) {
        lane_flush(o, &o->lanes[i]);
    }
    if (o->options.format == OUTPUT_TABLE) {
        table_end(o);
    } else if (o->options.format == OUTPUT_ARKIME) {
        output_write(o, "]}\n", 3);
    }
    return end_code(o->failed, o->options.to ? o->options.to : "standard output");
}
