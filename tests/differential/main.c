/* main.c: makes sessions and expressions from a seed and counts what each expression finds, by the in-memory matcher
 * and by the store, whose answers must be the same; for tests/differential/run.
 *
 *     differential SEED SESSIONS EXPRESSIONS FOLDER
 *
 * Writes into FOLDER: sessions.jsonl (documents), schema.json (paths and types of the fields), expressions.jsonl: one
 * object a line with `text`, `tree` (expressions.c), `elastic` (what Elasticsearch is asked) and `match`, the count of
 * the in-memory matcher.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "query/elastic.h"
#include "record/document.h"
#include "stored.h"

#define OUT_MAX ((size_t)1 << 30)

static void save(const char *folder, const char *name, const struct buf *b) {
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = b->overflowed ? NULL : fopen(path, "w");
    if (!f || fwrite(b->data, 1, b->len, f) != b->len || fclose(f) != 0) {
        end_with(path, NULL);
    }
}

static void write_schema(const struct made *m, const char *folder) {
    struct buf out;
    buf_init(&out, OUT_MAX);
    struct json j = json_over(&out);
    json_open(&j, '[');
    for (size_t i = 0; i < registry_count(m->registry); i++) {
        static const char *const types[] = {[FT_U64] = "number",  [FT_I64] = "number", [FT_FLOAT] = "double",
                                            [FT_TIME] = "number", [FT_BOOL] = "flag",  [FT_IP] = "ip"};
        const struct field *f = registry_field(m->registry, (uint16_t)i);
        const char *type = f->type <= FT_IP ? types[f->type] : NULL;
        if (f->flags & F_VIRTUAL) {
            continue;
        }
        json_open(&j, '{');
        json_key(&j, "path");
        json_cstr(&j, f->def->path);
        json_key(&j, "type");
        json_cstr(&j, f->type == FT_OBJECT ? "object" : type ? type : "text");
        json_close(&j, '}');
    }
    json_close(&j, ']');
    save(folder, "schema.json", &out);
    buf_done(&out);
}

static void write_documents(const struct made *m, const char *folder) {
    struct document_plan *plan = document_plan_new(m->registry);
    struct buf out;
    buf_init(&out, OUT_MAX);
    for (size_t i = 0; plan && i < m->count; i++) {
        document_write(plan, &m->records[i], 0, &out);
        buf_add_byte(&out, '\n');
    }
    document_plan_free(plan);
    save(folder, "sessions.jsonl", &out);
    buf_done(&out);
}

static uint64_t count_matches(const struct made *m, const struct query *q) {
    uint64_t count = 0;
    for (size_t i = 0; i < m->count; i++) {
        count += query_match(q, &m->records[i]);
    }
    return count;
}

/* null where it cannot be asked. */
static void write_elastic(const struct query *q, struct json *j) {
    struct buf clause;
    struct err e = {0};
    buf_init(&clause, OUT_MAX);
    if (query_to_elastic(q, "lookups", &clause, &e) == 0) {
        json_raw(j, buf_span(&clause));
    } else {
        json_null(j);
    }
    buf_done(&clause);
}

/* 1 when our two back ends disagree. */
static unsigned write_expression(const struct made *m, const struct stored *s, struct random *r, bool restore,
                                 struct buf *out) {
    struct buf text, tree;
    struct query *q;
    struct err e = {0};
    buf_init(&text, QUERY_TEXT_MAX);
    buf_init(&tree, QUERY_TEXT_MAX);
    struct json tree_json = json_over(&tree), j = json_over(out);
    made_expression(r, &text, &tree_json);
    if (query_parse_with(buf_span(&text), m->registry, &made_names, MADE_NOW, &q, &e) < 0) {
        buf_add_byte(&text, 0);
        (void)fprintf(stderr, "differential: %s: column %d: %s\n", (const char *)text.data, e.column, e.text);
        exit(1);
    }
    uint64_t match = count_matches(m, q), segments = stored_count(s, buf_span(&text));
    uint64_t restored = restore ? stored_count_restored(s, buf_span(&text)) : match;
    if (segments != match || restored != match) {
        (void)fprintf(stderr, "match %" PRIu64 ", segments %" PRIu64 ", restored %" PRIu64 ": %.*s\n", match, segments,
                      restored, (int)text.len, (const char *)text.data);
    }
    json_open(&j, '{');
    json_key(&j, "text");
    json_text(&j, buf_span(&text));
    json_key(&j, "match");
    json_u64(&j, match);
    json_key(&j, "segments");
    json_u64(&j, segments);
    json_key(&j, "elastic");
    write_elastic(q, &j);
    json_key(&j, "tree");
    json_raw(&j, buf_span(&tree));
    json_close(&j, '}');
    buf_add_byte(out, '\n');
    query_free(q);
    buf_done(&text);
    buf_done(&tree);
    return segments != match || restored != match;
}

int main(int argc, char **argv) {
    struct made m;
    struct stored s;
    struct buf out;
    char store[4096];
    unsigned differ = 0;
    if (argc != 5) {
        end_with("usage: differential SEED SESSIONS EXPRESSIONS FOLDER", NULL);
    }
    struct random r = {strtoull(argv[1], NULL, 10) ^ 0x5eed};
    if (setenv("TZ", "UTC", 1) != 0) {
        end_with("no environment", NULL);
    }
    tzset();
    made_sessions(&m, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
    (void)snprintf(store, sizeof(store), "%s/store", argv[4]);
    stored_open(&s, &m, store);
    stored_check_ids(&s, &m);
    write_schema(&m, argv[4]);
    write_documents(&m, argv[4]);
    buf_init(&out, OUT_MAX);
    for (uint64_t left = strtoull(argv[3], NULL, 10); left; left--) {
        differ += write_expression(&m, &s, &r, left % 10 == 0, &out);
    }
    save(argv[4], "expressions.jsonl", &out);
    buf_done(&out);
    stored_close(&s);
    made_done(&m);
    return differ ? 1 : 0;
}
