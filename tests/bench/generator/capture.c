/*
 * The walk over time: a new flow is made when its turn has come, and until then the records of the open ones are
 * written in order. Classic pcap, microseconds, little-endian, Ethernet.
 */
#include "capture.h"

#include "script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BASE_US 1700000000000000u /* 2023-11-14 22:13:20 UTC */
#define OUTPUT_SIZE (1u << 20)

struct output {
    int fd;
    int error;
    uint64_t hash;
    size_t fill;
    uint8_t *bytes; /* OUTPUT_SIZE */
};

struct writer {
    const struct profile *profile;
    struct maker maker;
    struct world world;
    struct schedule schedule;
    struct output output;
    uint32_t *limits; /* running sums of the recipes' weights */
    struct capture_summary summary;
    struct recipe_count *counts;
};

static void output_flush(struct output *o) {
    for (size_t i = 0; i + 8 <= o->fill; i += 8) {
        uint64_t v;
        memcpy(&v, o->bytes + i, 8);
        o->hash = (o->hash ^ v) * 0x9fb21c651e98df25u;
        o->hash ^= o->hash >> 32;
    }
    for (size_t i = o->fill & ~(size_t)7; i < o->fill; i++) {
        o->hash = (o->hash ^ o->bytes[i]) * 0x100000001b3u;
    }
    size_t done = 0;
    while (o->fd >= 0 && done < o->fill && o->error == 0) {
        ssize_t n = write(o->fd, o->bytes + done, o->fill - done);
        if (n >= 0) {
            done += (size_t)n;
        } else if (errno != EINTR) {
            o->error = -errno;
        }
    }
    o->fill = 0;
}

static void output_put(struct output *o, const uint8_t *bytes, size_t length) {
    if (OUTPUT_SIZE - o->fill < length) {
        output_flush(o);
    }
    memcpy(o->bytes + o->fill, bytes, length);
    o->fill += length;
}

/* Writes what is due before `until_us`. */
static void write_due(struct writer *w, uint64_t until_us) {
    for (;;) {
        struct flow *f = schedule_first(&w->schedule);
        if (f == NULL || f->time_us >= until_us || w->output.error != 0) {
            return;
        }
        const uint8_t *record = f->bytes + f->at;
        uint32_t length = record[8] | (uint32_t)record[9] << 8 | (uint32_t)record[10] << 16;
        output_put(&w->output, record, 16 + length);
        w->summary.packets++;
        w->summary.bytes += length;
        w->summary.first_us = w->summary.packets == 1 ? f->time_us : w->summary.first_us;
        w->summary.last_us = f->time_us;
        schedule_advance(&w->schedule);
    }
}

static uint32_t recipe_pick(struct writer *w) {
    uint32_t count = w->profile->recipe_count;
    uint32_t at = random_below(&w->maker.rng, w->limits[count - 1]);
    uint32_t i = 0;
    while (w->limits[i] <= at) {
        i++;
    }
    return i;
}

static int flow_begin(struct writer *w, uint64_t start_us) {
    struct maker *m = &w->maker;
    uint32_t recipe = recipe_pick(w);
    uint64_t sessions = m->sessions;
    recorder_begin(&m->recorder, start_us);
    buffer_clear(&m->message);
    const struct recipe *r = &w->profile->recipes[recipe];
    if (r->make != NULL) {
        r->make(m);
    } else {
        script_play(m, r->script);
    }
    if (m->message.failed || m->scratch.failed) {
        return -ENOMEM;
    }
    if (w->counts != NULL) {
        w->counts[recipe].flows += m->sessions - sessions;
        w->counts[recipe].packets += m->recorder.count;
        w->counts[recipe].bytes += m->recorder.records.length - 16 * m->recorder.count;
    }
    struct flow *f;
    int error = recorder_finish(&m->recorder, &f);
    if (error == 0 && f != NULL) {
        error = schedule_add_take(&w->schedule, f);
        if (error < 0) {
            free(f);
        }
    }
    return error;
}

static int writer_init(struct writer *w, const struct profile *profile, uint64_t seed, int fd) {
    memset(w, 0, sizeof *w);
    w->profile = profile;
    w->output.fd = fd;
    w->output.bytes = malloc(OUTPUT_SIZE);
    w->limits = calloc(profile->recipe_count, sizeof *w->limits);
    if (w->output.bytes == NULL || w->limits == NULL) {
        return -ENOMEM;
    }
    uint32_t sum = 0;
    for (uint32_t i = 0; i < profile->recipe_count; i++) {
        sum += profile->recipes[i].weight;
        w->limits[i] = sum;
    }
    int error = world_init(&w->world, seed);
    if (error == 0 && profile->certificates) {
        error = world_certify(&w->world);
    }
    maker_init(&w->maker, &w->world, &profile->habits, seed);
    return error;
}

static void writer_done(struct writer *w) {
    schedule_done(&w->schedule);
    maker_done(&w->maker);
    world_done(&w->world);
    free(w->output.bytes);
    free(w->limits);
}

static void put_file_header(struct output *o) {
    static const uint8_t header[24] = {
        0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0, /* snap length 256 KiB */
    };
    output_put(o, header, sizeof header);
}

static int walk(struct writer *w, double scale) {
    const struct profile *p = w->profile;
    uint64_t flows = (uint64_t)((double)p->flows * scale + 0.5);
    uint64_t step_ns = (uint64_t)p->arrival_us * 1000 / p->flows;
    w->maker.recorder.end_us = BASE_US + flows * step_ns / 1000 + p->tail_us;
    put_file_header(&w->output);
    uint64_t begun_ns = 0;
    while (w->maker.sessions < flows && w->output.error == 0) {
        uint64_t sessions = w->maker.sessions;
        uint64_t start_us = BASE_US + begun_ns / 1000;
        write_due(w, start_us);
        int error = flow_begin(w, start_us);
        if (error < 0) {
            return error;
        }
        /* One step for each session made, half of it by chance. */
        uint64_t made = w->maker.sessions - sessions;
        begun_ns += made * (step_ns / 2) + random_below(&w->maker.rng, (uint32_t)(made * step_ns));
    }
    write_due(w, UINT64_MAX);
    output_flush(&w->output);
    return w->output.error;
}

int capture_write(const struct profile *profile, const struct capture_options *options, int fd,
                  struct capture_summary *ret_summary, struct recipe_count *ret_counts) {
    struct writer *w = malloc(sizeof *w);
    if (w == NULL) {
        return -ENOMEM;
    }
    int error = writer_init(w, profile, options->seed, fd);
    w->counts = ret_counts;
    if (error == 0) {
        error = walk(w, options->scale);
    }
    w->summary.flows = w->maker.sessions;
    w->summary.hash = w->output.hash;
    *ret_summary = w->summary;
    writer_done(w);
    free(w);
    return error;
}
