/* digest.c: the block functions of OpenSSL called directly, without the EVP layer: for short texts that layer costs as
 * much as the digest. EVP is asked once whether an algorithm is allowed (MD5 is not under FIPS).
 *
 * Texts that repeat (what clients and servers say of themselves) are remembered: one table, the place given by a quick
 * hash, the text compared whole. Whoever makes texts collide on purpose makes misses, not wrong digests.
 */
#define OPENSSL_API_COMPAT 0x10101000L /* MD5_Init and its like are what is wanted here */
#include "base/digest.h"

#include <openssl/evp.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define MEMO_ENTRIES 256
#define MEMO_TEXT_MAX 1984 /* most certificates */

union digest_state {
    MD5_CTX md5;
    SHA_CTX sha1;
    SHA256_CTX sha256;
};

struct memo {
    uint64_t hash;
    uint32_t len; /* 0: empty */
    uint8_t kind, digest_len;
    uint8_t digest[DIGEST_MAX];
    uint8_t text[MEMO_TEXT_MAX];
};

struct digests {
    bool allowed[DIGEST_KINDS];
    struct memo *memo;
};

static const char *const algorithm_names[DIGEST_KINDS] = {"MD5", "SHA1", "SHA256"};

struct digests *digests_new(void) {
    struct digests *d = calloc(1, sizeof(*d));
    struct memo *memo = calloc(MEMO_ENTRIES, sizeof(*memo));
    if (!d || !memo) {
        free(memo);
        free(d);
        return NULL;
    }
    d->memo = memo;
    for (unsigned k = 0; k < DIGEST_KINDS; k++) {
        EVP_MD *algorithm = EVP_MD_fetch(NULL, algorithm_names[k], NULL);
        d->allowed[k] = algorithm != NULL;
        EVP_MD_free(algorithm);
    }
    return d;
}

struct digests *digests_free(struct digests *d) {
    if (!d) {
        return NULL;
    }
    free(d->memo);
    free(d);
    return NULL;
}

static void state_init(union digest_state *state, enum digest_kind kind) {
    switch (kind) {
    case DIGEST_MD5:
        (void)MD5_Init(&state->md5);
        break;
    case DIGEST_SHA1:
        (void)SHA1_Init(&state->sha1);
        break;
    default:
        (void)SHA256_Init(&state->sha256);
    }
}

static void state_add(union digest_state *state, enum digest_kind kind, struct span data) {
    switch (kind) {
    case DIGEST_MD5:
        (void)MD5_Update(&state->md5, data.at, data.len);
        break;
    case DIGEST_SHA1:
        (void)SHA1_Update(&state->sha1, data.at, data.len);
        break;
    default:
        (void)SHA256_Update(&state->sha256, data.at, data.len);
    }
}

static size_t state_end(union digest_state *state, enum digest_kind kind, uint8_t ret_digest[DIGEST_MAX]) {
    switch (kind) {
    case DIGEST_MD5:
        return MD5_Final(ret_digest, &state->md5) == 1 ? MD5_DIGEST_LENGTH : 0;
    case DIGEST_SHA1:
        return SHA1_Final(ret_digest, &state->sha1) == 1 ? SHA_DIGEST_LENGTH : 0;
    default:
        return SHA256_Final(ret_digest, &state->sha256) == 1 ? SHA256_DIGEST_LENGTH : 0;
    }
}

size_t digest_once(struct digests *d, enum digest_kind kind, struct span data, uint8_t ret_digest[DIGEST_MAX]) {
    if (!d->allowed[kind]) {
        return 0;
    }
    union digest_state state;
    state_init(&state, kind);
    if (data.len) {
        state_add(&state, kind, data);
    }
    return state_end(&state, kind, ret_digest);
}

static uint64_t quick_hash(struct span text, enum digest_kind kind) {
    const uint64_t odd = 0x9e3779b97f4a7c15u;
    uint64_t a = text.len * odd, b = kind + 1, word[2];
    size_t i = 0;
    for (; i + 16 <= text.len; i += 16) {
        memcpy(word, text.at + i, 16);
        a = (a ^ word[0]) * odd;
        b = (b ^ word[1]) * odd;
        a ^= a >> 32;
        b ^= b >> 29;
    }
    memcpy(word, text.at + text.len - 16, 16);
    a = ((a ^ word[0]) * odd) ^ ((b ^ word[1]) * odd >> 31);
    return a ^ a >> 32;
}

size_t digest_memo(struct digests *d, enum digest_kind kind, struct span text, uint8_t ret_digest[DIGEST_MAX]) {
    if (text.len < 16 || text.len > MEMO_TEXT_MAX) {
        return digest_once(d, kind, text, ret_digest);
    }
    uint64_t hash = quick_hash(text, kind);
    struct memo *m = &d->memo[hash % MEMO_ENTRIES];
    if (m->hash != hash || m->kind != kind || m->len != text.len || memcmp(m->text, text.at, text.len) != 0) {
        m->digest_len = (uint8_t)digest_once(d, kind, text, m->digest);
        m->hash = hash;
        m->kind = (uint8_t)kind;
        m->len = (uint32_t)text.len;
        memcpy(m->text, text.at, text.len);
    }
    memcpy(ret_digest, m->digest, DIGEST_MAX);
    return m->digest_len;
}

bool digest_is_allowed(const struct digests *d, enum digest_kind kind) {
    return d->allowed[kind];
}

void hex_write(const uint8_t *bytes, size_t n, char *ret_text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
}
