/* bits.c: see bits.h.
 *
 *   series   u32 start of each run (from the end of this table), then the runs, then SERIES_PAD zero bytes
 *   run      u8 bits, u8 bytes of a patch, u16 patches, u64 smallest, packed numbers, u16 places, patches (high bits)
 *
 * All little-endian.
 */
#include "store/bits.h"

#include <errno.h>

#include "base/util.h"
#include "store/lanes.h"

#define HEAD 12u

struct run {
    unsigned bits, patch_width, patches;
    uint64_t low;
    const uint8_t *packed, *places, *high, *end; /* `end`: of what may be read */
};

static inline unsigned width_of(uint64_t value) {
    return value ? 64u - (unsigned)__builtin_clzll(value) : 0;
}

struct choice {
    unsigned bits, patches, patch_width;
    uint64_t low;
    size_t size;
};

static struct choice choose(const uint64_t *v, size_t n) {
    uint64_t low = v[0];
    for (size_t i = 1; i < n; i++) {
        low = MIN(low, v[i]);
    }
    unsigned counts[65] = {0}, widest = 0;
    for (size_t i = 0; i < n; i++) {
        counts[width_of(v[i] - low)]++;
    }
    for (unsigned w = 0; w <= 64; w++) {
        widest = counts[w] ? w : widest;
    }
    struct choice best = {.bits = widest, .low = low, .size = HEAD + (n * widest + 7) / 8};
    unsigned above = 0;
    for (unsigned w = widest; w-- > 0;) {
        above += counts[w + 1];
        unsigned bytes = (widest - w + 7) / 8;
        size_t size = HEAD + (n * w + 7) / 8 + above * (size_t)(2 + bytes);
        if (size < best.size) {
            best = (struct choice){w, above, bytes, low, size};
        }
    }
    return best;
}

static void store_word(uint8_t *to, uint64_t word, unsigned bytes) {
    for (unsigned i = 0; i < bytes; i++) {
        to[i] = (uint8_t)(word >> 8 * i);
    }
}

static uint64_t load_word(const uint8_t *at, unsigned bytes) {
    uint64_t word = 0;
    for (unsigned i = 0; i < bytes; i++) {
        word |= (uint64_t)at[i] << 8 * i;
    }
    return word;
}

static inline uint64_t load8(const uint8_t *at) {
    uint64_t word;
    memcpy(&word, at, 8); /* the store is for little-endian machines: see segment.h */
    return word;
}

static inline uint64_t mask_of(unsigned bits) {
    return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

static void pack(const uint64_t *v, size_t n, const struct choice *c, uint8_t *to) {
    uint64_t mask = mask_of(c->bits), pending = 0;
    unsigned filled = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t value = (v[i] - c->low) & mask;
        pending |= value << filled;
        if (filled + c->bits >= 64) {
            memcpy(to, &pending, 8);
            to += 8;
            unsigned used = 64 - filled;
            pending = used < 64 ? value >> used : 0;
            filled = filled + c->bits - 64;
        } else {
            filled += c->bits;
        }
    }
    store_word(to, pending, (filled + 7) / 8);
}

static void write_run(const uint64_t *v, size_t n, struct buf *out) {
    struct choice c = choose(v, n);
    uint8_t *to = buf_reserve(out, c.size);
    if (!to) {
        return;
    }
    out->len += c.size;
    to[0] = (uint8_t)c.bits;
    to[1] = (uint8_t)c.patch_width;
    store_word(to + 2, c.patches, 2);
    store_word(to + 4, c.low, 8);
    if (c.bits) {
        pack(v, n, &c, to + HEAD);
    }
    if (!c.patches) {
        return;
    }
    uint8_t *places = to + HEAD + (n * c.bits + 7) / 8, *high = places + 2 * (size_t)c.patches;
    for (size_t i = 0; i < n; i++) {
        uint64_t value = v[i] - c.low;
        if (width_of(value) > c.bits) {
            store_word(places, i, 2);
            store_word(high, value >> c.bits, c.patch_width);
            places += 2;
            high += c.patch_width;
        }
    }
}

size_t series_size(const uint64_t *values, size_t n) {
    size_t size = SERIES_PAD;
    for (size_t at = 0; at < n; at += SERIES_RUN) {
        size += 4 + choose(values + at, MIN(n - at, (size_t)SERIES_RUN)).size;
    }
    return size;
}

void series_write(const uint64_t *values, size_t n, struct buf *out) {
    size_t runs = (n + SERIES_RUN - 1) / SERIES_RUN, table = out->len;
    uint8_t *to = buf_reserve(out, 4 * runs);
    if (!to) {
        return;
    }
    memset(to, 0, 4 * runs);
    out->len += 4 * runs;
    size_t base = out->len;
    for (size_t r = 0; r < runs; r++) {
        if (!out->overflowed) {
            store_word(out->data + table + 4 * r, out->len - base, 4);
        }
        write_run(values + r * SERIES_RUN, MIN(n - r * SERIES_RUN, (size_t)SERIES_RUN), out);
    }
    static const uint8_t pad[SERIES_PAD];
    buf_add(out, pad, sizeof(pad));
}

/* --- reading --- */

static int open_run(struct span s, size_t n, size_t r, struct run *ret) {
    size_t runs = (n + SERIES_RUN - 1) / SERIES_RUN, count = MIN(n - r * SERIES_RUN, (size_t)SERIES_RUN);
    if (s.len < 4 * runs + SERIES_PAD) {
        return -EBADMSG;
    }
    size_t end = s.len - SERIES_PAD, at = 4 * runs + (size_t)load_word(s.at + 4 * r, 4);
    if (at + HEAD > end) {
        return -EBADMSG;
    }
    const uint8_t *p = s.at + at;
    ret->bits = p[0];
    ret->patch_width = p[1];
    ret->patches = (unsigned)load_word(p + 2, 2);
    ret->low = load_word(p + 4, 8);
    size_t packed = (count * ret->bits + 7) / 8;
    if (ret->bits > 64 || ret->patch_width > 8 || ret->patches > count ||
        packed + ret->patches * (size_t)(2 + ret->patch_width) > end - at - HEAD) {
        return -EBADMSG;
    }
    ret->packed = p + HEAD;
    ret->places = ret->packed + packed;
    ret->high = ret->places + 2 * (size_t)ret->patches;
    ret->end = s.at + s.len;
    return 0;
}

static inline uint64_t packed_at(const struct run *r, size_t i, uint64_t mask) {
    size_t bit = i * r->bits;
    const uint8_t *at = r->packed + bit / 8;
    unsigned shift = bit & 7;
    uint64_t word = load8(at) >> shift;
    if (shift + r->bits > 64) {
        word |= (uint64_t)at[8] << (64 - shift);
    }
    return word & mask;
}

static inline struct packed packed_of(const struct run *r) {
    return (struct packed){r->packed, r->end, r->bits, r->low};
}

/* A patch of the run: its place and what it adds to the number there. */
static int patch_at(const struct run *r, unsigned k, size_t n, size_t *ret_place, uint64_t *ret_more) {
    *ret_place = (size_t)load_word(r->places + 2 * (size_t)k, 2);
    if (*ret_place >= n || r->bits > 63) {
        return -EBADMSG;
    }
    *ret_more = load_word(r->high + (size_t)k * r->patch_width, r->patch_width) << r->bits;
    return 0;
}

int series_read(struct span series, size_t n, uint64_t *ret) {
    const struct lanes *l = lanes();
    for (size_t at = 0; at < n; at += SERIES_RUN) {
        struct run r;
        size_t count = MIN(n - at, (size_t)SERIES_RUN), place;
        uint64_t more;
        int code = open_run(series, n, at / SERIES_RUN, &r);
        if (code) {
            return code;
        }
        struct packed p = packed_of(&r);
        l->unpack64(&p, count, ret + at);
        for (unsigned k = 0; k < r.patches; k++) {
            code = patch_at(&r, k, count, &place, &more);
            if (code) {
                return code;
            }
            ret[at + place] += more;
        }
    }
    return 0;
}

/* Numbers above UINT32_MAX where the run's head does not rule them out. */
static int read_run32(const struct run *r, size_t n, uint32_t *ret) {
    uint64_t values[SERIES_RUN], all = 0, more;
    size_t place;
    struct packed p = packed_of(r);
    lanes()->unpack64(&p, n, values);
    for (unsigned k = 0; k < r->patches; k++) {
        int code = patch_at(r, k, n, &place, &more);
        if (code) {
            return code;
        }
        values[place] += more;
    }
    for (size_t i = 0; i < n; i++) {
        all |= values[i];
        ret[i] = (uint32_t)values[i];
    }
    return all > UINT32_MAX ? -EBADMSG : 0;
}

int series_read32(struct span series, size_t n, uint32_t *ret) {
    const struct lanes *l = lanes();
    for (size_t at = 0; at < n; at += SERIES_RUN) {
        struct run r;
        size_t count = MIN(n - at, (size_t)SERIES_RUN);
        int code = open_run(series, n, at / SERIES_RUN, &r);
        if (code == 0 && r.patches == 0 && r.bits <= 32 && r.low <= UINT32_MAX - mask_of(r.bits)) {
            struct packed p = packed_of(&r);
            l->unpack32(&p, count, ret + at);
        } else if (code == 0) {
            code = read_run32(&r, count, ret + at);
        }
        if (code) {
            return code;
        }
    }
    return 0;
}

/* --- testing --- */

static inline bool test_holds(const struct series_test *t, uint64_t number) {
    return t->set ? t->set[number / 64] >> (number % 64) & 1 : number >= t->low && number <= t->high;
}

static void set_ones(size_t n, uint64_t *ret) {
    memset(ret, 0xff, n / 64 * sizeof(*ret));
    if (n % 64) {
        ret[n / 64] = ((uint64_t)1 << n % 64) - 1;
    }
}

/* The numbers of the run one after the other: those too wide for lanes. */
static int test_wide(const struct run *r, const struct series_test *t, size_t n, uint64_t *ret) {
    uint64_t values[SERIES_RUN];
    struct packed p = packed_of(r);
    lanes()->unpack64(&p, n, values);
    memset(ret, 0, (n + 63) / 64 * sizeof(*ret));
    for (size_t i = 0; i < n; i++) {
        if (values[i] > t->last) {
            return -EBADMSG;
        }
        ret[i / 64] |= (uint64_t)test_holds(t, values[i]) << (i % 64);
    }
    return 0;
}

/* Numbers of 32 bits at most, patches left aside. `highest`: what the head allows. */
static int test_narrow(const struct run *r, const struct series_test *t, size_t n, uint64_t highest, uint64_t *ret) {
    uint32_t values[SERIES_RUN];
    const struct lanes *l = lanes();
    struct packed p = packed_of(r);
    uint64_t low = MAX(t->low, r->low), high = MIN(t->high, highest);
    p.add = 0;
    bool sure = highest <= t->last, none = !t->set && low > high, all = !t->set && low == r->low && high == highest;
    if (sure && all) {
        set_ones(n, ret);
        return 0;
    }
    memset(ret, 0, (n + 63) / 64 * sizeof(*ret));
    if (sure && none) {
        return 0;
    }
    p.add = t->set ? r->low : 0; /* codes are looked up as they are, ranges are moved to the run */
    l->unpack32(&p, n, values);
    if (!sure && (uint64_t)l->highest(values, n) + (t->set ? 0 : r->low) > t->last) {
        return -EBADMSG;
    }
    if (t->set) {
        l->in_set(values, n, t->set, ret);
    } else if (!none) {
        l->in_range(values, n, (uint32_t)(low - r->low), (uint32_t)(high - low), ret);
    }
    return 0;
}

static int test_patches(const struct run *r, const struct series_test *t, size_t n, uint64_t *ret) {
    for (unsigned k = 0; k < r->patches; k++) {
        size_t place;
        uint64_t more;
        int code = patch_at(r, k, n, &place, &more);
        if (code) {
            return code;
        }
        uint64_t number = r->low + (r->bits ? packed_at(r, place, mask_of(r->bits)) : 0) + more;
        uint64_t bit = (uint64_t)1 << place % 64;
        if (number > t->last) {
            return -EBADMSG;
        }
        ret[place / 64] = test_holds(t, number) ? ret[place / 64] | bit : ret[place / 64] & ~bit;
    }
    return 0;
}

int series_test_run(struct span series, size_t n, size_t run, const struct series_test *t, uint64_t *ret) {
    struct run r;
    uint64_t highest = 0;
    size_t count = MIN(n - run * SERIES_RUN, (size_t)SERIES_RUN);
    int code = open_run(series, n, run, &r);
    if (code) {
        return code;
    }
    bool narrow =
        r.bits <= 32 && !__builtin_add_overflow(r.low, mask_of(r.bits), &highest) && (!t->set || highest <= UINT32_MAX);
    code = narrow ? test_narrow(&r, t, count, highest, ret) : test_wide(&r, t, count, ret);
    return code ? code : test_patches(&r, t, count, ret);
}

int series_at(struct span series, size_t n, size_t i, uint64_t *ret) {
    struct run r;
    if (i >= n) {
        return -EBADMSG;
    }
    int code = open_run(series, n, i / SERIES_RUN, &r);
    if (code) {
        return code;
    }
    size_t place = i % SERIES_RUN;
    *ret = r.low + (r.bits ? packed_at(&r, place, mask_of(r.bits)) : 0);
    unsigned low = 0, high = r.patches;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (load_word(r.places + 2 * (size_t)middle, 2) < place) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low < r.patches && load_word(r.places + 2 * (size_t)low, 2) == place) {
        if (r.bits > 63) {
            return -EBADMSG;
        }
        *ret += load_word(r.high + (size_t)low * r.patch_width, r.patch_width) << r.bits;
    }
    return 0;
}
