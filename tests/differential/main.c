/* main.c: makes sessions and expressions from a seed and counts what each expression finds, for tests/differential/run.
 *
 *     differential SEED SESSIONS EXPRESSIONS FOLDER
 *
 * Writes into FOLDER: sessions.jsonl (documents), schema.json (paths and types of the fields), expressions.jsonl: one
 * object a line with `text`, `tree` (expressions.c), `elastic` (what Elasticsearch is asked) and `match`, the count of
 * the in-memory matcher.
 */
#include <stdlib.h>
#include <time.h>

#include "made.h"
#include "query/elastic.h"
#include "record/document.h"

#define OUT_MAX ((size_t)1 << 30)

static _Noreturn void end(const char *what) {
    (void)fprintf(stderr, "differential: %s\n", what);
    exit(1);
}

static void save(const char *folder, const char *name, const struct buf *b) {
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = b->overflowed ? NULL : fopen(path, "w");
    if (!f || fwrite(b->data, 1, b->len, f) != b->len || fclose(f) != 0) {
        end(path);
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

static void write_expression(const struct made *m, struct random *r, struct buf *out) {
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
    json_open(&j, '{');
    json_key(&j, "text");
    json_text(&j, buf_span(&text));
    json_key(&j, "match");
    json_u64(&j, count_matches(m, q));
    json_key(&j, "elastic");
    write_elastic(q, &j);
    json_key(&j, "tree");
    json_raw(&j, buf_span(&tree));
    json_close(&j, '}');
    buf_add_byte(out, '\n');
    query_free(q);
    buf_done(&text);
    buf_done(&tree);
}

int main(int argc, char **argv) {
    struct made m;
    struct buf out;
    if (argc != 5) {
        end("usage: differential SEED SESSIONS EXPRESSIONS FOLDER");
    }
    struct random r = {strtoull(argv[1], NULL, 10) ^ 0x5eed};
    if (setenv("TZ", "UTC", 1) != 0) {
        end("no environment");
    }
    tzset();
    made_sessions(&m, strtoull(argv[1], NULL, 10), strtoull(argv[2], NULL, 10));
    write_schema(&m, argv[4]);
    write_documents(&m, argv[4]);
    buf_init(&out, OUT_MAX);
    for (uint64_t left = strtoull(argv[3], NULL, 10); left; left--) {
        write_expression(&m, &r, &out);
    }
    save(argv[4], "expressions.jsonl", &out);
    buf_done(&out);
    made_done(&m);
    return 0;
}
