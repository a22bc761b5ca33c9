/* overrides.c: [override-ips]: what the user knows of networks: tags, AS, country, region, city, registry, any field.
 *
 * Every address of a session is looked up: its two ends, and those in address lists (DNS answers, X-Forwarded-For,
 * ...). For the ends the place goes to source.* and destination.*; for lists to the GEO, ASN and RIR companions.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "enrich/parts.h"
#include "record/core_fields.h"

struct override {
    const char *country, *region, *city, *rir, *as_full, *as_name;
    uint64_t as_number;
    struct field_op *ops; /* tags and others */
};

struct overrides {
    struct ipmap *map;
    struct override *rows;
    size_t count, cap;
};

struct parse {
    struct overrides *o;
    struct config *config;
    const struct registry *registry;
    const struct reporter *report;
    const char *file;
};

/* "AS123 Name" without leading zeros, and its parts. */
static int set_as(struct config *c, struct override *row, const char *text) {
    char *end;
    const char *digits = strncasecmp(text, "AS", 2) == 0 ? text + 2 : text;
    unsigned long number = strtoul(digits, &end, 10);
    if (end == digits || number > UINT32_MAX) {
        return -EINVAL;
    }
    while (*end == ' ') {
        end++;
    }
    char full[512];
    int n = snprintf(full, sizeof(full), "AS%lu %s", number, end);
    row->as_number = number;
    row->as_name = config_strdup(c, end, strlen(end));
    row->as_full = config_strdup(c, full, MIN((size_t)n, sizeof(full) - 1));
    return row->as_full && row->as_name ? 0 : -ENOMEM;
}

static int set_item(const struct parse *p, struct override *row, const char *key, const char *value) {
    const struct {
        const char *key;
        const char **to;
    } places[] = {{"country", &row->country}, {"region", &row->region}, {"city", &row->city}, {"rir", &row->rir}};
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (strcasecmp(key, places[i].key) == 0) {
            *places[i].to = config_strdup(p->config, value, strlen(value));
            return *places[i].to ? 0 : -ENOMEM;
        }
    }
    if (strcasecmp(key, "asn") == 0) {
        return set_as(p->config, row, value);
    }
    struct field_op *op;
    int code = field_op_make(p->config, p->registry, strcasecmp(key, "tag") == 0 ? "tags" : key, span_text(value), &op);
    if (code == 0) {
        op->next = row->ops;
        row->ops = op;
    }
    return code;
}

static struct override *add_row(struct overrides *o) {
    if (o->count == o->cap) {
        size_t cap = o->cap ? o->cap * 2 : 64;
        struct override *rows = reallocarray(o->rows, cap, sizeof(*rows));
        if (!rows) {
            return NULL;
        }
        o->rows = rows;
        o->cap = cap;
    }
    o->rows[o->count] = (struct override){0};
    return &o->rows[o->count++];
}

/* Without blanks at both ends; in place. */
static char *trim(char *text) {
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len && strchr(" \t", text[len - 1])) {
        len--;
    }
    text[len] = 0;
    return text;
}

static void parse_row(const struct parse *p, const char *network, const char *values, int line) {
    char text[300];
    uint8_t ip[16];
    unsigned prefix;
    if (ip_parse_network(network, strlen(network), ip, &prefix) < 0) {
        (void)snprintf(text, sizeof(text), "\"%.60s\" is no network; the line is left out", network);
        report_problem(p->report, p->file, line, text, "write 10.0.0.1, 10.1/16 or 2001:db8::/32");
        return;
    }
    struct override *row = add_row(p->o);
    char *copy = row ? config_strdup(p->config, values, strlen(values)) : NULL;
    char *rest = copy;
    for (char *item; rest && (item = strsep(&rest, ";"));) {
        item = trim(item);
        char *colon = strchr(item, ':');
        if (!*item) {
            continue;
        }
        if (colon) {
            *colon = 0;
            item = trim(item);
        }
        if (!colon || set_item(p, row, item, trim(colon + 1)) < 0) {
            (void)snprintf(text, sizeof(text), "\"%.60s\" of network %.60s is not possible; it is left out", item,
                           network);
            report_problem(p->report, p->file, line, text,
                           "write tag:, asn:, country:, region:, city:, rir: or a field's name");
        }
    }
    /* The index, not the pointer: rows move while they are read. */
    if (row && ipmap_add(p->o->map, ip, prefix, (const void *)(uintptr_t)p->o->count) == -EEXIST) {
        (void)snprintf(text, sizeof(text), "network %.60s is there twice; the first stays", network);
        report_problem(p->report, p->file, line, text, NULL);
    }
}

static void read_file(struct parse *p, const char *path) {
    p->file = path;
    FILE *f = fopen(path, "re");
    if (!f) {
        report_problem(p->report, path, 0, "the file cannot be read", "check overrideIpsFiles");
        return;
    }
    char *line = NULL;
    size_t size = 0;
    for (int number = 1; getline(&line, &size, f) > 0; number++) {
        line[strcspn(line, "\r\n")] = 0;
        char *equals = strchr(line, '=');
        if (line[0] && line[0] != '#' && line[0] != ';' && line[0] != '[' && equals) {
            *equals = 0;
            parse_row(p, line, equals + 1, number);
        }
    }
    free(line);
    (void)fclose(f);
}

struct overrides *overrides_new(const struct enrich_settings *s, struct config *c, const struct registry *r,
                                const struct reporter *report) {
    struct overrides *o = calloc(1, sizeof(*o));
    if (!o || !(o->map = ipmap_new())) {
        return overrides_free(o);
    }
    struct parse p = {o, c, r, report, NULL};
    size_t count;
    const struct config_entry *rows = config_section(c, "override-ips", &count);
    for (size_t i = 0; i < count; i++) {
        parse_row(&p, rows[i].key, rows[i].value, rows[i].line);
    }
    for (size_t i = 0; i < s->override_files.count; i++) {
        read_file(&p, config_path(c, s->override_files.items[i]));
    }
    return o;
}

struct overrides *overrides_free(struct overrides *o) {
    if (o) {
        ipmap_free(o->map);
        free(o->rows);
        free(o);
    }
    return NULL;
}

size_t overrides_count(const struct overrides *o) {
    return o->count;
}

static const struct override *look_up(const struct overrides *o, const uint8_t ip[16]) {
    uintptr_t index = (uintptr_t)ipmap_find(o->map, ip);
    return index ? &o->rows[index - 1] : NULL;
}

static void put(struct record *rec, const struct field *f, const char *text) {
    if (text) {
        (void)cells_put_text(&rec->cells, f, span_text(text));
    }
}

static void put_ops(struct record *rec, const struct field *fields, const struct override *row) {
    for (const struct field_op *op = row->ops; op; op = op->next) {
        field_op_put(fields, &rec->cells, op, op->value);
    }
}

static void apply_end(const struct overrides *o, struct record *rec, const struct field *fields, unsigned side) {
    const struct override *row = look_up(o, rec->ip[side]);
    if (!row) {
        return;
    }
    put(rec, &fields[CORE_SRC_COUNTRY + side], row->country);
    put(rec, &fields[CORE_SRC_REGION + side], row->region);
    put(rec, &fields[CORE_SRC_CITY + side], row->city);
    put(rec, &fields[CORE_SRC_RIR + side], row->rir);
    if (row->as_full) {
        put(rec, &fields[CORE_SRC_AS_FULL + side], row->as_full);
        put(rec, &fields[CORE_SRC_AS_NAME + side], row->as_name);
        (void)cells_put_u64(&rec->cells, &fields[CORE_SRC_AS_NUMBER + side], row->as_number);
    }
    put_ops(rec, fields, row);
}

#define LIST_MAX 512

struct address {
    uint16_t field;
    uint8_t ip[16];
};

/* The addresses of a chain of cells: of one list, or of all lists of an object. */
static size_t addresses_copy(const struct record *rec, const struct field *fields, const struct cell *first,
                             struct address *ret) {
    size_t n = 0;
    for (const struct cell *c = first; c && n < LIST_MAX; c = cells_next(&rec->cells, c)) {
        if (fields[c->field].type == FT_IP) {
            ret[n].field = c->field;
            memcpy(ret[n++].ip, cell_value(c, &fields[c->field]).bytes.at, 16);
        }
    }
    return n;
}

/* `text`: NULL when it is not known; `unknown` keeps its place in a list. */
static void put_companion(struct record *rec, struct object in, const struct field *f, const char *text,
                          const char *unknown) {
    if (!text && (f->flags & F_SINGLE)) {
        return;
    }
    text = text ? text : unknown;
    if (in.at) {
        cells_object_text(&rec->cells, in, f, span_text(text));
    } else {
        put(rec, f, text);
    }
}

/* Companions of one list, when any of its addresses is known: as many as there are addresses, in their order. */
static void apply_list(const struct overrides *o, struct record *rec, const struct field *fields, struct object in,
                       const struct address *list, size_t n) {
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        any |= look_up(o, list[i].ip) != NULL;
    }
    uint16_t companion = fields[list[0].field].companion;
    for (size_t i = 0; i < n && any; i++) {
        const struct override *row = look_up(o, list[i].ip);
        if (companion != FIELD_NONE) {
            put_companion(rec, in, &fields[companion], row ? row->country : NULL, "---");
            put_companion(rec, in, &fields[companion + 1], row ? row->as_full : NULL, "---");
            put_companion(rec, in, &fields[companion + 2], row ? row->rir : NULL, "");
        }
        if (row) {
            put_ops(rec, fields, row);
        }
    }
}

/* The addresses are copied first: putting companions moves the cells. */
static void apply_chain(const struct overrides *o, struct record *rec, const struct field *fields, struct object in,
                        const struct cell *first) {
    struct address list[LIST_MAX];
    size_t n = addresses_copy(rec, fields, first, list);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && list[end].field == list[i].field;) {
            end++;
        }
        apply_list(o, rec, fields, in, list + i, end - i);
    }
}

static const struct cell_head *head_of(const struct record *rec, uint16_t field) {
    size_t count;
    const struct cell_head *heads = cells_heads(&rec->cells, &count);
    for (size_t i = 0; i < count; i++) {
        if (heads[i].field == field) {
            return &heads[i];
        }
    }
    return NULL;
}

/* Each element of a list of objects: found by its offset, which stays when cells move. */
static void apply_objects(const struct overrides *o, struct record *rec, const struct field *fields, uint16_t field) {
    struct object in = {head_of(rec, field)->first, field};
    while (in.at) {
        const struct cell *object = (const struct cell *)(const void *)(rec->cells.base + in.at);
        apply_chain(o, rec, fields, in, cells_object_first(&rec->cells, object));
        object = (const struct cell *)(const void *)(rec->cells.base + in.at);
        in.at = object->next;
    }
}

void overrides_apply(const struct overrides *o, struct record *rec, const struct field *fields) {
    if (ipmap_count(o->map) == 0) {
        return;
    }
    if (rec->has_ip) {
        apply_end(o, rec, fields, SIDE_SRC);
        apply_end(o, rec, fields, SIDE_DST);
    }
    uint16_t lists[64];
    size_t n = 0, count;
    const struct cell_head *heads = cells_heads(&rec->cells, &count);
    for (size_t i = 0; i < count && n < ARRAY_LEN(lists); i++) {
        if (fields[heads[i].field].type == FT_IP || fields[heads[i].field].type == FT_OBJECT) {
            lists[n++] = heads[i].field;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (fields[lists[i]].type == FT_OBJECT) {
            apply_objects(o, rec, fields, lists[i]);
        } else {
            apply_chain(o, rec, fields, (struct object){0, 0}, cells_first(&rec->cells, head_of(rec, lists[i])));
        }
    }
}
