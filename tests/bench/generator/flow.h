/*
 * A flow is born whole: the recorder collects all its frames as ready pcap records, sorts them by time (retransmissions
 * and swapped neighbours are only frames with another time), and hands over one block. The schedule then merges the
 * open flows by the time of their next record, so that nothing has to be computed while the capture is written.
 */
#pragma once

#include "buffer.h"

struct flow {
    uint64_t time_us; /* of the record at `at` */
    uint32_t at;
    uint32_t length;
    uint8_t bytes[]; /* records: 16 bytes of pcap header, then the frame */
};

struct stamp {
    uint64_t time_us;
    uint32_t offset;
    uint32_t length;
};

struct recorder {
    struct buffer records;
    struct stamp *stamps;
    size_t count;
    size_t capacity;
    uint64_t now_us; /* the clock of the flow under construction */
    uint64_t end_us; /* the capture stops here: later frames are not kept */
    bool failed;
};

void recorder_done(struct recorder *r);
void recorder_begin(struct recorder *r, uint64_t start_us);

/* Keeps a copy of the frame, padded to Ethernet's 60 bytes. */
void recorder_frame(struct recorder *r, uint64_t time_us, const uint8_t *bytes, size_t length);

/* The flow, for the caller to free(); NULL when it has no frames. 0 or -ENOMEM. */
int recorder_finish(struct recorder *r, struct flow **ret_flow);

/* Moves to the next record; false when there is none left. */
bool flow_next(struct flow *f);

struct schedule_entry {
    uint64_t time_us;
    struct flow *flow;
};

struct schedule {
    struct schedule_entry *heap;
    size_t count;
    size_t capacity;
};

void schedule_done(struct schedule *s);

/* Takes the flow. 0 or -ENOMEM (the flow stays the caller's). */
int schedule_add_take(struct schedule *s, struct flow *f);

/* The flow with the earliest next record; NULL when none is left. It stays in the schedule. */
struct flow *schedule_first(const struct schedule *s);

/* Moves the first flow to its next record and frees it when it has none left. */
void schedule_advance(struct schedule *s);
