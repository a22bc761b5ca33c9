/* info.c: one line that says what a session was about, for the table.
 *
 * A table of rules: the first whose protocol the session has and whose first field has a value gives the line. Fields
 * are named as in expressions; a rule whose protocol is not compiled in has no effect.
 */
#include <stdlib.h>

#include "base/util.h"
#include "cmd/output.h"
#include "record/core_fields.h"

#define PARTS_MAX 4
#define VALUE_MAX 200 /* bytes of one value */

struct part {
    const char *field, *before;
    unsigned most;      /* values */
    const char *silent; /* a value not worth saying; NULL = none */
};

struct rule {
    const char *protocol;
    struct part parts[PARTS_MAX];
};

static const struct rule rules[] = {
    {"http",
     {{"http.method", "", 1}, {"http.uri", " ", 2}, {"http.statuscode", " -> ", 2}, {"http.user-agent", "  ", 1}}},
    {"http", {{"host.http", "", 2}, {"http.statuscode", " -> ", 2}}},
    {"dns",
     {{"host.dns", "", 3}, {"dns.query.type", " ", 2}, {"ip.dns", " -> ", 3}, {"dns.status", " ", 1, "NOERROR"}}},
    {"tls", {{"host.http", "", 2}, {"tls.version", "  ", 1}, {"http.alpn", "  ", 2}}},
    {"tls", {{"cert.subject.cn", "", 2}, {"tls.version", "  ", 1}}},
    {"tls", {{"tls.version", "", 1}, {"tls.cipher", " ", 1}}},
    {"smtp", {{"email.src", "", 1}, {"email.dst", " -> ", 2}, {"email.subject", ": ", 2}}},
    {"smtp", {{"host.email", "", 2}}},
    {"ssh", {{"ssh.ver", "", 2}}},
    {"dhcp", {{"dhcp.type", "", 4}, {"dhcp.host", " ", 1}, {"dhcp.mac", " ", 1}}},
    {"dhcpv6", {{"dhcpv6.type", "", 4}, {"dhcpv6.host", " ", 1}}},
    {"ntp", {{"ntp.mode", "", 2}, {"ntp.stratum", " stratum ", 1}, {"ntp.ref-id", " ", 1}}},
    {"arp", {{"arp.opcode", "", 2}, {"arp.ip", " ", 2}}},
    {"icmp", {{"icmp.type", "type ", 2}, {"icmp.code", " code ", 2}}},
    {"websocket", {{"http.uri", "", 1}}},
};

struct resolved {
    struct column parts[PARTS_MAX];
    size_t count;
};

struct info {
    const struct field *protocols;
    struct resolved rules[ARRAY_LEN(rules)];
};

struct info *info_new(const struct registry *registry) {
    struct info *i = calloc(1, sizeof(*i));
    if (!i) {
        return NULL;
    }
    i->protocols = registry_field(registry, CORE_PROTOCOL);
    for (size_t r = 0; r < ARRAY_LEN(rules); r++) {
        for (size_t p = 0; p < PARTS_MAX && rules[r].parts[p].field; p++) {
            if (column_find(registry, rules[r].parts[p].field, &i->rules[r].parts[p], NULL) < 0) {
                i->rules[r].parts[p].count = 0;
            }
            i->rules[r].count = p + 1;
        }
    }
    return i;
}

struct info *info_free(struct info *i) {
    free(i);
    return NULL;
}

struct line {
    const struct show *show;
    struct buf *out;
    const struct part *part;
    unsigned count;
    size_t last, last_len; /* the value before, in `out` */
};

static bool add_value(void *ctx, const struct field *f, const struct value *v) {
    struct line *l = ctx;
    struct value cut = *v;
    bool text = f->type >= FT_KEYWORD && f->type <= FT_TEXT;
    if (text && cut.bytes.len > VALUE_MAX) {
        cut.bytes.len = VALUE_MAX;
    }
    size_t before = l->out->len;
    buf_add_text(l->out, l->count ? ", " : l->part->before);
    size_t at = l->out->len;
    value_text(l->show, f, &cut, l->out);
    struct span said = span_make(l->out->data + at, l->out->len - at);
    bool again = l->count && span_equal(said, span_make(l->out->data + l->last, l->last_len));
    if (again || (l->part->silent && span_is(said, l->part->silent))) {
        l->out->len = before;
        return true;
    }
    if (l->count == l->part->most) {
        l->out->len = before;
        buf_add_text(l->out, l->show->utf8 ? " \xe2\x80\xa6" : " ...");
        return false;
    }
    l->last = at;
    l->last_len = said.len;
    l->count++;
    return true;
}

static void add_parts(const struct rule *rule, const struct resolved *resolved, const struct record *r,
                      const struct show *show, struct buf *out) {
    for (size_t p = 0; p < resolved->count; p++) {
        struct line line = {.show = show, .out = out, .part = &rule->parts[p]};
        for (size_t f = 0; f < resolved->parts[p].count; f++) {
            record_values(r, resolved->parts[p].fields[f], add_value, &line);
        }
        if (p == 0 && line.count == 0) {
            return;
        }
    }
}

void info_text(const struct info *i, const struct record *r, const struct show *show, struct buf *out) {
    size_t before = out->len;
    for (size_t n = 0; n < ARRAY_LEN(rules) && out->len == before; n++) {
        if (cells_has_text(&r->cells, i->protocols, span_text(rules[n].protocol))) {
            add_parts(&rules[n], &i->rules[n], r, show, out);
        }
    }
}
