/* notices.c: the queue of messages, and the thread that sends them one after the other: see notify.h. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/input.h"
#include "api/notify.h"
#include "base/util.h"

#define STATES_MAX 256

struct waiting {
    char id[SAVED_ID_SIZE];
    char *type, *text, *subject;
    struct buf body;
};

struct remembered {
    char id[SAVED_ID_SIZE];
    struct notice_state state;
};

struct notices {
    const struct api *api;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_bool ending;
    struct waiting *list[NOTICES_MAX]; /* from `first` on, round and round */
    size_t first, count;
    uint64_t dropped;
    struct remembered states[STATES_MAX];
    size_t state_count, state_next;
};

static void waiting_free(struct waiting *w) {
    if (w) {
        if (w->body.len) {
            explicit_bzero(w->body.data, w->body.len);
        }
        buf_done(&w->body);
        free(w->type);
        free(w->text);
        free(w->subject);
        free(w);
    }
}

static char *text_copy(struct span s) {
    char *copy = malloc(s.len + 1);
    if (copy) {
        (void)span_copy_to(s, (uint8_t *)copy);
        copy[s.len] = 0;
    }
    return copy;
}

static struct waiting *waiting_new(const struct saved *notifier, const struct notice *notice) {
    struct waiting *w = calloc(1, sizeof(*w));
    if (!w) {
        return NULL;
    }
    buf_init(&w->body, notifier->body.len + 1);
    buf_add_span(&w->body, notifier->body);
    w->type = text_copy(notifier->type);
    w->text = strndup(notice->text, NOTICE_TEXT_MAX);
    w->subject = strdup(notice->subject);
    (void)snprintf(w->id, sizeof(w->id), "%.*s", (int)notifier->id.len, (const char *)notifier->id.at);
    if (w->type && w->text && w->subject && !w->body.overflowed) {
        return w;
    }
    waiting_free(w);
    return NULL;
}

bool notices_post(struct notices *n, const struct saved *notifier, const struct notice *notice) {
    struct waiting *w = waiting_new(notifier, notice);
    (void)pthread_mutex_lock(&n->lock);
    bool room = w && n->count < NOTICES_MAX;
    if (room) {
        n->list[(n->first + n->count++) % NOTICES_MAX] = w;
        (void)pthread_cond_signal(&n->wake);
    } else {
        n->dropped++;
    }
    (void)pthread_mutex_unlock(&n->lock);
    if (!room) {
        waiting_free(w);
    }
    return room;
}

/* --- what became of them --- */

static struct remembered *state_find(struct notices *n, struct span id) {
    for (size_t i = 0; i < n->state_count; i++) {
        if (span_is(id, n->states[i].id)) {
            return &n->states[i];
        }
    }
    return NULL;
}

void notices_note(struct notices *n, struct span id, const char *error) {
    (void)pthread_mutex_lock(&n->lock);
    struct remembered *r = state_find(n, id);
    if (!r) {
        r = &n->states[n->state_next];
        n->state_next = (n->state_next + 1) % STATES_MAX;
        n->state_count = MIN(n->state_count + 1, (size_t)STATES_MAX);
        (void)snprintf(r->id, sizeof(r->id), "%.*s", (int)id.len, (const char *)id.at);
    }
    r->state.sent_ms = input_now();
    (void)snprintf(r->state.error, sizeof(r->state.error), "%s", error);
    (void)pthread_mutex_unlock(&n->lock);
}

bool notices_state(struct notices *n, struct span id, struct notice_state *ret) {
    (void)pthread_mutex_lock(&n->lock);
    const struct remembered *r = state_find(n, id);
    if (r) {
        *ret = r->state;
    }
    (void)pthread_mutex_unlock(&n->lock);
    return r != NULL;
}

uint64_t notices_dropped(struct notices *n) {
    (void)pthread_mutex_lock(&n->lock);
    uint64_t dropped = n->dropped;
    (void)pthread_mutex_unlock(&n->lock);
    return dropped;
}

/* --- the thread --- */

static void *notices_run(void *ctx) {
    struct notices *n = ctx;
    (void)pthread_mutex_lock(&n->lock);
    while (!n->ending) {
        if (n->count == 0) {
            (void)pthread_cond_wait(&n->wake, &n->lock);
            continue;
        }
        struct waiting *w = n->list[n->first];
        n->first = (n->first + 1) % NOTICES_MAX;
        n->count--;
        (void)pthread_mutex_unlock(&n->lock);
        struct err e = {0};
        const struct notice notice = {span_text(w->type), buf_span(&w->body), w->text, w->subject};
        int code = notify_send(n->api, &notice, &n->ending, &e);
        notices_note(n, span_text(w->id), code < 0 ? e.text : "");
        waiting_free(w);
        (void)pthread_mutex_lock(&n->lock);
    }
    (void)pthread_mutex_unlock(&n->lock);
    return NULL;
}

int notices_new(const struct api *api, struct notices **ret_notices, struct err *ret_err) {
    struct notices *n = calloc(1, sizeof(*n));
    if (!n) {
        return err_set(ret_err, -ENOMEM, "no memory for notifiers");
    }
    n->api = api;
    (void)pthread_mutex_init(&n->lock, NULL);
    (void)pthread_cond_init(&n->wake, NULL);
    int code = pthread_create(&n->thread, NULL, notices_run, n);
    if (code) {
        (void)pthread_cond_destroy(&n->wake);
        (void)pthread_mutex_destroy(&n->lock);
        free(n);
        return err_set(ret_err, -code, "no thread for notifiers");
    }
    *ret_notices = n;
    return 0;
}

struct notices *notices_free(struct notices *n) {
    if (n) {
        (void)pthread_mutex_lock(&n->lock);
        n->ending = true;
        (void)pthread_cond_signal(&n->wake);
        (void)pthread_mutex_unlock(&n->lock);
        (void)pthread_join(n->thread, NULL);
        for (size_t i = 0; i < n->count; i++) {
            waiting_free(n->list[(n->first + i) % NOTICES_MAX]);
        }
        (void)pthread_cond_destroy(&n->wake);
        (void)pthread_mutex_destroy(&n->lock);
        free(n);
    }
    return NULL;
}
