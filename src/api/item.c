/* item.c: see item.h.
 *
 * Fields are written in the registry's order, in which those of one group stand together, so a group opens and closes
 * once. Clients count on four groups being there whatever was asked for.
 */
#include "api/item.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/typing.h"
#include "base/util.h"
#include "record/document.h"
#include "record/values.h"

static const char *const groups_always[] = {"source", "destination", "client", "server"};

/* --- choosing --- */

static int by_rank(const void *x, const void *y) {
    const struct item_field *a = x, *b = y;
    if (a->field->rank != b->field->rank) {
        return a->field->rank < b->field->rank ? -1 : 1;
    }
    return (int)a->count - (int)b->count;
}

static bool add_field(struct items *it, const struct query_field *q) {
    bool count = q->access == ACCESS_COUNT;
    if (!q->field || (q->field->flags & F_VIRTUAL) || q->field->parent != FIELD_NONE ||
        (q->access != ACCESS_VALUE && !count) || it->field_count == ASK_FIELDS_MAX) {
        return true;
    }
    for (size_t i = 0; i < it->field_count; i++) {
        if (it->fields[i].field == q->field && it->fields[i].count == count) {
            return true;
        }
    }
    it->fields[it->field_count++] = (struct item_field){.field = q->field, .count = count};
    return true;
}

static bool add_name(void *ctx, struct span name) {
    struct items *it = ctx;
    struct query_field q;
    name = span_trim(name);
    if (name.len && ask_field(it->ask, name, &q) == 0) {
        /* a member of an object brings the object */
        while (q.field && q.field->parent != FIELD_NONE) {
            q.field = registry_field(it->ask->registry, q.field->parent);
        }
        return add_field(it, &q);
    }
    it->ask->err = (struct err){0};
    return true;
}

static void add_names(struct items *it, struct span names) {
    while (names.len) {
        size_t comma = span_find_byte(names, 0, ',');
        (void)add_name(it, span_sub(names, 0, comma));
        names = comma == SPAN_NONE ? (struct span){NULL, 0} : span_from(names, comma + 1);
    }
}

static int items_ready(struct items *it, bool all) {
    uint16_t *wanted = calloc(it->field_count + 1, sizeof(*wanted));
    bool positions = false, names = false;
    for (size_t i = 0; wanted && i < it->field_count; i++) {
        struct span path = span_text(it->fields[i].field->def->path);
        wanted[i] = it->fields[i].field->id;
        positions |= span_is(path, "packetPos") || span_is(path, "packetLen");
        names |= span_is(path, "fileId");
    }
    int code = wanted ? restorer_new(it->ask->snapshot, all ? NULL : wanted, it->field_count, positions, &it->restorer)
                      : -ENOMEM;
    it->files = code == 0 && names ? file_names_new(it->ask->call->api->control) : NULL;
    free(wanted);
    return code;
}

int items_open(struct items *it, struct ask *a, const struct items_choice *choice) {
    *it = (struct items){.ask = a, .flatten = a->flatten, .fields = calloc(ASK_FIELDS_MAX, sizeof(struct item_field))};
    if (!it->fields) {
        return -ENOMEM;
    }
    (void)call_list(a->call, "fields", add_name, it);
    for (size_t i = 0; it->field_count && choice->always && choice->always[i]; i++) {
        (void)add_name(it, span_text(choice->always[i]));
    }
    if (it->field_count == 0) {
        add_names(it, span_text(choice->fallback));
    }
    if (it->field_count && !choice->in_order) {
        qsort(it->fields, it->field_count, sizeof(*it->fields), by_rank);
    }
    return items_ready(it, false);
}

int items_open_all(struct items *it, struct ask *a) {
    size_t count = registry_count(a->registry);
    *it = (struct items){.ask = a, .flatten = a->flatten, .fields = calloc(2 * count + 1, sizeof(struct item_field))};
    for (size_t i = 0; it->fields && i < count; i++) {
        const struct field *f = registry_field(a->registry, (uint16_t)i);
        if ((f->flags & F_VIRTUAL) || f->parent != FIELD_NONE || f->type == FT_UNION || !ask_may_see(a, f)) {
            continue;
        }
        it->fields[it->field_count++] = (struct item_field){.field = f};
        if (f->count_key.len) {
            it->fields[it->field_count++] = (struct item_field){.field = f, .count = true};
        }
    }
    if (!it->fields) {
        return -ENOMEM;
    }
    qsort(it->fields, it->field_count, sizeof(*it->fields), by_rank);
    return items_ready(it, true);
}

void items_close(struct items *it) {
    free(it->fields);
    it->fields = NULL;
    it->restorer = restorer_free(it->restorer);
    it->files = file_names_free(it->files);
}

/* --- writing --- */

struct writing {
    struct items *it;
    const struct record *record;
    struct json *j;
    unsigned depth;
    const struct span *groups;
    unsigned groups_seen; /* bits of groups_always */
    uint64_t values;      /* of the field at hand */
    const struct item_field *item;
};

static void write_object(struct writing *w, const struct cell *object);

/* The run of cells of one field from `cell` on; returns the first cell behind it. */
static const struct cell *write_cells(struct writing *w, const struct cell *cell) {
    const struct field *f = registry_field(w->it->ask->registry, cell->field);
    bool single = f->flags & F_SINGLE;
    uint64_t count = 0;
    json_raw_key(w->j, f->key);
    if (!single) {
        json_open(w->j, '[');
    }
    do {
        if (f->type == FT_OBJECT) {
            write_object(w, cell);
        } else {
            struct value v;
            cell_read(cell, f, &v);
            document_write_value(w->j, f, &v);
        }
        count++;
        cell = cells_next(&w->record->cells, cell);
    } while (cell && cell->field == f->id && !single);
    if (!single) {
        json_close(w->j, ']');
    }
    if (f->count_key.len) {
        json_raw_key(w->j, f->count_key);
        json_u64(w->j, count);
    }
    return cell;
}

static void write_object(struct writing *w, const struct cell *object) {
    json_open(w->j, '{');
    for (const struct cell *cell = cells_object_first(&w->record->cells, object); cell;) {
        cell = write_cells(w, cell);
    }
    json_close(w->j, '}');
}

static void close_groups(struct writing *w, unsigned to) {
    for (; w->depth > to; w->depth--) {
        json_close(w->j, '}');
    }
}

static void enter_groups(struct writing *w, const struct field *f) {
    unsigned same = 0;
    while (same < w->depth && same < f->depth && w->groups[same].at == f->groups[same].at) {
        same++;
    }
    close_groups(w, same);
    for (; w->depth < f->depth; w->depth++) {
        struct span key = f->groups[w->depth];
        for (unsigned i = 0; w->depth == 0 && i < ARRAY_LEN(groups_always); i++) {
            w->groups_seen |= (unsigned)span_equal(span_sub(key, 1, key.len - 3), span_text(groups_always[i])) << i;
        }
        json_raw_key(w->j, key);
        json_open(w->j, '{');
    }
    w->groups = f->groups;
}

/* The key of a field, or of the number of its values. */
static void write_key(struct writing *w, const struct item_field *item) {
    const struct field *f = item->field;
    struct span key = item->count ? f->count_key : f->key;
    if (!w->it->flatten) {
        enter_groups(w, f);
        json_raw_key(w->j, key);
        return;
    }
    char path[160];
    int before = 0;
    for (unsigned i = 0; i < f->depth; i++) {
        before += (int)f->groups[i].len - 2; /* quotes and colon go, a dot comes */
    }
    if (item->count) { /* the key without its quotes and colon, behind the groups */
        (void)snprintf(path, sizeof(path), "%.*s%.*s", before, f->def->path, (int)key.len - 3,
                       (const char *)key.at + 1);
    } else {
        (void)snprintf(path, sizeof(path), "%s", f->def->path);
    }
    json_key(w->j, path);
}

static void write_value(struct writing *w, const struct field *f, const struct value *v) {
    const char *name = w->it->files ? file_names_get(w->it->files, (uint32_t)v->u64) : NULL;
    if (name && strcmp(f->def->path, "fileId") == 0) {
        json_cstr(w->j, name);
    } else {
        document_write_value(w->j, f, v);
    }
}

static bool each_value(void *ctx, const struct field *f, const struct value *v) {
    struct writing *w = ctx;
    w->values++;
    if (w->item->count) {
        return true;
    }
    if (w->values == 1) {
        write_key(w, w->item);
        if (!(f->flags & F_SINGLE)) {
            json_open(w->j, '[');
        }
    }
    write_value(w, f, v);
    return !(f->flags & F_SINGLE);
}

static void write_item(struct writing *w, const struct item_field *item) {
    const struct field *f = item->field;
    w->item = item;
    w->values = 0;
    if (f->type == FT_OBJECT) {
        const struct cell_head *head = record_head(w->record, f);
        if (head && item->count) {
            w->values = head->count;
        } else if (head) {
            write_key(w, item);
            json_open(w->j, '[');
            for (const struct cell *c = cells_first(&w->record->cells, head); c; c = cells_next(&w->record->cells, c)) {
                write_object(w, c);
            }
            json_close(w->j, ']');
        }
    } else {
        record_values(w->record, f, each_value, w);
        if (w->values && !item->count && !(f->flags & F_SINGLE)) {
            json_close(w->j, ']');
        }
    }
    if (item->count && w->values) {
        write_key(w, item);
        json_u64(w->j, w->values);
    }
}

int items_write(struct items *it, const struct search_row *row, struct json *j) {
    struct writing w = {.it = it, .j = j};
    int code = restorer_read(it->restorer, row->part, row->row, &w.record);
    if (code < 0) {
        return code;
    }
    json_open(j, '{');
    json_key(j, "id");
    json_cstr(j, w.record->name);
    for (size_t i = 0; i < it->field_count; i++) {
        write_item(&w, &it->fields[i]);
    }
    close_groups(&w, 0);
    for (unsigned i = 0; !it->flatten && i < ARRAY_LEN(groups_always); i++) {
        if (!(w.groups_seen & 1u << i)) {
            json_key(j, groups_always[i]);
            json_open(j, '{');
            json_close(j, '}');
        }
    }
    json_close(j, '}');
    return 0;
}

/* --- names of files --- */

struct file_name {
    uint32_t number;
    uint64_t size;
    int64_t modified;
    char *name;
};

struct file_names {
    struct file_name *list;
    size_t count, room;
};

static bool add_file(void *ctx, const struct stored_file *f) {
    struct file_names *names = ctx;
    if (names->count == names->room) {
        size_t room = names->room ? names->room * 2 : 64;
        struct file_name *more = reallocarray(names->list, room, sizeof(*more));
        if (!more) {
            return false;
        }
        names->list = more;
        names->room = room;
    }
    struct file_name *to = &names->list[names->count];
    *to = (struct file_name){f->number, f->complete ? f->size : 0, f->complete ? f->modified : 0, strdup(f->name)};
    names->count += to->name != NULL;
    return to->name != NULL;
}

struct file_names *file_names_free(struct file_names *f) {
    if (f) {
        for (size_t i = 0; i < f->count; i++) {
            free(f->list[i].name);
        }
        free(f->list);
        free(f);
    }
    return NULL;
}

struct file_names *file_names_new(struct control *c) {
    struct file_names *f = calloc(1, sizeof(*f));
    return f && files_each(c, add_file, f) < 0 ? file_names_free(f) : f;
}

static const struct file_name *file_find(const struct file_names *f, uint32_t number) {
    size_t low = 0, high = f ? f->count : 0;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (f->list[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return f && low < f->count && f->list[low].number == number ? &f->list[low] : NULL;
}

const char *file_names_at(const struct file_names *f, size_t i) {
    return i < f->count ? f->list[i].name : NULL;
}

const char *file_names_get(const struct file_names *f, uint32_t number) {
    const struct file_name *found = file_find(f, number);
    return found ? found->name : NULL;
}

uint64_t file_names_size(const struct file_names *f, uint32_t number) {
    const struct file_name *found = file_find(f, number);
    return found ? found->size : 0;
}

int64_t file_names_modified(const struct file_names *f, uint32_t number) {
    const struct file_name *found = file_find(f, number);
    return found ? found->modified : 0;
}

/* --- values --- */

const char *ip_protocol_text(uint64_t number, char ret[24]) {
    static const struct {
        uint64_t number;
        const char *name;
    } names[] = {{1, "icmp"}, {2, "igmp"},   {6, "tcp"},   {17, "udp"},  {47, "gre"},  {50, "esp"},
                 {51, "ah"},  {58, "icmp6"}, {89, "ospf"}, {103, "pim"}, {132, "sctp"}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].number == number) {
            return names[i].name;
        }
    }
    (void)snprintf(ret, 24, "%llu", (unsigned long long)number);
    return ret;
}

void value_quote(struct span value, struct buf *out) {
    bool quotes = typing_needs_quotes(value);
    buf_add_text(out, quotes ? "\"" : "");
    for (size_t i = 0; i < value.len; i++) {
        bool special = value.at[i] == '"' || value.at[i] == '\\' || value.at[i] == '*' || value.at[i] == '?';
        buf_add_text(out, quotes && special ? "\\" : "");
        buf_add_byte(out, value.at[i]);
    }
    buf_add_text(out, quotes ? "\"" : "");
}
