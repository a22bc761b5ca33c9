/* search_timeline.c: sessions and sums over time. Each thread has an array with one bucket per interval between the
 * earliest and the latest matching part; a session that spans buckets adds one where it begins and takes one away
 * behind its end, and the running total is what each bucket holds.
 */
#include <errno.h>
#include <stdlib.h>

#include "store/search_keys.h"

#define BUCKETS_MAX 1048576u

struct timing {
    struct search *s;
    const struct timeline_request *q;
    uint64_t first;   /* number of the first bucket */
    uint64_t buckets; /* in each array */
    size_t size;      /* words of a bucket: sessions, sums */
    bool spanning;
    double per_interval; /* 1 / interval */
    struct thread_time {
        uint64_t *buckets, claimed;
        uint64_t totals[GROUP_SUMS_MAX]; /* of what is in no bucket */
        bool outside;
    } threads[SEARCH_THREADS_MAX];
};

struct time_part {
    struct timing *t;
    struct worker *w;
    struct thread_time *to;
    struct key_source time, begin, end; /* begin, end: of spanning sessions */
    struct sum_source sums[GROUP_SUMS_MAX];
    size_t sums_bound, times_bound;
};

/* A division by the same number, done as a multiplication and put right. */
static inline uint64_t divide(const struct timing *t, uint64_t time) {
    uint64_t interval = t->q->interval_ms, bucket = (uint64_t)((double)time * t->per_interval);
    if (time >> 53) {
        return time / interval;
    }
    bucket -= bucket * interval > time;
    return bucket + (time - bucket * interval >= interval);
}

static inline bool bucket_of(const struct timing *t, uint64_t time, uint64_t *ret) {
    uint64_t bucket = divide(t, time);
    *ret = bucket - t->first;
    return bucket >= t->first && *ret < t->buckets;
}

/* The number of a row of a time source; false when it has none. */
static int time_of(struct time_part *p, struct key_source *k, uint32_t row, uint64_t *ret) {
    const uint64_t *words;
    size_t count;
    int code = key_words(p->w, k, row, &words, &count);
    *ret = code == 0 && count ? words[0] : 0;
    return code < 0 ? code : count > 0;
}

/* `sums`: those of a bucket, or the totals. */
static inline void add_sums(struct time_part *p, uint32_t row, uint64_t *sums) {
    for (size_t i = 0; i < p->sums_bound; i++) {
        sums[i] = add_safely(sums[i], p->sums[i].values[row]);
    }
}

/* Adds one to the buckets from the session's first to its last time. */
static int add_span(struct time_part *p, uint32_t row) {
    const struct timing *t = p->t;
    uint64_t begin, end, from, to;
    int has_begin = time_of(p, &p->begin, row, &begin), has_end = time_of(p, &p->end, row, &end);
    if (has_begin < 0 || has_end < 0) {
        return MIN(has_begin, has_end);
    }
    if (!has_begin || !has_end) {
        return 0;
    }
    if (begin > end) {
        uint64_t swap = begin;
        begin = end;
        end = swap;
    }
    bool begins = bucket_of(t, begin, &from), ends = bucket_of(t, end, &to);
    p->to->outside |= !begins || !ends;
    if (end / t->q->interval_ms < t->first || begin / t->q->interval_ms >= t->first + t->buckets) {
        return 0;
    }
    from = begins ? from : 0;
    p->to->buckets[from * t->size]++;
    if (ends) {
        p->to->buckets[(to + 1) * t->size]--; /* there is one bucket more */
    }
    return 0;
}

static int time_rows(struct time_part *p, const uint64_t *mask) {
    const struct timing *t = p->t;
    MAP_EACH(mask, row) {
        uint64_t time, at;
        int code = time_of(p, &p->time, (uint32_t)row, &time);
        uint64_t *bucket = NULL;
        if (code > 0 && bucket_of(t, time, &at)) {
            bucket = p->to->buckets + at * t->size;
            bucket[0] += !t->spanning;
        } else if (code > 0) {
            p->to->outside = true;
        }
        add_sums(p, (uint32_t)row, bucket ? bucket + 1 : p->to->totals);
        code = code < 0 || !t->spanning ? MIN(code, 0) : add_span(p, (uint32_t)row);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

/* A bucket that the last rows fell in, so that the next ones need no division. */
struct last_bucket {
    uint64_t start;  /* ms */
    uint64_t *cells; /* NULL: none yet */
};

/* The bucket of a time; NULL: there is none. */
static inline uint64_t *find_bucket(struct time_part *p, struct last_bucket *last, uint64_t time) {
    const struct timing *t = p->t;
    uint64_t at;
    if (last->cells && time - last->start < t->q->interval_ms) {
        return last->cells;
    }
    if (!bucket_of(t, time, &at)) {
        return NULL;
    }
    *last = (struct last_bucket){(t->first + at) * t->q->interval_ms, p->to->buckets + at * t->size};
    return last->cells;
}

#define WORD_ROWS 64u

/* The bucket that 64 rows have in common, NULL: they have none. */
static uint64_t *common_bucket(struct time_part *p, struct last_bucket *last, const uint64_t *times) {
    uint64_t *cells = find_bucket(p, last, times[0]), interval = p->t->q->interval_ms, start = last->start;
    if (!cells || times[WORD_ROWS - 1] - start >= interval) {
        return NULL; /* mostly this tells */
    }
    bool other = false;
    for (size_t i = 0; i < WORD_ROWS; i++) {
        other |= times[i] - start >= interval;
    }
    return other ? NULL : cells;
}

/* Sums of the rows of a word; each number is below 2^58 unless `ret_large`, so that 64 of them cannot be too much. */
static uint64_t sum_word(const uint64_t *values, uint64_t word, bool *ret_large) {
    uint64_t sum = 0, all = 0;
    if (word == UINT64_MAX) {
        for (size_t i = 0; i < WORD_ROWS; i++) {
            sum += values[i];
            all |= values[i];
        }
    } else {
        for (; word; word &= word - 1) {
            uint64_t value = values[__builtin_ctzll(word)];
            sum += value;
            all |= value;
        }
    }
    *ret_large = all >> 58;
    return sum;
}

static void add_word(struct time_part *p, uint32_t base, uint64_t word, uint64_t *cells) {
    cells[0] += (uint64_t)__builtin_popcountll(word);
    for (size_t i = 0; i < p->sums_bound; i++) {
        const uint64_t *values = p->sums[i].values + base;
        bool large;
        uint64_t sum = sum_word(values, word, &large);
        if (!large) {
            cells[1 + i] = add_safely(cells[1 + i], sum);
            continue;
        }
        for (uint64_t bits = word; bits; bits &= bits - 1) {
            cells[1 + i] = add_safely(cells[1 + i], values[__builtin_ctzll(bits)]);
        }
    }
}

/* One time a row, and no spans. Sessions lie about in the order of their ends: mostly 64 neighbours share a bucket. */
static void time_flat(struct time_part *p, const uint64_t *mask) {
    const uint64_t *times = p->time.numbers, *present = p->time.present;
    struct last_bucket last = {0};
    for (uint32_t w = 0; w < PART_WORDS; w++) {
        uint32_t base = w * WORD_ROWS;
        uint64_t *cells = mask[w] && present[w] == UINT64_MAX ? common_bucket(p, &last, times + base) : NULL;
        if (cells) {
            add_word(p, base, mask[w], cells);
            continue;
        }
        for (uint64_t bits = mask[w], at; bits; bits &= bits - 1) {
            uint32_t row = base + (uint32_t)__builtin_ctzll(bits);
            bool has = map_has(present, row);
            if (has && bucket_of(p->t, times[row], &at)) { /* a guess at the bucket would mostly be wrong here */
                cells = p->to->buckets + at * p->t->size;
                cells[0]++;
                add_sums(p, row, cells + 1);
            } else {
                p->to->outside |= has;
                add_sums(p, row, p->to->totals);
            }
        }
    }
}

static int time_block(struct time_part *p, uint32_t block, const uint64_t *mask) {
    int code = key_load(p->w, &p->time, block, mask);
    if (code == 0 && p->t->spanning) {
        code = key_load(p->w, &p->begin, block, mask);
        code = code < 0 ? code : key_load(p->w, &p->end, block, mask);
    }
    for (size_t i = 0; code == 0 && i < p->sums_bound; i++) {
        code = sum_load(p->w, &p->sums[i], block, mask);
    }
    if (code == 0 && !p->t->spanning && p->time.kind == KEY_NUMBER) {
        time_flat(p, mask);
        return 0;
    }
    return code < 0 ? code : time_rows(p, mask);
}

/* Patched sums come from restored records. */
static int time_patched(struct time_part *p, const struct patch *patch, uint64_t *mask) {
    const struct search_part *part = &p->w->s->parts[p->w->part];
    const struct part_info *info = part_info(snapshot_part(p->w->s->o.snapshot, p->w->part));
    int code = 0;
    for (size_t i = 0; i < p->sums_bound; i++) {
        p->sums[i].restore = true;
    }
    for (uint32_t block = 0; code == 0 && block < info->blocks; block++) {
        memcpy(mask, part->bits + (size_t)block * PART_WORDS, PART_WORDS * sizeof(*mask));
        block_patched(patch, block, mask, true);
        code = map_any(mask) ? time_block(p, block, mask) : 0;
    }
    return code;
}

static int time_blocks(struct time_part *p, uint64_t *mask) {
    struct search *s = p->w->s;
    const struct search_part *part = &s->parts[p->w->part];
    const struct part_info *info = part_info(snapshot_part(s->o.snapshot, p->w->part));
    const struct patch *patch = snapshot_patch(s->o.snapshot, p->w->part);
    bool matters = false;
    for (size_t i = 0; patch && i < p->sums_bound; i++) {
        matters |= patch_changes(patch, &p->sums[i].field);
    }
    for (uint32_t block = 0; block < info->blocks; block++) {
        memcpy(mask, part->bits + (size_t)block * PART_WORDS, PART_WORDS * sizeof(*mask));
        block_patched(matters ? patch : NULL, block, mask, false);
        int code = search_check(s);
        if (code == 0 && map_any(mask)) {
            code = time_block(p, block, mask);
        }
        if (code < 0) {
            return code;
        }
    }
    return matters ? time_patched(p, patch, mask) : 0;
}

static int bind_times(struct time_part *p, const struct group_key keys[3]) {
    struct key_source *sources[] = {&p->time, &p->begin, &p->end};
    int code = 0;
    for (size_t i = 0; code == 0 && i < (p->t->spanning ? 3 : 1); i++) {
        code = key_bind(p->w, sources[i], &keys[i], NULL, 2 * i);
        p->times_bound++;
    }
    for (; code == 0 && p->sums_bound < p->t->q->sum_count; p->sums_bound++) {
        code = sum_bind(p->w, &p->sums[p->sums_bound], p->t->q->sums[p->sums_bound], 6 + p->sums_bound);
    }
    return code;
}

static const struct field *time_field(const struct search *s, const char *path) {
    return registry_field(s->registry, registry_by_path(s->registry, span_text(path)));
}

static int time_part(struct worker *w, void *ctx, size_t i) {
    struct timing *t = ctx;
    struct time_part *p = worker_alloc(w, sizeof(*p));
    uint64_t *mask = worker_map(w);
    const struct group_key keys[3] = {
        {.kind = GROUP_TIME, .time = t->q->time, .interval_ms = 1},
        {.kind = GROUP_TIME, .time = time_field(w->s, "firstPacket"), .interval_ms = 1},
        {.kind = GROUP_TIME, .time = time_field(w->s, "lastPacket"), .interval_ms = 1},
    };
    (void)i;
    if (!p || !mask) {
        return -ENOMEM;
    }
    memset(p, 0, sizeof(*p));
    p->t = t;
    p->w = w;
    p->to = &t->threads[w->index];
    uint64_t room = (t->buckets + 1) * t->size * sizeof(*p->to->buckets);
    if (!p->to->buckets && !search_claim(w->s, room)) {
        return -E2BIG;
    }
    if (!p->to->buckets) {
        p->to->claimed = room;
        p->to->buckets = calloc(1, room);
    }
    int code = p->to->buckets ? bind_times(p, keys) : -ENOMEM;
    code = code < 0 ? code : time_blocks(p, mask);
    struct key_source *sources[] = {&p->time, &p->begin, &p->end};
    for (size_t k = 0; k < p->times_bound; k++) {
        key_done(w, sources[k]);
    }
    for (size_t k = 0; k < p->sums_bound; k++) {
        sum_done(w, &p->sums[k]);
    }
    worker_unmap(w);
    return code;
}

/* --- the answer --- */

/* The buckets all matching parts can lie in; the newest ones when there are too many. */
static bool set_range(struct timing *t) {
    const struct search *s = t->s;
    uint64_t low = UINT64_MAX, high = 0;
    for (size_t i = 0; i < s->part_count; i++) {
        const struct part_info *info = part_info(snapshot_part(s->o.snapshot, i));
        if (s->parts[i].count) {
            low = MIN(low, MIN(info->first_min, info->last_min));
            high = MAX(high, MAX(info->first_max, info->last_max));
        }
    }
    if (low > high) {
        return false;
    }
    uint64_t last = high / t->q->interval_ms;
    t->first = low / t->q->interval_ms;
    if (s->o.bounded && !t->spanning && s->o.bounding <= BOUND_BOTH) {
        bool first = t->q->time == time_field(s, "firstPacket");
        bool holds = s->o.bounding == BOUND_BOTH || first == (s->o.bounding == BOUND_FIRST);
        uint64_t start = s->o.start_ms < 0 ? 0 : (uint64_t)s->o.start_ms;
        uint64_t stop = s->o.stop_ms < 0 ? 0 : (uint64_t)s->o.stop_ms;
        t->first = holds ? MAX(t->first, start / t->q->interval_ms) : t->first;
        last = holds ? MIN(last, stop / t->q->interval_ms) : last;
    }
    last = MAX(last, t->first);
    t->first = last - t->first >= BUCKETS_MAX ? last - BUCKETS_MAX + 1 : t->first;
    t->buckets = last - t->first + 1;
    return true;
}

/* Adds what the threads have into the first array that there is. */
static uint64_t *put_together(struct timing *t, struct timeline *to) {
    uint64_t *all = NULL;
    for (size_t i = 0; i < SEARCH_THREADS_MAX; i++) {
        struct thread_time *one = &t->threads[i];
        to->truncated |= one->outside;
        for (size_t k = 0; k < t->q->sum_count; k++) {
            to->totals[k] = add_safely(to->totals[k], one->totals[k]);
        }
        if (!all) {
            all = one->buckets;
            continue;
        }
        for (uint64_t k = 0; one->buckets && k < (t->buckets + 1) * t->size; k++) {
            /* Sessions of spans are differences: they wrap, and come back in the running total. */
            all[k] = k % t->size ? add_safely(all[k], one->buckets[k]) : all[k] + one->buckets[k];
        }
    }
    return all;
}

static bool bucket_is_used(const struct timing *t, const uint64_t *bucket) {
    for (size_t k = 0; k < t->size; k++) {
        if (bucket[k]) {
            return true;
        }
    }
    return false;
}

static int make_buckets(struct timing *t, struct timeline *to) {
    uint64_t *all = put_together(t, to), running = 0;
    size_t count = 0;
    for (uint64_t i = 0; all && i < t->buckets; i++) {
        running += all[i * t->size];
        all[i * t->size] = t->spanning ? running : all[i * t->size];
        count += bucket_is_used(t, all + i * t->size);
    }
    to->buckets = calloc(count + 1, sizeof(*to->buckets));
    if (!to->buckets) {
        return -ENOMEM;
    }
    for (uint64_t i = 0; all && i < t->buckets; i++) {
        const uint64_t *from = all + i * t->size;
        if (bucket_is_used(t, from)) {
            struct timeline_bucket *b = &to->buckets[to->count++];
            b->start_ms = (int64_t)((t->first + i) * t->q->interval_ms);
            b->sessions = from[0];
            for (size_t k = 0; k < t->q->sum_count; k++) {
                b->sums[k] = from[1 + k];
                to->totals[k] = add_safely(to->totals[k], from[1 + k]);
            }
        }
    }
    return 0;
}

int search_timeline(struct search *s, const struct timeline_request *request, struct timeline **ret_timeline) {
    *ret_timeline = NULL;
    if (request->interval_ms == 0 || request->sum_count > GROUP_SUMS_MAX || !request->time) {
        return -EINVAL;
    }
    struct timeline *to = calloc(1, sizeof(*to));
    struct timing *t = calloc(1, sizeof(*t));
    int code = to && t ? 0 : -ENOMEM;
    if (code == 0) {
        *t = (struct timing){.s = s,
                             .q = request,
                             .size = 1 + request->sum_count,
                             .spanning = request->spanning,
                             .per_interval = 1 / (double)request->interval_ms};
        if (set_range(t)) {
            struct part_job job = {.fn = time_part, .ctx = t, .matching = true};
            code = search_run_parts(s, &job, NULL);
        }
        code = code < 0 ? code : make_buckets(t, to);
    }
    for (size_t i = 0; t && i < SEARCH_THREADS_MAX; i++) {
        search_release(s, t->threads[i].claimed);
        free(t->threads[i].buckets);
    }
    free(t);
    if (code < 0) {
        to = timeline_free(to);
    }
    *ret_timeline = to;
    return code;
}

struct timeline *timeline_free(struct timeline *t) {
    if (t) {
        free(t->buckets);
        free(t);
    }
    return NULL;
}
