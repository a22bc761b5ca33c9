/* enrich.c: the stages of local knowledge in their order: file names, overrides, then intelligence, which sees what the
 * others put. */
#include "enrich/enrich.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "config/parse.h"
#include "enrich/parts.h"

const struct setting enrich_setting_table[] = {
    {.name = "overrideIpsFiles",
     .type = ST_LIST,
     .offset = SETTING(enrich_settings, override_files),
     .fallback = "",
     .help = "Files of network=tag:...;asn:...;country:... lines, as in the section [override-ips]"},
    {.name = "geoLite2Country",
     .type = ST_LIST,
     .offset = SETTING(enrich_settings, country_files),
     .fallback = "/var/lib/GeoIP/GeoLite2-Country.mmdb;/usr/share/GeoIP/GeoLite2-Country.mmdb;"
                 "/etc/GeoLite2-Country.mmdb",
     .help = "MaxMind databases of countries (or of cities, which know regions too): the first that exists is used"},
    {.name = "geoLite2ASN",
     .type = ST_LIST,
     .offset = SETTING(enrich_settings, as_files),
     .fallback = "/var/lib/GeoIP/GeoLite2-ASN.mmdb;/usr/share/GeoIP/GeoLite2-ASN.mmdb;/etc/GeoLite2-ASN.mmdb",
     .help = "MaxMind databases of autonomous systems: the first that exists is used"},
    {.name = "rirFile",
     .type = ST_TEXT,
     .offset = SETTING(enrich_settings, rir_file),
     .fallback = "",
     .help = "IANA's ipv4-address-space.csv: which registry each network belongs to; empty: as IANA had it in 2024, "
             "without networks for special purposes"},
    {.name = "ouiFile",
     .type = ST_LIST,
     .offset = SETTING(enrich_settings, oui_files),
     .fallback = "/usr/share/ieee-data/oui.csv;/usr/share/ieee-data/mam.csv;/usr/share/ieee-data/oui36.csv",
     .help = "Makers of network interfaces by the beginning of their addresses: IEEE's registries as CSV (Debian's "
             "package ieee-data) or Wireshark's manuf"},
    {.name = "zeekIntelFiles",
     .type = ST_LIST,
     .offset = SETTING(enrich_settings, intel_files),
     .fallback = "",
     .help = "Zeek intelligence files (tab-separated, with #fields) whose indicators sessions are matched with"},
    {.name = "zeekIntelTag",
     .type = ST_TEXT,
     .offset = SETTING(enrich_settings, intel_tag),
     .fallback = "zeek:intel",
     .help = "Tag of sessions that match an indicator; empty: none"},
    {.name = "filenameOps",
     .type = ST_LIST,
     .offset = SETTING(enrich_settings, filename_ops),
     .fallback = "",
     .help = "field=regex%value;...: sets fields of sessions from capture files whose name matches; \\1 is the first "
             "group"},
};
const size_t enrich_setting_count = ARRAY_LEN(enrich_setting_table);

struct enrich {
    struct overrides *overrides;
    struct databases *databases;
    struct makers *makers;
    struct tagger *tagger;
    struct intel *intel;
    struct filename_ops *names;
    const struct field *fields;
    uint16_t ends[2]; /* fields of the addresses of both ends */
};

void report_problem(const struct reporter *r, const char *file, int line, const char *text, const char *hint) {
    struct err e = {.line = line};
    (void)err_set(&e, -EINVAL, "%s", text);
    if (hint) {
        err_hint(&e, "%s", hint);
    }
    if (r->fn) {
        r->fn(r->ctx, file, &e, false);
    }
}

uint16_t field_find(const struct registry *r, const char *name) {
    for (size_t i = 0; i < registry_count(r); i++) {
        const struct field_def *def = registry_field(r, (uint16_t)i)->def;
        if ((def->name && strcmp(def->name, name) == 0) || strcmp(def->path, name) == 0) {
            return (uint16_t)i;
        }
    }
    return FIELD_NONE;
}

bool field_writable(const struct registry *r, uint16_t id) {
    const struct field *f = registry_field(r, id);
    if (!f || (f->flags & (F_COMPUTED | F_VIRTUAL)) || f->type == FT_OBJECT || f->type == FT_UNION) {
        return false;
    }
    for (size_t i = 0; i < registry_count(r); i++) {
        const struct field *o = registry_field(r, (uint16_t)i);
        size_t len = strlen(o->def->path);
        if (o->type == FT_OBJECT && strncmp(f->def->path, o->def->path, len) == 0 && f->def->path[len] == '.') {
            return false;
        }
    }
    return true;
}

int field_target_find(struct config *c, const struct registry *r, const char *name, struct field_target *ret) {
    uint16_t id = field_find(r, name);
    if (!field_writable(r, id)) {
        return -ENOENT;
    }
    *ret = (struct field_target){id, custom_remap_read(c, r, id)};
    return 0;
}

int field_op_to(struct config *c, const struct field_target *to, struct span value, struct field_op **ret) {
    struct field_op *op = config_alloc(c, sizeof(*op));
    char *copy = config_strdup(c, (const char *)value.at, value.len);
    if (!op || !copy) {
        return -ENOMEM;
    }
    *op = (struct field_op){.field = to->field, .value = span_make(copy, value.len), .remap = to->remap};
    *ret = op;
    return 0;
}

int field_op_make(struct config *c, const struct registry *r, const char *name, struct span value,
                  struct field_op **ret) {
    struct field_target to;
    int code = field_target_find(c, r, name, &to);
    return code < 0 ? code : field_op_to(c, &to, value, ret);
}

void field_op_put(const struct field *fields, struct cells *cells, const struct field_op *op, struct span value,
                  uint16_t matched) {
    const struct field *f = &fields[op->field];
    for (const struct field_remap *m = matched == FIELD_NONE ? NULL : op->remap; m; m = m->next) {
        f = m->matched == matched ? &fields[m->to] : f;
    }
    uint64_t number;
    uint8_t ip[16];
    unsigned prefix;
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
    case FT_I64:
        if (span_decimal(value, INT64_MAX, &number)) {
            (void)cells_put_u64(cells, f, number);
        }
        break;
    case FT_IP:
        if (ip_parse_network((const char *)value.at, value.len, ip, &prefix) == 0) {
            (void)cells_put_ip(cells, f, ip);
        }
        break;
    case FT_KEYWORD:
    case FT_LOWER:
    case FT_UPPER:
    case FT_TEXT:
        (void)cells_put_text(cells, f, value);
        break;
    default:
        break;
    }
}

static void values_of(const struct record *rec, const struct field *fields, const uint8_t *wanted,
                      const struct cell *cell, wanted_fn each, void *ctx) {
    for (; cell; cell = cells_next(&rec->cells, cell)) {
        const struct field *f = &fields[cell->field];
        if (f->type == FT_OBJECT) {
            values_of(rec, fields, wanted, cells_object_first(&rec->cells, cell), each, ctx);
        } else if (wanted[f->id]) {
            each(ctx, f, cell_value(cell, f).bytes);
        }
    }
}

void values_each(const struct record *rec, const struct field *fields, const uint8_t *wanted, wanted_fn each,
                 void *ctx) {
    size_t count;
    const struct cell_head *heads = cells_heads(&rec->cells, &count);
    for (size_t k = 0; k < count; k++) {
        values_of(rec, fields, wanted, cells_first(&rec->cells, &heads[k]), each, ctx);
    }
}

struct enrich *enrich_new(const struct enrich_settings *settings, struct config *config, struct registry *registry,
                          config_report_fn report, void *ctx) {
    struct reporter reporter = {report, ctx};
    struct enrich *e = calloc(1, sizeof(*e));
    if (!e) {
        return NULL;
    }
    custom_fields_read(config, registry, &reporter);
    custom_remaps_check(config, registry, &reporter);
    /* First the files that may make fields, then those that put values into them. */
    e->tagger = tagger_new(config, registry, &reporter);
    e->overrides = overrides_new(settings, config, registry, &reporter);
    e->databases = databases_new(settings, config, &reporter);
    e->makers = makers_new(settings, config, &reporter);
    e->intel = intel_new(settings, config, registry, &reporter);
    e->names = filename_ops_new(settings, config, registry, &reporter);
    return e->tagger && e->overrides && e->databases && e->makers && e->intel && e->names ? e : enrich_free(e);
}

int enrich_bind(struct enrich *e, const struct registry *registry, struct err *ret_err) {
    e->fields = registry_fields(registry);
    e->ends[SIDE_SRC] = registry_by_name(registry, span_text("ip.src"));
    e->ends[SIDE_DST] = registry_by_name(registry, span_text("ip.dst"));
    int code = intel_bind(e->intel, registry);
    code = code < 0 ? code : makers_bind(e->makers, registry);
    code = code < 0 ? code : tagger_bind(e->tagger, registry);
    return code < 0 ? err_set(ret_err, code, "no memory for intelligence") : 0;
}

struct enrich *enrich_free(struct enrich *e) {
    if (e) {
        overrides_free(e->overrides);
        databases_free(e->databases);
        makers_free(e->makers);
        tagger_free(e->tagger);
        intel_free(e->intel);
        filename_ops_free(e->names);
        free(e);
    }
    return NULL;
}

void enrich_record(const struct enrich *e, struct record *r, const char *file) {
    if (file) {
        filename_ops_apply(e->names, r, e->fields, file);
    }
    addresses_apply(e->overrides, e->databases, e->ends, r, e->fields);
    makers_apply(e->makers, r, e->fields);
    tagger_apply(e->tagger, e->ends, r, e->fields);
    intel_apply(e->intel, r, e->fields);
}
