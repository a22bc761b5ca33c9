/* store.c: `seine store`: what is in a store, whether it is whole, and getting it out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/options.h"
#include "cmd/session_setup.h"
#include "cmd/store_export.h"

struct store_command {
    struct setup_options setup;
    const char *store, *segment, *out, *fields;
    bool columns, repair;
    int format; /* enum store_export_format */
    uint64_t limit;
};

#define AT(member) OPTION_AT(store_command, member)
static const struct option_def store_option_table[] = {
    STORE_OPTION_ROW(AT(store), STORE_OPTION_HELP),
    {.name = "columns", .kind = OPTION_FLAG, .offset = AT(columns), .help = "stat: every column with its size"},
    {.name = "repair",
     .kind = OPTION_FLAG,
     .offset = AT(repair),
     .help = "fsck: put aside what is damaged, so that the rest can be used"},
    {.name = "segment",
     .argument = "NAME",
     .kind = OPTION_TEXT,
     .offset = AT(segment),
     .help = "dump: this segment file (stat lists them)"},
    LIMIT_OPTION_ROW(AT(limit), "dump: N rows at most"),
    {.name = "format",
     .argument = "FORMAT",
     .kind = OPTION_CHOICE,
     .offset = AT(format),
     .choices = STORE_EXPORT_CHOICES,
     .help = "export: jsonl (documents, one a line; the default), csv or parquet (needs DuckDB's library)"},
    {.letter = 'w',
     .argument = "FILE",
     .kind = OPTION_TEXT,
     .offset = AT(out),
     .help = "export: into this file; - for standard output (the default)"},
    {.name = "fields",
     .argument = "LIST",
     .kind = OPTION_TEXT,
     .offset = AT(fields),
     .help = "export: columns of csv, by expression name, joined by commas"},
    SETUP_OPTION_ROWS(store_command, setup),
    VERBOSE_OPTION_ROW(AT(setup.verbose), "say more: settings that are ignored"),
};
#undef AT

static void print_line(void *ctx, bool problem, const char *line) {
    (void)ctx;
    if (problem) {
        say("%s", line);
    } else {
        (void)puts(line);
    }
}

static int run_stat(const struct store_command *o) {
    struct store_report report = {print_line, NULL};
    struct err e = {0};
    int code = store_describe(o->store, o->columns, &report, &e);
    return code < 0 ? store_failed(o->store, code, &e) : EXIT_DONE;
}

static int run_fsck(const struct store_command *o) {
    struct store_report report = {print_line, NULL};
    struct err e = {0};
    int problems = store_check(o->store, o->repair, &report, &e);
    if (problems < 0) {
        return store_failed(o->store, problems, &e);
    }
    if (!problems) {
        say("%s: nothing is wrong", o->store);
    } else {
        say("%s: %d problem%s%s", o->store, problems, problems == 1 ? "" : "s",
            o->repair ? "" : "; --repair puts aside what is damaged");
    }
    return problems ? EXIT_PARTIAL : EXIT_DONE;
}

static int run_dump(const struct store_command *o) {
    struct store_report report = {print_line, NULL};
    struct err e = {0};
    if (!o->segment) {
        return usage_error(&command_store, "dump: name the segment with --segment; `seine store stat` lists them");
    }
    int code = store_dump(o->store, o->segment, o->limit, &report, &e);
    return code < 0 ? store_failed(o->store, code, &e) : EXIT_DONE;
}

static void compact_say(const char *folder, const struct store_writer *w) {
    uint64_t n[STORE_COUNTS];
    store_writer_counts(w, n);
    if (n[STORE_MERGES] + n[STORE_SEALS] + n[STORE_ROWS_DROPPED] == 0) {
        say("%s: nothing to merge, and nothing too old", folder);
        return;
    }
    say("%s: segments merged %llu times, %llu sessions were too old or too many and are gone", folder,
        (unsigned long long)n[STORE_MERGES], (unsigned long long)n[STORE_ROWS_DROPPED]);
}

static int run_compact(const struct store_command *o) {
    struct session_setup setup;
    struct store_writer *w = NULL;
    struct err e = {0};
    int code = session_setup_init(&setup, &o->setup);
    if (code == EXIT_DONE) {
        struct store_options options = store_settings_options(&setup.store, setup.record.node);
        int failed = store_writer_open(o->store, false, &options, setup.registry, &w, &e);
        failed = failed < 0 ? failed : store_compact(w, &e);
        if (failed == 0) {
            compact_say(o->store, w);
        }
        int closed = store_writer_close(w, failed < 0 ? NULL : &e);
        failed = failed < 0 ? failed : closed;
        code = failed < 0 ? store_failed(o->store, failed, &e) : EXIT_DONE;
    }
    session_setup_done(&setup);
    return code;
}

static int run_export(const struct store_command *o) {
    struct store_export e = {.store = o->store,
                             .format = o->format,
                             .out = o->out && strcmp(o->out, "-") != 0 ? o->out : NULL,
                             .fields = o->fields};
    return store_export_run(&e);
}

static const struct {
    const char *name;
    int (*run)(const struct store_command *o);
} actions[] = {
    {"stat", run_stat}, {"fsck", run_fsck}, {"dump", run_dump}, {"export", run_export}, {"compact", run_compact},
};

#define ACTION_NAMES "stat, fsck, dump, export, compact"

static int run_store(int argc, char **argv) {
    struct store_command o = {0};
    int first = 0;
    int code = options_parse(&command_store, argc, argv, &o, &first);
    if (code != OPTIONS_OK) {
        return code;
    }
    if (!o.store) {
        o.store = getenv("SEINE_STORE");
    }
    const char *name = first < argc ? argv[first] : NULL;
    size_t i = 0;
    while (name && i < ARRAY_LEN(actions) && strcmp(name, actions[i].name) != 0) {
        i++;
    }
    if (!name || i == ARRAY_LEN(actions)) {
        return usage_error(&command_store, "%s%s%sname one of " ACTION_NAMES, name ? "there is no \"" : "",
                           name ? name : "", name ? "\": " : "");
    }
    if (first + 1 != argc) {
        return usage_error(&command_store, "%s: what is \"%s\"? The store's folder stands behind --store", name,
                           argv[first + 1]);
    }
    if (!o.store || !*o.store) {
        return usage_error(&command_store, "which store: name its folder with --store DIR");
    }
    return actions[i].run(&o);
}

const struct command command_store = {
    .name = "store",
    .line = "look after a store: what is in it, is it whole",
    .arguments = "stat|fsck|dump|export|compact",
    .about = "stat: segments, sessions, sizes. fsck: checks every checksum and relation. dump: rows of one segment as "
             "JSON Lines, also when the program does not know its fields. export: all sessions, for other programs. "
             "compact: merges what can be merged and "
             "deletes what is older than the settings say, now.",
    .options = store_option_table,
    .option_count = ARRAY_LEN(store_option_table),
    .examples = {"seine store stat --store ~/sessions --columns", "seine store fsck --store ~/sessions"},
    .run = run_store,
};
