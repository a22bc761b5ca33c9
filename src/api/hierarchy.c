/* hierarchy.c: values inside values: the largest of the first field, in each of them the largest of the second, ...
 *
 * Each level is one grouping by all fields so far; its groups come largest first, so the first ones of a parent are the
 * ones to keep. Parents are found by (parent, value) in a hash table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/group.h"
#include "api/queries.h"
#include "base/hash.h"
#include "base/util.h"

#define SIZE_DEFAULT 20
#define SIZE_MAX_LEVEL 1000
#define LEVELS_MAX (GROUP_KEYS_MAX - 1) /* one key more counts addresses */
#define NODES_MAX ((size_t)1 << 18)
#define ROOT 0

struct node {
    uint32_t parent, children;
    uint32_t first, last, next; /* child, child, sibling; 0 = none */
    unsigned level;
    const struct group_value *value;
    uint64_t size, ips[2];
};

struct hierarchy {
    struct ask *a;
    struct group_key keys[LEVELS_MAX];
    size_t levels;
    uint64_t size;
    struct groups *groups[LEVELS_MAX]; /* what nodes point into */
    struct node *nodes;                /* 0 is the root */
    size_t count, room;
    uint32_t *slots; /* of nodes; 0 = free */
    size_t slot_count;
    struct key_names names;
    int code;
};

/* --- nodes --- */

static uint64_t node_hash(uint32_t parent, const struct group_value *v) {
    return hash_bytes(v->bytes.at, v->bytes.len, v->number * 31 + (uint64_t)(unsigned)v->port * 7 + parent);
}

static uint32_t node_find(const struct hierarchy *h, uint32_t parent, const struct group_value *v) {
    for (size_t at = node_hash(parent, v) % h->slot_count; h->slots[at]; at = (at + 1) % h->slot_count) {
        const struct node *n = &h->nodes[h->slots[at]];
        if (n->parent == parent && n->value->number == v->number && n->value->port == v->port &&
            span_equal(n->value->bytes, v->bytes)) {
            return h->slots[at];
        }
    }
    return ROOT;
}

static int node_add(struct hierarchy *h, struct node n) {
    if (h->count == NODES_MAX) {
        return -E2BIG;
    }
    if (h->count == h->room) {
        size_t room = h->room * 2;
        struct node *more = reallocarray(h->nodes, room, sizeof(*more));
        if (!more) {
            return -ENOMEM;
        }
        h->nodes = more;
        h->room = room;
    }
    size_t at = node_hash(n.parent, n.value) % h->slot_count;
    while (h->slots[at]) {
        at = (at + 1) % h->slot_count;
    }
    h->slots[at] = (uint32_t)h->count;
    struct node *parent = &h->nodes[n.parent];
    *(parent->last ? &h->nodes[parent->last].next : &parent->first) = (uint32_t)h->count;
    parent->last = (uint32_t)h->count;
    parent->children++;
    h->nodes[h->count++] = n;
    return 0;
}

/* The node that the first `levels` keys lead to, or ROOT. */
static uint32_t node_follow(const struct hierarchy *h, const struct group_value *keys, size_t levels) {
    uint32_t at = ROOT;
    for (size_t i = 0; i < levels; i++) {
        at = node_find(h, at, &keys[i]);
        if (at == ROOT) {
            return ROOT;
        }
    }
    return at;
}

/* --- levels --- */

static int level_add(struct hierarchy *h, size_t level) {
    struct group_request q = {.key_count = level + 1};
    memcpy(q.keys, h->keys, (level + 1) * sizeof(q.keys[0]));
    q.limit = level == 0 ? h->size : 0;
    int code = search_groups(h->a->search, &q, &h->groups[level]);
    for (size_t i = 0; code == 0 && i < h->groups[level]->count; i++) {
        const struct group *g = &h->groups[level]->list[i];
        uint32_t parent = node_follow(h, g->keys, level);
        if ((level && parent == ROOT) || h->nodes[parent].children >= h->size) {
            continue;
        }
        code = node_add(
            h, (struct node){.parent = parent, .level = (unsigned)level, .value = &g->keys[level], .size = g->count});
    }
    return code;
}

/* Distinct addresses behind each node of a level. */
static int level_count_ips(struct hierarchy *h, size_t level, unsigned side) {
    struct groups *g = NULL;
    struct group_request q = {.key_count = level + 2};
    struct span path = side ? SPAN_LITERAL("destination.ip") : SPAN_LITERAL("source.ip");
    memcpy(q.keys, h->keys, (level + 1) * sizeof(q.keys[0]));
    q.keys[level + 1].field.field = registry_field(h->a->registry, registry_by_path(h->a->registry, path));
    int code = search_groups(h->a->search, &q, &g);
    for (size_t i = 0; code == 0 && i < g->count; i++) {
        uint32_t node = node_follow(h, g->list[i].keys, level + 1);
        h->nodes[node].ips[side]++;
    }
    groups_free(g);
    return code;
}

static bool add_key(void *ctx, struct span name) {
    struct hierarchy *h = ctx;
    if (h->levels == LEVELS_MAX) {
        h->code = err_set(&h->a->err, -EACCES, "More than %u fields", (unsigned)LEVELS_MAX);
        return false;
    }
    if (ask_key(h->a, name, &h->keys[h->levels++]) < 0) {
        h->code = h->a->err.code == -EACCES ? -EACCES
                                            : err_set(&h->a->err, -EACCES, "Unknown expression %.*s\n",
                                                      (int)MIN(name.len, (size_t)80), (const char *)name.at);
    }
    return h->code == 0;
}

static int hierarchy_fill(struct hierarchy *h) {
    h->room = 1024;
    h->slot_count = NODES_MAX * 2 - 1;
    h->nodes = calloc(h->room, sizeof(*h->nodes));
    h->slots = calloc(h->slot_count, sizeof(*h->slots));
    h->count = 1;
    int code = h->nodes && h->slots ? ask_run(h->a) : -ENOMEM;
    for (size_t level = 0; code == 0 && level < h->levels; level++) {
        code = level_add(h, level);
        code = code < 0 ? code : level_count_ips(h, level, 0);
        code = code < 0 ? code : level_count_ips(h, level, 1);
    }
    return code;
}

/* --- writing --- */

static void write_name(const struct hierarchy *h, const struct node *n, struct json *j) {
    json_key(j, "name");
    key_json(&h->names, &h->keys[n->level], n->value, j);
}

static void write_node(const struct hierarchy *h, uint32_t at, struct json *j) {
    const struct node *n = &h->nodes[at];
    json_open(j, '{');
    if (at == ROOT) {
        json_key(j, "name");
        json_cstr(j, "Top Talkers");
    } else {
        write_name(h, n, j);
        json_key(j, n->children ? "sizeValue" : "size");
        json_u64(j, n->size);
        json_key(j, "srcips");
        json_u64(j, n->ips[0]);
        json_key(j, "dstips");
        json_u64(j, n->ips[1]);
    }
    if (n->children || at == ROOT) {
        json_key(j, "children");
        json_open(j, '[');
        for (uint32_t i = n->first; i; i = h->nodes[i].next) {
            write_node(h, i, j); /* as deep as there are fields */
        }
        json_close(j, ']');
    }
    json_close(j, '}');
}

static void write_table(const struct hierarchy *h, struct json *j) {
    json_open(j, '[');
    for (uint32_t i = 1; i < h->count; i++) {
        const struct node *n = &h->nodes[i];
        if (n->children) {
            continue;
        }
        json_open(j, '{');
        write_name(h, n, j);
        json_key(j, "size");
        json_u64(j, n->size);
        json_key(j, "parents");
        json_open(j, '[');
        uint32_t path[LEVELS_MAX];
        unsigned depth = 0;
        for (uint32_t p = n->parent; p != ROOT && depth < LEVELS_MAX; p = h->nodes[p].parent) {
            path[depth++] = p;
        }
        while (depth--) {
            json_open(j, '{');
            write_name(h, &h->nodes[path[depth]], j);
            json_key(j, "size");
            json_u64(j, h->nodes[path[depth]].size);
            json_close(j, '}');
        }
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void hierarchy(struct call *c) {
    struct ask a;
    struct hierarchy h = {.a = &a};
    if (!call_text(c, "exp", NULL)) {
        call_fail(c, 403, "Missing exp parameter");
        return;
    }
    if (!call_u64(c, "size", SIZE_DEFAULT, SIZE_MAX_LEVEL, &h.size)) {
        return;
    }
    int code = ask_open(&a, c, &(struct ask_rules){.ids = false});
    if (code == 0) {
        (void)call_list(c, "exp", add_key, &h);
        code = h.code;
    }
    if (code == 0) {
        code = hierarchy_fill(&h);
    }
    if (code == 0) {
        struct json j = call_json(c);
        h.names = (struct key_names){file_names_new(c->api->control), true};
        json_open(&j, '{');
        json_key(&j, "success");
        json_bool(&j, true);
        json_key(&j, "recordsTotal");
        json_u64(&j, ask_total(&a));
        json_key(&j, "recordsFiltered");
        json_u64(&j, search_count(a.search));
        json_key(&j, "hierarchicalResults");
        write_node(&h, ROOT, &j);
        json_key(&j, "tableResults");
        write_table(&h, &j);
        json_close(&j, '}');
        ask_count(&a, h.count - 1);
    } else {
        call_fail(c, code == -EINVAL ? 403 : ask_status(code), "%s", ask_why(&a, code));
    }
    for (size_t i = 0; i < LEVELS_MAX; i++) {
        groups_free(h.groups[i]);
    }
    file_names_free(h.names.files);
    free(h.nodes);
    free(h.slots);
    ask_close(&a);
}

static const struct parameter parameters[] = {
    {"exp", PARAM_LIST, NULL, "Up to 7 fields, outermost first"},
    {"size", PARAM_NUMBER, "20", "Values of each level"},
    {.name = NULL},
};
static const struct endpoint endpoints[] = {
    {.pattern = "/api/spigraphhierarchy",
     .aliases = "/spigraphhierarchy",
     .flags = API_GET | API_POST | API_SESSION_QUERY | API_HISTORY | API_SETS_COOKIE,
     .rights = RIGHT_ANY,
     .function = hierarchy,
     .parameters = parameters,
     .title = "Values inside values",
     .help = "`{success,hierarchicalResults:{name,children:[{name,size|sizeValue,srcips,dstips,children}]},"
             "tableResults:[{name,size,parents:[{name,size}]}]}`"},
};
const struct endpoint_family hierarchy_family = {"hierarchy", endpoints, ARRAY_LEN(endpoints)};
