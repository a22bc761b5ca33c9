/* digest.c: see digest.h. */
#include "auth/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/digest.h"
#include "base/util.h"

/* --- the header --- */

static struct span *part_named(struct digest_parts *p, struct span name) {
    const struct {
        const char *name;
        struct span *to;
    } parts[] = {{"username", &p->username}, {"realm", &p->realm},       {"nonce", &p->nonce},
                 {"uri", &p->uri},           {"response", &p->response}, {"algorithm", &p->algorithm},
                 {"qop", &p->qop},           {"cnonce", &p->cnonce},     {"nc", &p->nc}};
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (span_equal_fold(name, span_text(parts[i].name))) {
            return parts[i].to;
        }
    }
    return NULL;
}

static bool is_separator(int c) {
    return c == ' ' || c == '\t' || c == ',';
}

/* A quoted string without its quotes. Nothing that we take holds a quote or a backslash, so neither may a value: what
 * must be compared byte for byte should have one spelling. */
static int quoted_read(struct span text, size_t *at, struct span *ret_value) {
    size_t begin = *at + 1, end = span_find_byte(text, begin, '"');
    if (end == SPAN_NONE || span_find_byte(span_sub(text, begin, end - begin), 0, '\\') != SPAN_NONE) {
        return -EINVAL;
    }
    *ret_value = span_make(text.at + begin, end - begin);
    *at = end + 1;
    return 0;
}

int digest_parse(struct span text, struct digest_parts *ret_parts) {
    *ret_parts = (struct digest_parts){0};
    size_t at = 0;
    for (;;) {
        while (at < text.len && is_separator(text.at[at])) {
            at++;
        }
        if (at == text.len) {
            return 0;
        }
        size_t equals = span_find_byte(text, at, '=');
        if (equals == SPAN_NONE) {
            return -EINVAL;
        }
        struct span name = span_trim(span_sub(text, at, equals - at)), value;
        at = equals + 1;
        while (span_byte(text, at) == ' ') {
            at++;
        }
        if (span_byte(text, at) == '"') {
            if (quoted_read(text, &at, &value) < 0) {
                return -EINVAL;
            }
        } else {
            size_t begin = at;
            while (at < text.len && !is_separator(text.at[at]) && text.at[at] != '"') {
                at++;
            }
            value = span_make(text.at + begin, at - begin);
        }
        if (at < text.len && !is_separator(text.at[at])) {
            return -EINVAL;
        }
        struct span *to = part_named(ret_parts, name);
        if (to && to->at) {
            return -EINVAL;
        }
        if (to) {
            *to = value;
        }
    }
}

enum digest_kind_of digest_algorithm(struct span name) {
    static const char *const names[] = {"MD5", "MD5-sess", "SHA-256", "SHA-256-sess"};
    if (!name.at) {
        return DIGEST_OF_MD5;
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_equal_fold(name, span_text(names[i]))) {
            return (enum digest_kind_of)i;
        }
    }
    return DIGEST_OF_OTHER;
}

/* Hash of the parts joined by ':', as hexadecimal. */
static void joined_hash(bool sha256, const struct span *parts, size_t count, char ret[HASH_TEXT]) {
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool good = c && EVP_DigestInit_ex(c, sha256 ? EVP_sha256() : EVP_md5(), NULL) == 1;
    for (size_t i = 0; good && i < count; i++) {
        good = (i == 0 || EVP_DigestUpdate(c, ":", 1) == 1) && EVP_DigestUpdate(c, parts[i].at, parts[i].len) == 1;
    }
    good = good && EVP_DigestFinal_ex(c, bytes, &len) == 1;
    EVP_MD_CTX_free(c);
    hex_write(bytes, good ? len : 0, ret);
    ret[good ? 2 * len : 0] = 0;
}

void digest_response(const struct digest_parts *p, enum digest_kind_of kind, const char *secret_hex, const char *method,
                     char ret[HASH_TEXT]) {
    char first[HASH_TEXT], second[HASH_TEXT];
    bool sha256 = kind == DIGEST_OF_SHA256 || kind == DIGEST_OF_SHA256_SESS;
    struct span a1 = span_text(secret_hex);
    if (kind == DIGEST_OF_MD5_SESS || kind == DIGEST_OF_SHA256_SESS) {
        joined_hash(sha256, (struct span[]){a1, p->nonce, p->cnonce}, 3, first);
        a1 = span_text(first);
    }
    joined_hash(sha256, (struct span[]){span_text(method), p->uri}, 2, second);
    joined_hash(sha256, (struct span[]){a1, p->nonce, p->nc, p->cnonce, p->qop, span_text(second)}, 6, ret);
}

/* --- nonces: 6 bytes time, 10 random, 16 of the signature; 43 characters --- */

#define NONCE_TIME 6
#define NONCE_HEAD 16
#define NONCE_BYTES 32

int nonce_make(const struct secret *s, int64_t now_ms, char ret[NONCE_TEXT]) {
    uint8_t bytes[NONCE_BYTES], signature[SIGNATURE_BYTES];
    int code = random_fill(bytes, NONCE_HEAD);
    for (int i = 0; i < NONCE_TIME; i++) {
        bytes[i] = (uint8_t)(now_ms >> (8 * (NONCE_TIME - 1 - i)));
    }
    secret_sign(s, "nonce", span_make(bytes, NONCE_HEAD), signature);
    memcpy(bytes + NONCE_HEAD, signature, NONCE_BYTES - NONCE_HEAD);
    base64url_write(bytes, sizeof(bytes), ret);
    return code;
}

static bool nonce_read(struct span text, uint8_t ret[NONCE_BYTES]) {
    return base64url_read(text, ret, NONCE_BYTES) == NONCE_BYTES;
}

static int64_t nonce_time(const uint8_t bytes[NONCE_HEAD]) {
    int64_t time = 0;
    for (int i = 0; i < NONCE_TIME; i++) {
        time = time << 8 | bytes[i];
    }
    return time;
}

enum nonce_verdict nonce_check(const struct secret *s, struct span nonce, int64_t now_ms) {
    uint8_t bytes[NONCE_BYTES], signature[SIGNATURE_BYTES];
    if (!nonce_read(nonce, bytes)) {
        return NONCE_BAD;
    }
    secret_sign(s, "nonce", span_make(bytes, NONCE_HEAD), signature);
    if (!secret_equal(span_make(bytes + NONCE_HEAD, NONCE_BYTES - NONCE_HEAD),
                      span_make(signature, NONCE_BYTES - NONCE_HEAD))) {
        return NONCE_BAD;
    }
    int64_t age = now_ms - nonce_time(bytes);
    return age < -1000 || age > NONCE_VALID_MS ? NONCE_STALE : NONCE_GOOD;
}

/* --- counts --- */

#define ROWS 4096
#define WAYS 8 /* rows a nonce may lie in */

struct row {
    uint8_t name[NONCE_HEAD]; /* all zero: free */
    uint32_t highest;         /* count */
    uint64_t seen;            /* bit i: highest - i was used */
};

struct nonce_table {
    pthread_mutex_t lock;
    int64_t floor[ROWS / WAYS]; /* newest time of those that gave way */
    struct row rows[ROWS];
};

struct nonce_table *nonce_table_new(void) {
    struct nonce_table *t = calloc(1, sizeof(*t));
    if (t) {
        (void)pthread_mutex_init(&t->lock, NULL);
    }
    return t;
}

struct nonce_table *nonce_table_free(struct nonce_table *t) {
    if (t) {
        (void)pthread_mutex_destroy(&t->lock);
        free(t);
    }
    return NULL;
}

static bool count_read(struct span text, uint32_t *ret) {
    uint32_t value = 0;
    if (text.len != 8) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        int c = text.at[i] | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0) {
            return false;
        }
        value = value << 4 | (uint32_t)digit;
    }
    *ret = value;
    return value != 0;
}

/* Clients send several requests at once, so counts come a little out of order; how far back is bounded. */
static enum nonce_verdict count_take(struct row *r, uint32_t count) {
    if (count > r->highest) {
        uint32_t ahead = count - r->highest;
        r->seen = ahead < 64 ? r->seen << ahead | 1 : 1;
        r->highest = count;
        return NONCE_GOOD;
    }
    uint32_t behind = r->highest - count;
    if (behind >= 64 || (r->seen >> behind & 1)) {
        return NONCE_REPLAY;
    }
    r->seen |= (uint64_t)1 << behind;
    return NONCE_GOOD;
}

/* The nonce's row, or the oldest of its group, which gives way. */
static struct row *row_find(struct nonce_table *t, const uint8_t name[NONCE_HEAD], size_t group) {
    static const uint8_t none[NONCE_HEAD];
    struct row *rows = &t->rows[group * WAYS], *oldest = rows;
    for (size_t i = 0; i < WAYS; i++) {
        if (memcmp(rows[i].name, name, NONCE_HEAD) == 0) {
            return &rows[i];
        }
        if (memcmp(rows[i].name, oldest->name, NONCE_HEAD) < 0) {
            oldest = &rows[i];
        }
    }
    int64_t time = nonce_time(name);
    if (time <= t->floor[group]) {
        return NULL;
    }
    if (memcmp(oldest->name, none, NONCE_HEAD) != 0) {
        int64_t gone = nonce_time(oldest->name);
        if (gone >= time) {
            return NULL;
        }
        t->floor[group] = MAX(t->floor[group], gone);
    }
    *oldest = (struct row){0};
    memcpy(oldest->name, name, NONCE_HEAD);
    return oldest;
}

enum nonce_verdict nonce_use(struct nonce_table *t, struct span nonce, struct span nc) {
    uint8_t bytes[NONCE_BYTES];
    uint32_t count;
    if (!nonce_read(nonce, bytes) || !count_read(nc, &count)) {
        return NONCE_BAD;
    }
    size_t group = (size_t)(bytes[NONCE_HEAD - 1] << 8 | bytes[NONCE_HEAD - 2]) % (ROWS / WAYS);
    (void)pthread_mutex_lock(&t->lock);
    struct row *r = row_find(t, bytes, group);
    enum nonce_verdict verdict = r ? count_take(r, count) : NONCE_STALE;
    (void)pthread_mutex_unlock(&t->lock);
    return verdict;
}
