/* sessions.c: records made from a seed: every kind of value, single and several, missing ones, text in UTF-8 and
 * Latin-1, objects.
 */
#include <stdlib.h>

#include "made.h"

#include "base/util.h"

#define FIELD(path_, name_, type_, flags_) \
    { .path = path_, .name = name_, .type = type_, .flags = flags_, .title = "T", .help = "H" }

const struct field_def made_fields[MADE_FIELDS] = {
    [MADE_HTTP_HOST] = FIELD("http.host", "host.http", FT_LOWER, F_COUNT | F_TOKENS),
    [MADE_DNS_HOST] = FIELD("dns.host", "host.dns", FT_LOWER, F_COUNT | F_TOKENS),
    [MADE_URI] = FIELD("http.uri", "http.uri", FT_KEYWORD, F_COUNT | F_TOKENS),
    [MADE_STATUS] = FIELD("http.statuscode", "http.statuscode", FT_U64, F_COUNT),
    [MADE_DELTA] = FIELD("made.delta", "made.delta", FT_I64, F_COUNT),
    [MADE_SCORE] = FIELD("made.score", "made.score", FT_FLOAT, F_SINGLE),
    [MADE_DNS_IP] = FIELD("dns.ip", "ip.dns", FT_IP, F_COUNT),
    [MADE_FLAG] = FIELD("made.flag", "made.flag", FT_BOOL, F_SINGLE),
    [MADE_BOX] = FIELD("box", "box", FT_OBJECT, F_OBJECT_COUNT),
    [MADE_BOX_CODE] = FIELD("box.code", "box.code", FT_KEYWORD, F_SINGLE),
    [MADE_BOX_SIZE] = FIELD("box.size", "box.size", FT_U64, F_SINGLE),
};

uint64_t random_next(struct random *r) {
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

#define WORDS(name, ...)                                    \
    static const char *const name##_list[] = {__VA_ARGS__}; \
    const struct words made_##name = {name##_list, ARRAY_LEN(name##_list)}

WORDS(hosts, "www.example.com", "cdn.example.org", "mail.example.com", "a.b.c.test", "localhost", "example.com",
      "login-1.example.net", "www-2.test", "xn--bcher-kva.example", "ns1.test", "_ldap._tcp.test");
WORDS(uris, "/", "/index.html", "/a/b?x=1", "/Main*1.js", "/main*1.js", "/caf\xe9", "/caf\xc3\xa9", "/a b/c,d",
      "/q?[x]", "C:\\dir\\file", "/say\"hi\"", "www.example.com/js/app.js", "/A/B?X=1");
WORDS(users, "alice", "Bob", "o'brien", "svc_backup", "DOMAIN\\carol");
WORDS(tags, "one", "Two", "two", "three words", "zeek:intel", "*star*", "dst-ip", "100",
      "\xc3\xbc"
      "ber");
WORDS(codes, "X-1", "x-1", "Y-22", "ZZZ", "a_b");
WORDS(countries, "US", "de", "CH", "JP");
WORDS(protocols, "tcp", "udp", "http", "dns", "tls");

const char *words_pick(const struct words *w, struct random *r) {
    uint64_t a = random_below(r, w->count), b = random_below(r, w->count);
    return w->list[MIN(a, b)]; /* the first ones are more common */
}

void made_ip(struct random *r, uint8_t to[16]) {
    static const uint8_t nets[][2] = {{10, 0}, {10, 1}, {192, 168}, {172, 16}, {8, 8}};
    static const uint8_t v6[] = {0x20, 0x01, 0x0d, 0xb8};
    memset(to, 0, 16);
    if (random_chance(r, 15)) {
        memcpy(to, v6, sizeof(v6));
        to[5] = (uint8_t)random_below(r, 2);
        to[15] = (uint8_t)random_below(r, 5);
        return;
    }
    to[10] = to[11] = 0xff;
    memcpy(to + 12, nets[random_below(r, ARRAY_LEN(nets))], 2);
    to[14] = (uint8_t)random_below(r, 3);
    to[15] = (uint8_t)random_below(r, 6);
}

void made_mac(struct random *r, uint8_t to[6]) {
    memcpy(to, (const uint8_t[]){0, 0x1a, 0xe3, 0xdc, 0x2e, 0}, 6);
    to[5] = (uint8_t)(0xa0 + random_below(r, 6));
}

uint64_t made_port(struct random *r) {
    static const uint16_t common[] = {443, 80, 53, 22, 8080};
    return random_chance(r, 60) ? common[random_below(r, ARRAY_LEN(common))] : 1024 + random_below(r, 64);
}

static const struct field *field_of(const struct made *m, enum made_field f) {
    return registry_field(m->registry, (uint16_t)(m->base + f));
}

static void fill_text(struct made *m, struct random *r, struct cells *c) {
    static const struct {
        uint16_t field;
        bool core;
        const struct words *words;
        unsigned percent;
    } lists[] = {
        {MADE_HTTP_HOST, false, &made_hosts, 40}, {MADE_DNS_HOST, false, &made_hosts, 30},
        {MADE_URI, false, &made_uris, 35},        {CORE_USER, true, &made_users, 25},
        {CORE_TAGS, true, &made_tags, 45},        {CORE_PROTOCOL, true, &made_protocols, 95},
    };
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const struct field *f =
            lists[i].core ? registry_field(m->registry, lists[i].field) : field_of(m, (enum made_field)lists[i].field);
        for (unsigned left = 4; left && random_chance(r, lists[i].percent); left--) {
            (void)cells_put_text(c, f, span_text(words_pick(lists[i].words, r)));
        }
    }
    if (random_chance(r, 3)) { /* nearly unique ones */
        char text[40];
        (void)snprintf(text, sizeof(text), "h%06llx.unique.test", (unsigned long long)random_below(r, 1 << 24));
        (void)cells_put_text(c, field_of(m, MADE_DNS_HOST), span_text(text));
    }
    if (random_chance(r, 60)) {
        (void)cells_put_text(c, registry_field(m->registry, CORE_SRC_COUNTRY),
                             span_text(words_pick(&made_countries, r)));
    }
}

static void fill_numbers(struct made *m, struct random *r, struct cells *c) {
    static const uint16_t codes[] = {200, 200, 200, 301, 404, 500};
    uint8_t ip[16], mac[6];
    for (unsigned left = 3; left && random_chance(r, 35); left--) {
        (void)cells_put_u64(c, field_of(m, MADE_STATUS), codes[random_below(r, ARRAY_LEN(codes))]);
    }
    for (unsigned left = 3; left && random_chance(r, 30); left--) {
        (void)cells_put_i64(c, field_of(m, MADE_DELTA), (int64_t)random_below(r, 21) - 10);
    }
    if (random_chance(r, 40)) {
        (void)cells_put_double(c, field_of(m, MADE_SCORE), ((double)random_below(r, 81) - 40) / 8);
    }
    if (random_chance(r, 50)) {
        (void)cells_put_u64(c, field_of(m, MADE_FLAG), random_below(r, 2));
    }
    for (unsigned left = 3; left && random_chance(r, 35); left--) {
        made_ip(r, ip);
        (void)cells_put_ip(c, field_of(m, MADE_DNS_IP), ip);
    }
    for (unsigned left = 2; left && random_chance(r, 70); left--) {
        made_mac(r, mac);
        (void)cells_put_mac(c, registry_field(m->registry, CORE_SRC_MAC), mac);
    }
    if (random_chance(r, 20)) {
        (void)cells_put_u64(c, registry_field(m->registry, CORE_VLAN), 1 + random_below(r, 4));
    }
    for (unsigned left = 3; left && random_chance(r, 25); left--) {
        struct object o = cells_object(c, field_of(m, MADE_BOX), 0, NULL);
        if (random_chance(r, 80)) {
            cells_object_text(c, o, field_of(m, MADE_BOX_CODE), span_text(words_pick(&made_codes, r)));
        }
        if (random_chance(r, 60)) {
            cells_object_u64(c, o, field_of(m, MADE_BOX_SIZE), random_below(r, 10));
        }
    }
}

static void fill(struct made *m, struct random *r, size_t i) {
    struct record *s = &m->records[i];
    struct packet_position *where = &m->positions[2 * i];
    s->registry = m->registry;
    s->node = "made";
    (void)snprintf(s->id, sizeof(s->id), "made%018u", (unsigned)i);
    s->segment = random_chance(r, 5) ? 2 : 1;
    int64_t start = MADE_EPOCH * 1000 + (int64_t)(i * MADE_SPAN * UINT64_C(1000) / m->count);
    s->first_time = (start + (int64_t)random_below(r, 60000)) * 1000000;
    s->last_time = s->first_time + (int64_t)(random_below(r, random_chance(r, 20) ? 600000 : 3000)) * 1000000;
    s->ethertype = 2048;
    if (random_chance(r, 96)) {
        s->has_ip = true;
        made_ip(r, s->ip[SIDE_SRC]);
        made_ip(r, s->ip[SIDE_DST]);
        s->is_tcp = random_chance(r, 60);
        s->ip_protocol = s->is_tcp ? 6 : random_chance(r, 80) ? 17 : 1;
        s->has_port = s->ip_protocol != 1;
        s->port[SIDE_SRC] = (uint16_t)made_port(r);
        s->port[SIDE_DST] = (uint16_t)made_port(r);
    }
    for (unsigned side = 0; side < 2; side++) {
        s->packets[side] = (uint32_t)random_below(r, 12);
        s->bytes[side] = s->packets[side] * (60 + random_below(r, 900));
        s->data_bytes[side] = s->bytes[side] / 2;
        s->payload8_len[side] = (uint8_t)(random_chance(r, 50) ? 4 : 0);
        memcpy(s->payload8[side], random_chance(r, 50) ? "GET " : "\x16\x03\x01z", 4);
    }
    where[0] = (struct packet_position){.file = 1 + (uint32_t)(i * MADE_FILES / m->count), .position = 24 + i};
    where[1] = where[0];
    where[1].file += random_chance(r, 5) && where[0].file < MADE_FILES;
    s->positions = where;
    s->position_count = 2;
    s->name_files = true;
    cells_init(&s->cells, &m->pool);
    fill_text(m, r, &s->cells);
    fill_numbers(m, r, &s->cells);
}

void made_sessions(struct made *m, uint64_t seed, size_t count) {
    struct err e = {0};
    struct random r = {seed};
    uint16_t core;
    *m = (struct made){.registry = registry_new(), .count = count};
    m->records = calloc(count, sizeof(*m->records));
    m->positions = calloc(2 * count, sizeof(*m->positions));
    if (!m->records || !m->positions ||
        registry_add(m->registry, "core", core_field_table, core_field_count, &core, &e) < 0 ||
        registry_add(m->registry, "made", made_fields, MADE_FIELDS, &m->base, &e) < 0 ||
        registry_seal(m->registry, &e) < 0) {
        (void)fprintf(stderr, "differential: %s\n", e.text);
        exit(1);
    }
    pool_init(&m->pool, 0);
    for (size_t i = 0; i < count; i++) {
        fill(m, &r, i);
    }
}

void made_done(struct made *m) {
    for (size_t i = 0; i < m->count; i++) {
        cells_done(&m->records[i].cells);
    }
    free(m->records);
    free(m->positions);
    pool_done(&m->pool);
    registry_free(m->registry);
}
