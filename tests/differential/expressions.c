/* expressions.c: expressions made from a seed, written twice: as text in our language, and as a tree in JSON whose
 * leaves are plain ranges and pieces of text, so that the other side needs no knowledge of our syntax.
 */
#include <arpa/inet.h>
#include <time.h>

#include "made.h"

#include "base/util.h"

enum asked_kind { ASK_NUMBER, ASK_PORT, ASK_TIME, ASK_FLAG, ASK_TEXT, ASK_WORDS, ASK_IP, ASK_MAC, ASK_HEX, ASK_OBJECT };

struct asked {
    const char *name, *paths, *ports; /* paths in documents, separated by commas; ports of addresses, `-` for none */
    enum asked_kind kind;
    const struct words *words;
    bool fold, count;
    int low, high; /* what numbers are taken from */
    int scale;     /* documents have so many times what the expression says; 0 = 1 */
};

static const struct asked fields[] = {
    {"bytes", "network.bytes", NULL, ASK_NUMBER, .low = 0, .high = 20000},
    {"bytes.src", "source.bytes", NULL, ASK_NUMBER, .low = 0, .high = 10000},
    {"packets.dst", "destination.packets", NULL, ASK_NUMBER, .low = 0, .high = 12},
    {"packets", "network.packets", NULL, ASK_NUMBER, .low = 0, .high = 24},
    {"databytes", "totDataBytes", NULL, ASK_NUMBER, .low = 0, .high = 9000},
    {"ip.protocol", "ipProtocol", NULL, ASK_NUMBER, .low = 0, .high = 18},
    {"session.length", "length", NULL, ASK_NUMBER, .low = 0, .high = 4000},
    {"duration", "length", NULL, ASK_NUMBER, .low = 0, .high = 600, .scale = 1000},
    {"session.segments", "segmentCnt", NULL, ASK_NUMBER, .low = 0, .high = 3},
    {"vlan", "network.vlan.id", NULL, ASK_NUMBER, .low = 0, .high = 5},
    {"http.statuscode", "http.statuscode", NULL, ASK_NUMBER, .low = 199, .high = 501},
    {"made.delta", "made.delta", NULL, ASK_NUMBER, .low = -11, .high = 11},
    {"made.score", "made.score", NULL, ASK_NUMBER, .low = -6, .high = 6},
    {"box.size", "box.size", NULL, ASK_NUMBER, .low = 0, .high = 10},
    {"host.http.cnt", "http.host", NULL, ASK_NUMBER, .low = 0, .high = 4, .count = true},
    {"tags.cnt", "tags", NULL, ASK_NUMBER, .low = 0, .high = 4, .count = true},
    {"mac.src.cnt", "source.mac", NULL, ASK_NUMBER, .low = 0, .high = 3, .count = true},
    {"box.cnt", "box", NULL, ASK_NUMBER, .low = 0, .high = 3, .count = true},
    {"ip.dns.cnt", "dns.ip", NULL, ASK_NUMBER, .low = 0, .high = 3, .count = true},
    {"port.src", "source.port", NULL, ASK_PORT, .count = false},
    {"port", "source.port,destination.port", NULL, ASK_PORT, .count = false},
    {"starttime", "firstPacket", NULL, ASK_TIME, .count = false},
    {"stoptime", "lastPacket", NULL, ASK_TIME, .count = false},
    {"made.flag", "made.flag", NULL, ASK_FLAG, .count = false},
    {"host.http", "http.host", NULL, ASK_TEXT, .words = &made_hosts, .fold = true},
    {"host", "http.host,dns.host", NULL, ASK_TEXT, .words = &made_hosts, .fold = true},
    {"db:dns.host", "dns.host", NULL, ASK_TEXT, .words = &made_hosts, .fold = true},
    {"http.uri", "http.uri", NULL, ASK_TEXT, .words = &made_uris},
    {"user", "user", NULL, ASK_TEXT, .words = &made_users, .fold = true},
    {"tags", "tags", NULL, ASK_TEXT, .words = &made_tags},
    {"protocols", "protocol", NULL, ASK_TEXT, .words = &made_protocols},
    {"box.code", "box.code", NULL, ASK_TEXT, .words = &made_codes},
    {"country", "source.geo.country_iso_code,destination.geo.country_iso_code", NULL, ASK_TEXT,
     .words = &made_countries, .fold = true},
    {"host.http.tokens", "http.host", NULL, ASK_WORDS, .words = &made_hosts},
    {"http.uri.tokens", "http.uri", NULL, ASK_WORDS, .words = &made_uris},
    {"ip.src", "source.ip", "source.port", ASK_IP, .count = false},
    {"ip.dst", "destination.ip", "destination.port", ASK_IP, .count = false},
    {"ip.dns", "dns.ip", "-", ASK_IP, .count = false},
    {"ip", "source.ip,destination.ip,dns.ip", "source.port,destination.port,-", ASK_IP, .count = false},
    {"mac.src", "source.mac", NULL, ASK_MAC, .fold = true},
    {"mac", "source.mac,destination.mac", NULL, ASK_MAC, .fold = true},
    {"payload8.src.hex", "srcPayload8", NULL, ASK_HEX, .fold = true},
    {"payload8.utf8", "srcPayload8,dstPayload8", NULL, ASK_HEX, .fold = true},
    {"box", "box", NULL, ASK_OBJECT, .count = false},
    {"node", "node", NULL, ASK_TEXT, .words = &made_protocols},
};

static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">="};
enum { OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE };

struct making {
    struct random *r;
    struct buf *text;
    struct json *tree;
};

/* --- leaves --- */

static void tree_list(struct json *j, const char *key, const char *names) {
    json_key(j, key);
    json_open(j, '[');
    for (const char *at = names; *at;) {
        size_t len = strcspn(at, ",");
        json_text(j, span_make(at, len));
        at += len + (at[len] == ',');
    }
    json_close(j, ']');
}

static void tree_range(struct json *j, int op, int64_t low, int64_t high) {
    json_open(j, '{');
    json_key(j, "k");
    json_cstr(j, "number");
    if (op <= OP_NE || op >= OP_GT) {
        json_key(j, op == OP_GT ? "above" : "low");
        json_i64(j, op == OP_GT ? high : low);
    }
    if (op <= OP_LE) {
        json_key(j, op == OP_LT ? "below" : "high");
        json_i64(j, op == OP_LT ? low : high);
    }
    json_close(j, '}');
}

static void make_number(struct making *m, const struct asked *a, int op) {
    int64_t low = a->kind == ASK_PORT ? (int64_t)made_port(m->r)
                                      : a->low + (int64_t)random_below(m->r, (uint64_t)(a->high - a->low + 1));
    int64_t high = low;
    if (op <= OP_NE && random_chance(m->r, 30)) {
        high += (int64_t)random_below(m->r, a->kind == ASK_PORT ? 100 : (uint64_t)(a->high - a->low) / 3 + 2);
        buf_printf(m->text, "%lld-%lld", (long long)low, (long long)high);
    } else if (low > 1000 && random_chance(m->r, 30) && a->kind != ASK_PORT) {
        low = high = low / 1000 * 1000;
        buf_printf(m->text, "%lldk", (long long)low / 1000);
    } else {
        buf_printf(m->text, "%lld", (long long)low);
    }
    tree_range(m->tree, op, low, high);
}

static void make_time(struct making *m, int op) {
    time_t s = (time_t)(MADE_EPOCH + (int64_t)random_below(m->r, MADE_SPAN + 600));
    struct tm tm;
    char text[40];
    (void)gmtime_r(&s, &tm);
    (void)strftime(text, sizeof(text), random_chance(m->r, 50) ? "\"%Y/%m/%d %H:%M:%S\"" : "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_add_text(m->text, text);
    tree_range(m->tree, op, (int64_t)s * 1000, (int64_t)s * 1000 + 999);
}

static bool is_ascii(const char *text) {
    for (; *text; text++) {
        if ((uint8_t)*text >= 0x80) {
            return false;
        }
    }
    return true;
}

static bool is_letter(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

/* A letter inside quotes. */
static void add_quoted(struct buf *text, char c) {
    if (c && strchr("\"*?", c)) {
        buf_add_byte(text, '\\');
    }
    buf_add_byte(text, (uint8_t)c);
}

static void tree_piece(struct json *j, const char *key, struct span piece) {
    json_open(j, '{');
    json_key(j, key);
    json_text(j, piece);
    json_close(j, '}');
}

static void make_whole(struct making *m, const char *word) {
    buf_add_byte(m->text, '"');
    for (const char *at = word; *at; at++) {
        add_quoted(m->text, *at);
    }
    buf_add_byte(m->text, '"');
    json_open(m->tree, '{');
    json_key(m->tree, "k");
    json_cstr(m->tree, "text");
    json_key(m->tree, "v");
    json_cstr(m->tree, word);
    json_close(m->tree, '}');
}

/* Some letters become `*` or `?`. */
static void make_wildcard(struct making *m, const char *word) {
    size_t len = strlen(word), from = random_below(m->r, len + 1), to = from + random_below(m->r, len - from + 1);
    bool one = to < len && random_chance(m->r, 40);
    while (from && word[from - 1] == '\\') {
        from--; /* behind a backslash a star would be a letter */
    }
    buf_add_byte(m->text, '"');
    json_open(m->tree, '{');
    json_key(m->tree, "k");
    json_cstr(m->tree, "wildcard");
    json_key(m->tree, "v");
    json_open(m->tree, '[');
    for (size_t i = 0; i < len || i == from; i++) {
        if (i == from) {
            buf_add_byte(m->text, '*');
            tree_piece(m->tree, "any", SPAN_LITERAL("*"));
            i = to;
            if (one) {
                buf_add_byte(m->text, '?');
                tree_piece(m->tree, "any", SPAN_LITERAL("?"));
                i++;
            }
            from = SIZE_MAX;
            if (i >= len) {
                break;
            }
        }
        add_quoted(m->text, word[i]);
        tree_piece(m->tree, "is", span_make(word + i, 1));
    }
    buf_add_byte(m->text, '"');
    json_close(m->tree, ']');
    json_close(m->tree, '}');
}

/* The same pattern is understood by both sides: letters, escaped signs, `.`, `.*`, (a|b), [xy]. */
static void make_regex(struct making *m, const struct words *words, const char *word) {
    struct buf pattern;
    buf_init(&pattern, 4096);
    if (random_chance(m->r, 40)) {
        buf_add_text(&pattern, ".*");
    }
    for (const char *at = word + random_below(m->r, strlen(word)); *at; at++) {
        if (random_chance(m->r, 10)) {
            buf_add_text(&pattern, ".");
        } else if (is_letter(*at) && random_chance(m->r, 10)) {
            buf_printf(&pattern, "[q%c]", *at);
        } else {
            buf_add_text(&pattern, is_letter(*at) ? "" : "\\");
            buf_add_byte(&pattern, (uint8_t)*at);
        }
    }
    if (random_chance(m->r, 30)) {
        const char *other = words_pick(words, m->r);
        struct buf both;
        buf_init(&both, 8192);
        buf_printf(&both, "(%.*s|", (int)pattern.len, (const char *)pattern.data);
        for (const char *at = other; is_ascii(other) && *at; at++) {
            buf_add_text(&both, is_letter(*at) ? "" : "\\");
            buf_add_byte(&both, (uint8_t)*at);
        }
        buf_add_text(&both, ")");
        buf_done(&pattern);
        pattern = both;
    }
    buf_printf(m->text, "/%.*s/", (int)pattern.len, (const char *)pattern.data);
    tree_piece(m->tree, "regex", buf_span(&pattern));
    buf_done(&pattern);
}

static void make_text(struct making *m, const struct asked *a) {
    const char *word = words_pick(a->words, m->r);
    while (!utf8_valid(span_text(word))) {
        word = words_pick(a->words, m->r);
    }
    if (!is_ascii(word) || random_chance(m->r, 50)) {
        make_whole(m, word);
    } else if (random_chance(m->r, 65)) {
        make_wildcard(m, word);
    } else {
        make_regex(m, a->words, word);
    }
}

/* One or two words that stand beside each other. */
static void make_words(struct making *m, const struct asked *a) {
    const char *word = words_pick(a->words, m->r);
    size_t len = strlen(word), from = random_below(m->r, len + 1), count = 1 + random_below(m->r, 2);
    while (!is_ascii(word)) {
        word = words_pick(a->words, m->r);
        len = strlen(word);
        from = 0;
    }
    while (from > 0 && from < len && is_letter(word[from - 1])) {
        from--;
    }
    struct buf quoted;
    buf_init(&quoted, 4096);
    json_open(m->tree, '{');
    json_key(m->tree, "words");
    json_open(m->tree, '[');
    for (size_t n = 0; n < count; n++) {
        while (from < len && !is_letter(word[from])) {
            from++;
        }
        size_t to = from;
        while (to < len && is_letter(word[to])) {
            to++;
        }
        if (to > from || n == 0) {
            struct span one = to > from ? span_make(word + from, to - from) : SPAN_LITERAL("nothing");
            json_text(m->tree, one);
            buf_printf(&quoted, "%s%.*s", n ? " " : "", (int)one.len, (const char *)one.at);
        }
        from = to;
    }
    json_close(m->tree, ']');
    json_close(m->tree, '}');
    buf_printf(m->text, "\"%.*s\"", (int)quoted.len, (const char *)quoted.data);
    buf_done(&quoted);
}

static void make_mac(struct making *m) {
    uint8_t mac[6];
    char text[18];
    made_mac(m->r, mac);
    bool dashes = random_chance(m->r, 30);
    for (size_t i = 0; i < 6; i++) {
        (void)snprintf(text + 3 * i, sizeof(text) - 3 * i, dashes ? "%02X-" : "%02x:", mac[i]);
    }
    text[17] = 0;
    buf_add_text(m->text, text);
    for (size_t i = 2; i < 17; i += 3) {
        text[i] = ':';
    }
    json_open(m->tree, '{');
    json_key(m->tree, "k");
    json_cstr(m->tree, "text");
    json_key(m->tree, "v");
    json_cstr(m->tree, text);
    json_close(m->tree, '}');
}

static void make_hex(struct making *m, const struct asked *a) {
    bool get = random_chance(m->r, 60), utf8 = span_ends(span_text(a->name), SPAN_LITERAL("utf8"));
    const char *hex = get ? "47455420" : utf8 ? "4745" : "1603017A";
    buf_add_text(m->text, !utf8 ? hex : get ? "\"GET \"" : "GE");
    json_open(m->tree, '{');
    json_key(m->tree, "k");
    json_cstr(m->tree, "text");
    json_key(m->tree, "v");
    json_cstr(m->tree, hex);
    json_close(m->tree, '}');
}

/* --- addresses --- */

static void tree_net(struct json *j, const char *ip, unsigned bits, int64_t port) {
    json_open(j, '{');
    json_key(j, "k");
    json_cstr(j, "net");
    json_key(j, "ip");
    json_cstr(j, ip);
    json_key(j, "bits");
    json_u64(j, bits);
    if (port >= 0) {
        json_key(j, "port");
        json_i64(j, port);
    }
    json_close(j, '}');
}

static void tree_ip_range(struct json *j, const char *from, const char *to, bool open_from, bool open_to) {
    json_open(j, '{');
    json_key(j, "k");
    json_cstr(j, "ips");
    if (from) {
        json_key(j, open_from ? "above" : "low");
        json_cstr(j, from);
    }
    if (to) {
        json_key(j, open_to ? "below" : "high");
        json_cstr(j, to);
    }
    json_close(j, '}');
}

static void make_port_alone(struct making *m) {
    uint64_t port = made_port(m->r);
    buf_printf(m->text, ":%llu", (unsigned long long)port);
    json_open(m->tree, '{');
    json_key(m->tree, "k");
    json_cstr(m->tree, "port");
    json_key(m->tree, "port");
    json_u64(m->tree, port);
    json_close(m->tree, '}');
}

static void make_family(struct making *m) {
    bool six = random_chance(m->r, 50);
    buf_add_text(m->text, six ? "ipv6" : "ipv4");
    json_open(m->tree, '{');
    json_key(m->tree, "k");
    json_cstr(m->tree, "family");
    json_key(m->tree, "v");
    json_u64(m->tree, six ? 6 : 4);
    json_close(m->tree, '}');
}

static void make_ip(struct making *m, const struct asked *a, int op) {
    uint8_t ip[16];
    char text[INET6_ADDRSTRLEN], end[INET6_ADDRSTRLEN];
    bool ports = strcmp(a->ports, "-") != 0;
    made_ip(m->r, ip);
    bool v4 = ip[10] == 0xff;
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? ip + 12 : ip, text, sizeof(text));
    if (op > OP_NE) {
        bool up = op >= OP_GT, open = op == OP_GT || op == OP_LT;
        buf_add_text(m->text, text);
        tree_ip_range(m->tree, up ? text : NULL, up ? NULL : text, up && open, !up && open);
        return;
    }
    switch (random_below(m->r, 8)) {
    case 0:
        make_family(m);
        return;
    case 1:
        if (ports) {
            make_port_alone(m);
            return;
        }
        break;
    case 2:
        if (v4) {
            memcpy(end, text, sizeof(end));
            (void)snprintf(end, sizeof(end), "%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15] + 9u);
            buf_printf(m->text, "%s-%s", text, end);
            tree_ip_range(m->tree, text, end, false, false);
            return;
        }
        break;
    case 3:
        if (v4) {
            buf_printf(m->text, "%u.%u", ip[12], ip[13]);
            tree_net(m->tree, text, 16, -1);
            return;
        }
        break;
    case 4: {
        unsigned bits = v4 ? 8 + (unsigned)random_below(m->r, 25) : 16 + (unsigned)random_below(m->r, 113);
        buf_printf(m->text, "%s/%u", text, bits);
        tree_net(m->tree, text, bits, -1);
        return;
    }
    case 5:
        if (ports) {
            uint64_t port = made_port(m->r);
            buf_printf(m->text, v4 ? "%s:%llu" : "%s.%llu", text, (unsigned long long)port);
            tree_net(m->tree, text, v4 ? 32 : 128, (int64_t)port);
            return;
        }
        break;
    default:
        break;
    }
    buf_add_text(m->text, text);
    tree_net(m->tree, text, v4 ? 32 : 128, -1);
}

/* --- tests --- */

static void make_item(struct making *m, const struct asked *a, int op) {
    switch (a->kind) {
    case ASK_NUMBER:
    case ASK_PORT:
        make_number(m, a, op);
        break;
    case ASK_TIME:
        make_time(m, op);
        break;
    case ASK_FLAG: {
        bool yes = random_chance(m->r, 50);
        buf_add_text(m->text, yes ? "true" : "false");
        tree_range(m->tree, OP_EQ, yes, yes);
        break;
    }
    case ASK_WORDS:
        make_words(m, a);
        break;
    case ASK_IP:
        make_ip(m, a, op);
        break;
    case ASK_MAC:
        make_mac(m);
        break;
    case ASK_HEX:
        make_hex(m, a);
        break;
    default:
        make_text(m, a);
    }
}

static void open_any(struct making *m, const char *kind, const struct asked *a) {
    json_open(m->tree, '{');
    json_key(m->tree, "t");
    json_cstr(m->tree, kind);
    tree_list(m->tree, "paths", a->paths);
    if (a->ports) {
        tree_list(m->tree, "ports", a->ports);
    }
    json_key(m->tree, "fold");
    json_bool(m->tree, a->fold);
    json_key(m->tree, "count");
    json_bool(m->tree, a->count);
    json_key(m->tree, "scale");
    json_u64(m->tree, a->scale ? (uint64_t)a->scale : 1);
    json_key(m->tree, "items");
    json_open(m->tree, '[');
}

static void close_any(struct making *m) {
    json_close(m->tree, ']');
    json_close(m->tree, '}');
}

static void open_list(struct making *m, const char *kind) {
    json_open(m->tree, '{');
    json_key(m->tree, "t");
    json_cstr(m->tree, kind);
    json_key(m->tree, "of");
    json_open(m->tree, '[');
}

static void make_values(struct making *m, const struct asked *a, int op) {
    size_t count = 1 + random_below(m->r, 3);
    bool list = op <= OP_NE && random_chance(m->r, 35), all = list && random_chance(m->r, 30);
    if (!list) {
        open_any(m, "any", a);
        make_item(m, a, op);
        close_any(m);
        return;
    }
    buf_add_byte(m->text, all ? ']' : '[');
    if (all) {
        open_list(m, "and");
    } else {
        open_any(m, "any", a);
    }
    for (size_t i = 0; i < count; i++) {
        buf_add_text(m->text, i ? ", " : "");
        if (all) {
            open_any(m, "any", a);
        }
        make_item(m, a, op);
        if (all) {
            close_any(m);
        }
    }
    close_any(m);
    buf_add_byte(m->text, all ? '[' : ']');
}

static void make_test(struct making *m) {
    const struct asked *a = &fields[random_below(m->r, ARRAY_LEN(fields))];
    bool ordered = a->kind == ASK_NUMBER || a->kind == ASK_PORT || a->kind == ASK_TIME || a->kind == ASK_IP;
    bool exists = a->kind == ASK_OBJECT || (!a->count && random_chance(m->r, 8));
    int op = (int)random_below(m->r, ordered && !exists ? 6 : 2);
    buf_printf(m->text, "%s %s ", a->name, operators[op]);
    if (op == OP_NE) {
        open_list(m, "not");
    }
    if (exists) {
        buf_add_text(m->text, "EXISTS!");
        open_any(m, "exists", a);
        close_any(m);
    } else {
        make_values(m, a, op);
    }
    if (op == OP_NE) {
        close_any(m);
    }
}

/* --- what stands outside, and comparisons: text and tree as they are, the operator aside --- */

static const char *const outside[][2] = {
    {"file == */f3.pcap", "{\"t\":\"any\",\"paths\":[\"fileId\"],\"items\":[{\"k\":\"number\",\"low\":3,\"high\":3}]}"},
    {"file == /data/f1.pcap",
     "{\"t\":\"any\",\"paths\":[\"fileId\"],\"items\":[{\"k\":\"number\",\"low\":1,\"high\":1}]}"},
    {"file == /.*f[2-5].*/",
     "{\"t\":\"any\",\"paths\":[\"fileId\"],\"items\":[{\"k\":\"number\",\"low\":2,\"high\":5}]}"},
    {"file == *none*", "{\"t\":\"any\",\"paths\":[\"fileId\"],\"items\":[]}"},
    {"view == web",
     "{\"t\":\"any\",\"paths\":[\"destination.port\"],\"items\":[{\"k\":\"number\",\"low\":80,\"high\":80},"
     "{\"k\":\"number\",\"low\":443,\"high\":443}]}"},
    {"ip.src == $nets",
     "{\"t\":\"any\",\"paths\":[\"source.ip\"],\"ports\":[\"-\"],\"items\":[{\"k\":\"net\",\"ip\":\"10.0.0.0\","
     "\"bits\":16},{\"k\":\"net\",\"ip\":\"8.8.0.1\",\"bits\":32}]}"},
    {"port == [$ports, 80]",
     "{\"t\":\"any\",\"paths\":[\"source.port\",\"destination.port\"],\"items\":[{\"k\":\"number\",\"low\":"
     "22,\"high\":22},{\"k\":\"number\",\"low\":53,\"high\":53},{\"k\":\"number\",\"low\":80,\"high\":80}]}"},
    {"host == $hosts",
     "{\"t\":\"any\",\"paths\":[\"http.host\",\"dns.host\"],\"fold\":true,\"items\":[{\"k\":\"text\",\"v\":"
     "\"www.example.com\"},{\"k\":\"text\",\"v\":\"localhost\"}]}"},
};

struct comparison {
    const char *left, *right;           /* as expressions */
    const char *left_tree, *right_tree; /* terms: {"f":path}, {"c":number}, {"op":...,"of":[...]} */
    const char *kind;                   /* number, text, ip, sum */
};

static const struct comparison comparisons[] = {
    {"bytes.src", "bytes.dst", "{\"f\":\"source.bytes\"}", "{\"f\":\"destination.bytes\"}", "number"},
    {"port.src", "port.dst", "{\"f\":\"source.port\"}", "{\"f\":\"destination.port\"}", "number"},
    {"made.delta", "box.size", "{\"f\":\"made.delta\"}", "{\"f\":\"box.size\"}", "number"},
    {"starttime", "stoptime", "{\"f\":\"firstPacket\"}", "{\"f\":\"lastPacket\"}", "number"},
    {"ip.src", "ip.dst", "{\"f\":\"source.ip\"}", "{\"f\":\"destination.ip\"}", "ip"},
    {"ip.src", "ip.dns", "{\"f\":\"source.ip\"}", "{\"f\":\"dns.ip\"}", "ip"},
    {"host.http", "(host.dns)", "{\"f\":\"http.host\"}", "{\"f\":\"dns.host\"}", "text"},
    {"3000", "bytes", "{\"c\":3000}", "{\"f\":\"network.bytes\"}", "number"},
    {"bytes / packets", "300", "{\"op\":\"/\",\"of\":[{\"f\":\"network.bytes\"},{\"f\":\"network.packets\"}]}",
     "{\"c\":300}", "sum"},
    {"stoptime - starttime", "2",
     "{\"op\":\"-\",\"of\":[{\"f\":\"lastPacket\",\"ms\":true},{\"f\":\"firstPacket\",\"ms\":true}]}", "{\"c\":2}",
     "sum"},
    {"(bytes.src + 10) * 2", "bytes.dst",
     "{\"op\":\"*\",\"of\":[{\"op\":\"+\",\"of\":[{\"f\":\"source.bytes\"},{\"c\":10}]},{\"c\":2}]}",
     "{\"f\":\"destination.bytes\"}", "sum"},
    {"made.score * 4", "packets", "{\"op\":\"*\",\"of\":[{\"f\":\"made.score\"},{\"c\":4}]}",
     "{\"f\":\"network.packets\"}", "sum"},
};

static void make_outside(struct making *m) {
    size_t i = random_below(m->r, ARRAY_LEN(outside));
    buf_add_text(m->text, outside[i][0]);
    json_raw(m->tree, span_text(outside[i][1]));
}

static void make_comparison(struct making *m) {
    const struct comparison *c = &comparisons[random_below(m->r, ARRAY_LEN(comparisons))];
    int op = (int)random_below(m->r, strcmp(c->kind, "text") == 0 ? 2 : 6);
    buf_printf(m->text, "%s %s %s", c->left, operators[op], c->right);
    if (op == OP_NE) {
        open_list(m, "not");
    }
    json_open(m->tree, '{');
    json_key(m->tree, "t");
    json_cstr(m->tree, "compare");
    json_key(m->tree, "kind");
    json_cstr(m->tree, c->kind);
    json_key(m->tree, "op");
    json_cstr(m->tree, op == OP_NE ? "==" : operators[op]);
    json_key(m->tree, "left");
    json_raw(m->tree, span_text(c->left_tree));
    json_key(m->tree, "right");
    json_raw(m->tree, span_text(c->right_tree));
    json_close(m->tree, '}');
    if (op == OP_NE) {
        close_any(m);
    }
}

/* --- trees --- */

/* `inside`: the operator around it, 0 none, '&' or '|': decides whether parentheses are needed. */
static void make_tree(struct making *m, unsigned depth, char inside) {
    uint64_t choice = random_below(m->r, 100);
    if (depth == 0 || choice < 25) {
        if (random_chance(m->r, 8)) {
            make_outside(m);
        } else if (random_chance(m->r, 8)) {
            make_comparison(m);
        } else {
            make_test(m);
        }
        return;
    }
    if (choice < 35) {
        buf_add_text(m->text, "!(");
        open_list(m, "not");
        make_tree(m, depth - 1, 0);
        close_any(m);
        buf_add_byte(m->text, ')');
        return;
    }
    char op = choice < 70 ? '&' : '|';
    bool needed = inside == '&' && op == '|';
    bool brackets = needed || random_chance(m->r, 30);
    size_t count = 2 + random_below(m->r, 2);
    buf_add_text(m->text, brackets ? "(" : "");
    open_list(m, op == '&' ? "and" : "or");
    for (size_t i = 0; i < count; i++) {
        const char *sign = op == '&' ? " && " : " || ";
        buf_add_text(m->text, i ? sign : "");
        make_tree(m, depth - 1, op);
    }
    close_any(m);
    buf_add_text(m->text, brackets ? ")" : "");
}

void made_expression(struct random *r, struct buf *text, struct json *tree) {
    struct making m = {r, text, tree};
    make_tree(&m, (unsigned)random_below(r, 4), 0);
}

/* --- hooks --- */

static int each_file(void *ctx, query_file_fn each, void *each_ctx) {
    int code = 0;
    (void)ctx;
    for (uint32_t i = 1; i <= MADE_FILES && code == 0; i++) {
        char name[40];
        (void)snprintf(name, sizeof(name), "/data/f%u.pcap", i);
        code = each(each_ctx, &(struct query_file){i, span_text(name), SPAN_LITERAL("made")});
    }
    return code;
}

static int find_view(void *ctx, struct span name, struct buf *ret) {
    (void)ctx;
    if (!span_is(name, "web")) {
        return -1;
    }
    buf_add_text(ret, "port.dst == [80,443]");
    return 0;
}

static int each_shortcut(void *ctx, struct span name, query_shortcut_fn each, void *each_ctx) {
    static const struct query_shortcut list[] = {
        {SPAN_LITERAL("nets"), SPAN_LITERAL("1"), SHORTCUT_IP, SPAN_LITERAL("10.0.0.0/16\n8.8.0.1\n")},
        {SPAN_LITERAL("ports"), SPAN_LITERAL("2"), SHORTCUT_NUMBER, SPAN_LITERAL("22\n53\n")},
        {SPAN_LITERAL("hosts"), SPAN_LITERAL("3"), SHORTCUT_STRING, SPAN_LITERAL("www.example.com\nlocalhost\n")},
    };
    int code = 0;
    (void)ctx;
    (void)name;
    for (size_t i = 0; i < ARRAY_LEN(list) && code == 0; i++) {
        code = each(each_ctx, &list[i]);
    }
    return code;
}

const struct query_names made_names = {NULL, each_file, find_view, each_shortcut, false};
