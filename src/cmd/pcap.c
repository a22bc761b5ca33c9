/* pcap.c: `seine pcap`: packets of the sessions that fit, out of a store or a running server. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api/one.h"
#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/load.h"
#include "cmd/out_file.h"
#include "cmd/search_url.h"
#include "fetch/fetch.h"
#include "record/core_fields.h"
#include "record/values.h"

#define FORMAT_UNASKED (-1)
#define BATCH_POSITIONS ((size_t)4 << 20) /* 64 MiB */
#define TAGS_MAX 1000

struct pcap_options {
    struct search_choices choices;
    const char *out;
    uint64_t limit;
    int format;
    bool quiet;
};

#define AT(member) OPTION_AT(pcap_options, member)
static const struct option_def pcap_option_table[] = {
    SEARCH_OPTION_ROWS(pcap_options, choices),
    PACKETS_OPTION_ROWS(
        AT(out), AT(format),
        "pcap or pcapng (default: pcapng when OUT ends in .pcapng, else pcap); pcapng names the sessions"),
    LIMIT_OPTION_ROW(AT(limit), "of the N newest sessions at most"),
    QUIET_OPTION_ROW(AT(quiet)),
};
#undef AT

/* --- sessions --- */

struct chosen {
    char id[DOCUMENT_ID_MAX];
    char tags[TAGS_MAX];
    struct packet_position *positions;
    size_t count;
    int64_t first_time, last_time;
};

struct packets {
    const struct pcap_options *o;
    struct asking *asking;
    struct captures *captures;
    struct packet_writer *writer;
    struct fetch_result result;
    uint64_t sessions;
    struct chosen *chosen;
    size_t count, room, positions;
    struct err e;
    struct err lost; /* why the first packet was not found */
};

static bool add_tag(void *ctx, const struct field *f, const struct value *v) {
    struct chosen *c = ctx;
    size_t used = strlen(c->tags);
    (void)f;
    if (used + v->bytes.len + 3 > sizeof(c->tags)) {
        return false;
    }
    (void)snprintf(c->tags + used, sizeof(c->tags) - used, "%s%.*s", used ? ", " : "", (int)v->bytes.len,
                   (const char *)v->bytes.at);
    return true;
}

static bool cancelled(void *ctx) {
    bool asked;
    return stop_wanted(&((struct asking *)ctx)->stop, &asked);
}

/* Writes the packets of the sessions held and forgets them. */
static int write_batch(struct packets *p) {
    struct fetch_session *sessions = calloc(p->count + 1, sizeof(*sessions));
    struct fetch_result r = {0};
    if (!sessions) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < p->count; i++) {
        const struct chosen *c = &p->chosen[i];
        sessions[i] = (struct fetch_session){c->id, c->tags, c->positions, c->count, c->first_time, c->last_time};
    }
    struct fetch_request request = {
        .sessions = sessions, .count = p->count, .order = FETCH_BY_TIME, .cancelled = cancelled, .ctx = p->asking};
    int code = fetch_stored(p->captures, &request, p->writer, &r, &p->e);
    p->result.packets += r.packets;
    if (r.lost && !p->result.lost) {
        p->lost = r.why;
    }
    p->result.lost += r.lost;
    for (size_t i = 0; i < p->count; i++) {
        free(p->chosen[i].positions);
    }
    p->count = p->positions = 0;
    free(sessions);
    return code;
}

static int add_session(struct packets *p, const struct record *r) {
    if (p->count == p->room) {
        size_t room = p->room ? p->room * 2 : 64;
        struct chosen *more = reallocarray(p->chosen, room, sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        p->chosen = more;
        p->room = room;
    }
    struct chosen *c = &p->chosen[p->count];
    c->tags[0] = 0;
    c->count = r->position_count;
    c->first_time = r->first_time;
    c->last_time = r->last_time;
    c->positions = calloc(c->count + 1, sizeof(*c->positions));
    if (!c->positions) {
        return -ENOMEM;
    }
    if (c->count) {
        memcpy(c->positions, r->positions, c->count * sizeof(*c->positions));
    }
    (void)snprintf(c->id, sizeof(c->id), "%s", r->name ? r->name : r->id);
    record_values(r, registry_field(r->registry, CORE_TAGS), add_tag, c);
    p->count++;
    p->sessions++;
    p->positions += c->count;
    return p->positions >= BATCH_POSITIONS ? write_batch(p) : 0;
}

static int by_seq(const void *a, const void *b) {
    const struct search_row *x = a;
    const struct search_row *y = b;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

struct walking {
    struct packets *p;
    struct restorer *restorer;
    int code;
};

static bool take_row(void *ctx, const struct search_row *row) {
    struct walking *w = ctx;
    const struct record *record;
    w->code = restorer_read(w->restorer, row->part, row->row, &record);
    w->code = w->code < 0 ? w->code : add_session(w->p, record);
    return w->code == 0;
}

/* In the order they were stored: that is nearly the order of their captures. */
static int each_session(struct packets *p) {
    const struct registry *registry = snapshot_registry(p->asking->snapshot);
    uint16_t wanted[] = {CORE_TAGS};
    struct walking w = {.p = p};
    int code = restorer_new(p->asking->snapshot, wanted, ARRAY_LEN(wanted), true, &w.restorer);
    if (code == 0 && p->o->limit) {
        uint16_t last = registry_by_path(registry, span_text("lastPacket"));
        struct search_order order = {.field = {registry_field(registry, last), NULL, ACCESS_VALUE}, .descending = true};
        struct search_page page = {0};
        code = search_rows(p->asking->search, &order, 1, 0, p->o->limit, &page);
        struct search_row *sorted = code == 0 ? calloc(page.count + 1, sizeof(*sorted)) : NULL;
        code = code == 0 && !sorted ? -ENOMEM : code;
        if (sorted && page.count) {
            memcpy(sorted, page.rows, page.count * sizeof(*sorted));
            qsort(sorted, page.count, sizeof(*sorted), by_seq);
        }
        for (size_t i = 0; i < page.count && code == 0 && take_row(&w, &sorted[i]); i++) {
        }
        free(sorted);
    } else if (code == 0) {
        code = search_each(p->asking->search, take_row, &w);
    }
    restorer_free(w.restorer);
    code = code < 0 ? code : w.code;
    return code < 0 ? code : write_batch(p);
}

static int failed(const struct packets *p, const char *name, int code, const struct err *e) {
    if (code == -EPIPE) {
        return EXIT_DONE; /* the reader has what it wanted */
    }
    if (code == -ECANCELED) {
        return asking_failed(p->asking, code);
    }
    if (code == -EINVAL) {
        say("%s (--format pcapng holds several)", e->text);
        return EXIT_USAGE;
    }
    return store_failed(e->text[0] ? NULL : name, code, e);
}

static int write_packets(struct asking *a, const struct pcap_options *o, struct file_names *files) {
    const char *out = o->out ? o->out : "-", *name = strcmp(out, "-") == 0 ? "standard output" : out;
    struct packet_writer_options writing = {.format = (enum packet_format)o->format,
                                            .application = "Seine " SEINE_VERSION};
    struct packets p = {.o = o, .asking = a};
    struct err closing = {0};
    p.captures = captures_of(files);
    int code = p.captures ? packet_writer_open_path(out, &writing, &p.writer, &p.e) : -ENOMEM;
    if (code == 0) {
        code = each_session(&p);
        int closed = packet_writer_close(p.writer, &closing);
        if (code == 0 && closed < 0) {
            code = closed;
            p.e = closing;
        }
    }
    captures_free(p.captures);
    for (size_t i = 0; i < p.count; i++) {
        free(p.chosen[i].positions);
    }
    free(p.chosen);
    if (code < 0) {
        return failed(&p, name, code, &p.e);
    }
    if (!o->quiet) {
        say("%llu packets of %llu session%s to %s", (unsigned long long)p.result.packets,
            (unsigned long long)p.sessions, p.sessions == 1 ? "" : "s", name);
    }
    if (p.result.lost) {
        say("%llu packets were not found again: %s", (unsigned long long)p.result.lost,
            p.lost.text[0] ? p.lost.text : "the captures changed, or are damaged");
    }
    return p.result.lost ? EXIT_PARTIAL : p.sessions ? EXIT_DONE : EXIT_NOTHING;
}

static int from_store(const struct pcap_options *o, const char *expression) {
    struct asking a = {0};
    struct file_names *files = NULL;
    struct err e = {.text = "the names of the captures cannot be read from control.db of the store"};
    const char *folder = o->choices.store ? o->choices.store : getenv("SEINE_STORE");
    int code = asking_run(&a, &o->choices, expression);
    if (code == EXIT_DONE) {
        files = file_names_new(a.control);
        code = files ? out_file_check(o->out, folder, files) : store_failed(NULL, -EIO, &e);
        code = code == EXIT_DONE ? write_packets(&a, o, files) : code;
    }
    file_names_free(files);
    code = a.search ? store_end(a.store, code) : code;
    asking_done(&a);
    return code;
}

static int from_url(const struct pcap_options *o, const char *url, const char *expression) {
    int fd = STDOUT_FILENO;
    if (o->limit) {
        return usage_error(&command_pcap, "--limit is there with --store only");
    }
    if (o->out && strcmp(o->out, "-") != 0) {
        fd = open(o->out, O_WRONLY | O_CREAT | O_CLOEXEC, 0666); /* what it holds stays when the server refuses */
        if (fd < 0) {
            say("%s: %s", o->out, strerror(errno));
            return errno == EACCES || errno == EPERM ? EXIT_PERMISSION : EXIT_USAGE;
        }
    }
    int code = packets_url(url, &o->choices, o->format == PACKET_FORMAT_PCAPNG, expression, fd);
    off_t end = fd != STDOUT_FILENO ? lseek(fd, 0, SEEK_CUR) : 0;
    if (fd != STDOUT_FILENO && (end > 0 || (end == 0 && code == EXIT_DONE)) && ftruncate(fd, end) < 0) {
        say("%s: %s", o->out, strerror(errno));
        code = EXIT_PARTIAL;
    }
    if (fd != STDOUT_FILENO && close(fd) < 0 && code == EXIT_DONE) {
        say("%s: %s", o->out, strerror(errno));
        code = EXIT_FULL;
    }
    return code;
}

static int run_pcap(int argc, char **argv) {
    struct pcap_options o = {.format = FORMAT_UNASKED};
    int first = 0;
    int code = options_parse(&command_pcap, argc, argv, &o, &first);
    if (code != OPTIONS_OK) {
        return code;
    }
    if (o.choices.store && o.choices.url) {
        return usage_error(&command_pcap, "--store and --url exclude each other");
    }
    bool standard = !o.out || strcmp(o.out, "-") == 0;
    if (standard && isatty(STDOUT_FILENO)) {
        return usage_error(&command_pcap, "packets are not for a terminal: name a file with -w, or send them on");
    }
    if (o.format == FORMAT_UNASKED) {
        const char *dot = o.out ? strrchr(o.out, '.') : NULL;
        o.format = dot && strcasecmp(dot, ".pcapng") == 0 ? PACKET_FORMAT_PCAPNG : PACKET_FORMAT_PCAP;
    }
    char *expression = search_words(argv + first, argc - first);
    const char *url = o.choices.url ? o.choices.url : o.choices.store ? NULL : getenv("SEINE_URL");
    if (!expression) {
        return EXIT_INTERNAL;
    }
    code = url && *url ? from_url(&o, url, expression) : from_store(&o, expression);
    free(expression);
    return code;
}

const struct command command_pcap = {
    .name = "pcap",
    .line = "get the packets of sessions out of a store or a running server",
    .arguments = "EXPRESSION",
    .about = "Writes the packets of all sessions that fit an expression as a capture, in the order of their time as "
             "far as memory allows.",
    .options = pcap_option_table,
    .option_count = ARRAY_LEN(pcap_option_table),
    .examples = {"seine pcap --store ~/sessions 'host == evil.example' > evil.pcap",
                 "seine pcap --url http://127.0.0.1:8005 -w dns.pcapng 'port == 53'"},
    .run = run_pcap,
};
