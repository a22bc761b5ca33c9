/* search_store.c: a question to a store in a folder; see search.h. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/load.h"
#include "cmd/registry_make.h"
#include "cmd/search.h"
#include "cmd/times.h"

#define MS 1000
#define WORDS_MAX (QUERY_TEXT_MAX + ((size_t)1 << 20))

int search_span_read(const struct search_choices *c, struct search_span *ret) {
    int64_t now = (int64_t)time(NULL) * MS, ignored;
    *ret = (struct search_span){.bounded = c->from || c->to || c->last, .stop_ms = INT64_MAX};
    if (c->last && c->from) {
        say("--last and --from both say where to begin: give one of them");
        return EXIT_USAGE;
    }
    int code = EXIT_DONE;
    if (c->last) {
        char *relative = NULL;
        if (!isdigit((unsigned char)c->last[strspn(c->last, "-")])) {
            say("--last %s: is no length of time; examples are 90m, 24h and 7d", c->last);
            return EXIT_USAGE;
        }
        if (asprintf(&relative, "%s%s", c->last[0] == '-' ? "" : "-", c->last) < 0) {
            return EXIT_INTERNAL;
        }
        code = times_read("--last", relative, now, &ret->start_ms, &ignored);
        free(relative);
    }
    if (c->from) {
        code = times_read("--from", c->from, now, &ret->start_ms, &ignored);
    }
    if (c->to && code == EXIT_DONE) {
        code = times_read("--to", c->to, now, &ignored, &ret->stop_ms);
    }
    if (code == EXIT_DONE && ret->start_ms > ret->stop_ms) {
        say("the time span ends before it begins");
        code = EXIT_USAGE;
    }
    return code;
}

char *search_words(char **words, int count) {
    struct buf text;
    buf_init(&text, WORDS_MAX);
    for (int i = 0; i < count; i++) {
        buf_add_text(&text, i ? " " : "");
        buf_add_text(&text, words[i]);
    }
    buf_add_byte(&text, 0);
    char *copy = text.overflowed ? NULL : strdup((const char *)text.data);
    buf_done(&text);
    return copy;
}

static bool cancelled(void *ctx) {
    bool asked;
    return stop_wanted(&((struct asking *)ctx)->stop, &asked);
}

int asking_failed(const struct asking *a, int code) {
    switch (code) {
    case -ECANCELED:
        return a->stop.signal == SIGTERM ? EXIT_TERMINATED : EXIT_INTERRUPTED;
    case -E2BIG:
        say("the answer does not fit in memory: ask for fewer sessions or a shorter time");
        return EXIT_PARTIAL;
    case -EBADMSG:
        say("the store is damaged: `seine store fsck` says where");
        return EXIT_PARTIAL;
    default:
        say("the store cannot be searched: %s", strerror(-code));
        return code == -ENOMEM ? EXIT_INTERNAL : EXIT_PARTIAL;
    }
}

static int open_store(struct asking *a, const char *folder) {
    struct err e = {0};
    int code = store_open(folder, registry_make, NULL, 0, &a->store, &e);
    if (code < 0) {
        return store_failed(folder, code, &e);
    }
    a->snapshot = store_snapshot(a->store);
    code = control_open_reader(folder, &a->control, &e);
    return code < 0 ? store_failed(folder, code, &e) : EXIT_DONE;
}

/* --- names of capture files in expressions --- */

struct file_walk {
    query_file_fn each;
    void *ctx;
    int code;
};

static bool give_file(void *ctx, const struct stored_file *f) {
    struct file_walk *w = ctx;
    struct query_file file = {f->number, span_text(f->name), span_text(f->node)};
    w->code = f->gone ? 0 : w->each(w->ctx, &file);
    return w->code >= 0;
}

static int each_file(void *ctx, query_file_fn each, void *each_ctx) {
    struct asking *a = ctx;
    struct file_walk w = {each, each_ctx, 0};
    int code = files_each(a->control, give_file, &w);
    return code < 0 ? code : w.code;
}

static int parse(struct asking *a, const char *expression) {
    struct query_names names = {.ctx = a, .files = each_file};
    struct err e = {0};
    int64_t now = (int64_t)time(NULL) * MS;
    if (query_parse_with(span_text(expression), snapshot_registry(a->snapshot), &names, now, &a->query, &e) < 0) {
        say_err(NULL, &e);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

int asking_run(struct asking *a, const struct search_choices *c, const char *expression) {
    const char *folder = c->store ? c->store : getenv("SEINE_STORE");
    struct search_span span;
    struct err e = {0};
    a->stop.fd = -1;
    if (!folder || !*folder) {
        say("where to search: name the store's folder with --store DIR, or a server with --url URL");
        return EXIT_USAGE;
    }
    int code = search_span_read(c, &span);
    code = code == EXIT_DONE ? open_store(a, folder) : code;
    if (code != EXIT_DONE) {
        return code;
    }
    code = parse(a, expression);
    if (code != EXIT_DONE) {
        return code;
    }
    code = stop_init(&a->stop);
    struct search_options options = {.snapshot = a->snapshot,
                                     .queries = {a->query},
                                     .bounded = span.bounded,
                                     .start_ms = span.start_ms,
                                     .stop_ms = span.stop_ms,
                                     .bounding = BOUND_LAST,
                                     .cancelled = cancelled,
                                     .ctx = a};
    code = code < 0 ? code : search_new(&options, &a->search, &e);
    code = code < 0 ? code : search_run(a->search);
    if (code < 0 && e.text[0]) {
        say_err(NULL, &e);
        return EXIT_USAGE;
    }
    return code < 0 ? asking_failed(a, code) : EXIT_DONE;
}

void asking_done(struct asking *a) {
    a->search = search_free(a->search);
    a->query = query_free(a->query);
    a->snapshot = snapshot_unref(a->snapshot);
    a->store = store_close(a->store);
    a->control = control_close(a->control);
    stop_done(&a->stop);
}
