/* md5_lanes.c: see md5_lanes.h. Two vectors of eight lanes are kept going together: one alone would wait for itself
 * half the time. Lanes that have come to the end of their text take the next; the last one or two texts, which would
 * leave most lanes empty, are left to OpenSSL. */
#define OPENSSL_API_COMPAT 0x10101000L /* MD5_Update and its like are what is wanted here */
#include "base/md5_lanes.h"

#include <openssl/md5.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define LANES 16
#define FEW 2                    /* so many texts alone are quicker one by one */
#define ROOM ((size_t)512 << 10) /* with less, a few long texts leave lanes empty more often */
#define PIECES 4096

struct md5_piece {
    struct md5_piece *next; /* of the same text */
    const uint8_t *at;
    size_t blocks;
};

struct md5_lanes {
    struct md5_text *first, *last; /* that have pieces, in the order in which they came */
    size_t used, piece_count;
    struct md5_piece pieces[PIECES];
    uint8_t room[ROOM];
};

struct md5_lanes *md5_lanes_new(void) {
    struct md5_lanes *l = __builtin_cpu_supports("avx2") ? malloc(sizeof(*l)) : NULL;
    if (l) {
        l->first = l->last = NULL;
        l->used = l->piece_count = 0;
    }
    return l;
}

/* --- the lanes --- */

/* State of the lanes: word by word, so that a vector holds the same word of eight texts. */
struct lanes {
    uint32_t state[4][LANES];
    const uint8_t *at[LANES]; /* where the next block of each is; never NULL */
};

typedef uint32_t vector __attribute__((vector_size(32)));
#define AVX2 __attribute__((target("avx2")))

static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391,
};

/* Eight words of eight texts at `offset` of each: turned so that each vector holds one word of all. */
AVX2 static void load_words(const uint8_t *const at[8], size_t offset, vector ret_words[8]) {
    __m256i row[8], pair[8], four[8];
    for (unsigned i = 0; i < 8; i++) {
        row[i] = _mm256_loadu_si256((const __m256i *)(const void *)(at[i] + offset));
    }
    for (unsigned i = 0; i < 8; i += 2) {
        pair[i] = _mm256_unpacklo_epi32(row[i], row[i + 1]);
        pair[i + 1] = _mm256_unpackhi_epi32(row[i], row[i + 1]);
    }
    for (unsigned i = 0; i < 8; i += 4) {
        four[i] = _mm256_unpacklo_epi64(pair[i], pair[i + 2]);
        four[i + 1] = _mm256_unpackhi_epi64(pair[i], pair[i + 2]);
        four[i + 2] = _mm256_unpacklo_epi64(pair[i + 1], pair[i + 3]);
        four[i + 3] = _mm256_unpackhi_epi64(pair[i + 1], pair[i + 3]);
    }
    for (unsigned i = 0; i < 4; i++) {
        ret_words[i] = (vector)_mm256_permute2x128_si256(four[i], four[i + 4], 0x20);
        ret_words[i + 4] = (vector)_mm256_permute2x128_si256(four[i], four[i + 4], 0x31);
    }
}

/* The functions of RFC 1321 3.4, in forms that wait for `b`, the newest, as little as possible. */
#define F1(b, c, d) ((d) ^ ((b) & ((c) ^ (d))))
#define F2(b, c, d) (((c) & ~(d)) + ((b) & (d)))
#define F3(b, c, d) ((b) ^ ((c) ^ (d)))
#define F4(b, c, d) ((c) ^ ((b) | ~(d)))

#define TURN(x, left) (((x) << (left)) | ((x) >> (32 - (left))))

/* One step for both vectors; `n` is its number, `k` the word it takes. */
#define STEP(F, a, b, c, d, n, k, left)                       \
    do {                                                      \
        a[0] += words[0][k] + sines[n] + F(b[0], c[0], d[0]); \
        a[1] += words[1][k] + sines[n] + F(b[1], c[1], d[1]); \
        a[0] = TURN(a[0], left) + b[0];                       \
        a[1] = TURN(a[1], left) + b[1];                       \
    } while (0)

/* Sixteen steps; step `i` of them takes the word `factor` * i + `plus`. */
#define ROUND(F, from, factor, plus, left0, left1, left2, left3)                        \
    for (unsigned i = 0; i < 16; i += 4) {                                              \
        STEP(F, a, b, c, d, (from) + i, ((factor)*i + (plus)) % 16, left0);             \
        STEP(F, d, a, b, c, (from) + i + 1, ((factor) * (i + 1) + (plus)) % 16, left1); \
        STEP(F, c, d, a, b, (from) + i + 2, ((factor) * (i + 2) + (plus)) % 16, left2); \
        STEP(F, b, c, d, a, (from) + i + 3, ((factor) * (i + 3) + (plus)) % 16, left3); \
    }

/* `blocks` blocks of every lane. */
AVX2 static void lanes_run(struct lanes *l, size_t blocks) {
    vector words[2][16], a[2], b[2], c[2], d[2], old[4][2];
    for (unsigned half = 0; half < 2; half++) {
        memcpy(&a[half], l->state[0] + 8 * half, sizeof(vector));
        memcpy(&b[half], l->state[1] + 8 * half, sizeof(vector));
        memcpy(&c[half], l->state[2] + 8 * half, sizeof(vector));
        memcpy(&d[half], l->state[3] + 8 * half, sizeof(vector));
    }
    for (size_t done = 0; done < blocks; done++) {
        for (unsigned half = 0; half < 2; half++) {
            load_words(l->at + 8 * half, done * MD5_BLOCK, words[half]);
            load_words(l->at + 8 * half, done * MD5_BLOCK + 32, words[half] + 8);
            old[0][half] = a[half];
            old[1][half] = b[half];
            old[2][half] = c[half];
            old[3][half] = d[half];
        }
        ROUND(F1, 0, 1, 0, 7, 12, 17, 22)
        ROUND(F2, 16, 5, 1, 5, 9, 14, 20)
        ROUND(F3, 32, 3, 5, 4, 11, 16, 23)
        ROUND(F4, 48, 7, 0, 6, 10, 15, 21)
        for (unsigned half = 0; half < 2; half++) {
            a[half] += old[0][half];
            b[half] += old[1][half];
            c[half] += old[2][half];
            d[half] += old[3][half];
        }
    }
    for (unsigned half = 0; half < 2; half++) {
        memcpy(l->state[0] + 8 * half, &a[half], sizeof(vector));
        memcpy(l->state[1] + 8 * half, &b[half], sizeof(vector));
        memcpy(l->state[2] + 8 * half, &c[half], sizeof(vector));
        memcpy(l->state[3] + 8 * half, &d[half], sizeof(vector));
    }
}

/* --- who is in which lane --- */

struct seat {
    struct md5_text *text; /* NULL: nobody */
    size_t blocks;         /* left of its piece */
};

static void one_by_one(struct md5_text *t) {
    MD5_CTX c = {.A = t->state[0], .B = t->state[1], .C = t->state[2], .D = t->state[3]};
    for (const struct md5_piece *p = t->first; p; p = p->next) {
        (void)MD5_Update(&c, p->at, p->blocks * MD5_BLOCK);
    }
    t->state[0] = c.A;
    t->state[1] = c.B;
    t->state[2] = c.C;
    t->state[3] = c.D;
    t->first = t->last = NULL;
}

static struct md5_text *take_waiting(struct md5_lanes *l) {
    struct md5_text *t = l->first;
    if (t) {
        l->first = t->next;
    }
    return t;
}

static void sit_down(struct lanes *lanes, struct seat *seats, unsigned lane, struct md5_text *t) {
    seats[lane] = (struct seat){t, t->first->blocks};
    lanes->at[lane] = t->first->at;
    for (unsigned i = 0; i < 4; i++) {
        lanes->state[i][lane] = t->state[i];
    }
}

/* The state goes back into the text, which keeps the pieces that are not done. */
static void stand_up(const struct lanes *lanes, struct seat *seats, unsigned lane) {
    struct md5_text *t = TAKE(seats[lane].text);
    for (unsigned i = 0; i < 4; i++) {
        t->state[i] = lanes->state[i][lane];
    }
    if (t->first) {
        t->first->at = lanes->at[lane];
        t->first->blocks = seats[lane].blocks;
    }
}

/* Goes on by as many blocks as the shortest piece has. */
static void go_on(struct lanes *lanes, struct seat *seats) {
    size_t blocks = SIZE_MAX;
    const uint8_t *somewhere = NULL;
    for (unsigned i = 0; i < LANES; i++) {
        if (seats[i].text) {
            blocks = MIN(blocks, seats[i].blocks);
            somewhere = lanes->at[i];
        }
    }
    for (unsigned i = 0; i < LANES; i++) {
        lanes->at[i] = seats[i].text ? lanes->at[i] : somewhere; /* an empty lane follows another one */
    }
    lanes_run(lanes, blocks);
    for (unsigned i = 0; i < LANES; i++) {
        struct md5_text *t = seats[i].text;
        lanes->at[i] += blocks * MD5_BLOCK;
        seats[i].blocks -= t ? blocks : 0;
        if (t && seats[i].blocks == 0) {
            t->first = t->first->next;
            if (t->first) {
                lanes->at[i] = t->first->at;
                seats[i].blocks = t->first->blocks;
            } else {
                t->last = NULL;
                stand_up(lanes, seats, i);
            }
        }
    }
}

void md5_lanes_run(struct md5_lanes *l) {
    struct lanes lanes = {0};
    struct seat seats[LANES] = {0};
    for (;;) {
        unsigned taken = 0;
        for (unsigned i = 0; i < LANES; i++) {
            struct md5_text *t = seats[i].text ? NULL : take_waiting(l);
            if (t) {
                sit_down(&lanes, seats, i, t);
            }
            taken += seats[i].text != NULL;
        }
        if (taken <= FEW) {
            break;
        }
        go_on(&lanes, seats);
    }
    for (unsigned i = 0; i < LANES; i++) {
        struct md5_text *t = seats[i].text;
        if (t) {
            stand_up(&lanes, seats, i);
            one_by_one(t);
        }
    }
    l->last = NULL;
    l->used = l->piece_count = 0;
}

/* --- texts --- */

/* The piece that the next blocks of `t` go into, behind what is used of the room. */
static struct md5_piece *want_piece(struct md5_lanes *l, struct md5_text *t) {
    struct md5_piece *p = t->last;
    if (p && p->at + p->blocks * MD5_BLOCK == l->room + l->used) {
        return p;
    }
    p = &l->pieces[l->piece_count++];
    *p = (struct md5_piece){.at = l->room + l->used};
    if (t->last) {
        t->last->next = p;
    } else {
        t->first = p;
        t->next = NULL;
        *(l->last ? &l->last->next : &l->first) = t;
        l->last = t;
    }
    t->last = p;
    return p;
}

static void add_blocks(struct md5_lanes *l, struct md5_text *t, const uint8_t *at, size_t blocks) {
    while (blocks) {
        if (l->used == ROOM || l->piece_count == PIECES) {
            md5_lanes_run(l);
        }
        size_t n = MIN(blocks, (ROOM - l->used) / MD5_BLOCK);
        want_piece(l, t)->blocks += n;
        memcpy(l->room + l->used, at, n * MD5_BLOCK);
        l->used += n * MD5_BLOCK;
        at += n * MD5_BLOCK;
        blocks -= n;
    }
}

void md5_text_add(struct md5_lanes *l, struct md5_text *t, struct span data) {
    size_t have = t->len % MD5_BLOCK;
    t->len += data.len;
    if (have) {
        size_t n = MIN(MD5_BLOCK - have, data.len);
        memcpy(t->rest + have, data.at, n);
        data = span_from(data, n);
        if (have + n < MD5_BLOCK) {
            return;
        }
        add_blocks(l, t, t->rest, 1);
    }
    add_blocks(l, t, data.at, data.len / MD5_BLOCK);
    struct span rest = span_from(data, data.len - data.len % MD5_BLOCK);
    if (rest.len) {
        memcpy(t->rest, rest.at, rest.len);
    }
}

/* RFC 1321 3.1 and 3.2: a bit, zeros, the length in bits. */
void md5_text_end(struct md5_lanes *l, struct md5_text *t) {
    static const uint8_t padding[MD5_BLOCK] = {0x80};
    uint8_t bits[8];
    for (unsigned i = 0; i < 8; i++) {
        bits[i] = (uint8_t)(t->len << 3 >> 8 * i);
    }
    md5_text_add(l, t, span_make(padding, 1 + (119 - t->len % MD5_BLOCK) % MD5_BLOCK));
    md5_text_add(l, t, span_make(bits, sizeof(bits)));
}

#else /* another processor: digest.c goes without lanes when there are none */

struct md5_lanes *md5_lanes_new(void) {
    return NULL;
}

void md5_lanes_run(struct md5_lanes *l) {
    (void)l;
}

void md5_text_add(struct md5_lanes *l, struct md5_text *t, struct span data) {
    (void)l;
    (void)t;
    (void)data;
}

void md5_text_end(struct md5_lanes *l, struct md5_text *t) {
    (void)l;
    (void)t;
}

#endif

struct md5_lanes *md5_lanes_free(struct md5_lanes *l) {
    free(l);
    return NULL;
}

void md5_text_begin(struct md5_text *t) {
    *t = (struct md5_text){.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}};
}

void md5_text_digest(const struct md5_text *t, uint8_t ret_digest[MD5_LENGTH]) {
    for (unsigned i = 0; i < MD5_LENGTH; i++) {
        ret_digest[i] = (uint8_t)(t->state[i / 4] >> 8 * (i % 4));
    }
}
