/* tagger.c: files that say what to put into sessions with an address, name, hash, sender or path: [tagger].
 *
 *     [tagger]
 *     bad-hosts.txt = type:host;tags:bad,watch
 *
 * A line is `VALUE` or `VALUE;FIELD=TEXT;...`; FIELD is a field's name in expressions, or the number that a line
 * `#field:NAME;kind:...;shortcut:N` gave it. A name that no field has makes one. Names of hosts match those below them
 * too; addresses may be networks.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/util.h"
#include "config/parse.h"
#include "enrich/parts.h"
#include "record/values.h"

enum kind { KIND_IP, KIND_HOST, KIND_MD5, KIND_EMAIL, KIND_URI, KINDS };
static const char *const kind_names[KINDS] = {"ip", "host", "md5", "email", "uri"};

/* What is compared with the values of a file, beside both ends of the session. */
static const struct {
    const char *path;
    enum kind kind;
} compared[] = {
    {"http.xffIp", KIND_IP},           {"http.host", KIND_HOST},          {"dns.host", KIND_HOST},
    {"dns.mailserverHost", KIND_HOST}, {"dns.nameserverHost", KIND_HOST}, {"http.md5", KIND_MD5},
    {"email.md5", KIND_MD5},           {"email.src", KIND_EMAIL},         {"email.dst", KIND_EMAIL},
    {"http.path", KIND_URI},
};

#define ENTRIES_MAX 20000000
#define NAMES_KEPT 32

struct entry {
    const char *key;
    const struct field_op *ops;
    uint32_t next; /* 1-based: another one with the same hash */
};

struct tag_file {
    enum kind kind;
    const struct field_op *tags; /* of every entry */
    struct entry *entries;
    size_t count, cap;
    struct ipmap *addresses; /* KIND_IP: 1-based indices */
    uint32_t *buckets;       /* others: 1-based heads */
    size_t mask;
};

struct tagger {
    struct tag_file *files;
    size_t count;
    uint8_t *kinds; /* by field id: bit per enum kind */
};

struct parse {
    struct tag_file *file;
    struct config *config;
    struct registry *registry;
    const struct reporter *report;
    const char *path;
    int line;
    const char *shortcuts[FIELD_SHORTCUTS];
    struct known {
        const char *name;
        struct field_target to;
    } known[NAMES_KEPT]; /* names that lines had, and where their values go */
    size_t known_count;
};

static void problem(const struct parse *p, const char *what, const char *of, const char *hint) {
    char text[300];
    (void)snprintf(text, sizeof(text), "\"%.80s\" %s", of, what);
    report_problem(p->report, p->path, p->line, text, hint);
}

static uint64_t key_hash(struct span key) {
    return hash_bytes(key.at, key.len, 1);
}

static void lower(char *text) {
    for (; *text; text++) {
        *text = (char)tolower((unsigned char)*text);
    }
}

/* --- reading --- */

/* A name that no field has makes one. 0, or -errno and `ret_problem`. */
static int target_find(struct parse *p, const char *name, struct field_target *ret, const char **ret_problem) {
    for (size_t i = 0; i < p->known_count; i++) {
        if (strcmp(p->known[i].name, name) == 0) {
            *ret = p->known[i].to;
            return 0;
        }
    }
    struct err e = {0};
    if (field_find(p->registry, name) == FIELD_NONE &&
        custom_field_add(p->config, p->registry, name, "", NULL, &e) < 0) {
        *ret_problem = "cannot be the name of a field; it is left out";
        return -EINVAL;
    }
    int code = field_target_find(p->config, p->registry, name, ret);
    if (code < 0) {
        *ret_problem = "is a field that values cannot be put into; it is left out";
        return code;
    }
    const char *copy = p->known_count < NAMES_KEPT ? config_strdup(p->config, name, strlen(name)) : NULL;
    if (copy) {
        p->known[p->known_count++] = (struct known){copy, *ret};
    }
    return 0;
}

static int op_add(struct parse *p, const char *name, const char *value, const struct field_op **ops,
                  const char **ret_problem) {
    struct field_target to;
    struct field_op *op;
    int code = target_find(p, name, &to, ret_problem);
    if (code == 0) {
        *ret_problem = "is left out: there is no room for more";
        code = field_op_to(p->config, &to, span_text(value), &op);
    }
    if (code == 0) {
        op->next = (struct field_op *)(uintptr_t)*ops;
        *ops = op;
    }
    return code;
}

/* FIELD=TEXT */
static void read_op(struct parse *p, char *item, const struct field_op **ops) {
    char *value = strchr(item, '=');
    uint64_t number;
    if (!value) {
        problem(p, "is not FIELD=VALUE; it is left out", item, NULL);
        return;
    }
    *value++ = 0;
    const char *name = item;
    if (span_decimal(span_text(item), FIELD_SHORTCUTS - 1, &number)) {
        name = p->shortcuts[number];
        if (!name) {
            problem(p, "is no shortcut that a #field line gave; it is left out", item, NULL);
            return;
        }
    }
    if (strcmp(name, "dontSaveSPI") == 0) {
        if (strcmp(value, "0") != 0) {
            problem(p, "is not possible: sessions are always stored", name, NULL);
        }
        return;
    }
    const char *what;
    if (op_add(p, name, value, ops, &what) < 0) {
        problem(p, what, name, NULL);
    }
}

static struct entry *entry_add(struct tag_file *f) {
    if (f->count == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 256;
        struct entry *entries = cap <= ENTRIES_MAX ? reallocarray(f->entries, cap, sizeof(*entries)) : NULL;
        if (!entries) {
            return NULL;
        }
        f->entries = entries;
        f->cap = cap;
    }
    f->entries[f->count] = (struct entry){0};
    return &f->entries[f->count++];
}

static void read_entry(struct parse *p, char *line) {
    struct tag_file *f = p->file;
    char *rest = line, *key = strsep(&rest, ";");
    uint8_t ip[16];
    unsigned prefix;
    if (f->kind == KIND_IP && ip_parse_network(key, strlen(key), ip, &prefix) < 0) {
        problem(p, "is no address and no network; the line is left out", key, NULL);
        return;
    }
    if (f->kind != KIND_URI) {
        lower(key);
    }
    struct entry *e = entry_add(f);
    if (!e || !(e->key = config_strdup(p->config, key, strlen(key)))) {
        problem(p, "and what follows is left out: there is no room for more", key, NULL);
        f->count -= e ? 1 : 0;
        return;
    }
    e->ops = f->tags;
    while (rest) {
        char *item = strsep(&rest, ";");
        if (*item) {
            read_op(p, item, &e->ops);
        }
    }
    if (f->kind == KIND_IP && ipmap_add(f->addresses, ip, prefix, (const void *)(uintptr_t)f->count) == -EEXIST) {
        problem(p, "is there twice; the first stays", key, NULL);
        f->count--;
    }
}

static void read_field(struct parse *p, const char *definition) {
    size_t len = strcspn(definition, ";");
    char *name = config_strdup(p->config, definition, len);
    struct err e = {0};
    int shortcut = -1;
    if (!name || custom_field_add(p->config, p->registry, name, definition + len, &shortcut, &e) < 0) {
        problem(p, "is no definition of a field; it is left out", definition, e.text[0] ? e.text : NULL);
    } else if (shortcut >= 0) {
        p->shortcuts[shortcut] = name;
    }
}

static void read_lines(struct parse *p) {
    FILE *f = fopen(p->path, "re");
    if (!f) {
        report_problem(p->report, p->path, 0, "the file cannot be read", "check [tagger]");
        return;
    }
    char *line = NULL;
    size_t size = 0;
    for (p->line = 1; getline(&line, &size, f) > 0; p->line++) {
        line[strcspn(line, "\r\n")] = 0;
        if (strncmp(line, "#field:", 7) == 0) {
            read_field(p, line + 7);
        } else if (line[0] && line[0] != '#') {
            read_entry(p, line);
        }
    }
    free(line);
    (void)fclose(f);
}

/* "type:host;tags:a,b" */
static int read_options(struct parse *p, const char *options) {
    char *rest = config_strdup(p->config, options, strlen(options));
    bool known = false;
    while (rest) {
        char *item = strsep(&rest, ";"), *value = strchr(item, ':');
        if (!value) {
            return -EINVAL;
        }
        *value++ = 0;
        const char *what;
        if (strcmp(item, "tags") == 0) {
            for (char *tag; value && (tag = strsep(&value, ","));) {
                if (*tag && op_add(p, "tags", tag, &p->file->tags, &what) < 0) {
                    return -EINVAL;
                }
            }
        } else if (strcmp(item, "type") == 0) {
            for (unsigned kind = 0; kind < KINDS; kind++) {
                if (strcmp(value, kind_names[kind]) == 0) {
                    p->file->kind = (enum kind)kind;
                    known = true;
                }
            }
        } else {
            return -EINVAL;
        }
    }
    return known ? 0 : -EINVAL;
}

struct tagger *tagger_new(struct config *c, struct registry *r, const struct reporter *report) {
    size_t count;
    const struct config_entry *rows = config_section(c, "tagger", &count);
    struct tagger *t = calloc(1, sizeof(*t));
    if (!t || !(t->files = calloc(count + 1, sizeof(*t->files)))) {
        return tagger_free(t);
    }
    for (size_t i = 0; i < count; i++) {
        struct tag_file *f = &t->files[t->count];
        struct parse p = {.file = f, .config = c, .registry = r, .report = report, .line = rows[i].line};
        if (read_options(&p, rows[i].value) < 0) {
            problem(&p, "of [tagger] is left out: it is not type:KIND;tags:TAG,TAG", rows[i].key,
                    "KIND is ip, host, md5, email or uri");
            continue;
        }
        t->count++;
        f->addresses = ipmap_new();
        if (!f->addresses) {
            return tagger_free(t);
        }
        p.path = config_path(c, rows[i].key);
        read_lines(&p);
    }
    return t;
}

static int index_entries(struct tag_file *f) {
    for (f->mask = 15; f->mask < f->count * 2; f->mask = f->mask * 2 + 1) {
    }
    f->buckets = calloc(f->mask + 1, sizeof(*f->buckets));
    if (!f->buckets) {
        return -ENOMEM;
    }
    for (size_t n = f->count; n-- > 0;) {
        uint32_t *head = &f->buckets[key_hash(span_text(f->entries[n].key)) & f->mask];
        f->entries[n].next = *head;
        *head = (uint32_t)n + 1;
    }
    return 0;
}

int tagger_bind(struct tagger *t, const struct registry *r) {
    t->kinds = calloc(registry_count(r) + 1, 1);
    if (!t->kinds) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < ARRAY_LEN(compared); i++) {
        uint16_t id = registry_by_path(r, span_text(compared[i].path));
        for (size_t k = 0; k < t->count && id != FIELD_NONE; k++) {
            if (t->files[k].kind == compared[i].kind) {
                t->kinds[id] |= (uint8_t)(1u << compared[i].kind);
            }
        }
    }
    for (size_t k = 0; k < t->count; k++) {
        if (t->files[k].kind != KIND_IP && index_entries(&t->files[k]) < 0) {
            return -ENOMEM;
        }
    }
    return 0;
}

struct tagger *tagger_free(struct tagger *t) {
    for (size_t i = 0; t && t->files && i < t->count; i++) {
        ipmap_free(t->files[i].addresses);
        free(t->files[i].entries);
        free(t->files[i].buckets);
    }
    if (t) {
        free(t->files);
        free(t->kinds);
        free(t);
    }
    return NULL;
}

/* --- matching --- */

#define HITS_MAX 256

struct hits {
    const struct tagger *tagger;
    struct hit {
        const struct entry *entry;
        uint16_t matched;
    } list[HITS_MAX];
    size_t count;
};

static void hit_add(struct hits *h, const struct entry *entry, uint16_t matched) {
    for (size_t i = 0; i < h->count; i++) {
        if (h->list[i].entry == entry && h->list[i].matched == matched) {
            return;
        }
    }
    if (h->count < HITS_MAX) {
        h->list[h->count++] = (struct hit){entry, matched};
    }
}

static void match_ip(struct hits *h, const struct tag_file *f, const uint8_t ip[16], uint16_t matched) {
    uintptr_t index = (uintptr_t)ipmap_find(f->addresses, ip);
    if (index) {
        hit_add(h, &f->entries[index - 1], matched);
    }
}

static void match_key(struct hits *h, const struct tag_file *f, struct span key, uint16_t matched) {
    for (uint32_t at = f->buckets[key_hash(key) & f->mask]; at; at = f->entries[at - 1].next) {
        if (span_is(key, f->entries[at - 1].key)) {
            hit_add(h, &f->entries[at - 1], matched);
        }
    }
}

static void match_value(void *ctx, const struct field *field, struct span bytes) {
    struct hits *h = ctx;
    char folded[1024];
    size_t len = MIN(bytes.len, sizeof(folded));
    for (size_t i = 0; i < len; i++) {
        folded[i] = (char)tolower(bytes.at[i]);
    }
    for (size_t k = 0; k < h->tagger->count; k++) {
        const struct tag_file *f = &h->tagger->files[k];
        if (!(h->tagger->kinds[field->id] & 1u << f->kind)) {
            continue;
        }
        if (f->kind == KIND_IP) {
            match_ip(h, f, bytes.at, field->id);
            continue;
        }
        struct span key = f->kind == KIND_URI ? bytes : span_make(folded, len);
        match_key(h, f, key, field->id);
        while (f->kind == KIND_HOST && span_find_byte(key, 0, '.') < key.len) {
            key = span_from(key, span_find_byte(key, 0, '.') + 1);
            match_key(h, f, key, field->id);
        }
    }
}

void tagger_apply(const struct tagger *t, const uint16_t ends[2], struct record *rec, const struct field *fields) {
    if (t->count == 0) {
        return;
    }
    struct hits hits = {.tagger = t};
    for (size_t k = 0; k < t->count && rec->has_ip; k++) {
        if (t->files[k].kind == KIND_IP) {
            match_ip(&hits, &t->files[k], rec->ip[SIDE_SRC], ends[SIDE_SRC]);
            match_ip(&hits, &t->files[k], rec->ip[SIDE_DST], ends[SIDE_DST]);
        }
    }
    values_each(rec, fields, t->kinds, match_value, &hits);
    for (size_t i = 0; i < hits.count; i++) {
        for (const struct field_op *op = hits.list[i].entry->ops; op; op = op->next) {
            field_op_put(fields, &rec->cells, op, op->value, hits.list[i].matched);
        }
    }
}
