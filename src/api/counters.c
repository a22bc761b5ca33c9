/* counters.c: see counters.h: the table of series, and the history they are read from. */
#include "api/counters.h"

#include "base/util.h"

const struct counter_series counter_series_table[] = {
    {"deltaPackets", COUNTER_PACKETS, SERIES_GROWTH, 1, "Packets read"},
    {"deltaPacketsPerSec", COUNTER_PACKETS, SERIES_PER_SECOND, 1, "Packets read a second"},
    {"deltaBytes", COUNTER_BYTES, SERIES_GROWTH, 1, "Bytes of captures read"},
    {"deltaBytesPerSec", COUNTER_BYTES, SERIES_PER_SECOND, 1, "Bytes of captures read a second"},
    {"deltaBitsPerSec", COUNTER_BYTES, SERIES_PER_SECOND, 8, "Bits of captures read a second"},
    {"deltaSessions", COUNTER_SESSIONS, SERIES_GROWTH, 1, "Sessions stored"},
    {"deltaSessionsPerSec", COUNTER_SESSIONS, SERIES_PER_SECOND, 1, "Sessions stored a second"},
    {"deltaRequests", COUNTER_REQUESTS, SERIES_GROWTH, 1, "Requests"},
    {"deltaRequestsPerSec", COUNTER_REQUESTS, SERIES_PER_SECOND, 1, "Requests a second"},
    {"deltaSentBytes", COUNTER_SENT, SERIES_GROWTH, 1, "Bytes of answers"},
    {"deltaSentBytesPerSec", COUNTER_SENT, SERIES_PER_SECOND, 1, "Bytes of answers a second"},
    {"deltaRefused", COUNTER_REFUSED, SERIES_GROWTH, 1, "Requests refused before they reached an endpoint"},
    {"deltaRefusedPerSec", COUNTER_REFUSED, SERIES_PER_SECOND, 1, "Such requests a second"},
    {"cpu", COUNTER_CPU, SERIES_NEWEST, 1, "Processor time, in hundredths of a percent of one processor"},
    {"memory", COUNTER_MEMORY, SERIES_NEWEST, 1, "Memory in use, bytes"},
    {"memoryP", COUNTER_MEMORY_PART, SERIES_NEWEST, 1, "The same in percent of the machine's"},
    {"freeSpaceM", COUNTER_FREE, SERIES_NEWEST, 1, "Free space on the store's disk, MiB"},
    {"freeSpaceP", COUNTER_FREE_PART, SERIES_NEWEST, 1, "The same in percent"},
    {"usedSpaceM", COUNTER_USED, SERIES_NEWEST, 1, "Used space on that disk, MiB"},
    {"parts", COUNTER_PARTS, SERIES_NEWEST, 1, "Parts of the store"},
};
const size_t counter_series_count = ARRAY_LEN(counter_series_table);

const uint32_t counter_intervals[COUNTER_RINGS] = {5, 60, 600};

const struct counter_series *counter_series_find(struct span name) {
    for (size_t i = 0; i < counter_series_count; i++) {
        if (span_is(name, counter_series_table[i].name)) {
            return &counter_series_table[i];
        }
    }
    return NULL;
}

static struct counter_slot *slot_for(struct counter_history *h, unsigned ring, int64_t now_ms) {
    int64_t number = now_ms / 1000 / counter_intervals[ring];
    struct counter_slot *s = &h->rings[ring][number % COUNTER_SLOTS];
    if (s->number != number) {
        *s = (struct counter_slot){.number = number};
    }
    return s;
}

void history_sample(struct counter_history *h, int64_t now_ms, const double values[COUNTERS]) {
    double grown[COUNTERS_GROWING] = {0};
    int64_t passed = h->last_ms ? now_ms - h->last_ms : 0;
    if (now_ms <= 0 || (h->last_ms && passed <= 0)) {
        return;
    }
    for (unsigned i = 0; i < COUNTERS_GROWING; i++) {
        grown[i] = h->last_ms && values[i] > h->highest[i] ? values[i] - h->highest[i] : 0;
        h->highest[i] = h->last_ms ? MAX(h->highest[i], values[i]) : values[i];
    }
    for (unsigned r = 0; r < COUNTER_RINGS; r++) {
        struct counter_slot *s = slot_for(h, r, now_ms);
        s->ms += (uint32_t)MIN(passed, (int64_t)1000 * counter_intervals[r]);
        for (unsigned i = 0; i < COUNTERS; i++) {
            s->values[i] = i < COUNTERS_GROWING ? s->values[i] + grown[i] : values[i];
        }
    }
    h->last_ms = now_ms;
}

double series_of_slot(const struct counter_series *series, const struct counter_slot *slot) {
    double value = slot->values[series->counter] * series->scale;
    return series->how != SERIES_PER_SECOND ? value : slot->ms ? value * 1000 / slot->ms : 0;
}

bool history_value(const struct counter_history *h, const struct counter_series *series, uint32_t interval,
                   int64_t from_ms, int64_t to_ms, double *ret) {
    struct counter_slot sum = {0};
    unsigned ring = 0;
    while (ring + 1 < COUNTER_RINGS && counter_intervals[ring + 1] <= interval) {
        ring++;
    }
    int64_t step = (int64_t)counter_intervals[ring] * 1000, newest = h->last_ms / step;
    int64_t first = MAX((from_ms + step - 1) / step, newest - COUNTER_SLOTS + 1), end = (to_ms + step - 1) / step;
    bool known = false;
    for (int64_t n = MAX(first, (int64_t)1); n < end && n <= newest; n++) {
        const struct counter_slot *s = &h->rings[ring][n % COUNTER_SLOTS];
        if (s->number != n) {
            continue;
        }
        double before = sum.values[series->counter];
        sum.ms += s->ms;
        sum.values[series->counter] = s->values[series->counter] + (series->how == SERIES_NEWEST ? 0 : before);
        known = true;
    }
    *ret = known ? series_of_slot(series, &sum) : 0;
    return known;
}

const struct counter_slot *history_newest(const struct counter_history *h) {
    int64_t number = h->last_ms / 1000 / counter_intervals[0];
    const struct counter_slot *now = &h->rings[0][number % COUNTER_SLOTS];
    const struct counter_slot *before = &h->rings[0][(number + COUNTER_SLOTS - 1) % COUNTER_SLOTS];
    if (h->last_ms == 0) {
        return NULL;
    }
    return before->number == number - 1 && before->ms ? before : now;
}
