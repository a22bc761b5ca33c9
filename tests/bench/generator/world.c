/*
 * Names, addresses and words, computed from numbers (see world.h). Clients and office servers have private addresses
 * (RFC 1918, 4193); servers on the internet get public-looking ones, so that address databases have something to find.
 */
#include "world.h"

#include "certificate.h"
#include "document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const words[] = {
    "about",   "account", "after",   "answer",   "autumn",  "basket",  "before",  "bridge",  "budget",  "button",
    "camera",  "canvas",  "carbon",  "center",   "change",  "client",  "coffee",  "column",  "copper",  "corner",
    "cotton",  "course",  "credit",  "customer", "cycle",   "danger",  "dealer",  "decade",  "degree",  "delivery",
    "design",  "detail",  "dinner",  "doctor",   "domain",  "double",  "driver",  "effect",  "effort",  "engine",
    "evening", "event",   "expert",  "factor",   "family",  "farmer",  "figure",  "filter",  "finger",  "flight",
    "flower",  "folder",  "forest",  "format",   "friend",  "future",  "garden",  "growth",  "guitar",  "hammer",
    "handle",  "harbor",  "height",  "history",  "holder",  "impact",  "income",  "injury",  "insight", "invoice",
    "island",  "jacket",  "journal", "kitchen",  "ladder",  "launch",  "lawyer",  "leader",  "length",  "letter",
    "library", "linear",  "listen",  "manager",  "margin",  "market",  "master",  "matter",  "member",  "memory",
    "method",  "minute",  "mirror",  "mobile",   "module",  "moment",  "monitor", "morning", "motion",  "museum",
    "nature",  "network", "number",  "object",   "office",  "orange",  "origin",  "output",  "packet",  "palace",
    "parent",  "partner", "people",  "period",   "person",  "pocket",  "policy",  "portal",  "poster",  "process",
    "product", "profit",  "public",  "quality",  "quarter", "reader",  "reason",  "record",  "region",  "report",
    "result",  "return",  "review",  "river",    "sample",  "school",  "science", "screen",  "season",  "second",
    "section", "server",  "service", "shadow",   "signal",  "silver",  "simple",  "social",  "source",  "speech",
    "spring",  "square",  "station", "status",   "street",  "studio",  "summer",  "supply",  "survey",  "switch",
    "symbol",  "system",  "target",  "theory",   "ticket",  "timber",  "travel",  "update",  "value",   "vector",
    "vendor",  "version", "village", "vision",   "volume",  "weather", "weekend", "window",  "winter",  "wonder",
    "worker",  "yellow",
};

static const char *const syllables[] = {
    "ba", "bel", "bo", "cal", "co",  "da", "del", "do", "fa",  "fin", "ga", "gor", "ka", "kel", "la", "lo",
    "ma", "mer", "mo", "na",  "nor", "pa", "pel", "ra", "ren", "ro",  "sa", "sol", "ta", "ti",  "va", "vel",
};

static const char *const given_names[] = {
    "anna", "ben",  "clara", "david", "emma", "felix", "greta", "hugo", "ida",    "jan",  "karin",
    "leo",  "mara", "noah",  "olga",  "paul", "rosa",  "simon", "tina", "ulrich", "vera", "walter",
};

static const char *const family_names[] = {
    "adler", "bauer",   "conrad", "dietz",  "engel",  "frank",  "graf",  "hahn",  "jung",  "keller", "lang",
    "moser", "neumann", "otto",   "peters", "reuter", "sander", "thoma", "urban", "vogel", "weber",  "zimmer",
};

static const char *const agents[] = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:119.0) Gecko/20100101 Firefox/119.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 "
    "Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36 "
    "Edg/119.0.0.0",
    "curl/7.88.1",
    "Microsoft-Delivery-Optimization/10.1",
    "python-requests/2.31.0",
    "Debian APT-HTTP/1.3 (2.6.1)",
};

static const char *const endings[] = {"com", "net", "org", "de", "io", "co.uk", "fr", "info"};
static const char *const services[] = {"www", "api", "cdn", "static", "mail", "img", "login", "m", "app", "news"};

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NOISE_LENGTH (1u << 20)

int world_init(struct world *w, uint64_t seed) {
    memset(w, 0, sizeof *w);
    w->seed = seed;
    struct random r;
    random_init(&r, seed ^ 0x776f726c64);
    w->noise = malloc(NOISE_LENGTH);
    if (w->noise == NULL) {
        return -ENOMEM;
    }
    w->noise_length = NOISE_LENGTH;
    random_fill(&r, w->noise, NOISE_LENGTH);
    return documents_make(w, &r);
}

static void certificates_free(struct certificate *certificates, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        free(certificates[i].bytes);
    }
    free(certificates);
}

void world_done(struct world *w) {
    for (uint32_t i = 0; i < w->document_count; i++) {
        free(w->documents[i].bytes);
    }
    free(w->documents);
    certificates_free(w->certificates, w->certificate_count);
    certificates_free(w->authorities, w->authority_count);
    free(w->noise);
    memset(w, 0, sizeof *w);
}

int world_certify(struct world *w) {
    return certificates_make(w);
}

uint64_t world_mix(const struct world *w, uint64_t kind, uint64_t n) {
    uint64_t z = w->seed + kind * 0xd1342543de82ef95u + n * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void world_domain(const struct world *w, uint32_t server, char *ret_text) {
    uint64_t h = world_mix(w, 2, server);
    char *at = ret_text;
    for (unsigned i = 0; i < 2 + h % 3; i++) {
        const char *s = syllables[h >> (8 + 5 * i) & 31];
        size_t n = strlen(s);
        memcpy(at, s, n);
        at += n;
    }
    snprintf(at, WORLD_NAME / 2, ".%s", endings[h >> 60 & 7]);
}

void world_host(const struct world *w, uint32_t server, char *ret_text) {
    uint64_t h = world_mix(w, 3, server);
    const char *service = services[h % COUNT(services)];
    size_t n = strlen(service);
    memcpy(ret_text, service, n);
    ret_text[n] = '.';
    world_domain(w, server, ret_text + n + 1);
}

void world_machine(uint32_t client, char *ret_text) {
    snprintf(ret_text, WORLD_NAME, "%s-%06u", client % 5 == 0 ? "NB" : "PC", client);
}

void world_user(uint32_t client, char *ret_text) {
    const char *given = given_names[client % COUNT(given_names)];
    const char *family = family_names[client / COUNT(given_names) % COUNT(family_names)];
    snprintf(ret_text, WORLD_NAME, "%s.%s", given, family);
}

const char *world_word(uint64_t n) {
    return words[n % COUNT(words)];
}

const char *world_agent(uint32_t client) {
    return agents[(client * 2654435761u >> 16) % COUNT(agents)];
}

static void private_v6(uint8_t *address, unsigned net, uint32_t host) {
    const uint8_t bytes[16] = {0xfd,
                               0x12,
                               0x34,
                               0x56,
                               0x78,
                               0x9a,
                               0,
                               (uint8_t)net,
                               2,
                               0x1b,
                               0x21,
                               0xff,
                               0xfe,
                               (uint8_t)(host >> 16),
                               (uint8_t)(host >> 8),
                               (uint8_t)host};
    memcpy(address, bytes, 16);
}

void world_client_address(uint32_t client, int family, uint8_t *ret_address) {
    if (family == 6) {
        private_v6(ret_address, 0x20, client);
        return;
    }
    const uint8_t bytes[4] = {10, (uint8_t)(20 + (client >> 16)), (uint8_t)(client >> 8), (uint8_t)client};
    memcpy(ret_address, bytes, 4);
}

void world_office_address(uint32_t server, int family, uint8_t *ret_address) {
    if (family == 6) {
        private_v6(ret_address, 0x01, server);
        return;
    }
    const uint8_t bytes[4] = {10, 1, (uint8_t)(server / 200), (uint8_t)(10 + server % 200)};
    memcpy(ret_address, bytes, 4);
}

void world_server_address(const struct world *w, uint32_t server, int family, uint8_t *ret_address) {
    static const uint8_t nets[16] = {23, 34, 45, 52, 64, 80, 91, 104, 142, 151, 162, 185, 193, 203, 212, 217};
    static const uint8_t nets6[4][2] = {{0x26, 0x06}, {0x2a, 0x00}, {0x2a, 0x02}, {0x24, 0x04}};
    uint64_t h = world_mix(w, 4, server);
    if (family == 6) {
        memset(ret_address, 0, 16);
        memcpy(ret_address, nets6[h & 3], 2);
        memcpy(ret_address + 2, &h, 6);
        ret_address[15] = (uint8_t)(1 + (h >> 56) % 250);
        return;
    }
    ret_address[0] = nets[h & 15];
    ret_address[1] = (uint8_t)(h >> 8);
    ret_address[2] = (uint8_t)(h >> 16);
    ret_address[3] = (uint8_t)(1 + (h >> 24) % 250);
}

void world_prose(struct buffer *b, struct random *r, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        buffer_text(b, world_word(random_u64(r)));
        bool line_ends = i % 11 == 10;
        buffer_text(b, line_ends ? ".\r\n" : " ");
    }
    buffer_text(b, "\r\n");
}
