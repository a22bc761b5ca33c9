/* read.c: `seine read`: captures to sessions on standard output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/notes.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/progress.h"
#include "cmd/session_setup.h"
#include "cmd/stop.h"
#include "cmd/summary.h"
#include "query/query.h"
#include "record/core_fields.h"

#define FORMAT_UNASKED (-1)

struct read_options {
    struct setup_options setup;
    int format;
    const char *fields, *bpf, *zone, *expression;
    uint64_t packets, workers, limit;
    struct text_list tags;
    bool utc, quiet, no_color;
    int progress, stats;
};

#define AT(member) OPTION_AT(read_options, member)
static const struct option_def read_option_table[] = {
    {.name = "format",
     .argument = "FORMAT",
     .kind = OPTION_CHOICE,
     .offset = AT(format),
     .choices = OUTPUT_CHOICES,
     .help = "table, json (a document per line), arkime, csv or null (default: table on a terminal, else json)"},
    {.name = "fields",
     .argument = "A,B,C",
     .kind = OPTION_TEXT,
     .offset = AT(fields),
     .help = "columns of csv, by expression name (`seine fields` lists them); implies --format csv"},
    BPF_OPTION_ROW(AT(bpf), BPF_OPTION_HELP),
    {.letter = 'Y',
     .argument = "EXPRESSION",
     .kind = OPTION_TEXT,
     .offset = AT(expression),
     .help = "show only sessions that fit, for example 'host == *.example.com && bytes > 10k'"},
    {.letter = 'c',
     .argument = "N",
     .kind = OPTION_NUMBER,
     .offset = AT(packets),
     .min = 1,
     .max = INT64_MAX,
     .help = "stop after N packets"},
    LIMIT_OPTION_ROW(AT(limit), "show N sessions at most"),
    SETUP_OPTION_ROWS(read_options, setup),
    TAG_OPTION_ROW(AT(tags)),
    WORKERS_OPTION_ROW(AT(workers), WORKERS_OPTION_HELP),
    UTC_OPTION_ROW(AT(utc)),
    ZONE_OPTION_ROW(AT(zone)),
    QUIET_OPTION_ROW(AT(quiet)),
    VERBOSE_OPTION_ROW(AT(setup.verbose), "say more: every note, and counters"),
    PROGRESS_OPTION_ROW(AT(progress)),
    {.name = "stats",
     .argument = "json",
     .kind = OPTION_CHOICE,
     .offset = AT(stats),
     .choices = "none,json",
     .help = "all counters at the end, on standard error"},
    {.name = "no-color", .kind = OPTION_FLAG, .offset = AT(no_color), .help = "no colours; also when NO_COLOR is set"},
};
#undef AT

struct reading {
    struct read_options options;
    struct session_setup setup;
    struct query *query; /* NULL: every session */
    struct output *output;
    struct summary *summary;
    struct progress progress;
    struct notes notes;
    struct stop stop;
    struct show show;
    struct walk_stats stats;
    bool terminal; /* standard output */
};

/* --- what the walk calls --- */

static void on_record(void *ctx, unsigned worker, struct record *r) {
    struct reading *g = ctx;
    for (size_t i = 0; i < g->options.tags.count; i++) {
        (void)cells_put_text(&r->cells, registry_field(r->registry, CORE_TAGS), span_text(g->options.tags.items[i]));
    }
    if (g->query && !query_match(g->query, r)) {
        return;
    }
    summary_count(g->summary, worker, r);
    output_record(g->output, worker, r);
}

static void on_note(void *ctx, const char *file, uint64_t offset, const char *what) {
    struct reading *g = ctx;
    if (!__atomic_load_n(&g->stop.signal, __ATOMIC_RELAXED)) { /* a pipe that we leave ends in the middle: no news */
        notes_take(&g->notes, file, offset, what);
    }
}

static bool on_tick(void *ctx, uint64_t bytes, uint64_t packets) {
    struct reading *g = ctx;
    bool asked = false, stop = stop_wanted(&g->stop, &asked);
    uint64_t sessions = summary_sessions(g->summary);
    progress_tick(&g->progress, bytes, packets, sessions);
    output_nudge(g->output);
    if (asked) {
        progress_clear(&g->progress);
        say("so far %llu packets, %llu sessions, %llu bytes read in %.1f s", (unsigned long long)packets,
            (unsigned long long)sessions, (unsigned long long)bytes, progress_seconds(&g->progress));
    }
    return stop || output_over(g->output);
}

/* --- the run --- */

static int check_options(struct reading *g, int first, int argc) {
    struct read_options *o = &g->options;
    if (first == argc) {
        return usage_error(&command_read, "nothing to read: name captures, folders, globs, or - for standard input");
    }
    if (o->fields && o->format != FORMAT_UNASKED && o->format != OUTPUT_CSV) {
        return usage_error(&command_read, "--fields chooses columns of --format csv");
    }
    if (!show_zone(&g->show, o->utc, o->zone)) {
        return usage_error(&command_read, "--tz %s: there is no such time zone; an example is Europe/Zurich", o->zone);
    }
    g->terminal = isatty(STDOUT_FILENO);
    if (o->format == FORMAT_UNASKED) {
        o->format = o->fields ? OUTPUT_CSV : g->terminal ? OUTPUT_TABLE : OUTPUT_JSON;
    }
    if (o->format == OUTPUT_CSV && !o->zone) {
        g->show.utc = true; /* made for other programs */
    }
    g->show.utf8 = o->format == OUTPUT_CSV || show_utf8();
    return EXIT_DONE;
}

/* A capture without a single session leaves its reader wondering: what became of its packets. */
static void say_why_none(const struct walk_stats *s) {
    static const struct {
        enum decode_count counter;
        const char *what;
    } reasons[] = {
        {DECODE_UNKNOWN_LINK, "of a link type that is not known"},
        {DECODE_UNKNOWN_ETHER,
         "neither IP nor another protocol that makes sessions (disableParsers, saveUnknownPackets)"},
        {DECODE_UNKNOWN_IP, "of an IP protocol that makes no sessions (saveUnknownPackets=ip:all keeps them)"},
        {DECODE_CORRUPT_ETHER, "damaged above the link layer (saveUnknownPackets=corrupt keeps them)"},
        {DECODE_CORRUPT_IP, "with lengths that contradict each other (saveUnknownPackets=corrupt keeps them)"},
        {DECODE_TOO_DEEP, "with too many layers"},
        {DECODE_FRAGMENT_DROPPED, "fragments of datagrams that never became whole"},
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        uint64_t count = s->decode[reasons[i].counter];
        if (count) {
            say("no session of %llu packet%s: %s", (unsigned long long)count, count == 1 ? "" : "s", reasons[i].what);
        }
    }
}

static void say_end(struct reading *g, int code) {
    const struct walk_stats *s = &g->stats;
    const struct read_options *o = &g->options;
    bool table = o->format == OUTPUT_TABLE;
    if (o->stats) {
        summary_print_stats(g->summary, s, progress_seconds(&g->progress));
    }
    if (o->quiet) {
        return;
    }
    if (g->setup.registry && o->setup.verbose) {
        summary_print_counters(s);
    }
    if (table || o->setup.verbose) {
        summary_print(g->summary, s, &g->show);
    }
    uint64_t sessions = summary_sessions(g->summary);
    if (sessions == 0) {
        say_why_none(s);
    }
    struct buf size;
    buf_init(&size, 64);
    show_bytes(s->source.bytes, &size);
    say("%llu packets, %llu sessions, %.*s in %.2f s%s", (unsigned long long)s->source.packets,
        (unsigned long long)sessions, (int)size.len, (const char *)size.data, progress_seconds(&g->progress),
        code >= EXIT_INTERRUPTED  ? " (interrupted: what was read is complete)"
        : s->stopped && code == 0 ? " (the limit is reached: the rest was not read)"
                                  : "");
    buf_done(&size);
}

static int run_walk(struct reading *g, const struct input_list *inputs) {
    struct walk_options walk = session_setup_walk(&g->setup, inputs, g->options.workers);
    struct err e = {0};
    walk.bpf = g->options.bpf;
    walk.packet_limit = g->options.packets;
    walk.record = on_record;
    walk.note = on_note;
    walk.tick = on_tick;
    walk.ctx = g;
    bool line = isatty(STDERR_FILENO) && !g->options.quiet && (!g->terminal || g->options.format == OUTPUT_TABLE);
    progress_init(&g->progress, g->options.progress, line, input_list_bytes(inputs));
    g->notes.progress = &g->progress;
    int code = stop_init(&g->stop);
    if (code == 0) {
        bool asked;
        code = walk_run(&walk, &g->stats, &e);
        (void)stop_wanted(&g->stop, &asked); /* one that came after the last tick */
    }
    stop_done(&g->stop); /* from here on a signal ends the program as it always does */
    progress_clear(&g->progress);
    if (code == -EINVAL && g->options.bpf) {
        say_err("-f", &e);
        return EXIT_USAGE;
    }
    if (code < 0) {
        say("%s", e.text[0] ? e.text : strerror(-code));
        return EXIT_INTERNAL;
    }
    return EXIT_DONE;
}

static int finish(struct reading *g, int walked) {
    int written = output_end(g->output);
    int code = walked;
    if (code == EXIT_DONE) {
        code = g->stop.signal == SIGINT ? EXIT_INTERRUPTED : g->stop.signal ? EXIT_TERMINATED : written;
    }
    if (code == EXIT_DONE) {
        code = notes_exit(&g->notes, &g->stats.source);
    }
    if (walked == EXIT_DONE) {
        say_end(g, code);
    }
    return code;
}

static int parse_expression(struct reading *g) {
    const char *text = g->options.expression;
    struct err e = {0};
    if (text && query_parse(span_text(text), g->setup.registry, (int64_t)time(NULL) * 1000, &g->query, &e) < 0) {
        say_err("-Y", &e);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static int read_inputs(struct reading *g, char **paths, int count) {
    const struct read_options *o = &g->options;
    const char *no_color = getenv("NO_COLOR");
    struct output_options out = {.format = o->format,
                                 .show = g->show,
                                 .fields = o->fields,
                                 .limit = o->limit,
                                 .terminal = g->terminal,
                                 .color = g->terminal && !o->no_color && !(no_color && *no_color)};
    int code = session_setup_init(&g->setup, &o->setup);
    if (code != EXIT_DONE) {
        return code;
    }
    code = parse_expression(g);
    if (code != EXIT_DONE) {
        return code;
    }
    g->summary = summary_new(o->format == OUTPUT_TABLE || o->setup.verbose);
    if (!g->summary) {
        return EXIT_INTERNAL;
    }
    uint32_t auto_id = g->setup.record.auto_generate_id;
    out.with_id = auto_id != AUTO_ID_YES && auto_id != AUTO_ID_ONE;
    out.registry = g->setup.registry;
    out.plan = g->setup.plan;
    code = output_new(&out, &g->output);
    if (code != EXIT_DONE) {
        return code;
    }
    struct input_list *inputs = notes_inputs(&g->notes, paths, count);
    if (!inputs) {
        say("no memory for the list of inputs");
        return EXIT_INTERNAL;
    }
    code = finish(g, run_walk(g, inputs));
    progress_done(&g->progress);
    input_list_free(inputs);
    return code;
}

static int run_read(int argc, char **argv) {
    struct reading *g = calloc(1, sizeof(*g));
    int first = 0;
    if (!g) {
        return EXIT_INTERNAL;
    }
    g->options.format = FORMAT_UNASKED;
    int code = options_parse(&command_read, argc, argv, &g->options, &first);
    if (code == OPTIONS_OK) {
        code = check_options(g, first, argc);
        if (code == EXIT_DONE) {
            notes_init(&g->notes, &g->show, g->options.setup.verbose);
            code = read_inputs(g, argv + first, argc - first);
            notes_done(&g->notes);
        }
        g->query = query_free(g->query);
        g->output = output_free(g->output);
        g->summary = summary_free(g->summary);
        session_setup_done(&g->setup);
    }
    free(g);
    return code;
}

const struct command command_read = {
    .name = "read",
    .line = "read captures and print their sessions",
    .arguments = "FILE|FOLDER|GLOB|-...",
    .about =
        "Reads captures (pcap, pcapng; also compressed or inside archives; folders with all below them) and prints "
        "their sessions.",
    .options = read_option_table,
    .option_count = ARRAY_LEN(read_option_table),
    .examples = {"seine read capture.pcapng", "seine read --fields starttime,ip.src,host.dns /captures/2024 > dns.csv",
                 "ssh sensor tcpdump -w - | seine read - --format json | jq .dns"},
    .run = run_read,
};
