/* seen.c: see seen.h. */
#include "api/seen.h"

#include <pthread.h>
#include <stdlib.h>

struct seen {
    char *expression; /* NULL: free */
    uint64_t version; /* of the snapshot */
    uint64_t count;
};

struct seen_table {
    pthread_mutex_t lock;
    struct seen list[SEEN_MAX];
    size_t next; /* who goes when all are taken */
};

struct seen_table *seen_table_new(void) {
    struct seen_table *t = calloc(1, sizeof(*t));
    if (t) {
        (void)pthread_mutex_init(&t->lock, NULL);
    }
    return t;
}

struct seen_table *seen_table_free(struct seen_table *t) {
    if (t) {
        for (size_t i = 0; i < SEEN_MAX; i++) {
            free(t->list[i].expression);
        }
        (void)pthread_mutex_destroy(&t->lock);
        free(t);
    }
    return NULL;
}

static struct seen *seen_find(struct seen_table *t, const char *expression) {
    for (size_t i = 0; i < SEEN_MAX; i++) {
        if (t->list[i].expression && strcmp(t->list[i].expression, expression) == 0) {
            return &t->list[i];
        }
    }
    return NULL;
}

static bool seen_get(struct seen_table *t, const char *expression, uint64_t version, uint64_t *ret_count) {
    (void)pthread_mutex_lock(&t->lock);
    const struct seen *s = seen_find(t, expression);
    bool found = s && s->version == version;
    if (found) {
        *ret_count = s->count;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return found;
}

static void seen_put(struct seen_table *t, const char *expression, uint64_t version, uint64_t count) {
    (void)pthread_mutex_lock(&t->lock);
    struct seen *s = seen_find(t, expression);
    if (!s) {
        s = &t->list[t->next];
        t->next = (t->next + 1) % SEEN_MAX;
        free(s->expression);
        s->expression = strdup(expression);
        s->version = 0;
    }
    if (s->version <= version) { /* a slower search was about an older store */
        s->version = version;
        s->count = count;
    }
    (void)pthread_mutex_unlock(&t->lock);
}

uint64_t seen_count(struct ask *a, const char *forced) {
    const struct api *api = a->call->api;
    uint64_t version = snapshot_version(a->snapshot), count = 0;
    bool keep = !strchr(forced, '$'); /* shortcuts are another thing for another user, and change by themselves */
    if (keep && seen_get(api->seen, forced, version, &count)) {
        return count;
    }
    struct query *query = NULL;
    struct search *search = NULL;
    struct err e = {0};
    int code = ask_parse(a, span_text(forced), true, &query, &e);
    if (code == 0) {
        const struct search_options options = {.snapshot = a->snapshot,
                                               .queries = {query},
                                               .cancelled = call_cancelled,
                                               .ctx = a->call,
                                               .deadline_ms = api->settings->query_seconds * 1000};
        code = search_new(&options, &search, &e);
    }
    code = code < 0 ? code : search_run(search);
    if (code == 0) {
        count = search_count(search);
    }
    if (code == 0 && keep) {
        seen_put(api->seen, forced, version, count);
    }
    search_free(search);
    query_free(query);
    return count;
}
