/* load.h: captures into an open store, as `seine import` and `seine serve` do it.
 *
 * Owner: the command. Thread: load_run blocks; its `over` is asked on its thread. Failure: said; the exit code
 * returned.
 */
#ifndef SEINE_CMD_LOAD_H
#define SEINE_CMD_LOAD_H

#include "cmd/option_rows.h"
#include "cmd/session_setup.h"
#include "cmd/show.h"
#include "store/control.h"
#include "store/store.h"

/* What of the command line is about reading. */
struct load_choices {
    const char *bpf;
    struct text_list tags;
    uint64_t workers;
    bool again, quiet;
    int progress;
};

#define LOAD_OPTION_ROWS(type, member)                                                                          \
    BPF_OPTION_ROW(OPTION_AT(type, member.bpf), BPF_OPTION_HELP), TAG_OPTION_ROW(OPTION_AT(type, member.tags)), \
        {.name = "again",                                                                                       \
         .kind = OPTION_FLAG,                                                                                   \
         .offset = OPTION_AT(type, member.again),                                                               \
         .help = "read captures that the store has already once more; their sessions are replaced"},            \
        WORKERS_OPTION_ROW(OPTION_AT(type, member.workers), WORKERS_OPTION_HELP),                               \
        QUIET_OPTION_ROW(OPTION_AT(type, member.quiet)), PROGRESS_OPTION_ROW(OPTION_AT(type, member.progress))

struct load_result {
    uint64_t packets, sessions;
};

struct load_options {
    const struct session_setup *setup;
    const struct load_choices *choices;
    const char *folder; /* of the store */
    struct store_writer *writer;
    struct control *control;
    unsigned verbose;
    struct load_result *result;                                     /* NULL = nobody asks */
    void (*told)(void *told_ctx, uint64_t bytes, uint64_t packets); /* how far it is; 0, 0 at the end. NULL = nobody */
    void *told_ctx;
    bool (*over)(void *ctx, bool *ret_asked); /* stop; `ret_asked`: say how far it is */
    void *ctx;
};

/* Reads all of `paths` into the store. */
int load_run(const struct load_options *options, char **paths, int count);

/* The exit code for what a store answered; says it. */
int store_failed(const char *what, int code, const struct err *e);
/* The exit code of what was read from a store: says what of it could not be read, which makes it EXIT_PARTIAL. */
int store_end(struct store *s, int code);

#endif
