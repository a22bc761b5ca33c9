/* explain.c: for the search bar: is an expression right, and what may come at the cursor. */
#include <errno.h>
#include <stdio.h>

#include "api/group.h"
#include "api/queries.h"
#include "api/saved.h"
#include "api/typing.h"
#include "base/util.h"
#include "query/names.h"

#define ITEMS_DEFAULT 50
#define ITEMS_MAX 1000
#define VALUES_LOOKED_AT 20000

/* --- /api/explain --- */

static void ask_bare(struct ask *a, struct call *c) {
    *a = (struct ask){.call = c};
    pool_init(&a->pool, (size_t)16 << 20);
    arena_init(&a->arena, &a->pool, 4096, (size_t)16 << 20);
    a->snapshot = store_snapshot(c->api->store);
    a->registry = snapshot_registry(a->snapshot);
}

static void explain(struct call *c) {
    struct ask a;
    struct query *q = NULL;
    struct err e = {0};
    ask_bare(&a, c);
    int code = ask_parse(&a, request_param(c->request, "expression"), false, &q, &e);
    struct json j = call_json(c);
    json_open(&j, '{');
    json_key(&j, "ok");
    json_bool(&j, code == 0);
    if (code < 0) {
        json_key(&j, "error");
        json_cstr(&j, e.text[0] ? e.text : "the expression cannot be read");
        json_key(&j, "column");
        json_i64(&j, e.column);
        json_key(&j, "hint");
        json_cstr(&j, e.hint);
    }
    json_close(&j, '}');
    query_free(q);
    ask_close(&a);
}

/* --- /api/complete --- */

struct completing {
    struct ask *a;
    struct json j;
    struct typing_place place;
    uint64_t left;
    struct buf text;
    struct buf offered; /* values so far, one a line: fields of a family share them */
};

static const char *type_name(const struct field *f) {
    static const char *const names[] = {
        [FT_U64] = "integer",  [FT_I64] = "integer",   [FT_FLOAT] = "float", [FT_TIME] = "time", [FT_BOOL] = "bool",
        [FT_KEYWORD] = "text", [FT_LOWER] = "text",    [FT_UPPER] = "text",  [FT_TEXT] = "text", [FT_IP] = "ip",
        [FT_MAC] = "mac",      [FT_OBJECT] = "object", [FT_UNION] = "union",
    };
    return names[f->type];
}

static void offer(struct completing *x, struct span text, const char *title, const struct field *f) {
    if (x->left == 0) {
        return;
    }
    x->left--;
    json_open(&x->j, '{');
    json_key(&x->j, "text");
    json_text(&x->j, text);
    if (title) {
        json_key(&x->j, "title");
        json_cstr(&x->j, title);
    }
    if (f) {
        json_key(&x->j, "help");
        json_cstr(&x->j, f->def->help ? f->def->help : "");
        json_key(&x->j, "type");
        json_cstr(&x->j, type_name(f));
    }
    json_close(&x->j, '}');
}

/* Names that begin with what is typed, then those with it inside them or in their title. */
static void offer_fields(struct completing *x) {
    const struct registry *r = x->a->registry;
    struct span prefix = x->place.prefix;
    for (unsigned inside = 0; inside < 2 && (inside == 0 || prefix.len); inside++) {
        for (size_t i = 0; i < registry_count(r) && x->left; i++) {
            const struct field *f = registry_field(r, (uint16_t)i);
            if (!f->def->name || !ask_may_see(x->a, f)) {
                continue;
            }
            struct span name = span_text(f->def->name), title = span_text(f->def->title);
            bool begins = span_starts_fold(name, prefix);
            bool holds = span_find_fold(name, prefix) != SPAN_NONE || span_find_fold(title, prefix) != SPAN_NONE;
            if (inside ? holds && !begins : begins) {
                offer(x, name, f->def->title, f);
            }
        }
    }
}

static void offer_operators(struct completing *x, const struct named *named) {
    static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">="};
    static const char *const titles[] = {"is", "is not", "below", "at most", "above", "at least"};
    const struct field *f = named->count ? named->fields[0].field : NULL;
    bool ordered = f && (f->type <= FT_TIME || named->fields[0].access == ACCESS_COUNT);
    for (size_t i = 0; i < (ordered ? ARRAY_LEN(operators) : 2); i++) {
        if (span_starts(span_text(operators[i]), x->place.prefix)) {
            offer(x, span_text(operators[i]), titles[i], NULL);
        }
    }
}

static void offer_connectives(struct completing *x) {
    static const char *const words[] = {"&&", "||"};
    static const char *const titles[] = {"and", "or"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_starts(span_text(words[i]), x->place.prefix)) {
            offer(x, span_text(words[i]), titles[i], NULL);
        }
    }
}

/* A value as it must be written. */
static bool offer_value(void *ctx, struct span value) {
    struct completing *x = ctx;
    buf_clear(&x->text);
    value_quote(value, &x->text);
    struct span rest = buf_span(&x->offered), line;
    while (span_line(&rest, &line)) {
        if (span_equal(line, buf_span(&x->text))) {
            return true;
        }
    }
    if (!x->text.overflowed) {
        offer(x, buf_span(&x->text), NULL, NULL);
        buf_add_span(&x->offered, buf_span(&x->text));
        buf_add_byte(&x->offered, '\n');
    }
    return x->left > 0;
}

/* Values that are no text: the most frequent ones that begin so. */
static int offer_counted(struct completing *x, const struct query_field *f) {
    struct groups *g = NULL;
    struct key_names names = {file_names_new(x->a->call->api->control), true};
    struct group_request q = {.keys = {{.kind = GROUP_FIELD, .field = *f}}, .key_count = 1, .limit = VALUES_LOOKED_AT};
    struct buf value;
    int code = search_groups(x->a->search, &q, &g);
    buf_init(&value, CELL_TEXT_MAX * 2);
    for (size_t i = 0; code == 0 && i < g->count && x->left; i++) {
        buf_clear(&value);
        key_text(&names, &q.keys[0], &g->list[i].keys[0], &value);
        if (span_starts_fold(buf_span(&value), x->place.prefix)) {
            (void)offer_value(x, buf_span(&value));
        }
    }
    buf_done(&value);
    groups_free(g);
    file_names_free(names.files);
    return code;
}

static int offer_shortcut(void *ctx, const struct query_shortcut *s) {
    struct completing *x = ctx;
    struct span prefix = span_from(x->place.prefix, 1);
    if (span_starts_fold(s->name, prefix)) {
        buf_clear(&x->text);
        buf_add_byte(&x->text, '$');
        buf_add_span(&x->text, s->name);
        offer(x, buf_span(&x->text), "shortcut", NULL);
    }
    return 0;
}

static int offer_values(struct completing *x, const struct named *named) {
    struct ask *a = x->a;
    if (span_byte(x->place.prefix, 0) == '$' && !x->place.quoted) {
        return saved_shortcuts(a->call->api->control, a->call->who, SPAN_LITERAL("*"), offer_shortcut, x);
    }
    if (!x->place.quoted && !x->place.listed && span_starts(SPAN_LITERAL("EXISTS!"), x->place.prefix)) {
        offer(x, SPAN_LITERAL("EXISTS!"), "has any value", NULL);
    }
    int code = ask_run(a);
    for (size_t i = 0; code == 0 && i < named->count && x->left; i++) {
        const struct query_field *f = &named->fields[i];
        if (!f->field || f->field->type == FT_OBJECT || !ask_may_see(a, f->field)) {
            continue;
        }
        bool text = f->field->type >= FT_KEYWORD && f->field->type <= FT_TEXT && f->access == ACCESS_VALUE;
        /* dictionaries hold values of all sessions: who may not see all gets only what is counted in those found */
        if (text && a->query_count == 0) {
            code = search_complete(a->search, f, x->place.prefix, x->left, offer_value, x);
        } else {
            code = offer_counted(x, f);
        }
    }
    return code;
}

static int offer_all(struct completing *x) {
    struct named named = {0};
    bool of_field = x->place.what == TYPED_OPERATOR || x->place.what == TYPED_VALUE;
    int code = of_field ? names_find(x->place.field, x->a->registry, &x->a->arena, &named) : 0;
    if (code < 0) {
        return code;
    }
    switch (x->place.what) {
    case TYPED_FIELD:
        offer_fields(x);
        return 0;
    case TYPED_OPERATOR:
        offer_operators(x, &named);
        return 0;
    case TYPED_VALUE:
        return offer_values(x, &named);
    case TYPED_CONNECTIVE:
        offer_connectives(x);
        return 0;
    default:
        return 0;
    }
}

static void complete(struct call *c) {
    static const char *const kinds[] = {"nothing", "field", "operator", "value", "connective"};
    struct ask a;
    struct completing x = {.a = &a};
    struct span text = request_param(c->request, "expression");
    uint64_t cursor;
    if (!call_u64(c, "cursor", text.len, text.len, &cursor) ||
        !call_u64(c, "length", ITEMS_DEFAULT, ITEMS_MAX, &x.left)) {
        return;
    }
    if (text.len > QUERY_TEXT_MAX) {
        call_fail(c, 413, "The expression is longer than %zu bytes", QUERY_TEXT_MAX);
        return;
    }
    int code = ask_open(&a, c, &(struct ask_rules){.unordered = true, .no_expression = true});
    typing_find(text, cursor, &x.place);
    buf_init(&x.text, CELL_TEXT_MAX * 4);
    buf_init(&x.offered, (size_t)4 << 20);
    x.j = call_json(c);
    json_open(&x.j, '{');
    json_key(&x.j, "from");
    json_u64(&x.j, x.place.from);
    json_key(&x.j, "to");
    json_u64(&x.j, x.place.to);
    json_key(&x.j, "kind");
    json_cstr(&x.j, kinds[x.place.what]);
    json_key(&x.j, "items");
    json_open(&x.j, '[');
    if (code == 0 && (x.place.what != TYPED_VALUE || c->api->settings->autocomplete)) {
        code = offer_all(&x);
    }
    json_close(&x.j, ']');
    json_close(&x.j, '}');
    if (code < 0) {
        call_fail(c, ask_status(code), "%s", ask_why(&a, code));
    }
    buf_done(&x.text);
    buf_done(&x.offered);
    ask_close(&a);
}

/* --- the table --- */

static const struct parameter explain_parameters[] = {
    {"expression", PARAM_TEXT, NULL, "What to look at"},
    {.name = NULL},
};
static const struct parameter complete_parameters[] = {
    {"cursor", PARAM_NUMBER, NULL, "Where the cursor is, in bytes from the beginning; the end when not given"},
    {.name = NULL},
};
static const struct endpoint endpoints[] = {
    {.pattern = "/api/explain",
     .flags = API_GET | API_POST,
     .rights = RIGHT_ANY,
     .function = explain,
     .parameters = explain_parameters,
     .title = "Is an expression right",
     .help = "`{ok:true}`, or `{ok:false,error,column,hint}`: what is wrong, at which column (from 1, in bytes; 0: "
             "nowhere in particular), and what may be meant. Always 200."},
    {.pattern = "/api/complete",
     .flags = API_GET | API_POST | API_SESSION_QUERY,
     .rights = RIGHT_ANY,
     .function = complete,
     .parameters = complete_parameters,
     .title = "What may be typed next",
     .help = "`{from,to,kind,items:[{text,title?,help?,type?}]}`: the bytes from `from` to `to` of the expression may "
             "become one of the texts. `kind`: field, operator, value, connective. Values are those of the time asked "
             "for."},
};
const struct endpoint_family explain_family = {"explain", endpoints, ARRAY_LEN(endpoints)};
