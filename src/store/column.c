/* column.c: see column.h. */
#include "store/column.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"

/* --- distinct values --- */

void intern_init(struct intern *t, const struct hash_key *key) {
    *t = (struct intern){.key = *key};
}

void intern_done(struct intern *t) {
    free(t->bytes);
    free(t->ends);
    free(t->slots);
    *t = (struct intern){.key = t->key};
}

void intern_clear(struct intern *t) {
    t->used = 0;
    t->count = 0;
    if (t->slots) {
        memset(t->slots, 0, t->slot_count * sizeof(*t->slots));
    }
}

/* Grows an array to at least `want` elements; the old one stays on failure. */
static void *grow_array(void *array, uint32_t *cap, uint64_t want, size_t size) {
    if (want <= *cap) {
        return array;
    }
    uint64_t bigger = MAX((uint64_t)*cap * 2, MAX(want, (uint64_t)64));
    bigger = MIN(bigger, (uint64_t)UINT32_MAX - 1);
    void *made = want < UINT32_MAX ? realloc(array, (size_t)bigger * size) : NULL;
    if (made) {
        *cap = (uint32_t)bigger;
    }
    return made;
}

static void place(struct intern *t, struct intern_slot slot) {
    uint32_t at = slot.hash & (t->slot_count - 1);
    while (t->slots[at].number) {
        at = (at + 1) & (t->slot_count - 1);
    }
    t->slots[at] = slot;
}

static bool more_slots(struct intern *t) {
    uint32_t before = t->slot_count, bigger = before ? before * 2 : 64;
    struct intern_slot *old = t->slots, *slots = bigger ? calloc(bigger, sizeof(*slots)) : NULL;
    if (!slots) {
        return false;
    }
    t->slots = slots;
    t->slot_count = bigger;
    for (uint32_t i = 0; i < before; i++) {
        if (old[i].number) {
            place(t, old[i]);
        }
    }
    free(old);
    return true;
}

static bool make_room(struct intern *t, size_t len) {
    uint8_t *bytes = grow_array(t->bytes, &t->cap, (uint64_t)t->used + MAX(len, (size_t)1), 1);
    if (!bytes) {
        return false;
    }
    t->bytes = bytes;
    uint32_t *ends = grow_array(t->ends, &t->count_cap, (uint64_t)t->count + 1, sizeof(*ends));
    t->ends = ends ? ends : t->ends;
    return ends != NULL;
}

static uint32_t add_hashed(struct intern *t, struct span bytes, uint32_t hash) {
    if (t->count * (uint64_t)3 >= t->slot_count * (uint64_t)2 && !more_slots(t)) {
        return INTERN_FAILED;
    }
    for (uint32_t at = hash & (t->slot_count - 1); t->slots[at].number; at = (at + 1) & (t->slot_count - 1)) {
        const struct intern_slot *slot = &t->slots[at];
        if (slot->hash == hash && span_equal(intern_at(t, slot->number - 1), bytes)) {
            return slot->number - 1;
        }
    }
    if (!make_room(t, bytes.len)) {
        return INTERN_FAILED;
    }
    (void)span_copy_to(bytes, t->bytes + t->used);
    t->used += (uint32_t)bytes.len;
    t->ends[t->count] = t->used;
    place(t, (struct intern_slot){t->count + 1, hash});
    return t->count++;
}

uint32_t intern_add(struct intern *t, struct span bytes) {
    return add_hashed(t, bytes, (uint32_t)siphash13(&t->key, bytes.at, bytes.len));
}

/* Sorting compares the first eight bytes as a number; the rest is looked at only where they are equal. */
struct sort_key {
    uint64_t head;
    uint32_t number;
};

static uint64_t head_of(struct span s) {
    uint8_t bytes[8] = {0};
    memcpy(bytes, s.at, MIN(s.len, sizeof(bytes)));
    return read_be64(bytes);
}

static int compare_keys(const void *a, const void *b, void *ctx) {
    const struct sort_key *x = a, *y = b;
    if (x->head != y->head) {
        return x->head < y->head ? -1 : 1;
    }
    const struct intern *t = ctx;
    struct span left = intern_at(t, x->number), right = intern_at(t, y->number);
    int order = memcmp(left.at, right.at, MIN(left.len, right.len));
    return order ? order : (left.len > right.len) - (left.len < right.len);
}

int intern_sort(const struct intern *t, uint32_t *ret_sorted, uint32_t *ret_place) {
    struct sort_key *keys = malloc(MAX(t->count, 1u) * sizeof(*keys));
    if (!keys) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < t->count; i++) {
        keys[i] = (struct sort_key){head_of(intern_at(t, i)), i};
    }
    qsort_r(keys, t->count, sizeof(*keys), compare_keys, (void *)(uintptr_t)t);
    for (uint32_t i = 0; i < t->count; i++) {
        ret_sorted[i] = keys[i].number;
        ret_place[keys[i].number] = i;
    }
    free(keys);
    return 0;
}

/* --- columns --- */

void column_build_init(struct column_build *b, uint32_t id, enum field_type type, const struct hash_key *key) {
    *b = (struct column_build){.id = id, .type = type};
    intern_init(&b->dictionary, key);
}

void column_build_done(struct column_build *b) {
    intern_done(&b->dictionary);
    free(b->rows);
    free(b->ends);
    free(b->numbers);
    free(b->waiting);
    *b = (struct column_build){.id = b->id, .type = b->type, .dictionary = b->dictionary};
}

void column_build_clear(struct column_build *b) {
    intern_clear(&b->dictionary);
    b->present = b->values = 0;
    b->waiting_used = b->waiting_count = 0;
    free(b->ends);
    b->ends = NULL;
    b->failed = 0;
}

/* From the first row with another number of values than one on each row says where its values end. */
static bool begin_ends(struct column_build *b) {
    b->ends = malloc(b->rows_cap * sizeof(*b->ends));
    for (uint32_t i = 0; b->ends && i < b->present; i++) {
        b->ends[i] = i + 1;
    }
    return b->ends != NULL;
}

static bool more_rows(struct column_build *b) {
    uint32_t cap = b->rows_cap;
    uint32_t *rows = grow_array(b->rows, &cap, (uint64_t)b->present + 1, sizeof(*rows));
    if (!rows) {
        return false;
    }
    b->rows = rows;
    uint32_t *ends = b->ends ? realloc(b->ends, cap * sizeof(*ends)) : NULL;
    if (b->ends && !ends) {
        return false;
    }
    b->ends = ends;
    b->rows_cap = cap;
    return true;
}

bool column_build_row(struct column_build *b, uint32_t row, uint32_t count) {
    size_t size = type_is_number(b->type) ? sizeof(*b->numbers) : sizeof(*b->codes);
    void *values = grow_array(b->numbers, &b->values_cap, (uint64_t)b->values + count, size);
    if (!values) {
        b->failed = -ENOMEM;
        return false;
    }
    b->numbers = values;
    if ((b->present == b->rows_cap && !more_rows(b)) || (count != 1 && !b->ends && !begin_ends(b))) {
        b->failed = -ENOMEM;
        return false;
    }
    b->rows[b->present] = row;
    if (b->ends) {
        b->ends[b->present] = b->values + count;
    }
    b->present++;
    return true;
}

bool column_build_more(struct column_build *b) {
    size_t size = type_is_number(b->type) ? sizeof(*b->numbers) : sizeof(*b->codes);
    void *values = grow_array(b->numbers, &b->values_cap, (uint64_t)b->values + 1, size);
    if (!values) {
        b->failed = -ENOMEM;
        return false;
    }
    b->numbers = values;
    if (!b->ends && !begin_ends(b)) {
        b->failed = -ENOMEM;
        return false;
    }
    b->ends[b->present - 1] = b->values + 1;
    return true;
}

#define WAITING_MAX 32768u
#define AHEAD 16u /* hashes made, and their slots fetched, before the first of them is looked up */

static void put_code(struct column_build *b, uint32_t at, uint32_t code) {
    if (code == INTERN_FAILED) {
        b->failed = -ENOMEM;
        code = 0;
    }
    b->codes[at] = code;
}

void column_build_settle(struct column_build *b) {
    uint32_t to = b->values - b->waiting_count;
    const uint8_t *at = b->waiting;
    while (b->waiting_count) {
        struct span values[AHEAD];
        uint32_t hashes[AHEAD], n = MIN(AHEAD, b->waiting_count);
        for (uint32_t i = 0; i < n; i++) {
            uint32_t len;
            memcpy(&len, at, sizeof(len));
            values[i] = span_make(at + sizeof(len), len);
            at += sizeof(len) + len;
            hashes[i] = (uint32_t)siphash13(&b->dictionary.key, values[i].at, len);
            if (b->dictionary.slots) {
                __builtin_prefetch(&b->dictionary.slots[hashes[i] & (b->dictionary.slot_count - 1)]);
            }
        }
        for (uint32_t i = 0; i < n; i++) {
            put_code(b, to++, add_hashed(&b->dictionary, values[i], hashes[i]));
        }
        b->waiting_count -= n;
    }
    b->waiting_used = 0;
}

void column_build_bytes(struct column_build *b, struct span bytes) {
    uint32_t need = (uint32_t)(sizeof(uint32_t) + MIN(bytes.len, (size_t)UINT32_MAX / 2));
    if (b->waiting_used + (uint64_t)need > WAITING_MAX) {
        column_build_settle(b);
    }
    if (!b->waiting) {
        b->waiting = malloc(WAITING_MAX);
    }
    if (need > WAITING_MAX || !b->waiting) { /* nothing waits: the order of codes holds */
        put_code(b, b->values++, intern_add(&b->dictionary, bytes));
        return;
    }
    uint32_t len = (uint32_t)bytes.len;
    memcpy(b->waiting + b->waiting_used, &len, sizeof(len));
    (void)span_copy_to(bytes, b->waiting + b->waiting_used + sizeof(len));
    b->waiting_used += need;
    b->waiting_count++;
    b->values++;
}
