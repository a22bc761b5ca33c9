/* ask_names.c: names in queries: fields by any of their names, and what expressions name that is no field. */
#include <errno.h>
#include <stdio.h>

#include "api/ask.h"
#include "api/saved.h"
#include "base/util.h"
#include "query/names.h"

/* --- expressions --- */

struct files_walk {
    query_file_fn each;
    void *ctx;
    int code;
};

static bool tell_file(void *ctx, const struct stored_file *f) {
    struct files_walk *w = ctx;
    struct query_file file = {f->number, span_text(f->name), span_text(f->node)};
    w->code = w->each(w->ctx, &file);
    return w->code >= 0;
}

static int names_files(void *ctx, query_file_fn each, void *each_ctx) {
    struct ask *a = ctx;
    struct files_walk w = {each, each_ctx, 0};
    int code = files_each(a->call->api->control, tell_file, &w);
    return w.code < 0 ? w.code : code;
}

static int names_view(void *ctx, struct span name, struct buf *ret_expression) {
    struct ask *a = ctx;
    return saved_view(a->call->api->control, a->call->who, name, ret_expression);
}

static int names_shortcuts(void *ctx, struct span name, query_shortcut_fn each, void *each_ctx) {
    struct ask *a = ctx;
    return saved_shortcuts(a->call->api->control, a->call->who, name, each, each_ctx);
}

int ask_parse(struct ask *a, struct span text, bool forced, struct query **ret_query, struct err *ret_err) {
    /* What users can name and change themselves has no place in what they are held to. */
    struct query_names names = {.ctx = a,
                                .files = names_files,
                                .view = forced ? NULL : names_view,
                                .shortcuts = forced ? NULL : names_shortcuts,
                                .no_email = !forced && !(a->call->who->rights & RIGHT_EMAIL)};
    return query_parse_with(text, a->registry, &names, now_ms(), ret_query, ret_err);
}

/* --- fields --- */

/* Names that fields had before, which scripts still use. */
static struct span former_name(struct span name) {
    static const struct {
        const char *former, *path;
    } names[] = {
        {"srcIp", "source.ip"},
        {"dstIp", "destination.ip"},
        {"srcPort", "source.port"},
        {"dstPort", "destination.port"},
        {"srcBytes", "source.bytes"},
        {"dstBytes", "destination.bytes"},
        {"totBytes", "network.bytes"},
        {"srcPackets", "source.packets"},
        {"dstPackets", "destination.packets"},
        {"totPackets", "network.packets"},
        {"srcDataBytes", "client.bytes"},
        {"dstDataBytes", "server.bytes"},
        {"srcGEO", "source.geo.country_iso_code"},
        {"dstGEO", "destination.geo.country_iso_code"},
        {"srcASN", "source.as.full"},
        {"dstASN", "destination.as.full"},
        {"communityId", "network.community_id"},
        {"srcMac", "source.mac"},
        {"dstMac", "destination.mac"},
        {"no", "node"},
        {"ta", "tags"},
        {"a1", "source.ip"},
        {"a2", "destination.ip"},
        {"p1", "source.port"},
        {"p2", "destination.port"},
        {"g1", "source.geo.country_iso_code"},
        {"g2", "destination.geo.country_iso_code"},
        {"fp", "firstPacket"},
        {"lp", "lastPacket"},
        {"by", "network.bytes"},
        {"db", "totDataBytes"},
        {"pa", "network.packets"},
        {"pr", "ipProtocol"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_is(name, names[i].former)) {
            return span_text(names[i].path);
        }
    }
    return name;
}

bool ask_may_see(const struct ask *a, const struct field *f) {
    return (a->call->who->rights & RIGHT_EMAIL) || !f || !span_starts(span_text(f->def->path), SPAN_LITERAL("email."));
}

int ask_field(struct ask *a, struct span name, struct query_field *ret) {
    struct named found = {0};
    struct span text = former_name(span_trim(name));
    char moved[128];
    if (span_starts(text, SPAN_LITERAL("db:"))) {
        text = former_name(span_from(text, 3));
    }
    if (span_starts(text, SPAN_LITERAL("tls.")) && text.len < sizeof(moved) - 4) { /* certificates were TLS's once */
        int len = snprintf(moved, sizeof(moved), "cert.%.*s", (int)text.len - 4, (const char *)text.at + 4);
        struct span as_cert = span_make(moved, (size_t)len);
        text = registry_by_path(a->registry, as_cert) != FIELD_NONE ? as_cert : text;
    }
    const struct field *f = registry_field(a->registry, registry_by_path(a->registry, text));
    if (f && !(f->flags & F_VIRTUAL)) {
        *ret = (struct query_field){.field = f, .access = ACCESS_VALUE};
    } else {
        int code = names_find(text, a->registry, &a->arena, &found);
        if (code < 0) {
            return code;
        }
        if (found.count == 0 || found.many) {
            return err_set(&a->err, -ENOENT, "Unknown field %.*s", (int)MIN(name.len, (size_t)60),
                           (const char *)name.at);
        }
        *ret = found.fields[0];
    }
    if (!ask_may_see(a, ret->field)) {
        return err_set(&a->err, -EACCES,
                       "%.*s - permission denied, ask your Arkime admin to give you access using + on Users tab",
                       (int)MIN(name.len, (size_t)60), (const char *)name.at);
    }
    return 0;
}

int ask_key(struct ask *a, struct span name, struct group_key *ret) {
    static const struct {
        const char *name, *ip, *port;
    } pairs[] = {
        {"ip.dst:port", "destination.ip", "destination.port"},
        {"ip.dst:dstPort", "destination.ip", "destination.port"},
        {"destination.ip:port", "destination.ip", "destination.port"},
        {"destination.ip:destination.port", "destination.ip", "destination.port"},
        {"ip.src:port", "source.ip", "source.port"},
        {"ip.src:srcPort", "source.ip", "source.port"},
        {"source.ip:port", "source.ip", "source.port"},
        {"source.ip:source.port", "source.ip", "source.port"},
    };
    *ret = (struct group_key){.kind = GROUP_FIELD};
    name = span_trim(name);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        if (span_is(name, pairs[i].name)) {
            ret->kind = GROUP_WITH_PORT;
            ret->field.field = registry_field(a->registry, registry_by_path(a->registry, span_text(pairs[i].ip)));
            ret->field.port = registry_field(a->registry, registry_by_path(a->registry, span_text(pairs[i].port)));
            return ret->field.field && ret->field.port ? 0 : -ENOENT;
        }
    }
    if (span_is(name, "fileand") || span_is(name, "file")) {
        name = SPAN_LITERAL("fileId");
    }
    int code = ask_field(a, name, &ret->field);
    if (code == 0 && ret->field.field && ret->field.field->type == FT_OBJECT && ret->field.access == ACCESS_VALUE) {
        return err_set(&a->err, -ENOENT, "%.*s has no values of its own: name one of its members",
                       (int)MIN(name.len, (size_t)60), (const char *)name.at);
    }
    return code;
}
