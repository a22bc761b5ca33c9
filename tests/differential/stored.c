/* stored.c: see stored.h. */
#include "stored.h"

#include <errno.h>
#include <stdlib.h>

#include "base/util.h"
#include "store/control.h"
#include "store/search.h"

_Noreturn void end_with(const char *what, const struct err *e) {
    (void)fprintf(stderr, "differential: %s: %s\n", what, e ? e->text : "");
    exit(1);
}

static void want(int code, const char *what, const struct err *e) {
    if (code < 0) {
        end_with(what, e);
    }
}

static int make_registry(void *ctx, const struct field_def *fields, size_t count, struct registry **ret,
                         struct err *ret_err) {
    struct registry *r = registry_new();
    uint16_t id;
    (void)ctx;
    int code = r ? registry_add(r, "core", core_field_table, core_field_count, &id, ret_err) : -ENOMEM;
    code = code < 0 ? code : registry_add(r, "made", made_fields, MADE_FIELDS, &id, ret_err);
    for (size_t i = 0; i < count && code >= 0; i++) {
        code = registry_add_dynamic(r, "store", &fields[i], &id, ret_err);
    }
    code = code < 0 ? code : registry_seal(r, ret_err);
    *ret = code < 0 ? registry_free(r) : r;
    return code;
}

/* Two segments and, the rest, the log. */
static void append_all(struct stored *s, struct made *m) {
    struct err e = {0};
    for (size_t i = 0; i < m->count; i++) {
        want(store_append(s->writer, &m->records[i], &s->seqs[i]), "store_append", NULL);
        if (i == m->count / 3 || i == m->count * 3 / 4) {
            want(store_compact(s->writer, &e), "store_compact", &e);
        }
    }
    want(store_flush(s->writer), "store_flush", NULL);
}

/* Tags added to some sessions and taken from others. */
static void change_some(struct stored *s, struct made *m, const char *folder) {
    struct control *c;
    struct err e = {0};
    const struct field *tags = registry_field(m->registry, CORE_TAGS);
    uint64_t *chosen = calloc(m->count, sizeof(*chosen));
    want(chosen ? 0 : -ENOMEM, "memory", NULL);
    want(control_open(folder, &c, &e), "control_open", &e);
    for (unsigned round = 0; round < 2; round++) {
        struct overlay_change change = {.seqs = chosen, .path = "tags", .user = "test"};
        change.op = round ? OVERLAY_REMOVE : OVERLAY_ADD;
        change.value = round ? SPAN_LITERAL("one") : SPAN_LITERAL("two");
        for (size_t i = round; i < m->count; i += round ? 13 : 17) {
            chosen[change.count++] = s->seqs[i];
            if (round) {
                (void)cells_remove_text(&m->records[i].cells, tags, "one");
            } else {
                (void)cells_put_text(&m->records[i].cells, tags, SPAN_LITERAL("two"));
            }
        }
        want(overlay_write(c, &change, &e), "overlay_write", &e);
    }
    free(chosen);
    control_close(c);
}

void stored_open(struct stored *s, struct made *m, const char *folder) {
    static const struct store_options options = {.node = "made", .durability = DURABLE_NONE};
    struct err e = {0};
    *s = (struct stored){.seqs = calloc(m->count, sizeof(*s->seqs))};
    want(s->seqs ? 0 : -ENOMEM, "memory", NULL);
    want(store_writer_open(folder, true, &options, m->registry, &s->writer, &e), "store_writer_open", &e);
    append_all(s, m);
    change_some(s, m, folder);
    want(store_open(folder, make_registry, NULL, 0, &s->store, &e), "store_open", &e);
    s->snapshot = store_snapshot(s->store);
    if (snapshot_rows(s->snapshot) != m->count || snapshot_parts(s->snapshot) < 2) {
        end_with("the store has not all sessions, or not in segments and the log", NULL);
    }
}

void stored_close(struct stored *s) {
    struct err e = {0};
    snapshot_unref(s->snapshot);
    store_close(s->store);
    want(store_writer_close(s->writer, &e), "store_writer_close", &e);
    free(s->seqs);
}

static struct query *parse(const struct stored *s, struct span text) {
    struct query *q;
    struct err e = {0};
    want(query_parse_with(text, snapshot_registry(s->snapshot), &made_names, MADE_NOW, &q, &e), "expression", &e);
    return q;
}

uint64_t stored_count(const struct stored *s, struct span text) {
    struct query *q = parse(s, text);
    struct search_options options = {.snapshot = s->snapshot, .queries = {q}, .threads = 1};
    struct search *search;
    struct err e = {0};
    want(search_new(&options, &search, &e), "search_new", &e);
    want(search_run(search), "search_run", NULL);
    uint64_t count = search_count(search);
    search_free(search);
    query_free(q);
    return count;
}

uint64_t stored_count_restored(const struct stored *s, struct span text) {
    struct query *q = parse(s, text);
    struct restorer *r;
    const struct record *record;
    uint64_t count = 0;
    want(restorer_new(s->snapshot, NULL, 0, false, &r), "restorer_new", NULL);
    for (size_t part = 0; part < snapshot_parts(s->snapshot); part++) {
        for (uint32_t row = 0; row < part_info(snapshot_part(s->snapshot, part))->rows; row++) {
            want(restorer_read(r, part, row, &record), "restorer_read", NULL);
            count += query_match(q, record);
        }
    }
    restorer_free(r);
    query_free(q);
    return count;
}

void stored_check_ids(const struct stored *s, const struct made *m) {
    for (size_t i = 0; i < m->count; i += m->count / 7 + 1) {
        char text[128], name[SESSION_NAME_MAX];
        session_name_write(s->seqs[i], m->records[i].last_time / 1000000, name);
        (void)snprintf(text, sizeof(text), "id == %s%s", i % 2 ? "3@" : "", name);
        if (stored_count(s, span_text(text)) != 1 || stored_count_restored(s, span_text(text)) != 1) {
            end_with(text, NULL);
        }
        (void)snprintf(text, sizeof(text), "id != %s", name);
        if (stored_count(s, span_text(text)) != m->count - 1) {
            end_with(text, NULL);
        }
    }
}
