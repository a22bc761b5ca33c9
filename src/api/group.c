/* group.c: see group.h. */
#include "api/group.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "record/document.h"

static const struct {
    const char *path, *histo;
} sum_names[SERIES_SUMS] = {
    {"source.packets", "source.packetsHisto"}, {"destination.packets", "destination.packetsHisto"},
    {"source.bytes", "source.bytesHisto"},     {"destination.bytes", "destination.bytesHisto"},
    {"client.bytes", "client.bytesHisto"},     {"server.bytes", "server.bytesHisto"},
};
/* Each the sum of two of the above. */
static const struct {
    const char *total, *histo;
} total_names[SERIES_TOTALS] = {
    {"network.packetsTotal", "network.packetsHisto"},
    {"network.bytesTotal", "network.bytesHisto"},
    {"totDataBytesTotal", "totDataBytesHisto"},
};

void series_init(struct series *s, const struct registry *r) {
    for (size_t i = 0; i < SERIES_SUMS; i++) {
        s->sums[i] = registry_field(r, registry_by_path(r, span_text(sum_names[i].path)));
    }
}

void series_write_totals(const uint64_t sums[SERIES_SUMS], struct json *j) {
    for (size_t i = 0; i < SERIES_TOTALS; i++) {
        json_key(j, total_names[i].histo);
        json_u64(j, sums[2 * i] + sums[2 * i + 1]);
    }
}

uint64_t series_value(const char *name, uint64_t sessions, const uint64_t sums[SERIES_SUMS]) {
    for (size_t i = 0; i < SERIES_SUMS; i++) {
        if (strcmp(name, sum_names[i].histo) == 0) {
            return sums[i];
        }
    }
    for (size_t i = 0; i < SERIES_TOTALS; i++) {
        if (strcmp(name, total_names[i].histo) == 0) {
            return sums[2 * i] + sums[2 * i + 1];
        }
    }
    return sessions;
}

/* --- graph --- */

static void write_series(struct json *j, const char *key, const struct graph_bucket *buckets, size_t count, int sum) {
    json_key(j, key);
    json_open(j, '[');
    for (size_t i = 0; i < count; i++) {
        json_open(j, '[');
        json_i64(j, buckets[i].start_ms);
        json_u64(j, sum < 0 ? buckets[i].sessions : buckets[i].sums[sum]);
        json_close(j, ']');
    }
    json_close(j, ']');
}

void graph_write(const struct ask *a, const struct graph_bucket *buckets, size_t count, struct json *j) {
    uint64_t sessions = 0, totals[SERIES_TOTALS] = {0};
    json_open(j, '{');
    json_key(j, "xmin");
    if (a->window.bounded) {
        json_i64(j, a->window.start_ms);
    } else {
        json_null(j);
    }
    json_key(j, "xmax");
    if (a->window.bounded) {
        json_i64(j, a->window.open ? now_ms() / 1000 * 1000 : a->window.stop_ms);
    } else {
        json_null(j);
    }
    json_key(j, "interval");
    json_u64(j, a->window.interval_s);
    write_series(j, "sessionsHisto", buckets, count, -1);
    for (int i = 0; i < SERIES_SUMS; i++) {
        write_series(j, sum_names[i].histo, buckets, count, i);
    }
    for (size_t i = 0; i < count; i++) {
        sessions += buckets[i].sessions;
        for (size_t k = 0; k < SERIES_SUMS; k++) {
            totals[k / 2] += buckets[i].sums[k];
        }
    }
    json_key(j, "sessionsTotal");
    json_u64(j, sessions);
    for (size_t i = 0; i < SERIES_TOTALS; i++) {
        json_key(j, total_names[i].total);
        json_u64(j, totals[i]);
    }
    json_close(j, '}');
}

static const struct field *time_field(const struct ask *a) {
    bool first = a->window.bounding == BOUND_FIRST;
    return registry_field(
        a->registry, registry_by_path(a->registry, first ? SPAN_LITERAL("firstPacket") : SPAN_LITERAL("lastPacket")));
}

int graph_of_search(const struct ask *a, struct search *s, struct json *j) {
    struct series series;
    struct timeline *t = NULL;
    struct timeline_request q = {.time = time_field(a),
                                 .interval_ms = a->window.interval_s * 1000,
                                 .spanning = a->spanning,
                                 .sum_count = SERIES_SUMS};
    series_init(&series, a->registry);
    memcpy(q.sums, series.sums, sizeof(series.sums));
    int code = search_timeline(s, &q, &t);
    struct graph_bucket *buckets = code == 0 ? calloc(t->count + 1, sizeof(*buckets)) : NULL;
    if (code == 0 && !buckets) {
        code = -ENOMEM;
    }
    for (size_t i = 0; code == 0 && i < t->count; i++) {
        buckets[i].start_ms = t->buckets[i].start_ms;
        buckets[i].sessions = t->buckets[i].sessions;
        memcpy(buckets[i].sums, t->buckets[i].sums, sizeof(buckets[i].sums));
    }
    if (code == 0) {
        graph_write(a, buckets, t->count, j);
    }
    free(buckets);
    timeline_free(t);
    return code;
}

/* --- map --- */

#define COUNTRIES_MAX 1000

static int write_countries(const struct ask *a, struct search *s, const char *key, const char *path, struct json *j) {
    struct groups *g = NULL;
    struct group_request q = {.keys = {{.kind = GROUP_FIELD}}, .key_count = 1, .limit = COUNTRIES_MAX};
    q.keys[0].field.field = registry_field(a->registry, registry_by_path(a->registry, span_text(path)));
    if (!q.keys[0].field.field) {
        return 0;
    }
    int code = search_groups(s, &q, &g);
    if (code < 0) {
        return code;
    }
    json_key(j, key);
    json_open(j, '{');
    for (size_t i = 0; i < g->count; i++) {
        char name[32];
        size_t len = MIN(g->list[i].keys[0].bytes.len, sizeof(name) - 1);
        memcpy(name, g->list[i].keys[0].bytes.at, len);
        name[len] = 0;
        json_key(j, name);
        json_u64(j, g->list[i].count);
    }
    json_close(j, '}');
    groups_free(g);
    return 0;
}

int map_of_search(const struct ask *a, struct search *s, struct json *j) {
    int code = 0;
    json_open(j, '{');
    if (a->map) {
        code = write_countries(a, s, "src", "source.geo.country_iso_code", j);
        code = code < 0 ? code : write_countries(a, s, "dst", "destination.geo.country_iso_code", j);
        code = code < 0 ? code : write_countries(a, s, "xffGeo", "http.xffGEO", j);
    }
    json_close(j, '}');
    return code;
}

/* --- keys --- */

bool key_is_file(const struct group_key *k) {
    return k->kind == GROUP_FIELD && k->field.field && strcmp(k->field.field->def->path, "fileId") == 0;
}

static bool key_is_protocol(const struct key_names *n, const struct group_key *k) {
    return n->protocols && k->kind == GROUP_FIELD && k->field.field &&
           strcmp(k->field.field->def->path, "ipProtocol") == 0;
}

static void add_address(const struct group_value *v, struct buf *out) {
    char text[64];
    size_t len = ip_write(v->bytes.at, text);
    bool v6 = memchr(text, ':', len) != NULL;
    buf_add(out, text, len);
    if (v->port >= 0) {
        buf_printf(out, "%c%d", v6 ? '.' : ':', v->port);
    }
}

void key_text(const struct key_names *n, const struct group_key *k, const struct group_value *v, struct buf *out) {
    char text[24];
    if (key_is_protocol(n, k)) {
        buf_add_text(out, ip_protocol_text(v->number, text));
        return;
    }
    const char *file = key_is_file(k) ? file_names_get(n->files, (uint32_t)v->number) : NULL;
    if (file) {
        buf_add_text(out, file);
        return;
    }
    switch (v->type) {
    case FT_I64:
        buf_printf(out, "%lld", (long long)v->number);
        break;
    case FT_FLOAT:
        buf_printf(out, "%.15g", number_to_double(v->number));
        break;
    case FT_U64:
    case FT_TIME:
        buf_add_u64(out, v->number);
        break;
    case FT_BOOL:
        buf_add_text(out, v->number ? "true" : "false");
        break;
    case FT_IP:
        add_address(v, out);
        break;
    case FT_MAC:
        buf_add(out, text, mac_write(v->bytes.at, text));
        break;
    default:
        buf_add_span(out, v->bytes);
    }
}

void key_json(const struct key_names *n, const struct group_key *k, const struct group_value *v, struct json *j) {
    struct buf text;
    bool named = key_is_protocol(n, k) || key_is_file(k);
    if (!named && (v->type == FT_U64 || v->type == FT_TIME)) {
        json_u64(j, v->number);
        return;
    }
    if (!named && v->type == FT_I64) {
        json_i64(j, (int64_t)v->number);
        return;
    }
    if (!named && v->type == FT_FLOAT) {
        json_double(j, number_to_double(v->number));
        return;
    }
    buf_init(&text, CELL_TEXT_MAX * 2);
    key_text(n, k, v, &text);
    json_text(j, buf_span(&text));
    buf_done(&text);
}
