/*
 * The store under test: rows become records as a capture's sessions are, and questions are those of store/search.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/util.h"
#include "cmd/registry_make.h"
#include "dissect/engine.h"
#include "engine.h"
#include "feature/community_id.h"
#include "pipeline/walk.h"
#include "record/core_fields.h"
#include "record/document.h"
#include "store/control.h"
#include "store/search.h"

#define NS_PER_MS 1000000
#define THREADS 1

static int failed(const char *what, int code, const struct err *e) {
    (void)fprintf(stderr, "store: %s: %s\n", what, e && e->text[0] ? e->text : strerror(-code));
    return -1;
}

/* --- rows to records --- */

struct filling {
    struct registry *registry;
    struct dissect_set *dissectors;
    struct digests *digests;
    const struct field *fields[COLUMN_COUNT];
    const struct field *dns, *cert;
    const struct field *rare[RARE_KEYS];
};

static char rare_names[RARE_KEYS][24];

static int add_field(struct registry *r, const char *path, enum kind kind, struct err *e) {
    struct field_def def = {.path = path,
                            .name = path,
                            .type = kind == KIND_NUMBER ? FT_U64
                                    : kind == KIND_IP   ? FT_IP
                                                        : FT_KEYWORD,
                            .title = path,
                            .help = "of the benchmark"};
    uint16_t id;
    return registry_add_dynamic(r, "bench", &def, &id, e);
}

static int filling_init(struct filling *f, struct err *e) {
    uint16_t id;
    f->registry = registry_new();
    int code = registry_add(f->registry, "general", core_field_table, core_field_count, &id, e);
    f->dissectors = code == 0 ? dissect_set_new(f->registry, e) : NULL;
    f->digests = digests_new();
    code = f->dissectors && f->digests ? 0 : -ENOMEM;
    for (size_t i = 0; i < COLUMN_COUNT && code == 0; i++) {
        code = add_field(f->registry, column_defs[i].path, column_defs[i].kind, e);
        code = code == -EEXIST ? 0 : code; /* the program has it, as it should be */
    }
    for (size_t i = 0; i < RARE_KEYS && code == 0; i++) {
        (void)snprintf(rare_names[i], sizeof(rare_names[i]), "rare.key%03zu", i);
        code = add_field(f->registry, rare_names[i], KIND_TEXT, e);
    }
    code = code < 0 ? code : registry_seal(f->registry, e);
    if (code < 0) {
        return code;
    }
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        f->fields[i] = registry_field(f->registry, registry_by_path(f->registry, span_text(column_defs[i].path)));
    }
    for (size_t i = 0; i < RARE_KEYS; i++) {
        f->rare[i] = registry_field(f->registry, registry_by_path(f->registry, span_text(rare_names[i])));
    }
    f->dns = registry_field(f->registry, registry_by_path(f->registry, span_text("dns")));
    f->cert = registry_field(f->registry, registry_by_path(f->registry, span_text("cert")));
    return 0;
}

static void filling_done(struct filling *f) {
    digests_free(f->digests);
    dissect_set_free(f->dissectors);
    registry_free(f->registry);
}

static uint64_t number(const struct row *row, enum column_id id) {
    return row->count[id] ? row->values[row->first[id]].number : 0;
}

static void put_flat(struct cells *c, const struct field *f, const struct datum *d) {
    switch (f->type) {
    case FT_IP:
        (void)cells_put_ip(c, f, d->bytes);
        break;
    case FT_MAC:
        (void)cells_put_mac(c, f, d->bytes);
        break;
    case FT_U64:
    case FT_TIME:
        (void)cells_put_u64(c, f, d->number);
        break;
    default:
        (void)cells_put_text(c, f, span_make(d->text, d->len));
    }
}

static void put_child(struct cells *c, struct object o, const struct field *f, const struct datum *d) {
    switch (f->type) {
    case FT_IP:
        cells_object_ip(c, o, f, d->bytes);
        break;
    case FT_U64:
    case FT_TIME:
        cells_object_u64(c, o, f, d->number);
        break;
    default:
        cells_object_text(c, o, f, span_make(d->text, d->len));
    }
}

static void fill_cells(const struct filling *f, const struct row *row, struct cells *c) {
    struct object objects[2] = {{0}};
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        const struct field *field = f->fields[i];
        if (row->count[i] == 0 || (field->flags & F_COMPUTED)) {
            continue;
        }
        bool in_dns = field->parent == f->dns->id, in_cert = field->parent == f->cert->id, made;
        struct object *o = in_dns ? &objects[0] : &objects[1];
        if ((in_dns || in_cert) && o->at == 0) {
            *o = cells_object(c, in_dns ? f->dns : f->cert, 1, &made);
        }
        for (uint16_t k = 0; k < row->count[i]; k++) {
            const struct datum *d = &row->values[row->first[i] + k];
            if (in_dns || in_cert) {
                put_child(c, *o, field, d);
            } else {
                put_flat(c, field, d);
            }
        }
    }
    for (uint16_t i = 0; i < row->rare_count; i++) {
        (void)cells_put_text(c, f->rare[row->rare[i].key], span_text(row->rare[i].value));
    }
}

static uint8_t unhex(const char *at) {
    char digits[3] = {at[0], at[1], 0};
    return (uint8_t)strtoul(digits, NULL, 16);
}

static void fill_record(const struct filling *f, const struct row *row, struct record *r) {
    memcpy(r->ip[SIDE_SRC], row->values[row->first[COLUMN_SRC_IP]].bytes, 16);
    memcpy(r->ip[SIDE_DST], row->values[row->first[COLUMN_DST_IP]].bytes, 16);
    r->has_ip = true;
    r->ip_version = 4;
    r->has_port = row->count[COLUMN_SRC_PORT];
    r->port[SIDE_SRC] = (uint16_t)number(row, COLUMN_SRC_PORT);
    r->port[SIDE_DST] = (uint16_t)number(row, COLUMN_DST_PORT);
    r->ip_protocol = (uint8_t)number(row, COLUMN_IP_PROTOCOL);
    r->is_tcp = r->ip_protocol == 6;
    r->kind = (uint8_t)(r->is_tcp ? FLOW_TCP : r->ip_protocol == 17 ? FLOW_UDP : FLOW_ICMP);
    r->icmp_type = (uint8_t)(r->kind == FLOW_ICMP ? number(row, COLUMN_ICMP_TYPE) : 0);
    r->icmp_code = (uint8_t)(r->kind == FLOW_ICMP ? number(row, COLUMN_ICMP_CODE) : 0);
    r->ethertype = (uint16_t)number(row, COLUMN_ETHERTYPE);
    r->first_time = (int64_t)number(row, COLUMN_FIRST) * NS_PER_MS;
    r->last_time = (int64_t)number(row, COLUMN_LAST) * NS_PER_MS;
    r->bytes[SIDE_SRC] = number(row, COLUMN_SRC_BYTES);
    r->bytes[SIDE_DST] = number(row, COLUMN_DST_BYTES);
    r->data_bytes[SIDE_SRC] = number(row, COLUMN_SRC_DATA);
    r->data_bytes[SIDE_DST] = number(row, COLUMN_DST_DATA);
    r->packets[SIDE_SRC] = (uint32_t)number(row, COLUMN_SRC_PACKETS);
    r->packets[SIDE_DST] = (uint32_t)number(row, COLUMN_DST_PACKETS);
    for (unsigned i = 0; i < 6; i++) { /* both enumerations begin with SYN, SYN-ACK, ACK, PSH, FIN, RST */
        r->tcp_flags[TCPF_SYN + i] = (uint32_t)number(row, COLUMN_FLAG_SYN + i);
    }
    r->has_syn = row->count[COLUMN_SRC_ISN];
    r->has_syn_ack = row->count[COLUMN_DST_ISN];
    r->isn[SIDE_SRC] = (uint32_t)number(row, COLUMN_SRC_ISN);
    r->isn[SIDE_DST] = (uint32_t)number(row, COLUMN_DST_ISN);
    r->has_rtt = row->count[COLUMN_RTT];
    r->initial_rtt_ms = (uint32_t)number(row, COLUMN_RTT);
    for (unsigned side = 0; side < 2; side++) {
        enum column_id id = side ? COLUMN_DST_PAYLOAD : COLUMN_SRC_PAYLOAD;
        for (unsigned i = 0; row->count[id] && i < 8; i++) {
            r->payload8[side][i] = unhex(row->values[row->first[id]].text + 2 * i);
        }
        r->payload8_len[side] = row->count[id] ? 8 : 0;
        r->ttl[side] = (uint8_t)number(row, side ? COLUMN_DST_TTL : COLUMN_SRC_TTL);
    }
    r->segment = 1;
    r->node = "bench";
    r->index = "arkime_sessions3-231115";
    r->registry = f->registry;
    (void)snprintf(r->id, sizeof(r->id), "%022llx", (unsigned long long)row->index);
    community_id_fill(r, f->digests);
}

static int append(struct store_writer *w, const struct filling *f, const struct row *row, struct pool *pool) {
    struct packet_position positions[PACKETS_MAX];
    struct record r = {0};
    fill_record(f, row, &r);
    for (uint32_t i = 0; i < row->position_count; i++) {
        positions[i] = (struct packet_position){.file = 1, .captured = 100, .position = row->positions[i]};
    }
    r.positions = positions;
    r.position_count = row->position_count;
    r.name_files = true;
    cells_init(&r.cells, pool);
    fill_cells(f, row, &r.cells);
    int code = r.cells.dropped ? -ENOMEM : store_append(w, &r, NULL);
    cells_done(&r.cells);
    return code;
}

static int load(const char *path, const struct world *world, uint64_t rows) {
    struct filling f = {0};
    struct store_options options = {.node = "bench"};
    struct store_writer *w = NULL;
    struct pool pool;
    struct err e = {0};
    struct row *row = malloc(sizeof(*row));
    pool_init(&pool, (size_t)1 << 28);
    int code = row ? filling_init(&f, &e) : -ENOMEM;
    code = code < 0 ? code : store_writer_open(path, true, &options, f.registry, &w, &e);
    for (uint64_t i = 0; i < rows && code == 0; i++) {
        world_row(world, i, row);
        code = append(w, &f, row, &pool);
    }
    code = code < 0 ? code : store_compact(w, &e); /* merging belongs to loading */
    int closed = store_writer_close(w, &e);
    code = code < 0 ? code : closed;
    pool_done(&pool);
    filling_done(&f);
    free(row);
    return code < 0 ? failed("load", code, &e) : 0;
}

/* --- questions --- */

struct engine_state {
    char *path;
    struct store *store;
    struct snapshot *snapshot;
    const struct registry *registry;
    struct document_plan *plan;
    uint64_t rows;
    struct filling filling; /* of the writer */
    struct store_writer *writer;
};

static int open_engine(const char *path, uint64_t rows, void **ret) {
    struct engine_state *s = calloc(1, sizeof(*s));
    struct err e = {0};
    int code = s ? store_open(path, registry_make, NULL, 0, &s->store, &e) : -ENOMEM;
    if (code < 0) {
        free(s);
        return failed(path, code, &e);
    }
    s->path = strdup(path);
    s->snapshot = store_snapshot(s->store);
    s->registry = snapshot_registry(s->snapshot);
    s->plan = document_plan_new(s->registry);
    s->rows = rows;
    *ret = s;
    return s->plan ? 0 : -1;
}

static void close_engine(void *engine) {
    struct engine_state *s = engine;
    if (s->filling.registry) {
        (void)store_writer_close(s->writer, NULL);
        filling_done(&s->filling);
    }
    document_plan_free(s->plan);
    snapshot_unref(s->snapshot);
    store_close(s->store);
    free(s->path);
    free(s);
}

static const struct field *field_of(const struct engine_state *s, const char *path) {
    return registry_field(s->registry, registry_by_path(s->registry, span_text(path)));
}

struct asked {
    struct query *query;
    struct search *search;
};

static int ask(const struct engine_state *s, const char *expression, int64_t start, int64_t stop, struct asked *a) {
    struct err e = {0};
    int code = query_parse(span_text(expression), s->registry, END_MS, &a->query, &e);
    struct search_options options = {.snapshot = s->snapshot,
                                     .queries = {a->query},
                                     .bounded = start != 0,
                                     .start_ms = start,
                                     .stop_ms = stop,
                                     .bounding = BOUND_LAST,
                                     .threads = THREADS};
    code = code < 0 ? code : search_new(&options, &a->search, &e);
    code = code < 0 ? code : search_run(a->search);
    return code < 0 ? failed(expression, code, &e) : 0;
}

static void asked_done(struct asked *a) {
    search_free(a->search);
    query_free(a->query);
}

static int newest(const struct engine_state *s, struct search *search, FILE *answer) {
    const struct field *last = field_of(s, "lastPacket");
    struct search_order order = {.field = {last, NULL, ACCESS_VALUE}, .descending = true};
    struct search_page page = {0};
    (void)fprintf(answer, "count %llu\n", (unsigned long long)search_count(search));
    int code = search_rows(search, &order, 1, 0, 50, &page);
    for (size_t i = 0; i < page.count && code == 0; i++) {
        const struct part *part = snapshot_part(s->snapshot, page.rows[i].part);
        uint64_t value = 0;
        code = column_number_at(part_find(part, span_text("lastPacket")), page.rows[i].row, &value);
        code = code < 0 ? code : 0;
        (void)fprintf(answer, "%llu\n", (unsigned long long)value);
    }
    return code;
}

static int ask_rows(const struct engine_state *s, const char *expression, int64_t start, FILE *answer) {
    struct asked a = {0};
    int code = ask(s, expression, start, END_MS * 2, &a);
    code = code < 0 ? code : newest(s, a.search, answer);
    asked_done(&a);
    return code;
}

static void print_value(const struct group_value *v, FILE *out) {
    char text[64];
    if (v->type == FT_IP) {
        (void)fprintf(out, "%.*s", (int)ip_write(v->bytes.at, text), text);
    } else if (v->type <= FT_BOOL) {
        (void)fprintf(out, "%llu", (unsigned long long)v->number);
    } else {
        (void)fprintf(out, "%.*s", (int)v->bytes.len, (const char *)v->bytes.at);
    }
}

static int ask_top(const struct engine_state *s, int64_t start, FILE *answer) {
    struct asked a = {0};
    int code = ask(s, "ip.protocol == tcp", start, END_MS * 2, &a);
    for (size_t i = 0; i < Q4_FIELDS && code == 0; i++) {
        const char *path = column_defs[q4_fields[i]].path;
        struct group_request request = {
            .keys = {{.kind = GROUP_FIELD, .field = {field_of(s, path), NULL, ACCESS_VALUE}}},
            .key_count = 1,
            .limit = 100};
        struct groups *groups = NULL;
        code = search_groups(a.search, &request, &groups);
        (void)fprintf(answer, "%s\n", path);
        /* values of equal counts may come in any order; so only counts are compared behind the first ten */
        for (size_t k = 0; k < groups->count && code == 0; k++) {
            (void)fprintf(answer, "%llu\n", (unsigned long long)groups->list[k].count);
        }
        if (code == 0 && groups->count) {
            print_value(&groups->list[0].keys[0], answer);
            (void)fputc('\n', answer);
        }
        groups_free(groups);
    }
    asked_done(&a);
    return code;
}

static int ask_timeline(const struct engine_state *s, int64_t start, uint64_t interval, FILE *answer) {
    struct timeline_request request = {.time = field_of(s, "lastPacket"),
                                       .interval_ms = interval,
                                       .sums = {field_of(s, "source.bytes"), field_of(s, "destination.bytes"),
                                                field_of(s, "source.packets"), field_of(s, "destination.packets")},
                                       .sum_count = 4};
    struct asked a = {0};
    struct timeline *t = NULL;
    int code = ask(s, "", start, END_MS * 2, &a);
    code = code < 0 ? code : search_timeline(a.search, &request, &t);
    for (size_t i = 0; code == 0 && i < t->count; i++) {
        const struct timeline_bucket *b = &t->buckets[i];
        (void)fprintf(answer, "%lld %llu %llu %llu %llu %llu\n", (long long)b->start_ms,
                      (unsigned long long)b->sessions, (unsigned long long)b->sums[0], (unsigned long long)b->sums[1],
                      (unsigned long long)b->sums[2], (unsigned long long)b->sums[3]);
    }
    timeline_free(t);
    asked_done(&a);
    return code;
}

static int ask_pairs(const struct engine_state *s, int64_t start, FILE *answer) {
    struct group_request request = {
        .keys = {{.kind = GROUP_FIELD, .field = {field_of(s, "source.ip"), NULL, ACCESS_VALUE}},
                 {.kind = GROUP_FIELD, .field = {field_of(s, "destination.ip"), NULL, ACCESS_VALUE}}},
        .key_count = 2,
        .sums = {field_of(s, "source.bytes"), field_of(s, "destination.bytes")},
        .sum_count = 2,
        .limit = 1000};
    struct asked a = {0};
    struct groups *groups = NULL;
    int code = ask(s, "", start, END_MS * 2, &a);
    code = code < 0 ? code : search_groups(a.search, &request, &groups);
    if (code == 0) {
        (void)fprintf(answer, "pairs %llu\n", (unsigned long long)groups->total);
    }
    uint64_t edge = code == 0 && groups->count > 100 ? groups->list[100].count : 0;
    for (size_t i = 0; code == 0 && i < groups->count; i++) {
        const struct group *g = &groups->list[i];
        (void)fprintf(answer, "%llu", (unsigned long long)g->count);
        if (g->count > edge) { /* pairs as frequent as that at place 101 may come in any order */
            (void)fputc(' ', answer);
            print_value(&g->keys[0], answer);
            (void)fputc(' ', answer);
            print_value(&g->keys[1], answer);
            (void)fprintf(answer, " %llu %llu", (unsigned long long)g->sums[0], (unsigned long long)g->sums[1]);
        }
        (void)fputc('\n', answer);
    }
    groups_free(groups);
    asked_done(&a);
    return code;
}

/* The session of a row as its columns; every one is read. */
static int ask_one(const struct engine_state *s, FILE *answer) {
    uint64_t seq = part_info(snapshot_part(s->snapshot, 0))->seq_low + s->rows / 3;
    struct restorer *r = NULL;
    const struct record *record;
    struct buf out;
    size_t part;
    uint32_t row;
    buf_init(&out, (size_t)1 << 20);
    int code = snapshot_find(s->snapshot, seq, &part, &row) ? 0 : -ENOENT;
    code = code < 0 ? code : restorer_new(s->snapshot, NULL, 0, true, &r);
    code = code < 0 ? code : restorer_read(r, part, row, &record);
    if (code == 0) {
        document_write(s->plan, record, 0, &out);
        (void)fprintf(answer, "%lld %llu %llu\n", (long long)(record->last_time / NS_PER_MS),
                      (unsigned long long)record->bytes[SIDE_SRC], (unsigned long long)record->bytes[SIDE_DST]);
    }
    restorer_free(r);
    buf_done(&out);
    return code;
}

static int ask_beacons(const struct engine_state *s, FILE *answer) {
    struct beacon_request request = {.min_count = 4};
    struct asked a = {0};
    struct beacons *b = NULL;
    int code = ask(s, "", 0, 0, &a);
    code = code < 0 ? code : search_beacons(a.search, &request, &b);
    double sum = 0;
    for (size_t i = 0; code == 0 && i < b->count; i++) {
        sum += b->list[i].mean_ms > 0 ? b->list[i].deviation_ms / b->list[i].mean_ms : 0;
    }
    if (code == 0) {
        (void)fprintf(answer, "keys %llu jitter %.3f\n", (unsigned long long)b->total, sum);
    }
    beacons_free(b);
    asked_done(&a);
    return code;
}

/* Every thousandth part of the store gets the tag; then it is searched for. */
static int ask_tag(struct engine_state *s, FILE *answer) {
    uint64_t seqs[1000], low = part_info(snapshot_part(s->snapshot, 0))->seq_low;
    for (unsigned i = 0; i < 1000; i++) {
        seqs[i] = low + s->rows / 1000 * i;
    }
    struct overlay_change change = {.seqs = seqs,
                                    .count = 1000,
                                    .op = OVERLAY_ADD,
                                    .path = "tags",
                                    .value = span_text("benchmark"),
                                    .user = "bench"};
    struct control *c = NULL;
    struct err e = {0};
    int code = control_open(s->path, &c, &e);
    code = code < 0 ? code : overlay_write(c, &change, &e);
    control_close(c);
    (void)fprintf(answer, "tagged 1000\n");
    return code < 0 ? failed("tag", code, &e) : 0;
}

/* A writer over the store, which wants the oldest tenth of it to go: sessions arrived when they were loaded, so that
 * bytes tell old from new and not days. */
static int open_writer(struct engine_state *s) {
    struct err e = {0};
    uint64_t bytes = 0;
    for (size_t i = 0; i < snapshot_parts(s->snapshot); i++) {
        const struct part_info *info = part_info(snapshot_part(s->snapshot, i));
        char path[4096];
        struct stat st;
        (void)snprintf(path, sizeof(path), "%s/seg/%s", s->path, info->name);
        bytes += !info->tail && stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
    }
    struct store_options options = {.node = "bench", .retain_bytes = bytes - bytes / 10};
    int code = filling_init(&s->filling, &e);
    code = code < 0 ? code : store_writer_open(s->path, false, &options, s->filling.registry, &s->writer, &e);
    return code < 0 ? failed("drop", code, &e) : 0;
}

static int prepare(void *engine, enum question q) {
    return q == DROP ? open_writer(engine) : 0;
}

static int ask_drop(const struct engine_state *s, FILE *answer) {
    struct err e = {0};
    uint64_t counts[STORE_COUNTS];
    int code = store_retain(s->writer, &e);
    store_writer_counts(s->writer, counts);
    if (code == 0 && counts[STORE_SEGMENTS_DROPPED] == 0) {
        code = err_set(&e, -ENOENT, "no segment went");
    }
    (void)fprintf(answer, "dropped\n");
    return code < 0 ? failed("drop", code, &e) : 0;
}

static int ask_engine(void *engine, enum question q, FILE *answer) {
    struct engine_state *s = engine;
    int code = -EINVAL;
    switch (q) {
    case Q1:
        code = ask_rows(s, "", END_MS - 3600000, answer);
        break;
    case Q2:
        code = ask_rows(s, "ip.src == " Q2_NETWORK " && port.dst == 443", 0, answer);
        break;
    case Q2_ABSENT:
        code = ask_rows(s, "ip.src == 203.0.113.77", 0, answer);
        break;
    case Q3:
        code = ask_rows(s, "host.http == *" Q3_TEXT "* || host.dns == *" Q3_TEXT "*", 0, answer);
        break;
    case Q4_DAY:
    case Q4_ALL:
        code = ask_top(s, q == Q4_DAY ? END_MS - DAY_MS : 0, answer);
        break;
    case Q5_DAY:
        code = ask_timeline(s, END_MS - DAY_MS, 60000, answer);
        break;
    case Q5_ALL:
        code = ask_timeline(s, 0, 3600000, answer);
        break;
    case Q6_DAY:
    case Q6_ALL:
        code = ask_pairs(s, q == Q6_DAY ? END_MS - DAY_MS : 0, answer);
        break;
    case Q7:
        code = ask_one(s, answer);
        break;
    case Q8:
        code = ask_beacons(s, answer);
        break;
    case TAG:
        code = ask_tag(s, answer);
        break;
    case DROP:
        code = ask_drop(s, answer);
        break;
    default:
        break;
    }
    return code < 0 ? failed(question_names[q], code, NULL) : 0;
}

const struct engine store_engine = {"store", load, open_engine, ask_engine, prepare, close_engine};
