/* serve.c: `seine serve`, and `seine FILE`: sessions in a browser and to programs, by the API.
 *
 * The server listens before the first packet is read; captures are read on threads beside it. Main waits for signals.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/options.h"
#include "cmd/service.h"
#include "cmd/stop.h"
#include "cmd/store_place.h"

#define WAIT_MS 100
#define LOOKS_PER_RETENTION 60 /* seconds */

struct serve_options {
    struct setup_options setup;
    struct load_choices load;
    const char *store, *keep, *listen;
};

#define AT(member) OPTION_AT(serve_options, member)
static const struct option_def serve_option_table[] = {
    STORE_OPTION_ROW(AT(store), "folder of the store; with captures to read it is made when it is not there"),
    {.name = "keep",
     .argument = "NAME",
     .kind = OPTION_TEXT,
     .offset = AT(keep),
     .help = "keep the sessions under this name in your data folder; without it and --store they go at the end"},
    {.name = "listen",
     .argument = "ADDRESS:PORT",
     .kind = OPTION_TEXT,
     .offset = AT(listen),
     .help = "where to listen (default: viewHost and viewPort, 127.0.0.1:8005; the next free port when it is taken)"},
    LOAD_OPTION_ROWS(serve_options, load),
    SETUP_OPTION_ROWS(serve_options, setup),
    VERBOSE_OPTION_ROW(AT(setup.verbose), "say more: every note, every capture that is left out"),
};
#undef AT

struct serving {
    struct serve_options options;
    struct session_setup setup;
    struct store_place place;
    struct service service;
    struct service_options how;
    struct take take;
    struct stop stop;
    char **paths;
    int count;
    pthread_t loader;
    bool loading;          /* the thread was started and not joined */
    bool reading;          /* atomic: the store is the loader's to write */
    bool over, asked, end; /* atomic: reading should stop; say how far it is; the loader is done */
    int loaded;            /* exit code of reading */
};

/* --- the loader's thread --- */

static bool loader_over(void *ctx, bool *ret_asked) {
    struct serving *g = ctx;
    *ret_asked = __atomic_exchange_n(&g->asked, false, __ATOMIC_RELAXED);
    return __atomic_load_n(&g->over, __ATOMIC_RELAXED);
}

static bool take_over(void *ctx, bool *ret_asked) {
    const struct serving *g = ctx;
    *ret_asked = false;
    return __atomic_load_n(&g->over, __ATOMIC_RELAXED);
}

static void *loader_main(void *arg) {
    struct serving *g = arg;
    struct load_options load = {.setup = &g->setup,
                                .choices = &g->options.load,
                                .folder = g->how.folder,
                                .writer = g->service.writer,
                                .control = g->service.control,
                                .verbose = g->options.setup.verbose,
                                .told = api_reading,
                                .told_ctx = g->service.api,
                                .over = loader_over,
                                .ctx = g};
    g->loaded = load_run(&load, g->paths, g->count);
    __atomic_store_n(&g->end, true, __ATOMIC_RELEASE);
    return NULL;
}

static int loader_start(struct serving *g) {
    int code = g->count ? pthread_create(&g->loader, NULL, loader_main, g) : 0;
    g->loading = g->count && code == 0;
    if (code) {
        say("no thread for reading: %s", strerror(code));
    }
    return code ? EXIT_INTERNAL : EXIT_DONE;
}

/* Reading ended: others may write from now on. */
static int loader_finish(struct serving *g) {
    (void)pthread_join(g->loader, NULL);
    int closed = service_stop_writing(&g->service, &g->how);
    g->loading = false;
    __atomic_store_n(&g->reading, false, __ATOMIC_RELEASE);
    return g->loaded == EXIT_DONE ? closed : g->loaded;
}

/* --- main --- */

static void print_link(const struct serving *g) {
    (void)printf("%s\n", g->service.link);
    (void)fflush(stdout);
    if (g->options.load.quiet) {
        return;
    }
    if (auth_mode(g->service.auth) == AUTH_ANONYMOUS) {
        say("there are no users: whoever is on this machine can read and change all of it (`seine user add` changes "
            "that)");
    }
    if (g->options.keep) {
        say("the sessions are kept in %s", g->place.folder);
    }
}

/* Nothing could be read and there is nothing else to show. */
static bool pointless(const struct serving *g, int code) {
    struct snapshot *s = store_snapshot(g->service.store);
    uint64_t rows = snapshot_rows(s);
    snapshot_unref(s);
    return rows == 0 && code != EXIT_DONE && code != EXIT_PARTIAL && code != EXIT_INTERRUPTED;
}

/* Until a signal comes. */
static int wait_for_end(struct serving *g) {
    struct timespec pause = {.tv_nsec = WAIT_MS * 1000000};
    int code = EXIT_DONE;
    for (unsigned turns = 1;; turns++) {
        bool asked = false;
        if (stop_wanted(&g->stop, &asked)) {
            break;
        }
        if (asked) {
            __atomic_store_n(&g->asked, true, __ATOMIC_RELAXED);
        }
        if (g->loading && __atomic_load_n(&g->end, __ATOMIC_ACQUIRE)) {
            code = loader_finish(g);
            if (pointless(g, code)) {
                return code;
            }
            if (!g->options.load.quiet) {
                say("serving until Ctrl-C");
            }
        }
        if (turns % (1000 / WAIT_MS) == 0) {
            service_look(&g->service);
        }
        if (turns % (LOOKS_PER_RETENTION * (1000 / WAIT_MS)) == 0 && !g->loading) {
            service_retain(&g->service, &g->how);
        }
        (void)nanosleep(&pause, NULL);
    }
    __atomic_store_n(&g->over, true, __ATOMIC_RELAXED);
    if (g->loading) {
        code = loader_finish(g);
    }
    return code == EXIT_INTERRUPTED && g->stop.signal == SIGTERM ? EXIT_TERMINATED : code;
}

static int find_place(struct serving *g) {
    const struct serve_options *o = &g->options;
    if (o->store && o->keep) {
        return usage_error(&command_serve, "--store and --keep both say where the sessions stay: give one of them");
    }
    if (!o->store && g->count == 0 && !o->keep) {
        return usage_error(&command_serve, "nothing to serve: name a store with --store DIR, or captures to read");
    }
    int code = EXIT_DONE;
    if (o->keep) {
        code = store_place_kept(&g->place, o->keep);
    } else if (!o->store) {
        code = store_place_private(&g->place);
    }
    g->how = (struct service_options){.setup = &g->setup,
                                      .folder = o->store ? o->store : g->place.folder,
                                      .listen = o->listen,
                                      .is_private = !o->store,
                                      .take = &g->take,
                                      .write = g->count > 0};
    g->reading = g->count > 0;
    g->take =
        (struct take){.setup = &g->setup, .folder = g->how.folder, .over = take_over, .ctx = g, .busy = &g->reading};
    take_init(&g->take);
    return code;
}

static int serve_store(struct serving *g) {
    int code = session_setup_init(&g->setup, &g->options.setup);
    code = code == EXIT_DONE ? find_place(g) : code;
    if (code != EXIT_DONE) {
        return code;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* connections that end are answers of write */
    int signals = stop_init(&g->stop);
    if (signals < 0) {
        say("signals cannot be taken: %s", strerror(-signals));
        return EXIT_INTERNAL;
    }
    code = service_start(&g->service, &g->how);
    if (code == EXIT_DONE) {
        print_link(g);
        code = loader_start(g);
    }
    return code == EXIT_DONE ? wait_for_end(g) : code;
}

static int run_serve(int argc, char **argv) {
    struct serving *g = calloc(1, sizeof(*g));
    int first = 0;
    if (!g) {
        return EXIT_INTERNAL;
    }
    g->stop.fd = -1;
    int code = options_parse(&command_serve, argc, argv, &g->options, &first);
    if (code == OPTIONS_OK) {
        g->paths = argv + first;
        g->count = argc - first;
        code = serve_store(g);
        service_stop(&g->service);
        take_done(&g->take);
        store_place_done(&g->place);
        stop_done(&g->stop);
        session_setup_done(&g->setup);
    }
    free(g);
    return code;
}

const struct command command_serve = {
    .name = "serve",
    .line = "show sessions in the browser and to programs",
    .arguments = "[FILE|FOLDER|GLOB|-...]",
    .about = "Serves the sessions of a store, or of captures that it reads at the same time, and prints the link. "
             "Captures without --store or --keep go into a private store that goes when the program ends.",
    .options = serve_option_table,
    .option_count = ARRAY_LEN(serve_option_table),
    .examples = {"seine serve capture.pcap", "seine serve --store ~/sessions --listen 127.0.0.1:8005",
                 "seine serve --keep case7 /captures/case7"},
    .run = run_serve,
};
