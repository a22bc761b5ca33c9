/* take.c: see take.h. */
#include "cmd/take.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/load.h"

#define WRITER_TRIES 20 /* a tenth of a second each: retention takes the store for a moment */

void take_init(struct take *t) {
    (void)pthread_mutex_init(&t->lock, NULL);
}

void take_done(struct take *t) {
    (void)pthread_mutex_destroy(&t->lock);
}

/* Tags joined by commas; they live in `memory`. */
static void tags_split(struct span tags, char *memory, size_t size, struct text_list *ret) {
    char *rest = NULL;
    (void)snprintf(memory, size, "%.*s", (int)tags.len, (const char *)tags.at);
    for (char *one = strtok_r(memory, ",", &rest); one && ret->count < TEXT_LIST_MAX;
         one = strtok_r(NULL, ",", &rest)) {
        ret->items[ret->count++] = one;
    }
}

static int writer_open(const struct take *t, struct store_writer **ret_writer, struct err *e) {
    struct store_options options = store_settings_options(&t->setup->store, t->setup->record.node);
    const struct timespec pause = {.tv_nsec = 100000000};
    int code = -EWOULDBLOCK;
    for (unsigned i = 0; i < WRITER_TRIES && code == -EWOULDBLOCK; i++) {
        if (i) {
            (void)nanosleep(&pause, NULL);
        }
        code = store_writer_open(t->folder, false, &options, t->setup->registry, ret_writer, e);
    }
    return code == -EWOULDBLOCK ? err_set(e, -EBUSY, "another program writes the store: try again later") : code;
}

static int read_capture(struct take *t, const struct import_request *q, struct import_result *ret, struct err *e) {
    struct store_writer *writer = NULL;
    struct load_choices choices = {.quiet = true, .progress = PROGRESS_NONE};
    struct load_result result = {0};
    char memory[4200];
    char *path = strdup(q->path);
    int code = path ? writer_open(t, &writer, e) : -ENOMEM;
    if (code < 0) {
        free(path);
        return code;
    }
    tags_split(q->tags, memory, sizeof(memory), &choices.tags);
    struct load_options load = {.setup = t->setup,
                                .choices = &choices,
                                .folder = t->folder,
                                .writer = writer,
                                .control = t->control,
                                .told = api_reading,
                                .told_ctx = t->api,
                                .result = &result,
                                .over = t->over,
                                .ctx = t->ctx};
    int exit = load_run(&load, &path, 1);
    code = store_writer_close(writer, e);
    free(path);
    ret->packets = result.packets;
    ret->sessions = result.sessions;
    if (code < 0) {
        return code;
    }
    switch (exit) {
    case EXIT_DONE:
        return 0;
    case EXIT_PARTIAL:
        if (result.packets) {
            (void)snprintf(ret->warning, sizeof(ret->warning), "the capture is damaged: some of it could not be read");
            return 0;
        }
        return err_set(e, -ENODATA, "the capture is damaged: nothing of it could be read");
    case EXIT_NOTHING:
        return err_set(e, -ENODATA, "that is no capture: neither pcap nor pcapng, nor one packed");
    case EXIT_FULL:
        return err_set(e, -ENOSPC, "the disk of the store is full");
    default:
        return err_set(e, -EIO, "the capture could not be read");
    }
}

int take_import(void *take, const struct import_request *q, struct import_result *ret, struct err *ret_err) {
    struct take *t = take;
    if (__atomic_load_n(t->busy, __ATOMIC_ACQUIRE)) {
        return err_set(ret_err, -EBUSY, "this server is reading captures: try again once it is done");
    }
    if (pthread_mutex_trylock(&t->lock) != 0) {
        return err_set(ret_err, -EBUSY, "another capture is being read: try again once it is done");
    }
    int code = read_capture(t, q, ret, ret_err);
    (void)pthread_mutex_unlock(&t->lock);
    return code;
}
