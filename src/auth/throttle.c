/* throttle.c: see throttle.h. */
#include "auth/throttle.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"

#define ROWS 4096

struct row {
    uint64_t key;
    uint32_t failures;
    int64_t since_ms;
};

struct throttle {
    struct hash_key secret;
    pthread_mutex_t lock;
    struct row rows[ROWS];
};

struct throttle *throttle_new(void) {
    struct throttle *t = calloc(1, sizeof(*t));
    if (t) {
        (void)pthread_mutex_init(&t->lock, NULL);
        if (hash_key_random(&t->secret) < 0) {
            return throttle_free(t);
        }
    }
    return t;
}

struct throttle *throttle_free(struct throttle *t) {
    if (t) {
        (void)pthread_mutex_destroy(&t->lock);
        free(t);
    }
    return NULL;
}

/* One household has a whole /64 of IPv6. */
static uint64_t key_of(const struct throttle *t, const char *peer, const char *user) {
    struct {
        uint8_t address[16];
        char user[80];
    } key = {0};
    if (inet_pton(AF_INET6, peer, key.address) == 1) {
        memset(key.address + 8, 0, 8);
    } else if (inet_pton(AF_INET, peer, key.address) != 1) {
        memset(key.address, 0xff, sizeof(key.address));
    }
    memcpy(key.user, user, strnlen(user, sizeof(key.user)));
    return siphash13(&t->secret, &key, sizeof(key));
}

static bool row_is_over(struct throttle *t, uint64_t key, uint32_t limit, int64_t now_ms) {
    const struct row *r = &t->rows[key % ROWS];
    return r->key == key && r->failures >= limit && now_ms - r->since_ms < THROTTLE_MS;
}

bool throttle_blocked(struct throttle *t, const char *peer, const char *user, int64_t now_ms) {
    uint64_t both = key_of(t, peer, user), alone = key_of(t, peer, "");
    (void)pthread_mutex_lock(&t->lock);
    bool blocked = row_is_over(t, both, THROTTLE_TRIES, now_ms) || row_is_over(t, alone, THROTTLE_PEER_TRIES, now_ms);
    (void)pthread_mutex_unlock(&t->lock);
    return blocked;
}

static void row_count(struct throttle *t, uint64_t key, int64_t now_ms) {
    struct row *r = &t->rows[key % ROWS];
    if (r->key != key || now_ms - r->since_ms >= THROTTLE_MS) {
        *r = (struct row){.key = key, .since_ms = now_ms};
    }
    r->failures++;
}

void throttle_fail(struct throttle *t, const char *peer, const char *user, int64_t now_ms) {
    uint64_t both = key_of(t, peer, user), alone = key_of(t, peer, "");
    (void)pthread_mutex_lock(&t->lock);
    row_count(t, both, now_ms);
    row_count(t, alone, now_ms);
    (void)pthread_mutex_unlock(&t->lock);
}

uint32_t throttle_count(struct throttle *t, const char *peer, const char *what, int64_t now_ms) {
    uint64_t key = key_of(t, peer, what);
    (void)pthread_mutex_lock(&t->lock);
    row_count(t, key, now_ms);
    uint32_t count = t->rows[key % ROWS].failures;
    (void)pthread_mutex_unlock(&t->lock);
    return count;
}

void throttle_clear(struct throttle *t, const char *peer, const char *user) {
    uint64_t both = key_of(t, peer, user);
    (void)pthread_mutex_lock(&t->lock);
    struct row *r = &t->rows[both % ROWS];
    if (r->key == both) {
        *r = (struct row){0};
    }
    (void)pthread_mutex_unlock(&t->lock);
}
