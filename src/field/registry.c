/* registry.c: gives the declared fields their ids, writing order, JSON keys and names.
 *
 * Paths nest at their first dot (`http.host` is host in the group http), at every dot with F_DEEP, and below an object
 * they are keys of its elements. Fields are written in the order of their paths, which keeps each group in one run.
 */
#include "field/registry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/util.h"

struct name {
    const char *text;
    uint16_t id;
};

struct registry {
    struct field *fields;
    size_t count, cap;
    uint16_t *order;
    struct name *names, *paths; /* sorted after the seal */
    size_t name_count, path_count;
    char **owned; /* texts and definitions made here */
    size_t owned_count, owned_cap;
    bool sealed;
};

struct registry *registry_new(void) {
    return calloc(1, sizeof(struct registry));
}

struct registry *registry_free(struct registry *r) {
    if (r) {
        for (size_t i = 0; i < r->owned_count; i++) {
            free(r->owned[i]);
        }
        free(r->owned);
        free(r->fields);
        free(r->order);
        free(r->names);
        free(r->paths);
        free(r);
    }
    return NULL;
}

/* Memory that lives as long as the registry. */
static void *own(struct registry *r, size_t size) {
    if (r->owned_count == r->owned_cap) {
        size_t cap = r->owned_cap ? r->owned_cap * 2 : 256;
        char **owned = reallocarray(r->owned, cap, sizeof(*owned));
        if (!owned) {
            return NULL;
        }
        r->owned = owned;
        r->owned_cap = cap;
    }
    char *p = calloc(1, size);
    if (p) {
        r->owned[r->owned_count++] = p;
    }
    return p;
}

static const char *own_text(struct registry *r, const char *text) {
    if (!text) {
        return NULL;
    }
    size_t size = strlen(text) + 1;
    char *copy = own(r, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

static int no_memory(struct err *e) {
    return err_set(e, -ENOMEM, "no memory for the field registry");
}

/* Paths and names come from configuration too, and paths become JSON keys as they are. */
static bool is_plain(const char *text) {
    for (; text && *text; text++) {
        if (*text <= ' ' || *text > '~' || *text == '"' || *text == '\\') {
            return false;
        }
    }
    return true;
}

/* True when `names`, separated by commas, holds `name`; case does not count. */
static bool names_hold(const char *names, struct span name) {
    while (names && *names) {
        size_t len = strcspn(names, ",");
        if (span_equal_fold(span_make(names, len), name)) {
            return true;
        }
        names += len + (names[len] == ',');
    }
    return false;
}

/* Whether a field has one of `names`, separated by commas, as its expression name or alias. */
static int check_names(const struct registry *r, const char *owner, const char *names, struct err *e) {
    while (names && *names) {
        struct span name = span_make(names, strcspn(names, ","));
        for (size_t i = 0; i < r->count; i++) {
            const struct field_def *other = r->fields[i].def;
            if (names_hold(other->name, name) || names_hold(other->aliases, name)) {
                return err_set(e, -EEXIST, "expression name %.*s of %s is already taken by %s", (int)name.len,
                               (const char *)name.at, owner, r->fields[i].owner);
            }
        }
        names += name.len + (names[name.len] == ',');
    }
    return 0;
}

static int check_def(const struct registry *r, const char *owner, const struct field_def *def, struct err *e) {
    if (!def->path || !*def->path || !def->title || !def->help) {
        return err_set(e, -EINVAL, "field %s of %s lacks a path, title or help", def->path ? def->path : "?", owner);
    }
    if (!is_plain(def->path) || !is_plain(def->name) || *def->path == '.') {
        return err_set(e, -EINVAL, "field %s of %s has a path or name with blanks, quotes or bytes beyond ASCII",
                       def->path, owner);
    }
    if ((def->flags & F_COMPUTED) && !def->get) {
        return err_set(e, -EINVAL, "field %s of %s is computed but has no reader", def->path, owner);
    }
    if (def->type == FT_UNION && !def->members) {
        return err_set(e, -EINVAL, "union %s of %s has no members", def->path, owner);
    }
    for (size_t i = 0; i < r->count; i++) {
        const struct field_def *other = r->fields[i].def;
        if (strcmp(other->path, def->path) == 0 && !((other->flags | def->flags) & F_VIRTUAL)) {
            return err_set(e, -EEXIST, "field %s of %s is already defined by %s", def->path, owner, r->fields[i].owner);
        }
    }
    int code = check_names(r, owner, def->name, e);
    return code < 0 ? code : check_names(r, owner, def->aliases, e);
}

static int append(struct registry *r, const char *owner, const struct field_def *def, struct err *e) {
    if (r->count == REGISTRY_MAX) {
        return err_set(e, -E2BIG, "field %s of %s is one too many: %d are possible", def->path, owner, REGISTRY_MAX);
    }
    if (r->count == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 512;
        struct field *fields = reallocarray(r->fields, cap, sizeof(*fields));
        if (!fields) {
            return no_memory(e);
        }
        r->fields = fields;
        r->cap = cap;
    }
    r->fields[r->count] = (struct field){
        .id = (uint16_t)r->count,
        .parent = FIELD_NONE,
        .companion = FIELD_NONE,
        .type = (uint8_t)def->type,
        .flags = def->flags,
        .def = def,
        .owner = owner,
    };
    r->count++;
    return 0;
}

int registry_add(struct registry *r, const char *owner, const struct field_def *defs, size_t count, uint16_t *ret_base,
                 struct err *ret_err) {
    if (r->sealed) {
        return err_set(ret_err, -EPERM, "the field registry is sealed");
    }
    size_t base = r->count;
    for (size_t i = 0; i < count; i++) {
        int code = check_def(r, owner, &defs[i], ret_err);
        if (code == 0) {
            code = append(r, owner, &defs[i], ret_err);
        }
        if (code < 0) {
            r->count = base;
            return code;
        }
    }
    *ret_base = (uint16_t)base;
    return 0;
}

int registry_add_dynamic(struct registry *r, const char *owner, const struct field_def *def, uint16_t *ret_id,
                         struct err *ret_err) {
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->fields[i].def->path, def->path) == 0 && !(r->fields[i].flags & F_VIRTUAL)) {
            if (r->fields[i].type != def->type) {
                return err_set(ret_err, -EEXIST, "field %s exists already with another type", def->path);
            }
            *ret_id = (uint16_t)i;
            return 0;
        }
    }
    struct field_def *copy = own(r, sizeof(*copy));
    const char *owned = own_text(r, owner);
    if (!copy || !owned) {
        return no_memory(ret_err);
    }
    *copy = *def;
    const char **const texts[] = {&copy->path,    &copy->name,     &copy->title,  &copy->help,
                                  &copy->members, &copy->category, &copy->aliases};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *given = *texts[i];
        *texts[i] = own_text(r, given);
        if (given && !*texts[i]) {
            return no_memory(ret_err);
        }
    }
    return registry_add(r, owned, copy, 1, ret_id, ret_err);
}

/* --- sealing --- */

static bool is_below(const char *path, const char *object) {
    size_t n = strlen(object);
    return strncmp(path, object, n) == 0 && path[n] == '.';
}

/* The innermost object whose path leads to `f`. */
static uint16_t find_parent(const struct registry *r, const struct field *f) {
    uint16_t best = FIELD_NONE;
    size_t best_len = 0;
    for (size_t i = 0; i < r->count; i++) {
        const struct field *o = &r->fields[i];
        size_t len = strlen(o->def->path);
        if (o->type == FT_OBJECT && !(o->flags & F_VIRTUAL) && len > best_len && is_below(f->def->path, o->def->path)) {
            best = (uint16_t)i;
            best_len = len;
        }
    }
    return best;
}

/* `"text<suffix>":` in the registry's memory. */
static int make_key(struct registry *r, const char *text, size_t len, const char *suffix, struct span *ret) {
    size_t size = len + strlen(suffix) + 4;
    char *key = own(r, MAX(size, (size_t)FIELD_KEY_READABLE));
    if (!key) {
        return -ENOMEM;
    }
    int n = snprintf(key, size, "\"%.*s%s\":", (int)len, text, suffix);
    *ret = span_make(key, (size_t)n);
    return 0;
}

/* The key of the group `path[0..len)`; the same memory for every field of the group, so that writers compare pointers.
 */
static int make_group(struct registry *r, const struct field *f, size_t level, size_t from, size_t len,
                      struct span *ret) {
    for (const struct field *other = r->fields; other < f; other++) {
        if (level < other->depth && strncmp(other->def->path, f->def->path, from + len + 1) == 0) {
            *ret = other->groups[level];
            return 0;
        }
    }
    return make_key(r, f->def->path + from, len, "", ret);
}

static int make_keys(struct registry *r, struct field *f) {
    const char *path = f->def->path;
    size_t from = 0;
    f->parent = find_parent(r, f);
    if (f->parent != FIELD_NONE) {
        from = strlen(r->fields[f->parent].def->path) + 1;
    } else {
        size_t levels = f->flags & F_DEEP ? ARRAY_LEN(f->groups) : 1;
        const char *dot;
        while (f->depth < levels && (dot = strchr(path + from, '.')) != NULL) {
            size_t len = (size_t)(dot - path) - from;
            int code = make_group(r, f, f->depth, from, len, &f->groups[f->depth]);
            if (code < 0) {
                return code;
            }
            f->depth++;
            from += len + 1;
        }
    }
    const char *suffix = f->flags & F_ECS_COUNT ? "-cnt" : f->flags & (F_COUNT | F_OBJECT_COUNT) ? "Cnt" : NULL;
    int code = make_key(r, path + from, strlen(path + from), "", &f->key);
    if (code == 0 && suffix) {
        code = make_key(r, path + from, strlen(path + from), suffix, &f->count_key);
    }
    return code;
}

/* GEO, ASN and RIR lists beside an address field: `http.xffIp` has `http.xffGEO`, ... In expressions `ip.xff` has
 * `ip.xff.country`, which people call `country.xff`. */
static int add_companions(struct registry *r, uint16_t id, struct err *e) {
    static const char *const suffixes[] = {"GEO", "ASN", "RIR"};
    static const char *const names[] = {"country", "asn", "rir"};
    const struct field_def *def = r->fields[id].def;
    size_t len = strlen(def->path);
    if (len < 2 || strcasecmp(def->path + len - 2, "ip") != 0) {
        return err_set(e, -EINVAL, "address field %s must end in ip or Ip to have companions", def->path);
    }
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        char path[128], name[128], alias[128], title[160];
        bool short_name = def->name && strncmp(def->name, "ip.", 3) == 0;
        int sizes[] = {
            snprintf(path, sizeof(path), "%.*s%s", (int)len - 2, def->path, suffixes[i]),
            snprintf(name, sizeof(name), "%s.%s", def->name ? def->name : path, names[i]),
            snprintf(title, sizeof(title), "%s %s", def->title, suffixes[i]),
            snprintf(alias, sizeof(alias), "%s.%s", names[i], short_name ? def->name + 3 : ""),
        };
        if (sizes[0] >= (int)sizeof(path) || sizes[1] >= (int)sizeof(name) || sizes[2] >= (int)sizeof(title)) {
            return err_set(e, -ENAMETOOLONG, "the name of address field %s is too long for companions", def->path);
        }
        struct field_def companion = {.path = path,
                                      .name = def->name ? name : NULL,
                                      .type = FT_KEYWORD,
                                      .flags = def->flags & F_SINGLE ? F_SINGLE : F_REPEAT,
                                      .title = title,
                                      .aliases = short_name ? alias : NULL,
                                      .help = "Found for each address in its order"};
        uint16_t made;
        int code = registry_add_dynamic(r, r->fields[id].owner, &companion, &made, e);
        if (code < 0) {
            return code;
        }
        if (i == 0) {
            r->fields[id].companion = made;
        } else if (made != r->fields[id].companion + i) {
            return err_set(e, -EEXIST, "field %s exists already: address field %s cannot have its companions", path,
                           def->path);
        }
    }
    return 0;
}

/* --- JSON keys: no two of one container may be equal --- */

struct place {
    char *text; /* keys from the document's top on, each behind a control character */
    uint16_t field;
    bool group;
};

struct places {
    struct place *list;
    size_t count;
};

/* `"key":` without its quotes and colon. */
static void put_key(struct buf *to, struct span key) {
    buf_add_byte(to, 1);
    buf_add_span(to, span_sub(key, 1, key.len - 3));
}

static void put_container(const struct registry *r, const struct field *f, struct buf *to) {
    if (f->parent != FIELD_NONE) {
        put_container(r, &r->fields[f->parent], to);
        put_key(to, r->fields[f->parent].key);
    }
    for (size_t i = 0; i < f->depth; i++) {
        put_key(to, f->groups[i]);
    }
}

static int add_place(struct places *p, const struct field *f, bool group, struct buf *text) {
    buf_add_byte(text, 0);
    char *copy = text->overflowed ? NULL : strdup((const char *)text->data);
    if (!copy) {
        return -ENOMEM;
    }
    p->list[p->count++] = (struct place){copy, f->id, group};
    return 0;
}

static int add_places(const struct registry *r, const struct field *f, struct places *p, struct buf *text) {
    struct span keys[] = {f->key, f->count_key};
    int code = 0;
    for (size_t i = 0; i < ARRAY_LEN(keys) && code == 0; i++) {
        if (keys[i].len) {
            buf_clear(text);
            put_container(r, f, text);
            put_key(text, keys[i]);
            code = add_place(p, f, false, text);
        }
    }
    buf_clear(text);
    for (size_t i = 0; i < f->depth && code == 0; i++) {
        put_key(text, f->groups[i]);
        code = add_place(p, f, true, text);
        text->len--; /* without the NUL: the next one goes on from here */
    }
    return code;
}

static int compare_places(const void *a, const void *b) {
    return strcmp(((const struct place *)a)->text, ((const struct place *)b)->text);
}

static int check_places(const struct registry *r, struct places *p, struct err *e) {
    qsort(p->list, p->count, sizeof(*p->list), compare_places);
    for (size_t i = 1; i < p->count; i++) {
        const struct place *a = &p->list[i - 1], *b = &p->list[i];
        if (strcmp(a->text, b->text) == 0 && !(a->group && b->group)) {
            const struct field *x = &r->fields[a->field], *y = &r->fields[b->field];
            return err_set(e, -EEXIST, "fields %s of %s and %s of %s would have the same key in documents",
                           x->def->path, x->owner, y->def->path, y->owner);
        }
    }
    return 0;
}

static int check_keys(const struct registry *r, struct err *e) {
    struct buf text;
    struct places places = {calloc(r->count + 1, 6 * sizeof(struct place)), 0}; /* key, count key, four groups */
    int code = places.list ? 0 : -ENOMEM;
    buf_init(&text, 4096);
    for (size_t i = 0; i < r->count && code == 0; i++) {
        code = r->fields[i].flags & F_VIRTUAL ? 0 : add_places(r, &r->fields[i], &places, &text);
    }
    code = code < 0 ? no_memory(e) : check_places(r, &places, e);
    for (size_t i = 0; i < places.count; i++) {
        free(places.list[i].text);
    }
    free(places.list);
    buf_done(&text);
    return code;
}

/* --- names and order --- */

static int compare_names(const void *a, const void *b) {
    return strcasecmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static int add_name(struct registry *r, const char *text, uint16_t id) {
    if ((r->name_count & (r->name_count + 1)) == 0) { /* grown at 0, 1, 3, 7, ...: room for twice as many */
        struct name *names = reallocarray(r->names, 2 * (r->name_count + 1), sizeof(*names));
        if (!names) {
            return -ENOMEM;
        }
        r->names = names;
    }
    r->names[r->name_count++] = (struct name){text, id};
    return 0;
}

static int make_names(struct registry *r) {
    r->paths = calloc(r->count + 1, sizeof(*r->paths));
    if (!r->paths) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < r->count; i++) {
        const struct field_def *def = r->fields[i].def;
        if (!(def->flags & F_VIRTUAL)) {
            r->paths[r->path_count++] = (struct name){def->path, (uint16_t)i};
        }
        if (def->name && add_name(r, def->name, (uint16_t)i) < 0) {
            return -ENOMEM;
        }
        for (const char *at = def->aliases; at && *at;) {
            size_t len = strcspn(at, ",");
            char *alias = own(r, len + 1);
            if (!alias || add_name(r, memcpy(alias, at, len), (uint16_t)i) < 0) {
                return -ENOMEM;
            }
            at += len + (at[len] == ',');
        }
    }
    if (r->names) {
        qsort(r->names, r->name_count, sizeof(*r->names), compare_names);
    }
    qsort(r->paths, r->path_count, sizeof(*r->paths), compare_paths);
    return 0;
}

static int make_order(struct registry *r) {
    r->order = calloc(r->count + 1, sizeof(*r->order));
    struct name *sorted = calloc(r->count + 1, sizeof(*sorted));
    if (!r->order || !sorted) {
        free(sorted);
        return -ENOMEM;
    }
    for (size_t i = 0; i < r->count; i++) {
        sorted[i] = (struct name){r->fields[i].def->path, (uint16_t)i};
    }
    qsort(sorted, r->count, sizeof(*sorted), compare_paths);
    for (size_t i = 0; i < r->count; i++) {
        r->order[i] = sorted[i].id;
        r->fields[sorted[i].id].rank = (uint16_t)i;
    }
    free(sorted);
    return 0;
}

int registry_seal(struct registry *r, struct err *ret_err) {
    size_t declared = r->count;
    if (r->sealed) {
        return err_set(ret_err, -EPERM, "the field registry is sealed");
    }
    for (size_t i = 0; i < declared; i++) {
        if ((r->fields[i].flags & F_GEO) && !(r->fields[i].flags & F_VIRTUAL)) {
            int code = add_companions(r, (uint16_t)i, ret_err);
            if (code < 0) {
                return code;
            }
        }
    }
    for (size_t i = 0; i < r->count; i++) {
        int code = make_keys(r, &r->fields[i]);
        if (code < 0) {
            return no_memory(ret_err);
        }
    }
    if (make_order(r) < 0 || make_names(r) < 0) {
        return no_memory(ret_err);
    }
    int code = check_keys(r, ret_err);
    r->sealed = code == 0;
    return code;
}

/* --- reading --- */

size_t registry_count(const struct registry *r) {
    return r->count;
}

const struct field *registry_field(const struct registry *r, uint16_t id) {
    return id < r->count ? &r->fields[id] : NULL;
}

const struct field *registry_fields(const struct registry *r) {
    return r->fields;
}

const uint16_t *registry_order(const struct registry *r) {
    return r->order;
}

static uint16_t look_up(const struct name *names, size_t count, struct span text,
                        int (*compare)(const void *, const void *)) {
    char key[256];
    if (text.len >= sizeof(key)) {
        return FIELD_NONE;
    }
    *span_copy_to(text, (uint8_t *)key) = 0;
    struct name wanted = {key, 0};
    const struct name *hit = count ? bsearch(&wanted, names, count, sizeof(*names), compare) : NULL;
    return hit ? hit->id : FIELD_NONE;
}

uint16_t registry_by_name(const struct registry *r, struct span name) {
    if (span_starts(name, SPAN_LITERAL("db:"))) {
        return registry_by_path(r, span_from(name, 3));
    }
    return look_up(r->names, r->name_count, name, compare_names);
}

uint16_t registry_by_path(const struct registry *r, struct span path) {
    return look_up(r->paths, r->path_count, path, compare_paths);
}

const char *registry_nearest(const struct registry *r, struct span name) {
    char key[64];
    size_t len = MIN(name.len, sizeof(key) - 1);
    *span_copy_to(span_sub(name, 0, len), (uint8_t *)key) = 0;
    size_t best = 1 + len / 3; /* further away is no likeness */
    const char *hit = NULL;
    for (size_t i = 0; i < r->name_count; i++) {
        size_t distance = text_distance(key, r->names[i].text);
        if (distance <= best) {
            best = distance ? distance - 1 : 0;
            hit = r->names[i].text;
        }
    }
    return hit;
}
