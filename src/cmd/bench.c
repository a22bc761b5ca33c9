/* bench.c: `seine bench`: how fast a capture becomes sessions, and where the time goes.
 *
 * The capture is put into memory once. Stages are found by leaving out: reading alone, reading and decoding, the whole
 * walk with its records thrown away, the whole walk with documents written. Each pass runs several times and the best
 * CPU time counts, because a machine shared with others only ever adds. One worker; a last pass has as many as asked
 * for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/notes.h"
#include "cmd/options.h"
#include "cmd/session_setup.h"
#include "cmd/show.h"
#include "cmd/spool.h"
#include "pcapio/writer.h"
#include "source/input.h"

#define OUT_CEILING ((size_t)64 << 20)
#define OUT_FLUSH ((size_t)256 << 10)

struct bench_options {
    struct setup_options setup;
    uint64_t repeat, workers;
    bool json;
};

#define AT(member) OPTION_AT(bench_options, member)
static const struct option_def bench_option_table[] = {
    {.name = "repeat",
     .argument = "N",
     .kind = OPTION_NUMBER,
     .offset = AT(repeat),
     .min = 1,
     .max = 1000,
     .help = "runs of each pass, of which the best counts (default: 3)"},
    WORKERS_OPTION_ROW(AT(workers), "one more pass with N workers"),
    {.name = "json", .kind = OPTION_FLAG, .offset = AT(json), .help = "one JSON object"},
    SETUP_OPTION_ROWS(bench_options, setup),
};
#undef AT

enum pass { PASS_READ, PASS_DECODE, PASS_RECORD, PASS_DOCUMENT, PASS_WORKERS, PASSES };

static const char *const stage_names[] = {"read", "decode", "flow, dissect, record", "write documents"};

struct cost {
    double cpu, wall; /* s: the best of all runs */
};

struct lane {
    struct buf out;
    uint64_t bytes; /* of documents */
} __attribute__((aligned(64)));

struct bench {
    struct bench_options options;
    struct session_setup setup;
    struct notes notes;
    struct show show;
    struct spool memory;
    struct input_list *inputs;
    bool rewritten; /* it was packed: what is read is a pcapng of the same packets */
    struct lane lanes[WALK_WORKERS_MAX];
    bool documents; /* of the pass that runs */
    struct cost costs[PASSES];
    struct walk_stats stats; /* of the pass with documents */
};

/* --- into memory --- */

static void on_note(void *ctx, const char *file, uint64_t offset, const char *what) {
    notes_take(&((struct bench *)ctx)->notes, file, offset, what);
}

static uint64_t memory_ceiling(void) {
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size / 2 : (uint64_t)1 << 30;
}

static int copy_plain(struct bench *b, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        say("%s: %s", path, strerror(errno));
        return EXIT_NOTHING;
    }
    int code = spool_fill(&b->memory, fd, memory_ceiling());
    (void)close(fd);
    return code;
}

static int rewrite_batches(struct bench *b, struct source *s, struct packet_writer *w, struct batch *batch,
                           struct err *e) {
    uint64_t bytes = 0;
    do {
        int code = source_next(s, batch);
        for (uint32_t i = 0; code == 0 && i < batch->count; i++) {
            bytes += batch->packets[i].captured + 64;
            code = bytes > memory_ceiling() ? err_set(e, -EFBIG, "unpacked it is larger than half of the memory")
                                            : packet_writer_add(w, &batch->packets[i], span_make(NULL, 0), e);
        }
        if (code < 0) {
            return code;
        }
    } while (!batch->last);
    b->rewritten = true;
    return 0;
}

/* Whatever is packed, in an archive, or several files: all packets in one pcapng. */
static int copy_packets(struct bench *b, const struct input_list *list) {
    struct source_options reading = {.note = on_note, .note_ctx = b};
    struct packet_writer_options writing = {.format = PACKET_FORMAT_PCAPNG, .application = "Seine " SEINE_VERSION};
    struct source *s = NULL;
    struct packet_writer *w = NULL;
    struct err e = {0};
    struct batch *batch = calloc(1, sizeof(*batch));
    int code = batch ? source_open(list, &reading, &s, &e) : -ENOMEM;
    code = code < 0 ? code : packet_writer_open(b->memory.fd, &writing, &w, &e);
    if (code == 0) {
        code = rewrite_batches(b, s, w, batch, &e);
        int closed = packet_writer_close(w, code < 0 ? NULL : &e);
        code = code < 0 ? code : closed;
    }
    if (batch) {
        batch->block = block_unref(batch->block);
    }
    free(batch);
    source_free(s);
    if (code < 0) {
        say("the capture cannot be put into memory: %s", e.text[0] ? e.text : strerror(-code));
        return EXIT_FULL;
    }
    return EXIT_DONE;
}

static int load(struct bench *b, char **paths, int count) {
    struct input_list *list = notes_inputs(&b->notes, paths, count);
    if (!list) {
        return EXIT_INTERNAL;
    }
    int code = input_list_count(list) ? spool_open(&b->memory, 1)
               : b->notes.permission  ? EXIT_PERMISSION
                                      : EXIT_NOTHING;
    if (code == EXIT_DONE) {
        bool plain = input_list_count(list) == 1 && input_list_is_plain(list);
        code = plain ? copy_plain(b, input_list_get(list, 0)->path) : copy_packets(b, list);
    }
    input_list_free(list);
    if (code == EXIT_DONE) {
        char *path = b->memory.path;
        b->notes.spool = path;
        b->inputs = notes_inputs(&b->notes, &path, 1);
        code = b->inputs ? EXIT_DONE : EXIT_INTERNAL;
    }
    return code;
}

/* --- passes --- */

static double seconds(clockid_t clock) {
    struct timespec t;
    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int pass_read(struct bench *b, bool decode) {
    struct source_options reading = {.quiet = true};
    struct source *s = NULL;
    struct decoder *d = NULL;
    struct hash_key key;
    struct pool pool;
    struct err e = {0};
    struct batch *batch = calloc(1, sizeof(*batch));
    pool_init(&pool, 0);
    int code = batch ? hash_key_random(&key) : -ENOMEM;
    code = code < 0 ? code : source_open(b->inputs, &reading, &s, &e);
    if (code == 0 && decode) {
        d = decoder_new(&b->setup.decode, &key, &pool);
        code = d ? 0 : -ENOMEM;
    }
    while (code == 0 && !batch->last) {
        code = source_next(s, batch);
        if (code == 0 && decode) {
            decoder_run(d, batch);
        }
    }
    if (batch) {
        batch->block = block_unref(batch->block);
    }
    decoder_free(d);
    source_free(s);
    free(batch);
    pool_done(&pool);
    return code;
}

static void on_record(void *ctx, unsigned worker, struct record *r) {
    struct bench *b = ctx;
    struct lane *lane = &b->lanes[worker];
    if (b->documents) {
        document_write(b->setup.plan, r, 1, &lane->out);
        if (lane->out.len >= OUT_FLUSH) {
            lane->bytes += lane->out.len;
            buf_clear(&lane->out);
        }
    }
}

static int pass_walk(struct bench *b, bool documents, uint64_t workers, bool loud) {
    struct walk_options walk = session_setup_walk(&b->setup, b->inputs, workers);
    struct err e = {0};
    b->documents = documents;
    walk.record = on_record;
    walk.note = loud ? on_note : NULL;
    walk.ctx = b;
    for (size_t i = 0; i < ARRAY_LEN(b->lanes); i++) {
        b->lanes[i].bytes = 0;
        buf_clear(&b->lanes[i].out);
    }
    int code = walk_run(&walk, &b->stats, &e);
    if (code < 0) {
        say("%s", e.text[0] ? e.text : strerror(-code));
    }
    return code;
}

static int pass_run(struct bench *b, enum pass pass, bool first) {
    switch (pass) {
    case PASS_READ:
        return pass_read(b, false);
    case PASS_DECODE:
        return pass_read(b, true);
    case PASS_WORKERS:
        return pass_walk(b, true, b->options.workers, false);
    default:
        return pass_walk(b, pass == PASS_DOCUMENT, 1, first && pass == PASS_RECORD);
    }
}

/* Passes take turns, so that a machine that slows down meets all alike. */
static int measure(struct bench *b) {
    struct walk_stats stats = {0};
    for (uint64_t run = 0; run < b->options.repeat; run++) {
        for (enum pass pass = PASS_READ; pass < PASSES; pass++) {
            struct cost *best = &b->costs[pass];
            if (pass == PASS_WORKERS && b->options.workers < 2) {
                continue;
            }
            double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
            int code = pass_run(b, pass, run == 0);
            wall = seconds(CLOCK_MONOTONIC) - wall;
            cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
            if (code < 0) {
                return code;
            }
            best->wall = run == 0 ? wall : MIN(best->wall, wall);
            best->cpu = run == 0 ? cpu : MIN(best->cpu, cpu);
            stats = pass == PASS_DOCUMENT ? b->stats : stats;
        }
    }
    b->stats = stats;
    return 0;
}

/* --- report --- */

struct figures {
    double packets, bits, sessions;
    double stage_ns[ARRAY_LEN(stage_names)], all_ns;
    double open_peak, open_bytes; /* sessions open at once; bytes of memory for each */
    uint64_t rss, documents;      /* bytes */
};

static struct figures figures_make(const struct bench *b) {
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    struct figures f = {
        .packets = (double)b->stats.source.packets,
        .bits = (double)b->stats.source.bytes * 8,
        .sessions = (double)b->stats.flow[FLOW_RECORDS],
        .open_peak = (double)b->stats.flow[FLOW_OPEN_PEAK],
        .rss = (uint64_t)usage.ru_maxrss * 1024,
    };
    double before = 0, per = f.packets > 0 ? 1e9 / f.packets : 0;
    for (size_t i = 0; i < ARRAY_LEN(stage_names); i++) {
        f.stage_ns[i] = (b->costs[i].cpu - before) * per;
        before = b->costs[i].cpu;
    }
    f.all_ns = before * per;
    f.open_bytes = f.open_peak > 0 ? (double)b->stats.pool_peak / f.open_peak : 0;
    for (size_t i = 0; i < ARRAY_LEN(b->lanes); i++) {
        f.documents += b->lanes[i].bytes + b->lanes[i].out.len;
    }
    return f;
}

static void print_rate(const char *name, const struct figures *f, const struct cost *c) {
    double wall = MAX(c->wall, 1e-9);
    (void)printf("%-24s %10.0f packets/s  %7.3f Gbit/s  %9.0f sessions/s  %8.3f s, CPU %.3f s\n", name,
                 f->packets / wall, f->bits / wall / 1e9, f->sessions / wall, c->wall, c->cpu);
}

static void print_table(const struct bench *b, const struct figures *f) {
    struct buf text;
    buf_init(&text, 256);
    show_bytes(b->stats.source.bytes, &text);
    (void)printf("%.0f packets, %.0f sessions, %.*s%s; best of %llu runs\n\n", f->packets, f->sessions, (int)text.len,
                 (const char *)text.data, b->rewritten ? " (unpacked into a pcapng in memory)" : "",
                 (unsigned long long)b->options.repeat);
    (void)printf("%-24s %10s %8s\n", "stage", "ns/packet", "share");
    for (size_t i = 0; i < ARRAY_LEN(stage_names); i++) {
        (void)printf("%-24s %10.1f %6.1f %%\n", stage_names[i], f->stage_ns[i],
                     f->all_ns > 0 ? f->stage_ns[i] * 100 / f->all_ns : 0);
    }
    (void)printf("%-24s %10.1f\n\n", "all", f->all_ns);
    print_rate("one worker", f, &b->costs[PASS_DOCUMENT]);
    if (b->options.workers > 1) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%llu workers", (unsigned long long)b->options.workers);
        print_rate(name, f, &b->costs[PASS_WORKERS]);
    }
    (void)printf("\nsessions open at once    %10.0f, %.0f bytes each\n", f->open_peak, f->open_bytes);
    buf_clear(&text);
    show_bytes(f->documents, &text);
    (void)printf("documents                %10.0f bytes each, %.*s\n",
                 f->sessions > 0 ? (double)f->documents / f->sessions : 0, (int)text.len, (const char *)text.data);
    buf_clear(&text);
    show_bytes(f->rss, &text);
    (void)printf("peak resident memory     %.*s (the capture is not in it)\n", (int)text.len, (const char *)text.data);
    buf_done(&text);
}

static void json_rate(struct json *j, const char *name, const struct figures *f, const struct cost *c) {
    double wall = MAX(c->wall, 1e-9);
    const struct {
        const char *key;
        double value;
    } values[] = {{"wallSeconds", c->wall},
                  {"cpuSeconds", c->cpu},
                  {"packetsPerSecond", f->packets / wall},
                  {"bitsPerSecond", f->bits / wall},
                  {"sessionsPerSecond", f->sessions / wall}};
    json_key(j, name);
    json_open(j, '{');
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        json_key(j, values[i].key);
        json_double(j, values[i].value);
    }
    json_close(j, '}');
}

static void print_json(const struct bench *b, const struct figures *f) {
    static const char *const keys[] = {"read", "decode", "sessions", "documents"};
    const struct {
        const char *key;
        uint64_t value;
    } numbers[] = {{"packets", b->stats.source.packets},
                   {"bytes", b->stats.source.bytes},
                   {"sessions", b->stats.flow[FLOW_RECORDS]},
                   {"documentBytes", f->documents},
                   {"openPeak", b->stats.flow[FLOW_OPEN_PEAK]},
                   {"poolPeakBytes", b->stats.pool_peak},
                   {"bytesPerOpenSession", (uint64_t)f->open_bytes},
                   {"peakResidentBytes", f->rss},
                   {"runs", b->options.repeat},
                   {"workers", MAX(b->options.workers, (uint64_t)1)}};
    struct buf out;
    buf_init(&out, OUT_CEILING);
    struct json j = json_over(&out);
    json_open(&j, '{');
    json_key(&j, "version");
    json_u64(&j, 1);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        json_key(&j, numbers[i].key);
        json_u64(&j, numbers[i].value);
    }
    json_key(&j, "nsPerPacket");
    json_open(&j, '{');
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        json_key(&j, keys[i]);
        json_double(&j, f->stage_ns[i]);
    }
    json_key(&j, "all");
    json_double(&j, f->all_ns);
    json_close(&j, '}');
    json_rate(&j, "oneWorker", f, &b->costs[PASS_DOCUMENT]);
    if (b->options.workers > 1) {
        json_rate(&j, "allWorkers", f, &b->costs[PASS_WORKERS]);
    }
    json_close(&j, '}');
    (void)printf("%.*s\n", (int)out.len, (const char *)out.data);
    buf_done(&out);
}

static int bench_inputs(struct bench *b, char **paths, int count) {
    int code = session_setup_init(&b->setup, &b->options.setup);
    code = code == EXIT_DONE ? load(b, paths, count) : code;
    if (code != EXIT_DONE) {
        return code;
    }
    code = measure(b);
    if (code < 0) {
        say("measuring stopped: %s", strerror(-code));
        return EXIT_INTERNAL;
    }
    if (b->stats.source.packets == 0) {
        say("there are no packets to measure with");
        return EXIT_NOTHING;
    }
    struct figures f = figures_make(b);
    if (b->options.json) {
        print_json(b, &f);
    } else {
        print_table(b, &f);
    }
    return EXIT_DONE;
}

static int run_bench(int argc, char **argv) {
    struct bench *b = aligned_alloc(64, sizeof(*b));
    int first = 0;
    if (!b) {
        return EXIT_INTERNAL;
    }
    memset(b, 0, sizeof(*b));
    b->options.repeat = 3;
    for (size_t i = 0; i < ARRAY_LEN(b->lanes); i++) {
        buf_init(&b->lanes[i].out, OUT_CEILING);
    }
    int code = options_parse(&command_bench, argc, argv, &b->options, &first);
    if (code == OPTIONS_OK && first == argc) {
        code = usage_error(&command_bench, "nothing to measure with: name a capture");
    } else if (code == OPTIONS_OK) {
        b->show.utf8 = show_utf8();
        notes_init(&b->notes, &b->show, b->options.setup.verbose);
        code = bench_inputs(b, argv + first, argc - first);
        notes_done(&b->notes);
    }
    for (size_t i = 0; i < ARRAY_LEN(b->lanes); i++) {
        buf_done(&b->lanes[i].out);
    }
    input_list_free(b->inputs);
    spool_close(&b->memory);
    session_setup_done(&b->setup);
    free(b);
    return code;
}

const struct command command_bench = {
    .name = "bench",
    .line = "measure how fast a capture becomes sessions",
    .arguments = "FILE...",
    .about =
        "Puts a capture into memory, makes its sessions several times, and says how fast that was and where the time "
        "went. CPU time is the best of all runs.",
    .options = bench_option_table,
    .option_count = ARRAY_LEN(bench_option_table),
    .examples = {"seine bench capture.pcap", "seine bench --repeat 10 --workers 4 capture.pcap",
                 "seine bench --json capture.pcap | jq .nsPerPacket"},
    .run = run_bench,
};
