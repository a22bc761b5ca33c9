/* summary.c: see summary.h. */
#include "cmd/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/util.h"
#include "cmd/cmd.h"
#include "cmd/values.h"
#include "record/core_fields.h"

#define OUT_CEILING ((size_t)1 << 20)
#define TOP_PROTOCOLS 12

struct summary *summary_new(bool protocols) {
    struct summary *s = aligned_alloc(64, sizeof(*s));
    if (s) {
        memset(s, 0, sizeof(*s));
        s->protocols = protocols;
    }
    return s;
}

struct summary *summary_free(struct summary *s) {
    free(s);
    return NULL;
}

static void add_protocol(struct summary_lane *lane, struct span name, uint64_t sessions) {
    size_t len = MIN(name.len, sizeof(lane->protocols[0].name) - 1);
    for (size_t i = 0; i < lane->protocol_count; i++) {
        struct protocol_count *p = &lane->protocols[i];
        if (strncmp(p->name, (const char *)name.at, len) == 0 && p->name[len] == 0) {
            p->sessions += sessions;
            return;
        }
    }
    if (lane->protocol_count < SUMMARY_PROTOCOLS_MAX) {
        struct protocol_count *p = &lane->protocols[lane->protocol_count++];
        memcpy(p->name, name.at, len);
        p->name[len] = 0;
        p->sessions = sessions;
    }
}

static bool take_protocol(void *ctx, const struct field *f, const struct value *v) {
    (void)f;
    add_protocol(ctx, v->bytes, 1);
    return true;
}

void summary_count(struct summary *s, unsigned worker, const struct record *r) {
    struct summary_lane *lane = &s->lanes[worker];
    lane->first = lane->sessions == 0 || r->first_time < lane->first ? r->first_time : lane->first;
    lane->last = lane->sessions == 0 || r->last_time > lane->last ? r->last_time : lane->last;
    __atomic_store_n(&lane->sessions, lane->sessions + 1, __ATOMIC_RELAXED);
    if (s->protocols) {
        record_values(r, registry_field(r->registry, CORE_PROTOCOL), take_protocol, lane);
    }
}

uint64_t summary_sessions(const struct summary *s) {
    uint64_t sessions = 0;
    for (size_t i = 0; i < ARRAY_LEN(s->lanes); i++) {
        sessions += __atomic_load_n(&s->lanes[i].sessions, __ATOMIC_RELAXED);
    }
    return sessions;
}

/* --- for people --- */

static int by_count(const void *a, const void *b) {
    const struct protocol_count *x = a;
    const struct protocol_count *y = b;
    return x->sessions != y->sessions ? (x->sessions < y->sessions ? 1 : -1) : strcmp(x->name, y->name);
}

static void print_protocols(const struct summary *s, struct buf *line) {
    struct summary_lane all = {.protocol_count = 0};
    for (size_t i = 0; i < ARRAY_LEN(s->lanes); i++) {
        for (size_t p = 0; p < s->lanes[i].protocol_count; p++) {
            add_protocol(&all, span_text(s->lanes[i].protocols[p].name), s->lanes[i].protocols[p].sessions);
        }
    }
    qsort(all.protocols, all.protocol_count, sizeof(all.protocols[0]), by_count);
    for (size_t i = 0; i < MIN(all.protocol_count, (size_t)TOP_PROTOCOLS); i++) {
        buf_printf(line, "%s%s %llu", i ? ", " : "protocols: ", all.protocols[i].name,
                   (unsigned long long)all.protocols[i].sessions);
    }
    if (all.protocol_count > TOP_PROTOCOLS) {
        buf_printf(line, " and %zu more", all.protocol_count - TOP_PROTOCOLS);
    }
}

static void print_time(const struct summary *s, const struct walk_stats *stats, const struct show *show,
                       struct buf *line) {
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = 0; i < ARRAY_LEN(s->lanes); i++) {
        if (s->lanes[i].sessions) {
            first = MIN(first, s->lanes[i].first);
            last = MAX(last, s->lanes[i].last);
        }
    }
    buf_printf(line, "%llu capture%s", (unsigned long long)stats->source.files, stats->source.files == 1 ? "" : "s");
    if (first <= last) {
        buf_add_text(line, ", ");
        show_time(show, first, TIME_DATE | TIME_CLOCK | TIME_OFFSET, line);
        buf_add_text(line, " to ");
        show_time(show, last, TIME_DATE | TIME_CLOCK | TIME_OFFSET, line);
        buf_add_text(line, " (");
        show_duration(last - first, line);
        buf_add_text(line, ")");
    }
}

struct loss {
    uint64_t count;
    const char *one, *many;
};

/* Only what happened is said. */
static void print_losses(const char *title, const struct loss *losses, size_t count) {
    char text[600] = "";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        if (losses[i].count) {
            (void)snprintf(text + used, sizeof(text) - used, "%s%llu %s", used ? ", " : "",
                           (unsigned long long)losses[i].count, losses[i].count == 1 ? losses[i].one : losses[i].many);
        }
    }
    if (text[0]) {
        say("%s: %s", title, text);
    }
}

void summary_print(const struct summary *s, const struct walk_stats *stats, const struct show *show) {
    struct buf line;
    buf_init(&line, OUT_CEILING);
    print_protocols(s, &line);
    if (line.len) {
        say("%.*s", (int)line.len, (const char *)line.data);
    }
    buf_clear(&line);
    print_time(s, stats, show, &line);
    say("%.*s", (int)line.len, (const char *)line.data);
    buf_done(&line);
    const struct loss losses[] = {
        {stats->flow[FLOW_MISSING_BYTES], "byte was acknowledged but is not in the capture",
         "bytes were acknowledged but are not in the capture"},
        {stats->source.cut, "packet is cut short by the snapshot length",
         "packets are cut short by the snapshot length"},
    };
    const struct loss damages[] = {
        {stats->source.truncated, "capture ends inside a packet", "captures end inside a packet"},
        {stats->source.damaged, "damaged place", "damaged places"},
        {stats->source.unreadable, "input left out", "inputs left out"},
    };
    const struct loss limits[] = {
        {stats->flow[FLOW_EVICTED], "session saved early (maxStreams)", "sessions saved early (maxStreams)"},
        {stats->flow[FLOW_REASSEMBLY_DROPPED], "TCP segment not kept for reassembly",
         "TCP segments not kept for reassembly"},
        {stats->flow[FLOW_NO_MEMORY] + stats->dissect[DISSECT_NO_MEMORY] + stats->cells_dropped, "value without memory",
         "values without memory"},
        {stats->decode[DECODE_FRAGMENT_DROPPED], "fragment dropped", "fragments dropped"},
    };
    print_losses("missing", losses, ARRAY_LEN(losses));
    print_losses("damage", damages, ARRAY_LEN(damages));
    print_losses("limits", limits, ARRAY_LEN(limits));
}

/* --- for programs --- */

struct named_count {
    const char *name;
    uint64_t value;
};

static void json_named(struct json *j, const char *group, const struct named_count *counts, size_t count) {
    json_key(j, group);
    json_open(j, '{');
    for (size_t i = 0; i < count; i++) {
        json_key(j, counts[i].name);
        json_u64(j, counts[i].value);
    }
    json_close(j, '}');
}

static void json_counts(struct json *j, const char *group, const char *const *names, const uint64_t *values,
                        size_t count) {
    json_key(j, group);
    json_open(j, '{');
    for (size_t i = 0; i < count; i++) {
        json_key(j, names[i]);
        json_u64(j, values[i]);
    }
    json_close(j, '}');
}

static size_t source_counts(const struct source_stats *s, struct named_count ret[16]) {
    const struct named_count counts[] = {
        {"packets", s->packets},     {"bytes", s->bytes},     {"readBytes", s->read_bytes},  {"files", s->files},
        {"truncated", s->truncated}, {"damaged", s->damaged}, {"unreadable", s->unreadable}, {"cut", s->cut},
        {"filtered", s->filtered},
    };
    memcpy(ret, counts, sizeof(counts));
    return ARRAY_LEN(counts);
}

void summary_print_stats(const struct summary *s, const struct walk_stats *stats, double seconds) {
    struct buf out;
    buf_init(&out, OUT_CEILING);
    struct json j = json_over(&out);
    struct named_count source[16];
    const struct named_count memory[] = {{"peak", stats->pool_peak},
                                         {"held", stats->pool_held},
                                         {"refused", stats->pool_refused},
                                         {"valuesDropped", stats->cells_dropped}};
    json_open(&j, '{');
    json_key(&j, "version");
    json_u64(&j, 1);
    json_key(&j, "seconds");
    json_double(&j, seconds);
    json_key(&j, "sessions");
    json_u64(&j, summary_sessions(s));
    json_key(&j, "stopped");
    json_bool(&j, stats->stopped);
    json_named(&j, "source", source, source_counts(&stats->source, source));
    json_counts(&j, "decode", decode_count_names, stats->decode, DECODE_COUNTS);
    json_counts(&j, "flow", flow_count_names, stats->flow, FLOW_COUNTS);
    json_counts(&j, "dissect", dissect_count_names, stats->dissect, DISSECT_COUNTS);
    json_named(&j, "memory", memory, ARRAY_LEN(memory));
    json_close(&j, '}');
    (void)fprintf(stderr, "%.*s\n", (int)out.len, (const char *)out.data);
    buf_done(&out);
}

static void print_counts(const char *group, const char *const *names, const uint64_t *values, size_t count) {
    char text[1500] = "";
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        if (values[i]) {
            (void)snprintf(text + used, sizeof(text) - used, "%s%s %llu", used ? ", " : "", names[i],
                           (unsigned long long)values[i]);
        }
    }
    if (text[0]) {
        say("%s: %s", group, text);
    }
}

void summary_print_counters(const struct walk_stats *stats) {
    print_counts("decode", decode_count_names, stats->decode, DECODE_COUNTS);
    print_counts("flow", flow_count_names, stats->flow, FLOW_COUNTS);
    print_counts("dissect", dissect_count_names, stats->dissect, DISSECT_COUNTS);
}
