/* secret.c: see secret.h. */
#include "auth/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

#define NONCE_BYTES 12
#define TAG_BYTES 16
#define SECRET_FILE "secret"

int random_fill(void *to, size_t n) {
    for (size_t done = 0; done < n;) {
        ssize_t got = getrandom((uint8_t *)to + done, n - done, 0);
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

size_t base64url_write(const uint8_t *bytes, size_t n, char *ret) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t len = 0;
    uint32_t held = 0;
    unsigned bits = 0;
    for (size_t i = 0; i < n; i++) {
        held = (held << 8 | bytes[i]) & 0xffffff;
        for (bits += 8; bits >= 6; bits -= 6) {
            ret[len++] = letters[held >> (bits - 6) & 63];
        }
    }
    if (bits) {
        ret[len++] = letters[held << (6 - bits) & 63];
    }
    ret[len] = 0;
    return len;
}

static int letter_value(int c) {
    return c >= 'A' && c <= 'Z'   ? c - 'A'
           : c >= 'a' && c <= 'z' ? c - 'a' + 26
           : c >= '0' && c <= '9' ? c - '0' + 52
           : c == '-'             ? 62
           : c == '_'             ? 63
                                  : -1;
}

size_t base64url_read(struct span text, uint8_t *ret, size_t size) {
    uint32_t held = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = letter_value(text.at[i]);
        if (value < 0) {
            return SPAN_NONE;
        }
        held = (held << 6 | (uint32_t)value) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            if (n == size) {
                return SPAN_NONE;
            }
            ret[n++] = (uint8_t)(held >> bits);
        }
    }
    return bits < 6 && (held & ((1u << bits) - 1)) == 0 ? n : SPAN_NONE;
}

static int hex_value(int c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

size_t hex_read(struct span text, uint8_t *ret, size_t size) {
    if (text.len % 2 || text.len / 2 > size) {
        return SPAN_NONE;
    }
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.at[i]), low = hex_value(text.at[i + 1]);
        if (high < 0 || low < 0) {
            return SPAN_NONE;
        }
        ret[i / 2] = (uint8_t)(high << 4 | low);
    }
    return text.len / 2;
}

int random_word(size_t n, char *ret, size_t size) {
    uint8_t bytes[64];
    if (n > sizeof(bytes) || size < (n * 8 + 5) / 6 + 1) {
        return -EINVAL;
    }
    int code = random_fill(bytes, n);
    if (code == 0) {
        base64url_write(bytes, n, ret);
    }
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return code;
}

static int secret_read(int fd, const char *path, struct secret *ret, struct err *ret_err) {
    struct stat st;
    if (fstat(fd, &st) < 0) {
        return err_set(ret_err, -errno, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077)) {
        err_set(ret_err, -EPERM, "%s: others may read the server's secret", path);
        err_hint(ret_err, "chmod 600, or delete it: passwords must then be set again");
        return -EPERM;
    }
    ssize_t n = read(fd, ret->key, sizeof(ret->key));
    if (n != (ssize_t)sizeof(ret->key)) {
        err_set(ret_err, -EBADMSG, "%s: holds no secret", path);
        err_hint(ret_err, "delete it: a new one is made, passwords must then be set again");
        return -EBADMSG;
    }
    return 0;
}

/* Written under another name and linked into place, so that nobody reads half a secret and the first one wins. */
static int secret_make(const char *path, struct err *ret_err) {
    char draft[4200];
    struct secret fresh;
    int code = random_fill(&fresh, sizeof(fresh));
    if (code < 0) {
        return err_set(ret_err, code, "no random bytes: %s", strerror(-code));
    }
    if (snprintf(draft, sizeof(draft), "%s.%ld", path, (long)getpid()) >= (int)sizeof(draft)) {
        return err_set(ret_err, -ENAMETOOLONG, "%s: the path is too long", path);
    }
    (void)unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = fd >= 0 && write(fd, fresh.key, sizeof(fresh.key)) == (ssize_t)sizeof(fresh.key) && fsync(fd) == 0;
    good = good && (link(draft, path) == 0 || errno == EEXIST);
    code = good ? 0 : err_set(ret_err, errno ? -errno : -EIO, "%s: %s", path, strerror(errno));
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(draft);
    }
    OPENSSL_cleanse(&fresh, sizeof(fresh));
    return code;
}

int secret_load(const char *folder, struct secret *ret_secret, struct err *ret_err) {
    char path[4096];
    if (!folder) {
        int code = random_fill(ret_secret, sizeof(*ret_secret));
        return code < 0 ? err_set(ret_err, code, "no random bytes: %s", strerror(-code)) : 0;
    }
    if (snprintf(path, sizeof(path), "%s/" SECRET_FILE, folder) >= (int)sizeof(path)) {
        return err_set(ret_err, -ENAMETOOLONG, "%s: the path is too long", folder);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        int code = secret_make(path, ret_err);
        if (code < 0) {
            return code;
        }
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd < 0) {
        return err_set(ret_err, -errno, "%s: %s", path, strerror(errno));
    }
    int code = secret_read(fd, path, ret_secret, ret_err);
    (void)close(fd);
    return code;
}

void secret_sign(const struct secret *s, const char *purpose, struct span data, uint8_t ret[SIGNATURE_BYTES]) {
    uint8_t key[SIGNATURE_BYTES];
    unsigned len = sizeof(key);
    (void)HMAC(EVP_sha256(), s->key, sizeof(s->key), (const uint8_t *)purpose, strlen(purpose), key, &len);
    (void)HMAC(EVP_sha256(), key, sizeof(key), data.at ? data.at : (const uint8_t *)"", data.len, ret, &len);
    OPENSSL_cleanse(key, sizeof(key));
}

bool secret_equal(struct span a, struct span b) {
    uint8_t differ = a.len != b.len;
    for (size_t i = 0; i < MAX(a.len, b.len); i++) {
        uint8_t x = i < a.len ? a.at[i] : 0, y = i < b.len ? b.at[i] : 0;
        differ = (uint8_t)(differ | (x ^ y));
    }
    return differ == 0;
}

struct gcm {
    const uint8_t *key, *nonce;
    struct span bound;
    uint8_t *tag; /* written when sealing, read when opening */
};

static int gcm_run(const struct gcm *g, bool seal, struct span in, uint8_t *out) {
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0, code = -ENOMEM;
    if (c) {
        struct span bound = g->bound.at ? g->bound : span_make(g->nonce, 0);
        bool good = EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, g->key, g->nonce, seal) == 1;
        good = good && EVP_CipherUpdate(c, NULL, &n, bound.at, (int)bound.len) == 1;
        good = good && EVP_CipherUpdate(c, out, &n, in.at, (int)in.len) == 1;
        good = good && (seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, g->tag) == 1);
        good = good && EVP_CipherFinal_ex(c, out + n, &n) == 1;
        good = good && (!seal || EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, g->tag) == 1);
        code = good ? 0 : -EBADMSG;
    }
    EVP_CIPHER_CTX_free(c);
    return code;
}

int secret_seal(const struct secret *s, const char *purpose, struct span bound, struct span text, struct buf *out) {
    uint8_t key[SIGNATURE_BYTES];
    uint8_t *to = buf_reserve(out, NONCE_BYTES + text.len + TAG_BYTES);
    if (!to || text.len > INT32_MAX || bound.len > INT32_MAX) {
        return -ENOMEM;
    }
    int code = random_fill(to, NONCE_BYTES);
    secret_sign(s, purpose, SPAN_LITERAL("seal"), key);
    if (code == 0) {
        struct gcm g = {key, to, bound, to + NONCE_BYTES + text.len};
        code = gcm_run(&g, true, text, to + NONCE_BYTES);
    }
    OPENSSL_cleanse(key, sizeof(key));
    out->len += code == 0 ? NONCE_BYTES + text.len + TAG_BYTES : 0;
    return code;
}

int secret_open(const struct secret *s, const char *purpose, struct span bound, struct span sealed, struct buf *out) {
    uint8_t key[SIGNATURE_BYTES], tag[TAG_BYTES];
    if (sealed.len < NONCE_BYTES + TAG_BYTES || sealed.len > INT32_MAX) {
        return -EBADMSG;
    }
    struct span text = span_sub(sealed, NONCE_BYTES, sealed.len - NONCE_BYTES - TAG_BYTES);
    uint8_t *to = buf_reserve(out, text.len + 1);
    if (!to) {
        return -ENOMEM;
    }
    memcpy(tag, sealed.at + sealed.len - TAG_BYTES, TAG_BYTES);
    secret_sign(s, purpose, SPAN_LITERAL("seal"), key);
    struct gcm g = {key, sealed.at, bound, tag};
    int code = gcm_run(&g, false, text, to);
    OPENSSL_cleanse(key, sizeof(key));
    out->len += code == 0 ? text.len : 0;
    return code;
}
