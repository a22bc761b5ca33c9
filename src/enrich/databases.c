/* databases.c: what published databases know of an address: country, region and city, autonomous system (MaxMind's
 * .mmdb files), and the registry its network belongs to.
 *
 * Registries are IANA's "IPv4 Address Space": a network's registry is the one whose whois server answers for it.
 * Without a file the table below is used, minus the networks that RFC 6890 keeps for special purposes, which nobody
 * registers.
 */
#include <ctype.h>
#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "enrich/csv.h"
#include "enrich/parts.h"

struct databases {
    MMDB_s country, as;
    bool has_country, has_as;
    struct ipmap *registries; /* of rirFile; values: names. NULL: the table below */
};

static bool is_ip4(const uint8_t ip[16]) {
    static const uint8_t head[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ip, head, sizeof(head)) == 0;
}

/* --- registries --- */

/* By the first byte of an address. */
static const char registry_of[] = "-PRAARAAAA-AAAPAAAAAAAAAARAPAAARAAAAPRAPAFPPAARAAPARARAAARPPPPRA"
                                  "AAAAAAAAAAAAARRRRRRRRRRRRRRRRRRRAAAAAPFPAFPAARPPPPPPPPPPPPPPPPP-"
                                  "AAAAAPAAAAAAARAAARAAAAPRAPFAAAAAAAAPAAAAAAAPAAAPRLRLPLPPARLLRLLL"
                                  "ARRRFFAALLPPAAAAAAPPRRAAARPPPPPP--------------------------------";

static const struct {
    uint32_t network;
    unsigned bits;
} special[] = {
    {0x64400000, 10}, {0xa9fe0000, 16}, {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24},
    {0xc0a80000, 16}, {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24},
};

static const char *registry_find(const struct databases *d, const uint8_t ip[16]) {
    static const struct {
        char letter;
        const char *name;
    } names[] = {{'A', "ARIN"}, {'R', "RIPE"}, {'P', "APNIC"}, {'L', "LACNIC"}, {'F', "AFRINIC"}};
    if (d->registries) {
        return ipmap_find(d->registries, ip);
    }
    if (!is_ip4(ip)) {
        return NULL;
    }
    uint32_t address = read_be32(ip + 12);
    for (size_t i = 0; i < ARRAY_LEN(special); i++) {
        if ((address ^ special[i].network) >> (32 - special[i].bits) == 0) {
            return NULL;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (registry_of[ip[12]] == names[i].letter) {
            return names[i].name;
        }
    }
    return NULL;
}

/* "whois.arin.net" is ARIN's. NULL: none. */
static const char *registry_name(struct config *c, const char *whois) {
    const char *name = strchr(whois, '.');
    size_t len = name ? strcspn(++name, ".") : 0;
    char *copy = len ? config_strdup(c, name, len) : NULL;
    for (char *at = copy; at && *at; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    return copy;
}

/* Columns: prefix, designation, date, whois server, ... */
static int registries_read(struct databases *d, struct config *c, const char *path, const struct reporter *report) {
    struct csv csv;
    char *field[4];
    if (csv_open(&csv, path) < 0) {
        report_problem(report, path, 0, "the file cannot be read", "check rirFile");
        return 0;
    }
    d->registries = ipmap_new();
    for (int n; d->registries && (n = csv_next(&csv, field, ARRAY_LEN(field))) >= 0;) {
        uint8_t ip[16];
        unsigned prefix;
        bool network = n > 0 && ip_parse_network(field[0], strlen(field[0]), ip, &prefix) == 0;
        if (!network && csv.number > 1) {
            char text[200];
            (void)snprintf(text, sizeof(text), "\"%.60s\" is no network; the line is left out", n > 0 ? field[0] : "");
            report_problem(report, path, csv.number, text, NULL);
        }
        const char *name = network && n == 4 ? registry_name(c, field[3]) : NULL;
        if (name && ipmap_add(d->registries, ip, prefix, name) == -ENOMEM) {
            break;
        }
    }
    csv_close(&csv);
    return d->registries ? 0 : -ENOMEM;
}

/* --- MaxMind's --- */

/* The first of the files that exists. `asked`: the user named them. */
static bool open_first(MMDB_s *db, struct config *c, const struct setting_list *files, const char *setting,
                       const struct reporter *report) {
    char text[200], hint[80];
    (void)snprintf(hint, sizeof(hint), "check %s", setting);
    for (size_t i = 0; i < files->count; i++) {
        const char *path = config_path(c, files->items[i]);
        int status = MMDB_open(path, MMDB_MODE_MMAP, db);
        if (status == MMDB_SUCCESS) {
            return true;
        }
        if (status != MMDB_FILE_OPEN_ERROR) {
            (void)snprintf(text, sizeof(text), "the database cannot be used: %s", MMDB_strerror(status));
            report_problem(report, path, 0, text, hint);
            return false;
        }
    }
    if (files->count && config_value(c, setting)) {
        report_problem(report, config_path(c, files->items[0]), 0, "the file cannot be read", hint);
    }
    return false;
}

static bool look_up(const MMDB_s *db, const uint8_t ip[16], MMDB_lookup_result_s *ret) {
    struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6};
    struct sockaddr_in ip4 = {.sin_family = AF_INET};
    bool is4 = is_ip4(ip);
    int status = MMDB_SUCCESS;
    memcpy(&ip6.sin6_addr, ip, 16);
    memcpy(&ip4.sin_addr, ip + 12, 4);
    *ret = MMDB_lookup_sockaddr(db, is4 ? (const struct sockaddr *)&ip4 : (const struct sockaddr *)&ip6, &status);
    return status == MMDB_SUCCESS && ret->found_entry;
}

/* Where databases have it: MaxMind's and DB-IP's first, then those of IPinfo and ip-location-db. */
#define WAYS 3
typedef const char *const member_paths[WAYS][4];
static member_paths country_paths = {{"country", "iso_code"}, {"country_code"}, {"country"}};
static member_paths region_paths = {{"subdivisions", "0", "iso_code"}, {"region"}, {"state1"}};
static member_paths city_paths = {{"city", "names", "en"}, {"city"}};
static member_paths number_paths = {{"autonomous_system_number"}, {"asn"}};
static member_paths name_paths = {{"autonomous_system_organization"}, {"as_name"}, {"name"}};

/* The first member that is of the type. */
static bool take(MMDB_lookup_result_s *found, member_paths paths, uint32_t type, MMDB_entry_data_s *ret) {
    for (size_t i = 0; i < WAYS && paths[i][0]; i++) {
        if (MMDB_aget_value(&found->entry, ret, paths[i]) == MMDB_SUCCESS && ret->has_data && ret->type == type) {
            return true;
        }
    }
    return false;
}

static bool take_text(MMDB_lookup_result_s *found, member_paths paths, struct span *ret) {
    MMDB_entry_data_s data;
    if (ret->len || !take(found, paths, MMDB_DATA_TYPE_UTF8_STRING, &data)) {
        return false;
    }
    *ret = span_make(data.utf8_string, data.data_size);
    return true;
}

static bool take_place(const struct databases *d, const uint8_t ip[16], struct place *ret) {
    MMDB_lookup_result_s found;
    if (ret->country.len || !look_up(&d->country, ip, &found)) {
        return false;
    }
    bool any = take_text(&found, country_paths, &ret->country);
    any |= take_text(&found, region_paths, &ret->region);
    return take_text(&found, city_paths, &ret->city) || any;
}

/* 64496, or "AS64496". */
static bool take_number(MMDB_lookup_result_s *found, uint64_t *ret) {
    MMDB_entry_data_s data;
    if (take(found, number_paths, MMDB_DATA_TYPE_UINT32, &data)) {
        *ret = data.uint32;
        return true;
    }
    if (!take(found, number_paths, MMDB_DATA_TYPE_UTF8_STRING, &data)) {
        return false;
    }
    struct span text = span_make(data.utf8_string, data.data_size);
    text = span_starts_fold(text, SPAN_LITERAL("AS")) ? span_from(text, 2) : text;
    return span_decimal(text, UINT32_MAX, ret);
}

static bool take_as(const struct databases *d, const uint8_t ip[16], struct place *ret) {
    MMDB_lookup_result_s found;
    if (ret->as_full.len || !look_up(&d->as, ip, &found) || !take_number(&found, &ret->as_number)) {
        return false;
    }
    ret->as_name = (struct span){0};
    (void)take_text(&found, name_paths, &ret->as_name);
    int n = snprintf(ret->text, sizeof(ret->text), "AS%llu%s%.*s", (unsigned long long)ret->as_number,
                     ret->as_name.len ? " " : "", (int)MIN(ret->as_name.len, sizeof(ret->text)),
                     (const char *)ret->as_name.at);
    ret->as_full = span_make(ret->text, MIN((size_t)n, sizeof(ret->text) - 1));
    return true;
}

/* --- whole --- */

struct databases *databases_new(const struct enrich_settings *s, struct config *c, const struct reporter *report) {
    struct databases *d = calloc(1, sizeof(*d));
    if (!d) {
        return NULL;
    }
    d->has_country = open_first(&d->country, c, &s->country_files, "geoLite2Country", report);
    d->has_as = open_first(&d->as, c, &s->as_files, "geoLite2ASN", report);
    if (s->rir_file[0] && registries_read(d, c, config_path(c, s->rir_file), report) < 0) {
        return databases_free(d);
    }
    return d;
}

struct databases *databases_free(struct databases *d) {
    if (d) {
        if (d->has_country) {
            MMDB_close(&d->country);
        }
        if (d->has_as) {
            MMDB_close(&d->as);
        }
        ipmap_free(d->registries);
        free(d);
    }
    return NULL;
}

bool databases_find(const struct databases *d, const uint8_t ip[16], struct place *ret) {
    bool any = d->has_country && take_place(d, ip, ret);
    any |= d->has_as && take_as(d, ip, ret);
    const char *registry = ret->rir.len ? NULL : registry_find(d, ip);
    if (registry) {
        ret->rir = span_text(registry);
    }
    return any || registry;
}
