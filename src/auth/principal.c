/* principal.c: users as requests see them, and the cache of those read lately. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/state.h"
#include "base/util.h"

struct held_principal {
    struct principal p; /* first: it is what others see */
    struct cached *cached;
};

#define TOUCH_MS 60000

static void cached_free(struct cached *c) {
    standing_done(&c->standing);
    free(c->roles);
    free(c);
}

static int cached_read(struct auth *a, const char *id, struct cached **ret) {
    struct user u;
    int code = a->control ? users_get(a->control, id, &u) : -ENOENT;
    if (code < 0) {
        return code;
    }
    struct cached *c = calloc(1, sizeof(*c));
    code = c ? standing_make(a->control, &u, &c->standing) : -ENOMEM;
    if (code == 0) {
        c->roles = calloc(c->standing.roles.count + 1, sizeof(*c->roles));
        code = c->roles ? 0 : -ENOMEM;
    }
    if (code < 0) {
        user_done(&u);
        if (c) {
            cached_free(c);
        }
        return code;
    }
    for (size_t i = 0; i < c->standing.roles.count; i++) {
        c->roles[i] = c->standing.roles.items[i];
    }
    memcpy(c->id, u.id, sizeof(c->id));
    memcpy(c->name, u.name, sizeof(c->name));
    c->enabled = u.enabled;
    c->read_ms = auth_now_ms();
    c->touched_ms = u.last_used_ms;
    user_done(&u);
    *ret = c;
    return 0;
}

static void unref_locked(struct cached *c) {
    if (--c->references == 0) {
        cached_free(c);
    }
}

static void drop_at(struct auth *a, size_t i) {
    unref_locked(a->cached[i]);
    a->cached[i] = a->cached[--a->cached_count];
}

static struct cached *cached_find(struct auth *a, const char *id, int64_t now) {
    for (size_t i = 0; i < a->cached_count; i++) {
        if (strcmp(a->cached[i]->id, id) == 0) {
            if (now - a->cached[i]->read_ms < CACHE_MS) {
                a->cached[i]->references++;
                return a->cached[i];
            }
            drop_at(a, i);
            return NULL;
        }
    }
    return NULL;
}

static void cached_keep(struct auth *a, struct cached *c) {
    if (a->cached_count == CACHED_MAX) {
        size_t oldest = 0;
        for (size_t i = 1; i < a->cached_count; i++) {
            oldest = a->cached[i]->read_ms < a->cached[oldest]->read_ms ? i : oldest;
        }
        drop_at(a, oldest);
    }
    a->cached[a->cached_count++] = c;
    c->references++;
}

int cached_get(struct auth *a, const char *id, struct cached **ret) {
    int64_t now = auth_now_ms();
    (void)pthread_mutex_lock(&a->lock);
    struct cached *c = cached_find(a, id, now);
    uint64_t generation = a->generation;
    (void)pthread_mutex_unlock(&a->lock);
    if (!c) {
        int code = cached_read(a, id, &c);
        if (code < 0) {
            return code;
        }
        c->references = 1;
        (void)pthread_mutex_lock(&a->lock);
        /* What was read before a change must not be remembered after it. */
        if (generation == a->generation) {
            cached_keep(a, c);
        }
        (void)pthread_mutex_unlock(&a->lock);
    }
    *ret = c;
    return 0;
}

void cached_unref(struct auth *a, struct cached *c) {
    (void)pthread_mutex_lock(&a->lock);
    unref_locked(c);
    (void)pthread_mutex_unlock(&a->lock);
}

void cached_clear(struct auth *a) {
    (void)pthread_mutex_lock(&a->lock);
    while (a->cached_count) {
        drop_at(a, 0);
    }
    a->generation++;
    a->users_looked_ms = 0;
    (void)pthread_mutex_unlock(&a->lock);
}

void auth_forget(struct auth *a) {
    cached_clear(a);
}

/* lastUsed is written once a minute. */
static void touch(struct auth *a, struct cached *c) {
    int64_t now = auth_now_ms();
    (void)pthread_mutex_lock(&a->lock);
    bool due = now - c->touched_ms >= TOUCH_MS;
    if (due) {
        c->touched_ms = now;
    }
    (void)pthread_mutex_unlock(&a->lock);
    if (due) {
        users_touch(a->control, c->id, now);
    }
}

int principal_make(struct auth *a, struct cached *c, struct principal **ret) {
    struct held_principal *h = calloc(1, sizeof(*h));
    if (!h) {
        cached_unref(a, c);
        return -ENOMEM;
    }
    touch(a, c);
    h->cached = c;
    memcpy(h->p.id, c->id, sizeof(h->p.id));
    memcpy(h->p.name, c->name, sizeof(h->p.name));
    h->p.rights = c->standing.rights;
    h->p.time_limit = c->standing.time_limit;
    h->p.expression = c->standing.expression;
    h->p.roles = c->roles;
    *ret = &h->p;
    return 0;
}

int principal_anonymous(struct principal **ret) {
    struct held_principal *h = calloc(1, sizeof(*h));
    if (!h) {
        return -ENOMEM;
    }
    (void)snprintf(h->p.id, sizeof(h->p.id), "anonymous");
    (void)snprintf(h->p.name, sizeof(h->p.name), "anonymous");
    h->p.rights = RIGHT_ALL;
    h->p.expression = "";
    h->p.roles = system_roles;
    *ret = &h->p;
    return 0;
}

int principal_stranger(const char *id, struct principal **ret) {
    static const char *const none[] = {NULL};
    struct held_principal *h = calloc(1, sizeof(*h));
    if (!h) {
        return -ENOMEM;
    }
    (void)snprintf(h->p.id, sizeof(h->p.id), "%s", id);
    (void)snprintf(h->p.name, sizeof(h->p.name), "%s", id);
    h->p.expression = "";
    h->p.roles = none;
    h->p.stranger = true;
    *ret = &h->p;
    return 0;
}

int auth_principal(struct auth *a, const char *id, struct principal **ret) {
    enum auth_mode mode = auth_mode(a);
    if ((mode == AUTH_ANONYMOUS || mode == AUTH_TOKEN) && strcmp(id, "anonymous") == 0) {
        return principal_anonymous(ret);
    }
    struct cached *c;
    int code = cached_get(a, id, &c);
    if (code < 0) {
        return code;
    }
    if (!c->enabled) {
        cached_unref(a, c);
        return -ENOENT;
    }
    return principal_make(a, c, ret);
}

void auth_release(struct auth *a, struct principal *p) {
    struct held_principal *h = (struct held_principal *)(void *)p;
    if (h) {
        if (h->cached) {
            cached_unref(a, h->cached);
        }
        free(h);
    }
}

bool principal_has_role(const struct principal *p, const char *role) {
    for (const char *const *one = p->roles; *one; one++) {
        if (strcmp(*one, role) == 0) {
            return true;
        }
    }
    return false;
}

bool auth_user_exists(struct auth *a, const char *id) {
    struct cached *c;
    if (cached_get(a, id, &c) == 0) {
        cached_unref(a, c);
        return true;
    }
    return strcmp(id, "anonymous") == 0 && auth_mode(a) == AUTH_ANONYMOUS;
}
