/* s2s.c: see s2s.h. What is remembered of tokens, so that none counts twice, is a table of fixed size: a row that has
 * to give way leaves its date behind, and what is not newer than that date is refused in that group of rows.
 */
#include "auth/s2s.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>

#include "auth/secret.h"
#include "base/digest.h"
#include "base/json.h"
#include "base/json_scan.h"
#include "base/util.h"

#define ROUNDS 300000
#define KEY_BYTES 32
#define SALT_BYTES 16
#define GCM_NONCE 12
#define CBC_NONCE 16
#define TAG_BYTES 16
#define MARK_BYTES 16 /* of the signature: what a token is remembered by */
#define KEYS 64
#define ROWS 16384
#define WAYS 8

struct key {
    uint8_t salt[SALT_BYTES], key[KEY_BYTES];
    uint64_t used; /* 0: free */
};

struct row {
    uint8_t mark[MARK_BYTES];
    int64_t date_ms; /* 0: free */
};

struct s2s {
    char *secret;
    pthread_mutex_t deriving; /* one key at a time */
    pthread_mutex_t lock;     /* of what follows */
    struct key own;           /* what tokens are made with */
    struct key keys[KEYS];    /* of tokens that were good */
    uint64_t uses;
    int64_t floor[ROWS / WAYS];
    struct row rows[ROWS];
};

struct s2s *s2s_new(const char *secret) {
    struct s2s *s = calloc(1, sizeof(*s));
    if (!s) {
        return NULL;
    }
    (void)pthread_mutex_init(&s->deriving, NULL);
    (void)pthread_mutex_init(&s->lock, NULL);
    s->secret = strdup(secret);
    return s->secret ? s : s2s_free(s);
}

struct s2s *s2s_free(struct s2s *s) {
    if (s) {
        if (s->secret) {
            OPENSSL_cleanse(s->secret, strlen(s->secret));
        }
        free(s->secret);
        (void)pthread_mutex_destroy(&s->lock);
        (void)pthread_mutex_destroy(&s->deriving);
        OPENSSL_cleanse(s, sizeof(*s));
        free(s);
    }
    return NULL;
}

/* --- keys --- */

static bool key_derive(struct s2s *s, struct key *k) {
    (void)pthread_mutex_lock(&s->deriving);
    bool good = PKCS5_PBKDF2_HMAC(s->secret, -1, k->salt, SALT_BYTES, ROUNDS, EVP_sha256(), KEY_BYTES, k->key) == 1;
    (void)pthread_mutex_unlock(&s->deriving);
    return good;
}

/* True: `k` has the key of its salt; false: nobody used it lately. */
static bool key_find(struct s2s *s, struct key *k) {
    bool found = false;
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < KEYS && !found; i++) {
        struct key *one = &s->keys[i];
        found = one->used && memcmp(one->salt, k->salt, SALT_BYTES) == 0;
        if (found) {
            one->used = ++s->uses;
            memcpy(k->key, one->key, KEY_BYTES);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return found;
}

static void key_keep(struct s2s *s, const struct key *k) {
    (void)pthread_mutex_lock(&s->lock);
    struct key *oldest = s->keys;
    for (size_t i = 0; i < KEYS; i++) {
        oldest = s->keys[i].used < oldest->used ? &s->keys[i] : oldest;
    }
    *oldest = *k;
    oldest->used = ++s->uses;
    (void)pthread_mutex_unlock(&s->lock);
}

/* The salt of this process and its key, made when it is first needed. */
static int key_own(struct s2s *s, struct key *ret) {
    (void)pthread_mutex_lock(&s->lock);
    *ret = s->own;
    (void)pthread_mutex_unlock(&s->lock);
    if (ret->used) {
        return 0;
    }
    struct key fresh = {.used = 1};
    int code = random_fill(fresh.salt, SALT_BYTES);
    code = code < 0 || key_derive(s, &fresh) ? code : -EIO;
    if (code == 0) {
        (void)pthread_mutex_lock(&s->lock);
        s->own = s->own.used ? s->own : fresh;
        *ret = s->own;
        (void)pthread_mutex_unlock(&s->lock);
    }
    OPENSSL_cleanse(&fresh, sizeof(fresh));
    return code;
}

/* --- ciphers --- */

/* One message of a cipher with a 32-byte key; `tag` NULL: the cipher has none. Returns the length, or -1. */
struct sealed {
    const EVP_CIPHER *cipher;
    const uint8_t *key, *nonce;
    uint8_t *tag;
};

static int cipher_run(const struct sealed *how, bool encrypt, struct span in, uint8_t *out) {
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    bool good = c && EVP_CipherInit_ex(c, how->cipher, NULL, how->key, how->nonce, encrypt) == 1;
    good = good && EVP_CipherUpdate(c, out, &n, in.at, (int)in.len) == 1;
    good = good && (encrypt || !how->tag || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, how->tag) == 1);
    good = good && EVP_CipherFinal_ex(c, out + n, &last) == 1;
    good = good && (!encrypt || !how->tag || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, how->tag) == 1);
    EVP_CIPHER_CTX_free(c);
    return good ? n + last : -1;
}

static void member_hex(struct json *j, const char *name, const uint8_t *bytes, size_t n) {
    json_key(j, name);
    uint8_t *to = buf_reserve(j->out, 2 * n + 2);
    if (to) {
        to[0] = '"';
        hex_write(bytes, n, (char *)to + 1);
        to[2 * n + 1] = '"';
        j->out->len += 2 * n + 2;
    }
    j->comma = true;
}

static void claim_write(const struct s2s_claim *claim, struct buf *out) {
    struct json j = json_over(out);
    json_open(&j, '{');
    json_key(&j, "date");
    json_i64(&j, claim->date_ms);
    json_key(&j, "user");
    json_text(&j, claim->user);
    json_key(&j, "node");
    json_text(&j, claim->node);
    json_key(&j, "path");
    json_text(&j, claim->path);
    json_key(&j, "method");
    json_text(&j, claim->method);
    json_close(&j, '}');
}

int s2s_make(struct s2s *s, const struct s2s_claim *claim, struct buf *out) {
    struct key k;
    struct buf text, data;
    uint8_t nonce[GCM_NONCE], tag[TAG_BYTES];
    int code = key_own(s, &k);
    code = code < 0 ? code : random_fill(nonce, sizeof(nonce));
    if (code < 0) {
        return -EIO;
    }
    buf_init(&text, S2S_TEXT_MAX / 2);
    buf_init(&data, S2S_TEXT_MAX / 2);
    claim_write(claim, &text);
    uint8_t *to = buf_reserve(&data, text.len);
    code = to && !text.overflowed ? 0 : -E2BIG;
    if (code == 0) {
        const struct sealed how = {EVP_aes_256_gcm(), k.key, nonce, tag};
        code = cipher_run(&how, true, buf_span(&text), to) == (int)text.len ? 0 : -EIO;
    }
    if (code == 0) {
        struct json j = json_over(out);
        json_open(&j, '{');
        member_hex(&j, "iv", nonce, sizeof(nonce));
        member_hex(&j, "salt", k.salt, sizeof(k.salt));
        member_hex(&j, "data", data.data, text.len);
        member_hex(&j, "tag", tag, sizeof(tag));
        json_close(&j, '}');
        code = out->overflowed ? -E2BIG : 0;
    }
    OPENSSL_cleanse(&k, sizeof(k));
    buf_done(&text);
    buf_done(&data);
    return code;
}

/* --- opening --- */

/* A string member of an object as bytes; SPAN_NONE: it is none, or not hexadecimal. */
static size_t hex_member(struct json_ref object, const char *name, uint8_t *ret, size_t size) {
    struct json_ref v = json_find(object, span_text(name));
    struct span raw = json_raw_of(v);
    return json_kind_of(v) == JSON_STRING && raw.len >= 2 ? hex_read(span_sub(raw, 1, raw.len - 2), ret, size)
                                                          : SPAN_NONE;
}

/* The sealed text of the newer form into `out` and its tag into `mark`. */
static int open_gcm(struct s2s *s, struct json_ref object, struct buf *out, uint8_t mark[MARK_BYTES]) {
    uint8_t nonce[GCM_NONCE], data[S2S_TEXT_MAX / 2];
    struct key k = {0};
    size_t n = hex_member(object, "data", data, sizeof(data));
    if (n == SPAN_NONE || hex_member(object, "iv", nonce, sizeof(nonce)) != sizeof(nonce) ||
        hex_member(object, "salt", k.salt, SALT_BYTES) != SALT_BYTES ||
        hex_member(object, "tag", mark, TAG_BYTES) != TAG_BYTES) {
        return -EBADMSG;
    }
    uint8_t *to = buf_reserve(out, n + 1);
    bool known = key_find(s, &k);
    if (!to || (!known && !key_derive(s, &k))) {
        OPENSSL_cleanse(&k, sizeof(k));
        return to ? -EIO : -ENOMEM;
    }
    const struct sealed how = {EVP_aes_256_gcm(), k.key, nonce, mark};
    int len = cipher_run(&how, false, span_make(data, n), to);
    if (len >= 0 && !known) {
        key_keep(s, &k);
    }
    OPENSSL_cleanse(&k, sizeof(k));
    out->len += len >= 0 ? (size_t)len : 0;
    return len >= 0 ? 0 : -EBADMSG;
}

/* The older form: the signature over the text in front of the last dot is checked before anything is decrypted. */
static int open_cbc(struct s2s *s, struct span text, struct buf *out, uint8_t mark[MARK_BYTES]) {
    uint8_t key[KEY_BYTES], nonce[CBC_NONCE], data[S2S_TEXT_MAX / 2], given[EVP_MAX_MD_SIZE], wanted[EVP_MAX_MD_SIZE];
    unsigned key_len = 0, wanted_len = 0;
    size_t first = span_find_byte(text, 0, '.');
    size_t second = first == SPAN_NONE ? SPAN_NONE : span_find_byte(text, first + 1, '.');
    if (second == SPAN_NONE || hex_read(span_sub(text, 0, first), nonce, sizeof(nonce)) != sizeof(nonce)) {
        return -EBADMSG;
    }
    size_t n = hex_read(span_sub(text, first + 1, second - first - 1), data, sizeof(data));
    size_t given_len = hex_read(span_from(text, second + 1), given, sizeof(given));
    if (n == SPAN_NONE || n == 0 || given_len == SPAN_NONE ||
        EVP_Digest(s->secret, strlen(s->secret), key, &key_len, EVP_sha256(), NULL) != 1 ||
        !HMAC(EVP_sha256(), key, KEY_BYTES, text.at, second, wanted, &wanted_len) ||
        !secret_equal(span_make(given, given_len), span_make(wanted, wanted_len))) {
        OPENSSL_cleanse(key, sizeof(key));
        return -EBADMSG;
    }
    uint8_t *to = buf_reserve(out, n + CBC_NONCE);
    const struct sealed how = {EVP_aes_256_cbc(), key, nonce, NULL};
    int len = to ? cipher_run(&how, false, span_make(data, n), to) : -1;
    OPENSSL_cleanse(key, sizeof(key));
    memcpy(mark, wanted, MARK_BYTES);
    out->len += len >= 0 ? (size_t)len : 0;
    return len >= 0 ? 0 : to ? -EBADMSG : -ENOMEM;
}

static int sealed_open(struct s2s *s, struct span text, struct buf *out, uint8_t mark[MARK_BYTES]) {
    struct json_index x;
    struct json_error error;
    if (span_byte(text, 0) != '{') {
        return open_cbc(s, text, out, mark);
    }
    json_index_init(&x, 1u << 10);
    int code = json_index_build(&x, text, &error) == 0 && json_check(&x, &error) == 0
                   ? open_gcm(s, json_root(&x), out, mark)
                   : -EBADMSG;
    json_index_done(&x);
    return code;
}

/* Texts are written behind `memory`'s plain text where they hold escapes; it does not move: there is room. */
static bool text_member(struct json_ref object, const char *name, struct buf *memory, struct span *ret) {
    return json_string(json_find(object, span_text(name)), memory, ret);
}

static int claim_read(struct buf *memory, struct s2s_claim *ret) {
    struct json_index x;
    struct json_error error;
    double date = 0;
    json_index_init(&x, 1u << 12);
    int code = -EBADMSG;
    /* Escapes never make a text longer, so what is written behind the text takes at most its length again. */
    size_t len = memory->len;
    if (!buf_reserve(memory, len + 1)) {
        code = -ENOMEM;
    } else if (json_index_build(&x, span_make(memory->data, len), &error) == 0 && json_check(&x, &error) == 0) {
        struct json_ref o = json_root(&x);
        bool good = json_number_double(json_find(o, SPAN_LITERAL("date")), &date) && date > 0 && date < 1e15;
        good = good && text_member(o, "user", memory, &ret->user) && text_member(o, "path", memory, &ret->path);
        good = good && text_member(o, "method", memory, &ret->method);
        /* Nobody decides by the node's name. */
        ret->node = (struct span){NULL, 0};
        (void)text_member(o, "node", memory, &ret->node);
        ret->date_ms = (int64_t)date;
        code = good ? 0 : -EBADMSG;
    }
    json_index_done(&x);
    return code;
}

/* --- once --- */

static int mark_take(struct s2s *s, const uint8_t mark[MARK_BYTES], int64_t date_ms) {
    size_t group = (size_t)(mark[0] << 8 | mark[1]) % (ROWS / WAYS);
    struct row *rows = &s->rows[group * WAYS], *oldest = rows;
    int code = 0;
    (void)pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < WAYS && code == 0; i++) {
        code = rows[i].date_ms && memcmp(rows[i].mark, mark, MARK_BYTES) == 0 ? -EALREADY : 0;
        oldest = rows[i].date_ms < oldest->date_ms ? &rows[i] : oldest;
    }
    /* The date of the row that gives way must not be newer than this one: this one would be forgotten first. */
    if (code == 0 && (date_ms <= s->floor[group] || (oldest->date_ms && oldest->date_ms >= date_ms))) {
        code = -EALREADY;
    }
    if (code == 0) {
        s->floor[group] = MAX(s->floor[group], oldest->date_ms);
        oldest->date_ms = date_ms;
        memcpy(oldest->mark, mark, MARK_BYTES);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return code;
}

int s2s_open(struct s2s *s, struct span text, const struct s2s_request *request, struct buf *memory,
             struct s2s_claim *ret) {
    uint8_t mark[MARK_BYTES];
    if (text.len > S2S_TEXT_MAX) {
        return -EBADMSG;
    }
    int code = sealed_open(s, text, memory, mark);
    code = code < 0 ? code : claim_read(memory, ret);
    if (code < 0) {
        return code;
    }
    int64_t age = request->now_ms - ret->date_ms;
    if (age > S2S_VALID_MS || age < -S2S_VALID_MS) {
        return -ESTALE;
    }
    bool path = span_is(ret->path, request->paths[0]) || (request->paths[1] && span_is(ret->path, request->paths[1]));
    return path && span_is(ret->method, request->method) ? mark_take(s, mark, ret->date_ms) : -EACCES;
}
