/* elastic_clause.c: see elastic_clause.h: one item asked of one field. Bounds, case and escapes are put as those
 * databases read them: dates without milliseconds mean the whole second, a backslash escapes everywhere.
 */
#include "query/elastic_clause.h"

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/util.h"
#include "query/item.h"

#define MS 1000

void elastic_fail(struct elastic *e, const char *why) {
    if (e->failed == 0) {
        e->failed = err_set(e->err, -ENOTSUP, "%s", why);
    }
}

void elastic_open(struct elastic *e, const char *kind, const char *field) {
    json_open(&e->json, '{');
    json_key(&e->json, kind);
    json_open(&e->json, '{');
    json_key(&e->json, field);
}

void elastic_close(struct elastic *e) {
    json_close(&e->json, '}');
    json_close(&e->json, '}');
}

const char *elastic_name(const struct query_field *f, char ret[ELASTIC_NAME_MAX]) {
    const char *end = "";
    if (f->access == ACCESS_ID) {
        return "_id";
    }
    if (f->access == ACCESS_COUNT) {
        end = f->field->flags & F_ECS_COUNT ? "-cnt" : "Cnt";
    } else if (f->access == ACCESS_TOKENS) {
        end = "Tokens";
    }
    (void)snprintf(ret, ELASTIC_NAME_MAX, "%s%s", f->field->def->path, end);
    return ret;
}

/* The field's whole text, where `f` looks at its words. */
static const char *raw_name(const struct query_field *f, char ret[ELASTIC_NAME_MAX]) {
    struct query_field raw = *f;
    raw.access = f->access == ACCESS_TOKENS ? ACCESS_VALUE : f->access;
    return elastic_name(&raw, ret);
}

/* --- numbers and times --- */

static void put_number(struct elastic *e, const struct query_field *f, long double n) {
    n *= f->access == ACCESS_SECONDS ? MS : 1;
    if (n == floorl(n) && fabsl(n) < 0x1p63L) {
        json_i64(&e->json, (int64_t)n);
    } else if (n == floorl(n) && n >= 0 && n < 0x1p64L) {
        json_u64(&e->json, (uint64_t)n);
    } else {
        json_double(&e->json, (double)n);
    }
}

/* A bound in ms. `whole`: the ms (0 or 999) at which the second alone says the same. */
static void put_time(struct elastic *e, long double n, int whole) {
    int64_t ms = (int64_t)n, rest = (ms % MS + MS) % MS;
    time_t seconds = (time_t)((ms - rest) / MS);
    struct tm tm = {0};
    char text[96];
    (void)localtime_r(&seconds, &tm);
    long zone = labs(tm.tm_gmtoff) / 60;
    size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest != whole) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, ".%03d", (int)rest);
    }
    (void)snprintf(text + len, sizeof(text) - len, "%c%02ld:%02ld", tm.tm_gmtoff < 0 ? '-' : '+', zone / 60, zone % 60);
    json_cstr(&e->json, text);
}

static void put_bound(struct elastic *e, const struct query_field *f, const struct query_item *item, bool low) {
    bool open = low ? item->low_open : item->high_open;
    long double n = low ? item->number.low : item->number.high;
    if (isinf(n)) {
        return;
    }
    json_key(&e->json, low ? (open ? "gt" : "gte") : (open ? "lt" : "lte"));
    if (query_field_class(f) == CLASS_TIME) {
        put_time(e, n, low == open ? MS - 1 : 0); /* gt and lte are rounded up to the second's end */
    } else {
        put_number(e, f, n);
    }
}

static bool is_single(const struct query_item *item) {
    return item->number.low == item->number.high && !item->low_open && !item->high_open;
}

static void number_clause(struct elastic *e, const struct query_field *f, const struct query_item *item) {
    char name[ELASTIC_NAME_MAX];
    enum query_class class = query_field_class(f);
    if (class == CLASS_BOOL || (class == CLASS_NUMBER && is_single(item))) {
        elastic_open(e, "term", elastic_name(f, name));
        if (class == CLASS_BOOL) {
            json_bool(&e->json, item->number.low != 0);
        } else {
            put_number(e, f, item->number.low);
        }
        elastic_close(e);
        return;
    }
    elastic_open(e, "range", elastic_name(f, name));
    json_open(&e->json, '{');
    put_bound(e, f, item, true);
    put_bound(e, f, item, false);
    json_close(&e->json, '}');
    elastic_close(e);
}

/* --- addresses --- */

static void write_ip(const uint8_t ip[16], char ret[64]) {
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    bool is_v4 = memcmp(ip, v4, sizeof(v4)) == 0;
    (void)inet_ntop(is_v4 ? AF_INET : AF_INET6, is_v4 ? ip + 12 : ip, ret, 64);
}

/* The number of leading bits both bounds share when they are a network, else -1. */
static int network_bits(const struct query_item *item) {
    int bits = 0;
    while (bits < 128 && !((item->ip.low[bits / 8] ^ item->ip.high[bits / 8]) & (0x80 >> bits % 8))) {
        bits++;
    }
    for (int i = bits; i < 128; i++) {
        int bit = 0x80 >> i % 8;
        if ((item->ip.low[i / 8] & bit) || !(item->ip.high[i / 8] & bit)) {
            return -1;
        }
    }
    return item->low_open || item->high_open ? -1 : bits;
}

/* As one text: an address or network. False: only bounds can say it. */
static bool network_text(const struct query_item *item, char ret[72]) {
    static const uint8_t v4[12] = {[10] = 0xff, [11] = 0xff};
    int bits = network_bits(item);
    bool is_v4 = memcmp(item->ip.low, v4, sizeof(v4)) == 0 && memcmp(item->ip.high, v4, sizeof(v4)) == 0;
    if (bits < 0 || item->ip.outside) {
        return false;
    }
    write_ip(item->ip.low, ret);
    if (bits < 128) {
        size_t len = strlen(ret);
        (void)snprintf(ret + len, 72 - len, "/%d", is_v4 ? bits - 96 : bits);
    }
    return true;
}

static void put_ip(struct elastic *e, const char *key, const uint8_t ip[16]) {
    char text[64];
    write_ip(ip, text);
    json_key(&e->json, key);
    json_cstr(&e->json, text);
}

static void ip_range(struct elastic *e, const char *name, const struct query_item *item, bool low, bool high) {
    static const uint8_t first[16] = {0};
    uint8_t last[16];
    memset(last, 0xff, sizeof(last));
    elastic_open(e, "range", name);
    json_open(&e->json, '{');
    if (low && memcmp(item->ip.low, first, 16) != 0) {
        put_ip(e, item->low_open ? "gt" : "gte", item->ip.low);
    }
    if (high && memcmp(item->ip.high, last, 16) != 0) {
        put_ip(e, item->high_open ? "lt" : "lte", item->ip.high);
    }
    json_close(&e->json, '}');
    elastic_close(e);
}

/* What is not between the bounds: below the one or above the other. */
static void ip_outside(struct elastic *e, const char *name, const struct query_item *item) {
    struct query_item below = *item, above = *item;
    memcpy(below.ip.high, item->ip.low, 16);
    memcpy(above.ip.low, item->ip.high, 16);
    below.high_open = above.low_open = true;
    json_open(&e->json, '{');
    json_key(&e->json, "bool");
    json_open(&e->json, '{');
    json_key(&e->json, "should");
    json_open(&e->json, '[');
    ip_range(e, name, &below, false, true);
    ip_range(e, name, &above, true, false);
    json_close(&e->json, ']');
    json_close(&e->json, '}');
    json_close(&e->json, '}');
}

void elastic_address(struct elastic *e, const struct query_field *f, const struct query_item *item) {
    char name[ELASTIC_NAME_MAX], text[72];
    (void)elastic_name(f, name);
    if (network_text(item, text)) {
        elastic_open(e, "term", name);
        json_cstr(&e->json, text);
        elastic_close(e);
    } else if (item->ip.outside) {
        ip_outside(e, name, item);
    } else {
        ip_range(e, name, item, true, true);
    }
}

void elastic_port(struct elastic *e, const struct query_field *f, const struct query_item *item) {
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", item->ip.port);
    elastic_open(e, "term", f->port->def->path);
    json_cstr(&e->json, text);
    elastic_close(e);
}

/* --- text --- */

static void add_folded(struct buf *to, const struct query_field *f, uint8_t c) {
    bool fold = query_field_folds(f), upper = false;
    if (fold && f->field) {
        struct span name = span_text(f->field->def->name);
        upper = f->field->type == FT_UPPER || span_ends(name, SPAN_LITERAL(".country")) ||
                span_ends(name, SPAN_LITERAL(".rir"));
    }
    if (fold && !upper && c >= 'A' && c <= 'Z') {
        c |= 0x20;
    } else if (fold && upper && c >= 'a' && c <= 'z') {
        c = (uint8_t)(c & ~0x20);
    }
    buf_add_byte(to, c);
}

static void add_hex(struct buf *to, uint8_t c) {
    buf_printf(to, "%02x", c);
}

static void add_plain(struct buf *to, const struct query_field *f, struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        if (f->access == ACCESS_HEX_TEXT) {
            add_hex(to, text.at[i]);
        } else {
            add_folded(to, f, text.at[i]);
        }
    }
}

/* In a pattern of ours a backslash escapes `*` and `?` only. */
static void add_wildcard(struct buf *to, const struct query_field *f, struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        int next = span_byte(text, i + 1);
        bool escape = c == '\\' && (next == '*' || next == '?');
        if (f->access == ACCESS_HEX_TEXT) {
            if (escape) {
                add_hex(to, text.at[++i]);
            } else if (c == '*') {
                buf_add_byte(to, c);
            } else if (c == '?') {
                buf_add_text(to, "??");
            } else {
                add_hex(to, c);
            }
        } else if (escape) {
            buf_add(to, text.at + i++, 2);
        } else if (c == '\\') {
            buf_add_text(to, "\\\\");
        } else {
            add_folded(to, f, c);
        }
    }
}

/* \d and the like, which older versions do not know. `inside`: of a [set]. False when it is none. */
static bool add_class(struct buf *to, uint8_t c, bool inside) {
    static const struct {
        char letter;
        const char *inside, *outside;
    } classes[] = {
        {'d', "0-9", "[0-9]"}, {'w', "0-9A-Z_a-z", "[0-9A-Z_a-z]"}, {'s', "\t-\r ", "[\t-\r ]"},
        {'D', NULL, "[^0-9]"}, {'W', NULL, "[^0-9A-Z_a-z]"},        {'S', NULL, "[^\t-\r ]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        const char *text = inside ? classes[i].inside : classes[i].outside;
        if (classes[i].letter == (char)c && text) {
            buf_add_text(to, text);
            return true;
        }
    }
    return false;
}

/* Our expressions in Lucene's writing: anchors mean nothing, its further operators are letters of ours. */
static void add_regex(struct elastic *e, struct buf *to, const struct query_field *f, struct span text) {
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.at[i];
        if (c == '\\' && i + 1 < text.len) {
            uint8_t next = text.at[++i];
            if (inside && strchr("DWS", next) && next) {
                elastic_fail(e, "\\D, \\W and \\S inside [ ] cannot be asked there");
            } else if (!add_class(to, next, inside)) {
                buf_add_byte(to, '\\');
                add_folded(to, f, next);
            }
        } else if (inside && c == ']' &&
                   (text.at[i - 1] == '[' || (text.at[i - 1] == '^' && i > 1 && text.at[i - 2] == '['))) {
            buf_add_text(to, "\\]"); /* the first one of a set is a letter */
        } else if (!inside && ((c == '^' && i == 0) || (c == '$' && i + 1 == text.len))) {
            continue;
        } else if (!inside && c && strchr("#@&<>~\"^$", c)) {
            buf_add_byte(to, '\\');
            buf_add_byte(to, c);
        } else {
            inside = c == '[' ? true : c == ']' ? false : inside;
            add_folded(to, f, c);
        }
    }
}

static bool is_number(struct span text) {
    uint64_t n;
    bool led = text.len > 1 && text.at[0] == '0';
    return !led && text.len < 16 && span_decimal(text, UINT64_MAX, &n);
}

/* Words: a phrase of the analysed twin; a number alone is a term of it. */
static void words_clause(struct elastic *e, const struct query_field *f, const struct query_item *item) {
    char name[ELASTIC_NAME_MAX];
    bool number = !item->quoted && is_number(item->written);
    elastic_open(e, number ? "term" : "match_phrase", elastic_name(f, name));
    if (number) {
        json_raw(&e->json, item->written);
    } else {
        struct buf text;
        buf_init(&text, item->written.len + 64);
        add_plain(&text, f, item->written);
        json_text(&e->json, buf_span(&text));
        buf_done(&text);
    }
    elastic_close(e);
}

static void put_text(struct elastic *e, const struct query_field *f, const struct query_item *item) {
    struct buf text;
    buf_init(&text, 16 * (item->written.len + 64));
    if (item->kind == ITEM_REGEX) {
        add_regex(e, &text, f, item->written);
    } else if (item->kind == ITEM_WILDCARD) {
        add_wildcard(&text, f, item->text);
    } else {
        add_plain(&text, f, item->text);
    }
    if (text.overflowed) {
        elastic_fail(e, "the text is too long");
    }
    json_text(&e->json, buf_span(&text));
    buf_done(&text);
}

static void text_clause(struct elastic *e, const struct query_field *f, const struct query_item *item) {
    char name[ELASTIC_NAME_MAX];
    if (item->kind == ITEM_REGEX && f->access == ACCESS_HEX_TEXT) {
        elastic_fail(e, "a regular expression over bytes cannot be asked there");
    }
    if (item->kind != ITEM_TEXT && f->access == ACCESS_ID) {
        elastic_fail(e, "ids can be asked for only as a whole there");
    }
    elastic_open(e,
                 item->kind == ITEM_REGEX      ? "regexp"
                 : item->kind == ITEM_WILDCARD ? "wildcard"
                                               : "term",
                 raw_name(f, name));
    put_text(e, f, item);
    elastic_close(e);
}

/* --- any --- */

bool elastic_is_term(const struct query_field *f, const struct query_item *item) {
    char text[72];
    switch (item->kind) {
    case ITEM_NUMBER:
        return query_field_class(f) == CLASS_NUMBER && is_single(item);
    case ITEM_IP:
        return item->ip.port == ITEM_NO_PORT && !item->ip.any && network_text(item, text);
    default:
        return item->kind == ITEM_TEXT;
    }
}

void elastic_item(struct elastic *e, const struct query_field *f, const struct query_item *item) {
    switch (item->kind) {
    case ITEM_NUMBER:
        number_clause(e, f, item);
        break;
    case ITEM_IP:
        elastic_address(e, f, item);
        break;
    case ITEM_TOKENS:
        words_clause(e, f, item);
        break;
    default:
        text_clause(e, f, item);
    }
}

void elastic_terms(struct elastic *e, const struct query_field *f, const struct query_item *items, size_t count) {
    char name[ELASTIC_NAME_MAX], text[72];
    elastic_open(e, "terms", raw_name(f, name));
    json_open(&e->json, '[');
    for (size_t i = 0; i < count; i++) {
        if (!elastic_is_term(f, &items[i])) {
            continue;
        }
        if (items[i].kind == ITEM_NUMBER) {
            put_number(e, f, items[i].number.low);
        } else if (items[i].kind == ITEM_IP) {
            (void)network_text(&items[i], text);
            json_cstr(&e->json, text);
        } else {
            put_text(e, f, &items[i]);
        }
    }
    json_close(&e->json, ']');
    elastic_close(e);
}
