/* search_beacons.c: how regularly a source speaks with a destination's port. Two passes: sessions are counted per key,
 * then the beginnings are collected of those keys only that have enough of them, and sorted.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "store/search_keys.h"

#define MIN_COUNT 4u
#define FEW_TIMES 32u

enum { KEY_SOURCE, KEY_DESTINATION, KEY_PORT, KEYS };

/* A key in the table: both addresses in one word, and the port. */
enum { WORD_PAIR, WORD_PORT, WORDS };

#define NOT_COLLECTED UINT64_MAX
#define ADDRESS_BITS 32

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
    struct table table; /* counts; in the second pass the place among `kept` */
    struct table_feed *feeds[SEARCH_THREADS_MAX];
    uint64_t *(*by_code)[2]; /* per part: words of both addresses, for the second pass */
    struct kept *kept;
    uint64_t *times; /* beginnings, key behind key */
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

/* False: not counted. Without a port: 0. */
static bool put(struct beacon_part *p, uint64_t source, uint64_t destination, uint64_t port, uint64_t **ret) {
    if ((source | destination) >> ADDRESS_BITS) { /* refused, or more than there can be */
        atomic_store_explicit(&p->b->refused, true, memory_order_relaxed);
        return false;
    }
    const uint64_t key[WORDS] = {source << ADDRESS_BITS | destination, port};
    *ret = table_put(p->feed, key);
    return true;
}

static int beacon_row(struct beacon_part *p, uint32_t row) {
    uint64_t words[KEYS + 1] = {0}, *to;
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
    if (put(p, words[KEY_SOURCE], words[KEY_DESTINATION], words[KEY_PORT], &to)) {
        to[0] = p->b->collecting ? words[KEYS] : 1;
        to[1] = p->b->collecting ? p->bytes.values[row] : 0;
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

/* Rows that have one word a key at most, column by column. */
static int beacon_flat(struct beacon_part *p, const uint64_t *mask) {
    const uint64_t *words[KEYS + 1] = {NULL};
    for (size_t i = 0; i < (p->b->collecting ? KEYS + 1 : KEYS); i++) {
        int code = key_flat(p->w, &p->keys[i], mask, &words[i]);
        if (code < 0) {
            return code;
        }
    }
    const uint64_t *source = p->keys[KEY_SOURCE].present, *destination = p->keys[KEY_DESTINATION].present;
    MAP_EACH(mask, row) {
        uint64_t *to, port = map_has(p->keys[KEY_PORT].present, (uint32_t)row) ? words[KEY_PORT][row] : 0;
        if (map_has(source, (uint32_t)row) && map_has(destination, (uint32_t)row) &&
            put(p, words[KEY_SOURCE][row], words[KEY_DESTINATION][row], port, &to)) {
            to[0] = p->b->collecting ? words[KEYS][row] : 1;
            to[1] = p->b->collecting ? p->bytes.values[row] : 0;
        }
    }
    return 0;
}

static bool is_flat(const struct beacon_part *p) {
    return key_is_flat(&p->keys[KEY_SOURCE]) && key_is_flat(&p->keys[KEY_DESTINATION]) &&
           key_is_flat(&p->keys[KEY_PORT]) && p->keys[KEYS].kind == KEY_NUMBER;
}

static void collect(void *ctx, uint64_t *values, const uint64_t *put) {
    struct beaconing *b = ctx;
    struct kept *k = values[0] == NOT_COLLECTED ? NULL : &b->kept[values[0]];
    if (k && k->next < k->end) { /* damage may be met at another place this time */
        b->times[k->next++] = put[0];
        k->bytes = add_safely(k->bytes, put[1]);
    }
}

static bool claim(struct beaconing *b, uint64_t bytes) {
    bool fits = search_claim(b->s, bytes);
    (void)atomic_fetch_add(&b->claimed, fits ? bytes : 0);
    return fits;
}

/* What codes of addresses mean is found out once for both passes, if there is memory for it. */
static void keep_codes(struct beacon_part *p, size_t key) {
    struct key_source *k = &p->keys[key];
    if (k->kind != KEY_CODE) {
        return;
    }
    uint64_t **kept = &p->b->by_code[p->w->part][key], size = k->reader.info->values * sizeof(**kept);
    if (!*kept && claim(p->b, size)) {
        *kept = malloc(size + 1);
        if (*kept) {
            memcpy(*kept, k->by_code, size);
        }
    }
    k->by_code = *kept ? *kept : k->by_code;
}

static int bind_sources(struct beacon_part *p) {
    int code = 0;
    for (; code == 0 && p->bound < KEYS + 1; p->bound++) {
        const struct group_key *key = p->bound < KEYS ? &p->b->keys[p->bound] : &p->b->time;
        code = key_bind(p->w, &p->keys[p->bound], key, &p->b->words, 2 * p->bound);
    }
    if (code == 0) {
        keep_codes(p, KEY_SOURCE);
        keep_codes(p, KEY_DESTINATION);
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
        b->feeds[w->index] = table_feed_new(&b->table, 2);
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

/* Gives every key with enough sessions its place among the times. */
static int make_room(struct beaconing *b) {
    uint64_t times = 0, keys = 0;
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        const struct table_part *p = &b->table.parts[i];
        for (uint32_t k = 0; k < p->count; k++) {
            uint64_t count = p->rows[k * b->table.stride + WORDS];
            keys += count >= b->min_count;
            times += count >= b->min_count ? count : 0;
        }
    }
    if (!claim(b, times * sizeof(*b->times) + keys * sizeof(*b->kept))) {
        return -E2BIG;
    }
    b->times = malloc((times + 1) * sizeof(*b->times));
    b->kept = malloc((keys + 1) * sizeof(*b->kept));
    if (!b->times || !b->kept) {
        return -ENOMEM;
    }
    times = keys = 0;
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        const struct table_part *p = &b->table.parts[i];
        for (uint32_t k = 0; k < p->count; k++) {
            uint64_t *value = &p->rows[k * b->table.stride + WORDS], count = *value;
            *value = count >= b->min_count ? keys : NOT_COLLECTED;
            if (count >= b->min_count) {
                b->kept[keys++] = (struct kept){times, times, times + count, 0};
                times += count;
            }
        }
    }
    return 0;
}

/* --- intervals --- */

static int compare_times(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void sort_times(uint64_t *times, uint64_t count) {
    if (count > FEW_TIMES) {
        uint64_t i = 1;
        while (i < count && times[i - 1] <= times[i]) {
            i++;
        }
        if (i < count) {
            qsort(times, count, sizeof(*times), compare_times);
        }
        return;
    }
    for (uint64_t i = 1; i < count; i++) {
        uint64_t time = times[i], at = i;
        for (; at > 0 && times[at - 1] > time; at--) {
            times[at] = times[at - 1];
        }
        times[at] = time;
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
        const struct table_part *p = &b->table.parts[i];
        int code = search_check(b->s);
        for (uint32_t k = 0; code == 0 && k < p->count; k++) {
            const uint64_t *key = p->rows + k * b->table.stride;
            if (key[WORDS] == NOT_COLLECTED) {
                continue;
            }
            const struct kept *kept = &b->kept[key[WORDS]];
            struct beacon one = {.count = kept->next - kept->begin, .bytes = kept->bytes};
            if (!measure(b, b->times + kept->begin, one.count, &one)) {
                continue;
            }
            memcpy(one.ip[0], words_at(&b->words, key[WORD_PAIR] >> ADDRESS_BITS).at, 16);
            memcpy(one.ip[1], words_at(&b->words, key[WORD_PAIR] & UINT32_MAX).at, 16);
            one.port = (uint16_t)key[WORD_PORT];
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
    b->by_code = calloc(b->s->part_count + 1, sizeof(*b->by_code));
    int code = b->by_code ? set_keys(b) : -ENOMEM;
    code = code < 0 ? code : words_init(&b->words, b->s, 0);
    code = code < 0 ? code : table_init(&b->table, b->s, WORDS, 0);
    code = code < 0 ? code : run_pass(b);
    code = code < 0 ? code : make_room(b);
    b->collecting = true;
    code = code < 0 ? code : run_pass(b);
    code = code < 0 ? code : measure_all(b, to);
    to->truncated = atomic_load(&b->refused);
    for (size_t i = 0; i < TABLE_PARTS; i++) {
        to->truncated |= b->table.parts[i].refused > 0;
    }
    return code;
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
    }
    if (b) {
        table_done(&b->table);
        if (b->words.s) {
            words_done(&b->words);
        }
        for (size_t i = 0; b->by_code && i < s->part_count; i++) {
            free(b->by_code[i][KEY_SOURCE]);
            free(b->by_code[i][KEY_DESTINATION]);
        }
        search_release(s, b->claimed);
        free(b->by_code);
        free(b->kept);
        free(b->times);
        free(b);
    }
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
