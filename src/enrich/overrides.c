/* overrides.c: [override-ips]: what the user knows of networks: tags, AS, country, region, city, registry, any field.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"
#include "enrich/parts.h"

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
    return ipmap_count(o->map);
}

bool overrides_find(const struct overrides *o, const uint8_t ip[16], struct place *ret) {
    uintptr_t index = (uintptr_t)ipmap_find(o->map, ip);
    if (!index) {
        return false;
    }
    const struct override *row = &o->rows[index - 1];
    ret->country = span_text(row->country);
    ret->region = span_text(row->region);
    ret->city = span_text(row->city);
    ret->rir = span_text(row->rir);
    ret->as_full = span_text(row->as_full);
    ret->as_name = span_text(row->as_name);
    ret->as_number = row->as_number;
    ret->ops = row->ops;
    return true;
}
