/* certificates.c: see certificates.h. Sessions with a certificate are found by an expression that holds for any that is
 * of note; then each certificate in them is judged by itself.
 */
#include "api/certificates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"

#define PAGES 40 /* of sessions looked at, evenly over all that may be of note */
#define PAGE_SESSIONS 100
#define COUNTED_MAX 10000 /* certificates */
#define SHORT_DAYS 14     /* shorter than what automatic issuers give */

struct judging {
    struct certificates *found;
    const struct field *fields; /* of the registry */
    const struct field *cert, *hash, *issuer, *issuer_on, *subject, *subject_on, *before, *after, *days;
    const struct record *record;
    struct restorer *restorer;
    uint64_t step, at; /* the first sessions of each step are looked at; this is the next one */
    int code;
};

/* What of one certificate counts. */
struct certificate {
    struct span hash, issuer, issuer_on, subject, subject_on;
    uint64_t before, after, days;
    bool has_before, has_after, has_days;
};

static void member_read(const struct judging *g, const struct cell *cell, struct certificate *x) {
    const struct field *f = &g->fields[cell->field];
    struct value v = cell_value(cell, f);
    struct span *texts[] = {&x->hash, &x->issuer, &x->issuer_on, &x->subject, &x->subject_on};
    const struct field *of_texts[] = {g->hash, g->issuer, g->issuer_on, g->subject, g->subject_on};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        if (f == of_texts[i]) {
            *texts[i] = texts[i]->len ? *texts[i] : v.bytes; /* the first of several */
        }
    }
    if (f == g->before) {
        x->before = v.u64;
        x->has_before = true;
    } else if (f == g->after) {
        x->after = v.u64;
        x->has_after = true;
    } else if (f == g->days) {
        x->days = v.u64;
        x->has_days = true;
    }
}

static const char *certificate_note(const struct certificate *x, const struct record *r) {
    uint64_t first = (uint64_t)MAX(r->first_time / 1000000, (int64_t)0);
    uint64_t last = (uint64_t)MAX(r->last_time / 1000000, (int64_t)0);
    if (x->has_after && x->after < first) {
        return "expired";
    }
    if (x->has_before && x->before > last) {
        return "not yet valid";
    }
    if (x->subject.len && span_equal(x->issuer, x->subject) && span_equal(x->issuer_on, x->subject_on)) {
        return "self-signed";
    }
    return x->has_days && x->days < SHORT_DAYS ? "short-lived" : NULL;
}

static void found_add(struct certificates *c, const struct certificate *x, const char *note) {
    for (size_t i = 0; i < c->count; i++) {
        if (x->hash.len == c->list[i].hash_len && memcmp(x->hash.at, c->list[i].hash, x->hash.len) == 0) {
            c->list[i].sessions++;
            return;
        }
    }
    if (c->count == CERTIFICATES_MAX || x->hash.len >= sizeof(c->list->hash)) {
        c->more = true;
        return;
    }
    struct certificate_found *f = &c->list[c->count++];
    struct span name = x->subject.len ? x->subject : x->subject_on.len ? x->subject_on : x->hash;
    f->hash_len = x->hash.len;
    (void)snprintf(f->hash, sizeof(f->hash), "%.*s", (int)x->hash.len, (const char *)x->hash.at);
    (void)snprintf(f->subject, sizeof(f->subject), "%.*s", (int)MIN(name.len, sizeof(f->subject) - 1),
                   (const char *)name.at);
    f->note = note;
    f->sessions = 1;
}

static void judge_session(struct judging *g, const struct field *cert) {
    size_t count;
    const struct cell_head *heads = cells_heads(&g->record->cells, &count);
    for (size_t i = 0; i < count; i++) {
        if (heads[i].field != cert->id) {
            continue;
        }
        for (const struct cell *c = cells_first(&g->record->cells, &heads[i]); c;
             c = cells_next(&g->record->cells, c)) {
            struct certificate x = {.days = 0};
            for (const struct cell *m = cells_object_first(&g->record->cells, c); m;
                 m = cells_next(&g->record->cells, m)) {
                member_read(g, m, &x);
            }
            const char *note = x.hash.len ? certificate_note(&x, g->record) : NULL;
            if (note) {
                found_add(g->found, &x, note);
            }
        }
    }
}

static int by_sessions(const void *x, const void *y) {
    const struct certificate_found *a = x, *b = y;
    return a->sessions != b->sessions ? (a->sessions > b->sessions ? -1 : 1) : strcmp(a->hash, b->hash);
}

static const struct field *member(const struct ask *a, const char *path) {
    return registry_field(a->registry, registry_by_path(a->registry, span_text(path)));
}

static int compare_hash(const void *key, const void *member) {
    const struct span *hash = key;
    const struct certificate_found *f = member;
    size_t len = MIN(hash->len, f->hash_len);
    int order = len ? memcmp(hash->at, f->hash, len) : 0;
    return order ? order : (hash->len > f->hash_len) - (hash->len < f->hash_len);
}

static int by_hash(const void *x, const void *y) {
    const struct certificate_found *a = x;
    const struct span hash = span_make(a->hash, a->hash_len);
    return compare_hash(&hash, y);
}

/* Sessions of each: of all that may be of note, not only of those looked at. */
static int count_all(struct ask *a, struct search *s, struct certificates *ret) {
    struct groups *groups = NULL;
    struct group_request q = {.keys = {{.kind = GROUP_FIELD}}, .key_count = 1, .limit = COUNTED_MAX};
    q.keys[0].field.field = member(a, "cert.hash");
    int code = ret->count && q.keys[0].field.field ? search_groups(s, &q, &groups) : 0;
    if (ret->count) {
        qsort(ret->list, ret->count, sizeof(*ret->list), by_hash);
    }
    for (size_t i = 0; code == 0 && groups && i < groups->count; i++) {
        struct certificate_found *f =
            bsearch(&groups->list[i].keys[0].bytes, ret->list, ret->count, sizeof(*ret->list), compare_hash);
        if (f) {
            f->sessions = groups->list[i].count;
        }
    }
    groups_free(groups);
    return code;
}

static bool judge_row(void *ctx, const struct search_row *row) {
    struct judging *g = ctx;
    if (g->at++ % g->step >= PAGE_SESSIONS) {
        return true;
    }
    g->code = restorer_read(g->restorer, row->part, row->row, &g->record);
    if (g->code == 0) {
        judge_session(g, g->cert);
    }
    return g->code == 0;
}

static int judge_all(struct ask *a, struct search *s, struct certificates *ret) {
    const struct field *cert = member(a, "cert");
    struct judging g = {.found = ret,
                        .fields = registry_fields(a->registry),
                        .cert = cert,
                        .hash = member(a, "cert.hash"),
                        .issuer = member(a, "cert.issuerCN"),
                        .issuer_on = member(a, "cert.issuerON"),
                        .subject = member(a, "cert.subjectCN"),
                        .subject_on = member(a, "cert.subjectON"),
                        .before = member(a, "cert.notBefore"),
                        .after = member(a, "cert.notAfter"),
                        .days = member(a, "cert.validDays")};
    g.step = MAX(search_count(s) / PAGES, (uint64_t)PAGE_SESSIONS);
    int code = restorer_new(a->snapshot, &cert->id, 1, false, &g.restorer);
    code = code < 0 ? code : search_each(s, judge_row, &g);
    code = code < 0 ? code : g.code;
    ret->more |= g.step > PAGE_SESSIONS;
    restorer_free(g.restorer);
    return code < 0 ? code : count_all(a, s, ret);
}

int certificates_find(struct ask *a, struct certificates *ret) {
    static const char expression[] = "cert.notafter < starttime || cert.notbefore > stoptime || "
                                     "cert.issuer.cn == EXISTS! && cert.issuer.cn == cert.subject.cn || "
                                     "cert.validfor < 14";
    struct search *s = NULL;
    *ret = (struct certificates){.list = calloc(CERTIFICATES_MAX, sizeof(*ret->list))};
    if (!ret->list) {
        return -ENOMEM;
    }
    if (!member(a, "cert")) {
        return 0;
    }
    int code = ask_search(a, &(struct ask_variant){.expression = span_text(expression)}, &s);
    if (code == 0) {
        code = judge_all(a, s, ret);
    }
    if (code == 0 && ret->count) {
        qsort(ret->list, ret->count, sizeof(*ret->list), by_sessions);
    }
    search_free(s);
    return code;
}

void certificates_done(struct certificates *c) {
    free(c->list);
    c->list = NULL;
}
