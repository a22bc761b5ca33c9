/* digest_runs.c: see digest_runs.h. Ended runs stand in one list in the order of their ends; the lanes are run when it
 * is full, when the lanes' room is (md5_lanes.c; that tells nobody yet), or when somebody settles. */
#define OPENSSL_API_COMPAT 0x10101000L /* MD5_Init and its like are what is wanted here */
#include "base/digest_runs.h"

#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/md5_lanes.h"
#include "base/util.h"

struct digest_run {
    union {
        struct md5_text text; /* with lanes */
        MD5_CTX md5;
        SHA256_CTX sha256;
    };
    struct digest_run *next; /* idle ones */
    bool is_md5, counted;
};

struct ended {
    struct digest_run *run;
    void *owner; /* NULL: nobody wants to know */
    uint32_t tag;
};

struct digest_runs {
    const struct digests *digests;
    struct md5_lanes *lanes; /* NULL: OpenSSL, one by one */
    digest_ready_fn ready;
    const void *ctx;
    struct digest_run *idle;
    uint32_t alive; /* in progress, of those that count */
    uint32_t late;
    struct ended ended[DIGEST_LATE_MAX];
};

struct digest_runs *digest_runs_new(const struct digests *d, bool lanes, digest_ready_fn ready, const void *ctx) {
    struct digest_runs *r = calloc(1, sizeof(*r));
    if (r) {
        r->digests = d;
        r->lanes = lanes ? md5_lanes_new() : NULL;
        r->ready = ready;
        r->ctx = ctx;
    }
    return r;
}

struct digest_runs *digest_runs_free(struct digest_runs *r) {
    if (!r) {
        return NULL;
    }
    for (uint32_t i = 0; i < r->late; i++) {
        free(r->ended[i].run);
    }
    for (struct digest_run *run = r->idle, *next; run; run = next) {
        next = run->next;
        free(run);
    }
    md5_lanes_free(r->lanes);
    free(r);
    return NULL;
}

static struct digest_run *take_run(struct digest_runs *r, enum digest_kind kind) {
    struct digest_run *run = r->idle;
    if (!digest_is_allowed(r->digests, kind)) {
        return NULL;
    }
    if (run) {
        r->idle = run->next;
    } else if (!(run = malloc(sizeof(*run)))) {
        return NULL;
    }
    run->is_md5 = kind == DIGEST_MD5;
    run->counted = false;
    if (!run->is_md5) {
        (void)SHA256_Init(&run->sha256);
    } else if (r->lanes) {
        md5_text_begin(&run->text);
    } else {
        (void)MD5_Init(&run->md5);
    }
    return run;
}

struct digest_run *digest_begin(struct digest_runs *r, enum digest_kind kind) {
    struct digest_run *run = r->alive < DIGEST_RUNS_MAX ? take_run(r, kind) : NULL;
    if (run) {
        run->counted = true;
        r->alive++;
    }
    return run;
}

void digest_add(struct digest_runs *r, struct digest_run *run, struct span data) {
    if (data.len == 0) {
        return;
    }
    if (!run->is_md5) {
        (void)SHA256_Update(&run->sha256, data.at, data.len);
    } else if (r->lanes) {
        md5_text_add(r->lanes, &run->text, data);
    } else {
        (void)MD5_Update(&run->md5, data.at, data.len);
    }
}

static size_t read_digest(const struct digest_runs *r, struct digest_run *run, uint8_t ret_digest[DIGEST_MAX]) {
    if (!run->is_md5) {
        return SHA256_Final(ret_digest, &run->sha256) == 1 ? SHA256_DIGEST_LENGTH : 0;
    }
    if (r->lanes) {
        md5_text_digest(&run->text, ret_digest);
        return MD5_LENGTH;
    }
    return MD5_Final(ret_digest, &run->md5) == 1 ? MD5_LENGTH : 0;
}

void digest_runs_settle(struct digest_runs *r) {
    if (r->lanes) {
        md5_lanes_run(r->lanes);
    }
    for (uint32_t i = 0; i < r->late; i++) {
        const struct ended *e = &r->ended[i];
        uint8_t digest[DIGEST_MAX];
        if (e->owner) {
            size_t len = read_digest(r, e->run, digest);
            r->ready(r->ctx, e->owner, e->tag, digest, len);
        }
        e->run->next = r->idle;
        r->idle = e->run;
    }
    r->late = 0;
}

static void put_off(struct digest_runs *r, struct digest_run *run, void *owner, uint32_t tag) {
    r->alive -= run->counted;
    r->ended[r->late++] = (struct ended){run, owner, tag};
    if (r->late == DIGEST_LATE_MAX) {
        digest_runs_settle(r);
    }
}

void digest_end(struct digest_runs *r, struct digest_run *run, void *owner, uint32_t tag) {
    if (run->is_md5 && r->lanes) {
        md5_text_end(r->lanes, &run->text);
    }
    put_off(r, run, owner, tag);
}

void digest_drop(struct digest_runs *r, struct digest_run *run) {
    put_off(r, run, NULL, 0); /* the lanes may still hold blocks of it */
}

void digest_whole(struct digest_runs *r, enum digest_kind kind, struct span data, void *owner, uint32_t tag) {
    struct digest_run *run = take_run(r, kind);
    if (run) {
        digest_add(r, run, data);
        digest_end(r, run, owner, tag);
    }
}
