/*
 * The made-up network behind the benchmark's sessions: 6,000 clients, 120,000 servers, 200,000 names, all chosen by
 * Zipf's law; ten days with nights; 43 % DNS, 29 % TLS, 8 % QUIC, 6 % HTTP, 3 % scans, the rest SMB, LDAP, NTP, SSH,
 * SMTP and ICMP. Only integers and exact operations on doubles, so that a seed gives the same rows everywhere.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "row.h"

#define CLIENTS 6000
#define SERVERS 120000
#define NAMES 200000
#define MINUTES (WORLD_DAYS * 1440)
#define GUIDE 65536
#define AGENTS 2000
#define JA3S 3000

const struct column_def column_defs[COLUMN_COUNT] = {
#define X(id, path, kind, list) [COLUMN_##id] = {path, kind, list},
    COLUMNS(X)
#undef X
};

/* Cumulated weights of ranks, with a table of where to begin looking. */
struct zipf {
    double *sum;
    uint32_t *guide;
    uint32_t count;
};

struct world {
    uint64_t rows, seed;
    struct zipf clients, servers, names, agents;
    uint64_t minutes[MINUTES + 1]; /* row that each minute begins with */
};

static bool zipf_init(struct zipf *z, uint32_t count) {
    z->count = count;
    z->sum = calloc(count, sizeof(*z->sum));
    z->guide = calloc(GUIDE + 1, sizeof(*z->guide));
    if (!z->sum || !z->guide) {
        return false;
    }
    double sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += 1.0 / (i + 1);
        z->sum[i] = sum;
    }
    uint32_t at = 0;
    for (uint32_t g = 0; g <= GUIDE; g++) {
        while (at + 1 < count && z->sum[at] < sum * g / GUIDE) {
            at++;
        }
        z->guide[g] = at;
    }
    return true;
}

static uint32_t zipf_pick(const struct zipf *z, struct random *r) {
    uint32_t u = random_u32(r);
    double want = z->sum[z->count - 1] * ((double)u / 4294967296.0);
    uint32_t low = z->guide[u >> 16], high = z->guide[(u >> 16) + 1];
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (z->sum[middle] < want) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct world *world_new(uint64_t rows, uint64_t seed) {
    struct world *w = calloc(1, sizeof(*w));
    bool good = w && zipf_init(&w->clients, CLIENTS) && zipf_init(&w->servers, SERVERS) &&
                zipf_init(&w->names, NAMES) && zipf_init(&w->agents, AGENTS);
    if (!good) {
        world_free(w);
        return NULL;
    }
    w->rows = rows;
    w->seed = seed;
    /* by day four times as much as at night, most at two in the afternoon */
    uint64_t weights[MINUTES + 1] = {0};
    for (uint32_t m = 0; m < MINUTES; m++) {
        uint32_t minute = m % 1440, distance = minute > 840 ? minute - 840 : 840 - minute;
        weights[m + 1] = weights[m] + 300 + (distance < 600 ? 900 - distance * 3 / 2 : 0);
    }
    for (uint32_t m = 0; m <= MINUTES; m++) {
        w->minutes[m] = (uint64_t)((__uint128_t)rows * weights[m] / weights[MINUTES]);
    }
    return w;
}

void world_free(struct world *w) {
    if (w) {
        struct zipf *all[] = {&w->clients, &w->servers, &w->names, &w->agents};
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
            free(all[i]->sum);
            free(all[i]->guide);
        }
        free(w);
    }
}

/* --- putting values; those of one column come in a row --- */

static struct datum *put(struct row *r, enum column_id id) {
    if (r->count[id] == 0) {
        r->first[id] = r->value_count;
    }
    if (r->value_count == VALUES_MAX) {
        abort();
    }
    r->count[id]++;
    struct datum *d = &r->values[r->value_count++];
    memset(d, 0, sizeof(*d));
    return d;
}

static void put_number(struct row *r, enum column_id id, uint64_t n) {
    put(r, id)->number = n;
}

static const char *keep(struct row *r, const char *text, size_t len) {
    if (r->text_used + len + 1 > TEXT_MAX) {
        abort();
    }
    char *at = r->text + r->text_used;
    memcpy(at, text, len);
    at[len] = 0;
    r->text_used += len + 1;
    return at;
}

static void put_text(struct row *r, enum column_id id, const char *text) {
    struct datum *d = put(r, id);
    d->len = (uint32_t)strlen(text);
    d->text = keep(r, text, d->len);
}

__attribute__((format(printf, 3, 4))) static void put_format(struct row *r, enum column_id id, const char *format,
                                                             ...) {
    char text[512];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    put_text(r, id, text);
}

static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void put_hex(struct row *r, enum column_id id, uint64_t seed, unsigned bytes) {
    char text[130];
    for (unsigned i = 0; i < bytes; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", (unsigned)(mix(seed + i / 8) >> (i % 8 * 8)) & 0xff);
    }
    put_text(r, id, text);
}

static void put_v4(struct row *r, enum column_id id, uint32_t address) {
    static const uint8_t head[12] = {[10] = 0xff, [11] = 0xff};
    struct datum *d = put(r, id);
    memcpy(d->bytes, head, 12);
    for (unsigned i = 0; i < 4; i++) {
        d->bytes[12 + i] = (uint8_t)(address >> (24 - 8 * i));
    }
}

static void put_mac(struct row *r, enum column_id id, uint64_t n) {
    static const uint32_t makers[] = {0x001b21, 0x3c5282, 0xa4bb6d, 0xf01898, 0x00155d, 0x525400};
    struct datum *d = put(r, id);
    uint32_t maker = makers[n % 6];
    uint32_t rest = (uint32_t)mix(n) & 0xffffff;
    for (unsigned i = 0; i < 3; i++) {
        d->bytes[i] = (uint8_t)(maker >> (16 - 8 * i));
        d->bytes[3 + i] = (uint8_t)(rest >> (16 - 8 * i));
    }
}

/* --- parts of sessions --- */

static const char *const syllables[] = {"ka",  "lo",   "mi",   "net",  "ser",  "web",  "data", "cloud", "img", "api",
                                        "cdn", "mail", "shop", "news", "play", "exam", "ple",  "ver",   "ton", "rex"};
static const char *const ends[] = {"com", "net", "org", "ch", "de", "io", "example", "fr"};

/* Name number `n`; 8 % of its uses have a label of their own in front. */
static size_t host_name(char *ret, size_t size, uint32_t n, struct random *r) {
    uint64_t h = mix(n + 7777);
    char label[32] = "";
    if (random_below(r, 100) < 8) {
        (void)snprintf(label, sizeof(label), "%012llx.", (unsigned long long)random_u64(r) & 0xffffffffffff);
    }
    return (size_t)snprintf(ret, size, "%s%s%s%s%u.%s", label, n % 3 ? "www." : "", syllables[h % 20],
                            syllables[(h >> 8) % 20], n, ends[(h >> 16) % 8]);
}

static uint32_t client_address(uint32_t n) {
    return 0x0a000000u | (n % 7) << 16 | (n / 250) << 8 | (n % 250 + 1); /* seven networks */
}

static uint32_t server_address(uint32_t n) {
    uint32_t h = (uint32_t)mix(n + 99);
    return (n % 5 == 0 ? 0xac100000u | (h & 0xfffff) : 0x10000000u | (h & 0x7fffffff)) | 1;
}

static void put_place(struct row *r, uint32_t server, bool source) {
    static const char *const countries[] = {"US", "DE", "CH", "FR", "GB", "NL", "IE", "JP", "CN", "BR", "IN", "SE"};
    static const char *const rirs[] = {"ARIN", "RIPE", "APNIC", "LACNIC", "AFRINIC"};
    uint32_t as = (uint32_t)mix(server / 40) % 3000;
    if (server % 5 == 0) {
        return; /* inside */
    }
    put_text(r, source ? COLUMN_SRC_COUNTRY : COLUMN_DST_COUNTRY, countries[mix(as) % 12]);
    if (server % 3 == 0) {
        put_format(r, source ? COLUMN_SRC_CITY : COLUMN_DST_CITY, "City %u", as % 400);
    }
    put_number(r, source ? COLUMN_SRC_ASN : COLUMN_DST_ASN, as + 1000);
    put_format(r, source ? COLUMN_SRC_AS : COLUMN_DST_AS, "AS%u Company %u", as + 1000, as);
    put_format(r, source ? COLUMN_SRC_AS_NAME : COLUMN_DST_AS_NAME, "Company %u", as);
    put_text(r, source ? COLUMN_SRC_RIR : COLUMN_DST_RIR, rirs[mix(as) % 5]);
}

struct making {
    const struct world *w;
    struct row *row;
    struct random r;
    uint32_t client, server, name;
    uint16_t port;
    bool tcp;
    uint32_t src_packets, dst_packets;
};

static void put_dns(struct making *m) {
    static const char *const types[] = {"A", "A", "A", "A", "AAAA", "AAAA", "PTR", "TXT", "HTTPS", "MX"};
    char name[200];
    host_name(name, sizeof(name), m->name, &m->r);
    put_text(m->row, COLUMN_PROTOCOL, "udp");
    put_text(m->row, COLUMN_PROTOCOL, "dns");
    put_text(m->row, COLUMN_DNS_QUERY, name);
    put_text(m->row, COLUMN_DNS_HOST, name);
    uint32_t cnames = random_below(&m->r, 4);
    for (uint32_t i = 1; i < cnames; i++) {
        put_format(m->row, COLUMN_DNS_HOST, "edge%u-%u.cdn%u.example", m->name % 977, i, m->name % 13);
    }
    put_text(m->row, COLUMN_DNS_TYPE, types[random_below(&m->r, 10)]);
    put_text(m->row, COLUMN_DNS_CLASS, "IN");
    put_text(m->row, COLUMN_DNS_OPCODE, "QUERY");
    bool found = random_below(&m->r, 100) < 88;
    put_text(m->row, COLUMN_DNS_STATUS, found ? "NOERROR" : "NXDOMAIN");
    uint32_t answers = found ? 1 + random_below(&m->r, 3) : 0;
    for (uint32_t i = 0; i < answers; i++) {
        put_v4(m->row, COLUMN_DNS_IP, server_address(m->name % SERVERS + i));
    }
}

static void put_cert(struct making *m, const char *name) {
    uint32_t authority = m->name % 60;
    int64_t before = WORLD_START_MS - (int64_t)(mix(m->name) % 300) * 86400000;
    uint32_t days = m->name % 4 ? 90 : 365;
    put_format(m->row, COLUMN_CERT_ISSUER, "ca %u", authority);
    put_format(m->row, COLUMN_CERT_ORGANISATION, "Authority %u", authority / 3);
    put_text(m->row, COLUMN_CERT_SUBJECT, name);
    put_hex(m->row, COLUMN_CERT_SERIAL, m->name, 16);
    put_hex(m->row, COLUMN_CERT_HASH, m->name + 1000000, 20);
    put_text(m->row, COLUMN_CERT_ALT, name);
    put_format(m->row, COLUMN_CERT_ALT, "alt%u.example", m->name);
    put_number(m->row, COLUMN_CERT_BEFORE, (uint64_t)before);
    put_number(m->row, COLUMN_CERT_AFTER, (uint64_t)before + (uint64_t)days * 86400000);
    put_number(m->row, COLUMN_CERT_DAYS, days);
}

static void put_tls(struct making *m) {
    static const char *const ciphers[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                          "TLS_CHACHA20_POLY1305_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    char name[200];
    bool old = random_below(&m->r, 100) < 25;
    uint32_t agent = zipf_pick(&m->w->agents, &m->r);
    host_name(name, sizeof(name), m->name, &m->r);
    put_text(m->row, COLUMN_PROTOCOL, "tcp");
    put_text(m->row, COLUMN_PROTOCOL, "tls");
    put_text(m->row, COLUMN_HTTP_HOST, name);
    put_text(m->row, COLUMN_TLS_VERSION, old ? "TLSv1.2" : "TLSv1.3");
    put_text(m->row, COLUMN_TLS_CIPHER, ciphers[old ? 3 : mix(m->server) % 3]);
    put_hex(m->row, COLUMN_TLS_JA3, agent % JA3S, 16);
    put_hex(m->row, COLUMN_TLS_JA3S, 50000 + m->server % 500, 16);
    put_format(m->row, COLUMN_TLS_JA4, "t13d%04u_%08x_%08x", agent % JA3S, (unsigned)mix(agent % JA3S),
               (unsigned)mix(agent % JA3S + 5));
    put_hex(m->row, COLUMN_TLS_SRC_SESSION, random_u64(&m->r), 32);
    if (old) {
        put_hex(m->row, COLUMN_TLS_DST_SESSION, random_u64(&m->r), 32);
        put_cert(m, name);
    }
}

static void put_quic(struct making *m) {
    char name[200];
    host_name(name, sizeof(name), m->name, &m->r);
    put_text(m->row, COLUMN_PROTOCOL, "udp");
    put_text(m->row, COLUMN_PROTOCOL, "quic");
    put_text(m->row, COLUMN_QUIC_HOST, name);
    put_text(m->row, COLUMN_QUIC_VERSION, "1");
    put_format(m->row, COLUMN_QUIC_AGENT, "browser/%u", zipf_pick(&m->w->agents, &m->r));
    put_hex(m->row, COLUMN_TLS_JA3, 70000 + m->client % 300, 16);
}

static void put_http(struct making *m) {
    static const char *const methods[] = {"GET", "GET", "GET", "POST", "HEAD", "PUT"};
    static const char *const requests[] = {"accept", "accept-encoding", "accept-language", "connection",
                                           "host",   "user-agent"};
    static const char *const responses[] = {"content-length", "content-type", "date", "server"};
    static const uint16_t codes[] = {200, 200, 200, 200, 301, 302, 304, 404, 500};
    char name[200];
    uint32_t times = 1 + random_below(&m->r, 3);
    host_name(name, sizeof(name), m->name, &m->r);
    put_text(m->row, COLUMN_PROTOCOL, "tcp");
    put_text(m->row, COLUMN_PROTOCOL, "http");
    put_text(m->row, COLUMN_HTTP_HOST, name);
    for (uint32_t i = 0; i < times; i++) {
        put_format(m->row, COLUMN_HTTP_URI, "%s/p%u/item?id=%llx&n=%u", name, m->name % 50,
                   (unsigned long long)random_u64(&m->r) >> 24, i);
    }
    for (uint32_t i = 0; i < times; i++) {
        put_format(m->row, COLUMN_HTTP_PATH, "/p%u/item%u", m->name % 50, i);
    }
    put_text(m->row, COLUMN_HTTP_KEY, "id");
    put_text(m->row, COLUMN_HTTP_KEY, "n");
    put_text(m->row, COLUMN_HTTP_METHOD, methods[random_below(&m->r, 6)]);
    put_number(m->row, COLUMN_HTTP_STATUS, codes[random_below(&m->r, 9)]);
    put_format(m->row, COLUMN_HTTP_AGENT, "Mozilla/5.0 (X11; Linux x86_64; build %u) Browser/%u",
               zipf_pick(&m->w->agents, &m->r), m->client % 40);
    for (size_t i = 0; i < 6; i++) {
        put_text(m->row, COLUMN_HTTP_REQUEST, requests[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        put_text(m->row, COLUMN_HTTP_RESPONSE, responses[i]);
    }
    put_text(m->row, COLUMN_HTTP_CLIENT, "1.1");
    put_text(m->row, COLUMN_HTTP_SERVER, "1.1");
    put_text(m->row, COLUMN_HTTP_MAGIC, m->name % 3 ? "text/html" : "image/png");
    put_hex(m->row, COLUMN_HTTP_MD5, m->name % 5000 + random_below(&m->r, 1000), 16);
    put_text(m->row, COLUMN_HTTP_COOKIE, "sid");
}

static void put_scan(struct making *m) {
    put_text(m->row, COLUMN_PROTOCOL, "tcp");
}

static void put_smb(struct making *m) {
    put_text(m->row, COLUMN_PROTOCOL, "smb");
    put_text(m->row, COLUMN_PROTOCOL, "tcp");
    put_format(m->row, COLUMN_USER, "user%u", m->client % 3000);
    put_format(m->row, COLUMN_SMB_HOST, "FS%u", m->server % 40);
    put_format(m->row, COLUMN_SMB_SHARE, "\\\\FS%u\\share%u", m->server % 40, m->server % 7);
    put_format(m->row, COLUMN_SMB_FILE, "dir%u\\file%u.docx", m->client % 100, random_below(&m->r, 50000));
}

static void put_ssh(struct making *m) {
    put_text(m->row, COLUMN_PROTOCOL, "ssh");
    put_text(m->row, COLUMN_PROTOCOL, "tcp");
    put_format(m->row, COLUMN_SSH_VERSION, "ssh-2.0-openssh_%u.%u", 7 + m->server % 3, m->server % 10);
    put_hex(m->row, COLUMN_SSH_HASSH, 90000 + m->client % 50, 16);
}

static void put_mail(struct making *m) {
    put_text(m->row, COLUMN_PROTOCOL, "smtp");
    put_text(m->row, COLUMN_PROTOCOL, "tcp");
    put_format(m->row, COLUMN_EMAIL_FROM, "user%u@example.com", m->client % 3000);
    put_format(m->row, COLUMN_EMAIL_TO, "user%u@site%u.example", random_below(&m->r, 3000), m->name % 400);
    put_format(m->row, COLUMN_EMAIL_SUBJECT, "Report %u of %u", random_below(&m->r, 100000), m->client % 100);
}

static void put_icmp(struct making *m) {
    put_text(m->row, COLUMN_PROTOCOL, "icmp");
    put_number(m->row, COLUMN_ICMP_TYPE, random_below(&m->r, 2) * 8);
    put_number(m->row, COLUMN_ICMP_CODE, 0);
}

static void put_ldap(struct making *m) {
    put_text(m->row, COLUMN_PROTOCOL, "ldap");
    put_text(m->row, COLUMN_PROTOCOL, "tcp");
    put_format(m->row, COLUMN_USER, "svc%u", m->client % 60);
}

static void put_ntp(struct making *m) {
    put_text(m->row, COLUMN_PROTOCOL, "ntp");
    put_text(m->row, COLUMN_PROTOCOL, "udp");
}

struct recipe {
    uint32_t permille;
    uint16_t port;
    uint8_t ip_protocol;
    uint32_t packets_low, packets_high, bytes; /* a packet, about */
    void (*fill)(struct making *m);
};

static const struct recipe recipes[] = {
    {430, 53, 17, 2, 2, 110, put_dns},  {290, 443, 6, 12, 200, 520, put_tls}, {80, 443, 17, 8, 160, 700, put_quic},
    {60, 80, 6, 8, 120, 620, put_http}, {30, 0, 6, 1, 2, 60, put_scan},       {40, 445, 6, 10, 150, 300, put_smb},
    {30, 389, 6, 8, 40, 200, put_ldap}, {15, 123, 17, 2, 2, 90, put_ntp},     {10, 22, 6, 20, 300, 180, put_ssh},
    {10, 25, 6, 15, 60, 400, put_mail}, {5, 0, 1, 2, 20, 98, put_icmp},
};

static const struct recipe *choose(uint32_t n) {
    size_t i = 0;
    while (n >= recipes[i].permille) {
        n -= recipes[i++].permille;
    }
    return &recipes[i];
}

static int64_t last_time(const struct world *w, uint64_t index, struct random *r) {
    uint32_t low = 0, high = MINUTES - 1;
    while (low < high) {
        uint32_t middle = (low + high + 1) / 2;
        if (w->minutes[middle] <= index) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    uint64_t in = w->minutes[low + 1] - w->minutes[low], at = index - w->minutes[low];
    uint64_t ms = in ? at * 60000 / in : 0;
    ms += random_below(r, 60000);
    return WORLD_START_MS + (int64_t)low * 60000 + (int64_t)ms;
}

static void put_numbers(struct making *m, const struct recipe *kind) {
    struct row *row = m->row;
    uint32_t packets = random_skewed(&m->r, kind->packets_low, kind->packets_high);
    m->src_packets = (packets + 1) / 2;
    m->dst_packets = packets / 2;
    uint64_t src = (uint64_t)m->src_packets * (60 + random_below(&m->r, kind->bytes / 4 + 1));
    uint64_t dst = (uint64_t)m->dst_packets * (60 + random_below(&m->r, kind->bytes * 2));
    uint32_t head = m->tcp ? 54 : 42;
    put_number(row, COLUMN_SRC_BYTES, src);
    put_number(row, COLUMN_DST_BYTES, dst);
    put_number(row, COLUMN_SRC_PACKETS, m->src_packets);
    put_number(row, COLUMN_DST_PACKETS, m->dst_packets);
    put_number(row, COLUMN_SRC_DATA, src > head * m->src_packets ? src - head * m->src_packets : 0);
    put_number(row, COLUMN_DST_DATA, dst > head * m->dst_packets ? dst - head * m->dst_packets : 0);
    if (m->tcp) {
        bool open = m->dst_packets > 0;
        put_number(row, COLUMN_FLAG_SYN, 1);
        put_number(row, COLUMN_FLAG_SYN_ACK, open);
        put_number(row, COLUMN_FLAG_ACK, packets > 4 ? packets / 2 : 0);
        put_number(row, COLUMN_FLAG_PSH, packets > 4 ? packets / 3 : 0);
        put_number(row, COLUMN_FLAG_FIN, packets > 4 ? 2 : 0);
        put_number(row, COLUMN_FLAG_RST, packets <= 4 && random_below(&m->r, 2));
        put_number(row, COLUMN_SRC_ISN, random_u32(&m->r));
        if (open) {
            put_number(row, COLUMN_RTT, 1 + random_skewed(&m->r, 0, 300));
            put_number(row, COLUMN_DST_ISN, random_u32(&m->r));
        }
    }
    uint64_t at = 24 + row->index * 12000;
    for (uint32_t i = 0; i < packets && i < PACKETS_MAX; i++) {
        at += 60 + random_skewed(&m->r, 0, 20000);
        row->positions[row->position_count++] = at;
    }
}

static void put_payload(struct making *m, const struct recipe *kind) {
    uint64_t id = random_u64(&m->r) & 0xffff;
    if (m->port == 53) {
        put_format(m->row, COLUMN_SRC_PAYLOAD, "%04llx010000010000", (unsigned long long)id);
        put_format(m->row, COLUMN_DST_PAYLOAD, "%04llx818000010001", (unsigned long long)id);
    } else if (kind->fill == put_tls) {
        put_text(m->row, COLUMN_SRC_PAYLOAD, "1603010200010001");
        put_format(m->row, COLUMN_DST_PAYLOAD, "16030300%02x0200", (unsigned)id & 0x7f);
    } else if (kind->fill == put_http) {
        put_text(m->row, COLUMN_SRC_PAYLOAD, "474554202f702f69");
        put_text(m->row, COLUMN_DST_PAYLOAD, "485454502f312e31");
    } else if (kind->fill != put_scan) {
        put_hex(m->row, COLUMN_SRC_PAYLOAD, m->client % 100, 8);
        put_hex(m->row, COLUMN_DST_PAYLOAD, m->server % 100, 8);
    }
}

static void put_rare(struct making *m) {
    uint32_t count = random_below(&m->r, 100) < 3 ? 1 + random_below(&m->r, RARE_MAX) : 0;
    for (uint32_t i = 0; i < count; i++) {
        char text[64];
        uint16_t key = (uint16_t)random_below(&m->r, RARE_KEYS);
        bool twice = false;
        for (uint32_t k = 0; k < m->row->rare_count; k++) {
            twice |= m->row->rare[k].key == key;
        }
        if (!twice) {
            (void)snprintf(text, sizeof(text), "value %u", random_skewed(&m->r, 0, 5000));
            m->row->rare[m->row->rare_count].key = key;
            m->row->rare[m->row->rare_count++].value = keep(m->row, text, strlen(text));
        }
    }
}

void world_row(const struct world *w, uint64_t index, struct row *row) {
    struct making m = {.w = w, .row = row};
    row->index = index;
    memset(row->count, 0, sizeof(row->count));
    row->value_count = row->rare_count = 0;
    row->position_count = 0;
    row->text_used = 0;
    random_init(&m.r, w->seed + mix(index));
    const struct recipe *kind = choose(random_below(&m.r, 1000));
    m.client = zipf_pick(&w->clients, &m.r);
    m.server = zipf_pick(&w->servers, &m.r);
    m.name = zipf_pick(&w->names, &m.r);
    m.tcp = kind->ip_protocol == 6;
    m.port = kind->fill == put_scan ? (uint16_t)(1 + random_below(&m.r, 10000)) : kind->port;
    int64_t last = last_time(w, index, &m.r);
    uint64_t duration = random_skewed(&m.r, 1, kind->packets_high > 2 ? 120000 : 60);
    put_number(row, COLUMN_FIRST, (uint64_t)last - duration);
    put_number(row, COLUMN_LAST, (uint64_t)last);
    put_v4(row, COLUMN_SRC_IP, client_address(m.client));
    put_v4(row, COLUMN_DST_IP, m.port == 53 ? 0x0a00fe01u + m.server % 3 : server_address(m.server));
    if (kind->ip_protocol != 1) {
        put_number(row, COLUMN_SRC_PORT, m.port == 123 ? 123 : 1024 + random_below(&m.r, 64000));
        put_number(row, COLUMN_DST_PORT, m.port);
    }
    put_number(row, COLUMN_IP_PROTOCOL, kind->ip_protocol);
    put_number(row, COLUMN_ETHERTYPE, 0x0800);
    put_numbers(&m, kind);
    put_payload(&m, kind);
    put_number(row, COLUMN_SRC_TTL, m.client % 3 ? 64 : 128);
    put_number(row, COLUMN_DST_TTL, 64 - m.server % 20);
    kind->fill(&m);
    if (kind->fill == put_scan) {
        put_text(row, COLUMN_TAGS, "scan");
    }
    if (random_below(&m.r, 100) < 10) {
        put_format(row, COLUMN_TAGS, "tag%u", random_skewed(&m.r, 0, 40));
    }
    put_mac(row, COLUMN_SRC_MAC, m.client);
    put_mac(row, COLUMN_DST_MAC, m.client / 250 + 100000);
    if (m.client % 2) {
        put_number(row, COLUMN_VLAN, 100 + m.client / 250);
    }
    if (m.port != 53) {
        put_place(row, m.server, false);
    }
    if (random_below(&m.r, 100) < 4) {
        put_number(row, COLUMN_SRC_DSCP, 46);
    }
    if (m.client % 10 == 0) {
        put_format(row, COLUMN_ASSET, "asset%u", m.client / 10);
    }
    put_rare(&m);
}
