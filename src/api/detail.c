/* detail.c: all there is about one session, as people read it: groups of fields with titles, lists of objects apart. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/one.h"
#include "api/queries.h"
#include "base/util.h"
#include "record/document.h"
#include "record/values.h"

#define VALUES_SHOWN 1000
#define GROUPS_MAX 64
#define ITEMS_SHOWN 500

struct group_of {
    const char *name; /* "general", "addresses", or the protocol whose fields they are */
    char title[40];
};

struct detail {
    struct one one;
    struct json j;
    struct group_of groups[GROUPS_MAX];
    size_t group_count;
    const struct field *field; /* at hand */
    uint64_t values;
    struct buf texts; /* how the values are shown, as JSON, when that differs */
    bool texts_comma;
};

/* --- groups --- */

static bool is_address(const char *path) {
    static const char *const heads[] = {"source.",  "destination.", "client.", "server.", "srcOuter",
                                        "dstOuter", "srcRIR",       "dstRIR",  "srcMac",  "dstMac",
                                        "srcTTL",   "dstTTL",       "srcDscp", "dstDscp", "network.vlan"};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        if (strncmp(path, heads[i], strlen(heads[i])) == 0) {
            return true;
        }
    }
    return false;
}

static const char *group_name(const struct field *f) {
    bool core = !f->owner || strcmp(f->owner, "general") == 0;
    return !core ? f->owner : is_address(f->def->path) ? "addresses" : "general";
}

static void title_set(struct group_of *g) {
    static const struct {
        const char *name, *title;
    } titles[] = {{"general", "General"}, {"addresses", "Addresses"}, {"cert", "Certificates"},
                  {"email", "Mail"},      {"websocket", "WebSocket"}, {"enrich", "Enrichment"}};
    for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
        if (strcmp(g->name, titles[i].name) == 0) {
            (void)snprintf(g->title, sizeof(g->title), "%s", titles[i].title);
            return;
        }
    }
    size_t n = 0;
    for (; g->name[n] && n + 1 < sizeof(g->title); n++) {
        char c = g->name[n];
        g->title[n] = (char)(c >= 'a' && c <= 'z' ? c - 32 : c);
    }
    g->title[n] = 0;
}

static bool is_there(void *ctx, const struct field *f, const struct value *v) {
    (void)f;
    (void)v;
    *(bool *)ctx = true;
    return false;
}

static bool is_shown(const struct detail *d, const struct field *f) {
    bool there = false;
    if ((f->flags & (F_VIRTUAL | F_NODB)) || f->parent != FIELD_NONE || f->type == FT_UNION ||
        !ask_may_see(&d->one.ask, f) || strcmp(f->def->path, "packetPos") == 0 ||
        strcmp(f->def->path, "packetLen") == 0) {
        return false;
    }
    if (f->type == FT_OBJECT) {
        return record_head(d->one.record, f) != NULL;
    }
    record_values(d->one.record, f, is_there, &there);
    return there;
}

static void find_groups(struct detail *d) {
    const struct registry *r = d->one.ask.registry;
    static const char *const first[] = {"general", "addresses"};
    for (size_t i = 0; i < ARRAY_LEN(first); i++) {
        d->groups[d->group_count++] = (struct group_of){.name = first[i]};
    }
    for (size_t i = 0; i < registry_count(r); i++) {
        const struct field *f = registry_field(r, registry_order(r)[i]);
        const char *name = group_name(f);
        bool known = false;
        for (size_t k = 0; k < d->group_count; k++) {
            known |= strcmp(d->groups[k].name, name) == 0;
        }
        if (!known && d->group_count < GROUPS_MAX && is_shown(d, f)) {
            d->groups[d->group_count++] = (struct group_of){.name = name};
        }
    }
    for (size_t k = 0; k < d->group_count; k++) {
        title_set(&d->groups[k]);
    }
}

/* --- fields --- */

static void write_text_member(struct json *j, const char *key, const char *text) {
    if (text) {
        json_key(j, key);
        json_cstr(j, text);
    }
}

static const char *type_name(const struct field *f) {
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_I64:
        return "integer";
    case FT_FLOAT:
        return "float";
    case FT_TIME:
        return "time";
    case FT_BOOL:
        return "bool";
    case FT_IP:
        return "ip";
    case FT_MAC:
        return "mac";
    default:
        return "text";
    }
}

static const char *hint_name(const struct field *f) {
    return f->flags & F_PORT                                                             ? "port"
           : f->flags & F_BYTES                                                          ? "bytes"
           : f->flags & F_SECONDS                                                        ? "seconds"
           : strcmp(f->def->path, "length") == 0 || strcmp(f->def->path, "initRTT") == 0 ? "ms"
                                                                                         : NULL;
}

static void field_head(struct json *j, const struct field *f) {
    json_key(j, "path");
    json_cstr(j, f->def->path);
    write_text_member(j, "exp", f->def->name);
    json_key(j, "title");
    json_cstr(j, f->def->title ? f->def->title : f->def->path);
    write_text_member(j, "help", f->def->help);
    json_key(j, "type");
    json_cstr(j, type_name(f));
    write_text_member(j, "hint", hint_name(f));
    write_text_member(j, "category", f->def->category);
}

/* How a value is shown when not as it is; NULL: as it is. */
static const char *shown_as(const struct detail *d, const struct field *f, const struct value *v, char room[24]) {
    if (strcmp(f->def->path, "ipProtocol") == 0) {
        return ip_protocol_text(v->u64, room);
    }
    if (strcmp(f->def->path, "fileId") == 0) {
        return file_names_get(d->one.files, (uint32_t)v->u64);
    }
    return NULL;
}

static bool write_value(void *ctx, const struct field *f, const struct value *v) {
    struct detail *d = ctx;
    char room[24];
    if (d->values++ >= VALUES_SHOWN) {
        return true;
    }
    document_write_value(&d->j, f, v);
    const char *text = shown_as(d, f, v, room);
    struct json texts = {&d->texts, d->texts_comma};
    if (text) {
        json_cstr(&texts, text);
        d->texts_comma = true;
    }
    return true;
}

static void write_field(struct detail *d, const struct field *f) {
    struct json *j = &d->j;
    json_open(j, '{');
    field_head(j, f);
    json_key(j, "values");
    json_open(j, '[');
    d->values = 0;
    d->texts_comma = false;
    buf_clear(&d->texts);
    record_values(d->one.record, f, write_value, d);
    json_close(j, ']');
    if (d->texts.len) {
        json_key(j, "texts");
        json_open(j, '[');
        json_raw(j, buf_span(&d->texts));
        json_close(j, ']');
    }
    if (d->values > VALUES_SHOWN) {
        json_key(j, "total");
        json_u64(j, d->values);
    }
    json_close(j, '}');
}

/* --- objects --- */

/* Members of one object; members that are objects again are written flat, behind the others. */
static void write_members(struct detail *d, const struct cell *cell, unsigned depth) {
    const struct cells *cells = &d->one.record->cells;
    struct json *j = &d->j;
    while (cell) {
        const struct field *f = registry_field(d->one.ask.registry, cell->field);
        if (f->type == FT_OBJECT) {
            if (depth < 4) {
                write_members(d, cells_object_first(cells, cell), depth + 1);
            }
            cell = cells_next(cells, cell);
            continue;
        }
        json_open(j, '{');
        field_head(j, f);
        json_key(j, "values");
        json_open(j, '[');
        do {
            struct value v;
            cell_read(cell, f, &v);
            document_write_value(j, f, &v);
            cell = cells_next(cells, cell);
        } while (cell && cell->field == f->id);
        json_close(j, ']');
        json_close(j, '}');
    }
}

static void write_objects(struct detail *d, const struct field *f) {
    struct json *j = &d->j;
    const struct cell_head *head = record_head(d->one.record, f);
    const struct cells *cells = &d->one.record->cells;
    uint64_t count = 0;
    json_open(j, '{');
    json_key(j, "path");
    json_cstr(j, f->def->path);
    json_key(j, "title");
    json_cstr(j, f->def->title ? f->def->title : f->def->path);
    json_key(j, "total");
    json_u64(j, head->count);
    json_key(j, "items");
    json_open(j, '[');
    for (const struct cell *c = cells_first(cells, head); c && count < ITEMS_SHOWN; c = cells_next(cells, c), count++) {
        json_open(j, '[');
        write_members(d, cells_object_first(cells, c), 0);
        json_close(j, ']');
    }
    json_close(j, ']');
    json_close(j, '}');
}

/* --- the answer --- */

static void write_group(struct detail *d, const struct group_of *g) {
    const struct registry *r = d->one.ask.registry;
    struct json *j = &d->j;
    json_open(j, '{');
    json_key(j, "name");
    json_cstr(j, g->name);
    json_key(j, "title");
    json_cstr(j, g->title);
    for (unsigned objects = 0; objects < 2; objects++) {
        json_key(j, objects ? "objects" : "fields");
        json_open(j, '[');
        for (size_t i = 0; i < registry_count(r); i++) {
            const struct field *f = registry_field(r, registry_order(r)[i]);
            if ((f->type == FT_OBJECT) != objects || strcmp(group_name(f), g->name) != 0 || !is_shown(d, f)) {
                continue;
            }
            if (objects) {
                write_objects(d, f);
            } else {
                write_field(d, f);
            }
        }
        json_close(j, ']');
    }
    json_close(j, '}');
}

static bool write_root(void *ctx, const struct field *f, const struct value *v) {
    struct detail *d = ctx;
    (void)f;
    json_key(&d->j, "rootId");
    json_text(&d->j, v->bytes);
    return false;
}

static void write_files(struct detail *d) {
    const struct record *r = d->one.record;
    uint32_t last = 0;
    json_key(&d->j, "files");
    json_open(&d->j, '[');
    for (uint32_t i = 0; i < r->position_count && (d->one.ask.call->who->rights & RIGHT_FILES); i++) {
        const char *name = r->positions[i].file != last ? file_names_get(d->one.files, r->positions[i].file) : NULL;
        last = r->positions[i].file;
        if (name) {
            json_cstr(&d->j, name);
        }
    }
    json_close(&d->j, ']');
}

static void detail_write(struct detail *d) {
    const struct record *r = d->one.record;
    const struct registry *registry = d->one.ask.registry;
    const struct field *root = registry_field(registry, registry_by_path(registry, SPAN_LITERAL("rootId")));
    find_groups(d);
    json_open(&d->j, '{');
    json_key(&d->j, "id");
    json_cstr(&d->j, r->name);
    json_key(&d->j, "node");
    json_cstr(&d->j, r->node);
    if (root) {
        record_values(r, root, write_root, d);
    }
    json_key(&d->j, "packets");
    json_u64(&d->j, r->position_count);
    write_files(d);
    json_key(&d->j, "groups");
    json_open(&d->j, '[');
    for (size_t i = 0; i < d->group_count; i++) {
        write_group(d, &d->groups[i]);
    }
    json_close(&d->j, ']');
    json_close(&d->j, '}');
}

static void detail(struct call *c) {
    struct detail d = {.group_count = 0};
    if (one_open(&d.one, c, c->parts[1], true) == 0) {
        buf_init(&d.texts, (size_t)1 << 20);
        d.j = call_json(c);
        detail_write(&d);
        buf_done(&d.texts);
    }
    one_close(&d.one);
}

static const struct parameter parameters[] = {{.name = NULL}};
static const struct endpoint endpoints[] = {
    {.pattern = "/api/session/:node/:id/detail",
     .flags = API_GET | API_HISTORY,
     .rights = RIGHT_ANY,
     .function = detail,
     .parameters = parameters,
     .title = "All about a session",
     .help =
         "`{id,node,rootId?,packets,files,groups:[{name,title,fields:[{path,exp?,title,help?,type,hint?,category?,"
         "values,texts?,total?}],objects:[{path,title,total,items:[[field,...]]}]}]}`; `texts` are values as they are "
         "shown. 404 `Session not found`."},
};
const struct endpoint_family detail_family = {"detail", endpoints, ARRAY_LEN(endpoints)};
