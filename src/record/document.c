/* document.c: merges the record's computed fields with its cells, both sorted by rank, into one JSON object.
 *
 * The plan holds the ids of computed fields in rank order; cells' heads are in rank order already, so a document is one
 * walk with no sorting. Groups open and close as paths change; equal groups share their key's memory (registry.c).
 */
#include "record/document.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/util.h"
#include "record/pen.h"

struct document_plan {
    const struct field *fields;
    size_t room; /* for the groups, key and value of any computed field that is no text */
    size_t computed_count;
    uint16_t computed[];
};

/* Room for any value that is not text. */
#define VALUE_ROOM 64

/* Bytes that entering the groups of `f` and its key may take. */
static size_t groups_room(const struct field *f) {
    size_t room = 2 * PEN_KEY_ROOM + f->key.len;
    for (unsigned i = 0; i < f->depth; i++) {
        room += f->groups[i].len + PEN_KEY_ROOM;
    }
    return room;
}

struct document_plan *document_plan_new(const struct registry *r) {
    size_t count = registry_count(r);
    struct document_plan *p = calloc(1, sizeof(*p) + count * sizeof(p->computed[0]));
    if (!p) {
        return NULL;
    }
    p->fields = registry_fields(r);
    const uint16_t *order = registry_order(r);
    for (size_t i = 0; i < count; i++) {
        const struct field *f = &p->fields[order[i]];
        if (f->flags & F_COMPUTED) {
            p->computed[p->computed_count++] = order[i];
            p->room = MAX(p->room, groups_room(f) + VALUE_ROOM);
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
    static const char digits[] = "0123456789abcdef";
    for (unsigned i = 0; i < 6; i++) {
        ret_text[3 * i] = digits[mac[i] >> 4];
        ret_text[3 * i + 1] = digits[mac[i] & 15];
        ret_text[3 * i + 2] = ':'; /* the last one is written over by what follows */
    }
    return 17;
}

static inline void write_i64(struct pen *p, int64_t value) {
    *p->at = '-';
    p->at += value < 0;
    pen_u64(p, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void write_value(struct pen *p, const struct field *f, const struct value *v) {
    switch ((enum field_type)f->type) {
    case FT_U64:
    case FT_TIME:
        pen_u64(p, v->u64);
        break;
    case FT_I64:
        write_i64(p, v->i64);
        break;
    case FT_FLOAT:
        pen_double(p, v->number);
        break;
    case FT_BOOL:
        pen_literal(p, v->u64 ? SPAN_LITERAL("true") : SPAN_LITERAL("false"));
        break;
    case FT_IP:
        *p->at++ = '"';
        p->at += ip_write(v->bytes.at, (char *)p->at);
        *p->at++ = '"';
        break;
    case FT_MAC:
        *p->at++ = '"';
        p->at += mac_write(v->bytes.at, (char *)p->at);
        *p->at++ = '"';
        break;
    default:
        pen_text(p, v->bytes);
    }
}

static bool value_need(struct pen *p, const struct value *v) {
    bool text = v->type >= FT_KEYWORD && v->type <= FT_TEXT;
    return pen_need(p, VALUE_ROOM + (text ? v->bytes.len * PEN_TEXT_GROWTH : 0));
}

void document_write_value(struct json *j, const struct field *f, const struct value *v) {
    struct pen p;
    if (j->comma) {
        buf_add_byte(j->out, ',');
    }
    pen_open(&p, j->out);
    if (value_need(&p, v)) {
        write_value(&p, f, v);
    }
    pen_close(&p);
    j->comma = true;
}

/* --- fields --- */

struct writing {
    const struct document_plan *plan;
    const struct record *record;
    struct pen pen;
    unsigned depth;            /* groups open */
    const struct span *groups; /* of the last field written */
};

static void write_count(struct writing *w, const struct field *f, uint64_t count) {
    if (f->count_key.len && pen_need(&w->pen, f->count_key.len + PEN_KEY_ROOM)) {
        pen_key(&w->pen, f->count_key);
        pen_u64(&w->pen, count);
    }
}

static void write_object(struct writing *w, const struct cell *object);

/* The run of cells of one field from `cell` on; returns the first cell behind it. */
static const struct cell *write_run(struct writing *w, const struct cell *cell) {
    const struct field *f = &w->plan->fields[cell->field];
    const struct cells *cells = &w->record->cells;
    bool single = f->flags & F_SINGLE;
    uint64_t count = 0;
    if (!pen_need(&w->pen, f->key.len + PEN_KEY_ROOM)) {
        return NULL;
    }
    pen_key(&w->pen, f->key);
    if (!single) {
        pen_bracket(&w->pen, '[');
    }
    do {
        if (f->type == FT_OBJECT) {
            write_object(w, cell);
        } else {
            struct value v;
            cell_read(cell, f, &v);
            if (!value_need(&w->pen, &v)) {
                return NULL;
            }
            pen_comma(&w->pen);
            write_value(&w->pen, f, &v);
        }
        count++;
        cell = cells_next(cells, cell);
    } while (cell && cell->field == f->id && !single);
    if (!single && pen_need(&w->pen, PEN_KEY_ROOM)) {
        pen_end(&w->pen, ']');
    }
    write_count(w, f, count);
    return cell;
}

static void write_object(struct writing *w, const struct cell *object) {
    if (!pen_need(&w->pen, PEN_KEY_ROOM)) {
        return;
    }
    pen_comma(&w->pen);
    pen_bracket(&w->pen, '{');
    for (const struct cell *cell = cells_object_first(&w->record->cells, object); cell;) {
        cell = write_run(w, cell);
    }
    if (pen_need(&w->pen, PEN_KEY_ROOM)) {
        pen_end(&w->pen, '}');
    }
}

/* Closes and opens groups until those of `f` are open. */
static void change_groups(struct writing *w, const struct field *f) {
    unsigned same = 0;
    while (same < w->depth && same < f->depth && w->groups[same].at == f->groups[same].at) {
        same++;
    }
    for (; w->depth > same; w->depth--) {
        pen_end(&w->pen, '}');
    }
    for (; w->depth < f->depth; w->depth++) {
        pen_key(&w->pen, f->groups[w->depth]);
        pen_bracket(&w->pen, '{');
    }
    w->groups = f->groups;
}

static inline void enter_groups(struct writing *w, const struct field *f) {
    unsigned last = w->depth - 1; /* a group's key is the same memory for the whole path up to it */
    if (f->depth != w->depth || (w->depth && f->groups[last].at != w->groups[last].at)) {
        change_groups(w, f);
    }
}

static bool is_text(const struct field *f) {
    return f->type >= FT_KEYWORD && f->type <= FT_TEXT;
}

static void write_computed(struct writing *w, const struct field *f) {
    struct value v;
    v.type = f->type;
    v.index = 0;
    v.state = 0;
    bool present = f->def->get(w->record, &v);
    if ((!present && (f->flags & (F_SINGLE | F_OPTIONAL))) || !pen_need(&w->pen, w->plan->room)) {
        return;
    }
    enter_groups(w, f);
    pen_key(&w->pen, f->key);
    if (f->flags & F_SINGLE) {
        if (!is_text(f) || value_need(&w->pen, &v)) {
            write_value(&w->pen, f, &v);
        }
        w->pen.comma = true;
        return;
    }
    pen_bracket(&w->pen, '[');
    if (f->type == FT_I64) { /* positions of packets: the only list that is as long as the session */
        for (; present && pen_need(&w->pen, VALUE_ROOM); v.index++, present = f->def->get(w->record, &v)) {
            pen_comma(&w->pen);
            write_i64(&w->pen, v.i64);
        }
    }
    for (; present && value_need(&w->pen, &v); v.index++, present = f->def->get(w->record, &v)) {
        pen_comma(&w->pen);
        write_value(&w->pen, f, &v);
    }
    if (pen_need(&w->pen, PEN_KEY_ROOM)) {
        pen_end(&w->pen, ']');
    }
}

void document_write(const struct document_plan *p, const struct record *r, uint64_t written_at, struct buf *out) {
    struct writing w = {.plan = p, .record = r};
    size_t head_count;
    const struct cell_head *heads = cells_heads(&r->cells, &head_count);
    pen_open(&w.pen, out);
    if (!pen_need(&w.pen, 2048)) {
        return;
    }
    pen_bracket(&w.pen, '{');
    if (written_at) {
        static const char key[FIELD_KEY_READABLE] = "\"@timestamp\":";
        pen_key(&w.pen, span_make(key, strlen(key)));
        pen_u64(&w.pen, written_at);
    }
    for (size_t h = 0, c = 0; h < head_count || c < p->computed_count;) {
        const struct field *computed = c < p->computed_count ? &p->fields[p->computed[c]] : NULL;
        if (h < head_count && (!computed || heads[h].rank < computed->rank)) {
            const struct field *f = &p->fields[heads[h].field];
            if (pen_need(&w.pen, groups_room(f))) {
                enter_groups(&w, f);
                (void)write_run(&w, cells_first(&r->cells, &heads[h]));
            }
            h++;
        } else {
            write_computed(&w, computed);
            c++;
        }
    }
    for (; w.depth && pen_need(&w.pen, 8); w.depth--) {
        pen_end(&w.pen, '}');
    }
    if (pen_need(&w.pen, 8)) {
        pen_end(&w.pen, '}');
    }
    pen_close(&w.pen);
}
