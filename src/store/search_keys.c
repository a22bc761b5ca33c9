/* search_keys.c: see search_keys.h. */
#include "store/search_keys.h"

#include <errno.h>
#include <stdlib.h>

#include "query/item.h"
#include "record/values.h"

#define MS_PER_SECOND 1000
#define ROW_WORDS_MAX ((size_t)1 << 30)

bool key_is_bytes(const struct group_key *key) {
    return key->kind == GROUP_WITH_PORT ||
           (key->kind == GROUP_FIELD && key->field.field && query_field_class(&key->field) > CLASS_BOOL);
}

static uint64_t number_word(const struct group_key *key, uint64_t number) {
    if (key->kind == GROUP_TIME && key->interval_ms > 1) {
        return number / key->interval_ms * key->interval_ms;
    }
    return key->field.access == ACCESS_SECONDS ? number / MS_PER_SECOND : number;
}

enum field_type key_type(const struct group_key *key) {
    return key->kind == GROUP_TIME        ? FT_TIME
           : key->kind == GROUP_WITH_PORT ? FT_IP
           : key->field.field && (key->field.access == ACCESS_VALUE || key_is_bytes(key))
               ? (enum field_type)key->field.field->type
               : FT_U64;
}

void key_show(const struct group_key *key, const struct words *words, uint64_t word, struct group_value *ret) {
    *ret = (struct group_value){.type = key_type(key), .port = -1};
    if (key->kind == GROUP_WITH_PORT) {
        ret->bytes = words_at(words, word >> PORT_BITS);
        ret->port = (int32_t)(word & ((1u << PORT_BITS) - 1)) - 1;
    } else if (key_is_bytes(key)) {
        ret->bytes = words_at(words, word);
    } else {
        ret->number = ret->type == FT_I64 ? (uint64_t)number_to_i64(word) : word;
    }
}

static int compare_words(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

bool only_has(const struct only_words *only, uint64_t word) {
    return only->count && bsearch(&word, only->words, only->count, sizeof(word), compare_words);
}

/* --- binding --- */

static int bind_port(struct worker *w, struct key_source *k) {
    struct query_field port = {.field = k->key->field.port, .access = ACCESS_VALUE};
    if (!port.field) {
        return 0;
    }
    reader_bind(&k->port, w->s->registry, snapshot_part(w->s->o.snapshot, w->part), &port);
    if (k->port.kind == READER_NONE) {
        return 0;
    }
    if (!reader_is_number(&k->port)) {
        return key_restore(w, k);
    }
    k->port_present = worker_map(w);
    return k->port_present ? 0 : -ENOMEM;
}

int key_restore(struct worker *w, struct key_source *k) {
    k->kind = KEY_ROWS;
    k->reader.kind = READER_RESTORE;
    k->at = k->at ? k->at : worker_alloc(w, (PART_BLOCK + 1) * sizeof(*k->at));
    return k->at ? 0 : -ENOMEM;
}

static int look_up_all(struct worker *w, struct key_source *k, uint32_t values) {
    struct span *list = worker_alloc(w, values * sizeof(*list) + 1);
    for (uint32_t i = 0; list && i < values; i++) {
        int code = column_value(k->reader.c, &w->use, i, &list[i]);
        if (code < 0) {
            return code;
        }
    }
    struct words_many many = {.values = list, .value_count = values};
    return list ? words_add_many(w, k->words, &many, k->by_code) : -ENOMEM;
}

void kept_codes_done(struct search *s, struct kept_codes *k) {
    search_release(s, k->bytes);
    free(k->by_code);
    *k = (struct kept_codes){0};
}

/* Room for words by code; true in `ret_known`: they were looked up before. */
static uint64_t *code_room(struct worker *w, struct key_source *k, bool *ret_known) {
    uint64_t bytes = k->reader.info->values * sizeof(*k->by_code) + 1;
    *ret_known = k->kept && k->kept->by_code;
    if (*ret_known) {
        return k->kept->by_code;
    }
    if (!k->kept || !search_claim(w->s, bytes)) {
        return worker_alloc(w, bytes);
    }
    *k->kept = (struct kept_codes){malloc(bytes), bytes};
    return k->kept->by_code;
}

static int bind_dictionary(struct worker *w, struct key_source *k) {
    uint32_t values = k->reader.info->values, lists = k->reader.info->lists;
    bool list = k->reader.info->kind == COLUMN_LIST, known;
    k->kind = list ? KEY_LIST : KEY_CODE;
    k->codes = worker_codes(w, k->slot);
    k->by_code = code_room(w, k, &known);
    if (list) {
        k->lists = worker_alloc(w, lists * sizeof(*k->lists) + 1);
    }
    if (!k->codes || !k->by_code || (list && !k->lists)) {
        return -ENOMEM;
    }
    if (list) {
        memset(k->lists, 0, lists * sizeof(*k->lists));
    }
    if (known) {
        return 0;
    }
    for (uint32_t i = 0; i < values; i++) {
        k->by_code[i] = WORD_UNKNOWN;
    }
    /* Where most codes will turn up, all are looked up at once. Words that are counted must be wanted, though. */
    if (!k->numeric && !k->only && !k->words->stride && w->s->parts[w->part].count >= values) {
        return look_up_all(w, k, values);
    }
    return 0;
}

int key_bind(struct worker *w, struct key_source *k, const struct group_key *key, struct words *words, size_t slot) {
    struct query_field field = key->field;
    *k = (struct key_source){.key = key, .words = words, .slot = slot, .kept = k->kept, .only = k->only};
    buf_init(&k->row_words, ROW_WORDS_MAX);
    if (key->kind == GROUP_TIME) {
        field = (struct query_field){.field = key->time, .access = ACCESS_VALUE};
    }
    k->with_port = key->kind == GROUP_WITH_PORT;
    k->numeric = !key_is_bytes(key);
    k->present = worker_map(w);
    if (!k->present) {
        return -ENOMEM;
    }
    reader_bind(&k->reader, w->s->registry, snapshot_part(w->s->o.snapshot, w->part), &field);
    if (k->reader.kind == READER_NONE) {
        k->kind = KEY_NONE;
        return 0;
    }
    bool column = k->reader.kind == READER_COLUMN;
    bool ones = field.access == ACCESS_COUNT && column && k->reader.info->kind == COLUMN_CODE;
    int code = 0;
    if (column && !ones && (k->reader.info->kind == COLUMN_CODE || k->reader.info->kind == COLUMN_LIST)) {
        code = bind_dictionary(w, k);
    } else if (reader_is_number(&k->reader)) {
        k->kind = KEY_NUMBER;
    } else {
        k->kind = KEY_ROWS;
        k->at = worker_alloc(w, (PART_BLOCK + 1) * sizeof(*k->at));
        code = k->at ? 0 : -ENOMEM;
    }
    return code == 0 && k->with_port ? bind_port(w, k) : code;
}

void key_done(struct worker *w, struct key_source *k) {
    for (size_t i = 0; i < (size_t)(k->present != NULL) + (k->port_present != NULL); i++) {
        worker_unmap(w);
    }
    buf_done(&k->row_words);
}

/* --- words of values --- */

int key_code_word(struct worker *w, struct key_source *k, uint32_t code, uint64_t *ret) {
    if (k->by_code[code] == WORD_UNKNOWN) {
        struct span value;
        int failure = column_value(k->reader.c, &w->use, code, &value);
        if (failure < 0) {
            return failure;
        }
        bool find = k->only && !k->numeric; /* what is not there does not count */
        uint64_t word = k->numeric ? number_word(k->key, number_from_bytes(value))
                        : find     ? words_find(k->words, value)
                                   : words_add(k->words, value);
        bool other = k->only && !k->with_port && !only_has(k->only, word);
        k->by_code[code] = other || (find && word == WORD_REFUSED) ? WORD_OTHER : word;
    }
    *ret = k->by_code[code];
    return 0;
}

static size_t keep_different(uint64_t *words, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t same = 0;
        while (same < kept && words[same] != words[i]) {
            same++;
        }
        if (same == kept) {
            words[kept++] = words[i];
        }
    }
    return kept;
}

#define FEW_WORDS 32

/* Equal values count once. */
static size_t drop_equal(uint64_t *words, size_t count) {
    if (count <= FEW_WORDS) {
        return keep_different(words, count);
    }
    size_t kept = 1;
    qsort(words, count, sizeof(*words), compare_words);
    for (size_t i = 1; i < count; i++) {
        if (words[i] != words[kept - 1]) {
            words[kept++] = words[i];
        }
    }
    return kept;
}

static int make_list(struct worker *w, struct key_source *k, uint32_t list) {
    const uint32_t *codes;
    uint32_t count;
    int code = column_list(k->reader.c, &w->use, list, &codes, &count);
    if (code < 0) {
        return code;
    }
    bool counted = k->key->field.access == ACCESS_COUNT;
    uint32_t kept = 0;
    uint64_t *words = worker_alloc(w, (counted ? 1 : (size_t)count) * sizeof(*words) + 1);
    if (!words) {
        return -ENOMEM;
    }
    if (counted) {
        words[0] = count;
        count = count > 0 && (!k->only || only_has(k->only, count));
    }
    for (uint32_t i = 0; i < count && !counted; i++) {
        code = key_code_word(w, k, codes[i], &words[kept]);
        if (code < 0) {
            return code;
        }
        kept += !k->only || words[kept] != WORD_OTHER;
    }
    count = counted ? count : kept;
    k->lists[list] = (struct word_list){words, (uint32_t)drop_equal(words, count)};
    return 0;
}

static uint64_t add_port(const struct key_source *k, uint64_t word, uint32_t row) {
    if (word == WORD_REFUSED) {
        return word;
    }
    bool present = k->port_present && map_has(k->port_present, row);
    return word << PORT_BITS | (present ? k->ports[row] + 1 : 0);
}

/* --- rows read value by value --- */

struct row_reading {
    struct key_source *k;
    uint32_t row; /* the last one seen */
    uint64_t count;
    uint64_t port; /* + 1 */
};

static void put_word(struct key_source *k, uint64_t word) {
    buf_add(&k->row_words, &word, sizeof(word));
}

static bool on_raw(void *ctx, uint32_t row, struct span value) {
    struct row_reading *r = ctx;
    struct key_source *k = r->k;
    row %= PART_BLOCK;
    uint32_t here = (uint32_t)(k->row_words.len / sizeof(uint64_t));
    while (r->row < row) {
        k->at[++r->row] = here;
    }
    if (k->key->field.access == ACCESS_COUNT) {
        if (here > k->at[row]) {
            uint64_t count;
            memcpy(&count, k->row_words.data + k->row_words.len - sizeof(count), sizeof(count));
            count++;
            memcpy(k->row_words.data + k->row_words.len - sizeof(count), &count, sizeof(count));
        } else {
            put_word(k, 1);
        }
        return !k->row_words.overflowed;
    }
    uint64_t word = k->numeric ? number_word(k->key, number_from_bytes(value)) : words_add(k->words, value);
    put_word(k, k->with_port ? add_port(k, word, row) : word);
    return !k->row_words.overflowed;
}

static bool on_restored(void *ctx, const struct field *f, const struct value *v) {
    struct row_reading *r = ctx;
    struct key_source *k = r->k;
    r->count++;
    if (k->key->field.access == ACCESS_COUNT && k->key->kind == GROUP_FIELD) {
        return true;
    }
    if (f->type == FT_OBJECT) {
        return false;
    }
    uint64_t word = k->numeric ? number_word(k->key, number_of_value(v)) : words_add(k->words, v->bytes);
    put_word(k, k->with_port && word != WORD_REFUSED ? word << PORT_BITS | r->port : word);
    return !k->row_words.overflowed;
}

static bool on_port(void *ctx, const struct field *f, const struct value *v) {
    (void)f;
    *(uint64_t *)ctx = (v->u64 & 0xffff) + 1;
    return false;
}

static void read_restored(struct key_source *k, const struct record *r, uint32_t row) {
    const struct field *f = k->key->kind == GROUP_TIME ? k->key->time : k->key->field.field;
    struct row_reading reading = {.k = k, .row = row};
    if (k->with_port && k->key->field.port) {
        record_values(r, k->key->field.port, on_port, &reading.port);
    }
    if (f) {
        record_values(r, f, on_restored, &reading);
    }
    if (k->key->kind == GROUP_FIELD && k->key->field.access == ACCESS_COUNT && reading.count) {
        put_word(k, reading.count);
    }
}

static int load_restored(struct worker *w, struct key_source *k, uint32_t block, const uint64_t *mask) {
    uint32_t at = 0;
    MAP_EACH(mask, row) {
        const struct record *r;
        int code = row % 64 ? 0 : search_check(w->s);
        code = code < 0 ? code : worker_restore(w, w->part, block * PART_BLOCK + (uint32_t)row, &r);
        if (code < 0) {
            return code;
        }
        while (at < row) {
            k->at[++at] = (uint32_t)(k->row_words.len / sizeof(uint64_t));
        }
        read_restored(k, r, (uint32_t)row);
    }
    while (at < PART_BLOCK) {
        k->at[++at] = (uint32_t)(k->row_words.len / sizeof(uint64_t));
    }
    return 0;
}

static int load_rows(struct worker *w, struct key_source *k, uint32_t block, const uint64_t *mask) {
    struct row_reading reading = {.k = k};
    buf_clear(&k->row_words);
    k->at[0] = 0;
    int code;
    if (k->reader.kind == READER_COLUMN) {
        code = column_raw(k->reader.c, block, mask, on_raw, &reading);
        while (reading.row < PART_BLOCK) {
            k->at[++reading.row] = (uint32_t)(k->row_words.len / sizeof(uint64_t));
        }
    } else {
        code = load_restored(w, k, block, mask);
    }
    return k->row_words.overflowed ? -E2BIG : MIN(code, 0);
}

/* --- loading --- */

int key_load(struct worker *w, struct key_source *k, uint32_t block, const uint64_t *mask) {
    int code = 0;
    if (k->port_present && k->reader.kind == READER_COLUMN) {
        code = reader_numbers(w, &k->port, block, k->slot + 1, &k->ports, k->port_present);
    }
    if (code < 0) {
        return code;
    }
    switch (k->kind) {
    case KEY_NUMBER:
        return reader_numbers(w, &k->reader, block, k->slot, &k->numbers, k->present);
    case KEY_CODE:
    case KEY_LIST:
        return MIN(column_codes(k->reader.c, block, k->codes), 0);
    case KEY_ROWS:
        return load_rows(w, k, block, mask);
    default:
        return 0;
    }
}

static size_t keep_only(const struct only_words *only, uint64_t *words, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        words[kept] = words[i];
        kept += only_has(only, words[i]);
    }
    return kept;
}

int key_words(struct worker *w, struct key_source *k, uint32_t row, const uint64_t **ret_words, size_t *ret_count) {
    int code = 0;
    *ret_words = &k->one;
    *ret_count = 0;
    switch (k->kind) {
    case KEY_NUMBER:
        *ret_count = map_has(k->present, row);
        k->one = number_word(k->key, k->numbers[row]);
        *ret_count = *ret_count && k->only ? only_has(k->only, k->one) : *ret_count;
        return 0;
    case KEY_CODE:
        if (k->codes[row] == CODE_NONE) {
            return 0;
        }
        *ret_count = 1;
        code = key_code_word(w, k, k->codes[row], &k->one);
        if (k->only && k->one == WORD_OTHER) {
            *ret_count = 0;
            return code;
        }
        k->one = k->with_port ? add_port(k, k->one, row) : k->one;
        *ret_count = !k->only || !k->with_port || only_has(k->only, k->one);
        return code;
    case KEY_LIST:
        if (k->codes[row] == CODE_NONE) {
            return 0;
        }
        if (!k->lists[k->codes[row]].words) {
            code = make_list(w, k, k->codes[row]);
        }
        if (code < 0) {
            return code;
        }
        *ret_words = k->lists[k->codes[row]].words;
        *ret_count = k->lists[k->codes[row]].count;
        break;
    case KEY_ROWS: {
        uint64_t *words = (uint64_t *)(void *)k->row_words.data + k->at[row];
        *ret_words = words;
        *ret_count = k->at[row + 1] - k->at[row];
        *ret_count = *ret_count > 1 ? drop_equal(words, *ret_count) : *ret_count;
        *ret_count = k->only ? keep_only(k->only, words, *ret_count) : *ret_count;
        return 0;
    }
    default:
        return 0;
    }
    if (k->with_port && *ret_count) {
        buf_clear(&k->row_words);
        for (size_t i = 0; i < *ret_count; i++) {
            put_word(k, add_port(k, (*ret_words)[i], row));
        }
        uint64_t *words = (uint64_t *)(void *)k->row_words.data;
        *ret_words = words;
        *ret_count = k->only && words ? keep_only(k->only, words, *ret_count) : *ret_count;
        return k->row_words.overflowed ? -E2BIG : 0;
    }
    return 0;
}

/* The words of the rows of one word of the mask; gives back which have one. */
static uint64_t flat_word(const struct key_source *k, uint32_t base, uint64_t bits, uint64_t *to, bool *ret_unknown) {
    const uint32_t *codes = k->codes + base;
    uint64_t present = 0;
    bool unknown = false;
    for (; bits; bits &= bits - 1) {
        size_t i = (size_t)__builtin_ctzll(bits);
        if (codes[i] != CODE_NONE) {
            to[i] = k->by_code[codes[i]];
            present |= k->only && to[i] == WORD_OTHER ? 0 : bits & (0 - bits);
            unknown |= to[i] == WORD_UNKNOWN;
        }
    }
    *ret_unknown = unknown;
    return present;
}

static int flat_codes(struct worker *w, struct key_source *k, const uint64_t *mask, uint32_t from, uint64_t *to) {
    for (uint32_t n = from; n < from + SLICE_WORDS; n++, to += 64) {
        bool unknown;
        k->present[n] = flat_word(k, n * 64, mask[n], to, &unknown);
        for (uint64_t bits = unknown || k->with_port ? k->present[n] : 0; bits; bits &= bits - 1) {
            uint32_t i = (uint32_t)__builtin_ctzll(bits), row = n * 64 + i;
            int code = to[i] == WORD_UNKNOWN ? key_code_word(w, k, k->codes[row], &to[i]) : 0;
            if (code < 0) {
                return code;
            }
            bool other = k->only && to[i] == WORD_OTHER;
            to[i] = k->with_port && !other ? add_port(k, to[i], row) : to[i];
            other |= k->only && k->with_port && !only_has(k->only, to[i]);
            k->present[n] &= other ? ~(bits & (0 - bits)) : UINT64_MAX;
        }
    }
    return 0;
}

int key_flat(struct worker *w, struct key_source *k, const uint64_t *mask, uint32_t from, const uint64_t **ret_words) {
    uint64_t *to = worker_numbers(w, k->slot);
    if (!to) {
        return -ENOMEM;
    }
    if (k->kind == KEY_CODE) {
        *ret_words = to;
        return flat_codes(w, k, mask, from, to);
    }
    to += (size_t)from * 64;
    *ret_words = to;
    if ((k->key->kind == GROUP_TIME && k->key->interval_ms > 1) || k->key->field.access == ACCESS_SECONDS) {
        for (size_t n = 0; n < SLICE_WORDS; n++) {
            for (uint64_t bits = mask[from + n]; bits; bits &= bits - 1) {
                uint64_t *at = to + n * 64 + (size_t)__builtin_ctzll(bits);
                *at = number_word(k->key, *at);
            }
        }
    }
    for (size_t n = 0; k->only && n < SLICE_WORDS; n++) {
        for (uint64_t bits = mask[from + n] & k->present[from + n]; bits; bits &= bits - 1) {
            if (!only_has(k->only, to[n * 64 + (size_t)__builtin_ctzll(bits)])) {
                k->present[from + n] &= ~(bits & (0 - bits));
            }
        }
    }
    return 0;
}

/* --- sums --- */

int sum_bind(struct worker *w, struct sum_source *sum, const struct field *f, size_t slot) {
    *sum = (struct sum_source){.field = {.field = f, .access = ACCESS_VALUE}, .slot = slot};
    reader_bind(&sum->reader, w->s->registry, snapshot_part(w->s->o.snapshot, w->part), &sum->field);
    sum->present = worker_map(w);
    sum->values = worker_numbers(w, slot);
    sum->restore = sum->reader.kind != READER_NONE && !reader_is_number(&sum->reader);
    return sum->present && sum->values ? 0 : -ENOMEM;
}

void sum_done(struct worker *w, struct sum_source *sum) {
    if (sum->present) {
        worker_unmap(w);
    }
}

/* A number as it is summed: nothing below 0, whole. */
static uint64_t summand(enum field_type type, uint64_t number) {
    if (type == FT_I64) {
        int64_t n = number_to_i64(number);
        return n > 0 ? (uint64_t)n : 0;
    }
    if (type == FT_FLOAT) {
        double n = number_to_double(number);
        return n >= (double)UINT64_MAX ? UINT64_MAX : n > 0 ? (uint64_t)n : 0;
    }
    return number;
}

static bool on_sum(void *ctx, const struct field *f, const struct value *v) {
    uint64_t *sum = ctx;
    if (f->type <= FT_BOOL) {
        *sum = add_safely(*sum, summand((enum field_type)f->type, number_of_value(v)));
    }
    return true;
}

int sum_load(struct worker *w, struct sum_source *sum, uint32_t block, const uint64_t *mask) {
    const uint64_t *numbers = NULL;
    enum field_type type = (enum field_type)sum->field.field->type;
    if (!sum->restore && sum->reader.kind != READER_NONE) {
        int code = reader_numbers(w, &sum->reader, block, sum->slot, &numbers, sum->present);
        for (size_t i = 0; code == 0 && (type == FT_I64 || type == FT_FLOAT) && i < worker_rows(w, block); i++) {
            sum->values[i] = map_has(sum->present, (uint32_t)i) ? summand(type, sum->values[i]) : 0;
        }
        return code;
    }
    memset(sum->values, 0, worker_rows(w, block) * sizeof(*sum->values));
    if (!sum->restore) {
        return 0;
    }
    MAP_EACH(mask, row) {
        const struct record *r;
        int code = row % 64 ? 0 : search_check(w->s);
        code = code < 0 ? code : worker_restore(w, w->part, block * PART_BLOCK + (uint32_t)row, &r);
        if (code < 0) {
            return code;
        }
        record_values(r, sum->field.field, on_sum, &sum->values[row]);
    }
    return 0;
}
