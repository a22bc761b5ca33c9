/* json_scan.c: see json_scan.h. RFC 8259; the two stages, and how escapes and strings are found without branches,
 * follow Langdale and Lemire, "Parsing Gigabytes of JSON per Second", VLDB Journal 28 (2019).
 *
 * Unlike there both quotes of a string are in the index: a string's length is a difference, and walks never look for
 * its end.
 */
#include "base/json_scan.h"

#include <errno.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/util.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define HAS_X86 1
#else
#define HAS_X86 0
#endif

#define BLOCK 64
/* Into functions that are compiled for other processors than the rest. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

void json_index_init(struct json_index *x, uint32_t ceiling) {
    *x = (struct json_index){.ceiling = ceiling};
}

void json_index_done(struct json_index *x) {
    free(x->at);
    json_index_init(x, x->ceiling);
}

/* --- stage 1 --- */

/* A bit for each byte of a block. */
struct block {
    uint64_t backslash, quote, structure, blank, control, high;
};

/* What is carried from block to block. */
struct carry {
    uint64_t escaped;   /* bit 0: the first byte is escaped */
    uint64_t in_string; /* all ones inside a string */
    uint64_t scalar;    /* bit 0: the last byte was part of a number or word */
    uint64_t high, backslash;
};

enum { BACKSLASH = 1, QUOTE = 2, STRUCTURE = 4, BLANK = 8, CONTROL = 16, HIGH = 32 };

static const uint8_t class_of[256] = {
    [0x00 ... 0x08] = CONTROL,
    ['\t'] = CONTROL | BLANK,
    ['\n'] = CONTROL | BLANK,
    [0x0b ... 0x0c] = CONTROL,
    ['\r'] = CONTROL | BLANK,
    [0x0e ... 0x1f] = CONTROL,
    [' '] = BLANK,
    ['"'] = QUOTE,
    ['\\'] = BACKSLASH,
    ['{'] = STRUCTURE,
    ['}'] = STRUCTURE,
    ['['] = STRUCTURE,
    [']'] = STRUCTURE,
    [':'] = STRUCTURE,
    [','] = STRUCTURE,
    [0x80 ... 0xff] = HIGH,
};

static inline struct block classify_portable(const uint8_t *p) {
    struct block b = {0};
    for (unsigned i = 0; i < BLOCK; i++) {
        uint64_t c = class_of[p[i]];
        b.backslash |= (c & 1) << i;
        b.quote |= (c >> 1 & 1) << i;
        b.structure |= (c >> 2 & 1) << i;
        b.blank |= (c >> 3 & 1) << i;
        b.control |= (c >> 4 & 1) << i;
        b.high |= (c >> 5 & 1) << i;
    }
    return b;
}

#if HAS_X86
static inline struct block classify_sse2(const uint8_t *p) {
    struct block b = {0};
    for (unsigned i = 0; i < BLOCK; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i folded = _mm_or_si128(v, _mm_set1_epi8(0x20)); /* [ and { are one, ] and } too */
        __m128i structure = _mm_or_si128(
            _mm_or_si128(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')), _mm_cmpeq_epi8(folded, _mm_set1_epi8('}'))),
            _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(':')), _mm_cmpeq_epi8(v, _mm_set1_epi8(','))));
        __m128i blank =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8(' ')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\t'))),
                         _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('\n')), _mm_cmpeq_epi8(v, _mm_set1_epi8('\r'))));
        __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
#define BITS(mask) ((uint64_t)(uint32_t)_mm_movemask_epi8(mask) << i)
        b.backslash |= BITS(_mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
        b.quote |= BITS(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
        b.structure |= BITS(structure);
        b.blank |= BITS(blank);
        b.control |= BITS(control);
        b.high |= BITS(v);
#undef BITS
    }
    return b;
}

__attribute__((target("avx2"))) static inline struct block classify_avx2(const uint8_t *p) {
    struct block b = {0};
    for (unsigned i = 0; i < BLOCK; i += 32) {
        __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        __m256i folded = _mm256_or_si256(v, _mm256_set1_epi8(0x20));
        __m256i structure = _mm256_or_si256(
            _mm256_or_si256(_mm256_cmpeq_epi8(folded, _mm256_set1_epi8('{')),
                            _mm256_cmpeq_epi8(folded, _mm256_set1_epi8('}'))),
            _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(':')), _mm256_cmpeq_epi8(v, _mm256_set1_epi8(','))));
        __m256i blank = _mm256_or_si256(
            _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8(' ')), _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\t'))),
            _mm256_or_si256(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\n')),
                            _mm256_cmpeq_epi8(v, _mm256_set1_epi8('\r'))));
        __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(v, _mm256_set1_epi8(0x1f)), v);
#define BITS(mask) ((uint64_t)(uint32_t)_mm256_movemask_epi8(mask) << i)
        b.backslash |= BITS(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('\\')));
        b.quote |= BITS(_mm256_cmpeq_epi8(v, _mm256_set1_epi8('"')));
        b.structure |= BITS(structure);
        b.blank |= BITS(blank);
        b.control |= BITS(control);
        b.high |= BITS(v);
#undef BITS
    }
    return b;
}
#endif

/* The bytes behind an odd number of backslashes. */
static ALWAYS_INLINE uint64_t find_escaped(uint64_t backslash, uint64_t *carry) {
    const uint64_t even = 0x5555555555555555u;
    if (LIKELY(backslash == 0)) {
        uint64_t escaped = *carry;
        *carry = 0;
        return escaped;
    }
    backslash &= ~*carry;
    uint64_t follows = backslash << 1 | *carry;
    uint64_t odd_starts = backslash & ~even & ~follows, runs;
    *carry = __builtin_add_overflow(odd_starts, backslash, &runs);
    return (even ^ runs << 1) & follows;
}

/* Each bit becomes the parity of all bits up to it: from an opening quote to before its closing one. */
static ALWAYS_INLINE uint64_t prefix_parity(uint64_t bits) {
    for (unsigned shift = 1; shift < 64; shift *= 2) {
        bits ^= bits << shift;
    }
    return bits;
}

/* Room for a block's entries and what is written too far; a document of our own has one entry in eight bytes. */
static int want_room(struct json_index *x) {
    size_t need = (size_t)x->count + BLOCK + 8;
    if (LIKELY(need <= x->cap)) {
        return 0;
    }
    size_t cap = MAX(need, (size_t)x->cap * 2);
    cap = MAX(cap, x->text.len / 4 + BLOCK);
    cap = MIN(cap, (size_t)x->ceiling + BLOCK + 8);
    if (x->count > x->ceiling || cap < need) {
        return -E2BIG;
    }
    uint32_t *at = realloc(x->at, cap * sizeof(*at));
    if (!at) {
        return -ENOMEM;
    }
    x->at = at;
    x->cap = (uint32_t)cap;
    return 0;
}

static ALWAYS_INLINE void note_places(struct json_index *x, uint64_t bits, uint32_t base) {
    uint32_t *to = x->at + x->count;
    x->count += (uint32_t)__builtin_popcountll(bits);
    /* Eight at a time, too many rather than one by one: the branch is taken the same way nearly always. */
    while (bits) {
        for (unsigned i = 0; i < 8; i++) {
            to[i] = base + (uint32_t)__builtin_ctzll(bits | (uint64_t)1 << 63);
            bits &= bits - 1;
        }
        to += 8;
    }
}

/* Where a string holds a control character, or SPAN_NONE. */
static ALWAYS_INLINE size_t take_block(struct json_index *x, const struct block *b, struct carry *c, uint32_t base) {
    uint64_t quote = b->quote & ~find_escaped(b->backslash, &c->escaped);
    uint64_t inside = prefix_parity(quote) ^ c->in_string; /* with the opening quote, without the closing one */
    c->in_string = 0 - (inside >> 63);
    uint64_t scalar = ~(b->structure | b->blank | quote | inside);
    uint64_t starts = scalar & ~(scalar << 1 | c->scalar);
    c->scalar = scalar >> 63;
    c->high |= b->high;
    c->backslash |= b->backslash;
    note_places(x, (b->structure & ~inside) | quote | starts, base);
    uint64_t bad = b->control & inside;
    return UNLIKELY(bad) ? base + (size_t)__builtin_ctzll(bad) : SPAN_NONE;
}

static int fail(struct json_error *e, size_t at, const char *what) {
    if (e) {
        *e = (struct json_error){at, what};
    }
    return -EINVAL;
}

static int build_end(struct json_index *x, const struct carry *c, size_t bad, struct json_error *e) {
    /* Blanks behind the end make no entries; a quote noted last is that of the string that does not end. */
    x->has_high = c->high != 0;
    x->has_escape = c->backslash != 0;
    if (bad != SPAN_NONE) {
        return fail(e, bad, "control character in a string");
    }
    if (c->in_string) {
        return fail(e, x->at[x->count - 1], "a string does not end");
    }
    if (x->count > x->ceiling) {
        return -E2BIG;
    }
    return 0;
}

/* One function per engine, so that its classifier is compiled into the loop. */
#define DEFINE_BUILD(name, attribute, classify)                             \
    attribute static int name(struct json_index *x, struct json_error *e) { \
        struct carry c = {0};                                               \
        size_t bad = SPAN_NONE, len = x->text.len, at = 0;                  \
        for (; at < len && bad == SPAN_NONE; at += BLOCK) {                 \
            uint8_t last[BLOCK];                                            \
            const uint8_t *p = x->text.at + at;                             \
            if (UNLIKELY(len - at < BLOCK)) {                               \
                memset(last, ' ', BLOCK);                                   \
                memcpy(last, p, len - at);                                  \
                p = last;                                                   \
            }                                                               \
            int code = want_room(x);                                        \
            if (code < 0) {                                                 \
                return code;                                                \
            }                                                               \
            struct block b = classify(p);                                   \
            bad = take_block(x, &b, &c, (uint32_t)at);                      \
        }                                                                   \
        return build_end(x, &c, bad, e);                                    \
    }

DEFINE_BUILD(build_portable, , classify_portable)
#if HAS_X86
DEFINE_BUILD(build_sse2, , classify_sse2)
DEFINE_BUILD(build_avx2, __attribute__((target("avx2,bmi,popcnt"))), classify_avx2)
#else
#define build_sse2 build_portable
#define build_avx2 build_portable
#endif
static int (*const builds[JSON_ENGINES])(struct json_index *, struct json_error *) = {
    [JSON_PORTABLE] = build_portable,
    [JSON_SSE2] = build_sse2,
    [JSON_AVX2] = build_avx2,
};

bool json_engine_works(enum json_engine engine) {
#if HAS_X86
    __builtin_cpu_init();
    return engine != JSON_AVX2 ||
           (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("popcnt"));
#else
    return engine == JSON_PORTABLE;
#endif
}

int json_index_build_by(struct json_index *x, struct span text, enum json_engine engine, struct json_error *ret_error) {
    x->text = text;
    x->count = 0;
    x->has_escape = x->has_high = false;
    if (text.len > UINT32_MAX - BLOCK) {
        return -E2BIG;
    }
    int code = builds[engine](x, ret_error);
    if (code < 0) {
        x->count = 0; /* walks find nothing */
    }
    return code;
}

int json_index_build(struct json_index *x, struct span text, struct json_error *ret_error) {
    enum json_engine best = json_engine_works(JSON_AVX2) ? JSON_AVX2 : HAS_X86 ? JSON_SSE2 : JSON_PORTABLE;
    return json_index_build_by(x, text, best, ret_error);
}

/* --- places --- */

/* The byte at entry `i`, or 0 behind the last. */
static inline uint8_t byte_at(const struct json_index *x, uint32_t i) {
    return i < x->count ? x->text.at[x->at[i]] : 0;
}

/* What stands between the quotes at `i` and `i + 1`. Stage 1 notes them in pairs. */
static inline struct span between_quotes(const struct json_index *x, uint32_t i) {
    if (i + 1 >= x->count) {
        return (struct span){0};
    }
    return span_make(x->text.at + x->at[i] + 1, x->at[i + 1] - x->at[i] - 1);
}

/* A number or word: from its entry to the next, without blanks behind it. */
static struct span scalar_at(const struct json_index *x, uint32_t i) {
    size_t from = x->at[i], to = i + 1 < x->count ? x->at[i + 1] : x->text.len;
    while (to > from && (class_of[x->text.at[to - 1]] & BLANK)) {
        to--;
    }
    return span_make(x->text.at + from, to - from);
}

/* The entry behind the value at `i`. Quotes and what stands between brackets do not change the depth. */
static uint32_t behind(const struct json_index *x, uint32_t i) {
    static const int8_t steps[256] = {['{'] = 1, ['['] = 1, ['}'] = -1, [']'] = -1};
    uint8_t c = byte_at(x, i);
    if (c != '{' && c != '[') {
        return i + (c == '"' ? 2 : 1);
    }
    int64_t depth = 1;
    for (i++; i < x->count && depth; i++) {
        depth += steps[x->text.at[x->at[i]]];
    }
    return i;
}

/* --- check --- */

static bool is_digit(int c) {
    return c >= '0' && c <= '9';
}

static size_t digits_end(struct span s, size_t i) {
    while (is_digit(span_byte(s, i))) {
        i++;
    }
    return i;
}

/* How much of `s` is a number by the grammar; a number is all of it. */
static bool is_number(struct span s) {
    size_t i = span_byte(s, 0) == '-';
    size_t end = span_byte(s, i) == '0' ? i + 1 : digits_end(s, i);
    if (end == i) {
        return false;
    }
    i = end;
    if (span_byte(s, i) == '.') {
        end = digits_end(s, i + 1);
        if (end == i + 1) {
            return false;
        }
        i = end;
    }
    if ((span_byte(s, i) | 0x20) == 'e' && i < s.len) {
        i++;
        i += span_byte(s, i) == '+' || span_byte(s, i) == '-';
        end = digits_end(s, i);
        if (end == i) {
            return false;
        }
        i = end;
    }
    return i == s.len;
}

static int hex_digit(int c) {
    return is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* The four digits behind \u at `i`, or -1. */
static int32_t hex4(struct span s, size_t i) {
    int32_t value = 0;
    for (size_t k = i; k < i + 4; k++) {
        int digit = k < s.len ? hex_digit(s.at[k]) : -1;
        if (digit < 0) {
            return -1;
        }
        value = value << 4 | digit;
    }
    return value;
}

/* What a letter behind a backslash stands for; 0: nothing. */
static uint8_t unescaped(int letter) {
    switch (letter) {
    case '"':
    case '\\':
    case '/':
        return (uint8_t)letter;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Offset of the first wrong escape, or SPAN_NONE. */
static size_t wrong_escape(struct span s) {
    for (size_t i = span_find_byte(s, 0, '\\'); i != SPAN_NONE; i = span_find_byte(s, i, '\\')) {
        int letter = span_byte(s, i + 1);
        if (letter == 'u' ? hex4(s, i + 2) < 0 : !unescaped(letter)) {
            return i;
        }
        i += letter == 'u' ? 6 : 2;
    }
    return SPAN_NONE;
}

struct checking {
    const struct json_index *x;
    struct json_error *error;
    uint32_t i;
    uint32_t depth;
    uint64_t objects[JSON_DEPTH_MAX / 64]; /* a bit per open bracket: it is a brace */
};

static int wrong(const struct checking *c, const char *what) {
    return fail(c->error, c->i < c->x->count ? c->x->at[c->i] : c->x->text.len, what);
}

static bool in_object(const struct checking *c) {
    uint32_t top = c->depth - 1;
    return c->objects[top / 64] >> top % 64 & 1;
}

static int check_string(struct checking *c) {
    if (c->x->has_escape) {
        size_t bad = wrong_escape(between_quotes(c->x, c->i));
        if (bad != SPAN_NONE) {
            return fail(c->error, c->x->at[c->i] + 1 + bad, "wrong escape");
        }
    }
    c->i += 2;
    return 0;
}

static int check_scalar(struct checking *c) {
    if (c->i >= c->x->count) {
        return wrong(c, "a value must stand here");
    }
    struct span s = scalar_at(c->x, c->i);
    uint8_t first = s.len ? s.at[0] : 0;
    if (first == '-' || is_digit(first)) {
        if (!is_number(s)) {
            return wrong(c, "wrong number");
        }
    } else if (!span_is(s, "true") && !span_is(s, "false") && !span_is(s, "null")) {
        return wrong(c, "not a value");
    }
    c->i++;
    return 0;
}

static int check_key(struct checking *c) {
    if (byte_at(c->x, c->i) != '"') {
        return wrong(c, "a key must stand here");
    }
    int code = check_string(c);
    if (code == 0 && byte_at(c->x, c->i) != ':') {
        return wrong(c, "a colon must stand here");
    }
    c->i++;
    return code;
}

/* Opens the bracket at `i`. `*ret_done`: it is closed again at once. */
static int check_open(struct checking *c, bool object, bool *ret_done) {
    if (c->depth == JSON_DEPTH_MAX) {
        return wrong(c, "nested too deeply");
    }
    uint64_t bit = (uint64_t)1 << c->depth % 64;
    uint64_t *word = &c->objects[c->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    c->depth++;
    c->i++;
    *ret_done = byte_at(c->x, c->i) == (object ? '}' : ']');
    if (*ret_done) {
        c->depth--;
        c->i++;
        return 0;
    }
    return object ? check_key(c) : 0;
}

/* Behind a value: closing brackets, then a comma with what must follow it, or the end. */
static int check_behind(struct checking *c) {
    while (c->depth && byte_at(c->x, c->i) == (in_object(c) ? '}' : ']')) {
        c->depth--;
        c->i++;
    }
    if (c->depth == 0) {
        return c->i == c->x->count ? 0 : wrong(c, "more than one value");
    }
    if (byte_at(c->x, c->i) != ',') {
        return wrong(c, in_object(c) ? "a comma or } must stand here" : "a comma or ] must stand here");
    }
    c->i++;
    return in_object(c) ? check_key(c) : 0;
}

int json_check(const struct json_index *x, struct json_error *ret_error) {
    struct checking c = {.x = x, .error = ret_error};
    int code;
    do {
        uint8_t byte = byte_at(x, c.i);
        bool done = true;
        if (byte == '{' || byte == '[') {
            code = check_open(&c, byte == '{', &done);
        } else {
            code = byte == '"' ? check_string(&c) : check_scalar(&c);
        }
        if (code == 0 && done) {
            code = check_behind(&c);
        }
    } while (code == 0 && c.depth);
    if (code == 0 && x->has_high) {
        size_t valid = utf8_valid_length(x->text);
        if (valid < x->text.len) {
            return fail(ret_error, valid, "not UTF-8");
        }
    }
    return code;
}

/* --- walks --- */

struct json_ref json_root(const struct json_index *x) {
    return (struct json_ref){x, 0};
}

enum json_kind json_kind_of(struct json_ref v) {
    switch (byte_at(v.index, v.i)) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
        return JSON_NULL;
    case '-':
    case '0' ... '9':
        return JSON_NUMBER;
    default:
        return JSON_NONE;
    }
}

struct span json_raw_of(struct json_ref v) {
    const struct json_index *x = v.index;
    switch (json_kind_of(v)) {
    case JSON_NONE:
        return (struct span){0};
    case JSON_OBJECT:
    case JSON_ARRAY:
    case JSON_STRING: {
        uint32_t last = MIN(behind(x, v.i), x->count) - 1;
        return span_make(x->text.at + x->at[v.i], x->at[last] + 1 - x->at[v.i]);
    }
    default:
        return scalar_at(x, v.i);
    }
}

struct json_walk json_walk_over(struct json_ref v) {
    enum json_kind kind = json_kind_of(v);
    bool inside = kind == JSON_OBJECT || kind == JSON_ARRAY;
    return (struct json_walk){v.index, inside ? v.i + 1 : v.index->count, kind == JSON_OBJECT, true, false};
}

/* Moves from behind a value to the next one; false at the end of the object or array. */
static bool walk_on(struct json_walk *w) {
    uint8_t c = byte_at(w->index, w->i), end = w->object ? '}' : ']';
    if (c == end || w->i >= w->index->count) {
        return false;
    }
    if (w->first) {
        w->first = false;
        return true;
    }
    w->failed = c != ',';
    w->i++;
    return !w->failed;
}

bool json_walk_next(struct json_walk *w, struct span *ret_key, struct json_ref *ret_value) {
    *ret_key = (struct span){0};
    if (w->failed || !walk_on(w)) {
        return false;
    }
    if (w->object) {
        if (byte_at(w->index, w->i) != '"' || byte_at(w->index, w->i + 2) != ':') {
            w->failed = true;
            return false;
        }
        *ret_key = between_quotes(w->index, w->i);
        w->i += 3;
    }
    *ret_value = (struct json_ref){w->index, w->i};
    if (json_kind_of(*ret_value) == JSON_NONE) {
        w->failed = true;
        return false;
    }
    w->i = behind(w->index, w->i);
    return true;
}

static bool unescape(struct span s, struct buf *to);

/* `key` in the text may be written with escapes. */
static bool key_is(const struct json_index *x, struct span key, struct span wanted) {
    if (LIKELY(span_equal(key, wanted))) {
        return !x->has_escape || span_find_byte(key, 0, '\\') == SPAN_NONE;
    }
    if (!x->has_escape || key.len <= wanted.len || span_find_byte(key, 0, '\\') == SPAN_NONE) {
        return false;
    }
    struct buf plain;
    buf_init(&plain, key.len);
    bool equal = unescape(key, &plain) && span_equal(buf_span(&plain), wanted);
    buf_done(&plain);
    return equal;
}

struct json_ref json_find(struct json_ref object, struct span key) {
    struct json_walk w = json_walk_over(object);
    struct json_ref value;
    struct span found;
    while (w.object && json_walk_next(&w, &found, &value)) {
        if (key_is(object.index, found, key)) {
            return value;
        }
    }
    return (struct json_ref){object.index, object.index->count};
}

/* --- scalars --- */

static void add_utf8(struct buf *to, uint32_t point) {
    if (point < 0x80) {
        buf_add_byte(to, (uint8_t)point);
    } else if (point < 0x800) {
        buf_add(to, (uint8_t[]){(uint8_t)(0xc0 | point >> 6), (uint8_t)(0x80 | (point & 63))}, 2);
    } else if (point < 0x10000) {
        buf_add(to,
                (uint8_t[]){(uint8_t)(0xe0 | point >> 12), (uint8_t)(0x80 | (point >> 6 & 63)),
                            (uint8_t)(0x80 | (point & 63))},
                3);
    } else {
        buf_add(to,
                (uint8_t[]){(uint8_t)(0xf0 | point >> 18), (uint8_t)(0x80 | (point >> 12 & 63)),
                            (uint8_t)(0x80 | (point >> 6 & 63)), (uint8_t)(0x80 | (point & 63))},
                4);
    }
}

/* The code point of \u at `*i`, which moves behind it and behind the second half of a pair. */
static int32_t escaped_point(struct span s, size_t *i) {
    int32_t first = hex4(s, *i + 2);
    *i += 6;
    if (first >= 0xd800 && first < 0xdc00 && span_byte(s, *i) == '\\' && span_byte(s, *i + 1) == 'u') {
        int32_t second = hex4(s, *i + 2);
        if (second >= 0xdc00 && second < 0xe000) {
            *i += 6;
            return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        }
    }
    return first >= 0xd800 && first < 0xe000 ? 0xfffd : first;
}

static bool unescape(struct span s, struct buf *to) {
    for (size_t i = 0; i < s.len;) {
        size_t escape = span_find_byte(s, i, '\\');
        size_t plain = escape == SPAN_NONE ? s.len : escape;
        buf_add_span(to, span_sub(s, i, plain - i));
        if (escape == SPAN_NONE) {
            break;
        }
        i = escape;
        int letter = span_byte(s, i + 1);
        if (letter == 'u') {
            int32_t point = escaped_point(s, &i);
            if (point < 0) {
                return false;
            }
            add_utf8(to, (uint32_t)point);
        } else {
            uint8_t byte = unescaped(letter);
            if (!byte) {
                return false;
            }
            buf_add_byte(to, byte);
            i += 2;
        }
    }
    return !to->overflowed;
}

bool json_string(struct json_ref v, struct buf *scratch, struct span *ret_text) {
    if (json_kind_of(v) != JSON_STRING) {
        return false;
    }
    struct span s = between_quotes(v.index, v.i);
    if (!v.index->has_escape || span_find_byte(s, 0, '\\') == SPAN_NONE) {
        *ret_text = s;
        return true;
    }
    size_t before = scratch->len;
    if (!unescape(s, scratch)) {
        scratch->len = before;
        return false;
    }
    *ret_text = span_from(buf_span(scratch), before);
    return true;
}

bool json_number_u64(struct json_ref v, uint64_t *ret_value) {
    return json_kind_of(v) == JSON_NUMBER && span_decimal(scalar_at(v.index, v.i), UINT64_MAX, ret_value);
}

bool json_number_i64(struct json_ref v, int64_t *ret_value) {
    if (json_kind_of(v) != JSON_NUMBER) {
        return false;
    }
    struct span s = scalar_at(v.index, v.i);
    bool negative = s.at[0] == '-';
    uint64_t value;
    if (!span_decimal(span_from(s, negative), (uint64_t)INT64_MAX + negative, &value)) {
        return false;
    }
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

bool json_number_double(struct json_ref v, double *ret_value) {
    char text[301];
    if (json_kind_of(v) != JSON_NUMBER) {
        return false;
    }
    struct span s = scalar_at(v.index, v.i);
    if (s.len >= sizeof(text) || !is_number(s)) {
        return false;
    }
    *span_copy_to(s, (uint8_t *)text) = 0;
    *ret_value = strtod(text, NULL);
    return true;
}

bool json_truth(struct json_ref v, bool *ret_value) {
    if (json_kind_of(v) != JSON_BOOL) {
        return false;
    }
    struct span s = scalar_at(v.index, v.i);
    if (!span_is(s, "true") && !span_is(s, "false")) {
        return false;
    }
    *ret_value = s.at[0] == 't';
    return true;
}
