/* search_beacons.c: how regularly a source speaks with a destination's port. Two passes: sessions are counted per key,
 * then the beginnings are collected of those keys only that have enough of them, and sorted.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "store/search_keys.h"

#define MIN_COUNT 4u
#define MOVES_MAX 16u /* of a time, on average, before sorting by insertion is given up */

enum { KEY_SOURCE, KEY_DESTINATION, KEY_PORT, KEYS };

/* A key in a table is one word: words of both addresses, and the port. */
#define PORT_SIZE 16u
#define ADDRESS_SIZE 24u
#define KEPT_FIRST 1024u
#define FILTER_LEAST 13u
#define FILTER_MOST 23u

/* A key with enough sessions. */
struct kept {
    uint64_t begin, next, end; /* of its times */
    uint64_t bytes;
};

struct beaconing {
    struct search *s;
    const struct beacon_request *q;
    uint64_t min_count;
    struct group_key keys[KEYS], time;
    const struct field *bytes;
    struct words words;
    struct table counted; /* the first pass: sessions of each key */
    struct table chosen;  /* the second: the place among `kept`, + 1, of keys with enough of them */
    uint64_t *filter;     /* bits by hash: other keys are not in `chosen` */
    unsigned filter_shift;
    struct table_feed *feeds[SEARCH_THREADS_MAX];
    struct kept_codes (*codes)[KEYS]; /* per part, for the second pass */
    struct kept *kept;
    uint64_t kept_count, kept_cap;
    uint64_t *times, time_count; /* beginnings, key behind key */
    _Atomic uint64_t claimed;
    bool collecting; /* the second pass */
    _Atomic bool refused;
};

struct beacon_part {
    struct beaconing *b;
    struct worker *w;
    struct table_feed *feed;
    struct key_source keys[KEYS + 1]; /* the last: the beginning */
    struct sum_source bytes;
    size_t bound;
};

/* --- passes --- */

/* False: refused for want of memory, or more addresses than there can be. */
static inline bool make_key(uint64_t source, uint64_t destination, uint64_t port, uint64_t *ret) {
    *ret = source << (ADDRESS_SIZE + PORT_SIZE) | destination << PORT_SIZE | port;
    return ((source | destination) >> ADDRESS_SIZE | port >> PORT_SIZE) == 0;
}

static void refuse(struct beacon_part *p) {
    atomic_store_explicit(&p->b->refused, true, memory_order_relaxed);
}

static inline void collect_later(struct beacon_part *p, uint64_t key, uint64_t time, uint32_t row) {
    const struct beaconing *b = p->b;
    uint64_t hash = table_hash(&b->chosen, &key), bit = hash >> b->filter_shift;
    if (b->filter[bit / 64] >> (bit % 64) & 1) {
        uint64_t *to = table_put_hashed(p->feed, hash, &key);
        to[0] = time;
        to[1] = p->bytes.values[row];
    }
}

static int beacon_row(struct beacon_part *p, uint32_t row) {
    uint64_t words[KEYS + 1] = {0}, key;
    for (size_t i = 0; i < (p->b->collecting ? KEYS + 1 : KEYS); i++) {
        const uint64_t *list;
        size_t count;
        int code = key_words(p->w, &p->keys[i], row, &list, &count);
        if (code < 0) {
            return code;
        }
        if (count == 0 && i < KEY_PORT) {
            return 0;
        }
        words[i] = count ? list[0] : 0;
    }
    if (!make_key(words[KEY_SOURCE], words[KEY_DESTINATION], words[KEY_PORT], &key)) {
        refuse(p);
    } else if (p->b->collecting) {
        collect_later(p, key, words[KEYS], row);
    } else {
        (void)table_put(p->feed, &key);
    }
    return 0;
}

static int beacon_rows(struct beacon_part *p, const uint64_t *mask) {
    MAP_EACH(mask, row) {
        int code = beacon_row(p, (uint32_t)row);
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

/* Rows of a slice that have one word a key at most, column by column. */
static int beacon_slice(struct beacon_part *p, uint64_t *rows, uint32_t from) {
    const uint64_t *words[KEYS + 1] = {NULL}, *ports = p->keys[KEY_PORT].present;
    uint64_t key;
    bool refused = false;
    for (size_t i = 0; i < (p->b->collecting ? KEYS + 1 : KEYS); i++) {
        int code = key_flat(p->w, &p->keys[i], rows, from, &words[i]);
        if (code < 0) {
            return code;
        }
    }
    for (size_t n = from; n < from + SLICE_WORDS; n++) {
        rows[n] &= p->keys[KEY_SOURCE].present[n] & p->keys[KEY_DESTINATION].present[n];
    }
    const uint64_t *source = words[KEY_SOURCE], *destination = words[KEY_DESTINATION], *port = words[KEY_PORT];
    SLICE_EACH(rows, from, row, i) {
        if (!make_key(source[i], destination[i], map_has(ports, (uint32_t)row) ? port[i] : 0, &key)) {
            refused = true;
        } else if (p->b->collecting) {
            collect_later(p, key, words[KEYS][i], (uint32_t)row);
        } else {
            (void)table_put(p->feed, &key);
        }
    }
    if (refused) {
        refuse(p);
    }
    return 0;
}

static int beacon_flat(struct beacon_part *p, const uint64_t *mask) {
    uint64_t rows[PART_WORDS];
    int code = 0;
    memcpy(rows, mask, sizeof(rows));
    for (uint32_t from = 0; code == 0 && from < PART_WORDS; from += SLICE_WORDS) {
        code = beacon_slice(p, rows, from);
    }
    return code;
}

static bool is_flat(const struct beacon_part *p) {
    return key_is_flat(&p->keys[KEY_SOURCE]) && key_is_flat(&p->keys[KEY_DESTINATION]) &&
           key_is_flat(&p->keys[KEY_PORT]) && p->keys[KEYS].kind == KEY_NUMBER;
}

static void collect(void *ctx, uint64_t *values, const uint64_t *put) {
    struct beaconing *b = ctx;
    struct kept *k = &b->kept[values[0] - 1];
    if (k->next < k->end) { /* damage may be met at another place this time */
        b->times[k->next++] = put[0];
        k->bytes = add_safely(k->bytes, put[1]);
    }
}

static bool claim(struct beaconing *b, uint64_t bytes) {
    bool fits = search_claim(b->s, bytes);
    (void)atomic_fetch_add(&b->claimed, fits ? bytes : 0);
    return fits;
}

static int bind_sources(struct beacon_part *p) {
    int code = 0;
    for (; code == 0 && p->bound < KEYS + 1; p->bound++) {
        const struct group_key *key = p->bound < KEYS ? &p->b->keys[p->bound] : &p->b->time;
        p->keys[p->bound].kept = p->bound < KEYS ? &p->b->codes[p->w->part][p->bound] : NULL;
        code = key_bind(p->w, &p->keys[p->bound], key, &p->b->words, 2 * p->bound);
    }
    return code < 0 ? code : sum_bind(p->w, &p->bytes, p->b->bytes, 2 * (KEYS + 1));
}

static int beacon_blocks(struct beacon_part *p) {
    const struct search_part *part = &p->w->s->parts[p->w->part];
    const struct part_info *info = part_info(snapshot_part(p->w->s->o.snapshot, p->w->part));
    for (uint32_t block = 0; block < info->blocks; block++) {
        const uint64_t *mask = part->bits + (size_t)block * PART_WORDS;
        int code = search_check(p->w->s);
        if (code == 0 && !map_any(mask)) {
            continue;
        }
        for (size_t i = 0; code == 0 && i < (p->b->collecting ? KEYS + 1 : KEYS); i++) {
            code = key_load(p->w, &p->keys[i], block, mask);
        }
        if (code == 0 && p->b->collecting) {
            code = sum_load(p->w, &p->bytes, block, mask);
        }
        if (code == 0) {
            code = is_flat(p) ? beacon_flat(p, mask) : beacon_rows(p, mask);
        }
        if (code < 0) {
            return code;
        }
    }
    return 0;
}

static int beacon_part(struct worker *w, void *ctx, size_t i) {
    struct beaconing *b = ctx;
    struct beacon_part *p = worker_alloc(w, sizeof(*p));
    (void)i;
    if (!b->feeds[w->index]) {
        b->feeds[w->index] = b->collecting ? table_feed_new(&b->chosen, 2) : table_feed_new(&b->counted, 0);
    }
    if (!p || !b->feeds[w->index]) {
        return -ENOMEM;
    }
    memset(p, 0, sizeof(*p));
    p->b = b;
    p->w = w;
    p->feed = b->feeds[w->index];
    p->feed->visit = b->collecting ? collect : NULL;
    p->feed->ctx = b;
    int code = bind_sources(p);
    code = code < 0 ? code : beacon_blocks(p);
    for (size_t k = 0; k < p->bound; k++) {
        key_done(w, &p->keys[k]);
    }
    sum_done(w, &p->bytes);
    return code;
}

static int run_pass(struct beaconing *b) {
    struct part_job job = {.fn = beacon_part, .ctx = b, .matching = true};
    int code = search_run_parts(b->s, &job, NULL);
    for (size_t i = 0; i < SEARCH_THREADS_MAX; i++) {
        b->feeds[i] = table_feed_free(b->feeds[i]);
    }
    return code;
}

/* A map of bits with at least eight for each key, so that few others pass. */
static int make_filter(struct beaconing *b) {
    unsigned bits = FILTER_LEAST;
    while (bits < FILTER_MOST && (uint64_t)1 << bits < 8 * b->kept_count) {
        bits++;
    }
    b->filter_shift = 64 - bits;
    b->filter = calloc(((uint64_t)1 << bits) / 64, sizeof(*b->filter));
    return b->filter ? 0 : -ENOMEM;
}

static int one_more_kept(struct beaconing *b) {
    if (b->kept_count < b->kept_cap) {
        return 0;
    }
    uint64_t cap = b->kept_cap ? 2 * b->kept_cap : KEPT_FIRST;
    if (!claim(b, (cap - b->kept_cap) * sizeof(*b->kept))) {
        return -E2BIG;
    }
    struct kept *more = realloc(b->kept, cap * sizeof(*more));
    if (!more) {
        return -ENOMEM;
    }
    b->kept = more;
    b->kept_cap = cap;
    return 0;
}

/* Gives every counted key with enough sessions its place among the times. */
static int keep_keys(struct beaconing *b) {
    struct table_feed *feed = table_feed_new(&b->chosen, 1);
    int code = feed ? 0 : -ENOMEM;
    for (size_t i = 0; code == 0 && i < TABLE_PARTS; i++) {
        const uint64_t *row = NULL;
        while (code == 0 && (row = table_next(&b->counted, i, row))) {
            code = row[1] < b->min_count ? 0 : one_more_kept(b);
            if (code < 0 || row[1] < b->min_count) {
                continue;
            }
            b->kept[b->kept_count++] = (struct kept){b->time_count, b->time_count, b->time_count + row[1], 0};
            *table_put(feed, row) = b->kept_count;
            b->time_count += row[1];
        }
    }
    (void)table_feed_free(feed);
    return code == 0 && table_refused(&b->chosen) ? -E2BIG : code;
}

/* The first pass; when there is no room to count all keys, a share of them at a time, by hash. */
static int count_keys(struct beaconing *b) {
    for (size_t passes = 1;; passes *= TABLE_PASSES_STEP) {
        bool last = passes * TABLE_PASSES_STEP > TABLE_PARTS, refused = false;
        int code = 0;
        b->kept_count = b->time_count = 0;
        table_restrict(&b->chosen, 0, TABLE_PARTS);
        for (size_t pass = 0; code == 0 && pass < passes && (last || !refused); pass++) {
            table_restrict(&b->counted, pass * (TABLE_PARTS / passes), TABLE_PARTS / passes);
            code = run_pass(b);
            refused |= table_refused(&b->counted) > 0;
            code = code == 0 && (last || !refused) ? keep_keys(b) : code;
            if (code == -E2BIG && !last) { /* there may be room beside a smaller share */
                refused = true;
                code = 0;
            }
        }
        if (code < 0 || last || !refused) {
            b->refused |= refused;
            table_done(&b->counted);
            return code;
        }
    }
}

/* The second pass needs room for the times of keys with enough sessions; the others are forgotten by now. */
static int make_room(struct beaconing *b) {
    if (!claim(b, b->time_count * sizeof(*b->times))) {
        return -E2BIG;
    }
    b->times = malloc((b->time_count + 1) * sizeof(*b->times));
    int code = b->times ? make_filter(b) : -ENOMEM;
    for (size_t i = 0; code == 0 && i < TABLE_PARTS; i++) {
        const uint64_t *row = NULL;
        while ((row = table_next(&b->chosen, i, row))) {
            uint64_t bit = table_hash(&b->chosen, row) >> b->filter_shift;
            b->filter[bit / 64] |= (uint64_t)1 << (bit % 64);
        }
    }
    return code;
}

/* --- intervals --- */

static int compare_times(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* They come nearly sorted. */
static void sort_times(uint64_t *times, uint64_t count) {
    uint64_t moves = MOVES_MAX * count;
    for (uint64_t i = 1; i < count; i++) {
        uint64_t time = times[i], at = i;
        for (; at > 0 && times[at - 1] > time && moves; at--, moves--) {
            times[at] = times[at - 1];
        }
        times[at] = time;
        if (moves == 0) {
            qsort(times, count, sizeof(*times), compare_times);
            return;
        }
    }
}

/* Sessions that all begin at once are no beacon. */
static bool measure(const struct beaconing *b, uint64_t *times, uint64_t count, struct beacon *ret) {
    if (count < 2) {
        return false;
    }
    sort_times(times, count);
    double intervals = (double)(count - 1), squares = 0;
    ret->first_ms = times[0];
    ret->last_ms = times[count - 1];
    ret->mean_ms = (double)(ret->last_ms - ret->first_ms) / intervals;
    for (uint64_t i = 1; i < count; i++) {
        double apart = (double)(times[i] - times[i - 1]) - ret->mean_ms;
        squares += apart * apart;
    }
    ret->deviation_ms = sqrt(squares / intervals);
    ret->jitter = ret->mean_ms > 0 ? ret->deviation_ms / ret->mean_ms : 0;
    return ret->mean_ms > 0 && ret->mean_ms >= (double)b->q->min_mean_ms &&
           (b->q->max_jitter <= 0 || ret->jitter <= b->q->max_jitter);
}

static int compare_beacons(const void *a, const void *b) {
    const struct beacon *x = a, *y = b;
    if (x->jitter < y->jitter || x->jitter > y->jitter) {
        return x->jitter < y->jitter ? -1 : 1;
    }
    if (x->count != y->count) {
        return x->count > y->count ? -1 : 1;
    }
    int order = memcmp(x->ip, y->ip, sizeof(x->ip));
    return order ? order : x->port - y->port;
}

static int beacon_add(struct beacons *to, size_t *cap, const struct beacon *one) {
    if (to->count == *cap) {
        size_t bigger = *cap ? 2 * *cap : 64;
        struct beacon *more = realloc(to->list, bigger * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        to->list = more;
        *cap = bigger;
    }
    to->list[to->count++] = *one;
    return 0;
}

static int measure_all(struct beaconing *b, struct beacons *to) {
    size_t cap = 0;
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        const uint64_t *row = NULL;
        int code = search_check(b->s);
        while (code == 0 && (row = table_next(&b->chosen, i, row))) {
            const struct kept *kept = &b->kept[row[1] - 1];
            struct beacon one = {.count = kept->next - kept->begin, .bytes = kept->bytes};
            if (!measure(b, b->times + kept->begin, one.count, &one)) {
                continue;
            }
            uint64_t address = ((uint64_t)1 << ADDRESS_SIZE) - 1;
            memcpy(one.ip[0], words_at(&b->words, row[0] >> (ADDRESS_SIZE + PORT_SIZE)).at, 16);
            memcpy(one.ip[1], words_at(&b->words, row[0] >> PORT_SIZE & address).at, 16);
            one.port = (uint16_t)row[0];
            code = beacon_add(to, &cap, &one);
        }
        if (code < 0) {
            return code;
        }
    }
    if (to->count) {
        qsort(to->list, to->count, sizeof(*to->list), compare_beacons);
    }
    to->total = to->count;
    to->count = b->q->limit ? MIN(to->count, b->q->limit) : to->count;
    return 0;
}

/* --- the answer --- */

static int set_keys(struct beaconing *b) {
    static const char *const paths[KEYS] = {"source.ip", "destination.ip", "destination.port"};
    for (size_t i = 0; i < KEYS; i++) {
        b->keys[i] = (struct group_key){.kind = GROUP_FIELD, .field = {.access = ACCESS_VALUE}};
        b->keys[i].field.field = registry_field(b->s->registry, registry_by_path(b->s->registry, span_text(paths[i])));
        if (!b->keys[i].field.field) {
            return -ENOENT;
        }
    }
    b->time = (struct group_key){.kind = GROUP_TIME, .interval_ms = 1};
    b->time.time = registry_field(b->s->registry, registry_by_path(b->s->registry, SPAN_LITERAL("firstPacket")));
    b->bytes = registry_field(b->s->registry, registry_by_path(b->s->registry, SPAN_LITERAL("network.bytes")));
    return b->time.time && b->bytes ? 0 : -ENOENT;
}

static int find(struct beaconing *b, struct beacons *to) {
    b->codes = calloc(b->s->part_count + 1, sizeof(*b->codes));
    int code = b->codes ? set_keys(b) : -ENOMEM;
    code = code < 0 ? code : words_init(&b->words, b->s, 0);
    code = code < 0 ? code : table_init(&b->counted, b->s, 1, 0);
    code = code < 0 ? code : table_init(&b->chosen, b->s, 1, 0);
    code = code < 0 ? code : count_keys(b);
    code = code < 0 ? code : make_room(b);
    b->collecting = true;
    code = code < 0 ? code : run_pass(b);
    code = code < 0 ? code : measure_all(b, to);
    to->truncated = atomic_load(&b->refused);
    return code;
}

static void beaconing_free(struct beaconing *b) {
    table_done(&b->counted);
    table_done(&b->chosen);
    if (b->words.s) {
        words_done(&b->words);
    }
    for (size_t i = 0; b->codes && i < b->s->part_count; i++) {
        for (size_t k = 0; k < KEYS; k++) {
            kept_codes_done(b->s, &b->codes[i][k]);
        }
    }
    search_release(b->s, b->claimed);
    free(b->codes);
    free(b->kept);
    free(b->times);
    free(b->filter);
    free(b);
}

int search_beacons(struct search *s, const struct beacon_request *request, struct beacons **ret_beacons) {
    struct beacons *to = calloc(1, sizeof(*to));
    struct beaconing *b = calloc(1, sizeof(*b));
    int code = to && b ? 0 : -ENOMEM;
    if (code == 0) {
        b->s = s;
        b->q = request;
        b->min_count = request->min_count ? request->min_count : MIN_COUNT;
        code = find(b, to);
        beaconing_free(TAKE(b));
    }
    free(b);
    *ret_beacons = code < 0 ? beacons_free(to) : to;
    return code;
}

struct beacons *beacons_free(struct beacons *b) {
    if (b) {
        free(b->list);
        free(b);
    }
    return NULL;
}
