/* digest.c: EVP digests with fetched algorithms and reused contexts. */
#include "base/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "base/util.h"

struct digest_run {
    EVP_MD_CTX *ctx;
    struct digest_run *next;
    enum digest_kind kind;
};

struct digests {
    EVP_MD *algorithm[DIGEST_KINDS];
    EVP_MD_CTX *once[DIGEST_KINDS];
    struct digest_run *idle;
    uint32_t alive; /* runs handed out */
};

static const char *const algorithm_names[DIGEST_KINDS] = {"MD5", "SHA1", "SHA256"};

struct digests *digests_new(void) {
    struct digests *d = calloc(1, sizeof(*d));
    if (!d) {
        return NULL;
    }
    for (unsigned k = 0; k < DIGEST_KINDS; k++) {
        d->algorithm[k] = EVP_MD_fetch(NULL, algorithm_names[k], NULL);
        d->once[k] = EVP_MD_CTX_new();
        if (!d->once[k]) {
            return digests_free(d);
        }
        if (d->algorithm[k] && EVP_DigestInit_ex2(d->once[k], d->algorithm[k], NULL) != 1) {
            EVP_MD_free(TAKE(d->algorithm[k]));
        }
    }
    return d;
}

struct digests *digests_free(struct digests *d) {
    if (!d) {
        return NULL;
    }
    for (struct digest_run *r = d->idle, *next; r; r = next) {
        next = r->next;
        EVP_MD_CTX_free(r->ctx);
        free(r);
    }
    for (unsigned k = 0; k < DIGEST_KINDS; k++) {
        EVP_MD_CTX_free(d->once[k]);
        EVP_MD_free(d->algorithm[k]);
    }
    free(d);
    return NULL;
}

size_t digest_once(struct digests *d, enum digest_kind kind, struct span data, uint8_t ret_digest[DIGEST_MAX]) {
    unsigned len = 0;
    EVP_MD_CTX *ctx = d->once[kind];
    /* A NULL type keeps the algorithm that is set: nothing is fetched or allocated. */
    if (!d->algorithm[kind] || EVP_DigestInit_ex2(ctx, NULL, NULL) != 1 ||
        EVP_DigestUpdate(ctx, data.at, data.len) != 1 || EVP_DigestFinal_ex(ctx, ret_digest, &len) != 1) {
        return 0;
    }
    return len;
}

struct digest_run *digest_begin(struct digests *d, enum digest_kind kind) {
    if (!d->algorithm[kind] || d->alive >= DIGEST_RUNS_MAX) {
        return NULL;
    }
    struct digest_run *r = d->idle;
    if (r) {
        d->idle = r->next;
    } else {
        r = calloc(1, sizeof(*r));
        if (!r) {
            return NULL;
        }
        r->ctx = EVP_MD_CTX_new();
        if (!r->ctx) {
            free(r);
            return NULL;
        }
        r->kind = DIGEST_KINDS;
    }
    const EVP_MD *type = r->kind == kind ? NULL : d->algorithm[kind];
    r->kind = kind;
    d->alive++;
    if (EVP_DigestInit_ex2(r->ctx, type, NULL) != 1) {
        uint8_t unused[DIGEST_MAX];
        (void)digest_end(d, r, unused);
        return NULL;
    }
    return r;
}

void digest_add(struct digest_run *run, struct span data) {
    (void)EVP_DigestUpdate(run->ctx, data.at, data.len);
}

size_t digest_end(struct digests *d, struct digest_run *run, uint8_t ret_digest[DIGEST_MAX]) {
    unsigned len = 0;
    if (EVP_DigestFinal_ex(run->ctx, ret_digest, &len) != 1) {
        len = 0;
    }
    run->next = d->idle;
    d->idle = run;
    d->alive--;
    return len;
}

void hex_write(const uint8_t *bytes, size_t n, char *ret_text) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret_text[2 * i] = digits[bytes[i] >> 4];
        ret_text[2 * i + 1] = digits[bytes[i] & 15];
    }
}
