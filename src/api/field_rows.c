/* field_rows.c: see field_rows.h. */
#include "api/field_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/util.h"

static const char *const type_names[] = {
    [FT_U64] = "integer",       [FT_I64] = "integer",
    [FT_FLOAT] = "float",       [FT_TIME] = "date",
    [FT_BOOL] = "termfield",    [FT_KEYWORD] = "termfield",
    [FT_LOWER] = "lotermfield", [FT_UPPER] = "uptermfield",
    [FT_TEXT] = "textfield",    [FT_IP] = "ip",
    [FT_MAC] = "lotermfield",   [FT_OBJECT] = "termfield",
    [FT_UNION] = "termfield",
};

/* What a path says beyond its type: times of packets are compared in seconds; numbers that have names. */
static const struct {
    const char *path, *type, *transform;
    bool date;
} path_rules[] = {
    {"firstPacket", "seconds", NULL, true},
    {"lastPacket", "seconds", NULL, true},
    {"@timestamp", "seconds", NULL, true},
    {"ipProtocol", "lotermfield", "ipProtocolLookup", false},
};

/* What the expression box does to a value of a name before it asks. */
static const struct {
    const char *exp, *transform;
} exp_rules[] = {
    {"mac", "dash2Colon"},
    {"outermac", "dash2Colon"},
    {"http.uri", "removeProtocol"},
    {"payload8.src.utf8", "utf8ToHex"},
    {"payload8.dst.utf8", "utf8ToHex"},
};

/* Names of expressions that are no field: what they ask for is kept elsewhere. */
static const struct field_row specials[] = {
    {.exp = "file",
     .path = "fileand",
     .title = "Filename",
     .type = "fileand",
     .group = "general",
     .help = "Capture file with packets of the session"},
    {.exp = "view",
     .path = "viewand",
     .title = "View Name",
     .type = "viewand",
     .group = "general",
     .no_facet = true,
     .help = "Saved view the session fits"},
};

static struct field_row *row_add(struct field_rows *f) {
    if (f->count == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 512;
        struct field_row *more = reallocarray(f->list, cap, sizeof(struct field_row));
        if (!more) {
            return NULL;
        }
        f->list = more;
        f->cap = cap;
    }
    struct field_row *row = &f->list[f->count++];
    *row = (struct field_row){0};
    return row;
}

void field_rows_done(struct field_rows *f) {
    free(f->list);
    *f = (struct field_rows){0};
}

static bool ends_with(const char *text, const char *end) {
    size_t len = strlen(text), n = strlen(end);
    return len >= n && strcmp(text + len - n, end) == 0;
}

/* `ip.dns.country`, beside the address `ip.dns`, is called `country.dns` by people. */
static void exp_write(const struct field *f, char ret[FIELD_ROW_NAME]) {
    const char *name = f->def->name;
    const char *last = strrchr(name, '.');
    static const char *const companions[] = {"country", "asn", "rir"};
    for (size_t i = 0; i < ARRAY_LEN(companions) && last && strncmp(name, "ip.", 3) == 0 && last > name + 3; i++) {
        if (strcmp(last + 1, companions[i]) == 0) {
            (void)snprintf(ret, FIELD_ROW_NAME, "%s.%.*s", companions[i], (int)(last - name - 3), name + 3);
            return;
        }
    }
    (void)snprintf(ret, FIELD_ROW_NAME, "%s", name);
}

static const char *union_type(const struct registry *r, const struct field_def *d, int depth) {
    struct span first = span_make(d->members, strcspn(d->members, ","));
    const struct field *member = registry_field(r, registry_by_name(r, first));
    if (!member || depth > 4) {
        return "termfield";
    }
    return member->type == FT_UNION ? union_type(r, member->def, depth + 1) : type_names[member->type];
}

static void type_write(const struct registry *r, const struct field *f, struct field_row *row) {
    row->type = f->type == FT_UNION ? union_type(r, f->def, 0) : type_names[f->type];
    for (size_t i = 0; i < ARRAY_LEN(path_rules); i++) {
        if (strcmp(f->def->path, path_rules[i].path) == 0) {
            row->type = path_rules[i].type;
            row->transform = path_rules[i].transform;
            row->date = path_rules[i].date;
        }
    }
    if (f->type == FT_KEYWORD && (ends_with(f->def->path, "GEO") || ends_with(f->def->path, "RIR"))) {
        row->type = "uptermfield";
    }
    if (strncmp(row->exp, "host", 4) == 0 && strcmp(row->type, "lotermfield") == 0) {
        row->transform = "removeProtocolAndURI";
    } else if (f->type == FT_MAC) {
        row->transform = "dash2Colon";
    }
    for (size_t i = 0; i < ARRAY_LEN(exp_rules); i++) {
        if (strcmp(row->exp, exp_rules[i].exp) == 0) {
            row->transform = exp_rules[i].transform;
        }
    }
}

static void port_write(const struct registry *r, const struct field *f, struct field_row *row) {
    size_t len = strlen(f->def->path);
    if (f->type != FT_IP || len < 2 || len + 3 > FIELD_ROW_NAME || strcasecmp(f->def->path + len - 2, "ip") != 0) {
        return;
    }
    char path[FIELD_ROW_NAME];
    (void)snprintf(path, sizeof(path), "%.*s%s", (int)len - 2, f->def->path,
                   f->def->path[len - 2] == 'I' ? "Port" : "port");
    if (registry_by_path(r, span_text(path)) != FIELD_NONE) {
        memcpy(row->port, path, sizeof(path));
    }
}

/* The protocol. Fields that only the store knows belong to what their path begins with. */
static void group_write(const struct field *f, char ret[FIELD_ROW_GROUP]) {
    const char *path = f->def->path;
    size_t len = strcspn(path, ".");
    if (strcmp(f->owner, "store") == 0 && path[len]) {
        (void)snprintf(ret, FIELD_ROW_GROUP, "%.*s", (int)len, path);
    } else {
        (void)snprintf(ret, FIELD_ROW_GROUP, "%s", f->owner);
    }
}

static const char *unit_of(const struct field *f) {
    return f->flags & F_BYTES     ? "bytes"
           : f->flags & F_SECONDS ? "seconds"
           : f->flags & F_PORT    ? "port"
           : f->type == FT_TIME   ? "ms"
                                  : NULL;
}

static int add_own(const struct registry *r, const struct field *f, struct field_rows *rows) {
    struct field_row *row = row_add(rows);
    if (!row) {
        return -ENOMEM;
    }
    const struct field_def *d = f->def;
    exp_write(f, row->exp);
    (void)snprintf(row->path, sizeof(row->path), "%s", d->path);
    (void)snprintf(row->title, sizeof(row->title), "%s", d->title);
    group_write(f, row->group);
    row->help = d->help;
    row->category = d->category;
    row->aliases = d->aliases;
    row->members = d->members;
    row->unit = unit_of(f);
    row->single = (d->flags & F_SINGLE) != 0;
    row->email = strcmp(f->owner, "email") == 0;
    row->listed = true;
    type_write(r, f, row);
    port_write(r, f, row);
    return 0;
}

struct twin {
    uint32_t flags;
    const char *exp, *path, *title, *type, *help;
};

static const struct twin twins[] = {
    {F_COUNT | F_OBJECT_COUNT, ".cnt", "Cnt", " Cnt", "integer", "Number of values: "},
    {F_ECS_COUNT, ".cnt", "-cnt", " Cnt", "integer", "Number of values: "},
    {F_TOKENS, ".tokens", "Tokens", " Tokens", "lotextfield", "Words of: "},
};

static int add_twins(const struct registry *r, const struct field *f, struct field_rows *rows) {
    char exp[FIELD_ROW_NAME];
    exp_write(f, exp);
    for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
        const struct twin *t = &twins[i];
        struct field_row made = {.type = t->type, .help = f->def->help};
        group_write(f, made.group);
        int name = snprintf(made.exp, sizeof(made.exp), "%s%s", exp, t->exp);
        int path = snprintf(made.path, sizeof(made.path), "%s%s", f->def->path, t->path);
        int title = snprintf(made.title, sizeof(made.title), "%s%s", f->def->title, t->title);
        if (!(f->flags & t->flags) || MAX(name, MAX(path, title)) >= FIELD_ROW_NAME ||
            registry_by_name(r, span_text(made.exp)) != FIELD_NONE) {
            continue;
        }
        made.single = t->type[0] == 'i';
        made.email = strcmp(f->owner, "email") == 0;
        made.no_facet = !made.single;
        made.listed = true;
        struct field_row *row = row_add(rows);
        if (!row) {
            return -ENOMEM;
        }
        *row = made;
    }
    return 0;
}

static int by_exp(const void *a, const void *b) {
    const struct field_row *x = a, *y = b;
    int order = strcmp(x->exp, y->exp);
    return order ? order : strcmp(x->path, y->path);
}

int field_rows_make(const struct registry *r, struct field_rows *ret) {
    *ret = (struct field_rows){0};
    int code = 0;
    for (size_t i = 0; code == 0 && i < registry_count(r); i++) {
        const struct field *f = registry_field(r, (uint16_t)i);
        if (f->def->name && !(f->def->flags & F_NODB) && f->type != FT_OBJECT) {
            code = add_own(r, f, ret);
        }
        if (code == 0 && f->def->name && !(f->def->flags & F_NODB)) {
            code = add_twins(r, f, ret);
        }
    }
    for (size_t i = 0; code == 0 && i < ARRAY_LEN(specials); i++) {
        struct field_row *row = row_add(ret);
        code = row ? 0 : -ENOMEM;
        if (row) {
            *row = specials[i];
        }
    }
    if (code) {
        field_rows_done(ret);
        return code;
    }
    qsort(ret->list, ret->count, sizeof(struct field_row), by_exp);
    return 0;
}

/* --- writing --- */

static void list_write(struct json *j, const char *text) {
    json_open(j, '[');
    while (*text) {
        size_t len = strcspn(text, ",");
        json_text(j, span_trim(span_make(text, len)));
        text += len + (text[len] == ',');
    }
    json_close(j, ']');
}

static void text_write(struct json *j, const char *key, const char *text) {
    if (text && *text) {
        json_key(j, key);
        json_cstr(j, text);
    }
}

static bool is_ecs(const char *path) {
    static const char *const heads[] = {"source.", "destination.", "network.", "client.", "server.", "@timestamp"};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        if (strncmp(path, heads[i], strlen(heads[i])) == 0) {
            return true;
        }
    }
    return false;
}

void field_row_write(struct json *j, const struct field_row *f) {
    json_open(j, '{');
    text_write(j, "exp", f->exp);
    text_write(j, "dbField", f->path);
    text_write(j, "dbField2", f->path);
    text_write(j, "fieldECS", is_ecs(f->path) ? f->path : NULL);
    text_write(j, "friendlyName", f->title);
    text_write(j, "group", f->group);
    text_write(j, "help", f->help);
    text_write(j, "type", f->type);
    text_write(j, "type2", f->date ? "date" : NULL);
    if (f->category) {
        json_key(j, "category");
        if (strchr(f->category, ',')) {
            list_write(j, f->category);
        } else {
            json_cstr(j, f->category);
        }
    }
    if (f->aliases) {
        json_key(j, "aliases");
        list_write(j, f->aliases);
    }
    if (f->members) {
        json_key(j, "members");
        list_write(j, f->members);
    }
    text_write(j, "portField", f->port);
    text_write(j, "transform", f->transform);
    text_write(j, "requiredRight", f->email ? "emailSearch" : NULL);
    text_write(j, "unit", f->unit);
    if (f->no_facet) {
        json_key(j, "noFacet");
        json_bool(j, true);
    }
    json_key(j, "list");
    json_bool(j, f->listed && !f->single);
    json_key(j, "sortable");
    json_bool(j, f->listed && !f->members);
    json_close(j, '}');
}

void field_rows_write_array(struct json *j, const struct field_rows *f) {
    json_open(j, '[');
    for (size_t i = 0; i < f->count; i++) {
        field_row_write(j, &f->list[i]);
    }
    json_close(j, ']');
}

static int by_path(const void *a, const void *b) {
    const struct field_row *const *x = a;
    const struct field_row *const *y = b;
    int order = strcmp((*x)->path, (*y)->path);
    return order ? order : strcmp((*x)->exp, (*y)->exp);
}

int field_rows_write_map(struct json *j, const struct field_rows *f) {
    const struct field_row **order = calloc(f->count + 1, sizeof(const struct field_row *));
    if (!order) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < f->count; i++) {
        order[i] = &f->list[i];
    }
    qsort(order, f->count, sizeof(*order), by_path);
    json_open(j, '{');
    for (size_t i = 0; i < f->count; i++) {
        if (i == 0 || strcmp(order[i]->path, order[i - 1]->path) != 0) {
            json_key(j, order[i]->path);
            field_row_write(j, order[i]);
        }
    }
    json_close(j, '}');
    free(order);
    return 0;
}
