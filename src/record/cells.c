/* cells.c: the growing part of a record: one block, cells from the front, heads from the back.
 *
 * A value is written at the end of the used part first and compared with its list there; only a new value moves the
 * end. So folding needs no buffer, and a repeated value costs no memory.
 */
#include <string.h>

#include "base/util.h"
#include "record/cells_index.h"
#include "record/record.h"

#define FIRST_CELL 8
#define FIRST_BLOCK 192
#define CAP_STEP 16
/* How much a block grows at least: each growth is a copy, each byte too many is there a million times. */
#define GROWTH(cap) ((cap) / 3)
#define WORDS_MAX 64 /* longer ones are copied by the library */

struct object_body {
    uint64_t key;
    uint32_t first, last;
};

struct const_body {
    const char *text; /* its length stands in the cell's `len`; read by cell_span */
};

void cells_init(struct cells *c, struct pool *pool) {
    *c = (struct cells){.pool = pool};
}

void cells_done(struct cells *c) {
    cells_index_move(c, NULL);
    pool_give(c->pool, c->base, c->cap);
    *c = (struct cells){.pool = c->pool};
}

static struct cell *cell_at(const struct cells *c, uint32_t offset) {
    return (struct cell *)(void *)(c->base + offset);
}

static struct cell_head *heads_of(const struct cells *c) {
    return (struct cell_head *)(void *)(c->base + c->cap) - c->heads;
}

static size_t room(const struct cells *c) {
    return c->cap - c->used - c->heads * sizeof(struct cell_head);
}

/* Makes room for `need` bytes more. False: the value is dropped. */
static bool grow(struct cells *c, size_t need) {
    size_t heads_size = c->heads * sizeof(struct cell_head);
    size_t want = c->base ? (size_t)c->cap + GROWTH(c->cap) : FIRST_BLOCK;
    want = (MAX(want, FIRST_CELL + c->used + heads_size + need) + CAP_STEP - 1) & ~(size_t)(CAP_STEP - 1);
    size_t cap;
    uint8_t *bigger = want <= CELLS_MAX_BYTES ? pool_take(c->pool, want, &cap) : NULL;
    if (!bigger) {
        c->dropped++;
        return false;
    }
    cap &= ~(size_t)(CAP_STEP - 1);
    if (c->base) {
        memcpy(bigger, c->base, c->used);
        memcpy(bigger + cap - heads_size, heads_of(c), heads_size);
        cells_index_move(c, bigger);
        pool_give(c->pool, c->base, c->cap);
    } else {
        c->used = FIRST_CELL;
    }
    c->base = bigger;
    c->cap = (uint32_t)cap;
    return true;
}

static inline bool make_room(struct cells *c, size_t need) {
    return LIKELY(room(c) >= need) || grow(c, need); /* without a block all three are 0 */
}

void cells_reserve(struct cells *c, size_t need) {
    uint32_t dropped = c->dropped;
    if (c->base && room(c) < need) {
        (void)grow(c, need);
        c->dropped = dropped; /* no value was, yet */
    }
}

/* Index of the first head whose rank is not below `rank`. */
static unsigned head_index(const struct cells *c, uint16_t rank) {
    const struct cell_head *heads = heads_of(c);
    unsigned low = 0;
    /* No branch on what is compared: the outcome is as good as random. */
    for (unsigned count = c->heads; count;) {
        unsigned half = (count + 1) / 2;
        low = heads[low + half - 1].rank < rank ? low + half : low;
        count -= half;
    }
    return low;
}

static struct cell_head *find_head(const struct cells *c, const struct field *f) {
    if (!c->base) {
        return NULL;
    }
    unsigned i = head_index(c, f->rank);
    struct cell_head *h = heads_of(c) + i;
    return i < c->heads && h->field == f->id ? h : NULL;
}

/* The head of `f`, made if absent; `need` bytes of room are there afterwards. */
static struct cell_head *want_head(struct cells *c, const struct field *f, size_t need) {
    if (!make_room(c, need + sizeof(struct cell_head))) {
        return NULL;
    }
    unsigned i = head_index(c, f->rank);
    struct cell_head *heads = heads_of(c);
    if (i < c->heads && heads[i].field == f->id) {
        return heads + i;
    }
    c->heads++;
    heads--;
    for (unsigned k = 0; k < i; k++) { /* few: no call */
        heads[k] = heads[k + 1];
    }
    heads[i] = (struct cell_head){.field = f->id, .rank = f->rank};
    return heads + i;
}

static size_t cell_len(const struct cell *cell) {
    return cell->len & CELL_CONST ? sizeof(struct const_body) : cell->len;
}

static size_t cell_size(size_t len) {
    return (sizeof(struct cell) + len + 7) & ~(size_t)7;
}

static inline uint64_t load8(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

/* 1 to 7 bytes as a word; what is above them is 0. */
static inline uint64_t load_few(const uint8_t *at, size_t len) {
    if (len >= 4) {
        uint32_t low, high;
        memcpy(&low, at, 4);
        memcpy(&high, at + len - 4, 4);
        return low | (uint64_t)high << 8 * (len - 4);
    }
    return at[0] | (uint64_t)at[len / 2] << 8 * (len / 2) | (uint64_t)at[len - 1] << 8 * (len - 1);
}

/* Letters of the case that begins with `first` ('A' or 'a') are turned into the other one. */
static inline uint64_t fold_word(uint64_t word, uint8_t first) {
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t low = word & ~highs;
    /* The high bit of each byte: at least `first`, and not above `first` + 25, and no high bit of its own. */
    uint64_t letters = (low + ones * (0x80u - first)) & ~(low + ones * (0x80u - first - 26u)) & ~word & highs;
    return word ^ letters >> 2;
}

/* `to` has room for whole words, `from` is read inside its bounds only: the last word may overlap the one before. */
static inline void write_words(uint8_t *to, struct span from, uint8_t first, bool folded) {
    if (from.len < 8) {
        if (from.len) {
            uint64_t word = load_few(from.at, from.len);
            word = folded ? fold_word(word, first) : word;
            memcpy(to, &word, 8);
        }
        return;
    }
    size_t last = from.len - 8;
    for (size_t i = 0; i < last; i += 8) {
        uint64_t word = load8(from.at + i);
        word = folded ? fold_word(word, first) : word;
        memcpy(to + i, &word, 8);
    }
    uint64_t word = load8(from.at + last);
    word = folded ? fold_word(word, first) : word;
    memcpy(to + last, &word, 8);
}

/* Writes a cell behind the used part without claiming the room. */
static struct cell *draft(struct cells *c, const struct field *f, struct span value) {
    struct cell *cell = cell_at(c, c->used);
    *cell = (struct cell){.field = f->id, .len = (uint16_t)value.len};
    uint8_t *to = (uint8_t *)(cell + 1);
    if (f->type == FT_LOWER || f->type == FT_UPPER) {
        write_words(to, value, f->type == FT_LOWER ? 'A' : 'a', true);
    } else if (value.len <= WORDS_MAX) {
        write_words(to, value, 0, false);
    } else {
        memcpy(to, value.at, value.len);
    }
    return cell;
}

static struct cell *draft_const(struct cells *c, const struct field *f, struct span text) {
    struct cell *cell = cell_at(c, c->used);
    *cell = (struct cell){.field = f->id, .len = (uint16_t)(CELL_CONST | MIN(text.len, CELL_CONST - 1u))};
    struct const_body body = {(const char *)text.at};
    memcpy(cell + 1, &body, sizeof(body));
    return cell;
}

static uint32_t written_size(const struct field *f, struct span value) {
    return f->type == FT_IP ? 18 : f->type == FT_MAC ? 20 : f->type <= FT_BOOL ? 8 : (uint32_t)value.len + 3;
}

static uint32_t claim(struct cells *c, const struct cell *cell) {
    uint32_t at = c->used;
    c->used += (uint32_t)cell_size(cell_len(cell));
    return at;
}

static void count_written(struct cells *c, struct cell_head *h, uint32_t size) {
    h->written = MIN(h->written + size, CELLS_WRITTEN_MAX) & CELLS_WRITTEN_MAX;
    if (h->written > CELLS_FIELD_SOFT) {
        c->full = 1;
    }
}

/* Puts the drafted value in the place of the old one where it fits: a value that changes for ever takes no memory for
 * ever. */
static bool replace(struct cell *old, const struct cell *cell) {
    if (cell_size(cell_len(cell)) > cell_size(cell_len(old))) {
        return false;
    }
    old->len = cell->len;
    memcpy(old + 1, cell + 1, cell_len(cell));
    return true;
}

static bool is_in_list(struct cells *c, const struct field *f, const struct cell_head *h, struct span value) {
    if (h->count >= CELLS_INDEX_FROM) {
        enum cells_found found = cells_index_find(c, (struct cells_list){0, h->first, f->id}, value);
        if (found != CELLS_UNKNOWN) {
            return found == CELLS_PRESENT;
        }
    }
    for (uint32_t at = h->first; at;) {
        const struct cell *old = cell_at(c, at);
        if (span_equal(cell_span(old), value)) {
            return true;
        }
        at = old->next;
    }
    return false;
}

/* Links the drafted cell into the list of its field unless its value is there. True when it was new. */
static bool commit(struct cells *c, const struct field *f, struct cell_head *h, const struct cell *cell) {
    struct span value = cell_span(cell);
    if (h->count && (f->flags & F_SINGLE)) {
        struct cell *old = cell_at(c, h->first);
        if ((f->flags & F_FIRST) || span_equal(cell_span(old), value)) {
            return false;
        }
        if (!replace(old, cell)) {
            count_written(c, h, written_size(f, value));
            h->first = h->last = claim(c, cell);
        }
        return true;
    }
    if (!(f->flags & F_REPEAT) && is_in_list(c, f, h, value)) {
        return false;
    }
    if (h->count == CELLS_COUNT_MAX) {
        c->dropped++;
        return false;
    }
    count_written(c, h, written_size(f, value));
    uint32_t at = claim(c, cell);
    if (h->last) {
        cell_at(c, h->last)->next = at;
    } else {
        h->first = at;
    }
    h->last = at;
    h->count++;
    if (h->count > CELLS_INDEX_FROM) {
        cells_index_add(c, (struct cells_list){.field = f->id}, at);
    }
    return true;
}

static bool put_bytes(struct cells *c, const struct field *f, const void *value, size_t len) {
    struct cell_head *h = want_head(c, f, cell_size(len));
    return h && commit(c, f, h, draft(c, f, span_make(value, len)));
}

bool cells_put_u64(struct cells *c, const struct field *f, uint64_t value) {
    struct cell_head *h = f->flags & F_SUM ? find_head(c, f) : NULL;
    if (h) {
        uint64_t sum;
        struct cell *cell = cell_at(c, h->first);
        memcpy(&sum, cell + 1, sizeof(sum));
        sum += value;
        memcpy(cell + 1, &sum, sizeof(sum));
        return true;
    }
    return put_bytes(c, f, &value, sizeof(value));
}

bool cells_put_i64(struct cells *c, const struct field *f, int64_t value) {
    return put_bytes(c, f, &value, sizeof(value));
}

bool cells_put_double(struct cells *c, const struct field *f, double value) {
    return put_bytes(c, f, &value, sizeof(value));
}

bool cells_put_text(struct cells *c, const struct field *f, struct span text) {
    return put_bytes(c, f, text.at, MIN(text.len, (size_t)CELL_TEXT_MAX));
}

bool cells_put_fixed(struct cells *c, const struct field *f, struct span text) {
    struct cell_head *h = want_head(c, f, cell_size(sizeof(struct const_body)));
    return h && commit(c, f, h, draft_const(c, f, text));
}

bool cells_put_ip(struct cells *c, const struct field *f, const uint8_t ip[16]) {
    return put_bytes(c, f, ip, 16);
}

bool cells_put_mac(struct cells *c, const struct field *f, const uint8_t mac[6]) {
    return put_bytes(c, f, mac, 6);
}

bool cells_has_text(const struct cells *c, const struct field *f, struct span text) {
    const struct cell_head *h = find_head(c, f);
    for (uint32_t at = h ? h->first : 0; at; at = cell_at(c, at)->next) {
        if (span_equal(cell_span(cell_at(c, at)), text)) {
            return true;
        }
    }
    return false;
}

uint32_t cells_count(const struct cells *c, const struct field *f) {
    const struct cell_head *h = find_head(c, f);
    return h ? h->count : 0;
}

uint32_t cells_written(const struct cells *c, const struct field *f) {
    const struct cell_head *h = find_head(c, f);
    return h ? h->written : 0;
}

static void remove_head(struct cells *c, struct cell_head *h) {
    struct cell_head *heads = heads_of(c);
    memmove(heads + 1, heads, (size_t)(h - heads) * sizeof(*heads));
    c->heads--;
}

bool cells_remove_text(struct cells *c, const struct field *f, const char *text) {
    struct cell_head *h = find_head(c, f);
    uint32_t before = 0;
    for (uint32_t at = h ? h->first : 0; at; before = at, at = cell_at(c, at)->next) {
        if (!span_is(cell_span(cell_at(c, at)), text)) {
            continue;
        }
        uint32_t next = cell_at(c, at)->next;
        cells_index_move(c, NULL);
        if (before) {
            cell_at(c, before)->next = next;
        } else {
            h->first = next;
        }
        if (h->last == at) {
            h->last = before;
        }
        if (--h->count == 0) {
            remove_head(c, h);
        }
        return true;
    }
    return false;
}

/* --- objects --- */

static struct object_body *body_of(const struct cells *c, uint32_t at) {
    return (struct object_body *)(void *)(cell_at(c, at) + 1);
}

static uint32_t draft_object(struct cells *c, const struct field *f, uint64_t key) {
    struct object_body body = {.key = key};
    struct cell *cell = cell_at(c, c->used);
    *cell = (struct cell){.field = f->id, .len = sizeof(body)};
    memcpy(cell + 1, &body, sizeof(body));
    return claim(c, cell);
}

struct object cells_object(struct cells *c, const struct field *f, uint64_t key, bool *ret_new) {
    struct object none = {0, 0};
    if (ret_new) {
        *ret_new = false;
    }
    struct cell_head *h = want_head(c, f, cell_size(sizeof(struct object_body)));
    if (!h) {
        return none;
    }
    if (key && h->last && body_of(c, h->last)->key == key) {
        return (struct object){h->last, f->id}; /* an answer follows its question */
    }
    for (uint32_t at = key ? h->first : 0; at; at = cell_at(c, at)->next) {
        if (body_of(c, at)->key == key) {
            return (struct object){at, f->id};
        }
    }
    if (h->count == CELLS_COUNT_MAX) {
        c->dropped++;
        return none;
    }
    uint32_t at = draft_object(c, f, key);
    if (h->last) {
        cell_at(c, h->last)->next = at;
    } else {
        h->first = at;
    }
    h->last = at;
    h->count++;
    if (ret_new) {
        *ret_new = true;
    }
    return (struct object){at, f->id};
}

/* Links a claimed or drafted cell among the object's children, behind those of its field and before later fields. */
static void link_child(struct cells *c, struct object o, uint32_t at) {
    struct object_body *body = body_of(c, o.at);
    struct cell *cell = cell_at(c, at);
    uint32_t before = 0;
    if (body->last && cell_at(c, body->last)->field <= cell->field) {
        before = body->last;
    } else {
        for (uint32_t i = body->first; i && cell_at(c, i)->field <= cell->field; i = cell_at(c, i)->next) {
            before = i;
        }
    }
    if (before) {
        cell->next = cell_at(c, before)->next;
        cell_at(c, before)->next = at;
    } else {
        cell->next = body->first;
        body->first = at;
    }
    if (cell->next == 0) {
        body->last = at;
    }
}

static void unlink_child(struct cells *c, struct object o, uint32_t before, uint32_t at) {
    struct object_body *body = body_of(c, o.at);
    uint32_t next = cell_at(c, at)->next;
    if (before) {
        cell_at(c, before)->next = next;
    } else {
        body->first = next;
    }
    if (body->last == at) {
        body->last = before;
    }
}

static void count_child(struct cells *c, struct object o, uint32_t size) {
    struct cell_head *heads = heads_of(c);
    for (unsigned i = 0; i < c->heads; i++) {
        if (heads[i].field == o.root) {
            count_written(c, &heads[i], size);
            return;
        }
    }
}

struct object cells_child_object(struct cells *c, struct object parent, const struct field *f) {
    if (parent.at == 0 || !make_room(c, cell_size(sizeof(struct object_body)))) {
        return (struct object){0, 0};
    }
    uint32_t at = draft_object(c, f, 0);
    link_child(c, parent, at);
    return (struct object){at, parent.root};
}

/* Commits the drafted cell as a child unless an equal one is there. Single fields keep the last value. */
static void commit_child(struct cells *c, struct object o, const struct field *f, const struct cell *cell) {
    struct span value = cell_span(cell);
    const struct object_body *body = body_of(c, o.at);
    /* Most members are put in the order of their fields: nothing can be equal then. */
    bool behind_all = body->last && cell_at(c, body->last)->field < f->id;
    uint32_t first = behind_all ? 0 : body->first, walked = 0;
    struct cells_list list = {o.at, first, f->id};
    for (uint32_t at = first, before = 0; at; before = at, at = cell_at(c, at)->next) {
        struct cell *old = cell_at(c, at);
        if (old->field > f->id) {
            break;
        }
        if (++walked == CELLS_INDEX_FROM && !(f->flags & (F_SINGLE | F_REPEAT))) {
            enum cells_found found = cells_index_find(c, list, value);
            if (found == CELLS_PRESENT) {
                return;
            }
            if (found == CELLS_ABSENT) {
                break;
            }
        }
        if (old->field != f->id) {
            continue;
        }
        bool equal = !(f->flags & F_REPEAT) && span_equal(cell_span(old), value);
        if (equal || ((f->flags & F_SINGLE) && (f->flags & F_FIRST))) {
            return;
        }
        if (f->flags & F_SINGLE) {
            if (replace(old, cell)) {
                return;
            }
            unlink_child(c, o, before, at);
            break;
        }
    }
    uint32_t at = claim(c, cell);
    link_child(c, o, at);
    if (walked >= CELLS_INDEX_FROM) {
        cells_index_add(c, list, at);
    }
    count_child(c, o, written_size(f, value) + (uint32_t)f->key.len);
}

static void put_child(struct cells *c, struct object o, const struct field *f, const void *value, size_t len) {
    if (o.at && make_room(c, cell_size(len))) {
        commit_child(c, o, f, draft(c, f, span_make(value, len)));
    }
}

void cells_object_u64(struct cells *c, struct object o, const struct field *f, uint64_t value) {
    uint32_t at = o.at && (f->flags & F_SUM) ? body_of(c, o.at)->first : 0;
    for (; at && cell_at(c, at)->field <= f->id; at = cell_at(c, at)->next) {
        struct cell *cell = cell_at(c, at);
        if (cell->field == f->id) {
            uint64_t sum;
            memcpy(&sum, cell + 1, sizeof(sum));
            sum += value;
            memcpy(cell + 1, &sum, sizeof(sum));
            return;
        }
    }
    put_child(c, o, f, &value, sizeof(value));
}

void cells_object_i64(struct cells *c, struct object o, const struct field *f, int64_t value) {
    put_child(c, o, f, &value, sizeof(value));
}

void cells_object_text(struct cells *c, struct object o, const struct field *f, struct span text) {
    put_child(c, o, f, text.at, MIN(text.len, (size_t)CELL_TEXT_MAX));
}

void cells_object_fixed(struct cells *c, struct object o, const struct field *f, struct span text) {
    if (o.at && make_room(c, cell_size(sizeof(struct const_body)))) {
        commit_child(c, o, f, draft_const(c, f, text));
    }
}

void cells_object_ip(struct cells *c, struct object o, const struct field *f, const uint8_t ip[16]) {
    put_child(c, o, f, ip, 16);
}

/* --- reading --- */

const struct cell_head *cells_heads(const struct cells *c, size_t *ret_count) {
    *ret_count = c->base ? c->heads : 0;
    return c->base ? heads_of(c) : NULL;
}

const struct cell *cells_first(const struct cells *c, const struct cell_head *h) {
    return h->first ? cell_at(c, h->first) : NULL;
}

const struct cell *cells_next(const struct cells *c, const struct cell *cell) {
    return cell->next ? cell_at(c, cell->next) : NULL;
}

const struct cell *cells_object_first(const struct cells *c, const struct cell *object) {
    struct object_body body;
    memcpy(&body, object + 1, sizeof(body));
    return body.first ? cell_at(c, body.first) : NULL;
}

struct value cell_value(const struct cell *cell, const struct field *f) {
    struct value v = {0};
    cell_read(cell, f, &v);
    return v;
}

void cells_keep_linked(struct cells *c, const struct registry *r) {
    if (!c->base) {
        return;
    }
    struct cells kept;
    cells_init(&kept, c->pool);
    size_t count;
    const struct cell_head *heads = cells_heads(c, &count);
    for (size_t i = 0; i < count; i++) {
        const struct field *f = registry_field(r, heads[i].field);
        /* A list that is full begins anew: else each further value of it would save a piece as large as this one. */
        if (!(f->flags & F_LINKED) || f->type == FT_OBJECT || heads[i].written > CELLS_FIELD_SOFT / 2) {
            continue;
        }
        for (const struct cell *cell = cells_first(c, &heads[i]); cell; cell = cells_next(c, cell)) {
            if (cell->len & CELL_CONST) {
                (void)cells_put_fixed(&kept, f, cell_span(cell));
            } else {
                (void)put_bytes(&kept, f, cell + 1, cell->len);
            }
        }
    }
    kept.dropped += c->dropped;
    cells_done(c);
    *c = kept;
}
