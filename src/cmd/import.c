/* import.c: `seine import`: captures into a store that stays. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/options.h"
#include "cmd/stop.h"

struct import_options {
    struct setup_options setup;
    struct load_choices load;
    const char *store;
};

#define AT(member) OPTION_AT(import_options, member)
static const struct option_def import_option_table[] = {
    STORE_OPTION_ROW(AT(store), "folder of the store (default: what SEINE_STORE names); made when it is not there"),
    LOAD_OPTION_ROWS(import_options, load),
    SETUP_OPTION_ROWS(import_options, setup),
    VERBOSE_OPTION_ROW(AT(setup.verbose), "say more: every note, every capture that is left out"),
};
#undef AT

struct importing {
    struct import_options options;
    struct session_setup setup;
    struct store_writer *writer;
    struct control *control;
    struct stop stop;
};

static bool over(void *ctx, bool *ret_asked) {
    return stop_wanted(&((struct importing *)ctx)->stop, ret_asked);
}

static int import_paths(struct importing *m, char **paths, int count) {
    const struct import_options *o = &m->options;
    struct load_options load = {.setup = &m->setup,
                                .choices = &o->load,
                                .folder = o->store,
                                .writer = m->writer,
                                .control = m->control,
                                .verbose = o->setup.verbose,
                                .over = over,
                                .ctx = m};
    int code = load_run(&load, paths, count);
    if (code == EXIT_INTERRUPTED && m->stop.signal == SIGTERM) {
        code = EXIT_TERMINATED;
    }
    return code;
}

static int import_into(struct importing *m, char **paths, int count) {
    const struct import_options *o = &m->options;
    struct err e = {0};
    int code = session_setup_init(&m->setup, &o->setup);
    if (code != EXIT_DONE) {
        return code;
    }
    code = stop_init(&m->stop); /* before the writer has threads of its own, which would take the signals */
    if (code < 0) {
        say("signals cannot be taken: %s", strerror(-code));
        return EXIT_INTERNAL;
    }
    struct store_options options = store_settings_options(&m->setup.store, m->setup.record.node);
    code = store_writer_open(o->store, true, &options, m->setup.registry, &m->writer, &e);
    if (code == 0) {
        code = control_open(o->store, &m->control, &e);
    }
    if (code < 0) {
        return store_failed(o->store, code, &e);
    }
    return import_paths(m, paths, count);
}

static int run_import(int argc, char **argv) {
    struct importing *m = calloc(1, sizeof(*m));
    int first = 0;
    if (!m) {
        return EXIT_INTERNAL;
    }
    m->stop.fd = -1;
    int code = options_parse(&command_import, argc, argv, &m->options, &first);
    if (!m->options.store) {
        m->options.store = getenv("SEINE_STORE");
    }
    if (code == OPTIONS_OK && (!m->options.store || !*m->options.store)) {
        code = usage_error(&command_import, "where to: name the store's folder with --store DIR");
    } else if (code == OPTIONS_OK && first == argc) {
        code = usage_error(&command_import, "nothing to read: name captures, folders, globs, or - for standard input");
    } else if (code == OPTIONS_OK) {
        struct err e = {0};
        code = import_into(m, argv + first, argc - first);
        int closed = store_writer_close(m->writer, &e);
        if (closed < 0 && code == EXIT_DONE) {
            code = store_failed(m->options.store, closed, &e);
        }
        control_close(m->control);
        stop_done(&m->stop);
        session_setup_done(&m->setup);
    }
    free(m);
    return code;
}

const struct command command_import = {
    .name = "import",
    .line = "read captures into a store that stays",
    .arguments = "FILE|FOLDER|GLOB|-...",
    .about =
        "Reads captures (as `seine read` does) and keeps their sessions in a store, where `seine serve` and `seine "
        "search` find them, also while it reads. Captures that are in the store already are left out; one whose import "
        "was interrupted is read again and its sessions are replaced.",
    .options = import_option_table,
    .option_count = ARRAY_LEN(import_option_table),
    .examples = {"seine import --store ~/sessions /captures/2024",
                 "seine import --store s --tag case7 evidence.pcap.gz",
                 "ssh sensor tcpdump -w - | seine import --store s -"},
    .run = run_import,
};
