/* running.c: queries that have a cancelId. An id belongs to its user: nobody cancels another's by guessing. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "api/shared.h"
#include "base/util.h"

#define RUNNING_MAX 4096u

struct running {
    struct running *next, *previous;
    char *user, *id;
    int64_t started_ms;
    atomic_bool cancelled;
};

struct running_table {
    pthread_mutex_t lock;
    struct running *list;
    unsigned count;
};

struct running_table *running_table_new(void) {
    struct running_table *t = calloc(1, sizeof(*t));
    if (t) {
        (void)pthread_mutex_init(&t->lock, NULL);
    }
    return t;
}

struct running_table *running_table_free(struct running_table *t) {
    if (t) {
        while (t->list) {
            running_remove(t, t->list);
        }
        (void)pthread_mutex_destroy(&t->lock);
        free(t);
    }
    return NULL;
}

static void running_free(struct running *r) {
    free(r->user);
    free(r->id);
    free(r);
}

static struct running *find(const struct running_table *t, const char *user, const char *id) {
    for (struct running *r = t->list; r; r = r->next) {
        if (strcmp(r->id, id) == 0 && (!user || strcmp(r->user, user) == 0)) {
            return r;
        }
    }
    return NULL;
}

int running_add(struct running_table *t, const char *user, const char *id, struct running **ret_running) {
    struct running *r = calloc(1, sizeof(*r));
    if (!r) {
        return -ENOMEM;
    }
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    r->started_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    r->user = strdup(user);
    r->id = strdup(id);
    int code = r->user && r->id ? 0 : -ENOMEM;
    (void)pthread_mutex_lock(&t->lock);
    if (code == 0 && find(t, user, id)) {
        code = -EEXIST;
    } else if (code == 0 && t->count == RUNNING_MAX) {
        code = -E2BIG;
    }
    if (code == 0) {
        r->next = t->list;
        if (r->next) {
            r->next->previous = r;
        }
        t->list = r;
        t->count++;
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (code < 0) {
        running_free(r);
        return code;
    }
    *ret_running = r;
    return 0;
}

void running_remove(struct running_table *t, struct running *r) {
    (void)pthread_mutex_lock(&t->lock);
    if (r->next) {
        r->next->previous = r->previous;
    }
    *(r->previous ? &r->previous->next : &t->list) = r->next;
    t->count--;
    (void)pthread_mutex_unlock(&t->lock);
    running_free(r);
}

bool running_cancelled(const struct running *r) {
    return r && r->cancelled;
}

bool running_cancel(struct running_table *t, const char *user, const char *id) {
    (void)pthread_mutex_lock(&t->lock);
    struct running *r = find(t, user, id);
    if (r) {
        r->cancelled = true;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return r != NULL;
}

void running_each(struct running_table *t, running_fn each, void *ctx) {
    (void)pthread_mutex_lock(&t->lock);
    for (const struct running *r = t->list; r; r = r->next) {
        struct running_info info = {r->user, r->id, r->started_ms, r->cancelled};
        each(ctx, &info);
    }
    (void)pthread_mutex_unlock(&t->lock);
}
