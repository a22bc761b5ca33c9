/*
 * The recorder (records of draft-ietf-opsawg-pcap: microseconds, little-endian) and the merge of flows by a heap with
 * four children per node, which touches half as many cache lines as one with two.
 */
#include "flow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_HEADER 16
#define FRAME_MIN 60

void recorder_done(struct recorder *r) {
    buffer_done(&r->records);
    free(r->stamps);
    *r = (struct recorder){0};
}

void recorder_begin(struct recorder *r, uint64_t start_us) {
    buffer_clear(&r->records);
    r->count = 0;
    r->now_us = start_us;
}

static struct stamp *stamp_add(struct recorder *r) {
    if (r->count == r->capacity) {
        size_t capacity = r->capacity > 0 ? 2 * r->capacity : 256;
        struct stamp *stamps = realloc(r->stamps, capacity * sizeof *stamps);
        if (stamps == NULL) {
            r->failed = true;
            return NULL;
        }
        r->stamps = stamps;
        r->capacity = capacity;
    }
    return &r->stamps[r->count++];
}

static void put_le32(uint8_t *at, uint32_t v) {
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
    at[2] = (uint8_t)(v >> 16);
    at[3] = (uint8_t)(v >> 24);
}

void recorder_frame(struct recorder *r, uint64_t time_us, const uint8_t *bytes, size_t length) {
    if (time_us >= r->end_us) {
        return;
    }
    size_t padded = length < FRAME_MIN ? FRAME_MIN : length;
    size_t offset = r->records.length;
    uint8_t *at = buffer_room(&r->records, RECORD_HEADER + padded);
    struct stamp *stamp = at != NULL ? stamp_add(r) : NULL;
    if (stamp == NULL) {
        r->failed = true;
        return;
    }
    *stamp = (struct stamp){time_us, (uint32_t)offset, (uint32_t)(RECORD_HEADER + padded)};
    put_le32(at, (uint32_t)(time_us / 1000000));
    put_le32(at + 4, (uint32_t)(time_us % 1000000));
    put_le32(at + 8, (uint32_t)padded);
    put_le32(at + 12, (uint32_t)padded);
    memcpy(at + RECORD_HEADER, bytes, length);
    memset(at + RECORD_HEADER + length, 0, padded - length);
}

/* Insertion sort: the frames are nearly in order already. True when something moved. */
static bool stamps_sort(struct stamp *stamps, size_t count) {
    bool moved = false;
    for (size_t i = 1; i < count; i++) {
        struct stamp stamp = stamps[i];
        size_t to = i;
        for (; to > 0 && stamps[to - 1].time_us > stamp.time_us; to--) {
            stamps[to] = stamps[to - 1];
        }
        moved = moved || to != i;
        stamps[to] = stamp;
    }
    return moved;
}

int recorder_finish(struct recorder *r, struct flow **ret_flow) {
    *ret_flow = NULL;
    if (r->failed || r->records.failed) {
        return -ENOMEM;
    }
    if (r->count == 0) {
        return 0;
    }
    struct flow *f = malloc(sizeof *f + r->records.length);
    if (f == NULL) {
        return -ENOMEM;
    }
    f->at = 0;
    f->length = (uint32_t)r->records.length;
    if (stamps_sort(r->stamps, r->count)) {
        uint8_t *to = f->bytes;
        for (size_t i = 0; i < r->count; i++) {
            memcpy(to, r->records.bytes + r->stamps[i].offset, r->stamps[i].length);
            to += r->stamps[i].length;
        }
    } else {
        memcpy(f->bytes, r->records.bytes, r->records.length);
    }
    f->time_us = r->stamps[0].time_us;
    *ret_flow = f;
    return 0;
}

static uint32_t get_le32(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

bool flow_next(struct flow *f) {
    f->at += RECORD_HEADER + get_le32(f->bytes + f->at + 8);
    if (f->at >= f->length) {
        return false;
    }
    const uint8_t *at = f->bytes + f->at;
    f->time_us = (uint64_t)get_le32(at) * 1000000 + get_le32(at + 4);
    return true;
}

void schedule_done(struct schedule *s) {
    for (size_t i = 0; i < s->count; i++) {
        free(s->heap[i].flow);
    }
    free(s->heap);
    *s = (struct schedule){0};
}

int schedule_add_take(struct schedule *s, struct flow *f) {
    if (s->count == s->capacity) {
        size_t capacity = s->capacity > 0 ? 2 * s->capacity : 1024;
        struct schedule_entry *heap = realloc(s->heap, capacity * sizeof *heap);
        if (heap == NULL) {
            return -ENOMEM;
        }
        s->heap = heap;
        s->capacity = capacity;
    }
    size_t at = s->count++;
    while (at > 0 && s->heap[(at - 1) / 4].time_us > f->time_us) {
        s->heap[at] = s->heap[(at - 1) / 4];
        at = (at - 1) / 4;
    }
    s->heap[at] = (struct schedule_entry){f->time_us, f};
    return 0;
}

struct flow *schedule_first(const struct schedule *s) {
    return s->count > 0 ? s->heap[0].flow : NULL;
}

/* Puts the entry where it belongs, starting from the root. */
static void sift_down(struct schedule *s, struct schedule_entry entry) {
    size_t at = 0;
    for (;;) {
        size_t first = 4 * at + 1;
        size_t end = first + 4 < s->count ? first + 4 : s->count;
        size_t least = first;
        for (size_t i = first + 1; i < end; i++) {
            least = s->heap[i].time_us < s->heap[least].time_us ? i : least;
        }
        if (first >= end || s->heap[least].time_us >= entry.time_us) {
            break;
        }
        s->heap[at] = s->heap[least];
        at = least;
    }
    s->heap[at] = entry;
}

void schedule_advance(struct schedule *s) {
    struct flow *f = s->heap[0].flow;
    if (flow_next(f)) {
        sift_down(s, (struct schedule_entry){f->time_us, f});
        return;
    }
    free(f);
    s->count--;
    if (s->count > 0) {
        sift_down(s, s->heap[s->count]);
    }
}
