/* export.c: `seine export`: the packets of chosen sessions, as a capture again.
 *
 * Two passes over the inputs: the first finds the sessions and where their packets lie, the second fetches those.
 * Standard input is kept in a private file for that.
 */
#include "cmd/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/notes.h"
#include "cmd/options.h"
#include "cmd/session_setup.h"
#include "cmd/spool.h"
#include "cmd/values.h"
#include "fetch/fetch.h"
#include "query/query.h"
#include "record/core_fields.h"
#include "source/input.h"

#define POSITIONS_MAX ((uint64_t)16 << 20) /* of all sessions: 256 MiB */
#define TAGS_MAX 1000
#define FORMAT_UNASKED (-1)

struct export_options {
    struct setup_options setup;
    struct text_list ids, flows;
    const char *out, *bpf, *expression;
    uint64_t workers;
    int format;
    bool quiet;
};

#define AT(member) OPTION_AT(export_options, member)
static const struct option_def export_option_table[] = {
    {.name = "id",
     .argument = "ID",
     .kind = OPTION_LIST,
     .offset = AT(ids),
     .help = "the session with this id, all its pieces; with -2 behind, only its second piece"},
    {.name = "flow",
     .argument = "A:PORT-B:PORT[/PROTO]",
     .kind = OPTION_LIST,
     .offset = AT(flows),
     .help = "sessions between these ends, in either direction; ports and protocol may be left out"},
    {.letter = 'Y',
     .argument = "EXPRESSION",
     .kind = OPTION_TEXT,
     .offset = AT(expression),
     .help = "sessions that fit, for example 'host == *.example.com'; with --id or --flow: of those"},
    PACKETS_OPTION_ROWS(AT(out), AT(format),
                        "pcap or pcapng (default: pcap when OUT ends in .pcap, else pcapng, which names the sessions)"),
    BPF_OPTION_ROW(AT(bpf), "look only at these packets"),
    SETUP_OPTION_ROWS(export_options, setup),
    WORKERS_OPTION_ROW(AT(workers), "threads that look for sessions (default: one per processor, at most 8)"),
    QUIET_OPTION_ROW(AT(quiet)),
    VERBOSE_OPTION_ROW(AT(setup.verbose), "say more: every note"),
};
#undef AT

struct found {
    char id[DOCUMENT_ID_MAX];
    char *tags;
    struct packet_position *positions;
    size_t count;
    int64_t time;
};

struct exporting {
    struct export_options options;
    struct session_setup setup;
    struct notes notes;
    struct show show;
    struct spool spool;
    struct query *query; /* NULL: none is given */
    struct wanted_id ids[TEXT_LIST_MAX];
    struct wanted_flow flows[TEXT_LIST_MAX];
    unsigned id_hits[TEXT_LIST_MAX], flow_hits[TEXT_LIST_MAX];
    pthread_mutex_t lock; /* what follows */
    struct found *found;
    size_t count, room;
    uint64_t positions;
    int failed;
};

/* --- finding --- */

struct tags {
    char *text;
    size_t used;
};

static bool add_tag(void *ctx, const struct field *f, const struct value *v) {
    struct tags *t = ctx;
    (void)f;
    size_t need = v->bytes.len + 2;
    if (t->used + need + 1 > TAGS_MAX) {
        return false;
    }
    if (t->used) {
        memcpy(t->text + t->used, ", ", 2);
        t->used += 2;
    }
    memcpy(t->text + t->used, v->bytes.at, v->bytes.len);
    t->used += v->bytes.len;
    t->text[t->used] = 0;
    return true;
}

static int found_fill(struct found *f, const struct record *r) {
    char text[TAGS_MAX] = "";
    struct tags tags = {text, 0};
    record_values(r, registry_field(r->registry, CORE_TAGS), add_tag, &tags);
    record_document_id(r, f->id);
    f->time = r->first_time;
    f->count = r->position_count;
    f->tags = strdup(text);
    f->positions = calloc(f->count + 1, sizeof(*f->positions));
    if (!f->tags || !f->positions) {
        return -ENOMEM;
    }
    if (f->count) {
        memcpy(f->positions, r->positions, f->count * sizeof(*f->positions));
    }
    return 0;
}

static int keep(struct exporting *x, const struct record *r) {
    if (x->positions + r->position_count > POSITIONS_MAX) {
        return -E2BIG;
    }
    if (x->count == x->room) {
        size_t room = x->room ? x->room * 2 : 64;
        struct found *more = reallocarray(x->found, room, sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        x->found = more;
        x->room = room;
    }
    x->found[x->count] = (struct found){.count = 0};
    x->positions += r->position_count;
    return found_fill(&x->found[x->count++], r);
}

static bool is_wanted(struct exporting *x, const struct record *r) {
    bool hit = false;
    for (size_t i = 0; i < x->options.ids.count; i++) {
        if (wanted_id_fits(&x->ids[i], r)) {
            (void)__atomic_add_fetch(&x->id_hits[i], 1, __ATOMIC_RELAXED);
            hit = true;
        }
    }
    for (size_t i = 0; i < x->options.flows.count; i++) {
        if (wanted_flow_fits(&x->flows[i], r)) {
            (void)__atomic_add_fetch(&x->flow_hits[i], 1, __ATOMIC_RELAXED);
            hit = true;
        }
    }
    bool named = x->options.ids.count + x->options.flows.count > 0;
    return (hit || !named) && (!x->query || query_match(x->query, r));
}

static void on_record(void *ctx, unsigned worker, struct record *r) {
    struct exporting *x = ctx;
    (void)worker;
    if (is_wanted(x, r)) {
        (void)pthread_mutex_lock(&x->lock);
        x->failed = x->failed ? x->failed : keep(x, r);
        (void)pthread_mutex_unlock(&x->lock);
    }
}

static void on_note(void *ctx, const char *file, uint64_t offset, const char *what) {
    notes_take(&((struct exporting *)ctx)->notes, file, offset, what);
}

static bool on_tick(void *ctx, uint64_t bytes, uint64_t packets) {
    struct exporting *x = ctx;
    (void)bytes;
    (void)packets;
    (void)pthread_mutex_lock(&x->lock);
    bool over = x->failed != 0;
    (void)pthread_mutex_unlock(&x->lock);
    return over;
}

static int find_sessions(struct exporting *x, const struct input_list *inputs, struct walk_stats *stats) {
    struct walk_options walk = session_setup_walk(&x->setup, inputs, x->options.workers);
    struct err e = {0};
    walk.bpf = x->options.bpf;
    walk.record = on_record;
    walk.note = on_note;
    walk.tick = on_tick;
    walk.ctx = x;
    int code = walk_run(&walk, stats, &e);
    if (code == -EINVAL && x->options.bpf) {
        say_err("-f", &e);
        return EXIT_USAGE;
    }
    if (code == 0) {
        code = x->failed;
    }
    if (code == -E2BIG) {
        say("the sessions have more than %llu packets: choose fewer", (unsigned long long)POSITIONS_MAX);
        return EXIT_FULL;
    }
    if (code < 0) {
        say("%s", e.text[0] ? e.text : strerror(-code));
        return EXIT_INTERNAL;
    }
    return EXIT_DONE;
}

/* --- writing --- */

static int by_time(const void *a, const void *b) {
    const struct found *x = a;
    const struct found *y = b;
    return x->time != y->time ? (x->time < y->time ? -1 : 1) : strcmp(x->id, y->id);
}

static int write_failed(const char *name, int code, const struct err *e) {
    if (code == -EPIPE) {
        return EXIT_DONE; /* the reader has what it wanted */
    }
    if (code == -EINVAL) {
        say("%s: %s (--format pcapng holds several)", name, e->text);
        return EXIT_USAGE;
    }
    if (e->text[0]) {
        say_err(NULL, e); /* it names the file */
    } else {
        say("%s: %s", name, strerror(-code));
    }
    if (code == -ENOENT || code == -ENOTDIR || code == -EISDIR) {
        return EXIT_USAGE;
    }
    return code == -ENOSPC || code == -EDQUOT || code == -EFBIG ? EXIT_FULL
           : code == -EACCES || code == -EPERM                  ? EXIT_PERMISSION
                                                                : EXIT_PARTIAL;
}

static int write_packets(struct exporting *x, const struct input_list *inputs, struct packet_writer *w,
                         struct fetch_result *ret_result, struct err *e) {
    struct fetch_session *sessions = calloc(x->count, sizeof(*sessions));
    if (!sessions) {
        return -ENOMEM;
    }
    qsort(x->found, x->count, sizeof(*x->found), by_time);
    for (size_t i = 0; i < x->count; i++) {
        const struct found *f = &x->found[i];
        sessions[i] = (struct fetch_session){f->id, f->tags, f->positions, f->count};
    }
    struct fetch_request request = {.sessions = sessions, .count = x->count, .order = FETCH_BY_TIME};
    int code = fetch_packets(inputs, &request, w, ret_result, e);
    free(sessions);
    return code;
}

static int export_sessions(struct exporting *x, const struct input_list *inputs) {
    const struct export_options *o = &x->options;
    const char *out = o->out ? o->out : "-", *name = strcmp(out, "-") == 0 ? "standard output" : out;
    struct packet_writer_options writing = {.format = (enum packet_format)o->format,
                                            .application = "Seine " SEINE_VERSION};
    struct packet_writer *w;
    struct fetch_result result = {0};
    struct err e = {0}, closing = {0};
    int code = packet_writer_open_path(out, &writing, &w, &e);
    if (code < 0) {
        return write_failed(name, code, &e);
    }
    code = write_packets(x, inputs, w, &result, &e);
    int closed = packet_writer_close(w, &closing);
    if (code < 0 || closed < 0) {
        return write_failed(name, code < 0 ? code : closed, code < 0 ? &e : &closing);
    }
    if (!o->quiet) {
        say("%llu packets of %zu session%s to %s", (unsigned long long)result.packets, x->count,
            x->count == 1 ? "" : "s", name);
    }
    if (result.lost) {
        say("%llu packets were not found again: the capture changed, or is damaged", (unsigned long long)result.lost);
    }
    return result.lost ? EXIT_PARTIAL : EXIT_DONE;
}

/* --- the command --- */

static int parse_wanted(struct exporting *x) {
    struct export_options *o = &x->options;
    struct err e = {0};
    for (size_t i = 0; i < o->ids.count; i++) {
        if (wanted_id_parse(o->ids.items[i], &x->ids[i], &e) < 0) {
            say_err("--id", &e);
            return EXIT_USAGE;
        }
    }
    for (size_t i = 0; i < o->flows.count; i++) {
        if (wanted_flow_parse(o->flows.items[i], &x->flows[i], &e) < 0) {
            say_err("--flow", &e);
            return EXIT_USAGE;
        }
    }
    return EXIT_DONE;
}

static int check_options(struct exporting *x, int first, int argc) {
    struct export_options *o = &x->options;
    if (first == argc) {
        return usage_error(&command_export, "no inputs: name the captures that hold the sessions");
    }
    if (o->ids.count + o->flows.count == 0 && !o->expression) {
        return usage_error(&command_export, "no session is chosen: give --id, --flow or -Y");
    }
    if (!o->out && isatty(STDOUT_FILENO)) {
        return usage_error(&command_export, "packets would go to the terminal: give -w FILE, or redirect");
    }
    if (o->format == FORMAT_UNASKED) {
        size_t len = o->out ? strlen(o->out) : 0;
        o->format = len > 5 && strcasecmp(o->out + len - 5, ".pcap") == 0 ? PACKET_FORMAT_PCAP : PACKET_FORMAT_PCAPNG;
    }
    return parse_wanted(x);
}

/* Writing over what is being read would destroy both. */
static bool is_input(const struct input_list *inputs, const char *out) {
    struct stat a, b;
    if (!out || stat(out, &a) < 0 || !S_ISREG(a.st_mode)) {
        return false;
    }
    for (size_t i = 0; i < input_list_count(inputs); i++) {
        if (stat(input_list_get(inputs, i)->path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino) {
            return true;
        }
    }
    return false;
}

static int spool_stdin(struct exporting *x, char **paths, int count) {
    for (int i = 0; i < count; i++) {
        if (strcmp(paths[i], "-") != 0) {
            continue;
        }
        if (x->spool.fd > 0) {
            return usage_error(&command_export, "standard input can be read only once");
        }
        int code = spool_open(&x->spool, 0);
        code = code == EXIT_DONE ? spool_fill(&x->spool, STDIN_FILENO, SPOOL_CEILING) : code;
        if (code != EXIT_DONE) {
            return code;
        }
        paths[i] = x->spool.path;
        x->notes.spool = x->spool.path;
    }
    return EXIT_DONE;
}

/* Says what was asked for and is not there. */
static unsigned say_missing(const struct exporting *x) {
    unsigned missing = 0;
    for (size_t i = 0; i < x->options.ids.count; i++) {
        if (x->id_hits[i] == 0) {
            say("no session has the id %s", x->options.ids.items[i]);
            missing++;
        }
    }
    for (size_t i = 0; i < x->options.flows.count; i++) {
        if (x->flow_hits[i] == 0) {
            say("no session is between %s", x->options.flows.items[i]);
            missing++;
        }
    }
    return missing;
}

static int parse_expression(struct exporting *x) {
    const char *text = x->options.expression;
    struct err e = {0};
    if (text && query_parse(span_text(text), x->setup.registry, (int64_t)time(NULL) * 1000, &x->query, &e) < 0) {
        say_err("-Y", &e);
        return EXIT_USAGE;
    }
    return EXIT_DONE;
}

static int export_inputs(struct exporting *x, char **paths, int count) {
    struct walk_stats stats;
    int code = session_setup_init(&x->setup, &x->options.setup);
    code = code == EXIT_DONE ? parse_expression(x) : code;
    code = code == EXIT_DONE ? spool_stdin(x, paths, count) : code;
    if (code != EXIT_DONE) {
        return code;
    }
    struct input_list *inputs = notes_inputs(&x->notes, paths, count);
    if (!inputs) {
        return EXIT_INTERNAL;
    }
    if (is_input(inputs, x->options.out)) {
        code = usage_error(&command_export, "-w %s: that is one of the inputs", x->options.out);
    } else {
        code = find_sessions(x, inputs, &stats);
    }
    if (code == EXIT_DONE) {
        unsigned missing = say_missing(x);
        if (x->count == 0) {
            code = stats.source.files ? EXIT_NOTHING : notes_exit(&x->notes, &stats.source);
        } else {
            code = export_sessions(x, inputs);
            code = code == EXIT_DONE && missing ? EXIT_PARTIAL : code;
            code = code == EXIT_DONE ? notes_exit(&x->notes, &stats.source) : code;
        }
    }
    input_list_free(inputs);
    return code;
}

static void exporting_done(struct exporting *x) {
    for (size_t i = 0; i < x->count; i++) {
        free(x->found[i].tags);
        free(x->found[i].positions);
    }
    free(x->found);
    spool_close(&x->spool);
    (void)query_free(x->query);
    session_setup_done(&x->setup);
    (void)pthread_mutex_destroy(&x->lock);
    free(x);
}

static int run_export(int argc, char **argv) {
    struct exporting *x = calloc(1, sizeof(*x));
    int first = 0;
    if (!x) {
        return EXIT_INTERNAL;
    }
    (void)pthread_mutex_init(&x->lock, NULL);
    x->options.format = FORMAT_UNASKED;
    int code = options_parse(&command_export, argc, argv, &x->options, &first);
    if (code == OPTIONS_OK) {
        code = check_options(x, first, argc);
        if (code == EXIT_DONE) {
            x->show.utf8 = show_utf8();
            notes_init(&x->notes, &x->show, x->options.setup.verbose);
            code = export_inputs(x, argv + first, argc - first);
            notes_done(&x->notes);
        }
    }
    exporting_done(x);
    return code;
}

const struct command command_export = {
    .name = "export",
    .line = "write the packets of chosen sessions",
    .arguments = "FILE|FOLDER|GLOB|-...",
    .about = "Finds sessions in captures by id, by their ends or by an expression, and writes their packets, in order "
             "of time. Exit code 1 "
             "when there is no such session.",
    .options = export_option_table,
    .option_count = ARRAY_LEN(export_option_table),
    .examples = {"seine export --id 140529-tQoVRgbZeEArEaFjFbMTxA -w session.pcapng capture.pcap",
                 "seine export --flow 10.0.0.1-192.0.2.7:443/tcp /captures | wireshark -k -i -",
                 "seine export --flow '[2001:db8::1]-[2001:db8::2]:53' -w dns.pcap day.pcap.zst"},
    .run = run_export,
};
