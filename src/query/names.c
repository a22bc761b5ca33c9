/* names.c: see names.h. Families (ip, port, host, ...) are found by the names of fields, so that fields of new
 * protocols and of the configuration belong to them by being called so.
 */
#include "query/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "record/core_fields.h"

#define UNION_DEPTH_MAX 4

static int add(struct arena *arena, struct named *n, const struct field *f, enum query_access access) {
    for (size_t i = 0; i < n->count; i++) {
        if (n->fields[i].field == f && n->fields[i].access == access) {
            return 0;
        }
    }
    if ((n->count & (n->count + 1)) == 0) { /* grown at 0, 1, 3, 7, ... */
        struct query_field *more = arena_alloc(arena, 2 * (n->count + 1) * sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        if (n->count) {
            memcpy(more, n->fields, n->count * sizeof(*more));
        }
        n->fields = more;
    }
    n->fields[n->count++] = (struct query_field){.field = f, .access = access};
    return 0;
}

/* --- families --- */

static bool is_text(const struct field *f) {
    return (f->type >= FT_KEYWORD && f->type <= FT_TEXT) || f->type == FT_MAC;
}

static bool in_family(const struct field *f, struct span family, bool ip) {
    struct span name = span_text(f->def->name);
    if (!name.len || f->type == FT_UNION || f->type == FT_OBJECT) {
        return false;
    }
    bool outer = span_is(family, "outerip");
    if (ip || (outer && f->type != FT_IP)) {
        return f->type == FT_IP;
    }
    bool port = span_is(family, "port");
    if (port ? f->type != FT_U64 : !outer && !is_text(f)) {
        return false;
    }
    if (span_starts(name, family) && span_byte(name, family.len) == '.') {
        return true;
    }
    if (span_starts(family, SPAN_LITERAL("outer")) || span_is(family, "mac")) {
        return false;
    }
    return (name.len > family.len && span_ends(name, family) && name.at[name.len - family.len - 1] == '.') ||
           (port && span_ends(name, SPAN_LITERAL("Port")));
}

static int by_name(const void *a, const void *b) {
    const struct query_field *x = a, *y = b;
    return strcmp(x->field->def->name, y->field->def->name);
}

static int add_family(struct span name, const struct registry *r, struct arena *arena, struct named *n) {
    static const char *const families[] = {"ip", "port", "host", "asn", "country", "rir", "mac", "outermac", "outerip"};
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        struct span family = span_text(families[i]);
        if (!span_equal_fold(name, family)) {
            continue;
        }
        n->many = true;
        for (size_t j = 0; j < registry_count(r); j++) {
            const struct field *f = registry_field(r, (uint16_t)j);
            int code = !(f->flags & F_VIRTUAL) && in_family(f, family, i == 0) ? add(arena, n, f, ACCESS_VALUE) : 0;
            if (code < 0) {
                return code;
            }
        }
        if (n->count) {
            qsort(n->fields, n->count, sizeof(*n->fields), by_name);
        }
    }
    return 0;
}

/* --- names that are no field's own --- */

static int add_special(struct span name, const struct registry *r, struct arena *arena, struct named *n) {
    static const struct {
        const char *name, *paths[2];
        enum query_access access;
    } table[] = {
        {"payload8.hex", {"srcPayload8", "dstPayload8"}, ACCESS_VALUE},
        {"payload8.src.hex", {"srcPayload8", NULL}, ACCESS_VALUE},
        {"payload8.dst.hex", {"dstPayload8", NULL}, ACCESS_VALUE},
        {"payload8.utf8", {"srcPayload8", "dstPayload8"}, ACCESS_HEX_TEXT},
        {"payload8.src.utf8", {"srcPayload8", NULL}, ACCESS_HEX_TEXT},
        {"payload8.dst.utf8", {"dstPayload8", NULL}, ACCESS_HEX_TEXT},
        {"duration", {"length", NULL}, ACCESS_SECONDS},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        for (size_t j = 0; j < 2 && span_equal_fold(name, span_text(table[i].name)); j++) {
            const char *path = table[i].paths[j];
            const struct field *f = path ? registry_field(r, registry_by_path(r, span_text(path))) : NULL;
            n->many |= j > 0;
            if (f && add(arena, n, f, table[i].access) < 0) {
                return -ENOMEM;
            }
        }
    }
    if (n->count == 0 && (span_is(name, "id") || span_is(name, "_id"))) {
        return add(arena, n, NULL, ACCESS_ID);
    }
    return 0;
}

/* --- fields --- */

/* Another way to say a name: `http.referer` is `http.request.referer`. */
static uint16_t look_up_other(struct span name, const struct registry *r) {
    size_t dot = span_find_byte(name, 0, '.');
    uint16_t id = FIELD_NONE;
    char other[128];
    if (dot == SPAN_NONE || name.len > 100) {
        return FIELD_NONE;
    }
    struct span head = span_sub(name, 0, dot), rest = span_from(name, dot + 1);
    for (size_t i = 0; i < 2 && id == FIELD_NONE && span_equal_fold(head, SPAN_LITERAL("http")); i++) {
        int len = snprintf(other, sizeof(other), "http.%s.%.*s", i ? "response" : "request", (int)rest.len,
                           (const char *)rest.at);
        id = registry_by_name(r, span_make(other, (size_t)len));
    }
    return id;
}

/* By name or alias, path behind `db:`, or path. */
static const struct field *look_up(struct span name, const struct registry *r) {
    uint16_t id = registry_by_name(r, name);
    if (id == FIELD_NONE) {
        id = registry_by_path(r, name);
    }
    if (id == FIELD_NONE) {
        id = look_up_other(name, r);
    }
    const struct field *f = registry_field(r, id);
    if (f && (f->flags & F_VIRTUAL) && f->type != FT_UNION) {
        uint16_t stored = registry_by_path(r, span_text(f->def->path));
        f = stored == FIELD_NONE ? f : registry_field(r, stored);
    }
    return f;
}

static int add_field(const struct field *f, const struct registry *r, struct arena *arena, struct named *n, int depth) {
    if (f->type != FT_UNION) {
        return add(arena, n, f, ACCESS_VALUE);
    }
    n->many = true;
    for (const char *at = f->def->members; *at && depth < UNION_DEPTH_MAX;) {
        size_t len = strcspn(at, ",");
        const struct field *member = look_up(span_trim(span_make(at, len)), r);
        int code = member ? add_field(member, r, arena, n, depth + 1) : 0; /* it may not be compiled in */
        if (code < 0) {
            return code;
        }
        at += len + (at[len] == ',');
    }
    return 0;
}

static int add_derived(struct span name, const struct registry *r, struct arena *arena, struct named *n) {
    static const struct {
        const char *end;
        uint32_t flags;
        enum query_access access;
    } ends[] = {
        {".cnt", F_COUNT | F_ECS_COUNT | F_OBJECT_COUNT, ACCESS_COUNT},
        {"Cnt", F_COUNT | F_OBJECT_COUNT, ACCESS_COUNT},
        {"-cnt", F_ECS_COUNT, ACCESS_COUNT},
        {".tokens", F_TOKENS, ACCESS_TOKENS},
        {"Tokens", F_TOKENS, ACCESS_TOKENS},
    };
    for (size_t i = 0; i < ARRAY_LEN(ends) && n->count == 0; i++) {
        struct span end = span_text(ends[i].end);
        if (!span_ends(name, end)) {
            continue;
        }
        const struct field *f = look_up(span_sub(name, 0, name.len - end.len), r);
        if (f && (f->flags & ends[i].flags) && add(arena, n, f, ends[i].access) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* The port that goes with an address: source.port with source.ip. */
static void find_ports(const struct registry *r, struct named *n) {
    for (size_t i = 0; i < n->count; i++) {
        const struct field *f = n->fields[i].field;
        size_t len = f ? strlen(f->def->path) : 0;
        char path[128];
        if (len < 2 || f->type != FT_IP || len + 3 > sizeof(path)) {
            continue;
        }
        (void)snprintf(path, sizeof(path), "%.*s%s", (int)len - 2, f->def->path,
                       strcmp(f->def->path + len - 2, "Ip") == 0 ? "Port" : "port");
        n->fields[i].port = strcasecmp(f->def->path + len - 2, "ip") == 0
                                ? registry_field(r, registry_by_path(r, span_text(path)))
                                : NULL;
    }
}

int names_find(struct span name, const struct registry *registry, struct arena *arena, struct named *ret) {
    *ret = (struct named){0};
    int code = add_special(name, registry, arena, ret);
    if (code == 0 && ret->count == 0) {
        code = add_family(name, registry, arena, ret);
    }
    const struct field *f = code == 0 && ret->count == 0 ? look_up(name, registry) : NULL;
    if (f) {
        code = add_field(f, registry, arena, ret, 0);
    }
    if (code == 0 && ret->count == 0) {
        code = add_derived(name, registry, arena, ret);
    }
    find_ports(registry, ret);
    return code;
}
