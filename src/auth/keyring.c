/* keyring.c: see keyring.h. */
#include "auth/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/state.h"
#include "base/util.h"
#include "http/client.h"

#define SET_MAX ((size_t)1 << 20)
#define SECONDS 10
#define GOOD_MS 3600000
#define AGAIN_MS 30000

struct keyring {
    char *url, *ca_file; /* url NULL: the keys stay as they are */
    pthread_mutex_t fetching;
    int64_t tried_ms;      /* under fetching */
    pthread_rwlock_t lock; /* of what follows */
    struct jwt_keys *keys;
    int64_t read_ms;
};

static int file_read(const char *path, struct buf *out, struct err *ret_err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0) {
        uint8_t *to = buf_reserve(out, 4096);
        n = to ? read(fd, to, 4096) : -1;
        out->len += n > 0 ? (size_t)n : 0;
    }
    int code = n < 0 ? err_set(ret_err, out->overflowed ? -EFBIG : -errno, "%s: %s", path,
                               out->overflowed ? "is too long for a key" : strerror(errno))
                     : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

static int keys_of_file(const char *path, struct jwt_keys **ret_keys, struct err *ret_err) {
    struct buf text;
    struct err why = {0};
    buf_init(&text, SET_MAX);
    int code = file_read(path, &text, ret_err);
    if (code == 0) {
        bool json = span_byte(span_trim(buf_span(&text)), 0) == '{';
        code = json ? jwt_keys_from_json(buf_span(&text), ret_keys, &why)
                    : jwt_keys_from_pem(buf_span(&text), ret_keys, &why);
        code = code < 0 ? err_set(ret_err, code, "%s: %s", path, why.text) : 0;
    }
    buf_done(&text);
    return code;
}

int keyring_new(const struct keyring_source *source, struct keyring **ret_ring, struct err *ret_err) {
    struct keyring *r = calloc(1, sizeof(*r));
    if (!r) {
        return err_set(ret_err, -ENOMEM, "no memory for keys");
    }
    (void)pthread_mutex_init(&r->fetching, NULL);
    (void)pthread_rwlock_init(&r->lock, NULL);
    int code = 0;
    if (source->secret && *source->secret) {
        code = jwt_keys_from_secret(source->secret, &r->keys, ret_err);
    } else if (source->file && *source->file) {
        code = keys_of_file(source->file, &r->keys, ret_err);
    } else {
        r->url = strdup(source->url);
        r->ca_file = source->ca_file ? strdup(source->ca_file) : NULL;
        code = r->url && (r->ca_file || !source->ca_file) ? 0 : err_set(ret_err, -ENOMEM, "no memory for keys");
    }
    if (code < 0) {
        keyring_free(r);
        return code;
    }
    *ret_ring = r;
    return 0;
}

struct keyring *keyring_free(struct keyring *r) {
    if (r) {
        jwt_keys_free(r->keys);
        free(r->url);
        free(r->ca_file);
        (void)pthread_rwlock_destroy(&r->lock);
        (void)pthread_mutex_destroy(&r->fetching);
        free(r);
    }
    return NULL;
}

static int fetch(struct keyring *r, struct err *ret_err) {
    struct client_request q = {.url = r->url, .ca_file = r->ca_file, .ceiling = SET_MAX, .seconds = SECONDS};
    struct buf text;
    struct jwt_keys *fresh = NULL;
    long status = 0;
    int code = client_ask(&q, &text, &status, ret_err);
    if (code < 0) {
        return code;
    }
    code = status == 200 ? jwt_keys_from_json(buf_span(&text), &fresh, ret_err)
                         : err_set(ret_err, -EBADMSG, "%s: answered %ld", r->url, status);
    buf_done(&text);
    if (code == 0) {
        (void)pthread_rwlock_wrlock(&r->lock);
        struct jwt_keys *old = r->keys;
        r->keys = fresh;
        r->read_ms = auth_now_ms();
        (void)pthread_rwlock_unlock(&r->lock);
        jwt_keys_free(old);
    }
    return code;
}

/* `seen_ms`: when the set was read that did not do; a newer one that another thread got meanwhile is enough. */
static void renew(struct keyring *r, int64_t seen_ms, struct err *ret_err) {
    (void)pthread_mutex_lock(&r->fetching);
    (void)pthread_rwlock_rdlock(&r->lock);
    bool newer = r->read_ms != seen_ms;
    (void)pthread_rwlock_unlock(&r->lock);
    int64_t now = auth_now_ms();
    if (!newer && (now - r->tried_ms >= AGAIN_MS || now < r->tried_ms)) {
        r->tried_ms = now;
        (void)fetch(r, ret_err);
    }
    (void)pthread_mutex_unlock(&r->fetching);
}

static int check(struct keyring *r, const struct jwt_rules *rules, struct span token, struct buf *ret_claims,
                 struct err *ret_err) {
    (void)pthread_rwlock_rdlock(&r->lock);
    int code = r->keys ? jwt_check(r->keys, rules, token, ret_claims, ret_err)
                       : err_set(ret_err, -EAGAIN, "the keys of %s could not be read", r->url);
    (void)pthread_rwlock_unlock(&r->lock);
    return code;
}

int keyring_check(struct keyring *r, const struct jwt_rules *rules, struct span token, struct buf *ret_claims,
                  struct err *ret_err) {
    struct err why = {0};
    (void)pthread_rwlock_rdlock(&r->lock);
    int64_t read_ms = r->read_ms, age = auth_now_ms() - read_ms;
    (void)pthread_rwlock_unlock(&r->lock);
    if (r->url && (age >= GOOD_MS || age < 0)) {
        renew(r, read_ms, &why);
    }
    int code = check(r, rules, token, ret_claims, ret_err);
    if (code == -ENOKEY && r->url) {
        renew(r, read_ms, &why);
        code = check(r, rules, token, ret_claims, ret_err);
    }
    if (code == -EAGAIN && why.text[0] && ret_err) {
        *ret_err = why;
        ret_err->code = -EAGAIN;
    }
    return code;
}
