/* intel.c: Zeek intelligence files: indicators of addresses, networks, names, URLs, e-mail addresses and file hashes.
 *
 * The format is tab-separated with a `#fields` line that names the columns (indicator, indicator_type, meta.source,
 * meta.desc, meta.url; "-" is unset). A field is matched by what it is: its type (address) or its category in the field
 * table (host, url, user, md5, sha256). Each hit is an element of zeekintel[] that says which field matched. Source:
 * Zeek manual, "Intelligence Framework".
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hash.h"
#include "base/util.h"
#include "enrich/parts.h"
#include "record/core_fields.h"

enum kind {
    KIND_ADDR,
    KIND_SUBNET,
    KIND_DOMAIN,
    KIND_URL,
    KIND_EMAIL,
    KIND_FILE_HASH,
    KIND_CERT_HASH,
    KIND_PUBKEY_HASH,
    KINDS
};

static const char *const kind_names[KINDS] = {"addr",  "subnet",    "domain",    "url",
                                              "email", "file_hash", "cert_hash", "pubkey_hash"};

enum { INTEL, INDICATOR, INDICATOR_TYPE, WHERE, SOURCE, DESC, URL };

static const struct field_def intel_fields[] = {
    [INTEL] = {.path = "zeekintel",
               .type = FT_OBJECT,
               .flags = F_OBJECT_COUNT,
               .title = "Zeek Intel",
               .help = "Indicators of intelligence files that values of this session match"},
    [INDICATOR] = {.path = "zeekintel.indicator",
                   .name = "zeekintel.indicator",
                   .type = FT_KEYWORD,
                   .flags = F_SINGLE,
                   .title = "Indicator",
                   .help = "The indicator that matched"},
    [INDICATOR_TYPE] = {.path = "zeekintel.indicator_type",
                        .name = "zeekintel.type",
                        .type = FT_KEYWORD,
                        .flags = F_SINGLE,
                        .title = "Indicator Type",
                        .help = "What the indicator is: addr, subnet, domain, url, email, file_hash"},
    [WHERE] = {.path = "zeekintel.where",
               .name = "zeekintel.where",
               .type = FT_KEYWORD,
               .flags = F_SINGLE,
               .title = "Where",
               .help = "The field whose value matched"},
    [SOURCE] = {.path = "zeekintel.source",
                .name = "zeekintel.source",
                .type = FT_KEYWORD,
                .flags = F_SINGLE,
                .title = "Source",
                .help = "Who the indicator comes from"},
    [DESC] = {.path = "zeekintel.desc",
              .name = "zeekintel.desc",
              .type = FT_KEYWORD,
              .flags = F_SINGLE,
              .title = "Description",
              .help = "What the source says of the indicator"},
    [URL] = {.path = "zeekintel.url",
             .name = "zeekintel.url",
             .type = FT_KEYWORD,
             .flags = F_SINGLE,
             .title = "URL",
             .help = "Where the source says more"},
};

struct indicator {
    const char *text, *source, *desc, *url;
    uint8_t kind;
    uint32_t next; /* 1-based index of the next one with the same hash bucket */
};

struct intel {
    struct indicator *rows;
    size_t count, cap;
    uint32_t *buckets; /* of the text kinds; 1-based heads */
    size_t mask;
    struct ipmap *addresses; /* values: 1-based indices; ADDR and SUBNET */
    uint8_t *kinds;          /* by field id: bit per enum kind its values are matched with */
    uint16_t base;
    const char *tag;
};

struct columns {
    int indicator, type, source, desc, url;
};

struct parse {
    struct intel *intel;
    struct config *config;
    const struct reporter *report;
    const char *file;
    int line;
    struct columns at;
};

static uint64_t text_hash(enum kind kind, struct span text) {
    char lower[512];
    size_t n = MIN(text.len, sizeof(lower));
    for (size_t i = 0; i < n; i++) {
        lower[i] = (char)(text.at[i] >= 'A' && text.at[i] <= 'Z' ? text.at[i] | 0x20 : text.at[i]);
    }
    return hash_bytes(lower, n, (uint64_t)kind + 1);
}

static struct indicator *add_row(struct intel *i) {
    if (i->count == i->cap) {
        size_t cap = i->cap ? i->cap * 2 : 1024;
        struct indicator *rows = cap < UINT32_MAX ? reallocarray(i->rows, cap, sizeof(*rows)) : NULL;
        if (!rows) {
            return NULL;
        }
        i->rows = rows;
        i->cap = cap;
    }
    i->rows[i->count] = (struct indicator){0};
    return &i->rows[i->count++];
}

static int find_kind(const char *name) {
    const char *text = strncmp(name, "Intel::", 7) == 0 ? name + 7 : name;
    for (unsigned k = 0; k < KINDS; k++) {
        if (strcasecmp(text, kind_names[k]) == 0) {
            return (int)k;
        }
    }
    return -1;
}

#define COLUMNS_MAX 32

static void read_header(struct parse *p, char *line) {
    struct {
        const char *name;
        int *to;
    } wanted[] = {{"indicator", &p->at.indicator},
                  {"indicator_type", &p->at.type},
                  {"meta.source", &p->at.source},
                  {"meta.desc", &p->at.desc},
                  {"meta.url", &p->at.url}};
    p->at = (struct columns){-1, -1, -1, -1, -1};
    char *rest = line;
    (void)strsep(&rest, "\t"); /* "#fields" */
    for (int column = 0; rest; column++) {
        const char *name = strsep(&rest, "\t");
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
            if (strcmp(name, wanted[i].name) == 0) {
                *wanted[i].to = column;
            }
        }
    }
}

static const char *cell_text(struct parse *p, char **cells, int count, int column) {
    if (column < 0 || column >= count || strcmp(cells[column], "-") == 0 || !cells[column][0]) {
        return NULL;
    }
    return config_strdup(p->config, cells[column], strlen(cells[column]));
}

static int add_network(struct parse *p, const struct indicator *row) {
    uint8_t ip[16];
    unsigned prefix;
    bool has_length = strchr(row->text, '/') != NULL;
    if (has_length != (row->kind == KIND_SUBNET) || ip_parse_network(row->text, strlen(row->text), ip, &prefix) < 0 ||
        (!has_length && prefix != 128)) {
        return -EINVAL;
    }
    /* An address and a network of the same length are kept apart by their order: the first stays. */
    return ipmap_add(p->intel->addresses, ip, prefix, (const void *)(uintptr_t)p->intel->count);
}

static void read_row(struct parse *p, char *line) {
    char *cells[COLUMNS_MAX];
    int count = 0;
    for (char *rest = line; rest && count < COLUMNS_MAX;) {
        cells[count++] = strsep(&rest, "\t");
    }
    const char *type = cell_text(p, cells, count, p->at.type);
    int kind = type ? find_kind(type) : -1;
    struct indicator *row = add_row(p->intel);
    if (!row) {
        return;
    }
    row->kind = (uint8_t)(kind < 0 ? 0 : kind);
    row->text = cell_text(p, cells, count, p->at.indicator);
    row->source = cell_text(p, cells, count, p->at.source);
    row->desc = cell_text(p, cells, count, p->at.desc);
    row->url = cell_text(p, cells, count, p->at.url);
    char problem[200];
    if (kind < 0 || !row->text) {
        (void)snprintf(problem, sizeof(problem), "indicator type \"%.60s\" is not known; the line is left out",
                       type ? type : "");
    } else if (kind == KIND_ADDR || kind == KIND_SUBNET) {
        int code = add_network(p, row);
        if (code != -EINVAL) {
            return;
        }
        (void)snprintf(problem, sizeof(problem), "\"%.60s\" is no %s; the line is left out", row->text,
                       kind == KIND_ADDR ? "address" : "network");
    } else {
        return;
    }
    p->intel->count--;
    report_problem(p->report, p->file, p->line, problem, NULL);
}

static void read_file(struct parse *p, const char *path) {
    p->file = path;
    p->at = (struct columns){0, 1, 2, 3, 4};
    FILE *f = fopen(path, "re");
    if (!f) {
        report_problem(p->report, path, 0, "the file cannot be read", "check zeekIntelFiles");
        return;
    }
    char *line = NULL;
    size_t size = 0;
    for (p->line = 1; getline(&line, &size, f) > 0; p->line++) {
        line[strcspn(line, "\r\n")] = 0;
        if (strncmp(line, "#fields", 7) == 0) {
            read_header(p, line);
        } else if (line[0] && line[0] != '#') {
            read_row(p, line);
        }
    }
    free(line);
    (void)fclose(f);
}

struct intel *intel_new(const struct enrich_settings *s, struct config *c, struct registry *r,
                        const struct reporter *report) {
    struct intel *i = calloc(1, sizeof(*i));
    struct err e = {0};
    if (!i || !(i->addresses = ipmap_new()) ||
        registry_add(r, "zeekintel", intel_fields, ARRAY_LEN(intel_fields), &i->base, &e) < 0) {
        return intel_free(i);
    }
    i->tag = s->intel_tag;
    struct parse p = {.intel = i, .config = c, .report = report};
    for (size_t k = 0; k < s->intel_files.count; k++) {
        read_file(&p, config_path(c, s->intel_files.items[k]));
    }
    return i;
}

static bool has_category(const struct field_def *def, const char *category) {
    size_t len = strlen(category);
    for (const char *at = def->category; at && *at;) {
        size_t n = strcspn(at, ",");
        if (n == len && strncmp(at, category, len) == 0) {
            return true;
        }
        at += n + (at[n] == ',');
    }
    return false;
}

static uint8_t kinds_of(const struct field *f) {
    static const struct {
        const char *category;
        uint8_t kind;
    } rules[] = {{"host", KIND_DOMAIN},
                 {"url", KIND_URL},
                 {"user", KIND_EMAIL},
                 {"md5", KIND_FILE_HASH},
                 {"sha256", KIND_FILE_HASH}};
    if (f->type == FT_IP) {
        return 1u << KIND_ADDR | 1u << KIND_SUBNET;
    }
    uint8_t bits = 0;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        /* A URL holds a host but is not one. */
        bool both = rules[i].kind == KIND_DOMAIN && has_category(f->def, "url");
        if (!both && has_category(f->def, rules[i].category)) {
            bits |= (uint8_t)(1u << rules[i].kind);
        }
    }
    return bits;
}

int intel_bind(struct intel *i, const struct registry *r) {
    i->kinds = calloc(registry_count(r) + 1, 1);
    for (i->mask = 15; i->mask < i->count * 2; i->mask = i->mask * 2 + 1) {
    }
    i->buckets = calloc(i->mask + 1, sizeof(*i->buckets));
    if (!i->kinds || !i->buckets) {
        return -ENOMEM;
    }
    for (uint16_t id = 0; id < registry_count(r); id++) {
        const struct field *f = registry_field(r, id);
        i->kinds[id] = f->flags & (F_COMPUTED | F_VIRTUAL) ? 0 : kinds_of(f);
    }
    for (size_t n = i->count; n-- > 0;) {
        struct indicator *row = &i->rows[n];
        if (row->kind != KIND_ADDR && row->kind != KIND_SUBNET) {
            uint32_t *head = &i->buckets[text_hash((enum kind)row->kind, span_text(row->text)) & i->mask];
            row->next = *head;
            *head = (uint32_t)n + 1;
        }
    }
    return 0;
}

struct intel *intel_free(struct intel *i) {
    if (i) {
        ipmap_free(i->addresses);
        free(i->rows);
        free(i->buckets);
        free(i->kinds);
        free(i);
    }
    return NULL;
}

/* --- matching --- */

#define HITS_MAX 256

struct hit {
    const struct indicator *row;
    const char *where;
};

struct hits {
    struct hit list[HITS_MAX];
    size_t count;
};

static void add_hit(struct hits *h, const struct indicator *row, const char *where) {
    for (size_t i = 0; i < h->count; i++) {
        if (h->list[i].row == row && h->list[i].where == where) {
            return;
        }
    }
    if (h->count < HITS_MAX) {
        h->list[h->count++] = (struct hit){row, where};
    }
}

static void match_ip(const struct intel *i, const uint8_t ip[16], const char *where, struct hits *h) {
    const void *found[16];
    size_t n = ipmap_find_all(i->addresses, ip, found, ARRAY_LEN(found));
    for (size_t k = 0; k < n; k++) {
        add_hit(h, &i->rows[(uintptr_t)found[k] - 1], where);
    }
}

static void match_text(const struct intel *i, uint8_t kinds, struct span text, const char *where, struct hits *h) {
    for (unsigned kind = KIND_DOMAIN; kind < KINDS; kind++) {
        if (!(kinds & 1u << kind)) {
            continue;
        }
        for (uint32_t at = i->buckets[text_hash((enum kind)kind, text) & i->mask]; at; at = i->rows[at - 1].next) {
            const struct indicator *row = &i->rows[at - 1];
            if (row->kind == kind && span_equal_fold(span_text(row->text), text)) {
                add_hit(h, row, where);
            }
        }
    }
}

struct matching {
    const struct intel *intel;
    struct hits *hits;
};

static void match_value(void *ctx, const struct field *f, struct span bytes) {
    struct matching *m = ctx;
    const char *where = f->def->name ? f->def->name : f->def->path;
    if (f->type == FT_IP) {
        match_ip(m->intel, bytes.at, where, m->hits);
    } else {
        match_text(m->intel, m->intel->kinds[f->id], bytes, where, m->hits);
    }
}

static void put_hit(const struct intel *i, struct record *rec, const struct field *fields, const struct hit *hit) {
    const struct indicator *row = hit->row;
    const struct {
        const char *text;
        unsigned field;
    } members[] = {{row->text, INDICATOR}, {kind_names[row->kind], INDICATOR_TYPE},
                   {hit->where, WHERE},    {row->source, SOURCE},
                   {row->desc, DESC},      {row->url, URL}};
    struct object o = cells_object(&rec->cells, &fields[i->base + INTEL], 0, NULL);
    for (size_t m = 0; m < ARRAY_LEN(members); m++) {
        if (members[m].text) {
            cells_object_const(&rec->cells, o, &fields[i->base + members[m].field], members[m].text);
        }
    }
}

void intel_apply(const struct intel *i, struct record *rec, const struct field *fields) {
    if (i->count == 0) {
        return;
    }
    struct hits hits = {.count = 0};
    if (rec->has_ip) {
        match_ip(i, rec->ip[SIDE_SRC], "ip.src", &hits);
        match_ip(i, rec->ip[SIDE_DST], "ip.dst", &hits);
    }
    struct matching m = {i, &hits};
    values_each(rec, fields, i->kinds, match_value, &m);
    for (size_t k = 0; k < hits.count; k++) {
        put_hit(i, rec, fields, &hits.list[k]);
    }
    if (hits.count && i->tag[0]) {
        (void)cells_put_const(&rec->cells, &fields[CORE_TAGS], i->tag);
    }
}
