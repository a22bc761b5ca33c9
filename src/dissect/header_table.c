/* header_table.c: an open hash table of header names, made at start and read-only afterwards. */
#include "dissect/header_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "dissect/text.h"

#define SLOTS (2 * HEADER_TABLE_MAX) /* a power of two, at most half full */

struct header_table {
    struct header_rule rules[HEADER_TABLE_MAX];
    size_t count;
    uint16_t slots[SLOTS]; /* index + 1 into rules; 0 = free */
    uint32_t lengths[32];  /* by first letter: bit n is set when a name of n (or 31 and more) bytes begins with it */
};

struct header_table *header_table_new(void) {
    return calloc(1, sizeof(struct header_table));
}

struct header_table *header_table_free(struct header_table *t) {
    free(t);
    return NULL;
}

static unsigned fold(int c) {
    return (unsigned)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static uint32_t slot_of(unsigned group, struct span name) {
    uint32_t hash = 2166136261u + group;
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ fold(span_byte(name, i))) * 16777619u;
    }
    return (hash ^ hash >> 15) & (SLOTS - 1);
}

static struct header_rule *find(const struct header_table *t, unsigned group, struct span name, uint32_t *ret_slot) {
    uint32_t slot = slot_of(group, name);
    for (; t->slots[slot]; slot = (slot + 1) & (SLOTS - 1)) {
        const struct header_rule *rule = &t->rules[t->slots[slot] - 1];
        if (rule->group == group && span_equal_fold(span_make(rule->name, rule->len), name)) {
            break;
        }
    }
    *ret_slot = slot;
    return t->slots[slot] ? (struct header_rule *)&t->rules[t->slots[slot] - 1] : NULL;
}

static uint32_t length_bit(struct span name) {
    return UINT32_C(1) << MIN(name.len, (size_t)31);
}

const struct header_rule *header_table_find(const struct header_table *t, unsigned group, struct span name) {
    uint32_t slot;
    if (!(t->lengths[span_byte(name, 0) & 31] & length_bit(name))) {
        return NULL; /* most names, without a look at their letters */
    }
    return find(t, group, name, &slot);
}

/* The rule of that name, made if absent. */
static int want_rule(struct header_table *t, unsigned group, const char *name, struct header_rule **ret) {
    struct span text = span_text(name);
    if (text.len == 0 || text.len > HEADER_NAME_MAX) {
        return -EINVAL;
    }
    uint32_t slot;
    struct header_rule *rule = find(t, group, text, &slot);
    if (!rule) {
        if (t->count == HEADER_TABLE_MAX) {
            return -E2BIG;
        }
        rule = &t->rules[t->count++];
        *rule =
            (struct header_rule){.name = name, .len = (uint8_t)text.len, .group = (uint8_t)group, .field = FIELD_NONE};
        t->slots[slot] = (uint16_t)t->count;
        t->lengths[span_byte(text, 0) & 31] |= length_bit(text);
    }
    *ret = rule;
    return 0;
}

int header_table_add(struct header_table *t, unsigned group, const char *name, unsigned use) {
    struct header_rule *rule;
    int r = want_rule(t, group, name, &rule);
    if (r == 0) {
        rule->use = (uint8_t)use;
    }
    return r;
}

/* --- the configuration's lines --- */

static const struct {
    const char *name;
    enum field_type type;
} type_names[] = {
    {"string", FT_KEYWORD},    {"termfield", FT_KEYWORD}, {"lotermfield", FT_LOWER},
    {"uptermfield", FT_UPPER}, {"textfield", FT_KEYWORD}, {"lotextfield", FT_LOWER},
    {"integer", FT_U64},       {"seconds", FT_U64},       {"ip", FT_IP},
    {"date", FT_KEYWORD},
};

static bool is_yes(struct span s) {
    return span_equal_fold(s, SPAN_LITERAL("true")) || span_is(s, "1") || span_equal_fold(s, SPAN_LITERAL("yes"));
}

static bool set_type(struct span value, struct field_def *def) {
    for (size_t i = 0; i < ARRAY_LEN(type_names); i++) {
        if (span_equal_fold(value, span_text(type_names[i].name))) {
            def->type = type_names[i].type;
            def->flags |= span_is(value, "seconds") ? F_SECONDS : 0;
            return true;
        }
    }
    return false;
}

/* One `word:value` of a line. */
static bool set_word(struct span word, struct field_def *def) {
    size_t colon = span_find_byte(word, 0, ':');
    struct span key = span_trim(span_sub(word, 0, colon));
    struct span value = colon == SPAN_NONE ? SPAN_LITERAL("true") : span_trim(span_from(word, colon + 1));
    if (span_equal_fold(key, SPAN_LITERAL("type"))) {
        return set_type(value, def);
    }
    if (span_equal_fold(key, SPAN_LITERAL("count"))) {
        def->flags |= is_yes(value) ? F_COUNT : 0;
        return true;
    }
    if (span_equal_fold(key, SPAN_LITERAL("unique"))) {
        def->flags |= is_yes(value) ? 0 : F_REPEAT;
        return true;
    }
    return false;
}

static int parse_line(const struct config_entry *entry, struct field_def *def, struct err *ret_err) {
    struct span rest = span_text(entry->value);
    while (rest.len) {
        size_t end = span_find_byte(rest, 0, ';');
        struct span word = span_trim(span_sub(rest, 0, end));
        rest = span_from(rest, end == SPAN_NONE ? rest.len : end + 1);
        if (word.len && !set_word(word, def)) {
            err_set(ret_err, -EINVAL, "header %s: `%.*s` is not understood", entry->key, (int)MIN(word.len, (size_t)80),
                    (const char *)word.at);
            err_hint(ret_err, "write for example type:string;count:true;unique:false; types are string, lotermfield, "
                              "uptermfield, integer, seconds, ip");
            if (ret_err) {
                ret_err->line = entry->line;
            }
            return -EINVAL;
        }
    }
    return 0;
}

/* `prefix` and the header's name in lower case, in the configuration's memory. */
static const char *joined(struct dissect_setup *setup, const char *prefix, const char *name) {
    char text[HEADER_NAME_MAX + 64];
    int len = snprintf(text, sizeof(text), "%s%s", prefix, name);
    if (len < 0 || (size_t)len >= sizeof(text)) {
        return NULL;
    }
    for (size_t i = strlen(prefix); i < (size_t)len; i++) {
        text[i] = (char)fold(text[i]);
    }
    return config_strdup(setup->config, text, (size_t)len);
}

int header_table_configure(struct header_table *t, unsigned group, const struct header_family *family,
                           struct dissect_setup *setup, struct err *ret_err) {
    size_t count;
    const struct config_entry *entries = config_section(setup->config, family->section, &count);
    for (size_t i = 0; i < count; i++) {
        struct field_def def = {.type = FT_KEYWORD, .help = "Header line asked for by the configuration"};
        int r = parse_line(&entries[i], &def, ret_err);
        if (r < 0) {
            return r;
        }
        const char *name = joined(setup, "", entries[i].key);
        def.path = joined(setup, family->path, entries[i].key);
        def.name = joined(setup, family->expression, entries[i].key);
        def.title = joined(setup, family->title, entries[i].key);
        if (!name || !def.path || !def.name || !def.title) {
            return err_set(ret_err, -EINVAL, "header name %.40s is too long, or memory is out", entries[i].key);
        }
        struct header_rule *rule;
        uint16_t id;
        r = want_rule(t, group, name, &rule);
        if (r < 0) {
            return err_set(ret_err, r, "section [%s]: no room for header %.40s", family->section, name);
        }
        r = registry_add_dynamic(setup->registry, family->owner, &def, &id, ret_err);
        if (r < 0) {
            return r;
        }
        rule->field = id;
        rule->type = (uint8_t)def.type;
    }
    return 0;
}

bool header_rule_put(struct dissect *d, const struct header_rule *rule, struct span value) {
    const struct field *field = &d->fields[rule->field];
    uint64_t number;
    uint8_t ip[16];
    switch (rule->type) {
    case FT_U64:
        if (!span_decimal(value, INT64_MAX, &number)) {
            return false;
        }
        cells_put_u64(d->cells, field, number);
        return true;
    case FT_IP:
        if (!text_ip(value, ip)) {
            return false;
        }
        cells_put_ip(d->cells, field, ip);
        return true;
    default:
        cells_put_text(d->cells, field, value);
        return true;
    }
}
