/* document.c: merges the record's computed fields with its cells, both sorted by rank, into one JSON object.
 *
 * The plan holds the ids of computed fields in rank order; cells' heads are in rank order already, so a document is one
 * walk with no sorting. Groups open and close as paths change; equal groups share their key's memory (registry.c).
 */
#include "record/document.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/util.h"

struct document_plan {
    const struct field *fields;
    size_t computed_count;
    uint16_t computed[];
};

struct document_plan *document_plan_new(const struct registry *r) {
    size_t count = registry_count(r);
    struct document_plan *p = calloc(1, sizeof(*p) + count * sizeof(p->computed[0]));
    if (!p) {
        return NULL;
    }
    p->fields = registry_fields(r);
    const uint16_t *order = registry_order(r);
    for (size_t i = 0; i < count; i++) {
        if (p->fields[order[i]].flags & F_COMPUTED) {
            p->computed[p->computed_count++] = order[i];
        }
    }
    return p;
}

struct document_plan *document_plan_free(struct document_plan *p) {
    free(p);
    return NULL;
}

/* --- values --- */

static size_t decimal_write(unsigned n, char *to) {
    size_t len = n >= 100 ? 3 : n >= 10 ? 2 : 1;
    for (size_t i = len; i-- > 0; n /= 10) {
        to[i] = (char)('0' + n % 10);
    }
    return len;
}

static size_t ip4_write(const uint8_t *ip, char *to) {
    size_t len = 0;
    for (unsigned i = 0; i < 4; i++) {
        if (i) {
            to[len++] = '.';
        }
        len += decimal_write(ip[i], to + len);
    }
    return len;
}

static size_t hex16_write(unsigned group, char *to) {
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    for (int shift = 12; shift >= 0; shift -= 4) {
        unsigned digit = group >> shift & 15;
        if (digit || len || shift == 0) {
            to[len++] = digits[digit];
        }
    }
    return len;
}

size_t ip_write(const uint8_t ip[16], char *ret_text) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
        return ip4_write(ip + 12, ret_text);
    }
    unsigned best = 8, best_len = 1; /* longest run of at least two zero groups */
    for (unsigned i = 0, run = 0; i < 8; i++) {
        run = read_be16(ip + 2 * i) ? 0 : run + 1;
        if (run > best_len) {
            best_len = run;
            best = i + 1 - run;
        }
    }
    size_t len = 0;
    for (unsigned i = 0; i < 8; i++) {
        if (i == best) {
            ret_text[len++] = ':';
            i += best_len - 1;
            if (i == 7) {
                ret_text[len++] = ':';
            }
            continue;
        }
        if (i) {
            ret_text[len++] = ':';
        }
        len += hex16_write(read_be16(ip + 2 * i), ret_text + len);
    }
    return len;
}

size_t mac_write(const uint8_t mac[6], char *ret_text) {
    for (unsigned i = 0; i < 6; i++) {
        hex_write(mac + i, 1, ret_text + 3 * i);
        if (i < 5) {
            ret_text[3 * i + 2] = ':';
        }
    }
    return 17;
}

/* Text that needs no escape, between quotes. */
static void plain_text(struct json *j, const char *text, size_t len) {
    char quoted[64];
    quoted[0] = '"';
    memcpy(quoted + 1, text, len);
    quoted[len + 1] = '"';
    json_raw(j, span_make(quoted, len + 2));
}

void document_write_value(struct json *j, const struct field *f, const struct value *v) {
    char text[48];
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
        json_u64(j, v->u64);
        break;
    case FT_I64:
        json_i64(j, v->i64);
        break;
    case FT_FLOAT:
        json_double(j, v->number);
        break;
    case FT_BOOL:
        json_bool(j, v->u64 != 0);
        break;
    case FT_IP:
        plain_text(j, text, ip_write(v->bytes.at, text));
        break;
    case FT_MAC:
        plain_text(j, text, mac_write(v->bytes.at, text));
        break;
    default:
        json_text(j, v->bytes);
    }
}

/* --- fields --- */

static void write_count(struct json *j, const struct field *f, uint64_t count) {
    if (f->count_key.len) {
        json_raw_key(j, f->count_key);
        json_u64(j, count);
    }
}

static void write_object(const struct document_plan *p, const struct record *r, const struct cell *object,
                         struct json *j);

/* The run of cells of one field from `cell` on; returns the first cell behind it. */
static const struct cell *write_run(const struct document_plan *p, const struct record *r, const struct cell *cell,
                                    struct json *j) {
    const struct field *f = &p->fields[cell->field];
    bool single = f->flags & F_SINGLE;
    uint64_t count = 0;
    json_raw_key(j, f->key);
    if (!single) {
        json_open(j, '[');
    }
    do {
        if (f->type == FT_OBJECT) {
            write_object(p, r, cell, j);
        } else {
            struct value v = cell_value(cell, f);
            document_write_value(j, f, &v);
        }
        count++;
        cell = cells_next(&r->cells, cell);
    } while (cell && cell->field == f->id && !single);
    if (!single) {
        json_close(j, ']');
    }
    write_count(j, f, count);
    return cell;
}

static void write_object(const struct document_plan *p, const struct record *r, const struct cell *object,
                         struct json *j) {
    json_open(j, '{');
    for (const struct cell *cell = cells_object_first(&r->cells, object); cell;) {
        cell = write_run(p, r, cell, j);
    }
    json_close(j, '}');
}

/* Groups open at the moment. */
struct nesting {
    unsigned depth;
    const struct span *groups; /* of the last field written */
};

static void enter_groups(struct json *j, struct nesting *n, const struct field *f) {
    unsigned same = 0;
    while (same < n->depth && same < f->depth && n->groups[same].at == f->groups[same].at) {
        same++;
    }
    for (; n->depth > same; n->depth--) {
        json_close(j, '}');
    }
    for (; n->depth < f->depth; n->depth++) {
        json_raw_key(j, f->groups[n->depth]);
        json_open(j, '{');
    }
    n->groups = f->groups;
}

static void write_computed(const struct record *r, const struct field *f, struct json *j, struct nesting *n) {
    struct value v = {.type = f->type};
    bool present = f->def->get(r, &v);
    if (f->flags & F_SINGLE) {
        if (present) {
            enter_groups(j, n, f);
            json_raw_key(j, f->key);
            document_write_value(j, f, &v);
        }
        return;
    }
    if (!present && (f->flags & F_OPTIONAL)) {
        return;
    }
    enter_groups(j, n, f);
    json_raw_key(j, f->key);
    json_open(j, '[');
    for (; present; v.index++, present = f->def->get(r, &v)) {
        document_write_value(j, f, &v);
    }
    json_close(j, ']');
}

void document_write(const struct document_plan *p, const struct record *r, uint64_t written_at, struct buf *out) {
    struct json j = json_over(out);
    struct nesting nesting = {0};
    size_t head_count;
    const struct cell_head *heads = cells_heads(&r->cells, &head_count);
    json_open(&j, '{');
    if (written_at) {
        json_raw_key(&j, SPAN_LITERAL("\"@timestamp\":"));
        json_u64(&j, written_at);
    }
    for (size_t h = 0, c = 0; h < head_count || c < p->computed_count;) {
        const struct field *computed = c < p->computed_count ? &p->fields[p->computed[c]] : NULL;
        if (h < head_count && (!computed || heads[h].rank < computed->rank)) {
            enter_groups(&j, &nesting, &p->fields[heads[h].field]);
            (void)write_run(p, r, cells_first(&r->cells, &heads[h]), &j);
            h++;
        } else {
            write_computed(r, computed, &j, &nesting);
            c++;
        }
    }
    for (; nesting.depth; nesting.depth--) {
        json_close(&j, '}');
    }
    json_close(&j, '}');
}
